//! `Coercion`: an evaluated value becomes a value of a column's type, as MySQL stores it.
//!
//! What does not fit is an error in strict mode and a warning with the nearest value otherwise; the
//! texts carry the column and the row number within the statement. Coercion knows nothing of rows
//! or keys.

mod altered;
mod copy;
mod number;
mod parameter;
mod shortened;
mod source;
mod string;
mod temporal;
mod year;

use binlog::value::Value;

pub(crate) use altered::copied_number;
pub(crate) use parameter::parameter;
pub(crate) use shortened::Varying;

use crate::catalog::{Column, ColumnType};
use crate::session::{SessionContext, TimeZone};
use crate::value::datum::{Datum, number_of_bytes};
use crate::value::sourced::{Sourced, TextKind};
use crate::value::temporal::Moment;
use sql::SqlMode;
use sql::error::{SqlError, Warning, WarningLevel};

/// Bytes of a hexadecimal literal that is a number.
const HEX_BYTES_MAX: usize = 8;

/// What becomes of NULL for a column that may not be NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullPolicy {
    /// Error 1048: INSERT of one row, and everything in strict mode.
    Error,
    /// The type's implicit default with warning 1048: several rows, or UPDATE, outside strict mode.
    Adjust,
}

/// Stores values into columns for one statement.
#[derive(Debug, Clone)]
pub struct Coercion {
    sql_mode: SqlMode,
    zone: TimeZone,
    is_strict: bool,
    /// Strict mode without regard to IGNORE, which does not change every number.
    is_strict_mode: bool,
    nulls: NullPolicy,
    /// The session's date, which a TIME stored into a DATETIME takes.
    today: Moment,
    /// Name of the table, for the messages that show it.
    pub table: String,
    /// Number of the row within the statement, from 1, for messages.
    pub row: u64,
    /// What was adjusted, in order; the caller moves them to the session.
    pub warnings: Vec<Warning>,
}

impl Coercion {
    /// Coercion by the session's sql_mode. With `ignore` (INSERT IGNORE and the like) nothing is an
    /// error; `nulls` counts only outside strict mode.
    #[must_use]
    pub fn new(session: &SessionContext, ignore: bool, nulls: NullPolicy) -> Coercion {
        let is_strict = session.is_strict() && !ignore;
        Coercion {
            sql_mode: session.sql_mode,
            zone: session.time_zone.clone(),
            is_strict,
            is_strict_mode: session.is_strict(),
            nulls: match (ignore, is_strict) {
                (true, _) => NullPolicy::Adjust,
                (false, true) => NullPolicy::Error,
                (false, false) => nulls,
            },
            today: super::default::local_now(session).midnight(),
            table: String::new(),
            row: 1,
            warnings: Vec::new(),
        }
    }

    /// Coercion that fails for whatever does not fit.
    #[must_use]
    pub fn strict(sql_mode: SqlMode, zone: &TimeZone) -> Coercion {
        Coercion {
            sql_mode,
            zone: zone.clone(),
            is_strict: true,
            is_strict_mode: true,
            nulls: NullPolicy::Error,
            today: Moment::default(),
            table: String::new(),
            row: 1,
            warnings: Vec::new(),
        }
    }

