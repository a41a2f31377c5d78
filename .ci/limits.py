#!/usr/bin/env python3
"""Gives the program hostile input of three sizes and measures what it takes.

    .ci/limits.py PROGRAM [--only WORD]... [--door WORD]... [--all] [--size BYTES] [--table]

Each kind of input is made at 1x, 10x and 100x; every door that takes it is tried at each size: list,
show, print, search, count, delete, save, send, the options of mailx, the reader's commands. Of each
run the processor time and the peak of its memory count. The rule (one for all kinds):

    memory  at 100x at most 3 times the input and 30 MB
    time    from 10x to 100x with a slope of at most 1.1 in log-log, once 100x takes longer than what
            is noise; a run that does better when it is tried again is believed
    end     no signal, no fault of our own (70), no run longer than the limit

The input of a compressed mailbox is the file and the largest message that is shown of it: the manual
says at which size decompression stops.

--all tries larger inputs; --table prints every row and not only those that break the rule.
"""

import argparse
import base64
import concurrent.futures
import gzip
import io
import marshal
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zlib

# How large an input is at 100x, in bytes.
SIZE = 4_000_000
SIZE_OF_ALL = 40_000_000
# The rule.
MULTIPLE, ALLOWANCE = 3, 30_000_000
SLOPE = 1.1
# Below this many seconds at 100x a slope is noise: 10x is then a tick or two of the clock. What is quadratic
# is above it.
NOISE = 0.3
# So often a row that breaks the rule is tried again.
AGAIN = 8
# Seconds of processor time, and bytes of address space that no run may come near to.
LIMIT = 60
ADDRESS_SPACE = 4_000_000_000
WORKERS = 2
STEPS = (1, 10, 100)

