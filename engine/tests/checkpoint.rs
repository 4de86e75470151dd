//! What a checkpoint takes of the memory of the process: alone in its own, for the system counts.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use engine::database::{Database, EngineOptions};

/// Bytes of the large transaction.
const LARGE: usize = 128 << 20;
/// What the checkpoint of it may take.
const MOST: u64 = 24 << 20;

/// The most memory that the process ever had, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    kib.parse::<u64>().unwrap() << 10
}

#[test]
fn a_checkpoint_of_a_large_transaction_takes_little_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weir.db");
    let database = Database::open(&path, EngineOptions::default()).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    let settings =
        "PRAGMA cache_size=-1024; PRAGMA wal_autocheckpoint=0; CREATE TABLE large (v BLOB)";
    other.execute_batch(settings).unwrap();
    other.execute_batch("BEGIN").unwrap();
    for _ in 0..LARGE >> 20 {
        other
            .execute("INSERT INTO large VALUES (zeroblob(1 << 20))", [])
            .unwrap();
    }
    other.execute_batch("COMMIT").unwrap();
    let wal = std::fs::metadata(path.with_extension("db-wal")).unwrap();
    assert!(wal.len() > LARGE as u64, "{wal:?}");
    let before = peak();
    database.checkpoint().unwrap();
    let taken = peak() - before;
    assert!(taken < MOST, "{} MiB", taken >> 20);
    assert_eq!(database.damaged_pages().unwrap(), [0_u64; 0]);
    let taken = peak() - before;
    assert!(taken < MOST, "{} MiB", taken >> 20);
}
