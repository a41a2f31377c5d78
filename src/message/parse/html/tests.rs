//! Documents and their texts.

use proptest::prelude::*;

use super::*;

fn wrapped(html: &str, width: usize) -> String {
    let mut text = String::new();
    let layout = Layout {
        width: Some(width),
        links: true,
    };
    each_of_text(html, &layout, &mut |piece| text.push_str(piece));
    text
}

/// Compares the texts of documents, not wrapped.
fn compare(cases: &[(&str, &str)]) {
    for (html, expected) in cases {
        assert_eq!(text(html), *expected, "{html}");
    }
}

#[test]
fn documents_become_lines() {
    compare(&[
        ("<h1>Head</h1><p>One", "Head\n\nOne\n"),
        ("a<br>b<br/>c<BR >d", "a\nb\nc\nd\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb\n"),
        ("<div>a</div><div>&nbsp;</div><div>b</div>", "a\n\nb\n"),
        ("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb\n"),
        ("a <b>bold</b>, <i>x</i>y", "a bold, xy\n"),
        ("  many \n  blanks ", "many blanks\n"),
        ("<p>&nbsp;&nbsp;in&nbsp;set", "  in set\n"),
        ("<ul><li>a<li>b</ul>end", "* a\n* b\n\nend\n"),
        (
            "<ul><li><p>one</p></li><li> <div>two</div>",
            "* one\n\n* two\n",
        ),
        (
            "<ol><li>a</li><li>b<ul><li>c</ul></li></ol>",
            "1. a\n2. b\n   * c\n",
        ),
        ("<ol start=9><li>a<li>b<li value=3>c", "9. a\n10. b\n3. c\n"),
        (
            "<dl><dt>term<dd>what it is</dl>x",
            "term\n    what it is\n\nx\n",
        ),
        ("x<pre>a\n  b</pre>y", "x\n\na\n  b\n\ny\n"),
        ("<pre>\na\n\n\nb</pre>", "a\n\n\nb\n"),
        ("<div style='white-space:pre-wrap'>a\n  b", "a\n  b\n"),
        ("a<hr>b", "a\n----------------------------------------\nb\n"),
        ("<hr>", "----------------------------------------\n"),
        ("10<sup>6</sup> H<sub>2</sub>O", "10^6 H2O\n"),
        ("<q>said</q>, he said", "\"said\", he said\n"),
        ("<img alt='a cat' src=x> <img src=y alt=\"\">", "[a cat]\n"),
        ("<img src=x><img src=y>", "[2 images without a text]\n"),
        ("", "\n"),
    ]);
}

#[test]
fn quotes_are_marked() {
    compare(&[
        ("a<blockquote>b</blockquote>c", "a\n\n> b\n\nc\n"),
        (
            "<blockquote>a<blockquote>b</blockquote><p>c<p>d",
            "> a\n>\n> > b\n>\n> c\n>\n> d\n",
        ),
        ("<blockquote><ul><li>a<li>b", "> * a\n> * b\n"),
    ]);
    assert_eq!(
        wrapped("<blockquote>some words that do not fit into a line", 30),
        "> some words that do not fit\n> into a line\n"
    );
}

