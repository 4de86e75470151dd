//! The coordinator: turns the events of the relay log into work, one event at a time.
//!
//! It knows where transactions begin and end, which of them are applied already, what the filter
//! takes out, and what cannot be applied. It holds no event: a transaction of any size streams
//! through it, for the relay log is where it waits. Anything it does not know stops it.

use std::sync::Arc;

use binlog::event::{
    ChecksumAlgorithm, Event, EventFlags, EventHeader, EventType, GtidEvent, MariadbGtidEvent,
    MariadbGtidExtra, MariadbGtidFlags, RawEvent, XaName,
};
use binlog::log::{Corrupt, LogCursor, LogError, LogPosition, SourceCoordinates};
use binlog::transaction::{Boundary, Step, TransactionGtid, TransactionInfo};
use config::ReplicationFilter;
use targets::{Ending, UnitHead, Variables};

use super::error::{ApplierError, Place, Reason};
use super::load::LoadFiles;
use super::refusal::{Failed, outside};
use super::row_filter::RowFilters;
use super::schedule::Group;
use super::status::ApplierStatus;
use super::tables::Admissions;
use super::worker::{Committed, Worker};
use super::xa::FirstHalf;
use crate::receiver::commit_micros;

/// Makes work of events.
pub struct Coordinator {
    pub(super) worker: Worker,
    pub(super) filter: Arc<ReplicationFilter>,
    status: Arc<ApplierStatus>,
    pub(super) admissions: Admissions,
    pub(super) row_filters: RowFilters,
    places: Places,
    /// The transaction that ended last: what its commit fails with is likely its own.
    ended: TransactionGtid,
    /// Place in the source's log behind the last event; of one inside a payload, behind the
    /// payload.
    source: Option<SourceCoordinates>,
    pub(super) open: Open,
    /// Whether the next transaction is passed over.
    passes_over_next: bool,
    /// Whether the incident that comes next was passed over before.
    passes_incident: bool,
    /// Whether one was passed over and nobody was told.
    has_passed_over: bool,
}

/// What the files are that events come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// This replica's relay log: events say where in the source's log they end.
    RelayLog,
    /// The source's own files.
    Files,
}

/// What begins with an event.
pub(super) enum Begins<'a> {
    /// A transaction, and where in the source's log, as far as that is known.
    Transaction(&'a TransactionInfo, Option<SourceCoordinates>),
    /// The source's word that its log lacks something, outside all transactions.
    Incident,
}

/// The transaction that is read.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    pub(super) head: UnitHead,
    /// Whether it was applied before and is passed over.
    is_applied: bool,
    /// Whether its GTID says that it holds a statement of DDL and rows: MariaDB's CREATE TABLE ..
    /// SELECT, whose statement is a plain CREATE TABLE.
    pub(super) is_create_select: bool,
    /// Whether it is passed over because an operator said so.
    is_passed_over: bool,
    /// Whether it only announces, or takes back, an ALTER TABLE that MariaDB logs in two phases: the
    /// phase that commits it holds the whole statement.
    is_half_alter: bool,
    /// What its next statement needs.
    pub(super) variables: Variables,
    /// The files of its statements.
    pub(super) files: LoadFiles,
    /// Whether an event of it was seen.
    has_begun: bool,
    /// The first half of an XA transaction, while it is read.
    pub(super) xa: Option<Box<FirstHalf>>,
}

impl Coordinator {
    /// Goes on where `worker` stands.
    #[must_use]
    pub fn new(
        worker: Worker,
        filter: Arc<ReplicationFilter>,
        status: Arc<ApplierStatus>,
        places: Places,
    ) -> Self {
        Self {
            places,
            ended: TransactionGtid::None,
            source: worker.progress().source.clone(),
            worker,
            filter,
            status,
            admissions: Admissions::default(),
            row_filters: RowFilters::default(),
            open: Open::default(),
            passes_over_next: false,
            passes_incident: false,
            has_passed_over: false,
        }
    }

