//! Pictures in HTML: what `--html FILE` takes along, what `cid:NAME` shows, and what a page that is
//! made of foreign data can never send.

use std::fs::File;
use std::io::{Seek, Write};

use mail_parser::{Message, MessageParser, MimeHeaders, PartType};

use crate::case::{Case, Ran};
use crate::lines::Line;
use crate::sendmail::FakeSendmail;

const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0 \r\n.\r\nFrom here\xff";
const GIF: &[u8] = b"GIF89a\x01\0\x01\0\0\0\0;";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\xff\xd9";
const BMP: &[u8] = b"BM\x1e\0\0\0\0\0\0\0\x1a\0\0\0\x0c\0\0\0\x01\0\x01\0\x01\0\x18\0\0\0\xff\0";
const WEBP: &[u8] = b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0";
const SECRET: &str = "root:$6$salt$hash:19000:0:99999:7:::\n";

/// Returns a mail with this page and, beside it, pictures of each kind.
fn page(html: impl AsRef<[u8]>) -> Case {
    Case::send(["-s", "t", "--html", "page.html", "ops@x.org"])
        .sendmail(FakeSendmail::accepting())
        .stdin("the text\n")
        .directory("cwd/img")
        .file("cwd/page.html", html)
        .file("cwd/logo.png", PNG)
        .file("cwd/img/a.gif", GIF)
        .file("cwd/img/b c.JPG", JPEG)
        .file("cwd/d.bmp", BMP)
        .file("cwd/größe.webp", WEBP)
}

/// Shows the structure of a message, with the names of files.
fn outline(message: &Message<'_>, id: usize) -> String {
    let part = &message.parts[id];
    let content_type = part.content_type().expect("a type");
    let subtype = content_type.subtype().unwrap_or_default();
    if let PartType::Multipart(parts) = &part.body {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| outline(message, *part as usize))
            .collect();
        return format!("{subtype}({})", parts.join(" "));
    }
    match part.attachment_name() {
        Some(name) => format!("{subtype}={name}"),
        None => subtype.to_owned(),
    }
}

/// A message as its recipient has it.
struct Got {
    outline: String,
    html: String,
    /// Content-ID, name, and bytes of each part that has a Content-ID.
    shown: Vec<(String, String, Vec<u8>)>,
}

impl Got {
    fn of(ran: &Ran) -> Got {
        let letter = ran.call().letter();
        letter.assert_fit_for_the_wire();
        let message = MessageParser::default()
            .parse(&letter.bytes)
            .expect("a message");
        let shown = message.parts.iter().filter_map(|part| {
            let id = part.content_id()?.to_owned();
            let disposition = part.content_disposition().expect("a disposition");
            assert_eq!(disposition.ctype(), "inline");
            let name = part.attachment_name().unwrap_or_default().to_owned();
            Some((id, name, part.contents().to_vec()))
        });
        // By the part and not by `body_html`, which may be made of the text.
        let html = message.parts.iter().find_map(|part| match &part.body {
            PartType::Html(html) if part.attachment_name().is_none() => Some(html.to_string()),
            _ => None,
        });
        Got {
            outline: outline(&message, 0),
            html: html.unwrap_or_default(),
            shown: shown.collect(),
        }
    }

    /// Returns the HTML with the names of the pictures for their identifiers.
    fn named(&self) -> String {
        self.shown
            .iter()
            .fold(self.html.clone(), |html, (id, name, _)| {
                html.replace(&format!("cid:{id}"), &format!("[{name}]"))
            })
    }
}

