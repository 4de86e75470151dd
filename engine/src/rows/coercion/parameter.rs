//! A parameter of a prepared statement on its way into a column: it takes the column's type first.

use binlog::value::{DateTime, Time};

use super::copy::Begin;
use super::temporal::partial_with_offset;
use crate::catalog::{Column, ColumnType, IntegerSize};
use crate::collation::Collation;
use crate::rows::EvalValue;
use crate::session::SessionContext;
use crate::value::double::parse_prefix;
use crate::value::fraction::{round_moment, round_span};
use crate::value::moment_text::{self, MomentText};
use crate::value::number_text::{self, DecimalRead};
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
    value: EvalValue,
) -> Result<EvalValue, SqlError> {
    let value = shown(value);
    match &column.column_type {
        ColumnType::Date | ColumnType::DateTime { .. } | ColumnType::Timestamp { .. } => {
            let moment = match &value {
                EvalValue::Text(text) => moment_of_text(session, text.as_bytes())?,
                EvalValue::Int(number) => moment_of_number(*number),
                EvalValue::UInt(number) => i64::try_from(*number).ok().and_then(moment_of_number),
                EvalValue::Double(number) => moment_of_split(Split::of_double(*number)),
                _ => None,
            };
            Ok(moment.unwrap_or(value))
        }
        ColumnType::Time { .. } => {
            let span = match &value {
                EvalValue::Text(text) => span_of_text(session, text.as_bytes())?,
                EvalValue::Int(number) => span_of_number(*number),
                // The bits of a number.
                EvalValue::UInt(number) => span_of_number(number.cast_signed()),
                EvalValue::Double(number) => moment_in_span(Split::of_double(*number)),
                _ => None,
            };
            Ok(span.unwrap_or(value))
        }
        ColumnType::Integer { .. } | ColumnType::Bit { .. } | ColumnType::Year => Ok(match value {
            EvalValue::Text(text) => integer_of_text(column, text),
            EvalValue::IllFormed(bytes) => EvalValue::Binary(bytes),
            other => other,
        }),
        column_type if column_type.is_numeric() => Ok(match value {
            EvalValue::Text(text) if matches!(column_type, ColumnType::Decimal { .. }) => {
                exact_of_text(text)
            }
            EvalValue::Text(text) => EvalValue::Binary(text.into_bytes()),
            EvalValue::IllFormed(bytes) => EvalValue::Binary(bytes),
            other => other,
        }),
        column_type => match (column_type.collation(), value) {
            (Some(collation), EvalValue::Text(text)) => {
                in_charset(session, collation, text.into_bytes())
            }
            (Some(collation), EvalValue::IllFormed(bytes)) => in_charset(session, collation, bytes),
            (_, other) => Ok(other),
        },
    }
}

