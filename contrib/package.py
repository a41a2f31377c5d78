#!/usr/bin/env python3
"""Makes the packages from contrib/packages.toml.

    contrib/package.py deb --program FILE --output DIRECTORY
    contrib/package.py rpm --program FILE --output DIRECTORY   (needs rpmbuild; Debian: rpm)
    contrib/package.py tar --program FILE --output DIRECTORY

The Debian packages take the dynamic program, the RPMs and the tarball the static one: RPMs are for
systems whose C library may be older than the builder's. contrib/release.sh builds both and calls
this.

The bytes of a package depend on its sources alone: files are root's and sorted, and all times are
SOURCE_DATE_EPOCH (if that is unset, the time of the last commit). Nothing needs root.
"""

import argparse
import datetime
import email.utils
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "ppc64le": "ppc64el", "s390x": "s390x", "riscv64": "riscv64"}


def fail(text):
    sys.exit(f"package.py: {text}")


def run(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False, **more)
    if done.returncode != 0:
        sys.stderr.buffer.write(done.stdout + done.stderr)
        fail(f"{command[0]}: exit status {done.returncode}")
    return done.stdout


def source_date():
    if "SOURCE_DATE_EPOCH" in os.environ:
        return int(os.environ["SOURCE_DATE_EPOCH"])
    return int(run(["git", "-C", ROOT, "log", "-1", "--format=%ct"]))


def minimal_glibc(program):
    """The newest version of glibc's symbols that the program asks for; None if it is static."""
    content = program.read_bytes()
    versions = re.findall(rb"\0GLIBC_(\d+\.\d+)(?:\.\d+)?(?=\0)", content)
    if b"\0GLIBC_ABI_DT_RELR\0" in content:
        versions.append(b"2.36")  # packed relocations: see build.rs
    # A static glibc has such names in it, too; only a program with an interpreter is loaded by one.
    if b"/ld-linux" not in content[:4096]:
        return None
    return max((version.decode() for version in versions), key=lambda text: [int(n) for n in text.split(".")])


