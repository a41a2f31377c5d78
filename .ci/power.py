#!/usr/bin/env python3
"""Cuts the power at every moment of a change, and starts the program on each disk that may be left.

    .ci/power.py PROGRAM [--all] [--only WORD]... [--ext4|--strict] [--must-fail]

RECORD: a scenario is run once under strace, and every call that changes the disk is written down
with its bytes; so are the syncs, and the end, when the change is acknowledged.

ENUMERATE: a cut can be anywhere. What it leaves follows from what was synced, by one of two rules:

    ext4      Names, lengths, owners and modes become durable in the order in which they were changed:
              some first part of them. A sync makes durable what was changed before the file was.
    strict    What POSIX says and no more: a sync of a file covers the file and not its name. Each
              name that was added or removed is there or not, in each directory, until that is synced.

    Both      Pages of 4 KiB are written at any time, or not at all: each has any content that it had
              since its file was synced. A new page is zeros; a file may have become longer without
              its bytes. A file that is cut has zeros from its new end to the end of the page, on the
              disk too, before the disk knows its new length.

REPLAY: each such disk is made anew in memory (the same inode numbers, times of before this boot,
another boot id) and given to the next start:

    1. A reader that writes nothing sees the old messages or the new ones; the new ones if the change
       was acknowledged before the cut.
    2. An open that may write, and then a delivery, are held up by nothing. They leave what the reader
       saw, byte for byte, and the mail that was delivered behind it. Nothing is twice, nothing torn.
       A piece of mail that was not acknowledged may be in the file before that delivery, if our readers
       leave it out; not after it.

A recovery is cut as well: it is recorded, from some of the disks, and must end as it was to end.

Without --all each scenario gets so many disks by each rule, chosen by a fixed seed, or all of them.
--must-fail leaves out one sync after the other, and passes when that is noticed in each scenario.
--without-locks leaves dot-locks out of the disks. --only takes a scenario's name, or a part of some.

Some scenarios run on a real ext4 in a loop device as well, whose image is copied after each call;
--real runs these alone.

Exit: 0 passed, 77 left out (the reason is the last line), else failed.
"""

import argparse
import collections
import ctypes
import dataclasses
import functools
import hashlib
import itertools
import json
import os
import pathlib
import pickle
import pwd
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time

import mailboxes
from mailboxes import Contents, body_of, mail, new_id, stored
from relay import Relay

# The same few messages are looked for on each disk.
mailboxes.body_of = functools.lru_cache(256)(mailboxes.body_of)

PAGE = 4096
WORKERS = 2
LIMIT = 60
SEED = 9

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWTIME = 0x20000, 0x80
MS_RDONLY, MS_BIND, MS_REC, MS_PRIVATE, MNT_DETACH = 1, 4096, 16384, 1 << 18, 2
# Where users leave mail for root; there is no setting for it. It is the directory `postrider` of a disk.
DROP_PLACE = "/var/spool/postrider"
BOOT_ID = "/proc/sys/kernel/random/boot_id"


def left_out(reason):
    print(reason)
    sys.exit(77)


# --- a disk in memory ------------------------------------------------------------------------


@dataclasses.dataclass
class Node:
    """A file or a directory; `names` only in the latter."""

    mode: int
    uid: int = 0
    gid: int = 0
    data: bytes = b""
    names: dict = None

    def copy(self):
        return Node(self.mode, self.uid, self.gid, self.data, None if self.names is None else dict(self.names))


class Disk:
    """All nodes by inode number; the root is number 1, as on a tmpfs that was just made."""

    def __init__(self):
        self.nodes = {1: Node(0o755, names={})}
        self.next = 2

    def copy(self):
        other = Disk()
        other.nodes = {ino: node.copy() for ino, node in self.nodes.items()}
        other.next = self.next
        return other

    def add(self, node):
        ino, self.next = self.next, self.next + 1
        self.nodes[ino] = node
        return ino

    def find(self, path):
        """Returns the directory, the name and the inode number (or None) of a path without links."""
        directory, ino, name = None, 1, ""
        for name in pathlib.PurePosixPath(path).parts:
            directory = ino
            node = self.nodes.get(ino) if ino else None
            if node is None or node.names is None:
                return None, name, None
            ino = node.names.get(name)
        return directory, name, ino

    def put(self, path, data, mode=0o600, uid=0, gid=0):
        """Makes a file, or a directory if there are no data."""
        directory, name, ino = self.find(path)
        node = Node(mode, uid, gid, names={}) if data is None else Node(mode, uid, gid, data)
        self.nodes[directory].names[name] = self.add(node)

    def read(self, path):
        ino = self.find(path)[2]
        return self.nodes[ino].data if ino else None

    def walk(self, ino=1, prefix=""):
        """Returns (path, inode number) of all that has a name."""
        for name, child in sorted(self.nodes[ino].names.items()):
            yield prefix + name, child
            if self.nodes[child].names is not None:
                yield from self.walk(child, f"{prefix}{name}/")

    def unlock(self):
        for node in self.nodes.values():
            for name in [name for name in node.names or () if re.search(r"\.lock(\.[0-9a-f]+)?$", name)]:
                del node.names[name]
        there = visible({ino: node.names for ino, node in self.nodes.items() if node.names is not None})
        self.nodes = {ino: node for ino, node in self.nodes.items() if ino in there or ino == 1}

    def __str__(self):
        return ", ".join(f"{path} {len(self.nodes[ino].data)}" for path, ino in self.walk()
                         if self.nodes[ino].names is None)

    def digest(self):
        hasher = hashlib.blake2b(digest_size=16)
        for path, ino in self.walk():
            node = self.nodes[ino]
            hasher.update(f"{path}\0{ino} {node.mode:o} {node.uid} {node.gid} {len(node.data)}\0".encode())
            hasher.update(node.data)
        return hasher.digest()


def splice(data, at, new):
    """Returns data with other bytes at a place, with zeros before it if it was too short."""
    return data[:at].ljust(at, b"\0") + new + data[at + len(new):]


# An operation is a tuple: its name, and then
#     create INO DIRECTORY NAME NODE      link INO DIRECTORY NAME      unlink INO DIRECTORY NAME
#     rename INO DIRECTORY NAME DIRECTORY NAME                         (a create without a name: None)
#     exchange INO DIRECTORY NAME DIRECTORY NAME OTHER_INO
#     write INO PLACE BYTES               truncate INO LENGTH          grow INO LENGTH
#     mode INO MODE                       owner INO UID GID            sync INO, or None for everything
def apply(disk, op):
    what, ino, *rest = op
    node = disk.nodes.get(ino)
    if what == "create":
        directory, name, new = rest
        disk.nodes[ino] = new.copy()
        if name is not None:
            disk.nodes[directory].names[name] = ino
    elif what == "link":
        disk.nodes[rest[0]].names[rest[1]] = ino
    elif what == "unlink":
        disk.nodes[rest[0]].names.pop(rest[1], None)
    elif what == "rename":
        disk.nodes[rest[0]].names.pop(rest[1], None)
        disk.nodes[rest[2]].names[rest[3]] = ino
    elif what == "exchange":
        disk.nodes[rest[0]].names[rest[1]], disk.nodes[rest[2]].names[rest[3]] = rest[4], ino
    elif what == "write":
        node.data = splice(node.data, *rest)
    elif what == "truncate":
        node.data = node.data[:rest[0]].ljust(rest[0], b"\0")
    elif what == "grow":
        node.data = node.data.ljust(rest[0], b"\0")
    elif what == "mode":
        node.mode = rest[0]
    elif what == "owner":
        node.uid, node.gid = rest


# --- recording ---------------------------------------------------------------------------------


# Calls that may name our files and change nothing that a power cut could take (times are none of it).
HARMLESS = """
    access chdir execve faccessat faccessat2 fadvise64 fchdir fgetxattr flistxattr flock fsetxattr fstat fstatfs
    getcwd getdents64 getxattr inotify_add_watch ioctl lgetxattr listxattr llistxattr lstat mmap newfstatat pread64
    preadv preadv2 poll ppoll readahead readlink readlinkat stat statfs statx sync_file_range utime utimensat utimes
""".split()


class Open:
    """An open file as the kernel has it: shared by copies of its descriptor."""

    def __init__(self, ino, is_appending):
        self.ino, self.is_appending, self.place = ino, is_appending, 0


