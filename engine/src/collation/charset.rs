//! Character sets that columns, literals and connections may have.
//!
//! Inside the engine text is UTF-8, in SQLite too; a column's own bytes exist in row images and on
//! the wire. What bytes mean is in the table of the crate `charset`; here is which of its sets the
//! engine takes, and what they mean in SQL.

use std::borrow::Cow;

use super::{
    ASCII_GENERAL_CI, BINARY, Collation, LATIN1_SWEDISH_CI, UTF8MB3_GENERAL_CI, UTF8MB4_0900_AI_CI,
};
use sql::NameCharacters;
use sql::error::SqlError;

/// A character set that columns, literals and connections may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Charset {
    /// `utf8mb4`: UTF-8.
    Utf8mb4,
    /// `utf8mb3`, once `utf8`: UTF-8 without characters beyond U+FFFF.
    Utf8mb3,
    /// `latin1`: Windows-1252.
    Latin1,
    /// `ascii`: seven bits.
    Ascii,
    /// `binary`: bytes without characters.
    Binary,
}

impl Charset {
    /// Every character set, by name.
    pub const ALL: [Charset; 5] = [
        Charset::Ascii,
        Charset::Binary,
        Charset::Latin1,
        Charset::Utf8mb3,
        Charset::Utf8mb4,
    ];

    /// The character set of this name, in any letter case; `utf8` means `utf8mb3`. Error 1115 if unknown.
    pub fn by_name(name: &str) -> Result<Charset, SqlError> {
        let lower = name.to_ascii_lowercase();
        let current = if lower == "utf8" {
            "utf8mb3"
        } else {
            lower.as_str()
        };
        let known = Charset::ALL
            .into_iter()
            .find(|charset| charset.name() == current);
        known.ok_or_else(|| SqlError::unknown_character_set(name))
    }

    /// The characters beyond ASCII that names without quotes have in statements of this character set.
    #[must_use]
    pub const fn name_characters(self) -> NameCharacters {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 => NameCharacters::Any,
            Charset::Latin1 => NameCharacters::Latin1,
            Charset::Ascii | Charset::Binary => NameCharacters::Ascii,
        }
    }

    /// Its line in the table of all character sets.
    #[must_use]
    pub const fn table(self) -> &'static charset::Charset {
        match self {
            Charset::Utf8mb4 => charset::Charset::UTF8MB4,
            Charset::Utf8mb3 => charset::Charset::UTF8MB3,
            Charset::Latin1 => charset::Charset::LATIN1,
            Charset::Ascii => charset::Charset::ASCII,
            Charset::Binary => charset::Charset::BINARY,
        }
    }

    /// MySQL's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.table().name()
    }

    /// The description in SHOW CHARACTER SET.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 => "UTF-8 Unicode",
            Charset::Latin1 => "cp1252 West European",
            Charset::Ascii => "US ASCII",
            Charset::Binary => "Binary pseudo charset",
        }
    }

    /// Most bytes that one character takes.
    #[must_use]
    pub fn bytes_per_char_max(self) -> u8 {
        self.table().len_max()
    }

    /// The collation that this character set means when none is named.
    #[must_use]
    pub fn default_collation(self) -> &'static Collation {
        match self {
            Charset::Utf8mb4 => &UTF8MB4_0900_AI_CI,
            Charset::Utf8mb3 => &UTF8MB3_GENERAL_CI,
            Charset::Latin1 => &LATIN1_SWEDISH_CI,
            Charset::Ascii => &ASCII_GENERAL_CI,
            Charset::Binary => &BINARY,
        }
    }

    /// The text that bytes of this character set spell; `Err` holds the offset of the first byte
    /// that is not valid in it. Not for `Binary`, whose bytes are taken as UTF-8.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
        let table = match self {
            Charset::Binary => charset::Charset::UTF8MB4,
            known => known.table(),
        };
        table.decode(bytes).ok_or_else(|| {
            let longest = usize::from(table.len_max());
            let start = bytes.utf8_chunks().next();
            let text = start.map_or("", |chunk| chunk.valid());
            text.char_indices()
                .find(|(_, character)| character.len_utf8() > longest)
                .map_or(text.len(), |(offset, _)| offset)
        })
    }

    /// The bytes of this character set that spell `text`; `Err` holds the first character that it lacks.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, char> {
        self.table().encode(text)
    }
}
