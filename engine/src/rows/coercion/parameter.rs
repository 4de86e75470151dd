//! A parameter of a prepared statement on its way into a column: it takes the column's type first.

use super::copy::Begin;
use super::temporal::partial_with_offset;
use crate::catalog::{Column, ColumnType, IntegerSize};
use crate::collation::Collation;
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::double::parse_prefix;
use crate::value::fraction::{round_moment, round_span};
use crate::value::moment_text::{self, MomentText};
use crate::value::number_text::{self, DecimalRead};
use crate::value::sourced::{Sourced, TextKind};
use crate::value::span_text::{self, SpanText};
use crate::value::temporal::{Moment, Span};
use crate::value::temporal_number::{self, Split, Timed};
use crate::value::{DateRules, Problems};
use sql::error::SqlError;

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
                ColumnType::Decimal { .. } => exact_of_text(text),
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

/// A text is taken as an exact number when all of it is one, or as a double when it is too large or
/// too small for exact numbers.
fn exact_of_text(text: &str) -> Option<Sourced> {
    let read = number_text::decimal(text.as_bytes(), 0);
    let is_number = number_text::is_number(text.as_bytes());
    let number = double(text);
    match is_number && number.is_finite() {
        true if read.is_beyond || number_text::vanishes(text.as_bytes()) => {
            Some(Datum::Double(number).into())
        }
        true if read.read == DecimalRead::Cut => Some(Sourced::digits(text.to_owned())),
        true | false => None,
    }
}

/// The double that a text begins with, infinite beyond all of them.
fn double(text: &str) -> f64 {
    let (nearest, used) = parse_prefix(text.as_bytes());
    let exact = text
        .get(..used)
        .and_then(|number| number.trim().parse().ok());
    exact.unwrap_or(nearest)
}

/// A text is taken as an exact number when it is none of the column's 64 bits.
fn integer_of_text(column: &Column, text: &str) -> Option<Sourced> {
    let column_type = &column.column_type;
    let is_unsigned = matches!(column_type, ColumnType::Bit { .. } | ColumnType::Year)
        || column_type.is_unsigned();
    let held = match is_unsigned {
        true => 0..=i128::from(u64::MAX),
        false => i128::from(i64::MIN)..=i128::from(i64::MAX),
    };
    let read = number_text::decimal(text.as_bytes(), 0);
    let beyond = |is_negative: bool| if is_negative { i128::MIN } else { i128::MAX };
    let is_integer = matches!(column_type, ColumnType::Integer { .. });
    let is_small =
        matches!(column_type, ColumnType::Integer { size, .. } if *size != IntegerSize::Big);
    if is_small && read.is_beyond {
        let number = double(text);
        let number = match read.read {
            DecimalRead::Cut => f64::INFINITY.copysign(number),
            DecimalRead::Whole | DecimalRead::NoNumber => number,
        };
        return Some(Datum::Double(number).into());
    }
    let value = match (read.read, read.value) {
        (DecimalRead::NoNumber | DecimalRead::Cut, _) => None,
        (DecimalRead::Whole, Ok(value)) => {
            Some(value.to_i128().unwrap_or(beyond(value.is_negative())))
        }
        (DecimalRead::Whole, Err(_)) if is_integer && read.is_beyond => None,
        (DecimalRead::Whole, Err(is_negative)) => Some(beyond(is_negative)),
    };
    let beyond_held = value.filter(|value| is_integer || !held.contains(value))?;
    Some(Sourced::digits(match beyond_held {
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
    if read.truncated || round_moment(read.moment, read.nanos, MICROS).is_err() {
        return Ok(None);
    }
    let moment = match read.offset {
        None => Some(read.moment),
        Some(offset) if read.moment.is_partial() => {
            return Err(partial_with_offset(read.moment, offset));
        }
        Some(offset) => {
            let seconds = read.moment.epoch_seconds() - i64::from(offset);
            session.time_zone.clock_at(seconds, read.moment.micros)
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
