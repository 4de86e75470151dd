use binlog::event::{
    EventFlags, EventHeader, EventType, FormatDescription, Query, StatusVariables, write_event,
};
use binlog::log::{CrashKind, SimStorage, Step};

use super::head::artificial_rotate;
use super::*;

fn options() -> RelayLogOptions {
    RelayLogOptions {
        base: "relay".to_owned(),
        index: "relay.index".to_owned(),
        max_size: 4096,
        space_limit: 0,
        purge: true,
        sync_every: 1,
        server_id: 2,
        server_version: "8.4.0-weir".to_owned(),
    }
}

fn at(offset: u64) -> SourceCoordinates {
    SourceCoordinates {
        file: "binlog.000007".to_owned(),
        offset,
    }
}

/// A source that sends transactions of a BEGIN and an XID.
struct Source {
    place: SourceCoordinates,
    sent: u64,
}

impl Source {
    fn begin(&self, log: &RelayLog) {
        let checksum = ChecksumAlgorithm::Crc32;
        let mut description = Vec::new();
        let body = FormatDescription::current("9.7.4", checksum);
        let header = header(EventType::FORMAT_DESCRIPTION);
        write_event(&mut description, &header, 4, checksum, |out| {
            body.encode(out)
        });
        let rotate = artificial_rotate(&self.place, checksum);
        log.begin_source_file(&rotate, &description, &self.place, checksum, 1)
            .unwrap();
    }

    fn event(&mut self, log: &RelayLog, event_type: EventType, body: &[u8], then: Then) {
        let mut bytes = Vec::new();
        let checksum = ChecksumAlgorithm::Crc32;
        self.place.offset = write_event(
            &mut bytes,
            &header(event_type),
            self.place.offset,
            checksum,
            |out| {
                out.extend_from_slice(body);
            },
        );
        log.store(
            &Relayed {
                bytes: &bytes,
                then,
                source: &self.place,
                commit_micros: None,
            },
            1,
        )
        .unwrap();
    }

    fn begin_transaction(&mut self, log: &RelayLog) {
        let mut query = Vec::new();
        Query {
            thread_id: 1,
            exec_time: 0,
            error_code: 0,
            status: StatusVariables::default(),
            schema: b"d".into(),
            sql: b"BEGIN".into(),
        }
        .encode(&mut query);
        self.event(log, EventType::QUERY, &query, Then::Continue);
    }

    fn transaction(&mut self, log: &RelayLog) {
        self.begin_transaction(log);
        self.sent += 1;
        self.event(
            log,
            EventType::XID,
            &self.sent.to_le_bytes(),
            Then::Seal(TransactionGtid::None),
        );
    }
}

fn header(event_type: EventType) -> EventHeader {
    EventHeader {
        timestamp: 1,
        event_type,
        server_id: 1,
        event_size: 0,
        end_log_pos: 0,
        flags: EventFlags(0),
    }
}

/// The numbers of the transactions that a reader sees.
fn transactions(log: &RelayLog) -> Vec<u64> {
    let end = log.end().borrow().position.clone();
    let mut cursor = log.cursor(&log.start()).unwrap();
    let mut seen = Vec::new();
    while cursor.advance(&end).unwrap() != Step::End {
        let Some((_, event)) = cursor.current() else {
            continue;
        };
        if event.header.event_type == EventType::XID {
            let body = event.body(ChecksumAlgorithm::Crc32).unwrap();
            seen.push(u64::from_le_bytes(body.try_into().unwrap()));
        }
    }
    seen
}

#[test]
fn a_transaction_is_visible_when_it_is_whole_and_gone_when_it_was_broken_off() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(1));
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    let mut source = Source {
        place: at(200),
        sent: 0,
    };
    source.begin(&log);
    source.transaction(&log);
    let whole = source.place.clone();
    source.begin_transaction(&log);
    assert_eq!(transactions(&log), [1]);
    assert_eq!(log.source_coordinates(), Some(whole.clone()));
    log.abandon().unwrap();
    source.place = whole;
    source.begin(&log);
    source.transaction(&log);
    assert_eq!(transactions(&log), [1, 2]);
    assert_eq!(log.end().borrow().backlog.transactions_received, 2);
}

