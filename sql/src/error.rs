//! What a client is told when a statement fails.
//!
//! `SqlError` is an answer to a statement: MySQL's number, SQLSTATE and text, built only by the
//! constructors of [`catalogue`](self) so that each text exists once. It knows nothing of the wire:
//! `protocol` frames the packet.

mod catalogue;

use std::fmt;

/// An error answer to a statement, as a MySQL client sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlError {
    /// MySQL's error number, for instance 1062.
    pub code: u16,
    /// SQLSTATE, five characters.
    pub state: &'static str,
    /// MySQL's English message with its parameters filled in.
    pub message: String,
}

/// Bytes that a warning has at most: `MYSQL_ERRMSG_SIZE` without its end. A statement keeps many of
/// them, and what they quote may be as long as a packet.
const WARNING_MAX: usize = 511;

/// The text as far as a warning shows it.
fn cut(mut text: String) -> String {
    if text.len() > WARNING_MAX {
        let end = (0..=WARNING_MAX)
            .rev()
            .find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or(0));
        text.shrink_to_fit();
    }
    text
}

/// How many bytes of a text that is none are shown.
const INVALID_BYTES_MAX: usize = 6;

impl SqlError {
    /// An error with a number, state and text that have no constructor of their own.
    #[must_use]
    pub fn new(code: u16, state: &'static str, message: impl Into<String>) -> SqlError {
        SqlError {
            code,
            state,
            message: message.into(),
        }
    }

    /// Error 1300 for a text of seven bits that begins with a byte of eight.
    #[must_use]
    pub fn invalid_ascii(bytes: &[u8]) -> SqlError {
        let shown = bytes.iter().take(INVALID_BYTES_MAX);
        let shown: String = shown.map(|byte| format!("{byte:02X}")).collect();
        SqlError::invalid_character_string("ascii", shown)
    }

    /// The same error as a warning of a statement that goes on.
    #[must_use]
    pub fn into_warning(self, level: WarningLevel) -> Warning {
        Warning {
            level,
            code: self.code,
            message: cut(self.message),
        }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ERROR {} ({}): {}", self.code, self.state, self.message)
    }
}

impl std::error::Error for SqlError {}

/// How serious an entry of SHOW WARNINGS is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningLevel {
    /// `Note`: the statement did what was asked, for instance DROP TABLE IF EXISTS of a missing table.
    Note,
    /// `Warning`: a value was changed to make the statement succeed.
    Warning,
    /// `Error`: the statement failed; the entry repeats its error.
    Error,
}

impl WarningLevel {
    /// The word in the first column of SHOW WARNINGS.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            WarningLevel::Note => "Note",
            WarningLevel::Warning => "Warning",
            WarningLevel::Error => "Error",
        }
    }
}

/// One row of SHOW WARNINGS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Note, Warning or Error.
    pub level: WarningLevel,
    /// MySQL's error number.
    pub code: u16,
    /// MySQL's English message.
    pub message: String,
}

#[cfg(test)]
mod tests;
