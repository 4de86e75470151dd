//! `sql_mode`: the flags, their names and their bits as the binlog's status variable carries them.
//!
//! Spec: mysql-server 8.4, sql/query_options.h and `Q_SQL_MODE_CODE`; the bits never change.

use std::fmt;

/// A set of SQL modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SqlMode(pub u64);

/// A name that is no SQL mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownMode(pub String);

impl SqlMode {
    /// `||` concatenates.
    pub const PIPES_AS_CONCAT: SqlMode = SqlMode(1 << 1);
    /// `"x"` is an identifier.
    pub const ANSI_QUOTES: SqlMode = SqlMode(1 << 2);
    /// Blanks between a function's name and its parenthesis.
    pub const IGNORE_SPACE: SqlMode = SqlMode(1 << 3);
    /// GROUP BY must name every plain column.
    pub const ONLY_FULL_GROUP_BY: SqlMode = SqlMode(1 << 5);
    /// Subtraction of unsigned values is signed.
    pub const NO_UNSIGNED_SUBTRACTION: SqlMode = SqlMode(1 << 6);
    /// Directory options are ignored.
    pub const NO_DIR_IN_CREATE: SqlMode = SqlMode(1 << 7);
    /// Combination mode.
    pub const ANSI: SqlMode = SqlMode(1 << 18);
    /// Zero is an ordinary value for AUTO_INCREMENT.
    pub const NO_AUTO_VALUE_ON_ZERO: SqlMode = SqlMode(1 << 19);
    /// Backslash is an ordinary character in strings.
    pub const NO_BACKSLASH_ESCAPES: SqlMode = SqlMode(1 << 20);
    /// Strict for transactional tables.
    pub const STRICT_TRANS_TABLES: SqlMode = SqlMode(1 << 21);
    /// Strict for all tables.
    pub const STRICT_ALL_TABLES: SqlMode = SqlMode(1 << 22);
    /// `2024-00-00` is refused.
    pub const NO_ZERO_IN_DATE: SqlMode = SqlMode(1 << 23);
    /// `0000-00-00` is refused.
    pub const NO_ZERO_DATE: SqlMode = SqlMode(1 << 24);
    /// REAL is FLOAT.
    pub const REAL_AS_FLOAT: SqlMode = SqlMode(1);
    /// Any day up to 31 in any month.
    pub const INVALID_DATES: SqlMode = SqlMode(1 << 25);
    /// Division by zero is an error for writes.
    pub const ERROR_FOR_DIVISION_BY_ZERO: SqlMode = SqlMode(1 << 26);
    /// Combination mode.
    pub const TRADITIONAL: SqlMode = SqlMode(1 << 27);
    /// Gone since 8.0, still set by old tools: accepted and dropped.
    pub const NO_AUTO_CREATE_USER: SqlMode = SqlMode(1 << 28);
    /// NOT binds like `!`.
    pub const HIGH_NOT_PRECEDENCE: SqlMode = SqlMode(1 << 29);
    /// An unknown engine is an error.
    pub const NO_ENGINE_SUBSTITUTION: SqlMode = SqlMode(1 << 30);
    /// CHAR values keep their padding.
    pub const PAD_CHAR_TO_FULL_LENGTH: SqlMode = SqlMode(1 << 31);
    /// Fractional seconds are cut, not rounded.
    pub const TIME_TRUNCATE_FRACTIONAL: SqlMode = SqlMode(1 << 32);

    /// The modes that say how a text is read.
    const SYNTAX: u64 = SqlMode::PIPES_AS_CONCAT.0
        | SqlMode::ANSI_QUOTES.0
        | SqlMode::IGNORE_SPACE.0
        | SqlMode::NO_BACKSLASH_ESCAPES.0
        | SqlMode::HIGH_NOT_PRECEDENCE.0
        | 1;

    /// These modes, for a text that was read with those of `read`.
    #[must_use]
    pub const fn with_syntax_of(self, read: SqlMode) -> SqlMode {
        SqlMode(self.0 & !Self::SYNTAX | read.0 & Self::SYNTAX)
    }

    /// MySQL's default.
    pub const DEFAULT: SqlMode = SqlMode(
        Self::ONLY_FULL_GROUP_BY.0
            | Self::STRICT_TRANS_TABLES.0
            | Self::NO_ZERO_IN_DATE.0
            | Self::NO_ZERO_DATE.0
            | Self::ERROR_FOR_DIVISION_BY_ZERO.0
            | Self::NO_ENGINE_SUBSTITUTION.0,
    );

