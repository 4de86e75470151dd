//! SET: every value is evaluated first, then the variables change, in order.

use std::sync::Arc;

use engine::outcome::{Outcome, ResultColumn};
use engine::session::TimeZone;
use engine::value::cell;
use engine::value::datum::Datum;
use engine::value::sourced::Sourced;
use sql::Parsed;
use sql::ast::{Expression, SetItem, SetScope, SetValue, TransactionCharacteristic};
use sql::error::SqlError;

use super::Session;
use super::persist::{Kept, keeping};
use crate::accounts::Privilege;
use crate::variables::Assigned;
use binlog::value::Value;

/// What only replays need to set.
const REPLAYED: [&str; 7] = [
    "pseudo_replica_mode",
    "pseudo_slave_mode",
    "pseudo_thread_id",
    "original_commit_timestamp",
    "original_server_version",
    "immediate_server_version",
    "rbr_exec_mode",
];

impl Session {
    /// `parameters` are the values of the `?` markers, in the order of the text.
    pub(super) async fn set(
        &mut self,
        items: &[SetItem],
        parameters: Vec<Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        for item in items {
            self.check_persist(item)?;
        }
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            values.push(self.value_of(item, &parameters).await?);
        }
        let mut kept = Kept::new();
        for (item, value) in items.iter().zip(values) {
            match item {
                SetItem::System { scope, name, .. } if let Some(keeping) = keeping(*scope) => {
                    kept.push(self.persist(keeping, name, value).await?);
                }
                item => self.assign(item, value).await?,
            }
        }
        self.keep(kept)?;
        Ok(Outcome::done())
    }

    /// The value on the right side, where there is one.
    async fn value_of(
        &mut self,
        item: &SetItem,
        parameters: &[Value<'static>],
    ) -> Result<Assigned, SqlError> {
        let expression = match item {
            SetItem::User { value, .. } => value,
            SetItem::System {
                value: SetValue::Expression(value),
                ..
            } => value,
            SetItem::System {
                value: SetValue::Word(word),
                ..
            } => {
                return Ok(Assigned::Word(word.clone()));
            }
            SetItem::System {
                value: SetValue::Default,
                ..
            }
            | SetItem::Names { .. }
            | SetItem::CharacterSet(_)
            | SetItem::Transaction { .. } => return Ok(Assigned::Default),
        };
        if let Some(literal) = literal(&expression.text) {
            return Ok(Assigned::Value(literal));
        }
        // The value's own warnings are the statement's.
        let (columns, mut row) = self.evaluate_one(expression, parameters).await?;
        let (Some(column), Some(value)) = (columns.first(), row.pop()) else {
            return Err(SqlError::unknown_error());
        };
        Ok(Assigned::Value(given(column, value)))
    }

    async fn evaluate_one(
        &mut self,
        expression: &Expression,
        parameters: &[Value<'static>],
    ) -> Result<(Vec<ResultColumn>, Vec<Value<'static>>), SqlError> {
        let one = std::iter::once(&expression.expr);
        let parsed = Parsed::evaluating(one, parameters.len(), self.context.sql_mode);
        self.evaluate(parsed, parameters.to_vec()).await
    }

    async fn assign(&mut self, item: &SetItem, value: Assigned) -> Result<(), SqlError> {
        match item {
            SetItem::User { name, .. } => {
                if let Assigned::Value(value) = value {
                    self.set_user_variable(name, value)?;
                }
                Ok(())
            }
            SetItem::System { scope, name, .. } => self.assign_system(*scope, name, value).await,
            SetItem::Names { charset, collation } => {
                let variables = Arc::clone(&self.variables);
                variables.set_names(charset.as_deref(), collation.as_deref(), &mut self.context)
            }
            SetItem::CharacterSet(charset) => {
                let variables = Arc::clone(&self.variables);
                variables.set_names(charset.as_deref(), None, &mut self.context)
            }
            SetItem::Transaction {
                scope: SetScope::NextTransaction,
                characteristics,
            } => self.characterise_next(characteristics),
            SetItem::Transaction {
                scope,
                characteristics,
            } => {
                for characteristic in characteristics {
                    let (name, value) = match characteristic {
                        TransactionCharacteristic::Isolation(level) => {
                            ("transaction_isolation", (*level).to_owned())
                        }
                        TransactionCharacteristic::ReadOnly(only) => {
                            ("transaction_read_only", u8::from(*only).to_string())
                        }
                    };
                    self.assign_system(*scope, name, Assigned::Word(value))
                        .await?;
                }
                Ok(())
            }
        }
    }

    async fn assign_system(
        &mut self,
        scope: SetScope,
        name: &str,
        value: Assigned,
    ) -> Result<(), SqlError> {
        match scope {
            // What is kept besides was taken apart from the others before.
            SetScope::Persist | SetScope::PersistOnly | SetScope::Global => {
                return self.assign_global(name, value).await;
            }
            SetScope::Session | SetScope::NextTransaction => {}
        }
        if self.assign_transient(name, &value)? {
            return Ok(());
        }
        if name == "gtid_next" {
            return self.set_gtid_next(&value).await;
        }
        self.check_replay(name, &value)?;
        let was_autocommit = self.is_autocommit();
        let variables = Arc::clone(&self.variables);
        let warning = variables.set(name, &value, &mut self.context)?;
        if let Some(warning) = warning {
            self.context.warn(warning);
        }
        // Switching autocommit on commits.
        if name == "autocommit" && !was_autocommit && self.is_autocommit() {
            self.commit().await?;
        }
        Ok(())
    }

    /// What only those may set who replay what other servers did, and when.
    fn check_replay(&self, name: &str, value: &Assigned) -> Result<(), SqlError> {
        if REPLAYED.contains(&name) {
            return self.require_replay_by(
                "SUPER, SYSTEM_VARIABLES_ADMIN, SESSION_VARIABLES_ADMIN or REPLICATION_APPLIER",
            );
        }
        match name {
            "session_track_gtids" => {
                if self.transaction.is_open() {
                    return Err(SqlError::variable_not_settable_in_transaction(name));
                }
                match self.gtid_next.owned() {
                    Some(gtid) => Err(SqlError::cant_set_variable_when_owning_gtid(name, gtid)),
                    None => Ok(()),
                }
            }
            "sql_log_bin" => {
                self.require_replay_by("SUPER, SYSTEM_VARIABLES_ADMIN or SESSION_VARIABLES_ADMIN")?;
                if self.transaction.is_open() {
                    return Err(SqlError::sql_log_bin_inside_transaction());
                }
                let stays_on = match value {
                    Assigned::Default => true,
                    Assigned::Value(given) => matches!(given.value, Datum::Int(1)),
                    Assigned::Word(_) => false,
                };
                if self.gtid_next.owned().is_some() && !stays_on {
                    // The log is where executed identifiers are kept.
                    return Err(SqlError::not_supported("SET sql_log_bin=0 with gtid_next"));
                }
                Ok(())
            }
            // A name; whether there is such a variable, and whether it can be set, its table says.
            _any_other => Ok(()),
        }
    }

    async fn assign_purged(&mut self, value: Assigned) -> Result<(), SqlError> {
        let name = "gtid_purged";
        let text = match value {
            Assigned::Word(text) => text,
            Assigned::Value(given) if given.is_null() => {
                return Err(SqlError::wrong_value_for_var(name, "NULL"));
            }
            Assigned::Value(given) => match given.characters() {
                Some(text) => text.to_owned(),
                None => return Err(SqlError::wrong_type_for_var(name)),
            },
            Assigned::Default => return Err(SqlError::no_default(name)),
        };
        if self.transaction.is_open() {
            let text = "The system variable gtid_purged cannot be set when there is an ongoing \
                        transaction.";
            return Err(SqlError::new(1766, "HY000", text));
        }
        if let Some(gtid) = self.gtid_next.owned() {
            return Err(SqlError::gtid_purged_owns_gtid(gtid));
        }
        self.node.role.set_gtid_purged(&text).await
    }

    pub(super) async fn assign_global(
        &mut self,
        name: &str,
        value: Assigned,
    ) -> Result<(), SqlError> {
        self.require_variables()?;
        if name == "gtid_purged" {
            return self.assign_purged(value).await;
        }
        if name == "binlog_encryption" {
            return self.assign_encryption(&value).await;
        }
        if matches!(name, "sql_replica_skip_counter" | "sql_slave_skip_counter") {
            return self.assign_skip_counter(name, &value).await;
        }
        if let Some(warning) = self.node.variables.set(name, &value)? {
            self.context.warn(warning);
        }
        if matches!(name, "read_only" | "super_read_only") {
            self.node.role.settle_fence().await?;
        }
        if matches!(name, "replica_exec_mode" | "slave_exec_mode") {
            let mode = self.node.variables.value("replica_exec_mode");
            let is_idempotent = mode.is_some_and(|mode| mode.shown() == "IDEMPOTENT");
            self.node.role.set_idempotent(is_idempotent);
        }
        Ok(())
    }

    /// Differs from MySQL: it counts for transactions with GTIDs too, which are executed then.
    async fn assign_skip_counter(&mut self, name: &str, value: &Assigned) -> Result<(), SqlError> {
        let (count, warning) = self.node.variables.number_of(name, value)?;
        if let Some(warning) = warning {
            self.context.warn(warning);
        }
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.node.role.set_skip_counter(count).await
    }

    /// The logs change first; the variable shows what they are.
    async fn assign_encryption(&mut self, value: &Assigned) -> Result<(), SqlError> {
        self.require_any(&[Privilege::Super, Privilege::BinlogEncryptionAdmin])?;
        let variables = Arc::clone(&self.node.variables);
        let before = variables.is_on("binlog_encryption");
        variables.set("binlog_encryption", value)?;
        let on = variables.is_on("binlog_encryption");
        let switched = self.node.role.set_binlog_encryption(on).await;
        if switched.is_err() {
            let before = Assigned::Word(if before { "ON" } else { "OFF" }.to_owned());
            variables.set("binlog_encryption", &before)?;
        }
        switched
    }

    /// Variables that are state of the session rather than settings.
    fn assign_transient(&mut self, name: &str, value: &Assigned) -> Result<bool, SqlError> {
        if !matches!(
            name,
            "last_insert_id" | "identity" | "insert_id" | "timestamp"
        ) {
            return Ok(false);
        }
        let number = match value {
            Assigned::Default if name != "timestamp" => return Err(SqlError::no_default(name)),
            Assigned::Default => None,
            Assigned::Value(given) => match given.value {
                Datum::Int(value) => u64::try_from(value).ok(),
                Datum::UInt(value) => Some(value),
                _ if name == "timestamp" => return self.fix_now(given).map(|()| true),
                _ => return Err(SqlError::wrong_type_for_var(name)),
            },
            Assigned::Word(_) => return Err(SqlError::wrong_type_for_var(name)),
        };
        match name {
            "insert_id" => self.context.insert_id = number.filter(|id| *id != 0),
            "timestamp" => {
                let seconds = number.filter(|seconds| *seconds != 0);
                let micros = seconds.and_then(|seconds| seconds.checked_mul(1_000_000));
                self.fixed_now = micros.and_then(|micros| i64::try_from(micros).ok());
            }
            _ => self.context.last_insert_id = number.unwrap_or(0),
        }
        Ok(true)
    }

    /// SET timestamp = seconds.fraction.
    fn fix_now(&mut self, value: &Sourced) -> Result<(), SqlError> {
        let text = value.to_text().unwrap_or_default();
        let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let wrong = || SqlError::wrong_type_for_var("timestamp");
        let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
        let digits: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let micros: i64 = digits.parse().map_err(|_| wrong())?;
        self.fixed_now = seconds.checked_mul(1_000_000).map(|whole| whole + micros);
        Ok(())
    }
}

/// A plain number or string, which needs no evaluation: most of what clients send.
fn literal(text: &str) -> Option<Sourced> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(Datum::Int(number).into());
    }
    let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
    let is_plain = !inner.contains(['\'', '\\']);
    is_plain.then(|| Datum::text(inner).into())
}

/// Most fractional digits of a second.
const MICRO_DIGITS: u8 = 6;

/// A result's cell as a value of the session.
fn given(column: &ResultColumn, value: Value<'static>) -> Sourced {
    let is_bytes = column.collation.is_binary() && column.type_code != protocol::column_type::JSON;
    let fsp = column.decimals.min(MICRO_DIGITS);
    match value {
        Value::Year(year) => Datum::Int(year.into()).into(),
        other => match cell::alone(other, fsp, &TimeZone::utc()) {
            Datum::Text(bytes) if is_bytes || std::str::from_utf8(&bytes).is_err() => {
                Sourced::bytes(bytes)
            }
            other => other.into(),
        },
    }
}
