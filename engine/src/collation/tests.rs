//! The tables agree with themselves and with MySQL's aliases.

use super::*;

#[test]
fn each_charset_has_one_default_collation() {
    for charset in Charset::ALL {
        let defaults: Vec<_> = all()
            .iter()
            .filter(|c| c.charset == charset && c.is_default)
            .collect();
        assert_eq!(defaults.len(), 1, "{}", charset.name());
        assert_eq!(*defaults[0], charset.default_collation());
    }
}

#[test]
fn every_collation_is_found_by_name_and_by_id() {
    for collation in all() {
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
    let refused = of_client(51).unwrap_err();
    assert_eq!(refused.code, 1115);
    assert!(
        refused
            .message
            .starts_with("Unknown character set: 'cp1251'; ")
    );
    assert_eq!(of_client(35).unwrap_err().code, 1231);
}
