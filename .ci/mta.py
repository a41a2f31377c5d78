#!/usr/bin/env python3
"""What becomes of mail that a real mail system takes: is what the program says of it true?

    mta.py relay|submit SYSTEM            (inside the root that .ci/mta.sh makes)
    mta.py names                          a name server that knows no name

relay: by SMTP, on 10.9.9.9. submit: by the system's sendmail binary, as root and as a plain user.
In both, a recipient that was told as accepted must get the mail (or somebody the bounce, which is the
system's affair), and one that was told as refused must not get it: such a row is "told wrong". What is
told as uncertain is never wrong; the rows say where that is not good enough.
"""

import base64
import email
import email.policy
import itertools
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import time

WHAT, SYSTEM = (sys.argv[1:] + [""])[:2]
HOST, OTHER_NAME = "mail.example.test", "other.example.test"
USER, PASSWORD = "tester", "s3cret"
SPOOL = pathlib.Path("/var/mail")
HOME = pathlib.Path("/root/trial")
LIMIT = 180
PATIENCE = 30
BIG = 3_000_000
MANY = 200
TEXT = "caf\u00e9 and a line\nFrom here\n.\n..\n" + "x" * 5000 + "\n.\nlast line\n"
# Sendmail writes no log where there is no syslog.
LOGS = ["/var/log/mta.log", "/var/log/exim4/mainlog", "/tmp/sink"]
KNOWS_UTF8 = {"postfix", "exim"}
TOKENS = itertools.count(1)

wrong = []


def told(name, text, problems=()):
    for problem in problems:
        wrong.append(f"{name}: {problem}")
    print(f"  {'WRONG' if problems else 'ok'}: {name}: {text}{''.join(f'; {problem}' for problem in problems)}", flush=True)


