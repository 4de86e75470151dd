//! Dates and times as expressions see them: printing and calendar arithmetic.
//!
//! A [`Moment`] is a DATE, DATETIME or TIMESTAMP in the session's time zone, zero and partial
//! dates included; a TIME is a [`Span`] of signed microseconds. Storage forms are not known here.
//! The calendar is MySQL's: proleptic Gregorian, day numbers counted from year 0.

use std::fmt::Write as _;

use binlog::value::{Date, DateTime, Time};

/// Microseconds in a second.
pub const MICROS: i64 = 1_000_000;
const DAY: i64 = 86_400;
/// The largest TIME, 838:59:59, in microseconds.
pub const SPAN_MAX: i64 = (838 * 3600 + 59 * 60 + 59) * MICROS;

/// A calendar date with a time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Moment {
    /// 0 to 9999.
    pub year: u16,
    /// 0 (unknown) to 12.
    pub month: u8,
    /// 0 (unknown) to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// 0 to 999 999.
    pub micros: u32,
}

/// A signed duration in microseconds: the value of a TIME.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Span(pub i64);

/// True in a leap year.
pub fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days of a month; 0 for month 0 or above 12.
pub fn days_in_month(year: u16, month: u8) -> u8 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u8::from(is_leap(year)),
        _ => 0,
    }
}

fn days_in_year(year: u16) -> i64 {
    365 + i64::from(is_leap(year))
}

/// MySQL's TO_DAYS: days since 0000-00-00.
pub fn day_number(year: u16, month: u8, day: u8) -> i64 {
    if year == 0 && month == 0 {
        return 0;
    }
    let (mut y, m, d) = (i64::from(year), i64::from(month), i64::from(day));
    let mut days = 365 * y + 31 * (m - 1) + d;
    if m <= 2 {
        y -= 1;
    } else {
        days -= (m * 4 + 23) / 10;
    }
    days + y / 4 - ((y / 100 + 1) * 3) / 4
}

/// The inverse of [`day_number`]; `None` outside the years 0 to 9999.
pub fn from_day_number(days: i64) -> Option<(u16, u8, u8)> {
    if !(366..=3_652_424).contains(&days) {
        return None;
    }
    let mut year = u16::try_from(days * 100 / 36525).ok()?;
    while year < 9999 && day_number(year + 1, 1, 1) <= days {
        year += 1;
    }
    while day_number(year, 1, 1) > days {
        year -= 1;
    }
    let mut rest = u32::try_from(days - day_number(year, 1, 1)).ok()?;
    for month in 1..=12 {
        let length = u32::from(days_in_month(year, month));
        if rest < length {
            return Some((year, month, u8::try_from(rest + 1).ok()?));
        }
        rest -= length;
    }
    None
}

impl Moment {
    /// Midnight of a date.
    pub fn date(year: u16, month: u8, day: u8) -> Self {
        Self {
            year,
            month,
            day,
            ..Self::default()
        }
    }

    /// The same day at midnight.
    #[must_use]
    pub fn midnight(&self) -> Self {
        Self::date(self.year, self.month, self.day)
    }

    /// The day number as TO_DAYS gives it.
    pub fn days(&self) -> i64 {
        day_number(self.year, self.month, self.day)
    }

