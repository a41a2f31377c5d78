#!/usr/bin/env python3
"""What a person sees: the reader in tmux, at two sizes, with a real less.

    .ci/terminal.py PROGRAM [--bless]

Screens are compared with tests/data/screens; --bless writes them anew. At 80x24 and 200x50: the header
list, a mail of several parts, an HTML mail, a reply that is begun, and help. Then the same list on a
terminal without sequences, and the pager: a long mail that is left in its middle.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "tests/data/screens"
SIZES = [(80, 24), (200, 50)]


def mail(sender, subject, day, text, *fields):
    head = [
        f"From x@example.org Mon Jan {day:2} 09:00:00 2024",
        f"From: {sender}",
        "To: Root <root@example.org>",
        f"Date: Mon, {day} Jan 2024 09:00:00 +0000",
        f"Subject: {subject}",
        f"Message-ID: <{day}@example.org>",
        *fields,
    ]
    return "\n".join(head) + "\n\n" + text + "\n\n"


MULTIPART = """--b
Content-Type: text/plain; charset=utf-8; format=flowed

The report of last night is attached. It has grown since last week, and the \n\
disk will be full in about ten days.

> Where is the report?
>> It comes on Monday.

See https://example.org/reports?id=7 for the others.
--b
Content-Type: text/csv; name="report.csv"
Content-Disposition: attachment; filename="report.csv"

