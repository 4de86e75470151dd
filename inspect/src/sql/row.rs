//! One row as SQL: its values, and the INSERT, UPDATE or DELETE that changes it.
//!
//! A changed row is found by its primary key where the log names it, else by every column of its
//! before image, byte for byte, and then one row at most is changed.

use super::literal::{put_identifier, put_value};
use super::statements::Generated;
use crate::cell::Shape;
use binlog::event::Flavour;
use binlog::row::{Column, ColumnType, Row, Table};
use binlog::value::{Value, json};

/// By what a row is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// Its primary key; where none is known, every column.
    Key,
    /// Its primary key, byte for byte where that is text; where none is known, every column.
    KeyBytes,
    /// Its primary key and every column that is not computed: only if it is just that row.
    Whole,
}

/// The column, by index, whose value no literal stands for.
pub type Inexpressible = usize;

/// The log does not say what the columns of a table are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoNames {
    /// The table.
    pub table: String,
}

impl std::fmt::Display for NoNames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the columns of {} have no names: log with binlog_row_metadata=FULL, or give a schema \
             file",
            self.table
        )
    }
}

impl std::error::Error for NoNames {}

/// Writes rows of one table.
#[derive(Debug)]
pub struct RowSql<'t> {
    table: &'t Table,
    targets: Vec<Target>,
}

/// What a statement must know of one column.
#[derive(Debug, Clone, Copy)]
struct Target {
    shape: Shape,
    is_generated: bool,
    /// Part of the primary key.
    is_key: bool,
}

impl<'t> RowSql<'t> {
    /// For rows of `table` of a server of `flavour`. Columns that its snapshot or `generated` says
    /// are computed are left out of what is written.
    ///
    /// # Errors
    /// If a column's name is not known.
    pub fn new(table: &'t Table, flavour: Flavour, generated: &Generated) -> Result<Self, NoNames> {
        let map = &table.map;
        if map.columns.iter().any(|column| column.name.is_none()) {
            let table = table.full_name();
            return Err(NoNames { table });
        }
        let key = map.primary_key.as_deref().unwrap_or_default();
        let declared = table.snapshot.as_ref();
        let targets = map.columns.iter().enumerate().map(|(index, column)| {
            let is_declared = declared
                .and_then(|snapshot| snapshot.columns.get(index))
                .is_some_and(|column| column.generated);
            let name = column.name.as_deref().unwrap_or_default();
            let is_named = !generated.is_empty()
                && generated.contains(&format!("{}.{}.{name}", map.schema, map.table));
            Target {
                shape: Shape::of(column, flavour),
                is_generated: is_declared || is_named,
                is_key: key.iter().any(|(part, _)| *part == index),
            }
        });
        Ok(Self {
            table,
            targets: targets.collect(),
        })
    }

    /// Whether the primary key is known.
    #[must_use]
    pub fn is_keyed(&self) -> bool {
        self.targets.iter().any(|target| target.is_key)
    }

    /// Appends the name of the table with its schema.
    pub fn put_table(&self, out: &mut Vec<u8>) {
        put_identifier(out, &self.table.map.schema);
        out.push(b'.');
        put_identifier(out, &self.table.map.table);
    }

