//! Case that does not matter, in regular expressions.
//!
//! The regex crates can do it, by a table of 2,900 slices; each of them holds an address that the
//! loader writes at every start of the program. The standard library knows the cases of characters
//! without one, so expressions are translated without regard to case and widened here.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex_syntax::ast::{Ast, Flag, Flags, FlagsItemKind, GroupKind};
use regex_syntax::hir::{
    Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition,
};

/// The last character that has a case, of Unicode 17. Those of later versions only match themselves.
const LAST: char = '\u{1E943}';

/// Returns an expression that matches what the given one does, in any case.
pub(super) fn in_any_case(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => hir.clone(),
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
            Ok(text) => Hir::concat(text.chars().map(character).collect()),
            // Only expressions for bytes have such.
            Err(_) => hir.clone(),
        },
        HirKind::Class(Class::Unicode(class)) => Hir::class(Class::Unicode(widened(class))),
        HirKind::Class(Class::Bytes(class)) => {
            let mut class = class.clone();
            class.case_fold_simple();
            Hir::class(Class::Bytes(class))
        }
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(in_any_case(&repetition.sub)),
            ..repetition.clone()
        }),
        HirKind::Capture(capture) => Hir::capture(Capture {
            sub: Box::new(in_any_case(&capture.sub)),
            ..capture.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(in_any_case).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(in_any_case).collect()),
    }
}

/// Returns an expression for one character.
fn character(c: char) -> Hir {
    // The signs of Kelvin and Ångström and the long s are looked for by themselves only, and the search
    // for all other words is faster.
    let of_ascii = [c.to_ascii_lowercase(), c.to_ascii_uppercase()];
    let others = if c.is_ascii() { &of_ascii } else { others(c) };
    let all = others.iter().chain([&c]);
    let ranges = all.map(|&c| ClassUnicodeRange::new(c, c));
    Hir::class(Class::Unicode(ClassUnicode::new(ranges)))
}

/// Returns a class with the other cases of its characters.
fn widened(class: &ClassUnicode) -> ClassUnicode {
    let mut wide = class.clone();
    for range in class.ranges() {
        for c in range.start().max('A')..=range.end().min('z') {
            if c.is_ascii_alphabetic() {
                let other = char::from(c as u8 ^ 0x20);
                wide.push(ClassUnicodeRange::new(other, other));
            }
        }
        let first = range.start().max('\u{80}');
        // A dot, for instance, has all of them.
        if range.end().is_ascii() || (first == '\u{80}' && range.end() == char::MAX) {
            continue;
        }
        for others in cases().range(first..=range.end()).map(|(_, others)| others) {
            for other in others {
                wide.push(ClassUnicodeRange::new(*other, *other));
            }
        }
    }
    wide
}

/// Returns the other cases of a character that is none of ASCII.
fn others(c: char) -> &'static [char] {
    cases().get(&c).map_or(&[], Vec::as_slice)
}

/// Returns the characters that have other cases, and those; without ASCII's own.
fn cases() -> &'static BTreeMap<char, Vec<char>> {
    static CASES: OnceLock<BTreeMap<char, Vec<char>>> = OnceLock::new();
    CASES.get_or_init(|| {
        let mut alike: BTreeMap<char, Vec<char>> = BTreeMap::new();
        for c in '\0'..=LAST {
            let folded = folded(c);
            if folded != c {
                alike.entry(folded).or_default().push(c);
            }
        }
        let mut cases = BTreeMap::new();
        for (folded, mut group) in alike {
            group.push(folded);
            for c in group.iter().filter(|c| !c.is_ascii()) {
                let others = group.iter().filter(|other| *other != c);
                cases.insert(*c, others.copied().collect());
            }
        }
        cases
    })
}

/// Returns the one character that stands for all cases of this one.
fn folded(c: char) -> char {
    let single = |cases: &mut dyn Iterator<Item = char>| match (cases.next(), cases.next()) {
        (Some(case), None) => Some(case),
        _ => None,
    };
    let upper = single(&mut c.to_uppercase()).unwrap_or(c);
    single(&mut upper.to_lowercase()).unwrap_or(upper)
}

/// Takes the flag `i` out of an expression: case never matters.
///
/// # Errors
/// Says that it is not to matter, where an expression wants it to.
pub(super) fn take_flags(ast: &mut Ast) -> Result<(), String> {
    match ast {
        Ast::Flags(set) => take_flag(&mut set.flags),
        Ast::Group(group) => {
            if let GroupKind::NonCapturing(flags) = &mut group.kind {
                take_flag(flags)?;
            }
            take_flags(&mut group.ast)
        }
        Ast::Repetition(repetition) => take_flags(&mut repetition.ast),
        Ast::Alternation(alternation) => alternation.asts.iter_mut().try_for_each(take_flags),
        Ast::Concat(concat) => concat.asts.iter_mut().try_for_each(take_flags),
        Ast::Empty(_)
        | Ast::Literal(_)
        | Ast::Dot(_)
        | Ast::Assertion(_)
        | Ast::ClassUnicode(_)
        | Ast::ClassPerl(_)
        | Ast::ClassBracketed(_) => Ok(()),
    }
}

fn take_flag(flags: &mut Flags) -> Result<(), String> {
    if flags.flag_state(Flag::CaseInsensitive) == Some(false) {
        return Err("case never matters, so (?-i) has no meaning".to_owned());
    }
    flags
        .items
        .retain(|item| item.kind != FlagsItemKind::Flag(Flag::CaseInsensitive));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_belong_together() {
        let rows = [
            ('é', "É"),
            ('É', "é"),
            ('ß', "ẞ"),
            ('Σ', "σς"),
            ('ς', "σΣ"),
            ('Å', "å\u{212B}"),
            ('ж', "Ж"),
            ('語', ""),
        ];
        for (c, expected) in rows {
            let mut found: Vec<char> = others(c).to_vec();
            let mut expected: Vec<char> = expected.chars().collect();
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected, "{c}");
        }
        for (c, others) in cases() {
            assert!(!others.is_empty() && *c <= LAST, "{c}");
        }
    }

    #[test]
    fn no_character_behind_the_last_one_has_a_case() {
        for c in LAST..=char::MAX {
            assert!(c == LAST || folded(c) == c, "{:x}", c as u32);
        }
    }
}
