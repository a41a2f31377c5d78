#!/usr/bin/env python3
"""Compares the text that Postrider shows of HTML mails with what w3m and lxml find in them.

    .ci/html_mail.py PROGRAM DATA [--keep DIRECTORY] [--verbose]

Every HTML part of the mails below DATA is put into a mail of its own and shown by the program, and
rendered by w3m. What must hold:

- a word that w3m shows and that lxml finds in an element that is not hidden is shown, as often as both have it;
- the target of every link that leads out is shown, as a text or in the list at the end;
- no line is longer than the terminal is wide, unless it is one word, preformatted or a target.

Exit: 0 passed, 77 w3m or lxml is not here, else failed.
"""

import argparse
import collections
import concurrent.futures
import email
import html.entities
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

try:
    import lxml.html
except ImportError:
    lxml = None

WIDTH = 78
WORKERS = 2
# Messages that end at a From_ line; what is not found so is no reader's fault.
FROM_LINE = re.compile(rb"(?m)^From [^\n]*\d\d:\d\d[^\n]*\n")
WORD = re.compile(r"[^\W_]{2,}")
HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0(?:\.0*)?\s*(?:;|!|$)|max-height\s*:\s*0", re.I
)
UNSHOWN = ("script", "style", "title", "template", "iframe", "noembed")


def documents(data):
    """Yields the HTML texts of all mails below a directory, each once."""
    seen = set()
    for path in sorted(pathlib.Path(data).rglob("*")):
        if not path.is_file():
            continue
        content = path.read_bytes()
        for message in FROM_LINE.split(content) if b"\nFrom " in b"\n" + content else [content]:
            try:
                parts = list(email.message_from_bytes(message).walk())
            except Exception:
                continue
            for part in parts:
                if part.get_content_type() != "text/html":
                    continue
                try:
                    body = part.get_payload(decode=True) or b""
                except Exception:
                    continue
                text = decoded(body, part.get_content_charset())
                if text.strip() and text not in seen:
                    seen.add(text)
                    yield f"{path.relative_to(data)}", text


def decoded(body, charset):
    """Returns bytes as text, as a reader of mail does: what is UTF-8 is so."""
    for name in ("utf-8", charset, "windows-1252"):
        # What calls itself Latin 1 is the superset of it (encoding standard).
        if (name or "").lower() in ("iso-8859-1", "us-ascii", "latin1"):
            continue
        try:
            return body.decode(name).replace("\r\n", "\n")
        except (LookupError, UnicodeDecodeError, TypeError):
            pass
    return body.decode("latin-1")


def words(text):
    return collections.Counter(word.lower() for word in WORD.findall(text))


def tree_of(document):
    """Returns the words of a document that no style hides, and the targets of its links, by lxml."""
    # A NUL ends the document for libxml2, an XML declaration is refused with a text.
    clean = re.sub(r"<\?xml[^>]*>", "", document.replace("\0", ""))
    try:
        tree = lxml.html.document_fromstring(clean)
    except Exception:
        return collections.Counter(), []
    for element in list(tree.iter()):
        is_hidden = isinstance(element.tag, str) and (
            element.tag in UNSHOWN or "hidden" in element.attrib or HIDDEN.search(element.get("style", ""))
        )
        if (is_hidden or not isinstance(element.tag, str)) and element.getparent() is not None:
            element.drop_tree()
    base = next((found.get("href") for found in tree.iter("base") if found.get("href")), "")
    targets = []
    for element in tree.iter("a", "area"):
        target = re.sub(r"[\t\r\n]", "", element.get("href") or "").strip()
        if target and not target.startswith("#"):
            targets.append(urllib.parse.urljoin(base, target) if base else target)
    return words(" ".join(tree.itertext())), targets


def is_shown(target, text, flat):
    """Whether a target stands in the text, or its words do: its text is the target."""
    if target in text or re.sub(r"\s", "", target) in flat:
        return True
    scheme = target.split(":")[0].lower()
    if scheme in ("javascript", "vbscript", "data"):
        return f"{scheme}: (" in text
    bare = re.sub(r"^(?i:https?://|mailto:|ftp://|tel:)", "", target).rstrip("/")
    return bare.lower() in text.lower()


