#!/usr/bin/env python3
"""Tries the completions in the three shells, installed as a package installs them.

    .ci/completions.py [SHELL]...

Each row of CASES is a command line that ends where TAB is pressed: what must be proposed, and what
must not. bash is asked through the function that bash-completion loads, zsh by TAB on a terminal,
fish by `complete -C`. Each file must also load without a word.

Exit: 0 passed, 77 none of the shells is here, else failed.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

LIMIT = 60
FILES = pathlib.Path(__file__).resolve().parent.parent / "completions"
# File, and the names of commands it is for: bash and fish find a file by the name of the command.
FACES = {"mailx": ("mailx", "mail", "Mail"), "postrider": ("postrider",)}
SUBCOMMANDS = ["send", "list", "show", "delete", "mark", "mailx", "sendmail"]
OURS = ["--dry-run", "--attach", "-s", "-a", "-r", "-q", "-~", "-?", "-:"]
CASES = [(line.replace("mailx", name, 1), proposed, absent) for name in FACES["mailx"] for line, proposed, absent in [
    ("mailx -", OURS, ["--attachment"]),
    ("mailx --att", ["--attach", "--attach-fd"], []),
    ("mailx -s x --sub", ["--subject"], []),
    ("mailx -a rep", ["report.txt"], []),
    ("mailx -a two", ["two words.txt"], []),
    ("mailx --attach rep", ["report.txt"], []),
    ("mailx -f rep", ["report.txt"], []),
    ("mailx -q rep", ["report.txt"], []),
    ("mailx -m rep", ["report.txt"], []),
    ("mailx --html rep", ["report.txt"], []),
    ("mailx -s rep", [], ["report.txt"]),
    ("mailx -u ro", ["root"], []),
    ("mailx --user ro", ["root"], []),
    ("mailx -u rep", [], ["report.txt"]),
    ("mailx --encoding b", ["base64"], []),
    ("mailx -M text/h", ["text/html"], []),
    ("mailx ro", [], ["--attach"]),
]] + [
    ("postrider ", SUBCOMMANDS, []),
    ("postrider -", ["--help", "--version"], ["--attach"]),
    ("postrider se", ["send", "sendmail"], ["list"]),
    ("postrider send --", ["--attach", "--html", "--subject", "--json"], ["--user"]),
    ("postrider send --attach rep", ["report.txt"], []),
    ("postrider send --subject rep", [], ["report.txt"]),
    ("postrider list --", ["--user", "--file", "--json"], ["--attach"]),
    ("postrider list --user ro", ["root"], []),
    ("postrider show --file rep", ["report.txt"], []),
    ("postrider delete --", ["--older-than", "--from"], []),
    ("postrider mark --", ["--unread", "--flag"], []),
]
# Recipients are users where the shell has no addresses of its own.
RECIPIENTS = [("mailx ro", ["root"], []), ("mail -s x ro", ["root"], []), ("postrider send ro", ["root"], [])]

problems = []


def run(command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False, **more)


def install(place, file, name_of, linked=True):
    """Copies the file of each face, and links it for its other names."""
    place.mkdir(parents=True)
    for face, names in FACES.items():
        shutil.copyfile(FILES / file.format(face), place / name_of.format(face))
        for name in names[1:] if linked else ():
            (place / name_of.format(name)).symlink_to(name_of.format(face))


class Shell:
    """What the shells have in common."""

    def close(self):
        pass


class Bash(Shell):
    """bash with bash-completion, which loads a file when its command is completed first."""

    name = "bash"
    helper = pathlib.Path("/usr/share/bash-completion/bash_completion")

    def __init__(self, home):
        self.environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "XDG_DATA_HOME": str(home / "data"), "LC_ALL": "C.UTF-8"}
        install(home / "data/bash-completion/completions", "{}.bash", "{}")

    def loads(self):
        return [run(["bash", "--norc", "-uc", f"source '{FILES}/{face}.bash'"], env=self.environment) for face in FACES]

    def proposals(self, line):
        words = line.split(" ")
        script = f"""
            source {self.helper}
            compopt() {{ :; }}
            _completion_loader {words[0]}
            function=$(complete -p {words[0]} | sed -n 's/.* -F \\([^ ]*\\) .*/\\1/p')
            COMP_LINE='{line}' COMP_POINT={len(line)} COMP_CWORD={len(words) - 1}
            COMP_WORDS=({" ".join("'" + word + "'" for word in words)})
            "$function" {words[0]} '{words[-1]}' '{words[-2]}'
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = run(["bash", "--norc", "-c", script], env=self.environment, cwd=self.environment["HOME"])
        if done.stderr:
            problems.append(f"bash: {line!r}: {done.stderr.strip()}")
        return done.stdout.splitlines()


