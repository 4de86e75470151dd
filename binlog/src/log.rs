//! Log files: binary logs and relay logs, which are the same thing with other contents.
//!
//! A log is an index and the files it lists. This module writes, rotates, reads, follows, purges,
//! recovers and searches them, over the [`storage::Storage`] seam. It moves whole framed events;
//! what rows they hold is not its matter. Synchronous: callers that must not wait put a writer on
//! a thread of its own.
//!
//! The invariant that everything rests on: only [`writer::LogWriter`] adds bytes, it adds them at
//! the end, and bytes below [`writer::LogWriter::durable_end`] never change again, except for the
//! in-use flag of the head.

mod cursor;
pub mod encryption;
mod error;
mod format;
mod guards;
mod head;
mod index;
mod locate;
mod name;
mod options;
mod purge;
mod reader;
mod recover;
mod source_coordinates;
pub mod storage;
mod torn;
mod writer;

pub use cursor::{LogCursor, Step};
pub use error::{Corrupt, Damage, LogError};
pub use format::{FIRST_EVENT, MAGIC, MAX_EVENT_BYTES};
pub use guards::{FileGuard, FileGuards};
pub use head::LogHead;
pub use index::LogIndex;
pub use locate::{first_file_since, locate_by_gtid_set};
pub use name::{LogFileName, LogPosition, MAX_LOG_NUMBER};
pub use options::{Checksums, ReadOptions};
pub use reader::LogReader;
pub use recover::{KnownPlace, RecoverOptions, Recovered, TornTail, recover, recover_from};
pub use source_coordinates::SourceCoordinates;
pub use storage::{CrashKind, ForwardFile, OsStorage, SimStorage, Storage, StorageFile, Stored};
pub use writer::{LogFlavour, LogOptions, LogWriter};

#[cfg(test)]
mod tests;
