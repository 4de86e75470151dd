//! Keys of encrypted logs, read from the files in which the servers keep them.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::value::json::{self, JsonValue};

/// A file of keys larger than this is none.
pub(super) const KEY_FILE_BYTES_MAX: u64 = 16 << 20;

/// What OpenSSL's `enc` puts in front of what it encrypted with a password.
const OPENSSL_SALTED: &[u8] = b"Salted__";

/// The bytes of a key. They are never printed and are wiped when the last owner goes.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<Vec<u8>>>);

impl Secret {
    /// Takes `bytes` as a key.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// The key itself.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// The keys that a reader of encrypted logs was given; the default are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// MySQL's keys by their name in the keyring.
    keyring: BTreeMap<String, Secret>,
    /// MariaDB's keys by their number.
    numbered: BTreeMap<u32, Secret>,
    warnings: Vec<String>,
}

impl Keys {
    /// Reads a keyring of MySQL's `component_keyring_file`.
    ///
    /// The file is a JSON object `{"version": "1.0", "elements": [{"user", "data_id", "data_type",
    /// "data": hex, "extension"}]}`.
    pub fn load_keyring(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let (text, warnings) = read_key_file(path)?;
        let keys = Self::parse_keyring(path, &text)?;
        Ok(Self { warnings, ..keys })
    }

    /// Takes the text of such a keyring, which errors call `path`.
    pub fn parse_keyring(path: &Path, text: &[u8]) -> Result<Self, KeyFileError> {
        parse_keyring(path, text).map(|(_, keys)| keys)
    }

    /// Reads a key file of MariaDB's `file_key_management`: lines `number;hex`, of which the last
    /// with a number counts; what follows a `#` is a comment. Keys have 16, 24 or 32 bytes.
    pub fn load_file_keys(path: impl AsRef<Path>) -> Result<Self, KeyFileError> {
        let path = path.as_ref();
        let (text, warnings) = read_key_file(path)?;
        let keys = Self::parse_file_keys(path, &text)?;
        Ok(Self { warnings, ..keys })
    }

    /// Takes the text of such a key file, which errors call `path`.
    pub fn parse_file_keys(path: &Path, text: &[u8]) -> Result<Self, KeyFileError> {
        let mut keys = Self::default();
        if text.starts_with(OPENSSL_SALTED) {
            return Err(KeyFileError::Encrypted {
                file: path.to_owned(),
            });
        }
        for (at, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let bad = |what| KeyFileError::bad_line(path, at.saturating_add(1), what);
            if let Some((number, secret)) = parse_numbered(line).map_err(bad)? {
                keys.numbered.insert(number, secret);
            }
        }
        Ok(keys)
    }

    /// Adds a key that MySQL's keyring calls `name`.
    #[must_use]
    pub fn with_keyring_key(mut self, name: &str, key: Secret) -> Self {
        self.keyring.insert(name.to_owned(), key);
        self
    }

    /// Adds the keys of `other`, which win where both have one of the same name.
    #[must_use]
    pub fn with(mut self, other: Self) -> Self {
        self.keyring.extend(other.keyring);
        self.numbered.extend(other.numbered);
        self.warnings.extend(other.warnings);
        self
    }

    /// The key that MySQL's keyring calls `name`.
    #[must_use]
    pub fn keyring_key(&self, name: &str) -> Option<&Secret> {
        self.keyring.get(name)
    }

    /// The key that MariaDB's key file numbers `number`.
    #[must_use]
    pub fn numbered_key(&self, number: u32) -> Option<&Secret> {
        self.numbered.get(&number)
    }

    /// Names of the keys of MySQL's keyrings.
    pub(super) fn keyring_names(&self) -> impl Iterator<Item = &str> {
        self.keyring.keys().map(String::as_str)
    }

    /// Replaces a key of MySQL's keyring, or removes it.
    pub(super) fn set_keyring_key(&mut self, name: &str, key: Option<Secret>) {
        match key {
            Some(key) => self.keyring.insert(name.to_owned(), key),
            None => self.keyring.remove(name),
        };
    }

    /// Adds a warning if everybody can read the keys' file.
    pub(super) fn warn_if_public(mut self, path: &Path) -> Self {
        if let Ok(metadata) = path.metadata() {
            self.warnings.extend(public_warning(path, &metadata));
        }
        self
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keyring.is_empty() && self.numbered.is_empty()
    }

