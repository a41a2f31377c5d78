//! The loops that runs go through, each alone: the scanner of an mbox, the dialect of a command line,
//! the header of a message, the text of an HTML mail.
//!
//! `cargo bench` tells after a change which of them became slower; whether the program is fast
//! enough is what `compare.py` asks.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use postrider::door::{Probe, normalise};
use postrider::mailbox::{Journals, Mailbox};
use postrider::message::plain_of_html;
use postrider::message::premade::{PremadeHeader, Reading};

/// How many messages the mailbox has: some 6 MB, read from the page cache.
const MESSAGES: usize = 5_000;

/// Returns a message as cron sends them, with the lines that make a scanner look twice.
fn message(number: usize) -> String {
    let mut text = format!(
        "From root@host.example Mon Nov 16 09:00:{:02} 2026\n\
         Return-Path: <root@host.example>\nFrom: root@host.example (Cron Daemon)\n\
         To: ops@host.example\nSubject: Cron <root@host> /usr/local/sbin/backup {number}\n\
         MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n\
         Content-Transfer-Encoding: 8bit\nX-Cron-Env: <SHELL=/bin/sh>\n\
         Message-Id: <{number}@host.example>\nDate: Mon, 16 Nov 2026 09:00:00 +0000 (UTC)\n\n",
        number % 60
    );
    for line in 0..12 {
        let _ = writeln!(
            text,
            "saved /srv/data/{line}/größe.tar in {number} s, 0 errors"
        );
    }
    text.push_str("From here on all is well\n>From the log\n\n");
    text
}

fn scanner(criterion: &mut Criterion) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    let text: String = (0..MESSAGES).map(message).collect();
    file.write_all(text.as_bytes()).expect("room for it");
    let journals = Journals::default();
    let mut group = criterion.benchmark_group("scanner");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("mbox", |bencher| {
        bencher.iter(|| {
            let mailbox = Mailbox::open_index(file.path(), &journals).expect("a mailbox");
            assert_eq!(mailbox.messages().len(), MESSAGES);
        });
    });
    group.finish();
}

fn dialect(criterion: &mut Criterion) {
    let probe = Probe {
        is_file: &|name: &OsStr| name == "/etc/motd",
        is_command: &|_| false,
        posixly_correct: false,
    };
    let line = "-n -s Backup -r backup@example.com -a /etc/motd -S smtp=mail.example.com \
                --cc=a@example.com -b b@example.com ops@example.com root";
    let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    criterion.bench_function("dialect", |bencher| {
        bencher.iter(|| normalise(black_box(&words), &probe).expect("a command line"));
    });
}

fn header(criterion: &mut Criterion) {
    let text = message(1).into_bytes();
    let mut group = criterion.benchmark_group("header");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("fields", |bencher| {
        bencher.iter(|| {
            let header = PremadeHeader::read(black_box(&text), Reading::default());
            let header = header.expect("bytes in memory are read");
            assert!(header.contains("content-type") && !header.contains("bcc"));
        });
    });
    group.finish();
}

/// Returns a document as shops and build servers send them.
fn document(rows: usize) -> String {
    let mut html = String::from(
        "<!DOCTYPE html><html><head><title>x</title><style>p { color: red }</style></head><body>",
    );
    for row in 0..rows {
        let _ = write!(
            html,
            "<table border=\"0\" cellpadding=\"0\" style=\"width: 100%; font-size: 14px\"><tr>\
             <td style=\"padding: 4px\">unit {row}</td><td align=\"right\">{row}&nbsp;kB</td></tr></table>\n\
             <div class=\"text\">Gr&ouml;&szlig;e of <b>the unit</b> since <a \
             href=\"https://host.example/units/{row}?a=1&amp;b=2\">yesterday</a>, in words that fill \
             a line and a half of a terminal, as they do in most mails.</div><p>&nbsp;</p>\n"
        );
    }
    html
}

fn html(criterion: &mut Criterion) {
    let text = document(1_000);
    let mut group = criterion.benchmark_group("html");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("text", |bencher| {
        bencher.iter(|| {
            let plain = plain_of_html(black_box(text.as_bytes()), Some("utf-8"));
            assert!(plain.contains("[1000] https://host.example/units/999?a=1&b=2"));
        });
    });
    group.finish();
}

criterion_group! {
    name = hot;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    targets = scanner, dialect, header, html
}
criterion_main!(hot);
