//! Optional metadata of a table map: `type u8, length lenenc, value` until the end.
//!
//! How much of it there is, is `binlog_row_metadata` of the source. Bitmaps here run highest bit
//! first, unlike all others.
//!
//! Spec: mysql-server 9.7, `Table_map_event::Optional_metadata_field_type`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::column::{Column, ColumnType};
use super::table_map::TableMap;

const SIGNEDNESS: u8 = 1;
const DEFAULT_CHARSET: u8 = 2;
const COLUMN_CHARSET: u8 = 3;
const COLUMN_NAME: u8 = 4;
const SET_MEMBERS: u8 = 5;
const ENUM_MEMBERS: u8 = 6;
const GEOMETRY_TYPE: u8 = 7;
const SIMPLE_PRIMARY_KEY: u8 = 8;
const PRIMARY_KEY_WITH_PREFIX: u8 = 9;
const ENUM_AND_SET_DEFAULT_CHARSET: u8 = 10;
const ENUM_AND_SET_COLUMN_CHARSET: u8 = 11;
const COLUMN_VISIBILITY: u8 = 12;
const VECTOR_DIMENSIONS: u8 = 13;

/// Reads all of it into the columns of `map`.
pub(super) fn decode<'a>(
    map: &mut TableMap<'a>,
    mut reader: Reader<'a>,
) -> Result<(), DecodeError> {
    while !reader.is_empty() {
        let kind = reader.u8("optional metadata type")?;
        let len = reader.lenenc("optional metadata length")?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let value = reader.sub(len, "optional metadata")?;
        decode_field(map, kind, value)?;
    }
    Ok(())
}

fn decode_field<'a>(
    map: &mut TableMap<'a>,
    kind: u8,
    mut value: Reader<'a>,
) -> Result<(), DecodeError> {
    let flavour = map.flavour();
    let is_character = |column: &Column<'_>| column.is_character(flavour);
    let columns = &mut map.columns;
    match kind {
        SIGNEDNESS => signedness(columns, &mut value)?,
        DEFAULT_CHARSET => default_charset(columns, is_character, &mut value)?,
        ENUM_AND_SET_DEFAULT_CHARSET => {
            default_charset(columns, Column::is_enum_or_set, &mut value)?;
        }
        COLUMN_CHARSET => column_charset(columns, is_character, &mut value)?,
        ENUM_AND_SET_COLUMN_CHARSET => {
            column_charset(columns, Column::is_enum_or_set, &mut value)?;
        }
        COLUMN_NAME => {
            for column in columns {
                let offset = value.offset();
                let name = value.lenenc_bytes("column name")?;
                let name = Reader::text(name, offset, "column name")?;
                column.name = Some(Cow::Borrowed(name));
            }
        }
        SET_MEMBERS => members(columns, ColumnType::SET, &mut value)?,
        ENUM_MEMBERS => members(columns, ColumnType::ENUM, &mut value)?,
        GEOMETRY_TYPE => {
            for column in select(columns, is_geometry) {
                column.geometry_type = Some(number(&mut value, "geometry type")?);
            }
        }
        SIMPLE_PRIMARY_KEY | PRIMARY_KEY_WITH_PREFIX => {
            let has_prefix = kind == PRIMARY_KEY_WITH_PREFIX;
            map.primary_key = Some(primary_key(map.columns.len(), has_prefix, &mut value)?);
        }
        COLUMN_VISIBILITY => {
            let bits = value.bytes(columns.len().div_ceil(8), "column visibility")?;
            for (index, column) in columns.iter_mut().enumerate() {
                column.visible = Some(high_bit(bits, index));
            }
        }
        VECTOR_DIMENSIONS => {
            for column in select(columns, is_vector) {
                column.vector_dimensions = Some(number(&mut value, "vector dimensions")?);
            }
        }
        _ => {
            let (offset, seen) = (value.offset(), map.unknown_metadata.len() as u64);
            if seen >= UNKNOWN_MAX {
                let expected = "at most 256 fields of types that this build does not know";
                return Err(DecodeError::invalid(
                    "optional metadata",
                    offset,
                    seen,
                    expected,
                ));
            }
            let bytes = Cow::Borrowed(value.rest());
            map.unknown_metadata.push((kind, bytes));
        }
    }
    value.finish("optional metadata")
}

/// The columns of `columns` that a field speaks of.
fn select<'c, 'a>(
    columns: &'c mut [Column<'a>],
    includes: impl Fn(&Column<'a>) -> bool,
) -> impl Iterator<Item = &'c mut Column<'a>> {
    columns.iter_mut().filter(move |column| includes(column))
}

