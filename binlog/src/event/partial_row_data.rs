//! `PARTIAL_ROW_DATA_EVENT` (MariaDB since 12.3): a piece of a row event that is too large to be
//! sent as one.
//!
//! The pieces of a row event follow one another; put together they are that whole event, its header
//! first. MariaDB's manual and its sources disagree on which of the two counters comes first. The
//! number of a piece never exceeds their count, so the smaller one is the number; the order is kept.
//!
//! Spec: MariaDB Server Documentation, "PARTIAL_ROW_DATA_EVENT".

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                                        |
/// |-------:|-----:|----------------------------------------------|
/// |      0 |    4 | one of `number` and `count`                  |
/// |      4 |    4 | the other                                    |
/// |      8 |    1 | `flags`                                      |
/// |      9 |  0/8 | `original_size`, if flag 1 is set            |
/// |        | rest | `data`                                       |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartialRowData<'a> {
    /// Number of this piece, from 1.
    pub number: u32,
    /// How many pieces the row event has.
    pub count: u32,
    /// Whether `count` is written before `number`.
    pub is_count_first: bool,
    /// Bit 0: `original_size` follows, only in the first piece.
    pub flags: u8,
    /// Bytes of the row event.
    pub original_size: Option<u64>,
    /// This piece of it.
    pub data: &'a [u8],
}

impl<'a> PartialRowData<'a> {
    /// Flag: the size of the row event follows.
    pub const HAS_ORIGINAL_SIZE: u8 = 1;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let first = reader.u32("row event piece")?;
        let second = reader.u32("row event piece")?;
        let flags = reader.u8("row event piece flags")?;
        let original_size = (flags & Self::HAS_ORIGINAL_SIZE != 0)
            .then(|| reader.u64("row event size"))
            .transpose()?;
        Ok(Self {
            number: first.min(second),
            count: first.max(second),
            is_count_first: first >= second,
            flags,
            original_size,
            data: reader.rest(),
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let (first, second) = if self.is_count_first {
            (self.count, self.number)
        } else {
            (self.number, self.count)
        };
        out.put_u32(first);
        out.put_u32(second);
        out.put_u8(self.flags);
        if let Some(size) = self.original_size {
            out.put_u64(size);
        }
        out.put(self.data);
    }
}
