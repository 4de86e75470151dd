//! Tests of whole configurations, the two seed files first.

use std::fs;
use std::path::Path;

use super::{distance, role_of};
use crate::definition::Role;
use crate::{ConfigErrors, Effective, Loaded, Origin, PrimarySettings, ReplicaSettings};

const SEED_PRIMARY: &str = include_str!("../../tests/seed-primary.cnf");
const SEED_REPLICA: &str = include_str!("../../tests/seed-replica.cnf");

fn with_file<T>(text: &str, run: impl FnOnce(&str, &Path) -> T) -> T {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("my.cnf");
    fs::write(&path, text).unwrap();
    run(&format!("--defaults-file={}", path.display()), &path)
}

fn primary(text: &str, arguments: &[&str]) -> Result<Loaded<PrimarySettings>, ConfigErrors> {
    with_file(text, |file, _| {
        PrimarySettings::load([file].into_iter().chain(arguments.iter().copied()))
    })
}

fn replica(text: &str, arguments: &[&str]) -> Result<Loaded<ReplicaSettings>, ConfigErrors> {
    with_file(text, |file, _| {
        ReplicaSettings::load([file].into_iter().chain(arguments.iter().copied()))
    })
}

/// The name, value and line of what did not stay at its default.
fn written(effective: &Effective) -> Vec<(&'static str, String, usize)> {
    let line = |origin| match origin {
        Origin::File { line, .. } => Some(line),
        Origin::CommandLine => Some(0),
        Origin::Default | Origin::Persisted(_) => None,
    };
    effective
        .iter()
        .filter_map(|value| Some((value.name, value.value, line(value.origin)?)))
        .collect()
}

#[test]
fn every_line_of_the_primarys_seed_file_acts() {
    let loaded = primary(SEED_PRIMARY, &[]).unwrap();
    let rows = written(&loaded.effective);
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, value, line)| (*name, value.as_str(), *line))
        .collect();
    assert_eq!(
        rows,
        [
            ("server_id", "1", 2),
            ("read_only", "ON", 6),
            ("log_bin", "master-bin", 3),
            ("sync_binlog", "1", 5),
            ("binlog_expire_logs_seconds", "864000", 4),
            ("binlog_format", "ROW", 7),
            ("gtid_mode", "ON", 8),
            ("enforce_gtid_consistency", "ON", 9),
        ]
    );
    assert_eq!(loaded.settings.log_bin.base, "master-bin");
    assert!(loaded.settings.server.read_only && !loaded.settings.server.super_read_only);
    let warnings: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let wanted = "my.cnf:4: option 'expire_logs_days' is the name of old; \
                  write 'binlog_expire_logs_seconds'";
    assert!(warnings[0].ends_with(wanted), "{warnings:?}");
}

#[test]
fn every_line_of_the_replicas_seed_file_acts() {
    let loaded = replica(SEED_REPLICA, &[]).unwrap();
    let rows = written(&loaded.effective);
    let rows: Vec<_> = rows
        .iter()
        .map(|(name, value, line)| (*name, value.as_str(), *line))
        .collect();
    assert_eq!(
        rows,
        [
            ("server_id", "2", 2),
            ("binlog_format", "ROW", 7),
            ("gtid_mode", "ON", 8),
            ("enforce_gtid_consistency", "ON", 9),
            ("relay_log", "slave-relay-bin", 3),
            ("relay_log_index", "slave-relay-bin.index", 4),
            ("replicate_do_db", "mydatabase", 5),
            ("replicate_ignore_db", "mysql,information_schema", 6),
        ]
    );
    assert_eq!(
        loaded.settings.filters.ignore_db,
        ["mysql", "information_schema"]
    );
    assert_eq!(loaded.warnings, []);
}

