//! Damaged heads, wrong keys and single bytes of encrypted files. Whole files of real servers are
//! read in `tests/encrypted.rs`.

use super::super::storage::{SimStorage, Storage, write_all_at};
use super::*;

const UUID_KEY: &str = "MySQLReplicationKey_97979797-0000-11f0-8000-000000000001_1";

fn keys(name: &str, byte: u8) -> Keys {
    Keys::default().with_keyring_key(name, Secret::new(vec![byte; 32]))
}

/// An encrypted file with `content`, under the key `UUID_KEY` of bytes 7.
fn encrypted(content: &[u8]) -> Vec<u8> {
    let password = header::new_password().unwrap();
    let header = EncryptionHeader::lock(UUID_KEY, &Secret::new(vec![7; 32]), &password).unwrap();
    let mut bytes = header.encode();
    let mut content = content.to_vec();
    file::StreamCipher::new(&password)
        .apply(0, &mut content)
        .unwrap();
    bytes.append(&mut content);
    bytes
}

fn in_storage(bytes: &[u8]) -> Box<dyn StorageFile> {
    let file = SimStorage::new(0).create("file").unwrap();
    write_all_at(file.as_ref(), 0, bytes).unwrap();
    file
}

fn error_of(bytes: &[u8], keys: &Keys) -> EncryptionError {
    let error = decrypted(in_storage(bytes), keys).map(|_| ()).unwrap_err();
    EncryptionError::from_io(error).unwrap()
}

#[test]
fn any_part_of_an_encrypted_file_is_read_and_written_on_its_own() {
    let mut content = MAGIC.to_vec();
    content.extend((0..5000_u32).flat_map(u32::to_le_bytes));
    let file = decrypted(in_storage(&encrypted(&content)), &keys(UUID_KEY, 7)).unwrap();
    assert_eq!(file.len().unwrap(), content.len() as u64);
    for (offset, len) in [
        (0, 4),
        (3, 1),
        (15, 2),
        (16, 16),
        (777, 4097),
        (20_000, 100),
    ] {
        let mut part = vec![0; len];
        let read = read_full_at(file.as_ref(), offset as u64, &mut part).unwrap();
        assert_eq!(
            part[..read],
            content[offset..(offset + len).min(content.len())]
        );
    }
    write_all_at(file.as_ref(), 21, &[9]).unwrap();
    write_all_at(file.as_ref(), content.len() as u64, b"more").unwrap();
    content[21] = 9;
    content.extend(b"more");
    let mut all = vec![0; content.len()];
    read_full_at(file.as_ref(), 0, &mut all).unwrap();
    assert_eq!(all, content);
    file.truncate(10).unwrap();
    assert_eq!(file.len().unwrap(), 10);
}

#[test]
fn a_key_that_is_not_given_is_named_with_the_option_that_gives_it() {
    let error = error_of(&encrypted(&MAGIC), &keys("another", 7));
    let key = UUID_KEY.to_owned();
    assert_eq!(error, EncryptionError::MissingKey { key });
    assert!(error.to_string().contains("--keyring FILE"), "{error}");
}

#[test]
fn another_key_of_the_same_name_is_recognised() {
    let error = error_of(&encrypted(&MAGIC), &keys(UUID_KEY, 8));
    assert!(
        matches!(error, EncryptionError::WrongKey { .. }),
        "{error:?}"
    );
}

#[test]
fn damaged_headers_are_refused_with_what_is_wrong() {
    let keys = keys(UUID_KEY, 7);
    let good = encrypted(&MAGIC);
    for len in [4, 5, 100, 511] {
        let available = len as u64;
        assert_eq!(
            error_of(&good[..len], &keys),
            EncryptionError::TruncatedHeader { available }
        );
    }
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        error_of(&bytes, &keys)
    };
    assert_eq!(with(4, 2), EncryptionError::UnknownVersion { version: 2 });
    let password_at = 7 + UUID_KEY.len();
    assert_eq!(
        with(password_at, 9),
        EncryptionError::UnknownField {
            field: 9,
            offset: password_at
        }
    );
    assert_eq!(
        with(password_at, 0),
        EncryptionError::MissingField {
            field: "file password"
        }
    );
    assert_eq!(
        with(6, 0),
        EncryptionError::MissingField {
            field: "name of the master key"
        }
    );
    assert_eq!(with(7, 0xff), EncryptionError::BadKeyName);
}

#[test]
fn a_key_of_a_wrong_length_is_refused() {
    let keys = Keys::default().with_keyring_key(UUID_KEY, Secret::new(vec![7; 16]));
    let error = error_of(&encrypted(&MAGIC), &keys);
    assert!(
        matches!(error, EncryptionError::BadKeyLength { bytes: 16, .. }),
        "{error:?}"
    );
}

#[test]
fn files_that_nobody_encrypted_pass_as_they_are() {
    for bytes in [&b""[..], b"\xfe", b"\xfebin", b"no log at all"] {
        let file = decrypted(in_storage(bytes), &Keys::default()).unwrap();
        assert_eq!(file.len().unwrap(), bytes.len() as u64);
    }
}
