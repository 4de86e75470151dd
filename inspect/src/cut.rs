//! A part of a log as a log file of its own.
//!
//! What is cut out is whole transactions, whichever way they are asked for; rows and statements of
//! other tables and databases can be left out inside them. The file that comes out is plain and has
//! the head of its source: the format description, and PREVIOUS_GTIDS or MariaDB's GTID_LIST grown by
//! the transactions that were passed over in front of the first one kept. Positions, transaction
//! lengths and checksums are those of the new file. It ends behind its last transaction, without a
//! ROTATE or STOP.
//!
//! Inside transactions that lose something:
//!
//! - compressed payloads are written as the plain events that are left of them;
//! - the end of a statement is marked on its last row event that is left;
//! - a transaction that loses everything stays as an empty one under its GTID, so that a replica
//!   does not miss it, or goes (an option); without a GTID it always goes. XA transactions stay.
//!
//! Memory is bounded: a transaction whose length must be known before it can be written waits in a
//! scratch file if it is large.

mod body;
mod empty;
mod head;
mod output;

use codec::DecodeError;

use gtid::GtidSet;

use crate::filter::{Filter, FilterRun, Verdict, is_control};
use binlog::event::{Event, EventFormat, EventType, GtidEvent, RawEvent};
use binlog::log::{LogError, LogFileName, Storage};
use binlog::row::RowsFlags;
use binlog::stream::{EventSource, Place};
use binlog::transaction::{
    Step, TransactionGtid, TransactionInfo, TransactionKind, TransactionReader,
};

use body::Body;
use head::Head;
use output::Output;

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CutSummary {
    /// Transactions that were kept, empty ones included.
    pub transactions: u64,
    /// Those of them that lost all their changes.
    pub emptied: u64,
    /// Transactions that were left out.
    pub left_out: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Why nothing can be cut.
#[derive(Debug)]
#[non_exhaustive]
pub enum CutError {
    /// The source cannot be read or the file cannot be written.
    Log(LogError),
    /// There is a file of that name already.
    Exists {
        /// The name.
        file: String,
    },
    /// The source's files are laid out in different ways.
    Layout {
        /// The file that differs from those in front of it.
        file: LogFileName,
        /// In what it differs, as the end of a sentence.
        what: &'static str,
    },
    /// Nothing that was asked for is there.
    Nothing,
    /// Rows of the source come in pieces (MariaDB's PARTIAL_ROW_DATA), so that tables cannot be told
    /// apart.
    Pieces {
        /// Where the first piece is.
        offset: u64,
    },
    /// A transaction of the source lacks its end.
    Unfinished {
        /// The file it begins in.
        file: LogFileName,
        /// Where it begins.
        offset: u64,
    },
}

impl From<LogError> for CutError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl std::fmt::Display for CutError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Exists { file } => write!(f, "{file} exists already and is not overwritten"),
            Self::Layout { file, what } => write!(
                f,
                "{file} {what}; cut the files in front of it and the files from it on separately"
            ),
            Self::Nothing => f.write_str("no transaction is asked for; nothing was written"),
            Self::Pieces { offset } => write!(
                f,
                "the rows at offset {offset} come in pieces (PARTIAL_ROW_DATA), out of which no \
                 table or database can be cut; cut whole transactions"
            ),
            Self::Unfinished { file, offset } => write!(
                f,
                "the transaction at offset {offset} of {file} has no end, so it was left out"
            ),
        }
    }
}

impl std::error::Error for CutError {}

/// Says what is kept.
pub trait Chooser {
    /// What becomes of an event.
    fn judge(&mut self, step: &Step<'_>) -> Verdict;

    /// Whether the transaction of the last event that was judged is kept.
    fn is_transaction_chosen(&self) -> bool;

    /// Whether nothing behind that event is to be read at all.
    fn is_at_end(&self) -> bool {
        false
    }
}

impl Chooser for FilterRun<'_> {
    fn judge(&mut self, step: &Step<'_>) -> Verdict {
        FilterRun::judge(self, step)
    }

    fn is_transaction_chosen(&self) -> bool {
        FilterRun::is_transaction_chosen(self)
    }
}

/// Writes one file out of any number.
pub struct Cutter<'s> {
    storage: &'s dyn Storage,
    name: String,
    chooses_rows: bool,
    drops_empty: bool,
    head: Head,
    output: Option<Output>,
    body: Body<'s>,
    summary: CutSummary,
    /// Whether the file is there under its temporary name.
    is_created: bool,
    /// What every sequence number of the current file is raised by, since files count from 1.
    sequence_base: u64,
    /// The largest sequence number that was written.
    sequence_last: u64,
}

