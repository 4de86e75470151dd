//! Which functions may stand in the expression of a column, as MySQL 9.7 decides.

use super::Purpose;

/// Functions that neither a default nor a generated column may call: name, MySQL's name in the error.
const NEVER: [(&str, &str); 22] = [
    ("benchmark", "benchmark"),
    ("found_rows", "found_rows"),
    ("get_lock", "get_lock"),
    ("icu_version", "icu_version()"),
    ("is_free_lock", "is_free_lock"),
    ("is_used_lock", "is_used_lock"),
    ("json_merge", "json_merge_preserve"),
    ("last_insert_id", "last_insert_id"),
    ("load_file", "load_file"),
    ("master_pos_wait", "source_pos_wait"),
    ("md5", "`md5`"),
    ("release_all_locks", "release_all_locks"),
    ("release_lock", "release_lock"),
    ("row_count", "row_count"),
    ("sha", "`sha`"),
    ("sha1", "`sha1`"),
    ("sleep", "sleep"),
    ("source_pos_wait", "source_pos_wait"),
    ("updatexml", "updatexml"),
    ("values", "values"),
    ("version", "version()"),
    ("encrypt", "`encrypt`"),
];

/// Functions that only a default may call.
const NOT_GENERATED: [(&str, &str); 28] = [
    ("connection_id", "connection_id"),
    ("curdate", "curdate"),
    ("current_date", "curdate"),
    ("current_role", "current_role"),
    ("current_time", "curtime"),
    ("current_timestamp", "now"),
    ("current_user", "current_user"),
    ("curtime", "curtime"),
    ("database", "database"),
    ("localtime", "now"),
    ("localtimestamp", "now"),
    ("now", "now"),
    ("rand", "rand"),
    ("random_bytes", "random_bytes"),
    ("roles_graphml", "roles_graphml"),
    ("schema", "database"),
    ("session_user", "user"),
    ("statement_digest", "statement_digest"),
    ("statement_digest_text", "statement_digest_text"),
    ("sysdate", "sysdate"),
    ("system_user", "user"),
    ("unix_timestamp", "unix_timestamp"),
    ("user", "user"),
    ("utc_date", "utc_date"),
    ("utc_time", "utc_time"),
    ("utc_timestamp", "utc_timestamp"),
    ("uuid", "uuid"),
    ("uuid_short", "uuid_short"),
];

/// Functions with which a replica that adds the column gets other rows than its source.
const UNSAFE: [&str; 10] = [
    "connection_id",
    "current_role",
    "current_user",
    "rand",
    "random_bytes",
    "session_user",
    "sysdate",
    "system_user",
    "user",
    "uuid",
];

/// Names that are functions without parentheses behind them.
pub(super) const BARE: [&str; 9] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "utc_date",
    "utc_time",
    "utc_timestamp",
];

/// Functions that MySQL's grammar knows: name, fewest and most arguments. With others they are syntax
/// errors.
const OF_GRAMMAR: [(&str, usize, usize); 44] = [
    ("adddate", 2, 2),
    ("ascii", 1, 1),
    ("char", 1, usize::MAX),
    ("charset", 1, 1),
    ("coalesce", 1, usize::MAX),
    ("collation", 1, 1),
    ("curdate", 0, 0),
    ("current_user", 0, 0),
    ("curtime", 0, 1),
    ("database", 0, 0),
    ("date", 1, 1),
    ("day", 1, 1),
    ("extract", 2, 2),
    ("format", 2, 3),
    ("hour", 1, 1),
    ("if", 3, 3),
    ("insert", 4, 4),
    ("interval", 2, usize::MAX),
    ("left", 2, 2),
    ("microsecond", 1, 1),
    ("mid", 2, 3),
    ("minute", 1, 1),
    ("mod", 2, 2),
    ("month", 1, 1),
    ("now", 0, 1),
    ("quarter", 1, 1),
    ("repeat", 2, 2),
    ("replace", 3, 3),
    ("reverse", 1, 1),
    ("right", 2, 2),
    ("row_count", 0, 0),
    ("schema", 0, 0),
    ("second", 1, 1),
    ("subdate", 2, 2),
    ("substr", 2, 3),
    ("substring", 2, 3),
    ("sysdate", 0, 1),
    ("time", 1, 1),
    ("timestamp", 1, 2),
    ("truncate", 2, 2),
    ("user", 0, 0),
    ("utc_date", 0, 0),
    ("week", 1, 2),
    ("year", 1, 1),
];

/// Whether MySQL's grammar has the function with this number of arguments, if it has it at all.
pub(super) fn fits_grammar(name: &str, arguments: usize) -> bool {
    let known = OF_GRAMMAR.iter().find(|(known, ..)| *known == name);
    known.is_none_or(|(_, fewest, most)| (*fewest..=*most).contains(&arguments))
}

/// MySQL's name, in the error, of a function that may not stand here.
pub(super) fn forbidden(purpose: Purpose, name: &str) -> Option<&'static str> {
    let find = |list: &'static [(&str, &str)]| {
        let found = list.iter().find(|(known, _)| *known == name);
        found.map(|(_, shown)| *shown)
    };
    match purpose {
        Purpose::Generated => find(&NEVER).or_else(|| find(&NOT_GENERATED)),
        Purpose::Default => find(&NEVER),
    }
}

/// Whether a source and its replica may get different values.
pub(super) fn is_unsafe(name: &str) -> bool {
    name == "uuid_short" || UNSAFE.contains(&name)
}
