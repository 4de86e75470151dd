//! The way there: what is to be taken back, in the order of the log, to be gone back.
//!
//! For each row event a locator of some 20 bytes, and at the end of each transaction its name. They
//! lie in a scratch file, so that neither a transaction of millions of events nor millions of
//! transactions take memory; behind each record stands its length, by which it is found backwards.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use binlog::event::EventType;

use super::spill::SpillPlace;

/// What is written and read at once.
const CHUNK: usize = 256 << 10;

/// Bytes of the length behind a record.
const LEN: usize = 2;

/// Where the bytes of a row event are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Where {
    /// In a file of the log: the whole event, as it stands there.
    File { number: u32, offset: u64, size: u32 },
    /// In the scratch file: its body.
    Spill(SpillPlace),
}

/// One row event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Locator {
    /// The table, by number.
    pub(super) table: u32,
    /// How it is laid out, by number.
    pub(super) format: u16,
    /// The statement that it belongs to, by number.
    pub(super) statement: u32,
    pub(super) event_type: EventType,
    pub(super) at: Where,
}

/// A transaction that is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Transaction {
    /// Its GTID, if it has one.
    pub gtid: Option<String>,
    /// Start of its first statement, in seconds since 1970.
    pub timestamp: u32,
    /// The server that wrote it first.
    pub server_id: u32,
    /// The file it begins in, by number.
    pub file: u32,
    /// Where it begins there.
    pub offset: u64,
}

/// What stands in the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Record {
    Rows(Locator),
    /// Behind the rows of a statement, some of which were changed by foreign keys: the log has all
    /// of them, and nothing is to be changed along with them once more.
    Cascaded {
        statement: u32,
    },
    /// Behind the rows of the transaction.
    End(Transaction),
}

/// The records.
#[derive(Debug)]
pub(super) struct Trail {
    file: File,
    /// Bytes in the file.
    len: u64,
    /// Behind them, not written yet.
    buffer: Vec<u8>,
}

impl Trail {
    pub(super) const fn new(file: File) -> Self {
        Self {
            file,
            len: 0,
            buffer: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, record: &Record) -> io::Result<()> {
        let start = self.buffer.len();
        record.encode(&mut self.buffer);
        let len = self.buffer.len().saturating_sub(start);
        let len = u16::try_from(len).map_err(io::Error::other)?;
        self.buffer.extend_from_slice(&len.to_le_bytes());
        if self.buffer.len() >= CHUNK {
            self.write_out()?;
        }
        Ok(())
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.len)?;
        self.len = self.len.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        Ok(())
    }

    /// Begins to go back.
    pub(super) fn back(&mut self) -> io::Result<Back<'_>> {
        self.write_out()?;
        Ok(Back {
            file: &self.file,
            start: self.len,
            chunk: Vec::new(),
        })
    }
}

/// Goes from the last record to the first.
#[derive(Debug)]
pub(super) struct Back<'t> {
    file: &'t File,
    /// Where `chunk` begins in the file.
    start: u64,
    /// Records that were read and are not given yet.
    chunk: Vec<u8>,
}

impl Back<'_> {
    /// The record in front of the last one; `None` in front of the first.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        if self.chunk.len() < LEN && !self.fill()? {
            return Ok(None);
        }
        let Some((_, len)) = self.chunk.split_last_chunk::<LEN>() else {
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        let needed = usize::from(u16::from_le_bytes(*len)).saturating_add(LEN);
        if self.chunk.len() < needed {
            self.fill()?;
        }
        let at = self.chunk.len().checked_sub(needed);
        let at = at.ok_or(io::ErrorKind::UnexpectedEof)?;
        let record = self.chunk.get(at..self.chunk.len() - LEN);
        let record = record.and_then(Record::decode);
        self.chunk.truncate(at);
        record
            .map(Some)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Reads what stands in front; false at the start of the file.
    fn fill(&mut self) -> io::Result<bool> {
        let len = usize::try_from(self.start).map_or(CHUNK, |start| start.min(CHUNK));
        if len == 0 {
            return Ok(false);
        }
        let mut chunk = vec![0; len];
        self.start -= len as u64;
        self.file.read_exact_at(&mut chunk, self.start)?;
        chunk.extend_from_slice(&self.chunk);
        self.chunk = chunk;
        Ok(true)
    }
}

const IN_FILE: u8 = 0;
const IN_SPILL: u8 = 1;
const END: u8 = 2;
const CASCADED: u8 = 3;

