//! Transactions on their way into the log: what they did, as events, before they have a number.
//!
//! Statements add events as they run; positions, GTID, commit time and dependencies are given when
//! the transaction's group is written. Nothing here touches the log or the engine.

mod cache;
mod dependencies;
mod session_state;
mod statement;
mod write_set;

#[cfg(test)]
mod tests;

use std::io;
use std::path::Path;
use std::sync::Arc;

use binlog::event::{
    ChecksumAlgorithm, CommitTimestamps, EventFlags, EventHeader, EventType, GtidEvent,
    LogicalClock, ServerVersions, Xid, write_event,
};
use config::settings::BinlogRowMetadata;
use engine::catalog::Table;
use engine::rows::RowChange;
use engine::session::{CommittedGtids, SessionContext};
use gtid::Gtid;

pub(crate) use cache::CacheMark;
use cache::{EventCache, place};
pub(crate) use dependencies::Dependencies;
use session_state::{ddl_query, transaction_query};
pub(crate) use write_set::WriteSet;

/// What does not change while the process runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventOrigin {
    /// `server_id`.
    pub(crate) server_id: u32,
    /// The version as a number: 80405 for 8.4.5.
    pub(crate) version: u32,
    /// `binlog_row_metadata`.
    pub(crate) row_metadata: BinlogRowMetadata,
    /// Bytes of the largest event that every reader takes.
    pub(crate) event_bytes_max: u64,
}

/// The largest event that is written: MySQL's largest packet, beyond which no replica reads.
pub(crate) const EVENT_BYTES_MAX: u64 = 1 << 30;

/// A transaction's changes of rows, or a DDL statement.
#[derive(Debug)]
pub(crate) struct Transaction {
    origin: EventOrigin,
    body: Body,
    /// Seconds since 1970 of the first and the last statement.
    began: u32,
    ended: u32,
    /// What its session has said about it.
    wishes: Wishes,
    /// Where its session hears of its identifier.
    committed: Arc<CommittedGtids>,
}

/// What a session wants of its transaction's place in the log.
#[derive(Debug, Clone, Copy, Default)]
struct Wishes {
    /// `gtid_next`.
    gtid: Option<Gtid>,
    /// `sql_log_bin=0`.
    is_unlogged: bool,
    /// `original_commit_timestamp`.
    original_commit: Option<u64>,
    /// `original_server_version`.
    original_version: Option<u32>,
}

impl Wishes {
    fn of(session: &SessionContext) -> Self {
        Self {
            gtid: session.gtid_next,
            is_unlogged: !session.is_logged,
            original_commit: session.original_commit_timestamp,
            original_version: session.original_server_version,
        }
    }
}

#[derive(Debug)]
enum Body {
    Rows {
        /// Body of the BEGIN query; empty until rows are changed.
        begin: Vec<u8>,
        cache: EventCache,
        write_set: WriteSet,
        /// The tables whose rows were changed.
        tables: Vec<Arc<Table>>,
    },
    /// Body of the query, and its flags.
    Ddl(Vec<u8>, EventFlags),
}

/// What a group gives to each of its transactions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    /// Its identifier; `None` while GTIDs are off.
    pub(crate) gtid: Option<Gtid>,
    /// Its place among the others.
    pub(crate) clock: LogicalClock,
    /// When its group commits, in microseconds since 1970; the same for the whole group, and
    /// later than that of the group before.
    pub(crate) commit_micros: u64,
    /// Number of the XID event.
    pub(crate) xid: u64,
    /// The log's checksum.
    pub(crate) checksum: ChecksumAlgorithm,
}

/// A place in a transaction to go back to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransactionMark {
    cache: CacheMark,
    write_set: (usize, bool),
}

impl Transaction {
    /// A transaction of `session` without changes. Large ones spill into files of `directory`.
    pub(crate) fn rows(origin: EventOrigin, session: &SessionContext, directory: &Path) -> Self {
        let mut begin = Vec::new();
        if session.gtid_next.is_some() {
            // It has a place in the log even if nothing changes.
            transaction_query(session, b"BEGIN").encode(&mut begin);
        }
        Self {
            origin,
            body: Body::Rows {
                begin,
                cache: EventCache::new(directory),
                write_set: WriteSet::default(),
                tables: Vec::new(),
            },
            began: seconds(session),
            ended: seconds(session),
            wishes: Wishes::of(session),
            committed: Arc::clone(&session.committed),
        }
    }

