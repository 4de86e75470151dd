//! The exact MySQL type of a column.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::collation::{BINARY, Collation};

/// A type with its parameters, as SHOW CREATE TABLE prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnType {
    /// TINYINT to BIGINT.
    Integer {
        /// How many bytes.
        size: IntegerSize,
        /// Whether UNSIGNED is set (ZEROFILL sets it too).
        unsigned: bool,
        /// Whether ZEROFILL is set.
        zerofill: bool,
        /// Display width where MySQL still shows one: `tinyint(1)` and ZEROFILL columns.
        width: Option<u8>,
    },
    /// DECIMAL(precision, scale).
    Decimal {
        /// Digits in all, 1 to 65.
        precision: u8,
        /// Digits after the point, 0 to 30.
        scale: u8,
        /// Whether UNSIGNED is set.
        unsigned: bool,
        /// Whether ZEROFILL is set.
        zerofill: bool,
    },
    /// FLOAT.
    Float {
        /// The deprecated (M,D), which rounds values.
        digits: Option<(u8, u8)>,
        /// Whether UNSIGNED is set.
        unsigned: bool,
        /// Whether ZEROFILL is set.
        zerofill: bool,
    },
    /// DOUBLE.
    Double {
        /// The deprecated (M,D), which rounds values.
        digits: Option<(u8, u8)>,
        /// Whether UNSIGNED is set.
        unsigned: bool,
        /// Whether ZEROFILL is set.
        zerofill: bool,
    },
    /// BIT(width), 1 to 64 bits.
    Bit {
        /// Number of bits.
        width: u8,
    },
    /// YEAR.
    Year,
    /// DATE.
    Date,
    /// TIME(fsp).
    Time {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// DATETIME(fsp).
    DateTime {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// TIMESTAMP(fsp).
    Timestamp {
        /// Fractional digits, 0 to 6.
        fsp: u8,
    },
    /// CHAR(length).
    Char {
        /// Characters.
        length: u8,
        /// Collation, never `binary` (that is `Binary`).
        #[serde(with = "by_name")]
        collation: &'static Collation,
    },
    /// VARCHAR(length).
    Varchar {
        /// Characters.
        length: u16,
        /// Collation, never `binary` (that is `Varbinary`).
        #[serde(with = "by_name")]
        collation: &'static Collation,
    },
    /// TINYTEXT to LONGTEXT.
    Text {
        /// Which of the four.
        size: BlobSize,
        /// Collation, never `binary` (that is `Blob`).
        #[serde(with = "by_name")]
        collation: &'static Collation,
    },
    /// BINARY(length), filled up with zero bytes.
    Binary {
        /// Bytes.
        length: u8,
    },
    /// VARBINARY(length).
    Varbinary {
        /// Bytes.
        length: u16,
    },
    /// TINYBLOB to LONGBLOB.
    Blob {
        /// Which of the four.
        size: BlobSize,
    },
    /// ENUM.
    Enum {
        /// Members in order; the first has index 1.
        members: Arc<[String]>,
        /// Collation by which members are found.
        #[serde(with = "by_name")]
        collation: &'static Collation,
    },
    /// SET.
    Set {
        /// Members in order; the first is bit 0.
        members: Arc<[String]>,
        /// Collation by which members are found.
        #[serde(with = "by_name")]
        collation: &'static Collation,
    },
    /// JSON.
    Json,
    /// A spatial type, kept as the source's bytes.
    Geometry {
        /// Which of the eight.
        kind: GeometryKind,
        /// The spatial reference system that all values must be of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        srid: Option<u32>,
    },
    /// VECTOR(dimensions), kept as the source's bytes.
    Vector {
        /// Most dimensions.
        dimensions: u16,
    },
}

/// Width of an integer type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IntegerSize {
    /// TINYINT, 1 byte.
    Tiny,
    /// SMALLINT, 2 bytes.
    Small,
    /// MEDIUMINT, 3 bytes.
    Medium,
    /// INT, 4 bytes.
    Int,
    /// BIGINT, 8 bytes.
    Big,
}

impl IntegerSize {
    /// Bits of the type: 8, 16, 24, 32 or 64.
    #[must_use]
    pub fn bits(self) -> u32 {
        match self {
            IntegerSize::Tiny => 8,
            IntegerSize::Small => 16,
            IntegerSize::Medium => 24,
            IntegerSize::Int => 32,
            IntegerSize::Big => 64,
        }
    }

    /// Least and greatest value of the signed type.
    #[must_use]
    pub fn signed_range(self) -> (i64, i64) {
        let shift = 64 - self.bits();
        (i64::MIN >> shift, i64::MAX >> shift)
    }

    /// Greatest value of the unsigned type.
    #[must_use]
    pub fn unsigned_max(self) -> u64 {
        u64::MAX >> (64 - self.bits())
    }

