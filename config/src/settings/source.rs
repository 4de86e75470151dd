//! Settings of a replica's connection to its source.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::GtidMode;
use crate::{ConfigError, Effective, Secret};

/// Where a replica gets its transactions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSettings {
    /// Host name or address; without one no source is configured.
    pub host: Option<String>,
    /// TCP port.
    pub port: u16,
    /// Account.
    pub user: String,
    /// Its password, from the option or the password file.
    pub password: Option<Secret>,
    /// What to ask for first.
    pub position: SourcePosition,
    /// TLS, if it is to be used.
    pub tls: Option<SourceTls>,
    /// Ask for the RSA key that protects the password when there is no TLS.
    pub get_public_key: bool,
    /// The source's RSA key, so that nothing is asked for.
    pub public_key_path: Option<PathBuf>,
    /// How the connection may be compressed.
    pub compression: SourceCompression,
    /// Longest pause between two attempts to connect.
    pub connect_retry: Duration,
    /// Attempts before giving up; 0 never gives up.
    pub retry_count: u32,
    /// Between heartbeats of an idle source; zero asks for none.
    pub heartbeat_period: Duration,
    /// How long after its commit on the source a transaction is applied at the earliest.
    pub delay: Duration,
    /// Silence after which the connection counts as dead.
    pub net_timeout: Duration,
}

/// Where replication begins when the replica has no position of its own yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourcePosition {
    /// The source is told the GTID set that is here and sends the rest.
    Auto,
    /// From a binlog file; an empty name is the source's first file.
    File {
        /// Name of the file on the source.
        file: String,
        /// Offset in bytes.
        position: u64,
    },
}

/// `source_ssl_*`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceTls {
    /// Certificates the source's must be signed by; without one its certificate is not checked.
    pub ca: Option<PathBuf>,
    /// Whether the host name must be in it.
    pub verify_server_cert: bool,
    /// Certificate shown to the source.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
}

/// `source_compression_algorithms` and `source_zstd_compression_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceCompression {
    /// zlib, which is taken first.
    pub zlib: bool,
    /// zstd.
    pub zstd: bool,
    /// None, where the source offers neither of those that are permitted.
    pub uncompressed: bool,
    /// Level of zstd, 1 to 22.
    pub zstd_level: u8,
}

impl Default for SourceCompression {
    fn default() -> Self {
        Self {
            zlib: false,
            zstd: false,
            uncompressed: true,
            zstd_level: 3,
        }
    }
}

impl SourceCompression {
    /// With the algorithms of a list as MySQL writes it; `None` when it is not one.
    #[must_use]
    pub fn permitting(self, list: &str) -> Option<Self> {
        let mut permits = Self {
            zlib: false,
            zstd: false,
            uncompressed: false,
            zstd_level: self.zstd_level,
        };
        for word in list.split(',') {
            match word.to_ascii_lowercase().as_str() {
                "zlib" => permits.zlib = true,
                "zstd" => permits.zstd = true,
                "uncompressed" => permits.uncompressed = true,
                _ => return None,
            }
        }
        Some(permits)
    }
}

/// `source_heartbeat_period` where no option says otherwise.
const HEARTBEAT_PERIOD: Duration = Duration::from_secs(1);

impl SourceSettings {
    /// Host and port for people; empty without a source.
    #[must_use]
    pub fn address(&self) -> String {
        let host = self.host.as_deref();
        host.map_or_else(String::new, |host| format!("{host}:{}", self.port))
    }

