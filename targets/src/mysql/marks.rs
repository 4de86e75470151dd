//! The row of a target that says what is applied to it, changed in the transaction that applies.
//!
//! ```sql
//! CREATE TABLE applied (channel, mysql_executed, mariadb_executed, source_file, source_offset,
//!   relay_file, relay_offset, statement, shape)
//! ```
//! `statement` names a statement of DDL that was begun: it commits by itself, so that only what it
//! leaves tells whether it took place.

use binlog::log::{LogFileName, LogPosition, SourceCoordinates};
use binlog::transaction::Executed;
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::pipe::Pipe;
use crate::{Applied, TargetError};

/// Where the row is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkTable {
    /// The database.
    pub database: String,
    /// The table.
    pub table: String,
    /// The row's key.
    pub channel: String,
}

/// The row.
#[derive(Debug, Clone, Default)]
pub(super) struct Marked {
    pub(super) applied: Applied,
    /// The statement that was begun, and not known to be done.
    pub(super) begun: Option<Begun>,
}

/// A statement that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    /// The transaction and the statement.
    pub(super) statement: String,
    /// How the tables looked before it.
    pub(super) shape: String,
}

/// What the rows of all lanes but the first say beside: no statement is begun there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LaneNote {
    /// How many lanes there are.
    pub(super) lanes: usize,
    /// What of the logs was chosen.
    pub(super) chosen: String,
}

impl LaneNote {
    /// As the row has it.
    pub(super) fn begun(&self) -> Begun {
        Begun {
            statement: format!("one of {} connections", self.lanes),
            shape: self.chosen.clone(),
        }
    }

    /// What a row says.
    pub(super) fn of(marked: &Marked) -> Option<Self> {
        let begun = marked.begun.as_ref()?;
        let lanes = begun.statement.strip_prefix("one of ")?;
        let lanes = lanes.strip_suffix(" connections")?.parse().ok()?;
        let chosen = begun.shape.clone();
        Some(Self { lanes, chosen })
    }
}

impl MarkTable {
    fn name(&self) -> String {
        format!("`{}`.`{}`", self.database, self.table)
    }

    /// Whether this is its name.
    pub(super) fn is(&self, database: &str, table: &str) -> bool {
        self.database == database && self.table == table
    }

    /// Makes the table if it is not there.
    pub(super) fn create(&self, pipe: &mut Pipe) -> Result<(), TargetError> {
        let (database, table) = (&self.database, self.name());
        pipe.ask(&format!("CREATE DATABASE IF NOT EXISTS `{database}`"))?;
        pipe.ask(&format!(
            "CREATE TABLE IF NOT EXISTS {table} (channel VARCHAR(64) CHARACTER SET utf8 COLLATE \
             utf8_bin NOT NULL PRIMARY KEY, mysql_executed LONGTEXT CHARACTER SET ascii NOT NULL, \
             mariadb_executed TEXT CHARACTER SET ascii NOT NULL, source_file VARBINARY(1024), \
             source_offset BIGINT UNSIGNED, relay_file VARBINARY(1024), relay_offset BIGINT \
             UNSIGNED, statement LONGBLOB, shape LONGBLOB) ENGINE=InnoDB"
        ))?;
        Ok(())
    }

    /// Keeps other appliers of the channel out for as long as the connection lasts.
    pub(super) fn fence(&self, pipe: &mut Pipe) -> Result<(), TargetError> {
        let name = format!("{}.{}:{}", self.database, self.table, self.channel);
        let got = pipe.scalar(&format!("SELECT GET_LOCK({}, 5)", text(name.as_bytes())))?;
        match got.as_deref() {
            Some("1") => Ok(()),
            _ => {
                let text = format!("another applier has {name} of the target");
                Err(TargetError::Retry(SqlError::new(1205, "HY000", text)))
            }
        }
    }

    /// Reads the row; `None` if it, or the table, is not there. A commit of it that is still under way,
    /// on a connection that was lost, is waited for.
    pub(super) fn read(&self, pipe: &mut Pipe) -> Result<Option<Marked>, TargetError> {
        let sql = format!(
            "SELECT mysql_executed, mariadb_executed, HEX(source_file), source_offset, \
             HEX(relay_file), relay_offset, HEX(statement), HEX(shape) FROM {} WHERE channel = {} FOR UPDATE",
            self.name(),
            text(self.channel.as_bytes())
        );
        let answer = match pipe.ask(&sql) {
            Err(error) if is_missing(&error) => return Ok(None),
            answer => answer?,
        };
        let QueryResult::Rows { rows, .. } = answer else {
            return Ok(None);
        };
        rows.first().map(|row| self.marked(row)).transpose()
    }

    /// The row of a lane of the channel; the first lane has the channel's own.
    pub(super) fn lane(&self, lane: usize) -> Self {
        match lane {
            0 => self.clone(),
            lane => Self {
                channel: format!("{}/{lane}", self.channel),
                ..self.clone()
            },
        }
    }