/// What becomes of the transaction that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Undecided,
    /// Its events go straight into the file.
    Copied,
    /// Its events are collected, since its length must be known first.
    Collected,
    LeftOut,
}

impl<'s> Cutter<'s> {
    /// Cuts into the file `name` of `storage`, which is created when everything is written.
    /// `drops_empty`: transactions that lose all their changes go.
    ///
    /// # Errors
    /// If the file exists.
    pub fn new(
        storage: &'s dyn Storage,
        name: &str,
        filter: &Filter,
        drops_empty: bool,
    ) -> Result<Self, CutError> {
        if storage.open_read(name).is_ok() {
            return Err(CutError::Exists {
                file: name.to_owned(),
            });
        }
        Ok(Self {
            storage,
            name: name.to_owned(),
            chooses_rows: filter.chooses_rows(),
            drops_empty,
            head: Head::default(),
            output: None,
            body: Body::new(storage, &format!("{name}.scratch")),
            summary: CutSummary::default(),
            is_created: false,
            sequence_base: 0,
            sequence_last: 0,
        })
    }

    /// The head names these transactions as those of earlier files, whatever the source's head says.
    pub fn follows(&mut self, previous: GtidSet) {
        self.head.follows(previous);
    }

    /// Takes what is asked for out of one file. False: nothing behind it is asked for.
    /// `on_progress` is told how far the file was read.
    ///
    /// # Errors
    /// Those of reading and writing; nothing is kept of the file then.
    pub fn take_file<S: EventSource>(
        &mut self,
        reader: &mut TransactionReader<S>,
        run: &mut impl Chooser,
        mut on_progress: impl FnMut(u64),
    ) -> Result<bool, CutError> {
        self.sequence_base = self.sequence_last;
        let mut fate = Fate::Undecided;
        let file = reader.stream().source().name().clone();
        while let Some(step) = reader.next()? {
            on_progress(step.place.end);
            let verdict = run.judge(&step);
            let Some(info) = step.transaction else {
                if verdict == Verdict::Stop {
                    return Ok(false);
                }
                self.head.learn(&step, &file)?;
                continue;
            };
            if verdict == Verdict::Stop {
                return Ok(false);
            }
            if info.start == step.place {
                fate = Fate::Undecided;
            }
            if fate == Fate::Undecided {
                fate = self.decide(&step, run)?;
            }
            let place = step.place;
            let is_payload = step.raw.header.event_type == EventType::TRANSACTION_PAYLOAD;
            if is_payload && fate != Fate::Collected {
                let info = info.clone();
                self.pass_payload(reader, place, &info, fate)?;
                fate = Fate::Undecided;
                if run.is_at_end() {
                    return Ok(false);
                }
                continue;
            }
            match fate {
                Fate::Copied => self.copy(&step)?,
                Fate::Collected => self.collect(&step, info, verdict)?,
                Fate::LeftOut | Fate::Undecided => {}
            }
            if info.is_complete {
                self.end_transaction(info, fate, step.format)?;
                fate = Fate::Undecided;
                if run.is_at_end() {
                    return Ok(false);
                }
            }
        }
        match reader.transaction().filter(|info| !info.is_complete) {
            Some(info) if fate == Fate::Copied || fate == Fate::Collected => {
                let offset = info.start.offset;
                self.forget_transaction()?;
                Err(CutError::Unfinished { file, offset })
            }
            _ => Ok(true),
        }
    }

    /// What becomes of the transaction whose first event is `step`.
    fn decide(&mut self, step: &Step<'_>, run: &impl Chooser) -> Result<Fate, CutError> {
        if !run.is_transaction_chosen() {
            return Ok(Fate::LeftOut);
        }
        if self.output.is_none() {
            self.output = Some(self.head.write(self.storage, &self.name)?);
            self.is_created = true;
        }
        let Some(output) = &mut self.output else {
            return Ok(Fate::LeftOut);
        };
        output.begin_transaction();
        if self.chooses_rows || step.format.checksum != output.checksum() {
            self.body.clear()?;
            return Ok(Fate::Collected);
        }
        Ok(Fate::Copied)
    }

    /// Writes an event as it is, at its new place.
    fn copy(&mut self, step: &Step<'_>) -> Result<(), CutError> {
        let base = self.sequence_base;
        let Some(output) = &mut self.output else {
            return Ok(());
        };
        if let Event::Gtid(gtid) = &step.event {
            let mut moved = gtid.clone();
            if let Some(clock) = &mut moved.logical_clock {
                raise(clock, base, &mut self.sequence_last);
            }
            if moved != *gtid {
                let rest = gtid
                    .transaction_length
                    .map(|length| length.saturating_sub(u64::from(step.raw.header.event_size)));
                let bytes = gtid_bytes(&step.raw, step.format, &mut moved, rest);
                return Ok(output.append(&bytes)?);
            }
        }
        let trailer = step.raw.trailer_len(step.format);
        let len = step.raw.bytes.len().saturating_sub(trailer);
        let bytes = step.raw.bytes.get(..len).unwrap_or_default();
        Ok(output.append(bytes)?)
    }

