//! What holds of every log file, encrypted or not: its magic, and how large an event may be.

/// The bytes in front of the first event.
pub const MAGIC: [u8; 4] = [0xfe, b'b', b'i', b'n'];

/// Where the first event of a file begins.
pub const FIRST_EVENT: u64 = 4;

/// The largest event that is read: MySQL's largest packet and what stands around it. Payload events
/// may be larger where they are not held whole; see [`super::ReadOptions::held_max`].
pub const MAX_EVENT_BYTES: u64 = (1 << 30) + (1 << 20);
