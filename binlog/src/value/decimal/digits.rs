//! Whole numbers of up to 162 decimal digits, in groups of nine. Knows no sign and no point.
//!
//! Large enough for the product of two coefficients and for a dividend with its added digits.

use std::cmp::Ordering;

/// Groups of nine digits, lowest first. `LIMBS` is 18: twice what a DECIMAL of 65 digits needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wide {
    limbs: [u32; Wide::LIMBS],
}

/// The coefficient of a decimal: up to 72 digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Digits {
    limbs: [u32; Digits::LIMBS],
}

/// One more than the largest group.
const BASE: u64 = 1_000_000_000;

impl Digits {
    pub(super) const LIMBS: usize = 8;

    pub(super) const ZERO: Self = Self {
        limbs: [0; Self::LIMBS],
    };

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.iter().all(|&limb| limb == 0)
    }

    /// Groups of nine digits, lowest first.
    pub(super) const fn limbs(&self) -> &[u32; Self::LIMBS] {
        &self.limbs
    }

    /// Multiplies by `10^digits` (at most 9) and adds `group`. What no longer fits is lost; callers
    /// push at most 65 digits.
    pub(super) fn push_group(&mut self, group: u32, digits: u32) {
        let factor = 10_u64.pow(digits.min(9));
        let mut carry = u64::from(group);
        for limb in &mut self.limbs {
            let sum = u64::from(*limb) * factor + carry;
            *limb = group_of(sum % BASE);
            carry = sum / BASE;
        }
    }

    /// Number of decimal digits; 0 for zero.
    pub(super) fn len(&self) -> usize {
        self.widen().len()
    }

    pub(super) fn to_text(self) -> String {
        self.widen().to_text()
    }

    pub(super) fn to_u128(self) -> Option<u128> {
        self.limbs.iter().rev().try_fold(0_u128, |value, &limb| {
            value.checked_mul(BASE.into())?.checked_add(limb.into())
        })
    }

    pub(super) fn widen(&self) -> Wide {
        let mut wide = Wide::ZERO;
        for (to, from) in wide.limbs.iter_mut().zip(self.limbs) {
            *to = from;
        }
        wide
    }
}

impl From<u64> for Digits {
    fn from(value: u64) -> Self {
        let mut digits = Self::ZERO;
        let [low, middle, high, ..] = &mut digits.limbs;
        *low = group_of(value % BASE);
        if value >= BASE {
            *middle = group_of(value / BASE % BASE);
            *high = group_of(value / BASE / BASE);
        }
        digits
    }
}

impl Wide {
    const LIMBS: usize = 18;

    pub(super) const ZERO: Self = Self {
        limbs: [0; Self::LIMBS],
    };

    pub(super) const ONE: Self = {
        let mut limbs = [0; Self::LIMBS];
        limbs[0] = 1;
        Self { limbs }
    };

    pub(super) fn is_zero(&self) -> bool {
        self.limbs.iter().all(|&limb| limb == 0)
    }

    /// The low 72 digits, if there are no more.
    pub(super) fn narrow(&self) -> Option<Digits> {
        let (low, high) = self.limbs.split_first_chunk::<{ Digits::LIMBS }>()?;
        high.iter()
            .all(|&limb| limb == 0)
            .then_some(Digits { limbs: *low })
    }

    /// Number of decimal digits; 0 for zero.
    pub(super) fn len(&self) -> usize {
        let mut len = 0;
        for (index, &limb) in self.limbs.iter().enumerate() {
            if limb > 0 {
                len = index * 9 + limb.ilog10() as usize + 1;
            }
        }
        len
    }

    pub(super) fn to_text(self) -> String {
        let mut text = String::with_capacity(self.len().max(1));
        for limb in self.limbs.iter().rev() {
            if !text.is_empty() {
                text.push_str(&format!("{limb:09}"));
            } else if *limb > 0 {
                text.push_str(&limb.to_string());
            }
        }
        if text.is_empty() {
            text.push('0');
        }
        text
    }

    /// Multiplies by `10^digits`; `None` when the result does not fit.
    pub(super) fn shift_up(self, digits: usize) -> Option<Self> {
        if self.is_zero() {
            return Some(self);
        }
        if self.len() + digits > Self::LIMBS * 9 {
            return None;
        }
        let mut shifted = Self::ZERO;
        for (to, from) in shifted.limbs.iter_mut().skip(digits / 9).zip(self.limbs) {
            *to = from;
        }
        let factor = 10_u64.pow(u32::try_from(digits % 9).unwrap_or(0));
        let mut carry = 0;
        for limb in &mut shifted.limbs {
            let product = u64::from(*limb) * factor + carry;
            *limb = group_of(product % BASE);
            carry = product / BASE;
        }
        Some(shifted)
    }

