#!/usr/bin/env python3
"""Composes random mail and lets foreign readers say what arrived.

    .ci/readers.py PROGRAM [--count N] [--seed N] [--only READER]... [--ids ID]... [--keep DIRECTORY] [--list]

Each mail is composed by the built program in one of its ways, and read by every library of READERS
that is here, half of them with the LF lines of a mailbox, half with the CRLF lines that SMTP and
IMAP bring. Subject, names, addresses, text, HTML, and names and bytes of the attachments must be
what was put in. KNOWN lists the differences that are a reader's own fault, with the section of the
RFC it breaks; any other difference fails. A row of KNOWN that nothing met any more is told.

A reader is a program in .ci/readers that takes a directory and prints one JSON object a message:
`id` (the file's name), `subject`, `from`, `to`, `cc` and `reply-to` (pairs of name and address), and
`parts`: `type`, `name` or null, `attached`, `bytes` (base64) and `text`, either of them null where
the library does not give it; or `error`.

Exit: 0 passed, 77 fewer than four readers are here, else failed.
"""

import argparse
import base64
import collections
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import random
import re
import shlex
import shutil
import string
import subprocess
import sys
import tempfile
import time

COUNT = 1100
SEED = 20261129
# Fewer say too little.
FEWEST = 4
LIMIT = 240
WORKERS = 2
HERE = pathlib.Path(__file__).resolve().parent / "readers"
JARS = ("javax.mail.jar", "javax.activation.jar")

# --- readers ----------------------------------------------------------------------------


@dataclasses.dataclass
class Reader:
    """A library that reads mail, and what it needs."""

    name: str
    # Prints the version; fails where the library is not here.
    probe: list
    command: list
    # Debian's packages with it.
    packages: tuple = ()


def readers(work):
    """Returns all readers that could be tried; the modules of npm are looked for below a directory."""
    java = ["java", "-cp", ":".join(f"/usr/share/java/{jar}" for jar in JARS)]
    modules = work / "node_modules"
    found = [
        Reader("Python email", [sys.executable, "-c", "import sys; print(sys.version.split()[0])"],
               [sys.executable, HERE / "python-email.py", "default"]),
        Reader("Python compat32", [sys.executable, "-c", "import sys; print(sys.version.split()[0])"],
               [sys.executable, HERE / "python-email.py", "compat32"]),
        # Debian's libraries belong to Debian's Python.
        Reader("GMime", ["/usr/bin/python3", "-c", "import gi; gi.require_version('GMime', '3.0')\n"
                         "from gi.repository import GMime; print(GMime.MAJOR_VERSION, GMime.MINOR_VERSION, GMime.MICRO_VERSION)"],
               ["/usr/bin/python3", HERE / "gmime.py"], ("python3-gi", "gir1.2-gmime-3.0")),
        Reader("Email::MIME", ["perl", "-MEmail::MIME", "-e", "print $Email::MIME::VERSION"],
               ["perl", HERE / "email-mime.pl"], ("libemail-mime-perl",)),
        Reader("MIME::Parser", ["perl", "-MMIME::Parser", "-MMail::Address", "-e", "print $MIME::Parser::VERSION"],
               ["perl", HERE / "mime-parser.pl"], ("libmime-tools-perl",)),
        Reader("PHP mailparse", ["php", "-r", "mailparse_msg_create(); mb_strlen(''); echo phpversion('mailparse');"],
               ["php", HERE / "mailparse.php"], ("php-cli", "php-mailparse", "php-mbstring")),
        Reader("Ruby mail", ["ruby", "-rmail", "-e", "print Mail::VERSION.version"],
               ["ruby", HERE / "mail.rb"], ("ruby-mail",)),
        # A program of one file needs the compiler, which is large: only where it is already.
        Reader("JavaMail", ["sh", "-c", "javac -version && java -version 2>&1 | head -n 1 && ls " +
                            " ".join(f"/usr/share/java/{jar}" for jar in JARS)],
               [*java, HERE / "JavaMail.java"], ("libmail-java",) if shutil.which("javac") else ()),
    ]
    for library in ("mailparser", "postal-mime"):
        found.append(Reader(library, ["node", "-p", f"require('{modules}/{library}/package.json').version"],
                            ["node", HERE / "node.mjs", library, modules]))
    return found


