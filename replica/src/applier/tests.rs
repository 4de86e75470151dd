//! The applier over a simulated disk, a target in memory and a source that sends what it is asked.

mod memory;
mod parallel;
mod payloads;
mod steered;
mod xa;

use binlog::event::{
    ChecksumAlgorithm, CommitTimestamps, EventHeader, EventType, FormatDescription, GtidEvent,
    PayloadCompression, Query, RawEvent, StatusVariables, TransactionPayload, Xid, write_event,
};
use binlog::log::{CrashKind, SimStorage, SourceCoordinates};
use binlog::row::{Column, ColumnType, RowsEncoder, RowsFlags, RowsKind, TableMap};
use binlog::stream::payload;
use binlog::transaction::{Executed, TransactionGtid};
use binlog::value::Value;
use gtid::{Gno, Gtid, GtidSet, Tsid, Uuid};

use memory::{Failing, MemoryStore, disk_full, out_of_order};

use super::*;
use crate::reconcile::{Wanted, reconcile};
use crate::relay_log::{RelayLogOptions, Relayed, Then, artificial_rotate};

const CRC: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;

/// A transaction of the source.
#[derive(Debug, Clone)]
enum Sent {
    /// Inserts this key into `d.<table>`.
    Row(&'static str, i64),
    /// A statement of its own.
    Statement(&'static str),
    /// These events behind the GTID.
    Behind(Vec<Body>),
    /// An event of this type and body inside a transaction.
    Unknown(EventType, Vec<u8>),
}

/// A source whose n-th transaction has GTID number n.
struct Source {
    transactions: Vec<Sent>,
    /// Whether rows are sent as MySQL does with binlog_transaction_compression=ON.
    is_compressed: bool,
}

type Body = (EventType, Vec<u8>);

fn gtid(number: usize) -> Gtid {
    Gtid {
        tsid: Tsid::untagged(Uuid::from_u128(7)),
        gno: Gno::new(number as u64).unwrap(),
    }
}

fn table_map(table: &str) -> TableMap<'static> {
    let mut column = Column::new(ColumnType::LONGLONG, 0, false);
    column.unsigned = Some(false);
    let table_id = 100 + table.len() as u64;
    TableMap::new(table_id, "d", table.to_owned(), vec![column])
}

fn statement(sql: &str) -> Query<'static> {
    Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables::default(),
        schema: b"d".into(),
        sql: sql.as_bytes().to_vec().into(),
    }
}

impl Source {
    fn rows(count: i64) -> Self {
        Self {
            transactions: (1..=count).map(|key| Sent::Row("t", key)).collect(),
            is_compressed: false,
        }
    }

    fn compressed(count: i64) -> Self {
        Self {
            is_compressed: true,
            ..Self::rows(count)
        }
    }

    /// Bodies of a transaction's events.
    fn events(&self, number: usize) -> Vec<Body> {
        let body = |encode: &dyn Fn(&mut Vec<u8>)| {
            let mut body = Vec::new();
            encode(&mut body);
            body
        };
        let query = |sql: &str| (EventType::QUERY, body(&|out| statement(sql).encode(out)));
        let mut begin = GtidEvent::new(Some(gtid(number)));
        let micros = 1_000_000 * number as u64;
        begin.commit_timestamps = Some(CommitTimestamps {
            immediate: micros,
            original: micros,
        });
        begin.logical_clock = Some(binlog::event::LogicalClock {
            last_committed: 0,
            sequence_number: number as u64,
        });
        let mut events = vec![(EventType::GTID, body(&|out| begin.encode(out)))];
        let xid = (EventType::XID, body(&|out| Xid { xid: 1 }.encode(out)));
        match &self.transactions[number - 1] {
            Sent::Statement(sql) => events.push(query(sql)),
            Sent::Behind(bodies) => events.extend(bodies.iter().cloned()),
            Sent::Unknown(kind, body) => {
                events.extend([query("BEGIN"), (*kind, body.clone()), xid]);
            }
            Sent::Row(table, key) => {
                let map = table_map(table);
                let flags = RowsFlags::default();
                let mut rows = RowsEncoder::new(RowsKind::Write, &map, flags).unwrap();
                rows.push(&[], &[Value::Int(*key)]).unwrap();
                events.push(query("BEGIN"));
                events.push((EventType::TABLE_MAP, body(&|out| map.encode(out))));
                events.push((EventType::WRITE_ROWS, rows.finish(true).unwrap()));
                events.push(xid);
            }
        }
        let ends_with_xid = events.last().is_some_and(|last| last.0 == EventType::XID);
        if self.is_compressed && ends_with_xid {
            let payload = payload_of(&events.split_off(1));
            let payload = body(&|out| payload.encode(out));
            events.push((EventType::TRANSACTION_PAYLOAD, payload));
        }
        events
    }

