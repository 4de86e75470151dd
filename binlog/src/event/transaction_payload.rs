//! `TRANSACTION_PAYLOAD_EVENT`: the events of a whole transaction, compressed.
//!
//! Inner events have whole headers, no checksums and an `end_log_pos` of 0. Inflating them is the
//! business of [`crate::stream`]; here is only the shape of the outer event.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/control_events.h, `Transaction_payload_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

/// Fields `type`, `length`, `value` (all of them length-encoded integers), then the payload:
///
/// | type | value                                               |
/// |-----:|-----------------------------------------------------|
/// |    2 | `compression`: 0 zstd, 255 none                     |
/// |    3 | `uncompressed_size`                                 |
/// |    1 | size of `payload`                                   |
/// |    0 | no length, no value: `payload` follows              |
///
/// This is the order in which they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionPayload<'a> {
    /// How `payload` is compressed.
    pub compression: Option<PayloadCompression>,
    /// Bytes of the inner events.
    pub uncompressed_size: Option<u64>,
    /// Fields of types this build does not know, as they came.
    pub unknown_fields: Vec<u8>,
    /// The compressed inner events.
    pub payload: Cow<'a, [u8]>,
}

/// How a payload is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PayloadCompression {
    /// One zstd frame or several.
    Zstd,
    /// The content itself.
    None,
    /// A code that this build does not know.
    Unknown(u64),
}

impl PayloadCompression {
    /// The compression of a code.
    #[must_use]
    pub const fn from_code(code: u64) -> Self {
        match code {
            0 => Self::Zstd,
            255 => Self::None,
            code => Self::Unknown(code),
        }
    }

    /// Its code.
    #[must_use]
    pub const fn code(self) -> u64 {
        match self {
            Self::Zstd => 0,
            Self::None => 255,
            Self::Unknown(code) => code,
        }
    }
}

impl<'a> TransactionPayload<'a> {
    const END: u64 = 0;
    const SIZE: u64 = 1;
    const COMPRESSION: u64 = 2;
    const UNCOMPRESSED_SIZE: u64 = 3;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (mut event, size) = Self::decode_fields(&mut reader)?;
        if let Some((offset, size)) = size
            && size != reader.remaining() as u64
        {
            let expected = "the number of bytes behind the fields";
            return Err(DecodeError::invalid("payload size", offset, size, expected));
        }
        event.payload = Cow::Borrowed(reader.rest());
        Ok(event)
    }

    /// Decodes what stands in front of the payload, of which nothing need be there; `reader` is
    /// left where the payload begins. Also gives the size that is announced for it, in bytes, and
    /// the offset of that field.
    pub(crate) fn decode_fields(
        reader: &mut Reader<'a>,
    ) -> Result<(Self, Option<(usize, u64)>), DecodeError> {
        let mut event = Self {
            compression: None,
            uncompressed_size: None,
            unknown_fields: Vec::new(),
            payload: Cow::Borrowed(&[]),
        };
        let mut size = None;
        loop {
            let offset = reader.offset();
            let field = reader.lenenc("payload field")?;
            if field == Self::END {
                return Ok((event, size));
            }
            let value = reader.lenenc_bytes("payload field value")?;
            let mut number = Reader::at(value, reader.offset() - value.len());
            match field {
                Self::SIZE => size = Some((offset, number.lenenc("payload size")?)),
                Self::COMPRESSION => {
                    let code = number.lenenc("payload compression")?;
                    event.compression = Some(PayloadCompression::from_code(code));
                }
                Self::UNCOMPRESSED_SIZE => {
                    event.uncompressed_size = Some(number.lenenc("uncompressed size")?);
                }
                _ => {
                    event.unknown_fields.put_lenenc(field);
                    event.unknown_fields.put_lenenc_bytes(value);
                    continue;
                }
            }
            number.finish("payload field value")?;
        }
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let mut number = |field: u64, value: u64| {
            let mut bytes = Vec::with_capacity(9);
            bytes.put_lenenc(value);
            out.put_lenenc(field);
            out.put_lenenc_bytes(&bytes);
        };
        if let Some(compression) = self.compression {
            number(Self::COMPRESSION, compression.code());
        }
        if let Some(size) = self.uncompressed_size {
            number(Self::UNCOMPRESSED_SIZE, size);
        }
        number(Self::SIZE, self.payload.len() as u64);
        out.put(&self.unknown_fields);
        out.put_lenenc(Self::END);
        out.put(&self.payload);
    }
}
