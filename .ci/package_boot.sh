# shellcheck shell=bash
# The units under a real systemd, which is number 1 of namespaces of its own. Sourced by
# .ci/package.sh, where the root is; both packages are installed.

# Starts systemd in the root. Its cgroups are below CGROUP, which .ci/package.sh removes when all
# processes are gone; its network is only a loopback.
boot() {
    local _
    booted= init= cgroup=
    cgroup=${CGROUP:-}
    [ -n "$cgroup" ] || { why="no cgroup2 is mounted"; return 1; }
    mkdir "$cgroup" 2>/dev/null || { why="$cgroup cannot be made"; return 1; }
    rm -f "$root/usr/sbin/policy-rc.d"
    mkdir -p "$root"/dev/{pts,shm} "$root/var/log/journal"
    # What would ask for a terminal, or change the machine.
    for unit in console-getty.service getty.target apt-daily.timer apt-daily-upgrade.timer; do
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    cat >"$base/boot.sh" <<BOOT
echo \$\$ >$cgroup/cgroup.procs
exec unshare --mount --uts --ipc --cgroup --net --pid --fork --kill-child --propagation private bash -c '
    set -e
    ip link set lo up
    mount --rbind $root /mnt && cd /mnt
    umount -R proc dev run 2>/dev/null || true
    mount -t proc proc proc
    mount --bind proc/sys proc/sys && mount -o remount,bind,ro proc/sys
    mount -t tmpfs tmpfs run
    mount -t tmpfs -o mode=755 tmpfs dev
    for device in "null 1 3" "zero 1 5" "full 1 7" "urandom 1 9" "random 1 8" "tty 5 0"; do
        set -- \$device
        mknod -m 666 dev/\$1 c \$2 \$3
    done
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    mount -t tmpfs tmpfs dev/shm
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mkdir -p run/old
    pivot_root . run/old
    exec env -i container=private PATH=/usr/sbin:/usr/bin:/sbin:/bin /bin/sh -c "umount -l /run/old; exec /sbin/init"
'
BOOT
    bash "$base/boot.sh" >"$base/boot.log" 2>&1 </dev/null &
    booted=$!
    for _ in $(seq 600); do
        init=$(pgrep -x systemd -P "$(pgrep -P $booted | head -n 1)" 2>/dev/null | head -n 1 || true)
        [ -n "$init" ] || init=$(pgrep -P $booted 2>/dev/null | head -n 1 || true)
        case $(in_boot systemctl is-system-running 2>/dev/null || true) in
        running | degraded) return 0 ;;
        esac
        kill -0 $booted 2>/dev/null || break
        sleep 0.1
    done
    why="systemd does not start in namespaces: $(tail -n 1 "$base/boot.log")"
    return 1
}
in_boot() { nsenter -t "$init" -m -p -u -i -n -C -r -w /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C "$@"; }
halt() {
    kill "$booted" 2>/dev/null || true
    [ -z "${init:-}" ] || kill -9 "$init" 2>/dev/null || true
    wait "$booted" 2>/dev/null || true
}

try_systemd() {
    local status since relay
    if ! boot; then
        halt
        echo "LEFT OUT: the units under a real systemd ($why)"
        return 0
    fi
    in_boot systemctl --failed --no-legend --no-pager >"$log"
    ! grep -q postrider "$log" || fail "units have failed"
    for unit in postrider-outbox.timer postrider-outbox.path; do
        in_boot systemctl is-active --quiet $unit || fail "$unit does not run"
        in_boot systemctl is-enabled --quiet $unit || fail "$unit is not enabled"
    done
    # "static": it is there, and nothing starts it.
    [ "$(in_boot systemctl is-enabled postrider-report@x.service 2>/dev/null || true)" != enabled ] || fail "the report unit is enabled"
    ok "systemd is number 1: timer and path run"

    # Left in the drop directory: the path unit has it delivered at once.
    in_boot setpriv --reuid alice --regid alice --clear-groups env HOME=/home/alice \
        sh -c 'printf "To: alice\nSubject: by the path\n\nx\n" | /usr/sbin/sendmail -t' >"$log" 2>&1 || true
    since=$SECONDS
    arrived "$root/var/mail/alice" 'by the path' 75
    ok "mail in the drop directory: delivered after $((SECONDS - since)) s"
    [ -z "$(find "$root/var/spool/postrider/drop" -type f)" ] || fail "the drop directory is not empty"

    # A relay is down, the mail waits; the relay comes back, and the timer sends it.
    echo 'set mta=smtp://127.0.0.1:2525' >>"$root/etc/postrider.rc"
    status=0
    in_boot sh -c 'echo x | mailx -s waits ops@example.com' >"$log" 2>&1 || status=$?
    [ $status = 75 ] || fail "a relay that is down: exit $status"
    nsenter -t "$init" -n python3 -c '
import sys, time
sys.path.insert(0, ".ci")
from relay import Relay
relay = Relay(port=2525)
relay.enter("up")
while not relay.messages:
    time.sleep(0.1)
print(relay.messages[0].field("Subject"))
time.sleep(1)
' >"$base/relay.log" 2>&1 &
    relay=$!
    since=$SECONDS
    while kill -0 $relay 2>/dev/null && [ $((SECONDS - since)) -lt 150 ]; do sleep 0.2; done
    kill $relay 2>/dev/null || true
    grep -q waits "$base/relay.log" || { in_boot journalctl -u 'postrider*' --no-pager >"$log"; fail "the timer has not sent what waits: $(cat "$base/relay.log")"; }
    ok "mail in the outbox: sent by the timer $((SECONDS - since)) s after the relay came back"

    # A unit that fails is reported to root; without a relay that is root's mailbox.
    sed -i '/^set mta=/d' "$root/etc/postrider.rc"
    cat >"$root/etc/systemd/system/bad.service" <<'UNIT'
[Unit]
OnFailure=postrider-report@%n.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo out of cheese; exit 7'
UNIT
    in_boot systemctl daemon-reload
    in_boot systemctl start bad.service 2>/dev/null || true
    arrived "$root/var/mail/root" '^Subject: bad.service has failed on' 60
    grep -q 'status=7' "$root/var/mail/root" && grep -q 'out of cheese' "$root/var/mail/root" || fail "the report has no status or no output"
    ok "postrider-report@.service: the state and the log of a failed unit are in root's mailbox"
    in_boot systemctl --failed --no-legend --no-pager >"$log"
    ! grep -q postrider "$log" || fail "units have failed"
    rm "$root/etc/systemd/system/bad.service"

    in_boot env DEBIAN_FRONTEND=noninteractive apt-get -y -q purge postrider postrider-mta >"$log" 2>&1 || fail "purge under systemd: exit $?"
    in_boot systemctl list-units --all --no-legend --no-pager 'postrider*' >"$log"
    ! grep -v 'not-found' "$log" | grep -q . || fail "units are left after purge"
    ok "purge under systemd: no unit is left"
    halt
}