class Maker:
    """The files, links and texts of one kind of package."""

    def __init__(self, kind, program):
        self.kind = kind
        self.program = program
        self.time = source_date()
        self.list = tomllib.loads((ROOT / "contrib/packages.toml").read_text())
        self.cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["package"]
        self.version = self.cargo["version"]
        self.machine = os.uname().machine
        self.directories = self.list["directories"].get(kind, self.list["directories"]["rpm"])
        self.texts = {}

    def full_version(self):
        return f"{self.version}-{self.list['revision']}"

    def summary(self, package):
        # A package's summary has no article at its start.
        text = self.list[package].get("summary", self.cargo["description"])
        return re.sub(r"^(?:An?|The) ", "", text)

    def of(self, package, key):
        """What the list has under a key, for all kinds and for this one."""
        entry = self.list[package]
        return entry.get(key, []) + entry.get(self.kind, {}).get(key, [])

    def content(self, source):
        if source in self.texts:
            return self.texts[source]
        if source == "@program":
            return self.program.read_bytes()
        if source == "@third-party":
            text = run([sys.executable, ROOT / "contrib/third_party.py", "licences"])
        elif source == "@copyright":
            # DEP-5 wants the text of the licence indented, and a dot on its empty lines.
            _, holder, words = (ROOT / "LICENSE-MIT").read_text().split("\n\n", 2)
            words = "\n".join(f" {line.strip() or '.'}" for line in words.strip().splitlines())
            text = (ROOT / "contrib/deb/copyright").read_text().replace("@MIT@", words)
            text = text.replace("@COPYRIGHT@", holder.removeprefix("Copyright (c) ")).encode()
        elif source == "@changelog":
            date = email.utils.formatdate(self.time)
            text = (
                f"postrider ({self.full_version()}) unstable; urgency=medium\n\n"
                "  * The changes are in changelog.gz, beside this file.\n\n"
                f" -- {self.list['maintainer']}  {date.replace('-0000', '+0000')}\n"
            ).encode()
        else:
            text = (ROOT / source).read_bytes()
        self.texts[source] = text
        return text

    def stage(self, package, directory):
        """Writes the files of a package below a directory."""
        for source, to in self.of(package, "files"):
            place = directory / to.format(**self.directories)
            place.parent.mkdir(parents=True, exist_ok=True)
            data = self.content(source)
            if place.suffix == ".gz":
                data = gzip.compress(data, 9, mtime=0)
            place.write_bytes(data)
            place.chmod(0o755 if source == "@program" else 0o644)
        for link, target in self.of(package, "links"):
            place = directory / link
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(target)
        for place in [directory, *directory.rglob("*")]:
            if place.is_dir() and not place.is_symlink():
                place.chmod(0o755)
            os.utime(place, (self.time, self.time), follow_symlinks=False)

    def alternatives(self, package):
        """The groups of a package: name, priority, [link, name, path] and the slaves alike."""
        for name, group in self.list["alternatives"].items():
            if group["package"] == package and self.kind in group["priority"]:
                rows = [[part.format(**self.directories) for part in row] for row in [group["link"], *group["slaves"]]]
                yield name, group["priority"][self.kind], rows[0], rows[1:]

    def install_alternatives(self, package, command):
        lines = []
        for _, priority, (link, name, path), slaves in self.alternatives(package):
            line = f"{command} --install /{link} {name} /{path} {priority}"
            for link, name, path in slaves:
                line += f" \\\n    --slave /{link} {name} /{path}"
            lines.append(line)
        return "\n".join(lines)

    def remove_alternatives(self, package, command):
        return "\n".join(
            f"{command} --remove {name} /{path}" for _, _, (_, name, path), _ in self.alternatives(package)
        )

    def script(self, package, path, command):
        text = (ROOT / path).read_text()
        text = text.replace("#INSTALL-ALTERNATIVES#", self.install_alternatives(package, command))
        return text.replace("#REMOVE-ALTERNATIVES#", self.remove_alternatives(package, command))

    def description(self, package):
        return self.list[package]["description"].strip()


