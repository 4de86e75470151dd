//! What each received event means: the receiver's decisions, without socket, clock or file.
//!
//! ```text
//! stream = { artificial ROTATE, FORMAT_DESCRIPTION, [PREVIOUS_GTIDS], { event | HEARTBEAT | notice } }
//! notice = artificial GTID_LIST | START_ENCRYPTION                              (MariaDB)
//! ```
//!
//! Every event is checked whole (size, checksum, order within its transaction) before it is handed
//! on. The checksum of artificial events and heartbeats is what this session asked for, the one of
//! all others what their file's format description says, as sources send them.

use binlog::event::{
    ChecksumAlgorithm, EventError, EventFlags, EventHeader, EventType, FormatDescription, GtidList,
    Heartbeat, RawEvent,
};
use binlog::log::SourceCoordinates;
use binlog::transaction::{Boundary, BoundaryError, TransactionTracker};
use codec::{DecodeError, Reader};
use config::settings::GtidMode;
use gtid::MariaGtid;

use super::rule::{Refused, Rule};
use crate::relay_log::Then;

/// What to do with an event, in the order in which [`ReceiverCore::handle`] returned them.
#[derive(Debug)]
pub enum Received {
    /// Begin a stretch of one of the source's files in the relay log, before anything else of it.
    BeginFile {
        /// Where its events come from.
        source: SourceCoordinates,
        /// Checksum of its events.
        checksum: ChecksumAlgorithm,
    },
    /// Store the event. What ends with [`Then::Seal`] may be shown to readers once it is stored,
    /// and acknowledged once it is synced.
    Store {
        /// What follows it.
        then: Then,
        /// When the transaction was committed on the source, µs since 1970; of its GTID event.
        commit_micros: Option<u64>,
        /// The event's own timestamp in seconds.
        timestamp: u32,
    },
    /// Nothing to store; the source's log goes on at [`ReceiverCore::source`].
    Skip,
    /// The source is alive and has sent all it has up to [`ReceiverCore::source`].
    Heartbeat,
    /// The source's next file is named; its format description follows.
    NextFile {
        /// The transaction that the last file broke off: its source was killed before it had
        /// written it whole, and does not have it.
        abandoned: Option<MariaGtid>,
    },
}

impl Received {
    /// Whether it shows that the stream has begun: a file of the source, or something behind its head.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        !matches!(self, Self::NextFile { .. })
    }

    /// Whether it brings the replica further or shows that there is nothing further: a source that
    /// sends heads of files and fails makes no progress.
    #[must_use]
    pub const fn is_progress(&self) -> bool {
        match self {
            Self::Store { then, .. } => matches!(then, Then::Seal(_)),
            Self::Heartbeat => true,
            Self::BeginFile { .. } | Self::Skip | Self::NextFile { .. } => false,
        }
    }
}

