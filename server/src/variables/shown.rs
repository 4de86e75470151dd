//! State of a session that variables show: ids, counts of warnings, identifiers of transactions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::VariableValue;

/// State of a session that is shown as variables.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// `@@last_insert_id`, `@@identity`.
    pub(crate) last_insert_id: AtomicU64,
    /// `@@warning_count` of the last statement.
    pub(crate) warnings: AtomicU64,
    /// `@@error_count` of the last statement.
    pub(crate) errors: AtomicU64,
    /// `@@gtid_next` and `@@session.gtid_owned`; empty for what they are at first.
    gtids: RwLock<(String, String)>,
}

impl Shown {
    /// Shows what became of gtid_next.
    pub(crate) fn show_gtids(&self, next: String, owned: String) {
        *self.gtids.write().unwrap_or_else(PoisonError::into_inner) = (next, owned);
    }

    fn gtids(&self, name: &str) -> Option<VariableValue> {
        let gtids = self.gtids.read().unwrap_or_else(PoisonError::into_inner);
        let text = match name {
            "gtid_next" => &gtids.0,
            "gtid_owned" => &gtids.1,
            _ => return None,
        };
        (!text.is_empty()).then(|| VariableValue::Text(text.clone()))
    }

    /// The value of a variable that shows state.
    pub(super) fn value(&self, name: &str) -> Option<VariableValue> {
        if let Some(gtids) = self.gtids(name) {
            return Some(gtids);
        }
        let counter = match name {
            "last_insert_id" | "identity" => &self.last_insert_id,
            "warning_count" => &self.warnings,
            "error_count" => &self.errors,
            _ => return None,
        };
        Some(VariableValue::Number(counter.load(Ordering::Relaxed)))
    }
}
