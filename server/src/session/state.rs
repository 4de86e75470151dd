//! What the session is: its default database, what it may, what its variables show.

use std::sync::atomic::Ordering;

use engine::catalog::SYSTEM_SCHEMA;
use sql::ast::AccountName;
use sql::error::{SqlError, WarningLevel};

use super::Session;
use crate::accounts::Privilege;
use crate::view::{View, Viewer};

impl Session {
    /// What statements that only look at the node look with.
    pub(super) fn view(&self) -> View<'_> {
        View {
            viewer: Viewer {
                node: &self.node,
                account: &self.account,
            },
            database: self.context.database.as_deref(),
            warnings: &self.context.warnings,
            zone: &self.context.time_zone,
            variables: &self.variables,
            tls: self.connection.tls_session(),
        }
    }

    /// Keeps the variables that show the session's state.
    pub(super) fn show_state(&self) {
        let warnings = &self.context.warnings;
        let errors = warnings
            .iter()
            .filter(|w| w.level == WarningLevel::Error)
            .count();
        let shown = &self.variables.state;
        shown
            .last_insert_id
            .store(self.context.last_insert_id, Ordering::Relaxed);
        shown
            .warnings
            .store(warnings.len() as u64, Ordering::Relaxed);
        shown.errors.store(errors as u64, Ordering::Relaxed);
    }

    /// USE and COM_INIT_DB.
    pub(super) fn use_database(&mut self, name: &str) -> Result<(), SqlError> {
        if !self.account.has_any_on(name) && !name.eq_ignore_ascii_case("information_schema") {
            let AccountName { user, host } = &self.account.name;
            return Err(SqlError::db_access_denied(user, host, name));
        }
        let virtual_schema = crate::information_schema::canonical(name);
        let collation = match virtual_schema {
            Some(_) => &engine::collation::UTF8MB4_0900_AI_CI,
            None => {
                let catalog = self.node.readers.database().catalog();
                match catalog.databases.get(name) {
                    None if name == SYSTEM_SCHEMA => &engine::collation::UTF8MB4_0900_AI_CI,
                    _ => catalog.database(name)?.collation,
                }
            }
        };
        self.context.database = Some(virtual_schema.map_or_else(|| name.to_owned(), str::to_owned));
        self.variables.follow_database(collation);
        Ok(())
    }

    /// Fails with 1227 unless the account has one of the privileges.
    /// Fails with 1227 for accounts that may not set global variables.
    pub(super) fn require_variables(&self) -> Result<(), SqlError> {
        let may = [Privilege::Super, Privilege::SystemVariablesAdmin];
        match may.iter().any(|privilege| self.account.has(*privilege)) {
            true => Ok(()),
            false => {
                let names = "SUPER or SYSTEM_VARIABLES_ADMIN";
                Err(SqlError::specific_access_denied(names))
            }
        }
    }

    pub(super) fn require_any(&self, privileges: &[Privilege]) -> Result<(), SqlError> {
        if privileges
            .iter()
            .any(|privilege| self.account.has(*privilege))
        {
            return Ok(());
        }
        let names: Vec<_> = privileges
            .iter()
            .map(|privilege| privilege.name())
            .collect();
        Err(SqlError::specific_access_denied(names.join(", ")))
    }
}
