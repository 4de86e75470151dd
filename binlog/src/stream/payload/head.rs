//! The fields in front of a payload.

use codec::{DecodeError, Reader};

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

/// Fields `type`, `length`, `value` (length-encoded integers), a type 0 ends them:
///
/// | type | value                                         |
/// |-----:|-----------------------------------------------|
/// |    1 | `payload_size`                                |
/// |    2 | `compression`: 0 zstd, 255 none               |
/// |    3 | `content_size`, bytes after decompression     |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadHead {
    /// How the payload is stored; [`PayloadCompression::None`] if that is not said.
    pub compression: PayloadCompression,
    /// Bytes of the payload; `None`: it reaches to the end of the event.
    pub payload_size: Option<u64>,
    /// Announced bytes of the content.
    pub content_size: Option<u64>,
    /// Where the payload begins, in bytes from the start of the event.
    pub payload_start: u64,
}

/// The most bytes that a head is read for.
pub(in crate::stream) const HEAD_MAX: usize = 4096;

const END: u64 = 0;
const PAYLOAD_SIZE: u64 = 1;
const COMPRESSION: u64 = 2;
const CONTENT_SIZE: u64 = 3;

impl PayloadHead {
    /// Reads the fields from `reader`, which stands behind the event's header and need not reach
    /// to the end of the event. Fields of other types are passed over.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let mut head = Self {
            compression: PayloadCompression::None,
            payload_size: None,
            content_size: None,
            payload_start: 0,
        };
        loop {
            let field = reader.lenenc("payload field")?;
            if field == END {
                break;
            }
            let len = reader.lenenc("payload field length")?;
            let offset = reader.offset();
            let value = reader.bytes_u64(len, "payload field value")?;
            let mut value = Reader::at(value, offset);
            match field {
                PAYLOAD_SIZE => head.payload_size = Some(value.lenenc("payload size")?),
                COMPRESSION => {
                    let code = value.lenenc("payload compression")?;
                    head.compression = PayloadCompression::from_code(code);
                }
                CONTENT_SIZE => head.content_size = Some(value.lenenc("payload content size")?),
                _ => {
                    value.rest();
                }
            }
            value.finish("payload field value")?;
        }
        head.payload_start = reader.offset() as u64;
        Ok(head)
    }
}
