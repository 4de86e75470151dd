//! Settings of the face both roles show to clients, and of the process around it.

use std::path::PathBuf;

use crate::definition::Role;
use crate::persisted::Persisted;
use crate::value::Value;
use crate::{ConfigError, Effective};

/// What both roles have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    /// Directory of data, logs and state.
    pub datadir: PathBuf,
    /// Whether to make a data directory, and with what root password.
    pub initialize: Initialize,
    /// What SET PERSIST keeps in the data directory.
    pub persisted: Persisted,
    /// Whether that counts at a start.
    pub persisted_globals_load: bool,
    /// `server_id`; 0 refuses replication.
    pub server_id: u32,
    /// TCP port; 0 takes a free one.
    pub port: u16,
    /// Addresses to listen on; `*` is all of both families.
    pub bind_address: Vec<String>,
    /// Unix socket, with its directory.
    pub socket: Option<PathBuf>,
    /// The version clients are shown.
    pub version: String,
    /// Most sessions at one time.
    pub max_connections: u32,
    /// Largest packet from a client, in bytes.
    pub max_allowed_packet: u32,
    /// Seconds until an idle session is closed.
    pub wait_timeout: u32,
    /// Seconds until an idle interactive session is closed.
    pub interactive_timeout: u32,
    /// Seconds a statement waits for a lock.
    pub innodb_lock_wait_timeout: u64,
    /// Seconds until a session idle inside a transaction is closed; 0 never.
    pub idle_transaction_timeout: u32,
    /// Character set of new databases.
    pub character_set_server: String,
    /// Collation of new databases.
    pub collation_server: String,
    /// `SYSTEM` or an offset.
    pub default_time_zone: String,
    /// Modes, upper case, separated by commas.
    pub sql_mode: String,
    /// Always 0: names keep their case.
    pub lower_case_table_names: u8,
    /// Refuse changes by ordinary accounts.
    pub read_only: bool,
    /// Refuse changes by all accounts.
    pub super_read_only: bool,
    /// How new accounts log in.
    pub default_authentication_plugin: AuthenticationPlugin,
    /// The server's certificate.
    pub ssl_cert: Option<PathBuf>,
    /// Its key.
    pub ssl_key: Option<PathBuf>,
    /// Make a certificate when none is set.
    pub auto_generate_certs: bool,
    /// Refuse clear-text TCP.
    pub require_secure_transport: bool,
    /// Whether transactions carry GTIDs.
    pub gtid_mode: GtidMode,
    /// Whether statements that break GTID rules are refused.
    pub enforce_gtid_consistency: EnforceGtidConsistency,
    /// Whether new log files are encrypted.
    pub binlog_encryption: bool,
    /// Whether a start with encryption makes a new master key.
    pub binlog_rotate_encryption_key_at_startup: bool,
    /// The keyring; `None` for the one that the data directory names, if it does.
    pub keyring_file_data: Option<PathBuf>,
    /// File of the messages; standard error if none.
    pub log_error: Option<PathBuf>,
    /// 1 errors, 2 warnings too, 3 notes too.
    pub log_error_verbosity: u8,
    /// How messages are written.
    pub log_format: LogFormat,
    /// File that holds the process number.
    pub pid_file: Option<PathBuf>,
    /// Addresses of the HTTP port.
    pub metrics_bind_address: Vec<String>,
    /// The HTTP port, if there is one.
    pub metrics_port: Option<u16>,
}

/// Whether a data directory is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Initialize {
    /// Only if it is missing or empty, then with a random password; the process goes on.
    #[default]
    IfMissing,
    /// With a random root password in a file of mode 0600.
    RandomPassword,
    /// With an empty root password.
    Insecure,
}

/// `gtid_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GtidMode {
    /// New and replicated transactions are anonymous.
    Off,
    /// New ones are anonymous, replicated ones either.
    OffPermissive,
    /// New ones have a GTID, replicated ones either.
    OnPermissive,
    /// All have a GTID.
    On,
}

impl GtidMode {
    /// MySQL's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::OffPermissive => "OFF_PERMISSIVE",
            Self::OnPermissive => "ON_PERMISSIVE",
            Self::On => "ON",
        }
    }

    /// Whether new transactions get a GTID.
    #[must_use]
    pub fn assigns(self) -> bool {
        matches!(self, Self::On | Self::OnPermissive)
    }
}

/// `enforce_gtid_consistency`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnforceGtidConsistency {
    /// Not enforced.
    Off,
    /// Enforced.
    On,
    /// Allowed with a warning.
    Warn,
}

impl EnforceGtidConsistency {
    /// MySQL's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::On => "ON",
            Self::Warn => "WARN",
        }
    }
}

/// `default_authentication_plugin`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthenticationPlugin {
    /// `caching_sha2_password`.
    CachingSha2,
    /// `mysql_native_password`.
    Native,
}

impl AuthenticationPlugin {
    /// MySQL's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::CachingSha2 => "caching_sha2_password",
            Self::Native => "mysql_native_password",
        }
    }
}

/// `log_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for a person.
    Text,
    /// One JSON object per line.
    Json,
}

