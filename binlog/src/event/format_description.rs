//! `FORMAT_DESCRIPTION_EVENT`: first event of every file and dump.
//!
//! Says who wrote the log and whether events carry checksums. It has a checksum itself in any case,
//! unless its server is older than MySQL 5.6.1 and MariaDB 5.3, which knew none.

use codec::{DecodeError, Reader, Write};

use super::{ChecksumAlgorithm, EventFormat, EventHeader, EventType, Flavour, checksum};

/// | offset | size | field                                                   |
/// |-------:|-----:|---------------------------------------------------------|
/// |      0 |    2 | `binlog_version`, always 4                              |
/// |      2 |   50 | `server_version`, NUL-padded                            |
/// |     52 |    4 | `created`                                               |
/// |     56 |    1 | `header_len`, 19 but in files of patched servers        |
/// |     57 |    n | `post_header_lengths`, one byte per event type from 1   |
/// | 57 + n |  0/1 | `checksum`, before the event's own checksum             |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatDescription {
    /// Version of the format: 4 in an event; less when the description stands for the
    /// [`super::StartV3`] of an old file.
    pub binlog_version: u16,
    /// Version text of the server that wrote the log, at most 50 bytes.
    pub server_version: String,
    /// What stands behind the NUL that ends the version text; empty when it is only zeros.
    pub version_padding: Vec<u8>,
    /// Seconds since 1970 when the server started, if this is its first log since; else 0.
    pub created: u32,
    /// Bytes of the header of every other event.
    pub header_len: u8,
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
            binlog_version: 4,
            server_version: server_version.to_owned(),
            version_padding: Vec::new(),
            created: 0,
            header_len: EventHeader::LEN_U8,
            post_header_lengths: POST_HEADER_LENGTHS.to_vec(),
            checksum,
        }
    }

    /// Whether MariaDB wrote the log.
    #[must_use]
    pub fn is_mariadb(&self) -> bool {
        is_mariadb(self.server_version.as_bytes())
    }

    /// How the events behind this one are laid out.
    #[must_use]
    pub fn format(&self) -> EventFormat {
        let index = usize::from(EventType::TABLE_MAP.0) - 1;
        let has_short_ids = self.post_header_lengths.get(index) == Some(&6);
        EventFormat {
            checksum: self.checksum,
            flavour: if self.is_mariadb() {
                Flavour::MariaDb
            } else {
                Flavour::MySql
            },
            header_len: self.header_len,
            table_id_len: if has_short_ids { 4 } else { 6 },
            binlog_version: self.binlog_version,
        }
    }

    /// Decodes a whole event, checksum included.
    pub fn decode(event: &[u8]) -> Result<Self, DecodeError> {
        let body = event.get(EventHeader::LEN..).unwrap_or(&[]);
        let mut reader = Reader::at(body, EventHeader::LEN);
        let offset = reader.offset();
        let binlog_version = reader.u16("binlog version")?;
        if binlog_version != 4 {
            let found = u64::from(binlog_version);
            return Err(DecodeError::invalid("binlog version", offset, found, "4"));
        }
        let offset = reader.offset();
        let field = reader.bytes(SERVER_VERSION_LEN, "server version")?;
        let text = until_nul(field);
        let padding = field.get(text.len().saturating_add(1)..).unwrap_or(&[]);
        let server_version = Reader::text(text, offset, "server version")?.to_owned();
        let created = reader.u32("creation time")?;
        let offset = reader.offset();
        let header_len = reader.u8("event header length")?;
        if header_len < EventHeader::LEN_U8 {
            let (found, expected) = (u64::from(header_len), "at least 19");
            let what = "event header length";
            return Err(DecodeError::invalid(what, offset, found, expected));
        }
        let mut description = Self {
            binlog_version,
            server_version,
            version_padding: if padding.iter().any(|&byte| byte != 0) {
                padding.to_vec()
            } else {
                Vec::new()
            },
            created,
            header_len,
            post_header_lengths: Vec::new(),
            checksum: ChecksumAlgorithm::None,
        };
        if !knows_checksums(text) {
            description.post_header_lengths = reader.rest().to_vec();
            return Ok(description);
        }
        let types = reader.remaining().saturating_sub(1 + checksum::LEN);
        description.post_header_lengths = reader.bytes(types, "post-header lengths")?.to_vec();
        let offset = reader.offset();
        let code = reader.u8("checksum algorithm")?;
        description.checksum = ChecksumAlgorithm::from_code(code).ok_or_else(|| {
            let expected = "0 (none) or 1 (CRC32)";
            DecodeError::invalid("checksum algorithm", offset, u64::from(code), expected)
        })?;
        reader.u32("event checksum")?;
        Ok(description)
    }

    /// Appends the body, without the event's own checksum.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.binlog_version);
        let mut version = [0; SERVER_VERSION_LEN];
        let text = self.server_version.bytes().chain([0]);
        let text = text.chain(self.version_padding.iter().copied());
        for (to, from) in version.iter_mut().zip(text) {
            *to = from;
        }
        out.put(&version);
        out.put_u32(self.created);
        out.put_u8(self.header_len);
        out.put(&self.post_header_lengths);
        if knows_checksums(self.server_version.as_bytes()) {
            out.put_u8(self.checksum.code());
        }
    }
}

/// Whether the format description in `event` ends in a checksum, which its server version decides.
pub(super) fn has_checksum(event: &[u8]) -> bool {
    let start = EventHeader::LEN + 2;
    let version = event.get(start..start + SERVER_VERSION_LEN);
    version.is_none_or(|version| knows_checksums(until_nul(version)))
}

fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|&byte| byte == 0).next().unwrap_or(text)
}

fn is_mariadb(server_version: &[u8]) -> bool {
    let mut windows = server_version.windows(8);
    windows.any(|window| window == b"-MariaDB")
}

/// Whether the server of this version writes checksums. A text without a version is today's.
fn knows_checksums(server_version: &[u8]) -> bool {
    let mut numbers = server_version.split(|byte| !byte.is_ascii_digit());
    let mut number = || -> Option<u32> {
        let digits = std::str::from_utf8(numbers.next()?).ok()?;
        digits.parse().ok()
    };
    let (Some(major), Some(minor)) = (number(), number()) else {
        return true;
    };
    let version = (major, minor, number().unwrap_or(0));
    let since = if is_mariadb(server_version) {
        (5, 3, 0)
    } else {
        (5, 6, 1)
    };
    version >= since
}
