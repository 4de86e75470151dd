//! `INCIDENT_EVENT`: the source may have changed data that its log does not describe. A replica must
//! stop.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field                |
/// |-------:|-----:|----------------------|
/// |      0 |    2 | `incident`           |
/// |      2 |    1 | length of `message`  |
/// |      3 |    n | `message`            |
/// |        | rest | `rest`               |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Incident<'a> {
    /// What happened; 1 is LOST_EVENTS.
    pub incident: u16,
    /// The source's words.
    pub message: &'a [u8],
    /// What follows: MySQL 9.7 writes four bytes more than it announces.
    pub rest: &'a [u8],
}

impl<'a> Incident<'a> {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let incident = reader.u16("incident number")?;
        let len = reader.u8("incident message length")?;
        let message = reader.bytes(usize::from(len), "incident message")?;
        let rest = reader.rest();
        Ok(Self {
            incident,
            message,
            rest,
        })
    }

    /// Appends the body; a message longer than 255 bytes is cut.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u16(self.incident);
        let len = u8::try_from(self.message.len()).unwrap_or(u8::MAX);
        out.put_u8(len);
        out.put(self.message.get(..usize::from(len)).unwrap_or(&[]));
        out.put(self.rest);
    }
}
