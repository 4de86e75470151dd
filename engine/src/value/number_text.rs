//! Integers read from texts for a column: the longest numeric beginning, rounded exactly to what the
//! column keeps. Exact numbers with a fraction are read in [`super::decimal_text`].

use super::{Scan, is_blank};

/// The beginning of a text that is a number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Prefix {
    /// Whether it has a minus sign.
    pub(super) negative: bool,
    /// Digits without point and without leading zeros.
    pub(super) digits: Vec<u8>,
    /// How many of the digits stand before the point; may be negative or beyond their end.
    pub(super) point: i64,
    /// Whether there was a digit at all.
    pub(super) is_number: bool,
    /// Whether there was a digit before the point.
    pub(super) has_whole: bool,
    /// Digits behind the point as written.
    pub(super) fraction: usize,
}

impl Prefix {
    /// Reads the digits, behind what `is_blank` says is none.
    pub(super) fn read(scan: &mut Scan<'_>, is_blank: impl Fn(u8) -> bool) -> Self {
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
                false => {
                    self.has_whole = true;
                    self.point += i64::from(!is_leading);
                }
            }
        }
    }

    /// The whole part and `scale` digits behind the point, rounded half away from zero, as digits;
    /// and whether digits were lost. `None` when there are more than `most` before the point.
    pub(super) fn rounded(&self, scale: usize, most: usize) -> Option<(Vec<u8>, bool)> {
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