impl ServerSettings {
    pub(crate) fn read(effective: &Effective, errors: &mut Vec<ConfigError>) -> Self {
        check(effective, errors);
        let datadir = PathBuf::from(effective.text("datadir").unwrap_or_default());
        let path = |name| effective.path(name, &datadir);
        let (character_set_server, collation_server) = character_set(effective);
        let super_read_only = effective.flag("super_read_only");
        Self {
            initialize: if effective.flag("initialize_insecure") {
                Initialize::Insecure
            } else if effective.flag("initialize") {
                Initialize::RandomPassword
            } else {
                Initialize::IfMissing
            },
            persisted: effective.persisted.clone(),
            persisted_globals_load: effective.flag("persisted_globals_load"),
            server_id: effective.unsigned32("server_id"),
            port: effective.unsigned16("port"),
            bind_address: effective.list("bind_address").to_vec(),
            socket: path("socket"),
            version: effective.text("version").unwrap_or_default(),
            max_connections: effective.unsigned32("max_connections"),
            max_allowed_packet: effective.unsigned32("max_allowed_packet"),
            wait_timeout: effective.unsigned32("wait_timeout"),
            interactive_timeout: effective.unsigned32("interactive_timeout"),
            innodb_lock_wait_timeout: effective.unsigned("innodb_lock_wait_timeout"),
            idle_transaction_timeout: effective.unsigned32("idle_transaction_timeout"),
            character_set_server,
            collation_server,
            default_time_zone: effective.text("default_time_zone").unwrap_or_default(),
            sql_mode: effective
                .text("sql_mode")
                .unwrap_or_default()
                .to_ascii_uppercase(),
            lower_case_table_names: 0,
            read_only: effective.flag("read_only") || super_read_only,
            super_read_only,
            default_authentication_plugin: match effective.word("default_authentication_plugin") {
                "mysql_native_password" => AuthenticationPlugin::Native,
                _ => AuthenticationPlugin::CachingSha2,
            },
            ssl_cert: path("ssl_cert"),
            ssl_key: path("ssl_key"),
            auto_generate_certs: effective.flag("auto_generate_certs"),
            require_secure_transport: effective.flag("require_secure_transport"),
            gtid_mode: gtid_mode(effective),
            enforce_gtid_consistency: enforce_gtid_consistency(effective),
            binlog_encryption: effective.flag("binlog_encryption"),
            binlog_rotate_encryption_key_at_startup: effective
                .flag("binlog_rotate_encryption_master_key_at_startup"),
            keyring_file_data: path("keyring_file_data"),
            log_error: path("log_error"),
            log_error_verbosity: u8::try_from(effective.unsigned("log_error_verbosity"))
                .unwrap_or(3),
            log_format: match effective.word("log_format") {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            pid_file: path("pid_file"),
            metrics_bind_address: effective.list("metrics_bind_address").to_vec(),
            metrics_port: Some(effective.unsigned16("metrics_port")).filter(|port| *port != 0),
            datadir,
        }
    }
}

impl ServerSettings {
    /// The settings without what SET PERSIST keeps: what the options alone say.
    #[must_use]
    pub fn without_persisted(&self) -> Self {
        match self.persisted.below() {
            // Judged when the options were read.
            Some(below) => Self::read(below, &mut Vec::new()),
            None => self.clone(),
        }
    }

