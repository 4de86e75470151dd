//! Opening a data directory: lock, log recovery, rolling the engine forward, the first new file.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use binlog::event::ChecksumAlgorithm;
use binlog::log::encryption::LogEncryption;
use binlog::log::{
    FileGuards, KnownPlace, LogFileName, LogFlavour, LogOptions, LogPosition, LogWriter, OsStorage,
    RecoverOptions, Recovered, Storage, recover_from,
};
use config::PrimarySettings;
use config::settings::BinlogChecksum;
use engine::database::{Database, EngineOptions, EnginePosition, rewind};
use engine::execute::Writer;
use gtid::{Tsid, Uuid};
use server::checkpointer::Checkpointer;
use server::datadir::{DataDirectory, DataRole};
use server::feed::{FeedIdentity, GtidState as _, LogFeed};
use server::fence::Fence;
use server::private_file;

use crate::checkpoint::checkpoint;
use crate::error::PrimaryError;
use crate::node::{Parts, Primary, Threads};
use crate::pipeline::{
    self, Durability, Now, OnFatal, Pipeline, PipelineOptions, drop_empty_head, has_unlogged,
};
use crate::reserve::{RESERVE_BYTES, Reserve};
use crate::roll_forward::{describe, reaches, roll_forward};
use crate::state::State;
use crate::transaction::{EVENT_BYTES_MAX, EventOrigin};

/// What a start on a full disk is told to need: the usual group and the reserve.
const NEEDED_BYTES: u64 = 4 * RESERVE_BYTES;

impl Primary {
    /// Opens the data directory of `settings` and starts the pipeline. Blocks.
    ///
    /// # Errors
    ///
    /// If another process has the directory, a file cannot be read or written, or log and engine do
    /// not belong together; nothing was changed then that a later start could not repair.
    pub fn open(settings: Arc<PrimarySettings>) -> Result<Self, PrimaryError> {
        let directory = &settings.log_bin.directory;
        private_file::make_directory(directory)
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
        Prepared::open(settings, storage, Now::read())?.start(on_fatal)
    }
}

/// A node whose engine and log are as one, and whose threads do not run yet.
pub(crate) struct Prepared {
    pub(crate) settings: Arc<PrimarySettings>,
    pub(crate) datadir: DataDirectory,
    pub(crate) encryption: Arc<LogEncryption>,
    pub(crate) database: Database,
    pub(crate) state: Arc<State>,
    pub(crate) feed: Arc<LogFeed>,
    pub(crate) fence: Fence,
    pub(crate) pipeline: Pipeline,
}

impl Prepared {
    /// Opens the data directory of `settings` with the log on `storage`.
    pub(crate) fn open(
        settings: Arc<PrimarySettings>,
        storage: Arc<dyn Storage>,
        now: Now,
    ) -> Result<Self, PrimaryError> {
        let mut datadir = DataDirectory::open(&settings.server.datadir, DataRole::Primary)?;
        let server_uuid = datadir.server_uuid();
        let (storage, encryption) =
            server::encryption::open(&settings.server, server_uuid, storage)?;
        let log_options = log_options(&settings)?;
        let engine = open_engine_with_reserve(&settings, &datadir, &storage, &log_options)?;
        // From here on log and engine are as one, and durable as one.
        datadir.set_may_lose_tail(settings.sync_binlog != 1)?;
        let Engine {
            database,
            writer,
            recovered,
        } = engine;
        let mut log = LogWriter::create_when_possible(
            Arc::clone(&storage),
            log_options,
            recovered.index.clone(),
            &recovered.gtid_executed,
            now.seconds(),
            recovered.end.as_ref(),
        )?;
        let mut purged = recovered.gtid_purged;
        if log.lacks_file() {
            tracing::error!("no space left for a new binary log file; writes fail until there is");
        } else if let Some(more) = drop_empty_head(&mut log)? {
            purged = more;
        }
        let has_gtids = settings.server.gtid_mode.assigns();
        let state = State::new(
            recovered.gtid_executed,
            purged,
            has_gtids,
            log.durable_end(),
        );
        let state = Arc::new(state);
        let feed = feed(&settings, server_uuid, &log, &state);
        first_checkpoint(&database, &state, log.storage(), durability(&settings))?;
        let fence = Fence::default();
        let options = pipeline_options(&settings, has_gtids.then(|| Tsid::untagged(server_uuid)));
        let pipeline = Pipeline::new(
            options,
            writer,
            log,
            Arc::clone(&feed),
            Arc::clone(&state),
            fence.clone(),
            now,
        )?;
        debug_assert!(state.purged().is_subset_of(&state.executed()));
        Ok(Self {
            settings,
            datadir,
            encryption,
            database,
            state,
            feed,
            fence,
            pipeline,
        })
    }

