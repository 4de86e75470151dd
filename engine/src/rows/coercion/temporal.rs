//! Columns of dates and times.

use binlog::value::Value;

use super::Coercion;
use crate::catalog::Column;
use crate::value::datum::{Datum, json_unquoted};
use crate::value::fraction::{Carry, round_moment, round_span, truncate_span};
use crate::value::moment_text::{self, MomentText};
use crate::value::sourced::{Sourced, TextKind, decimal_of};
use crate::value::span_text::{self, ReadSpan, SpanText};
use crate::value::temporal::{Moment, Span, days_in_month};
use crate::value::temporal_number::{self, Split, Timed};
use crate::value::{DateRules, OddDelimiter, Problems};
use sql::SqlMode;
use sql::error::SqlError;

/// Digits of a second that a text is read to.
const MICRO_DIGITS: u8 = 6;

/// 2038-01-19 03:14:07 UTC, the last TIMESTAMP that MySQL takes from a client.
const TIMESTAMP_SECONDS_MAX: u32 = i32::MAX.unsigned_abs();

/// What a value is before it meets a temporal column.
enum Form<'v> {
    Text(&'v [u8]),
    Number(Split),
    Moment(Moment),
    Span(Span),
}

impl Form<'_> {
    fn of(value: &Sourced) -> Form<'_> {
        match &value.value {
            Datum::Null => Form::Text(b""),
            Datum::Int(number) => Form::Number(Split::of_integer(*number)),
            Datum::Float(number) => Form::Number(Split::of_double(f64::from(*number))),
            Datum::Double(number) => Form::Number(Split::of_double(*number)),
            Datum::Decimal(number) => Form::Number(Split::of_decimal(number)),
            Datum::Text(digits) if value.text == TextKind::Digits => {
                Form::Number(match decimal_of(digits) {
                    Some(number) => Split::of_decimal(&number),
                    None => Split::beyond(digits.starts_with(b"-")),
                })
            }
            Datum::Text(bytes) => Form::Text(bytes),
            Datum::Json(document) => Form::Text(document.as_bytes()),
            Datum::Date(moment) | Datum::DateTime(moment, _) => Form::Moment(*moment),
            Datum::Time(span, _) => Form::Span(*span),
            number @ (Datum::UInt(_)
            | Datum::Year(_)
            | Datum::Enum(..)
            | Datum::Set(..)
            | Datum::Bit(..)) => Form::Number(Split::of_unsigned(number.to_integer().value.bits())),
        }
    }
}

/// A date on its way: nothing when it could not be read, and what was wrong with it.
struct Given {
    moment: Option<Moment>,
    problems: Problems,
    /// Whether adding a second left the calendar.
    overflows: bool,
}

impl Given {
    fn none(problems: Problems) -> Self {
        Self {
            moment: None,
            problems,
            overflows: false,
        }
    }

    /// What rounding carries out of the calendar. That something was left over behind what is no day
    /// is not said.
    fn carried(carry: Carry, problems: Problems) -> Self {
        let overflows = carry == Carry::Overflow;
        Self {
            overflows,
            ..Self::none(Problems {
                truncated: problems.truncated && overflows,
                out_of_range: true,
            })
        }
    }
}

impl Coercion {
    pub(super) fn date(
        &mut self,
        column: &Column,
        value: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let is_json = matches!(value.value, Datum::Json(_));
        let Some(value) = self.json_text(column, "date", value)? else {
            return self.null(column);
        };
        let before = self.warnings.len();
        let moment = self.moment(column, "date", 0, self.rules(), &value)?;
        let moment = moment.unwrap_or_default();
        let mut said = self.warnings.iter().skip(before);
        let is_cut = said.any(|warning| warning.code == SqlError::warn_data_truncated("", 0).code);
        if moment.time_of_day() != 0 && !is_json && !is_cut {
            self.cut(column, "date", &value);
        }
        Ok(Value::Date(moment.into()))
    }

    pub(super) fn datetime(
        &mut self,
        column: &Column,
        fsp: u8,
        value: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let Some(value) = self.json_text(column, "datetime", value)? else {
            return self.null(column);
        };
        let moment = self.moment(column, "datetime", fsp, self.rules(), &value)?;
        Ok(Value::DateTime(moment.unwrap_or_default().into()))
    }

