//! The words and signs of a list or a search.

use super::super::error::ListError;
use crate::config::words::{self, Backslash};

/// A word of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Word(String),
    And(String),
    Or(String),
    Not,
    Open,
    Close,
}

/// Divides a message list into words, one at a time; it has no operators.
///
/// # Errors
/// A quote is not closed.
pub(super) fn of_list(text: &str) -> Result<impl Iterator<Item = Token>, ListError> {
    Ok(split(text)?.map(|word| Token::Word(word.text)))
}

/// Divides a search into words and operators, one word at a time: signs count outside quotes only.
///
/// # Errors
/// A quote is not closed.
pub(super) fn of_search(text: &str) -> Result<impl Iterator<Item = Token>, ListError> {
    let mut words = split(text)?.peekable();
    let tokens = std::iter::from_fn(move || {
        let word = words.next()?;
        let end = words.peek().map_or(text.len(), |next| next.start);
        Some(of_word(&word.text, text[word.start..end].trim_end()))
    });
    Ok(tokens.flatten())
}

fn split(text: &str) -> Result<words::Words<'_>, ListError> {
    words::split(text, Backslash::Literal).map_err(|_| ListError::OpenQuote)
}

/// Returns the signs around a word and the word, which is written as `raw`.
fn of_word(word: &str, raw: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    // A quote in front belongs to the word, and what it holds is text.
    let opens = raw
        .bytes()
        .take_while(|byte| matches!(byte, b'(' | b'!'))
        .count();
    for sign in word[..opens].chars() {
        tokens.push(if sign == '(' { Token::Open } else { Token::Not });
    }
    let mut rest = &word[opens..];
    // Of `(subject:/(a|b)/)` only the last parenthesis is one of ours.
    let mut closes = 0;
    if raw.ends_with(')') {
        let count = |sign: u8| rest.bytes().filter(|&byte| byte == sign).count();
        let trailing = rest.len() - rest.trim_end_matches(')').len();
        closes = trailing.min(count(b')').saturating_sub(count(b'(')));
        rest = &rest[..rest.len() - closes];
    }
    let is_quoted = raw.contains(['"', '\'']);
    match rest {
        "" if !is_quoted => {}
        "&" | "&&" | "and" | "AND" if !is_quoted => tokens.push(Token::And(rest.to_owned())),
        "|" | "||" | "or" | "OR" if !is_quoted => tokens.push(Token::Or(rest.to_owned())),
        "not" | "NOT" if !is_quoted => tokens.push(Token::Not),
        _ => tokens.push(Token::Word(rest.to_owned())),
    }
    tokens.extend(std::iter::repeat_n(Token::Close, closes));
    tokens
}