    /// The time of day in microseconds.
    pub fn time_of_day(&self) -> i64 {
        let seconds =
            i64::from(self.hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        seconds * MICROS + i64::from(self.micros)
    }

    /// Microseconds since day number 0.
    pub fn total_micros(&self) -> i64 {
        self.days() * DAY * MICROS + self.time_of_day()
    }

    /// The inverse of [`Self::total_micros`]; `None` outside the years 0 to 9999.
    pub fn from_total_micros(total: i64) -> Option<Self> {
        let (year, month, day) = from_day_number(total.div_euclid(DAY * MICROS))?;
        let rest = total.rem_euclid(DAY * MICROS);
        Some(Self::date(year, month, day).at(Span(rest)))
    }

    /// The same day at a time of day (which must be within one day).
    #[must_use]
    pub fn at(&self, time: Span) -> Self {
        let (seconds, micros) = (time.magnitude() / MICROS, time.magnitude() % MICROS);
        Self {
            hour: u8::try_from(seconds / 3600).unwrap_or(23),
            minute: u8::try_from(seconds / 60 % 60).unwrap_or(0),
            second: u8::try_from(seconds % 60).unwrap_or(0),
            micros: u32::try_from(micros).unwrap_or(0),
            ..self.midnight()
        }
    }

    /// True for 0000-00-00 00:00:00.
    pub fn is_zero(&self) -> bool {
        *self == Self::default()
    }

    /// True when month or day is zero.
    pub fn is_partial(&self) -> bool {
        self.month == 0 || self.day == 0
    }

    /// Seconds since 1970 as if the moment were UTC.
    pub fn epoch_seconds(&self) -> i64 {
        (self.days() - day_number(1970, 1, 1)) * DAY + self.time_of_day() / MICROS
    }

    /// The UTC moment of microseconds since 1970.
    pub fn from_epoch_micros(micros: i64) -> Option<Self> {
        Self::from_total_micros(micros.checked_add(day_number(1970, 1, 1) * DAY * MICROS)?)
    }

    /// Adds microseconds; `None` outside the years 0 to 9999 or for a partial date.
    pub fn add_micros(&self, micros: i64) -> Option<Self> {
        if self.is_partial() {
            return None;
        }
        Self::from_total_micros(self.total_micros().checked_add(micros)?)
    }

    /// Adds months, keeping the day where the month is long enough.
    pub fn add_months(&self, months: i64) -> Option<Self> {
        let total = i64::from(self.year) * 12 + i64::from(self.month) - 1;
        let total = total.checked_add(months)?;
        let year = u16::try_from(total.div_euclid(12))
            .ok()
            .filter(|year| *year <= 9999)?;
        let month = u8::try_from(total.rem_euclid(12) + 1).ok()?;
        Some(Self {
            year,
            month,
            day: self.day.min(days_in_month(year, month)),
            ..*self
        })
    }

    /// Rounds to `fsp` digits of a second (half up); may carry into the date.
    #[must_use]
    pub fn round(&self, fsp: u8) -> Self {
        let unit = fraction_unit(fsp);
        let micros = i64::from(self.micros);
        let rounded = (micros + unit / 2) / unit * unit;
        if rounded < MICROS {
            return Self {
                micros: u32::try_from(rounded).unwrap_or(0),
                ..*self
            };
        }
        let base = Self { micros: 0, ..*self };
        base.add_micros(MICROS).unwrap_or(base)
    }

    /// Drops digits of a second behind `fsp`.
    #[must_use]
    pub fn truncate(&self, fsp: u8) -> Self {
        let unit = fraction_unit(fsp);
        let micros = i64::from(self.micros) / unit * unit;
        Self {
            micros: u32::try_from(micros).unwrap_or(0),
            ..*self
        }
    }

    /// `YYYY-MM-DD`.
    pub fn date_text(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `YYYY-MM-DD hh:mm:ss[.ffffff]`.
    pub fn text(&self, fsp: u8) -> String {
        let mut out = self.date_text();
        let _ = write!(
            out,
            " {:02}:{:02}:{:02}",
            self.hour, self.minute, self.second
        );
        push_fraction(&mut out, self.micros, fsp);
        out
    }

    /// YYYYMMDDhhmmss as MySQL shows a datetime in a numeric context.
    pub fn number(&self) -> i64 {
        self.date_number() * 1_000_000
            + i64::from(self.hour) * 10_000
            + i64::from(self.minute) * 100
            + i64::from(self.second)
    }

    /// YYYYMMDD.
    pub fn date_number(&self) -> i64 {
        i64::from(self.year) * 10_000 + i64::from(self.month) * 100 + i64::from(self.day)
    }

    /// Monday is 0.
    pub fn weekday(&self) -> i64 {
        (self.days() + 5).rem_euclid(7)
    }

    /// 1 to 366.
    pub fn day_of_year(&self) -> i64 {
        self.days() - day_number(self.year, 1, 1) + 1
    }

    /// Checks the ranges of all parts; zero month or day is allowed when `zeros` is set.
    pub fn is_valid(&self, zeros: bool) -> bool {
        if self.month > 12 || self.hour > 23 || self.minute > 59 || self.second > 59 {
            return false;
        }
        if self.year > 9999 || self.day > 31 {
            return false;
        }
        if self.is_partial() {
            return zeros;
        }
        self.day <= days_in_month(self.year, self.month)
    }

    /// MySQL's `calc_week`: the week number and the year it belongs to, for a mode of WEEK().
    pub fn week(&self, mode: u8) -> (i64, u16) {
        let monday_first = mode & 1 != 0;
        let mut week_year = mode & 2 != 0;
        let first_weekday = (mode & 4 != 0) == monday_first;
        let mut first = day_number(self.year, 1, 1);
        let mut weekday = (first + 5 + i64::from(!monday_first)).rem_euclid(7);
        let mut year = self.year;
        let starts_late = |weekday: i64| {
            if first_weekday {
                weekday != 0
            } else {
                weekday >= 4
            }
        };
        if self.month == 1 && i64::from(self.day) <= 7 - weekday {
            if !week_year && starts_late(weekday) {
                return (0, year);
            }
            week_year = true;
            year = year.saturating_sub(1);
            first -= days_in_year(year);
            weekday = (weekday + 53 * 7 - days_in_year(year)).rem_euclid(7);
        }
        let begin = if starts_late(weekday) {
            first + 7 - weekday
        } else {
            first - weekday
        };
        let days = self.days() - begin;
        if week_year && days >= 52 * 7 && !starts_late((weekday + days_in_year(year)).rem_euclid(7))
        {
            return (1, year + 1);
        }
        (days / 7 + 1, year)
    }
}

impl Moment {
    /// MySQL's order-preserving integer.
    pub fn packed(&self) -> i64 {
        DateTime::from(*self).packed()
    }

    /// The inverse of [`Self::packed`].
    pub fn from_packed(packed: i64) -> Self {
        DateTime::from_packed(packed).into()
    }
}

impl From<DateTime> for Moment {
    fn from(value: DateTime) -> Self {
        let DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        } = value;
        Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        }
    }
}

