#!/usr/bin/env python3
"""Writes a mailbox for the benchmarks: the same arguments, the same bytes, everywhere.

    generate.py FILE MESSAGES BYTES

The messages are what a server's mailbox holds: cron output, alerts, list mail with encoded names
and subjects, and a few with attachments. All randomness is a linear congruential generator of our
own, so that no version of Python changes a byte. The file is not written again if it is there
with this length; the length is printed.
"""

import base64
import datetime
import os
import sys

WORDS = (
    "disk queue backup restore error warning retry timeout server message report daily weekly "
    "kernel package update user login failed accepted connection closed volume snapshot replica "
    "the of and to in is that for with on at by from has was not this job will be run again"
).split()
PEOPLE = [
    ("root", "root@db1.example.org"),
    ("Cron Daemon", "cron@web2.example.org"),
    ("Alice Adams", "alice@example.org"),
    ("=?utf-8?q?J=C3=BCrgen_Gro=C3=9F?=", "juergen@example.net"),
    ("=?utf-8?b?5bGx55Sw?=", "yamada@example.jp"),
    ("Night Shift", "night-shift@operations.example.com"),
]
START = datetime.datetime(2024, 1, 1)
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class Dice:
    """A linear congruential generator (Knuth's MMIX constants)."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) * limit >> 31

    def pick(self, items):
        return items[self.below(len(items))]

    def text(self, size):
        lines, length = [], 0
        while length < size:
            line = " ".join(self.pick(WORDS) for _ in range(4 + self.below(9)))
            lines.append(line)
            length += len(line) + 1
        return "\n".join(lines) + "\n"


def message(dice, number, size):
    name, address = dice.pick(PEOPLE)
    when = START + datetime.timedelta(minutes=37 * number, seconds=dice.below(60))
    weekday, month = DAYS[when.weekday()], MONTHS[when.month - 1]
    date, year, clock = when.day, when.year, when.time().isoformat()
    kind = dice.below(10)
    head = [
        f"From {address} {weekday} {month} {date:2} {clock} {year}",
        f"Return-Path: <{address}>",
        f"Received: from relay.example.org (relay.example.org [192.0.2.{dice.below(256)}])",
        f"\tby mail.example.org with ESMTPS id {dice.below(2**31):08X}",
        f"\tfor <root@example.org>; {weekday}, {date} {month} {year} {clock} +0000",
        f"From: {name} <{address}>",
        "To: root@example.org",
        f"Date: {weekday}, {date} {month} {year} {clock} +0000",
        f"Message-ID: <{number}.{dice.below(2**31)}@example.org>",
        "MIME-Version: 1.0",
    ]
    subject = " ".join(dice.pick(WORDS) for _ in range(3 + dice.below(5)))
    if kind == 0:
        subject = "=?utf-8?b?" + base64.b64encode(("Größe " + subject)[:45].encode()).decode() + "?="
    head.append(f"Subject: {subject}")
    if dice.below(3):
        head.append("Status: RO")
    if kind == 1:
        payload = bytes(dice.below(256) for _ in range(64)) * (size // 88 + 1)
        body = (
            "--part\nContent-Type: text/plain; charset=utf-8\n\n" + dice.text(200)
            + "--part\nContent-Type: application/octet-stream; name=\"data.bin\"\n"
            + "Content-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(payload).decode() + "--part--\n"
        )
        head.append('Content-Type: multipart/mixed; boundary="part"')
    else:
        body = dice.text(size)
        if kind == 2:
            body = ">From the archive\n" + body
        head.append("Content-Type: text/plain; charset=utf-8")
    return "\n".join(head) + "\n\n" + body + "\n"


def main():
    path, count, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    mark = f"{path}.made-for"
    wish = f"{count} {total}"
    if os.path.exists(mark) and open(mark).read().split(":")[0] == wish:
        if os.path.getsize(path) == int(open(mark).read().split(":")[1]):
            print(os.path.getsize(path))
            return
    dice = Dice(total + count)
    written = 0
    with open(path, "w", encoding="ascii", newline="\n") as out:
        for number in range(count):
            # The rest is shared out; the header is about 700 bytes.
            fair = (total - written) // (count - number) - 700
            written += out.write(message(dice, number, max(80, fair // 2 + dice.below(max(1, fair)))))
    with open(mark, "w") as out:
        out.write(f"{wish}:{os.path.getsize(path)}")
    print(os.path.getsize(path))


main()
