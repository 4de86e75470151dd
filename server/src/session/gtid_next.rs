//! `SET gtid_next`: under which identifier the session's next transaction is logged.
//!
//! ```text
//! AUTOMATIC -> owned (SET to a GTID that nobody has executed)    -> used (COMMIT or ROLLBACK)
//!           -> executed (SET to one that is: writes are skipped) -> used (COMMIT or ROLLBACK)
//! used      -> whatever SET says; until then nothing that is logged may run (1837)
//! ```
//! A statement that is a transaction by itself uses the identifier when it has changed something or
//! failed; an explicit COMMIT uses it always, as an empty transaction if need be.

use engine::outcome::Outcome;
use gtid::Gtid;
use sql::Statement;
use sql::error::SqlError;

use super::{Session, kinds};
use crate::accounts::Privilege;
use crate::role::OwnedGtid;
use crate::variables::{Assigned, VariableValue};

/// State of `gtid_next`.
#[derive(Debug, Default)]
pub(super) enum GtidNext {
    /// The server numbers the transaction.
    #[default]
    Automatic,
    /// No identifier: what a server with `gtid_mode=OFF` does in any case.
    Anonymous,
    /// Nobody else can commit under it.
    Owned {
        gtid: Gtid,
        #[expect(dead_code, reason = "gives the identifier back when it is dropped")]
        right: OwnedGtid,
    },
    /// It is executed: what would be logged is skipped.
    Executed(Gtid),
    /// Its transaction is over.
    Used(Gtid),
}

impl GtidNext {
    fn gtid(&self) -> Option<Gtid> {
        match self {
            Self::Automatic | Self::Anonymous => None,
            Self::Owned { gtid, .. } | Self::Executed(gtid) | Self::Used(gtid) => Some(*gtid),
        }
    }

    /// The identifier that the session owns.
    pub(super) fn owned(&self) -> Option<Gtid> {
        match self {
            Self::Owned { gtid, .. } => Some(*gtid),
            Self::Automatic | Self::Anonymous | Self::Executed(_) | Self::Used(_) => None,
        }
    }

    /// The value of `@@gtid_next`.
    fn shown(&self) -> String {
        match self {
            Self::Automatic => "AUTOMATIC".to_owned(),
            Self::Anonymous => "ANONYMOUS".to_owned(),
            Self::Owned { gtid, .. } | Self::Executed(gtid) | Self::Used(gtid) => gtid.to_string(),
        }
    }
}

impl Session {
    /// SET gtid_next.
    pub(super) async fn set_gtid_next(&mut self, value: &Assigned) -> Result<(), SqlError> {
        self.require_replay_by(
            "SUPER, SYSTEM_VARIABLES_ADMIN, SESSION_VARIABLES_ADMIN or REPLICATION_APPLIER",
        )?;
        if self.transaction.is_open() {
            return Err(SqlError::gtid_next_cant_be_changed());
        }
        if let Some(gtid) = self.gtid_next.owned() {
            return Err(SqlError::client_owns_gtid(gtid));
        }
        let text = gtid_text(value)?;
        let next = match text.trim() {
            word if word.eq_ignore_ascii_case("AUTOMATIC") => GtidNext::Automatic,
            word if word.eq_ignore_ascii_case("ANONYMOUS") => self.anonymous()?,
            word if starts_with_automatic(word) => {
                return Err(SqlError::not_supported("SET gtid_next = 'AUTOMATIC:TAG'"));
            }
            gtid => {
                let gtid: Gtid = gtid.parse().map_err(|_| SqlError::malformed_gtid(&text))?;
                self.own(gtid).await?
            }
        };
        self.become_next(next);
        Ok(())
    }

    fn anonymous(&self) -> Result<GtidNext, SqlError> {
        match self.node.variables.value("gtid_mode") {
            Some(VariableValue::Text(mode)) if mode == "OFF" => Ok(GtidNext::Anonymous),
            // Differs from MySQL: with ON_PERMISSIVE too every transaction has an identifier.
            _ => Err(SqlError::gtid_next_cannot_be_anonymous()),
        }
    }

    async fn own(&mut self, gtid: Gtid) -> Result<GtidNext, SqlError> {
        if !self.context.is_logged {
            // The log is where executed identifiers are kept.
            return Err(SqlError::not_supported("SET gtid_next with sql_log_bin=0"));
        }
        let process = std::sync::Arc::clone(&self.registered.process);
        let connection_id = self.context.connection_id;
        let owned = tokio::select! {
            biased;
            () = process.killed() => return Err(SqlError::query_interrupted()),
            owned = self.node.role.own_gtid(gtid, connection_id) => owned?,
        };
        Ok(match owned {
            Some(right) => GtidNext::Owned { gtid, right },
            None => GtidNext::Executed(gtid),
        })
    }

