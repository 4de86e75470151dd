//! Columns of dates and times.

use binlog::value::{Date, DateTime, Decimal, Time, Timestamp, Value};

use super::Coercion;
use crate::catalog::Column;
use crate::expr::temporal::{Moment, SPAN_MAX, Span};
use crate::expr::temporal_text::{Parsed, moment_from_number, parse_moment};
use crate::rows::EvalValue;
use sql::SqlMode;
use sql::error::SqlError;

/// 2038-01-19 03:14:07 UTC, the last TIMESTAMP that MySQL takes from a client.
const TIMESTAMP_SECONDS_MAX: u32 = i32::MAX.unsigned_abs();

impl Coercion {
    pub(super) fn date(
        &mut self,
        column: &Column,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let text = value.to_text().unwrap_or_default();
        let moment = self.moment(column, "date", value)?;
        if moment.time_of_day() != 0 {
            let shown = super::string::shown(&text);
            self.note(SqlError::wrong_temporal_value(
                "date",
                shown,
                &column.name,
                self.row,
            ));
        }
        Ok(Value::Date(Date {
            year: moment.year,
            month: moment.month,
            day: moment.day,
        }))
    }

    pub(super) fn datetime(
        &mut self,
        column: &Column,
        fsp: u8,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let moment = self.moment(column, "datetime", value)?;
        Ok(Value::DateTime(DateTime::from(self.to_fsp(moment, fsp))))
    }

    pub(super) fn timestamp(
        &mut self,
        column: &Column,
        fsp: u8,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let text = value.to_text().unwrap_or_default();
        let moment = self.moment(column, "datetime", value)?;
        let local = DateTime::from(self.to_fsp(moment, fsp));
        let stored = self.zone.to_moment(local).filter(|stored| {
            // Second 0 is the zero date and cannot be a moment.
            local == DateTime::default() || (1..=TIMESTAMP_SECONDS_MAX).contains(&stored.seconds)
        });
        match stored {
            Some(stored) => Ok(Value::Timestamp(stored)),
            None => {
                self.wrong_moment(column, "datetime", &text)?;
                Ok(Value::Timestamp(Timestamp::default()))
            }
        }
    }

    pub(super) fn time(
        &mut self,
        column: &Column,
        fsp: u8,
        value: EvalValue,
    ) -> Result<Value<'static>, SqlError> {
        let text = value.to_text().unwrap_or_default();
        let span = match value {
            EvalValue::Time(time) => Some((Span::from(time), false)),
            EvalValue::DateTime(moment) => Some((Span(Moment::from(moment).time_of_day()), false)),
            EvalValue::Date(_) => Some((Span(0), false)),
            _ => Span::parse(&text),
        };
        let Some((span, is_cut)) = span else {
            self.cut_moment(column, "time", &text)?;
            return Ok(Value::Time(Time::default()));
        };
        if is_cut {
            self.cut_moment(column, "time", &text)?;
        }
        if span.0.abs() > SPAN_MAX + 999_999 {
            self.wrong_moment(column, "time", &text)?;
        }
        let fitting = match self.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL) {
            true => truncate_span(span, fsp),
            false => span.round(fsp),
        };
        Ok(Value::Time(Time::from(fitting.clamp())))
    }

    /// The value as a date and time that the column may hold; the zero date for one it may not.
    fn moment(
        &mut self,
        column: &Column,
        kind: &str,
        value: EvalValue,
    ) -> Result<Moment, SqlError> {
        let text = value.to_text().unwrap_or_default();
        let parsed = match value {
            EvalValue::Date(date) => whole(Moment::from(date)),
            EvalValue::DateTime(moment) => whole(Moment::from(moment)),
            EvalValue::Time(time) => {
                let today = Moment::from(self.today);
                today.add_micros(time.as_micros()).and_then(whole)
            }
            EvalValue::Int(number) => moment_from_number(number),
            EvalValue::UInt(number) => i64::try_from(number).ok().and_then(moment_from_number),
            EvalValue::Double(number) => Decimal::from_f64(number)
                .as_ref()
                .and_then(moment_from_decimal),
            EvalValue::Decimal(number) => moment_from_decimal(&number),
            _ => parse_moment(&text),
        };
        let Some(parsed) = parsed else {
            match names_impossible_day(&text) {
                true => self.wrong_moment(column, kind, &text)?,
                false => self.cut_moment(column, kind, &text)?,
            }
            return Ok(Moment::default());
        };
        if !self.is_allowed(&parsed.moment) {
            self.wrong_moment(column, kind, &text)?;
            return Ok(Moment::default());
        }
        if parsed.truncated {
            self.cut_moment(column, kind, &text)?;
        }
        Ok(parsed.moment)
    }

    /// Whether sql_mode allows the date.
    fn is_allowed(&self, moment: &Moment) -> bool {
        if moment.is_zero() {
            return !self.sql_mode.contains(SqlMode::NO_ZERO_DATE);
        }
        if moment.is_partial() {
            return !self.sql_mode.contains(SqlMode::NO_ZERO_IN_DATE) && moment.is_valid(true);
        }
        let any_day =
            self.sql_mode.contains(SqlMode::INVALID_DATES) && (1..=31).contains(&moment.day);
        moment.is_valid(true) || (any_day && Moment { day: 1, ..*moment }.is_valid(true))
    }

    fn to_fsp(&self, moment: Moment, fsp: u8) -> Moment {
        match self.sql_mode.contains(SqlMode::TIME_TRUNCATE_FRACTIONAL) {
            true => moment.truncate(fsp),
            false => moment.round(fsp),
        }
    }

    /// 1292 in strict mode, else warning 1264.
    fn wrong_moment(&mut self, column: &Column, kind: &str, text: &str) -> Result<(), SqlError> {
        if self.is_strict {
            let shown = super::string::shown(text);
            return Err(SqlError::wrong_temporal_value(
                kind,
                shown,
                &column.name,
                self.row,
            ));
        }
        self.out_of_range(column)
    }

    /// 1292 in strict mode, else warning 1265.
    fn cut_moment(&mut self, column: &Column, kind: &str, text: &str) -> Result<(), SqlError> {
        if self.is_strict {
            let shown = super::string::shown(text);
            return Err(SqlError::wrong_temporal_value(
                kind,
                shown,
                &column.name,
                self.row,
            ));
        }
        self.truncated(column)
    }
}

fn whole(moment: Moment) -> Option<Parsed> {
    Some(Parsed {
        moment,
        has_time: true,
        truncated: false,
    })
}

/// YYYYMMDDhhmmss.ffffff.
fn moment_from_decimal(number: &Decimal) -> Option<Parsed> {
    let seconds = number.truncate(0)?;
    let whole = i64::try_from(seconds.to_i128()?).ok()?;
    let micros = number.sub(seconds)?.unscaled(6)?;
    let mut parsed = moment_from_number(whole)?;
    parsed.moment = parsed
        .moment
        .add_micros(i64::try_from(micros).ok()?)
        .unwrap_or(parsed.moment);
    Some(parsed)
}

fn truncate_span(span: Span, fsp: u8) -> Span {
    let unit = 10_i64.pow(6 - u32::from(fsp.min(6)));
    Span(span.0 / unit * unit)
}

/// Whether a text is a date but for a day that its month does not have.
fn names_impossible_day(text: &str) -> bool {
    let mut numbers = text.split(|character: char| !character.is_ascii_digit());
    let mut next = || numbers.next().and_then(|number| number.parse::<u32>().ok());
    let (year, month, day) = (next(), next(), next());
    year.is_some() && month.is_some_and(|month| month <= 12) && day.is_some_and(|day| day <= 31)
}
