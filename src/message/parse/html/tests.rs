//! Documents and their texts.

use super::*;

#[test]
fn documents_become_lines() {
    let cases: &[(&str, &str)] = &[
        ("<h1>Head</h1><p>One", "Head\n\nOne\n"),
        ("a<br>b<br/>c<BR >d", "a\nb\nc\nd\n"),
        ("<div>a</div><div>b</div>", "a\nb\n"),
        ("a <b>bold</b>, <i>x</i>y", "a bold, xy\n"),
        ("  many \n  blanks ", "many blanks\n"),
        ("<ul><li>a<li>b</ul>end", "* a\n* b\n\nend\n"),
        (
            "<ol><li>a</li><li>b<ul><li>c</ul></li></ol>",
            "1. a\n2. b\n   * c\n",
        ),
        (
            "<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>",
            "a  b\nc\n",
        ),
        ("x<pre>a\n  b</pre>y", "x\n\na\n  b\n\ny\n"),
        ("<style>p {}</style><p>a<script>1 < 2</script>b", "ab\n"),
        ("a<!-- <p>no --> b <!DOCTYPE html>c", "a b c\n"),
        (
            "Gr&ouml;&szlig;e &lt;1&gt; &#8364;&#x20ac; &nope; & &amp;lt;",
            "Größe <1> €€ &nope; & &lt;\n",
        ),
        ("<img alt='a cat' src=x> <img src=y alt=\"\">", "[a cat]\n"),
        (
            "<a href=\"https://x.example/?a=1&amp;b=2\">here</a> and <a href='https://y.example/'>y.example</a>",
            "here[1] and y.example\n\n[1] https://x.example/?a=1&b=2\n",
        ),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2\n"),
        ("a <b unclosed", "a <b unclosed\n"),
        ("<p>a <!-- open > b", "a open > b\n"),
        ("<p>a</p> <script> if (a > b)", "a\n"),
        ("<hr>", "----------------------------------------\n"),
        ("", "\n"),
    ];
    for (html, expected) in cases {
        assert_eq!(text(html), *expected, "{html}");
    }
}

#[test]
fn nests_and_open_ends_are_read_through() {
    for piece in [
        "<", "<a", "<div>", "<ul><li>", "<!--", "<script>", "&", "<a href=", "</",
    ] {
        let out = text(&format!("{}x", piece.repeat(20_000)));
        assert!(out.len() < 1_000_000, "{piece}");
    }
}
