//! Variable-length integers of MySQL's serialization library, used by tagged GTIDs.
//!
//! The number of trailing 1 bits of the first byte says how many bytes follow it; the value is what
//! lies above those bits and one 0 bit. Signed values fold the sign into bit 0.
//!
//! Spec: mysql-server 8.3, libs/mysql/serialization/variable_length_integers.h.

use crate::{DecodeError, Reader, Write};

impl Reader<'_> {
    /// Reads an unsigned variable-length integer (1 to 9 bytes).
    pub fn varint(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let mut after = self.clone();
        let first = after.u8(what)?;
        let value = match first.trailing_ones() {
            8 => after.u64(what)?,
            more => {
                let high = after.uint(more as usize, what)?;
                // The first byte keeps 7 - more bits of the value, the lowest ones.
                let low = u64::from(first) >> (more + 1);
                high << (7 - more) | low
            }
        };
        *self = after;
        Ok(value)
    }

    /// Reads a signed variable-length integer.
    pub fn varint_signed(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        let folded = self.varint(what)?;
        let magnitude = (folded >> 1).cast_signed();
        Ok(if folded & 1 == 0 {
            magnitude
        } else {
            -1 - magnitude
        })
    }
}

/// Appends `value` in its shortest form.
pub(crate) fn put(out: &mut (impl Write + ?Sized), value: u64) {
    let bits = 64 - value.leading_zeros();
    // Every byte carries 7 bits of the value until 8 bytes; 9 bytes carry all 64.
    let more = bits.saturating_sub(1) / 7;
    if more >= 8 {
        out.put_u8(0xff);
        out.put_u64(value);
    } else {
        let marked = value << (more + 1) | ((1 << more) - 1);
        out.put_uint(marked, more as usize + 1);
    }
}

/// Appends a signed `value` in its shortest form.
pub(crate) fn put_signed(out: &mut (impl Write + ?Sized), value: i64) {
    let folded = if value < 0 {
        ((-1 - value).cast_unsigned() << 1) | 1
    } else {
        value.cast_unsigned() << 1
    };
    put(out, folded);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn encodes_the_documented_forms() {
        for (value, bytes) in [
            (0, &[0_u8][..]),
            (1, &[2]),
            (0x7f, &[0xfe]),
            (0x80, &[0x01, 0x02]),
            (u64::MAX, &[0xff; 9]),
        ] {
            let mut out = Vec::new();
            out.put_varint(value);
            assert_eq!(out, bytes);
            assert_eq!(Reader::new(bytes).varint("n"), Ok(value));
        }
    }

    proptest! {
        #[test]
        fn round_trips_and_fails_on_every_prefix(value: u64, shift in 0u32..64) {
            let value = value >> shift;
            let mut out = Vec::new();
            out.put_varint(value);
            prop_assert_eq!(Reader::new(&out).varint("n"), Ok(value));
            prop_assert!(Reader::new(&out[..out.len() - 1]).varint("n").is_err());
        }

        #[test]
        fn signed_values_round_trip(value: i64, shift in 0u32..64) {
            let value = value >> shift;
            let mut out = Vec::new();
            out.put_varint_signed(value);
            prop_assert_eq!(Reader::new(&out).varint_signed("n"), Ok(value));
        }
    }
}
