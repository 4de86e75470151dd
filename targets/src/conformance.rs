//! What every target must do, as one check over a bench that can look at the target's rows.
//!
//! It panics with the sentence that does not hold: it is called from tests only.

mod json;

use std::borrow::Cow;

use binlog::event::{
    Charset, ChecksumAlgorithm, EventHeader, EventType, FormatDescription, Query, StatusVariable,
    StatusVariables, XaId, XaName,
};
use binlog::row::{Column, ColumnType, RowsEncoder, RowsEvent, RowsFlags, RowsKind, TableMap};
use binlog::value::Value;

use binlog::log::SourceCoordinates;
use binlog::transaction::{StatementKind, TransactionGtid};
use gtid::GtidSet;

use super::{
    Applied, Logged, Mark, RowsChange, Session, StatementChange, StatementOutcome, Store,
    TargetError, UnitHead, Variables,
};

/// A target under test, and a look at what it holds.
pub trait Bench {
    /// The target's type.
    type Store: Store;

    /// Opens the target, as after a restart. The one opened before is gone.
    fn open(&mut self) -> Self::Store;

    /// The committed rows of a table, each as `value|value`, sorted; `None` if there is no such table.
    fn rows(&mut self, database: &str, table: &str) -> Option<Vec<String>>;
}

/// Checks the whole contract of [`Store`] and [`Session`] on an empty target.
pub fn check(bench: &mut impl Bench) {
    starts_with_nothing_applied(bench);
    commits_rows_with_their_position(bench);
    forgets_what_was_not_committed(bench);
    undoes_one_source_transaction(bench);
    reports_missing_and_duplicate_rows(bench);
    refuses_what_it_cannot_do(bench);
    replaces_what_is_applied(bench);
    json::changes_json_values_in_place(bench);
    keeps_what_is_prepared(bench);
}

fn keeps_what_is_prepared(bench: &mut impl Bench) {
    let store = bench.open();
    if store.traits().runs_xa {
        return;
    }
    let mut target = must(store.session(), "a session");
    let name = |gtrid: &'static [u8]| {
        XaName::from(XaId {
            format: 1,
            gtrid,
            bqual: b"b",
        })
    };
    let (one, other) = (name(b"one"), name(b"other"));
    let large: Vec<u8> = (0..700_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    must(target.keep(&one, 0, b"first"), "keep");
    must(target.keep(&one, 1, &large), "keep");
    must(target.keep(&other, 0, b"\0'\\"), "keep");
    commit(target.as_mut(), 101);
    drop(target);
    drop(store);
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    let kept = must(target.kept(&one, 1), "kept");
    assert!(kept.is_some_and(|kept| kept == large), "a large piece");
    must(target.forget(&one), "forget");
    must(target.rollback(), "rollback");
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    let kept = must(target.kept(&one, 0), "kept");
    assert_eq!(kept.as_deref(), Some(&b"first"[..]), "undone with its unit");
    must(
        target.keep(&one, 0, b"anew"),
        "keep in the place of what was kept",
    );
    assert_eq!(must(target.kept(&one, 1), "kept"), None);
    must(target.forget(&one), "forget");
    assert_eq!(must(target.kept(&one, 0), "kept"), None);
    let kept = must(target.kept(&other, 0), "kept");
    assert_eq!(kept.as_deref(), Some(&b"\0'\\"[..]));
    must(target.forget(&other), "forget");
    commit(target.as_mut(), 102);
}

fn starts_with_nothing_applied(bench: &mut impl Bench) {
    let position = must(bench.open().recover(), "recover on an empty store");
    assert_eq!(
        position,
        Applied::default(),
        "an empty store has applied nothing"
    );
}

