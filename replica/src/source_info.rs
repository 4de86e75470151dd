//! Which source this replica follows: what CHANGE REPLICATION SOURCE TO set, kept over restarts.
//!
//! The option file gives the source at first. Once an operator has changed it by statement, the
//! file written here (`source-info.json`, mode 0600, because it holds a password) is what counts,
//! until RESET REPLICA ALL removes it: the precedence that mysqld gave its own file over my.cnf.
//! Where the stream has got to is not kept here but with the data (applier) and in the relay log
//! (receiver).

mod compression;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::settings::{SourcePosition, SourceTls};
use config::{Secret, SourceSettings};
use serde::{Deserialize, Serialize};
use server::private_file;
use sql::ast::{OptionAssignment, ReplicationOptionValue};
use sql::error::SqlError;

use self::compression::CompressionRecord;

/// Why the file could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceInfoError {
    /// The operating system refused.
    #[error("cannot {action} {path}, which names the replication source: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// The file is not what Weir writes.
    #[error(
        "{path}, which names the replication source, is damaged: {reason}. Remove it and run CHANGE REPLICATION SOURCE TO again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        reason: String,
    },
}

/// The file in a data directory.
#[derive(Debug)]
pub struct SourceInfoFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    host: Option<String>,
    port: u16,
    user: String,
    password: Option<String>,
    /// Whether the password is the one that the options give, which is not copied.
    #[serde(default)]
    has_password_of_options: bool,
    auto_position: bool,
    log_file: String,
    log_pos: u64,
    tls: Option<TlsRecord>,
    get_public_key: bool,
    #[serde(default)]
    public_key_path: Option<PathBuf>,
    #[serde(default)]
    compression: CompressionRecord,
    connect_retry_seconds: u64,
    retry_count: u32,
    heartbeat_period_milliseconds: u64,
    #[serde(default)]
    delay_seconds: u32,
    /// Whether relay log and positions are those of an earlier source and have to be discarded.
    #[serde(default)]
    voids_positions: bool,
}

/// What a saved source means for the relay log and the positions in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Positions {
    /// They are this source's.
    Kept,
    /// They are to be discarded before this source is followed, by the next process if need be.
    Void,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsRecord {
    ca: Option<PathBuf>,
    verify_server_cert: bool,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

impl SourceInfoFile {
    /// The file of a data directory.
    #[must_use]
    pub fn in_datadir(datadir: &Path) -> Self {
        Self {
            path: datadir.join("source-info.json"),
        }
    }

    /// The source that counts: the one of the file, else `options`.
    ///
    /// # Errors
    /// When the file is there but cannot be read or understood; it is never ignored.
    pub fn load_or(
        &self,
        options: &SourceSettings,
    ) -> Result<(SourceSettings, Positions), SourceInfoError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok((options.clone(), Positions::Kept));
            }
            Err(error) => return Err(self.io("read", error)),
        };
        let record: Record =
            serde_json::from_slice(&text).map_err(|error| SourceInfoError::Damaged {
                path: self.path.clone(),
                reason: error.to_string(),
            })?;
        let positions = match record.voids_positions {
            true => Positions::Void,
            false => Positions::Kept,
        };
        Ok((record.into_settings(options), positions))
    }

    /// Makes `settings` what counts, durably. A password that `options` give stays there, in the option
    /// or the file that it names; one that a statement gave is written in clear.
    ///
    /// # Errors
    /// When the file system refuses; the old file then still stands.
    pub fn save(
        &self,
        settings: &SourceSettings,
        options: &SourceSettings,
        positions: Positions,
    ) -> Result<(), SourceInfoError> {
        let text = serde_json::to_vec_pretty(&Record::of(settings, options, positions))
            .map_err(|error| self.io("write", io::Error::other(error)))?;
        private_file::replace(&self.path, &text, private_file::SECRET)
            .map_err(|error| self.io("write", error))
    }

    /// Forgets what was saved: RESET REPLICA ALL.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn remove(&self) -> Result<(), SourceInfoError> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.io("remove", error)),
            _ => self
                .sync_directory()
                .map_err(|error| self.io("remove", error)),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        self.path
            .parent()
            .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }

    fn io(&self, action: &'static str, source: io::Error) -> SourceInfoError {
        SourceInfoError::Io {
            action,
            path: self.path.clone(),
            source,
        }
    }
}

