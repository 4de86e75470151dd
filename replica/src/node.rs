//! A replica as a process runs it: its data directory opened, its channel running, clients served.

use std::sync::Arc;

use binlog::log::encryption::LogEncryption;
use binlog::log::{OsStorage, SourceCoordinates, Storage};
use config::settings::{GtidMode, Initialize, RowRuleSettings, SkipErrors, TargetKind};
use config::{ReplicaSettings, ReplicationFilter};
use engine::database::{Database, EngineOptions};
use gtid::Uuid;
use server::checkpointer::Checkpointer;
use server::clock::now_seconds;
use server::control::{
    NotKeptObservation, Observation, ReplicaObservation, ResolvedObservation, SessionCounts,
};

use server::datadir::{DataDirectory, DataRole};
use server::private_file;
use server::registry::ReplicaRegistry;
use server::{Control, Server, ServerParts};
use targets::{RowRules, Rule, SkippedErrors};

use crate::applier::ApplierStatus;
use crate::applier::NotKept;
use crate::applier::ResolvedCounts;
use crate::channel::{Channel, ChannelParts};
use crate::error::ReplicaError;
use crate::gate::{Gate, GatedStore};
use crate::read_only::ReadOnly;
use crate::receiver::{ReceiverRunning, ReplicaIdentity};
use crate::reconcile::{Wanted, reconcile};
use crate::relay_log::{RelayLog, RelayLogOptions};
use crate::role::ReplicaRole;
use crate::source_info::{Positions, SourceInfoFile};
use crate::target;

/// The channel that has no name.
const DEFAULT_CHANNEL: &str = "";
/// Runs a replica until `control` says stop, or only makes its data directory when the settings say
/// so.
///
/// # Errors
/// When the data directory cannot be opened or clients cannot be served.
pub async fn run(settings: ReplicaSettings, control: Control) -> Result<(), ReplicaError> {
    let settings = Arc::new(settings);
    let opening = Arc::clone(&settings);
    let opened = tokio::task::spawn_blocking(move || Opened::open(&opening)).await;
    let opened = opened.map_err(|error| {
        let source = std::io::Error::other(error);
        ReplicaError::io("opening", &settings.server.datadir, source)
    })??;
    if settings.server.initialize != Initialize::IfMissing {
        return Ok(server::initialize(&settings.server)?);
    }
    let Opened {
        lock,
        server_uuid,
        database,
        channel,
        encryption,
        gate,
    } = opened;
    let role = Arc::new(ReplicaRole::new(
        Arc::clone(&channel),
        encryption,
        Arc::clone(&gate),
        settings.server.gtid_mode != GtidMode::Off,
    ));
    let checkpointed = database.clone();
    let checkpointer = Checkpointer::start(move || checkpointed.checkpoint().map(drop));
    let checkpointer = checkpointer.map_err(|error| {
        ReplicaError::io("starting a thread for", &settings.server.datadir, error)
    })?;
    let executor = Arc::new(ReadOnly::new(Arc::clone(&channel), Arc::clone(&gate)));
    let server = parts(&settings, server_uuid, database, role, executor, &control);
    let server = Server::bind(server).await?;
    let counts = server.session_counts();
    let observed = Arc::clone(&channel);
    control.observe_with(move || observe(&observed, counts()));
    if channel.has_source() && !settings.skip_replica_start {
        let started = channel.start(true, true, None).await;
        started.map_err(|error| ReplicaError::Setting(error.message))?;
    }
    server.run().await;
    if let Err(error) = channel.stop(true, true).await {
        tracing::warn!(%error, "the channel did not stop in order");
    }
    drop(checkpointer);
    drop(lock);
    Ok(())
}

