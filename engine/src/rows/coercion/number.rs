//! Numeric columns: integers, DECIMAL, FLOAT, DOUBLE, BIT, YEAR.

use binlog::value::{DateTime, Decimal, Value};

use super::Coercion;
use crate::catalog::{Column, ColumnType, IntegerSize};
use crate::expr::double::parse_prefix;
use crate::rows::EvalValue;
use sql::error::SqlError;

impl Coercion {
    pub(super) fn integer(
        &mut self,
        column: &Column,
        size: IntegerSize,
        unsigned: bool,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let wide = self.whole(column, "integer", value)?;
        if unsigned {
            let (stored, fits) = clamp(wide, 0, i128::from(size.unsigned_max()));
            if !fits {
                self.out_of_range(column)?;
            }
            return Ok(Value::UInt(u64::try_from(stored).unwrap_or(0)));
        }
        let (least, greatest) = size.signed_range();
        let (stored, fits) = clamp(wide, least.into(), greatest.into());
        if !fits {
            self.out_of_range(column)?;
        }
        Ok(Value::Int(i64::try_from(stored).unwrap_or(0)))
    }

    /// The value rounded to a whole number, saturated far beyond any column's range.
    fn whole(&mut self, column: &Column, kind: &str, value: EvalValue) -> Result<i128, SqlError> {
        Ok(match value {
            EvalValue::Null => 0,
            EvalValue::Int(value) => value.into(),
            EvalValue::UInt(value) => value.into(),
            EvalValue::Double(value) => whole_of(value.round_ties_even()),
            EvalValue::Decimal(value) => whole_of_decimal(&value),
            EvalValue::Date(date) => DateTime::from(date).number() / 1_000_000,
            EvalValue::DateTime(moment) => moment.number(),
            EvalValue::Time(time) => {
                let number = i128::from(time.hours) * 10_000
                    + i128::from(time.minutes) * 100
                    + i128::from(time.seconds);
                if time.negative { -number } else { number }
            }
            EvalValue::Text(text) | EvalValue::Json(text) => {
                self.whole_text(column, kind, &text)?
            }
            EvalValue::Binary(bytes) => {
                self.whole_text(column, kind, &String::from_utf8_lossy(&bytes))?
            }
        })
    }

    fn whole_text(&mut self, column: &Column, kind: &str, text: &str) -> Result<i128, SqlError> {
        let number = self.numeric_prefix(column, kind, text)?;
        if let Ok(value) = number.parse::<i128>() {
            return Ok(value);
        }
        Ok(match number.parse::<Decimal>() {
            Ok(value) => whole_of_decimal(&value),
            Err(_) => whole_of(parse_prefix(number.as_bytes()).0),
        })
    }

