//! Logs cut out of logs that real servers wrote.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::path::{Path, PathBuf};

use binlog::limits::Limits;
use binlog::log::encryption::Keys;
use binlog::log::storage::write_all_at;
use binlog::log::{LogFileName, LogReader, OsStorage, ReadOptions, SimStorage, Storage};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use inspect::cut::{CutError, CutSummary, Cutter};
use inspect::filter::{Filter, FilterRun};
use inspect::stats::Stats;
use inspect::verify::{FileCheck, History};

const OUT: &str = "cut.000001";

/// Tables that cannot be read from the log alone.
const UNREADABLE: &str = "dates_old_temporal";

fn open(
    storage: &dyn Storage,
    name: &str,
    keys: &Keys,
) -> Result<TransactionReader<LogReader>, binlog::log::LogError> {
    let file = storage.open_read(name).unwrap();
    let options = ReadOptions {
        keys: keys.clone(),
        ..ReadOptions::default()
    };
    let reader = LogReader::over_with(file, LogFileName::parse(name).unwrap(), &options)?;
    Ok(TransactionReader::new(EventStream::new(
        reader,
        Limits::default(),
    )))
}

fn cut(
    files: &[PathBuf],
    keys: &Keys,
    filter: &Filter,
    drops_empty: bool,
) -> Result<(SimStorage, CutSummary), CutError> {
    let storage = SimStorage::new(0);
    let summary = {
        let mut cutter = Cutter::new(&storage, OUT, filter, drops_empty)?;
        let mut run = FilterRun::new(filter).of_whole_transactions();
        for (index, path) in files.iter().enumerate() {
            run.begin_file(index == 0, index + 1 == files.len());
            let source = OsStorage::new(path.parent().unwrap());
            let name = path.file_name().unwrap().to_str().unwrap();
            let mut reader = open(&source, name, keys)?;
            match cutter.take_file(&mut reader, &mut run, |_| {}) {
                Ok(true) => {}
                Ok(false) => break,
                Err(CutError::Unfinished { .. }) if index + 1 == files.len() => {}
                Err(error) => return Err(error),
            }
        }
        cutter.finish()?
    };
    Ok((storage, summary))
}

/// Verifies what was cut, and counts it.
fn verified(storage: &SimStorage, label: &str) -> Stats {
    let mut reader = open(storage, OUT, &Keys::default()).unwrap();
    let mut check = FileCheck::new(
        Some(reader.stream().source().description()),
        Limits::default(),
    );
    while let Some(step) = reader
        .next()
        .unwrap_or_else(|error| panic!("{label}: {error}"))
    {
        check.feed(&step);
    }
    check.finish(&mut History::default(), true);
    if !label.contains(UNREADABLE) {
        assert_eq!(check.errors, 0, "{label}: {:?}", check.findings);
    }
    assert!(!check.stats.is_in_use && !check.stats.ends_inside_transaction);
    check.stats
}

fn keys_of(case: &corpora::Case) -> Keys {
    let mut keys = Keys::default();
    if case.keyring().is_file() {
        keys = keys.with(Keys::load_keyring(case.keyring()).unwrap());
    }
    if case.file_keys().is_file() {
        keys = keys.with(Keys::load_file_keys(case.file_keys()).unwrap());
    }
    keys
}

fn case(server: &str, name: &str) -> corpora::Case {
    let mut cases = corpora::cases().into_iter();
    cases
        .find(|case| case.server == server && case.name == name)
        .unwrap()
}

fn everything(path: &Path) -> Stats {
    let storage = OsStorage::new(path.parent().unwrap());
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut reader = open(&storage, name, &Keys::default()).unwrap();
    let mut stats = Stats::default();
    while let Some(step) = reader.next().unwrap() {
        stats.feed(&step, &Limits::default()).unwrap();
    }
    stats
}

