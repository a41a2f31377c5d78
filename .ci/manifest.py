#!/usr/bin/env python3
"""Holds Cargo.toml against what the sources use.

    .ci/manifest.py [SCRATCH_DIRECTORY]

- Every normal dependency is used: the library and the program are compiled as one binary crate,
  in which rustc knows of each dependency and each item whether anything takes it.
- The same compilation names dead code and re-exports that nobody takes.
- The package for the registry has every file that its sources take in.
- Every development dependency is named by a test, a bench, an example or the fuzz targets.
- Every package of the tree has a licence of the list.
- The tree has at most MAX_PACKAGES packages.

Needs cargo and the packages that a build has fetched; nothing else is asked of a network.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# Packages of `cargo tree -e normal,build`, our own included. Six of them are the HTTP client that asks for
# tokens (ureq, ureq-proto, http, httparse, bytes, utf8-zero), four search (regex, regex-automata, regex-syntax,
# aho-corasick).
MAX_PACKAGES = 121

# Whether dead code and unused re-exports fail the stage, or are only counted.
DEAD_CODE_FAILS = True

LICENCES = {
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-1-Clause", "BSD-2-Clause",
    "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "ISC", "MIT", "MIT-0", "MPL-2.0", "Unicode-3.0",
    "Unicode-DFS-2016", "Unlicense", "Zlib",
}  # fmt: skip

failures = []


def fail(text):
    failures.append(text)
    print(f"wrong: {text}")


def cargo(*arguments, cwd=ROOT, check=True):
    """Runs cargo; returns its standard output."""
    command = [os.environ.get("CARGO", "cargo"), *arguments]
    ran = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, text=True)
    if check and ran.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {ran.returncode}")
    return ran.stdout


def one_binary(manifest, scratch):
    """Writes the sources as a package of one binary crate; returns its directory."""
    package = scratch / "one-binary"
    shutil.copytree(ROOT / "src", package / "src")
    # What the program takes in as text.
    for directory in ("completions", "contrib", "man"):
        shutil.copytree(ROOT / directory, package / directory)
    shutil.copy(ROOT / "Cargo.lock", package)
    if (ROOT / "build.rs").exists():
        shutil.copy(ROOT / "build.rs", package)
    library = (package / "src/lib.rs").read_text()
    library = re.sub(r"(?m)^pub((\(crate\))?) mod ", "mod ", library)
    # In a program every public item is unreachable from outside.
    library = library.replace("warn(unreachable_pub, ", "warn(")
    # What the hidden door holds is used from outside (check_door), with all that it calls.
    library = library.replace("mod door;", "#[allow(dead_code, unused_imports)]\nmod door;")
    # Inner attributes and documents stand before everything else.
    program = (package / "src/main.rs").read_text()
    name = manifest["lib"]["name"]
    program = re.sub(rf"\b{name}::", "crate::", program)
    program = "\n".join(line for line in program.splitlines() if not line.startswith("//!"))
    (package / "src/lib.rs").unlink()
    (package / "src/main.rs").write_text(library + "\n" + program + "\n")

    text = (ROOT / "Cargo.toml").read_text()
    kept = []
    for table in re.split(r"(?m)^(?=\[)", text):
        head = table.split("\n", 1)[0]
        if re.match(r"\[(lib|dev-dependencies|lints\.)|\[\[", head):
            continue
        kept.append(table)
    kept.append('[[bin]]\nname = "postrider"\npath = "src/main.rs"\n\n')
    lints = ["dead_code", "unused_crate_dependencies", "unused_imports", "unused_macros"]
    kept.append("[lints.rust]\n" + "".join(f'{lint} = "warn"\n' for lint in lints))
    (package / "Cargo.toml").write_text("".join(kept))
    return package


def warnings_of(package):
    """Compiles a package; returns its warnings as (lint, place, message)."""
    target = json.loads(cargo("metadata", "--locked", "--no-deps", "--format-version", "1"))
    directory = target["target_directory"]
    # Offline: the packages are those of the build, and the lock file loses those of the tests only.
    output = cargo("check", "--offline", "--message-format", "json", "--target-dir", directory,
                   cwd=package, check=False)  # fmt: skip
    found = []
    finished = None
    for line in output.splitlines():
        message = json.loads(line)
        if message["reason"] == "build-finished":
            finished = message["success"]
        if message["reason"] != "compiler-message":
            continue
        if message["target"]["src_path"] != str(package / "src/main.rs"):
            continue
        message = message["message"]
        code = (message.get("code") or {}).get("code")
        spans = [span for span in message["spans"] if span["is_primary"]]
        place = f"{spans[0]['file_name']}:{spans[0]['line_start']}" if spans else ""
        if message["level"] in ("warning", "error") and (code or spans):
            found.append((code, place, message["message"]))
    if not finished:
        for _, place, text in found:
            print(f"    {place}: {text}")
        fail("the sources do not compile as one binary crate")
    return found


def check_one_binary(manifest, scratch):
    found = warnings_of(one_binary(manifest, scratch))
    dead = []
    for code, place, text in found:
        if code == "unused_crate_dependencies":
            crate = re.search(r"`([^`]*)`", text)
            fail(f"dependency not used by the sources: {crate.group(1) if crate else text}")
        else:
            dead.append(f"{place}: {text}")
    for line in sorted(dead):
        print(f"    {line}")
    if dead and DEAD_CODE_FAILS:
        fail(f"{len(dead)} warnings as one binary crate")
    elif dead:
        print(f"KNOWN: {len(dead)} warnings of dead code and unused re-exports as one binary crate")


def check_package():
    """The package for the registry has every file that its sources take in."""
    packed = set(cargo("package", "--locked", "--list", "--allow-dirty").split("\n"))
    for name in sorted(name for name in packed if re.match(r"src/.*\.rs$", name)):
        path = ROOT / name
        # The unit tests stand at the end, and are not run from the package.
        code = path.read_text().partition("#[cfg(test)]\nmod tests")[0]
        for taken in re.findall(r'\binclude(?:_str|_bytes)?!\(\s*"([^"]*)"', code):
            taken = os.path.relpath((path.parent / taken).resolve(), ROOT)
            if taken not in packed:
                fail(f"not in the package, but taken in by {name}: {taken}")


def check_door():
    """Looks for each item of the hidden door in the program, tests, benches and fuzz targets."""
    door = (ROOT / "src/door.rs").read_text()
    names = set(re.findall(r"(?m)^ *pub (?:fn|struct|enum|const|type) (\w+)", door))
    for path in re.findall(r"(?m)^pub use ([^;]*);", door):
        names.update(re.findall(r"\w+", path.rsplit("::", 1)[1]))
    paths = [ROOT / "src/main.rs"]
    for directory in ("tests", "benches", "fuzz/fuzz_targets"):
        paths += (ROOT / directory).rglob("*.rs")
    users = [path.read_text() for path in paths]
    users = "\n".join(text for text in users if "door" in text)
    for name in sorted(names):
        if not re.search(rf"\b{name}\b", users):
            fail(f"item of src/door.rs that nothing takes: {name}")


def check_development(manifest):
    """Looks for each development dependency in the tests' sources."""
    texts = []
    for directory in ("src", "tests", "benches", "examples", "fuzz/fuzz_targets"):
        texts += [path.read_text() for path in sorted((ROOT / directory).rglob("*.rs"))]
    # The line without its comment; a name in a text is no use.
    code = "\n".join(re.sub(r"//.*", "", text) for text in texts)
    for name in manifest.get("dev-dependencies", {}):
        word = name.replace("-", "_")
        if not re.search(rf"\b{word}(::|!|;)", code):
            fail(f"development dependency not used by tests, benches or examples: {name}")
    fuzz = tomllib.loads((ROOT / "fuzz/Cargo.toml").read_text())
    targets = "\n".join(path.read_text() for path in (ROOT / "fuzz/fuzz_targets").glob("*.rs"))
    # Modules that a target takes from the sources bring their own uses.
    for path in sorted(set(re.findall(r'#\[path = "(?:\.\./)+(src/[^"]*\.rs)"\]', targets))):
        targets += (ROOT / path).read_text()
    for name in fuzz["dependencies"]:
        if not re.search(rf"\b{name.replace('-', '_')}(::|!)", targets):
            fail(f"dependency not used by the fuzz targets: {name}")


