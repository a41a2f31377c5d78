#!/usr/bin/env python3
"""200 alerts while a relay is refused, then silent, then answers 451, and then is back.

    .ci/outage.py PROGRAM [--long] [--hangs] [--no-kills] [--seed N] [--peer FACE [--peer-flush COMMAND] --port N]

Every tenth line is killed (SIGKILL) at a random moment of its usual run time, and so are some of the
flushes, which a timer starts each minute, and again when one was killed. Of the messages that the
relay takes, one of 40 loses its 250. The relay comes back three seconds after a flush has begun, which is
nearly the worst moment. Then it must hold that

    - of each line that was told anything the mail was delivered, or lies in the outbox or the dead
      letter; and once the relay was up it was delivered, or is marked as uncertain;
    - a mail that was delivered twice has the same Message-ID, and the client never saw the first 250;
    - no file lies in the outbox that the listing does not name;
    - lines take at most 1 s, but for those that find out that the relay is silent: they take as long
      as smtp-timeout says, and there is at most one of them a minute;
    - the relay that says 451 is asked at most 12 times by 95 lines;
    - all mail is there 75 s after the relay is, in order of arrival, over two connections and one
      more for each flush that was killed;
    - what is marked as uncertain goes out once more when it is asked for, with its Message-ID.

With --long the phases last as long as they did when other programs were measured, with a line each six
seconds (25 minutes); without, they are as short as a flush each minute allows (6 minutes). --hangs: the
silent relay never closes what it accepted. --peer measures another program in the same way (FACE is its
sendmail), and judges nothing; `.ci/mta.sh PROGRAM outage postfix` does so with Postfix as a null client.

Exit: 0 passed, else failed.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from relay import Relay

# Phase, its length in seconds, and how many lines come in it.
SHORT = [("refused", 59, 95), ("silent", 75, 10), ("451", 107, 95), ("up", 100, 5)]
LONG = [("refused", 570, 95), ("silent", 75, 10), ("451", 555, 95), ("up", 300, 5)]
MINUTE = 60
DELAY = 0.01
LOSE = 40
SMTP_TIMEOUT = 20
# A machine that does much else beside it takes its time to start a process.
SLACK = 2.0
ONCE_DOWN = 1.0
ALL_THERE = 75
ASKED_AT_451 = 12
LIMIT = 180


class Line:
    """One alert: a process that was started and what became of it."""

    def __init__(self, number, phase):
        self.number, self.phase = number, phase
        self.token = f"alert-{number:04}"
        self.status = self.took = self.began = None
        self.was_killed, self.told = False, ""


class Client:
    """The program under test: how a line is sent, how a flush is made, and where mail is kept."""

    def __init__(self, options, place, relay):
        self.program, self.options = options.program.resolve(), options
        self.outbox, self.dead = place / "outbox", place / "dead"
        rc = place / "rc"
        rc.write_text("".join(f"set {setting}\n" for setting in (
            f"mta=smtp://127.0.0.1:{relay.port}", "from=alerts@example.org", "hostname=db1.example.org", "log=off",
            f"smtp-timeout={SMTP_TIMEOUT}", f"outbox={self.outbox}")))
        rc.chmod(0o600)
        self.environment = {"HOME": str(place), "MAILRC": str(rc), "LC_ALL": "C", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                            "DEAD": str(self.dead), "XDG_STATE_HOME": str(place / "state"), "TMPDIR": str(place)}

    def line(self, line):
        text = f"From: alerts@example.org\nTo: ops@example.org\nSubject: {line.token}\n\n{line.token}: the disk is full\n"
        if self.options.peer:
            return self.start([*self.options.peer, "-i", "-t"]), text
        if line.number % 3 == 0:
            return self.start([self.program, "sendmail", "-i", "-t"]), text
        return self.start([self.program, "mailx", "-n", "-s", line.token, "ops@example.org"]), f"{line.token}: the disk is full\n"

    def start(self, command):
        return subprocess.Popen(list(map(str, command)), env=self.environment, stdin=subprocess.PIPE,
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def flush(self):
        return self.start(self.options.peer_flush or [self.program, "outbox", "flush", "-q"])

    def run(self, *arguments):
        return subprocess.run([str(self.program), *arguments], env=self.environment, capture_output=True, timeout=LIMIT)

    def kept(self):
        """Returns the tokens of mail in files, by where they are: waiting, uncertain, failed, dead."""
        found = collections.defaultdict(set)
        for path in self.outbox.rglob("*") if self.outbox.is_dir() else ():
            if path.suffix in (".q", ".dot", ".new") and path.is_file():
                where = "failed" if path.parent.name == "failed" else {".q": "waiting", ".dot": "uncertain", ".new": "new"}[path.suffix]
                found[where] |= tokens_of(path)
            elif path.name == "sending":
                found["new"] |= tokens_of(path)
        found["dead"] = tokens_of(self.dead) if self.dead.exists() else set()
        return found


def tokens_of(path):
    return {token.decode() for token in re.findall(rb"(?m)^(alert-[0-9]{4}): the disk", path.read_bytes())}


class Outage:
    """The phases, the lines and the flushes, each in its time."""

    def __init__(self, options, client, relay):
        self.options, self.client, self.relay = options, client, relay
        self.phases = LONG if options.long else SHORT
        self.random = random.Random(options.seed)
        self.lines, self.flushes, self.kills = [], 0, []
        self.threads, self.is_over = [], threading.Event()
        self.entered = {}

    def run(self):
        self.began = time.monotonic()
        # The timer ticks so that the relay is back three seconds after a tick.
        total = sum(length for phase, length, _ in self.phases if phase != "up")
        flusher = threading.Thread(target=self.timer, args=((total - 3) % MINUTE,), daemon=True)
        flusher.start()
        begin, number = 0, 0
        for phase, length, count in self.phases:
            self.wait_until(begin)
            self.relay.enter(phase, self.options.hangs)
            self.entered[phase] = time.monotonic()
            for each in range(count):
                self.wait_until(begin + (each + 0.5) * length / count)
                number += 1
                line = Line(number, phase)
                self.lines.append(line)
                # Those after the recovery show what a line does then.
                moment = self.random.random() if number % 10 == 0 and phase != "up" and self.options.kills else None
                thread = threading.Thread(target=self.send, args=(line, moment), daemon=True)
                thread.start()
                self.threads.append(thread)
            begin += length
        self.wait_until(begin)
        self.is_over.set()
        for thread in [*self.threads, flusher]:
            thread.join(LIMIT)

    def wait_until(self, moment):
        time.sleep(max(0, self.began + moment - time.monotonic()))

    def send(self, line, moment):
        line.began = time.monotonic()
        process, text = self.client.line(line)
        try:
            process.stdin.write(text.encode())
            process.stdin.close()
        except BrokenPipeError:
            pass
        process.stdin = None
        if moment is not None:
            usual = [other.took for other in self.lines if other.took and not other.was_killed and other.phase != "silent"]
            try:
                process.wait(moment * (statistics.median(usual) if usual else 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                line.was_killed = True
        try:
            line.told = process.communicate(timeout=LIMIT)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            process.kill()
        line.took, line.status = time.monotonic() - line.began, process.wait()

    def timer(self, offset):
        """Starts a flush each minute, kills some, and then starts them again as a supervisor would."""
        tick = offset
        while not self.is_over.is_set():
            if self.is_over.wait(max(0, self.began + tick - time.monotonic())):
                return
            tick += MINUTE
            # One that a timer started is not started a second time while it runs.
            is_up = "up" in self.entered
            for wanted in [True] * (3 if is_up else 1) + [False]:
                flush, self.flushes = self.client.flush(), self.flushes + 1
                flush.stdin.close()
                flush.stdin = None
                if not (wanted and self.options.kills):
                    flush.communicate()
                    break
                try:
                    flush.wait(self.random.random() * (0.6 if is_up else 0.1))
                    flush.communicate()
                    break
                except subprocess.TimeoutExpired:
                    flush.kill()
                    flush.communicate()
                    self.kills.append(time.monotonic())
            while self.began + tick < time.monotonic():
                tick += MINUTE


class Verdict:
    """What was found, as one line each, and what of it is wrong."""

    def __init__(self):
        self.wrong = 0

    def told(self, text, is_right=True):
        self.wrong += not is_right
        print(f"  {'' if is_right else 'WRONG: '}{text}", flush=True)


def delivered_by_token(relay):
    found = collections.defaultdict(list)
    for message in relay.messages:
        for token in re.findall(rb"(?m)^(alert-[0-9]{4}): the disk", message.data):
            found[token.decode()].append(message)
    return found


def judge(outage, client, relay, verdict):
    lines = outage.lines
    kept, delivered, up = client.kept(), delivered_by_token(relay), outage.entered["up"]
    told = [line for line in lines if not line.was_killed]
    statuses = collections.Counter(line.status for line in told)
    verdict.told(f"{len(lines)} lines: {', '.join(f'{count} x {status}' for status, count in sorted(statuses.items()))}, "
                 f"{len(lines) - len(told)} killed; {outage.flushes} flushes, {len(outage.kills)} killed")
    anywhere = set().union(*kept.values()) | set(delivered)
    nowhere = [line.token for line in told if line.token not in anywhere]
    verdict.told(f"told and kept nowhere: {len(nowhere)} {nowhere[:5]}", not nowhere)
    behind = [line.token for line in told if line.token not in delivered and line.token not in kept["uncertain"]]
    verdict.told(f"not delivered when the relay is up again: {len(behind)} {behind[:5]}", not behind)
    killed = [line for line in lines if line.was_killed]
    gone = [line for line in killed if line.token not in anywhere]
    verdict.told(f"killed lines: {sum(line.token in delivered for line in killed)} sent, "
                 f"{sum(line.token in anywhere - set(delivered) for line in killed)} kept, {len(gone)} gone")
    verdict.told("files: " + ", ".join(f"{where} {len(tokens)}" for where, tokens in sorted(kept.items())))
    twice = {token: found for token, found in delivered.items() if len(found) > 1}
    unlike = [token for token, found in twice.items() if len({message.id for message in found}) > 1]
    seen = [token for token, found in twice.items() if any(message.is_acknowledged for message in found[:-1])]
    verdict.told(f"delivered more than once: {len(twice)}; with another Message-ID {unlike[:5]}, "
                 f"although the 250 was seen {seen[:5]}", not unlike and not seen)
    orphans = orphans_of(client)
    verdict.told(f"files that the listing does not name: {len(orphans)} {orphans[:5]}", not orphans)
    judge_times(outage, told, verdict)
    asked = sum(connection.phase == "451" for connection in relay.connections)
    verdict.told(f"connections while the relay said 451: {asked} (at most {ASKED_AT_451})", asked <= ASKED_AT_451)
    old = {line.token for line in lines if line.phase != "up"}
    arrivals = [(message, token) for token, found in delivered.items() if token in old for message in found[:1]]
    arrivals.sort(key=lambda each: each[0].at)
    last = arrivals[-1][0].at - up if arrivals else 0
    middle = statistics.median(message.at - up for message, _ in arrivals) if arrivals else 0
    verdict.told(f"{len(arrivals)} waiting mails were there {last:.1f} s after the relay at the latest, half of them "
                 f"after {middle:.1f} s (at most {outage.options.all_there})",
                 bool(arrivals) and last <= outage.options.all_there)
    ran = {line.token: line.began for line in lines}
    # Whoever came at the same moment may be the first.
    back = [(one, two) for (_, one), (_, two) in zip(arrivals, arrivals[1:]) if ran[two] < ran[one] - 0.5]
    verdict.told(f"out of order: {len(back)} {back[:3]}", not back)
    flushed = [connection for connection in relay.connections
               if connection.messages and not connection.phase == "451" and tokens_in(connection.messages[0]) & old]
    kills = sum(moment >= up for moment in outage.kills)
    lost = sum(message.connection in flushed for message in relay.lost)
    verdict.told(f"over {len(flushed)} connections; {kills} flushes were killed meanwhile, {lost} connections cut by the relay",
                 len(flushed) <= 2 + kills + lost)


def tokens_in(message):
    return {token.decode() for token in re.findall(rb"(?m)^(alert-[0-9]{4}): the disk", message.data)}


def judge_times(outage, told, verdict):
    for phase in ("refused", "451", "up"):
        took = [line.took for line in told if line.phase == phase]
        if took:
            most = ONCE_DOWN + SLACK if phase != "up" else 2 + SLACK
            verdict.told(f"a line while the relay is {phase}: {statistics.median(took):.2f} s, at most {max(took):.2f}", max(took) <= most)
    silent = [line.took for line in told if line.phase == "silent"]
    slow = [took for took in silent if took > ONCE_DOWN]
    length = next(length for phase, length, _ in outage.phases if phase == "silent")
    verdict.told(f"a line while it is silent: {statistics.median(silent):.2f} s, at most {max(silent):.1f}; "
                 f"{len(slow)} took more than {ONCE_DOWN:.0f} s", len(slow) <= length // MINUTE + 1 and max(silent) <= SMTP_TIMEOUT + SLACK)


def orphans_of(client):
    """Returns files with mail that neither a name nor the listing explains."""
    if not client.outbox.is_dir():
        return []
    listed = client.run("outbox", "list", "--json").stdout.decode(errors="replace")
    found = []
    for path in client.outbox.iterdir():
        if path.name in ("lock", "routes", "failed", "noticed") or path.name == "sending" and not tokens_of(path):
            continue
        # The notes on a mail that is gone hold no mail; a later flush removes them.
        is_entry = re.fullmatch(r"[0-9a-f-]+\.(q|dot|new)", path.name)
        if not re.fullmatch(r"[0-9a-f-]+\.(q|dot|new|st|st\.new)", path.name) or is_entry and path.name.partition(".")[0] not in listed:
            found.append(path.name)
    return found


def judge_uncertain(client, relay, verdict):
    """Asks for what is uncertain once more: it must come, with the Message-ID that it had."""
    relay.lose = None
    before = client.kept()["uncertain"]
    for path in sorted(client.outbox.glob("*.dot")) if client.outbox.is_dir() else ():
        done = client.run("outbox", "retry", path.stem)
        if done.returncode:
            verdict.told(f"outbox retry {path.stem}: exit {done.returncode}: {done.stderr.decode(errors='replace')[:200]}", False)
    client.run("outbox", "flush", "-q")
    delivered = delivered_by_token(relay)
    unlike = [token for token in before if len({message.id for message in delivered[token]}) != 1]
    left = client.kept()
    is_empty = not (left["waiting"] or left["uncertain"] or left["new"])
    verdict.told(f"uncertain ones that were asked for again: {len(before)}; without their Message-ID, or not there: {unlike[:5]}; "
                 f"left in the outbox: {sum(len(left[where]) for where in ('waiting', 'uncertain', 'new'))}",
                 not unlike and is_empty)
    client.run("outbox", "flush", "-q")
    notes = [path.name for path in client.outbox.glob("*.st*")] if client.outbox.is_dir() else []
    verdict.told(f"notes on mail that is gone: {len(notes)} {notes[:3]}", not notes or not is_empty)
    # A line that was killed while it wrote may have left a piece.
    listed = [json.loads(line) for line in client.run("outbox", "list", "--json").stdout.splitlines()]
    left = [entry["id"] for entry in listed if entry["state"] not in ("torn", "new")]
    verdict.told(f"listed in the end: {len(listed)}, pieces of what was never whole not counted: {len(left)}", not left or not is_empty)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--long", action="store_true")
    arguments.add_argument("--hangs", action="store_true")
    arguments.add_argument("--no-kills", dest="kills", action="store_false")
    arguments.add_argument("--seed", type=int, default=12)
    arguments.add_argument("--peer", type=shlex.split)
    arguments.add_argument("--peer-flush", type=shlex.split, default=["/bin/true"])
    arguments.add_argument("--all-there", type=int, default=ALL_THERE,
                           help="seconds after the relay is back; more for a machine that is busy")
    arguments.add_argument("--port", type=int, default=0, help="where the relay is")
    options = arguments.parse_args()
    options.peer_flush = options.peer and options.peer_flush
    relay = Relay(DELAY, LOSE, port=options.port)
    with tempfile.TemporaryDirectory(prefix="outage-") as place:
        client = Client(options, pathlib.Path(place), relay)
        outage = Outage(options, client, relay)
        outage.run()
        verdict = Verdict()
        judge(outage, client, relay, verdict)
        if not options.peer:
            judge_uncertain(client, relay, verdict)
    relay.close()
    print(f"{verdict.wrong} wrong, seed {options.seed}, in {time.monotonic() - outage.began:.0f} s")
    return 1 if verdict.wrong and not options.peer else 0


if __name__ == "__main__":
    sys.exit(main())