    /// Starts the threads.
    fn start(self, on_fatal: OnFatal) -> Result<Primary, PrimaryError> {
        let Self {
            settings,
            datadir,
            encryption,
            database,
            state,
            feed,
            fence,
            pipeline,
        } = self;
        let (requests, received) = mpsc::channel();
        let directory = settings.server.datadir.clone();
        let failed = |error| PrimaryError::io("starting a thread for", &directory, error);
        let durability = durability(&settings);
        let checkpointer = {
            let (database, state) = (database.clone(), Arc::clone(&state));
            let storage = Arc::clone(feed.storage());
            Checkpointer::start(move || checkpoint(&database, &state, &storage, durability))
        };
        let checkpointer = checkpointer.map_err(failed)?;
        let pipeline = std::thread::Builder::new()
            .name("pipeline".to_owned())
            .stack_size(sql::THREAD_STACK)
            .spawn(move || {
                let _guard = AbortOnPanic;
                pipeline::run(pipeline, &received, on_fatal);
            })
            .map_err(failed)?;
        let parts = Parts {
            settings,
            server_uuid: datadir.server_uuid(),
            database,
            feed,
            encryption,
            state,
            fence,
            requests,
        };
        let threads = Threads {
            pipeline,
            checkpointer,
            lock: datadir,
        };
        Ok(Primary::new(parts, threads))
    }
}

/// The engine where the log ends.
struct Engine {
    database: Database,
    writer: Writer,
    recovered: Recovered,
}

/// [`open_engine`], with the room of the reserve if there is no other.
fn open_engine_with_reserve(
    settings: &PrimarySettings,
    datadir: &DataDirectory,
    storage: &Arc<dyn Storage>,
    log_options: &LogOptions,
) -> Result<Engine, PrimaryError> {
    let open = || open_engine(settings, datadir, storage, log_options);
    let engine = match open() {
        Err(error)
            if error.is_disk_full() && Reserve::in_datadir(&settings.server.datadir).spend() =>
        {
            open()
        }
        opened => opened,
    };
    engine.map_err(|error| match error.is_disk_full() {
        true => PrimaryError::NoRoom {
            bytes: NEEDED_BYTES,
            directory: settings.server.datadir.clone(),
            source: Box::new(error),
        },
        false => error,
    })
}

/// Recovers the log and brings the engine to its end.
fn open_engine(
    settings: &PrimarySettings,
    datadir: &DataDirectory,
    storage: &Arc<dyn Storage>,
    log_options: &LogOptions,
) -> Result<Engine, PrimaryError> {
    let open = || {
        let database = Database::open(&datadir.database(), EngineOptions::default())?;
        let writer = Writer::open(&database)?;
        Ok::<_, PrimaryError>((database, writer))
    };
    let (mut database, mut writer) = open()?;
    let position = writer.position()?;
    let recovered = recover_log(storage, log_options, datadir, &position)?;
    if position.file.is_empty() && has_unlogged(&settings.server.datadir) {
        return Err(PrimaryError::Diverged {
            engine: describe(&position),
            found: "it lacks changes that were made with sql_log_bin=0, which the log does not \
                    have either"
                .to_owned(),
        });
    }
    if datadir.may_lose_tail() && !reaches(&recovered, &position) {
        drop((writer, database));
        let reached = rewind(&datadir.database(), |earlier| reaches(&recovered, earlier))?;
        if let Some(reached) = reached {
            tracing::warn!(
                before = describe(&position),
                now = describe(&reached),
                "the binary log lost its tail with the machine's power (sync_binlog is not 1); \
                 the engine was taken back behind it"
            );
        }
        (database, writer) = open()?;
    }
    let rolled = roll_forward(&mut writer, storage, &recovered)?;
    if rolled.transactions > 0 {
        tracing::info!(
            transactions = rolled.transactions,
            file = %rolled.position.file,
            offset = rolled.position.offset,
            "rolled the engine forward from the binary log"
        );
    }
    writer.sync()?;
    Ok(Engine {
        database,
        writer,
        recovered,
    })
}

