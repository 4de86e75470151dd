//! Text of a charset as UTF-8 from which the very bytes come back.
//!
//! Most charsets have codes without a character, and some have several codes for one character. Text
//! that is only decoded would lose them. The kept text has a character of its own for each such code,
//! U+100000 and the code, which none of these charsets has as a character; what clients are shown is
//! [`Charset::shown`]. Charsets that have all of Unicode need none of this.

use std::borrow::Cow;

use super::{Charset, Kind};

/// The character of the code 0.
const FIRST: u32 = 0x10_0000;

impl Charset {
    /// The text from which [`Charset::give_back`] makes these bytes again; `None` where there is none,
    /// which only charsets of all Unicode have and `binary`.
    #[must_use]
    pub fn keep<'b>(&self, bytes: &'b [u8]) -> Option<Cow<'b, str>> {
        if !self.has_own_codes() {
            let text = self.decode(bytes)?;
            let is_same = self.is_utf8() || self.encode(&text).as_deref() == Ok(bytes);
            return is_same.then_some(text);
        }
        if self.is_ascii_same() && bytes.is_ascii() {
            return std::str::from_utf8(bytes).ok().map(Cow::Borrowed);
        }
        let mut kept = String::with_capacity(bytes.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            let code = self.first_code(rest)?;
            rest = rest.get(code.len()..)?;
            kept.push(self.kept_code(code)?);
        }
        Some(Cow::Owned(kept))
    }

    /// The bytes that a kept text was made of; `Err` holds the first character that the charset lacks.
    pub fn give_back<'t>(&self, kept: &'t str) -> Result<Cow<'t, [u8]>, char> {
        if !self.has_own_codes() {
            return self.encode(kept);
        }
        if self.is_ascii_same() && kept.is_ascii() {
            return Ok(Cow::Borrowed(kept.as_bytes()));
        }
        let mut bytes = Vec::with_capacity(kept.len());
        for character in kept.chars() {
            self.put_kept(character, &mut bytes).ok_or(character)?;
        }
        Ok(Cow::Owned(bytes))
    }

    /// The characters of a kept text as clients see them: `?` for a code without one.
    #[must_use]
    pub fn shown<'t>(&self, kept: &'t str) -> Cow<'t, str> {
        let is_own = |character: char| own_code(character).is_some();
        if !self.has_own_codes() || !kept.contains(is_own) {
            return Cow::Borrowed(kept);
        }
        // What clients see of a code without a character.
        let unknown = if self.name == "tis620" {
            "\u{fffd}"
        } else {
            "?"
        };
        let mut shown = String::with_capacity(kept.len());
        for character in kept.chars() {
            match own_code(character) {
                None => shown.push(character),
                Some(code) => {
                    let bytes = self.bytes_of(code);
                    shown.push_str(self.decode(&bytes).as_deref().unwrap_or(unknown));
                }
            }
        }
        Cow::Owned(shown)
    }

    /// The text that the bytes of a statement are; `None` where they are none of the charset.
    ///
    /// Some charsets have codes beyond ASCII for backslashes and quotes: those are no such signs to the
    /// server. They stand behind a backslash where that `escapes`; where it does not, a quote of this
    /// kind is no text.
    #[must_use]
    pub fn decode_statement<'b>(&self, bytes: &'b [u8], escapes: bool) -> Option<Cow<'b, str>> {
        let text = self.decode(bytes)?;
        if !matches!(self.name, "sjis" | "ujis" | "armscii8") || bytes.is_ascii() {
            return Some(text);
        }
        let mut statement = String::with_capacity(text.len());
        let mut rest = bytes;
        while !rest.is_empty() {
            let code = self.first_code(rest)?;
            rest = rest.get(code.len()..)?;
            let text = self.decode(code)?;
            match (&*text, code.first()?.is_ascii()) {
                ("\\" | "'" | "\"", false) if escapes => statement.push('\\'),
                ("'" | "\"" | "`", false) => return None,
                _ => {}
            }
            statement.push_str(&text);
        }
        Some(Cow::Owned(statement))
    }

    /// How many bytes from the start on are characters of the charset.
    #[must_use]
    pub fn valid(&self, bytes: &[u8]) -> usize {
        let mut at: usize = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let code = self.first_code(rest).unwrap_or_default();
            if code.is_empty() || self.decode(code).is_none() {
                break;
            }
            at = at.saturating_add(code.len());
        }
        at
    }

    /// The code of one character of a kept text, its first byte highest; `None` for a character that
    /// the charset lacks.
    #[must_use]
    pub fn code_of(&self, kept: char) -> Option<u32> {
        if kept.is_ascii() && self.is_ascii_same() {
            return Some(kept.into());
        }
        let mut bytes = Vec::with_capacity(4);
        match self.has_own_codes() {
            true => self.put_kept(kept, &mut bytes)?,
            false => self.put(kept, &mut bytes)?,
        }
        Some(number(&bytes))
    }

    /// Whether codes may be kept as characters of their own.
    fn has_own_codes(&self) -> bool {
        match self.kind {
            Kind::Ascii | Kind::SingleByte(_) | Kind::Swe7 => true,
            Kind::MultiByte(_) => self.len_max < 4,
            Kind::Binary | Kind::Utf8 | Kind::Ucs2 | Kind::Utf16 | Kind::Utf16Le | Kind::Utf32 => {
                false
            }
        }
    }

    /// Whether ASCII is kept as it is.
    fn is_ascii_same(&self) -> bool {
        match self.kind {
            Kind::Binary | Kind::Ascii | Kind::Utf8 | Kind::SingleByte(_) | Kind::MultiByte(_) => {
                true
            }
            Kind::Swe7 | Kind::Ucs2 | Kind::Utf16 | Kind::Utf16Le | Kind::Utf32 => false,
        }
    }

    fn first_code<'b>(&self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        match self.kind {
            Kind::MultiByte(charset) => Some(charset.first(bytes)),
            Kind::Ucs2 => bytes.get(..2),
            Kind::Utf16 => bytes.get(..utf16_len(bytes.first())),
            Kind::Utf16Le => bytes.get(..utf16_len(bytes.get(1))),
            Kind::Utf32 => bytes.get(..4),
            Kind::Binary | Kind::Ascii | Kind::Utf8 | Kind::SingleByte(_) | Kind::Swe7 => {
                bytes.get(..1)
            }
        }
    }

    /// The character that keeps one code.
    fn kept_code(&self, code: &[u8]) -> Option<char> {
        let mut written = Vec::with_capacity(code.len());
        let text = self.decode(code);
        let character = text.as_deref().and_then(|text| text.chars().next());
        match character {
            Some(character)
                if self.put_kept(character, &mut written).is_some() && written == code =>
            {
                Some(character)
            }
            _ => char::from_u32(FIRST | self.short(code)),
        }
    }

    /// Appends the code that a character of a kept text stands for.
    fn put_kept(&self, kept: char, out: &mut Vec<u8>) -> Option<()> {
        match own_code(kept) {
            Some(code) => out.extend(self.bytes_of(code)),
            None if kept == '\\' && self.has_other_backslash() => out.push(b'\\'),
            None => self.put(kept, out)?,
        }
        Some(())
    }

    /// A code in sixteen bits: of three bytes, which begin with 0x8f, the other two, with the last
    /// below 0x80, as it is in no code of two bytes.
    fn short(&self, code: &[u8]) -> u32 {
        match code {
            [0x8f, second, third] => u32::from(*second) << 8 | u32::from(third & 0x7f),
            other => number(other) & 0xffff,
        }
    }

    /// The bytes of a code in sixteen bits.
    fn bytes_of(&self, short: u16) -> Vec<u8> {
        let [high, low] = short.to_be_bytes();
        match self.kind {
            _ if high == 0 => vec![low],
            Kind::MultiByte(_) if self.len_max == 3 && low < 0x80 => vec![0x8f, high, low | 0x80],
            _ => vec![high, low],
        }
    }
}

/// Bytes of a character whose first unit has this high byte.
fn utf16_len(high: Option<&u8>) -> usize {
    match high {
        Some(0xd8..=0xdb) => 4,
        _ => 2,
    }
}

/// The code that a character stands for which keeps one.
fn own_code(character: char) -> Option<u16> {
    let code = u32::from(character).checked_sub(FIRST)?;
    u16::try_from(code).ok()
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |code, &byte| code << 8 | u32::from(byte))
}
