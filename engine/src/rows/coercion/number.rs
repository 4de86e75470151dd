//! Numeric columns: integers, DECIMAL, FLOAT, DOUBLE, BIT.

use binlog::value::{Decimal, Value, shortest_even};

use super::Coercion;
use super::source::Source;
use crate::catalog::{Column, ColumnType, IntegerSize};
use crate::value::datum::{Datum, json_unquoted, number_of_bytes};
use crate::value::decimal_text::{self, DecimalRead, DecimalText};
use crate::value::double::{has_endless_exponent, parse_prefix};
use crate::value::fraction::{Carry, round_moment};
use crate::value::is_blank;
use crate::value::number_text;
use crate::value::sourced::{Sourced, TextKind, decimal_of};
use crate::value::temporal::{Moment, Span};
use sql::error::SqlError;

/// From here on a fraction of a second is rounded up.
const HALF_SECOND: u32 = 500_000;
/// The last second of a minute.
const LAST_SECOND: u8 = 59;

impl Coercion {
    pub(super) fn integer(
        &mut self,
        column: &Column,
        size: IntegerSize,
        unsigned: bool,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let is_approximate = matches!(given.value, Datum::Float(_) | Datum::Double(_));
        let is_infinite = matches!(given.value, Datum::Double(number) if number.is_infinite());
        let wide = self.whole(column, "integer", given)?;
        if unsigned {
            let (stored, fits) = clamp(wide, 0, i128::from(size.unsigned_max()));
            if !fits {
                self.out_of_range(column)?;
            }
            // MySQL warns twice of doubles that are too large for this type alone, and of what is
            // beyond all doubles.
            let is_twice = is_infinite || (is_approximate && size == IntegerSize::Int);
            if !fits && is_twice && stored > 0 {
                self.out_of_range(column)?;
            }
            return Ok(Value::UInt(u64::try_from(stored).unwrap_or(0)));
        }
        let (least, greatest) = size.signed_range();
        let (stored, fits) = clamp(wide, least.into(), greatest.into());
        if !fits {
            self.out_of_range(column)?;
        }
        if is_infinite {
            self.out_of_range(column)?;
        }
        Ok(Value::Int(i64::try_from(stored).unwrap_or(0)))
    }

    /// The value rounded to a whole number, saturated far beyond any column's range.
    pub(super) fn whole(
        &mut self,
        column: &Column,
        kind: &str,
        given: Sourced,
    ) -> Result<i128, SqlError> {
        Ok(match given.value {
            Datum::Float(value) => whole_of(f64::from(value).round_ties_even()),
            Datum::Double(value) => whole_of(value.round_ties_even()),
            Datum::Decimal(value) => {
                let whole = whole_of_decimal(&value);
                self.in_64_bits(column, whole, value.is_negative())?
            }
            Datum::DateTime(moment, _) => self.whole_moment(moment)?,
            Datum::Text(digits) if given.text == TextKind::Digits => {
                let is_negative = digits.starts_with(b"-");
                let beyond = if is_negative { i128::MIN } else { i128::MAX };
                let whole = decimal_of(&digits).map_or(beyond, |value| whole_of_decimal(&value));
                self.in_64_bits(column, whole, is_negative)?
            }
            Datum::Text(bytes) => self.whole_text(column, kind, Source::of(&bytes, given.text))?,
            Datum::Json(document) => {
                let number = self.json_number(column, "INTEGER", &document)?;
                return self.whole(column, kind, number);
            }
            exact @ (Datum::Null
            | Datum::Int(_)
            | Datum::UInt(_)
            | Datum::Date(_)
            | Datum::Time(..)
            | Datum::Year(_)
            | Datum::Enum(..)
            | Datum::Set(..)
            | Datum::Bit(..)) => exact.to_integer().value.wide(),
        })
    }

