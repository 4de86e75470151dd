//! What can be wrong with an encrypted log file.

use std::fmt;
use std::io;

use codec::DecodeError;

/// Why an encrypted file cannot be read or a new one cannot be begun.
///
/// The [`Storage`](crate::log::Storage) seam speaks `io::Error`; there it is the inner error of one
/// of kind `InvalidData`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncryptionError {
    /// The file ends inside its encryption header.
    TruncatedHeader {
        /// Bytes that are there; 512 are needed.
        available: u64,
    },
    /// The header is of a version that is not known; 1 is.
    UnknownVersion {
        /// The version.
        version: u8,
    },
    /// The header has a field that is not known.
    UnknownField {
        /// The field's type.
        field: u8,
        /// Where it stands in the file.
        offset: usize,
    },
    /// The header does not have a field that is needed, or not in its length.
    MissingField {
        /// The field.
        field: &'static str,
    },
    /// The name of the master key is not text.
    BadKeyName,
    /// The keyring that was given does not hold the file's master key.
    MissingKey {
        /// The key's name in the keyring.
        key: String,
    },
    /// MariaDB's key is not in the key file that was given.
    MissingNumberedKey {
        /// The key's number.
        number: u32,
    },
    /// The events are encrypted with a version of the key that a key file cannot hold.
    UnknownKeyVersion {
        /// The key's number.
        number: u32,
        /// The version; a file has version 1 only.
        version: u32,
    },
    /// The `START_ENCRYPTION` event of MariaDB cannot be read.
    BadStartEncryption(DecodeError),
    /// MariaDB's encryption scheme is not known; 1 is.
    UnknownScheme {
        /// The scheme.
        scheme: u8,
    },
    /// The key has not the length of an AES key of its use.
    BadKeyLength {
        /// The key's name or number.
        key: String,
        /// Its length in bytes.
        bytes: usize,
    },
    /// What comes out of the decryption is no log: the key has the right name but is another.
    WrongKey {
        /// The key's name or number.
        key: String,
    },
    /// Something needs the server's keyring, and none is configured.
    NoKeyring,
    /// The keyring may not be written (`read_only` of its configuration).
    ReadOnlyKeyring,
    /// No random numbers are to be had from the system.
    NoRandomness,
}

impl EncryptionError {
    /// Takes the error out of the `io::Error` that carried it through the storage seam.
    pub fn from_io(error: io::Error) -> Result<Self, io::Error> {
        error.downcast()
    }
}

impl From<EncryptionError> for io::Error {
    fn from(error: EncryptionError) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

impl fmt::Display for EncryptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TruncatedHeader { available } => write!(
                f,
                "the encryption header has 512 bytes, but the file ends after {available}"
            ),
            Self::UnknownVersion { version } => write!(
                f,
                "the encryption header has version {version}, only version 1 is known"
            ),
            Self::UnknownField { field, offset } => write!(
                f,
                "the encryption header has a field of unknown type {field} at offset {offset}"
            ),
            Self::MissingField { field } => {
                write!(f, "the encryption header has no whole {field}")
            }
            Self::BadKeyName => f.write_str("the name of the master key is not text"),
            Self::MissingKey { key } => write!(
                f,
                "the file is encrypted with the key '{key}', which no keyring given here holds; \
                 give the keyring file of the server that wrote it (--keyring FILE, or \
                 keyring_file_data for a server)"
            ),
            Self::MissingNumberedKey { number } => write!(
                f,
                "the events are encrypted by MariaDB with key {number}, which no key file given \
                 here holds; give the server's file_key_management_filename (--file-key FILE)"
            ),
            Self::UnknownKeyVersion { number, version } => write!(
                f,
                "the events are encrypted by MariaDB with version {version} of key {number}; key \
                 files (file_key_management) hold version 1 only"
            ),
            Self::BadStartEncryption(error) => {
                write!(f, "the START_ENCRYPTION event cannot be read: {error}")
            }
            Self::UnknownScheme { scheme } => write!(
                f,
                "the events are encrypted by MariaDB with scheme {scheme}, only scheme 1 is known"
            ),
            Self::BadKeyLength { key, bytes } => {
                write!(f, "the key {key} has {bytes} bytes, which is no length of its use")
            }
            Self::WrongKey { key } => write!(
                f,
                "decrypted with the key {key}, the file is not a log: the key given here is not \
                 the one that it was encrypted with"
            ),
            Self::NoKeyring => f.write_str(
                "no keyring is configured; set keyring_file_data, or put component_keyring_file.cnf \
                 into the data directory",
            ),
            Self::ReadOnlyKeyring => f.write_str("the keyring is configured read-only"),
            Self::NoRandomness => f.write_str("the system gives no random numbers for a key"),
        }
    }
}

impl std::error::Error for EncryptionError {}
