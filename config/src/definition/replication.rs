//! Options of a replica: its source, what it applies of it, and into what.

use super::{Definition, Kind, ListOf, Role};

pub(super) const SOURCE: &[Definition] = &[
    Definition::text(
        "source_host",
        "",
        "Host of the source; without one the replica waits for \
         CHANGE REPLICATION SOURCE TO.",
    )
    .only(Role::Replica),
    Definition::unsigned("source_port", (1, 65_535), "3306", "Port of the source.")
        .only(Role::Replica),
    Definition::text(
        "source_user",
        "",
        "Account on the source; it needs REPLICATION SLAVE.",
    )
    .only(Role::Replica),
    Definition::new(
        "source_password",
        Kind::Secret,
        "",
        "Its password. On a command line other users can read it: prefer source_password_file.",
    )
    .only(Role::Replica),
    Definition::path(
        "source_password_file",
        "",
        "File whose first line is the password; others must not be able to read it.",
    )
    .only(Role::Replica),
    Definition::flag(
        "source_auto_position",
        "OFF",
        "Ask the source for what is missing by GTID set. Differs from MySQL: ON where gtid_mode \
         is not OFF and source_log_file is not set.",
    )
    .only(Role::Replica),
    Definition::text(
        "source_log_file",
        "",
        "Binlog file of the source to begin with.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "source_log_pos",
        (4, u64::MAX),
        "4",
        "Position in source_log_file to begin with, in bytes.",
    )
    .only(Role::Replica),
    Definition::flag(
        "source_ssl",
        "OFF",
        "Use TLS, and nothing else, to the source.",
    )
    .only(Role::Replica),
    Definition::path(
        "source_ssl_ca",
        "",
        "Certificates (PEM) the source's must be signed by.",
    )
    .only(Role::Replica),
    Definition::flag(
        "source_ssl_verify_server_cert",
        "OFF",
        "Also compare source_host with the name in the source's certificate.",
    )
    .only(Role::Replica),
    Definition::path("source_ssl_cert", "", "Certificate shown to the source.").only(Role::Replica),
    Definition::path("source_ssl_key", "", "The key of that certificate.").only(Role::Replica),
    Definition::flag(
        "get_source_public_key",
        "ON",
        "Without TLS, ask the source for the RSA key that protects the password. Differs from \
         MySQL: ON by default.",
    )
    .only(Role::Replica),
    Definition::path(
        "source_public_key_path",
        "",
        "The source's RSA key (PEM), so that without TLS none has to be asked for and believed.",
    )
    .only(Role::Replica),
    Definition::text(
        "source_compression_algorithms",
        "uncompressed",
        "How the connection to the source may be compressed: zlib, zstd, uncompressed, separated by \
         commas; the first of these that is permitted and that the source offers is used.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "source_zstd_compression_level",
        (1, 22),
        "3",
        "Level of zstd for the connection to the source.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "source_connect_retry",
        (1, 4_294_967_295),
        "60",
        "Most seconds between two attempts to connect; the first follow faster.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "source_retry_count",
        (0, 4_294_967_295),
        "10",
        "Attempts to connect before the receiver stops; 0 tries for ever.",
    )
    .only(Role::Replica),
    Definition::new(
        "source_heartbeat_period",
        Kind::Seconds {
            min: 0.0,
            max: 4_294_967.0,
        },
        "",
        "Seconds between the heartbeats of an idle source, to a thousandth; by default 1, or \
         half of replica_net_timeout if that is less; 0 asks for none.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "source_delay",
        (0, 2_147_483_647),
        "0",
        "Seconds that a transaction is applied behind its commit on the source, at the earliest: \
         time to stop before an accident arrives here too.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "replica_net_timeout",
        (1, 31_536_000),
        "60",
        "Seconds without an event or heartbeat after which the receiver connects again.",
    )
    .only(Role::Replica),
    Definition::text(
        "report_host",
        "",
        "Host name told to the source, shown by SHOW REPLICAS.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "report_port",
        (0, 65_535),
        "0",
        "Port told to the source; 0 takes the port of this server.",
    )
    .only(Role::Replica),
    Definition::flag(
        "skip_replica_start",
        "OFF",
        "Wait for START REPLICA instead of starting at once.",
    )
    .only(Role::Replica),
];