#[test]
fn tokens_are_those_of_the_standard() {
    compare(&[
        ("<a title='1 > 2' name=x>a</a>", "a\n"),
        ("<style>p {}</style><p>a<script>1 < 2</script>b", "ab\n"),
        (
            "<script>'<p>no'</script>a<script><!-- <b> --></script>b",
            "ab\n",
        ),
        ("<head><title>not</title></head>a<title/>b", "ab\n"),
        ("a<!-- <p>no --> b <!DOCTYPE html>c", "a b c\n"),
        (
            "a<!--[if mso]><b>no</b><![endif]-->b<![if !mso]>c<![endif]>",
            "abc\n",
        ),
        ("a<!-->b<!--->c<!-- -- > -->d<?php x ?>e", "abcde\n"),
        ("a<![CDATA[b]]>c", "ac\n"),
        (
            "Gr&ouml;&szlig;e &lt;1&gt; &#8364;&#x20ac; &nope; & &amp;lt;",
            "Größe <1> €€ &nope; & &lt;\n",
        ),
        (
            "&copy 1 &eacute, &#149;&#146; &notin; &ltx &NotEqualTilde;",
            "© 1 é, •’ ∉ <x ≂̸\n",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"),
        ("a\0b", "ab\n"),
        // Browsers show nothing from here on; a mail that was cut is shown.
        ("a <b unclosed", "a <b unclosed\n"),
        ("a <a href=\"x>b</a> c<p>d", "a b c\n\nd\n"),
        ("<p>a <!-- open > b", "a open > b\n"),
        ("<title>open <p>a", "open\n\na\n"),
        ("<p>a</p> <script> if (a > b)", "a\n"),
    ]);
}

#[test]
fn hidden_text_is_left_out() {
    for style in [
        "display:none",
        "DISPLAY : None !important",
        "color:red;visibility:hidden",
        "font-size:0px;line-height:1px",
        "max-height:0px;overflow:hidden",
        "max-height:0;mso-hide:all",
        "opacity:0",
    ] {
        let html = format!("a<div style=\"{style}\">no <b>no</b><p>no</div>b");
        let words: String = text(&html).split_whitespace().collect();
        assert_eq!(words, "ab", "{style}");
    }
    compare(&[
        ("a<p hidden>no</p>b<template>no</template>", "ab\n"),
        // Layouts set the font to zero, and back for the text.
        (
            "<td style='font-size:0'>no<div style='font-size:14px'>yes</div>no",
            "yes\n",
        ),
        (
            "<div style='visibility:hidden'>no<b style='visibility:visible'>yes</b>",
            "yes\n",
        ),
        // Hidden in one program only.
        ("<a style='mso-hide:all'>yes</a>", "yes\n"),
        (
            "<div style='display:none'><div>no</div>no</div>yes",
            "yes\n",
        ),
        ("<b style='display:none'>no<p>no</b>yes", "yes\n"),
        ("<p style='display:none'>no<div>yes", "yes\n"),
        ("<table><tr style='display:none'><td>no<tr><td>yes", "yes\n"),
        ("<td style='display:none'>no</td><td>yes</td>", "yes\n"),
        ("<div style='max-height:0'>yes</div>", "yes\n"),
    ]);
}

#[test]
fn forms_keep_words_apart() {
    compare(&[
        (
            "Pick:<select><option>one<option>two</select>now",
            "Pick: [one] (1 of 2) now\n",
        ),
        (
            "<select size=1><option>one<option selected>two <b></select>",
            "[two] (2 of 2)\n",
        ),
        (
            "<select multiple><option>one<option>two</select>",
            "one two\n",
        ),
        ("<select><option>one</select>", "[one]\n"),
        (
            "<select><option>one<option>two<p>a<p>b",
            "a\n\nb\n\n[one] (1 of 2)\n",
        ),
        ("<button>Yes</button><button>No</button>", "Yes No\n"),
        (
            "a<input type=submit value='Send it'>b<input type=hidden value=no>",
            "a [Send it] b\n",
        ),
        ("<textarea>x <b> y</textarea>z", "x <b> y z\n"),
        // What is ticked says so.
        (
            "<input type=checkbox checked>yes<input type=radio>no<input type=radio CHECKED=''>all",
            "[x] yes no [x] all\n",
        ),
    ]);
}

#[test]
fn tables_are_aligned_or_taken_apart() {
    compare(&[
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
            "a  b\nc\n",
        ),
        (
            "x<table><tr><th>Name<th>Size<tr><td>disk<td align=right>9<tr><td>a long one<td align=right>100</table>y",
            "x\n\nName        Size\ndisk           9\na long one   100\n\ny\n",
        ),
        (
            "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=2>over both<tr><td>d<td>e",
            "a  b\n   c\nover both\nd  e\n",
        ),
        // One row only arranges what it holds.
        ("<table><tr><td>Home<td>News</table>", "Home  News\n"),
        // So does a table around others.
        (
            "<table><tr><td>a<td><table><tr><td>b<td>c<tr><td>dd<td>e</table></table>",
            "a\n\nb   c\ndd  e\n",
        ),
        (
            "<table><tr><td><ul><li>a</ul><td><p>b</p></table>",
            "* a\n\nb\n",
        ),
        (
            "<table><caption>Of disks</caption><tr><td>a<td>b<tr><td>c<td>d",
            "Of disks\n\na  b\nc  d\n",
        ),
        // A table of one narrow cell is the frame of a column.
        (
            "<table><tr><td><table><tr><td>disk<br>inodes<br>load</table>\
             <td><table><tr><td> <td>9<br>70<br>1</table><td>x<br>y<br>z</table>",
            "disk    9   x\ninodes  70  y\nload    1   z\n",
        ),
        (
            "<table><tr><td><table><tr><td>a</table>b<td>c<tr><td>d<td><table></table>e</table>f",
            "a\nb\nc\nd\ne\nf\n",
        ),
        (
            "<table><tr><td><table><tr><td>a<table><tr><td>b</table>c</table>d<td>e</table>",
            "a\nb\nc\nd\ne\n",
        ),
        (
            "<table><tr><td><table><caption>x</caption><tr><td>a<ul><li>b</ul></table><td>c</table>",
            "x\na\n\n* b\n\nc\n",
        ),
        (
            "<table><tr><td><table><tr><td>a</td>stray</table><td>b</table>",
            "a  stray\nb\n",
        ),
        // Lines at the bottom of a row belong to those beside them.
        (
            "<table><tr valign=bottom><td>a<td>b<br>c<tr><td>d<td style='vertical-align: bottom'>e<td>f<br>g",
            "   b\na  c\nd     f\n   e  g\n",
        ),
        // Paragraphs of a cell are paragraphs.
        (
            "<table><tr><td><p>a</p><p>b</p><div>c</div></table>",
            "a\n\nb\n\nc\n",
        ),
        (
            "<table><tr><td><p>a</p><td><p>b</p><tr><td><p>c<td>d</table>",
            "a  b\nc  d\n",
        ),
        // Words without a cell are not lost.
        ("<table>stray<tr>x<td>y</table>z", "stray\nx  y\nz\n"),
        ("<tr><td>a<td>b<tr><td>c", "a b\nc\n"),
        (
            "<table><tr><td>a<br>b<td>c<tr><td>d<td>e",
            "a  c\nb\nd  e\n",
        ),
    ]);
}