/// What SHOW VARIABLES says of a replica.
fn facts(settings: &ReplicaSettings) -> Vec<(&'static str, String)> {
    let flag = |on: bool| if on { "ON" } else { "OFF" }.to_owned();
    vec![
        ("log_bin", "OFF".to_owned()),
        // Nobody but the applier writes here, whatever the options say.
        ("read_only", "ON".to_owned()),
        ("super_read_only", "ON".to_owned()),
        ("relay_log", settings.relay_log.base.clone()),
        (
            "relay_log_index",
            settings.relay_log.index.display().to_string(),
        ),
        ("relay_log_purge", flag(settings.relay_log_purge)),
        ("relay_log_recovery", flag(settings.relay_log_recovery)),
        (
            "relay_log_space_limit",
            settings.relay_log_space_limit.to_string(),
        ),
        ("sync_relay_log", settings.sync_relay_log.to_string()),
        (
            "max_relay_log_size",
            settings.max_relay_log_size.to_string(),
        ),
        (
            "replica_net_timeout",
            settings.source.net_timeout.as_secs().to_string(),
        ),
        (
            "replica_exec_mode",
            match settings.row_rules.is_idempotent {
                true => "IDEMPOTENT",
                false => "STRICT",
            }
            .to_owned(),
        ),
        (
            "replica_skip_errors",
            settings.row_rules.skip_errors.to_string(),
        ),
        (
            "replica_parallel_workers",
            settings.applier.workers.to_string(),
        ),
        ("replica_parallel_type", "LOGICAL_CLOCK".to_owned()),
        (
            "replica_preserve_commit_order",
            flag(settings.applier.keeps_order),
        ),
        (
            "replica_transaction_retries",
            settings.applier.retries.to_string(),
        ),
        ("report_host", settings.report_host.clone()),
        ("report_port", settings.report_port.to_string()),
    ]
}

fn parts(
    settings: &ReplicaSettings,
    server_uuid: Uuid,
    database: Database,
    role: Arc<ReplicaRole>,
    executor: Arc<ReadOnly>,
    control: &Control,
) -> ServerParts {
    ServerParts {
        settings: settings.server.clone(),
        server_uuid: server_uuid.to_string(),
        database,
        executor,
        role,
        facts: facts(settings),
        replicas: ReplicaRegistry::default(),
        control: control.clone(),
    }
}

/// An open data directory.
struct Opened {
    /// Held as long as the directory is in use.
    lock: DataDirectory,
    server_uuid: Uuid,
    database: Database,
    channel: Arc<Channel>,
    encryption: Arc<LogEncryption>,
    gate: Arc<Gate>,
}

impl Opened {
    fn open(settings: &ReplicaSettings) -> Result<Self, ReplicaError> {
        let datadir = &settings.server.datadir;
        let lock = DataDirectory::open(datadir, DataRole::Replica)?;
        let server_uuid = lock.server_uuid();
        let source_info = SourceInfoFile::in_datadir(datadir);
        let (source, positions) = source_info.load_or(&settings.source)?;
        let (relay_log, encryption) = open_relay_log(settings, server_uuid)?;
        let database = Database::open(&lock.database(), EngineOptions::default())?;
        let gate = Arc::new(Gate::default());
        // A data directory is made without the server that its rows will go to.
        let kind = match settings.server.initialize {
            Initialize::IfMissing => &settings.target,
            Initialize::Insecure | Initialize::RandomPassword => &TargetKind::Sqlite,
        };
        check_row_filters(&settings.filters)?;
        let gtid_mode = settings.server.gtid_mode;
        let target = target::open(kind, &database, DEFAULT_CHANNEL, gtid_mode, datadir)?;
        let store = GatedStore {
            store: target,
            gate: Arc::clone(&gate),
        };
        let applier_status = Arc::new(ApplierStatus::default());
        let rules = Arc::new(rules(&settings.row_rules));
        applier_status.update(|state| state.rules = rules);
        let wanted = match positions {
            Positions::Void => Wanted::Discard,
            Positions::Kept if settings.relay_log_recovery => Wanted::Refetch,
            Positions::Kept => Wanted::Keep,
        };
        reconcile(&store, &applier_status, &relay_log, wanted)?;
        if positions == Positions::Void {
            source_info.save(&source, &settings.source, Positions::Kept)?;
        }
        let channel = Arc::new(Channel::new(ChannelParts {
            source,
            options: settings.source.clone(),
            source_info,
            filter: Arc::new(settings.filters.clone()),
            identity: identity(settings, server_uuid),
            // An event may be larger than a statement by what stands around it.
            event_bytes_max: 1 << 30,
            relay_log: Arc::new(relay_log),
            store: Arc::new(store),
            applier_status,
            applier_settings: settings.applier,
        }));
        Ok(Self {
            lock,
            server_uuid,
            database,
            channel,
            encryption,
            gate,
        })
    }
}

/// Conditions that can never be read, and tables with two, stop the replica before it begins.
fn check_row_filters(filter: &ReplicationFilter) -> Result<(), ReplicaError> {
    for rule in &filter.row_filters {
        let refused = |reason: &str| {
            ReplicaError::Setting(format!("replicate_row_filter='{rule}': {reason}"))
        };
        let checked = engine::dml::row_filter::check(&rule.expression);
        checked.map_err(|error| refused(&error.message))?;
        let (database, table) = (&rule.table.database, &rule.table.table);
        if filter.row_filter(database, table) != Some(rule) {
            return Err(refused("the table has another condition; join them by AND"));
        }
    }
    Ok(())
}

