//! What is wanted, written into log files of its own: the events as they are, and nothing else.

use std::path::Path;

use binlog::log::{LogFileName, LogIndex, LogPosition, OsStorage};
use gtid::GtidSet;
use inspect::cut::{CutError, Cutter};
use inspect::filter::Filter;
use recovery::replay::{Selection, Survey, Wanted};

use super::super::passes;
use crate::arguments::ReplayArguments;
use crate::binlog_command::inputs::Inputs;
use crate::binlog_command::progress::Progress;
use crate::exit::Failure;

/// Names of the files, without their numbers.
const BASE: &str = "weir-replay";
/// Name of their index.
pub(super) const INDEX: &str = "weir-replay.index";

/// Files that hold exactly what is wanted.
pub(super) struct Logs {
    /// Name and bytes of each.
    pub(super) files: Vec<(LogFileName, u64)>,
    /// The MySQL transactions in them.
    pub(super) gtids: GtidSet,
}

impl Logs {
    /// Writes what `survey` wanted into `directory`, one file for each of the sources' that has some of
    /// it. Heads tell of the files in front of them here: for the target there was nothing else.
    pub(super) fn write(
        arguments: &ReplayArguments,
        selection: Selection,
        survey: &Survey,
        directory: &Path,
    ) -> Result<Self, Failure> {
        let Some(end) = survey.stopped.clone() else {
            return Err(Failure::Failed("nothing is wanted".to_owned()));
        };
        let storage = OsStorage::new(directory);
        let failed = |error: &dyn std::fmt::Display| Failure::failed("writing the logs", error);
        let mut index = LogIndex::load(&storage, INDEX).map_err(|error| failed(&error))?;
        let filter = Filter::default();
        let mut wanted = Wanted::new(selection, end);
        let mut files = Vec::new();
        let (mut number, mut transactions) = (1, 0_u64);
        let mut inputs = Inputs::new(&arguments.input)?;
        while let Some(file) = inputs.next_file()? {
            let name = LogFileName::new(BASE, number);
            let cutter = Cutter::new(&storage, name.as_str(), &filter, false);
            let mut cutter = cutter.map_err(|error| failed(&error))?;
            if !survey.is_mariadb {
                cutter.follows(wanted.chosen.mysql.clone());
            }
            let read = |error| match error {
                CutError::Log(error) => passes::unread(&file, &error),
                error => Failure::failed(file.label(), error),
            };
            let mut reader = file.read_strictly().map_err(|error| read(error.into()))?;
            let mut progress = Progress::new(file.label(), file.size());
            let taken = cutter.take_file(&mut reader, &mut wanted, |at| progress.reach(at));
            let goes_on = taken.map_err(read)?;
            match cutter.finish() {
                Ok(summary) => {
                    transactions = transactions.saturating_add(summary.transactions);
                    index = index.with(name.clone());
                    files.push((name, summary.bytes));
                    number += 1;
                }
                Err(CutError::Nothing) => {}
                Err(error) => return Err(failed(&error)),
            }
            if !goes_on {
                break;
            }
        }
        if transactions != survey.transactions {
            let text = "the logs changed while they were read; nothing was changed on the target";
            return Err(Failure::Failed(text.to_owned()));
        }
        index.store(&storage).map_err(|error| failed(&error))?;
        Ok(Self {
            files,
            gtids: wanted.chosen.mysql,
        })
    }

    /// The end of the last file.
    pub(super) fn end(&self) -> Option<LogPosition> {
        let (name, bytes) = self.files.last()?;
        Some(LogPosition::new(name.clone(), *bytes))
    }

    /// Bytes of all of them.
    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| *bytes).sum()
    }

    /// Bytes in front of a place in them.
    pub(super) fn bytes_before(&self, file: &str, offset: u64) -> u64 {
        let earlier = self
            .files
            .iter()
            .take_while(|(name, _)| name.as_str() != file);
        let before: u64 = earlier.map(|(_, bytes)| *bytes).sum();
        before.saturating_add(offset).min(self.bytes())
    }
}
