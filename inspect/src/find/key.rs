//! The values that a row is looked for by.

use std::str::FromStr;

use binlog::row::{Column, ColumnType, Row, Table};
use binlog::value::Value;
use charset::Charset;

/// One value and the column it is in.
///
/// As text: `42` for the next column of the primary key, `id=42` by name, `@1=42` by position from
/// 1. Values are written as SELECT prints them; bytes as `0x..`, NULL as `NULL`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPart {
    column: Named,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// The next one of the primary key.
    Next,
    Name(String),
    /// From 0.
    Position(usize),
}

impl FromStr for KeyPart {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((column, value)) = text.split_once('=') else {
            return Ok(Self {
                column: Named::Next,
                value: text.to_owned(),
            });
        };
        let column = match column.strip_prefix('@') {
            Some(position) => position
                .parse::<usize>()
                .ok()
                .and_then(|position| position.checked_sub(1))
                .map(Named::Position)
                .ok_or("a position is a number from 1, as in @1=42")?,
            None => Named::Name(column.trim_matches('`').to_owned()),
        };
        Ok(Self {
            column,
            value: value.to_owned(),
        })
    }
}

/// Why a key cannot be looked for in a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyError {
    /// The log does not tell the primary key.
    NoPrimaryKey {
        /// The table.
        table: String,
    },
    /// The primary key has fewer columns than values were given.
    ShortPrimaryKey {
        /// The table.
        table: String,
        /// Columns of its primary key.
        columns: usize,
    },
    /// The log does not tell the names of columns.
    NoNames {
        /// The table.
        table: String,
    },
    /// There is no such column.
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
}

impl std::error::Error for KeyError {}

impl std::fmt::Display for KeyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let minimal = "(binlog_row_metadata was MINIMAL); name columns by position: @1=42";
        match self {
            Self::NoPrimaryKey { table } => {
                write!(
                    f,
                    "the log does not tell the primary key of {table} {minimal}"
                )
            }
            Self::ShortPrimaryKey { table, columns } => write!(
                f,
                "the primary key of {table} has {columns} columns; name others: column=value"
            ),
            Self::NoNames { table } => {
                write!(
                    f,
                    "the log does not tell the column names of {table} {minimal}"
                )
            }
            Self::NoColumn { table, column } => write!(f, "{table} has no column {column}"),
        }
    }
}

/// The values, with the columns of one table.
#[derive(Debug)]
pub struct Key<'k> {
    parts: Vec<(usize, &'k str)>,
}

impl<'k> Key<'k> {
    /// Finds the columns of `parts` in `table`.
    ///
    /// # Errors
    /// If the table has no such column or key, as far as the log tells.
    pub fn new(parts: &'k [KeyPart], table: &Table) -> Result<Self, KeyError> {
        let name = || table.full_name();
        let columns = &table.map.columns;
        let mut next = 0;
        let mut found = Vec::with_capacity(parts.len());
        for part in parts {
            let column = match &part.column {
                Named::Next => {
                    let key = table
                        .map
                        .primary_key
                        .as_ref()
                        .ok_or_else(|| KeyError::NoPrimaryKey { table: name() })?;
                    let column = key.get(next).ok_or_else(|| KeyError::ShortPrimaryKey {
                        table: name(),
                        columns: key.len(),
                    })?;
                    next += 1;
                    column.0
                }
                Named::Name(wanted) => {
                    if columns.iter().all(|column| column.name.is_none()) {
                        return Err(KeyError::NoNames { table: name() });
                    }
                    let is_wanted = |column: &Column<'_>| {
                        let name = column.name.as_ref();
                        name.is_some_and(|name| name.to_lowercase() == wanted.to_lowercase())
                    };
                    columns
                        .iter()
                        .position(is_wanted)
                        .ok_or_else(|| KeyError::NoColumn {
                            table: name(),
                            column: wanted.clone(),
                        })?
                }
                Named::Position(position) if *position < columns.len() => *position,
                Named::Position(position) => {
                    return Err(KeyError::NoColumn {
                        table: name(),
                        column: format!("@{}", position + 1),
                    });
                }
            };
            found.push((column, part.value.as_str()));
        }
        Ok(Self { parts: found })
    }

    /// Whether the row has all the values. Of `images` the first that has a column counts: a minimal
    /// after image lacks those that did not change.
    #[must_use]
    pub fn matches(&self, images: &[&Row<'_>], table: &Table) -> bool {
        self.parts.iter().all(|&(position, wanted)| {
            let mut values = images
                .iter()
                .filter_map(|image| image.get(position)?.as_ref());
            let value = values.next();
            let column = table.map.columns.get(position);
            match (value, column) {
                (Some(value), Some(column)) => is_value(value, wanted, column),
                _ => false,
            }
        })
    }
}

