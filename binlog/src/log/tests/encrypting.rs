//! The same log on an encrypted disk: crashes, torn heads, rotated keys.

use std::path::Path;
use std::sync::Arc;

use super::crashing::{Boot, Booted, crash_chain, executed, recover_options, transaction};
use super::*;
use crate::log::encryption::{ENCRYPTED_MAGIC, EncryptionError, HEADER_LEN, Keyring};
use crate::log::storage::{read_small, write_all_at};

const UUID: &str = "97979797-0000-11f0-8000-000000000001";

fn keyring(storage: &SimStorage) -> Result<Keyring, LogError> {
    Keyring::open_in(
        Arc::new(storage.clone()),
        "keyring",
        Path::new("keyring"),
        false,
    )
    .map_err(|error| {
        LogError::io(
            "opening",
            "keyring",
            std::io::Error::other(error.to_string()),
        )
    })
}

fn start(storage: &SimStorage, on: bool) -> Result<Booted, LogError> {
    let fail = |error| LogError::io("starting the encryption of", "b", error);
    let encryption = LogEncryption::new(UUID.parse().unwrap(), Some(keyring(storage)?));
    let encrypted = encryption
        .storage(Arc::new(storage.clone()))
        .map_err(fail)?;
    encryption.recover().map_err(fail)?;
    encryption.switch(on).map_err(fail)?;
    Ok(Booted {
        storage: Arc::new(encrypted),
        encryption: on.then_some(encryption),
    })
}

fn encrypted(storage: &SimStorage, _: u64) -> Result<Booted, LogError> {
    start(storage, true)
}

/// Now on, now off.
fn mixed(storage: &SimStorage, choice: u64) -> Result<Booted, LogError> {
    start(storage, choice.is_multiple_of(2))
}

#[test]
fn an_encrypted_log_survives_a_chain_of_power_losses_and_key_rotations() {
    for seed in 0..600 {
        crash_chain(seed, CrashKind::Power, encrypted as Boot);
    }
}

#[test]
fn an_encrypted_log_survives_a_chain_of_killed_processes() {
    for seed in 0..200 {
        crash_chain(seed, CrashKind::Process, encrypted as Boot);
    }
}

#[test]
fn a_log_that_is_encrypted_in_some_lives_only_survives_the_same() {
    for seed in 0..300 {
        crash_chain(seed, CrashKind::Power, mixed as Boot);
    }
}

fn raw(storage: &SimStorage, name: &str) -> Vec<u8> {
    read_small(storage, name, 1 << 20).unwrap()
}

/// A log with `files` files of one transaction each.
fn log_of(storage: &SimStorage, files: u64) -> (LogWriter, Arc<LogEncryption>) {
    let Booted {
        storage,
        encryption,
    } = start(storage, true).unwrap();
    let index = LogIndex::load(storage.as_ref(), "b.index").unwrap();
    let mut log = LogWriter::create(storage, options(), index, &executed(0), 5).unwrap();
    for number in 1..=files {
        if number > 1 {
            log.rotate(&executed(number - 1), 6).unwrap();
        }
        let bytes = transaction(number, number * 100, 3, log.next_offset());
        log.append(&bytes).unwrap();
        log.sync().unwrap();
    }
    (log, encryption.unwrap())
}

#[test]
fn nothing_that_was_written_can_be_read_on_the_disk() {
    let storage = SimStorage::new(0);
    let (log, _) = log_of(&storage, 2);
    let end = log.end().offset;
    for name in ["b.000001", "b.000002"] {
        let bytes = raw(&storage, name);
        assert!(bytes.starts_with(&ENCRYPTED_MAGIC));
        let is_readable = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        assert!(!is_readable(b"BEGIN") && !is_readable(b"8.4.5-weir"));
    }
    let stored = log.storage().stored("b.000002").unwrap();
    assert_eq!(stored.bytes, end + HEADER_LEN as u64);
    assert!(stored.is_encrypted);
    assert_eq!(raw(&storage, "b.index"), b"./b.000001\n./b.000002\n");
}

#[test]
fn the_copy_of_a_torn_tail_is_encrypted_too() {
    let storage = SimStorage::new(0);
    let (mut log, _) = log_of(&storage, 1);
    let good = log.end().offset;
    let torn = transaction(2, 200, 5, log.next_offset());
    log.write(&torn[..torn.len() - 9]).unwrap();
    let storage = storage.crash(CrashKind::Process, 0);
    let shared = start(&storage, true).unwrap().storage;
    let found = recover(&shared, &recover_options()).unwrap().torn.unwrap();
    assert_eq!(found.at.offset, good);
    let copy = read_small(shared.as_ref(), &found.saved_as, 1 << 20).unwrap();
    assert_eq!(copy, torn[..torn.len() - 9]);
    assert!(raw(&storage, &found.saved_as).starts_with(&ENCRYPTED_MAGIC));
}