a,b
1,2
--b--"""

HTML = """<html><head><title>x</title><style>p { color: red }</style></head><body>
<h1>Invoice</h1><p>Dear customer, your invoice of <b>January</b> is ready. Please
<a href="https://shop.example.org/pay?n=1">pay it here</a> within 14 days.</p>
<ul><li>one<li>two</ul>
<table><tr><td>Disk</td><td>100.00</td></tr><tr><td>Tape &amp; more</td><td>7.50</td></tr></table>
</body></html>"""

MAILBOX = "".join([
    mail("Alice Example <alice@example.org>", "Disk almost full", 1, "/dev/sda1 97%"),
    mail("=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>", "=?utf-8?b?5pel5pys6Kqe?= and more", 8,
         MULTIPART, "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="b"'),
    mail("Shop <shop@example.org>", "Your invoice", 15, HTML, "MIME-Version: 1.0",
         "Content-Type: text/html; charset=utf-8"),
    mail("cron@example.org (Cron Daemon)", "evil \x1b]52;c;ZXZpbA==\x07\x1b[2J subject", 22,
         "\n".join(f"line {number} \x1b[31mred" for number in range(1, 121)), "Status: RO"),
])


class Terminal:
    """The reader in a window of tmux."""

    def __init__(self, program, home, columns, rows, term):
        self.socket = str(home / f"tmux-{columns}-{term}")
        (home / "box").write_text(MAILBOX)
        env = [f"HOME={home}", f"PATH={home}/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", f"TERM={term}",
               "PAGER=less", f"MAILRC={home}/rc", "SOURCE_DATE_EPOCH=1706000000", f"XDG_STATE_HOME={home}/state"]
        command = ["env", "-i", *env, program, "mailx", "-n", "-f", "box"]
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(home),
                  " ".join(f"'{word}'" for word in command) + "; sleep 1000")

    def tmux(self, *words):
        run = subprocess.run(["tmux", "-S", self.socket, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             env={**os.environ, "LC_ALL": "C.UTF-8"})
        text = run.stdout.decode("utf-8", "replace")
        if run.returncode:
            sys.exit(f"tmux {words}: {text}")
        return text

    def screen(self):
        return "\n".join(line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")).rstrip() + "\n"

    def types(self, text, enter=True):
        self.tmux("send-keys", "-l", text)
        if enter:
            self.tmux("send-keys", "Enter")

    def sees(self, pattern, what):
        """Waits until the screen matches and stands still."""
        before, deadline = None, time.monotonic() + 20
        while time.monotonic() < deadline:
            now = self.screen()
            if now == before and re.search(pattern, now):
                return now
            before = now
            time.sleep(0.1)
        sys.exit(f"{what}: no {pattern!r} on the screen, only:\n{self.screen()}")

    def clear(self):
        self.tmux("send-keys", "C-l")
        self.sees(r"\A[?&] ?\n\Z", "the screen is cleared")

    def end(self):
        self.tmux("kill-server")


def walk(program, home, columns, rows):
    """Returns the screens at this size, by their names."""
    terminal, prompt = Terminal(program, home, columns, rows, "xterm"), r"\n[?&]\Z"
    screens = {"list": terminal.sees(r"\n[?&]\n*\Z", "the header list")}
    for name, keys, pattern in [("mime", "p 2", "report.csv"), ("html", "p 3", "Invoice"), ("help", "?", "help")]:
        terminal.clear()
        terminal.types(keys)
        shown = terminal.sees(pattern, name)
        # What is longer than the screen is in the pager.
        if not re.search(r"\n[?&]\n*\Z", shown):
            terminal.types("q", enter=False)
            terminal.sees(r"\n[?&]\n*\Z", f"the prompt after {name}")
        screens[name] = shown
    terminal.clear()
    terminal.types("r 1")
    screens["reply"] = terminal.sees(r"(?i)subject: re:|to: alice", "the reply")
    terminal.tmux("send-keys", "C-c")
    time.sleep(0.3)
    terminal.tmux("send-keys", "C-c")
    terminal.sees(r"\n[?&]\n*\Z", "the prompt after the reply")
    terminal.end()
    return screens


def pager(program, home):
    """A long mail goes to less, and leaving it in the middle leaves the reader as it was."""
    terminal = Terminal(program, home, 80, 24, "xterm")
    terminal.sees(r"\n[?&]\n*\Z", "the header list")
    terminal.types("p 4")
    shown = terminal.sees(r"line 12 ", "the pager")
    assert "line 60 " not in shown, shown
    terminal.types(" ", enter=False)
    terminal.sees("line 30 ", "the second page")
    terminal.types("q", enter=False)
    terminal.sees(r"\n[?&]\n*\Z", "the prompt after the pager")
    # The terminal becomes larger, and the next command knows it.
    terminal.tmux("resize-window", "-x", "100", "-y", "60")
    terminal.types("=")
    terminal.sees(r"\n4\n", "the number")
    terminal.end()


def dumb(program, home):
    terminal = Terminal(program, home, 80, 24, "dumb")
    shown = terminal.sees(r"\n[?&]\n*\Z", "the list on a dumb terminal")
    colours = terminal.tmux("capture-pane", "-p", "-e")
    assert "\x1b[" not in colours.replace("\x1b[39m", "").replace("\x1b[49m", ""), repr(colours)
    terminal.end()
    return shown


def main():
    program, bless = os.path.abspath(sys.argv[1]), "--bless" in sys.argv
    wrong = []
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        (home / "bin").mkdir()
        # Root has one outbox for all its homes, and what waits there is told at the start.
        (home / "rc").write_text(f"set outbox={home}/outbox\n")
        screens = {}
        for columns, rows in SIZES:
            for name, shown in walk(program, home, columns, rows).items():
                screens[f"{name}-{columns}x{rows}"] = shown
        screens["list-dumb"] = dumb(program, home)
        pager(program, home)
    for name, shown in sorted(screens.items()):
        for bad in "\x1b\x07\x9b":
            assert bad not in shown, (name, shown)
        # The version and the directory are others tomorrow.
        shown = re.sub(r"Postrider [0-9.]+\.  ", "Postrider VERSION.  ", shown)
        # So is the mail that somebody has kept on this machine.
        shown = re.sub(r"\n\d+ unsent messages?\b.*?sends\s+(?:them|it)(?=\n)", "", shown, flags=re.DOTALL)
        path = SCREENS / f"{name}.txt"
        if bless:
            SCREENS.mkdir(parents=True, exist_ok=True)
            path.write_text(shown)
        elif not path.exists() or path.read_text() != shown:
            wrong.append(name)
            print(f"--- {name} is not as pinned, but:\n{shown}")
    if wrong:
        sys.exit(f"not as pinned: {' '.join(wrong)} (--bless pins them anew)")
    print(f"{len(screens)} screens {'pinned' if bless else 'as pinned'}")


main()
