//! The conditions of s-nail: `$TERM == xterm`, `[ -n "$x" ] && ! -N debug`, and `[[ … ]]`.
//!
//! Only what surely means the same there is evaluated. Everything else is not understood, and the
//! branches of such an `if` are not known to count.

use super::shell::{self, Value, Word};

/// Evaluates a condition that is more than one word; `None` if it is not understood.
///
/// `value` says what variables stand for, `single` what a word such as `terminal` does.
pub(super) fn holds(
    text: &str,
    value: &dyn Fn(&str) -> Value,
    single: &dyn Fn(&str) -> Option<bool>,
) -> Option<bool> {
    let words = shell::split(text, value).ok()?;
    let mut expression = Expression {
        words: &words.words,
        value,
        single,
        depth: 0,
    };
    let result = expression.list()?;
    expression.words.is_empty().then_some(result)?
}

/// The value of a part of a condition; `None` if it is not known.
type Truth = Option<bool>;

/// Each function returns `None` where the words do not form a condition.
struct Expression<'a> {
    words: &'a [Word],
    value: &'a dyn Fn(&str) -> Value,
    single: &'a dyn Fn(&str) -> Option<bool>,
    /// How many brackets are open.
    depth: usize,
}

impl Expression<'_> {
    /// Takes the next word if it is this one, without quotes.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = self.words.first().is_some_and(|next| is_plain(next, word));
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    /// `A && B || C`: both bind alike, from left to right.
    fn list(&mut self) -> Option<Truth> {
        let mut result = self.condition()?;
        loop {
            // What cannot be known does not matter behind `false &&` and `true ||`.
            let (is_and, is_or) = (self.takes("&&"), self.takes("||"));
            if !is_and && !is_or {
                return Some(result);
            }
            let decides = Some(is_or);
            let next = self.condition()?;
            result = match (result, next) {
                _ if result == decides || next == decides => decides,
                (Some(_), Some(_)) => Some(!is_or),
                _ => None,
            };
        }
    }

    fn condition(&mut self) -> Option<Truth> {
        let mut negated = false;
        while self.takes("!") {
            negated = !negated;
        }
        // Brackets within brackets, in a line of a hostile file, must not fill the stack.
        let pairs = [("[", "]"), ("[[", "]]")];
        let open = pairs
            .iter()
            .find(|(open, _)| self.depth < 16 && self.takes(open));
        let result = match open {
            Some((_, closing)) => {
                self.depth += 1;
                let result = self.list()?;
                self.depth -= 1;
                self.takes(closing).then_some(result)?
            }
            None => self.test()?,
        };
        Some(result.map(|result| result != negated))
    }

    /// One, two or three words.
    fn test(&mut self) -> Option<Truth> {
        let is_end = |word: &Word| {
            ["]", "]]", "&&", "||"]
                .iter()
                .any(|end| is_plain(word, end))
        };
        let end = self.words.iter().position(is_end);
        let (words, rest) = self.words.split_at(end.unwrap_or(self.words.len()));
        self.words = rest;
        if words.is_empty() || words.len() > 3 {
            return None;
        }
        if words.iter().any(|word| word.unknown.is_some()) {
            return Some(None);
        }
        Some(match words {
            [word] if word.has_value => of_value(word),
            [word] => (self.single)(&word.text),
            [operator, operand] if !operator.is_quoted => match &*operator.text {
                "-n" => Some(!operand.text.is_empty()),
                "-z" => Some(operand.text.is_empty()),
                "-N" | "-Z" => match (self.value)(&operand.text) {
                    Value::Is(_) => Some(operator.text == "-N"),
                    Value::Unset => Some(operator.text == "-Z"),
                    Value::Unknown => None,
                },
                _ => None,
            },
            // Without a variable two texts are compared that everybody knows: that is written for
            // another program.
            [left, operator, right] if left.has_value || right.has_value => {
                let is_operator = !operator.is_quoted && !operator.has_value;
                is_operator.then(|| compare(&left.text, &operator.text, right))?
            }
            _ => None,
        })
    }
}

fn is_plain(word: &Word, text: &str) -> bool {
    !word.is_quoted && !word.has_value && word.text == text
}

/// `$NAME` alone asks whether it is set; with `wysh` s-nail asks for its value instead, so that only
/// a case counts in which both say the same.
fn of_value(word: &Word) -> Truth {
    match word.text.to_ascii_lowercase().as_str() {
        "" if word.is_unset => Some(false),
        "yes" | "true" | "on" | "1" => Some(true),
        _ => None,
    }
}

