#!/usr/bin/env python3
"""Compares the program with other mail programs: CPU ratios of alternating runs.

    benches/compare.py [--program FILE] [--static [FILE]] [--rounds N] [--only NAME]... [--mail DIR] [--markdown]

Builds the release program (unless told which to take), the two helpers in C and the data, below
Cargo's target directory. A ratio is the median of ours over the median of the other's, each round
running one after the other, so that a busy machine hurts both; in brackets the lowest and the
highest ratio of a single round. Where a relay takes its time, what passes is compared instead of
CPU. Exits 1 when a gate is missed, and 69 when bsd-mailx or s-nail is
not installed; what else cannot be measured is named as LEFT OUT.
"""

import argparse
import dataclasses
import email
import email.header
import json
import os
import pathlib
import random
import re
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / ".ci"))
from relay import Relay  # noqa: E402

NULL = pathlib.Path("/dev/null")
TERMINAL = "terminal"
WHO = "ops@example.com"
MIB = 1024
# A mailbox in the gigabytes is read this often at most.
ROUNDS_OF_BIG = 3


@dataclasses.dataclass
class Entry:
    """A program's way to do the work, and what shows that it was done."""

    stdin: object
    command: list
    statuses: tuple = (0,)
    lines: int = 0
    # The mailbox of which each run gets a fresh copy, and what must hold of the copy then.
    copy_of: object = None
    check: object = None
    # Where its output goes: to a file, if it is not told otherwise.
    output: object = None


@dataclasses.dataclass
class Gate:
    """A ratio that must not be exceeded."""

    peer: str
    limit: float
    who: str = "ours"


@dataclasses.dataclass
class Contest:
    """What is compared: the entries of one workload, each run `runs` times a round."""

    entries: dict
    gates: list = dataclasses.field(default_factory=list)
    peak_mib: int = 0
    # So many milliseconds of CPU at most; 0: as many as it needs.
    cpu_ms: float = 0
    runs: int = 1
    rounds: int = 1000
    # So many times the rounds: where a few percent count, short runs that alternate often tell more.
    times: int = 1
    # Whether what passes is compared, and not CPU.
    is_wall: bool = False


class LeftOut(Exception):
    """What cannot be measured here, and why."""


