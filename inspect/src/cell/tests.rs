//! The forms of cells, as docs/BINLOG.md lists them.

use std::borrow::Cow;

use super::{Shape, put_cell};
use binlog::event::Flavour;
use binlog::row::{Column, ColumnType};
use binlog::value::{Decimal, Time, Timestamp, Value};

fn text(value: &Value<'_>, column: &Column<'_>, is_full: bool) -> String {
    let mut out = Vec::new();
    let shape = Shape::of(column, Flavour::MySql);
    put_cell(&mut out, value, shape, column, None, is_full);
    String::from_utf8(out).unwrap()
}

fn column(column_type: ColumnType, metadata: u16, charset: Option<u16>) -> Column<'static> {
    let mut column = Column::new(column_type, metadata, true);
    column.charset = charset;
    column
}

fn bytes(bytes: &[u8]) -> Value<'_> {
    Value::Bytes(Cow::Borrowed(bytes))
}

const LATIN1: u16 = 8;
const UTF8MB4: u16 = 255;
const BINARY: u16 = 63;

#[test]
fn plain_values_are_text() {
    let plain = column(ColumnType::LONG, 0, None);
    let cell = |value: Value<'_>| text(&value, &plain, false);
    assert_eq!(cell(Value::Null), "null");
    assert_eq!(cell(Value::Int(-7)), "\"-7\"");
    assert_eq!(cell(Value::UInt(u64::MAX)), "\"18446744073709551615\"");
    assert_eq!(cell(Value::Year(0)), "\"0000\"");
    assert_eq!(
        cell(Value::Decimal("-1.50".parse::<Decimal>().unwrap())),
        "\"-1.50\""
    );
    assert_eq!(cell(Value::Bit(5)), "{\"uint\":\"5\"}");
    assert_eq!(
        cell(Value::Float(0.1)),
        "{\"text\":\"0.1\",\"double\":\"0.10000000149011612\"}"
    );
}

#[test]
fn moments_have_the_digits_of_their_column() {
    let time = Time {
        negative: true,
        micros: 120_000,
        ..Time::default()
    };
    let three = column(ColumnType::TIME2, 3, None);
    assert_eq!(text(&Value::Time(time), &three, false), "\"-00:00:00.120\"");
    let none = column(ColumnType::TIMESTAMP2, 0, None);
    let moment = Value::Timestamp(Timestamp {
        seconds: 1,
        micros: 0,
    });
    assert_eq!(text(&moment, &none, false), "\"1970-01-01 00:00:01\"");
}

#[test]
fn text_is_decoded_and_bytes_are_hexadecimal() {
    let of = |charset| column(ColumnType::VARCHAR, 100, charset);
    assert_eq!(
        text(&bytes("a\"é".as_bytes()), &of(Some(UTF8MB4)), false),
        "\"a\\\"é\""
    );
    assert_eq!(
        text(&bytes(b"\xe9"), &of(Some(LATIN1)), false),
        "{\"text\":\"é\",\"hex\":\"e9\"}"
    );
    assert_eq!(
        text(&bytes(b"ab"), &of(Some(BINARY)), false),
        "{\"hex\":\"6162\"}"
    );
    // The source did not say.
    assert_eq!(text(&bytes(b"ab"), &of(None), false), "\"ab\"");
    assert_eq!(text(&bytes(b"\xff"), &of(None), false), "{\"hex\":\"ff\"}");
}

#[test]
fn long_values_are_shown_as_digests_unless_they_are_asked_for() {
    let long = "x".repeat(2001);
    let utf8 = column(ColumnType::BLOB, 2, Some(UTF8MB4));
    let short = text(&bytes(long.as_bytes()), &utf8, false);
    assert!(
        short.starts_with("{\"text_big\":{\"len\":2001,\"sha256\":\""),
        "{short}"
    );
    assert_eq!(
        text(&bytes(long.as_bytes()), &utf8, true),
        format!("\"{long}\"")
    );
    assert_eq!(
        text(&bytes(&long.as_bytes()[1..]), &utf8, false).len(),
        2002
    );
    let latin1 = column(ColumnType::BLOB, 2, Some(LATIN1));
    let other = text(&bytes(long.as_bytes()), &latin1, false);
    assert!(other.contains("},\"hex_sha256\":\""), "{other}");
    let blob = column(ColumnType::BLOB, 2, Some(BINARY));
    assert!(text(&bytes(long.as_bytes()), &blob, false).starts_with("{\"bytes_big\":{"));
}

#[test]
fn members_are_named_where_they_are_known() {
    let mut members = column(ColumnType::STRING, 0xf701, Some(LATIN1));
    assert_eq!(text(&Value::Enum(2), &members, false), "{\"num\":\"2\"}");
    assert_eq!(
        text(&Value::Enum(0), &members, false),
        "{\"text\":\"\",\"num\":\"0\"}"
    );
    members.members = Some(vec![Cow::Borrowed(b"a"), Cow::Borrowed(b"\xe4")]);
    assert_eq!(
        text(&Value::Enum(2), &members, false),
        "{\"text\":\"ä\",\"num\":\"2\"}"
    );
    assert_eq!(
        text(&Value::Set(3), &members, false),
        "{\"text\":\"a,ä\",\"num\":\"3\"}"
    );
}

#[test]
fn vectors_are_shown_as_mysql_prints_them() {
    let vector = column(ColumnType::VECTOR, 4, None);
    let value = [1.0_f32, -3e10].map(f32::to_le_bytes).concat();
    assert_eq!(
        text(&bytes(&value), &vector, false),
        "{\"hex\":\"0000803f7684dfd0\",\"text\":\"[1.00000e+00,-3.00000e+10]\"}"
    );
}
