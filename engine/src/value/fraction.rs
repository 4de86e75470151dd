//! Seconds rounded to the digits of a column.

use super::DateRules;
use crate::value::temporal::{MICROS, Moment, SPAN_MAX, Span};

/// Why a date could not take the second that rounding carries into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carry {
    /// It is no day of the calendar.
    NoDay,
    /// It is the last second of the year 9999.
    Overflow,
}

/// A date that exists: what a second can be added to.
const REAL: DateRules = DateRules {
    zero_parts: false,
    zero_date: false,
    any_day: false,
};

/// Rounds half up, first to microseconds and then to `fsp` digits.
pub fn round_moment(moment: Moment, nanos: u32, fsp: u8) -> Result<Moment, Carry> {
    let exact = plus_micros(moment, i64::from(nanos >= 500))?;
    let rounded = plus_micros(exact, half_unit(fsp))?;
    Ok(rounded.truncate(fsp))
}

/// 23:59:59.
const LAST_SECOND: i64 = 86_399;

fn plus_micros(moment: Moment, micros: i64) -> Result<Moment, Carry> {
    let total = i64::from(moment.micros) + micros;
    let within = Moment {
        micros: u32::try_from(total % MICROS).unwrap_or(0),
        ..moment
    };
    if total < MICROS {
        return Ok(within);
    }
    if !REAL.allow(&moment, !moment.is_zero()) {
        return Err(Carry::NoDay);
    }
    if within.time_of_day() / MICROS < LAST_SECOND {
        return Ok(within.at(Span(within.time_of_day() + MICROS)));
    }
    within.add_micros(MICROS).ok_or(Carry::Overflow)
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
