//! `mysqld-auto.cnf`: the variables that SET PERSIST keeps over a restart.
//!
//! Here are the file's text, what it says, and which options may stand in it. Who may change it, and
//! when, is the server's; that its options lie over all other layers, the loader's. What is not
//! understood is an error and never dropped: the file is written as a whole, and what was not read
//! would be lost.
//!
//! Format: MySQL's JSON, Version 2, as MySQL 9.7 writes it. One object of names for each [`Section`],
//! every name with its value as text and who set it when:
//!
//! ```json
//! {"Version": 2, "mysql_dynamic_variables": {"wait_timeout": {"Value": "100", "Metadata":
//!  {"Host": "localhost", "User": "root", "Timestamp": 1796018364629409}}}}
//! ```

mod layer;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Map, Value};

pub use layer::Persisted;

/// The name of the file inside a data directory.
pub const FILE_NAME: &str = "mysqld-auto.cnf";

/// The version of the format.
const VERSION: u64 = 2;

/// A part of the file. MySQL reads the parts at different moments of its start; here the part says
/// which privilege it takes to remove a variable, and is otherwise kept as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Variables that are fixed while the server runs, or whose value matters from the start.
    Static,
    /// The others.
    Dynamic,
    /// As [`Section::Static`], before MySQL sizes its caches.
    StaticEarly,
    /// As [`Section::Dynamic`], before MySQL sizes its caches.
    DynamicEarly,
}

impl Section {
    /// Every section, in the order of the file.
    const ALL: [Self; 4] = [
        Self::Static,
        Self::Dynamic,
        Self::StaticEarly,
        Self::DynamicEarly,
    ];

    /// The section where MySQL 9.7 keeps the variable of that name.
    #[must_use]
    pub fn of(variable: &str) -> Self {
        if STATIC.contains(&variable) {
            Self::Static
        } else if EARLY.contains(&variable) {
            Self::DynamicEarly
        } else {
            Self::Dynamic
        }
    }

    /// Whether it takes PERSIST_RO_VARIABLES_ADMIN as well to change what stands in it.
    #[must_use]
    pub fn is_static(self) -> bool {
        matches!(self, Self::Static | Self::StaticEarly)
    }

    fn key(self) -> &'static str {
        match self {
            Self::Static => "mysql_static_variables",
            Self::Dynamic => "mysql_dynamic_variables",
            Self::StaticEarly => "mysql_static_parse_early_variables",
            Self::DynamicEarly => "mysql_dynamic_parse_early_variables",
        }
    }
}

/// Of the variables that can be persisted here, those that MySQL 9.7 keeps in [`Section::Static`].
const STATIC: [&str; 16] = [
    "binlog_checksum",
    "binlog_encryption",
    "binlog_rotate_encryption_master_key_at_startup",
    "character_set_server",
    "enforce_gtid_consistency",
    "gtid_mode",
    "log_replica_updates",
    "lower_case_table_names",
    "relay_log_recovery",
    "relay_log_space_limit",
    "report_host",
    "report_port",
    "server_id",
    "skip_name_resolve",
    "ssl_cert",
    "ssl_key",
];

/// The same for [`Section::DynamicEarly`].
const EARLY: [&str; 3] = [
    "binlog_expire_logs_seconds",
    "max_connections",
    "max_prepared_stmt_count",
];

/// The options that may be persisted, by the name of their variable. The others that are variables
/// say where the server is and lies, and MySQL takes them from option files alone.
const OPTIONS: [&str; 40] = [
    "binlog_checksum",
    "binlog_encryption",
    "binlog_expire_logs_seconds",
    "binlog_format",
    "binlog_rotate_encryption_master_key_at_startup",
    "binlog_row_image",
    "binlog_row_metadata",
    "character_set_server",
    "collation_server",
    "default_storage_engine",
    "enforce_gtid_consistency",
    "gtid_mode",
    "innodb_lock_wait_timeout",
    "interactive_timeout",
    "log_replica_updates",
    "lower_case_table_names",
    "max_allowed_packet",
    "max_binlog_size",
    "max_connections",
    "max_relay_log_size",
    "read_only",
    "relay_log_purge",
    "relay_log_recovery",
    "relay_log_space_limit",
    "replica_exec_mode",
    "replica_net_timeout",
    "replica_skip_errors",
    "report_host",
    "report_port",
    "require_secure_transport",
    "server_id",
    "skip_name_resolve",
    "sql_mode",
    "ssl_cert",
    "ssl_key",
    "super_read_only",
    "sync_binlog",
    "sync_relay_log",
    "time_zone",
    "wait_timeout",
];

/// The option that the variable of that name sets at start, if it is one that may be persisted.
#[must_use]
pub fn option_of(variable: &str) -> Option<&'static str> {
    let name = OPTIONS.into_iter().find(|name| *name == variable)?;
    Some(match name {
        "time_zone" => "default_time_zone",
        name => name,
    })
}

/// A variable in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersistedVariable {
    /// Where it stands.
    pub section: Section,
    /// The value; NULL is the empty text.
    pub value: String,
    /// The host of who set it.
    pub host: String,
    /// Who set it.
    pub user: String,
    /// When, in microseconds since 1970.
    pub timestamp: u64,
}

