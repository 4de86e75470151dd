//! Columns of text, bytes, members and documents.

use std::borrow::Cow;
use std::cmp::Ordering;

use binlog::value::Value;

use super::Coercion;
use super::number::bits_of;
use crate::catalog::{Column, ColumnType};
use crate::collation::Collation;
use crate::collation::compare::compare;
use crate::rows::EvalValue;
use crate::value::double_text::fitted;
use crate::value::json_text;
use sql::error::SqlError;

/// Most characters of a value in errors 1366 and 1292.
const SHOWN_CHARS_MAX: usize = 128;
/// Characters of a DOUBLE in a TEXT or BLOB.
const DOUBLE_WIDTH: usize = 22;
/// Most bytes of a string in error 1366 for characters.
const SHOWN_BYTES_MAX: usize = 6;

impl Coercion {
    /// CHAR, VARCHAR and TEXT: bytes in the column's character set.
    pub(super) fn characters(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let Some(collation) = column.column_type.collation() else {
            return Ok(Value::Null);
        };
        let mut text = match value {
            EvalValue::Binary(bytes) => self.text_of_bytes(column, collation, &bytes)?,
            EvalValue::Double(number) => self.double_characters(column, number)?,
            other => other.to_text().unwrap_or_default(),
        };
        match &column.column_type {
            ColumnType::Char { length, .. } => {
                self.fit_characters(column, &mut text, usize::from(*length), false)?;
                // CHAR is stored without its padding.
                text.truncate(text.trim_end_matches(' ').len());
            }
            ColumnType::Varchar { length, .. } => {
                self.fit_characters(column, &mut text, usize::from(*length), true)?;
            }
            _ => {}
        }
        let mut bytes = self.in_charset(column, collation, text)?;
        if let ColumnType::Text { size, .. } = &column.column_type {
            let most = usize::try_from(size.bytes_max()).unwrap_or(usize::MAX);
            if bytes.len() > most {
                self.too_long(column)?;
                let end = boundary(&bytes, most, collation);
                bytes.truncate(end);
            }
        }
        Ok(Value::Bytes(Cow::Owned(bytes)))
    }

    /// A double as the text that fits best. 1406 in strict mode, else warning 1265, when none does.
    fn double_characters(&mut self, column: &Column, number: f64) -> Result<String, SqlError> {
        let width = match &column.column_type {
            ColumnType::Char { length, .. } => usize::from(*length),
            ColumnType::Binary { length } => usize::from(*length),
            ColumnType::Varbinary { length } => usize::from(*length),
            ColumnType::Varchar { length, .. } => usize::from(*length),
            _ => DOUBLE_WIDTH,
        };
        let (text, overflows) = match width {
            0 => (String::new(), true),
            width => fitted(number, width),
        };
        if overflows {
            self.too_long(column)?;
        }
        Ok(text)
    }

    fn text_of_bytes(
        &mut self,
        column: &Column,
        collation: &Collation,
        bytes: &[u8],
    ) -> Result<String, SqlError> {
        match collation.charset.decode(bytes) {
            Ok(text) => Ok(text.into_owned()),
            Err(offset) => {
                let (valid, wrong) = bytes.split_at_checked(offset).unwrap_or((bytes, &[]));
                self.wrong_string(column, wrong)?;
                let text = collation.charset.decode(valid).unwrap_or_default();
                Ok(text.into_owned())
            }
        }
    }

    /// Cuts a text to `most` characters. Only blanks beyond it are a note, or nothing for CHAR.
    fn fit_characters(
        &mut self,
        column: &Column,
        text: &mut String,
        most: usize,
        notes_blanks: bool,
    ) -> Result<(), SqlError> {
        if text.len() <= most {
            return Ok(());
        }
        let Some((end, _)) = text.char_indices().nth(most) else {
            return Ok(());
        };
        if text
            .get(end..)
            .is_some_and(|rest| rest.bytes().any(|byte| byte != b' '))
        {
            self.too_long(column)?;
        } else if notes_blanks {
            self.note(SqlError::warn_data_truncated(&column.name, self.row));
        }
        text.truncate(end);
        Ok(())
    }

