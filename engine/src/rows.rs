//! Row operations: values into columns, columns into SQLite, and one row at a time changed by key.
//!
//! SQLite never computes what is stored: an expression gives a
//! [`Sourced`](crate::value::sourced::Sourced), [`Coercion`] makes it a value of the column's type or
//! MySQL's error, [`RowWriter`] writes it and lists the change. What rows a statement touches is decided
//! above. Invariant: the changes listed are exactly those that SQLite's pre-update hook sees.

mod coercion;
mod default;
mod new_row;
mod plan;
pub(crate) mod text;
mod writer;

pub use coercion::{Coercion, NullPolicy};
pub use default::DefaultValue;
pub use new_row::NewRow;
pub use plan::TablePlan;
pub use writer::{Conflict, RowId, RowWriter, StoredRow};

pub(crate) use coercion::{Varying, copied_number, parameter};
pub use default::local_default;
pub(crate) use default::{default as default_of, default_text, defaults, implicit, now};
pub(crate) use plan::{collate, column_of, key_part_expression, list};
pub(crate) use text::{key_text, value_text};
pub(crate) use writer::stored_row;

use std::sync::Arc;

use binlog::value::Value;

use crate::catalog::Table;

/// One changed row, in the form of a row event: a value for each column of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// The table at the time of the change.
    pub table: Arc<Table>,
    /// The row before; `None` for an insert.
    pub before: Option<Vec<Value<'static>>>,
    /// The row after; `None` for a delete.
    pub after: Option<Vec<Value<'static>>>,
}

#[cfg(test)]
mod tests;
