//! Transactions as events: against MySQL's own bytes, and read back.

use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, Event, EventHeader, RawEvent};
use binlog::row::{RowPlan, RowsFlags};
use binlog::value::Value;
use engine::catalog::Table;
use engine::database::{Database, EngineOptions};
use engine::execute::Writer;
use gtid::{Gno, Tsid};
use sql::{ParseOptions, parse};

use super::*;

/// A database with the schema `d1`, with the tables of `statements`.
struct Fixture {
    _directory: tempfile::TempDir,
    writer: Writer,
    session: SessionContext,
}

impl Fixture {
    fn new(statements: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let mut writer = Writer::open(&database).unwrap();
        writer.begin_group().unwrap();
        let mut session = SessionContext::new(9);
        session.now_micros = 1_700_000_000_250_000;
        let mut fixture = Self {
            _directory: directory,
            writer,
            session,
        };
        fixture.run("CREATE DATABASE d1 CHARACTER SET utf8mb4");
        fixture.session.database = Some("d1".to_owned());
        for statement in statements {
            fixture.run(statement);
        }
        fixture
    }

    fn run(&mut self, sql: &str) {
        let parsed = parse(sql.as_bytes(), &ParseOptions::default()).unwrap();
        let mut changes = Vec::new();
        self.writer
            .execute(&parsed.statement, &[], &mut self.session, &mut changes)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    fn table(&self, name: &str) -> Arc<Table> {
        Arc::clone(self.writer.catalog().table("d1", name).unwrap())
    }
}

fn origin(row_metadata: BinlogRowMetadata) -> EventOrigin {
    EventOrigin {
        server_id: 11,
        version: 80_405,
        row_metadata,
        event_bytes_max: EVENT_BYTES_MAX,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn table_maps_are_those_of_mysql_for_every_column_type() {
    for line in include_str!("table_maps.tsv").lines() {
        let mut fields = line.split('\t');
        let sql = fields.next().unwrap();
        let fixture = Fixture::new(&[sql]);
        let name = sql.split_whitespace().nth(2).unwrap();
        let table = fixture.table(name);
        let kinds = [BinlogRowMetadata::Minimal, BinlogRowMetadata::Full];
        for (kind, expected) in kinds.into_iter().zip(fields) {
            if expected.is_empty() {
                continue;
            }
            let mut body = Vec::new();
            statement::table_map(&table, kind).encode(&mut body);
            assert_eq!(hex(&body[6..]), expected, "{name} {kind:?}");
        }
    }
}

fn insert(table: &Arc<Table>, id: i64, text: &str) -> RowChange {
    RowChange {
        table: Arc::clone(table),
        before: None,
        after: Some(row(id, text)),
    }
}

fn row(id: i64, text: &str) -> Vec<Value<'static>> {
    vec![
        Value::Int(id),
        Value::Bytes(text.as_bytes().to_vec().into()),
    ]
}

fn placement(checksum: ChecksumAlgorithm) -> Placement {
    let uuid = "3e11fa47-71ca-11e1-9e33-c80aa9429562".parse().unwrap();
    Placement {
        gtid: Some(Gtid {
            tsid: Tsid::untagged(uuid),
            gno: Gno::new(7).unwrap(),
        }),
        clock: LogicalClock {
            last_committed: 3,
            sequence_number: 4,
        },
        commit_micros: 1_700_000_000_500_000,
        xid: 5,
        checksum,
    }
}

/// The events as they stand in a log from `offset` on, each checked.
fn events(transaction: &Transaction, checksum: ChecksumAlgorithm, offset: u64) -> Vec<Vec<u8>> {
    let mut written = Vec::new();
    let mut out = Vec::new();
    let end = transaction
        .write(&placement(checksum), offset, &mut out, |out| {
            written.append(out);
            Ok::<(), io::Error>(())
        })
        .unwrap();
    written.append(&mut out);
    assert_eq!(end - offset, written.len() as u64);
    let mut events = Vec::new();
    let mut at = 0;
    while at < written.len() {
        let header = EventHeader::decode(&written[at..]).unwrap();
        let next = at + usize::try_from(header.event_size).unwrap();
        let bytes = written[at..next].to_vec();
        let event = RawEvent::parse(&bytes).unwrap();
        event.verify(checksum).unwrap();
        let position = (offset + next as u64) & 0xffff_ffff;
        assert_eq!(u64::from(event.header.end_log_pos), position);
        assert_eq!(event.header.server_id, 11);
        events.push(bytes);
        at = next;
    }
    events
}

#[test]
fn rows_come_back_as_they_went_in_and_one_event_ends_the_statement() {
    let fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(9000))"]);
    let table = fixture.table("t");
    let directory = tempfile::tempdir().unwrap();
    let mut transaction = Transaction::rows(
        origin(BinlogRowMetadata::Minimal),
        &fixture.session,
        directory.path(),
    );
    let long = "x".repeat(3000);
    let mut changes: Vec<RowChange> = (0..20).map(|id| insert(&table, id, &long)).collect();
    changes.push(RowChange {
        table: Arc::clone(&table),
        before: Some(row(3, &long)),
        after: Some(row(3, "short")),
    });
    changes.push(RowChange {
        table: Arc::clone(&table),
        before: Some(row(4, &long)),
        after: None,
    });
    transaction.add(&fixture.session, &changes).unwrap();
    for checksum in [ChecksumAlgorithm::None, ChecksumAlgorithm::Crc32] {
        let events = events(&transaction, checksum, (1 << 32) + 1000);
        let total: usize = events.iter().map(Vec::len).sum();
        let mut plan = None;
        let mut seen = Vec::new();
        let mut ends = Vec::new();
        for bytes in &events {
            let raw = RawEvent::parse(bytes).unwrap();
            match Event::decode(&raw, checksum).unwrap() {
                Event::Gtid(gtid) => {
                    assert_eq!(gtid.transaction_length, Some(total as u64));
                    assert_eq!(gtid.flags, 0);
                    assert_eq!(gtid.server_versions.unwrap().immediate, 80_405);
                }
                Event::Query(query) => {
                    assert_eq!(query.sql.as_ref(), b"BEGIN");
                    assert_eq!(query.schema.as_ref(), b"d1");
                }
                Event::TableMap(map) => plan = Some(RowPlan::new(&map).unwrap()),
                Event::Rows(rows) => {
                    ends.push(rows.flags.contains(RowsFlags::STATEMENT_END));
                    for pair in rows.read(plan.as_ref().unwrap()).unwrap() {
                        let pair = pair.unwrap();
                        let own = |image: Vec<Option<Value<'_>>>| -> Vec<Value<'static>> {
                            image.into_iter().map(|v| v.unwrap().into_owned()).collect()
                        };
                        seen.push((own(pair.before), own(pair.after)));
                    }
                }
                Event::Xid(xid) => assert_eq!(xid.xid, 5),
                other => panic!("{other:?}"),
            }
        }
        let expected: Vec<_> = changes
            .iter()
            .map(|change| {
                let image = |row: &Option<Vec<Value<'static>>>| row.clone().unwrap_or_default();
                (image(&change.before), image(&change.after))
            })
            .collect();
        assert_eq!(seen, expected);
        // 8192 bytes take two of the long rows.
        assert_eq!(ends.len(), 10 + 1 + 1);
        assert_eq!(ends.iter().filter(|end| **end).count(), 1);
        assert_eq!(ends.last(), Some(&true));
    }
}

#[test]
fn a_row_that_no_event_can_hold_is_refused_before_anything_is_logged() {
    let fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(200))"]);
    let table = fixture.table("t");
    let directory = tempfile::tempdir().unwrap();
    let origin = EventOrigin {
        event_bytes_max: 300,
        ..origin(BinlogRowMetadata::Minimal)
    };
    let mut transaction = Transaction::rows(origin, &fixture.session, directory.path());
    let long = "x".repeat(150);
    let fits = [insert(&table, 1, &long)];
    transaction.add(&fixture.session, &fits).unwrap();
    let before = transaction.len();
    // Each image fits, the two of them in one event do not.
    let update = RowChange {
        table: Arc::clone(&table),
        before: Some(row(1, &long)),
        after: Some(row(1, &"y".repeat(150))),
    };
    let error = transaction.add(&fixture.session, &[update]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    assert_eq!(transaction.len(), before);
}

#[test]
fn what_followed_a_savepoint_leaves_no_trace() {
    let fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))"]);
    let table = fixture.table("t");
    let directory = tempfile::tempdir().unwrap();
    let new = || {
        Transaction::rows(
            origin(BinlogRowMetadata::Minimal),
            &fixture.session,
            directory.path(),
        )
    };
    let mut straight = new();
    straight
        .add(&fixture.session, &[insert(&table, 1, "a")])
        .unwrap();
    let mut winding = new();
    winding
        .add(&fixture.session, &[insert(&table, 1, "a")])
        .unwrap();
    let mark = winding.mark();
    winding
        .add(&fixture.session, &[insert(&table, 2, "b")])
        .unwrap();
    winding.truncate(mark);
    let checksum = ChecksumAlgorithm::Crc32;
    assert_eq!(
        events(&winding, checksum, 4),
        events(&straight, checksum, 4)
    );
    let mut dependencies = Dependencies::default();
    assert_eq!(winding.clock(&mut dependencies).last_committed, 0);
    let mut other = new();
    other
        .add(&fixture.session, &[insert(&table, 2, "c")])
        .unwrap();
    assert_eq!(other.clock(&mut dependencies).last_committed, 0);
}

