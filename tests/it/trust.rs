//! What other users have planted: files that mail is written to, journals, private places.
//!
//! Each test is a table, and its rows are acted out by the users that they name: in a namespace
//! with a passwd and a group of its own, where the tests run as root.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::launch::{self, Stdin};

/// The users of the tables: two with private groups, and members of groups.
const USERS: &str = "vic:x:6001:6001::/world/vic:/bin/sh
atk:x:6002:6002::/world/atk:/bin/sh
mia:x:6003:6003::/world/mia:/bin/sh
";

/// Atk is in the group of the spool, mia in vic's team.
const GROUPS: &str = "vic:x:6001:
atk:x:6002:
mia:x:6003:
team:x:6010:vic,mia
";

/// What every script begins with: a world of its own in memory, and ways to be somebody.
const WORLD: &str = r#"
set -e
dir=$1 program=$2
mount --bind "$dir/passwd" /etc/passwd
mount --bind "$dir/group" /etc/group
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/bin /mnt/world
cp "$program" /mnt/bin/mailx
mount -t tmpfs -o mode=755 none /var/mail
mount -t tmpfs -o mode=1777 none /var/tmp
mount -t tmpfs -o mode=700 none /root
mount -t tmpfs -o mode=755 none /var/lib
cd /mnt/world
for who in vic atk mia; do mkdir -m 700 $who; chown $who:$who $who; done
mkdir -m 700 root
gid() { case $1 in root) echo 0;; vic) echo 6001;; atk) echo 6002;; mia) echo 6003;; esac; }
# Acts as a user, with all the user's groups.
as() {
    who=$1; shift
    id=$(gid $who)
    setpriv --reuid $id --regid $id --init-groups env -i PATH=/usr/bin:/bin TZ=UTC \
        HOME=/mnt/world/$who MAILRC=/dev/null "$@"
}
mailx=/mnt/bin/mailx
set +e
"#;

/// Runs a script in such a world and returns its standard output; `None`, loudly, where there is no
/// namespace to have.
fn acted_out(what: &str, script: &str) -> Option<String> {
    if !launch::is_root() {
        launch::left_out(what, "needs root, to act as other users");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("passwd"), rows("/etc/passwd", USERS)).unwrap();
    let mut groups = rows("/etc/group", GROUPS);
    groups = groups.replace("\nmail:x:8:", "\nmail:x:8:atk");
    fs::write(dir.path().join("group"), groups).unwrap();
    let mut command = Command::new("unshare");
    command
        .args(["-m", "/bin/sh", "-c"])
        .arg(format!("{WORLD}{script}"))
        .args([OsString::from("sh"), dir.path().into()])
        .arg(crate::case::program());
    let output = launch::run(&mut command, Stdin::Null, Duration::from_secs(300), None);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && errors.contains("unshare") {
        launch::left_out(what, "needs a mount namespace");
        return None;
    }
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{errors}");
    Some(text)
}

fn rows(path: &str, ours: &str) -> String {
    let theirs = fs::read_to_string(Path::new(path)).unwrap();
    let kept = theirs.lines().filter(|row| !row.contains(":600"));
    kept.map(|row| format!("{row}\n")).collect::<String>() + ours
}

/// The doors through which mail gets into a file `$f` of the directory `$d`, and the places that are
/// prepared for each of them. A row of the output is `user place door what-happened`.
const DOORS: &str = r#"
message='From f@x Mon Jan  1 10:00:00 2024
From: f@x
Subject: s
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=B

--B
Content-Type: text/plain

SECRET
--B
Content-Type: application/octet-stream
Content-Disposition: attachment; filename=f