    /// What defaults came to that follow from other options.
    pub(crate) fn derived(&self) -> Vec<(&'static str, Value)> {
        let socket = self.socket.as_ref().map(|path| path.display().to_string());
        vec![
            (
                "collation_server",
                Value::Text(self.collation_server.clone()),
            ),
            (
                "character_set_server",
                Value::Text(self.character_set_server.clone()),
            ),
            ("socket", Value::Text(socket.unwrap_or_default())),
        ]
    }
}

fn gtid_mode(effective: &Effective) -> GtidMode {
    match effective.word("gtid_mode") {
        "OFF" => GtidMode::Off,
        "OFF_PERMISSIVE" => GtidMode::OffPermissive,
        "ON_PERMISSIVE" => GtidMode::OnPermissive,
        _ => GtidMode::On,
    }
}

fn enforce_gtid_consistency(effective: &Effective) -> EnforceGtidConsistency {
    match effective.word("enforce_gtid_consistency") {
        "OFF" => EnforceGtidConsistency::Off,
        "WARN" => EnforceGtidConsistency::Warn,
        _ => EnforceGtidConsistency::On,
    }
}

/// Combinations and texts that the definitions alone cannot judge.
fn check(effective: &Effective, errors: &mut Vec<ConfigError>) {
    let mut refuse = |name: &str, message: String| {
        errors.push(ConfigError::Contradiction {
            origin: effective.origin(name),
            message,
        });
    };
    let enforced = effective.word("enforce_gtid_consistency") == "ON";
    if effective.word("gtid_mode") == "ON" && !enforced {
        refuse(
            "enforce_gtid_consistency",
            "gtid_mode=ON needs enforce_gtid_consistency=ON".to_owned(),
        );
    }
    if effective.text("ssl_cert").is_some() != effective.text("ssl_key").is_some() {
        let given = if effective.text("ssl_cert").is_some() {
            "ssl_cert"
        } else {
            "ssl_key"
        };
        refuse(
            given,
            "ssl_cert and ssl_key need each other: set both or neither".to_owned(),
        );
    }
    if effective.flag("initialize") && effective.flag("initialize_insecure") {
        refuse(
            "initialize",
            "choose one of initialize and initialize_insecure".to_owned(),
        );
    }
    if effective.role() == Role::Replica {
        for name in ["read_only", "super_read_only"] {
            if !effective.flag(name) {
                refuse(name, format!("{name} is always ON in `weir replica`"));
            }
        }
    }
    if effective.text("datadir").is_none() {
        refuse("datadir", "datadir must name a directory".to_owned());
    }
    check_texts(effective, &mut refuse);
}

fn check_texts(effective: &Effective, refuse: &mut impl FnMut(&str, String)) {
    let version = effective.text("version").unwrap_or_default();
    let numbers = version
        .split(['.', '-'])
        .take(3)
        .filter(|part| part.parse::<u16>().is_ok());
    if numbers.count() != 3 || version.len() > 49 || !version.is_ascii() {
        refuse(
            "version",
            format!(
                "version '{version}' must begin with three numbers, as 8.4.6-weir does, and \
                     have at most 49 characters"
            ),
        );
    }
    let zone = effective.text("default_time_zone").unwrap_or_default();
    if !zone.eq_ignore_ascii_case("SYSTEM") && !is_offset(&zone) {
        refuse(
            "default_time_zone",
            format!("default_time_zone '{zone}' must be SYSTEM or an offset from -13:59 to +14:00"),
        );
    }
    for mode in effective.text("sql_mode").unwrap_or_default().split(',') {
        if !mode.is_empty() && !SQL_MODES.contains(&mode.trim().to_ascii_uppercase().as_str()) {
            refuse(
                "sql_mode",
                format!("sql_mode '{mode}' is not one of {}", SQL_MODES.join(", ")),
            );
        }
    }
    if let Some(collation) = effective.text("collation_server") {
        let set = effective.word("character_set_server");
        let set_is_written = !effective.is_default("character_set_server");
        let belongs = collation == set || collation.starts_with(&format!("{set}_"));
        if set_is_written && !belongs {
            refuse(
                "collation_server",
                format!("collation_server '{collation}' does not belong to character set '{set}'"),
            );
        }
    }
}

fn is_offset(zone: &str) -> bool {
    let Some((sign, rest)) = zone.split_at_checked(1) else {
        return false;
    };
    let Some((hours, minutes)) = rest.split_once(':') else {
        return false;
    };
    let (Ok(hours), Ok(minutes)) = (hours.parse::<u16>(), minutes.parse::<u16>()) else {
        return false;
    };
    let total = hours.saturating_mul(60).saturating_add(minutes);
    minutes < 60 && ((sign == "+" && total <= 14 * 60) || (sign == "-" && total < 14 * 60))
}

/// The character set and the collation; one that is written leads the other.
fn character_set(effective: &Effective) -> (String, String) {
    let collation = effective
        .text("collation_server")
        .map(|text| text.to_ascii_lowercase());
    let set = match effective.word("character_set_server") {
        "utf8" => "utf8mb3",
        set => set,
    };
    match collation {
        None => (set.to_owned(), default_collation(set)),
        Some(collation) if effective.is_default("character_set_server") => {
            let set = collation.split('_').next().unwrap_or(set).to_owned();
            (set, collation)
        }
        Some(collation) => (set.to_owned(), collation),
    }
}

fn default_collation(character_set: &str) -> String {
    match character_set {
        "utf8mb4" => "utf8mb4_0900_ai_ci".to_owned(),
        "binary" => "binary".to_owned(),
        "latin1" => "latin1_swedish_ci".to_owned(),
        "latin5" => "latin5_turkish_ci".to_owned(),
        other => format!("{other}_general_ci"),
    }
}

/// Every mode MySQL 8.4 knows.
pub const SQL_MODES: &[&str] = &[
    "REAL_AS_FLOAT",
    "PIPES_AS_CONCAT",
    "ANSI_QUOTES",
    "IGNORE_SPACE",
    "ONLY_FULL_GROUP_BY",
    "NO_UNSIGNED_SUBTRACTION",
    "NO_DIR_IN_CREATE",
    "ANSI",
    "NO_AUTO_VALUE_ON_ZERO",
    "NO_BACKSLASH_ESCAPES",
    "STRICT_TRANS_TABLES",
    "STRICT_ALL_TABLES",
    "NO_ZERO_IN_DATE",
    "NO_ZERO_DATE",
    "ALLOW_INVALID_DATES",
    "ERROR_FOR_DIVISION_BY_ZERO",
    "TRADITIONAL",
    "HIGH_NOT_PRECEDENCE",
    "NO_ENGINE_SUBSTITUTION",
    "PAD_CHAR_TO_FULL_LENGTH",
    "TIME_TRUNCATE_FRACTIONAL",
];
