//! Rows of a target that keep what a source has prepared: parts of its log, in the table beside the one
//! that says what is applied.
//!
//! ```sql
//! CREATE TABLE applied_prepared (channel, name, number, part, events)
//! ```
//! A piece of the log is one `number`; it is divided into parts that fit into a statement.

use binlog::event::XaName;
use protocol::client::QueryResult;

use super::marks::{MarkTable, is_missing, text};
use super::pipe::Pipe;
use crate::TargetError;

/// Bytes of a part, at most; written in hexadecimal they must fit into the smallest packet that an
/// applier works with.
const PART_MAX: usize = 256 << 10;

impl MarkTable {
    /// The name of the table.
    fn prepared(&self) -> String {
        format!("`{}`.`{}_prepared`", self.database, self.table)
    }

    /// Whether this is its name.
    pub(super) fn is_prepared(&self, database: &str, table: &str) -> bool {
        self.database == database && table.strip_suffix("_prepared") == Some(self.table.as_str())
    }

    /// Makes the table if it is not there.
    pub(super) fn create_prepared(&self, pipe: &mut Pipe) -> Result<(), TargetError> {
        pipe.ask(&format!(
            "CREATE TABLE IF NOT EXISTS {} (channel VARCHAR(64) CHARACTER SET utf8 COLLATE \
             utf8_bin NOT NULL, name VARCHAR(300) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, \
             number INT UNSIGNED NOT NULL, part INT UNSIGNED NOT NULL, events LONGBLOB NOT NULL, \
             PRIMARY KEY (channel, name, number, part)) ENGINE=InnoDB",
            self.prepared()
        ))?;
        pipe.ask("COMMIT").map(drop)
    }

    /// Whether anything is kept in the table.
    pub(super) fn has_prepared(&self, pipe: &mut Pipe) -> Result<bool, TargetError> {
        match pipe.scalar(&format!("SELECT 1 FROM {} LIMIT 1", self.prepared())) {
            Err(error) if is_missing(&error) => Ok(false),
            found => Ok(found?.is_some()),
        }
    }

    /// The statement that removes the table.
    pub(super) fn drop_prepared(&self) -> String {
        format!("DROP TABLE IF EXISTS {}", self.prepared())
    }

    /// The statements that keep a piece.
    pub(super) fn keep<'a>(
        &'a self,
        name: &'a XaName,
        number: u32,
        piece: &'a [u8],
        packet_max: u64,
    ) -> impl Iterator<Item = String> + 'a {
        let most = usize::try_from(packet_max / 4).unwrap_or(PART_MAX);
        let parts = piece.chunks(most.clamp(256, PART_MAX)).enumerate();
        parts.map(move |(part, bytes)| {
            format!(
                "INSERT INTO {} VALUES ({}, {}, {number}, {part}, {})",
                self.prepared(),
                text(self.channel.as_bytes()),
                text(name.as_str().as_bytes()),
                text(bytes)
            )
        })
    }

    /// The statement that removes all pieces of a name.
    pub(super) fn forget(&self, name: &XaName) -> String {
        format!("DELETE FROM {} WHERE {}", self.prepared(), self.of(name))
    }

    fn of(&self, name: &XaName) -> String {
        format!(
            "channel = {} AND name = {}",
            text(self.channel.as_bytes()),
            text(name.as_str().as_bytes())
        )
    }

    /// A piece; `None` if there is none of that number.
    pub(super) fn kept(
        &self,
        pipe: &mut Pipe,
        name: &XaName,
        number: u32,
    ) -> Result<Option<Vec<u8>>, TargetError> {
        let sql = format!(
            "SELECT events FROM {} WHERE {} AND number = {number} ORDER BY part",
            self.prepared(),
            self.of(name)
        );
        let answer = match pipe.ask(&sql) {
            Err(error) if is_missing(&error) => return Ok(None),
            answer => answer?,
        };
        let QueryResult::Rows { rows, .. } = answer else {
            return Ok(None);
        };
        let parts = rows.into_iter().filter_map(|row| row.into_iter().next()?);
        Ok(parts.reduce(|mut piece, part| {
            piece.extend(part);
            piece
        }))
    }
}
