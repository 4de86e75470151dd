//! Writing the side file of the log file that is being written.
//!
//! Lines are written before the events that they are about and made durable before them, so that a
//! log that survived a crash has its snapshots. What follows the log's end after a crash is about
//! events that are gone and does no harm: the log goes on in a new file.

use std::collections::HashMap;
use std::io;

use super::TableSnapshot;
use super::file::{Line, side_file_name};
use crate::log::storage::{Storage, StorageFile, write_all_at};

/// The open end of a side file; it is created with its first line.
#[derive(Debug, Default)]
pub(crate) struct SchemaWriter {
    file: Option<Box<dyn StorageFile>>,
    end: u64,
    is_dirty: bool,
    /// The last snapshot of each table in this file.
    noted: HashMap<(String, String), TableSnapshot>,
}

impl SchemaWriter {
    /// Adds `snapshot` for events of `log_file` from `offset` on, unless the file has it already;
    /// says whether it was added.
    pub(crate) fn note(
        &mut self,
        storage: &dyn Storage,
        log_file: &str,
        offset: u64,
        snapshot: &TableSnapshot,
    ) -> io::Result<bool> {
        let name = (snapshot.schema.clone(), snapshot.table.clone());
        if self.noted.get(&name) == Some(snapshot) {
            return Ok(false);
        }
        let mut line = serde_json::to_vec(&Line { offset, snapshot })?;
        line.push(b'\n');
        let file = match self.file.take() {
            Some(file) => file,
            None => create(storage, &side_file_name(log_file))?,
        };
        let file = self.file.insert(file);
        // A line that could not be written whole is written over by the next.
        write_all_at(file.as_ref(), self.end, &line)?;
        self.end = self.end.saturating_add(line.len() as u64);
        self.is_dirty = true;
        self.noted.insert(name, snapshot.clone());
        Ok(true)
    }

    /// Makes every line durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        match &self.file {
            Some(file) if self.is_dirty => {
                file.sync()?;
                self.is_dirty = false;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Creates the side file. One of that name is left of a log file that is gone.
fn create(storage: &dyn Storage, name: &str) -> io::Result<Box<dyn StorageFile>> {
    match storage.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = storage.create(name)?;
    storage.sync_dir()?;
    Ok(file)
}
