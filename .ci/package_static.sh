# shellcheck shell=bash
# The RPMs and the containers, for which the program is static. Sourced by .ci/package.sh, where the
# root is; none of our Debian packages is installed.

try_rpm() {
    local package
    # What is packed, and the words that others require. POSTRIDER_BLESS pins it anew.
    for package in postrider postrider-mta; do
        echo "== $package"
        inside sh -c "cd /root && rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' $package-[0-9]*.rpm"
        inside sh -c "cd /root && rpm -qp --provides $package-[0-9]*.rpm" | sed 's/ = .*//; s/(x86-64)/(ARCH)/' | sort -u | sed 's/^/provides /'
    done >"$base/rpm.list" 2>"$log"
    if [ -n "${POSTRIDER_BLESS:-}" ]; then cp "$base/rpm.list" .ci/package.rpm.list; fi
    diff .ci/package.rpm.list "$base/rpm.list" >"$log" || fail "the RPMs have other files or provides than .ci/package.rpm.list"
    for package in postrider postrider-mta; do
        inside sh -c "cd /root && rpm -qp --scripts $package-[0-9]*.rpm" >"$base/$package.scripts" 2>/dev/null
        # A tool that takes a path for the script would pack the path.
        ! grep -q contrib/ "$base/$package.scripts" && ! grep -q '#.*ALTERNATIVES#' "$base/$package.scripts" || fail "$package: scripts"
    done
    grep -q '^alternatives --install /usr/bin/mailx mailx /usr/bin/postrider 90' "$base/postrider.scripts" &&
        grep -q 'alternatives --remove mailx /usr/bin/postrider' "$base/postrider.scripts" &&
        grep -q '^alternatives --install /usr/sbin/sendmail mta /usr/bin/postrider 20' "$base/postrider-mta.scripts" &&
        grep -q 'alternatives --remove mta /usr/bin/postrider' "$base/postrider-mta.scripts" || fail "the RPMs' scripts lack a group"
    ok "rpm: $(grep -c ' /' "$base/rpm.list") files, provides and scripts"

    # The scripts run: Debian's update-alternatives takes the command lines of Fedora's.
    ln -s update-alternatives "$root/usr/bin/alternatives"
    quiet inside sh -c 'cd /root && rpm -i --nodeps --ignorearch postrider-[0-9]*.rpm postrider-mta-[0-9]*.rpm'
    is_mailx mail /usr/bin/postrider
    is_sendmail /usr/bin/postrider
    inside sh -c 'printf "To: root\nSubject: by rpm\n\nx\n" | sendmail -t && mail -H' >"$log" 2>&1 && grep -q 'by rpm' "$log" || fail "rpm: sendmail -t"
    quiet inside rpm -e --nodeps postrider-mta postrider
    [ ! -e "$root/usr/sbin/sendmail" ] && [ ! -e "$root/usr/bin/mail" ] || fail "rpm -e leaves sendmail or mail"
    rm "$root/usr/bin/alternatives"
    rm -rf "$root/var/lib/rpm" "$root/var/lib/systemd/deb-systemd-helper-enabled"
    no_trace
    ok "rpm -i and -e: both groups of alternatives, no trace"
}

