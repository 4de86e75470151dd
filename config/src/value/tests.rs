//! Tests of single values.

use super::{Value, read};
use crate::definition::find;

fn check(name: &str, text: &str, expected: Value, adjusted: bool) {
    let read = read(find(name).unwrap(), Some(text)).unwrap();
    assert_eq!(read.value, expected, "{name}={text}");
    assert_eq!(read.adjusted.is_some(), adjusted, "{name}={text}");
}

fn refused(name: &str, text: Option<&str>) -> String {
    read(find(name).unwrap(), text).err().unwrap()
}

#[test]
fn numbers_take_suffixes() {
    check("relay_log_space_limit", "0", Value::Unsigned(0), false);
    check(
        "relay_log_space_limit",
        "1k",
        Value::Unsigned(1 << 10),
        false,
    );
    check(
        "relay_log_space_limit",
        "2M",
        Value::Unsigned(2 << 20),
        false,
    );
    check(
        "relay_log_space_limit",
        "3G",
        Value::Unsigned(3 << 30),
        false,
    );
    check(
        "relay_log_space_limit",
        "4t",
        Value::Unsigned(4 << 40),
        false,
    );
    check(
        "relay_log_space_limit",
        "5P",
        Value::Unsigned(5 << 50),
        false,
    );
    check(
        "relay_log_space_limit",
        "1e",
        Value::Unsigned(1 << 60),
        false,
    );
}

#[test]
fn numbers_outside_the_range_are_moved_to_its_end() {
    check("max_binlog_size", "1", Value::Unsigned(4096), true);
    check("max_binlog_size", "9G", Value::Unsigned(1 << 30), true);
    check("max_binlog_size", "5000", Value::Unsigned(4096), true);
    check("max_binlog_size", "-1", Value::Unsigned(4096), true);
    check(
        "server_id",
        "99999999999999999999999",
        Value::Unsigned(4_294_967_295),
        true,
    );
    check("sync_binlog", "-0", Value::Unsigned(0), false);
}

#[test]
fn what_is_no_number_is_refused() {
    for text in ["", "x", "1x", "1KB", "0x10", "1.5", "K", "--1"] {
        assert!(
            refused("port", Some(text)).starts_with("0 to 65535"),
            "{text}"
        );
    }
    assert_eq!(refused("port", None), "a value");
}

#[test]
fn flags_take_the_words_of_mysql() {
    for (text, value) in [
        ("1", true),
        ("oN", true),
        ("TRUE", true),
        ("0", false),
        ("off", false),
    ] {
        check("read_only", text, Value::Flag(value), false);
    }
    assert_eq!(
        refused("read_only", Some("yes")),
        "ON, OFF, TRUE, FALSE, 1, 0"
    );
    assert_eq!(refused("log_replica_updates", Some("ON")), "OFF");
}

#[test]
fn choices_take_words_in_any_case_and_their_numbers() {
    check("binlog_format", "row", Value::Word("ROW"), false);
    check("binlog_format", "2", Value::Word("ROW"), false);
    check("gtid_mode", "3", Value::Word("ON"), false);
    check("enforce_gtid_consistency", "true", Value::Word("ON"), false);
    check("gtid_mode", "false", Value::Word("OFF"), false);
    assert_eq!(
        refused("binlog_format", Some("STATEMENT")),
        "ROW (not MIXED, STATEMENT)"
    );
    assert_eq!(
        refused("binlog_format", Some("7")),
        "ROW (not MIXED, STATEMENT)"
    );
}

#[test]
fn a_list_is_split_at_commas_and_each_part_checked() {
    let names = |names: &[&str]| Value::List(names.iter().map(|&name| name.to_owned()).collect());
    let expected = names(&["mysql", "information_schema"]);
    check(
        "replicate_ignore_db",
        "mysql, information_schema",
        expected,
        false,
    );
    check(
        "replicate_rewrite_db",
        "a -> b,c->d",
        names(&["a -> b", "c->d"]),
        false,
    );
    check(
        "bind_address",
        "127.0.0.1,::1",
        names(&["127.0.0.1", "::1"]),
        false,
    );
    assert_eq!(refused("replicate_do_db", Some("a,,b")), "database names");
    assert_eq!(
        refused("replicate_do_db", Some("channel:a")),
        "database names"
    );
    assert_eq!(refused("replicate_do_table", Some("a")), "database.table");
    assert_eq!(refused("replicate_rewrite_db", Some("a=>b")), "from->to");
}

#[test]
fn a_base_name_is_not_a_flag() {
    check(
        "log_bin",
        "master-bin",
        Value::Text("master-bin".to_owned()),
        false,
    );
    assert!(refused("log_bin", Some("OFF")).starts_with("a file base name"));
}

#[test]
fn seconds_are_kept_to_the_thousandth() {
    check(
        "source_heartbeat_period",
        "0.0015",
        Value::Seconds(1),
        false,
    );
    check(
        "source_heartbeat_period",
        "30",
        Value::Seconds(30_000),
        false,
    );
    for text in ["-1", "NaN", "inf", "x", "5000000"] {
        assert_eq!(
            refused("source_heartbeat_period", Some(text)),
            "0 to 4294967 seconds"
        );
    }
}