    pub(super) fn timestamp(
        &mut self,
        column: &Column,
        fsp: u8,
        value: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let Some(value) = self.json_text(column, "datetime", value)? else {
            return self.null(column);
        };
        let rules = DateRules {
            zero_parts: false,
            any_day: false,
            ..self.rules()
        };
        let mut given = self.given(fsp, rules, &value)?;
        let local = given.moment.unwrap_or_default();
        let stored = self.zone.to_moment(local).filter(|stored| {
            // Second 0 is the zero date and cannot be a moment.
            local.is_zero() || (1..=TIMESTAMP_SECONDS_MAX).contains(&stored.seconds)
        });
        if stored.is_none() {
            match local.month {
                0 => given.problems.truncated = true,
                _ => given.problems.out_of_range = true,
            }
        }
        self.report(column, "datetime", &given, &value)?;
        Ok(Value::Timestamp(stored.unwrap_or_default()))
    }

    /// The value as a date and time that the column may hold; `None` stands for the zero date in
    /// place of one it may not.
    fn moment(
        &mut self,
        column: &Column,
        kind: &str,
        fsp: u8,
        rules: DateRules,
        value: &Sourced,
    ) -> Result<Option<Moment>, SqlError> {
        let given = self.given(fsp, rules, value)?;
        self.report(column, kind, &given, value)?;
        Ok(given.moment)
    }

    fn given(&mut self, fsp: u8, rules: DateRules, value: &Sourced) -> Result<Given, SqlError> {
        Ok(match Form::of(value) {
            Form::Text(text) => match moment_text::read(text, &rules, false) {
                Ok(read) => return self.given_text(text, &read, fsp),
                Err(unread) => Given::none(unread.problems),
            },
            Form::Number(number) => self.given_number(number, fsp, rules),
            Form::Moment(moment) if !rules.allow(&moment, !moment.midnight().is_zero()) => {
                Given::none(Problems::OUT_OF_RANGE)
            }
            Form::Moment(moment) => self.to_fsp(moment, 0, fsp, Problems::default()),
            Form::Span(span) => {
                let day = self.today.add_micros(span.0);
                self.to_fsp(day.unwrap_or_default(), 0, fsp, Problems::default())
            }
        })
    }

    fn given_text(&mut self, text: &[u8], read: &MomentText, fsp: u8) -> Result<Given, SqlError> {
        let exact = match self.truncates() {
            true => Ok(read.moment),
            false => round_moment(read.moment, read.nanos, MICRO_DIGITS),
        };
        let problems = Problems {
            truncated: read.truncated,
            out_of_range: false,
        };
        let exact = match exact {
            Ok(exact) => exact,
            Err(carry) => {
                return Ok(Given::carried(carry, problems));
            }
        };
        // MySQL forgets the offset of a moment that is rounded up to the next second.
        let offset = read.offset.filter(|_| exact.second == read.moment.second);
        let is_known = self.local(offset, read.moment)?.is_some();
        self.odd_delimiter(read.delimiter, text);
        if !is_known {
            return Ok(Given::none(Problems::OUT_OF_RANGE));
        }
        let mut given = self.to_fsp(read.moment, read.nanos, fsp, problems);
        let carries = given
            .moment
            .is_some_and(|rounded| rounded.second != read.moment.second);
        if let (Some(moment), false) = (given.moment, carries) {
            given.moment = self.local(offset, moment)?;
            given.problems.out_of_range |= given.moment.is_none();
        }
        Ok(given)
    }

    /// The clock of the session's zone for a text that may name an offset.
    fn local(&self, offset: Option<i32>, moment: Moment) -> Result<Option<Moment>, SqlError> {
        match offset {
            None => Ok(Some(moment)),
            Some(offset) if moment.is_partial() => Err(partial_with_offset(moment, offset)),
            Some(offset) => {
                let seconds = moment.epoch_seconds() - i64::from(offset);
                let local = self.zone.local_at(seconds, moment.micros);
                Ok(local)
            }
        }
    }

    fn given_number(&self, number: Split, fsp: u8, rules: DateRules) -> Given {
        if number.whole < 0 || number.nanos < 0 {
            return Given::none(Problems::OUT_OF_RANGE);
        }
        match temporal_number::moment(number.whole, &rules) {
            Err(problems) => Given::none(problems),
            Ok((moment, false)) => Given {
                moment: Some(moment),
                problems: Problems {
                    truncated: number.nanos > 0,
                    out_of_range: false,
                },
                overflows: false,
            },
            Ok((mut moment, true)) => {
                moment.micros = u32::try_from(number.nanos / 1000).unwrap_or(0);
                let nanos = u32::try_from(number.nanos % 1000).unwrap_or(0);
                self.to_fsp(moment, nanos, fsp, Problems::default())
            }
        }
    }