#[test]
fn coordinates_and_transactions_survive_restarts_and_rotations() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(2));
    let mut source = Source {
        place: at(200),
        sent: 0,
    };
    for _ in 0..3 {
        let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
        if source.sent > 0 {
            assert_eq!(log.source_coordinates(), Some(source.place.clone()));
        }
        source.begin(&log);
        for _ in 0..100 {
            source.transaction(&log);
        }
        assert_eq!(transactions(&log), (1..=source.sent).collect::<Vec<_>>());
        log.close(1).unwrap();
    }
    let log = RelayLog::open(storage, options(), 1).unwrap();
    assert!(log.space() > 4096);
    let end = log.end().borrow().position.clone();
    log.purge(&end).unwrap();
    assert!(log.space() < 4096);
    assert!(!log.contains(&LogPosition::new(LogFileName::new("relay", 1), 4)));
}

#[test]
fn after_power_loss_every_synced_transaction_is_there_and_none_twice() {
    for seed in 0..50 {
        let sim = SimStorage::new(seed);
        let storage: Arc<dyn Storage> = Arc::new(sim.clone());
        let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
        let mut source = Source {
            place: at(4),
            sent: 0,
        };
        source.begin(&log);
        for _ in 0..(seed % 60) {
            source.transaction(&log);
        }
        let synced = source.sent;
        source.begin_transaction(&log);
        drop(log);
        let storage: Arc<dyn Storage> = Arc::new(sim.crash(CrashKind::Power, seed));
        let log = RelayLog::open(storage, options(), 1).unwrap();
        assert_eq!(
            transactions(&log),
            (1..=synced).collect::<Vec<_>>(),
            "seed {seed}"
        );
    }
}

#[test]
fn a_reset_forgets_everything_and_begins_a_new_epoch() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(3));
    let log = RelayLog::open(storage, options(), 1).unwrap();
    let mut source = Source {
        place: at(4),
        sent: 0,
    };
    source.begin(&log);
    source.transaction(&log);
    log.reset(Executed::default(), 1).unwrap();
    assert!(transactions(&log).is_empty());
    assert_eq!(log.source_coordinates(), None);
    assert_eq!(log.end().borrow().epoch, 1);
}

#[test]
fn positions_beyond_four_gib_and_zero_positions_are_followed_by_size() {
    let mut bytes = Vec::new();
    let near = at(0xffff_fff0);
    write_event(
        &mut bytes,
        &header(EventType::XID),
        near.offset,
        ChecksumAlgorithm::None,
        |out| {
            out.extend_from_slice(&[0; 8]);
        },
    );
    let event = binlog::event::RawEvent::parse(&bytes).unwrap();
    let after = near.after(&event, ChecksumAlgorithm::None);
    assert_eq!(after.offset, near.offset + bytes.len() as u64);
    bytes[13..17].fill(0);
    let event = binlog::event::RawEvent::parse(&bytes).unwrap();
    assert_eq!(near.after(&event, ChecksumAlgorithm::None), after);
}

#[test]
fn a_place_in_a_tail_that_a_crash_took_is_not_in_the_log() {
    let sim = SimStorage::new(5);
    let storage: Arc<dyn Storage> = Arc::new(sim.clone());
    let lazy = RelayLogOptions {
        sync_every: 0,
        max_size: 1 << 20,
        ..options()
    };
    let log = RelayLog::open(Arc::clone(&storage), lazy.clone(), 1).unwrap();
    let mut source = Source {
        place: at(4),
        sent: 0,
    };
    source.begin(&log);
    for _ in 0..5 {
        source.transaction(&log);
    }
    log.sync().unwrap();
    let kept = log.end().borrow().position.clone();
    for _ in 0..5 {
        source.transaction(&log);
    }
    let applied = log.end().borrow().position.clone();
    drop(log);
    // Of the seeds some keep unsynced bytes, some do not.
    let lost = (0..50).filter(|&seed| {
        let storage: Arc<dyn Storage> = Arc::new(sim.crash(CrashKind::Power, seed));
        let log = RelayLog::open(storage, lazy.clone(), 1).unwrap();
        assert!(log.contains(&kept), "seed {seed}");
        let is_whole = transactions(&log).len() == 10;
        assert_eq!(log.contains(&applied), is_whole, "seed {seed}");
        !is_whole
    });
    assert!(lost.count() > 0);
}

