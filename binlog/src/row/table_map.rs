//! `TABLE_MAP_EVENT`: name and columns of the table that row events behind it change.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/rows_event.h, `Table_map_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::column::{Column, ColumnType};
use super::metadata;
use crate::event::{ChecksumAlgorithm, EventFormat, Flavour};

/// | size       | field                                        |
/// |-----------:|----------------------------------------------|
/// |     6 or 4 | `table_id`; 4 bytes in MySQL 5.1.4 to 5.1.15 |
/// |          2 | `flags`                                      |
/// | 1 + n + 1  | `schema`: length, text, NUL                  |
/// | 1 + n + 1  | `table`: length, text, NUL                   |
/// |        1-9 | number of columns, length-encoded            |
/// |          n | type codes                                   |
/// | 1-9 + n    | metadata of the columns behind its length    |
/// | (n + 7)/8  | nullable columns, lowest bit first           |
/// |       rest | optional metadata                            |
#[derive(Debug, Clone)]
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
    /// Whose map it is: MySQL and MariaDB count other columns as text.
    flavour: Flavour,
    /// Bytes of the table id.
    table_id_len: u8,
    /// The optional metadata as it was read. Servers differ in its order; see [`TableMap::encode`].
    metadata_read: Option<Cow<'a, [u8]>>,
}

/// Two maps are equal when they say the same, however they were written.
impl PartialEq for TableMap<'_> {
    fn eq(&self, other: &Self) -> bool {
        let names = |map: &Self| (map.table_id, map.flags, map.flavour);
        names(self) == names(other)
            && self.schema == other.schema
            && self.table == other.table
            && self.columns == other.columns
            && self.primary_key == other.primary_key
            && self.unknown_metadata == other.unknown_metadata
    }
}

impl Eq for TableMap<'_> {}

impl<'a> TableMap<'a> {
    /// A MySQL table map without a primary key.
    pub fn new(
        table_id: u64,
        schema: impl Into<Cow<'a, str>>,
        table: impl Into<Cow<'a, str>>,
        columns: Vec<Column<'a>>,
    ) -> Self {
        let format = EventFormat::mysql(ChecksumAlgorithm::None);
        Self {
            table_id,
            flags: Self::FLAG_BIT_LENGTHS_EXACT,
            schema: schema.into(),
            table: table.into(),
            columns,
            primary_key: None,
            unknown_metadata: Vec::new(),
            flavour: format.flavour,
            table_id_len: format.table_id_len,
            metadata_read: None,
        }
    }

    /// Whose map it is.
    #[must_use]
    pub const fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Most columns that a table can have.
    pub const COLUMNS_MAX: usize = 4096;

    /// Flag that is always set: lengths of BIT columns are exact.
    pub const FLAG_BIT_LENGTHS_EXACT: u16 = 1;

    /// Decodes the body of an event in a stream of `format`.
    pub fn decode(
        mut reader: Reader<'a>,
        format: impl Into<EventFormat>,
    ) -> Result<Self, DecodeError> {
        let format = format.into();
        let table_id = table_id(&mut reader, format.table_id_len)?;
        let flags = reader.u16("table map flags")?;
        let schema = short_name(&mut reader, "schema name")?;
        let table = short_name(&mut reader, "table name")?;
        let offset = reader.offset();
        let count = reader.lenenc("column count")?;
        let count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= Self::COLUMNS_MAX)
            .ok_or_else(|| DecodeError::invalid("column count", offset, count, "at most 4096"))?;
        let types_offset = reader.offset();
        let types = reader.bytes(count, "column types")?;
        let len = reader.lenenc("column metadata length")?;
        let offset = reader.offset();
        let parameters = reader.bytes_u64(len, "column metadata")?;
        let mut parameters = Reader::at(parameters, offset);
        let nullable = reader.bytes(count.div_ceil(8), "nullable columns")?;
        let mut columns = Vec::with_capacity(count);
        for (index, &code) in types.iter().enumerate() {
            let column_type = ColumnType(code);
            if !column_type.is_known() {
                let (offset, found) = (types_offset.saturating_add(index), u64::from(code));
                let expected = "a column type that this build knows";
                return Err(DecodeError::invalid("column type", offset, found, expected));
            }
            let parameter = decode_parameter(&mut parameters, column_type)?;
            columns.push(Column::new(column_type, parameter, bit(nullable, index)));
        }
        parameters.finish("column metadata")?;
        let mut map = Self::new(table_id, schema, table, columns);
        map.flags = flags;
        map.flavour = format.flavour;
        map.table_id_len = format.table_id_len;
        map.metadata_read = Some(Cow::Borrowed(reader.peek()));
        metadata::decode(&mut map, reader)?;
        Ok(map)
    }

    /// Appends the body. Names longer than 255 bytes, which MySQL cannot have, are cut.
    ///
    /// Optional metadata is written for what is known of the columns, see
    /// [`TableMap::without_full_metadata`]: byte for byte as it was read when it still says the same,
    /// else in MySQL's order.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_uint(self.table_id, usize::from(self.table_id_len));
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
        match self.metadata_unchanged() {
            Some(metadata) => out.put(metadata),
            None => metadata::encode(self, out),
        }
    }

    /// The optional metadata as it was read, when the columns are still what it says.
    fn metadata_unchanged(&self) -> Option<&[u8]> {
        let metadata = self.metadata_read.as_deref()?;
        let bare = self.columns.iter().map(|column| {
            let Column {
                column_type,
                metadata,
                nullable,
                ..
            } = *column;
            Column::new(column_type, metadata, nullable)
        });
        let (schema, table) = (self.schema.as_ref(), self.table.as_ref());
        let mut again = TableMap::new(self.table_id, schema, table, bare.collect());
        again.flags = self.flags;
        again.flavour = self.flavour;
        metadata::decode(&mut again, Reader::new(metadata)).ok()?;
        (again == *self).then_some(metadata)
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
            flavour: self.flavour,
            table_id_len: self.table_id_len,
            metadata_read: self
                .metadata_read
                .map(|bytes| Cow::Owned(bytes.into_owned())),
        }
    }
}

/// Reads a table id of 6 bytes, or of 4.
pub(super) fn table_id(reader: &mut Reader<'_>, len: u8) -> Result<u64, DecodeError> {
    reader.uint(usize::from(len), "table id")
}

fn short_name<'a>(
    reader: &mut Reader<'a>,
    what: &'static str,
) -> Result<Cow<'a, str>, DecodeError> {
    let len = reader.u8(what)?;
    let offset = reader.offset();
    let name = reader.bytes(usize::from(len), what)?;
    let end = reader.offset();
    match reader.u8(what)? {
        0 => {}
        found => {
            let (found, expected) = (u64::from(found), "a NUL behind the name");
            return Err(DecodeError::invalid(what, end, found, expected));
        }
    }
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