fn compare(left: &str, operator: &str, right: &Word) -> Option<bool> {
    let (operator, ignores_case) = match operator.split_once('?') {
        Some((operator, "" | "case")) if !operator.starts_with('-') => (operator, true),
        Some(_) => return None,
        None => (operator, false),
    };
    let in_case = |text: &str| {
        if ignores_case {
            text.to_ascii_lowercase()
        } else {
            text.to_owned()
        }
    };
    let (left, text) = (in_case(left), in_case(&right.text));
    let numbers = || {
        let number = |text: &str| match text.trim() {
            "" => Some(0_i64),
            text => text.parse().ok(),
        };
        Some((number(&left)?, number(&text)?))
    };
    match operator {
        // In bash `[[ $x == a* ]]` is a pattern, in s-nail a text.
        "==" | "=" | "!=" if !right.is_quoted && text.contains(['*', '?', '[']) => None,
        "==" | "=" => Some(left == text),
        "!=" => Some(left != text),
        "=%" => Some(left.contains(&text)),
        "!%" => Some(!left.contains(&text)),
        "-eq" => numbers().map(|(left, right)| left == right),
        "-ne" => numbers().map(|(left, right)| left != right),
        "-lt" => numbers().map(|(left, right)| left < right),
        "-le" => numbers().map(|(left, right)| left <= right),
        "-gt" => numbers().map(|(left, right)| left > right),
        "-ge" => numbers().map(|(left, right)| left >= right),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Value {
        match name {
            "TERM" => Value::Is("xterm".to_owned()),
            "n" => Value::Is("12".to_owned()),
            "on" => Value::Is("yes".to_owned()),
            "flag" => Value::Is(String::new()),
            "NOPE" => Value::Unset,
            _ => Value::Unknown,
        }
    }

    fn single(word: &str) -> Option<bool> {
        match word {
            "true" | "send" => Some(true),
            "false" | "terminal" => Some(false),
            _ => None,
        }
    }

    #[test]
    fn conditions_of_s_nail_hold_or_not_or_are_not_understood() {
        for (text, expected) in [
            ("$TERM == xterm", Some(true)),
            ("$TERM != xterm", Some(false)),
            ("\"$TERM\" = 'xterm'", Some(true)),
            ("[[ $TERM == xterm ]]", Some(true)),
            ("[ $TERM == vt100 ]", Some(false)),
            ("! [ $TERM == vt100 ]", Some(true)),
            ("$TERM ==?case XTERM", Some(true)),
            ("$TERM ==? XTERM", Some(true)),
            ("$TERM =% term", Some(true)),
            ("$TERM !% vt", Some(true)),
            ("$n -gt 3 && $n -lt 20", Some(true)),
            ("$n -eq 12 && $n -ne 12", Some(false)),
            ("true || $n -eq 1 && false", Some(false)),
            (
                "[ [ true ] && [ [ \"$NOPE\" != '' ] || [ $n == 12 ] ] ]",
                Some(true),
            ),
            ("-N flag", Some(true)),
            ("-Z flag", Some(false)),
            ("-Z NOPE", Some(true)),
            ("-n \"$NOPE\"", Some(false)),
            ("-z \"$NOPE\"", Some(true)),
            ("$NOPE", Some(false)),
            ("!$NOPE", None),
            ("! $NOPE", Some(true)),
            ("$on", Some(true)),
            ("$NOPE == ''", Some(true)),
            // What is not known does not matter here.
            ("terminal && \"$features\" =% ,+colour,", Some(false)),
            ("\"$features\" =% ,+colour, && terminal", Some(false)),
            ("send || $features == x", Some(true)),
            ("! [ terminal && $features == x ]", Some(true)),
            // Not known, or not the same in every program.
            ("$flag", None),
            ("$features =% ,+tls,", None),
            ("-N features", None),
            ("send && $features == x", None),
            ("terminal || $features == x", None),
            ("terminal && $features ==", Some(false)),
            ("terminal && $n == 12 13", None),
            ("[[ $TERM == x* ]]", None),
            ("$TERM =~ ^xterm", None),
            ("$TERM @== xterm", None),
            ("$TERM < vt100", None),
            ("$n -eq x", None),
            ("x > 3", None),
            ("[ $n == 12", None),
            ("$n == 12 ]", None),
            ("$n ==", None),
            ("$n == 12 &&", None),
            ("", None),
        ] {
            assert_eq!(holds(text, &value, &single), expected, "{text}");
        }
        let deep = format!("{} $n == 12 {}", "[ ".repeat(9_000), "] ".repeat(9_000));
        assert_eq!(holds(&deep, &value, &single), None);
    }
}
