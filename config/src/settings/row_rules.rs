//! What becomes of rows that do not fit: the options `replica_exec_mode` and `replica_skip_errors`.

use std::collections::BTreeSet;
use std::fmt;

use crate::{ConfigError, Effective};

/// What becomes of rows that do not fit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowRuleSettings {
    /// `replica_exec_mode=IDEMPOTENT`.
    pub is_idempotent: bool,
    /// `replica_skip_errors`.
    pub skip_errors: SkipErrors,
}

/// `replica_skip_errors`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SkipErrors {
    /// Every error stops the applier.
    #[default]
    Off,
    /// None does that a statement or a row can end with.
    All,
    /// Those of these numbers do not.
    Codes(BTreeSet<u16>),
}

/// What `ddl_exist_errors` stands for.
const DDL_EXIST_ERRORS: [u16; 10] = [1007, 1008, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146];

impl SkipErrors {
    /// Reads MySQL's list: `OFF`, `all`, numbers and `ddl_exist_errors`, with commas between.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        match text.as_str() {
            "" | "off" => return Some(Self::Off),
            "all" => return Some(Self::All),
            _ => {}
        }
        let mut codes = BTreeSet::new();
        for item in text.split(',').map(str::trim) {
            match item {
                "ddl_exist_errors" => codes.extend(DDL_EXIST_ERRORS),
                number => drop(codes.insert(number.parse().ok().filter(|code| *code > 0)?)),
            }
        }
        Some(Self::Codes(codes))
    }
}

/// As the variable shows it.
impl fmt::Display for SkipErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.write_str("OFF"),
            Self::All => f.write_str("ALL"),
            Self::Codes(codes) => {
                let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
                f.write_str(&codes.join(","))
            }
        }
    }
}

impl RowRuleSettings {
    pub(super) fn read(effective: &Effective, errors: &mut Vec<ConfigError>) -> Self {
        let name = "replica_skip_errors";
        let text = effective.text(name).unwrap_or_default();
        let skip_errors = SkipErrors::parse(&text).unwrap_or_else(|| {
            errors.push(ConfigError::BadValue {
                origin: effective.origin(name),
                option: name.to_owned(),
                value: text,
                allowed: "OFF, all, ddl_exist_errors, or error numbers with commas between"
                    .to_owned(),
            });
            SkipErrors::Off
        });
        Self {
            is_idempotent: effective.word("replica_exec_mode") == "IDEMPOTENT",
            skip_errors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As MySQL 9.7 shows what it was started with.
    #[test]
    fn the_list_of_errors_is_mysqls() {
        for (text, shown) in [
            ("OFF", "OFF"),
            ("", "OFF"),
            ("ALL", "ALL"),
            ("1062, 1032", "1032,1062"),
            (
                "ddl_exist_errors,1062",
                "1007,1008,1050,1051,1054,1060,1061,1062,1068,1091,1146",
            ),
        ] {
            let read = SkipErrors::parse(text).map(|errors| errors.to_string());
            assert_eq!(read.as_deref(), Some(shown), "{text}");
        }
        for wrong in ["1062;1032", "duplicates", "1062,", "0", "99999"] {
            assert_eq!(SkipErrors::parse(wrong), None, "{wrong}");
        }
    }
}
