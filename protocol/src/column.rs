//! Column definitions: the head of a result set, and of the answers to a prepare.
//!
//! Spec: mysql-server 8.4, "Protocol::ColumnDefinition41".

use codec::{DecodeError, Reader, Write as _};

/// Column type codes, as in result sets.
pub mod column_type {
    /// DECIMAL of MySQL before 5.0.
    pub const DECIMAL: u8 = 0;
    /// TINYINT.
    pub const TINY: u8 = 1;
    /// SMALLINT.
    pub const SHORT: u8 = 2;
    /// INT.
    pub const LONG: u8 = 3;
    /// FLOAT.
    pub const FLOAT: u8 = 4;
    /// DOUBLE.
    pub const DOUBLE: u8 = 5;
    /// NULL.
    pub const NULL: u8 = 6;
    /// TIMESTAMP.
    pub const TIMESTAMP: u8 = 7;
    /// BIGINT.
    pub const LONGLONG: u8 = 8;
    /// MEDIUMINT.
    pub const INT24: u8 = 9;
    /// DATE.
    pub const DATE: u8 = 10;
    /// TIME.
    pub const TIME: u8 = 11;
    /// DATETIME.
    pub const DATETIME: u8 = 12;
    /// YEAR.
    pub const YEAR: u8 = 13;
    /// VARCHAR, in tables only.
    pub const VARCHAR: u8 = 15;
    /// BIT.
    pub const BIT: u8 = 16;
    /// BOOL parameters of some clients.
    pub const BOOL: u8 = 244;
    /// VECTOR (9.0 and later).
    pub const VECTOR: u8 = 242;
    /// JSON.
    pub const JSON: u8 = 245;
    /// DECIMAL.
    pub const NEWDECIMAL: u8 = 246;
    /// ENUM; results use STRING with the ENUM flag.
    pub const ENUM: u8 = 247;
    /// SET; results use STRING with the SET flag.
    pub const SET: u8 = 248;
    /// TINYBLOB; results use BLOB.
    pub const TINY_BLOB: u8 = 249;
    /// MEDIUMBLOB; results use BLOB.
    pub const MEDIUM_BLOB: u8 = 250;
    /// LONGBLOB; results use BLOB.
    pub const LONG_BLOB: u8 = 251;
    /// Every BLOB and TEXT.
    pub const BLOB: u8 = 252;
    /// VARCHAR and VARBINARY.
    pub const VAR_STRING: u8 = 253;
    /// CHAR, BINARY, ENUM and SET.
    pub const STRING: u8 = 254;
    /// GEOMETRY.
    pub const GEOMETRY: u8 = 255;
}

/// Column flags.
pub mod column_flag {
    /// NOT NULL.
    pub const NOT_NULL: u16 = 1;
    /// Part of the primary key.
    pub const PRI_KEY: u16 = 1 << 1;
    /// Part of a unique key.
    pub const UNIQUE_KEY: u16 = 1 << 2;
    /// Part of a key that is not unique.
    pub const MULTIPLE_KEY: u16 = 1 << 3;
    /// A BLOB or TEXT.
    pub const BLOB: u16 = 1 << 4;
    /// UNSIGNED.
    pub const UNSIGNED: u16 = 1 << 5;
    /// ZEROFILL.
    pub const ZEROFILL: u16 = 1 << 6;
    /// Binary collation.
    pub const BINARY: u16 = 1 << 7;
    /// An ENUM.
    pub const ENUM: u16 = 1 << 8;
    /// AUTO_INCREMENT.
    pub const AUTO_INCREMENT: u16 = 1 << 9;
    /// A TIMESTAMP.
    pub const TIMESTAMP: u16 = 1 << 10;
    /// A SET.
    pub const SET: u16 = 1 << 11;
    /// NOT NULL without a default.
    pub const NO_DEFAULT_VALUE: u16 = 1 << 12;
    /// ON UPDATE CURRENT_TIMESTAMP.
    pub const ON_UPDATE_NOW: u16 = 1 << 13;
    /// Part of some key (set inside servers, seen on the wire).
    pub const PART_KEY: u16 = 1 << 14;
    /// A number.
    pub const NUM: u16 = 1 << 15;
}

