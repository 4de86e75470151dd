//! The 512 bytes in front of a MySQL-encrypted file: its password, locked by a master key.
//!
//! Spec: mysql-server 9.7, `sql/rpl_log_encryption.cc`, `Rpl_encryption_header_v1`.

use std::fmt;

use aes::Aes256;
use cbc::cipher::{Block, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use codec::Write as _;
use zeroize::Zeroizing;

use super::error::EncryptionError;
use super::keys::{Keys, Secret};

/// The first bytes of a file that MySQL encrypted.
pub const ENCRYPTED_MAGIC: [u8; 4] = [0xfd, b'b', b'i', b'n'];

/// Where the encrypted stream begins.
pub const HEADER_LEN: usize = 512;

/// [`HEADER_LEN`] as an offset in a file.
pub(super) const STREAM_START: u64 = 512;

const VERSION: u8 = 1;
const KEY_NAME: u8 = 1;
const PASSWORD: u8 = 2;
const IV: u8 = 3;
const PASSWORD_LEN: usize = 32;
const IV_LEN: usize = 16;

/// The master key's own length: AES-256.
pub(super) const REPLICATION_KEY_LEN: usize = 32;

/// A file's password in clear: what the keys of its stream are made of.
pub(super) type FilePassword = Zeroizing<[u8; PASSWORD_LEN]>;

/// | offset | size | field |
/// |---:|---:|---|
/// | 0 | 4 | magic `fd 62 69 6e` |
/// | 4 | 1 | version, 1 |
/// | 5 | | fields, each with its type in front: |
/// | | 1 + n | 1: length and name of the master key in the keyring |
/// | | 32 | 2: the file's password, AES-256-CBC under the master key without padding |
/// | | 16 | 3: initialisation vector of that encryption |
/// | | | 0: end; zeros up to 512 |
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionHeader {
    /// Name of the master key: `MySQLReplicationKey_<server uuid>_<sequence number>`.
    pub key_name: String,
    /// The file's password as it is stored.
    password: [u8; PASSWORD_LEN],
    iv: [u8; IV_LEN],
}

impl fmt::Debug for EncryptionHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionHeader")
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

impl EncryptionHeader {
    /// Reads the header from a file's first bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncryptionError> {
        let Some(header) = bytes.get(..HEADER_LEN) else {
            let available = bytes.len() as u64;
            return Err(EncryptionError::TruncatedHeader { available });
        };
        let (version, mut rest) = match header.get(ENCRYPTED_MAGIC.len()..) {
            Some([version, rest @ ..]) => (*version, rest),
            _ => (0, &[][..]),
        };
        if version != VERSION {
            return Err(EncryptionError::UnknownVersion { version });
        }
        let (mut key_name, mut password, mut iv) = (None, None, None);
        while let [field, tail @ ..] = rest
            && *field != 0
        {
            let offset = HEADER_LEN.saturating_sub(rest.len());
            rest = match *field {
                KEY_NAME => {
                    let (name, tail) = take_name(tail)?;
                    key_name = Some(name);
                    tail
                }
                PASSWORD => {
                    let (bytes, tail) = take(tail, "file password")?;
                    password = Some(bytes);
                    tail
                }
                IV => {
                    let (bytes, tail) = take(tail, "initialisation vector")?;
                    iv = Some(bytes);
                    tail
                }
                field => return Err(EncryptionError::UnknownField { field, offset }),
            };
        }
        let missing = |field| move || EncryptionError::MissingField { field };
        Ok(Self {
            key_name: key_name.ok_or_else(missing("name of the master key"))?,
            password: password.ok_or_else(missing("file password"))?,
            iv: iv.ok_or_else(missing("initialisation vector"))?,
        })
    }

    /// The header as it stands in the file.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = ENCRYPTED_MAGIC.to_vec();
        out.put_u8(VERSION);
        out.put_u8(KEY_NAME);
        // Our own names are 60 bytes long, and what was decoded fitted a byte.
        out.put_u8(u8::try_from(self.key_name.len()).unwrap_or(u8::MAX));
        out.put(self.key_name.as_bytes());
        out.put_u8(PASSWORD);
        out.put(&self.password);
        out.put_u8(IV);
        out.put(&self.iv);
        out.resize(HEADER_LEN, 0);
        out
    }

    /// Locks `password` with the master key `name`.
    pub(super) fn lock(
        name: &str,
        key: &Secret,
        password: &FilePassword,
    ) -> Result<Self, EncryptionError> {
        let mut iv = [0; IV_LEN];
        fill_random(&mut iv)?;
        let key = replication_key(name, key)?;
        let mut locked = **password;
        let mut cipher = cbc::Encryptor::<Aes256>::new(key.into(), &iv.into());
        for block in locked.chunks_exact_mut(IV_LEN) {
            if let Ok(block) = <&mut Block<Aes256>>::try_from(block) {
                cipher.encrypt_block(block);
            }
        }
        Ok(Self {
            key_name: name.to_owned(),
            password: locked,
            iv,
        })
    }

    /// The file's password, with the master key from `keys`.
    pub(super) fn unlock(&self, keys: &Keys) -> Result<FilePassword, EncryptionError> {
        let name = &self.key_name;
        let secret = keys.keyring_key(name);
        let secret = secret.ok_or_else(|| EncryptionError::MissingKey { key: name.clone() })?;
        let key = replication_key(name, secret)?;
        let mut password = Zeroizing::new(self.password);
        let mut cipher = cbc::Decryptor::<Aes256>::new(key.into(), &self.iv.into());
        for block in password.chunks_exact_mut(IV_LEN) {
            if let Ok(block) = <&mut Block<Aes256>>::try_from(block) {
                cipher.decrypt_block(block);
            }
        }
        Ok(password)
    }
}

/// A new password for a file.
pub(super) fn new_password() -> Result<FilePassword, EncryptionError> {
    let mut password = Zeroizing::new([0; PASSWORD_LEN]);
    fill_random(password.as_mut_slice())?;
    Ok(password)
}

/// Fills `bytes` from the system's random source.
pub(super) fn fill_random(bytes: &mut [u8]) -> Result<(), EncryptionError> {
    getrandom::fill(bytes).map_err(|_| EncryptionError::NoRandomness)
}

fn replication_key<'a>(
    name: &str,
    key: &'a Secret,
) -> Result<&'a [u8; REPLICATION_KEY_LEN], EncryptionError> {
    key.bytes()
        .try_into()
        .map_err(|_| EncryptionError::BadKeyLength {
            key: format!("'{name}'"),
            bytes: key.bytes().len(),
        })
}

fn take<'a, const N: usize>(
    bytes: &'a [u8],
    field: &'static str,
) -> Result<([u8; N], &'a [u8]), EncryptionError> {
    let (value, rest) = bytes
        .split_first_chunk()
        .ok_or(EncryptionError::MissingField { field })?;
    Ok((*value, rest))
}

fn take_name(bytes: &[u8]) -> Result<(String, &[u8]), EncryptionError> {
    let missing = EncryptionError::MissingField {
        field: "name of the master key",
    };
    let (len, rest) = bytes.split_first().ok_or_else(|| missing.clone())?;
    let (name, rest) = rest
        .split_at_checked(usize::from(*len))
        .filter(|(name, _)| !name.is_empty())
        .ok_or(missing)?;
    let name = std::str::from_utf8(name).map_err(|_| EncryptionError::BadKeyName)?;
    Ok((name.to_owned(), rest))
}
