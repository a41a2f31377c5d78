# shellcheck shell=bash
# A private root to try the program in, for the stages that need other programs installed and
# daemons running. To be sourced (by bash, under `set -eu -o pipefail`):
#
#   NAME=callers HOST=db1.example.test SUITE_LIMIT=400
#   . "$(dirname "$0")/root.sh"
#   enter_root "$@"             # "$@": PROGRAM; from here on we are inside
#   install_packages cron at
#
# Everything happens in private mount, UTS and PID namespaces, in an overlay over / (or over the
# directory LOWER, a Debian of its own) on a tmpfs, so the machine's own packages stay as they are. When the namespaces end, their mounts and every
# daemon in them are gone, however the script ends: there is nothing to clean up by hand.
#
# Afterwards: $program is the program, $base a directory on the tmpfs for the script's own files,
# $root the root. $log, once set, is a file whose end is shown when something fails.

left_out() { echo "$*"; exit 77; }
fail() {
    echo "$NAME: $*" >&2
    [ ! -s "${log:-}" ] || tail -n 30 "$log" >&2
    exit 1
}

# Runs the script again inside the namespaces; there it makes the root and returns.
enter_root() { # PROGRAM
    [ $# -ge 1 ] || { echo "usage: $0 PROGRAM" >&2; exit 64; }
    if [ "$1" != --inside ]; then
        [ "$(id -u)" = 0 ] || left_out "needs root: a private root with its own packages"
        command -v apt-get >/dev/null || left_out "needs apt-get"
        unshare -m true 2>/dev/null || left_out "needs a mount namespace"
        program=$(readlink -f "$1")
        [ -x "$program" ] || fail "no program at $1"
        base=$(mktemp -d)
        trap 'rmdir "$base"' EXIT
        timeout --kill-after=10 "$SUITE_LIMIT" \
            unshare --mount --uts --propagation private --pid --fork --kill-child --mount-proc \
            "$BASH" "$(readlink -f "$0")" --inside "$program" "$base"
        exit
    fi
    program=$2 base=$3
    make_root
}

make_root() {
    hostname "${HOST%%.*}"
    mount -t tmpfs -o mode=755 tmpfs "$base"
    mkdir "$base"/{upper,work,root}
    root=$base/root
    mount -t overlay overlay -o "lowerdir=${LOWER:-/},upperdir=$base/upper,workdir=$base/work" "$root" 2>/dev/null ||
        left_out "needs overlayfs"
    mount -t proc proc "$root/proc"
    # A /dev of its own: no syslog of the machine's, and devices that users may open.
    mount -t tmpfs -o mode=755 tmpfs "$root/dev"
    local device name major minor
    for device in "null 1 3" "zero 1 5" "urandom 1 9" "random 1 8" "tty 5 0"; do
        read -r name major minor <<<"$device"
        mknod -m 666 "$root/dev/$name" c "$major" "$minor"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    mount -t tmpfs -o mode=755 tmpfs "$root/run"
    mkdir -p -m 1777 "$root/run/lock"

    # No daemon is started by a package's scripts.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod 755 "$root/usr/sbin/policy-rc.d"
    printf '127.0.0.1 localhost\n127.0.1.1 %s %s\n' "$HOST" "${HOST%%.*}" >"$root/etc/hosts"
    echo "$HOST" >"$root/etc/mailname"
    rm -f "$root/etc/postrider.rc" "$root/etc/mail.rc" "$root/etc/aliases"
}

inside() { # COMMAND...: run it in the root with a plain environment
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/root "$@"
}

# Installs Debian's packages in the root and tells their versions.
install_packages() { # PACKAGE...
    apt_install "$@" ||
        { inside apt-get update >"$base/apt-update.log" 2>&1 && apt_install "$@"; } || {
        tail -n 20 "$base/apt.log" >&2
        left_out "apt-get cannot install $*"
    }
    inside dpkg-query -W -f '  ${Package} ${Version}\n' "$@"
}
apt_install() {
    inside DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-unsafe-io -o Dpkg::Options::=--force-confnew \
        -o DPkg::Lock::Timeout=120 "$@" >"$base/apt.log" 2>&1 </dev/null
}

make_user() { # NAME
    inside useradd --create-home --shell /bin/sh "$1" 2>/dev/null ||
        inside id "$1" >/dev/null || fail "cannot make the user $1"
}

arrived() { # MAILBOX TEXT SECONDS: wait until the text is in the mailbox
    local _
    for _ in $(seq $(($3 * 10))); do
        if [ -e "$1" ] && grep -q -- "$2" "$1"; then return 0; fi
        sleep 0.1
    done
    [ ! -e "$1" ] || cat "$1" >&2
    fail "no '$2' in ${1#"$root"} after $3 s"
}
