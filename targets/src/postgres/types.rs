//! What a column of MySQL is in PostgreSQL, and what a value of it is there as text.

use binlog::value::{Date, DateTime, Timestamp, Value};
use engine::catalog::{Column, ColumnType, IntegerSize};
use engine::value::datum::{enum_name, set_text};
use engine::value::temporal::days_in_month;
use sql::error::SqlError;

/// What becomes of dates that PostgreSQL does not have: `0000-00-00`, those with a zero part or a zero
/// year, and days that a month lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZeroDates {
    /// They stop the applier.
    #[default]
    Stop,
    /// They become NULL, which every date and time column then takes.
    Null,
    /// They become `-infinity`.
    Infinity,
}

/// The type of a column.
pub(super) fn type_name(column: &ColumnType) -> String {
    match column {
        ColumnType::Decimal {
            precision, scale, ..
        } => format!("numeric({precision},{scale})"),
        ColumnType::Bit { width } => format!("bit({width})"),
        ColumnType::Time { fsp } => format!("interval({fsp})"),
        ColumnType::DateTime { fsp } => format!("timestamp({fsp})"),
        ColumnType::Timestamp { fsp } => format!("timestamptz({fsp})"),
        ColumnType::Char { length, .. } if *length > 0 => format!("varchar({length})"),
        ColumnType::Varchar { length, .. } if *length > 0 => format!("varchar({length})"),
        ColumnType::Integer {
            size: IntegerSize::Big,
            unsigned: true,
            ..
        } => "numeric(20)".to_owned(),
        plain => cast_name(plain).to_owned(),
    }
}

/// The type that a text is read as: without what would cut or round it in silence.
pub(super) const fn cast_name(column: &ColumnType) -> &'static str {
    match column {
        ColumnType::Integer { size, unsigned, .. } => match (size, unsigned) {
            (IntegerSize::Tiny, _) | (IntegerSize::Small, false) => "smallint",
            (IntegerSize::Small, true) | (IntegerSize::Medium, _) | (IntegerSize::Int, false) => {
                "integer"
            }
            (IntegerSize::Int, true) | (IntegerSize::Big, false) => "bigint",
            (IntegerSize::Big, true) => "numeric",
        },
        ColumnType::Decimal { .. } => "numeric",
        ColumnType::Float { .. } => "real",
        ColumnType::Double { .. } => "double precision",
        ColumnType::Bit { .. } => "varbit",
        ColumnType::Year => "smallint",
        ColumnType::Date => "date",
        ColumnType::Time { .. } => "interval",
        ColumnType::DateTime { .. } => "timestamp",
        ColumnType::Timestamp { .. } => "timestamptz",
        ColumnType::Char { .. }
        | ColumnType::Varchar { .. }
        | ColumnType::Text { .. }
        | ColumnType::Enum { .. }
        | ColumnType::Set { .. } => "text",
        ColumnType::Binary { .. }
        | ColumnType::Varbinary { .. }
        | ColumnType::Blob { .. }
        | ColumnType::Geometry { .. }
        | ColumnType::Vector { .. } => "bytea",
        ColumnType::Json => "jsonb",
    }
}

/// Whether values of the column may be dates that PostgreSQL does not have.
pub(super) const fn has_dates(column: &ColumnType) -> bool {
    matches!(
        column,
        ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. }
    )
}

/// Whether the column may be NULL in PostgreSQL.
pub(super) fn is_nullable(column: &Column, is_in_primary: bool, zero_dates: ZeroDates) -> bool {
    let may_be_zero = zero_dates == ZeroDates::Null && has_dates(&column.column_type);
    column.nullable || (may_be_zero && !is_in_primary)
}