/// A text is taken as an exact number when all of it is one, or as a double when it is too large or
/// too small for exact numbers.
fn exact_of_text(text: String) -> EvalValue {
    let read = number_text::decimal(text.as_bytes(), 0);
    let is_number = number_text::is_number(text.as_bytes());
    let number = double(&text);
    match is_number && number.is_finite() {
        true if read.is_beyond || number_text::vanishes(text.as_bytes()) => {
            EvalValue::Double(number)
        }
        true if read.read == DecimalRead::Cut => EvalValue::Digits(text),
        true | false => EvalValue::Binary(text.into_bytes()),
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
fn integer_of_text(column: &Column, text: String) -> EvalValue {
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
        let number = double(&text);
        return EvalValue::Double(match read.read {
            DecimalRead::Cut => f64::INFINITY.copysign(number),
            DecimalRead::Whole | DecimalRead::NoNumber => number,
        });
    }
    let value = match (read.read, read.value) {
        (DecimalRead::NoNumber | DecimalRead::Cut, _) => None,
        (DecimalRead::Whole, Ok(value)) => {
            Some(value.to_i128().unwrap_or(beyond(value.is_negative())))
        }
        (DecimalRead::Whole, Err(_)) if is_integer && read.is_beyond => None,
        (DecimalRead::Whole, Err(is_negative)) => Some(beyond(is_negative)),
    };
    match value.filter(|value| is_integer || !held.contains(value)) {
        // What was less than zero is none for a column without sign.
        Some(0) if read.is_negative => EvalValue::Digits("-0".to_owned()),
        Some(value) => EvalValue::Digits(value.to_string()),
        None => EvalValue::Binary(text.into_bytes()),
    }
}

/// A date or time shows itself as MySQL prints parameters.
fn shown(value: EvalValue) -> EvalValue {
    match value {
        EvalValue::DateTime(moment, _) => EvalValue::DateTime(moment, 0),
        EvalValue::Time(time, _) => {
            let zeros =
                (0..6).take_while(|digits| time.micros.is_multiple_of(10_u32.pow(digits + 1)));
            let fsp = MICROS - u8::try_from(zeros.count()).unwrap_or(MICROS);
            EvalValue::Time(time, fsp)
        }
        other => other,
    }
}

fn moment_of_text(session: &SessionContext, text: &[u8]) -> Result<Option<EvalValue>, SqlError> {
    // Storing the date says whether the day exists.
    let Ok(read) = moment_text::read(text, &DateRules::ANY_DAY, false) else {
        return Ok(None);
    };
    Ok(local(session, &read)?.map(|moment| match read.has_time {
        true => EvalValue::DateTime(moment.into(), 0),
        false => EvalValue::Date(DateTime::from(moment).date()),
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
            let local = session.time_zone.clock_at(seconds, read.moment.micros);
            local.map(Moment::from)
        }
    };
    Ok(moment.and_then(|moment| round_moment(moment, read.nanos, MICROS).ok()))
}

fn moment_of_number(number: i64) -> Option<EvalValue> {
    moment_of_split(Split::of_integer(number))
}

/// Storing the date says whether the day exists.
fn moment_of_split(number: Split) -> Option<EvalValue> {
    if number.nanos < 0 {
        return None;
    }
    let (moment, has_time) = temporal_number::moment(number.whole, &DateRules::ANY_DAY).ok()?;
    if !has_time {
        return Some(EvalValue::Date(DateTime::from(moment).date()));
    }
    let moment = with_fraction(moment, number)?;
    Some(EvalValue::DateTime(moment.into(), 0))
}

/// The time of day of a number that is a date with one.
fn moment_in_span(number: Split) -> Option<EvalValue> {
    match temporal_number::span(number.whole).ok()? {
        Timed::Span(_) => None,
        Timed::Moment(moment) => Some(time(Span(with_fraction(moment, number)?.time_of_day()))),
    }
}

fn with_fraction(mut moment: Moment, number: Split) -> Option<Moment> {
    moment.micros = u32::try_from(number.nanos / 1000).ok()?;
    let nanos = u32::try_from(number.nanos % 1000).ok()?;
    round_moment(moment, nanos, MICROS).ok()
}

fn span_of_text(session: &SessionContext, text: &[u8]) -> Result<Option<EvalValue>, SqlError> {
    Ok(match span_text::read(text) {
        Ok(SpanText::Span(read)) if read.problems == Problems::default() => {
            let (span, is_cut) = round_span(read.span, read.negative, read.nanos, MICROS);
            (!is_cut).then(|| time(span))
        }
        Ok(SpanText::Span(_)) | Err(_) => None,
        Ok(SpanText::Moment(read)) => {
            let exact = MomentText { nanos: 0, ..read };
            local(session, &exact)?.map(|moment| {
                let span = Span(moment.time_of_day());
                time(round_span(span, false, read.nanos, MICROS).0)
            })
        }
    })
}

fn span_of_number(number: i64) -> Option<EvalValue> {
    Some(match temporal_number::span(number).ok()? {
        Timed::Span(span) => time(span),
        Timed::Moment(moment) => time(Span(moment.time_of_day())),
    })
}

fn time(span: Span) -> EvalValue {
    EvalValue::Time(Time::from(span), 0)
}

/// The text in the column's character set; nothing is said about a last character that is cut short.
fn in_charset(
    session: &SessionContext,
    column: &Collation,
    bytes: Vec<u8>,
) -> Result<EvalValue, SqlError> {
    let connection = session.collation_connection;
    if connection.charset == column.charset || bytes.is_ascii() {
        return Ok(match String::from_utf8(bytes) {
            Ok(text) => EvalValue::Text(text),
            Err(error) => EvalValue::IllFormed(error.into_bytes()),
        });
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
        Ok(_) => Ok(EvalValue::Text(text)),
        Err(_) => Err(impossible()),
    }
}
