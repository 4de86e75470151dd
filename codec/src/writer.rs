//! Appending fields to a byte vector. Encoding cannot fail: what is encoded was checked before.

/// Appends fields in MySQL's encodings. Integers are little-endian unless the name says otherwise.
pub trait Write {
    /// Appends `bytes` as they are.
    fn put(&mut self, bytes: &[u8]);

    /// Appends one byte.
    fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    /// Appends a 2-byte integer.
    fn put_u16(&mut self, value: u16) {
        self.put(&value.to_le_bytes());
    }

    /// Appends the low 3 bytes of `value`.
    fn put_u24(&mut self, value: u32) {
        let [a, b, c, _] = value.to_le_bytes();
        self.put(&[a, b, c]);
    }

    /// Appends a 4-byte integer.
    fn put_u32(&mut self, value: u32) {
        self.put(&value.to_le_bytes());
    }

    /// Appends the low 6 bytes of `value`.
    fn put_u48(&mut self, value: u64) {
        let [a, b, c, d, e, f, _, _] = value.to_le_bytes();
        self.put(&[a, b, c, d, e, f]);
    }

    /// Appends the low 7 bytes of `value`.
    fn put_u56(&mut self, value: u64) {
        let [a, b, c, d, e, f, g, _] = value.to_le_bytes();
        self.put(&[a, b, c, d, e, f, g]);
    }

    /// Appends an 8-byte integer.
    fn put_u64(&mut self, value: u64) {
        self.put(&value.to_le_bytes());
    }

    /// Appends the low `len` bytes (at most 8) of `value`, lowest first.
    fn put_uint(&mut self, value: u64, len: usize) {
        self.put(
            value
                .to_le_bytes()
                .get(..len)
                .unwrap_or(&value.to_le_bytes()),
        );
    }

    /// Appends the low `len` bytes (at most 8) of `value`, highest first.
    fn put_uint_be(&mut self, value: u64, len: usize) {
        let bytes = value.to_be_bytes();
        self.put(bytes.get(8_usize.saturating_sub(len)..).unwrap_or(&bytes));
    }

    /// Appends a length-encoded integer in its shortest form.
    fn put_lenenc(&mut self, value: u64) {
        let [a, b, c, ..] = value.to_le_bytes();
        match value {
            0..=0xfa => self.put(&[a]),
            0xfb..=0xffff => self.put(&[0xfc, a, b]),
            0x1_0000..=0xff_ffff => self.put(&[0xfd, a, b, c]),
            _ => {
                self.put_u8(0xfe);
                self.put_u64(value);
            }
        }
    }

    /// Appends `bytes` preceded by their length-encoded length.
    fn put_lenenc_bytes(&mut self, bytes: &[u8]) {
        self.put_lenenc(bytes.len() as u64);
        self.put(bytes);
    }

    /// Appends an unsigned variable-length integer of MySQL's serialization library.
    fn put_varint(&mut self, value: u64) {
        crate::varint::put(self, value);
    }

    /// Appends a signed variable-length integer of MySQL's serialization library.
    fn put_varint_signed(&mut self, value: i64) {
        crate::varint::put_signed(self, value);
    }

    /// Appends `text` and a NUL byte. A NUL inside `text` would end it early for its reader.
    fn put_nul_terminated(&mut self, text: &[u8]) {
        self.put(text);
        self.put_u8(0);
    }
}

impl Write for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A 4-byte length field whose value is known only once what it measures was written.
///
/// The field holds `0xffff_ffff`, which no format accepts, until [`LengthGuard::finish`] fills it:
/// an encoder that forgets or returns early leaves bytes that every reader rejects.
#[derive(Debug)]
#[must_use = "the length stays invalid until finish is called"]
pub struct LengthGuard {
    at: usize,
}

impl LengthGuard {
    /// Reserves the field at the end of `out`.
    pub fn u32(out: &mut Vec<u8>) -> Self {
        let at = out.len();
        out.put_u32(u32::MAX);
        Self { at }
    }

    /// Fills the field with the number of bytes written after it.
    ///
    /// Leaves it invalid when that number does not fit 32 bits.
    pub fn finish(self, out: &mut [u8]) {
        let measured = out.len().saturating_sub(self.at.saturating_add(4));
        if let (Ok(measured), Some(field)) = (
            u32::try_from(measured),
            out.get_mut(self.at..self.at.saturating_add(4)),
        ) {
            field.copy_from_slice(&measured.to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_invalid_until_it_is_finished() {
        let mut out = vec![7];
        let guard = LengthGuard::u32(&mut out);
        out.put(b"abc");
        assert_eq!(out, [7, 0xff, 0xff, 0xff, 0xff, b'a', b'b', b'c']);
        guard.finish(&mut out);
        assert_eq!(out, [7, 3, 0, 0, 0, b'a', b'b', b'c']);
    }

    #[test]
    fn partial_integers_keep_their_low_bytes_in_the_asked_order() {
        let mut out = Vec::new();
        out.put_uint(0x0102_0304, 3);
        out.put_uint_be(0x0102_0304, 3);
        assert_eq!(out, [4, 3, 2, 2, 3, 4]);
    }
}
