#!/bin/bash
# One real MTA: Debian's Postfix takes what the program submits, in three ways,
# and its mailbox is then read by the program.
#
#   .ci/postfix.sh PROGRAM
#
# Everything happens in a private root (.ci/root.sh): the machine's own MTA stays as it is.
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail

NAME=postfix
HOST=mail.example.test
USER_NAME=tester
PASSWORD=s3cret
SUITE_LIMIT=600

. "$(dirname "$0")/root.sh"
command -v openssl >/dev/null || left_out "needs openssl"
enter_root "$@"
mkdir "$base"/{tls,home}
mkdir -p "$root/opt/under-test"
for name in postrider mailx; do
    touch "$root/opt/under-test/$name"
    mount --bind "$program" "$root/opt/under-test/$name"
done
install_packages postfix sasl2-bin libsasl2-modules

make_user "$USER_NAME"
mbox=$root/var/mail/$USER_NAME
install -m 660 /dev/null "$mbox"
inside chown "$USER_NAME:mail" "/var/mail/$USER_NAME"

# --- certificates -------------------------------------------------------------
( cd "$base/tls"
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Test authority' \
      -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' \
      -keyout ca.key -out ca.pem
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=Somebody else' \
      -addext 'basicConstraints=critical,CA:TRUE' -keyout other.key -out other.pem
  openssl req -newkey rsa:2048 -nodes -subj "/CN=$HOST" -keyout server.key -out server.csr
  printf '%s\n' "subjectAltName=DNS:$HOST,DNS:localhost,IP:127.0.0.1" \
      'extendedKeyUsage=serverAuth' 'basicConstraints=CA:FALSE' >server.ext
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 \
      -extfile server.ext -out server.pem
) >"$base/openssl.log" 2>&1 || { cat "$base/openssl.log" >&2; fail "openssl cannot make the certificates"; }
mkdir -p "$root/etc/testtls"
cp "$base"/tls/server.{key,pem} "$root/etc/testtls/"

# --- Postfix ------------------------------------------------------------------
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
for port_base in 11000 21000 31000 41000; do
    if is_free $((port_base + 25)) && is_free $((port_base + 587)) && is_free $((port_base + 465)); then break; fi
done
clear_port=$((port_base + 25)) starttls_port=$((port_base + 587)) tls_port=$((port_base + 465))

inside postconf -e \
    compatibility_level=3.6 \
    "myhostname = $HOST" 'mydomain = example.test' 'myorigin = example.test' \
    'mydestination = $myhostname, example.test, localhost' \
    'inet_interfaces = loopback-only' 'inet_protocols = ipv4' 'mynetworks = 127.0.0.2/32' \
    'default_transport = discard' 'relay_transport = discard' \
    'mail_spool_directory = /var/mail' 'mailbox_delivery_lock = fcntl, dotlock' \
    'maillog_file = /var/log/postfix.log' \
    'smtpd_tls_cert_file = /etc/testtls/server.pem' 'smtpd_tls_key_file = /etc/testtls/server.key' \
    'smtpd_sasl_type = cyrus' 'smtpd_sasl_path = smtpd' 'smtpd_sasl_local_domain = $myhostname' \
    'smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination'
inside postconf -M# smtp/inet
inside postconf -F '*/*/chroot=n'
inside postconf -M "$clear_port/inet=127.0.0.1:$clear_port inet n - n - - smtpd"
for port in $starttls_port $tls_port; do
    inside postconf -M "$port/inet=127.0.0.1:$port inet n - n - - smtpd"
    inside postconf -P "127.0.0.1:$port/inet/smtpd_sasl_auth_enable=yes" \
        "127.0.0.1:$port/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject"
done
inside postconf -P "127.0.0.1:$starttls_port/inet/smtpd_tls_security_level=encrypt" \
    "127.0.0.1:$starttls_port/inet/smtpd_tls_auth_only=yes" \
    "127.0.0.1:$tls_port/inet/smtpd_tls_wrappermode=yes"
inside sh -c 'grep -q ^postlog /etc/postfix/master.cf ||
    echo "postlog unix-dgram n - n - 1 postlogd" >>/etc/postfix/master.cf'
cat >"$root/etc/postfix/sasl/smtpd.conf" <<'CONF'
pwcheck_method: auxprop
auxprop_plugin: sasldb
mech_list: PLAIN LOGIN
CONF
printf %s "$PASSWORD" | inside saslpasswd2 -p -c -u "$HOST" "$USER_NAME"
inside chgrp postfix /etc/sasldb2
inside chmod 640 /etc/sasldb2
inside newaliases

log=$root/var/log/postfix.log
inside postfix start >"$base/start.log" 2>&1 || { cat "$base/start.log" >&2; fail "postfix does not start"; }
for port in $clear_port $starttls_port $tls_port; do
    for _ in $(seq 200); do is_free "$port" || break; sleep 0.05; done
    ! is_free "$port" || fail "nothing listens on port $port"