def install(wanted, work):
    """Installs what is missing, where we may."""
    packages = [package for reader in wanted if version(reader) is None for package in reader.packages]
    if packages and os.getuid() == 0 and shutil.which("apt-get"):
        # Alone, so that one that cannot be had costs only its reader; never a mail server that one recommends.
        command = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        if subprocess.run([*command, *packages], env=environment, stdout=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(["apt-get", "update", "-q"], stdout=subprocess.DEVNULL, check=False)
            for package in packages:
                subprocess.run([*command, package], env=environment, stdout=subprocess.DEVNULL, check=False)
    if shutil.which("npm"):
        subprocess.run(["npm", "install", "--prefix", work, "--ignore-scripts", "--no-audit", "--no-fund", "--silent",
                        "mailparser@3", "postal-mime"], timeout=LIMIT, check=False)


def version(reader):
    """Returns the version of a reader, or None where it is not here."""
    try:
        done = subprocess.run(reader.probe, capture_output=True, timeout=LIMIT, text=True, check=False)
    except OSError:
        return None
    return done.stdout.split("\n")[0] if done.returncode == 0 else None


# --- mails ------------------------------------------------------------------------------


@dataclasses.dataclass
class Mail:
    """What is put in, and what must come out."""

    id: str
    way: str
    crlf: bool = False
    subject: bytes = b""
    wanted_subject: str = ""
    sender: tuple = None
    to: list = dataclasses.field(default_factory=list)
    cc: list = dataclasses.field(default_factory=list)
    reply_to: tuple = None
    body: bytes = b""
    wanted_text: str = ""
    html: str = None
    # Name as it is in the file system, name that is read, content.
    attachments: list = dataclasses.field(default_factory=list)
    command: str = ""
    wire: bytes = b""
    problem: str = None


WORDS = {
    "ascii": "disk usage of host alpha is at 97 percent backup job failed with status (ok) [warn] re: 100% a=b x_y ? ! #5".split(),
    "latin": "Größe überprüft für Straße naïve café señor Łódź Żółć coûts €5".split(),
    "cyrillic": "Сервер недоступен ошибка резервного копирования №7".split(),
    "cjk": "日本語の件名 バックアップ失敗 磁盘空间不足 漢字".split(),
    "emoji": "🚀 👩‍👩‍👧‍👦 ✓ 🇩🇪 👍🏽 ❤️".split(),
    "combining": ["e\u0301te\u0301", "a\u0308\u0323o\u0308", "n\u0303", "Z\u0351\u036b\u0343algo"],
    "rtl": "שלום עולם مرحبا بالعالم العَرَبِيَّة".split(),
}
FOREIGN = [kind for kind in WORDS if kind != "ascii"]
ADDRESSES = ["ops@example.com", "j.doe@example.org", "a+b@example.net", "o'brien@example.org", "x_1@sub.example.com",
             "{me}=x@example.com", "\"q..l\"@example.org"]
# Gets a blind copy.
HIDDEN = "hidden.copy@example.com"
# A subject that somebody else has encoded.
READY_MADE = b"=?utf-8?Q?Gr=C3=B6=C3=9Fe?="
ENDS = ["", ".txt", ".sh", ".pdf", ".log", ".csv", ".html", ".json", ".tar.gz", ".png", ".bin", ".py", ".C"]


class Dice(random.Random):
    """Random texts, names and bytes as people and machines send them."""

    def words(self, kinds, count):
        return " ".join(self.choice(WORDS[self.choice(kinds)]) for _ in range(count))

    def some_kinds(self):
        return self.choice([["ascii"], [self.choice(FOREIGN)], ["ascii", self.choice(FOREIGN)], list(WORDS)])

    def subject(self):
        """Returns a subject and what must be read."""
        kind = self.randrange(15)
        if kind == 0:
            return b"", ""
        if kind == 1:
            text = self.choice(["x" * self.choice([70, 77, 78, 79, 300, 1200]), self.words(["ascii"], self.choice([30, 150]))])
        elif kind == 2:
            text = self.choice(["=?", "a =?b?= c", "100% =20 =C3=A4", "a_b_c ä_ö", "tail?=", "\"quoted\" 'single' \\back", "<x@y>, z"])
        elif kind == 3:
            return READY_MADE, "Größe"
        elif kind == 4:
            text = self.words(self.some_kinds(), 3)
            return text.encode().replace(b" ", self.choice([b"\n", b"\r\n", b"\x07\n"]), 1), text
        elif kind == 5:
            text = self.words(["latin"], 3) + " "
            return text.encode() + b"cut \xc3", text + "cut \ufffd"
        elif kind == 6:
            text = "Größe für Müller"
            return text.encode("latin-1"), text
        elif kind == 7:
            # Cut off by bytes, as scripts do with long texts, but at a character.
            text = self.words([self.choice(FOREIGN)], 60).encode()[:self.randrange(1, 400)].decode("utf-8", "ignore").strip() or "x"
        elif kind == 8:
            text = self.words(self.some_kinds(), 30).replace(" ", "  ").replace("a", "a   ").strip()
        else:
            text = self.words(self.some_kinds(), self.choice([1, 2, 4, 8, 16, 30]))
        return text.encode(), text

    def name(self):
        kind = self.randrange(8)
        if kind == 0:
            return ""
        if kind == 1:
            return self.choice(["Doe, Jane", 'Ann "Bob" Dobbs', "J. R. Dobbs", "O'Brien", "a@b", "root (cron)", "Back\\slash",
                                "Müller, Jörg", "Jörg \"J\" Müller", "Dr. Ö", "x;y", "Sys: Admin", "<angle>", "a.b", "[tag] me",
                                "two  blanks", "zwei  Größen"])
        if kind == 2:
            return self.words(["ascii"], self.choice([1, 2, 12, 25]))
        if kind == 3:
            return "".join(self.choice(string.ascii_letters) for _ in range(self.choice([1, 60, 75, 76, 77, 90])))
        return self.words(self.some_kinds(), self.choice([1, 2, 2, 3, 8, 20]))

    def person(self):
        return self.name(), self.choice(ADDRESSES)

    def people(self):
        return [self.person() for _ in range(self.choice([0, 1, 1, 2, 3, 6]))]

    def lines(self):
        return "".join(self.words(self.some_kinds(), self.randrange(1, 14)) + "\n" for _ in range(self.randrange(1, 30)))

    def body(self):
        """Returns a body and the text that must be read."""
        kind = self.randrange(18)
        text = self.lines()
        if kind == 0:
            return b"", ""
        if kind == 1:
            body = self.words(["latin"], 20).encode() + b"\ncut \xc3\nnext\n"
            return body, body.decode("utf-8", "replace")
        if kind == 2:
            text = "Größe für Müller – 5 €\n" * self.randrange(1, 5)
            return text.encode("cp1252"), text
        if kind == 3:
            text = self.choice(["x", "ä"]) * self.choice([996, 997, 998, 999, 1000, 3000]) + "\n" + text
        elif kind == 4:
            text = text.replace("\n", "\rx\n", 1)
        elif kind == 5:
            text += "a\0b\n"
        elif kind == 6:
            return text.replace("\n", "\r\n").encode(), text
        elif kind == 7:
            text = "From me\n.\n..\n>From you\n" + text + "From \nFrom here\n.\n"
        elif kind == 8:
            text = "tail  \nmore\t\n   \n" + text + "= =3D\n end \n"
        elif kind == 9:
            text = text.rstrip("\n")
            return text.encode(), text + "\n"
        elif kind == 10:
            text = "\n\n" + text + "\n\n\n"
        elif kind == 11:
            text = "--\n-- \n--=\n" + text + "Subject: no header\n"
        elif kind == 12:
            return text.encode("utf-16"), text
        return text.encode(), text

    def file_name(self):
        """Returns the name of a file and the one that must be read."""
        kind = self.randrange(20)
        if kind == 18:
            return "Größe für.txt".encode("latin-1"), "Größe für.txt"
        if kind == 19:
            return "Größe für".encode() + b" \xfc.txt", "Größe für \ufffd.txt"
        name = self.clean_file_name()
        return name.encode(), name

    def clean_file_name(self):
        kind = self.randrange(9)
        if kind == 0:
            punctuation = [c for c in string.punctuation if c != "/"]
            stem = "a" + "".join(self.sample(punctuation, self.choice([1, 2, 5, len(punctuation)]))) + "b"
        elif kind == 1:
            stem = self.choice(["it's", 'quo"te', "back\\slash", "semi;colon", "com,ma", "per%cent%20", "=?x?=", "a'b'c", "utf-8''x",
                                "star*", "curly{}", "#1", "~tilde", "(1)", "a=b", "-dash", ".hidden", "q?", "<x>", "[1]", "`x`", "a|b", "$x"])
        elif kind == 2:
            stem = self.choice(["two words", "a  b", " lead", "tail ", "x y z " * 8])
        elif kind == 3:
            stem = "".join(self.choice(string.ascii_letters + string.digits) for _ in range(self.choice([40, 60, 78, 100, 200])))
        elif kind == 4:
            stem = self.words(self.some_kinds(), 12).replace("/", "").encode()[:self.choice([50, 90, 200])].decode("utf-8", "ignore")
        elif kind == 5:
            stem = self.choice(['Größe "neu"', "Ärger\\x", "naïve; x", "日本'語", "ü%41", "é,è", "Ω=1"])
        elif kind == 6:
            stem = self.words([self.choice(FOREIGN)], 2)
        else:
            stem = self.choice(["report", "x", "run", "data_1", "Makefile", "a.b.c", "2026-11-29"])
        return stem + self.choice(ENDS)

    def content(self):
        kind = self.randrange(11)
        if kind == 0:
            return b""
        if kind < 3:
            return self.randbytes(self.choice([1, 2, 3, 56, 57, 58, 5000]))
        return [
            b"#!/bin/sh\necho 'hi' | mail -s x root\nexit 0\n",
            self.lines().encode(),
            self.lines().encode().replace(b"\n", b"\r\n"),
            self.lines().encode().rstrip(b"\n"),
            b"x" * self.choice([998, 999, 3000]) + b"\nshort\n",
            b"From me\n.\n>From you\n..\ntail  \n\n\n",
            b"mixed\r\nends\nhere\rlone\n",
            "Größe\n".encode("latin-1") + b"\0\n",
        ][kind - 3]

    def html(self):
        text = self.words(self.some_kinds(), self.randrange(1, 40))
        return f"<html><body><p>{text.replace('<', '').replace('&', '')}</p>\n<b>{self.choice(['x', 'ü' * 900])}</b></body></html>\n"

    def mail(self, number):
        way = self.choice(["mailx"] * 8 + ["postrider"] * 6 + ["template"] * 2 + ["sendmail"] * 2 + ["as HTML"])
        mail = Mail(f"{number:04}", way, crlf=self.random() < 0.5)
        mail.subject, mail.wanted_subject = self.subject()
        if way in ("template", "sendmail"):
            # Header fields in a text are lines: what a line cannot hold is for the others.
            while b"\n" in mail.subject or not mail.subject:
                mail.subject, mail.wanted_subject = self.subject()
        mail.to = self.people() or [self.person()]
        mail.cc = self.people() if self.random() < 0.3 else []
        if self.random() < 0.6:
            mail.sender = (self.name(), self.choice(ADDRESSES))
        if self.random() < 0.15:
            mail.reply_to = self.person()
        mail.body, mail.wanted_text = self.body()
        while way in ("template", "sendmail") and mail.body.startswith(b"\xff\xfe"):
            # No text of UTF-16 stands behind a header.
            mail.body, mail.wanted_text = self.body()
        if way != "sendmail" and self.random() < 0.45:
            names = {self.file_name() for _ in range(self.choice([1, 1, 1, 2, 4]))}
            mail.attachments = [(*name, self.content()) for name in sorted(names)]
        if way in ("mailx", "postrider") and self.random() < 0.12:
            mail.html = self.html()
        if way == "as HTML":
            mail.html, mail.body, mail.wanted_text = self.html(), b"", ""
        return mail


# --- composing --------------------------------------------------------------------------

SPECIAL = set('()<>[]:;@\\,."')


def written(person, dice):
    """Returns a person as people write one on a command line."""
    name, address = person
    if not name:
        return address
    # Outside of quotes any number of blanks is one.
    if SPECIAL & set(name) or "  " in name or dice.random() < 0.5:
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>"


def run_of(mail, place, dice):
    """Returns arguments and standard input that compose a mail; its files are made."""
    files = []
    for number, (name, _, content) in enumerate(mail.attachments):
        directory = place / f"{mail.id}.{number}"
        directory.mkdir()
        file = directory / os.fsdecode(name)
        file.write_bytes(content)
        files.append(file)
    to = [written(person, dice) for person in mail.to]
    cc = [written(person, dice) for person in mail.cc]
    sender = mail.sender and written(mail.sender, dice)
    reply_to = mail.reply_to and "Reply-To: " + written(mail.reply_to, dice)
    stdin = mail.body
    html = []
    if mail.html is not None and mail.way != "as HTML":
        (place / f"{mail.id}.html").write_text(mail.html)
        html = ["--html", place / f"{mail.id}.html"]
    hidden = dice.random() < 0.2
    if mail.way in ("template", "sendmail"):
        head = ["To: " + ", ".join(to)] + (["Cc: " + ",\n ".join(cc)] if cc else [])
        head += ["From: " + sender] if sender else []
        head += [reply_to] if reply_to else []
        head += [f"Bcc: {HIDDEN}"] if hidden else []
        stdin = b"Subject: " + mail.subject + b"\n" + "\n".join(head).encode() + b"\n\n" + mail.body
        arguments = ["mailx", "-t", *[word for file in files for word in ("-a", file)]]
        if mail.way == "sendmail":
            arguments = ["sendmail", "-i", "-t"]
    elif mail.way in ("mailx", "as HTML"):
        arguments = ["mailx", "-s", mail.subject, *html]
        if mail.way == "as HTML":
            arguments, stdin = ["mailx", "-M", "text/html", "-s", mail.subject], mail.html.encode()
        arguments += [word for file in files for word in (dice.choice(["-a", "--attach"]), file)]
        arguments += [word for one in cc for word in ("-c", one)] if dice.random() < 0.5 else ["-c", ", ".join(cc)] if cc else []
        if sender and mail.sender[0] and dice.random() < 0.2:
            arguments += ["-r", mail.sender[1], "--full-name", mail.sender[0]]
        elif sender:
            arguments += ["-r", sender]
        arguments += ["-C", reply_to] if reply_to else []
        arguments += ["-b", HIDDEN] if hidden else []
        arguments += ["--", *to]
    else:
        arguments = ["postrider", "send", "--subject", mail.subject, *html]
        arguments += [word for file in files for word in ("--attach", file)]
        arguments += ["--cc", ", ".join(cc)] if cc else []
        arguments += ["--from", sender] if sender else []
        arguments += ["--header", reply_to] if reply_to else []
        arguments += ["--bcc", HIDDEN] if hidden else []
        arguments += ["--", *(to if dice.random() < 0.5 else [", ".join(to)])]
    return arguments, stdin


def compose(mail, program, place, dice):
    """Composes a mail: by a sendmail that keeps it, or as built-in delivery writes it."""
    arguments, stdin = run_of(mail, place, dice)
    kept = place / f"{mail.id}.kept"
    through = dice.random() < 0.75
    sendmail = place / f"{mail.id}.sendmail"
    sendmail.write_text(f"#!/bin/sh\nexec cat >'{kept}'\n")
    sendmail.chmod(0o755)
    rc = place / f"{mail.id}.rc"
    rc.write_text(f"set log=off\nset mta={sendmail if through else f'test://{kept}'}\n")
    rc.chmod(0o600)
    environment = {"HOME": str(place), "MAILRC": str(rc), "PATH": "/usr/bin:/bin", "DEAD": str(place / f"{mail.id}.dead"),
                   "LC_ALL": dice.choice(["C", "C.UTF-8"]), "SOURCE_DATE_EPOCH": "1796000000"}
    words = [os.fsencode(word) if not isinstance(word, bytes) else word for word in arguments]
    mail.command = " ".join(shlex.quote(word.decode("utf-8", "backslashreplace")) for word in words) + f" < {stdin[:200]!r}"
    done = subprocess.run([place / arguments[0], *words[1:]], input=stdin, capture_output=True, env=environment, timeout=LIMIT,
                          check=False)
    if done.returncode or not kept.exists():
        mail.problem = f"exit {done.returncode}: {done.stderr.decode('utf-8', 'replace')[:300]}"
        return
    wire = kept.read_bytes()
    if not through:
        wire = re.sub(rb"(?m)^>(>*From )", rb"\1", wire.split(b"\n", 1)[1].removesuffix(b"\n"))
    mail.problem = wrong_on_the_wire(wire, through)
    mail.wire = wire.replace(b"\n", b"\r\n") if mail.crlf and b"\r" not in wire else wire


def wrong_on_the_wire(wire, through):
    """Says what no reader complains of, and some mail system on the way does."""
    if b"\r" in wire.replace(b"\r\n", b"\n"):
        return "a bare CR is on the wire"
    if through and (not wire.isascii() or b"\0" in wire):
        return "a sendmail got bytes that are not 7-bit"
    if HIDDEN.encode() in wire:
        return "the recipient of a blind copy is on the wire"
    if any(len(line) > 998 for line in wire.split(b"\n")):
        return "a line is longer than 998 (RFC 5322 section 2.1.1)"
    header = wire.split(b"\n\n")[0]
    names = [line.split(b":")[0].lower() for line in header.split(b"\n") if line[:1] not in (b" ", b"\t")]
    twice = [name for name in set(names) if names.count(name) > 1 and name not in (b"received",)]
    if twice:
        return f"{twice[0].decode()} stands twice in the header (RFC 5322 section 3.6)"
    for line in header.split(b"\n"):
        if len(line) > 76 and re.search(rb"=\?[\w-]+\?[QB]\?[^ ?]*\?=", line) and READY_MADE not in line:
            return f"a line with an encoded word is longer than 76 (RFC 2047 section 2): {line.decode('utf-8', 'replace')}"
    return None


# --- comparing --------------------------------------------------------------------------


def plain_address(address):
    """Returns an address without the quotes of its local part: some readers take them off."""
    local, _, domain = address.rpartition("@")
    return (local[1:-1] if local.startswith('"') else local) + "@" + domain


def lines(text):
    return text.replace("\r\n", "\n")


def told_text(text):
    """Returns a text as it can be compared: each reader writes its own number of U+FFFD for bad bytes."""
    return lines(text).replace("\ufffd", "")


def differences(mail, told):
    """Yields field, wanted and got for everything that is not as it was put in."""
    if "error" in told:
        yield "all", "a message", told["error"]
        return
    if told["subject"] != mail.wanted_subject:
        yield "subject", mail.wanted_subject, told["subject"]
    people = [("to", mail.to), ("cc", mail.cc), ("reply-to", [mail.reply_to] if mail.reply_to else [])]
    people += [("from", [mail.sender])] if mail.sender else []
    for field, wanted in people:
        got = told[field]
        if [plain_address(address) for _, address in got] != [plain_address(address) for _, address in wanted]:
            yield f"{field} address", wanted, got
        elif [name for name, _ in got] != [name for name, _ in wanted]:
            yield f"{field} name", [name for name, _ in wanted], [name for name, _ in got]
    yield from of_parts(mail, told["parts"])


def of_parts(mail, parts):
    files = [part for part in parts if part["name"] is not None or part["attached"]]
    rest = [part for part in parts if part not in files]
    for kind, wanted in (("text/plain", mail.wanted_text), ("text/html", mail.html)):
        here = [part for part in rest if part["type"] == kind]
        if wanted is None and not here or kind == "text/plain" and not here and not wanted.strip("\n"):
            continue
        field = "text" if kind == "text/plain" else "html"
        if len(here) != (wanted is not None):
            # A text may be made from HTML where none was given.
            if not (field == "text" and not mail.body and len(here) == 1):
                yield f"{field} parts", wanted, [part["text"] for part in here]
            continue
        if field == "text" and mail.html is not None and not mail.body:
            continue
        text = here[0]["text"]
        if text is not None and field == "text" and not mail.body.endswith(b"\n"):
            # A last line end may be added.
            wanted, text = wanted.removesuffix("\n"), lines(text).removesuffix("\n")
        if text is not None and told_text(text) != told_text(wanted):
            yield field, wanted, text
        elif field == "text" and here[0]["bytes"] is not None and not right_bytes(mail, base64.b64decode(here[0]["bytes"])):
            yield f"{field} bytes", mail.body, base64.b64decode(here[0]["bytes"])
    if len(files) != len(mail.attachments):
        yield "attachments", [name for _, name, _ in mail.attachments], [part["name"] for part in files]
        return
    for (_, name, content), part in zip(mail.attachments, files):
        if part["name"] != name:
            yield "attachment name", name, part["name"]
        if part["bytes"] is not None and base64.b64decode(part["bytes"]) != content:
            yield "attachment bytes", content, base64.b64decode(part["bytes"])


def right_bytes(mail, got):
    """Says whether a text came with its bytes: with LF for line ends, and one at the end."""
    body = mail.body
    if body.startswith(b"\xff\xfe"):
        # UTF-16 goes as UTF-8.
        body = mail.wanted_text.encode()
    if body.count(b"\r\n") == body.count(b"\n"):
        body = body.replace(b"\r\n", b"\n")
    body, got = body.replace(b"\r\n", b"\n"), got.replace(b"\r\n", b"\n")
    return got == body or not body.endswith(b"\n") and got == body + b"\n"


# --- known differences ------------------------------------------------------------------


@dataclasses.dataclass
class Known:
    """A difference that is a reader's fault: nothing that we could write is read right by it."""

    reader: str
    field: str
    # Whether wanted and got differ in this way.
    rule: object
    why: str
    # Only in a header that came ready-made, which we do not rewrite.
    ready_made: bool = False
    count: int = 0


KNOWN = [
    Known("Python email", "(from|to|cc|reply-to) name",
          lambda wanted, got: "".join(wanted).replace(" ", "") == "".join(got).replace(" ", ""),
          "a name of more than one encoded word keeps the blanks between them (RFC 2047 section 6.2)"),
    Known("Python (email|compat32)", "attachment name", lambda wanted, got: got == wanted.strip(),
          "blanks at the ends of a file name are taken off, inside of quotes and encoded too (RFC 2045 section 5.1)"),
    Known("postal-mime", "text|html", lambda wanted, got: got == wanted + "\n",
          "the line end before a boundary is taken as the text's, though it is the boundary's (RFC 2046 section 5.1.1)"),
    Known("postal-mime", "text|html",
          lambda wanted, got: in_bytes(wanted.rstrip("\n"), "cp1252") == in_bytes(got.rstrip("\n"), "latin-1") is not None,
          "some versions of Node decode windows-1252 as ISO 8859-1"),
    Known("PHP mailparse", "subject", lambda wanted, got: "=?" in wanted and got == "",
          "what begins as an encoded word and is none loses the text (RFC 2047 section 6.3)", ready_made=True),
    Known("PHP mailparse", "(from|to|cc|reply-to) name",
          lambda wanted, got: re.sub(r'[ "\\]', "", "".join(wanted)) == re.sub(r'[ "\\]', "", "".join(got)),
          "blanks around ! % / = ? are lost, and no backslash in quotes is undone (RFC 5322 sections 3.2.3, 3.2.4)", ready_made=True),
    Known("Ruby mail", "(from|to|cc|reply-to) name",
          lambda wanted, got: "q..l" in got and all(one in (other, "q..l") for one, other in zip(got, wanted)),
          "the quoted string of an address, \"q..l\"@example.org, is taken for the name (RFC 5322 section 3.4.1)"),
    Known("GMime", "text", lambda wanted, got: "\0" in wanted and wanted.startswith(got),
          "a NUL ends the text of its interface, which is a string of C; the bytes are there"),
]


def in_bytes(text, charset):
    """Returns a text in a charset, or None where that has not all its characters."""
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return None


def known(reader, mail, field, wanted, got):
    for row in KNOWN:
        if row.ready_made and mail.way != "sendmail":
            continue
        if re.fullmatch(row.reader, reader) and re.fullmatch(row.field, field) and row.rule(wanted, got):
            row.count += 1
            return row
    return None


# --- the run ----------------------------------------------------------------------------


def shown(value):
    """Returns a value as a line of a report."""
    text = ascii(value) if isinstance(value, bytes) else repr(value)
    return text if len(text) < 400 else f"{text[:250]} … {text[-120:]} ({len(text)})"


def first_difference(wanted, got):
    if type(wanted) is type(got) and isinstance(wanted, (str, bytes)) and len(wanted) > 60:
        at = next((at for at, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]), min(len(wanted), len(got)))
        return f"from {at} on: {shown(wanted[max(0, at - 20):at + 60])} came as {shown(got[max(0, at - 20):at + 60])}"
    return f"{shown(wanted)} came as {shown(got)}"


