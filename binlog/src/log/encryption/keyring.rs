//! The keyring that a server writes: a file in the format of MySQL's `component_keyring_file`.
//!
//! Every change replaces the file as a whole, so that after a crash it holds the old keys or the
//! new ones. Only its owner may read it.

use std::ffi::OsStr;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::storage::{OsStorage, Storage, read_small, write_all_at};
use super::error::EncryptionError;
use super::keys::{KEY_FILE_BYTES_MAX, KeyFileError, Keys, Secret, parse_keyring};
use crate::value::json::{self, JsonValue};

/// A change of one element: its new key, or `None` to remove it.
pub(super) type Change = (String, Option<Vec<u8>>);

/// A keyring file and what it holds.
pub struct Keyring {
    storage: Arc<dyn Storage>,
    name: String,
    path: PathBuf,
    is_read_only: bool,
    /// The elements as they are written, those of other owners included.
    elements: Vec<JsonValue>,
    keys: Keys,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("path", &self.path)
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

impl Keyring {
    /// Opens the keyring at `path`. A file that is not there, or is empty, is a keyring without
    /// keys; it is written when there is a key to keep.
    pub fn open(path: &Path, is_read_only: bool) -> Result<Self, KeyFileError> {
        let parent = path.parent().filter(|parent| *parent != Path::new(""));
        let storage = OsStorage::new(parent.unwrap_or(Path::new(".")));
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let mut keyring = Self::open_in(Arc::new(storage), name, path, is_read_only)?;
        if path.exists() {
            keyring.keys = keyring.keys.warn_if_public(path);
        }
        Ok(keyring)
    }

    /// [`Keyring::open`] for a file of `storage`, which errors call `path`.
    pub(in crate::log) fn open_in(
        storage: Arc<dyn Storage>,
        name: &str,
        path: &Path,
        is_read_only: bool,
    ) -> Result<Self, KeyFileError> {
        let text = match read_small(storage.as_ref(), name, KEY_FILE_BYTES_MAX) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                let file = path.to_owned();
                return Err(KeyFileError::Io { file, source });
            }
        };
        let mut keyring = Self {
            storage,
            name: name.to_owned(),
            path: path.to_owned(),
            is_read_only,
            elements: Vec::new(),
            keys: Keys::default(),
        };
        if !text.trim_ascii().is_empty() {
            let (elements, keys) = parse_keyring(path, &text)?;
            keyring.elements = elements;
            keyring.keys = keys;
        }
        Ok(keyring)
    }

    /// The keys that it holds.
    #[must_use]
    pub const fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes all of `changes` durable at once.
    pub(super) fn commit(&mut self, changes: &[Change]) -> io::Result<()> {
        if self.is_read_only {
            return Err(EncryptionError::ReadOnlyKeyring.into());
        }
        let is_changed = |element: &JsonValue| {
            let name = json::text_member(element, "data_id");
            changes.iter().any(|(changed, _)| name == Some(changed))
        };
        let mut elements = self.elements.clone();
        elements.retain(|element| !is_changed(element));
        let new = changes.iter().filter_map(|(name, key)| {
            let key = key.as_ref()?;
            Some(element(name, key))
        });
        elements.extend(new);
        let root = JsonValue::object(vec![
            ("version".to_owned(), JsonValue::String("1.0".to_owned())),
            ("elements".to_owned(), JsonValue::Array(elements.clone())),
        ]);
        self.store(root.to_string().as_bytes())?;
        self.elements = elements;
        for (name, key) in changes {
            self.keys
                .set_keyring_key(name, key.clone().map(Secret::new));
        }
        Ok(())
    }

    fn store(&self, text: &[u8]) -> io::Result<()> {
        let storage = self.storage.as_ref();
        let staged = format!("{}.new", self.name);
        match storage.remove(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = storage.create_private(&staged)?;
        write_all_at(file.as_ref(), 0, text)?;
        file.sync()?;
        drop(file);
        storage.rename(&staged, &self.name)?;
        storage.sync_dir()
    }
}

fn element(name: &str, key: &[u8]) -> JsonValue {
    let mut hex = String::with_capacity(key.len() * 2);
    for byte in key {
        // Writing to a String does not fail.
        let _ = write!(hex, "{byte:02X}");
    }
    let text = |name: &str, value: &str| (name.to_owned(), JsonValue::String(value.to_owned()));
    JsonValue::object(vec![
        text("user", ""),
        text("data_id", name),
        text("data_type", "AES"),
        text("data", &hex),
        ("extension".to_owned(), JsonValue::Array(Vec::new())),
    ])
}
