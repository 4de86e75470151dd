//! What keeps SQL from meaning something else than the log.

use std::borrow::Cow;

use super::literal::{put_identifier, put_utf8, put_value};
use super::{SqlLines, SqlOptions, comment, statement};
use crate::cell::Shape;
use crate::fixture::Log;
use crate::output::Output;
use crate::render::{Render, Source};
use binlog::event::{EventFlags, EventType, Flavour};
use binlog::limits::Limits;
use binlog::log::LogFileName;
use binlog::row::{Column, ColumnType};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;
use binlog::value::Value;

fn text(put: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    put(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_statement_that_holds_the_delimiter_gets_another() {
    assert_eq!(text(|out| statement(out, b"COMMIT")), "COMMIT\n/*!*/;\n");
    let sql = b"SELECT '/*!*/; /*!0*/;'";
    assert_eq!(
        text(|out| statement(out, sql)),
        "DELIMITER /*!1*/;\nSELECT '/*!*/; /*!0*/;'\n/*!1*/;\nDELIMITER /*!*/;\n"
    );
}

#[test]
fn a_comment_stays_one() {
    assert_eq!(
        text(|out| comment(out, b"x\nDROP TABLE t;")),
        "# x DROP TABLE t;\n"
    );
}

#[test]
fn names_and_text_are_quoted_whatever_they_hold() {
    assert_eq!(text(|out| put_identifier(out, "a`b")), "`a``b`");
    assert_eq!(text(|out| put_utf8(out, "it's é")), "'it''s é'");
    assert_eq!(text(|out| put_utf8(out, "a\\b")), "_utf8mb4 0x615c62");
    assert_eq!(text(|out| put_utf8(out, "a\nb")), "_utf8mb4 0x610a62");
}

#[test]
fn literals_give_back_the_same_value() {
    let of = |value: Value<'_>, charset| {
        let mut column = Column::new(ColumnType::VARCHAR, 100, true);
        column.charset = charset;
        let shape = Shape::of(&column, Flavour::MySql);
        text(|out| assert!(put_value(out, &value, shape)))
    };
    assert_eq!(of(Value::Float(0.1), None), "0.10000000149011612e0");
    assert_eq!(of(Value::Double(1e300), None), "1e300");
    assert_eq!(of(Value::Bit(6), None), "b'110'");
    let bytes = || Value::Bytes(Cow::Borrowed(b"\xe9".as_slice()));
    assert_eq!(of(bytes(), Some(8)), "_latin1 0xe9");
    assert_eq!(of(bytes(), Some(63)), "0xe9");
    assert_eq!(of(Value::Bytes(Cow::Borrowed(b"")), Some(63)), "''");
}

/// The SQL of `log` without the events at `hidden`, by their number from 0.
fn sql_without(log: &Log, hidden: &[usize], options: SqlOptions) -> String {
    let name = LogFileName::new("binlog", 1);
    let source = Source {
        label: "binlog.000001",
        name: &name,
    };
    let mut reader = TransactionReader::new(EventStream::new(log.reader(), Limits::default()));
    let (mut lines, mut out, mut number) = (SqlLines::new(options), Output::new(Vec::new()), 0);
    while let Some(step) = reader.next().unwrap() {
        if !hidden.contains(&number) {
            lines.event(source, &step, &mut out).unwrap();
        }
        number += 1;
    }
    String::from_utf8(out.buffer().clone()).unwrap()
}

#[test]
fn rows_never_stand_in_a_binlog_statement_that_lacks_their_table() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN");
    // A statement on two tables, of which the second is not asked for.
    log.table(1).table(2).rows(1, false).rows(2, true);
    log.table(3).rows(3, true).xid();
    let sql = sql_without(&log, &[4, 6], SqlOptions::default());
    // The format description, and one for each statement.
    assert_eq!(sql.matches("BINLOG '").count(), 3, "{sql}");
    assert_eq!(
        sql.matches("BINLOG '").count(),
        sql.matches("\n'/*!*/;").count()
    );
}

#[test]
fn without_gtids_the_session_chooses_them_again_behind_a_format_description() {
    let mut log = Log::mysql();
    log.gtid(1).query("BEGIN").table(1).rows(1, true).xid();
    let automatic = "SET @@SESSION.GTID_NEXT='AUTOMATIC'";
    let options = SqlOptions {
        skip_gtids: true,
        ..SqlOptions::default()
    };
    let sql = sql_without(&log, &[], options);
    let (at, begin) = (sql.find(automatic).unwrap(), sql.find("BEGIN").unwrap());
    assert!(sql.find("BINLOG '").unwrap() < at && at < begin, "{sql}");
    let sql = sql_without(&log, &[], SqlOptions::default());
    assert!(!sql.contains(automatic), "{sql}");
}

#[test]
fn an_unknown_event_is_refused_unless_the_log_says_that_it_may_be_passed_over() {
    for (flags, is_refused) in [(EventFlags(0), true), (EventFlags::IGNORABLE, false)] {
        let mut log = Log::mysql();
        log.gtid(1).query("BEGIN");
        log.raw(EventType(200), flags, b"what is it");
        log.table(1).rows(1, true).xid();
        let name = LogFileName::new("binlog", 1);
        let source = Source {
            label: "binlog.000001",
            name: &name,
        };
        let mut lines = SqlLines::new(SqlOptions::default());
        let mut out = Output::new(Vec::new());
        let mut reader = TransactionReader::new(EventStream::new(log.reader(), Limits::default()));
        let mut refused = None;
        while let Some(step) = reader.next().unwrap() {
            if let Err(error) = lines.event(source, &step, &mut out) {
                refused = Some(error.to_string());
                break;
            }
        }
        assert_eq!(refused.is_some(), is_refused, "{refused:?}");
        assert!(refused.is_none_or(|text| text.contains("UNKNOWN_200")));
    }
}
