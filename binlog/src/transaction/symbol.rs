//! What an event is to the grammar of a log: most of its fields do not matter there.

use codec::{DecodeError, Reader};

use crate::event::{
    Event, EventFlags, EventFormat, EventHeader, EventType, MariadbGtidFlags, Query, RawEvent,
    XaPrepare,
};
use crate::row::{RowsEvent, RowsFlags};

/// A terminal symbol of the grammar of [`crate::transaction`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Symbol {
    /// Describes the events that follow.
    Description {
        /// The replica's own, at the front of its relay log.
        is_relay: bool,
        /// Made by a dump thread.
        is_artificial: bool,
    },
    /// Says something about the log and belongs to no transaction.
    Notice,
    /// Ends a file.
    FileEnd,
    /// The replica's own rotate of its relay log.
    RelayEnd,
    /// One of MySQL's three GTID events.
    Gtid,
    /// MariaDB's GTID event, which also begins the transaction.
    MariadbGtid {
        /// One statement follows and no end of its own.
        is_standalone: bool,
    },
    /// A statement by what it means here.
    Statement(Statement),
    /// Commits.
    Xid,
    /// Ends the first phase of an XA transaction.
    XaPrepare {
        /// And the second phase with it.
        is_one_phase: bool,
    },
    /// A transaction in one event.
    Payload,
    /// Something was lost.
    Incident,
    /// Describes a table of the rows that follow, or is the text of their statement.
    RowsHead,
    /// Changed rows.
    Rows {
        /// The last ones of their statement.
        ends_statement: bool,
    },
    /// Sets what the statement behind it needs.
    Variable,
    /// Anything else: blocks of files, what group replication certifies, unknown events.
    Other,
}

/// What a statement means for its transaction: decided here, for the grammar and for those who apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Statement {
    /// `BEGIN`.
    Begin,
    /// `COMMIT`.
    Commit,
    /// `ROLLBACK`, of everything.
    Rollback,
    /// `XA START`.
    XaStart,
    /// `XA END`.
    XaEnd,
    /// `XA COMMIT`.
    XaCommit,
    /// `XA ROLLBACK`.
    XaRollback,
    /// `CREATE TABLE .. START TRANSACTION`, in front of the rows of its SELECT.
    CreateSelect,
    /// `SAVEPOINT` and `RELEASE SAVEPOINT`.
    Savepoint,
    /// `ROLLBACK TO`: what lies behind a savepoint is undone.
    RollbackTo,
    /// Changes data.
    Dml,
    /// Anything else.
    Ddl,
}

impl Statement {
    /// Whether it only says where a transaction begins, ends or goes back to, so that it does nothing
    /// to data or tables by itself.
    #[must_use]
    pub const fn is_control(self) -> bool {
        match self {
            Self::Begin
            | Self::Commit
            | Self::Rollback
            | Self::Savepoint
            | Self::RollbackTo
            | Self::XaStart
            | Self::XaEnd
            | Self::XaCommit
            | Self::XaRollback => true,
            Self::CreateSelect | Self::Dml | Self::Ddl => false,
        }
    }
}

impl Symbol {
    /// What a decoded event is.
    pub(crate) fn of_event(event: &Event<'_>, header: &EventHeader) -> Self {
        match event {
            Event::Query(query) => Self::of_query(&query.sql),
            Event::MariadbGtid(gtid) => Self::MariadbGtid {
                is_standalone: gtid.flags.contains(MariadbGtidFlags::STANDALONE),
            },
            Event::XaPrepare(prepare) => Self::XaPrepare {
                is_one_phase: prepare.is_one_phase(),
            },
            Event::Rows(rows) => Self::Rows {
                ends_statement: rows.flags.contains(RowsFlags::STATEMENT_END),
            },
            _ => Self::of_type(header),
        }
    }

