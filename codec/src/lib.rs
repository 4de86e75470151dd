//! Bounded reading and writing of MySQL's wire and file encodings.
//!
//! Everything Weir decodes comes from a disk that may be damaged or a peer that may be hostile, so
//! this crate has one rule: no function here panics, allocates by an untrusted size, or reads past
//! the bytes it was given. It knows integers, strings and lengths; it knows no event, packet or
//! file.
//!
//! Formats: MySQL Internals, "Client/Server Protocol: Basic Data Types".

#![forbid(unsafe_code)]

mod error;
mod reader;
mod varint;
mod writer;

pub use error::{DecodeError, DecodeErrorKind};
pub use reader::Reader;
pub use writer::{LengthGuard, Write};
