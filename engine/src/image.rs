//! How a catalogue table looks in a binlog: its table map.
//!
//! Values of [`RowChange`](crate::rows::RowChange) are in the types that this map announces.
//!
//! Spec: mysql-server 9.7, sql/log_event.cc, `Table_map_log_event`; the metadata of each type in
//! sql/field.cc, `Field::do_save_field_metadata`.

use std::borrow::Cow;

use binlog::event::Flavour;
use binlog::row::{Column as MapColumn, ColumnType as Code, TableMap};
use binlog::schema::{KeyPart, KeySnapshot, TableSnapshot};

use crate::catalog::{BlobSize, Column, ColumnType, IntegerSize, Table};
use crate::collation::{BINARY, Collation};

/// The table map of a table, with full metadata, under the id that row events use.
#[must_use]
pub fn table_map(table: &Table, table_id: u64) -> TableMap<'static> {
    let primary = table.primary_key().map(|key| {
        let parts = key.parts.iter().filter_map(|part| {
            let (position, _) = table.column_by_id(part.column)?;
            Some((position, u64::from(part.prefix.unwrap_or(0))))
        });
        parts.collect()
    });
    let columns = table.columns.iter().map(column).collect();
    let (database, name) = (table.database.clone(), table.name.clone());
    let mut map = TableMap::new(table_id, database, name, columns);
    map.primary_key = primary;
    map
}

/// What is kept beside the log of a table, so that its rows can be read with names.
#[must_use]
pub fn snapshot(table: &Table) -> Option<TableSnapshot> {
    let map = table_map(table, table.id.0);
    let declared = |index: usize| {
        let column = table.columns.get(index);
        column.map_or_else(String::new, |column| column.declared_type())
    };
    let mut snapshot = TableSnapshot::of(&map, declared)?;
    for (own, column) in snapshot.columns.iter_mut().zip(&table.columns) {
        own.generated = column.generated.is_some();
    }
    snapshot.keys = table
        .unique_keys()
        .map(|key| KeySnapshot {
            name: key.name.clone(),
            columns: key
                .parts
                .iter()
                .filter_map(|part| {
                    let (_, column) = table.column_by_id(part.column)?;
                    Some(KeyPart {
                        column: column.name.clone(),
                        prefix: u64::from(part.prefix.unwrap_or(0)),
                    })
                })
                .collect(),
        })
        .collect();
    Some(snapshot)
}

fn column(column: &Column) -> MapColumn<'static> {
    let (code, metadata) = code(&column.column_type);
    let mut map = MapColumn::new(code, metadata, column.nullable);
    if map.is_numeric() {
        map.unsigned =
            Some(column.column_type.is_unsigned() || column.column_type == ColumnType::Year);
    }
    if map.is_character(Flavour::MySql) || map.is_enum_or_set() {
        map.charset = Some(column.column_type.collation().unwrap_or(&BINARY).id);
    }
    map.name = Some(Cow::Owned(column.name.clone()));
    map.visible = Some(!column.invisible);
    match &column.column_type {
        ColumnType::Enum { members, collation } | ColumnType::Set { members, collation } => {
            map.members = Some(
                members
                    .iter()
                    .map(|member| member_bytes(member, collation))
                    .collect(),
            );
        }
        ColumnType::Geometry { kind, .. } => map.geometry_type = Some(*kind as u32),
        ColumnType::Vector { dimensions } => map.vector_dimensions = Some(u32::from(*dimensions)),
        _ => {}
    }
    map
}

fn member_bytes(member: &str, collation: &Collation) -> Cow<'static, [u8]> {
    let bytes = collation
        .charset
        .encode(member)
        .unwrap_or(Cow::Borrowed(member.as_bytes()));
    Cow::Owned(bytes.into_owned())
}

/// Type code and metadata of a column in a table map.
pub(crate) fn code(column_type: &ColumnType) -> (Code, u16) {
    match column_type {
        ColumnType::Integer { size, .. } => (integer_code(*size), 0),
        ColumnType::Decimal {
            precision, scale, ..
        } => (Code::NEWDECIMAL, u16::from_be_bytes([*precision, *scale])),
        ColumnType::Float { .. } => (Code::FLOAT, 4),
        ColumnType::Double { .. } => (Code::DOUBLE, 8),
        ColumnType::Bit { width } => (Code::BIT, u16::from_be_bytes([width / 8, width % 8])),
        ColumnType::Year => (Code::YEAR, 0),
        ColumnType::Date => (Code::DATE, 0),
        ColumnType::Time { fsp } => (Code::TIME2, u16::from(*fsp)),
        ColumnType::DateTime { fsp } => (Code::DATETIME2, u16::from(*fsp)),
        ColumnType::Timestamp { fsp } => (Code::TIMESTAMP2, u16::from(*fsp)),
        ColumnType::Char { length, collation } => {
            let bytes = u16::from(*length) * u16::from(collation.charset.bytes_per_char_max());
            (Code::STRING, MapColumn::string_metadata(bytes))
        }
        ColumnType::Binary { length } => {
            (Code::STRING, MapColumn::string_metadata(u16::from(*length)))
        }
        ColumnType::Varchar { length, collation } => (
            Code::VARCHAR,
            length.saturating_mul(u16::from(collation.charset.bytes_per_char_max())),
        ),
        ColumnType::Varbinary { length } => (Code::VARCHAR, *length),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            (Code::BLOB, u16::from(BlobSize::length_bytes(*size)))
        }
        ColumnType::Enum { members, .. } => {
            let width = if members.len() > 255 { 2 } else { 1 };
            (Code::STRING, u16::from_be_bytes([Code::ENUM.0, width]))
        }
        ColumnType::Set { members, .. } => {
            let width = match members.len().div_ceil(8) {
                width @ 0..=4 => u8::try_from(width.max(1)).unwrap_or(8),
                _ => 8,
            };
            (Code::STRING, u16::from_be_bytes([Code::SET.0, width]))
        }
        ColumnType::Json => (Code::JSON, 4),
        ColumnType::Geometry { .. } => (Code::GEOMETRY, 4),
        ColumnType::Vector { .. } => (Code::VECTOR, 4),
    }
}

fn integer_code(size: IntegerSize) -> Code {
    match size {
        IntegerSize::Tiny => Code::TINY,
        IntegerSize::Small => Code::SHORT,
        IntegerSize::Medium => Code::INT24,
        IntegerSize::Int => Code::LONG,
        IntegerSize::Big => Code::LONGLONG,
    }
}