class Recorder:
    """Makes operations from what strace has written; keeps a disk in step with them."""

    def __init__(self, root, disk, uid):
        self.root, self.disk, self.uid = root, disk.copy(), uid
        # As strace writes it.
        self.hex = "".join(f"\\x{byte:02x}" for byte in os.fsencode(root))
        self.ops, self.texts = [], []
        self.tables = {}

    def read(self, log):
        unfinished = {}
        for line in log.read_text(errors="replace").splitlines():
            pid, _, text = line.partition(" ")
            text = text.strip()
            if text.endswith("<unfinished ...>"):
                unfinished[pid] = text[:-len("<unfinished ...>")]
                # Before it ends another thread may have got the number again.
                if begun := re.match(r"close\((.*?)\)? *$", unfinished[pid]):
                    self.call(pid, "close", [begun[1]], 0)
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>", text)
            if resumed:
                text = unfinished.pop(pid) + text[resumed.end():]
                if text.startswith("close("):
                    continue
            call = re.match(r"(\w+)\((.*)\) += (-?\d+|0x[0-9a-f]+)(.*)$", text, re.S)
            if call:
                result = int(call[3], 0)
                if result >= 0:
                    self.call(pid, call[1], arguments_of(call[2]), result)

    def add(self, text, *op):
        self.ops.append(op)
        self.texts.append(text)
        apply(self.disk, op)

    def table(self, pid):
        return self.tables.setdefault(pid, {})

    def place(self, at, path):
        """Returns where a path leads: directory, name, inode number; None if it is not of our disk."""
        path = os.path.normpath(os.path.join(text_of(at), text_of(path)))
        if path == DROP_PLACE or path.startswith(DROP_PLACE + "/"):
            if self.disk.find("postrider")[2] is None:
                return None
            path = f"{self.root}/postrider{path[len(DROP_PLACE):]}"
        if path == self.root:
            return None, "", 1
        if not path.startswith(self.root + "/"):
            return None
        return self.disk.find(path[len(self.root) + 1:])

    def call(self, pid, name, given, result):
        table = self.table(pid)
        known = getattr(self, f"on_{name}", None)
        if known:
            known(table, given, result)
        elif name in ("clone", "clone3", "vfork", "fork"):
            flags = " ".join(given)
            self.tables[str(result)] = table if "CLONE_FILES" in flags else dict(table)
        elif name not in HARMLESS and any(self.hex in argument for argument in given):
            raise SystemExit(f"a call that is not known here: {name}({', '.join(given)[:200]})")

    def opened(self, table, given):
        number = re.match(r"\d+", given)
        return table.get(int(number[0])) if number else None

    # Descriptors.

    def on_openat(self, table, given, result):
        found = self.place(given[0], given[1])
        table.pop(result, None)
        if found is None:
            return
        directory, name, ino = found
        flags, label = given[2].split("|"), f"open {name}"
        mode = int(given[3], 8) if len(given) > 3 else 0
        if "O_TMPFILE" in flags or "__O_TMPFILE" in flags:
            ino = self.create(label, None, None, Node(mode & ~UMASK, self.uid, self.uid))
        elif ino is None and "O_CREAT" in flags:
            ino = self.create(label, directory, name, Node(mode & ~UMASK, self.uid, self.uid))
        elif "O_TRUNC" in flags:
            self.add(label, "truncate", ino, 0)
        table[result] = Open(ino, "O_APPEND" in flags)

    def on_openat2(self, table, given, result):
        flags = re.search(r"flags=([A-Z_|]+)", ", ".join(given[2:]))
        self.on_openat(table, [*given[:2], flags[1]], result)

    def create(self, label, directory, name, node):
        ino = self.disk.next
        self.disk.next += 1
        self.add(f"create {name or 'a file without a name'}" if label.startswith("open") else label,
                 "create", ino, directory, name, node)
        return ino

    def on_open(self, table, given, result):
        self.on_openat(table, ["AT_FDCWD<>", *given], result)

    def on_creat(self, table, given, result):
        self.on_openat(table, ["AT_FDCWD<>", given[0], "O_CREAT|O_TRUNC", given[1]], result)

    def on_close(self, table, given, _):
        table.pop(int(re.match(r"\d+", given[0])[0]), None)

    def on_dup(self, table, given, result):
        opened = self.opened(table, given[0])
        table.pop(result, None)
        if opened:
            table[result] = opened

    on_dup2 = on_dup3 = on_dup

    def on_fcntl(self, table, given, result):
        if given[1].startswith("F_DUPFD"):
            self.on_dup(table, given, result)
        elif given[1] == "F_SETFL" and self.opened(table, given[0]):
            self.opened(table, given[0]).is_appending = "O_APPEND" in given[2]

    def on_lseek(self, table, given, result):
        if opened := self.opened(table, given[0]):
            opened.place = result

    def on_read(self, table, given, result):
        if opened := self.opened(table, given[0]):
            opened.place += result

    on_readv = on_read

    # Bytes.

    def write(self, opened, data, place=None):
        at = place
        if opened.is_appending:
            at = len(self.disk.nodes[opened.ino].data)
        elif at is None:
            at = opened.place
        if place is None:
            opened.place = at + len(data)
        self.add(f"write {len(data)} bytes at {at}", "write", opened.ino, at, data)

    def on_write(self, table, given, result):
        if opened := self.opened(table, given[0]):
            self.write(opened, bytes_of(given[1])[:result])

    def on_writev(self, table, given, result):
        if opened := self.opened(table, given[0]):
            self.write(opened, vector_of(given[1])[:result])

    def on_pwrite64(self, table, given, result):
        if opened := self.opened(table, given[0]):
            self.write(opened, bytes_of(given[1])[:result], int(given[3]))

    def on_pwritev(self, table, given, result):
        if opened := self.opened(table, given[0]):
            self.write(opened, vector_of(given[1])[:result], int(given[3]))

    on_pwritev2 = on_pwritev

    def on_copy_file_range(self, table, given, result):
        self.copied(table, given[0], given[1], given[2], given[3], result)

    def on_sendfile(self, table, given, result):
        self.copied(table, given[1], given[2], given[0], "NULL", result)

    def copied(self, table, source, source_place, target, target_place, count):
        source, target = self.opened(table, source), self.opened(table, target)
        at = None if source_place == "NULL" else int(re.search(r"\d+", source_place)[0])
        if source and at is None:
            at, source.place = source.place, source.place + count
        if not target:
            return
        if not source:
            raise SystemExit("bytes were copied from a file that is not on the disk")
        data = self.disk.nodes[source.ino].data[at:at + count]
        self.write(target, data, None if target_place == "NULL" else int(re.search(r"\d+", target_place)[0]))

    def on_splice(self, table, given, _):
        if self.opened(table, given[2]):
            raise SystemExit("splice into a file is not known here")

    def on_ftruncate(self, table, given, _):
        if opened := self.opened(table, given[0]):
            self.add(f"cut to {given[1]}", "truncate", opened.ino, int(given[1]))

    def on_truncate(self, table, given, _):
        if found := self.place("<>", given[0]):
            self.add(f"cut to {given[1]}", "truncate", found[2], int(given[1]))

    def on_fallocate(self, table, given, _):
        opened = self.opened(table, given[0])
        if opened and given[1] == "0":
            self.add("allocate", "grow", opened.ino, int(given[2]) + int(given[3]))
        elif opened and "KEEP_SIZE" not in given[1] or "PUNCH" in given[1]:
            raise SystemExit(f"fallocate with {given[1]} is not known here")

    # Names.

    def on_mkdirat(self, table, given, _):
        if found := self.place(given[0], given[1]):
            self.create(f"mkdir {found[1]}", found[0], found[1], Node(int(given[2], 8) & ~UMASK, self.uid, self.uid, names={}))

    def on_mkdir(self, table, given, result):
        self.on_mkdirat(table, ["AT_FDCWD<>", *given], result)

    def on_unlinkat(self, table, given, _):
        if found := self.place(given[0], given[1]):
            self.add(f"unlink {found[1]}", "unlink", found[2], found[0], found[1])

    def on_unlink(self, table, given, result):
        self.on_unlinkat(table, ["AT_FDCWD<>", *given], result)

    on_rmdir = on_unlink

    def on_renameat2(self, table, given, _):
        old, new = self.place(given[0], given[1]), self.place(given[2], given[3])
        if old and new and len(given) > 4 and "EXCHANGE" in given[4]:
            self.add(f"exchange {old[1]} and {new[1]}", "exchange", old[2], old[0], old[1], new[0], new[1], new[2])
            return
        if (old is None) != (new is None):
            raise SystemExit(f"a rename that is not known here: {[text_of(word) or word for word in given]}")
        if old and old[2] != new[2]:
            self.add(f"rename {old[1]} to {new[1]}", "rename", old[2], old[0], old[1], new[0], new[1])

    on_renameat = on_renameat2

    def on_rename(self, table, given, result):
        self.on_renameat2(table, ["AT_FDCWD<>", given[0], "AT_FDCWD<>", given[1]], result)

    def on_linkat(self, table, given, _):
        new = self.place(given[2], given[3])
        if new is None:
            return
        number = re.fullmatch(r"/proc/(?:self|\d+)/fd/(\d+)", text_of(given[1]))
        if number:
            ino = table[int(number[1])].ino
        elif text_of(given[1]) == "":
            ino = self.opened(table, given[0]).ino
        else:
            ino = self.place(given[0], given[1])[2]
        self.add(f"link {new[1]}", "link", ino, new[0], new[1])

    def on_link(self, table, given, result):
        self.on_linkat(table, ["AT_FDCWD<>", given[0], "AT_FDCWD<>", given[1]], result)

    def on_symlink(self, *_):
        raise SystemExit("symbolic links are not known here")

    on_symlinkat = on_mknod = on_mknodat = on_symlink

    # Attributes.

    def on_fchmod(self, table, given, _):
        if opened := self.opened(table, given[0]):
            self.add(f"mode {given[1]}", "mode", opened.ino, int(given[1], 8))

    def on_fchmodat(self, table, given, _):
        if found := self.place(given[0], given[1]):
            self.add(f"mode {given[2]}", "mode", found[2], int(given[2], 8))

    def on_chmod(self, table, given, result):
        self.on_fchmodat(table, ["AT_FDCWD<>", *given], result)

    def owner(self, ino, uid, gid):
        node = self.disk.nodes[ino]
        uid, gid = (old if number == "-1" else int(number) for old, number in ((node.uid, uid), (node.gid, gid)))
        self.add(f"owner {uid}:{gid}", "owner", ino, uid, gid)

    def on_fchown(self, table, given, _):
        if opened := self.opened(table, given[0]):
            self.owner(opened.ino, given[1], given[2])

    def on_fchownat(self, table, given, _):
        number = re.match(r"\d+", given[0])
        if text_of(given[1]) == "" and number and int(number[0]) in table:
            self.owner(table[int(number[0])].ino, given[2], given[3])
        elif found := self.place(given[0], given[1]):
            self.owner(found[2], given[2], given[3])

    def on_chown(self, table, given, result):
        self.on_fchownat(table, ["AT_FDCWD<>", *given], result)

    on_lchown = on_chown

    # Syncs.

    def on_fsync(self, table, given, _):
        if opened := self.opened(table, given[0]):
            path = next((path for path, ino in self.disk.walk() if ino == opened.ino), "/")
            self.add(f"sync {path}", "sync", opened.ino)

    on_fdatasync = on_fsync

    def on_syncfs(self, *_):
        self.add("sync everything", "sync", None)

    on_sync = on_syncfs


UMASK = 0o022


def arguments_of(text):
    """Splits what is between the parentheses of a call; strings are in hexadecimal."""
    found, depth, start = [], 0, 0
    is_string = False
    for place, letter in enumerate(text):
        if letter == '"':
            is_string = not is_string
        elif is_string:
            continue
        elif letter in "[{<(":
            depth += 1
        elif letter in "]}>)":
            depth -= 1
        elif letter == "," and depth == 0:
            found.append(text[start:place].strip())
            start = place + 1
    return [*found, text[start:].strip()]


def bytes_of(argument):
    return bytes.fromhex("".join(re.findall(r'"([^"]*)"', argument)).replace("\\x", ""))


def vector_of(argument):
    return b"".join(bytes_of(part) for part in re.findall(r'iov_base=("[^"]*")', argument))


def text_of(argument):
    """Returns the path of a string, or that of a descriptor."""
    if argument.startswith('"'):
        return os.fsdecode(bytes_of(argument))
    found = re.search(r"<([^>]*)>", argument)
    return os.fsdecode(bytes.fromhex(found[1].replace("\\x", ""))) if found and "\\x" in found[1] else ""


# --- what a cut may leave ----------------------------------------------------------------------


