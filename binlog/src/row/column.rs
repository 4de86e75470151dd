//! Columns as a table map describes them.

use std::borrow::Cow;

use crate::event::Flavour;

/// Type code of a column as written in a table map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ColumnType(
    /// The code.
    pub u8,
);

macro_rules! column_types {
    ($($code:literal $name:ident)*) => {
        impl ColumnType {
            $(
                #[doc = concat!("Type code ", $code, ".")]
                pub const $name: Self = Self($code);
            )*

            /// The type's name in MySQL's sources, for instance `LONGLONG`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($code => stringify!($name),)*
                    _ => "UNKNOWN",
                }
            }

            /// Whether this build knows the type, and so how many bytes its parameters take.
            #[must_use]
            pub const fn is_known(self) -> bool {
                matches!(self.0, $($code)|*)
            }
        }
    };
}

column_types! {
    0 DECIMAL
    1 TINY
    2 SHORT
    3 LONG
    4 FLOAT
    5 DOUBLE
    6 NULL
    7 TIMESTAMP
    8 LONGLONG
    9 INT24
    10 DATE
    11 TIME
    12 DATETIME
    13 YEAR
    14 NEWDATE
    15 VARCHAR
    16 BIT
    17 TIMESTAMP2
    18 DATETIME2
    19 TIME2
    140 BLOB_COMPRESSED
    141 VARCHAR_COMPRESSED
    242 VECTOR
    245 JSON
    246 NEWDECIMAL
    247 ENUM
    248 SET
    249 TINY_BLOB
    250 MEDIUM_BLOB
    251 LONG_BLOB
    252 BLOB
    253 VAR_STRING
    254 STRING
    255 GEOMETRY
}

/// Id of the `binary` collation: the column holds bytes, not text.
pub(super) const BINARY_COLLATION: u16 = 63;

/// One column of a [`super::TableMap`]. What the source did not log is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column<'a> {
    /// Type code. CHAR, BINARY, ENUM and SET all are [`ColumnType::STRING`]; see
    /// [`Column::real_type`].
    pub column_type: ColumnType,
    /// The type's parameters. VARCHAR: most bytes. NEWDECIMAL: `precision << 8 | scale`. STRING: two
    /// bytes, the first one high. BIT: `bytes << 8 | bits`. Temporal types: digits of the fraction.
    /// BLOB, JSON, GEOMETRY, VECTOR, FLOAT, DOUBLE: bytes of the length, or of the value.
    pub metadata: u16,
    /// Whether the column may be NULL.
    pub nullable: bool,
    /// Whether a numeric column is unsigned.
    pub unsigned: Option<bool>,
    /// Collation id of a text, ENUM or SET column; 63 for bytes.
    pub charset: Option<u16>,
    /// Name; only in full metadata.
    pub name: Option<Cow<'a, str>>,
    /// Members of an ENUM or SET, in the column's charset; only in full metadata.
    pub members: Option<Vec<Cow<'a, [u8]>>>,
    /// Kind of geometry: 0 any, 1 point, 2 linestring, 3 polygon, 4-6 the same in plural, 7
    /// collection.
    pub geometry_type: Option<u32>,
    /// Dimensions of a VECTOR.
    pub vector_dimensions: Option<u32>,
    /// Whether `SELECT *` shows the column; only in full metadata.
    pub visible: Option<bool>,
}

impl Column<'_> {
    /// A column of which nothing optional is known.
    #[must_use]
    pub const fn new(column_type: ColumnType, metadata: u16, nullable: bool) -> Self {
        Self {
            column_type,
            metadata,
            nullable,
            unsigned: None,
            charset: None,
            name: None,
            members: None,
            geometry_type: None,
            vector_dimensions: None,
            visible: None,
        }
    }

    /// The type with ENUM and SET told apart from CHAR and BINARY.
    #[must_use]
    pub const fn real_type(&self) -> ColumnType {
        match self.column_type {
            ColumnType::STRING => match self.metadata.to_be_bytes() {
                [247, _] => ColumnType::ENUM,
                [248, _] => ColumnType::SET,
                _ => ColumnType::STRING,
            },
            other => other,
        }
    }

    /// Most bytes of a CHAR or BINARY column.
    #[must_use]
    pub fn string_len_max(&self) -> u16 {
        let [high, low] = self.metadata.to_be_bytes();
        u16::from(low) | ((u16::from(high) & 0x30) ^ 0x30) << 4
    }

    /// Metadata of a CHAR or BINARY column of at most `len_max` (up to 1023) bytes.
    #[must_use]
    pub const fn string_metadata(len_max: u16) -> u16 {
        let [low, high] = len_max.to_le_bytes();
        u16::from_be_bytes([ColumnType::STRING.0 ^ (high & 3) << 4, low])
    }

    /// Whether the column's signedness is logged.
    #[must_use]
    pub const fn is_numeric(&self) -> bool {
        matches!(self.column_type.0, 1..=5 | 8 | 9 | 13 | 246)
    }

    /// Whether a server of `flavour` logs the column's collation among those of text columns: those
    /// of bytes are text columns too, with collation 63.
    #[must_use]
    pub const fn is_character(&self, flavour: Flavour) -> bool {
        match self.real_type() {
            ColumnType::VARCHAR
            | ColumnType::VAR_STRING
            | ColumnType::BLOB
            | ColumnType::STRING => true,
            ColumnType::VECTOR => matches!(flavour, Flavour::MySql),
            ColumnType::BLOB_COMPRESSED | ColumnType::VARCHAR_COMPRESSED | ColumnType::GEOMETRY => {
                matches!(flavour, Flavour::MariaDb)
            }
            _ => false,
        }
    }

    /// Whether the column is an ENUM or a SET.
    #[must_use]
    pub const fn is_enum_or_set(&self) -> bool {
        matches!(self.real_type(), ColumnType::ENUM | ColumnType::SET)
    }

    /// The same column with bytes of its own.
    #[must_use]
    pub fn into_owned(self) -> Column<'static> {
        let own = |members: Vec<Cow<'_, [u8]>>| {
            let members = members.into_iter();
            members
                .map(|member| Cow::Owned(member.into_owned()))
                .collect()
        };
        Column {
            column_type: self.column_type,
            metadata: self.metadata,
            nullable: self.nullable,
            unsigned: self.unsigned,
            charset: self.charset,
            name: self.name.map(|name| Cow::Owned(name.into_owned())),
            members: self.members.map(own),
            geometry_type: self.geometry_type,
            vector_dimensions: self.vector_dimensions,
            visible: self.visible,
        }
    }
}
