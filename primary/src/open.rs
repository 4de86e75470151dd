//! Opening a data directory: lock, log recovery, rolling the engine forward, the first new file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use binlog::event::ChecksumAlgorithm;
use binlog::log::encryption::LogEncryption;
use binlog::log::{
    FileGuards, KnownPlace, LogFileName, LogFlavour, LogOptions, LogPosition, LogWriter, OsStorage,
    RecoverOptions, Recovered, Storage, recover_from,
};
use config::PrimarySettings;
use config::settings::BinlogChecksum;
use engine::database::{Database, EngineOptions, EnginePosition, Writer};
use gtid::{Tsid, Uuid};
use server::feed::{FeedIdentity, GtidState as _, LogFeed};

use crate::checkpoint::{Checkpointer, checkpoint};
use crate::error::PrimaryError;
use crate::node::{Parts, Primary, Threads};
use crate::pipeline::{
    Durability, OnFatal, Pipeline, PipelineOptions, drop_empty_head, has_unlogged, now_seconds,
};
use crate::roll_forward::roll_forward;
use crate::state::State;
use crate::transaction::EventOrigin;

/// The engine's file in the data directory.
const DATABASE_FILE: &str = "weir.db";
/// How long a process that was killed a moment ago may still hold the lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);
const LOCK_PERIOD: Duration = Duration::from_millis(20);
/// The file whose lock says that the data directory is in use.
const LOCK_FILE: &str = "weir.lock";

impl Primary {
    /// Opens the data directory of `settings` and starts the pipeline. Blocks.
    ///
    /// # Errors
    ///
    /// If another process has the directory, a file cannot be read or written, or log and engine do
    /// not belong together; nothing was changed then that a later start could not repair.
    pub fn open(settings: Arc<PrimarySettings>) -> Result<Self, PrimaryError> {
        let directory = &settings.log_bin.directory;
        std::fs::create_dir_all(directory)
            .map_err(|error| PrimaryError::io("creating", directory, error))?;
        let storage: Arc<dyn Storage> = Arc::new(OsStorage::new(directory));
        let on_fatal: OnFatal = Box::new(|error| {
            tracing::error!(%error, "the commit pipeline has failed; only a restart knows what is true");
            // No answer may leave and nothing may be written after this.
            std::process::abort();
        });
        Self::open_on(settings, storage, on_fatal)
    }

    /// [`Primary::open`] with the log on any storage.
    pub(crate) fn open_on(
        settings: Arc<PrimarySettings>,
        storage: Arc<dyn Storage>,
        on_fatal: OnFatal,
    ) -> Result<Self, PrimaryError> {
        let datadir = &settings.server.datadir;
        std::fs::create_dir_all(datadir)
            .map_err(|error| PrimaryError::io("creating", datadir, error))?;
        let lock = lock(datadir)?;
        let server_uuid = config::auto_cnf::server_uuid(datadir)
            .map_err(|error| PrimaryError::io("reading the identity in", datadir, error))?;
        let (storage, encryption) =
            server::encryption::open(&settings.server, server_uuid, storage)?;
        let log_options = log_options(&settings)?;
        let database = Database::open(&datadir.join(DATABASE_FILE), EngineOptions::default())?;
        let mut writer = database.writer()?;
        let position = writer.position()?;
        let mut recovered = recover_log(&storage, &log_options, &position)?;
        if position.file.is_empty() && has_unlogged(datadir) {
            return Err(PrimaryError::Diverged {
                engine: "the beginning (it is empty)".to_owned(),
                found:
                    "it lacks changes that were made with sql_log_bin=0, which the log does not \
                        have either"
                        .to_owned(),
            });
        }
        let rolled = roll_forward(&mut writer, &storage, &recovered)?;
        if rolled.transactions > 0 {
            tracing::info!(
                transactions = rolled.transactions,
                file = %rolled.position.file,
                offset = rolled.position.offset,
                "rolled the engine forward from the binary log"
            );
        }
        writer.sync()?;
        let mut log = LogWriter::create(
            Arc::clone(&storage),
            log_options,
            recovered.index.clone(),
            &recovered.gtid_executed,
            now_seconds(),
        )?;
        if let Some(purged) = drop_empty_head(&mut log)? {
            recovered.gtid_purged = purged;
        }
        start(
            settings,
            server_uuid,
            database,
            writer,
            log,
            encryption,
            recovered,
            lock,
            on_fatal,
        )
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of a node, each made once, put together once"
)]
fn start(
    settings: Arc<PrimarySettings>,
    server_uuid: Uuid,
    database: Database,
    writer: Writer,
    log: LogWriter,
    encryption: Arc<LogEncryption>,
    recovered: Recovered,
    lock: File,
    on_fatal: OnFatal,
) -> Result<Primary, PrimaryError> {
    let has_gtids = settings.server.gtid_mode.assigns();
    let end = log.durable_end();
    let state = Arc::new(State::new(
        recovered.gtid_executed,
        recovered.gtid_purged,
        has_gtids,
        end.clone(),
    ));
    let identity = FeedIdentity {
        server_id: settings.server.server_id,
        server_uuid,
    };
    let feed = Arc::new(LogFeed::new(
        identity,
        Arc::clone(log.storage()),
        log.index().name(),
        FileGuards::new(),
        Arc::clone(&state) as Arc<dyn server::feed::GtidState>,
        end,
    ));
    checkpoint(&database, &state)?;
    let (requests, received) = mpsc::channel();
    let options = pipeline_options(&settings, has_gtids.then(|| Tsid::untagged(server_uuid)));
    let mut pipeline = Pipeline::new(
        options,
        writer,
        log,
        Arc::clone(&feed),
        Arc::clone(&state),
        received,
    )?;
    pipeline.expire();
    let datadir = settings.server.datadir.clone();
    let failed = |error| PrimaryError::io("starting a thread for", &datadir, error);
    let checkpointer = Checkpointer::start(database.clone(), Arc::clone(&state)).map_err(failed)?;
    let pipeline = std::thread::Builder::new()
        .name("pipeline".to_owned())
        .spawn(move || {
            let _guard = AbortOnPanic;
            pipeline.run(on_fatal);
        })
        .map_err(failed)?;
    debug_assert!(state.purged().is_subset_of(&state.executed()));
    let parts = Parts {
        settings,
        server_uuid,
        database,
        feed,
        encryption,
        state,
        requests,
    };
    let threads = Threads {
        pipeline,
        checkpointer,
        lock,
    };
    Ok(Primary::new(parts, threads))
}

