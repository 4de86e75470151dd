//! What a start finds: which files belong to the log, where its last whole transaction ends, and
//! which transactions it holds.
//!
//! Bytes behind the last whole transaction of the *last* file are the torn tail of a crash; a copy
//! is kept and they are cut off. Damage in any other place was durable once and is refused with
//! its exact place, because cutting there would lose acknowledged transactions. Recovery may be
//! interrupted anywhere and started again.

use std::sync::Arc;

use gtid::GtidSet;

use super::error::{Corrupt, Damage, LogError};
use super::head::{FLAGS_OFFSET, LogHead};
use super::index::LogIndex;
use super::name::{LogFileName, LogPosition};
use super::purge::remove_registered;
use super::reader::LogReader;
use super::storage::{Storage, is_no_space, read_full_at, replace_file, write_all_at};
use super::torn::first_transaction_after;
use super::writer::LogFlavour;
use crate::transaction::{Boundary, TransactionTracker, follows_a_unit};

/// Which log to recover, and how.
#[derive(Debug, Clone)]
pub struct RecoverOptions {
    /// Name of the files in front of the number.
    pub base: String,
    /// Name of the index.
    pub index: String,
    /// Binary or relay log. Damage in the last file of a relay log is always cut off: the source
    /// still has what is lost.
    pub flavour: LogFlavour,
    /// Cut at damage in the last file even if transactions follow it. They are lost, except for
    /// the copy.
    pub force_truncate: bool,
}

/// A log that is ready to be continued in a new file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The files.
    pub index: LogIndex,
    /// Transactions that are in no file any more.
    pub gtid_purged: GtidSet,
    /// All transactions of the log, purged ones included.
    pub gtid_executed: GtidSet,
    /// End of the last whole transaction (or of the file's head, or of its rotate or stop event).
    /// `None` for a log without files.
    pub end: Option<LogPosition>,
    /// What was cut off.
    pub torn: Option<TornTail>,
    /// Whether the last file was not closed cleanly.
    pub was_in_use: bool,
    /// Files that an interrupted rotation or purge had left and that were removed.
    pub removed: Vec<LogFileName>,
}

/// Bytes that were cut off the last file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TornTail {
    /// Where they began.
    pub at: LogPosition,
    /// How many there were.
    pub bytes: u64,
    /// What was found there; empty if they were sound events of an unfinished transaction.
    pub reason: String,
    /// The file that keeps a copy; empty if there was no room for one.
    pub saved_as: String,
}

/// The last file as a walk over it found it.
struct Walk {
    head: LogHead,
    good: u64,
    len: u64,
    executed: GtidSet,
    damage: Option<Box<Corrupt>>,
    last_commit_timestamp: Option<u64>,
}

/// A place between two transactions that somebody else remembers durably, and all transactions in
/// front of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPlace {
    /// The place.
    pub position: LogPosition,
    /// The transactions in front of it, purged ones included.
    pub executed: GtidSet,
}

/// Recovers the log of `options`.
pub fn recover(
    storage: &Arc<dyn Storage>,
    options: &RecoverOptions,
) -> Result<Recovered, LogError> {
    recover_from(storage, options, None)
}

/// As [`recover`], without reading the last file in front of `known`, if that is a place in it.
pub fn recover_from(
    storage: &Arc<dyn Storage>,
    options: &RecoverOptions,
    known: Option<&KnownPlace>,
) -> Result<Recovered, LogError> {
    let storage = storage.as_ref();
    let index = LogIndex::load(storage, &options.index)?;
    let mut removed = remove_registered(storage, &index)?;
    removed.extend(remove_unborn(storage, options, &index)?);
    let mut recovered = Recovered {
        index: index.clone(),
        gtid_purged: GtidSet::default(),
        gtid_executed: GtidSet::default(),
        end: None,
        torn: None,
        was_in_use: false,
        removed,
    };
    let (Some(first), Some(last)) = (index.first(), index.last()) else {
        return Ok(recovered);
    };
    let missing = |error| match error {
        LogError::UnknownFile { .. } => LogError::MissingFile {
            index: options.index.clone(),
            file: last.clone(),
        },
        error => error,
    };
    let walk = walk(storage, last, known).map_err(missing)?;
    recovered.torn = cut(storage, options, last, &walk)?;
    recovered.was_in_use = walk.head.in_use;
    finish(storage, last, &walk)?;
    recovered.gtid_purged = LogHead::read(storage, first)
        .map_err(missing)?
        .previous_gtids
        .unwrap_or_default();
    recovered.gtid_executed = walk.executed;
    recovered.end = Some(LogPosition::new(last.clone(), walk.good));
    Ok(recovered)
}