    /// Sends everything, each transaction with what the source's clock says of it.
    fn send_clocked(&self, log: &RelayLog, clocks: &[(u64, u64)]) {
        self.send_numbered(log, |number| {
            let (last_committed, sequence_number) = clocks[number - 1];
            Some(binlog::event::LogicalClock {
                last_committed,
                sequence_number,
            })
        });
    }

    /// Sends everything, as a source does that has no clock.
    fn send_without_clock(&self, log: &RelayLog) {
        self.send_numbered(log, |_| None);
    }

    fn send_numbered(
        &self,
        log: &RelayLog,
        clock: impl Fn(usize) -> Option<binlog::event::LogicalClock>,
    ) {
        self.send_changed(log, &GtidSet::default(), |number, event| {
            let raw = RawEvent::parse(event).unwrap();
            if raw.header.event_type != EventType::GTID {
                return event.to_vec();
            }
            let mut begin = GtidEvent::new(Some(gtid(number)));
            begin.logical_clock = clock(number);
            let micros = 1_000_000 * number as u64;
            begin.commit_timestamps = Some(CommitTimestamps {
                immediate: micros,
                original: micros,
            });
            let start = u64::from(raw.header.end_log_pos) - event.len() as u64;
            let mut plain = Vec::new();
            begin.encode(&mut plain);
            let mut bytes = Vec::new();
            write_event(&mut bytes, &raw.header, start, CRC, |out| {
                out.extend(&plain)
            });
            bytes
        });
    }

    /// Sends everything that is not in `have`, as a source asked by GTID does.
    fn send(&self, log: &RelayLog, have: &GtidSet) {
        self.send_changed(log, have, |_, event| event.to_vec());
    }

    /// As [`Source::send`], where `change` makes of the n-th transaction's events what arrives.
    fn send_changed(
        &self,
        log: &RelayLog,
        have: &GtidSet,
        change: impl Fn(usize, &[u8]) -> Vec<u8>,
    ) {
        let mut place = SourceCoordinates {
            file: "binlog.000001".to_owned(),
            offset: 4,
        };
        let mut description = Vec::new();
        let body = FormatDescription::current("9.7.4", CRC);
        let header = EventHeader::new(EventType::FORMAT_DESCRIPTION, 0, 1);
        place.offset = write_event(&mut description, &header, 4, CRC, |out| body.encode(out));
        let rotate = artificial_rotate(&place, CRC);
        log.begin_source_file(&rotate, &description, &place, CRC, 1)
            .unwrap();
        for number in 1..=self.transactions.len() {
            let events = self.events(number);
            let last = events.len() - 1;
            let seconds = u32::try_from(number).unwrap();
            let is_had = have.contains(&gtid(number));
            for (index, (event_type, body)) in events.into_iter().enumerate() {
                let mut bytes = Vec::new();
                let header = EventHeader::new(event_type, 1_000 + seconds, 1);
                let start = place.offset;
                place.offset =
                    write_event(&mut bytes, &header, start, CRC, |out| out.extend(&body));
                if is_had {
                    continue;
                }
                let then = match index == last {
                    true => Then::Seal(TransactionGtid::MySql(gtid(number))),
                    false => Then::Continue,
                };
                let bytes = change(number, &bytes);
                let relayed = Relayed {
                    bytes: &bytes,
                    then,
                    source: &place,
                    commit_micros: None,
                };
                log.store(&relayed, 1).unwrap();
            }
        }
    }
}

