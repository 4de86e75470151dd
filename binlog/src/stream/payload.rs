//! The events inside a `TRANSACTION_PAYLOAD_EVENT`.
//!
//! The payload is one or more zstd frames (or the plain bytes), whose content is whole events
//! without checksums. They are inflated into a window that holds one event; it grows only with
//! bytes that really came out, up to [`Limits::inflated_max`].
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/codecs, `binary::Transaction_payload`.

mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use writer::{DEFAULT_LEVEL, PayloadWriter, compress};

pub(super) use reader::PayloadReader;

use std::fmt;

use crate::event::EventType;

#[cfg(doc)]
use crate::limits::Limits;

/// What is wrong inside a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadDamage {
    /// The compression is none that is known.
    Compression {
        /// Its code.
        code: u64,
    },
    /// The compressed bytes are damaged, or need more memory than they may.
    Inflate {
        /// What the decompressor says.
        message: String,
    },
    /// The compressed bytes end inside a frame.
    CutFrame,
    /// The content ends inside an event.
    CutEvent {
        /// Bytes that the event needs.
        needed: u64,
        /// Bytes that are left.
        available: u64,
    },
    /// An inner event announces a size that it cannot have.
    EventSize {
        /// The size.
        size: u64,
        /// The most it may be.
        max: u64,
    },
    /// An event that may not stand in a payload.
    Nested {
        /// Its type.
        event_type: EventType,
    },
    /// The content has another size than announced.
    Size {
        /// The announced size in bytes.
        announced: u64,
        /// How much there is; of a content that is larger, how much was seen.
        found: u64,
    },
}

impl fmt::Display for PayloadDamage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compression { code } => write!(
                f,
                "the payload's compression has code {code}; known are 0 (zstd) and 255 (none)"
            ),
            Self::Inflate { message } => write!(f, "the payload cannot be inflated: {message}"),
            Self::CutFrame => f.write_str("the payload ends inside a compressed frame"),
            Self::CutEvent { needed, available } => write!(
                f,
                "the inner event needs {needed} bytes, but the payload ends after {available}"
            ),
            Self::EventSize { size, max } => write!(
                f,
                "the inner event announces {size} bytes; at least 19 and at most {max} are read"
            ),
            Self::Nested { event_type } => {
                write!(f, "{} may not stand inside a payload", event_type.name())
            }
            Self::Size { announced, found } => write!(
                f,
                "the payload announces {announced} bytes of content, but has {found}"
            ),
        }
    }
}
