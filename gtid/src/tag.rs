//! Tags: the optional name between UUID and number of a GTID (MySQL 8.3 and newer).

use std::fmt;
use std::str::FromStr;

use codec::DecodeError;

use crate::ParseError;

/// A tag in its normal form, lower case; the empty tag stands for "untagged".
///
/// Orders as MySQL orders tags, by bytes, the empty one first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Tag {
    // Padded with zeros, which no tag contains, so that the derived order is that of the text.
    text: [u8; Tag::LEN_MAX],
}

impl Tag {
    /// The longest tag, in bytes.
    pub const LEN_MAX: usize = 32;

    const ALLOWED: &'static str =
        "a letter or underscore, then at most 31 letters, digits or underscores";

    /// The empty tag of an untagged GTID.
    pub const NONE: Self = Self {
        text: [0; Self::LEN_MAX],
    };

    /// Whether this is the empty tag.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::NONE
    }

    /// The tag's text in its normal form; empty when untagged.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.text.iter().position(|&byte| byte == 0);
        let text = self.text.get(..len.unwrap_or(Self::LEN_MAX));
        // Only ASCII is ever stored.
        text.and_then(|text| std::str::from_utf8(text).ok())
            .unwrap_or("")
    }

    /// Reads a tag from the bytes of a binary form, where it is already normalised.
    pub fn from_bytes(bytes: &[u8], offset: usize) -> Result<Self, DecodeError> {
        let invalid =
            || DecodeError::invalid("GTID tag", offset, bytes.len() as u64, Self::ALLOWED);
        let text = std::str::from_utf8(bytes).map_err(|_| invalid())?;
        if text.is_empty() {
            return Ok(Self::NONE);
        }
        text.parse().map_err(|_| invalid())
    }
}

impl FromStr for Tag {
    type Err = ParseError;

    /// Accepts upper and lower case and normalises to lower case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let error = || ParseError::new("GTID tag", text, Self::ALLOWED);
        let first = *text.as_bytes().first().ok_or_else(error)?;
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if first.is_ascii_digit() || !text.bytes().all(is_word) {
            return Err(error());
        }
        let mut tag = Self::NONE;
        tag.text
            .get_mut(..text.len())
            .ok_or_else(error)?
            .copy_from_slice(text.to_ascii_lowercase().as_bytes());
        Ok(tag)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({:?})", self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalises_to_lower_case() {
        assert_eq!("Blue_1".parse::<Tag>().unwrap().as_str(), "blue_1");
        assert_eq!("_".parse::<Tag>().unwrap().as_str(), "_");
    }

    #[test]
    fn rejects_what_mysql_rejects() {
        for text in ["", "1a", "a-b", "a b", "ä", &"a".repeat(33)] {
            assert!(text.parse::<Tag>().is_err(), "{text}");
        }
        assert!("a".repeat(32).parse::<Tag>().is_ok());
    }

    #[test]
    fn orders_by_text_with_the_empty_tag_first() {
        let mut tags: Vec<Tag> = ["b", "a_", "ab", "a"].map(|t| t.parse().unwrap()).into();
        tags.push(Tag::NONE);
        tags.sort();
        let texts: Vec<_> = tags.iter().map(Tag::as_str).collect();
        assert_eq!(texts, ["", "a", "a_", "ab", "b"]);
    }
}
