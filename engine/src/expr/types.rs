//! The MySQL type of an expression: what decides its arithmetic, comparison, storage form and the
//! metadata that clients see.
//!
//! A type is found by the binder before anything is evaluated. How a column's declared type becomes
//! one is in [`Type::of_column`]; how types of several operands combine is in [`Type::union`].

use std::borrow::Cow;
use std::sync::Arc;

use crate::catalog::{BlobSize, Column, ColumnType, IntegerSize};
use crate::collation::{BINARY, Collation};
use crate::value::datum::{Datum, number_of_bytes};

/// The class of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "MySQL's own words")]
pub enum Kind {
    Null,
    Integer,
    Decimal,
    Float,
    Double,
    Text,
    Date,
    DateTime,
    Timestamp,
    Time,
    Year,
    Enum,
    Set,
    Bit,
    Json,
}

impl Kind {
    /// Dates with or without a time of day.
    pub fn is_date(self) -> bool {
        matches!(self, Self::Date | Self::DateTime | Self::Timestamp)
    }

    /// Dates and times.
    pub fn is_temporal(self) -> bool {
        self.is_date() || self == Self::Time
    }

    /// Integers and what counts as an integer in arithmetic.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::Integer | Self::Year | Self::Bit)
    }

    /// Strings, ENUM and SET.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Enum | Self::Set)
    }

    /// FLOAT and DOUBLE.
    pub fn is_approximate(self) -> bool {
        matches!(self, Self::Float | Self::Double)
    }
}

/// Digits behind the point that a floating-point or text result does not fix.
pub const NOT_FIXED: u8 = 31;

/// How strongly an operand insists on its collation; smaller wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coercibility {
    /// COLLATE clause.
    Explicit = 0,
    /// Two different collations were joined.
    None = 1,
    /// A column.
    Implicit = 2,
    /// USER(), VERSION() and other constants of the system.
    System = 3,
    /// A literal.
    Literal = 4,
    /// A number or date turned into text.
    Numeric = 5,
    /// NULL.
    Ignorable = 6,
}

/// The type of an expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// Class.
    pub kind: Kind,
    /// Whether it can be NULL.
    pub nullable: bool,
    /// UNSIGNED.
    pub unsigned: bool,
    /// Characters of text, bytes of binary text, or digits of a number as MySQL displays it.
    pub length: u32,
    /// Digits of a decimal in all.
    pub precision: u8,
    /// Scale of a decimal, fractional digits of a time, [`NOT_FIXED`] for floating point.
    pub decimals: u8,
    /// Collation of text.
    pub collation: &'static Collation,
    /// How strongly it holds its collation.
    pub coercibility: Coercibility,
    /// Members of an ENUM or SET.
    pub members: Option<Arc<[String]>>,
    /// Wire type where it differs from what the class implies (TINY, VARCHAR as STRING, BLOB ...).
    pub wire: Option<u8>,
    /// Text that is announced as BLOB once it is longer than VARCHAR allows is marked here.
    pub fixed_width: bool,
    /// A hexadecimal or bit literal: a number where a number is wanted.
    pub is_hex: bool,
    /// A condition or TRUE or FALSE: JSON functions make `true` of it.
    pub is_boolean: bool,
}

impl Type {
    fn new(kind: Kind, length: u32) -> Self {
        Self {
            kind,
            nullable: false,
            unsigned: false,
            length,
            precision: 0,
            decimals: 0,
            collation: &BINARY,
            coercibility: Coercibility::Numeric,
            members: None,
            wire: None,
            fixed_width: false,
            is_hex: false,
            is_boolean: false,
        }
    }

    /// The type of NULL.
    pub fn null() -> Self {
        Self {
            nullable: true,
            coercibility: Coercibility::Ignorable,
            ..Self::new(Kind::Null, 0)
        }
    }

    /// A signed integer of at most `length` characters.
    pub fn integer(length: u32) -> Self {
        Self::new(Kind::Integer, length)
    }

    /// An unsigned integer of at most `length` characters.
    pub fn unsigned(length: u32) -> Self {
        Self {
            unsigned: true,
            ..Self::integer(length)
        }
    }

