//! Type codes and parameters of declared types in a table map.
//!
//! Spec: mysql-server 9.7, sql/log_event.cc, `Table_map_log_event`, and `Field::do_save_field_metadata`
//! of each type; MariaDB 11.8, sql/field.h, `Field::save_field_metadata`.

use binlog::row::{Column, ColumnType as Code};
use charset::Charset;
use sql::ast::{DataType, Member, TextForm, TextType};
use sql::outline::{ColumnOutline, DeclaredType};

use super::DeclaredColumn;

/// What a column looks like. `table` is the character set of columns that name none.
pub(super) fn column(
    outline: &ColumnOutline,
    table: Option<&str>,
    is_mariadb: Option<bool>,
) -> DeclaredColumn {
    let named = outline.charset.as_deref().or(table);
    let text = named.and_then(Charset::named);
    let (shapes, kind) = match &outline.data_type {
        DeclaredType::Uuid | DeclaredType::Inet6 => (vec![string(16)], Kind::Bytes),
        DeclaredType::Inet4 => (vec![string(4)], Kind::Bytes),
        DeclaredType::Common(data_type) => {
            let of = Of {
                text,
                is_mariadb,
                is_compressed: outline.is_compressed,
            };
            of.shapes(data_type)
        }
    };
    let charset = match kind {
        Kind::Text => text,
        Kind::Bytes => Some(Charset::BINARY),
        Kind::Number { .. } | Kind::Other => None,
    };
    let unsigned = match kind {
        Kind::Number { unsigned } => Some(unsigned),
        Kind::Text | Kind::Bytes | Kind::Other => None,
    };
    DeclaredColumn {
        name: outline.name.clone(),
        declared: outline.declared.clone(),
        shapes,
        unsigned,
        charset: charset.map(Charset::name),
        members: members(&outline.data_type, text),
        is_nullable: outline.is_nullable,
        is_generated: outline.is_generated,
        is_visible: outline.is_visible,
    }
}

/// What a table map says of a type beside its code.
enum Kind {
    Number { unsigned: bool },
    Text,
    Bytes,
    Other,
}

struct Of {
    text: Option<&'static Charset>,
    is_mariadb: Option<bool>,
    is_compressed: bool,
}

impl Of {
    fn shapes(&self, data_type: &DataType) -> (Vec<(Code, u16)>, Kind) {
        let number = |code, metadata, unsigned| (vec![(code, metadata)], Kind::Number { unsigned });
        match data_type {
            DataType::TinyInt { unsigned, .. } => number(Code::TINY, 0, *unsigned),
            DataType::Bool => number(Code::TINY, 0, false),
            DataType::SmallInt { unsigned, .. } => number(Code::SHORT, 0, *unsigned),
            DataType::MediumInt { unsigned, .. } => number(Code::INT24, 0, *unsigned),
            DataType::Int { unsigned, .. } => number(Code::LONG, 0, *unsigned),
            DataType::BigInt { unsigned, .. } => number(Code::LONGLONG, 0, *unsigned),
            DataType::Serial => number(Code::LONGLONG, 0, true),
            DataType::Decimal {
                precision,
                scale,
                unsigned,
                ..
            } => number(Code::NEWDECIMAL, decimal(*precision, *scale), *unsigned),
            DataType::Float {
                precision: Some(25..),
                scale: None,
                unsigned,
                ..
            }
            | DataType::Double { unsigned, .. } => number(Code::DOUBLE, 8, *unsigned),
            DataType::Float { unsigned, .. } => number(Code::FLOAT, 4, *unsigned),
            DataType::Year { .. } => number(Code::YEAR, 0, true),
            DataType::Bit { width } => (vec![bit(small(width.unwrap_or(1)))], Kind::Other),
            DataType::Date => (vec![(Code::DATE, 0)], Kind::Other),
            DataType::Time { fsp } => (temporal(Code::TIME2, Code::TIME, *fsp), Kind::Other),
            DataType::DateTime { fsp } => {
                (temporal(Code::DATETIME2, Code::DATETIME, *fsp), Kind::Other)
            }
            DataType::Timestamp { fsp } => (
                temporal(Code::TIMESTAMP2, Code::TIMESTAMP, *fsp),
                Kind::Other,
            ),
            DataType::Char { length, .. } => (self.chars(length.unwrap_or(1)), self.kind()),
            DataType::Shown(TextForm::Uuid | TextForm::Inet6) => (vec![string(16)], Kind::Bytes),
            DataType::Shown(TextForm::Inet4) => (vec![string(4)], Kind::Bytes),
            DataType::Binary { length } => (vec![string(bytes(*length, 1))], Kind::Bytes),
            DataType::VarChar { length, .. } => (self.varchars(*length), self.kind()),
            DataType::VarBinary { length } => {
                (vec![self.varchar(bytes(Some(*length), 1))], Kind::Bytes)
            }
            DataType::Text { size, length, .. } => (
                vec![self.blob(*size, self.text_bytes(*length))],
                self.kind(),
            ),
            DataType::Blob { size, length } => (vec![self.blob(*size, *length)], Kind::Bytes),
            DataType::Enum { members, .. } => (vec![enumerated(members.len())], Kind::Text),
            DataType::Set { members, .. } => (vec![set(members.len())], Kind::Text),
            // An alias of LONGTEXT in MariaDB.
            DataType::Json => (self.of_vendor((Code::JSON, 4), (Code::BLOB, 4)), Kind::Text),
            DataType::Vector { length } => {
                let mariadb = (Code::VARCHAR, bytes(*length, 4));
                (self.of_vendor((Code::VECTOR, 4), mariadb), Kind::Bytes)
            }
            DataType::Geometry { .. } => (vec![(Code::GEOMETRY, 4)], Kind::Bytes),
        }
    }