# Starts the programs. The peak that the kernel reports of a process counts that of the one which has
# started it, and this script is larger than most of what it measures.
LAUNCHER = """
import marshal, os, sys
null = os.open("/dev/null", os.O_WRONLY)
while True:
    try:
        words, environment, given = marshal.load(sys.stdin.buffer)
    except EOFError:
        break
    source = os.open(given, os.O_RDONLY)
    pid = os.posix_spawn(words[0], words, environment, file_actions=[
        (os.POSIX_SPAWN_DUP2, source, 0), (os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)])
    os.close(source)
    del words
    marshal.dump(pid, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    _, status, usage = os.wait4(pid, 0)
    marshal.dump((status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss), sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""

FROM_LINE = b"From mallory@example.com Mon Nov 16 09:00:00 2026\n"
# A message that stands in front of and behind the hostile one, so that both must still be found.
PLAIN = FROM_LINE + b"From: mallory@example.com\nTo: root@localhost\nSubject: plain\n\nplain\n\n"


# --- inputs -----------------------------------------------------------------------------


def filled(piece, size):
    """Returns pieces one behind the other up to a size, in blocks: nothing here may grow our own memory."""
    block = max(1, 50_000 // len(piece))
    count = max(1, size // len(piece))
    for at in range(0, count, block):
        yield piece * min(block, count - at)


def numbered(form, size):
    """Returns texts with numbers, up to a size."""
    done, number = 0, 0
    while done < size:
        text = form(number)
        yield text
        done += len(text)
        number += 1


def mail(header=(), body=(b"body\n",), before=b"", after=b"\n"):
    """Returns a message in pieces; the header comes behind the usual fields."""
    yield FROM_LINE + b"From: mallory@example.com\nTo: root@localhost\nSubject: s\n" + before
    yield from header
    yield after
    yield from body
    yield b"\n"


def field(name, piece, size, end=b""):
    """Returns a message with one long field, in place of the usual one of this name."""
    usual = [b"From: mallory@example.com\n", b"To: root@localhost\n", b"Subject: s\n"]
    yield FROM_LINE + b"".join(line for line in usual if not line.startswith(name))
    yield name + b" "
    yield from filled(piece, size)
    yield end + b"\n\nbody\n\n"


def typed(content_type, body, more=b""):
    """Returns a message of a content type."""
    before = b"MIME-Version: 1.0\nContent-Type: " + content_type + b"\n" + more
    return mail((), body, before)


def text(piece, size, charset=b"utf-8", encoding=b"8bit", media=b"text/plain"):
    return typed(media + b"; charset=" + charset, filled(piece, size),
                 b"Content-Transfer-Encoding: " + encoding + b"\n")


def wrapped(*lists):
    for pieces in lists:
        yield from pieces


def nested(form, size, end=lambda level: b""):
    """Returns a body of levels."""
    yield from numbered(form, size)
    yield b"\nbottom\n"


def encoded(pieces):
    """Returns pieces in base64, in lines."""
    held = b""
    for piece in pieces:
        held += piece
        whole = len(held) // 57 * 57
        yield base64.encodebytes(held[:whole])
        held = held[whole:]
    yield base64.encodebytes(held)


def in_base64(pieces, levels):
    """Returns a message within base64 within a message, so many times."""
    pieces = wrapped([b"Subject: inner\n"], pieces)
    for _ in range(levels):
        pieces = wrapped([b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"], encoded(pieces))
    return wrapped([FROM_LINE], pieces, [b"\n"])


def html(piece, size):
    return text(piece, size, media=b"text/html")


def parts(piece, size, kind=b"mixed", boundary=b"b"):
    return typed(b"multipart/" + kind + b"; boundary=\"" + boundary + b"\"",
                 wrapped(filled(piece, size), [b"--" + boundary + b"--\n"]))


def parameters(form, size, name=b"Content-Disposition: attachment"):
    """Returns a message with a field of many parameters."""
    return mail(wrapped([name], numbered(form, size), [b"\n"]))


def continued(number):
    return b";\n filename*%d=x" % number


def in_parts(form, size):
    """Returns a message of parts whose own headers have many parameters."""
    def part(number):
        return b"--b\nContent-Type: text/plain" + b"".join(form(at) for at in range(50)) + b"\n\nx\n"
    return typed(b"multipart/mixed; boundary=b", wrapped(numbered(part, size), [b"--b--\n"]))


LONG = b"b" * 70
MULTIPART = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
ALTERNATIVE = b"Content-Type: multipart/alternative; boundary=b%d\n\n--b%d\n"
DIGEST = b"Content-Type: multipart/digest; boundary=b%d\n\n--b%d\n\n"

# A mailbox of one hostile message, or of hostile messages: a function of its size that returns pieces.
MAILBOXES = {
    # header fields
    "fields: A:": lambda size: mail(filled(b"A:\n", size)),
    "fields: 8-bit": lambda size: mail(filled(b"A: \xff\xfe\n", size)),
    "fields: encoded": lambda size: mail(filled(b"A: =?utf-8?q?=C3=B6?=\n", size)),
    "fields: received": lambda size: mail(filled(b"Received: from a by b; Mon, 16 Nov 2026 09:00:00 +0000\n", size)),
    "fields: status": lambda size: mail(filled(b"Status: RO\nX-Status: A\n", size)),
    "fields: content-length": lambda size: mail(filled(b"Content-Length: 1\n", size)),
    "fields: content-type": lambda size: mail(filled(b"Content-Type: multipart/mixed; boundary=b\n", size)),
    "fields: to": lambda size: mail(filled(b"To: a@b\nCc: c@d\n", size)),
    "fields: none": lambda size: mail(filled(b"no field\n", size)),
    "fields: no end": lambda size: mail(filled(b"A: b\n", size), (), after=b""),
    "field: name": lambda size: mail(wrapped(filled(b"A", size), [b": b\n"])),
    "field: one line": lambda size: field(b"Subject:", b"a", size),
    "field: words": lambda size: field(b"Subject:", b"word ", size),
    "field: folds": lambda size: field(b"Subject:", b"a\n ", size),
    "field: blank folds": lambda size: field(b"Subject:", b"\n ", size),
    "field: 8-bit": lambda size: field(b"Subject:", b"\xff", size),
    "field: 8-bit, encoded": lambda size: field(b"Subject:", b"\xff", size, b" =?utf-8?q?x?="),
    "field: controls": lambda size: field(b"Subject:", b"\x1b", size),
    "field: bidi": lambda size: field(b"Subject:", "\u202e".encode(), size),
    "field: NUL": lambda size: field(b"Subject:", b"\0", size),
    "words: utf-8": lambda size: field(b"Subject:", b"=?utf-8?q?=C3=B6?= ", size),
    "words: cut": lambda size: field(b"Subject:", b"=?utf-8?b?w7?= ", size),
    "words: charsets": lambda size: field(b"Subject:", b"=?utf-8?q?x?= =?iso-2022-jp?b?GyRC?= ", size),
    "words: open": lambda size: field(b"Subject:", b"=?", size),
    "words: open, charset": lambda size: field(b"Subject:", b"=?utf-8?q?", size),
    "words: one": lambda size: wrapped(
        [FROM_LINE + b"Subject: =?windows-1252?q?"], filled(b"=80", size), [b"?=\n\nbody\n\n"]),
    "addresses: to": lambda size: field(b"To:", b"Name <a@example.com>,\n ", size),
    "addresses: from": lambda size: field(b"From:", b"a@example.com, ", size),
    "addresses: comments": lambda size: field(b"From:", b"(", size),
    "addresses: comments to": lambda size: field(b"To:", b"(a(", size),
    "addresses: quotes": lambda size: field(b"From:", b"\"\\\"\" ", size),
    "addresses: angles": lambda size: field(b"To:", b"<", size),
    "addresses: groups": lambda size: field(b"To:", b"g:a,b;", size),
    "addresses: routes": lambda size: field(b"From:", b"<@a:", size),
    "addresses: colons": lambda size: field(b"From:", b":", size),
    "addresses: encoded": lambda size: field(b"From:", b"=?utf-8?q?x?= ", size, b"<a@b>"),
    "field: date": lambda size: field(b"Date:", b"Mon, ", size),
    "field: date comment": lambda size: field(b"Date:", b"(", size),
    "field: message-id": lambda size: field(b"Message-ID:", b"<a@b> ", size),
    "field: references": lambda size: field(b"References:", b"<a@b>\n ", size),
    "field: status": lambda size: field(b"Status:", b"RO", size),
    # parameters
    "parameters: continued": lambda size: parameters(continued, size),
    "parameters: continued, encoded": lambda size: parameters(lambda at: b"; filename*%d*=%%41" % at, size),
    "parameters: backwards": lambda size: parameters(lambda at: b"; filename*%d=x" % (9_999_999 - at), size),
    "parameters: one number": lambda size: parameters(lambda at: b"; filename*1=x", size),
    "parameters: many": lambda size: parameters(lambda at: b"; a%d=b" % at, size),
    "parameters: boundaries": lambda size: parameters(lambda at: b"; boundary*%d=b" % at, size,
                                                      b"Content-Type: multipart/mixed"),
    "parameters: quoted": lambda size: field(b"Content-Type: text/plain; name=\"", b"\\a", size, b"\""),
    "parameters: comments": lambda size: field(b"Content-Type: text/plain; name=x", b"(", size),
    "parameters: words": lambda size: field(b"Content-Type: text/plain; name=\"", b"=?utf-8?q?x?= ", size, b"\""),
    "parameters: open words": lambda size: field(b"Content-Type: text/plain; name=\"", b"=?utf-8?q? ", size, b"\""),
    "parameters: semicolons": lambda size: field(b"Content-Type: text/plain", b";", size),
    "parameters: stars": lambda size: field(b"Content-Type: text/plain; a", b"*", size),
    "parameters: in parts": lambda size: in_parts(lambda at: b"; name*%d=x" % at, size),
    "parameters: boundary": lambda size: field(b"Content-Type: multipart/mixed; boundary=\"", b"b", size, b"\""),
    # structure
    "parts: empty": lambda size: parts(b"--b\n\n\n", size),
    "parts: text": lambda size: parts(b"--b\n\nx\n", size),
    "parts: files": lambda size: parts(b"--b\nContent-Disposition: attachment; filename=x\n\nx\n", size),
    "parts: alternative": lambda size: parts(b"--b\nContent-Transfer-Encoding: base64\n\nIA==\n", size, b"alternative"),
    "parts: messages": lambda size: parts(b"--b\n\nSubject: x\n\nx\n", size, b"digest"),
    "parts: headers": lambda size: parts(b"--b\nA: b\nA: b\nA: b\nA: b\n\n", size),
    "parts: dashes": lambda size: parts(b"-", size),
    "parts: dash lines": lambda size: parts(b"--\n", size),
    "parts: nearly": lambda size: parts(b"--" + LONG[:-1] + b"\n", size, boundary=LONG),
    "parts: in a line": lambda size: parts(b"x--b", size),
    "parts: never": lambda size: typed(b"multipart/mixed; boundary=none", filled(b"--b\n\nx\n", size)),
    "parts: closed": lambda size: parts(b"--b--\n", size),
    "levels: mixed": lambda size: mail(nested(lambda at: MULTIPART % (at, at), size), ()),
    "levels: alternative": lambda size: mail(nested(lambda at: ALTERNATIVE % (at, at), size), ()),
    "levels: one boundary": lambda size: mail(nested(lambda at: MULTIPART % (0, 0), size), ()),
    "levels: digest": lambda size: mail(nested(lambda at: DIGEST % (at, at), size), ()),
    "levels: messages": lambda size: mail(nested(lambda at: b"Content-Type: message/rfc822\n\n", size), ()),
    "levels: wide": lambda size: mail(wrapped(
        [b"".join(MULTIPART % (at, at) for at in range(60))], filled(b"--b7x\n\nx\n", size)), ()),
    "levels: base64": lambda size: in_base64(wrapped([b"\n"], filled(b"text\n", size // 3)), 3),
    "levels: base64 parts": lambda size: in_base64(
        wrapped([b"".join(MULTIPART % (at, at) for at in range(60))], filled(b"x\n", size)), 1),
    # bodies
    "body: base64": lambda size: text(b"QUJD" * 18 + b"\n", size, encoding=b"base64"),
    "body: base64, latin": lambda size: text(b"gICA" * 18 + b"\n", size, b"windows-1252", b"base64"),
    "body: base64, no lines": lambda size: text(b"QUJD", size, encoding=b"base64"),
    "body: base64 file": lambda size: text(b"QUJD" * 18 + b"\n", size, encoding=b"base64", media=b"image/png"),
    "body: base64, padding": lambda size: text(b"=", size, encoding=b"base64"),
    "body: quoted": lambda size: text(b"=C3=B6 ", size, encoding=b"quoted-printable"),
    "body: quoted, equals": lambda size: text(b"=", size, encoding=b"quoted-printable"),
    "body: quoted, soft": lambda size: text(b"=\n", size, encoding=b"quoted-printable"),
    "body: quoted, blanks": lambda size: text(b" ", size, encoding=b"quoted-printable"),
    "body: uuencode": lambda size: mail((), wrapped([b"begin 644 f\n"], filled(b"M" + b"A" * 60 + b"\n", size), [b"`\nend\n"])),
    "body: uuencode begins": lambda size: mail((), filled(b"begin 644 f\n", size)),
    "body: latin": lambda size: text(b"\xff", size, b"iso-8859-1"),
    "body: euros": lambda size: text(b"\x80", size, b"windows-1252"),
    "body: not utf-8": lambda size: text(b"\xff", size),
    "body: no charset": lambda size: mail((), filled(b"\x80", size)),
    "body: iso-2022-jp": lambda size: text(b"\x1b$B\x1b(B", size, b"iso-2022-jp"),
    "body: iso-2022-jp text": lambda size: text(b"\x1b$BF|K\\\x1b(B\n", size, b"iso-2022-jp"),
    "body: gb18030": lambda size: text(b"\x81\x30\x81\x30", size, b"gb18030"),
    "body: big5": lambda size: text(b"\x88\x62", size, b"big5"),
    "body: utf-16": lambda size: text(b"\x00\xd8", size, b"utf-16le"),
    "body: utf-7": lambda size: text(b"+AGE-", size, b"utf-7"),
    "body: hz": lambda size: text(b"~{~}", size, b"hz-gb-2312"),
    "body: NUL": lambda size: mail((), filled(b"\0", size)),
    "body: controls": lambda size: mail((), filled(b"\x1b", size)),
    "body: bidi": lambda size: mail((), filled("\u202e".encode(), size)),
    "body: CR": lambda size: mail((), filled(b"\r", size)),
    "body: CRLF": lambda size: mail((), filled(b"a\r\n", size)),
    "body: one line": lambda size: mail((), filled(b"a", size)),
    "body: blank lines": lambda size: mail((), filled(b"\n", size)),
    "body: lines": lambda size: mail((), filled(b"a\n", size)),
    "body: quoted From": lambda size: mail((), filled(b">From x\n", size)),
    "body: quotes": lambda size: mail((), filled(b">", size)),
    "body: tildes": lambda size: mail((), filled(b"~!\n", size)),
    "body: dots": lambda size: mail((), filled(b".\n", size)),
    # HTML
    "html: div": lambda size: html(b"<div>", size),
    "html: lists": lambda size: html(b"<ul><li>", size),
    "html: ordered": lambda size: html(b"<ol><li>x", size),
    "html: cells": lambda size: html(b"<tr><td>x</td><td>y</td></tr>\n", size),
    "html: entities": lambda size: html(b"&amp;", size),
    "html: numbers": lambda size: html(b"&#8364;", size),
    "html: ampersands": lambda size: html(b"&", size),
    "html: open": lambda size: html(b"<", size),
    "html: tags open": lambda size: html(b"<a", size),
    "html: links": lambda size: html(b"<a href='http://x.example/'>y</a> ", size),
    "html: attributes": lambda size: typed(
        b"text/html", wrapped([b"<a "], filled(b"href ", size), [b">x</a>\n"])),
    "html: comments": lambda size: html(b"<!--", size),
    "html: scripts": lambda size: html(b"<script>", size),
    "html: script ends": lambda size: typed(b"text/html", wrapped([b"<script>"], filled(b"</scrip", size))),
    "html: pre": lambda size: html(b"<pre> ", size),
    "html: images": lambda size: html(b"<img alt=x>", size),
    "html: breaks": lambda size: html(b"<br>x", size),
    "html: latin": lambda size: text(b"\x80", size, b"windows-1252", media=b"text/html"),
    # many messages
    "messages: small": lambda size: filled(PLAIN, size),
    "messages: bare": lambda size: filled(FROM_LINE + b"A: b\n\n", size),
    "messages: no blank": lambda size: filled(FROM_LINE + b"From: a@b\nSubject: x\n\nx\n", size),
    "messages: no header": lambda size: filled(FROM_LINE + b"\n", size),
    "messages: From_ lines": lambda size: wrapped([PLAIN], filled(FROM_LINE, size)),
    "messages: quoted From_": lambda size: wrapped([PLAIN], filled(b"\nFrom here on\n", size)),
    "messages: long From_": lambda size: wrapped([PLAIN, b"From "], filled(b"a", size), [b" Mon Nov 16 09:00:00 2026\nA: b\n\n"]),
    "messages: From From": lambda size: wrapped([PLAIN], filled(b"\nFrom ", size)),
    "messages: new": lambda size: filled(FROM_LINE + b"Subject: x\nStatus: O\n\nx\n\n", size),
    "messages: lying length": lambda size: filled(FROM_LINE + b"Subject: x\nContent-Length: 999999\n\nx\n\n", size),
    "messages: length to the end": lambda size: filled(FROM_LINE + b"Subject: x\nContent-Length: %d\n\nx\n\n" % size, size),
    "messages: weak": lambda size: wrapped([PLAIN], filled(b"From - \nContent-Length: 5\nFrom: a@b\n\nx\n", size)),
    "messages: old From_": lambda size: wrapped([PLAIN], filled(b"From - \n>From a\n", size)),
    "messages: MMDF": lambda size: filled(b"\1\1\1\1\nSubject: x\n\nx\n\1\1\1\1\n", size),
    "messages: MMDF delimiters": lambda size: wrapped([b"\1\1\1\1\nSubject: x\n\nx\n"], filled(b"\1\1\1\1\n", size)),
    "messages: controls": lambda size: wrapped([b"\1\1\1\1\nSubject: x\n\nx\n"], filled(b"\1", size)),
    "messages: NUL": lambda size: wrapped([PLAIN], filled(b"\0", size)),
    "messages: blank first": lambda size: wrapped(filled(b"\n", size), [PLAIN]),
    "messages: huge references": lambda size: wrapped(
        field(b"References:", b"<a@b>\n ", size // 2),
        numbered(lambda at: FROM_LINE + b"Message-ID: <%d@x>\nReferences: <a@b>\n\nx\n\n" % at, size // 2)),
    "messages: one thread": lambda size: numbered(lambda at: FROM_LINE + (
        b"Message-ID: <%d@x>\nIn-Reply-To: <%d@x>\nSubject: Re: s\n\nx\n\n" % (at + 1, at)), size),
    "messages: circles": lambda size: numbered(lambda at: FROM_LINE + (
        b"Message-ID: <%d@x>\nReferences: <%d@x>\n\nx\n\n" % (at, at ^ 1)), size),
    "messages: one sender": lambda size: filled(FROM_LINE + b"Subject: same\nMessage-ID: <a@b>\n\nx\n\n", size),
}


class Deflated:
    """A writer that compresses into a file; nothing of it stays in memory."""

    def __init__(self, out):
        self.packer, self.out = zlib.compressobj(9, zlib.DEFLATED, 31), out

    def write(self, data):
        self.out.write(self.packer.compress(data))

    def close(self):
        self.out.write(self.packer.flush())


def packed(pieces):
    """Returns pieces as one gzip member."""
    out = io.BytesIO()
    packer = Deflated(out)
    for piece in pieces:
        packer.write(piece)
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    packer.close()
    yield out.getvalue()


def cut(pieces):
    """Returns pieces without the last bytes of all."""
    before = None
    for piece in pieces:
        if before:
            yield before
        before = piece or before
    if before:
        yield before[:-7]


EMPTY = gzip.compress(b"", mtime=0)
# What deflate makes of one byte, at most, is 1032 of them: an input of this size is a thousandth of it.
RATIO = 1000

# Each door reads a quarter of a gigabyte of these: those that differ in how they do it.
BOMBED = ("list", "show", "show --json", "-e", "p", "write")
COMPRESSED = {
    "gzip: bomb, one message": lambda size: packed(mail((), filled(b"a" * 79 + b"\n", size))),
    "gzip: bomb, one line": lambda size: packed(mail((), filled(b"a", size))),
    "gzip: bomb, fields": lambda size: packed(mail(filled(b"A:\n", size))),
    "gzip: bomb, messages": lambda size: packed(filled(PLAIN, size)),
    "gzip: bomb, blank": lambda size: packed(filled(b"\n", size)),
}
MEMBERS = {
    "gzip: empty members": lambda size: wrapped([gzip.compress(PLAIN, mtime=0)], filled(EMPTY, size)),
    "gzip: small members": lambda size: filled(gzip.compress(PLAIN, mtime=0), size),
    "gzip: rubbish": lambda size: wrapped([gzip.compress(PLAIN, mtime=0)], filled(b"rubbish", size)),
    "gzip: long name": lambda size: wrapped([b"\x1f\x8b\x08\x08\0\0\0\0\0\x03"], filled(b"n", size)),
    "gzip: cut": lambda size: cut(packed(wrapped([PLAIN], numbered(
        lambda at: FROM_LINE + b"Subject: %d\n\n%s\n\n" % (at, base64.b64encode(os.urandom(3000))), size)))),
}


# --- doors ------------------------------------------------------------------------------


class Door:
    """A way into the program: the words of the command line, and what stands on standard input.

    FILE is the input, BOX a mailbox of plain messages, OUT a place for what is written. `changes` is for what needs a copy.
    """

    def __init__(self, words, stdin=None, changes=False):
        self.words, self.stdin, self.changes = words.split("\t"), stdin, changes


def reader(commands, changes=False, file="FILE"):
    words = "mailx\t-n\t-N\t-f\t" if changes else "mailx\t-n\t-N\t-R\t-f\t"
    return Door(words + file, commands, changes)


READING = {
    "list": Door("list\t--file\tFILE"),
    "list --json": Door("list\t--json\t--file\tFILE"),
    "show": Door("show\t1\t--file\tFILE"),
    "show --json": Door("show\t1\t--json\t--file\tFILE"),
    "show --raw": Door("show\t1\t--raw\t--file\tFILE"),
    "show last": Door("show\tlast\t--file\tFILE"),
    "-p": Door("mailx\t-n\t-p\t-f\tFILE"),
    "-H": Door("mailx\t-n\t-H\t-f\tFILE"),
    "-e": Door("mailx\t-n\t-e\t-f\tFILE"),
    "search": Door("mailx\t-n\t-L\t/nothing\t-f\tFILE"),
    "search sender": Door("mailx\t-n\t-L\tnobody\t-f\tFILE"),
    "count": reader(b"=\nsize *\nx\n"),
    "p": reader(b"p *\nx\n"),
    "P": reader(b"P 1\nx\n"),
    "top": reader(b"top *\nx\n"),
    "write": reader(b"write 1 OUT\nx\n"),
    "copy": reader(b"copy * OUT\nx\n"),
    "pipe": reader(b"pipe * \"cat >/dev/null\"\nx\n"),
}
READING |= {
    "sort": reader(b"sort subject\nsort from\nsort date\nthread\nf *\nx\n"),
    "headline": Door("mailx\t-n\t-N\t-R\t-S\theadline=%>%a%m %30f %30n %d %l/%o %i%T %s\t-f\tFILE", b"f *\nx\n"),
}
# What has many parts.
PARTS = {
    "struct": reader(b"struct 1\nx\n"),
    "show 1.2": reader(b"show 1.2\npipe 1.2 cat\nx\n"),
}
# Each file is synced by itself: of 60 bytes of mail a file there may be some thousand of them.
FILES = {
    "write parts": reader(b"write 1 OUT/\nx\n"),
    "extract": Door("extract\t1\t--to\tOUT\t--file\tFILE"),
}
CHANGING = {
    "delete": Door("delete\t1\t--file\tFILE", changes=True),
    "delete by subject": Door("delete\t--subject\tnothing\t--file\tFILE", changes=True),
    "d": reader(b"d *\nq\n", True),
    "q": reader(b"q\n", True),
    "save": reader(b"save 1 OUT\nq\n", True),
    "mark": Door("mark\t--all\t--read\t--file\tFILE", changes=True),
}
# The hostile message is what is sent: whole with its own header, as the text of a new one, as an answer.
SENDING = {
    "sendmail -t": Door("sendmail\t-t\t-i", "HOSTILE"),
    "sendmail": Door("sendmail\t-i\troot@example.com", "HOSTILE"),
    "mailx -s": Door("mailx\t-n\t-s\tx\troot@example.com", "HOSTILE"),
    "mailx -t": Door("mailx\t-n\t-t", "HOSTILE"),
    "mailx -a": Door("mailx\t-n\t-s\tx\t-a\tFILE\troot@example.com", b"see\n"),
    "reply": reader(b"reply 1\ntext\n"),
    "forward": Door("mailx\t-n\t-N\t-R\t-f\tFILE", b"forward 1 root@example.com\ntext\n"),
}


def lists_of(form, size):
    return wrapped(numbered(form, size), [b"\nx\n"])


# What the reader is told in a script: a mailbox of 1,000 messages, and hostile commands.
COMMANDS = {
    "commands: numbers": lambda size: lists_of(lambda at: b"d 1 2 3\n" if at == 0 else b"f %d\n" % (at % 1000 + 1), size // 20),
    "commands: one list": lambda size: wrapped([b"size "], filled(b"1 2 3 4 5 6 7 8 ", size // 20), [b"\nx\n"]),
    "commands: ranges": lambda size: wrapped([b"size "], filled(b"1-1000 ", size // 2000), [b"\nx\n"]),
    "commands: long line": lambda size: wrapped([b"echo "], filled(b"a ", size), [b"\nx\n"]),
    "commands: quotes": lambda size: wrapped([b"echo "], filled(b"\"", size), [b"\nx\n"]),
    "commands: unknown": lambda size: wrapped(filled(b"nonesuch\n", size // 20), [b"x\n"]),
    "commands: set": lambda size: wrapped(numbered(lambda at: b"set v%d=x\n" % at, size // 10), [b"x\n"]),
    "commands: define": lambda size: wrapped([b"define x {\n"], filled(b"echo a\n", size), [b"}\nx\n"]),
    "commands: define open": lambda size: wrapped([b"define x {\n"], filled(b"echo a\n", size)),
    "commands: if": lambda size: wrapped(filled(b"if r\n", size // 2), filled(b"endif\n", size // 2), [b"x\n"]),
    "commands: echo": lambda size: wrapped(filled(b"echo a\n", size), [b"x\n"]),
    "commands: signs": lambda size: wrapped([b"size "], filled(b"$ ^ ", size), [b"\nx\n"]),
    "commands: threads": lambda size: wrapped([b"size "], filled(b"& &3 ", size), [b"\nx\n"]),
    "commands: filters": lambda size: wrapped([b"size "], filled(b"is:unread ", size), [b"\nx\n"]),
    "commands: operators": lambda size: wrapped([b"search "], filled(b"3 or ", size), [b"4\nx\n"]),
    "commands: file last": lambda size: wrapped([b"copy "], filled(b"1 ", size), [b"/dev/null\nx\n"]),
    "commands: text": lambda size: wrapped([b"search text:"], filled(b"x", size), [b"\nx\n"]),
    "commands: expression": lambda size: wrapped([b"search text:/"], filled(b"x", size), [b"/\nx\n"]),
    "commands: alternation": lambda size: wrapped(
        [b"search text:/"], numbered(lambda at: b"a%d|" % at, size), [b"b/\nx\n"]),
    "commands: stars": lambda size: wrapped([b"search text:/"], filled(b"(a*)*", size), [b"b/\nx\n"]),
    "commands: groups": lambda size: wrapped(
        [b"search text:/"], filled(b"(", size // 2), filled(b")", size // 2), [b"/\nx\n"]),
    "commands: repeats": lambda size: wrapped(filled(b"search text:/(?:a{1000}){1000}/\n", size // 100), [b"x\n"]),
    "commands: blank": lambda size: wrapped([b"d *\n"], filled(b"#\n", size), [b"x\n"]),
}
COMMAND_DOORS = {
    "script": Door("mailx\t-n\t-N\t-R\t-f\tBOX", "HOSTILE"),
    "source": reader(b"source FILE\nx\n", file="BOX"),
}


def doubled(size):
    """Returns aliases that each stand for the one before twice: 2 to their number is what comes of it."""
    yield b"alias a0 root@example.com\n"
    yield from numbered(lambda at: b"alias a%d a%d a%d\n" % (at + 1, at, at), size)
    yield b"alias all a%d\n" % 30


def chained(size):
    yield b"alias all a0\n"
    yield from numbered(lambda at: b"alias a%d a%d\n" % (at, at + 1), size)


# Configuration files.
CONFIGURATIONS = {
    "rc: set": lambda size: numbered(lambda at: b"set v%d=x\n" % at, size),
    "rc: set again": lambda size: filled(b"set v=x\n", size),
    "rc: one value": lambda size: wrapped([b"set signature='"], filled(b"x", size), [b"'\n"]),
    "rc: unknown": lambda size: filled(b"nonesuch\n", size // 10),
    "rc: aliases": lambda size: numbered(lambda at: b"alias all%s u%d@example.com\n" % (b"" if at == 0 else b"%d" % at, at), size),
    "rc: one alias": lambda size: wrapped([b"alias all"], numbered(lambda at: b" u%d@example.com" % at, size), [b"\n"]),
    "rc: alias again": lambda size: numbered(lambda at: b"alias all u%d@example.com\n" % at, size),
    "rc: alias doubles": doubled,
    "rc: alias chain": chained,
    "rc: alias cycle": lambda size: wrapped(numbered(lambda at: b"alias a%d all a%d\n" % (at, at + 1), size), [b"alias all a0\n"]),
    "rc: if": lambda size: filled(b"if s\n", size),
    "rc: else": lambda size: filled(b"if r\nelse\nendif\n", size),
    "rc: account": lambda size: wrapped([b"account a {\n"], filled(b"set a=b\n", size)),
    "rc: accounts": lambda size: numbered(lambda at: b"account a%d {\n}\n" % at, size),
    "rc: define": lambda size: wrapped([b"define a {\n"], filled(b"set a=b\n", size)),
    "rc: defines": lambda size: numbered(lambda at: b"define a%d {\ncall a%d\n}\n" % (at, at + 1), size),
    "rc: shell words": lambda size: wrapped([b"wysh set"], filled(b" a", size), [b"\n"]),
    "rc: echo": lambda size: wrapped([b"echo"], filled(b" a", size), [b"\n"]),
    "rc: ignore": lambda size: numbered(lambda at: b"ignore f%d\n" % at, size),
    "rc: alternates": lambda size: numbered(lambda at: b"alternates u%d@example.com\n" % at, size),
    "rc: continued": lambda size: filled(b"\\\n", size),
    "rc: continued set": lambda size: wrapped([b"set a="], filled(b"x\\\n", size), [b"\n"]),
    "rc: backslashes": lambda size: filled(b"\\", size),
    "rc: quotes": lambda size: wrapped([b"set a="], filled(b"\"'", size), [b"\n"]),
    "rc: long line": lambda size: wrapped([b"set"], filled(b" a", size), [b"\n"]),
    "rc: 8-bit": lambda size: wrapped([b"set a="], filled(b"\xff", size), [b"\n"]),
    "rc: comments": lambda size: filled(b"#\n", size),
}
CONFIGURATION_DOORS = {
    "send": Door("send\t--no-system-rc\t--config\tFILE\t--set\tmta=/bin/true\tall\troot@example.com", b"text\n"),
    "send --explain": Door("send\t--no-system-rc\t--config\tFILE\t--explain\tall", b""),
    "list": Door("list\t--no-system-rc\t--config\tFILE\t--file\tBOX"),
    "shown": reader(b"source FILE\nalias\nalias all\nset\nignore\nalternates\nx\n", file="BOX"),
}

ADDRESS = b"u%d@example.com"
# Command lines: no word may be longer than 128 KiB, so a list of addresses comes in several.
ARGUMENTS = {
    "arguments: addresses": lambda number: b"u%d@example.com," % number,
    "arguments: the same": lambda number: b"u@example.com,",
    "arguments: names": lambda number: b"\"N %d\" <u%d@example.com>, " % (number, number),
    "arguments: comments": lambda number: b"(",
    "arguments: quotes": lambda number: b"\"",
    "arguments: commas": lambda number: b",",
    "arguments: local": lambda number: b"nobody%d " % number,
}
# In bytes at 100x: exec(2) takes no more than about 2 MB.
ARGUMENT_BYTES = 1_500_000


# --- measuring --------------------------------------------------------------------------


class Run:
    """What one run took."""

    def __init__(self, seconds, bytes, status, killed):
        self.seconds, self.bytes, self.status, self.killed = seconds, bytes, status, killed

    def trouble(self):
        """Returns what is wrong whatever the size, or nothing."""
        if self.killed:
            return f"stopped after {LIMIT} s"
        if self.status < 0:
            return f"ended by signal {-self.status}"
        if self.status in (70, 101) or self.status > 128:
            return f"exit {self.status}"
        return None


class World:
    """A home of its own, and one program."""

    def __init__(self, program, place):
        self.program, self.place = program, place
        place.mkdir()
        self.rc = place / "rc"
        self.rc.write_text("set mta=/bin/true\nset nooutbox\nset hostname=h.example.test\nset from=me@example.com\n"
                           "set lock-timeout=0\n")
        self.box = place / "plain.mbox"
        self.box.write_bytes(PLAIN * 1000)
        self.out = place / "out"
        self.environment = {"HOME": str(place), "MAILRC": str(self.rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                            "TMPDIR": str(place), "DEAD": str(place / "dead"), "PAGER": "cat", "TZ": "UTC",
                            "XDG_STATE_HOME": str(place / "state")}
        self.launcher = subprocess.Popen([sys.executable, "-I", "-S", "-c", LAUNCHER],
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def close(self):
        """Ends the process that starts the programs."""
        self.launcher.stdin.close()
        self.launcher.wait()

    def run(self, door, file):
        """Runs one door over a file."""
        for left in (self.out, self.place / "dead"):
            shutil.rmtree(left) if left.is_dir() else left.unlink(missing_ok=True)
        if "OUT" in door.words or (isinstance(door.stdin, bytes) and b"OUT/" in door.stdin):
            self.out.mkdir()
        if door.changes:
            copy = self.place / "changed"
            shutil.rmtree(copy, ignore_errors=True)
            copy.unlink(missing_ok=True) if not copy.is_dir() else None
            if file.is_dir():
                shutil.copytree(file, copy)
            else:
                subprocess.run(["cp", str(file), str(copy)], check=True)
            file = copy
        names = {"FILE": str(file), "OUT": str(self.out), "BOX": str(self.box)}
        words = [self.program, *(names.get(word, word) for word in door.words)]
        return self.spawn(words, door.stdin, file)

    def spawn(self, words, stdin, file):
        given = self.place / "stdin"
        if stdin == "HOSTILE":
            given = file
        else:
            text = (stdin or b"").replace(b"OUT", str(self.out).encode())
            given.write_bytes(text.replace(b"FILE", str(file).encode()))
        # The shell is what knows `ulimit`; exec makes it the program, so what is measured is that alone.
        shell = ["/bin/sh", "-c", f"ulimit -v {ADDRESS_SPACE // 1024} -t {LIMIT}; exec \"$@\"", "sh", *words]
        marshal.dump(([os.fspath(word) for word in shell], self.environment, str(given)), self.launcher.stdin)
        self.launcher.stdin.flush()
        watch = threading.Timer(4 * LIMIT, os.kill, (marshal.load(self.launcher.stdout), 9))
        watch.start()
        status, seconds, kilobytes = marshal.load(self.launcher.stdout)
        watch.cancel()
        status = os.waitstatus_to_exitcode(status)
        killed = status in (-9, -24, 137, 152)
        return Run(seconds, kilobytes * 1024, status, killed)


# Rows that are known to break the rule: they are printed and do not fail the run. By kind, the doors
# (or their first words).
KNOWN = {}


class Row:
    """One kind through one door, at all sizes."""

    def __init__(self, kind, door, sizes, runs):
        self.kind, self.door, self.sizes, self.runs = kind, door, sizes, runs

    def slope(self):
        """Returns the slope of the last step, or nothing where time is noise."""
        last, before = self.runs[-1], self.runs[-2]
        if last.seconds < NOISE:
            return None
        return math.log10(last.seconds / max(before.seconds, 0.001))

    def troubles(self):
        found = [run.trouble() for run in self.runs if run.trouble()][:1]
        slope = self.slope()
        if slope is not None and slope > SLOPE:
            found.append(f"slope {slope:.2f}")
        if self.runs[-1].bytes > MULTIPLE * self.sizes[-1] + ALLOWANCE:
            found.append(f"memory {self.runs[-1].bytes / max(self.sizes[-1], 1):.1f} times the input")
        return found

    def is_known(self):
        return any(self.door.startswith(door) for door in KNOWN.get(self.kind, ()))

    def better(self, other):
        """Returns the better of two tries, size by size."""
        runs = [min(pair, key=lambda run: run.seconds) for pair in zip(self.runs, other.runs)]
        return Row(self.kind, self.door, self.sizes, runs)

    def __str__(self):
        slope = self.slope()
        seconds = " ".join(f"{run.seconds:7.2f}" for run in self.runs)
        memory = " ".join(f"{run.bytes / 2**20:6.0f}" for run in self.runs)
        shown = "     " if slope is None else f"{slope:5.2f}"
        size = f"{self.sizes[-1] / 1e6:6.1f}"
        return f"{self.kind:32} {self.door:18} {size} {seconds} {memory} {shown}  {', '.join(self.troubles())}".rstrip()


HEADING = f"{'kind':32} {'door':18} {'MB':>6} {'s 1x':>7} {'10x':>7} {'100x':>7} {'MiB 1x':>6} {'10x':>6} {'100x':>6} slope"


class Work:
    """A kind and its doors: what a worker does at once, because the inputs are made once."""

    def __init__(self, kind, make, doors, input_of=None):
        self.kind, self.make, self.doors = kind, make, doors
        # What counts as the input, in bytes, of a file of this size made for this size.
        self.input_of = input_of or (lambda held, size: held)


def measured(work, world, options):
    """Makes the inputs and tries the doors: returns the rows."""
    files, sizes = [], []
    for step in STEPS:
        size = options.size * step // 100
        path = world.place / f"input{step}"
        shutil.rmtree(path, ignore_errors=True)
        work.make(path, size)
        files.append(path)
        held = (sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) if path.is_dir()
                else path.stat().st_size)
        sizes.append(work.input_of(held, size))
    rows = []
    for name, door in work.doors.items():
        if options.door and not any(word in name for word in options.door):
            continue
        def tried():
            return Row(work.kind, name, sizes, [door(world, file) for file in files])
        row = tried()
        for _ in range(AGAIN):
            if not any(trouble.startswith("slope") for trouble in row.troubles()):
                break
            row = row.better(tried())
        rows.append(row)
        if options.table or row.troubles():
            print(row, flush=True)
    for path in files:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return rows


def writer_of(pieces_of):
    """Returns a function that writes an input of a size into a file."""
    def write(path, size):
        with open(path, "wb") as out:
            for piece in pieces_of(size):
                out.write(piece)
        path.chmod(0o600)
    return write


def through(doors):
    return {name: (lambda world, file, door=door: world.run(door, file)) for name, door in doors.items()}


def maildir(path, size):
    """Makes a Maildir of small messages, each with the longest name there may be."""
    for name in ("cur", "new", "tmp"):
        (path / name).mkdir(parents=True)
    for number in range(max(1, size // 1000)):
        name = f"{1700000000 + number}.M{number}P1." + "h" * 180
        (path / ("cur" if number % 2 else "new") / (name + (":2,FRS" if number % 2 else ""))).write_bytes(b"Subject: x\n\nx\n")


def fan_out(path, size):
    """Makes configuration files that each name the next ones ten times: ten to the depth are read."""
    path.mkdir()
    path.chmod(0o700)
    depth = {10_000: 3, 100_000: 5}.get(size // 10, 8)
    for level in range(8):
        lines = f"source {path}/{level + 1}\n" * 10 if level < depth else f"set v{level}=x\n"
        (path / str(level)).write_text(lines)
    (path / "8").write_text("set last=x\n")


def arguments_of(form):
    """Returns a function that writes the words of a command line, a line each."""
    def write(path, size):
        words, word, done = [], b"", 0
        size = size * ARGUMENT_BYTES // SIZE
        for piece in numbered(form, size):
            if len(word) + len(piece) > 100_000:
                words.append(word)
                word = b""
            word += piece
        path.write_bytes(b"\n".join([*words, word]))
    return write


def with_arguments(*before):
    def run(world, file):
        words = file.read_bytes().split(b"\n")
        return world.spawn([world.program, *before, *(word for word in words)], b"text\n", file)
    return run


# Doors that go the way of others: tried with --all only.
SIMILAR = ("show last", "-p", "P", "search sender", "d", "mark", "mailx -a")


def works(options):
    """Returns all there is to be tried."""
    doors = {name: door for name, door in {**READING, **CHANGING, **SENDING}.items()
             if options.all or options.door or name not in SIMILAR}
    for kind, pieces_of in MAILBOXES.items():
        has_parts = kind.startswith(("parts", "levels", "body: uuencode"))
        yield Work(kind, writer_of(pieces_of), through({**doors, **PARTS} if has_parts else doors))
    # Thousands of files are synced one by one: minutes, on a disk.
    if options.all:
        yield Work("files: one name", lambda path, size: writer_of(MAILBOXES["parts: files"])(path, size // 40),
                   through({**PARTS, **FILES}))
    # What comes out is a hundred times the file or more: the program must stop by itself. Only the first
    # kind comes to where it does; the others would take minutes.
    for kind, pieces_of in COMPRESSED.items():
        times = RATIO // 10 if kind == next(iter(COMPRESSED)) else RATIO // 100
        yield Work(kind, lambda path, size, of=pieces_of, times=times: writer_of(of)(path, size * times),
                   through({name: READING[name] for name in BOMBED}),
                   lambda held, size, times=times: held + min(size * times, max(100 * held, 256_000_000)))
    for kind, pieces_of in MEMBERS.items():
        yield Work(kind, writer_of(pieces_of), through(READING))
    yield Work("maildir: files", maildir, through({**READING, **CHANGING}),
               lambda held, size: size // 1000 * 300)
    for kind, pieces_of in COMMANDS.items():
        yield Work(kind, writer_of(pieces_of), through(COMMAND_DOORS))
    for kind, pieces_of in CONFIGURATIONS.items():
        # A configuration file has a limit of its own: what is longer is not read.
        yield Work(kind, lambda path, size, of=pieces_of: writer_of(of)(path, min(size, SIZE) // 3),
                   through(CONFIGURATION_DOORS))
    sourced = lambda world, file, words=("send", "--no-system-rc"): world.spawn(
        [world.program, *words, "--config", str(file / "0"), "--set", "mta=/bin/true", "root@example.com"], b"text\n", file)
    yield Work("rc: source", fan_out, {"send": sourced}, lambda held, size: held)
    for kind, form in ARGUMENTS.items():
        yield Work(kind, arguments_of(form), {
            "mailx": with_arguments("mailx", "-n", "-s", "x"),
            "send": with_arguments("send", "--subject", "x"),
            "sendmail": with_arguments("sendmail", "-i"),
            "send --explain": with_arguments("send", "--explain"),
        })


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--only", action="append", help="only kinds with this word")
    parser.add_argument("--door", action="append", help="only doors with this word")
    parser.add_argument("--all", action="store_true", help="larger inputs")
    parser.add_argument("--size", type=int, help="bytes at 100x")
    parser.add_argument("--table", action="store_true", help="print every row")
    options = parser.parse_args()
    options.size = options.size or (SIZE_OF_ALL if options.all else SIZE)
    began = time.monotonic()
    chosen = [work for work in works(options)
              if not options.only or any(word in work.kind for word in options.only)]
    print(HEADING, flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="limits") as place:
        worlds = [World(options.program.resolve(), pathlib.Path(place) / f"world{number}") for number in range(WORKERS)]
        free = list(worlds)
        lock = threading.Lock()

        def one(work):
            with lock:
                world = free.pop()
            try:
                return measured(work, world, options)
            finally:
                with lock:
                    free.append(world)

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for found in pool.map(one, chosen):
                rows += found
        for world in worlds:
            world.close()
    broken = [row for row in rows if row.troubles() and not row.is_known()]
    known = [row for row in rows if row.troubles() and row.is_known()]
    for row in known:
        print(f"KNOWN: {row.kind} through {row.door}: {', '.join(row.troubles())}")
    print(f"{len(chosen)} kinds, {len(rows)} rows, {len(broken)} break the rule, {len(known)} are known to, "
          f"{time.monotonic() - began:.0f} s")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
