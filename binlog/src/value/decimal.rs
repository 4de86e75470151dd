//! DECIMAL: up to 65 digits, of which up to 30 after the point.
//!
//! A decimal is a sign, a whole coefficient and a scale; arithmetic with MySQL's scale rules is in
//! [`arith`](self). Invariant: the coefficient has at most [`Decimal::DIGITS_MAX`] digits, and zero
//! is never negative.
//!
//! Spec of the packed form: mysql-server 8.4, strings/decimal.cc, `decimal2bin`.

mod arith;
mod digits;
#[cfg(test)]
mod tests;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use codec::{DecodeError, Reader, Write};

use digits::Digits;

use super::float::shortest_even;

/// A DECIMAL number.
///
/// Comparison is numeric: `1.0` equals `1.00`, though they print differently.
#[derive(Clone, Copy)]
pub struct Decimal {
    negative: bool,
    /// Digits of the coefficient that lie after the point.
    scale: u8,
    coefficient: Digits,
}

/// Text that is not a decimal number, or one with more than 65 digits before the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseDecimalError;

impl Decimal {
    /// Most digits a DECIMAL has in all.
    pub const DIGITS_MAX: usize = 65;

    /// Most digits a DECIMAL has after the point.
    pub const SCALE_MAX: u8 = 30;

    /// Zero without fraction.
    pub const ZERO: Self = Self {
        negative: false,
        scale: 0,
        coefficient: Digits::ZERO,
    };

    /// Builds from parts; `None` when the coefficient is too long.
    fn new(negative: bool, coefficient: Digits, scale: u8) -> Option<Self> {
        (coefficient.len() <= Self::DIGITS_MAX && scale <= Self::SCALE_MAX).then_some(Self {
            negative: negative && !coefficient.is_zero(),
            scale,
            coefficient,
        })
    }

