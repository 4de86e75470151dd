//! Types of MariaDB whose values are a few bytes that it shows as text: here they are kept as that
//! text.

use binlog::value::{inet4_text, inet6_text, uuid_text};
use serde::{Deserialize, Serialize};

use super::ColumnType;
use crate::collation::Charset;

/// What a column of text is on its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextForm {
    /// UUID, 16 bytes.
    Uuid,
    /// INET4, 4 bytes.
    Inet4,
    /// INET6, 16 bytes.
    Inet6,
}

impl TextForm {
    /// MariaDB's word for the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uuid => "uuid",
            Self::Inet4 => "inet4",
            Self::Inet6 => "inet6",
        }
    }

    /// The type in which the text is kept.
    #[must_use]
    pub fn column_type(self) -> ColumnType {
        let collation = Charset::Ascii.default_collation();
        match self {
            Self::Uuid => ColumnType::Char {
                length: 36,
                collation,
            },
            Self::Inet4 => ColumnType::Varchar {
                length: 15,
                collation,
            },
            Self::Inet6 => ColumnType::Varchar {
                length: 39,
                collation,
            },
        }
    }

    /// How many bytes a value has in a row image.
    #[must_use]
    pub const fn bytes(self) -> u16 {
        match self {
            Self::Uuid | Self::Inet6 => 16,
            Self::Inet4 => 4,
        }
    }

    /// The text of a value in a row image, whose last bytes are left out where they are zero; `None`
    /// for bytes that are none.
    #[must_use]
    pub fn text(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Uuid => uuid_text(bytes),
            Self::Inet4 => inet4_text(bytes),
            Self::Inet6 => inet6_text(bytes),
        }
    }

    /// What a column holds that may not be NULL and was given nothing.
    #[must_use]
    pub const fn implicit(self) -> &'static str {
        match self {
            Self::Uuid => "00000000-0000-0000-0000-000000000000",
            Self::Inet4 => "0.0.0.0",
            Self::Inet6 => "::",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MariaDB 11.8 prints what its rows hold.
    #[test]
    fn bytes_of_rows_are_shown_as_mariadb_does() {
        for form in [TextForm::Uuid, TextForm::Inet4, TextForm::Inet6] {
            assert_eq!(form.text(&[]).as_deref(), Some(form.implicit()));
            assert_eq!(form.text(&[1; 17]), None);
        }
        let text = TextForm::Inet6.text(&[0x20, 1, 0xd, 0xb8]);
        assert_eq!(text.as_deref(), Some("2001:db8::"));
        assert_eq!(
            TextForm::Inet4.text(&[10, 0, 0, 1]).as_deref(),
            Some("10.0.0.1")
        );
    }
}