    /// An exact number as 64 bits of the column's signedness: problem 1264 of its own for what they
    /// do not hold, beside what the column says.
    fn in_64_bits(
        &mut self,
        column: &Column,
        whole: i128,
        is_negative: bool,
    ) -> Result<i128, SqlError> {
        let (least, most) = match is_unsigned(&column.column_type) {
            true => (0, i128::from(u64::MAX)),
            false => (i128::from(i64::MIN), i128::from(i64::MAX)),
        };
        let held = whole.clamp(least, most);
        if held != whole || (least == 0 && is_negative) {
            self.out_of_range(column)?;
        }
        Ok(held)
    }

    /// A date and time as YYYYMMDDhhmmss, rounded to a second. Problem 1441 at the calendar's end.
    pub(super) fn whole_moment(&mut self, moment: Moment) -> Result<i128, SqlError> {
        if moment.micros < HALF_SECOND {
            return Ok(moment.number().into());
        }
        if moment.second < LAST_SECOND {
            return Ok(i128::from(moment.number()) + 1);
        }
        match round_moment(moment, 0, 0) {
            Ok(rounded) => return Ok(rounded.number().into()),
            // No second can be added to what is no day.
            Err(Carry::NoDay) => return Ok(moment.number().into()),
            Err(Carry::Overflow) => {}
        }
        self.problem(SqlError::datetime_function_overflow("datetime"))?;
        Ok(moment.midnight().number().into())
    }

    /// Nothing at all is problem 1366; anything but blanks behind a number that fits is 1265.
    fn whole_text(
        &mut self,
        column: &Column,
        kind: &str,
        text: Source<'_>,
    ) -> Result<i128, SqlError> {
        let read = number_text::integer(text.bytes());
        let (least, greatest) = integer_range(&column.column_type);
        if !(least..=greatest).contains(&read.value) {
            return Ok(read.value);
        }
        if !read.is_number {
            self.no_number(column, kind, text)?;
        } else if read.has_rest || (read.has_blanks && matches!(text, Source::Bytes(_))) {
            // Blanks are bytes like others where there are no characters.
            self.truncated(column)?;
        }
        Ok(read.value)
    }

    /// Problem 1366.
    pub(super) fn no_number(
        &mut self,
        column: &Column,
        kind: &str,
        text: Source<'_>,
    ) -> Result<(), SqlError> {
        let shown = text.shown();
        self.problem(SqlError::wrong_value_for_field(
            kind,
            shown,
            &column.name,
            self.row,
        ))
    }

    /// The number that a JSON document is. Problem 3156 and 0 for one that is none.
    pub(super) fn json_number(
        &mut self,
        column: &Column,
        kind: &str,
        document: &str,
    ) -> Result<Sourced, SqlError> {
        let number = match document {
            "true" => Some(Datum::Int(1)),
            "false" => Some(Datum::Int(0)),
            text if text.starts_with('"') => {
                let text = json_unquoted(text);
                if is_json_number(kind, &text) {
                    return Ok(Datum::text(text).into());
                }
                let (number, _) = parse_prefix(text.as_bytes());
                self.no_json_number(column, kind)?;
                Some(Datum::Double(match kind {
                    "INTEGER" => number.trunc(),
                    _ => number,
                }))
            }
            text if text.contains(['e', 'E']) => text.parse().ok().map(Datum::Double),
            text => {
                let decimal = text.parse().ok().map(Datum::Decimal);
                decimal.or_else(|| text.parse().ok().map(Datum::Double))
            }
        };
        match number {
            Some(number) => Ok(number.into()),
            None => {
                self.no_json_number(column, kind)?;
                Ok(Datum::Int(0).into())
            }
        }
    }

    /// Problem 3156.
    fn no_json_number(&mut self, column: &Column, kind: &str) -> Result<(), SqlError> {
        let row = self.row;
        self.problem(SqlError::invalid_json_value_for_cast(
            kind,
            &column.name,
            row,
        ))
    }

