//! Data directories that are opened, and that are refused.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn open(path: &Path, role: DataRole) -> Result<DataDirectory, String> {
    DataDirectory::open(path, role).map_err(|error| error.to_string())
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_directory_keeps_its_role_and_its_identity() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    let first = open(&path, DataRole::Replica).unwrap();
    let identity = first.server_uuid();
    drop(first);
    let refusal = open(&path, DataRole::Primary).unwrap_err();
    assert!(
        refusal.contains("start it with `weir replica`"),
        "{refusal}"
    );
    let mut again = open(&path, DataRole::Replica).unwrap();
    assert_eq!(again.server_uuid(), identity);
    assert!(!again.may_lose_tail());
    again.set_may_lose_tail(true).unwrap();
    drop(again);
    assert!(open(&path, DataRole::Replica).unwrap().may_lose_tail());
}

#[test]
fn an_older_directory_is_told_by_its_logs() {
    for (file, role) in [
        ("binlog.index", DataRole::Primary),
        ("host-relay-bin.index", DataRole::Replica),
        ("source-info.json", DataRole::Replica),
    ] {
        let other = match role {
            DataRole::Primary => DataRole::Replica,
            DataRole::Replica => DataRole::Primary,
        };
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(file), "").unwrap();
        let refusal = open(directory.path(), other).unwrap_err();
        assert!(refusal.contains(role.name()), "{refusal}");
        open(directory.path(), role).unwrap();
    }
}

#[test]
fn a_newer_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let record = directory.path().join(RECORD_FILE);
    fs::write(&record, r#"{"format": 2, "duty": "relay"}"#).unwrap();
    let refusal = open(directory.path(), DataRole::Primary).unwrap_err();
    assert!(refusal.contains("has format 2"), "{refusal}");
    fs::write(&record, "{").unwrap();
    let refusal = open(directory.path(), DataRole::Primary).unwrap_err();
    assert!(refusal.contains("cannot be understood"), "{refusal}");
}

#[test]
fn a_second_process_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let _first = open(directory.path(), DataRole::Primary).unwrap();
    let refusal = open(directory.path(), DataRole::Primary).unwrap_err();
    assert!(refusal.contains("is used by another process"), "{refusal}");
}

#[test]
fn a_directory_is_closed_to_other_users() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/data");
    drop(open(&path, DataRole::Primary).unwrap());
    assert_eq!(mode(&path), 0o750);
    for file in [DATABASE_FILE, LOCK_FILE, RECORD_FILE, "auto.cnf"] {
        assert_eq!(mode(&path.join(file)), 0o640, "{file}");
    }
    fs::write(path.join("server-key.pem"), "").unwrap();
    for file in [DATABASE_FILE, "server-key.pem"] {
        fs::set_permissions(path.join(file), Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    drop(open(&path, DataRole::Primary).unwrap());
    assert_eq!(mode(&path), 0o750);
    assert_eq!(mode(&path.join(DATABASE_FILE)), 0o640);
    assert_eq!(mode(&path.join("server-key.pem")), 0o600);
}

#[test]
fn a_directory_with_the_logs_of_a_node_is_closed_and_not_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data");
    fs::create_dir_all(path.join("logs")).unwrap();
    fs::create_dir_all(path.join("relay")).unwrap();
    for file in ["b.000001", "b.index", "b.schema", "logs/b.000002"] {
        fs::write(path.join(file), "").unwrap();
    }
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    drop(open(&path, DataRole::Primary).unwrap());
    assert_eq!(mode(&path), 0o750);
}

#[test]
fn a_directory_that_all_users_share_is_refused_though_it_is_empty() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tmp");
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o1777)).unwrap();
    let refusal = open(&path, DataRole::Primary).unwrap_err();
    assert!(refusal.contains("all users share"), "{refusal}");
    assert_eq!(mode(&path), 0o777);
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(path.join("home")).unwrap();
    fs::write(path.join("home/letters"), "").unwrap();
    let refusal = open(&path, DataRole::Primary).unwrap_err();
    assert!(refusal.contains("it holds home"), "{refusal}");
}

#[test]
fn a_directory_of_other_things_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("home");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("letters"), "").unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    let refusal = open(&path, DataRole::Primary).unwrap_err();
    assert!(refusal.contains("letters"), "{refusal}");
    assert_eq!(mode(&path), 0o755);
}
