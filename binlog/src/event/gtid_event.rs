//! `GTID_EVENT`, `ANONYMOUS_GTID_EVENT` and `GTID_TAGGED_EVENT`: the first event of a transaction.
//!
//! Each server version appended fields to the first two, so every part after the identifier may be
//! absent, and only together with all that follow. Tagged GTIDs have a serialised form of their own.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/control_events.h, `Gtid_event`.

mod tagged;

use codec::{DecodeError, Reader, Write};
use gtid::{Gno, Gtid, Tsid, Uuid};

use super::{ChecksumAlgorithm, EventHeader, EventType};

/// | offset | size  | field                                                        | since |
/// |-------:|------:|--------------------------------------------------------------|-------|
/// |      0 |     1 | `flags`                                                      | 5.6   |
/// |      1 |    16 | UUID, zeros when anonymous                                   | 5.6   |
/// |     17 |     8 | number, 0 when anonymous                                     | 5.6   |
/// |     25 |     1 | type of the logical clock, always 2                          | 5.7   |
/// |     26 |     8 | `last_committed`                                             | 5.7   |
/// |     34 |     8 | `sequence_number`                                            | 5.7   |
/// |     42 |     7 | immediate commit µs; bit 55: the original one follows        | 8.0   |
/// |        |   0/7 | original commit µs                                           | 8.0   |
/// |        |   1-9 | `transaction_length`, length-encoded                         | 8.0   |
/// |        |     4 | immediate server version; bit 31: the original one follows   | 8.0   |
/// |        |   0/4 | original server version                                      | 8.0   |
/// |        |   0/8 | `commit_group_ticket`                                        | 8.0   |
/// |        |  rest | `unknown_fields`                                             |       |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GtidEvent {
    /// The transaction; `None` when anonymous.
    pub gtid: Option<Gtid>,
    /// Bit 0: the transaction may contain statements, not only rows.
    pub flags: u8,
    /// What the transaction may run in parallel with.
    pub logical_clock: Option<LogicalClock>,
    /// When it was committed.
    pub commit_timestamps: Option<CommitTimestamps>,
    /// Bytes of all events of the transaction in the log, this one and checksums included.
    pub transaction_length: Option<u64>,
    /// Who committed it.
    pub server_versions: Option<ServerVersions>,
    /// Number of a commit group that group replication keeps together.
    pub commit_group_ticket: Option<u64>,
    /// What later versions append; it has no lengths, so it is kept as it is.
    pub unknown_fields: Vec<u8>,
}

/// Numbers within one log file that say which transactions are independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogicalClock {
    /// The newest transaction of the same file that this one depends on; 0 for none.
    pub last_committed: u64,
    /// This transaction's own number, from 1.
    pub sequence_number: u64,
}

/// Microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTimestamps {
    /// Commit on the server whose log this is.
    pub immediate: u64,
    /// Commit on the server where the transaction began.
    pub original: u64,
}

/// Versions as numbers: 9.7.4 is 90704.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerVersions {
    /// The server whose log this is.
    pub immediate: u32,
    /// The server where the transaction began; 999999 when unknown.
    pub original: u32,
}

const LOGICAL_CLOCK: u8 = 2;
const ORIGINAL_TIMESTAMP_FOLLOWS: u64 = 1 << 55;
const ORIGINAL_VERSION_FOLLOWS: u32 = 1 << 31;

impl GtidEvent {
    /// Bit of `flags`: the transaction may contain statements.
    pub const MAY_HAVE_STATEMENTS: u8 = 1;

    /// An event that carries the identifier only.
    #[must_use]
    pub const fn new(gtid: Option<Gtid>) -> Self {
        Self {
            gtid,
            flags: 0,
            logical_clock: None,
            commit_timestamps: None,
            transaction_length: None,
            server_versions: None,
            commit_group_ticket: None,
            unknown_fields: Vec::new(),
        }
    }

    /// The event type that carries this transaction's kind of identifier.
    #[must_use]
    pub fn event_type(&self) -> EventType {
        match self.gtid {
            None => EventType::ANONYMOUS_GTID,
            Some(gtid) if gtid.tsid.tag.is_none() => EventType::GTID,
            Some(_) => EventType::GTID_TAGGED,
        }
    }