    /// The value of `column`'s type that storing `given` gives.
    pub fn store(&mut self, column: &Column, given: Sourced) -> Result<Value<'static>, SqlError> {
        let given = match given.is_copied {
            true => self.copied(column, given)?,
            false => given,
        };
        let is_numeric = column.column_type.is_numeric();
        let value = match (given.value, given.text) {
            (Datum::Null, _) => return self.null(column),
            (Datum::Text(bytes), TextKind::Hex) if is_numeric => {
                return self.hex_number(column, &bytes);
            }
            (Datum::Text(bytes), TextKind::Hex) => Sourced::bytes(bytes),
            (Datum::Year(year), _) => Datum::UInt(year.into()).into(),
            (Datum::Bit(bits, _), _) => Datum::UInt(bits).into(),
            // A member is a number to a numeric column, its name to others.
            (Datum::Enum(number, _), _) if is_numeric => Datum::UInt(number.into()).into(),
            (Datum::Set(bits, _), _) if is_numeric => Datum::UInt(bits).into(),
            // The member that stands for none is copied as it is.
            (Datum::Enum(0, _), _) if matches!(column.column_type, ColumnType::Enum { .. }) => {
                return Ok(Value::Enum(0));
            }
            (member @ (Datum::Enum(..) | Datum::Set(..)), _) => Datum::text(member.to_str()).into(),
            (value, text) => Sourced {
                value,
                text,
                ..given
            },
        };
        match &column.column_type {
            ColumnType::Integer { size, unsigned, .. } => {
                self.integer(column, *size, *unsigned, value)
            }
            ColumnType::Decimal {
                precision,
                scale,
                unsigned,
                ..
            } => self.decimal(column, *precision, *scale, *unsigned, value),
            ColumnType::Float { .. } => self.float(column, value),
            ColumnType::Double { .. } => self.double(column, value).map(Value::Double),
            ColumnType::Bit { width } => self.bit(column, *width, value),
            ColumnType::Year => self.year(column, value),
            ColumnType::Date => self.date(column, value),
            ColumnType::Time { fsp } => self.time(column, *fsp, value),
            ColumnType::DateTime { fsp } => self.datetime(column, *fsp, value),
            ColumnType::Timestamp { fsp } => self.timestamp(column, *fsp, value),
            ColumnType::Char { .. } | ColumnType::Varchar { .. } | ColumnType::Text { .. } => {
                self.characters(column, value)
            }
            ColumnType::Binary { .. } | ColumnType::Varbinary { .. } | ColumnType::Blob { .. } => {
                self.binary(column, value)
            }
            ColumnType::Enum { members, collation } => {
                self.member(column, members, collation, value)
            }
            ColumnType::Set { members, collation } => {
                self.members(column, members, collation, value)
            }
            ColumnType::Json => self.json(column, value),
            ColumnType::Geometry { .. } | ColumnType::Vector { .. } => self.opaque(column, value),
        }
    }

    /// A value that the column takes by a rule of its own.
    fn copied(&mut self, column: &Column, given: Sourced) -> Result<Sourced, SqlError> {
        let given = match self.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL) {
            true => given.map(altered::whole_seconds),
            false => given,
        };
        match (&column.column_type, &given.value) {
            (ColumnType::Bit { .. } | ColumnType::Year, Datum::DateTime(moment, _)) => {
                let number = i64::try_from(self.whole_moment(*moment)?).unwrap_or(i64::MAX);
                Ok(given.map(|_| Datum::Int(number)))
            }
            (ColumnType::Bit { .. } | ColumnType::Year, _) => Ok(given.map(copied_number)),
            _ => Ok(given),
        }
    }

    /// A hexadecimal literal as a number. One of no digits is what the type begins with, and one of
    /// more than eight bytes the greatest number, out of range whatever the column holds.
    fn hex_number(&mut self, column: &Column, bytes: &[u8]) -> Result<Value<'static>, SqlError> {
        if bytes.is_empty() {
            return Ok(super::default::implicit(column));
        }
        let greatest = match column.column_type.is_unsigned()
            || matches!(column.column_type, ColumnType::Bit { .. })
        {
            true => u64::MAX,
            false => u64::MAX >> 1,
        };
        let number = number_of_bytes(bytes);
        if bytes.len() <= HEX_BYTES_MAX && number <= greatest {
            return self.store(column, Datum::UInt(number).into());
        }
        let before = self.warnings.len();
        let stored = self.store(column, Datum::UInt(greatest).into())?;
        if self.warnings.len() == before {
            self.out_of_range(column)?;
        }
        Ok(stored)
    }

    fn null(&mut self, column: &Column) -> Result<Value<'static>, SqlError> {
        if column.nullable {
            return Ok(Value::Null);
        }
        let error = SqlError::bad_null(&column.name);
        match self.nulls {
            NullPolicy::Error => Err(error),
            NullPolicy::Adjust => {
                self.warn(error);
                Ok(match column.column_type {
                    // No member, where a value that is not given would be the first.
                    ColumnType::Enum { .. } => Value::Enum(0),
                    _ => super::default::implicit(column),
                })
            }
        }
    }

    /// An error in strict mode, else a warning.
    pub(crate) fn problem(&mut self, error: SqlError) -> Result<(), SqlError> {
        if self.is_strict {
            return Err(error);
        }
        self.warn(error);
        Ok(())
    }

    fn warn(&mut self, error: SqlError) {
        self.warnings
            .push(error.into_warning(WarningLevel::Warning));
    }

    fn note(&mut self, error: SqlError) {
        self.warnings.push(error.into_warning(WarningLevel::Note));
    }

    fn out_of_range(&mut self, column: &Column) -> Result<(), SqlError> {
        self.problem(SqlError::warn_data_out_of_range(&column.name, self.row))
    }

    fn truncated(&mut self, column: &Column) -> Result<(), SqlError> {
        self.problem(SqlError::warn_data_truncated(&column.name, self.row))
    }
}

#[cfg(test)]
mod tests;
