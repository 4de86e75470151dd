//! Character sets and collations: names, ids and their properties.
//!
//! Only what the engine can store and compare is listed, so a name that is not here is refused with
//! error 1115 or 1273. How two strings compare is `collation::compare`. An id never changes its
//! meaning: it is written into binlog events and into the catalogue.
//!
//! Source: information_schema.COLLATIONS and CHARACTER_SETS of MySQL 9.7.

mod charset;
pub mod compare;
mod weights;

pub use self::charset::Charset;

use std::fmt;

use ::charset::Charset as Table;
use sql::error::SqlError;

/// What trailing spaces mean in a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pad {
    /// `PAD SPACE`: the shorter string is compared as if filled up with spaces.
    Space,
    /// `NO PAD`: trailing spaces are characters like others.
    None,
}

/// The rule by which a collation orders strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Bytes, or code points, in their own order.
    Binary,
    /// One weight per code point, `*_general_ci`.
    General,
    /// The bytes of latin1, `latin1_bin`.
    Latin1,
    /// `latin1_swedish_ci`'s table of 256 weights.
    Swedish,
    /// `ascii_general_ci`: letters without their case.
    AsciiCaseless,
    /// Unicode Collation Algorithm 4.0.0, first level, `*_unicode_ci`.
    Unicode400,
    /// Unicode Collation Algorithm 9.0.0, first level, `*_0900_ai_ci`.
    Unicode900AccentCaseless,
}

/// A collation: an order on the strings of one character set.
#[derive(Debug, PartialEq, Eq)]
pub struct Collation {
    /// MySQL's id, as written in events and column definitions.
    pub id: u16,
    /// MySQL's name, for instance `utf8mb4_0900_ai_ci`; also its name in SQLite.
    pub name: &'static str,
    /// The character set whose strings it orders.
    pub charset: Charset,
    /// Whether it is the one that CHARACTER SET without COLLATE means.
    pub is_default: bool,
    /// What trailing spaces mean.
    pub pad: Pad,
    /// How strings are ordered.
    pub rule: Rule,
}

impl Collation {
    /// Whether this is the collation of byte strings, `binary`.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.charset == Charset::Binary
    }
}

impl Rule {
    /// Whether no two characters are the same.
    #[must_use]
    pub const fn is_exact(self) -> bool {
        match self {
            Self::Binary | Self::Latin1 => true,
            Self::General
            | Self::Swedish
            | Self::AsciiCaseless
            | Self::Unicode400
            | Self::Unicode900AccentCaseless => false,
        }
    }
}

impl fmt::Display for Collation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

const fn collation(
    id: u16,
    name: &'static str,
    charset: Charset,
    pad: Pad,
    rule: Rule,
) -> Collation {
    Collation {
        id,
        name,
        charset,
        is_default: false,
        pad,
        rule,
    }
}

const fn default(id: u16, name: &'static str, charset: Charset, pad: Pad, rule: Rule) -> Collation {
    Collation {
        id,
        name,
        charset,
        is_default: true,
        pad,
        rule,
    }
}

/// `binary`, the collation of byte strings and numbers.
pub static BINARY: Collation = default(63, "binary", Charset::Binary, Pad::None, Rule::Binary);
/// `utf8mb4_0900_ai_ci`, MySQL's default.
pub static UTF8MB4_0900_AI_CI: Collation = default(
    255,
    "utf8mb4_0900_ai_ci",
    Charset::Utf8mb4,
    Pad::None,
    Rule::Unicode900AccentCaseless,
);
/// `utf8mb4_bin`, the collation of JSON text.
pub static UTF8MB4_BIN: Collation = collation(
    46,
    "utf8mb4_bin",
    Charset::Utf8mb4,
    Pad::Space,
    Rule::Binary,
);
/// `utf8mb4_general_ci`, the default of MySQL 5.7 and of MariaDB 10.
pub static UTF8MB4_GENERAL_CI: Collation = collation(
    45,
    "utf8mb4_general_ci",
    Charset::Utf8mb4,
    Pad::Space,
    Rule::General,
);
/// `utf8mb3_general_ci`, the collation of identifiers and of information_schema.
pub static UTF8MB3_GENERAL_CI: Collation = default(
    33,
    "utf8mb3_general_ci",
    Charset::Utf8mb3,
    Pad::Space,
    Rule::General,
);
static UTF8MB4_UNICODE_CI: Collation = collation(
    224,
    "utf8mb4_unicode_ci",
    Charset::Utf8mb4,
    Pad::Space,
    Rule::Unicode400,
);
static UTF8MB4_0900_BIN: Collation = collation(
    309,
    "utf8mb4_0900_bin",
    Charset::Utf8mb4,
    Pad::None,
    Rule::Binary,
);
/// By which names of databases and tables compare.
pub static UTF8MB3_BIN: Collation = collation(
    83,
    "utf8mb3_bin",
    Charset::Utf8mb3,
    Pad::Space,
    Rule::Binary,
);
static UTF8MB3_UNICODE_CI: Collation = collation(
    192,
    "utf8mb3_unicode_ci",
    Charset::Utf8mb3,
    Pad::Space,
    Rule::Unicode400,
);
static LATIN1_SWEDISH_CI: Collation = default(
    8,
    "latin1_swedish_ci",
    Charset::Latin1,
    Pad::Space,
    Rule::Swedish,
);
static LATIN1_BIN: Collation =
    collation(47, "latin1_bin", Charset::Latin1, Pad::Space, Rule::Latin1);