def composed(program, options, place):
    """Returns the mails, and says what could not be composed."""
    for name in ("mailx", "postrider", "sendmail"):
        (place / name).symlink_to(pathlib.Path(program).resolve())
    dice = Dice(options.seed)
    mails = [(Dice(f"{options.seed} {number}")).mail(number) for number in range(options.count)]
    mails = [mail for mail in mails if not options.ids or mail.id in options.ids]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(lambda mail: compose(mail, program, place, Dice(f"{options.seed} {mail.id}")), mails))
    return mails


def read_by(reader, directory):
    """Returns what a reader says of the messages, by their id."""
    started = time.monotonic()
    done = subprocess.run([*reader.command, directory], capture_output=True, timeout=LIMIT, check=False)
    told = {}
    for line in done.stdout.decode("utf-8", "replace").splitlines():
        if line.startswith("{"):
            row = json.loads(line)
            told[row["id"]] = row
    return told, done.stderr.decode("utf-8", "replace"), time.monotonic() - started


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=COUNT, help="how many mails")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--only", action="append", default=[], metavar="READER")
    parser.add_argument("--ids", action="append", default=[], metavar="ID", help="only these mails")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIRECTORY", help="keep the messages there")
    parser.add_argument("--list", action="store_true", help="print every difference")
    return parser.parse_args()


