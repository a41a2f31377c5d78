#!/bin/bash
# One real MTA: Debian's Postfix takes what the program submits, in three ways,
# and its mailbox is then read by the program.
#
#   .ci/postfix.sh PROGRAM
#
# Everything happens in private mount and PID namespaces: an overlay over / on a
# tmpfs, in which apt-get installs Postfix (the machine's own MTA stays as it is).
# When the namespaces end, their mounts and every daemon in them are gone, however
# this script ends; so there is nothing to clean up by hand.
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail

HOST=mail.example.test
USER_NAME=tester
PASSWORD=s3cret
SUITE_LIMIT=600

left_out() { echo "$*"; exit 77; }
fail() { echo "postfix: $*" >&2; [ ! -s "${log:-}" ] || tail -n 30 "$log" >&2; exit 1; }

[ $# -ge 1 ] || { echo "usage: $0 PROGRAM" >&2; exit 64; }

if [ "${1:-}" != --inside ]; then
    [ "$(id -u)" = 0 ] || left_out "needs root: a private root with its own packages"
    command -v apt-get >/dev/null || left_out "needs apt-get"
    command -v openssl >/dev/null || left_out "needs openssl"
    unshare -m true 2>/dev/null || left_out "needs a mount namespace"
    program=$(readlink -f "$1")
    [ -x "$program" ] || fail "no program at $1"
    base=$(mktemp -d)
    trap 'rmdir "$base"' EXIT
    timeout --kill-after=10 $SUITE_LIMIT \
        unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
        "$BASH" "$(readlink -f "$0")" --inside "$program" "$base"
    exit
fi
program=$2 base=$3

# --- the root -----------------------------------------------------------------
mount -t tmpfs -o mode=755 tmpfs "$base"
mkdir "$base"/{upper,work,root,tls,home}
mount -t overlay overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/root" 2>/dev/null ||
    left_out "needs overlayfs"
root=$base/root
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p -m 1777 "$root/run/lock"
mkdir -p "$root/opt/under-test"
for name in postrider mailx; do
    touch "$root/opt/under-test/$name"
    mount --bind "$program" "$root/opt/under-test/$name"
done

inside() { # COMMAND...: run it in the root with a plain environment
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root "$@"
}

# No daemon is started by a package's scripts.
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
printf '127.0.0.1 localhost %s\n' "$HOST" >"$root/etc/hosts"
echo "$HOST" >"$root/etc/mailname"
rm -f "$root/etc/postrider.rc" "$root/etc/mail.rc"

packages="postfix sasl2-bin libsasl2-modules"
install_packages() {
    inside DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confnew \
        -o DPkg::Lock::Timeout=120 $packages >"$base/apt.log" 2>&1 </dev/null
}
install_packages ||
    { inside apt-get update >"$base/apt-update.log" 2>&1 && install_packages; } || {
    tail -n 20 "$base/apt.log" >&2
    left_out "apt-get cannot install $packages"
}

inside useradd --create-home --shell /bin/sh "$USER_NAME" 2>/dev/null ||
    inside id "$USER_NAME" >/dev/null || fail "cannot make the user $USER_NAME"
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
          'set log=off' "${4-}" >"$MAILRC" )
}

arrived() { # SUBJECT: waits for it in the mailbox
    for _ in $(seq 300); do
        ! grep -q "^Subject: $1\$" "$mbox" || return 0
        sleep 0.1
    done
    fail "$1: accepted, but not in the mailbox"
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
    arrived "$1"
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
arrived by-sendmail
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