class History:
    """All that a file's bytes and length were since it was synced."""

    def __init__(self, node, at):
        self.node = node
        # (operation, length): what the length was from this operation on.
        self.lengths = [(at, len(node.data))]
        # (operation, first page that went): after it these pages are others.
        self.cuts = []
        # (page, how often it was cut off): [(operation, bytes)].
        self.pages = {}
        for number in range(-(-len(node.data) // PAGE)):
            self.pages[number, 0] = [(at, page_of(node.data, number))]
        # Modes and owners.
        self.attributes = [(at, (node.mode, node.uid, node.gid))]
        self.is_dirty = False

    def generation(self, page, at):
        return sum(1 for op, first in self.cuts if op <= at and first <= page)

    def changed(self, at, numbers, data):
        for number in numbers:
            key = number, self.generation(number, at)
            versions = self.pages.setdefault(key, [(at, bytes(PAGE))])
            new = page_of(data, number)
            if versions[-1][1] != new:
                versions.append((at, new))

    def note(self, at, op, data):
        """Takes in an operation; `data` are the bytes after it."""
        what, _, *rest = op
        before = self.lengths[-1][1]
        if what == "write":
            end = rest[0] + len(rest[1])
            self.changed(at, range(rest[0] // PAGE, -(-end // PAGE)), data)
            if end > before:
                self.is_dirty = True
                # It may get longer page by page.
                self.lengths += [(at, length) for length in range(before // PAGE * PAGE + PAGE, end, PAGE)]
                self.lengths.append((at, end))
        elif what == "truncate":
            if rest[0] < before:
                self.cuts.append((at, -(-rest[0] // PAGE)))
                if rest[0] % PAGE:
                    self.changed(at, [rest[0] // PAGE], data)
            self.lengths.append((at, rest[0]))
        elif what == "grow" and rest[0] > before:
            self.lengths.append((at, rest[0]))
        elif what in ("mode", "owner"):
            mode, uid, gid = self.attributes[-1][1]
            self.attributes.append((at, (rest[0], uid, gid) if what == "mode" else (mode, *rest)))

    def sync(self):
        at = self.lengths[-1][0]
        self.lengths = self.lengths[-1:]
        self.attributes = self.attributes[-1:]
        now = {key: versions[-1:] for key, versions in self.pages.items() if key[1] == self.generation(key[0], at)}
        self.pages = now
        self.is_dirty = False

    def choices(self, up_to):
        """Returns [(length, [versions of each page])] and the attributes that may be on the disk.

        `up_to`: names, cuts and attributes up to this operation are durable and no others; None:
        any of them.
        """
        lengths, attributes = self.lengths, self.attributes
        if up_to is not None:
            cut = max((op for op, _ in self.cuts if op <= up_to), default=-1)
            lengths = [pair for pair in lengths if cut <= pair[0] <= up_to] or lengths[:1]
            attributes = [[pair for pair in attributes if pair[0] <= up_to][-1]]
        found, seen = [], set()
        for op, length in lengths:
            generations = tuple(self.generation(number, op) for number in range(-(-length // PAGE)))
            if (length, generations) in seen:
                continue
            seen.add((length, generations))
            found.append((length, [
                [data for _, data in self.pages.get((number, generation), [(0, bytes(PAGE))])]
                for number, generation in enumerate(generations)]))
        return found, sorted({pair[1] for pair in attributes})


def page_of(data, number):
    return data[number * PAGE:(number + 1) * PAGE].ljust(PAGE, b"\0")


class Cut:
    """All disks that a cut of the power at one moment may leave, by one of the rules."""

    def __init__(self, rule, disk, ops, files, durable, names, is_end):
        self.rule, self.disk, self.ops, self.is_end = rule, disk, ops, is_end
        self.files = files
        # By ext4's rule: so many operations are durable at least.
        self.durable = durable
        # By the strict rule: directory: (names that are durable, [changes that are not]).
        self.names = names

    def trees(self, rng, most):
        """Returns the names that may be there: (directories, up to which operation), and if that is all."""
        if self.rule == "ext4":
            seen, found = set(), []
            for up_to in range(self.durable, len(self.ops) + 1):
                if up_to > self.durable and self.ops[up_to - 1][0] in ("write", "sync", "grow"):
                    # That changes no names; but with it a file may have become longer.
                    if self.ops[up_to - 1][0] == "sync":
                        continue
                names = {ino: dict(node.names) for ino, node in self.disk.nodes.items() if node.names is not None}
                for op in self.ops[:up_to]:
                    change_names(names, op)
                found.append((names, up_to - 1))
            return found, True
        axes = [(ino, index) for ino, (_, changes) in self.names.items() for index in range(len(changes))]
        is_all = 2 ** len(axes) <= most
        if is_all:
            chosen = itertools.product((False, True), repeat=len(axes))
        else:
            # None, all, all but one, only one; the rest by chance.
            chosen = [[False] * len(axes), [True] * len(axes)]
            for index in range(len(axes)):
                for usual in (False, True):
                    chosen.append([usual != (index == other) for other in range(len(axes))])
            chosen += [[rng.random() < 0.5 for _ in axes] for _ in range(most)]
        found = []
        for there in chosen:
            names = {ino: dict(base) for ino, (base, _) in self.names.items()}
            for (ino, index), is_there in zip(axes, there):
                if is_there:
                    for name, child in self.names[ino][1][index]:
                        if child is None:
                            names[ino].pop(name, None)
                        else:
                            names[ino][name] = child
            found.append((names, None))
        return found, is_all

    def disks(self, rng, most, share):
        """Returns disks, and if these are all: so many at most are made one by one; of more some, by chance."""
        trees, is_all = self.trees(rng, most)
        kinds = []
        for names, up_to in trees:
            files = sorted({ino for ino in visible(names) if ino in self.files})
            choices = {ino: self.files[ino].choices(up_to) for ino in files}
            count = 1
            for lengths, attributes in choices.values():
                count *= len(attributes) * sum(product(len(versions) for versions in pages) for _, pages in lengths)
            kinds.append((names, choices, count))
        total = sum(count for *_, count in kinds)
        if total <= most:
            for names, choices, _ in kinds:
                for picked in itertools.product(*(every(choice) for choice in choices.values())):
                    yield self.made(names, dict(zip(choices, picked)))
            return is_all
        # Everything old, everything new, and the two ends of each file by themselves; then by chance.
        ends = [(names, choices, usual) for names, choices, _ in kinds for usual in (first, last)]
        for names, choices, usual in ends if len(ends) <= share else rng.sample(ends, share):
            yield self.made(names, {ino: usual(choice) for ino, choice in choices.items()})
        for _ in range(share):
            names, choices, count = rng.choice(kinds)
            style = rng.random()
            pick = first if style < 0.1 else last if style < 0.3 else None
            picked = {ino: (pick or chance)(choice) if pick and rng.random() < 0.6 else chance(choice, rng)
                      for ino, choice in choices.items()}
            yield self.made(names, picked)
        return False

    def made(self, names, picked):
        disk = Disk()
        disk.nodes = {}
        for ino in sorted(visible(names) | {1}):
            if ino in names:
                node = self.disk_node(ino)
                disk.nodes[ino] = Node(node.mode, node.uid, node.gid, names=names[ino])
            else:
                data, (mode, uid, gid) = picked[ino]
                disk.nodes[ino] = Node(mode, uid, gid, data)
        disk.next = max(self.disk.next, max(disk.nodes) + 1)
        return disk

    def disk_node(self, ino):
        return self.directories[ino]


def first(choice, rng=None):
    (length, pages), attribute = choice[0][0], choice[1][0]
    return b"".join(versions[0] for versions in pages)[:length], attribute


def last(choice, rng=None):
    (length, pages), attribute = choice[0][-1], choice[1][-1]
    return b"".join(versions[-1] for versions in pages)[:length], attribute


def chance(choice, rng):
    length, pages = rng.choice(choice[0])
    style = rng.random()
    if style < 0.3:
        # A first part of the pages is new, or old.
        edge, flip = rng.randrange(len(pages) + 1), rng.random() < 0.5
        data = [versions[-1 if (number < edge) != flip else 0] for number, versions in enumerate(pages)]
    else:
        data = [rng.choice(versions) for versions in pages]
    return b"".join(data)[:length], rng.choice(choice[1])


def every(choice):
    for length, pages in choice[0]:
        for data in itertools.product(*pages):
            for attribute in choice[1]:
                yield b"".join(data)[:length], attribute


def product(numbers):
    result = 1
    for number in numbers:
        result *= number
    return result


def visible(names):
    """Returns the inode numbers that can be reached."""
    found, todo = set(), [1]
    while todo:
        ino = todo.pop()
        for child in names.get(ino, {}).values():
            if child not in found:
                found.add(child)
                if child in names:
                    todo.append(child)
    return found


def name_changes(op):
    """Returns (directory, name, inode number or None) for each name that an operation changes."""
    what, ino, *rest = op
    if what in ("create", "link") and rest[1] is not None:
        return [(rest[0], rest[1], ino)]
    if what == "unlink":
        return [(rest[0], rest[1], None)]
    if what == "rename":
        return [(rest[0], rest[1], None), (rest[2], rest[3], ino)]
    if what == "exchange":
        return [(rest[0], rest[1], rest[4]), (rest[2], rest[3], ino)]
    return []


def change_names(names, op):
    if op[0] == "create" and op[4].names is not None:
        names[op[1]] = {}
    for directory, name, ino in name_changes(op):
        if ino is None:
            names[directory].pop(name, None)
        else:
            names[directory][name] = ino


def cuts_of(rule, disk, ops):
    """Returns the moments at which a cut may leave most: just before each sync, and the end.

    What may be left by a cut between two syncs may be left by one just before the later one.
    """
    files = {ino: History(node, -1) for ino, node in disk.nodes.items() if node.names is None}
    directories = {ino: node.copy() for ino, node in disk.nodes.items() if node.names is not None}
    names = {ino: (dict(node.names), []) for ino, node in directories.items()}
    # The last operation that changed what is known of an inode beside its bytes.
    touched = collections.defaultdict(lambda: -1)
    now, durable, found = disk.copy(), 0, []

    def cut(at, is_end):
        made = Cut(rule, disk, ops[:at], pickle.loads(pickle.dumps(files)), durable,
                   pickle.loads(pickle.dumps(names)), is_end)
        made.directories = {ino: node.copy() for ino, node in directories.items()}
        found.append(made)

    for at, op in enumerate(ops):
        what, ino = op[:2]
        if what == "sync":
            cut(at, False)
            for synced in ([ino] if ino is not None else [*files, *names]):
                if synced in files:
                    last_change = at if files[synced].is_dirty else touched[synced]
                    files[synced].sync()
                else:
                    last_change = touched[synced]
                    base, changes = names[synced]
                    for change in changes:
                        for name, child in change:
                            if child is None:
                                base.pop(name, None)
                            else:
                                base[name] = child
                    names[synced] = (base, [])
                durable = max(durable, last_change + 1)
            if ino is None:
                durable = at + 1
            continue
        apply(now, op)
        if what == "create":
            if op[4].names is None:
                files[ino] = History(op[4], at)
            else:
                directories[ino] = op[4].copy()
                names[ino] = ({}, [])
        elif ino in files:
            files[ino].note(at, op, now.nodes[ino].data)
        elif what in ("mode", "owner"):
            directories[ino].mode, directories[ino].uid, directories[ino].gid = (
                now.nodes[ino].mode, now.nodes[ino].uid, now.nodes[ino].gid)
        if what != "write":
            touched[ino] = at
        by_directory = collections.defaultdict(list)
        for directory, name, child in name_changes(op):
            by_directory[directory].append((name, child))
            touched[directory] = at
        for directory, change in by_directory.items():
            names[directory][1].append(change)
    cut(len(ops), True)
    return found


# --- a place to run it in ------------------------------------------------------------------------


def check(result):
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


# How long a machine seems to be up when its next start is tried: a lock of before is younger than
# any age by which it could be judged.
UPTIME = 10


class World:
    """A mount point for disks, and what the program needs beside it, which no cut touches."""

    def __init__(self, program, base):
        self.program, self.base = program, base
        self.place = base / "disk"
        self.place.mkdir()
        self.rc = base / "rc"
        self.configure("mta=local", "nooutbox")
        self.source = base / "source"
        self.environment = {
            "HOME": f"{self.place}/home", "MAILRC": str(self.rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin", "TZ": "UTC",
            "MAIL": f"{self.place}/spool/root", "MBOX": f"{self.place}/home/mbox",
            "XDG_STATE_HOME": f"{self.place}/state", "TMPDIR": str(base), "DEAD": f"{self.place}/home/dead"}

    def configure(self, *settings):
        common = ("log=off", f"spool={self.place}/spool", "hostname=h.example.test", "lock-timeout=1")
        self.rc.write_text("".join(f"set {setting}\n" for setting in (*common, *settings)))
        self.rc.chmod(0o644)

    def use_relay(self, phase):
        """Gives this process a relay of its own, and the program the way there."""
        if phase == "none":
            # Only that the outbox is not switched off.
            self.rc = self.base / f"rc-{os.getpid()}"
            self.configure("mta=local")
            self.environment = self.environment | {"MAILRC": str(self.rc)}
            return
        self.relay = Relay()
        self.relay.enter(phase)
        self.rc = self.base / f"rc-{os.getpid()}"
        self.configure(f"mta=smtp://127.0.0.1:{self.relay.port}", "from=sender@example.test", f"outbox={self.place}/outbox")
        self.environment = self.environment | {"MAILRC": str(self.rc)}

    def enter(self, boot_id=None):
        """Gives this process mounts of its own, and a machine that was just started."""
        has_clock = libc.unshare(CLONE_NEWNS | CLONE_NEWTIME) == 0
        if has_clock:
            now = time.clock_gettime(time.CLOCK_BOOTTIME)
            pathlib.Path("/proc/self/timens_offsets").write_text(f"boottime {int(UPTIME - now)} 0\n")
        else:
            check(libc.unshare(CLONE_NEWNS))
        check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None))
        # What the program keeps there would not be seen to be lost.
        for place in (b"/var/tmp", b"/var/lib"):
            check(libc.mount(b"tmpfs", place, b"tmpfs", MS_RDONLY, None))
        check(libc.mount(b"tmpfs", b"/var/spool", b"tmpfs", 0, b"mode=755"))
        os.mkdir(DROP_PLACE)
        self.booted = time.time() - UPTIME if has_clock else time.time()
        if boot_id:
            file = self.base / "boot_id"
            file.write_text(boot_id + "\n")
            check(libc.mount(os.fsencode(file), BOOT_ID.encode(), None, MS_BIND, None))

    def mount(self, disk, size="64m"):
        """Makes a disk, with its inode numbers, as it was before this start."""
        check(libc.mount(b"tmpfs", os.fsencode(self.place), b"tmpfs", 0, f"mode=755,size={size},inode64".encode()))
        place, following = str(self.place), 2
        for ino in sorted({ino for _, ino in disk.walk()}):
            while following < ino:
                os.close(os.open(place, os.O_TMPFILE | os.O_RDWR))
                following += 1
            node, path = disk.nodes[ino], f"{place}/.{ino}"
            if node.names is not None:
                os.mkdir(path)
            else:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                os.write(descriptor, node.data)
                if os.fstat(descriptor).st_ino != ino:
                    raise SystemExit("inode numbers are not given one after the other here")
                os.close(descriptor)
            following += 1
        # Those without names keep their numbers from being given again.
        for _ in range(following, disk.next):
            os.close(os.open(place, os.O_TMPFILE | os.O_RDWR))
        known = set()
        for name, ino in disk.walk():
            path = f"{place}/{name}"
            if ino in known:
                os.link(paths[ino], path)
                continue
            os.rename(f"{place}/.{ino}", path)
            known.add(ino)
            paths = getattr(self, "paths", {})
            paths[ino] = path
            self.paths = paths
        before = self.booted - 60
        for ino in known:
            node, path = disk.nodes[ino], self.paths[ino]
            os.chown(path, node.uid, node.gid)
            os.chmod(path, node.mode)
            os.utime(path, (before, before))
        if os.path.isdir(f"{place}/postrider"):
            check(libc.mount(os.fsencode(f"{place}/postrider"), DROP_PLACE.encode(), None, MS_BIND, None))

    def unmount(self):
        if os.path.ismount(DROP_PLACE):
            check(libc.umount2(DROP_PLACE.encode(), MNT_DETACH))
        check(libc.umount2(os.fsencode(self.place), MNT_DETACH))

    def files(self):
        """Returns what is on the disk, by path: (inode number, mode, owner, group, bytes or None)."""
        found, todo = {}, [""]
        while todo:
            directory = todo.pop()
            for entry in os.scandir(f"{self.place}/{directory}"):
                path, status = f"{directory}{entry.name}", entry.stat(follow_symlinks=False)
                data = None
                if stat.S_ISDIR(status.st_mode):
                    todo.append(path + "/")
                else:
                    data = pathlib.Path(entry.path).read_bytes()
                found[path] = (status.st_ino, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid, data)
        return found

    def run(self, arguments, text="", uid=0, tracer=()):
        extra = {"user": uid, "group": uid, "extra_groups": []} if uid else {}
        return subprocess.run([*tracer, str(self.program), *arguments], input=text.encode(), capture_output=True,
                              env=self.environment, cwd=self.base, timeout=LIMIT, **extra)


def files_of(disk):
    return {path: (ino, (node := disk.nodes[ino]).mode, node.uid, node.gid, node.data if node.names is None else None)
            for path, ino in disk.walk()}


def disk_of(files):
    """Returns a disk with these files, whatever their inode numbers were."""
    made = Disk()
    for path in sorted(files):
        _, mode, uid, gid, data = files[path]
        made.put(path, data, mode, uid, gid)
    return made


def record(world, disk, scenario):
    """Runs a scenario on a disk; returns the operations, their texts, the disk afterwards and the result."""
    world.mount(disk, scenario.size)
    log = world.base / "trace"
    log.touch()
    log.chmod(0o666)
    try:
        done = world.run(scenario.arguments(world), scenario.text(world), scenario.uid,
                         ["strace", "-f", "-y", "-xx", "-s", "100000000", "-qq", "-e", "trace=!none",
                          "-e", "signal=none", "-o", str(log)])
        recorder = Recorder(str(world.place), disk, scenario.uid)
        recorder.read(log)
        seen, known = world.files(), files_of(recorder.disk)
        if seen != known:
            for path in sorted(set(seen) | set(known)):
                if seen.get(path) != known.get(path):
                    print(f"  {path}: {str(seen.get(path))[:150]}\n  not {str(known.get(path))[:150]}")
            raise SystemExit(f"{scenario.name}: the recording is not what was done")
    finally:
        world.unmount()
    return recorder.ops, recorder.texts, recorder.disk, done


# --- scenarios -------------------------------------------------------------------------------------


class Scenario:
    """A disk, what is done to it, and the mailboxes that are looked at."""

    def __init__(self, name, files, command, boxes, statuses=(0,), uid=0, keeps=None, fresh=(), size="64m",
                 phase=None, waiting=(), rules=("ext4", "strict")):
        self.rules = rules
        # What the relay does, if there is one, and which mail waits in the outbox.
        self.phase, self.waiting = phase, waiting
        self.name, self.given, self.command, self.boxes = name, files, command, boxes
        # What was made just before by somebody else, who synced nothing.
        self.fresh = fresh
        self.statuses, self.uid, self.size = statuses, uid, size
        # Returns why these states of the mailboxes must not be together.
        self.keeps = keeps or (lambda _: None)

    def disk(self):
        disk = Disk()
        for path, content in self.given.items():
            data, mode, owner = content if isinstance(content, tuple) else (content, 0o755 if content is None else 0o600, 0)
            disk.put(path, data, mode, owner, owner)
        return disk

    def fill(self, world):
        """Has the program make the entries that wait."""
        if not self.waiting:
            return

        def work(_):
            world.enter(BOOT_IDS[0])
            world.use_relay("refused")
            world.mount(self.disk())
            for id in self.waiting:
                done = send_by_relay(world, id)
                if done.returncode != 75:
                    raise SystemExit(f"{self.name}: exit {done.returncode} of a relay that is down: {said(done)}")
            # They are due.
            world.run(["outbox", "retry", *re.findall(r'"id":"([^"]+)"', world.run(["outbox", "list", "--json"]).stdout.decode())])
            return {path: file for path, file in world.files().items() if "/routes" not in path}

        for path, (_, mode, uid, _, data) in in_children(world, work, [None])[0].items():
            if path.startswith("outbox"):
                self.given[path] = (data, mode, uid)

    def split(self, disk):
        """Returns the disk without what is fresh, and how it was made."""
        disk, ops = disk.copy(), []
        for path in self.fresh:
            directory, name, ino = disk.find(path)
            ops.append(("create", ino, directory, name, disk.nodes.pop(ino)))
            del disk.nodes[directory].names[name]
        return disk, ops

    def arguments(self, world):
        return [word.replace("DISK", str(world.place)) for word in self.command[0]]

    def text(self, world):
        return self.command[1].replace("DISK", str(world.place))


@dataclasses.dataclass
class Box:
    """A mailbox of a scenario: how it was, how it will be, and how mail gets there."""

    path: str
    # Where a delivery goes; None: it is copied there.
    user: str = None
    # Who reads it and delivers to it.
    uid: int = 0

    def full(self, world):
        return f"{world.place}/{self.path}"

    def view(self, world):
        """Returns what a reader shows: a line a message."""
        done = world.run(["list", "--json", "--file", self.full(world)], uid=self.uid)
        if b"No such file" in done.stderr:
            return []
        if done.returncode not in (0, 1):
            return [f"exit {done.returncode}: {done.stderr.decode(errors='replace')[:300]}"]
        lines = []
        for line in done.stdout.splitlines():
            message = json.loads(line)
            message.pop("number")
            lines.append(json.dumps(message, sort_keys=True))
        return lines

    def open(self, world):
        """Opens it as a reader that may write; returns what went wrong."""
        done = world.run(["mailx", "-n", "-N", "-f", self.full(world)], "exit\n", self.uid)
        if done.returncode and not re.search(rb"No mail in|No such file", done.stderr):
            return f"refused: the next open: exit {done.returncode}: {said(done)}"
        return None

    def add(self, world, id):
        if self.user:
            done = world.run(["sendmail", "-i", self.user], mail(id).decode(), self.uid)
        else:
            source = world.base / f"source-{os.getpid()}"  # The judges work side by side.
            source.write_bytes(stored(id))
            done = world.run(["mailx", "-n", "-N", "-f", str(source)], f"copy 1 {self.full(world)}\nexit\n")
        if done.returncode:
            return f"refused: the next delivery: exit {done.returncode}: {said(done)}"
        return None


def said(done):
    return done.stderr.decode(errors="replace").strip().replace("\n", "; ")[:300]


class Mbox(Box):
    """One file: it is the old one or the new one."""

    def states(self, disk):
        return disk.read(self.path) or b""

    def state(self, view, views):
        """Returns which states a reader sees; some: of several messages that are added the first ones."""
        old, new = views["old"], views["new"]
        is_some = view[:len(old)] == old and view == new[:len(view)]
        return [name for name, lines in views.items() if view == lines] or (["some"] if is_some else [])

    def left(self, world, states, id):
        """Returns which states it is in after a delivery, and what is wrong if it is in none."""
        path = self.place(world)
        data = path.read_bytes() if path.exists() else b""
        found = []
        seen, (old, new) = Contents(data), (states[name] for name in ("old", "new"))
        if (data.startswith(old) and not seen.torn and b"\0" not in data and seen.ids[-1:] == [id]
                and seen.ids[:-1] == Contents(new).ids[:len(seen.ids) - 1]):
            found.append("some")
        for name, base in states.items():
            rest = Contents(data[len(base):])
            if data.startswith(base) and rest.ids == [id] and not rest.torn and b"\0" not in data[len(base):]:
                found.insert(0, name)
        return found, None if found else self.wrong(data, states, id)

    def place(self, world):
        return pathlib.Path(self.full(world))

    def wrong(self, data, states, id):
        seen = Contents(data)
        kinds = []
        must = set.intersection(*(set(Contents(base).ids) for base in states.values())) | {id}
        may = set.union(*(set(Contents(base).ids) for base in states.values()))
        if missing := must - set(seen.ids):
            kinds.append(f"lost {len(missing)} ({', '.join(sorted(missing)[:3])})")
        if twice := [each for each, count in collections.Counter(seen.ids).items() if count > 1]:
            kinds.append(f"twice {len(twice)} ({', '.join(twice[:3])})")
        if seen.torn:
            kinds.append(f"torn {', '.join(map(str, seen.torn[:3]))}")
        if b"\0" in data:
            kinds.append(f"NULs {data.count(0)}")
        return "; ".join(kinds) or f"other bytes: {len(seen.ids)} messages of {len(must)} to {len(may)}"


class Maildir(Box):
    """A directory: each message in it is the old one or the new one, by itself."""

    def states(self, disk):
        named = [(path, ino) for path, ino in disk.walk() if re.match(re.escape(self.path) + "/(new|cur)/.", path)]
        return {id_of(disk.nodes[ino].data): (disk.nodes[ino].data, flags_of(path))
                for path, ino in sorted(named, key=lambda each: self.rank(each[0]))}

    def rank(self, path):
        """One file under two names is one message: that in cur counts, of two the one with more letters."""
        return "/cur/" in str(path), len(str(path)), str(path)

    def state(self, view, views):
        exact = [name for name, lines in views.items() if view == lines]
        must = {subject_of(line) for line in set.intersection(*(set(lines) for lines in views.values()))}
        # Those that are in both, in whatever form.
        must |= set.intersection(*({subject_of(line) for line in lines} for lines in views.values()))
        may = set.union(*(set(lines) for lines in views.values()))
        subjects = [subject_of(line) for line in view]
        is_mixed = set(view) <= may and must <= set(subjects) and len(subjects) == len(set(subjects))
        return exact or (["some"] if is_mixed else [])

    def left(self, world, states, id):
        place, found, kinds, names = pathlib.Path(self.full(world)), {}, [], {}
        for path in sorted([*place.glob("new/*"), *place.glob("cur/*")], key=self.rank):
            names[path.stat().st_ino] = path
        for path in names.values():
            data = path.read_bytes()
            each = id_of(data)
            if each in found:
                kinds.append(f"twice {each}")
            elif each == id:
                if body_part(data) != body_part(mail(id)):
                    kinds.append(f"torn {id}")
            elif not any((data, flags_of(path.name)) == state.get(each) for state in states.values()):
                is_torn = all(data != state.get(each, (None,))[0] for state in states.values())
                kinds.append(f"torn {each}" if is_torn else f"other bytes: the flags of {each}: {path.name}")
            found[each] = data, flags_of(path.name)
        must = set.intersection(*(set(state) for state in states.values())) | {id}
        if missing := must - set(found):
            kinds.append(f"lost {len(missing)} ({', '.join(sorted(missing, key=str)[:3])})")
        found.pop(id, None)
        exact = [name for name, state in states.items() if found == state]
        return ([], "; ".join(kinds)) if kinds else (exact or ["some"], None)


class File(Box):
    """A file that is no mailbox: there is only to see whether it is whole."""

    def states(self, disk):
        return disk.read(self.path)

    def view(self, world):
        return []

    def state(self, view, views):
        return list(views)

    def open(self, world):
        return None

    def add(self, world, id):
        return None

    def left(self, world, states, id):
        path = pathlib.Path(self.full(world))
        data = path.read_bytes() if path.exists() else None
        found = [name for name, bytes in states.items() if bytes == data]
        # A file that is being written may be there in part.
        return found or ["some"], None


class DeadLetters(Mbox):
    """Mail that could not be sent: more of it comes behind."""

    def add(self, world, id):
        done = send_in_vain(world, id)
        if b"saved" not in done.stderr:
            return f"refused: the next dead letter: exit {done.returncode}: {said(done)}"
        return None


class Dropped(Mbox):
    """A mailbox whose mail a user leaves in the drop directory; root's next flush brings it."""

    def view(self, world):
        return []

    def state(self, view, views):
        return ["some"]

    def states(self, disk):
        return {id_of(disk.nodes[ino].data) for path, ino in disk.walk() if path.startswith("postrider/drop/")}

    def open(self, world):
        done = world.run(["outbox", "flush", "-q"])
        return f"refused: root's flush: exit {done.returncode}: {said(done)}" if done.returncode else None

    def add(self, world, id):
        done = world.run(["sendmail", "-i", self.user], mail(id, to=self.user).decode())
        return f"refused: the next mail: exit {done.returncode}: {said(done)}" if done.returncode else None

    def left(self, world, states, id):
        path = self.place(world)
        seen = Contents(path.read_bytes() if path.exists() else b"")
        found = set(seen.ids) - {id}
        if seen.torn or len(seen.ids) > len(set(seen.ids)) or id not in seen.ids:
            return [], f"torn {seen.torn}" if seen.torn else f"twice {seen.ids}" if id in seen.ids else f"lost {id}"
        return [name for name, state in states.items() if state == found] or ["some"], None


class Unsent(DeadLetters):
    """Mail that could not be sent, and is sent now: the first of it is gone, the others are there."""

    def state(self, view, views):
        exact = [name for name, lines in views.items() if view == lines]
        return exact or (["some"] if view and view == views["old"][-len(view):] else [])

    def left(self, world, states, id):
        path = self.place(world)
        data = path.read_bytes() if path.exists() else b""
        seen, old = Contents(data), Contents(states["old"]).ids
        rest = seen.ids[:-1]
        if seen.torn or b"\0" in data or seen.ids[-1:] != [id] or rest != old[len(old) - len(rest):]:
            return [], self.wrong(data, states, id)
        return [name for name, state in states.items() if rest == Contents(state).ids] or ["some"], None


def send_in_vain(world, id):
    return world.run(["mailx", "-n", "-t", "-S", "nooutbox", "-S", "mta=/bin/false"], mail(id).decode())


def send_by_relay(world, id):
    return world.run(["mailx", "-n", "-t"], mail(id, to="tester@example.test").decode())


class Dropped(Mbox):
    """A mailbox whose mail a user leaves in the drop directory; root's next flush brings it."""

    def view(self, world):
        return []

    def state(self, view, views):
        return ["some"]

    def states(self, disk):
        return {id_of(disk.nodes[ino].data) for path, ino in disk.walk() if path.startswith("postrider/drop/")}

    def open(self, world):
        done = world.run(["outbox", "flush", "-q"])
        return f"refused: root's flush: exit {done.returncode}: {said(done)}" if done.returncode else None

    def add(self, world, id):
        done = world.run(["sendmail", "-i", self.user], mail(id, to=self.user).decode())
        return f"refused: the next mail: exit {done.returncode}: {said(done)}" if done.returncode else None

    def left(self, world, states, id):
        path = self.place(world)
        seen = Contents(path.read_bytes() if path.exists() else b"")
        found = set(seen.ids) - {id}
        if seen.torn or len(seen.ids) > len(set(seen.ids)) or id not in seen.ids:
            return [], f"torn {seen.torn}" if seen.torn else f"twice {seen.ids}" if id in seen.ids else f"lost {id}"
        return [name for name, state in states.items() if state == found] or ["some"], None


class Unsent(DeadLetters):
    """Mail that could not be sent, and is sent now: the first of it is gone, the others are there."""

    def state(self, view, views):
        exact = [name for name, lines in views.items() if view == lines]
        return exact or (["some"] if view and view == views["old"][-len(view):] else [])

    def left(self, world, states, id):
        path = self.place(world)
        data = path.read_bytes() if path.exists() else b""
        seen, old = Contents(data), Contents(states["old"]).ids
        rest = seen.ids[:-1]
        if seen.torn or b"\0" in data or seen.ids[-1:] != [id] or rest != old[len(old) - len(rest):]:
            return [], self.wrong(data, states, id)
        return [name for name, state in states.items() if rest == Contents(state).ids] or ["some"], None


def send_in_vain(world, id):
    return world.run(["mailx", "-n", "-t", "-S", "nooutbox", "-S", "mta=/bin/false"], mail(id).decode())


def send_by_relay(world, id):
    return world.run(["mailx", "-n", "-t"], mail(id, to="tester@example.test").decode())


class Queue(Box):
    """An outbox: each mail is in it, or it is not. A relay that works then takes what is left."""

    def states(self, disk):
        found = set()
        for path, ino in disk.walk():
            if re.match(re.escape(self.path) + r"/[^/]+\.(q|dot)$", path):
                found.add(id_of(disk.nodes[ino].data))
        return found

    def view(self, world):
        """Returns the ids of the mail that the listing shows."""
        done = world.run(["outbox", "list", "--json"])
        if done.returncode not in (0, 1, 2):
            return [f"exit {done.returncode}: {said(done)}"]
        return sorted(re.findall(r'"subject":"number ([!-~]+?-[0-9]+)"', done.stdout.decode(errors="replace")))

    def state(self, view, views):
        exact = [name for name, lines in views.items() if view == lines]
        may = set.union(*(set(lines) for lines in views.values()))
        must = set.intersection(*(set(lines) for lines in views.values()))
        return exact or (["some"] if must <= set(view) <= may and len(view) == len(set(view)) else [])

    def open(self, world):
        """Sends all that is left, as if the time for it had come."""
        world.relay.enter("up")
        self.torn = set()
        for id, state in self.listed(world).items():
            done = world.run(["outbox", "retry", id]) if state in ("waiting", "uncertain") else None
            # What was torn is told, and stays for a while; the listing does not read all of each entry.
            if done and b"damaged" in done.stderr:
                self.torn.add(id)
            elif done and done.returncode and id in self.listed(world):
                return f"refused: outbox retry: exit {done.returncode}: {said(done)}"
        done = world.run(["outbox", "flush", "-q"])
        self.torn |= {id.decode() for id in re.findall(rb"the entry ([0-9a-f-]+) of the outbox is damaged", done.stderr)}
        if done.returncode and not self.torn:
            return f"refused: the next flush: exit {done.returncode}: {said(done)}"
        return None

    def listed(self, world):
        """Returns the states of the entries by their IDs."""
        lines = world.run(["outbox", "list", "--json"]).stdout.splitlines()
        return {entry["id"]: entry["state"] for entry in map(json.loads, lines)}

    def add(self, world, id):
        done = send_by_relay(world, id)
        return f"refused: the next mail: exit {done.returncode}: {said(done)}" if done.returncode else None

    def left(self, world, states, id):
        kinds, found = [], collections.Counter()
        for message in world.relay.messages:
            data = message.data.replace(b"\r\n", b"\n")
            each = id_of(data)
            found[each] += 1
            if each is None or body_part(data) != body_of(each).rstrip(b"\n"):
                kinds.append(f"torn {each}")
        kinds += [f"twice {each}" for each, count in found.items() if count > 1]
        must = set.intersection(*states.values()) | {id}
        if missing := must - set(found):
            kinds.append(f"lost {len(missing)} ({', '.join(sorted(missing, key=str)[:3])})")
        listed = self.listed(world)
        # One that nobody gave its name to is put away after a while, if it is not whole.
        is_torn = self.torn or {"torn", "new"} & set(listed.values())
        for path in pathlib.Path(self.full(world)).glob("*.*"):
            if path.suffix in (".q", ".dot") and listed.get(path.stem) != "torn" and path.stem not in self.torn:
                kinds.append(f"held {path.name}")
        world.relay.messages.clear()
        del found[id]
        exact = [name for name, state in states.items() if set(found) == state]
        # A listing shows one that is torn as if it were whole; whether it is, only a flush finds out.
        return ([], "; ".join(kinds)) if kinds else (exact + ["some"] if is_torn or not exact else exact, None)


class Passed(Queue):
    """An outbox through which a mail passes. Nothing is synced: a disk may still have it when the relay has
    said that it has it, too, and then it goes out once more."""

    def state(self, view, views):
        return super().state(view, views) or (list(views) if view == [LETTER] else [])

    def left(self, world, states, id):
        found, why = super().left(world, states, id)
        return list(states) if found == ["some"] else found, why


# What an outbox has once a mail has left.
USED_SLOT = {"outbox": (None, 0o700, 0), "outbox/sending": (bytes(4096), 0o600, 0)}


def id_of(data):
    found = re.search(rb"(?m)^X-Test-Id: ([!-~]+-[0-9]+)$", data)
    return found[1].decode() if found else None


def body_part(data):
    return data.partition(b"\n\n")[2].rstrip(b"\n")


def flags_of(path):
    return ("cur" if ":2," in path else "new") + "".join(sorted(path.partition(":2,")[2]))


def subject_of(line):
    return json.loads(line)["subject"] if line.startswith("{") else line


def system_box():
    return Mbox("spool/root", "root")


def messages(status, count=12, first=0):
    # About 1.2 kB each: the ends lie anywhere in the pages.
    return b"".join(stored(new_id(f"m{number}", 700 + 97 * number), status) for number in range(first, first + count))


def messages_to_border(left):
    """Mail that ends so many bytes before a page's end."""
    for count, size, length in itertools.product(range(1, 9), range(700, 5000, 80), range(1, 60)):
        whole = messages("RO", count) + stored(new_id("b" * length, size), "RO")
        if len(whole) % 4096 == 4096 - left:
            return whole
    raise AssertionError("no size fits")


def base(spool, **others):
    found = {"spool": None, "state": None, "home": None}
    if spool is not None:
        found["spool/root"] = spool
    return found | {name.replace("__", "/"): content for name, content in others.items()}


def reads(commands, *words):
    return ["mailx", "-n", "-N", "-f", "DISK/spool/root", *words], commands


def moves(commands, *words):
    """What is saved from the system mailbox goes from there."""
    return ["mailx", "-n", "-N", "-S", "nokeepsave", *words], commands


def delivers(id, user="root"):
    return ["sendmail", "-i", user], mail(id).decode()


def maildir(path, count, folder="cur", flags=":2,"):
    found = {path: None, f"{path}/new": None, f"{path}/cur": None, f"{path}/tmp": None}
    for number in range(count):
        id = new_id(f"d{number}", 700)
        found[f"{path}/{folder}/17000000{number:02}.M1P{number}.host{flags}"] = mail(id)
    return found


def no_loss(source, target):
    """A message that goes elsewhere may be in both places for a while, and not in none."""
    def keeps(left):
        if "old" not in left[source] and "new" not in left[target]:
            return "lost: messages are gone and did not arrive"
        return None
    return keeps


LETTER = new_id("letter", 900)
# It does not fit into the last page of the mailbox, nor into one of its own.
LONG = new_id("long", 9000)
TWELVE = messages("RO")
EVERY_OTHER = "delete 1 3 5 7 9 11\nquit\n"
USER = pwd.getpwnam("daemon")

SCENARIOS = [
    Scenario("delete one", base(TWELVE), reads("delete 3\nquit\n"), [system_box()]),
    Scenario("delete many", base(TWELVE), reads(EVERY_OTHER), [system_box()]),
    Scenario("delete the last", base(TWELVE), reads("delete $\nquit\n"), [system_box()]),
    Scenario("delete all", base(TWELVE), reads("delete *\nquit\n"), [system_box()]),
    # So little room is free that a journal takes a page at a time.
    Scenario("delete many, a page at a time", base(messages("RO", 40)), reads("delete 3 9 10 22\nquit\n"), [system_box()], size="208k"),
    Scenario("delete many of a large one", base(messages("RO", 40)), reads("delete 3 9 10 22\nquit\n"), [system_box()]),
    Scenario("delete one, the journal is elsewhere",
             {"spool": None, f"spool/{USER.pw_name}": (TWELVE, 0o600, USER.pw_uid),
              "state": (None, 0o700, USER.pw_uid), "home": (None, 0o700, USER.pw_uid)},
             (["mailx", "-n", "-N", "-f", f"DISK/spool/{USER.pw_name}"], "delete 3\nquit\n"),
             [Mbox(f"spool/{USER.pw_name}", USER.pw_name, USER.pw_uid)], uid=USER.pw_uid),
    Scenario("status, same length", base(messages("RO")), reads("unread 4\nquit\n"), [system_box()]),
    Scenario("status, longer", base(messages(None)), reads("quit\n"), [system_box()]),
    Scenario("status, shorter", base(TWELVE), reads("unread *\nquit\n"), [system_box()]),
    Scenario("delete and mark", base(messages(None)), reads("delete 2 9\nquit\n"), [system_box()]),
    Scenario("save to a new file", base(TWELVE), reads("save 3 DISK/home/saved\nquit\n"),
             [system_box(), Mbox("home/saved")], keeps=no_loss(0, 1)),
    Scenario("save to an old file", base(TWELVE, home__saved=messages("RO", 2, 20)), reads("save 3-5 DISK/home/saved\nquit\n"),
             [system_box(), Mbox("home/saved")], keeps=no_loss(0, 1)),
    Scenario("move to a new file", base(TWELVE), moves("save 3 4 DISK/home/saved\nquit\n"),
             [system_box(), Mbox("home/saved")], keeps=no_loss(0, 1)),
    Scenario("move to an old file", base(TWELVE, home__saved=messages("RO", 2, 20)), moves("save 3 11 DISK/home/saved\nquit\n"),
             [system_box(), Mbox("home/saved")], keeps=no_loss(0, 1)),
    Scenario("what was read goes to MBOX", base(messages(None), home__mbox=messages("RO", 2, 20)),
             moves("type 1-3\nquit\n", "-S", "nohold"), [system_box(), Mbox("home/mbox")], keeps=no_loss(0, 1)),
    Scenario("deliver to a mailbox", base(TWELVE), delivers(LETTER), [system_box()]),
    Scenario("deliver to a new mailbox", base(None), delivers(LETTER), [system_box()]),
    Scenario("deliver to another user's new mailbox", base(None), delivers(LETTER, USER.pw_name),
             [Mbox(f"spool/{USER.pw_name}", USER.pw_name)]),
    Scenario("deliver to an empty mailbox", base(b""), delivers(LETTER), [system_box()]),
    Scenario("deliver to an empty mailbox that was just made", base(b""), delivers(LETTER), [system_box()], fresh=["spool/root"]),
    Scenario("save to an empty file that was just made", base(TWELVE, home__saved=b""), reads("save 3 DISK/home/saved\nquit\n"),
             [system_box(), Mbox("home/saved")], keeps=no_loss(0, 1), fresh=["home/saved"]),
    Scenario("deliver a long one", base(TWELVE), delivers(LONG), [system_box()]),
    # The first bytes of its From_ line are in one page, the others in the next.
    *(Scenario(f"deliver a long one {left} before a page's end", base(messages_to_border(left)), delivers(LONG), [system_box()])
      for left in (2, 3, 20)),
    Scenario("deliver a long one to a new mailbox", base(None), delivers(LONG), [system_box()]),
    Scenario("Maildir: deliver", base(None) | maildir("spool/root", 3), delivers(LETTER), [Maildir("spool/root", "root")]),
    Scenario("Maildir: deliver a long one", base(None) | maildir("spool/root", 3), delivers(LONG), [Maildir("spool/root", "root")]),
    Scenario("Maildir: flags", base(None) | maildir("spool/root", 4, "new", ""), reads("quit\n"), [Maildir("spool/root", "root")]),
    Scenario("Maildir: flags in cur", base(None) | maildir("spool/root", 4), reads("flag 2 3\nquit\n"), [Maildir("spool/root", "root")]),
    Scenario("Maildir: delete", base(None) | maildir("spool/root", 5), reads("delete 2 4\nquit\n"), [Maildir("spool/root", "root")]),
    Scenario("move to a Maildir", base(TWELVE) | maildir("home/md", 2), moves("save 3 4 DISK/home/md\nquit\n"),
             [system_box(), Maildir("home/md")], keeps=no_loss(0, 1)),
    Scenario("dead letter, the first", base(None), (["mailx", "-n", "-t", "-S", "mta=/bin/false"], mail(LETTER).decode()),
             [DeadLetters("home/dead")], statuses=(69, 70, 71, 75, 1)),
    Scenario("dead letter, another", base(None, home__dead=messages(None, 2, 20)),
             (["mailx", "-n", "-t", "-S", "mta=/bin/false"], mail(LETTER).decode()),
             [DeadLetters("home/dead")], statuses=(69, 70, 71, 75, 1)),
    Scenario("outbox: a mail that the relay cannot take", base(None), (["mailx", "-n", "-t"], mail(LETTER, to="tester@example.test").decode()),
             [Queue("outbox")], statuses=(75,), phase="451"),
    # Its entry is written over the page of the mail before it.
    Scenario("outbox: a mail after another, that the relay cannot take", base(None) | USED_SLOT,
             (["mailx", "-n", "-t"], mail(LETTER, to="tester@example.test").decode()), [Queue("outbox")], statuses=(75,), phase="451"),
    Scenario("outbox: a mail that the relay takes", base(None), (["mailx", "-n", "-t"], mail(LETTER, to="tester@example.test").decode()),
             [Passed("outbox")], phase="up"),
    Scenario("outbox: a mail after another, that the relay takes", base(None) | USED_SLOT,
             (["mailx", "-n", "-t"], mail(LETTER, to="tester@example.test").decode()), [Passed("outbox")], phase="up"),
    Scenario("outbox: another, a long one", base(None), (["mailx", "-n", "-t"], mail(LONG, to="tester@example.test").decode()),
             [Queue("outbox")], statuses=(75,), phase="refused", waiting=[new_id("before", 600)]),
    # Its relay had the mail, and the power went before the file did: then it goes out twice.
    Scenario("outbox: flush", base(None), (["outbox", "flush", "-q"], ""), [Queue("outbox")], phase="up",
             waiting=[new_id("first", 600), new_id("second", 900)]),
    Scenario("outbox: flush in vain", base(None), (["outbox", "flush", "-q"], ""), [Queue("outbox")], phase="451",
             waiting=[new_id("first", 600), new_id("second", 900)]),
    Scenario("resend", base(None, home__dead=messages(None, 2, 20)), (["resend", "DISK/home/dead"], ""), [Unsent("home/dead")],
             phase="up"),
    # Its sender may not sync the directory: what POSIX says is not enough, what the file systems do is.
    Scenario("drop a mail for root", {"spool": (None, 0o755, 0), "home": (None, 0o755, 0), "state": (None, 0o755, 0), "outbox": (None, 0o700, 0),
                                      "postrider": (None, 0o755, 0), "postrider/drop": (None, 0o1733, 0),
                                      "postrider/flushed": (b"", 0o644, 0)},
             (["sendmail", "-i", USER.pw_name], mail(LETTER, to=USER.pw_name).decode()),
             [Dropped(f"spool/{USER.pw_name}", USER.pw_name)], uid=USER.pw_uid, rules=("ext4",), phase="none"),
    Scenario("record", base(None, home__sent=messages("RO", 2, 20)),
             (["mailx", "-n", "-t", "-S", "mta=/bin/true", "-S", "record=DISK/home/sent"], mail(LETTER).decode()),
             [Mbox("home/sent")]),
    Scenario("write", base(TWELVE), reads("write 3 DISK/home/part\nexit\n"), [system_box(), File("home/part")]),
]


# Those that are tried on a real ext4 as well.
IMAGE_RUNS = 6
ON_EXT4 = ["delete one", "delete the last", "status, longer", "deliver to a mailbox", "deliver to a new mailbox",
           "deliver a long one", "Maildir: flags"]


# What is wrong and known: told each time, and no reason to fail.
KNOWN = {
}


# --- trying ----------------------------------------------------------------------------------------


@dataclasses.dataclass
class Task:
    """A disk that a cut has left, and what must be found on it."""

    disk: Disk
    is_end: bool
    cut: str
    digest: bytes = b""


class Judge:
    """Starts the program on disks and says what is wrong."""

    def __init__(self, world, scenario, old, new):
        self.world, self.scenario = world, scenario
        self.disks = {"old": old, "new": new}
        self.states = [{name: box.states(disk) for name, disk in self.disks.items()} for box in scenario.boxes]

    def prepare(self):
        """Looks how a reader shows the mailbox before and afterwards."""
        if self.scenario.phase:
            self.world.use_relay("none" if self.scenario.phase == "none" else "up")
        self.views = [{} for _ in self.scenario.boxes]
        for name, disk in self.disks.items():
            self.world.mount(disk)
            for views, box in zip(self.views, self.scenario.boxes):
                views[name] = box.view(self.world)
            self.world.unmount()

    def judge(self, task):
        """Returns the problems of a disk, and in which states its mailboxes are."""
        self.world.mount(task.disk)
        try:
            return self.judge_mounted(task)
        except subprocess.TimeoutExpired as reason:
            return [f"waits: {reason}"], []
        finally:
            self.world.unmount()

    def judge_mounted(self, task):
        problems, seen = [], []
        for box, views in zip(self.scenario.boxes, self.views):
            view = box.view(self.world)
            seen.append(box.state(view, views))
            if not seen[-1]:
                problems.append(f"reader: {box.path} is neither the old nor the new: {other_lines(view, views)}")
        # What a real disk holds is known to it alone.
        if task.disk and self.world.files() != files_of(task.disk):
            problems.append("reader: it changed the disk")
        for box in self.scenario.boxes:
            problems.append(box.open(self.world))
            if problems[-1] and self.free(box):
                # That is told; there is more to see.
                problems[-1] = problems[-1].replace("refused", "held", 1)
                problems.append(box.open(self.world))
        left = []
        for number, (box, states) in enumerate(zip(self.scenario.boxes, self.states)):
            id = new_id(f"after{number}", 500)
            problems.append(box.add(self.world, id))
            if problems[-1] and self.free(box):
                problems[-1] = problems[-1].replace("refused", "held", 1)
                problems.append(box.add(self.world, id))
            found, problem = box.left(self.world, states, id)
            left.append(found)
            if problem:
                problems.append(f"{problem} ({box.path})")
            elif seen[number] and "some" not in found + seen[number] and not set(found) & set(seen[number]):
                problems.append(f"reader: {box.path}: it saw the {seen[number][0]} one, and then it is the {found[0]} one")
            if found and task.is_end and "new" not in found:
                problems.append(f"acknowledged: {box.path} is not the new one ({found[0]})")
        if all(left):
            problems.append(self.scenario.keeps(left))
        return [problem for problem in problems if problem], left

    def free(self, box):
        """Removes a lock of before the cut; returns whether there was one."""
        lock = pathlib.Path(box.full(self.world) + ".lock")
        there = lock.exists()
        lock.unlink(missing_ok=True)
        return there


def other_lines(view, views):
    counts = ", ".join(f"{name} {len(lines)}" for name, lines in views.items())
    other = [line for line in view if all(line not in lines for lines in views.values())]
    return f"{len(view)} messages ({counts}); others: {other[:1]}"[:400]


def in_children(world, work, parts):
    """Does work on each part in a process of its own, some at a time; returns the results in order."""
    results, running, waiting = {}, {}, list(enumerate(parts))[::-1]
    while waiting or running:
        while waiting and len(running) < WORKERS:
            number, part = waiting.pop()
            path = world.base / f"result{number}"
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    path.write_bytes(pickle.dumps(work(part)))
                    status = 0
                except SystemExit as reason:
                    print(reason, flush=True)
                except BaseException:
                    import traceback
                    traceback.print_exc()
                finally:
                    os._exit(status)
            running[child] = number, path
        child, status = os.wait()
        number, path = running.pop(child)
        if status:
            raise SystemExit("a worker has failed")
        results[number] = pickle.loads(path.read_bytes())
        path.unlink()
    return [results[number] for number in sorted(results)]


# Of a cut that may leave more disks than are wanted so many times its share are made, by chance.
SPARE = 16


def tasks_of(rule, disk, ops, texts, most, has_locks):
    """Returns disks of all cuts, each once, and how many there are; None: more than were counted."""
    rng = random.Random(SEED)
    found, is_all = {}, True
    # The end first: there most is asked for.
    cuts = cuts_of(rule, disk, ops)[::-1]
    share = max(100, SPARE * most // len(cuts))
    for cut in cuts:
        at = len(cut.ops)
        text = "the end, acknowledged" if cut.is_end else f"{texts[at]} (operation {at})"
        disks = cut.disks(rng, most, share)
        while True:
            try:
                made = next(disks)
            except StopIteration as stop:
                is_all = is_all and stop.value
                break
            if not has_locks:
                made.unlock()
            digest = made.digest()
            if digest not in found:
                found[digest] = Task(made, cut.is_end, text, digest)
    tasks = list(found.values())
    total = len(tasks) if is_all else None
    if len(tasks) > most:
        # Some of each cut, those where few differ from the last one first.
        by_cut = collections.defaultdict(list)
        for task in tasks:
            by_cut[task.cut].append(task)
        left, chosen = most, []
        for number, those in enumerate(sorted(by_cut.values(), key=len)):
            share = min(len(those), left // (len(by_cut) - number))
            left -= share
            chosen += those[:share // 4] + rng.sample(those[share // 4:], share - share // 4)
        tasks = chosen
    return tasks, total


CHUNK = 150
ENOUGH = 20
NOT_TRIED = ([], None)


def try_disks(world, scenario, old, new, tasks):
    """Returns the problems and the states of each disk."""
    def work(part):
        world.enter()
        judge = Judge(world, scenario, old, new)
        judge.prepare()
        answers, bad = [], 0
        for task in part:
            # Where much is wrong, more of it tells nothing new, and may take long.
            answers.append(judge.judge(task) if bad < ENOUGH else NOT_TRIED)
            bad += bool(answers[-1][0])
        return answers

    parts = [tasks[start:start + CHUNK] for start in range(0, len(tasks), CHUNK)]
    return [problems for part in in_children(world, work, parts) for problems in part]


BOOT_IDS = ("11111111-2222-4333-8444-555555555555", "66666666-7777-4888-9999-aaaaaaaaaaaa")


def recorded(world, disk, scenario, boot_id):
    """Runs a scenario on a disk; returns operations, their texts, the disk afterwards; None if it fails."""
    def work(_):
        world.enter(boot_id)
        if scenario.phase:
            world.use_relay(scenario.phase)
        ops, texts, new, done = record(world, disk, scenario)
        if done.returncode not in scenario.statuses:
            print(f"  {scenario.name}: exit {done.returncode} without a cut: {said(done)}")
            return None
        return ops, texts, new

    return in_children(world, work, [None])[0]


class Result:
    """What became of the disks of a scenario."""

    def __init__(self, name, rule):
        self.name, self.rule = name, rule
        self.tried, self.bad, self.total, self.seconds = 0, 0, 0, 0
        self.kinds, self.examples = collections.Counter(), []

    def add(self, tasks, answers, total):
        self.tried += sum(left is not None for _, left in answers)
        self.total = None if total is None or self.total is None else self.total + total
        shown = set(self.kinds)
        for task, (problems, _) in zip(tasks, answers):
            if not problems:
                continue
            self.bad += 1
            here = {kind for problem in problems for kind in kinds_of(problem)}
            self.kinds.update(here)
            if here - shown:
                shown |= here
                self.examples.append((task, problems))

    def __str__(self):
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds.most_common())
        many = f"{self.tried}" if self.tried == self.total else f"{self.tried} of {self.total or 'many'}"
        return f"{self.name:<50} {self.rule:<8} {many:>15} {self.bad:>6} {self.seconds:>6.0f}  {kinds}"

    @property
    def known(self):
        return KNOWN.get((self.name, self.rule)) if self.bad else None

    def report(self):
        print(f"  {self}")
        if self.known:
            print(f"KNOWN: {self.name}, {self.rule}: {self.known}")
        for task, problems in self.examples:
            print(f"    cut at {task.cut}: {task.disk}")
            for problem in problems:
                print(f"      {problem}")
        sys.stdout.flush()


HEADING = f"{'scenario':<50} {'rule':<8} {'disks':>15} {'wrong':>6} {'s':>6}"


class Trial:
    """One scenario, recorded; its disks are made and tried by a rule."""

    def __init__(self, world, scenario, options):
        self.world, self.scenario, self.options = world, scenario, options
        # Each disk of an outbox takes four starts and two mails by a relay.
        self.most = min(options.most, 300) if scenario.phase and not options.all else options.most
        # What became of disks by a rule before.
        self.answers = {}
        scenario.fill(world)
        self.old = scenario.disk()
        self.ops, self.texts, self.new = recorded(world, self.old, scenario, BOOT_IDS[0]) or sys.exit(1)
        self.before, made = scenario.split(self.old)
        self.ops, self.texts = made + self.ops, ["fresh"] * len(made) + self.texts

    def run(self, rule):
        started = time.monotonic()
        result = Result(self.scenario.name, rule)
        tasks, total = tasks_of(rule, self.before, self.ops, self.texts, self.most, self.options.has_locks)
        untried = [task for task in tasks if (task.digest, task.is_end) not in self.answers]
        for task, answer in zip(untried, try_disks(self.world, self.scenario, self.old, self.new, untried)):
            self.answers[task.digest, task.is_end] = answer
        answers = [self.answers[task.digest, task.is_end] for task in tasks]
        result.add(tasks, answers, total)
        result.seconds = time.monotonic() - started
        result.report()
        return result, tasks, answers

    def again(self, rule, tasks, answers):
        """Cuts the recovery of some of these disks as well."""
        started = time.monotonic()
        result = Result(f"{self.scenario.name}, and again", rule)
        shapes = {}
        for task, (problems, left) in zip(tasks, answers):
            state = next((name for name in ("old", "new") if left and all(name in found for found in left)), None)
            if state and not problems:
                # The same files after the same cut, and the same way out, make a shape.
                names = tuple(path for path, _ in task.disk.walk())
                shapes.setdefault((task.cut, names, state), []).append(task)
        rng = random.Random(SEED)
        chosen = [(rng.choice(those), state) for (*_, state), those in shapes.items()]
        if len(chosen) > self.options.shapes:
            chosen = rng.sample(chosen, self.options.shapes)
        for number, (task, state) in enumerate(chosen):
            box = self.scenario.boxes[0]
            is_outbox = isinstance(box, Queue)
            delivers = number % 2 and box.user
            second = Scenario(f"{self.scenario.name}, after a cut at {task.cut}", {},
                              (["outbox", "flush", "-q"], "") if is_outbox else
                              (["sendmail", "-i", box.user], mail(new_id("second", 600)).decode()) if delivers else
                              (["mailx", "-n", "-N", "-f", f"DISK/{box.path}"], "exit\n"),
                              self.scenario.boxes, statuses=(0, 65) if is_outbox else (0,) if delivers else (0, 1, 66), uid=box.uid,
                              phase=self.scenario.phase and ("none" if self.scenario.phase == "none" else "up"))
            done = recorded(self.world, task.disk, second, BOOT_IDS[1])
            if done is None:
                result.add([task], [(["refused: see above"], [])], 1)
                continue
            ops, texts, new = done
            if delivers:
                # A deliverer may leave what was pending to the next reader.
                new = in_children(self.world, self.completed, [new])[0]
            tasks, total = tasks_of(rule, task.disk, ops, [f"{task.cut}, then {text}" for text in texts],
                                    self.most // 5, self.options.has_locks)
            whole = self.new if state == "new" else self.old
            if is_outbox:
                # A flush that ends promises nothing of what it did not send.
                for each in tasks:
                    each.is_end = False
            answers = try_disks(self.world, second, whole, new if delivers or is_outbox else whole, tasks)
            result.add(tasks, answers, total)
        result.seconds = time.monotonic() - started
        result.report()
        return result

    def completed(self, disk):
        """Returns a disk after a start of the program that may write."""
        self.world.enter()
        self.world.mount(disk)
        for box in self.scenario.boxes:
            box.open(self.world)
        files = self.world.files()
        self.world.unmount()
        return disk_of(files)

    def without_syncs(self, rule):
        """Leaves out one sync after the other; returns how many were missed."""
        noticed = 0
        for at, (op, text) in enumerate(zip(self.ops, self.texts)):
            if op[0] != "sync":
                continue
            ops, texts = self.ops[:at] + self.ops[at + 1:], self.texts[:at] + self.texts[at + 1:]
            tasks, _ = tasks_of(rule, self.before, ops, texts, self.most, self.options.has_locks)
            answers = try_disks(self.world, self.scenario, self.old, self.new, tasks)
            kinds = collections.Counter(
                kind for problems, _ in answers for kind in {kind for problem in problems for kind in kinds_of(problem)})
            told = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "nothing is seen"
            print(f"  {self.scenario.name}, {rule}, without {text} ({at}): {len(tasks)} disks: {told}", flush=True)
            noticed += bool(kinds)
        return noticed


# --- a real ext4 -------------------------------------------------------------------------------------


# By number on x86-64: after these calls the image of the disk is copied.
CHANGING = {1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 76: "truncate", 77: "ftruncate",
            82: "rename", 83: "mkdir", 84: "rmdir", 86: "link", 87: "unlink", 90: "chmod", 91: "fchmod", 93: "fchown",
            257: "openat", 258: "mkdirat", 263: "unlinkat", 264: "renameat", 265: "linkat", 285: "fallocate",
            316: "renameat2", 326: "copy_file_range"}
PTRACE_TRACEME, PTRACE_GETREGS, PTRACE_SYSCALL, PTRACE_SETOPTIONS, PTRACE_O_TRACESYSGOOD = 0, 12, 24, 0x4200, 1
PTRACE_O_EXITKILL = 1 << 20


class Image:
    """The scenario on an ext4 in a file, which is copied while it is mounted: that is a power cut.

    What the kernel has not written by itself is not in the copy; so before a copy the journal may be
    committed (a directory is synced), or everything but that. The next mount replays the journal.
    """

    SIZE = 10 << 20

    def __init__(self, world, scenario):
        self.world, self.scenario = world, scenario
        self.file = world.base / "image"

    def make(self):
        self.file.write_bytes(b"")
        os.truncate(self.file, self.SIZE)
        run_or_leave_out("mkfs.ext4", "-q", "-F", "-m", "0", "-O", "has_journal", "-J", "size=4", "-b", "4096", "-N", "256",
                         "-E", "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0", self.file)
        self.mount(self.file)
        for path, ino in (disk := self.scenario.disk()).walk():
            node, full = disk.nodes[ino], self.world.place / path
            if node.names is not None:
                full.mkdir()
            else:
                full.write_bytes(node.data)
            os.chown(full, node.uid, node.gid)
            full.chmod(node.mode)
        if not self.scenario.fresh:
            os.sync()

    def mount(self, file):
        run_or_leave_out("mount", "-o", "loop,commit=300", file, self.world.place)

    def unmount(self):
        subprocess.run(["umount", self.world.place], check=True)

    def run(self, forced):
        """Runs the program and copies the disk after each call that changes it; returns (text, image)
        of each, and the files afterwards.

        `forced`: after so many calls the journal is committed once before a copy.
        """
        arguments, text = self.scenario.arguments(self.world), self.scenario.text(self.world)
        input = self.world.base / "input"
        input.write_text(text)
        child = os.fork()
        if child == 0:
            os.dup2(os.open(input, os.O_RDONLY), 0)
            null = os.open("/dev/null", os.O_WRONLY)
            os.dup2(null, 1)
            os.dup2(null, 2)
            libc.ptrace(PTRACE_TRACEME, 0, None, None)
            os.chdir(self.world.base)
            os.execve(self.world.program, [str(self.world.program), *arguments], self.world.environment)
        os.waitpid(child, 0)
        libc.ptrace(PTRACE_SETOPTIONS, child, None, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
        registers, is_entry, copies, signal = (ctypes.c_ulong * 27)(), True, [], 0
        while True:
            libc.ptrace(PTRACE_SYSCALL, child, None, signal)
            _, status = os.waitpid(child, 0)
            if not os.WIFSTOPPED(status):
                break
            signal = os.WSTOPSIG(status)
            if signal != 5 | 0x80:
                continue
            signal = 0
            if not is_entry:
                libc.ptrace(PTRACE_GETREGS, child, None, registers)
                call, result = CHANGING.get(registers[15]), ctypes.c_long(registers[10]).value
                if call and result >= 0:
                    if len(copies) == forced:
                        self.commit()
                    data = self.pages()
                    if not copies or data != copies[-1][1]:
                        copies.append((f"{call}{', committed' if len(copies) == forced else ''}", data))
                    else:
                        # That has changed nothing on the disk; the cut is later all the same.
                        copies[-1] = (f"{copies[-1][0]} or {call}"[-80:], data)
            is_entry = not is_entry
        if os.waitstatus_to_exitcode(status) not in self.scenario.statuses:
            raise SystemExit(f"{self.scenario.name}: exit {os.waitstatus_to_exitcode(status)} on an ext4")
        copies.append(("the end, acknowledged", self.pages()))
        return copies, self.world.files()

    def pages(self):
        """Returns the pages of the image that are not empty."""
        data = self.file.read_bytes()
        empty = bytes(PAGE)
        return {at: page for at in range(0, len(data), PAGE) if (page := data[at:at + PAGE]) != empty}

    def restore(self, pages):
        with self.file.open("wb") as file:
            for at, page in pages.items():
                file.seek(at)
                file.write(page)
            file.truncate(self.SIZE)

    def commit(self):
        """Commits the journal without writing the bytes of files that are not part of it."""
        descriptor = os.open(self.world.place, os.O_RDONLY)
        os.mkdir(self.world.place / ".commit")
        os.fsync(descriptor)
        os.rmdir(self.world.place / ".commit")
        os.close(descriptor)


def run_or_leave_out(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True)
    if done.returncode:
        raise LeftOut(f"{' '.join(map(str, command))}: {done.stderr.decode().strip()}")


class LeftOut(Exception):
    """Something cannot be tried here."""


def try_image(world, scenario):
    """Tries a scenario on a real ext4; returns its result, or why it is left out."""
    started = time.monotonic()
    result = Result(f"{scenario.name}", "an ext4")

    def recorded_images(forced):
        world.enter(BOOT_IDS[0])
        image = Image(world, scenario)
        try:
            image.make()
            copies, files = image.run(forced)
            image.unmount()
            # Each run writes another date; this is what it was to leave.
            return copies, disk_of({path: file for path, file in files.items() if not path.startswith("lost+found")})
        except LeftOut as reason:
            return str(reason)

    def judge(copies):
        world.enter()
        old, judge, answers, before = scenario.disk(), None, [], None
        for text, data, new in copies:
            if new is not before:
                judge, before = Judge(world, scenario, old, new), new
                judge.prepare()
            image = Image(world, scenario)
            image.file = world.base / f"copy{os.getpid()}"
            image.restore(data)
            image.mount(image.file)
            try:
                answers.append(judge.judge_mounted(Task(None, text.startswith("the end"), text)))
            except subprocess.TimeoutExpired as reason:
                answers.append(([f"waits: {reason}"], []))
            finally:
                image.unmount()
                image.file.unlink()
        return answers

    runs = in_children(world, recorded_images, [-1])
    if isinstance(runs[0], str):
        return runs[0]
    # One at a time: there is one image.
    count = len(runs[0][0]) - 1
    for forced in range(0, count, max(1, count // IMAGE_RUNS)):
        runs += in_children(world, recorded_images, [forced])
    copies = {hashlib.blake2b(pickle.dumps(data)).digest() + bytes([text.startswith("the end")]): (text, data, new)
              for run, new in runs for text, data in run}
    copies = list(copies.values())
    # The boot of the next start comes after the last write.
    time.sleep(UPTIME + 5)
    parts = [copies[start::WORKERS] for start in range(WORKERS)]
    for part, answers in zip(parts, in_children(world, judge, parts)):
        result.add([Task(Text(text), False, text) for text, *_ in part], answers, len(part))
    result.seconds = time.monotonic() - started
    result.report()
    return result


class Text(str):
    """In the place of a disk that is not taken apart."""


def kinds_of(problem):
    """Returns the words by which problems are counted."""
    words = ("held", "refused", "waits", "reader", "acknowledged", "lost", "twice", "torn", "NULs", "other bytes")
    return [word for word in words if re.search(rf"(^|; ){word}\b", problem)]


def enter_namespace():
    """Runs this script again where its mounts are its own."""
    if os.environ.get("POWER_INSIDE"):
        return
    if os.geteuid() != 0:
        left_out("needs root: disks of its own")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode:
        left_out("needs a mount namespace")
    os.environ["POWER_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
                          sys.executable, *sys.argv])


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--only", action="append", default=[])
    arguments.add_argument("--ext4", action="store_true")
    arguments.add_argument("--strict", action="store_true")
    arguments.add_argument("--must-fail", action="store_true")
    arguments.add_argument("--without-locks", dest="has_locks", action="store_false")
    arguments.add_argument("--most", type=int, help="so many disks by each rule")
    arguments.add_argument("--real", action="store_true", help="only on a real ext4")
    options = arguments.parse_args()
    # A whole name is that scenario alone.
    names = {scenario.name for scenario in SCENARIOS}
    options.wants = lambda name: not options.only or any(
        word == name if word in names else word in name for word in options.only)
    enter_namespace()
    os.umask(UMASK)
    options.most = options.most or (20_000 if options.all else 2_000)
    options.shapes = 1_000 if options.all else 8
    rules = [rule for rule in ("ext4", "strict") if getattr(options, rule)] or ["ext4", "strict"]
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    started, results, blind = time.monotonic(), [], []
    with tempfile.TemporaryDirectory(dir=memory, prefix="power-", ignore_cleanup_errors=True) as place:
        os.chmod(place, 0o755)
        world = World(options.program.resolve(), pathlib.Path(place))
        for scenario in SCENARIOS:
            if not options.wants(scenario.name) or options.real:
                continue
            trial = Trial(world, scenario, options)
            for rule in rules:
                if rule not in scenario.rules:
                    continue
                result, tasks, answers = trial.run(rule)
                results.append(result)
                if options.must_fail:
                    if not trial.without_syncs(rule):
                        blind.append(f"{scenario.name}, {rule}")
                elif len(scenario.boxes) == 1 and not isinstance(scenario.boxes[0], Dropped):
                    results.append(trial.again(rule, tasks, answers))
        for name in ON_EXT4 if not options.must_fail else ():
            for scenario in SCENARIOS:
                if scenario.name == name and options.wants(name):
                    result = try_image(world, scenario)
                    if isinstance(result, str):
                        print(f"LEFT OUT: {name} on a real ext4 ({result})")
                    else:
                        results.append(result)
    bad = sum(result.bad for result in results if not result.known)
    known = sum(result.bad for result in results if result.known)
    print(f"  {HEADING}")
    for result in results:
        print(f"  {result}")
    print(f"{sum(result.tried for result in results)} disks, {bad} wrong, {known} wrong and known, in {time.monotonic() - started:.0f} s")
    if options.must_fail:
        for each in blind:
            print(f"no sync was missed: {each}")
        return 1 if blind or bad or not results else 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
