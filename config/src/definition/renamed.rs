//! Names that options had in earlier releases of MySQL. They still act, with a warning that
//! gives today's name.

/// An old name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Renamed {
    /// The name that was.
    pub old: &'static str,
    /// The name that is.
    pub new: &'static str,
    /// What the value is multiplied by to be the new one (days to seconds); 1 for most.
    pub factor: u64,
}

const fn renamed(old: &'static str, new: &'static str) -> Renamed {
    Renamed {
        old,
        new,
        factor: 1,
    }
}

/// Every old name.
pub const RENAMED: &[Renamed] = &[
    Renamed {
        old: "expire_logs_days",
        new: "binlog_expire_logs_seconds",
        factor: 86_400,
    },
    renamed("log_slave_updates", "log_replica_updates"),
    renamed("skip_slave_start", "skip_replica_start"),
    renamed("slave_parallel_workers", "replica_parallel_workers"),
    renamed(
        "slave_preserve_commit_order",
        "replica_preserve_commit_order",
    ),
    renamed("slave_exec_mode", "replica_exec_mode"),
    renamed("slave_skip_errors", "replica_skip_errors"),
    renamed("slave_parallel_type", "replica_parallel_type"),
    renamed("slave_transaction_retries", "replica_transaction_retries"),
    renamed("slave_net_timeout", "replica_net_timeout"),
    renamed("master_host", "source_host"),
    renamed("master_port", "source_port"),
    renamed("master_user", "source_user"),
    renamed("master_password", "source_password"),
    renamed("master_auto_position", "source_auto_position"),
    renamed("master_log_file", "source_log_file"),
    renamed("master_log_pos", "source_log_pos"),
    renamed("master_ssl", "source_ssl"),
    renamed("master_ssl_ca", "source_ssl_ca"),
    renamed("master_ssl_cert", "source_ssl_cert"),
    renamed("master_ssl_key", "source_ssl_key"),
    renamed(
        "master_ssl_verify_server_cert",
        "source_ssl_verify_server_cert",
    ),
    renamed("master_connect_retry", "source_connect_retry"),
    renamed("master_retry_count", "source_retry_count"),
    renamed("master_heartbeat_period", "source_heartbeat_period"),
    renamed("master_public_key_path", "source_public_key_path"),
    renamed(
        "master_compression_algorithms",
        "source_compression_algorithms",
    ),
    renamed(
        "master_zstd_compression_level",
        "source_zstd_compression_level",
    ),
    renamed("get_master_public_key", "get_source_public_key"),
    renamed("storage_engine", "default_storage_engine"),
    renamed("default_character_set", "character_set_server"),
    renamed("default_collation", "collation_server"),
];

/// Options of MySQL that operators try, and why there are none here.
pub(crate) const ABSENT: &[(&str, &str)] = &[
    ("ssl_ca", "certificates of clients are not verified"),
    ("ssl_capath", "certificates of clients are not verified"),
    (
        "user",
        "start weir as that user, for instance by systemd's User=",
    ),
    ("basedir", "weir is one file"),
    (
        "binlog_do_db",
        "every database is logged; filter on the replica by replicate_do_db",
    ),
    (
        "binlog_ignore_db",
        "every database is logged; filter on the replica by replicate_ignore_db",
    ),
    (
        "replicate_same_server_id",
        "events of this server's own id are never applied again",
    ),
    (
        "skip_networking",
        "write bind_address=127.0.0.1, or use the socket",
    ),
    (
        "gtid_strict_mode",
        "of a MariaDB source followed by GTID the numbers of a domain always have to grow",
    ),
    (
        "gtid_ignore_duplicates",
        "a replica has one source, which sends a transaction once",
    ),
    ("skip_grant_tables", "accounts cannot be switched off"),
    ("general_log", "there is no general log"),
    ("slow_query_log", "there is no slow query log"),
    ("plugin_load", "there are no plugins"),
    ("plugin_load_add", "there are no plugins"),
];