impl Record {
    fn of(settings: &SourceSettings, options: &SourceSettings, positions: Positions) -> Self {
        let is_of_options = settings.password.is_some() && settings.password == options.password;
        let (auto_position, log_file, log_pos) = match &settings.position {
            SourcePosition::Auto => (true, String::new(), 4),
            SourcePosition::File { file, position } => (false, file.clone(), *position),
        };
        let milliseconds = settings.heartbeat_period.as_millis();
        Self {
            host: settings.host.clone(),
            port: settings.port,
            user: settings.user.clone(),
            password: settings
                .password
                .as_ref()
                .filter(|_| !is_of_options)
                .map(|secret| secret.expose().to_owned()),
            has_password_of_options: is_of_options,
            auto_position,
            log_file,
            log_pos,
            tls: settings.tls.as_ref().map(|tls| TlsRecord {
                ca: tls.ca.clone(),
                verify_server_cert: tls.verify_server_cert,
                cert: tls.cert.clone(),
                key: tls.key.clone(),
            }),
            get_public_key: settings.get_public_key,
            public_key_path: settings.public_key_path.clone(),
            compression: settings.compression.into(),
            connect_retry_seconds: settings.connect_retry.as_secs(),
            retry_count: settings.retry_count,
            heartbeat_period_milliseconds: u64::try_from(milliseconds).unwrap_or(u64::MAX),
            delay_seconds: u32::try_from(settings.delay.as_secs()).unwrap_or(u32::MAX),
            voids_positions: positions == Positions::Void,
        }
    }

    /// `options` gives what no statement can set.
    fn into_settings(self, options: &SourceSettings) -> SourceSettings {
        let position = if self.auto_position {
            SourcePosition::Auto
        } else {
            SourcePosition::File {
                file: self.log_file,
                position: self.log_pos,
            }
        };
        SourceSettings {
            host: self.host,
            port: self.port,
            user: self.user,
            password: match self.has_password_of_options {
                true => options.password.clone(),
                false => self.password.map(Secret::new),
            },
            position,
            tls: self.tls.map(|tls| SourceTls {
                ca: tls.ca,
                verify_server_cert: tls.verify_server_cert,
                cert: tls.cert,
                key: tls.key,
            }),
            get_public_key: self.get_public_key,
            public_key_path: self.public_key_path,
            compression: self.compression.into(),
            connect_retry: Duration::from_secs(self.connect_retry_seconds),
            retry_count: self.retry_count,
            heartbeat_period: Duration::from_millis(self.heartbeat_period_milliseconds),
            delay: Duration::from_secs(self.delay_seconds.into()),
            net_timeout: options.net_timeout,
        }
    }
}

/// What a CHANGE REPLICATION SOURCE TO did to the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The source from now on.
    pub settings: SourceSettings,
    /// Whether the relay log is void: the statement named a source or a place in its log.
    pub discards_relay_log: bool,
    /// Whether it names anything but what steers the applier.
    pub concerns_receiver: bool,
}

/// The source after `assignments`.
///
/// # Errors
/// 1776 when auto-position and a file position are asked for together, 1210 for a value that an
/// option cannot have, 1235 for an option that this version does not act on.
pub fn change(
    present: &SourceSettings,
    assignments: &[OptionAssignment],
) -> Result<SourceChange, SqlError> {
    let mut settings = present.clone();
    let mut named = NamedPosition::default();
    let mut discards_relay_log = false;
    let concerns_receiver = assignments
        .iter()
        .any(|assignment| assignment.name != "SOURCE_DELAY");
    for assignment in assignments {
        let value = &assignment.value;
        let name = assignment.name.as_str();
        match name {
            "SOURCE_HOST" => {
                settings.host = Some(text(name, value)?);
                discards_relay_log = true;
            }
            "SOURCE_PORT" => {
                settings.port = number(name, value)?;
                discards_relay_log = true;
            }
            "SOURCE_USER" => settings.user = text(name, value)?,
            "SOURCE_PASSWORD" => settings.password = Some(Secret::new(text(name, value)?)),
            "SOURCE_CONNECT_RETRY" => {
                settings.connect_retry = Duration::from_secs(number(name, value)?);
            }
            "SOURCE_RETRY_COUNT" => settings.retry_count = number(name, value)?,
            "SOURCE_HEARTBEAT_PERIOD" => settings.heartbeat_period = seconds(name, value)?,
            "SOURCE_DELAY" => settings.delay = delay(value)?,
            "SOURCE_LOG_FILE" => named.file = Some(text(name, value)?),
            "SOURCE_LOG_POS" => named.position = Some(number(name, value)?),
            "SOURCE_AUTO_POSITION" => named.auto = Some(flag(name, value)?),
            "SOURCE_PUBLIC_KEY_PATH" => settings.public_key_path = path(name, value)?,
            "SOURCE_COMPRESSION_ALGORITHMS" => {
                settings.compression = compression::algorithms(settings.compression, name, value)?;
            }
            "SOURCE_ZSTD_COMPRESSION_LEVEL" => {
                settings.compression = compression::level(settings.compression, name, value)?;
            }
            "GET_SOURCE_PUBLIC_KEY" => settings.get_public_key = flag(name, value)?,
            name if name.starts_with("SOURCE_SSL") => change_tls(&mut settings, name, value)?,
            _ => {
                return Err(SqlError::not_supported(format!(
                    "CHANGE REPLICATION SOURCE TO {name}"
                )));
            }
        }
    }
    discards_relay_log |= named.apply(&mut settings, present)?;
    Ok(SourceChange {
        settings,
        discards_relay_log,
        concerns_receiver,
    })
}

