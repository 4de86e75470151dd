//! Dates and times read from texts and numbers, as leniently as MySQL reads them.

use super::temporal::{MICROS, Moment, Span};

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
    /// Reads `[-][D ]hh:mm[:ss[.f]]`, `[-]hhmmss[.f]` or a full datetime's time part.
    pub fn parse(text: &str) -> Option<(Self, bool)> {
        let trimmed = text.trim_start();
        let (negative, body) = match trimmed.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
        };
        if let Some(parsed) = parse_moment(trimmed).filter(|p| p.has_time && trimmed.len() >= 12) {
            return Some((Self(parsed.moment.time_of_day()), parsed.truncated));
        }
        let mut scan = Scan {
            rest: body.as_bytes(),
        };
        let (first, digits) = scan.number()?;
        if digits == 0 {
            return None;
        }
        let mut days = 0;
        let parts = if scan.rest.first() == Some(&b' ')
            && scan.rest.get(1).is_some_and(u8::is_ascii_digit)
        {
            days = first;
            scan.skip(1);
            let (hours, _) = scan.number()?;
            scan.colon_parts(hours)
        } else if scan.rest.first() == Some(&b':') {
            scan.colon_parts(first)
        } else {
            (first / 10_000, first / 100 % 100, first % 100)
        };
        let micros = scan.fraction();
        if parts.1 > 59 || parts.2 > 59 {
            return None;
        }
        let span = Self::from_parts(negative, days * 24 + parts.0, parts.1, parts.2, micros);
        Some((span, !scan.rest.iter().all(u8::is_ascii_whitespace)))
    }
}

struct Scan<'a> {
    rest: &'a [u8],
}

impl Scan<'_> {
    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// The next run of digits: its value and length.
    fn number(&mut self) -> Option<(i64, usize)> {
        let length = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let text = std::str::from_utf8(self.rest.get(..length)?).ok()?;
        let value = if length == 0 { 0 } else { text.parse().ok()? };
        self.skip(length);
        Some((value, length))
    }

    fn colon_parts(&mut self, hours: i64) -> (i64, i64, i64) {
        let mut parts = [0, 0];
        for part in &mut parts {
            if self.rest.first() != Some(&b':') {
                break;
            }
            self.skip(1);
            *part = self.number().map_or(0, |(value, _)| value);
        }
        let [minutes, seconds] = parts;
        (hours, minutes, seconds)
    }

    /// A fraction of a second with its point, in microseconds (rounded at the seventh digit).
    fn fraction(&mut self) -> i64 {
        if self.rest.first() != Some(&b'.') {
            return 0;
        }
        self.skip(1);
        let length = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let digits: Vec<i64> = self
            .rest
            .iter()
            .take(length)
            .map(|b| i64::from(b - b'0'))
            .collect();
        self.skip(length);
        let value = (0..6).fold(0, |sum, i| sum * 10 + digits.get(i).copied().unwrap_or(0));
        value + i64::from(digits.get(6).is_some_and(|digit| *digit >= 5))
    }
}

fn two_digit_year(value: i64, digits: usize) -> i64 {
    match (digits, value) {
        (1 | 2, 0..=69) => 2000 + value,
        (1 | 2, 70..=99) => 1900 + value,
        _ => value,
    }
}

/// Reads a date or datetime text the way MySQL does: any punctuation between the parts, two-digit
/// years, or digits alone (YYYYMMDD, YYMMDD, YYYYMMDDhhmmss, YYMMDDhhmmss). Ranges are checked, but
/// zero months and days are let through.
pub fn parse_moment(text: &str) -> Option<Parsed> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let leading = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
    let next = bytes.get(leading);
    let compact = leading >= 5 && !next.is_some_and(|b| matches!(b, b'-' | b'/' | b':'));
    let (parts, count, micros, rest) = if compact {
        compact_parts(bytes, leading)?
    } else {
        separated_parts(bytes)?
    };
    let [year, month, day, hour, minute, second] = parts;
    let mut moment = Moment {
        year: u16::try_from(year).ok()?,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
        hour: u8::try_from(hour).ok()?,
        minute: u8::try_from(minute).ok()?,
        second: u8::try_from(second).ok()?,
        micros: 0,
    };
    if !moment.is_valid(true) {
        return None;
    }
    if micros >= MICROS {
        moment = moment.add_micros(MICROS)?;
    } else {
        moment.micros = u32::try_from(micros).ok()?;
    }
    Some(Parsed {
        moment,
        has_time: count > 3,
        truncated: !rest.is_empty(),
    })
}

type Parts<'a> = ([i64; 6], usize, i64, &'a [u8]);

fn compact_parts(bytes: &[u8], leading: usize) -> Option<Parts<'_>> {
    let year_digits = if matches!(leading, 8 | 14) || leading > 14 {
        4
    } else {
        2
    };
    let mut parts = [0; 6];
    let (mut at, mut count) = (0, 0);
    for (index, part) in parts.iter_mut().enumerate() {
        if at >= leading {
            break;
        }
        let width = if index == 0 { year_digits } else { 2 };
        let digits = bytes.get(at..(at + width).min(leading))?;
        *part = std::str::from_utf8(digits).ok()?.parse().ok()?;
        at += digits.len();
        count += 1;
    }
    if year_digits == 2 {
        let [year, ..] = &mut parts;
        *year = two_digit_year(*year, 2);
    }
    if count < 3 {
        return None;
    }
    let mut scan = Scan {
        rest: bytes.get(at..)?,
    };
    let micros = if count == 6 { scan.fraction() } else { 0 };
    Some((parts, count, micros, scan.rest))
}

fn separated_parts(bytes: &[u8]) -> Option<Parts<'_>> {
    let mut scan = Scan { rest: bytes };
    let mut parts = [0; 6];
    let mut count = 0;
    for (index, part) in parts.iter_mut().enumerate() {
        let (value, digits) = scan.number()?;
        if digits == 0 {
            break;
        }
        *part = if index == 0 {
            two_digit_year(value, digits)
        } else {
            value
        };
        count = index + 1;
        let separator = scan.rest.first().copied().unwrap_or(0);
        let ends = match index {
            0 | 1 => !separator.is_ascii_punctuation(),
            2 => {
                !(separator == b'T'
                    || separator.is_ascii_whitespace()
                    || separator.is_ascii_punctuation())
            }
            5 => true,
            _ => !separator.is_ascii_punctuation() || separator == b'.',
        };
        if ends {
            break;
        }
        let gap = scan
            .rest
            .iter()
            .take_while(|b| index == 2 && b.is_ascii_whitespace())
            .count();
        if !scan.rest.get(gap.max(1)).is_some_and(u8::is_ascii_digit) {
            break;
        }
        scan.skip(gap.max(1));
    }
    if count < 3 {
        return None;
    }
    let micros = if count == 6 { scan.fraction() } else { 0 };
    Some((parts, count, micros, scan.rest))
}

/// Reads YYYYMMDD, YYMMDD or YYYYMMDDhhmmss given as a number.
pub fn moment_from_number(value: i64) -> Option<Parsed> {
    if value == 0 {
        return Some(Parsed {
            moment: Moment::default(),
            has_time: false,
            truncated: false,
        });
    }
    let text = match value {
        101..=99_991_231 if value < 1_000_000 => format!("{value:06}"),
        1_000_000..=99_999_999 => format!("{value:08}"),
        101_000_000..=991_231_235_959 => format!("{value:012}"),
        100_000_000..=99_991_231_235_959 => format!("{value:014}"),
        _ => return None,
    };
    parse_moment(&text)
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
