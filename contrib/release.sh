#!/bin/bash
# Makes a release: programs, packages, checksums, licences and a bill of materials.
#
#   contrib/release.sh DIRECTORY
#
# Needs Rust, a C compiler, libc6-dev, python3, dpkg-deb and rpmbuild; no network once the packages
# of Cargo.lock are fetched. DIRECTORY/build has what cargo compiles; the rest of it is the release:
#
#   dynamic/postrider, static/postrider     the two programs
#   *.deb                                   with the dynamic one, for this Debian and newer ones
#   *.rpm, *.tar.gz                         with the static one, for every glibc and none
#   THIRD-PARTY, postrider.cdx.json         licences and a CycloneDX list of what is compiled in
#   SHA256SUMS                              of all these
#
# The same sources and the same rustc make the same bytes, wherever the sources, CARGO_HOME,
# RUSTUP_HOME and DIRECTORY are: no path of the builder is in a program. .ci/reproducible.sh shows
# it. SOURCE_DATE_EPOCH is the time of the last commit if it is not set.
set -eu -o pipefail

[ $# = 1 ] || { echo "usage: $0 DIRECTORY" >&2; exit 64; }
mkdir -p "$1"
out=$(readlink -f "$1")
cd "$(dirname "$0")/.."
source=$PWD
left_out=0
left_out() { echo "LEFT OUT: $*" >&2; left_out=1; }

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
    [ -z "$(git status --porcelain)" ] || echo "warning: the sources are not those of a commit" >&2
fi
export SOURCE_DATE_EPOCH LC_ALL=C TZ=UTC0

target=$(rustc -vV | sed -n 's/^host: //p')
hash=$(rustc -vV | sed -n 's/^commit-hash: //p')
home=$(readlink -f "${CARGO_HOME:-$HOME/.cargo}")

# Compiles a program. Where the component rust-src is installed, rustc would name its directory, so
# that gets the name that the standard library has elsewhere. A path that is inside of another one
# comes later: the last one that fits is taken.
compile() { # NAME FLAG...
    local name=$1 build=$out/build/$1 from to remap=() prefix=()
    shift
    while read -r from to; do
        remap+=("--remap-path-prefix=$from=$to")
        prefix+=("-ffile-prefix-map=$from=$to")
    done <<PATHS
$source /postrider
$home /cargo
$build /build
$(rustc --print sysroot)/lib/rustlib/src/rust /rustc/$hash
PATHS
    # Encoded, so that a directory may have a space in its name.
    CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${remap[@]}" "$@" | sed 's/\x1f$//') CFLAGS="${prefix[*]}" \
        cargo build --release --locked --target "$target" --target-dir "$build"
    install -D -m 755 "$build/$target/release/postrider" "$out/$name/postrider"
    for from in "$source" "$home" "$out" "$(rustc --print sysroot)" "$HOME/.cargo" "$HOME/.rustup"; do
        if grep -aqF "$from" "$out/$name/postrider"; then
            echo "release.sh: $out/$name/postrider names a path of the builder: $from" >&2
            exit 1
        fi
    done
}
compile dynamic
compile static -Ctarget-feature=+crt-static

rm -f "$out"/*.deb "$out"/*.rpm "$out"/*.tar.gz
contrib/third_party.py licences >"$out/THIRD-PARTY"
contrib/third_party.py sbom >"$out/postrider.cdx.json"
contrib/package.py deb --program "$out/dynamic/postrider" --output "$out"
contrib/package.py tar --program "$out/static/postrider" --output "$out"
if command -v rpmbuild >/dev/null; then
    contrib/package.py rpm --program "$out/static/postrider" --output "$out"
else
    left_out "the RPMs: needs rpmbuild (Debian: apt-get install rpm)"
fi

# What is known against a version that is locked. Both need a database that they fetch.
for tool in deny audit; do
    case $tool in
    deny) check="cargo deny --locked check advisories bans sources" ;;
    audit) check="cargo audit" ;;
    esac
    if ! command -v cargo-$tool >/dev/null; then
        left_out "cargo $tool is not installed (cargo install cargo-$tool --locked)"
    elif ! $check >"$out/build/$tool.log" 2>&1; then
        if grep -qiE 'fetch|network|resolve host|couldn.t connect|advisory database' "$out/build/$tool.log"; then
            left_out "cargo $tool cannot fetch its database: $(tail -n 1 "$out/build/$tool.log")"
        else
            cat "$out/build/$tool.log" >&2
            exit 1
        fi
    fi
done

(cd "$out" && find . -path ./build -prune -o -type f ! -name SHA256SUMS -printf '%P\n' | sort | xargs sha256sum >SHA256SUMS)
cat "$out/SHA256SUMS"
[ $left_out = 0 ] || echo "release.sh: not everything was done: see LEFT OUT above" >&2
