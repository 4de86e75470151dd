//! The grammar over raw events: what each means for its transaction, and nothing else of it.

use gtid::MariaGtid;

use super::grammar::{Machine, Mark};
use super::symbol::Symbol;
use super::{Boundary, BoundaryError, TransactionGtid, step};
use crate::event::{Event, EventFormat, GtidEvent, RawEvent};

/// Follows the events of one log as they are: a payload event is one whole transaction. Reads no
/// file and keeps no event. [`super::TransactionReader`] stands on the same grammar.
#[derive(Debug, Default)]
pub struct TransactionTracker {
    machine: Machine,
    /// The last event, if it is one of MySQL's GTID events.
    begun: Option<GtidEvent>,
    /// What the last event begins, if it is MariaDB's GTID event.
    begun_mariadb: Option<MariaGtid>,
    /// The identifier of the open transaction.
    gtid: TransactionGtid,
}

impl TransactionTracker {
    /// Whether the last event left no transaction open.
    #[must_use]
    pub const fn is_between_units(&self) -> bool {
        self.machine.state.is_between()
    }

    /// What the last event says of the transaction that it begins, if it is one of MySQL's three
    /// GTID events.
    #[must_use]
    pub const fn begun(&self) -> Option<&GtidEvent> {
        self.begun.as_ref()
    }

    /// The transaction that the last event begins, if it is MariaDB's GTID event.
    #[must_use]
    pub const fn begun_mariadb(&self) -> Option<MariaGtid> {
        self.begun_mariadb
    }

    /// Takes the next event.
    ///
    /// # Errors
    /// When the event may not stand there, or the fields that matter here cannot be read.
    pub fn feed(
        &mut self,
        event: &RawEvent<'_>,
        format: impl Into<EventFormat>,
    ) -> Result<Boundary, BoundaryError> {
        let format = format.into();
        let symbol = Symbol::of_raw(event, format).map_err(BoundaryError::Undecodable)?;
        let mark = step(&mut self.machine, symbol, event.header.event_type)?;
        (self.begun, self.begun_mariadb) = (None, None);
        if symbol.begins_anew() {
            let decoded = Event::decode(event, format).map_err(BoundaryError::Undecodable)?;
            self.gtid = TransactionGtid::begun_by(&decoded);
            self.begun_mariadb = self.gtid.mariadb();
            if let Event::Gtid(begun) = decoded {
                self.begun = Some(begun);
            }
        }
        Ok(self.boundary(mark))
    }

    fn boundary(&mut self, mark: Mark) -> Boundary {
        match mark {
            Mark::Outside => Boundary::Outside,
            Mark::Inside => Boundary::Inside,
            Mark::End => Boundary::End {
                gtid: std::mem::take(&mut self.gtid),
            },
            Mark::FileEnd => Boundary::FileEnd,
        }
    }
}
