//! The log as one replica gets it: reads files, drops what the replica has, puts in what a stream
//! needs. Synchronous and without a socket; [`super::session`] runs it off the async threads.
//!
//! ```text
//! stream = rotate(artificial) format-description file-events { rotate(artificial) ... }
//! file-events = { event | skipped-stretch heartbeat }
//! ```
//!
//! Invariant: an event goes out as it lies in the file, and only from below the durable end.

use std::sync::Arc;

use binlog::event::{ChecksumAlgorithm, EventType};
use binlog::log::{
    Damage, FIRST_EVENT, LogCursor, LogError, LogFileName, LogIndex, LogPosition, Step,
    locate_by_gtid_set,
};
use gtid::{GtidSet, Tsid};
use protocol::server::EventPackets;

use super::artificial::{Artificial, format_description};
use super::filter::{TransactionFilter, Verdict};
use super::mariadb::with_known_collations;
use super::refusal::{Progress, Refusal};
use super::request::{DumpRequest, DumpStart};
use crate::feed::LogFeed;

/// Bytes of events that a batch holds before it is sent.
const BATCH_BYTES: usize = 256 << 10;
/// Bytes of the log that a batch looks at; more are skipped in several batches, so that a long
/// stretch of skipped transactions does not silence the heartbeats.
const SCAN_BYTES: u64 = 16 << 20;

/// Events to send, in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// The events, framed.
    pub(super) events: EventPackets,
    /// Whether the durable end was reached.
    pub(super) is_at_end: bool,
}

impl Batch {
    /// Empties it; `sequence` is the number of the next packet.
    pub(super) fn begin(&mut self, sequence: u8) {
        self.events.begin(sequence);
        self.is_at_end = false;
    }

    fn push(&mut self, event: &[u8]) {
        self.events.push(event);
    }
}

/// A stream to one replica.
#[derive(Debug)]
pub(super) struct StreamReader {
    cursor: LogCursor,
    filter: TransactionFilter,
    artificial: Artificial,
    /// Whether the replica is a MariaDB, which does not know all of MySQL's collations.
    is_mariadb: bool,
    /// Whether the replica announced a checksum; one that did not cannot read any.
    knows_checksums: bool,
    /// In the middle of the first file: where to go on after its format description.
    resume_at: Option<u64>,
    /// Where a skipped stretch ends that the replica was not told of.
    skipped_to: Option<LogPosition>,
    feed: Arc<LogFeed>,
    progress: Progress,
    /// Where the stream begins, until that was said.
    announce: Option<LogPosition>,
}

impl StreamReader {
    /// Finds where the stream begins, and keeps the log from being purged from there on.
    pub(super) fn open(feed: Arc<LogFeed>, request: &DumpRequest) -> Result<Self, Refusal> {
        if request.variables.mariadb_position.is_some() {
            return Err(Refusal::MariadbPosition);
        }
        let (start, held) = match &request.start {
            DumpStart::Position { file, offset } => (by_position(&feed, file, *offset)?, None),
            DumpStart::Gtids(held) => (by_gtids(&feed, held)?, Some(held.clone())),
        };
        let head = LogPosition::new(start.file.clone(), FIRST_EVENT);
        let cursor = open_cursor(&feed, &head)?;
        let end = feed.durable_end();
        let file_end = match start.file == end.file {
            true => end.offset,
            false => cursor.reader().len()?,
        };
        if start.offset > file_end {
            return Err(Refusal::PositionTooLarge);
        }
        let announced = request.variables.checksum;
        Ok(Self {
            cursor,
            filter: TransactionFilter::new(held, request.variables.is_mariadb),
            artificial: Artificial {
                server_id: feed.identity().server_id,
                checksum: announced.unwrap_or(ChecksumAlgorithm::None),
                has_heartbeat_v2: request.wants_heartbeat_v2,
            },
            is_mariadb: request.variables.is_mariadb,
            knows_checksums: announced.is_some(),
            resume_at: (start.offset > FIRST_EVENT).then_some(start.offset),
            skipped_to: None,
            progress: Progress {
                first_file: match &request.start {
                    DumpStart::Position { file, .. } => file.clone(),
                    DumpStart::Gtids(_) => String::new(),
                },
                first_offset: start.offset,
                last_event: None,
            },
            feed,
            announce: Some(start),
        })
    }

    /// How far the stream has come.
    pub(super) const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// A heartbeat for where the stream stands.
    pub(super) fn heartbeat(&self) -> Option<Vec<u8>> {
        self.artificial.heartbeat(&self.cursor.position())
    }