def make_deb(maker, output):
    architecture = MACHINES.get(maker.machine) or fail(f"no Debian name for {maker.machine}")
    glibc = minimal_glibc(maker.program)
    for package in ("postrider", "postrider-mta"):
        entry = maker.list[package]
        with tempfile.TemporaryDirectory() as scratch:
            tree = Path(scratch) / "tree"
            tree.mkdir()
            maker.stage(package, tree)
            files = sorted(place for place in tree.rglob("*") if place.is_file() and not place.is_symlink())
            sums = "".join(
                f"{hashlib.md5(place.read_bytes()).hexdigest()}  {place.relative_to(tree)}\n" for place in files
            )
            size = sum((place.stat().st_size + 1023) // 1024 for place in files)
            size += sum(1 for place in tree.rglob("*") if place.is_dir() or place.is_symlink())
            if package == "postrider":
                depends = [f"libc6 (>= {glibc})"] if glibc else []
            else:
                depends = [f"postrider (>= {maker.version})"]
            fields = [
                ("Package", package),
                ("Version", maker.full_version()),
                ("Architecture", architecture if package == "postrider" else "all"),
                ("Maintainer", maker.list["maintainer"]),
                ("Installed-Size", str(size)),
                ("Depends", ", ".join(depends)),
                *((key.title(), ", ".join(maker.of(package, key))) for key in
                  ("recommends", "suggests", "provides", "conflicts", "replaces")),
                ("Section", entry["section"]),
                ("Priority", "optional"),
                ("Homepage", maker.cargo.get("homepage", maker.cargo.get("repository", ""))),
                ("Description", maker.summary(package) + "\n " + maker.description(package).replace("\n", "\n ")),
            ]  # fmt: skip
            control = tree / "DEBIAN"
            control.mkdir(mode=0o755)
            (control / "control").write_text("".join(f"{name}: {value}\n" for name, value in fields if value))
            (control / "md5sums").write_text(sums)
            if "conffiles" in entry:
                (control / "conffiles").write_text("".join(f"/{name}\n" for name in entry["conffiles"]))
            for script in ("preinst", "postinst", "prerm", "postrm"):
                path = f"contrib/deb/{package}.{script}"
                if (ROOT / path).exists():
                    (control / script).write_text(maker.script(package, path, "update-alternatives"))
                    (control / script).chmod(0o755)
            for place in [control, *control.iterdir()]:
                if place.suffix != "" or place.name in ("control", "md5sums", "conffiles"):
                    place.chmod(0o644)
                os.utime(place, (maker.time, maker.time))
            file = output / f"{package}_{maker.full_version()}_{fields[2][1]}.deb"
            # One thread: the number of the builder's processors would change the bytes.
            run(["dpkg-deb", "--root-owner-group", "-Zxz", "--threads-max=1", "--build", tree, file],
                env={**os.environ, "SOURCE_DATE_EPOCH": str(maker.time)})  # fmt: skip
            print(file)


def make_rpm(maker, output):
    shutil.which("rpmbuild") or fail("needs rpmbuild (Debian: apt-get install rpm)")
    if minimal_glibc(maker.program):
        fail(f"{maker.program} is not static: it would not start where glibc is older than here")
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        trees = {}
        for package in ("postrider", "postrider-mta"):
            trees[package] = scratch / "trees" / package
            trees[package].mkdir(parents=True)
            maker.stage(package, trees[package])
        spec = scratch / "postrider.spec"
        spec.write_text(rpm_spec(maker, trees))
        run(["rpmbuild", "-bb", "--quiet", "--target", f"{maker.machine}-linux",
             "--define", f"_topdir {scratch}/rpm", "--buildroot", scratch / "root", spec],
            env={**os.environ, "SOURCE_DATE_EPOCH": str(maker.time), "LC_ALL": "C"})  # fmt: skip
        for file in sorted((scratch / "rpm/RPMS").rglob("*.rpm")):
            shutil.copyfile(file, output / file.name)
            print(output / file.name)


def rpm_spec(maker, trees):
    """The text of the spec file. It compiles nothing: it packs what was staged."""

    def listed(package):
        tree = trees[package]
        conffiles = maker.list[package].get("conffiles", [])
        ours = (f"/usr/share/{maker.cargo['name']}", "/usr/share/doc/postrider", "/usr/share/licenses/postrider")
        lines = [f"%dir {place}" for place in ours if (tree / place[1:]).is_dir()]
        for place in sorted(tree.rglob("*")):
            if place.is_dir() and "/" + str(place.relative_to(tree)) == "/usr/share/postrider/completions":
                lines.append("%dir /usr/share/postrider/completions")
            if not place.is_file():
                continue
            name = str(place.relative_to(tree))
            mark = "%config(noreplace) " if name in conffiles else ""
            lines.append(f"{mark}/{name}")
        for _, _, link, slaves in maker.alternatives(package):
            lines += [f"%ghost /{row[0]}" for row in [link, *slaves]]
        return "\n".join(lines)

    def touched(package):
        """%ghost wants the file to be there while the package is built."""
        rows = [row for _, _, link, slaves in maker.alternatives(package) for row in [link, *slaves]]
        return "\n".join(f"mkdir -p %{{buildroot}}/{Path(row[0]).parent} && touch %{{buildroot}}/{row[0]}" for row in rows)

    def scripts(package, option):
        lines = []
        for section, name in (("post", "post"), ("preun", "preun"), ("postun", "postun")):
            path = f"contrib/rpm/{package}.{name}"
            if (ROOT / path).exists():
                lines.append(f"%{section} {option}\n{maker.script(package, path, 'alternatives')}")
        return "\n".join(lines)

    # Provides of other distributions' packages would be wrong words here; the paths are ghosts.
    provides = "\n".join(f"Provides: {word}" for word in maker.of("postrider-mta", "provides") if "transport" not in word)
    copies = "\n".join(f"cp -a {tree}/. %{{buildroot}}/" for tree in trees.values())
    date = datetime.datetime.fromtimestamp(maker.time, datetime.timezone.utc).strftime("%a %b %d %Y")
    return f"""%global __os_install_post %{{nil}}
%global debug_package %{{nil}}
%global _build_id_links none
%global use_source_date_epoch_as_buildtime 1
%global clamp_mtime_to_source_date_epoch 1
%global _buildhost localhost
%global _binary_payload w9.xzdio
%global _binary_filedigest_algorithm 8
Name: postrider
Version: {maker.version}
Release: {maker.list['revision']}
Summary: {maker.summary('postrider')}
License: {maker.cargo['license']}
Group: Applications/Internet
AutoReqProv: no
Provides: mailx
%description
{maker.description('postrider').replace(chr(10) + '.' + chr(10), chr(10) * 2)}
%package mta
Summary: {maker.summary('postrider-mta')}
Group: System Environment/Daemons
BuildArch: noarch
AutoReqProv: no
Requires: postrider >= {maker.version}
{provides}
%description mta
{maker.description('postrider-mta')}
%install
mkdir -p %{{buildroot}}
{copies}
{touched('postrider')}
{touched('postrider-mta')}
{scripts('postrider', '')}
{scripts('postrider-mta', 'mta')}
%files
%defattr(-,root,root,-)
{listed('postrider')}
%files mta
%defattr(-,root,root,-)
{listed('postrider-mta')}
%changelog
* {date} {maker.list['maintainer']} - {maker.full_version()}
- The changes are in CHANGELOG.md.
"""


TAR_INSTALL = """Install, as root for all users (below /usr/local) or as yourself (below ~/.local):

    ./postrider install --dry-run
    ./postrider install

The first prints what the second writes. `./postrider install --help` has the options; --mta also
installs sendmail, mailq and newaliases where no MTA is installed, and --uninstall undoes it.
The files for systemd, cron and /etc are in contrib/, and contrib/README.md tells where they go.
"""


def make_tar(maker, output):
    if minimal_glibc(maker.program):
        fail(f"{maker.program} is not static: it would not start where glibc is older than here")
    name = f"postrider-{maker.version}-{maker.machine}-linux"
    sources = ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"]
    for pattern in ("man/*.[15]", "completions/*", "contrib/README.md", "contrib/postrider.rc",
                    "contrib/cron/*", "contrib/systemd/**/*", "contrib/tmpfiles/*"):  # fmt: skip
        sources += [str(place.relative_to(ROOT)) for place in ROOT.glob(pattern) if place.is_file()]
    contents = {source: (maker.content(source), 0o644) for source in sources}
    contents["postrider"] = (maker.content("@program"), 0o755)
    contents["THIRD-PARTY"] = (maker.content("@third-party"), 0o644)
    contents["INSTALL"] = (TAR_INSTALL.encode(), 0o644)
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(contents):
            data, mode = contents[path]
            row = tarfile.TarInfo(f"{name}/{path}")
            row.size, row.mode, row.mtime = len(data), mode, maker.time
            row.uname = row.gname = "root"
            archive.addfile(row, io.BytesIO(data))
    file = output / f"{name}.tar.gz"
    file.write_bytes(gzip.compress(raw.getvalue(), 9, mtime=0))
    print(file)


def main():
    parser = argparse.ArgumentParser(description="Make the packages from contrib/packages.toml")
    parser.add_argument("kind", choices=["deb", "rpm", "tar"])
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args()
    if not os.access(options.program, os.X_OK):
        fail(f"no program at {options.program}")
    options.output.mkdir(parents=True, exist_ok=True)
    maker = Maker(options.kind, options.program)
    {"deb": make_deb, "rpm": make_rpm, "tar": make_tar}[options.kind](maker, options.output.resolve())


if __name__ == "__main__":
    main()
