//! HTML mail on the screen: filled lines, tables, honest links, and nothing that a terminal obeys.

use crate::case::Case;

/// Returns what `print` shows of a message with this header and body, below its fields.
fn shown(header: &str, body: &str, columns: &str) -> String {
    let message = format!(
        "From alice@example.org Mon Nov 16 09:00:00 2026\nSubject: html\n{header}\n{body}\n\n"
    );
    let out = Case::new()
        .args(["-S", "quiet", "-N", "-R", "-f", "box"])
        .file("cwd/box", message)
        .env("COLUMNS", columns)
        .stdin("p\n")
        .any_stdout()
        .run()
        .stdout();
    let (_, text) = out.split_once("Subject: html\n\n").expect("a header");
    text.to_owned()
}

fn html(body: &str) -> String {
    shown("Content-Type: text/html; charset=utf-8\n", body, "40")
}

// MI11
#[test]
fn an_html_mail_is_filled_to_the_screen_and_its_links_are_listed() {
    let out = html(
        "<html><head><title>no</title><style>p {}</style></head><body>\
         <div style='display:none'>a preview</div><h1>Backup of last night</h1>\
         <p>All <b>twelve</b> volumes were written, and the <a href='https://h.example/log?a=1&amp;b=2'>log</a> \
         is where it always is.<blockquote>Was it slow again, as it was on Monday and on Tuesday?</blockquote>\
         <ul><li>one<li>two</ul><table><tr><th>Volume<th>Size<tr><td>root<td align=right>9 GB</table>",
    );
    assert_eq!(
        out,
        "Backup of last night\n\nAll twelve volumes were written, and the\nlog[1] is where it always is.\n\n\
         > Was it slow again, as it was on Monday\n> and on Tuesday?\n\n* one\n* two\n\n\
         Volume  Size\nroot    9 GB\n\n[1] https://h.example/log?a=1&b=2\n\n"
    );
}

#[test]
fn a_forged_link_is_told() {
    let out = html("<a href='http://evil.example/bank.com'>https://bank.com/login</a>");
    assert_eq!(
        out,
        "https://bank.com/login[1: goes to\nevil.example]\n\n[1] http://evil.example/bank.com\n\n"
    );
}

#[test]
fn html_has_no_way_to_the_terminal() {
    for body in [
        "<p>&#27;]52;c;x&#7;&#155;31m&#x202e;",
        "<p>\u{1b}[31m\u{9b}31m",
        "<img alt='&#27;[31m'>",
        "<a href='http://x/&#27;[31m&#x202e;'>x</a>",
        "<a href='http://&#27;[31m.example/'>bank.com</a>",
        "<ol start='&#27;[31m'><li>x</ol>",
        "<input value='&#27;[31m'>",
        "<title>&#27;[31m",
        "<!-- \u{1b}[31m",
        "<x \u{1b}[31m",
    ] {
        let out = html(body);
        let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!out.contains(is_bad), "{body:?}: {out:?}");
        assert!(!out.trim().is_empty() || body.contains("start"), "{body:?}");
    }
}

#[test]
fn html_without_a_label_is_shown_as_html() {
    let document = "<html><body><p>Disk <b>full</b> on <i>db1</i></body></html>";
    for header in ["", "Content-Type: text/plain; charset=utf-8\n"] {
        assert_eq!(
            shown(header, document, "80"),
            "[-- this text is HTML, though its label does not say so --]\nDisk full on db1\n\n",
            "{header}"
        );
    }
}

/// Every name of a character reference, compared with those that Python has, which has its own copy of
/// the standard's list.
#[test]
fn the_names_of_characters_are_those_that_python_has() {
    const PROGRAM: &str = "import html.entities as e\n\
        for name, text in sorted(e.html5.items(), key=lambda row: row[0].encode()):\n    \
        print(name, *('%X' % ord(c) for c in text))";
    let python = std::process::Command::new("python3")
        .args(["-c", PROGRAM])
        .output();
    let Ok(python) = python else {
        // The unit tests hold the number of names and their sum.
        return;
    };
    let names = std::fs::read("src/message/parse/html/tokens/names.txt").unwrap();
    assert!(
        python.stdout == names,
        "{}",
        String::from_utf8_lossy(&python.stderr)
    );
}
