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

    /// The keyring that `configuration` names, MySQL's `component_keyring_file.cnf`: a JSON object
    /// with `path`, from the file's directory if it is relative, and `read_only`. `None` if there
    /// is no such file.
    pub fn configured(configuration: &Path) -> Result<Option<Self>, KeyFileError> {
        let file = configuration.to_owned();
        let text = match std::fs::read_to_string(configuration) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(KeyFileError::Io { file, source }),
        };
        let bad = |what| KeyFileError::BadConfiguration {
            file: file.clone(),
            what,
        };
        let root = json::parse(&text).map_err(|error| bad(error.message))?;
        let path = json::text_member(&root, "path").ok_or_else(|| bad("it has no text 'path'"))?;
        let directory = configuration.parent().unwrap_or(Path::new(""));
        let is_read_only = json::member(&root, "read_only") == Some(&JsonValue::Bool(true));
        Self::open(&directory.join(path), is_read_only).map(Some)
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_keyring_is_made_for_its_owner_only_and_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keyring");
        let mut keyring = Keyring::open(&path, false).unwrap();
        assert!(keyring.keys().is_empty());
        assert!(!path.exists());
        keyring
            .commit(&[("a".to_owned(), Some(vec![1; 32]))])
            .unwrap();
        keyring
            .commit(&[("a".to_owned(), None), ("b".to_owned(), Some(vec![2; 16]))])
            .unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let again = Keyring::open(&path, false).unwrap();
        assert_eq!(again.keys(), keyring.keys());
        assert_eq!(again.keys(), &Keys::load_keyring(&path).unwrap());
        assert_eq!(again.keys().keyring_key("a"), None);
        assert_eq!(again.keys().keyring_key("b").unwrap().bytes(), [2; 16]);
    }

    #[test]
    fn a_component_configuration_names_the_keyring_and_whether_it_may_be_written() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("component_keyring_file.cnf");
        assert!(Keyring::configured(&file).unwrap().is_none());
        std::fs::write(&file, r#"{"path": "keys/ring", "read_only": true}"#).unwrap();
        let mut keyring = Keyring::configured(&file).unwrap().unwrap();
        assert_eq!(keyring.path, directory.path().join("keys/ring"));
        let error = keyring.commit(&[]).unwrap_err();
        assert_eq!(
            EncryptionError::from_io(error).unwrap(),
            EncryptionError::ReadOnlyKeyring
        );
        for (text, expected) in [("{}", "no text 'path'"), ("x", "does not configure")] {
            std::fs::write(&file, text).unwrap();
            let error = Keyring::configured(&file).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
