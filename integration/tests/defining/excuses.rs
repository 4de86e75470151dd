//! Differences that are known and left, each with its reason. One that nothing needs fails the run.

use std::collections::BTreeMap;

/// A difference between the two answers to a statement.
#[derive(Debug)]
pub(crate) struct Difference<'d> {
    pub(crate) statement: &'d str,
    pub(crate) what: What<'d>,
}

/// What differs.
#[derive(Debug)]
pub(crate) enum What<'d> {
    /// Both refuse, with these numbers.
    Numbers { mysql: u16, weir: u16 },
    /// Both refuse with this number and other words.
    Words { code: u16 },
    /// Only Weir refuses.
    OnlyWeir { code: u16 },
    /// SHOW CREATE TABLE, the lines that differ.
    Definition { mysql: &'d str, weir: &'d str },
}

struct Excuse {
    reason: &'static str,
    covers: fn(&Difference<'_>) -> bool,
}

/// The excuses and how often each was needed.
pub(crate) struct Excuses {
    used: BTreeMap<&'static str, u64>,
}

impl Excuses {
    pub(crate) fn new() -> Self {
        Self {
            used: EXCUSES.iter().map(|excuse| (excuse.reason, 0)).collect(),
        }
    }

    /// Whether a difference is excused.
    pub(crate) fn cover(&mut self, difference: &Difference<'_>) -> bool {
        let Some(excuse) = EXCUSES.iter().find(|excuse| (excuse.covers)(difference)) else {
            return false;
        };
        *self.used.entry(excuse.reason).or_default() += 1;
        true
    }

    /// How often each was needed.
    pub(crate) fn used(&self) -> &BTreeMap<&'static str, u64> {
        &self.used
    }

    /// Those that nothing needed.
    pub(crate) fn unused(&self) -> Vec<&'static str> {
        let unused = self.used.iter().filter(|(_, count)| **count == 0);
        unused.map(|(reason, _)| *reason).collect()
    }
}

/// Errors of values that a new type cannot hold.
const OF_VALUES: [u16; 12] = [
    1048, 1062, 1138, 1264, 1265, 1292, 1366, 1406, 3140, 3156, 6136, 6138,
];

/// A definition without the quotes of its names.
fn unquoted(definition: &str) -> String {
    definition.replace(['"', '`'], "")
}

/// A definition without what its expressions say of character sets.
fn plain(definition: &str) -> String {
    let mut text = definition.replace(" charset utf8mb4", "");
    for (mysql, weir) in [
        ("char(4) charset binary", "binary(4)"),
        ("char charset binary", "binary"),
    ] {
        text = text.replace(mysql, weir);
    }
    for charset in ["_binary'", "_utf8mb4'", "_utf8mb3'", "_latin1'"] {
        text = text.replace(charset, "'");
    }
    text
}

const EXCUSES: &[Excuse] = &[
    Excuse {
        reason: "rows that a conversion cannot keep: which of its errors is told first",
        covers: |difference| match difference.what {
            What::Numbers { mysql, weir } => {
                OF_VALUES.contains(&mysql) && OF_VALUES.contains(&weir)
            }
            What::Words { code } => OF_VALUES.contains(&code),
            What::OnlyWeir { .. } | What::Definition { .. } => false,
        },
    },
    Excuse {
        reason: "several clauses with several faults: which is told first",
        covers: |difference| {
            let statement = difference.statement;
            let is_several = statement.contains(", ") || statement.contains("AFTER");
            let defines =
                statement.starts_with("ALTER TABLE") || statement.starts_with("CREATE TABLE");
            matches!(difference.what, What::Numbers { .. }) && is_several && defines
        },
    },
    Excuse {
        reason: "the name of a function is told in small letters",
        covers: |difference| matches!(difference.what, What::Words { code: 1582 }),
    },
    Excuse {
        reason: "errors are told in UTF-8, whatever character_set_results is",
        covers: |difference| {
            let is_words = matches!(difference.what, What::Words { .. });
            is_words && !difference.statement.is_ascii()
        },
    },
    Excuse {
        reason: "the host of the account in error 1044",
        covers: |difference| matches!(difference.what, What::Words { code: 1044 }),
    },
    Excuse {
        reason: "a system variable in a column's expression is refused before it is looked for",
        covers: |difference| {
            let What::Numbers { mysql, weir } = difference.what else {
                return false;
            };
            mysql == 1193 && [3772, 3763].contains(&weir)
        },
    },
    Excuse {
        reason: "NULL in the rows is refused where a virtual column comes that is NOT NULL",
        covers: |difference| {
            let is_null = matches!(difference.what, What::OnlyWeir { code: 1048 });
            is_null && difference.statement.contains(" AS (")
        },
    },
    Excuse {
        reason: "CHAR(... USING ...) and CAST(... AS CHAR CHARACTER SET ...) are syntax errors",
        covers: |difference| {
            let is_syntax = match difference.what {
                What::Numbers { weir, .. } => weir == 1064,
                What::OnlyWeir { code } => code == 1064,
                What::Words { .. } | What::Definition { .. } => false,
            };
            let statement = difference.statement;
            is_syntax
                && (statement.contains(" USING utf8mb4)")
                    || statement.contains("AS CHAR CHARACTER"))
        },
    },
    Excuse {
        reason: "SHOW CREATE TABLE quotes names in backquotes under ANSI_QUOTES too",
        covers: |difference| match difference.what {
            What::Definition { mysql, weir } => {
                mysql.contains("CREATE TABLE \"") && unquoted(mysql) == unquoted(weir)
            }
            What::Numbers { .. } | What::Words { .. } | What::OnlyWeir { .. } => false,
        },
    },
    Excuse {
        reason: "SHOW CREATE TABLE shows casts to text without their character set, and literals beside \
                 bytes in their own",
        covers: |difference| match difference.what {
            What::Definition { mysql, weir } => plain(&unquoted(mysql)) == plain(&unquoted(weir)),
            What::Numbers { .. } | What::Words { .. } | What::OnlyWeir { .. } => false,
        },
    },
];
