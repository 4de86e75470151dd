//! Every event of the corpora: the list that the server itself printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use std::collections::BTreeMap;
use std::fs;

use binlog::event::{EventHeader, EventType, FIRST_EVENT_OFFSET};

#[test]
fn sizes_walk_every_file_as_the_server_lists_it() {
    let mut listed = 0;
    for case in corpora::cases() {
        let Some(list) = case.event_list() else {
            assert_eq!(case.name, "large_commit_rename");
            continue;
        };
        let mut by_file: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        for event in &list {
            let positions = by_file.entry(&event[0]).or_default();
            let position = event[1].parse().unwrap();
            // Events inside a compressed transaction are listed at its position.
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
        if case.needs_file_keys() {
            continue;
        }
        for path in case.plain_files() {
            let name = path.file_name().unwrap().to_str().unwrap();
            let Some(expected) = by_file.get(name) else {
                continue;
            };
            let bytes = fs::read(&path).unwrap();
            let mut offset = usize::try_from(FIRST_EVENT_OFFSET).unwrap();
            let mut found = Vec::new();
            while offset < bytes.len() {
                let header = EventHeader::decode(&bytes[offset..]).unwrap();
                // The shutdown came after the list was taken.
                if header.event_type != EventType::STOP || expected.contains(&(offset as u64)) {
                    found.push(offset as u64);
                }
                offset += usize::try_from(header.event_size).unwrap();
            }
            assert_eq!(&found, expected, "{} {name}", case.label());
            listed += found.len();
        }
    }
    assert!(listed > 13_500, "{listed}");
}
