//! Transactions of sessions with `sql_log_bin=0`: the engine has them, the log does not.
//!
//! Crash recovery takes every other change from the log, so these must be as safe in the engine as
//! the others are in the log before anybody is told of them: first the log is synchronised, so that
//! the engine stands nowhere that the log could lose; then the engine commits; then its
//! write-ahead log is synchronised. What cannot be made good any more is an engine that is gone
//! altogether: its rows are not all in the log. A file in the data directory says so, and a start
//! that would build the engine anew from the log is refused.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::core::Pipeline;
use super::group::Answer;
use crate::error::PrimaryError;

/// The file that says that the log does not have everything.
const MARKER: &str = "unlogged-changes";

/// Whether the engine in `datadir` has ever had changes that the log has not.
pub(crate) fn has_unlogged(datadir: &Path) -> bool {
    datadir.join(MARKER).exists()
}

impl Pipeline {
    /// Commits the open group, which is one transaction that the log is not to have. An error is
    /// the end of the process.
    pub(super) fn commit_unlogged(&mut self, answer: Answer) -> Result<(), PrimaryError> {
        let directory = self.options.spill_directory.clone();
        if !self.engine.is_unlogged_noted {
            if let Err(error) = note(&directory) {
                self.engine.writer.rollback_group()?;
                answer.send(Err(super::commit::logging_impossible(&error)));
                return Ok(());
            }
            self.engine.is_unlogged_noted = true;
        }
        if let Err(error) = self.log.sync(&self.outside.state) {
            let error = self.refuse_group(error)?;
            self.engine.writer.rollback_group()?;
            answer.send(Err(error));
            return Ok(());
        }
        if let Err(error) = self.engine.writer.commit_group(&self.engine.position) {
            self.engine.writer.rollback_group()?;
            answer.send(Err(error.into()));
            return Ok(());
        }
        self.engine.writer.sync()?;
        answer.send(Ok(()));
        Ok(())
    }
}

/// Notes for ever that the log does not have everything.
fn note(directory: &Path) -> std::io::Result<()> {
    let path = directory.join(MARKER);
    if path.exists() {
        return Ok(());
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(server::private_file::DATA)
        .open(&path)?;
    file.write_all(
        b"Changes were made with sql_log_bin=0: weir.db cannot be made from the binary logs.\n",
    )?;
    file.sync_all()?;
    std::fs::File::open(directory)?.sync_all()
}