#[test]
fn wide_tables_wrap_their_cells_if_they_hold_data() {
    let row =
        |tag: &str, a: &str, b: &str| format!("<tr><{tag}>{a}</{tag}><{tag}>{b}</{tag}></tr>");
    let html = format!(
        "<table>{}{}</table>",
        row("th", "Unit", "What it says"),
        row("td", "backup", &"words of a long cell ".repeat(3))
    );
    let shown = wrapped(&html, 40);
    assert_eq!(
        shown,
        "Unit    What it says\nbackup  words of a long cell words of a\n        long cell words of a long cell\n"
    );
    assert_eq!(
        wrapped(&html.replace("th>", "td>"), 40),
        "Unit  What it says\nbackup  words of a long cell words of a\nlong cell words of a long cell\n"
    );
}

#[test]
fn long_tables_are_shown_in_parts() {
    let row = "<tr><td>name</td><td>value of it</td></tr>";
    let shown = text(&format!("<table>{}</table>", row.repeat(10_000)));
    assert_eq!(shown.matches("name  value of it\n").count(), 10_000);
    let cell = "word ".repeat(2000);
    let shown = text(&format!(
        "<table><tr><td>a</td><td>{cell}</td></tr></table>"
    ));
    assert_eq!(shown.matches("word").count(), 2000);
}