    fn columns<'r>(
        &'r self,
        row: &'r Row<'_>,
    ) -> impl Iterator<Item = (usize, &'r Column<'static>, Target, &'r Value<'r>)> {
        let columns = self.table.map.columns.iter().zip(&self.targets);
        let cells = row.iter().zip(columns).enumerate();
        cells.filter_map(|(index, (value, (column, target)))| {
            Some((index, column, *target, value.as_ref()?))
        })
    }

    /// Appends an INSERT up to the values of its first row.
    pub fn begin_insert(&self, out: &mut Vec<u8>, row: &Row<'_>) {
        out.extend_from_slice(b"INSERT INTO ");
        self.put_table(out);
        out.extend_from_slice(b" (");
        let mut is_first = true;
        for (_, column, target, _) in self.columns(row) {
            if target.is_generated {
                continue;
            }
            separate(out, &mut is_first, b", ");
            put_identifier(out, column.name.as_deref().unwrap_or_default());
        }
        out.extend_from_slice(b") VALUES\n  ");
    }

    /// Appends the values of one row of an INSERT.
    ///
    /// # Errors
    /// The column whose value no literal stands for.
    pub fn values(&self, out: &mut Vec<u8>, row: &Row<'_>) -> Result<(), Inexpressible> {
        out.push(b'(');
        let mut is_first = true;
        for (index, _, target, value) in self.columns(row) {
            if target.is_generated {
                continue;
            }
            separate(out, &mut is_first, b", ");
            if !put_value(out, value, target.shape) {
                return Err(index);
            }
        }
        out.push(b')');
        Ok(())
    }

    /// Appends the UPDATE that makes `after` of `before`, without a delimiter. False, and nothing
    /// appended, if nothing about the row changed.
    ///
    /// # Errors
    /// The column whose value no literal stands for.
    pub fn update(
        &self,
        out: &mut Vec<u8>,
        before: &Row<'_>,
        after: &Row<'_>,
        find: Find,
    ) -> Result<bool, Inexpressible> {
        let was = |index: usize| before.get(index).and_then(Option::as_ref);
        let is_changed = |index: usize, value: &Value<'_>| {
            !was(index).is_some_and(|was| is_same(was, value))
                && !matches!(value, Value::JsonDiffs(diffs) if diffs.is_empty())
        };
        let start = out.len();
        out.extend_from_slice(b"UPDATE ");
        self.put_table(out);
        out.extend_from_slice(b" SET ");
        let mut is_first = true;
        for (index, column, target, value) in self.columns(after) {
            if target.is_generated || !is_changed(index, value) {
                continue;
            }
            separate(out, &mut is_first, b", ");
            put_identifier(out, column.name.as_deref().unwrap_or_default());
            out.push(b'=');
            let whole = whole_json(was(index), value);
            if !put_value(out, whole.as_ref().unwrap_or(value), target.shape) {
                return Err(index);
            }
        }
        if is_first {
            // The log has the row, but nothing about it changed.
            out.truncate(start);
            return Ok(false);
        }
        self.keep_moments(out, before, after);
        self.find(out, before, find).map(|()| true)
    }

    /// Columns that the server might set to now by itself keep their value.
    fn keep_moments(&self, out: &mut Vec<u8>, before: &Row<'_>, after: &Row<'_>) {
        let columns = self.table.map.columns.iter().zip(&self.targets);
        for (index, (column, target)) in columns.enumerate() {
            let is_moment = matches!(
                column.real_type(),
                ColumnType::TIMESTAMP
                    | ColumnType::TIMESTAMP2
                    | ColumnType::DATETIME
                    | ColumnType::DATETIME2
            );
            let now = after.get(index).and_then(Option::as_ref);
            let was = before.get(index).and_then(Option::as_ref);
            if is_moment && !target.is_generated && (now.is_none() || now == was) {
                let name = column.name.as_deref().unwrap_or_default();
                out.extend_from_slice(b", ");
                put_identifier(out, name);
                out.push(b'=');
                put_identifier(out, name);
            }
        }
    }

    /// Appends the DELETE of a row, without a delimiter.
    ///
    /// # Errors
    /// The column whose value no literal stands for.
    pub fn delete(
        &self,
        out: &mut Vec<u8>,
        before: &Row<'_>,
        find: Find,
    ) -> Result<(), Inexpressible> {
        out.extend_from_slice(b"DELETE FROM ");
        self.put_table(out);
        self.find(out, before, find)
    }

    fn find(&self, out: &mut Vec<u8>, row: &Row<'_>, find: Find) -> Result<(), Inexpressible> {
        out.extend_from_slice(b" WHERE ");
        self.condition(out, row, find)?;
        if !self.is_keyed() {
            out.extend_from_slice(b" LIMIT 1");
        }
        Ok(())
    }

    /// Appends the condition that finds a row, without WHERE.
    ///
    /// # Errors
    /// The column whose value no literal stands for.
    pub fn condition(
        &self,
        out: &mut Vec<u8>,
        row: &Row<'_>,
        find: Find,
    ) -> Result<(), Inexpressible> {
        let is_keyed = self.is_keyed();
        let mut is_first = true;
        for (index, column, target, value) in self.columns(row) {
            if target.is_key {
                separate(out, &mut is_first, b" AND ");
                if !put_comparison(out, column, target, value, true) {
                    return Err(index);
                }
            }
            let is_compared = match find {
                Find::Key => !is_keyed,
                Find::KeyBytes => !is_keyed || (target.is_key && is_text(value)),
                // A key's own comparison may take texts that differ for equal.
                Find::Whole => !target.is_generated && (!target.is_key || is_text(value)),
            };
            if is_compared {
                separate(out, &mut is_first, b" AND ");
                if !put_comparison(out, column, target, value, false) {
                    return Err(index);
                }
            }
        }
        Ok(())
    }
}

const fn is_text(value: &Value<'_>) -> bool {
    matches!(value, Value::Bytes(_))
}

/// `column=value`; without a key `<=>`, and bytes where a collation could take others for equal.
fn put_comparison(
    out: &mut Vec<u8>,
    column: &Column<'_>,
    target: Target,
    value: &Value<'_>,
    is_keyed: bool,
) -> bool {
    let name = column.name.as_deref().unwrap_or_default();
    if is_keyed {
        put_identifier(out, name);
        out.push(b'=');
        return put_value(out, value, target.shape);
    }
    if value.is_null() {
        // VECTOR is compared with nothing by <=>.
        put_identifier(out, name);
        out.extend_from_slice(b" IS NULL");
        return true;
    }
    let (cast, shape): (&[u8], Shape) = match value {
        Value::Bytes(_) => (b"CAST(", Shape::Bytes),
        Value::Enum(_) | Value::Set(_) | Value::Bit(_) => (b"(", target.shape),
        _ => (b"", target.shape),
    };
    out.extend_from_slice(cast);
    put_identifier(out, name);
    out.extend_from_slice(match value {
        Value::Bytes(_) => b" AS BINARY)",
        Value::Enum(_) | Value::Set(_) | Value::Bit(_) => b"+0)",
        _ => b"".as_slice(),
    });
    out.extend_from_slice(b"<=>");
    put_value(out, value, shape)
}

/// The document that a partial update leads to.
fn whole_json(before: Option<&Value<'_>>, value: &Value<'_>) -> Option<Value<'static>> {
    let (Some(Value::Json(before)), Value::JsonDiffs(diffs)) = (before, value) else {
        return None;
    };
    let whole = json::apply_diffs(before, diffs).ok()?;
    Some(Value::Json(whole.into()))
}

/// Whether both are stored as the same bytes: a negative zero equals zero, but is another value.
fn is_same(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (Value::Double(left), Value::Double(right)) => left.to_bits() == right.to_bits(),
        _ => left == right,
    }
}

fn separate(out: &mut Vec<u8>, is_first: &mut bool, separator: &[u8]) {
    if !std::mem::take(is_first) {
        out.extend_from_slice(separator);
    }
}