    /// Tells the session under which identifier the transaction was logged.
    pub(crate) fn tell(&self, gtid: Gtid) {
        self.committed.note(gtid);
    }

    /// The DDL statement `sql`, which is about `database` as a whole or about things in `schemas`.
    /// `xid` ties it to the engine's commit.
    pub(crate) fn ddl(
        origin: EventOrigin,
        session: &SessionContext,
        sql: &[u8],
        database: Option<&str>,
        schemas: &[String],
        xid: u64,
    ) -> Self {
        let mut body = Vec::new();
        ddl_query(session, database, sql, schemas, xid).encode(&mut body);
        let flags = match database {
            Some(_) => EventFlags::SUPPRESS_USE,
            None => EventFlags::NONE,
        };
        let timestamp = seconds(session);
        Self {
            origin,
            body: Body::Ddl(body, flags),
            began: timestamp,
            ended: timestamp,
            wishes: Wishes::of(session),
            committed: Arc::clone(&session.committed),
        }
    }

    /// Adds the rows that a statement changed, in their order.
    pub(crate) fn add(
        &mut self,
        session: &SessionContext,
        changes: &[RowChange],
    ) -> Result<(), io::Error> {
        let Body::Rows {
            begin,
            cache,
            write_set,
            tables,
        } = &mut self.body
        else {
            return Ok(());
        };
        if changes.is_empty() {
            return Ok(());
        }
        let timestamp = seconds(session);
        if begin.is_empty() {
            transaction_query(session, b"BEGIN").encode(begin);
            self.began = timestamp;
        }
        self.ended = timestamp;
        let mark = cache.mark();
        let writer = statement::StatementWriter {
            origin: self.origin,
            timestamp,
            session,
        };
        if let Err(error) = writer.write(changes, cache) {
            cache.truncate(mark);
            return Err(error);
        }
        for change in changes {
            if !tables.iter().any(|table| Arc::ptr_eq(table, &change.table)) {
                tables.push(Arc::clone(&change.table));
            }
            for row in [&change.before, &change.after].into_iter().flatten() {
                write_set.add(&change.table, row);
            }
        }
        Ok(())
    }

