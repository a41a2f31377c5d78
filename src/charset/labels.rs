//! Which charset a name means: the one look-up for the whole program.
//!
//! Names are compared loosely, as glibc, ICU and mail programs need it: case, hyphens, underscores,
//! blanks and leading zeros do not count, nor do quotes around the name and what iconv (`//TRANSLIT`),
//! RFC 1345 (`:1987`) or another parameter (`; format=flowed`) puts behind it.

use encoding_rs as web;

use super::named::NamedCharset;
use super::tables::{self, Table};
use super::wide::ByteOrder;

/// The meaning of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// The charset.
    Known(NamedCharset),
    /// Unknown: there is no label, or one such as `unknown-8bit` (RFC 1428).
    None,
    /// It names a charset that we do not know.
    Unknown,
}

/// No name of a charset is longer.
const MAX_LABEL: usize = 80;

/// Looks up a label from a mail, a command line or a locale.
pub(crate) fn look_up(label: &str) -> Label {
    let usual = USUAL
        .iter()
        .find(|(name, _)| label.eq_ignore_ascii_case(name));
    match usual {
        Some((_, found)) => Label::Known(*found),
        None => look_up_any(label),
    }
}

/// What nearly all mail has, in a header line of every message of a long list.
const USUAL: [(&str, NamedCharset); 3] = [
    ("utf-8", NamedCharset::Web(web::UTF_8)),
    ("us-ascii", NamedCharset::Ascii),
    ("iso-8859-1", NamedCharset::Iso(web::WINDOWS_1252)),
];

/// Looks up a label in any spelling.
fn look_up_any(label: &str) -> Label {
    let name = bare_name(label);
    if name.len() > MAX_LABEL {
        return Label::Unknown;
    }
    let key = loose(name);
    if UNDECLARED.contains(&key.as_str()) {
        return Label::None;
    }
    // `x-` marks a name that is not registered, `cs` is what IANA's aliases begin with.
    let plain = ["x", "cs"].iter().find_map(|start| key.strip_prefix(start));
    let found = loosely_named(&key)
        .or_else(|| of_the_web(name))
        // `iso_ir_100`, `asmo_708`, `elot-928`: the standard has each with one of the two.
        .or_else(|| of_the_web(&name.replace('_', "-")))
        .or_else(|| of_the_web(&name.replace('-', "_")))
        .or_else(|| plain.and_then(loosely_named))
        .or_else(|| of_a_locale(name));
    found.map_or(Label::Unknown, Label::Known)
}

/// Returns the name alone: without quotes, blanks and what others add to it.
pub(crate) fn bare_name(label: &str) -> &str {
    let is_edge = |c: char| c.is_whitespace() || c.is_control() || "\"'<>,=".contains(c);
    let label = label.trim_matches(is_edge);
    let name = match label.split_at_checked("charset=".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("charset=") => rest,
        _ => label,
    };
    let name = name.split([';', ',']).next().unwrap_or_default();
    // A parameter behind it without a semicolon.
    let name = match name.split_once(char::is_whitespace) {
        Some((name, rest)) if rest.contains('=') => name,
        _ => name,
    };
    let name = name.split("//").next().unwrap_or_default();
    name.trim_matches(is_edge)
}

/// Returns a name as names are compared: letters and digits in lower case, without leading zeros.
fn loose(name: &str) -> String {
    // `ISO_8859-1:1987`: the year is no part of the number.
    let name = name.split_once(":1").map_or(name, |(before, _)| before);
    let name = name.split_once(":2").map_or(name, |(before, _)| before);
    let mut key = String::with_capacity(name.len());
    for c in name.chars().filter(|c| c.is_alphanumeric()) {
        if c != '0' || key.ends_with(|last: char| last.is_ascii_digit()) {
            key.extend(c.to_lowercase());
        }
    }
    key
}

/// Labels that say that the charset is unknown.
const UNDECLARED: [&str; 12] = [
    "",
    "unknown",
    "xunknown",
    "unknown8bit",
    "8bit",
    "7bit",
    "binary",
    "default",
    "none",
    "null",
    "undefined",
    "xuserdefined",
];

