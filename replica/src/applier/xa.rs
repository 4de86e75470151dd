//! XA transactions: what a source has prepared waits in the target for its second half.
//!
//! ```text
//! first half:  XA START, rows, XA END, XA_PREPARE   one transaction of the source
//! second half: XA COMMIT | XA ROLLBACK              another one, at any later time
//! ```
//! A target that runs XA transactions itself is given both. In any other the events of the first half are
//! kept as a small log of their own, in the commit that counts it as executed; the second half applies
//! them, or drops them, in its own commit. So rows show, and take locks, only with the second half.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use binlog::event::{
    ChecksumAlgorithm, Event, EventHeader, EventType, Query, XaName, XaPrepare, write_event,
};
use binlog::limits::Limits;
use binlog::log::{Damage, LogFileName, LogReader, MAGIC, StorageFile};
use binlog::stream::EventStream;
use binlog::transaction::{Boundary, StatementKind, Step, TransactionReader};

use super::coordinator::Coordinator;
use super::error::Reason;
use super::refusal::{Failed, refuse, shown};

/// Bytes of a prepared transaction that are held in memory, and given to the target at once.
const PIECE: usize = 1 << 20;

/// The first half of an XA transaction, as far as it was read.
#[derive(Debug, Clone)]
pub(super) struct FirstHalf {
    name: XaName,
    /// What the target was not given yet.
    piece: Vec<u8>,
    /// How many pieces it was given.
    given: u32,
    /// Bytes of the log so far.
    len: u64,
}

impl FirstHalf {
    /// Of a transaction whose events are those of the log that `step` is read from.
    fn begin(name: XaName, step: &Step<'_>) -> Self {
        let mut first = Self {
            name,
            piece: MAGIC.to_vec(),
            given: 0,
            len: MAGIC.len() as u64,
        };
        let mut description = step.description.clone();
        description.checksum = ChecksumAlgorithm::Crc32;
        // What patched servers put behind the header is not kept.
        description.header_len = EventHeader::LEN_U8;
        let header = EventHeader {
            event_type: EventType::FORMAT_DESCRIPTION,
            ..step.raw.header
        };
        let checksum = description.checksum;
        first.len = write_event(&mut first.piece, &header, first.len, checksum, |body| {
            description.encode(body);
        });
        first
    }

    /// Takes an event.
    fn take(&mut self, step: &Step<'_>) -> Result<(), Failed> {
        let body = step.raw.body(step.format);
        let body = body.map_err(|error| Reason::Damaged(Damage::Undecodable(error)))?;
        let (header, checksum) = (&step.raw.header, ChecksumAlgorithm::Crc32);
        self.len = write_event(&mut self.piece, header, self.len, checksum, |out| {
            out.extend_from_slice(body);
        });
        Ok(())
    }
}

impl Coordinator {
    /// Begins the first half of an XA transaction with `step`.
    pub(super) fn begin_xa(&mut self, name: XaName, step: &Step<'_>) -> Result<(), Failed> {
        let mut first = FirstHalf::begin(name, step);
        first.take(step)?;
        self.open.xa = Some(Box::new(first));
        Ok(())
    }

    /// `XA START`.
    pub(super) fn start_xa(&mut self, step: &Step<'_>, query: &Query<'_>) -> Result<(), Failed> {
        match self.worker.runs_xa() {
            true => self.execute(step, query, StatementKind::XaStart),
            false => self.begin_xa(named(query)?, step),
        }
    }

    /// An event in the first half of an XA transaction that is kept.
    pub(super) fn inside_xa(
        &mut self,
        mut first: Box<FirstHalf>,
        step: &Step<'_>,
    ) -> Result<(), Failed> {
        match &step.event {
            // What it holds follows it.
            Event::TransactionPayload(_) => {}
            Event::Incident(_) => return refuse(&step.raw),
            Event::Query(query) => match StatementKind::of(&query.sql) {
                StatementKind::XaCommit => return self.end_in_one(*first),
                StatementKind::XaRollback => return self.drop_first(*first),
                StatementKind::XaStart
                | StatementKind::Begin
                | StatementKind::Commit
                | StatementKind::Rollback => {
                    let what = format!("The statement '{}' there", shown(&query.sql));
                    return Err(Reason::Unsupported { what }.into());
                }
                StatementKind::XaEnd
                | StatementKind::CreateSelect
                | StatementKind::Savepoint
                | StatementKind::RollbackTo
                | StatementKind::Dml
                | StatementKind::Ddl => first.take(step)?,
            },
            Event::XaPrepare(prepare) => {
                first.take(step)?;
                return match prepare.is_one_phase() {
                    true => self.end_in_one(*first),
                    false => self.give(&mut first),
                };
            }
            Event::Rows(rows) => {
                self.count_rows(step, rows)?;
                first.take(step)?;
            }
            _ => first.take(step)?,
        }
        if first.piece.len() >= PIECE {
            self.give(&mut first)?;
        }
        self.open.xa = Some(first);
        Ok(())
    }

    /// Gives the target what it was not given yet.
    fn give(&mut self, first: &mut FirstHalf) -> Result<(), Failed> {
        let head = &self.open.head;
        self.worker
            .keep(head, &first.name, first.given, &first.piece)?;
        first.given = first.given.saturating_add(1);
        first.piece.clear();
        Ok(())
    }

    /// The transaction has no second half.
    fn end_in_one(&mut self, mut first: FirstHalf) -> Result<(), Failed> {
        if first.given == 0 {
            return self.apply_kept(&first.name, Some(first.piece));
        }
        self.give(&mut first)?;
        self.apply_kept(&first.name, None)
    }

