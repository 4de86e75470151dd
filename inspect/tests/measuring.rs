//! The depths at which a log is measured see the same log.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use binlog::limits::Limits;
use binlog::log::{LogFileName, LogReader, OsStorage};
use inspect::measure::{Counts, Depth, read};

#[test]
fn every_depth_finds_the_same_events_and_rows() {
    let mut all = Counts::default();
    for case in corpora::cases() {
        // Its TIME and DATETIME columns cannot be decoded from the log alone.
        if case.name == "dates_old_temporal" {
            continue;
        }
        for file in case.plain_files() {
            let storage = OsStorage::new(file.parent().unwrap());
            let name = LogFileName::parse(&file.file_name().unwrap().to_string_lossy()).unwrap();
            let [_, scan, borrowed, owned] = Depth::ALL.map(|depth| {
                let reader = LogReader::open(&storage, &name);
                reader.and_then(|reader| read(reader, depth, &Limits::default()))
            });
            let Ok(scan) = scan else {
                assert!(
                    case.label().contains("encrypted"),
                    "{}: {scan:?}",
                    case.label()
                );
                continue;
            };
            assert_eq!(scan, borrowed.unwrap(), "{}", case.label());
            assert_eq!(scan, owned.unwrap(), "{}", case.label());
            all.rows += scan.rows;
        }
    }
    assert!(all.rows > 20_000, "{all:?}");
}
