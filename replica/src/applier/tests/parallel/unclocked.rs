//! Workers without a clock of the source: what may run beside each other is decided by the rows.

use super::keyed::Unsaid;
use super::keyed_history::KeyedHistory;
use super::keyed_store::KeyedStore;
use super::*;

/// What was met in a history whose target leaves `unsaid` unsaid, and how many transactions ran at
/// once.
fn check(seed: u64, unsaid: Unsaid, runtime: &Runtime) -> (Vec<String>, usize) {
    let history = KeyedHistory::generate(seed);
    let settings = ApplierSettings {
        workers: u16::try_from(2 + seed % 7).unwrap(),
        keeps_order: seed.is_multiple_of(2),
        retries: 10,
    };
    let target = KeyedStore::new(seed, unsaid);
    let applier = applier(SimStorage::new(seed), &target, settings);
    let source = Source {
        transactions: history.sent.clone(),
        is_compressed: seed.is_multiple_of(5),
    };
    source.send_without_clock(&applier.relay_log);
    let wanted: GtidSet = (1..=history.sent.len()).map(gtid).collect();
    run(&applier, &target, runtime, &wanted);
    let met = target.met();
    if unsaid == Unsaid::Nothing {
        assert_eq!(met, Vec::<String>::new(), "seed {seed}");
        assert_eq!(applier.status.snapshot().failure, None, "seed {seed}");
        assert_eq!(target.rows(), history.rows, "seed {seed}");
        assert_eq!(target.executed(), wanted, "seed {seed}");
    }
    (met, target.most_at_once())
}

#[test]
fn transactions_that_run_beside_each_other_meet_nothing_of_each_other() {
    let runtime = several();
    let at_once = (0..seeds()).map(|seed| check(seed, Unsaid::Nothing, &runtime).1);
    assert!(at_once.max().is_some_and(|most| most > 3));
}

/// That the histories would show it if one kind of key were left out.
#[test]
fn each_kind_of_key_is_needed() {
    let runtime = several();
    for unsaid in [
        Unsaid::UniqueKeys,
        Unsaid::Collations,
        Unsaid::ForeignKeys,
        Unsaid::Cascades,
    ] {
        let first = (0..1000).find(|seed| !check(*seed, unsaid, &runtime).0.is_empty());
        assert!(first.is_some(), "{unsaid:?}");
    }
}
