//! YEAR columns: years of two and of four digits, out of numbers, texts and dates.

use binlog::value::Value;

use super::Coercion;
use super::number::whole_of;
use super::source::Source;
use crate::catalog::Column;
use crate::value::datum::Datum;
use crate::value::sourced::{Sourced, TextKind};
use crate::value::{is_blank, number_text};
use sql::error::SqlError;

impl Coercion {
    pub(super) fn year(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let is_digits = given.text == TextKind::Digits;
        let (number, is_short_text) = match &given.value {
            Datum::Text(bytes) if !is_digits => {
                self.year_text(column, Source::of(bytes, given.text))?
            }
            Datum::Json(document) if given.is_copied => {
                let number = self.json_number(column, "INTEGER", document)?;
                return self.year(column, number);
            }
            Datum::Json(document) => self.year_text(column, Source::Text(document.as_bytes()))?,
            Datum::Date(moment) | Datum::DateTime(moment, _) => (moment.year.into(), false),
            Datum::Time(..) => (self.today.year.into(), false),
            Datum::Float(value) => (year_of_double(f64::from(*value)), false),
            Datum::Double(value) => (year_of_double(*value), false),
            _ => (self.whole(column, "integer", given)?, false),
        };
        let year = match number {
            0 if is_short_text => Some(2000),
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

    /// The number, and whether it is a text that is not four characters long.
    fn year_text(&mut self, column: &Column, text: Source<'_>) -> Result<(i128, bool), SqlError> {
        let read = number_text::integer(text.bytes());
        let is_year = (0..100).contains(&read.value) || (1901..=2155).contains(&read.value);
        if !is_year {
            return Ok((read.value, false));
        }
        if !read.is_number {
            self.no_number(column, "integer", text)?;
            return Ok((0, false));
        }
        // Bytes end without blanks.
        let is_padded =
            matches!(text, Source::Bytes(bytes) if bytes.last().copied().is_some_and(is_blank));
        if read.has_rest || is_padded {
            self.truncated(column)?;
        }
        Ok((read.value, text.bytes().len() != 4))
    }
}

/// A year without its fraction; none for what is beyond the last one.
fn year_of_double(value: f64) -> i128 {
    match (0.0..=2155.0).contains(&value) {
        true => whole_of(value),
        false => -1,
    }
}
