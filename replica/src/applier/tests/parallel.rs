//! Several workers against a target of several sessions with locks, and against what one after the other
//! would have left.

mod history;
mod keyed;
mod keyed_history;
mod keyed_store;
mod shared;
mod unclocked;

use std::sync::Arc;

use config::settings::ApplierSettings;
use gtid::GtidSet;
use targets::Store;
use tokio::runtime::Runtime;

use history::History;
use shared::{Against, SharedStore, Trouble};

use super::*;

/// Histories that the test runs; `WEIR_SEEDS` names another number.
const SEEDS: u64 = 300;

fn applier(storage: SimStorage, target: &impl Store, settings: ApplierSettings) -> Applier {
    let replica = Replica::open(storage, MemoryStore::default());
    let applied = recover(target, &replica.applier.status).unwrap();
    drop(applied);
    Applier {
        settings,
        ..replica.applier
    }
}

/// Runs an applier until it has executed everything, or has stopped.
fn run<T: Store + Clone + 'static>(
    applier: &Applier,
    target: &T,
    runtime: &Runtime,
    wanted: &GtidSet,
) {
    let store = Arc::new(target.clone());
    let running = spawn(applier.clone(), store, runtime.handle().clone()).unwrap();
    let is_through = || {
        let state = applier.status.snapshot();
        state.has_caught_up && state.executed.mysql == *wanted
    };
    while !running.is_finished() && !is_through() {
        std::thread::yield_now();
    }
    running.stop();
}

fn several() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()
        .unwrap()
}

/// What a history leaves when workers apply it while `trouble` is made; how many were at it at once.
fn check(seed: u64, trouble: Trouble, runtime: &Runtime) -> usize {
    let history = History::generate(seed);
    let settings = ApplierSettings {
        workers: u16::try_from(2 + seed % 7).unwrap(),
        keeps_order: !seed.is_multiple_of(3),
        retries: 10,
    };
    let target = SharedStore::new(seed, trouble);
    let storage = SimStorage::new(seed);
    let applier = applier(storage, &target, settings);
    let source = Source {
        transactions: history.sent.clone(),
        is_compressed: seed.is_multiple_of(5),
    };
    source.send_clocked(&applier.relay_log, &history.clocks);
    let wanted: GtidSet = (1..=history.sent.len()).map(gtid).collect();
    run(&applier, &target, runtime, &wanted);
    let state = applier.status.snapshot();
    assert_eq!(state.failure, None, "seed {seed}");
    assert_eq!(target.rows(), history.rows, "seed {seed}");
    assert_eq!(target.executed(), wanted, "seed {seed}");
    assert_eq!(state.executed.mysql, wanted, "seed {seed}");
    if trouble != Trouble::LostAnswers {
        // What is found to be there already is not counted as this applier's.
        assert_eq!(state.transactions, history.sent.len() as u64, "seed {seed}");
    }
    if settings.keeps_order {
        let order = target.commits();
        assert!(order.is_sorted(), "seed {seed}: {order:?}");
    }
    target.most_at_once()
}

fn seeds() -> u64 {
    let seeds = std::env::var("WEIR_SEEDS").ok();
    seeds.and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

#[test]
fn workers_leave_what_one_after_the_other_leaves() {
    let runtime = several();
    let at_once = (0..seeds()).map(|seed| check(seed, Trouble::None, &runtime));
    assert!(at_once.max().is_some_and(|most| most > 3));
}

#[test]
fn locks_that_nobody_needs_only_cost_time() {
    let runtime = several();
    for seed in 0..seeds() {
        check(seed, Trouble::Gaps, &runtime);
    }
}

#[test]
fn commits_whose_answer_is_lost_are_neither_lost_nor_repeated() {
    let runtime = several();
    for seed in 0..seeds() / 30 {
        check(seed, Trouble::LostAnswers, &runtime);
    }
}

/// Killed at any moment, however often, and begun anew over the same target and relay log.
#[test]
fn killed_workers_lose_nothing_and_repeat_nothing() {
    let runtime = several();
    for seed in 0..seeds() / 10 {
        let history = History::generate(seed);
        let settings = ApplierSettings {
            workers: 4,
            keeps_order: seed.is_multiple_of(2),
            retries: 10,
        };
        let target = SharedStore::new(seed, Trouble::None);
        let storage = SimStorage::new(seed);
        let source = Source {
            transactions: history.sent.clone(),
            is_compressed: false,
        };
        let wanted: GtidSet = (1..=history.sent.len()).map(gtid).collect();
        let first = applier(storage.clone(), &target, settings);
        source.send_clocked(&first.relay_log, &history.clocks);
        for kill in 1..=3 {
            target.die_after(seed % 11 + kill);
            run(&first, &target, &runtime, &wanted);
            target.live();
        }
        run(&first, &target, &runtime, &wanted);
        assert_eq!(target.rows(), history.rows, "seed {seed}");
        assert_eq!(target.executed(), wanted, "seed {seed}");
    }
}

/// What a target has against the 17th of 40 transactions that need nothing of each other stops behind all before it,
/// and names it.
fn check_failure(what: Against, keeps_order: bool) -> ApplierFailure {
    let runtime = several();
    let target = SharedStore::new(1, Trouble::None);
    let settings = ApplierSettings {
        workers: 8,
        keeps_order,
        retries: 10,
    };
    let applier = applier(SimStorage::new(1), &target, settings);
    let history = History::inserts(40);
    target.set_against(17, what);
    let source = Source {
        transactions: history.sent.clone(),
        is_compressed: false,
    };
    source.send_clocked(&applier.relay_log, &history.clocks);
    let wanted: GtidSet = (1..=40).map(gtid).collect();
    run(&applier, &target, &runtime, &wanted);
    let failure = applier.status.snapshot().failure.unwrap();
    assert_eq!(failure.gtid, TransactionGtid::MySql(gtid(17)), "{what:?}");
    let executed = target.executed();
    let before: GtidSet = (1..17).map(gtid).collect();
    match keeps_order {
        true => assert_eq!(executed, before, "{what:?}"),
        false => {
            assert!(before.is_subset_of(&executed), "{what:?}: {executed}");
            assert!(!executed.contains(&gtid(17)), "{what:?}");
        }
    }
    failure
}

#[test]
fn what_stops_the_applier_is_the_first_that_fails_behind_all_before_it() {
    for keeps_order in [true, false] {
        let failure = check_failure(Against::IsThere, keeps_order);
        assert_eq!(failure.code, 1062);
        let failure = check_failure(Against::Refuses, keeps_order);
        assert_eq!(failure.code, 1142);
        let failure = check_failure(Against::Panics, keeps_order);
        assert!(failure.message.contains("panic"), "{}", failure.message);
    }
}