#[test]
fn a_page_takes_its_pictures_along_and_no_other_byte_of_it_changes() {
    let html = "<!DOCTYPE html>\r\n<html><head><style>body{background:url(logo.png)}\
        @font-face{src:url(x.woff)} @import url(\"x.css\");</style><script src=x.js></script></head>\n\
        <body background='img/a.gif'><p>Größe \t&amp; &nbsp;<img alt='x' src=\"logo.png\"/>\n\
        <IMG SRC=./logo.png?v=1#top><img src='img/b%20c.JPG'><img src=\"img\\b c.JPG\">\n\
        <input type=image src=d.bmp><input type=text src=x.png><img srcset='d.bmp 2x, logo.png'>\n\
        <video poster=gr&#xf6;&szlig;e.webp src=x.mp4></video><img src=''><img src='#a'>\n\
        <td style='background:url(\"img/./a.gif\")'><img src=https://x.org/x.png><img src=//x.org/x.png>\n\
        <img src='data:image/png;base64,AA=='><!-- <img src=x.png> --><a href=x.png>x</a><svg><image href=x.png></svg>\n";
    let ran = page(html).run();
    let got = Got::of(&ran);
    assert_eq!(
        got.outline,
        "alternative(plain related(html png=logo.png gif=a.gif jpeg=b c.JPG bmp=d.bmp webp=größe.webp))"
    );
    let expected = html
        .replace("url(logo.png)", "url([logo.png])")
        .replace("'img/a.gif'", "'[a.gif]'")
        .replace("\"logo.png\"", "\"[logo.png]\"")
        .replace("./logo.png?v=1#top", "[logo.png]")
        .replace("'img/b%20c.JPG'", "'[b c.JPG]'")
        .replace("\"img\\b c.JPG\"", "\"[b c.JPG]\"")
        .replace("image src=d.bmp", "image src=[d.bmp]")
        .replace("'d.bmp 2x, logo.png'", "'[d.bmp] 2x, [logo.png]'")
        .replace("gr&#xf6;&szlig;e.webp", "[größe.webp]")
        .replace("\"img/./a.gif\"", "\"[a.gif]\"");
    // Transfer encodings of text have one kind of line end, and the page has two.
    assert_eq!(
        got.named().replace("\r\n", "\n"),
        expected.replace("\r\n", "\n")
    );
    let bytes: Vec<&[u8]> = got.shown.iter().map(|(_, _, bytes)| &**bytes).collect();
    assert_eq!(bytes, [PNG, GIF, JPEG, BMP, WEBP]);
    for (index, (id, _, _)) in got.shown.iter().enumerate() {
        assert!(id.contains('@'), "{id}");
        assert!(got.shown[..index].iter().all(|(other, _, _)| other != id));
    }
}

