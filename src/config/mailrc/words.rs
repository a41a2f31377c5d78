//! Words of an rc line: blanks separate them, quotes and backslashes keep blanks.

/// Splits a line into words: blanks separate, `'…'` and `"…"` keep them, `\x` is x.
///
/// # Errors
/// Says that a quote is not closed.
pub fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut in_word = false;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some('\''), _) => word.push(c),
            (_, '\\') => {
                in_word = true;
                word.extend(chars.next());
            }
            (Some(_), _) => word.push(c),
            (None, '"' | '\'') => {
                in_word = true;
                quote = Some(c);
            }
            (None, _) if c.is_whitespace() => {
                if std::mem::take(&mut in_word) {
                    words.push(std::mem::take(&mut word));
                }
            }
            (None, _) => {
                in_word = true;
                word.push(c);
            }
        }
    }
    if quote.is_some() {
        // A secret may follow the `=`.
        let shown = line.split('=').next().unwrap_or_default();
        return Err(format!("a quote is not closed: {shown}"));
    }
    if in_word {
        words.push(word);
    }
    Ok(words)
}
