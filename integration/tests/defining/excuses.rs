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
            let is_several = difference.statement.starts_with("ALTER")
                && (difference.statement.contains(", ") || difference.statement.contains("AFTER"));
            matches!(difference.what, What::Numbers { .. }) && is_several
        },
    },
    Excuse {
        reason: "the name of a function is told in small letters",
        covers: |difference| matches!(difference.what, What::Words { code: 1582 }),
    },
];
