//! A MySQL-encrypted file as the stream that it holds.

use std::fmt;
use std::io;

use aes::Aes256;
use ctr::CtrCore;
use ctr::cipher::{
    InnerIvInit as _, KeyInit as _, StreamCipher as _, StreamCipherCoreWrapper,
    StreamCipherSeek as _,
};
use sha2::{Digest as _, Sha512};
use zeroize::{Zeroize as _, Zeroizing};

use super::super::storage::{StorageFile, read_full_at};
use super::error::EncryptionError;
use super::header::{EncryptionHeader, FilePassword, HEADER_LEN, STREAM_START};
use super::keys::Keys;

/// The most that is encrypted and written in one step.
const WRITE_CHUNK: usize = 1 << 20;

/// The cipher of one file: AES-256 in counter mode, whose keystream depends on the offset only, so
/// that any byte can be read or written on its own.
///
/// The key and the first half of the counter are the SHA-512 of the file's password; the second
/// half counts blocks of 16 bytes. A byte that is written twice with different values (the in-use
/// flag, or a tail that was cut off and written anew) gives away the difference of the two, as it
/// does in MySQL.
pub(super) struct StreamCipher {
    aes: Aes256,
    iv: [u8; 16],
}

impl StreamCipher {
    pub(super) fn new(password: &FilePassword) -> Self {
        let mut digest: [u8; 64] = Sha512::digest(password.as_slice()).into();
        let mut key = Zeroizing::new([0; 32]);
        let mut iv = [0; 16];
        let parts = key.iter_mut().chain(iv.iter_mut().take(8));
        for (to, from) in parts.zip(digest) {
            *to = from;
        }
        digest.zeroize();
        let aes = Aes256::new((&*key).into());
        Self { aes, iv }
    }

    /// Encrypts or decrypts `bytes`, which stand at `offset` of the stream.
    pub(super) fn apply(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let core = CtrCore::inner_iv_init(self.aes.clone(), (&self.iv).into());
        let mut cipher: ctr::Ctr64BE<Aes256> = StreamCipherCoreWrapper::from_core(core);
        cipher
            .try_seek(offset)
            .and_then(|()| cipher.try_apply_keystream(bytes))
            .map_err(|_| io::ErrorKind::FileTooLarge.into())
    }
}

/// A file behind an encryption header. Offsets and lengths are those of the decrypted stream.
pub(super) struct EncryptedFile {
    inner: Box<dyn StorageFile>,
    cipher: StreamCipher,
}

impl fmt::Debug for EncryptedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptedFile")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

impl EncryptedFile {
    pub(super) const fn new(inner: Box<dyn StorageFile>, cipher: StreamCipher) -> Self {
        Self { inner, cipher }
    }
}

/// The header of a file that begins with the magic of encrypted files.
pub(super) fn read_header(file: &dyn StorageFile) -> io::Result<EncryptionHeader> {
    let mut bytes = [0; HEADER_LEN];
    let read = read_full_at(file, 0, &mut bytes)?;
    Ok(EncryptionHeader::decode(
        bytes.get(..read).unwrap_or_default(),
    )?)
}

/// The stream of a MySQL-encrypted file, if `keys` hold its master key.
pub(super) fn open_unchecked(file: Box<dyn StorageFile>, keys: &Keys) -> io::Result<EncryptedFile> {
    let password = read_header(file.as_ref())?.unlock(keys)?;
    Ok(EncryptedFile::new(file, StreamCipher::new(&password)))
}

/// The stream of a MySQL-encrypted log, if `keys` hold its master key and it is the right one.
pub(super) fn open(file: Box<dyn StorageFile>, keys: &Keys) -> io::Result<EncryptedFile> {
    let header = read_header(file.as_ref())?;
    let file = EncryptedFile::new(file, StreamCipher::new(&header.unlock(keys)?));
    let mut magic = [0; 4];
    let read = read_full_at(&file, 0, &mut magic)?;
    if read == magic.len() && magic != super::super::format::MAGIC {
        return Err(EncryptionError::WrongKey {
            key: format!("'{}'", header.key_name),
        }
        .into());
    }
    Ok(file)
}

fn on_disk(offset: u64) -> u64 {
    offset.saturating_add(STREAM_START)
}

impl StorageFile for EncryptedFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read_at(on_disk(offset), buffer)?;
        let bytes = buffer.get_mut(..read).unwrap_or_default();
        self.cipher.apply(offset, bytes)?;
        Ok(read)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(WRITE_CHUNK);
        let mut hidden = bytes.get(..len).unwrap_or_default().to_vec();
        self.cipher.apply(offset, &mut hidden)?;
        self.inner.write_at(on_disk(offset), &hidden)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.inner.len()?.saturating_sub(STREAM_START))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.inner.truncate(on_disk(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }

    fn is_forward_only(&self) -> bool {
        self.inner.is_forward_only()
    }
}
