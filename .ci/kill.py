#!/usr/bin/env python3
"""Kills the program at every step of a rewrite, or lets the step fail, and looks at what is left.

    .ci/kill.py PROGRAM [--all] [--only WORD]... [--must-fail] [--peer COMMAND]

Each case is a mailbox and what is done to it. One traced run lists the calls that change files
after the mailbox was opened: these are the points. Then, for a point at a time, from the same files:

    kill      SIGKILL on entry: the call is not made any more (so the state after the last call is
              that of the next point; after the very last one the run is complete)
    torn      the same, and half of the sectors of the write were on the disk already
    ERROR     the call fails once: ENOSPC, EDQUOT, EIO; EINTR must not be seen at all

and after it, for kill in turn: nothing; a deliverer appends, or our own delivery does. Then:

    1. A reader that writes nothing shows exactly the old or exactly the new messages.
    2. The next open that may write leaves exactly the old or the new bytes, the same as in 1. What
       was appended follows, whole, in order. A lock of the dead, the beginning of a journal, or one
       that is finished stays at most until the next change.
    3. A failure was told by the exit status, unless the change was made in spite of it. What is left
       for the next start to complete was told by 74.

A long message that is appended counts when it is complete; until then readers leave it out, and what
is delivered next stands in its place.

Without --all every K-th point of a case is tried, and the first and the last of each kind.
--must-fail is for a program with a planted mistake: it passes when losses are found.
--peer tries another mailx (its words before `-f FILE`): what the checks find there is known.
"""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import pwd
import queue
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from mailboxes import Contents, append, dot_lock_of, mail, new_id, stored

# The calls at which a rewrite can be cut, by what a case claims to have tried.
KINDS = {
    "write": ["write", "pwrite64", "writev", "pwritev", "pwritev2", "copy_file_range", "sendfile"],
    "truncate": ["ftruncate", "truncate"],
    "allocate": ["fallocate"],
    "sync": ["fsync", "fdatasync", "sync_file_range"],
    "create": ["open", "openat", "creat", "mkdir", "mkdirat"],
    "rename": ["rename", "renameat", "renameat2", "link", "linkat"],
    "remove": ["unlink", "unlinkat"],
    "attributes": ["fchmod", "fchmodat", "fchown", "fchownat", "utimensat", "fsetxattr", "fremovexattr"],
}
KIND_OF = {call: kind for kind, calls in KINDS.items() for call in calls}
# A rewrite that never comes by one of these was not tried in full.
CLAIMED = ["write", "truncate", "allocate", "sync", "create", "rename", "remove"]

# Which failures a call of a kind may have.
ERRORS = {
    "ENOSPC": ["write", "truncate", "allocate", "sync", "create", "rename"],
    "EDQUOT": ["write", "truncate", "allocate", "sync", "create", "rename"],
    "EIO": list(KINDS),
    "EINTR": ["write", "truncate", "allocate", "sync", "create"],
}
# With these statuses a run may end that has made its change in spite of a failure.
AFTER_THE_CHANGE = (0, 74, 75)

AFTERWARDS = ("nothing", "a deliverer appends", "we deliver")
WORKERS = 2
LIMIT = 120
# Without --all: about so many points a case.
THINNED = 6


# --- cases ------------------------------------------------------------------------


class Case:
    """A mailbox, and what the reader is told to do with it.

    `messages` is None where there is no mailbox yet. `appends` is the id of a message that is
    delivered (without commands) or saved from another mailbox; its text stands in the new mailbox as
    the traced run wrote it.
    """

    def __init__(self, name, messages, commands, appends=None):
        self.name, self.messages, self.commands, self.appends = name, messages, commands, appends

    def mailbox(self):
        return None if self.messages is None else b"".join(stored(id, status) for id, status in self.messages)


def many(status):
    """20,000 small messages."""
    return [(new_id(f"small{n}", 60), status) for n in range(20_000)]


# By numbers: a search would read each message, and strace stops at each read.
DELETE_EVERY_OTHER = "".join(
    f"delete {' '.join(map(str, range(first, first + 1000, 2)))}\n" for first in range(1, 20_000, 1000))


def big(status):
    return [(new_id("before", 300), status), (new_id("big", 6_000_000), status), (new_id("behind", 300), status)]


def few(status):
    return [(new_id("first", 300), status), (new_id("second", 9_000), status)]


LONG = new_id("long", 400_000)


