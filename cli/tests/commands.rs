//! The binary as its callers see it: output, exit codes, nothing on the wrong stream.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::Value;

fn weir(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("weir").unwrap();
    command.args(arguments);
    command
}

/// Exit code, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    let output = weir(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn config_file(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../config/tests")
        .join(name);
    path.display().to_string()
}

fn corpus(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name);
    path.display().to_string()
}

#[test]
fn a_good_configuration_is_named_fit_for_its_role() {
    let file = config_file("seed-primary.cnf");
    let (code, stdout, stderr) = run(&["config", "check", &file]);
    assert_eq!(code, 0);
    assert_eq!(
        stdout,
        format!("{file}: fit for `weir primary`, with 1 warning\n")
    );
    assert!(
        stderr.contains("seed-primary.cnf:4: option 'expire_logs_days'"),
        "{stderr}"
    );
}

#[test]
fn every_option_is_shown_with_its_place() {
    let file = config_file("seed-replica.cnf");
    let (code, stdout, _) = run(&["config", "show", "--json", &file]);
    assert_eq!(code, 0);
    let shown: Value = serde_json::from_str(&stdout).unwrap();
    let option = &shown["options"]["replicate_ignore_db"];
    assert_eq!(option["value"], "mysql,information_schema");
    assert_eq!(option["origin"], format!("{file}:6"));
    assert_eq!(shown["options"]["port"]["origin"], "default");
    let (_, stdout, _) = run(&["config", "show", &file, "--", "--port=3399"]);
    assert!(stdout.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words == ["port", "3399", "command", "line"]
    }));
}

#[test]
fn a_wrong_configuration_ends_with_2_and_every_mistake() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("my.cnf");
    fs::write(&file, "[mysqld]\nbinlog_format=STATEMENT\nprot=1\n").unwrap();
    let file = file.display().to_string();
    let (code, stdout, stderr) = run(&["config", "check", &file]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(
        stderr.contains(&format!("weir: {file}:2: option 'binlog_format'")),
        "{stderr}"
    );
    assert!(
        stderr.contains(&format!("weir: {file}:3: unknown option 'prot'")),
        "{stderr}"
    );
    let (code, stdout, _) = run(&["config", "check", "--json", &file]);
    let verdict: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &verdict["valid"]), (2, &Value::Bool(false)));
    assert_eq!(verdict["errors"].as_array().unwrap().len(), 2);
    let (code, _, stderr) = run(&["primary", &format!("--defaults-file={file}")]);
    assert_eq!(code, 2);
    assert!(stderr.contains(":2: option 'binlog_format'"), "{stderr}");
}

#[test]
fn unknown_subcommands_and_arguments_end_with_2() {
    for arguments in [
        &["start"][..],
        &["status"],
        &["demo", "--seconds=0"],
        &["status", "x://y"],
    ] {
        assert_eq!(run(arguments).0, 2, "{arguments:?}");
    }
}

#[test]
fn the_help_of_a_role_lists_its_options() {
    let (code, stdout, _) = run(&["primary", "--help"]);
    assert_eq!(code, 0);
    assert!(
        stdout.contains("--sync-binlog=0 to 4294967295 [1]"),
        "{stdout}"
    );
}

#[test]
fn good_binlogs_are_verified_and_damaged_ones_named() {
    let good = corpus("binlog.000001");
    let directory = tempfile::tempdir().unwrap();
    let bad = directory.path().join("binlog.000001");
    let mut bytes = fs::read(&good).unwrap();
    bytes.truncate(bytes.len() - 5);
    fs::write(&bad, bytes).unwrap();
    let (code, stdout, _) = run(&["binlog", "verify", "--json", &good]);
    let summary: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!((code, &summary["valid"]), (0, &Value::Bool(true)));
    assert!(summary["transactions"].as_u64().unwrap() > 0);
    let (code, stdout, stderr) = run(&["binlog", "verify", &bad.display().to_string(), &good]);
    assert_eq!(code, 1);
    assert!(stdout.contains(&format!("{good}: ok")), "{stdout}");
    assert!(
        stderr.contains(&format!("weir: {}: offset", bad.display())),
        "{stderr}"
    );
}

#[test]
fn events_are_shown_with_their_rows() {
    let file = corpus("binlog.000001");
    let (code, stdout, _) = run(&["binlog", "show", "--rows", "--json", &file]);
    assert_eq!(code, 0);
    let events: Vec<Value> = stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(events[0]["type"], "FORMAT_DESCRIPTION");
    let inserts = events.iter().filter(|event| event["kind"] == "insert");
    let rows = inserts.flat_map(|event| event["rows"].as_array().unwrap());
    let mut images = rows.map(|row| (&row["before"], &row["after"]));
    assert!(images.any(|(before, after)| before.is_null() && after.is_array()));
}

#[test]
fn a_server_that_is_not_there_is_unreachable_and_ends_with_1() {
    // Bound and not listening any more: nobody else answers there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("mysql://root@127.0.0.1:{port}");
    let (code, stdout, _) = run(&["status", "--once", "--json", &url]);
    assert_eq!(code, 1);
    let look: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(look["servers"][0]["server"], format!("127.0.0.1:{port}"));
    assert!(look["servers"][0]["error"].is_string());
}
