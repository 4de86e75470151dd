//! The wall clock, as logs and statuses have it. Cores are given the time and do not ask for it.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970.
#[must_use]
pub fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    })
}

/// Seconds since 1970.
#[must_use]
pub fn now_seconds() -> u32 {
    u32::try_from(now_micros() / 1_000_000).unwrap_or(u32::MAX)
}
