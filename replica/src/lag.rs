//! Lag: how far this replica is behind its source, as numbers that never flatter.
//!
//! Pure: snapshots and times in, lag out. Receive lag is the time since the source was last known to
//! have nothing more; it grows while the source is silent for longer than it promised, or gone. Apply
//! lag is the age of the oldest transaction that is not visible here, and never less than receive
//! lag, because what was not received cannot have been applied. Nothing is ever negative.

use std::time::{Duration, Instant};

use server::control::Lag;

use crate::applier::ApplierState;
use crate::receiver::{ReceiverRunning, ReceiverState};

/// Everything lag is computed from.
#[derive(Debug, Clone, Copy)]
pub struct LagInputs<'a> {
    /// The receiver.
    pub receiver: &'a ReceiverState,
    /// The applier.
    pub applier: &'a ApplierState,
    /// Time between heartbeats that the source was asked for; zero for none.
    pub heartbeat_period: Duration,
    /// Transactions in the relay log that are not applied, if they can be counted.
    pub queued_transactions: Option<u64>,
    /// Bytes in the relay log that are not applied.
    pub queued_bytes: u64,
    /// Commit on the source of the oldest transaction in the relay log that is not applied, µs since
    /// 1970 by the source's clock, if it is known.
    pub oldest_waiting_micros: Option<u64>,
    /// Now, on the monotonic clock.
    pub now: Instant,
    /// Now, in µs since 1970 by this replica's clock.
    pub now_micros: i64,
}

/// The lag vector of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LagVector {
    /// From the source's commit to the relay log.
    pub receive: Lag,
    /// In the relay log, not yet applied.
    pub queue: Lag,
    /// From the source's commit to visible here.
    pub apply: Lag,
}

impl LagInputs<'_> {
    /// The lag vector now.
    #[must_use]
    pub fn vector(&self) -> LagVector {
        let receive_seconds = self.receive_seconds();
        let queue_seconds = self.queue_seconds();
        let is_current = receive_seconds == Some(0.0);
        let both = receive_seconds.zip(queue_seconds);
        LagVector {
            receive: Lag {
                seconds: receive_seconds,
                // What the source has and did not send is known only when it is nothing.
                transactions: is_current.then_some(0),
                bytes: is_current.then_some(0),
            },
            queue: Lag {
                seconds: queue_seconds,
                transactions: self.queued_transactions,
                bytes: Some(self.queued_bytes),
            },
            apply: Lag {
                seconds: both.map(|(receive, queue)| queue.max(receive)),
                transactions: self.queued_transactions.filter(|_| is_current),
                bytes: Some(self.queued_bytes).filter(|_| is_current),
            },
        }
    }

    /// Time since the source was last known to have nothing more; 0 while it keeps its promise to
    /// send something within the heartbeat period. Not known of a source that never answered.
    fn receive_seconds(&self) -> Option<f64> {
        let heard = self.receiver.last_contact?;
        let silence = self.now.saturating_duration_since(heard);
        let is_connected = self.receiver.running == ReceiverRunning::Yes;
        // Half a period more, for the way and the source's timer.
        let promised = self.heartbeat_period + self.heartbeat_period / 2;
        Some(if is_connected && silence <= promised {
            0.0
        } else {
            silence.as_secs_f64()
        })
    }

    /// Age of the oldest transaction in the relay log that is not applied.
    fn queue_seconds(&self) -> Option<f64> {
        if self.queued_bytes == 0 {
            return Some(0.0);
        }
        let waiting = self.oldest_waiting_micros;
        let oldest = waiting.into_iter().chain(self.applier.oldest_open_micros);
        if let Some(micros) = oldest.min() {
            return Some(self.age(micros));
        }
        if self.applier.is_running && self.applier.has_caught_up {
            // What is left are heads of files.
            return Some(0.0);
        }
        // A log without commit times: seconds since the statement that is applied began.
        self.timestamp_age().filter(|_| self.applier.is_running)
    }

    /// Seconds since a moment of the source's clock.
    fn age(&self, source_micros: u64) -> f64 {
        let now = self
            .now_micros
            .saturating_add(self.receiver.clock_offset_micros);
        let then = i64::try_from(source_micros).unwrap_or(i64::MAX);
        seconds(now.saturating_sub(then).max(0).unsigned_abs())
    }

    fn timestamp_age(&self) -> Option<f64> {
        let timestamp = u64::from(self.applier.last_timestamp);
        (timestamp > 0).then(|| self.age(timestamp.saturating_mul(1_000_000)))
    }

    /// `Seconds_Behind_Source` with MySQL's meaning: NULL when the applier does not run, or has
    /// applied all and the receiver is not connected; 0 when all is applied; else now minus the
    /// start of what is being applied, by the source's clock.
    #[must_use]
    pub fn seconds_behind_source(&self) -> Option<u64> {
        if !self.applier.is_running {
            return None;
        }
        if self.queued_bytes == 0 || self.applier.has_caught_up {
            return (self.receiver.running == ReceiverRunning::Yes).then_some(0);
        }
        let timestamp = i64::from(self.applier.last_timestamp);
        if timestamp == 0 {
            return Some(0);
        }
        let now = self
            .now_micros
            .saturating_add(self.receiver.clock_offset_micros);
        Some(
            (now / 1_000_000)
                .saturating_sub(timestamp)
                .max(0)
                .unsigned_abs(),
        )
    }
}

