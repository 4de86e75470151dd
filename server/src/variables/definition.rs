//! The table of system variables: name, scope, kind of value, whether it can be set, and where its
//! value comes from at start.
//!
//! Names, scopes and defaults: MySQL 8.4 Reference Manual 7.1.8, "Server System Variables", and
//! 19.1.6 for replication. A variable is here because a client reads or sets it (see the captures
//! that the tests replay) or because an option of the same name acts.

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// One value for the node.
    Global,
    /// A global value that new sessions copy.
    Both,
    /// Only in sessions.
    Session,
}

/// Values a variable takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// ON or OFF; 1 or 0 in SELECT.
    Flag,
    /// A number; a value outside is brought inside with warning 1292.
    Unsigned {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// One of these words, or its place in the list.
    Choice(&'static [&'static str]),
    /// Any text.
    Text,
    /// Text or NULL.
    NullableText,
    /// A character set's name.
    Charset,
    /// A collation's name.
    Collation,
    /// A list of SQL modes.
    SqlMode,
    /// A time zone.
    TimeZone,
}

/// What SET may do to a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// SET changes it and something heeds it.
    Dynamic,
    /// SET changes what it shows; this server has nothing that it would steer. Real clients set
    /// these and must not fail; `docs/COMPATIBILITY.md` lists them.
    Inert,
    /// Fixed at start: 1238.
    ReadOnly,
    /// Only its present value may be set; anything else would make the server lie: 1231.
    Pinned,
}

/// One system variable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Definition {
    /// Name in lower case.
    pub(crate) name: &'static str,
    /// Where it lives.
    pub(crate) scope: Scope,
    /// Values it takes.
    pub(crate) kind: Kind,
    /// What SET may do.
    pub(crate) access: Access,
    /// Value at start, unless the settings or the node give another.
    pub(crate) initial: &'static str,
}

const fn variable(
    name: &'static str,
    scope: Scope,
    kind: Kind,
    access: Access,
    initial: &'static str,
) -> Definition {
    Definition {
        name,
        scope,
        kind,
        access,
        initial,
    }
}

use Access::{Dynamic, Inert, Pinned, ReadOnly};
use Kind::{Charset, Choice, Collation, Flag, NullableText, SqlMode, Text, TimeZone};
use Scope::{Both, Global, Session};

const fn up_to(max: u64) -> Kind {
    Kind::Unsigned { min: 0, max }
}

const fn between(min: u64, max: u64) -> Kind {
    Kind::Unsigned { min, max }
}

const U32_MAX: u64 = 0xffff_ffff;
const YEAR: u64 = 31_536_000;
const ISOLATION: Kind = Choice(&[
    "READ-UNCOMMITTED",
    "READ-COMMITTED",
    "REPEATABLE-READ",
    "SERIALIZABLE",
]);

