//! The files that are read: written by our own writer, so that no server is needed to make them.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use binlog::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, GtidEvent, LogicalClock, Query,
    StatusVariables, Xid, write_event,
};
use binlog::log::{LogFlavour, LogIndex, LogOptions, LogWriter, OsStorage, Storage};
use binlog::row::{Column, ColumnType, RowsEncoder, RowsFlags, RowsKind, TableMap};
use binlog::value::{DateTime, Decimal, Value};
use gtid::{Gno, Gtid, GtidSet, Tag, Tsid, Uuid};

/// A file and what was put into it.
pub(crate) struct Made {
    pub(crate) path: PathBuf,
    pub(crate) what: &'static str,
    pub(crate) events: u64,
    pub(crate) rows: u64,
    pub(crate) images: u64,
}

/// Rows of seven columns, inserted, updated and deleted by the thousand: row events of 8 KiB.
pub(crate) fn wide(folder: &Path, bytes: u64) -> Made {
    let mut maker = Maker::new(folder, "rows of seven columns, 8 KiB row events");
    while maker.written() < bytes {
        for kind in [RowsKind::Write, RowsKind::Update, RowsKind::Delete] {
            maker.transaction(kind, 3000);
        }
    }
    maker.finish()
}

/// Transactions of one inserted row.
pub(crate) fn narrow(folder: &Path, bytes: u64) -> Made {
    let mut maker = Maker::new(folder, "transactions of one row");
    while maker.written() < bytes {
        maker.transaction(RowsKind::Write, 1);
    }
    maker.finish()
}

struct Maker {
    log: LogWriter,
    folder: PathBuf,
    map: TableMap<'static>,
    gno: u64,
    row: u64,
    made: Made,
}

const SERVER: u32 = 11;
const MOMENT: u32 = 1_700_000_000;

impl Maker {
    fn new(folder: &Path, what: &'static str) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let storage: Arc<dyn Storage> = Arc::new(OsStorage::new(folder));
        let index = LogIndex::load(storage.as_ref(), "binlog.index").unwrap();
        let options = LogOptions {
            base: "binlog".to_owned(),
            index: "binlog.index".to_owned(),
            flavour: LogFlavour::Binary,
            max_size: u64::MAX,
            server_id: SERVER,
            server_version: "8.4.5-weir".to_owned(),
            checksum: ChecksumAlgorithm::Crc32,
        };
        let log = LogWriter::create(storage, options, index, &GtidSet::default(), MOMENT).unwrap();
        Self {
            made: Made {
                path: folder.join(log.active().as_str()),
                what,
                events: 2,
                rows: 0,
                images: 0,
            },
            log,
            folder: folder.to_owned(),
            map: table(),
            gno: 0,
            row: 0,
        }
    }

    fn written(&self) -> u64 {
        self.log.next_offset()
    }

