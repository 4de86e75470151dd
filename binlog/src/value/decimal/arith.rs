//! Decimal arithmetic with MySQL's scale rules.
//!
//! Addition keeps the larger scale, multiplication adds scales (at most 30), division adds
//! `div_precision_increment` digits. Results are rounded half away from zero, except where MySQL's
//! division has no digit left to round by. Every operation answers `None` when the result has more
//! than 65 digits, where MySQL reports 1690 or clamps, as the caller knows.
//!
//! Spec: mysql-server 8.4, strings/decimal.cc and sql/item_func.cc.

use std::cmp::Ordering;

use super::digits::Wide;
use super::{Decimal, Digits};

impl Decimal {
    /// The sum.
    #[must_use]
    #[expect(
        clippy::should_implement_trait,
        reason = "the sum of two decimals may not exist"
    )]
    pub fn add(self, other: Self) -> Option<Self> {
        let (a, b, scale) = aligned(&self, &other)?;
        let (negative, magnitude) = if self.negative == other.negative {
            (self.negative, a.plus(&b)?)
        } else if a >= b {
            (self.negative, a.minus(&b))
        } else {
            (other.negative, b.minus(&a))
        };
        Self::new(negative, magnitude.narrow()?, scale)
    }

    /// The difference.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "the result may not exist")]
    pub fn sub(self, other: Self) -> Option<Self> {
        self.add(other.negate())
    }

    /// The product.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "the result may not exist")]
    pub fn mul(self, other: Self) -> Option<Self> {
        let product = Wide::product(&self.coefficient, &other.coefficient);
        let scale = usize::from(self.scale) + usize::from(other.scale);
        let kept = scale.min(Self::SCALE_MAX.into());
        let rounded = round_off(product, scale - kept)?;
        let negative = self.negative != other.negative;
        Self::new(negative, rounded.narrow()?, u8::try_from(kept).ok()?)
    }

    /// The quotient with `scale_increment` (MySQL's `div_precision_increment`, 4 by default) more
    /// digits after the point than the dividend. `None` also for division by zero.
    #[must_use]
    pub fn div(self, other: Self, scale_increment: u8) -> Option<Self> {
        let scale = self
            .scale
            .saturating_add(scale_increment)
            .min(Self::SCALE_MAX);
        // MySQL works in words of nine digits and cuts off what does not fill the last word.
        let words = |digits: u8| usize::from(digits).div_ceil(9) * 9;
        let (ours, theirs) = (words(self.scale), words(other.scale));
        let slack = ours - usize::from(self.scale) + theirs - usize::from(other.scale);
        let wanted = usize::from(scale_increment).saturating_sub(slack);
        let digits = (ours + theirs + wanted).div_ceil(9) * 9;
        // self / other with `digits` digits after the point, cut.
        let shift = digits + usize::from(other.scale);
        let shift = shift.checked_sub(usize::from(self.scale))?;
        let dividend = self.coefficient.widen().shift_up(shift)?;
        let (quotient, _) = dividend.divide(&other.coefficient.widen())?;
        let quotient = if digits >= usize::from(scale) {
            round_off(quotient, digits - usize::from(scale))?
        } else {
            quotient.shift_up(usize::from(scale) - digits)?
        };
        Self::new(self.negative != other.negative, quotient.narrow()?, scale)
    }

    /// The remainder of the division with a whole quotient; it has the dividend's sign. `None` also
    /// for division by zero.
    #[must_use]
    #[expect(clippy::should_implement_trait, reason = "the result may not exist")]
    pub fn rem(self, other: Self) -> Option<Self> {
        let (a, b, scale) = aligned(&self, &other)?;
        let (_, remainder) = a.divide(&b)?;
        Self::new(self.negative, remainder.narrow()?, scale)
    }

    /// Rounded half away from zero to `places` digits after the point (negative: before it). The
    /// result has exactly `max(places, 0)` digits after the point, at most 30.
    #[must_use]
    pub fn round(self, places: i32) -> Option<Self> {
        self.rescale(places, true)
    }

    /// Cut to `places` digits after the point (negative: before it).
    #[must_use]
    pub fn truncate(self, places: i32) -> Option<Self> {
        self.rescale(places, false)
    }

    fn rescale(self, places: i32, rounds: bool) -> Option<Self> {
        let places = places.min(Self::SCALE_MAX.into());
        let cut = i32::from(self.scale) - places;
        let mut wide = self.coefficient.widen();
        if let Ok(cut) = usize::try_from(cut) {
            let (mut kept, rounds_up) = wide.shift_down(cut);
            if rounds && rounds_up {
                kept = kept.plus(&Wide::ONE)?;
            }
            wide = kept;
        } else {
            wide = wide.shift_up(usize::try_from(-cut).ok()?)?;
        }
        if let Ok(before) = usize::try_from(-places) {
            wide = wide.shift_up(before)?;
        }
        let scale = u8::try_from(places.max(0)).ok()?;
        Self::new(self.negative, wide.narrow()?, scale)
    }

    /// The smallest whole number not below this one.
    #[must_use]
    pub fn ceil(self) -> Option<Self> {
        let whole = self.truncate(0)?;
        if whole == self || self.negative {
            return Some(whole);
        }
        whole.add(Self::from(1_u64))
    }

    /// The largest whole number not above this one.
    #[must_use]
    pub fn floor(self) -> Option<Self> {
        Some(self.negate().ceil()?.negate())
    }
}

/// Both coefficients at the larger of the two scales.
fn aligned(a: &Decimal, b: &Decimal) -> Option<(Wide, Wide, u8)> {
    let scale = a.scale.max(b.scale);
    let raised = |decimal: &Decimal| {
        let wide = decimal.coefficient.widen();
        wide.shift_up(usize::from(scale - decimal.scale))
    };
    Some((raised(a)?, raised(b)?, scale))
}

/// Compares without signs.
pub(super) fn compare_magnitudes(a: &Decimal, b: &Decimal) -> Ordering {
    // 65 + 30 digits always fit.
    aligned(a, b).map_or(Ordering::Equal, |(a, b, _)| a.cmp(&b))
}

/// Divides by `10^digits`, rounding half up.
fn round_off(value: Wide, digits: usize) -> Option<Wide> {
    let (kept, rounds_up) = value.shift_down(digits);
    if rounds_up {
        kept.plus(&Wide::ONE)
    } else {
        Some(kept)
    }
}

/// The number `0.digits x 10^point`; `digits` are ASCII digits without leading zeros. Digits after
/// the point beyond 30 are rounded away.
pub(super) fn from_digits(negative: bool, digits: &str, point: i64) -> Option<Decimal> {
    let len = i64::try_from(digits.len()).ok()?;
    let scale_max = i64::from(Decimal::SCALE_MAX);
    let scale = (len - point).clamp(0, scale_max);
    // How many of the given digits are kept; the next one decides the rounding.
    let kept = point + scale;
    let mut wide = if kept <= 0 {
        Wide::ZERO
    } else if let Some(head) = usize::try_from(kept)
        .ok()
        .and_then(|kept| digits.get(..kept))
    {
        Wide::parse(head)?
    } else {
        let missing = usize::try_from(kept - len).ok()?;
        Wide::parse(digits)?.shift_up(missing)?
    };
    let next = usize::try_from(kept)
        .ok()
        .and_then(|kept| digits.as_bytes().get(kept));
    if next.is_some_and(|&digit| digit >= b'5') {
        wide = wide.plus(&Wide::ONE)?;
    }
    let coefficient: Digits = wide.narrow()?;
    Decimal::new(negative, coefficient, u8::try_from(scale).ok()?)
}
