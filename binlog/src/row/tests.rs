mod events;
mod types;

use std::borrow::Cow;

use codec::Reader;
use proptest::prelude::*;

use super::*;
use crate::event::{ChecksumAlgorithm, EventHeader, EventType, Flavour};
use crate::value::{Date, DateTime, Time, Timestamp, Value};

const NONE: ChecksumAlgorithm = ChecksumAlgorithm::None;

fn map(columns: Vec<Column<'static>>) -> TableMap<'static> {
    TableMap::new(108, "d", "t", columns)
}

fn column(kind: ColumnType, metadata: u16) -> Column<'static> {
    let mut column = Column::new(kind, metadata, true);
    if column.is_numeric() {
        column.unsigned = Some(false);
    }
    if column.is_character(Flavour::MySql) {
        column.charset = Some(255);
    }
    column
}

/// A column and a value that it can hold.
fn cell() -> impl Strategy<Value = (Column<'static>, Value<'static>)> {
    let time = (any::<bool>(), 0u16..839, 0u8..60, 0u8..60, 0u32..1_000_000);
    let date = (0u16..10_000, 0u8..13, 0u8..32);
    prop_oneof![
        any::<i8>().prop_map(|n| (column(ColumnType::TINY, 0), Value::Int(n.into()))),
        (-0x80_0000_i64..0x80_0000).prop_map(|n| (column(ColumnType::INT24, 0), Value::Int(n))),
        any::<u64>().prop_map(|n| {
            let mut column = column(ColumnType::LONGLONG, 0);
            column.unsigned = Some(true);
            (column, Value::UInt(n))
        }),
        any::<f32>()
            .prop_filter("comparable", |n| !n.is_nan())
            .prop_map(|n| (column(ColumnType::FLOAT, 4), Value::Float(n))),
        "-?[0-9]{1,6}\\.[0-9]{3}".prop_map(|text| {
            (
                column(ColumnType::NEWDECIMAL, 9 << 8 | 3),
                Value::Decimal(text.parse().unwrap()),
            )
        }),
        prop::collection::vec(any::<u8>(), 0..300)
            .prop_map(|bytes| { (column(ColumnType::VARCHAR, 400), Value::Bytes(bytes.into())) }),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(|mut bytes| {
            let mut column = column(ColumnType::STRING, Column::string_metadata(9));
            column.charset = Some(63);
            bytes.resize(9, 0);
            (column, Value::Bytes(bytes.into()))
        }),
        date.prop_map(|(year, month, day)| {
            (
                column(ColumnType::DATE, 0),
                Value::Date(Date { year, month, day }),
            )
        }),
        time.prop_map(|(negative, hours, minutes, seconds, micros)| {
            let negative = negative && (hours, minutes, seconds, micros) != (0, 0, 0, 0);
            let time = Time {
                negative,
                hours,
                minutes,
                seconds,
                micros,
            };
            (column(ColumnType::TIME2, 6), Value::Time(time))
        }),
        (0u32..100).prop_map(|hundredths| {
            let micros = hundredths * 10_000;
            let value = DateTime {
                year: 2024,
                month: 2,
                day: 29,
                micros,
                ..DateTime::default()
            };
            (column(ColumnType::DATETIME2, 2), Value::DateTime(value))
        }),
        (any::<u32>(), 0u32..1_000_000).prop_map(|(seconds, micros)| {
            let value = Timestamp { seconds, micros };
            (column(ColumnType::TIMESTAMP2, 6), Value::Timestamp(value))
        }),
        (0u64..1 << 11).prop_map(|bits| (column(ColumnType::BIT, 1 << 8 | 3), Value::Bit(bits))),
        (0u32..65_536).prop_map(|n| (column(ColumnType::STRING, 247 << 8 | 2), Value::Enum(n))),
        any::<u64>().prop_map(|bits| (column(ColumnType::STRING, 248 << 8 | 8), Value::Set(bits))),
        other_cell(),
        Just((column(ColumnType::BLOB, 3), Value::Null)),
        Just((
            column(ColumnType::JSON, 4),
            Value::Json(Cow::Borrowed(&[4, 1]))
        )),
        (0u16..=255).prop_map(|n| {
            let year = if n == 0 { 0 } else { 1900 + n };
            (column(ColumnType::YEAR, 0), Value::Year(year))
        }),
    ]
}

/// Types that differ from those of [`cell`] in width, and old ones.
fn other_cell() -> impl Strategy<Value = (Column<'static>, Value<'static>)> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let sized = |kind, metadata| {
        bytes().prop_map(move |bytes| (column(kind, metadata), Value::Bytes(bytes.into())))
    };
    let unsigned = |kind| {
        let mut column = column(kind, 0);
        column.unsigned = Some(true);
        column
    };
    let clock = (any::<bool>(), 1u16..839, 0u8..60, 0u8..60, 0u32..1_000_000);
    prop_oneof![
        any::<i16>().prop_map(|n| (column(ColumnType::SHORT, 0), Value::Int(n.into()))),
        any::<i32>().prop_map(|n| (column(ColumnType::LONG, 0), Value::Int(n.into()))),
        any::<i64>().prop_map(|n| (column(ColumnType::LONGLONG, 0), Value::Int(n))),
        (0u64..1 << 24).prop_map(move |n| (unsigned(ColumnType::INT24), Value::UInt(n))),
        (-1e300..1e300).prop_map(|n| (column(ColumnType::DOUBLE, 8), Value::Double(n))),
        (clock, 0u32..4).prop_map(|((negative, hours, minutes, seconds, micros), kind)| {
            let (kind, metadata, unit) = match kind {
                0 => (ColumnType::TIME2, 1, 100_000),
                1 => (ColumnType::TIME2, 4, 100),
                2 => (ColumnType::TIME2, 0, 1_000_000),
                _ => (ColumnType::TIME, 0, 1_000_000),
            };
            let micros = micros / unit * unit;
            let time = Time {
                negative,
                hours,
                minutes,
                seconds,
                micros,
            };
            (column(kind, metadata), Value::Time(time))
        }),
        (0u16..10_000, 0u8..13, 0u8..32, 0u8..24).prop_map(|(year, month, day, hour)| {
            let moment = DateTime {
                year,
                month,
                day,
                hour,
                ..DateTime::default()
            };
            (column(ColumnType::DATETIME, 0), Value::DateTime(moment))
        }),
        any::<u32>().prop_map(|seconds| {
            let value = Timestamp { seconds, micros: 0 };
            (column(ColumnType::TIMESTAMP, 0), Value::Timestamp(value))
        }),
        sized(ColumnType::VARCHAR_COMPRESSED, 300),
        sized(ColumnType::BLOB_COMPRESSED, 1),
        sized(ColumnType::BLOB, 1),
        sized(ColumnType::GEOMETRY, 4),
        sized(ColumnType::VECTOR, 4),
        sized(ColumnType::STRING, Column::string_metadata(1020)),
    ]
}

