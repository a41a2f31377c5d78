#!/usr/bin/env python3
"""Reads messages with Python's email package: by its policy of today, or as it was used before
policies, which is what most scripts do.

    python-email.py default|compat32 DIRECTORY

Prints one JSON object a message (readers.py says what is in it).
"""

import base64
import email
import email.header
import email.policy
import email.utils
import json
import pathlib
import sys


def subject(message):
    return str(message["Subject"] or "")


def addresses(message, field):
    if message[field] is None:
        return []
    return [[a.display_name, a.addr_spec] for a in message[field].addresses]


def decoded(text):
    # make_header alone would refuse bytes that are no UTF-8.
    pieces = []
    for piece, charset in email.header.decode_header(text):
        pieces.append(piece if isinstance(piece, str) else piece.decode(charset or "ascii", "replace"))
    return "".join(pieces)


def subject_of_before(message):
    return decoded("".join(subject(message).splitlines()))


def addresses_of_before(message, field):
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


policy, subject_as_read, addresses_as_read = {
    "default": (email.policy.default, subject, addresses),
    "compat32": (email.policy.compat32, subject_of_before, addresses_of_before),
}[sys.argv[1]]
for path in sorted(pathlib.Path(sys.argv[2]).iterdir()):
    told = {"id": path.name}
    try:
        message = email.message_from_bytes(path.read_bytes(), policy=policy)
        told |= {"subject": subject_as_read(message), "parts": list(parts(message))}
        told |= {field: addresses_as_read(message, field) for field in ("from", "to", "cc", "reply-to")}
    except Exception as error:
        told["error"] = repr(error)
    print(json.dumps(told))
