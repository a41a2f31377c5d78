#!/bin/bash
# One real mail system takes what the program submits, as its relay or by its sendmail binary.
#
#   .ci/mta.sh PROGRAM relay|submit SYSTEM
#   .ci/mta.sh PROGRAM outage postfix [OPTION...]   what .ci/outage.py measures, with Postfix as a null client
#
# SYSTEM: postfix, exim, sendmail, opensmtpd; for `submit` also dma, nullmailer, msmtp. Everything
# happens in a private root (.ci/root.sh) with a network of its own, so that the usual ports are free
# and an address that is not the loopback is there, for which the rules of TLS hold. .ci/mta.py makes
# the checks.
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail

HOST=mta.example.test
RELAY=mail.example.test
ADDRESS=10.9.9.9
USER_NAME=tester
PASSWORD=s3cret
SUITE_LIMIT=400
[ "${2:-}" != outage ] || SUITE_LIMIT=2400

if [ "${1:-}" != --inside ] && [ "${1:-}" != --connected ]; then
    [ $# -ge 3 ] || { echo "usage: $0 PROGRAM relay|submit SYSTEM" >&2; exit 64; }
    export WHAT=$2 SYSTEM=$3 OPTIONS=${*:4}
fi
NAME="$WHAT $SYSTEM"
. "$(dirname "$0")/root.sh"

# --- the systems: packages, configuration, start ------------------------------------------
packages_of() {
    case $SYSTEM in
    postfix) echo postfix sasl2-bin libsasl2-modules ;;
    exim) echo exim4-daemon-light ;;
    # Without sensible-mda nothing is delivered.
    sendmail) echo sendmail-bin sendmail-base sendmail-cf sensible-mda procmail sasl2-bin libsasl2-modules make ;;
    opensmtpd) echo opensmtpd/bookworm-backports ;;
    msmtp) echo msmtp msmtp-mta ;;
    *) echo "$SYSTEM" ;;
    esac
}

setup_postfix() {
    inside postconf -e \
        compatibility_level=3.6 \
        "myhostname = $RELAY" 'mydomain = example.test' 'myorigin = example.test' \
        'mydestination = $myhostname, example.test, localhost' \
        'inet_interfaces = all' 'inet_protocols = ipv4' 'mynetworks = 127.0.0.2/32' \
        'relay_domains = bulk.example.test' 'relay_transport = discard' 'default_transport = discard' \
        'mail_spool_directory = /var/mail' 'mailbox_delivery_lock = fcntl, dotlock' 'mailbox_size_limit = 0' \
        'message_size_limit = 2097152' 'maillog_file = /var/log/mta.log' 'smtpd_tls_security_level = may' \
        'smtpd_tls_cert_file = /etc/testtls/server.pem' 'smtpd_tls_key_file = /etc/testtls/server.key' \
        'smtpd_sasl_type = cyrus' 'smtpd_sasl_path = smtpd' 'smtpd_sasl_local_domain = $myhostname' \
        'smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination'
    inside postconf -F '*/*/chroot=n'
    inside postconf -M "2525/inet=2525 inet n - n - - smtpd -o smtpd_recipient_limit=100"
    for port in 587 465; do
        inside postconf -M "$port/inet=$port inet n - n - - smtpd"
        inside postconf -P "$port/inet/smtpd_sasl_auth_enable=yes" \
            "$port/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
    done
    inside postconf -P "587/inet/smtpd_tls_security_level=encrypt" "587/inet/smtpd_tls_auth_only=yes" \
        "465/inet/smtpd_tls_wrappermode=yes"
    inside sh -c 'grep -q ^postlog /etc/postfix/master.cf || echo "postlog unix-dgram n - n - 1 postlogd" >>/etc/postfix/master.cf'
    printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n' >"$root/etc/postfix/sasl/smtpd.conf"
    printf %s "$PASSWORD" | inside saslpasswd2 -p -c -u "$RELAY" "$USER_NAME"
    inside chgrp postfix /etc/sasldb2
    inside chmod 640 /etc/sasldb2
    inside newaliases
    [ "$WHAT" != outage ] || inside postconf -e 'relayhost = [127.0.0.1]:2500' 'mydestination =' 'inet_interfaces = loopback-only' \
        'local_transport = error:no local mail' 'default_transport = smtp' 'relay_transport = smtp' 'relay_domains =' \
        'smtp_tls_security_level = none'
}
start_postfix() { inside postfix start >"$base/start.log" 2>&1; }