/// Finds a name in its loose form.
fn loosely_named(key: &str) -> Option<NamedCharset> {
    let alias = ALIASES.iter().find(|(names, _)| names.contains(&key));
    if let Some((_, found)) = alias {
        return Some(*found);
    }
    for (start, family) in FAMILIES {
        let number = key.strip_prefix(start).and_then(|rest| rest.parse().ok());
        if let Some(found) = number.and_then(family) {
            return Some(found);
        }
    }
    None
}

/// Finds the charset of a locale that stands for a label: `en_US.UTF-8`.
fn of_a_locale(name: &str) -> Option<NamedCharset> {
    let (_, charset) = name.split_once('.')?;
    let charset = charset.split('@').next().unwrap_or_default();
    loosely_named(&loose(charset)).or_else(|| of_the_web(charset))
}

/// Finds a label of the WHATWG Encoding Standard.
fn of_the_web(name: &str) -> Option<NamedCharset> {
    let found = web::Encoding::for_label(name.as_bytes())?;
    if found == web::REPLACEMENT || found == web::X_USER_DEFINED {
        return None;
    }
    Some(match found {
        _ if found == web::UTF_16LE => NamedCharset::Utf16(None),
        _ if found == web::UTF_16BE => NamedCharset::Utf16(Some(ByteOrder::Big)),
        // The standard reads these ISO charsets as the Windows ones that hold them.
        _ if [web::WINDOWS_1252, web::WINDOWS_1254, web::WINDOWS_874].contains(&found) => {
            NamedCharset::Iso(found)
        }
        _ => NamedCharset::Web(found),
    })
}

