//! `verify`, `find` and `cut` over the corpora: files are valid, each transaction is found by its GTID,
//! and cut out of its log it is a valid log with the same rows.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::collections::{BTreeMap, BTreeSet};

use binlog::limits::Limits;
use binlog::log::{Checksums, LogFileName, LogReader, ReadOptions, SimStorage, Storage as _};
use binlog::stream::EventStream;
use binlog::transaction::{Order, TransactionReader};
use corpora::rows::{self, Change, Exception};
use corpora::values::Collected;
use corpora::{Case, open};
use inspect::cut::Cutter;
use inspect::filter::{Filter, FilterRun};
use inspect::find::{Finder, What};
use inspect::verify::{FileCheck, History};

/// Errors and warnings that are right, by case: how many, and why.
const FINDINGS: [(&str, u64, u64, &str); 17] = [
    ("mariadb-10.11/crash_restart", 0, 1, KILLED),
    ("mariadb-10.11/dates_old_temporal", 2, 0, UNREADABLE),
    ("mariadb-10.11/format_mixed", 0, 1, CLOCK),
    ("mariadb-10.11/format_statement", 0, 1, CLOCK),
    ("mariadb-10.11/gtid_domains", 0, 1, GAP),
    ("mariadb-11.8/crash_restart", 0, 1, KILLED),
    ("mariadb-11.8/dates_old_temporal", 2, 0, UNREADABLE),
    ("mariadb-11.8/format_mixed", 0, 1, CLOCK),
    ("mariadb-11.8/format_statement", 0, 1, CLOCK),
    ("mariadb-11.8/gtid_domains", 0, 1, GAP),
    ("mysql-5.6/crash_restart", 0, 1, KILLED),
    ("mysql-5.6/format_mixed", 0, 1, CLOCK),
    ("mysql-5.6/format_statement", 0, 1, CLOCK),
    ("mysql-5.6/gtid_explicit", 0, 2, GAP),
    ("mysql-9.7/crash_restart", 0, 1, KILLED),
    ("mysql-9.7/gtid_explicit", 0, 2, GAP),
    ("mysql-9.7/tagged_gtid", 0, 1, GAP),
];

const KILLED: &str = "the server was killed: the file is not closed";
const UNREADABLE: &str = "rows of d1.ot cannot be read from the log alone";
const CLOCK: &str = "a session set TIMESTAMP to a moment long ago";
const GAP: &str = "a session chose GTIDs with gaps between them";

#[test]
fn every_case_verifies_as_one_history() {
    let (mut files, mut found) = (0, BTreeMap::new());
    for case in corpora::cases() {
        let mut history = History::default();
        let paths = case.files();
        for path in &paths {
            let log = open::log(path, open::keys(&case), Checksums::Report);
            let mut check = FileCheck::new(Some(log.description()), Limits::default());
            history.begin_file(log.name());
            let mut reader = TransactionReader::new(EventStream::new(log, Limits::default()));
            reader.set_order(Order::Report);
            loop {
                match reader.next() {
                    Ok(Some(step)) => check.feed(&step),
                    Ok(None) => break,
                    Err(error) => assert!(check.feed_error(&error), "{}", case.label()),
                }
            }
            check.finish(&mut history, Some(path) == paths.last());
            files += 1;
            let of_case: &mut (u64, u64, Vec<String>) = found.entry(case.label()).or_default();
            of_case.0 += check.errors;
            of_case.1 += check.warnings;
            let told = check.findings.iter().map(|finding| finding.message.clone());
            of_case.2.extend(told);
        }
    }
    found.retain(|_, (errors, warnings, _)| *errors + *warnings > 0);
    println!("{files} files: {found:#?}");
    let expected: BTreeMap<&str, (u64, u64)> = FINDINGS
        .iter()
        .map(|(case, errors, warnings, _)| (*case, (*errors, *warnings)))
        .collect();
    let found: BTreeMap<&str, (u64, u64)> = found
        .iter()
        .map(|(case, found)| (case.as_str(), (found.0, found.1)))
        .collect();
    assert_eq!(found, expected);
}

/// The rows of one table that cannot be decoded are left alone.
fn is_wanted(case: &Case) -> impl Fn(&str) -> bool {
    let exceptions = rows::exceptions(case);
    move |table: &str| {
        let is_it = |exception: &Exception| matches!(exception, Exception::Undecodable(name) if *name == table);
        !exceptions.iter().any(is_it)
    }
}

type Row = Change<binlog::value::Value<'static>>;

/// What must be the same of a row wherever it is logged.
fn essence(change: &Row) -> String {
    let (before, after) = (&change.before, &change.after);
    format!(
        "{:?} {} {} {before:?} {after:?}",
        change.kind, change.schema, change.table
    )
}

/// Transactions with a GTID in all cases.
const CUTS: usize = 2_709;

