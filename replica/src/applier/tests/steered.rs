//! The applier under UNTIL, SOURCE_DELAY, sql_replica_skip_counter and sessions' gtid_next.

use std::time::Duration;

use super::*;
use crate::channel::now_micros;

fn set(from: usize, to: usize) -> GtidSet {
    (from..=to).map(gtid).collect()
}

impl Replica {
    /// Ten transactions received, and an applier that is steered so.
    fn steered(steering: Steering) -> Self {
        let mut replica = Self::new();
        replica.applier.steering = steering;
        replica.receive(&Source::rows(10));
        replica
    }

    fn until(until: Until) -> Self {
        Self::steered(Steering {
            until: Some(until),
            ..Steering::default()
        })
    }

    fn applied(&self) -> Vec<i64> {
        let store = self.target.last();
        store.rows.get("d.t").cloned().unwrap_or_default()
    }

    fn executed(&self) -> GtidSet {
        self.target.last().applied.executed.mysql
    }
}

#[test]
fn until_ends_in_front_of_a_set_or_behind_it_and_goes_on_there() {
    let mut replica = Replica::until(Until::BeforeGtids(set(4, 6)));
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), keys(3));
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), keys(3));
    replica.applier.steering.until = Some(Until::AfterGtids(set(2, 7)));
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), keys(7));
    replica.applier.steering.until = Some(Until::AfterGaps);
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), keys(7));
    replica.applier.steering.until = None;
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), keys(10));
}

#[test]
fn until_a_place_takes_the_transaction_that_reaches_it() {
    let first = Replica::until(Until::AfterGtids(set(1, 5)));
    first.apply_all().unwrap();
    let applied = first.target.last().applied;
    let (source, relay) = (applied.source.unwrap(), applied.relay.unwrap());
    let file = binlog::log::LogFileName::parse(&source.file).unwrap();
    for (beyond, last) in [(0, 5), (1, 6)] {
        let replica = Replica::until(Until::Source(file.clone(), source.offset + beyond));
        replica.apply_all().unwrap();
        assert_eq!(replica.applied(), keys(last));
        let replica = Replica::until(Until::Relay(relay.file.clone(), relay.offset + beyond));
        replica.apply_all().unwrap();
        assert_eq!(replica.applied(), keys(last));
    }
}

#[test]
fn what_the_counter_passes_over_is_executed_and_changes_nothing() {
    let replica = Replica::new();
    let bad = Sent::Unknown(EventType(250), b"?".to_vec());
    let transactions = vec![Sent::Row("t", 1), bad, Sent::Row("t", 3), Sent::Row("t", 4)];
    replica.receive(&Source {
        transactions,
        is_compressed: false,
    });
    replica.apply_all().unwrap_err();
    assert_eq!(replica.applied(), [1]);
    let status = &replica.applier.status;
    status.update(|state| state.skip_counter = 2);
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), [1, 4]);
    assert_eq!(replica.executed(), set(1, 4));
    let state = status.snapshot();
    assert_eq!((state.skip_counter, state.skipped), (0, 2));
}

#[test]
fn a_commit_that_fails_or_whose_answer_is_lost_passes_over_the_one_transaction_that_was_meant() {
    for loses_answers in [false, true] {
        let mut replica = Replica::new();
        replica.target.conflicts_with = Some(3);
        replica.receive(&Source::rows(5));
        replica.apply_all().unwrap_err();
        assert_eq!(replica.applied(), [1, 2]);
        let status = &replica.applier.status;
        status.update(|state| state.skip_counter = 1);
        replica.target.loses_answers = loses_answers;
        *replica.target.failing_commits.lock().unwrap() = 1;
        replica.apply_all().unwrap_err();
        replica.apply_all().unwrap();
        assert_eq!(replica.applied(), [1, 2, 4, 5]);
        assert_eq!(replica.executed(), set(1, 5));
        assert_eq!(status.skipping().0, 0);
    }
}

#[test]
fn a_counter_that_is_not_used_up_stays() {
    let replica = Replica::until(Until::BeforeGtids(set(1, 1)));
    replica
        .applier
        .status
        .update(|state| state.skip_counter = 12);
    replica.apply_all().unwrap();
    assert_eq!(replica.executed(), GtidSet::new());
    let replica = Replica::steered(Steering::default());
    replica
        .applier
        .status
        .update(|state| state.skip_counter = 12);
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), Vec::<i64>::new());
    assert_eq!(replica.executed(), set(1, 10));
    assert_eq!(replica.applier.status.skipping(), (2, None));
}

#[test]
fn an_empty_transaction_takes_the_place_of_one_of_the_source() {
    let replica = Replica::steered(Steering::default());
    let store = || Arc::new(replica.target.clone());
    for (number, is_new) in [(3, true), (3, false), (20, true)] {
        let committed = commit_empty(store(), &replica.applier.status, gtid(number));
        assert_eq!(committed.unwrap(), is_new);
    }
    assert_eq!(replica.applier.status.snapshot().skipped, 2);
    let mut expected = set(3, 3);
    expected.union(&set(20, 20));
    assert_eq!(replica.applier.status.gtid_executed(), expected);
    replica.apply_all().unwrap();
    assert_eq!(replica.applied(), [1, 2, 4, 5, 6, 7, 8, 9, 10]);
    expected.union(&set(1, 10));
    assert_eq!(replica.executed(), expected);
}

#[test]
fn a_delayed_applier_commits_what_is_due_and_waits_for_the_rest_until_it_is_stopped() {
    // The source's transactions were committed one second after the other since 1970.
    let since_fifth = now_micros() - 5_500_000;
    let mut replica = Replica::steered(Steering {
        delay: Duration::from_micros(since_fifth.unsigned_abs()),
        ..Steering::default()
    });
    // The clock of the source stands still but for what passes here meanwhile.
    replica.applier.limits.transactions_max = 100;
    let (stop, stopped) = watch::channel(false);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.unwrap();
    let applier = replica.applier.clone();
    let store = Arc::new(replica.target.clone());
    let status = Arc::clone(&applier.status);
    std::thread::scope(|scope| {
        scope.spawn(|| applier.run(store, runtime.handle(), stopped));
        while status.snapshot().due_micros.is_none() {
            std::thread::yield_now();
        }
        assert!(replica.applied().len() >= 5, "{:?}", replica.applied());
        assert!(replica.applied().len() < 10, "{:?}", replica.applied());
        let doing = status.snapshot().doing;
        assert_eq!(
            doing,
            "Waiting until SOURCE_DELAY seconds after source executed event"
        );
        stop.send_replace(true);
    });
    assert_eq!(status.snapshot().due_micros, None);
    assert!(!status.snapshot().is_running);
}

#[test]
fn a_transaction_waits_until_the_session_that_has_its_gtid_is_done() {
    let replica = Replica::steered(Steering::default());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    let runtime = runtime.unwrap();
    let owned = replica.applier.steering.owned.clone();
    let right = runtime.block_on(owned.own(gtid(4), 1, || false));
    let (stop, stopped) = watch::channel(false);
    let applier = replica.applier.clone();
    let store = Arc::new(replica.target.clone());
    let status = Arc::clone(&applier.status);
    std::thread::scope(|scope| {
        scope.spawn(|| applier.run(store, runtime.handle(), stopped));
        while !status.snapshot().doing.contains("gtid_next") {
            std::thread::yield_now();
        }
        assert_eq!(replica.applied(), keys(3));
        drop(right);
        while !status.snapshot().has_caught_up {
            std::thread::yield_now();
        }
        stop.send_replace(true);
    });
    assert_eq!(replica.applied(), keys(10));
}
