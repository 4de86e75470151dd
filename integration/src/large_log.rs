//! Log files too large for memory, written as a stream: one transaction of gigabytes, a compressed
//! transaction of gigabytes.
//!
//! The rows are one row event's worth, written again and again with other keys, so that writing is
//! as fast as the disk and the sizes are known before the first byte: a GTID event carries the
//! length of its transaction.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use binlog::event::{
    ChecksumAlgorithm, CommitTimestamps, Event, EventHeader, EventType, FormatDescription,
    GtidEvent, LogicalClock, MAGIC, PreviousGtids, Query, RawEvent, ServerVersions,
    StatusVariables, Xid, write_event,
};
use binlog::row::{Column, ColumnType, RowsEncoder, RowsEvent, RowsFlags, RowsKind, TableMap};
use binlog::value::{Date, DateTime, Value};
use codec::{Reader, Write as _};
use gtid::{Gno, Gtid, GtidSet, Tsid, Uuid};

use crate::failure::{Failure, Result};

const TIMESTAMP: u32 = 1_790_000_000;
const CRC: ChecksumAlgorithm = ChecksumAlgorithm::Crc32;
const ROWS_PER_EVENT: u64 = 8;
/// Bytes of the last column of each row.
const TEXT_BYTES: usize = 900;
/// Where the key begins in a row: behind the NULL bitmap of seven columns.
const KEY_OFFSET: usize = 1;

/// What a generated file holds.
#[derive(Clone, Debug)]
pub struct LargeLog {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Transactions in it.
    pub transactions: u64,
    /// Row events, those inside payloads included.
    pub row_events: u64,
    /// Rows.
    pub rows: u64,
    /// Events of the file itself.
    pub events: u64,
    /// Events inside payloads.
    pub inner_events: u64,
    /// Bytes of the largest transaction in the file.
    pub largest: u64,
}

/// What the rows of a payload hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filling {
    /// The same text in each row: a payload of megabytes holds gigabytes.
    Text,
    /// Random bytes: a payload is as large as what it holds.
    Noise,
}

/// Writes a file of about `file_bytes` whose first transaction has about `first_bytes`; the others
/// have one row event.
///
/// # Errors
/// When the file cannot be written.
pub fn write_transactions(path: &Path, first_bytes: u64, file_bytes: u64) -> Result<LargeLog> {
    let mut log = Writer::create(path)?;
    let rows = RowEvents::new(Filling::Text)?;
    log.transaction(&rows, first_bytes / rows.event_len(CRC))?;
    while log.at < file_bytes {
        log.transaction(&rows, 1)?;
    }
    log.finish()
}

/// Writes a file with one transaction in a `TRANSACTION_PAYLOAD` event that holds about
/// `inner_bytes`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_payload(path: &Path, inner_bytes: u64, filling: Filling) -> Result<LargeLog> {
    let mut log = Writer::create(path)?;
    let mut rows = RowEvents::new(filling)?;
    log.payload(&mut rows, inner_bytes)?;
    log.finish()
}

/// A file that grows by whole events.
struct Writer {
    out: BufWriter<File>,
    at: u64,
    log: LargeLog,
}

impl Writer {
    fn create(path: &Path) -> Result<Self> {
        let file = File::options()
            .create_new(true)
            .read(true)
            .write(true)
            .open(path)?;
        let mut writer = Self {
            out: BufWriter::with_capacity(1 << 20, file),
            at: 4,
            log: LargeLog {
                path: path.to_owned(),
                bytes: 0,
                transactions: 0,
                row_events: 0,
                rows: 0,
                events: 0,
                inner_events: 0,
                largest: 0,
            },
        };
        writer.out.write_all(&MAGIC)?;
        let description = FormatDescription::current("9.7.4", CRC);
        writer.event(&Event::FormatDescription(description))?;
        let previous = PreviousGtids {
            gtids: GtidSet::default(),
        };
        writer.event(&Event::PreviousGtids(previous))?;
        Ok(writer)
    }

    fn event(&mut self, event: &Event<'_>) -> Result {
        self.body(event.event_type(), |out| event.encode(out))
    }