/// Every variable, sorted by name.
pub(crate) const DEFINITIONS: &[Definition] = &[
    variable("activate_all_roles_on_login", Global, Flag, ReadOnly, "OFF"),
    variable(
        "auto_increment_increment",
        Both,
        between(1, 65_535),
        Dynamic,
        "1",
    ),
    variable(
        "auto_increment_offset",
        Both,
        between(1, 65_535),
        Dynamic,
        "1",
    ),
    variable("autocommit", Both, Flag, Dynamic, "ON"),
    variable("automatic_sp_privileges", Global, Flag, ReadOnly, "OFF"),
    variable("basedir", Global, Text, ReadOnly, "/usr/"),
    variable("big_tables", Both, Flag, Inert, "OFF"),
    variable("bind_address", Global, Text, ReadOnly, "*"),
    variable(
        "binlog_checksum",
        Global,
        Choice(&["NONE", "CRC32"]),
        ReadOnly,
        "CRC32",
    ),
    variable("binlog_encryption", Global, Flag, Dynamic, "OFF"),
    variable(
        "binlog_expire_logs_seconds",
        Global,
        up_to(U32_MAX),
        ReadOnly,
        "2592000",
    ),
    variable(
        "binlog_format",
        Both,
        Choice(&["MIXED", "STATEMENT", "ROW"]),
        Pinned,
        "ROW",
    ),
    variable(
        "binlog_rotate_encryption_master_key_at_startup",
        Global,
        Flag,
        ReadOnly,
        "OFF",
    ),
    variable(
        "binlog_row_image",
        Both,
        Choice(&["MINIMAL", "NOBLOB", "FULL"]),
        Pinned,
        "FULL",
    ),
    variable(
        "binlog_row_metadata",
        Global,
        Choice(&["MINIMAL", "FULL"]),
        ReadOnly,
        "MINIMAL",
    ),
    variable("binlog_rows_query_log_events", Both, Flag, Pinned, "OFF"),
    variable("binlog_transaction_compression", Both, Flag, Pinned, "OFF"),
    variable(
        "bulk_insert_buffer_size",
        Both,
        up_to(u64::MAX),
        Inert,
        "8388608",
    ),
    variable("character_set_client", Both, Charset, Dynamic, "utf8mb4"),
    variable(
        "character_set_connection",
        Both,
        Charset,
        Dynamic,
        "utf8mb4",
    ),
    variable("character_set_database", Both, Charset, Inert, "utf8mb4"),
    variable("character_set_filesystem", Both, Charset, Inert, "binary"),
    variable("character_set_results", Both, Charset, Dynamic, "utf8mb4"),
    variable("character_set_server", Both, Charset, Dynamic, "utf8mb4"),
    variable("character_set_system", Global, Charset, ReadOnly, "utf8mb3"),
    variable(
        "collation_connection",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "collation_database",
        Both,
        Collation,
        Inert,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "collation_server",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable(
        "completion_type",
        Both,
        Choice(&["NO_CHAIN", "CHAIN", "RELEASE"]),
        Pinned,
        "NO_CHAIN",
    ),
    variable("connect_timeout", Global, between(2, YEAR), Dynamic, "10"),
    variable(
        "cte_max_recursion_depth",
        Both,
        up_to(U32_MAX),
        Dynamic,
        "1000",
    ),
    variable("datadir", Global, Text, ReadOnly, ""),
    variable(
        "default_authentication_plugin",
        Global,
        Text,
        ReadOnly,
        "caching_sha2_password",
    ),
    variable(
        "default_collation_for_utf8mb4",
        Both,
        Collation,
        Dynamic,
        "utf8mb4_0900_ai_ci",
    ),
    variable("default_storage_engine", Both, Text, Pinned, "InnoDB"),
    variable("default_table_encryption", Both, Flag, Pinned, "OFF"),
    variable("default_tmp_storage_engine", Both, Text, Pinned, "InnoDB"),
    variable("default_week_format", Both, up_to(7), Pinned, "0"),
    variable("div_precision_increment", Both, up_to(30), Pinned, "4"),
    variable(
        "enforce_gtid_consistency",
        Global,
        Choice(&["OFF", "ON", "WARN"]),
        ReadOnly,
        "ON",
    ),
    variable("error_count", Session, up_to(u64::MAX), ReadOnly, "0"),
    variable(
        "event_scheduler",
        Global,
        Choice(&["OFF", "ON", "DISABLED"]),
        ReadOnly,
        "DISABLED",
    ),
    variable("explicit_defaults_for_timestamp", Both, Flag, Pinned, "ON"),
    variable("foreign_key_checks", Both, Flag, Dynamic, "ON"),
    variable(
        "group_concat_max_len",
        Both,
        between(4, u64::MAX),
        Pinned,
        "1024",
    ),
    variable("gtid_executed", Global, Text, ReadOnly, ""),
    variable(
        "gtid_executed_compression_period",
        Global,
        up_to(U32_MAX),
        ReadOnly,
        "0",
    ),
    variable("gtid_mode", Global, Text, ReadOnly, "ON"),
    variable("gtid_next", Session, Text, Dynamic, "AUTOMATIC"),
    variable("gtid_owned", Both, Text, ReadOnly, ""),
    variable("gtid_purged", Global, Text, Dynamic, ""),
    variable("have_ssl", Global, Text, ReadOnly, "YES"),
    variable("hostname", Global, Text, ReadOnly, ""),
    variable("identity", Session, up_to(u64::MAX), ReadOnly, "0"),
    variable(
        "immediate_server_version",
        Session,
        up_to(999_999),
        Inert,
        "999999",
    ),
    variable(
        "information_schema_stats_expiry",
        Both,
        up_to(YEAR),
        Inert,
        "86400",
    ),
    variable("init_connect", Global, Text, ReadOnly, ""),
    variable(
        "innodb_flush_log_at_trx_commit",
        Global,
        up_to(2),
        ReadOnly,
        "1",
    ),
    variable(
        "innodb_lock_wait_timeout",
        Both,
        between(1, 1_073_741_824),
        Dynamic,
        "50",
    ),
    variable("innodb_rollback_on_timeout", Global, Flag, ReadOnly, "OFF"),
    variable("innodb_stats_auto_recalc", Global, Flag, Inert, "ON"),
    variable("innodb_stats_persistent", Global, Flag, Inert, "ON"),
    variable("innodb_version", Global, Text, ReadOnly, "8.4.6"),
    variable(
        "interactive_timeout",
        Both,
        between(1, YEAR),
        Dynamic,
        "28800",
    ),
    variable(
        "join_buffer_size",
        Both,
        between(128, u64::MAX),
        Inert,
        "262144",
    ),
    variable(
        "key_buffer_size",
        Global,
        up_to(u64::MAX),
        ReadOnly,
        "8388608",
    ),
    variable("last_insert_id", Session, up_to(u64::MAX), ReadOnly, "0"),
    variable("lc_messages", Both, Text, Inert, "en_US"),
    variable("lc_time_names", Both, Text, Pinned, "en_US"),
    variable("license", Global, Text, ReadOnly, "MIT OR Apache-2.0"),
    variable("local_infile", Global, Flag, ReadOnly, "OFF"),
    variable(
        "lock_wait_timeout",
        Both,
        between(1, YEAR),
        Inert,
        "31536000",
    ),
    variable("log_bin", Global, Flag, ReadOnly, "OFF"),
    variable("log_bin_basename", Global, Text, ReadOnly, ""),
    variable("log_bin_index", Global, Text, ReadOnly, ""),
    variable("log_replica_updates", Global, Flag, ReadOnly, "OFF"),
    variable("log_slave_updates", Global, Flag, ReadOnly, "OFF"),
    variable("lower_case_file_system", Global, Flag, ReadOnly, "OFF"),
    variable("lower_case_table_names", Global, up_to(2), ReadOnly, "0"),
    variable(
        "max_allowed_packet",
        Both,
        between(1024, 1_073_741_824),
        ReadOnly,
        "67108864",
    ),
    variable(
        "max_binlog_size",
        Global,
        between(4096, 1_073_741_824),
        ReadOnly,
        "1073741824",
    ),
    variable(
        "max_connections",
        Global,
        between(1, 100_000),
        Dynamic,
        "151",
    ),
    variable("max_execution_time", Both, up_to(U32_MAX), Dynamic, "0"),
    variable(
        "max_heap_table_size",
        Both,
        between(16_384, u64::MAX),
        Inert,
        "16777216",
    ),
    variable(
        "max_prepared_stmt_count",
        Global,
        up_to(4_194_304),
        Dynamic,
        "16382",
    ),
    variable(
        "max_relay_log_size",
        Global,
        up_to(1_073_741_824),
        ReadOnly,
        "0",
    ),
    variable("max_statement_time", Both, up_to(U32_MAX), Pinned, "0"),
    variable(
        "net_buffer_length",
        Both,
        between(1024, 1_048_576),
        Inert,
        "16384",
    ),
    variable("net_read_timeout", Both, between(1, YEAR), Dynamic, "30"),
    variable("net_retry_count", Both, up_to(u64::MAX), Inert, "10"),
    variable("net_write_timeout", Both, between(1, YEAR), Dynamic, "60"),
    variable("old_alter_table", Both, Flag, Inert, "OFF"),
    variable("optimizer_switch", Both, Text, Inert, ""),
    variable(
        "original_commit_timestamp",
        Session,
        up_to(u64::MAX),
        Dynamic,
        "36028797018963968",
    ),
    variable(
        "original_server_version",
        Session,
        up_to(999_999),
        Dynamic,
        "999999",
    ),
    variable("performance_schema", Global, Flag, ReadOnly, "OFF"),
    variable("persisted_globals_load", Global, Flag, ReadOnly, "ON"),
    variable("pid_file", Global, Text, ReadOnly, ""),
    variable("port", Global, up_to(65_535), ReadOnly, "3306"),
    variable("profiling", Both, Flag, Pinned, "OFF"),
    variable("protocol_version", Global, up_to(10), ReadOnly, "10"),
    variable("pseudo_replica_mode", Session, Flag, Inert, "OFF"),
    variable("pseudo_slave_mode", Session, Flag, Inert, "OFF"),
    variable("pseudo_thread_id", Session, up_to(u64::MAX), Dynamic, "0"),
    variable("query_cache_size", Global, up_to(0), ReadOnly, "0"),
    variable("query_cache_type", Global, Flag, ReadOnly, "OFF"),
    variable(
        "rbr_exec_mode",
        Session,
        Choice(&["STRICT", "IDEMPOTENT"]),
        Pinned,
        "STRICT",
    ),
    variable(
        "read_buffer_size",
        Both,
        between(8192, 2_147_479_552),
        Inert,
        "131072",
    ),
    variable("read_only", Global, Flag, Dynamic, "OFF"),
    variable(
        "read_rnd_buffer_size",
        Both,
        between(1, 2_147_483_647),
        Inert,
        "262144",
    ),
    variable("relay_log", Global, Text, ReadOnly, ""),
    variable("relay_log_basename", Global, Text, ReadOnly, ""),
    variable("relay_log_index", Global, Text, ReadOnly, ""),
    variable("relay_log_purge", Global, Flag, ReadOnly, "ON"),
    variable("relay_log_recovery", Global, Flag, ReadOnly, "OFF"),
    variable(
        "relay_log_space_limit",
        Global,
        up_to(u64::MAX),
        ReadOnly,
        "0",
    ),
    variable(
        "replica_net_timeout",
        Global,
        between(1, YEAR),
        ReadOnly,
        "60",
    ),
    variable("report_host", Global, Text, ReadOnly, ""),
    variable("report_port", Global, up_to(65_535), ReadOnly, "0"),
    variable("require_secure_transport", Global, Flag, ReadOnly, "OFF"),
    variable(
        "resultset_metadata",
        Session,
        Choice(&["NONE", "FULL"]),
        Pinned,
        "FULL",
    ),
    variable("server_id", Global, up_to(U32_MAX), ReadOnly, "1"),
    variable("server_uuid", Global, Text, ReadOnly, ""),
    variable(
        "session_track_gtids",
        Both,
        Choice(&["OFF", "OWN_GTID", "ALL_GTIDS"]),
        Dynamic,
        "OFF",
    ),
    variable("session_track_schema", Both, Flag, Inert, "ON"),
    variable("session_track_state_change", Both, Flag, Inert, "OFF"),
    variable(
        "show_create_table_skip_secondary_engine",
        Session,
        Flag,
        Inert,
        "OFF",
    ),
    variable(
        "show_gipk_in_create_table_and_information_schema",
        Both,
        Flag,
        Inert,
        "ON",
    ),
    variable("skip_name_resolve", Global, Flag, ReadOnly, "ON"),
    variable("skip_networking", Global, Flag, ReadOnly, "OFF"),
    variable("socket", Global, NullableText, ReadOnly, ""),
    variable(
        "sort_buffer_size",
        Both,
        between(32_768, u64::MAX),
        Inert,
        "262144",
    ),
    variable("sql_auto_is_null", Both, Flag, Pinned, "OFF"),
    variable("sql_big_selects", Both, Flag, Inert, "ON"),
    variable("sql_log_bin", Session, Flag, Dynamic, "ON"),
    variable(
        "sql_mode",
        Both,
        SqlMode,
        Dynamic,
        "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
         ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
    ),
    variable("sql_notes", Both, Flag, Dynamic, "ON"),
    variable("sql_quote_show_create", Both, Flag, Pinned, "ON"),
    variable("sql_require_primary_key", Both, Flag, Pinned, "OFF"),
    variable("sql_safe_updates", Both, Flag, Pinned, "OFF"),
    variable(
        "sql_select_limit",
        Both,
        up_to(u64::MAX),
        Pinned,
        "18446744073709551615",
    ),
    variable("sql_warnings", Both, Flag, Inert, "OFF"),
    variable("ssl_ca", Global, NullableText, ReadOnly, ""),
    variable("ssl_cert", Global, NullableText, ReadOnly, ""),
    variable("ssl_key", Global, NullableText, ReadOnly, ""),
    variable("storage_engine", Both, Text, Pinned, "InnoDB"),
    variable("super_read_only", Global, Flag, Dynamic, "OFF"),
    variable("sync_binlog", Global, up_to(U32_MAX), ReadOnly, "1"),
    variable("sync_relay_log", Global, up_to(U32_MAX), ReadOnly, "10000"),
    variable("system_time_zone", Global, Text, ReadOnly, "UTC"),
    variable("table_open_cache", Global, up_to(524_288), ReadOnly, "4000"),
    variable(
        "terminology_use_previous",
        Both,
        Choice(&["NONE", "BEFORE_8_0_26", "BEFORE_8_2_0"]),
        Inert,
        "NONE",
    ),
    variable("thread_cache_size", Global, up_to(16_384), ReadOnly, "9"),
    variable("time_zone", Both, TimeZone, Dynamic, "SYSTEM"),
    variable("tls_version", Global, Text, ReadOnly, "TLSv1.2,TLSv1.3"),
    variable("tmp_table_size", Both, up_to(u64::MAX), Inert, "16777216"),
    variable("tmpdir", Global, Text, ReadOnly, "/tmp"),
    variable(
        "transaction_isolation",
        Both,
        ISOLATION,
        Dynamic,
        "REPEATABLE-READ",
    ),
    variable("transaction_read_only", Both, Flag, Dynamic, "OFF"),
    variable("tx_isolation", Both, ISOLATION, Dynamic, "REPEATABLE-READ"),
    variable("tx_read_only", Both, Flag, Dynamic, "OFF"),
    variable("unique_checks", Both, Flag, Dynamic, "ON"),
    variable("updatable_views_with_limit", Both, Flag, Inert, "ON"),
    variable("version", Global, Text, ReadOnly, ""),
    variable("version_comment", Global, Text, ReadOnly, "Weir"),
    variable("version_compile_machine", Global, Text, ReadOnly, "x86_64"),
    variable("version_compile_os", Global, Text, ReadOnly, "Linux"),
    variable("wait_timeout", Both, between(1, YEAR), Dynamic, "28800"),
    variable("warning_count", Session, up_to(u64::MAX), ReadOnly, "0"),
];

#[cfg(test)]
mod tests {
    use super::super::names::find;
    use super::*;

    #[test]
    fn names_are_sorted_and_unique_so_that_the_search_finds_each() {
        for (a, b) in DEFINITIONS.iter().zip(DEFINITIONS.iter().skip(1)) {
            assert!(a.name < b.name, "{} is not before {}", a.name, b.name);
        }
        assert!(
            DEFINITIONS
                .iter()
                .all(|d| find(d.name).is_some_and(|f| f.name == d.name))
        );
    }
}
