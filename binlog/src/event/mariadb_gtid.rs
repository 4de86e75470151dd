//! `GTID_EVENT` of MariaDB (162): the first event of a transaction, also its BEGIN.
//!
//! Its server id is the header's. MariaDB 10.0 to 12 appended fields; the body is filled up to 19
//! bytes, and to any length where a large transaction's own file became the log.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Gtid_log_event`.

use codec::{DecodeError, Reader, Write};
use gtid::MariaGtid;

use super::XaId;

/// | size | field                            | only if                               |
/// |-----:|----------------------------------|---------------------------------------|
/// |    8 | sequence number                  |                                       |
/// |    4 | domain                           |                                       |
/// |    1 | `flags`                          |                                       |
/// |    8 | `commit_id`                      | flag GROUP_COMMIT                     |
/// |    4 | format of `xid`                  | no GROUP_COMMIT, but an XA flag       |
/// |  1+1 | lengths of its gtrid and bqual   | same                                  |
/// |    n | gtrid, bqual                     | same                                  |
/// |    1 | extra flags                      | bytes are left                        |
/// |    1 | `extra_engines`                  | extra flag MULTI_ENGINE               |
/// |    8 | `start_alter_sequence`           | extra flag COMMIT or ROLLBACK_ALTER   |
/// |    4 | `thread_id`                      | extra flag THREAD_ID                  |
/// | rest | `rest`                           |                                       |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MariadbGtidEvent<'a> {
    /// The transaction.
    pub gtid: MariaGtid,
    /// What kind of transaction.
    pub flags: MariadbGtidFlags,
    /// Number that transactions committed together share.
    pub commit_id: Option<u64>,
    /// The XA transaction that this one prepares or completes.
    pub xid: Option<XaId<'a>>,
    /// Fields since MariaDB 10.5; older servers fill up with zeros, which look the same.
    pub extra: Option<MariadbGtidExtra>,
    /// Zeros that fill up, or fields this build does not know.
    pub rest: &'a [u8],
}

/// The later fields of a [`MariadbGtidEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MariadbGtidExtra {
    /// The bits as written; those of the fields below are set where the field is present.
    pub flags: u8,
    /// How many engines beyond the first take part; 255 for "not counted".
    pub extra_engines: Option<u8>,
    /// Sequence number of the START ALTER that this transaction ends.
    pub start_alter_sequence: Option<u64>,
    /// Connection that ran the transaction.
    pub thread_id: Option<u32>,
}

impl MariadbGtidExtra {
    /// More than one engine takes part.
    pub const MULTI_ENGINE: u8 = 0x01;
    /// First half of a two-phase ALTER.
    pub const START_ALTER: u8 = 0x02;
    /// Second half of a two-phase ALTER that succeeded.
    pub const COMMIT_ALTER: u8 = 0x04;
    /// Second half of a two-phase ALTER that failed.
    pub const ROLLBACK_ALTER: u8 = 0x08;
    /// The connection is named.
    pub const THREAD_ID: u8 = 0x10;

    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let flags = reader.u8("GTID extra flags")?;
        let has = |bits: u8| flags & bits != 0;
        Ok(Self {
            flags,
            extra_engines: has(Self::MULTI_ENGINE)
                .then(|| reader.u8("GTID extra engines"))
                .transpose()?,
            start_alter_sequence: has(Self::COMMIT_ALTER | Self::ROLLBACK_ALTER)
                .then(|| reader.u64("GTID of START ALTER"))
                .transpose()?,
            thread_id: has(Self::THREAD_ID)
                .then(|| reader.u32("GTID thread id"))
                .transpose()?,
        })
    }

    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.flags);
        if let Some(engines) = self.extra_engines {
            out.put_u8(engines);
        }
        if let Some(sequence) = self.start_alter_sequence {
            out.put_u64(sequence);
        }
        if let Some(thread) = self.thread_id {
            out.put_u32(thread);
        }
    }
}

/// Flag bits of a [`MariadbGtidEvent`]. Unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MariadbGtidFlags(
    /// The bits as written.
    pub u8,
);

impl MariadbGtidFlags {
    /// One statement and no commit event: DDL, XA COMMIT.
    pub const STANDALONE: Self = Self(0x01);
    /// Committed together with others; `commit_id` is present.
    pub const GROUP_COMMIT: Self = Self(0x02);
    /// Can be rolled back.
    pub const TRANSACTIONAL: Self = Self(0x04);
    /// May run in parallel with the transactions before it.
    pub const ALLOW_PARALLEL: Self = Self(0x08);
    /// Waited for a lock of another transaction.
    pub const WAITED: Self = Self(0x10);
    /// Contains DDL.
    pub const DDL: Self = Self(0x20);
    /// XA PREPARE; `xid` is present.
    pub const PREPARED_XA: Self = Self(0x40);
    /// XA COMMIT or XA ROLLBACK; `xid` is present.
    pub const COMPLETED_XA: Self = Self(0x80);

    /// Whether every bit of `flags` is set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    const fn is_xa(self) -> bool {
        self.0 & (Self::PREPARED_XA.0 | Self::COMPLETED_XA.0) != 0
    }
}

impl<'a> MariadbGtidEvent<'a> {
    /// Bytes that every body is filled up to.
    pub const BODY_LEN_MIN: usize = 19;

    /// Decodes the body of an event whose header names `server`.
    pub fn decode(mut reader: Reader<'a>, server: u32) -> Result<Self, DecodeError> {
        let sequence = reader.u64("GTID sequence number")?;
        let domain = reader.u32("GTID domain")?;
        let flags = MariadbGtidFlags(reader.u8("GTID flags")?);
        let mut event = Self {
            gtid: MariaGtid {
                domain,
                server,
                sequence,
            },
            flags,
            commit_id: None,
            xid: None,
            extra: None,
            rest: &[],
        };
        if flags.contains(MariadbGtidFlags::GROUP_COMMIT) {
            event.commit_id = Some(reader.u64("GTID commit id")?);
        } else if flags.is_xa() {
            let format = reader.u32("XA format")?;
            let gtrid_len = reader.u8("XA gtrid length")?;
            let bqual_len = reader.u8("XA bqual length")?;
            event.xid = Some(XaId {
                format,
                gtrid: reader.bytes(usize::from(gtrid_len), "XA gtrid")?,
                bqual: reader.bytes(usize::from(bqual_len), "XA bqual")?,
            });
        }
        if !reader.is_empty() {
            event.extra = Some(MariadbGtidExtra::decode(&mut reader)?);
        }
        event.rest = reader.rest();
        Ok(event)
    }

    /// Appends the body. The flags must say which fields are present.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.gtid.sequence);
        out.put_u32(self.gtid.domain);
        out.put_u8(self.flags.0);
        if let Some(id) = self.commit_id {
            out.put_u64(id);
        }
        if let Some(xid) = self.xid {
            out.put_u32(xid.format);
            let [gtrid, bqual] = [xid.gtrid, xid.bqual].map(|part| {
                let len = u8::try_from(part.len()).unwrap_or(u8::MAX);
                out.put_u8(len);
                part.get(..usize::from(len)).unwrap_or(part)
            });
            out.put(gtrid);
            out.put(bqual);
        }
        if let Some(extra) = self.extra {
            extra.encode(out);
        }
        out.put(self.rest);
    }

    /// Whether the transaction ends with the one event behind this one.
    #[must_use]
    pub const fn is_standalone(&self) -> bool {
        self.flags.contains(MariadbGtidFlags::STANDALONE)
    }
}
