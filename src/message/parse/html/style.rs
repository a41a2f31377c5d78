//! Inline styles, as far as they decide what a reader sees.

use super::open::{Blanks, Inherited};

/// What an inline style says.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Style {
    /// `text-align: right`.
    pub(super) is_right: bool,
    /// `vertical-align: bottom`.
    pub(super) is_bottom: bool,
}

/// Applies a `style` attribute to what an element inherits.
///
/// What mail uses to hide a preview counts: `display: none`, `visibility: hidden`, a font of no size,
/// `opacity: 0`, and a box without height whose overflow is hidden. `mso-hide` alone hides nothing:
/// it is for one program, and the text is there for all others.
pub(super) fn apply(style: &str, inherited: &mut Inherited) -> Style {
    let mut found = Style::default();
    let (mut is_gone, mut is_flat, mut is_cut, mut is_clear) = (false, false, false, false);
    let mut rest = style;
    while !rest.is_empty() {
        let end = rest.bytes().position(|b| b == b';').unwrap_or(rest.len());
        let declaration = rest[..end].trim_ascii_start();
        rest = rest.get(end + 1..).unwrap_or_default();
        // Most properties are of no interest, and told by their first letter.
        if !declaration.starts_with(|c: char| {
            matches!(
                c.to_ascii_lowercase(),
                'd' | 'v' | 'f' | 'o' | 'm' | 'h' | 't' | 'w'
            )
        }) {
            continue;
        }
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim_ascii_end(), bare(value));
        let is = |known: &str| name.eq_ignore_ascii_case(known);
        let says = |known: &str| value.eq_ignore_ascii_case(known);
        if is("display") {
            is_gone = says("none");
        } else if is("visibility") {
            inherited.is_invisible = says("hidden") || says("collapse");
        } else if is("font-size") {
            set_size(value, &mut inherited.is_tiny);
        } else if is("opacity") {
            is_clear = is_zero(value);
        } else if is("max-height") || is("height") {
            is_flat |= is_zero(value);
        } else if is("overflow") {
            is_cut = says("hidden");
        } else if is("mso-hide") {
            is_cut |= says("all");
        } else if is("text-align") {
            found.is_right = says("right") || says("end");
        } else if is("vertical-align") {
            found.is_bottom = says("bottom");
        } else if is("white-space") {
            inherited.blanks = blanks(value).unwrap_or(inherited.blanks);
        }
    }
    inherited.is_gone |= is_gone || is_clear || (is_flat && is_cut);
    found
}

/// Returns a value without blanks around it and without `!important`.
fn bare(value: &str) -> &str {
    let value = value.split_once('!').map_or(value, |(value, _)| value);
    value.trim_ascii()
}

/// Whether a length or number is zero, in any unit.
fn is_zero(value: &str) -> bool {
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let digits = digits.trim_end();
    digits.contains('0') && digits.bytes().all(|b| matches!(b, b'0' | b'.'))
}

/// Notes whether a font has no size; a share of no size is none.
fn set_size(value: &str, is_tiny: &mut bool) {
    let is_share = value.ends_with(['%', 'm', 'M']) && !value.to_ascii_lowercase().ends_with("rem");
    // `mm` and `cm` are sizes, `em` is a share.
    let is_share = is_share && (value.ends_with('%') || value.to_ascii_lowercase().ends_with("em"));
    if is_zero(value) {
        *is_tiny = true;
    } else if !is_share && !matches!(value, "" | "inherit" | "smaller" | "larger") {
        *is_tiny = false;
    }
}

fn blanks(value: &str) -> Option<Blanks> {
    [
        ("normal", Blanks::Folded),
        ("nowrap", Blanks::Folded),
        ("pre", Blanks::Kept),
        ("pre-wrap", Blanks::Wrapped),
        ("break-spaces", Blanks::Wrapped),
        ("pre-line", Blanks::Lines),
    ]
    .into_iter()
    .find_map(|(name, blanks)| value.eq_ignore_ascii_case(name).then_some(blanks))
}