/// Whole events without checksum, one after the other.
fn content(events: &[Body]) -> Vec<Vec<u8>> {
    let none = ChecksumAlgorithm::None;
    let events = events.iter().map(|(event_type, body)| {
        let mut bytes = Vec::new();
        let header = EventHeader::new(*event_type, 1_000, 1);
        write_event(&mut bytes, &header, 0, none, |out| out.extend(body));
        bytes
    });
    events.collect()
}

/// The payload that MySQL makes of events.
fn payload_of(events: &[Body]) -> TransactionPayload<'static> {
    let content = content(events);
    let raw = content.iter().map(|bytes| RawEvent::parse(bytes).unwrap());
    payload::compress(raw, ChecksumAlgorithm::None.into(), 3).unwrap()
}

/// A replica without threads and sockets.
struct Replica {
    applier: Applier,
    target: MemoryStore,
    storage: SimStorage,
}

impl Replica {
    fn open(storage: SimStorage, target: MemoryStore) -> Self {
        let options = RelayLogOptions {
            base: "relay".to_owned(),
            index: "relay.index".to_owned(),
            max_size: 4096,
            space_limit: 0,
            purge: true,
            sync_every: 3,
            server_id: 2,
            server_version: "8.4.0-weir".to_owned(),
        };
        let relay_log = RelayLog::open(Arc::new(storage.clone()), options, 1).unwrap();
        let status = Arc::new(ApplierStatus::default());
        reconcile(&target, &status, &relay_log, Wanted::Keep).unwrap();
        let applier = Applier {
            relay_log: Arc::new(relay_log),
            filter: Arc::default(),
            status,
            limits: GroupLimits {
                transactions_max: 4,
                ..GroupLimits::default()
            },
            steering: Steering::default(),
            settings: ApplierSettings::default(),
        };
        Self {
            applier,
            target,
            storage,
        }
    }

    fn new() -> Self {
        Self::open(SimStorage::new(1), MemoryStore::default())
    }

    fn receive(&self, source: &Source) {
        let mut have = self.applier.relay_log.retrieved().mysql;
        have.union(&self.applier.status.gtid_executed());
        source.send(&self.applier.relay_log, &have);
    }

    /// Applies what is in the relay log, at most `commits_max` groups.
    fn apply(&self, commits_max: usize) -> Result<(), ApplierError> {
        self.apply_some(commits_max, usize::MAX)
    }

    /// Applies what is in the relay log, at most `commits_max` groups and `events_max` events: what
    /// is not committed then is lost.
    fn apply_some(&self, commits_max: usize, events_max: usize) -> Result<(), ApplierError> {
        let worker = Worker::new(Arc::new(self.target.clone())).unwrap();
        let (filter, status) = (&self.applier.filter, &self.applier.status);
        let mut coordinator = Coordinator::new(
            worker,
            Arc::clone(filter),
            Arc::clone(status),
            Places::RelayLog,
        );
        let mut reader = self.applier.reader(&coordinator).unwrap();
        let end = self.applier.relay_log.end();
        let known_end = end.borrow().position.clone();
        reader.source_mut().set_end(known_end.clone());
        let limit = self.target.commits() + commits_max;
        let mut events = 0;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        let runtime = runtime.unwrap();
        let (_stop, mut stopped) = watch::channel(false);
        while self.target.commits() < limit && events < events_max {
            let applier = &self.applier;
            let handle = runtime.handle();
            let taken =
                applier.take_next(&mut coordinator, &mut reader, handle, &mut stopped, &end)?;
            match taken {
                None => {}
                Some(Pause::AtEnd) => {
                    applier.commit(&mut coordinator)?;
                    return applier.idle(&mut coordinator);
                }
                Some(Pause::Reached | Pause::Stopped) => {
                    return applier.commit(&mut coordinator);
                }
            }
            events += 1;
        }
        Ok(())
    }

