//! Prepared statements of the text protocol.

/// A statement about a prepared one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Prepared {
    /// PREPARE name FROM 'text' | @variable.
    Prepare {
        /// Statement name.
        name: String,
        /// Text or user variable.
        source: PrepareSource,
    },
    /// EXECUTE name \[USING @a, ...\].
    Execute {
        /// Statement name.
        name: String,
        /// User variables, without `@`.
        using: Vec<String>,
    },
    /// DEALLOCATE PREPARE name, DROP PREPARE name.
    Deallocate {
        /// Statement name.
        name: String,
    },
}

/// Where PREPARE takes its text from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrepareSource {
    /// A string literal.
    Text(Vec<u8>),
    /// A user variable, without `@`.
    Variable(String),
}
