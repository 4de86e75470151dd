//! Options of the log files: the primary's binlog and the replica's relay log.

use super::{Definition, Kind, Role};

const GIB: u64 = 1 << 30;

pub(super) const LOGS: &[Definition] = &[
    Definition::new(
        "log_bin",
        Kind::Name,
        "binlog",
        "Base name of the binlog files, with or without a directory (`master-bin` gives \
         master-bin.000001). A primary always writes its binlog.",
    )
    .only(Role::Primary),
    Definition::fixed_flag(
        "skip_log_bin",
        true,
        "A replica writes no binlog of its own.",
    )
    .only(Role::Replica),
    Definition::path(
        "log_bin_index",
        "",
        "The list of the binlog files; by default the base name with .index.",
    )
    .only(Role::Primary),
    Definition::unsigned(
        "sync_binlog",
        (0, 4_294_967_295),
        "1",
        "Commit groups between two syncs of the binlog to disk. 1: what is acknowledged survives \
         a power loss. 0: the operating system decides.",
    )
    .only(Role::Primary),
    Definition::size(
        "max_binlog_size",
        (4096, GIB),
        4096,
        "1073741824",
        "Bytes after which a new binlog file is begun, at the end of a transaction. A replica uses \
         it where max_relay_log_size is 0.",
    ),
    Definition::unsigned(
        "binlog_expire_logs_seconds",
        (0, 4_294_967_295),
        "2592000",
        "Age in seconds after which a binlog file is removed; 0 never. A file that a replica is \
         being sent stays.",
    )
    .only(Role::Primary),
    Definition::choice(
        "binlog_checksum",
        &["NONE", "CRC32"],
        &["NONE", "CRC32"],
        "CRC32",
        "The checksum written behind every event.",
    )
    .only(Role::Primary),
    Definition::flag(
        "binlog_encryption",
        "OFF",
        "Whether new binlog and relay log files are encrypted, as MySQL does it; needs a keyring. \
         Also SET GLOBAL binlog_encryption while running.",
    ),
    Definition::flag(
        "binlog_rotate_encryption_master_key_at_startup",
        "OFF",
        "Whether a start with binlog_encryption makes a new master key, as ALTER INSTANCE ROTATE \
         BINLOG MASTER KEY does.",
    ),
    Definition::path(
        "keyring_file_data",
        "",
        "The keyring that holds the master keys of encrypted logs, in the format of MySQL's \
         component_keyring_file; made when there is a key to keep. Without it, the keyring is the \
         one that component_keyring_file.cnf in the data directory names, if there is one.",
    ),
    Definition::choice(
        "binlog_format",
        &["MIXED", "STATEMENT", "ROW"],
        &["ROW"],
        "ROW",
        "Changes are logged as rows.",
    ),
    Definition::choice(
        "binlog_row_image",
        &["MINIMAL", "NOBLOB", "FULL"],
        &["FULL"],
        "FULL",
        "Row images hold every column.",
    )
    .only(Role::Primary),
    Definition::choice(
        "binlog_row_metadata",
        &["MINIMAL", "FULL"],
        &["MINIMAL", "FULL"],
        "MINIMAL",
        "What a table map tells of its columns; FULL adds names, keys, ENUM and SET members and \
         character sets of all columns.",
    )
    .only(Role::Primary),
    Definition::choice(
        "gtid_mode",
        &["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"],
        &["OFF", "OFF_PERMISSIVE", "ON_PERMISSIVE", "ON"],
        "ON",
        "Whether transactions carry global identifiers. A replica with ON takes none without, with \
         OFF none with one. Differs from MySQL: ON by default, on a replica ON_PERMISSIVE, which \
         takes both.",
    )
    .on_replica("ON_PERMISSIVE"),
    Definition::choice(
        "enforce_gtid_consistency",
        &["OFF", "ON", "WARN"],
        &["OFF", "ON", "WARN"],
        "ON",
        "Refuse statements that cannot be logged as one GTID transaction; gtid_mode=ON needs it. \
         Also TRUE and FALSE. Differs from MySQL: ON by default.",
    ),
    Definition::fixed_flag(
        "log_replica_updates",
        false,
        "A replica does not write what it applies to a binlog of its own.",
    )
    .only(Role::Replica),
    Definition::new(
        "relay_log",
        Kind::Name,
        "relay-bin",
        "Base name of the relay log files. Differs from MySQL: the default does not hold the host \
         name, which changes.",
    )
    .only(Role::Replica),
    Definition::path(
        "relay_log_index",
        "",
        "The list of the relay log files; by default the base name with .index.",
    )
    .only(Role::Replica),
    Definition::size(
        "max_relay_log_size",
        (0, GIB),
        4096,
        "0",
        "Bytes after which a new relay log file is begun; 0 takes max_binlog_size.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "relay_log_space_limit",
        (0, u64::MAX),
        "0",
        "Bytes of relay log kept; at the limit the receiver waits for the applier. 0: no limit.",
    )
    .only(Role::Replica),
    Definition::flag(
        "relay_log_purge",
        "ON",
        "Remove relay log files once applied.",
    )
    .only(Role::Replica),
    Definition::unsigned(
        "sync_relay_log",
        (0, 4_294_967_295),
        "10000",
        "Events between two syncs of the relay log to disk; 0: the operating system decides. What \
         is lost is fetched again from the source.",
    )
    .only(Role::Replica),
    Definition::flag(
        "relay_log_recovery",
        "OFF",
        "At start throw the relay logs away and fetch again from the applied position.",
    )
    .only(Role::Replica),
];
