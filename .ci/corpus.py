#!/usr/bin/env python3
"""Reads a collection of real mail with the program, when there is one beside the checkout.

    .ci/corpus.py PROGRAM DIRECTORY

The directory's README.md says how many messages each mbox holds. Every mbox must list as many;
every single message, wrapped as an mbox, must be listed once and printed, with every word of plain
text that Python's email package finds in it; nothing may panic, hang, or change a file. Exits 77, saying so, when the directory is not there.
"""

import collections
import email
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Counts that the README gives in other words, and mailboxes it does not count.
COUNTS = {"easy-ham-2.mbox": 1400, "spam-1.mbox": 500, "mboxcl2": 3, "mboxcl2.lies": 3, "testmbox.empty": 0}
# Mailboxes of which each message is compared word by word.
REAL = ("easy-ham-2.mbox", "spam-1.mbox")
NOT_MAIL = re.compile(r"README|UPSTREAM|LICENSE|COPYING|DISTFILES|\.(bmp|exr|gif|jpg|pbm|pgm|png|ppm|ras|sgi"
                      r"|tiff|webp|xbm|aif[cf]|au|wav|gz|bz2|xz|lz|zip|json|py|idx|db)$|/\.|CREDITS|REGISTRY")
LIMIT = 60
problems = []


def counts(readme):
    """Returns name -> number of messages, from the sentence "Messages per mbox"."""
    text = readme.read_text()
    text = text[text.index("Messages per mbox"):].replace("\n", " ")
    text = re.sub(r"\([^)]*\)", "", text[text.index(":") + 1:])
    found = dict(COUNTS)
    for name, number in re.findall(r"([\w.+-]+) (\d+)(?=[,.\s]|$)", text):
        found.setdefault(name, int(number))
    return found


def wanted(found, path):
    for name in (path.name, re.sub(r"\.(mbox|sep|txt)$", "", path.name)):
        if name in found:
            return found[name]
    return None


class Program:
    def __init__(self, program, home):
        self.program, self.home = home / "mailx", home
        self.program.symlink_to(pathlib.Path(program).resolve())
        (home / "rc").write_text("set log=off\n")

    def run(self, *arguments):
        environment = {"HOME": str(self.home), "MAILRC": str(self.home / "rc"), "LC_ALL": "C",
                       "PATH": "/usr/bin:/bin", "DEAD": str(self.home / "dead"), "COLUMNS": "120"}
        words = [self.program, "-n", *arguments]
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, env=environment,
                                  timeout=LIMIT)
        except subprocess.TimeoutExpired:
            problems.append(f"{arguments}: still running after {LIMIT} s")
            return None
        error = done.stderr.decode(errors="replace")
        if done.returncode == 70 or "panick" in error or done.returncode < 0:
            problems.append(f"{arguments}: exit {done.returncode}: {error[:500]}")
            return None
        if re.search(rb"[\0-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", done.stdout):
            problems.append(f"{arguments}: control characters on standard output")
        return done


def check_mbox(mailx, path, expected):
    done = mailx.run("-H", "-f", path)
    if done is None:
        return
    lines = len(done.stdout.splitlines())
    if lines != expected:
        problems.append(f"{path}: lists {lines} messages, not {expected} (exit {done.returncode})")
    if done.returncode != (0 if expected else 1):
        problems.append(f"{path}: -H: exit {done.returncode}: {done.stderr[:200]}")
    exists = mailx.run("-e", "-f", path)
    if exists is not None and exists.returncode != (0 if expected else 1):
        problems.append(f"{path}: -e: exit {exists.returncode}")
    mailx.run("-p", "-f", path)


WORD = re.compile(r"[^\W_]{2,}")
# Files within a text: they are listed, not shown.
UUENCODED = re.compile(rb"(?ms)^begin [0-7]{3,4} [^\n]+\n.*?^end\s*?$")
FROM_LINE = re.compile(rb"(?m)^From [^\n]*\d\d:\d\d[^\n]*\n")
compared = lost = 0


def plain_texts(part):
    """Yields the plain texts that a reader shows: of an alternative the first that is not empty."""
    if part.get_content_type() == "message/external-body":
        # It says where its text is, and has none.
        return
    if part.get_content_type() == "message/rfc822" or not part.is_multipart():
        parts = [part]
    elif part.get_content_type() == "multipart/alternative":
        forms = [form for form in part.get_payload() if any(text.strip() for text in plain_texts(form))]
        parts = forms[:1]
    else:
        parts = part.get_payload()
    for one in parts:
        if one is not part:
            yield from plain_texts(one)
        elif one.is_multipart():
            for inner in one.get_payload():
                yield from plain_texts(inner)
        elif one.get_content_type() == "text/plain" and one.get_content_disposition() != "attachment":
            content = UUENCODED.sub(b"", one.get_payload(decode=True) or b"")
            # HTML without a label is rendered; delsp joins words that Python leaves apart.
            if content.strip().startswith(b"<") or one.get_param("delsp") == "yes":
                continue
            try:
                yield content.decode(one.get_content_charset() or "ascii")
            except (LookupError, UnicodeDecodeError):
                # Which charset it is may be judged differently; its ASCII words may not.
                yield content.decode("ascii", errors="replace")


