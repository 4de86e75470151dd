//! The looks from outside, on files that real servers wrote.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::collections::BTreeSet;
use std::path::Path;

use binlog::event::EventType;
use binlog::limits::Limits;
use binlog::log::storage::write_all_at;
use binlog::log::{Checksums, LogFileName, LogReader, OsStorage, ReadOptions, SimStorage, Storage};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use inspect::filter::{Filter, FilterRun, GtidChoice, Verdict, parse_gtid};
use inspect::stats::Stats;
use inspect::verify::{FileCheck, Finding, FindingKind, History, Severity};

fn open(path: &Path) -> TransactionReader<LogReader> {
    let storage = OsStorage::new(path.parent().unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = storage.open_read(name).unwrap();
    let options = ReadOptions {
        checksums: Checksums::Report,
        ..ReadOptions::default()
    };
    let name = LogFileName::parse(name).unwrap();
    let reader = LogReader::over_with(file, name, &options).unwrap();
    TransactionReader::new(EventStream::new(reader, Limits::default()))
}

fn case(server: &str, name: &str) -> corpora::Case {
    let mut cases = corpora::cases().into_iter();
    cases
        .find(|case| case.server == server && case.name == name)
        .unwrap()
}

fn stats(path: &Path, filter: &Filter) -> Stats {
    let mut stats = Stats::default();
    let mut run = FilterRun::new(filter);
    run.begin_file(true, true);
    let mut reader = open(path);
    while let Some(step) = reader.next().unwrap() {
        match run.judge(&step) {
            Verdict::Show => stats.feed(&step, &Limits::default()).unwrap(),
            Verdict::Hold | Verdict::Skip => {}
            Verdict::Stop => break,
        }
    }
    stats.finish();
    stats
}

#[test]
fn a_file_is_counted_as_its_server_lists_it() {
    for (server, name) in [
        ("mysql-9.7", "writeset"),
        ("mariadb-11.8", "checksum_crc32"),
    ] {
        let case = case(server, name);
        let path = &case.files()[0];
        let stats = stats(path, &Filter::default());
        let listed = case.event_list().unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let listed = listed.iter().filter(|row| row[0] == file).count();
        let counted: u64 = stats.events.values().map(|tally| tally.count).sum();
        assert_eq!(counted, u64::try_from(listed).unwrap());
        let bytes: u64 = stats.events.values().map(|tally| tally.bytes).sum();
        let size = path.metadata().unwrap().len();
        assert_eq!((bytes + 4, stats.end), (size, size));
        assert!(stats.is_closed && !stats.ends_inside_transaction);
    }
}

#[test]
fn rows_are_counted_by_what_was_done_to_them_inside_payloads_too() {
    let plain = stats(
        &case("mysql-9.7", "writeset").files()[0],
        &Filter::default(),
    );
    assert_eq!((plain.rows.inserts, plain.rows.updates), (29, 3));
    assert_eq!((plain.rows.deletes, plain.transactions), (2, 30));
    let (name, figures) = &plain.tables.by_bytes()[0];
    assert_eq!(*name, ("d1".to_owned(), "ws".to_owned()));
    assert_eq!(figures.rows.inserts, 25);

    let packed = stats(
        &case("mysql-9.7", "trx_compression").files()[0],
        &Filter::default(),
    );
    assert!(packed.payloads.count > 0 && packed.rows.inserts > 0);
    assert!(packed.payload_content > packed.payloads.bytes);
    assert!(packed.largest.best()[0].bytes >= packed.largest.best()[1].bytes);
}

#[test]
fn a_filter_leaves_whole_transactions() {
    let case = case("mysql-9.7", "writeset");
    let path = &case.files()[0];
    let uuid = "97979797-0000-11f0-8000-000000000001";
    let counted = |filter: Filter| {
        let stats = stats(path, &filter);
        (stats.gtids.to_string(), stats.transactions)
    };
    let choice = |text: &str| text.parse::<GtidChoice>().unwrap();
    let included = Filter {
        include_gtids: Some(choice(&format!("{uuid}:3-5"))),
        exclude_gtids: choice(&format!("{uuid}:4")),
        ..Filter::default()
    };
    assert_eq!(counted(included), (format!("{uuid}:3:5"), 2));
    let between = Filter {
        start_gtid: Some(parse_gtid(&format!("{uuid}:10")).unwrap()),
        stop_gtid: Some(parse_gtid(&format!("{uuid}:12")).unwrap()),
        ..Filter::default()
    };
    assert_eq!(counted(between), (format!("{uuid}:10-12"), 3));
    let placed = Filter {
        start_position: Some(3955),
        stop_position: Some(4541),
        ..Filter::default()
    };
    assert_eq!(counted(placed), (format!("{uuid}:16-17"), 2));
    let early = Filter {
        stop_datetime: Some(1_000_000_000),
        ..Filter::default()
    };
    assert_eq!(counted(early).1, 0);
}

#[test]
fn a_filter_by_table_leaves_its_rows_and_its_definitions() {
    let case = case("mysql-9.7", "writeset");
    let path = &case.files()[0];
    let filter = Filter {
        tables: vec![("d1".to_owned(), "chi".to_owned())],
        ..Filter::default()
    };
    let stats = stats(path, &filter);
    let tables: BTreeSet<_> = stats
        .tables
        .by_bytes()
        .into_iter()
        .map(|((_, table), _)| table)
        .collect();
    assert_eq!(tables.into_iter().collect::<Vec<_>>(), ["chi"]);
    assert_eq!((stats.rows.inserts, stats.rows.deletes), (1, 1));
    assert_eq!(stats.statements, 2, "CREATE DATABASE d1, CREATE TABLE chi");
}

fn verify(files: &[(&str, Vec<u8>)], is_last_open: bool) -> Vec<Vec<Finding>> {
    let mut history = History::default();
    let count = files.len();
    let mut all = Vec::new();
    for (index, (name, source)) in files.iter().enumerate() {
        let name = LogFileName::parse(name).unwrap();
        history.begin_file(&name);
        let storage = SimStorage::new(0);
        let file = storage.create(name.as_str()).unwrap();
        write_all_at(file.as_ref(), 0, source).unwrap();
        let options = ReadOptions {
            checksums: Checksums::Report,
            ..ReadOptions::default()
        };
        let reader = LogReader::over_with(file, name, &options).unwrap();
        let mut check = FileCheck::new(Some(reader.description()), Limits::default());
        let mut reader = TransactionReader::new(EventStream::new(reader, Limits::default()));
        loop {
            match reader.next() {
                Ok(Some(step)) => check.feed(&step),
                Ok(None) => break,
                Err(error) => {
                    if !check.feed_error(&error) {
                        break;
                    }
                }
            }
        }
        check.finish(&mut history, is_last_open && index + 1 == count);
        all.push(check.findings);
    }
    all
}

fn rotation() -> Vec<(String, Vec<u8>)> {
    case("mysql-9.7", "rotation")
        .files()
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read(path).unwrap())
        })
        .collect()
}

