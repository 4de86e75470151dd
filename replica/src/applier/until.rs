//! START REPLICA UNTIL: the moment at which an applier ends by itself.
//!
//! Forms and meaning: MySQL 8.4 Reference Manual, 15.4.2.4 "START REPLICA Statement".

use std::cmp::Ordering;

use binlog::log::{LogFileName, SourceCoordinates};
use gtid::{Gtid, GtidSet};
use sql::ast::UntilCondition;
use sql::error::SqlError;
use targets::Applied;

/// Until when an applier applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// `SQL_BEFORE_GTIDS`: up to the first transaction of the set, without it.
    BeforeGtids(GtidSet),
    /// `SQL_AFTER_GTIDS`: until all of the set are applied.
    AfterGtids(GtidSet),
    /// `SQL_AFTER_MTS_GAPS`: until no transaction is missing in front of one that is applied. Commits in
    /// the order of the source leave no gaps, so this ends at once.
    AfterGaps,
    /// `SOURCE_LOG_FILE`, `SOURCE_LOG_POS`: up to the end of the transaction that reaches this place
    /// of the source's log.
    Source(LogFileName, u64),
    /// `RELAY_LOG_FILE`, `RELAY_LOG_POS`: the same of the relay log.
    Relay(LogFileName, u64),
}

impl Until {
    /// Reads what a statement says.
    ///
    /// # Errors
    /// 1772 for a set of GTIDs that is none, 1277 for a file name that is none.
    pub fn read(condition: &UntilCondition) -> Result<Self, SqlError> {
        let set = |text: &String| {
            let parsed = text.parse::<GtidSet>();
            parsed.map_err(|_| SqlError::malformed_gtid_set(text))
        };
        let file = |name: &String| LogFileName::parse_path(name).ok_or_else(bad_condition);
        Ok(match condition {
            UntilCondition::BeforeGtids(text) => Self::BeforeGtids(set(text)?),
            UntilCondition::AfterGtids(text) => Self::AfterGtids(set(text)?),
            UntilCondition::AfterGaps => Self::AfterGaps,
            UntilCondition::SourcePosition(name, offset) => Self::Source(file(name)?, *offset),
            UntilCondition::RelayPosition(name, offset) => Self::Relay(file(name)?, *offset),
            UntilCondition::Incomplete => return Err(bad_condition()),
        })
    }

    /// Whether there is nothing to do when it is said: something of the set in front of which the applier
    /// is to end is applied already.
    #[must_use]
    pub fn is_over(&self, applied: &Applied) -> bool {
        match self {
            Self::BeforeGtids(set) => set.intersects(&applied.executed.mysql),
            Self::AfterGtids(_) | Self::AfterGaps | Self::Source(..) | Self::Relay(..) => false,
        }
    }

    /// Whether it can never be reached, since it names a file of another log.
    #[must_use]
    pub fn is_bad(&self, applied: &Applied) -> bool {
        match self {
            Self::BeforeGtids(_) | Self::AfterGtids(_) | Self::AfterGaps => false,
            Self::Source(file, _) => applied.source.as_ref().is_some_and(|at| {
                LogFileName::parse(&at.file).is_some_and(|name| name.base() != file.base())
            }),
            Self::Relay(file, _) => {
                let relay = applied.relay.as_ref();
                relay.is_some_and(|at| at.file.base() != file.base())
            }
        }
    }

    /// Whether what is applied has reached it.
    #[must_use]
    pub fn is_reached(&self, applied: &Applied) -> bool {
        match self {
            Self::BeforeGtids(_) => false,
            Self::AfterGtids(set) => set.is_subset_of(&applied.executed.mysql),
            Self::AfterGaps => true,
            Self::Source(file, offset) => applied.source.as_ref().is_some_and(|at| {
                LogFileName::parse(&at.file)
                    .is_some_and(|name| is_at(&name, at.offset, file, *offset))
            }),
            Self::Relay(file, offset) => applied
                .relay
                .as_ref()
                .is_some_and(|at| is_at(&at.file, at.offset, file, *offset)),
        }
    }

    /// Whether the transaction of this identifier, which begins there in the source's log, must not be
    /// begun. A source leaves out what is executed here, so that a transaction may begin at or behind a
    /// place that nothing in front of it reached.
    #[must_use]
    pub fn forbids(&self, gtid: Option<Gtid>, begins_at: Option<&SourceCoordinates>) -> bool {
        match self {
            Self::BeforeGtids(set) => gtid.is_some_and(|gtid| set.contains(&gtid)),
            Self::Source(file, offset) => begins_at.is_some_and(|at| {
                LogFileName::parse(&at.file)
                    .is_some_and(|name| is_at(&name, at.offset, file, *offset))
            }),
            Self::AfterGtids(_) | Self::AfterGaps | Self::Relay(..) => false,
        }
    }