/// What a result set says about one column.
///
/// | size   | field                            |
/// |-------:|----------------------------------|
/// | lenenc | catalog, always `def`            |
/// | lenenc | `schema`                         |
/// | lenenc | `table`                          |
/// | lenenc | `org_table`                      |
/// | lenenc | `name`                           |
/// | lenenc | `org_name`                       |
/// | lenenc | length of what follows, 12       |
/// |      2 | `charset`                        |
/// |      4 | `length`                         |
/// |      1 | `column_type`                    |
/// |      2 | `flags`                          |
/// |      1 | `decimals`                       |
/// |      2 | zero                             |
/// | lenenc | `default`, COM_FIELD_LIST only   |
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Database of the table; empty for an expression.
    pub schema: String,
    /// Table as the query names it.
    pub table: String,
    /// Table as it is stored.
    pub org_table: String,
    /// Column as the query names it.
    pub name: String,
    /// Column as it is stored; empty for an expression.
    pub org_name: String,
    /// Collation number; 63 is binary.
    pub charset: u16,
    /// Largest width in bytes.
    pub length: u32,
    /// A code of [`column_type`].
    pub column_type: u8,
    /// Flags of [`column_flag`].
    pub flags: u16,
    /// Digits after the decimal point; 31 for floating point without a fixed number.
    pub decimals: u8,
    /// In an answer to COM_FIELD_LIST, the default: `Some(None)` is NULL. `None` elsewhere.
    pub default: Option<Option<Vec<u8>>>,
}

impl ColumnDefinition {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_lenenc_bytes(b"def");
        for text in [
            &self.schema,
            &self.table,
            &self.org_table,
            &self.name,
            &self.org_name,
        ] {
            out.put_lenenc_bytes(text.as_bytes());
        }
        out.put_u8(12);
        out.put_u16(self.charset);
        out.put_u32(self.length);
        out.put_u8(self.column_type);
        out.put_u16(self.flags);
        out.put_u8(self.decimals);
        out.put_u16(0);
        match &self.default {
            Some(Some(default)) => out.put_lenenc_bytes(default),
            Some(None) => out.put_u8(0xfb),
            None => {}
        }
    }

    /// Reads a column definition.
    pub fn decode(payload: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(payload);
        reader.lenenc_bytes("column catalog")?;
        let mut text = |what| {
            reader
                .lenenc_bytes(what)
                .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        };
        let schema = text("column schema")?;
        let table = text("column table")?;
        let org_table = text("column original table")?;
        let name = text("column name")?;
        let org_name = text("column original name")?;
        reader.lenenc("column fixed length")?;
        let charset = reader.u16("column charset")?;
        let length = reader.u32("column length")?;
        let column_type = reader.u8("column type")?;
        let flags = reader.u16("column flags")?;
        let decimals = reader.u8("column decimals")?;
        reader.u16("column filler")?;
        let default = match reader.is_empty() {
            true => None,
            false => Some(match reader.lenenc_or_null("column default")? {
                Some(len) => Some(reader.bytes_u64(len, "column default")?.to_vec()),
                None => None,
            }),
        };
        Ok(Self {
            schema,
            table,
            org_table,
            name,
            org_name,
            charset,
            length,
            column_type,
            flags,
            decimals,
            default,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `SELECT UNIX_TIMESTAMP()`, as MySQL 9.7 answered a replica.
    const CAPTURED: &[u8] = b"\x03def\x00\x00\x00\x10UNIX_TIMESTAMP()\x00\
        \x0c\x3f\x00\x15\x00\x00\x00\x08\x81\x00\x00\x00\x00";

    #[test]
    fn reads_and_writes_a_captured_column() {
        let column = ColumnDefinition::decode(CAPTURED).unwrap();
        assert_eq!(column.name, "UNIX_TIMESTAMP()");
        assert_eq!(column.column_type, column_type::LONGLONG);
        assert_eq!(column.flags, column_flag::NOT_NULL | column_flag::BINARY);
        let mut out = Vec::new();
        column.encode(&mut out);
        assert_eq!(out, CAPTURED);
    }

    #[test]
    fn a_field_list_column_carries_its_default() {
        for default in [None, Some(None), Some(Some(b"x".to_vec()))] {
            let column = ColumnDefinition {
                default,
                ..ColumnDefinition::default()
            };
            let mut out = Vec::new();
            column.encode(&mut out);
            assert_eq!(ColumnDefinition::decode(&out).unwrap(), column);
        }
    }

    proptest! {
        #[test]
        fn columns_round_trip(
            texts: [String; 5], charset: u16, length: u32, column_type: u8, flags: u16,
            decimals: u8, default: Option<Option<Vec<u8>>>,
        ) {
            let [schema, table, org_table, name, org_name] = texts;
            let column = ColumnDefinition {
                schema,
                table,
                org_table,
                name,
                org_name,
                charset,
                length,
                column_type,
                flags,
                decimals,
                default,
            };
            let mut out = Vec::new();
            column.encode(&mut out);
            prop_assert_eq!(ColumnDefinition::decode(&out).unwrap(), column);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let _ = ColumnDefinition::decode(&bytes);
        }
    }
}
