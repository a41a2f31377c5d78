//! Labels as people and programs write them, and texts without one.

use proptest::prelude::*;

use super::*;

/// Labels, bytes, and the text that they must become.
type Row = (&'static [&'static str], &'static [u8], &'static str);

#[rustfmt::skip]
const LABELS: &[Row] = &[
    // ASCII, as glibc, iconv, Solaris and mail programs write it. It is never believed against other bytes.
    (&["ANSI_X3.4-1968", "ANSI_X3.4-1986", "US-ASCII", "us-ascii", "ascii", "ASCII", "646", "ISO646-US", "iso-ir-6", "ISO_646.irv:1991", "cp367", "IBM367", "csASCII", "us"], b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93", "Größe ✓"),
    (&["ANSI_X3.4-1968", "us-ascii", "646"], b"Gr\xf6\xdfe \x80", "Größe €"),
    // UTF-8.
    (&["utf-8", "UTF-8", "utf8", "UTF8", "UTF_8", "utf-8//TRANSLIT", "UTF-8//IGNORE", "cp65001", "IBM-1208", "unicode-1-1-utf-8", "x-utf-8", "utf8mb4", "UTF-8-MAC"], b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93", "Größe ✓"),
    // Quotes, blanks and more around it.
    (&["\"utf-8\" "], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["'utf-8'"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&[" utf-8 "], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["utf-8, format=flowed", "utf-8 format=flowed"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["utf-8;"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["utf-8; format=flowed"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["\tUTF-8\r\n"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["<utf-8>"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["charset=utf-8"], b"Gr\xc3\xb6\xc3\x9fe", "Größe"),
    (&["\"koi8-r\" ;"], b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
    // UTF-7.
    (&["utf-7", "UTF-7", "unicode-1-1-utf-7", "csUnicode11UTF7", "x-unicode-2-0-utf-7", "cp65000"], b"Gr+APYAKycT--", "Grö+✓-"),
    // UTF-16 and UTF-32.
    (&["utf-16", "UTF-16", "ucs-2", "iso-10646-ucs-2", "csUnicode", "cp1200"], b"\xff\xfeG\x00r\x00\xf6\x00\x13'", "Grö✓"),
    (&["utf-16le", "UCS-2LE", "utf-16", "unicode"], b"G\x00r\x00\xf6\x00", "Grö"),
    (&["utf-16be", "UCS-2BE", "utf-16", "cp1201"], b"\x00G\x00r\x00\xf6", "Grö"),
    (&["utf-32", "UCS-4"], b"\xff\xfe\x00\x00G\x00\x00\x00r\x00\x00\x00\xf6\x00\x00\x00\x13'\x00\x00", "Grö✓"),
    (&["utf-32le", "ucs-4le"], b"G\x00\x00\x00r\x00\x00\x00\xf6\x00\x00\x00", "Grö"),
    (&["utf-32be", "UCS-4BE", "iso-10646-ucs-4"], b"\x00\x00\x00G\x00\x00\x00r\x00\x00\x00\xf6", "Grö"),
    // ISO 8859.
    (&["iso-8859-1", "ISO_8859-1:1987", "iso8859-1", "ISO88591", "8859_1", "latin1", "latin-1", "l1", "iso-ir-100", "cp819", "IBM-819", "csISOLatin1", "ISO8859_1", "iso-8859-01"], b"Gr\xf6\xdfe", "Größe"),
    (&["iso-8859-2", "latin2", "l2", "8859_2", "ISO8859-2", "cp912"], b"\xa3\xf3d\xbc", "Łódź"),
    (&["iso-8859-5", "ISO_8859-5:1988", "cyrillic", "cp915"], b"\xbf\xe0\xd8\xd2\xd5\xe2", "Привет"),
    (&["iso-8859-7", "ELOT_928", "greek", "cp813"], b"\xc1\xe8\xde\xed\xe1", "Αθήνα"),
    (&["iso-8859-9", "latin5", "l5", "ISO8859-9", "cp920"], b"\xdd\xf0\xfe", "İğş"),
    (&["iso-8859-13", "latin7", "cp921"], b"\xdbdens", "Ūdens"),
    (&["iso8859-15", "ISO-8859-15", "latin9", "latin-9", "l9", "csISOLatin9", "ISO_8859-15", "cp923", "28605"], b"5 \xa4", "5 €"),
    (&["iso-8859-16", "latin10"], b"\xaatefan", "Ștefan"),
    (&["tis-620", "ISO-8859-11", "cp874", "windows-874"], b"\xa1", "ก"),
    // Windows.
    (&["windows-1250", "cp1250", "WINDOWS-1250", "x-cp1250"], b"\xa3\xf3d\x9f", "Łódź"),
    (&["windows-1251", "cp1251", "CP-1251", "win1251", "ms1251", "cswindows1251"], b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет"),
    (&["windows-1252", "cp1252", "cp-1252", "IBM-1252", "ansi-1252", "x-cp1252", "1252"], b"5 \x80", "5 €"),
    (&["cp1253", "windows-1253"], b"\xc1\xe8\xde\xed\xe1", "Αθήνα"),
    (&["cp1254", "windows-1254"], b"\x80 \xdd\xf0\xfe", "€ İğş"),
    (&["cp1255", "windows-1255"], b"\xf9\xec\xe5\xed", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
    (&["cp1256", "windows-1256"], b"\xd3\xe1\xc7\xe3", "\u{633}\u{644}\u{627}\u{645}"),
    (&["cp1257", "windows-1257", "WINBALTRIM"], b"\xdbdens", "Ūdens"),
    (&["cp1258", "windows-1258"], b"\xf5", "ơ"),
    // DOS.
    (&["cp437", "IBM437", "437", "csPC8CodePage437", "dos-437"], b"Gr\x94\xe1e \xb3 \xab", "Größe │ ½"),
    (&["cp850", "IBM850", "ibm-850", "850", "csPC850Multilingual", "CP00850"], b"Gr\x94\xe1e \xb3 \xab", "Größe │ ½"),
    (&["cp852", "IBM852", "csPCp852"], b"\x9d\xa2d\xab", "Łódź"),
    (&["cp855", "IBM855"], b"\xdd\xe1\xb7\xeb\xa8\xe5", "Привет"),
    (&["cp857", "ibm857"], b"\x98\xa7\x9f", "İğş"),
    (&["cp858", "IBM00858", "PC-Multilingual-850+euro"], b"5 \xd5", "5 €"),
    (&["cp860"], b"a\x87\x84o", "ação"),
    (&["cp861"], b"\x8d\xa2r", "Þór"),
    (&["cp862"], b"\x99\x8c\x85\x8d", "\u{5e9}\u{5dc}\u{5d5}\u{5dd}"),
    (&["cp863"], b"Qu\x82bec", "Québec"),
    (&["cp865"], b"\x92r\x9b", "Ærø"),
    (&["cp866", "IBM866", "866"], b"\x8f\xe0\xa8\xa2\xa5\xe2", "Привет"),
    (&["cp737"], b"\x80\x9f\xe3\xa4\x98", "Αθήνα"),
    (&["cp775"], b"\xc7dens", "Ūdens"),
    (&["cp869"], b"\xa4\xe2\x9e\xe7\xd6", "Αθήνα"),
    (&["cp1125"], b"\x8f\xe0\xa8\xa2\xf7\xe2 \xf3", "Привіт ґ"),
    // Chinese, Japanese, Korean.
    (&["shift_jis", "Shift-JIS", "sjis", "x-sjis", "cp932", "MS932", "IBM-943", "windows-31j", "PCK", "ms_kanji"], b"\x93\xfa\x96{\x8c\xea", "日本語"),
    (&["euc-jp", "eucJP", "IBM-eucJP", "ujis"], b"\xc6\xfc\xcb\xdc\xb8\xec", "日本語"),
    (&["iso-2022-jp", "ISO2022JP", "csISO2022JP", "iso-2022-jp-1"], b"\x1b$BF|K\\8l\x1b(B", "日本語"),
    (&["gb2312", "GB_2312-80", "EUC-CN", "eucCN", "chinese", "gbk", "cp936", "ms936", "MS936", "x-gbk"], b"\xd6\xd0\xce\xc4", "中文"),
    (&["gb18030", "GB-18030", "cp54936"], b"\xd6\xd0\xce\xc4\xa2\xe3", "中文€"),
    (&["hz-gb-2312", "hz", "HZ"], b"a ~{VPND~} b", "a 中文 b"),
    (&["big5", "Big5", "cn-big5", "big-5", "cp950"], b"\xa4\xa4\xa4\xe5", "中文"),
    (&["big5-hkscs", "BIG5-HKSCS:2004"], b"\xa4\xa4\xa4\xe5", "中文"),
    (&["euc-kr", "eucKR", "ks_c_5601-1987", "KSC5601", "5601", "cp949", "uhc", "windows-949", "IBM-eucKR"], b"\xc7\xd1\xb1\xb9\xbe\xee", "한국어"),
    (&["iso-2022-kr", "ISO2022KR", "cp50225"], b"a \x1b$)C\x0eGQ19>n\x0f b", "a 한국어 b"),
    // KOI8, Macintosh and old Unix.
    (&["koi8-r", "KOI8R", "koi8_r", "cp878"], b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
    (&["koi8-u", "KOI8U", "koi8-ru"], b"\xf0\xd2\xc9\xd7\xa6\xd4", "Привіт"),
    (&["koi8-t"], b"\x8d", "ҷ"),
    (&["macintosh", "mac", "x-mac-roman", "MacRoman", "cp10000"], b"Gr\x9a\xa7e", "Größe"),
    (&["x-mac-cyrillic", "x-mac-ukrainian"], b"\x8f\xf0\xe8\xe2\xe5\xf2", "Привет"),
    (&["x-mac-ce", "x-mac-centraleurroman", "MAC-CENTRALEUROPE"], b"\xfc\x97d\x90", "Łódź"),
    (&["x-mac-greek", "MacGreek"], b"\xb0\xf5\xdc\xee\xe1", "Αθήνα"),
    (&["x-mac-turkish"], b"\xdc\xdb\xdf", "İğş"),
    (&["x-mac-icelandic"], b"\xde\x97r", "Þór"),
    (&["hp-roman8", "roman8", "r8"], b"Gr\xce\xdee", "Größe"),
    (&["RK1048", "STRK1048-2002", "kz-1048"], b"\xaa", "Ғ"),
    (&["PT154"], b"\x81", "Ғ"),
    // Either of `-` and `_`, a locale for a charset, and names of glibc, Java and Python.
    (&["iso_ir_100", "iso-8859", "DEC-MCS", "de_DE.ISO-8859-1", "de_DE.iso88591@euro"], b"Gr\xf6\xdfe", "Größe"),
    (&["iso_ir_144"], b"\xbf\xe0\xd8\xd2\xd5\xe2", "Привет"),
    (&["elot-928", "ecma_118"], b"\xc1\xe8\xde\xed\xe1", "Αθήνα"),
    (&["asmo_708", "ecma_114"], b"\xd3\xe4\xc7\xe5", "\u{633}\u{644}\u{627}\u{645}"),
    (&["C.UTF-8", "en_US.UTF-8", "POSIX", "C"], b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93", "Größe ✓"),
    (&["ru_RU.KOI8-R"], b"\xf0\xd2\xc9\xd7\xc5\xd4", "Привет"),
    (&["UnicodeLittleUnmarked"], b"G\x00r\x00\xf6\x00", "Grö"),
    (&["UnicodeBigUnmarked"], b"\x00G\x00r\x00\xf6", "Grö"),
    (&["CP-GR"], b"\xa4\xe2\x9e\xe7\xd6", "Αθήνα"),
    (&["CP-IS", "CPIBM861"], b"\x8d\xa2r", "Þór"),
    (&["cp1162", "THAI8", "tis-620-2529-0"], b"\xa1", "ก"),
    (&["Shift_JISX0213", "shift_jis-2004", "SJIS-OPEN"], b"\x93\xfa\x96{\x8c\xea", "日本語"),
    (&["EUC-JISX0213", "euc_jis_2004"], b"\xc6\xfc\xcb\xdc\xb8\xec", "日本語"),
    (&["iso-2022-jp-2004", "iso-2022-jp-ext"], b"\x1b$BF|K\\8l\x1b(B", "日本語"),
    (&["big5-tw", "hkscs", "x-mac-trad-chinese"], b"\xa4\xa4\xa4\xe5", "中文"),
    (&["x-mac-simp-chinese"], b"\xd6\xd0\xce\xc4", "中文"),
    // No charset: UTF-8 if that is what it is, else windows-1252.
    (&["", "unknown-8bit", "x-unknown", "UNKNOWN", "default", "binary", "8bit", "none", "\"\"", ";", "x-user-defined", "undefined"], b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93", "Größe ✓"),
    (&["", "unknown-8bit", "x-unknown", "default", "binary", "8bit", "none", "\"\""], b"5 \x80 Gr\xf6\xdfe", "5 € Größe"),
    // Unknown: the same.
    (&["nonesuch", "x-nonesuch", "cp9999", "iso-8859-12", "iso-8859-99", "utf-9", "EBCDIC-US", "ISO-2022-CN", "日本語", "=?", "../../etc/passwd"], b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93", "Größe ✓"),
    (&["nonesuch", "cp9999", "JOHAB"], b"5 \x80 Gr\xf6\xdfe", "5 € Größe"),
];

fn read(bytes: &[u8], label: &str) -> String {
    let whole = in_charset(bytes, Some(label)).into_owned();
    let mut pieces = String::new();
    each_in_charset(bytes, Some(label), &mut |piece| pieces.push_str(piece));
    assert_eq!(pieces, whole, "{label}: in pieces it reads otherwise");
    whole
}

#[test]
fn labels_as_programs_write_them() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (labels, bytes, text) in LABELS {
        for label in *labels {
            count += 1;
            let found = read(bytes, label);
            if found != *text {
                wrong.push(format!("{label:?}: {found:?} instead of {text:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= 250, "only {count} labels");
}

/// Whether a label is missing or not known makes no other text; but what is not known is said.
#[test]
fn labels_that_say_nothing_are_not_unknown() {
    for label in [
        "",
        " ",
        "unknown-8bit",
        "x-unknown",
        "Default",
        "binary",
        "8bit",
        "\"\"",
    ] {
        assert_eq!(look_up(label), Label::None, "{label:?}");
    }
    for label in [
        "nonesuch",
        "cp9999",
        "iso-8859-12",
        "utf-9",
        "日本語",
        "\u{1b}[31m",
    ] {
        assert_eq!(look_up(label), Label::Unknown, "{label:?}");
    }
    let long = "u".repeat(10_000_000);
    assert_eq!(look_up(&long), Label::Unknown);
}

/// A label is believed, but not against what the bytes say themselves.
#[test]
fn labels_that_the_bytes_prove_wrong() {
    let cases: &[(&[u8], &str, &str)] = &[
        (b"caf\xe9", "us-ascii", "café"),
        ("Größe".as_bytes(), "utf-7", "Größe"),
        ("Größe".as_bytes(), "hz-gb-2312", "Größe"),
        ("Größe".as_bytes(), "iso-2022-kr", "Größe"),
        ("Größe".as_bytes(), "iso-2022-jp", "Größe"),
        (b"caf\xc3\xa9", "iso-8859-1", "cafÃ©"),
        (b"\xff", "utf-8", "\u{fffd}"),
        // PowerShell writes UTF-16, and what sends it calls it UTF-8.
        (b"\xff\xfeh\0i\0", "utf-8", "hi"),
        (b"\xfe\xff\0h\0i", "us-ascii", "hi"),
        (b"\xff\xfe\0\0h\0\0\0", "", "h"),
        (b"\xff\xfeh\0i", "", "ÿþh\0i"),
        // The byte order mark outranks the order of the label, and is no text.
        (b"\xff\xfeh\0", "utf-16be", "h"),
        (b"\xef\xbb\xbfhi", "utf-8", "hi"),
        (b"h\0\xd8", "utf-16le", "h\u{fffd}"),
        (b"+AGA", "utf-7", "`"),
        (b"a+-b + c+", "utf-7", "a+b + c+"),
        (b"+2D3eAA-!", "utf-7", "\u{1f600}!"),
        (b"A&AOk-&-", "utf-7-imap", "Aé&"),
        (b"~{VPND~}~~x~\ny", "hz", "中文~xy"),
    ];
    for (bytes, label, expected) in cases {
        assert_eq!(read(bytes, label), *expected, "{label} {bytes:?}");
    }
}

#[test]
fn bytes_without_a_label() {
    let table: &[(&[u8], &str, &str)] = &[
        (b"plain", "us-ascii", "plain"),
        (b"", "us-ascii", ""),
        ("Größe".as_bytes(), "utf-8", "Größe"),
        (b"Gr\xf6\xdfe \x80", "windows-1252", "Größe €"),
        (b"caf\xe9 \x81", "iso-8859-1", "café \u{81}"),
        (b"\xed\xa0\x80", "windows-1252", "í\u{a0}€"),
    ];
    for (bytes, charset, text) in table {
        assert_eq!(Charset::of(bytes).name(), *charset);
        assert_eq!(decode_text(bytes), *text);
    }
    let every: Vec<u8> = (0..=255).collect();
    for bytes in [
        &every[..],
        "Größe".as_bytes(),
        b"Gr\xc3\xb6\xc3\x9fe \xc3",
        b"\xff\xfeh\0",
    ] {
        let (text, charset) = decode_reversibly(bytes);
        assert_eq!(encode_text(&text, charset), bytes);
    }
    // More characters than bad places: UTF-8. As many or fewer: a text of another charset, in which
    // every byte has a meaning.
    let mixed: &[(&[u8], &str)] = &[
        (
            b"Gr\xc3\xb6\xc3\x9fe \xe2\x9c\x93\ncut \xc3\n",
            "Größe ✓\ncut \u{fffd}\n",
        ),
        (b"Gr\xc3\xb6\xc3\x9fe \xff", "Größe \u{fffd}"),
        (b"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa", "日本\u{fffd}"),
        // A sign such as ✓ or an emoji weighs as two: other charsets have no such text.
        (b"\xe2\x9c\x93 done\ncut \xc3\n", "✓ done\ncut \u{fffd}\n"),
        (b"\xf0\x9f\x94\xa5 \xff", "\u{1f525} \u{fffd}"),
        (b"\xf0\x9f\x94\xa5 \xff \xe9", "ðŸ”¥ ÿ é"),
        (b"valid\xe9\xa0\xbb r\xe9ussi", "validé\u{a0}» réussi"),
        (b"caf\xc3\xa9 \xff", "cafÃ© ÿ"),
        (b"Gr\xf6\xdfe \xc3\xa9", "Größe Ã©"),
        // DOS, as a screen shows it: a frame, in which C4 BF is one character of UTF-8.
        (b"\xda\xc4\xc4\xbf", "ÚÄÄ¿"),
    ];
    for (bytes, text) in mixed {
        assert_eq!(decode_text(bytes), *text, "{bytes:?}");
        assert_eq!(read(bytes, ""), *text, "in pieces: {bytes:?}");
    }
}

/// Bytes of no charset are counted to a point; they are no text of UTF-8 whatever comes.
#[test]
fn the_count_of_bad_bytes_ends() {
    let mut count = Utf8Count::default();
    for _ in 0..1000 {
        count.push(&[0xff; 10_000]);
    }
    count.end();
    assert!(!count.is_valid() && !count.is_mostly_valid());
}

/// Inserts bytes into a text, before its characters.
fn with_bad_bytes(text: &str, bad: &[(usize, u8)]) -> Vec<u8> {
    let mut pieces: Vec<Vec<u8>> = text.chars().map(|c| c.to_string().into_bytes()).collect();
    for (place, byte) in bad {
        let place = place % (pieces.len() + 1);
        pieces.insert(place, vec![*byte]);
    }
    pieces.concat()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn fewer_bad_bytes_than_characters_leave_a_text_utf_8(
        text in "[a-z äöß✓日\u{1f600}\n]{0,60}",
        bad in prop::collection::vec((0usize..100, 0x80u8..), 0..20),
    ) {
        let characters = text.chars().filter(|c| !c.is_ascii()).count();
        let bad = &bad[..bad.len().min(characters.saturating_sub(1))];
        let bytes = with_bad_bytes(&text, bad);
        prop_assert!(matches!(Charset::of(&bytes), Charset::Utf8 | Charset::UsAscii));
        // All of the text is there still.
        let decoded = decode_text(&bytes);
        let ascii = |text: &str| text.chars().filter(char::is_ascii).collect::<String>();
        prop_assert_eq!(ascii(&decoded), ascii(&text));
    }

    #[test]
    fn blocks_are_counted_as_the_whole(
        bytes in prop::collection::vec(prop_oneof![Just(b'a'), 0x80u8.., Just(0xc3), Just(0xb6)], 0..60),
        size in 1usize..8,
    ) {
        let count = |size: usize| {
            let mut count = Utf8Count::default();
            bytes.chunks(size).for_each(|block| count.push(block));
            count.end();
            count
        };
        prop_assert_eq!(count(size), count(1000));
        prop_assert_eq!(count(size).is_valid(), std::str::from_utf8(&bytes).is_ok());
    }

    #[test]
    fn latin_1_is_not_taken_for_utf_8(text in "[a-z äöüßéèà\n]{1,60}") {
        let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
        prop_assert_eq!(decode_text(&bytes), text.as_str());
    }

    #[test]
    fn no_bytes_under_no_label_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..80),
        row in 0..LABELS.len(),
    ) {
        let (labels, ..) = LABELS[row];
        read(&bytes, labels[0]);
    }

    #[test]
    fn terminals_get_back_what_they_wrote(c in prop_oneof![any::<char>(), prop::char::range('\u{80}', '\u{2600}')], row in 0..LABELS.len()) {
        let (labels, ..) = LABELS[row];
        if let Label::Known(charset @ (NamedCharset::Table(_) | NamedCharset::Iso(_))) = look_up(labels[0])
            && let Some(bytes) = charset.encode(c)
        {
            prop_assert_eq!(read(&bytes, labels[0]), c.to_string());
        }
    }
}
