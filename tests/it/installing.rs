//! `postrider generate` and `postrider install`: what a machine gets of the program.

use crate::case::Case;
use crate::documents::document;

fn postrider<const N: usize>(args: [&str; N]) -> Case {
    Case::new().called("postrider").args(args)
}

#[test]
fn generate_prints_the_files_that_packages_install() {
    for (arguments, file) in [
        (&["man", "mailx"][..], "man/mailx.1"),
        (&["man", "mail"], "man/mailx.1"),
        (&["man", "Mail"], "man/mailx.1"),
        (&["man", "postrider"], "man/postrider.1"),
        (&["man", "sendmail"], "man/postrider.1"),
        (&["man", "mailq"], "man/postrider.1"),
        (&["man", "newaliases"], "man/postrider.1"),
        (&["man", "postrider-mailrc"], "man/postrider-mailrc.5"),
        (&["completion", "bash"], "completions/postrider.bash"),
        (&["completion", "zsh"], "completions/_postrider"),
        (&["completion", "fish"], "completions/postrider.fish"),
        (&["completion", "bash", "mailx"], "completions/mailx.bash"),
        (&["completion", "bash", "mail"], "completions/mailx.bash"),
        (&["completion", "zsh", "Mail"], "completions/_mailx"),
        (&["completion", "fish", "mailx"], "completions/mailx.fish"),
    ] {
        // Bytes are bytes, whatever the locale is.
        postrider(["generate"])
            .args(arguments)
            .env("LC_ALL", "C")
            .stdout(document(file))
            .run();
    }
}

#[test]
fn generate_says_what_it_does_not_have() {
    let (subcommands, help) = ("lists the subcommands", "--help lists what it takes");
    let shells = "it is one of: bash, zsh, fish";
    for (arguments, says, hints) in [
        (&[][..], "a subcommand is missing", subcommands),
        (&["pages"], "unknown subcommand 'pages'", subcommands),
        (&["man"], "'<NAME>' is missing", help),
        (
            &["man", "mutt"],
            "invalid value 'mutt' for '<NAME>'",
            "it is one of: postrider, sendmail, mailq, newaliases, mailx, mail, Mail, postrider-mailrc",
        ),
        (&["completion"], "'<SHELL>' is missing", help),
        (
            &["completion", "csh"],
            "invalid value 'csh' for '<SHELL>'",
            shells,
        ),
        (
            &["completion", "bash", "sendmail"],
            "invalid value 'sendmail' for '[COMMAND]'",
            "it is one of: postrider, mailx, mail, Mail",
        ),
    ] {
        postrider(["generate"])
            .args(arguments)
            .status(64)
            .says(says)
            .hints(hints)
            .run();
    }
}

// --- install ---------------------------------------------------------------------------------------

/// What belongs to an installation for a user whose program is in PATH already.
const FOR_A_USER: [&str; 21] = [
    "bin/mailx",
    "bin/mail",
    "bin/Mail",
    "share/man/man1/postrider.1",
    "share/man/man1/mailx.1",
    "share/man/man1/mail.1",
    "share/man/man1/Mail.1",
    "share/man/man5/postrider-mailrc.5",
    "share/bash-completion/completions/postrider",
    "share/bash-completion/completions/mailx",
    "share/bash-completion/completions/mail",
    "share/bash-completion/completions/Mail",
    "share/zsh/site-functions/_postrider",
    "share/zsh/site-functions/_mailx",
    "share/fish/vendor_completions.d/postrider.fish",
    "share/fish/vendor_completions.d/mailx.fish",
    "share/fish/vendor_completions.d/mail.fish",
    "share/fish/vendor_completions.d/Mail.fish",
    "share/systemd/user/postrider-outbox.service",
    "share/systemd/user/postrider-outbox.timer",
    "share/postrider/manifest",
];

/// Returns a case whose user has `~/.local/bin` in PATH behind the program's own directory.
fn at_home<const N: usize>(args: [&str; N]) -> Case {
    postrider(["install", "--user"])
        .args(args)
        .env("PATH", "[DIR]/bin:[DIR]/home/.local/bin")
        .may_change("home")
        .any_stdout()
}

/// Runs commands in the world of a case, where `install` is `postrider install --user`; whatever they
/// say, the script ends with 0 only if all that it checks is so.
fn steps(case: Case, script: &str) -> Case {
    let script = format!(
        "set -e\nPATH=/usr/bin:/bin:$PATH\nlocal=$HOME/.local\n\
         install() {{ postrider install --user \"$@\"; }}\n\
         fails() {{ expected=$1; shift; status=0; \"$@\" || status=$?; test $status = $expected; }}\n\
         {script}\n"
    );
    case.within(&script)
        .may_change("home")
        .may_change("cwd")
        .any_stdout()
        .any_stderr()
}

