//! SET: variables of every scope, and the forms with words of their own.

use super::Expression;

/// Which copy of a system variable is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetScope {
    /// No scope, SESSION, LOCAL, `@@name`, `@@session.name`.
    Session,
    /// GLOBAL, `@@global.name`.
    Global,
    /// PERSIST.
    Persist,
    /// PERSIST_ONLY.
    PersistOnly,
    /// `SET TRANSACTION` without scope: the next transaction only.
    NextTransaction,
}

/// One item of a SET statement.
#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "short-lived")]
pub enum SetItem {
    /// `@name = expr`; the name has no `@` and is lower-cased.
    User {
        /// Name.
        name: String,
        /// Value.
        value: Expression,
    },
    /// A system variable; the name is lower-cased.
    System {
        /// Scope.
        scope: SetScope,
        /// Whether a scope word or `@@` was written.
        explicit_scope: bool,
        /// Name.
        name: String,
        /// Value.
        value: SetValue,
    },
    /// NAMES charset [COLLATE collation]; None is DEFAULT.
    Names {
        /// Character set, lower-cased.
        charset: Option<String>,
        /// Collation, lower-cased.
        collation: Option<String>,
    },
    /// CHARACTER SET charset; None is DEFAULT.
    CharacterSet(Option<String>),
    /// TRANSACTION characteristics.
    Transaction {
        /// Scope.
        scope: SetScope,
        /// ISOLATION LEVEL, READ WRITE, READ ONLY.
        characteristics: Vec<TransactionCharacteristic>,
    },
}

/// The right side of an assignment to a system variable.
#[derive(Debug, Clone, PartialEq)]
#[allow(
    clippy::large_enum_variant,
    reason = "few, short-lived, one per clause"
)]
pub enum SetValue {
    /// DEFAULT.
    Default,
    /// A bare word: ON, OFF, `utf8mb4`, BINARY, ALL.
    Word(String),
    /// Any expression.
    Expression(Expression),
}

/// Part of SET TRANSACTION.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransactionCharacteristic {
    /// ISOLATION LEVEL, as MySQL prints it: `READ-COMMITTED`.
    Isolation(&'static str),
    /// READ ONLY (true) or READ WRITE (false).
    ReadOnly(bool),
}
