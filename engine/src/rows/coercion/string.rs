//! Columns of text, bytes, members and documents.

use std::borrow::Cow;
use std::cmp::Ordering;

use binlog::value::Value;

use super::Coercion;
use super::copy::{self, Rest, Room};
use super::number::{bits_of, double_of};
use crate::catalog::{Column, ColumnType};
use crate::collation::Collation;
use crate::collation::compare::compare;
use crate::value::datum::Datum;
use crate::value::double_text::fitted;
use crate::value::sourced::{Sourced, TextKind, decimal_of};
use crate::value::{json_text, memory};
use sql::error::SqlError;

/// Characters of a DOUBLE in a TEXT or BLOB.
const DOUBLE_WIDTH: usize = 22;
/// Most bytes of a string in error 1366 for characters.
const SHOWN_BYTES_MAX: usize = 6;

impl Coercion {
    /// CHAR, VARCHAR and TEXT: bytes in the column's character set.
    pub(super) fn characters(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let Some(collation) = column.column_type.collation() else {
            return Ok(Value::Null);
        };
        let (chars, bytes, notes_blanks) = match &column.column_type {
            ColumnType::Char { length, .. } => (usize::from(*length), usize::MAX, false),
            ColumnType::Varchar { length, .. } => (usize::from(*length), usize::MAX, true),
            ColumnType::Text { size, .. } => {
                let most = usize::try_from(size.bytes_max()).unwrap_or(usize::MAX);
                (usize::MAX, most, true)
            }
            _ => (usize::MAX, usize::MAX, true),
        };
        let room = Room { chars, bytes };
        let charset = collation.charset;
        let copied = match (&given.value, given.text) {
            (Datum::Text(bytes), TextKind::Bytes) => copy::bytes(charset, bytes, room),
            (Datum::Double(number), _) => {
                let text = self.double_characters(column, *number)?;
                copy::text(charset, text.as_bytes(), room)
            }
            (other, _) => copy::text(charset, &other.to_text(), room),
        };
        let mut stored = copied.stored;
        if let Some(wrong) = copied.wrong {
            self.wrong_string(column, &wrong)?;
        } else if copied.rest == Rest::Important || given.is_copied {
            self.too_long(column, given.is_copied)?;
        } else if copied.rest == Rest::Blanks && notes_blanks {
            self.note(SqlError::warn_data_truncated(&column.name, self.row));
        }
        if matches!(column.column_type, ColumnType::Char { .. }) {
            // CHAR is stored without its padding.
            let blank = charset.encode(" ").unwrap_or(Cow::Borrowed(b" "));
            while !blank.is_empty() && stored.ends_with(&blank) {
                stored.truncate(stored.len() - blank.len());
            }
        }
        Ok(Value::Bytes(Cow::Owned(stored)))
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
            self.too_long(column, false)?;
        }
        Ok(text)
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

    /// 1406 in strict mode, else warning 1265; problem 1265 for a column cut as it is copied.
    fn too_long(&mut self, column: &Column, is_copied: bool) -> Result<(), SqlError> {
        if self.is_strict && !is_copied {
            return Err(SqlError::data_too_long(&column.name, self.row));
        }
        self.truncated(column)
    }

