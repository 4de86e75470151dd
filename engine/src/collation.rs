//! Character sets and collations: names, ids and their properties.
//!
//! A log may name every collation of MySQL and MariaDB; `collation::list` tells where each has the
//! server's order and where it has the nearest kept one. Clients may name those of a few character
//! sets that have the server's, and another is refused with error 1115 or 1273. How two strings compare
//! is `collation::compare`. An id never changes its meaning: it is written into binlog events and into
//! the catalogue.
//!
//! Source: information_schema.COLLATIONS and CHARACTER_SETS of MySQL 9.7.

mod bytes;
mod charset;
pub mod compare;
mod equality;
mod list;
mod rule;
mod weights;

pub use self::charset::Charset;
pub use self::equality::shared_key;
pub use self::rule::{Levels, Rule};

use std::fmt;

use self::list::LIST;
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

/// A collation: an order on the strings of one character set.
#[derive(Debug)]
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
    /// The name of the server's order where it is not kept: strings compare by the nearest kept
    /// rule, which holds more apart.
    not_kept: Option<&'static str>,
    /// Whether clients may name it.
    pub is_served: bool,
}

impl PartialEq for Collation {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Collation {}

impl Collation {
    /// Whether this is the collation of byte strings, `binary`.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.charset == Charset::Binary
    }

    /// The name of the server's order where it is not kept: `order of utf8mb4_sv_0900_ai_ci`.
    #[must_use]
    pub const fn not_kept(&self) -> Option<&'static str> {
        self.not_kept
    }

    /// Whether it is the one that orders by codes, `*_bin`.
    #[must_use]
    pub fn is_of_codes(&self) -> bool {
        self.name.ends_with("_bin")
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
        not_kept: None,
        is_served: true,
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
        not_kept: None,
        is_served: true,
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
    Rule::Unicode900(Levels::Letters),
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
/// By which names of databases and tables compare.
pub static UTF8MB3_BIN: Collation = collation(
    83,
    "utf8mb3_bin",
    Charset::Utf8mb3,
    Pad::Space,
    Rule::Binary,
);

/// The collations that code names.
static BUILT_IN: [&Collation; 6] = [
    &BINARY,
    &UTF8MB3_BIN,
    &UTF8MB3_GENERAL_CI,
    &UTF8MB4_0900_AI_CI,
    &UTF8MB4_BIN,
    &UTF8MB4_GENERAL_CI,
];

/// Every collation that clients may name, by name.
#[must_use]
pub fn all() -> &'static [&'static Collation] {
    &LIST.served
}

/// Every collation that a column may have, by id.
#[must_use]
pub fn known() -> &'static [&'static Collation] {
    &LIST.all
}

/// The collation of this name, in any letter case; `utf8_*` means `utf8mb3_*`. Error 1273 if unknown.
pub fn by_name(name: &str) -> Result<&'static Collation, SqlError> {
    let lower = name.to_ascii_lowercase();
    let current = match lower.strip_prefix("utf8_") {
        Some(rest) => format!("utf8mb3_{rest}"),
        None => lower,
    };
    LIST.named(&current)
        .ok_or_else(|| SqlError::unknown_collation(name))
}

/// The same for what an expression compares by: only the collations that have the server's order.
pub fn exact(name: &str) -> Result<&'static Collation, SqlError> {
    by_name(name).and_then(|known| match known.not_kept {
        None => Ok(known),
        Some(_) => Err(SqlError::unknown_collation(name)),
    })
}

/// The same for the collation of a client's connection: only those that have the server's order, and the
/// default ones of their character sets. Error 1273.
pub fn of_connection(name: &str) -> Result<&'static Collation, SqlError> {
    let known = by_name(name)?;
    // Its id stands in the log, which MySQL servers read.
    let is_of_mysql = Table::of_mysql_collation(known.id).is_some();
    match is_of_mysql && (known.not_kept.is_none() || known.is_default) {
        true => Ok(known),
        false => Err(SqlError::unknown_collation(name)),
    }
}

/// The same for a name that a client gives: only the collations that are served. Error 1273.
pub fn served(name: &str) -> Result<&'static Collation, SqlError> {
    by_name(name).and_then(|known| match known.is_served {
        true => Ok(known),
        false => Err(SqlError::unknown_collation(name)),
    })
}

/// The collation with an id of MySQL or MariaDB, if one has it.
#[must_use]
pub fn by_id(id: u16) -> Option<&'static Collation> {
    LIST.with_id(id)
}

/// What the id that a client names at its login makes of its connection; `None` for an id that no
/// server has, which means the server's own default. An id whose order is not known stands for the
/// default collation of its character set, so that the client's bytes are still taken for what they
/// are. Error 1231 for a character set that no statement can be in.
pub fn of_client(id: u16) -> Result<Option<&'static Collation>, SqlError> {
    let of_mysql = Table::of_mysql_collation(id);
    let Some(table) = of_mysql.or_else(|| Table::of_mariadb_collation(id)) else {
        return Ok(None);
    };
    let known = Charset::of_connection(table.name())?;
    let exact = by_id(id).filter(|collation| collation.not_kept.is_none() && of_mysql.is_some());
    Ok(Some(exact.unwrap_or_else(|| known.default_collation())))
}

#[cfg(test)]
mod tests;
