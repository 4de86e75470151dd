//! What a replay says: before, at the end, and to programs.

use binlog::transaction::TransactionGtid;
use recovery::replay::{Seen, StopReason, Stopped, Survey};
use serde_json::json;

use super::passes::Played;
use crate::arguments::ModeName;
use crate::exit::Failure;
use crate::output;

/// What is told of one replay.
pub(super) struct Report {
    target: String,
    mode: ModeName,
    transactions: u64,
    rows: u64,
    stopped: Option<Stopped>,
    error: Option<String>,
    wanted: (u64, u64),
    /// Whether the same command goes on only without `--base`, since nothing tells what it applied
    /// from what the target executed by itself.
    pub(super) forgets_base: bool,
    pub(super) seconds: f64,
}

fn time(micros: u64) -> String {
    let micros = i64::try_from(micros).unwrap_or(i64::MAX);
    jiff::Timestamp::from_microsecond(micros).map_or_else(|_| "-".to_owned(), |at| at.to_string())
}

impl Report {
    pub(super) fn new(target: &str, mode: ModeName, survey: &Survey) -> Self {
        Self {
            target: target.to_owned(),
            mode,
            transactions: 0,
            rows: 0,
            stopped: survey.stopped.clone(),
            error: survey.damage.clone(),
            wanted: (survey.transactions, survey.rows()),
            forgets_base: false,
            seconds: 0.0,
        }
    }

    /// Says what would be applied.
    pub(super) fn show_plan(&self, survey: &Survey) -> Result<(), Failure> {
        let (transactions, rows) = self.wanted;
        output::line(format_args!(
            "target {} ({}): {transactions} transactions, {rows} rows in {} tables, {} statements, \
             {} bytes; {} transactions passed over",
            self.target,
            self.mode.word(),
            survey.tables.len(),
            survey.statements,
            survey.bytes,
            survey.passed_over,
        ))?;
        for (table, rows) in &survey.tables {
            output::line(format_args!(
                "  {table}: {} inserted, {} updated, {} deleted",
                rows.inserts, rows.updates, rows.deletes
            ))?;
        }
        for (gtid, text) in &survey.first_statements {
            output::line(format_args!("  statement of {gtid}: {text}"))?;
        }
        let more = survey
            .statements
            .saturating_sub(survey.first_statements.len() as u64);
        if more > 0 {
            output::line(format_args!("  and {more} more statements"))?;
        }
        if let Some(largest) = &survey.largest {
            output::line(format_args!("largest: {}", seen(largest)))?;
        }
        if !survey.last.is_empty() {
            output::line("the last transactions in front of the stop:")?;
        }
        for last in &survey.last {
            output::line(format_args!("  {}", seen(last)))?;
        }
        if let Some(stopped) = &self.stopped {
            output::line(format_args!(
                "ends at {}:{} ({})",
                stopped.file,
                stopped.offset,
                words(stopped.reason)
            ))?;
        }
        if let Some(damage) = &survey.damage {
            output::complain(damage);
        }
        let earlier = survey.selection().earlier_behind();
        if earlier > 0 {
            output::note(format_args!(
                "weir: warning: {earlier} transactions behind the stop were committed before its \
                 time; the stop is a place in the log"
            ));
        }
        Ok(())
    }

    /// What is asked before anything moves.
    pub(super) fn question(&self) -> String {
        format!(
            "apply {} transactions ({} rows) to {}?",
            self.wanted.0, self.wanted.1, self.target
        )
    }

    /// Takes note of what was done.
    pub(super) fn take(&mut self, survey: &Survey, played: &Played) {
        self.transactions = played.done.transactions;
        self.rows = played.done.rows;
        if played.error.is_some() {
            self.error.clone_from(&played.error);
        }
        if played.stopped.is_some() {
            self.stopped.clone_from(&played.stopped);
        }
        let reason = played
            .reason
            .or(survey.stopped.as_ref().map(|at| at.reason));
        if let (Some(stopped), Some(reason)) = (self.stopped.as_mut(), reason) {
            stopped.reason = reason;
        }
    }

    /// Counts everything as applied if the target says that it has it all.
    pub(super) fn count_what_is_there(&mut self, survey: &Survey, there: &targets::Applied) {
        if survey.is_in(there) {
            (self.transactions, self.rows) = self.wanted;
        }
    }

    /// Whether everything wanted is applied.
    pub(super) fn is_complete(&self, _survey: &Survey) -> bool {
        let is_ended = self.stopped.as_ref().is_none_or(|stopped| {
            matches!(stopped.reason, StopReason::Asked | StopReason::EndOfLogs)
        });
        is_ended && self.error.is_none() && (self.transactions, self.rows) == self.wanted
    }

    /// Says what was done.
    pub(super) fn show_end(&self, survey: &Survey) -> Result<(), Failure> {
        if let Some(error) = &self.error
            && survey.damage.as_ref() != Some(error)
        {
            output::complain(error);
        }
        output::line(format_args!(
            "applied {} of {} transactions, {} of {} rows, in {:.1} s",
            self.transactions, self.wanted.0, self.rows, self.wanted.1, self.seconds
        ))?;
        if let Some(stopped) = &self.stopped {
            output::line(format_args!(
                "stopped at {}:{} behind {}: {}",
                stopped.file,
                stopped.offset,
                stopped.gtid,
                words(stopped.reason)
            ))?;
        }
        if !self.is_complete(survey) {
            output::note(format_args!(
                "weir: not complete; the same command{} goes on where this one ended",
                if self.forgets_base {
                    " without --base"
                } else {
                    ""
                }
            ));
        }
        Ok(())
    }

    /// The last line for programs, and the exit code.
    pub(super) fn end(&self, is_json: bool, is_complete: bool) -> Result<(), Failure> {
        if is_json {
            let stopped = self.stopped.as_ref();
            output::line(json!({
                "target": self.target,
                "mode": self.mode.word(),
                "wanted_transactions": self.wanted.0,
                "wanted_rows": self.wanted.1,
                "applied_transactions": self.transactions,
                "applied_rows": self.rows,
                "stopped_at": stopped.map(|stopped| json!({
                    "file": stopped.file,
                    "offset": stopped.offset,
                    "gtid": (stopped.gtid != TransactionGtid::None)
                        .then(|| stopped.gtid.to_string()),
                    "reason": stopped.reason.word(),
                })),
                "complete": is_complete,
                "error": self.error,
                "seconds": self.seconds,
            }))?;
        }
        match is_complete {
            true => Ok(()),
            false => Err(Failure::Told),
        }
    }
}

fn seen(seen: &Seen) -> String {
    format!(
        "{} {} {}:{} {}, {} bytes",
        time(seen.commit_micros),
        seen.gtid,
        seen.file,
        seen.offset,
        seen.what,
        seen.bytes
    )
}

const fn words(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Asked => "the stop that was asked for",
        StopReason::EndOfLogs => "the end of the logs",
        StopReason::Damaged => "the log is damaged or incomplete behind it",
        StopReason::Interrupted => "interrupted",
        StopReason::Failed => "the next transaction could not be read or applied",
    }
}
