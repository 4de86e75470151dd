//! A parameter of a prepared statement on its way into a column: it takes the column's type first.

use super::copy::Begin;
use super::temporal::partial_with_offset;
use crate::catalog::{Column, ColumnType};
use crate::collation::Collation;
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::decimal_text::{self, DecimalRead};
use crate::value::double;
use crate::value::fraction::{round_moment, round_span};
use crate::value::moment_text::{self, MomentText};
use crate::value::sourced::{Sourced, TextKind};
use crate::value::span_text::{self, SpanText};
use crate::value::temporal::{Moment, Span};
use crate::value::temporal_number::{self, Split, Timed};
use crate::value::{DateRules, Problems};
use sql::error::SqlError;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Digits of a second that a value holds.
const MICROS: u8 = 6;

/// The value of a `?` that stands alone where a column gets its value. What is no value of the
/// column's type stays as it is: storing it says so. Error 3988 for characters that the column's
/// character set lacks.
pub(crate) fn parameter(
    session: &SessionContext,
    column: &Column,
    given: Sourced,
) -> Result<Sourced, SqlError> {
    let given = given.map(shown);
    match &column.column_type {
        ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => {
            let moment = match &given.value {
                Datum::Text(_) => match given.characters() {
                    Some(text) => moment_of_text(session, text.as_bytes())?,
                    None => None,
                },
                Datum::Int(number) => moment_of_number(*number),
                Datum::UInt(number) => i64::try_from(*number).ok().and_then(moment_of_number),
                Datum::Double(number) => moment_of_split(Split::of_double(*number)),
                _ => None,
            };
            Ok(moment.map_or(given, Sourced::from))
        }
        ColumnType::Time { .. } => {
            let span = match &given.value {
                Datum::Text(_) => match given.characters() {
                    Some(text) => span_of_text(session, text.as_bytes())?,
                    None => None,
                },
                Datum::Int(number) => span_of_number(*number),
                // The bits of a number.
                Datum::UInt(number) => span_of_number(number.cast_signed()),
                Datum::Double(number) => moment_in_span(Split::of_double(*number)),
                _ => None,
            };
            Ok(span.map_or(given, |span| Datum::Time(span, 0).into()))
        }
        column_type if column_type.is_numeric() => {
            let number = given.characters().and_then(|text| match column_type {
                ColumnType::Integer { .. } | ColumnType::Bit { .. } | ColumnType::Year => {
                    integer_of_text(column, text)
                }
                ColumnType::Decimal { .. } => approximate_of_text(text),
                _ => None,
            });
            // Any other text is taken as its bytes.
            Ok(number.unwrap_or_else(|| match given.value {
                Datum::Text(bytes) => Sourced::bytes(bytes),
                other => other.into(),
            }))
        }
        column_type => match (column_type.collation(), given.value, given.text) {
            (Some(collation), Datum::Text(bytes), TextKind::Characters) => {
                in_charset(session, collation, bytes)
            }
            (_, value, _) => Ok(Sourced { value, ..given }),
        },
    }
}

/// A text is taken as a double when it has more digits than MySQL's exact numbers, or is too large or
/// too small for them.
fn approximate_of_text(text: &str) -> Option<Sourced> {
    let read = decimal_text::decimal(text.as_bytes(), 0);
    match read.read {
        DecimalRead::NoNumber => None,
        DecimalRead::Whole if !read.is_beyond => None,
        DecimalRead::Whole | DecimalRead::Cut => {
            let number = double::whole(text.as_bytes())?;
            Some(Datum::Double(number).into())
        }
    }
}

/// A text is taken as a number when it is none of the column's 64 bits: as an exact one, and for a
/// column of integers as a double where exact numbers have no room.
fn integer_of_text(column: &Column, text: &str) -> Option<Sourced> {
    let column_type = &column.column_type;
    let is_integer = matches!(column_type, ColumnType::Integer { .. });
    if is_integer && let Some(number) = approximate_of_text(text) {
        return Some(number);
    }
    let held = match column_type.is_unsigned() || !is_integer {
        true => 0..=i128::from(u64::MAX),
        false => i128::from(i64::MIN)..=i128::from(i64::MAX),
    };
    let read = decimal_text::decimal(text.as_bytes(), 0);
    let beyond = |is_negative: bool| if is_negative { i128::MIN } else { i128::MAX };
    let value = match (read.read, read.value) {
        (DecimalRead::Whole | DecimalRead::Cut, Err(is_negative)) if read.is_beyond => {
            beyond(is_negative)
        }
        (DecimalRead::NoNumber | DecimalRead::Cut, _) => return None,
        (DecimalRead::Whole, Ok(value)) => value.to_i128().unwrap_or(beyond(value.is_negative())),
        (DecimalRead::Whole, Err(is_negative)) => beyond(is_negative),
    };
    if !is_integer && held.contains(&value) {
        return None;
    }
    Some(Sourced::digits(match value {
        // What was less than zero is none for a column without sign.
        0 if read.is_negative => "-0".to_owned(),
        value => value.to_string(),
    }))
}

