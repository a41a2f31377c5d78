#!/usr/bin/env python3
"""What an installation costs: packages pulled, their size, the start of the program.

    benches/installed.py DEBIAN DEB...

DEBIAN is a directory with a Debian, such as the one that .ci/package.sh keeps (target/ci/debian), DEB
our two packages. Nothing is installed in it: apt simulates, and programs are unpacked beside it. The
starts alternate, so that a busy machine changes the milliseconds and hardly the ratios. Needs root.
"""

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROUNDS = 200
SETS = {
    "postrider + postrider-mta": None,
    "bsd-mailx + exim4": ["bsd-mailx", "exim4-daemon-light"],
    "bsd-mailx + msmtp-mta": ["bsd-mailx", "msmtp-mta"],
    "msmtp-mta": ["msmtp-mta"],
    "s-nail": ["s-nail"],
}
STARTS = {
    "postrider": ("/usr/bin/postrider", ["mailx", "--version"]),
    "bsd-mailx": ("/usr/bin/bsd-mailx", ["bsd-mailx", "-E"]),
    "exim4": ("/usr/sbin/exim4", ["exim4", "-bV"]),
    "msmtp": ("/usr/bin/msmtp", ["msmtp", "--version"]),
    "s-nail": ("/usr/bin/s-nail", ["s-nail", "--version"]),
}


def inside(root, *command):
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}
    return subprocess.run(["chroot", root, *command], env=environment, capture_output=True, text=True, check=True).stdout


def pulled(root, packages):
    """The packages that apt would install with its defaults, and their installed KiB."""
    lines = inside(root, "apt-get", "install", "-s", *packages).splitlines()
    names = [line.split()[1] for line in lines if line.startswith("Inst ") and "[" not in line.split("(")[0]]
    size = 0
    for name in names:
        if name.startswith("postrider"):
            continue
        row = inside(root, "apt-cache", "show", "--no-all-versions", name)
        size += next(int(line.split()[1]) for line in row.splitlines() if line.startswith("Installed-Size:"))
    return names, size


def main():
    debian, debs = Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]
    if os.geteuid() != 0 or len(debs) != 2:
        sys.exit(__doc__)
    # In a mount namespace of its own: what is mounted is gone at the end.
    if "UNSHARED" not in os.environ:
        command = ["unshare", "--mount", "--propagation", "private", sys.executable, *sys.argv]
        os.execvpe("unshare", command, {**os.environ, "UNSHARED": "1"})
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", scratch], check=True)
        root = Path(scratch) / "root"
        for name in ("root", "upper", "work"):
            (Path(scratch) / name).mkdir()
        layers = f"lowerdir={debian.resolve()},upperdir={scratch}/upper,workdir={scratch}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, root], check=True)
        for deb in debs:
            shutil.copy(deb, root)
        sizes = {deb: int(subprocess.run(["dpkg-deb", "-f", deb, "Installed-Size"], capture_output=True, text=True,
                                         check=True).stdout) for deb in debs}  # fmt: skip
        print("| installed | packages | MB | names |\n|---|---|---|---|")
        for name, packages in SETS.items():
            names, size = pulled(root, packages or [f"/{deb.name}" for deb in debs])
            size += sum(sizes.values()) if packages is None else 0
            print(f"| {name} | {len(names)} | {size * 1024 / 1e6:.1f} | {', '.join(names)} |")

        for deb in debs:
            subprocess.run(["dpkg-deb", "-x", deb, root], check=True)
        for archive in sorted((root / "var/cache/apt/archives").glob("*.deb")):
            if archive.name.startswith(("bsd-mailx_", "exim4", "msmtp_", "s-nail_", "lib")):
                subprocess.run(["dpkg-deb", "-x", archive, root], check=True)
        inside(root, "ldconfig")
        times = {name: [] for name in STARTS}
        for _ in range(ROUNDS):
            for name, (program, command) in STARTS.items():
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                child = os.fork()
                if child == 0:
                    os.chroot(root)
                    os.chdir("/")
                    null = os.open("/dev/null", os.O_RDWR)
                    for descriptor in (0, 1, 2):
                        os.dup2(null, descriptor)
                    os.execve(program, command, {"PATH": "/usr/bin:/bin", "LC_ALL": "C"})
                os.waitpid(child, 0)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                times[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        print("\n| start | CPU ms | ours / it |\n|---|---|---|")
        ours = statistics.median(times["postrider"])
        for name, found in times.items():
            median = statistics.median(found)
            print(f"| {name} | {median * 1000:.2f} | {ours / median:.2f} |")
        subprocess.run(["umount", "-l", root], check=True)
        subprocess.run(["umount", "-l", scratch], check=True)


if __name__ == "__main__":
    main()
