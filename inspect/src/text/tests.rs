//! Values in words.

use std::borrow::Cow;

use super::geometry::well_known_text;
use super::put_value;
use crate::cell::Shape;
use binlog::event::Flavour;
use binlog::row::{Column, ColumnType};
use binlog::value::Value;

fn text(value: &Value<'_>, column_type: ColumnType, metadata: u16) -> String {
    let column = Column::new(column_type, metadata, true);
    let mut out = Vec::new();
    let shape = Shape::of(&column, Flavour::MySql);
    put_value(&mut out, value, shape, &column, false);
    String::from_utf8(out).unwrap()
}

fn bytes(bytes: &'static [u8]) -> Value<'static> {
    Value::Bytes(Cow::Borrowed(bytes))
}

#[test]
fn values_are_shown_so_that_they_can_be_recognised() {
    let varchar = |value: &Value<'_>| text(value, ColumnType::VARCHAR, 10);
    assert_eq!(varchar(&bytes(b"it's")), "'it\\'s'");
    assert_eq!(varchar(&bytes(b"a\nb\x1b")), "'a\\nb\\x1b'");
    assert_eq!(varchar(&bytes(b"\xff\x00")), "0xff00");
    assert_eq!(
        text(&Value::Bit(5), ColumnType::BIT, 0x0101),
        "b'000000101'"
    );
    assert_eq!(
        text(&Value::Json(Cow::Borrowed(b"")), ColumnType::JSON, 4),
        "null"
    );
    let long: &'static [u8] = Box::leak(vec![b'x'; 300].into_boxed_slice());
    assert!(varchar(&bytes(long)).ends_with("x'...(300 bytes)"));
}

#[test]
fn partial_json_updates_are_shown_in_words() {
    // replace $.a with 2 (a 16-bit integer), remove $.b
    let diffs: &[u8] = b"\x00\x03$.a\x03\x05\x02\x00\x02\x03$.b";
    assert_eq!(
        text(&Value::JsonDiffs(Cow::Borrowed(diffs)), ColumnType::JSON, 4),
        "(replace $.a with 2; remove $.b)"
    );
}

#[test]
fn geometry_is_shown_as_well_known_text() {
    let mut point = vec![0xe6, 0x10, 0, 0, 1, 1, 0, 0, 0];
    point.extend_from_slice(&1.5_f64.to_le_bytes());
    point.extend_from_slice(&(-2.0_f64).to_le_bytes());
    assert_eq!(well_known_text(&point).unwrap(), "POINT(1.5 -2) SRID 4326");
    let mut many = vec![0, 0, 0, 0, 1, 4, 0, 0, 0, 1, 0, 0, 0];
    many.extend_from_slice(&point[4..]);
    assert_eq!(well_known_text(&many).unwrap(), "MULTIPOINT((1.5 -2))");
    // A count without points behind it, and bytes behind the end.
    assert_eq!(well_known_text(&many[..12]), None);
    point.push(0);
    assert_eq!(well_known_text(&point), None);
}
