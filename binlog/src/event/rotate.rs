//! `ROTATE_EVENT`: names the file that follows this one.
//!
//! Written as the last event of a file, and sent *artificially* (never stored) at the head of a
//! dump. Which of the two it is, is a property of the header, not of this body.

use std::borrow::Cow;

use codec::{DecodeError, DecodeErrorKind, Reader, Write};

/// | offset | size | field      |
/// |-------:|-----:|------------|
/// |      0 |    8 | `position` |
/// |      8 | rest | `file`     |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotate<'a> {
    /// Offset of the first event to read in the next file, at least 4.
    pub position: u64,
    /// Base name of the next file: no directory, no NUL.
    pub file: Cow<'a, str>,
}

impl<'a> Rotate<'a> {
    /// Longest file name, in bytes.
    pub const FILE_LEN_MAX: usize = 512;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let position = reader.u64("rotate position")?;
        let offset = reader.offset();
        let file = reader.rest();
        let what = "rotate file name";
        if file.is_empty() || file.len() > Self::FILE_LEN_MAX {
            let found = file.len() as u64;
            return Err(DecodeError::invalid(what, offset, found, "1 to 512 bytes"));
        }
        let file = Reader::text(file, offset, what)?;
        if file.contains(['/', '\0']) {
            let kind = DecodeErrorKind::NotText;
            return Err(DecodeError { what, offset, kind });
        }
        let file = Cow::Borrowed(file);
        Ok(Self { position, file })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u64(self.position);
        out.put(self.file.as_bytes());
    }
}