#[derive(Default)]
struct NamedPosition {
    file: Option<String>,
    position: Option<u64>,
    auto: Option<bool>,
}

impl NamedPosition {
    /// Whether a place was named.
    fn apply(
        self,
        settings: &mut SourceSettings,
        present: &SourceSettings,
    ) -> Result<bool, SqlError> {
        let names_place = self.file.is_some() || self.position.is_some();
        // A default does not contradict the first statement that names a source.
        let was_auto = present.host.is_some() && present.position == SourcePosition::Auto;
        if names_place && self.auto.unwrap_or(was_auto) {
            return Err(SqlError::new(
                1776,
                "HY000",
                "Parameters SOURCE_LOG_FILE, SOURCE_LOG_POS, RELAY_LOG_FILE and RELAY_LOG_POS \
                 cannot be set when SOURCE_AUTO_POSITION is active.",
            ));
        }
        let changes_mode = self.auto.is_some_and(|auto| auto != was_auto);
        if self.auto == Some(true) {
            settings.position = SourcePosition::Auto;
        } else if names_place || changes_mode {
            settings.position = SourcePosition::File {
                file: self.file.unwrap_or_default(),
                position: self.position.unwrap_or(4).max(4),
            };
        }
        Ok(names_place || changes_mode)
    }
}

fn change_tls(
    settings: &mut SourceSettings,
    name: &str,
    value: &ReplicationOptionValue,
) -> Result<(), SqlError> {
    if name == "SOURCE_SSL" {
        let wanted = flag(name, value)?;
        settings.tls = wanted.then(|| settings.tls.clone().unwrap_or_default());
        return Ok(());
    }
    let tls = settings.tls.get_or_insert_default();
    match name {
        "SOURCE_SSL_CA" => tls.ca = path(name, value)?,
        "SOURCE_SSL_CERT" => tls.cert = path(name, value)?,
        "SOURCE_SSL_KEY" => tls.key = path(name, value)?,
        "SOURCE_SSL_VERIFY_SERVER_CERT" => tls.verify_server_cert = flag(name, value)?,
        _ => {
            return Err(SqlError::not_supported(format!(
                "CHANGE REPLICATION SOURCE TO {name}"
            )));
        }
    }
    Ok(())
}

fn text(name: &str, value: &ReplicationOptionValue) -> Result<String, SqlError> {
    match value {
        ReplicationOptionValue::Text(text) => Ok(text.clone()),
        _ => Err(wrong_argument(name)),
    }
}

fn path(name: &str, value: &ReplicationOptionValue) -> Result<Option<PathBuf>, SqlError> {
    let text = text(name, value)?;
    Ok((!text.is_empty()).then(|| PathBuf::from(text)))
}

fn number<N: std::str::FromStr>(name: &str, value: &ReplicationOptionValue) -> Result<N, SqlError> {
    match value {
        ReplicationOptionValue::Number(digits) => digits.parse().map_err(|_| wrong_argument(name)),
        _ => Err(wrong_argument(name)),
    }
}

fn seconds(name: &str, value: &ReplicationOptionValue) -> Result<Duration, SqlError> {
    let seconds: f64 = number(name, value)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong_argument(name))
}

/// Seconds, as many as MySQL takes.
fn delay(value: &ReplicationOptionValue) -> Result<Duration, SqlError> {
    const MAX: u64 = 2_147_483_647;
    let seconds: u64 = number("SOURCE_DELAY", value)?;
    if seconds > MAX {
        let text =
            format!("The requested value {seconds} for the source delay exceeds the maximum {MAX}");
        return Err(SqlError::new(1729, "HY000", text));
    }
    Ok(Duration::from_secs(seconds))
}