    /// `Until_Condition`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BeforeGtids(_) => "SQL_BEFORE_GTIDS",
            Self::AfterGtids(_) => "SQL_AFTER_GTIDS",
            Self::AfterGaps => "SQL_AFTER_MTS_GAPS",
            Self::Source(..) => "Source",
            Self::Relay(..) => "Relay",
        }
    }

    /// `Until_Log_File` and `Until_Log_Pos`, of the forms that name a place.
    #[must_use]
    pub const fn place(&self) -> Option<(&LogFileName, u64)> {
        match self {
            Self::BeforeGtids(_) | Self::AfterGtids(_) | Self::AfterGaps => None,
            Self::Source(file, offset) | Self::Relay(file, offset) => Some((file, *offset)),
        }
    }
}

/// Whether a place lies at another one or behind it. Files of another base name are no later and no
/// earlier ones.
fn is_at(file: &LogFileName, offset: u64, until: &LogFileName, until_offset: u64) -> bool {
    if file.base() != until.base() {
        return false;
    }
    match file.number().cmp(&until.number()) {
        Ordering::Less => false,
        Ordering::Equal => offset >= until_offset,
        Ordering::Greater => true,
    }
}

fn bad_condition() -> SqlError {
    let text = "Incorrect parameter or combination of parameters for START REPLICA UNTIL";
    SqlError::new(1277, "HY000", text)
}

#[cfg(test)]
mod tests {
    use binlog::log::LogPosition;
    use binlog::transaction::Executed;

    use super::*;

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn applied(gtids: &str, source: (&str, u64), relay: (&str, u64)) -> Applied {
        Applied {
            executed: Executed {
                mysql: gtids.parse().unwrap(),
                ..Executed::default()
            },
            source: Some(SourceCoordinates {
                file: source.0.to_owned(),
                offset: source.1,
            }),
            relay: Some(LogPosition::new(
                LogFileName::parse(relay.0).unwrap(),
                relay.1,
            )),
        }
    }

    fn until(condition: UntilCondition) -> Until {
        Until::read(&condition).unwrap()
    }

    #[test]
    fn sets_are_reached_by_what_is_executed() {
        let has = |last: u64| {
            let gtids = format!("{SOURCE}:1-{last}");
            applied(&gtids, ("b.000001", 4), ("r.000001", 4))
        };
        let set = format!("{SOURCE}:4-5");
        let before = until(UntilCondition::BeforeGtids(set.clone()));
        let after = until(UntilCondition::AfterGtids(set));
        for (last, is_before, is_after) in [(3, false, false), (4, true, false), (5, true, true)] {
            assert_eq!(before.is_over(&has(last)), is_before, "{last}");
            assert!(!before.is_reached(&has(last)) && !after.is_over(&has(last)));
            assert_eq!(after.is_reached(&has(last)), is_after, "{last}");
        }
        let gtid = |number: u64| format!("{SOURCE}:{number}").parse().ok();
        for (number, is_forbidden) in [(3, false), (4, true), (5, true), (6, false)] {
            assert_eq!(before.forbids(gtid(number), None), is_forbidden, "{number}");
        }
        assert!(!before.forbids(None, None) && !after.forbids(gtid(4), None));
    }

    #[test]
    fn places_are_reached_by_number_and_offset() {
        let source = until(UntilCondition::SourcePosition("./b.000009".to_owned(), 200));
        let relay = until(UntilCondition::RelayPosition("r.000010".to_owned(), 200));
        for (source_at, relay_at, is_source, is_relay) in [
            (("b.000008", 900), ("r.000009", 900), false, false),
            (("b.000009", 199), ("r.000010", 199), false, false),
            (("b.000009", 200), ("r.000010", 201), true, true),
            (("b.000010", 4), ("r.000011", 4), true, true),
            (("c.000010", 4), ("s.000011", 4), false, false),
        ] {
            let applied = applied("", source_at, relay_at);
            let is_bad = source_at.0.starts_with('c');
            assert_eq!(source.is_bad(&applied), is_bad, "{source_at:?}");
            assert_eq!(relay.is_bad(&applied), is_bad, "{relay_at:?}");
            assert_eq!(source.is_reached(&applied), is_source, "{source_at:?}");
            let begins_at = applied.source.as_ref();
            assert_eq!(source.forbids(None, begins_at), is_source, "{source_at:?}");
            assert_eq!(relay.is_reached(&applied), is_relay, "{relay_at:?}");
        }
        assert!(until(UntilCondition::AfterGaps).is_reached(&Applied::default()));
    }

    #[test]
    fn what_is_no_set_and_no_file_is_refused() {
        for (condition, code) in [
            (UntilCondition::AfterGtids("soon".to_owned()), 1772),
            (UntilCondition::SourcePosition("binlog".to_owned(), 4), 1277),
            (UntilCondition::Incomplete, 1277),
        ] {
            assert_eq!(Until::read(&condition).unwrap_err().code, code);
        }
    }
}
