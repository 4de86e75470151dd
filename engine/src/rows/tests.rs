//! Row operations, audited by SQLite's pre-update hook: the rows that it sees are the rows listed.

#![allow(
    unsafe_code,
    reason = "the hook has no safe binding without libclang at build time"
)]

use std::cell::RefCell;
use std::ffi::{c_char, c_int, c_void};

use binlog::value::{Date, DateTime, Decimal, Time, Timestamp, Value};

use super::*;
use crate::catalog::{BlobSize, Column, ColumnType, IntegerSize};
use crate::database::{Database, EngineOptions, EnginePosition};
use crate::execute::Writer;
use crate::session::SessionContext;
use crate::value::stored::column::{decode, decode_row, encode};
use sql::error::SqlError;
use sql::{ParseOptions, parse};

type Hook =
    unsafe extern "C" fn(*mut c_void, *mut c_void, c_int, *const c_char, *const c_char, i64, i64);

unsafe extern "C" {
    fn sqlite3_preupdate_hook(
        database: *mut c_void,
        hook: Option<Hook>,
        context: *mut c_void,
    ) -> *mut c_void;
}

const INSERT: c_int = 18;
const DELETE: c_int = 9;

thread_local! {
    /// Table and kind of each row change that SQLite made on this thread.
    static SEEN: RefCell<Vec<(String, &'static str)>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn observe(
    _context: *mut c_void,
    _database: *mut c_void,
    operation: c_int,
    _schema: *const c_char,
    table: *const c_char,
    _old: i64,
    _new: i64,
) {
    // SAFETY: SQLite passes a NUL-terminated name that lives for the call.
    let table = unsafe { std::ffi::CStr::from_ptr(table) }
        .to_string_lossy()
        .into_owned();
    let kind = match operation {
        INSERT => "insert",
        DELETE => "delete",
        _ => "update",
    };
    SEEN.with_borrow_mut(|seen| seen.push((table, kind)));
}

struct Bench {
    _directory: tempfile::TempDir,
    writer: Writer,
    session: SessionContext,
}

impl Bench {
    fn new() -> Bench {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).unwrap();
        let writer = Writer::open(&database).unwrap();
        // SAFETY: the handle is the writer's open connection and the hook is a plain function.
        unsafe {
            let handle = writer.connection().handle();
            sqlite3_preupdate_hook(handle.cast(), Some(observe), std::ptr::null_mut());
        }
        let mut bench = Bench {
            _directory: directory,
            writer,
            session: SessionContext::new(1),
        };
        bench.run("CREATE DATABASE d").unwrap();
        bench.session.database = Some("d".to_owned());
        bench
    }

    /// Executes a statement and holds what the hook saw against what was listed.
    fn run(&mut self, sql: &str) -> Result<Vec<RowChange>, SqlError> {
        let parsed = parse(sql.as_bytes(), &ParseOptions::default())?;
        self.session.warnings.clear();
        self.writer.begin_group().unwrap();
        let before = self.rows();
        let mut changes = Vec::new();
        SEEN.with_borrow_mut(Vec::clear);
        let result = self
            .writer
            .execute(&parsed.statement, &[], &mut self.session, &mut changes);
        if !parsed.statement.is_ddl() {
            match &result {
                Ok(_) => assert_eq!(seen_rows(), listed_rows(&changes), "{sql}"),
                Err(_) => {
                    assert!(
                        changes.is_empty(),
                        "a failed statement lists nothing: {sql}"
                    );
                    assert_eq!(
                        self.rows(),
                        before,
                        "a failed statement changes nothing: {sql}"
                    );
                }
            }
        }
        self.writer
            .commit_group(&EnginePosition::default())
            .unwrap();
        result.map(|_| changes)
    }

    fn rows(&mut self) -> Vec<Vec<Value<'static>>> {
        let tables: Vec<_> = self.writer.catalog().tables().map(Arc::clone).collect();
        let mut all = Vec::new();
        for table in tables {
            let columns: Vec<_> = table.columns.iter().map(Column::sqlite_name).collect();
            let sql = format!("SELECT {} FROM {}", columns.join(","), table.sqlite_name());
            let mut statement = self.writer.connection().prepare(&sql).unwrap();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                all.push(decode_row(&table, row, 0).unwrap());
            }
        }
        all
    }
}

fn seen_rows() -> Vec<(String, &'static str)> {
    let seen = SEEN.with_borrow(Clone::clone);
    seen.into_iter()
        .filter(|(table, _)| !table.starts_with("weir_"))
        .collect()
}

fn listed_rows(changes: &[RowChange]) -> Vec<(String, &'static str)> {
    let kind = |change: &RowChange| match (&change.before, &change.after) {
        (None, _) => "insert",
        (_, None) => "delete",
        _ => "update",
    };
    changes
        .iter()
        .map(|change| (change.table.sqlite_name(), kind(change)))
        .collect()
}

