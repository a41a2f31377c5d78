//! Documents and their tokens.

use proptest::prelude::*;

use super::*;

/// Writes tokens as lines; pieces of a text are one.
#[derive(Default)]
pub(super) struct Written {
    tokens: String,
    in_text: bool,
}

impl Sink for Written {
    fn start(&mut self, tag: Tag, attributes: &Attributes<'_>) {
        self.token(&format!("<{tag:?}"));
        for name in ["alt", "href", "style", "value", "hidden"] {
            if let Some(value) = attributes.value(name) {
                self.tokens.push_str(&format!(" {name}={value:?}"));
            }
        }
    }

    fn end(&mut self, tag: Tag) {
        self.token(&format!("</{tag:?}"));
    }

    fn text(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !std::mem::replace(&mut self.in_text, true) {
            self.tokens.push('\n');
        }
        self.tokens.push_str(text);
    }
}

impl Written {
    fn token(&mut self, token: &str) {
        self.tokens.push('\n');
        self.tokens.push_str(token);
        self.in_text = false;
    }
}

fn tokens(html: &str) -> String {
    let mut written = Written::default();
    read(html, &mut written);
    written.tokens
}

/// Returns the tokens that html5gum finds; `None` where the document ends within one.
fn expected(html: &str) -> Option<String> {
    let mut written = Written::default();
    oracle::read(html, &mut written).then_some(written.tokens)
}

#[test]
fn the_time_is_linear() {
    for piece in [
        "<!--",
        "<title>",
        "<a b=\"",
        "<a b='\">",
        "<",
        "<a",
        "</a ",
        "&",
        "&amp",
        "<script><!--",
        "<xmp></xm",
        "<a b=\"><a b=\" <a b='>",
        "<!-",
        "<textarea>",
        "--!>",
        "<!-- ->",
        "\r",
        "\0",
    ] {
        let html = piece.repeat(2_000_000 / piece.len());
        let mut count = 0usize;
        struct Counter<'c>(&'c mut usize);
        impl Sink for Counter<'_> {
            fn start(&mut self, _: Tag, _: &Attributes<'_>) {
                *self.0 += 1;
            }
            fn end(&mut self, _: Tag) {
                *self.0 += 1;
            }
            fn text(&mut self, text: &str) {
                *self.0 += text.len();
            }
        }
        read(&html, &mut Counter(&mut count));
        assert!(count <= html.len(), "{piece}");
    }
}

#[test]
fn tokens_are_those_of_html5gum() {
    for html in [
        "<script>a<!--<script>b</script>c--></script>d",
        "<script>a<!--<script>b</script>c</script>d",
        "<script><!--></script>d",
        "<script><!--->-</script >d",
        "<script><!-- <scripty></script>d",
        "<script></scripty></SCRIPT/>d",
        "<textarea>&lt;<b></TextArea>&lt;\0",
        "<xmp>&lt;\r\n\0<b></xmp>",
        "<title>&lt;</titles></title x='>'>a",
        "<style>p > a{}</style\n>a",
        "<a href=x&amp=1&copy;y alt='&quot;' HREF=z =style=1 / hidden>",
        "<a alt = 'a\r\nb\0'/alt=c><img alt=a/>",
        "<plaintext>a</plaintext>&amp;",
        "<a\0b></a\0b/ c='>'>&\r\r\n<",
    ] {
        assert_eq!(Some(tokens(html)), expected(html), "{html}");
    }
}

const PIECES: &[&str] = &[
    "<a",
    "<A href=",
    "<br",
    "<img alt",
    "</a",
    "</",
    "<",
    ">",
    "/>",
    " ",
    "\n",
    "\r",
    "\0",
    "\t",
    "=",
    "\"",
    "'",
    "/",
    "-",
    "--",
    "!",
    "<!",
    "<!--",
    "-->",
    "--!>",
    "->",
    "<!doctype",
    "<?",
    "[CDATA[",
    "]]>",
    "<script",
    "</script",
    "<title>",
    "</title>",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<xmp>",
    "</xmp>",
    "<plaintext>",
    "x",
    "ö",
    "alt",
    " style=",
    " hidden",
    "&",
    "&amp",
    "&amp;",
    "&notit;",
    "&notin;",
    "&copy=",
    "&#",
    "&#x",
    "&#X41",
    "&#149;",
    "&#0;",
    "1",
    "g",
    ";",
    "&NotEqualTilde;",
    "<td>",
    "</p>",
    "日本",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_document_has_the_tokens_of_html5gum(
        places in proptest::collection::vec(0..PIECES.len(), 0..40),
    ) {
        let mut html: String = places.into_iter().map(|place| PIECES[place]).collect();
        // Most that are open are closed.
        html.push_str("'>\">-->");
        if let Some(expected) = expected(&html) {
            prop_assert_eq!(tokens(&html), expected);
        }
    }
}
