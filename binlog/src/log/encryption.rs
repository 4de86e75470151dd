//! Logs that are encrypted on disk.
//!
//! MySQL encrypts whole files: 512 bytes of header that hold the file's password under a master
//! key, then the log as one AES-CTR stream. MariaDB encrypts event by event behind a
//! `START_ENCRYPTION` event. Everything above sees decrypted bytes and offsets in the decrypted
//! stream, and needs not know.
//!
//! Spec: mysql-server 9.7, `sql/rpl_log_encryption.cc` and `sql/stream_cipher.cc`; MariaDB 11.8,
//! `sql/log_event.cc` and `mysys_ssl/my_crypt.cc`.

mod keys;

pub use keys::{KeyFileError, Keys, Secret};
