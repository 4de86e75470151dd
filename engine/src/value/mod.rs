//! Values: what one is, what a text or a number means as one, and how one is stored.
//!
//! [`datum`] is the value, [`temporal`] its dates and times, and [`stored`] the form it has in SQLite.
//! [`sourced`] is one away from its expression, [`cell`] what one is in rows and results. The readers beside them say what a text or a number means as
//! a date, a time or a number, and what was wrong with it; they know neither columns nor expressions.

pub mod cell;
pub mod datum;
pub mod decimal_text;
pub mod double;
pub mod double_text;
pub mod fraction;
pub(crate) mod json_text;
pub mod memory;
pub mod moment_text;
pub mod number_text;
pub mod sourced;
pub mod span_text;
pub mod stored;
pub mod temporal;
pub mod temporal_number;
pub mod temporal_text;

use sql::SqlMode;

/// What is wrong with a date or time; strict mode makes an error of either.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Something could not be read: warning 1265.
    pub truncated: bool,
    /// The value lies outside what the type or the rules allow: warning 1264.
    pub out_of_range: bool,
}

impl Problems {
    /// Only something that could not be read.
    pub const TRUNCATED: Self = Self {
        truncated: true,
        out_of_range: false,
    };
    /// Only something beyond a range.
    pub const OUT_OF_RANGE: Self = Self {
        truncated: false,
        out_of_range: true,
    };

    /// Whether there is any.
    #[must_use]
    pub fn any(self) -> bool {
        self.truncated || self.out_of_range
    }
}

/// Which dates are let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRules {
    /// A zero month or day.
    pub zero_parts: bool,
    /// The date 0000-00-00.
    pub zero_date: bool,
    /// Days up to 31 in every month.
    pub any_day: bool,
}

impl DateRules {
    /// What expressions let through: zero parts and the zero date.
    pub const LENIENT: Self = Self {
        zero_parts: true,
        zero_date: true,
        any_day: false,
    };

    /// What a session's sql_mode lets through.
    #[must_use]
    pub fn of(sql_mode: SqlMode) -> Self {
        Self {
            zero_parts: !sql_mode.contains(SqlMode::NO_ZERO_IN_DATE),
            zero_date: !sql_mode.contains(SqlMode::NO_ZERO_DATE),
            any_day: sql_mode.contains(SqlMode::INVALID_DATES),
        }
    }

    /// What a time of day may stand behind: days that a month lacks, too.
    pub const ANY_DAY: Self = Self {
        any_day: true,
        ..Self::LENIENT
    };

    /// Whether a date whose parts are in their ranges is let through. `not_zero` says whether any
    /// part that was given was not zero.
    #[must_use]
    pub fn allow(&self, moment: &temporal::Moment, not_zero: bool) -> bool {
        if !not_zero {
            return self.zero_date;
        }
        if moment.is_partial() && !self.zero_parts {
            return false;
        }
        let length = temporal::days_in_month(moment.year, moment.month);
        moment.month == 0 || self.any_day || moment.day <= length
    }
}

/// A delimiter that is read but should not be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OddDelimiter {
    /// Byte offset in the text.
    pub position: usize,
    /// The character itself.
    pub found: char,
    /// What belongs there; nothing for one that is superfluous.
    pub preferred: Option<char>,
}

/// Blanks as dates, times and numbers know them.
#[must_use]
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// A cursor over the bytes of a text.
struct Scan<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scan<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    fn peek(&self) -> Option<u8> {
        self.peek_at(0)
    }

    fn peek_at(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn digit(&self) -> Option<u8> {
        self.peek()
            .filter(u8::is_ascii_digit)
            .map(|byte| byte - b'0')
    }

    fn is_digit_at(&self, ahead: usize) -> bool {
        self.peek_at(ahead)
            .is_some_and(|byte| byte.is_ascii_digit())
    }

    fn left(&self) -> usize {
        self.text.len().saturating_sub(self.at)
    }

    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }
}

/// Notes the first odd delimiter of a text.
fn note_delimiter(
    place: &mut Option<OddDelimiter>,
    position: usize,
    found: u8,
    preferred: Option<char>,
) {
    place.get_or_insert(OddDelimiter {
        position,
        found: char::from(found),
        preferred,
    });
}