    pub(super) fn become_next(&mut self, next: GtidNext) {
        self.context.gtid_next = next.owned();
        let owned = next.owned().map(|gtid| gtid.to_string());
        self.variables
            .state
            .show_gtids(next.shown(), owned.unwrap_or_default());
        self.gtid_next = next;
    }

    /// Whether `gtid_next` lets the statement run; `Some` is the answer of one that is skipped.
    pub(super) fn ask_gtid_next(
        &mut self,
        statement: &Statement,
    ) -> Result<Option<Outcome>, SqlError> {
        let logs = kinds::is_logged(statement);
        let is_open = self.transaction.is_open();
        let begins = kinds::commits_first(statement)
            || matches!(
                statement,
                Statement::Transaction(sql::ast::Transaction::Begin { .. })
            );
        match &self.gtid_next {
            GtidNext::Automatic | GtidNext::Anonymous => Ok(None),
            GtidNext::Owned { .. } | GtidNext::Executed(_) if is_open && begins => {
                Err(SqlError::implicit_commit_with_gtid())
            }
            GtidNext::Owned { .. } => Ok(None),
            GtidNext::Used(gtid) if logs || kinds::commits_first(statement) => {
                Err(SqlError::gtid_next_is_used(gtid))
            }
            GtidNext::Used(_) => Ok(None),
            GtidNext::Executed(_) if logs => {
                if statement.is_write() {
                    self.open_implicitly();
                }
                if !self.is_in_transaction() || kinds::commits_first(statement) {
                    self.use_gtid_next();
                }
                Ok(Some(Outcome::done()))
            }
            GtidNext::Executed(_) => Ok(None),
        }
    }

    /// A transaction is over: its identifier cannot be used again.
    pub(super) fn use_gtid_next(&mut self) {
        if let Some(gtid) = self.gtid_next.gtid() {
            self.become_next(GtidNext::Used(gtid));
        }
    }

    /// After a statement that was a transaction by itself.
    pub(super) async fn settle_gtid_next(
        &mut self,
        statement: &Statement,
        result: Result<Outcome, SqlError>,
    ) -> Result<Outcome, SqlError> {
        let Some(gtid) = self.gtid_next.owned() else {
            return result;
        };
        // With autocommit off too, what commits by itself is a transaction by itself.
        if self.is_in_transaction() && !kinds::commits_first(statement) {
            return result;
        }
        if !kinds::is_logged(statement) {
            // As in MySQL, whatever fails outside a transaction has rolled one back.
            if result.is_err() {
                self.use_gtid_next();
            }
            return result;
        }
        let mut result = result;
        if result.is_ok() && matches!(statement, Statement::Account(_)) {
            // Accounts are not in the log; the place that the transaction had there is.
            let committed = self.commit_empty().await;
            result = committed.and(result);
        }
        if result.is_err() || self.node.role.gtid_executed().contains(&gtid) {
            self.use_gtid_next();
        }
        result
    }

    /// Commits a transaction without changes. Where nobody but an applier writes, that waits for whoever
    /// holds up commits, which must not be this session.
    pub(super) async fn commit_empty(&mut self) -> Result<(), SqlError> {
        let executor = &self.node.executor;
        if self.read_lock.is_some() && !executor.takes_writes() {
            let text = "Can't execute the query because you have a conflicting read lock";
            return Err(SqlError::new(1223, "HY000", text));
        }
        executor.commit_empty(&self.context).await
    }

    /// Fails with 1227 for accounts that may not replay what other servers did; `names` is MySQL's
    /// list of the privileges for it.
    pub(super) fn require_replay_by(&self, names: &str) -> Result<(), SqlError> {
        let may = [Privilege::Super, Privilege::SystemVariablesAdmin];
        if may.iter().any(|privilege| self.account.has(*privilege)) {
            return Ok(());
        }
        Err(SqlError::specific_access_denied(names))
    }
}

fn starts_with_automatic(word: &str) -> bool {
    word.get(..10)
        .is_some_and(|head| head.eq_ignore_ascii_case("AUTOMATIC:"))
}

/// The text that is assigned; MySQL's errors for what is none.
fn gtid_text(value: &Assigned) -> Result<String, SqlError> {
    match value {
        Assigned::Default => Ok("AUTOMATIC".to_owned()),
        Assigned::Word(word) if word.eq_ignore_ascii_case("NULL") => {
            Err(SqlError::wrong_value_for_var("gtid_next", "NULL"))
        }
        Assigned::Word(word) => Ok(word.clone()),
        Assigned::Value(given) if given.is_null() => {
            Err(SqlError::wrong_value_for_var("gtid_next", "NULL"))
        }
        Assigned::Value(given) => {
            let text = given.characters().map(str::to_owned);
            text.ok_or_else(|| SqlError::wrong_type_for_var("gtid_next"))
        }
    }
}
