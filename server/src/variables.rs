//! System variables: the node's global values and each session's own.
//!
//! The table of what exists is in `definition`; here are the values. What a variable steers reads
//! it here (`read_only`, `wait_timeout` ...) or in the session's [`SessionContext`], which
//! [`SessionVariables::set`] keeps in step, so that a value shown is always the one in force.

mod definition;
mod from_settings;
mod names;
mod persist;
mod shown;
mod value;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use config::ServerSettings;
use engine::collation;
use engine::session::{SessionContext, SystemVariables, TimeZone};
use engine::value::datum::Datum;
use engine::value::sourced::Sourced;
use sql::SqlMode;
use sql::error::SqlError;

use crate::fence::Fence;
use definition::{Access, Definition, Scope};
use from_settings::from_settings;
use names::{find, stored_name};
use shown::Shown;

pub use persist::PersistedValueError;
pub(crate) use persist::{Keeping, check_kept, kept_name, kept_text};
pub use value::{Assigned, VariableValue};

/// Values that a role computes when they are asked for, such as `gtid_executed`.
pub trait LiveVariables: Send + Sync {
    /// The present value of a global variable, or `None` to show the stored one.
    fn live(&self, name: &str) -> Option<VariableValue>;
}

/// For a node that computes none.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoLiveVariables;

impl LiveVariables for NoLiveVariables {
    fn live(&self, _name: &str) -> Option<VariableValue> {
        None
    }
}

type Values = HashMap<&'static str, VariableValue>;

/// The global values of a node.
pub struct GlobalVariables {
    /// Written by SET GLOBAL; never held across an await.
    values: RwLock<Values>,
    live: Arc<dyn LiveVariables>,
    /// Whether the role takes no writes whatever anybody says, so that the fence stays shut.
    is_always_read_only: bool,
    /// Follows `read_only` and `super_read_only`.
    fence: Fence,
}

impl std::fmt::Debug for GlobalVariables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GlobalVariables").finish_non_exhaustive()
    }
}

impl GlobalVariables {
    /// The values at start: defaults, then `settings`, then what the role and the node know
    /// (`facts`: name and value; a name that no variable has is ignored).
    #[must_use]
    pub fn new(
        settings: &ServerSettings,
        facts: &[(&str, String)],
        live: Arc<dyn LiveVariables>,
    ) -> Self {
        let mut values: Values = definition::all()
            .iter()
            .map(|definition| (definition.name, value::initial(definition)))
            .collect();
        let of_settings = from_settings(settings);
        let named = of_settings.iter().map(|(name, text)| (*name, text));
        for (name, text) in named.chain(facts.iter().map(|(name, text)| (*name, text))) {
            if let Some(definition) = find(name) {
                values.insert(definition.name, value::parse(definition.kind, text));
            }
        }
        Self {
            values: RwLock::new(values),
            live,
            is_always_read_only: facts.iter().any(|(name, _)| *name == "super_read_only"),
            fence: Fence::default(),
        }
    }

    /// Lets `fence` follow `read_only` and `super_read_only`.
    #[must_use]
    pub(crate) fn with_fence(mut self, fence: Fence) -> Self {
        self.fence = fence;
        self.move_fence();
        self
    }

    /// What `read_only` and `super_read_only` steer.
    pub(crate) const fn fence(&self) -> &Fence {
        &self.fence
    }

    fn move_fence(&self) {
        let (read_only, super_read_only) = (self.is_on("read_only"), self.is_on("super_read_only"));
        self.fence.set(read_only, super_read_only);
    }