    pub(super) fn decimal(
        &mut self,
        column: &Column,
        precision: u8,
        scale: u8,
        unsigned: bool,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let exact = match given.value {
            Datum::Float(value) => {
                let rounded = rounded_double(f64::from(value), scale);
                return self.fit_decimal(column, (precision, scale, unsigned), rounded);
            }
            Datum::Double(value) => {
                let rounded = rounded_double(value, scale);
                return self.fit_decimal(column, (precision, scale, unsigned), rounded);
            }
            Datum::Decimal(value) => Ok(value),
            Datum::Text(digits) if given.text == TextKind::Digits => {
                let read = decimal_text::decimal(&digits, scale);
                return self.fit_decimal(column, (precision, scale, unsigned), rounded_text(read));
            }
            Datum::Text(bytes) => {
                let source = Source::of(&bytes, given.text);
                return self.decimal_text(column, (precision, scale, unsigned), source);
            }
            Datum::Json(document) => {
                let number = self.json_number(column, "DECIMAL", &document)?;
                return self.decimal(column, precision, scale, unsigned, number);
            }
            Datum::DateTime(moment, _) => Ok(moment_decimal(moment)),
            Datum::Time(span, _) => Ok(span_decimal(span)),
            Datum::UInt(value) => Ok(Decimal::from(value)),
            other => {
                let whole = self.whole(column, "decimal", other.into())?;
                Ok(whole.to_string().parse().unwrap_or(Decimal::ZERO))
            }
        };
        let rounded = exact.and_then(|exact| {
            let value = exact.round(scale.into()).ok_or(exact.is_negative())?;
            Ok(Rounded {
                is_lossy: value != exact,
                is_negative: exact.is_negative() && !exact.is_zero(),
                value,
            })
        });
        self.fit_decimal(column, (precision, scale, unsigned), rounded)
    }