#[test]
fn an_event_that_belongs_to_no_transaction_seals_none() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(6));
    let log = RelayLog::open(storage, options(), 1).unwrap();
    let mut source = Source {
        place: at(4),
        sent: 0,
    };
    source.begin(&log);
    source.transaction(&log);
    let (whole, end) = (source.place.clone(), log.end().borrow().position.clone());
    source.begin_transaction(&log);
    source.event(&log, EventType::HEARTBEAT, b"binlog.000007", Then::Between);
    assert_eq!(log.end().borrow().position, end);
    assert_eq!(log.source_coordinates(), Some(whole));
    log.abandon().unwrap();
    assert_eq!(transactions(&log), [1]);
}

#[test]
fn a_limit_counts_only_what_waits_where_applied_files_are_kept() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(7));
    let kept = RelayLogOptions {
        purge: false,
        space_limit: 10_000,
        ..options()
    };
    let log = RelayLog::open(storage, kept, 1).unwrap();
    let mut source = Source {
        place: at(4),
        sent: 0,
    };
    source.begin(&log);
    while !log.is_full() {
        source.transaction(&log);
    }
    let end = log.end().borrow().position.clone();
    log.purge(&end).unwrap();
    assert!(log.space() >= 10_000);
    assert!(!log.is_full());
}

#[test]
fn a_source_may_change_its_checksum_between_files() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(8));
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    for checksum in [
        ChecksumAlgorithm::None,
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::None,
    ] {
        let mut description = Vec::new();
        let body = FormatDescription::current("9.7.4", checksum);
        let header = header(EventType::FORMAT_DESCRIPTION);
        write_event(&mut description, &header, 4, checksum, |out| {
            body.encode(out)
        });
        let rotate = artificial_rotate(&at(4), checksum);
        log.begin_source_file(&rotate, &description, &at(4), checksum, 1)
            .unwrap();
        // Every event is read with the checksum that its file announces.
        assert!(transactions(&log).is_empty());
    }
    let later = at(500);
    log.skip_to(&later).unwrap();
    log.close(1).unwrap();
    let log = RelayLog::open(storage, options(), 1).unwrap();
    assert_eq!(log.source_coordinates(), Some(later));
}

#[test]
fn the_transactions_of_a_mariadb_source_are_known_after_restarts_and_purges() {
    let storage: Arc<dyn Storage> = Arc::new(SimStorage::new(9));
    let begin = |log: &RelayLog| {
        let source = Source {
            place: at(4),
            sent: 0,
        };
        source.begin(log);
        source
    };
    let transaction = |log: &RelayLog, source: &mut Source, domain: u32, sequence: u64| {
        let mut body = sequence.to_le_bytes().to_vec();
        body.extend_from_slice(&domain.to_le_bytes());
        body.resize(19, 0);
        source.event(log, EventType::MARIADB_GTID, &body, Then::Continue);
        let gtid = gtid::MariaGtid {
            domain,
            server: 1,
            sequence,
        };
        let seal = Then::Seal(TransactionGtid::MariaDb(gtid));
        source.event(log, EventType::XID, &sequence.to_le_bytes(), seal);
    };
    let is_at = |log: &RelayLog, position: &str| {
        assert_eq!(log.retrieved().mariadb.to_string(), position);
    };
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    let mut source = begin(&log);
    transaction(&log, &mut source, 7, 3);
    transaction(&log, &mut source, 0, 8);
    is_at(&log, "0-1-8,7-1-3");
    log.rotate(1).unwrap();
    transaction(&log, &mut source, 0, 9);
    // The file that had the other domain is gone.
    let end = log.end().borrow().position.clone();
    log.purge(&end).unwrap();
    drop(log);
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    is_at(&log, "0-1-9,7-1-3");
    drop(log);
    // Nothing was received in between.
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    is_at(&log, "0-1-9,7-1-3");
    let mut source = begin(&log);
    transaction(&log, &mut source, 7, 4);
    log.close(1).unwrap();
    let log = RelayLog::open(Arc::clone(&storage), options(), 1).unwrap();
    is_at(&log, "0-1-9,7-1-4");
    log.reset(Executed::default(), 1).unwrap();
    drop(log);
    let log = RelayLog::open(storage, options(), 1).unwrap();
    is_at(&log, "");
}
