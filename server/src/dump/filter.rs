//! What of the log a replica is sent: not the transactions it has.
//!
//! The decision is made at the event that begins a transaction and holds up to the next one, or to
//! the end of the file. A pure leaf: it sees events and remembers one bit.

use binlog::event::{ChecksumAlgorithm, Event, EventType, RawEvent};
use codec::DecodeError;
use gtid::GtidSet;

/// Whether an event is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it is.
    Send,
    /// Not; the replica is told by a heartbeat how far the log was skipped.
    Skip,
}

/// Decides for one replica.
#[derive(Debug)]
pub(super) struct TransactionFilter {
    /// What the replica has, if it asks by GTIDs.
    held: Option<GtidSet>,
    /// A MariaDB stops at tagged GTIDs, which it does not know and which are not marked as
    /// ignorable; the transaction itself needs none there.
    drops_tagged_gtids: bool,
    is_skipping: bool,
}

impl TransactionFilter {
    pub(super) const fn new(held: Option<GtidSet>, is_mariadb: bool) -> Self {
        Self {
            held,
            drops_tagged_gtids: is_mariadb,
            is_skipping: false,
        }
    }

    /// A new file begins; no transaction goes across files.
    pub(super) const fn on_file(&mut self) {
        self.is_skipping = false;
    }

    pub(super) fn decide(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Verdict, DecodeError> {
        let kind = event.header.event_type;
        match (&self.held, kind) {
            (Some(held), EventType::GTID | EventType::GTID_TAGGED) => {
                let gtid = match Event::decode(event, checksum)? {
                    Event::Gtid(event) => event.gtid,
                    _ => None,
                };
                self.is_skipping = gtid.is_some_and(|gtid| held.contains(&gtid));
            }
            (_, EventType::ANONYMOUS_GTID | EventType::ROTATE | EventType::STOP) => {
                self.is_skipping = false;
            }
            _ => {}
        }
        let is_dropped = self.drops_tagged_gtids && kind == EventType::GTID_TAGGED;
        Ok(match self.is_skipping || is_dropped {
            true => Verdict::Skip,
            false => Verdict::Send,
        })
    }
}