    /// The transaction that `step` begins; `None` if it begins none. An incident outside all
    /// transactions counts as one.
    pub(super) fn begins<'a>(&self, step: &Step<'a>) -> Option<Begins<'a>> {
        if self.open.has_begun {
            return None;
        }
        match (&step.boundary, step.transaction) {
            (Boundary::Inside | Boundary::End { .. }, Some(transaction)) => {
                Some(Begins::Transaction(transaction, self.source_before(step)))
            }
            (Boundary::Outside, _) if matches!(step.event, Event::Incident(_)) => {
                Some(Begins::Incident)
            }
            (Boundary::Inside | Boundary::End { .. }, None)
            | (Boundary::Outside | Boundary::FileEnd, _) => None,
        }
    }

    /// The place in the source's log at which `step` begins, as far as it is known.
    fn source_before(&self, step: &Step<'_>) -> Option<SourceCoordinates> {
        let behind = self.source_after(&step.raw, step.format.checksum)?;
        let bytes = u64::from(step.raw.header.event_size);
        Some(SourceCoordinates {
            offset: behind.offset.saturating_sub(bytes),
            ..behind
        })
    }

    /// Whether the transaction of this identifier is applied, committed or not.
    pub(super) fn has_applied(&self, gtid: &TransactionGtid) -> bool {
        self.worker.progress().executed.contains(gtid)
    }

    /// Nothing of the transaction that comes next is applied; it counts as executed.
    pub(super) fn pass_over_next(&mut self) {
        self.passes_over_next = true;
    }

    /// The incident that comes next was passed over before.
    pub(super) const fn pass_incident(&mut self) {
        self.passes_incident = true;
    }

    /// Whether a transaction was passed over since this was asked.
    pub(super) fn has_passed_over(&mut self) -> bool {
        std::mem::take(&mut self.has_passed_over)
    }

    /// The end of the transaction that was passed over.
    pub(super) fn at_passed_over(&self) -> Place {
        Place {
            source: self.source.clone(),
            gtid: self.ended,
            ..Place::default()
        }
    }

    /// Goes on behind this place of the source's log, between two transactions.
    pub(super) fn start_at(&mut self, source: Option<SourceCoordinates>) {
        self.source = source;
    }

    /// Moves the place in the source's log over an event that somebody else takes; the place behind it.
    pub(super) fn follow(&mut self, step: &Step<'_>) -> Option<&SourceCoordinates> {
        if step.place.inner.is_none() {
            self.source = self.source_after(&step.raw, step.format.checksum);
        }
        self.source.as_ref()
    }

    /// Waits until the target has taken everything of the transactions that ended, which are not
    /// committed yet.
    pub(super) fn ready(&mut self) -> Result<(), ApplierError> {
        let ready = self.worker.ready();
        ready.map_err(|error| self.at_end(error.into()))
    }

    /// As [`Coordinator::ready`], and leaves the commit to whoever has its end, where the target can do that.
    pub(super) fn hand_over(&mut self) -> Result<Option<Box<dyn Ending>>, ApplierError> {
        let handed = self.worker.hand_over();
        handed.map_err(|error| self.at_end(error.into()))
    }

    /// Waits for that end.
    pub(super) fn ended(&mut self) -> Result<(), ApplierError> {
        let ended = self.worker.ended();
        ended.map_err(|error| self.at_end(error.into()))
    }

    /// Forgets what is known of tables, which were perhaps defined anew.
    pub(super) fn forget_tables(&mut self) {
        self.row_filters.forget();
        self.worker.forget_tables();
    }

    /// Undoes everything that is not committed.
    pub(super) fn abandon_all(&mut self) -> Result<(), ApplierError> {
        self.open = Open::default();
        let undone = self.worker.abandon_group();
        undone.map_err(|error| self.at_end(error.into()))
    }

    /// Whether the last event left no transaction open.
    pub fn is_between_transactions(&self) -> bool {
        !self.open.has_begun
    }

    /// Takes the next event. True when it is the last of its transaction, which then waits for
    /// [`Coordinator::end`].
    ///
    /// # Errors
    /// The transaction has to be abandoned then; nothing of the event was applied.
    pub fn handle(&mut self, step: &Step<'_>) -> Result<bool, ApplierError> {
        self.take(step).map_err(|failed| self.placed(failed, step))
    }

    fn take(&mut self, step: &Step<'_>) -> Result<bool, Failed> {
        let header = &step.raw.header;
        let is_outside = matches!(step.boundary, Boundary::Outside | Boundary::FileEnd);
        if is_outside && header.flags.contains(EventFlags::RELAY_LOG) {
            // This replica's own: head and rotate of the relay log.
            self.pass(step);
            return Ok(false);
        }
        let is_inner = step.place.inner.is_some();
        match self.places {
            Places::RelayLog if is_inner => {}
            Places::RelayLog => {
                self.source = self.source_after(&step.raw, step.format.checksum);
            }
            Places::Files => {
                self.source = Some(SourceCoordinates {
                    file: step.file.to_string(),
                    offset: step.place.end,
                });
            }
        }
        if is_outside {
            let is_incident = matches!(step.event, Event::Incident(_));
            if is_incident && std::mem::take(&mut self.passes_over_next) {
                self.has_passed_over = true;
            } else if !(is_incident && std::mem::take(&mut self.passes_incident)) {
                outside(step)?;
            }
            self.pass(step);
            return Ok(false);
        }
        self.begin(header);
        if !is_inner {
            self.worker.count_bytes(u64::from(header.event_size));
        }
        self.inside(step)?;
        Ok(matches!(step.boundary, Boundary::End { .. }))
    }

    /// The place in the source's log behind `event`, which follows what was read so far.
    fn source_after(
        &self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Option<SourceCoordinates> {
        match &self.source {
            Some(source) => Some(source.after(event, checksum)),
            None => SourceCoordinates::named_by_rotate(event, checksum)
                .filter(|_| event.header.event_type == EventType::ROTATE),
        }
    }

    /// Moves the position over an event between transactions.
    fn pass(&mut self, step: &Step<'_>) {
        if self.is_between_transactions() {
            let relay = self.relay(step, step.place.end);
            self.worker.move_to(self.source.clone(), relay);
        }
    }

    fn relay(&self, step: &Step<'_>, offset: u64) -> Option<LogPosition> {
        match self.places {
            Places::RelayLog => Some(LogPosition::new(step.file.clone(), offset)),
            Places::Files => None,
        }
    }

    fn begin(&mut self, header: &EventHeader) {
        if !std::mem::replace(&mut self.open.has_begun, true) {
            let worker = &mut self.worker;
            self.status.update(|state| {
                state.has_caught_up = false;
                state.last_timestamp = header.timestamp;
                worker.follow(&state.rules);
            });
            self.open.is_passed_over = std::mem::take(&mut self.passes_over_next);
        }
    }

    /// Ends the transaction whose last event was taken and lies in front of `relay`.
    ///
    /// # Errors
    /// Those of the target.
    pub fn end(&mut self, relay: Option<LogPosition>) -> Result<(), ApplierError> {
        let open = std::mem::take(&mut self.open);
        self.ended = open.head.gtid;
        if open.xa.is_some() {
            let what = "The first half of an XA transaction without its XA PREPARE".to_owned();
            return Err(self.at_end(Reason::Unsupported { what }));
        }
        let source = self.source.clone();
        if open.is_applied {
            self.worker.move_to(source, relay);
            return Ok(());
        }
        if open.files.are_begun() {
            let what = "A file of LOAD DATA without its statement".to_owned();
            return Err(self.at_end(Reason::Unsupported { what }));
        }
        if open.is_passed_over {
            self.worker.skip();
            self.has_passed_over = true;
        }
        let ended = self.worker.end_transaction(&open.head, source, relay);
        ended.map_err(|error| self.at_end(error.into()))
    }

    fn inside(&mut self, step: &Step<'_>) -> Result<(), Failed> {
        match &step.event {
            Event::Gtid(gtid) => {
                self.gtid(gtid, step.raw.header.server_id);
                Ok(())
            }
            Event::MariadbGtid(gtid) => self.mariadb_gtid(step, gtid),
            _ if self.open.is_applied || self.open.is_passed_over || self.open.is_half_alter => {
                Ok(())
            }
            _ => match self.open.xa.take() {
                Some(first) => self.inside_xa(first, step),
                None => self.content(step),
            },
        }
    }

    fn gtid(&mut self, event: &GtidEvent, server_id: u32) {
        let gtid = event
            .gtid
            .map_or(TransactionGtid::None, TransactionGtid::MySql);
        self.identify(UnitHead {
            gtid,
            commit_micros: event.commit_timestamps.map(|times| times.original),
            server_id,
        });
    }

    fn mariadb_gtid(
        &mut self,
        step: &Step<'_>,
        event: &MariadbGtidEvent<'_>,
    ) -> Result<(), Failed> {
        if self.open.is_passed_over {
            self.identify(UnitHead {
                gtid: TransactionGtid::MariaDb(event.gtid),
                commit_micros: None,
                server_id: step.raw.header.server_id,
            });
            return Ok(());
        }
        let extra = event.extra.as_ref().map_or(0, |extra| extra.flags);
        let alter = MariadbGtidExtra::START_ALTER | MariadbGtidExtra::ROLLBACK_ALTER;
        self.open.is_half_alter = extra & alter != 0;
        self.open.is_create_select =
            event.flags.contains(MariadbGtidFlags::DDL) && !event.is_standalone();
        self.identify(UnitHead {
            gtid: TransactionGtid::MariaDb(event.gtid),
            commit_micros: Some(commit_micros(&step.raw.header)),
            server_id: step.raw.header.server_id,
        });
        let is_prepared = event.flags.contains(MariadbGtidFlags::PREPARED_XA);
        match event.xid.filter(|_| is_prepared && !self.open.is_applied) {
            Some(id) => self.begin_xa(XaName::from(id), step),
            None => Ok(()),
        }
    }

    fn identify(&mut self, head: UnitHead) {
        self.open.is_applied = self.worker.progress().executed.contains(&head.gtid);
        self.open.head = head;
        if !self.open.is_applied {
            self.status.update(|state| {
                state.oldest_open_micros = state.oldest_open_micros.or(head.commit_micros);
            });
        }
    }

    /// What the open commit will have applied, and its age.
    #[must_use]
    pub fn group(&self) -> Group {
        self.worker.group()
    }

    /// Whether the open commit has to end behind the transaction that ended.
    #[must_use]
    pub fn must_commit(&self) -> bool {
        self.worker.must_commit()
    }

    /// Commits what was taken; `None` if that is nothing.
    ///
    /// # Errors
    /// Those of the target.
    pub fn commit(&mut self) -> Result<Option<Committed>, ApplierError> {
        self.worker
            .commit()
            .map_err(|error| self.at_end(error.into()))
    }

    /// From here on every transaction is a commit of its own, so that an error is that of the open
    /// one. False when it was so before.
    pub fn take_one_by_one(&mut self) -> bool {
        self.worker.take_one_by_one()
    }

    /// Forgets the transaction that could not be applied, or whose rest is not wanted now.
    ///
    /// # Errors
    /// When the target cannot undo it.
    pub fn abandon_transaction(&mut self) -> Result<(), ApplierError> {
        self.open = Open::default();
        self.passes_over_next = false;
        self.worker
            .abandon_transaction()
            .map_err(|error| self.at_end(error.into()))
    }

    /// An error of the group rather than of one event.
    pub(super) fn at_end(&self, reason: Reason) -> ApplierError {
        let progress = self.worker.progress();
        let place = Place {
            relay: progress.relay.clone(),
            source: progress.source.clone(),
            gtid: match self.open.has_begun {
                true => self.open.head.gtid,
                false => self.ended,
            },
            ..Place::default()
        };
        ApplierError::new(place, reason)
    }

    /// An error of reading what `cursor` stands at.
    pub(super) fn unreadable(&self, error: LogError, cursor: &LogCursor) -> ApplierError {
        let corrupt = match error {
            LogError::Corrupt(corrupt) => *corrupt,
            error => return self.at_end(error.into()),
        };
        let Corrupt {
            at,
            event,
            inner,
            damage,
            ..
        } = corrupt;
        // Where an event ends in the source's log is known once it was read.
        let checksum = cursor.reader().checksum();
        let is_read = |offset| cursor.file() == &at.file && offset == at.offset;
        let source = match cursor.current() {
            _ if inner.is_some() => self.source.clone(),
            Some((offset, raw)) if is_read(offset) => self.source_after(&raw, checksum),
            _ => None,
        };
        let place = Place {
            relay: Some(at),
            inner,
            source,
            event_type: event,
            gtid: self.open.head.gtid,
            table: None,
        };
        ApplierError::new(place, damage)
    }

    fn placed(&self, failed: Failed, step: &Step<'_>) -> ApplierError {
        let Failed { reason, table } = failed;
        let place = Place {
            relay: self.relay(step, step.place.offset),
            inner: step.place.inner,
            source: self.source.clone(),
            event_type: Some(step.raw.header.event_type),
            gtid: self.open.head.gtid,
            table,
        };
        ApplierError::new(place, reason)
    }
}
