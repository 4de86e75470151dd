//! When to try again: after which errors, and how long to wait. The one place that decides it.

use std::time::Duration;

use super::error::ReceiverError;

/// What to do about a failed connection or stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Try again after this pause.
    RetryAfter(Duration),
    /// Stop: trying again cannot help, or was tried often enough.
    Stop,
}

/// Decides after the `failed`th failure in a row (1 is the first).
///
/// The first pause is a quarter of a second and doubles up to `connect_retry`; a source that was
/// only restarted is found again at once, one that stays away is not flooded. `retry_count` is the
/// number of attempts, 0 for no limit, as `source_retry_count`; a full disk is waited out however
/// long it takes, as the source is not to blame for it.
#[must_use]
pub fn decide(
    error: &ReceiverError,
    failed: u32,
    connect_retry: Duration,
    retry_count: u32,
) -> Verdict {
    let is_over = retry_count != 0 && failed >= retry_count && !error.waits_for_room();
    if !error.is_transient() || is_over {
        return Verdict::Stop;
    }
    let doublings = failed.saturating_sub(1).min(16);
    let pause = FIRST_PAUSE.saturating_mul(1 << doublings);
    Verdict::RetryAfter(pause.min(connect_retry.max(FIRST_PAUSE)))
}

const FIRST_PAUSE: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn pauses_double_up_to_connect_retry_and_end_at_the_retry_count() {
        let gone = ReceiverError::Silent { seconds: 60 };
        let pause = |failed| decide(&gone, failed, MINUTE, 10);
        assert_eq!(pause(1), Verdict::RetryAfter(Duration::from_millis(250)));
        assert_eq!(pause(4), Verdict::RetryAfter(Duration::from_secs(2)));
        assert_eq!(pause(9), Verdict::RetryAfter(MINUTE));
        assert_eq!(pause(10), Verdict::Stop);
        assert_eq!(
            decide(&gone, u32::MAX, MINUTE, 0),
            Verdict::RetryAfter(MINUTE)
        );
    }

    #[test]
    fn a_full_disk_is_waited_out_with_growing_pauses() {
        let file = "relay.000001".to_owned();
        let full = ReceiverError::RelayLog(binlog::log::LogError::NoSpace { file });
        let pause = |failed| decide(&full, failed, MINUTE, 10);
        assert_eq!(pause(3), Verdict::RetryAfter(Duration::from_secs(1)));
        assert_eq!(pause(1000), Verdict::RetryAfter(MINUTE));
    }

    #[test]
    fn what_another_attempt_cannot_help_stops_at_once() {
        let fatal = ReceiverError::EqualServerIds { server_id: 1 };
        assert_eq!(decide(&fatal, 1, MINUTE, 0), Verdict::Stop);
    }
}
