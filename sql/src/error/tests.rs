//! Error texts against the server's own.

use super::*;

#[test]
fn prints_like_the_mysql_client() {
    let error = SqlError::dup_entry("1", "t.PRIMARY");
    assert_eq!(
        error.to_string(),
        "ERROR 1062 (23000): Duplicate entry '1' for key 't.PRIMARY'"
    );
}

#[test]
fn names_the_feature_that_is_not_supported() {
    let error = SqlError::not_supported("triggers");
    assert_eq!(
        (error.code, error.state, error.message.as_str()),
        (
            1235,
            "42000",
            "This version of MySQL doesn't yet support 'triggers'"
        )
    );
}

#[test]
fn parameters_appear_in_the_order_of_the_text() {
    assert_eq!(
        SqlError::no_such_table("d", "t").message,
        "Table 'd.t' doesn't exist"
    );
    assert_eq!(
        SqlError::wrong_value_for_field("integer", "x", "n", 3).message,
        "Incorrect integer value: 'x' for column 'n' at row 3"
    );
    assert_eq!(
        SqlError::parse("foo", 2).message,
        "You have an error in your SQL syntax; check the manual that corresponds to your MySQL \
         server version for the right syntax to use near 'foo' at line 2"
    );
}

#[test]
fn a_warning_is_no_longer_than_mysqls_however_long_what_it_quotes() {
    let long = "é".repeat(300_000);
    let warning =
        SqlError::truncated_wrong_value("DOUBLE", long).into_warning(WarningLevel::Warning);
    assert_eq!(warning.message.len(), 511);
    assert!(warning.message.capacity() < 1024);
    let short = SqlError::truncated_wrong_value("DOUBLE", "x");
    let expected = "Truncated incorrect DOUBLE value: 'x'";
    assert_eq!(short.into_warning(WarningLevel::Warning).message, expected);
}