#[test]
fn defaults_that_follow_from_other_options_are_shown_as_they_act() {
    let shown = |effective: &Effective, name: &str| {
        effective
            .iter()
            .find(|row| row.name == name)
            .map(|row| row.value)
            .unwrap()
    };
    let loaded = replica("[mysqld]\ndatadir=/d\ncollation_server=latin1_bin\n", &[]).unwrap();
    let effective = &loaded.effective;
    assert_eq!(shown(effective, "character_set_server"), "latin1");
    assert_eq!(shown(effective, "collation_server"), "latin1_bin");
    assert_eq!(shown(effective, "socket"), "/d/mysql.sock");
    assert_eq!(shown(effective, "relay_log_index"), "/d/relay-bin.index");
    assert_eq!(shown(effective, "max_relay_log_size"), "1073741824");
    assert_eq!(shown(effective, "source_auto_position"), "ON");
    assert_eq!(shown(effective, "source_heartbeat_period"), "1.000");
    assert_eq!(effective.origin("source_auto_position"), Origin::Default);
}

#[test]
fn the_role_of_a_file_is_read_off_its_options() {
    with_file(SEED_PRIMARY, |_, path| {
        assert_eq!(role_of(path).unwrap(), Role::Primary)
    });
    with_file(SEED_REPLICA, |_, path| {
        assert_eq!(role_of(path).unwrap(), Role::Replica)
    });
}

#[test]
fn later_layers_win_and_filters_add_up() {
    let directory = tempfile::tempdir().unwrap();
    let toml = directory.path().join("a.toml");
    fs::write(
        &toml,
        "port = 2\nserver_id = 2\nreplicate_do_db = [\"b\"]\n",
    )
    .unwrap();
    let loaded = replica(
        "[mysqld]\nport=1\nport=11\nserver-id=1\nwait_timeout=1\nreplicate-do-db=a\n",
        &[
            &format!("--toml-file={}", toml.display()),
            "--port=3",
            "--replicate-do-db=c",
        ],
    )
    .unwrap();
    let server = &loaded.settings.server;
    assert_eq!(
        (server.port, server.server_id, server.wait_timeout),
        (3, 2, 1)
    );
    assert_eq!(loaded.settings.filters.do_db, ["a", "b", "c"]);
    assert_eq!(loaded.effective.origin("port"), Origin::CommandLine);
    assert!(
        loaded
            .effective
            .origin("server_id")
            .to_string()
            .ends_with("a.toml:2")
    );
}

#[test]
fn a_defaults_file_may_be_toml() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("weir.toml");
    fs::write(&path, "server_id = 9\n").unwrap();
    let loaded = PrimarySettings::load([format!("--defaults-file={}", path.display())]).unwrap();
    assert_eq!(loaded.settings.server.server_id, 9);
}

#[test]
fn version_role_and_suffix_groups_are_read() {
    let text = "[mysqld-8.4]\nport=1\n[weir]\nserver_id=5\n[primary]\nsync_binlog=3\n\
                [replica]\nrelay_log=x\n[mysqld-9.0]\nport=9\n[mysqld_a]\nwait_timeout=7\n";
    let settings = primary(text, &[]).unwrap().settings;
    assert_eq!((settings.server.port, settings.server.server_id), (1, 5));
    assert_eq!(
        (settings.sync_binlog, settings.server.wait_timeout),
        (3, 28_800)
    );
    let settings = primary(text, &["--defaults-group-suffix=_a"])
        .unwrap()
        .settings;
    assert_eq!(settings.server.wait_timeout, 7);
}

#[test]
fn prefixes_switch_loosen_and_stack() {
    let text = "[mysqld]\nskip-auto-generate-certs\nenable_read_only\nloose-nothing=1\n\
                loose-skip-relay-log-purge\ndisable-require-secure-transport=0\n";
    let loaded = replica(text, &[]).unwrap();
    let settings = &loaded.settings;
    assert!(!settings.server.auto_generate_certs);
    assert!(!settings.relay_log_purge);
    assert!(settings.server.require_secure_transport);
    let warnings: Vec<_> = loaded
        .warnings
        .iter()
        .map(|warning| &warning.message)
        .collect();
    assert_eq!(warnings, ["unknown option 'loose-nothing' is ignored"]);
}

