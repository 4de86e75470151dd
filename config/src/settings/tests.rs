//! Tests of what only whole settings can get wrong.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{LogBaseName, SourcePosition};
use crate::{PrimarySettings, ReplicaSettings};

fn source(arguments: &[&str]) -> super::SourceSettings {
    ReplicaSettings::load(arguments.iter().copied())
        .unwrap()
        .settings
        .source
}

fn refused(arguments: &[&str]) -> String {
    ReplicaSettings::load(arguments.iter().copied())
        .unwrap_err()
        .to_string()
}

fn primary_refused(arguments: &[&str]) -> String {
    PrimarySettings::load(arguments.iter().copied())
        .unwrap_err()
        .to_string()
}

#[test]
fn log_names_are_taken_from_the_data_directory() {
    let datadir = Path::new("/data");
    let check = |written, index, directory: &str, base: &str, index_path: &str| {
        let name = LogBaseName::new(datadir, written, index);
        assert_eq!(name.directory, PathBuf::from(directory));
        assert_eq!(name.base, base);
        assert_eq!(name.index, PathBuf::from(index_path));
    };
    check("binlog", None, "/data", "binlog", "/data/binlog.index");
    check("logs/b.log", None, "/data/logs", "b", "/data/logs/b.index");
    check("/logs/b", Some("i"), "/logs", "b", "/data/i.index");
    check("b", Some("/x/list.idx"), "/data", "b", "/x/list.idx");
}

#[test]
fn the_position_follows_from_what_is_written() {
    let file = |file: &str, position| SourcePosition::File {
        file: file.to_owned(),
        position,
    };
    assert_eq!(source(&[]).position, SourcePosition::Auto);
    assert_eq!(source(&["--gtid-mode=OFF"]).position, file("", 4));
    assert_eq!(
        source(&["--source-log-file=b.7", "--source-log-pos=99"]).position,
        file("b.7", 99)
    );
    assert_eq!(source(&["--source-auto-position=0"]).position, file("", 4));
    let on_permissive = ["--gtid-mode=ON_PERMISSIVE", "--source-auto-position"];
    assert_eq!(source(&on_permissive).position, SourcePosition::Auto);
    assert!(refused(&["--source-auto-position", "--source-log-file=b"]).contains("cannot be set"));
    assert!(refused(&["--source-auto-position", "--gtid-mode=OFF"]).contains("gtid_mode=OFF"));
}

#[test]
fn heartbeats_come_every_second_and_twice_in_the_time_out() {
    assert_eq!(source(&[]).heartbeat_period, Duration::from_secs(1));
    assert_eq!(
        source(&["--slave-net-timeout=1"]).heartbeat_period,
        Duration::from_millis(500)
    );
    assert_eq!(
        source(&["--source-heartbeat-period=0"]).heartbeat_period,
        Duration::ZERO
    );
}

#[test]
fn a_password_file_must_be_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("password");
    fs::write(&path, "swordfish\n").unwrap();
    let argument = format!("--source-password-file={}", path.display());
    fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
    assert!(refused(&[&argument]).contains("is open to every user (mode 644); make it 600"));
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    assert_eq!(source(&[&argument]).password.unwrap().expose(), "swordfish");
    assert!(refused(&[&argument, "--source-password=x"]).contains("choose one of"));
}

#[test]
fn impossible_combinations_are_refused() {
    let check = |arguments: &[&str], wanted: &str| {
        let errors = primary_refused(arguments);
        assert!(errors.contains(wanted), "{errors}");
    };
    check(
        &["--enforce-gtid-consistency=OFF"],
        "gtid_mode=ON needs enforce_gtid_consistency=ON",
    );
    check(
        &["--gtid-mode=ON_PERMISSIVE"],
        "allowed: ON, OFF in `weir primary`",
    );
    check(&["--ssl-cert=a"], "ssl_cert and ssl_key need each other");
    check(&["--initialize", "--initialize-insecure"], "choose one of");
    check(&["--version=weir"], "must begin with three numbers");
    check(
        &["--default-time-zone=Europe/Berlin"],
        "must be SYSTEM or an offset",
    );
    check(
        &["--sql-mode=STRICT"],
        "sql_mode 'STRICT' is not one of REAL_AS_FLOAT",
    );
    check(&["--datadir="], "datadir must name a directory");
    check(
        &[
            "--character-set-server=latin1",
            "--collation-server=utf8mb4_bin",
        ],
        "does not belong to character set 'latin1'",
    );
    assert!(refused(&["--read-only=0", "--super-read-only=0"]).contains("always ON"));
}

#[test]
fn the_character_set_follows_the_collation_and_the_other_way_round() {
    let names = |arguments: &[&str]| {
        let server = PrimarySettings::load(arguments.iter().copied())
            .unwrap()
            .settings
            .server;
        (server.character_set_server, server.collation_server)
    };
    let pair = |set: &str, collation: &str| (set.to_owned(), collation.to_owned());
    assert_eq!(names(&[]), pair("utf8mb4", "utf8mb4_0900_ai_ci"));
    assert_eq!(
        names(&["--character-set-server=latin1"]),
        pair("latin1", "latin1_swedish_ci")
    );
    assert_eq!(
        names(&["--character-set-server=utf8"]),
        pair("utf8mb3", "utf8mb3_general_ci")
    );
    assert_eq!(
        names(&["--collation-server=latin1_bin"]),
        pair("latin1", "latin1_bin")
    );
    assert_eq!(
        names(&["--collation-server=binary"]),
        pair("binary", "binary")
    );
}

#[test]
fn time_zone_offsets_have_mysqls_range() {
    for zone in ["SYSTEM", "system", "+00:00", "-13:59", "+14:00", "+5:30"] {
        PrimarySettings::load([format!("--default-time-zone={zone}")]).unwrap();
    }
    for zone in ["+14:01", "-14:00", "+1", "01:00", "+01:60", ""] {
        primary_refused(&[&format!("--default-time-zone={zone}")]);
    }
}