    /// What an event is, of which only the fields are read that matter.
    pub(crate) fn of_raw(raw: &RawEvent<'_>, format: EventFormat) -> Result<Self, DecodeError> {
        let event_type = raw.header.event_type;
        let reader = || -> Result<Reader<'_>, DecodeError> {
            Ok(Reader::at(raw.body(format)?, raw.header_len(format)))
        };
        Ok(match event_type {
            EventType::QUERY => match Event::decode(raw, format)? {
                Event::Query(Query { sql, .. }) => Self::of_query(&sql),
                _ => Self::Other,
            },
            EventType::MARIADB_GTID => {
                let mut reader = reader()?;
                reader.bytes(8 + 4, "GTID")?;
                let flags = MariadbGtidFlags(reader.u8("GTID flags")?);
                let is_standalone = flags.contains(MariadbGtidFlags::STANDALONE);
                Self::MariadbGtid { is_standalone }
            }
            EventType::XA_PREPARE => Self::XaPrepare {
                is_one_phase: XaPrepare::decode(reader()?)?.is_one_phase(),
            },
            kind if RowsEvent::is_rows(kind) => {
                let mut reader = reader()?;
                reader.bytes(usize::from(format.table_id_len), "table id")?;
                let flags = RowsFlags(reader.u16("rows flags")?);
                Self::Rows {
                    ends_statement: flags.contains(RowsFlags::STATEMENT_END),
                }
            }
            _ => {
                raw.body(format)?;
                Self::of_type(&raw.header)
            }
        })
    }

    /// Whether the event begins a transaction even where variables stood in front of it.
    pub(crate) const fn begins_anew(self) -> bool {
        matches!(self, Self::Gtid | Self::MariadbGtid { .. })
    }

    fn of_query(sql: &[u8]) -> Self {
        // MariaDB sends these in place of events that a replica does not know.
        match sql.starts_with(b"# Dummy event") {
            true => Self::Other,
            false => Self::Statement(Statement::of(sql)),
        }
    }

    /// What an event is whose type says it all.
    fn of_type(header: &EventHeader) -> Self {
        let is_relay = header.flags.contains(EventFlags::RELAY_LOG);
        let is_artificial = header.flags.contains(EventFlags::ARTIFICIAL);
        match header.event_type {
            EventType::FORMAT_DESCRIPTION | EventType::START_V3 => Self::Description {
                is_relay,
                is_artificial,
            },
            EventType::PREVIOUS_GTIDS
            | EventType::MARIADB_GTID_LIST
            | EventType::BINLOG_CHECKPOINT
            | EventType::START_ENCRYPTION
            | EventType::HEARTBEAT
            | EventType::HEARTBEAT_V2 => Self::Notice,
            // A rotate that a dump thread made stands in relay logs and ends no file.
            EventType::ROTATE | EventType::STOP if is_artificial => Self::Notice,
            EventType::ROTATE | EventType::STOP if is_relay => Self::RelayEnd,
            EventType::ROTATE | EventType::STOP => Self::FileEnd,
            EventType::GTID | EventType::ANONYMOUS_GTID | EventType::GTID_TAGGED => Self::Gtid,
            EventType::QUERY_COMPRESSED
            | EventType::EXECUTE_LOAD_QUERY
            | EventType::EXEC_LOAD
            | EventType::LOAD
            | EventType::NEW_LOAD => Self::Statement(Statement::Dml),
            EventType::XID => Self::Xid,
            EventType::TRANSACTION_PAYLOAD => Self::Payload,
            EventType::INCIDENT => Self::Incident,
            EventType::TABLE_MAP | EventType::ROWS_QUERY | EventType::ANNOTATE_ROWS => {
                Self::RowsHead
            }
            EventType::INTVAR | EventType::RAND | EventType::USER_VAR => Self::Variable,
            _ => Self::Other,
        }
    }
}

/// Statements that change data, by their first word.
const DML: [&[u8]; 8] = [
    b"INSERT", b"UPDATE", b"DELETE", b"REPLACE", b"LOAD", b"WITH", b"CALL", b"DO",
];

impl Statement {
    /// What `sql` means. The servers write the words that matter without comments and in capitals.
    #[must_use]
    pub fn of(sql: &[u8]) -> Self {
        let sql = sql.trim_ascii();
        let is = |word: &[u8]| sql.eq_ignore_ascii_case(word);
        let begins = |words: &[u8]| {
            let head = sql.get(..words.len());
            let next = sql.get(words.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(words))
                && next.is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
        };
        if is(b"BEGIN") {
            Self::Begin
        } else if is(b"COMMIT") {
            Self::Commit
        } else if is(b"ROLLBACK") {
            Self::Rollback
        } else if begins(b"XA START") {
            Self::XaStart
        } else if begins(b"XA END") {
            Self::XaEnd
        } else if begins(b"XA COMMIT") {
            Self::XaCommit
        } else if begins(b"XA ROLLBACK") {
            Self::XaRollback
        } else if begins(b"SAVEPOINT") || begins(b"RELEASE SAVEPOINT") {
            Self::Savepoint
        } else if begins(b"ROLLBACK TO") {
            Self::RollbackTo
        } else if begins(b"CREATE") && ends_with(sql, b"START TRANSACTION") {
            Self::CreateSelect
        } else if DML.iter().any(|word| begins(word)) {
            Self::Dml
        } else {
            Self::Ddl
        }
    }
}

fn ends_with(sql: &[u8], words: &[u8]) -> bool {
    let tail = sql.len().checked_sub(words.len());
    tail.and_then(|at| sql.get(at..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(words))
}