fn is_value(value: &Value<'_>, wanted: &str, column: &Column<'_>) -> bool {
    match value {
        Value::Null => wanted == "NULL",
        Value::Int(number) => {
            is_number(i128::from(*number), wanted)
                || (column.unsigned.is_none() && is_number(unsigned(*number, column), wanted))
        }
        Value::UInt(number) | Value::Bit(number) => is_number(i128::from(*number), wanted),
        Value::Set(number) => {
            is_number(i128::from(*number), wanted) || is_set(*number, wanted, column)
        }
        Value::Year(number) => is_number(i128::from(*number), wanted),
        Value::Float(number) => wanted.parse() == Ok(*number),
        Value::Double(number) => wanted.parse() == Ok(*number),
        Value::Decimal(number) => plain(&number.to_string()) == plain(wanted),
        Value::Date(date) => date.text() == wanted,
        Value::Time(time) => plain(&time.text(6)) == plain(wanted),
        Value::DateTime(moment) => plain(&moment.text(6)) == plain(&wanted.replace('T', " ")),
        Value::Timestamp(moment) => plain(&moment.text_utc(6)) == plain(&wanted.replace('T', " ")),
        Value::Bytes(bytes) => is_text(bytes, wanted, column),
        Value::Enum(number) => {
            is_number(i128::from(*number), wanted) || is_member(*number, wanted, column)
        }
        Value::Json(bytes) => binlog::value::json::to_text(bytes).is_ok_and(|text| text == wanted),
        Value::JsonDiffs(_) => false,
    }
}

fn is_number(number: i128, wanted: &str) -> bool {
    wanted.parse() == Ok(number)
}

/// What the number is if the column is unsigned, which the log may not tell.
fn unsigned(number: i64, column: &Column<'_>) -> i128 {
    let bits = match column.column_type {
        ColumnType::TINY => 8,
        ColumnType::SHORT => 16,
        ColumnType::INT24 => 24,
        ColumnType::LONG => 32,
        _ => 64,
    };
    i128::from(number).rem_euclid(1 << bits)
}

