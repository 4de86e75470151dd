//! How a table of the catalogue is described in the log.

use std::borrow::Cow;

use binlog::row::{Column, ColumnType as Code, TableMap};
use config::settings::BinlogRowMetadata;
use engine::catalog::{self, BlobSize, ColumnType, GeometryKind, IntegerSize, Table};

/// The table map of `table`. Its id is the table's, which no other table ever has.
pub(crate) fn table_map(table: &Table, metadata: BinlogRowMetadata) -> TableMap<'static> {
    let map = TableMap {
        table_id: table.id.0,
        flags: TableMap::FLAG_BIT_LENGTHS_EXACT,
        schema: Cow::Owned(table.database.clone()),
        table: Cow::Owned(table.name.clone()),
        columns: table.columns.iter().map(column).collect(),
        primary_key: primary_key(table),
        unknown_metadata: Vec::new(),
    };
    match metadata {
        BinlogRowMetadata::Full => map,
        BinlogRowMetadata::Minimal => map.without_full_metadata(),
    }
}

fn primary_key(table: &Table) -> Option<Vec<(usize, u64)>> {
    let key = table.primary_key()?;
    let parts = key.parts.iter().filter_map(|part| {
        let (position, _) = table.column_by_id(part.column)?;
        Some((position, u64::from(part.prefix.unwrap_or(0))))
    });
    Some(parts.collect())
}

fn column(column: &catalog::Column) -> Column<'static> {
    let (code, metadata) = code_and_metadata(&column.column_type);
    let mut described = Column::new(code, metadata, column.nullable);
    if described.is_numeric() {
        let is_year = matches!(column.column_type, ColumnType::Year);
        described.unsigned = Some(is_year || column.column_type.is_unsigned());
    }
    if described.is_character() || described.is_enum_or_set() {
        let collation = column.column_type.collation();
        described.charset = Some(collation.map_or(BINARY, |collation| collation.id));
    }
    described.name = Some(Cow::Owned(column.name.clone()));
    described.visible = Some(!column.invisible);
    match &column.column_type {
        ColumnType::Enum { members, collation } | ColumnType::Set { members, collation } => {
            let members = members.iter().map(|member| {
                let bytes = collation.charset.encode(member);
                Cow::Owned(bytes.map_or_else(|_| member.clone().into_bytes(), Cow::into_owned))
            });
            described.members = Some(members.collect());
        }
        ColumnType::Geometry { kind } => described.geometry_type = Some(geometry_type(*kind)),
        ColumnType::Vector { dimensions } => {
            described.vector_dimensions = Some(u32::from(*dimensions));
        }
        _ => {}
    }
    described
}

/// Id of the collation of bytes.
const BINARY: u16 = 63;

fn code_and_metadata(column_type: &ColumnType) -> (Code, u16) {
    match column_type {
        ColumnType::Integer { size, .. } => (integer(*size), 0),
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
            (Code::STRING, Column::string_metadata(bytes))
        }
        ColumnType::Binary { length } => {
            (Code::STRING, Column::string_metadata(u16::from(*length)))
        }
        ColumnType::Varchar { length, collation } => {
            let bytes = length.saturating_mul(u16::from(collation.charset.bytes_per_char_max()));
            (Code::VARCHAR, bytes)
        }
        ColumnType::Varbinary { length } => (Code::VARCHAR, *length),
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => (Code::BLOB, blob(*size)),
        ColumnType::Enum { members, .. } => {
            let bytes = if members.len() > 255 { 2 } else { 1 };
            (Code::STRING, u16::from_be_bytes([Code::ENUM.0, bytes]))
        }
        ColumnType::Set { members, .. } => {
            let bytes = match members.len().div_ceil(8) {
                0 | 1 => 1,
                2 => 2,
                3 => 3,
                4 => 4,
                _ => 8,
            };
            (Code::STRING, u16::from_be_bytes([Code::SET.0, bytes]))
        }
        ColumnType::Json => (Code::JSON, 4),
        ColumnType::Geometry { .. } => (Code::GEOMETRY, 4),
        ColumnType::Vector { .. } => (Code::VECTOR, 4),
    }
}

const fn integer(size: IntegerSize) -> Code {
    match size {
        IntegerSize::Tiny => Code::TINY,
        IntegerSize::Small => Code::SHORT,
        IntegerSize::Medium => Code::INT24,
        IntegerSize::Int => Code::LONG,
        IntegerSize::Big => Code::LONGLONG,
    }
}

fn blob(size: BlobSize) -> u16 {
    u16::from(size.length_bytes())
}

const fn geometry_type(kind: GeometryKind) -> u32 {
    match kind {
        GeometryKind::Geometry => 0,
        GeometryKind::Point => 1,
        GeometryKind::LineString => 2,
        GeometryKind::Polygon => 3,
        GeometryKind::MultiPoint => 4,
        GeometryKind::MultiLineString => 5,
        GeometryKind::MultiPolygon => 6,
        GeometryKind::GeometryCollection => 7,
    }
}
