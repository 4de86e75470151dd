//! Columns in PostgreSQL's DDL: as they are made, added, and made of others.

use engine::catalog::{Column, ColumnDefault, ColumnType, Key, KeyKind, Table};
use engine::session::TimeZone;
use engine::tracker::filling;

use super::names::{literal, quoted};
use super::types::{ZeroDates, cast_name, is_nullable, text, type_name};

/// What statements need beside the definitions.
#[derive(Debug, Clone)]
pub(super) struct Context {
    pub(super) zero_dates: ZeroDates,
    /// When the statement began on the source.
    pub(super) now_micros: i64,
    /// The time zone that it ran in, where the log says.
    pub(super) zone: Option<TimeZone>,
}

/// How the values of a column become those of its new type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Conversion {
    /// They are the same.
    None,
    /// By this expression of the column.
    Using(String),
    /// In a way that PostgreSQL does not have.
    Unknown,
}

/// Whether a column belongs to the primary key.
fn is_in_primary(table: &Table, column: &Column) -> bool {
    let parts = |key: &Key| key.parts.iter().any(|part| part.column == column.id);
    table.primary_key().is_some_and(parts)
}

/// Whether a column of a table may be NULL in PostgreSQL.
pub(super) fn may_be_null(table: &Table, column: &Column, context: &Context) -> bool {
    is_nullable(column, is_in_primary(table, column), context.zero_dates)
}

/// A column in CREATE TABLE.
pub(super) fn definition(table: &Table, column: &Column, context: &Context) -> String {
    let mut sql = format!(
        "{} {}",
        quoted(&column.name),
        type_name(&column.column_type)
    );
    if let Some(default) = default_of(column, context) {
        sql.push_str(" DEFAULT ");
        sql.push_str(&default);
    }
    if !may_be_null(table, column, context) {
        sql.push_str(" NOT NULL");
    }
    if let Some(check) = check(column) {
        sql.push(' ');
        sql.push_str(&check);
    }
    sql
}

/// The name of the check of an ENUM or SET.
pub(super) fn check_name(column: &Column) -> String {
    format!("weir_members_{}", column.id.0)
}

/// What keeps other texts than its members out of an ENUM or SET.
pub(super) fn check(column: &Column) -> Option<String> {
    let (members, is_set) = match &column.column_type {
        ColumnType::Enum { members, .. } => (members, false),
        ColumnType::Set { members, .. } => (members, true),
        _ => return None,
    };
    let name = quoted(&column.name);
    let list = members.iter().map(|member| literal(member));
    let list: Vec<String> = list.collect();
    let condition = match is_set {
        true => format!(
            "string_to_array({name}, ',') <@ ARRAY[{}]::text[]",
            list.join(", ")
        ),
        // The empty text is what MySQL stores for a value that is no member.
        false => format!("{name} IN ('', {})", list.join(", ")),
    };
    Some(format!(
        "CONSTRAINT {} CHECK ({condition})",
        quoted(&check_name(column))
    ))
}

/// The default that PostgreSQL gives a column, where it has the same.
pub(super) fn default_of(column: &Column, context: &Context) -> Option<String> {
    match &column.default {
        ColumnDefault::None | ColumnDefault::Null | ColumnDefault::Expression(_) => None,
        ColumnDefault::CurrentTimestamp => match &column.column_type {
            ColumnType::Timestamp { fsp } => Some(format!("CURRENT_TIMESTAMP({fsp})")),
            ColumnType::DateTime { fsp } => Some(format!("LOCALTIMESTAMP({fsp})")),
            _ => None,
        },
        ColumnDefault::Literal(_) => {
            let value = filling(column).ok()??;
            let text = text(&value, column, context.zero_dates).ok()??;
            Some(constant(&text, &column.column_type))
        }
    }
}

/// A value as a constant of the column's type.
fn constant(text: &str, column: &ColumnType) -> String {
    format!("{}::{}", literal(text), cast_name(column))
}

/// What rows that are there get in a new column: a constant or `NULL`; `None` where only the source could
/// say.
pub(super) fn filled(table: &Table, column: &Column, context: &Context) -> Option<String> {
    let value = match &column.default {
        ColumnDefault::CurrentTimestamp => now(column, context)?,
        ColumnDefault::None
        | ColumnDefault::Null
        | ColumnDefault::Literal(_)
        | ColumnDefault::Expression(_) => {
            let value = filling(column).ok()??;
            text(&value, column, context.zero_dates).ok()?
        }
    };
    match value {
        Some(text) => Some(constant(&text, &column.column_type)),
        None => may_be_null(table, column, context).then(|| "NULL".to_owned()),
    }
}

/// The time of the statement as a value of the column.
fn now(column: &Column, context: &Context) -> Option<Option<String>> {
    use binlog::value::{DateTime, Timestamp, Value};
    let seconds = u32::try_from(context.now_micros.div_euclid(1_000_000)).ok()?;
    let micros = u32::try_from(context.now_micros.rem_euclid(1_000_000)).ok()?;
    let digits = u32::from(6_u8.checked_sub(column.column_type.fsp())?);
    let step = 10_u32.pow(digits);
    let moment = Timestamp {
        seconds,
        micros: micros - micros % step,
    };
    let value = match &column.column_type {
        ColumnType::Timestamp { .. } => Value::Timestamp(moment),
        ColumnType::DateTime { .. } => {
            let zone = context.zone.as_ref()?;
            Value::DateTime(DateTime::from(zone.to_local(moment)))
        }
        _ => return None,
    };
    text(&value, column, context.zero_dates).ok()
}

