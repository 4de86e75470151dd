//! The demo itself as a test: kills included, the copies must be identical and nothing may be left.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use assert_cmd::Command;
use serde_json::Value;

#[test]
fn the_demo_ends_with_identical_copies_and_no_process() {
    let directory = tempfile::tempdir().unwrap();
    let nodes = directory.path().join("nodes");
    let mut command = Command::cargo_bin("weir").unwrap();
    command
        .args(["demo", "--json", "--seconds=5", "--dir"])
        .arg(&nodes);
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{stdout}\n{stderr}");
    let found: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        (&found["identical"], &found["missing"]),
        (&Value::Bool(true), &Value::from(0))
    );
    assert_eq!(found["kills"], 5);
    assert!(found["transactions"].as_u64().unwrap() > 0);
    for name in ["p50", "p99", "max"] {
        assert!(found["lag_ms"][name].is_number(), "{found}");
    }
    // A node that still ran would hold the lock of its data directory.
    for name in ["primary", "replica-1", "replica-2"] {
        let lock = fs::File::open(nodes.join(name).join("weir.lock")).unwrap();
        lock.try_lock().unwrap();
    }
}