/// Whether `known` is a place in this file where a transaction or the end of the file begins.
fn is_usable(
    storage: &dyn Storage,
    file: &LogFileName,
    head: &LogHead,
    known: &KnownPlace,
) -> Result<bool, LogError> {
    let KnownPlace { position, executed } = known;
    let earlier = head.previous_gtids.clone().unwrap_or_default();
    let mut reader = LogReader::open(storage, file)?;
    if position.file != *file
        || position.offset < head.first_event
        || position.offset > reader.len()?
        || !earlier.is_subset_of(executed)
    {
        return Ok(false);
    }
    reader.seek(position.offset);
    reader.check_positions();
    Ok(match reader.advance(None) {
        Ok(false) => true,
        Ok(true) => reader
            .current()
            .is_some_and(|(_, event)| follows_a_unit(event.header.event_type)),
        Err(_) => false,
    })
}

/// Reads the last file up to its end or its first damage, from `known` on if that can be used.
fn walk(
    storage: &dyn Storage,
    file: &LogFileName,
    known: Option<&KnownPlace>,
) -> Result<Walk, LogError> {
    let mut reader = LogReader::open(storage, file)?;
    let head = LogHead::read_from(&mut reader)?;
    let known = match known {
        Some(known) if is_usable(storage, file, &head, known)? => Some(known),
        _ => None,
    };
    let first_event = known.map_or(head.first_event, |known| known.position.offset);
    reader.seek(first_event);
    let mut walk = Walk {
        good: first_event,
        len: reader.len()?,
        executed: match known {
            Some(known) => known.executed.clone(),
            None => head.previous_gtids.clone().unwrap_or_default(),
        },
        head,
        damage: None,
        last_commit_timestamp: None,
    };
    let mut tracker = TransactionTracker::default();
    loop {
        match reader.advance(None) {
            Ok(true) => {}
            Ok(false) => break,
            Err(LogError::Corrupt(corrupt)) => {
                walk.damage = Some(corrupt);
                break;
            }
            Err(error) => return Err(error),
        }
        let Some((offset, event)) = reader.current() else {
            break;
        };
        let fed = tracker.feed(&event, reader.checksum());
        if let Some(begun) = tracker.begun() {
            walk.last_commit_timestamp = begun.commit_timestamps.map(|at| at.immediate);
        }
        match fed {
            Ok(Boundary::End { gtid }) => {
                if let Some(gtid) = gtid.mysql() {
                    walk.executed.add(gtid);
                }
            }
            Ok(_) => {}
            Err(damage) => {
                walk.damage = Some(Box::new(Corrupt {
                    inner: None,
                    gtid: None,
                    at: LogPosition::new(file.clone(), offset),
                    event: Some(event.header.event_type),
                    damage: damage.into(),
                }));
                break;
            }
        }
        if tracker.is_between_units() {
            walk.good = reader.next_offset();
        }
    }
    Ok(walk)
}

