//! A server's encryption: whether its new log files are encrypted, under which master key, and how
//! that key is replaced.
//!
//! Names in the keyring, for the server's uuid `U`:
//!
//! | name | holds |
//! |---|---|
//! | `MySQLReplicationKey_U_<n>` | the n-th master key |
//! | `MySQLReplicationKey_U` | n of the key that new files use |
//! | `MySQLReplicationKey_U_new` | n of the key that a rotation is introducing; only while it lasts |
//! | `MySQLReplicationKey_U_last_purged` | n of the last key that was thrown away |
//!
//! A rotation has three steps, each durable before the next: the new key becomes the current one,
//! and `_new` says that a rotation is on; the headers of all files are locked anew with it; the
//! old keys and `_new` go. A crash leaves every file readable, and the next start goes on.
//!
//! Spec: mysql-server 9.7, `sql/rpl_log_encryption.cc`, `Rpl_encryption`.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use gtid::Uuid;

use super::super::storage::Storage;
use super::error::EncryptionError;
use super::header::{EncryptionHeader, FilePassword, REPLICATION_KEY_LEN, fill_random};
use super::keyring::{Change, Keyring};
use super::keys::{Keys, Secret};
use super::storage::{EncryptedStorage, reencrypt, repair};

/// The encryption of a server's binary and relay logs.
#[derive(Debug)]
pub struct LogEncryption {
    /// What the names of the server's keys begin with.
    prefix: String,
    /// Whether new files are encrypted.
    is_on: AtomicBool,
    /// Taken by whoever changes keys, from the first step to the last.
    state: Mutex<State>,
    /// The keys as they are now; files are opened with them.
    keys: RwLock<Keys>,
    /// Held for writing while a header is rewritten, for reading while one is read.
    pub(super) headers: RwLock<()>,
}

#[derive(Debug)]
struct State {
    keyring: Option<Keyring>,
    /// Every directory whose logs use the keys.
    storages: Vec<Arc<dyn Storage>>,
}

impl LogEncryption {
    /// The encryption of the server `uuid` with its keyring, if it has one; new files are plain
    /// until it is switched on.
    #[must_use]
    pub fn new(uuid: Uuid, keyring: Option<Keyring>) -> Arc<Self> {
        let keys = keyring.as_ref().map(|keyring| keyring.keys().clone());
        Arc::new(Self {
            prefix: format!("MySQLReplicationKey_{}", uuid.hyphenated()),
            is_on: AtomicBool::new(false),
            state: Mutex::new(State {
                keyring,
                storages: Vec::new(),
            }),
            keys: RwLock::new(keys.unwrap_or_default()),
            headers: RwLock::new(()),
        })
    }

    /// `storage` with its log files encrypted as this server does it.
    ///
    /// What a crash left of a rewritten header is put right first. All directories must be given
    /// before [`LogEncryption::recover`].
    pub fn storage(self: &Arc<Self>, storage: Arc<dyn Storage>) -> io::Result<EncryptedStorage> {
        repair(storage.as_ref())?;
        self.lock().storages.push(Arc::clone(&storage));
        Ok(EncryptedStorage::new(storage, Arc::clone(self)))
    }

    /// Goes on with a rotation that was interrupted. Returns whether there was one.
    pub fn recover(&self) -> io::Result<bool> {
        let is_rotating = self.keys().keyring_key(&self.named("new")).is_some();
        if is_rotating {
            self.finish_rotation()?;
        }
        Ok(is_rotating)
    }

    /// Whether new files are encrypted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    /// Encrypts the files that begin from now on, or stops doing so. The first time it makes a
    /// master key, durably.
    pub fn switch(&self, on: bool) -> io::Result<()> {
        if on {
            let mut state = self.lock();
            let keyring = state.keyring.as_mut().ok_or(EncryptionError::NoKeyring)?;
            match self.current(keyring.keys()) {
                // The key must be there before a file is promised to be encrypted with it.
                Some(current) => {
                    self.replication_key(keyring.keys(), current)?;
                }
                None => self.introduce(keyring, 1, false)?,
            }
        }
        self.is_on.store(on, Ordering::Release);
        Ok(())
    }

