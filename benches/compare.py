#!/usr/bin/env python3
"""Compares the program with bsd-mailx and s-nail: CPU ratios of alternating runs.

    benches/compare.py [--program FILE] [--rounds N] [--only NAME] [--markdown]

Builds the release program (unless told which to take), the two helpers in C and the data, below
Cargo's target directory. A ratio is the median of ours over the median of the peer's, each round
running one after the other, so that a busy machine hurts both. Exits 1 when a gate is missed,
and 69 when a peer is not installed.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
MIB = 1024


def target_directory():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    output = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(output)["target_directory"])


class Bench:
    """The programs, the data and the means to measure."""

    def __init__(self, program, target):
        self.place = target / "bench"
        self.place.mkdir(parents=True, exist_ok=True)
        self.measure = self.compiled("measure")
        self.reader = self.compiled("reader")
        self.ours = self.place / "mailx"
        self.ours.unlink(missing_ok=True)
        self.ours.symlink_to(program.resolve())
        self.bsd = shutil.which("bsd-mailx") or sys.exit(missing("bsd-mailx"))
        self.nail = shutil.which("s-nail") or sys.exit(missing("s-nail"))
        self.home = self.place / "home"
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir()
        self.rc = self.home / "rc"
        self.rc.write_text(f"set sendmail={self.reader}\n")
        self.rc.chmod(0o600)
        self.body = self.data("body", b"Backup of db1 finished without errors.\n1234567 files\n")
        self.list = self.data("list", b"f *\nx\n")
        self.attachment = self.place / "attachment.bin"
        if not self.attachment.exists():
            state, blocks = 1, []
            for _ in range(10 * 1024 * 1024 // 4):
                state = (state * 1103515245 + 12345) & 0xFFFFFFFF
                blocks.append(state.to_bytes(4, "big"))
            self.attachment.write_bytes(b"".join(blocks))
        self.mbox = self.place / "bench.mbox"
        generate = [sys.executable, HERE / "generate.py", self.mbox, "10000", "100000000"]
        subprocess.run(generate, check=True, stdout=subprocess.DEVNULL)
        self.mbox.chmod(0o600)
        self.output = self.place / "output"

    def compiled(self, name):
        program = self.place / name
        subprocess.run([os.environ.get("CC", "cc"), "-O2", "-o", program, HERE / f"{name}.c"], check=True)
        return program

    def data(self, name, content):
        path = self.place / name
        path.write_bytes(content)
        return path

    def run(self, runs, stdin, command, statuses=(0,), lines=None):
        """Returns CPU microseconds a run and the peak in KiB; checks that the work was done."""
        environment = {
            "HOME": str(self.home), "MAILRC": str(self.rc), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8",
            "DEAD": str(self.home / "dead"),
        }
        words = [self.measure, str(runs), stdin, self.output, "--", *command]
        result = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
        cpu, peak, status = result.stdout.split()
        if int(status) not in statuses:
            sys.exit(f"{' '.join(map(str, command))}: exit {status}\n{result.stderr}")
        if lines is not None:
            got = self.output.read_bytes().count(b"\n")
            if got < lines:
                sys.exit(f"{' '.join(map(str, command))}: {got} lines, not {lines}")
        return float(cpu), int(peak)


def missing(name):
    print(f"{name} is not installed (Debian: apt-get install bsd-mailx s-nail)", file=sys.stderr)
    return 69


def workloads(bench):
    """Yields name, runs a round, contestants (name -> arguments of Bench.run), gates, peak gate."""
    null = pathlib.Path("/dev/null")
    who = "ops@example.com"
    yield "start", 25, {
        "ours": (null, [bench.ours, "--version"]),
        "bsd-mailx": (null, [bench.bsd, "-E"], (0, 1)),
        "s-nail": (null, [bench.nail, "--version"]),
    }, {"bsd-mailx": 1.1}, None
    yield "one mail", 25, {
        "ours": (bench.body, [bench.ours, "-n", "-s", "Backup", who]),
        "bsd-mailx": (bench.body, [bench.bsd, "-n", "-s", "Backup", who]),
        "s-nail": (bench.body, [bench.nail, "-n", "-S", f"mta={bench.reader}", "-s", "Backup", who]),
    }, {"bsd-mailx": 1.1}, None
    attach = ["-s", "Backup", "-a", bench.attachment, who]
    yield "10 MB attachment", 3, {
        "ours": (bench.body, [bench.ours, "-n", *attach]),
        "s-nail": (bench.body, [bench.nail, "-n", "-S", f"mta={bench.reader}", *attach]),
    }, {"s-nail": 0.7}, 16 * MIB
    yield "list 10,000", 1, {
        "ours": (null, [bench.ours, "-H", "-f", bench.mbox], (0,), 10000),
        "bsd-mailx": (bench.list, [bench.bsd, "-N", "-f", bench.mbox], (0,), 10000),
        "s-nail": (null, [bench.nail, "-H", "-f", bench.mbox], (0,), 10000),
    }, {"bsd-mailx": 0.2}, None
    yield "-e in 100 MB", 1, {
        "ours": (null, [bench.ours, "-e", "-f", bench.mbox]),
        "s-nail": (null, [bench.nail, "-e", "-f", bench.mbox]),
    }, {"s-nail": 0.05}, None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", help="workloads whose name contains this")
    parser.add_argument("--markdown", action="store_true", help="print a table for README.md")
    options = parser.parse_args()
    target = target_directory()
    program = options.program
    if program is None:
        subprocess.run(["cargo", "build", "--release", "--locked", "--bin", "postrider"],
                       cwd=HERE.parent, check=True)
        program = target / "release" / "postrider"
    bench = Bench(program, target)
    rows, missed = [], False
    for name, runs, contestants, gates, peak_gate in workloads(bench):
        if options.only and options.only not in name:
            continue
        cpu = {who: [] for who in contestants}
        peak = dict.fromkeys(contestants, 0)
        for turn in range(options.rounds + 1):
            for who, arguments in contestants.items():
                time, memory = bench.run(runs, *arguments)
                if turn:  # the first round warms the caches
                    cpu[who].append(time)
                    peak[who] = max(peak[who], memory)
        median = {who: statistics.median(times) for who, times in cpu.items()}
        for who in contestants:
            ratio = median["ours"] / median[who]
            verdict = ""
            if who in gates:
                verdict = f"{'ok' if ratio <= gates[who] else 'MISSED'} (<= {gates[who]})"
                missed |= ratio > gates[who]
            if who == "ours" and peak_gate:
                verdict = f"{'ok' if peak[who] <= peak_gate else 'MISSED'} (<= {peak_gate // MIB} MiB)"
                missed |= peak[who] > peak_gate
            rows.append((name, who, f"{median[who] / 1000:.2f}", f"{peak[who] / MIB:.1f}",
                         "" if who == "ours" else f"{ratio:.2f}", verdict))
    title = ("workload", "program", "CPU ms", "peak MiB", "ours / it", "gate")
    widths = [max(len(row[column]) for row in [title, *rows]) for column in range(len(title))]
    edge = "| " if options.markdown else ""
    for number, row in enumerate([title, *rows]):
        cells = [cell.ljust(width) for cell, width in zip(row, widths)]
        print((edge + " | ".join(cells) + (" |" if edge else "")).rstrip())
        if number == 0 and options.markdown:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return 1 if missed else 0


sys.exit(main())
