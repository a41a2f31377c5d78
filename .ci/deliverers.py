#!/usr/bin/env python3
"""Delivers into mailboxes that a reader has open, or rewrites, and looks for what is missing.

    deliverers.py PROGRAM [--reader COMMAND]

Runs as root inside the private root of deliverers.sh, which has installed the deliverers. With
--reader another program takes our place as the reader: that shows what the checks find. DELIVERERS_ONLY
in the environment are words; only the checks that have all of them in their name are made.

Exit: 0 passed, 77 nothing could be tried, else failed.
"""

import argparse
import concurrent.futures
import fcntl
import grp
import os
import pathlib
import pty
import pwd
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time

from mailboxes import Contents, Locks, append, dot_lock_of, mail, new_id, stored

SPOOL = pathlib.Path("/var/mail")
ROOTS_JOURNALS = pathlib.Path("/var/lib/postrider")
WORKERS = 5
# How many messages the mailbox has at first.
FIRST = 40
# How long a deliverer may take once nobody holds a lock: Exim looks every 3 s, mail.local every 5 s.
PATIENCE = 60
# Each call of a rewrite begins this much later.
DELAY = "inject=pwrite64,ftruncate,fallocate,fsync,fdatasync:delay_enter=500000"
# Others write through stdio and sync nothing: only this call of theirs can be told from the rest.
DELAY_OF_OTHERS = "inject=ftruncate:delay_enter=2500000"
# A rewrite that took less was not stretched: the check would prove nothing.
STRETCHED = 1.0
# When a rewrite is killed, in seconds after its locks were taken.
MOMENTS = (0.2, 1.3, 2.3, 2.8)

results = []
results_lock = threading.Lock()


class LeftOut(Exception):
    """This cannot be tried here."""


class Wrong(Exception):
    """The program did not do what it should."""


def clean_environment(user):
    return {"HOME": pwd.getpwnam(user).pw_dir, "USER": user, "LOGNAME": user, "LC_ALL": "C", "TERM": "vt100",
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "MAILRC": "/dev/null"}


def as_user(user, groups=()):
    """Returns what subprocess needs to run something as a user."""
    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "env": clean_environment(user), "cwd": entry.pw_dir,
            "extra_groups": [grp.getgrnam(name).gr_gid for name in groups]}


# --- mailboxes --------------------------------------------------------------------