SECRET
--B--
'
door() {
    cd $d
    case $1 in
    save) printf 's 1 %s\nx\n' $f | as $us $mailx -N -f $box;;
    copy) printf 'c 1 %s\nx\n' $f | as $us $mailx -N -f $box;;
    Save) printf 'S 1\nx\n' | as $us $mailx -N -f $box;;
    Copy) printf 'C 1\nx\n' | as $us $mailx -N -f $box;;
    write) printf 'w 1 %s\nx\n' $f | as $us $mailx -N -f $box;;
    write-parts) printf 'w 1 %s/\nx\n' $d | as $us $mailx -N -f $box;;
    record) echo SECRET | as $us $mailx -S sendmail=/bin/true -S record=$f -s s a@x.example;;
    record-by-name) echo SECRET | as $us $mailx -S sendmail=/bin/true -F -s s f@x.example;;
    fcc) printf 'To: a@x.example\nFcc: %s\n\nSECRET\n' $f | as $us $mailx -S sendmail=/bin/true -t;;
    mbox) cp $box $box.in; chown $us $box.in
        printf 'p 1\nq\n' | as $us MAIL=$box.in MBOX=$f POSIXLY_CORRECT=1 $mailx -N;;
    dead) echo SECRET | as $us DEAD=$f $mailx -S sendmail=/bin/false -s SECRET a@x.example;;
    log) echo x | as $us $mailx -S sendmail=/bin/true -S log=$f -s s SECRET@x.example;;
    test) echo SECRET | as $us $mailx -S mta=test://$f -s s a@x.example;;
    escape) printf 'SECRET\n~w %s\n' $f | as $us $mailx -~ -S sendmail=/bin/true -s s a@x.example;;
    esac >/dev/null
}
other() { if [ $us = root ]; then echo vic; else echo root; fi; }
prepare() {
    cd /; rm -rf /mnt/w; mkdir -m 755 /mnt/w; cd /mnt/w
    mkdir -m 755 own foreign sticky group team
    chown $us own; chown atk foreign; chmod 1777 sticky
    chgrp mail group; chmod 775 group
    chown vic:team team; chmod 2770 team
    printf '%s\n' "$message" >box; chown $us box; box=/mnt/w/box
    : >own/goal; chown $us own/goal; goal=/mnt/w/own/goal
    case $1 in
    link-in-foreign-directory) d=/mnt/w/foreign; ln -s $goal $d/f; chown -h atk $d/f;;
    link-in-sticky-directory) d=/mnt/w/sticky; ln -s $goal $d/f; chown -h atk $d/f;;
    link-in-group-directory) d=/mnt/w/group; ln -s $goal $d/f; chown -h atk $d/f;;
    file-in-sticky-directory) d=/mnt/w/sticky; goal=$d/f;;
    file-in-foreign-directory) d=/mnt/w/foreign; goal=$d/f;;
    file-in-group-directory) d=/mnt/w/group; goal=$d/f;;
    second-name) d=/mnt/w/sticky; ln $goal $d/f;;
    directory-link) d=/mnt/w/sticky/d; ln -s /mnt/w/own $d; chown -h atk $d; goal=/mnt/w/own/f;;
    own-link-in-own-directory) d=/mnt/w/own; ln -s goal $d/f; chown -h $us $d/f;;
    own-link-in-sticky-directory) d=/mnt/w/sticky; ln -s $goal $d/f; chown -h $us $d/f;;
    roots-link-in-sticky-directory) d=/mnt/w/sticky; ln -s $goal $d/f;;
    directory-link-of-root) d=/mnt/w/sticky/d; ln -s /mnt/w/own $d; goal=/mnt/w/own/f;;
    file-in-our-group-directory) d=/mnt/w/team; goal=$d/f; : >$goal; chown mia:team $goal; chmod 660 $goal;;
    new-file-in-sticky-directory) d=/mnt/w/sticky; goal=$d/f;;
    esac
    f=$d/f
    case $1 in file-in-sticky*|file-in-foreign*|file-in-group*) : >$goal; chown atk $goal; chmod 666 $goal;; esac
}
for us in $1; do for place in $2; do for door in $3; do
    prepare $place
    door $door
    status=$?
    if grep -q SECRET $goal 2>/dev/null || [ -e /mnt/w/own/f-2 ]; then happened=written; else happened=kept; fi
    echo "$us $place $door $happened $status"
done; done; done
"#;

/// Runs `DOORS` for users, places and doors.
fn through_doors(users: &str, places: &[&str], doors: &[&str]) -> Option<Vec<Vec<String>>> {
    let (places, doors) = (places.join(" "), doors.join(" "));
    let script = format!("set -- '{users}' '{places}' '{doors}'\n{DOORS}");
    let text = acted_out("the rule of files that mail is written to", &script)?;
    let rows = text
        .lines()
        .map(|row| row.split(' ').map(str::to_owned).collect());
    Some(rows.collect())
}

const ALL_DOORS: [&str; 13] = [
    "save",
    "copy",
    "Save",
    "Copy",
    "write",
    "record",
    "record-by-name",
    "fcc",
    "mbox",
    "dead",
    "log",
    "test",
    "escape",
];

