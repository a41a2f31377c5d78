#!/usr/bin/env python3
"""Reads messages with Python's email package, as it is used today.

    python-email.py DIRECTORY

Prints one JSON object a message (readers.py says what is in it).
"""

import base64
import email
import email.policy
import json
import pathlib
import sys


def addresses(message, field):
    if message[field] is None:
        return []
    return [[a.display_name, a.addr_spec] for a in message[field].addresses]


def parts(message):
    for part in message.walk():
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        text = None
        if part.get_content_maintype() == "text":
            text = content.decode(part.get_content_charset("us-ascii"), "replace")
        yield {"type": part.get_content_type(), "name": part.get_filename(),
               "attached": part.get_content_disposition() == "attachment",
               "bytes": base64.b64encode(content).decode(), "text": text}


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    told = {"id": path.name}
    try:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        told |= {"subject": str(message["Subject"] or ""), "parts": list(parts(message))}
        told |= {field: addresses(message, field) for field in ("from", "to", "cc", "reply-to")}
    except Exception as error:
        told["error"] = repr(error)
    print(json.dumps(told))
