//! LOAD DATA of a log in statement format: the file comes in blocks in front of the statement, and waits on
//! disk.
//!
//! A file is in the directory for temporary files, as with MySQL's `replica_load_tmpdir`, under no name: it is
//! gone with the process, and what was begun is read again from the relay log.

use std::fs::{File, OpenOptions, remove_file};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use binlog::event::{ExecuteLoadQuery, FileBlock};
use binlog::transaction::{StatementKind, Step};
use sql::error::SqlError;
use targets::{LoadedFile, TargetError};

use super::coordinator::Coordinator;
use super::error::Reason;
use super::refusal::{Failed, shown};

/// Bytes of files that wait for their statements, at most.
const BYTES_MAX: u64 = 64 << 30;

/// Files that wait at once; servers write one after the other.
const FILES_MAX: usize = 16;

/// The files of a transaction whose statements are to come.
#[derive(Debug, Clone, Default)]
pub(super) struct LoadFiles {
    begun: Vec<(u32, Option<Arc<File>>)>,
    bytes: u64,
    /// The one that the statement at hand loads.
    loaded: Option<Loaded>,
}

/// A file that is whole.
#[derive(Debug, Clone)]
pub(super) struct Loaded {
    content: Arc<File>,
    name: (u32, u32),
    duplicates: u8,
}

impl Loaded {
    /// For a target.
    pub(super) fn file(&self) -> LoadedFile<'_> {
        LoadedFile {
            content: &self.content,
            name: self.name,
            duplicates: self.duplicates,
        }
    }
}

impl LoadFiles {
    /// The file of the statement at hand, once.
    pub(super) const fn take(&mut self) -> Option<Loaded> {
        self.loaded.take()
    }

    /// Whether a file has no statement yet.
    pub(super) const fn are_begun(&self) -> bool {
        !self.begun.is_empty()
    }

    fn add(&mut self, block: &FileBlock<'_>, begins: bool, keeps: bool) -> Result<(), Failed> {
        let at = self.begun.iter().position(|(id, _)| *id == block.file_id);
        if begins {
            if at.is_some() || self.begun.len() >= FILES_MAX {
                return Err(unsupported("A file of LOAD DATA beside so many others"));
            }
            let file = match keeps {
                true => Some(Arc::new(nameless().map_err(on_disk)?)),
                false => None,
            };
            self.begun.push((block.file_id, file));
        }
        let file = self.begun.iter().find(|(id, _)| *id == block.file_id);
        let Some((_, file)) = file else {
            return Err(unsupported("A block of a file that was not begun"));
        };
        let Some(file) = file else {
            return Ok(());
        };
        self.bytes = self.bytes.saturating_add(block.block.len() as u64);
        if self.bytes > BYTES_MAX {
            return Err(unsupported(
                "A transaction with 64 GiB of files of LOAD DATA",
            ));
        }
        file.as_ref().write_all(block.block).map_err(on_disk)
    }

    fn whole(&mut self, event: &ExecuteLoadQuery<'_>) -> Result<(), Failed> {
        let at = self.begun.iter().position(|(id, _)| *id == event.file_id);
        let Some(at) = at else {
            return Err(unsupported("A LOAD DATA whose file was not begun"));
        };
        self.loaded = self.begun.swap_remove(at).1.map(|content| Loaded {
            content,
            name: (event.file_name_start, event.file_name_end),
            duplicates: event.duplicates.0,
        });
        Ok(())
    }
}

impl Coordinator {
    /// Takes a block of a file, the first of it or one more.
    pub(super) fn load_block(&mut self, block: &FileBlock<'_>, begins: bool) -> Result<(), Failed> {
        // Where no statement runs, its own event says which one it was.
        let keeps = self.worker.runs_statements();
        self.open.files.add(block, begins, keeps)
    }

    /// Runs a LOAD DATA whose file is there.
    pub(super) fn load_data(
        &mut self,
        step: &Step<'_>,
        event: &ExecuteLoadQuery<'_>,
    ) -> Result<(), Failed> {
        let query = &event.query;
        if query.error_code != 0 {
            let (code, sql) = (query.error_code, shown(&query.sql));
            return Err(Reason::FailedOnSource { code, sql }.into());
        }
        if self.worker.runs_statements() && self.filter.has_table_rules() {
            let what = format!(
                "The statement '{}', whose table the rules for tables were not asked about,",
                shown(&query.sql)
            );
            return Err(Reason::Unsupported { what }.into());
        }
        self.open.files.whole(event)?;
        self.statement(step, query, StatementKind::Dml)
    }
}

fn unsupported(what: &str) -> Failed {
    let what = what.to_owned();
    Reason::Unsupported { what }.into()
}

/// There may be room later.
fn on_disk(error: io::Error) -> Failed {
    let directory = std::env::temp_dir();
    let text = format!(
        "The file of a LOAD DATA cannot be written to {}: {error}",
        directory.display()
    );
    TargetError::Retry(SqlError::new(1030, "HY000", text)).into()
}

/// A file without a name.
fn nameless() -> io::Result<File> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("weir-load-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let open = || {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        options.open(&path)
    };
    let file = open().or_else(|error| {
        // An earlier process of this number did not come to removing it.
        if error.kind() != io::ErrorKind::AlreadyExists {
            return Err(error);
        }
        remove_file(&path)?;
        open()
    })?;
    remove_file(&path)?;
    Ok(file)
}
