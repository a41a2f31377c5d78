"""Mailboxes for the tests: messages that prove that they are whole, locks, and the append of others.

Every message carries its id, and its body follows from the id alone: whoever finds one anywhere can
say whether it is whole. No body has a line that begins with "From ", so any such line is a
separator, whatever a deliverer leaves out around it.
"""

import fcntl
import hashlib
import os
import re
import time

FROM_LINE = b"From sender@example.test Sat Nov 28 09:00:00 2026\n"


# --- messages -------------------------------------------------------------------


def new_id(name, size=300):
    """Returns the id of a message with about `size` bytes of body."""
    return f"{name}-{size}"


def body_of(id):
    """Returns the body that belongs to an id."""
    size = int(id.rpartition("-")[2])
    digest = hashlib.md5(id.encode()).hexdigest()
    # Large ones have long lines, so that gigabytes are made in seconds.
    digest *= 1 if size < 100_000 else 25
    count = -(-size // (len(id) + len(digest) + 9))
    lines = [f"{id} {number:06} {digest}\n" for number in range(count)]
    return ("".join(lines) + f"end of {id}\n").encode()


def mail(id, status=None, to="tester"):
    """Returns a message as it is sent: header, empty line, body."""
    header = f"From: sender@example.test\nTo: {to}\nSubject: number {id}\nX-Test-Id: {id}\n"
    if status:
        header += f"Status: {status}\n"
    return header.encode() + b"\n" + body_of(id)


def stored(id, status=None):
    """Returns a message as it is stored in an mbox."""
    return FROM_LINE + mail(id, status) + b"\n"


class Contents:
    """What is in an mbox: ids in order, those that are not whole, and what belongs to no message."""

    def __init__(self, data):
        self.ids, self.torn, self.statuses = [], [], {}
        parts = re.split(rb"(?m)^From .*\n", data)
        if parts[0].strip(b"\n"):
            self.torn.append(f"{len(parts[0])} bytes before the first From_ line")
        for part in parts[1:]:
            header, _, body = part.partition(b"\n\n")
            found = re.search(rb"(?m)^X-Test-Id: ([!-~]+-[0-9]+)$", header)
            if not found:
                self.torn.append(f"a message without an id: {part[:60]!r}")
                continue
            id = found[1].decode()
            self.ids.append(id)
            status = re.search(rb"(?m)^Status: *(.*)$", header)
            self.statuses[id] = status[1].decode().strip() if status else ""
            if body.rstrip(b"\n") != body_of(id).rstrip(b"\n"):
                self.torn.append(id)

    @classmethod
    def of(cls, path):
        return cls(path.read_bytes() if path.exists() else b"")

    def problems(self, must, may=()):
        """Returns what is wrong if the ids of `must` are to be there once, those of `may` at most once."""
        must, may = set(must), set(may)
        found = [f"torn: {what}" for what in self.torn]
        found += [f"lost: {id}" for id in sorted(must - set(self.ids))]
        found += [f"twice: {id}" for id in sorted(set(self.ids)) if self.ids.count(id) > 1]
        found += [f"not expected: {id}" for id in sorted(set(self.ids) - must - may)]
        return found


# --- locks ----------------------------------------------------------------------


def dot_lock_of(path):
    return path.with_name(path.name + ".lock")


class Busy(Exception):
    """Somebody else holds a lock."""


class Locks:
    """Some kinds of locks on a mailbox, taken in the order given, by retrying from the start.

    Kinds: `dot`; `fcntl` (the classic one, of a process) on the whole file; `flock`.
    """

    def __init__(self, path, kinds, patience=60):
        self.path, self.kinds, self.patience = path, kinds, patience
        self.held = []

    def __enter__(self):
        flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC
        try:
            # One that is there is opened without O_CREAT: fs.protected_regular forbids it to all but the owner in a
            # sticky spool.
            self.file = os.open(self.path, flags)
        except FileNotFoundError:
            self.file = os.open(self.path, flags | os.O_CREAT, 0o660)
        deadline = time.monotonic() + self.patience
        while True:
            try:
                for kind in self.kinds:
                    self.take(kind)
                return self
            except (Busy, BlockingIOError, PermissionError):
                self.release()
                if time.monotonic() > deadline:
                    os.close(self.file)
                    raise Busy(f"{self.kinds}: {self.patience} s were not enough") from None
                time.sleep(0.01 + 0.03 * int.from_bytes(os.urandom(1), "big") / 256)

    def take(self, kind):
        if kind == "dot":
            make_dot_lock(self.path)
        elif kind == "fcntl":
            fcntl.lockf(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.held.append(kind)

    def release(self):
        for kind in reversed(self.held):
            if kind == "dot":
                dot_lock_of(self.path).unlink()
            elif kind == "fcntl":
                fcntl.lockf(self.file, fcntl.LOCK_UN)
            else:
                fcntl.flock(self.file, fcntl.LOCK_UN)
        self.held = []

    def __exit__(self, *_):
        self.release()
        os.close(self.file)


def make_dot_lock(path):
    """Makes the dot-lock as procmail and liblockfile do: by link(2). Frees it from a dead process."""
    lock = dot_lock_of(path)
    temporary = path.with_name(f".lk{os.getpid()}.{os.urandom(4).hex()}")
    temporary.write_text(f"{os.getpid()}\n")
    try:
        os.link(temporary, lock)
    except FileExistsError:
        free_from_the_dead(lock)
        raise Busy(lock) from None
    finally:
        temporary.unlink()


def free_from_the_dead(lock):
    try:
        pid = int(lock.read_text().split()[0])
        os.kill(pid, 0)
    except ProcessLookupError:
        lock.unlink(missing_ok=True)
    except (FileNotFoundError, ValueError, IndexError, PermissionError):
        pass


def append(path, ids, kinds=("dot", "fcntl", "flock"), patience=60):
    """Appends messages as a deliverer does: locked, in one write each, synced."""
    for id in ids:
        with Locks(path, kinds, patience) as locks:
            write_all(locks.file, stored(id))
            os.fsync(locks.file)


def append_unlocked(path, ids):
    """Appends messages where nobody else is: a short way to the same bytes."""
    with path.open("ab") as file:
        for id in ids:
            file.write(stored(id))


def write_all(file, data):
    while data:
        data = data[os.write(file, data):]