setup_exim() {
    inside sh -c 'cp /etc/testtls/server.* /etc/exim4/ && chgrp Debian-exim /etc/exim4/server.key && chmod 640 /etc/exim4/server.key'
    cat >"$root/etc/exim4/exim4.conf" <<CONF
primary_hostname = $RELAY
domainlist local_domains = @ : example.test : localhost
domainlist our_domains = +local_domains : bulk.example.test
daemon_smtp_ports = 25 : 587 : 465 : 2525
tls_on_connect_ports = 465
tls_advertise_hosts = *
tls_certificate = /etc/exim4/server.pem
tls_privatekey = /etc/exim4/server.key
auth_advertise_hosts = \${if eq{\$tls_in_cipher}{}{}{*}}
message_size_limit = 2M
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
log_file_path = /var/log/exim4/%slog
log_selector = +received_recipients
keep_environment =
disable_ipv6
begin acl
rcpt:
  defer condition = \${if and{{eq{\$received_port}{2525}}{>{\$recipients_count}{99}}}}
    message = 452 4.5.3 too many recipients
  deny condition = \${if or{{eq{\$received_port}{587}}{eq{\$received_port}{465}}}}
    !authenticated = *
    message = authentication required
  deny domains = ! +our_domains
    !authenticated = *
    message = relay not permitted
  accept domains = +local_domains
    verify = recipient
  deny domains = +local_domains
    message = Unknown user
  accept
begin routers
bulk:
  driver = redirect
  domains = ! +local_domains
  allow_fail
  data = :blackhole:
local:
  driver = accept
  domains = +local_domains
  check_local_user
  transport = mbox
begin transports
mbox:
  driver = appendfile
  file = /var/mail/\$local_part_data
  group = mail
  mode = 0660
  mode_fail_narrower = false
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = \${if and{{eq{\$auth2}{$USER_NAME}}{eq{\$auth3}{$PASSWORD}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{$USER_NAME}}{eq{\$auth2}{$PASSWORD}}}}
  server_set_id = \$auth1
CONF
}
start_exim() {
    inside sh -c 'mkdir -p /run/exim4 && chown Debian-exim /run/exim4'
    # As a daemon it would not go into the background: its parent is number 1.
    inside exim4 -bdf -q1m >"$base/exim.log" 2>&1 </dev/null &
}

