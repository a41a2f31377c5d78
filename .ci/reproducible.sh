#!/bin/bash
# The same release from two source directories and two CARGO_HOMEs, byte for byte.
#
#   .ci/reproducible.sh DIRECTORY
#
# By hand, before a release: it compiles the program four times (half an hour on two cores), too
# long for .ci/run. CARGO_PROFILE_RELEASE_LTO=false CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 is a
# faster look. What is committed is built.
#
# Exit: 0 the same, else failed.
set -eu -o pipefail
[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 64; }
mkdir -p "$1"
base=$(readlink -f "$1")
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
home=${CARGO_HOME:-$HOME/.cargo}
cargo fetch --locked --target "$(rustc -vV | sed -n 's/^host: //p')"

release() { # NAME SOURCES CARGO_HOME
    mkdir -p "$2" "$3"
    git archive HEAD | tar -x -C "$2"
    [ -e "$3/registry" ] || cp -a "$home/registry" "$3/"
    CARGO_HOME=$3 CARGO_NET_OFFLINE=true "$2/contrib/release.sh" "$base/$1"
    # Half of the disk, and nothing of it is compared.
    rm -rf "$base/$1/build"
}
release one "$base/one-sources" "$base/one-home"
release two "$base/deeper/two/sources" "$base/elsewhere/home"
diff "$base/one/SHA256SUMS" "$base/two/SHA256SUMS" || { echo "reproducible: the releases differ"; exit 1; }
echo "reproducible: $(wc -l <"$base/one/SHA256SUMS") files are the same"
