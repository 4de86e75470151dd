//! Tells systemd how the service fares (`Type=notify-reload`), if systemd asked to be told.
//!
//! Without `$NOTIFY_SOCKET` every function does nothing. That a message cannot be sent is logged
//! and otherwise without consequence.

use std::time::Duration;

use sd_notify::NotifyState;

/// Clients are accepted.
pub(crate) fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] follows.
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "cannot read the clock for systemd"),
    }
}

/// The service is draining.
pub(crate) fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// Tells the watchdog that the service lives, often enough, for as long as this future is polled:
/// a runtime that hangs does not poll it.
pub(crate) async fn keep_watchdog() {
    let Some(deadline) = sd_notify::watchdog_enabled() else {
        return std::future::pending().await;
    };
    let mut beats = tokio::time::interval(watchdog_period(deadline));
    loop {
        beats.tick().await;
        send(&[NotifyState::Watchdog]);
    }
}

fn watchdog_period(deadline: Duration) -> Duration {
    (deadline / 3).max(Duration::from_millis(1))
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot notify systemd");
    }
}
