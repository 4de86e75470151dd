//! Character sets that columns, literals and connections may have.
//!
//! Inside the engine text is UTF-8, in SQLite too; a column's own bytes exist in row images and on
//! the wire. What bytes mean is in the table of the crate `charset`; here is which of its sets the
//! engine takes, and what they mean in SQL.

use std::borrow::Cow;

use super::{BINARY, Collation, UTF8MB3_GENERAL_CI, UTF8MB4_0900_AI_CI, list::LIST};
use sql::error::SqlError;
use sql::{NameCharacters, SqlMode};

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
    /// Any other of MySQL or MariaDB, which a log's columns and statements may have.
    Further(&'static charset::Charset),
}

impl Charset {
    /// Every character set that clients may name, by name.
    pub const ALL: [Charset; 5] = [
        Charset::Ascii,
        Charset::Binary,
        Charset::Latin1,
        Charset::Utf8mb3,
        Charset::Utf8mb4,
    ];

    /// The character set of this name, in any letter case; `utf8` means `utf8mb3`. Error 1115 if unknown.
    pub fn by_name(name: &str) -> Result<Charset, SqlError> {
        let table = charset::Charset::named(&name.to_ascii_lowercase());
        table
            .map(Charset::of_table)
            .ok_or_else(|| SqlError::unknown_character_set(name))
    }

    /// The character set with this line in the table of all.
    #[must_use]
    pub fn of_table(table: &'static charset::Charset) -> Charset {
        let served = Charset::ALL.into_iter();
        served
            .into_iter()
            .find(|charset| charset.table() == table)
            .unwrap_or(Charset::Further(table))
    }

    /// The same for a name that a client gives: only the character sets that are served. Error 1115.
    pub fn served(name: &str) -> Result<Charset, SqlError> {
        let known = Charset::by_name(name);
        known.and_then(|charset| match charset {
            Charset::Further(_) => Err(SqlError::unknown_character_set(name)),
            Charset::Utf8mb4
            | Charset::Utf8mb3
            | Charset::Latin1
            | Charset::Ascii
            | Charset::Binary => Ok(charset),
        })
    }

    /// The same for the character set of a client's connection: every one in which ASCII is itself.
    /// Error 1231 for the others, which no statement can be in.
    pub fn of_connection(name: &str) -> Result<Charset, SqlError> {
        let known = Charset::by_name(name)?;
        let is_wide =
            known.has_unicode() && known.table().len_max() != 3 && known != Charset::Utf8mb4;
        // Letters stand there for backslash and quotes.
        match is_wide || known.name() == "swe7" {
            true => Err(SqlError::wrong_value_for_var(
                "character_set_client",
                known.name(),
            )),
            false => Ok(known),
        }
    }