/// How the values of `old` become those of `new`.
pub(super) fn conversion(old: &Column, new: &Column) -> Conversion {
    use ColumnType as T;
    let name = quoted(&new.name);
    let plain = |yes: bool| match yes {
        true => Conversion::Using(name.clone()),
        false => Conversion::Unknown,
    };
    if old.shown != new.shown {
        return Conversion::Unknown;
    }
    match (&old.column_type, &new.column_type) {
        (from, to) if from == to => Conversion::None,
        (T::Integer { zerofill, .. }, T::Char { .. } | T::Varchar { .. } | T::Text { .. }) => {
            match zerofill {
                true => Conversion::Unknown,
                false => Conversion::Using(format!("{name}::text")),
            }
        }
        (T::Integer { .. }, T::Integer { .. } | T::Decimal { .. } | T::Double { .. })
        | (T::Year, T::Integer { .. })
        | (T::Decimal { .. }, T::Decimal { .. })
        | (T::Float { digits: None, .. }, T::Double { digits: None, .. })
        | (T::Float { digits: None, .. }, T::Float { digits: None, .. })
        | (T::Double { digits: None, .. }, T::Double { digits: None, .. })
        | (T::Char { .. }, T::Char { .. })
        | (
            T::Char { .. } | T::Varchar { .. } | T::Text { .. },
            T::Varchar { .. } | T::Text { .. },
        )
        | (
            T::Binary { .. } | T::Varbinary { .. } | T::Blob { .. },
            T::Varbinary { .. } | T::Blob { .. },
        )
        | (T::Date, T::DateTime { .. }) => plain(true),
        (T::Varchar { .. } | T::Text { .. }, T::Char { .. }) => {
            Conversion::Using(format!("rtrim({name}, ' ')"))
        }
        (T::Enum { .. } | T::Set { .. }, T::Char { .. } | T::Varchar { .. } | T::Text { .. }) => {
            plain(true)
        }
        (T::Enum { .. }, T::Enum { .. }) => plain(true),
        // A text lists the members in the order of the definition.
        (T::Set { members: from, .. }, T::Set { members: to, .. }) => {
            let kept: Vec<&String> = to.iter().filter(|member| from.contains(member)).collect();
            plain(from.iter().collect::<Vec<_>>() == kept)
        }
        (T::Time { fsp: from }, T::Time { fsp: to })
        | (T::DateTime { fsp: from }, T::DateTime { fsp: to })
        | (T::Timestamp { fsp: from }, T::Timestamp { fsp: to }) => plain(from <= to),
        (T::Bit { width: from }, T::Bit { width: to }) if from <= to => {
            Conversion::Using(format!("lpad({name}::text, {to}, '0')::varbit::bit({to})"))
        }
        _ => Conversion::Unknown,
    }
}

/// Bytes that a value may have in an index.
fn bytes_max(column: &ColumnType) -> u64 {
    match column {
        ColumnType::Char { length, collation } => {
            u64::from(*length) * u64::from(collation.charset.bytes_per_char_max())
        }
        ColumnType::Varchar { length, collation } => {
            u64::from(*length) * u64::from(collation.charset.bytes_per_char_max())
        }
        ColumnType::Varbinary { length } => u64::from(*length),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => size.bytes_max(),
        _ => 64,
    }
}

/// Bytes that an entry of a key may have.
pub(super) fn entry_bytes_max(table: &Table, key: &Key) -> u64 {
    let parts = key.parts.iter().filter_map(|part| {
        let (_, column) = table.column_by_id(part.column)?;
        let all = bytes_max(&column.column_type);
        let width = column.column_type.collation();
        let width = width.map_or(1, |collation| {
            u64::from(collation.charset.bytes_per_char_max())
        });
        Some(match part.prefix {
            Some(prefix) => all.min(u64::from(prefix) * width),
            None => all,
        })
    });
    parts.sum()
}

/// The parts of a key in an index, which has an order unless it is a hash or PostgreSQL's primary key.
pub(super) fn parts(table: &Table, key: &Key, has_order: bool) -> String {
    let parts = key.parts.iter().filter_map(|part| {
        let (_, column) = table.column_by_id(part.column)?;
        let name = quoted(&column.name);
        let value = match (part.prefix, column.column_type.collation()) {
            (None, _) => name,
            (Some(prefix), Some(_)) => format!("(left({name}, {prefix}))"),
            (Some(prefix), None) => format!("(substring({name} FROM 1 FOR {prefix}))"),
        };
        let is_backward = has_order && part.descending;
        Some(format!("{value}{}", if is_backward { " DESC" } else { "" }))
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// Whether a key is a PRIMARY KEY of PostgreSQL, which has whole columns only.
pub(super) fn is_primary_there(key: &Key) -> bool {
    let is_whole = key.parts.iter().all(|part| part.prefix.is_none());
    key.kind == KeyKind::Primary && is_whole
}