#[test]
fn the_start_of_a_name_is_enough_on_the_command_line_only() {
    let loaded = primary("[mysqld]\n", &["--max-conn=7"]).unwrap();
    assert_eq!(loaded.settings.server.max_connections, 7);
    assert!(
        loaded.warnings[0]
            .message
            .contains("write 'max_connections'")
    );
    let errors = primary("[mysqld]\nmax-conn=7\n", &["--max=1"])
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("my.cnf:2: unknown option 'max-conn'; did you mean 'max_connections'?")
    );
    assert!(errors.contains("option 'max' could be any of max_connections, max_allowed_packet"));
}

#[test]
fn all_mistakes_are_told_with_file_line_option_and_what_is_allowed() {
    let text = "[mysqld]\nprot=1\nbinlog_format=MIXED\nport=x\nrelay-log=a\ninnodb_buffer_pool_size=1G\n\
                source_password\nread_only=maybe\nlog-bin=1\n";
    let errors = primary(text, &[]).unwrap_err();
    let errors: Vec<String> = errors.0.iter().map(ToString::to_string).collect();
    let wanted = [
        "my.cnf:2: unknown option 'prot'; did you mean 'port'?",
        "my.cnf:3: option 'binlog_format' cannot be 'MIXED'; allowed: ROW (not MIXED, STATEMENT)",
        "my.cnf:4: option 'port' cannot be 'x'; allowed: 0 to 65535, as a number or with a suffix \
         K, M, G, T, P, E",
        "my.cnf:5: option 'relay_log' acts only in `weir replica`; move it to a group [replica]",
        "my.cnf:6: unknown option 'innodb_buffer_pool_size'; Weir has no such part; write 'loose-' \
         before the name to share the file with MySQL",
        "my.cnf:7: option 'source_password' acts only in `weir replica`; move it to a group [replica]",
        "my.cnf:8: option 'read_only' cannot be 'maybe'; allowed: ON, OFF, TRUE, FALSE, 1, 0",
        "my.cnf:9: option 'log-bin' cannot be '1'; allowed: a file base name; leave the value out \
         for the default name",
    ];
    assert_eq!(errors.len(), wanted.len(), "{errors:#?}");
    for (error, wanted) in errors.iter().zip(wanted) {
        assert!(error.ends_with(wanted), "{error}");
    }
}

#[test]
fn options_that_weir_cannot_have_say_why() {
    let errors = primary("[mysqld]\nuser=mysql\nbinlog-do-db=a\n", &[])
        .unwrap_err()
        .to_string();
    assert!(
        errors.contains("'user'; Weir has no such option: start weir as that user"),
        "{errors}"
    );
    assert!(
        errors.contains("'binlog-do-db'; Weir has no such option: every database"),
        "{errors}"
    );
}

#[test]
fn no_option_is_both_there_and_absent() {
    for (name, _) in crate::definition::ABSENT {
        assert!(
            matches!(super::find_name(name, false), super::Name::Unknown { .. }),
            "{name}"
        );
    }
}

#[test]
fn every_old_name_still_acts() {
    for renamed in crate::definition::RENAMED {
        let found = super::find_name(renamed.old, false);
        let super::Name::Found {
            definition, today, ..
        } = found
        else {
            panic!("{}", renamed.old)
        };
        assert_eq!((definition.name, today), (renamed.new, Some(renamed.new)));
    }
}

#[test]
fn a_password_is_shown_nowhere() {
    let loaded = replica("[mysqld]\nsource-password=swordfish\n", &[]).unwrap();
    assert_eq!(
        loaded.settings.source.password.as_ref().unwrap().expose(),
        "swordfish"
    );
    assert!(!format!("{loaded:?}").contains("swordfish"));
    let shown = loaded
        .effective
        .iter()
        .find(|value| value.name == "source_password")
        .unwrap();
    assert_eq!(shown.value, "********");
}

#[test]
fn edit_distance_counts_single_changes() {
    assert_eq!(distance("prot", "port"), 2);
    assert_eq!(distance("", "abc"), 3);
    assert_eq!(distance("sync_binlog", "sync_binlogs"), 1);
}
