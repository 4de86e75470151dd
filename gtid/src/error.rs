//! The one error of parsing identifiers from text.

use std::fmt;

/// Text that is not a GTID, a GTID set or a position list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What was being read, for instance "transaction number".
    pub what: &'static str,
    /// The text found, cut to 64 characters.
    pub found: String,
    /// What is allowed there.
    pub expected: &'static str,
}

impl ParseError {
    pub(crate) fn new(what: &'static str, found: &str, expected: &'static str) -> Self {
        let found = found.chars().take(64).collect();
        Self {
            what,
            found,
            expected,
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            found,
            expected,
        } = self;
        write!(f, "'{found}' is not a {what}: expected {expected}")
    }
}

impl std::error::Error for ParseError {}
