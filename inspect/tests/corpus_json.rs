//! The rows of the corpora as `weir binlog show --json` prints them, cell by cell.
//!
//! A cell is what expected.json has, or differs in one of the ways of [`LOOSE`], each of which is
//! counted: what a log without optional metadata does not say, its reader cannot show.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../../binlog/tests/corpora/mod.rs"]
mod corpora;

use std::cell::RefCell;
use std::collections::BTreeMap;

use corpora::rows::{self, Change, Exception, Kind, Tally};
use corpora::{Case, open, values};
use inspect::{JsonLines, JsonOptions, Output, Render, Source};
use serde_json::Value as Json;

/// How a cell may differ: a name, how many comparisons did, whether a log with full metadata may too,
/// and why.
const LOOSE: [(&str, usize, bool, &str); 9] = [
    (
        "BINARY without its padding",
        63,
        false,
        "zeros at the end are not logged, and without a charset BINARY looks like CHAR",
    ),
    (
        "ENUM and SET without their members",
        300,
        false,
        "the numbers are there, the names only in full metadata",
    ),
    (
        "INET4, INET6 and UUID",
        76,
        true,
        "MariaDB logs them as BINARY",
    ),
    (
        "UNSIGNED without metadata",
        72,
        false,
        "5.6 and MariaDB's default do not log signedness",
    ),
    (
        "VECTOR of MariaDB",
        32,
        true,
        "logged as VARBINARY: the bytes, not the numbers",
    ),
    (
        "ZEROFILL",
        63,
        true,
        "a matter of display, which no log has",
    ),
    (
        "bytes whose charset is not known",
        1807,
        false,
        "shown as UTF-8 if they are, else in hexadecimal",
    ),
    (
        "digits of FLOAT(M,D) and DOUBLE(M,D)",
        126,
        true,
        "a matter of display, which no log has",
    ),
    (
        "partial update of a document that the image does not have",
        4,
        true,
        "in a minimal image the changes are shown, the document is not there",
    ),
];

#[test]
fn json_cells_are_those_that_select_showed() {
    let loose = RefCell::new(BTreeMap::<&str, usize>::new());
    let mut tally = Tally::default();
    for case in corpora::cases() {
        let exceptions = rows::exceptions(&case);
        if exceptions.contains(&Exception::Formula) {
            // Their values are compared where they are read; here only their number.
            tally.expected += changes(&case).len();
            continue;
        }
        let mut changes = changes(&case);
        for exception in &exceptions {
            if let Exception::Versioned(table) = exception {
                let is_end = |end: &Json| rows::END_OF_TIME.contains(&end.as_str().unwrap());
                changes = rows::user_view(changes, table, &is_end);
            }
        }
        let has_metadata = case.name.ends_with("_fullmeta");
        let is_same = |found: &Json, expected: &Json, column: &Json| {
            let Some(name) = difference(found, expected, column) else {
                return false;
            };
            if name.is_empty() {
                return true;
            }
            *loose.borrow_mut().entry(name).or_default() += 1;
            let rule = LOOSE.iter().find(|rule| rule.0 == name).unwrap();
            rule.2 || !has_metadata
        };
        tally.add(rows::compare(&case, &case.expected(), &changes, &is_same));
    }
    println!("{tally:#?} {:#?}", loose.borrow());
    let loose: Vec<_> = loose.into_inner().into_iter().collect();
    assert_eq!(loose, LOOSE.map(|(name, count, ..)| (name, count)));
    assert_eq!(tally.expected, rows::ROWS);
}

/// The rows of a case by their JSON lines.
fn changes(case: &Case) -> Vec<Change<Json>> {
    let mut changes = Vec::new();
    let mut event = 0;
    for path in case.files() {
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        let mut gtid = None;
        for line in lines(case, &path) {
            if line["type"].as_str().unwrap().contains("GTID") {
                gtid = line["gtid"].as_str().map(str::to_owned);
            }
            let Some(rows) = line["rows"].as_array() else {
                continue;
            };
            event += 1;
            let table = format!(
                "{}.{}",
                line["schema"].as_str().unwrap(),
                line["table"].as_str().unwrap()
            );
            let is_undecodable = |exception: &Exception| matches!(exception, Exception::Undecodable(name) if *name == table);
            if rows::exceptions(case).iter().any(is_undecodable) {
                continue;
            }
            let image = |image: &Json| -> Option<rows::Image<Json>> {
                let cells = image.as_array()?.iter();
                let present = |cell: &Json| (cell["absent"] != true).then(|| cell.clone());
                Some(cells.map(present).collect())
            };
            changes.extend(rows.iter().map(|row| Change {
                file: file.clone(),
                offset: line["offset"].as_u64().unwrap(),
                event,
                gtid: gtid.clone(),
                kind: match line["kind"].as_str().unwrap() {
                    "insert" => Kind::Insert,
                    "update" => Kind::Update,
                    _ => Kind::Delete,
                },
                schema: line["schema"].as_str().unwrap().to_owned(),
                table: line["table"].as_str().unwrap().to_owned(),
                before: image(&row["before"]),
                after: image(&row["after"]),
            }));
        }
    }
    changes
}

