//! Collects the events of a transaction, and tells whether a worker may have it.
//!
//! A worker takes transactions that change rows of tables that roll back, and nothing else: what it was
//! given can then be undone and done again. Statements, XA transactions and what is larger than
//! [`UNIT_MAX`] run alone, in the order of the source.

use std::sync::Arc;

use binlog::event::{Event, FormatDescription, MariadbGtidFlags};
use binlog::log::{LogPosition, SourceCoordinates};
use binlog::transaction::{Boundary, StatementKind, Step, TransactionInfo, TransactionKind};

use super::dependencies::Needs;
use super::unit::{Unit, UnitEvent};

/// Bytes of a transaction that a worker is given.
pub(super) const UNIT_MAX: usize = 1 << 20;

/// What became of an event.
#[derive(Debug)]
pub(super) enum Collected {
    /// It is held; the transaction goes on.
    Held,
    /// It was the last of a transaction for a worker.
    Whole(Box<Unit>),
    /// It was the last of a transaction that is applied already, and ends there.
    Passed(LogPosition, Option<SourceCoordinates>),
    /// The transaction is none for a worker. Nothing of it is held any more.
    Alone,
}

/// The open transaction.
#[derive(Debug, Default)]
pub(super) struct Collector {
    open: Option<Open>,
    /// The description that was seen last.
    description: Option<Arc<FormatDescription>>,
}

#[derive(Debug)]
struct Open {
    is_applied: bool,
    begins_at: Option<SourceCoordinates>,
    bytes: Vec<u8>,
    events: Vec<UnitEvent>,
}

impl Collector {
    /// Whether the last event left a transaction open.
    pub(super) const fn is_inside(&self) -> bool {
        self.open.is_some()
    }

    /// Begins a transaction behind this place of the source's log.
    pub(super) fn begin(&mut self, is_applied: bool, begins_at: Option<SourceCoordinates>) {
        self.open = Some(Open {
            is_applied,
            begins_at,
            bytes: Vec::new(),
            events: Vec::new(),
        });
    }

    /// Forgets the open transaction.
    pub(super) fn forget(&mut self) {
        self.open = None;
    }

    /// Takes an event of the open transaction, behind which the source's log is at `source`.
    pub(super) fn take(
        &mut self,
        step: &Step<'_>,
        source: Option<&SourceCoordinates>,
    ) -> Collected {
        let Some(mut open) = self.open.take() else {
            return Collected::Alone;
        };
        if !open.is_applied && !open.hold(step) {
            return Collected::Alone;
        }
        let is_end = match step.boundary {
            Boundary::Inside => false,
            Boundary::End { .. } => true,
            Boundary::Outside | Boundary::FileEnd => return Collected::Alone,
        };
        if !is_end {
            self.open = Some(open);
            return Collected::Held;
        }
        let relay = LogPosition::new(step.file.clone(), step.place.end);
        if open.is_applied {
            return Collected::Passed(relay, source.cloned());
        }
        let Some(info) = step.transaction.filter(|info| is_for_workers(info)) else {
            return Collected::Alone;
        };
        // Only this way of ending says that all of it rolls back.
        if !matches!(step.event, Event::Xid(_)) {
            return Collected::Alone;
        }
        let format = match step.place.inner {
            None => step.format,
            // The events of a payload have no checksums; the payload has.
            Some(_) => step.format.with_checksum(step.description.checksum),
        };
        Collected::Whole(Box::new(Unit {
            order: 0,
            needs: Needs::All,
            info: info.clone(),
            begins_at: open.begins_at,
            source: source.cloned(),
            relay,
            description: self.description_of(step),
            format,
            bytes: open.bytes,
            events: open.events,
        }))
    }

    fn description_of(&mut self, step: &Step<'_>) -> Arc<FormatDescription> {
        match &self.description {
            Some(known) if **known == *step.description => Arc::clone(known),
            _ => {
                let description = Arc::new(step.description.clone());
                self.description = Some(Arc::clone(&description));
                description
            }
        }
    }
}

impl Open {
    /// Holds an event; false if a worker may not have it.
    fn hold(&mut self, step: &Step<'_>) -> bool {
        let is_known = match &step.event {
            Event::Query(query) => {
                query.error_code == 0 && StatementKind::of(&query.sql) == StatementKind::Begin
            }
            Event::Gtid(_)
            | Event::MariadbGtid(_)
            | Event::TableMap(_)
            | Event::Rows(_)
            | Event::RowsQuery(_)
            | Event::AnnotateRows(_)
            | Event::TransactionPayload(_)
            | Event::Xid(_) => true,
            // The one lane knows what they are, or refuses them.
            _ => false,
        };
        if !is_known || step.place.inner.is_some() {
            return is_known;
        }
        let raw = &step.raw;
        let is_whole = u32::try_from(raw.bytes.len()) == Ok(raw.header.event_size);
        let at = self.bytes.len();
        if !is_whole || at.saturating_add(raw.bytes.len()) > UNIT_MAX {
            return false;
        }
        self.bytes.extend_from_slice(raw.bytes);
        self.events.push(UnitEvent {
            header: raw.header,
            offset: step.place.offset,
            end: step.place.end,
            at,
            len: raw.bytes.len(),
        });
        true
    }
}

/// Whether the transaction is of the kind that workers take.
fn is_for_workers(info: &TransactionInfo) -> bool {
    let rolls_back = info
        .mariadb_flags
        .is_none_or(|flags| flags.contains(MariadbGtidFlags::TRANSACTIONAL));
    // What has no GTID of MySQL's is known to a target by its place, of which there is one.
    info.kind == TransactionKind::Dml && rolls_back && info.gtid.mysql().is_some()
}