/// Microseconds as seconds.
fn seconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct World {
        receiver: ReceiverState,
        applier: ApplierState,
        began: Instant,
        queued_bytes: u64,
        oldest_waiting_micros: Option<u64>,
    }

    fn world() -> World {
        let began = Instant::now();
        World {
            receiver: ReceiverState {
                running: ReceiverRunning::Yes,
                last_contact: Some(began),
                ..ReceiverState::default()
            },
            applier: ApplierState {
                is_running: true,
                has_caught_up: true,
                last_timestamp: 1_000,
                ..ApplierState::default()
            },
            began,
            queued_bytes: 0,
            oldest_waiting_micros: None,
        }
    }

    impl World {
        fn after(&self, seconds: u64) -> LagInputs<'_> {
            LagInputs {
                receiver: &self.receiver,
                applier: &self.applier,
                heartbeat_period: Duration::from_secs(2),
                queued_transactions: Some(0),
                queued_bytes: self.queued_bytes,
                oldest_waiting_micros: self.oldest_waiting_micros,
                now: self.began + Duration::from_secs(seconds),
                now_micros: 1_100_000_000 + i64::try_from(seconds).unwrap() * 1_000_000,
            }
        }
    }

    #[test]
    fn an_idle_source_that_keeps_its_promise_is_no_lag() {
        let world = world();
        assert_eq!(world.after(1).vector().apply.seconds, Some(0.0));
        assert_eq!(world.after(3).vector().apply.seconds, Some(0.0));
        assert_eq!(world.after(1).seconds_behind_source(), Some(0));
    }

    #[test]
    fn lag_grows_while_the_source_is_silent_or_gone() {
        let mut world = world();
        assert_eq!(world.after(10).vector().apply.seconds, Some(10.0));
        assert_eq!(world.after(20).vector().receive.seconds, Some(20.0));
        world.receiver.running = ReceiverRunning::Connecting;
        assert_eq!(world.after(1).vector().apply.seconds, Some(1.0));
        assert_eq!(world.after(1).vector().receive.transactions, None);
        assert_eq!(world.after(1).seconds_behind_source(), None);
    }

    #[test]
    fn the_lag_behind_a_source_that_never_answered_is_not_known() {
        let mut world = world();
        world.receiver = ReceiverState::default();
        assert_eq!(world.after(7).vector().apply.seconds, None);
    }

    #[test]
    fn a_transaction_that_arrives_after_a_long_idle_time_is_not_older_than_its_commit() {
        let mut world = world();
        world.applier.last_applied_micros = Some(1_060_000_000);
        world.queued_bytes = 100;
        world.oldest_waiting_micros = Some(1_099_000_000);
        assert_eq!(world.after(0).vector().apply.seconds, Some(1.0));
        world.applier.is_running = false;
        assert_eq!(world.after(0).vector().apply.seconds, Some(1.0));
        // What waits since before this process began and was not looked at.
        world.oldest_waiting_micros = None;
        assert_eq!(world.after(0).vector().apply.seconds, None);
    }

    #[test]
    fn a_queue_is_as_old_as_its_oldest_transaction() {
        let mut world = world();
        world.queued_bytes = 100;
        world.applier.has_caught_up = false;
        world.applier.oldest_open_micros = Some(1_060_000_000);
        assert_eq!(world.after(0).vector().queue.seconds, Some(40.0));
        assert_eq!(world.after(2).vector().apply.seconds, Some(42.0));
        assert_eq!(world.after(0).seconds_behind_source(), Some(100));
        // A stopped applier falls behind like a slow one; MySQL's number is then unknown.
        world.applier.is_running = false;
        assert_eq!(world.after(5).vector().apply.seconds, Some(45.0));
        assert_eq!(world.after(5).seconds_behind_source(), None);
    }

    #[test]
    fn a_source_whose_clock_is_ahead_never_makes_lag_negative() {
        let mut world = world();
        world.queued_bytes = 100;
        world.applier.has_caught_up = false;
        world.applier.oldest_open_micros = Some(2_000_000_000);
        world.applier.last_timestamp = 2_000;
        assert_eq!(world.after(0).vector().queue.seconds, Some(0.0));
        assert_eq!(world.after(0).seconds_behind_source(), Some(0));
        world.receiver.clock_offset_micros = 1_000_000_000;
        assert_eq!(world.after(0).vector().queue.seconds, Some(100.0));
    }
}
