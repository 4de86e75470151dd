//! A cursor over borrowed bytes. Every read names its field, so that every error does.

use crate::{DecodeError, DecodeErrorKind};

/// Reads fields from the front of a byte slice, never past its end.
///
/// A failed read consumes nothing. Integers are little-endian unless the name ends in `_be`.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    /// Offset of `rest` in the outermost input; only for errors and [`Reader::offset`].
    offset: usize,
}

impl<'a> Reader<'a> {
    /// A reader over the whole of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            offset: 0,
        }
    }

    /// A reader over `bytes` that lie at `offset` of a larger input, for errors that name the
    /// place in that input.
    #[must_use]
    #[inline]
    pub const fn at(bytes: &'a [u8], offset: usize) -> Self {
        Self {
            rest: bytes,
            offset,
        }
    }

    /// Offset of the next byte in the outermost input.
    #[must_use]
    #[inline]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes not read yet.
    #[must_use]
    #[inline]
    pub const fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything was read.
    #[must_use]
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes not read yet, without reading them.
    #[must_use]
    pub const fn peek(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads `N` bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, rest)) => {
                self.rest = rest;
                self.offset = self.offset.saturating_add(N);
                Ok(*head)
            }
            None => Err(self.truncated(what, N as u64)),
        }
    }

    /// Reads `len` bytes.
    #[inline]
    pub fn bytes(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(len) {
            Some((head, rest)) => {
                self.rest = rest;
                self.offset = self.offset.saturating_add(len);
                Ok(head)
            }
            None => Err(self.truncated(what, len as u64)),
        }
    }

    /// Reads `len` bytes whose length came from the input as a 64-bit number.
    #[inline]
    pub fn bytes_u64(&mut self, len: u64, what: &'static str) -> Result<&'a [u8], DecodeError> {
        match usize::try_from(len) {
            Ok(len) => self.bytes(len, what),
            Err(_) => Err(self.truncated(what, len)),
        }
    }

    /// A reader over the next `len` bytes, which this one skips.
    pub fn sub(&mut self, len: usize, what: &'static str) -> Result<Self, DecodeError> {
        let offset = self.offset;
        Ok(Self {
            rest: self.bytes(len, what)?,
            offset,
        })
    }

    /// Everything that is left.
    #[inline]
    pub fn rest(&mut self) -> &'a [u8] {
        let rest = std::mem::take(&mut self.rest);
        self.offset = self.offset.saturating_add(rest.len());
        rest
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    /// Reads a 2-byte integer.
    #[inline]
    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    /// Reads a 3-byte integer.
    #[inline]
    pub fn u24(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        let [a, b, c] = self.array(what)?;
        Ok(u32::from_le_bytes([a, b, c, 0]))
    }

    /// Reads a 4-byte integer.
    #[inline]
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    /// Reads a 6-byte integer.
    #[inline]
    pub fn u48(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let [a, b, c, d, e, f] = self.array(what)?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
    }

    /// Reads a 7-byte integer.
    pub fn u56(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let [a, b, c, d, e, f, g] = self.array(what)?;
        Ok(u64::from_le_bytes([a, b, c, d, e, f, g, 0]))
    }

    /// Reads an 8-byte integer.
    #[inline]
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// Reads a little-endian integer of `len` bytes, at most 8.
    #[inline]
    pub fn uint(&mut self, len: usize, what: &'static str) -> Result<u64, DecodeError> {
        let offset = self.offset;
        if len > 8 {
            return Err(DecodeError::invalid(
                what,
                offset,
                len as u64,
                "at most 8 bytes",
            ));
        }
        Ok(match len {
            1 => u64::from(self.u8(what)?),
            2 => u64::from(self.u16(what)?),
            4 => u64::from(self.u32(what)?),
            8 => self.u64(what)?,
            _ => {
                let bytes = self.bytes(len, what)?.iter().rev();
                bytes.fold(0, |value, &byte| value << 8 | u64::from(byte))
            }
        })
    }

    /// Reads a big-endian integer of `len` bytes, at most 8.
    #[inline]
    pub fn uint_be(&mut self, len: usize, what: &'static str) -> Result<u64, DecodeError> {
        let offset = self.offset;
        if len > 8 {
            return Err(DecodeError::invalid(
                what,
                offset,
                len as u64,
                "at most 8 bytes",
            ));
        }
        let bytes = self.bytes(len, what)?;
        Ok(bytes
            .iter()
            .fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Reads a length-encoded integer. The NULL marker (0xfb) and 0xff are errors here; see
    /// [`Reader::lenenc_or_null`].
    #[inline]
    pub fn lenenc(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        let offset = self.offset;
        match self.lenenc_or_null(what)? {
            Some(value) => Ok(value),
            None => Err(DecodeError::invalid(
                what,
                offset,
                0xfb,
                "a length-encoded integer, not NULL",
            )),
        }
    }

    /// Reads a length-encoded integer, or `None` for the NULL marker of text result rows.
    #[inline]
    pub fn lenenc_or_null(&mut self, what: &'static str) -> Result<Option<u64>, DecodeError> {
        let before = self.clone();
        let value = match self.u8(what)? {
            small @ 0..=0xfa => Ok(u64::from(small)),
            0xfb => return Ok(None),
            0xfc => self.u16(what).map(u64::from),
            0xfd => self.u24(what).map(u64::from),
            0xfe => self.u64(what),
            found @ 0xff => Err(DecodeError::invalid(
                what,
                before.offset,
                u64::from(found),
                "the first byte of a length-encoded integer",
            )),
        };
        if value.is_err() {
            *self = before;
        }
        value.map(Some)
    }

    /// Reads a string that is preceded by its length-encoded length.
    pub fn lenenc_bytes(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let before = self.clone();
        let len = self.lenenc(what)?;
        let bytes = self.bytes_u64(len, what);
        if bytes.is_err() {
            *self = before;
        }
        bytes
    }

    /// Reads a string that ends in a NUL byte, which is read but not returned.
    pub fn nul_terminated(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        match self.rest.iter().position(|&byte| byte == 0) {
            Some(len) => {
                let text = self.bytes(len, what)?;
                self.u8(what)?;
                Ok(text)
            }
            None => Err(self.truncated(what, self.rest.len() as u64 + 1)),
        }
    }

    /// Interprets `bytes`, read from `offset`, as UTF-8.
    pub fn text(
        bytes: &'a [u8],
        offset: usize,
        what: &'static str,
    ) -> Result<&'a str, DecodeError> {
        std::str::from_utf8(bytes).map_err(|_| DecodeError {
            what,
            offset,
            kind: DecodeErrorKind::NotText,
        })
    }

    /// Succeeds when everything was read; names what should have ended otherwise.
    pub fn finish(&self, what: &'static str) -> Result<(), DecodeError> {
        match self.rest.len() {
            0 => Ok(()),
            left => Err(DecodeError {
                what,
                offset: self.offset,
                kind: DecodeErrorKind::Trailing { left },
            }),
        }
    }

    const fn truncated(&self, what: &'static str, needed: u64) -> DecodeError {
        let available = self.rest.len();
        DecodeError {
            what,
            offset: self.offset,
            kind: DecodeErrorKind::Truncated { needed, available },
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Write as _;

    #[test]
    fn reads_every_width_of_length_encoded_integer() {
        for (bytes, value) in [
            (&[0xfa_u8][..], 0xfa),
            (&[0xfc, 0xfb, 0x00], 0xfb),
            (&[0xfd, 0x00, 0x00, 0x01], 0x1_0000),
            (&[0xfe, 0, 0, 0, 1, 0, 0, 0, 0], 0x100_0000),
        ] {
            let mut reader = Reader::new(bytes);
            assert_eq!(reader.lenenc("n"), Ok(value));
            assert_eq!(reader.finish("n"), Ok(()));
        }
    }

    #[test]
    fn a_failed_read_consumes_nothing() {
        let mut reader = Reader::new(&[0xfc, 1]);
        assert!(reader.lenenc("length").is_err());
        assert_eq!(reader.remaining(), 2);
        let mut reader = Reader::new(&[5, b'a']);
        assert!(reader.lenenc_bytes("name").is_err());
        assert_eq!(reader.remaining(), 2);
    }

    #[test]
    fn an_error_names_field_and_offset_in_the_outer_input() {
        let mut outer = Reader::at(&[1, 2, 3, 4], 100);
        outer.u8("skip").unwrap();
        let mut inner = outer.sub(2, "inner").unwrap();
        assert_eq!(
            inner.u32("number").unwrap_err().to_string(),
            "number at byte 101 needs 4 bytes, but only 2 are left"
        );
    }

    #[test]
    fn rejects_trailing_bytes() {
        let mut reader = Reader::new(&[1, 2]);
        reader.u8("first").unwrap();
        assert_eq!(
            reader.finish("packet").unwrap_err().to_string(),
            "packet should end at byte 1, but 1 bytes follow"
        );
    }

    #[test]
    fn a_huge_announced_length_is_an_error_without_allocation() {
        let mut reader = Reader::new(&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        assert!(reader.lenenc_bytes("blob").is_err());
    }

    proptest! {
        #[test]
        fn length_encoded_integers_round_trip(value: u64) {
            let mut bytes = Vec::new();
            bytes.put_lenenc(value);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.lenenc("value"), Ok(value));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn every_put_is_read_back(number: u64, signed: i64, len in 1usize..9, text in "[^\\x00]{0,300}") {
            let low = |len: usize| number & (u64::MAX >> (64 - 8 * len));
            let mut bytes = Vec::new();
            bytes.put_u8(low(1).try_into().unwrap());
            bytes.put_u16(low(2).try_into().unwrap());
            bytes.put_u24(low(3).try_into().unwrap());
            bytes.put_u32(low(4).try_into().unwrap());
            bytes.put_u48(low(6));
            bytes.put_u56(low(7));
            bytes.put_u64(number);
            bytes.put_uint(number, len);
            bytes.put_uint_be(number, len);
            bytes.put_varint(number);
            bytes.put_varint_signed(signed);
            bytes.put_lenenc_bytes(text.as_bytes());
            bytes.put_nul_terminated(text.as_bytes());
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(reader.u8("").map(u64::from), Ok(low(1)));
            prop_assert_eq!(reader.u16("").map(u64::from), Ok(low(2)));
            prop_assert_eq!(reader.u24("").map(u64::from), Ok(low(3)));
            prop_assert_eq!(reader.u32("").map(u64::from), Ok(low(4)));
            prop_assert_eq!(reader.u48(""), Ok(low(6)));
            prop_assert_eq!(reader.u56(""), Ok(low(7)));
            prop_assert_eq!(reader.u64(""), Ok(number));
            prop_assert_eq!(reader.uint(len, ""), Ok(low(len)));
            prop_assert_eq!(reader.uint_be(len, ""), Ok(low(len)));
            prop_assert_eq!(reader.varint(""), Ok(number));
            prop_assert_eq!(reader.varint_signed(""), Ok(signed));
            prop_assert_eq!(reader.lenenc_bytes(""), Ok(text.as_bytes()));
            prop_assert_eq!(reader.nul_terminated(""), Ok(text.as_bytes()));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn no_read_panics_or_runs_past_the_end(bytes: Vec<u8>, calls in prop::collection::vec(0u8..12, 0..40)) {
            let mut reader = Reader::new(&bytes);
            for call in calls {
                let before = reader.remaining();
                match call {
                    0 => drop(reader.u8("x")),
                    1 => drop(reader.u16("x")),
                    2 => drop(reader.u24("x")),
                    3 => drop(reader.u32("x")),
                    4 => drop(reader.u48("x")),
                    5 => drop(reader.u64("x")),
                    6 => drop(reader.lenenc("x")),
                    7 => drop(reader.lenenc_bytes("x")),
                    8 => drop(reader.nul_terminated("x")),
                    9 => drop(reader.uint(usize::from(call), "x")),
                    10 => drop(reader.uint_be(7, "x")),
                    _ => drop(reader.sub(3, "x")),
                }
                prop_assert!(reader.remaining() <= before);
                prop_assert_eq!(reader.offset() + reader.remaining(), bytes.len());
            }
        }
    }
}