/// Every event of a file as the JSON object that is printed for it.
fn lines(case: &Case, path: &std::path::Path) -> Vec<Json> {
    let mut reader = open::transactions(path, open::keys(case));
    let mut text = Vec::new();
    {
        let mut out = Output::new(&mut text);
        let mut render = JsonLines::new(JsonOptions::default());
        let name = reader.stream().source().name().clone();
        let source = Source {
            label: name.as_str(),
            name: &name,
        };
        render.begin(source, &mut out).unwrap();
        while let Some(step) = reader.next().unwrap() {
            // A row that cannot be decoded is an error of its line, which ends as JSON all the same.
            let shown = render.event(source, &step, &mut out);
            let is_expected = rows::exceptions(case)
                .iter()
                .any(|exception| matches!(exception, Exception::Undecodable(_)));
            assert!(shown.is_ok() || is_expected, "{} {shown:?}", case.label());
        }
        render.end(&mut out).unwrap();
    }
    let text = String::from_utf8(text).unwrap();
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(parse).collect()
}

/// Whether a cell is as expected: `Some("")`, or loosely so: the name of how.
fn difference(found: &Json, expected: &Json, column: &Json) -> Option<&'static str> {
    if found == expected {
        return Some("");
    }
    let kind = column["type"].as_str().unwrap();
    if found["json_diffs"].is_array() || found["diffs"].is_array() {
        return Some("partial update of a document that the image does not have");
    }
    let bytes = |cell: &Json| {
        let hex = cell["hex"].as_str().map(str::to_owned);
        hex.or_else(|| Some(values::hex(cell.as_str()?.as_bytes())))
    };
    let trimmed = |cell: &Json| bytes(cell).map(|hex| hex.trim_end_matches("00").to_owned());
    if values::is_padded(kind) && trimmed(found).is_some() && trimmed(found) == trimmed(expected) {
        return Some(match kind.starts_with("binary") {
            true => "BINARY without its padding",
            false => "INET4, INET6 and UUID",
        });
    }
    // Long values by hash: of the bytes where the charset is not known.
    let digest = |cell: &Json| {
        let big = ["text_big", "bytes_big", "json_big"]
            .iter()
            .find_map(|name| cell.get(name));
        let of_bytes = cell.get("hex_sha256").cloned();
        of_bytes.or_else(|| Some(big.unwrap_or(cell)["sha256"].clone()).filter(Json::is_string))
    };
    let is_same_digest = digest(found).is_some() && digest(found) == digest(expected);
    let is_same_hex = found["hex"].is_string() && found["hex"] == expected["hex"];
    if kind.starts_with("vector") && (is_same_hex || is_same_digest) {
        return Some("VECTOR of MariaDB");
    }
    if bytes(found).is_some() && bytes(found) == bytes(expected) {
        return Some("bytes whose charset is not known");
    }
    if is_same_digest {
        return Some("bytes whose charset is not known");
    }
    if found["num"].is_string() && found["num"] == expected["num"] {
        return Some("ENUM and SET without their members");
    }
    if found["double"].is_string() && found["double"] == expected["double"] {
        return kind
            .contains('(')
            .then_some("digits of FLOAT(M,D) and DOUBLE(M,D)");
    }
    if let (Some(found), Some(expected)) = (found.as_str(), expected.as_str()) {
        if found.trim_start_matches('0') == expected.trim_start_matches('0') {
            return Some("ZEROFILL");
        }
        if kind.contains("unsigned") && found.starts_with('-') {
            let bits = match kind.split(['(', ' ']).next().unwrap() {
                "tinyint" => 8,
                "smallint" => 16,
                "mediumint" => 24,
                "int" => 32,
                _ => 64,
            };
            let number = found.parse::<i64>().ok()?.cast_unsigned() & (u64::MAX >> (64 - bits));
            let same = number.to_string() == expected.trim_start_matches('0');
            return same.then_some("UNSIGNED without metadata");
        }
        let same = found.parse::<f64>().ok()? == expected.parse::<f64>().ok()?;
        return (same && kind.contains('(')).then_some("digits of FLOAT(M,D) and DOUBLE(M,D)");
    }
    None
}
