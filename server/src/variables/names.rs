//! Finding a variable by its name, and the variables that have two: one value, kept under the name of
//! today.

use super::definition::{Definition, all};

/// Older names of variables that are stored under today's.
const SYNONYMS: [(&str, &str); 6] = [
    ("pseudo_slave_mode", "pseudo_replica_mode"),
    ("slave_exec_mode", "replica_exec_mode"),
    ("slave_skip_errors", "replica_skip_errors"),
    ("sql_slave_skip_counter", "sql_replica_skip_counter"),
    ("tx_isolation", "transaction_isolation"),
    ("tx_read_only", "transaction_read_only"),
];

/// The name under which the value of `name` is kept.
pub(crate) fn stored_name(name: &'static str) -> &'static str {
    SYNONYMS
        .iter()
        .find(|(old, _)| *old == name)
        .map_or(name, |(_, today)| *today)
}

/// The definition of a name in lower case.
pub(crate) fn find(name: &str) -> Option<&'static Definition> {
    let at = all()
        .binary_search_by(|definition| definition.name.cmp(name))
        .ok()?;
    all().get(at)
}
