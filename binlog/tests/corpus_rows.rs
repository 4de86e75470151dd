//! Every row, NULL and value of the corpora, against what SELECT showed around each statement.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod corpora;

use binlog::value::Value;
use corpora::rows::{self, Change, EXCEPTIONS, Exception, Kind, Tally};
use corpora::{Case, values};

#[test]
fn values_are_those_that_select_showed() {
    let mut tally = Tally::default();
    for case in corpora::cases() {
        tally.add(compare(&case));
    }
    println!("{tally:#?}");
    // Nothing is left out silently: every row is found, or listed why not.
    let expected = Tally {
        expected: rows::ROWS,
        exact: 25_126,
        net: 88,
        not_logged: 343,
        purged: 44,
        undecodable: 16,
        cells: 82_628,
        row_events: 2_438,
    };
    assert_eq!(tally, expected);
    let found = tally.exact + tally.net;
    let explained = tally.not_logged + tally.purged + tally.undecodable;
    assert_eq!(found + explained, rows::ROWS);
}

fn compare(case: &Case) -> Tally {
    let expected = case.expected();
    let exceptions = rows::exceptions(case);
    let is_undecodable = |table: &str| {
        let is_it = |exception: &Exception| matches!(exception, Exception::Undecodable(name) if *name == table);
        exceptions.iter().any(is_it)
    };
    let mut changes = values::changes(case, &|table| !is_undecodable(table));
    for exception in &exceptions {
        match exception {
            Exception::Formula => return compare_with_formula(case, &changes),
            Exception::Versioned(table) => {
                let is_end = |end: &Value<'_>| match end {
                    Value::Timestamp(end) => rows::END_OF_TIME.contains(&end.text_utc(6).as_str()),
                    _ => panic!("no row_end"),
                };
                changes = rows::user_view(changes, table, &is_end);
            }
            _ => {}
        }
    }
    rows::compare(case, &expected, &changes, &values::is_same)
}

/// The rows that the notes of the case describe.
fn compare_with_formula(case: &Case, changes: &[Change<Value<'static>>]) -> Tally {
    let formula: Box<dyn Fn(i64) -> Vec<u8>> = match case.name.as_str() {
        "large_trx" => Box::new(|id| {
            let hash = values::sha256(id.to_string().as_bytes());
            hash.repeat(8).as_bytes()[..480].to_vec()
        }),
        "large_trx_compressed" => Box::new(|id| format!("{}-", id % 97).repeat(150).into_bytes()),
        _ => Box::new(|id| match u8::try_from(id) {
            Ok(100) => b"after".to_vec(),
            Ok(id) => vec![b'a' + id; 1_000_000],
            Err(_) => Vec::new(),
        }),
    };
    let ids: Vec<i64> = match case.name.as_str() {
        "large_commit_rename" => (0..12).chain([100]).collect(),
        _ => (0..10_000).collect(),
    };
    assert_eq!(changes.len(), ids.len(), "{}", case.label());
    for (change, id) in changes.iter().zip(&ids) {
        assert_eq!(change.kind, Kind::Insert);
        let row = vec![
            Some(Value::Int(*id)),
            Some(Value::Bytes(formula(*id).into())),
        ];
        assert!(change.after == Some(row), "{} {id}", case.label());
    }
    Tally {
        expected: ids.len(),
        exact: ids.len(),
        cells: 2 * ids.len(),
        ..Tally::default()
    }
}

#[test]
fn rows_that_the_log_alone_cannot_tell_are_refused_with_the_reason() {
    let mut refused = 0;
    for case in corpora::cases() {
        let exceptions = rows::exceptions(&case);
        let Some(Exception::Undecodable(table)) = exceptions.first() else {
            continue;
        };
        let (rows, errors) = values::refusals(&case, table);
        // A row without any value of those types.
        assert_eq!(rows, 1, "{}", case.label());
        for error in &errors {
            assert!(error.contains("fraction"), "{}: {error}", case.label());
        }
        refused += errors.len();
    }
    assert_eq!(refused, 4);
}

#[test]
fn every_exception_is_of_a_case_and_has_a_reason() {
    let cases = corpora::cases();
    for (name, _, reason) in EXCEPTIONS {
        assert!(cases.iter().any(|case| case.name == name), "{name}");
        assert!(!reason.is_empty());
    }
}
