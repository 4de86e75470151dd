//! Recovery: thousands of crashes of a small writing programme on the simulated disk.

use std::sync::Arc;

use gtid::{Gno, Gtid, Tsid};

use super::*;
use crate::event::{CommitTimestamps, EventFlags, GtidEvent, Query, StatusVariables};

const UUID: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

/// Splitmix64; the choices of the programme.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

pub(super) fn executed(last: u64) -> GtidSet {
    match last {
        0 => GtidSet::default(),
        last => set(&format!("{UUID}:1-{last}")),
    }
}

/// A transaction of `rows` filler events that begins at `offset`.
pub(super) fn transaction(number: u64, group: u64, rows: u64, offset: u64) -> Vec<u8> {
    let mut gtid = GtidEvent::new(Some(Gtid {
        tsid: Tsid::untagged(UUID.parse().unwrap()),
        gno: Gno::new(number).unwrap(),
    }));
    gtid.logical_clock = Some(crate::event::LogicalClock {
        last_committed: number - 1,
        sequence_number: number,
    });
    gtid.commit_timestamps = Some(CommitTimestamps {
        immediate: group,
        original: group,
    });
    let mut body = Vec::new();
    gtid.encode(&mut body);
    let mut out = event(EventType::GTID, offset, &body);
    body.clear();
    Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables::default(),
        schema: b"d".into(),
        sql: b"BEGIN".into(),
    }
    .encode(&mut body);
    out.extend(event(EventType::QUERY, offset + out.len() as u64, &body));
    for row in 0..rows {
        let filler = vec![row as u8; 10 + (row as usize * 37) % 300];
        out.extend(event(
            EventType::ROWS_QUERY,
            offset + out.len() as u64,
            &filler,
        ));
    }
    let xid = number.to_le_bytes();
    out.extend(event(EventType::XID, offset + out.len() as u64, &xid));
    out
}

pub(super) fn recover_options() -> RecoverOptions {
    RecoverOptions {
        base: "b".to_owned(),
        index: "b.index".to_owned(),
        flavour: LogFlavour::Binary,
        force_truncate: false,
    }
}

fn recovered(storage: &SimStorage) -> Result<Recovered, LogError> {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    recover(&storage, &recover_options())
}

/// What a run promised: transactions up to `acknowledged` were synced, up to `written` begun.
#[derive(Debug, Clone, Copy, Default)]
struct Promise {
    acknowledged: u64,
    written: u64,
}

/// What a start makes of the disk.
pub(super) struct Booted {
    /// The log's files.
    pub(super) storage: Arc<dyn Storage>,
    /// Their encryption, if there is one.
    pub(super) encryption: Option<Arc<LogEncryption>>,
}

/// A start; the number is a choice that it may depend on.
pub(super) type Boot = fn(&SimStorage, u64) -> Result<Booted, LogError>;

fn plain(storage: &SimStorage, _: u64) -> Result<Booted, LogError> {
    Ok(Booted {
        storage: Arc::new(storage.clone()),
        encryption: None,
    })
}

/// Recovers, then writes groups, rotates and purges until something fails.
fn live(
    storage: &SimStorage,
    boot: Boot,
    choices: &mut Choices,
    promise: &mut Promise,
) -> Result<(), LogError> {
    let Booted {
        storage,
        encryption,
    } = boot(storage, choices.below(u64::MAX))?;
    let found = recover(&storage, &recover_options())?;
    let last = found.gtid_executed.count();
    assert_eq!(
        found.gtid_executed,
        executed(last),
        "a prefix of what was written"
    );
    assert!(last >= promise.acknowledged, "{last} {promise:?}");
    assert!(last <= promise.written, "{last} {promise:?}");
    // What recovery showed, the engine builds on; it must never be lost again.
    *promise = Promise {
        acknowledged: last,
        written: last,
    };
    let mut log = LogWriter::create(storage, options(), found.index, &executed(last), 5)?;
    for group in 0..30 {
        let size = 1 + choices.below(4);
        let mut bytes = Vec::new();
        for _ in 0..size {
            promise.written += 1;
            let offset = log.next_offset() + bytes.len() as u64;
            let stamp = promise.written * 1000 + group;
            bytes.extend(transaction(
                promise.written,
                stamp,
                choices.below(8),
                offset,
            ));
        }
        log.append(&bytes)?;
        if choices.below(3) > 0 {
            log.sync()?;
            promise.acknowledged = promise.written;
        }
        if log.wants_rotation() || choices.below(10) == 0 {
            let everything = executed(promise.written);
            log.rotate(&everything, 6)?;
            promise.acknowledged = promise.written;
        }
        if let Some(encryption) = encryption.as_deref().filter(|_| choices.below(8) == 0) {
            let failed = |error| LogError::io("rotating the key of", "b", error);
            encryption.begin_rotation().map_err(failed)?;
            log.rotate(&executed(promise.written), 6)?;
            promise.acknowledged = promise.written;
            encryption.finish_rotation().map_err(failed)?;
        }
        if choices.below(12) == 0 && log.index().files().len() > 2 {
            let keep = log.index().files()[log.index().files().len() - 2].clone();
            log.purge_before(&keep)?;
        }
    }
    if choices.below(2) == 0 {
        log.close(7)?;
        promise.acknowledged = promise.written;
    }
    Ok(())
}