    /// The value of a variable, by its name in lower case.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<VariableValue> {
        let definition = find(name).filter(|definition| definition.scope != Scope::Session)?;
        let stored = stored_name(definition.name);
        self.live.live(stored).or_else(|| self.read(stored))
    }

    /// Whether a flag is on.
    #[must_use]
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.is_on())
    }

    /// The number of a variable; 0 when it has none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        match self.value(name) {
            Some(VariableValue::Number(number)) => number,
            _ => 0,
        }
    }

    /// The number that SET GLOBAL would give a variable that the role keeps, and its warning.
    ///
    /// # Errors
    /// As [`Self::set`].
    pub(crate) fn number_of(
        &self,
        name: &str,
        assigned: &Assigned,
    ) -> Result<(u64, Option<SqlError>), SqlError> {
        let definition = find(name).ok_or_else(|| SqlError::unknown_system_variable(name))?;
        let initial = value::initial(definition);
        let (value, warning) = settle(definition, assigned, None, initial)?;
        match value {
            VariableValue::Number(number) => Ok((number, warning)),
            _ => Err(SqlError::wrong_type_for_var(name)),
        }
    }

    /// SET GLOBAL.
    ///
    /// # Errors
    /// 1193, 1228, 1231, 1232 and 1238 as MySQL.
    pub fn set(&self, name: &str, assigned: &Assigned) -> Result<Option<SqlError>, SqlError> {
        let definition = find(name).ok_or_else(|| SqlError::unknown_system_variable(name))?;
        if definition.scope == Scope::Session {
            return Err(SqlError::local_variable(name));
        }
        let present = self.read(stored_name(definition.name));
        let (value, warning) = settle(definition, assigned, present, value::initial(definition))?;
        if self.is_fence(definition.name) && !value.is_on() {
            let what = format!("SET GLOBAL {name} = OFF on a replica");
            return Err(SqlError::not_supported(what));
        }
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        // super_read_only implies read_only; turning read_only off turns both off.
        match (definition.name, value.is_on()) {
            ("super_read_only", true) => {
                drop(values.insert("read_only", VariableValue::Flag(true)))
            }
            ("read_only", false) => {
                drop(values.insert("super_read_only", VariableValue::Flag(false)));
            }
            _ => {}
        }
        values.insert(stored_name(definition.name), value);
        drop(values);
        self.move_fence();
        Ok(warning)
    }

    /// Whether the role fixed this variable: it takes no writes, and must not say otherwise.
    fn is_fence(&self, name: &str) -> bool {
        self.is_always_read_only && matches!(name, "read_only" | "super_read_only")
    }

    /// Takes over those of `names` whose values are others in the options of `settings` than they
    /// were in those of `before`. What a statement has set stays while the options say what they
    /// always said, and what a statement keeps for the next start stays whatever they say.
    pub(crate) fn take_over(
        &self,
        before: &ServerSettings,
        settings: &ServerSettings,
        names: &[&str],
    ) {
        let before = from_settings(&before.without_persisted());
        let kept = Some(&settings.persisted).filter(|persisted| persisted.is_loaded);
        let is_kept = |name| kept.is_some_and(|kept| kept.variables.get(name).is_some());
        let mut values = self.values.write().unwrap_or_else(PoisonError::into_inner);
        for (name, text) in from_settings(&settings.without_persisted()) {
            let is_new = !before.contains(&(name, text.clone()));
            let may_change = !self.is_fence(name) && !is_kept(name);
            let is_wanted = is_new && names.contains(&name) && may_change;
            if let Some(definition) = find(name).filter(|_| is_wanted) {
                values.insert(definition.name, value::parse(definition.kind, &text));
            }
        }
        drop(values);
        self.move_fence();
    }

    fn read(&self, name: &str) -> Option<VariableValue> {
        self.values
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .cloned()
    }

    /// Names and values for SHOW GLOBAL VARIABLES, sorted by name.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        definition::all()
            .iter()
            .filter(|definition| definition.scope != Scope::Session)
            .filter_map(|d| Some((d.name, self.value(d.name)?.shown())))
            .collect()
    }
}

/// The values of one session.
#[derive(Debug)]
pub struct SessionVariables {
    globals: Arc<GlobalVariables>,
    /// Written by the session's own SET; read by its statements, wherever they run.
    own: RwLock<Values>,
    /// Written by the session after each statement.
    pub(crate) state: Shown,
}

impl SessionVariables {
    /// A new session: copies of the global values.
    #[must_use]
    pub fn new(globals: Arc<GlobalVariables>) -> Self {
        let own = definition::all()
            .iter()
            .filter(|definition| definition.scope != Scope::Global)
            .map(|definition| {
                let global = globals.value(definition.name);
                (
                    definition.name,
                    global.unwrap_or_else(|| value::initial(definition)),
                )
            })
            .collect();
        Self {
            globals,
            own: RwLock::new(own),
            state: Shown::default(),
        }
    }

    /// The node's values.
    #[must_use]
    pub const fn globals(&self) -> &Arc<GlobalVariables> {
        &self.globals
    }