fn rules(settings: &RowRuleSettings) -> RowRules {
    RowRules {
        is_idempotent: settings.is_idempotent,
        skips: match &settings.skip_errors {
            SkipErrors::Off => SkippedErrors::None,
            SkipErrors::All => SkippedErrors::All,
            SkipErrors::Codes(codes) => SkippedErrors::Codes(codes.clone()),
        },
    }
}

fn open_relay_log(
    settings: &ReplicaSettings,
    server_uuid: Uuid,
) -> Result<(RelayLog, Arc<LogEncryption>), ReplicaError> {
    let names = &settings.relay_log;
    let index = names.index.file_name().and_then(|name| name.to_str());
    let is_beside = names.index.parent() == Some(names.directory.as_path());
    let Some(index) = index.filter(|_| is_beside) else {
        return Err(ReplicaError::Setting(format!(
            "relay_log_index={} must be in the directory of the relay logs, {}",
            names.index.display(),
            names.directory.display()
        )));
    };
    private_file::make_directory(&names.directory)
        .map_err(|error| ReplicaError::io("creating", &names.directory, error))?;
    let storage: Arc<dyn Storage> = Arc::new(OsStorage::new(&names.directory));
    let (storage, encryption) = server::encryption::open(&settings.server, server_uuid, storage)?;
    let options = RelayLogOptions {
        base: names.base.clone(),
        index: index.to_owned(),
        max_size: settings.max_relay_log_size,
        space_limit: settings.relay_log_space_limit,
        purge: settings.relay_log_purge,
        sync_every: settings.sync_relay_log,
        server_id: settings.server.server_id,
        server_version: settings.server.version.clone(),
    };
    let relay_log = RelayLog::open(storage, options, now_seconds())?;
    Ok((relay_log, encryption))
}

fn identity(settings: &ReplicaSettings, server_uuid: Uuid) -> ReplicaIdentity {
    let report_port = match settings.report_port {
        0 => settings.server.port,
        port => port,
    };
    ReplicaIdentity {
        server_id: settings.server.server_id,
        uuid: server_uuid.to_string(),
        report_host: settings.report_host.clone(),
        report_port,
        gtid_mode: settings.server.gtid_mode,
    }
}

fn observe(channel: &Channel, sessions: SessionCounts) -> Observation {
    let state = channel.state();
    let lag = state.lag_inputs().vector();
    let place = |place: Option<&SourceCoordinates>| {
        place.map_or_else(Default::default, |place| (place.file.clone(), place.offset))
    };
    let (receiver, applier) = (&state.receiver, &state.applier);
    Observation {
        sessions,
        gtid_executed: applier.executed.to_string(),
        gtid_executed_count: applier.executed.mysql.count(),
        primary: None,
        replica: Some(ReplicaObservation {
            receiver_connected: receiver.running == ReceiverRunning::Yes,
            receiver_running: receiver.running != ReceiverRunning::No,
            applier_running: applier.is_running,
            received: place(receiver.read.as_ref()),
            applied: place(applier.source.as_ref()),
            gtid_retrieved_count: state.retrieved.mysql.count(),
            failed_gtid: applier
                .failure
                .as_ref()
                .and_then(|failure| failure.gtid.text()),
            receive: lag.receive,
            queue: lag.queue,
            apply: lag.apply,
            transactions_applied: applier.transactions,
            rows_applied: applier.rows,
            transactions_skipped: applier.skipped,
            not_kept: not_kept(&applier.not_kept),
            resolved: resolved(&applier.resolved),
            rows_left_out: applier.left_out,
            connects: receiver.connects,
            relay_log_bytes: state.relay_log_space,
            errors: vec![("receive", receiver.failures), ("apply", applier.failures)],
        }),
    }
}

fn not_kept(passed_over: &NotKept) -> Vec<NotKeptObservation> {
    let kinds = passed_over.iter();
    let kinds = kinds.map(|(construct, passed)| NotKeptObservation {
        construct,
        count: passed.count,
        last_gtid: passed.last.text(),
    });
    kinds.collect()
}

fn resolved(counts: &ResolvedCounts) -> Vec<ResolvedObservation> {
    let observed = |(rule, code, count): (Rule, u16, u64)| ResolvedObservation {
        rule: rule.name(),
        code,
        count,
    };
    counts.iter().map(observed).collect()
}
