//! `START_ENCRYPTION_EVENT` (MariaDB): every event behind this one is encrypted.
//!
//! Spec: mariadb-server 11.8, sql/log_event.h, `Start_encryption_log_event`.

use codec::{DecodeError, Reader, Write};

/// | offset | size | field         |
/// |-------:|-----:|---------------|
/// |      0 |    1 | `scheme`      |
/// |      1 |    4 | `key_version` |
/// |      5 |   12 | `nonce`       |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartEncryption {
    /// How events are encrypted; 1 is the only scheme.
    pub scheme: u8,
    /// Version of the key that encrypts them; its number is 1.
    pub key_version: u32,
    /// First part of each event's initialisation vector; the second is its offset in the file.
    pub nonce: [u8; 12],
}

impl StartEncryption {
    /// Decodes the body.
    pub fn decode(mut reader: Reader<'_>) -> Result<Self, DecodeError> {
        let start = Self {
            scheme: reader.u8("encryption scheme")?,
            key_version: reader.u32("encryption key version")?,
            nonce: reader.array("encryption nonce")?,
        };
        reader.finish("start of encryption")?;
        Ok(start)
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.scheme);
        out.put_u32(self.key_version);
        out.put(&self.nonce);
    }
}