#[test]
fn whole_logs_and_one_database_of_each_case_make_valid_files() {
    let by_database = Filter {
        databases: vec!["d1".to_owned()],
        ..Filter::default()
    };
    let mut count = 0;
    for case in corpora::cases() {
        let (files, keys) = (case.files(), keys_of(&case));
        if files.is_empty() {
            continue;
        }
        for (filter, drops_empty) in [
            (&Filter::default(), false),
            (&by_database, false),
            (&by_database, true),
        ] {
            match cut(&files, &keys, filter, drops_empty) {
                Ok((storage, summary)) => {
                    let stats = verified(&storage, &case.label());
                    assert_eq!(stats.transactions, summary.transactions, "{}", case.label());
                    count += 1;
                }
                Err(CutError::Nothing) if filter.chooses_rows() => {}
                Err(error) => panic!("{}: {error}", case.label()),
            }
        }
    }
    assert!(count > 600, "{count}");
}

#[test]
fn the_head_tells_what_was_passed_over() {
    let uuid = "97979797-0000-11f0-8000-000000000001";
    let filter = Filter {
        include_gtids: Some(format!("{uuid}:20-22").parse().unwrap()),
        ..Filter::default()
    };
    let files = case("mysql-9.7", "rotation").files();
    let (storage, summary) = cut(&files, &Keys::default(), &filter, false).unwrap();
    let stats = verified(&storage, "rotation");
    assert_eq!(stats.gtids.to_string(), format!("{uuid}:20-22"));
    let previous = stats.previous_gtids.unwrap().to_string();
    assert_eq!(previous, format!("{uuid}:1-19"));
    assert_eq!(summary.transactions, 3);

    let filter = Filter {
        include_gtids: Some("0-1-20:22".parse().unwrap()),
        ..Filter::default()
    };
    let files = case("mariadb-11.8", "rotation").files();
    let (storage, _) = cut(&files, &Keys::default(), &filter, false).unwrap();
    let stats = verified(&storage, "rotation");
    let list = stats.gtid_list.unwrap();
    assert_eq!(
        list.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["0-1-19"]
    );
    assert_eq!(stats.mariadb_gtids[&(0, 1)], (20, 22, 3));
}

#[test]
fn a_table_is_cut_out_of_what_it_stands_with() {
    let files = case("mysql-9.7", "two_tables_group").files();
    let all = everything(&files[0]);
    let ((schema, table), figures) = all.tables.by_bytes().pop().unwrap();
    assert!(all.tables.len() > 1);
    let filter = Filter {
        tables: vec![(schema, table)],
        ..Filter::default()
    };
    for drops_empty in [false, true] {
        let (storage, summary) = cut(&files, &Keys::default(), &filter, drops_empty).unwrap();
        let stats = verified(&storage, "two_tables_group");
        assert_eq!(stats.rows, figures.rows);
        assert_eq!(stats.tables.len(), 1);
        assert_eq!(summary.emptied > 0, !drops_empty);
        let kept_gtids = stats.gtids.count();
        assert_eq!(kept_gtids == all.gtids.count(), !drops_empty);
    }
}

#[test]
fn payloads_stay_whole_unless_rows_are_chosen() {
    let files = case("mysql-9.7", "trx_compression").files();
    let (storage, _) = cut(&files, &Keys::default(), &Filter::default(), false).unwrap();
    let whole = verified(&storage, "trx_compression");
    assert!(whole.payloads.count > 0);
    let filter = Filter {
        databases: vec!["d1".to_owned()],
        ..Filter::default()
    };
    let (storage, _) = cut(&files, &Keys::default(), &filter, false).unwrap();
    let chosen = verified(&storage, "trx_compression");
    assert_eq!((chosen.payloads.count, chosen.rows), (0, whole.rows));
}

#[test]
fn no_file_is_overwritten_and_none_is_left_behind() {
    let files = case("mysql-9.7", "writeset").files();
    let storage = SimStorage::new(0);
    let file = storage.create(OUT).unwrap();
    write_all_at(file.as_ref(), 0, b"mine").unwrap();
    let refused = Cutter::new(&storage, OUT, &Filter::default(), false).err();
    assert!(matches!(refused, Some(CutError::Exists { .. })));

    let nothing = Filter {
        include_gtids: Some("0-1-1".parse().unwrap()),
        ..Filter::default()
    };
    let refused = cut(&files, &Keys::default(), &nothing, false).err();
    assert!(matches!(refused, Some(CutError::Nothing)), "{refused:?}");

    let (storage, _) = cut(&files, &Keys::default(), &Filter::default(), false).unwrap();
    assert_eq!(storage.list().unwrap(), [OUT]);
}