#[test]
fn lines_are_wrapped_at_words() {
    let cases: &[(&str, usize, &str)] = &[
        ("one two three", 7, "one two\nthree\n"),
        ("one <b>two</b>three", 7, "one\ntwothree\n"),
        ("averylongwordindeed x", 7, "averylongwordindeed\nx\n"),
        (
            "<ul><li>one two three four five",
            26,
            "* one two three four five\n",
        ),
        (
            "<ul><li>one two three four five six",
            26,
            "* one two three four five\n  six\n",
        ),
        // Wide characters have two columns, and need no blank between them.
        ("漢字漢字漢字", 8, "漢字漢字\n漢字\n"),
        ("漢字漢字。漢字", 8, "漢字漢\n字。漢字\n"),
        ("a&nbsp;b c&nbsp;d", 5, "a b\nc d\n"),
        ("ab&#8203;cd", 3, "ab\ncd\n"),
        ("soft&shy;hyphen", 8, "softhyphen\n"),
    ];
    for (html, width, expected) in cases {
        assert_eq!(wrapped(html, *width), *expected, "{html}");
    }
}

#[test]
fn links_are_numbered_and_listed() {
    compare(&[
        (
            "<a href=\"https://x.example/?a=1&amp;b=2\">here</a> and <a href='https://y.example/'>y.example</a>",
            "here[1] and y.example\n\n[1] https://x.example/?a=1&b=2\n",
        ),
        // Each target once.
        (
            "<a href=http://a/>a b</a> <a href=http://a/>c</a> <a href=http://b/>d</a>",
            "a b[1] c[1] d[2]\n\n[1] http://a/\n[2] http://b/\n",
        ),
        (
            "<a href=mailto:a@b.example>a@b.example</a> <a href='mailto:a@b.example'>write</a>",
            "a@b.example write[1]\n\n[1] mailto:a@b.example\n",
        ),
        ("<a href=tel:+123456>+1 23-456</a>", "+1 23-456\n"),
        (
            "<a href=http://x.example/><img src=x></a> <a href=http://y.example/><img alt=Cat></a>",
            "[image][1] [Cat][2]\n\n[1] http://x.example/\n[2] http://y.example/\n",
        ),
        (
            "a<a href=http://x.example/></a>",
            "a [1]\n\n[1] http://x.example/\n",
        ),
        // A number says that the word before it is a link, and no other one.
        (
            "<a href=http://x.example/></a>a<a href=http://y.example/>b</a>c",
            "[1] ab[2]c\n\n[1] http://x.example/\n[2] http://y.example/\n",
        ),
        (
            "<map><area href=http://x.example/ alt=north></map>",
            "[north][1]\n\n[1] http://x.example/\n",
        ),
        ("<a href='#top'>up</a> <a name=x>here</a>", "up here\n"),
        (
            "<a href=javascript:alert(1)>x</a>",
            "x[1]\n\n[1] javascript: (a script)\n",
        ),
        (
            "<a href='data:text/html;base64,PGI+'>x</a>",
            "x[1]\n\n[1] data: (text/html, 26 bytes)\n",
        ),
        (
            "<a href='java\nscript:alert(1)'>x</a><a href=' http://x/\n y'>z</a>",
            "x[1]z[2]\n\n[1] javascript: (a script)\n[2] http://x/ y\n",
        ),
        // The mark stands behind the word, wherever the tag is closed.
        ("<a href=http://x/>a </a>b", "a[1] b\n\n[1] http://x/\n"),
        (
            "<a href=http://x/><div>a</div></a>b",
            "a[1]\nb\n\n[1] http://x/\n",
        ),
        (
            "<a href=http://x/>a<a href=http://y/>b",
            "a[1]b[2]\n\n[1] http://x/\n[2] http://y/\n",
        ),
        (
            "<div style=display:none><a href=http://x/>no</a></div>a",
            "a\n",
        ),
    ]);
}

