#!/usr/bin/env python3
"""Writes a mailbox for the benchmarks: the same arguments, the same bytes, everywhere.

    generate.py FILE MESSAGES BYTES [cron]

The messages are what a server's mailbox holds: cron output, alerts, list mail with encoded names
and subjects, and a few with attachments; or with `cron` nothing but what cron sends. All randomness
is a linear congruential generator of our own, so that no version of Python changes a byte. The file
is not written again if it is there with this length; the length is printed.
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
JOBS = (
    "/usr/local/bin/backup.sh", "test -x /usr/sbin/anacron || run-parts /etc/cron.daily",
    "/usr/lib/sysstat/sa1 1 1", "find /srv/upload -mtime +7 -print -delete", "/opt/app/bin/rotate",
)
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

    def line(self):
        return " ".join(self.pick(WORDS) for _ in range(4 + self.below(9))) + "\n"


class Prose:
    """Text of any size: lines out of a store, since rolling every word takes minutes a gigabyte."""

    def __init__(self, dice):
        self.store = "".join(dice.line() for _ in range(20000))
        self.dice = dice

    def text(self, size):
        start = self.store.index("\n", self.dice.below(len(self.store) // 2)) + 1
        blocks = []
        while start + size >= len(self.store):
            blocks.append(self.store[start:])
            size -= len(self.store) - start
            start = 0
        end = self.store.index("\n", start + max(size, 1)) + 1
        return "".join(blocks) + self.store[start:end]


def stamp(dice, number):
    """The date of a message, as a From_ line and as a header field have it."""
    when = START + datetime.timedelta(minutes=37 * number, seconds=dice.below(60))
    weekday, month = DAYS[when.weekday()], MONTHS[when.month - 1]
    date, year, clock = when.day, when.year, when.time().isoformat()
    return (f"{weekday} {month} {date:2} {clock} {year}",
            f"{weekday}, {date} {month} {year} {clock} +0000")


def from_cron(dice, prose, number, size):
    unix, date = stamp(dice, number)
    host, job = f"web{dice.below(9)}.example.org", dice.pick(JOBS)
    head = [
        f"From root@{host} {unix}",
        f"Return-Path: <root@{host}>",
        f"Received: by {host} (Postfix, from userid 0)",
        f"\tid {dice.below(2**31):08X}; {date}",
        f"From: root@{host} (Cron Daemon)",
        "To: root@example.org",
        f"Subject: Cron <root@{host}> {job}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "X-Cron-Env: <SHELL=/bin/sh>",
        "X-Cron-Env: <HOME=/root>",
        f"Message-ID: <{number}.{dice.below(2**31)}@{host}>",
        f"Date: {date}",
    ]
    if dice.below(4):
        head.append("Status: RO")
    return "\n".join(head) + "\n\n" + prose.text(size) + "\n"


def mixed(dice, prose, number, size):
    name, address = dice.pick(PEOPLE)
    unix, date = stamp(dice, number)
    kind = dice.below(10)
    head = [
        f"From {address} {unix}",
        f"Return-Path: <{address}>",
        f"Received: from relay.example.org (relay.example.org [192.0.2.{dice.below(256)}])",
        f"\tby mail.example.org with ESMTPS id {dice.below(2**31):08X}",
        f"\tfor <root@example.org>; {date}",
        f"From: {name} <{address}>",
        "To: root@example.org",
        f"Date: {date}",
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
            "--part\nContent-Type: text/plain; charset=utf-8\n\n" + prose.text(200)
            + "--part\nContent-Type: application/octet-stream; name=\"data.bin\"\n"
            + "Content-Transfer-Encoding: base64\n\n"
            + base64.encodebytes(payload).decode() + "--part--\n"
        )
        head.append('Content-Type: multipart/mixed; boundary="part"')
    else:
        body = prose.text(size)
        if kind == 2:
            body = ">From the archive\n" + body
        head.append("Content-Type: text/plain; charset=utf-8")
    return "\n".join(head) + "\n\n" + body + "\n"


def main():
    path, count, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    message = from_cron if sys.argv[4:] == ["cron"] else mixed
    mark = f"{path}.made-for"
    wish = f"{message.__name__} {count} {total}"
    if os.path.exists(mark) and open(mark).read().split(":")[0] == wish:
        if os.path.getsize(path) == int(open(mark).read().split(":")[1]):
            print(os.path.getsize(path))
            return
    dice = Dice(total + count)
    prose = Prose(dice)
    written = 0
    with open(path, "w", encoding="ascii", newline="\n") as out:
        for number in range(count):
            # The rest is shared out; the header is about 700 bytes.
            fair = (total - written) // (count - number) - 700
            written += out.write(message(dice, prose, number, max(80, fair // 2 + dice.below(max(1, fair)))))
    with open(mark, "w") as out:
        out.write(f"{wish}:{os.path.getsize(path)}")
    print(os.path.getsize(path))


main()