type Family = (&'static str, fn(u32) -> Option<NamedCharset>);

/// Names that end in a number, by what stands before it; a longer beginning comes first.
const FAMILIES: [Family; 14] = [
    ("iso8859", iso_8859),
    ("8859", iso_8859),
    ("isolatin", latin),
    ("latin", latin),
    ("l", latin),
    ("windows", code_page),
    ("codepage", code_page),
    ("win", code_page),
    ("ibm", code_page),
    ("dos", code_page),
    ("pc", code_page),
    ("cp", code_page),
    ("ms", code_page),
    ("", code_page),
];

/// Returns a part of ISO 8859.
fn iso_8859(part: u32) -> Option<NamedCharset> {
    Some(match part {
        1 => NamedCharset::Iso(web::WINDOWS_1252),
        2 => NamedCharset::Web(web::ISO_8859_2),
        3 => NamedCharset::Web(web::ISO_8859_3),
        4 => NamedCharset::Web(web::ISO_8859_4),
        5 => NamedCharset::Web(web::ISO_8859_5),
        6 => NamedCharset::Web(web::ISO_8859_6),
        7 => NamedCharset::Web(web::ISO_8859_7),
        8 => NamedCharset::Web(web::ISO_8859_8),
        9 => NamedCharset::Iso(web::WINDOWS_1254),
        10 => NamedCharset::Web(web::ISO_8859_10),
        11 => NamedCharset::Iso(web::WINDOWS_874),
        13 => NamedCharset::Web(web::ISO_8859_13),
        14 => NamedCharset::Web(web::ISO_8859_14),
        15 => NamedCharset::Web(web::ISO_8859_15),
        16 => NamedCharset::Web(web::ISO_8859_16),
        _ => return None,
    })
}

/// Returns the part of ISO 8859 that is Latin alphabet No. `number`.
fn latin(number: u32) -> Option<NamedCharset> {
    let part = match number {
        1..=4 => number,
        5 => 9,
        6 => 10,
        7 => 13,
        8 => 14,
        9 => 15,
        10 => 16,
        _ => return None,
    };
    iso_8859(part)
}

/// Returns the code page of this number, as Microsoft and IBM number them.
fn code_page(number: u32) -> Option<NamedCharset> {
    if let Some((_, table)) = CODE_PAGES.iter().find(|(page, _)| *page == number) {
        return Some(NamedCharset::Table(table));
    }
    // A part of ISO 8859 as IBM (left) and Microsoft (28591 and so on) number it.
    let part = match number {
        819 => 1,
        912..=916 => [2, 3, 4, 5, 8][number as usize - 912],
        813 => 7,
        920 => 9,
        919 => 10,
        921 => 13,
        923 => 15,
        1089 => 6,
        28591..=28606 => number - 28590,
        _ => 0,
    };
    iso_8859(part).or_else(|| {
        Some(match number {
            367 | 20127 => NamedCharset::Ascii,
            866 => NamedCharset::Web(web::IBM866),
            874 | 1162 => NamedCharset::Web(web::WINDOWS_874),
            932 | 942 | 943 => NamedCharset::Web(web::SHIFT_JIS),
            936 | 1386 => NamedCharset::Web(web::GBK),
            949 | 970 | 1363 | 51949 => NamedCharset::Web(web::EUC_KR),
            950 | 951 | 1370 => NamedCharset::Web(web::BIG5),
            954 | 33722 | 20932 | 51932 => NamedCharset::Web(web::EUC_JP),
            1200 | 1202 => NamedCharset::Utf16(None),
            1201 => NamedCharset::Utf16(Some(ByteOrder::Big)),
            1208 | 65001 => NamedCharset::Web(web::UTF_8),
            1250 => NamedCharset::Web(web::WINDOWS_1250),
            1251 | 5347 => NamedCharset::Web(web::WINDOWS_1251),
            1252 | 5348 => NamedCharset::Web(web::WINDOWS_1252),
            1253 => NamedCharset::Web(web::WINDOWS_1253),
            1254 => NamedCharset::Web(web::WINDOWS_1254),
            1255 => NamedCharset::Web(web::WINDOWS_1255),
            1256 | 9448 => NamedCharset::Web(web::WINDOWS_1256),
            1257 => NamedCharset::Web(web::WINDOWS_1257),
            1258 => NamedCharset::Web(web::WINDOWS_1258),
            1275 | 10000 => NamedCharset::Web(web::MACINTOSH),
            10007 | 10017 => NamedCharset::Web(web::X_MAC_CYRILLIC),
            12000 => NamedCharset::Utf32(Some(ByteOrder::Little)),
            12001 => NamedCharset::Utf32(Some(ByteOrder::Big)),
            20866 | 878 => NamedCharset::Web(web::KOI8_R),
            21866 | 1168 => NamedCharset::Web(web::KOI8_U),
            50220..=50222 => NamedCharset::Web(web::ISO_2022_JP),
            50225 => NamedCharset::Iso2022Kr,
            52936 => NamedCharset::Hz,
            54936 | 1392 => NamedCharset::Web(web::GB18030),
            65000 => NamedCharset::Utf7,
            _ => return None,
        })
    })
}

/// The code pages that have tables of ours.
static CODE_PAGES: [(u32, &Table); 25] = [
    (437, &tables::CP437),
    (720, &tables::CP720),
    (737, &tables::CP737),
    (775, &tables::CP775),
    (850, &tables::CP850),
    (852, &tables::CP852),
    (855, &tables::CP855),
    (857, &tables::CP857),
    (858, &tables::CP858),
    (860, &tables::CP860),
    (861, &tables::CP861),
    (862, &tables::CP862),
    (863, &tables::CP863),
    (864, &tables::CP864),
    (865, &tables::CP865),
    (869, &tables::CP869),
    (1051, &tables::HP_ROMAN8),
    (1125, &tables::CP1125),
    (10006, &tables::MAC_GREEK),
    (10010, &tables::MAC_ROMANIAN),
    (10029, &tables::MAC_LATIN2),
    (10079, &tables::MAC_ICELANDIC),
    (10081, &tables::MAC_TURKISH),
    (10082, &tables::MAC_CROATIAN),
    (1282, &tables::MAC_LATIN2),
];

/// Names that are no number, in their loose form.
static ALIASES: [(&[&str], NamedCharset); 59] = [
    (
        &[
            "ascii",
            "usascii",
            "us",
            "646",
            "iso646us",
            "iso646",
            "iso646irv",
            "iso646irv1991",
            "ansix34",
            "ansix341968",
            "ansix341986",
            "isoir6",
            "isoir6us",
            "c",
            "posix",
            "ansi",
        ],
        NamedCharset::Ascii,
    ),
    (
        &[
            "utf8",
            "u8",
            "utf8n",
            "utf8sig",
            "utf8bom",
            "utf8mac",
            "utf8mb4",
            "iso10646utf8",
            "unicode11utf8",
            "unicode20utf8",
        ],
        NamedCharset::Web(web::UTF_8),
    ),
    (
        &["utf7", "u7", "unicode11utf7", "unicode20utf7"],
        NamedCharset::Utf7,
    ),
    (
        &["utf7imap", "imap4utf7", "imaputf7"],
        NamedCharset::Utf7Imap,
    ),
    (
        &[
            "utf16",
            "u16",
            "ucs2",
            "iso10646",
            "iso10646ucs2",
            "iso10646ucsbasic",
            "unicode",
        ],
        NamedCharset::Utf16(None),
    ),
    (
        &[
            "utf16le",
            "ucs2le",
            "unicodelittle",
            "unicodelittleunmarked",
            "unicodefeff",
        ],
        NamedCharset::Utf16(Some(ByteOrder::Little)),
    ),
    (
        &[
            "utf16be",
            "ucs2be",
            "unicodebig",
            "unicodebigunmarked",
            "unicodefffe",
        ],
        NamedCharset::Utf16(Some(ByteOrder::Big)),
    ),
    (
        &["utf32", "u32", "ucs4", "iso10646ucs4"],
        NamedCharset::Utf32(None),
    ),
    (
        &["utf32le", "ucs4le"],
        NamedCharset::Utf32(Some(ByteOrder::Little)),
    ),
    (
        &["utf32be", "ucs4be"],
        NamedCharset::Utf32(Some(ByteOrder::Big)),
    ),
    (
        &[
            "shiftjis",
            "shiftjisms",
            "sjis",
            "mskanji",
            "pck",
            "macjapanese",
            "sjiswin",
            "windows31j",
            "sjisopen",
            "shiftjisx213",
            "sjisx213",
            "shiftjis2004",
            "sjis2004",
        ],
        NamedCharset::Web(web::SHIFT_JIS),
    ),
    (
        &[
            "eucjp",
            "ujis",
            "ibmeucjp",
            "eucjpms",
            "eucjpwin",
            "eucjpopen",
            "eucjisx213",
            "eucjis2004",
        ],
        NamedCharset::Web(web::EUC_JP),
    ),
    (
        &[
            "iso2022jp",
            "iso2022jp1",
            "iso2022jp2",
            "iso2022jp3",
            "iso2022jp2004",
            "iso2022jpext",
            "iso2022jpms",
            "jis",
        ],
        NamedCharset::Web(web::ISO_2022_JP),
    ),
    (
        &[
            "gb2312",
            "gb23121980",
            "gb231280",
            "euccn",
            "ibmeuccn",
            "hp15cn",
            "cngb",
            "gbk",
            "macchinesesimp",
            "macsimpchinese",
            "eucgb2312cn",
        ],
        NamedCharset::Web(web::GBK),
    ),
    (
        &["gb18030", "gb180302000", "gb180302005"],
        NamedCharset::Web(web::GB18030),
    ),
    (&["hz", "hzgb", "hzgb2312"], NamedCharset::Hz),
    (
        &[
            "big5",
            "bigfive",
            "cnbig5",
            "big5hkscs",
            "big5hk",
            "big5eten",
            "big5hkscs1999",
            "big5hkscs2001",
            "big5hkscs2004",
            "big5hkscs2008",
            "macchinesetrad",
            "mactradchinese",
            "big5tw",
            "hkscs",
        ],
        NamedCharset::Web(web::BIG5),
    ),
    (
        &[
            "euckr",
            "mscp949",
            "ibmeuckr",
            "uhc",
            "5601",
            "ksc5601",
            "ks5601",
            "ksc56011987",
            "ksc56011989",
            "ksc56011992",
            "ksx1001",
            "mackorean",
        ],
        NamedCharset::Web(web::EUC_KR),
    ),
    (&["iso2022kr"], NamedCharset::Iso2022Kr),
    (&["koi8r", "koi8"], NamedCharset::Web(web::KOI8_R)),
    (&["koi8u", "koi8ru"], NamedCharset::Web(web::KOI8_U)),
    (&["koi8t"], NamedCharset::Table(&tables::KOI8_T)),
    (
        &["ibm866nav", "cp866nav", "alternativnyj"],
        NamedCharset::Web(web::IBM866),
    ),
    (&["ruscii"], NamedCharset::Table(&tables::CP1125)),
    (
        &["kz1048", "rk1048", "strk10482002"],
        NamedCharset::Table(&tables::RK1048),
    ),
    (
        &["pt154", "ptcp154", "csptcp154"],
        NamedCharset::Table(&tables::PT154),
    ),
    (&["armscii8"], NamedCharset::Table(&tables::ARMSCII_8)),
    (&["georgianps"], NamedCharset::Table(&tables::GEORGIAN_PS)),
    (
        &[
            "tis620",
            "tis6200",
            "tis62025291",
            "tis62025330",
            "tis62025331",
            "tis62025290",
            "thai8",
            "isoir166",
        ],
        NamedCharset::Iso(web::WINDOWS_874),
    ),
    (
        &["roman8", "hproman8", "r8"],
        NamedCharset::Table(&tables::HP_ROMAN8),
    ),
    (
        &["macintosh", "mac", "macroman"],
        NamedCharset::Web(web::MACINTOSH),
    ),
    (
        &[
            "maccyrillic",
            "msmaccyrillic",
            "macukrainian",
            "macukraine",
            "macuk",
        ],
        NamedCharset::Web(web::X_MAC_CYRILLIC),
    ),
    (
        &[
            "macce",
            "maccentraleurope",
            "maccentraleuropean",
            "maccenteuro",
            "maccentraleurroman",
            "maclatin2",
        ],
        NamedCharset::Table(&tables::MAC_LATIN2),
    ),
    (&["macgreek"], NamedCharset::Table(&tables::MAC_GREEK)),
    (&["macturkish"], NamedCharset::Table(&tables::MAC_TURKISH)),
    (
        &["macicelandic", "maciceland", "macis"],
        NamedCharset::Table(&tables::MAC_ICELANDIC),
    ),
    (&["maccroatian"], NamedCharset::Table(&tables::MAC_CROATIAN)),
    (
        &["macromanian", "macromania"],
        NamedCharset::Table(&tables::MAC_ROMANIAN),
    ),
    (&["pc8codepage437"], NamedCharset::Table(&tables::CP437)),
    (&["pc850multilingual"], NamedCharset::Table(&tables::CP850)),
    (&["cpgr"], NamedCharset::Table(&tables::CP869)),
    (&["cpis", "cpibm861"], NamedCharset::Table(&tables::CP861)),
    (&["pcp852"], NamedCharset::Table(&tables::CP852)),
    (
        &["pcmultilingual850euro", "pc858multilingual"],
        NamedCharset::Table(&tables::CP858),
    ),
    (&["pc862latinhebrew"], NamedCharset::Table(&tables::CP862)),
    (&["pc775baltic"], NamedCharset::Table(&tables::CP775)),
    (&["winbaltrim"], NamedCharset::Web(web::WINDOWS_1257)),
    (&["msee"], NamedCharset::Web(web::WINDOWS_1250)),
    (&["mscyrl"], NamedCharset::Web(web::WINDOWS_1251)),
    (&["msansi"], NamedCharset::Web(web::WINDOWS_1252)),
    (&["msgreek"], NamedCharset::Web(web::WINDOWS_1253)),
    (&["msturk"], NamedCharset::Web(web::WINDOWS_1254)),
    (&["mshebr"], NamedCharset::Web(web::WINDOWS_1255)),
    (&["msarab"], NamedCharset::Web(web::WINDOWS_1256)),
    (
        &["baltic", "isobaltic", "isoir179"],
        NamedCharset::Web(web::ISO_8859_13),
    ),
    (
        &["isoceltic", "isoir199"],
        NamedCharset::Web(web::ISO_8859_14),
    ),
    (&["isoir203"], NamedCharset::Web(web::ISO_8859_15)),
    (&["isoir226"], NamedCharset::Web(web::ISO_8859_16)),
    (
        &["latin", "iso8859", "8859", "decmcs"],
        NamedCharset::Iso(web::WINDOWS_1252),
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_names_mean_what_they_mean_in_any_spelling() {
        for (name, found) in USUAL {
            assert_eq!(look_up_any(name), Label::Known(found), "{name}");
        }
    }
}