    /// First half of a rotation: a new master key for all files that begin from now on. The caller
    /// then begins a new file in every log and calls [`LogEncryption::finish_rotation`].
    pub fn begin_rotation(&self) -> io::Result<()> {
        let mut state = self.lock();
        let keyring = state.keyring.as_mut().ok_or(EncryptionError::NoKeyring)?;
        let newest = keyring
            .keys()
            .keyring_names()
            .filter_map(|name| self.number_of(name))
            .chain(self.current(keyring.keys()))
            .chain(self.number(keyring.keys(), &self.named("last_purged")))
            .max();
        self.introduce(keyring, newest.unwrap_or_default().saturating_add(1), true)
    }

    /// Second half of a rotation: locks every file with the current key and throws the older keys
    /// away.
    pub fn finish_rotation(&self) -> io::Result<()> {
        let mut state = self.lock();
        let State { keyring, storages } = &mut *state;
        let keyring = keyring.as_mut().ok_or(EncryptionError::NoKeyring)?;
        let current = self
            .current(keyring.keys())
            .ok_or_else(|| EncryptionError::MissingKey {
                key: self.prefix.clone(),
            })?;
        for storage in storages.iter() {
            reencrypt(storage.as_ref(), self, current)?;
        }
        let mut changes: Vec<Change> = keyring
            .keys()
            .keyring_names()
            .filter(|name| self.number_of(name).is_some_and(|number| number < current))
            .map(|name| (name.to_owned(), None))
            .collect();
        changes.push((self.named("new"), None));
        let purged = current.saturating_sub(1);
        changes.push((self.named("last_purged"), Some(number_bytes(purged))));
        self.commit(keyring, &changes)
    }

    /// Makes a master key with the number `number` and the current one.
    fn introduce(&self, keyring: &mut Keyring, number: u32, is_rotation: bool) -> io::Result<()> {
        let mut key = vec![0; REPLICATION_KEY_LEN];
        fill_random(&mut key)?;
        let mut changes = vec![
            (self.named(&number.to_string()), Some(key)),
            (self.prefix.clone(), Some(number_bytes(number))),
        ];
        if is_rotation {
            changes.push((self.named("new"), Some(number_bytes(number))));
        }
        self.commit(keyring, &changes)
    }

    fn commit(&self, keyring: &mut Keyring, changes: &[Change]) -> io::Result<()> {
        keyring.commit(changes)?;
        let keys = keyring.keys().clone();
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }

    /// The keys as they are now.
    #[must_use]
    pub fn keys(&self) -> Keys {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.clone()
    }

    /// Whether `name` is one of this server's master keys and not the one numbered `current`.
    pub(super) fn is_older_key(&self, name: &str, current: u32) -> bool {
        self.number_of(name).is_some_and(|number| number != current)
    }

    /// Locks a file's password with the current master key, or with the one numbered `number`.
    pub(super) fn lock_password(
        &self,
        number: Option<u32>,
        password: &FilePassword,
    ) -> io::Result<EncryptionHeader> {
        let keys = self.keys();
        let number = number.or_else(|| self.current(&keys));
        let number = number.ok_or_else(|| EncryptionError::MissingKey {
            key: self.prefix.clone(),
        })?;
        let (name, key) = self.replication_key(&keys, number)?;
        Ok(EncryptionHeader::lock(&name, &key, password)?)
    }

    fn replication_key(
        &self,
        keys: &Keys,
        number: u32,
    ) -> Result<(String, Secret), EncryptionError> {
        let name = self.named(&number.to_string());
        match keys.keyring_key(&name) {
            Some(key) => Ok((name, key.clone())),
            None => Err(EncryptionError::MissingKey { key: name }),
        }
    }

    fn current(&self, keys: &Keys) -> Option<u32> {
        self.number(keys, &self.prefix)
    }

    /// The number that the element `name` holds.
    fn number(&self, keys: &Keys, name: &str) -> Option<u32> {
        let bytes = keys.keyring_key(name)?.bytes().first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// The number in the name of a master key of this server.
    fn number_of(&self, name: &str) -> Option<u32> {
        name.strip_prefix(&self.prefix)?
            .strip_prefix('_')?
            .parse()
            .ok()
    }

    fn named(&self, suffix: &str) -> String {
        format!("{}_{suffix}", self.prefix)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Keyring and list are changed in one step each.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number as the keyring holds it: the length of an AES key, little-endian.
fn number_bytes(number: u32) -> Vec<u8> {
    let mut bytes = number.to_le_bytes().to_vec();
    bytes.resize(16, 0);
    bytes
}
