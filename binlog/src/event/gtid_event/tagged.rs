//! Body of a GTID_TAGGED event: one message of MySQL's serialization library.
//!
//! `version varint (1), size varint (of the whole message), last non-ignorable field varint`, then
//! fields `id varint, value` in ascending order. An absent optional field is skipped.
//!
//! Spec: mysql-server 8.3, libs/mysql/serialization/readme.md; `Gtid_event::define_fields`.

use codec::{DecodeError, Reader, Write};
use gtid::{Gno, Gtid, Tag, Tsid, Uuid};

use super::{CommitTimestamps, GtidEvent, LogicalClock, ServerVersions};

const FLAGS: u64 = 0;
const UUID: u64 = 1;
const NUMBER: u64 = 2;
const TAG: u64 = 3;
const LAST_COMMITTED: u64 = 4;
const SEQUENCE_NUMBER: u64 = 5;
const IMMEDIATE_TIMESTAMP: u64 = 6;
const ORIGINAL_TIMESTAMP: u64 = 7;
const TRANSACTION_LENGTH: u64 = 8;
const IMMEDIATE_VERSION: u64 = 9;
const ORIGINAL_VERSION: u64 = 10;
const TICKET: u64 = 11;

/// Fields as they come, before what belongs together is put together.
#[derive(Default)]
struct Fields {
    flags: u8,
    uuid: Option<Uuid>,
    number: i64,
    tag: Tag,
    last_committed: Option<i64>,
    sequence_number: Option<i64>,
    immediate_timestamp: Option<u64>,
    original_timestamp: Option<u64>,
    transaction_length: Option<u64>,
    immediate_version: Option<u32>,
    original_version: Option<u32>,
    ticket: Option<u64>,
}

pub(super) fn decode(mut reader: Reader<'_>) -> Result<GtidEvent, DecodeError> {
    let start = reader.offset();
    let len = reader.remaining() as u64;
    let version = reader.varint("tagged GTID version")?;
    if version != 1 {
        return Err(DecodeError::invalid(
            "tagged GTID version",
            start,
            version,
            "1",
        ));
    }
    let offset = reader.offset();
    let size = reader.varint("tagged GTID size")?;
    if size != len {
        let expected = "the size of the event's body";
        return Err(DecodeError::invalid(
            "tagged GTID size",
            offset,
            size,
            expected,
        ));
    }
    let offset = reader.offset();
    let required = reader.varint("tagged GTID last required field")?;
    // It is written as the number of the field plus 1, 0 for none.
    if required > TICKET + 1 {
        let (what, expected) = ("tagged GTID last required field", "a known field, up to 11");
        return Err(DecodeError::invalid(what, offset, required, expected));
    }
    let (mut fields, mut unknown) = (Fields::default(), Vec::new());
    while !reader.is_empty() {
        let id = reader.varint("tagged GTID field id")?;
        if !fields.decode(id, &mut reader)? {
            // Unknown fields have no length: what follows cannot be told apart.
            unknown.put_varint(id);
            unknown.put(reader.rest());
        }
    }
    let mut event = fields.finish(start)?;
    event.unknown_fields = unknown;
    Ok(event)
}

