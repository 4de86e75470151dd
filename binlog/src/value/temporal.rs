//! Dates and times, valid or not: MySQL stores zero and partial dates, so these types can too.
//!
//! The packed forms are MySQL's order-preserving integers: comparing them compares the values.
//!
//! Spec: mysql-server 8.4, mysys/my_time.cc, `TIME_to_longlong_*_packed`.

use std::fmt::Write as _;

/// A DATE. Zero (`0000-00-00`) and partial dates (`2024-00-00`) can be represented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
}

/// A TIME: a span of up to 838:59:59.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Time {
    /// Whether the whole span is negative.
    pub negative: bool,
    /// 0 to 838.
    pub hours: u16,
    /// 0 to 59.
    pub minutes: u8,
    /// 0 to 59.
    pub seconds: u8,
    /// Microseconds, 0 to 999 999.
    pub micros: u32,
}

/// A DATETIME, in no time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct DateTime {
    /// 0 to 9999.
    pub year: u16,
    /// 0 to 12.
    pub month: u8,
    /// 0 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// Microseconds, 0 to 999 999.
    pub micros: u32,
}

/// A TIMESTAMP: a moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp {
    /// Seconds since 1970; 0 with no microseconds is the zero date.
    pub seconds: u32,
    /// Microseconds, 0 to 999 999.
    pub micros: u32,
}

impl Date {
    /// MySQL's packed integer, equal to that of the same DATETIME at midnight.
    #[must_use]
    pub fn packed(self) -> i64 {
        DateTime::from(self).packed()
    }

    /// The date of a packed DATETIME.
    #[must_use]
    pub fn from_packed(packed: i64) -> Self {
        DateTime::from_packed(packed).date()
    }

    /// `YYYY-MM-DD`.
    #[must_use]
    pub fn text(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl Time {
    /// MySQL's packed integer: `hour << 12 | minute << 6 | second`, then 24 bits of microseconds,
    /// the whole negated when negative.
    #[must_use]
    pub fn packed(self) -> i64 {
        let whole =
            i64::from(self.hours) << 12 | i64::from(self.minutes) << 6 | i64::from(self.seconds);
        let packed = whole << 24 | i64::from(self.micros);
        if self.negative { -packed } else { packed }
    }

    /// Reverses [`Time::packed`]; fields out of range come out as they are, cut to their bits. What
    /// is cut to nothing has no sign.
    #[must_use]
    pub fn from_packed(packed: i64) -> Self {
        let bits = packed.unsigned_abs() & 0x3fff_ffff_ffff;
        Self {
            negative: packed < 0 && bits != 0,
            hours: low_u16(bits >> 36, 10),
            minutes: low_u8(bits >> 30, 6),
            seconds: low_u8(bits >> 24, 6),
            micros: low_u32(bits, 24),
        }
    }

    /// The span in microseconds, negative when negative.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        let seconds =
            i64::from(self.hours) * 3600 + i64::from(self.minutes) * 60 + i64::from(self.seconds);
        let micros = seconds * 1_000_000 + i64::from(self.micros);
        if self.negative { -micros } else { micros }
    }

    /// `[-]HH:MM:SS` with `fsp` fractional digits.
    #[must_use]
    pub fn text(self, fsp: u8) -> String {
        let sign = if self.negative { "-" } else { "" };
        let (hours, minutes, seconds) = (self.hours, self.minutes, self.seconds);
        let mut text = format!("{sign}{hours:02}:{minutes:02}:{seconds:02}");
        push_fraction(&mut text, self.micros, fsp);
        text
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Time {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_micros()
            .cmp(&other.as_micros())
            .then(other.negative.cmp(&self.negative))
    }
}

impl DateTime {
    /// The date part.
    #[must_use]
    pub const fn date(self) -> Date {
        Date {
            year: self.year,
            month: self.month,
            day: self.day,
        }
    }

    /// MySQL's packed integer: `((year * 13 + month) << 5 | day) << 17 | hour << 12 | minute << 6 |
    /// second`, then 24 bits of microseconds.
    #[must_use]
    pub fn packed(self) -> i64 {
        let days = (i64::from(self.year) * 13 + i64::from(self.month)) << 5 | i64::from(self.day);
        let seconds =
            i64::from(self.hour) << 12 | i64::from(self.minute) << 6 | i64::from(self.second);
        (days << 17 | seconds) << 24 | i64::from(self.micros)
    }

    /// Reverses [`DateTime::packed`]; the sign is ignored, fields are cut to their bits.
    #[must_use]
    pub fn from_packed(packed: i64) -> Self {
        let bits = packed.unsigned_abs();
        let months = bits >> 46;
        Self {
            year: low_u16(months / 13, 14),
            month: low_u8(months % 13, 4),
            day: low_u8(bits >> 41, 5),
            hour: low_u8(bits >> 36, 5),
            minute: low_u8(bits >> 30, 6),
            second: low_u8(bits >> 24, 6),
            micros: low_u32(bits, 24),
        }
    }

    /// `YYYY-MM-DD HH:MM:SS` with `fsp` fractional digits.
    #[must_use]
    pub fn text(self, fsp: u8) -> String {
        let mut text = self.date().text();
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            " {:02}:{:02}:{:02}",
            self.hour, self.minute, self.second
        );
        push_fraction(&mut text, self.micros, fsp);
        text
    }
}

impl From<Date> for DateTime {
    fn from(date: Date) -> Self {
        Self {
            year: date.year,
            month: date.month,
            day: date.day,
            ..Self::default()
        }
    }
}

impl Timestamp {
    /// The moment as a DATETIME in UTC; the zero date when zero.
    #[must_use]
    pub fn to_utc(self) -> DateTime {
        if self == Self::default() {
            return DateTime::default();
        }
        let (days, clock) = (self.seconds / 86_400, self.seconds % 86_400);
        let (year, month, day) = civil_from_days(days);
        DateTime {
            year,
            month,
            day,
            hour: low_u8(u64::from(clock / 3600), 8),
            minute: low_u8(u64::from(clock / 60 % 60), 8),
            second: low_u8(u64::from(clock % 60), 8),
            micros: self.micros,
        }
    }