    /// The rows of all lanes of the channel; none if the table is not there.
    pub(super) fn read_lanes(&self, pipe: &mut Pipe) -> Result<Vec<Marked>, TargetError> {
        let mut lanes = Vec::new();
        while let Some(marked) = self.lane(lanes.len()).read(pipe)? {
            lanes.push(marked);
        }
        for (lane, marked) in lanes.iter().enumerate().skip(1) {
            if LaneNote::of(marked).is_none_or(|note| note.lanes != lanes.len()) {
                let text = format!(
                    "{} of the target says of connection {lane} that there are others than {}",
                    self.name(),
                    lanes.len()
                );
                return Err(TargetError::Corrupt(SqlError::new(1872, "HY000", text)));
            }
        }
        Ok(lanes)
    }

    /// The statement that removes the row.
    pub(super) fn remove(&self) -> String {
        format!(
            "DELETE FROM {} WHERE channel = {}",
            self.name(),
            text(self.channel.as_bytes())
        )
    }

    fn marked(&self, row: &[Option<Vec<u8>>]) -> Result<Marked, TargetError> {
        let cell = |at: usize| {
            let cell = row.get(at)?.as_deref()?;
            Some(String::from_utf8_lossy(cell).into_owned())
        };
        let damaged = |what: &str| {
            let text = format!("{} of the target holds a damaged {what}", self.name());
            TargetError::Corrupt(SqlError::new(1872, "HY000", text))
        };
        let place = |file: usize, what| -> Result<_, TargetError> {
            let (Some(file), Some(offset)) = (cell(file), cell(file + 1)) else {
                return Ok(None);
            };
            let file = from_hex(&file).ok_or_else(|| damaged(what))?;
            let offset = offset.parse().map_err(|_| damaged(what))?;
            Ok(Some(SourceCoordinates { file, offset }))
        };
        let mysql = cell(0).unwrap_or_default().parse();
        let mariadb = cell(1).unwrap_or_default().parse();
        let relay = place(4, "position in the relay log")?.map(|place| {
            let file = LogFileName::parse(&place.file);
            let file = file.ok_or_else(|| damaged("name of a relay log"))?;
            Ok::<_, TargetError>(LogPosition::new(file, place.offset))
        });
        let begun = match (cell(6), cell(7)) {
            (Some(statement), Some(shape)) => Some(Begun {
                statement: from_hex(&statement).ok_or_else(|| damaged("statement"))?,
                shape: from_hex(&shape).ok_or_else(|| damaged("shape"))?,
            }),
            _ => None,
        };
        Ok(Marked {
            applied: Applied {
                executed: Executed {
                    mysql: mysql.map_err(|_| damaged("GTID set"))?,
                    mariadb: mariadb.map_err(|_| damaged("MariaDB GTID position"))?,
                },
                source: place(2, "position in the source's log")?,
                relay: relay.transpose()?,
            },
            begun,
        })
    }

    /// The statement that puts a row in the place of the one that is there.
    pub(super) fn replace(&self, marked: &Marked) -> String {
        let applied = &marked.applied;
        let source = applied.source.as_ref();
        let relay = applied.relay.as_ref();
        let place = |place: Option<(&str, u64)>| match place {
            Some((file, offset)) => format!("{}, {offset}", text(file.as_bytes())),
            None => "NULL, NULL".to_owned(),
        };
        let begun = |of: fn(&Begun) -> &String| {
            let begun = marked.begun.as_ref();
            begun.map_or_else(|| "NULL".to_owned(), |begun| text(of(begun).as_bytes()))
        };
        format!(
            "REPLACE INTO {} VALUES ({}, '{}', '{}', {}, {}, {}, {})",
            self.name(),
            text(self.channel.as_bytes()),
            applied.executed.mysql,
            applied.executed.mariadb,
            place(source.map(|place| (place.file.as_str(), place.offset))),
            place(relay.map(|place| (place.file.as_str(), place.offset))),
            begun(|begun| &begun.statement),
            begun(|begun| &begun.shape),
        )
    }
}

/// No such table, no such database.
pub(super) const fn is_missing(error: &TargetError) -> bool {
    matches!(error, TargetError::Statement(error) if matches!(error.code, 1146 | 1049))
}

/// A literal that means the same in every character set and sql_mode.
pub(super) fn text(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let digit = |half: u8| DIGITS.get(usize::from(half)).copied().unwrap_or('0');
    let mut literal = String::with_capacity(bytes.len().saturating_mul(2).saturating_add(3));
    literal.push_str("X'");
    for byte in bytes {
        literal.push(digit(byte >> 4));
        literal.push(digit(byte & 0xf));
    }
    literal.push('\'');
    literal
}

fn from_hex(text: &str) -> Option<String> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? * 16 + digit(*low)?).ok();
    let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
    String::from_utf8(bytes?).ok()
}