    fn body(&mut self, event_type: EventType, body: impl FnOnce(&mut Vec<u8>)) -> Result {
        let mut bytes = Vec::new();
        let header = EventHeader::new(event_type, TIMESTAMP, 1);
        self.at = write_event(&mut bytes, &header, self.at, CRC, body);
        self.out.write_all(&bytes)?;
        self.log.events += 1;
        Ok(())
    }

    /// The GTID event of the next transaction, whose other events take `others` bytes.
    fn gtid(&mut self, others: u64) -> Result {
        self.log.transactions += 1;
        let number = self.log.transactions;
        let mut gtid = GtidEvent::new(Some(Gtid {
            tsid: Tsid::untagged(Uuid::from_u128(0x5741_5245_0000_11f0_8000_0000_0000_0001)),
            gno: Gno::new(number).ok_or_else(|| Failure::new("no number"))?,
        }));
        gtid.logical_clock = Some(LogicalClock {
            last_committed: number - 1,
            sequence_number: number,
        });
        let micros = u64::from(TIMESTAMP) * 1_000_000;
        gtid.commit_timestamps = Some(CommitTimestamps {
            immediate: micros,
            original: micros,
        });
        gtid.server_versions = Some(ServerVersions {
            immediate: 90704,
            original: 90704,
        });
        gtid.fit_transaction_length(others, CRC);
        self.log.largest = self.log.largest.max(gtid.transaction_length.unwrap_or(0));
        self.event(&Event::Gtid(gtid))
    }

    fn transaction(&mut self, rows: &RowEvents, row_events: u64) -> Result {
        let row_events = row_events.max(1);
        let others: u64 = rows.frame().iter().map(|event| len_of(event, CRC)).sum();
        self.gtid(others + row_events * rows.event_len(CRC))?;
        let [begin, map, end] = rows.frame();
        self.event(&begin)?;
        self.event(&map)?;
        let mut body = rows.body.clone();
        for index in 0..row_events {
            rows.number(&mut body, self.log.rows, index + 1 == row_events);
            self.body(EventType::WRITE_ROWS, |out| out.put(&body))?;
            self.log.rows += ROWS_PER_EVENT;
            self.log.row_events += 1;
        }
        self.event(&end)
    }

    fn payload(&mut self, rows: &mut RowEvents, inner_bytes: u64) -> Result {
        let row_events = (inner_bytes / rows.event_len(ChecksumAlgorithm::None)).max(1);
        let (compressed, inner) = self.compress(rows, row_events)?;
        let mut head = Vec::new();
        head.put(&[2, 1, 0]);
        for (kind, value) in [(3, inner), (1, compressed.metadata()?.len())] {
            let mut field = Vec::new();
            field.put_lenenc(value);
            head.put_u8(kind);
            head.put_lenenc_bytes(&field);
        }
        head.put_u8(0);
        let payload = compressed.metadata()?.len();
        let len = EventHeader::LEN as u64 + head.len() as u64 + payload + 4;
        self.gtid(len)?;
        self.stream(&head, compressed, len)
    }

    /// The transaction's events in a compressed temporary file, and what they take inflated.
    fn compress(&mut self, rows: &mut RowEvents, row_events: u64) -> Result<(File, u64)> {
        let folder = self.log.path.parent().unwrap_or(Path::new("."));
        let mut out = zstd::Encoder::new(tempfile::tempfile_in(folder)?, 1)?;
        let mut inner = 0;
        let [begin, map, end] = rows.frame();
        let mut put = |out: &mut dyn Write, log: &mut LargeLog, event: EventType, body: &[u8]| {
            let mut header = EventHeader::new(event, TIMESTAMP, 1);
            header.event_size = u32::try_from(EventHeader::LEN + body.len())?;
            let mut bytes = Vec::with_capacity(EventHeader::LEN + body.len());
            header.encode(&mut bytes);
            bytes.put(body);
            inner += bytes.len() as u64;
            log.inner_events += 1;
            out.write_all(&bytes).map_err(Failure::from)
        };
        put(&mut out, &mut self.log, EventType::QUERY, &encoded(&begin))?;
        put(
            &mut out,
            &mut self.log,
            EventType::TABLE_MAP,
            &encoded(&map),
        )?;
        let mut body = rows.body.clone();
        for index in 0..row_events {
            rows.fill(&mut body);
            rows.number(&mut body, self.log.rows, index + 1 == row_events);
            put(&mut out, &mut self.log, EventType::WRITE_ROWS, &body)?;
            self.log.rows += ROWS_PER_EVENT;
            self.log.row_events += 1;
        }
        put(&mut out, &mut self.log, EventType::XID, &encoded(&end))?;
        Ok((out.finish()?, inner))
    }

