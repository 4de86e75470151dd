//! Updates that log changes of JSON values in place of the values.

use binlog::event::EventType;
use binlog::row::{Column, ColumnType, RowsEvent, TableMap};
use binlog::value::json::{self, JsonOperation};

use super::{Bench, HEAD, commit, description, fails, logged, must, statement};
use crate::{RowsChange, Session, Store as _, TargetError};

/// An operation, its path and its value.
type Change<'a> = (JsonOperation, &'a str, &'a str);

pub(super) fn changes_json_values_in_place(bench: &mut impl Bench) {
    use JsonOperation::{Insert, Remove, Replace};
    let store = bench.open();
    let undoes_units = store.traits().undoes_units;
    let mut target = must(store.session(), "a session");
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    must(
        statement(
            target.as_mut(),
            "CREATE TABLE d.j (a INT PRIMARY KEY, b JSON)",
        ),
        "CREATE TABLE",
    );
    for (key, text) in [(1, r#"{"x": 1, "y": [1, 2]}"#), (2, r#"{"x": 1}"#)] {
        must(insert(target.as_mut(), key, text), text);
    }
    must(target.unit(&HEAD), "unit");
    let all = [
        (Replace, "$.x", "\"new\""),
        (Insert, "$.y[1]", "true"),
        (Remove, "$.y[0]", ""),
        (Insert, "$.z", "{}"),
    ];
    // The before image holds the key alone: what is stored is changed.
    must(
        update(target.as_mut(), 1, None, &all),
        "a change of the row",
    );
    // It holds the value: that one is changed, whatever is stored.
    let logged = r#"{"x": 1, "w": 2}"#;
    let change = [(Replace, "$.x", "5")];
    must(update(target.as_mut(), 2, Some(logged), &change), logged);
    must(update(target.as_mut(), 2, None, &[]), "no change");
    commit(target.as_mut(), 20);
    must(target.begin(&HEAD), "begin");
    refuses_changes_that_do_not_fit(target.as_mut(), undoes_units);
    must(target.rollback(), "rollback");
    drop(target);
    let expected = [
        r#"1|{"x": "new", "y": [true, 2], "z": {}}"#,
        r#"2|{"w": 2, "x": 5}"#,
    ];
    assert_eq!(
        bench.rows("d", "j"),
        Some(expected.map(str::to_owned).to_vec())
    );
}

/// Undoes the open unit, and with it what shares its commit where one is not undone alone.
fn undo(target: &mut dyn Session, undoes_units: bool) {
    match undoes_units {
        true => must(target.undo_unit(), "undo_unit"),
        false => {
            must(target.rollback(), "rollback");
            must(target.begin(&HEAD), "begin");
        }
    }
}

fn refuses_changes_that_do_not_fit(target: &mut dyn Session, undoes_units: bool) {
    use JsonOperation::{Insert, Replace};
    let misfits: [(Option<&str>, Change<'_>); 3] = [
        (None, (Replace, "$.missing.q", "1")),
        (None, (Insert, "$.x", "1")),
        (Some("[]"), (Replace, "$.x", "1")),
    ];
    for (before, change) in misfits {
        must(target.unit(&HEAD), "unit");
        let path = change.1;
        let good = (Replace, "$.x", "\"lost\"");
        must(update(target, 1, None, &[good]), "a change that fits");
        let error = fails(update(target, 1, before, &[change]), path);
        let text = format!(
            "Could not execute Update_rows event on table d.j; Could not apply JSON diff in \
             table j, column b. (the JSON value before has no place for the change at `{path}`), \
             Error_code: 3648; handler error HA_ERR_GENERIC"
        );
        assert_eq!((error.code(), error.to_string()), (3648, text));
        undo(target, undoes_units);
    }
    must(target.unit(&HEAD), "unit");
    let damaged = apply(
        target,
        EventType::PARTIAL_UPDATE_ROWS,
        &minimal(1, &[9, 1, b'$']),
    );
    let error = fails(damaged, "an unknown operation");
    assert_eq!(error.code(), 3649, "{error}");
    undo(target, undoes_units);
}

fn insert(target: &mut dyn Session, key: u32, text: &str) -> Result<u64, TargetError> {
    let mut body = head(&[0b11]);
    body.push(0);
    body.extend(key.to_le_bytes());
    body.extend(sized(&binary(text)));
    apply(target, EventType::WRITE_ROWS, &body)
}

fn update(
    target: &mut dyn Session,
    key: u32,
    before: Option<&str>,
    changes: &[Change<'_>],
) -> Result<u64, TargetError> {
    let mut diffs = Vec::new();
    for (operation, path, value) in changes {
        diffs.push(match operation {
            JsonOperation::Replace => 0,
            JsonOperation::Insert => 1,
            JsonOperation::Remove => 2,
        });
        diffs.extend(short(path.as_bytes()));
        if *operation != JsonOperation::Remove {
            diffs.extend(short(&binary(value)));
        }
    }
    let Some(before) = before else {
        return apply(
            target,
            EventType::PARTIAL_UPDATE_ROWS,
            &minimal(key, &diffs),
        );
    };
    let mut body = head(&[0b11, 0b11]);
    body.push(0);
    body.extend(key.to_le_bytes());
    body.extend(sized(&binary(before)));
    body.extend([1, 1, 0]);
    body.extend(key.to_le_bytes());
    body.extend(sized(&diffs));
    apply(target, EventType::PARTIAL_UPDATE_ROWS, &body)
}

/// An update of one row with binlog_row_image=MINIMAL.
fn minimal(key: u32, diffs: &[u8]) -> Vec<u8> {
    let mut body = head(&[0b01, 0b10]);
    body.push(0);
    body.extend(key.to_le_bytes());
    // PARTIAL_JSON, the first JSON column holds changes, it is not NULL.
    body.extend([1, 1, 0]);
    body.extend(sized(diffs));
    body
}

/// Table 102, no flags, no extra data, two columns, and which of them the images have.
fn head(images: &[u8]) -> Vec<u8> {
    let mut body = vec![102, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2];
    body.extend(images);
    body
}

fn apply(target: &mut dyn Session, kind: EventType, body: &[u8]) -> Result<u64, TargetError> {
    let mut key = Column::new(ColumnType::LONG, 0, false);
    key.unsigned = Some(false);
    let document = Column::new(ColumnType::JSON, 4, true);
    let map = TableMap::new(102, "d", "j".to_owned(), vec![key, document]);
    let format = binlog::event::ChecksumAlgorithm::None;
    let event = RowsEvent::decode(kind, codec::Reader::new(body), format);
    let outcome = target.rows(&RowsChange {
        database: "d",
        map: &map,
        rows: &must(event, "an event"),
        logged: logged(kind, &description()),
    });
    outcome.map(|outcome| outcome.applied)
}

fn binary(text: &str) -> Vec<u8> {
    must(json::from_text(text), text)
}

/// Behind a length of four bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    let len = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&len.to_le_bytes(), bytes].concat()
}

/// Behind a length of one byte.
fn short(bytes: &[u8]) -> Vec<u8> {
    let len = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[len], bytes].concat()
}
