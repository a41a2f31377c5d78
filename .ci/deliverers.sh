#!/bin/bash
# Real deliverers bring mail into a mailbox while the program has it open and while it rewrites it;
# s-nail and mutt edit it as well; others hold its locks. Nothing may be lost.
#
#   .ci/deliverers.sh PROGRAM [WORD...]
#
# With words only the checks that have all of them in their name are made. Everything happens in a
# private root (.ci/root.sh): Postfix is installed there; of the MTAs that conflict with it only the
# programs that deliver are unpacked. .ci/deliverers.py makes the checks.
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail

NAME=deliverers
HOST=mail.example.test
SUITE_LIMIT=900

. "$(dirname "$0")/root.sh"
if [ "${1:-}" != --inside ] && [ $# -gt 1 ]; then
    export DELIVERERS_ONLY="${*:2}"
fi
enter_root "$@"

# For mutt, which wants a terminal.
mkdir "$root/dev/pts"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"

missing=""
try_install() { # PACKAGE...: a package that cannot be had is told, and does without
    local package
    apt_install "$@" || { inside apt-get update >"$base/apt-update.log" 2>&1 && apt_install "$@"; } ||
        for package in "$@"; do
            apt_install "$package" || missing="$missing $package"
        done
}

# The program of a package that conflicts with Postfix, unpacked where the package would put it.
try_unpack() { # PACKAGE PATH...
    local package=$1 path
    shift
    # Not as the user _apt, who cannot write here.
    inside sh -c "mkdir -p /opt/unpacked && cd /opt/unpacked &&
        apt-get -q -o APT::Sandbox::User=root download $package && dpkg -x ${package}_*.deb $package" \
        >"$base/unpack.log" 2>&1 || { missing="$missing $package"; return; }
    for path in "$@"; do
        mkdir -p "$root$(dirname "$path")"
        cp -a "$root/opt/unpacked/$package$path" "$root$path"
    done
}

# Exim's package is installed for its user and its libraries; Postfix then takes its place.
try_install exim4-daemon-light
# liblockfile1 is what mail.local is linked with.
try_install postfix procmail maildrop dovecot-core liblockfile-bin liblockfile1 s-nail mutt strace
inside dpkg-query -W -f '  ${Package} ${Version}\n' postfix procmail maildrop dovecot-core \
    liblockfile-bin s-nail mutt strace 2>/dev/null || :
try_unpack exim4-daemon-light /usr/sbin/exim4
try_unpack sendmail-bin /usr/libexec/sendmail/mail.local
try_unpack opensmtpd /usr/libexec/opensmtpd/mail.local /usr/libexec/opensmtpd/lockspool
try_unpack dma /usr/sbin/dma /usr/lib/dma/dma-mbox-create
for package in $missing; do
    echo "LEFT OUT: $package cannot be installed"
done
inside sh -c 'ls /opt/unpacked/*.deb' 2>/dev/null | sed 's,.*/,  ,' || :
command -v "$root/usr/bin/strace" >/dev/null || left_out "needs strace"

install -m 755 "$program" "$root/usr/bin/postrider"
ln -sf postrider "$root/usr/bin/mailx"
install -m 644 "$(dirname "$0")"/{deliverers,mailboxes}.py "$root/opt/"

# --- configuration ---------------------------------------------------------------
echo 'set log=off' >"$root/etc/postrider.rc"

inside sh -c 'command -v postconf' >/dev/null && {
    inside postconf -e "myhostname = $HOST" "mydestination = $HOST, localhost" \
        'mailbox_command =' 'inet_interfaces = loopback-only' 'inet_protocols = ipv4' 'alias_maps =' 'alias_database =' \
        'default_transport = discard' 'mailbox_delivery_lock = fcntl, dotlock' \
        'maillog_file = /var/log/postfix.log' 'minimal_backoff_time = 3s' 'queue_run_delay = 3s'
    inside postconf -M# smtp/inet
    inside postconf -F '*/*/chroot=n'
    inside sh -c 'grep -q ^postlog /etc/postfix/master.cf ||
        echo "postlog unix-dgram n - n - 1 postlogd" >>/etc/postfix/master.cf'
    inside postfix start >"$base/start.log" 2>&1 || { cat "$base/start.log" >&2; fail "postfix does not start"; }
}

mkdir -p "$root/etc/exim4"
cat >"$root/etc/exim4/exim4.conf" <<'CONF'
primary_hostname = mail.example.test
domainlist local_domains = @
local_interfaces = 127.0.0.1
log_file_path = /var/log/exim4/%slog
keep_environment =
begin routers
local:
  driver = accept
  domains = +local_domains
  check_local_user
  transport = mbox
begin transports
mbox:
  driver = appendfile
  file = ${if exists{/home/$local_part_data/private}{/home/$local_part_data/private/mbox}{/var/mail/$local_part_data}}
  group = mail
  mode = 0660
  mode_fail_narrower = false
CONF

# dma's mail waits in its spool for a moment.
mkdir -p "$root/etc/dma" "$root/var/spool/dma"
inside chown root:mail /var/spool/dma
chmod 2775 "$root/var/spool/dma"
printf 'MAILNAME %s\n' "$HOST" >"$root/etc/dma/dma.conf"
: >"$root/etc/dma/auth.conf"

log=$base/checks.log
if [ -n "${DELIVERERS_SHELL:-}" ]; then # for people: look around in the root
    export root
    exec "$BASH" -c "$DELIVERERS_SHELL"
fi
status=0
inside "DELIVERERS_ONLY=${DELIVERERS_ONLY:-}" PYTHONDONTWRITEBYTECODE=1 \
    /usr/bin/python3 /opt/deliverers.py /usr/bin/postrider \
    ${DELIVERERS_READER:+--reader "$DELIVERERS_READER"} || status=$?
inside postfix stop >/dev/null 2>&1 || :
[ $status != 77 ] || left_out "nothing could be tried"
exit $status
