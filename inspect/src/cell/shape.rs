//! What the values of a column look like: everything about it that a single value does not say.

use binlog::event::Flavour;
use binlog::row::{Column, ColumnType};
use charset::Charset;

/// How the bytes of a text column are encoded.
#[derive(Debug, Clone, Copy)]
pub enum Encoding {
    /// UTF-8 or ASCII, shown as it is.
    Utf8,
    /// Another charset, shown decoded and with its bytes.
    Other(&'static Charset),
}

/// What the values of one column look like.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// Numbers and dates: the value says everything.
    Plain,
    /// TIME, DATETIME and TIMESTAMP with this many digits of the fraction.
    Moment {
        /// 0 to 6.
        fsp: u8,
    },
    /// Text, and members of ENUM and SET.
    Text(Encoding),
    /// Bytes that are no text.
    Bytes,
    /// Text or bytes: the source did not log which.
    Unknown,
    /// SRID and WKB.
    Geometry,
    /// 4-byte floats.
    Vector,
}

/// The collation id that stands for bytes.
const BINARY: u16 = 63;

/// The charset of a collation of a server of `flavour`; `None` for an id it does not have.
pub(crate) fn charset_of(id: u16, flavour: Flavour) -> Option<&'static Charset> {
    match flavour {
        Flavour::MySql => Charset::of_mysql_collation(id),
        Flavour::MariaDb => Charset::of_mariadb_collation(id),
    }
}

impl Shape {
    /// The shape of a column of a server of `flavour`.
    #[must_use]
    pub fn of(column: &Column<'_>, flavour: Flavour) -> Self {
        match column.real_type() {
            ColumnType::TIME2 | ColumnType::DATETIME2 | ColumnType::TIMESTAMP2 => {
                let fsp = u8::try_from(column.metadata).unwrap_or(6).min(6);
                Self::Moment { fsp }
            }
            ColumnType::GEOMETRY => Self::Geometry,
            ColumnType::VECTOR => Self::Vector,
            ColumnType::VARCHAR
            | ColumnType::VAR_STRING
            | ColumnType::STRING
            | ColumnType::BLOB
            | ColumnType::TINY_BLOB
            | ColumnType::MEDIUM_BLOB
            | ColumnType::LONG_BLOB
            | ColumnType::BLOB_COMPRESSED
            | ColumnType::VARCHAR_COMPRESSED
            | ColumnType::ENUM
            | ColumnType::SET => Self::of_text(column.charset, flavour),
            _ => Self::Plain,
        }
    }

    fn of_text(collation: Option<u16>, flavour: Flavour) -> Self {
        match collation {
            None => Self::Unknown,
            Some(BINARY) => Self::Bytes,
            Some(id) => match charset_of(id, flavour) {
                None => Self::Unknown,
                Some(charset) if charset.is_binary() => Self::Bytes,
                Some(charset) => Self::Text(match charset.name() {
                    "utf8mb4" | "utf8mb3" | "utf8" | "ascii" => Encoding::Utf8,
                    _ => Encoding::Other(charset),
                }),
            },
        }
    }

    /// Digits of the fraction.
    #[must_use]
    pub const fn fsp(self) -> u8 {
        match self {
            Self::Moment { fsp } => fsp,
            _ => 0,
        }
    }
}
