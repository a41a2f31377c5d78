//! The commands, in the order of the text.

use super::{CHECK, Check, walk};

// K01 K02 K37
#[test]
fn aliases_and_alternates() {
    walk(&[
        Check {
            clause: "alias: the name stands for the addresses",
            input: "alias crew x@c.example y@c.example\nmail crew\ntext\n",
            mails: 1,
            sent: &["x@c.example", "y@c.example"],
            ..CHECK
        },
        Check {
            clause: "group: the same",
            input: "group crew x@c.example\nmail crew\ntext\n",
            mails: 1,
            sent: &["x@c.example"],
            ..CHECK
        },
        Check {
            clause: "a: the abbreviation",
            input: "a crew x@c.example\na crew\nx\n",
            sees: &["x@c.example"],
            ..CHECK
        },
        Check {
            clause: "alias name: that alias",
            rc: "alias crew x@c.example\nalias other z@c.example\n",
            input: "alias crew\nx\n",
            sees: &["crew", "x@c.example"],
            lacks: &["z@c.example"],
            ..CHECK
        },
        Check {
            clause: "alias alone: all",
            rc: "alias crew x@c.example\nalias other z@c.example\n",
            input: "alias\nx\n",
            sees: &["x@c.example", "z@c.example"],
            ..CHECK
        },
        Check {
            clause: "unalias: forgotten",
            rc: "alias crew x@c.example\n",
            input: "unalias crew\nalias\nx\n",
            lacks: &["x@c.example"],
            ..CHECK
        },
        Check {
            clause: "alternates: my other addresses get no reply",
            rc: "alternates boss@t.example\n",
            input: "reply 1\ntext\n",
            mails: 1,
            sent: &["ann@a.example", "team@t.example"],
            unsent: &["boss@t.example"],
            ..CHECK
        },
        Check {
            clause: "alternates alone: the list",
            rc: "alternates boss@t.example\n",
            input: "alternates\nx\n",
            sees: &["boss@t.example"],
            ..CHECK
        },
        Check {
            clause: "alt: the abbreviation",
            input: "alt me@x.example\nalt\nx\n",
            sees: &["me@x.example"],
            ..CHECK
        },
    ]);
}

// K03 K08 K44 K45
#[test]
fn directories_and_echo() {
    walk(&[
        Check {
            clause: "cd: the directory changes",
            input: "cd ../home\n!pwd\nx\n",
            sees: &["/home"],
            ..CHECK
        },
        Check {
            clause: "chdir: the same",
            input: "chdir ..\n!pwd\nx\n",
            lacks: &["/cwd\n"],
            ..CHECK
        },
        Check {
            clause: "ch: the abbreviation",
            input: "ch ../home\n!pwd\nx\n",
            sees: &["/home"],
            ..CHECK
        },
        Check {
            clause: "cd alone: HOME",
            input: "cd\n!pwd\nx\n",
            sees: &["/home"],
            ..CHECK
        },
        Check {
            clause: "cd to a directory that is not there",
            input: "cd nowhere\nx\n",
            says: &["nowhere"],
            status: -1,
            ..CHECK
        },
        Check {
            clause: "echo: the words",
            input: "echo one two\nx\n",
            sees: &["one two\n"],
            ..CHECK
        },
        Check {
            clause: "ec: the abbreviation",
            input: "ec words\nx\n",
            sees: &["words\n"],
            ..CHECK
        },
        Check {
            clause: "=: the number of the current message",
            input: "=\nx\n",
            sees: &["3\n"],
            ..CHECK
        },
        Check {
            clause: "#: a comment",
            input: "# p 1\nx\n",
            lacks: &["line 1"],
            ..CHECK
        },
    ]);
}