    /// Whether the number is below zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.coefficient.is_zero()
    }

    /// Digits after the point, trailing zeros included.
    #[must_use]
    pub const fn scale(&self) -> u8 {
        self.scale
    }

    /// Digits in all without leading zeros, at least 1 and at least the scale.
    #[must_use]
    pub fn precision(&self) -> u8 {
        let digits = u8::try_from(self.coefficient.len()).unwrap_or(u8::MAX);
        digits.max(self.scale).max(1)
    }

    /// The number with the other sign.
    #[must_use]
    pub fn negate(self) -> Self {
        Self {
            negative: !self.negative && !self.is_zero(),
            ..self
        }
    }

    /// The number without its sign.
    #[must_use]
    pub fn abs(self) -> Self {
        Self {
            negative: false,
            ..self
        }
    }

    /// The nearest DOUBLE.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        self.to_string().parse().unwrap_or(0.0)
    }

    /// The number that MySQL's text of `value` shows; `None` when it has too many digits.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        shortest_even(value).parse().ok()
    }

    /// The whole number nearest to this one (halves away from zero), when it fits.
    #[must_use]
    pub fn to_i128(self) -> Option<i128> {
        let whole = self.round(0)?;
        let magnitude = i128::try_from(whole.coefficient.to_u128()?).ok()?;
        Some(if whole.negative {
            -magnitude
        } else {
            magnitude
        })
    }

    /// `value` divided by `10^scale`; the scale is cut to 30.
    #[must_use]
    pub fn from_unscaled(value: i64, scale: u8) -> Self {
        Self {
            negative: value < 0,
            scale: scale.min(Self::SCALE_MAX),
            coefficient: Digits::from(value.unsigned_abs()),
        }
    }

    /// The number rounded to `scale` and multiplied by `10^scale`, when it fits.
    #[must_use]
    pub fn unscaled(&self, scale: u8) -> Option<i128> {
        let rounded = if self.scale == scale {
            *self
        } else {
            self.round(scale.into())?
        };
        let magnitude = i128::try_from(rounded.coefficient.to_u128()?).ok()?;
        Some(if rounded.negative {
            -magnitude
        } else {
            magnitude
        })
    }

    /// Reads the packed form of a `DECIMAL(precision, scale)` column.
    pub fn from_packed(
        reader: &mut Reader<'_>,
        precision: u8,
        scale: u8,
    ) -> Result<Self, DecodeError> {
        let (offset, what) = (reader.offset(), "decimal");
        let layout = Packed::new(precision, scale).ok_or_else(|| {
            let found = u64::from(precision) << 8 | u64::from(scale);
            DecodeError::invalid(
                what,
                offset,
                found,
                "a precision up to 65, a scale up to 30",
            )
        })?;
        let bytes = reader.bytes(layout.len(), what)?;
        if layout.digits() <= U64_DIGITS {
            return Self::from_small_packed(layout, bytes, offset);
        }
        let mut buffer = [0_u8; Packed::LEN_MAX];
        let copy = buffer.get_mut(..bytes.len()).unwrap_or_default();
        copy.copy_from_slice(bytes);
        let mut negative = false;
        if let Some(first) = copy.first_mut() {
            negative = *first & 0x80 == 0;
            *first ^= 0x80;
        }
        if negative {
            copy.iter_mut().for_each(|byte| *byte = !*byte);
        }
        let mut groups = Reader::at(copy, offset);
        let mut coefficient = Digits::ZERO;
        for digits in layout.groups() {
            let (at, group) = (groups.offset(), groups.uint_be(bytes_of(digits), what)?);
            let group = u32::try_from(group).unwrap_or(u32::MAX);
            if group >= 10_u32.pow(digits) {
                let found = u64::from(group);
                return Err(DecodeError::invalid(
                    "decimal digits",
                    at,
                    found,
                    "at most all 9s",
                ));
            }
            coefficient.push_group(group, digits);
        }
        Ok(Self {
            negative: negative && !coefficient.is_zero(),
            scale,
            coefficient,
        })
    }

    /// The same for numbers that a 64-bit integer holds, which most are.
    fn from_small_packed(layout: Packed, bytes: &[u8], offset: usize) -> Result<Self, DecodeError> {
        let negative = bytes.first().is_none_or(|first| first & 0x80 == 0);
        // A negative number has every byte inverted, and every number its highest bit.
        let inverted = if negative { u32::MAX } else { 0 };
        let (mut value, mut rest, mut is_valid, mut is_first) = (0_u64, bytes, true, true);
        for digits in layout.groups() {
            let Some(&(width, unused, limit)) = GROUPS.get(digits as usize) else {
                continue;
            };
            let (group, tail) = leading(rest, width);
            let sign = if is_first { 0x8000_0000 } else { 0 };
            let group = u64::from(group ^ ((inverted ^ sign) >> unused));
            is_valid &= group < limit;
            value = value.wrapping_mul(limit).wrapping_add(group);
            (rest, is_first) = (tail, false);
        }
        if !is_valid {
            let (found, expected) = (value, "groups of nothing but digits");
            return Err(DecodeError::invalid(
                "decimal digits",
                offset,
                found,
                expected,
            ));
        }
        let [scale, ..] = layout.fraction.to_le_bytes();
        Ok(Self {
            negative: negative && value != 0,
            scale,
            coefficient: Digits::from(value),
        })
    }

    /// Appends the packed form for a `DECIMAL(precision, scale)` column.
    ///
    /// The number is rounded to `scale`; returns false, and appends nothing, when its whole part has
    /// more than `precision - scale` digits or the column's shape is impossible.
    pub fn to_packed(&self, out: &mut Vec<u8>, precision: u8, scale: u8) -> bool {
        let Some((layout, rounded)) = Packed::new(precision, scale).zip(self.round(scale.into()))
        else {
            return false;
        };
        if rounded.coefficient.len() > usize::from(precision) {
            return false;
        }
        let text = rounded.coefficient.to_text();
        let text = format!("{text:0>width$}", width = usize::from(precision));
        let start = out.len();
        let mut at = 0;
        for digits in layout.groups() {
            let end = at + digits as usize;
            let group = text.get(at..end).and_then(|group| group.parse().ok());
            out.put_uint_be(group.unwrap_or(0), bytes_of(digits));
            at = end;
        }
        let packed = out.get_mut(start..).unwrap_or_default();
        if rounded.negative {
            packed.iter_mut().for_each(|byte| *byte = !*byte);
        }
        if let Some(first) = packed.first_mut() {
            *first ^= 0x80;
        }
        true
    }

    /// Length of the packed form; `None` for an impossible column shape.
    #[must_use]
    pub fn packed_len(precision: u8, scale: u8) -> Option<usize> {
        Packed::new(precision, scale).map(Packed::len)
    }
}

/// The shape of a packed decimal: digits before and after the point.
#[derive(Clone, Copy)]
struct Packed {
    whole: u32,
    fraction: u32,
}

impl Packed {
    const LEN_MAX: usize = 32;

    fn new(precision: u8, scale: u8) -> Option<Self> {
        let is_possible = precision >= 1
            && usize::from(precision) <= Decimal::DIGITS_MAX
            && scale <= Decimal::SCALE_MAX
            && scale <= precision;
        is_possible.then(|| Self {
            whole: u32::from(precision - scale),
            fraction: u32::from(scale),
        })
    }

