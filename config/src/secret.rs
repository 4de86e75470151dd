//! A password that cannot leak by accident.

use std::fmt;

/// Text that is never shown: `Debug` and `weir config show` print asterisks, there is no `Display`.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Takes a secret in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it: authentication.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

/// What is printed in place of a secret.
pub(crate) const HIDDEN: &str = "********";

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_of_a_secret_shows_nothing_of_it() {
        let text = format!("{:?}", Some(Secret::new("swordfish")));
        assert_eq!(text, "Some(********)");
    }
}