    /// Characters that the set lacks are problem 1366 and become `?`.
    fn in_charset(
        &mut self,
        column: &Column,
        collation: &Collation,
        text: String,
    ) -> Result<Vec<u8>, SqlError> {
        let charset = collation.charset;
        let lacking = match charset.encode(&text) {
            Ok(Cow::Owned(bytes)) => return Ok(bytes),
            Ok(Cow::Borrowed(_)) => return Ok(text.into_bytes()),
            Err(character) => character,
        };
        let offset = text.find(lacking).unwrap_or(0);
        self.wrong_string(column, text.as_bytes().get(offset..).unwrap_or_default())?;
        let mut bytes = Vec::with_capacity(text.len());
        let mut buffer = [0; 4];
        for character in text.chars() {
            match charset.encode(character.encode_utf8(&mut buffer)) {
                Ok(encoded) => bytes.extend_from_slice(&encoded),
                Err(_) => bytes.push(b'?'),
            }
        }
        Ok(bytes)
    }

    fn wrong_string(&mut self, column: &Column, bytes: &[u8]) -> Result<(), SqlError> {
        let shown = shown_bytes(bytes);
        self.problem(SqlError::wrong_value_for_field(
            "string",
            shown,
            &column.name,
            self.row,
        ))
    }

    /// 1406 in strict mode, else warning 1265.
    fn too_long(&mut self, column: &Column) -> Result<(), SqlError> {
        if self.is_strict {
            return Err(SqlError::data_too_long(&column.name, self.row));
        }
        self.truncated(column)
    }

    /// BINARY, VARBINARY and BLOB.
    pub(super) fn binary(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let mut bytes = match value {
            EvalValue::Binary(bytes) => bytes,
            EvalValue::Double(number) => self.double_characters(column, number)?.into_bytes(),
            other => other.to_text().unwrap_or_default().into_bytes(),
        };
        let (most, pads) = match &column.column_type {
            ColumnType::Binary { length } => (usize::from(*length), true),
            ColumnType::Varbinary { length } => (usize::from(*length), false),
            ColumnType::Blob { size } => (
                usize::try_from(size.bytes_max()).unwrap_or(usize::MAX),
                false,
            ),
            _ => (usize::MAX, false),
        };
        if bytes.len() > most {
            self.too_long(column)?;
            bytes.truncate(most);
        } else if pads {
            bytes.resize(most, 0);
        }
        Ok(Value::Bytes(Cow::Owned(bytes)))
    }

    pub(super) fn member(
        &mut self,
        column: &Column,
        members: &[String],
        collation: &Collation,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let count = members.len();
        let index = match value {
            EvalValue::Int(_)
            | EvalValue::UInt(_)
            | EvalValue::Float(_)
            | EvalValue::Double(_)
            | EvalValue::Decimal(_) => number_up_to(&value, count).filter(|index| *index > 0),
            other => {
                let text = other.to_text().unwrap_or_default();
                let text = text.trim_end_matches(' ');
                let position = members
                    .iter()
                    .position(|member| is_same(collation, member, text));
                match position {
                    Some(position) => Some(position + 1),
                    // The number of a member, or 0, as a text.
                    None => number_of_text(text)
                        .filter(|_| text.len() < 6)
                        .and_then(|number| usize::try_from(number).ok())
                        .filter(|number| *number <= count),
                }
            }
        };
        let Some(index) = index else {
            self.truncated(column)?;
            return Ok(Value::Enum(0));
        };
        Ok(Value::Enum(u32::try_from(index).unwrap_or(0)))
    }

    pub(super) fn members(
        &mut self,
        column: &Column,
        members: &[String],
        collation: &Collation,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let all = if members.len() >= 64 {
            u64::MAX
        } else {
            (1 << members.len()) - 1
        };
        let number = match &value {
            EvalValue::Int(value) => Some(u64::from_ne_bytes(value.to_ne_bytes())),
            EvalValue::UInt(value) => Some(*value),
            EvalValue::Float(value) => Some(bits_of(f64::from(*value))),
            EvalValue::Double(value) => Some(bits_of(*value)),
            EvalValue::Decimal(value) => Some(
                value
                    .to_i128()
                    .and_then(|v| u64::try_from(v).ok())
                    .unwrap_or(u64::MAX),
            ),
            _ => None,
        };
        let (bits, is_whole) = match number {
            Some(number) => (number & all, number & all == number),
            None => set_of_text(
                members,
                collation,
                all,
                &value.to_text().unwrap_or_default(),
            ),
        };
        if !is_whole {
            self.truncated(column)?;
        }
        Ok(Value::Set(bits))
    }