    /// The number that a text begins with, without blanks. Nothing at all is problem 1366; anything
    /// but blanks behind it is 1265 for an integer and 1366 for the other types.
    fn numeric_prefix<'t>(
        &mut self,
        column: &Column,
        kind: &str,
        text: &'t str,
    ) -> Result<&'t str, SqlError> {
        let (_, used) = parse_prefix(text.as_bytes());
        let (number, rest) = text.split_at_checked(used).unwrap_or((text, ""));
        let number = number.trim_start();
        let is_whole = rest.trim().is_empty();
        if number.is_empty() || (!is_whole && kind != "integer") {
            let shown = super::string::shown(text);
            let row = self.row;
            self.problem(SqlError::wrong_value_for_field(
                kind,
                shown,
                &column.name,
                row,
            ))?;
        } else if !is_whole {
            self.truncated(column)?;
        }
        if number.is_empty() {
            return Ok("0");
        }
        Ok(number.strip_prefix('+').unwrap_or(number))
    }

    pub(super) fn decimal(
        &mut self,
        column: &Column,
        precision: u8,
        scale: u8,
        unsigned: bool,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let mut is_exact = true;
        let number = match value {
            EvalValue::Double(value) => {
                // Digits that a DOUBLE loses in a DECIMAL are nothing to speak of.
                is_exact = false;
                Decimal::from_f64(value).ok_or(value < 0.0)
            }
            EvalValue::Decimal(value) => Ok(value),
            EvalValue::Text(text) | EvalValue::Json(text) => self.decimal_text(column, &text)?,
            EvalValue::Binary(bytes) => {
                self.decimal_text(column, &String::from_utf8_lossy(&bytes))?
            }
            EvalValue::DateTime(moment) => Ok(format!("{}.{:06}", moment.number(), moment.micros)
                .parse()
                .unwrap_or(Decimal::ZERO)),
            EvalValue::UInt(value) => Ok(Decimal::from(value)),
            other => {
                let whole = self.whole(column, "decimal", other)?;
                Ok(whole.to_string().parse().unwrap_or(Decimal::ZERO))
            }
        };
        let rounded = number.and_then(|number| {
            let rounded = number.round(scale.into()).ok_or(number.is_negative())?;
            if is_exact && rounded != number {
                self.note(SqlError::warn_data_truncated(&column.name, self.row));
            }
            if rounded.precision() > precision {
                Err(rounded.is_negative())
            } else {
                Ok(rounded)
            }
        });
        let stored = match rounded {
            Ok(value) if unsigned && value.is_negative() => {
                self.out_of_range(column)?;
                zero(scale)
            }
            Ok(value) => value,
            Err(is_negative) => {
                self.out_of_range(column)?;
                match (is_negative, unsigned) {
                    (true, true) => zero(scale),
                    (true, false) => nines(precision, scale).negate(),
                    (false, _) => nines(precision, scale),
                }
            }
        };
        Ok(Value::Decimal(stored))
    }

    /// The number, or whether it is below all numbers when it has too many digits.
    fn decimal_text(
        &mut self,
        column: &Column,
        text: &str,
    ) -> Result<Result<Decimal, bool>, SqlError> {
        let number = self.numeric_prefix(column, "decimal", text)?;
        Ok(number
            .parse::<Decimal>()
            .map_err(|_| number.starts_with('-')))
    }

    pub(super) fn double(&mut self, column: &Column, value: EvalValue) -> Result<f64, SqlError> {
        let number = match value {
            EvalValue::Double(value) => value,
            EvalValue::Decimal(value) => value.to_f64(),
            EvalValue::Text(text) | EvalValue::Json(text) => self.double_text(column, &text)?,
            EvalValue::Binary(bytes) => {
                self.double_text(column, &String::from_utf8_lossy(&bytes))?
            }
            #[expect(
                clippy::cast_precision_loss,
                reason = "a DOUBLE column rounds large integers"
            )]
            other => self.whole(column, "double", other)? as f64,
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
        if number.is_nan() {
            self.out_of_range(column)?;
            return Ok(0.0);
        }
        if unsigned && number < 0.0 {
            self.out_of_range(column)?;
            return Ok(0.0);
        }
        let most = f64::MAX;
        let (rounded, most) = match digits {
            Some((precision, scale)) => {
                let unit = 10_f64.powi(i32::from(scale));
                let most = 10_f64.powi(i32::from(precision - scale)) - 1.0 / unit;
                let scaled = number * unit;
                let rounded = if scaled.is_finite() {
                    scaled.round_ties_even() / unit
                } else {
                    number
                };
                (rounded, most)
            }
            None => (number, most),
        };
        if rounded.abs() > most {
            self.out_of_range(column)?;
            return Ok(most.copysign(rounded));
        }
        Ok(rounded)
    }

    fn double_text(&mut self, column: &Column, text: &str) -> Result<f64, SqlError> {
        let kind = if matches!(column.column_type, ColumnType::Float { .. }) {
            "FLOAT"
        } else {
            "DOUBLE"
        };
        let number = self.numeric_prefix(column, kind, text)?;
        Ok(parse_prefix(number.as_bytes()).0)
    }

    pub(super) fn float(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let number = self.double(column, value)?;
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
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let greatest = u64::MAX >> (64 - u32::from(width.clamp(1, 64)));
        let bits = match value {
            EvalValue::Text(text) => from_bytes(text.as_bytes()),
            EvalValue::Binary(bytes) => from_bytes(&bytes),
            // A negative number is its 64 bits.
            EvalValue::Int(value) => Some(u64::from_ne_bytes(value.to_ne_bytes())),
            other => u64::try_from(self.whole(column, "bit", other)?).ok(),
        };
        let fitting = bits.filter(|bits| *bits <= greatest);
        if fitting.is_none() {
            self.problem(SqlError::data_too_long(&column.name, self.row))?;
        }
        Ok(Value::Bit(fitting.unwrap_or(greatest)))
    }

    pub(super) fn year(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let is_text = matches!(value, EvalValue::Text(_) | EvalValue::Binary(_));
        let digits = value.to_text().map_or(0, |text| text.trim().len());
        let number = match value {
            EvalValue::Date(date) => date.year.into(),
            EvalValue::DateTime(moment) => moment.year.into(),
            other => self.whole(column, "integer", other)?,
        };
        let year = match number {
            0 if is_text && digits < 4 => Some(2000),
            0 => Some(0),
            1..=69 => Some(2000 + number),
            70..=99 => Some(1900 + number),
            1901..=2155 => Some(number),
            _ => None,
        };
        if year.is_none() {
            self.out_of_range(column)?;
        }
        Ok(Value::Year(
            year.and_then(|year| u16::try_from(year).ok()).unwrap_or(0),
        ))
    }
}

fn clamp(value: i128, least: i128, greatest: i128) -> (i128, bool) {
    let stored = value.clamp(least, greatest);
    (stored, stored == value)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, beyond every column's range"
)]
fn whole_of(value: f64) -> i128 {
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
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    significant
        .clone()
        .count()
        .le(&8)
        .then(|| significant.fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
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

/// YYYYMMDDhhmmss.
trait Number {
    fn number(&self) -> i128;
}

impl Number for DateTime {
    fn number(&self) -> i128 {
        let date =
            i128::from(self.year) * 10_000 + i128::from(self.month) * 100 + i128::from(self.day);
        let time = i128::from(self.hour) * 10_000
            + i128::from(self.minute) * 100
            + i128::from(self.second);
        date * 1_000_000 + time
    }
}
