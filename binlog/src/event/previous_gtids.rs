//! `PREVIOUS_GTIDS_EVENT`: second event of a file, every GTID logged before it.
//!
//! Written also, and then empty, while GTIDs are off. In a relay log it holds what was received.

use codec::{DecodeError, Reader};
use gtid::GtidSet;

/// The body is one GTID set in its binary form; see [`GtidSet::encode`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreviousGtids {
    /// Every GTID in earlier files, purged ones included.
    pub gtids: GtidSet,
}

impl PreviousGtids {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let gtids = GtidSet::decode_from(&mut reader)?;
        reader.finish("previous GTIDs")?;
        Ok(Self { gtids })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.gtids.encode(out);
    }
}
