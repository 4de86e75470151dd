//! Event 7, of MySQL 3.23 and 4.0 only: from which source a relay log continues, and where.
//!
//! No server wrote it into a binary log, and none reads it today.
//!
//! Spec: mysql-server 5.5, sql/log_event.h, event type 7.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field       |
/// |-------:|-----:|-------------|
/// |      0 |    8 | `position`  |
/// |      8 |    2 | `port`      |
/// |     10 |      | `host`, NUL |
/// |        | rest | `file`      |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourcePosition<'a> {
    /// Offset in `file`.
    pub position: u64,
    /// TCP port of the source.
    pub port: u16,
    /// Host of the source.
    pub host: &'a [u8],
    /// The source's log file.
    pub file: &'a [u8],
}

impl<'a> SourcePosition<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            position: reader.u64("source position")?,
            port: reader.u16("source port")?,
            host: reader.nul_terminated("source host")?,
            file: reader.rest(),
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.position);
        out.put_u16(self.port);
        out.put_nul_terminated(self.host);
        out.put(self.file);
    }
}
