//! Subjects without the marks of an answer.

/// What stands in front of the subject of an answer or a forwarded message, in the languages whose
/// mailers translate it.
const MARKS: &[&str] = &["re", "aw", "sv", "vs", "antw", "fwd", "fw", "wg"];

/// Returns a subject without `Re:` and its like in front, and whether there were any.
pub(super) fn base(subject: &str) -> (&str, bool) {
    let mut rest = subject.trim();
    let mut is_answer = false;
    while let Some(after) = without_mark(rest) {
        rest = after;
        is_answer = true;
    }
    (rest, is_answer)
}

fn without_mark(subject: &str) -> Option<&str> {
    let (mark, rest) = subject.split_at(subject.find(':')?);
    // Some mailers count: `Re[2]:`.
    let mark = match mark.split_once('[') {
        Some((mark, count)) => {
            let digits = count.strip_suffix(']')?;
            digits
                .bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(mark)?
        }
        None => mark,
    };
    let is_mark = MARKS
        .iter()
        .any(|known| mark.trim_end().eq_ignore_ascii_case(known));
    is_mark.then(|| rest[1..].trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_answers_are_taken_off() {
        let rows = [
            ("disk full", ("disk full", false)),
            ("Re: disk", ("disk", true)),
            ("RE: Fwd:  re[2]: disk", ("disk", true)),
            ("AW: disk", ("disk", true)),
            ("Report: disk", ("Report: disk", false)),
            ("Re[x]: disk", ("Re[x]: disk", false)),
            ("Re:", ("", true)),
            ("", ("", false)),
        ];
        for (subject, expected) in rows {
            assert_eq!(base(subject), expected, "{subject}");
        }
    }
}
