//! Recovery's second half: the engine is brought from its own position to the end of the log.
//!
//! The engine's position is committed with its rows, so the rows are those of the log up to there;
//! what follows is applied again, each row against its before image. Anything that does not fit is
//! a sign that log and engine do not belong together, and nothing is guessed then.

mod apply;

use std::sync::Arc;

use binlog::event::Event;
use binlog::limits::Limits;
use binlog::log::{FIRST_EVENT, LogFileName, LogIndex, LogPosition, LogReader, Recovered, Storage};
use binlog::stream::EventStream;
use binlog::transaction::{Boundary, Step, TransactionReader, follows_a_unit};
use engine::database::EnginePosition;
use engine::execute::Writer;
use gtid::GtidSet;

use crate::error::PrimaryError;

/// Bytes of log that are applied in one engine transaction.
const BATCH_BYTES: u64 = 16 << 20;

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RolledForward {
    /// Transactions applied.
    pub(crate) transactions: u64,
    /// Where the engine stands now.
    pub(crate) position: EnginePosition,
}

/// Applies what the log has behind the engine's position.
pub(crate) fn roll_forward(
    writer: &mut Writer,
    storage: &Arc<dyn Storage>,
    log: &Recovered,
) -> Result<RolledForward, PrimaryError> {
    let position = writer.position()?;
    let start = start(&position, storage, log)?;
    let mut run = Run {
        writer,
        executed: executed(&position)?,
        purged: Some(log.gtid_purged.clone()),
        transactions: 0,
        position,
    };
    if let Some(start) = start {
        let files = log.index.files().iter();
        for file in files.filter(|file| **file >= start.file) {
            let is_first = *file == start.file;
            let offset = if is_first { start.offset } else { FIRST_EVENT };
            run.file(storage, file, offset)?;
        }
    }
    run.finish(log)
}

/// Brings an engine that stands somewhere in a healthy log to its end.
pub(crate) fn catch_up(
    writer: &mut Writer,
    storage: &Arc<dyn Storage>,
    index: &LogIndex,
) -> Result<EnginePosition, PrimaryError> {
    let position = writer.position()?;
    let mut run = Run {
        executed: executed(&position)?,
        purged: None,
        transactions: 0,
        position: position.clone(),
        writer,
    };
    let first = LogFileName::parse(&position.file);
    for file in index.files() {
        match &first {
            Some(first) if file < first => {}
            Some(first) if file == first => run.file(storage, file, position.offset)?,
            _ => run.file(storage, file, FIRST_EVENT)?,
        }
    }
    if run.writer.is_in_group() {
        run.commit()?;
    }
    Ok(run.position)
}

fn executed(position: &EnginePosition) -> Result<GtidSet, PrimaryError> {
    let text = &position.gtid_executed;
    text.parse().map_err(|error| PrimaryError::Diverged {
        engine: describe(position),
        found: format!("its set of executed GTIDs cannot be read: {error}"),
    })
}

/// A position for an operator.
pub(crate) fn describe(position: &EnginePosition) -> String {
    if position.file.is_empty() {
        "the beginning (it is empty)".to_owned()
    } else {
        format!("{}:{}", position.file, position.offset)
    }
}

/// Whether the log holds all that the engine has executed at `position`.
pub(crate) fn reaches(log: &Recovered, position: &EnginePosition) -> bool {
    if position.file.is_empty() {
        return log.gtid_purged.is_empty();
    }
    let place = LogFileName::parse(&position.file)
        .filter(|file| log.index.contains(file))
        .map(|file| LogPosition::new(file, position.offset));
    let is_in_front = match (place, &log.end) {
        (Some(place), Some(end)) => place <= *end,
        _ => false,
    };
    let executed = position.gtid_executed.parse::<GtidSet>();
    is_in_front && executed.is_ok_and(|executed| executed.is_subset_of(&log.gtid_executed))
}

/// Where to begin; `None` if there is no log and the engine is new.
fn start(
    position: &EnginePosition,
    storage: &Arc<dyn Storage>,
    log: &Recovered,
) -> Result<Option<LogPosition>, PrimaryError> {
    let diverged = |found: String| PrimaryError::Diverged {
        engine: describe(position),
        found,
    };
    let (first, end) = match (log.index.first(), &log.end) {
        (Some(first), Some(end)) => (first, end),
        _ if position.file.is_empty() => return Ok(None),
        _ => return Err(diverged("there is no log".to_owned())),
    };
    if position.file.is_empty() {
        if !log.gtid_purged.is_empty() {
            return Err(diverged(format!(
                "the log begins after transactions {}",
                log.gtid_purged
            )));
        }
        return Ok(Some(LogPosition::new(first.clone(), FIRST_EVENT)));
    }
    let file = LogFileName::parse(&position.file)
        .filter(|file| log.index.contains(file))
        .ok_or_else(|| diverged(format!("the log has no file {}", position.file)))?;
    let start = LogPosition::new(file, position.offset);
    if start > *end {
        return Err(diverged(format!("the log ends at {end}")));
    }
    let executed = executed(position)?;
    if !executed.is_subset_of(&log.gtid_executed) {
        let mut missing = executed;
        missing.subtract(&log.gtid_executed);
        return Err(diverged(format!(
            "transactions {missing} are not in the log"
        )));
    }
    check_boundary(storage, &start)?;
    Ok(Some(start))
}

