//! Charsets: what the bytes of text columns stand for.
//!
//! A table map names the collation of a column; the collation belongs to a charset. Decoding says what
//! the server itself says: where its tables differ from those of the library that reads the multi-byte
//! charsets, the differences are kept here. Invariant: text comes out only when every byte of it means
//! a character.

mod collations;
mod differences;
mod kept;
mod multi_byte;
mod names;
mod single_byte;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use collations::{COLLATIONS, Owner};
use multi_byte::MultiByte;

/// What sjis writes for a backslash.
const FULL_WIDTH_BACKSLASH: [u8; 2] = [0x81, 0x5f];

/// Stands in the tables of single bytes for no character.
const NO_CHARACTER: u16 = 0xfffd;

/// A charset of MySQL or MariaDB.
#[derive(Clone, Copy)]
pub struct Charset {
    name: &'static str,
    len_max: u8,
    kind: Kind,
}

/// How bytes become characters.
#[derive(Clone, Copy)]
enum Kind {
    Binary,
    Ascii,
    Utf8,
    Ucs2,
    Utf16,
    Utf16Le,
    Utf32,
    /// ASCII, then these 128.
    SingleByte(&'static [u16; 128]),
    /// Swedish letters in place of some ASCII signs.
    Swe7,
    MultiByte(&'static MultiByte),
}

impl Charset {
    /// `ascii`: seven bits.
    pub const ASCII: &'static Self = &names::ASCII;

    /// `binary`: bytes that are no text.
    pub const BINARY: &'static Self = &names::BINARY;

    /// `latin1`: Windows-1252, with the five unassigned bytes standing for themselves.
    pub const LATIN1: &'static Self = &names::LATIN1;

    /// `utf8mb3`: UTF-8 without characters beyond U+FFFF.
    pub const UTF8MB3: &'static Self = &names::UTF8MB3;

    /// `utf8mb4`: UTF-8.
    pub const UTF8MB4: &'static Self = &names::UTF8MB4;

    /// Id of the `binary` collation, that of columns without text.
    pub const BINARY_COLLATION: u16 = 63;

    /// The charset of a collation of MySQL; `None` for an id it does not have.
    #[must_use]
    pub fn of_mysql_collation(id: u16) -> Option<&'static Self> {
        Self::of_collation(id, Owner::MySql)
    }

    /// The charset of a collation of MariaDB; `None` for an id it does not have.
    #[must_use]
    pub fn of_mariadb_collation(id: u16) -> Option<&'static Self> {
        Self::of_collation(id, Owner::MariaDb)
    }