class Bench:
    """The programs, the data and the means to measure."""

    def __init__(self, program, static, target):
        self.place = target / "bench"
        self.place.mkdir(parents=True, exist_ok=True)
        self.measure = self.compiled("measure")
        self.reader = self.compiled("reader")
        self.ours = self.named_mailx("mailx", program)
        # The program by its own name, for its own subcommands.
        self.own = self.named_mailx("postrider", program)
        self.static = static and self.named_mailx("static/mailx", static)
        self.bsd = shutil.which("bsd-mailx") or sys.exit(missing("bsd-mailx"))
        self.nail = shutil.which("s-nail") or sys.exit(missing("s-nail"))
        self.mutt = shutil.which("mutt")
        self.gnu = shutil.which("mail.mailutils")
        self.msmtp = shutil.which("msmtp")
        self.home = self.place / "home"
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        # mutt would ask whether to make it, and take the first of its keys for the answer.
        (self.home / "Mail").mkdir()
        self.rc = self.home / "rc"
        self.rc.write_text(f"set sendmail={self.reader}\n")
        self.rc.chmod(0o600)
        self.body = self.data("body", b"Backup of db1 finished without errors.\n1234567 files\n")
        self.output = self.place / "output"
        self.copy = self.place / "copy.mbox"

    def named_mailx(self, name, program):
        """Copies a program to the name of a mailx: a program is what it is called.

        A copy, as an installation makes one and as the peers are: what a linker has written
        lies in the page cache in single pages, and needs some 20 page faults more to start.
        """
        path = self.place / name
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        shutil.copy(program, path)
        return path

    def compiled(self, name):
        program = self.place / name
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", program, HERE / f"{name}.c"], check=True)
        return program

    def data(self, name, content):
        path = self.place / name
        path.write_bytes(content)
        return path

    def attachment(self):
        path = self.place / "attachment.bin"
        if not path.exists():
            state, blocks = 1, []
            for _ in range(10 * 1024 * 1024 // 4):
                state = (state * 1103515245 + 12345) & 0xFFFFFFFF
                blocks.append(state.to_bytes(4, "big"))
            path.write_bytes(b"".join(blocks))
        return path

    def mailbox(self, name, messages, size, *profile):
        """A generated mailbox; it is made once."""
        path = self.place / f"{name}.mbox"
        generate = [sys.executable, HERE / "generate.py", path, str(messages), str(size), *profile]
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
        path.chmod(0o600)
        # Read once: no program is to pay for the disk.
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass
        return path

    def run(self, runs, entry):
        """Returns microseconds of CPU and of the clock a run, and the peak in KiB; checks that the work was done."""
        environment = {
            "HOME": str(self.home), "MAILRC": str(self.rc), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
            "DEAD": str(self.home / "dead"), "TERM": "vt100", "XDG_STATE_HOME": str(self.home / "state"),
        }
        told = " ".join(map(str, entry.command))
        if entry.copy_of:
            shutil.copyfile(entry.copy_of, self.copy)
            self.copy.chmod(0o600)
            # Nobody is to write the copy to the disk while a program is measured, nor a program for us.
            with open(self.copy, "rb") as file:
                os.fsync(file.fileno())
        words = [self.measure, str(runs), entry.stdin, entry.output or self.output, "--", *entry.command]
        result = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
        cpu, peak, status, wall = result.stdout.split()
        if int(status) not in entry.statuses:
            sys.exit(f"{told}: exit {status}\n{result.stderr}")
        if entry.lines:
            got = self.output.read_bytes().count(b"\n")
            if got < entry.lines:
                sys.exit(f"{told}: {got} lines, not {entry.lines}")
        if entry.check:
            entry.check(told)
        return float(cpu), float(wall), int(peak)


def missing(name):
    print(f"{name} is not installed (Debian: apt-get install bsd-mailx s-nail)", file=sys.stderr)
    return 69


# Sending.


def start(bench):
    entries = {"ours": Entry(NULL, [bench.ours, "--version"])}
    gates = [Gate("bsd-mailx", 1.1)]
    if bench.static:
        entries["ours, static"] = Entry(NULL, [bench.static, "--version"])
        gates.append(Gate("bsd-mailx", 0.9, "ours, static"))
    entries["bsd-mailx"] = Entry(NULL, [bench.bsd, "-E"], (0, 1))
    entries["s-nail"] = Entry(NULL, [bench.nail, "--version"])
    return Contest(entries, gates, runs=25)


def one_mail(bench):
    options = ["-n", "-s", "Backup", WHO]
    entries = {"ours": Entry(bench.body, [bench.ours, *options])}
    gates = [Gate("bsd-mailx", 1.0)]
    if bench.static:
        entries["ours, static"] = Entry(bench.body, [bench.static, *options])
        gates.append(Gate("bsd-mailx", 0.9, "ours, static"))
    entries["bsd-mailx"] = Entry(bench.body, [bench.bsd, *options])
    entries["s-nail"] = Entry(bench.body, [bench.nail, "-S", f"mta={bench.reader}", *options])
    return Contest(entries, gates, runs=25)


def attachment(bench):
    options = ["-n", "-s", "Backup", "-a", bench.attachment(), WHO]
    return Contest({
        "ours": Entry(bench.body, [bench.ours, *options]),
        "s-nail": Entry(bench.body, [bench.nail, "-S", f"mta={bench.reader}", *options]),
    }, [Gate("s-nail", 0.6)], peak_mib=8, runs=3)


# Sending by a relay.


def relayed(delay=0.0):
    """A relay that takes everything, and how each program is told to use it."""
    relay = Relay(delay, keep=False)
    relay.enter("up")
    return relay, f"smtp://127.0.0.1:{relay.port}"


def by_relay(bench, url, *more):
    """The words of ours: as an admin has it, and without an outbox."""
    words = ["-n", "-S", f"mta={url}", "-S", "from=me@example.org", "-S", "log=off", *more, "-s", "Backup", WHO]
    outbox = bench.home / "outbox"
    return ([bench.ours, "-S", f"outbox={outbox}", *words], [bench.ours, "-S", "nooutbox", *words])


def nail_by_relay(bench, url, *more):
    settings = ["v15-compat", f"mta={url}", "from=me@example.org", "smtp-auth=none", "hostname=h.example.org"]
    return [bench.nail, "-n", *(word for setting in settings for word in ("-S", setting)), *more, "-s", "Backup", WHO]


def msmtp_by_relay(bench, relay):
    if not bench.msmtp:
        raise LeftOut("msmtp is not installed")
    return [bench.msmtp, "--file=/dev/null", "--host=127.0.0.1", f"--port={relay.port}", "--from=me@example.org", "--tls=off",
            "--auth=off", WHO]


def whole(bench):
    """What msmtp needs: a header as well."""
    return bench.data("whole", b"From: me@example.org\nTo: ops@example.com\nSubject: Backup\n\n" + bench.body.read_bytes())


def relay_single(bench):
    relay, url = relayed()
    ours, without = by_relay(bench, url)
    return Contest({
        "ours": Entry(bench.body, ours),
        "ours, nooutbox": Entry(bench.body, without),
        "msmtp": Entry(whole(bench), msmtp_by_relay(bench, relay)),
        "s-nail": Entry(bench.body, nail_by_relay(bench, url)),
    }, [Gate("msmtp", 0.35), Gate("s-nail", 0.35), Gate("ours, nooutbox", 1.05)], runs=10, times=40)


def relay_slow(bench):
    relay, url = relayed(0.020)
    return Contest({
        "ours": Entry(bench.body, by_relay(bench, url)[0]),
        "msmtp": Entry(whole(bench), msmtp_by_relay(bench, relay)),
    }, [Gate("msmtp", 0.65)], runs=10, is_wall=True)


def relay_attachment(bench):
    _, url = relayed()
    return Contest({
        "ours": Entry(bench.body, by_relay(bench, url, "-a", bench.attachment())[0]),
        "s-nail": Entry(bench.body, nail_by_relay(bench, url, "-a", bench.attachment())),
    }, [Gate("s-nail", 0.5)], peak_mib=8, runs=3)


def flush_empty(bench):
    bench.rc.write_text(f"set sendmail={bench.reader}\nset outbox={bench.home / 'empty'}\nset log=off\n")
    (bench.home / "empty").mkdir(mode=0o700, exist_ok=True)
    return Contest({
        "ours": Entry(NULL, [bench.own, "outbox", "flush", "-q"]),
        "--version": Entry(NULL, [bench.own, "--version"]),
    }, [Gate("--version", 1.2)], runs=10, times=5)


ENTRIES = 10_000


def list_outbox(bench):
    """One entry that the program made, under many names."""
    place = bench.home / "full"
    shutil.rmtree(place, ignore_errors=True)
    bench.rc.write_text(f"set sendmail={bench.reader}\nset outbox={place}\nset log=off\n")
    relay = Relay()
    words = by_relay(bench, f"smtp://127.0.0.1:{relay.port}")[0]
    words[words.index(f"outbox={bench.home / 'outbox'}")] = f"outbox={place}"
    bench.run(1, Entry(bench.body, words, statuses=(75,)))
    made = [path for path in place.glob("*.*") if path.suffix in (".q", ".st")]
    if not any(path.suffix == ".q" for path in made):
        raise LeftOut("a mail that the relay refused is not in the outbox")
    for number in range(1, ENTRIES):
        for path in made:
            first, rest = path.stem.split("-", 1)
            shutil.copy2(path, place / f"{int(first) + number:016}-{rest}{path.suffix}")
    return Contest({"ours": Entry(NULL, [bench.own, "outbox", "list"], statuses=(1, 2), lines=ENTRIES)}, cpu_ms=200)


# Reading.


def m10k(bench):
    return bench.mailbox("m10k", 10_000, 100_000_000)


def cron(bench):
    return bench.mailbox("cron", 100_000, 150_000_000, "cron")


def big(bench):
    return bench.mailbox("big", 200_000, 2_000_000_000)


def tenth(bench):
    return bench.mailbox("tenth", 20_000, 200_000_000)


def cat(file):
    """The physical limit of whoever must see every byte."""
    return Entry(NULL, ["/bin/cat", file], output=NULL)


def list_of(mailbox, messages):
    def contest(bench):
        file = mailbox(bench)
        entries = {
            "ours": Entry(NULL, [bench.ours, "-H", "-f", file], lines=messages),
            "bsd-mailx": Entry(bench.data("list", b"f *\nx\n"), [bench.bsd, "-N", "-f", file], lines=messages),
            "s-nail": Entry(NULL, [bench.nail, "-H", "-f", file], lines=messages),
        }
        if bench.gnu and messages <= 10_000:
            # It rewrites what it reads.
            command = [bench.gnu, "-H", "-f", bench.copy]
            entries["GNU mail"] = Entry(NULL, command, lines=messages, copy_of=file)
        return Contest(entries | {"limit: cat": cat(file)}, [Gate("bsd-mailx", 0.15)])
    return contest


def list_big(bench):
    file = big(bench)
    return Contest({
        "ours": Entry(NULL, [bench.ours, "-H", "-f", file], lines=200_000),
        "ours, a tenth": Entry(NULL, [bench.ours, "-H", "-f", tenth(bench)], lines=20_000),
        "limit: cat": cat(file),
        "limit: cat, a tenth": cat(tenth(bench)),
    }, [Gate("ours, a tenth", 11)], peak_mib=34, rounds=ROUNDS_OF_BIG)


def open_of(mailbox, rounds=1000, with_mutt=True):
    def contest(bench):
        file = mailbox(bench)
        leave = bench.data("leave", b"x\n")
        entries = {
            "ours": Entry(leave, [bench.ours, "-N", "-f", file]),
            "bsd-mailx": Entry(leave, [bench.bsd, "-N", "-f", file]),
        }
        if bench.mutt and with_mutt:
            entries["mutt"] = Entry(TERMINAL, mutt(bench, "<exit>", "-R", "-f", file))
        return Contest(entries | {"limit: cat": cat(file)}, [Gate("bsd-mailx", 0.2)], rounds=rounds)
    return contest


def exists(bench):
    file = m10k(bench)
    return Contest({
        "ours": Entry(NULL, [bench.ours, "-e", "-f", file]),
        "s-nail": Entry(NULL, [bench.nail, "-e", "-f", file]),
    }, [Gate("s-nail", 0.02)])


def print_one(bench):
    file = m10k(bench)
    commands = bench.data("print", b"p 9995\nx\n")
    return Contest({
        "ours": Entry(commands, [bench.ours, "-N", "-f", file], lines=10),
        "bsd-mailx": Entry(commands, [bench.bsd, "-N", "-f", file], lines=10),
        "limit: cat": cat(file),
    }, [Gate("bsd-mailx", 0.2)])


# Searching, sorting.


def hits_of(file, wanted, of_subject):
    """How many messages hold this text, by Python's own decoding."""
    hits = 0
    with open(file, "rb") as stream:
        for text in re.split(rb"\n(?=From \S+ )", stream.read()):
            message = email.message_from_bytes(text.partition(b"\n")[2])
            if of_subject:
                found = str(email.header.make_header(email.header.decode_header(message.get("Subject", ""))))
            else:
                parts = (part for part in message.walk() if part.get_content_maintype() == "text")
                found = "".join(part.get_payload(decode=True).decode(errors="replace") for part in parts)
            hits += wanted.lower() in found.lower()
    return hits


def search_subjects(bench):
    file, wanted = cron(bench), "backup"
    hits = hits_of(file, wanted, of_subject=True)
    commands = bench.data("subjects", f"f /{wanted}\nx\n".encode())
    return Contest({
        "ours": Entry(commands, [bench.ours, "-N", "-f", file], lines=hits),
        "s-nail": Entry(commands, [bench.nail, "-N", "-f", file], lines=hits),
        "limit: cat": cat(file),
    }, [Gate("s-nail", 0.2)], peak_mib=17)


def search_bodies(bench):
    file, wanted = m10k(bench), "kernel"
    if not bench.mutt:
        raise LeftOut("mutt is not installed")
    hits = hits_of(file, wanted, of_subject=False)
    counted = subprocess.run([bench.own, "count", f"body:{wanted}", "--file", file], capture_output=True, text=True,
                             env={"PATH": os.environ["PATH"], "HOME": str(bench.home)}, check=False)
    if counted.stdout.strip() != str(hits):
        sys.exit(f"search bodies: {counted.stdout.strip()} hits, and Python finds {hits}")
    return Contest({
        "ours": Entry(NULL, [bench.own, "count", f"body:{wanted}", "--file", file], lines=1),
        "mutt": Entry(TERMINAL, mutt(bench, f"<limit>~b {wanted}<enter><exit>", "-R", "-f", file)),
        "limit: cat": cat(file),
    }, [Gate("mutt", 0.1)], peak_mib=11)


THREADED = 100_000


def threaded(bench):
    """Answers to answers, ten to a thread on average, the dates not in order."""
    path = bench.place / "threaded.mbox"
    if not path.exists():
        with open(path, "w", encoding="ascii") as out:
            for number in range(THREADED):
                mixed = number * 7919 % THREADED
                parent = number - 1 - number * 31 % 10
                references = "".join(f"\n <m{at}@example.org>" for at in range(max(parent - 3, 0), parent + 1) if at % 10)
                answer = number % 10 and parent >= 0
                out.write(
                    f"From u{mixed % 97}@example.org Mon Nov 16 09:00:00 2026\n"
                    f"From: User {mixed % 97} <u{mixed % 97}@example.org>\n"
                    f"Date: {1 + mixed % 28} Nov 2026 {mixed % 24:02}:{mixed % 60:02}:00 +0000\n"
                    f"Subject: {'Re: ' if answer else ''}topic {number // 10}\nMessage-ID: <m{number}@example.org>\n"
                    + (f"References:{references}\n <m{parent}@example.org>\n" if answer else "")
                    + f"Status: RO\n\ntext {number}\n\n")
        path.chmod(0o600)
    return path


def sort_of(ours, theirs, peak):
    def contest(bench):
        if not bench.mutt:
            raise LeftOut("mutt is not installed")
        file = threaded(bench)
        commands = bench.data("sort", f"sort {ours}\nx\n".encode())
        command = mutt(bench, "<exit>", "-R", "-f", file)
        command[command.index("-e") + 1] = f"set delete=yes quit=yes move=no mark_old=no sort={theirs}"
        return Contest({
            "ours": Entry(commands, [bench.ours, "-N", "-f", file]),
            "mutt": Entry(TERMINAL, command),
            "limit: cat": cat(file),
        }, [Gate("mutt", 0.3)], peak_mib=peak)
    return contest
def real(bench):
    """Real messages, if the collection is beside the checkout: lists and spam, of every encoding."""
    sources = [bench.collection / "spamassassin" / name for name in ("easy-ham-2.mbox", "spam-1.mbox")]
    if not all(source.is_file() for source in sources):
        raise LeftOut("no collection of real mail (--mail)")
    return bench.data("real.mbox", b"".join(source.read_bytes() for source in sources))


def type_all(bench):
    """All of 1,900 real messages, decoded by us and not by bsd-mailx."""
    file = real(bench)
    commands = bench.data("type-all", b"type *\nx\n")
    return Contest({
        "ours": Entry(commands, [bench.ours, "-n", "-R", "-N", "-f", file], lines=50_000),
        "bsd-mailx": Entry(commands, [bench.bsd, "-n", "-N", "-f", file], lines=50_000),
        "s-nail": Entry(commands, [bench.nail, "-n", "-R", "-N", "-f", file], lines=50_000),
        "limit: cat": cat(file),
    }, [Gate("bsd-mailx", 1)], peak_mib=16, times=3)


# Writing.


def mutt(bench, keys, *options):
    settings = "set delete=yes quit=yes move=no mark_old=no sort=mailbox-order"
    return [bench.mutt, "-n", "-F", NULL, *options, "-e", settings, "-e", f'push "{keys}"']


class Deletion:
    """What must hold of a mailbox from which this one message was deleted."""

    STATUS = re.compile(rb"^(X-)?Status: .*\n", re.MULTILINE)

    def __init__(self, bench, file, number):
        self.bench, self.file = bench, file
        data = file.read_bytes()
        starts = [found.start() for found in re.finditer(rb"^From ", data, re.MULTILINE)]
        self.count = len(starts)
        start, end = (starts + [len(data)])[number - 1:number + 1]
        self.id = re.search(rb"^Message-ID: (<.*>)$", data[start:end], re.MULTILINE)[1]
        self.rest = self.STATUS.sub(b"", data[:start] + data[end:])

    def exactly(self, told):
        """Every other byte is still there; the Status fields of others may have changed."""
        data = self.bench.copy.read_bytes()
        if self.id in data:
            raise LeftOut(f"{told}: the message is still there")
        if self.STATUS.sub(b"", data) != self.rest:
            sys.exit(f"{told}: other bytes than those of message {self.id.decode()} have changed")

    def roughly(self, told):
        """The message is gone and the others are there, as each program writes them."""
        data = self.bench.copy.read_bytes()
        count = len(re.findall(rb"^From ", data, re.MULTILINE))
        if self.id in data or count != self.count - 1:
            sys.exit(f"{told}: {count} of {self.count} messages are left")


def delete_of(mailbox, number, peer, limit):
    def contest(bench):
        if peer == "mutt" and not bench.mutt:
            raise LeftOut("mutt is not installed")
        file = mailbox(bench)
        deletion = Deletion(bench, file, number)
        commands = bench.data("delete", b"d %d\nq\n" % number)
        written = {"copy_of": file, "check": deletion.roughly}
        entries = {"ours": Entry(commands, [bench.ours, "-N", "-f", bench.copy],
                                 copy_of=file, check=deletion.exactly)}
        entries["bsd-mailx"] = Entry(commands, [bench.bsd, "-N", "-f", bench.copy], **written)
        if bench.mutt:
            command = mutt(bench, f"<jump>{number}<enter><delete-message><quit>", "-f", bench.copy)
            entries["mutt"] = Entry(TERMINAL, command, **written)
        entries["limit: cp"] = Entry(NULL, ["/bin/cp", file, bench.copy])
        return Contest(entries, [Gate(peer, limit)])
    return contest


WORKLOADS = {
    "start": start,
    "one mail": one_mail,
    "10 MB attachment": attachment,
    "relay: one mail": relay_single,
    "relay: 20 ms a reply": relay_slow,
    "relay: 10 MB": relay_attachment,
    "outbox: flush of none": flush_empty,
    "outbox: list 10k": list_outbox,
    "list 10k": list_of(m10k, 10_000),
    "list cron": list_of(cron, 100_000),
    "list 2 GB": list_big,
    "open 10k": open_of(m10k),
    "open cron": open_of(cron),
    "open 2 GB": open_of(big, ROUNDS_OF_BIG, with_mutt=False),
    "-e 10k": exists,
    "print 10k": print_one,
    "search subjects cron": search_subjects,
    "search bodies 10k": search_bodies,
    "sort date 100k": sort_of("date", "date", 17),
    "sort subject 100k": sort_of("subject", "subject", 17),
    "thread 100k": sort_of("thread", "threads", 26),
    "type 1.9k real": type_all,
    "delete middle 10k": delete_of(m10k, 5_000, "mutt", 0.35),
    "delete middle cron": delete_of(cron, 50_000, "bsd-mailx", 0.3),
    "delete last 10k": delete_of(m10k, 10_000, "mutt", 0.2),
}


def measured(bench, contest, rounds):
    """Returns the times, of CPU or the clock, and the peak of each entry."""
    cpu = {who: [] for who in contest.entries}
    peak = dict.fromkeys(contest.entries, 0)
    for turn in range(min(rounds, contest.rounds) * contest.times + 1):
        # Never the same order: whoever always came behind a run of itself would find its caches warm.
        order = list(contest.entries.items())
        random.Random(turn).shuffle(order)
        for who, entry in order:
            used, passed, memory = bench.run(contest.runs, entry)
            if turn:  # the first round warms the caches
                cpu[who].append(passed if contest.is_wall else used)
                peak[who] = max(peak[who], memory)
    return cpu, peak


def rows_of(name, contest, cpu, peak):
    """Returns the rows of one workload, and whether a gate was missed."""
    median = {who: statistics.median(times) for who, times in cpu.items()}
    missed = False

    def verdict(is_kept, limit):
        nonlocal missed
        missed |= not is_kept
        return f"{'ok' if is_kept else 'MISSED'} (<= {limit})"

    rows = []
    for who in contest.entries:
        compared, verdicts = "", []
        if who == "ours" and contest.peak_mib:
            verdicts.append(verdict(peak[who] <= contest.peak_mib * MIB, f"{contest.peak_mib} MiB"))
        if who == "ours" and contest.cpu_ms:
            verdicts.append(verdict(median[who] <= contest.cpu_ms * 1000, f"{contest.cpu_ms} ms"))
        for gate in contest.gates:
            if gate.who == who != "ours":
                ratio = median[who] / median[gate.peer]
                verdicts.append(f"{ratio:.2f} of {gate.peer}: {verdict(ratio <= gate.limit, gate.limit)}")
            elif gate.who == "ours" and gate.peer == who:
                verdicts.append(verdict(median["ours"] / median[who] <= gate.limit, gate.limit))
        if who != "ours":
            ratios = [ours / its for ours, its in zip(cpu["ours"], cpu[who])]
            compared = f"{median['ours'] / median[who]:.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        rows.append((name, who, f"{median[who] / 1000:.2f}", f"{peak[who] / MIB:.1f}",
                     compared, ", ".join(verdicts)))
    return rows, missed


