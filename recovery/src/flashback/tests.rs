//! The way there and back over logs made event by event.

use std::borrow::Cow;
use std::collections::BTreeSet;

use binlog::event::{Event, EventFlags, EventType, Incident};
use binlog::limits::Limits;
use binlog::log::LogFileName;
use binlog::row::{Column, ColumnType, RowsEncoder, RowsEvent, RowsFlags, RowsKind, TableMap};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use binlog::value::Value;
use codec::Reader;

use super::*;
use crate::fixture::Log;

/// The images of a row event: what the rows were, what they became.
type Change = (RowsKind, Vec<(Vec<i64>, Vec<i64>)>);

fn options(choice: Choice) -> Options {
    Options {
        choice,
        ignore: BTreeSet::new(),
        without_children: false,
        generated: inspect::Generated::default(),
        asks_a_server: false,
        limits: Limits::default(),
        scratch: std::env::temp_dir(),
    }
}

/// Scans a log; `again`: rows are read again in place.
fn scan(log: &Log, options: &Options, again: bool) -> Result<(Found, ReadBack), FlashbackError> {
    let mut scan = Scan::new(options)?;
    let mut files = ReadBack::default();
    scan.begin_file("b.000001", &LogFileName::new("b", 1), again);
    files.push(again.then(|| Box::new(log.file()) as _));
    let mut reader = TransactionReader::new(EventStream::new(log.reader(), Limits::default()));
    while let Some(step) = reader.next().map_err(FlashbackError::Log)? {
        scan.take(&step)?;
    }
    scan.end_file(reader.transaction().filter(|info| !info.is_complete));
    Ok((scan.finish()?, files))
}

fn everything() -> Choice {
    Choice {
        start: Some("b.000001:4".parse().unwrap()),
        ..Choice::default()
    }
}

fn refused(log: &Log) -> String {
    scan(log, &options(everything()), true)
        .unwrap_err()
        .to_string()
}

/// What takes `log` back, as a log.
fn undone(log: &Log, again: bool, is_single: bool) -> Log {
    let (mut found, mut files) = scan(log, &options(everything()), again).unwrap();
    let (description, server_id) = found.description();
    let mut file = BinlogFile::new(Vec::new(), description, server_id, 7, is_single).unwrap();
    found.rewind(&mut files, &mut file).unwrap();
    let (bytes, len) = file.finish().unwrap();
    assert_eq!(len, bytes.len() as u64);
    let mut out = Log::mysql();
    out.bytes = bytes;
    out
}

fn changes(log: &Log) -> Vec<Change> {
    let mut reader = TransactionReader::new(EventStream::new(log.reader(), Limits::default()));
    let mut changes = Vec::new();
    while let Some(step) = reader.next().unwrap() {
        let Event::Rows(rows) = &step.event else {
            continue;
        };
        let plan = &step.table.unwrap().plan;
        let numbers = |row: &binlog::row::Row<'_>| -> Vec<i64> {
            row.iter()
                .map(|value| match value {
                    Some(Value::Int(number)) => *number,
                    other => panic!("{other:?}"),
                })
                .collect()
        };
        let pairs = rows.read(plan).unwrap().map(|pair| {
            let pair = pair.unwrap();
            (numbers(&pair.before), numbers(&pair.after))
        });
        changes.push((rows.kind, pairs.collect()));
    }
    changes
}

fn map(number: u64) -> TableMap<'static> {
    let int = || Column::new(ColumnType::LONG, 0, true);
    TableMap::new(number, "s", "t", vec![int(), int()])
}

/// Appends a row event of table `number` with two INT columns.
fn put(log: &mut Log, number: u64, kind: RowsKind, rows: &[([i32; 2], [i32; 2])]) {
    let map = map(number);
    log.event(&Event::TableMap(map.clone()));
    let mut encoder = RowsEncoder::new(kind, &map, RowsFlags::default()).unwrap();
    let values = |row: [i32; 2]| row.map(|number| Value::Int(number.into()));
    for (before, after) in rows {
        assert_eq!(encoder.push(&values(*before), &values(*after)), Ok(None));
    }
    let body = encoder.finish(true).unwrap();
    let event_type = match kind {
        RowsKind::Write => EventType::WRITE_ROWS,
        RowsKind::Update => EventType(31),
        RowsKind::Delete => EventType(32),
    };
    let rows = RowsEvent::decode(event_type, Reader::at(&body, 19), log.format).unwrap();
    log.event(&Event::Rows(rows));
}

/// Two transactions, in which rows are changed more than once, also within one event.
fn busy() -> Log {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN");
    put(
        &mut log,
        1,
        RowsKind::Write,
        &[([0, 0], [1, 1]), ([0, 0], [2, 2])],
    );
    put(
        &mut log,
        1,
        RowsKind::Update,
        &[([1, 1], [1, 10]), ([1, 10], [1, 100])],
    );
    log.xid();
    log.gtid(2).query("BEGIN");
    put(
        &mut log,
        9,
        RowsKind::Delete,
        &[([1, 100], [0, 0]), ([2, 2], [0, 0])],
    );
    log.xid();
    log
}