    /// What the operator should be told about the files: keys that anybody can read.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// The elements of a keyring's text, and their keys.
pub(super) fn parse_keyring(
    path: &Path,
    text: &[u8],
) -> Result<(Vec<JsonValue>, Keys), KeyFileError> {
    let bad = |what: &'static str| KeyFileError::NotAKeyring {
        file: path.to_owned(),
        what,
    };
    let text = std::str::from_utf8(text).map_err(|_| bad("it is not UTF-8 text"))?;
    let root = json::parse(text).map_err(|error| bad(error.message))?;
    match json::text_member(&root, "version") {
        Some("1.0") => {}
        Some(_) => return Err(bad("its version is not 1.0")),
        None => return Err(bad("it is no JSON object with a version")),
    }
    let Some(JsonValue::Array(elements)) = json::member(&root, "elements") else {
        return Err(bad("it has no array 'elements'"));
    };
    let mut keys = Keys::default();
    for element in elements {
        let name = json::text_member(element, "data_id");
        let name = name.ok_or_else(|| bad("an element has no 'data_id'"))?;
        let data = json::text_member(element, "data").and_then(|data| from_hex(data.as_bytes()));
        let secret = data.ok_or_else(|| bad("an element's 'data' is not hexadecimal"))?;
        keys.keyring.insert(name.to_owned(), secret);
    }
    Ok((elements.clone(), keys))
}

/// A line of a key file; `None` if it holds no key.
fn parse_numbered(line: &[u8]) -> Result<Option<(u32, Secret)>, &'static str> {
    let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
    let line = line.trim_ascii();
    if line.is_empty() {
        return Ok(None);
    }
    let at = line
        .iter()
        .position(|&byte| byte == b';')
        .ok_or("it is not of the form 'number;hexadecimal key'")?;
    let (number, key) = line.split_at_checked(at).unwrap_or_default();
    let number = std::str::from_utf8(number.trim_ascii())
        .ok()
        .and_then(|number| number.parse().ok())
        .filter(|&number: &u32| number > 0)
        .ok_or("the key's number is not between 1 and 4294967295")?;
    let key = key.get(1..).unwrap_or_default().trim_ascii();
    let secret = from_hex(key).ok_or("the key is not hexadecimal")?;
    match secret.bytes().len() {
        16 | 24 | 32 => Ok(Some((number, secret))),
        _ => Err("the key has not 16, 24 or 32 bytes"),
    }
}

fn from_hex(text: &[u8]) -> Option<Secret> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    for pair in text.chunks(2) {
        let [high, low] = pair else { return None };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let value = digit(high)? * 16 + digit(low)?;
        bytes.push(u8::try_from(value).ok()?);
    }
    Some(Secret::new(bytes))
}

