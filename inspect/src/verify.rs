//! Judging files: what is wrong with each, and whether they follow each other.
//!
//! Everything that is wrong is told, as far as the file can be read: an event that cannot be decoded
//! does not hide what stands behind it, only damage to the framing ends a file. Errors are what a
//! replica would stop at or lose by; warnings are what a person should know. Memory is bounded: of a
//! file no more than [`FileCheck::FINDINGS_MAX`] findings are kept, the rest is counted.

mod clock;
mod gtids;
mod history;

use crate::stats::{Stats, StopPlace};
use binlog::event::{ChecksumAlgorithm, Event, EventFlags, EventType, FormatDescription};
use binlog::limits::Limits;
use binlog::log::{Damage, LogError};
use binlog::row::{RowPair, RowsEvent, Table};
use binlog::transaction::{Boundary, Step};
use binlog::value::Value;

use clock::Clock;
use gtids::GtidOrder;
pub use history::History;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; the file is valid.
    Warning,
    /// The file is damaged, or transactions are missing.
    Error,
}

/// What kind of thing is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// Sizes, or the end of the file.
    Structure,
    /// A checksum does not match.
    Checksum,
    /// The fields of an event.
    Fields,
    /// The rows of an event.
    Rows,
    /// An event stands where it may not.
    Order,
    /// An event says another position than its own.
    Position,
    /// A transaction says another length than its own.
    Length,
    /// Identifiers are doubled or missing.
    Gtids,
    /// Dependencies between transactions make no sense.
    LogicalClock,
    /// Time runs backwards.
    Time,
    /// Files do not follow each other.
    Chain,
}

impl FindingKind {
    /// One word for machines.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Structure => "structure",
            Self::Checksum => "checksum",
            Self::Fields => "fields",
            Self::Rows => "rows",
            Self::Order => "order",
            Self::Position => "position",
            Self::Length => "length",
            Self::Gtids => "gtids",
            Self::LogicalClock => "logical_clock",
            Self::Time => "time",
            Self::Chain => "chain",
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Of what kind it is.
    pub kind: FindingKind,
    /// The event's first byte; of an inner event, of the payload event around it.
    pub offset: u64,
    /// Offset inside the payload.
    pub inner: Option<u64>,
    /// The event's type, if the finding is about one.
    pub event: Option<EventType>,
    /// The transaction it belongs to.
    pub gtid: Option<String>,
    /// What is wrong, as a sentence.
    pub message: String,
}

/// Goes through one file.
#[derive(Debug)]
pub struct FileCheck {
    limits: Limits,
    /// What the file holds.
    pub stats: Stats,
    /// What is wrong, in the order of the file.
    pub findings: Vec<Finding>,
    /// How many errors there are, those that were not kept included.
    pub errors: u64,
    /// How many warnings there are.
    pub warnings: u64,
    /// A relay log: its events say where they stand in the source's log, not here.
    is_relay_log: bool,
    is_checksummed: bool,
    clock: Clock,
    gtids: GtidOrder,
    /// Where the file cannot be read any further.
    broken_off: Option<u64>,
    last_error: Option<(u64, Option<u64>)>,
    /// The file that the last event names.
    next_file: Option<String>,
}

impl FileCheck {
    /// How many findings of a file are kept.
    pub const FINDINGS_MAX: usize = 1000;

    /// Begins in front of a file; `description` is its first event, if it could be read.
    #[must_use]
    pub fn new(description: Option<&FormatDescription>, limits: Limits) -> Self {
        Self {
            limits,
            stats: Stats::default(),
            findings: Vec::new(),
            errors: 0,
            warnings: 0,
            is_relay_log: false,
            is_checksummed: description
                .is_some_and(|head| head.checksum == ChecksumAlgorithm::Crc32),
            clock: Clock::default(),
            gtids: GtidOrder::default(),
            broken_off: None,
            last_error: None,
            next_file: None,
        }
    }

    /// Whether events carry checksums.
    #[must_use]
    pub const fn is_checksummed(&self) -> bool {
        self.is_checksummed
    }

    /// Whether the file is a relay log.
    #[must_use]
    pub const fn is_relay_log(&self) -> bool {
        self.is_relay_log
    }