/// Why a received event cannot be taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// Its bytes are damaged.
    #[error("event at {place} of the source: {source}")]
    Damaged {
        /// Where it was expected in the source's log.
        place: Place,
        /// What is wrong.
        source: EventError,
    },
    /// Its fields cannot be read.
    #[error("{event_type} event at {place} of the source: {source}")]
    Undecodable {
        /// Where it was expected in the source's log.
        place: Place,
        /// Its type.
        event_type: &'static str,
        /// What is wrong.
        source: DecodeError,
    },
    /// It may not stand where it stands.
    #[error("event at {place} of the source: {source}")]
    Order {
        /// Where it was expected in the source's log.
        place: Place,
        /// What is wrong.
        source: BoundaryError,
    },
    /// The replica's `gtid_mode` does not take transactions of this kind.
    #[error("Cannot replicate {found} when @@GLOBAL.GTID_MODE = {}, at {place} of the source", .mode.name())]
    GtidMode {
        /// Where in the source's log.
        place: Place,
        /// The kind of transaction that came.
        found: &'static str,
        /// The replica's mode.
        mode: GtidMode,
    },
    /// A transaction of a MariaDB source whose number is not above that of its domain's last one.
    #[error(
        "the source sent GTID {gtid} at {place}, and {last} of the same domain was received before it: within a domain numbers must grow, as gtid_strict_mode has them"
    )]
    OutOfOrder {
        /// Where in the source's log.
        place: Place,
        /// The transaction.
        gtid: MariaGtid,
        /// The last one of its domain.
        last: MariaGtid,
    },
    /// A transaction of a MariaDB source without GTID, where the stream goes on by GTIDs.
    #[error(
        "the source sent a transaction without GTID, which ends at {place}; SOURCE_AUTO_POSITION = 1 needs one in each"
    )]
    NoGtid {
        /// Where in the source's log.
        place: Place,
    },
    /// The source says that it stands elsewhere than what it sent.
    #[error(
        "Unexpected source's heartbeat data: inconsistent heartbeat event content; the event's data: log_file_name {file} log_pos {offset}, while the source's log was read up to {place}"
    )]
    Heartbeat {
        /// Up to where the source's log was read.
        place: Place,
        /// The file that the source names.
        file: String,
        /// The position in it.
        offset: u64,
    },
    /// The stream does not begin as streams do.
    #[error("the source sent {found} at {place}, expected {expected}")]
    Grammar {
        /// Where in the source's log.
        place: Place,
        /// The event that came.
        found: &'static str,
        /// What should have come.
        expected: &'static str,
    },
}

/// A place in the source's log, for errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(Option<SourceCoordinates>);

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(source) => write!(f, "{}:{}", source.file, source.offset),
            None => f.write_str("the start of the stream"),
        }
    }
}

#[derive(Debug)]
enum State {
    ExpectRotate,
    ExpectDescription,
    InFile { checksum: ChecksumAlgorithm },
}

/// Follows one stream, from the start of a dump to its end.
#[derive(Debug)]
pub struct ReceiverCore {
    session_checksum: ChecksumAlgorithm,
    rule: Rule,
    state: State,
    source: Option<SourceCoordinates>,
    tracker: TransactionTracker,
    commit_micros: Option<u64>,
    /// MariaDB's identifier of the open transaction.
    open: Option<MariaGtid>,
    /// A transaction that the last file broke off.
    abandoned: Option<MariaGtid>,
}

impl ReceiverCore {
    /// A stream that has not begun. `session_checksum` is what the session announced, `rule` says
    /// which transactions this replica takes.
    #[must_use]
    pub fn new(session_checksum: ChecksumAlgorithm, rule: Rule) -> Self {
        Self {
            session_checksum,
            rule,
            state: State::ExpectRotate,
            source: None,
            tracker: TransactionTracker::default(),
            commit_micros: None,
            open: None,
            abandoned: None,
        }
    }

    /// Where the source's next event begins.
    #[must_use]
    pub const fn source(&self) -> Option<&SourceCoordinates> {
        self.source.as_ref()
    }

    /// Takes the next event's bytes, checksum included.
    ///
    /// # Errors
    /// When the event is damaged or out of place. The stream is at an end then; nothing of the
    /// event may be stored.
    pub fn handle(&mut self, bytes: &[u8]) -> Result<Received, StreamError> {
        let place = || Place(self.source.clone());
        let event = RawEvent::parse(bytes).map_err(|error| StreamError::Damaged {
            place: place(),
            source: error.into(),
        })?;
        let event_type = event.header.event_type;
        let checksum = self.checksum_of(&event);
        event
            .verify(checksum)
            .map_err(|source| StreamError::Damaged {
                place: place(),
                source,
            })?;
        let is_artificial = event.header.flags.contains(EventFlags::ARTIFICIAL);
        match (&self.state, event_type) {
            (_, EventType::ROTATE) if is_artificial => self.rotate(&event, checksum),
            (State::InFile { .. }, EventType::HEARTBEAT | EventType::HEARTBEAT_V2) => {
                self.heartbeat(&event, checksum)
            }
            (State::ExpectDescription, EventType::FORMAT_DESCRIPTION) => self.description(&event),
            (State::ExpectRotate, found) => Err(self.grammar(found, "an artificial ROTATE")),
            (State::ExpectDescription, found) => Err(self.grammar(found, "FORMAT_DESCRIPTION")),
            (State::InFile { .. }, EventType::FORMAT_DESCRIPTION) => {
                Err(self.grammar(event_type, "an event of the file that was begun"))
            }
            (State::InFile { .. }, EventType::PREVIOUS_GTIDS) => {
                self.advance(&event, checksum);
                Ok(Received::Skip)
            }
            (State::InFile { .. }, EventType::MARIADB_GTID_LIST) => {
                self.gtid_list(&event, checksum)
            }
            // What follows is sent decrypted.
            (State::InFile { .. }, EventType::START_ENCRYPTION) => {
                self.advance(&event, checksum);
                Ok(Received::Skip)
            }
            (State::InFile { .. }, _) => self.store(&event, checksum),
        }
    }

