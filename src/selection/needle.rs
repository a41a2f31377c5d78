//! What is looked for in a text: words, or a regular expression.

use regex_automata::Input;
use regex_automata::meta::{Config, Regex};
use regex_syntax::ast::parse::ParserBuilder;
use regex_syntax::hir::translate::TranslatorBuilder;

use super::case;

/// How much memory a regular expression may take when it is compiled, in bytes.
///
/// The time of a search is at most the size of the program times the length of the text (the regex
/// crate promises that), so this bounds what a hostile expression can cost.
const MAX_PROGRAM: usize = 1 << 18;
/// How much memory a search may take for the states it has seen, in bytes.
const MAX_STATES: usize = 1 << 20;
/// How long an expression may be, in bytes. The program of a longer one would be too big, and it takes
/// a hundred times its size before that is known.
const MAX_PATTERN: usize = MAX_PROGRAM / 16;
/// How deep groups may be within each other.
const MAX_NESTING: u32 = 50;

/// What is looked for; case does not matter.
#[derive(Clone, Debug)]
pub(crate) enum Needle {
    /// A regular expression, also one made of a text.
    Pattern(Regex),
    /// A text in lower case that is too long for one.
    Long(String),
}

impl Needle {
    /// Returns the needle for a text; its blanks match blanks and line ends, because text is wrapped.
    pub(crate) fn text(text: &str) -> Needle {
        let mut pattern = String::with_capacity(text.len() + 8);
        let mut in_blank = false;
        for piece in text.split_inclusive(char::is_whitespace) {
            let word = piece.trim_end_matches(char::is_whitespace);
            if !word.is_empty() {
                pattern.push_str(&regex_syntax::escape(word));
                in_blank = false;
            }
            if word.len() < piece.len() && !std::mem::replace(&mut in_blank, true) {
                pattern.push_str(r"\s+");
            }
        }
        match compile(&pattern) {
            Ok(pattern) => Needle::Pattern(pattern),
            Err(_) => Needle::Long(text.to_lowercase()),
        }
    }

    /// Returns the needle for a regular expression.
    ///
    /// # Errors
    /// Says in one line why it cannot be used.
    pub(crate) fn pattern(pattern: &str) -> Result<Needle, String> {
        compile(pattern).map(Needle::Pattern)
    }

    /// Returns the needle for the value of a word: `/…/` is a regular expression (GNU mailutils), all else is text.
    ///
    /// # Errors
    /// As [`Needle::pattern`].
    pub(crate) fn of_value(value: &str) -> Result<Needle, String> {
        let inner = value.strip_prefix('/').and_then(|v| v.strip_suffix('/'));
        match inner {
            Some(pattern) if !pattern.is_empty() => Needle::pattern(pattern),
            _ => Ok(Needle::text(value)),
        }
    }

    /// Returns whether it is in a text.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        match self {
            Needle::Pattern(pattern) => pattern.is_match(Input::new(text)),
            Needle::Long(wanted) => text.to_lowercase().contains(wanted),
        }
    }
}

/// Compiles an expression that is matched in any case.
///
/// # Errors
/// Says in one line why it cannot be used.
fn compile(pattern: &str) -> Result<Regex, String> {
    let too_big = || "it is too big".to_owned();
    if pattern.len() > MAX_PATTERN {
        return Err(too_big());
    }
    let mut parser = ParserBuilder::new().nest_limit(MAX_NESTING).build();
    let mut ast = parser
        .parse(pattern)
        .map_err(|error| error.kind().to_string())?;
    case::take_flags(&mut ast)?;
    let hir = TranslatorBuilder::new()
        .multi_line(true)
        .build()
        .translate(pattern, &ast)
        .map_err(|error| error.kind().to_string())?;
    Regex::builder()
        .configure(
            Config::new()
                .nfa_size_limit(Some(MAX_PROGRAM))
                .onepass_size_limit(Some(MAX_PROGRAM))
                .hybrid_cache_capacity(MAX_STATES),
        )
        .build_from_hir(&case::in_any_case(&hir))
        // What is left of an expression that was understood.
        .map_err(|_| too_big())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_in_any_case_and_across_line_ends() {
        let rows = [
            ("disk", "The DISK is full", true),
            ("GRÖß", "größe", true),
            ("a.c", "abc", false),
            ("a.c", "A.C", true),
            ("disk  is", "disk\n\tis", true),
            ("disk is", "diskis", false),
            ("/var/log", "in /VAR/log", true),
            ("/v.r/", "VAR", true),
            ("^full$", "disk\nfull\n", false),
            ("/^full$/", "disk\nfull\n", true),
            ("//", "a//b", true),
            ("/", "a/b", true),
            ("", "x", true),
        ];
        for (value, text, expected) in rows {
            let needle = Needle::of_value(value).unwrap();
            assert_eq!(needle.is_in(text), expected, "{value} in {text}");
        }
    }

    #[test]
    fn a_text_of_any_length_is_looked_for() {
        let long = "Größe ".repeat(50_000);
        let needle = Needle::text(&long);
        assert!(needle.is_in(&format!("x {} y", long.to_uppercase().replace("SS", "ß"))));
        assert!(!needle.is_in("x"));
    }

    #[test]
    fn a_bad_expression_is_named_in_one_line() {
        for pattern in [
            "(",
            "[a",
            "a{2,1}",
            "*",
            r"\q",
            "(?P<n",
            &"(".repeat(10_000),
        ] {
            let why = Needle::pattern(pattern).unwrap_err();
            assert!(!why.is_empty() && !why.contains('\n'), "{pattern}: {why}");
        }
        for big in [
            "a{1000}{1000}{1000}",
            "(?:x+x+)+{100}{100}{100}",
            r"\w{10000}",
        ] {
            assert_eq!(Needle::pattern(big).unwrap_err(), "it is too big", "{big}");
        }
    }

    #[test]
    fn hostile_expressions_take_no_long_time() {
        let text = "a".repeat(1 << 20);
        let started = std::time::Instant::now();
        for pattern in ["(a*)*b", "(a|aa)+$b", "(x+x+)+y", "(?:a?){50}a{50}b"] {
            assert!(!Needle::pattern(pattern).unwrap().is_in(&text), "{pattern}");
        }
        assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    }
}