fn flag(name: &str, value: &ReplicationOptionValue) -> Result<bool, SqlError> {
    match value {
        ReplicationOptionValue::Number(digits) if digits == "1" => Ok(true),
        ReplicationOptionValue::Number(digits) if digits == "0" => Ok(false),
        _ => Err(wrong_argument(name)),
    }
}

fn wrong_argument(name: &str) -> SqlError {
    SqlError::new(1210, "HY000", format!("Incorrect arguments to {name}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn settings() -> SourceSettings {
        SourceSettings {
            host: Some("db1.example".to_owned()),
            port: 3306,
            user: "repl".to_owned(),
            password: Some(Secret::new("swordfish")),
            position: SourcePosition::Auto,
            tls: Some(SourceTls {
                verify_server_cert: true,
                ..SourceTls::default()
            }),
            get_public_key: true,
            public_key_path: None,
            compression: config::settings::SourceCompression::default(),
            connect_retry: Duration::from_secs(60),
            retry_count: 10,
            heartbeat_period: Duration::from_millis(1500),
            delay: Duration::from_secs(3600),
            net_timeout: Duration::from_secs(60),
        }
    }

    fn assign(name: &str, value: ReplicationOptionValue) -> OptionAssignment {
        OptionAssignment {
            name: name.to_owned(),
            value,
        }
    }

    fn string(text: &str) -> ReplicationOptionValue {
        ReplicationOptionValue::Text(text.to_owned())
    }

    fn digits(text: &str) -> ReplicationOptionValue {
        ReplicationOptionValue::Number(text.to_owned())
    }

    #[test]
    fn what_a_statement_set_outlives_the_process_in_a_private_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = SourceInfoFile::in_datadir(directory.path());
        let mut options = settings();
        options.host = None;
        let kept = |settings| (settings, Positions::Kept);
        assert_eq!(file.load_or(&options).unwrap(), kept(options.clone()));
        file.save(&settings(), &options, Positions::Void).unwrap();
        let void = (settings(), Positions::Void);
        assert_eq!(file.load_or(&options).unwrap(), void);
        file.save(&settings(), &options, Positions::Kept).unwrap();
        assert_eq!(file.load_or(&options).unwrap(), kept(settings()));
        let text = fs::read_to_string(directory.path().join("source-info.json")).unwrap();
        assert!(!text.contains("swordfish"), "{text}");
        let other = SourceSettings {
            password: Some(Secret::new("another")),
            ..settings()
        };
        file.save(&other, &options, Positions::Kept).unwrap();
        assert_eq!(file.load_or(&options).unwrap(), kept(other));
        file.save(&settings(), &options, Positions::Kept).unwrap();
        let path = directory.path().join("source-info.json");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        file.remove().unwrap();
        assert_eq!(file.load_or(&options).unwrap(), kept(options.clone()));
        fs::write(&path, "{").unwrap();
        assert!(matches!(
            file.load_or(&options),
            Err(SourceInfoError::Damaged { .. })
        ));
    }

    #[test]
    fn naming_a_place_or_a_source_voids_the_relay_log_and_a_password_does_not() {
        let password = change(&settings(), &[assign("SOURCE_PASSWORD", string("x"))]).unwrap();
        assert!(!password.discards_relay_log);
        let host = change(&settings(), &[assign("SOURCE_HOST", string("db2"))]).unwrap();
        assert!(host.discards_relay_log);
        let place = [
            assign("SOURCE_AUTO_POSITION", digits("0")),
            assign("SOURCE_LOG_FILE", string("binlog.000003")),
            assign("SOURCE_LOG_POS", digits("157")),
        ];
        let place = change(&settings(), &place).unwrap();
        assert!(place.discards_relay_log);
        let expected = SourcePosition::File {
            file: "binlog.000003".to_owned(),
            position: 157,
        };
        assert_eq!(place.settings.position, expected);
    }

    #[test]
    fn refuses_contradictions_and_what_it_would_not_act_on() {
        let cases = [
            (assign("SOURCE_LOG_POS", digits("4")), 1776),
            (assign("SOURCE_PORT", digits("70000")), 1210),
            (assign("SOURCE_PORT", string("3306")), 1210),
            (assign("SOURCE_DELAY", digits("2147483648")), 1729),
            (assign("SOURCE_BIND", string("x")), 1235),
            (assign("SOURCE_SSL_CRL", string("x")), 1235),
        ];
        for (assignment, code) in cases {
            let error = change(&settings(), std::slice::from_ref(&assignment)).unwrap_err();
            assert_eq!(error.code, code, "{assignment:?}");
        }
    }
}
