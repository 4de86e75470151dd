//! What the lexer gives: tokens, and where they stand.

use std::borrow::Cow;

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind<'a> {
    /// An unquoted word: keyword or identifier.
    Word(&'a str),
    /// A quoted identifier.
    Quoted(Cow<'a, str>),
    /// A string literal, unescaped.
    String(Cow<'a, [u8]>),
    /// Digits only.
    Integer(&'a str),
    /// Digits with a point.
    Decimal(&'a str),
    /// With an exponent.
    Float(&'a str),
    /// x'..' or 0x..: the digits, an even number of them.
    Hex(Cow<'a, str>),
    /// b'..' or 0b..: the digits.
    Bit(&'a str),
    /// `@name`.
    UserVariable(Cow<'a, str>),
    /// `@@[scope.]name`.
    SystemVariable {
        /// As written, without the point.
        scope: Option<&'a str>,
        /// As written; may hold a point (`key_cache.key_buffer_size`).
        name: Cow<'a, str>,
    },
    /// `?`, counted from 0.
    Parameter(usize),
    /// Punctuation and operators.
    Symbol(&'static str),
    /// Something no token begins with, or a literal without end.
    Bad,
    /// The end of the statement.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Token<'a> {
    /// What it is.
    pub(crate) kind: Kind<'a>,
    /// Offset of its first byte in the text.
    pub(crate) start: usize,
    /// Offset behind its last byte.
    pub(crate) end: usize,
}
