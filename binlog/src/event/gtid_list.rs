//! `GTID_LIST_EVENT` (MariaDB): the last transaction of every domain and server in earlier files.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Gtid_list_log_event`.

use codec::{DecodeError, Reader, Write};
use gtid::{MariaGtid, MariaPosition};

/// | offset | size   | field                                                    |
/// |-------:|-------:|----------------------------------------------------------|
/// |      0 |      4 | number of `gtids` in the low 28 bits, `flags` in the high |
/// |      4 | 16 * n | `gtids`: domain u32, server u32, sequence u64            |
/// |        |   rest | `rest`                                                   |
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GtidList<'a> {
    /// The four high bits of the count, shifted down.
    pub flags: u8,
    /// The transactions. Within a domain the last one is the newest.
    pub gtids: Vec<MariaGtid>,
    /// What follows: an empty list is filled up with two zeros.
    pub rest: &'a [u8],
}

const COUNT_BITS: u32 = 28;

impl<'a> GtidList<'a> {
    /// Flag: the replica is where it was told to stop. On the wire only.
    pub const UNTIL_REACHED: u8 = 1;
    /// Flag: the replica is to take these GTIDs as received. On the wire only.
    pub const IGNORED_GTIDS: u8 = 2;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let word = reader.u32("GTID list count")?;
        let [_, _, _, high] = word.to_le_bytes();
        let count = u64::from(word & ((1 << COUNT_BITS) - 1));
        let offset = reader.offset();
        let entries = reader.bytes_u64(count * MariaGtid::LEN as u64, "GTID list")?;
        let mut entries = Reader::at(entries, offset);
        let mut gtids = Vec::with_capacity(entries.remaining() / MariaGtid::LEN);
        while !entries.is_empty() {
            gtids.push(MariaGtid::decode(&mut entries)?);
        }
        Ok(Self {
            flags: high >> 4,
            gtids,
            rest: reader.rest(),
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let count = u32::try_from(self.gtids.len()).unwrap_or(u32::MAX);
        let flags = u32::from(self.flags) << COUNT_BITS;
        out.put_u32(count & ((1 << COUNT_BITS) - 1) | flags);
        for gtid in &self.gtids {
            gtid.encode(out);
        }
        out.put(self.rest);
    }

    /// Where a replica stands that has everything in earlier files.
    #[must_use]
    pub fn position(&self) -> MariaPosition {
        self.gtids.iter().copied().collect()
    }
}
