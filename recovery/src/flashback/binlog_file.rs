//! What takes transactions back as a binlog: for `mysqlbinlog`, `mariadb-binlog` and `weir binlog`,
//! and through them for any server of the source's product.
//!
//! The file has no GTID events: the server that it is played into gives each transaction a GTID of
//! its own, as to any other change. A MySQL server with GTIDs takes what follows a format description
//! for anonymous and refuses it, so that the first event says otherwise. Rows stand there byte for
//! byte as they were logged.

use std::borrow::Cow;
use std::io::{self, Write};

use binlog::event::{
    ChecksumAlgorithm, Event, EventHeader, EventType, FormatDescription, MAGIC, Query,
    StatusVariables, Xid, write_event,
};
use binlog::row::RowsFlags;

use super::FlashbackError;
use super::rewind::{Sink, Undone};
use super::trail::Transaction;

/// Has the server give GTIDs of its own, if it has any.
pub(super) const AUTOMATIC: &str = "/*!50616 SET @@SESSION.GTID_NEXT='AUTOMATIC'*/";

/// Writes such a file.
#[derive(Debug)]
pub struct BinlogFile<W> {
    out: W,
    /// Bytes of the file.
    len: u64,
    checksum: ChecksumAlgorithm,
    server_id: u32,
    now: u32,
    is_single: bool,
    is_begun: bool,
    transactions: u64,
    /// Bytes of one event on their way.
    event: Vec<u8>,
}

impl<W: Write> BinlogFile<W> {
    /// Begins a file of the layout of `description` and writes its head. `now`, in seconds since
    /// 1970, is the time of its events; `is_single` puts everything into one transaction.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(
        out: W,
        description: &FormatDescription,
        server_id: u32,
        now: u32,
        is_single: bool,
    ) -> Result<Self, FlashbackError> {
        let mut file = Self {
            out,
            len: 0,
            checksum: description.checksum,
            server_id,
            now,
            is_single,
            is_begun: false,
            transactions: 0,
            event: Vec::new(),
        };
        file.out.write_all(&MAGIC).map_err(unwritable)?;
        file.len = MAGIC.len() as u64;
        let head = FormatDescription {
            created: 0,
            header_len: EventHeader::LEN_U8,
            ..description.clone()
        };
        file.append(
            EventType::FORMAT_DESCRIPTION,
            &Event::FormatDescription(head),
        )?;
        if !description.is_mariadb() {
            file.statement(AUTOMATIC)?;
        }
        Ok(file)
    }

    fn append(&mut self, kind: EventType, event: &Event<'_>) -> Result<(), FlashbackError> {
        self.append_body(kind, |out| event.encode(out))
    }

    fn append_body(
        &mut self,
        kind: EventType,
        body: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), FlashbackError> {
        let header = EventHeader::new(kind, self.now, self.server_id);
        self.event.clear();
        self.len = write_event(&mut self.event, &header, self.len, self.checksum, body);
        self.out.write_all(&self.event).map_err(unwritable)
    }

    fn begin_transaction(&mut self) -> Result<(), FlashbackError> {
        self.is_begun = true;
        self.transactions = self.transactions.saturating_add(1);
        self.statement("BEGIN")
    }

    fn statement(&mut self, sql: &str) -> Result<(), FlashbackError> {
        let query = Query {
            thread_id: 0,
            exec_time: 0,
            error_code: 0,
            status: StatusVariables(Vec::new()),
            schema: Cow::Borrowed(b""),
            sql: Cow::Borrowed(sql.as_bytes()),
        };
        self.append(EventType::QUERY, &Event::Query(query))
    }

    fn end_transaction(&mut self) -> Result<(), FlashbackError> {
        self.is_begun = false;
        let xid = self.transactions;
        self.append(EventType::XID, &Event::Xid(Xid { xid }))
    }

    /// Ends the file and gives what it was written to, and its length.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> Result<(W, u64), FlashbackError> {
        if self.is_begun {
            self.end_transaction()?;
        }
        self.out.flush().map_err(unwritable)?;
        Ok((self.out, self.len))
    }
}

impl<W: Write> Sink for BinlogFile<W> {
    fn begin(&mut self, _: &Transaction) -> Result<(), FlashbackError> {
        if self.is_begun {
            return Ok(());
        }
        self.begin_transaction()
    }

    fn rows(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        // The number of a table means nothing elsewhere; 0 is none.
        let table_id = u64::from(rows.shape).saturating_add(1);
        let mut map = rows.table.map.clone();
        map.table_id = table_id;
        self.append(EventType::TABLE_MAP, &Event::TableMap(map))?;
        let kind = rows.event.event_type();
        let mut event = rows.event.clone();
        event.table_id = table_id;
        event.flags = event.flags | RowsFlags::STATEMENT_END;
        self.append_body(kind, |out| event.encode(out))
    }

    fn end(&mut self) -> Result<(), FlashbackError> {
        if self.is_single {
            return Ok(());
        }
        self.end_transaction()
    }
}

fn unwritable(error: io::Error) -> FlashbackError {
    FlashbackError::Io {
        doing: "writing the binlog".to_owned(),
        error,
    }
}