    /// It was given up before it was prepared.
    fn drop_first(&mut self, first: FirstHalf) -> Result<(), Failed> {
        match first.given {
            0 => Ok(()),
            _ => Ok(self.worker.forget(&self.open.head, &first.name)?),
        }
    }

    /// `XA_PREPARE`, where the target runs the transaction.
    pub(super) fn prepare_xa(
        &mut self,
        step: &Step<'_>,
        prepare: &XaPrepare<'_>,
    ) -> Result<(), Failed> {
        if !self.worker.runs_xa() {
            return refuse(&step.raw);
        }
        let name = XaName::from(prepare.xid);
        let head = &self.open.head;
        Ok(self.worker.prepare(head, &name, prepare.is_one_phase())?)
    }

    /// `XA END`, `XA COMMIT` or `XA ROLLBACK` outside a first half that is kept.
    pub(super) fn end_xa(
        &mut self,
        step: &Step<'_>,
        query: &Query<'_>,
        kind: StatementKind,
    ) -> Result<(), Failed> {
        // MariaDB's are kept whatever the target is.
        if self.worker.runs_xa() && self.open.head.gtid.mariadb().is_none() {
            return self.execute(step, query, kind);
        }
        let name = named(query)?;
        match kind {
            StatementKind::XaCommit => self.apply_kept(&name, None),
            StatementKind::XaRollback => match self.worker.kept(&self.open.head, &name, 0)? {
                Some(_) => Ok(self.worker.forget(&self.open.head, &name)?),
                None => Err(Reason::NotPrepared { name }.into()),
            },
            _ => {
                let what = format!("The statement '{}'", shown(&query.sql));
                Err(Reason::Unsupported { what }.into())
            }
        }
    }

    /// Applies what is kept under `name`, or all of it that is at hand, and forgets it.
    fn apply_kept(&mut self, name: &XaName, at_hand: Option<Vec<u8>>) -> Result<(), Failed> {
        let is_given = at_hand.is_none();
        let first = match at_hand {
            Some(piece) => Some(piece),
            None => self.worker.kept(&self.open.head, name, 0)?,
        };
        let Some(first) = first else {
            return Err(Reason::NotPrepared { name: name.clone() }.into());
        };
        let unreadable = |error| Reason::Prepared {
            name: name.clone(),
            error,
        };
        let log = Pieces::default();
        log.add(first);
        let file = LogFileName::new("prepared", 1);
        let reader = LogReader::over(Box::new(log.clone()), file).map_err(unreadable)?;
        let mut reader = TransactionReader::new(EventStream::new(reader, Limits::default()));
        let mut number = 0_u32;
        let counted = self.worker.counted_rows();
        loop {
            while let Some(step) = reader.next().map_err(unreadable)? {
                self.take_kept(&step)?;
            }
            number = number.saturating_add(1);
            let next = match is_given {
                true => self.worker.kept(&self.open.head, name, number)?,
                false => None,
            };
            match next {
                Some(piece) => log.add(piece),
                None => break,
            }
        }
        // They were counted when they were kept.
        self.worker.set_counted_rows(counted);
        match is_given {
            true => Ok(self.worker.forget(&self.open.head, name)?),
            false => Ok(()),
        }
    }

    /// Takes an event that was kept.
    fn take_kept(&mut self, step: &Step<'_>) -> Result<(), Failed> {
        if matches!(step.boundary, Boundary::Outside | Boundary::FileEnd) {
            return Ok(());
        }
        match &step.event {
            Event::MariadbGtid(_) | Event::XaPrepare(_) => Ok(()),
            Event::Query(query) => match StatementKind::of(&query.sql) {
                StatementKind::XaStart | StatementKind::XaEnd => Ok(()),
                _ => self.content(step),
            },
            _ => self.content(step),
        }
    }
}

/// The transaction that a statement of the source names.
fn named(query: &Query<'_>) -> Result<XaName, Failed> {
    XaName::in_statement(&query.sql).ok_or_else(|| {
        let what = format!(
            "The statement '{}', which names no XA transaction as servers log it,",
            shown(&query.sql)
        );
        Reason::Unsupported { what }.into()
    })
}

/// A log that is read while its pieces come: the last ones are held.
#[derive(Debug, Clone, Default)]
struct Pieces(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    /// Offset of the first byte that is held.
    start: u64,
    bytes: Vec<u8>,
    /// How many of them were read.
    read: usize,
}

impl Pieces {
    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a piece, in the place of what was read.
    fn add(&self, piece: Vec<u8>) {
        let mut held = self.lock();
        let read = std::mem::take(&mut held.read);
        held.start = held.start.saturating_add(read as u64);
        held.bytes.drain(..read);
        match held.bytes.is_empty() {
            true => held.bytes = piece,
            false => held.bytes.extend(piece),
        }
    }
}

impl StorageFile for Pieces {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut held = self.lock();
        let from = offset.checked_sub(held.start);
        let from = from.ok_or_else(|| io::Error::other("what was read is not held any more"))?;
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let bytes = held.bytes.get(from..).unwrap_or_default();
        let count = bytes.len().min(buffer.len());
        let (Some(to), Some(bytes)) = (buffer.get_mut(..count), bytes.get(..count)) else {
            return Ok(0);
        };
        to.copy_from_slice(bytes);
        held.read = held.read.max(from.saturating_add(count));
        Ok(count)
    }

    fn write_at(&self, _offset: u64, _bytes: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn len(&self) -> io::Result<u64> {
        let held = self.lock();
        Ok(held.start.saturating_add(held.bytes.len() as u64))
    }

    fn truncate(&self, _len: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