    fn apply_all(&self) -> Result<(), ApplierError> {
        self.apply(usize::MAX / 2)
    }
}

fn keys(count: i64) -> Vec<i64> {
    (1..=count).collect()
}

#[test]
fn applies_in_order_and_commits_the_position_with_the_rows() {
    let replica = Replica::new();
    replica.receive(&Source::rows(10));
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], keys(10));
    let expected: GtidSet = (1..=10).map(gtid).collect();
    assert_eq!(store.applied.executed.mysql, expected);
    let state = replica.applier.status.snapshot();
    assert_eq!((state.transactions, state.rows), (10, 10));
    assert!(state.has_caught_up);
    assert_eq!(state.last_applied_micros, Some(10_000_000));
    // The start of the relay log, then four transactions share a commit at most.
    assert_eq!(replica.target.commits(), 1 + 3);
}

#[test]
fn any_crash_loses_nothing_and_repeats_nothing() {
    for seed in 0..400_u64 {
        let is_compressed = seed % 2 == 1;
        let mut replica = Replica::open(SimStorage::new(seed), MemoryStore::default());
        let mut round = 0_u64;
        loop {
            round += 1;
            assert!(round < 100, "seed {seed}: no progress");
            let few = usize::try_from((seed + round) % 5).unwrap();
            let sent = 30.min(7 * i64::try_from(round).unwrap());
            let part = Source {
                is_compressed,
                ..Source::rows(sent)
            };
            replica.receive(&part);
            // Ends between any two events, those inside a payload too.
            let events_max = 40 + usize::try_from((seed * 7 + round * 13) % 60).unwrap();
            replica.apply_some(few, events_max).unwrap();
            if replica
                .target
                .last()
                .rows
                .get("d.t")
                .is_some_and(|rows| rows.len() == 30)
            {
                break;
            }
            // kill -9 keeps what was written; power loss keeps what was synced, of either side.
            let is_power_loss = (seed + round).is_multiple_of(3);
            let kind = if is_power_loss {
                CrashKind::Power
            } else {
                CrashKind::Process
            };
            let lost = usize::try_from(seed % 3).unwrap() * usize::from(is_power_loss);
            let storage = replica.storage.crash(kind, seed + round);
            replica = Replica::open(storage, replica.target.crash(lost));
        }
        assert_eq!(replica.target.last().rows["d.t"], keys(30), "seed {seed}");
    }
}

#[test]
fn an_error_stops_with_its_place_and_keeps_what_came_before() {
    let mut replica = Replica::new();
    replica.target.conflicts_with = Some(3);
    replica.receive(&Source::rows(5));
    let error = replica.apply_all().unwrap_err();
    assert_eq!(error.code(), 1062);
    let text = error.to_string();
    for part in [
        "Duplicate entry",
        "WRITE_ROWS (30)",
        "d.t",
        "relay.000001",
        "binlog.000001",
        ":3",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(replica.target.last().rows["d.t"], keys(2));
    replica.target.conflicts_with = None;
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(5));
}

#[test]
fn an_unknown_event_stops_and_is_never_skipped() {
    for (kind, body) in [
        (EventType::INTVAR, vec![2, 1, 0, 0, 0, 0, 0, 0, 0]),
        (EventType::RAND, vec![0; 16]),
        (EventType::BEGIN_LOAD_QUERY, vec![0; 8]),
        (EventType(200), vec![0; 8]),
    ] {
        let replica = Replica::new();
        let mut source = Source::rows(1);
        source.transactions.push(Sent::Unknown(kind, body));
        source.transactions.push(Sent::Row("t", 3));
        replica.receive(&source);
        let error = replica.apply_all().unwrap_err();
        assert!(error.to_string().contains("cannot be applied"), "{error}");
        assert_eq!(replica.target.last().rows["d.t"], keys(1));
    }
}

