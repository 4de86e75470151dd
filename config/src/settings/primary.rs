//! Settings of `weir primary`.

use super::{GtidMode, LogBaseName, ServerSettings};
use crate::definition::Role;
use crate::value::Value;
use crate::{ConfigError, ConfigErrors, Effective, Loaded};

/// The writable node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimarySettings {
    /// What it has in common with a replica.
    pub server: ServerSettings,
    /// Where the binlog files are.
    pub log_bin: LogBaseName,
    /// Commit groups between two syncs; 0 leaves it to the operating system.
    pub sync_binlog: u32,
    /// Bytes after which a new file is begun.
    pub max_binlog_size: u64,
    /// Age in seconds after which a file is removed; 0 never.
    pub binlog_expire_logs_seconds: u32,
    /// Checksum behind every event.
    pub binlog_checksum: BinlogChecksum,
    /// What a table map tells of its columns.
    pub binlog_row_metadata: BinlogRowMetadata,
}

/// `binlog_checksum`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinlogChecksum {
    /// None.
    None,
    /// CRC-32.
    Crc32,
}

/// `binlog_row_metadata`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BinlogRowMetadata {
    /// Signs, character sets of text columns, geometry types.
    Minimal,
    /// Also names, keys, members.
    Full,
}

impl PrimarySettings {
    /// Reads the arguments of `weir primary` (without the program and the subcommand) and the
    /// files they name.
    ///
    /// # Errors
    ///
    /// Every mistake in them; see [`ConfigError`].
    pub fn load<S: Into<String>>(
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Loaded<Self>, ConfigErrors> {
        crate::layers::load(Role::Primary, arguments, Self::read, Self::derived)
    }

    fn derived(&self) -> Vec<(&'static str, Value)> {
        let index = Value::Text(self.log_bin.index.display().to_string());
        let mut values = self.server.derived();
        values.push(("log_bin_index", index));
        values
    }

    pub(crate) fn read(effective: &Effective, errors: &mut Vec<ConfigError>) -> Self {
        let server = ServerSettings::read(effective, errors);
        if matches!(
            server.gtid_mode,
            GtidMode::OffPermissive | GtidMode::OnPermissive
        ) {
            errors.push(ConfigError::BadValue {
                origin: effective.origin("gtid_mode"),
                option: "gtid_mode".to_owned(),
                value: server.gtid_mode.name().to_owned(),
                allowed: "ON, OFF in `weir primary`".to_owned(),
            });
        }
        let log_bin = LogBaseName::new(
            &server.datadir,
            &effective.text("log_bin").unwrap_or_default(),
            effective.text("log_bin_index").as_deref(),
        );
        Self {
            log_bin,
            sync_binlog: effective.unsigned32("sync_binlog"),
            max_binlog_size: effective.unsigned("max_binlog_size"),
            binlog_expire_logs_seconds: effective.unsigned32("binlog_expire_logs_seconds"),
            binlog_checksum: match effective.word("binlog_checksum") {
                "NONE" => BinlogChecksum::None,
                _ => BinlogChecksum::Crc32,
            },
            binlog_row_metadata: match effective.word("binlog_row_metadata") {
                "FULL" => BinlogRowMetadata::Full,
                _ => BinlogRowMetadata::Minimal,
            },
            server,
        }
    }
}