    /// Copies the compressed file behind `head` as one event of `len` bytes.
    fn stream(&mut self, head: &[u8], mut payload: File, len: u64) -> Result {
        let mut header = EventHeader::new(EventType::TRANSACTION_PAYLOAD, TIMESTAMP, 1);
        header.event_size = u32::try_from(len)?;
        let [a, b, c, d, ..] = (self.at + len).to_le_bytes();
        header.end_log_pos = u32::from_le_bytes([a, b, c, d]);
        let mut bytes = Vec::new();
        header.encode(&mut bytes);
        bytes.put(head);
        let mut crc = crc32fast::Hasher::new();
        payload.seek(SeekFrom::Start(0))?;
        let mut piece = vec![0; 1 << 20];
        loop {
            crc.update(&bytes);
            self.out.write_all(&bytes)?;
            let read = payload.read(&mut piece)?;
            if read == 0 {
                break;
            }
            bytes.clear();
            bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
        self.out.write_all(&crc.finalize().to_le_bytes())?;
        self.at += len;
        self.log.events += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<LargeLog> {
        self.out.flush()?;
        self.log.bytes = self.at;
        let found = std::fs::metadata(&self.log.path)?.len();
        if found != self.at {
            return Err(Failure::new(format!("{found} bytes, not {}", self.at)));
        }
        Ok(self.log)
    }
}

/// A row event's body and what stands around the row events of a transaction.
struct RowEvents {
    map: TableMap<'static>,
    body: Vec<u8>,
    /// Where the rows begin in `body`, and the bytes of each.
    rows_at: usize,
    row_len: usize,
    filling: Filling,
    noise: u64,
}

impl RowEvents {
    fn new(filling: Filling) -> Result<Self> {
        let map = table();
        let mut encoder = RowsEncoder::new(RowsKind::Write, &map, RowsFlags::default())?;
        for _ in 0..ROWS_PER_EVENT {
            let full = encoder.push(&[], &row(filling))?;
            if full.is_some() {
                return Err(Failure::new("the rows do not fit one event"));
            }
        }
        let body = encoder
            .finish(false)
            .ok_or_else(|| Failure::new("no rows"))?;
        let event = RowsEvent::decode(
            EventType::WRITE_ROWS,
            Reader::new(&body),
            ChecksumAlgorithm::None,
        )?;
        let (rows_at, rows) = (body.len() - event.rows.len(), event.rows.len());
        let per_event = usize::try_from(ROWS_PER_EVENT)?;
        Ok(Self {
            map,
            rows_at,
            row_len: rows / per_event,
            body,
            filling,
            noise: 0x9e37_79b9_7f4a_7c15,
        })
    }

    /// BEGIN, the table map and the commit.
    fn frame(&self) -> [Event<'static>; 3] {
        let begin = Query {
            thread_id: 7,
            exec_time: 0,
            error_code: 0,
            status: StatusVariables::default(),
            schema: b"big".into(),
            sql: b"BEGIN".into(),
        };
        [
            Event::Query(begin),
            Event::TableMap(self.map.clone()),
            Event::Xid(Xid { xid: 77 }),
        ]
    }

    fn event_len(&self, checksum: ChecksumAlgorithm) -> u64 {
        (EventHeader::LEN + self.body.len() + checksum.trailer_len()) as u64
    }

    /// Gives the rows of `body` the keys from `first` and marks the statement's end.
    fn number(&self, body: &mut [u8], first: u64, is_last: bool) {
        if let Some(flags) = body.get_mut(6..8) {
            let end = if is_last {
                RowsFlags::STATEMENT_END.0
            } else {
                0
            };
            flags.copy_from_slice(&end.to_le_bytes());
        }
        let rows = body.get_mut(self.rows_at..).unwrap_or_default();
        for (key, row) in (first..).zip(rows.chunks_exact_mut(self.row_len)) {
            if let Some(field) = row.get_mut(KEY_OFFSET..KEY_OFFSET + 8) {
                field.copy_from_slice(&key.to_le_bytes());
            }
        }
    }

    /// New bytes in the last column of each row.
    fn fill(&mut self, body: &mut [u8]) {
        if self.filling == Filling::Text {
            return;
        }
        let rows = body.get_mut(self.rows_at..).unwrap_or_default();
        for row in rows.chunks_exact_mut(self.row_len) {
            let start = self.row_len - TEXT_BYTES;
            for word in row.get_mut(start..).unwrap_or_default().chunks_mut(8) {
                self.noise ^= self.noise << 13;
                self.noise ^= self.noise >> 7;
                self.noise ^= self.noise << 17;
                let bytes = self.noise.to_le_bytes();
                word.copy_from_slice(bytes.get(..word.len()).unwrap_or_default());
            }
        }
    }
}

fn encoded(event: &Event<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    event.encode(&mut out);
    out
}

fn len_of(event: &Event<'_>, checksum: ChecksumAlgorithm) -> u64 {
    (EventHeader::LEN + encoded(event).len() + checksum.trailer_len()) as u64
}

/// `big.t`: seven columns, the key first, the long one last.
fn table() -> TableMap<'static> {
    let column = |kind, metadata, name: &'static str| {
        let mut column = Column::new(kind, metadata, false);
        column.name = Some(name.into());
        column
    };
    let number = |kind, name| {
        let mut column = column(kind, 0, name);
        column.unsigned = Some(false);
        column
    };
    let text = |kind, metadata, name, collation| {
        let mut column = column(kind, metadata, name);
        column.charset = Some(collation);
        column
    };
    let columns = vec![
        number(ColumnType::LONGLONG, "id"),
        number(ColumnType::LONG, "a"),
        text(ColumnType::VARCHAR, 400, "name", 255),
        column(ColumnType::DATETIME2, 0, "created"),
        column(ColumnType::DATE, 0, "day"),
        number(ColumnType::TINY, "flag"),
        text(ColumnType::BLOB, 2, "data", 63),
    ];
    let mut map = TableMap::new(120, "big", "t", columns);
    map.primary_key = Some(vec![(0, 0)]);
    map
}

