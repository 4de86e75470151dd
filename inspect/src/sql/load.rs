//! LOAD DATA: its file was logged in blocks, and is written beside the SQL.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use super::literal::put_utf8;
use super::statement;
use crate::render::{RenderError, Source, refused};
use binlog::event::{ExecuteLoadQuery, FileBlock, LoadDuplicates};
use binlog::transaction::Step;

/// The files of statements that are not yet run.
#[derive(Debug)]
pub(super) struct LoadFiles {
    directory: Option<PathBuf>,
    open: HashMap<u32, (PathBuf, File)>,
    /// Files so far, for names that differ.
    count: u64,
}

impl LoadFiles {
    /// Writes into `directory`; without one, LOAD DATA is refused.
    pub(super) fn new(directory: Option<PathBuf>) -> Self {
        Self {
            directory,
            open: HashMap::new(),
            count: 0,
        }
    }

    /// Creates a file. One that is there already is left alone, and the next name taken.
    pub(super) fn begin(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        event: &FileBlock<'_>,
    ) -> Result<(), RenderError> {
        let Some(directory) = &self.directory else {
            let reason = "LOAD DATA needs a directory for its files: give --load-files";
            return Err(refused(source, step, reason.to_owned()));
        };
        let (path, file) = loop {
            self.count += 1;
            let path = directory.join(format!("load-{}-{}", event.file_id, self.count));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break (path, file),
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    let reason = format!("{} cannot be created: {error}", path.display());
                    return Err(refused(source, step, reason));
                }
            }
        };
        self.open.insert(event.file_id, (path, file));
        self.append(source, step, event)
    }

    /// Adds a block.
    pub(super) fn append(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        event: &FileBlock<'_>,
    ) -> Result<(), RenderError> {
        let Some((path, file)) = self.open.get_mut(&event.file_id) else {
            let reason = format!("file {} was not begun in what is shown", event.file_id);
            return Err(refused(source, step, reason));
        };
        file.write_all(event.block).map_err(|error| {
            let reason = format!("{} cannot be written: {error}", path.display());
            refused(source, step, reason)
        })
    }

    /// The statement is not run: neither is its file needed.
    pub(super) fn forget(&mut self, file_id: u32) {
        if let Some((path, _)) = self.open.remove(&file_id) {
            // What is left is a file that nothing reads.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Appends the statement, naming the file that was written.
    pub(super) fn execute(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        event: &ExecuteLoadQuery<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        let Some((path, _)) = self.open.remove(&event.file_id) else {
            let reason = format!("file {} was not begun in what is shown", event.file_id);
            return Err(refused(source, step, reason));
        };
        let name = (event.file_name_start, event.file_name_end);
        let text = load_local(
            &event.query.sql,
            name,
            event.duplicates,
            &path.to_string_lossy(),
        );
        let Some(text) = text else {
            let reason = "the file name lies outside of the statement";
            return Err(refused(source, step, reason.to_owned()));
        };
        statement(out, &text);
        Ok(())
    }
}

/// A LOAD DATA as it is logged, with the clause from `name.0` to `name.1` in place of which it loads the
/// client's file at `path`; `None` where there is no such clause.
#[must_use]
pub fn load_local(
    sql: &[u8],
    name: (u32, u32),
    duplicates: LoadDuplicates,
    path: &str,
) -> Option<Vec<u8>> {
    let position = |offset: u32| usize::try_from(offset).unwrap_or(usize::MAX);
    let mut text = sql.get(..position(name.0))?.to_vec();
    let after = sql.get(position(name.1)..)?;
    text.extend_from_slice(b" LOCAL INFILE ");
    put_utf8(&mut text, path);
    text.extend_from_slice(match duplicates {
        LoadDuplicates::REPLACE => b" REPLACE",
        LoadDuplicates::IGNORE => b" IGNORE",
        // LOCAL alone means IGNORE; the file loaded without a duplicate once.
        _ => b"",
    });
    text.extend_from_slice(b" INTO");
    text.extend_from_slice(after);
    Some(text)
}
