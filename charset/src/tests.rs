use proptest::prelude::*;

use super::*;

/// Per line a charset and the characters of its 256 bytes, fffd where MySQL 9.7 has none.
const SINGLE: &str = include_str!("served.txt");

/// Per line a charset and `code=character` of a sample of its codes; nothing behind `=` where MySQL
/// 9.7 has no character.
const MULTI: &str = include_str!("served_multi.txt");

fn code(hex: &str) -> u32 {
    u32::from_str_radix(hex, 16).unwrap()
}

#[test]
fn every_byte_of_every_single_byte_charset_means_what_the_server_says() {
    let mut count = 0;
    for line in SINGLE.lines() {
        let (name, codes) = line.split_once(' ').unwrap();
        let charset = Charset::named(name).unwrap();
        assert_eq!(charset.len_max(), 1);
        for (byte, expected) in (0..=255_u8).zip(codes.split(',').map(code)) {
            let found = charset.decode(std::slice::from_ref(&byte));
            let expected = char::from_u32(expected).filter(|&c| c != '\u{fffd}');
            let found = found.map(|text| text.chars().collect::<Vec<_>>());
            assert_eq!(found, expected.map(|c| vec![c]), "{name} {byte:02x}");
            let back = expected.map(|c| charset.encode(&c.to_string()).unwrap().into_owned());
            // Some sets have two bytes for one character; the first one is written.
            if let Some(back) = back {
                assert_eq!(
                    charset.decode(&back).unwrap(),
                    expected.unwrap().to_string(),
                    "{name} {byte:02x}"
                );
            }
        }
        count += 1;
    }
    assert_eq!(count, 25);
}

#[test]
fn codes_of_multi_byte_charsets_mean_what_the_server_says() {
    let mut count = 0;
    for line in MULTI.lines() {
        let (name, codes) = line.split_once(' ').unwrap();
        let charset = Charset::named(name).unwrap();
        let mut whole = Vec::new();
        let mut text = String::new();
        for (bytes, expected) in codes.split(',').map(|pair| pair.split_once('=').unwrap()) {
            let bytes = code(bytes).to_be_bytes();
            let start = bytes.iter().position(|&byte| byte != 0).unwrap();
            let bytes = &bytes[start..];
            let found = charset.decode(bytes);
            if expected.is_empty() {
                assert_eq!(found, None, "{name} {bytes:02x?}");
                continue;
            }
            let expected = char::from_u32(code(expected)).unwrap();
            assert_eq!(found.unwrap(), expected.to_string(), "{name} {bytes:02x?}");
            whole.extend_from_slice(bytes);
            whole.push(b'a');
            text.push(expected);
            text.push('a');
            count += 1;
        }
        assert_eq!(charset.decode(&whole).unwrap(), text, "{name}");
    }
    assert!(count > 1500, "{count}");
}

#[test]
fn unicode_charsets_are_read_in_their_byte_order() {
    for (name, bytes) in [
        ("utf16", &b"\0a\xd8\x3d\xde\0"[..]),
        ("utf16le", b"a\0\x3d\xd8\0\xde"),
        ("utf32", b"\0\0\0a\0\x01\xf6\0"),
        ("utf8mb4", "a\u{1f600}".as_bytes()),
    ] {
        let charset = Charset::named(name).unwrap();
        assert_eq!(charset.decode(bytes).unwrap(), "a\u{1f600}");
        assert_eq!(charset.decode(&bytes[..bytes.len() - 1]), None, "{name}");
        assert_eq!(charset.encode("a\u{1f600}").unwrap(), bytes, "{name}");
    }
    let narrow = Charset::UTF8MB3;
    assert_eq!(narrow.decode("\u{20ac}".as_bytes()).unwrap(), "\u{20ac}");
    assert_eq!(narrow.decode("\u{1f600}".as_bytes()), None);
    assert_eq!(narrow.encode("a\u{1f600}"), Err('\u{1f600}'));
    let ucs2 = Charset::named("ucs2").unwrap();
    assert_eq!(ucs2.decode(b"\x20\xac").unwrap(), "\u{20ac}");
    assert_eq!(ucs2.encode("\u{20ac}").unwrap(), &b"\x20\xac"[..]);
    assert_eq!(ucs2.encode("\u{1f600}"), Err('\u{1f600}'));
    assert_eq!(ucs2.decode(b"\xd8\x3d"), None);
    assert_eq!(ucs2.decode(b"\x20"), None);
}

#[test]
fn collations_name_their_charsets() {
    for (id, mysql, mariadb) in [
        (8, Some("latin1"), Some("latin1")),
        (28, Some("gbk"), Some("gbk")),
        (33, Some("utf8mb3"), Some("utf8mb3")),
        (63, Some("binary"), Some("binary")),
        (248, Some("gb18030"), None),
        (255, Some("utf8mb4"), Some("utf8mb4")),
        (309, Some("utf8mb4"), Some("utf8mb4")),
        (2304, None, Some("utf8mb4")),
        (0, None, None),
        (u16::MAX, None, None),
    ] {
        let name = |found: Option<&'static Charset>| found.map(Charset::name);
        assert_eq!(name(Charset::of_mysql_collation(id)), mysql, "{id}");
        assert_eq!(name(Charset::of_mariadb_collation(id)), mariadb, "{id}");
    }
    let is_sorted = COLLATIONS.windows(2).all(|pair| pair[0].1 < pair[1].0);
    assert!(is_sorted);
    assert_eq!(Charset::named("utf8"), Charset::named("utf8mb3"));
    assert_eq!(Charset::named("klingon"), None);
    assert!(Charset::named("binary").unwrap().is_binary());
    assert_eq!(Charset::named("binary").unwrap().decode(b"a"), None);
    assert_eq!(Charset::named("ascii").unwrap().decode(b"\x80"), None);
    assert!(Charset::named("ascii").unwrap().is_utf8());
    let latin1 = Charset::named("latin1").unwrap();
    assert_eq!(format!("{latin1} {latin1:?}"), "latin1 Charset(latin1)");
}

