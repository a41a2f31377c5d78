#!/usr/bin/env python3
"""Kills root's first delivery to another user at every step, and delivers again.

    .ci/first.py PROGRAM

Each delivery into an empty spool is killed (by strace) on entry of one call after the other that
makes, names or changes a file. The next one must be accepted, and leave a mailbox that belongs to
its user, with mode 0660 and one name; then dozens of first deliveries are started at once.

Exit: 0 passed, 77 left out (the reason is the last line), else failed.
"""

import os
import pathlib
import pwd
import shutil
import subprocess
import sys
import tempfile

CALLS = ["openat", "linkat", "link", "rename", "renameat2", "fchown", "fchmod", "write", "fsync", "fdatasync",
         "unlink", "fcntl", "flock"]
AT_ONCE, ROUNDS = 12, 20


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    if os.getuid() != 0 or shutil.which("strace") is None:
        print("only root gives mailboxes away, and strace is needed")
        return 77
    aliases = pathlib.Path("/etc/aliases")
    taken = {line.split(":")[0].strip() for line in aliases.read_text().splitlines()} if aliases.exists() else set()
    user = next(user for user in pwd.getpwall() if user.pw_uid and user.pw_name not in taken)
    failures = []
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        spool = pathlib.Path(place) / "spool"
        box = spool / user.pw_name
        rc = pathlib.Path(place) / "rc"
        rc.write_text(f"set log=off\nset nooutbox\nset mta=local\nset spool={spool}\nset hostname=h.example.test\n")
        environment = {"HOME": place, "MAILRC": str(rc), "LC_ALL": "C", "PATH": "/usr/bin:/bin",
                       "DEAD": f"{place}/dead", "XDG_STATE_HOME": f"{place}/state"}

        def empty():
            shutil.rmtree(spool, ignore_errors=True)
            spool.mkdir()
            spool.chmod(0o2775)

        def start(*before):
            return subprocess.Popen([*before, program, "mailx", "-n", "-s", "t", user.pw_name], env=environment,
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def end(started):
            told = started.communicate(b"body\n", timeout=120)[1]
            return started.returncode, told.decode(errors="replace").strip()

        def judge(what, status, told, fewest, most):
            if status != 0:
                failures.append(f"{what}: {status}: {told}")
                return
            found = box.stat()
            is_right = (found.st_uid, found.st_mode & 0o7777, found.st_nlink) == (user.pw_uid, 0o660, 1)
            number = box.read_bytes().count(b"Subject: t\n")
            names = sorted(name for name in os.listdir(spool) if name != user.pw_name)
            if not is_right or not fewest <= number <= most or names:
                failures.append(f"{what}: {found} {number} messages, beside it {names}")

        tried = 0
        for call in CALLS:
            for nth in range(1, 200):
                empty()
                status, _ = end(start("strace", "-qq", "-f", "-o", "/dev/null",
                                      "-e", f"inject={call}:signal=KILL:when={nth}"))
                if status == 0:
                    break
                tried += 1
                judge(f"{call} {nth}", *end(start()), 1, 2)
        for number in range(ROUNDS):
            empty()
            statuses = [end(started) for started in [start() for _ in range(AT_ONCE)]]
            for status, told in statuses:
                judge(f"at once {number}", status, told, AT_ONCE, AT_ONCE)
    for failure in failures[:20]:
        print(failure)
    print(f"{tried} kills, {ROUNDS} x {AT_ONCE} first deliveries at once: {len(failures)} failures")
    return 1 if failures or tried < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