/// The transactions that the files hold, in order.
fn replay(storage: &dyn Storage) -> Vec<u64> {
    let mut numbers = Vec::new();
    for file in LogIndex::load(storage, "b.index").unwrap().files() {
        let mut reader = LogReader::open(storage, file).unwrap();
        reader.check_positions();
        while reader.advance(None).unwrap() {
            let (_, event) = reader.current().unwrap();
            if event.header.event_type == EventType::XID {
                let body = event.body(reader.checksum()).unwrap();
                numbers.push(u64::from_le_bytes(body.try_into().unwrap()));
            }
        }
    }
    numbers
}

pub(super) fn crash_chain(seed: u64, kind: CrashKind, boot: Boot) {
    let mut choices = Choices(seed);
    let mut storage = SimStorage::new(seed);
    let mut promise = Promise::default();
    for life in 0..5 {
        storage.set_short_writes(choices.below(2) == 0);
        storage.stop_after(choices.below(140));
        let result = live(&storage, boot, &mut choices, &mut promise);
        if let Err(error) = result {
            let is_stop = error
                .to_string()
                .contains("the simulated machine has stopped");
            let poisoned = matches!(error, LogError::Poisoned { .. });
            assert!(is_stop || poisoned, "seed {seed} life {life}: {error}");
        }
        storage = storage.crash(kind, choices.below(u64::MAX));
    }
    let storage = boot(&storage, 0).unwrap().storage;
    let found = recover(&storage, &recover_options()).unwrap();
    assert!(
        found.gtid_executed.count() >= promise.acknowledged,
        "seed {seed}"
    );
    let numbers = replay(storage.as_ref());
    let last = found.gtid_executed.count();
    let first = found.gtid_purged.count() + 1;
    assert_eq!(numbers, (first..=last).collect::<Vec<_>>(), "seed {seed}");
    let again = recover(&storage, &recover_options()).unwrap();
    assert_eq!(again.torn, None, "seed {seed}");
}

#[test]
fn whatever_was_synced_survives_a_chain_of_power_losses_and_nothing_else_appears() {
    for seed in 0..2000 {
        crash_chain(seed, CrashKind::Power, plain);
    }
}

#[test]
fn whatever_was_synced_survives_a_chain_of_killed_processes() {
    for seed in 0..1000 {
        crash_chain(seed, CrashKind::Process, plain);
    }
}

/// A log of one file with three groups of one transaction each, and where they begin.
fn three_groups(storage: &SimStorage) -> Vec<u64> {
    let mut log = create(storage).unwrap();
    let mut starts = Vec::new();
    for number in 1..=3 {
        starts.push(log.next_offset());
        let bytes = transaction(number, number * 100, 3, log.next_offset());
        log.append(&bytes).unwrap();
        log.sync().unwrap();
    }
    starts.push(log.next_offset());
    starts
}

#[test]
fn a_tail_cut_anywhere_leaves_the_whole_transactions_before_it_and_a_copy_of_the_rest() {
    let storage = SimStorage::new(0);
    let starts = three_groups(&storage);
    for len in starts[0]..starts[3] {
        let storage = SimStorage::new(0);
        three_groups(&storage);
        storage.open("b.000001").unwrap().truncate(len).unwrap();
        let found = recovered(&storage).unwrap();
        let whole = starts.iter().filter(|start| **start <= len).count() as u64 - 1;
        assert_eq!(found.gtid_executed.count(), whole, "cut at {len}");
        assert!(found.was_in_use);
        let good = starts[whole as usize];
        assert_eq!(found.end.unwrap().offset, good);
        assert_eq!(found.torn.is_some(), good < len);
        if let Some(torn) = found.torn {
            assert_eq!((torn.at.offset, torn.bytes), (good, len - good));
            let copy = storage.open(&torn.saved_as).unwrap().len().unwrap();
            assert_eq!(copy, len - good);
        }
        let head = LogHead::read(&storage, &LogFileName::new("b", 1)).unwrap();
        assert!(!head.in_use);
    }
}

