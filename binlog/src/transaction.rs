//! Transactions in a stream of events: where they begin and end, which event may stand where, and
//! one reader that everything above uses. Whoever takes events one by one and keeps them as bytes
//! (the receiver, recovery of a log) has the [`TransactionTracker`]: the same grammar over headers.
//!
//! ```text
//! log         = file { file }
//! file        = DESCRIPTION { NOTICE } { unit | outside } [ROTATE | STOP]
//! unit        = GTID            { VARIABLE } ( single | PAYLOAD | INCIDENT | begun | xa )
//!             | MARIADB_GTID    { inside } end                  (not standalone: it is the begin)
//!             | MARIADB_GTID    { inside } ( single | INCIDENT )      (standalone: DDL, XA COMMIT)
//!             | { VARIABLE } ( single | begun | xa | bare )         (servers without GTIDs)
//! begun       = "BEGIN" { inside } end
//! xa          = "XA START" { inside } "XA END" ( XA_PREPARE | "XA ROLLBACK" | "XA COMMIT" )
//! bare        = { ROWS_HEAD | ROWS } ROWS with the flag that ends the statement
//! end         = XID | "COMMIT" | "ROLLBACK" | XA_PREPARE | "XA COMMIT" | "XA ROLLBACK"
//! single      = any statement but "BEGIN" and "XA START": DDL, "XA COMMIT", "XA ROLLBACK",
//!               a statement that commits by itself, LOAD DATA
//! inside      = statement ("SAVEPOINT", "CREATE TABLE .. START TRANSACTION", ..) | VARIABLE
//!             | { TABLE_MAP | ROWS_QUERY | ANNOTATE_ROWS } ROWS | blocks of LOAD DATA | INCIDENT
//!             | VIEW_CHANGE | unknown
//! outside     = INCIDENT | heartbeats | TRANSACTION_CONTEXT | blocks of LOAD DATA | unknown
//! PAYLOAD     = what follows a GTID, compressed: begun or xa and nothing else
//! DESCRIPTION = FORMAT_DESCRIPTION | START_V3
//! NOTICE      = PREVIOUS_GTIDS | GTID_LIST | BINLOG_CHECKPOINT | START_ENCRYPTION
//! VARIABLE    = INTVAR | RAND | USER_VAR
//! ```
//!
//! GTID is any of MySQL's three GTID events. Rows follow the table map of their table within one
//! statement; the flag that ends the statement drops the table maps, as does the end of the
//! transaction. In relay logs the replica's own rotates and format descriptions, and what dump
//! threads made, stand anywhere, and the source's files follow each other without a description.

mod executed;
mod grammar;
mod info;
mod reader;
mod symbol;
mod tables;
#[cfg(test)]
mod tests;
mod tracker;

pub use executed::Executed;
pub use info::{TransactionGtid, TransactionInfo, TransactionKind};
pub use reader::{Order, Step, TransactionReader};
pub use tracker::TransactionTracker;

use std::fmt;

use codec::DecodeError;

use crate::event::EventType;
use grammar::{Machine, Mark};
pub use symbol::Statement as StatementKind;
use symbol::Symbol;

/// What an event means for the framing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Boundary {
    /// Belongs to no transaction (heads, heartbeats, and the like).
    Outside,
    /// Belongs to a transaction that goes on.
    Inside,
    /// Ends a transaction.
    End {
        /// Its identifier.
        gtid: TransactionGtid,
    },
    /// Ends the file.
    FileEnd,
}

/// An event that may not stand where it stands, or that hides where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BoundaryError {
    /// The fields that say what the event means for its transaction cannot be read.
    Undecodable(DecodeError),
    /// The event may not stand there.
    OutOfOrder {
        /// Its type.
        event_type: EventType,
        /// Where it stands, as the end of a sentence.
        place: &'static str,
    },
}

impl fmt::Display for BoundaryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undecodable(error) => error.fmt(f),
            Self::OutOfOrder { event_type, place } => {
                write!(f, "{} may not stand {place}", event_type.label())
            }
        }
    }
}

impl std::error::Error for BoundaryError {}

/// Moves `machine` on by an event of `event_type`, which stands for `symbol`.
fn step(
    machine: &mut Machine,
    symbol: Symbol,
    event_type: EventType,
) -> Result<Mark, BoundaryError> {
    let place = machine.state.place();
    let mark = machine.step(symbol);
    mark.ok_or(BoundaryError::OutOfOrder { event_type, place })
}

/// Whether an event of this type stands behind a whole transaction in a log whose transactions all
/// have GTID events: the next one's, or the end of the file.
#[must_use]
pub const fn follows_a_unit(event_type: EventType) -> bool {
    event_type.is_gtid() || matches!(event_type, EventType::ROTATE | EventType::STOP)
}
