//! Logs that are encrypted on disk.
//!
//! MySQL encrypts whole files: 512 bytes of header that hold the file's password under a master
//! key, then the log as one AES-CTR stream. MariaDB encrypts event by event behind a
//! `START_ENCRYPTION` event. Everything above sees decrypted bytes and offsets in the decrypted
//! stream, and needs not know.
//!
//! Spec: mysql-server 9.7, `sql/rpl_log_encryption.cc` and `sql/stream_cipher.cc`; MariaDB 11.8,
//! `sql/log_event.cc` and `mysys_ssl/my_crypt.cc`.

mod error;
mod file;
mod header;
mod keyring;
mod keys;
mod mariadb;
mod server;
mod storage;

use std::io;

pub use error::EncryptionError;
pub use header::{ENCRYPTED_MAGIC, EncryptionHeader, HEADER_LEN};
pub use keyring::Keyring;
pub use keys::{KeyFileError, Keys, Secret};
pub use server::LogEncryption;
pub use storage::EncryptedStorage;

use super::format::MAGIC;
use super::storage::{StorageFile, read_full_at};

/// The clear stream of `file`, whoever encrypted it; the file itself if nobody did.
///
/// Fails with an [`EncryptionError`] inside the `io::Error` if `keys` do not hold the file's key,
/// if the key is another one of the same name, or if the file's encryption is not known.
pub fn decrypted(file: Box<dyn StorageFile>, keys: &Keys) -> io::Result<Box<dyn StorageFile>> {
    let mut magic = [0; MAGIC.len()];
    let read = read_full_at(file.as_ref(), 0, &mut magic)?;
    match magic.get(..read) {
        Some(found) if found == ENCRYPTED_MAGIC => Ok(Box::new(file::open(file, keys)?)),
        Some(found) if found == MAGIC => mariadb::open(file, keys),
        _ => Ok(file),
    }
}

#[cfg(test)]
mod tests;