#[test]
fn an_installation_is_whole_and_goes_without_a_trace() {
    let ran = at_home([])
        .file("bin/zsh", "")
        .stdout_contains("installed [DIR]/home/.local/bin/mail -> [DIR]/bin/postrider\n")
        .stdout_contains("installed [DIR]/home/.local/share/man/man1/mail.1 -> mailx.1\n")
        .stderr_contains("fpath+=([DIR]/home/.local/share/zsh/site-functions)")
        .run();
    for file in FOR_A_USER {
        let path = ran.path(&format!("home/.local/{file}"));
        assert!(path.exists(), "{file}");
    }
    assert_eq!(ran.stdout().lines().count(), FOR_A_USER.len() - 1);
    assert_eq!(
        ran.read("home/.local/share/man/man1/mail.1"),
        document("man/mailx.1").as_bytes()
    );
    let unit = ran.read("home/.local/share/systemd/user/postrider-outbox.service");
    let starts = format!("ExecStart={} outbox", ran.path("bin/postrider").display());
    assert!(String::from_utf8_lossy(&unit).contains(&starts));

    steps(
        Case::new(),
        r#"
        umask 077
        install >first
        test "$("$local/bin/mail" --version)" = "$(postrider --version)"
        # For others, too.
        test "$(stat -c %a "$local/share/man/man1" "$local/share/man/man1/mailx.1" | tr '\n' ' ')" = "755 644 "
        # Once more: nothing is changed.
        ls -lR --time-style=full-iso "$local" | grep -v manifest >before
        install >second
        test "$(grep -vc '^is there ' second)" = 0
        test "$(wc -l <first)" = "$(wc -l <second)"
        ls -lR --time-style=full-iso "$local" | grep -v manifest | grep -v "$(basename "$local")" >after || true
        install --uninstall >third
        test "$(wc -l <third)" = "$(wc -l <first)"
        test "$(grep -c '^removed ' third)" = "$(wc -l <first)"
        test ! -e "$local"
        fails 66 install --uninstall 2>told
        grep -q "postrider: nothing is installed in $local" told
        test "$(wc -l <told)" = 2
        "#,
    )
    .run();
}

#[test]
fn a_dry_run_writes_nothing() {
    let ran = at_home(["--dry-run"]).any_stderr().run();
    assert_eq!(ran.stdout().lines().count(), FOR_A_USER.len() - 1);
    assert!(
        ran.stdout()
            .lines()
            .all(|line| line.starts_with("would install "))
    );
    assert!(!ran.path("home/.local").exists());
    steps(
        Case::new(),
        r#"
        install
        find "$local" | sort >before
        install --uninstall --dry-run >told
        test "$(grep -vc '^would remove ' told)" = 0
        find "$local" | sort | cmp - before
        "#,
    )
    .run();
}

#[test]
fn what_is_not_ours_is_kept_and_named() {
    // A file, a link elsewhere, a directory and a FIFO.
    steps(
        Case::new(),
        r#"
        mkdir -p "$local/bin/Mail" "$local/share/man/man1"
        echo mine >"$local/bin/mail"
        ln -s /nowhere "$local/bin/mailx"
        mkfifo "$local/share/man/man1/mailx.1"
        fails 73 install >told 2>complaints
        for file in bin/mail bin/mailx bin/Mail share/man/man1/mailx.1; do
            grep -q "^postrider: $local/$file is in the way and is kept" complaints
            if grep -q "$local/$file\( \|$\)" told; then exit 1; fi
        done
        test "$(grep -c 'in the way' complaints)" = 4
        # The rest is there, and goes again.
        test -f "$local/share/man/man1/postrider.1"
        install --uninstall
        test "$(cat "$local/bin/mail")" = mine
        test "$(readlink "$local/bin/mailx")" = /nowhere
        test -d "$local/bin/Mail" && test -p "$local/share/man/man1/mailx.1"
        test "$(find "$local" ! -type d | wc -l)" = 3
        "#,
    )
    .run();
}

