//! Recovery's second half: the engine is brought from its own position to the end of the log.
//!
//! The engine's position is committed with its rows, so the rows are those of the log up to there;
//! what follows is applied again, each row against its before image. Anything that does not fit is
//! a sign that log and engine do not belong together, and nothing is guessed then.

mod apply;

use std::sync::Arc;

use binlog::event::{Event, EventType, RawEvent};
use binlog::log::{FIRST_EVENT, LogFileName, LogIndex, LogPosition, LogReader, Recovered, Storage};
use binlog::transaction::{Boundary, TransactionTracker};
use engine::database::EnginePosition;
use engine::execute::Writer;
use gtid::GtidSet;

use crate::error::PrimaryError;
use apply::Applier;

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
        applier: Applier::default(),
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
        applier: Applier::default(),
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
            Some(EventType::ROTATE | EventType::STOP) => Ok(()),
            Some(event_type) if event_type.is_gtid() => Ok(()),
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
    applier: Applier,
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
        let mut reader = LogReader::open(storage.as_ref(), file)?;
        reader.seek(offset);
        let mut tracker = TransactionTracker::default();
        let mut began = LogPosition::new(file.clone(), offset);
        let mut gtid = String::from("ANONYMOUS");
        let mut committed = offset;
        while reader.advance(None)? {
            let Some((at, event)) = reader.current() else {
                break;
            };
            if event.header.event_type.is_gtid() {
                began.offset = at;
                gtid = gtid_text(&event, &reader);
            }
            let fail = |reason: String| PrimaryError::RollForward {
                at: began.clone(),
                transaction: gtid.clone(),
                reason,
            };
            let boundary = tracker.feed(&event, reader.checksum());
            let boundary = boundary.map_err(|error| fail(error.to_string()))?;
            if !self.writer.is_in_group() {
                self.writer.begin_group()?;
            }
            if event.header.event_type == EventType::PREVIOUS_GTIDS {
                let (event, end) = (
                    Event::decode(&event, reader.checksum()),
                    reader.next_offset(),
                );
                self.begin_behind(event, file, end);
                continue;
            }
            self.applier
                .event(
                    self.writer,
                    &event,
                    reader.checksum(),
                    &reader.description().server_version,
                )
                .map_err(|reason| fail(format!("event at offset {at}: {reason}")))?;
            if let Boundary::End { gtid } = boundary {
                if let Some(gtid) = gtid {
                    self.executed.add(gtid);
                }
                self.transactions += 1;
                self.stand_at(file, reader.next_offset());
                if reader.next_offset().saturating_sub(committed) > BATCH_BYTES {
                    committed = reader.next_offset();
                    self.commit()?;
                }
            }
        }
        Ok(())
    }

    /// A crash in the middle of SET GLOBAL gtid_purged leaves a log without a transaction and a file
    /// behind it that begins behind the set; the engine then follows.
    fn begin_behind(
        &mut self,
        event: Result<Event<'_>, codec::DecodeError>,
        file: &LogFileName,
        end: u64,
    ) {
        let Ok(Event::PreviousGtids(previous)) = event else {
            return;
        };
        let is_empty = self.transactions == 0 && self.purged.as_ref() == Some(&self.executed);
        if is_empty
            && self.executed.is_subset_of(&previous.gtids)
            && self.executed != previous.gtids
        {
            self.executed = previous.gtids;
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

fn gtid_text(event: &RawEvent<'_>, reader: &LogReader) -> String {
    match Event::decode(event, reader.checksum()) {
        Ok(Event::Gtid(event)) => match event.gtid {
            Some(gtid) => gtid.to_string(),
            None => "ANONYMOUS".to_owned(),
        },
        _ => "ANONYMOUS".to_owned(),
    }
}
