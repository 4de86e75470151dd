//! What a log says about rows against what SELECT showed around each statement.
//!
//! Rows are compared transaction by transaction. Within one, each expected row takes a change that
//! has its images. What is left on both sides (REPLACE, a row changed twice by one statement, tables
//! without a key) must have the same net effect: the same images gone, the same images come.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "each test uses its own part, and fails by panicking"
)]

use std::collections::HashMap;

use serde_json::Value as Json;

use super::Case;

/// Rows in all expected.json, those of formulas included.
pub const ROWS: usize = 25_617;

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Insert,
    Update,
    Delete,
}

/// The columns of one row; `None` for a column that the image does not have.
pub type Image<C> = Vec<Option<C>>;

/// One changed row as the log has it.
#[derive(Clone, Debug)]
pub struct Change<C> {
    /// Name of the file.
    pub file: String,
    /// Offset of the event, of the payload event for an inner one.
    pub offset: u64,
    /// A number that the rows of one row event share.
    pub event: usize,
    /// GTID of its transaction.
    pub gtid: Option<String>,
    pub kind: Kind,
    pub schema: String,
    pub table: String,
    pub before: Option<Image<C>>,
    pub after: Option<Image<C>>,
}

/// One row of `changes` in expected.json.
struct Expected<'a> {
    kind: Kind,
    schema: &'a str,
    table: &'a str,
    before: Option<&'a Vec<Json>>,
    after: Option<&'a Vec<Json>>,
    types: &'a [Json],
}