    /// Whether its characters are those of Unicode, so that UTF-8 has them in the order of their codes.
    #[must_use]
    pub fn has_unicode(self) -> bool {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 => true,
            Charset::Latin1 | Charset::Ascii | Charset::Binary => false,
            Charset::Further(table) => {
                ["ucs2", "utf16", "utf16le", "utf32"].contains(&table.name())
            }
        }
    }

    /// The characters beyond ASCII that names without quotes have in statements of this character set.
    #[must_use]
    pub const fn name_characters(self) -> NameCharacters {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Further(_) => NameCharacters::Any,
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
            Charset::Further(table) => table,
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
            // Lists show only what is served.
            Charset::Further(table) => table.name(),
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
            Charset::Binary => &BINARY,
            Charset::Latin1 | Charset::Ascii | Charset::Further(_) => LIST.default_of(self),
        }
    }

    /// The text that bytes of this character set spell; `Err` holds the offset of the first byte
    /// that is not valid in it. Not for `Binary`, whose bytes are taken as UTF-8.
    pub fn decode(self, bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
        let table = match self {
            Charset::Binary => charset::Charset::UTF8MB4,
            Charset::Further(table) => {
                return table.decode(bytes).ok_or_else(|| table.valid(bytes));
            }
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Latin1 | Charset::Ascii => self.table(),
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

    /// The text of a statement in this character set; `None` where it is none.
    #[must_use]
    pub fn statement(self, sql: &[u8], sql_mode: SqlMode) -> Option<Cow<'_, str>> {
        let escapes = !sql_mode.contains(SqlMode::NO_BACKSLASH_ESCAPES);
        self.table().decode_statement(sql, escapes)
    }

    /// The bytes of a statement in this character set: those that a client wrote. `Err` holds the first
    /// character that it lacks.
    pub fn written(self, text: &str) -> Result<Cow<'_, [u8]>, char> {
        self.table().give_back(text)
    }

    /// The bytes of this character set that spell `text`; `Err` holds the first character that it lacks.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, char> {
        self.table().encode(text)
    }

    /// The UTF-8 that SQLite keeps for bytes of a column of this character set; `None` where they are
    /// none of it.
    pub(crate) fn keep(self, bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Binary => Some(Cow::Borrowed(bytes)),
            Charset::Latin1 | Charset::Ascii | Charset::Further(_) => {
                Some(match self.table().keep(bytes)? {
                    Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                })
            }
        }
    }

    /// The bytes of a column that SQLite keeps this UTF-8 for; `Err` holds what cannot be one of its
    /// characters.
    pub(crate) fn give_back(self, kept: &[u8]) -> Result<Cow<'_, [u8]>, char> {
        match self {
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Binary => Ok(Cow::Borrowed(kept)),
            Charset::Latin1 | Charset::Ascii | Charset::Further(_) => {
                let text = std::str::from_utf8(kept).map_err(|_| char::REPLACEMENT_CHARACTER)?;
                self.table().give_back(text)
            }
        }
    }

    /// The text that clients see of what SQLite keeps: characters alone, and `?` for codes without one.
    #[must_use]
    pub fn shown(self, kept: &[u8]) -> Cow<'_, [u8]> {
        match (self, std::str::from_utf8(kept)) {
            (Charset::Ascii | Charset::Further(_), Ok(text)) => match self.table().shown(text) {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            },
            (
                Charset::Utf8mb4
                | Charset::Utf8mb3
                | Charset::Latin1
                | Charset::Binary
                | Charset::Ascii
                | Charset::Further(_),
                _,
            ) => Cow::Borrowed(kept),
        }
    }

    /// Kept text of this character set as kept text of another, with `?` for what that lacks.
    pub(crate) fn carried<'k>(self, to: Charset, kept: &'k [u8]) -> Cow<'k, [u8]> {
        if self == to || to == Charset::Binary || kept.is_ascii() && !to.has_other_ascii() {
            return Cow::Borrowed(kept);
        }
        if self == Charset::Binary {
            // Bytes are taken for text of the other.
            return match to {
                Charset::Further(_) => to.keep(kept).unwrap_or(Cow::Borrowed(kept)),
                Charset::Utf8mb4
                | Charset::Utf8mb3
                | Charset::Latin1
                | Charset::Ascii
                | Charset::Binary => Cow::Borrowed(kept),
            };
        }
        let shown = self.shown(kept);
        let Ok(text) = std::str::from_utf8(&shown) else {
            return shown;
        };
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            let mut buffer = [0; 4];
            let encoded = to.encode(character.encode_utf8(&mut buffer));
            match encoded {
                Ok(encoded) => bytes.extend_from_slice(&encoded),
                Err(_) => bytes.extend_from_slice(&to.encode("?").unwrap_or_default()),
            }
        }
        match to.keep(&bytes) {
            Some(kept) => Cow::Owned(kept.into_owned()),
            None => shown,
        }
    }

    /// Whether some of ASCII has another code in it, or none.
    fn has_other_ascii(self) -> bool {
        matches!(self, Charset::Further(table) if ["sjis", "swe7"].contains(&table.name()))
    }

    /// The text that clients see of bytes of a column of this character set.
    pub(crate) fn text_of(self, bytes: &[u8]) -> Cow<'_, [u8]> {
        match self.keep(bytes) {
            Some(Cow::Borrowed(kept)) => self.shown(kept),
            Some(Cow::Owned(kept)) => Cow::Owned(self.shown(&kept).into_owned()),
            None => Cow::Borrowed(bytes),
        }
    }
}