# New mail becomes old when a reader quits: that writes a Status line into each message.
CASES = [
    Case("big: delete", big("RO"), "delete 2\nquit\n"),
    Case("big: mark", big(None), "quit\n"),
    Case("big: both", big(None), "delete 1\nquit\n"),
    Case("many: delete the first", many("RO"), "delete 1\nquit\n"),
    Case("many: delete every other", many("RO"), DELETE_EVERY_OTHER + "quit\n"),
    Case("many: delete the last", many("RO"), "delete $\nquit\n"),
    Case("many: delete all", many("RO"), "delete *\nquit\n"),
    Case("many: mark all", many(None), "quit\n"),
    Case("many: unread again", many("RO"), "unread *\nquit\n"),
    Case("many: both", many(None), DELETE_EVERY_OTHER + "quit\n"),
    # A message longer than a page is written in parts.
    Case("append: deliver a long one", few("RO"), None, LONG),
    Case("append: deliver a long one to no mailbox", None, None, LONG),
    Case("append: save a long one", few("RO"), "copy 1 BOX\nexit\n", LONG),
    Case("append: save a long one to no mailbox", None, "copy 1 BOX\nexit\n", LONG),
]


# --- a place to try it in -------------------------------------------------------------


class World:
    """A home with one mailbox, named as the user is, so that it can be the system mailbox too."""

    def __init__(self, program, peer, place):
        self.program, self.peer, self.place = program, peer, place
        self.box = place / "spool" / pwd.getpwuid(os.getuid()).pw_name
        self.state = place / "state"
        self.rc = place / "rc"
        place.mkdir()
        self.rc.write_text(f"set log=off\nset nooutbox\nset mta=local\nset spool={self.box.parent}\nset hostname=h.example.test\n")
        self.environment = {"HOME": str(place), "MAILRC": str(self.rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                            "XDG_STATE_HOME": str(self.state), "TMPDIR": str(place), "DEAD": str(place / "dead")}

    def restore(self, files):
        """Puts back exactly these files, by name."""
        for directory in (self.box.parent, self.state):
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(mode=0o700)
        for name, content in files.items():
            path = self.place / name
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o600)

    def files(self):
        """Returns what is there, by name."""
        return {str(path.relative_to(self.place)): path.read_bytes()
                for directory in (self.box.parent, self.state)
                for path in directory.rglob("*") if path.is_file()}

    def beside(self):
        """Returns the names of what is there beside the mailbox.

        Not those of dot-locks that never came to be: they lock nothing, and nobody can tell them
        from those of a process that is alive.
        """
        name = str(self.box.relative_to(self.place))
        return sorted(other for other in self.files()
                      if other != name and not re.fullmatch(re.escape(name) + r"\.lock\.[0-9a-f]+", other))

    def run(self, arguments, commands="", tracer=()):
        # A file and no pipe: how many reads a pipe takes, and so how many writes follow, depends on
        # how busy the machine is, and the calls are counted.
        with tempfile.TemporaryFile() as stdin:
            stdin.write(commands.encode())
            stdin.seek(0)
            return subprocess.run([*tracer, *map(str, arguments)], stdin=stdin, capture_output=True,
                                  env=self.environment, cwd=self.place, timeout=LIMIT)

    def change(self, case, tracer=()):
        """Runs the program as the case has it."""
        if case.appends and case.commands is None:
            return self.run([self.program, "sendmail", "-i", self.box.name], mail(case.appends).decode(), tracer)
        if case.appends:
            source = self.place / "source"
            source.write_bytes(stored(case.appends, "RO"))
            return self.run([self.program, "mailx", "-n", "-N", "-f", source],
                            case.commands.replace("BOX", str(self.box)), tracer)
        command = self.peer or [self.program, "mailx", "-n", "-N"]
        return self.run([*command, "-f", self.box], case.commands, tracer)

    def view(self):
        """Returns what a reader that writes nothing makes of the mailbox: a line a message."""
        if self.peer:
            return Contents.of(self.box).ids
        done = self.run([self.program, "list", "--json", "--file", self.box])
        # Nothing there, or nothing in it, is a view as well.
        return done.stdout.splitlines() if done.returncode in (0, 1) else [done.stderr]

    def open_for_writing(self):
        """Opens the mailbox as a reader that may write, and leaves without a change."""
        command = self.peer or [self.program, "mailx", "-n", "-N"]
        return self.run([*command, "-f", self.box], "exit\n")

    def deliver(self, id):
        done = self.run([self.program, "sendmail", "-i", self.box.name], mail(id).decode())
        if done.returncode:
            return f"our delivery: exit {done.returncode}: {done.stderr!r}"
        return None