    /// Whether the log has nothing to hear of it. One with an identifier of its own is written even
    /// if it changed nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.wishes.gtid.is_none() && self.has_no_changes()
    }

    /// Whether nothing was changed.
    pub(crate) fn has_no_changes(&self) -> bool {
        matches!(&self.body, Body::Rows { cache, .. } if cache.is_empty())
    }

    /// The identifier that its session has given it.
    pub(crate) const fn assigned(&self) -> Option<Gtid> {
        self.wishes.gtid
    }

    /// Whether the log is not to have it.
    pub(crate) const fn is_unlogged(&self) -> bool {
        self.wishes.is_unlogged
    }

    /// Gives the identifier back, which the session keeps for its next statement.
    pub(crate) const fn give_back_gtid(&mut self) {
        self.wishes.gtid = None;
    }

    /// The tables whose rows it changed, those of undone statements included.
    pub(crate) fn tables(&self) -> &[Arc<Table>] {
        match &self.body {
            Body::Rows { tables, .. } => tables,
            Body::Ddl(..) => &[],
        }
    }

    /// The place now.
    pub(crate) fn mark(&self) -> TransactionMark {
        match &self.body {
            Body::Rows {
                cache, write_set, ..
            } => TransactionMark {
                cache: cache.mark(),
                write_set: write_set.mark(),
            },
            Body::Ddl(..) => TransactionMark {
                cache: CacheMark::default(),
                write_set: (0, false),
            },
        }
    }

    /// Forgets what was added since `mark`.
    pub(crate) fn truncate(&mut self, mark: TransactionMark) {
        if let Body::Rows {
            cache, write_set, ..
        } = &mut self.body
        {
            cache.truncate(mark.cache);
            write_set.truncate(mark.write_set);
        }
    }

    /// Its numbers among the transactions of the file.
    pub(crate) fn clock(&self, dependencies: &mut Dependencies) -> LogicalClock {
        match &self.body {
            Body::Rows { write_set, .. } => dependencies.rows(write_set),
            Body::Ddl(..) => dependencies.ddl(),
        }
    }

    /// About how many bytes it takes in the log.
    pub(crate) fn len(&self) -> u64 {
        match &self.body {
            Body::Rows { begin, cache, .. } => {
                let begin = begin.len() as u64;
                begin.saturating_add(cache.len(ChecksumAlgorithm::Crc32))
            }
            Body::Ddl(body, _) => body.len() as u64,
        }
    }

    /// Appends its events to `out` as they stand in the log from `offset` on; calls `flush` with
    /// `out` whenever that has grown large, and empties it. Returns the offset behind them.
    pub(crate) fn write<E: From<io::Error>>(
        &self,
        placement: &Placement,
        mut offset: u64,
        out: &mut Vec<u8>,
        mut flush: impl FnMut(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<u64, E> {
        let checksum = placement.checksum;
        let frame = (EventHeader::LEN + checksum.trailer_len()) as u64;
        let others = match &self.body {
            Body::Ddl(body, _) => frame.saturating_add(body.len() as u64),
            Body::Rows { begin, cache, .. } => (begin.len() as u64)
                .saturating_add(XID_LEN)
                .saturating_add(frame.saturating_mul(2))
                .saturating_add(cache.len(checksum)),
        };
        let gtid = self.gtid_event(placement, others);
        let header = self.header(gtid.event_type(), self.began);
        offset = write_event(out, &header, offset, checksum, |body| gtid.encode(body));
        let query = self.header(EventType::QUERY, self.began);
        match &self.body {
            Body::Ddl(body, flags) => {
                let query = query.with_flags(*flags);
                offset = write_event(out, &query, offset, checksum, |out| {
                    out.extend_from_slice(body);
                });
            }
            Body::Rows { begin, cache, .. } => {
                let query = query.with_flags(EventFlags::SUPPRESS_USE);
                offset = write_event(out, &query, offset, checksum, |out| {
                    out.extend_from_slice(begin);
                });
                cache.for_each(|event| {
                    offset = place(out, event, offset, checksum);
                    if out.len() >= FLUSH_BYTES {
                        flush(out)?;
                    }
                    Ok::<(), E>(())
                })?;
                let header = self.header(EventType::XID, self.ended);
                let xid = Xid { xid: placement.xid };
                offset = write_event(out, &header, offset, checksum, |body| xid.encode(body));
            }
        }
        Ok(offset)
    }

    fn gtid_event(&self, placement: &Placement, others: u64) -> GtidEvent {
        let mut event = GtidEvent::new(placement.gtid);
        if matches!(self.body, Body::Ddl(..)) {
            event.flags = GtidEvent::MAY_HAVE_STATEMENTS;
        }
        event.logical_clock = Some(placement.clock);
        event.commit_timestamps = Some(CommitTimestamps {
            immediate: placement.commit_micros,
            original: self
                .wishes
                .original_commit
                .unwrap_or(placement.commit_micros),
        });
        event.server_versions = Some(ServerVersions {
            immediate: self.origin.version,
            original: self.wishes.original_version.unwrap_or(self.origin.version),
        });
        event.fit_transaction_length(others, placement.checksum);
        event
    }

    fn header(&self, event_type: EventType, timestamp: u32) -> EventHeader {
        EventHeader::new(event_type, timestamp, self.origin.server_id)
    }
}

/// Bytes of an XID event's body.
const XID_LEN: u64 = 8;

/// Size of the buffer from which it is handed on.
pub(crate) const FLUSH_BYTES: usize = 4 << 20;

/// When the session's statement began, in seconds since 1970.
fn seconds(session: &SessionContext) -> u32 {
    u32::try_from(session.now_micros / 1_000_000).unwrap_or_default()
}