/// A date or time shows itself as MySQL prints parameters.
fn shown(value: Datum) -> Datum {
    match value {
        Datum::DateTime(moment, _) => Datum::DateTime(moment, 0),
        Datum::Time(span, _) => {
            let micros = span.micros();
            let zeros = (0..6).take_while(|digits| micros % 10_i64.pow(digits + 1) == 0);
            let fsp = MICROS - u8::try_from(zeros.count()).unwrap_or(MICROS);
            Datum::Time(span, fsp)
        }
        other => other,
    }
}

fn moment_of_text(session: &SessionContext, text: &[u8]) -> Result<Option<Datum>, SqlError> {
    // Storing the date says whether the day exists.
    let Ok(read) = moment_text::read(text, &DateRules::ANY_DAY, false) else {
        return Ok(None);
    };
    Ok(local(session, &read)?.map(|moment| match read.has_time {
        true => Datum::DateTime(moment, 0),
        false => Datum::Date(moment.midnight()),
    }))
}

/// The session's clock at a moment that was read whole.
fn local(session: &SessionContext, read: &MomentText) -> Result<Option<Moment>, SqlError> {
    let Ok(rounded) = round_moment(read.moment, read.nanos, MICROS) else {
        return Ok(None);
    };
    if read.truncated {
        return Ok(None);
    }
    let moment = match read.offset {
        None => Some(read.moment),
        // MySQL forgets the offset of a moment that is rounded up to the next second.
        Some(_) if rounded.second != read.moment.second => Some(read.moment),
        Some(offset) if read.moment.is_partial() => {
            return Err(partial_with_offset(read.moment, offset));
        }
        Some(offset) => {
            // The year 0 has a 29 February here.
            let leap = match (read.moment.year, read.moment.month) {
                (0, 3..) => DAY,
                _ => 0,
            };
            let seconds = read.moment.epoch_seconds() + leap - i64::from(offset);
            let clock = session.time_zone.clock_at(seconds, read.moment.micros);
            Some(clock.map_err(|shown| SqlError::truncated_wrong_value("temporal", shown))?)
        }
    };
    Ok(moment.and_then(|moment| round_moment(moment, read.nanos, MICROS).ok()))
}

fn moment_of_number(number: i64) -> Option<Datum> {
    moment_of_split(Split::of_integer(number))
}

/// Storing the date says whether the day exists.
fn moment_of_split(number: Split) -> Option<Datum> {
    if number.nanos < 0 {
        return None;
    }
    let (moment, has_time) = temporal_number::moment(number.whole, &DateRules::ANY_DAY).ok()?;
    if !has_time {
        return Some(Datum::Date(moment.midnight()));
    }
    let moment = with_fraction(moment, number)?;
    Some(Datum::DateTime(moment, 0))
}

/// The time of day of a number that is a date with one.
fn moment_in_span(number: Split) -> Option<Span> {
    match temporal_number::span(number.whole).ok()? {
        Timed::Span(_) => None,
        Timed::Moment(moment) => Some(Span(with_fraction(moment, number)?.time_of_day())),
    }
}

fn with_fraction(mut moment: Moment, number: Split) -> Option<Moment> {
    moment.micros = u32::try_from(number.nanos / 1000).ok()?;
    let nanos = u32::try_from(number.nanos % 1000).ok()?;
    round_moment(moment, nanos, MICROS).ok()
}

fn span_of_text(session: &SessionContext, text: &[u8]) -> Result<Option<Span>, SqlError> {
    Ok(match span_text::read(text) {
        Ok(SpanText::Span(read)) if read.problems == Problems::default() => {
            let (span, is_cut) = round_span(read.span, read.negative, read.nanos, MICROS);
            (!is_cut).then_some(span)
        }
        Ok(SpanText::Span(_)) | Err(_) => None,
        Ok(SpanText::Moment(read)) => {
            let exact = MomentText { nanos: 0, ..read };
            local(session, &exact)?.map(|moment| {
                let span = Span(moment.time_of_day());
                round_span(span, false, read.nanos, MICROS).0
            })
        }
    })
}

fn span_of_number(number: i64) -> Option<Span> {
    Some(match temporal_number::span(number).ok()? {
        Timed::Span(span) => span,
        Timed::Moment(moment) => Span(moment.time_of_day()),
    })
}

/// The text in the column's character set; nothing is said about a last character that is cut short.
fn in_charset(
    session: &SessionContext,
    column: &Collation,
    bytes: Vec<u8>,
) -> Result<Sourced, SqlError> {
    let connection = session.collation_connection;
    if connection.charset == column.charset || bytes.is_ascii() {
        return Ok(Datum::Text(bytes).into());
    }
    let impossible =
        || SqlError::impossible_string_conversion(connection.name, column.name, "parameter");
    let mut text = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(rest) = bytes.get(at..) {
        match Begin::of(rest) {
            Begin::Incomplete => break,
            Begin::Wrong => return Err(impossible()),
            Begin::Character(character) => {
                text.push(character);
                at += character.len_utf8();
            }
        }
    }
    match column.charset.encode(&text) {
        Ok(_) => Ok(Datum::text(text).into()),
        Err(_) => Err(impossible()),
    }
}
