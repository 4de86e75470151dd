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
fn a_group_or_table_that_nobody_reads_is_a_mistake() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("my.cnf", "[client]\nuser=x\n[mysqd]\nserver_id=7\n"),
        ("weir.toml", "server_id = 7\n\n[mysqd]\nport = 1\n"),
    ] {
        let file = directory.path().join(name);
        fs::write(&file, text).unwrap();
        let (code, _, stderr) = run(&["config", "check", &file.display().to_string()]);
        assert_eq!(code, 2, "{stderr}");
        assert!(stderr.contains(&format!("{name}:3: ")), "{stderr}");
        assert!(stderr.contains("did you mean [mysqld]?"), "{stderr}");
    }
}

#[test]
fn a_time_that_cannot_be_understood_is_refused_with_the_forms_that_can() {
    let file = corpus("binlog.000001");
    let (code, _, stderr) = run(&["binlog", "show", "--start-datetime", "14:03", &file]);
    assert_eq!(code, 2);
    assert!(stderr.contains("'14:03' is no point in time"), "{stderr}");
    assert!(stderr.contains("'2026-11-21 05:00:00'"), "{stderr}");
}

/// Offsets of the events that `weir binlog show` prints between two times, in a time zone.
fn shown_from(zone: &str, from: &str) -> String {
    let file = corpus("binlog.000001");
    let mut command = weir(&["binlog", "show", "--json", "--start-datetime", from, &file]);
    let output = command.env("TZ", zone).output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn times_are_read_as_they_are_shown_whatever_the_time_zone_here() {
    let (_, shown, _) = run(&["binlog", "show", &corpus("binlog.000001")]);
    let last = shown
        .lines()
        .rfind(|line| line.contains("Z  server"))
        .unwrap();
    let mut words = last.split("  ");
    let moment = words.nth(1).unwrap().trim_end_matches('Z').to_owned();
    let here = shown_from("UTC", &moment);
    assert!(here.lines().count() > 1, "{here}");
    for zone in ["Asia/Tokyo", "America/New_York"] {
        assert_eq!(here, shown_from(zone, &moment), "{zone}");
    }
    assert_eq!(here, shown_from("America/New_York", &format!("{moment}Z")));
}

#[test]
fn a_compressed_file_is_recognised() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("binlog.000001.gz");
    fs::write(&file, b"\x1f\x8b\x08\x00\x00\x00\x00\x00").unwrap();
    let (code, _, stderr) = run(&["binlog", "show", &file.display().to_string()]);
    assert_eq!(code, 1);
    assert!(stderr.contains("compressed by gzip"), "{stderr}");
    assert!(stderr.contains("gzip -dc FILE | weir binlog"), "{stderr}");
}

#[test]
fn errors_of_the_demo_name_the_path() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("a-file");
    fs::write(&file, "").unwrap();
    let below = file.join("demo").display().to_string();
    let (code, _, stderr) = run(&["demo", "--dir", &below]);
    assert_eq!(code, 1);
    assert!(stderr.contains(&format!("weir: {below}: ")), "{stderr}");
}

#[test]
fn initialize_says_where_the_password_of_root_is() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let arguments = [
        "primary",
        "--initialize",
        &format!("--datadir={}", data.display()),
    ];
    let output = weir(&arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    assert!(output.status.success(), "{text}");
    let file = data.join("initial-root-password");
    assert!(file.is_file(), "{text}");
    assert!(text.contains(&file.display().to_string()), "{text}");
    assert!(text.contains("root@localhost"), "{text}");
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