#[test]
fn mail_was_written_where_another_user_had_planted_something() {
    let places = [
        "link-in-foreign-directory",
        "link-in-sticky-directory",
        "link-in-group-directory",
        "file-in-sticky-directory",
        "file-in-foreign-directory",
        "file-in-group-directory",
        "second-name",
        "directory-link",
    ];
    let Some(rows) = through_doors("root vic", &places, &ALL_DOORS) else {
        return;
    };
    // These name a file in the working directory, and `cd` has followed the link to it.
    let is_here = |row: &[String]| {
        row[1] == "directory-link" && matches!(&*row[2], "Save" | "Copy" | "record-by-name")
    };
    let is_right = |row: &[String]| row[3] == "kept" && (row[4] != "0" || row[2] == "log");
    let wrong = |row: &&Vec<String>| !is_right(row) && !is_here(row);
    let wrong: Vec<_> = rows.iter().filter(wrong).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.len(), 2 * places.len() * ALL_DOORS.len());
    let rows = through_doors("root vic", &["directory-link"], &["write-parts"]).unwrap();
    let kept = |row: &Vec<String>| row[3] == "kept" && row[4] != "0";
    assert!(rows.len() == 2 && rows.iter().all(kept), "{rows:#?}");
}

#[test]
fn mail_is_written_through_links_of_ours_and_of_root() {
    let places = [
        "own-link-in-own-directory",
        "own-link-in-sticky-directory",
        "roots-link-in-sticky-directory",
        "directory-link-of-root",
        "new-file-in-sticky-directory",
    ];
    let Some(rows) = through_doors("root vic", &places, &ALL_DOORS) else {
        return;
    };
    // Dead letters and the log go through no link at all.
    let never_linked =
        |row: &[String]| matches!(&*row[2], "dead" | "log") && row[1].contains("link-in-");
    let expected = |row: &[String]| if never_linked(row) { "kept" } else { "written" };
    let wrong: Vec<_> = rows.iter().filter(|row| row[3] != expected(row)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(rows.len(), 2 * places.len() * ALL_DOORS.len());
    // The directory of a group: a member writes, root is none.
    let doors = ["save", "write", "record", "test"];
    let rows = through_doors("root vic", &["file-in-our-group-directory"], &doors).unwrap();
    let expected = |row: &[String]| if row[0] == "vic" { "written" } else { "kept" };
    let wrong: Vec<_> = rows.iter().filter(|row| row[3] != expected(row)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A mailbox of fifty messages, and a journal that keeps the last ten of them: of a change by vic
/// that was killed. `plant` puts a copy there as another user would.
const KILLED: &str = r#"
i=1
while [ $i -le 50 ]; do
    printf 'From u@x Mon Jan  1 10:00:%02d 2024\nFrom: u@x\nSubject: s%s\n\nBODY%s\n\n' $i $i $i
    i=$((i+1))
done >/mnt/original
cp /mnt/original /var/mail/vic; chown vic:vic /var/mail/vic; chmod 600 /var/mail/vic
printf 'd 1-40\nq\n' | as vic HOME=/nonexistent strace -f -o /dev/null -P /var/mail/vic \
    -e trace=pwrite64 -e inject=pwrite64:signal=KILL:when=1 $mailx -N -f /var/mail/vic >/dev/null
name=$(ls /var/tmp/postrider-6001/journal)
cp /var/tmp/postrider-6001/journal/$name /mnt/genuine && chmod 644 /mnt/genuine || echo "no journal"
# A new journal in the old mailbox: the inode stays.
reset() {
    rm -rf /var/tmp/* /var/mail/.vic* /var/mail/vic.* /mnt/elsewhere /mnt/world/vic/.local
    # First, for fs.protected_regular keeps even root from writing to it in the directories below.
    chown root:root /var/mail; chmod 755 /var/mail
    cat /mnt/original >/var/mail/vic
    chown root:root /var/tmp; chmod 1777 /var/tmp
    chown vic:vic /var/mail/vic; chmod 600 /var/mail/vic
}
left() { grep -c '^From ' /var/mail/vic; }
"#;

/// For each mode of the spool, of the mailbox, and each maker: what becomes of the maker's journal
/// when root opens the mailbox, and of vic's own change. A row is
/// `spool mailbox maker can-make left-after-root left-after-vic`.
const SPOOLS: &str = r#"
for spool in root:root:755 root:mail:2775 root:mail:3777 root:root:1777 vic:vic:755; do
for mailbox in vic:mail:600 vic:mail:660 vic:team:660 vic:vic:660; do
for maker in vic root atk mia; do
    plant() {
        reset
        chown ${spool%:*} /var/mail; chmod ${spool##*:} /var/mail
        chown ${mailbox%:*} /var/mail/vic; chmod ${mailbox##*:} /var/mail/vic
        as $maker sh -c 'umask 077; cat /mnt/genuine >/var/mail/.vic.postrider-journal' 2>/dev/null
    }
    plant && made=made || made=refused
    echo x | as root $mailx -N -f /var/mail/vic >/dev/null
    root=$(left)
    plant
    printf 'd 1\nq\n' | as vic $mailx -N -f /var/mail/vic >/dev/null
    echo $spool $mailbox $maker $made $root $(left)
done; done; done
"#;

#[test]
fn a_planted_journal_rewrote_another_users_mailbox_or_kept_its_owner_from_changing_it() {
    if Command::new("strace").arg("-V").output().is_err() {
        launch::left_out("who may make a journal that counts", "needs strace");
        return;
    }
    let script = format!("{KILLED}{SPOOLS}");
    let Some(text) = acted_out("who may make a journal that counts", &script) else {
        return;
    };
    // Who may put a file into the spool at all.
    let makers_in = |spool: &str| match spool {
        "root:root:755" => "root",
        "root:mail:2775" => "root atk",
        "root:mail:3777" | "root:root:1777" => "vic root atk mia",
        "vic:vic:755" => "vic root",
        _ => panic!("{spool}"),
    };
    // Whose journal counts: the owner's, root's, and of those whom the mailbox lets write it.
    let makers_of = |mailbox: &str| match mailbox {
        "vic:mail:600" | "vic:vic:660" => "vic root",
        "vic:mail:660" => "vic root atk",
        "vic:team:660" => "vic root mia",
        _ => panic!("{mailbox}"),
    };
    let mut count = 0;
    for row in text.lines() {
        let [spool, mailbox, maker, made, root, vic] = row.split(' ').collect::<Vec<_>>()[..]
        else {
            panic!("{row}");
        };
        let has = |makers: &str| makers.split(' ').any(|name| name == maker);
        let can_make = has(makers_in(spool));
        assert_eq!(made, if can_make { "made" } else { "refused" }, "{row}");
        let counts = can_make && has(makers_of(mailbox));
        assert_eq!(root, if counts { "10" } else { "50" }, "{row}");
        let after_vic = match (counts, maker) {
            // Completed, and then one is deleted.
            (true, "vic") => "9",
            // Vic cannot read it, and must not change what it is about.
            (true, _) => "50",
            (false, _) => "49",
        };
        assert_eq!(vic, after_vic, "{row}");
        count += 1;
    }
    assert_eq!(count, 5 * 4 * 4);
}

/// A file of root's with the content of a journal, moved into the spool by a member of its group who
/// knows the size of vic's mailbox and some of its mail, but not the first message. A row is
/// `mailbox left-after-root still-the-same`.
const MOVED: &str = r#"
for mailbox in vic:mail:600 vic:vic:660 vic:mail:660; do
    reset
    sed 's/BODY1$/TRUTH/' /mnt/original >/var/mail/vic
    cp /var/mail/vic /mnt/real
    chown root:mail /var/mail; chmod 2775 /var/mail
    chown ${mailbox%:*} /var/mail/vic; chmod ${mailbox##*:} /var/mail/vic
    mkdir -p -m 700 /var/mail/atk; chown atk /var/mail/atk
    cp /mnt/genuine /var/mail/atk/moved; chmod 600 /var/mail/atk/moved
    as atk mv /var/mail/atk/moved /var/mail/.vic.postrider-journal || echo cannot move
    echo x | as root $mailx -N -f /var/mail/vic >/dev/null
    cmp -s /mnt/real /var/mail/vic && same=same || same=changed
    echo $mailbox $(left) $same
done
"#;

#[test]
fn a_file_of_roots_that_another_user_had_moved_was_a_journal() {
    if Command::new("strace").arg("-V").output().is_err() {
        launch::left_out("moved journals", "needs strace");
        return;
    }
    let Some(text) = acted_out("moved journals", &format!("{KILLED}{MOVED}")) else {
        return;
    };
    let expected = [
        "vic:mail:600 50 same",
        "vic:vic:660 50 same",
        "vic:mail:660 50 same",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// What may stand in place of vic's private place. A row is `place left-after-vic left-after-root`.
const PRIVATE: &str = r#"
put() {
    mkdir -p $1/journal
    cp /mnt/genuine $1/journal/$name
    chown $2 $1; chmod $3 $1; chown $4 $1/journal; chmod $5 $1/journal
    chown $6 $1/journal/$name; chmod 600 $1/journal/$name
}
plant() {
    reset
    p=/var/tmp/postrider-6001
    case $1 in
    own) put $p vic 700 vic 700 vic;;
    roots-journal-in-own) put $p vic 700 vic 700 root;;
    own-with-suffix) put $p-0123 vic 700 vic 700 vic;;
    own-with-suffix-beside-anothers) put $p-0123 vic 700 vic 700 vic; mkdir -m 777 $p; chown atk $p;;
    anothers) put $p atk 755 atk 755 vic;;
    anothers-with-roots-journal) put $p atk 755 atk 755 root;;
    anothers-with-suffix) put $p-0123 atk 755 atk 755 root;;
    open-to-all) put $p vic 777 vic 700 root;;
    open-inside) put $p vic 700 vic 770 root;;
    anothers-inside) put $p vic 700 atk 700 root;;
    link) put /mnt/elsewhere vic 700 vic 700 vic; ln -s /mnt/elsewhere $p; chown -h vic $p;;
    base-open-to-all) put $p vic 700 vic 700 vic; chmod 777 /var/tmp;;
    base-of-another) put $p vic 700 vic 700 vic; chown atk /var/tmp;;
    esac
}
for place in own roots-journal-in-own own-with-suffix own-with-suffix-beside-anothers anothers \
    anothers-with-roots-journal anothers-with-suffix open-to-all open-inside anothers-inside link \
    base-open-to-all base-of-another; do
    plant $place
    echo x | as vic HOME=/nonexistent $mailx -N -f /var/mail/vic >/dev/null
    vic=$(left)
    plant $place
    echo x | as root $mailx -N -f /var/mail/vic >/dev/null
    echo $place $vic $(left)
done
"#;

#[test]
fn a_journal_was_believed_in_a_private_place_that_another_user_had_made() {
    if Command::new("strace").arg("-V").output().is_err() {
        launch::left_out("private places", "needs strace");
        return;
    }
    let Some(text) = acted_out("private places", &format!("{KILLED}{PRIVATE}")) else {
        return;
    };
    let expected = [
        "own 10 10",
        // Vic cannot read it; root can.
        "roots-journal-in-own 50 10",
        "own-with-suffix 10 10",
        "own-with-suffix-beside-anothers 10 10",
        "anothers 50 50",
        "anothers-with-roots-journal 50 50",
        "anothers-with-suffix 50 50",
        "open-to-all 50 50",
        "open-inside 50 50",
        "anothers-inside 50 50",
        "link 50 50",
        "base-open-to-all 50 50",
        "base-of-another 50 50",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// Unsent mail of vic, who has no home, and of root in vic's. A row is `case status letters`, the
/// letters in each place where they are.
const DEAD: &str = r#"
send() {
    who=$1; shift
    echo SECRET | as $who "$@" $mailx -S sendmail=$mta -s s a@x.example >/mnt/out 2>&1
    status=$?
    where=$(sed -n 's/.*saved in \([^,]*\),.*/\1/p' /mnt/out)
    case $where in /*) said=$(grep -c SECRET $where);; *) said=nowhere;; esac
    loud=; grep -q 'NOT KEPT' /mnt/out && loud=-NOT-KEPT
}
clean() { rm -rf /var/tmp/* /root/* /mnt/world/vic/*; chown root /var/tmp; chmod 1777 /var/tmp; }
count() { find "$@" -type f -exec cat {} + 2>/dev/null | grep -c SECRET; }

mta=/bin/false
clean; mkdir -m 777 /var/tmp/postrider-6001; chown atk /var/tmp/postrider-6001
send vic HOME=/nonexistent; first=$where; send vic HOME=/nonexistent
[ "$first" = "$where" ] && same=found-again || same=another
echo planted $status $said $(count /var/tmp/postrider-6001) $same $(stat -c %U:%a $(dirname $where))
clean; ln -s /mnt/world/atk /var/tmp/postrider-6001; chown -h atk /var/tmp/postrider-6001
send vic HOME=/nonexistent
echo planted-link $status $said $(count /mnt/world/atk)
clean; chmod 755 /var/tmp
send vic HOME=/nonexistent
echo no-place $status$loud $said
mta=/mnt/later; printf '#!/bin/sh\nexit 75\n' >$mta; chmod 755 $mta
send vic HOME=/nonexistent
echo no-place-and-try-later $status$loud $said
mta=/bin/false
clean
send root HOME=/mnt/world/vic
echo sudo-E $status $said $where $(count /mnt/world/vic)
clean; mkdir -m 700 /mnt/world/vic/d; chown vic /mnt/world/vic/d
send root DEAD=/mnt/world/vic/d/letters
echo sudo-E-DEAD $status $said $where $(count /mnt/world/vic)
clean
as vic sh -c 'umask 077; : >/mnt/world/vic/dead.letter'
as vic flock /mnt/world/vic/dead.letter sleep 300 & holder=$!
while as vic flock -n /mnt/world/vic/dead.letter true; do :; done
send vic
kill $(pgrep -P $holder) $holder
case $where in /mnt/world/vic/dead.letter.*) where=own-file;; esac
echo no-lock $status $said $where $(stat -c %s /mnt/world/vic/dead.letter)
clean
as vic sh -c 'umask 022; : >/mnt/world/vic/dead.letter'
send vic
echo open-to-others $status $said $(stat -c %a /mnt/world/vic/dead.letter)
clean
as vic sh -c 'umask 077; mkdir /var/tmp/postrider-6001; ln -s x /var/tmp/postrider-6001/dead.letter'
send vic HOME=/nonexistent
echo link-in-our-place $status$loud $said
clean
send vic HOME=/nonexistent
again=$(echo '~d' | as vic HOME=/nonexistent $mailx -~ --dry-run -s s a@x.example 2>/dev/null)
echo inserted $(echo "$again" | grep -c SECRET)
"#;

#[test]
fn unsent_mail_was_not_kept_or_went_into_another_users_home() {
    let Some(text) = acted_out("unsent mail where others have planted", DEAD) else {
        return;
    };
    let expected = [
        "planted 69 2 0 found-again vic:700",
        "planted-link 69 1 0",
        // That no way out took it is worse than 73; that it may be tried later is not.
        "no-place 69-NOT-KEPT nowhere",
        "no-place-and-try-later 73-NOT-KEPT nowhere",
        "sudo-E 69 1 /root/dead.letter 0",
        "sudo-E-DEAD 69 1 /root/dead.letter 0",
        "no-lock 69 1 own-file 0",
        "open-to-others 69 1 600",
        "link-in-our-place 69 1",
        "inserted 1",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

/// Root's mailbox under the names of vic's journal, as a member of the spool's group can rename it.
/// A row is `name left-in-vics-mailbox left-of-roots`.
const RENAMED: &str = r#"
letters() {
    for i in $(seq $1); do printf 'From u@x Mon Jan  1 10:00:00 2024\nFrom: u@x\n\nBODY\n\n'; done
}
for name in .vic.postrider-journal .vic.postrider-journal.new; do
    rm -rf /var/mail/* /var/mail/.vic*; chown root:mail /var/mail; chmod 2775 /var/mail
    letters 3 >/var/mail/vic; chown vic:vic /var/mail/vic; chmod 660 /var/mail/vic
    letters 5 >/var/mail/root; chmod 600 /var/mail/root
    as atk mv /var/mail/root /var/mail/$name
    printf 'd 1\nq\n' | as root $mailx -N -f /var/mail/vic >/dev/null
    echo $name $(grep -c '^From ' /var/mail/vic) $(cat /var/mail/$name.* | grep -c '^From ')
done
"#;

#[test]
fn a_mailbox_that_another_user_had_renamed_was_removed_as_a_journal() {
    let Some(text) = acted_out("a mailbox under a journal's name", RENAMED) else {
        return;
    };
    let expected = [
        ".vic.postrider-journal 2 5",
        ".vic.postrider-journal.new 2 5",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}