class Box:
    """A user of his own, and his mailbox with the first messages in it."""

    def __init__(self, mode, name):
        self.mode = mode
        self.user = f"{mode[0]}-{name.replace(' ', '-')}"[:31]
        subprocess.run(["useradd", "--create-home", "--shell", "/bin/sh", self.user], check=True)
        entry = pwd.getpwnam(self.user)
        self.home = pathlib.Path(entry.pw_dir)
        self.is_private = mode == "private"
        if self.is_private:
            place = self.home / "private"
            place.mkdir(mode=0o700)
            os.chown(place, entry.pw_uid, entry.pw_gid)
            self.path = place / "mbox"
            # Postfix follows this as the user, and locks as it does in the spool.
            (self.home / ".forward").write_text(f"{self.path}\n")
        else:
            self.path = SPOOL / self.user
        self.first = [new_id(f"first{number}") for number in range(FIRST)]
        self.path.write_bytes(b"".join(stored(id, "RO") for id in self.first))
        os.chown(self.path, entry.pw_uid, entry.pw_gid if self.is_private else grp.getgrnam("mail").gr_gid)
        self.path.chmod(0o600 if self.is_private else 0o660)
        self.identity = self.now()

    def now(self):
        status = self.path.stat()
        return status.st_ino, status.st_uid, status.st_gid, oct(status.st_mode)

    def ids(self):
        return Contents.of(self.path).ids

    def wait_for(self, id, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while id not in self.ids():
            if time.monotonic() > deadline:
                raise Wrong(f"{id} is not in the mailbox after {seconds} s")
            time.sleep(0.1)

    def check(self, deleted=(), new=(), may=()):
        """The mailbox holds what it should, is the file it was, and nothing is left beside it."""
        must = [id for id in self.first if id not in deleted] + list(new)
        problems = Contents.of(self.path).problems(must, may)
        if self.now() != self.identity:
            problems.append(f"another file: {self.identity} became {self.now()}")
        name = self.path.name
        problems += [f"left beside it: {entry.name}" for entry in self.path.parent.iterdir()
                     if entry.name.startswith((f"{name}.", f".{name}."))]
        problems += [f"left: {entry}" for entry in (self.home / ".local/state").rglob("*") if entry.is_file()]
        problems += [f"left: {entry}" for entry in ROOTS_JOURNALS.rglob("*") if self.user in entry.name]
        if problems:
            raise Wrong("; ".join(problems[:5]) + (f"; {len(problems)} in all" if len(problems) > 5 else ""))


# --- the program, and others like it --------------------------------------------------


class Session:
    """A reader at work on pipes: commands go in one by one, what it says is collected."""

    def __init__(self, command, **options):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, **options)
        self.said = b""

    def tell(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def expect(self, text, seconds=30):
        deadline = time.monotonic() + seconds
        while text.encode() not in self.said:
            if not self.read(deadline):
                raise Wrong(f"the reader does not say {text!r}: {self.said[-300:]!r}")

    def read(self, deadline):
        ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
        part = os.read(self.process.stdout.fileno(), 65536) if ready else b""
        self.said += part
        return part

    def finish(self, seconds=90):
        """Waits for the end; returns the status and what was said."""
        self.process.stdin.close()
        deadline = time.monotonic() + seconds
        while self.read(deadline):
            pass
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic())), self.said.decode("utf-8", "replace")
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Wrong(f"the reader does not end within {seconds} s: {self.said[-300:]!r}") from None

    def forget(self):
        self.said = b""


class Reader:
    """The program under test, or another in its place, as a mailbox reader."""

    def __init__(self, command, is_ours):
        self.command, self.is_ours = command, is_ours

    def open(self, box, slowly=False, options=()):
        """Starts it on the mailbox and waits until it has read it."""
        command = [*self.command, *options]
        if box.is_private or not self.is_ours:
            command += ["-f", str(box.path)]
        if slowly:
            # Root traces: so dotlockfile, which is setgid mail, keeps its right.
            command = ["strace", "-f", "-u", box.user, "-o", "/dev/null",
                       "-e", "trace=pwrite64,ftruncate,fallocate,fsync,fdatasync",
                       "-e", DELAY if self.is_ours else DELAY_OF_OTHERS, *command]
            session = Session(command, env=clean_environment(box.user), cwd=box.home)
        else:
            session = Session(command, **as_user(box.user))
        session.tell("f 1")
        session.expect("number first")
        return session

    def wait_for_rewrite(self, box, session):
        """Waits until the reader, which was told to quit, holds its locks."""
        if not self.is_ours:
            time.sleep(0.7)
            return
        deadline = time.monotonic() + 20
        while not dot_lock_of(box.path).exists():
            if time.monotonic() > deadline or session.process.poll() is not None:
                raise Wrong(f"no dot-lock is seen during the rewrite: {session.said!r}")
            time.sleep(0.005)


