//! `START_EVENT_V3`: first event of a file in format 1 (MySQL 3.23) or 3 (4.0), where later ones
//! have a format description.
//!
//! The server that wrote it is given by its version text alone; which of the two formats it is,
//! by the length of the event: headers of format 1 have 13 bytes instead of 19.
//!
//! Spec: mysql-server 5.7, libbinlogevents/include/control_events.h, `Start_event_v3`.

use codec::{DecodeError, Reader, Write};

use super::{ChecksumAlgorithm, EventHeader, FormatDescription};

/// | offset | size | field                         |
/// |-------:|-----:|-------------------------------|
/// |      0 |    2 | `binlog_version`              |
/// |      2 |   50 | `server_version`, NUL-padded  |
/// |     52 |    4 | `created`                     |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartV3 {
    /// Version of the format: 1 or 3.
    pub binlog_version: u16,
    /// Version text of the server that wrote the log, with its padding.
    pub server_version: [u8; 50],
    /// Seconds since 1970 when the server started, if this is its first log since; else 0.
    pub created: u32,
}

impl StartV3 {
    /// Bytes of the body.
    pub const LEN: usize = 56;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let start = Self {
            binlog_version: reader.u16("binlog version")?,
            server_version: reader.array("server version")?,
            created: reader.u32("creation time")?,
        };
        reader.finish("start event")?;
        Ok(start)
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.binlog_version);
        out.put(&self.server_version);
        out.put_u32(self.created);
    }

    /// Whether the start event of `event_size` bytes opens a file in format 1.
    #[must_use]
    pub fn is_v1(event_size: u32) -> bool {
        u64::from(event_size) < (EventHeader::LEN + Self::LEN) as u64
    }

    /// What a format description would say of this file, whose start event has `event_size` bytes.
    #[must_use]
    pub fn description(&self, event_size: u32) -> FormatDescription {
        let is_v1 = Self::is_v1(event_size);
        let text = self.server_version.split(|&byte| byte == 0).next();
        let rotate = if is_v1 { 0 } else { 8 };
        FormatDescription {
            binlog_version: if is_v1 { 1 } else { 3 },
            server_version: String::from_utf8_lossy(text.unwrap_or(&[])).into_owned(),
            version_padding: Vec::new(),
            created: self.created,
            header_len: if is_v1 {
                EventHeader::LEN_V1_U8
            } else {
                EventHeader::LEN_U8
            },
            post_header_lengths: vec![56, 11, 0, rotate, 0, 18, 0, 4, 4, 4, 4, 18, 0, 0],
            checksum: ChecksumAlgorithm::None,
        }
    }
}