#[test]
fn the_hook_sees_exactly_the_rows_that_are_listed() {
    let mut bench = Bench::new();
    bench.run("CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b INT, c VARCHAR(9), UNIQUE (b), KEY (c))").unwrap();
    bench.run("CREATE TABLE n (a INT, b VARCHAR(5))").unwrap();
    let counts = [
        (
            "INSERT INTO t (b, c) VALUES (1, 'x'), (2, 'y'), (3, 'z')",
            3,
        ),
        ("UPDATE t SET c = 'w' WHERE b > 1", 2),
        ("UPDATE t SET c = 'w'", 1),
        ("UPDATE t SET c = c", 0),
        ("INSERT IGNORE INTO t (b, c) VALUES (1, 'q'), (4, 'r')", 1),
        ("REPLACE INTO t VALUES (1, 2, 'both go')", 3),
        (
            "INSERT INTO t (b, c) VALUES (4, 'v') ON DUPLICATE KEY UPDATE c = 'dup'",
            1,
        ),
        ("UPDATE t SET a = a + 100 ORDER BY a DESC", 3),
        ("INSERT INTO n VALUES (1, 'a'), (1, 'a'), (NULL, NULL)", 3),
        ("DELETE FROM n WHERE a = 1 LIMIT 1", 1),
        ("DELETE FROM n", 2),
        ("DELETE FROM t", 3),
    ];
    for (sql, count) in counts {
        let changes = bench
            .run(sql)
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
        assert_eq!(changes.len(), count, "{sql}");
    }
}

#[test]
fn a_statement_that_fails_half_way_leaves_nothing() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT PRIMARY KEY, b TINYINT)")
        .unwrap();
    bench.run("INSERT INTO t VALUES (1, 1), (5, 5)").unwrap();
    let error = bench
        .run("INSERT INTO t VALUES (3, 3), (4, 4), (5, 5)")
        .unwrap_err();
    assert_eq!(error.message, "Duplicate entry '5' for key 't.PRIMARY'");
    let error = bench
        .run("UPDATE t SET b = b + 125 ORDER BY a")
        .unwrap_err();
    assert_eq!(error.message, "Out of range value for column 'b' at row 2");
}

#[test]
fn ids_are_handed_out_once() {
    let mut bench = Bench::new();
    bench
        .run("CREATE TABLE t (a INT PRIMARY KEY AUTO_INCREMENT, b INT UNIQUE)")
        .unwrap();
    let id = |changes: Vec<RowChange>| {
        changes
            .last()
            .and_then(|change| change.after.clone())
            .map(|row| row[0].clone())
    };
    assert_eq!(
        id(bench.run("INSERT INTO t (b) VALUES (1)").unwrap()),
        Some(Value::Int(1))
    );
    bench.run("INSERT INTO t (b) VALUES (1)").unwrap_err();
    assert_eq!(
        id(bench.run("INSERT INTO t VALUES (0, 2)").unwrap()),
        Some(Value::Int(3)),
        "2 went with the duplicate"
    );
    bench.run("INSERT INTO t VALUES (10, 10)").unwrap();
    assert_eq!(
        id(bench.run("INSERT INTO t (b) VALUES (11)").unwrap()),
        Some(Value::Int(11))
    );
    bench.run("UPDATE t SET a = 20 WHERE a = 11").unwrap();
    bench.run("DELETE FROM t WHERE a = 20").unwrap();
    assert_eq!(
        id(bench.run("INSERT INTO t (b) VALUES (12)").unwrap()),
        Some(Value::Int(21))
    );
}

