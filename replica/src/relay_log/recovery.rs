//! Opening a relay log after whatever ended its last writer.

use std::collections::VecDeque;
use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, EventFlags, EventType};
use binlog::log::{
    LogError, LogFileName, LogFlavour, LogIndex, LogOptions, LogReader, LogWriter, RecoverOptions,
    Recovered, SourceCoordinates, Storage, recover,
};
use gtid::GtidSet;

use crate::LIFE;

/// How the relay log is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayLogOptions {
    /// Name of the files in front of the number: `relay_log`.
    pub base: String,
    /// Name of the index: `relay_log_index`.
    pub index: String,
    /// Bytes after which a file is full: `max_relay_log_size`.
    pub max_size: u64,
    /// Bytes of all files at which receiving waits for the applier, 0 for none:
    /// `relay_log_space_limit`.
    pub space_limit: u64,
    /// Whether applied files are removed: `relay_log_purge`.
    pub purge: bool,
    /// Transactions between two syncs, 0 to leave it to the system: `sync_relay_log`.
    pub sync_every: u32,
    /// The replica's server id, in the events that are its own.
    pub server_id: u32,
    /// The replica's version, in its format descriptions.
    pub server_version: String,
}

pub(super) struct Opened {
    pub(super) writer: LogWriter,
    pub(super) retrieved: GtidSet,
    pub(super) source: Option<SourceCoordinates>,
    pub(super) finished: VecDeque<(LogFileName, u64)>,
}

pub(super) fn open(
    storage: &Arc<dyn Storage>,
    options: &RelayLogOptions,
    now: u32,
) -> Result<Opened, LogError> {
    let recovered = recover(
        storage,
        &RecoverOptions {
            base: options.base.clone(),
            index: options.index.clone(),
            flavour: LogFlavour::Relay,
            force_truncate: false,
        },
    )?;
    say(&recovered);
    let (source, checksum) = last_coordinates(storage.as_ref(), &recovered.index)?;
    let finished = sizes(storage.as_ref(), &recovered.index)?;
    let log_options = LogOptions {
        base: options.base.clone(),
        index: options.index.clone(),
        flavour: LogFlavour::Relay,
        max_size: options.max_size,
        server_id: options.server_id,
        server_version: options.server_version.clone(),
        checksum: checksum.unwrap_or(ChecksumAlgorithm::Crc32),
    };
    let retrieved = recovered.gtid_executed;
    let storage = Arc::clone(storage);
    let writer = LogWriter::create(storage, log_options, recovered.index, &retrieved, now)?;
    Ok(Opened {
        writer,
        retrieved,
        source,
        finished,
    })
}

/// Says what the last process left and what was done about it; of a new log there is nothing to say.
fn say(recovered: &Recovered) {
    let Some(end) = &recovered.end else { return };
    let was_closed = !recovered.was_in_use;
    let transactions = recovered.gtid_executed.count();
    match &recovered.torn {
        None => tracing::info!(
            target: LIFE,
            %end,
            was_closed,
            transactions,
            "the relay log was recovered"
        ),
        Some(torn) => tracing::warn!(
            %end,
            transactions,
            cut_bytes = torn.bytes,
            kept_as = torn.saved_as,
            reason = torn.reason,
            "the relay log was recovered; its unfinished end was cut off and will be fetched again"
        ),
    }
}

/// Where the source's log goes on behind the last event of the relay log. Each file names its
/// place in the source's log at its beginning, so the last file that has one is enough.
fn last_coordinates(
    storage: &dyn Storage,
    index: &LogIndex,
) -> Result<(Option<SourceCoordinates>, Option<ChecksumAlgorithm>), LogError> {
    for file in index.files().iter().rev() {
        let mut reader = LogReader::open(storage, file)?;
        let mut source: Option<SourceCoordinates> = None;
        while reader.advance(None)? {
            let Some((_, event)) = reader.current() else {
                break;
            };
            if event.header.flags.contains(EventFlags::RELAY_LOG) {
                continue;
            }
            source = match source {
                Some(source) => Some(source.after(&event, reader.checksum())),
                None if event.header.event_type == EventType::ROTATE => {
                    SourceCoordinates::named_by_rotate(&event, reader.checksum())
                }
                None => None,
            };
        }
        if source.is_some() {
            return Ok((source, Some(reader.checksum())));
        }
    }
    Ok((None, None))
}

fn sizes(
    storage: &dyn Storage,
    index: &LogIndex,
) -> Result<VecDeque<(LogFileName, u64)>, LogError> {
    index
        .files()
        .iter()
        .map(|file| Ok((file.clone(), LogReader::open(storage, file)?.len()?)))
        .collect()
}