    /// Decodes the body of an untagged or anonymous event.
    pub fn decode(mut reader: Reader<'_>, is_anonymous: bool) -> Result<Self, DecodeError> {
        let flags = reader.u8("GTID flags")?;
        let uuid = Uuid::from_bytes(reader.array("GTID UUID")?);
        let offset = reader.offset();
        let number = reader.u64("GTID number")?;
        let gtid = match Gno::new(number) {
            _ if is_anonymous => None,
            Some(gno) => Some(Gtid {
                tsid: Tsid::untagged(uuid),
                gno,
            }),
            None => {
                let expected = "from 1 to 2^63-2";
                return Err(DecodeError::invalid(
                    "GTID number",
                    offset,
                    number,
                    expected,
                ));
            }
        };
        let mut event = Self::new(gtid);
        event.flags = flags;
        event.decode_later_fields(&mut reader)?;
        event.unknown_fields = reader.rest().to_vec();
        Ok(event)
    }

    fn decode_later_fields(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        if reader.is_empty() {
            return Ok(());
        }
        let offset = reader.offset();
        let kind = reader.u8("logical clock type")?;
        if kind != LOGICAL_CLOCK {
            let found = u64::from(kind);
            return Err(DecodeError::invalid(
                "logical clock type",
                offset,
                found,
                "2",
            ));
        }
        self.logical_clock = Some(LogicalClock {
            last_committed: reader.u64("last_committed")?,
            sequence_number: reader.u64("sequence_number")?,
        });
        if reader.is_empty() {
            return Ok(());
        }
        let first = reader.u56("immediate commit timestamp")?;
        let immediate = first & !ORIGINAL_TIMESTAMP_FOLLOWS;
        let original = match first & ORIGINAL_TIMESTAMP_FOLLOWS {
            0 => immediate,
            _ => reader.u56("original commit timestamp")?,
        };
        self.commit_timestamps = Some(CommitTimestamps {
            immediate,
            original,
        });
        if reader.is_empty() {
            return Ok(());
        }
        self.transaction_length = Some(reader.lenenc("transaction length")?);
        if reader.is_empty() {
            return Ok(());
        }
        let first = reader.u32("immediate server version")?;
        let immediate = first & !ORIGINAL_VERSION_FOLLOWS;
        let original = match first & ORIGINAL_VERSION_FOLLOWS {
            0 => immediate,
            _ => reader.u32("original server version")?,
        };
        self.server_versions = Some(ServerVersions {
            immediate,
            original,
        });
        if !reader.is_empty() {
            self.commit_group_ticket = Some(reader.u64("commit group ticket")?);
        }
        Ok(())
    }

    /// Decodes the body of a tagged event.
    pub fn decode_tagged(reader: Reader<'_>) -> Result<Self, DecodeError> {
        tagged::decode(reader)
    }

    /// Appends the body in the form of [`GtidEvent::event_type`].
    ///
    /// The untagged form ends before the first field that is absent.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.event_type() == EventType::GTID_TAGGED {
            tagged::encode(self, out);
            return;
        }
        out.put_u8(self.flags);
        let (uuid, number) = self
            .gtid
            .map_or((Uuid::nil(), 0), |gtid| (gtid.tsid.uuid, gtid.gno.get()));
        out.put(uuid.as_bytes());
        out.put_u64(number);
        let Some(clock) = self.logical_clock else {
            return;
        };
        out.put_u8(LOGICAL_CLOCK);
        out.put_u64(clock.last_committed);
        out.put_u64(clock.sequence_number);
        let Some(times) = self.commit_timestamps else {
            return;
        };
        if times.original == times.immediate {
            out.put_u56(times.immediate);
        } else {
            out.put_u56(times.immediate | ORIGINAL_TIMESTAMP_FOLLOWS);
            out.put_u56(times.original);
        }
        let Some(length) = self.transaction_length else {
            return;
        };
        out.put_lenenc(length);
        let Some(versions) = self.server_versions else {
            return;
        };
        if versions.original == versions.immediate {
            out.put_u32(versions.immediate);
        } else {
            out.put_u32(versions.immediate | ORIGINAL_VERSION_FOLLOWS);
            out.put_u32(versions.original);
        }
        let Some(ticket) = self.commit_group_ticket else {
            return;
        };
        out.put_u64(ticket);
        out.put(&self.unknown_fields);
    }

    /// Bytes of the whole event, header and checksum included.
    #[must_use]
    pub fn event_len(&self, checksum: ChecksumAlgorithm) -> u64 {
        let mut body = Vec::with_capacity(96);
        self.encode(&mut body);
        (EventHeader::LEN + body.len() + checksum.trailer_len()) as u64
    }

    /// Sets `transaction_length` for a transaction whose other events have `others` bytes.
    ///
    /// The field counts its own bytes too, and its length depends on its value.
    pub fn fit_transaction_length(&mut self, others: u64, checksum: ChecksumAlgorithm) {
        let mut length = others;
        loop {
            self.transaction_length = Some(length);
            let fitted = others.saturating_add(self.event_len(checksum));
            if fitted == length {
                return;
            }
            length = fitted;
        }
    }
}