def main():
    options = arguments()
    with tempfile.TemporaryDirectory() as work:
        return run(options, pathlib.Path(work))


def run(options, work):
    wanted = [reader for reader in readers(work) if not options.only or reader.name in options.only]
    install(wanted, work)
    here = []
    for reader in wanted:
        found = version(reader)
        if found is None:
            print(f"LEFT OUT: {reader.name} is not here"
                  + (f" (Debian: {' '.join(reader.packages)})" if reader.packages else ""))
        else:
            print(f"{reader.name} {found}")
            here.append(reader)
    if len(here) < FEWEST and not options.only:
        print(f"only {len(here)} readers are here")
        return 77
    messages = options.keep or work / "messages"
    messages.mkdir(exist_ok=True)
    (work / "compose").mkdir()
    started = time.monotonic()
    mails = composed(options.program, options, work / "compose")
    for mail in mails:
        if mail.wire:
            (messages / mail.id).write_bytes(mail.wire)
    print(f"{len(mails)} mails, seed {options.seed}, composed in {time.monotonic() - started:.0f} s")
    groups = collections.defaultdict(list)
    for mail in mails:
        if mail.problem:
            groups["our program", "composing"].append((mail, mail.problem))
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        results = list(pool.map(lambda reader: read_by(reader, messages), here))
    for reader, (told, stderr, took) in zip(here, results):
        matched = 0
        for mail in mails:
            if not mail.wire:
                continue
            for field, put, got in differences(mail, told.get(mail.id, {"error": "not read: " + stderr[-300:]})):
                row = known(reader.name, mail, field, put, got)
                matched += row is not None
                if row is None:
                    groups[reader.name, field].append((mail, first_difference(put, got)))
        mine = sum(len(found) for (name, _), found in groups.items() if name == reader.name)
        print(f"  {reader.name}: {mine} differences, {matched} known, {took:.0f} s")
    return report(groups, options)


def report(groups, options):
    for row in KNOWN:
        if row.count:
            print(f"KNOWN: {row.reader}: {row.field}: {row.count} times: {row.why}{', ready-made' if row.ready_made else ''}")
        elif not options.only and not options.ids:
            print(f"KNOWN: {row.reader}: {row.field}: met nothing, it may go: {row.why}")
    for (name, field), found in sorted(groups.items(), key=lambda group: -len(group[1])):
        print(f"{name}: {field}: {len(found)} differences")
        for mail, text in found if options.list else found[:3]:
            print(f"  {mail.id} ({mail.way}{', CRLF' if mail.crlf else ''}) {text}")
            if options.ids or field == "composing":
                print(f"       {mail.command[:600]}")
    return 1 if groups else 0


sys.exit(main())
