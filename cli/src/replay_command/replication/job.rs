//! What is to be done, and how much of it the target has by its own word.

use binlog::transaction::TransactionGtid;
use recovery::replay::{Choice, Selection, StopReason, Stopped, Survey};
use targets::Applied;

use super::super::passes::{self, Played};
use super::super::target::{self, Target};
use crate::arguments::ReplayArguments;
use crate::exit::Failure;

/// What was asked for.
pub(super) struct Job<'a> {
    pub(super) arguments: &'a ReplayArguments,
    target: &'a Target,
    choice: &'a Choice,
    /// What the target said last that it has.
    told: Option<Applied>,
}

impl<'a> Job<'a> {
    pub(super) const fn new(
        arguments: &'a ReplayArguments,
        target: &'a Target,
        choice: &'a Choice,
    ) -> Self {
        Self {
            arguments,
            target,
            choice,
            told: None,
        }
    }

    /// What the target says that it has.
    pub(super) fn there(&mut self) -> Result<&Applied, Failure> {
        let there = self.target.store.recover();
        let there =
            there.map_err(|error| target::failed("asking the target for what it has", &error))?;
        Ok(self.told.insert(there))
    }

    /// Whether it has all of it.
    pub(super) fn is_done(&mut self, survey: &Survey) -> Result<bool, Failure> {
        Ok(survey.is_in(self.there()?))
    }

    /// Chooses what it lacks.
    pub(super) fn selection(&mut self) -> Result<Selection, Failure> {
        let choice = self.choice.clone();
        let there = self.there()?;
        Ok(Selection::new(
            choice,
            there.executed.clone(),
            there.source.clone(),
        ))
    }

    /// What it lacks.
    pub(super) fn left(&mut self) -> Result<Survey, Failure> {
        let selection = self.selection()?;
        let survey = Survey::new(selection, super::super::filter(self.arguments));
        passes::survey(self.arguments, survey)
    }

    /// Counts what was applied of what was wanted, by what is wanted still; the first of that comes
    /// back. Of a target that cannot be asked any more what it said last counts.
    pub(super) fn count(
        &mut self,
        survey: &Survey,
        played: &mut Played,
    ) -> Result<Option<TransactionGtid>, Failure> {
        let told = self.told.clone();
        let there = match self.there() {
            Ok(there) => there.clone(),
            Err(failure) => told.ok_or(failure)?,
        };
        let selection = Selection::new(self.choice.clone(), there.executed, there.source);
        let left = Survey::new(selection, super::super::filter(self.arguments));
        let left = passes::survey(self.arguments, left)?;
        played.done.transactions = survey.transactions.saturating_sub(left.transactions);
        played.done.rows = survey.rows().saturating_sub(left.rows());
        let Some(first) = left.first else {
            return Ok(None);
        };
        played.stopped = Some(Stopped {
            file: first.file,
            offset: first.offset,
            gtid: TransactionGtid::None,
            reason: StopReason::Failed,
        });
        Ok(Some(first.gtid))
    }
}