    fn transaction(&mut self, kind: RowsKind, rows: u64) {
        let mut out = Vec::new();
        self.gno += 1;
        let tsid = Tsid {
            uuid: Uuid::from_u128(0x9797_9797_0000_11f0_8000_0000_0000_0001),
            tag: Tag::default(),
        };
        let mut gtid = GtidEvent::new(Some(Gtid {
            tsid,
            gno: Gno::new(self.gno).unwrap(),
        }));
        gtid.logical_clock = Some(LogicalClock {
            last_committed: self.gno - 1,
            sequence_number: self.gno,
        });
        self.event(&mut out, EventType::GTID, |body| gtid.encode(body));
        let begin = Query {
            thread_id: 8,
            exec_time: 0,
            error_code: 0,
            status: StatusVariables::default(),
            schema: Cow::Borrowed(b"shop"),
            sql: Cow::Borrowed(b"BEGIN"),
        };
        self.event(&mut out, EventType::QUERY, |body| begin.encode(body));
        let map = self.map.clone();
        self.event(&mut out, EventType::TABLE_MAP, |body| map.encode(body));
        let mut encoder = RowsEncoder::new(kind, &map, RowsFlags::default()).unwrap();
        let event_type = match kind {
            RowsKind::Write => EventType::WRITE_ROWS,
            RowsKind::Update => EventType::UPDATE_ROWS,
            RowsKind::Delete => EventType::DELETE_ROWS,
        };
        for _ in 0..rows {
            self.row += 1;
            let (before, after) = (image(self.row), image(self.row + 1));
            let (before, after): (&[_], &[_]) = match kind {
                RowsKind::Write => (&[], &after),
                RowsKind::Update => (&before, &after),
                RowsKind::Delete => (&before, &[]),
            };
            if let Some(body) = encoder.push(before, after).unwrap() {
                self.event(&mut out, event_type, |out| out.extend_from_slice(&body));
            }
        }
        if let Some(body) = encoder.finish(true) {
            self.event(&mut out, event_type, |out| out.extend_from_slice(&body));
        }
        let xid = Xid { xid: self.gno };
        self.event(&mut out, EventType::XID, |body| xid.encode(body));
        self.log.append(&out).unwrap();
        self.made.rows += rows;
        self.made.images += if kind == RowsKind::Update {
            2 * rows
        } else {
            rows
        };
    }

    fn event(&mut self, out: &mut Vec<u8>, event_type: EventType, body: impl FnOnce(&mut Vec<u8>)) {
        let header = EventHeader::new(event_type, MOMENT, SERVER).with_flags(EventFlags::NONE);
        let start = self.log.next_offset() + out.len() as u64;
        write_event(out, &header, start, ChecksumAlgorithm::Crc32, body);
        self.made.events += 1;
    }

    fn finish(mut self) -> Made {
        self.log.sync().unwrap();
        self.log.close(MOMENT).unwrap();
        self.made.events += 1;
        assert!(self.made.path.starts_with(&self.folder));
        self.made
    }
}

/// bigint, int, varchar, decimal, datetime(3), double, varchar.
fn table() -> TableMap<'static> {
    let number = |code, metadata| {
        let mut column = Column::new(code, metadata, true);
        column.unsigned = Some(false);
        column
    };
    let text = |bytes| {
        let mut column = Column::new(ColumnType::VARCHAR, bytes, true);
        column.charset = Some(255);
        column
    };
    TableMap::new(
        109,
        "shop",
        "item",
        vec![
            number(ColumnType::LONGLONG, 0),
            number(ColumnType::LONG, 0),
            text(160),
            number(ColumnType::NEWDECIMAL, 0x0c02),
            Column::new(ColumnType::DATETIME2, 3, true),
            number(ColumnType::DOUBLE, 8),
            text(400),
        ],
    )
}

fn image(number: u64) -> Vec<Value<'static>> {
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let name = format!("item {number} {:x}", seed >> 40);
    let note =
        "a longer text that is in no hurry to end ".get(..usize::try_from(seed % 41).unwrap());
    let price: Decimal = format!("{}.{:02}", seed % 99_999_999, seed % 100)
        .parse()
        .unwrap();
    let moment = DateTime {
        year: 2026,
        month: u8::try_from(seed % 12 + 1).unwrap(),
        day: u8::try_from(seed % 28 + 1).unwrap(),
        micros: u32::try_from(seed % 1000 * 1000).unwrap(),
        ..DateTime::default()
    };
    vec![
        Value::Int(i64::try_from(number).unwrap()),
        Value::Int(i64::try_from(seed % 100_000).unwrap()),
        Value::Bytes(Cow::Owned(name.into_bytes())),
        Value::Decimal(price),
        Value::DateTime(moment),
        Value::Double((seed % 1_000_000) as f64 / 7.0),
        Value::Bytes(Cow::Owned(note.unwrap_or_default().as_bytes().to_vec())),
    ]
}
