//! What only MariaDB declares of columns.

use super::{CharsetSpec, DataType, TextType};

/// How bytes are shown as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextForm {
    /// UUID, 16 bytes.
    Uuid,
    /// INET4, 4 bytes.
    Inet4,
    /// INET6, 16 bytes.
    Inet6,
}

/// Which end of a row's time a column of a system-versioned table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowTime {
    /// ROW START.
    Start,
    /// ROW END.
    End,
}

impl DataType {
    /// MariaDB's JSON: text of the longest type, compared byte by byte.
    pub(crate) fn json_text() -> Self {
        Self::Text {
            size: TextType::Long,
            length: None,
            charset: CharsetSpec {
                charset: Some("utf8mb4".to_owned()),
                collation: Some("utf8mb4_bin".to_owned()),
                binary: false,
            },
        }
    }
}