    /// 0 or 1.
    pub fn boolean() -> Self {
        Self {
            is_boolean: true,
            ..Self::integer(1)
        }
    }

    /// DECIMAL(precision, scale).
    pub fn decimal(precision: u8, scale: u8, unsigned: bool) -> Self {
        let precision = precision.clamp(1, 65).max(scale);
        let point = u32::from(scale > 0) + u32::from(!unsigned);
        Self {
            precision,
            decimals: scale,
            unsigned,
            ..Self::new(Kind::Decimal, u32::from(precision) + point)
        }
    }

    /// DOUBLE without fixed digits.
    pub fn double() -> Self {
        Self {
            decimals: NOT_FIXED,
            ..Self::new(Kind::Double, 23)
        }
    }

    /// Text of at most `length` characters.
    pub fn text(length: u32, collation: &'static Collation, coercibility: Coercibility) -> Self {
        Self {
            decimals: NOT_FIXED,
            collation,
            coercibility,
            ..Self::new(Kind::Text, length)
        }
    }

    /// Bytes.
    pub fn bytes(length: u32) -> Self {
        Self::text(length, &BINARY, Coercibility::Literal)
    }

    /// DATE.
    pub fn date() -> Self {
        Self::new(Kind::Date, 10)
    }

    /// DATETIME(fsp).
    pub fn datetime(fsp: u8) -> Self {
        let fraction = if fsp > 0 { 1 + u32::from(fsp) } else { 0 };
        Self {
            decimals: fsp,
            ..Self::new(Kind::DateTime, 19 + fraction)
        }
    }

    /// TIME(fsp).
    pub fn time(fsp: u8) -> Self {
        let fraction = if fsp > 0 { 1 + u32::from(fsp) } else { 0 };
        Self {
            decimals: fsp,
            ..Self::new(Kind::Time, 10 + fraction)
        }
    }

    /// JSON.
    pub fn json() -> Self {
        Self {
            collation: &crate::collation::UTF8MB4_BIN,
            coercibility: Coercibility::Implicit,
            ..Self::new(Kind::Json, u32::MAX / 4)
        }
    }

