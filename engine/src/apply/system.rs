//! The tables of the schema `mysql` in which servers keep what is not kept here: time zones, help,
//! accounts, plugins, statistics. A table that somebody else made there is none of them.

use crate::catalog::SYSTEM_SCHEMA;
use sql::ast::{Ddl, TableName};

/// What their rows are called when they are passed over.
pub const SYSTEM_ROWS: &str = "rows of system tables";

/// What their definitions are called.
pub(super) const DEFINITION: &str = "DDL of system tables";

/// The tables of MySQL 5.6 to 9.7 and MariaDB 10.11 to 11.8.
const TABLES: [&str; 49] = [
    "column_stats",
    "columns_priv",
    "component",
    "db",
    "default_roles",
    "engine_cost",
    "event",
    "firewall_group_allowlist",
    "firewall_groups",
    "firewall_membership",
    "firewall_users",
    "firewall_whitelist",
    "func",
    "general_log",
    "global_grants",
    "global_priv",
    "gtid_executed",
    "gtid_slave_pos",
    "help_category",
    "help_keyword",
    "help_relation",
    "help_topic",
    "host",
    "index_stats",
    "innodb_index_stats",
    "innodb_table_stats",
    "ndb_binlog_index",
    "password_history",
    "plugin",
    "proc",
    "procs_priv",
    "proxies_priv",
    "replication_group_configuration_version",
    "replication_group_member_actions",
    "role_edges",
    "roles_mapping",
    "server_cost",
    "servers",
    "slave_master_info",
    "slave_relay_log_info",
    "slow_log",
    "table_stats",
    "tables_priv",
    "time_zone",
    "time_zone_leap_second",
    "time_zone_name",
    "time_zone_transition",
    "time_zone_transition_type",
    "user",
];

/// Whether a table is one of them.
#[must_use]
pub fn is_system_table(database: &str, name: &str) -> bool {
    database == SYSTEM_SCHEMA && TABLES.binary_search(&name).is_ok()
}

/// Whether all tables that a statement changes are system tables.
pub(super) fn is_about_system_tables(ddl: &Ddl, default_database: &str) -> bool {
    let tables = ddl.changed_tables();
    let is_one = |table: &&TableName| {
        let database = table.database.as_deref().unwrap_or(default_database);
        is_system_table(database, &table.name)
    };
    !tables.is_empty() && tables.iter().chain(&ddl.new_names()).all(is_one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tables_that_servers_make_themselves_are_system_tables() {
        assert!(TABLES.is_sorted());
        assert!(is_system_table("mysql", "time_zone_name"));
        assert!(!is_system_table("mysql", "heartbeat"));
        assert!(!is_system_table("shop", "user"));
    }
}