pub(super) const APPLIER: &[Definition] = &[
    Definition::text(
        "target",
        "sqlite",
        "Where rows go: `sqlite`, the embedded engine in the data directory; a MySQL or MariaDB \
         server, `mysql://user@host[:port]`, or the nodes of a Galera cluster, \
         `mysql://user@host[:port],host[:port]...`; or a PostgreSQL server, \
         `postgres://user@host[:port]/database`, with `%2F` for the slashes of a Unix socket's \
         directory in place of the host. Weir's own.",
    )
    .only(Role::Replica),
    Definition::path(
        "target_password_file",
        "",
        "File whose first line is the password of a target that is a server; mode 600. Weir's own.",
    )
    .only(Role::Replica),
    Definition::path(
        "target_ssl_ca",
        "",
        "Certificates (PEM) that the certificate of a target must be signed by; it must then name \
         the host. Weir's own.",
    )
    .only(Role::Replica),
    Definition::choice(
        "postgres_zero_dates",
        &["STOP", "NULL", "INFINITY"],
        &["STOP", "NULL", "INFINITY"],
        "STOP",
        "What becomes of dates that PostgreSQL does not have (`0000-00-00`, a zero month, 31 June) in a \
         target that is a PostgreSQL: they stop the applier, become NULL, or `-infinity`. Weir's own.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "replica_parallel_workers",
        (0, 64),
        "4",
        "Transactions that are applied at the same time into a server that keeps their GTIDs; 0 and 1 \
         apply one after the other. Differs from MySQL: at most 64, and other targets, the embedded \
         engine too, have one writer.",
    )
    .only(Role::Replica),
    Definition::choice(
        "replica_parallel_type",
        &["LOGICAL_CLOCK", "DATABASE"],
        &["LOGICAL_CLOCK"],
        "LOGICAL_CLOCK",
        "What tells which transactions may be applied at the same time: what their source wrote down, or \
         the rows that they touch. \
         Differs from MySQL: databases say nothing of it.",
    )
    .only(Role::Replica),
    Definition::flag(
        "replica_preserve_commit_order",
        "ON",
        "Transactions become visible in the order of the source, however many are applied at the same \
         time.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "replica_transaction_retries",
        (0, u64::MAX),
        "10",
        "Attempts after a failure that may pass, a lock or a full disk, before the applier stops. A \
         target that cannot be reached is tried for ever, as a source is.",
    )
    .only(Role::Replica),
    Definition::choice(
        "replica_exec_mode",
        &["STRICT", "IDEMPOTENT"],
        &["STRICT", "IDEMPOTENT"],
        "STRICT",
        "What becomes of rows that do not fit: STRICT stops at a duplicate key and at a row that is \
         missing; with IDEMPOTENT an insert takes the place of the rows in its way, and an update or \
         a delete of a missing row is passed over. Each is logged and counted.",
    )
    .only(Role::Replica),
    Definition::text(
        "replica_skip_errors",
        "OFF",
        "Errors behind which the applier goes on: OFF, all, ddl_exist_errors, or numbers with commas \
         between. Each is logged and counted. Differs from MySQL: of an event only the row that \
         failed is passed over; statements other than DDL always stop the applier.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_do_db",
        ListOf::Databases,
        "Apply only changes of these databases. Differs from MySQL: commas separate names.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_ignore_db",
        ListOf::Databases,
        "Apply no changes of these databases; not consulted when replicate_do_db is set. Differs \
         from MySQL: commas separate names.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_do_table",
        ListOf::Tables,
        "Apply changes of these tables.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_ignore_table",
        ListOf::Tables,
        "Apply no changes of these tables.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_wild_do_table",
        ListOf::WildTables,
        "Apply changes of the tables that match.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_wild_ignore_table",
        ListOf::WildTables,
        "Apply no changes of the tables that match.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_rewrite_db",
        ListOf::Rewrites,
        "Apply changes of database `from` to database `to`; the other rules see the new name.",
    )
    .only(Role::Replica),
    Definition::list(
        "replicate_row_filter",
        ListOf::RowFilters,
        "Of this table apply only rows of which the condition is true; one option a table. Weir's own.",
    )
    .only(Role::Replica),
];
