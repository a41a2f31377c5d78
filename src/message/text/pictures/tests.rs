use super::*;

fn urls(html: &str) -> Vec<String> {
    let found = PictureReferences::of(html.as_bytes()).found;
    let text = |r: &PictureReference| String::from_utf8_lossy(&r.url).into_owned();
    found.iter().map(text).collect()
}

#[test]
fn what_readers_of_mail_show_is_found_and_nothing_else() {
    let table: &[(&str, &[&str])] = &[
        ("<img src=\"a.png\">", &["a.png"]),
        ("<IMG\nALT='x>y' SRC = 'a.png' />", &["a.png"]),
        ("<img src=a.png>", &["a.png"]),
        ("<img src=a.png/>", &["a.png/"]),
        ("<img/src=a.png/**/>", &["a.png/**/"]),
        ("<img src=\" a.png\n\">", &["a.png"]),
        ("<img src=a&amp;b.png>", &["a&b.png"]),
        ("<img src='a&#x2f;b&#46;png'>", &["a/b.png"]),
        ("<img src='a&b.png&amp'>", &["a&b.png&amp"]),
        ("<img src=1.png src=2.png>", &["1.png"]),
        ("<img data-src=x.png src=1.png>", &["1.png"]),
        ("<img src=\"\"><img src><img src=>", &[]),
        (
            "<img srcset='a.png, b.png 2x,c.png 3x' src=d.png>",
            &["a.png", "b.png", "c.png", "d.png"],
        ),
        (
            "<source srcset='data:image/png;base64,AA= 1x, b.png (x, y), c.png'>",
            &["data:image/png;base64,AA=", "b.png", "c.png"],
        ),
        ("<input type=IMAGE src=a.png>", &["a.png"]),
        ("<input type=text src=a.png>", &[]),
        (
            "<video poster=a.png src=b.mp4><source src=c.mp4></video>",
            &["a.png"],
        ),
        (
            "<td background='a.png'><tr background=b.png>",
            &["a.png", "b.png"],
        ),
        ("<div background=a.png>", &[]),
        ("<p style=\"background:url(a.png)\">", &["a.png"]),
        ("<p style='background: URL( \"a b.png\" )'>", &["a b.png"]),
        (
            "<p style=\"background:url(&quot;a.png&quot;)\">",
            &["a.png"],
        ),
        (
            "<style>/* url(x.png) */ a{b:url(a.png)} c{content:'url(x.png)'; d:url('b.png')}</style>",
            &["a.png", "b.png"],
        ),
        ("<style>a{b:url(a\\2epng)} c{d:url(\"open.png</style>", &[]),
        ("<!-- <img src=x.png> --><img src=a.png>", &["a.png"]),
        ("<!--><img src=a.png>", &["a.png"]),
        ("<!-- <img src=x.png>", &[]),
        (
            "<!doctype html \"x\"><?xml ?></ ><img src=a.png>",
            &["a.png"],
        ),
        (
            "<script>'<img src=x.png>'</script ><img src=a.png>",
            &["a.png"],
        ),
        ("<script><img src=x.png></scripts>", &[]),
        (
            "<textarea><img src=x.png></textarea><title><img src=x.png></title>",
            &[],
        ),
        (
            "<iframe src=x.html></iframe><embed src=x.png><object data=x.png>",
            &[],
        ),
        (
            "<link rel=icon href=x.png><a href=x.png><script src=x.png></script>",
            &[],
        ),
        ("<svg><image href=x.png></svg>", &[]),
        ("<img src=\"a.png", &[]),
        ("<img src=a.png", &[]),
        ("a < b <img src=a.png> > c", &["a.png"]),
        ("</img src=x.png><img src=a.png>", &["a.png"]),
    ];
    for (html, expected) in table {
        assert_eq!(urls(html), *expected, "{html}");
    }
    assert!(PictureReferences::of(b"<base href='https://x/'>").has_base);
    assert!(!PictureReferences::of(b"<base target=x>").has_base);
}