/// Tells purge where the engine would be after a power loss. Without room it is told later.
fn first_checkpoint(
    database: &Database,
    state: &State,
    storage: &Arc<dyn Storage>,
    durability: Durability,
) -> Result<(), PrimaryError> {
    match checkpoint(database, state, storage, durability) {
        Err(PrimaryError::Engine(error)) if error.is_disk_full() => {
            tracing::error!("no space left for a checkpoint of the engine; it will be tried again");
            Ok(())
        }
        checkpointed => checkpointed,
    }
}

/// The log for dump sessions.
fn feed(
    settings: &PrimarySettings,
    server_uuid: Uuid,
    log: &LogWriter,
    state: &Arc<State>,
) -> Arc<LogFeed> {
    let identity = FeedIdentity {
        server_id: settings.server.server_id,
        server_uuid,
    };
    Arc::new(LogFeed::new(
        identity,
        Arc::clone(log.storage()),
        log.index().name(),
        FileGuards::new(),
        Arc::clone(state) as Arc<dyn server::feed::GtidState>,
        log.durable_end(),
    ))
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
    datadir: &DataDirectory,
    engine: &EnginePosition,
) -> Result<Recovered, PrimaryError> {
    // What the engine has committed was whole in the log; it need not be read again. Of what was not
    // synced a power loss may have kept any part: the engine's place proves nothing then, and what
    // follows the first damage was not durable either.
    let may_lose_tail = datadir.may_lose_tail();
    let known = LogFileName::parse(&engine.file)
        .filter(|_| !may_lose_tail)
        .zip(engine.gtid_executed.parse().ok())
        .map(|(file, executed)| KnownPlace {
            position: LogPosition::new(file, engine.offset),
            executed,
        });
    let options = RecoverOptions {
        base: options.base.clone(),
        index: options.index.clone(),
        flavour: LogFlavour::Binary,
        force_truncate: may_lose_tail,
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
            event_bytes_max: EVENT_BYTES_MAX,
        },
        tsid,
        durability: durability(settings),
        idle_timeout: (idle > 0).then(|| Duration::from_secs(idle)),
        spill_directory: settings.server.datadir.clone(),
        log_directory: settings.log_bin.directory.clone(),
        expire_seconds: settings.binlog_expire_logs_seconds,
    }
}

const fn durability(settings: &PrimarySettings) -> Durability {
    match settings.sync_binlog {
        0 => Durability::Never,
        groups => Durability::EveryGroups(groups),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Command;

    use super::AbortOnPanic;

    /// Set for the process that is to end.
    const PANICS: &str = "WEIR_TEST_PIPELINE_PANICS";

    #[test]
    fn a_panic_of_the_pipeline_ends_the_process() {
        if std::env::var_os(PANICS).is_some() {
            let pipeline = std::thread::spawn(|| {
                let _guard = AbortOnPanic;
                panic!("on purpose");
            });
            drop(pipeline.join());
            return;
        }
        let name = "open::tests::a_panic_of_the_pipeline_ends_the_process";
        let this = std::env::current_exe().expect("this program");
        let mut command = Command::new(this);
        command.args(["--exact", name]).env(PANICS, "1");
        let ended = command.output().expect("it runs").status;
        assert_eq!(ended.signal(), Some(6), "{ended}");
    }
}
