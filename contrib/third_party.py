#!/usr/bin/env python3
"""Lists what is compiled into the program: its licences, or a bill of materials.

    contrib/third_party.py licences    the texts of all licences, for a package
    contrib/third_party.py sbom        a CycloneDX 1.5 document, for scanners

Both are made from what cargo says of this platform: the packages that the program is built from,
without those of tests. The texts come from the packages' own directories.
"""

import json
import os
import subprocess
import sys
import tomllib
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("LICENSE", "LICENCE", "COPYING", "COPYRIGHT", "NOTICE", "UNLICENSE")


def cargo(*arguments):
    command = [os.environ.get("CARGO", "cargo"), *arguments]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"third_party.py: {' '.join(command)}: exit status {done.returncode}")
    return done.stdout


def host():
    text = subprocess.run([os.environ.get("RUSTC", "rustc"), "-vV"], capture_output=True, text=True, check=True).stdout
    return next(line.split()[1] for line in text.splitlines() if line.startswith("host:"))


def packages():
    """Returns our package, and the others that are compiled for the program, by name and version."""
    # Without a platform cargo would fetch what only other systems need.
    data = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--filter-platform", host()))
    # `cargo metadata` has the features that tests switch on, and their packages; the tree has not.
    tree = cargo("tree", "--locked", "--edges", "normal", "--prefix", "none", "--format", "{p}")
    names = {tuple(line.split()[:2]) for line in tree.splitlines() if line.strip()}
    found = [package for package in data["packages"] if (package["name"], "v" + package["version"]) in names]
    others = [package for package in found if package["id"] != data["resolve"]["root"]]
    if len(others) + 1 != len(names):
        sys.exit("third_party.py: cargo's tree and metadata name different packages")
    ours = next(package for package in found if package["id"] == data["resolve"]["root"])
    return ours, sorted(others, key=lambda package: (package["name"], package["version"]))


def texts_of(package):
    directory = Path(package["manifest_path"]).parent
    files = [place for place in sorted(directory.iterdir()) if place.is_file() and place.name.upper().startswith(NAMES)]
    if (directory / "LICENSES").is_dir():
        files += sorted((directory / "LICENSES").iterdir())
    return [place.read_text(errors="replace").replace("\r\n", "\n").strip() + "\n" for place in files]


def licences():
    """Each text once, with the packages that carry it."""
    _, others = packages()
    carriers = {}
    without = []
    print("Postrider is compiled with these packages of the Rust registry:\n")
    for package in others:
        print(f"    {package['name']} {package['version']}: {package['license']}")
        texts = texts_of(package)
        if not texts:
            without.append(package)
        for text in texts:
            carriers.setdefault(text, []).append(f"{package['name']} {package['version']}")
    for package in without:
        authors = ", ".join(package["authors"]) or "its authors"
        print(f"\n{package['name']} {package['version']} has no file of its licence. It is by {authors}: {package['license']}.")
    for text, names in sorted(carriers.items(), key=lambda row: row[1]):
        print("\n" + "-" * 78)
        print("\n".join(names) + "\n")
        print(text, end="")


def sbom():
    ours, others = packages()
    with open(ROOT / "Cargo.lock", "rb") as file:
        sums = {(row["name"], row["version"]): row.get("checksum") for row in tomllib.load(file)["package"]}

    def component(package, kind):
        row = {
            "type": kind,
            "bom-ref": f"pkg:cargo/{package['name']}@{package['version']}",
            "name": package["name"],
            "version": package["version"],
            "purl": f"pkg:cargo/{package['name']}@{package['version']}",
            # "MIT/Apache-2.0" is an older way to write "OR".
            "licenses": [{"expression": (package["license"] or "NOASSERTION").replace("/", " OR ")}],
        }
        if sums.get((package["name"], package["version"])):
            row["hashes"] = [{"alg": "SHA-256", "content": sums[package["name"], package["version"]]}]
        return row

    components = [component(package, "library") for package in others]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(components, sort_keys=True))
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": component(ours, "application")},
        "components": components,
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    if sys.argv[1:] == ["licences"]:
        licences()
    elif sys.argv[1:] == ["sbom"]:
        sbom()
    else:
        sys.exit("usage: contrib/third_party.py licences|sbom")
