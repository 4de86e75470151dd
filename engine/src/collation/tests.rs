//! The tables agree with themselves and with MySQL's aliases.

use super::*;

#[test]
fn each_charset_has_one_default_collation() {
    for table in ::charset::Charset::all() {
        let charset = Charset::of_table(table);
        let defaults: Vec<_> = known()
            .iter()
            .filter(|c| c.charset == charset && c.is_default)
            .collect();
        assert_eq!(defaults.len(), 1, "{}", charset.name());
        assert_eq!(*defaults[0], charset.default_collation());
    }
}

#[test]
fn every_collation_is_found_by_name_and_by_id() {
    assert_eq!(known().len(), 1306);
    for collation in known() {
        assert_eq!(by_name(&collation.name.to_uppercase()).unwrap(), *collation);
        assert_eq!(by_id(collation.id), Some(*collation));
        assert!(collation.name.starts_with(collation.charset.name()));
    }
}

#[test]
fn utf8_is_an_alias_of_utf8mb3() {
    assert_eq!(by_name("utf8_general_ci").unwrap().id, 33);
    assert_eq!(Charset::by_name("UTF8").unwrap(), Charset::Utf8mb3);
}

#[test]
fn unknown_names_are_refused_as_mysql_does() {
    assert_eq!(
        by_name("klingon_ci").unwrap_err().message,
        "Unknown collation: 'klingon_ci'"
    );
    assert_eq!(Charset::by_name("klingon").unwrap_err().code, 1115);
}

#[test]
fn latin1_survives_a_round_trip_of_all_bytes() {
    let all: Vec<u8> = (0..=255).collect();
    let text = Charset::Latin1.decode(&all).unwrap();
    assert!(text.contains('€') && text.contains('ÿ'));
    assert_eq!(Charset::Latin1.encode(&text).unwrap().as_ref(), all);
    assert_eq!(Charset::Latin1.encode("añ☃"), Err('☃'));
}

#[test]
fn utf8mb3_has_no_characters_beyond_the_basic_plane() {
    assert_eq!(Charset::Utf8mb3.encode("é🙂"), Err('🙂'));
    assert_eq!(Charset::Utf8mb3.decode("é🙂".as_bytes()), Err(2));
    assert_eq!(Charset::Utf8mb4.decode(b"ab\xff"), Err(2));
}

#[test]
fn the_id_of_a_client_means_its_character_set_or_nothing() {
    let charset = |id| of_client(id).map(|found| found.map(|found| found.charset));
    // latin1_german1_ci and MariaDB's latin1_swedish_nopad_ci have no order here.
    for id in [5, 8, 1032] {
        assert_eq!(charset(id), Ok(Some(Charset::Latin1)), "{id}");
    }
    assert_eq!(charset(63), Ok(Some(Charset::Binary)));
    assert_eq!(charset(0), Ok(None));
    assert_eq!(charset(u16::MAX), Ok(None));
    // Of big5 only the default one is there, whose order is not kept.
    for (id, name) in [(51, "cp1251"), (28, "gbk"), (1, "big5"), (248, "gb18030")] {
        assert_eq!(charset(id), Charset::by_name(name).map(Some), "{id}");
    }
    assert_eq!(of_client(35).unwrap_err().code, 1231);
}

#[test]
fn what_only_mariadb_names_is_found_too() {
    // Ids of MariaDB 11.8.
    for (id, name) in [
        (1032, "latin1_swedish_nopad_ci"),
        (2304, "utf8mb4_uca1400_ai_ci"),
        (2247, "utf8mb3_uca1400_croatian_nopad_as_cs"),
        (2565, "ucs2_uca1400_nopad_ai_cs"),
    ] {
        assert_eq!(by_name(name).map(|known| known.id), Ok(id), "{name}");
        assert_eq!(by_id(id).map(|known| known.name), Some(name));
        assert!(served(name).is_err());
    }
    // Its own Croatian collation and MySQL's are kept alike.
    assert_eq!(by_id(608), by_id(245));
    assert_eq!(
        by_name("utf8mb4_croatian_mysql561_ci").map(|known| known.id),
        Ok(245)
    );
}

#[test]
fn an_order_that_is_not_kept_holds_every_two_strings_apart_but_for_spaces_behind() {
    let mut count = 0;
    for collation in known().iter().filter(|known| known.not_kept().is_some()) {
        count += 1;
        // This one compares by its table and sorts otherwise.
        if collation.name.starts_with("big5_chinese_") {
            continue;
        }
        assert!(collation.rule.is_exact(), "{collation}");
        assert!(!collation.is_served && exact(collation.name).is_err());
        let is_same = compare::compare(collation, b"a", b"a ").is_eq();
        assert_eq!(is_same, collation.pad == Pad::Space, "{collation}");
    }
    assert_eq!(count, 1067);
}

#[test]
fn accents_and_case_count_as_the_name_says() {
    let is_same = |name: &str, a: &str, b: &str| {
        compare::compare(by_name(name).unwrap(), a.as_bytes(), b.as_bytes()).is_eq()
    };
    for (name, case, accent) in [
        ("utf8mb4_0900_ai_ci", true, true),
        ("utf8mb4_0900_as_ci", true, false),
        ("utf8mb4_0900_as_cs", false, false),
        ("utf8mb4_uca1400_ai_ci", true, true),
        ("utf8mb4_uca1400_ai_cs", false, true),
        ("utf8mb4_uca1400_as_ci", true, false),
        ("utf8mb4_uca1400_as_cs", false, false),
        ("latin1_general_ci", true, false),
        ("latin1_german1_ci", true, true),
        ("cp1251_general_ci", true, false),
    ] {
        let (letter, other) = if name.starts_with("cp1251") {
            ("Ж", "ж")
        } else {
            ("A", "a")
        };
        assert_eq!(is_same(name, letter, other), case, "{name}");
        if !name.starts_with("cp1251") {
            assert_eq!(is_same(name, "ä", "a"), accent, "{name}");
        }
    }
    assert!(is_same("latin1_german2_ci", "Straße", "STRASSE"));
    assert!(is_same("latin1_german2_ci", "Ä", "ae"));
    assert!(is_same("utf8mb4_general1400_as_ci", "Ä", "ä"));
    assert!(!is_same("utf8mb3_general_mysql500_ci", "ß", "s"));
    assert!(is_same("gbk_chinese_ci", "Y中", "y中 "));
    assert!(!is_same("gbk_chinese_nopad_ci", "中", "中 "));
}