    /// Adds to `batch`, which is empty, what follows, at most up to `end`.
    pub(super) fn read(&mut self, end: &LogPosition, batch: &mut Batch) -> Result<(), Refusal> {
        if let Some(start) = self.announce.take() {
            batch.push(&self.artificial.rotate(&start));
        }
        let mut scanned = 0;
        while batch.events.bytes().len() < BATCH_BYTES && scanned < SCAN_BYTES {
            match self.cursor.advance(end)? {
                Step::Event => scanned += self.handle_event(batch)?,
                Step::NextFile => {
                    self.push_skipped(batch);
                    self.filter.on_file();
                    batch.push(&self.artificial.rotate(&self.cursor.position()));
                }
                Step::End => {
                    self.push_skipped(batch);
                    batch.is_at_end = true;
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Takes the cursor's event; returns its size.
    fn handle_event(&mut self, batch: &mut Batch) -> Result<u64, Refusal> {
        let Some((offset, event)) = self.cursor.current() else {
            return Ok(0);
        };
        let kind = event.header.event_type;
        let size = event.bytes.len() as u64;
        let position = self.cursor.position();
        if offset == FIRST_EVENT && kind == EventType::FORMAT_DESCRIPTION {
            let checksum = self.cursor.reader().checksum();
            if checksum != ChecksumAlgorithm::None && !self.knows_checksums {
                self.progress.last_event = Some(position);
                return Err(Refusal::ChecksumUnaware);
            }
            // From here on the stream's own events follow the file, as in MySQL.
            self.artificial.checksum = checksum;
            batch.push(&format_description(event.bytes, self.resume_at.is_some()));
            if let Some(offset) = self.resume_at.take() {
                let resume = LogPosition::new(position.file.clone(), offset);
                self.cursor = open_cursor(&self.feed, &resume)?;
            }
        } else {
            let checksum = self.cursor.reader().checksum();
            let undecodable = |error| {
                let damage = Damage::Undecodable(error);
                LogError::corrupt(&position.file, offset, Some(kind), damage)
            };
            let verdict = self.filter.decide(&event, checksum).map_err(undecodable)?;
            match verdict {
                Verdict::Skip => self.skipped_to = Some(position.clone()),
                Verdict::Send => {
                    if let Some(skipped_to) = self.skipped_to.take()
                        && let Some(heartbeat) = self.artificial.heartbeat(&skipped_to)
                    {
                        batch.push(&heartbeat);
                    }
                    let fitted = match self.is_mariadb {
                        true => with_known_collations(&event, checksum).map_err(undecodable)?,
                        false => None,
                    };
                    batch.push(fitted.as_deref().unwrap_or(event.bytes));
                }
            }
        }
        self.progress.last_event = Some(position);
        Ok(size)
    }

    fn push_skipped(&mut self, batch: &mut Batch) {
        if let Some(skipped_to) = self.skipped_to.take()
            && let Some(heartbeat) = self.artificial.heartbeat(&skipped_to)
        {
            batch.push(&heartbeat);
        }
    }
}

fn open_cursor(feed: &LogFeed, position: &LogPosition) -> Result<LogCursor, Refusal> {
    let storage = Arc::clone(feed.storage());
    let cursor = LogCursor::open(storage, feed.index_name(), position, Some(feed.guards()))?;
    Ok(cursor)
}

fn by_position(feed: &LogFeed, file: &str, offset: u64) -> Result<LogPosition, Refusal> {
    let index = LogIndex::load(feed.storage().as_ref(), feed.index_name())?;
    let file = match file {
        "" => index.first().cloned(),
        name => LogFileName::parse_path(name).filter(|name| index.contains(name)),
    };
    match file {
        None => Err(Refusal::UnknownFile),
        Some(_) if offset < FIRST_EVENT => Err(Refusal::PositionTooSmall),
        Some(file) => Ok(LogPosition::new(file, offset)),
    }
}

fn by_gtids(feed: &LogFeed, held: &GtidSet) -> Result<LogPosition, Refusal> {
    let gtids = feed.gtids();
    if !gtids.is_gtid_mode_on() {
        return Err(Refusal::GtidModeOff);
    }
    if has_more_of_ours(held, &gtids.executed(), feed) {
        return Err(Refusal::ReplicaAhead);
    }
    let mut missing = gtids.purged();
    missing.subtract(held);
    if !missing.is_empty() {
        let held = held.clone();
        return Err(Refusal::Purged { held, missing });
    }
    let storage = feed.storage().as_ref();
    let index = LogIndex::load(storage, feed.index_name())?;
    match locate_by_gtid_set(storage, &index, held) {
        Ok(file) => Ok(LogPosition::new(file, FIRST_EVENT)),
        Err(LogError::Purged { missing }) => {
            let held = held.clone();
            Err(Refusal::Purged { held, missing })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether the replica has transactions that this server made, by its UUID, and does not have.
fn has_more_of_ours(held: &GtidSet, executed: &GtidSet, feed: &LogFeed) -> bool {
    let uuid = feed.identity().server_uuid;
    let mut more = held.clone();
    more.subtract(executed);
    let mut tsids = more.tsids();
    tsids.any(|tsid: &Tsid| tsid.uuid == uuid)
}