    /// The moment that `utc` names, or `None` when it is no valid time from 1970 to 2106. The zero
    /// DATETIME is the zero timestamp.
    #[must_use]
    pub fn from_utc(utc: DateTime) -> Option<Self> {
        if utc == DateTime::default() {
            return Some(Self::default());
        }
        let days = days_from_civil(utc.year, utc.month, utc.day)?;
        let clock = u64::from(utc.hour) * 3600 + u64::from(utc.minute) * 60 + u64::from(utc.second);
        if clock >= 86_400 {
            return None;
        }
        Some(Self {
            seconds: u32::try_from(days * 86_400 + clock).ok()?,
            micros: utc.micros,
        })
    }

    /// `YYYY-MM-DD HH:MM:SS` in UTC with `fsp` fractional digits.
    #[must_use]
    pub fn text_utc(self, fsp: u8) -> String {
        self.to_utc().text(fsp)
    }
}

/// Days since 1970-01-01 to a Gregorian date; `days` of a `u32` of seconds stays before 2107.
///
/// Years are counted from March, so that a leap day is a year's last, and in eras of 400 years,
/// which all have the same length.
fn civil_from_days(days: u32) -> (u16, u8, u8) {
    const ERA: u64 = 146_097;
    let days = u64::from(days) + 719_468;
    let (era, day_of_era) = (days / ERA, days % ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (low_u16(year, 16), low_u8(month, 8), low_u8(day, 8))
}

fn days_from_civil(year: u16, month: u8, day: u8) -> Option<u64> {
    if year < 1970 || !(1..=12).contains(&month) {
        return None;
    }
    if day == 0 || u64::from(day) > month_length(year, month) {
        return None;
    }
    let years: u64 = (1970..year)
        .map(|year| if is_leap(year) { 366 } else { 365 })
        .sum();
    let months: u64 = (1..month).map(|month| month_length(year, month)).sum();
    Some(years + months + u64::from(day) - 1)
}

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

const fn month_length(year: u16, month: u8) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Appends `.` and the first `fsp` (at most 6) digits of the microseconds; nothing when `fsp` is 0.
fn push_fraction(text: &mut String, micros: u32, fsp: u8) {
    if fsp > 0 {
        let digits = format!("{micros:06}");
        let kept = digits.get(..usize::from(fsp)).unwrap_or(&digits);
        text.push('.');
        text.push_str(kept);
    }
}

/// The low `bits` bits (at most 8) of a number.
fn low_u8(value: u64, bits: u32) -> u8 {
    let [low, ..] = (value & ((1 << bits) - 1)).to_le_bytes();
    low
}

/// The low `bits` bits (at most 16) of a number.
fn low_u16(value: u64, bits: u32) -> u16 {
    let [a, b, ..] = (value & ((1 << bits) - 1)).to_le_bytes();
    u16::from_le_bytes([a, b])
}

/// The low `bits` bits (at most 32) of a number.
fn low_u32(value: u64, bits: u32) -> u32 {
    let [a, b, c, d, ..] = (value & ((1 << bits) - 1)).to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prints_mysqls_text() {
        let time = Time {
            negative: true,
            hours: 838,
            minutes: 59,
            seconds: 59,
            micros: 120,
        };
        assert_eq!(time.text(0), "-838:59:59");
        assert_eq!(time.text(4), "-838:59:59.0001");
        assert_eq!(Date::default().text(), "0000-00-00");
        let max = Timestamp {
            seconds: u32::MAX,
            micros: 999_999,
        };
        assert_eq!(max.text_utc(6), "2106-02-07 06:28:15.999999");
        assert_eq!(Timestamp::default().text_utc(0), "0000-00-00 00:00:00");
    }

    proptest! {
        #[test]
        fn timestamps_round_trip_through_utc(seconds: u32, micros in 0u32..1_000_000) {
            prop_assume!(seconds > 0);
            let timestamp = Timestamp { seconds, micros };
            prop_assert_eq!(Timestamp::from_utc(timestamp.to_utc()), Some(timestamp));
        }

        #[test]
        fn packing_round_trips_and_keeps_the_order(
            a in (0u16..10_000, 0u8..13, 0u8..32, 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000),
            b in (0u16..10_000, 0u8..13, 0u8..32, 0u8..24, 0u8..60, 0u8..60, 0u32..1_000_000),
        ) {
            let of = |(year, month, day, hour, minute, second, micros)| DateTime {
                year, month, day, hour, minute, second, micros,
            };
            let (a, b) = (of(a), of(b));
            prop_assert_eq!(DateTime::from_packed(a.packed()), a);
            prop_assert_eq!(a.cmp(&b), a.packed().cmp(&b.packed()));
        }

        #[test]
        fn times_round_trip(negative: bool, hours in 0u16..839, minutes in 0u8..60, seconds in 0u8..60, micros in 0u32..1_000_000) {
            let time = Time { negative, hours, minutes, seconds, micros };
            prop_assume!(!negative || time.as_micros() != 0);
            prop_assert_eq!(Time::from_packed(time.packed()), time);
        }
    }
}