/// Why a case is not compared row by row like the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// The rows of this table cannot be decoded from the log alone: that must be said.
    Undecodable(&'static str),
    /// Rows are described by a formula, not listed.
    Formula,
    /// The first files were purged, their transactions are listed all the same.
    Purged,
    /// A table with system versioning: two more columns, history rows.
    Versioned(&'static str),
    /// A sequence: the log has its new row only.
    Sequence(&'static str),
    /// A statement that failed while it was logged: the log has an incident in its place.
    Lost(&'static str),
}

/// Every exception, by the name of the case.
pub const EXCEPTIONS: [(&str, Exception, &str); 8] = [
    (
        "dates_old_temporal",
        Exception::Undecodable("d1.ot"),
        "old temporal types with a fraction: the table map does not say how many bytes they have",
    ),
    (
        "large_trx",
        Exception::Formula,
        "10 000 rows, listed as a formula in `notes`",
    ),
    (
        "large_trx_compressed",
        Exception::Formula,
        "10 000 rows, listed as a formula in `notes`",
    ),
    (
        "large_commit_rename",
        Exception::Formula,
        "12 rows of a megabyte, listed as a formula in expected_note.json",
    ),
    (
        "rotation",
        Exception::Purged,
        "binlog.000001 and .000002 were purged during the case",
    ),
    (
        "ddl_maria",
        Exception::Versioned("sv"),
        "expected.json has the user's view: rows that are current, without row_start and row_end",
    ),
    (
        "ddl_maria",
        Exception::Sequence("sq"),
        "the new state of a sequence is logged as an insert, whatever was there before",
    ),
    (
        "incident",
        Exception::Lost("inc"),
        "the statement was too large for the binlog cache",
    ),
];

/// What is special about a case.
pub fn exceptions(case: &Case) -> Vec<Exception> {
    let of_case = EXCEPTIONS.iter().filter(|(name, ..)| *name == case.name);
    of_case.map(|exception| exception.1).collect()
}

/// How the rows of one case compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows in expected.json.
    pub expected: usize,
    /// Of these, found as they are.
    pub exact: usize,
    /// Of these, found by net effect.
    pub net: usize,
    /// Of these, not logged by that server: statement format, a filter, a cascade.
    pub not_logged: usize,
    /// Of these, in files that were purged.
    pub purged: usize,
    /// Of these, in tables that cannot be decoded.
    pub undecodable: usize,
    /// Cells that were compared.
    pub cells: usize,
    /// Transactions whose number of row events was compared.
    pub row_events: usize,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.expected += other.expected;
        self.exact += other.exact;
        self.net += other.net;
        self.not_logged += other.not_logged;
        self.purged += other.purged;
        self.undecodable += other.undecodable;
        self.cells += other.cells;
        self.row_events += other.row_events;
    }
}

/// Compares all rows of a case; `is_same` compares a cell with the expected one of a column, whose
/// entry of `table_defs` it gets.
pub fn compare<C: Clone + PartialEq + std::fmt::Debug>(
    case: &Case,
    expected: &Json,
    changes: &[Change<C>],
    is_same: &dyn Fn(&C, &Json, &Json) -> bool,
) -> Tally {
    let transactions = expected["transactions"].as_array().unwrap();
    let groups = group(case, transactions, changes);
    let exceptions = exceptions(case);
    let mut tally = Tally::default();
    for (transaction, found) in transactions.iter().zip(&groups) {
        let place = format!(
            "{} {} {}:{}",
            case.label(),
            transaction["gtids"],
            transaction["file"],
            transaction["pos"]
        );
        let rows = expected_rows(expected, transaction);
        tally.expected += rows.len();
        let file = transaction["file"].as_str().unwrap();
        if exceptions.contains(&Exception::Purged) && !case.folder.join(file).exists() {
            assert!(found.is_empty());
            tally.purged += rows.len();
            continue;
        }
        let is_readable = |(row, _): &(Expected<'_>, bool)| {
            let table = format!("{}.{}", row.schema, row.table);
            let is_of = |exception: &Exception| matches!(exception, Exception::Undecodable(name) if *name == table);
            !exceptions.iter().any(is_of)
        };
        if let Some(row_events) = transaction["row_events"].as_u64()
            && rows.iter().all(is_readable)
        {
            let mut events: Vec<usize> = found.iter().map(|change| change.event).collect();
            events.dedup();
            assert_eq!(events.len() as u64, row_events, "{place}: row events");
            tally.row_events += 1;
        }
        let (logged, silent): (Vec<_>, Vec<_>) = rows.into_iter().partition(|(_, logged)| *logged);
        tally.not_logged += silent.len();
        let mut logged: Vec<Expected<'_>> = logged.into_iter().map(|(row, _)| row).collect();
        for exception in &exceptions {
            let before = logged.len();
            match exception {
                Exception::Undecodable(table) => {
                    logged.retain(|row| format!("{}.{}", row.schema, row.table) != *table);
                    tally.undecodable += before - logged.len();
                }
                Exception::Lost(table) if transaction["gtids"] == Json::Array(Vec::new()) => {
                    logged.retain(|row| row.table != *table);
                    tally.not_logged += before - logged.len();
                }
                Exception::Sequence(table) => {
                    logged.retain(|row| row.table != *table || row.kind != Kind::Delete);
                    tally.not_logged += before - logged.len();
                }
                _ => {}
            }
        }
        if transaction["row_events"] == 0 {
            tally.not_logged += logged.len();
            continue;
        }
        tally.add(compare_group(&place, &logged, found, is_same));
    }
    tally
}

/// The end of a row that is current in a table with system versioning, in 32 and in 64 bits.
pub const END_OF_TIME: [&str; 2] = ["2038-01-19 03:14:07.999999", "2106-02-07 06:28:15.999999"];

/// What a user sees of a table with system versioning: the rows whose end is the end of time,
/// without the two columns of the system.
pub fn user_view<C>(
    changes: Vec<Change<C>>,
    table: &str,
    is_end: &dyn Fn(&C) -> bool,
) -> Vec<Change<C>> {
    let current = |image: Option<Image<C>>| {
        let mut image = image?;
        let end = image.pop().flatten().expect("row_end");
        image.pop().flatten().expect("row_start");
        is_end(&end).then_some(image)
    };
    let view = |mut change: Change<C>| {
        if change.table == table {
            change.before = current(change.before);
            change.after = current(change.after);
            change.kind = match (&change.before, &change.after) {
                (None, Some(_)) => Kind::Insert,
                (Some(_), None) => Kind::Delete,
                // Of a history row there is nothing to see, but it is an event.
                _ => Kind::Update,
            };
        }
        change
    };
    changes.into_iter().map(view).collect()
}

/// The changes of each transaction.
fn group<'c, C>(
    case: &Case,
    transactions: &[Json],
    changes: &'c [Change<C>],
) -> Vec<Vec<&'c Change<C>>> {
    let mut by_gtid = HashMap::new();
    for (index, transaction) in transactions.iter().enumerate() {
        for gtid in transaction["gtids"].as_array().unwrap() {
            by_gtid.insert(gtid.as_str().unwrap(), index);
        }
    }
    let mut groups: Vec<Vec<&Change<C>>> = transactions.iter().map(|_| Vec::new()).collect();
    for change in changes {
        let gtid = change.gtid.as_deref();
        let index = gtid.and_then(|gtid| by_gtid.get(gtid).copied());
        let index = index.or_else(|| {
            transactions.iter().position(|transaction| {
                let start = place(&transaction["file"], &transaction["pos"]);
                let end = place(&transaction["end_file"], &transaction["end_pos"]);
                let here = (change.file.clone(), change.offset);
                transaction["gtids"].as_array().unwrap().is_empty() && start <= here && here < end
            })
        });
        let label = case.label();
        let index = index.unwrap_or_else(|| {
            panic!(
                "{label}: {} {} {gtid:?} is of no transaction",
                change.file, change.offset
            )
        });
        groups[index].push(change);
    }
    groups
}