fn row(filling: Filling) -> Vec<Value<'static>> {
    let date = Date::from_packed(0);
    let data = match filling {
        Filling::Text => b"some text ".repeat(TEXT_BYTES / 10),
        Filling::Noise => vec![0; TEXT_BYTES],
    };
    vec![
        Value::Int(0),
        Value::Int(-77),
        Value::Bytes(b"a name of some length".as_slice().into()),
        Value::DateTime(DateTime::from_packed(0)),
        Value::Date(date),
        Value::Int(1),
        Value::Bytes(data.into()),
    ]
}

/// Keeps the decoder honest about what was written: the first events of the file at `path`.
///
/// # Errors
/// When they do not decode.
pub fn first_events(path: &Path, count: usize) -> Result<Vec<EventType>> {
    let mut file = File::open(path)?;
    let mut bytes = vec![0; 1 << 16];
    let read = file.read(&mut bytes)?;
    let mut rest = bytes.get(4..read).unwrap_or_default();
    let mut types = Vec::new();
    while types.len() < count {
        let size = usize::try_from(EventHeader::decode(rest)?.event_size)?;
        let Some((event, behind)) = rest.split_at_checked(size) else {
            break;
        };
        let raw = RawEvent::parse(event)?;
        Event::decode(&raw, CRC)?;
        types.push(raw.header.event_type);
        rest = behind;
    }
    Ok(types)
}