    /// The session's value of a variable, or the global one where it has none of its own.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<VariableValue> {
        let definition = find(name)?;
        if let Some(shown) = self.state.value(name) {
            return Some(shown);
        }
        let stored = stored_name(definition.name);
        let own = self
            .own
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(stored)
            .cloned();
        own.or_else(|| self.globals.value(name))
    }

    /// Brings `session` into the state that the variables say. For a new or reset session.
    ///
    /// # Errors
    /// When a global value is not one the engine knows.
    pub fn apply_all(&self, session: &mut SessionContext) -> Result<(), SqlError> {
        for definition in definition::all()
            .iter()
            .filter(|d| d.scope != Scope::Global)
        {
            if let Some(value) = self.get(definition.name) {
                apply(definition.name, &value, session)?;
            }
        }
        Ok(())
    }

    /// SET SESSION: changes the value and what it steers in `session`. The warning is 1292, for a
    /// number that was brought into range.
    ///
    /// # Errors
    /// 1193, 1229, 1231, 1232, 1238 and 1227 as MySQL.
    pub fn set(
        &self,
        name: &str,
        assigned: &Assigned,
        session: &mut SessionContext,
    ) -> Result<Option<SqlError>, SqlError> {
        let definition = find(name).ok_or_else(|| SqlError::unknown_system_variable(name))?;
        if definition.scope == Scope::Global {
            return Err(match definition.access {
                Access::ReadOnly => SqlError::incorrect_global_local_var(name, "read only"),
                _ => SqlError::global_variable(name),
            });
        }
        let stored = stored_name(definition.name);
        let default = self
            .globals
            .value(name)
            .unwrap_or_else(|| value::initial(definition));
        let present = self.get(name);
        let (value, warning) = match self.is_for_replays(definition.name) {
            true => {
                let free = Definition {
                    access: Access::Dynamic,
                    ..*definition
                };
                settle(&free, assigned, present, default)?
            }
            false => settle(definition, assigned, present, default)?,
        };
        apply(stored, &value, session)?;
        self.store(stored, value, session);
        Ok(warning)
    }

    /// Whether a variable that is pinned may be set by who replays a log: what it steers is a definition,
    /// and the rows come with all their values.
    fn is_for_replays(&self, name: &str) -> bool {
        let replays = self.get("pseudo_replica_mode");
        name == "explicit_defaults_for_timestamp" && replays.is_some_and(|value| value.is_on())
    }

    /// SET NAMES: the three variables of the connection's character set.
    ///
    /// # Errors
    /// 1115, 1253 and 1273 for unknown names and pairs that do not belong together.
    pub fn set_names(
        &self,
        charset: Option<&str>,
        collation: Option<&str>,
        session: &mut SessionContext,
    ) -> Result<(), SqlError> {
        let charset = match charset {
            Some(name) => collation::Charset::of_connection(name)?,
            None => session.collation_server.charset,
        };
        let collation = match collation {
            None => connection_collation(charset.default_collation(), session),
            Some(name) => collation::of_connection(name)?,
        };
        if collation.charset != charset {
            return Err(SqlError::new(
                1253,
                "42000",
                format!(
                    "COLLATION '{}' is not valid for CHARACTER SET '{}'",
                    collation.name,
                    charset.name()
                ),
            ));
        }
        session.character_set_client = charset;
        session.character_set_results = Some(charset);
        session.collation_connection = collation;
        self.follow_charsets(session);
        Ok(())
    }

    /// `collation_database` and `character_set_database` follow USE.
    pub(crate) fn follow_database(&self, collation: &collation::Collation) {
        let text = |name: &str| VariableValue::Text(name.to_owned());
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.insert("character_set_database", text(collation.charset.name()));
        own.insert("collation_database", text(collation.name));
    }

    /// `pseudo_thread_id` is the connection's own at first.
    pub(crate) fn note_thread(&self, connection_id: u64) {
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.insert("pseudo_thread_id", VariableValue::Number(connection_id));
    }

    fn store(&self, name: &'static str, value: VariableValue, session: &SessionContext) {
        self.own
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name, value);
        if name.starts_with("character_set_") || name == "collation_connection" {
            self.follow_charsets(session);
        }
    }

    /// Shows what the session's character sets became; setting one can change another.
    fn follow_charsets(&self, session: &SessionContext) {
        let text = |name: &str| VariableValue::Text(name.to_owned());
        let mut own = self.own.write().unwrap_or_else(PoisonError::into_inner);
        own.insert(
            "character_set_client",
            text(session.character_set_client.name()),
        );
        own.insert(
            "character_set_results",
            session
                .character_set_results
                .map_or(VariableValue::Null, |set| text(set.name())),
        );
        let connection = session.collation_connection;
        own.insert("character_set_connection", text(connection.charset.name()));
        own.insert("collation_connection", text(connection.name));
    }

    /// Names and values for SHOW SESSION VARIABLES, sorted by name.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        definition::all()
            .iter()
            .filter_map(|d| Some((d.name, self.get(d.name)?.shown())))
            .collect()
    }
}

impl SystemVariables for SessionVariables {
    fn value(&self, name: &str, global: bool) -> Option<Datum> {
        let value = if global {
            self.globals.value(name)
        } else {
            self.get(name)
        };
        value.map(|value| value.selected())
    }
}

