//! The file's text against what MySQL 9.7 writes, and the layer against the other layers.

use std::fs;

use proptest::prelude::*;

use super::*;
use crate::{Loaded, Origin, PrimarySettings, ReplicaSettings};

/// As MySQL 9.7.4 wrote it.
const WRITTEN_BY_MYSQL: &str = r#"{"Version": 2, "mysql_static_variables": {"server_id": {"Value": "9", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1796018364624840}}}, "mysql_dynamic_variables": {"sql_mode": {"Value": "ANSI_QUOTES", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1796018364624840}}, "read_only": {"Value": "OFF", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1796018364637407}}, "wait_timeout": {"Value": "100", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1796018364624840}}}, "mysql_dynamic_parse_early_variables": {"max_connections": {"Value": "200", "Metadata": {"Host": "localhost", "User": "root", "Timestamp": 1796018364624188}}}}"#;

fn kept(variables: &[(&str, &str)]) -> PersistedVariables {
    let mut kept = PersistedVariables::default();
    for (name, value) in variables {
        let variable = PersistedVariable {
            section: Section::of(name),
            value: (*value).to_owned(),
            host: "localhost".to_owned(),
            user: "root".to_owned(),
            timestamp: 1_796_018_364_624_840,
        };
        kept.insert((*name).to_owned(), variable);
    }
    kept
}

/// Loads a primary whose data directory holds `file`.
fn load(file: &str, arguments: &[&str]) -> Result<Loaded<PrimarySettings>, String> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join(FILE_NAME), file).unwrap();
    let datadir = format!("--datadir={}", directory.path().display());
    let arguments = [datadir.as_str()]
        .into_iter()
        .chain(arguments.iter().copied());
    PrimarySettings::load(arguments).map_err(|errors| errors.to_string())
}

#[test]
fn what_mysql_wrote_is_read_and_written_to_the_byte() {
    let variables = PersistedVariables::decode(WRITTEN_BY_MYSQL.as_bytes()).unwrap();
    assert_eq!(variables.get("sql_mode").unwrap().value, "ANSI_QUOTES");
    assert_eq!(variables.encode(), WRITTEN_BY_MYSQL);
    let emptied_by_mysql = "{\"Version\": 2}";
    let none = PersistedVariables::decode(emptied_by_mysql.as_bytes()).unwrap();
    assert_eq!(none, PersistedVariables::default());
    assert_eq!(none.encode(), emptied_by_mysql);
}

#[test]
fn a_file_that_is_not_understood_refuses_the_start_and_says_what_to_do() {
    let entry = r#"{"Value": "1", "Metadata": {"Host": "h", "User": "u", "Timestamp": 1}}"#;
    for (file, reason) in [
        (String::new(), "not valid JSON"),
        ("{".to_owned(), "not valid JSON"),
        ("[]".to_owned(), "the file is not an object"),
        ("{}".to_owned(), "there is no Version"),
        (
            r#"{"Version": 1, "mysql_server": {}}"#.to_owned(),
            "its Version is 1, not 2",
        ),
        (
            r#"{"Version": 2, "more": {}}"#.to_owned(),
            "'more' is not a part",
        ),
        (
            format!(
                r#"{{"Version": 2, "mysql_static_variables": {{"a": {entry}}}, "mysql_dynamic_variables": {{"A": {entry}}}}}"#
            ),
            "'A' stands in it twice",
        ),
        (
            r#"{"Version": 2, "mysql_dynamic_variables": {"a": {"Value": 1}}}"#.to_owned(),
            "'a' has no Value that is a text",
        ),
        (
            r#"{"Version": 2, "mysql_dynamic_variables": {"a": {"Value": "1"}}}"#.to_owned(),
            "'a' has no Metadata",
        ),
    ] {
        for arguments in [
            &[][..],
            &["--persisted-globals-load=OFF"],
            &["--no-defaults"],
        ] {
            let refused = load(&file, arguments).unwrap_err();
            assert!(refused.contains(reason), "{file}: {refused}");
            assert!(refused.contains("/mysqld-auto.cnf: "), "{file}: {refused}");
            assert!(refused.contains("move it away"), "{file}: {refused}");
        }
    }
}