    /// Checks the next event.
    pub fn feed(&mut self, step: &Step<'_>) {
        self.last_error = None;
        if step.raw.header.event_type == EventType::FORMAT_DESCRIPTION
            && step.raw.header.flags.contains(EventFlags::RELAY_LOG)
        {
            self.is_relay_log = true;
        }
        if !step.checksum_ok {
            self.tell(
                step,
                Severity::Error,
                FindingKind::Checksum,
                Damage::BadChecksum.to_string(),
            );
        }
        if let Some(error) = &step.order_error {
            let message = error.to_string();
            self.tell(step, Severity::Error, FindingKind::Order, message);
        }
        if matches!(step.event, Event::PartialRowData(_)) {
            let message = "these rows come in pieces and are not decoded".to_owned();
            self.tell(step, Severity::Warning, FindingKind::Rows, message);
        }
        let rows = self.check_rows(step);
        self.stats.feed_counted(step, rows);
        self.check_position(step);
        self.check_length(step);
        if let Some((severity, kind, message)) = self.clock.feed(step, self.is_relay_log) {
            self.tell(step, severity, kind, message);
        }
        if let Some((severity, message)) = self.gtids.feed(step, self.is_relay_log) {
            self.tell(step, severity, FindingKind::Gtids, message);
        }
        self.next_file = None;
        if let Event::Rotate(rotate) = &step.event {
            self.next_file = Some(rotate.file.clone().into_owned());
        }
    }

    /// Takes an error of the reader. False: the file cannot be read any further.
    pub fn feed_error(&mut self, error: &LogError) -> bool {
        let LogError::Corrupt(corrupt) = error else {
            let place = StopPlace::of(error, self.stats.end);
            self.tell_at(
                place.offset,
                Severity::Error,
                FindingKind::Structure,
                place.message,
            );
            self.broken_off = Some(self.stats.end);
            return false;
        };
        let place = (corrupt.at.offset, corrupt.inner);
        let kind = match &corrupt.damage {
            Damage::Undecodable(_) => FindingKind::Fields,
            Damage::OutOfOrder(_) => FindingKind::Order,
            Damage::BadChecksum => FindingKind::Checksum,
            Damage::BadPosition { .. } => FindingKind::Position,
            _ => FindingKind::Structure,
        };
        let is_repeated = self.last_error.replace(place) == Some(place);
        if !is_repeated {
            self.push(Finding {
                severity: Severity::Error,
                kind,
                offset: corrupt.at.offset,
                inner: corrupt.inner,
                event: corrupt.event,
                gtid: corrupt.gtid.clone(),
                message: corrupt.damage.to_string(),
            });
        }
        let goes_on = !is_repeated
            && !matches!(
                corrupt.damage,
                Damage::Truncated { .. }
                    | Damage::BadSize { .. }
                    | Damage::BadMagic { .. }
                    | Damage::NoFormatDescription
            );
        if !goes_on {
            self.broken_off = Some(corrupt.at.offset);
        }
        goes_on
    }

    /// Ends the file and judges how it ends and how it stands in `history`. `is_last`: no later
    /// file is known, so it may still be written.
    pub fn finish(&mut self, history: &mut History, is_last: bool) {
        self.stats.finish();
        self.judge_end(is_last);
        if let Some((count, seconds, offset)) = self.clock.backwards() {
            let message = format!(
                "{count} transactions were committed earlier than one in front of them, \
                 by up to {seconds} s"
            );
            self.tell_at(offset, Severity::Warning, FindingKind::Time, message);
        }
        if !self.is_relay_log {
            for message in self.gtids.gaps(&self.stats) {
                self.tell_at(0, Severity::Warning, FindingKind::Gtids, message);
            }
        }
        for (severity, kind, message) in history.file_ended(&self.ending(), &self.stats) {
            self.tell_at(0, severity, kind, message);
        }
    }

