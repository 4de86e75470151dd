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
use std::path::PathBuf;

use binlog::event::{Event, EventType};
use corpora::open;
use corpora::walk::{self, Walked};

/// Rows of all `show_binlog_events.tsv`.
const EVENTS_LISTED: usize = 14_414;

/// Events in all files of all archives, those in payloads included.
const EVENTS_ENCODED: usize = 17_264;

/// One event as SHOW BINLOG EVENTS lists it.
#[derive(Debug, PartialEq, Eq)]
struct Listed {
    file: String,
    position: u64,
    event_type: String,
    server_id: u32,
    end: u64,
}

#[test]
fn the_stream_shows_the_events_that_the_server_lists() {
    let mut listed = 0;
    for case in corpora::cases() {
        let Some(rows) = case.event_list() else {
            // Of this one only the files were kept.
            assert_eq!(case.name, "large_commit_rename");
            continue;
        };
        let mut expected = rows.iter().map(|row| Listed {
            file: row[0].clone(),
            position: row[1].parse().unwrap(),
            event_type: row[2].clone(),
            server_id: row[3].parse().unwrap(),
            end: row[4].parse().unwrap(),
        });
        let mut next = expected.next();
        for path in case.files() {
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            if next.as_ref().is_none_or(|next| next.file != file) {
                // Created after the list was taken.
                continue;
            }
            let mut stream = open::stream(&path, open::keys(&case));
            while stream.advance().unwrap() {
                let event = stream.current().unwrap();
                let header = event.raw.header;
                let is_inner = event.place.inner.is_some();
                let found = Listed {
                    file: file.clone(),
                    // What is inside a payload is listed at the payload's end.
                    position: if is_inner {
                        event.place.end
                    } else {
                        event.place.offset
                    },
                    event_type: header.event_type.show_name().to_owned(),
                    server_id: header.server_id,
                    end: if is_inner {
                        event.place.end
                    } else {
                        header.end_log_pos.into()
                    },
                };
                if header.event_type == EventType::STOP
                    && next.as_ref().is_none_or(|next| next.file != file)
                {
                    // The shutdown came after the list was taken.
                    continue;
                }
                let label = case.label();
                assert_eq!(Some(&found), next.as_ref(), "{label}");
                next = expected.next();
                listed += 1;
            }
        }
        assert_eq!(next, None, "{}", case.label());
    }
    println!("{listed} events are as the servers list them");
    assert_eq!(listed, EVENTS_LISTED);
}

/// Every plain file of the corpora, with its name for messages.
fn files() -> Vec<(String, Vec<u8>)> {
    let mut paths = Vec::new();
    for case in corpora::cases() {
        if !case.needs_file_keys() {
            paths.extend(case.plain_files());
        }
    }
    paths.extend(corpora::samples().into_iter().map(|sample| sample.path));
    paths.extend(corpora::relay_logs());
    let named = |path: PathBuf| {
        let name = path.strip_prefix(corpora::root()).unwrap();
        (name.display().to_string(), fs::read(&path).unwrap())
    };
    paths.into_iter().map(named).collect()
}

#[test]
fn every_event_encodes_back_to_its_bytes() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (name, file) in files() {
        for event in walk::events(&file) {
            let mut check = |event: &Walked<'_>, place: String| {
                let label = event.raw.header.event_type.label().into_owned();
                *counts.entry(label.clone()).or_default() += 1;
                if let Err(message) = survives(event) {
                    let first = || (0, format!("{place}: {message}"));
                    wrong.entry(label).or_insert_with(first).0 += 1;
                }
            };
            check(&event, format!("{name} {}", event.offset));
            if event.raw.header.event_type == EventType::TRANSACTION_PAYLOAD {
                for inner in walk::inner_events(&walk::inflate(&event)) {
                    check(
                        &inner,
                        format!("{name} {} + {}", event.offset, inner.offset),
                    );
                }
            }
        }
    }
    for case in corpora::cases()
        .iter()
        .filter(|case| case.needs_file_keys())
    {
        for path in case.files() {
            let mut stream = open::stream(&path, open::keys(case));
            while stream.advance().unwrap() {
                let event = stream.current().unwrap();
                let (offset, raw, format) = (event.place.offset, event.raw, event.format);
                let label = raw.header.event_type.label().into_owned();
                *counts.entry(label.clone()).or_default() += 1;
                if let Err(message) = survives(&Walked {
                    offset,
                    raw,
                    format,
                }) {
                    let first = || (0, format!("{} {offset}: {message}", case.label()));
                    wrong.entry(label).or_insert_with(first).0 += 1;
                }
            }
        }
    }
    println!("{counts:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(counts.values().sum::<usize>(), EVENTS_ENCODED);
}

/// The event decodes, and encodes to the same bytes, checksum included.
fn survives(event: &Walked<'_>) -> Result<(), String> {
    let decoded = Event::decode(&event.raw, event.format).map_err(|error| error.to_string())?;
    if decoded.event_type() != event.raw.header.event_type {
        return Err(format!("became {:?}", decoded.event_type()));
    }
    // A code of Amazon Aurora, which documents nothing of it.
    if matches!(decoded, Event::Other { .. }) && event.raw.header.event_type != EventType(100) {
        return Err("not decoded".to_owned());
    }
    let mut body = Vec::new();
    decoded.encode(&mut body);
    let before = event.raw.body(event.format).unwrap();
    if body != before {
        return Err(format!("{before:02x?} became {body:02x?} by {decoded:?}"));
    }
    let mut again = Vec::new();
    let encode = |out: &mut Vec<u8>| decoded.encode(out);
    event.raw.reframe(&mut again, event.format, encode);
    let has_checksum = event.raw.verify(event.format).is_ok();
    if has_checksum && again != event.raw.bytes {
        return Err("the frame has changed".to_owned());
    }
    Ok(())
}