fn commits_rows_with_their_position(bench: &mut impl Bench) {
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    for sql in [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a INT PRIMARY KEY, b VARCHAR(20))",
        "CREATE TABLE d.n (a INT, b VARCHAR(20))",
    ] {
        must(target.unit(&HEAD), "unit");
        assert_eq!(
            must(statement(target.as_mut(), sql), sql),
            StatementOutcome::Done,
            "{sql}"
        );
    }
    applies_each_kind_of_row(target.as_mut());
    commit(target.as_mut(), 4);
    drop(target);
    assert_eq!(
        bench.rows("d", "t"),
        Some(vec!["1|one".to_owned(), "20|two".to_owned()])
    );
    assert_eq!(
        bench.rows("d", "n"),
        Some(vec!["1|x".to_owned(), "2|y".to_owned()])
    );
    let recovered = must(bench.open().recover(), "recover");
    assert_eq!(
        recovered,
        position(4),
        "the position is committed with the rows"
    );
}

fn applies_each_kind_of_row(target: &mut dyn Session) {
    must(target.unit(&HEAD), "unit");
    write(
        target,
        "t",
        &[(1, Some("one")), (2, None), (3, Some("three"))],
    );
    write(target, "n", &[(1, Some("x")), (1, Some("x")), (2, None)]);
    must(target.unit(&HEAD), "unit");
    change(target, "t", RowsKind::Update, (2, None), (20, Some("two")));
    change(target, "t", RowsKind::Delete, (3, Some("three")), (0, None));
    // Of two equal rows without a key exactly one goes.
    change(target, "n", RowsKind::Delete, (1, Some("x")), (0, None));
    change(target, "n", RowsKind::Update, (2, None), (2, Some("y")));
}

fn forgets_what_was_not_committed(bench: &mut impl Bench) {
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    write(target.as_mut(), "t", &[(100, None)]);
    drop(target);
    let recovered = must(bench.open().recover(), "recover");
    assert_eq!(recovered, position(4), "what is not committed has no mark");
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    write(target.as_mut(), "t", &[(100, None)]);
    must(target.rollback(), "rollback");
    drop(target);
    assert_eq!(
        bench.rows("d", "t"),
        Some(vec!["1|one".to_owned(), "20|two".to_owned()])
    );
}

fn undoes_one_source_transaction(bench: &mut impl Bench) {
    let store = bench.open();
    let mut target = must(store.session(), "a session");
    if !store.traits().undoes_units {
        must(target.begin(&HEAD), "begin");
        must(target.unit(&HEAD), "unit");
        write(target.as_mut(), "t", &[(30, Some("kept"))]);
        commit(target.as_mut(), 5);
        undoes_all_of_a_commit(target.as_mut());
        drop(target);
        check_undone(bench);
        return;
    }
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    write(target.as_mut(), "t", &[(30, Some("kept"))]);
    must(target.unit(&HEAD), "unit");
    write(target.as_mut(), "t", &[(31, Some("undone"))]);
    must(
        statement(target.as_mut(), "CREATE TABLE d.u (a INT)"),
        "CREATE TABLE",
    );
    must(target.undo_unit(), "undo_unit");
    commit(target.as_mut(), 5);
    drop(target);
    check_undone(bench);
}

/// A target that undoes all units of a commit or none.
fn undoes_all_of_a_commit(target: &mut dyn Session) {
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    write(target, "t", &[(31, Some("undone"))]);
    must(target.unit(&HEAD), "unit");
    must(
        statement(target, "CREATE TABLE d.u (a INT)"),
        "CREATE TABLE",
    );
    must(target.rollback(), "rollback");
}

fn check_undone(bench: &mut impl Bench) {
    let expected = ["1|one", "20|two", "30|kept"].map(str::to_owned).to_vec();
    assert_eq!(bench.rows("d", "t"), Some(expected));
    assert_eq!(
        bench.rows("d", "u"),
        None,
        "DDL is undone with its transaction"
    );
}

