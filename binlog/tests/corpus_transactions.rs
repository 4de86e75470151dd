//! The transactions of the corpora: their GTIDs in order, their kinds, and what verifying says.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use std::collections::HashMap;

use binlog::transaction::{TransactionInfo, TransactionKind};
use corpora::rows::{self, Exception};
use corpora::{Case, open};

/// The transactions of a case, whole ones.
fn transactions(case: &Case) -> Vec<TransactionInfo> {
    let mut transactions = Vec::new();
    for path in case.files() {
        let mut reader = open::transactions(&path, open::keys(case));
        loop {
            let step = reader.next();
            let step = step.unwrap_or_else(|error| panic!("{}: {error}", case.label()));
            let Some(step) = step else { break };
            if let Some(transaction) = step.transaction
                && transaction.is_complete
            {
                transactions.push(transaction.clone());
            }
        }
        assert!(reader.is_between_transactions(), "{}", case.label());
    }
    transactions
}

/// GTIDs in all expected.json but for those in purged files.
const GTIDS: usize = 2_709;

#[test]
fn gtids_come_in_the_order_that_the_server_gave_them() {
    let mut compared = 0;
    for case in corpora::cases() {
        let found = transactions(&case);
        let found = found
            .iter()
            .filter_map(|transaction| transaction.gtid.text());
        let found: Vec<String> = found.collect();
        let expected = case.expected();
        let mut expected: Vec<&str> = expected["gtids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|gtid| gtid.as_str().unwrap())
            .collect();
        if rows::exceptions(&case).contains(&Exception::Purged) {
            expected.drain(..expected.len() - found.len());
        }
        assert_eq!(found, expected, "{}", case.label());
        compared += found.len();
    }
    println!("{compared} GTIDs");
    assert_eq!(compared, GTIDS);
}

#[test]
fn transactions_are_of_the_kind_of_their_statements() {
    let mut counts: HashMap<(&str, TransactionKind), usize> = HashMap::new();
    for case in corpora::cases() {
        let expected = case.expected();
        if expected["transactions"].is_null() {
            continue;
        }
        for transaction in transactions(&case) {
            let Some(gtid) = transaction.gtid.text() else {
                continue;
            };
            let of = expected["transactions"]
                .as_array()
                .unwrap()
                .iter()
                .find(|of| {
                    let gtids = of["gtids"].as_array().unwrap();
                    gtids.iter().any(|of| *of == gtid)
                });
            let of = of.unwrap_or_else(|| panic!("{} {gtid}", case.label()));
            let kind = of["kind"].as_str().unwrap();
            let mut kinds = KINDS.iter();
            let of = kinds.find(|(of, found, ..)| *of == kind && *found == transaction.kind);
            let (kind, found, ..) = of.unwrap_or_else(|| {
                panic!("{} {gtid}: {kind} is {:?}", case.label(), transaction.kind)
            });
            *counts.entry((kind, *found)).or_default() += 1;
        }
    }
    println!("{counts:#?}");
    let expected = KINDS.map(|(kind, found, count, _)| ((kind, found), count));
    assert_eq!(counts, expected.into_iter().collect());
}

/// How many transactions of each kind of expected.json are of which kind here. Where the names
/// differ, why.
const KINDS: [(&str, TransactionKind, usize, &str); 13] = [
    ("concurrent", TransactionKind::Dml, 240, ""),
    (
        "ddl",
        TransactionKind::CreateSelect,
        11,
        "CREATE TABLE .. SELECT as one transaction",
    ),
    ("ddl", TransactionKind::Ddl, 836, ""),
    (
        "ddl",
        TransactionKind::Dml,
        4,
        "an INSERT that the DDL behind it committed",
    ),
    (
        "dml",
        TransactionKind::Begun,
        2,
        "an empty transaction with a GTID of its own",
    ),
    (
        "dml",
        TransactionKind::Ddl,
        8,
        "FLUSH TABLES and SET PASSWORD commit by themselves",
    ),
    ("dml", TransactionKind::Dml, 1577, ""),
    (
        "dml",
        TransactionKind::Incident,
        1,
        "the statement could not be logged",
    ),
    (
        "xa_commit",
        TransactionKind::Dml,
        5,
        "MySQL 5.6 logs XA as plain transactions, MariaDB those of one phase",
    ),
    ("xa_commit", TransactionKind::XaCommit, 7, ""),
    ("xa_commit", TransactionKind::XaOnePhase, 1, "in one phase"),
    ("xa_prepare", TransactionKind::XaPrepare, 10, ""),
    ("xa_rollback", TransactionKind::XaRollback, 3, ""),
];