done

# --- submissions --------------------------------------------------------------
export HOME=$base/home DEAD=$base/home/dead LC_ALL=C
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
unset MAIL POSTRIDER_SUBMITTING
ln -s "$program" "$base/home/mailx"
body=$base/body
printf 'caf\303\251 and a line\nFrom here\n.\nlast line\n' >"$body"

mailx() { "$base/home/mailx" -n "$@"; }

rc() { # SCHEME PASSWORD PORT [LINE]: writes the configuration of a relay
    export MAILRC=$base/home/rc
    ( umask 077
      printf '%s\n' "set mta=$1://$USER_NAME:$2@localhost:$3" 'set from=sender@example.test' \
          'set log=off' 'set nooutbox' "${4-}" >"$MAILRC" )
}

expect_refused() { # STATUS|any SUBJECT: the submission fails, says why, and keeps the text
    local status=0
    rm -f "$DEAD"
    mailx -s "$2" "$USER_NAME@example.test" <"$body" >"$base/out" 2>"$base/err" || status=$?
    [ "$status" != 0 ] || fail "$2: exit 0"
    [ "$1" = any ] || [ "$status" = "$1" ] || { cat "$base/err" >&2; fail "$2: exit $status, not $1"; }
    grep -q '^mailx: ' "$base/err" || { cat "$base/err" >&2; fail "$2: no reason on stderr"; }
    ! grep -q "$PASSWORD" "$base/err" || fail "$2: the password is on stderr"
    grep -q "last line" "$DEAD" || fail "$2: the text was not kept"
    echo "  ok: $2 (exit $status: $(head -n 1 "$base/err"))"
}

submit() { # SUBJECT: a submission that must arrive
    mailx -s "$1" "$USER_NAME@example.test" <"$body" >"$base/out" 2>"$base/err" ||
        { cat "$base/err" >&2; fail "$1: exit $?"; }
    [ ! -s "$base/out" ] && [ ! -s "$base/err" ] || { cat "$base/out" "$base/err" >&2; fail "$1: not silent"; }
    arrived "$mbox" "^Subject: $1\$" 30
    echo "  ok: $1"
}

if [ -n "${POSTFIX_SHELL:-}" ]; then # for people: look around in the root
    export base root clear_port starttls_port tls_port
    exec "$BASH" -c "$POSTFIX_SHELL"
fi

subjects="by-sendmail by-starttls by-tls"
cp "$body" "$root/tmp/body"
inside su "$USER_NAME" -c "env -i HOME=/home/$USER_NAME MAILRC=/dev/null PATH=/usr/bin:/bin LC_ALL=C \
    /opt/under-test/mailx -n -s by-sendmail $USER_NAME@example.test </tmp/body" >"$base/out" 2>"$base/err" ||
    { cat "$base/err" >&2; fail "by-sendmail: exit $?"; }
arrived "$mbox" '^Subject: by-sendmail$' 30
echo "  ok: by-sendmail"

ca="set tls-ca-file=$base/tls/ca.pem"
rc submission "$PASSWORD" "$starttls_port" "$ca"
submit by-starttls
rc submissions "$PASSWORD" "$tls_port" "$ca"
submit by-tls

rc submission "$PASSWORD" "$starttls_port" "set tls-ca-file=$base/tls/other.pem"
expect_refused any unknown-authority
rc submission wrong "$starttls_port" "$ca"
PASSWORD=wrong expect_refused 77 wrong-password

# --- reading ------------------------------------------------------------------
unset MAILRC
export MAILRC=/dev/null
before=$(sha256sum <"$mbox")
mailx -H -f "$mbox" >"$base/list" 2>"$base/err" || { cat "$base/err" >&2; fail "-H: exit $?"; }
[ "$(wc -l <"$base/list")" = 3 ] || { cat "$base/list" >&2; fail "-H: not three lines"; }
for subject in $subjects; do
    grep -q "$subject" "$base/list" || { cat "$base/list" >&2; fail "-H: $subject is not listed"; }
done
mailx -e -f "$mbox" || fail "-e: exit $?"
mailx -p -f "$mbox" >"$base/printed" || fail "-p: exit $?"
[ "$(grep -c 'last line' "$base/printed")" = 3 ] || { cat "$base/printed" >&2; fail "-p: not three bodies"; }
[ "$(grep -c 'caf' "$base/printed")" = 3 ] || fail "-p: bodies are not decoded"
[ "$before" = "$(sha256sum <"$mbox")" ] || fail "reading changed the mailbox"
sed 's/^/  /' "$base/list"
inside postfix stop >/dev/null 2>&1 || :