fn place(file: &Json, position: &Json) -> (String, u64) {
    (
        file.as_str().unwrap_or_default().to_owned(),
        position.as_u64().unwrap_or_default(),
    )
}

/// The rows of a transaction, each with whether it is logged.
fn expected_rows<'a>(expected: &'a Json, transaction: &'a Json) -> Vec<(Expected<'a>, bool)> {
    let mut rows = Vec::new();
    for change in transaction["changes"].as_array().unwrap() {
        let columns = usize::try_from(change["columns"].as_u64().unwrap()).unwrap();
        for row in change["rows"].as_array().unwrap() {
            let row = Expected {
                kind: match change["type"].as_str().unwrap() {
                    "insert" => Kind::Insert,
                    "update" => Kind::Update,
                    _ => Kind::Delete,
                },
                schema: change["schema"].as_str().unwrap(),
                table: change["table"].as_str().unwrap(),
                before: row["before"].as_array(),
                after: row["after"].as_array(),
                types: expected["table_defs"][columns].as_array().unwrap(),
            };
            rows.push((row, change["logged"] != false));
        }
    }
    rows
}

fn compare_group<C: Clone + PartialEq + std::fmt::Debug>(
    place: &str,
    expected: &[Expected<'_>],
    found: &[&Change<C>],
    is_same: &dyn Fn(&C, &Json, &Json) -> bool,
) -> Tally {
    let mut tally = Tally::default();
    let mut taken = vec![false; found.len()];
    let same_image = |image: &Image<C>, row: &[Json], types: &[Json]| {
        let columns = image.iter().zip(row).zip(types);
        image.len() == row.len()
            && columns
                .into_iter()
                .all(|((cell, row), of)| cell.as_ref().is_none_or(|cell| is_same(cell, row, of)))
    };
    let same =
        |image: Option<&Image<C>>, row: Option<&Vec<Json>>, types: &[Json]| match (image, row) {
            (Some(image), Some(row)) => same_image(image, row, types),
            (image, row) => image.is_none() && row.is_none(),
        };
    let cells = |image: Option<&Image<C>>| image.map_or(0, |image| image.iter().flatten().count());
    let mut left = Vec::new();
    for row in expected {
        let index = (0..found.len()).find(|&index| {
            let change = found[index];
            !taken[index]
                && change.kind == row.kind
                && change.schema == row.schema
                && change.table == row.table
                && same(change.before.as_ref(), row.before, row.types)
                && same(change.after.as_ref(), row.after, row.types)
        });
        match index {
            Some(index) => {
                taken[index] = true;
                tally.exact += 1;
                tally.cells += cells(found[index].before.as_ref());
                tally.cells += cells(found[index].after.as_ref());
            }
            None => left.push(row),
        }
    }
    let rest = found.iter().zip(&taken).filter(|(_, taken)| !**taken);
    let rest: Vec<&Change<C>> = rest.map(|(change, _)| *change).collect();
    if left.is_empty() && rest.is_empty() {
        return tally;
    }
    // What one statement did to a row in several steps: its net effect.
    let (mut gone, mut come) = net_effect(&rest);
    for row in &left {
        for (image, list) in [(row.before, &mut gone), (row.after, &mut come)] {
            let Some(image) = image else { continue };
            let index = list.iter().position(|(schema, table, found)| {
                *schema == row.schema && *table == row.table && same_image(found, image, row.types)
            });
            let index = index.unwrap_or_else(|| {
                panic!(
                    "{place}: {:?}: {}",
                    row.kind,
                    explain(row, image, list, is_same)
                )
            });
            tally.cells += list[index].2.iter().flatten().count();
            list.remove(index);
        }
        tally.net += 1;
    }
    assert!(
        gone.is_empty() && come.is_empty(),
        "{place}: not expected: {gone:?} {come:?}"
    );
    tally
}

type Images<'c, C> = Vec<(&'c str, &'c str, &'c Image<C>)>;