/// A pipeline that died half-way would leave clients without answers and locks without owner.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

/// Takes the data directory for this process.
fn lock(datadir: &Path) -> Result<File, PrimaryError> {
    let path = datadir.join(LOCK_FILE);
    let failed = |error| PrimaryError::io("locking", &path, error);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(failed)?;
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < deadline => {
                std::thread::sleep(LOCK_PERIOD);
            }
            Err(TryLockError::WouldBlock) => {
                return Err(PrimaryError::DataDirectoryInUse(datadir.to_owned()));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
    }
}

fn log_options(settings: &PrimarySettings) -> Result<LogOptions, PrimaryError> {
    let log_bin = &settings.log_bin;
    let index = log_bin.index.file_name().and_then(|name| name.to_str());
    let is_beside = log_bin.index.parent() == Some(log_bin.directory.as_path());
    let Some(index) = index.filter(|_| is_beside) else {
        return Err(PrimaryError::Setting(format!(
            "log_bin_index={} must be in the directory of the binary logs, {}",
            log_bin.index.display(),
            log_bin.directory.display()
        )));
    };
    Ok(LogOptions {
        base: log_bin.base.clone(),
        index: index.to_owned(),
        flavour: LogFlavour::Binary,
        max_size: settings.max_binlog_size,
        server_id: settings.server.server_id,
        server_version: settings.server.version.clone(),
        checksum: match settings.binlog_checksum {
            BinlogChecksum::None => ChecksumAlgorithm::None,
            BinlogChecksum::Crc32 => ChecksumAlgorithm::Crc32,
        },
    })
}

fn recover_log(
    storage: &Arc<dyn Storage>,
    options: &LogOptions,
    engine: &EnginePosition,
) -> Result<Recovered, PrimaryError> {
    // What the engine has committed was whole in the log; it need not be read again.
    let known = LogFileName::parse(&engine.file)
        .zip(engine.gtid_executed.parse().ok())
        .map(|(file, executed)| KnownPlace {
            position: LogPosition::new(file, engine.offset),
            executed,
        });
    let options = RecoverOptions {
        base: options.base.clone(),
        index: options.index.clone(),
        flavour: LogFlavour::Binary,
        force_truncate: false,
    };
    let recovered = recover_from(storage, &options, known.as_ref())?;
    if let Some(torn) = &recovered.torn {
        tracing::warn!(
            at = %torn.at,
            bytes = torn.bytes,
            reason = torn.reason,
            copy = torn.saved_as,
            "cut an unfinished transaction off the binary log"
        );
    }
    Ok(recovered)
}

fn pipeline_options(settings: &PrimarySettings, tsid: Option<Tsid>) -> PipelineOptions {
    let idle = u64::from(settings.server.idle_transaction_timeout);
    PipelineOptions {
        origin: EventOrigin {
            server_id: settings.server.server_id,
            version: sql::version_number(&settings.server.version),
            row_metadata: settings.binlog_row_metadata,
        },
        tsid,
        durability: match settings.sync_binlog {
            0 => Durability::Never,
            groups => Durability::EveryGroups(groups),
        },
        idle_timeout: (idle > 0).then(|| Duration::from_secs(idle)),
        spill_directory: settings.server.datadir.clone(),
        expire_seconds: settings.binlog_expire_logs_seconds,
    }
}
