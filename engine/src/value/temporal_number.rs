//! Dates and times given as numbers: YYYYMMDD, YYMMDD, YYYYMMDDhhmmss, YYMMDDhhmmss and hhmmss.

use binlog::value::Decimal;

use super::{DateRules, Problems};
use crate::value::temporal::Moment;
use crate::value::temporal::{SPAN_MAX, Span};

/// A number as whole part and nanoseconds, both with its sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// The whole part, cut to 64 bits.
    pub whole: i64,
    /// Billionths.
    pub nanos: i64,
}

impl Split {
    /// A whole number.
    #[must_use]
    pub fn of_integer(whole: i64) -> Self {
        Self { whole, nanos: 0 }
    }

    /// A whole number without sign.
    #[must_use]
    pub fn of_unsigned(whole: u64) -> Self {
        i64::try_from(whole).map_or(Self::beyond(false), Self::of_integer)
    }

    /// A double, rounded to billionths.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the casts saturate"
    )]
    #[must_use]
    pub fn of_double(value: f64) -> Self {
        if value >= i64::MAX as f64 || value <= i64::MIN as f64 {
            return Self::of_integer(value as i64);
        }
        let whole = value.trunc();
        let nanos = ((value - whole) * 1e9).round_ties_even();
        Self {
            whole: whole as i64,
            nanos: (nanos as i64).clamp(-999_999_999, 999_999_999),
        }
    }

    /// A number beyond all others.
    #[must_use]
    pub const fn beyond(is_negative: bool) -> Self {
        let whole = if is_negative { i64::MIN } else { i64::MAX };
        Self { whole, nanos: 0 }
    }

    /// A decimal; digits behind the billionths are dropped.
    #[must_use]
    pub fn of_decimal(value: &Decimal) -> Self {
        let beyond = Self::beyond(value.is_negative());
        let parts = || {
            let whole = value.truncate(0)?;
            let nanos = value.sub(whole)?.truncate(9)?.unscaled(9)?;
            Some(Self {
                whole: i64::try_from(whole.to_i128()?).ok()?,
                nanos: i64::try_from(nanos).ok()?,
            })
        };
        parts().unwrap_or(beyond)
    }
}

/// A date from a number, and whether a time of day was given.
pub fn moment(number: i64, rules: &DateRules) -> Result<(Moment, bool), Problems> {
    let (full, has_time) = full(number)?;
    let part = |value: i64| u8::try_from(value % 100).unwrap_or(0);
    let (date, time) = (full / 1_000_000, full % 1_000_000);
    let moment = Moment {
        year: u16::try_from(date / 10_000).unwrap_or(0),
        month: part(date / 100),
        day: part(date),
        hour: part(time / 10_000),
        minute: part(time / 100),
        second: part(time),
        micros: 0,
    };
    let in_ranges = moment.month <= 12
        && moment.day <= 31
        && moment.hour <= 23
        && moment.minute <= 59
        && moment.second <= 59;
    if !in_ranges {
        return Err(Problems::TRUNCATED);
    }
    if !rules.allow(&moment, number != 0) {
        return Err(match number {
            0 => Problems::OUT_OF_RANGE,
            _ => Problems::TRUNCATED,
        });
    }
    Ok((moment, has_time))
}

/// The number as YYYYMMDDhhmmss.
fn full(number: i64) -> Result<(i64, bool), Problems> {
    Ok(match number {
        0 => (0, true),
        100_000_000_000_000.. => return Err(Problems::OUT_OF_RANGE),
        10_000_101_000_000.. => (number, true),
        101..=691_231 => ((number + 20_000_000) * 1_000_000, false),
        700_101..=991_231 => ((number + 19_000_000) * 1_000_000, false),
        // Dates of the first thousand years.
        991_232..=99_991_231 => (number * 1_000_000, false),
        101_000_000..=691_231_235_959 => (number + 20_000_000_000_000, true),
        700_101_000_000..=991_231_235_959 => (number + 19_000_000_000_000, true),
        991_231_235_960..=10_000_100_999_999 => (number, true),
        _ => return Err(Problems::TRUNCATED),
    })
}

/// A time from a number, or the moment that a number too large for a time stands for.
pub enum Timed {
    /// A time.
    Span(Span),
    /// A date with a time of day.
    Moment(Moment),
}

/// The largest time as hhmmss.
const TIME_MAX: i64 = 8_385_959;
/// From here on a number may be a full date and time.
const MOMENT_MIN: i64 = 10_000_000_000;

/// A time from hhmmss; beyond the range the nearest time, or zero for impossible minutes.
pub fn span(number: i64) -> Result<Timed, Span> {
    if number > TIME_MAX {
        if number >= MOMENT_MIN
            && let Ok((moment, _)) = moment(number, &DateRules::ANY_DAY)
        {
            return Ok(Timed::Moment(moment));
        }
        return Err(Span(SPAN_MAX));
    }
    if number < -TIME_MAX {
        return Err(Span(-SPAN_MAX));
    }
    let (hours, minutes, seconds) = (
        number.abs() / 10_000,
        number.abs() / 100 % 100,
        number.abs() % 100,
    );
    if minutes > 59 || seconds > 59 {
        return Err(Span(0));
    }
    Ok(Timed::Span(Span::from_parts(
        number < 0,
        hours,
        minutes,
        seconds,
        0,
    )))
}