/// Between two transactions stands the end of the file, a GTID, or what ends a file.
fn check_boundary(storage: &Arc<dyn Storage>, start: &LogPosition) -> Result<(), PrimaryError> {
    let diverged = |found: String| PrimaryError::Diverged {
        engine: start.to_string(),
        found,
    };
    let mut reader = LogReader::open(storage.as_ref(), &start.file)?;
    reader.check_positions();
    reader.seek(start.offset);
    match reader.advance(None) {
        Ok(false) => Ok(()),
        Ok(true) => match reader.current().map(|(_, event)| event.header.event_type) {
            Some(event_type) if follows_a_unit(event_type) => Ok(()),
            Some(event_type) => {
                let name = event_type.name();
                Err(diverged(format!(
                    "a {name} event begins there, no transaction"
                )))
            }
            None => Ok(()),
        },
        Err(error) => Err(diverged(format!("no event begins there ({error})"))),
    }
}

struct Run<'w> {
    writer: &'w mut Writer,
    executed: GtidSet,
    /// What the log begins behind, until it is known to hold a transaction.
    purged: Option<GtidSet>,
    transactions: u64,
    /// Where the engine stands once the open group is committed.
    position: EnginePosition,
}

impl Run<'_> {
    fn file(
        &mut self,
        storage: &Arc<dyn Storage>,
        file: &LogFileName,
        offset: u64,
    ) -> Result<(), PrimaryError> {
        let mut log = LogReader::open(storage.as_ref(), file)?;
        log.seek(offset);
        let mut reader = TransactionReader::new(EventStream::new(log, Limits::default()));
        let mut committed = offset;
        while let Some(step) = reader.next()? {
            if !self.writer.is_in_group() {
                self.writer.begin_group()?;
            }
            if let Event::PreviousGtids(previous) = &step.event {
                self.begin_behind(&previous.gtids, file, step.place.end);
                continue;
            }
            apply::event(self.writer, &step).map_err(|failure| failed(&step, failure))?;
            let Boundary::End { gtid } = step.boundary else {
                continue;
            };
            if let Some(gtid) = gtid.mysql() {
                self.executed.add(gtid);
            }
            self.transactions += 1;
            self.stand_at(file, step.place.end);
            if step.place.end.saturating_sub(committed) > BATCH_BYTES {
                committed = step.place.end;
                self.commit()?;
            }
        }
        Ok(())
    }

    /// A crash in the middle of SET GLOBAL gtid_purged leaves a log without a transaction and a file
    /// behind it that begins behind the set; the engine then follows.
    fn begin_behind(&mut self, previous: &GtidSet, file: &LogFileName, end: u64) {
        let is_empty = self.transactions == 0 && self.purged.as_ref() == Some(&self.executed);
        if is_empty && self.executed.is_subset_of(previous) && self.executed != *previous {
            self.executed = previous.clone();
            self.purged = None;
            self.stand_at(file, end);
        }
    }

    fn stand_at(&mut self, file: &LogFileName, offset: u64) {
        self.position.file = file.to_string();
        self.position.offset = offset;
    }

    fn commit(&mut self) -> Result<(), PrimaryError> {
        self.position.gtid_executed = self.executed.to_string();
        self.writer.commit_group(&self.position)?;
        Ok(())
    }

    fn finish(mut self, log: &Recovered) -> Result<RolledForward, PrimaryError> {
        if self.executed != log.gtid_executed {
            return Err(PrimaryError::Diverged {
                engine: describe(&self.position),
                found: format!(
                    "it holds transactions {} after rolling forward and the log says {}",
                    self.executed, log.gtid_executed
                ),
            });
        }
        if self.writer.is_in_group() {
            self.commit()?;
        }
        Ok(RolledForward {
            transactions: self.transactions,
            position: self.position,
        })
    }
}

/// The transaction that `step` belongs to cannot be applied.
fn failed(step: &Step<'_>, failure: apply::Failure) -> PrimaryError {
    let apply::Failure {
        reason,
        is_disk_full,
    } = failure;
    let start = step.transaction.map_or(step.place, |info| info.start);
    let gtid = step.transaction.map(|info| info.gtid).unwrap_or_default();
    PrimaryError::RollForward {
        at: LogPosition::new(step.file.clone(), start.offset),
        transaction: gtid.to_string(),
        reason: format!("event at offset {}: {reason}", step.place.offset),
        is_disk_full,
    }
}
