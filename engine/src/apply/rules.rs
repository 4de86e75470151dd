//! What an operator allows where rows of a log do not fit the rows here: `replica_exec_mode` and
//! `replica_skip_errors`.
//!
//! Nothing is let pass in silence: each row that is not applied as logged is handed back as a
//! [`Resolved`], to be logged and counted.

use std::collections::BTreeSet;

use sql::error::SqlError;

/// What is allowed; by default nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowRules {
    /// `replica_exec_mode=IDEMPOTENT`: an insert takes the place of the rows in its way, an update or
    /// a delete of a missing row and an update into a duplicate are passed over.
    pub is_idempotent: bool,
    /// `replica_skip_errors`.
    pub skips: SkippedErrors,
}

/// Errors behind which the applier goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SkippedErrors {
    /// None.
    #[default]
    None,
    /// All that a statement or a row can end with.
    All,
    /// Those of these numbers.
    Codes(BTreeSet<u16>),
}

impl SkippedErrors {
    /// Whether an error of this number is passed over. What the storage ends with never is: its next
    /// attempt may succeed.
    #[must_use]
    pub fn has(&self, code: u16) -> bool {
        match self {
            _ if matches!(code, DISK_FULL | STORAGE) => false,
            Self::None => false,
            Self::All => true,
            Self::Codes(codes) => codes.contains(&code),
        }
    }
}

/// `ER_RECORD_FILE_FULL`.
const DISK_FULL: u16 = 1114;
/// `ER_GET_ERRNO`.
const STORAGE: u16 = 1030;
/// `ER_KEY_NOT_FOUND`.
const MISSING: u16 = 1032;
/// `ER_DUP_ENTRY`.
const DUPLICATE: u16 = 1062;

impl RowRules {
    /// Whether every error stops the applier.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        *self == Self::default()
    }

    /// By which rule a row that ended with an error of this number is not applied as logged.
    #[must_use]
    pub fn rule_for(&self, code: u16) -> Option<Rule> {
        match code {
            MISSING | DUPLICATE if self.is_idempotent => Some(Rule::Idempotent),
            _ => self.skips.has(code).then_some(Rule::Skipped),
        }
    }

    /// Whether an insert takes the place of the rows in its way.
    #[must_use]
    pub const fn replaces(&self, code: u16) -> bool {
        self.is_idempotent && code == DUPLICATE
    }
}

/// The rule by which a row was not applied as logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// `replica_exec_mode=IDEMPOTENT`.
    Idempotent,
    /// `replica_skip_errors`.
    Skipped,
}

impl Rule {
    /// The variable that says so.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Idempotent => "replica_exec_mode",
            Self::Skipped => "replica_skip_errors",
        }
    }
}

/// What became of a row that could not be applied as logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It took the place of those in its way.
    Replaced,
    /// It was not applied.
    PassedOver,
}

/// A row, or a statement, that was not applied as logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// By which rule.
    pub rule: Rule,
    /// What became of it.
    pub resolution: Resolution,
    /// MySQL's error, which it would have stopped with.
    pub error: SqlError,
    /// Which row, as far as its image says.
    pub key: String,
}

/// What is allowed for the rows of an event, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Leeway {
    pub(super) rules: RowRules,
    pub(super) resolved: Vec<Resolved>,
}

impl Leeway {
    /// How many rows were not applied.
    pub(super) fn passed_over(&self) -> u64 {
        let resolved = self.resolved.iter();
        let passed = resolved.filter(|row| row.resolution == Resolution::PassedOver);
        passed.count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_for_what_it_names_and_never_for_the_storage() {
        let idempotent = RowRules {
            is_idempotent: true,
            ..RowRules::default()
        };
        assert_eq!(idempotent.rule_for(1062), Some(Rule::Idempotent));
        assert_eq!(idempotent.rule_for(1032), Some(Rule::Idempotent));
        assert_eq!(idempotent.rule_for(1452), None);
        let all = RowRules {
            skips: SkippedErrors::All,
            ..RowRules::default()
        };
        assert_eq!(all.rule_for(1452), Some(Rule::Skipped));
        assert_eq!(all.rule_for(1114), None);
        assert!(!all.replaces(1062) && RowRules::default().is_strict());
    }
}