#[test]
fn what_was_edited_is_kept_and_named() {
    steps(
        Case::new(),
        r#"
        install
        unit=$local/share/systemd/user/postrider-outbox.timer
        echo '# mine' >>"$unit"
        ln -sf /bin/true "$local/bin/Mail"
        rm "$local/bin/mail"
        # A newer program does not replace it, but makes what was removed.
        fails 73 install 2>complaints
        grep -q "$unit is in the way" complaints
        test "$(readlink "$local/bin/Mail")" = /bin/true
        test -L "$local/bin/mail"
        install --uninstall 2>complaints
        grep -q "$unit was changed since it was installed, and is kept" complaints
        grep -q "$local/bin/Mail was changed since" complaints
        test "$(find "$local" ! -type d | sort | tr '\n' ' ')" = "$local/bin/Mail $unit "
        "#,
    )
    .run();
}

#[test]
fn an_older_installation_is_replaced() {
    // An older one had another page, whose checksum is in the list.
    steps(
        Case::new(),
        r#"
        install
        page=$local/share/man/man1/mailx.1
        echo older >"$page"
        sum=$(sha256sum "$page" | cut -d' ' -f1)
        sed -i "s|^file\t[0-9a-f]*\t$page\$|file\t$sum\t$page|" "$local/share/postrider/manifest"
        ln -sf older "$local/bin/mail"
        sed -i "s|^link\t[^\t]*\t$local/bin/mail\$|link\tolder\t$local/bin/mail|" "$local/share/postrider/manifest"
        printf 'link\tgone\t%s\n' "$local/bin/gone" >>"$local/share/postrider/manifest"
        ln -s gone "$local/bin/gone"
        install >told
        grep -q "^replaced $page\$" told
        grep -q "^replaced $local/bin/mail -> " told
        test "$(grep -c '^is there' told)" = 18
        postrider generate man mailx | cmp - "$page"
        # What only the older one had is removed with the rest.
        install --uninstall
        test ! -e "$local"
        "#,
    )
    .run();
}

#[test]
fn the_program_is_copied_where_the_links_would_lead_nowhere() {
    steps(
        Case::new(),
        r#"
        # As from target/release, which is not in PATH.
        mkdir build
        cp "$(command -v postrider)" build/
        PATH=/usr/bin:/bin
        build/postrider install --user >told
        grep -q "^installed $local/bin/postrider\$" told
        rm -r build
        test "$(readlink "$local/bin/mail")" = postrider
        "$local/bin/mail" --version
        grep -q "ExecStart=$local/bin/postrider outbox" "$local/share/systemd/user/postrider-outbox.service"
        # It removes itself.
        "$local/bin/postrider" install --user --uninstall
        test ! -e "$local"
        "#,
    )
    .run();
    // A program that cargo has put below the prefix is not ours to remove.
    steps(
        Case::new(),
        r#"
        mkdir -p "$local/bin"
        cp "$(command -v postrider)" "$local/bin/"
        "$local/bin/postrider" install --user
        "$local/bin/postrider" install --user --uninstall
        test "$(find "$local" ! -type d)" = "$local/bin/postrider"
        "#,
    )
    .run();
}

#[test]
fn two_installations_do_not_know_each_other() {
    steps(
        Case::new(),
        r#"
        two="$PWD/a b"
        install
        install --prefix "$two" 2>told
        grep -q "the shell does not look for commands in $two/bin" told
        PATH=$two/bin:$PATH
        test "$("$two/bin/mail" --version)" = "$(postrider --version)"
        install --uninstall
        test ! -e "$local"
        test "$(find "$two" -type l -o -type f | wc -l)" -gt 20
        grep -q "ExecStart=\"$two/bin/postrider\" outbox" "$two/share/systemd/user/postrider-outbox.service"
        "$two/bin/postrider" install --user --prefix "$two" --uninstall
        test ! -e "$two"
        "#,
    )
    .run();
    // Another one comes first in PATH.
    at_home([])
        .env("PATH", "[DIR]/cwd/first:[DIR]/home/.local/bin:[DIR]/bin")
        .file("cwd/first/mailx", "")
        .file("cwd/first/zsh", "")
        .says("the shell takes [DIR]/cwd/first/mailx for mailx")
        .hints("put [DIR]/home/.local/bin before it in PATH")
        .says("zsh finds")
        .hints("fpath")
        .run();
}