#[test]
fn every_type_survives_storage_in_order() {
    let text = |bytes: &'static [u8]| Value::Bytes(bytes.into());
    let utf8 = crate::collation::by_name("utf8mb4_bin").unwrap();
    let latin1 = crate::collation::by_name("latin1_swedish_ci").unwrap();
    let integer = |size, unsigned| ColumnType::Integer {
        size,
        unsigned,
        zerofill: false,
        width: None,
    };
    let decimal = |precision, scale| ColumnType::Decimal {
        precision,
        scale,
        unsigned: false,
        zerofill: false,
    };
    let number = |text: &str| Value::Decimal(text.parse::<Decimal>().unwrap());
    let moment = |year, micros| DateTime {
        year,
        month: 2,
        day: 3,
        hour: 4,
        minute: 5,
        second: 6,
        micros,
    };
    let time = |negative, hours, micros| {
        Value::Time(Time {
            negative,
            hours,
            minutes: 1,
            seconds: 2,
            micros,
        })
    };
    let cases: Vec<(ColumnType, Vec<Value<'static>>)> = vec![
        (
            integer(IntegerSize::Big, false),
            vec![Value::Int(i64::MIN), Value::Int(0), Value::Int(i64::MAX)],
        ),
        (
            integer(IntegerSize::Big, true),
            vec![
                Value::UInt(0),
                Value::UInt(1 << 62),
                Value::UInt(1 << 63),
                Value::UInt(u64::MAX),
            ],
        ),
        (
            decimal(18, 4),
            vec![
                number("-99999999999999.9999"),
                number("-0.5000"),
                number("0.0000"),
                number("12345.6789"),
            ],
        ),
        (
            decimal(65, 30),
            vec![
                number("-1e34"),
                number("-0.000000000000000000000000000001"),
                number("0"),
                number("1e-30"),
                number("99999999999999999999999999999999999"),
            ],
        ),
        (
            ColumnType::Float {
                digits: None,
                unsigned: false,
                zerofill: false,
            },
            vec![
                Value::Float(f32::MIN),
                Value::Float(-0.1),
                Value::Float(0.1),
                Value::Float(f32::MAX),
            ],
        ),
        (
            ColumnType::Double {
                digits: None,
                unsigned: false,
                zerofill: false,
            },
            vec![
                Value::Double(f64::MIN),
                Value::Double(1e-300),
                Value::Double(1.5),
            ],
        ),
        (
            ColumnType::Bit { width: 64 },
            vec![Value::Bit(0), Value::Bit(5), Value::Bit(u64::MAX)],
        ),
        (
            ColumnType::Year,
            vec![Value::Year(0), Value::Year(1901), Value::Year(2155)],
        ),
        (
            ColumnType::Date,
            vec![
                Value::Date(Date::default()),
                Value::Date(Date {
                    year: 2024,
                    month: 0,
                    day: 0,
                }),
                Value::Date(Date {
                    year: 9999,
                    month: 12,
                    day: 31,
                }),
            ],
        ),
        (
            ColumnType::DateTime { fsp: 6 },
            vec![
                Value::DateTime(DateTime::default()),
                Value::DateTime(moment(1000, 1)),
                Value::DateTime(moment(9999, 999_999)),
            ],
        ),
        (
            ColumnType::Time { fsp: 6 },
            vec![
                time(true, 838, 0),
                time(true, 0, 1),
                time(false, 0, 1),
                time(false, 838, 999_999),
            ],
        ),
        (
            ColumnType::Timestamp { fsp: 6 },
            vec![
                Value::Timestamp(Timestamp::default()),
                Value::Timestamp(Timestamp {
                    seconds: 1,
                    micros: 0,
                }),
                Value::Timestamp(Timestamp {
                    seconds: u32::MAX,
                    micros: 999_999,
                }),
            ],
        ),
        (
            ColumnType::Varchar {
                length: 9,
                collation: utf8,
            },
            vec![text(b""), text(b"A"), text(b"a"), text("é🙂".as_bytes())],
        ),
        (
            ColumnType::Char {
                length: 9,
                collation: latin1,
            },
            vec![text(b"a"), text(b"\xe9\x80")],
        ),
        (
            ColumnType::Binary { length: 3 },
            vec![text(b"\0\0\0"), text(b"a\0\0"), text(b"\xff\xff\xff")],
        ),
        (
            ColumnType::Blob {
                size: BlobSize::Long,
            },
            vec![text(b""), text(b"\0\xff")],
        ),
        (
            ColumnType::Enum {
                members: ["a".to_owned()].into(),
                collation: utf8,
            },
            vec![Value::Enum(0), Value::Enum(1)],
        ),
        (
            ColumnType::Set {
                members: ["a".to_owned()].into(),
                collation: utf8,
            },
            vec![Value::Set(0), Value::Set(1), Value::Set(u64::MAX)],
        ),
        (
            ColumnType::Json,
            vec![Value::Json(
                binlog::value::json::from_text("{\"a\": [1, 2.5, null]}")
                    .unwrap()
                    .into(),
            )],
        ),
    ];
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for known in crate::collation::all() {
        let compare = |a: &str, b: &str| {
            crate::collation::compare::compare(known, a.as_bytes(), b.as_bytes())
        };
        connection.create_collation(known.name, compare).unwrap();
    }
    for (n, (column_type, values)) in cases.into_iter().enumerate() {
        let collation = column_type.stored_collation().name;
        let collate = if collation == "binary" {
            String::new()
        } else {
            format!(" COLLATE {collation}")
        };
        connection
            .execute(&format!("CREATE TABLE t{n} (n, v{collate})"), [])
            .unwrap();
        // Backwards, so that the order cannot come from insertion.
        for (position, value) in values.iter().enumerate().rev() {
            let stored = encode(&column_type, value).unwrap();
            connection
                .execute(
                    &format!("INSERT INTO t{n} VALUES (?1, ?2)"),
                    rusqlite::params![i64::try_from(position).unwrap(), stored],
                )
                .unwrap();
        }
        let mut statement = connection
            .prepare(&format!("SELECT v FROM t{n} ORDER BY v"))
            .unwrap();
        let mut rows = statement.query([]).unwrap();
        let mut read = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            read.push(
                decode(&column_type, row.get_ref(0).unwrap())
                    .unwrap()
                    .into_owned(),
            );
        }
        assert_eq!(read, values, "{column_type}");
    }
}
