//! SET PERSIST, SET PERSIST_ONLY and RESET PERSIST: variables that the next start begins with.
//!
//! As in MySQL, what may be kept and by whom is asked of every variable of a statement before any
//! changes; the running values change before the file does, and the file is written once.

use config::persisted::{PersistedVariable, PersistedVariables, Section};
use engine::outcome::Outcome;
use sql::ast::{SetItem, SetScope};
use sql::error::SqlError;

use super::Session;
use crate::accounts::Privilege as P;
use crate::clock;
use crate::variables::{Assigned, Keeping, check_kept, kept_name, kept_text};

/// What a statement keeps: names and texts.
pub(super) type Kept = Vec<(&'static str, String)>;

/// Which statement that keeps variables `scope` stands for.
pub(super) const fn keeping(scope: SetScope) -> Option<Keeping> {
    match scope {
        SetScope::Persist => Some(Keeping::Persist),
        SetScope::PersistOnly => Some(Keeping::PersistOnly),
        SetScope::Session | SetScope::Global | SetScope::NextTransaction => None,
    }
}

impl Session {
    /// Whether the session may keep what `item` names.
    pub(super) fn check_persist(&self, item: &SetItem) -> Result<(), SqlError> {
        let (scope, name) = match item {
            SetItem::System { scope, name, .. } => (*scope, name),
            SetItem::Transaction { scope, .. } if keeping(*scope).is_some() => {
                return Err(SqlError::cannot_persist_transaction_isolation());
            }
            SetItem::User { .. }
            | SetItem::Names { .. }
            | SetItem::CharacterSet(_)
            | SetItem::Transaction { .. } => return Ok(()),
        };
        let Some(keeping) = keeping(scope) else {
            return Ok(());
        };
        kept_name(name, keeping, self.node.persisted.options())?;
        match keeping {
            Keeping::Persist => self.require_variables()?,
            Keeping::PersistOnly => self.require_both()?,
        }
        check_kept(name)?;
        match name.as_str() {
            "binlog_encryption" => self.require_any(&[P::Super, P::BinlogEncryptionAdmin]),
            // Every other variable takes no more.
            _ => Ok(()),
        }
    }

    fn require_both(&self) -> Result<(), SqlError> {
        let needed = [P::SystemVariablesAdmin, P::PersistRoVariablesAdmin];
        if needed.iter().all(|privilege| self.account.has(*privilege)) {
            return Ok(());
        }
        let [first, second] = needed.map(P::name);
        Err(SqlError::persist_only_access_denied(format!(
            "{first} and {second}"
        )))
    }

    /// Sets a variable as far as it is to be set now; what is to be kept of it.
    pub(super) async fn persist(
        &mut self,
        keeping: Keeping,
        name: &str,
        value: Assigned,
    ) -> Result<(&'static str, String), SqlError> {
        let kept = kept_name(name, keeping, self.node.persisted.options())?;
        match keeping {
            Keeping::Persist => {
                self.assign_global(name, value).await?;
                let value = self.node.variables.value(kept);
                let value = value.ok_or_else(|| SqlError::unknown_system_variable(name))?;
                Ok((kept, kept_text(&value)))
            }
            Keeping::PersistOnly => {
                let options = self.node.persisted.options();
                let variables = &self.node.variables;
                let (text, warning) = variables.text_at_start(kept, &value, options)?;
                if let Some(warning) = warning {
                    self.context.warn(warning);
                }
                Ok((kept, text))
            }
        }
    }

    /// Writes down what a statement keeps.
    pub(super) fn keep(&self, kept: Kept) -> Result<(), SqlError> {
        if kept.is_empty() {
            return Ok(());
        }
        let timestamp = clock::now_micros();
        self.node.persisted.keep(|variables| {
            for (name, value) in kept {
                let variable = PersistedVariable {
                    section: Section::of(name),
                    value,
                    host: self.context.host.clone(),
                    user: self.account.name.user.clone(),
                    timestamp,
                };
                variables.insert(name.to_owned(), variable);
            }
        })
    }

    /// RESET PERSIST. The running values stay.
    pub(super) fn reset_persist(
        &mut self,
        if_exists: bool,
        name: Option<&str>,
    ) -> Result<Outcome, SqlError> {
        let file = &self.node.persisted;
        let Some(name) = name else {
            file.change(|variables| {
                self.check_reset(variables.iter().map(|(_, variable)| variable))?;
                *variables = PersistedVariables::default();
                Ok(())
            })?;
            return Ok(Outcome::done());
        };
        let mut is_known = true;
        file.change(|variables| {
            let removed = variables.remove(&name.to_lowercase());
            is_known = removed.is_some();
            self.check_reset(removed.iter())
        })?;
        match (is_known, if_exists) {
            (true, _) => {}
            (false, true) => self.context.warn(SqlError::variable_not_persisted(name)),
            (false, false) => return Err(SqlError::variable_not_persisted(name)),
        }
        Ok(Outcome::done())
    }

    fn check_reset<'a>(
        &self,
        mut removed: impl Iterator<Item = &'a PersistedVariable> + Clone,
    ) -> Result<(), SqlError> {
        let is_static = |variable: &PersistedVariable| variable.section.is_static();
        if removed.clone().any(|variable| !is_static(variable)) {
            self.require_variables()?;
        }
        match removed.any(is_static) {
            true => self.require_both(),
            false => Ok(()),
        }
    }
}