    pub(crate) fn read(
        effective: &Effective,
        datadir: &Path,
        gtid_mode: GtidMode,
        errors: &mut Vec<ConfigError>,
    ) -> Self {
        let net_timeout = Duration::from_secs(effective.unsigned("replica_net_timeout"));
        let heartbeat_period = if effective.is_default("source_heartbeat_period") {
            // Differs from MySQL: there it is half of replica_net_timeout. Until a heartbeat is missed
            // nobody can tell a source that has nothing from one that hangs.
            HEARTBEAT_PERIOD.min(net_timeout / 2)
        } else {
            Duration::from_millis(effective.unsigned("source_heartbeat_period"))
        };
        Self {
            host: effective.text("source_host"),
            port: effective.unsigned16("source_port"),
            user: effective.text("source_user").unwrap_or_default(),
            password: password(effective, datadir, errors),
            position: position(effective, gtid_mode, errors),
            tls: effective.flag("source_ssl").then(|| SourceTls {
                ca: effective.path("source_ssl_ca", datadir),
                verify_server_cert: effective.flag("source_ssl_verify_server_cert"),
                cert: effective.path("source_ssl_cert", datadir),
                key: effective.path("source_ssl_key", datadir),
            }),
            get_public_key: effective.flag("get_source_public_key"),
            public_key_path: effective.path("source_public_key_path", datadir),
            compression: compression(effective, errors),
            connect_retry: Duration::from_secs(effective.unsigned("source_connect_retry")),
            retry_count: effective.unsigned32("source_retry_count"),
            heartbeat_period,
            delay: Duration::from_secs(effective.unsigned("source_delay")),
            net_timeout,
        }
    }
}

fn compression(effective: &Effective, errors: &mut Vec<ConfigError>) -> SourceCompression {
    const NAME: &str = "source_compression_algorithms";
    // The option's range is 1 to 22.
    let level = u8::try_from(effective.unsigned("source_zstd_compression_level")).unwrap_or(3);
    let present = SourceCompression {
        zstd_level: level,
        ..SourceCompression::default()
    };
    let list = effective.text(NAME).unwrap_or_default();
    present.permitting(&list).unwrap_or_else(|| {
        errors.push(ConfigError::Contradiction {
            origin: effective.origin(NAME),
            message: format!("{NAME}={list} is not a list of zlib, zstd and uncompressed"),
        });
        present
    })
}

fn position(
    effective: &Effective,
    gtid_mode: GtidMode,
    errors: &mut Vec<ConfigError>,
) -> SourcePosition {
    let file = effective.text("source_log_file");
    let asked = effective.flag("source_auto_position");
    let mut refuse = |name: &str, message: &str| {
        let origin = effective.origin(name);
        errors.push(ConfigError::Contradiction {
            origin,
            message: message.to_owned(),
        });
    };
    if asked && file.is_some() {
        refuse(
            "source_log_file",
            "source_log_file and source_log_pos cannot be set when source_auto_position=1",
        );
    }
    if asked && gtid_mode == GtidMode::Off {
        refuse(
            "source_auto_position",
            "source_auto_position=1 cannot be used when gtid_mode=OFF",
        );
    }
    let by_itself = effective.is_default("source_auto_position")
        && file.is_none()
        && effective.is_default("source_log_pos")
        && gtid_mode != GtidMode::Off;
    if asked || by_itself {
        return SourcePosition::Auto;
    }
    let position = effective.unsigned("source_log_pos");
    SourcePosition::File {
        file: file.unwrap_or_default(),
        position,
    }
}

fn password(
    effective: &Effective,
    datadir: &Path,
    errors: &mut Vec<ConfigError>,
) -> Option<Secret> {
    let written = effective.secret("source_password");
    let Some(path) = effective.path("source_password_file", datadir) else {
        return written;
    };
    let origin = effective.origin("source_password_file");
    if written.is_some() {
        let message = "choose one of source_password and source_password_file".to_owned();
        errors.push(ConfigError::Contradiction { origin, message });
        return written;
    }
    match read_private(&path) {
        Ok(text) => Some(Secret::new(text.lines().next().unwrap_or_default())),
        Err(message) => {
            errors.push(ConfigError::Contradiction { origin, message });
            None
        }
    }
}

/// Reads a file that only its owner (and group) may read.
pub(super) fn read_private(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;

    let describe = |error: std::io::Error| {
        format!(
            "the password file {} cannot be read: {error}",
            path.display()
        )
    };
    let mode = fs::metadata(path).map_err(describe)?.permissions().mode();
    if mode & 0o007 != 0 {
        return Err(format!(
            "the password file {} is open to every user (mode {:03o}); make it 600",
            path.display(),
            mode & 0o777
        ));
    }
    fs::read_to_string(path).map_err(describe)
}
