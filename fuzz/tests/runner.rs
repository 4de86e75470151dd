//! The runner finds what is broken, and says which input it was.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::process::Command;

/// Runs the binary on a target that is broken; its exit status and what it printed.
fn run(target: &str) -> (Option<i32>, String) {
    let findings = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_fuzz"))
        .args(["--target", target, "--inputs", "2000", "--threads", "2"])
        .arg("--findings")
        .arg(findings.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let inputs = fs::read_dir(findings.path()).unwrap();
    let inputs: Vec<Vec<u8>> = inputs
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .collect();
    assert!(!inputs.is_empty(), "{text}");
    assert!(
        inputs.iter().all(|input| input.ends_with(&[7])),
        "{inputs:?}"
    );
    (output.status.code(), text)
}

#[test]
fn a_panic_is_found_with_its_place_and_input() {
    let (code, text) = run("broken_panic");
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains("FOUND broken_panic: panic at fuzz/src/targets.rs"),
        "{text}"
    );
    assert!(text.contains("an input that ends in 7"), "{text}");
}

#[test]
fn memory_beyond_the_limit_is_found() {
    let (code, text) = run("broken_memory");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("allocated 83886080 bytes at once"), "{text}");
}

#[test]
fn the_input_that_ends_the_process_is_found() {
    let (code, text) = run("broken_abort");
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("ended the process: signal: 6"), "{text}");
}
