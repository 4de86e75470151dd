//! Columns that change their type: ALTER TABLE copies rows by rules of its own.

use std::borrow::Cow;

use binlog::value::{Value, double_text};

use super::Coercion;
use super::shortened::Varying;
use super::source::Source;
use crate::catalog::{Column, ColumnType};
use crate::collation::Charset;
use crate::session::TimeZone;
use crate::value::cell;
use crate::value::datum::{Datum, bit_bytes, narrow};
use crate::value::double::format_fixed;
use crate::value::double_text::{computed, computed_float};
use crate::value::fraction::{round_moment, truncate_span};
use crate::value::sourced::Sourced;
use sql::error::SqlError;

/// 2^63: numbers from here on are no 64 bits with a sign.
const BEYOND_INTEGERS: f64 = 9_223_372_036_854_775_808.0;
/// From here on a fraction of a second is rounded up.
const HALF_SECOND: u32 = 500_000;
/// The last second of a minute.
const LAST_SECOND: u8 = 59;

impl Coercion {
    /// The value of `column`'s type that a row gets which had `value` in the column as it was
    /// `earlier`; TIMESTAMPs are read in `zone`.
    pub(crate) fn altered(
        &mut self,
        column: &Column,
        (earlier, value): (&Column, &Value<'_>),
        zone: &TimeZone,
    ) -> Result<Value<'static>, SqlError> {
        let target = &column.column_type;
        let given = match (value, &earlier.column_type) {
            (Value::Bit(bits), ColumnType::Bit { width }) if has_many_bytes(target) => {
                Sourced::bytes(bit_bytes(*bits, *width))
            }
            // The bytes themselves: shown and read again they might be others.
            (Value::Bytes(bytes), from) if is_text_of_bytes(from) && is_bytes(target) => {
                Sourced::bytes(bytes.to_vec())
            }
            (Value::Float(_) | Value::Double(_), _)
                if matches!(
                    target,
                    ColumnType::Integer { .. } | ColumnType::Bit { .. } | ColumnType::Year
                ) =>
            {
                self.whole_double(value)?.into()
            }
            (_, from) if target.is_numeric() => of_column(value, from, zone)?,
            (_, from) => match number_text(from, value) {
                Some(text) => Datum::text(text).into(),
                None => of_column(value, from, zone)?,
            },
        };
        let given = match (given.value, target) {
            (Datum::Json(document), ColumnType::Bit { .. }) => {
                let number = self.json_number(column, "INTEGER", &document)?;
                number.map(|number| match number {
                    Datum::Double(number) => Datum::Int(whole(number)),
                    number => number,
                })
            }
            (Datum::Json(document), target)
                if !matches!(target, ColumnType::Json | ColumnType::Decimal { .. }) =>
            {
                Datum::text(&*document).into()
            }
            (value, _) => Sourced { value, ..given },
        };
        let given = match target {
            ColumnType::Bit { .. } => {
                let shows_cut = matches!(
                    earlier.column_type,
                    ColumnType::Char { .. }
                        | ColumnType::Varchar { .. }
                        | ColumnType::Binary { .. }
                        | ColumnType::Varbinary { .. }
                );
                self.integer_of(given.map(temporal_number), shows_cut)?
            }
            ColumnType::Year => given.map(temporal_number),
            _ => match earlier.column_type.collation() {
                Some(collation) => given.in_bytes_of(collation.charset, target),
                None => given,
            },
        };
        match Varying::of(&earlier.column_type) {
            Some(varying) => self.store(column, varying.marked(given, target)),
            None => self.store(column, given),
        }
    }

    /// A double as 64 bits with a sign. Problem 1292 for one that is beyond them.
    fn whole_double(&mut self, value: &Value<'_>) -> Result<Datum, SqlError> {
        let number = match value {
            Value::Float(number) => f64::from(*number),
            Value::Double(number) => *number,
            _ => 0.0,
        };
        if number.abs() >= BEYOND_INTEGERS {
            let shown = double_text(number);
            self.problem(SqlError::truncated_wrong_value("INTEGER", shown))?;
        }
        Ok(Datum::Int(whole(number)))
    }

    /// Strings as the integers that they begin with. Problem 1292 when that is not all of them and
    /// `shows_cut`.
    fn integer_of(&mut self, given: Sourced, shows_cut: bool) -> Result<Sourced, SqlError> {
        let source = match &given.value {
            Datum::Text(bytes) => Source::of(bytes, given.text),
            Datum::Decimal(number) => {
                let rounded = number.round(0).and_then(|whole| whole.to_i128());
                let whole = rounded.and_then(|whole| i64::try_from(whole).ok());
                return Ok(whole.map_or(given, |whole| Datum::Int(whole).into()));
            }
            _ => return Ok(given),
        };
        let (whole, is_whole) = leading_integer(source.bytes());
        if shows_cut && !is_whole {
            self.problem(SqlError::truncated_wrong_value("INTEGER", source.shown()))?;
        }
        let whole = whole.clamp(i64::MIN.into(), u64::MAX.into());
        Ok(Datum::from(narrow(whole)).into())
    }
}