# The tarball, on a host without a package.
try_tar() {
    local name there
    quiet inside sh -c 'cd /root && tar xzf postrider-*.tar.gz && cd postrider-*/ && ./postrider --version'
    name=$(cd "$root/root" && echo postrider-*/)
    there=/root/${name%/}
    for file in INSTALL THIRD-PARTY man/mailx.1 completions/mailx.bash contrib/systemd/postrider-outbox.timer contrib/systemd/user/postrider-outbox.timer; do
        [ -s "$root$there/$file" ] || fail "the tarball lacks $file"
    done
    if inside "$there/postrider" install --help >/dev/null 2>&1; then
        local_inside() { inside PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
        quiet inside "$there/postrider" install
        local_inside mail --version >"$log" 2>&1 && grep -q '^postrider' "$log" || fail "tarball: no mail after install"
        local_inside man -w mail >/dev/null || fail "tarball: no man mail after install"
        quiet inside "$there/postrider" install --uninstall
        ! local_inside sh -c 'command -v mail' || fail "tarball: --uninstall leaves mail"
        ok "tarball: ./postrider install, and --uninstall"
    else
        echo "LEFT OUT: ./postrider install of the tarball (the program has no such subcommand yet)"
    fi
    rm -rf "${root:?}$there"
}

# A chroot with what Containerfile copies, and nothing else.
try_scratch() {
    local box=$base/box context=$base/context from to port status
    mkdir -p "$box" "$context"
    command install -m 755 "$STATIC" "$context/postrider"
    command install -m 644 "$LOWER/etc/ssl/certs/ca-certificates.crt" contrib/container/postrider.rc "$context/"
    while read -r from to; do command install -D "$context/$from" "$box$to"; done < <(sed -n 's/^COPY //p' contrib/container/Containerfile)
    while read -r to; do mkdir -p "$box$to"; done < <(sed -n 's/^VOLUME //p' contrib/container/Containerfile)
    in_box() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin $(sed -n 's/^ENV //p' contrib/container/Containerfile) chroot "$box" /usr/bin/postrider "$@"; }
    in_box --version >"$log" || fail "the static program does not start alone"
    grep -q '^postrider' "$log" || fail "--version"
    ok "the static program runs in a chroot with $(find "$box" -type f | wc -l) files: $(find "$box" -type f -printf '/%P ')"
    python3 - .ci "$base/port" "$base/taken" <<'RELAY' &
import sys, time
sys.path.insert(0, sys.argv[1])
from relay import Relay
relay = Relay()
relay.enter("up")
open(sys.argv[2] + ".new", "w").write(str(relay.port))
import os
os.rename(sys.argv[2] + ".new", sys.argv[2])
while not relay.messages:
    time.sleep(0.05)
open(sys.argv[3], "wb").write(relay.messages[0].data)
time.sleep(1)
RELAY
    relay=$!
    for _ in $(seq 200); do [ -e "$base/port" ] && break; sleep 0.1; done
    port=$(cat "$base/port")
    echo x | in_box send --set "mta=smtp://127.0.0.1:$port" --subject boxed ops@example.com >"$log" 2>&1 || fail "container: exit $?"
    wait $relay
    grep -q 'Subject: boxed' "$base/taken" || fail "container: the relay has not got the mail"
    status=0
    echo x | in_box send --set mta=smtp://127.0.0.1:1 --subject waits ops@example.com >"$log" 2>&1 || status=$?
    [ $status = 75 ] || fail "container, a relay that is down: exit $status"
    [ -n "$(grep -rl 'Subject: waits' "$box/data")" ] || fail "container: the mail is not kept in the volume"
    ok "container: sent to a relay; kept in the volume while the relay is down"
}

# The RUN lines of the Alpine file, by busybox; apk itself is not here.
try_alpine() {
    local lines
    install busybox-static
    command install -m 755 "$STATIC" "$root/usr/bin/postrider"
    mkdir -p "$root/etc/crontabs"
    lines=$(sed -e ':a' -e '/\\$/N; s/\\\n//; ta' contrib/container/Containerfile.alpine | sed -n 's/^RUN //p' | grep -v '^apk ')
    quiet inside busybox sh -e -c "$lines"
    is_sendmail /usr/bin/postrider
    is_mailx mail /usr/bin/postrider
    [ "$(stat -c %a "$root/var/spool/postrider/drop")" = 1733 ] || fail "alpine: the drop directory"
    echo "LEFT OUT: apk, and FROM alpine itself (no image can be fetched here); the other RUN lines were run by busybox"
}

if [ -n "$STATIC" ]; then
    if ls "$root"/root/*.rpm >/dev/null 2>&1; then try_rpm; else echo "LEFT OUT: the RPMs (no rpmbuild)"; fi
    try_tar
    try_scratch
    try_alpine
else
    echo "LEFT OUT: RPM, tarball and containers (no static program)"
fi