class Mutt:
    """mutt on a terminal of its own."""

    KEYS = {"delete": b"d", "quit": b"q"}

    def __init__(self, box):
        rc = pathlib.Path("/opt/muttrc")
        rc.write_text("set delete=yes quit=yes move=no sort=mailbox-order wait_key=no mail_check=1\n"
                      "set record='' postponed='' header_cache='' index_format='%4C %s'\n"
                      # A mailbox that changed under it makes mutt ask nothing and go on.
                      "set check_new=yes beep=no folder=/tmp\n")
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            entry = pwd.getpwnam(box.user)
            os.initgroups(box.user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os.chdir(box.home)
            os.execve("/usr/bin/mutt", ["mutt", "-n", "-F", str(rc), "-f", str(box.path)],
                      clean_environment(box.user))
        self.screen = b""
        self.wait_for(b"Msgs:")

    def wait_for(self, text, seconds=20):
        deadline = time.monotonic() + seconds
        while text not in self.screen:
            if time.monotonic() > deadline or not self.read(0.2):
                raise Wrong(f"mutt does not show {text!r}: {self.screen[-300:]!r}")

    def read(self, seconds):
        ready, _, _ = select.select([self.terminal], [], [], seconds)
        try:
            self.screen += os.read(self.terminal, 65536) if ready else b""
        except OSError:
            return False
        return True

    def delete(self, number):
        os.write(self.terminal, f"{number}\r".encode() + self.KEYS["delete"])
        self.read(0.5)

    def quit(self):
        os.write(self.terminal, self.KEYS["quit"])

    def finish(self, seconds=60):
        deadline = time.monotonic() + seconds
        asked = time.monotonic()
        while self.read(0.2):
            if time.monotonic() > asked + 2:
                # It could not lock the mailbox, and goes on.
                self.quit()
                asked = time.monotonic()
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise Wrong(f"mutt does not end: {self.screen[-300:]!r}")
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class SNail:
    """s-nail on pipes."""

    def __init__(self, box):
        self.session = Session(["s-nail", "-n", "-N", "-#", "-f", str(box.path)], **as_user(box.user))
        self.session.tell("f 2")
        self.session.expect(f"number {box.first[1]}"[:14])

    def delete(self, number):
        self.session.tell(f"delete {number}")

    def quit(self):
        self.session.tell("quit")

    def finish(self, seconds=60):
        self.session.finish(seconds)


# --- deliverers --------------------------------------------------------------------------


class Deliverer:
    """One way into a mailbox. `start` begins the delivery of a message and returns the process."""

    def __init__(self, name, needs, modes, start, waits_for_dot_lock=True):
        self.name, self.needs, self.modes, self.start = name, needs, modes, start
        self.waits_for_dot_lock = waits_for_dot_lock


def run_as_root(arguments):
    return lambda box: {"args": [word.format(user=box.user) for word in arguments.split()]}


def procmail(box):
    if box.is_private:
        return {"args": ["procmail", "-f", "sender@example.test", f"DEFAULT={box.path}", "/dev/null"],
                **as_user(box.user)}
    return {"args": ["procmail", "-f", "sender@example.test", "-d", box.user]}


def maildrop(box):
    if not box.is_private:
        return {"args": ["maildrop", "-f", "sender@example.test", "-d", box.user]}
    rules = box.home / ".mailfilter"
    rules.write_text(f'to "{box.path}"\n')
    rules.chmod(0o600)
    os.chown(rules, pwd.getpwnam(box.user).pw_uid, -1)
    return {"args": ["maildrop", "-f", "sender@example.test", str(rules)], **as_user(box.user)}


def dovecot(box):
    # Of group mail, as an MTA starts it: it makes the dot-lock in the spool itself.
    return {"args": ["/usr/lib/dovecot/dovecot-lda", "-f", "sender@example.test", "-o",
                     f"mail_location=mbox:~/dovecot:INBOX={box.path}"], **as_user(box.user, ["mail"])}


def opensmtpd(box):
    return {"args": ["/usr/libexec/opensmtpd/mail.local", "-f", "sender@example.test", box.user],
            **as_user(box.user)}


def qmail(box):
    """What matters of qmail-local: opened first, flock alone, written behind the end, synced."""
    return {"args": [sys.executable, __file__, "--as-qmail-local", str(box.path)], **as_user(box.user)}


def as_qmail_local(path):
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    end = os.lseek(file, 0, os.SEEK_END)
    text = b"From sender@example.test Sat Nov 28 09:00:00 2026\n" + sys.stdin.buffer.read() + b"\n"
    try:
        while text:
            text = text[os.write(file, text):]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, end)
        raise


