//! `TRANSACTION_CONTEXT_EVENT`: what group replication certifies a transaction by.
//!
//! It travels between the members of a group and stands in their relay logs, not in binary logs.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/control_events.h, `Transaction_context_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                                     |
/// |-------:|-----:|-------------------------------------------|
/// |      0 |    1 | length of `server_uuid`                   |
/// |      1 |    4 | `thread_id`                               |
/// |      5 |    1 | `gtid_specified`                          |
/// |      6 |    4 | length of `snapshot_version`              |
/// |     10 |    4 | number of items in `write_set`            |
/// |     14 |    4 | number of items in `read_set`             |
/// |     18 |      | `server_uuid`, `snapshot_version`         |
/// |        |      | `write_set`, `read_set`                   |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionContext<'a> {
    /// The member that ran the transaction, as text.
    pub server_uuid: &'a [u8],
    /// Connection that ran it.
    pub thread_id: u32,
    /// Not 0: the client chose the GTID.
    pub gtid_specified: u8,
    /// GTID set, in its binary form, that the transaction saw.
    pub snapshot_version: &'a [u8],
    /// Hashes of the rows written.
    pub write_set: ContextItems<'a>,
    /// Hashes of the rows read.
    pub read_set: ContextItems<'a>,
}

/// Items of a [`TransactionContext`]: each a length of 2 bytes and as many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContextItems<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> TransactionContext<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let uuid_len = reader.u8("context server UUID length")?;
        let thread_id = reader.u32("context thread id")?;
        let gtid_specified = reader.u8("context GTID specified")?;
        let snapshot_len = reader.u32("context snapshot length")?;
        let writes = reader.u32("context write set count")?;
        let reads = reader.u32("context read set count")?;
        let server_uuid = reader.bytes(usize::from(uuid_len), "context server UUID")?;
        let snapshot = reader.bytes_u64(u64::from(snapshot_len), "context snapshot")?;
        let write_set = ContextItems::decode(&mut reader, writes)?;
        let read_set = ContextItems::decode(&mut reader, reads)?;
        reader.finish("transaction context")?;
        Ok(Self {
            server_uuid,
            thread_id,
            gtid_specified,
            snapshot_version: snapshot,
            write_set,
            read_set,
        })
    }

    /// Appends the body. A UUID longer than 255 bytes, which none is, is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let uuid_len = u8::try_from(self.server_uuid.len()).unwrap_or(u8::MAX);
        out.put_u8(uuid_len);
        out.put_u32(self.thread_id);
        out.put_u8(self.gtid_specified);
        out.put_u32(u32::try_from(self.snapshot_version.len()).unwrap_or(u32::MAX));
        out.put_u32(self.write_set.count);
        out.put_u32(self.read_set.count);
        let uuid = self.server_uuid.get(..usize::from(uuid_len));
        out.put(uuid.unwrap_or(&[]));
        out.put(self.snapshot_version);
        out.put(self.write_set.bytes);
        out.put(self.read_set.bytes);
    }
}

impl<'a> ContextItems<'a> {
    /// Takes `count` items that fill `bytes`.
    pub fn new(count: u32, bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let items = Self::decode(&mut reader, count)?;
        reader.finish("context items")?;
        Ok(items)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The items in their order.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut reader = Reader::new(self.bytes);
        (0..self.count).map_while(move |_| item(&mut reader).ok())
    }

    fn decode(reader: &mut Reader<'a>, count: u32) -> Result<Self, DecodeError> {
        let start = reader.clone();
        for _ in 0..count {
            item(reader)?;
        }
        let len = start.remaining() - reader.remaining();
        let bytes = start.clone().bytes(len, "context items")?;
        Ok(Self { count, bytes })
    }
}

fn item<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
    let len = reader.u16("context item length")?;
    reader.bytes(usize::from(len), "context item")
}
