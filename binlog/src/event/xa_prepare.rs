//! `XA_PREPARE_EVENT`: ends the first half of an XA transaction; `XA COMMIT` comes later as a
//! transaction of its own.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/control_events.h, `XA_prepare_event`.

use codec::{DecodeError, Reader, Write};

use super::XaId;

/// | offset | size | field             |
/// |-------:|-----:|-------------------|
/// |      0 |    1 | `is_one_phase`    |
/// |      1 |    4 | format of `xid`   |
/// |      5 |    4 | length of gtrid   |
/// |      9 |    4 | length of bqual   |
/// |     13 | rest | gtrid, bqual      |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct XaPrepare<'a> {
    /// Whether it is `XA COMMIT ... ONE PHASE`, which commits at once; 0 is no.
    pub one_phase: u8,
    /// The transaction.
    pub xid: XaId<'a>,
}

impl<'a> XaPrepare<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let one_phase = reader.u8("XA one phase")?;
        let format = reader.u32("XA format")?;
        let gtrid_len = reader.u32("XA gtrid length")?;
        let bqual_len = reader.u32("XA bqual length")?;
        let gtrid = reader.bytes_u64(u64::from(gtrid_len), "XA gtrid")?;
        let bqual = reader.bytes_u64(u64::from(bqual_len), "XA bqual")?;
        reader.finish("XA prepare event")?;
        let xid = XaId {
            format,
            gtrid,
            bqual,
        };
        Ok(Self { one_phase, xid })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.one_phase);
        out.put_u32(self.xid.format);
        for part in [self.xid.gtrid, self.xid.bqual] {
            out.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
        }
        out.put(self.xid.gtrid);
        out.put(self.xid.bqual);
    }

    /// Whether the event commits the transaction itself.
    #[must_use]
    pub const fn is_one_phase(&self) -> bool {
        self.one_phase != 0
    }
}