SPOOLS = ("2775", "3777")
EVERYWHERE = (*SPOOLS, "private")
DELIVERERS = [
    Deliverer("postfix", "/usr/sbin/postconf", EVERYWHERE, run_as_root("/usr/sbin/sendmail -i -f sender@example.test {user}")),
    Deliverer("exim", "/usr/sbin/exim4", EVERYWHERE, run_as_root("/usr/sbin/exim4 -odi -i -f sender@example.test {user}")),
    # As the user it makes its dot-lock itself, so it needs a spool that everybody may write to.
    Deliverer("mail.local-sendmail", "/usr/libexec/sendmail/mail.local", ["3777"],
              run_as_root("/usr/libexec/sendmail/mail.local -f sender@example.test {user}")),
    Deliverer("mail.local-opensmtpd", "/usr/libexec/opensmtpd/mail.local", SPOOLS, opensmtpd),
    Deliverer("procmail", "/usr/bin/procmail", EVERYWHERE, procmail),
    Deliverer("maildrop", "/usr/bin/maildrop", EVERYWHERE, maildrop),
    Deliverer("dovecot-lda", "/usr/lib/dovecot/dovecot-lda", EVERYWHERE, dovecot),
    Deliverer("dma", "/usr/sbin/dma", SPOOLS, run_as_root("/usr/sbin/dma -f sender@example.test {user}"),
              waits_for_dot_lock=False),
    Deliverer("like-qmail-local", "/usr/bin/python3", EVERYWHERE, qmail, waits_for_dot_lock=False),
    Deliverer("ours", "/usr/bin/postrider", SPOOLS,
              # It knows a lock of its own kind whose holder is dead.
              run_as_root("/usr/bin/postrider sendmail -i -f sender@example.test {user}"), waits_for_dot_lock=False),
]