// K04 K30 K41
#[test]
fn copies_and_saves() {
    walk(&[
        Check {
            clause: "copy file: the current message",
            input: "copy out\nx\n",
            files: &[("cwd/out", "line 1 of three")],
            no_files: &[("cwd/out", "of two")],
            ..CHECK
        },
        Check {
            clause: "copy list file",
            input: "copy 1-2 out\nx\n",
            files: &[("cwd/out", "line 1 of one"), ("cwd/out", "line 1 of two")],
            no_files: &[("cwd/out", "of three")],
            ..CHECK
        },
        Check {
            clause: "c: the abbreviation",
            input: "c 2 out\nx\n",
            files: &[("cwd/out", "of two")],
            ..CHECK
        },
        Check {
            clause: "copy reads, and does not mark as saved",
            input: "copy 3 out\nq\n",
            files: &[("home/mbox", "of three")],
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "Copy: a file named after the author",
            input: "Copy 1\nx\n",
            files: &[("cwd/ann", "of one")],
            ..CHECK
        },
        Check {
            clause: "C: the abbreviation",
            input: "C 4\nx\n",
            files: &[("cwd/dave", "of four")],
            ..CHECK
        },
        Check {
            clause: "save file: appended",
            input: "save 1 out\nsave 2 out\nx\n",
            files: &[("cwd/out", "of one"), ("cwd/out", "of two")],
            ..CHECK
        },
        Check {
            clause: "save alone: MBOX",
            input: "save\nx\n",
            files: &[("home/mbox", "of three")],
            ..CHECK
        },
        Check {
            clause: "save file: the current message",
            input: "save out\nx\n",
            files: &[("cwd/out", "of three")],
            ..CHECK
        },
        Check {
            clause: "s: the abbreviation",
            input: "s 2 out\nx\n",
            files: &[("cwd/out", "of two")],
            ..CHECK
        },
        Check {
            clause: "saved messages leave the system mailbox at quit",
            input: "save 3 out\nq\n",
            left: Some("abde"),
            is_system: true,
            is_strict: true,
            ..CHECK
        },
        Check {
            clause: "Save: a file named after the author",
            input: "Save 4\nx\n",
            files: &[("cwd/dave", "of four")],
            ..CHECK
        },
        Check {
            clause: "S: the abbreviation",
            input: "S 1\nx\n",
            files: &[("cwd/ann", "of one")],
            ..CHECK
        },
        Check {
            clause: "+file is in the folder directory",
            rc: "set folder=bak\n",
            input: "save 1 +kept\nx\n",
            files: &[("home/bak/kept", "of one")],
            ..CHECK
        },
        Check {
            clause: "a name in quotes may have a blank",
            input: "save 1 '../home/out'\nx\n",
            files: &[("home/out", "of one")],
            ..CHECK
        },
        Check {
            clause: "write: the text without the header",
            input: "write 2 out\nx\n",
            files: &[("cwd/out", "line 1 of two")],
            no_files: &[("cwd/out", "Subject:"), ("cwd/out", "From ")],
            ..CHECK
        },
        Check {
            clause: "w: the abbreviation",
            input: "w 2 out\nx\n",
            files: &[("cwd/out", "line 1 of two")],
            ..CHECK
        },
    ]);
}

// K05 K07 K38 L17 var:autoprint
#[test]
fn deleting_and_taking_back() {
    walk(&[
        Check {
            clause: "delete",
            input: "delete 2\nq\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "d: the abbreviation",
            input: "d 2\nq\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "de, del ...: any longer beginning",
            input: "del 2\nq\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "delete alone: the current message",
            input: "d\nq\n",
            left: Some("abde"),
            ..CHECK
        },
        Check {
            clause: "delete a range",
            input: "d 2-4\nq\n",
            left: Some("ae"),
            ..CHECK
        },
        Check {
            clause: "the message behind is current then",
            input: "d 3\np\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "the one before if there is none behind",
            input: "d 5\np\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "autoprint: the next one is printed",
            rc: "set autoprint\n",
            input: "d 3\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "dp: deletes and prints the next one",
            input: "dp 3\nq\n",
            sees: &["line 1 of four"],
            left: Some("abde"),
            ..CHECK
        },
        Check {
            clause: "dt: the same",
            input: "dt 3\nq\n",
            sees: &["line 1 of four"],
            left: Some("abde"),
            ..CHECK
        },
        Check {
            clause: "dp at the end says so",
            input: "dp 5\nx\n",
            lacks: &["line 1"],
            ..CHECK
        },
        Check {
            clause: "undelete",
            input: "d 2\nu 2\nq\n",
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "undelete alone: the next deleted one",
            input: "d 4\n3\nu\nq\n",
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "undelete alone: else the last one before",
            input: "d 1\n5\nu\nq\n",
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "undelete makes it the current one",
            input: "d 2\nu 2\np\nx\n",
            sees: &["line 1 of two"],
            ..CHECK
        },
        Check {
            clause: "exit changes nothing",
            input: "d *\nx\n",
            left: Some("abcde"),
            ..CHECK
        },
        Check {
            clause: "xit, ex: the same",
            input: "d *\nexit\n",
            left: Some("abcde"),
            ..CHECK
        },
    ]);
}

