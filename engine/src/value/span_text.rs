//! Times, read from texts as leniently as MySQL reads them: `[-][D ]hh:mm[:ss[.f]]`, `[-]hhmmss[.f]`,
//! or the time of day of a full date and time.

use super::moment_text::{self, MomentText, ends_badly};
use super::{DateRules, OddDelimiter, Problems, Scan, is_blank, note_delimiter};
use crate::value::temporal::{MICROS, SPAN_MAX, Span};

/// What a text was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanText {
    /// A time.
    Span(ReadSpan),
    /// A date with a time of day.
    Moment(MomentText),
}

/// A time that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadSpan {
    /// The time, within -838:59:59 and 838:59:59.
    pub span: Span,
    /// Whether the text has a minus sign, also before zero.
    pub negative: bool,
    /// Nanoseconds behind the microseconds.
    pub nanos: u32,
    /// What was wrong.
    pub problems: Problems,
    /// The first delimiter that should not be there.
    pub delimiter: Option<OddDelimiter>,
}

/// Texts of this length may be dates with times.
const MOMENT_LENGTH: usize = 12;
/// Digits of a number beyond this are no time.
const NUMBER_MAX: u64 = 42_949_672_955_959;
/// MySQL says nothing about a text without a single digit in it, nor about numbers beyond all times.
const SILENT: Problems = Problems {
    truncated: false,
    out_of_range: false,
};
const PART_MAX: u64 = u32::MAX as u64;
/// Hours beyond all times.
const HOURS_MAX: i64 = 1_000;

/// Reads a text as a time. An error carries what the warning says.
pub fn read(text: &[u8]) -> Result<SpanText, Problems> {
    let mut scan = Scan::new(text);
    let mut delimiter = None;
    while let Some(byte) = scan.peek().filter(|byte| is_blank(*byte)) {
        note_delimiter(&mut delimiter, scan.at, byte, None);
        scan.at += 1;
    }
    let negative = scan.peek() == Some(b'-');
    scan.at += usize::from(negative);
    if scan.peek().is_none() {
        return Err(SILENT);
    }
    if scan.left() >= MOMENT_LENGTH {
        match moment_text::read(scan.rest(), &DateRules::ANY_DAY, true) {
            // A date has no sign.
            Ok(_) if negative => return Err(Problems::TRUNCATED),
            Ok(mut moment) => {
                moment.delimiter = delimiter.or(moment.delimiter);
                return Ok(SpanText::Moment(moment));
            }
            Err(unread) if unread.is_date => return Err(unread.problems),
            Err(_) => {}
        }
    }
    span(scan, negative, delimiter).map(SpanText::Span)
}

