#!/usr/bin/env python3
"""Appends to one mailbox, deletes from it and marks in it, all at once, and counts.

    .ci/load.py PROGRAM [--seconds N] [--seed N]

Eight appenders lock as deliverers do: two with dot-lock and fcntl (Postfix, procmail), two with
fcntl and dot-lock (s-nail, Policy), two with flock alone (qmail-local, dma), and two are our own
delivery. Four processes of ours delete and mark. Every few seconds, and at the end, under all
locks: each message is there exactly once, or was deleted on purpose, and is whole.
"""

import argparse
import os
import pathlib
import pwd
import random
import re
import subprocess
import sys
import tempfile
import time

from mailboxes import Contents, Locks, mail, new_id, stored, write_all

APPENDERS = [("dot", "fcntl"), ("dot", "fcntl"), ("fcntl", "dot"), ("fcntl", "dot"), ("flock",), ("flock",),
             "ours", "ours"]
CHANGERS = 4
# How many deletions a changer asks for in one run.
AT_ONCE = 6
CHECK_EVERY = 5
LIMIT = 120
# A reader that cannot have a lock may have missed the end of a rewrite, and shows what was before.
UNSEEN = "No applicable messages"
EXPECTED = re.compile(f"^{UNSEEN}$|another program has already removed .*|"
                      "cannot read the message: another program (has|is|keeps) |waiting for ")
# The largest part of the deletions that may be of messages that the reader did not show.
MOST_UNSEEN = 0.005


class Place:
    """The mailbox, and what a run of the program needs."""

    def __init__(self, program, directory):
        self.program, self.directory = program, pathlib.Path(directory)
        self.box = self.directory / "spool" / pwd.getpwuid(os.getuid()).pw_name
        rc = self.directory / "rc"
        self.environment = {"HOME": str(directory), "MAILRC": str(rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                            "XDG_STATE_HOME": str(self.directory / "state")}
        if not rc.exists():
            rc.write_text(f"set log=off\nset nooutbox\nset mta=local\nset spool={self.box.parent}\nset hostname=h.example.test\n")
            self.box.parent.mkdir()
            self.box.touch(0o600)

    def run(self, arguments, text):
        return subprocess.run([self.program, *arguments], input=text.encode(), capture_output=True,
                              env=self.environment, timeout=LIMIT)

    def log_of(self, worker):
        return self.directory / f"{worker}.log"

    def is_stopped(self):
        return (self.directory / "stop").exists()


class Log:
    """What one worker has done, a line each, for the parent to read."""

    def __init__(self, path):
        self.file = path.open("a", buffering=1)

    def write(self, word, id):
        self.file.write(f"{word} {id}\n")


def append_until_stopped(place, number, dice, log):
    kinds = APPENDERS[number]
    count = 0
    while not place.is_stopped():
        count += 1
        id = new_id(f"m{number}x{count:06}x", dice.choice([0, 80, 300, 300, 2000, 30_000]))
        log.write("append", id)
        if kinds == "ours":
            done = place.run(["sendmail", "-i", place.box.name], mail(id).decode())
            arrived = done.returncode == 0
        else:
            with Locks(place.box, kinds, patience=LIMIT) as locks:
                write_all(locks.file, stored(id))
            arrived = True
        log.write("appended" if arrived else f"refused:{done.returncode}", id)
        time.sleep(dice.uniform(0.01, 0.15))


def change_until_stopped(place, number, dice, log):
    """Deletes every message but each fifth of those that fall to this worker, and marks at random."""
    has_mail = False
    while not place.is_stopped():
        # From then on the mailbox is never empty again, and to say so would be wrong.
        has_mail = has_mail or stays(place)
        # Not the last ones: a reader that finds them being written does not show them yet.
        ids = [id for id in Contents.of(place.box).ids[:-len(APPENDERS)] if is_to_go(id, number)]
        chosen = dice.sample(ids, min(len(ids), AT_ONCE))
        commands = "".join(f"delete /{id}\n" for id in chosen)
        for id in chosen:
            log.write("delete", id)
        commands += dice.choice(["", "unread *\n", "seen *\n"]) + "quit\n"
        done = place.run(["mailx", "-n", "-N", "-f", str(place.box)], commands)
        complaints = done.stderr.decode("utf-8", "replace").splitlines()
        is_unseen = UNSEEN in complaints
        word = "unseen" if is_unseen else "deleted"
        word = word if done.returncode == 0 else f"failed:{done.returncode}"
        for id in chosen:
            log.write(word, id)
        if not chosen:
            log.write("marked" if done.returncode == 0 else word, "-")
        complaints = [line for line in complaints if not EXPECTED.search(line)]
        # At the very start nothing has arrived yet.
        is_empty = done.returncode == 1 and all("No mail in" in line for line in complaints)
        if not has_mail and not chosen and is_empty:
            time.sleep(dice.uniform(0, 0.2))
            continue
        if is_empty or done.returncode not in (0, 75) or (complaints and done.returncode == 0):
            log.write("complaint", f"{done.returncode}: {'; '.join(complaints)[:300]}")
        time.sleep(dice.uniform(0, 0.2))


def stays(place):
    """Returns whether a message that nobody deletes was acknowledged."""
    appenders = [f"append{number}" for number in range(len(APPENDERS))]
    appended = read_logs(place, appenders).get("appended", [])
    return any(int(id[3:9]) % 5 == 0 for id in appended)


def is_to_go(id, number):
    digits = int(id[3:9])
    return (digits + int(id[1])) % CHANGERS == number and digits % 5 != 0


def read_logs(place, workers):
    """Returns words with their ids, over all workers."""
    words = {}
    for worker in workers:
        path = place.log_of(worker)
        for line in path.read_text().splitlines() if path.exists() else []:
            word, _, rest = line.partition(" ")
            words.setdefault(word, []).append(rest)
    return words


def check(place, workers, is_end):
    """Returns the problems, with all locks held."""
    with Locks(place.box, ("fcntl", "dot", "flock"), patience=LIMIT):
        if is_end:
            data, words = place.box.read_bytes(), read_logs(place, workers)
        else:
            # What the logs call done now is in the mailbox now; what comes later may be.
            words, data = read_logs(place, workers), place.box.read_bytes()
    contents = Contents(data)
    asked = set(words.get("delete", []))
    must = set(words.get("appended", [])) - asked
    if is_end:
        may = set(words.get("append", [])) - set(words.get("appended", [])) | asked
        may -= set(words.get("deleted", []))
    else:
        # Asked for meanwhile, or on its way.
        later = read_logs(place, workers)
        must -= set(later.get("delete", []))
        may = set(later.get("append", [])) | {id for id in contents.ids if id not in must}
    return contents.problems(must, may)


def work(arguments):
    _, program, directory, role, number, seed = arguments
    place, number = Place(program, directory), int(number)
    dice = random.Random(f"{seed} {role} {number}")
    log = Log(place.log_of(f"{role}{number}"))
    (append_until_stopped if role == "append" else change_until_stopped)(place, number, dice, log)


def main():
    if sys.argv[1] == "--work":
        return work(sys.argv[1:])
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--seed", default=str(int(time.time())))
    options = arguments.parse_args()
    print(f"{options.seconds} s, seed {options.seed}")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory, prefix="load-") as directory:
        return run(Place(str(options.program.resolve()), directory), options)