fn signedness(columns: &mut [Column<'_>], value: &mut Reader<'_>) -> Result<(), DecodeError> {
    let count = columns.iter().filter(|column| column.is_numeric()).count();
    let bits = value.bytes(count.div_ceil(8), "signedness")?;
    for (index, column) in select(columns, Column::is_numeric).enumerate() {
        column.unsigned = Some(high_bit(bits, index));
    }
    Ok(())
}

fn default_charset<'a>(
    columns: &mut [Column<'a>],
    includes: impl Fn(&Column<'a>) -> bool,
    value: &mut Reader<'_>,
) -> Result<(), DecodeError> {
    let default = collation(value)?;
    let mut selected: Vec<_> = select(columns, includes).collect();
    for column in &mut selected {
        column.charset = Some(default);
    }
    while !value.is_empty() {
        let offset = value.offset();
        let index = value.lenenc("column of charset")?;
        let found = usize::try_from(index)
            .ok()
            .and_then(|index| selected.get_mut(index));
        let column = found.ok_or_else(|| {
            DecodeError::invalid("column of charset", offset, index, "a text column")
        })?;
        column.charset = Some(collation(value)?);
    }
    Ok(())
}

fn column_charset<'a>(
    columns: &mut [Column<'a>],
    includes: impl Fn(&Column<'a>) -> bool,
    value: &mut Reader<'_>,
) -> Result<(), DecodeError> {
    for column in select(columns, includes) {
        column.charset = Some(collation(value)?);
    }
    Ok(())
}

fn collation(value: &mut Reader<'_>) -> Result<u16, DecodeError> {
    let offset = value.offset();
    let id = value.lenenc("collation id")?;
    u16::try_from(id).map_err(|_| DecodeError::invalid("collation id", offset, id, "at most 65535"))
}

fn number(value: &mut Reader<'_>, what: &'static str) -> Result<u32, DecodeError> {
    let offset = value.offset();
    let number = value.lenenc(what)?;
    u32::try_from(number).map_err(|_| DecodeError::invalid(what, offset, number, "32 bits"))
}

/// Most optional fields of unknown types; a server writes each type once.
const UNKNOWN_MAX: u64 = 256;

/// Most members of the ENUM columns of one table; a server has room for far fewer.
const MEMBERS_MAX: u64 = 1 << 20;

fn members<'a>(
    columns: &mut [Column<'a>],
    kind: ColumnType,
    value: &mut Reader<'a>,
) -> Result<(), DecodeError> {
    let mut total = 0_u64;
    for column in select(columns, |column| column.real_type() == kind) {
        let offset = value.offset();
        let count = value.lenenc("member count")?;
        let most = if kind == ColumnType::SET { 64 } else { 65_535 };
        if count > most {
            let expected = "at most 65535 members, 64 of a SET";
            return Err(DecodeError::invalid(
                "member count",
                offset,
                count,
                expected,
            ));
        }
        // A member takes many times its bytes in memory, which may be one.
        total = total.saturating_add(count);
        if total > MEMBERS_MAX {
            let expected = "at most 1048576 members of all columns";
            return Err(DecodeError::invalid(
                "member count",
                offset,
                total,
                expected,
            ));
        }
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(Cow::Borrowed(value.lenenc_bytes("member")?));
        }
        column.members = Some(members);
    }
    Ok(())
}

fn primary_key(
    columns: usize,
    has_prefix: bool,
    value: &mut Reader<'_>,
) -> Result<Vec<(usize, u64)>, DecodeError> {
    let mut key = Vec::new();
    while !value.is_empty() {
        let offset = value.offset();
        let index = value.lenenc("primary key column")?;
        let column = usize::try_from(index)
            .ok()
            .filter(|&index| index < columns)
            .ok_or_else(|| {
                let expected = "a column of the table";
                DecodeError::invalid("primary key column", offset, index, expected)
            })?;
        let prefix = match has_prefix {
            true => value.lenenc("primary key prefix")?,
            false => 0,
        };
        if key.len() >= columns {
            let expected = "no more columns than the table has";
            return Err(DecodeError::invalid(
                "primary key",
                offset,
                columns as u64,
                expected,
            ));
        }
        key.push((column, prefix));
    }
    Ok(key)
}

fn is_geometry(column: &Column<'_>) -> bool {
    column.column_type == ColumnType::GEOMETRY
}

fn is_vector(column: &Column<'_>) -> bool {
    column.column_type == ColumnType::VECTOR
}

/// Bit `index` of a bitmap, highest bit first; false behind its end.
fn high_bit(bitmap: &[u8], index: usize) -> bool {
    bitmap
        .get(index / 8)
        .is_some_and(|byte| byte >> (7 - index % 8) & 1 == 1)
}

/// Appends what is known of the columns, in MySQL's order.
pub(super) fn encode(map: &TableMap<'_>, out: &mut Vec<u8>) {
    let columns = &map.columns;
    let unsigned: Vec<bool> = columns
        .iter()
        .filter_map(|column| column.unsigned)
        .collect();
    put_high_bits(out, SIGNEDNESS, &unsigned);
    let flavour = map.flavour();
    let charsets = columns.iter().filter(|column| column.is_character(flavour));
    let charsets: Option<Vec<u16>> = charsets.map(|column| column.charset).collect();
    put_charsets(out, DEFAULT_CHARSET, COLUMN_CHARSET, charsets);
    put_numbers(out, GEOMETRY_TYPE, columns, |column| column.geometry_type);
    put_numbers(out, VECTOR_DIMENSIONS, columns, |column| {
        column.vector_dimensions
    });
    let mut names = Vec::new();
    for name in columns.iter().filter_map(|column| column.name.as_ref()) {
        names.put_lenenc_bytes(name.as_bytes());
    }
    put_field(out, COLUMN_NAME, &names);
    let charsets = columns.iter().filter(|column| column.is_enum_or_set());
    let charsets: Option<Vec<u16>> = charsets.map(|column| column.charset).collect();
    let (default, each) = (ENUM_AND_SET_DEFAULT_CHARSET, ENUM_AND_SET_COLUMN_CHARSET);
    put_charsets(out, default, each, charsets);
    put_members(out, SET_MEMBERS, columns, ColumnType::SET);
    put_members(out, ENUM_MEMBERS, columns, ColumnType::ENUM);
    put_primary_key(out, map.primary_key.as_deref().unwrap_or(&[]));
    let visible: Vec<bool> = columns.iter().filter_map(|column| column.visible).collect();
    put_high_bits(out, COLUMN_VISIBILITY, &visible);
    for (kind, bytes) in &map.unknown_metadata {
        out.put_u8(*kind);
        out.put_lenenc_bytes(bytes);
    }
}

/// Appends a field, unless it is empty.
fn put_field(out: &mut Vec<u8>, kind: u8, value: &[u8]) {
    if !value.is_empty() {
        out.put_u8(kind);
        out.put_lenenc_bytes(value);
    }
}

fn put_high_bits(out: &mut Vec<u8>, kind: u8, bits: &[bool]) {
    let bytes: Vec<u8> = bits
        .chunks(8)
        .map(|chunk| {
            let bits = chunk.iter().zip((0..8).rev());
            bits.fold(0, |byte, (&bit, shift)| byte | u8::from(bit) << shift)
        })
        .collect();
    put_field(out, kind, &bytes);
}

fn put_numbers<'a>(
    out: &mut Vec<u8>,
    kind: u8,
    columns: &[Column<'a>],
    of: impl Fn(&Column<'a>) -> Option<u32>,
) {
    let mut value = Vec::new();
    for number in columns.iter().filter_map(of) {
        value.put_lenenc(u64::from(number));
    }
    put_field(out, kind, &value);
}

fn put_members(out: &mut Vec<u8>, kind: u8, columns: &[Column<'_>], real: ColumnType) {
    let mut value = Vec::new();
    let of_kind = columns.iter().filter(|column| column.real_type() == real);
    for members in of_kind.filter_map(|column| column.members.as_ref()) {
        value.put_lenenc(members.len() as u64);
        for member in members {
            value.put_lenenc_bytes(member);
        }
    }
    put_field(out, kind, &value);
}

fn put_primary_key(out: &mut Vec<u8>, key: &[(usize, u64)]) {
    let has_prefix = key.iter().any(|&(_, prefix)| prefix != 0);
    let mut value = Vec::new();
    for &(column, prefix) in key {
        value.put_lenenc(column as u64);
        if has_prefix {
            value.put_lenenc(prefix);
        }
    }
    let kind = match has_prefix {
        true => PRIMARY_KEY_WITH_PREFIX,
        false => SIMPLE_PRIMARY_KEY,
    };
    put_field(out, kind, &value);
}

/// Appends collations in the shorter of two forms: one per column, or the most frequent one with its
/// exceptions.
fn put_charsets(out: &mut Vec<u8>, default_kind: u8, each_kind: u8, charsets: Option<Vec<u16>>) {
    let Some(charsets) = charsets.filter(|charsets| !charsets.is_empty()) else {
        return;
    };
    // The most frequent; the smallest id among equals, as MySQL's ordered map finds it.
    let count = |id: u16| charsets.iter().filter(|&&other| other == id).count();
    let mut ids = charsets.clone();
    ids.sort_unstable();
    ids.dedup();
    let default = ids
        .iter()
        .rev()
        .copied()
        .max_by_key(|&id| count(id))
        .unwrap_or(0);
    let mut each = Vec::new();
    let mut exceptions = Vec::new();
    exceptions.put_lenenc(u64::from(default));
    for (index, &id) in charsets.iter().enumerate() {
        each.put_lenenc(u64::from(id));
        if id != default {
            exceptions.put_lenenc(index as u64);
            exceptions.put_lenenc(u64::from(id));
        }
    }
    if exceptions.len() <= each.len() {
        put_field(out, default_kind, &exceptions);
    } else {
        put_field(out, each_kind, &each);
    }
}