fn reports_missing_and_duplicate_rows(bench: &mut impl Bench) {
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    let cases = [
        (
            RowsKind::Write,
            (1, None),
            1062,
            "Could not execute Write_rows event on table d.t; Duplicate entry '1' for key 't.PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY",
        ),
        (
            RowsKind::Update,
            (77, None),
            1032,
            "Could not execute Update_rows event on table d.t; Can't find record in 't', Error_code: 1032; handler error HA_ERR_KEY_NOT_FOUND",
        ),
        (
            RowsKind::Delete,
            (77, None),
            1032,
            "Could not execute Delete_rows event on table d.t; Can't find record in 't', Error_code: 1032; handler error HA_ERR_KEY_NOT_FOUND",
        ),
    ];
    for (kind, row, code, text) in cases {
        // Where rows are sent together, the commit tells.
        let result = apply(target.as_mut(), "t", kind, row, row);
        let result = result.and_then(|_| try_commit(target.as_mut(), 6));
        let error = fails(result, text);
        assert_eq!((error.code(), error.to_string().as_str()), (code, text));
        must(target.rollback(), "rollback");
        must(target.begin(&HEAD), "begin");
        must(target.unit(&HEAD), "unit");
    }
    let error = fails(
        apply(
            target.as_mut(),
            "missing",
            RowsKind::Write,
            (1, None),
            (1, None),
        ),
        "a missing table",
    );
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (1146, "Table 'd.missing' doesn't exist")
    );
    must(target.rollback(), "rollback");
}

fn refuses_what_it_cannot_do(bench: &mut impl Bench) {
    let mut target = session(bench);
    must(target.begin(&HEAD), "begin");
    must(target.unit(&HEAD), "unit");
    let error = fails(
        statement(target.as_mut(), "CREATE TEMPORARY TABLE d.x (a INT)"),
        "a temporary table",
    );
    assert_eq!(error.code(), 1235, "{error}");
    for (sql, construct) in [
        ("CREATE USER u IDENTIFIED BY 'p'", "CREATE USER"),
        (
            "CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW SET @a=1",
            "CREATE TRIGGER",
        ),
    ] {
        let outcome = must(statement(target.as_mut(), sql), construct);
        assert_eq!(outcome, StatementOutcome::NotKept { construct });
    }
    let error = fails(
        statement(target.as_mut(), "CREATE TABLE d.t (a INT)"),
        "a table that exists",
    );
    assert_eq!(
        error.to_string(),
        "Error 'Table 't' already exists' on query. Default database: 'd'. Query: 'CREATE TABLE d.t (a INT)'"
    );
    must(target.rollback(), "rollback");
}

fn replaces_what_is_applied(bench: &mut impl Bench) {
    must(bench.open().replace(&position(9)), "replace");
    assert_eq!(must(bench.open().recover(), "recover"), position(9));
    assert!(bench.rows("d", "t").is_some(), "the rows stay");
}

/// A row of the two test tables.
type TestRow<'a> = (i64, Option<&'a str>);

fn write(target: &mut dyn Session, table: &str, rows: &[TestRow<'_>]) {
    for row in rows {
        let count = must(
            apply(target, table, RowsKind::Write, *row, *row),
            "a row is written",
        );
        assert_eq!(count, 1);
    }
}

fn change(
    target: &mut dyn Session,
    table: &str,
    kind: RowsKind,
    before: TestRow<'_>,
    after: TestRow<'_>,
) {
    must(
        apply(target, table, kind, before, after),
        "a row is changed",
    );
}

fn apply(
    target: &mut dyn Session,
    table: &str,
    kind: RowsKind,
    before: TestRow<'_>,
    after: TestRow<'_>,
) -> Result<u64, TargetError> {
    let map = map(table);
    let mut encoder = must(RowsEncoder::new(kind, &map, RowsFlags(0)), "an encoder");
    must(encoder.push(&values(before), &values(after)), "an image");
    let body = encoder.finish(true).unwrap_or_default();
    let event_type = match kind {
        RowsKind::Write => EventType::WRITE_ROWS,
        RowsKind::Update => EventType::UPDATE_ROWS,
        RowsKind::Delete => EventType::DELETE_ROWS,
    };
    let event = must(
        RowsEvent::decode(
            event_type,
            codec::Reader::new(&body),
            ChecksumAlgorithm::None,
        ),
        "an event",
    );
    let description = description();
    let change = RowsChange {
        database: "d",
        map: &map,
        rows: &event,
        logged: logged(event_type, &description),
    };
    target.rows(&change).map(|outcome| outcome.applied)
}

fn values(row: TestRow<'_>) -> [Value<'_>; 2] {
    let text = row.1.map_or(Value::Null, |text| {
        Value::Bytes(Cow::Borrowed(text.as_bytes()))
    });
    [Value::Int(row.0), text]
}

fn map(table: &str) -> TableMap<'static> {
    let mut number = Column::new(ColumnType::LONG, 0, table == "n");
    number.unsigned = Some(false);
    let mut text = Column::new(ColumnType::VARCHAR, 80, true);
    text.charset = Some(255);
    let table_id = if table == "t" { 100 } else { 101 };
    TableMap::new(table_id, "d", table.to_owned(), vec![number, text])
}

