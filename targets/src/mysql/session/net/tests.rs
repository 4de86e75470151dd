//! Random histories: what they come to must be what they did, one by one.

use std::collections::BTreeMap;

use binlog::event::{ChecksumAlgorithm, EventType};
use binlog::row::{Column, ColumnType, RowPair, RowsEncoder, RowsFlags};
use binlog::value::Value;

use super::*;

const LANES: usize = 3;

/// The rows of a table: key and text.
type Rows = BTreeMap<i64, String>;

struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

fn map() -> TableMap<'static> {
    let mut number = Column::new(ColumnType::LONG, 0, false);
    number.unsigned = Some(false);
    let mut text = Column::new(ColumnType::VARCHAR, 80, true);
    text.charset = Some(45);
    TableMap::new(7, "d", "t", vec![number, text])
}

fn key() -> Arc<KeyColumns> {
    Arc::new(KeyColumns::for_test(vec![0], Some(0)))
}

fn row(key: i64, text: &str) -> Vec<Value<'static>> {
    vec![
        Value::Int(key),
        Value::Bytes(text.as_bytes().to_vec().into()),
    ]
}

fn event(kind: RowsKind, rows: &[(Vec<Value<'_>>, Vec<Value<'_>>)]) -> RowsEvent<'static> {
    let mut encoder = RowsEncoder::new(kind, &map(), RowsFlags(0)).unwrap();
    for (before, after) in rows {
        encoder.push(before, after).unwrap();
    }
    let body = encoder.finish(true).unwrap();
    let event_type = match kind {
        RowsKind::Write => EventType::WRITE_ROWS,
        RowsKind::Update => EventType::UPDATE_ROWS,
        RowsKind::Delete => EventType::DELETE_ROWS,
    };
    let reader = codec::Reader::new(&body);
    let event = RowsEvent::decode(event_type, reader, ChecksumAlgorithm::None).unwrap();
    let mut own = event.without_rows();
    own.rows = event.rows.to_vec().into();
    own
}

