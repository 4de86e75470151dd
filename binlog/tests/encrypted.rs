//! Encrypted logs of real servers, read with their keys: byte by byte what the decrypted copies
//! hold, in whatever pieces they are read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use std::path::Path;

use binlog::log::encryption::{Keys, decrypted};
use binlog::log::{Damage, LogError, LogFileName, LogReader, OsStorage, ReadOptions, Storage as _};
use corpora::Case;

fn keys_of(case: &Case) -> Keys {
    if case.needs_file_keys() {
        Keys::load_file_keys(case.file_keys()).unwrap()
    } else {
        Keys::load_keyring(case.keyring()).unwrap()
    }
}

fn encrypted_cases() -> Vec<Case> {
    let mut cases = corpora::cases();
    cases.retain(|case| case.name.starts_with("encrypted"));
    assert_eq!(cases.len(), 7);
    cases
}

fn open(path: &Path, keys: &Keys) -> Result<LogReader, LogError> {
    let storage = OsStorage::new(path.parent().unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = storage.open_read(name).unwrap();
    let options = ReadOptions {
        keys: keys.clone(),
        ..ReadOptions::default()
    };
    LogReader::over_with(file, LogFileName::parse(name).unwrap(), &options)
}

/// Type code, offset and announced end of every event, checksums verified.
fn events(path: &Path, keys: &Keys) -> Vec<(u64, u8, u64)> {
    let mut reader = open(path, keys).unwrap();
    let mut found = Vec::new();
    while reader.advance(None).unwrap() {
        let (offset, event) = reader.current().unwrap();
        let header = event.header;
        found.push((offset, header.event_type.0, u64::from(header.end_log_pos)));
    }
    found
}

#[test]
fn files_that_mysql_encrypted_decrypt_to_their_plain_copies() {
    let mut compared = 0;
    for case in encrypted_cases().iter().filter(|case| !case.is_mariadb()) {
        let keys = keys_of(case);
        for (path, plain) in case.files().iter().zip(case.plain_files()) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let file = OsStorage::new(&case.folder).open_read(name).unwrap();
            let file = decrypted(file, &keys).unwrap();
            let expected = std::fs::read(plain).unwrap();
            assert_eq!(file.len().unwrap(), expected.len() as u64);
            for step in [1, 7, 16, 4096] {
                let mut found: Vec<u8> = Vec::new();
                let mut buffer = vec![0; step];
                loop {
                    let read = file.read_at(found.len() as u64, &mut buffer).unwrap();
                    if read == 0 {
                        break;
                    }
                    found.extend(&buffer[..read]);
                }
                assert_eq!(found, expected, "{} {name} by {step}", case.label());
            }
            compared += 1;
        }
    }
    assert_eq!(compared, 8);
}

#[test]
fn every_encrypted_file_holds_the_events_that_its_server_lists() {
    for case in encrypted_cases() {
        let keys = keys_of(&case);
        let list = case.event_list().unwrap();
        for path in case.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let found: Vec<u64> = events(&path, &keys).iter().map(|event| event.0).collect();
            let listed: Vec<u64> = list
                .iter()
                .filter(|row| row[0] == name)
                .map(|row| row[1].parse().unwrap())
                .collect();
            assert!(!listed.is_empty());
            assert_eq!(found, listed, "{} {name}", case.label());
        }
    }
}

#[test]
fn a_file_that_mariadb_encrypted_reads_the_same_in_pieces_of_any_size_and_order() {
    for case in encrypted_cases().iter().filter(|case| case.is_mariadb()) {
        let keys = keys_of(case);
        for path in case.files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let open = || {
                let file = OsStorage::new(&case.folder).open_read(name).unwrap();
                decrypted(file, &keys).unwrap()
            };
            let len = usize::try_from(open().len().unwrap()).unwrap();
            let read = |file: &dyn binlog::log::StorageFile, at: usize, len: usize| {
                let mut part = vec![0; len];
                let mut filled = 0;
                while filled < len {
                    let read = file
                        .read_at((at + filled) as u64, &mut part[filled..])
                        .unwrap();
                    if read == 0 {
                        break;
                    }
                    filled += read;
                }
                part.truncate(filled);
                part
            };
            let whole = read(open().as_ref(), 0, len);
            assert_eq!(whole.len(), len);
            for step in [1, 3, 16, 19, 64, 1000] {
                let forward = open();
                let backward = open();
                for at in (0..len).step_by(step) {
                    let end = (at + step).min(len);
                    assert_eq!(read(forward.as_ref(), at, step), whole[at..end]);
                    let (at, end) = (len - end, len - at);
                    assert_eq!(read(backward.as_ref(), at, end - at), whole[at..end]);
                }
            }
        }
    }
}

#[test]
fn a_missing_or_wrong_key_of_mariadb_is_told() {
    for case in encrypted_cases().iter().filter(|case| case.is_mariadb()) {
        let path = &case.files()[0];
        let error = open(path, &Keys::default()).unwrap_err();
        assert!(error.to_string().contains("--file-key FILE"), "{error}");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.txt");
        std::fs::write(&file, "1;00000000000000000000000000000000\n").unwrap();
        let error = open(path, &Keys::load_file_keys(&file).unwrap()).unwrap_err();
        let LogError::Corrupt(corrupt) = &error else {
            panic!("{error}")
        };
        assert!(matches!(corrupt.damage, Damage::Encryption(_)), "{error}");
        assert!(error.to_string().contains("not the one"), "{error}");
    }
}

/// Splitmix64.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

#[test]
fn damaged_encrypted_files_end_in_an_error_or_at_their_end() {
    let mut choices = Choices(1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("binlog.000001");
    let mut refused = 0;
    for case in encrypted_cases() {
        let keys = keys_of(&case);
        let good = std::fs::read(&case.files()[0]).unwrap();
        for _ in 0..300 {
            let mut bytes = good.clone();
            for _ in 0..=choices.below(3) {
                // Heads, where lengths and keys are, are hit as often as all the rest.
                let reach = [600, bytes.len()][choices.below(2)].min(bytes.len());
                bytes[choices.below(reach)] ^= 1 << choices.below(8);
            }
            bytes.truncate(bytes.len() - choices.below(3) * choices.below(40));
            std::fs::write(&path, &bytes).unwrap();
            refused += usize::from(match open(&path, &keys) {
                Err(_) => true,
                Ok(mut reader) => loop {
                    match reader.advance(None) {
                        Ok(true) => {}
                        Ok(false) => break false,
                        Err(_) => break true,
                    }
                },
            });
        }
    }
    assert!(refused > 1000, "{refused} of 2100");
}
