//! Running a primary as a process does: open, serve clients until told to stop, close.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::PrimarySettings;
use config::settings::{BinlogChecksum, BinlogRowMetadata, Initialize};
use gtid::GtidSet;
use server::Control;
use server::control::{Observation, PrimaryObservation, SessionCounts};
use server::feed::GtidState as _;
use server::registry::ReplicaRegistry;
use server::{Server, ServerParts};

use crate::error::PrimaryError;
use crate::node::Primary;

/// Runs a primary until `control` says stop. With `--initialize` it only makes the data directory.
///
/// # Errors
///
/// If the data directory cannot be opened or an address not be listened on. A failure of log or
/// engine while it runs does not come back: the process aborts, and the next start recovers.
pub async fn run(settings: PrimarySettings, control: Control) -> Result<(), PrimaryError> {
    let settings = Arc::new(settings);
    let server_error = |error: server::ServerError| PrimaryError::Server(error.to_string());
    let opened = Arc::clone(&settings);
    let primary = blocking(move || Primary::open(opened)).await??;
    let primary = Arc::new(primary);
    if settings.server.initialize != Initialize::IfMissing {
        let result = server::initialize(&settings.server).map_err(server_error);
        stop(&primary).await?;
        return result;
    }
    let bound = Server::bind(ServerParts {
        settings: settings.server.clone(),
        server_uuid: primary.server_uuid().to_string(),
        database: primary.database().clone(),
        executor: Arc::clone(&primary) as Arc<dyn server::executor::WriteExecutor>,
        role: Arc::clone(&primary) as Arc<dyn server::role::Role>,
        facts: facts(&settings),
        replicas: ReplicaRegistry::default(),
        control: control.clone(),
    })
    .await;
    let server = match bound {
        Ok(server) => server,
        Err(error) => {
            stop(&primary).await?;
            return Err(server_error(error));
        }
    };
    let sessions = server.session_counts();
    let observed = Arc::clone(&primary);
    control.observe_with(move || observed.observation(sessions()));
    server.run().await;
    stop(&primary).await
}

async fn stop(primary: &Arc<Primary>) -> Result<(), PrimaryError> {
    let primary = Arc::clone(primary);
    blocking(move || primary.stop()).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PrimaryError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| PrimaryError::Server(error.to_string()))
}

/// The global variables that only a primary has.
fn facts(settings: &PrimarySettings) -> Vec<(&'static str, String)> {
    let text = |path: &Path| path.display().to_string();
    let log_bin = &settings.log_bin;
    let checksum = match settings.binlog_checksum {
        BinlogChecksum::None => "NONE",
        BinlogChecksum::Crc32 => "CRC32",
    };
    let metadata = match settings.binlog_row_metadata {
        BinlogRowMetadata::Minimal => "MINIMAL",
        BinlogRowMetadata::Full => "FULL",
    };
    vec![
        ("log_bin", "ON".to_owned()),
        ("log_replica_updates", "ON".to_owned()),
        ("log_slave_updates", "ON".to_owned()),
        (
            "log_bin_basename",
            text(&log_bin.directory.join(&log_bin.base)),
        ),
        ("log_bin_index", text(&log_bin.index)),
        ("sync_binlog", settings.sync_binlog.to_string()),
        ("max_binlog_size", settings.max_binlog_size.to_string()),
        (
            "binlog_expire_logs_seconds",
            settings.binlog_expire_logs_seconds.to_string(),
        ),
        ("binlog_checksum", checksum.to_owned()),
        ("binlog_row_metadata", metadata.to_owned()),
    ]
}

impl Primary {
    /// How the node fares.
    fn observation(&self, sessions: SessionCounts) -> Observation {
        let executed: GtidSet = self.state().executed();
        let end = self.state().end();
        let counts = &self.state().counts;
        let load = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        Observation {
            sessions,
            gtid_executed_count: executed.count(),
            gtid_executed: executed.to_string(),
            primary: Some(PrimaryObservation {
                binlog_file: end.file.to_string(),
                binlog_position: end.offset,
                binlog_bytes: self.log_bytes(),
                commits: load(&counts.commits),
                commit_groups: load(&counts.groups),
                commit_group_max: load(&counts.group_max),
                syncs: load(&counts.syncs),
                sync_seconds: std::time::Duration::from_micros(load(&counts.sync_micros))
                    .as_secs_f64(),
                errors: vec![
                    ("flush", load(&counts.flush_errors)),
                    ("engine", load(&counts.engine_errors)),
                ],
                short: self.state().short(),
            }),
            replica: None,
        }
    }

    /// Bytes of all log files; what cannot be read now counts nothing.
    fn log_bytes(&self) -> u64 {
        let feed = self.feed();
        let storage = feed.storage().as_ref();
        let Ok(index) = binlog::log::LogIndex::load(storage, feed.index_name()) else {
            return 0;
        };
        let len = |name: &binlog::log::LogFileName| {
            storage
                .stored(name.as_str())
                .map_or(0, |stored| stored.bytes)
        };
        index.files().iter().map(len).sum()
    }
}
