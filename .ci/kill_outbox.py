#!/usr/bin/env python3
"""Kills a send and a flush at every system call, or lets the call fail, and counts the mail.

    .ci/kill_outbox.py PROGRAM [--every N] [--only WORD]...

Each case is a relay, what lies in the outbox, and one run. An untouched run tells how many system
calls there are, over all threads (inject.c). Then, from the same files, for one call after the other:

    kill      SIGKILL in place of the call
    ENOSPC    the call fails, if it is one that a full disk can fail
    EIO       the call fails, if it is one that a broken disk can fail

and after it the relay works, the routes are forgotten, and `outbox flush` runs. Then:

    1. A mail whose entry was whole is at the relay once, or in the outbox, or in the dead letter, or
       marked as uncertain. So is one that was in the outbox before, and one of a run that ended with 0 or
       said that it is kept or saved.
    2. No mail is at the relay twice.
    3. The flush ends with 0, and nothing waits any more. What is left is uncertain, and is listed; or it is
       the piece of an entry, and is listed as torn.
    4. Whatever is uncertain goes out when it is asked for: in all once or twice, with one Message-ID.

Exit: 0 passed, 77 left out (the reason is the last line), else failed.
"""

import argparse
import collections
import concurrent.futures
import errno
import os
import pathlib
import platform
import queue
import re
import shutil
import subprocess
import sys
import tempfile

from relay import Relay

WORKERS = 2
LIMIT = 120

# Of x86-64, by number: the calls that a disk can fail.
WRITES = {1: "write", 18: "pwrite64", 20: "writev", 74: "fsync", 75: "fdatasync", 77: "ftruncate", 2: "open", 257: "openat",
          82: "rename", 264: "renameat", 316: "renameat2", 83: "mkdir", 258: "mkdirat", 86: "link", 265: "linkat",
          285: "fallocate", 326: "copy_file_range"}
READS = {0: "read", 17: "pread64", 19: "readv", 4: "stat", 5: "fstat", 6: "lstat", 262: "newfstatat", 332: "statx",
         73: "flock", 87: "unlink", 263: "unlinkat", 90: "chmod", 91: "fchmod", 268: "fchmodat", 78: "getdents",
         217: "getdents64", 132: "utime", 280: "utimensat"}
RENAMES = (82, 264, 316)
# An entry is longer than this, and nothing else that a sender writes into the outbox is.
ENTRY = 300
FAULTS = {"kill": None, "ENOSPC": WRITES, "EIO": WRITES | READS}


class Case:
    """What the relay does, which entries wait before, and what is run."""

    def __init__(self, name, phase, waiting, sends, lose=None, delay=0.0, follows=False):
        self.name, self.phase, self.waiting, self.sends, self.lose, self.delay = name, phase, waiting, sends, lose, delay
        # Whether another mail has left before: the slot is there, and has been used.
        self.follows = follows


CASES = [
    Case("send, the relay takes it", "up", 0, True),
    # A wait between the calls of the threads makes their order another one.
    Case("send, the relay takes it slowly", "up", 0, True, delay=0.01),
    Case("send, the 250 of a slow relay is lost", "up", 0, True, lose=1, delay=0.01),
    Case("send, the relay says 451", "451", 0, True),
    Case("send, nobody listens", "refused", 0, True),
    Case("send, the 250 is lost", "up", 0, True, lose=1),
    Case("send, and two wait", "up", 2, True),
    Case("send after another, the relay takes it slowly", "up", 0, True, delay=0.01, follows=True),
    Case("send after another, the relay says 451", "451", 0, True, follows=True),
    Case("send after another, the 250 of a slow relay is lost", "up", 0, True, lose=1, delay=0.01, follows=True),
    Case("flush of two", "up", 2, False),
    Case("flush of two, the relay says 451", "451", 2, False),
    Case("flush of two, the second 250 is lost", "up", 2, False, lose=2),
]


