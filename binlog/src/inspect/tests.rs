//! Tests on files that real servers wrote.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::{Inspector, Summary, value_text};
use crate::log::{LogError, LogFileName, LogReader, OsStorage, SimStorage, Storage};
use crate::value::Value;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn open(path: &Path) -> Result<Inspector, LogError> {
    let storage = OsStorage::new(path.parent().unwrap());
    let name = LogFileName::parse_path(path.to_str().unwrap()).unwrap();
    Inspector::new(LogReader::open(&storage, &name)?)
}

fn all(path: &Path) -> Result<(Vec<String>, Summary), LogError> {
    let mut inspector = open(path)?;
    let mut lines = Vec::new();
    while let Some(line) = inspector.next_line(true)? {
        lines.push(format!(
            "{} {} {}",
            line.offset,
            line.header.event_type.name(),
            line.info
        ));
        lines.extend(line.rows);
    }
    Ok((lines, inspector.summary().clone()))
}

#[test]
fn every_file_of_the_corpus_is_read_to_its_end() {
    let mut files = 0;
    for server in std::fs::read_dir(data()).unwrap() {
        for case in std::fs::read_dir(server.unwrap().path()).unwrap() {
            for file in std::fs::read_dir(case.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                if LogFileName::parse_path(path.to_str().unwrap()).is_none() {
                    continue;
                }
                let found = all(&path);
                let (lines, summary) = found.unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                assert!(!lines.is_empty() && summary.bytes > 0);
                files += 1;
            }
        }
    }
    assert!(files > 10);
}

#[test]
fn rows_are_shown_with_their_values() {
    let (lines, summary) = all(&data().join("mysql-9.7/types_int/binlog.000001")).unwrap();
    assert!(summary.transactions > 0 && summary.rows > 0, "{summary:?}");
    assert!(
        lines.iter().any(|line| line.starts_with("INSERT ")),
        "{lines:#?}"
    );
}

#[test]
fn a_flipped_bit_is_found_where_it_is() {
    let path = data().join("mysql-9.7/types_int/binlog.000001");
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let storage = SimStorage::new(1);
    let file = storage.create("b.000001").unwrap();
    crate::log::storage::write_all_at(file.as_ref(), 0, &bytes).unwrap();
    let name = LogFileName::new("b", 1);
    let mut inspector = Inspector::new(LogReader::open(&storage, &name).unwrap()).unwrap();
    let error = loop {
        match inspector.next_line(false) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the damage was not found"),
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("b.000001"), "{error}");
}

#[test]
fn values_are_shown_so_that_they_can_be_recognised() {
    let bytes = |bytes: &'static [u8]| Value::Bytes(Cow::Borrowed(bytes));
    assert_eq!(value_text(&bytes(b"it's")), "'it\\'s'");
    assert_eq!(value_text(&bytes(b"\xff\x00")), "0xff00");
    assert_eq!(value_text(&Value::Bit(5)), "b'101'");
    assert_eq!(value_text(&Value::Json(Cow::Borrowed(b""))), "'null'");
}