    /// Every flag with its name, in the order MySQL prints them.
    const NAMES: [(&'static str, SqlMode); 21] = [
        ("REAL_AS_FLOAT", Self::REAL_AS_FLOAT),
        ("PIPES_AS_CONCAT", Self::PIPES_AS_CONCAT),
        ("ANSI_QUOTES", Self::ANSI_QUOTES),
        ("IGNORE_SPACE", Self::IGNORE_SPACE),
        ("ONLY_FULL_GROUP_BY", Self::ONLY_FULL_GROUP_BY),
        ("NO_UNSIGNED_SUBTRACTION", Self::NO_UNSIGNED_SUBTRACTION),
        ("NO_DIR_IN_CREATE", Self::NO_DIR_IN_CREATE),
        ("ANSI", Self::ANSI),
        ("NO_AUTO_VALUE_ON_ZERO", Self::NO_AUTO_VALUE_ON_ZERO),
        ("NO_BACKSLASH_ESCAPES", Self::NO_BACKSLASH_ESCAPES),
        ("STRICT_TRANS_TABLES", Self::STRICT_TRANS_TABLES),
        ("STRICT_ALL_TABLES", Self::STRICT_ALL_TABLES),
        ("NO_ZERO_IN_DATE", Self::NO_ZERO_IN_DATE),
        ("NO_ZERO_DATE", Self::NO_ZERO_DATE),
        ("ALLOW_INVALID_DATES", Self::INVALID_DATES),
        (
            "ERROR_FOR_DIVISION_BY_ZERO",
            Self::ERROR_FOR_DIVISION_BY_ZERO,
        ),
        ("TRADITIONAL", Self::TRADITIONAL),
        ("HIGH_NOT_PRECEDENCE", Self::HIGH_NOT_PRECEDENCE),
        ("NO_ENGINE_SUBSTITUTION", Self::NO_ENGINE_SUBSTITUTION),
        ("PAD_CHAR_TO_FULL_LENGTH", Self::PAD_CHAR_TO_FULL_LENGTH),
        ("TIME_TRUNCATE_FRACTIONAL", Self::TIME_TRUNCATE_FRACTIONAL),
    ];

    /// Whether every flag of `flags` is set.
    pub const fn contains(self, flags: SqlMode) -> bool {
        self.0 & flags.0 == flags.0
    }

    /// The flags that change how a text is read.
    const OF_TEXT: SqlMode = SqlMode(
        1 | Self::PIPES_AS_CONCAT.0
            | Self::ANSI_QUOTES.0
            | Self::IGNORE_SPACE.0
            | Self::NO_BACKSLASH_ESCAPES.0
            | Self::HIGH_NOT_PRECEDENCE.0,
    );

    /// These flags, but texts are read as under `other`.
    #[must_use]
    pub const fn reading_as(self, other: SqlMode) -> SqlMode {
        SqlMode((self.0 & !Self::OF_TEXT.0) | (other.0 & Self::OF_TEXT.0))
    }

    /// Whether values are checked strictly.
    pub const fn is_strict(self) -> bool {
        self.0 & (Self::STRICT_TRANS_TABLES.0 | Self::STRICT_ALL_TABLES.0) != 0
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, flags: SqlMode) -> SqlMode {
        SqlMode(self.0 | flags.0)
    }

    /// From the number a client or a binlog gives; combination modes are expanded.
    #[must_use]
    pub const fn from_bits(bits: u64) -> SqlMode {
        SqlMode(bits).expanded()
    }

    const fn expanded(self) -> SqlMode {
        let mut bits = self.0 & !Self::NO_AUTO_CREATE_USER.0;
        if self.contains(Self::ANSI) {
            bits |= 1
                | Self::PIPES_AS_CONCAT.0
                | Self::ANSI_QUOTES.0
                | Self::IGNORE_SPACE.0
                | Self::ONLY_FULL_GROUP_BY.0;
        }
        if self.contains(Self::TRADITIONAL) {
            bits |= Self::STRICT_TRANS_TABLES.0
                | Self::STRICT_ALL_TABLES.0
                | Self::NO_ZERO_IN_DATE.0
                | Self::NO_ZERO_DATE.0
                | Self::ERROR_FOR_DIVISION_BY_ZERO.0
                | Self::NO_ENGINE_SUBSTITUTION.0;
        }
        SqlMode(bits)
    }
}

impl std::str::FromStr for SqlMode {
    type Err = UnknownMode;

    /// Reads a comma-separated list; empty entries are skipped, `DEFAULT` is not known here.
    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        let mut bits = 0;
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if name.eq_ignore_ascii_case("NO_AUTO_CREATE_USER") {
                continue;
            }
            let known = Self::NAMES
                .iter()
                .find(|(known, _)| known.eq_ignore_ascii_case(name));
            bits |= known.ok_or_else(|| UnknownMode(name.to_owned()))?.1.0;
        }
        Ok(SqlMode(bits).expanded())
    }
}

impl fmt::Display for SqlMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (name, flag) in Self::NAMES {
            if self.contains(flag) {
                if !first {
                    f.write_str(",")?;
                }
                f.write_str(name)?;
                first = false;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_default_as_mysql_does() {
        assert_eq!(
            SqlMode::DEFAULT.to_string(),
            "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,\
             ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        );
    }

    #[test]
    fn reads_what_clients_send() {
        let mode: SqlMode = ",no_auto_value_on_zero,NO_AUTO_CREATE_USER,ANSI"
            .parse()
            .unwrap();
        assert!(mode.contains(SqlMode::NO_AUTO_VALUE_ON_ZERO));
        assert!(mode.contains(SqlMode::ANSI_QUOTES));
        assert_eq!("x".parse::<SqlMode>(), Err(UnknownMode("x".into())));
    }
}