#[test]
fn relative_targets_have_the_base_of_the_document() {
    for (target, expected) in [
        ("page", "http://h.example/a/page"),
        ("../up?x=../y", "http://h.example/up?x=../y"),
        ("/root#f", "http://h.example/root#f"),
        ("?q", "http://h.example/a/b?q"),
        ("//other.example/x", "http://other.example/x"),
        ("https://h/x", "https://h/x"),
        ("mailto:a@b", "mailto:a@b"),
    ] {
        let html = format!("<base href='http://h.example/a/b?c'><a href='{target}'>x</a>");
        assert_eq!(text(&html), format!("x[1]\n\n[1] {expected}\n"), "{target}");
    }
    assert_eq!(text("<a href=page>x</a>"), "x[1]\n\n[1] page\n");
}

#[test]
fn a_text_that_is_not_the_target_is_warned_of() {
    // The text, the target, and where the mark says that it goes.
    for (shown, target, goes_to) in [
        (
            "bank.example.com",
            "http://evil.example/bank.example.com",
            "evil.example",
        ),
        (
            "https://bank.com/login",
            "https://bank.com.evil.example/login",
            "bank.com.evil.example",
        ),
        (
            "https://bank.com",
            "https://bank.com@evil.example/",
            "evil.example",
        ),
        (
            "https://bank.com",
            "https:\\\\evil.example\\bank.com",
            "evil.example",
        ),
        (
            "Go to www.bank.com now",
            "http://10.0.0.1:8080/x",
            "10.0.0.1",
        ),
        (
            "ceo@bank.com",
            "mailto:x@evil.example?cc=ceo@bank.com",
            "evil.example",
        ),
        ("b&uuml;cher.de", "http://bucher.de/", "bucher.de"),
    ] {
        let html = format!("<a href='{target}'>{shown}</a>");
        let mark = format!("[1: goes to {goes_to}]\n\n[1] ");
        assert!(text(&html).contains(&mark), "{}", text(&html));
    }
    for (shown, target) in [
        ("bank.com", "http://www.bank.com/login"),
        ("www.bank.com", "https://login.bank.com/"),
        ("bücher.de/x", "http://xn--bcher-kva.de/y"),
        ("README.md", "https://forge.example/README.md?plain"),
        ("the end.Next", "https://forge.example/"),
        ("version 1.2.3", "https://forge.example/"),
        ("write", "mailto:a@b.example"),
        ("e.g. this", "https://forge.example/"),
    ] {
        let html = format!("<a href='{target}'>{shown}</a>");
        assert!(
            text(&html).contains(&format!("{shown}[1]\n\n[1] ")),
            "{}",
            text(&html)
        );
    }
}

#[test]
fn html_without_a_label_is_known() {
    for (given, expected) in [
        ("<!DOCTYPE HTML PUBLIC>\nx", true),
        ("\u{feff} \n<html>x", true),
        ("<!-- x --><HTML lang=en>", true),
        ("<?xml version='1.0'?>\n<!DOCTYPE html>", true),
        ("<p>a</p></body></html>\n", true),
        ("<p>a</p>", false),
        ("see <html>", false),
        ("<htmlx>", false),
        ("<!-- open", false),
        ("<html", false),
        ("< 5", false),
        ("<é", false),
        ("", false),
    ] {
        assert_eq!(is_document(given), expected, "{given}");
    }
}

#[test]
fn references_are_characters() {
    for (name, expected) in [
        ("amp", Some('&')),
        ("#x41", Some('A')),
        ("#149", Some('•')),
        ("nope", None),
        ("", None),
    ] {
        assert_eq!(reference(name), expected, "{name}");
    }
}

