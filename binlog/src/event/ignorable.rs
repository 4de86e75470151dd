//! `IGNORABLE_EVENT`: an event that every reader may skip. No server writes it.

use codec::{Reader, Write};

/// | offset | size | field  |
/// |-------:|-----:|--------|
/// |      0 | rest | `data` |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ignorable<'a> {
    /// The body.
    pub data: &'a [u8],
}

impl<'a> Ignorable<'a> {
    /// Decodes the body.
    #[must_use]
    pub fn decode(mut reader: Reader<'a>) -> Self {
        let data = reader.rest();
        Self { data }
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put(self.data);
    }
}
