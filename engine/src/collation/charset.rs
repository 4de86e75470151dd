//! Character sets: how the bytes of a string are read.
//!
//! Inside the engine text is UTF-8, in SQLite too; a column's own bytes exist in row images and on
//! the wire. MySQL's `latin1` is Windows-1252, with the five unassigned bytes standing for
//! themselves.

use std::borrow::Cow;

use super::{
    ASCII_GENERAL_CI, BINARY, Collation, LATIN1_SWEDISH_CI, UTF8MB3_GENERAL_CI, UTF8MB4_0900_AI_CI,
};
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

/// Bytes 0x80..=0x9f of Windows-1252.
const CP1252_HIGH: [u16; 32] = [
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
    0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
    0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
];

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

    /// MySQL's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Charset::Utf8mb4 => "utf8mb4",
            Charset::Utf8mb3 => "utf8mb3",
            Charset::Latin1 => "latin1",
            Charset::Ascii => "ascii",
            Charset::Binary => "binary",
        }
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
        match self {
            Charset::Utf8mb4 => 4,
            Charset::Utf8mb3 => 3,
            Charset::Latin1 | Charset::Ascii | Charset::Binary => 1,
        }
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
        match self {
            Charset::Latin1 if !bytes.is_ascii() => {
                Ok(bytes.iter().map(|byte| latin1_char(*byte)).collect())
            }
            Charset::Ascii => match bytes.iter().position(|byte| !byte.is_ascii()) {
                Some(offset) => Err(offset),
                None => utf8(bytes),
            },
            Charset::Utf8mb3 => {
                let text = utf8(bytes)?;
                match text
                    .char_indices()
                    .find(|(_, character)| character.len_utf8() > 3)
                {
                    Some((offset, _)) => Err(offset),
                    None => Ok(text),
                }
            }
            Charset::Utf8mb4 | Charset::Latin1 | Charset::Binary => utf8(bytes),
        }
    }

    /// The bytes of this character set that spell `text`; `Err` holds the first character that it lacks.
    pub fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, char> {
        let lacking = match self {
            Charset::Utf8mb4 | Charset::Binary => None,
            Charset::Utf8mb3 => text.chars().find(|character| character.len_utf8() > 3),
            Charset::Ascii => text.chars().find(|character| !character.is_ascii()),
            Charset::Latin1 if text.is_ascii() => None,
            Charset::Latin1 => {
                let bytes: Result<Vec<u8>, char> =
                    text.chars().map(|c| latin1_byte(c).ok_or(c)).collect();
                return bytes.map(Cow::Owned);
            }
        };
        match lacking {
            Some(character) => Err(character),
            None => Ok(Cow::Borrowed(text.as_bytes())),
        }
    }
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, usize> {
    std::str::from_utf8(bytes)
        .map(Cow::Borrowed)
        .map_err(|error| error.valid_up_to())
}

fn latin1_char(byte: u8) -> char {
    let high = byte
        .checked_sub(0x80)
        .and_then(|index| CP1252_HIGH.get(usize::from(index)));
    match high {
        Some(code) => char::from_u32(u32::from(*code)).unwrap_or(char::from(byte)),
        None => char::from(byte),
    }
}

fn latin1_byte(character: char) -> Option<u8> {
    let code = u32::from(character);
    match u8::try_from(code) {
        Ok(byte) if !(0x80..0xa0).contains(&byte) => Some(byte),
        _ => {
            let index = CP1252_HIGH
                .iter()
                .position(|high| u32::from(*high) == code)?;
            u8::try_from(index).ok().map(|index| 0x80 + index)
        }
    }
}