#[test]
fn an_event_that_cannot_be_decoded_stops_with_its_place() {
    let replica = Replica::new();
    let mut source = Source::rows(1);
    let damaged = Sent::Unknown(EventType::PARTIAL_UPDATE_ROWS, vec![0; 7]);
    source.transactions.push(damaged);
    replica.receive(&source);
    let error = replica.apply_all().unwrap_err();
    assert_eq!(error.code(), 13121);
    let text = error.to_string();
    for part in [
        "The event cannot be decoded",
        "PARTIAL_UPDATE_ROWS (39)",
        "relay.000001",
        "binlog.000001",
        ":2",
    ] {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
    assert_eq!(replica.target.last().rows["d.t"], keys(1));
}

#[test]
fn filters_skip_rows_and_statements_but_move_the_position() {
    let mut replica = Replica::new();
    let mut filter = ReplicationFilter::default();
    filter
        .ignore_table
        .extend(config::filter::TableName::parse("d.log"));
    replica.applier.filter = Arc::new(filter);
    let source = Source {
        transactions: vec![
            Sent::Row("t", 1),
            Sent::Row("log", 2),
            Sent::Statement("CREATE TABLE log (a INT)"),
            Sent::Statement("CREATE TABLE t2 (a INT)"),
            Sent::Statement("CREATE USER somebody"),
        ],
        is_compressed: false,
    };
    replica.receive(&source);
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows.keys().collect::<Vec<_>>(), ["d.t"]);
    assert_eq!(store.statements, ["CREATE TABLE t2 (a INT)"]);
    let state = replica.applier.status.snapshot();
    assert_eq!((state.transactions, state.skipped), (5, 3));
    assert_eq!(state.executed.mysql.count(), 5);
}

#[test]
fn applied_relay_logs_are_removed() {
    let replica = Replica::new();
    replica.receive(&Source::rows(100));
    let before = replica.applier.relay_log.space();
    replica.apply_all().unwrap();
    assert!(replica.applier.relay_log.space() < before / 2);
    assert_eq!(replica.target.last().rows["d.t"], keys(100));
}

fn runtime() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(1).enable_all().build().unwrap()
}

#[test]
fn relay_logs_stay_while_a_power_loss_could_take_the_target_back_to_them() {
    let mut replica = Replica::new();
    replica.target.is_lazy = true;
    replica.receive(&Source::rows(100));
    let before = replica.applier.relay_log.space();
    replica.apply_all().unwrap();
    assert!(replica.applier.relay_log.space() >= before);
    // The source has purged what it sent, and the target comes back empty: everything is still here.
    let storage = replica.storage.crash(CrashKind::Power, 1);
    let replica = Replica::open(storage, replica.target.crash(usize::MAX));
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(100));
}

#[test]
fn an_applier_that_panics_says_so_and_does_not_run() {
    let mut replica = Replica::new();
    replica.target.panics = true;
    replica.receive(&Source::rows(1));
    let runtime = runtime();
    let target = Arc::new(replica.target.clone());
    let running = spawn(replica.applier.clone(), target, runtime.handle().clone()).unwrap();
    while !running.is_finished() {
        std::thread::yield_now();
    }
    running.stop();
    let state = replica.applier.status.snapshot();
    assert!(!state.is_running);
    let failure = state.failure.unwrap();
    assert_eq!(failure.code, 13117);
    assert!(failure.message.contains("panic"), "{}", failure.message);
}

#[test]
fn a_failure_that_time_does_not_heal_is_not_tried_again() {
    let mut replica = Replica::new();
    replica.target.failure = Failing(out_of_order);
    replica.receive(&Source::rows(1));
    *replica.target.failing_commits.lock().unwrap() = 1;
    let error = replica.apply_all().unwrap_err();
    assert_eq!((error.code(), error.is_temporary()), (1030, false));
    replica.target.failure = Failing(disk_full);
    *replica.target.failing_commits.lock().unwrap() = 1;
    let error = replica.apply_all().unwrap_err();
    assert_eq!((error.code(), error.is_temporary()), (1114, true));
}