    /// MySQL's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            IntegerSize::Tiny => "tinyint",
            IntegerSize::Small => "smallint",
            IntegerSize::Medium => "mediumint",
            IntegerSize::Int => "int",
            IntegerSize::Big => "bigint",
        }
    }

    /// Display width that MySQL assumes when none is given.
    #[must_use]
    pub fn default_width(self, unsigned: bool) -> u8 {
        match (self, unsigned) {
            (IntegerSize::Tiny, false) => 4,
            (IntegerSize::Tiny, true) => 3,
            (IntegerSize::Small, false) => 6,
            (IntegerSize::Small, true) => 5,
            (IntegerSize::Medium, false) => 9,
            (IntegerSize::Medium, true) => 8,
            (IntegerSize::Int, false) => 11,
            (IntegerSize::Int, true) => 10,
            (IntegerSize::Big, _) => 20,
        }
    }
}

/// Which of the four BLOB or TEXT types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum BlobSize {
    /// 255 bytes.
    Tiny,
    /// 65 535 bytes.
    Normal,
    /// 16 777 215 bytes.
    Medium,
    /// 4 294 967 295 bytes.
    Long,
}

impl BlobSize {
    /// Most bytes of a value.
    #[must_use]
    pub fn bytes_max(self) -> u64 {
        match self {
            BlobSize::Tiny => 0xff,
            BlobSize::Normal => 0xffff,
            BlobSize::Medium => 0xff_ffff,
            BlobSize::Long => 0xffff_ffff,
        }
    }

    /// How many bytes the length of a value takes in a row image: 1 to 4.
    #[must_use]
    pub fn length_bytes(self) -> u8 {
        match self {
            BlobSize::Tiny => 1,
            BlobSize::Normal => 2,
            BlobSize::Medium => 3,
            BlobSize::Long => 4,
        }
    }

    /// The word before `text` or `blob`.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            BlobSize::Tiny => "tiny",
            BlobSize::Normal => "",
            BlobSize::Medium => "medium",
            BlobSize::Long => "long",
        }
    }
}

/// Which spatial type; the number is the code in TABLE_MAP's optional metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum GeometryKind {
    /// GEOMETRY.
    Geometry = 0,
    /// POINT.
    Point = 1,
    /// LINESTRING.
    LineString = 2,
    /// POLYGON.
    Polygon = 3,
    /// MULTIPOINT.
    MultiPoint = 4,
    /// MULTILINESTRING.
    MultiLineString = 5,
    /// MULTIPOLYGON.
    MultiPolygon = 6,
    /// GEOMETRYCOLLECTION.
    GeometryCollection = 7,
}

impl GeometryKind {
    /// MySQL's word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            GeometryKind::Geometry => "geometry",
            GeometryKind::Point => "point",
            GeometryKind::LineString => "linestring",
            GeometryKind::Polygon => "polygon",
            GeometryKind::MultiPoint => "multipoint",
            GeometryKind::MultiLineString => "multilinestring",
            GeometryKind::MultiPolygon => "multipolygon",
            GeometryKind::GeometryCollection => "geomcollection",
        }
    }
}

impl ColumnType {
    /// The collation of a character type, ENUM or SET.
    #[must_use]
    pub fn collation(&self) -> Option<&'static Collation> {
        match self {
            ColumnType::Char { collation, .. }
            | ColumnType::Varchar { collation, .. }
            | ColumnType::Text { collation, .. }
            | ColumnType::Enum { collation, .. }
            | ColumnType::Set { collation, .. } => Some(collation),
            _ => None,
        }
    }

    /// The same type with another collation; types without one stay as they are.
    #[must_use]
    pub fn with_collation(self, new: &'static Collation) -> ColumnType {
        match self {
            ColumnType::Char { length, .. } => ColumnType::Char {
                length,
                collation: new,
            },
            ColumnType::Varchar { length, .. } => ColumnType::Varchar {
                length,
                collation: new,
            },
            ColumnType::Text { size, .. } => ColumnType::Text {
                size,
                collation: new,
            },
            ColumnType::Enum { members, .. } => ColumnType::Enum {
                members,
                collation: new,
            },
            ColumnType::Set { members, .. } => ColumnType::Set {
                members,
                collation: new,
            },
            other => other,
        }
    }

    /// The collation by which SQLite compares stored values: of text, else `binary`.
    #[must_use]
    pub fn stored_collation(&self) -> &'static Collation {
        match self {
            ColumnType::Char { collation, .. }
            | ColumnType::Varchar { collation, .. }
            | ColumnType::Text { collation, .. } => collation,
            _ => &BINARY,
        }
    }

    /// Whether the type is one of the integer, decimal, float or bit types.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        matches!(
            self,
            ColumnType::Integer { .. }
                | ColumnType::Decimal { .. }
                | ColumnType::Float { .. }
                | ColumnType::Double { .. }
                | ColumnType::Bit { .. }
                | ColumnType::Year
        )
    }

    /// Whether UNSIGNED is set.
    #[must_use]
    pub fn is_unsigned(&self) -> bool {
        match self {
            ColumnType::Integer { unsigned, .. }
            | ColumnType::Decimal { unsigned, .. }
            | ColumnType::Float { unsigned, .. }
            | ColumnType::Double { unsigned, .. } => *unsigned,
            _ => false,
        }
    }

    /// Whether ZEROFILL is set.
    #[must_use]
    pub fn is_zerofill(&self) -> bool {
        match self {
            ColumnType::Integer { zerofill, .. }
            | ColumnType::Decimal { zerofill, .. }
            | ColumnType::Float { zerofill, .. }
            | ColumnType::Double { zerofill, .. } => *zerofill,
            _ => false,
        }
    }

    /// Whether values are kept off the row in MySQL and so cannot have a literal default or be a
    /// key without a prefix: TEXT, BLOB, JSON, spatial and vector types.
    #[must_use]
    pub fn is_blob_like(&self) -> bool {
        matches!(
            self,
            ColumnType::Text { .. }
                | ColumnType::Blob { .. }
                | ColumnType::Json
                | ColumnType::Geometry { .. }
                | ColumnType::Vector { .. }
        )
    }

    /// Fractional digits of a temporal type, 0 for the others.
    #[must_use]
    pub fn fsp(&self) -> u8 {
        match self {
            ColumnType::Time { fsp }
            | ColumnType::DateTime { fsp }
            | ColumnType::Timestamp { fsp } => *fsp,
            _ => 0,
        }
    }
}