    /// Digits of each group in order: the odd digits of the whole part first, those of the fraction
    /// last, nines between.
    fn groups(self) -> impl Iterator<Item = u32> {
        let nines = self.whole / 9 + self.fraction / 9;
        let (first, last) = (self.whole % 9, self.fraction % 9);
        let digits = move |index| match index {
            0 => first,
            _ if index > nines => last,
            _ => 9,
        };
        (0..nines + 2).map(digits).filter(|&digits| digits > 0)
    }

    /// Digits in all.
    const fn digits(self) -> u32 {
        self.whole + self.fraction
    }

    const fn len(self) -> usize {
        let nines = (self.whole / 9 + self.fraction / 9) as usize;
        bytes_of(self.whole % 9) + nines * bytes_of(9) + bytes_of(self.fraction % 9)
    }
}

/// Digits of which a 64-bit integer holds any.
const U64_DIGITS: u32 = 19;

/// The first `width` bytes (up to 4) as one big-endian number, and what follows them.
#[inline]
fn leading(bytes: &[u8], width: usize) -> (u32, &[u8]) {
    match (width, bytes) {
        (4, [a, b, c, d, rest @ ..]) => (u32::from_be_bytes([*a, *b, *c, *d]), rest),
        (3, [a, b, c, rest @ ..]) => (u32::from_be_bytes([0, *a, *b, *c]), rest),
        (2, [a, b, rest @ ..]) => (u32::from_be_bytes([0, 0, *a, *b]), rest),
        (1, [a, rest @ ..]) => (u32::from(*a), rest),
        _ => (0, bytes),
    }
}

/// By the number of digits of a group: its bytes, how many bits of 32 these leave, and the first
/// number that is too large.
const GROUPS: [(usize, u32, u64); 10] = [
    (0, 0, 1),
    (1, 24, 10),
    (1, 24, 100),
    (2, 16, 1_000),
    (2, 16, 10_000),
    (3, 8, 100_000),
    (3, 8, 1_000_000),
    (4, 0, 10_000_000),
    (4, 0, 100_000_000),
    (4, 0, 1_000_000_000),
];

/// Bytes of a packed group of up to 9 digits.
const fn bytes_of(digits: u32) -> usize {
    match digits {
        0 => 0,
        1 | 2 => 1,
        3 | 4 => 2,
        5 | 6 => 3,
        _ => 4,
    }
}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        let magnitude = Self::from(value.unsigned_abs());
        if value < 0 {
            magnitude.negate()
        } else {
            magnitude
        }
    }
}

impl From<u64> for Decimal {
    fn from(value: u64) -> Self {
        Self {
            negative: false,
            scale: 0,
            coefficient: Digits::from(value),
        }
    }
}

impl FromStr for Decimal {
    type Err = ParseDecimalError;

    /// Reads `[+-]digits[.digits][e[+-]digits]`. More than 30 digits after the point are rounded.
    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        let (negative, unsigned) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..)),
            Some(b'+') => (false, text.get(1..)),
            _ => (false, Some(text)),
        };
        let unsigned = unsigned.ok_or(ParseDecimalError)?;
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (
                mantissa,
                exponent.parse::<i32>().map_err(|_| ParseDecimalError)?,
            ),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = format!("{whole}{fraction}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseDecimalError);
        }
        let mut point = i64::try_from(whole.len()).map_err(|_| ParseDecimalError)?;
        point += i64::from(exponent);
        let significant = digits.trim_start_matches('0');
        point -= i64::try_from(digits.len() - significant.len()).unwrap_or(0);
        if significant.is_empty() {
            let scale = fraction.len().min(Self::SCALE_MAX.into());
            let scale = u8::try_from(scale).unwrap_or(0);
            return Self::new(false, Digits::ZERO, scale).ok_or(ParseDecimalError);
        }
        digits = significant.to_owned();
        let most = i64::try_from(Self::DIGITS_MAX).unwrap_or(0);
        if point > most {
            return Err(ParseDecimalError);
        }
        arith::from_digits(negative, &digits, point).ok_or(ParseDecimalError)
    }
}

impl fmt::Display for Decimal {
    /// Prints every digit after the point, as MySQL does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(Self::DIGITS_MAX + 2);
        self.put_text(&mut text);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Decimal({self})")
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => arith::compare_magnitudes(self, other),
            (true, true) => arith::compare_magnitudes(other, self),
        }
    }
}

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a decimal number of at most 65 digits")
    }
}

impl std::error::Error for ParseDecimalError {}
