//! The values that variables have from the option file.

use config::ServerSettings;

pub(super) fn from_settings(settings: &ServerSettings) -> Vec<(&'static str, String)> {
    let flag = |on: bool| {
        if on {
            "ON".to_owned()
        } else {
            "OFF".to_owned()
        }
    };
    let path = |path: &Option<std::path::PathBuf>| {
        path.as_ref()
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    };
    let charset = &settings.character_set_server;
    let collation = &settings.collation_server;
    let mut values = vec![
        ("bind_address", settings.bind_address.join(",")),
        ("binlog_encryption", flag(settings.binlog_encryption)),
        (
            "binlog_rotate_encryption_master_key_at_startup",
            flag(settings.binlog_rotate_encryption_key_at_startup),
        ),
        ("datadir", format!("{}/", settings.datadir.display())),
        (
            "default_authentication_plugin",
            settings.default_authentication_plugin.name().to_owned(),
        ),
        (
            "default_collation_for_utf8mb4",
            "utf8mb4_0900_ai_ci".to_owned(),
        ),
        (
            "enforce_gtid_consistency",
            settings.enforce_gtid_consistency.name().to_owned(),
        ),
        ("gtid_mode", settings.gtid_mode.name().to_owned()),
        (
            "innodb_lock_wait_timeout",
            settings.innodb_lock_wait_timeout.to_string(),
        ),
        (
            "interactive_timeout",
            settings.interactive_timeout.to_string(),
        ),
        (
            "lower_case_table_names",
            settings.lower_case_table_names.to_string(),
        ),
        (
            "max_allowed_packet",
            settings.max_allowed_packet.to_string(),
        ),
        ("max_connections", settings.max_connections.to_string()),
        (
            "persisted_globals_load",
            flag(settings.persisted_globals_load),
        ),
        ("pid_file", path(&settings.pid_file)),
        ("port", settings.port.to_string()),
        (
            "read_only",
            flag(settings.read_only || settings.super_read_only),
        ),
        (
            "require_secure_transport",
            flag(settings.require_secure_transport),
        ),
        ("server_id", settings.server_id.to_string()),
        ("socket", path(&settings.socket)),
        ("sql_mode", settings.sql_mode.clone()),
        ("ssl_cert", path(&settings.ssl_cert)),
        ("ssl_key", path(&settings.ssl_key)),
        ("super_read_only", flag(settings.super_read_only)),
        ("time_zone", settings.default_time_zone.clone()),
        ("version", settings.version.clone()),
        ("wait_timeout", settings.wait_timeout.to_string()),
    ];
    for name in [
        "character_set_client",
        "character_set_connection",
        "character_set_database",
        "character_set_results",
        "character_set_server",
    ] {
        values.push((name, charset.clone()));
    }
    for name in [
        "collation_connection",
        "collation_database",
        "collation_server",
    ] {
        values.push((name, collation.clone()));
    }
    values
}