#[test]
fn rows_come_back_from_the_last_to_the_first() {
    for (again, is_single) in [(true, false), (false, false), (true, true)] {
        let back = changes(&undone(&busy(), again, is_single));
        let none = Vec::new;
        assert_eq!(
            back,
            [
                (
                    RowsKind::Write,
                    vec![(none(), vec![2, 2]), (none(), vec![1, 100])]
                ),
                (
                    RowsKind::Update,
                    vec![(vec![1, 100], vec![1, 10]), (vec![1, 10], vec![1, 1])]
                ),
                (
                    RowsKind::Delete,
                    vec![(vec![2, 2], none()), (vec![1, 1], none())]
                ),
            ]
        );
    }
}

#[test]
fn what_takes_back_what_takes_back_is_what_was_done() {
    let log = busy();
    let twice = undone(&undone(&log, true, false), false, false);
    assert_eq!(changes(&twice), changes(&log));
}

#[test]
fn a_plan_counts_and_names_who_came_later() {
    let mut log = busy();
    log.gtid(3).query("BEGIN");
    put(&mut log, 4, RowsKind::Write, &[([0, 0], [2, 2])]);
    log.xid();
    let uuid = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
    let choice = Choice {
        gtids: Some(format!("{uuid}:2").parse().unwrap()),
        ..Choice::default()
    };
    let (found, _) = scan(&log, &options(choice), true).unwrap();
    let plan = &found.plan;
    assert_eq!(
        (plan.transactions, plan.rows.deletes, plan.rows.total()),
        (1, 2, 2)
    );
    // The same row without a key is told by all of its columns.
    let later: Vec<_> = plan.later.iter().map(|later| &later.name).collect();
    assert_eq!(later, [&format!("{uuid}:3")]);
    assert!(plan.is_later_complete && plan.later_more == 0);
    // A transaction that is not there is named.
    let choice = Choice {
        gtids: Some(format!("{uuid}:2:7-9").parse().unwrap()),
        ..Choice::default()
    };
    let missing = scan(&log, &options(choice), true).unwrap_err().to_string();
    assert!(
        missing.contains(&format!("{uuid}:7-9: not in")),
        "{missing}"
    );
}

#[test]
fn lost_events_and_halves_are_refused() {
    let incident = |log: &mut Log| {
        let event = Event::Incident(Incident {
            incident: 1,
            message: b"disk full",
            rest: &[],
        });
        log.event(&event);
    };
    // Inside of the range, and behind it, with a GTID and without.
    let mut log = busy();
    log.gtid(3);
    incident(&mut log);
    let refusal = refused(&log);
    assert!(refusal.contains("an incident (disk full)"), "{refusal}");
    let mut behind = options(Choice {
        stop: Some("aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa:1".parse().unwrap()),
        ..everything()
    });
    let refusal = scan(&log, &behind, true).unwrap_err().to_string();
    assert!(refusal.contains(":3: an incident"), "{refusal}");
    behind.ignore.insert(Ignore::Incident);
    assert!(scan(&log, &behind, true).is_ok());
    // No end.
    let mut log = busy();
    log.gtid(3).query("BEGIN");
    put(&mut log, 1, RowsKind::Write, &[([0, 0], [3, 3])]);
    let refusal = refused(&log);
    assert!(
        refusal.contains(":3: the transaction has no end"),
        "{refusal}"
    );
    // Rows that may or may not have stayed.
    log.query("ROLLBACK");
    let refusal = refused(&log);
    assert!(refusal.contains("was rolled back"), "{refusal}");
    // What nobody knows.
    let mut log = busy();
    log.gtid(3).query("BEGIN");
    log.raw(EventType(120), EventFlags::NONE, b"?");
    log.xid();
    let refusal = refused(&log);
    assert!(
        refusal.contains("it is not known what it changes"),
        "{refusal}"
    );
}

#[test]
fn a_file_that_changed_in_between_is_noticed() {
    let log = busy();
    let (mut found, _) = scan(&log, &options(everything()), true).unwrap();
    let mut other = log.clone();
    let at = other.bytes.len() - 60;
    other.bytes[at] ^= 1;
    let mut files = ReadBack::default();
    files.push(Some(Box::new(other.file())));
    let (description, server_id) = found.description();
    let mut file = BinlogFile::new(Vec::new(), description, server_id, 7, false).unwrap();
    let error = found.rewind(&mut files, &mut file).unwrap_err().to_string();
    assert!(error.contains("is not what it was"), "{error}");
}

/// A row that MySQL 9.7 logged with `PARTIAL_JSON` is tried with the server itself; here the columns
/// that an after image leaves out because they did not change.
#[test]
fn after_images_are_completed_from_those_before() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN");
    log.event(&Event::TableMap(map(1)));
    let int = i32::to_le_bytes;
    // Before (1, 5), after only the second column: 6.
    let rows = [&[0][..], &int(1), &int(5), &[0], &int(6)].concat();
    let mut event = {
        let mut body = vec![1, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 0xff, 0b10];
        body.extend_from_slice(&rows);
        let reader = Reader::at(&body, 19);
        let decoded = RowsEvent::decode(EventType(31), reader, log.format).unwrap();
        let mut own = decoded.without_rows();
        own.rows = Cow::Owned(rows.clone());
        own
    };
    event.table_id = 1;
    log.event(&Event::Rows(event)).xid();
    let back = changes(&undone(&log, true, false));
    assert_eq!(back, [(RowsKind::Update, vec![(vec![1, 6], vec![1, 5])])]);
}
