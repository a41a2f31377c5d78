//! The pictures that HTML names: references stand in order, and no byte beside them changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use postrider::message::{PictureReferences, PictureTarget, with_urls};

fuzz_target!(|html: &[u8]| {
    let found = PictureReferences::of(html).found;
    let mut at = 0;
    for reference in &found {
        assert!(at <= reference.place.start && reference.place.start < reference.place.end);
        at = reference.place.end;
        if let PictureTarget::Path(path) = PictureTarget::of(&reference.url) {
            assert!(!path.starts_with(b"//") || reference.url.contains(&b'%'));
        }
    }
    assert!(at <= html.len());
    let urls: Vec<_> = found.iter().map(|r| (r.place.clone(), "cid:z".to_owned())).collect();
    let changed = with_urls(html, &urls);
    let removed: usize = found.iter().map(|r| r.place.len()).sum();
    assert_eq!(changed.len(), html.len() - removed + "cid:z".len() * found.len());
    // The markup around each reference is what it was.
    let again = PictureReferences::of(&changed).found;
    assert_eq!(again.len(), found.len());
    assert!(again.iter().all(|reference| reference.url == b"cid:z"));
});