    /// What either makes of a type; both where nobody said whose it is.
    fn of_vendor(&self, mysql: (Code, u16), mariadb: (Code, u16)) -> Vec<(Code, u16)> {
        match self.is_mariadb {
            Some(true) => vec![mariadb],
            Some(false) => vec![mysql],
            None => vec![mysql, mariadb],
        }
    }

    fn chars(&self, characters: u32) -> Vec<(Code, u16)> {
        let lengths = self.lengths(characters).into_iter();
        lengths.map(string).collect()
    }

    fn varchars(&self, characters: u32) -> Vec<(Code, u16)> {
        let lengths = self.lengths(characters).into_iter();
        lengths.map(|length| self.varchar(length)).collect()
    }

    fn text_bytes(&self, characters: Option<u32>) -> Option<u32> {
        let per_character = self.text.map_or(4, |text| u32::from(text.len_max()));
        characters.map(|characters| characters.saturating_mul(per_character))
    }

    fn kind(&self) -> Kind {
        match self.text.is_some_and(Charset::is_binary) {
            true => Kind::Bytes,
            false => Kind::Text,
        }
    }

    /// Bytes of so many characters; of every length that a character may have if it is not known.
    fn lengths(&self, characters: u32) -> Vec<u16> {
        let per_character = match self.text {
            Some(text) => u32::from(text.len_max())..=u32::from(text.len_max()),
            None => 1..=4,
        };
        let bytes =
            per_character.filter_map(|len| u16::try_from(characters.checked_mul(len)?).ok());
        bytes.collect()
    }

    const fn varchar(&self, length: u16) -> (Code, u16) {
        match self.is_compressed {
            // A byte more says how it is compressed.
            true => (Code::VARCHAR_COMPRESSED, length.saturating_add(1)),
            false => (Code::VARCHAR, length),
        }
    }

    /// A TEXT or BLOB; TEXT(n) is the smallest that holds n characters.
    const fn blob(&self, size: TextType, bytes: Option<u32>) -> (Code, u16) {
        let code = match self.is_compressed {
            true => Code::BLOB_COMPRESSED,
            false => Code::BLOB,
        };
        let len_bytes = match (size, bytes) {
            (TextType::Tiny, _) | (TextType::Normal, Some(..=0xff)) => 1,
            (TextType::Normal, None | Some(..=0xffff)) => 2,
            (TextType::Medium, _) | (TextType::Normal, Some(..=0xff_ffff)) => 3,
            (TextType::Long | TextType::Normal, _) => 4,
        };
        (code, len_bytes)
    }
}

/// Digits, bits: what no server lets grow beyond a byte.
fn small(number: u32) -> u8 {
    u8::try_from(number).unwrap_or(u8::MAX)
}

fn decimal(precision: Option<u32>, scale: Option<u32>) -> u16 {
    u16::from_be_bytes([precision.map_or(10, small), scale.map_or(0, small)])
}

const fn bit(width: u8) -> (Code, u16) {
    (Code::BIT, u16::from_be_bytes([width / 8, width % 8]))
}

/// A length in bytes, of so many each; 1 where none is written.
fn bytes(length: Option<u32>, each: u32) -> u16 {
    let bytes = length.unwrap_or(1).saturating_mul(each);
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

const fn enumerated(members: usize) -> (Code, u16) {
    listed(Code::ENUM, if members > 255 { 2 } else { 1 })
}

fn set(members: usize) -> (Code, u16) {
    let width = match members.div_ceil(8) {
        0 => 1,
        width @ 1..=4 => u8::try_from(width).unwrap_or(8),
        _ => 8,
    };
    listed(Code::SET, width)
}

const fn string(length: u16) -> (Code, u16) {
    (Code::STRING, Column::string_metadata(length))
}

const fn listed(code: Code, width: u8) -> (Code, u16) {
    (Code::STRING, u16::from_be_bytes([code.0, width]))
}

/// Tables of before MySQL 5.6 and MariaDB 10.1 keep their older form, which has no fraction.
fn temporal(code: Code, older: Code, fsp: Option<u32>) -> Vec<(Code, u16)> {
    match fsp.unwrap_or(0) {
        0 => vec![(code, 0), (older, 0)],
        fsp => vec![(code, u16::from(small(fsp)))],
    }
}

/// Members of an ENUM or SET in the bytes of the column's character set.
fn members(data_type: &DeclaredType, text: Option<&'static Charset>) -> Option<Vec<Vec<u8>>> {
    let DeclaredType::Common(DataType::Enum { members, .. } | DataType::Set { members, .. }) =
        data_type
    else {
        return None;
    };
    let bytes = |member: &Member| match member {
        Member::Bytes(bytes) => bytes.clone(),
        Member::Text(own) => {
            let encoded = text.and_then(|text| text.encode(own).ok());
            encoded.map_or_else(|| own.clone().into_bytes(), |encoded| encoded.into_owned())
        }
    };
    Some(members.iter().map(bytes).collect())
}