impl Record {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Rows(locator) => {
                let (kind, numbers) = match locator.at {
                    Where::File {
                        number,
                        offset,
                        size,
                    } => (IN_FILE, [u64::from(number), offset, u64::from(size)]),
                    Where::Spill(place) => {
                        let SpillPlace { block, offset, len } = place;
                        (IN_SPILL, [block, offset, len].map(u64::from))
                    }
                };
                out.push(kind);
                out.push(locator.event_type.0);
                out.extend_from_slice(&locator.format.to_le_bytes());
                out.extend_from_slice(&locator.statement.to_le_bytes());
                out.extend_from_slice(&locator.table.to_le_bytes());
                for number in numbers {
                    out.extend_from_slice(&number.to_le_bytes());
                }
            }
            Self::Cascaded { statement } => {
                out.push(CASCADED);
                out.extend_from_slice(&statement.to_le_bytes());
            }
            Self::End(transaction) => {
                out.push(END);
                out.extend_from_slice(&transaction.timestamp.to_le_bytes());
                out.extend_from_slice(&transaction.server_id.to_le_bytes());
                out.extend_from_slice(&transaction.file.to_le_bytes());
                out.extend_from_slice(&transaction.offset.to_le_bytes());
                let gtid = transaction.gtid.as_deref().unwrap_or_default();
                out.extend_from_slice(gtid.as_bytes());
            }
        }
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&kind, mut rest) = bytes.split_first()?;
        if kind == END {
            let transaction = Transaction {
                timestamp: take_u32(&mut rest)?,
                server_id: take_u32(&mut rest)?,
                file: take_u32(&mut rest)?,
                offset: take_u64(&mut rest)?,
                gtid: match std::str::from_utf8(rest).ok()? {
                    "" => None,
                    gtid => Some(gtid.to_owned()),
                },
            };
            return Some(Self::End(transaction));
        }
        if kind == CASCADED {
            let statement = take_u32(&mut rest)?;
            return Some(Self::Cascaded { statement });
        }
        let (&event_type, after) = rest.split_first()?;
        let (format, after) = after.split_first_chunk()?;
        rest = after;
        let statement = take_u32(&mut rest)?;
        let table = take_u32(&mut rest)?;
        let first = take_u64(&mut rest)?;
        let second = take_u64(&mut rest)?;
        let third = u32::try_from(take_u64(&mut rest)?).ok()?;
        let number = u32::try_from(first).ok()?;
        let at = match kind {
            IN_FILE => Where::File {
                number,
                offset: second,
                size: third,
            },
            IN_SPILL => Where::Spill(SpillPlace {
                block: number,
                offset: u32::try_from(second).ok()?,
                len: third,
            }),
            _ => return None,
        };
        Some(Self::Rows(Locator {
            table,
            format: u16::from_le_bytes(*format),
            statement,
            event_type: EventType(event_type),
            at,
        }))
    }
}

fn take_u32(rest: &mut &[u8]) -> Option<u32> {
    let (field, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u32::from_le_bytes(*field))
}

fn take_u64(rest: &mut &[u8]) -> Option<u64> {
    let (field, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(u64::from_le_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trail_is_gone_back_record_by_record() {
        let mut trail = Trail::new(crate::scratch(&std::env::temp_dir()).unwrap());
        let record = |number: u32| match number % 4 {
            3 => Record::Cascaded { statement: number },
            0 => Record::End(Transaction {
                gtid: number.is_multiple_of(2).then(|| format!("0-1-{number}")),
                timestamp: number,
                server_id: 7,
                file: 1,
                offset: u64::from(number) << 33,
            }),
            1 => Record::Rows(Locator {
                table: number,
                format: 3,
                statement: number,
                event_type: EventType(30),
                at: Where::File {
                    number: 5,
                    offset: u64::from(number) << 35,
                    size: u32::MAX,
                },
            }),
            _ => Record::Rows(Locator {
                table: number,
                format: u16::MAX,
                statement: u32::MAX,
                event_type: EventType(39),
                at: Where::Spill(SpillPlace {
                    block: number,
                    offset: 1,
                    len: 2,
                }),
            }),
        };
        let count = 50_000;
        for number in 0..count {
            trail.push(&record(number)).unwrap();
        }
        // More than once, as a check in front of the writing does.
        for _ in 0..2 {
            let mut back = trail.back().unwrap();
            for number in (0..count).rev() {
                assert_eq!(back.next().unwrap(), Some(record(number)), "{number}");
            }
            assert_eq!(back.next().unwrap(), None);
        }
    }
}
