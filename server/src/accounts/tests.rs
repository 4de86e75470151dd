use std::fs;

use sql::ast::{Authentication, Grant, GrantObject, Privilege as Written, Revoke, UserSpec};

use super::*;

fn name(user: &str, host: &str) -> AccountName {
    AccountName {
        user: user.to_owned(),
        host: host.to_owned(),
    }
}

fn open(directory: &Path) -> Accounts {
    Accounts::open(
        directory,
        AuthPlugin::CachingSha2,
        InitialRootPassword::Empty,
    )
    .unwrap()
}

fn user(user: &str, host: &str, password: &str) -> UserSpec {
    UserSpec {
        account: Some(name(user, host)),
        authentication: Some(Authentication::Password {
            plugin: Some("mysql_native_password".to_owned()),
            password: password.to_owned(),
        }),
    }
}

fn grant(privilege: &str, object: GrantObject, to: AccountName) -> Grant {
    Grant {
        privileges: vec![Written {
            name: privilege.to_owned(),
            columns: Vec::new(),
        }],
        all: false,
        object,
        accounts: vec![to],
        grant_option: false,
    }
}

#[test]
fn a_fresh_directory_gets_root_with_a_random_password_in_a_private_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let accounts = Accounts::open(
        directory.path(),
        AuthPlugin::CachingSha2,
        InitialRootPassword::Random,
    )
    .unwrap();
    let path = directory.path().join("initial-root-password");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(fs::read_to_string(&path).unwrap().trim().len(), 20);
    let root = accounts.find("root", &ClientHost::Socket).unwrap();
    assert!(root.has(Privilege::Super) && !root.stored_password.is_empty());
    assert!(
        accounts
            .find("root", &ClientHost::Address([198, 51, 100, 1].into()))
            .is_none()
    );
}

#[test]
fn statements_are_durable_and_atomic() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path());
    let options = Default::default();
    accounts
        .create_user(&[user("a", "%", "x"), user("b", "%", "x")], &options, false)
        .unwrap();
    let error = accounts.create_user(&[user("c", "%", "x"), user("a", "%", "x")], &options, false);
    let error = error.unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (1396, "Operation CREATE USER failed for 'a'@'%'")
    );
    assert!(accounts.named(&name("c", "%")).is_none());
    assert!(open(directory.path()).named(&name("b", "%")).is_some());
    accounts.drop_user(&[name("a", "%")], false).unwrap();
    assert!(open(directory.path()).named(&name("a", "%")).is_none());
    let notes = accounts.drop_user(&[name("a", "%")], true).unwrap().notes;
    assert_eq!(notes.first().map(|note| note.code), Some(3162));
}

#[test]
fn the_most_specific_host_is_tried_first() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path());
    let users = [
        user("u", "%", "x"),
        user("u", "198.51.%", "x"),
        user("u", "198.51.100.1", "x"),
    ];
    accounts
        .create_user(&users, &Default::default(), false)
        .unwrap();
    for (address, expected) in [
        ([198, 51, 100, 1], "198.51.100.1"),
        ([198, 51, 100, 2], "198.51.%"),
        ([203, 0, 113, 2], "%"),
    ] {
        let found = accounts
            .find("u", &ClientHost::Address(address.into()))
            .unwrap();
        assert_eq!(found.name.host, expected);
    }
}

#[test]
fn grants_and_revokes_change_just_what_they_name() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path());
    let who = name("repl", "%");
    accounts
        .create_user(&[user("repl", "%", "x")], &Default::default(), false)
        .unwrap();
    accounts
        .grant(
            &grant("REPLICATION SLAVE", GrantObject::Global, who.clone()),
            None,
        )
        .unwrap();
    accounts
        .grant(
            &grant("SELECT", GrantObject::CurrentDatabase, who.clone()),
            Some("d"),
        )
        .unwrap();
    let account = accounts.named(&who).unwrap();
    assert!(account.has(Privilege::ReplicationSlave) && account.has_on(Privilege::Select, "d"));
    assert!(!account.has(Privilege::Select));

    let on_database = GrantObject::Database("d".to_owned());
    let global_only = grant("REPLICATION SLAVE", on_database.clone(), who.clone());
    assert_eq!(accounts.grant(&global_only, None).unwrap_err().code, 1221);
    let unknown = grant("EXECUTE", on_database.clone(), who.clone());
    assert_eq!(accounts.grant(&unknown, None).unwrap_err().code, 1235);
    let nobody = grant("SELECT", on_database.clone(), name("nobody", "%"));
    assert_eq!(accounts.grant(&nobody, None).unwrap_err().code, 1410);

    let revoke = Revoke {
        privileges: vec![Written {
            name: "SELECT".to_owned(),
            columns: Vec::new(),
        }],
        all: false,
        object: Some(on_database),
        accounts: vec![who.clone()],
        if_exists: false,
    };
    accounts.revoke(&revoke, None).unwrap();
    let account = accounts.named(&who).unwrap();
    assert_eq!(
        account.grants(),
        ["GRANT REPLICATION SLAVE ON *.* TO `repl`@`%`"]
    );
    assert_eq!(accounts.revoke(&revoke, None).unwrap_err().code, 1141);
}

#[test]
fn an_unknown_plugin_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let accounts = open(directory.path());
    let spec = UserSpec {
        account: Some(name("a", "%")),
        authentication: Some(Authentication::Plugin("auth_socket".to_owned())),
    };
    let error = accounts
        .create_user(&[spec], &Default::default(), false)
        .unwrap_err();
    assert_eq!(
        (error.code, error.message.as_str()),
        (1524, "Plugin 'auth_socket' is not loaded")
    );
}

#[test]
fn who_had_every_privilege_of_an_older_version_has_the_newer_one_until_it_is_taken() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("accounts.json");
    drop(open(directory.path()));
    let newer = "\"PERSIST_RO_VARIABLES_ADMIN\",";
    let without: String = fs::read_to_string(&path)
        .unwrap()
        .lines()
        .filter(|line| line.trim() != newer)
        .map(|line| format!("{line}\n"))
        .collect();
    assert!(!without.contains(newer) && without.contains("\"format\": 2"));
    let has = || {
        let root = open(directory.path()).snapshot()[0].clone();
        root.has(Privilege::PersistRoVariablesAdmin)
    };
    fs::write(&path, without.replace("\"format\": 2", "\"format\": 1")).unwrap();
    assert!(has());
    fs::write(&path, &without).unwrap();
    assert!(!has());
}