    /// Copies or passes over a payload event and what is in it, which ends its transaction.
    fn pass_payload<S: EventSource>(
        &mut self,
        reader: &mut TransactionReader<S>,
        place: Place,
        info: &TransactionInfo,
        fate: Fate,
    ) -> Result<(), CutError> {
        let format = reader.stream().source().format();
        if fate == Fate::Copied
            && let Some(output) = &mut self.output
        {
            let trailer = format.checksum.trailer_len() as u64;
            let len = place
                .end
                .saturating_sub(place.offset)
                .saturating_sub(trailer);
            output.append_pieces(reader.source_mut(), len)?;
        }
        reader.restart();
        let mut info = info.clone();
        info.is_complete = true;
        self.end_transaction(&info, fate, format)
    }

    fn end_transaction(
        &mut self,
        info: &TransactionInfo,
        fate: Fate,
        format: EventFormat,
    ) -> Result<(), CutError> {
        match fate {
            Fate::Copied => self.summary.transactions += 1,
            Fate::Collected => self.flush(info, format)?,
            Fate::LeftOut | Fate::Undecided => {
                self.summary.left_out += 1;
                if self.output.is_none() {
                    self.head.pass_over(&info.gtid);
                }
            }
        }
        Ok(())
    }

    fn forget_transaction(&mut self) -> Result<(), CutError> {
        if let Some(output) = &mut self.output {
            output.rewind_transaction()?;
        }
        self.body.clear()?;
        Ok(())
    }

    /// Adds an event to the transaction that is collected.
    fn collect(
        &mut self,
        step: &Step<'_>,
        info: &TransactionInfo,
        verdict: Verdict,
    ) -> Result<(), CutError> {
        let trailer = step.raw.trailer_len(step.format);
        let len = step.raw.bytes.len().saturating_sub(trailer);
        let bytes = step.raw.bytes.get(..len).unwrap_or_default();
        match &step.event {
            Event::TransactionPayload(_) => {}
            Event::PartialRowData(_) if self.chooses_rows => {
                return Err(CutError::Pieces {
                    offset: step.place.offset,
                });
            }
            Event::Gtid(_) | Event::MariadbGtid(_) => self.body.set_gtid(bytes),
            Event::Query(query) if is_control(&query.sql) => self.body.push_frame(bytes)?,
            Event::Xid(_) | Event::XaPrepare(_) => self.body.push_frame(bytes)?,
            Event::Rows(rows) => {
                let ends = rows.flags.contains(RowsFlags::STATEMENT_END);
                let is_kept = verdict == Verdict::Show && step.table.is_some();
                // The flags follow the table id, right behind the header.
                let flags_at =
                    step.raw.header_len(step.format) + usize::from(step.format.table_id_len);
                self.body.push_rows(bytes, flags_at, is_kept, ends)?;
            }
            // What only prepares a statement goes with it.
            Event::TableMap(_) if verdict != Verdict::Show => {}
            Event::TableMap(_)
            | Event::RowsQuery(_)
            | Event::AnnotateRows(_)
            | Event::IntVar(_)
            | Event::Rand(_)
            | Event::UserVar(_)
            | Event::BeginLoadQuery(_)
            | Event::AppendBlock(_)
            | Event::DeleteFile(_)
            | Event::Ignorable(_)
            | Event::Other { .. } => self.body.push_preparation(bytes)?,
            _ => self.body.push_statement(bytes, verdict == Verdict::Show)?,
        }
        if info.is_complete {
            self.body.end_statement()?;
        }
        Ok(())
    }

