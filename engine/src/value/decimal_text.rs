//! Exact numbers read from texts for a DECIMAL column.
//!
//! MySQL keeps a number in nine groups of nine digits, counted from the point to both sides, before a
//! column rounds it. What has no room there is lost, and with an exponent only what has no room once
//! the point has moved.

use binlog::value::Decimal;

use super::number_text::Prefix;
use super::{Scan, is_blank};

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

/// Digits of a group.
const GROUP: usize = 9;
/// Groups of a number.
const GROUPS: usize = 9;
/// The greatest exponent that is looked at: one beyond it is too large even for zero.
const EXPONENT_MAX: i64 = (1 << 30) - 1;
/// The least exponent that is looked at: with one below it even zero is cut.
const EXPONENT_MIN: i64 = -(1 << 30);

/// How a number fits into the groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// With all its digits.
    Whole,
    /// Without its last digits.
    Cut,
    /// Not at all: it is too large.
    Beyond,
}

/// Reads a text as a DECIMAL with `scale` digits behind the point.
#[must_use]
pub fn decimal(text: &[u8], scale: u8) -> DecimalText {
    let mut scan = Scan::new(text);
    let mut prefix = Prefix::read(&mut scan, is_blank);
    if !prefix.is_number {
        return no_number(scale);
    }
    let mut fit = prefix.keep_groups();
    match exponent(&mut scan) {
        Err(()) => return no_number(scale),
        Ok(Some(exponent)) if fit != Fit::Beyond => fit = prefix.shift(exponent),
        Ok(Some(_) | None) => {}
    }
    let is_all = scan.rest().iter().all(|byte| is_blank(*byte));
    let read = match (fit, is_all) {
        (Fit::Cut, _) | (_, false) => DecimalRead::Cut,
        (Fit::Whole | Fit::Beyond, true) => DecimalRead::Whole,
    };
    let is_negative = prefix.negative && !prefix.digits.is_empty();
    let rounded = match fit {
        Fit::Beyond => None,
        Fit::Whole | Fit::Cut => prefix.rounded(scale.into(), Decimal::DIGITS_MAX),
    };
    let is_lossy = rounded.as_ref().is_some_and(|(_, is_lossy)| *is_lossy);
    let value = rounded.and_then(|(digits, _)| of_digits(&digits, scale, prefix.negative));
    DecimalText {
        value: value.ok_or(is_negative),
        read,
        is_lossy,
        is_beyond: fit == Fit::Beyond,
        is_negative,
    }
}

impl Prefix {
    /// Drops the digits for which the groups have no room as they are written.
    fn keep_groups(&mut self) -> Fit {
        let whole = usize::try_from(self.point).unwrap_or(0);
        // A zero before the point takes a group, too.
        let groups = whole.max(usize::from(self.has_whole)).div_ceil(GROUP);
        let Some(left) = GROUPS.checked_sub(groups) else {
            return Fit::Beyond;
        };
        let room = left * GROUP;
        if self.fraction <= room {
            return Fit::Whole;
        }
        let kept = self.point + i64::try_from(room).unwrap_or(i64::MAX);
        self.digits.truncate(usize::try_from(kept).unwrap_or(0));
        Fit::Cut
    }

    /// Moves the point, and rounds what then has no room in the groups.
    fn shift(&mut self, exponent: i64) -> Fit {
        let significant = self.digits.iter().rposition(|digit| *digit != 0);
        self.digits.truncate(significant.map_or(0, |last| last + 1));
        if exponent < EXPONENT_MIN {
            self.digits.clear();
            return Fit::Cut;
        }
        if exponent > EXPONENT_MAX {
            return Fit::Beyond;
        }
        if self.digits.is_empty() {
            return Fit::Whole;
        }
        self.point += exponent;
        let count = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        let groups = usize::try_from(self.point).unwrap_or(0).div_ceil(GROUP);
        let fraction = usize::try_from(count - self.point).unwrap_or(0);
        let Some(left) = GROUPS.checked_sub(groups) else {
            return Fit::Beyond;
        };
        let room = left * GROUP;
        if fraction <= room {
            return Fit::Whole;
        }
        self.round_at(self.digits.len().saturating_sub(fraction - room));
        Fit::Cut
    }

    /// Keeps so many digits, rounded half away from zero; of none nothing is rounded up.
    fn round_at(&mut self, kept: usize) {
        let mut carry = kept > 0 && self.digits.get(kept).is_some_and(|digit| *digit >= 5);
        self.digits.truncate(kept);
        for digit in self.digits.iter_mut().rev() {
            if !carry {
                break;
            }
            carry = *digit == 9;
            *digit = if carry { 0 } else { *digit + 1 };
        }
        if carry {
            self.digits.insert(0, 1);
            self.point += 1;
        }
    }
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
fn exponent(scan: &mut Scan<'_>) -> Result<Option<i64>, ()> {
    if !matches!(scan.peek(), Some(b'e' | b'E')) {
        return Ok(None);
    }
    let rest = scan.rest().iter().skip(1);
    let blanks = rest.take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let has_sign = matches!(scan.peek_at(1 + blanks), Some(b'-' | b'+'));
    if !scan.is_digit_at(1 + blanks + usize::from(has_sign)) {
        return Ok(None);
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
    // Beyond this every number is out of all ranges.
    let exponent = i64::try_from(exponent)
        .unwrap_or(i64::MAX)
        .min(i64::MAX / 4);
    Ok(Some(if negative { -exponent } else { exponent }))
}