/// Every code of up to three bytes that begins as one of several does, and every byte.
fn codes() -> impl Iterator<Item = Vec<u8>> {
    let one = (0..=255_u8).map(|byte| vec![byte]);
    let two = (0x80..=255_u8).flat_map(|a| (0x30..=255_u8).map(move |b| vec![a, b]));
    let three = (0xa1..=0xfe_u8).flat_map(|a| (0xa1..=0xfe_u8).map(move |b| vec![0x8f, a, b]));
    one.chain(two).chain(three)
}

#[test]
fn every_code_comes_back_from_the_kept_text_and_is_shown_as_its_character() {
    for charset in Charset::all().iter().filter(|charset| !charset.is_utf8()) {
        if matches!(
            charset.name(),
            "binary" | "ucs2" | "utf16" | "utf16le" | "utf32"
        ) {
            continue;
        }
        for code in codes() {
            let Some(kept) = charset.keep(&code) else {
                assert_eq!(charset.name(), "gb18030", "{code:02x?}");
                assert_eq!(charset.decode(&code), None);
                continue;
            };
            assert_eq!(
                charset.give_back(&kept).unwrap(),
                code,
                "{charset} {code:02x?}"
            );
            if let Some(text) = charset.decode(&code) {
                assert_eq!(charset.shown(&kept), text, "{charset} {code:02x?}");
            }
        }
    }
    let cp932 = Charset::named("cp932").unwrap();
    let kept = cp932.keep(b"a\x81\xe0\x87\x90\xfc\xfc").unwrap();
    assert_eq!(cp932.shown(&kept), "a\u{2252}\u{2252}?");
    assert_eq!(cp932.code_of('\u{2252}'), Some(0x81e0));
}

#[test]
fn backslashes_and_quotes_beyond_ascii_are_escaped_in_statements() {
    // The character of two bytes that sjis and ujis call a backslash, then one whose second byte is one.
    for (name, bytes, text) in [
        ("sjis", &b"'a\x81\x5f\x95\x5c\\n'"[..], "'a\\\\\u{8868}\\n'"),
        ("ujis", b"'\xa1\xc0'", "'\\\\'"),
        ("armscii8", b"'\xff'", "'\\''"),
        ("cp932", b"'\x81\x5f\x95\x5c'", "'\u{ff3c}\u{8868}'"),
    ] {
        let charset = Charset::named(name).unwrap();
        assert_eq!(
            charset.decode_statement(bytes, true).unwrap(),
            text,
            "{name}"
        );
    }
    let armscii8 = Charset::named("armscii8").unwrap();
    assert_eq!(armscii8.decode_statement(b"'\xff'", false), None);
}

#[test]
fn characters_are_written_as_the_server_writes_them() {
    // CONVERT(... USING ...) of MySQL 9.7.
    for (name, text, bytes) in [
        ("big5", "\u{4e2d}\u{fffd}", &b"\xa4\xa4\xa2\xce"[..]),
        ("gbk", "a\u{4e2d}", b"a\xd6\xd0"),
        ("sjis", "\\\u{8868}", b"\x81\x5f\x95\x5c"),
        ("cp932", "\\\u{2252}\u{7e8a}", b"\\\x81\xe0\xfa\x5c"),
        ("ujis", "\u{4e02}\u{ff76}", b"\x8f\xb0\xa1\x8e\xb6"),
        ("euckr", "\u{ac00}", b"\xb0\xa1"),
        (
            "gb18030",
            "\u{80}\u{1f600}",
            b"\x81\x30\x81\x30\x94\x39\xfc\x36",
        ),
    ] {
        let charset = Charset::named(name).unwrap();
        assert_eq!(charset.encode(text).unwrap(), bytes, "{name}");
    }
}

#[test]
fn tmp_against_facts() {
    for charset in Charset::all() {
        let name = charset.name();
        let Ok(enc) = std::fs::read_to_string(format!("/tmp/chars/f_my/enc_{name}")) else {
            continue;
        };
        let mut map = std::collections::HashMap::new();
        for line in enc.lines() {
            let (u, b) = line.split_once('\t').unwrap();
            map.insert(code(u), b.to_owned());
        }
        let mut wrong = 0;
        for cp in (1..0x30000u32).filter_map(char::from_u32) {
            if cp == '?' {
                continue;
            }
            let found = charset
                .encode(&cp.to_string())
                .ok()
                .map(|b| b.iter().map(|x| format!("{x:02X}")).collect::<String>());
            if found.as_ref() != map.get(&(cp as u32)) {
                wrong += 1;
                if wrong < 20 && name == "gb18030" {
                    println!("{name} {cp:?} {found:?} {:?}", map.get(&(cp as u32)));
                }
            }
        }
        println!("{name} {wrong}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_and_ascii_is_itself(bytes: Vec<u8>, text in "[a-z ]{0,20}") {
        for charset in Charset::all() {
            let _ = charset.decode(&bytes);
            if let Some(kept) = charset.keep(&bytes) {
                prop_assert_eq!(charset.give_back(&kept).unwrap(), bytes.as_slice());
                let _ = charset.shown(&kept);
            }
            if !charset.is_binary() && !charset.name().starts_with("utf") && charset.name() != "ucs2" {
                prop_assert_eq!(charset.decode(text.as_bytes()).unwrap(), text.as_str());
                prop_assert_eq!(charset.encode(&text).unwrap(), text.as_bytes());
            }
        }
    }
}