fn statement(target: &mut dyn Session, sql: &str) -> Result<StatementOutcome, TargetError> {
    let charset = Charset {
        client: 255,
        connection: 255,
        server: 255,
    };
    let query = Query {
        thread_id: 1,
        exec_time: 0,
        error_code: 0,
        status: StatusVariables(vec![
            StatusVariable::SqlMode(0),
            StatusVariable::Charset(charset),
        ]),
        schema: b"d".as_slice().into(),
        sql: sql.as_bytes().into(),
    };
    let description = description();
    target.statement(&StatementChange {
        database: "d",
        query: &query,
        variables: &Variables::default(),
        file: None,
        kind: StatementKind::of(query.sql.as_ref()),
        logged: logged(EventType::QUERY, &description),
    })
}

/// The description of a log without checksums.
fn description() -> FormatDescription {
    FormatDescription::current("9.7.4", ChecksumAlgorithm::None)
}

fn logged(event_type: EventType, description: &FormatDescription) -> Logged<'_> {
    Logged {
        header: EventHeader::new(event_type, 1_700_000_000, 1),
        format: ChecksumAlgorithm::None.into(),
        description,
    }
}

/// A transaction of the source; the checks need no identifier of it.
const HEAD: UnitHead = UnitHead {
    gtid: TransactionGtid::None,
    commit_micros: None,
    server_id: 1,
};

fn session(bench: &mut impl Bench) -> Box<dyn Session> {
    must(bench.open().session(), "a session")
}

/// What is applied once `transactions` of the source are.
fn position(transactions: u64) -> Applied {
    let executed = format!("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-{transactions}");
    Applied {
        executed: must(executed.parse::<GtidSet>(), "a GTID set").into(),
        source: Some(SourceCoordinates {
            file: "binlog.000001".to_owned(),
            offset: transactions * 100,
        }),
        relay: None,
    }
}

/// Commits with the mark of [`position`], of which the last transaction is new.
fn commit(target: &mut dyn Session, transactions: u64) {
    must(target.flush(), "flush");
    must(try_commit(target, transactions), "commit");
}

fn try_commit(target: &mut dyn Session, transactions: u64) -> Result<(), TargetError> {
    let Applied {
        executed, source, ..
    } = position(transactions);
    let mark = Mark {
        added: &executed,
        source: source.as_ref(),
        relay: None,
    };
    target.commit(&mark)
}

#[expect(clippy::panic, reason = "a check reports by panicking")]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>, what: &str) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{what} failed: {error:?}"),
    }
}

#[expect(clippy::panic, reason = "a check reports by panicking")]
fn fails<T: std::fmt::Debug>(result: Result<T, TargetError>, what: &str) -> TargetError {
    match result {
        Ok(value) => panic!("{what} succeeded: {value:?}"),
        Err(error) => error,
    }
}
