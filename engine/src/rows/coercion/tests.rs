//! What MySQL 9.7 answered, value by value: the rules that its readers have.

use binlog::value::Value;

use super::{Coercion, NullPolicy, parameter};
use crate::catalog::{Column, ColumnDefault, ColumnId, ColumnType, IntegerSize};
use crate::rows::text::value_text;
use crate::session::{SessionContext, TimeZone};
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use crate::value::temporal::Moment;
use sql::SqlMode;

fn column(column_type: ColumnType) -> Column {
    Column {
        shown: None,
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

fn session() -> SessionContext {
    let mut session = SessionContext::new(1);
    session.sql_mode = SqlMode::default();
    session
}

/// Stores a value with every check off; the stored text and the numbers of the warnings.
fn store(column_type: &ColumnType, value: impl Into<Sourced>) -> (String, Vec<u16>) {
    store_in(&session(), column_type, value)
}

fn store_in(
    session: &SessionContext,
    column_type: &ColumnType,
    value: impl Into<Sourced>,
) -> (String, Vec<u16>) {
    let column = column(column_type.clone());
    let mut coercion = Coercion::new(session, false, NullPolicy::Error);
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
            ("2032-09-01 06:33:11.0228016-", "00:20:32.000000", &[1265]),
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

fn decimal_type(precision: u8, scale: u8) -> ColumnType {
    ColumnType::Decimal {
        precision,
        scale,
        unsigned: false,
        zerofill: false,
    }
}

fn integer_type(size: IntegerSize, unsigned: bool) -> ColumnType {
    ColumnType::Integer {
        size,
        unsigned,
        zerofill: false,
        width: None,
    }
}

/// Stores texts that are given as parameters.
fn check_parameters(
    session: &SessionContext,
    column_type: &ColumnType,
    cases: &[(&str, &str, &[u16])],
) {
    for (given, stored, warnings) in cases {
        let given_column = column(column_type.clone());
        let value = parameter(session, &given_column, Datum::text(*given).into()).unwrap();
        let (text, found) = store_in(session, column_type, value);
        assert_eq!(
            (text.as_str(), found.as_slice()),
            (*stored, *warnings),
            "{given:?}"
        );
    }
}

#[test]
fn exact_numbers_are_cut_to_nine_groups_of_nine_digits_as_in_mysql() {
    let long = "123456789".repeat(10);
    let rows: [(String, &str, &[u16]); 9] = [
        // With an exponent only what has no room behind it is cut.
        (format!("1234567891.{long}"), "1234567891", &[1265, 1265]),
        (format!("1234567891.{long}e0"), "1234567891", &[1265]),
        (
            format!("{}e-73", long.split_at(81).0),
            "12345679",
            &[1265, 1265],
        ),
        (format!("{}e-72", long.split_at(81).0), "123456789", &[1265]),
        // A zero before the point takes a group.
        (format!("0.{}", long.split_at(81).0), "0", &[1265, 1265]),
        (format!(".{}", long.split_at(81).0), "0", &[1265]),
        (
            format!("1{}e-81", "0".repeat(81)),
            "999999999999999999999999999999",
            &[1264],
        ),
        (
            "0e1073741824".to_owned(),
            "999999999999999999999999999999",
            &[1264],
        ),
        ("0e-1073741825".to_owned(), "0", &[1265]),
    ];
    for (given, stored, warnings) in &rows {
        check_texts(
            &decimal_type(30, 0),
            &[(given.as_str(), *stored, *warnings)],
        );
    }
}

#[test]
fn text_parameters_with_more_digits_than_exact_numbers_have_are_doubles_as_in_mysql() {
    let session = session();
    let zeros = "0".repeat(90);
    let half = format!("6.5{zeros} ");
    let long = format!("12345678901234567891.5{zeros}");
    check_parameters(
        &session,
        &integer_type(IntegerSize::Int, false),
        &[
            (" 680064706018503185099.4567e-94\t", "0", &[]),
            (half.as_str(), "6", &[]),
            ("6.5 ", "7", &[]),
            ("1e 85", "2147483647", &[1264, 1264]),
            ("745E86x", "2147483647", &[1264, 1264]),
            ("1e -85 ", "1", &[1265]),
        ],
    );
    check_parameters(
        &session,
        &integer_type(IntegerSize::Big, true),
        &[(long.as_str(), "12345678901234567168", &[])],
    );
    check_parameters(
        &session,
        &decimal_type(30, 0),
        &[
            ("1e -400", "0", &[1265]),
            ("1e 85", "999999999999999999999999999999", &[1264]),
            ("1e-1999999999", "0", &[]),
            ("1e-2147483640", "0", &[1265]),
            (long.as_str(), "12345678901234567000", &[]),
        ],
    );
    let bits = |given: &str| {
        let column_type = ColumnType::Bit { width: 64 };
        let value = parameter(
            &session,
            &column(column_type.clone()),
            Datum::text(given).into(),
        );
        store(&column_type, value.unwrap()).1
    };
    assert_eq!(bits("-745E86x"), [1264]);
    assert_eq!(bits("1e80x"), [0_u16; 0]);
}

#[test]
fn offsets_of_parameters_that_are_rounded_up_are_forgotten_as_in_mysql() {
    let mut session = session();
    session.time_zone = TimeZone::by_name("+05:30").unwrap();
    check_parameters(
        &session,
        &ColumnType::DateTime { fsp: 5 },
        &[
            (
                "9999-03-31  00-03-00.9999999-14:00",
                "9999-03-31 00:03:01.00000",
                &[],
            ),
            (
                "1983-04-03 23:11:54.9999994+00:00",
                "1983-04-04 04:41:55.00000",
                &[],
            ),
            (
                "9999-12-31 23:59:59+14:00",
                "9999-12-31 15:29:59.00000",
                &[],
            ),
            (
                "0001-01-01 00:00:00+14:00",
                "0000-12-30 15:30:00.00000",
                &[],
            ),
        ],
    );
    let column = column(ColumnType::DateTime { fsp: 0 });
    for (given, shown) in [
        ("9999-12-31 23:59:59-01:00", "0000-01-01 06:29:59"),
        ("0000-01-01 00:00:00+14:00", "0095-12-31 15:30:00"),
    ] {
        let error = parameter(&session, &column, Datum::text(given).into()).unwrap_err();
        assert_eq!(
            error.message,
            format!("Truncated incorrect temporal value: '{shown}'")
        );
    }
}

#[test]
fn what_is_left_over_behind_the_end_of_the_calendar_is_said_as_in_mysql() {
    check_texts(
        &ColumnType::Timestamp { fsp: 0 },
        &[
            (
                "9999-12-31 23:59:59.99999x9",
                "0000-00-00 00:00:00",
                &[1441, 1265, 1264],
            ),
            (
                "2001-00-00 23:59:59.9999999x9",
                "0000-00-00 00:00:00",
                &[1264],
            ),
        ],
    );
    check_texts(
        &ColumnType::DateTime { fsp: 0 },
        &[
            ("4.9.12 12::32:55", "2004-09-12 12:32:55", &[4096]),
            ("4.9.12 1:2:3.5/", "2004-09-12 01:02:04", &[]),
        ],
    );
}

#[test]
fn columns_are_copied_to_years_as_in_mysql() {
    let copied = |value: Datum| store(&ColumnType::Year, Sourced::from(value).copied());
    assert_eq!(
        copied(Datum::Json("\"2001-01-01\"".into())),
        ("2001".to_owned(), vec![3156])
    );
    assert_eq!(
        copied(Datum::Json("true".into())),
        ("2001".to_owned(), vec![])
    );
    let last = Moment {
        hour: 23,
        minute: 59,
        second: 59,
        micros: 900_000,
        ..Moment::date(9999, 12, 31)
    };
    assert_eq!(
        copied(Datum::DateTime(last, 4)),
        ("0000".to_owned(), vec![1441, 1264])
    );
}

#[test]
fn digits_of_doubles_beyond_a_decimal_are_said_to_be_lost_as_in_mysql() {
    assert_eq!(
        store(&decimal_type(65, 30), Datum::Float(4.374_469_4e-25)),
        ("0.000000000000000000000000437447".to_owned(), vec![1265])
    );
}

#[test]
fn doubles_of_fixed_digits_show_zeros_behind_the_shortest_ones_as_in_mysql() {
    use crate::value::double::format_fixed;
    assert_eq!(format_fixed(1e23, 2), "100000000000000000000000.00");
    assert_eq!(format_fixed(0.1, 20), "0.10000000000000000000");
    assert_eq!(format_fixed(123_456_789.987_654_32, 5), "123456789.98765");
    assert_eq!(format_fixed(7.0, 0), "7");
}

#[test]
fn blanks_before_what_is_no_text_name_no_member_as_in_mysql() {
    let column_type = ColumnType::Enum {
        members: vec!["a".to_owned(), String::new()].into(),
        collation: &crate::collation::UTF8MB4_0900_AI_CI,
    };
    for (given, number) in [
        (b" \xff".as_slice(), 0),
        (b"\xff", 2),
        (b" ", 2),
        (b"a\xff", 1),
        (b"a \xff", 0),
        (b"2\xff", 0),
    ] {
        let column = column(column_type.clone());
        let session = session();
        let mut coercion = Coercion::new(&session, false, NullPolicy::Error);
        let stored = coercion.store(&column, Datum::Text(given.to_vec()).into());
        assert_eq!(stored, Ok(Value::Enum(number)), "{given:?}");
    }
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
