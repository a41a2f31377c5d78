//! Messages that somebody else composed: what leaves fits its wire, whatever came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postrider::message::Wire;
use postrider::message::premade::{self, PremadeHeader, Reading};

fuzz_target!(|bytes: &[u8]| {
    let source = bytes.to_vec();
    for comments in [false, true] {
        let header = PremadeHeader::read(&source, Reading { comments }).expect("memory");
        assert!(header.body_offset() <= source.len() as u64);
        for field in header.iter() {
            assert!(field.raw().starts_with(field.name().as_bytes()));
            assert!(field.raw().ends_with(b"\n"));
            assert!(!field.value().contains(&b'\n'));
            assert!(header.count(field.name()) > 0);
        }
        for wire in [Wire::SevenBit, Wire::EightBit] {
            check(&header, &source, wire);
        }
    }
});

fn check(header: &PremadeHeader, source: &Vec<u8>, wire: Wire) {
    let mut out = Vec::new();
    let changes = premade::write(header, source, wire, &mut out).expect("memory");
    if !has_sealed_parts(source) {
        assert!(out.split(|&b| b == b'\n').all(|line| line.len() <= 998));
        assert!(!out.contains(&b'\r') && !out.contains(&0));
    }
    if wire == Wire::SevenBit {
        assert!(out.is_ascii() || changes.eight_bit_left);
    }
    // What has left holds the same fields, and needs no change the next time.
    let again = PremadeHeader::read(&out, Reading::default()).expect("memory");
    for field in header.iter() {
        let dropped = ["Content-Length", "Lines"].iter().any(|n| field.is(n));
        assert!(
            dropped || again.contains(field.name()),
            "{} is lost",
            field.name()
        );
    }
    // An address list with UTF-8 left in it may be nobody's list; all else is fit now.
    if out.is_ascii() && !has_sealed_parts(source) {
        let mut second = Vec::new();
        premade::write(&again, &out, wire, &mut second).expect("memory");
        assert_eq!(second, out);
    }
}

/// Returns whether there may be parts that nobody may touch, signed, encrypted or nested beyond the limit.
fn has_sealed_parts(source: &[u8]) -> bool {
    let text = String::from_utf8_lossy(source).to_ascii_lowercase();
    let nested = text.matches("multipart").count() + text.matches("message/").count();
    text.contains("signed") || text.contains("encrypted") || nested >= 32
}