    fn decimal_text(
        &mut self,
        column: &Column,
        (precision, scale, unsigned): (u8, u8, bool),
        text: Source<'_>,
    ) -> Result<Value<'static>, SqlError> {
        let read = decimal_text::decimal(text.bytes(), scale);
        let is_none = read.read == DecimalRead::NoNumber;
        let is_cut = read.read == DecimalRead::Cut || read.is_beyond;
        if is_none || (is_cut && self.is_strict) {
            self.no_number(column, "decimal", text)?;
        } else if read.read == DecimalRead::Cut && !read.is_beyond {
            self.note(SqlError::warn_data_truncated(&column.name, self.row));
        }
        self.fit_decimal(column, (precision, scale, unsigned), rounded_text(read))
    }

    /// Cuts a rounded number to the column's range; lost digits of one that fits are a note.
    fn fit_decimal(
        &mut self,
        column: &Column,
        (precision, scale, unsigned): (u8, u8, bool),
        rounded: Result<Rounded, bool>,
    ) -> Result<Value<'static>, SqlError> {
        let beyond = match rounded {
            // Also what would be zero when rounded.
            Ok(rounded) if unsigned && rounded.is_negative => true,
            Ok(rounded) if rounded.value.precision() <= precision => {
                if rounded.is_lossy {
                    self.note(SqlError::warn_data_truncated(&column.name, self.row));
                }
                return Ok(Value::Decimal(rounded.value));
            }
            Ok(rounded) => rounded.is_negative,
            Err(is_negative) => is_negative,
        };
        self.out_of_range(column)?;
        Ok(Value::Decimal(match (beyond, unsigned) {
            (true, true) => zero(scale),
            (true, false) => nines(precision, scale).negate(),
            (false, _) => nines(precision, scale),
        }))
    }

    pub(super) fn double(&mut self, column: &Column, given: Sourced) -> Result<f64, SqlError> {
        let number = match given.value {
            Datum::Double(value) if given.is_copied => return Ok(value),
            Datum::Float(value) => f64::from(value),
            Datum::Double(value) => value,
            Datum::Decimal(value) => value.to_f64(),
            Datum::Text(digits) if given.text == TextKind::Digits => double_of(&digits),
            Datum::Text(bytes) => self.double_text(column, Source::of(&bytes, given.text))?,
            Datum::Json(document) => {
                let number = self.json_number(column, "DOUBLE", &document)?;
                return self.double(column, number);
            }
            Datum::DateTime(moment, _) => moment_decimal(moment).to_f64(),
            Datum::Time(span, _) => span_decimal(span).to_f64(),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a DOUBLE column rounds large integers"
            )]
            other => self.whole(column, "double", other.into())? as f64,
        };
        let (digits, unsigned) = match &column.column_type {
            ColumnType::Double {
                digits, unsigned, ..
            }
            | ColumnType::Float {
                digits, unsigned, ..
            } => (*digits, *unsigned),
            _ => (None, false),
        };
        if number.is_nan() || (unsigned && number < 0.0) {
            self.out_of_range(column)?;
            if number.is_infinite() {
                self.out_of_range(column)?;
            }
            return Ok(0.0);
        }
        let most = f64::MAX;
        let (rounded, most) = match digits {
            Some((precision, scale)) => {
                let unit = 10_f64.powi(i32::from(scale));
                let most = 10_f64.powi(i32::from(precision - scale)) - 1.0 / unit;
                // Only what is behind the point is scaled, which decides where halves go.
                let whole = number.floor();
                let rounded = match number.is_finite() {
                    true => whole + ((number - whole) * unit).round_ties_even() / unit,
                    false => number,
                };
                (rounded, most)
            }
            None => (number, most),
        };
        if rounded.abs() > most {
            if digits.is_some() && rounded.is_infinite() {
                self.out_of_range(column)?;
            }
            self.out_of_range(column)?;
            return Ok(most.copysign(rounded));
        }
        // Rounding to digits loses the sign of zero.
        let is_plain_zero = digits.is_some() && rounded == 0.0;
        Ok(if is_plain_zero { 0.0 } else { rounded })
    }

    /// The number that a text begins with; infinite for one beyond all doubles. Nothing at all, and
    /// anything but blanks behind it, is problem 1366.
    fn double_text(&mut self, column: &Column, source: Source<'_>) -> Result<f64, SqlError> {
        let text = source.bytes();
        let kind = if matches!(column.column_type, ColumnType::Float { .. }) {
            "FLOAT"
        } else {
            "DOUBLE"
        };
        let (clamped, used) = parse_prefix(text);
        let (number, rest) = text.split_at_checked(used).unwrap_or((text, &[]));
        let exact = std::str::from_utf8(number.trim_ascii())
            .ok()
            .and_then(|number| number.parse::<f64>().ok());
        if let Some(exact) = exact.filter(|exact| exact.is_infinite()) {
            return Ok(exact);
        }
        let is_cut = rest.iter().any(|byte| !is_blank(*byte));
        if used == 0 || is_cut || has_endless_exponent(number) {
            self.no_number(column, kind, source)?;
        }
        Ok(clamped)
    }

    pub(super) fn float(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let number = self.double(column, given)?;
        let most = f64::from(f32::MAX);
        let clamped = number.clamp(-most, most);
        if clamped.to_bits() != number.to_bits() {
            self.out_of_range(column)?;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a FLOAT column keeps 24 bits"
        )]
        Ok(Value::Float(clamped as f32))
    }

    pub(super) fn bit(
        &mut self,
        column: &Column,
        width: u8,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let greatest = u64::MAX >> (64 - u32::from(width.clamp(1, 64)));
        let is_digits = given.text == TextKind::Digits;
        let bits = match &given.value {
            Datum::Int(value) => Some(value.cast_unsigned()),
            Datum::UInt(value) => Some(*value),
            Datum::Float(value) => Some(bits_of(f64::from(*value))),
            Datum::Double(value) => Some(bits_of(*value)),
            Datum::Text(bytes) if !is_digits => from_bytes(bytes),
            Datum::Decimal(_) | Datum::Text(_) => {
                let whole = self.whole(column, "integer", given)?;
                Some(u64::try_from(whole).unwrap_or(0))
            }
            // Documents, dates and times are texts to a BIT.
            other => from_bytes(&other.to_text()),
        };
        if let Some(bits) = bits.filter(|bits| *bits <= greatest) {
            return Ok(Value::Bit(bits));
        }
        match self.is_strict_mode {
            true => self.problem(SqlError::data_too_long(&column.name, self.row))?,
            false => self.out_of_range(column)?,
        }
        Ok(Value::Bit(greatest))
    }
}

