//! Sample binlogs that other projects publish: each ends as its manifest says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use binlog::event::{ChecksumAlgorithm, Event, EventType};
use binlog::limits::Limits;
use binlog::log::encryption::Keys;
use binlog::log::{Checksums, LogReader};
use binlog::row::RowPair;
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use corpora::{Sample, open};

/// What was found in one file.
#[derive(Debug, Default)]
struct Found {
    /// Events of the file itself.
    events: usize,
    rows: usize,
    /// Offsets of events with a wrong checksum.
    wrong_checksums: Vec<u64>,
}

#[test]
fn every_public_sample_ends_as_the_manifest_says() {
    let samples = corpora::samples();
    let (mut events, mut rows) = (0, 0);
    for sample in &samples {
        let log = open::log(&sample.path, Keys::default(), Checksums::Report);
        let description = log.description();
        assert_eq!(description.server_version, sample.column("server_version"));
        assert_eq!(
            description.binlog_version.to_string(),
            sample.column("binlog_ver")
        );
        let checksum = match sample.column("checksum") {
            "NONE" => ChecksumAlgorithm::None,
            _ => ChecksumAlgorithm::Crc32,
        };
        assert_eq!(description.checksum, checksum, "{}", sample.name);
        let size = std::fs::metadata(&sample.path).unwrap().len();
        assert_eq!(size.to_string(), sample.column("size"));
        let found = read(sample, log).unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(
            found.events.to_string(),
            sample.column("n_events"),
            "{}",
            sample.name
        );
        let verdict = sample.column("verdict");
        let expected = match verdict.strip_prefix("bad checksum at [") {
            Some(list) => {
                let list = list.split(']').next().unwrap();
                list.split(", ").map(|at| at.parse().unwrap()).collect()
            }
            None => {
                assert!(verdict.starts_with("decodable"), "{verdict}");
                Vec::<u64>::new()
            }
        };
        assert_eq!(found.wrong_checksums, expected, "{}", sample.name);
        events += found.events;
        rows += found.rows;
    }
    println!("{} files, {events} events, {rows} rows", samples.len());
    assert_eq!((samples.len(), events), (29, SAMPLE_EVENTS));
}

/// The sum of the manifest's column `n_events`.
const SAMPLE_EVENTS: usize = 1_480;

#[test]
fn a_wrong_checksum_stops_who_does_not_ask_for_a_report() {
    let mut stopped = 0;
    for sample in corpora::samples() {
        let verdict = sample.column("verdict").to_owned();
        if !verdict.starts_with("bad checksum at [120,") {
            continue;
        }
        let log = open::log(&sample.path, Keys::default(), Checksums::Stop);
        let error = read(&sample, log).expect_err("a wrong checksum");
        assert!(
            error.contains("120") && error.contains("checksum"),
            "{error}"
        );
        stopped += 1;
    }
    assert_eq!(stopped, 1);
}

/// Reads a file to the last row.
fn read(sample: &Sample, log: LogReader) -> Result<Found, String> {
    let mut found = Found::default();
    let limits = Limits::default();
    let mut reader = TransactionReader::new(EventStream::new(log, limits));
    while let Some(step) = reader.next().map_err(|error| error.to_string())? {
        found.events += usize::from(step.place.inner.is_none());
        if !step.checksum_ok {
            found.wrong_checksums.push(step.place.offset);
        }
        let is_known = !matches!(step.event, Event::Other { .. });
        // A code of Amazon Aurora that nobody documents.
        let is_aurora = step.raw.header.event_type == EventType(100);
        assert!(is_known || is_aurora, "{} {:?}", sample.name, step.event);
        let (Event::Rows(rows), Some(table)) = (&step.event, step.table) else {
            continue;
        };
        let mut chunks = rows
            .chunks(&table.plan, &limits)
            .map_err(|error| error.to_string())?;
        while let Some(mut chunk) = chunks.next_chunk().map_err(|error| error.to_string())? {
            let mut pair = RowPair::default();
            while chunk
                .next_into(&mut pair)
                .map_err(|error| error.to_string())?
            {
                found.rows += 1;
            }
        }
    }
    Ok(found)
}
