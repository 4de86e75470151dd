//! Numbers read from texts for a column: the longest numeric beginning, rounded exactly to what the
//! column keeps.

use binlog::value::Decimal;

use super::{Scan, is_blank};

/// The beginning of a text that is a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Prefix {
    negative: bool,
    /// Digits without point and without leading zeros.
    digits: Vec<u8>,
    /// How many of the digits stand before the point; may be negative or beyond their end.
    point: i64,
    /// Whether there was a digit at all.
    is_number: bool,
    /// Digits behind the point as written.
    fraction: usize,
}

impl Prefix {
    fn read(scan: &mut Scan<'_>, is_blank: impl Fn(u8) -> bool) -> Self {
        let mut prefix = Self::default();
        while scan.peek().is_some_and(&is_blank) {
            scan.at += 1;
        }
        prefix.negative = scan.peek() == Some(b'-');
        scan.at += usize::from(matches!(scan.peek(), Some(b'-' | b'+')));
        prefix.digits(scan, false);
        if scan.peek() == Some(b'.') {
            scan.at += 1;
            prefix.digits(scan, true);
        }
        prefix
    }

    fn digits(&mut self, scan: &mut Scan<'_>, is_fraction: bool) {
        while let Some(digit) = scan.digit() {
            scan.at += 1;
            self.is_number = true;
            let is_leading = self.digits.is_empty() && digit == 0;
            if !is_leading {
                self.digits.push(digit);
            }
            match is_fraction {
                true => {
                    self.fraction += 1;
                    self.point -= i64::from(is_leading);
                }
                false => self.point += i64::from(!is_leading),
            }
        }
    }

    /// The whole part and `scale` digits behind the point, rounded half away from zero, as digits;
    /// and whether digits were lost. `None` when there are more than `most` before the point.
    fn rounded(&self, scale: usize, most: usize) -> Option<(Vec<u8>, bool)> {
        let keep = self.point.checked_add(i64::try_from(scale).ok()?)?;
        if self.digits.is_empty() {
            return Some((vec![0; scale + 1], false));
        }
        if self.point > i64::try_from(most).ok()? {
            return None;
        }
        let Ok(keep) = usize::try_from(keep) else {
            return Some((vec![0; scale + 1], true));
        };
        let mut kept: Vec<u8> = self.digits.iter().copied().take(keep).collect();
        kept.resize(keep, 0);
        let is_lossy = self.digits.iter().skip(keep).any(|digit| *digit != 0);
        let mut carry = self.digits.get(keep).is_some_and(|digit| *digit >= 5);
        for digit in kept.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == 9;
            *digit = if carry { 0 } else { *digit + 1 };
        }
        if carry {
            kept.insert(0, 1);
        }
        while kept.len() <= scale {
            kept.insert(0, 0);
        }
        Some((kept, is_lossy))
    }
}

/// A text as an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntegerText {
    /// The number, cut far beyond every column's range.
    pub value: i128,
    /// Whether there was a number.
    pub is_number: bool,
    /// Whether something but blanks follows it.
    pub has_rest: bool,
    /// Whether blanks alone follow it.
    pub has_blanks: bool,
}

/// Larger than every integer column, with room for the sign.
const BEYOND: i128 = 1 << 80;

/// Reads a text as an integer, rounded half away from zero.
#[must_use]
pub fn integer(text: &[u8]) -> IntegerText {
    let mut scan = Scan::new(text);
    // No line ends in front of an integer.
    let mut prefix = Prefix::read(&mut scan, |byte| matches!(byte, b' ' | b'\t'));
    let mut is_beyond = false;
    if prefix.is_number && matches!(scan.peek(), Some(b'e' | b'E')) {
        scan.at += 1;
        match whole_exponent(&mut scan) {
            Some(exponent) => prefix.point += exponent,
            None => is_beyond = !prefix.digits.is_empty(),
        }
    }
    let magnitude = match prefix.rounded(0, 21) {
        Some((digits, _)) if !is_beyond => digits
            .iter()
            .fold(0, |value: i128, digit| value * 10 + i128::from(*digit)),
        _ => BEYOND,
    };
    let rest = scan.rest();
    let has_rest = rest.iter().any(|byte| !is_blank(*byte));
    IntegerText {
        value: if prefix.negative {
            -magnitude
        } else {
            magnitude
        },
        is_number: prefix.is_number,
        has_rest,
        has_blanks: !has_rest && !rest.is_empty(),
    }
}

/// The exponent of an integer: MySQL keeps 32 bits of it, and takes one beyond 63 bits as too large.
fn whole_exponent(scan: &mut Scan<'_>) -> Option<i64> {
    let negative = scan.peek() == Some(b'-');
    scan.at += usize::from(matches!(scan.peek(), Some(b'-' | b'+')));
    let mut exponent = Some(0_i64);
    while let Some(digit) = scan.digit() {
        scan.at += 1;
        exponent = exponent
            .and_then(|value| value.checked_mul(10))
            .and_then(|value| value.checked_add(i64::from(digit)));
    }
    let [a, b, c, d, ..] = exponent?.to_le_bytes();
    let kept = i32::from_le_bytes([a, b, c, d]);
    Some(i64::from(if negative { kept.wrapping_neg() } else { kept }))
}

/// How well a text is a DECIMAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecimalRead {
    /// All of it is a number.
    Whole,
    /// Something follows, or there are more digits than MySQL reads.
    Cut,
    /// It does not begin with a number.
    NoNumber,
}