class Run:
    """One run of mailx: what it said, of each recipient, and whether the text is kept."""

    def __init__(self, settings, recipients, text=TEXT, words=(), user=None):
        self.token = f"trial-{next(TOKENS):03}"
        self.recipients = recipients
        account = pwd.getpwnam(user) if user else None
        home = pathlib.Path(account.pw_dir) if account else HOME
        home.mkdir(exist_ok=True)
        rc, self.dead = home / "rc", home / "dead"
        rc.write_text("".join(f"set {setting}\n" for setting in (*settings, "log=off", "nooutbox")))
        rc.chmod(0o600)
        self.dead.unlink(missing_ok=True)
        if account:
            os.chown(rc, account.pw_uid, account.pw_gid)
        environment = {"HOME": str(home), "MAILRC": str(rc), "LC_ALL": "C.UTF-8", "DEAD": str(self.dead),
                       "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        extra = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        self.text = f"{self.token}\n{text}"
        began = time.monotonic()
        done = subprocess.run(["/usr/bin/mailx", "-n", "--json", "-s", self.token, *words, *recipients], input=self.text.encode(),
                              env=environment, capture_output=True, timeout=LIMIT, cwd=home, **extra)
        self.took = time.monotonic() - began
        self.status, self.said = done.returncode, done.stderr.decode(errors="replace")
        try:
            report = json.loads(done.stdout)
        except ValueError:
            report = {"recipients": []}
        self.outcomes = {each["recipient"]: each["outcome"] for each in report["recipients"]}
        self.kept = self.dead.read_text(errors="replace") if self.dead.exists() else ""

    @property
    def line(self):
        return f"exit {self.status}, {self.took:.2f} s{': ' if self.said else ''}{self.said.strip().replace(chr(10), ' | ')[:240]}"

    def problems(self, status, says=None, kept=None, never=None):
        """Compares with what is wanted. `kept`: the addresses that the dead letter names."""
        found = []
        statuses = status if isinstance(status, tuple) else (status,)
        if self.status not in statuses:
            found.append(f"exit {self.status}, not {'/'.join(map(str, statuses))}")
        if says and not re.search(says, self.said):
            found.append(f"does not say {says!r}")
        if never and re.search(never, self.said):
            found.append(f"says {never!r}")
        secret = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        if PASSWORD in self.said or secret in self.said:
            found.append("shows the password")
        if self.status and self.status != 0 and "last line" not in self.kept:
            found.append("the text is not kept")
        if kept is not None:
            named = re.search(r"(?mi)^X-Postrider-Unsent-To:((?:.*\n)(?:[ \t].*\n)*)", self.kept)
            names = set(re.findall(r"[^\s,<>]+@[^\s,<>]+", named[1])) if named else set()
            if names != set(kept):
                found.append(f"the dead letter is for {sorted(names)}")
        return found


# --- what arrived ----------------------------------------------------------------------------


def mail_of(user):
    """Returns the messages in a mailbox, as bytes, without the quoting of From_ lines."""
    path = SPOOL / user
    data = path.read_bytes() if path.exists() else b""
    return [part.partition(b"\n")[2] for part in re.split(rb"(?m)^From (?=\S+ +\w{3} \w{3} )", data)[1:]]


def found(user, token):
    # A report on a mail has the header of that mail in its body.
    subject = re.compile(rb"(?m)^Subject: %s$" % token.encode())
    return [data for data in mail_of(user) if subject.search(data.partition(b"\n\n")[0])]


def bounce_of(token):
    """Returns whether a report on a mail came back to anybody."""
    for path in SPOOL.iterdir():
        for data in mail_of(path.name):
            if token.encode() in data and re.search(rb"(?mi)^(From|Subject):.*(mailer-daemon|undeliver|failed|returned)", data):
                return True
    return any(token.encode() in message.data and not message.sender for message in relay.messages) if relay else False


def wait_for(check, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not (result := check()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return result


def body_of(data):
    message = email.message_from_bytes(data.replace(b"\r\n", b"\n"), policy=email.policy.default)
    return message.get_content().replace("\n>From ", "\nFrom ")


def got(address, run):
    """Returns the bytes of the mail that reached this address."""
    if relay:
        return next((message.data for message in list(relay.messages)
                     if address in message.recipients and message.field("Subject") == run.token), None)
    user = address.partition("@")[0]
    mail = found(user, run.token)
    return mail[0] if mail else None


def truth(run, may_bounce=False):
    """Holds what was told of each recipient against what arrived."""
    problems = []
    for address in run.recipients:
        if "bulk" in address:
            continue
        outcome = run.outcomes.get(address)
        if outcome == "accepted":
            if not wait_for(lambda: got(address, run) or (may_bounce and bounce_of(run.token)), PATIENCE if not may_bounce else 6):
                if not may_bounce:
                    problems.append(f"told wrong: {address} was accepted and got nothing")
        elif outcome == "refused":
            # What was refused would be there by now.
            if wait_for(lambda: got(address, run), 1.5):
                problems.append(f"told wrong: {address} was refused and has the mail")
        elif outcome is None:
            problems.append(f"nothing is told of {address}")
    return problems


def same_body(run, address):
    data = wait_for(lambda: got(address, run))
    if not data:
        return [f"nothing came for {address}"]
    return [] if body_of(data).rstrip("\n") == run.text.rstrip("\n") else ["the body is another one"]


def logged_recipients():
    """Returns the recipients of the many that the system's log, or the relay, has seen."""
    seen = set()
    for path in map(pathlib.Path, LOGS):
        if not path.exists():
            continue
        seen |= set(re.findall(r"\br\d{3}@bulk\.example\.test", path.read_text(errors="replace")))
    if relay:
        seen |= {address for message in list(relay.messages) for address in message.recipients if address in MANY_OF_THEM}
    return seen


# --- by SMTP ------------------------------------------------------------------------------------


CA = "tls-ca-file=/etc/testtls/ca.pem"
FROM = "from=sender@example.test"
ONE = [f"{USER}@example.test"]
MANY_OF_THEM = [f"r{number:03}@bulk.example.test" for number in range(MANY)]


def by(url, *more):
    return [f"mta={url}", FROM, CA, *more]


def with_login(scheme, password=PASSWORD, host=HOST):
    # Cyrus knows users with their domain.
    return f"{scheme}://{USER}:{password}@{host}"


def listens(port):
    try:
        socket.create_connection((HOST, port), 5).close()
        return True
    except OSError:
        return False


def try_relay():
    for port in (25, 587, 465, 2525):
        if not wait_for(lambda: listens(port)):
            raise SystemExit(f"nobody listens on port {port}")
    plain, starttls, tls = f"smtp://{HOST}", with_login("submission"), with_login("submissions")
    for name, settings in (("plain, STARTTLS if it is offered", by(plain)), ("STARTTLS and AUTH", by(starttls)), ("TLS and AUTH", by(tls)),
                           ("AUTH LOGIN", by(starttls, "smtp-auth=login"))):
        run = Run(settings, ONE)
        told(name, run.line, run.problems(0) + same_body(run, ONE[0]))
    run = Run(by(with_login("submission", "wrong")), ONE)
    told("wrong password", run.line, run.problems(77, kept=ONE) + truth(run))
    run = Run(by(f"submission://{HOST}"), ONE)
    told("no login configured", run.line, run.problems(77, "(?i)hint: .*(login|user|password)", kept=ONE) + truth(run))
    run = Run([f"mta={starttls}", FROM], ONE)
    told("private CA, not configured", run.line, run.problems(77, "hint: .*tls-ca-file", kept=ONE) + truth(run))
    run = Run(by(with_login("submission", host=OTHER_NAME)), ONE)
    told("wrong name", run.line, run.problems(77, HOST, kept=ONE) + truth(run))
    three = [ONE[0], "nosuchuser@example.test", "other@example.test"]
    # At port 25, where a system looks who is there before it answers.
    run = Run(by(plain), three)
    told("one bad of three", run.line, run.problems(65, kept=["nosuchuser@example.test"]) + truth(run))
    run = Run(by(plain), ONE, TEXT + ("z" * 69 + "\n") * (BIG // 70) + "last line\n")
    told("over SIZE", run.line, run.problems(69, "bytes, but the relay accepts only", kept=ONE, never="hint: .*host") + truth(run))
    run = Run(by(plain), ["j\u00f6rg@bulk.example.test"])
    is_known = SYSTEM in KNOWS_UTF8
    told("SMTPUTF8", run.line, run.problems(0 if is_known else 65, None if is_known else "SMTPUTF8"))
    for name, port in (("200 recipients", ""), ("200 recipients, at most 100 at once", ":2525")):
        if not port and SYSTEM in ("sendmail", "opensmtpd"):
            # The limit holds for all of their ports.
            continue
        before = logged_recipients()
        run = Run(by(plain + port), MANY_OF_THEM)
        accepted = sum(outcome == "accepted" for outcome in run.outcomes.values())
        problems = run.problems(0)
        if accepted != MANY:
            problems.append(f"{accepted} of {MANY} accepted")
        if SYSTEM != "sendmail" and not before and not wait_for(lambda: len(logged_recipients()) == MANY, 15):
            problems.append(f"{len(logged_recipients())} of {MANY} are in its log")
        told(name, f"{accepted} accepted, {run.line[:100]}", problems)


# --- by sendmail --------------------------------------------------------------------------------


# What the program may answer where that is not 0, by system and row. An exit of 75 is good where the
# outcome is uncertain in truth.
STATUSES = {
    # One status for three people: it is not known for whom it holds, or they are handed over singly.
    ("sendmail", "one bad of three"): (65, 67, 75),
    ("opensmtpd", "one bad of three"): (65, 67, 69, 70, 75),
    ("msmtp", "one bad of three"): (65, 75),
    ("exim", "one bad of three"): (0, 65, 67, 75),
    ("opensmtpd", "SMTPUTF8"): (0, 65, 69, 70, 75),
    ("sendmail", "SMTPUTF8"): (0, 65, 69, 70, 75),
    ("postfix", "3 MB, 2 are the limit"): (69,),
    ("exim", "3 MB, 2 are the limit"): (69,),
    ("sendmail", "3 MB, 2 are the limit"): (0, 65, 69),
    ("opensmtpd", "3 MB, 2 are the limit"): (65, 69, 70),
    ("msmtp", "3 MB, 2 are the limit"): (65, 69),
}


def try_submit():
    # Its submission program hands over to the daemon; what it cannot hand over now waits for longer than we do.
    if SYSTEM == "sendmail" and not wait_for(lambda: listens(25)):
        raise SystemExit("nobody listens on port 25")
    for user in (None, "plain"):
        who = user or "root"
        base = ["mta=sendmail", "from=tester@example.test"]

        def row(name, recipients, text=TEXT, words=(), checks_body=True, may_bounce=False, says=None):
            run = Run(base, recipients, text, words, user)
            statuses = STATUSES.get((SYSTEM, name), (0,))
            problems = run.problems(statuses, says if run.status else None) + truth(run, may_bounce)
            if checks_body and run.status == 0:
                problems += same_body(run, recipients[0])
            told(f"{who}: {name}", run.line, problems)
            return run

        row("simple, 8 bit, dots, a long line", ONE)
        run = row("Bcc", ONE, words=["-b", "other@example.test"])
        blind = wait_for(lambda: got("other@example.test", run))
        if not blind:
            told(f"{who}: Bcc", "", ["nothing came for the hidden one"])
        elif re.search(rb"(?mi)^bcc:", blind):
            told(f"{who}: Bcc", "", ["the hidden one is shown"])
        row("-r", ONE, words=["-r", "backup@example.test"])
        row("one bad of three", [ONE[0], "nosuchuser@example.test", "other@example.test"], checks_body=False, may_bounce=True)
        row("SMTPUTF8", ["j\u00f6rg@bulk.example.test"], checks_body=False)
        row("200 recipients", MANY_OF_THEM, checks_body=False)
        if relay and not wait_for(lambda: len(logged_recipients()) == MANY, 60):
            told(f"{who}: 200 recipients", "", [f"{len(logged_recipients())} of {MANY} came"])
        row("3 MB, 2 are the limit", ONE, TEXT + ("z" * 69 + "\n") * (BIG // 70) + "last line\n", checks_body=False, may_bounce=True,
            # These say nothing at all.
            says=None if SYSTEM in ("exim", "sendmail") else "(?i)too (big|large)|exceed|size|maximum|552")


relay = None


def know_no_names():
    """Answers every question with NXDOMAIN; without an answer Sendmail keeps all mail for later."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    while True:
        question, client = server.recvfrom(4096)
        end = question.find(b"\0", 12) + 5
        server.sendto(question[:2] + b"\x81\x83" + b"\0\x01" + b"\0" * 6 + question[12:end], client)


def main():
    global relay
    if WHAT == "names":
        know_no_names()
    if WHAT == "submit" and SYSTEM in ("dma", "nullmailer", "msmtp"):
        from relay import Relay
        relay = Relay(port=2500, refuses="nosuchuser", size=2 << 20)
        relay.enter("up")
    try_relay() if WHAT == "relay" else try_submit()
    for problem in wrong:
        print(f"{SYSTEM}: {problem}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