    /// Writes the transaction that was collected.
    fn flush(&mut self, info: &TransactionInfo, format: EventFormat) -> Result<(), CutError> {
        let is_xa = matches!(
            info.kind,
            TransactionKind::XaPrepare
                | TransactionKind::XaOnePhase
                | TransactionKind::XaCommit
                | TransactionKind::XaRollback
        );
        let is_emptied = self.body.statements() == 0 && !is_xa && self.chooses_rows;
        if is_emptied && (self.drops_empty || info.gtid == TransactionGtid::None) {
            self.summary.left_out += 1;
            return self.forget_transaction();
        }
        let base = self.sequence_base;
        let Some(output) = &mut self.output else {
            return Ok(());
        };
        let gtid = self.body.take_gtid();
        if is_emptied {
            self.body.clear()?;
            let begins = format.flavour == binlog::event::Flavour::MySql;
            for bytes in empty::frame(info, format, begins) {
                self.body.push_frame(&bytes)?;
            }
            self.summary.emptied += 1;
        }
        if let Some(gtid) = gtid {
            let rest = self.body.framed_len(output.checksum());
            let rewritten = rewrite_gtid(&gtid, format, is_emptied, |event| {
                if let Some(clock) = &mut event.logical_clock {
                    raise(clock, base, &mut self.sequence_last);
                }
                event
                    .transaction_length
                    .is_some()
                    .then_some((rest, output.checksum()))
            });
            let bytes = rewritten.map_err(|error| {
                LogError::corrupt(
                    &LogFileName::new(&self.name, 0),
                    info.start.offset,
                    Some(EventType::GTID),
                    binlog::log::Damage::Undecodable(error),
                )
            })?;
            output.append(&bytes)?;
        }
        self.body.write_to(output)?;
        self.summary.transactions += 1;
        self.body.clear()?;
        Ok(())
    }

    /// Makes the file durable under its name.
    ///
    /// # Errors
    /// If it cannot be written, if there is one of that name by now, or if no transaction was kept.
    pub fn finish(mut self) -> Result<CutSummary, CutError> {
        let Some(output) = self.output.take() else {
            return Err(CutError::Nothing);
        };
        if self.summary.transactions == 0 {
            drop(output);
            return Err(CutError::Nothing);
        }
        self.summary.bytes = output.finish(self.storage, &self.name)?;
        self.is_created = false;
        Ok(self.summary)
    }
}

impl Drop for Cutter<'_> {
    fn drop(&mut self) {
        // One of that name that was there before belongs to somebody else.
        if !self.is_created {
            return;
        }
        // What is left behind is harmless; the error that matters was told.
        let _ = self.storage.remove(&output::temporary(&self.name));
    }
}

/// Numbers of a later file go on where the one before ended. Nothing of it depends on less than all
/// of that: a new file is a barrier.
fn raise(clock: &mut binlog::event::LogicalClock, base: u64, last: &mut u64) {
    clock.sequence_number = clock.sequence_number.saturating_add(base);
    clock.last_committed = clock.last_committed.saturating_add(base);
    *last = clock.sequence_number.max(*last);
}

/// The event without its checksum, with another body. `rest`: bytes of the events behind it, if it
/// tells the transaction's length.
fn gtid_bytes(
    raw: &RawEvent<'_>,
    format: EventFormat,
    event: &mut GtidEvent,
    rest: Option<u64>,
) -> Vec<u8> {
    let trailer = format.checksum.trailer_len() as u64;
    let plain = format.with_checksum(binlog::event::ChecksumAlgorithm::None);
    let mut bytes = Vec::new();
    // The length counts the event that tells it, whose own length depends on it.
    for _ in 0..4 {
        bytes.clear();
        raw.reframe(&mut bytes, plain, |out| event.encode(out));
        let Some(rest) = rest else { break };
        let length = (bytes.len() as u64)
            .saturating_add(trailer)
            .saturating_add(rest);
        if event.transaction_length.replace(length) == Some(length) {
            break;
        }
    }
    bytes
}

/// The GTID event `bytes` (without checksum) for the transaction it is left with. `change` gives the
/// bytes behind it and the checksum of the file if the length is to be told.
fn rewrite_gtid(
    bytes: &[u8],
    format: EventFormat,
    is_emptied: bool,
    change: impl FnOnce(&mut GtidEvent) -> Option<(u64, binlog::event::ChecksumAlgorithm)>,
) -> Result<Vec<u8>, DecodeError> {
    let plain = format.with_checksum(binlog::event::ChecksumAlgorithm::None);
    let raw = RawEvent {
        header: binlog::event::EventHeader::decode(bytes)?,
        bytes,
    };
    match Event::decode(&raw, plain)? {
        Event::Gtid(mut event) => {
            let told = change(&mut event);
            let checksum = told.map_or(plain.checksum, |(_, checksum)| checksum);
            let rest = told.map(|(rest, _)| rest);
            Ok(gtid_bytes(
                &raw,
                plain.with_checksum(checksum),
                &mut event,
                rest,
            ))
        }
        Event::MariadbGtid(mut event) if is_emptied => {
            empty::strip(&mut event);
            let mut out = Vec::new();
            raw.reframe(&mut out, plain, |out| event.encode(out));
            Ok(out)
        }
        _ => Ok(bytes.to_vec()),
    }
}
