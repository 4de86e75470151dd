//! The one error of decoding: what was being read, where, and what was wrong with it.

use std::fmt;

/// Why bytes could not be decoded, and where.
///
/// `offset` counts from the start of the outermost input (an event, a packet, a file), whatever
/// sub-reader noticed the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    /// The field that was being read, in the words of the format's description.
    pub what: &'static str,
    /// Bytes from the start of the outermost input to the field.
    pub offset: usize,
    /// What was wrong.
    pub kind: DecodeErrorKind,
}

/// What was wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ended before the field did.
    Truncated {
        /// Bytes the field needs.
        needed: u64,
        /// Bytes that were left.
        available: usize,
    },
    /// Bytes were left over after the last field.
    Trailing {
        /// How many.
        left: usize,
    },
    /// The field holds a value that the format does not allow.
    Invalid {
        /// The value found.
        found: u64,
        /// What the format allows there.
        expected: &'static str,
    },
    /// The field announces more than this build accepts.
    TooLarge {
        /// The size announced.
        size: u64,
        /// The largest accepted.
        limit: u64,
    },
    /// The bytes of a text field are not text in the expected encoding.
    NotText,
}

impl DecodeError {
    /// A field whose value the format does not allow.
    #[must_use]
    pub const fn invalid(
        what: &'static str,
        offset: usize,
        found: u64,
        expected: &'static str,
    ) -> Self {
        Self {
            what,
            offset,
            kind: DecodeErrorKind::Invalid { found, expected },
        }
    }

    /// The same error seen from an input in which this one's input begins at `base`.
    #[must_use]
    pub const fn shifted(mut self, base: usize) -> Self {
        self.offset = self.offset.saturating_add(base);
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, offset, kind } = self;
        match kind {
            DecodeErrorKind::Truncated { needed, available } => write!(
                f,
                "{what} at byte {offset} needs {needed} bytes, but only {available} are left"
            ),
            DecodeErrorKind::Trailing { left } => {
                write!(
                    f,
                    "{what} should end at byte {offset}, but {left} bytes follow"
                )
            }
            DecodeErrorKind::Invalid { found, expected } => {
                write!(f, "{what} at byte {offset} is {found}, expected {expected}")
            }
            DecodeErrorKind::TooLarge { size, limit } => {
                write!(
                    f,
                    "{what} at byte {offset} announces {size} bytes, the limit is {limit}"
                )
            }
            DecodeErrorKind::NotText => {
                write!(f, "{what} at byte {offset} is not valid UTF-8 text")
            }
        }
    }
}

impl std::error::Error for DecodeError {}