class Fish(Shell):
    """fish, which loads a file when its command is completed first."""

    name = "fish"

    def __init__(self, home):
        self.environment = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin", "XDG_CONFIG_HOME": str(home / "config"),
                            "XDG_DATA_HOME": str(home / "fish-data"), "LC_ALL": "C.UTF-8"}
        install(home / "config/fish/completions", "{}.fish", "{}.fish")
        # It loads nothing for a command that is not there.
        (home / "bin").mkdir()
        for name in [name for names in FACES.values() for name in names]:
            (home / "bin" / name).symlink_to("/bin/true")

    def loads(self):
        return [run(["fish", "-c", f"source '{FILES}/{face}.fish'"], env=self.environment) for face in FACES]

    def proposals(self, line):
        done = run(["fish", "-c", f"complete -C '{line}'"], env=self.environment, cwd=self.environment["HOME"])
        if done.stderr:
            problems.append(f"fish: {line!r}: {done.stderr.strip()}")
        # Each is escaped as the command line needs it; a description follows.
        return [row.split("\t")[0].replace("\\", "") for row in done.stdout.splitlines()]


class Zsh(Shell):
    """zsh on a terminal. What its completion adds is written into a file as well."""

    name = "zsh"
    # A package's directory stands before zsh's own.
    order = "'{}' $fpath"

    def __init__(self, home):
        self.home, self.place = home, home / "site-functions"
        self.environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        install(self.place, "_{}", "_{}", linked=False)
        (home / "setup").write_text(f"""
            unsetopt beep prompt_cr prompt_sp zle_bracketed_paste
            PS1= PS2= LISTMAX=1000 fpath=({self.order.format(self.place)})
            zstyle ':completion:*' users root daemon
            autoload -Uz compinit && compinit -u -D
            tried() {{
                zle complete-word
                BUFFER=
                zle -I
                print tried-$((40 + 2))
            }}
            zle -N tried
            bindkey '^I' tried
            compadd() {{
                if [[ ${{@[1,(i)(-|--)]}} != *-[OAD](|\\ )* ]]; then
                    local -a hits
                    builtin compadd -A hits "$@"
                    print -rl -- $hits >>'{home}/hits'
                fi
                builtin compadd "$@"
            }}
        """)
        pid, self.terminal = pty.fork()
        if pid == 0:
            os.chdir(home)
            os.execvpe("zsh", ["zsh", "-f", "-i"], self.environment)
        self.pid = pid
        self.said("source ./setup; print ready-$((40 + 2))\n", "ready-42")

    def said(self, typed, awaited):
        """Types something and returns what the terminal shows up to a text."""
        os.write(self.terminal, typed.encode())
        shown, ends = "", time.monotonic() + LIMIT
        while awaited not in shown:
            if not select.select([self.terminal], [], [], max(0, ends - time.monotonic()))[0]:
                raise TimeoutError(f"zsh never showed {awaited}: {shown[-300:]!r}")
            shown += os.read(self.terminal, 65536).decode("utf-8", "replace")
        return shown

    def loads(self):
        done = []
        for face in FACES:
            script = f"fpath=('{self.place}' $fpath); autoload -Uz compinit && compinit -u -D; autoload -Uz +X _{face}"
            done.append(run(["zsh", "-f", "-c", script], env=self.environment))
        return done

    def proposals(self, line):
        hits = self.home / "hits"
        hits.write_text("")
        shown = self.said(f"{line}\t", "tried-42")
        if trouble := re.search(r"(_\w+:\d+: .*|.*(?:not found|parse error|invalid).*)", shown):
            problems.append(f"zsh: {line!r}: {trouble[0].strip()}")
        # As the command line needs them, with the = behind an option.
        return [hit.replace("\\", "").rstrip("=") for hit in hits.read_text().splitlines()]

    def close(self):
        os.write(self.terminal, b"exit\n")
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class ZshLast(Zsh):
    """The same, where the directory stands behind zsh's own, as people add theirs."""

    name = "zsh, last"
    order = "$fpath '{}'"


def try_shell(shell, cases):
    for done in shell.loads():
        if done.returncode or done.stdout or done.stderr:
            problems.append(f"{shell.name}: {done.args[-1]}: {done.returncode} {done.stdout}{done.stderr}")
    for line, proposed, absent in cases:
        found = shell.proposals(line)
        for word in proposed:
            if word not in found:
                problems.append(f"{shell.name}: {line!r} does not propose {word}: {found[:12]}")
        for word in absent:
            if word in found:
                problems.append(f"{shell.name}: {line!r} proposes {word}")
    print(f"{shell.name}: {len(cases)} lines")


def main():
    wanted = sys.argv[1:] or ["bash", "zsh", "fish"]
    tried = 0
    for name in wanted:
        if not shutil.which(name) or name == "bash" and not Bash.helper.exists():
            print(f"LEFT OUT: {name} is not here")
            continue
        tried += 1
        cases = CASES if name == "zsh" else CASES + RECIPIENTS
        for make in {"bash": [Bash], "fish": [Fish], "zsh": [Zsh, ZshLast]}[name]:
            with tempfile.TemporaryDirectory() as place:
                home = pathlib.Path(place)
                for file in ("report.txt", "two words.txt"):
                    (home / file).write_text("x")
                shell = make(home)
                try_shell(shell, cases)
                shell.close()
    if not tried:
        print("none of the shells is here")
        return 77
    print(f"{len(problems)} problems")
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


sys.exit(main())
