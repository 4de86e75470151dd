//! Values of every type as servers wrote them, and what becomes of damaged ones.

use std::borrow::Cow;

use codec::Reader;

use super::super::cell::Cell;
use super::*;
use crate::limits::Limits;
use crate::value::Decimal;

/// Forty times `a`, as MariaDB stores it.
const DEFLATED: &[u8] = &[0x88 | 1, 40, 0x4b, 0x4c, 0x24, 0x0e, 0, 0];

fn typed(code: ColumnType, metadata: u16) -> Column<'static> {
    Column::new(code, metadata, true)
}

fn unsigned(code: ColumnType) -> Column<'static> {
    let mut column = typed(code, 0);
    column.unsigned = Some(true);
    column
}

fn binary(len: u16) -> Column<'static> {
    let mut column = typed(ColumnType::STRING, Column::string_metadata(len));
    column.charset = Some(63);
    column
}

fn bytes(bytes: &'static [u8]) -> Value<'static> {
    Value::Bytes(Cow::Borrowed(bytes))
}

fn decode(column: &Column<'_>, stored: &[u8]) -> Result<Value<'static>, codec::DecodeError> {
    let mut reader = Reader::new(stored);
    let mut left = Limits::default().inflated_max;
    let value = Cell::new(column)?.decode(&mut reader, &mut left)?;
    let value = value.into_owned();
    reader.finish("value")?;
    Ok(value)
}

fn numbers() -> Vec<(Column<'static>, &'static [u8], Value<'static>)> {
    let decimal = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    vec![
        (typed(ColumnType::TINY, 0), b"\x80", Value::Int(-128)),
        (unsigned(ColumnType::TINY), b"\x80", Value::UInt(128)),
        (typed(ColumnType::SHORT, 0), b"\xfe\xff", Value::Int(-2)),
        (
            typed(ColumnType::INT24, 0),
            b"\0\0\x80",
            Value::Int(-8_388_608),
        ),
        (
            unsigned(ColumnType::INT24),
            b"\0\0\x80",
            Value::UInt(8_388_608),
        ),
        (
            typed(ColumnType::LONG, 0),
            b"\xff\xff\xff\x7f",
            Value::Int(2_147_483_647),
        ),
        (
            typed(ColumnType::LONGLONG, 0),
            b"\0\0\0\0\0\0\0\x80",
            Value::Int(i64::MIN),
        ),
        (
            unsigned(ColumnType::LONGLONG),
            &[0xff; 8],
            Value::UInt(u64::MAX),
        ),
        (
            typed(ColumnType::FLOAT, 4),
            b"\0\0\x80\x3f",
            Value::Float(1.0),
        ),
        (
            typed(ColumnType::DOUBLE, 8),
            b"\0\0\0\0\0\0\xf0\xbf",
            Value::Double(-1.0),
        ),
        (
            typed(ColumnType::NEWDECIMAL, 5 << 8 | 2),
            b"\x80\x7b\x2d",
            decimal("123.45"),
        ),
        (
            typed(ColumnType::NEWDECIMAL, 5 << 8 | 2),
            b"\x7f\x84\xd2",
            decimal("-123.45"),
        ),
        (
            typed(ColumnType::NEWDECIMAL, 20 << 8),
            b"\x81\x07\x5b\xcd\x15\x3a\xde\x68\xb1",
            decimal("1123456789987654321"),
        ),
        (
            typed(ColumnType::BIT, 1 << 8 | 3),
            b"\x05\xff",
            Value::Bit(0x5ff),
        ),
        (
            typed(ColumnType::BIT, 8 << 8),
            &[0xff; 8],
            Value::Bit(u64::MAX),
        ),
        (typed(ColumnType::YEAR, 0), b"\0", Value::Year(0)),
        (typed(ColumnType::YEAR, 0), b"\xff", Value::Year(2155)),
        (typed(ColumnType::STRING, 0xf701), b"\xff", Value::Enum(255)),
        (
            typed(ColumnType::STRING, 0xf702),
            b"\0\x01",
            Value::Enum(256),
        ),
        (
            typed(ColumnType::STRING, 0xf808),
            b"\x01\0\0\0\0\0\0\x80",
            Value::Set(1 << 63 | 1),
        ),
        (
            typed(ColumnType::STRING, 0xf803),
            b"\x01\0\x80",
            Value::Set(0x80_0001),
        ),
    ]
}

fn times() -> Vec<(Column<'static>, &'static [u8], Value<'static>)> {
    let date = |year, month, day| Value::Date(Date { year, month, day });
    let time = |negative, hours, minutes, seconds, micros| {
        Value::Time(Time {
            negative,
            hours,
            minutes,
            seconds,
            micros,
        })
    };
    let datetime = |micros| {
        Value::DateTime(DateTime {
            year: 2024,
            month: 2,
            day: 29,
            hour: 23,
            minute: 59,
            second: 58,
            micros,
        })
    };
    let timestamp = |seconds, micros| Value::Timestamp(Timestamp { seconds, micros });
    vec![
        (
            typed(ColumnType::DATE, 0),
            b"\x5d\xd0\x0f",
            date(2024, 2, 29),
        ),
        (typed(ColumnType::NEWDATE, 0), b"\0\0\0", date(0, 0, 0)),
        (
            typed(ColumnType::TIME2, 0),
            b"\xb4\x6e\xfb",
            time(false, 838, 59, 59, 0),
        ),
        (
            typed(ColumnType::TIME2, 0),
            b"\x4b\x91\x05",
            time(true, 838, 59, 59, 0),
        ),
        (
            typed(ColumnType::TIME2, 6),
            b"\x7f\xff\xff\xff\xff\xff",
            time(true, 0, 0, 0, 1),
        ),
        (
            typed(ColumnType::TIME2, 2),
            b"\x80\0\x01\x0c",
            time(false, 0, 0, 1, 120_000),
        ),
        (
            typed(ColumnType::DATETIME2, 0),
            b"\x99\xb2\xbb\x7e\xfa",
            datetime(0),
        ),
        (
            typed(ColumnType::DATETIME2, 3),
            b"\x99\xb2\xbb\x7e\xfa\x04\xce",
            datetime(123_000),
        ),
        (
            typed(ColumnType::TIMESTAMP2, 0),
            b"\xff\xff\xff\xff",
            timestamp(u32::MAX, 0),
        ),
        (
            typed(ColumnType::TIMESTAMP2, 6),
            b"\0\0\0\x01\x0f\x42\x3f",
            timestamp(1, 999_999),
        ),
        (
            typed(ColumnType::TIMESTAMP, 0),
            b"\x01\0\0\0",
            timestamp(1, 0),
        ),
        (
            typed(ColumnType::TIME, 0),
            b"\x59\x0a\x80",
            time(true, 838, 59, 59, 0),
        ),
        (
            typed(ColumnType::TIME, 0),
            b"\x36\x48\x7f",
            Value::Time(Time {
                hours: 834,
                minutes: 15,
                seconds: 58,
                ..Time::default()
            }),
        ),
        (
            typed(ColumnType::DATETIME, 0),
            &[0xf6, 0x7c, 0xac, 0x8b, 0x68, 0x12, 0, 0],
            datetime(0),
        ),
    ]
}

fn strings() -> Vec<(Column<'static>, &'static [u8], Value<'static>)> {
    vec![
        (typed(ColumnType::VARCHAR, 255), b"\x02ab", bytes(b"ab")),
        (typed(ColumnType::VARCHAR, 256), b"\x02\0ab", bytes(b"ab")),
        (typed(ColumnType::VAR_STRING, 10), b"\0", bytes(b"")),
        (typed(ColumnType::STRING, 0xfe0a), b"\x01a", bytes(b"a")),
        (typed(ColumnType::STRING, 0xcefc), b"\x01\0a", bytes(b"a")),
        (binary(3), b"\x01a", bytes(b"a\0\0")),
        (binary(3), b"\x03abc", bytes(b"abc")),
        (typed(ColumnType::BLOB, 1), b"\x01a", bytes(b"a")),
        (typed(ColumnType::BLOB, 2), b"\x01\0a", bytes(b"a")),
        (typed(ColumnType::BLOB, 3), b"\x01\0\0a", bytes(b"a")),
        (typed(ColumnType::BLOB, 4), b"\x01\0\0\0a", bytes(b"a")),
        (typed(ColumnType::TINY_BLOB, 1), b"\0", bytes(b"")),
        (typed(ColumnType::GEOMETRY, 4), b"\x01\0\0\0g", bytes(b"g")),
        (
            typed(ColumnType::VECTOR, 4),
            b"\x04\0\0\0\0\0\x80\x3f",
            bytes(b"\0\0\x80\x3f"),
        ),
        (
            typed(ColumnType::JSON, 4),
            b"\x02\0\0\0\x04\x01",
            Value::Json(Cow::Borrowed(b"\x04\x01")),
        ),
        (
            typed(ColumnType::VARCHAR_COMPRESSED, 100),
            b"\0",
            bytes(b""),
        ),
        (
            typed(ColumnType::VARCHAR_COMPRESSED, 300),
            b"\x03\0\0ab",
            bytes(b"ab"),
        ),
        (
            typed(ColumnType::BLOB_COMPRESSED, 2),
            b"\x03\0\0ab",
            bytes(b"ab"),
        ),
    ]
}

#[test]
fn values_are_what_servers_wrote_and_are_written_as_they_do() {
    for (column, stored, value) in [numbers(), times(), strings()].concat() {
        let name = format!("{} {:x}", column.column_type.name(), column.metadata);
        assert_eq!(decode(&column, stored).as_ref(), Ok(&value), "{name}");
        let cell = Cell::new(&column).unwrap();
        let mut reader = Reader::new(stored);
        cell.skip(&mut reader).unwrap();
        assert!(reader.is_empty(), "{name}");
        let mut again = Vec::new();
        cell.encode(&mut again, &value).unwrap();
        assert_eq!(again, stored, "{name}");
        for len in 0..stored.len() {
            let cut = &stored[..len];
            assert!(decode(&column, cut).is_err(), "{name} {len}");
            assert!(cell.skip(&mut Reader::new(cut)).is_err(), "{name} {len}");
        }
    }
}

#[test]
fn values_that_no_server_writes_are_refused() {
    let huge_time = (ColumnType::TIME2, 6, &b"\x80\0\0\xff\xff\xff"[..]);
    for (code, metadata, stored) in [
        huge_time,
        (ColumnType::DATETIME2, 0, b"\x00\0\0\0\0"),
        (ColumnType::DATETIME2, 2, b"\x99\xb2\xbb\x7e\xfa\x64"),
        (ColumnType::NEWDECIMAL, 2 << 8, b"\xe4"),
        (ColumnType::TIME, 0, b"\x3d\0\0"),
        (ColumnType::DATETIME, 0, &[0xff; 8]),
        (ColumnType::STRING, 0xf708, &[0xff; 8]),
        (ColumnType::DECIMAL, 0, b"1"),
        (ColumnType::VARCHAR_COMPRESSED, 100, b"\x02\x18\0"),
    ] {
        assert!(
            decode(&typed(code, metadata), stored).is_err(),
            "{}",
            code.name()
        );
    }
    assert_eq!(
        decode(&typed(ColumnType::DECIMAL, 0), b"1")
            .unwrap_err()
            .to_string(),
        "column type at byte 0 is 0, expected a type whose values the log describes, not DECIMAL of \
         MySQL 4.1"
    );
    for (code, metadata) in [
        (ColumnType::NEWDECIMAL, 66 << 8),
        (ColumnType::TIME2, 7),
        (ColumnType::DATETIME2, 7),
        (ColumnType::TIMESTAMP2, 7),
        (ColumnType::BLOB, 0),
        (ColumnType::BLOB, 5),
        (ColumnType::JSON, 0),
        (ColumnType::BIT, 8 << 8 | 1),
        (ColumnType::BIT, 8),
        (ColumnType::STRING, 0xf700),
        (ColumnType::STRING, 0xf809),
    ] {
        assert!(
            Cell::new(&typed(code, metadata)).is_err(),
            "{}",
            code.name()
        );
    }
    assert_eq!(decode(&typed(ColumnType::NULL, 0), b""), Ok(Value::Null));
}

#[test]
fn values_of_other_types_and_sizes_are_not_written() {
    let late = Value::Time(Time {
        hours: 2000,
        ..Time::default()
    });
    let date = Date {
        year: 1,
        month: 16,
        day: 1,
    };
    for (code, metadata, value) in [
        (ColumnType::TINY, 0, Value::Int(128)),
        (ColumnType::TINY, 0, Value::Null),
        (
            ColumnType::NEWDECIMAL,
            2 << 8,
            Value::Decimal("100".parse().unwrap()),
        ),
        (ColumnType::YEAR, 0, Value::Year(1900)),
        (ColumnType::YEAR, 0, Value::Year(2156)),
        (ColumnType::TIME2, 0, late.clone()),
        (ColumnType::TIME, 0, late),
        (ColumnType::DATE, 0, Value::Date(date)),
        (ColumnType::DATETIME2, 0, Value::DateTime(date.into())),
        (ColumnType::DATETIME, 0, Value::DateTime(date.into())),
        (ColumnType::VARCHAR, 255, Value::Bytes(vec![0; 256].into())),
        (ColumnType::STRING, 0xf701, Value::Enum(256)),
        (ColumnType::STRING, 0xf801, Value::Set(256)),
        (ColumnType::BIT, 1, Value::Bit(2)),
        (ColumnType::DECIMAL, 0, Value::Decimal(Decimal::ZERO)),
        (ColumnType::JSON, 4, Value::JsonDiffs(Cow::Borrowed(&[]))),
    ] {
        let mut out = Vec::new();
        let cell = Cell::new(&typed(code, metadata)).unwrap();
        assert!(
            cell.encode(&mut out, &value).is_err(),
            "{} {value:?}",
            code.name()
        );
        assert!(out.is_empty(), "{}", code.name());
    }
    let mut out = Vec::new();
    let cell = Cell::new(&binary(2)).unwrap();
    assert!(cell.encode(&mut out, &bytes(b"abc")).is_err());
}

#[test]
fn compressed_columns_inflate_within_what_a_row_may_take() {
    let column = typed(ColumnType::VARCHAR_COMPRESSED, 100);
    let mut stored = vec![u8::try_from(DEFLATED.len()).unwrap()];
    stored.extend_from_slice(DEFLATED);
    let inflated = |left: u64| {
        let mut left = left;
        let mut reader = Reader::new(&stored);
        let cell = Cell::new(&column).unwrap();
        let value = cell.decode(&mut reader, &mut left).map(Value::into_owned);
        value.map(|value| (value, left))
    };
    assert_eq!(inflated(100), Ok((Value::Bytes(vec![b'a'; 40].into()), 60)));
    assert!(inflated(39).is_err());
    for len in 1..DEFLATED.len() {
        let mut cut = vec![u8::try_from(len).unwrap()];
        cut.extend_from_slice(&DEFLATED[..len]);
        assert!(decode(&column, &cut).is_err(), "{len}");
    }
}