// K06 K24 K29
#[test]
fn fields() {
    walk(&[
        Check {
            clause: "discard: a field is not shown",
            input: "discard x-extra\np 1\nx\n",
            lacks: &["X-Extra"],
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "ignore: the same",
            input: "ignore subject\np 1\nx\n",
            lacks: &["Subject: alpha"],
            ..CHECK
        },
        Check {
            clause: "di, ig: abbreviations",
            input: "di subject\nig date\np 1\nx\n",
            lacks: &["Subject: alpha", "Date: Tue"],
            ..CHECK
        },
        Check {
            clause: "ignore alone: the list",
            input: "ignore x-extra\nignore\nx\n",
            sees: &["x-extra"],
            ..CHECK
        },
        Check {
            clause: "retain: only these fields",
            input: "retain subject\np 1\nx\n",
            sees: &["Subject: alpha"],
            lacks: &["Date: Tue", "From: Ann"],
            ..CHECK
        },
        Check {
            clause: "retain goes before ignore",
            input: "ignore subject\nretain subject\np 1\nx\n",
            sees: &["Subject: alpha"],
            ..CHECK
        },
        Check {
            clause: "ret: the abbreviation",
            input: "ret x-extra\np 1\nx\n",
            sees: &["X-Extra: extra-one"],
            lacks: &["Subject: alpha"],
            ..CHECK
        },
        Check {
            clause: "retain alone: the list",
            input: "retain subject\nretain\nx\n",
            sees: &["subject"],
            ..CHECK
        },
        Check {
            clause: "Print: all fields",
            input: "ignore subject\nPrint 1\nx\n",
            sees: &["Subject: alpha"],
            ..CHECK
        },
        Check {
            clause: "P: the abbreviation",
            input: "P 1\nx\n",
            sees: &["X-Extra: extra-one"],
            ..CHECK
        },
        Check {
            clause: "Type, T: the same",
            input: "T 1\nx\n",
            sees: &["X-Extra: extra-one"],
            ..CHECK
        },
    ]);
}

