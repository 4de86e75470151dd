//! What is told: before anything moves, and at the end.

use std::io::{BufRead, IsTerminal, Write, stderr, stdin};
use std::time::Duration;

use recovery::flashback::{Applied, LaterTransaction, Plan};
use serde_json::json;

use crate::arguments::FlashbackArguments;
use crate::binlog_command::{bytes, count, timestamp};
use crate::exit::Failure;
use crate::output;

/// Where it is told: with JSON only the last line goes to standard output.
pub(super) struct Report {
    is_json: bool,
}

impl Report {
    pub(super) const fn new(is_json: bool) -> Self {
        Self { is_json }
    }

    fn line(&self, text: impl std::fmt::Display) -> Result<(), Failure> {
        if self.is_json {
            output::note(text);
            return Ok(());
        }
        Ok(output::line(text)?)
    }

    /// What would be taken back.
    pub(super) fn plan(&mut self, plan: &Plan) -> Result<(), Failure> {
        for line in about(plan) {
            self.line(line)?;
        }
        if plan.empty > 0 {
            let empty = count(plan.empty);
            self.line(format_args!(
                "{empty} of the transactions changed no row that was asked for"
            ))?;
        }
        if !plan.others.is_empty() {
            let others: Vec<&str> = plan.others.iter().map(String::as_str).collect();
            self.line(format_args!(
                "warning: these transactions also changed {}, which stays as it is",
                others.join(", ")
            ))?;
        }
        if plan.may_have_unknown_children {
            self.line(
                "note: MariaDB does not log what foreign keys change along; --apply and the SQL \
                 look for such keys, a binlog cannot",
            )?;
        }
        self.later(plan)
    }

    fn later(&self, plan: &Plan) -> Result<(), Failure> {
        if !plan.later.is_empty() {
            self.line("warning: later transactions touched the same rows:")?;
        }
        for later in &plan.later {
            let LaterTransaction { name, table, rows } = later;
            match rows {
                Some(rows) => {
                    self.line(format_args!("  {name}: {} rows of {table}", count(*rows)))?
                }
                None => self.line(format_args!("  {name}: a statement, {table}"))?,
            }
        }
        if plan.later_more > 0 {
            self.line(format_args!("  and {} more", count(plan.later_more)))?;
        }
        if !plan.is_later_complete {
            self.line(
                "note: the rows are too many to look for all of them in later transactions; the \
                 first ones were looked for",
            )?;
        }
        Ok(())
    }

    /// What a dry run found on the server.
    pub(super) fn checked(
        &self,
        checked: &Applied,
        is_complete: bool,
        server: &str,
    ) -> Result<(), Failure> {
        let conflicts = count(checked.conflicts);
        self.line(format_args!(
            "{server}: {conflicts} rows are not as the log left them"
        ))?;
        self.conflicts(checked)?;
        if !is_complete {
            self.line("note: the rows are too many to look at all of them; the first ones were")?;
        }
        Ok(())
    }

    fn conflicts(&self, applied: &Applied) -> Result<(), Failure> {
        for conflict in &applied.told {
            self.line(format_args!("  {conflict}"))?;
        }
        let more = applied.conflicts.saturating_sub(applied.told.len() as u64);
        if more > 0 && !applied.told.is_empty() {
            self.line(format_args!("  and {} more", count(more)))?;
        }
        Ok(())
    }

    /// A file is there.
    pub(super) fn written(&self, path: &str, len: u64) -> Result<(), Failure> {
        self.line(format_args!("{path}: {}", bytes(len)))
    }

    /// What was done.
    pub(super) fn end(
        &self,
        arguments: &FlashbackArguments,
        plan: &Plan,
        applied: &Applied,
        failure: Option<&Failure>,
        took: Duration,
    ) -> Result<(), Failure> {
        let is_complete = failure.is_none();
        if arguments.apply.is_some() && !arguments.dry_run {
            self.conflicts(applied)?;
            self.line(format_args!(
                "took {} rows in {} transactions back; {} rows in the way: {} left, {} overwritten",
                count(applied.rows),
                count(applied.transactions),
                count(applied.conflicts),
                count(applied.skipped),
                count(applied.forced)
            ))?;
            if !is_complete && let Some(reached) = &applied.reached {
                self.line(format_args!(
                    "the newest ones were taken back, up to and with {reached}; the others were not"
                ))?;
            }
        } else if arguments.dry_run {
            self.line("nothing was done (--dry-run)")?;
        }
        if self.is_json {
            output::line(object(arguments, plan, applied, failure, took))?;
        }
        Ok(())
    }
}