# --- points -----------------------------------------------------------------------------


class Point:
    """A call of the traced run: the `nth` call of this name in its process."""

    def __init__(self, call, nth, text):
        self.call, self.nth, self.text = call, nth, text
        self.kind = KIND_OF[call]

    def __str__(self):
        return f"{self.call} {self.nth} ({self.text[:100]})"


def points_of(world, case, files):
    """Traces one whole run: returns the points after the mailbox was opened, and the new files."""
    world.restore(files)
    log = world.place / "trace"
    done = world.change(case, ["strace", "-f", "-qq", "-y", "-s", "0", "-o", log, "-e", f"trace={','.join(known_calls())}"])
    if done.returncode:
        raise SystemExit(f"{case.name}: exit {done.returncode} without a fault: {done.stderr.decode()}")
    counts, points = collections.Counter(), []
    first_pid, opened = None, False
    for line in log.read_text(errors="replace").splitlines():
        pid, _, text = line.partition(" ")
        text = text.strip()
        call = text.partition("(")[0]
        first_pid = first_pid or pid
        if pid != first_pid or call not in KIND_OF:
            continue
        counts[call] += 1
        opened = opened or KIND_OF[call] == "create" and f'"{world.box}"' in text
        # What is printed is no part of a rewrite, and a file that is only opened is not changed.
        here = str(world.place) in text
        creates = KIND_OF[call] != "create" or "O_CREAT" in text or "mkdir" in call
        if opened and here and creates:
            points.append(Point(call, counts[call], text))
    return points, world.files()


def known_calls():
    """Returns the names of calls that this machine's strace knows."""
    return [call for call in KIND_OF if subprocess.run(
        ["strace", "-e", f"trace={call}", "true"], capture_output=True).returncode == 0]


def thinned(points):
    """Returns every K-th point, and the first and the last of each kind."""
    step = max(2, len(points) // THINNED)
    chosen = {n for n in range(0, len(points), step)}
    for kind in KINDS:
        numbers = [n for n, point in enumerate(points) if point.kind == kind]
        chosen.update(numbers[:1] + numbers[-1:])
    return sorted(chosen)


# --- what is left -------------------------------------------------------------------------


class Expectation:
    """The old and the new mailbox of a case, and how a reader shows them."""

    def __init__(self, world, case, old, new):
        self.old, self.new, self.appends = old, new, case.appends
        self.name = str(world.box.relative_to(world.place))
        self.views = {}
        for name, files in (("old", old), ("new", new)):
            world.restore({self.name: files[self.name]} if self.name in files else {})
            self.views[name] = self.seen(world.view())

    def bytes_of(self, state):
        return (self.old if state == "old" else self.new).get(self.name, b"")

    def seen(self, view):
        """What is compared of a view: of an appended message, which has another date each time, its id."""
        found = [re.search(rb"number ([!-~]+-[0-9]+)", line) for line in view] if self.appends else view
        return [match[1] for match in found if match] if self.appends else found

    def is_state(self, data, state, appended):
        """Whether these bytes are the old or the new mailbox, and then what was appended."""
        if not self.appends:
            return is_state(data, self.bytes_of(state), appended)
        if not data.startswith(self.bytes_of("old")):
            return False
        rest = data[len(self.bytes_of("old")):]
        if state == "new":
            appended = [self.appends, *appended]
        elif rest.startswith(b"\0"):
            # Nobody was told of it: readers leave it out, and the next writer of ours cuts it.
            start = rest.find(b"From ")
            rest = rest[start:] if start >= 0 else b""
        found = Contents(rest)
        return found.ids == list(appended) and not found.torn


def judge(world, expected, appended):
    """Returns which state is left, and the problems."""
    problems = []
    before = world.files()
    view = expected.seen(world.view())
    if not world.peer and world.files() != before:
        problems.append("reading changed files")
    seen = [state for state, lines in expected.views.items()
            if view[:len(lines)] == lines and len(view) == len(lines) + len(appended)]
    if not seen:
        problems.append(f"a reader sees neither the old nor the new messages: {differences(view, expected)}")
    opened = world.open_for_writing()
    is_none = not world.box.exists() and expected.appends
    if opened.returncode and b"No mail in" not in opened.stderr and not is_none:
        problems.append(f"the next open: exit {opened.returncode}: {opened.stderr[:200]!r}")
    data = world.box.read_bytes() if world.box.exists() else b""
    left = [state for state in ("new", "old") if expected.is_state(data, state, appended)]
    if not left:
        problems.append(f"the mailbox is neither the old nor the new one: {losses(data, expected, appended)}")
    if left and seen and not set(left) & set(seen):
        problems.append(f"a reader saw the {seen[0]} mailbox, and then it is the {left[0]} one")
    if not world.peer and world.beside():
        problems += litter(world)
    return left[0] if left else None, problems


def litter(world):
    """What lies beside a whole mailbox may lie there until somebody writes: then it goes."""
    found = []
    problem = world.deliver(new_id("last"))
    if problem:
        found.append(problem)
    # It becomes old, which is a change.
    world.run([world.program, "mailx", "-n", "-N", "-f", world.box], "quit\n")
    if world.beside():
        found.append(f"left beside it after a change: {world.beside()}")
    return found


def is_state(data, base, appended):
    if not data.startswith(base):
        return False
    rest = Contents(data[len(base):])
    return rest.ids == list(appended) and not rest.torn


def differences(view, expected):
    counts = {state: len(lines) for state, lines in expected.views.items()}
    other = [line for line in view if all(line not in lines for lines in expected.views.values())]
    return f"{len(view)} messages, {counts}; not among them: {other[:2]}"[:600]


def losses(data, expected, appended):
    found = Contents(data)
    must = set(Contents(expected.new.get(expected.name, b"")).ids) | set(appended)
    missing = must - set(found.ids)
    twice = [id for id, count in collections.Counter(found.ids).items() if count > 1]
    return f"{len(missing)} lost, {len(twice)} twice, {len(found.torn)} torn"


# --- trying -----------------------------------------------------------------------------------


class Tally:
    def __init__(self):
        self.tried = collections.Counter()
        self.kinds = collections.Counter()
        self.left = collections.Counter()
        self.problems = []

    def add(self, other):
        self.tried += other.tried
        self.kinds += other.kinds
        self.left += other.left
        self.problems += other.problems


def inject(point, what):
    return ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={point.call}",
            "-e", f"inject={point.call}:{what}:when={point.nth}"]