    /// BINARY, VARBINARY and BLOB.
    pub(super) fn binary(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let mut bytes = match given.value {
            Datum::Text(bytes) => bytes,
            Datum::Double(number) => self.double_characters(column, number)?.into_bytes(),
            other => other.to_text().into_owned(),
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
            self.too_long(column, given.is_copied)?;
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
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let count = members.len();
        let index = match (&given.value, given.text) {
            (
                number @ (Datum::Int(_)
                | Datum::UInt(_)
                | Datum::Float(_)
                | Datum::Double(_)
                | Datum::Decimal(_)),
                _,
            ) => number_up_to(number, count).filter(|index| *index > 0),
            (Datum::Text(digits), TextKind::Digits) => decimal_of(digits)
                .and_then(|number| number_up_to(&Datum::Decimal(number), count))
                .filter(|index| *index > 0),
            (_, _) => {
                let text = match (&given.value, given.text) {
                    // Bytes end where they stop being text.
                    (Datum::Text(bytes), TextKind::Bytes) => {
                        let end = collation.charset.decode(bytes).err();
                        let valid = bytes.get(..end.unwrap_or(bytes.len()));
                        let valid = valid.unwrap_or_default().to_vec();
                        member_text(collation, &Sourced::bytes(valid))
                    }
                    (_, _) => member_text(collation, &given),
                };
                // Blanks before what is no text are none at the end.
                let is_cut = match (&given.value, given.text) {
                    (Datum::Text(bytes), TextKind::Bytes) => {
                        collation.charset.decode(bytes).is_err()
                    }
                    (Datum::Text(bytes), _) => std::str::from_utf8(bytes).is_err(),
                    (_, _) => false,
                };
                let text = match is_cut {
                    true => text.as_str(),
                    false => text.trim_end_matches(' '),
                };
                let position = members
                    .iter()
                    .position(|member| is_same(collation, member, text));
                match position {
                    Some(position) => Some(position + 1),
                    // The number of a member, or 0, as a text.
                    None => number_of_text(text)
                        .filter(|_| !is_cut && text.len() < 6 && may_be_number(&given))
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
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let all = if members.len() >= 64 {
            u64::MAX
        } else {
            (1 << members.len()) - 1
        };
        let number = match (&given.value, given.text) {
            (Datum::Int(value), _) => Some(value.cast_unsigned()),
            (Datum::UInt(value), _) => Some(*value),
            (Datum::Float(value), _) => Some(bits_of(f64::from(*value))),
            (Datum::Double(value), _) => Some(bits_of(*value)),
            (Datum::Decimal(value), _) => Some(bits_of(value.to_f64())),
            (Datum::Text(digits), TextKind::Digits) => Some(bits_of(double_of(digits))),
            (_, _) => None,
        };
        let (bits, is_whole) = match number {
            Some(number) => (number & all, number & all == number),
            None => {
                let text = list_text(collation, &given);
                let (bits, is_whole) = set_of_text(members, collation, all, &text);
                match number_of_text(&text) {
                    Some(_) if !may_be_number(&given) => (0, false),
                    _ => (bits, is_whole),
                }
            }
        };
        if !is_whole {
            self.truncated(column)?;
        }
        Ok(Value::Set(bits))
    }

    pub(super) fn json(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let label = match self.table.as_str() {
            "" => column.name.clone(),
            table => format!("{table}.{}", column.name),
        };
        let text = match (given.value, given.text) {
            (Datum::Text(_), TextKind::Bytes | TextKind::Hex) => {
                return Err(SqlError::invalid_json_charset("binary"));
            }
            (Datum::Text(bytes), TextKind::Characters) => match String::from_utf8(bytes) {
                Ok(text) => text,
                // Where it stops being text no document goes on.
                Err(error) => with_marks(error.as_bytes()),
            },
            (Datum::Json(document), _) => document.to_string(),
            (_, _) => {
                let reason = "not a JSON text, may need CAST";
                return Err(SqlError::invalid_json_text(reason, 0, &label));
            }
        };
        let _room = memory::check_document(text.as_bytes())?;
        json_text::to_binary(&text, &label).map(|binary| Value::Json(Cow::Owned(binary)))
    }

    /// Spatial values and vectors: bytes in MySQL's own form.
    pub(super) fn opaque(
        &mut self,
        column: &Column,
        given: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let wrong = match &column.column_type {
            ColumnType::Vector { .. } => SqlError::data_too_long(&column.name, self.row),
            _ => SqlError::cant_create_geometry_object(),
        };
        let (Datum::Text(bytes), TextKind::Bytes) = (given.value, given.text) else {
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

/// Bytes as text, with `?` for each that is none.
fn with_marks(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '?'));
    }
    text
}

/// Whether a text may be the number of a member: one that is not well-formed is none.
fn may_be_number(given: &Sourced) -> bool {
    given.text == TextKind::Bytes || !given.value.is_ill_formed()
}

/// The text that names members: bytes are text of the column's character set, and what is not
/// well-formed ends where it stops being text.
fn member_text(collation: &Collation, given: &Sourced) -> String {
    match (&given.value, given.text) {
        (Datum::Text(bytes), TextKind::Bytes) => match collation.charset.decode(bytes) {
            Ok(text) => text.into_owned(),
            Err(_) => String::from_utf8_lossy(bytes).into_owned(),
        },
        (Datum::Text(bytes), _) => {
            let valid = bytes.utf8_chunks().next();
            valid.map_or_else(String::new, |chunk| chunk.valid().to_owned())
        }
        (other, _) => other.to_str().into_owned(),
    }
}

/// The text that lists members; each ends where it stops being text.
fn list_text(collation: &Collation, given: &Sourced) -> String {
    let Datum::Text(bytes) = &given.value else {
        return member_text(collation, given);
    };
    if may_be_number(given) {
        return member_text(collation, given);
    }
    let parts = bytes.split(|byte| *byte == b',').map(|part| {
        let valid = part.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        match valid {
            "" if !part.is_empty() => String::from(char::REPLACEMENT_CHARACTER),
            valid => valid.to_owned(),
        }
    });
    parts.collect::<Vec<String>>().join(",")
}

fn is_same(collation: &Collation, a: &str, b: &str) -> bool {
    compare(collation, a.as_bytes(), b.as_bytes()) == Ordering::Equal
}

fn number_up_to(value: &Datum, most: usize) -> Option<usize> {
    let number = match value {
        Datum::Int(value) => i128::from(*value),
        Datum::UInt(value) => i128::from(*value),
        Datum::Decimal(value) => value.truncate(0)?.to_i128()?,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates beyond every index"
        )]
        Datum::Double(value) => *value as i128,
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the cast saturates beyond every index"
        )]
        Datum::Float(value) => *value as i128,
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
        return (bits, is_whole || trimmed.is_empty());
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
    let number = digits.strip_prefix('+').unwrap_or(digits);
    match number.strip_prefix('-') {
        // Zero is the same with a sign.
        Some(rest) => rest.parse().ok().filter(|number| *number == 0),
        None => number.parse().ok(),
    }
}

/// Bytes as error 1366 shows them: the first six, `...` for more.
fn shown_bytes(bytes: &[u8]) -> String {
    let shown = crate::rows::text::escaped(bytes.get(..SHOWN_BYTES_MAX).unwrap_or(bytes));
    // MySQL shows this control character as it is, here alone.
    let shown = shown.replace("\\x7F", "\x7f");
    if bytes.len() > SHOWN_BYTES_MAX {
        format!("{shown}...")
    } else {
        shown
    }
}
