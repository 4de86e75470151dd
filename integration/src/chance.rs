//! Random choices that can be repeated: a small generator whose seed is printed and can be given.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A xorshift generator. Good enough to choose moments, not more.
pub struct Chance(u64);

impl Chance {
    /// Seeded from `$WEIR_SEED`, or from the clock; prints the seed for a repetition.
    pub fn from_environment() -> Self {
        let given = std::env::var("WEIR_SEED")
            .ok()
            .and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            now.as_secs() ^ u64::from(now.subsec_nanos()).rotate_left(32)
        });
        announce(&format!("WEIR_SEED={seed}"));
        Self(seed.max(1))
    }

    /// Seeded with a number that came from elsewhere.
    pub fn seeded(seed: u64) -> Self {
        Self(seed.max(1))
    }

    /// A number below `end`, which must not be 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) % end
    }

    /// A span between the two, in milliseconds.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        Duration::from_millis(from + self.below(to - from))
    }
}

/// A number from the environment, for runs by hand that are longer than those of CI.
pub fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// Prints a line that a reader of the test's output needs.
#[allow(
    clippy::print_stderr,
    reason = "the output of a test is where its seed and figures belong"
)]
pub fn announce(line: &str) {
    eprintln!("{line}");
}