def print_table(rows, markdown):
    title = ("workload", "program", "ms", "peak MiB", "ours / it", "gate")
    widths = [max(len(row[column]) for row in [title, *rows]) for column in range(len(title))]
    edge = "| " if markdown else ""
    for number, row in enumerate([title, *rows]):
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        print((edge + " | ".join(cells) + (" |" if edge else "")).rstrip())
        if number == 0 and markdown:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def target_directory():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    output = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(output)["target_directory"])


def built(target):
    build(os.environ)
    return target / "release" / "postrider"


def built_static(target):
    """As README.md says it; a target is named so that build scripts and macros stay dynamic."""
    version = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True).stdout
    host = re.search(r"^host: (.*)$", version, re.MULTILINE)[1]
    build(os.environ | {"RUSTFLAGS": "-C target-feature=+crt-static"}, "--target", host)
    return target / host / "release" / "postrider"


def build(environment, *options):
    command = ["cargo", "build", "--release", "--locked", "--bin", "postrider", *options]
    subprocess.run(command, cwd=HERE.parent, env=environment, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path, help="measure this one, build nothing")
    parser.add_argument("--static", type=pathlib.Path, nargs="?", const=pathlib.Path(), metavar="FILE",
                        help="measure a static build too: this one, else it is built")
    parser.add_argument("--mail", type=pathlib.Path, metavar="DIR", default=HERE.parent.parent / "shared" / "data",
                        help="a collection of real mail, as the corpus stage of CI reads it")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", action="append", help="workloads whose name contains this")
    parser.add_argument("--markdown", action="store_true", help="print a table for README.md")
    options = parser.parse_args()
    target = target_directory()
    static = options.static
    if static is not None and not static.is_file():
        static = built_static(target)
    bench = Bench(options.program or built(target), static, target)
    bench.collection = options.mail
    table, missed = [], False
    for name, workload in WORKLOADS.items():
        if options.only and not any(part in name for part in options.only):
            continue
        bench.rc.write_text(f"set sendmail={bench.reader}\n")
        try:
            contest = workload(bench)
            cpu, peak = measured(bench, contest, options.rounds)
        except LeftOut as reason:
            print(f"LEFT OUT: {name}: {reason}", file=sys.stderr)
            continue
        rows, one_missed = rows_of(name, contest, cpu, peak)
        table += rows
        missed |= one_missed
    bench.copy.unlink(missing_ok=True)
    print_table(table, options.markdown)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
