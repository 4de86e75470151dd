//! One error for the harness: a text that says what was being done and what was found.
//!
//! Tests return it, so that `?` works on every library's error. It is deliberately not a
//! `std::error::Error`: that is what allows the blanket conversion.

use std::fmt;

/// What a harness function or a test returns.
pub type Result<T = ()> = std::result::Result<T, Failure>;

/// A failed step, as a sentence for whoever reads the test's output.
pub struct Failure(String);

impl Failure {
    /// A failure with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The same failure, with what was being done in front.
    #[must_use]
    pub fn during(self, step: impl fmt::Display) -> Self {
        Self(format!("{step}: {}", self.0))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self(text)
    }
}

/// Fails with the text of `otherwise` unless `holds`.
///
/// # Errors
/// When `holds` is false.
pub fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Result {
    if holds {
        Ok(())
    } else {
        Err(Failure(otherwise()))
    }
}
