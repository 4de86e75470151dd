//! Bounds on the memory that decoding may take.
//!
//! A size that bytes announce is never trusted: memory grows with what really arrived, and what is
//! inflated from compressed bytes stops at these bounds.

/// How much one decoded thing may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes that one contiguous inflated thing may take: a row, a statement, an inner event.
    pub inflated_max: u64,
}

impl Limits {
    /// Default of [`Limits::inflated_max`]: 64 MiB.
    pub const INFLATED_MAX: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            inflated_max: Self::INFLATED_MAX,
        }
    }
}