def run(place, options):
    workers = [("append", n) for n in range(len(APPENDERS))] + [("change", n) for n in range(CHANGERS)]
    names = [f"{role}{number}" for role, number in workers]
    processes = [
        subprocess.Popen([sys.executable, __file__, "--work", place.program, place.directory, role, str(number),
                          options.seed])
        for role, number in workers]
    problems, checks = [], 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end and not problems:
        time.sleep(min(CHECK_EVERY, max(0.1, end - time.monotonic())))
        problems += check(place, names, is_end=False)
        checks += 1
        problems += [f"{name} has ended" for name, process in zip(names, processes) if process.poll() is not None]
    stop(processes, place)
    problems += check(place, names, is_end=True)
    problems += [f"left beside it: {path.name}" for path in place.box.parent.iterdir() if path != place.box]
    state = place.directory / "state"
    problems += [f"left: {path}" for path in state.rglob("*") if path.is_file()]
    words = read_logs(place, names)
    counts = {word: len(ids) for word, ids in sorted(words.items())}
    print(f"{checks} checks on the way; {counts}; {len(Contents.of(place.box).ids)} messages at the end")
    problems += words.get("complaint", [])
    if counts.get("unseen", 0) > MOST_UNSEEN * counts.get("delete", 0):
        problems.append("too many messages were not shown by a reader that started after they had arrived")
    for worker in names:
        done = read_logs(place, [worker])
        if not done.get("appended") and not done.get("deleted"):
            problems.append(f"{worker} has done nothing: {sorted(done)}")
    for problem in problems[:40]:
        print(f"  {problem}")
    print(f"{len(problems)} problems")
    return 1 if problems else 0


def stop(processes, place):
    """Lets every worker end after what it does at the moment."""
    (place.directory / "stop").touch()
    for process in processes:
        process.wait(LIMIT)


if __name__ == "__main__":
    sys.exit(main())