#[test]
fn a_rotated_key_locks_every_file_and_the_old_ones_are_gone() {
    let storage = SimStorage::new(0);
    let (mut log, encryption) = log_of(&storage, 3);
    let before = raw(&storage, "b.000001");
    encryption.begin_rotation().unwrap();
    log.rotate(&executed(3), 7).unwrap();
    encryption.finish_rotation().unwrap();
    let after = raw(&storage, "b.000001");
    assert_ne!(before[..HEADER_LEN], after[..HEADER_LEN]);
    assert_eq!(
        before[HEADER_LEN..],
        after[HEADER_LEN..],
        "only the header changes"
    );
    let keys = keyring(&storage).unwrap();
    let name = |suffix: &str| format!("MySQLReplicationKey_{UUID}{suffix}");
    let has = |suffix: &str| keys.keys().keyring_key(&name(suffix)).is_some();
    assert!(!has("_1") && has("_2") && has("") && has("_last_purged") && !has("_new"));
    for number in 1..=4 {
        types(log.storage().as_ref(), &LogFileName::new("b", number));
    }
}

#[test]
fn a_rotation_that_stops_anywhere_is_finished_by_the_next_start() {
    for operations in 0..90 {
        for seed in 0..3 {
            let storage = SimStorage::new(seed);
            let (mut log, encryption) = log_of(&storage, 4);
            storage.stop_after(operations);
            let result = encryption
                .begin_rotation()
                .map_err(|error| LogError::io("rotating", "b", error))
                .and_then(|()| log.rotate(&executed(4), 7))
                .and_then(|()| {
                    let fail = |error| LogError::io("rotating", "b", error);
                    encryption.finish_rotation().map_err(fail)
                });
            let storage = storage.crash(CrashKind::Power, seed);
            let shared = start(&storage, true).unwrap().storage;
            let found = recover(&shared, &recover_options()).unwrap();
            assert_eq!(found.gtid_executed, executed(4), "{operations} {result:?}");
            for file in found.index.files() {
                types(shared.as_ref(), file);
            }
            let names = storage.list().unwrap();
            assert!(
                names.iter().all(|name| !name.contains("reencrypt")),
                "{names:?}"
            );
            let keys = keyring(&storage).unwrap();
            let rotating = format!("MySQLReplicationKey_{UUID}_new");
            assert_eq!(keys.keys().keyring_key(&rotating), None);
        }
    }
}

#[test]
fn a_rotation_that_failed_may_be_begun_again() {
    let storage = SimStorage::new(0);
    let (mut log, encryption) = log_of(&storage, 3);
    encryption.begin_rotation().unwrap();
    storage.fail_writes(1);
    encryption.finish_rotation().unwrap_err();
    encryption.begin_rotation().unwrap();
    log.rotate(&executed(3), 7).unwrap();
    encryption.finish_rotation().unwrap();
    for file in log.index().files() {
        types(log.storage().as_ref(), file);
    }
}

#[test]
fn damage_of_an_encryption_header_is_refused_with_its_file() {
    let fields = 4 + 1 + 2 + 58 + 1 + 32 + 1 + 16;
    for at in 0..fields {
        let storage = SimStorage::new(0);
        log_of(&storage, 1);
        storage.damage("b.000001", at, 0x40).unwrap();
        let shared = start(&storage, true).unwrap().storage;
        let error = recover(&shared, &recover_options()).unwrap_err();
        assert!(matches!(error, LogError::Corrupt(_)), "{at}: {error}");
    }
}

#[test]
fn another_keyring_never_takes_a_log_for_an_unborn_one() {
    let storage = SimStorage::new(0);
    log_of(&storage, 2);
    storage.remove("b.index").unwrap();
    storage.remove("keyring").unwrap();
    let shared = start(&storage, true).unwrap().storage;
    let error = recover(&shared, &recover_options())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is not a log: the key given here"),
        "{error}"
    );
    assert_eq!(
        storage
            .list()
            .unwrap()
            .iter()
            .filter(|name| name.starts_with("b.0"))
            .count(),
        2
    );
}

#[test]
fn a_full_disk_leaves_no_half_begun_file() {
    let storage = SimStorage::new(0);
    let (mut log, _) = log_of(&storage, 1);
    storage.set_space(Some(300));
    let error = log.rotate(&executed(1), 7).unwrap_err();
    assert!(error.is_no_space(), "{error}");
    assert!(!storage.list().unwrap().contains(&"b.000002".to_owned()));
    storage.set_space(None);
    let bytes = transaction(2, 200, 1, log.next_offset());
    log.append(&bytes).unwrap();
    log.rotate(&executed(2), 8).unwrap();
}

#[test]
fn a_server_without_a_keyring_cannot_encrypt_and_says_what_is_missing() {
    let encryption = LogEncryption::new(UUID.parse().unwrap(), None);
    for result in [encryption.switch(true), encryption.begin_rotation()] {
        let error = EncryptionError::from_io(result.unwrap_err()).unwrap();
        assert_eq!(error, EncryptionError::NoKeyring);
    }
    encryption.switch(false).unwrap();
}

#[test]
fn keys_of_others_in_the_keyring_stay_as_they_are() {
    let storage = SimStorage::new(0);
    let other = r#"{"version":"1.0","elements":[{"user":"u","data_id":"InnoDBKey","data_type":"RSA","data":"0A","extension":[]}]}"#;
    let file = storage.create("keyring").unwrap();
    write_all_at(file.as_ref(), 0, other.as_bytes()).unwrap();
    log_of(&storage, 1);
    let text = String::from_utf8(raw(&storage, "keyring")).unwrap();
    assert!(
        text.contains("InnoDBKey") && text.contains("RSA") && text.contains(UUID),
        "{text}"
    );
    assert_eq!(
        keyring(&storage)
            .unwrap()
            .keys()
            .keyring_key("InnoDBKey")
            .unwrap()
            .bytes(),
        [10]
    );
}