fn kinds(findings: &[Finding]) -> Vec<(Severity, FindingKind)> {
    findings
        .iter()
        .map(|finding| (finding.severity, finding.kind))
        .collect()
}

#[test]
fn files_of_one_log_follow_each_other() {
    let files = rotation();
    assert!(files.len() >= 3);
    let pick = |order: &[usize]| {
        let picked: Vec<_> = order
            .iter()
            .map(|&index| (files[index].0.as_str(), files[index].1.clone()))
            .collect();
        verify(&picked, true).pop().unwrap()
    };
    assert_eq!(pick(&[0, 1, 2]), []);
    let lost = pick(&[0, 2]);
    assert!(
        kinds(&lost).contains(&(Severity::Error, FindingKind::Chain)),
        "{lost:?}"
    );
    assert!(
        kinds(&lost).contains(&(Severity::Error, FindingKind::Gtids)),
        "{lost:?}"
    );
    assert!(
        lost.iter()
            .any(|finding| finding.message.contains("are missing between"))
    );
    let turned = pick(&[1, 0]);
    assert!(turned[0].message.contains("not in order"), "{turned:?}");
    let doubled = pick(&[0, 0]);
    assert!(doubled[0].message.contains("already"), "{doubled:?}");
}

#[test]
fn everything_that_is_wrong_with_a_file_is_told() {
    let (name, whole) = rotation().swap_remove(0);
    let reader = open(&case("mysql-9.7", "rotation").files()[0]);
    let mut places = Vec::new();
    let mut reader = reader;
    while let Some(step) = reader.next().unwrap() {
        let place = usize::try_from(step.place.offset).unwrap();
        places.push((step.raw.header.event_type, place));
    }
    let of = |wanted: EventType| {
        let all: Vec<usize> = places
            .iter()
            .filter(|(event_type, _)| *event_type == wanted)
            .map(|(_, place)| *place)
            .collect();
        all
    };
    let mut bytes = whole.clone();
    // Two wrong checksums and, in another event, a position that is not its own.
    let xids = of(EventType::XID);
    bytes[xids[0] + 20] ^= 1;
    bytes[xids[1] + 20] ^= 1;
    let query = of(EventType::QUERY)[1];
    bytes[query + 13] ^= 1;
    let told = kinds(&verify(&[(&name, bytes)], true)[0]);
    let count = |kind| told.iter().filter(|&&(_, found)| found == kind).count();
    assert_eq!(count(FindingKind::Checksum), 3, "{told:?}");
    assert_eq!(count(FindingKind::Position), 1, "{told:?}");

    let cut = whole[..whole.len() - 50].to_vec();
    let told = &verify(&[(&name, cut)], true)[0];
    assert!(
        kinds(told).contains(&(Severity::Error, FindingKind::Structure)),
        "{told:?}"
    );
}

#[test]
fn a_file_in_use_may_end_anywhere() {
    let (name, mut bytes) = rotation().swap_remove(0);
    // The in-use flag of the format description, which its checksum leaves out.
    bytes[4 + 17] |= 1;
    bytes.truncate(bytes.len() - 50);
    let told = &verify(&[(&name, bytes.clone())], true)[0];
    assert_eq!(
        kinds(told),
        [(Severity::Warning, FindingKind::Structure)],
        "{told:?}"
    );
    let told = &verify(&[(&name, bytes)], false)[0];
    assert!(kinds(told).contains(&(Severity::Error, FindingKind::Structure)));
}
