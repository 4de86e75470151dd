//! The text of a statement, from the client's character set to the parser's UTF-8.
//!
//! It does not judge text in UTF-8, latin1 and ascii: what is not valid there stays as it is.

use std::borrow::Cow;

use engine::collation::Charset;
use sql::error::SqlError;

use super::Session;

/// Bytes that an error shows.
const SHOWN_BYTES: usize = 6;

impl Session {
    /// Statement text as UTF-8. Text that is not valid in its character set stays as it is: the
    /// lexer finds out whether it matters. Error 1300 where the lexer cannot: its signs may be halves of
    /// characters.
    pub(super) fn decoded<'a>(&self, sql: &'a [u8]) -> Result<Cow<'a, [u8]>, SqlError> {
        let charset = self.context.character_set_client;
        match charset {
            Charset::Latin1 => Ok(charset.decode(sql).map_or(Cow::Borrowed(sql), bytes)),
            Charset::Further(_) => {
                let text = charset.statement(sql, self.context.sql_mode);
                text.map(bytes).ok_or_else(|| invalid(charset, sql))
            }
            Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Ascii | Charset::Binary => {
                Ok(Cow::Borrowed(sql))
            }
        }
    }

    /// The text of a parameter as UTF-8.
    pub(super) fn decoded_text<'a>(&self, text: &'a [u8]) -> Result<Cow<'a, [u8]>, SqlError> {
        let charset = self.context.character_set_client;
        match charset {
            Charset::Further(_) => {
                let decoded = charset.decode(text);
                decoded.map(bytes).map_err(|_| invalid(charset, text))
            }
            Charset::Latin1
            | Charset::Utf8mb4
            | Charset::Utf8mb3
            | Charset::Ascii
            | Charset::Binary => self.decoded(text),
        }
    }
}

fn bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Error 1300 with the first bytes that are no text.
fn invalid(charset: Charset, text: &[u8]) -> SqlError {
    let at = charset.decode(text).err().unwrap_or(0);
    let wrong = text.get(at..).unwrap_or_default().iter();
    let shown: String = wrong
        .take(SHOWN_BYTES)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    SqlError::invalid_character_string(charset.name(), shown)
}