    /// The same type, nullable or not.
    #[must_use]
    pub fn with_null(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// True for byte strings.
    pub fn is_binary(&self) -> bool {
        self.kind == Kind::Text && self.collation.is_binary()
    }

    /// Digits before the point that a value of this type may have.
    pub fn integer_digits(&self) -> u8 {
        match self.kind {
            Kind::Decimal => self.precision.saturating_sub(self.decimals),
            Kind::Integer | Kind::Year | Kind::Bit => {
                let sign = u32::from(!self.unsigned);
                u8::try_from(self.length.saturating_sub(sign).clamp(1, 20)).unwrap_or(20)
            }
            Kind::Date => 8,
            Kind::DateTime | Kind::Timestamp => 14,
            Kind::Time => 7,
            _ => 65,
        }
    }

    /// Scale as an operand of decimal arithmetic.
    pub fn scale(&self) -> u8 {
        match self.kind {
            Kind::Decimal | Kind::DateTime | Kind::Timestamp | Kind::Time => self.decimals,
            _ => 0,
        }
    }

    /// A value of this type where a number is wanted: the bytes of a hexadecimal literal are one.
    pub fn number<'v>(&self, value: &'v Datum) -> Cow<'v, Datum> {
        match value {
            Datum::Text(bytes) if self.is_hex => Cow::Owned(Datum::UInt(number_of_bytes(bytes))),
            other => Cow::Borrowed(other),
        }
    }

    /// Characters of the longest text of a value.
    pub fn text_length(&self) -> u32 {
        match self.kind {
            Kind::Double | Kind::Float => 23,
            Kind::Bit => u32::from(self.precision).div_ceil(8),
            _ => self.length,
        }
    }

    /// The type of a declared column.
    pub fn of_column(column: &Column) -> Self {
        let mut ty = Self::of_column_type(&column.column_type);
        ty.nullable = column.nullable;
        ty.coercibility = if ty.kind.is_text() || ty.kind == Kind::Json {
            Coercibility::Implicit
        } else {
            Coercibility::Numeric
        };
        ty
    }

    /// The type of a column type.
    pub fn of_column_type(column: &ColumnType) -> Self {
        match column {
            ColumnType::Integer {
                size,
                unsigned,
                zerofill,
                width,
            } => {
                let length = match (width, zerofill) {
                    (Some(width), true) => *width,
                    _ => size.default_width(*unsigned),
                };
                Self {
                    unsigned: *unsigned,
                    wire: Some(match size {
                        IntegerSize::Tiny => 1,
                        IntegerSize::Small => 2,
                        IntegerSize::Medium => 9,
                        IntegerSize::Int => 3,
                        IntegerSize::Big => 8,
                    }),
                    ..Self::integer(width.unwrap_or(length).into())
                }
            }
            ColumnType::Decimal {
                precision,
                scale,
                unsigned,
                ..
            } => Self::decimal(*precision, *scale, *unsigned),
            ColumnType::Float {
                digits, unsigned, ..
            } => Self {
                unsigned: *unsigned,
                decimals: digits.map_or(NOT_FIXED, |(_, scale)| scale),
                ..Self::new(Kind::Float, digits.map_or(12, |(width, _)| width.into()))
            },
            ColumnType::Double {
                digits, unsigned, ..
            } => Self {
                unsigned: *unsigned,
                decimals: digits.map_or(NOT_FIXED, |(_, scale)| scale),
                ..Self::new(Kind::Double, digits.map_or(22, |(width, _)| width.into()))
            },
            ColumnType::Bit { width } => Self {
                unsigned: true,
                precision: *width,
                ..Self::new(Kind::Bit, (*width).into())
            },
            ColumnType::Year => Self {
                unsigned: true,
                ..Self::new(Kind::Year, 4)
            },
            ColumnType::Date => Self::date(),
            ColumnType::Time { fsp } => Self::time(*fsp),
            ColumnType::DateTime { fsp } => Self::datetime(*fsp),
            ColumnType::Timestamp { fsp } => Self {
                kind: Kind::Timestamp,
                ..Self::datetime(*fsp)
            },
            other => Self::of_string_column(other),
        }
    }

    fn of_string_column(column: &ColumnType) -> Self {
        let collation = column.collation().unwrap_or(&BINARY);
        let per_char = u32::from(collation.charset.bytes_per_char_max()).max(1);
        let text = |length: u32| Self::text(length, collation, Coercibility::Implicit);
        let blob = |size: &BlobSize| {
            let length = u32::try_from(size.bytes_max()).unwrap_or(u32::MAX) / per_char;
            Self {
                wire: Some(252),
                ..text(length)
            }
        };
        match column {
            ColumnType::Char { length, .. } => Self {
                wire: Some(254),
                fixed_width: true,
                ..text((*length).into())
            },
            ColumnType::Binary { length } => Self {
                wire: Some(254),
                fixed_width: true,
                ..text((*length).into())
            },
            ColumnType::Varchar { length, .. } | ColumnType::Varbinary { length } => Self {
                wire: Some(253),
                ..text((*length).into())
            },
            ColumnType::Text { size, .. } | ColumnType::Blob { size } => blob(size),
            ColumnType::Enum { members, .. } => {
                let length = members.iter().map(|member| member.chars().count()).max();
                Self {
                    kind: Kind::Enum,
                    members: Some(Arc::clone(members)),
                    ..text(length_of(length.unwrap_or(0)))
                }
            }
            ColumnType::Set { members, .. } => {
                let total: usize = members
                    .iter()
                    .map(|member| member.chars().count() + 1)
                    .sum();
                Self {
                    kind: Kind::Set,
                    members: Some(Arc::clone(members)),
                    ..text(length_of(total.saturating_sub(1)))
                }
            }
            ColumnType::Json => Self::json(),
            ColumnType::Geometry { .. } => Self {
                wire: Some(255),
                ..Self::bytes(u32::MAX)
            },
            ColumnType::Vector { dimensions } => Self {
                wire: Some(242),
                ..Self::bytes(u32::from(*dimensions) * 4)
            },
            _ => Self::bytes(0),
        }
    }
}

fn length_of(characters: usize) -> u32 {
    u32::try_from(characters).unwrap_or(u32::MAX)
}