// K14 K15 K22 K23 K25 K33 K35 K42 var:cmd
#[test]
fn printing() {
    walk(&[
        Check {
            clause: "print",
            input: "print 1\nx\n",
            sees: &["Subject: alpha", "line 1 of one", "line 8 of one"],
            ..CHECK
        },
        Check {
            clause: "type",
            input: "type 2\nx\n",
            sees: &["line 1 of two"],
            ..CHECK
        },
        Check {
            clause: "t, p: abbreviations",
            input: "t 1\np 2\nx\n",
            sees: &["of one", "of two"],
            ..CHECK
        },
        Check {
            clause: "an empty line is next",
            input: "\nx\n",
            sees: &["line 1 of three"],
            ..CHECK
        },
        Check {
            clause: "next prints the current message first",
            input: "next\nx\n",
            sees: &["line 1 of three"],
            ..CHECK
        },
        Check {
            clause: "next moves on then",
            input: "next\nnext\nx\n",
            sees: &["line 1 of three", "line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "n: the abbreviation",
            input: "n\nx\n",
            sees: &["line 1 of three"],
            ..CHECK
        },
        Check {
            clause: "next passes over deleted ones",
            input: "p 3\nd 4\nn\nx\n",
            sees: &["line 1 of three", "line 1 of five"],
            lacks: &["of four"],
            ..CHECK
        },
        Check {
            clause: "next list: the first of the list behind",
            input: "next 5\nx\n",
            sees: &["line 1 of five"],
            ..CHECK
        },
        Check {
            clause: "top: five lines",
            input: "top 1\nx\n",

            lacks: &["line 8 of one"],
            ..CHECK
        },
        Check {
            clause: "to: the abbreviation",
            input: "to 2\nx\n",
            lacks: &["line 8 of two"],
            ..CHECK
        },
        Check {
            clause: "size: the number of bytes",
            input: "size 1\nx\n",
            sees: &["1"],
            ..CHECK
        },
        Check {
            clause: "si: the abbreviation",
            input: "si 2\nx\n",
            sees: &["2"],
            ..CHECK
        },
        Check {
            clause: "from: header lines",
            input: "from 1 2\nx\n",
            sees: &["alpha", "bravo"],
            lacks: &["charlie"],
            ..CHECK
        },
        Check {
            clause: "f: the abbreviation",
            input: "f 4\nx\n",
            sees: &["delta"],
            ..CHECK
        },
        Check {
            clause: "headers: the screen of the message",
            input: "headers 1\nx\n",
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "h: the abbreviation",
            input: "h\nx\n",
            sees: &["alpha", "echo"],
            ..CHECK
        },
        Check {
            clause: "z: the next screen",
            rc: "set screen=2\n",
            input: "h 1\nz\nx\n",
            sees: &["alpha", "bravo", "charlie", "delta"],
            ..CHECK
        },
        Check {
            clause: "z-: the one before",
            rc: "set screen=2\n",
            input: "h 3\nz-\nx\n",
            sees: &["charlie", "delta", "alpha", "bravo"],
            ..CHECK
        },
        Check {
            clause: "z+: the next one",
            rc: "set screen=2\n",
            input: "h 1\nz+\nx\n",
            sees: &["alpha", "charlie"],
            ..CHECK
        },
        Check {
            clause: "pipe: the messages are the command's input",
            input: "pipe 1 \"grep 'line 3'\"\nx\n",
            sees: &["line 3 of one"],
            lacks: &["line 4"],
            ..CHECK
        },
        Check {
            clause: "|: the same",
            input: "| 2 'grep \"line 5\"'\nx\n",
            sees: &["line 5 of two"],
            lacks: &["line 4"],
            ..CHECK
        },
        Check {
            clause: "pi: the abbreviation",
            input: "pi 1 'wc -l'\nx\n",
            sees: &["1"],
            ..CHECK
        },
        Check {
            clause: "pipe command: of the current message",
            input: "pipe 'grep \"line 3\"'\nx\n",
            sees: &["line 3 of three"],
            ..CHECK
        },
        Check {
            clause: "pipe alone: the variable cmd",
            rc: "set cmd='grep \"line 6\"'\n",
            input: "pipe\nx\n",
            sees: &["line 6 of three"],
            lacks: &["line 5"],
            ..CHECK
        },
    ]);
}

// K09 K32 K40 K43 MB22 var:bang
#[test]
fn the_shell_and_editors() {
    walk(&[
        Check {
            clause: "!command: the shell",
            input: "!echo from the shell\nx\n",
            sees: &["from the shell"],
            ..CHECK
        },
        Check {
            clause: "!command with its status told, and the script goes on",
            input: "!false\np 1\nx\n",
            sees: &["of one"],
            is_strict: true,
            status: -1,
            ..CHECK
        },
        Check {
            clause: "bang: ! is the last command",
            rc: "set bang\n",
            input: "!echo first\n!! again\nx\n",
            sees: &["first", "first again"],
            ..CHECK
        },
        Check {
            clause: "without bang: ! is itself",
            input: "!echo a!b\nx\n",
            sees: &["a!b"],
            ..CHECK
        },
        Check {
            clause: "edit: the editor gets the message",
            rc: "set EDITOR='cat'\n",
            input: "edit 1\nx\n",
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "e: the abbreviation",
            rc: "set EDITOR='cat'\n",
            input: "e 2\nx\n",
            sees: &["line 1 of two"],
            ..CHECK
        },
        Check {
            clause: "visual: the other editor",
            rc: "set VISUAL='cat'\n",
            input: "visual 1\nx\n",
            sees: &["line 1 of one"],
            ..CHECK
        },
        Check {
            clause: "edit does not change the mailbox",
            rc: "set EDITOR='sed -i s/line/changed/'\n",
            input: "edit 1\nq\n",
            left: Some("abcde"),
            no_files: &[("BOX", "changed")],
            ..CHECK
        },
        Check {
            clause: "shell: an interactive shell",
            rc: "set SHELL=[DIR]/bin/none\n",
            input: "shell\nx\n",
            says: &["none"],
            status: -1,
            ..CHECK
        },
    ]);
}

// K11 K12 MB15
#[test]
fn files_and_folders() {
    walk(&[
        Check {
            clause: "file alone: the name and a summary",
            input: "file\nx\n",
            sees: &["box", "5 messages"],
            ..CHECK
        },
        Check {
            clause: "folder, fi, fold: the same",
            input: "folder\nx\n",
            sees: &["5 messages"],
            ..CHECK
        },
        Check {
            clause: "file name: another mailbox",
            input: "copy 1-2 other\nfile other\nf *\nx\n",
            sees: &["alpha", "bravo"],
            ..CHECK
        },
        Check {
            clause: "file: leaves the old one as quit does",
            input: "copy 1 other\nd 2\nfile other\nx\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "#: the file before",
            input: "copy 1 other\nfile other\nfile #\n=\nf *\nx\n",
            sees: &["echo"],
            ..CHECK
        },
        Check {
            clause: "%: the system mailbox",
            input: "file %\nx\n",
            status: -1,
            ..CHECK
        },
        Check {
            clause: "&: MBOX",
            input: "save 1 &\nfile &\nf *\nx\n",
            sees: &["alpha"],
            files: &[("home/mbox", "of one")],
            ..CHECK
        },
        Check {
            clause: "+name: in the folder directory",
            rc: "set folder=bak\n",
            input: "copy 2 +kept\nfile +kept\nf *\nx\n",
            sees: &["bravo"],
            ..CHECK
        },
        Check {
            clause: "folders: the names in the folder directory",
            rc: "set folder=bak\n",
            input: "copy 2 +kept\nfolders\nx\n",
            sees: &["kept"],
            ..CHECK
        },
        Check {
            clause: "a file that is not there: the commands for it do nothing",
            input: "file nowhere\nd *\nq\n",
            left: Some("abcde"),
            says: &["nowhere"],
            status: -1,
            ..CHECK
        },
    ]);
}

// K16 K18 K19 K31 K34 K39
#[test]
fn variables_and_conditions() {
    walk(&[
        Check {
            clause: "set alone: all variables",
            rc: "set toplines=3\n",
            input: "set\nx\n",
            sees: &["toplines=\"3\""],
            ..CHECK
        },
        Check {
            clause: "set name=value",
            input: "set toplines=2\ntop 1\nset toplines\nx\n",
            ..CHECK
        },
        Check {
            clause: "set name: a switch",
            input: "set autoprint\nd 3\nx\n",
            sees: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "set noname: unset",
            rc: "set autoprint\n",
            input: "set noautoprint\nd 3\nx\n",
            lacks: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "unset",
            rc: "set autoprint\n",
            input: "unset autoprint\nd 3\nx\n",
            lacks: &["line 1 of four"],
            ..CHECK
        },
        Check {
            clause: "se, uns: abbreviations",
            input: "se autoprint\nuns autoprint\nd 3\nx\n",
            lacks: &["of four"],
            ..CHECK
        },
        Check {
            clause: "several in one line",
            input: "set autoprint toplines=1\nd 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "a value in quotes",
            input: "set prompt='a b'\nset\nx\n",
            sees: &["a b"],
            ..CHECK
        },
        Check {
            clause: "if r: in receive mode",
            rc: "if r\nset autoprint\nendif\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "if s: not in receive mode",
            rc: "if s\nset autoprint\nendif\n",
            input: "d 3\nx\n",
            lacks: &["of four"],
            ..CHECK
        },
        Check {
            clause: "else",
            rc: "if s\nset noheader\nelse\nset autoprint\nendif\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "i, el, en: abbreviations",
            rc: "i r\nset autoprint\nel\nset noautoprint\nen\n",
            input: "d 3\nx\n",
            sees: &["of four"],
            ..CHECK
        },
        Check {
            clause: "if at the prompt",
            input: "if s\nd 1\nelse\nd 2\nendif\nq\n",
            left: Some("acde"),
            ..CHECK
        },
        Check {
            clause: "source: commands of a file",
            input: "source ../rc2\nx\n",
            status: -1,
            says: &["rc2"],
            ..CHECK
        },
        Check {
            clause: "so: the abbreviation",
            rc: "set autoprint\n",
            input: "unset autoprint\nso [DIR]/rc\nd 3\nx\n",
            status: -1,
            ..CHECK
        },
        Check {
            clause: "help: a summary",
            input: "help\nx\n",
            sees: &["delete"],
            ..CHECK
        },
        Check {
            clause: "?: the same",
            input: "?\nx\n",
            sees: &["delete"],
            ..CHECK
        },
        Check {
            clause: "list: all commands",
            input: "list\nx\n",
            sees: &["delete", "write", "alias"],
            ..CHECK
        },
        Check {
            clause: "a line goes on behind a backslash",
            input: "echo one \\\ntwo\nx\n",
            sees: &["one two"],
            ..CHECK
        },
        Check {
            clause: "touch, mbox, hold in a file that is no system mailbox are told",
            input: "touch 1\nq\n",
            left: Some("abcde"),
            status: -1,
            says: &["touch"],
            ..CHECK
        },
    ]);
}