fn span(
    mut scan: Scan<'_>,
    negative: bool,
    mut delimiter: Option<OddDelimiter>,
) -> Result<ReadSpan, Problems> {
    let start = scan.at;
    let first = number(&mut scan, NUMBER_MAX - 1).ok_or(SILENT)?;
    let end_of_days = scan.at;
    while scan.peek().is_some_and(is_blank) {
        scan.at += 1;
    }
    let blanks = scan.at - end_of_days;
    if blanks > 1
        && scan.left() > 0
        && let Some(byte) = scan.text.get(end_of_days)
    {
        note_delimiter(&mut delimiter, end_of_days, *byte, None);
    }
    let [days, hours, minutes, seconds] = if scan.left() > 1 && blanks > 0 && scan.is_digit_at(0) {
        let [hours, minutes, seconds] = colon_parts(&mut scan)?;
        [first, hours, minutes, seconds]
    } else if scan.peek() == Some(b':') && scan.is_digit_at(1) {
        if first > PART_MAX {
            return Err(SILENT);
        }
        scan.at += 1;
        let [minutes, seconds, _] = two_parts(&mut scan)?;
        [0, first, minutes, seconds]
    } else {
        let is_end = blanks > 0 && scan.peek().is_none();
        if let Some(byte) = scan.text.get(end_of_days).filter(|_| is_end) {
            note_delimiter(&mut delimiter, end_of_days, *byte, None);
        }
        if first > PART_MAX {
            return Err(SILENT);
        }
        [0, first / 10_000, first / 100 % 100, first % 100]
    };
    let (micros, nanos) = fraction(&mut scan);
    if is_exponent(&scan) {
        return Err(SILENT);
    }
    if days > PART_MAX {
        return Err(SILENT);
    }
    if minutes > 59 || seconds > 59 {
        return Err(Problems::OUT_OF_RANGE);
    }
    let wide = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    // Hours wrap at 32 bits, as the server's own counter does.
    let hours = wide((hours + days * 24) & PART_MAX).min(HOURS_MAX);
    let total = (hours * 3600 + wide(minutes) * 60 + wide(seconds)) * MICROS + micros;
    let mut problems = Problems {
        out_of_range: total > SPAN_MAX,
        ..Problems::default()
    };
    let total = total.min(SPAN_MAX);
    let unused = scan.at == start;
    problems.truncated = ends_badly(&mut scan, &mut delimiter);
    if problems.truncated && unused && scan.at == start {
        return Err(Problems::TRUNCATED);
    }
    Ok(ReadSpan {
        span: Span(if negative { -total } else { total }),
        negative,
        nanos,
        problems,
        delimiter,
    })
}

fn number(scan: &mut Scan<'_>, most: u64) -> Option<u64> {
    let mut value = 0;
    while let Some(digit) = scan.digit() {
        value = value * 10 + u64::from(digit);
        if value > most {
            return None;
        }
        scan.at += 1;
    }
    Some(value)
}

/// `hh[:mm[:ss]]`.
fn colon_parts(scan: &mut Scan<'_>) -> Result<[u64; 3], Problems> {
    let mut parts = [0; 3];
    for part in &mut parts {
        *part = number(scan, PART_MAX).ok_or(SILENT)?;
        if scan.peek() != Some(b':') || !scan.is_digit_at(1) {
            return Ok(parts);
        }
        scan.at += 1;
    }
    // The colon behind the seconds belongs to what is left over.
    scan.at -= 1;
    Ok(parts)
}

/// `mm[:ss]`.
fn two_parts(scan: &mut Scan<'_>) -> Result<[u64; 3], Problems> {
    let mut parts = [0; 3];
    parts[0] = number(scan, PART_MAX).ok_or(SILENT)?;
    if scan.peek() == Some(b':') && scan.is_digit_at(1) {
        scan.at += 1;
        parts[1] = number(scan, PART_MAX).ok_or(SILENT)?;
    }
    Ok(parts)
}

/// Microseconds, and nanoseconds behind them: MySQL looks at the last digit of a long fraction.
fn fraction(scan: &mut Scan<'_>) -> (i64, u32) {
    if scan.peek() != Some(b'.') {
        return (0, 0);
    }
    if !scan.is_digit_at(1) {
        scan.at += usize::from(scan.left() == 1);
        return (0, 0);
    }
    scan.at += 1;
    let (mut micros, mut count, mut last) = (0, 0_u32, 0);
    while let Some(digit) = scan.digit() {
        if count < 6 {
            micros = micros * 10 + i64::from(digit);
        }
        count += 1;
        last = digit;
        scan.at += 1;
    }
    let nanos = if count > 6 { u32::from(last) * 100 } else { 0 };
    (micros * 10_i64.pow(6_u32.saturating_sub(count)), nanos)
}

/// `e5` or `e+5` behind a number.
fn is_exponent(scan: &Scan<'_>) -> bool {
    matches!(scan.peek(), Some(b'e' | b'E'))
        && (scan.is_digit_at(1)
            || matches!(scan.peek_at(1), Some(b'+' | b'-')) && scan.is_digit_at(2))
}
