//! XA transactions, whose halves are two transactions of the source.

use binlog::event::{XaId, XaPrepare};

use super::*;

fn query(sql: &str) -> Body {
    let query = Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables::default(),
        schema: b"d".into(),
        sql: sql.as_bytes().to_vec().into(),
    };
    let mut body = Vec::new();
    query.encode(&mut body);
    (EventType::QUERY, body)
}

fn name(number: u8) -> String {
    format!("X'{number:02x}',X'',1")
}

/// The first half of the transaction of this number, which inserts `keys` into `d.t`.
fn first_half(number: u8, is_one_phase: bool, keys: &[i64]) -> Vec<Body> {
    let mut events = vec![query(&format!("XA START {}", name(number)))];
    for key in keys {
        // Behind BEGIN.
        let number = usize::try_from(*key).unwrap();
        let mut rows = Source::rows(*key).events(number).split_off(2);
        rows.pop();
        events.extend(rows);
    }
    events.push(query(&format!("XA END {}", name(number))));
    let prepare = XaPrepare {
        one_phase: u8::from(is_one_phase),
        xid: XaId {
            format: 1,
            gtrid: &[number],
            bqual: b"",
        },
    };
    let mut body = Vec::new();
    prepare.encode(&mut body);
    events.push((EventType::XA_PREPARE, body));
    events
}

fn second_half(number: u8, verb: &str) -> Sent {
    Sent::Behind(vec![query(&format!("XA {verb} {}", name(number)))])
}

/// Halves of several transactions between each other and between others; one name twice.
fn source(many: i64) -> Source {
    let many: Vec<i64> = (1_000..1_000 + many).collect();
    let transactions = vec![
        Sent::Row("t", 1),
        Sent::Behind(first_half(1, false, &[2, 3])),
        Sent::Row("t", 4),
        Sent::Behind(first_half(2, false, &many)),
        Sent::Behind(first_half(3, true, &[5])),
        second_half(2, "COMMIT"),
        Sent::Behind(first_half(4, false, &[99])),
        second_half(1, "COMMIT"),
        second_half(4, "ROLLBACK"),
        Sent::Behind(first_half(1, false, &[6])),
        Sent::Row("t", 7),
        second_half(1, "COMMIT"),
    ];
    Source {
        transactions,
        is_compressed: false,
    }
}

fn expected(many: i64) -> Vec<i64> {
    let many = 1_000..1_000 + many;
    [1, 4, 5]
        .into_iter()
        .chain(many)
        .chain([2, 3, 7, 6])
        .collect()
}

#[test]
fn what_is_prepared_shows_with_its_second_half() {
    let replica = Replica::new();
    replica.receive(&source(10));
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], expected(10));
    assert!(store.prepared.is_empty());
    let executed: GtidSet = (1..=12).map(gtid).collect();
    assert_eq!(store.applied.executed.mysql, executed);
}

#[test]
fn a_prepared_transaction_of_any_size_is_kept_in_pieces() {
    const MANY: i64 = 20_000;
    let replica = Replica::new();
    let mut source = source(MANY);
    let second = source.transactions.split_off(5);
    replica.receive(&source);
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], [1, 4, 5]);
    let pieces = store.prepared.len();
    assert!((3..=5).contains(&pieces), "{pieces}");
    source.transactions.extend(second);
    replica.receive(&source);
    replica.apply_all().unwrap();
    let store = replica.target.last();
    assert_eq!(store.rows["d.t"], expected(MANY));
    assert!(store.prepared.is_empty());
}

#[test]
fn any_crash_between_the_halves_loses_nothing_and_repeats_nothing() {
    for seed in 0..200_u64 {
        let source = source(3);
        let mut replica = Replica::open(SimStorage::new(seed), MemoryStore::default());
        for round in 0.. {
            assert!(round < 100, "seed {seed}: no progress");
            replica.receive(&source);
            let events_max = 10 + usize::try_from((seed * 7 + round * 13) % 60).unwrap();
            let few = usize::try_from((seed + round) % 5).unwrap();
            replica.apply_some(few, events_max).unwrap();
            if replica
                .target
                .last()
                .applied
                .executed
                .mysql
                .contains(&gtid(12))
            {
                break;
            }
            let is_power_loss = (seed + round).is_multiple_of(3);
            let kind = match is_power_loss {
                true => CrashKind::Power,
                false => CrashKind::Process,
            };
            let lost = usize::try_from(seed % 3).unwrap() * usize::from(is_power_loss);
            let storage = replica.storage.crash(kind, seed + round);
            replica = Replica::open(storage, replica.target.crash(lost));
        }
        let store = replica.target.last();
        assert_eq!(store.rows["d.t"], expected(3), "seed {seed}");
        assert!(store.prepared.is_empty(), "seed {seed}");
    }
}

#[test]
fn a_second_half_whose_first_is_not_known_stops_with_its_name() {
    for verb in ["COMMIT", "ROLLBACK"] {
        let replica = Replica::new();
        let transactions = vec![Sent::Row("t", 1), second_half(9, verb), Sent::Row("t", 3)];
        replica.receive(&Source {
            transactions,
            is_compressed: false,
        });
        let error = replica.apply_all().unwrap_err();
        assert_eq!(error.code(), 1397);
        let text = error.to_string();
        for part in [
            "X'09',X'',1",
            "was not prepared here",
            ":2",
            "binlog.000001",
        ] {
            assert!(text.contains(part), "{part} is missing in: {text}");
        }
        assert_eq!(replica.target.last().rows["d.t"], keys(1));
    }
}
