//! The binary forms, as in PREVIOUS_GTIDS and COM_BINLOG_DUMP_GTID.
//!
//! Format 0, for sets without tags: `n u64`, then n times `uuid[16], m u64, m x (start u64, end u64)`
//! with the end excluded. Format 1, when a tag is present: byte 0 is 1, bytes 1-6 count the entries,
//! byte 7 is 1; each entry has the tag (varint length, text) between UUID and m. Byte 7 of the first
//! number tells the formats apart.
//!
//! Spec: mysql-server 8.3, sql/rpl_gtid_set.cc, `Gtid_set::encode`.

use codec::{DecodeError, Reader, Write};
use uuid::Uuid;

use super::{GnoInterval, GtidSet};
use crate::{Gno, Tag, Tsid};

/// Bytes of an interval in either form.
const INTERVAL_LEN: usize = 16;

impl GtidSet {
    /// Appends the set in MySQL's binary form: format 1 when it has a tag, else format 0.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let is_tagged = self.tsids.keys().any(|tsid| !tsid.tag.is_none());
        let count = self.tsids.len() as u64;
        if is_tagged {
            out.put_u8(1);
            out.put_u48(count);
            out.put_u8(1);
        } else {
            out.put_u64(count);
        }
        for (tsid, intervals) in &self.tsids {
            out.put(tsid.uuid.as_bytes());
            if is_tagged {
                let tag = tsid.tag.as_str().as_bytes();
                out.put_varint(tag.len() as u64);
                out.put(tag);
            }
            out.put_u64(intervals.len() as u64);
            for interval in intervals {
                out.put_u64(interval.start);
                out.put_u64(interval.end + 1);
            }
        }
    }

    /// Reads a set in either binary form, and nothing after it.
    ///
    /// Entries may repeat and intervals may overlap; the result is their union.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let set = Self::decode_from(&mut reader)?;
        reader.finish("GTID set")?;
        Ok(set)
    }

    /// Reads a set from the front of `reader`.
    pub fn decode_from(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let first = reader.u64("GTID set entry count")?;
        let [_, count @ .., format] = first.to_le_bytes();
        let (is_tagged, count) = match format {
            0 => (false, first),
            1 => {
                let [a, b, c, d, e, f] = count;
                (true, u64::from_le_bytes([a, b, c, d, e, f, 0, 0]))
            }
            found => {
                let found = u64::from(found);
                return Err(DecodeError::invalid(
                    "GTID set format",
                    offset,
                    found,
                    "0 or 1",
                ));
            }
        };
        let mut set = Self::new();
        // A count too large for the input ends in a truncation error of the first missing entry.
        for _ in 0..count {
            set.decode_entry(reader, is_tagged)?;
        }
        set.settle();
        Ok(set)
    }

    fn decode_entry(&mut self, reader: &mut Reader<'_>, tagged: bool) -> Result<(), DecodeError> {
        let uuid = Uuid::from_bytes(reader.array("GTID set UUID")?);
        let mut tag = Tag::NONE;
        if tagged {
            let len = reader.varint("GTID tag length")?;
            let offset = reader.offset();
            tag = Tag::from_bytes(reader.bytes_u64(len, "GTID tag")?, offset)?;
        }
        let tsid = Tsid { uuid, tag };
        let intervals = reader.u64("GTID interval count")?;
        // What is not there is not waited for.
        let possible = reader.remaining() / INTERVAL_LEN;
        let expected = usize::try_from(intervals).map_or(possible, |count| count.min(possible));
        for _ in 0..intervals {
            let offset = reader.offset();
            let start = reader.u64("GTID interval start")?;
            let end = reader.u64("GTID interval end")?;
            let (Some(start), Some(end)) = (Gno::new(start), Gno::new(end.saturating_sub(1)))
            else {
                let what = "GTID interval";
                return Err(DecodeError::invalid(
                    what,
                    offset,
                    start,
                    "from 1 to 2^63-2",
                ));
            };
            if end < start {
                let (what, found) = ("GTID interval end", end.get() + 1);
                return Err(DecodeError::invalid(
                    what,
                    offset + 8,
                    found,
                    "more than the start",
                ));
            }
            let (start, end) = (start.get(), end.get());
            self.push(tsid, GnoInterval { start, end }, expected);
        }
        Ok(())
    }
}