/// What the file says: variables by their names in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersistedVariables(BTreeMap<String, PersistedVariable>);

/// Why the file is not taken.
#[derive(Debug)]
pub struct PersistedError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for PersistedError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (path, reason) = (self.path.display(), &self.reason);
        write!(
            f,
            "{path}: the persisted variables cannot be read: {reason}; repair the file, or move it \
             away to start without what SET PERSIST kept"
        )
    }
}

impl std::error::Error for PersistedError {}

impl PersistedVariables {
    /// Reads the file of `datadir`; one that is not there says nothing.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or says something that is not understood.
    pub fn read(datadir: &Path) -> Result<Self, PersistedError> {
        let path = datadir.join(FILE_NAME);
        let decoded = match fs::read(&path) {
            Ok(bytes) => Self::decode(&bytes),
            // That the directory is none is told when it is opened.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Ok(Self::default())
            }
            Err(error) => Err(error.to_string()),
        };
        decoded.map_err(|reason| PersistedError { path, reason })
    }

    /// What the text of a file says; what is wrong with it if it says nothing that is understood.
    ///
    /// # Errors
    ///
    /// If it is not JSON of the form that is written here.
    pub fn decode(bytes: &[u8]) -> Result<Self, String> {
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is not valid JSON ({error})"))?;
        let mut file = object("the file", value)?;
        let version = file.remove("Version").ok_or("there is no Version")?;
        if version.as_u64() != Some(VERSION) {
            return Err(format!("its Version is {version}, not {VERSION}"));
        }
        let mut variables = BTreeMap::new();
        for section in Section::ALL {
            let Some(value) = file.remove(section.key()) else {
                continue;
            };
            for (name, value) in object(section.key(), value)? {
                let variable = variable(section, &name, value)?;
                if variables.insert(name.to_lowercase(), variable).is_some() {
                    return Err(format!("'{name}' stands in it twice"));
                }
            }
        }
        match file.keys().next() {
            Some(unknown) => Err(format!("'{unknown}' is not a part of such a file")),
            None => Ok(Self(variables)),
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = format!("{{\"Version\": {VERSION}");
        for section in Section::ALL {
            let mut inside: Vec<_> = self
                .0
                .iter()
                .filter(|(_, variable)| variable.section == section)
                .collect();
            // MySQL's order of the keys of an object.
            inside.sort_by_key(|(name, _)| (name.len(), *name));
            let mut between = format!(", {}: {{", quoted(section.key()));
            for (name, variable) in inside {
                let (value, host) = (quoted(&variable.value), quoted(&variable.host));
                let (user, timestamp) = (quoted(&variable.user), variable.timestamp);
                let _ = write!(
                    text,
                    "{between}{}: {{\"Value\": {value}, \"Metadata\": {{\"Host\": {host}, \
                     \"User\": {user}, \"Timestamp\": {timestamp}}}}}",
                    quoted(name)
                );
                ", ".clone_into(&mut between);
            }
            if between == ", " {
                text.push('}');
            }
        }
        text.push('}');
        text
    }

    /// The variable of that name in lower case.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&PersistedVariable> {
        self.0.get(name)
    }

    /// Keeps `variable` under `name`, which is in lower case, instead of what was there.
    pub fn insert(&mut self, name: String, variable: PersistedVariable) {
        self.0.insert(name, variable);
    }

    /// Takes the variable of that name in lower case out.
    pub fn remove(&mut self, name: &str) -> Option<PersistedVariable> {
        self.0.remove(name)
    }

    /// Every variable, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PersistedVariable)> + Clone {
        self.0
            .iter()
            .map(|(name, variable)| (name.as_str(), variable))
    }
}

fn object(what: &str, value: Value) -> Result<Map<String, Value>, String> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(format!("{what} is not an object")),
    }
}

/// `{"Value": ..., "Metadata": {"Host": ..., "User": ..., "Timestamp": ...}}`
fn variable(section: Section, name: &str, value: Value) -> Result<PersistedVariable, String> {
    let mut fields = object(name, value)?;
    let value = text(name, &mut fields, "Value")?;
    let metadata = fields
        .remove("Metadata")
        .ok_or_else(|| format!("'{name}' has no Metadata"))?;
    let mut metadata = object("Metadata", metadata)?;
    let host = text(name, &mut metadata, "Host")?;
    let user = text(name, &mut metadata, "User")?;
    let timestamp = metadata.remove("Timestamp").and_then(|at| at.as_u64());
    let timestamp = timestamp.ok_or_else(|| format!("'{name}' has no Timestamp"))?;
    match fields.keys().chain(metadata.keys()).next() {
        Some(unknown) => Err(format!("'{name}' has an unknown '{unknown}'")),
        None => Ok(PersistedVariable {
            section,
            value,
            host,
            user,
            timestamp,
        }),
    }
}

fn text(name: &str, fields: &mut Map<String, Value>, field: &str) -> Result<String, String> {
    match fields.remove(field) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(format!("'{name}' has no {field} that is a text")),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