#[test]
fn a_ddl_statement_is_logged_as_its_text_in_its_session() {
    let mut fixture = Fixture::new(&[]);
    fixture.session.foreign_key_checks = false;
    let sql = b"create table `t\xc3\xa9` (id int) -- as typed";
    let schemas = ["d1".to_owned()];
    let origin = origin(BinlogRowMetadata::Minimal);
    let transaction = Transaction::ddl(origin, &fixture.session, sql, None, &schemas, 77);
    let events = events(&transaction, ChecksumAlgorithm::Crc32, 4);
    assert_eq!(events.len(), 2);
    let raw = RawEvent::parse(&events[0]).unwrap();
    let Event::Gtid(gtid) = Event::decode(&raw, ChecksumAlgorithm::Crc32).unwrap() else {
        panic!("no GTID");
    };
    assert_eq!(gtid.flags, GtidEvent::MAY_HAVE_STATEMENTS);
    let raw = RawEvent::parse(&events[1]).unwrap();
    assert_eq!(raw.header.timestamp, 1_700_000_000);
    let Event::Query(query) = Event::decode(&raw, ChecksumAlgorithm::Crc32).unwrap() else {
        panic!("no query");
    };
    assert_eq!(query.sql.as_ref(), sql);
    assert_eq!(query.thread_id, 9);
    assert_eq!(query.status.flags2(), Some(0x0400_0000));
    assert_eq!(query.status.microseconds(), Some(250_000));
    let codes: Vec<u8> = query
        .status
        .0
        .iter()
        .map(|variable| variable.code())
        .collect();
    assert_eq!(codes, [0, 1, 6, 4, 12, 13, 17, 18]);
}

