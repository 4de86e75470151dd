//! Holds a transaction back until it may begin, as the applier's steering says.

use std::time::Duration;

use binlog::limits::Limits;
use binlog::log::LogPosition;
use binlog::stream::EventStream;
use binlog::transaction::{Step, TransactionGtid, TransactionReader};
use gtid::Gtid;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::coordinator::Begins;
use super::retry::is_stopped_within;
use super::steering::{Now, Verdict};
use super::{Applier, ApplierError, Coordinator};
use crate::channel::now_micros;

/// Longest pause before the source's clock is looked at again: it may be corrected meanwhile.
const LOOK: Duration = Duration::from_secs(1);

/// What became of a transaction that was to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// It begins.
    Begins,
    /// The applier was stopped while it waited.
    Stopped,
    /// The applier ends in front of it.
    Ends,
}

impl Applier {
    /// Lets `step` pass unless it begins a transaction that has to wait, or must not begin.
    pub(super) fn hold(
        &self,
        coordinator: &mut Coordinator,
        step: &Step<'_>,
        runtime: &Handle,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<Held, ApplierError> {
        loop {
            match self.judge(coordinator, step) {
                Verdict::Take => return Ok(Held::Begins),
                Verdict::PassOver => {
                    self.count_passed_over(step);
                    coordinator.pass_over_next();
                    return Ok(Held::Begins);
                }
                Verdict::Passed => {
                    coordinator.pass_incident();
                    return Ok(Held::Begins);
                }
                Verdict::End => return Ok(Held::Ends),
                Verdict::NotBefore(due) => {
                    self.commit(coordinator)?;
                    let left = due.saturating_sub(self.source_micros());
                    let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
                    self.is_behind(step);
                    self.waits(
                        "Waiting until SOURCE_DELAY seconds after source executed event",
                        Some(due),
                    );
                    if runtime.block_on(is_stopped_within(stop, left.min(LOOK))) {
                        self.waits("", None);
                        return Ok(Held::Stopped);
                    }
                    self.waits(READING, None);
                }
                Verdict::WaitFor(gtid) => {
                    self.commit(coordinator)?;
                    self.waits("Waiting for a session to release its gtid_next", None);
                    let is_stopped = runtime.block_on(self.is_stopped_before_release(gtid, stop));
                    self.waits(READING, None);
                    if is_stopped {
                        return Ok(Held::Stopped);
                    }
                }
            }
        }
    }

    pub(super) fn judge(&self, coordinator: &Coordinator, step: &Step<'_>) -> Verdict {
        let Some(begins) = coordinator.begins(step) else {
            return Verdict::Take;
        };
        let (skip_counter, passed_over_at) = self.status.skipping();
        let was_passed_over = passed_over_at.is_some_and(|at| at == place(step));
        match begins {
            Begins::Transaction(transaction, begins_at) => {
                let is_applied = transaction.gtid != TransactionGtid::None
                    && coordinator.has_applied(&transaction.gtid);
                let now = Now {
                    is_applied,
                    skip_counter,
                    source_micros: self.source_micros(),
                    was_passed_over,
                };
                self.steering.judge(transaction, begins_at.as_ref(), now)
            }
            Begins::Incident if self.is_in_front_of_applied(coordinator, step) => Verdict::Passed,
            Begins::Incident if was_passed_over || skip_counter > 0 => Verdict::PassOver,
            Begins::Incident => Verdict::Take,
        }
    }

    /// Counts the transaction that begins with `step` down, once: it stays that one, however often its
    /// commit fails, and no other takes its place when the commit that failed was none.
    fn count_passed_over(&self, step: &Step<'_>) {
        let at = place(step);
        self.status.update(|state| {
            if state.passed_over_at.as_ref() != Some(&at) {
                state.skip_counter = state.skip_counter.saturating_sub(1);
                state.passed_over_at = Some(at);
            }
        });
    }

    /// Whether the next transaction behind an incident is applied already. A target that knows its
    /// transactions by their GTIDs alone keeps no place, so that this tells that the incident was passed
    /// over before.
    fn is_in_front_of_applied(&self, coordinator: &Coordinator, step: &Step<'_>) -> bool {
        if !coordinator.worker.keeps_gtids() {
            return false;
        }
        let behind = LogPosition::new(step.file.clone(), step.place.end);
        // What cannot be read is told when its turn comes.
        let Ok(mut cursor) = self.relay_log.cursor(&behind) else {
            return false;
        };
        cursor.set_end(self.relay_log.end().borrow().position.clone());
        let mut reader = TransactionReader::new(EventStream::new(cursor, Limits::default()));
        while let Ok(Some(next)) = reader.next() {
            if let Some(transaction) = next.transaction {
                return transaction.gtid != TransactionGtid::None
                    && coordinator.has_applied(&transaction.gtid);
            }
        }
        false
    }

    /// There is something to apply, as old as the transaction that waits.
    fn is_behind(&self, step: &Step<'_>) {
        let committed = step
            .transaction
            .and_then(|transaction| transaction.commit_timestamps);
        self.status.update(|state| {
            state.has_caught_up = false;
            state.last_timestamp = step.raw.header.timestamp;
            let committed = committed.map(|times| times.original);
            state.oldest_open_micros = state.oldest_open_micros.or(committed);
        });
    }

    /// The source's clock.
    fn source_micros(&self) -> i64 {
        let offset = self.steering.source_clock.clock_offset_micros();
        now_micros().saturating_add(offset)
    }

    fn waits(&self, doing: &'static str, due: Option<i64>) {
        self.status.update(|state| {
            state.doing = doing;
            state.due_micros = due;
        });
    }

    async fn is_stopped_before_release(
        &self,
        gtid: Gtid,
        stop: &mut watch::Receiver<bool>,
    ) -> bool {
        tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => true,
            () = self.steering.owned.released(gtid) => false,
        }
    }
}

/// Where in the relay log an event begins.
fn place(step: &Step<'_>) -> LogPosition {
    LogPosition::new(step.file.clone(), step.place.offset)
}

/// `Replica_SQL_Running_State` while there is something to apply.
pub(super) const READING: &str = "Reading event from the relay log";
