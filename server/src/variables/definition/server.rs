//! The server itself: its versions, its paths, its storage.

use super::Access::{Inert, Pinned, ReadOnly};
use super::Kind::{Choice, Flag, Text};
use super::Scope::{Both, Global};
use super::{Definition, YEAR, up_to, variable};

pub(super) const SERVER: &[Definition] = &[
    variable("basedir", Global, Text, ReadOnly, "/usr/"),
    variable("datadir", Global, Text, ReadOnly, ""),
    variable("default_storage_engine", Both, Text, Pinned, "InnoDB"),
    variable("default_table_encryption", Both, Flag, Pinned, "OFF"),
    variable("default_tmp_storage_engine", Both, Text, Pinned, "InnoDB"),
    variable(
        "event_scheduler",
        Global,
        Choice(&["OFF", "ON", "DISABLED"]),
        ReadOnly,
        "DISABLED",
    ),
    variable("hostname", Global, Text, ReadOnly, ""),
    variable(
        "information_schema_stats_expiry",
        Both,
        up_to(YEAR),
        Inert,
        "86400",
    ),
    variable(
        "innodb_flush_log_at_trx_commit",
        Global,
        up_to(2),
        ReadOnly,
        "1",
    ),
    variable("innodb_rollback_on_timeout", Global, Flag, ReadOnly, "OFF"),
    variable("innodb_stats_auto_recalc", Global, Flag, Inert, "ON"),
    variable("innodb_stats_persistent", Global, Flag, Inert, "ON"),
    variable("innodb_version", Global, Text, ReadOnly, "8.4.6"),
    variable(
        "key_buffer_size",
        Global,
        up_to(u64::MAX),
        ReadOnly,
        "8388608",
    ),
    variable("license", Global, Text, ReadOnly, "MIT OR Apache-2.0"),
    variable("lower_case_file_system", Global, Flag, ReadOnly, "OFF"),
    variable("lower_case_table_names", Global, up_to(2), ReadOnly, "0"),
    variable("performance_schema", Global, Flag, ReadOnly, "OFF"),
    variable("persisted_globals_load", Global, Flag, ReadOnly, "ON"),
    variable("pid_file", Global, Text, ReadOnly, ""),
    variable("query_cache_size", Global, up_to(0), ReadOnly, "0"),
    variable("query_cache_type", Global, Flag, ReadOnly, "OFF"),
    variable("storage_engine", Both, Text, Pinned, "InnoDB"),
    variable("table_open_cache", Global, up_to(524_288), ReadOnly, "4000"),
    variable("tmpdir", Global, Text, ReadOnly, "/tmp"),
    variable("version", Global, Text, ReadOnly, ""),
    variable("version_comment", Global, Text, ReadOnly, "Weir"),
    variable("version_compile_machine", Global, Text, ReadOnly, "x86_64"),
    variable("version_compile_os", Global, Text, ReadOnly, "Linux"),
];