def check_words(path, message, shown):
    """Every word of plain text is shown as often as it is written."""
    global compared, lost
    try:
        texts = list(plain_texts(email.message_from_bytes(message)))
    except Exception as error:
        # What Python's package cannot read is not its to judge.
        return print(f"  {path}: not compared: {error!r:.80}")
    # Words beside a character that is replaced are cut differently.
    texts = [re.sub(r"\w*[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffd\u200e\u200f\u202a-\u202e]\w*", " ", text) for text in texts]
    written = collections.Counter(word for text in texts for word in WORD.findall(text))
    missing = written - collections.Counter(WORD.findall(shown))
    compared += sum(written.values())
    lost += sum(missing.values())
    if missing:
        problems.append(f"{path}: words not shown: {dict(missing.most_common(6))}")


def check_messages(mailx, path, place):
    """Each message of an mbox, printed alone."""
    for number, message in enumerate(FROM_LINE.split(path.read_bytes())[1:], 1):
        wrapped = place / "one.mbox"
        wrapped.write_bytes(b"From test@example.org Mon Nov 16 09:00:00 2026\n" + message.rstrip(b"\n") + b"\n\n")
        printed = mailx.run("-p", "-f", wrapped)
        if printed is not None:
            check_words(f"{path} {number}", message, printed.stdout.decode(errors="replace"))


def check_single(mailx, path, place):
    content = path.read_bytes()
    if content.startswith(b"From "):
        content = content.split(b"\n", 1)[-1]
    end = b"\r\n" if b"\r\n" in content[:2000] else b"\n"
    quoted = re.sub(rb"(?m)^(>*From )", rb">\1", content)
    wrapped = place / "single.mbox"
    wrapped.write_bytes(b"From test@example.org Mon Nov 16 09:00:00 2026" + end + quoted
                        + (b"" if quoted.endswith(b"\n") else end) + end)
    before = wrapped.read_bytes()
    listed = mailx.run("-H", "-f", wrapped)
    if listed is not None and len(listed.stdout.splitlines()) != 1:
        problems.append(f"{path}: wrapped, lists {len(listed.stdout.splitlines())} messages: "
                        f"{listed.stderr.decode(errors='replace')[:200]}")
    printed = mailx.run("-p", "-f", wrapped)
    if printed is not None and (printed.returncode != 0 or not printed.stdout.strip()):
        problems.append(f"{path}: -p: exit {printed.returncode}, {len(printed.stdout)} bytes")
    if printed is not None:
        check_words(path, content, printed.stdout.decode(errors="replace"))
    if wrapped.read_bytes() != before:
        problems.append(f"{path}: changed by reading")


def digest(directory):
    return {path: hashlib.sha256(path.read_bytes()).digest()
            for path in sorted(directory.rglob("*")) if path.is_file()}


def main():
    program, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (directory / "README.md").is_file():
        print(f"no mail at {directory}")
        return 77
    found = counts(directory / "README.md")
    before = digest(directory)
    mboxes = singles = 0
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        mailx = Program(program, place)
        for path in before:
            relative = str(path.relative_to(directory))
            if NOT_MAIL.search(relative):
                continue
            expected = wanted(found, path)
            maildir = path.parent.name in ("cur", "new", "tmp")
            if expected is not None and not maildir:
                check_mbox(mailx, path, expected)
                if path.name in REAL:
                    check_messages(mailx, path, place)
                mboxes += 1
            elif maildir or not re.search(r"mbox|mailbox|spool|pipermail|hyperkitty|nntp", relative.lower()):
                check_single(mailx, path, place)
                singles += 1
            else:  # a mailbox nobody counted: it must only not hurt
                mailx.run("-H", "-f", path)
                mailx.run("-p", "-f", path)
    for path, old in before.items():
        if digest_one(path) != old:
            problems.append(f"{path}: changed")
    print(f"{mboxes} mailboxes, {singles} single messages, {len(problems)} problems; "
          f"{lost} of {compared} words of plain text are not shown")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems or not mboxes or not singles else 0


def digest_one(path):
    return hashlib.sha256(path.read_bytes()).digest()


sys.exit(main())
