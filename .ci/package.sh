#!/bin/bash
# The packages in a fresh Debian: installed, used, upgraded, beside others, removed and purged.
#
#   .ci/package.sh PROGRAM CACHE
#
# PROGRAM is what is packed; a second one, static, is taken from STATIC if that is set (then the RPM
# and the tarball are made and tried, too). CACHE is a directory in which the Debian is kept: made
# once by debootstrap (three minutes), and used as the lower directory of a private root
# (.ci/root.sh). The machine's own packages are never touched.
#
# Exit: 0 passed, 77 left out (the reason is the last line), else failed.
set -eu -o pipefail
cd "$(dirname "$0")/.."

NAME=package
HOST=pack.example.test
SUITE_LIMIT=880
# cron starts jobs at the full minute, and ours flushes at the next.
CRON_LIMIT=150
# What the rows install; they are fetched once, into the cache.
PEERS="bsd-mailx mailutils s-nail msmtp-mta postfix exim4-daemon-light"
TOOLS="systemd systemd-sysv dbus cron man-db bash-completion procps iproute2 lintian rpm"

# --- the Debian -----------------------------------------------------------------------------
# A base that is complete has the marker; another one is made anew beside it.
make_base() { # DIRECTORY
    local base=$1 codename sources package
    [ ! -e "$base/.complete" ] || return 0
    command -v debootstrap >/dev/null ||
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends debootstrap >/dev/null 2>&1 ||
        { echo "apt-get cannot install debootstrap"; exit 77; }
    # That of the machine, whose glibc the program may need.
    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME" || echo bookworm)
    mkdir -p "$(dirname "$base")"
    rm -rf "$base" "$base.new"
    echo "making a Debian ($codename) in $base"
    debootstrap --variant=minbase --include=ca-certificates "$codename" "$base.new" >"$base.log" 2>&1 ||
        { tail -n 3 "$base.log"; echo "debootstrap cannot fetch a Debian"; exit 77; }
    sources=$base.new/etc/apt/sources.list
    { cat "$sources"; echo "deb http://deb.debian.org/debian-security $codename-security main"; } >"$sources.new"
    mv "$sources.new" "$sources"
    printf '#!/bin/sh\nexit 101\n' >"$base.new/usr/sbin/policy-rc.d"
    chmod 755 "$base.new/usr/sbin/policy-rc.d"
    in_base() { chroot "$base.new" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"; }
    {
        in_base apt-get update &&
            in_base apt-get install -y -q --no-install-recommends -o Dpkg::Options::=--force-unsafe-io $TOOLS &&
            for package in $PEERS "at mdadm logwatch"; do
                in_base apt-get install -y -q --no-install-recommends --download-only $package || exit 1
            done
    } >>"$base.log" 2>&1 || { tail -n 3 "$base.log"; echo "apt-get cannot fill the Debian"; exit 77; }
    touch "$base.new/.complete"
    mv "$base.new" "$base"
}

if [ "${1:-}" != --inside ]; then
    [ $# -ge 2 ] || { echo "usage: $0 PROGRAM CACHE" >&2; exit 64; }
    [ "$(id -u)" = 0 ] || { echo "needs root: a private root with its own packages"; exit 77; }
    command -v dpkg-deb >/dev/null || { echo "needs dpkg-deb"; exit 77; }
    LOWER=$(readlink -m "$2")/debian
    make_base "$LOWER"
    PACKAGES=$(mktemp -d)
    export LOWER PACKAGES STATIC=${STATIC:-}
    # Made outside: the Debian has no Rust, of which the licences are asked.
    contrib/package.py deb --program "$1" --output "$PACKAGES" >/dev/null
    if [ -n "$STATIC" ]; then
        STATIC=$(readlink -f "$STATIC")
        contrib/package.py tar --program "$STATIC" --output "$PACKAGES" >/dev/null
        ! command -v rpmbuild >/dev/null || contrib/package.py rpm --program "$STATIC" --output "$PACKAGES" >/dev/null
    fi
    # For .ci/package_boot.sh.
    CGROUP=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1)
    [ -z "$CGROUP" ] || CGROUP=$CGROUP/postrider-package.$$
    export CGROUP
    status=0
    (. .ci/root.sh && enter_root "$@") || status=$?
    [ ! -d "$CGROUP" ] || find "$CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null || true
    rm -rf "$PACKAGES"
    exit $status
fi
. .ci/root.sh
enter_root "$@"
cp "$PACKAGES"/* "$root/root/"
log=$base/last.log

ok() { echo "  ok: $*"; }
# Runs quietly; what it printed is shown if it fails.
quiet() { "$@" >"$log" 2>&1 </dev/null || fail "exit $?: $*"; }
apt() { quiet inside DEBIAN_FRONTEND=noninteractive apt-get -y -q -o Dpkg::Options::=--force-unsafe-io "$@"; }
install() { apt install --no-install-recommends "$@"; }
ours=/root/$(cd "$PACKAGES" && echo postrider_*.deb)
mta=/root/$(cd "$PACKAGES" && echo postrider-mta_*.deb)
# The program that a name of the group is now.
is_mailx() { # NAME PROGRAM
    local real
    real=$(inside readlink -f "/usr/bin/$1" || true)
    [ "$real" = "$2" ] || fail "/usr/bin/$1 is ${real:-nothing}, and not $2"
}
is_sendmail() { # PROGRAM
    local real
    real=$(inside readlink -f /usr/sbin/sendmail || true)
    [ "$real" = "$1" ] || fail "sendmail is ${real:-nothing}, and not $1"
}
# Everything of ours is gone but what is named.
no_trace() {
    local found
    found=$(inside find / -xdev \( -path /proc -o -path /root -o -path /var/cache -o -path /var/log -o -path /var/lib/apt \) -prune -o \
        -name '*postrider*' -print)
    [ -z "$found" ] || fail "left behind: $found"
    found=$(grep -rl postrider "$root/var/lib/dpkg/alternatives" "$root/etc" || true)
    [ -z "$found" ] || fail "named in: $found"
    found=$(inside find /usr/bin /usr/sbin /usr/lib /usr/share/bash-completion /usr/share/man /usr/share/fish /usr/share/zsh \
        /etc/alternatives -xtype l \( -name '*mail*' -o -name 'Mail*' \) 2>/dev/null || true)
    [ -z "$found" ] || fail "links to nothing: $found"
}
purge() { apt purge "$@"; }

# --- a Debian without mailer ----------------------------------------------------------------
is_there() { inside dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q '^install ok installed'; }
! inside sh -c 'command -v sendmail mail mailx' || fail "the Debian has a mailer"
quiet inside dpkg -i "$ours"
for name in mail mailx Mail; do
    is_mailx $name /usr/bin/postrider
    inside $name --version >"$log" && grep -q '^postrider' "$log" || fail "$name --version"
done
ok "dpkg -i; mail, mailx and Mail answer"
for page in mail mailx Mail postrider postrider-mailrc; do
    inside man -w $page >"$log" 2>&1 || fail "man $page: nothing"
done
inside man -l --warnings /usr/share/man/man1/postrider-mailx.1.gz 2>"$log" >/dev/null && [ ! -s "$log" ] || fail "man: warnings"
quiet inside mandb -q
inside whatis mail >"$log" 2>&1 && grep -q 'mail' "$log" || fail "whatis mail: nothing"
ok "man mail, mailx, Mail, postrider, postrider-mailrc; whatis"
while read -r page name; do
    gzip -dc "$root/usr/share/man/man${page##*.}/$name.${page##*.}.gz" | cmp -s - "man/$page" || fail "$name is not man/$page"
    # Where the program has its own copies they are the same.
    if inside postrider generate man "${page%.*}" >"$log" 2>/dev/null; then
        cmp -s "$log" "man/$page" || fail "postrider generate man ${page%.*} is not man/$page"
    fi
done <<PAGES
mailx.1 postrider-mailx
postrider.1 postrider
postrider-mailrc.5 postrider-mailrc
PAGES
ok "the pages are those of the sources"

complete_mail() { # WORD
    inside bash -c '. /usr/share/bash-completion/bash_completion
        _completion_loader mail; set -- $(complete -p mail); COMP_WORDS=(mail "$0") COMP_CWORD=1
        while [ $# -gt 1 ]; do [ "$1" = -F ] && $2 mail "$0" mail; shift; done
        printf "%s\n" "${COMPREPLY[@]}"' "$1"
}
# Not by a pipe: grep leaves at the first line, and pipefail would see the writer killed.
complete_mail --att >"$log" 2>&1 || true
grep -qx -- --attach "$log" || fail "completion of mail in bash: no --attach"
for file in /usr/share/zsh/vendor-completions/_mailx /usr/share/fish/vendor_completions.d/mail.fish; do
    [ "$(inside readlink -f "$file")" != "$file" ] && inside test -s "$file" || fail "$file is not there"
done
ok "completion of mail, loaded by its name"

# Every line of the configuration is a comment, and each of them may be switched on.
! grep -q '^[^#]' "$root/etc/postrider.rc" || fail "/etc/postrider.rc is not all comments"
grep -E '^#[a-z]' "$root/etc/postrider.rc" | sed 's/^#//' | while read -r line; do
    echo "$line" >"$root/root/one.rc"
    inside sh -c 'echo x | MAILRC=/root/one.rc mailx --dry-run -n -s x root' >/dev/null 2>"$log" || fail "$line"
    ! grep -q 'one.rc' "$log" || fail "/etc/postrider.rc: $line"
done
rm "$root/root/one.rc"
ok "/etc/postrider.rc: comments, all of them valid"

# --- mail -----------------------------------------------------------------------------------
inside sh -c 'echo body | mail -s t1 root' >"$log" 2>&1 || fail "mail root: exit $?"
[ "$(inside stat -c '%a %U:%G' /var/mail/root)" = "660 root:mail" ] || fail "the mailbox is $(inside stat -c '%a %U:%G' /var/mail/root)"
inside mailx -H >"$log" && grep -q t1 "$log" && inside mailx -e || fail "mailx -H, -e"
ok "mail to root: delivered, 0660 root:mail, listed"
status=0
inside sh -c 'echo body | mail -s t2 ops@example.com' >"$log" 2>&1 || status=$?
[ $status = 69 ] && grep -q '^hint:' "$log" && grep -q t2 "$root/root/dead.letter" || fail "mail to another host: exit $status"
ok "mail to another host without an MTA: 69, kept, a hint"
quiet inside dpkg -i "$mta"
printf 'To: root\nSubject: t3\n\nx\n' | inside sendmail -t >"$log" 2>&1 || fail "sendmail -t: exit $?"
grep -q '^Subject: t3' "$root/var/mail/root" || fail "sendmail -t: not delivered"
quiet inside mailq
quiet inside newaliases
for page in sendmail mailq newaliases; do inside man -w $page >/dev/null || fail "man $page: nothing"; done
[ -x "$root/usr/lib/sendmail" ] || fail "no /usr/lib/sendmail"
found=$(for package in postrider postrider-mta; do inside dpkg -L $package; done | (cd "$root" && sed 's/^/./' | tr '\n' '\0' | xargs -0 sh -c 'find "$@" -maxdepth 0 -perm /6000 -type f' sh))
[ -z "$found" ] || fail "setuid or setgid: $found"
ok "postrider-mta: sendmail, mailq, newaliases and their pages; nothing is setuid or setgid"
# /proc is away for a moment.
umount "$root/proc"
inside sh -c 'echo body | mail -s t4 root && printf "To: root\nSubject: t5\n\nx\n" | sendmail -t' >"$log" 2>&1 || fail "without /proc: exit $?"
mount -t proc proc "$root/proc"
grep -q '^Subject: t5' "$root/var/mail/root" || fail "without /proc: not delivered"
ok "mail and sendmail without /proc"

# cron starts now, and is looked at below: its jobs take up to two minutes.
make_user alice
make_user bob
printf 'MAILTO=bob\n* * * * * echo to-bob\n' | inside crontab -u root -
printf '* * * * * echo from-alice\n' | inside crontab -u alice -
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root /usr/sbin/cron -f >"$base/cron.log" 2>&1 </dev/null &
cron=$!
cron_since=$(date +%s)

# --- what others would pull -----------------------------------------------------------------
pulled() { inside apt-get install -s "$@" 2>/dev/null | sed -n 's/^Inst \([^ ]*\).*/\1/p'; }
pulled at mdadm logwatch >"$log"
! grep -E 'exim|postfix|sendmail|msmtp|nullmailer|dma|mailx|mailutils' "$log" >"$base/mtas" || fail "at mdadm logwatch pull: $(tr '\n' ' ' <"$base/mtas")"
grep -qx logwatch "$log" || fail "logwatch cannot be installed"
ok "apt install at mdadm logwatch: $(grep -c . "$log") packages, no MTA"
pulled bsd-mailx >"$log"
! grep -q exim "$log" || fail "bsd-mailx pulls exim"
ok "apt install bsd-mailx: no exim"

# --- cron -----------------------------------------------------------------------------------
arrived "$root/var/mail/bob" to-bob $CRON_LIMIT
ok "cron, MAILTO"
arrived "$root/var/mail/alice" from-alice $CRON_LIMIT
[ "$(inside stat -c '%a %U' /var/mail/alice)" = "660 alice" ] || fail "alice's mailbox is $(inside stat -c '%a %U' /var/mail/alice)"
took=$(sed -n 's/^Date: //p' "$root/var/mail/alice" | head -n 1)
took=$(($(stat -c %Y "$root/var/mail/alice") - $(date -d "$took" +%s)))
[ $took -le 75 ] || fail "cron of a plain user: delivered after $took s"
ok "cron of a plain user: in the mailbox after $took s ($(($(date +%s) - cron_since)) s after cron's start)"
kill "$cron"
inside crontab -u root -r
inside crontab -u alice -r
# What a last job has left, behind the flush of its minute.
sleep 1
inside postrider outbox flush -q || true

# --- lintian --------------------------------------------------------------------------------
inside lintian --allow-root --tag-display-limit 0 "$ours" "$mta" >"$log" 2>&1 || true
! grep -E '^[EW]:' "$log" >"$base/lintian" || fail "lintian: $(cat "$base/lintian")"
ok "lintian: 0 E, 0 W ($(grep -c '^[^#]' contrib/deb/*.lintian | cut -d: -f2 | paste -sd+ | bc 2>/dev/null || true) overrides)"

# --- upgrade, removal, a choice -------------------------------------------------------------
newer() { # DEB: the same package, of a version 9
    local tree=$base/newer
    rm -rf "$tree"
    dpkg-deb -R "$PACKAGES/$(basename "$1")" "$tree"
    sed -i 's/^Version: .*/Version: 9.0-1/' "$tree/DEBIAN/control"
    dpkg-deb --root-owner-group -Znone --build "$tree" "$root/root/newer_$(basename "$1")" >/dev/null
    echo "/root/newer_$(basename "$1")"
}
echo '# mine' >>"$root/etc/postrider.rc"
install bsd-mailx
is_mailx mail /usr/bin/postrider
quiet inside update-alternatives --set mailx /usr/bin/bsd-mailx
is_mailx mail /usr/bin/bsd-mailx
[ ! -e "$root/usr/share/bash-completion/completions/mail" ] || fail "our completion is offered for bsd-mailx"
quiet inside dpkg -i "$(newer "$ours")" "$(newer "$mta")"
is_mailx mail /usr/bin/bsd-mailx
grep -q '^# mine' "$root/etc/postrider.rc" || fail "an upgrade has changed /etc/postrider.rc"
quiet inside update-alternatives --auto mailx
is_mailx mail /usr/bin/postrider
quiet inside dpkg --force-downgrade -i "$ours" "$mta"
is_mailx mail /usr/bin/postrider
ok "upgrade and downgrade: a manual choice and the edited configuration stay"
# apt would remove bsd-mailx with its MTA.
quiet inside dpkg --force-depends --remove postrider
is_mailx mail /usr/bin/bsd-mailx
quiet inside dpkg -i "$ours"
is_mailx mail /usr/bin/postrider
ok "remove: bsd-mailx takes over; installed again: it takes back"

# --- files of others in the way -------------------------------------------------------------
purge bsd-mailx postrider postrider-mta
echo '#!/bin/sh' >"$root/usr/bin/mailx"
quiet inside dpkg -i "$ours"
[ "$(cat "$root/usr/bin/mailx")" = '#!/bin/sh' ] || fail "a file of the administrator's was replaced"
is_mailx mail /usr/bin/postrider
purge postrider
[ "$(cat "$root/usr/bin/mailx")" = '#!/bin/sh' ] || fail "a file of the administrator's was removed"
rm "$root/usr/bin/mailx"
ok "a file of the administrator's at /usr/bin/mailx stays"

# --- purge ----------------------------------------------------------------------------------
rm -rf "$root/home/alice/.local" "$root/root/dead.letter"
no_trace
ok "purge: no trace"
install "$ours" "$mta"
# What a user has left, and nobody has sent.
inside setpriv --reuid alice --regid alice --clear-groups env -i HOME=/home/alice PATH=/usr/bin:/bin \
    sh -c 'printf "To: bob\nSubject: kept\n\nx\n" | /usr/sbin/sendmail -t' >"$log" 2>&1 || true
left=$(find "$root/var/spool/postrider/drop" -type f | wc -l)
[ "$left" = 1 ] || fail "the drop directory has $left files"
purge postrider postrider-mta
grep -q '/var/spool/postrider is kept' "$log" && grep -q "/var/spool/postrider/drop/" "$log" || fail "purge does not name the mail that stays"
[ "$(find "$root/var/spool/postrider/drop" -type f | wc -l)" = 1 ] || fail "purge has removed mail"
install "$ours"
quiet inside postrider outbox flush -q || true
rm -rf "$root/var/spool/postrider"
purge postrider
no_trace
ok "purge with mail that waits: it stays and is named"

# --- systemd --------------------------------------------------------------------------------
install "$ours" "$mta"
quiet inside systemd-analyze verify /usr/lib/systemd/system/postrider-outbox.service /usr/lib/systemd/system/postrider-outbox.timer \
    /usr/lib/systemd/system/postrider-outbox.path /usr/lib/systemd/system/postrider-report@.service \
    /usr/lib/systemd/user/postrider-outbox.service /usr/lib/systemd/user/postrider-outbox.timer
! grep -q postrider "$log" || fail "systemd-analyze verify complains"
while read -r unit limit; do
    # As tenths: 2.4 is 24.
    quiet inside systemd-analyze security --offline=yes --threshold="$limit" "/usr/lib/systemd/system/$unit"
    tail -n 1 "$log" | sed 's/^[^O]*Overall exposure level for/  ok: exposure of/; s/ [A-Z]* [^ ]*$//'
done <<LIMITS
postrider-outbox.service 25
postrider-report@.service 60
LIMITS
. .ci/package_boot.sh
rm -f "$root/var/mail/alice"
try_systemd
inside dpkg --purge postrider-mta postrider >"$log" 2>&1 || true
rm -rf "$root/var/spool/postrider" "$root/var/lib/postrider" "$root/root/dead.letter" "$root/home/alice/dead.letter"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

# --- beside others, in every order ----------------------------------------------------------
for other in bsd-mailx mailutils s-nail; do
    case $other in
    bsd-mailx) theirs=/usr/bin/bsd-mailx ;;
    mailutils) theirs=/usr/bin/mail.mailutils ;;
    s-nail) theirs= ;;
    esac
    # Their Depends: ours is the MTA.
    install "$ours" "$mta" "$other"
    is_mailx mailx /usr/bin/postrider
    purge "$other"
    is_mailx mailx /usr/bin/postrider
    install "$other"
    purge postrider-mta || true
    apt purge postrider
    if [ -n "$theirs" ] && is_there "$other"; then is_mailx mailx "$theirs"; fi
    inside dpkg --force-depends --purge "$other" >"$log" 2>&1 || true
    # The other one first.
    quiet inside sh -c "cd /var/cache/apt/archives && dpkg --force-depends -i ${other}_*.deb"
    [ -z "$theirs" ] || is_mailx mailx "$theirs"
    quiet inside dpkg -i "$ours"
    is_mailx mailx /usr/bin/postrider
    quiet inside dpkg --force-depends --purge postrider
    [ -z "$theirs" ] || is_mailx mailx "$theirs"
    quiet inside dpkg -i "$ours"
    quiet inside dpkg --force-depends --purge "$other"
    is_mailx mailx /usr/bin/postrider
    purge postrider
    apt --fix-broken install
    rm -rf "$root/var/spool/postrider" "$root/var/lib/postrider"
    no_trace
    ok "$other: before, after, and removed in either order"
done
for other in msmtp-mta postfix exim4-daemon-light; do
    case $other in
    msmtp-mta) theirs=/usr/bin/msmtp ;;
    postfix) theirs=/usr/sbin/sendmail ;;
    exim4-daemon-light) theirs=/usr/sbin/exim4 ;;
    esac
    install "$ours" "$mta"
    is_sendmail /usr/bin/postrider
    install "$other"
    ! is_there postrider-mta || fail "$other and postrider-mta are both installed"
    is_sendmail $theirs
    install "$mta"
    ! is_there "$other" || fail "$other and postrider-mta are both installed"
    is_sendmail /usr/bin/postrider
    install "$other"
    is_sendmail $theirs
    # apt has removed postrider-mta, and it has no files that a purge would find.
    purge postrider
    is_sendmail $theirs
    install "$ours" "$mta"
    purge "$other"
    is_sendmail /usr/bin/postrider
    purge postrider postrider-mta
    [ ! -e "$root/usr/sbin/sendmail" ] || fail "a sendmail is left"
    rm -rf "$root/var/spool/postrider" "$root/var/lib/postrider"
    no_trace
    ok "$other: one sendmail at a time, in every order"
done
. .ci/package_static.sh
echo "package: passed"
