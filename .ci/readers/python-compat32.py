#!/usr/bin/env python3
"""Reads messages with Python's email package, as it was used before policies: most scripts do.

    python-compat32.py DIRECTORY

Prints one JSON object a message (readers.py says what is in it).
"""

import base64
import email
import email.header
import email.utils
import json
import pathlib
import sys


def decoded(text):
    # make_header alone would refuse bytes that are no UTF-8.
    pieces = []
    for piece, charset in email.header.decode_header(text):
        pieces.append(piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace"))
    return "".join(pieces)


def addresses(message, field):
    pairs = email.utils.getaddresses([str(text) for text in message.get_all(field, [])])
    return [[decoded(name), address] for name, address in pairs]


def parts(message):
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        text = None
        if part.get_content_maintype() == "text":
            text = content.decode(part.get_content_charset() or "us-ascii", "replace")
        yield {"type": part.get_content_type(), "name": part.get_filename(),
               "attached": part.get_content_disposition() == "attachment",
               "bytes": base64.b64encode(content).decode(), "text": text}


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    told = {"id": path.name}
    try:
        message = email.message_from_bytes(path.read_bytes())
        subject = "".join(str(message["Subject"] or "").splitlines())
        told |= {"subject": decoded(subject), "parts": list(parts(message))}
        told |= {field: addresses(message, field) for field in ("from", "to", "cc", "reply-to")}
    except Exception as error:
        told["error"] = repr(error)
    print(json.dumps(told))
