//! What a server says of a table's columns, for logs that do not name them.

use std::borrow::Cow;

use binlog::row::{Column, ColumnType};
use engine::collation;
use protocol::client::QueryResult;

use super::MysqlSession;
use crate::TargetError;
use crate::mysql::pipe::Pipe;
use crate::mysql::questions::{cell, literal};

impl MysqlSession {
    /// The columns in their order: names, signs and collations; bytes have the collation `binary`. Members
    /// of ENUM and SET are not among it.
    pub(super) fn ask_columns(
        &mut self,
        database: &str,
        table: &str,
    ) -> Result<Vec<Column<'static>>, TargetError> {
        let columns = ask(&mut self.pipe, database, table)?;
        if !self.has_begun && !self.is_identified && !self.facts.is_node {
            // The question has begun a transaction, in which no GTID can be named.
            self.pipe.ask("COMMIT")?;
        }
        Ok(columns)
    }
}

fn ask(pipe: &mut Pipe, database: &str, table: &str) -> Result<Vec<Column<'static>>, TargetError> {
    let sql = format!(
        "SELECT COLUMN_NAME, COLUMN_TYPE, COLLATION_NAME, DATA_TYPE FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = {} AND TABLE_NAME = {} ORDER BY ORDINAL_POSITION",
        literal(database),
        literal(table)
    );
    let QueryResult::Rows { rows, .. } = pipe.ask(&sql)? else {
        return Ok(Vec::new());
    };
    Ok(rows.iter().map(|row| column(row)).collect())
}

fn column(row: &[Option<Vec<u8>>]) -> Column<'static> {
    let mut column = Column::new(ColumnType::NULL, 0, true);
    let (name, declared, collation) = (cell(row, 0), cell(row, 1), cell(row, 2));
    let is_bytes = cell(row, 3).ends_with("binary") || cell(row, 3).ends_with("blob");
    column.name = Some(Cow::Owned(name));
    column.unsigned = Some(declared.contains("unsigned") || cell(row, 3) == "year");
    column.charset = match is_bytes {
        true => Some(collation::BINARY.id),
        false => collation::exact(&collation).ok().map(|known| known.id),
    };
    column
}
