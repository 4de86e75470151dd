//! The rows of MariaDB's system-versioned tables. An UPDATE is logged as one, and the row that was as a
//! WRITE; a DELETE as an UPDATE that ends the row's time. Only what rows are now is kept here.

use binlog::row::{Row, RowPair, RowsKind, TableMap};
use binlog::value::{Timestamp, Value};

use super::ApplyError;
use crate::catalog::{RowEnd, Table};
use sql::error::SqlError;

/// What rows of the past are called.
pub const HISTORY: &str = "history of system-versioned tables";

/// Where a row says until when it is as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Versions {
    row_end: usize,
}

/// What an event does to the rows of now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// What it says.
    Present,
    /// Nothing: it is about the past.
    Past,
    /// The row has become one of the past.
    Ends,
}

impl Versions {
    /// Of a table that has a history there. Error 1235 for rows that are laid out otherwise than its.
    pub(super) fn of(table: &Table, map: &TableMap<'_>) -> Result<Option<Self>, ApplyError> {
        let logged = map.columns.len();
        let row_end = match table.options.row_end {
            None => return Ok(None),
            Some(RowEnd::Hidden) if logged == table.columns.len() + 2 => logged.checked_sub(1),
            Some(RowEnd::Hidden) => None,
            Some(RowEnd::Column(id)) => table.column_by_id(id).map(|(position, _)| position),
        };
        match row_end {
            Some(row_end) => Ok(Some(Self { row_end })),
            None => Err(ApplyError::Incompatible {
                error: SqlError::not_supported(
                    "rows of a system-versioned table that is laid out otherwise",
                ),
            }),
        }
    }

    pub(super) fn meaning(self, kind: RowsKind, pair: &RowPair<'_>) -> Meaning {
        match kind {
            RowsKind::Write if self.is_past(&pair.after) => Meaning::Past,
            RowsKind::Update | RowsKind::Delete if self.is_past(&pair.before) => Meaning::Past,
            RowsKind::Update if self.is_past(&pair.after) => Meaning::Ends,
            RowsKind::Write | RowsKind::Update | RowsKind::Delete => Meaning::Present,
        }
    }

    /// Whether an image says that its time has ended; one that leaves it out says nothing.
    fn is_past(self, row: &Row<'_>) -> bool {
        let end = row.get(self.row_end).and_then(Option::as_ref);
        end.is_some_and(|end| !is_end_of_time(end))
    }
}

/// Whether a value is the last that its type has: of MariaDB before 11.5, of later ones, and of
/// numbers of transactions.
fn is_end_of_time(value: &Value<'_>) -> bool {
    match value {
        Value::Timestamp(Timestamp { seconds, micros }) => {
            *micros == 999_999 && [0x7fff_ffff, u32::MAX].contains(seconds)
        }
        Value::UInt(number) => *number == u64::MAX,
        Value::Int(number) => *number == -1,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 10.11 and 11.8 log them.
    #[test]
    fn a_row_is_of_now_until_the_end_of_time_of_its_server() {
        for (seconds, micros, is_end) in [
            (0x7fff_ffff, 999_999, true),
            (u32::MAX, 999_999, true),
            (0x7fff_ffff, 0, false),
            (1_796_054_061, 999_999, false),
        ] {
            let value = Value::Timestamp(Timestamp { seconds, micros });
            assert_eq!(is_end_of_time(&value), is_end, "{seconds}.{micros}");
        }
    }
}