    /// Divides by `10^digits`: the quotient, and whether the first digit cut is 5 or more.
    pub(super) fn shift_down(self, digits: usize) -> (Self, bool) {
        if digits == 0 {
            return (self, false);
        }
        let mut rest = self;
        let mut first_cut = 0;
        // All but the last digit at once, then that one, which decides the rounding.
        for step in [digits - 1, 1] {
            let mut shifted = Self::ZERO;
            for (to, from) in shifted
                .limbs
                .iter_mut()
                .zip(rest.limbs.iter().skip(step / 9))
            {
                *to = *from;
            }
            let divisor = 10_u64.pow(u32::try_from(step % 9).unwrap_or(0));
            first_cut = shifted.divide_small(divisor);
            rest = shifted;
        }
        (rest, first_cut >= 5)
    }

    /// Divides in place by `divisor` (below 2^32) and returns the remainder.
    fn divide_small(&mut self, divisor: u64) -> u64 {
        let mut remainder = 0;
        for limb in self.limbs.iter_mut().rev() {
            let current = remainder * BASE + u64::from(*limb);
            *limb = group_of(current / divisor);
            remainder = current % divisor;
        }
        remainder
    }

    /// The sum; `None` when it does not fit.
    pub(super) fn plus(mut self, other: &Self) -> Option<Self> {
        let mut carry = 0;
        for (limb, theirs) in self.limbs.iter_mut().zip(other.limbs) {
            let sum = u64::from(*limb) + u64::from(theirs) + carry;
            *limb = group_of(sum % BASE);
            carry = sum / BASE;
        }
        (carry == 0).then_some(self)
    }

    /// The difference; `other` must not be larger.
    pub(super) fn minus(mut self, other: &Self) -> Self {
        let mut borrow = 0;
        for (limb, theirs) in self.limbs.iter_mut().zip(other.limbs) {
            let difference = u64::from(*limb) + BASE - u64::from(theirs) - borrow;
            *limb = group_of(difference % BASE);
            borrow = u64::from(difference < BASE);
        }
        self
    }

    /// The product of two coefficients, which always fits.
    pub(super) fn product(a: &Digits, b: &Digits) -> Self {
        let mut product = Self::ZERO;
        for (index, &left) in a.limbs.iter().enumerate() {
            let mut carry = 0;
            let mut targets = product.limbs.iter_mut().skip(index);
            for &right in &b.limbs {
                if let Some(limb) = targets.next() {
                    let sum = u64::from(left) * u64::from(right) + u64::from(*limb) + carry;
                    *limb = group_of(sum % BASE);
                    carry = sum / BASE;
                }
            }
            if let Some(limb) = targets.next() {
                *limb = group_of(carry);
            }
        }
        product
    }

    /// Quotient and remainder; `None` for a zero divisor.
    ///
    /// Schoolbook division by decimal digit: short and obviously right, fast enough for SQL.
    pub(super) fn divide(self, divisor: &Self) -> Option<(Self, Self)> {
        if divisor.is_zero() {
            return None;
        }
        let (mut quotient, mut remainder) = (Self::ZERO, Self::ZERO);
        if self.is_zero() {
            return Some((quotient, remainder));
        }
        for digit in self.to_text().bytes() {
            remainder = remainder.shift_up(1)?.plus(&Self::from_digit(digit))?;
            quotient = quotient.shift_up(1)?;
            while remainder >= *divisor {
                remainder = remainder.minus(divisor);
                quotient = quotient.plus(&Self::ONE)?;
            }
        }
        Some((quotient, remainder))
    }

    fn from_digit(digit: u8) -> Self {
        let mut wide = Self::ZERO;
        if let Some(limb) = wide.limbs.first_mut() {
            *limb = u32::from(digit.saturating_sub(b'0'));
        }
        wide
    }

    /// Reads ASCII digits; `None` when there are more than fit.
    pub(super) fn parse(digits: &str) -> Option<Self> {
        let mut wide = Self::ZERO;
        let mut limbs = wide.limbs.iter_mut();
        for group in digits.as_bytes().rchunks(9) {
            let limb = limbs.next()?;
            *limb = std::str::from_utf8(group).ok()?.parse().ok()?;
        }
        Some(wide)
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Self) -> Ordering {
        self.limbs.iter().rev().cmp(other.limbs.iter().rev())
    }
}

/// A number below [`BASE`] as a group.
fn group_of(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
