//! `HEARTBEAT_EVENT` and `HEARTBEAT_EVENT_V2`: the source is alive; its log ends at this position.
//!
//! They exist only on the wire. The first version carries its position in the header, where 32 bits
//! limit it; the second in its body.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::{EventHeader, EventType};

/// Version 1: the body is the file name, the position is the header's `end_log_pos`. Version 2: a
/// list of `type u8, length lenenc, value` up to a 0 byte; type 1 is the file name, type 2 the
/// position as a length-encoded integer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// 1 or 2.
    pub version: u8,
    /// The source's file.
    pub file: Cow<'a, [u8]>,
    /// Offset in it behind the last event sent.
    pub position: u64,
    /// Fields of version 2 whose types this build does not know, as they came.
    pub unknown_fields: Vec<u8>,
}

impl<'a> Heartbeat<'a> {
    const END: u8 = 0;
    const FILE: u8 = 1;
    const POSITION: u8 = 2;

    /// The event type of this version.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        match self.version {
            1 => EventType::HEARTBEAT,
            _ => EventType::HEARTBEAT_V2,
        }
    }

    /// Takes the first version apart.
    #[must_use]
    pub fn decode(mut reader: Reader<'a>, header: EventHeader) -> Self {
        Self {
            version: 1,
            file: Cow::Borrowed(reader.rest()),
            position: u64::from(header.end_log_pos),
            unknown_fields: Vec::new(),
        }
    }

    /// Decodes the second version.
    pub fn decode_v2(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut file, mut position): (&[u8], u64) = (&[], 0);
        let mut unknown_fields = Vec::new();
        loop {
            let field = reader.u8("heartbeat field type")?;
            if field == Self::END {
                break;
            }
            let value = reader.lenenc_bytes("heartbeat field")?;
            match field {
                Self::FILE => file = value,
                Self::POSITION => {
                    let mut value = Reader::at(value, reader.offset() - value.len());
                    position = value.lenenc("heartbeat position")?;
                }
                _ => {
                    unknown_fields.put_u8(field);
                    unknown_fields.put_lenenc_bytes(value);
                }
            }
        }
        Ok(Self {
            version: 2,
            file: Cow::Borrowed(file),
            position,
            unknown_fields,
        })
    }

    /// Appends the body. The position of version 1 belongs into the header's `end_log_pos`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        if self.version == 1 {
            out.put(&self.file);
            return;
        }
        out.put_u8(Self::FILE);
        out.put_lenenc_bytes(&self.file);
        out.put_u8(Self::POSITION);
        let mut position = Vec::with_capacity(9);
        position.put_lenenc(self.position);
        out.put_lenenc_bytes(&position);
        out.put(&self.unknown_fields);
        out.put_u8(Self::END);
    }
}