    fn ending(&self) -> history::Ending<'_> {
        history::Ending {
            next_file: self.next_file.as_deref(),
            is_whole: self.broken_off.is_none() && !self.stats.ends_inside_transaction,
        }
    }

    fn judge_end(&mut self, is_last: bool) {
        let may_grow = is_last && self.stats.is_in_use;
        if let Some(offset) = self.broken_off {
            // The server may be writing the last event of its newest file just now.
            let is_cut = self
                .findings
                .last()
                .is_some_and(|finding| finding.offset == offset && is_truncation(finding));
            if may_grow
                && is_cut
                && let Some(last) = self.findings.last_mut()
            {
                last.severity = Severity::Warning;
                last.message
                    .push_str("; the file is in use, so its end may still be written");
                self.errors -= 1;
                self.warnings += 1;
            }
            return;
        }
        let end = self.stats.end;
        if self.stats.ends_inside_transaction && !may_grow {
            self.tell_at(
                end,
                Severity::Error,
                FindingKind::Structure,
                "the file ends inside a transaction".to_owned(),
            );
        }
        if !self.stats.is_closed && !is_last {
            self.tell_at(
                end,
                Severity::Warning,
                FindingKind::Structure,
                "the file is not closed: its server died, or it was cut".to_owned(),
            );
        }
    }

    fn check_position(&mut self, step: &Step<'_>) {
        let header = &step.raw.header;
        let announced = header.end_log_pos;
        let says_nothing = announced == 0
            || self.is_relay_log
            || header.flags.contains(EventFlags::ARTIFICIAL)
            || step.format.binlog_version < 4;
        if says_nothing {
            return;
        }
        let real = step.place.inner.map_or(step.place.end & 0xffff_ffff, |_| 0);
        if u64::from(announced) != real {
            let damage = Damage::BadPosition {
                announced: u64::from(announced),
                expected: step.place.end,
            };
            self.tell(
                step,
                Severity::Error,
                FindingKind::Position,
                damage.to_string(),
            );
        }
    }

    fn check_length(&mut self, step: &Step<'_>) {
        let Some(info) = step.transaction.filter(|info| info.is_complete) else {
            return;
        };
        let real = step.place.end.saturating_sub(info.start.offset);
        if let Some(announced) = info.transaction_length
            && announced != real
            && announced != 0
            && !self.is_relay_log
            && matches!(step.boundary, Boundary::End { .. })
        {
            let message = format!("the transaction announces {announced} bytes, but it has {real}");
            self.tell(step, Severity::Error, FindingKind::Length, message);
        }
    }

    /// Decodes every value of a row event; gives the number of rows that could be read.
    fn check_rows(&mut self, step: &Step<'_>) -> Option<u64> {
        let Event::Rows(event) = &step.event else {
            return None;
        };
        let Some(table) = step.table else {
            // The reader says so itself where it must be an error.
            return Some(0);
        };
        let mut rows = 0;
        if let Err(error) = decode_rows(event, table, &self.limits, &mut rows) {
            let place = StopPlace::of_rows(step, &error);
            self.tell(step, Severity::Error, FindingKind::Rows, place.message);
        }
        Some(rows)
    }

    fn tell(&mut self, step: &Step<'_>, severity: Severity, kind: FindingKind, message: String) {
        self.push(Finding {
            severity,
            kind,
            offset: step.place.offset,
            inner: step.place.inner,
            event: Some(step.raw.header.event_type),
            gtid: step.transaction.and_then(|info| info.gtid.text()),
            message,
        });
    }

    fn tell_at(&mut self, offset: u64, severity: Severity, kind: FindingKind, message: String) {
        self.push(Finding {
            severity,
            kind,
            offset,
            inner: None,
            event: None,
            gtid: None,
            message,
        });
    }

    fn push(&mut self, finding: Finding) {
        match finding.severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
        }
        if self.findings.len() < Self::FINDINGS_MAX {
            self.findings.push(finding);
        }
    }
}

fn is_truncation(finding: &Finding) -> bool {
    finding.kind == FindingKind::Structure && finding.severity == Severity::Error
}

fn decode_rows(
    event: &RowsEvent<'_>,
    table: &Table,
    limits: &Limits,
    rows: &mut u64,
) -> Result<(), codec::DecodeError> {
    let mut chunks = event.chunks(&table.plan, limits)?;
    while let Some(mut chunk) = chunks.next_chunk()? {
        let mut pair = RowPair::default();
        while chunk.next_into(&mut pair)? {
            for cell in pair.before.iter().chain(&pair.after).flatten() {
                if let Value::Json(bytes) = cell {
                    binlog::value::json::decode(bytes)?;
                }
            }
            *rows += 1;
        }
    }
    Ok(())
}
