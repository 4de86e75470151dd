//! [`Storage`] whose log files are encrypted as MySQL does it.
//!
//! Everything that is done with a log file happens in its decrypted stream: offsets, lengths, cuts.
//! Files that are already there are recognised by their first bytes, so plain and encrypted ones
//! may stand side by side. Index and registers stay plain; copies of torn tails are encrypted,
//! because they hold rows.

use std::io;
use std::sync::{Arc, PoisonError};

use super::super::format::MAGIC;
use super::super::name::LogFileName;
use super::super::storage::{
    Storage, StorageFile, Stored, read_full_at, read_small, replace_file, write_all_at,
};
use super::file::{self, EncryptedFile, StreamCipher};
use super::header::{ENCRYPTED_MAGIC, EncryptionHeader, HEADER_LEN, STREAM_START, new_password};
use super::server::LogEncryption;

/// What is behind the name of a log file in that of the copy of its header that is being written.
const SIDE_SUFFIX: &str = ".reencrypt";

/// A directory of log files that are encrypted on disk. See [`LogEncryption::storage`].
#[derive(Debug)]
pub struct EncryptedStorage {
    inner: Arc<dyn Storage>,
    encryption: Arc<LogEncryption>,
}

/// Files that hold events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A log file, which begins with the magic.
    Log,
    /// The copy of a log's torn tail, which begins anywhere.
    Tail,
}

fn kind_of(name: &str) -> Option<Kind> {
    if LogFileName::parse(name).is_some() {
        return Some(Kind::Log);
    }
    let (log, _) = name.split_once(".torn-")?;
    LogFileName::parse(log).map(|_| Kind::Tail)
}

impl EncryptedStorage {
    pub(super) const fn new(inner: Arc<dyn Storage>, encryption: Arc<LogEncryption>) -> Self {
        Self { inner, encryption }
    }

    /// The encryption of the server whose files these are.
    #[must_use]
    pub const fn encryption(&self) -> &Arc<LogEncryption> {
        &self.encryption
    }

    /// What the file holds behind its encryption, if it has any.
    fn decrypted(
        &self,
        kind: Option<Kind>,
        file: Box<dyn StorageFile>,
    ) -> io::Result<Box<dyn StorageFile>> {
        let Some(kind) = kind else { return Ok(file) };
        let _reading = self
            .encryption
            .headers
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        if !begins_encrypted(file.as_ref())? || is_unborn(kind, file.len()?) {
            return Ok(file);
        }
        let keys = self.encryption.keys();
        Ok(match kind {
            Kind::Log => Box::new(file::open(file, &keys)?),
            Kind::Tail => Box::new(file::open_unchecked(file, &keys)?),
        })
    }
}

fn begins_encrypted(file: &dyn StorageFile) -> io::Result<bool> {
    let mut magic = [0; ENCRYPTED_MAGIC.len()];
    let read = read_full_at(file, 0, &mut magic)?;
    Ok(magic.get(..read) == Some(&ENCRYPTED_MAGIC))
}

/// Whether a crash may have stopped the creation of a file of `len` bytes, so that its header is
/// torn; nothing is in it then. Header and magic are durable before anything is written behind
/// them.
const fn is_unborn(kind: Kind, len: u64) -> bool {
    match kind {
        Kind::Log => len <= STREAM_START + MAGIC.len() as u64,
        // It is given its name when its header is durable.
        Kind::Tail => len < STREAM_START,
    }
}

impl Storage for EncryptedStorage {
    /// A log file that is encrypted already holds its magic: whether a key is the right one is
    /// seen there, so it must never be torn.
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = self.inner.create(name)?;
        let Some(kind) = kind_of(name).filter(|_| self.encryption.is_on()) else {
            return Ok(file);
        };
        let begin = || {
            let password = new_password()?;
            let cipher = StreamCipher::new(&password);
            let mut bytes = self.encryption.lock_password(None, &password)?.encode();
            if kind == Kind::Log {
                let mut magic = MAGIC;
                cipher.apply(0, &mut magic)?;
                bytes.extend(magic);
            }
            write_all_at(file.as_ref(), 0, &bytes)?;
            file.sync()?;
            Ok(cipher)
        };
        match begin() {
            Ok(cipher) => Ok(Box::new(EncryptedFile::new(file, cipher))),
            Err(error) => {
                // It holds nothing; if it stays, the next start removes it.
                let _ = self.inner.remove(name);
                Err(error)
            }
        }
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.decrypted(kind_of(name), self.inner.open(name)?)
    }

    fn open_read(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.decrypted(kind_of(name), self.inner.open_read(name)?)
    }

    fn create_private(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.inner.create_private(name)
    }

    fn stored(&self, name: &str) -> io::Result<Stored> {
        let file = self.inner.open_read(name)?;
        Ok(Stored {
            bytes: file.len()?,
            is_encrypted: kind_of(name).is_some() && begins_encrypted(file.as_ref())?,
        })
    }

    fn list(&self) -> io::Result<Vec<String>> {
        self.inner.list()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.inner.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }

    fn sync_dir(&self) -> io::Result<()> {
        self.inner.sync_dir()
    }
}

/// Locks the headers of all files with the master key `number` of `encryption`.
///
/// A header is written to a file beside the log first, durably, and then over the old one; torn
/// halves are overwritten by [`repair`]. Only headers under other keys of the same server change.
pub(super) fn reencrypt(
    storage: &dyn Storage,
    encryption: &LogEncryption,
    number: u32,
) -> io::Result<()> {
    for name in storage.list()? {
        let Some(kind) = kind_of(&name) else { continue };
        let file = match storage.open(&name) {
            Ok(file) => file,
            // It was purged in the meantime.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        if !begins_encrypted(file.as_ref())? || is_unborn(kind, file.len()?) {
            continue;
        }
        let header = file::read_header(file.as_ref())?;
        if !encryption.is_older_key(&header.key_name, number) {
            continue;
        }
        let password = header.unlock(&encryption.keys())?;
        let bytes = encryption.lock_password(Some(number), &password)?.encode();
        let side = format!("{name}{SIDE_SUFFIX}");
        replace_file(storage, &side, &bytes)?;
        {
            let _writing = encryption
                .headers
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            write_all_at(file.as_ref(), 0, &bytes)?;
        }
        file.sync()?;
        storage.remove(&side)?;
        storage.sync_dir()?;
    }
    Ok(())
}

/// Finishes headers that a crash interrupted: those of which a copy stands beside the log.
pub(super) fn repair(storage: &dyn Storage) -> io::Result<()> {
    let names = storage.list()?;
    let mut has_changed = false;
    for side in &names {
        let Some((log, rest)) = side.rsplit_once(SIDE_SUFFIX) else {
            continue;
        };
        if kind_of(log).is_none() {
            continue;
        }
        // What has more behind it is a copy that was not finished; the log has its old header.
        if rest.is_empty() && names.iter().any(|name| name == log) {
            let bytes = read_small(storage, side, HEADER_LEN as u64)?;
            EncryptionHeader::decode(&bytes)?;
            let file = storage.open(log)?;
            write_all_at(file.as_ref(), 0, &bytes)?;
            file.sync()?;
        }
        storage.remove(side)?;
        has_changed = true;
    }
    if has_changed {
        storage.sync_dir()
    } else {
        Ok(())
    }
}