#[test]
fn nests_and_open_ends_are_read_through() {
    for piece in [
        "<",
        "<a",
        "<div>",
        "<ul><li>",
        "<!--",
        "<script>",
        "&",
        "<a href=",
        "</",
        "<blockquote>x",
        "<table><tr><td>x",
        "<b><table><td><i></b>",
        "<a href='x>",
        "<title>",
        "<td>x",
        "<dl><dd>x",
        "<ol><li>x",
        "<p style='display:none'><b>",
        "<!--x-->",
        "<pre>\n",
    ] {
        let html = format!("{}x", piece.repeat(20_000));
        let start = std::time::Instant::now();
        let out = wrapped(&html, 72);
        assert!(out.len() < 120 * 20_000, "{piece}: {}", out.len());
        // Quadratic time would be minutes.
        assert!(
            start.elapsed().as_secs() < 20,
            "{piece}: {:?}",
            start.elapsed()
        );
    }
}

/// Tags and text whose order decides how they are read.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<div>",
    "</div>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<ul>",
    "</ul>",
    "<ol>",
    "<li>",
    "</li>",
    "<blockquote>",
    "</blockquote>",
    "<table>",
    "</table>",
    "<tr>",
    "</tr>",
    "<td>",
    "</td>",
    "<th colspan=3 rowspan=2>",
    "<a href='http://x.example/y'>",
    "</a>",
    "<br>",
    "<hr>",
    "<pre>",
    "</pre>",
    "<span style='font-size:0'>",
    "</span>",
    "<select>",
    "<option>",
    "<dl>",
    "<dt>",
    "<dd>",
    "<caption>",
    "<img alt='a b'>",
    "<q>",
    "&nbsp;",
    "&amp;",
    "&#x1b;",
    " ",
    "\n",
    "漢字",
    "<!-- x -->",
    "<title>t</title>",
    "<style>s</style>",
    "<div style='white-space:pre-wrap'>",
    "<base href='http://b/'>",
];

/// Tags that hide nothing, and do not keep lines from being wrapped.
const SHOWN: usize = 15;

proptest! {
    #[test]
    fn any_bytes_are_shown(bytes: Vec<u8>, width in proptest::option::of(1usize..200)) {
        let html = String::from_utf8_lossy(&bytes);
        let mut len = 0;
        each_of_text(&html, &Layout { width, links: true }, &mut |piece| len += piece.len());
        prop_assert!(len <= html.len() * 100 + 1000);
    }

    #[test]
    fn any_order_of_tags_is_shown(
        order in proptest::collection::vec(0..PIECES.len() * 2, 0..120),
        width in proptest::option::of(1usize..100),
    ) {
        let mut html = String::new();
        for (number, at) in order.iter().enumerate() {
            match PIECES.get(*at) {
                Some(piece) => html.push_str(piece),
                None => html.push_str(&format!(" w{number} ")),
            }
        }
        let mut out = String::new();
        each_of_text(&html, &Layout { width, links: true }, &mut |piece| out.push_str(piece));
        prop_assert!(out.len() <= html.len() * 200 + 1000);
        prop_assert!(out.is_empty() || (out.ends_with('\n') && !out.ends_with("\n\n")));
    }

    #[test]
    fn words_are_shown_in_their_order_and_wrapped(
        order in proptest::collection::vec(0..SHOWN * 2, 0..200),
        width in 30usize..90,
    ) {
        let mut html = String::new();
        let mut words = Vec::new();
        for (number, at) in order.iter().enumerate() {
            if *at < SHOWN {
                html.push_str(PIECES[*at]);
            } else {
                let word = format!("w{number}");
                html.push_str(&format!(" {word} "));
                words.push(word);
            }
        }
        let out = wrapped(&html, width);
        let shown: Vec<&str> = out.split_whitespace().filter(|word| word.starts_with('w')).collect();
        prop_assert_eq!(shown, words);
        prop_assert!(out.lines().all(|line| line.len() <= width), "{}", out);
    }
}