/// A value as PostgreSQL reads it; `None` for NULL.
///
/// # Errors
/// 1366 for a text that is none, or has a zero byte; 1292 for a date that PostgreSQL does not have.
pub(super) fn text(
    value: &Value<'_>,
    column: &Column,
    zero_dates: ZeroDates,
) -> Result<Option<String>, SqlError> {
    let moment = |moment: DateTime, fsp: u8| match is_day(moment.date()) {
        true => Ok(Some(moment.text(fsp))),
        false => zero(column, zero_dates, &moment.text(fsp)),
    };
    Ok(Some(match (value, &column.column_type) {
        (Value::Null, _) => return Ok(None),
        (Value::Int(number), _) => number.to_string(),
        (Value::UInt(number), _) => number.to_string(),
        (Value::Float(number), _) => format!("{number:e}"),
        (Value::Double(number), _) => format!("{number:e}"),
        (Value::Decimal(number), _) => number.to_string(),
        (Value::Year(year), _) => year.to_string(),
        (Value::Bit(bits), ColumnType::Bit { width }) => {
            format!("{bits:0width$b}", width = usize::from(*width))
        }
        (Value::Date(date), _) => match is_day(*date) {
            true => date.text(),
            false => return zero(column, zero_dates, &date.text()),
        },
        (Value::Time(time), _) => time.text(column.column_type.fsp()),
        (Value::DateTime(value), _) => return moment(*value, column.column_type.fsp()),
        (Value::Timestamp(value), _) => {
            if *value == Timestamp::default() {
                return zero(column, zero_dates, "0000-00-00 00:00:00");
            }
            format!("{}+00", value.text_utc(column.column_type.fsp()))
        }
        (Value::Enum(index), ColumnType::Enum { members, .. }) => {
            enum_name(*index, members).to_owned()
        }
        (Value::Set(bits), ColumnType::Set { members, .. }) => set_text(*bits, members),
        (Value::Bytes(bytes), kind) => match kind.collation() {
            Some(collation) => {
                let decoded = collation.charset.decode(bytes);
                let text = decoded.map_err(|_| not_text(column, collation.charset.name()))?;
                without_zero(column, text.into_owned())?
            }
            None => match kind {
                // MariaDB's logs leave out the zeros that it is filled up with.
                ColumnType::Binary { length } => hexadecimal(bytes, usize::from(*length)),
                _ => hexadecimal(bytes, 0),
            },
        },
        (Value::Json(binary), _) => {
            let text = binlog::value::json::to_text(binary);
            let text = text.map_err(|error| not_json(column, &error.to_string()))?;
            if text.contains("\\u0000") && has_zero_escape(&text) {
                return Err(zero_byte(column));
            }
            text
        }
        (Value::Bit(_) | Value::Enum(_) | Value::Set(_) | Value::JsonDiffs(_), _) => {
            return Err(not_json(column, "a value of another type"));
        }
    }))
}

/// Whether PostgreSQL has the day.
fn is_day(date: Date) -> bool {
    date.year > 0
        && (1..=12).contains(&date.month)
        && date.day > 0
        && date.day <= days_in_month(date.year, date.month)
}

fn zero(column: &Column, zero_dates: ZeroDates, shown: &str) -> Result<Option<String>, SqlError> {
    match zero_dates {
        ZeroDates::Null => Ok(None),
        ZeroDates::Infinity => Ok(Some("-infinity".to_owned())),
        ZeroDates::Stop => {
            let text = format!(
                "Incorrect date value for PostgreSQL: '{shown}' in column '{}'; change it on the source, or \
                 set postgres_zero_dates to null or infinity",
                column.name
            );
            Err(SqlError::new(1292, "22007", text))
        }
    }
}

fn not_text(column: &Column, charset: &str) -> SqlError {
    let text = format!(
        "Bytes in column '{}' that are no text of {charset}; PostgreSQL keeps no such text: change it on \
         the source, or make the column a binary one",
        column.name
    );
    SqlError::new(1366, "HY000", text)
}

fn not_json(column: &Column, why: &str) -> SqlError {
    let text = format!(
        "A value of column '{}' that cannot be read: {why}",
        column.name
    );
    SqlError::new(1366, "HY000", text)
}

fn zero_byte(column: &Column) -> SqlError {
    let text = format!(
        "A text with the character U+0000 in column '{}', which PostgreSQL does not keep: remove it on the \
         source, or make the column a binary one",
        column.name
    );
    SqlError::new(1366, "HY000", text)
}

pub(super) fn without_zero(column: &Column, text: String) -> Result<String, SqlError> {
    match text.contains('\0') {
        true => Err(zero_byte(column)),
        false => Ok(text),
    }
}

/// Whether a JSON text has the character U+0000 in a string: `\u0000` behind an even number of
/// backslashes.
fn has_zero_escape(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find("\\u0000") {
        let (before, found) = rest.split_at(at);
        let backslashes = before.bytes().rev().take_while(|byte| *byte == b'\\');
        if backslashes.count() % 2 == 0 {
            return true;
        }
        rest = found.get(1..).unwrap_or_default();
    }
    false
}

/// Bytes, filled up with zeros to a length.
fn hexadecimal(bytes: &[u8], length: usize) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or('0');
    let mut text = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(2));
    text.push_str("\\x");
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
    for _ in bytes.len()..length {
        text.push_str("00");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_escape_is_a_zero_character() {
        assert!(has_zero_escape(r#""a\u0000""#));
        assert!(has_zero_escape(r#""\\\u0000""#));
        assert!(!has_zero_escape(r#""\\u0000""#));
        assert!(has_zero_escape(r#""\\u0000\u0000""#));
    }

    #[test]
    fn days_that_no_calendar_has_are_none() {
        let day = |year, month, day| is_day(Date { year, month, day });
        assert!(day(2024, 2, 29) && day(9999, 12, 31) && day(1, 1, 1));
        assert!(!day(2023, 2, 29) && !day(0, 1, 1) && !day(2024, 0, 1) && !day(2024, 1, 0));
    }
}