fn values(row: &binlog::row::Row<'_>) -> (i64, String) {
    match row.as_slice() {
        [Some(Value::Int(key)), Some(Value::Bytes(text))] => {
            (*key, String::from_utf8(text.to_vec()).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

/// Does what an event says, as a server would.
fn apply(rows: &mut Rows, event: &RowsEvent<'_>) -> usize {
    let plan = RowPlan::new(&map()).unwrap();
    let mut reader = event.read(&plan).unwrap();
    let mut pair = RowPair::default();
    let mut count = 0;
    while reader.next_into(&mut pair).unwrap() {
        count += 1;
        if event.kind != RowsKind::Write {
            let (key, text) = values(&pair.before);
            assert_eq!(rows.remove(&key), Some(text), "the row before {key}");
        }
        if event.kind != RowsKind::Delete {
            let (key, text) = values(&pair.after);
            assert_eq!(rows.insert(key, text), None, "a second row {key}");
        }
    }
    count
}

fn take(table: &mut NetTable, event: &RowsEvent<'_>) -> Result<(), NetError> {
    let plan = RowPlan::new(&map()).unwrap();
    let mut reader = event.read(&plan).unwrap();
    while let Some(row) = reader.next_images().unwrap() {
        table.take(event, row, LANES, |_| false)?;
    }
    Ok(())
}

fn table(first: &RowsEvent<'_>) -> NetTable {
    let header = EventHeader::new(EventType::WRITE_ROWS, 0, 1);
    NetTable::new("d", &map(), header, first, key()).unwrap()
}

/// What a table comes to, event by event.
fn handed_out(table: &NetTable) -> Vec<(usize, RowsEvent<'static>)> {
    let mut all = Vec::new();
    let gave: Result<(), ()> = table.hand_out(LANES, 200, |lane, event, rows| {
        let mut event = event.without_rows();
        event.rows = rows.to_vec().into();
        all.push((lane, event));
        Ok(())
    });
    gave.unwrap();
    all
}

/// One change of a row that fits what is there.
fn change(rows: &Rows, chance: &mut Chance) -> RowsEvent<'static> {
    let key = i64::try_from(chance.below(4000)).unwrap();
    let text = "x".repeat(usize::try_from(chance.below(20)).unwrap());
    let Some(was) = rows.get(&key) else {
        return event(RowsKind::Write, &[(vec![], row(key, &text))]);
    };
    let free = (key + 1..).find(|key| !rows.contains_key(key)).unwrap();
    match chance.below(5) {
        0 => event(RowsKind::Delete, &[(row(key, was), vec![])]),
        1 => event(RowsKind::Update, &[(row(key, was), row(free, &text))]),
        _ => event(RowsKind::Update, &[(row(key, was), row(key, &text))]),
    }
}

#[test]
fn what_random_histories_come_to_is_what_they_did() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..50 {
        let mut rows = Rows::new();
        for _ in 0..chance.below(200) {
            let event = change(&rows, &mut chance);
            apply(&mut rows, &event);
        }
        let mut target = rows.clone();
        let (mut held, mut changes) = (None, 0);
        for _ in 0..=chance.below(400) {
            let event = change(&rows, &mut chance);
            apply(&mut rows, &event);
            take(held.get_or_insert_with(|| table(&event)), &event).unwrap();
            changes += 1;
        }
        let mut left = 0;
        for (_, event) in handed_out(&held.unwrap()) {
            left += apply(&mut target, &event);
        }
        assert_eq!(target, rows);
        assert!(left <= changes * 2, "{left} of {changes}");
    }
}

#[test]
fn a_lane_that_has_a_unit_is_given_nothing_of_it() {
    let rows: Vec<_> = (0..9000).map(|key| (vec![], row(key, "a"))).collect();
    let plan = RowPlan::new(&map()).unwrap();
    let mut held = table(&event(RowsKind::Write, &rows[..1]));
    for rows in rows.chunks(100) {
        let event = event(RowsKind::Write, rows);
        let mut reader = event.read(&plan).unwrap();
        while let Some(row) = reader.next_images().unwrap() {
            held.take(&event, row, LANES, |lane| lane == 1).unwrap();
        }
    }
    let lanes: Vec<_> = handed_out(&held).iter().map(|(lane, _)| *lane).collect();
    assert!(lanes.contains(&0) && lanes.contains(&2) && !lanes.contains(&1));
}

#[test]
fn a_change_that_does_not_fit_is_not_taken() {
    let insert = event(RowsKind::Write, &[(vec![], row(1, "a"))]);
    let delete = event(RowsKind::Delete, &[(row(1, "a"), vec![])]);
    let update = event(RowsKind::Update, &[(row(1, "a"), row(1, "b"))]);
    let onto = event(RowsKind::Update, &[(row(2, "a"), row(1, "b"))]);
    for (first, second) in [
        (&insert, &insert),
        (&insert, &onto),
        (&update, &insert),
        (&delete, &delete),
        (&delete, &update),
    ] {
        let mut held = table(first);
        take(&mut held, first).unwrap();
        assert!(matches!(take(&mut held, second), Err(NetError::Misfit)));
        // Nothing of the second one is left.
        assert_eq!(handed_out(&held).len(), 1);
    }
}

#[test]
fn a_row_that_is_gone_again_has_moved_the_counter() {
    let insert = event(
        RowsKind::Write,
        &[
            (vec![], row(5, "a")),
            (vec![], row(9, "b")),
            (vec![], row(-3, "c")),
        ],
    );
    let delete = event(RowsKind::Delete, &[(row(9, "b"), vec![])]);
    let mut counting = KeyColumns::for_test(vec![0], Some(0));
    counting.counter = Some(0);
    let header = EventHeader::new(EventType::WRITE_ROWS, 0, 1);
    let mut held = NetTable::new("d", &map(), header, &insert, Arc::new(counting)).unwrap();
    take(&mut held, &insert).unwrap();
    take(&mut held, &delete).unwrap();
    let handed = handed_out(&held);
    let kinds: Vec<_> = handed.iter().map(|(_, event)| event.kind).collect();
    assert_eq!(kinds[..2], [RowsKind::Write, RowsKind::Delete]);
    let mut rows = Rows::new();
    assert_eq!(apply(&mut rows, &handed[0].1), 1);
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [9]);
    handed[1..].iter().for_each(|(_, event)| {
        apply(&mut rows, event);
    });
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), [-3, 5]);
}
