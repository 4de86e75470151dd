//! Seconds rounded to the digits of a column.

use crate::value::temporal::{MICROS, Moment, SPAN_MAX, Span, days_in_month};

const SECONDS_PER_DAY: i64 = 86_400;
/// The last year that a date may have.
const YEAR_MAX: u16 = 9999;

/// Why a date could not take the second that rounding carries into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// Its month or its day is zero.
    NoDay,
    /// It is the last second of the year 9999.
    Overflow,
}

/// Rounds half up, first to microseconds and then to `fsp` digits. A day beyond the end of its month
/// is counted on into the next one when a second is carried, as 9.7 does.
pub fn round_moment(moment: Moment, nanos: u32, fsp: u8) -> Result<Moment, Carry> {
    let exact = plus_micros(moment, i64::from(nanos >= 500))?;
    let rounded = plus_micros(exact, half_unit(fsp))?;
    Ok(rounded.truncate(fsp))
}

fn plus_micros(moment: Moment, micros: i64) -> Result<Moment, Carry> {
    let total = i64::from(moment.micros) + micros;
    let within = Moment {
        micros: u32::try_from(total % MICROS).unwrap_or(0),
        ..moment
    };
    if total < MICROS {
        return Ok(within);
    }
    if moment.is_partial() {
        return Err(Carry::NoDay);
    }
    let second = within.time_of_day() + MICROS;
    let days = second / (SECONDS_PER_DAY * MICROS);
    let day = counted_on(within, u8::from(days > 0))?;
    Ok(day.at(Span(second % (SECONDS_PER_DAY * MICROS))))
}

/// The same moment some days later, days beyond the end of the month counted on into the next.
fn counted_on(moment: Moment, days: u8) -> Result<Moment, Carry> {
    let (day, length) = (
        moment.day.saturating_add(days),
        days_in_month(moment.year, moment.month),
    );
    let (year, month, day) = match (day <= length, moment.month) {
        (true, month) => (moment.year, month, day),
        (false, 12) => (moment.year + 1, 1, day - length),
        (false, month) => (moment.year, month + 1, day - length),
    };
    match year > YEAR_MAX {
        true => Err(Carry::Overflow),
        false => Ok(Moment {
            year,
            month,
            day,
            ..moment
        }),
    }
}

/// Rounds half away from zero; whether the result had to be cut to the range of a TIME. `nanos` are
/// without sign.
#[must_use]
pub fn round_span(span: Span, negative: bool, nanos: u32, fsp: u8) -> (Span, bool) {
    let exact = span
        .0
        .saturating_abs()
        .saturating_add(i64::from(nanos >= 500));
    let unit = half_unit(fsp).max(1) * 2;
    let rounded = match half_unit(fsp) {
        0 => exact,
        half => exact.saturating_add(half) / unit * unit,
    };
    let cut = rounded.min(SPAN_MAX);
    let signed = if negative || span.0 < 0 { -cut } else { cut };
    (Span(signed), rounded > SPAN_MAX)
}

/// Drops the digits behind `fsp`.
#[must_use]
pub fn truncate_span(span: Span, fsp: u8) -> Span {
    let unit = 10_i64.pow(6 - u32::from(fsp.min(6)));
    Span(span.0 / unit * unit)
}

/// Half of the last digit, in microseconds; 0 for six digits.
fn half_unit(fsp: u8) -> i64 {
    10_i64.pow(6 - u32::from(fsp.min(6))) / 2
}
