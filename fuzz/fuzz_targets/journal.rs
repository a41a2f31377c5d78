//! The journal of a rewrite: whatever is in it, opening and completing end, nothing panics, a
//! reader sees what the completion then writes, and no byte before the first changed one is lost.
#![no_main]

use std::fs;
use std::hash::Hasher;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use postrider::mailbox::{CommitOptions, Journals, LockOptions, Mailbox, Notice, recover};
use twox_hash::XxHash3_64;

/// Where the header starts, and the size to which it is aligned.
const HEADER_AT: usize = 40;
const BLOCK: usize = 4096;

const MAILBOX: &str = "From a Mon Nov 16 09:00:00 2026\nTo: a\n\nbody\n\n\
    From b Mon Nov 16 09:00:01 2026\nTo: b\nStatus: O\n\nbody\n\n\
    From c Mon Nov 16 09:00:02 2026\nTo: c\n\nbody\n\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((&len, rest)) = bytes.split_first() else {
        return;
    };
    // The first byte says how much is the header, the rest is the body and the mailbox's end.
    let (header, rest) = rest.split_at(usize::from(len).min(rest.len()));
    let (body, arrived) = rest.split_at(rest.len() - rest.len() / 4);
    let directory = tempfile::tempdir_in("/dev/shm").expect("a directory");
    let path = directory.path().join("mbox");
    let mailbox = [MAILBOX.as_bytes(), arrived].concat();
    fs::write(&path, &mailbox).expect("written");
    write_journal(directory.path(), &path, header, body);

    let journals = Journals::default();
    let options = CommitOptions {
        lock: LockOptions {
            patience: Duration::ZERO,
            helper: None,
            ..LockOptions::default()
        },
        journals: &journals,
        removes_empty: false,
    };
    let seen = Mailbox::open(&path, &journals, &mut |_, _, _| {});
    let seen = seen.map(|mailbox| {
        let messages = 0..mailbox.messages().len();
        let bytes: Vec<_> = messages.map(|index| mailbox.read(index).ok()).collect();
        (mailbox.size(), bytes)
    });
    let Ok(notices) = recover(&path, &options) else {
        return;
    };
    let after = fs::read(&path).expect("read");
    if notices.is_empty() {
        assert_eq!(after, mailbox);
        return;
    }
    if let (Ok((size, bytes)), true) = (seen, notices.contains(&Notice::Completed)) {
        // An append that was not finished is left out by the reader, and cut by the writer.
        assert!(size >= after.len() as u64);
        let completed = Mailbox::open(&path, &journals, &mut |_, _, _| {}).expect("a mailbox");
        let messages = 0..completed.messages().len();
        let found: Vec<_> = messages.map(|index| completed.read(index).ok()).collect();
        assert_eq!(bytes, found);
    }
});

/// Writes a journal whose frame is right, so that the fuzzer need not guess hashes and inodes.
fn write_journal(directory: &Path, mailbox: &Path, header: &[u8], body: &[u8]) {
    let inode = fs::metadata(mailbox).expect("there").ino();
    let name = mailbox.as_os_str().as_encoded_bytes();
    // kind, device | inode | sizes, start, hashes | path | the rest
    let mut fields = header.to_vec();
    fields.resize(fields.len().max(57), 0);
    fields[9..17].copy_from_slice(&inode.to_le_bytes());
    for number in [17, 25, 33] {
        // Small numbers reach further.
        fields[number + 2..number + 8].fill(0);
    }
    let start = u64::from_le_bytes(fields[33..41].try_into().expect("eight"));
    let before = fs::read(mailbox).expect("read");
    let prefix = before.get(..start as usize).unwrap_or(&[]);
    fields[41..49].copy_from_slice(&XxHash3_64::oneshot(prefix).to_le_bytes());
    let mut whole = fields[..57].to_vec();
    whole.extend_from_slice(&(name.len() as u16).to_le_bytes());
    whole.extend_from_slice(name);
    // The samples of the second format; a mailbox this small is in them whole.
    let has_witness = fields[1] & 2 != 0;
    if has_witness {
        let [old, new] =
            [17, 25].map(|at| u64::from_le_bytes(fields[at..at + 8].try_into().expect("eight")));
        for size in [old, new.min(old)] {
            let mut samples = before.clone();
            samples.resize(size.min(2048) as usize, b'x');
            whole.extend_from_slice(&(samples.len() as u16).to_le_bytes());
            whole.extend_from_slice(&samples);
        }
    }
    let mut tail = fields[57..].to_vec();
    let old = u64::from_le_bytes(fields[17..25].try_into().expect("eight"));
    let new = u64::from_le_bytes(fields[25..33].try_into().expect("eight"));
    let sample = match new < old {
        true => before.get(new as usize..old as usize),
        false => before.get(start as usize..old as usize),
    };
    whole[49..57].copy_from_slice(&XxHash3_64::oneshot(sample.unwrap_or(&[])).to_le_bytes());
    let mut body = body.to_vec();
    if fields[0] == 1 {
        tail.resize(tail.len().max(8), 0);
        tail[..8].copy_from_slice(&XxHash3_64::oneshot(&body).to_le_bytes());
    } else if body.len() >= 32 {
        let len = u64::from_le_bytes(body[16..24].try_into().expect("eight")) % 64;
        body[16..24].copy_from_slice(&len.to_le_bytes());
        body[..8].fill(0);
        body.resize(body.len().max(32 + len as usize), 0);
        let mut hasher = XxHash3_64::with_seed(0);
        hasher.write(&body[..24]);
        hasher.write(&body[32..32 + len as usize]);
        body[24..32].copy_from_slice(&hasher.finish().to_le_bytes());
    }
    whole.extend_from_slice(&tail);
    let mut text = match has_witness {
        false => b"postrider redo 1".to_vec(),
        true => b"postrider redo 2".to_vec(),
    };
    text.extend_from_slice(match fields[1] & 1 {
        0 => &[0; 8],
        _ => b"resizing",
    });
    text.extend_from_slice(&(whole.len() as u32).to_le_bytes());
    text.extend_from_slice(&[0; 4]);
    text.extend_from_slice(&XxHash3_64::oneshot(&whole).to_le_bytes());
    assert_eq!(text.len(), HEADER_AT);
    text.extend_from_slice(&whole);
    text.resize(text.len().next_multiple_of(BLOCK), 0);
    text.extend_from_slice(&body);
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(directory.join(".mbox.postrider-journal"))
        .expect("made");
    file.write_all(&text).expect("written");
}
