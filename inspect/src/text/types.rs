//! Column types as they stand in CREATE TABLE, as far as a table map tells.

use crate::cell::charset_of;
use crate::cell::{Shape, member_text};
use binlog::event::Flavour;
use binlog::row::{Column, ColumnType, TableMap};

/// Members of an ENUM or SET are listed up to this many.
const MEMBERS_MAX: usize = 8;

/// Appends `: name TYPE, ...` of all columns, and the primary key.
pub(super) fn put_columns(out: &mut Vec<u8>, map: &TableMap<'_>, flavour: Flavour) {
    for (index, column) in map.columns.iter().enumerate() {
        let separator: &[u8] = if index == 0 { b": " } else { b", " };
        out.extend_from_slice(separator);
        match &column.name {
            Some(name) => super::put_name(out, name),
            None => out.extend_from_slice(format!("@{}", index + 1).as_bytes()),
        }
        out.push(b' ');
        out.extend_from_slice(type_text(column, flavour).as_bytes());
        if !column.nullable {
            out.extend_from_slice(b" NOT NULL");
        }
        if column.visible == Some(false) {
            out.extend_from_slice(b" INVISIBLE");
        }
    }
    let Some(key) = &map.primary_key else { return };
    out.extend_from_slice(b"; PRIMARY KEY (");
    for (index, (column, prefix)) in key.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b", ");
        }
        let name = map
            .columns
            .get(*column)
            .and_then(|column| column.name.as_ref());
        match name {
            Some(name) => super::put_name(out, name),
            None => out.extend_from_slice(format!("@{}", column + 1).as_bytes()),
        }
        if *prefix > 0 {
            out.extend_from_slice(format!("({prefix})").as_bytes());
        }
    }
    out.push(b')');
}

/// The type of a column. Lengths of text are bytes, as the log has them.
pub(crate) fn type_text(column: &Column<'_>, flavour: Flavour) -> String {
    let is_text = !matches!(Shape::of(column, flavour), Shape::Bytes);
    let pick = |text: &str, bytes: &str| {
        if is_text {
            text.to_owned()
        } else {
            bytes.to_owned()
        }
    };
    let metadata = column.metadata;
    let [high, low] = metadata.to_be_bytes();
    let fraction = |name: &str| match metadata {
        0 => name.to_owned(),
        fsp => format!("{name}({fsp})"),
    };
    let mut text = match column.real_type() {
        ColumnType::TINY => "TINYINT".to_owned(),
        ColumnType::SHORT => "SMALLINT".to_owned(),
        ColumnType::INT24 => "MEDIUMINT".to_owned(),
        ColumnType::LONG => "INT".to_owned(),
        ColumnType::LONGLONG => "BIGINT".to_owned(),
        ColumnType::NEWDECIMAL => format!("DECIMAL({high},{low})"),
        ColumnType::TIME2 => fraction("TIME"),
        ColumnType::DATETIME2 => fraction("DATETIME"),
        ColumnType::TIMESTAMP2 => fraction("TIMESTAMP"),
        ColumnType::NEWDATE => "DATE".to_owned(),
        ColumnType::BIT => format!("BIT({})", super::value::bit_width(column)),
        ColumnType::VARCHAR | ColumnType::VAR_STRING => {
            format!("{}({metadata} bytes)", pick("VARCHAR", "VARBINARY"))
        }
        ColumnType::VARCHAR_COMPRESSED => {
            format!(
                "{}({metadata} bytes) COMPRESSED",
                pick("VARCHAR", "VARBINARY")
            )
        }
        ColumnType::STRING => {
            let len = column.string_len_max();
            format!("{}({len} bytes)", pick("CHAR", "BINARY"))
        }
        ColumnType::BLOB => blob(metadata, is_text),
        ColumnType::BLOB_COMPRESSED => blob(metadata, is_text) + " COMPRESSED",
        ColumnType::ENUM => members("ENUM", column, flavour),
        ColumnType::SET => members("SET", column, flavour),
        ColumnType::GEOMETRY => geometry(column.geometry_type).to_owned(),
        ColumnType::VECTOR => match column.vector_dimensions {
            Some(dimensions) => format!("VECTOR({dimensions})"),
            None => "VECTOR".to_owned(),
        },
        other => other.name().to_owned(),
    };
    if column.unsigned == Some(true) && column.column_type != ColumnType::YEAR {
        text.push_str(" UNSIGNED");
    }
    let charset = column.charset.and_then(|id| charset_of(id, flavour));
    if let Some(charset) = charset.filter(|charset| !charset.is_binary()) {
        text.push(' ');
        text.push_str(charset.name());
    }
    text
}

fn blob(len_bytes: u16, is_text: bool) -> String {
    let size = match len_bytes {
        1 => "TINY",
        2 => "",
        3 => "MEDIUM",
        _ => "LONG",
    };
    format!("{size}{}", if is_text { "TEXT" } else { "BLOB" })
}

fn members(name: &str, column: &Column<'_>, flavour: Flavour) -> String {
    let Some(members) = &column.members else {
        return name.to_owned();
    };
    let shown: Vec<String> = members
        .iter()
        .take(MEMBERS_MAX)
        .map(|member| {
            let shape = Shape::of(column, flavour);
            format!("'{}'", member_text(member, shape).escape_debug())
        })
        .collect();
    let more = if members.len() > MEMBERS_MAX {
        ",..."
    } else {
        ""
    };
    format!("{name}({}{more})", shown.join(","))
}

const fn geometry(kind: Option<u32>) -> &'static str {
    match kind {
        Some(1) => "POINT",
        Some(2) => "LINESTRING",
        Some(3) => "POLYGON",
        Some(4) => "MULTIPOINT",
        Some(5) => "MULTILINESTRING",
        Some(6) => "MULTIPOLYGON",
        Some(7) => "GEOMETRYCOLLECTION",
        _ => "GEOMETRY",
    }
}