#[test]
fn what_a_page_of_foreign_data_names_is_never_sent_unless_it_is_a_picture_beside_it() {
    let outside = "it is outside the directory of the HTML file";
    let absolute = "it is an absolute path";
    let absolute_link = "it is a link to an absolute path";
    let parent = "its path contains \"..\"";
    let not_named = "its name does not end in .png";
    let no_picture = "it is not a picture";
    let table: &[(&str, &str)] = &[
        ("/etc/shadow", absolute),
        ("/etc/shadow?x.png", absolute),
        ("[DIR]/cwd/logo.png", absolute),
        ("%2fetc/shadow.png", absolute),
        ("&#47;etc/shadow", absolute),
        ("\\etc\\shadow", absolute),
        ("../home/secret.png", parent),
        ("img/../logo.png", parent),
        ("img/../../home/picture.png", parent),
        ("..\\home\\picture.png", parent),
        ("%2e%2e/home/picture.png", parent),
        ("..%2Fhome%2Fpicture.png", parent),
        ("&#46;&#46;&#x2f;home/picture.png", parent),
        (".\n./home/picture.png", parent),
        ("out.png", absolute_link),
        ("img/up.png", outside),
        ("tree/home/picture.png", outside),
        ("root/etc/shadow.png", absolute_link),
        ("loop.png", "Too many"),
        ("dangling.png", "No such file"),
        ("missing.png", "No such file"),
        ("logo.png/x.png", "Not a directory"),
        ("a%00.png", "its name contains a NUL"),
        ("logo.png%00", "its name contains a NUL"),
        ("lo&#0;go.png", "No such file or directory"),
        ("secret", not_named),
        ("secret.txt", not_named),
        ("key.png.pem", not_named),
        ("logo.svg", not_named),
        ("page.html", not_named),
        ("secret.png", no_picture),
        ("disguised.png", no_picture),
        ("empty.png", no_picture),
        ("bm.bmp", no_picture),
        ("dir.png", "it is a directory"),
        ("fifo.png", "it is not a regular file"),
        ("null.png", absolute_link),
        ("logo.png%3Fv=1", not_named),
        ("..png", "No such file"),
        ("~/picture.png", "No such file"),
        ("$HOME/picture.png", "No such file"),
        ("-.png", "No such file"),
        ("|id.png", "No such file"),
        ("http.png", "No such file"),
    ];
    for (url, why) in table {
        let mut case = page("")
            .file("home/secret.png", SECRET)
            .file("home/picture.png", PNG);
        for name in ["secret", "secret.txt", "secret.png", "key.png.pem"] {
            case = case.file(&format!("cwd/{name}"), SECRET);
        }
        case = case
            .file("cwd/logo.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
            .link("cwd/disguised.png", "secret.txt")
            .file("cwd/empty.png", "")
            .file("cwd/bm.bmp", "BM: the minutes of our meeting on Monday\n")
            .directory("cwd/dir.png")
            .fifo("cwd/fifo.png")
            .link("cwd/null.png", "/dev/null")
            .link("cwd/out.png", "[DIR]/home/picture.png")
            .link("cwd/img/up.png", "../../home/picture.png")
            .link("cwd/tree", "..")
            .link("cwd/root", "/")
            .link("cwd/loop.png", "loop.png")
            .link("cwd/dangling.png", "nowhere.png");
        let url = url.replace("[DIR]", &case.path("").to_string_lossy());
        let case = case
            .file(
                "cwd/page.html",
                format!("<p>{SECRET}<img src=\"{url}\"></p>\n"),
            )
            .status(66)
            .says("cannot attach the picture ")
            .hints("attach it with --attach")
            .keeps(1);
        let ran = case.run();
        assert!(ran.stderr().contains(why), "{url}: {}", ran.stderr());
        ran.nothing_sent();
        let dead = ran.dead();
        assert_eq!(dead[0].text(), "the text\n", "{url}");
        assert!(!dead[0].head().contains("image/"), "{url}");
    }
}

#[test]
fn what_is_elsewhere_is_left_alone_byte_for_byte() {
    for url in [
        "http://x.org/a.png",
        "HTTPS://x.org/../a.png",
        "//x.org/etc/shadow.png",
        "\\\\x.org\\a.png",
        "data:image/gif;base64,R0lGODlh",
        "blob:x",
        "about:blank",
        "javascript:x",
        "#logo.png",
        "?logo.png",
        "",
        " ",
    ] {
        let html = format!("<img src=\"{url}\">\n");
        let got = Got::of(&page(&html).run());
        assert_eq!((&*got.outline, got.html), ("alternative(plain html)", html));
    }
    for url in [
        "file:///etc/shadow",
        "file:logo.png",
        "C:\\logo.png",
        "c:/logo.png",
    ] {
        let html = format!("<img src=\"{url}\">\n");
        let got = Got::of(&page(&html).says("is not attached").run());
        assert_eq!((&*got.outline, got.html), ("alternative(plain html)", html));
    }
    let html = "<base href='https://x.org/'><img src=logo.png><img src=missing.png>\n";
    let got = Got::of(&page(html).says("page.html has a <base>").run());
    assert_eq!(
        (&*got.outline, &*got.html),
        ("alternative(plain html)", html)
    );
}

#[test]
fn links_are_followed_below_the_directory() {
    let case = page("<img src=same.png><img src=pictures/a.gif><img src=logo.png>\n")
        .link("cwd/same.png", "logo.png")
        .link("cwd/pictures", "img");
    let got = Got::of(&case.run());
    assert_eq!(
        got.outline,
        "alternative(plain related(html png=same.png gif=a.gif))"
    );
    assert_eq!(
        got.named(),
        "<img src=[same.png]><img src=[a.gif]><img src=[same.png]>\n"
    );
    // The page is where its name says, wherever that leads.
    let case = page("")
        .directory("cwd/report")
        .link("cwd/latest", "report")
        .file("cwd/report/page.html", "<img src=a.png>\n")
        .file("cwd/report/a.png", PNG)
        .args(["--html", "latest/page.html"]);
    let got = Got::of(&case.run());
    assert_eq!(got.outline, "alternative(plain related(html png=a.png))");
}

#[test]
fn html_that_comes_from_a_program_takes_nothing_along() {
    let html = "<p>x <img src=logo.png> <img src=../home/x.png> <img src=missing.png></p>\n";
    for (line, expected) in [
        (
            "cat page.html | mailx -s t --html - u@x.org",
            "alternative(plain html)",
        ),
        (
            "postrider send --html - --subject t u@x.org <page.html",
            "alternative(plain html)",
        ),
        (
            "mailx -s t --html /dev/stdin u@x.org <page.html",
            "alternative(plain html)",
        ),
        (
            "cat page.html | mailx -s t --html /dev/stdin u@x.org",
            "alternative(plain html)",
        ),
        ("mailx -s t -M text/html u@x.org <page.html", "html"),
        ("mailx -s t -M html u@x.org <page.html", "html"),
        ("mailx -s t -m page.html u@x.org", "html"),
        (
            "mail -s t -a 'Content-Type: text/html' u@x.org <page.html",
            "html",
        ),
    ] {
        let ran = Line::new(line)
            .file("page.html", html)
            .file("logo.png", PNG)
            .with(|case| case.any_stderr())
            .run_any();
        let got = Got::of(&ran);
        assert_eq!((&*got.outline, &*got.html), (expected, html), "{line}");
    }
}

#[test]
fn a_cid_shows_a_file_that_is_attached_by_the_same_command() {
    let table = [
        // The name is the identifier: the HTML stays as it is.
        (
            "mailx -M text/html -a logo.png u@x.org",
            "<img src=cid:logo.png>\n",
            "related(html png=logo.png)",
        ),
        (
            "mailx --html - -a logo.png u@x.org",
            "<img src='CID:logo.png'>\n",
            "alternative(plain related(html png=logo.png))",
        ),
        (
            "mailx --html - -a logo.png -a notes.txt u@x.org",
            "<td background=cid:logo.png>\n",
            "mixed(alternative(plain related(html png=logo.png)) plain=notes.txt)",
        ),
        (
            "mailx -M html -a notes.txt -a logo.png u@x.org",
            "<p style='background:url(cid:logo.png)'>\n",
            "mixed(related(html png=logo.png) plain=notes.txt)",
        ),
        (
            "mailx -M html -a logo.png u@x.org",
            "<img src=cid:logo%2Epng>\n",
            "related(html png=logo.png)",
        ),
        (
            "mailx -m page.html -a logo.png u@x.org",
            "<img src=cid:logo.png>\n",
            "related(html png=logo.png)",
        ),
        (
            "mail -M html --content-name=chart --content-type=image/png -A logo.png u@x.org",
            "<img src=cid:chart>\n",
            "related(html png=chart)",
        ),
        (
            "mailx --html page.html -a logo.png u@x.org </dev/null",
            "<img src=cid:logo.png>\n",
            "alternative(plain related(html png=logo.png))",
        ),
        // No identifier can hold a blank.
        (
            "mailx -M html -a 'a b.png' u@x.org",
            "<img src='cid:a%20b.png'>\n",
            "related(html png=a b.png)",
        ),
        // Attached and not shown.
        (
            "mailx -M html -a logo.png u@x.org",
            "<p>no picture</p>\n",
            "mixed(html png=logo.png)",
        ),
        // A text shows nothing.
        (
            "mailx -a logo.png u@x.org",
            "<img src=cid:logo.png>\n",
            "mixed(plain png=logo.png)",
        ),
    ];
    for (line, html, expected) in table {
        let ran = Line::new(line)
            .file("page.html", html)
            .file("logo.png", PNG)
            .file("a b.png", PNG)
            .file("notes.txt", "notes\n")
            .with(|case| case.stdin(html).any_stderr())
            .run_any();
        let got = Got::of(&ran);
        assert_eq!(got.outline, expected, "{line}");
        if expected.contains("=a b.png") {
            assert_eq!(got.named(), "<img src='[a b.png]'>\n");
        } else if !expected.starts_with("mixed(plain") {
            assert_eq!(got.html, html, "{line}");
        }
        for (id, name, bytes) in &got.shown {
            assert_eq!(bytes, PNG, "{line}");
            assert!(id == name || name.contains(' '), "{line}");
        }
    }
    // An inline text would be one with the text of the message, and the file would be gone.
    let ran = Line::new("mailx -M html -a notes.txt u@x.org")
        .file("notes.txt", "notes\n")
        .with(|case| case.stdin("<img src=cid:notes.txt>\n"))
        .run_any();
    let letter = ran.call().letter();
    let text = String::from_utf8_lossy(&letter.bytes).into_owned();
    assert!(
        text.contains("\nContent-ID: <notes.txt>\nContent-Disposition: attachment;"),
        "{text}"
    );
    // Foreign HTML must not be able to stop a mail: told, and sent.
    for html in ["<img src=cid:missing.png>\n", "<img src=cid:/etc/shadow>\n"] {
        let case = page(html).says("but no attached file has that name");
        let got = Got::of(&case.run());
        assert_eq!(
            (&*got.outline, &*got.html),
            ("alternative(plain html)", html)
        );
    }
}

#[test]
fn standard_input_is_the_html_or_an_attachment() {
    Case::send(["--html", "-", "-a", "-", "ops@x.org"])
        .sendmail(FakeSendmail::accepting())
        .status(64)
        .says("standard input cannot be both the HTML and an attachment")
        .run()
        .nothing_sent();
}

#[test]
fn a_picture_that_cannot_be_read_stops_the_mail() {
    page("<img src=logo.png>\n")
        .mode("cwd/logo.png", 0o000)
        .nobody()
        .status(66)
        .says("cannot attach the picture logo.png of page.html: Permission denied")
        .hints("attach it with --attach")
        .keeps(1)
        .run()
        .nothing_sent();
}

#[test]
fn pictures_count_for_the_size_as_attachments_do() {
    let case = page("<img src=large.png>\n").rc("set max-size=100k");
    let mut large = File::create(case.path("cwd/large.png")).unwrap();
    large.write_all(PNG).unwrap();
    large.set_len(1 << 40).unwrap();
    large.rewind().unwrap();
    let case = case.may_change("cwd/large.png");
    let ran = case.any_stderr().run();
    let letter = ran.call().letter();
    let text = String::from_utf8_lossy(&letter.bytes).into_owned();
    assert!(
        text.contains("[The file large.png of 1099511627776 bytes was too"),
        "{text}"
    );
}

#[test]
fn what_is_taken_along_is_shown_before_it_is_sent() {
    let shown = format!(
        "picture logo.png ({} bytes): attached as a picture of the HTML as cid:",
        PNG.len()
    );
    for option in ["--dry-run", "--explain", "-d"] {
        let ran = page("<img src=logo.png>\n")
            .args([option])
            .any_stderr()
            .any_stdout()
            .run();
        ran.nothing_sent();
        let said = ran.stdout() + &ran.stderr();
        assert!(said.contains(&shown), "{option}: {said}");
    }
    for option in ["--dry-run", "--explain", "-d"] {
        let ran = page("<img src=missing.png>\n")
            .args([option])
            .status(66)
            .any_stderr()
            .any_stdout()
            .run();
        assert!(
            ran.stderr()
                .contains("cannot attach the picture missing.png")
        );
    }
}
