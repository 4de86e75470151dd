//! `FORMAT_DESCRIPTION_EVENT`: first event of every file and dump.
//!
//! Says who wrote the log and whether events carry checksums. It has a checksum itself in any case.
//! Servers older than MySQL 5.6.1 and MariaDB 5.3 wrote neither; their logs are refused here.

use codec::{DecodeError, Reader, Write};

use super::{ChecksumAlgorithm, EventHeader, checksum};

/// | offset | size | field                                                   |
/// |-------:|-----:|---------------------------------------------------------|
/// |      0 |    2 | binlog version, always 4                                |
/// |      2 |   50 | `server_version`, NUL-padded                            |
/// |     52 |    4 | `created`                                               |
/// |     56 |    1 | header length, always 19                                |
/// |     57 |    n | `post_header_lengths`, one byte per event type from 1   |
/// | 57 + n |    1 | `checksum`, before the event's own checksum             |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatDescription {
    /// Version text of the server that wrote the log, at most 50 bytes.
    pub server_version: String,
    /// Seconds since 1970 when the server started, if this is its first log since; else 0.
    pub created: u32,
    /// Fixed part of each event type's body, from type 1.
    pub post_header_lengths: Vec<u8>,
    /// Checksums of the events that follow.
    pub checksum: ChecksumAlgorithm,
}

/// What MySQL 8.3 to 9.7 write.
const POST_HEADER_LENGTHS: [u8; 42] = [
    0, 13, 0, 8, 0, 0, 0, 0, 4, 0, 4, 0, 0, 0, 99, 0, 4, 26, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 10,
    10, 10, 42, 42, 0, 18, 52, 0, 10, 40, 0, 0,
];

const SERVER_VERSION_LEN: usize = 50;

impl FormatDescription {
    /// The description of logs in today's format, as `server_version` writes them.
    #[must_use]
    pub fn current(server_version: &str, checksum: ChecksumAlgorithm) -> Self {
        Self {
            server_version: server_version.to_owned(),
            created: 0,
            post_header_lengths: POST_HEADER_LENGTHS.to_vec(),
            checksum,
        }
    }

    /// Whether MariaDB wrote the log.
    #[must_use]
    pub fn is_mariadb(&self) -> bool {
        self.server_version.contains("-MariaDB")
    }

    /// Decodes a whole event, checksum included.
    pub fn decode(event: &[u8]) -> Result<Self, DecodeError> {
        let body = event.get(EventHeader::LEN..).unwrap_or(&[]);
        let mut reader = Reader::at(body, EventHeader::LEN);
        let offset = reader.offset();
        let version = reader.u16("binlog version")?;
        if version != 4 {
            let found = u64::from(version);
            return Err(DecodeError::invalid("binlog version", offset, found, "4"));
        }
        let offset = reader.offset();
        let text = reader.bytes(SERVER_VERSION_LEN, "server version")?;
        let text = text.split(|&byte| byte == 0).next().unwrap_or(text);
        let server_version = Reader::text(text, offset, "server version")?.to_owned();
        let created = reader.u32("creation time")?;
        let offset = reader.offset();
        let header_len = reader.u8("event header length")?;
        if usize::from(header_len) != EventHeader::LEN {
            let found = u64::from(header_len);
            return Err(DecodeError::invalid(
                "event header length",
                offset,
                found,
                "19",
            ));
        }
        let types = reader.remaining().saturating_sub(1 + checksum::LEN);
        let post_header_lengths = reader.bytes(types, "post-header lengths")?.to_vec();
        let offset = reader.offset();
        let code = reader.u8("checksum algorithm")?;
        let checksum = ChecksumAlgorithm::from_code(code).ok_or_else(|| {
            let expected = "0 (none) or 1 (CRC32)";
            DecodeError::invalid("checksum algorithm", offset, u64::from(code), expected)
        })?;
        reader.u32("event checksum")?;
        Ok(Self {
            server_version,
            created,
            post_header_lengths,
            checksum,
        })
    }

    /// Appends the body, without the event's own checksum.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(4);
        let mut version = [0; SERVER_VERSION_LEN];
        for (to, from) in version.iter_mut().zip(self.server_version.bytes()) {
            *to = from;
        }
        out.put(&version);
        out.put_u32(self.created);
        out.put_u8(19);
        out.put(&self.post_header_lengths);
        out.put_u8(self.checksum.code());
    }
}