    fn checksum_of(&self, event: &RawEvent<'_>) -> ChecksumAlgorithm {
        let is_made_for_session = event.header.flags.contains(EventFlags::ARTIFICIAL)
            || matches!(
                event.header.event_type,
                EventType::HEARTBEAT | EventType::HEARTBEAT_V2
            );
        match self.state {
            State::InFile { checksum } if !is_made_for_session => checksum,
            _ => self.session_checksum,
        }
    }

    fn rotate(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Received, StreamError> {
        self.abandoned = None;
        if !self.tracker.is_between_units() {
            // MariaDB, unlike MySQL, does not cut off what a crash left in the middle.
            self.abandoned = self.open.take().filter(|_| self.rule.is_mariadb());
            if self.abandoned.is_none() {
                return Err(self.grammar(EventType::ROTATE, "the rest of a transaction"));
            }
        }
        let named = SourceCoordinates::named_by_rotate(event, checksum);
        let Some(named) = named else {
            return Err(self.grammar(EventType::ROTATE, "a ROTATE that names a file"));
        };
        self.source = Some(named);
        self.state = State::ExpectDescription;
        let abandoned = self.abandoned;
        Ok(Received::NextFile { abandoned })
    }

    fn description(&mut self, event: &RawEvent<'_>) -> Result<Received, StreamError> {
        let description = FormatDescription::decode(event.bytes)
            .map_err(|source| self.undecodable(event.header.event_type, source))?;
        let checksum = description.checksum;
        self.tracker = TransactionTracker::default();
        self.state = State::InFile { checksum };
        self.advance(event, checksum);
        let Some(source) = self.source.clone() else {
            return Err(self.grammar(EventType::FORMAT_DESCRIPTION, "an artificial ROTATE"));
        };
        Ok(Received::BeginFile { source, checksum })
    }

    /// MariaDB's list of the last transactions in earlier files; an artificial one, which no file
    /// has, says where the stream begins.
    fn gtid_list(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Received, StreamError> {
        let event_type = event.header.event_type;
        let body = event.body(checksum);
        let list = body.and_then(|body| GtidList::decode(Reader::at(body, EventHeader::LEN)));
        let list = list.map_err(|source| self.undecodable(event_type, source))?;
        if event.header.flags.contains(EventFlags::ARTIFICIAL) {
            if list.flags != 0 {
                return Err(self.grammar(event_type, "none with flags, which nobody asked for"));
            }
            if let Some(source) = &mut self.source {
                source.offset = source.offset.max(event.header.end_log_pos.into());
            }
            return Ok(Received::Skip);
        }
        let has = |gone: MariaGtid| {
            let mut of_domain = list.gtids.iter().filter(|gtid| gtid.domain == gone.domain);
            of_domain.any(|gtid| gtid.server == gone.server && gtid.sequence >= gone.sequence)
        };
        if self.abandoned.take().is_some_and(has) {
            return Err(self.grammar(event_type, "one without what the last file broke off"));
        }
        self.store(event, checksum)
    }

    fn heartbeat(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Received, StreamError> {
        let event_type = event.header.event_type;
        let undecodable = |source| self.undecodable(event_type, source);
        let body = event.body(checksum).map_err(undecodable)?;
        let reader = Reader::at(body, EventHeader::LEN);
        let heartbeat = match event_type {
            EventType::HEARTBEAT => Heartbeat::decode(reader, event.header),
            _ => Heartbeat::decode_v2(reader).map_err(undecodable)?,
        };
        let Some(source) = &mut self.source else {
            return Ok(Received::Heartbeat);
        };
        if !self.tracker.is_between_units() {
            return Ok(Received::Heartbeat);
        }
        let is_behind = heartbeat.version != 1 && heartbeat.position < source.offset;
        if heartbeat.file.as_ref() != source.file.as_bytes() || is_behind {
            // The source's log is not the one that was read: it was reset.
            return Err(StreamError::Heartbeat {
                place: Place(self.source.clone()),
                file: String::from_utf8_lossy(&heartbeat.file).into_owned(),
                offset: heartbeat.position,
            });
        }
        source.offset = match heartbeat.version {
            1 => source.forward_to_low_half(heartbeat.position),
            _ => heartbeat.position,
        };
        Ok(Received::Heartbeat)
    }

    fn store(
        &mut self,
        event: &RawEvent<'_>,
        checksum: ChecksumAlgorithm,
    ) -> Result<Received, StreamError> {
        let boundary = self
            .tracker
            .feed(event, checksum)
            .map_err(|source| StreamError::Order {
                place: Place(self.source.clone()),
                source,
            })?;
        if let Some(begun) = self.tracker.begun() {
            let admitted = self.rule.admit_mysql(begun.gtid);
            admitted.map_err(|refused| self.refused(refused))?;
            self.commit_micros = begun.commit_timestamps.map(|at| at.original);
        }
        if let Some(gtid) = self.tracker.begun_mariadb() {
            let admitted = self.rule.admit_mariadb(gtid);
            admitted.map_err(|refused| self.refused(refused))?;
            self.open = Some(gtid);
            self.commit_micros = Some(commit_micros(&event.header));
        }
        if let Boundary::End { gtid } = &boundary {
            self.open = None;
            let ended = self.rule.end(gtid.mariadb());
            ended.map_err(|refused| self.refused(refused))?;
        }
        self.advance(event, checksum);
        let (then, commit_micros) = match boundary {
            Boundary::Inside => (Then::Continue, self.commit_micros),
            Boundary::End { gtid } => (Then::Seal(gtid), self.commit_micros.take()),
            // An event that belongs to no transaction may stand inside one, and ends nothing there.
            Boundary::Outside if !self.tracker.is_between_units() => {
                (Then::Continue, self.commit_micros)
            }
            Boundary::Outside | Boundary::FileEnd => (Then::Between, None),
        };
        let timestamp = event.header.timestamp;
        Ok(Received::Store {
            then,
            commit_micros,
            timestamp,
        })
    }

    fn refused(&self, refused: Refused) -> StreamError {
        let place = Place(self.source.clone());
        match refused {
            Refused::GtidMode { found, mode } => StreamError::GtidMode { place, found, mode },
            Refused::OutOfOrder { gtid, last } => StreamError::OutOfOrder { place, gtid, last },
            Refused::NoGtid => StreamError::NoGtid { place },
        }
    }

    fn advance(&mut self, event: &RawEvent<'_>, checksum: ChecksumAlgorithm) {
        if let Some(source) = &self.source {
            self.source = Some(source.after(event, checksum));
        }
    }

    fn grammar(&self, found: EventType, expected: &'static str) -> StreamError {
        StreamError::Grammar {
            place: Place(self.source.clone()),
            found: found.name(),
            expected,
        }
    }

    fn undecodable(&self, event_type: EventType, source: DecodeError) -> StreamError {
        let event_type = event_type.name();
        StreamError::Undecodable {
            place: Place(self.source.clone()),
            event_type,
            source,
        }
    }
}

/// When MariaDB's transaction was committed, as far as its GTID event says it: to the second, and not
/// too late.
pub(crate) fn commit_micros(header: &EventHeader) -> u64 {
    u64::from(header.timestamp).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests;