    pub(super) fn json(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let label = match self.table.as_str() {
            "" => column.name.clone(),
            table => format!("{table}.{}", column.name),
        };
        let text = match value {
            EvalValue::Binary(_) => return Err(SqlError::invalid_json_charset("binary")),
            EvalValue::Text(text) | EvalValue::Json(text) => text,
            EvalValue::Null
            | EvalValue::Int(_)
            | EvalValue::UInt(_)
            | EvalValue::Float(_)
            | EvalValue::Double(_)
            | EvalValue::Decimal(_)
            | EvalValue::Date(_)
            | EvalValue::Time(..)
            | EvalValue::DateTime(..) => {
                let reason = "not a JSON text, may need CAST";
                return Err(SqlError::invalid_json_text(reason, 0, &label));
            }
        };
        json_text::to_binary(&text, &label).map(|binary| Value::Json(Cow::Owned(binary)))
    }

    /// Spatial values and vectors: bytes in MySQL's own form.
    pub(super) fn opaque(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let wrong = match &column.column_type {
            ColumnType::Vector { .. } => SqlError::data_too_long(&column.name, self.row),
            _ => SqlError::cant_create_geometry_object(),
        };
        let EvalValue::Binary(bytes) = value else {
            return Err(wrong);
        };
        let fits = match &column.column_type {
            ColumnType::Vector { dimensions } => {
                bytes.len().is_multiple_of(4) && bytes.len() / 4 <= usize::from(*dimensions)
            }
            // SRID, byte order and type.
            _ => bytes.len() >= 9,
        };
        if !fits {
            return Err(wrong);
        }
        if let ColumnType::Geometry {
            srid: Some(srid), ..
        } = column.column_type
            && let Some(found) = bytes.first_chunk().copied().map(u32::from_le_bytes)
            && found != srid
        {
            return Err(SqlError::wrong_srid_for_column(&column.name, found, srid));
        }
        Ok(Value::Bytes(Cow::Owned(bytes)))
    }
}

fn is_same(collation: &Collation, a: &str, b: &str) -> bool {
    compare(collation, a.as_bytes(), b.as_bytes()) == Ordering::Equal
}

fn number_up_to(value: &EvalValue, most: usize) -> Option<usize> {
    let number = match value {
        EvalValue::Int(value) => i128::from(*value),
        EvalValue::UInt(value) => i128::from(*value),
        EvalValue::Decimal(value) => value.to_i128()?,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates beyond every index"
        )]
        EvalValue::Double(value) => *value as i128,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates beyond every index"
        )]
        EvalValue::Float(value) => *value as i128,
        _ => return None,
    };
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= most)
}

/// The bits of a comma-separated list, and whether all of it was known.
fn set_of_text(members: &[String], collation: &Collation, all: u64, text: &str) -> (u64, bool) {
    let mut bits = 0;
    let mut is_whole = true;
    let trimmed = text.trim_end_matches(' ');
    if text.is_empty() {
        return (0, true);
    }
    for part in trimmed.split(',') {
        match members
            .iter()
            .position(|member| is_same(collation, member, part))
        {
            Some(position) => bits |= 1_u64 << position,
            None => is_whole = false,
        }
    }
    if bits != 0 || text.len() >= 22 {
        return (bits, is_whole);
    }
    // The members as a number.
    match number_of_text(text).filter(|number| number & all == *number) {
        Some(number) => (number, true),
        None => (0, false),
    }
}

/// A text of digits alone, blanks and a sign before them.
fn number_of_text(text: &str) -> Option<u64> {
    let digits = text.trim_start();
    digits.strip_prefix('+').unwrap_or(digits).parse().ok()
}

fn boundary(bytes: &[u8], most: usize, collation: &Collation) -> usize {
    if collation.charset.bytes_per_char_max() == 1 {
        return most;
    }
    // A byte 10xxxxxx continues a character of UTF-8.
    (0..=most)
        .rev()
        .find(|end| bytes.get(*end).is_none_or(|byte| byte & 0xc0 != 0x80))
        .unwrap_or(0)
}

/// A text as errors show it.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}

/// Bytes as error 1366 shows them: the first six, `...` for more.
fn shown_bytes(bytes: &[u8]) -> String {
    let shown = crate::rows::text::escaped(bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes));
    if bytes.len() > SHOWN_BYTES_MAX {
        format!("{shown}...")
    } else {
        shown
    }
}