def allowed(expression):
    """Returns whether an SPDX expression can be met with licences of the list."""
    words = re.findall(r"\(|\)|[^\s()/]+|/", expression.replace("/", " OR "))

    def any_of():
        result = all_of()
        while words and words[0] == "OR":
            words.pop(0)
            result = all_of() or result
        return result

    def all_of():
        result = one()
        while words and words[0] == "AND":
            words.pop(0)
            result = one() and result
        return result

    def one():
        word = words.pop(0)
        if word == "(":
            result = any_of()
            words.pop(0)
            return result
        if words and words[0] == "WITH":
            words.pop(0)
            word = f"{word} WITH {words.pop(0)}"
        return word in LICENCES

    return any_of() and not words


def check_licences():
    """Checks the licences of all packages, those of the tests too."""
    host = re.search(r"host: (\S+)", subprocess.check_output(["rustc", "-vV"], text=True)).group(1)
    metadata = json.loads(
        cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", host)
    )
    used = {node["id"] for node in metadata["resolve"]["nodes"]}
    count = 0
    for package in metadata["packages"]:
        if package["id"] not in used:
            continue
        count += 1
        licence = package.get("license")
        if not licence or not allowed(licence):
            fail(f"licence of {package['name']} {package['version']}: {licence}")
    print(f"licences of {count} packages looked at")


def check_tree():
    tree = cargo("tree", "--locked", "-e", "normal,build", "--prefix", "none", "-f", "{p}")
    packages = {" ".join(line.split()[:2]) for line in tree.splitlines() if line.strip()}
    versions = {}
    for package in packages:
        name, version = package.split()
        versions.setdefault(name, set()).add(version)
    twice = {name: sorted(found) for name, found in versions.items() if len(found) > 1}
    print(f"{len(packages)} packages of {MAX_PACKAGES}")
    for name, found in sorted(twice.items()):
        print(f"twice in the tree: {name} {' '.join(found)}")
    if len(packages) > MAX_PACKAGES:
        fail(f"{len(packages)} packages in the tree, at most {MAX_PACKAGES} are wanted")


def main():
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    check_development(manifest)
    check_package()
    check_door()
    check_licences()
    check_tree()
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        check_one_binary(manifest, Path(scratch).resolve())
    print(f"manifest: {'FAILED' if failures else 'ok'}")
    sys.exit(1 if failures else 0)


main()
