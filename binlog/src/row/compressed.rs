//! MariaDB's compressed record: what stands in place of a statement or of row images when
//! `log_bin_compress` is on.
//!
//! `u8 0x80 | algorithm << 4 | n`, `n` bytes of the uncompressed length (highest first), then a zlib
//! stream. Invariant: nothing is allocated for the announced length, only for what was inflated.
//!
//! Spec: mariadb-server 11.8, sql/log_event.cc, `binlog_buf_compress`.

use std::borrow::Cow;

use codec::{DecodeError, DecodeErrorKind, Reader};
use flate2::{Decompress, FlushDecompress, Status};

use crate::limits::Limits;

/// Bytes inflated at once.
const STEP: usize = 64 << 10;

/// A compressed record, its header read and its stream still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CompressedRecord<'a> {
    /// Announced bytes of the inflated stream.
    pub(crate) inflated_len: u64,
    /// The compressed stream.
    stream: &'a [u8],
    /// Whether a zlib header and check sum stand around the deflate data.
    has_wrapper: bool,
    /// Where the record lies in the event, for errors.
    offset: usize,
}

impl<'a> CompressedRecord<'a> {
    /// Reads the header of the record that fills `reader`.
    pub(crate) fn parse(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let head = reader.u8("compressed record")?;
        if head & 0xf8 != 0x80 {
            let expected = "0x80 (zlib) and the bytes of the length";
            return Err(invalid(offset, u64::from(head), expected));
        }
        let inflated_len = reader.uint_be(usize::from(head & 7), "uncompressed length")?;
        Ok(Self {
            inflated_len,
            stream: reader.rest(),
            has_wrapper: true,
            offset,
        })
    }

    /// Inflates all of it, unless it is more than `limits` allow.
    pub(crate) fn inflate(&self, limits: &Limits) -> Result<Vec<u8>, DecodeError> {
        let mut inflater = self.inflater();
        let mut out = Vec::new();
        while !inflater.is_ended() {
            inflater.fill(&mut out, STEP, limits)?;
            check_size(&out, limits, self.offset)?;
        }
        Ok(out)
    }

    /// Starts inflating.
    pub(crate) fn inflater(&self) -> Inflater<'a> {
        Inflater {
            stream: Decompress::new(self.has_wrapper),
            input: self.stream,
            left: self.inflated_len,
            is_ended: false,
            offset: self.offset,
        }
    }
}

/// The value of a COMPRESSED column, of what is stored for it. What is inflated is taken from
/// `inflated_left`, which is an error when it is not enough.
///
/// `u8` 0 and the value; or `u8 algorithm << 4 | bare << 3 | n`, `n` bytes of the value's length
/// (highest first), and a deflate stream, bare or in a zlib wrapper.
///
/// Spec: mariadb-server 11.8, sql/field_comp.cc.
pub(super) fn column_value<'a>(
    mut stored: Reader<'a>,
    inflated_left: &mut u64,
) -> Result<Cow<'a, [u8]>, DecodeError> {
    const ZLIB: u8 = 8;
    if stored.is_empty() {
        return Ok(Cow::Borrowed(&[]));
    }
    let offset = stored.offset();
    let head = stored.u8("compressed value")?;
    if head == 0 {
        return Ok(Cow::Borrowed(stored.rest()));
    }
    if head >> 4 != ZLIB {
        return Err(invalid(offset, u64::from(head), "algorithm 8 (zlib)"));
    }
    let record = CompressedRecord {
        inflated_len: stored.uint_be(usize::from(head & 7), "length of the value")?,
        stream: stored.rest(),
        has_wrapper: head & 8 == 0,
        offset,
    };
    let limits = Limits {
        inflated_max: *inflated_left,
    };
    let value = record.inflate(&limits)?;
    *inflated_left = inflated_left.saturating_sub(value.len() as u64);
    Ok(Cow::Owned(value))
}

/// Fails when `inflated`, which is one thing, is larger than `limits` allow.
pub(super) fn check_size(
    inflated: &[u8],
    limits: &Limits,
    offset: usize,
) -> Result<(), DecodeError> {
    let (size, limit) = (inflated.len() as u64, limits.inflated_max);
    if size <= limit {
        return Ok(());
    }
    Err(DecodeError {
        what: "inflated data",
        offset,
        kind: DecodeErrorKind::TooLarge { size, limit },
    })
}

/// A deflate stream half-way.
pub(crate) struct Inflater<'a> {
    stream: Decompress,
    input: &'a [u8],
    /// Announced bytes that did not come yet.
    left: u64,
    is_ended: bool,
    offset: usize,
}

impl Inflater<'_> {
    /// Whether the stream came to its proper end.
    pub(crate) const fn is_ended(&self) -> bool {
        self.is_ended
    }

    /// Appends at most `most` bytes to `out`; after it either bytes came or the stream has ended.
    /// Room for more than `limits` allow is not made, but for one byte that shows the excess.
    ///
    /// Fails for damaged data, and when the stream is longer or shorter than announced.
    pub(crate) fn fill(
        &mut self,
        out: &mut Vec<u8>,
        most: usize,
        limits: &Limits,
    ) -> Result<(), DecodeError> {
        let one_more = |bytes: u64| {
            usize::try_from(bytes)
                .unwrap_or(usize::MAX)
                .saturating_add(1)
        };
        let start = out.len();
        let room = one_more(limits.inflated_max).saturating_sub(start);
        let wanted = start.saturating_add(most.min(one_more(self.left)).min(room));
        if out.capacity() < wanted {
            let doubled = out.capacity().saturating_mul(2);
            let capacity = doubled.min(one_more(limits.inflated_max)).max(wanted);
            out.reserve_exact(capacity.saturating_sub(start));
        }
        out.resize(wanted, 0);
        let mut used = start;
        while used == start && !self.is_ended {
            let room = out.get_mut(used..).unwrap_or_default();
            let (taken, made) = (self.stream.total_in(), self.stream.total_out());
            let status = self
                .stream
                .decompress(self.input, room, FlushDecompress::None)
                .map_err(|_| invalid(self.offset, 0, "a sound zlib stream"))?;
            let taken = usize::try_from(self.stream.total_in() - taken).unwrap_or(usize::MAX);
            let made = self.stream.total_out() - made;
            self.input = self.input.get(taken..).unwrap_or(&[]);
            used = used.saturating_add(usize::try_from(made).unwrap_or(0));
            self.left = self.left.checked_sub(made).ok_or_else(|| {
                let expected = "no more bytes than announced";
                invalid(self.offset, self.stream.total_out(), expected)
            })?;
            match status {
                Status::StreamEnd => self.is_ended = true,
                _ if taken == 0 && made == 0 => {
                    return Err(invalid(self.offset, 0, "a whole zlib stream"));
                }
                _ => {}
            }
        }
        out.truncate(used);
        if self.is_ended && self.left > 0 {
            let expected = "as many bytes as announced";
            return Err(invalid(self.offset, self.stream.total_out(), expected));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Inflater<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inflater")
            .field("left", &self.left)
            .field("is_ended", &self.is_ended)
            .finish_non_exhaustive()
    }
}

const fn invalid(offset: usize, found: u64, expected: &'static str) -> DecodeError {
    DecodeError::invalid("compressed record", offset, found, expected)
}