fn object(
    arguments: &FlashbackArguments,
    plan: &Plan,
    applied: &Applied,
    failure: Option<&Failure>,
    took: Duration,
) -> serde_json::Value {
    let tables: Vec<serde_json::Value> = plan
        .tables
        .iter()
        .map(|table| {
            json!({
                "table": table.full_name(),
                "inserts": table.rows.inserts,
                "updates": table.rows.updates,
                "deletes": table.rows.deletes,
            })
        })
        .collect();
    let later: Vec<serde_json::Value> = plan
        .later
        .iter()
        .map(|later| json!({"transaction": later.name, "table": later.table, "rows": later.rows}))
        .collect();
    let conflicting: Vec<serde_json::Value> = applied
        .told
        .iter()
        .map(|row| json!({"table": row.table, "row": row.row, "what": row.what}))
        .collect();
    let (transactions, rows) = match arguments.dry_run {
        true => (plan.transactions, plan.rows.total()),
        false => (applied.transactions, applied.rows),
    };
    json!({
        "undone_transactions": transactions,
        "undone_rows": rows,
        "wanted_rows": plan.rows.total(),
        "conflicts": applied.conflicts,
        "skipped_rows": applied.skipped,
        "forced_rows": applied.forced,
        "conflicting": conflicting,
        "tables": tables,
        "later": later,
        "later_more": plan.later_more,
        "output": arguments.output.as_ref().map(|path| path.display().to_string()),
        "dry_run": arguments.dry_run,
        "complete": failure.is_none(),
        "error": failure.and_then(words),
        "seconds": took.as_secs_f64(),
    })
}

/// With JSON, that nothing was done and why.
pub(super) fn refused(arguments: &FlashbackArguments, failure: &Failure) -> Result<(), Failure> {
    if arguments.json {
        output::line(json!({
            "undone_transactions": 0,
            "undone_rows": 0,
            "conflicts": 0,
            "dry_run": arguments.dry_run,
            "complete": false,
            "error": words(failure),
        }))?;
    }
    Ok(())
}

/// What a failure says.
fn words(failure: &Failure) -> Option<&str> {
    match failure {
        Failure::Usage(words) | Failure::Failed(words) | Failure::Passing(words) => Some(words),
        Failure::Told | Failure::ReaderGone => None,
    }
}

/// What would be taken back, in lines.
pub(super) fn about(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!(
        "takes back {} rows in {} transactions",
        count(plan.rows.total()),
        count(plan.transactions)
    )];
    let moment = |micros: u64| {
        u32::try_from(micros / 1_000_000).map_or_else(|_| "an unknown time".to_owned(), timestamp)
    };
    for (what, end) in [("newest", &plan.last), ("oldest", &plan.first)] {
        if let Some((name, micros)) = end {
            lines.push(format!("  {what}: {name}, committed {}", moment(*micros)));
        }
    }
    for table in &plan.tables {
        let mut parts = Vec::new();
        for (rows, what) in [
            (table.rows.deletes, "deleted rows come back"),
            (table.rows.updates, "updated rows become what they were"),
            (table.rows.inserts, "inserted rows go"),
        ] {
            if rows > 0 {
                parts.push(format!("{} {what}", count(rows)));
            }
        }
        lines.push(format!("  {}: {}", table.full_name(), parts.join(", ")));
    }
    lines
}

pub(super) fn question(plan: &Plan, server: &str) -> String {
    format!(
        "Take these {} rows in {} transactions back on {server}? Type yes: ",
        count(plan.rows.total()),
        count(plan.transactions)
    )
}

/// Asks at the terminal.
pub(super) fn ask(question: &str) -> Result<(), Failure> {
    if !stdin().is_terminal() {
        return Err(Failure::Usage(
            "there is no terminal to ask at; --yes does it without asking".to_owned(),
        ));
    }
    write!(stderr(), "{question}")?;
    stderr().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    match answer.trim().eq_ignore_ascii_case("yes") {
        true => Ok(()),
        false => Err(Failure::Failed("nothing was done".to_owned())),
    }
}