/// A number rounded to a scale.
struct Rounded {
    value: Decimal,
    /// Whether rounding lost digits.
    is_lossy: bool,
    /// Whether it was less than zero before.
    is_negative: bool,
}

/// The digits that MySQL shows of a double, rounded; whether it is negative for one with too many.
fn rounded_double(number: f64, scale: u8) -> Result<Rounded, bool> {
    if !number.is_finite() {
        return Err(number < 0.0);
    }
    let read = decimal_text::decimal(shortest_even(number).as_bytes(), scale);
    let is_cut = read.read == DecimalRead::Cut;
    let rounded = rounded_text(read)?;
    Ok(Rounded {
        is_lossy: rounded.is_lossy || is_cut,
        ..rounded
    })
}

fn rounded_text(read: DecimalText) -> Result<Rounded, bool> {
    read.value.map(|value| Rounded {
        value,
        is_lossy: read.is_lossy,
        is_negative: read.is_negative,
    })
}

/// The values of an integer column; everything for the other types.
fn integer_range(column_type: &ColumnType) -> (i128, i128) {
    match column_type {
        ColumnType::Integer {
            size,
            unsigned: true,
            ..
        } => (0, i128::from(size.unsigned_max())),
        ColumnType::Integer { size, .. } => {
            let (least, greatest) = size.signed_range();
            (least.into(), greatest.into())
        }
        _ => (i128::MIN, i128::MAX),
    }
}

/// Whether all of a JSON string is a number; an integer has no fraction.
fn is_json_number(kind: &str, text: &str) -> bool {
    let read = number_text::integer(text.as_bytes());
    let is_whole = kind != "INTEGER" || !text.contains(['.', 'e', 'E']);
    read.is_number && !read.has_rest && is_whole
}

/// Whether numbers reach the column without a sign.
fn is_unsigned(column_type: &ColumnType) -> bool {
    matches!(column_type, ColumnType::Bit { .. } | ColumnType::Year) || column_type.is_unsigned()
}

/// All the digits of a date and time, those of its second too.
fn moment_decimal(moment: Moment) -> Decimal {
    with_micros("", moment.number(), moment.micros.into())
}

fn span_decimal(span: Span) -> Decimal {
    let sign = if span.0 < 0 { "-" } else { "" };
    with_micros(sign, span.number().abs(), span.micros())
}

fn with_micros(sign: &str, whole: i64, micros: i64) -> Decimal {
    let text = format!("{sign}{whole}.{micros:06}");
    text.parse().unwrap_or(Decimal::ZERO)
}

/// The double of an exact number, infinite beyond all of them.
pub(super) fn double_of(digits: &[u8]) -> f64 {
    let number = std::str::from_utf8(digits).ok();
    let number = number.and_then(|number| number.parse().ok());
    number.unwrap_or(f64::INFINITY)
}

/// The bits of a double without its fraction.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, as MySQL's own does"
)]
pub(super) fn bits_of(value: f64) -> u64 {
    u64::from_ne_bytes((value as i64).to_ne_bytes())
}

fn clamp(value: i128, least: i128, greatest: i128) -> (i128, bool) {
    let stored = value.clamp(least, greatest);
    (stored, stored == value)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, beyond every column's range"
)]
pub(super) fn whole_of(value: f64) -> i128 {
    value as i128
}

fn whole_of_decimal(value: &Decimal) -> i128 {
    let beyond = if value.is_negative() {
        i128::MIN
    } else {
        i128::MAX
    };
    value.to_i128().unwrap_or(beyond)
}

fn from_bytes(bytes: &[u8]) -> Option<u64> {
    let significant = bytes.iter().skip_while(|byte| **byte == 0).count();
    (significant <= 8).then(|| number_of_bytes(bytes))
}

fn zero(scale: u8) -> Decimal {
    Decimal::from_unscaled(0, scale)
}

/// The greatest value of DECIMAL(precision, scale).
fn nines(precision: u8, scale: u8) -> Decimal {
    let whole = "9".repeat(usize::from(precision - scale));
    let fraction = "9".repeat(usize::from(scale));
    format!("0{whole}.{fraction}")
        .parse()
        .unwrap_or(Decimal::ZERO)
}
