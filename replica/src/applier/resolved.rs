//! Rows and statements that `replica_exec_mode` or `replica_skip_errors` let pass: each is logged, and
//! counted by rule and error.

use std::collections::BTreeMap;

use binlog::transaction::TransactionGtid;
use targets::{Resolution, Resolved, Rule};

/// How many there were, by rule and error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ResolvedCounts(BTreeMap<(Rule, u16), u64>);

impl ResolvedCounts {
    /// Logs what was resolved of a table, or of a statement where there is none, and counts it.
    pub(super) fn take(&mut self, gtid: TransactionGtid, table: &str, resolved: &Resolved) {
        let Resolved {
            rule,
            resolution,
            error,
            key,
        } = resolved;
        let gtid = gtid.text().unwrap_or_default();
        let (rule_name, code) = (rule.name(), error.code);
        let what = match resolution {
            Resolution::Replaced => "it took the place of the rows in its way",
            Resolution::PassedOver => "it was passed over",
        };
        tracing::warn!(
            rule = rule_name,
            code,
            gtid,
            table,
            row = key,
            error = %error.message,
            "a change of the source did not fit what is here: {what}"
        );
        self.add_one((*rule, code), 1);
    }

    /// Adds what came behind it.
    pub(super) fn add(&mut self, other: &Self) {
        for (of, count) in &other.0 {
            self.add_one(*of, *count);
        }
    }

    /// Every rule and error of which there were some.
    pub fn iter(&self) -> impl Iterator<Item = (Rule, u16, u64)> + '_ {
        self.0
            .iter()
            .map(|((rule, code), count)| (*rule, *code, *count))
    }

    fn add_one(&mut self, of: (Rule, u16), count: u64) {
        let known = self.0.entry(of).or_default();
        *known = known.saturating_add(count);
    }
}
