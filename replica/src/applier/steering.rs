//! How an operator steers the applier: what becomes of a transaction that is about to begin.
//!
//! Decided by numbers alone, before anything of the transaction is applied: what is applied already
//! passes, UNTIL ends the applier in front of it, `sql_replica_skip_counter` passes over it,
//! SOURCE_DELAY makes it wait, and so does a session that has its identifier by `SET gtid_next`.

use std::sync::Arc;
use std::time::Duration;

use binlog::log::SourceCoordinates;
use binlog::transaction::TransactionInfo;
use gtid::Gtid;
use server::owned_gtids::OwnedGtids;

use super::until::Until;
use crate::receiver::ReceiverStatus;

/// What an applier was started with.
#[derive(Debug, Clone, Default)]
pub struct Steering {
    /// Until when it applies; for ever without.
    pub until: Option<Until>,
    /// Whether it was stopped for a moment only: what held when UNTIL was said is not asked again.
    pub goes_on: bool,
    /// `SOURCE_DELAY`: how long after its commit on the source a transaction is applied at the
    /// earliest.
    pub delay: Duration,
    /// Identifiers that sessions have for transactions of their own.
    pub owned: OwnedGtids,
    /// Tells the source's clock.
    pub source_clock: Arc<ReceiverStatus>,
}

/// What becomes of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is applied.
    Take,
    /// Nothing of it is applied; it counts as executed.
    PassOver,
    /// It was passed over before: an incident that the target need not hear of again.
    Passed,
    /// It is not due before this moment of the source's clock, µs since 1970.
    NotBefore(i64),
    /// A session has its identifier.
    WaitFor(Gtid),
    /// The applier ends in front of it.
    End,
}

/// What the verdict depends on besides the transaction and the steering.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    /// Whether the transaction is applied already.
    pub(super) is_applied: bool,
    /// How many transactions are to be passed over.
    pub(super) skip_counter: u32,
    /// The source's clock, µs since 1970.
    pub(super) source_micros: i64,
    /// Whether this very transaction was to be passed over before, and the commit of that failed.
    pub(super) was_passed_over: bool,
}

impl Steering {
    /// `begins_at` is the place of the transaction in the source's log, as far as it is known.
    pub(super) fn judge(
        &self,
        transaction: &TransactionInfo,
        begins_at: Option<&SourceCoordinates>,
        now: Now,
    ) -> Verdict {
        if now.is_applied {
            return Verdict::Take;
        }
        let gtid = transaction.gtid.mysql();
        let is_forbidden = |until: &Until| until.forbids(gtid, begins_at);
        if self.until.as_ref().is_some_and(is_forbidden) {
            return Verdict::End;
        }
        if now.was_passed_over || now.skip_counter > 0 {
            return Verdict::PassOver;
        }
        let due = due_micros(transaction, self.delay);
        if !self.delay.is_zero() && due > now.source_micros {
            return Verdict::NotBefore(due);
        }
        match gtid {
            Some(gtid) if self.owned.is_owned(gtid) => Verdict::WaitFor(gtid),
            Some(_) | None => Verdict::Take,
        }
    }
}

/// When `transaction` is due: counted from its commit on the server that sends it, and from the whole
/// second of its first statement where that is all that its server tells.
fn due_micros(transaction: &TransactionInfo, delay: Duration) -> i64 {
    let committed = transaction.commit_timestamps.map_or_else(
        || i64::from(transaction.timestamp).saturating_mul(1_000_000),
        |times| i64::try_from(times.immediate).unwrap_or(i64::MAX),
    );
    committed.saturating_add(i64::try_from(delay.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use binlog::event::CommitTimestamps;
    use binlog::stream::Place;
    use binlog::transaction::{TransactionGtid, TransactionKind};

    use super::*;

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn gtid(number: u64) -> Gtid {
        format!("{SOURCE}:{number}").parse().unwrap()
    }

    fn transaction(number: u64) -> TransactionInfo {
        TransactionInfo {
            gtid: TransactionGtid::MySql(gtid(number)),
            kind: TransactionKind::Begun,
            start: Place {
                offset: 4,
                end: 4,
                inner: None,
            },
            timestamp: 7,
            server_id: 1,
            commit_timestamps: Some(CommitTimestamps {
                immediate: 9_000_000,
                original: 5_000_000,
            }),
            logical_clock: None,
            transaction_length: None,
            mariadb_flags: None,
            commit_id: None,
            is_complete: false,
        }
    }

    fn now(source_micros: i64) -> Now {
        Now {
            is_applied: false,
            skip_counter: 0,
            source_micros,
            was_passed_over: false,
        }
    }

    #[test]
    fn a_delay_counts_from_the_commit_on_the_server_that_sends() {
        let steering = Steering {
            delay: Duration::from_secs(10),
            ..Steering::default()
        };
        let judge = |transaction, micros| steering.judge(&transaction, None, now(micros));
        assert_eq!(
            judge(transaction(1), 18_999_999),
            Verdict::NotBefore(19_000_000)
        );
        assert_eq!(judge(transaction(1), 19_000_000), Verdict::Take);
        let old = TransactionInfo {
            commit_timestamps: None,
            ..transaction(1)
        };
        assert_eq!(
            judge(old.clone(), 16_999_999),
            Verdict::NotBefore(17_000_000)
        );
        assert_eq!(judge(old, 17_000_000), Verdict::Take);
    }

    #[test]
    fn what_is_applied_passes_and_until_counts_before_all_else() {
        let steering = Steering {
            until: Some(Until::BeforeGtids(format!("{SOURCE}:2").parse().unwrap())),
            delay: Duration::from_secs(10),
            ..Steering::default()
        };
        let skipping = Now {
            skip_counter: 1,
            ..now(0)
        };
        let applied = Now {
            is_applied: true,
            ..skipping
        };
        assert_eq!(
            steering.judge(&transaction(2), None, applied),
            Verdict::Take
        );
        assert_eq!(
            steering.judge(&transaction(2), None, skipping),
            Verdict::End
        );
        assert_eq!(
            steering.judge(&transaction(1), None, skipping),
            Verdict::PassOver
        );
    }

    #[tokio::test]
    async fn a_transaction_waits_for_the_session_that_has_its_identifier() {
        let steering = Steering::default();
        let owned = steering.owned.own(gtid(1), 7, || false).await;
        let judge = |number| steering.judge(&transaction(number), None, now(0));
        assert_eq!(judge(1), Verdict::WaitFor(gtid(1)));
        assert_eq!(judge(2), Verdict::Take);
        drop(owned);
        steering.owned.released(gtid(1)).await;
        assert_eq!(judge(1), Verdict::Take);
    }
}