#[test]
fn the_hint_about_path_names_the_file_of_the_shell() {
    let again = "log in again; if that is not enough, add it in ~/.profile: PATH=[DIR]/home/.local/bin:$PATH";
    for (shell, hint) in [
        ("/bin/bash", again),
        ("", again),
        (
            "/bin/zsh",
            "add it in ~/.zshrc, and start zsh again: PATH=[DIR]/home/.local/bin:$PATH",
        ),
        (
            "/usr/bin/fish",
            "add it: fish_add_path [DIR]/home/.local/bin",
        ),
    ] {
        let ran = at_home([])
            .env("PATH", "[DIR]/bin")
            .env("SHELL", shell)
            .says("the shell does not look for commands in [DIR]/home/.local/bin")
            .hints(hint)
            .run();
        // Without zsh there is nothing to say about it.
        assert!(!ran.stderr().contains("zsh finds"));
    }
    // ~/.profile does not know another directory.
    at_home(["--prefix", "[DIR]/home/other"])
        .env("SHELL", "/bin/bash")
        .says("the shell does not look for commands in [DIR]/home/other/bin")
        .hints("add it in ~/.profile, and log in again: PATH=[DIR]/home/other/bin:$PATH")
        .run();
}

#[test]
fn the_program_that_stays_is_named_by_uninstall() {
    steps(
        Case::new(),
        r#"
        install
        install --uninstall --dry-run >told 2>complaints
        test ! -s complaints
        install --uninstall >told 2>complaints
        grep -q "^postrider: the program itself stays: $(command -v postrider)\$" complaints
        grep -q '^hint: .*: cargo uninstall postrider$' complaints
        test "$(wc -l <complaints)" = 2
        "#,
    )
    .run();
}

#[test]
fn a_bad_place_is_told_in_one_line() {
    let bad = |args: &[&str]| postrider(["install"]).args(args).may_change("home");
    bad(&["--user", "--prefix", "a\nb"])
        .status(64)
        .says("the name has control characters")
        .run();
    bad(&["--user", "--prefix", "file/below"])
        .file("cwd/file", "")
        .status(73)
        .says("cannot make the directory [DIR]/cwd/file: File exists")
        .run();
    bad(&["--user", "--mta"])
        .status(64)
        .says("cannot be used together")
        .hints("")
        .run();
    bad(&["--mta"])
        .nobody()
        .status(77)
        .says("only root can install an MTA's sendmail")
        .hints("leave out --mta")
        .run();
    bad(&["--prefix", "/usr/local/no-such-place"])
        .nobody()
        .status(77)
        .says("cannot make the directory /usr/local/no-such-place: Permission denied")
        .hints("without --prefix")
        .run();
    bad(&["--user"])
        .file("home/.local/share/postrider/manifest", "what?\n")
        .status(74)
        .says("cannot read [DIR]/home/.local/share/postrider/manifest: it is not a list of files")
        .run();
    bad(&["--user", "--uninstall"])
        .file(
            "home/.local/share/postrider/manifest",
            "file\tx\trelative\n",
        )
        .status(74)
        .says("it is not a list of files")
        .run();
}

#[test]
fn where_a_package_manager_rules_nothing_is_installed() {
    let managers = [
        "/var/lib/dpkg/status",
        "/var/lib/rpm",
        "/usr/lib/sysimage/rpm",
        "/lib/apk/db/installed",
        "/var/lib/pacman/local",
    ];
    if !managers
        .iter()
        .any(|path| std::path::Path::new(path).exists())
    {
        return crate::launch::left_out(
            "an installation below /usr",
            "there is no package manager",
        );
    }
    for prefix in ["/usr", "/"] {
        postrider(["install", "--dry-run", "--prefix", prefix])
            .status(77)
            .says("its files belong to the package manager")
            .hints("install the package of Postrider")
            .run();
    }
}

#[test]
fn a_root_of_its_own_gets_what_a_package_has() {
    steps(
        Case::new().env("DESTDIR", "[DIR]/cwd/root"),
        r#"
        root=$PWD/root
        postrider install --prefix /usr --mta >told
        test -x "$root/usr/bin/postrider"
        test "$(readlink "$root/usr/bin/mailq")" = postrider
        test "$(readlink "$root/usr/sbin/sendmail")" = /usr/bin/postrider
        test "$(readlink "$root/usr/lib/sendmail")" = /usr/bin/postrider
        test -f "$root/usr/lib/systemd/system/postrider-outbox.path"
        test -f "$root/usr/lib/tmpfiles.d/postrider.conf"
        grep -q "^ExecStart=/usr/bin/postrider " "$root/usr/lib/systemd/system/postrider-outbox.service"
        test "$(readlink -f "$root/usr/share/man/man8/sendmail.8")" = "$root/usr/share/man/man1/postrider.1"
        if grep -v '^#' "$root/etc/postrider.rc" | grep .; then exit 1; fi
        # The package has a list of its own.
        test -z "$(find . -name manifest)"
        fails 66 postrider install --prefix /usr --uninstall
        "#,
    )
    .run();
}

