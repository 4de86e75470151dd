//! Which variables SET PERSIST keeps, the text it keeps, and what a start makes of it.
//!
//! A variable that an option of the same name sets is laid over the options when those are read; it
//! is in the settings already. The others get their value here, as SET GLOBAL would give it.

use config::persisted::{FILE_NAME, Persisted, PersistedVariable, option_of};
use engine::value::datum::Datum;
use engine::value::sourced::Sourced;
use sql::error::SqlError;

use super::definition::{Access, Definition, Kind, Scope};
use super::names::{find, stored_name};
use super::value::{self, Assigned, VariableValue};
use super::{GlobalVariables, settle};

/// Which of the two statements keeps a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// SET PERSIST, which also sets the running value.
    Persist,
    /// SET PERSIST_ONLY.
    PersistOnly,
}

/// State of the log or of the applier rather than settings.
const NEVER_KEPT: [&str; 3] = [
    "gtid_purged",
    "sql_replica_skip_counter",
    "sql_slave_skip_counter",
];

/// A persisted variable that cannot have its value.
#[derive(Debug, thiserror::Error)]
#[error(
    "{file}: the persisted variable '{name}' cannot be '{value}' ({reason}); correct it in the file \
     or take it out, or start with --persisted-globals-load=OFF and use RESET PERSIST"
)]
pub struct PersistedValueError {
    file: String,
    name: String,
    value: String,
    reason: String,
}

/// The name under which a variable is kept.
///
/// # Errors
/// 1193, 1228 and 1238 as MySQL.
pub(crate) fn kept_name(
    name: &str,
    keeping: Keeping,
    options: &Persisted,
) -> Result<&'static str, SqlError> {
    let definition = find(name).ok_or_else(|| SqlError::unknown_system_variable(name))?;
    if definition.scope == Scope::Session {
        return Err(SqlError::local_variable(name));
    }
    if definition.access == Access::ReadOnly {
        let scope = match keeping {
            Keeping::Persist => "read only",
            Keeping::PersistOnly if options.default_of(name).is_some() => "",
            Keeping::PersistOnly => "non persistent read only",
        };
        if !scope.is_empty() {
            return Err(SqlError::incorrect_global_local_var(name, scope));
        }
    }
    Ok(stored_name(definition.name))
}

/// Fails for a variable that can be set and is none that can be kept.
pub(crate) fn check_kept(name: &str) -> Result<(), SqlError> {
    match NEVER_KEPT.contains(&name) {
        true => Err(SqlError::incorrect_global_local_var(name, "non persistent")),
        false => Ok(()),
    }
}

/// The text of a value in the file.
pub(crate) fn kept_text(value: &VariableValue) -> String {
    value.shown()
}

impl GlobalVariables {
    /// The text that SET PERSIST_ONLY keeps of `assigned`, and the warning if it was brought into
    /// range. Whether the next start takes it, the options say.
    ///
    /// # Errors
    /// 1231, 1232, 1235 and 6008 as MySQL.
    pub(crate) fn text_at_start(
        &self,
        name: &str,
        assigned: &Assigned,
        options: &Persisted,
    ) -> Result<(String, Option<SqlError>), SqlError> {
        let definition = find(name).ok_or_else(|| SqlError::unknown_system_variable(name))?;
        if *assigned == Assigned::Default
            && let Some(default) = options.default_of(name)
        {
            return Ok((default.to_owned(), None));
        }
        if definition.access != Access::ReadOnly {
            let present = self.read(stored_name(definition.name));
            let initial = value::initial(definition);
            let (value, warning) = settle(definition, assigned, present, initial)?;
            return Ok((kept_text(&value), warning));
        }
        // What is fixed while the server runs may still be another at the next start.
        let given = match assigned {
            Assigned::Default => return Err(SqlError::no_default(name)),
            Assigned::Value(given) if given.is_null() && definition.kind != Kind::NullableText => {
                return Err(SqlError::null_cant_be_persisted_for_readonly(name));
            }
            Assigned::Word(word) => Datum::text(word).into(),
            Assigned::Value(value) => value.clone(),
        };
        let (value, was_clamped) = value::checked(definition, &given)?;
        Ok((
            kept_text(&value),
            was_clamped.then(|| truncated(name, &given)),
        ))
    }

    /// Gives the variables that no option sets the values that are kept.
    ///
    /// # Errors
    /// When one cannot have its value.
    pub(crate) fn load_persisted(
        &self,
        persisted: &Persisted,
        datadir: &std::path::Path,
    ) -> Result<(), PersistedValueError> {
        if !persisted.is_loaded {
            return Ok(());
        }
        for (name, variable) in persisted.variables.iter() {
            if option_of(name).is_some() {
                continue;
            }
            let can_be_kept = kept_name(name, Keeping::Persist, persisted).is_ok();
            let Some(definition) =
                find(name).filter(|_| can_be_kept && !NEVER_KEPT.contains(&name))
            else {
                tracing::warn!(name, "unknown variable in {FILE_NAME} is passed over");
                continue;
            };
            match self.set(name, &assigned(definition, variable)) {
                Ok(None) => {}
                Ok(Some(warning)) => tracing::warn!("{FILE_NAME}: {}", warning.message),
                Err(error) => {
                    return Err(PersistedValueError {
                        file: datadir.join(FILE_NAME).display().to_string(),
                        name: name.to_owned(),
                        value: variable.value.clone(),
                        reason: error.message,
                    });
                }
            }
        }
        Ok(())
    }
}

/// A kept text as SET gives it.
fn assigned(definition: &Definition, variable: &PersistedVariable) -> Assigned {
    let text = variable.value.as_str();
    let may_be_null =
        definition.kind == Kind::NullableText || definition.name == "character_set_results";
    let value = match definition.kind {
        Kind::Unsigned { .. } => match (text.parse(), text.parse()) {
            (Ok(number), _) => Datum::UInt(number),
            (_, Ok(negative)) => Datum::Int(negative),
            _ => Datum::text(text),
        },
        _ if may_be_null && text.is_empty() => Datum::Null,
        _ => Datum::text(text),
    };
    Assigned::Value(value.into())
}

/// 1292 of a number that was brought into range.
pub(super) fn truncated(name: &str, given: &Sourced) -> SqlError {
    let shown = given.to_text().unwrap_or_default();
    let text = format!("Truncated incorrect {name} value: '{shown}'");
    SqlError::new(1292, "22007", text)
}
