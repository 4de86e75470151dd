//! What keeps SQL from meaning something else than the log.

use std::borrow::Cow;

use super::literal::{put_identifier, put_utf8, put_value};
use super::{comment, statement};
use crate::event::Flavour;
use crate::inspect::cell::Shape;
use crate::row::{Column, ColumnType};
use crate::value::Value;

fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    put(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_statement_that_holds_the_delimiter_gets_another() {
    assert_eq!(text(|out| statement(out, b"COMMIT")), "COMMIT\n/*!*/;\n");
    let sql = b"SELECT '/*!*/; /*!0*/;'";
    assert_eq!(
        text(|out| statement(out, sql)),
        "DELIMITER /*!1*/;\nSELECT '/*!*/; /*!0*/;'\n/*!1*/;\nDELIMITER /*!*/;\n"
    );
}

#[test]
fn a_comment_stays_one() {
    assert_eq!(
        text(|out| comment(out, b"x\nDROP TABLE t;")),
        "# x DROP TABLE t;\n"
    );
}

#[test]
fn names_and_text_are_quoted_whatever_they_hold() {
    assert_eq!(text(|out| put_identifier(out, "a`b")), "`a``b`");
    assert_eq!(text(|out| put_utf8(out, "it's é")), "'it''s é'");
    assert_eq!(text(|out| put_utf8(out, "a\\b")), "_utf8mb4 0x615c62");
    assert_eq!(text(|out| put_utf8(out, "a\nb")), "_utf8mb4 0x610a62");
}

#[test]
fn literals_give_back_the_same_value() {
    let of = |value: Value<'_>, charset| {
        let mut column = Column::new(ColumnType::VARCHAR, 100, true);
        column.charset = charset;
        let shape = Shape::of(&column, Flavour::MySql);
        text(|out| assert!(put_value(out, &value, shape)))
    };
    assert_eq!(of(Value::Float(0.1), None), "0.10000000149011612e0");
    assert_eq!(of(Value::Double(1e300), None), "1e300");
    assert_eq!(of(Value::Bit(6), None), "b'110'");
    let bytes = || Value::Bytes(Cow::Borrowed(b"\xe9".as_slice()));
    assert_eq!(of(bytes(), Some(8)), "_latin1 0xe9");
    assert_eq!(of(bytes(), Some(63)), "0xe9");
    assert_eq!(of(Value::Bytes(Cow::Borrowed(b"")), Some(63)), "''");
}