/// A text as a DECIMAL of a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DecimalText {
    /// The rounded number; when it has too many digits, whether it is negative.
    pub value: Result<Decimal, bool>,
    /// How well it was read.
    pub read: DecimalRead,
    /// Whether rounding lost digits.
    pub is_lossy: bool,
    /// Whether it is larger than MySQL reads at all.
    pub is_beyond: bool,
    /// Whether it is less than zero before it is rounded.
    pub is_negative: bool,
}

/// Digits that MySQL reads in all, in groups of nine.
const GROUPS: usize = 9;
const DIGITS_READ: i64 = 81;

/// Reads a text as a DECIMAL with `scale` digits behind the point.
#[must_use]
pub fn decimal(text: &[u8], scale: u8) -> DecimalText {
    let mut scan = Scan::new(text);
    let mut prefix = Prefix::read(&mut scan, is_blank);
    let mut read = DecimalRead::Whole;
    if !prefix.is_number {
        return no_number(scale);
    }
    let before = prefix.point.max(0);
    let groups = usize::try_from(before).unwrap_or(usize::MAX).div_ceil(9);
    if groups + prefix.fraction.div_ceil(9) > GROUPS
        && prefix.fraction > GROUPS.saturating_sub(groups) * 9
    {
        read = DecimalRead::Cut;
    }
    match exponent(&mut scan) {
        Ok(exponent) => {
            let behind = i64::try_from(prefix.fraction).unwrap_or(i64::MAX) - exponent;
            if behind > DIGITS_READ && !prefix.digits.is_empty() {
                read = DecimalRead::Cut;
            }
            prefix.point = prefix.point.saturating_add(exponent);
        }
        Err(()) => return no_number(scale),
    }
    if scan.rest().iter().any(|byte| !is_blank(*byte)) {
        read = DecimalRead::Cut;
    }
    let Some((digits, mut is_lossy)) = prefix.rounded(scale.into(), Decimal::DIGITS_MAX) else {
        return DecimalText {
            value: Err(prefix.negative),
            read,
            is_lossy: false,
            is_beyond: prefix.point > DIGITS_READ,
            is_negative: prefix.negative,
        };
    };
    // Of a number too small to be read nothing is left that rounding could lose.
    let is_something = !prefix.digits.is_empty() && prefix.point > -DIGITS_READ;
    is_lossy &= is_something;
    DecimalText {
        value: of_digits(&digits, scale, prefix.negative).ok_or(prefix.negative),
        read,
        is_lossy,
        is_beyond: false,
        is_negative: prefix.negative && is_something,
    }
}

/// Whether all of a text is a number.
#[must_use]
pub fn is_number(text: &[u8]) -> bool {
    let mut scan = Scan::new(text);
    let prefix = Prefix::read(&mut scan, is_blank);
    let has_exponent = exponent(&mut scan).is_ok();
    prefix.is_number && has_exponent && scan.rest().iter().all(|byte| is_blank(*byte))
}

/// Whether all of a text is a number, but one that is too small for a DECIMAL of any scale.
#[must_use]
pub fn vanishes(text: &[u8]) -> bool {
    let mut scan = Scan::new(text);
    let prefix = Prefix::read(&mut scan, is_blank);
    let exponent = exponent(&mut scan).unwrap_or(0);
    let is_whole = scan.rest().iter().all(|byte| is_blank(*byte));
    prefix.is_number && is_whole && prefix.point.saturating_add(exponent) <= -DIGITS_READ
}

fn no_number(scale: u8) -> DecimalText {
    DecimalText {
        value: Ok(Decimal::from_unscaled(0, scale)),
        read: DecimalRead::NoNumber,
        is_lossy: false,
        is_beyond: false,
        is_negative: false,
    }
}

fn of_digits(digits: &[u8], scale: u8, negative: bool) -> Option<Decimal> {
    let split = digits.len().checked_sub(scale.into())?;
    let (whole, fraction) = digits.split_at_checked(split)?;
    let text = |digits: &[u8]| -> String {
        let characters = digits.iter().map(|digit| char::from(b'0' + digit));
        characters.collect()
    };
    let sign = if negative { "-" } else { "" };
    let whole = text(whole);
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    format!("{sign}{whole}.{}", text(fraction)).parse().ok()
}

/// An exponent if one follows; an error for one beyond 64 bits.
fn exponent(scan: &mut Scan<'_>) -> Result<i64, ()> {
    if !matches!(scan.peek(), Some(b'e' | b'E')) {
        return Ok(0);
    }
    let rest = scan.rest().iter().skip(1);
    let blanks = rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let has_sign = matches!(scan.peek_at(1 + blanks), Some(b'-' | b'+'));
    if !scan.is_digit_at(1 + blanks + usize::from(has_sign)) {
        return Ok(0);
    }
    let negative = scan.peek_at(1 + blanks) == Some(b'-');
    scan.at += 1 + blanks + usize::from(has_sign);
    let mut exponent = 0_u64;
    while let Some(digit) = scan.digit() {
        scan.at += 1;
        exponent = exponent
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(digit)))
            .ok_or(())?;
    }
    if negative && exponent > 1 << 63 {
        return Err(());
    }
    // Beyond this every number but zero is out of all ranges.
    let exponent = i64::try_from(exponent)
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 4);
    Ok(if negative { -exponent } else { exponent })
}