#[test]
fn damage_in_front_of_later_groups_is_refused_with_its_place() {
    let storage = SimStorage::new(0);
    let starts = three_groups(&storage);
    for at in starts[0]..starts[2] {
        let storage = SimStorage::new(0);
        three_groups(&storage);
        storage.damage("b.000001", at as usize, 0x40).unwrap();
        let error = recovered(&storage).unwrap_err().to_string();
        assert!(error.starts_with("b.000001 at offset "), "{error}");
        assert!(error.contains("not the torn tail of a crash"), "{error}");
        let mut options = recover_options();
        options.force_truncate = true;
        let shared: Arc<dyn Storage> = Arc::new(storage.clone());
        let found = recover(&shared, &options).unwrap();
        assert_eq!(found.gtid_executed.count(), u64::from(at >= starts[1]));
    }
}

#[test]
fn recovery_from_a_known_place_finds_what_recovery_from_the_head_finds() {
    for cut in [0, 1, 30, 100] {
        let storage = SimStorage::new(0);
        let starts = three_groups(&storage);
        let len = starts[3] - cut;
        storage.open("b.000001").unwrap().truncate(len).unwrap();
        let file = LogFileName::new("b", 1);
        for (place, (offset, last)) in [
            // Two true places, an offset inside a transaction, and one beyond the end.
            (starts[1], 1),
            (starts[2], 2),
            (starts[1] + 7, 1),
            (starts[3] + 100, 3),
        ]
        .into_iter()
        .enumerate()
        {
            let storage = storage.crash(CrashKind::Process, 0);
            let shared: Arc<dyn Storage> = Arc::new(storage.clone());
            let known = KnownPlace {
                position: LogPosition::new(file.clone(), offset),
                executed: executed(last),
            };
            let found = recover_from(&shared, &recover_options(), Some(&known)).unwrap();
            let whole = if cut == 0 { 3 } else { 2 };
            assert_eq!(
                found.gtid_executed,
                executed(whole),
                "cut {cut} place {place}"
            );
            assert_eq!(found.end.unwrap().offset, starts[whole as usize]);
            assert_eq!(found.torn.is_some(), cut > 0);
        }
    }
}

#[test]
fn a_hole_inside_the_last_group_is_a_torn_tail() {
    let storage = SimStorage::new(0);
    let mut log = create(&storage).unwrap();
    let start = log.next_offset();
    let mut bytes = Vec::new();
    for number in 1..=3 {
        bytes.extend(transaction(number, 100, 3, start + bytes.len() as u64));
    }
    log.append(&bytes).unwrap();
    let second = start + (bytes.len() / 2) as u64;
    storage.damage("b.000001", second as usize, 0xff).unwrap();
    let found = recovered(&storage).unwrap();
    assert_eq!(found.gtid_executed.count(), 1);
    assert!(found.torn.unwrap().bytes > 0);
}

#[test]
fn damage_in_the_head_is_refused() {
    let storage = SimStorage::new(0);
    let starts = three_groups(&storage);
    for at in 0..starts[0] {
        let storage = SimStorage::new(0);
        three_groups(&storage);
        storage.damage("b.000001", at as usize, 0x40).unwrap();
        assert!(
            matches!(recovered(&storage), Err(LogError::Corrupt(_))),
            "{at}"
        );
    }
}

#[test]
fn a_lost_index_or_file_is_named_and_nothing_is_removed() {
    let storage = SimStorage::new(0);
    three_groups(&storage);
    storage.remove("b.index").unwrap();
    assert!(matches!(
        recovered(&storage),
        Err(LogError::MissingIndex { .. })
    ));
    let storage = SimStorage::new(0);
    three_groups(&storage);
    storage.remove("b.000001").unwrap();
    let error = recovered(&storage).unwrap_err().to_string();
    assert_eq!(error, "b.index lists b.000001, which does not exist");
}

#[test]
fn a_relay_log_drops_a_partial_transaction_and_keeps_its_flags() {
    let storage = SimStorage::new(0);
    let shared: Arc<dyn Storage> = Arc::new(storage.clone());
    let mut relay = options();
    relay.flavour = LogFlavour::Relay;
    let index = LogIndex::load(&storage, "b.index").unwrap();
    let mut log = LogWriter::create(shared.clone(), relay, index, &GtidSet::default(), 1).unwrap();
    let start = log.next_offset();
    let bytes = transaction(1, 1, 3, 700);
    log.append(&bytes).unwrap();
    log.append(&transaction(2, 2, 3, 9000)[..200]).unwrap();
    log.sync().unwrap();
    let mut options = recover_options();
    options.flavour = LogFlavour::Relay;
    let found = recover(&shared, &options).unwrap();
    assert_eq!(found.gtid_executed.count(), 1);
    assert_eq!(found.end.unwrap().offset, start + bytes.len() as u64);
    let mut reader = LogReader::open(&storage, &LogFileName::new("b", 1)).unwrap();
    reader.advance(None).unwrap();
    let flags = reader.current().unwrap().1.header.flags;
    assert_eq!(flags, EventFlags::RELAY_LOG);
}