/// Reads a file of keys; and a warning if others than its owner and group can do the same.
fn read_key_file(path: &Path) -> Result<(Zeroizing<Vec<u8>>, Vec<String>), KeyFileError> {
    let fail = |source| KeyFileError::Io {
        file: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(fail)?;
    let metadata = file.metadata().map_err(fail)?;
    if metadata.len() > KEY_FILE_BYTES_MAX {
        let kind = io::ErrorKind::FileTooLarge;
        return Err(fail(io::Error::new(kind, "too large for a file of keys")));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(KEY_FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .map_err(fail)?;
    Ok((bytes, public_warning(path, &metadata)))
}

fn public_warning(path: &Path, metadata: &Metadata) -> Vec<String> {
    let mode = PermissionsExt::mode(&metadata.permissions());
    if mode & 0o004 == 0 {
        return Vec::new();
    }
    vec![format!(
        "the key file {} can be read by every user (mode {:04o}); 0600 is enough",
        path.display(),
        mode & 0o7777
    )]
}

/// Why a file of keys could not be used. No variant holds a part of a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum KeyFileError {
    /// The machine refused to read or write it.
    Io {
        /// The file.
        file: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// It is no keyring of `component_keyring_file`.
    NotAKeyring {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// The configuration that names a keyring cannot be read.
    BadConfiguration {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
    /// A line is none of `file_key_management`.
    BadLine {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The file is encrypted with a password itself (`file_key_management_filekey`).
    Encrypted {
        /// The file.
        file: PathBuf,
    },
}

impl KeyFileError {
    fn bad_line(file: &Path, line: usize, what: &'static str) -> Self {
        Self::BadLine {
            file: file.to_owned(),
            line,
            what,
        }
    }
}

impl fmt::Display for KeyFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { file, source } => {
                write!(
                    f,
                    "the key file {} cannot be used: {source}",
                    file.display()
                )
            }
            Self::NotAKeyring { file, what } => write!(
                f,
                "{} is not a keyring of component_keyring_file: {what}",
                file.display()
            ),
            Self::BadConfiguration { file, what } => write!(
                f,
                "{} does not configure component_keyring_file: {what}",
                file.display()
            ),
            Self::BadLine { file, line, what } => {
                write!(f, "line {line} of the key file {}: {what}", file.display())
            }
            Self::Encrypted { file } => write!(
                f,
                "the key file {} is encrypted with a password (file_key_management_filekey), \
                 which is not supported; decrypt it first with 'openssl enc -d -aes-256-cbc -md \
                 sha1 -pass file:PASSWORDFILE -in {}'",
                file.display(),
                file.display()
            ),
        }
    }
}

impl std::error::Error for KeyFileError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_file<T>(text: &[u8], read: impl FnOnce(&Path) -> T) -> T {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys");
        std::fs::write(&path, text).unwrap();
        read(&path)
    }

    const KEYRING: &[u8] = br#"{"version":"1.0","elements":[{"user":"","data_id":"K_1",
        "data_type":"AES","data":"00ffA0","extension":[]}]}"#;

    #[test]
    fn reads_a_keyring_and_never_prints_it() {
        let keys = in_file(KEYRING, |path| Keys::load_keyring(path)).unwrap();
        assert_eq!(keys.keyring_key("K_1").unwrap().bytes(), [0, 255, 160]);
        assert_eq!(keys.keyring_key("K_2"), None);
        // The warning names the file, whose random name may hold anything.
        let keys = Keys {
            warnings: Vec::new(),
            ..keys
        };
        let printed = format!("{keys:?}").to_lowercase();
        assert!(printed.contains("3 bytes"), "{printed}");
        assert!(
            !printed.contains("ff") && !printed.contains("255"),
            "{printed}"
        );
    }

    #[test]
    fn refuses_what_is_no_keyring_and_says_why() {
        for (text, expected) in [
            (&b"{"[..], "not a keyring"),
            (b"[]", "no JSON object with a version"),
            (br#"{"version":"2.0","elements":[]}"#, "version is not 1.0"),
            (br#"{"version":"1.0"}"#, "no array 'elements'"),
            (br#"{"version":"1.0","elements":[{}]}"#, "no 'data_id'"),
            (
                br#"{"version":"1.0","elements":[{"data_id":"a","data":"0"}]}"#,
                "not hexadecimal",
            ),
            (b"\xff", "not UTF-8"),
        ] {
            let error = in_file(text, |path| Keys::load_keyring(path)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn reads_numbered_keys_with_comments_and_spaces() {
        let text = b"# keys\n\n 1 ; 000102030405060708090a0b0c0d0e0f # one\n\
            7;000000000000000000000000000000000000000000000000\r\n1;FF0102030405060708090a0b0c0d0e0f";
        let keys = in_file(text, |path| Keys::load_file_keys(path)).unwrap();
        assert_eq!(keys.numbered_key(1).unwrap().bytes().first(), Some(&255));
        assert_eq!(keys.numbered_key(7).unwrap().bytes().len(), 24);
        assert_eq!(keys.numbered_key(2), None);
    }

    #[test]
    fn refuses_a_bad_line_with_its_number() {
        for (line, expected) in [
            (&b"x"[..], "number;hexadecimal"),
            (b"0;00", "between 1 and"),
            (b"4294967296;00", "between 1 and"),
            (b"1;0g", "not hexadecimal"),
            (b"1;00", "16, 24 or 32"),
        ] {
            let text = [b"# first\n", line].concat();
            let error = in_file(&text, |path| Keys::load_file_keys(path)).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("line 2") && text.contains(expected), "{text}");
        }
    }

    #[test]
    fn refuses_a_key_file_that_is_encrypted_itself() {
        let error = in_file(b"Salted__12345678", |path| Keys::load_file_keys(path)).unwrap_err();
        assert!(
            error.to_string().contains("file_key_management_filekey"),
            "{error}"
        );
    }

    #[test]
    fn warns_of_a_key_file_that_everybody_can_read() {
        let warn = |mode| {
            in_file(KEYRING, |path| {
                let mode = PermissionsExt::from_mode(mode);
                std::fs::set_permissions(path, mode).unwrap();
                Keys::load_keyring(path).unwrap().warnings().to_vec()
            })
        };
        assert_eq!(warn(0o600), Vec::<String>::new());
        assert!(warn(0o644).first().unwrap().contains("mode 0644"));
    }
}