    fn to_fsp(&self, moment: Moment, nanos: u32, fsp: u8, problems: Problems) -> Given {
        let rounded = match self.truncates() {
            true => Ok(moment.truncate(fsp)),
            false => round_moment(moment, nanos, fsp),
        };
        match rounded {
            Ok(moment) => Given {
                moment: Some(moment),
                problems,
                overflows: false,
            },
            Err(carry) => Given::carried(carry, problems),
        }
    }

    pub(super) fn time(
        &mut self,
        column: &Column,
        fsp: u8,
        value: Sourced,
    ) -> Result<Value<'static>, SqlError> {
        let is_json = matches!(value.value, Datum::Json(_));
        let Some(value) = self.json_text(column, "time", value)? else {
            return self.null(column);
        };
        let before = self.warnings.len();
        let read = match Form::of(&value) {
            Form::Text(text) => match span_text::read(text) {
                Ok(SpanText::Span(read)) => {
                    self.odd_delimiter(read.delimiter, text);
                    read
                }
                Ok(SpanText::Moment(read)) => {
                    let local = self.local(read.offset, read.moment)?;
                    self.odd_delimiter(read.delimiter, text);
                    self.span_of_moment(column, local, &read, &value)
                }
                Err(problems) => of_span(Span(0), 0, problems),
            },
            Form::Number(number) => self.span_of_number(column, number, &value),
            Form::Moment(moment) => of_span(Span(moment.time_of_day()), 0, Problems::default()),
            Form::Span(span) => of_span(span, 0, Problems::default()),
        };
        if is_json {
            self.warnings.truncate(before);
        }
        let (span, cut) = match self.truncates() {
            true => (truncate_span(read.span, fsp), false),
            false => round_span(read.span, read.negative, read.nanos, fsp),
        };
        let mut problems = read.problems;
        problems.out_of_range |= cut;
        let given = Given::none(problems);
        self.report(column, "time", &given, &value)?;
        Ok(Value::Time(span.into()))
    }

    /// The time of day of a text that is a date; `local` is the session's clock then.
    fn span_of_moment(
        &mut self,
        column: &Column,
        local: Option<Moment>,
        read: &MomentText,
        value: &Sourced,
    ) -> ReadSpan {
        let Some(moment) = local else {
            return of_span(Span(0), 0, Problems::OUT_OF_RANGE);
        };
        let span = match read.truncated {
            true => Span(moment.time_of_day()),
            false => self.time_of_day(column, moment, value),
        };
        let problems = Problems {
            truncated: read.truncated,
            out_of_range: false,
        };
        of_span(span, read.nanos, problems)
    }

    fn span_of_number(&mut self, column: &Column, number: Split, value: &Sourced) -> ReadSpan {
        match temporal_number::span(number.whole) {
            Err(span) => of_span(span, 0, Problems::OUT_OF_RANGE),
            Ok(Timed::Moment(mut moment)) => {
                moment.micros = u32::try_from(number.nanos / 1000).unwrap_or(0);
                let nanos = u32::try_from(number.nanos % 1000).unwrap_or(0);
                of_span(
                    self.time_of_day(column, moment, value),
                    nanos,
                    Problems::default(),
                )
            }
            Ok(Timed::Span(span)) => {
                let nanos = u32::try_from(number.nanos.unsigned_abs()).unwrap_or(0);
                let negative = span.0 < 0 || number.nanos < 0;
                let micros = span.0.abs() + i64::from(nanos / 1000);
                ReadSpan {
                    negative,
                    ..of_span(
                        Span(if negative { -micros } else { micros }),
                        nanos % 1000,
                        Problems::default(),
                    )
                }
            }
        }
    }

    /// The time of day; that the date is lost is a note.
    fn time_of_day(&mut self, column: &Column, moment: Moment, value: &Sourced) -> Span {
        if !moment.midnight().is_zero() {
            self.cut(column, "time", value);
        }
        Span(moment.time_of_day())
    }

    /// The note that half of a value was dropped.
    fn cut(&mut self, column: &Column, kind: &str, value: &Sourced) {
        let note = match self.is_strict {
            true => {
                let shown = self.shown(column, value);
                SqlError::wrong_temporal_value(kind, shown, &column.name, self.row)
            }
            false => SqlError::warn_data_truncated(&column.name, self.row),
        };
        self.note(note);
    }

    /// The text that a JSON document holds. Problem 3156 for any but a string that is a date or
    /// time: nothing, or zero of a column that is copied.
    fn json_text(
        &mut self,
        column: &Column,
        kind: &str,
        value: Sourced,
    ) -> Result<Option<Sourced>, SqlError> {
        let Datum::Json(document) = &value.value else {
            return Ok(Some(value));
        };
        let text = json_unquoted(document);
        let is_read = document.starts_with('"')
            && match kind {
                "time" => match span_text::read(text.as_bytes()) {
                    Ok(SpanText::Span(read)) => !read.problems.any(),
                    Ok(SpanText::Moment(_)) => true,
                    Err(_) => false,
                },
                _ => moment_text::read(text.as_bytes(), &DateRules::LENIENT, false).is_ok(),
            };
        if is_read {
            return Ok(Some(Datum::text(text).into()));
        }
        let kind = match kind {
            "datetime" => "DATETIME/TIMESTAMP".to_owned(),
            other => other.to_uppercase(),
        };
        let row = self.row;
        self.problem(SqlError::invalid_json_value_for_cast(
            kind.clone(),
            &column.name,
            row,
        ))?;
        let zero = match kind.as_str() {
            "TIME" => Datum::Time(Span::default(), 0),
            _ => Datum::DateTime(Moment::default(), 0),
        };
        Ok(value.is_copied.then(|| zero.into()))
    }

    /// Which dates sql_mode lets through.
    fn rules(&self) -> DateRules {
        DateRules::of(self.sql_mode)
    }

    fn truncates(&self) -> bool {
        self.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL)
    }

    /// What was wrong: error 1292 in strict mode, else warnings 1265 and 1264.
    fn report(
        &mut self,
        column: &Column,
        kind: &str,
        given: &Given,
        value: &Sourced,
    ) -> Result<(), SqlError> {
        if given.overflows {
            self.problem(SqlError::datetime_function_overflow("datetime"))?;
        }
        if !given.problems.any() {
            return Ok(());
        }
        if self.is_strict {
            let shown = self.shown(column, value);
            return Err(SqlError::wrong_temporal_value(
                kind,
                shown,
                &column.name,
                self.row,
            ));
        }
        if given.problems.truncated {
            self.warn(SqlError::warn_data_truncated(&column.name, self.row));
        }
        if given.problems.out_of_range {
            self.warn(SqlError::warn_data_out_of_range(&column.name, self.row));
        }
        Ok(())
    }

    /// A value as messages show it: a date or time with the digits of the column.
    fn shown(&self, column: &Column, value: &Sourced) -> String {
        let fsp = column.column_type.fsp();
        match &value.value {
            Datum::DateTime(moment, _) => {
                let has_day = moment.day <= days_in_month(moment.year, moment.month);
                let is_real = !moment.is_partial() && (has_day || self.rules().any_day);
                let rounded = match self.truncates() || !is_real {
                    true => None,
                    false => round_moment(*moment, 0, fsp).ok(),
                };
                rounded.unwrap_or(*moment).text(fsp)
            }
            Datum::Time(span, _) => span.text(fsp),
            _ => super::source::shown(value),
        }
    }

    fn odd_delimiter(&mut self, delimiter: Option<OddDelimiter>, text: &[u8]) {
        let Some(delimiter) = delimiter else { return };
        let found = match delimiter.found {
            '\t' => "\\t".to_owned(),
            '\n' => "\\n".to_owned(),
            '\r' => "\\r".to_owned(),
            '\u{b}' => "\\v".to_owned(),
            '\u{c}' => "\\f".to_owned(),
            other => other.to_string(),
        };
        let (position, value) = (delimiter.position, String::from_utf8_lossy(text));
        let row = self.row;
        self.warn(match delimiter.preferred {
            Some(preferred) => {
                SqlError::deprecated_delimiter(found, position, value, row, preferred)
            }
            None => SqlError::superfluous_delimiter(found, position, value, row),
        });
    }
}

/// An offset from UTC needs a whole date.
pub(super) fn partial_with_offset(moment: Moment, offset: i32) -> SqlError {
    let clock = moment.text(0);
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    let shown = format!("{clock}{sign}{}:{:02}", minutes / 60, minutes % 60);
    SqlError::truncated_wrong_value("temporal", shown)
}

fn of_span(span: Span, nanos: u32, problems: Problems) -> ReadSpan {
    ReadSpan {
        span,
        negative: span.0 < 0,
        nanos,
        problems,
        delimiter: None,
    }
}