/// The collation of a connection that asks for `wanted`.
///
/// Differs from MySQL: where MySQL would take its own default `utf8mb4_0900_ai_ci`, a server with
/// another utf8mb4 collation takes that, so that a MariaDB replica, which knows no 0900 collations,
/// follows whatever client writes (`connections_take_the_servers_collation_for_mysqls_default`).
pub(crate) fn connection_collation(
    wanted: &'static collation::Collation,
    session: &SessionContext,
) -> &'static collation::Collation {
    let own = session.collation_server;
    let is_default = wanted.id == collation::UTF8MB4_0900_AI_CI.id;
    if is_default && own.charset == wanted.charset {
        own
    } else {
        wanted
    }
}

/// The value a SET leads to. `default` is what DEFAULT stands for.
fn settle(
    definition: &Definition,
    assigned: &Assigned,
    present: Option<VariableValue>,
    default: VariableValue,
) -> Result<(VariableValue, Option<SqlError>), SqlError> {
    let name = definition.name;
    if definition.access == Access::ReadOnly {
        return Err(SqlError::incorrect_global_local_var(name, "read only"));
    }
    let given = match assigned {
        Assigned::Default => return Ok((default, None)),
        Assigned::Word(word) => Datum::text(word).into(),
        Assigned::Value(value) => value.clone(),
    };
    let (value, was_clamped) = value::checked(definition, &given)?;
    if definition.access == Access::Pinned && present.as_ref() != Some(&value) {
        return Err(pinned(definition, &given));
    }
    Ok((value, was_clamped.then(|| persist::truncated(name, &given))))
}

/// Refuses a value that would make what follows mean something else than what this server does.
fn pinned(definition: &Definition, given: &Sourced) -> SqlError {
    value::wrong_value(definition.name, given)
}

/// `original_commit_timestamp` of transactions that begin here.
const UNDEFINED_COMMIT_TIMESTAMP: u64 = 1 << 55;
/// `original_server_version` of transactions that begin here.
const UNDEFINED_SERVER_VERSION: u32 = 999_999;

/// Makes a value count in the session.
fn apply(name: &str, value: &VariableValue, session: &mut SessionContext) -> Result<(), SqlError> {
    match (name, value) {
        ("sql_mode", VariableValue::Text(text)) => {
            session.sql_mode = text.parse().unwrap_or(SqlMode::DEFAULT);
        }
        ("time_zone", VariableValue::Text(text)) => session.time_zone = TimeZone::by_name(text)?,
        ("default_collation_for_utf8mb4", VariableValue::Text(text)) => {
            session.default_collation_for_utf8mb4 = collation::served(text)?;
        }
        ("explicit_defaults_for_timestamp", VariableValue::Flag(on)) => {
            session.explicit_defaults_for_timestamp = *on;
        }
        ("sql_log_bin", VariableValue::Flag(on)) => session.is_logged = *on,
        ("pseudo_thread_id", VariableValue::Number(id)) if *id != 0 => {
            session.pseudo_thread_id = *id;
        }
        ("original_commit_timestamp", VariableValue::Number(micros)) => {
            session.original_commit_timestamp =
                Some(*micros).filter(|micros| *micros != UNDEFINED_COMMIT_TIMESTAMP);
        }
        ("original_server_version", VariableValue::Number(version)) => {
            session.original_server_version = u32::try_from(*version)
                .ok()
                .filter(|version| *version != UNDEFINED_SERVER_VERSION);
        }
        ("foreign_key_checks", VariableValue::Flag(on)) => session.foreign_key_checks = *on,
        ("unique_checks", VariableValue::Flag(on)) => session.unique_checks = *on,
        ("auto_increment_increment", VariableValue::Number(n)) => {
            session.auto_increment_increment = *n;
        }
        ("auto_increment_offset", VariableValue::Number(n)) => session.auto_increment_offset = *n,
        ("character_set_client", VariableValue::Text(text)) => {
            session.character_set_client = collation::Charset::of_connection(text)?;
        }
        ("character_set_connection", VariableValue::Text(text)) => {
            let charset = collation::Charset::of_connection(text)?;
            if session.collation_connection.charset != charset {
                session.collation_connection = charset.default_collation();
            }
        }
        ("character_set_results", VariableValue::Null) => session.character_set_results = None,
        ("character_set_results", VariableValue::Text(text)) => {
            session.character_set_results = Some(collation::Charset::of_connection(text)?);
        }
        ("collation_connection", VariableValue::Text(text)) => {
            session.collation_connection = collation::of_connection(text)?;
        }
        ("collation_server", VariableValue::Text(text)) => {
            session.collation_server = collation::served(text)?;
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests;