/// The clocks of transactions that each insert the given ids into `t`.
fn clocks(table: &Arc<Table>, transactions: &[&[(i64, &str)]]) -> Vec<u64> {
    let mut dependencies = Dependencies::default();
    let clocks = transactions.iter().map(|rows| {
        let mut set = WriteSet::default();
        for (id, text) in *rows {
            set.add(table, &row(*id, text));
        }
        dependencies.rows(&set).last_committed
    });
    clocks.collect()
}

#[test]
fn transactions_depend_on_the_last_one_that_touched_a_row_of_theirs() {
    let fixture = Fixture::new(&[
        "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, UNIQUE (v))",
        "CREATE TABLE keyless (id INT, v VARCHAR(20))",
        "CREATE TABLE prefixed (id INT, v VARCHAR(20), UNIQUE (v(2)))",
    ]);
    let table = fixture.table("t");
    let single: Vec<Vec<(i64, &str)>> = vec![
        vec![(1, "a")],
        vec![(2, "b")],
        vec![(1, "c")],
        vec![(3, "d"), (2, "e")],
        // Equal to 'b' for the collation, and 'b' was touched by the second.
        vec![(4, "B")],
    ];
    let slices: Vec<&[(i64, &str)]> = single.iter().map(Vec::as_slice).collect();
    assert_eq!(clocks(&table, &slices), [0, 0, 1, 2, 2]);
    let keyless = fixture.table("keyless");
    assert_eq!(
        clocks(&keyless, &[&[(1, "a")], &[(2, "b")], &[(3, "c")]]),
        [0, 1, 2]
    );
    let prefixed = fixture.table("prefixed");
    assert_eq!(clocks(&prefixed, &[&[(1, "abc")], &[(2, "xyz")]]), [0, 1]);
}

#[test]
fn ddl_and_a_new_file_begin_a_new_history() {
    let fixture = Fixture::new(&["CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))"]);
    let table = fixture.table("t");
    let mut dependencies = Dependencies::default();
    let mut next = |id: i64| {
        let mut set = WriteSet::default();
        set.add(&table, &row(id, "x"));
        let clock = dependencies.rows(&set);
        (clock.last_committed, clock.sequence_number)
    };
    assert_eq!((next(1), next(2)), ((0, 1), (0, 2)));
    let ddl = dependencies.ddl();
    assert_eq!((ddl.last_committed, ddl.sequence_number), (2, 3));
    let mut next = |id: i64| {
        let mut set = WriteSet::default();
        set.add(&table, &row(id, "x"));
        let clock = dependencies.rows(&set);
        (clock.last_committed, clock.sequence_number)
    };
    assert_eq!((next(3), next(3)), ((3, 4), (4, 5)));
    dependencies.rotated();
    let mut set = WriteSet::default();
    set.add(&table, &row(3, "x"));
    assert_eq!(dependencies.rows(&set).sequence_number, 1);
}
