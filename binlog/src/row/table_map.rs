//! `TABLE_MAP_EVENT`: name and columns of the table that row events behind it change.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/rows_event.h, `Table_map_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::column::{Column, ColumnType};
use super::metadata;

/// | size       | field                                        |
/// |-----------:|----------------------------------------------|
/// |          6 | `table_id`                                   |
/// |          2 | `flags`                                      |
/// | 1 + n + 1  | `schema`: length, text, NUL                  |
/// | 1 + n + 1  | `table`: length, text, NUL                   |
/// |        1-9 | number of columns, length-encoded            |
/// |          n | type codes                                   |
/// | 1-9 + n    | metadata of the columns behind its length    |
/// | (n + 7)/8  | nullable columns, lowest bit first           |
/// |       rest | optional metadata                            |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMap<'a> {
    /// Number of the table in the source's process, 48 bits; means nothing elsewhere.
    pub table_id: u64,
    /// Bit 0 is always set; 0x0002 the table is a foreign key's parent; 0x0004 its primary key was
    /// generated.
    pub flags: u16,
    /// Schema of the table.
    pub schema: Cow<'a, str>,
    /// Name of the table.
    pub table: Cow<'a, str>,
    /// Every column, invisible and generated ones included.
    pub columns: Vec<Column<'a>>,
    /// Columns of the primary key by index, with the prefix length in characters (0: whole column);
    /// only in full metadata.
    pub primary_key: Option<Vec<(usize, u64)>>,
    /// Optional metadata of types this build does not know.
    pub unknown_metadata: Vec<(u8, Cow<'a, [u8]>)>,
}

impl<'a> TableMap<'a> {
    /// Most columns that a table can have.
    pub const COLUMNS_MAX: usize = 4096;

    /// Flag that is always set: lengths of BIT columns are exact.
    pub const FLAG_BIT_LENGTHS_EXACT: u16 = 1;

    /// Decodes the body.
    pub fn decode(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let table_id = reader.u48("table id")?;
        let flags = reader.u16("table map flags")?;
        let schema = short_name(&mut reader, "schema name")?;
        let table = short_name(&mut reader, "table name")?;
        let offset = reader.offset();
        let count = reader.lenenc("column count")?;
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= Self::COLUMNS_MAX)
            .ok_or_else(|| DecodeError::invalid("column count", offset, count, "at most 4096"))?;
        let types = reader.bytes(count, "column types")?;
        let len = reader.lenenc("column metadata length")?;
        let offset = reader.offset();
        let parameters = reader.bytes_u64(len, "column metadata")?;
        let mut parameters = Reader::at(parameters, offset);
        let nullable = reader.bytes(count.div_ceil(8), "nullable columns")?;
        let mut columns = Vec::with_capacity(count);
        for (index, &code) in types.iter().enumerate() {
            let column_type = ColumnType(code);
            let parameter = decode_parameter(&mut parameters, column_type)?;
            columns.push(Column::new(column_type, parameter, bit(nullable, index)));
        }
        parameters.finish("column metadata")?;
        let mut map = Self {
            table_id,
            flags,
            schema,
            table,
            columns,
            primary_key: None,
            unknown_metadata: Vec::new(),
        };
        metadata::decode(&mut map, reader)?;
        Ok(map)
    }

    /// Appends the body. Names longer than 255 bytes, which MySQL cannot have, are cut.
    ///
    /// Optional metadata is written for what is known of the columns; see
    /// [`TableMap::without_full_metadata`].
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u48(self.table_id);
        out.put_u16(self.flags);
        for name in [&self.schema, &self.table] {
            let len = u8::try_from(name.len()).unwrap_or(u8::MAX);
            out.put_u8(len);
            let name = name.as_bytes().get(..usize::from(len));
            out.put_nul_terminated(name.unwrap_or(&[]));
        }
        out.put_lenenc(self.columns.len() as u64);
        let mut parameters = Vec::with_capacity(2 * self.columns.len());
        for column in &self.columns {
            out.put_u8(column.column_type.0);
            encode_parameter(&mut parameters, column);
        }
        out.put_lenenc_bytes(&parameters);
        put_bits(out, self.columns.iter().map(|column| column.nullable));
        metadata::encode(self, out);
    }

    /// The same map with what `binlog_row_metadata=MINIMAL` leaves out removed.
    #[must_use]
    pub fn without_full_metadata(mut self) -> Self {
        for column in &mut self.columns {
            column.name = None;
            column.members = None;
            column.visible = None;
            if column.is_enum_or_set() {
                column.charset = None;
            }
        }
        self.primary_key = None;
        self
    }

    /// The same map with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> TableMap<'static> {
        let columns = self.columns.into_iter().map(Column::into_owned).collect();
        let unknown = self.unknown_metadata.into_iter();
        TableMap {
            table_id: self.table_id,
            flags: self.flags,
            schema: Cow::Owned(self.schema.into_owned()),
            table: Cow::Owned(self.table.into_owned()),
            columns,
            primary_key: self.primary_key,
            unknown_metadata: unknown
                .map(|(kind, bytes)| (kind, Cow::Owned(bytes.into_owned())))
                .collect(),
        }
    }
}