def afterwards(world, what):
    """Appends to the mailbox as it was left; returns the ids, and a problem."""
    if what == "a deliverer appends":
        ids = [new_id("appended1"), new_id("appended2", 9000)]
        append(world.box, ids)
        return ids, None
    if what == "we deliver" and not world.peer:
        ids = [new_id("delivered")]
        return ids, world.deliver(ids[0])
    return [], None


def try_kill(world, case, expected, point, number, tally):
    """Kills at a point, and looks what is left after something was appended."""
    world.restore(expected.old)
    done = world.change(case, inject(point, "signal=KILL"))
    if done.returncode == 0 and point.kind == "attributes":
        # The times were as they shall be by chance, both in one tick of the clock: a whole run.
        finish(world, case, expected, "whole", point, "nothing", tally)
        return
    if done.returncode not in (-9, 137):
        tally.problems.append(f"{case.name}: {point}: not killed, exit {done.returncode}")
        return
    what = AFTERWARDS[number % len(AFTERWARDS)]
    finish(world, case, expected, f"kill, then {what}", point, what, tally)
    tally.kinds[point.kind] += 1


def finish(world, case, expected, fault, point, what, tally):
    appended, problem = afterwards(world, what)
    left, problems = judge(world, expected, appended)
    if problem:
        problems.append(problem)
    tally.tried[fault.split(",")[0]] += 1
    tally.left[left] += 1
    tally.problems += [f"{case.name}: {fault} at {point}: {text}" for text in problems]


# A disk writes so much at once, or not at all.
SECTOR = 512