#[test]
fn each_transaction_is_found_and_cut_by_its_gtid() {
    let (mut cuts, mut rows, mut unreadable, mut wrong) = (0, 0, 0, Vec::new());
    for case in corpora::cases() {
        let mut collected = raw_rows();
        for path in case.files() {
            let mut reader = open::transactions(&path, open::keys(&case));
            collected.read(&case.label(), &mut reader, &is_wanted(&case));
        }
        let changes = collected.changes;
        let mut by_gtid: BTreeMap<String, Vec<&Row>> = BTreeMap::new();
        for gtid in gtids(&case) {
            by_gtid.insert(gtid, Vec::new());
        }
        for change in &changes {
            if let Some(gtid) = &change.gtid {
                by_gtid
                    .get_mut(gtid)
                    .expect("a GTID of the case")
                    .push(change);
            }
        }
        for (gtid, expected) in by_gtid {
            let filter = Filter {
                include_gtids: Some(gtid.parse().unwrap()),
                ..Filter::default()
            };
            let place = format!("{} {gtid}", case.label());
            if let Err(error) = find(&case, &filter, &gtid, expected.len()) {
                wrong.push(format!("{place}: {error}"));
            }
            match cut(&case, &filter) {
                Ok(found) => {
                    let same = found
                        .iter()
                        .map(essence)
                        .eq(expected.iter().map(|row| essence(row)));
                    if !same {
                        wrong.push(format!(
                            "{place}: {} rows of {}",
                            found.len(),
                            expected.len()
                        ));
                    }
                    rows += found.len();
                }
                Err(error) => wrong.push(format!("{place}: {error}")),
            }
            cuts += 1;
        }
        // What cannot be read is not found or verified, but that is said.
        let exceptions = rows::exceptions(&case);
        let is_odd = |exception: &Exception| matches!(exception, Exception::Undecodable(_));
        if exceptions.iter().any(is_odd) {
            assert!(
                wrong.iter().all(|wrong| wrong.starts_with(&case.label())),
                "{wrong:#?}"
            );
            unreadable += wrong.len();
            wrong.clear();
        }
    }
    println!("{cuts} transactions, {rows} rows were found and cut out");
    assert!(
        wrong.is_empty(),
        "{} wrong: {:#?}",
        wrong.len(),
        &wrong[..wrong.len().min(40)]
    );
    assert_eq!((cuts, unreadable), (CUTS, 8));
}

/// Rows as they are logged: a log that is cut has no history to apply partial updates to.
fn raw_rows() -> Collected {
    let mut collected = Collected::default();
    collected.keeps_diffs = true;
    collected
}

fn gtids(case: &Case) -> BTreeSet<String> {
    let mut gtids = BTreeSet::new();
    for path in case.files() {
        let mut reader = open::transactions(&path, open::keys(case));
        while let Some(step) = reader.next().unwrap() {
            let transaction = step
                .transaction
                .filter(|transaction| transaction.is_complete);
            gtids.extend(transaction.and_then(|transaction| transaction.gtid.text()));
        }
    }
    gtids
}

/// The transaction is found once, with all its rows.
fn find(case: &Case, filter: &Filter, gtid: &str, rows: usize) -> Result<(), String> {
    let mut finder = Finder::new(filter, Vec::new(), Limits::default());
    let mut hits = Vec::new();
    let paths = case.files();
    for path in &paths {
        finder.begin_file(path == &paths[0], Some(path) == paths.last());
        let mut reader = open::transactions(path, open::keys(case));
        while let Some(step) = reader.next().map_err(|error| error.to_string())? {
            let goes_on = finder.feed(&step, |hit| {
                let What::Transaction { rows, .. } = hit.what else {
                    return;
                };
                hits.push((hit.transaction.gtid.text(), rows.total()));
            });
            if !goes_on.map_err(|error| error.to_string())? {
                break;
            }
        }
    }
    let exceptions = rows::exceptions(case);
    let is_odd = |exception: &Exception| matches!(exception, Exception::Undecodable(_));
    let has_odd_rows = exceptions.iter().any(is_odd);
    match hits.as_slice() {
        [(Some(found), count)] if found == gtid && (*count == rows as u64 || has_odd_rows) => {
            Ok(())
        }
        _ => Err(format!("found {hits:?}, not one with {rows} rows")),
    }
}

/// The rows of a log that is cut out of the case's log.
fn cut(case: &Case, filter: &Filter) -> Result<Vec<Row>, String> {
    let storage = SimStorage::new(1);
    let name = LogFileName::new("cut", 1);
    let mut run = FilterRun::new(filter).of_whole_transactions();
    let mut cutter = Cutter::new(&storage, name.as_str(), filter, false).map_err(told)?;
    let paths = case.files();
    for path in &paths {
        run.begin_file(path == &paths[0], Some(path) == paths.last());
        let mut reader = open::transactions(path, open::keys(case));
        if !cutter
            .take_file(&mut reader, &mut run, |_| {})
            .map_err(told)?
        {
            break;
        }
    }
    let summary = cutter.finish().map_err(told)?;
    if (summary.transactions, summary.emptied) != (1, 0) {
        return Err(format!("{} transactions", summary.transactions));
    }
    let open = || -> LogReader {
        let file = storage.open_read(name.as_str()).unwrap();
        let options = ReadOptions::default();
        LogReader::over_with(file, name.clone(), &options).unwrap()
    };
    let log = open();
    let mut check = FileCheck::new(Some(log.description()), Limits::default());
    let mut reader = TransactionReader::new(EventStream::new(log, Limits::default()));
    while let Some(step) = reader.next().map_err(told)? {
        check.feed(&step);
    }
    let mut history = History::default();
    history.begin_file(&name);
    check.finish(&mut history, true);
    if check.errors > 0 {
        return Err(format!("not valid: {:?}", check.findings));
    }
    let mut collected = raw_rows();
    let mut reader = TransactionReader::new(EventStream::new(open(), Limits::default()));
    collected.read(&case.label(), &mut reader, &is_wanted(case));
    Ok(collected.changes)
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