/// Reads back what an encoder made of `rows`, body by body.
fn read(map: &TableMap<'_>, bodies: &[Vec<u8>]) -> Vec<Vec<Value<'static>>> {
    let plan = RowPlan::new(map).unwrap();
    let mut rows = Vec::new();
    for body in bodies {
        let reader = Reader::at(body, EventHeader::LEN);
        let event = RowsEvent::decode(EventType::WRITE_ROWS, reader, NONE).unwrap();
        for pair in event.read(&plan).unwrap() {
            let cells = pair.unwrap().after.into_iter();
            rows.push(cells.map(|cell| cell.unwrap().into_owned()).collect());
        }
    }
    rows
}

proptest! {
    #[test]
    fn rows_round_trip_through_events_of_bounded_size(
        cells in prop::collection::vec(cell(), 1..20),
        count in 1usize..60,
    ) {
        let (columns, row): (Vec<_>, Vec<_>) = cells.into_iter().unzip();
        let map = map(columns);
        let mut encoded = Vec::new();
        map.encode(&mut encoded);
        prop_assert_eq!(&TableMap::decode(Reader::new(&encoded), NONE).unwrap(), &map);

        let mut encoder = RowsEncoder::new(RowsKind::Write, &map, RowsFlags::default()).unwrap();
        let mut bodies = Vec::new();
        for _ in 0..count {
            bodies.extend(encoder.push(&[], &row).unwrap());
        }
        bodies.extend(encoder.finish(true));
        let (last, full) = bodies.split_last().unwrap();
        prop_assert_eq!(last[6] & 1, 1);
        prop_assert!(full.iter().all(|body| body[6] & 1 == 0));
        prop_assert!(bodies.iter().all(|body| body.len() <= ROW_EVENT_SIZE_MAX));
        prop_assert_eq!(read(&map, &bodies), vec![row; count]);
    }
}

#[test]
fn a_row_larger_than_an_event_gets_one_of_its_own() {
    let map = map(vec![column(ColumnType::BLOB, 4)]);
    let mut encoder = RowsEncoder::new(RowsKind::Write, &map, RowsFlags::default()).unwrap();
    let small = [Value::Bytes(Cow::Owned(vec![1; 10]))];
    let large = [Value::Bytes(Cow::Owned(vec![2; 20_000]))];
    let mut bodies = Vec::new();
    for row in [&small, &large, &small] {
        bodies.extend(encoder.push(&[], row).unwrap());
    }
    bodies.extend(encoder.finish(true));
    assert_eq!(bodies.len(), 3);
    assert_eq!(read(&map, &bodies).len(), 3);
}

#[test]
fn a_value_that_does_not_fit_names_its_column_and_adds_nothing() {
    let map = map(vec![
        column(ColumnType::LONG, 0),
        column(ColumnType::TINY, 0),
    ]);
    let mut encoder = RowsEncoder::new(RowsKind::Write, &map, RowsFlags::default()).unwrap();
    for row in [
        [Value::Int(1), Value::Int(128)],
        [Value::Int(1), Value::Double(1.0)],
    ] {
        assert_eq!(encoder.push(&[], &row).unwrap_err().column, 1);
    }
    assert_eq!(encoder.push(&[], &[Value::Int(1)]).unwrap_err().column, 1);
    assert_eq!(encoder.finish(true), None);
}

#[test]
fn an_image_without_columns_is_an_error_and_not_a_loop() {
    let map = map(vec![]);
    let plan = RowPlan::new(&map).unwrap();
    let body = [108, 0, 0, 0, 0, 0, 1, 0, 2, 0, 0, 1, 2, 3];
    let reader = Reader::at(&body, EventHeader::LEN);
    let event = RowsEvent::decode(EventType::WRITE_ROWS, reader, NONE).unwrap();
    let rows: Vec<_> = event.read(&plan).unwrap().collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].is_err());
}

#[test]
fn a_column_without_a_logged_sign_is_signed() {
    let plan = RowPlan::new(&map(vec![Column::new(ColumnType::TINY, 0, false)])).unwrap();
    let body = [108, 0, 0, 0, 0, 0, 1, 0, 2, 0, 1, 0xff, 0, 0xff];
    let reader = Reader::at(&body, EventHeader::LEN);
    let event = RowsEvent::decode(EventType::WRITE_ROWS, reader, NONE).unwrap();
    let row = event.read(&plan).unwrap().next().unwrap().unwrap();
    assert_eq!(row.after, [Some(Value::Int(-1))]);
}