impl Fields {
    /// Reads one field; false when it is not known.
    fn decode(&mut self, id: u64, reader: &mut Reader<'_>) -> Result<bool, DecodeError> {
        match id {
            FLAGS => self.flags = small(reader, "GTID flags")?,
            UUID => {
                let mut bytes = [0; 16];
                for byte in &mut bytes {
                    *byte = small(reader, "GTID UUID")?;
                }
                self.uuid = Some(Uuid::from_bytes(bytes));
            }
            NUMBER => self.number = reader.varint_signed("GTID number")?,
            TAG => {
                let len = reader.varint("GTID tag length")?;
                let offset = reader.offset();
                self.tag = Tag::from_bytes(reader.bytes_u64(len, "GTID tag")?, offset)?;
            }
            LAST_COMMITTED => {
                self.last_committed = Some(reader.varint_signed("last_committed")?);
            }
            SEQUENCE_NUMBER => {
                self.sequence_number = Some(reader.varint_signed("sequence_number")?);
            }
            IMMEDIATE_TIMESTAMP => {
                self.immediate_timestamp = Some(reader.varint("immediate commit timestamp")?);
            }
            ORIGINAL_TIMESTAMP => {
                self.original_timestamp = Some(reader.varint("original commit timestamp")?);
            }
            TRANSACTION_LENGTH => {
                self.transaction_length = Some(reader.varint("transaction length")?);
            }
            IMMEDIATE_VERSION => {
                self.immediate_version = Some(small(reader, "immediate server version")?);
            }
            ORIGINAL_VERSION => {
                self.original_version = Some(small(reader, "original server version")?);
            }
            TICKET => self.ticket = Some(reader.varint("commit group ticket")?),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn finish(self, offset: usize) -> Result<GtidEvent, DecodeError> {
        let number = u64::try_from(self.number).ok().and_then(Gno::new);
        let (Some(uuid), Some(gno)) = (self.uuid, number) else {
            let (found, expected) = (self.number.cast_unsigned(), "a UUID and a number from 1");
            return Err(DecodeError::invalid("tagged GTID", offset, found, expected));
        };
        if self.tag.is_none() {
            return Err(DecodeError::invalid("tagged GTID", offset, 0, "a tag"));
        }
        let tag = self.tag;
        let tsid = Tsid { uuid, tag };
        let mut event = GtidEvent::new(Some(Gtid { tsid, gno }));
        event.flags = self.flags;
        event.logical_clock = self.last_committed.zip(self.sequence_number).map(
            |(last_committed, sequence_number)| LogicalClock {
                last_committed: last_committed.cast_unsigned(),
                sequence_number: sequence_number.cast_unsigned(),
            },
        );
        event.commit_timestamps = self.immediate_timestamp.map(|immediate| CommitTimestamps {
            immediate,
            original: self.original_timestamp.unwrap_or(immediate),
        });
        event.transaction_length = self.transaction_length;
        event.server_versions = self.immediate_version.map(|immediate| ServerVersions {
            immediate,
            original: self.original_version.unwrap_or(immediate),
        });
        event.commit_group_ticket = self.ticket;
        Ok(event)
    }
}

/// A varint that must fit a smaller type.
fn small<T: TryFrom<u64>>(reader: &mut Reader<'_>, what: &'static str) -> Result<T, DecodeError> {
    let offset = reader.offset();
    let value = reader.varint(what)?;
    T::try_from(value).map_err(|_| DecodeError::invalid(what, offset, value, "a smaller number"))
}

pub(super) fn encode(event: &GtidEvent, out: &mut Vec<u8>) {
    let fields = encode_fields(event);
    // Version, size and last required field come first; the size counts itself.
    let mut size = fields.len() as u64 + 3;
    let mut head = Vec::new();
    loop {
        head.clear();
        head.put_varint(1);
        head.put_varint(size);
        head.put_varint(0);
        let total = (head.len() + fields.len()) as u64;
        if total == size {
            break;
        }
        size = total;
    }
    out.put(&head);
    out.put(&fields);
}

fn encode_fields(event: &GtidEvent) -> Vec<u8> {
    let mut out = Vec::with_capacity(96);
    let mut number = |id: u64, value: Option<u64>| {
        if let Some(value) = value {
            out.put_varint(id);
            out.put_varint(value);
        }
    };
    number(FLAGS, Some(u64::from(event.flags)));
    if let Some(gtid) = event.gtid {
        out.put_varint(UUID);
        for byte in gtid.tsid.uuid.as_bytes() {
            out.put_varint(u64::from(*byte));
        }
        out.put_varint(NUMBER);
        out.put_varint_signed(gtid.gno.get().cast_signed());
        let tag = gtid.tsid.tag.as_str().as_bytes();
        out.put_varint(TAG);
        out.put_varint(tag.len() as u64);
        out.put(tag);
    }
    if let Some(clock) = event.logical_clock {
        out.put_varint(LAST_COMMITTED);
        out.put_varint_signed(clock.last_committed.cast_signed());
        out.put_varint(SEQUENCE_NUMBER);
        out.put_varint_signed(clock.sequence_number.cast_signed());
    }
    let mut number = |id: u64, value: Option<u64>| {
        if let Some(value) = value {
            out.put_varint(id);
            out.put_varint(value);
        }
    };
    let times = event.commit_timestamps;
    number(IMMEDIATE_TIMESTAMP, times.map(|times| times.immediate));
    let original = times.filter(|times| times.original != times.immediate);
    number(ORIGINAL_TIMESTAMP, original.map(|times| times.original));
    number(TRANSACTION_LENGTH, event.transaction_length);
    let versions = event.server_versions;
    number(
        IMMEDIATE_VERSION,
        versions.map(|versions| versions.immediate.into()),
    );
    let original = versions.filter(|versions| versions.original != versions.immediate);
    number(
        ORIGINAL_VERSION,
        original.map(|versions| versions.original.into()),
    );
    number(TICKET, event.commit_group_ticket);
    out.put(&event.unknown_fields);
    out
}