def try_torn(world, case, expected, point, next_point, tally):
    """Kills at a write of which the first half of the sectors was made."""
    written = re.match(r"pwrite64\(\d+<[^>]*?(world\d+)/([^>]*)>, .*, (\d+), (\d+)\) += (\d+)", point.text)
    if not written or not next_point:
        return
    name, offset, length = written[2], int(written[4]), int(written[5])
    half = (offset + length // 2) // SECTOR * SECTOR - offset
    if half <= 0:
        return
    # The bytes of the write are those that are there at the next point.
    world.restore(expected.old)
    world.change(case, inject(next_point, "signal=KILL"))
    data = (world.place / name).read_bytes()[offset:offset + half] if (world.place / name).exists() else b""
    # The same file is to be torn, not a copy: the journal knows its inode.
    world.restore(expected.old)
    world.change(case, inject(point, "signal=KILL"))
    if not data or not (world.place / name).exists():
        return
    with (world.place / name).open("r+b") as file:
        file.seek(offset)
        file.write(data)
    finish(world, case, expected, "torn", point, "nothing", tally)


def try_error(world, case, expected, point, error, tally):
    world.restore(expected.old)
    done = world.change(case, inject(point, f"error={error}"))
    fault = f"{error} at {point}"
    if dot_lock_of(world.box).exists() and point.kind != "remove":
        tally.problems.append(f"{case.name}: {fault}: the dot-lock is left")
    stood = world.box.read_bytes() if world.box.exists() else b""
    left, problems = judge(world, expected, [])
    if left == "new" and not expected.is_state(stood, "new", []) and done.returncode != 74:
        problems.append(f"the change was still to be completed, and the exit is {done.returncode}")
    if error == "EINTR":
        if left != "new" or done.returncode or done.stderr:
            problems.append(f"seen: exit {done.returncode}, the {left} mailbox: {done.stderr[:200]!r}")
    elif left == "old" and not done.returncode:
        problems.append(f"exit 0, and nothing was changed: {done.stderr[:200]!r}")
    elif left == "new" and done.returncode not in AFTER_THE_CHANGE:
        problems.append(f"exit {done.returncode} after the change was made: {done.stderr[:200]!r}")
    if done.returncode and not done.stderr:
        problems.append(f"exit {done.returncode} without a word")
    tally.tried[error] += 1
    tally.left[left] += 1
    tally.problems += [f"{case.name}: {fault}: {text}" for text in problems]


def try_case(case, worlds, every):
    """Tries a case at its points, on all worlds at once."""
    world = worlds.get()
    old = {str(world.box.relative_to(world.place)): case.mailbox()} if case.messages is not None else {}
    points, new = points_of(world, case, old)
    expected = Expectation(world, case, old, new)
    worlds.put(world)
    chosen = range(len(points)) if every else thinned(points)

    def at(number):
        tally = Tally()
        world = worlds.get()
        try:
            point = points[number]
            try_kill(world, case, expected, point, number, tally)
            try_torn(world, case, expected, point, points[number + 1] if number + 1 < len(points) else None, tally)
            for error, kinds in ERRORS.items():
                if point.kind in kinds and not world.peer:
                    try_error(world, case, expected, point, error, tally)
        except (OSError, subprocess.SubprocessError) as reason:
            tally.problems.append(f"{case.name}: at {points[number]}: {reason!r}"[:600])
        finally:
            worlds.put(world)
        return tally

    tally = Tally()
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for done in pool.map(at, chosen):
            tally.add(done)
    found = collections.Counter(point.kind for point in points)
    print(f"  {case.name}: {size_of(old)} bytes, {len(points)} points ({table(found)}), "
          f"{len(chosen)} tried: {table(tally.tried)}; left old {tally.left['old']}, new {tally.left['new']}; "
          f"{len(tally.problems)} problems", flush=True)
    return tally


def size_of(files):
    return len(next(iter(files.values()), b""))


def table(counts):
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()) if count)


def main():
    arguments = argparse.ArgumentParser(add_help=True)
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--all", action="store_true")
    arguments.add_argument("--only", action="append", default=[])
    arguments.add_argument("--must-fail", action="store_true")
    arguments.add_argument("--peer", type=shlex.split)
    options = arguments.parse_args()
    cases = [case for case in CASES if all(word in case.name for word in options.only)]
    # In memory, so that fsync costs nothing.
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    tally = Tally()
    with tempfile.TemporaryDirectory(dir=memory, prefix="kill-") as place:
        worlds = queue.Queue()
        for number in range(WORKERS):
            worlds.put(World(options.program.resolve(), options.peer, pathlib.Path(place) / f"world{number}"))
        for case in cases:
            tally.add(try_case(case, worlds, options.all))
    print(f"kill points by kind: {table(tally.kinds)}")
    print(f"faults tried: {table(tally.tried)}; {sum(tally.tried.values())} in all, {len(tally.problems)} problems")
    for problem in tally.problems[:40]:
        print(f"  {problem}")
    if options.must_fail:
        return 0 if any("lost" in problem or "neither" in problem for problem in tally.problems) else 1
    missing = [kind for kind in CLAIMED if not tally.kinds[kind]]
    if missing and not options.only and not options.peer:
        print(f"no point of these kinds was met: {', '.join(missing)}")
        return 1
    return 1 if tally.problems else 0


if __name__ == "__main__":
    sys.exit(main())
