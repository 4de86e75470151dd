//! Dates with times of day, read from texts as leniently as MySQL reads them.
//!
//! Any punctuation may stand between the parts, years may have two digits, the parts may also be
//! digits alone (YYYYMMDD, YYMMDD, YYYYMMDDhhmmss, YYMMDDhhmmss), and an offset from UTC may follow.
//!
//! Spec: MySQL 9.7 reference manual, "Date and Time Literals"; checked against the server itself.

use super::{DateRules, OddDelimiter, Problems, Scan, is_blank, note_delimiter};
use crate::value::temporal::Moment;

/// What a text was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MomentText {
    /// The date and time, as written.
    pub moment: Moment,
    /// Nanoseconds behind the microseconds.
    pub nanos: u32,
    /// Whether a time of day was given.
    pub has_time: bool,
    /// Seconds east of UTC, when the text says so.
    pub offset: Option<i32>,
    /// Whether something was left over behind it.
    pub truncated: bool,
    /// Digits of a second that were given, at most 6.
    pub digits: u8,
    /// The first delimiter that should not be there.
    pub delimiter: Option<OddDelimiter>,
}

/// Why a text is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unread {
    /// For the warning.
    pub problems: Problems,
    /// Whether it has the form of a date all the same, with impossible parts.
    pub is_date: bool,
}

/// Largest number that may stand for a part.
const PART_MAX: u32 = 999_999;
/// Offsets from UTC reach 14 hours.
const OFFSET_MAX: i32 = 14 * 3600;

const fn no_date(problems: Problems) -> Unread {
    Unread {
        problems,
        is_date: false,
    }
}

const fn bad_date(problems: Problems) -> Unread {
    Unread {
        problems,
        is_date: true,
    }
}

/// Year, month, day, hour, minute, second, fraction: values, lengths, and how many there are.
#[derive(Default)]
struct Parts {
    values: [u32; 7],
    lengths: [usize; 7],
    count: usize,
    offset: Option<i32>,
    has_delimiter: bool,
    has_blank: bool,
    delimiter: Option<OddDelimiter>,
}

/// Reads a text as a date. With `needs_time` a text with delimiters but without a blank or `T` in
/// it is none: a time is looked for.
pub fn read(text: &[u8], rules: &DateRules, needs_time: bool) -> Result<MomentText, Unread> {
    let mut scan = Scan::new(text);
    let mut parts = Parts::default();
    while let Some(byte) = scan.peek().filter(|byte| is_blank(*byte)) {
        note_delimiter(&mut parts.delimiter, scan.at, byte, None);
        scan.at += 1;
    }
    if scan.rest().is_empty() {
        return Err(no_date(Problems::TRUNCATED));
    }
    let digits = scan
        .rest()
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'T')
        .count();
    let compact = matches!(scan.peek_at(digits), None | Some(b'.'));
    let year_digits = if matches!(digits, 4 | 8) || digits >= 14 {
        4
    } else {
        2
    };
    parts.read(&mut scan, compact.then_some(year_digits))?;
    if parts.has_delimiter && !parts.has_blank && needs_time {
        return Err(no_date(Problems::TRUNCATED));
    }
    let year_length = match compact {
        true => year_digits,
        false => parts.lengths.first().copied().unwrap_or(0),
    };
    if year_length == 0 {
        return Err(no_date(Problems::TRUNCATED));
    }
    finish(scan, parts, year_length, rules)
}

impl Parts {
    /// Reads the parts; `compact` is the number of digits of the year when nothing parts them.
    fn read(&mut self, scan: &mut Scan<'_>, compact: Option<usize>) -> Result<(), Unread> {
        let mut width = compact.unwrap_or(4);
        let mut end = scan.at;
        for index in 0..7 {
            if scan.digit().is_none() {
                break;
            }
            let is_compact = compact.is_some();
            self.part(
                scan,
                index,
                (compact.is_some() || index == 6).then_some(width),
            )?;
            width = 2;
            end = scan.at;
            if scan.peek().is_none() {
                break;
            }
            match index {
                2 if scan.peek() == Some(b'T') => {
                    scan.at += 1;
                    continue;
                }
                5 => match scan.peek() {
                    Some(b'.') => {
                        scan.at += 1;
                        end = scan.at;
                        width = 6;
                        continue;
                    }
                    Some(byte) if byte.is_ascii_digit() => break,
                    Some(b'+' | b'-') => {
                        self.read_offset(scan)?;
                        end = scan.at;
                        continue;
                    }
                    _ => continue,
                },
                6 if matches!(scan.peek(), Some(b'+' | b'-')) => self.read_offset(scan)?,
                6 => self.tail(scan, is_compact),
                _ => self.gap(scan, index, is_compact)?,
            }
            end = scan.at;
        }
        scan.at = end;
        Ok(())
    }

    fn part(
        &mut self,
        scan: &mut Scan<'_>,
        index: usize,
        width: Option<usize>,
    ) -> Result<(), Unread> {
        let (mut value, mut length) = (0_u32, 0);
        while let Some(digit) = scan.digit().filter(|_| width != Some(length)) {
            value = value * 10 + u32::from(digit);
            length += 1;
            scan.at += 1;
            if value > PART_MAX {
                return Err(no_date(Problems::TRUNCATED));
            }
        }
        if let (Some(place), Some(size)) = (self.values.get_mut(index), self.lengths.get_mut(index))
        {
            (*place, *size) = (value, length);
        }
        self.count = index + 1;
        Ok(())
    }

