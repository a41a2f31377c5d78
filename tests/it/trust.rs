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
        .arg(crate::case::PROGRAM);
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
    let expected = |row: &[String]| match never_linked(row) {
        true => "kept",
        false => "written",
    };
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
