//! Dates and times of expressions, read from texts and numbers as leniently as MySQL reads them.

use super::temporal::{Moment, Span};
use crate::value::fraction::{round_moment, round_span};
use crate::value::span_text::{self, SpanText};
use crate::value::temporal_number::{Split, Timed};
use crate::value::{DateRules, moment_text, temporal_number};

/// What a text or number was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parsed {
    /// The date and time.
    pub moment: Moment,
    /// Whether a time of day was given.
    pub has_time: bool,
    /// Whether characters were left over behind it.
    pub truncated: bool,
}

impl Span {
    /// Reads `[-][D ]hh:mm[:ss[.f]]`, `[-]hhmmss[.f]` or a full datetime's time part, and whether
    /// something of it was lost.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        match span_text::read(text.as_bytes()).ok()? {
            SpanText::Span(read) => {
                let (span, cut) = round_span(read.span, read.negative, read.nanos, 6);
                Some((span, cut || read.problems.any()))
            }
            SpanText::Moment(read) => {
                let span = Self(read.moment.time_of_day());
                let (span, cut) = round_span(span, false, read.nanos, 6);
                Some((span, cut || read.truncated))
            }
        }
    }
}

impl Span {
    /// Reads hhmmss, or the time of day of YYYYMMDDhhmmss; `None` for what is no time.
    pub fn of_split(number: Split) -> Option<Self> {
        let span = match temporal_number::span(number.whole).ok()? {
            Timed::Span(span) => span,
            Timed::Moment(moment) => Self(moment.time_of_day()),
        };
        let negative = number.whole < 0 || number.nanos < 0;
        let nanos = number.nanos.unsigned_abs();
        let micros = i64::try_from(nanos / 1000).ok()?;
        let rest = u32::try_from(nanos % 1000).ok()?;
        let exact = Self(span.0.saturating_abs().saturating_add(micros));
        let (span, is_cut) = round_span(exact, negative, rest, 6);
        (!is_cut).then_some(span)
    }
}

/// Reads a date or datetime text. Ranges are checked, but zero months and days are let through.
pub fn parse_moment(text: &str) -> Option<Parsed> {
    parse_moment_by(text, &DateRules::LENIENT)
}

/// Reads a date or datetime text that `rules` let through.
pub fn parse_moment_by(text: &str, rules: &DateRules) -> Option<Parsed> {
    let read = moment_text::read(text.as_bytes(), rules, false).ok()?;
    Some(Parsed {
        moment: round_moment(read.moment, read.nanos, 6).ok()?,
        has_time: read.has_time,
        truncated: read.truncated || read.offset.is_some(),
    })
}

/// Reads YYYYMMDD, YYMMDD or YYYYMMDDhhmmss given as a number that `rules` let through.
pub fn moment_from_number(value: i64, rules: &DateRules) -> Option<Parsed> {
    let (moment, has_time) = temporal_number::moment(value, rules).ok()?;
    Some(Parsed {
        moment,
        has_time: has_time && value != 0,
        truncated: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        parse_moment(text).map(|p| p.moment.text(if p.moment.micros > 0 { 6 } else { 0 }))
    }

    #[test]
    fn texts_are_read_as_mysql_reads_them() {
        for (text, expected) in [
            ("2024-01-05", Some("2024-01-05 00:00:00")),
            ("2024-1-5 3:4:5", Some("2024-01-05 03:04:05")),
            ("24-01-05", Some("2024-01-05 00:00:00")),
            ("99/12/31", Some("1999-12-31 00:00:00")),
            ("20240105", Some("2024-01-05 00:00:00")),
            ("240105", Some("2024-01-05 00:00:00")),
            ("20240105030405", Some("2024-01-05 03:04:05")),
            (
                "2024-01-05T03:04:05.123456",
                Some("2024-01-05 03:04:05.123456"),
            ),
            ("2024-01-05 23:59:59.9999999", Some("2024-01-06 00:00:00")),
            ("2024-02-30", None),
            ("0000-00-00", Some("0000-00-00 00:00:00")),
            ("abc", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn times_are_read_in_every_form() {
        for (text, expected) in [
            ("10:11:12", "10:11:12"),
            ("-1 02:03:04", "-26:03:04"),
            ("101112", "10:11:12"),
            ("11:12", "11:12:00"),
            ("1112", "00:11:12"),
            ("2024-01-05 10:11:12", "10:11:12"),
        ] {
            assert_eq!(Span::parse(text).unwrap().0.text(0), expected, "{text}");
        }
    }
}
