#!/usr/bin/env python3
"""Sends awkward mail and lets Python's email package say what arrived.

    .ci/oracle.py PROGRAM

Each mail goes through a sendmail that only records, the interesting ones also by SMTP to a small
server here and into an mbox by built-in delivery. Bodies, subjects, names and attachments must
come out as they went in; on the wire everything is 7-bit with lines of at most 998 bytes.
"""

import email
import email.header
import email.policy
import email.utils
import os
import pathlib
import pwd
import random
import re
import socketserver
import subprocess
import sys
import tempfile
import threading

LIMIT = 60
problems = []


class Sink(socketserver.StreamRequestHandler):
    """An SMTP server that accepts everything and keeps the messages as they came."""

    kept = []

    def handle(self):
        self.say("220 localhost")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"EHLO":
                self.say("250-localhost", "250 SIZE 100000000")
            elif verb == b"DATA":
                self.say("354 go on")
                lines = []
                for line in self.rfile:
                    if line == b".\r\n":
                        break
                    lines.append(line[1:] if line.startswith(b".") else line)
                Sink.kept.append(b"".join(lines))
                self.say("250 kept")
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def say(self, *lines):
        self.wfile.write("".join(line + "\r\n" for line in lines).encode())


class Program:
    def __init__(self, program, place, port):
        self.place, self.port = place, port
        self.program = place / "mailx"
        self.program.symlink_to(pathlib.Path(program).resolve())
        self.message = place / "message"
        self.spool = place / "spool"
        self.spool.mkdir()
        sendmail = place / "sendmail"
        sendmail.write_text(f"#!/bin/sh\nexec cat >{self.message}\n")
        sendmail.chmod(0o755)
        self.ways = {
            "sendmail": f"set mta={sendmail}\nset nooutbox\n",
            "smtp": f"set mta=smtp://127.0.0.1:{port}\nset outbox={self.place}/outbox\nset from=me@example.com\nset hostname=h.example.com\n",
            "local": f"set mta=local\nset nooutbox\nset spool={self.spool}\nset hostname=h.example.com\n",
        }

    def send(self, way, body, *arguments):
        """Returns the message as it arrived, with LF line ends, or None."""
        rc = self.place / "rc"
        rc.write_text("set log=off\n" + self.ways[way])
        rc.chmod(0o600)
        self.message.unlink(missing_ok=True)
        Sink.kept.clear()
        user = pwd.getpwuid(os.getuid()).pw_name
        for old in self.spool.iterdir():
            old.unlink()
        recipient = user if way == "local" else "ops@example.com"
        environment = {"HOME": str(self.place), "MAILRC": str(rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                       "DEAD": str(self.place / "dead")}
        done = subprocess.run([self.program, "-n", *arguments, recipient], input=body, capture_output=True,
                              env=environment, timeout=LIMIT)
        if done.returncode:
            return complain(f"{way} {arguments}: exit {done.returncode}: {done.stderr[:300]!r}")
        if way == "sendmail":
            return self.message.read_bytes()
        if way == "smtp":
            if b"\n" in Sink.kept[0].replace(b"\r\n", b"") or b"\r" in Sink.kept[0].replace(b"\r\n", b""):
                complain(f"{way} {arguments}: a bare CR or LF on the wire")
            return Sink.kept[0].replace(b"\r\n", b"\n")
        text = (self.spool / user).read_bytes()
        text = text.split(b"\n", 1)[1].removesuffix(b"\n")
        return re.sub(rb"(?m)^>(>*From )", rb"\1", text)


def complain(text):
    problems.append(text)


def leaf(message):
    return next(part for part in message.walk() if not part.is_multipart())


def check(program, way, body, subject=None, name=None, attachments=()):
    """Sends one mail and compares what arrived."""
    arguments = []
    if subject is not None:
        arguments += ["-s", subject]
    if name is not None:
        arguments += ["-c", f"{quoted(name)} <cc@example.com>"]
    for file_name, content in attachments:
        (program.place / file_name).write_bytes(content)
        arguments += ["--attach", program.place / file_name]
    wire = program.send(way, body, *arguments)
    if wire is None:
        return
    what = f"{way}: body {body[:60]!r}, subject {subject!r}, name {name!r}, {[a[0] for a in attachments]}"
    if way != "local" and (not wire.isascii() or b"\0" in wire):
        complain(f"{what}: not 7-bit")
    if any(len(line) > 998 for line in wire.split(b"\n")):
        complain(f"{what}: a line over 998")
    strict = email.message_from_bytes(wire, policy=email.policy.default)
    plain = email.message_from_bytes(wire)
    for defect in strict.defects + [d for part in strict.walk() for d in part.defects]:
        complain(f"{what}: {defect!r}")
    got = leaf(plain).get_payload(decode=True)
    # A missing final newline is added to text.
    if got != body and (body.endswith(b"\n") or got != body + b"\n"):
        complain(f"{what}: body arrived as {got[:200]!r} ({len(got)} bytes, not {len(body)})")
    if subject is not None and str(strict["Subject"]) != subject:
        complain(f"{what}: subject arrived as {str(strict['Subject'])!r}")
    if name is not None:
        # Not strict["Cc"]: Python 3.11 keeps the blank between encoded words of a display name.
        raw, address = email.utils.parseaddr(plain["Cc"])
        arrived = str(email.header.make_header(email.header.decode_header(raw)))
        if (arrived, address) != (name, "cc@example.com"):
            complain(f"{what}: name arrived as {arrived!r} <{address}>")
    arrived = [(part.get_filename(), part.get_payload(decode=True))
               for part in strict.walk() if part.get_content_disposition() == "attachment"]
    for (file_name, content), (got_name, got_content) in zip(attachments, arrived):
        if (file_name, content) != (got_name, got_content):
            complain(f"{what}: attachment {file_name!r} arrived as {got_name!r}, {len(got_content)} bytes")
    if len(arrived) != len(attachments):
        complain(f"{what}: {len(arrived)} attachments arrived")


def quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


BODIES = [
    b"", b"\n", b"x", b"x\n", "Größe: 5 €\n".encode(), b"caf\351 \0 \342\202\254\n", b"\x93win\x94\n",
    b"caf\351 \201\n", b"\0\n", bytes(range(256)) + b"\n", b"a\rb\n", b"x" * 3000 + b"\n", b"x" * 998 + b"\n",
    b"x" * 999 + b"\n", b"From me\n>From you\n.\n..\n", b"tail \t\n=\n", b"\x1b[31mred\x1b[0m\n", b"\n" * 50,
]
SUBJECTS = [
    "plain", "Größe 100%", "ä" * 200, "日本語の件名" * 20, "word " * 60 + "end",
    "x" * 1200, "  two  blanks ", "tab\there", "a\N{COMBINING DIAERESIS}" * 40, "🚀" * 60, "re: [x] (y) <z>",
]
NAMES = ["Jane Doe", "Doe, Jane", "Jürgen Groß", 'Quo"te', "山田 太郎", "a@b", "Back\\slash", "Ł" * 60]
FILES = ["plain.txt", "Größe.bin", "two words.pdf", 'quo"te.txt', "semi;colon.txt", "日本語" * 20 + ".pdf", "100%.txt"]


def main():
    dice = random.Random(20261116)
    with tempfile.TemporaryDirectory() as place, socketserver.ThreadingTCPServer(("127.0.0.1", 0), Sink) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        program = Program(sys.argv[1], pathlib.Path(place), server.server_address[1])
        count = 0
        for body in BODIES:
            for way in program.ways:
                check(program, way, body, "t")
                count += 1
        for subject in SUBJECTS:
            if subject.strip() == subject and "\t" not in subject:
                check(program, "sendmail", b"x\n", subject)
                count += 1
        for name in NAMES:
            check(program, "sendmail", b"x\n", "t", name)
            count += 1
        for name in FILES:
            check(program, "sendmail", b"x\n", "t", None, [(name, dice.randbytes(5000))])
            count += 1
        for _ in range(60):
            # Lengths around those of encoded lines and of the limit.
            length = dice.choice([0, 1, 56, 57, 58, 74, 75, 76, 77, 78, 996, 997, 998, 999, 1000, 4000])
            alphabet = dice.choice([range(256), range(32, 127), [10, 32, 61, 46, 97], [10, 13, 65], range(128, 256)])
            body = bytes(dice.choice(list(alphabet)) for _ in range(length + dice.randrange(3)))
            if b"\r\n" in body or body.endswith(b"\r"):
                body = body.replace(b"\r", b"")
            check(program, dice.choice(list(program.ways)), body, "".join(
                chr(dice.choice([dice.randrange(33, 127), dice.randrange(0xa1, 0x2000), 0x1F680]))
                for _ in range(dice.randrange(1, 120))).encode("utf-8", "ignore").decode() or "t")
            count += 1
        large = [("report.pdf", dice.randbytes(10 * 1024 * 1024))]
        for way in program.ways:
            check(program, way, b"caf\351 \0 \342\202\254\n", "Größe 100%", None, large)
            count += 1
    print(f"{count} mails, {len(problems)} problems")
    for problem in problems[:40]:
        print(f"  {problem}")
    return 1 if problems else 0


sys.exit(main())