/// The images that are gone after `changes` and those that came.
fn net_effect<'c, C: PartialEq>(changes: &[&'c Change<C>]) -> (Images<'c, C>, Images<'c, C>) {
    let (mut gone, mut come): (Images<'_, C>, Images<'_, C>) = (Vec::new(), Vec::new());
    for change in changes {
        let named = |image| (change.schema.as_str(), change.table.as_str(), image);
        if let Some(before) = &change.before {
            match come.iter().position(|image| *image == named(before)) {
                Some(index) => drop(come.remove(index)),
                None => gone.push(named(before)),
            }
        }
        if let Some(after) = &change.after {
            match gone.iter().position(|image| *image == named(after)) {
                Some(index) => drop(gone.remove(index)),
                None => come.push(named(after)),
            }
        }
    }
    (gone, come)
}

/// Which columns of the nearest image are not as expected.
fn explain<C: std::fmt::Debug>(
    row: &Expected<'_>,
    image: &[Json],
    left: &Images<'_, C>,
    is_same: &dyn Fn(&C, &Json, &Json) -> bool,
) -> String {
    let table = format!("{}.{}", row.schema, row.table);
    let differences = |found: &Image<C>| -> Vec<String> {
        let columns = found.iter().zip(image).zip(row.types);
        let differ = columns.filter(|((cell, expected), of)| {
            cell.as_ref()
                .is_some_and(|cell| !is_same(cell, expected, of))
        });
        differ
            .map(|((cell, expected), of)| {
                format!(
                    "{}: {:.300} is not {:.300}",
                    of["name"],
                    format!("{cell:?}"),
                    expected.to_string()
                )
            })
            .collect()
    };
    let same_table = left
        .iter()
        .filter(|(schema, name, _)| format!("{schema}.{name}") == table);
    let nearest = same_table
        .map(|(.., found)| differences(found))
        .min_by_key(Vec::len);
    match nearest {
        None => format!(
            "{table}: no row of it is left for {:.300}",
            serde_json::to_string(image).unwrap()
        ),
        Some(columns) => format!("{table} ({} columns): {}", image.len(), columns.join("; ")),
    }
}