/// `varchar(20)`, `int unsigned`, `enum('a','b')`: the COLUMN_TYPE of information_schema, without
/// character set and collation.
impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnType::Integer { size, width, .. } => {
                f.write_str(size.name())?;
                if let Some(width) = width {
                    write!(f, "({width})")?;
                }
            }
            ColumnType::Decimal {
                precision, scale, ..
            } => write!(f, "decimal({precision},{scale})")?,
            ColumnType::Float { digits, .. } => digits_suffix(f, "float", *digits)?,
            ColumnType::Double { digits, .. } => digits_suffix(f, "double", *digits)?,
            ColumnType::Bit { width } => write!(f, "bit({width})")?,
            ColumnType::Year => f.write_str("year")?,
            ColumnType::Date => f.write_str("date")?,
            ColumnType::Time { fsp } => fsp_suffix(f, "time", *fsp)?,
            ColumnType::DateTime { fsp } => fsp_suffix(f, "datetime", *fsp)?,
            ColumnType::Timestamp { fsp } => fsp_suffix(f, "timestamp", *fsp)?,
            ColumnType::Char { length, .. } => write!(f, "char({length})")?,
            ColumnType::Varchar { length, .. } => write!(f, "varchar({length})")?,
            ColumnType::Text { size, .. } => write!(f, "{}text", size.prefix())?,
            ColumnType::Binary { length } => write!(f, "binary({length})")?,
            ColumnType::Varbinary { length } => write!(f, "varbinary({length})")?,
            ColumnType::Blob { size } => write!(f, "{}blob", size.prefix())?,
            ColumnType::Enum { members, .. } => member_list(f, "enum", members)?,
            ColumnType::Set { members, .. } => member_list(f, "set", members)?,
            ColumnType::Json => f.write_str("json")?,
            ColumnType::Geometry { kind, .. } => f.write_str(kind.name())?,
            ColumnType::Vector { dimensions } => write!(f, "vector({dimensions})")?,
        }
        if self.is_unsigned() {
            f.write_str(" unsigned")?;
        }
        if self.is_zerofill() {
            f.write_str(" zerofill")?;
        }
        Ok(())
    }
}

fn digits_suffix(f: &mut fmt::Formatter<'_>, name: &str, digits: Option<(u8, u8)>) -> fmt::Result {
    match digits {
        Some((precision, scale)) => write!(f, "{name}({precision},{scale})"),
        None => f.write_str(name),
    }
}

fn fsp_suffix(f: &mut fmt::Formatter<'_>, name: &str, fsp: u8) -> fmt::Result {
    match fsp {
        0 => f.write_str(name),
        fsp => write!(f, "{name}({fsp})"),
    }
}

fn member_list(f: &mut fmt::Formatter<'_>, name: &str, members: &[String]) -> fmt::Result {
    let quoted: Vec<String> = members
        .iter()
        .map(|member| super::show_create::literal(member))
        .collect();
    write!(f, "{name}({})", quoted.join(","))
}

/// A collation in the stored catalogue is its name.
pub(crate) mod by_name {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::collation::{self, Collation};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(crate) fn serialize<S: Serializer>(
        value: &&'static Collation,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.name)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<&'static Collation, D::Error> {
        let name = String::deserialize(deserializer)?;
        collation::by_name(&name).map_err(D::Error::custom)
    }
}
