//! Status variables of statements by the names of the session variables they stand for.

use std::borrow::Cow;

use super::{Field, Sink};
use binlog::event::{StatusVariable, session_flag};

/// Bits of the session options that are logged: name, bit, and whether the set bit means OFF.
const FLAGS: [(&str, u32, bool); 4] = [
    ("sql_auto_is_null", session_flag::AUTO_IS_NULL, false),
    ("autocommit", session_flag::NOT_AUTOCOMMIT, true),
    (
        "foreign_key_checks",
        session_flag::NO_FOREIGN_KEY_CHECKS,
        true,
    ),
    ("unique_checks", session_flag::RELAXED_UNIQUE_CHECKS, true),
];

/// Names of the sql_mode bits that MySQL and MariaDB share, from bit 0. Empty: not a mode of both.
const SQL_MODES: [&str; 35] = [
    "REAL_AS_FLOAT",
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "IGNORE_SPACE",
    "",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "ANSI",
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "",
    "HIGH_NOT_PRECEDENCE",
    "NO_ENGINE_SUBSTITUTION",
    "PAD_CHAR_TO_FULL_LENGTH",
    "TIME_TRUNCATE_FRACTIONAL",
    "",
    "",
];

/// The names of sql_mode bits that both servers give the same meaning, comma-separated; `None` when
/// another bit is set.
pub(crate) fn sql_mode_names(mode: u64) -> Option<String> {
    let mut names = Vec::new();
    for bit in (0..64_usize).filter(|bit| mode >> bit & 1 == 1) {
        match SQL_MODES.get(bit) {
            Some(name) if !name.is_empty() => names.push(*name),
            _ => return None,
        }
    }
    Some(names.join(","))
}

/// Names what one status variable says.
pub(super) fn fields(variable: &StatusVariable<'_>, sink: &mut Sink<'_>) {
    match variable {
        StatusVariable::Flags2(flags) => {
            sink("flags2", Field::Number((*flags).into()));
            for (name, bit, is_off) in FLAGS {
                sink(name, Field::Flag((flags & bit != 0) != is_off));
            }
        }
        StatusVariable::SqlMode(mode) => {
            sink("sql_mode", Field::Number(*mode));
            if let Some(names) = sql_mode_names(*mode) {
                sink("sql_mode_names", Field::Text(&names));
            }
        }
        StatusVariable::CatalogOld(catalog) | StatusVariable::Catalog(catalog) => {
            sink("catalog", Field::Bytes(catalog));
        }
        StatusVariable::AutoIncrement { increment, offset } => {
            sink("auto_increment_increment", number(*increment));
            sink("auto_increment_offset", number(*offset));
        }
        StatusVariable::Charset(charset) => {
            sink("character_set_client", number(charset.client));
            sink("collation_connection", number(charset.connection));
            sink("collation_server", number(charset.server));
        }
        StatusVariable::TimeZone(zone) => sink("time_zone", Field::Bytes(zone)),
        StatusVariable::LcTimeNames(id) => sink("lc_time_names", number(*id)),
        StatusVariable::CollationDatabase(id) => sink("collation_database", number(*id)),
        StatusVariable::TableMapForUpdate(bits) => {
            sink("table_map_for_update", Field::Number(*bits));
        }
        StatusVariable::SourceDataWritten(bytes) => {
            sink("source_data_written", Field::Number((*bytes).into()));
        }
        StatusVariable::Invoker { user, host } => {
            sink("invoker_user", Field::Bytes(user));
            sink("invoker_host", Field::Bytes(host));
        }
        StatusVariable::UpdatedSchemas(schemas) => updated(schemas.as_deref(), sink),
        StatusVariable::Microseconds(micros) | StatusVariable::MariaMicroseconds(micros) => {
            sink("microseconds", Field::Number((*micros).into()));
        }
        later => later_fields(later, sink),
    }
}

/// Those that MySQL 5.7 and later, or MariaDB only, write.
fn later_fields(variable: &StatusVariable<'_>, sink: &mut Sink<'_>) {
    match variable {
        StatusVariable::ExplicitDefaultsForTimestamp(on) => {
            sink("explicit_defaults_for_timestamp", Field::Flag(*on != 0));
        }
        StatusVariable::DdlXid(xid) | StatusVariable::MariaXid(xid) => {
            sink("ddl_xid", Field::Number(*xid));
        }
        StatusVariable::DefaultCollationForUtf8mb4(id) => {
            sink("default_collation_for_utf8mb4", number(*id));
        }
        StatusVariable::RequirePrimaryKey(on) => {
            sink("sql_require_primary_key", Field::Flag(*on != 0));
        }
        StatusVariable::DefaultTableEncryption(on) => {
            sink("default_table_encryption", Field::Flag(*on != 0));
        }
        StatusVariable::EnableCascadeTriggers(on) => {
            sink("enable_cascade_triggers", Field::Flag(*on != 0));
        }
        StatusVariable::MariaAlter {
            flags,
            start_sequence,
        } => {
            sink("alter_flags", Field::Number((*flags).into()));
            if let Some(sequence) = start_sequence {
                sink("alter_start_sequence", Field::Number(*sequence));
            }
        }
        StatusVariable::MariaCharsetCollations(pairs) => {
            let pairs: Vec<Cow<'_, str>> = pairs
                .iter()
                .map(|(charset, collation)| Cow::Owned(format!("{charset}={collation}")))
                .collect();
            sink("character_set_collations", Field::Texts(&pairs));
        }
        StatusVariable::Unknown { code, rest } => {
            sink("unknown_status_code", Field::Number((*code).into()));
            sink("unknown_status", Field::Hex(rest));
        }
        // Named by the caller.
        _ => {}
    }
}

fn updated(schemas: Option<&[Cow<'_, [u8]>]>, sink: &mut Sink<'_>) {
    let Some(schemas) = schemas else {
        return sink("updated_schemas_overflow", Field::Flag(true));
    };
    let names: Vec<Cow<'_, str>> = schemas
        .iter()
        .map(|name| String::from_utf8_lossy(name))
        .collect();
    sink("updated_schemas", Field::Texts(&names));
}

fn number(value: u16) -> Field<'static> {
    Field::Number(value.into())
}
