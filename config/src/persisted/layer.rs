//! The persisted variables as the uppermost layer of the options.
//!
//! At a start they lie over the command line, as in MySQL. While the server runs, what a statement
//! wants to keep is first laid over the same options, so that no statement keeps what the next start
//! would refuse.

use std::path::Path;
use std::sync::Arc;

use super::{FILE_NAME, PersistedVariables, option_of};
use crate::definition::{self, Role, Roles};
use crate::layers::{Found, Layers};
use crate::{
    ConfigError, ConfigErrors, Effective, Origin, PrimarySettings, ReplicaSettings, Warning,
};

/// What lies in a data directory, and what it lies over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Persisted {
    /// What the file said when the options were read.
    pub variables: PersistedVariables,
    /// Whether the variables counted then.
    pub is_loaded: bool,
    /// The options without them.
    below: Option<Arc<Effective>>,
}

impl Persisted {
    /// The options without the variables.
    pub(crate) fn below(&self) -> Option<&Effective> {
        self.below.as_deref()
    }

    /// Fails as a start with the options of this process would, if `variables` lay over them.
    ///
    /// # Errors
    ///
    /// Every mistake in the options that come of it.
    pub fn check(&self, variables: &PersistedVariables) -> Result<(), ConfigErrors> {
        let Some(below) = &self.below else {
            return Ok(());
        };
        let mut layers = Layers::over(Effective::clone(below));
        layers.lay(variables, &Arc::new(FILE_NAME.into()));
        match layers.effective.role() {
            Role::Primary => {
                drop(PrimarySettings::read(&layers.effective, &mut layers.errors));
            }
            Role::Replica => {
                drop(ReplicaSettings::read(&layers.effective, &mut layers.errors));
            }
        }
        match layers.errors.is_empty() {
            true => Ok(()),
            false => Err(ConfigErrors(layers.errors)),
        }
    }

    /// What the option behind the variable of that name is without its being persisted or written:
    /// the default. `None` if there is no such option here.
    #[must_use]
    pub fn default_of(&self, variable: &str) -> Option<&'static str> {
        let role = self.below.as_ref()?.role();
        let definition = definition::find(option_of(variable)?)?;
        let is_here = definition.roles.contains(role);
        is_here.then(|| definition.default_in(role))
    }
}

impl Layers {
    /// Reads what is persisted and, if it is `wanted` and the options do not say otherwise, lets it
    /// count.
    pub(crate) fn persisted(&mut self, wanted: bool) {
        let Some(datadir) = self.effective.text("datadir") else {
            return;
        };
        let variables = match PersistedVariables::read(Path::new(&datadir)) {
            Ok(variables) => variables,
            Err(error) => {
                self.errors.push(ConfigError::Persisted(error));
                return;
            }
        };
        let below = Arc::new(self.effective.clone());
        let is_loaded = wanted && self.effective.flag("persisted_globals_load");
        if is_loaded {
            let path = Arc::new(Path::new(&datadir).join(FILE_NAME));
            self.lay(&variables, &path);
        }
        self.effective.persisted = Persisted {
            variables,
            is_loaded,
            below: Some(below),
        };
    }

    /// Lays those of `variables` that are options over the others.
    fn lay(&mut self, variables: &PersistedVariables, path: &Arc<std::path::PathBuf>) {
        let role = self.effective.role();
        let origin = || Origin::Persisted(Arc::clone(path));
        for (name, variable) in variables.iter() {
            let Some(definition) = option_of(name).and_then(definition::find) else {
                if definition::find(name).is_some() {
                    let message = format!("'{name}' is not a variable that can be persisted");
                    let origin = origin();
                    self.errors
                        .push(ConfigError::Contradiction { origin, message });
                }
                continue;
            };
            if let Roles::Only(only) = definition.roles
                && only != role
            {
                let message = format!(
                    "the persisted '{name}' is ignored: it acts only in `weir {}`",
                    only.name()
                );
                let origin = origin();
                self.warnings.push(Warning { origin, message });
                continue;
            }
            let found = Found {
                name: name.to_owned(),
                definition,
                factor: 1,
            };
            self.found(found, Some(variable.value.clone()), origin());
        }
    }
}
