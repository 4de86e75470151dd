//! Decimals as bytes of text.

use super::{Decimal, Digits};

impl Decimal {
    /// Appends what [`std::fmt::Display`] prints: every digit after the point, at least one before.
    pub fn put_text(&self, out: &mut Vec<u8>) {
        let mut digits = [b'0'; 9 * Digits::LIMBS];
        let limbs = self.coefficient.limbs();
        for (slots, &limb) in digits.rchunks_exact_mut(9).zip(limbs) {
            let mut left = limb;
            for slot in slots.iter_mut().rev() {
                if left == 0 {
                    break;
                }
                *slot = b'0' + u8::try_from(left % 10).unwrap_or(0);
                left /= 10;
            }
        }
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        let scale = usize::from(self.scale);
        let point = digits.len().saturating_sub(scale);
        let start = zeros.min(point.saturating_sub(1));
        if self.negative {
            out.push(b'-');
        }
        out.extend_from_slice(digits.get(start..point).unwrap_or_default());
        if scale > 0 {
            out.push(b'.');
            out.extend_from_slice(digits.get(point..).unwrap_or_default());
        }
    }
}