    fn of_collation(id: u16, server: Owner) -> Option<&'static Self> {
        let after = COLLATIONS.partition_point(|&(first, ..)| first <= id);
        let &(_, last, charset, owner) = COLLATIONS.get(after.checked_sub(1)?)?;
        let is_known = owner == Owner::Both || owner == server;
        (id <= last && is_known).then_some(charset)
    }

    /// The charset of this name, in lower case; `utf8` is `utf8mb3`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        let name = if name == "utf8" { "utf8mb3" } else { name };
        names::ALL
            .iter()
            .copied()
            .find(|charset| charset.name == name)
    }

    /// Every charset, by name.
    #[must_use]
    pub const fn all() -> &'static [&'static Self] {
        names::ALL
    }

    /// The charset's name, for instance `latin1`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Most bytes of one character.
    #[must_use]
    pub const fn len_max(&self) -> u8 {
        self.len_max
    }

    /// Whether this is the charset of bytes that are no text.
    #[must_use]
    pub const fn is_binary(&self) -> bool {
        matches!(self.kind, Kind::Binary)
    }

    /// Whether text of this charset is UTF-8 as it is.
    #[must_use]
    pub const fn is_utf8(&self) -> bool {
        matches!(self.kind, Kind::Utf8 | Kind::Ascii)
    }

    /// The text that `bytes` are; `None` when they are not text of this charset. Borrows where the
    /// text is the bytes.
    #[must_use]
    pub fn decode<'b>(&self, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        match self.kind {
            Kind::Binary => None,
            Kind::Utf8 => utf8(bytes).filter(|text| self.has_all(text)),
            Kind::Ascii => bytes.is_ascii().then(|| utf8(bytes))?,
            Kind::SingleByte(_) | Kind::MultiByte(_) if bytes.is_ascii() => utf8(bytes),
            Kind::SingleByte(high) => all(bytes.iter().map(|&byte| single_byte(high, byte))),
            Kind::Swe7 => all(bytes.iter().map(|&byte| swe7(byte))),
            Kind::MultiByte(charset) => charset.decode(bytes).map(Cow::Owned),
            Kind::Ucs2 => all(units(bytes, u16::from_be_bytes)?
                .into_iter()
                .map(|unit| char::from_u32(unit.into()))),
            Kind::Utf16 => utf16(units(bytes, u16::from_be_bytes)?),
            Kind::Utf16Le => utf16(units(bytes, u16::from_le_bytes)?),
            Kind::Utf32 => all(units(bytes, u32::from_be_bytes)?
                .into_iter()
                .map(char::from_u32)),
        }
    }

    /// The bytes that spell `text`; `Err` holds the first character that the charset lacks.
    pub fn encode<'t>(&self, text: &'t str) -> Result<Cow<'t, [u8]>, char> {
        let is_same = match self.kind {
            Kind::Binary => true,
            Kind::Utf8 => self.has_all(text),
            Kind::MultiByte(_) if self.has_other_backslash() => {
                text.is_ascii() && !text.contains('\\')
            }
            Kind::Ascii | Kind::SingleByte(_) | Kind::MultiByte(_) => text.is_ascii(),
            Kind::Swe7 | Kind::Ucs2 | Kind::Utf16 | Kind::Utf16Le | Kind::Utf32 => false,
        };
        if is_same {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let mut bytes = Vec::with_capacity(text.len());
        for character in text.chars() {
            self.put(character, &mut bytes).ok_or(character)?;
        }
        Ok(Cow::Owned(bytes))
    }

    /// Appends the bytes of one character, if the charset has it.
    fn put(&self, character: char, out: &mut Vec<u8>) -> Option<()> {
        let code = u32::from(character);
        match self.kind {
            Kind::Ascii if !character.is_ascii() => return None,
            Kind::MultiByte(_) if character == '\\' && self.has_other_backslash() => {
                out.extend_from_slice(&FULL_WIDTH_BACKSLASH);
            }
            Kind::MultiByte(charset) if !character.is_ascii() => {
                return charset.put(character, out);
            }
            Kind::SingleByte(high) if !character.is_ascii() => {
                let unit = u16::try_from(code)
                    .ok()
                    .filter(|&unit| unit != NO_CHARACTER)?;
                let index = high.iter().position(|&found| found == unit)?;
                out.push(u8::try_from(index).ok()?.checked_add(0x80)?);
            }
            Kind::Swe7 => out.push((0..0x7f).find(|&byte| swe7(byte) == Some(character))?),
            Kind::Ucs2 => out.extend(u16::try_from(code).ok()?.to_be_bytes()),
            Kind::Utf16 => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                out.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
            }
            Kind::Utf16Le => {
                let mut units = [0; 2];
                let units = character.encode_utf16(&mut units);
                out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
            }
            Kind::Utf32 => out.extend(code.to_be_bytes()),
            Kind::Utf8 if character.len_utf8() > usize::from(self.len_max) => return None,
            Kind::Binary | Kind::Utf8 | Kind::Ascii | Kind::SingleByte(_) | Kind::MultiByte(_) => {
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
        Some(())
    }

    /// Whether a backslash is written as the one of two bytes: so in sjis, whose table calls both
    /// by one name.
    fn has_other_backslash(&self) -> bool {
        self.name == "sjis"
    }

    /// Whether every character of UTF-8 text is one of this charset's length.
    fn has_all(&self, text: &str) -> bool {
        // Four bytes begin with 0xf0 or more.
        self.len_max >= 4 || text.bytes().all(|byte| byte < 0xf0)
    }
}

impl PartialEq for Charset {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Charset {}

impl std::hash::Hash for Charset {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charset({})", self.name)
    }
}

impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

fn utf8(bytes: &[u8]) -> Option<Cow<'_, str>> {
    std::str::from_utf8(bytes).ok().map(Cow::Borrowed)
}

/// A text of all these characters, if all are there.
fn all<'b>(chars: impl Iterator<Item = Option<char>>) -> Option<Cow<'b, str>> {
    chars.collect::<Option<String>>().map(Cow::Owned)
}

fn single_byte(high: &[u16; 128], byte: u8) -> Option<char> {
    match byte.checked_sub(0x80) {
        None => Some(char::from(byte)),
        Some(index) => high
            .get(usize::from(index))
            .filter(|&&code| code != NO_CHARACTER)
            .and_then(|&code| char::from_u32(code.into())),
    }
}

fn swe7(byte: u8) -> Option<char> {
    Some(match byte {
        0x40 => 'É',
        0x5b => 'Ä',
        0x5c => 'Ö',
        0x5d => 'Å',
        0x5e => 'Ü',
        0x60 => 'é',
        0x7b => 'ä',
        0x7c => 'ö',
        0x7d => 'å',
        0x7e => 'ü',
        0x7f.. => return None,
        _ => char::from(byte),
    })
}

/// Code units of `N` bytes each; `None` when the last one is cut.
fn units<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (units, rest) = bytes.as_chunks::<N>();
    rest.is_empty()
        .then(|| units.iter().map(|&unit| read(unit)).collect())
}

fn utf16<'b>(units: Vec<u16>) -> Option<Cow<'b, str>> {
    String::from_utf16(&units).ok().map(Cow::Owned)
}
