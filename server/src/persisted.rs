//! The variables that SET PERSIST keeps, in memory and in the data directory.
//!
//! What is shown is what the file says: a change is first judged as the next start would judge it,
//! then written as a whole and synced, and only then seen.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use config::persisted::{FILE_NAME, Persisted, PersistedVariables};
use config::{ConfigError, ConfigErrors, ServerSettings};
use sql::error::SqlError;

use crate::private_file;

/// The file of a node.
#[derive(Debug)]
pub(crate) struct PersistedFile {
    path: PathBuf,
    /// What the variables lie over at a start.
    options: Persisted,
    /// What the file says. Held while the file is written, never across an await.
    current: Mutex<PersistedVariables>,
}

impl PersistedFile {
    /// The file of the data directory, as it was read with the options.
    pub(crate) fn new(settings: &ServerSettings) -> Self {
        Self {
            path: settings.datadir.join(FILE_NAME),
            options: settings.persisted.clone(),
            current: Mutex::new(settings.persisted.variables.clone()),
        }
    }

    /// What the variables lie over at a start.
    pub(crate) const fn options(&self) -> &Persisted {
        &self.options
    }

    /// What the file says.
    pub(crate) fn snapshot(&self) -> PersistedVariables {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Adds variables to the file, or gives them other values.
    ///
    /// # Errors
    /// 1231 and 1235 for what the next start would refuse; 3549 when the file cannot be written.
    pub(crate) fn keep(&self, add: impl FnOnce(&mut PersistedVariables)) -> Result<(), SqlError> {
        self.change(|variables| {
            add(variables);
            self.options.check(variables).map_err(refusal)
        })
    }

    /// Takes variables out of the file.
    ///
    /// # Errors
    /// What `remove` says; 3549 when the file cannot be written.
    pub(crate) fn change(
        &self,
        change: impl FnOnce(&mut PersistedVariables) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = current.clone();
        change(&mut changed)?;
        if changed == *current {
            return Ok(());
        }
        let text = changed.encode();
        private_file::replace(&self.path, text.as_bytes(), private_file::DATA).map_err(
            |error| {
                tracing::error!(path = %self.path.display(), %error, "cannot persist variables");
                SqlError::cannot_persist_variables()
            },
        )?;
        *current = changed;
        Ok(())
    }
}

/// Why the next start would refuse what a statement wants to keep.
fn refusal(errors: ConfigErrors) -> SqlError {
    match errors.0.into_iter().next() {
        Some(ConfigError::BadValue { option, value, .. }) => {
            SqlError::wrong_value_for_var(option, value)
        }
        Some(ConfigError::Contradiction { message, .. }) => {
            SqlError::not_supported(format!("SET PERSIST: {message}"))
        }
        Some(other) => SqlError::not_supported(format!("SET PERSIST: {other}")),
        None => SqlError::unknown_error(),
    }
}
