//! What MySQL 9.7 answered, value by value: the rules that its readers have.

use super::{Coercion, NullPolicy};
use crate::catalog::{Column, ColumnDefault, ColumnId, ColumnType, IntegerSize};
use crate::rows::text::value_text;
use crate::session::{SessionContext, TimeZone};
use crate::value::datum::Datum;
use sql::SqlMode;

fn column(column_type: ColumnType) -> Column {
    Column {
        id: ColumnId(1),
        name: "v".to_owned(),
        column_type,
        has_explicit_collation: false,
        nullable: true,
        default: ColumnDefault::Null,
        on_update_now: false,
        auto_increment: false,
        generated: None,
        invisible: false,
        comment: String::new(),
        storage: Vec::new(),
    }
}

/// Stores a value with every check off; the stored text and the numbers of the warnings.
fn store(column_type: &ColumnType, value: Datum) -> (String, Vec<u16>) {
    let mut session = SessionContext::new(1);
    session.sql_mode = SqlMode::default();
    let column = column(column_type.clone());
    let mut coercion = Coercion::new(&session, false, NullPolicy::Error);
    let stored = coercion.store(&column, value.into()).unwrap();
    let warnings = coercion.warnings.iter().map(|warning| warning.code);
    let text = value_text(&column, &stored, &TimeZone::utc());
    (text, warnings.collect())
}

fn check_texts(column_type: &ColumnType, cases: &[(&str, &str, &[u16])]) {
    for (given, stored, warnings) in cases {
        let (text, found) = store(column_type, Datum::text(*given));
        assert_eq!(
            (text.as_str(), found.as_slice()),
            (*stored, *warnings),
            "{given:?}"
        );
    }
}

#[test]
fn texts_become_times_as_in_mysql() {
    check_texts(
        &ColumnType::Time { fsp: 6 },
        &[
            ("10:11:12.000000", "10:11:12.000000", &[]),
            ("00:01:02.000001", "00:01:02.000001", &[]),
            ("00:00:01.1234561119", "00:00:01.123457", &[]),
            ("839:00:00", "838:59:59.000000", &[1264]),
            ("99999999999:00:00", "00:00:00.000000", &[]),
            ("2001-01-01 10:00:00.5", "10:00:00.500000", &[1265]),
            ("10:61", "00:00:00.000000", &[1264]),
            ("1 10:11:12 x", "34:11:12.000000", &[4096, 1265]),
            ("1  10:11:12", "34:11:12.000000", &[4096]),
            ("2001-13-00 10:11:12", "00:00:00.000000", &[1265]),
            ("x", "00:00:00.000000", &[1265]),
            ("10:11:12Z", "10:11:12.000000", &[1265]),
            ("41234567890", "00:00:00.000000", &[]),
        ],
    );
}

#[test]
fn texts_become_dates_and_moments_as_in_mysql() {
    check_texts(
        &ColumnType::DateTime { fsp: 6 },
        &[
            (
                "2001-00-00 10:10:10.9999999",
                "0000-00-00 00:00:00.000000",
                &[1264],
            ),
            (
                "9999-12-31 23:59:59.9999999",
                "0000-00-00 00:00:00.000000",
                &[1441, 1264],
            ),
            (
                "2500-01-01 10:00:00+05:30",
                "2500-01-01 04:30:00.000000",
                &[],
            ),
            (
                "1960-01-01 10:00:00+05:30",
                "0000-00-00 00:00:00.000000",
                &[1264],
            ),
            ("10:11:12", "2010-11-12 00:00:00.000000", &[4095]),
            ("2001/01/01", "2001-01-01 00:00:00.000000", &[4095]),
            ("2001-01-01 ", "2001-01-01 00:00:00.000000", &[4096]),
            (
                "2001-01-01 T10:00:00",
                "2001-01-01 00:00:00.000000",
                &[1265],
            ),
            ("20010101 101010", "0000-00-00 00:00:00.000000", &[1265]),
            (
                "2001-01-01 10:00:00-",
                "0000-00-00 00:00:00.000000",
                &[1265],
            ),
        ],
    );
    check_texts(
        &ColumnType::Date,
        &[
            ("2001-01-01 23:59:59.9", "2001-01-02", &[]),
            ("00-00-00", "0000-00-00", &[]),
            ("5-10-10", "0005-10-10", &[]),
        ],
    );
}

#[test]
fn numbers_become_times_as_in_mysql() {
    let time = ColumnType::Time { fsp: 6 };
    for (given, stored, warnings) in [
        (123_456_789, "838:59:59.000000", vec![1264]),
        (-9_000_000, "-838:59:59.000000", vec![1264]),
        (20_010_101_101_112, "10:11:12.000000", vec![1265]),
        (6060, "00:00:00.000000", vec![1264]),
    ] {
        let (text, found) = store(&time, Datum::Int(given));
        assert_eq!((text.as_str(), found), (stored, warnings), "{given}");
    }
}

#[test]
fn texts_become_numbers_as_in_mysql() {
    check_texts(
        &ColumnType::Integer {
            size: IntegerSize::Big,
            unsigned: false,
            zerofill: false,
            width: None,
        },
        &[
            ("1e4294967297", "10", &[]),
            ("1e-9223372036854775808", "9223372036854775807", &[1264]),
            ("1.5e", "2", &[]),
            ("1e-", "1", &[]),
            ("-0.5", "-1", &[]),
            ("123456789012345678901234567890e-28", "12", &[]),
            ("abc", "0", &[1366]),
            ("12abc", "12", &[1265]),
        ],
    );
    check_texts(
        &ColumnType::Decimal {
            precision: 40,
            scale: 5,
            unsigned: false,
            zerofill: false,
        },
        &[
            ("1e-4294967296", "0.00000", &[1265]),
            ("123456789e-82", "0.00000", &[1265, 1265]),
            ("1e35", "99999999999999999999999999999999999.99999", &[1264]),
            ("12-", "12.00000", &[1265]),
            ("abc", "0.00000", &[1366]),
            (
                "0.000004999999999999999999999999999999999999",
                "0.00000",
                &[1265],
            ),
        ],
    );
}

#[test]
fn doubles_keep_as_many_digits_as_fit() {
    for (value, width, text) in [
        (std::f64::consts::PI, 10, "3.14159265"),
        (1e7, 3, "1e7"),
        (650.0625, 5, "650.1"),
        (1e-5, 6, "1e-5"),
        (1.234_567_890_123_456_7e-4, 22, "0.00012345678901234567"),
        (-1.234_567_890_123_456_7e-4, 22, "-1.2345678901234567e-4"),
        (1e20, 200, "1e20"),
        (-0.0, 40, "-0"),
        (20_010_101_101_112.0, 6, "2e13"),
    ] {
        assert_eq!(
            crate::value::double_text::fitted(value, width),
            (text.to_owned(), false)
        );
    }
}
