//! Arbitrary values through every encoder of the public interface that has no test of this kind
//! beside it: encoded and decoded they are equal.

#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test fails by panicking"
)]

use binlog::log::{LogFileName, LogIndex, SimStorage};
use binlog::schema::{
    ColumnSnapshot, KeyPart, KeySnapshot, Member, SchemaSnapshots, TableSnapshot,
};
use binlog::value::json::{self, JsonValue};
use binlog::value::{Date, DateTime, Time};
use proptest::prelude::*;

fn date() -> impl Strategy<Value = Date> {
    (0u16..10_000, 0u8..13, 0u8..32).prop_map(|(year, month, day)| Date { year, month, day })
}

fn date_time() -> impl Strategy<Value = DateTime> {
    let clock = (0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000);
    (date(), clock).prop_map(|(date, (hour, minute, second, micros))| DateTime {
        hour,
        minute,
        second,
        micros,
        ..DateTime::from(date)
    })
}

fn time() -> impl Strategy<Value = Time> {
    let parts = (any::<bool>(), 0u16..839, 0u8..60, 0u8..60, 0u32..1_000_000);
    parts.prop_map(|(negative, hours, minutes, seconds, micros)| Time {
        // Zero has no sign in MySQL.
        negative: negative && (hours, minutes, seconds, micros) != (0, 0, 0, 0),
        hours,
        minutes,
        seconds,
        micros,
    })
}

fn snapshot() -> impl Strategy<Value = TableSnapshot> {
    let member = prop_oneof![
        any::<String>().prop_map(Member::Text),
        any::<Vec<u8>>().prop_map(|bytes| Member::Bytes { bytes }),
    ];
    let facts = (
        any::<Option<bool>>(),
        any::<Option<u16>>(),
        prop::option::of(prop::collection::vec(member, 0..4)),
        any::<Option<bool>>(),
        any::<bool>(),
    );
    let column = (any::<(String, String, u8, u16, bool)>(), facts).prop_map(
        |(
            (name, declared, code, metadata, nullable),
            (unsigned, collation, members, visible, generated),
        )| {
            ColumnSnapshot {
                name,
                declared,
                code,
                metadata,
                nullable,
                unsigned,
                collation,
                members,
                visible,
                generated,
            }
        },
    );
    let part = any::<(String, u64)>().prop_map(|(column, prefix)| KeyPart { column, prefix });
    let key = (any::<String>(), prop::collection::vec(part, 0..4))
        .prop_map(|(name, columns)| KeySnapshot { name, columns });
    (
        any::<(String, String)>(),
        prop::collection::vec(column, 0..5),
        prop::collection::vec(key, 0..3),
    )
        .prop_map(|((schema, table), columns, keys)| TableSnapshot {
            schema,
            table,
            columns,
            keys,
        })
}

proptest! {
    #[test]
    fn moments_round_trip_as_packed_integers_and_in_json(
        moment in date_time(), time in time(), date in date(),
    ) {
        prop_assert_eq!(DateTime::from_packed(moment.packed()), moment);
        prop_assert_eq!(Time::from_packed(time.packed()), time);
        let tree = JsonValue::Array(vec![
            JsonValue::DateTime(moment),
            JsonValue::Timestamp(moment),
            JsonValue::Time(time),
            JsonValue::Date(date),
        ]);
        let binary = json::encode(&tree).unwrap();
        prop_assert_eq!(json::decode(&binary).unwrap(), tree);
    }

    #[test]
    fn snapshots_round_trip_through_their_line(snapshot in snapshot(), offset: u64) {
        let mut line = serde_json::to_value(&snapshot).unwrap();
        line["offset"] = offset.into();
        let text = format!("{line}\n");
        let read = SchemaSnapshots::parse("binlog.000001.schema", text.as_bytes()).unwrap();
        let mut expected = SchemaSnapshots::default();
        expected.add(offset, snapshot);
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn an_index_reads_back_as_it_was_stored(
        base in "[a-z][a-z0-9._-]{0,20}", first in 1u32..2_000_000, files in 0u32..40,
    ) {
        let storage = SimStorage::default();
        let mut index = LogIndex::load(&storage, "binlog.index").unwrap();
        for number in first..first + files {
            index = index.with(LogFileName::new(&base, number));
        }
        index.store(&storage).unwrap();
        prop_assert_eq!(LogIndex::load(&storage, "binlog.index").unwrap(), index);
    }
}
