//! Opening a relay log after whatever ended its last writer.

use std::collections::VecDeque;
use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, Event, EventFlags, EventType, RawEvent};
use binlog::log::{
    Damage, LogError, LogFileName, LogFlavour, LogIndex, LogOptions, LogReader, LogWriter,
    RecoverOptions, Recovered, SourceCoordinates, Storage, recover,
};
use binlog::transaction::{Executed, TransactionGtid};
use codec::DecodeError;
use gtid::MariaPosition;

use super::head::in_gtid_list;
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
    pub(super) retrieved: Executed,
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
    let newest = Newest::read(storage.as_ref(), &recovered.index)?;
    let finished = sizes(storage.as_ref(), &recovered.index)?;
    let log_options = LogOptions {
        base: options.base.clone(),
        index: options.index.clone(),
        flavour: LogFlavour::Relay,
        max_size: options.max_size,
        server_id: options.server_id,
        server_version: options.server_version.clone(),
        checksum: newest.checksum.unwrap_or(ChecksumAlgorithm::Crc32),
    };
    let retrieved = Executed {
        mysql: recovered.gtid_executed,
        mariadb: newest.mariadb,
    };
    let storage = Arc::clone(storage);
    let writer = LogWriter::create(storage, log_options, recovered.index, &retrieved.mysql, now)?;
    Ok(Opened {
        writer,
        retrieved,
        source: newest.source,
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

/// What the newest files say of what was received: each file says at its beginning what is behind
/// it in the source's log and in earlier files, so the last one that holds anything is enough.
#[derive(Default)]
struct Newest {
    /// Where the source's log goes on behind the last event.
    source: Option<SourceCoordinates>,
    checksum: Option<ChecksumAlgorithm>,
    /// MariaDB's transactions in this and earlier files.
    mariadb: MariaPosition,
}

impl Newest {
    fn read(storage: &dyn Storage, index: &LogIndex) -> Result<Self, LogError> {
        let mut found = Self::default();
        let mut has_list = false;
        for file in index.files().iter().rev() {
            let mut walk = FileWalk::default();
            let mut reader = LogReader::open(storage, file)?;
            while reader.advance(None)? {
                let Some((offset, event)) = reader.current() else {
                    break;
                };
                walk.take(&event, &reader).map_err(|error| {
                    let event_type = Some(event.header.event_type);
                    LogError::corrupt(file, offset, event_type, Damage::Undecodable(error))
                })?;
            }
            if !has_list {
                found.mariadb = walk.executed.mariadb;
                has_list = walk.has_list;
            }
            if walk.source.is_some() {
                found.source = walk.source;
                found.checksum = Some(reader.checksum());
                break;
            }
        }
        Ok(found)
    }
}

/// What one file says. Recovery has cut off what is not whole.
#[derive(Default)]
struct FileWalk {
    source: Option<SourceCoordinates>,
    executed: Executed,
    has_list: bool,
}

impl FileWalk {
    fn take(&mut self, raw: &RawEvent<'_>, reader: &LogReader) -> Result<(), DecodeError> {
        let header = &raw.header;
        if matches!(
            header.event_type,
            EventType::MARIADB_GTID | EventType::MARIADB_GTID_LIST
        ) {
            let event = Event::decode(raw, reader.format())?;
            if let Some(position) = in_gtid_list(&event, header) {
                self.executed.mariadb = position;
                self.has_list = true;
            }
            if let Event::MariadbGtid(begun) = event {
                self.executed.add(TransactionGtid::MariaDb(begun.gtid));
            }
        }
        if header.flags.contains(EventFlags::RELAY_LOG) {
            return Ok(());
        }
        self.source = match self.source.take() {
            Some(source) => Some(source.after(raw, reader.checksum())),
            None if header.event_type == EventType::ROTATE => {
                SourceCoordinates::named_by_rotate(raw, reader.checksum())
            }
            None => None,
        };
        Ok(())
    }
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
