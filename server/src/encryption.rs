//! Encrypted logs as both roles have them: opened from the settings, switched and given new keys by
//! statements, with MySQL's errors.

use std::future::Future;
use std::io;
use std::sync::Arc;

use binlog::log::Storage;
use binlog::log::encryption::{EncryptionError, KeyFileError, Keyring, LogEncryption};
use config::settings::ServerSettings;
use gtid::Uuid;
use sql::error::SqlError;

/// The file in the data directory that says where the keyring is, as in MySQL.
const COMPONENT_CONFIGURATION: &str = "component_keyring_file.cnf";

/// Why the logs' encryption could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EncryptionSetupError {
    /// The keyring cannot be used.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// Keys or encryption headers cannot be written or read.
    #[error("setting up the encryption of the logs: {0}")]
    Logs(#[from] io::Error),
}

/// The log directory `storage` as `settings` want it encrypted, and what controls that.
///
/// A rotation of the master key that a crash interrupted is finished first. Blocks.
///
/// # Errors
///
/// If the keyring is damaged, if there is none though the settings ask for encryption, or if files
/// cannot be read or written.
pub fn open(
    settings: &ServerSettings,
    server_uuid: Uuid,
    storage: Arc<dyn Storage>,
) -> Result<(Arc<dyn Storage>, Arc<LogEncryption>), EncryptionSetupError> {
    let keyring = match &settings.keyring_file_data {
        Some(path) => Some(Keyring::open(path, false)?),
        None => Keyring::configured(&settings.datadir.join(COMPONENT_CONFIGURATION))?,
    };
    for warning in keyring.iter().flat_map(|keyring| keyring.keys().warnings()) {
        tracing::warn!("{warning}");
    }
    let encryption = LogEncryption::new(server_uuid, keyring);
    let storage = encryption.storage(storage)?;
    if encryption.recover()? {
        tracing::info!("finished a rotation of the binary log master key that was interrupted");
    }
    encryption.switch(settings.binlog_encryption)?;
    if settings.binlog_encryption && settings.binlog_rotate_encryption_key_at_startup {
        // The first file of this start is yet to come; it will have the new key.
        encryption.begin_rotation()?;
        encryption.finish_rotation()?;
    }
    Ok((Arc::new(storage), encryption))
}

/// SET GLOBAL binlog_encryption. `rotate_logs` begins a new file in every log.
///
/// # Errors
/// 3788, 3793 and 3794 as MySQL.
pub async fn switch(
    encryption: &Arc<LogEncryption>,
    on: bool,
    rotate_logs: impl Future<Output = Result<(), SqlError>>,
) -> Result<(), SqlError> {
    if encryption.is_on() == on {
        return Ok(());
    }
    let switched = Arc::clone(encryption);
    blocking(move || switched.switch(on))
        .await?
        .map_err(not_switched)?;
    rotate_logs.await.map_err(|error| {
        tracing::error!(%error, "rotating the logs after a change of binlog_encryption failed");
        let text = "Failed to rotate some logs after changing binlog encryption settings. Please \
                    fix the problem and rotate the logs manually.";
        SqlError::new(3788, "HY000", text)
    })
}

/// ALTER INSTANCE ROTATE BINLOG MASTER KEY. `rotate_logs` begins a new file in every log.
///
/// # Errors
/// 3805, 3807, 3808 and 3809 as MySQL.
pub async fn rotate_key(
    encryption: &Arc<LogEncryption>,
    rotate_logs: impl Future<Output = Result<(), SqlError>>,
) -> Result<(), SqlError> {
    if !encryption.is_on() {
        let text = "Cannot rotate binary log master key when 'binlog-encryption' is off.";
        return Err(SqlError::new(3805, "HY000", text));
    }
    let begun = Arc::clone(encryption);
    blocking(move || begun.begin_rotation())
        .await?
        .map_err(|error| {
            tracing::error!(%error, "a new binary log master key could not be stored");
            let text = "Failed to operate binary log master key on keyring, please check if \
                        keyring is loaded. The statement had no effect: the old binary log master \
                        key is still in use, the keyring, binary and relay log files are \
                        unchanged, and the server could not start using a new binary log master \
                        key for encrypting new binary and relay log files.";
            SqlError::new(3807, "HY000", text)
        })?;
    rotate_logs.await.map_err(|error| {
        tracing::error!(%error, "rotating the logs for a new binary log master key failed");
        let text = format!("Failed to rotate one or more binary or relay log files. {REMAINING}");
        SqlError::new(3808, "HY000", text)
    })?;
    let finished = Arc::clone(encryption);
    blocking(move || finished.finish_rotation())
        .await?
        .map_err(|error| SqlError::new(3809, "HY000", format!("{error}. {REMAINING}")))
}

const REMAINING: &str = "A new binary log master key was generated and will be used to encrypt new \
                         binary and relay log files. There may still exist binary or relay log \
                         files using the previous binary log master key.";

fn not_switched(error: io::Error) -> SqlError {
    match EncryptionError::from_io(error) {
        Ok(EncryptionError::NoKeyring | EncryptionError::MissingKey { .. }) => {
            let text = "Unable to recover binlog encryption master key, please check if keyring \
                        is loaded.";
            SqlError::new(3794, "HY000", text)
        }
        Ok(error) => not_changed(&error.to_string()),
        Err(error) => not_changed(&error.to_string()),
    }
}

fn not_changed(why: &str) -> SqlError {
    let text = format!("Failed to change binlog_encryption value. {why}.");
    SqlError::new(3793, "HY000", text)
}

/// Runs file work on a thread that may wait.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, SqlError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SqlError::unknown_error())
}