fn short_name<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<Cow<'a, str>, DecodeError> {
    let len = reader.u8(what)?;
    let offset = reader.offset();
    let name = reader.bytes(usize::from(len), what)?;
    reader.u8(what)?;
    Ok(Cow::Borrowed(Reader::text(name, offset, what)?))
}

/// Reads the parameters of one column; how many bytes they are depends on its type.
fn decode_parameter(reader: &mut Reader<'_>, kind: ColumnType) -> Result<u16, DecodeError> {
    let what = "column metadata";
    match kind {
        ColumnType::VARCHAR
        | ColumnType::VAR_STRING
        | ColumnType::VARCHAR_COMPRESSED
        | ColumnType::BIT => reader.u16(what),
        ColumnType::STRING | ColumnType::NEWDECIMAL | ColumnType::ENUM | ColumnType::SET => {
            Ok(u16::from_be_bytes(reader.array(what)?))
        }
        kind if has_one_byte(kind) => reader.u8(what).map(u16::from),
        _ => Ok(0),
    }
}

fn encode_parameter(out: &mut Vec<u8>, column: &Column<'_>) {
    match column.column_type {
        ColumnType::VARCHAR
        | ColumnType::VAR_STRING
        | ColumnType::VARCHAR_COMPRESSED
        | ColumnType::BIT => out.put_u16(column.metadata),
        ColumnType::STRING | ColumnType::NEWDECIMAL | ColumnType::ENUM | ColumnType::SET => {
            out.put(&column.metadata.to_be_bytes());
        }
        kind if has_one_byte(kind) => {
            let [low, _] = column.metadata.to_le_bytes();
            out.put_u8(low);
        }
        _ => {}
    }
}

const fn has_one_byte(kind: ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::FLOAT
            | ColumnType::DOUBLE
            | ColumnType::TIMESTAMP2
            | ColumnType::DATETIME2
            | ColumnType::TIME2
            | ColumnType::BLOB_COMPRESSED
            | ColumnType::VECTOR
            | ColumnType::JSON
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB
            | ColumnType::GEOMETRY
    )
}

/// Bit `index` of a bitmap, lowest bit first; false behind its end.
pub(super) fn bit(bitmap: &[u8], index: usize) -> bool {
    bitmap
        .get(index / 8)
        .is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// Appends a bitmap, lowest bit first, unused bits 0.
pub(super) fn put_bits(out: &mut Vec<u8>, bits: impl Iterator<Item = bool>) {
    let mut byte = 0;
    let mut used = 0;
    for bit in bits {
        byte |= u8::from(bit) << used;
        used += 1;
        if used == 8 {
            out.put_u8(byte);
            (byte, used) = (0, 0);
        }
    }
    if used > 0 {
        out.put_u8(byte);
    }
}