#[test]
fn what_a_url_names() {
    use PictureTarget::{Elsewhere, OneComputer};
    let path = |text: &str| PictureTarget::Path(text.as_bytes().to_vec());
    let part = |text: &str| PictureTarget::Part(text.as_bytes().to_vec());
    let table = [
        ("logo.png", path("logo.png")),
        ("./logo.png?v=1", path("./logo.png")),
        ("logo.png#top?x", path("logo.png")),
        ("a%20b%2epng", path("a b.png")),
        ("100%.png", path("100%.png")),
        ("100%25.png", path("100%.png")),
        ("%252e%252e/x.png", path("%2e%2e/x.png")),
        ("%2e%2e/x.png", path("../x.png")),
        ("..%2fx.png", path("../x.png")),
        ("a%00.png", path("a\0.png")),
        ("img\\logo.png", path("img/logo.png")),
        ("..\\x.png", path("../x.png")),
        ("img%5Clogo.png", path("img\\logo.png")),
        ("/etc/shadow", path("/etc/shadow")),
        ("\\etc\\shadow", path("/etc/shadow")),
        ("%2fetc/shadow", path("/etc/shadow")),
        ("lo\ngo\t.png", path("logo.png")),
        ("//host/logo.png", Elsewhere),
        ("\\\\host\\logo.png", Elsewhere),
        ("https://x.example/a.png", Elsewhere),
        ("HTTP:a.png", Elsewhere),
        ("data:image/png;base64,AA==", Elsewhere),
        ("java\nscript:x", Elsewhere),
        ("about:blank", Elsewhere),
        ("#top", Elsewhere),
        ("?x", Elsewhere),
        ("file:///etc/shadow", OneComputer),
        ("FILE:a.png", OneComputer),
        ("C:\\logo.png", OneComputer),
        ("cid:logo.png", part("logo.png")),
        ("CID:a%20b.png", part("a b.png")),
        ("./a:b.png", path("./a:b.png")),
        ("1:b.png", path("1:b.png")),
    ];
    for (url, expected) in table {
        assert_eq!(PictureTarget::of(url.as_bytes()), expected, "{url}");
    }
}

#[test]
fn only_pictures_are_pictures() {
    let bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0";
    for (start, expected) in [
        (&b"\x89PNG\r\n\x1a\n\0"[..], Some("image/png")),
        (b"GIF89a", Some("image/gif")),
        (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
        (b"RIFF\x01\0\0\0WEBPVP8 ", Some("image/webp")),
        (bmp, Some("image/bmp")),
        (b"BMW drivers: a list of them\n", None),
        (b"RIFF\x01\0\0\0WAVEfmt ", None),
        (b"%PDF-1.7", None),
        (b"PK\x03\x04", None),
        (b"root:$6$salt$hash:19000:0:99999:7:::\n", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"-----BEGIN OPENSSH PRIVATE KEY-----", None),
        (b"", None),
    ] {
        let found = picture_type(start).map(|found| found.to_string());
        assert_eq!(found.as_deref(), expected);
    }
    for (name, is_picture) in [
        ("a.png", true),
        ("img/A.JPEG", true),
        ("a.svg", false),
        ("a", false),
        ("png", false),
        ("a.png/b", false),
        ("a.png.key", false),
    ] {
        assert_eq!(is_picture_name(name.as_bytes()), is_picture, "{name}");
    }
}

#[test]
fn hostile_html_costs_no_more_than_its_length() {
    for start in [
        "<",
        "<a",
        "<!--",
        "<a b='",
        "</",
        "<script>",
        "</script",
        "<style>url('",
        "<img src=",
        "<img srcset='",
        "<p style='url(",
        "<p style=\"/*",
        "& ",
        "<a b",
        "<!-- -",
        "<img src='&#x41;'>",
    ] {
        PictureReferences::of(start.repeat(100_000).as_bytes());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::default()
    })]

    #[test]
    fn no_byte_but_those_of_a_reference_changes(
        html in "(<img |<style>|</style>|<p style=|<source |src=|srcset=|background=|url\\(|[\"'<>=, ()\\\\/]|&amp;|&#65;|&ouml;|a\\.png|cid:x|ö|\n|<!--|-->){0,60}",
    ) {
        let html = html.as_bytes();
        let found = PictureReferences::of(html).found;
        let as_it_was: Vec<_> = found
            .iter()
            .map(|r| (r.place.clone(), String::from_utf8(html[r.place.clone()].to_vec()).unwrap()))
            .collect();
        proptest::prop_assert_eq!(with_urls(html, &as_it_was), html);
        let changed: Vec<_> = found.iter().map(|r| (r.place.clone(), "cid:z".to_owned())).collect();
        let changed = with_urls(html, &changed);
        // Each one is found again at its place, so the markup around it is what it was.
        let again = PictureReferences::of(&changed).found;
        proptest::prop_assert_eq!(again.len(), found.len());
        proptest::prop_assert!(again.iter().all(|r| r.url == b"cid:z"));
    }
}
