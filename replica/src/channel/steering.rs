//! What an operator changes about a channel's applier while it stands, or between two transactions.

use std::sync::{Arc, PoisonError};

use gtid::Gtid;
use sql::ast::ReplicationFilterRule;
use sql::error::SqlError;
use targets::RowRules;

use super::{Begins, Channel, blocking, require_stopped_applier};
use crate::LIFE;
use crate::{applier, filter_rules};

impl Channel {
    /// CHANGE REPLICATION FILTER: these rules in the place of those of the same names, until the process
    /// ends.
    ///
    /// # Errors
    /// 3085 while the applier runs; 3067 for a pattern that is none.
    pub async fn change_filter(&self, rules: &[ReplicationFilterRule]) -> Result<(), SqlError> {
        let threads = self.threads.lock().await;
        require_stopped_applier(&threads)?;
        let changed = filter_rules::change(&self.filter(), rules)?;
        tracing::warn!(
            target: LIFE,
            rules = rules.len(),
            "CHANGE REPLICATION FILTER: other rules count until this process ends"
        );
        *self.filter.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(changed);
        Ok(())
    }

    /// SET GLOBAL sql_replica_skip_counter: how many transactions the applier passes over when it is
    /// started. Taking it back is always possible.
    ///
    /// # Errors
    /// 3085 while the applier runs.
    pub async fn set_skip_counter(&self, count: u32) -> Result<(), SqlError> {
        let threads = self.threads.lock().await;
        if count > 0 {
            require_stopped_applier(&threads)?;
        }
        self.applier_status.update(|state| {
            state.skip_counter = count;
            state.passed_over_at = None;
        });
        Ok(())
    }

    /// SET GLOBAL replica_exec_mode: counts from the next transaction on.
    pub fn set_idempotent(&self, is_idempotent: bool) {
        self.applier_status.update(|state| {
            state.rules = Arc::new(RowRules {
                is_idempotent,
                ..RowRules::clone(&state.rules)
            });
        });
    }

    /// Commits a transaction without changes under `gtid`, which then counts as executed. An applier
    /// that runs is stopped meanwhile; what it has not committed it applies again.
    ///
    /// # Errors
    /// 1213 when the transaction of the source was applied before; what the target says.
    pub async fn commit_empty(&self, gtid: Gtid) -> Result<(), SqlError> {
        let mut threads = self.threads.lock().await;
        let running = threads.applier.take();
        let goes_on = running
            .as_ref()
            .is_some_and(|applier| !applier.is_finished());
        if let Some(running) = running {
            blocking(move || running.stop()).await?;
        }
        let (store, status) = (Arc::clone(&self.store), Arc::clone(&self.applier_status));
        let committed = blocking(move || applier::commit_empty(store, &status, gtid)).await?;
        if goes_on {
            let until = self.applier_status.snapshot().until;
            self.start_applier(&mut threads, until, Begins::Again)
                .await?;
        }
        if let Ok(false) = committed {
            return Err(SqlError::lock_deadlock());
        }
        committed
            .map(drop)
            .map_err(|error| SqlError::new(error.code(), "HY000", error.to_string()))
    }
}
