use std::borrow::Cow;

use super::*;

fn kinds(text: &str) -> Vec<Kind<'_>> {
    kinds_in(text, SqlMode::DEFAULT)
}

fn kinds_in(text: &str, sql_mode: SqlMode) -> Vec<Kind<'_>> {
    let options = ParseOptions {
        sql_mode,
        ..ParseOptions::default()
    };
    let mut kinds: Vec<_> = tokens(text.as_bytes(), &options)
        .unwrap()
        .tokens
        .into_iter()
        .map(|token| token.kind)
        .collect();
    assert_eq!(kinds.pop(), Some(Kind::End));
    kinds
}

fn string(text: &str) -> Kind<'_> {
    Kind::String(Cow::Borrowed(text.as_bytes()))
}

#[test]
fn reads_names_and_numbers() {
    use Kind::{Decimal, Float, Integer, Symbol, Word};
    assert_eq!(
        kinds("1 1.5 .5 1e3 1E-2"),
        [
            Integer("1"),
            Decimal("1.5"),
            Decimal(".5"),
            Float("1e3"),
            Float("1E-2")
        ]
    );
    assert_eq!(
        kinds("t1.1a 2b $$"),
        [Word("t1"), Symbol("."), Word("1a"), Word("2b"), Word("$$")]
    );
    assert_eq!(
        kinds("0xAbc 0b01 x'0f' b'1'"),
        [
            Kind::Hex("0Abc".into()),
            Kind::Bit("01"),
            Kind::Hex("0f".into()),
            Kind::Bit("1")
        ]
    );
}

#[test]
fn unescapes_strings_by_sql_mode() {
    assert_eq!(kinds(r"'a\'b''c\n\%'"), [string("a'b'c\n\\%")]);
    assert_eq!(
        kinds_in(r"'a\n'", SqlMode::NO_BACKSLASH_ESCAPES),
        [string("a\\n")]
    );
    assert_eq!(kinds("\"x\""), [string("x")]);
    assert_eq!(
        kinds_in("\"x\"", SqlMode::ANSI_QUOTES),
        [Kind::Quoted("x".into())]
    );
}

#[test]
fn enters_version_comments_of_its_version_only() {
    use Kind::{Integer, Word};
    assert_eq!(
        kinds("a /*!40101 b */ c"),
        [Word("a"), Word("b"), Word("c")]
    );
    assert_eq!(kinds("a /*!99999 b /* x */ d */ c"), [Word("a"), Word("c")]);
    assert_eq!(
        kinds("a /*!080000 b */ /*M!100100 x */ c"),
        [Word("a"), Word("b"), Word("c")]
    );
    assert_eq!(
        kinds("1 /* x */ -- y\n2 # z\n3 --"),
        [Integer("1"), Integer("2"), Integer("3")]
    );
    assert_eq!(
        kinds("a--1"),
        [
            Word("a"),
            Kind::Symbol("-"),
            Kind::Symbol("-"),
            Integer("1")
        ]
    );
}

#[test]
fn reads_variables_and_parameters() {
    assert_eq!(
        kinds("@a @`b c` @@x @@global.sql_mode ? ?"),
        [
            Kind::UserVariable("a".into()),
            Kind::UserVariable("b c".into()),
            Kind::SystemVariable {
                scope: None,
                name: "x".into()
            },
            Kind::SystemVariable {
                scope: Some("global"),
                name: "sql_mode".into()
            },
            Kind::Parameter(0),
            Kind::Parameter(1),
        ]
    );
}

#[test]
fn stops_behind_the_first_statement() {
    let text = b"select ';'; select 2";
    let tokens = tokens(text, &ParseOptions::default()).unwrap().tokens;
    assert_eq!(
        tokens.last().map(|token| (token.start, token.end)),
        Some((10, 11))
    );
}

#[test]
fn drops_trailing_nul_bytes() {
    assert_eq!(kinds("a\0\0"), [Kind::Word("a")]);
}