def check(program, number, document, directory):
    mail = directory / f"{number}.mbox"
    head = (
        "From a@b Mon Nov 16 09:00:00 2026\nFrom: a@b\nSubject: x\nMIME-Version: 1.0\n"
        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    )
    import base64

    mail.write_bytes(head.encode() + base64.encodebytes(document.encode("utf-8", "replace")))
    environment = os.environ | {"COLUMNS": str(WIDTH), "LC_ALL": "C.UTF-8"}
    command = [*program, mail]
    ours = subprocess.run(command, capture_output=True, env=environment, check=False)
    (directory / f"{number}.html").write_text(document, errors="replace")
    (directory / f"{number}.ours").write_bytes(ours.stdout)
    w3m = subprocess.run(
        ["w3m", "-dump", "-cols", str(WIDTH), "-T", "text/html", "-I", "utf-8", "-O", "utf-8"],
        input=document.encode("utf-8", "replace"), capture_output=True, check=False, timeout=60,
        env=environment | {"HOME": str(directory)},
    )
    (directory / f"{number}.w3m").write_bytes(w3m.stdout)
    if ours.returncode:
        return number, {"exit": ours.returncode}, [], [], 0
    text = ours.stdout.decode("utf-8", "replace")
    found, targets = tree_of(document)
    both = found & words(w3m.stdout.decode("utf-8", "replace"))
    lost = both - words(text)
    flat = re.sub(r"\s", "", text)
    # East Asian lines end within what this script takes for a word, and w3m breaks words that are too long.
    for word in [word for word in lost if word in flat.lower() and (len(word) > 6 or not word.isascii())]:
        del lost[word]
    # An entity without its semicolon is a character by the standard, and a word to both of them.
    for word in [word for word in lost if word in html.entities.html5]:
        del lost[word]
    # A tag that ends in the middle of its address has none: what lxml makes of it holds the tags behind.
    targets = [target for target in targets if "<" not in target]
    unlisted = [target for target in set(targets) if not is_shown(target, text, flat)]
    long = [line for line in text.split("\n") if len(line) > WIDTH and " " in line.strip()[:WIDTH]]
    long = [line for line in long if not line.startswith("[")]
    return number, lost, unlisted, long, len(set(targets))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--keep", type=pathlib.Path)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if shutil.which("w3m") is None or lxml is None:
        print("needs w3m and Python's lxml")
        return 77
    program = [os.path.abspath(options.program), "show", "1", "--file"]
    if os.path.basename(options.program) == "lab":
        program = ["sh", "-c", f"sed '1,/^$/d' \"$1\" | base64 -d | {options.program} {WIDTH}", "x"]
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.keep or pathlib.Path(scratch)
        directory.mkdir(exist_ok=True)
        found = list(documents(options.data))
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            jobs = [pool.submit(check, program, n, text, directory) for n, (_, text) in enumerate(found)]
            results = [job.result() for job in jobs]
    failed = 0
    for number, lost, unlisted, long, _ in results:
        if lost or unlisted or (options.verbose and long):
            failed += bool(lost or unlisted)
            print(f"{number} ({found[number][0]}):")
            if lost:
                print("  words lost:", " ".join(f"{w}*{c}" for w, c in list(lost.items())[:30]))
            for target in unlisted[:10]:
                print("  link lost:", target[:200])
            for line in long[:3]:
                print("  long:", line[:120])
    links = sum(count for *_, count in results)
    print(f"{len(results)} documents, {links} links: {failed} differ; "
          f"{sum(sum(lost.values()) for _, lost, *_ in results)} words and "
          f"{sum(len(unlisted) for _, _, unlisted, *_ in results)} links lost, "
          f"{sum(bool(long) for *_, long, _ in results)} with long lines")
    return 1 if failed else 0


sys.exit(main())