/// Cuts what stands behind the last whole transaction, if that may be done.
fn cut(
    storage: &dyn Storage,
    options: &RecoverOptions,
    file: &LogFileName,
    walk: &Walk,
) -> Result<Option<TornTail>, LogError> {
    if walk.good >= walk.len {
        return Ok(None);
    }
    let fail = |error| LogError::io("cutting the torn tail of", file.as_str(), error);
    let handle = storage.open(file.as_str()).map_err(fail)?;
    let mut reason = String::new();
    if let Some(corrupt) = &walk.damage {
        reason = corrupt.damage.to_string();
        let is_refusable = options.flavour == LogFlavour::Binary && !options.force_truncate;
        if is_refusable
            && let Some(next) = first_transaction_after(
                handle.as_ref(),
                file,
                corrupt.at.offset,
                walk.last_commit_timestamp,
            )?
        {
            let damage = Damage::OutOfOrder(reason);
            return Err(LogError::corrupt(
                file,
                corrupt.at.offset,
                corrupt.event,
                Damage::NotATornTail {
                    damage: Box::new(damage),
                    next_transaction: next,
                },
            ));
        }
    }
    let mut saved_as = format!("{file}.torn-{}", walk.good);
    let bytes = walk.len.saturating_sub(walk.good);
    match save_tail(storage, handle.as_ref(), walk.good, &saved_as) {
        // The tail was never acknowledged; a node that cannot start would be worse.
        Err(error) if is_no_space(&error) => {
            let _ = storage.remove(&saved_as);
            saved_as.clear();
        }
        saved => saved.map_err(fail)?,
    }
    handle.truncate(walk.good).map_err(fail)?;
    Ok(Some(TornTail {
        at: LogPosition::new(file.clone(), walk.good),
        bytes,
        reason,
        saved_as,
    }))
}

/// Copies the bytes from `from` on to the file `name`, durably.
fn save_tail(
    storage: &dyn Storage,
    file: &dyn super::storage::StorageFile,
    from: u64,
    name: &str,
) -> std::io::Result<()> {
    // An earlier attempt that was interrupted may have left a part of the copy.
    replace_file(storage, name, &[])?;
    let copy = storage.open(name)?;
    let mut buffer = vec![0; 64 << 10];
    let mut done = 0_u64;
    loop {
        let read = read_full_at(file, from.saturating_add(done), &mut buffer)?;
        if read == 0 {
            break;
        }
        write_all_at(copy.as_ref(), done, buffer.get(..read).unwrap_or_default())?;
        done = done.saturating_add(read as u64);
    }
    copy.sync()
}

/// Clears the in-use flag and makes the file as it is now durable. After a killed process its tail
/// may be in the page cache only, and the engine is about to build on it.
fn finish(storage: &dyn Storage, file: &LogFileName, walk: &Walk) -> Result<(), LogError> {
    let fail = |error| LogError::io("closing", file.as_str(), error);
    let handle = storage.open(file.as_str()).map_err(fail)?;
    if walk.head.in_use {
        let flags = walk.head.flags & !super::head::IN_USE;
        write_all_at(handle.as_ref(), FLAGS_OFFSET, &[flags]).map_err(fail)?;
    }
    handle.sync().map_err(fail)?;
    storage.sync_dir().map_err(fail)
}

/// Removes files that a rotation created and did not come to list. A file that is newer than the
/// index but holds events is refused: somebody lost the index.
fn remove_unborn(
    storage: &dyn Storage,
    options: &RecoverOptions,
    index: &LogIndex,
) -> Result<Vec<LogFileName>, LogError> {
    let list = |error| LogError::io("listing the directory of", &options.index, error);
    let mut removed = Vec::new();
    let files = storage.list().map_err(list)?;
    for file in files.iter().filter_map(|name| LogFileName::parse(name)) {
        let is_newer = index.last().is_none_or(|last| file > *last);
        if file.base() != options.base || index.contains(&file) || !is_newer {
            continue;
        }
        if holds_transactions(storage, &file)? {
            let index_name = options.index.clone();
            return Err(if index.first().is_none() {
                LogError::MissingIndex {
                    index: index_name,
                    file,
                }
            } else {
                LogError::UnlistedFile {
                    index: index_name,
                    file,
                }
            });
        }
        storage
            .remove(file.as_str())
            .and_then(|()| storage.sync_dir())
            .map_err(|error| LogError::io("removing", file.as_str(), error))?;
        removed.push(file);
    }
    Ok(removed)
}

fn holds_transactions(storage: &dyn Storage, file: &LogFileName) -> Result<bool, LogError> {
    match LogHead::read(storage, file) {
        Ok(head) => {
            let reader = LogReader::open(storage, file)?;
            Ok(reader.len()? > head.first_event)
        }
        Err(LogError::Corrupt(_)) => {
            let fail = |error| LogError::io("opening", file.as_str(), error);
            let handle = storage.open_read(file.as_str()).map_err(fail)?;
            Ok(first_transaction_after(handle.as_ref(), file, 0, None)?.is_some())
        }
        Err(error) => Err(error),
    }
}