#[test]
fn persisted_variables_lie_over_the_command_line_unless_they_are_not_to_count() {
    let arguments = ["--wait-timeout=7", "--max-connections=8", "--server-id=1"];
    let loaded = load(WRITTEN_BY_MYSQL, &arguments).unwrap();
    let server = &loaded.settings.server;
    assert_eq!((server.wait_timeout, server.max_connections), (100, 200));
    assert_eq!(
        (server.server_id, server.sql_mode.as_str()),
        (9, "ANSI_QUOTES")
    );
    let origin = loaded.effective.origin("wait_timeout");
    assert!(matches!(origin, Origin::Persisted(_)), "{origin}");
    assert_eq!(server.without_persisted().wait_timeout, 7);
    for off in ["--persisted-globals-load=OFF", "--no-defaults"] {
        let loaded = load(WRITTEN_BY_MYSQL, &[&arguments[..], &[off]].concat()).unwrap();
        let server = loaded.settings.server;
        assert_eq!(
            (server.wait_timeout, server.max_connections),
            (7, 8),
            "{off}"
        );
        assert_eq!(server.persisted.variables.iter().count(), 5, "{off}");
    }
}

#[test]
fn a_value_that_the_option_does_not_take_refuses_the_start_and_says_what_to_do() {
    for (name, value, said) in [
        ("server_id", "abc", "option 'server_id' cannot be 'abc'"),
        ("sql_mode", "FASTER", "sql_mode 'FASTER' is not one of"),
        (
            "gtid_mode",
            "OFF_PERMISSIVE",
            "option 'gtid_mode' cannot be",
        ),
        (
            "port",
            "3307",
            "'port' is not a variable that can be persisted",
        ),
    ] {
        let refused = load(&kept(&[(name, value)]).encode(), &[]).unwrap_err();
        assert!(refused.contains(said), "{refused}");
        assert!(refused.contains("mysqld-auto.cnf: "), "{refused}");
        assert!(refused.contains("take it out"), "{refused}");
    }
}

#[test]
fn what_acts_in_the_other_role_is_passed_over_with_a_warning() {
    let loaded = load(&kept(&[("relay_log_purge", "OFF")]).encode(), &[]).unwrap();
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("acts only in `weir replica`"),
        "{warnings:?}"
    );
}

#[test]
fn a_change_is_judged_as_the_next_start_would_judge_it() {
    let primary = PrimarySettings::load(["--server-id=1"])
        .unwrap()
        .settings
        .server;
    let replica = ReplicaSettings::load(["--server-id=1"])
        .unwrap()
        .settings
        .server;
    let refused = |server: &crate::ServerSettings, variables: &[(&str, &str)]| {
        let checked = server.persisted.check(&kept(variables));
        checked.err().map(|errors| errors.to_string())
    };
    let contradiction = refused(&primary, &[("enforce_gtid_consistency", "OFF")]).unwrap();
    assert!(
        contradiction.contains("gtid_mode=ON needs"),
        "{contradiction}"
    );
    let both = [("enforce_gtid_consistency", "OFF"), ("gtid_mode", "OFF")];
    assert_eq!(refused(&primary, &both), None);
    let writable = refused(&replica, &[("read_only", "OFF")]).unwrap();
    assert!(
        writable.contains("always ON in `weir replica`"),
        "{writable}"
    );
    assert_eq!(refused(&primary, &[("read_only", "OFF")]), None);
    assert_eq!(primary.persisted.default_of("relay_log_purge"), None);
    assert_eq!(replica.persisted.default_of("relay_log_purge"), Some("ON"));
    assert_eq!(replica.persisted.default_of("read_only"), Some("ON"));
    assert_eq!(primary.persisted.default_of("port"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>, cut in 0..WRITTEN_BY_MYSQL.len()) {
        let _ = PersistedVariables::decode(&bytes);
        let changed = [WRITTEN_BY_MYSQL.as_bytes().get(..cut).unwrap(), &bytes].concat();
        if let Ok(variables) = PersistedVariables::decode(&changed) {
            prop_assert_eq!(PersistedVariables::decode(variables.encode().as_bytes()), Ok(variables));
        }
    }

    #[test]
    fn any_texts_survive_the_file(name in "[a-z_.]{1,20}", value: String, host: String) {
        let mut variables = kept(&[(&name, &value)]);
        let mut variable = variables.remove(&name).unwrap();
        variable.host = host;
        variables.insert(name, variable);
        prop_assert_eq!(PersistedVariables::decode(variables.encode().as_bytes()), Ok(variables));
    }
}

#[test]
fn what_may_be_persisted_is_an_option() {
    for name in OPTIONS {
        let option = option_of(name).unwrap();
        assert!(crate::definition::find(option).is_some(), "{name}");
    }
    assert!(STATIC.iter().all(|name| option_of(name).is_some()));
}