#[test]
fn a_statement_that_failed_on_the_source_stops() {
    let replica = Replica::new();
    let mut source = Source::rows(1);
    let mut body = Vec::new();
    Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 1317,
        status: StatusVariables::default(),
        schema: b"d".into(),
        sql: b"DROP TABLE a, b".into(),
    }
    .encode(&mut body);
    let failed = Sent::Behind(vec![(EventType::QUERY, body)]);
    source.transactions.push(failed);
    replica.receive(&source);
    let error = replica.apply_all().unwrap_err();
    assert_eq!(error.code(), 3001);
    for part in ["error on source: 1317", "DROP TABLE a, b"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(replica.target.last().rows["d.t"], keys(1));
    assert!(replica.target.last().statements.is_empty());
}

#[test]
fn what_is_passed_over_is_not_counted_with_what_follows() {
    let counted = |executed: GtidSet| {
        let target = MemoryStore::default();
        let applied = Applied {
            executed: executed.into(),
            ..Applied::default()
        };
        target.replace(&applied).unwrap();
        let replica = Replica::open(SimStorage::new(1), target);
        Source::rows(3).send(&replica.applier.relay_log, &GtidSet::new());
        replica.apply_all().unwrap();
        let state = replica.applier.status.snapshot();
        (state.transactions, state.bytes)
    };
    let (all, bytes) = counted(GtidSet::new());
    assert_eq!(all, 3);
    let executed: GtidSet = (1..=2).map(gtid).collect();
    assert_eq!(counted(executed), (1, bytes / 3));
}

#[test]
fn a_position_that_the_discarded_relay_log_left_never_becomes_one_of_the_new_log() {
    // The relay logs were removed by hand, and the new ones will grow over the old position.
    let old = Replica::new();
    old.receive(&Source::rows(8));
    old.apply_all().unwrap();
    let target = old.target.clone();
    let replica = Replica::open(SimStorage::new(2), target.clone());
    let applied = target.last().applied;
    let start = replica.applier.relay_log.start();
    assert_eq!(applied.relay, Some(start));
    let executed: GtidSet = (1..=8).map(gtid).collect();
    assert_eq!(applied.executed.mysql, executed);
    replica.receive(&Source::rows(20));
    let storage = replica.storage.crash(CrashKind::Process, 1);
    let replica = Replica::open(storage, target);
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(20));
}

#[test]
fn an_unapplied_relay_log_is_kept_whatever_its_number() {
    let replica = Replica::new();
    replica
        .applier
        .relay_log
        .reset(Executed::default(), 1)
        .unwrap();
    let start = replica.applier.relay_log.start();
    assert_ne!(start.file.number(), 1);
    let applied = Applied {
        relay: Some(start),
        ..Applied::default()
    };
    let target = replica.target.clone();
    target.replace(&applied).unwrap();
    replica.receive(&Source::rows(5));
    let storage = replica.storage.crash(CrashKind::Process, 1);
    let replica = Replica::open(storage, target);
    assert_eq!(replica.applier.relay_log.retrieved().mysql.count(), 5);
    replica.apply_all().unwrap();
    assert_eq!(replica.target.last().rows["d.t"], keys(5));
}

#[test]
fn a_store_that_fails_for_a_while_is_tried_again() {
    let replica = Replica::new();
    replica.receive(&Source::rows(6));
    *replica.target.failing_commits.lock().unwrap() = 2;
    let runtime = runtime();
    let target = Arc::new(replica.target.clone());
    let running = spawn(replica.applier.clone(), target, runtime.handle().clone()).unwrap();
    while !replica.applier.status.snapshot().has_caught_up {
        std::thread::yield_now();
    }
    running.stop();
    assert_eq!(replica.target.last().rows["d.t"], keys(6));
    let state = replica.applier.status.snapshot();
    assert_eq!((state.failures, state.is_running), (2, false));
}
