//! Schema snapshots beside the binary log: which tables the current file has already.
//!
//! The log is read with column names wherever it is copied to, whatever `binlog_row_metadata` says.
//! A snapshot that cannot be written costs names and nothing else, so no transaction fails for it.

use std::collections::HashMap;
use std::sync::Arc;

use binlog::log::LogWriter;
use engine::catalog::{Table, TableId};
use engine::image;

/// The definitions that the current log file has snapshots of.
#[derive(Debug, Default)]
pub(super) struct NotedTables {
    tables: HashMap<TableId, Arc<Table>>,
    /// Whether it was said that snapshots cannot be written to this file.
    has_complained: bool,
}

impl NotedTables {
    /// Takes care that the file of `log` has the definitions of `tables` before their rows.
    pub(super) fn note(&mut self, log: &mut LogWriter, tables: &[Arc<Table>]) {
        for table in tables {
            let noted = self.tables.get(&table.id);
            if noted.is_some_and(|noted| Arc::ptr_eq(noted, table)) {
                continue;
            }
            let Some(snapshot) = image::snapshot(table) else {
                continue;
            };
            match log.note_table(&snapshot) {
                Ok(_) => {
                    self.tables.insert(table.id, Arc::clone(table));
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.has_complained, true) {
                        tracing::warn!(%error, "the log will lack names of columns");
                    }
                }
            }
        }
    }

    /// A new log file has begun.
    pub(super) fn rotated(&mut self) {
        *self = Self::default();
    }
}