def begin_delivery(deliverer, box, id):
    options = deliverer.start(box)
    if deliverer.name == "ours":
        # Postfix's sendmail is on this machine; this delivery is to be our own.
        rc = pathlib.Path("/opt/local.rc")
        rc.write_text("set mta=local\nset log=off\n")
        options["env"] = {**clean_environment("root"), "MAILRC": str(rc)}
    process = subprocess.Popen(stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    process.stdin.write(mail(id, to=box.user))
    process.stdin.close()
    return process


def end_delivery(deliverer, box, id, process):
    """Waits until the deliverer is content and the mail is there."""
    try:
        status = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise Wrong(f"{deliverer.name} does not end within {PATIENCE} s") from None
    if status:
        raise Wrong(f"{deliverer.name}: exit {status}: {process.stdout.read()[-300:]!r}")
    box.wait_for(id)


# --- checks --------------------------------------------------------------------------------


def while_open(reader, deliverer, mode):
    """Mail comes while the reader sits open; it deletes a message and quits."""
    box = Box(mode, f"o-{deliverer.name}")
    session = reader.open(box)
    session.forget()
    new = new_id("new")
    end_delivery(deliverer, box, new, begin_delivery(deliverer, box, new))
    session.tell("d 1")
    session.tell("q")
    status, said = session.finish()
    box.check(deleted=box.first[:1], new=[new])
    if status:
        raise Wrong(f"exit {status}: {said}")
    if not re.search(r"(?i)new (mail|message)", said):
        raise Wrong(f"the new mail is not announced: {said!r}")


def while_rewriting(reader, deliverer, mode):
    """Mail comes while the reader rewrites, slowly."""
    box = Box(mode, f"r-{deliverer.name}")
    session = reader.open(box, slowly=True)
    session.tell("d 1")
    session.tell("q")
    reader.wait_for_rewrite(box, session)
    begun = time.monotonic()
    new = new_id("new")
    process = begin_delivery(deliverer, box, new)
    status, said = session.finish()
    lasted = time.monotonic() - begun
    end_delivery(deliverer, box, new, process)
    if lasted < STRETCHED:
        raise Wrong(f"the rewrite took only {lasted:.1f} s: nothing is shown")
    box.check(deleted=box.first[:1], new=[new])
    if status:
        raise Wrong(f"exit {status}: {said}")
    return f"the rewrite took {lasted:.1f} s, the mail was there after {time.monotonic() - begun:.1f} s"


def killed(reader, deliverer, moment, mode):
    """The reader is killed while it rewrites; mail comes; then the reader opens the mailbox again."""
    box = Box(mode, f"k{moment}-{deliverer.name}")
    start_and_kill(reader, box, moment)
    if mode == "2775":
        # dotlockfile made the lock: it names a process but not its system, so it has to grow old.
        make_old(dot_lock_of(box.path))
    new = new_id("new")
    end_delivery(deliverer, box, new, begin_delivery(deliverer, box, new))
    session = reader.open(box)
    session.tell("exit")
    status, said = session.finish()
    if status:
        raise Wrong(f"exit {status}: {said}")
    deleted = [] if box.first[0] in box.ids() else box.first[:1]
    found = Contents.of(box.path).problems([id for id in box.first if id not in deleted] + [new])
    if found:
        raise Wrong("; ".join(found[:5]))
    # The next change takes away what a whole mailbox may have beside it: a lock of the dead, the
    # beginning of a journal.
    session = reader.open(box)
    session.tell(f"delete /{box.first[-1]}")
    session.tell("quit")
    status, said = session.finish()
    if status:
        raise Wrong(f"exit {status}: {said}")
    box.check(deleted=[*deleted, box.first[-1]], new=[new])
    return "the change was completed" if deleted else "as before"


def make_old(lock):
    """Makes a lock look six minutes old, if there is one."""
    if lock.exists():
        old = time.time() - 6 * 60
        os.utime(lock, (old, old))


def start_and_kill(reader, box, moment=0):
    """Deletes a message slowly, and kills the reader so many seconds after it has its locks."""
    session = reader.open(box, slowly=True)
    session.tell("d 1")
    session.tell("q")
    reader.wait_for_rewrite(box, session)
    time.sleep(moment)
    # The reader is the child of strace.
    children = children_of(session.process.pid)
    for child in children:
        os.kill(child, signal.SIGKILL)
    session.finish()
    if not children:
        raise Wrong(f"after {moment} s the rewrite was over: nothing is shown")


def second_reader(reader, peer, order, mode):
    """Another reader deletes the first message, ours the second; each quits."""
    box = Box(mode, f"{order.replace(' ', '-')}-{peer.__name__.lower()}")
    mine, theirs = box.first[1], box.first[0]
    may = []
    if order == "in turn":
        other = peer(box)
        other.delete(1)
        other.quit()
        other.finish()
        box.check(deleted=[theirs])
        session = reader.open(box)
        session.tell("d 1")
        session.tell("q")
        status, said = session.finish()
    else:
        session = reader.open(box, slowly=order == "at once")
        other = peer(box)
        session.tell("d 2")
        other.delete(1)
        if order == "the other first":
            other.quit()
            other.finish()
        session.tell("q")
        if order == "at once":
            other.quit()
        status, said = session.finish()
        if order == "ours first":
            other.quit()
        if order != "the other first":
            other.finish()
            # It may write back what it had read before we deleted: its way, and nothing is lost.
            may = [mine, theirs]
    wrote_unlocked = "another program writes the mailbox without a lock" in said
    if wrote_unlocked:
        # s-nail waits 2 s for its lock and then writes without one. That was seen; the change waits
        # for the next opening, and what both make of it is whole then.
        if status != 74:
            raise Wrong(f"exit {status}: {said}")
        said += open_and_leave(reader, box)
    elif status and order != "the other first":
        raise Wrong(f"exit {status}: {said}")
    elif status:
        # Refusing to merge is allowed, if it is told and nothing is touched.
        if status != 75:
            raise Wrong(f"exit {status}: {said}")
        may = [mine]
    try:
        box.check(deleted=[mine, theirs], may=may)
    except Wrong as reason:
        raise Wrong(f"{reason}; ours said: {said!r}") from None
    back = [id for id in (mine, theirs) if id in box.ids()]
    return f"back again: {back}" if back else "both deletions stand"


def open_and_leave(reader, box):
    """Opens the mailbox again, which completes what broke off, and takes away a rescue copy that is told."""
    session = reader.open(box)
    session.tell("exit")
    status, said = session.finish()
    if status:
        raise Wrong(f"exit {status}: {said}")
    kept = re.search(r"the rest of the change is kept in (\S+)", said)
    if kept:
        pathlib.Path(kept[1]).unlink()
    return said


def holder_process(box, kind):
    """Starts a process that takes one lock and keeps it; returns it once it has it."""
    process = subprocess.Popen([sys.executable, __file__, "--hold", kind, str(box.path)], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def hold(kind, path):
    with Locks(pathlib.Path(path), [kind]):
        print("held", flush=True)
        signal.pause()


PATIENT_FOR = 3


def lock_held(reader, kind, mode, action):
    """A lock is held for ever: the program waits a while, says who has it, and writes nothing."""
    box = Box(mode, f"h-{kind}-{action}")
    before = box.path.read_bytes()
    options = ("-S", f"lock-timeout={PATIENT_FOR}")
    session = reader.open(box, options=options) if action == "delete" else None
    holder = holder_process(box, kind)
    try:
        begun = time.monotonic()
        if session:
            session.tell("d 1")
            session.tell("q")
            status, said = session.finish()
        else:
            status, said = deliver_impatiently(box)
        lasted = time.monotonic() - begun
    finally:
        holder.kill()
        holder.wait()
    problems = []
    if status != 75:
        problems.append(f"exit {status}, not 75")
    if not PATIENT_FOR - 0.5 <= lasted <= PATIENT_FOR + 7:
        problems.append(f"it took {lasted:.1f} s")
    if box.path.read_bytes() != before:
        problems.append("the mailbox was changed")
    if f"process {holder.pid}" not in said:
        problems.append(f"the holder, process {holder.pid}, is not named")
    if problems:
        raise Wrong(f"{'; '.join(problems)}: {said!r}")
    dot_lock_of(box.path).unlink(missing_ok=True)
    box.check()
    return f"exit 75 after {lasted:.1f} s"


def deliver_impatiently(box):
    rc = pathlib.Path("/opt/impatient.rc")
    rc.write_text(f"set mta=local\nset log=off\nset lock-timeout={PATIENT_FOR}\n")
    done = subprocess.run(["/usr/bin/postrider", "mailx", "-n", "-s", "late", box.user], input=mail(new_id("late")),
                          env={**clean_environment("root"), "MAILRC": str(rc)}, capture_output=True, timeout=60)
    return done.returncode, done.stderr.decode("utf-8", "replace")


def stale_lock(reader, kind, mode):
    """A dot-lock was left behind. Only one that is surely dead, or old, gives way."""
    box = Box(mode, f"s-{kind}")
    lock = dot_lock_of(box.path)
    dead = subprocess.Popen(["true"])
    dead.wait()
    if kind == "our dead process":
        start_and_kill(reader, box)
        if not lock.exists():
            raise Wrong("the killed reader has left no dot-lock")
    elif kind == "dead pid of another system":
        lock.write_text(f"{dead.pid}\nelsewhere.example.test 11111111-2222-3333-4444-555555555555 1\n")
    elif kind == "a pid alone":
        lock.write_text(f"{dead.pid}\n")
    else:
        lock.write_text("0\n")
        make_old(lock)
    # In a sticky spool nobody else may remove it.
    shutil.chown(lock, box.user)
    gives_way = kind in ("our dead process", "old")
    session = reader.open(box, options=("-S", f"lock-timeout={PATIENT_FOR}"))
    session.tell("d 1")
    session.tell("q")
    status, said = session.finish()
    if gives_way:
        if status:
            raise Wrong(f"exit {status}: {said}")
        box.check(deleted=box.first[:1])
        return "removed"
    if status != 75 or not lock.exists():
        raise Wrong(f"exit {status}, lock {'kept' if lock.exists() else 'removed'}: {said}")
    lock.unlink()
    box.check()
    return "respected"


def children_of(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# --- all of them ------------------------------------------------------------------------------


def checks(reader):
    """Yields mode, name and function of each check; what shares a mode can run at the same time."""
    for mode in EVERYWHERE:
        for deliverer in DELIVERERS:
            if mode not in deliverer.modes:
                continue
            for what in (while_open, while_rewriting):
                name = f"{mode} {deliverer.name} {what.__name__.replace('_', ' ')}"
                yield mode, name, lambda what=what, deliverer=deliverer, mode=mode: (
                    needs(deliverer.needs), what(reader, deliverer, mode))[1]
            if deliverer.waits_for_dot_lock:
                # It would wait until the lock of the dead is five minutes old.
                continue
            for moment in MOMENTS:
                name = f"{mode} killed after {moment} s, then {deliverer.name}"
                yield mode, name, lambda deliverer=deliverer, moment=moment, mode=mode: (
                    killed(reader, deliverer, moment, mode))
    for mode in ("3777", "private"):
        for peer, path in ((SNail, "/usr/bin/s-nail"), (Mutt, "/usr/bin/mutt")):
            for order in ("in turn", "the other first", "ours first", "at once"):
                name = f"{mode} {peer.__name__.lower()} {order}"
                yield mode, name, lambda path=path, peer=peer, order=order, mode=mode: (
                    needs(path), second_reader(reader, peer, order, mode))[1]
    for mode in SPOOLS:
        for kind in ("dot", "fcntl", "flock"):
            for action in ("delete", "deliver"):
                yield mode, f"{mode} {kind} held for ever, {action}", lambda kind=kind, mode=mode, action=action: (
                    lock_held(reader, kind, mode, action))
    for kind in ("our dead process", "dead pid of another system", "a pid alone", "old"):
        yield "3777", f"3777 stale dot-lock: {kind}", lambda kind=kind: stale_lock(reader, kind, "3777")


def needs(path):
    if not os.path.exists(path):
        raise LeftOut(f"no {path}")


def make(name, check):
    try:
        outcome, text = "ok", check() or ""
    except LeftOut as reason:
        outcome, text = "LEFT OUT", str(reason)
    except Wrong as reason:
        outcome, text = "WRONG", str(reason)
    except (OSError, subprocess.SubprocessError) as reason:
        outcome, text = "WRONG", repr(reason)
    with results_lock:
        results.append(outcome)
        print(f"{'' if outcome == 'LEFT OUT' else '  '}{outcome}: {name}{': ' if text else ''}{text}", flush=True)


def main():
    if sys.argv[1] == "--as-qmail-local":
        return as_qmail_local(sys.argv[2])
    if sys.argv[1] == "--hold":
        return hold(*sys.argv[2:4])
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--reader", type=shlex.split)
    options = arguments.parse_args()
    reader = Reader(options.reader or [options.program, "mailx", "-N"], is_ours=not options.reader)
    words = shlex.split(os.environ.get("DELIVERERS_ONLY", ""))
    chosen = [row for row in checks(reader) if all(word in row[1] for word in words)]
    shutil.chown(SPOOL, "root", "mail")
    for mode in EVERYWHERE:
        if mode != "private":
            SPOOL.chmod(int(mode, 8))
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            for row_mode, name, check in chosen:
                if row_mode == mode:
                    pool.submit(make, name, check)
    counts = {outcome: results.count(outcome) for outcome in ("ok", "WRONG", "LEFT OUT")}
    print(f"{counts['ok']} ok, {counts['WRONG']} wrong, {counts['LEFT OUT']} left out")
    if not counts["ok"] + counts["WRONG"]:
        return 77
    return 1 if counts["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
