#!/usr/bin/python3
"""Reads messages with GMime, the library of notmuch, Balsa, Pan and others.

    gmime.py DIRECTORY

Prints one JSON object a message (readers.py says what is in it).
"""

import base64
import json
import pathlib
import sys

import gi

gi.require_version("GMime", "3.0")
from gi.repository import GMime  # noqa: E402

GMime.init()


def addresses(people):
    found = []
    for at in range(people.length() if people else 0):
        person = people.get_address(at)
        is_mailbox = isinstance(person, GMime.InternetAddressMailbox) if hasattr(
            GMime, "InternetAddressMailbox") else hasattr(person, "get_addr")
        if is_mailbox:
            found.append([person.get_name() or "", person.get_addr()])
    return found


def leaves(part):
    if isinstance(part, GMime.Multipart):
        for at in range(part.get_count()):
            yield from leaves(part.get_part(at))
    else:
        yield part


def told_of(part):
    stream = GMime.StreamMem.new()
    content = part.get_content()
    if content is not None:
        content.write_to_stream(stream)
    is_text = isinstance(part, GMime.TextPart)
    kind = part.get_content_type()
    # get_text() gives no text at all for a charset that does not fit.
    return {"type": kind.get_mime_type().lower(), "name": part.get_filename(),
            "attached": (part.get_disposition() or "").lower() == "attachment",
            "bytes": base64.b64encode(bytes(stream.get_byte_array())).decode(),
            "text": part.get_text() if is_text else None}


for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    told = {"id": path.name}
    try:
        stream = GMime.StreamMem.new_with_buffer(path.read_bytes())
        message = GMime.Parser.new_with_stream(stream).construct_message(None)
        told |= {"subject": message.get_subject() or "", "from": addresses(message.get_from()),
                 "to": addresses(message.get_to()), "cc": addresses(message.get_cc()),
                 "reply-to": addresses(message.get_reply_to()),
                 "parts": [told_of(part) for part in leaves(message.get_mime_part())]}
    except Exception as error:
        told["error"] = repr(error)
    print(json.dumps(told))