setup_sendmail() {
    inside sh -c 'chown root:smmta /etc/testtls/server.key; chmod 640 /etc/testtls/server.key; mkdir -p /etc/mail/tls'
    cat >"$root/etc/mail/sendmail.mc" <<CONF
divert(-1)
divert(0)dnl
define(\`_USE_ETC_MAIL_')dnl
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-mta')dnl
undefine(\`confHOST_STATUS_DIRECTORY')dnl
FEATURE(\`no_default_msa')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MTA-v4, Port=25')dnl
DAEMON_OPTIONS(\`Family=inet, Name=MSP-v4, Port=587, M=Ea')dnl
DAEMON_OPTIONS(\`Family=inet, Name=SSL-v4, Port=465, M=Eas')dnl
DAEMON_OPTIONS(\`Family=inet, Name=FEW-v4, Port=2525')dnl
define(\`confMAX_RCPTS_PER_MESSAGE', \`100')dnl
define(\`confMAX_MESSAGE_SIZE', \`2097152')dnl
define(\`confCACERT', \`/etc/testtls/ca.pem')dnl
define(\`confCACERT_PATH', \`/etc/testtls')dnl
define(\`confSERVER_CERT', \`/etc/testtls/server.pem')dnl
define(\`confSERVER_KEY', \`/etc/testtls/server.key')dnl
define(\`confDONT_BLAME_SENDMAIL', \`GroupReadableKeyFile')dnl
define(\`confAUTH_MECHANISMS', \`PLAIN LOGIN')dnl
TRUST_AUTH_MECH(\`PLAIN LOGIN')dnl
define(\`confAUTH_OPTIONS', \`A')dnl
define(\`confDOMAIN_NAME', \`$RELAY')dnl
define(\`confPID_FILE', \`/run/sendmail-mta.pid')dnl
FEATURE(\`use_cw_file')dnl
FEATURE(\`accept_unresolvable_domains')dnl
FEATURE(\`accept_unqualified_senders')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`virtusertable', \`hash /etc/mail/virtusertable')dnl
MAILER_DEFINITIONS
MAILER(\`local')dnl
MAILER(\`smtp')dnl
CONF
    printf 'example.test\nlocalhost\n%s\nbulk.example.test\n' "$RELAY" >"$root/etc/mail/local-host-names"
    printf '@bulk.example.test sink\n' >"$root/etc/mail/virtusertable"
    cat >"$root/etc/mail/submit.mc" <<CONF
divert(-1)
divert(0)dnl
define(\`_USE_ETC_MAIL_')dnl
include(\`/usr/share/sendmail/cf/m4/cf.m4')dnl
OSTYPE(\`debian')dnl
DOMAIN(\`debian-msp')dnl
define(\`confDOMAIN_NAME', \`$RELAY')dnl
FEATURE(\`nocanonify')dnl
FEATURE(\`msp', \`[127.0.0.1]', \`25')dnl
CONF
    printf 'sink: /dev/null\n' >>"$root/etc/aliases"
    inside sh -c 'cd /etc/mail && m4 sendmail.mc >sendmail.cf && m4 submit.mc >submit.cf && touch access &&
        makemap hash virtusertable <virtusertable &&
        mkdir -p /var/spool/mqueue /var/spool/mqueue-client && newaliases' >"$base/make.log" 2>&1 || :
    for file in etc/mail/sasl/Sendmail.conf.2 etc/sasl2/Sendmail.conf usr/lib/sasl2/Sendmail.conf; do
        mkdir -p "$root/${file%/*}"
        rm -f "$root/$file"
        printf 'pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n' >"$root/$file"
    done
    printf %s "$PASSWORD" | inside saslpasswd2 -p -c -u "$RELAY" "$USER_NAME"
    inside sh -c 'chgrp smmsp /etc/sasldb2; chmod 640 /etc/sasldb2'
}
start_sendmail() {
    inside sh -c 'mkdir -p /run/sendmail/mta /run/sendmail/msp; chown smmta:smmsp /run/sendmail/mta; chown smmsp:smmsp /run/sendmail/msp
        exec /usr/sbin/sendmail-mta -L sm-mta -bd -q5s'
}

setup_opensmtpd() {
    echo "$USER_NAME $(inside smtpctl encrypt "$PASSWORD")" >"$root/etc/smtpd-creds"
    # Its sendmail binary is held to the limits as well.
    cat >"$root/etc/smtpd.conf" <<CONF
pki p cert "/etc/testtls/server.pem"
pki p key "/etc/testtls/server.key"
table aliases file:/etc/aliases
table creds file:/etc/smtpd-creds
$([ "$WHAT" = submit ] || echo 'smtp limit max-rcpt 100')
smtp max-message-size 2097152
listen on socket
listen on 0.0.0.0 port 25 tls pki p hostname $RELAY
listen on 0.0.0.0 port 2525 tls pki p hostname $RELAY
listen on 0.0.0.0 port 587 tls-require pki p auth <creds> hostname $RELAY
listen on 0.0.0.0 port 465 smtps pki p auth <creds> hostname $RELAY
action "local" mbox alias <aliases>
table bulk { "@bulk.example.test" = "$USER_NAME" }
action "sink" mda "echo %{rcpt} >>/tmp/sink" virtual <bulk>
match from any for local action "local"
match from any for domain "example.test" action "local"
match from any for domain "bulk.example.test" action "sink"
CONF
    echo "$RELAY" >"$root/etc/mailname"
    : >"$root/etc/aliases"
    inside sh -c 'chgrp opensmtpd /etc/smtpd-creds; chmod 640 /etc/smtpd-creds; chmod 600 /etc/testtls/server.key'
}
start_opensmtpd() { inside sh -c 'mkdir -p /run/opensmtpd; exec smtpd'; }

# These hand all to a relay, which is .ci/relay.py.
setup_dma() {
    printf 'SMARTHOST 127.0.0.1\nPORT 2500\nMAILNAME %s\n' "$RELAY" >"$root/etc/dma/dma.conf"
    echo "$RELAY" >"$root/etc/mailname"
}
setup_nullmailer() {
    echo "127.0.0.1 smtp --port=2500" >"$root/etc/nullmailer/remotes"
    echo example.test >"$root/etc/nullmailer/defaultdomain"
    echo "$RELAY" >"$root/etc/mailname"
    inside sh -c 'chown root:mail /etc/nullmailer/remotes; chmod 640 /etc/nullmailer/remotes'
}
start_nullmailer() {
    # In the root as its user, with its standard error where we see it.
    inside sh -c 'mkdir -p /run/nullmailer; chown mail /run/nullmailer'
    chroot --userspec=mail:mail "$root" /usr/sbin/nullmailer-send >"$base/nullmailer.log" 2>&1 </dev/null &
}
setup_msmtp() {
    printf 'account default\nhost 127.0.0.1\nport 2500\nfrom tester@example.test\nsyslog off\n' >"$root/etc/msmtprc"
}

is_ours() { [ "$(type -t "$1")" = function ]; }

# --- in the private root, and in a network of its own -------------------------------------
if [ "${1:-}" != --connected ]; then
    enter_root "$@"
    command -v openssl >/dev/null || left_out "needs openssl"
    command -v ip >/dev/null || left_out "needs ip (iproute2)"
    unshare --net true 2>/dev/null || left_out "needs a network namespace"
    if [ "$SYSTEM" = opensmtpd ]; then
        # 6.8 of bookworm cannot serve TLS with OpenSSL 3.
        echo 'deb http://deb.debian.org/debian bookworm-backports main' >"$root/etc/apt/sources.list.d/backports.list"
        inside apt-get update >"$base/apt-update.log" 2>&1 || left_out "no bookworm-backports here"
    fi
    # Its package asks the name of the host, for minutes if there is none.
    printf '127.0.0.1 localhost\n127.0.1.1 %s mta\n%s %s other.example.test\n' "$HOST" "$ADDRESS" "$RELAY" >"$root/etc/hosts"
    apt_install $(packages_of) || { inside apt-get update >"$base/apt-update.log" 2>&1 && apt_install $(packages_of); } ||
        { tail -n 5 "$base/apt.log" >&2; left_out "apt-get cannot install $SYSTEM"; }
    inside dpkg-query -W -f '  ${Package} ${Version}\n' $(packages_of | sed 's,/[^ ]*,,')
    for name in "$USER_NAME" other plain; do
        make_user "$name"
        install -m 660 /dev/null "$root/var/mail/$name"
        inside chown "$name:mail" "/var/mail/$name"
    done
    mkdir -p "$root/etc/testtls"
    ( cd "$root/etc/testtls"
      openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Test authority' \
          -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' -keyout ca.key -out ca.pem
      openssl req -newkey rsa:2048 -nodes -subj "/CN=$RELAY" -keyout server.key -out server.csr
      printf '%s\n' "subjectAltName=DNS:$RELAY" 'extendedKeyUsage=serverAuth' 'basicConstraints=CA:FALSE' >server.ext
      openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out server.pem
      chmod 600 ./*.key
      chmod 644 ./*.pem
    ) >"$base/openssl.log" 2>&1 || { cat "$base/openssl.log" >&2; fail "openssl cannot make the certificates"; }
    "setup_$SYSTEM"
    install -m 755 "$program" "$root/usr/bin/postrider"
    ln -sf postrider "$root/usr/bin/mailx"
    install -m 644 "$(dirname "$0")"/{mta,outage,relay}.py "$root/opt/"
    rm -f "$root/etc/resolv.conf"
    printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$root/etc/resolv.conf"
    export base root program
    exec unshare --net "$BASH" "$(readlink -f "$0")" --connected
fi

ip link set lo up
ip address add "$ADDRESS/32" dev lo
# The namespace ends it.
inside PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 /opt/mta.py names >"$base/names.log" 2>&1 </dev/null &
if is_ours "start_$SYSTEM"; then
    "start_$SYSTEM" || { cat "$base"/*.log >&2; fail "it does not start"; }
fi
if [ -n "${MTA_SHELL:-}" ]; then # for people: look around in the root
    exec "$BASH" -c "$MTA_SHELL"
fi
if [ "$WHAT" = outage ]; then
    # shellcheck disable=SC2086
    inside PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 /opt/outage.py /usr/bin/postrider --peer /usr/sbin/sendmail --port 2500 $OPTIONS
    exit
fi
inside PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 /opt/mta.py "$WHAT" "$SYSTEM"