/// Without the zeros that end a fraction.
fn plain(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

fn is_text(bytes: &[u8], wanted: &str, column: &Column<'_>) -> bool {
    if bytes == wanted.as_bytes() {
        return true;
    }
    let digits = wanted.strip_prefix("0x");
    if let Some(wanted) = digits.and_then(from_hex) {
        return is_stored(bytes, &wanted, column);
    }
    // A UUID in a BINARY(16) column or MariaDB's own type.
    if wanted.len() == 36
        && from_hex(&wanted.replace('-', ""))
            .is_some_and(|wanted| wanted.len() == 16 && is_stored(bytes, &wanted, column))
    {
        return true;
    }
    let charset = column.charset.and_then(Charset::of_mysql_collation);
    charset
        .and_then(|charset| charset.decode(bytes))
        .is_some_and(|text| text == wanted)
}

/// Whether `bytes` are `wanted`. A BINARY value is logged without the zeros that end it, which are
/// put back only where the log tells that the column is no CHAR.
fn is_stored(bytes: &[u8], wanted: &[u8], column: &Column<'_>) -> bool {
    let may_lack_zeros = column.charset.is_none() && column.real_type() == ColumnType::STRING;
    match wanted.strip_prefix(bytes) {
        Some(rest) if may_lack_zeros => rest.iter().all(|&byte| byte == 0),
        Some(rest) => rest.is_empty(),
        None => false,
    }
}

fn is_member(number: u32, wanted: &str, column: &Column<'_>) -> bool {
    let index = usize::try_from(number).ok().and_then(|n| n.checked_sub(1));
    let member = index.and_then(|index| column.members.as_ref()?.get(index));
    member.is_some_and(|member| member.as_ref() == wanted.as_bytes())
}

/// Whether `wanted` are the members of the set, by commas.
fn is_set(number: u64, wanted: &str, column: &Column<'_>) -> bool {
    let Some(members) = &column.members else {
        return false;
    };
    let mut bits = 0_u64;
    for part in wanted.split(',').filter(|part| !part.is_empty()) {
        let at = members
            .iter()
            .position(|member| member.as_ref() == part.as_bytes());
        match at
            .and_then(|at| u32::try_from(at).ok())
            .and_then(|at| 1_u64.checked_shl(at))
        {
            Some(bit) => bits |= bit,
            None => return false,
        }
    }
    bits == number
}

fn from_hex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use binlog::row::TableMap;

    fn table() -> Table {
        let mut columns = vec![
            Column::new(ColumnType::LONG, 0, false),
            Column::new(ColumnType::VARCHAR, 40, false),
        ];
        columns[0].name = Some("id".into());
        columns[1].name = Some("Line".into());
        let mut map = TableMap::new(1, "shop", "orders", columns);
        map.primary_key = Some(vec![(0, 0), (1, 0)]);
        Table::new(map).unwrap()
    }

    fn parts(texts: &[&str]) -> Vec<KeyPart> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_row_is_found_by_key_name_and_position() {
        let table = table();
        let row: Row<'_> = vec![
            Some(Value::Int(-1)),
            Some(Value::Bytes(b"ab".as_slice().into())),
        ];
        for (key, found) in [
            (&["-1"][..], true),
            (&["4294967295"], true),
            (&["-1", "ab"], true),
            (&["-1", "ac"], false),
            (&["line=ab"], true),
            (&["@2=0x6162"], true),
            (&["@1=7"], false),
        ] {
            let parts = parts(key);
            let key = Key::new(&parts, &table).unwrap();
            assert_eq!(key.matches(&[&row], &table), found, "{parts:?}");
        }
    }

    #[test]
    fn what_a_minimal_after_image_lacks_is_taken_from_the_before_image() {
        let table = table();
        let before: Row<'_> = vec![Some(Value::Int(7)), None];
        let after: Row<'_> = vec![None, Some(Value::Bytes(b"paid".as_slice().into()))];
        let parts = parts(&["id=7", "line=paid"]);
        let key = Key::new(&parts, &table).unwrap();
        assert!(!key.matches(&[&before], &table));
        assert!(key.matches(&[&after, &before], &table));
    }

    #[test]
    fn a_uuid_is_found_though_the_log_lacks_the_zero_that_ends_it() {
        let uuid = "97979797-0000-11f0-8000-000000000100";
        let stored = from_hex(&uuid.replace('-', "")).unwrap();
        let stored = Value::Bytes(stored[..15].into());
        let mut column = Column::new(ColumnType::STRING, 0xfe10, false);
        assert!(is_value(&stored, uuid, &column));
        assert!(is_value(
            &stored,
            "0x97979797000011f0800000000000010000",
            &column
        ));
        assert!(!is_value(
            &stored,
            "97979797-0000-11f0-8000-000000000101",
            &column
        ));
        column.charset = Some(63);
        assert!(!is_value(&stored, uuid, &column));
    }

    #[test]
    fn a_set_is_found_by_its_members() {
        let mut column = Column::new(ColumnType::SET, 1, false);
        column.members = Some(vec![b"a".as_slice().into(), b"b".as_slice().into()]);
        for (wanted, found) in [("a,b", true), ("b,a", true), ("3", true), ("a", false)] {
            assert_eq!(is_value(&Value::Set(3), wanted, &column), found, "{wanted}");
        }
        assert!(is_value(&Value::Set(0), "", &column));
        assert!(!is_value(&Value::Set(1), "c", &column));
    }

    #[test]
    fn what_the_log_does_not_tell_is_named() {
        let mut table = table();
        assert!(Key::new(&parts(&["x=1"]), &table).is_err());
        assert!(Key::new(&parts(&["1", "2", "3"]), &table).is_err());
        assert!(Key::new(&parts(&["@3=1"]), &table).is_err());
        table.map.primary_key = None;
        let error = Key::new(&parts(&["1"]), &table).err().unwrap();
        assert!(error.to_string().contains("@1=42"), "{error}");
        assert!("@0=1".parse::<KeyPart>().is_err());
    }

    #[test]
    fn zeros_that_end_a_fraction_do_not_count() {
        assert_eq!(plain("1.50"), "1.5");
        assert_eq!(plain("10"), "10");
        assert_eq!(plain("1.000"), "1");
    }
}
