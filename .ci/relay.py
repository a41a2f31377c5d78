"""A relay for the tests: an SMTP server on the loopback that can be down in several ways.

It takes what it is given and remembers it: which connection brought which message, when, and whether
the client went on after the 250, so that it must have seen it. A relay is in one of these phases:

    up         takes everything; every `lose`-th message is taken and the connection then closed in
               place of the 250
    451        greets, and answers MAIL with 451
    silent     accepts connections and says nothing; when the phase ends it closes them, or leaves
               them open for ever (`hangs`), as a relay does that was cut off by a firewall
    refused    nobody listens on its port
"""

import re
import socket
import struct
import threading
import time


class Message:
    """One that was taken."""

    def __init__(self, data, sender, recipients, connection):
        self.data, self.sender, self.recipients = data, sender, recipients
        self.connection, self.at = connection, time.monotonic()
        # Whether the client has said anything after the 250.
        self.is_acknowledged = False

    def field(self, name):
        found = re.search(rb"(?mi)^%s: *(.*?)\r?$" % name.encode(), self.data.partition(b"\r\n\r\n")[0])
        return found[1].decode(errors="replace") if found else None

    @property
    def id(self):
        return self.field("Message-ID")


class Connection:
    def __init__(self, phase):
        self.phase, self.opened, self.closed = phase, time.monotonic(), None
        self.messages, self.transactions = [], 0


class Relay:
    """The relay of a test; it has a port of its own for as long as it exists."""

    def __init__(self, delay=0.0, lose=None, keep=True, port=0, refuses=None, size=104857600):
        """`refuses` is a pattern of recipients; `size` is the most that a message may have."""
        self.delay, self.lose, self.keep, self.refuses, self.size = delay, lose, keep, refuses, size
        self.extensions = ["PIPELINING", f"SIZE {size}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        self.messages, self.connections, self.lost = [], [], []
        self.phase, self.hangs = "refused", False
        self.guard, self.listener, self.open = threading.Lock(), None, set()
        # The port stays ours while nobody listens: it is bound, and others cannot take it.
        self.reserved = bound(port)
        self.port = self.reserved.getsockname()[1]

    def enter(self, phase, hangs=False):
        """Changes the phase, and ends the connections of the one before."""
        before, self.phase = self.phase, phase
        if phase == "refused" and self.listener:
            listener, self.listener = self.listener, None
            # close() alone does not wake the thread that waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        elif phase != "refused" and not self.listener:
            self.listener = bound(self.port)
            self.listener.listen(512)
            threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()
        if before != phase and not (before == "silent" and hangs):
            with self.guard:
                leaving = list(self.open)
            for client in leaving:
                try:
                    client.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.enter("refused")
        self.reserved.close()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = Connection(self.phase)
            with self.guard:
                self.connections.append(connection)
                self.open.add(client)
            threading.Thread(target=self.serve, args=(client, connection), daemon=True).start()

    def serve(self, client, connection):
        try:
            if connection.phase == "silent":
                while client.recv(1 << 16):
                    pass
            else:
                Session(self, client, connection).run()
        except OSError:
            pass
        finally:
            with self.guard:
                self.open.discard(client)
            connection.closed = time.monotonic()
            client.close()

    def take(self, message):
        """Remembers a message; returns whether its 250 is to be lost."""
        with self.guard:
            self.messages.append(message)
            message.connection.messages.append(message)
            is_lost = bool(self.lose) and len(self.messages) % self.lose == 0
            if is_lost:
                self.lost.append(message)
        return is_lost


def bound(port):
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.bind(("127.0.0.1", port))
    return found


class Gone(OSError):
    """The client has closed the connection, or we want to."""


class Session:
    """What is said on one connection. Replies to commands that came together go out together."""

    def __init__(self, relay, client, connection):
        self.relay, self.client, self.connection = relay, client, connection
        self.buffer, self.replies, self.last = b"", [], None
        self.sender, self.recipients = None, []

    def run(self):
        self.say("220 relay.example.test ESMTP")
        while True:
            line = self.line()
            if self.last:
                self.last.is_acknowledged = True
            word, _, rest = line.partition(" ")
            if self.answer(word.upper(), rest):
                self.flush()
                return

    def answer(self, word, rest):
        """Answers one command; returns whether it was the last."""
        if word in ("EHLO", "LHLO"):
            lines = ["relay.example.test", *self.relay.extensions]
            self.say("\r\n".join(f"250{'-' if number < len(lines) else ' '}{text}"
                                 for number, text in enumerate(lines, 1)))
        elif word == "MAIL":
            self.connection.transactions += 1
            if self.relay.phase == "451":
                self.sender = None
                self.say("451 4.3.2 cannot take mail just now")
            elif (size := re.search(r"(?i) SIZE=(\d+)", rest)) and int(size[1]) > self.relay.size:
                self.sender = None
                self.say("552 5.3.4 message is too big")
            else:
                self.sender, self.recipients = address_of(rest), []
                self.say("250 2.1.0 Ok")
        elif word == "RCPT":
            if self.sender is None:
                self.say("503 5.5.1 no MAIL")
            elif self.relay.refuses and re.search(self.relay.refuses, rest):
                self.say("550 5.1.1 no such user here")
            else:
                self.recipients.append(address_of(rest))
                self.say("250 2.1.5 Ok")
        elif word == "DATA":
            if self.sender is None or not self.recipients:
                self.say("503 5.5.1 no recipients")
            else:
                self.data()
        elif word == "QUIT":
            self.say("221 2.0.0 Bye")
            return True
        elif word in ("RSET", "NOOP", "HELO", "AUTH"):
            self.sender = None if word == "RSET" else self.sender
            self.say("235 2.7.0 Ok" if word == "AUTH" else "250 2.0.0 Ok")
        else:
            self.say("500 5.5.2 what is that")
        return False

    def data(self):
        self.say("354 go on")
        parts, tail = [], b"\r\n"
        while True:
            # The end may come in two pieces.
            at = (tail + self.buffer).find(b"\r\n.\r\n")
            if at >= 0:
                end = at + 5 - len(tail)
                break
            parts.append(self.buffer)
            tail, self.buffer = (tail + self.buffer)[-4:], b""
            self.receive()
        parts.append(self.buffer[:end])
        self.buffer = self.buffer[end:]
        if sum(map(len, parts)) > self.relay.size:
            self.sender = None
            self.say("552 5.3.4 message is too big")
            return
        message = Message(unstuffed(b"".join(parts)) if self.relay.keep else b"", self.sender, self.recipients, self.connection)
        self.sender, self.last = None, message
        if self.relay.take(message):
            # Sent at once, so that the client does not know whether its last bytes arrived.
            self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Gone
        self.say("250 2.0.0 taken")

    def line(self):
        while b"\n" not in self.buffer:
            self.receive()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    def receive(self):
        self.flush()
        more = self.client.recv(1 << 18)
        if not more:
            raise Gone
        self.buffer += more

    def say(self, reply):
        self.replies.append(reply)

    def flush(self):
        if self.replies:
            if self.relay.delay:
                time.sleep(self.relay.delay)
            data, self.replies = "".join(f"{reply}\r\n" for reply in self.replies).encode(), []
            self.client.sendall(data)


def unstuffed(data):
    """Returns a message as it was before SMTP: without the last dot, and without one before each other."""
    return re.sub(rb"(?m)^\.", b"", data[:-3])


def address_of(rest):
    found = re.search(r"<([^>]*)>", rest)
    return found[1] if found else rest