    /// Punctuation and, behind the day, blanks between two parts.
    fn gap(&mut self, scan: &mut Scan<'_>, index: usize, is_compact: bool) -> Result<(), Unread> {
        let preferred = match index {
            0 | 1 => '-',
            2 => ' ',
            _ => ':',
        };
        let start = scan.at;
        while let Some(byte) = scan
            .peek()
            .filter(|byte| byte.is_ascii_punctuation() || is_blank(*byte))
        {
            if is_blank(byte) {
                if index != 2 {
                    return Err(no_date(Problems::TRUNCATED));
                }
                self.has_blank = true;
            }
            let is_silent = index != 2 && scan.at == start && self.has_short_year(is_compact);
            if is_silent || (is_compact && index == 2 && scan.at == start && byte == b'.') {
                // A year of one digit before a point, and a fraction without a time of day.
            } else if scan.at > start {
                note_delimiter(&mut self.delimiter, scan.at, byte, None);
            } else if char::from(byte) != preferred {
                note_delimiter(&mut self.delimiter, scan.at, byte, Some(preferred));
            }
            scan.at += 1;
            self.has_delimiter = true;
        }
        // One blank at the very end parts nothing.
        if scan.at == start + 1
            && scan.peek().is_none()
            && preferred == ' '
            && let Some(byte) = scan.text.get(start).filter(|byte| **byte == b' ')
        {
            note_delimiter(&mut self.delimiter, start, *byte, None);
        }
        Ok(())
    }

    /// Whether nothing is said about the first character between two parts: the year has one digit
    /// before a point.
    fn has_short_year(&self, is_compact: bool) -> bool {
        is_compact && self.lengths.first() == Some(&1)
    }

    /// Punctuation behind a fraction.
    fn tail(&mut self, scan: &mut Scan<'_>, is_compact: bool) {
        let start = scan.at;
        while let Some(byte) = scan.peek().filter(u8::is_ascii_punctuation) {
            let is_first = scan.at == start;
            if !(is_first && self.has_short_year(is_compact)) {
                note_delimiter(&mut self.delimiter, scan.at, byte, is_first.then_some(':'));
            }
            scan.at += 1;
        }
        self.has_blank |= scan.peek().is_some_and(is_blank);
    }

    fn read_offset(&mut self, scan: &mut Scan<'_>) -> Result<(), Unread> {
        let offset = offset(scan.rest()).ok_or(no_date(Problems::TRUNCATED))?;
        self.offset = Some(offset);
        scan.at = scan.text.len();
        Ok(())
    }
}

/// `+hh:mm` or `-hh:mm` in seconds; blanks may follow.
fn offset(text: &[u8]) -> Option<i32> {
    let (sign, rest) = match text.split_first()? {
        (b'+', rest) => (1, rest),
        (b'-', rest) => (-1, rest),
        _ => return None,
    };
    let &[a, b, b':', c, d, ref rest @ ..] = rest else {
        return None;
    };
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    let hours = digit(a)? * 10 + digit(b)?;
    let minutes = digit(c)? * 10 + digit(d)?;
    let seconds = hours * 3600 + minutes * 60;
    let is_known = minutes < 60
        && seconds <= OFFSET_MAX
        && !(seconds == 0 && sign < 0)
        && rest.iter().all(|byte| is_blank(*byte));
    is_known.then_some(sign * seconds)
}

fn finish(
    mut scan: Scan<'_>,
    parts: Parts,
    year_length: usize,
    rules: &DateRules,
) -> Result<MomentText, Unread> {
    let [mut year, month, day, hour, minute, second, fraction] = parts.values;
    let [.., digits] = parts.lengths;
    let micros = fraction * 10_u32.pow(6 - u32::try_from(digits.min(6)).unwrap_or(6));
    let mut not_zero = parts.values.iter().any(|value| *value != 0);
    if year_length == 2 && not_zero {
        year += if year < 70 { 2000 } else { 1900 };
    }
    let in_ranges =
        year <= 9999 && month <= 12 && day <= 31 && hour <= 23 && minute <= 59 && second <= 59;
    if parts.count < 3 || !in_ranges {
        not_zero |= scan.rest().iter().any(|byte| !is_blank(*byte));
        return Err(bad_date(match not_zero {
            true => Problems::TRUNCATED,
            false => Problems::OUT_OF_RANGE,
        }));
    }
    let part = |value: u32| u8::try_from(value).unwrap_or(0);
    let moment = Moment {
        year: u16::try_from(year).unwrap_or(0),
        month: part(month),
        day: part(day),
        hour: part(hour),
        minute: part(minute),
        second: part(second),
        micros,
    };
    if !rules.allow(&moment, not_zero) {
        return Err(bad_date(Problems::OUT_OF_RANGE));
    }
    let mut read = MomentText {
        moment,
        nanos: 0,
        has_time: parts.count > 3,
        offset: parts.offset,
        truncated: false,
        digits: u8::try_from(digits).unwrap_or(6),
        delimiter: parts.delimiter,
    };
    if digits == 6
        && let Some(digit) = scan.digit()
    {
        read.nanos = u32::from(digit) * 100;
        while scan.digit().is_some() {
            scan.at += 1;
        }
    }
    if matches!(scan.peek(), Some(b'+' | b'-')) {
        read.offset = Some(offset(scan.rest()).ok_or(no_date(Problems::TRUNCATED))?);
        return Ok(read);
    }
    read.truncated = ends_badly(&mut scan, &mut read.delimiter);
    Ok(read)
}

/// Whether anything but blanks is left.
pub(super) fn ends_badly(scan: &mut Scan<'_>, delimiter: &mut Option<OddDelimiter>) -> bool {
    while let Some(byte) = scan.peek() {
        if !is_blank(byte) {
            return true;
        }
        note_delimiter(delimiter, scan.at, byte, None);
        scan.at += 1;
    }
    false
}