#[test]
fn the_sendmail_of_an_mta_stays() {
    steps(
        Case::new().env("DESTDIR", "[DIR]/cwd/root"),
        r#"
        mkdir -p root/usr/sbin root/etc
        echo MTA >root/usr/sbin/sendmail
        echo 'set mine' >root/etc/postrider.rc
        fails 73 postrider install --mta >told 2>complaints
        grep -q "there is a sendmail already: /usr/sbin/sendmail" complaints
        test "$(find root -type f -o -type l | wc -l)" = 2
        # Without that name the rest is installed; a configuration that is there is no obstacle.
        postrider install >told
        grep -q "^kept .*/etc/postrider.rc\$" told
        test "$(cat root/etc/postrider.rc)" = 'set mine'
        test "$(cat root/usr/sbin/sendmail)" = MTA
        test ! -e root/usr/local/bin/mailq
        "#,
    )
    .run();
}

/// Returns a case in a namespace where a file system of this kind lies over `~/.local`.
fn over_local(options: &str, script: &str) -> Option<Case> {
    let case = Case::new().private("an installation on a disk that is full or read-only")?;
    let script =
        format!("mkdir -p \"$local\"\n/bin/mount -t tmpfs -o {options} none \"$local\"\n{script}");
    Some(steps(case, &script))
}

#[test]
fn a_full_disk_in_the_middle_leaves_nothing_behind() {
    // Enough for some files and not for all.
    let Some(case) = over_local(
        "size=200k",
        r#"
        fails 74 install >told 2>complaints
        grep -q "cannot write $local/.*: No space left on device" complaints
        test "$(wc -l <complaints)" = 1
        test ! -s told
        test -z "$(find "$local" -mindepth 1)"
        "#,
    ) else {
        return;
    };
    case.run();
    // An older installation is whole afterwards.
    let Some(case) = over_local(
        "size=800k",
        r#"
        install
        page=$local/share/man/man1/mailx.1
        echo older >"$page"
        sum=$(sha256sum "$page" | cut -d' ' -f1)
        sed -i "s|^file\t[0-9a-f]*\t$page\$|file\t$sum\t$page|" "$local/share/postrider/manifest"
        rm "$local/bin/mail"
        head -c 10M /dev/zero >"$local/full" || true
        find "$local" | sort >before
        cp "$local/share/postrider/manifest" list
        fails 74 install >told 2>complaints
        find "$local" | sort | cmp - before
        cmp list "$local/share/postrider/manifest"
        test "$(cat "$page")" = older
        "#,
    ) else {
        return;
    };
    case.run();
}

#[test]
fn a_read_only_prefix_is_told_in_one_line() {
    let Some(case) = over_local(
        "ro",
        r#"
        fails 73 install >told 2>complaints
        grep -q "cannot make the directory $local/.*: Read-only file system" complaints
        test "$(wc -l <complaints)" = 1
        test ! -s told
        "#,
    ) else {
        return;
    };
    case.run();
    // It became read-only later: the list stays for the next try.
    let Some(case) = over_local(
        "size=2m",
        r#"
        install
        /bin/mount -o remount,ro none "$local"
        fails 73 install --uninstall >told 2>complaints
        grep -q "cannot remove $local/bin/mail: Read-only file system" complaints
        /bin/mount -o remount,rw none "$local"
        install --uninstall
        test -z "$(find "$local" -mindepth 1)"
        "#,
    ) else {
        return;
    };
    case.run();
}

#[test]
fn without_a_home_directory_a_prefix_is_needed() {
    let what = "an installation of a user without a home directory";
    let Some(case) = Case::new().private(what) else {
        return;
    };
    steps(
        case.file("sys/etc/passwd", "nobody:x:65534:65534::/:/bin/sh\n")
            .file("sys/etc/nsswitch.conf", "passwd: files\n"),
        r#"
        unset HOME
        # A dry run: were there a home directory after all, it would be the machine's own.
        fails 64 postrider install --user --dry-run 2>complaints
        grep -q "there is no home directory to install in" complaints
        grep -q "name a directory with --prefix" complaints
        postrider install --user --prefix "$PWD/here"
        test -x here/bin/postrider
        "#,
    )
    .run();
}