class World:
    """A home with an outbox, and a relay of its own."""

    def __init__(self, program, place, injector):
        self.program, self.place, self.injector = program, place, injector
        self.outbox, self.dead, self.log = place / "outbox", place / "dead", place / "calls"
        place.mkdir()
        self.relay = Relay()
        self.rc = place / "rc"
        self.rc.write_text("".join(f"set {setting}\n" for setting in (
            f"mta=smtp://127.0.0.1:{self.relay.port}", "from=me@example.org", "hostname=h.example.org", "log=off",
            f"outbox={self.outbox}")))
        self.rc.chmod(0o600)
        self.environment = {"HOME": str(place), "MAILRC": str(self.rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                            "DEAD": str(self.dead), "XDG_STATE_HOME": str(place / "state"), "TMPDIR": str(place)}

    def run(self, arguments, text="", fault=None):
        words = [str(self.program), *arguments]
        if fault:
            words = [str(self.injector), str(fault[0]), fault[1], str(self.log), *words]
        return subprocess.run(words, env=self.environment, input=text.encode(), capture_output=True, timeout=LIMIT)

    def send(self, token, fault=None):
        return self.run(["mailx", "-n", "-s", token, "you@example.org"], f"{token}: text\n", fault)

    def flush(self, fault=None):
        return self.run(["outbox", "flush", "-q"], fault=fault)

    def clear(self):
        for path in (self.outbox, self.place / "state"):
            shutil.rmtree(path, ignore_errors=True)
        self.dead.unlink(missing_ok=True)
        self.relay.messages.clear()
        self.relay.lost.clear()

    def forget_routes(self):
        """As if the time had come to try again."""
        shutil.rmtree(self.outbox / "routes", ignore_errors=True)
        for path in self.outbox.glob("*.st"):
            path.write_bytes(re.sub(rb'("next[a-z_]*" *: *)(\d+|"[^"]*")', lambda found: found[1] + b"0", path.read_bytes())
                             if b'"next' in path.read_bytes() else path.read_bytes())

    def prepare(self, case):
        """Returns the tokens that wait."""
        self.clear()
        self.relay.lose = None
        if case.follows:
            self.relay.enter("up")
            self.relay.delay = 0
            self.send("another")
            self.relay.messages.clear()
        tokens = [f"before-{number}" for number in range(case.waiting)]
        if tokens:
            self.relay.enter("refused")
        for token in tokens:
            self.send(token)
        self.forget_routes()
        self.relay.enter(case.phase)
        self.relay.lose, self.relay.delay = case.lose, case.delay
        return tokens

    def files(self):
        """Returns the tokens of the mail in files, by the kind of file."""
        found = collections.defaultdict(set)
        for path in self.outbox.rglob("*") if self.outbox.is_dir() else ():
            if path.suffix in (".q", ".dot", ".new") and path.is_file():
                found["failed" if path.parent.name == "failed" else path.suffix[1:]] |= tokens_in(path.read_bytes())
            elif path.name == "sending":
                found["sending"] |= tokens_in(path.read_bytes())
        found["dead"] = tokens_in(self.dead.read_bytes()) if self.dead.exists() else set()
        return found

    def calls(self):
        """Returns (call, result) of the last run; the result is None where there was none."""
        return [(int(call), None if result == "?" else int(result))
                for call, result in map(str.split, self.log.read_text().splitlines())]


def tokens_in(data):
    return {token.decode() for token in re.findall(rb"(?m)^((?:before|mail)-\d+): text", data)}


def tried(world, case, number, fault):
    """Makes one run with a fault; returns the problems and where the mail is."""
    before = world.prepare(case)
    what = fault if fault == "kill" else str(getattr(errno, fault))
    done = world.send("mail-0", (number, what)) if case.sends else world.flush((number, what))
    calls = world.calls()
    was_killed = fault == "kill" and done.returncode == 137
    if fault == "kill" and not was_killed:
        return None, [], "over"
    reached = calls[number - 1][0] if number <= len(calls) else None
    if fault != "kill" and reached not in FAULTS[fault]:
        # Threads made it another call than in the first run, which no disk can fail.
        return None, [], "over"
    problems = []
    # An entry that is whole, in the slot or by its name, is ours to carry.
    was_entered = any(call in RENAMES and result == 0 or WRITES.get(call) == "pwrite64" and (result or 0) >= ENTRY
                      for call, result in calls) and case.sends
    # Where the text itself could not be read there is only a part of it to keep.
    told = not was_killed and (done.returncode == 0 or b" is kept in " in done.stderr or b"the message is saved in " in done.stderr)
    must = set(before) | ({"mail-0"} if case.sends and (was_entered or told) else set())
    first, files = taken(world), world.files()
    lost = must - set(first) - set().union(*files.values())
    if lost:
        problems.append(f"lost at once: {sorted(lost)}")
    world.relay.enter("up")
    world.relay.lose = None
    world.forget_routes()
    flushed = world.flush()
    if flushed.returncode:
        problems.append(f"the next flush: exit {flushed.returncode}: {flushed.stderr.decode(errors='replace')[:200]}")
    now, files = taken(world), world.files()
    lost = must - set(now) - set().union(*files.values())
    if lost:
        problems.append(f"lost by the next flush: {sorted(lost)}")
    twice = [token for token, found in now.items() if len(found) > 1]
    if twice:
        problems.append(f"twice: {twice}")
    if files["q"]:
        problems.append(f"waits still: {sorted(files['q'])}")
    problems += left_over(world)
    for path in sorted(world.outbox.glob("*.dot")) if world.outbox.is_dir() else ():
        retried = world.run(["outbox", "retry", path.stem])
        if retried.returncode:
            problems.append(f"outbox retry: exit {retried.returncode}: {retried.stderr.decode(errors='replace')[:200]}")
    world.flush()
    now, after = taken(world), world.files()
    if after["sending"]:
        problems.append(f"left in the slot: {sorted(after['sending'])}")
    if after["dot"] or after["q"]:
        problems.append(f"uncertain ones do not go out when asked for: {sorted(after['dot'] | after['q'])}")
    for token, found in now.items():
        if len(found) > 2 or len({message.id for message in found}) > 1:
            problems.append(f"{token}: {len(found)} times, {sorted({str(message.id) for message in found})}")
    if not was_killed and done.returncode and not done.stderr and case.sends:
        problems.append(f"exit {done.returncode} without a word")
    where = ("uncertain" if "mail-0" in files["dot"] or files["dot"] else
             "dead letter" if files["dead"] else "delivered" if case.sends and "mail-0" in first else
             "kept, then delivered" if "mail-0" in now or not case.sends else "not begun")
    call = calls[min(number, len(calls)) - 1][0] if calls else None
    return call, problems, where


def taken(world):
    found = collections.defaultdict(list)
    for message in list(world.relay.messages):
        for token in tokens_in(message.data):
            found[token].append(message)
    return found


def left_over(world):
    """Files of entries must be listed, whatever state they are in."""
    if not world.outbox.is_dir():
        return []
    there = {found[1] for path in world.outbox.iterdir() if (found := re.fullmatch(r"([0-9a-f-]+)\.(?:q|dot|new)", path.name))}
    listed = world.run(["outbox", "list", "--json"]).stdout.decode(errors="replace")
    return [f"not listed: {name}" for name in sorted(there) if name not in listed]


def try_case(case, worlds, every, pool):
    world = worlds.get()
    world.prepare(case)
    done = world.send("mail-0", (0, "0")) if case.sends else world.flush((0, "0"))
    calls = world.calls()
    worlds.put(world)
    points = [(number, fault) for fault, among in FAULTS.items() for number, (call, _) in enumerate(calls, 1)
              if among is None or call in among]
    # Threads make the count differ a little from run to run.
    points += [(len(calls) + more, "kill") for more in range(1, 6)]
    points = [point for at, point in enumerate(points) if at % every == 0]

    def at(point):
        world = worlds.get()
        try:
            return point, *tried(world, case, *point)
        except (OSError, subprocess.SubprocessError) as reason:
            return point, None, [repr(reason)[:300]], "?"
        finally:
            worlds.put(world)

    counts, wheres, found = collections.Counter(), collections.Counter(), []
    for (number, fault), call, problems, where in pool.map(at, points):
        if where == "over":
            continue
        counts[fault] += 1
        wheres[where] += 1
        name = (WRITES | READS).get(call, call)
        found += [f"{case.name}: {fault} at call {number} ({name}): {problem}" for problem in problems]
    print(f"  {case.name}: {len(calls)} calls, exit {done.returncode}; "
          f"{', '.join(f'{fault} {count}' for fault, count in counts.items())}; "
          f"{', '.join(f'{where} {count}' for where, count in wheres.most_common())}; {len(found)} problems", flush=True)
    for problem in found[:8]:
        print(f"    {problem}", flush=True)
    return sum(counts.values()), len(found)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--every", type=int, default=1, help="try one of so many points")
    arguments.add_argument("--only", action="append", default=[])
    options = arguments.parse_args()
    if platform.machine() != "x86_64":
        print("knows the system calls of x86-64 alone")
        return 77
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        print("needs a C compiler")
        return 77
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    tried_all = wrong = 0
    with tempfile.TemporaryDirectory(dir=memory, prefix="kill-outbox-") as place:
        injector = pathlib.Path(tempfile.mkdtemp(prefix="inject-")) / "inject"
        subprocess.run([compiler, "-O1", "-o", injector, pathlib.Path(__file__).with_name("inject.c")], check=True)
        worlds = queue.Queue()
        for number in range(WORKERS):
            worlds.put(World(options.program.resolve(), pathlib.Path(place) / f"world{number}", injector))
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for case in CASES:
                if all(word in case.name for word in options.only):
                    count, found = try_case(case, worlds, options.every, pool)
                    tried_all, wrong = tried_all + count, wrong + found
        shutil.rmtree(injector.parent)
    print(f"{tried_all} faults, {wrong} problems")
    return 1 if wrong or not tried_all else 0


if __name__ == "__main__":
    sys.exit(main())
