//! `weir binlog` as its callers see it: inputs, exit codes, and the fields that machines rely on.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use serde_json::Value;

/// A binlog of MySQL 9.7.
fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/binlog.000001")
}

/// Exit code, standard output, standard error.
fn run(subcommand: &str, arguments: &[&str], input: &[u8]) -> (i32, String, String) {
    let output = Command::cargo_bin("weir")
        .unwrap()
        .args(["binlog", subcommand])
        .args(arguments)
        .write_stdin(input)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn stats_count_a_file_and_everything_in_front_of_damage() {
    let path = sample();
    let (code, out, _) = run("stats", &["--json", &text(&path)], b"");
    let whole = json(&out);
    let size = fs::metadata(&path).unwrap().len();
    assert_eq!((code, &whole["error"]), (0, &Value::Null));
    assert_eq!(
        (whole["size"].as_u64(), whole["end"].as_u64()),
        (Some(size), Some(size))
    );
    assert_eq!(whole["file"], text(&path).as_str());
    assert_eq!(whole["events"]["FORMAT_DESCRIPTION"]["count"], 1);
    assert!(whole["server_version"].as_str().unwrap().starts_with("9.7"));

    let bytes = fs::read(&path).unwrap();
    let cut = &bytes[..bytes.len() - 3];
    let (code, out, _) = run("stats", &["--json", "-"], cut);
    let damaged = json(&out);
    assert_eq!(code, 1);
    assert_eq!(damaged["error"]["offset"], damaged["end"]);
    assert!(damaged["error"]["event"].is_string());
    assert!(
        damaged["error"]["message"]
            .as_str()
            .unwrap()
            .contains("ends")
    );
    assert!(damaged["end"].as_u64().unwrap() < size);
}

#[test]
fn a_wrong_checksum_is_listed_and_an_error_only_if_asked() {
    let mut bytes = fs::read(sample()).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    let (code, out, _) = run("stats", &["--json", "-"], &bytes);
    let listed = json(&out);
    assert_eq!((code, &listed["error"]), (0, &Value::Null));
    let offset = &listed["crc_errors"][0];
    assert!(offset.is_u64());
    let (code, out, _) = run("stats", &["--json", "--verify", "-"], &bytes);
    assert_eq!((code, &json(&out)["error"]["offset"]), (1, offset));
}

#[test]
fn whatever_byte_of_an_event_is_damaged_all_events_are_counted() {
    let path = sample();
    let (_, out, _) = run("stats", &["--json", &text(&path)], b"");
    let whole = json(&out);
    let bytes = fs::read(&path).unwrap();
    let (_, shown, _) = run("show", &["--json", &text(&path)], b"");
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("binlog.000001");
    for event in shown.lines().map(json).skip(1) {
        let offset = event["offset"].as_u64().unwrap();
        let size = event["size"].as_u64().unwrap();
        for at in [19, 27, size / 2, size - 5] {
            let mut bytes = bytes.clone();
            bytes[usize::try_from(offset + at.min(size - 1)).unwrap()] ^= 0xff;
            fs::write(&damaged, bytes).unwrap();
            let (code, out, _) = run("stats", &["--json", &text(&damaged)], b"");
            let found = json(&out);
            let place = format!("{at} of {event}");
            assert_eq!((code, &found["error"]), (0, &Value::Null), "{place}");
            assert_eq!(found["crc_errors"], serde_json::json!([offset]), "{place}");
            assert_eq!(found["events"], whole["events"], "{place}");
            assert_eq!(found["end"], whole["end"], "{place}");
        }
    }
}

#[test]
fn patterns_and_indexes_stand_for_files_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = fs::read(sample()).unwrap();
    for name in ["binlog.999999", "binlog.1000000", "other.txt"] {
        fs::write(directory.path().join(name), &bytes).unwrap();
    }
    let index = directory.path().join("binlog.index");
    fs::write(&index, "./binlog.999999\n/nowhere/binlog.1000000\n").unwrap();
    let pattern = text(&directory.path().join("binlog.*[0-9]"));
    for input in [pattern, text(&index)] {
        let (code, out, err) = run("stats", &["--json", &input], b"");
        assert_eq!(code, 0, "{err}");
        let files: Vec<String> = out
            .lines()
            .map(|line| json(line)["file"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(files.len(), 2);
        assert!(files[0].ends_with("binlog.999999"), "{files:?}");
        assert!(files[1].ends_with("binlog.1000000"), "{files:?}");
    }
    let nothing = text(&directory.path().join("x.*"));
    assert_eq!(run("stats", &[&nothing], b"").0, 1);
}

#[test]
fn a_doubled_file_and_a_missing_one_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let bytes = fs::read(sample()).unwrap();
    for name in ["binlog.000001", "binlog.000003"] {
        fs::write(directory.path().join(name), &bytes).unwrap();
    }
    let pattern = text(&directory.path().join("binlog.*"));
    let (code, out, err) = run("verify", &["--json", &pattern], b"");
    assert_eq!(code, 1, "{err}");
    let verdicts: Vec<Value> = out.lines().map(json).collect();
    assert_eq!(verdicts[0]["valid"], true);
    let kinds: Vec<&str> = verdicts[1]["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["kind"].as_str().unwrap())
        .collect();
    assert!(
        kinds.contains(&"chain") && kinds.contains(&"gtids"),
        "{kinds:?}"
    );
    assert_eq!(run("verify", &["--separate", &pattern], b"").0, 0);
}

#[test]
fn what_is_found_can_be_cut_out_and_is_never_overwritten() {
    let path = text(&sample());
    let (code, out, _) = run("find", &["--json", &path], b"");
    assert_eq!(code, 0);
    let hits: Vec<Value> = out.lines().map(json).collect();
    let last = hits.last().unwrap();
    let gtid = last["gtid"].as_str().unwrap();
    assert_eq!(last["found"], "transaction");

    let directory = tempfile::tempdir().unwrap();
    let file = text(&directory.path().join("part.000001"));
    let arguments = ["--gtid", gtid, "-o", &file, &path];
    let (code, out, err) = run("cut", &arguments, b"");
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("1 transactions"), "{out}");
    let (_, out, _) = run("stats", &["--json", &file], b"");
    let cut = json(&out);
    assert_eq!(cut["gtids"], gtid);
    let before = last["transaction_offset"].as_u64().unwrap();
    assert!(cut["size"].as_u64().unwrap() < before);
    let (code, _, err) = run("cut", &arguments, b"");
    assert_eq!(code, 1);
    assert!(err.contains("exists already"), "{err}");
    let names: Vec<_> = fs::read_dir(directory.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");

    let none = "aaaaaaaa-0000-0000-0000-000000000000:1";
    assert_eq!(run("find", &["--gtid", none, &path], b"").0, 1);
    let arguments = ["--table", "a.b", "--key", "1", &path];
    assert_eq!(run("find", &arguments, b"").0, 1);
    assert_eq!(run("find", &["--key", "1", &path], b"").0, 2);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    // Bound and not listening any more: nobody else answers there.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let url = format!("mysql://root@127.0.0.1:{port}");
    for subcommand in ["show", "stats", "verify", "find"] {
        let (code, _, err) = run(subcommand, &[&url], b"");
        assert_eq!(code, 1);
        assert!(err.contains(&format!("127.0.0.1:{port}")), "{err}");
    }
    assert_eq!(run("show", &["--raw", &url], b"").0, 2);
}