/// Whether a column holds text of a character set that is kept for a source.
fn is_text_of_bytes(column: &ColumnType) -> bool {
    let is_text = matches!(
        column,
        ColumnType::Char { .. } | ColumnType::Varchar { .. } | ColumnType::Text { .. }
    );
    let collation = column.collation();
    is_text && collation.is_some_and(|known| matches!(known.charset, Charset::Further(_)))
}

/// A column's value on its way into another.
fn of_column(value: &Value<'_>, from: &ColumnType, zone: &TimeZone) -> Result<Sourced, SqlError> {
    Ok(match cell::of_column(value, from, zone)? {
        Datum::Text(bytes) if from.collation().is_none() => Sourced::bytes(bytes),
        other => other.into(),
    })
}

impl Sourced {
    /// Text of a character set as the bytes that a column without one, or of bits, takes.
    pub(crate) fn in_bytes_of(self, charset: Charset, target: &ColumnType) -> Self {
        let is_bit = matches!(target, ColumnType::Bit { .. });
        let is_utf8 = charset.table().is_utf8() || charset == Charset::Binary;
        if is_utf8 || !(is_bit || is_bytes(target)) {
            return self;
        }
        let text = match &self.value {
            Datum::Text(_) => self.characters().map(Cow::Borrowed),
            Datum::Enum(..) | Datum::Set(..) if !is_bit => Some(self.value.to_str()),
            _ => None,
        };
        match text.filter(|text| !text.is_ascii()) {
            Some(text) => {
                let mut bytes = Vec::with_capacity(text.len());
                for character in text.chars() {
                    let mut buffer = [0; 4];
                    let encoded = charset.encode(character.encode_utf8(&mut buffer));
                    bytes.extend_from_slice(encoded.as_deref().unwrap_or(b"?"));
                }
                Self::bytes(bytes)
            }
            None => self,
        }
    }
}

/// The digits that a string begins with, behind blanks and a sign, and whether that is all of it.
fn leading_integer(bytes: &[u8]) -> (i128, bool) {
    let text = bytes.trim_ascii_start();
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let count = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let (number, rest) = digits.split_at_checked(count).unwrap_or((digits, &[]));
    let value = number.iter().fold(0_i128, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(i128::from(digit - b'0'))
    });
    let is_whole = count > 0 && rest.trim_ascii_end().is_empty();
    (if is_negative { -value } else { value }, is_whole)
}

/// TEXT and BLOB of all sizes.
fn has_many_bytes(target: &ColumnType) -> bool {
    matches!(target, ColumnType::Text { .. } | ColumnType::Blob { .. })
}

/// A double as 64 bits with a sign.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates")]
fn whole(number: f64) -> i64 {
    number.round_ties_even() as i64
}

/// A number as the text that a column without numbers reads; `None` for what is no number.
fn number_text(from: &ColumnType, value: &Value<'_>) -> Option<String> {
    let places = match from {
        ColumnType::Float { digits, .. } | ColumnType::Double { digits, .. } => {
            digits.map(|(_, scale)| scale)
        }
        _ => None,
    };
    let (is_filled, width) = match from {
        ColumnType::Integer {
            zerofill, width, ..
        } => (*zerofill, usize::from(width.unwrap_or(0))),
        _ => (false, 0),
    };
    Some(match (value, places) {
        (Value::Int(number), _) => number.to_string(),
        (Value::UInt(number), _) if is_filled => format!("{number:0width$}"),
        (Value::UInt(number), _) => number.to_string(),
        (Value::Float(number), Some(places)) => format_fixed((*number).into(), places),
        (Value::Double(number), Some(places)) => format_fixed(*number, places),
        (Value::Float(number), None) => computed_float(*number),
        (Value::Double(number), None) => computed(*number),
        (Value::Decimal(number), _) => number.to_string(),
        (Value::Year(year), _) => format!("{year:04}"),
        _ => return None,
    })
}

fn is_bytes(target: &ColumnType) -> bool {
    matches!(
        target,
        ColumnType::Binary { .. } | ColumnType::Varbinary { .. } | ColumnType::Blob { .. }
    )
}

/// A time, or a date with one, without its fraction of a second.
pub(super) fn whole_seconds(value: Datum) -> Datum {
    match value {
        Datum::Time(span, fsp) => Datum::Time(truncate_span(span, 0), fsp),
        Datum::DateTime(moment, fsp) => Datum::DateTime(moment.truncate(0), fsp),
        other => other,
    }
}

/// A time, or a date with one, that is copied as a number.
pub(crate) fn copied_number(value: Datum) -> Datum {
    match value {
        Datum::Date(_) => value,
        other => temporal_number(other),
    }
}

/// A date or time as the number of its digits, rounded to a second; other values stay.
fn temporal_number(value: Datum) -> Datum {
    match value {
        Datum::Date(moment) => Datum::Int(moment.date_number()),
        Datum::Time(span, _) => Datum::Int(span.round(0).number()),
        Datum::DateTime(moment, _) => Datum::Int(match round_moment(moment, 0, 0) {
            _ if moment.micros < HALF_SECOND => moment.number(),
            _ if moment.second < LAST_SECOND => moment.number() + 1,
            Ok(rounded) => rounded.number(),
            Err(_) => moment.number(),
        }),
        other => other,
    }
}
