#!/usr/bin/env python3
"""Deletes, marks and delivers on a file system that is nearly full.

    .ci/full.py PROGRAM [--mailbox MIB] [--free KIB] [--ext4]

The mailbox and the place of the journal are on one file system of that much room; by default
200 MiB with 1 MiB free, on a tmpfs; with --ext4 on an ext4 in a loop device. The program must do
what it was told, or say what it left out and end with a status: what was not deleted is there,
whole, in order, and no journal or lock stays.

Exit: 0 passed, 77 left out (the reason is the last line), else failed.
"""

import argparse
import os
import pathlib
import pwd
import subprocess
import sys
import tempfile
import time

from mailboxes import Contents, mail, new_id, stored

# A Status line in each of these needs more room than is left.
SMALL = 160
BIG = 1_000_000
LIMIT = 900
problems = []


def left_out(reason):
    print(reason)
    sys.exit(77)


def enter_namespace():
    """Runs this script again where its mounts are its own."""
    if os.environ.get("FULL_INSIDE"):
        return
    if os.geteuid() != 0:
        left_out("needs root: file systems of its own")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        left_out("needs a mount namespace")
    os.environ["FULL_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
                          sys.executable, *sys.argv])


class Disk:
    """A small file system with a mailbox on it, and all of the program's own files."""

    def __init__(self, place, options):
        self.options = options
        self.mount = place / "disk"
        self.home = place / "home"
        self.home.mkdir()
        self.mount.mkdir()
        size = options.mailbox * 2**20 + 64 * 2**20
        if options.ext4:
            # For its own tables and its journal.
            size += options.mailbox * 2**20 // 16
            image = place / "image"
            image.touch()
            os.truncate(image, size)
            run_or_leave_out("mkfs.ext4", "-q", "-m", "0", "-N", "1024", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
            run_or_leave_out("mount", "-o", "loop", image, self.mount)
        else:
            run_or_leave_out("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.mount)
        self.box = self.mount / "spool" / pwd.getpwuid(os.getuid()).pw_name
        self.state = self.mount / "state"
        self.ballast = self.mount / "ballast"
        self.box.parent.mkdir()
        self.state.mkdir()
        rc = self.home / "rc"
        rc.write_text(f"set log=off\nset nooutbox\nset mta=local\nset spool={self.box.parent}\nset hostname=h.example.test\n")
        self.environment = {"HOME": str(self.home), "MAILRC": str(rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                            "XDG_STATE_HOME": str(self.state), "DEAD": str(self.home / "dead")}

    def fill(self, status, free):
        """Writes the mailbox anew and leaves only so many bytes free; returns its ids."""
        for path in (self.ballast, self.box):
            path.unlink(missing_ok=True)
        small = int(self.options.mailbox * 2**20 * 0.3 / len(stored(new_id("s0000000", SMALL))))
        ids = [new_id(f"s{n:07}", SMALL) for n in range(small // 2)]
        ids += [new_id(f"b{n:07}", BIG) for n in range(self.options.mailbox * 2**20 * 7 // 10 // BIG)]
        ids += [new_id(f"s{n:07}", SMALL) for n in range(small // 2, small)]
        self.count = len(ids)
        with self.box.open("wb", 2**20) as file:
            for id in ids:
                file.write(stored(id, status))
        self.box.chmod(0o600)
        os.sync()
        self.leave(free)
        return ids

    def free(self):
        status = os.statvfs(self.mount)
        return status.f_bavail * status.f_frsize

    def leave(self, free):
        with self.ballast.open("wb", 0) as file:
            while self.free() > free:
                try:
                    file.write(b"\0" * min(2**20, self.free() - free))
                    os.fsync(file.fileno())
                except OSError:
                    break

    def beside(self):
        return [str(path.relative_to(self.mount)) for directory in (self.box.parent, self.state)
                for path in directory.rglob("*") if path.is_file() and path != self.box]


def run_or_leave_out(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True)
    if done.returncode:
        left_out(f"{' '.join(map(str, command))}: {done.stderr.decode().strip()}")


def run(disk, program, arguments, text):
    started = time.monotonic()
    done = subprocess.run([program, *map(str, arguments)], input=text, capture_output=True,
                          env=disk.environment, timeout=LIMIT)
    return done, time.monotonic() - started


def read(disk, program, commands):
    return run(disk, program, ["mailx", "-n", "-N", "-f", disk.box], commands.encode())


def report(name, disk, done, seconds, found):
    said = done.stderr.decode("utf-8", "replace").strip().replace("\n", "; ")
    print(f"  {'WRONG' if found else 'ok'}: {name}: exit {done.returncode}, {seconds:.1f} s"
          f"{f': {said[:300]}' if said else ''}", flush=True)
    problems.extend(f"{name}: {text}" for text in found[:10])


def try_change(name, disk, program, status, commands, goes, free, must_work=True):
    """Reads with these commands; the ids that `goes` picks are to be deleted."""
    ids = disk.fill(status, free)
    gone = {id for number, id in enumerate(ids, 1) if goes(number)}
    before = disk.box.stat()
    done, seconds = read(disk, program, commands)
    contents = Contents.of(disk.box)
    kept = [id for id in ids if id not in gone]
    found = []
    if contents.ids != kept:
        if must_work:
            found.append(f"{len(set(kept) - set(contents.ids))} lost, {len(gone & set(contents.ids))} not deleted")
        elif contents.ids != ids:
            found.append(f"{len(set(kept) - set(contents.ids))} lost")
        if not done.returncode:
            found.append("exit 0, and the mailbox does not hold what it should")
    if must_work and done.returncode:
        found.append(f"exit {done.returncode}")
    if done.returncode and not done.stderr:
        found.append("not a word about the failure")
    if contents.torn:
        found.append(f"torn: {contents.torn[:3]}")
    if disk.box.exists() and disk.box.stat().st_ino != before.st_ino:
        found.append("the mailbox is another file")
    if disk.beside():
        found.append(f"left beside it: {disk.beside()}")
    unmarked = [id for id in kept if id in contents.statuses and not contents.statuses[id]]
    if status is None and unmarked and not done.stderr:
        found.append(f"{len(unmarked)} messages are not marked, and nothing was said")
    report(name, disk, done, seconds, found)


def try_append(disk, program, free):
    """Our own delivery of more than there is room for: refused, kept, and undone."""
    disk.fill("RO", free)
    before = disk.box.stat().st_size
    dead = disk.home / "dead"
    id = new_id("large", free + 500_000)
    done, seconds = run(disk, program, ["mailx", "-n", "-s", "large", disk.box.name], mail(id))
    found = []
    if not done.returncode:
        found.append("exit 0")
    if not done.stderr:
        found.append("not a word about the failure")
    if disk.box.stat().st_size != before:
        found.append("the mailbox was not cut back")
    if not dead.exists() or f"end of {id}".encode() not in dead.read_bytes():
        found.append("the text was not kept")
    if disk.beside():
        found.append(f"left beside it: {disk.beside()}")
    report("append more than there is room for", disk, done, seconds, found)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--mailbox", type=int, default=200, help="MiB")
    arguments.add_argument("--free", type=int, default=1024, help="KiB")
    arguments.add_argument("--ext4", action="store_true")
    options = arguments.parse_args()
    enter_namespace()
    program, free = options.program.resolve(), options.free * 1024
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory, prefix="full-", ignore_cleanup_errors=True) as directory:
        disk = Disk(pathlib.Path(directory), options)
        print(f"{options.mailbox} MiB, {options.free} KiB free, on {'ext4' if options.ext4 else 'tmpfs'}")
        try:
            try_change("delete the first", disk, program, "RO", "delete 1\nquit\n", lambda n: n == 1, free)
            try_change("delete the last", disk, program, "RO", "delete $\nquit\n", lambda n: n == disk.count, free)
            try_change("delete all", disk, program, "RO", "delete *\nquit\n", lambda n: True, free)
            try_change("quit after reading", disk, program, None, "quit\n", lambda n: False, free, must_work=False)
            try_change("delete the first of new mail", disk, program, None, "delete 1\nquit\n", lambda n: n == 1, free)
            try_change("delete the first, no byte free", disk, program, "RO", "delete 1\nquit\n", lambda n: n == 1,
                       0, must_work=False)
            # No journal either: the end is cut off without one.
            try_change("delete the last, no byte free", disk, program, "RO", "delete $\nquit\n",
                       lambda n: n == disk.count, 0)
            try_append(disk, program, free)
        finally:
            subprocess.run(["umount", disk.mount], check=False)
    for problem in problems:
        print(f"  {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