static ASCII_GENERAL_CI: Collation = default(
    11,
    "ascii_general_ci",
    Charset::Ascii,
    Pad::Space,
    Rule::AsciiCaseless,
);
static ASCII_BIN: Collation = collation(65, "ascii_bin", Charset::Ascii, Pad::Space, Rule::Binary);

static ALL: [&Collation; 13] = [
    &ASCII_BIN,
    &ASCII_GENERAL_CI,
    &BINARY,
    &LATIN1_BIN,
    &LATIN1_SWEDISH_CI,
    &UTF8MB3_BIN,
    &UTF8MB3_GENERAL_CI,
    &UTF8MB3_UNICODE_CI,
    &UTF8MB4_0900_AI_CI,
    &UTF8MB4_0900_BIN,
    &UTF8MB4_BIN,
    &UTF8MB4_GENERAL_CI,
    &UTF8MB4_UNICODE_CI,
];

/// Every collation the engine knows, by name.
#[must_use]
pub fn all() -> &'static [&'static Collation] {
    &ALL
}

/// The collation of this name, in any letter case; `utf8_*` means `utf8mb3_*`. Error 1273 if unknown.
pub fn by_name(name: &str) -> Result<&'static Collation, SqlError> {
    let lower = name.to_ascii_lowercase();
    let current = match lower.strip_prefix("utf8_") {
        Some(rest) => format!("utf8mb3_{rest}"),
        None => lower,
    };
    let known = ALL.iter().find(|collation| collation.name == current);
    known
        .copied()
        .ok_or_else(|| SqlError::unknown_collation(name))
}

/// The collation with MySQL's id, if the engine knows it.
#[must_use]
pub fn by_id(id: u16) -> Option<&'static Collation> {
    ALL.iter().find(|collation| collation.id == id).copied()
}

/// What the id that a client names at its login makes of its connection; `None` for an id that no
/// server has, which means the server's own default. An id whose order is not known stands for the
/// default collation of its character set, so that the client's bytes are still taken for what they
/// are. Error 1231 for a character set that no statement can be in, 1115 for one that is not served.
// Differs from MySQL: it serves clients of every character set; here what is not served is refused, and
// nobody's bytes are taken for other characters.
pub fn of_client(id: u16) -> Result<Option<&'static Collation>, SqlError> {
    let of_mysql = Table::of_mysql_collation(id);
    let Some(table) = of_mysql.or_else(|| Table::of_mariadb_collation(id)) else {
        return Ok(None);
    };
    let name = table.name();
    if ["ucs2", "utf16", "utf16le", "utf32"].contains(&name) {
        return Err(SqlError::wrong_value_for_var("character_set_client", name));
    }
    let Ok(known) = Charset::by_name(name) else {
        let served: Vec<_> = Charset::ALL.iter().map(|charset| charset.name()).collect();
        let mut error = SqlError::unknown_character_set(name);
        error.message.push_str("; a client of this server can use ");
        error.message.push_str(&served.join(", "));
        return Err(error);
    };
    Ok(Some(by_id(id).unwrap_or_else(|| known.default_collation())))
}

#[cfg(test)]
mod tests;