impl From<Moment> for DateTime {
    fn from(value: Moment) -> Self {
        let Moment {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        } = value;
        Self {
            year,
            month,
            day,
            hour,
            minute,
            second,
            micros,
        }
    }
}

impl From<Moment> for Date {
    fn from(value: Moment) -> Self {
        Self {
            year: value.year,
            month: value.month,
            day: value.day,
        }
    }
}

impl From<Date> for Moment {
    fn from(value: Date) -> Self {
        Self::date(value.year, value.month, value.day)
    }
}

impl From<Time> for Span {
    fn from(value: Time) -> Self {
        Self(value.as_micros())
    }
}

impl From<Span> for Time {
    fn from(value: Span) -> Self {
        let part = |value: i64| u8::try_from(value).unwrap_or(0);
        Self {
            negative: value.0 < 0,
            hours: u16::try_from(value.hours()).unwrap_or(838),
            minutes: part(value.minutes()),
            seconds: part(value.seconds()),
            micros: u32::try_from(value.micros()).unwrap_or(0),
        }
    }
}

impl Span {
    /// From parts; the sign is applied to the whole.
    pub fn from_parts(negative: bool, hours: i64, minutes: i64, seconds: i64, micros: i64) -> Self {
        let seconds = hours
            .saturating_mul(60)
            .saturating_add(minutes)
            .saturating_mul(60)
            .saturating_add(seconds);
        let total = seconds.saturating_mul(MICROS).saturating_add(micros);
        Self(if negative { -total } else { total })
    }

    /// The microseconds without sign.
    const fn magnitude(self) -> i64 {
        self.0.saturating_abs()
    }

    /// Within -838:59:59 and 838:59:59.
    #[must_use]
    pub fn clamp(self) -> Self {
        Self(self.0.clamp(-SPAN_MAX, SPAN_MAX))
    }

    /// Whole hours of the absolute value.
    pub fn hours(self) -> i64 {
        self.magnitude() / MICROS / 3600
    }

    /// Minutes within the hour.
    pub fn minutes(self) -> i64 {
        self.magnitude() / MICROS / 60 % 60
    }

    /// Seconds within the minute.
    pub fn seconds(self) -> i64 {
        self.magnitude() / MICROS % 60
    }

    /// Microseconds within the second.
    pub fn micros(self) -> i64 {
        self.magnitude() % MICROS
    }

    /// `[-]hh:mm:ss[.ffffff]`.
    pub fn text(self, fsp: u8) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let mut out = format!(
            "{sign}{:02}:{:02}:{:02}",
            self.hours(),
            self.minutes(),
            self.seconds()
        );
        push_fraction(&mut out, u32::try_from(self.micros()).unwrap_or(0), fsp);
        out
    }

    /// hhmmss with the sign.
    pub fn number(self) -> i64 {
        let value = self.hours() * 10_000 + self.minutes() * 100 + self.seconds();
        if self.0 < 0 { -value } else { value }
    }

    /// Rounds to `fsp` digits of a second, half away from zero.
    #[must_use]
    pub fn round(self, fsp: u8) -> Self {
        let unit = fraction_unit(fsp);
        let rounded = self.magnitude().saturating_add(unit / 2) / unit * unit;
        Self(if self.0 < 0 { -rounded } else { rounded })
    }
}

fn fraction_unit(fsp: u8) -> i64 {
    10i64.pow(6 - u32::from(fsp.min(6)))
}

fn push_fraction(out: &mut String, micros: u32, fsp: u8) {
    if fsp > 0 {
        let text = format!("{micros:06}");
        let _ = write!(
            out,
            ".{}",
            text.get(..usize::from(fsp.min(6))).unwrap_or_default()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_round_trip() {
        assert_eq!(day_number(1970, 1, 1), 719_528);
        for days in (366..3_652_424).step_by(97) {
            let (year, month, day) = from_day_number(days).unwrap();
            assert_eq!(day_number(year, month, day), days);
        }
    }

    #[test]
    fn weeks_follow_the_eight_modes() {
        let day = Moment::date(2008, 2, 20);
        assert_eq!(day.week(0).0, 7);
        assert_eq!(day.week(1).0, 8);
        assert_eq!(Moment::date(2008, 12, 31).week(1).0, 53);
        assert_eq!(Moment::date(2000, 1, 1).week(0).0, 0);
        assert_eq!(Moment::date(2000, 1, 1).week(2).0, 52);
        assert_eq!(Moment::date(1987, 1, 1).week(2), (52, 1986));
    }
}
