//! How a file is read.

use super::encryption::Keys;
use super::format::MAX_EVENT_BYTES;
use crate::limits::Limits;

/// What a reader does about an event whose checksum is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Checksums {
    /// It stops in front of the event.
    #[default]
    Stop,
    /// It shows the event and says so.
    Report,
}

/// How a file is read. The default is for readers that go through [`crate::stream::EventStream`].
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// What to do about wrong checksums.
    pub checksums: Checksums,
    /// Bounds on memory.
    pub limits: Limits,
    /// The largest payload event that is held whole, in bytes; of a larger one only the head is
    /// held and the rest is given in pieces. All other events are held whole.
    pub held_max: u64,
    /// Keys of encrypted files.
    pub keys: Keys,
}

impl ReadOptions {
    /// Default of [`ReadOptions::held_max`]: 16 MiB.
    pub const HELD_MAX: u64 = 16 << 20;

    /// For readers that pass whole events on as bytes and never look into payloads.
    #[must_use]
    pub fn whole_events() -> Self {
        Self {
            held_max: MAX_EVENT_BYTES,
            ..Self::default()
        }
    }
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            checksums: Checksums::Stop,
            limits: Limits::default(),
            held_max: Self::HELD_MAX,
            keys: Keys::default(),
        }
    }
}
