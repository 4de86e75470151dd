//! Rows that may not fit, under `replica_exec_mode=IDEMPOTENT` or `replica_skip_errors`.
//!
//! An event is sent whole, and its answer waited for; one that the server refuses leaves nothing, and
//! its rows are sent one by one, so that each that is let pass is known. What replaces rows in an
//! insert's way is the server's own: MySQL's session variable rbr_exec_mode. MariaDB has no such for a
//! session: there the row with the same primary key is deleted by a row event first, and a row in the
//! way of another unique key stops the applier.

use binlog::event::Flavour;
use binlog::limits::Limits;
use binlog::row::{RowImages, RowPair, RowPlan, RowsEvent, RowsKind};
use inspect::cell::Shape;
use sql::error::SqlError;

use super::{MysqlSession, undecodable};
use crate::mysql::MysqlOptions;
use crate::mysql::binlog_statement::Rows;
use crate::mysql::pipe::Pipe;
use crate::{Resolution, Resolved, RowRules, RowsChange, RowsOutcome, TargetError};

/// Bytes of rows that go to the server in one event: what it refuses it then refuses as a whole.
const EVENT_MAX: usize = 32 << 10;

/// Bytes of a row that are shown.
const SHOWN_MAX: usize = 256;

/// What becomes of rows that do not fit.
#[derive(Debug, Default)]
pub(super) struct Leniency {
    rules: RowRules,
    /// Rows of the event under way that did not.
    resolved: Vec<Resolved>,
}

impl Leniency {
    pub(super) fn follow(&mut self, rules: &RowRules) {
        self.rules = rules.clone();
    }

    /// Whether anything is let pass.
    pub(super) fn is_some(&self) -> bool {
        !self.rules.is_strict()
    }
}

impl MysqlSession {
    /// Begins anew over another connection, by the same rules.
    pub(super) fn renew(&mut self, pipe: Pipe, options: MysqlOptions) -> Result<(), TargetError> {
        let leniency = std::mem::take(&mut self.leniency);
        let mut next = Self::new(pipe, options, self.facts.clone())?;
        next.leniency = leniency;
        self.become_next(next)
    }

    /// What became of an event of so many rows.
    pub(super) fn outcome(&mut self, count: u64) -> RowsOutcome {
        let resolved = std::mem::take(&mut self.leniency.resolved);
        let is_passed = |row: &&Resolved| row.resolution == Resolution::PassedOver;
        let passed = resolved.iter().filter(is_passed).count() as u64;
        RowsOutcome {
            resolved,
            ..RowsOutcome::all(count.saturating_sub(passed))
        }
    }

    /// Takes the rows of one event by the session's rules.
    pub(super) fn take_leniently(&mut self, change: &RowsChange<'_>) -> Result<(), TargetError> {
        self.leniency.resolved.clear();
        self.settle()?;
        let inflated = change.rows.inflated(&Limits::default());
        let event = inflated.map_err(undecodable)?;
        let whole = part(change, &event, &event.rows);
        if event.rows.len() <= EVENT_MAX {
            match self.send_alone(&whole) {
                Err(error) if self.leniency.rules.rule_for(error.code()).is_some() => {}
                outcome => return outcome,
            }
        }
        let plan = RowPlan::new(change.map).map_err(undecodable)?;
        let mut reader = event.read(&plan).map_err(undecodable)?;
        let mut decoder = event.read(&plan).map_err(undecodable)?;
        let mut pair = RowPair::default();
        while let Some(images) = reader.next_images().map_err(undecodable)? {
            decoder.next_into(&mut pair).map_err(undecodable)?;
            let RowImages { before, after } = images;
            let row = [before, after].concat();
            let one = part(change, &event, &row);
            let Err(error) = self.send_alone(&one) else {
                continue;
            };
            let resolved = self.resolve(error, &one)?;
            let key = shown(change, &pair);
            self.leniency.resolved.push(Resolved { key, ..resolved });
        }
        Ok(())
    }

    /// Does with a row that the server refused what the rules say, or gives the error back.
    fn resolve(&mut self, error: TargetError, row: &Rows<'_>) -> Result<Resolved, TargetError> {
        let code = error.code();
        let may_pass = matches!(
            error,
            TargetError::Conflict(_) | TargetError::Statement(_) | TargetError::Unsupported(_)
        );
        let Some(rule) = self.leniency.rules.rule_for(code).filter(|_| may_pass) else {
            return Err(error);
        };
        let replaces = row.event.kind == RowsKind::Write && self.leniency.rules.replaces(code);
        if replaces {
            self.replace(row, error.sql())?;
        }
        Ok(Resolved {
            rule,
            resolution: match replaces {
                true => Resolution::Replaced,
                false => Resolution::PassedOver,
            },
            error: error.sql().clone(),
            key: String::new(),
        })
    }

    /// Puts a row into the place of those in its way.
    fn replace(&mut self, row: &Rows<'_>, duplicate: &SqlError) -> Result<(), TargetError> {
        if self.facts.flavour() == Flavour::MySql {
            self.pipe.ask("SET @@session.rbr_exec_mode='IDEMPOTENT'")?;
            let sent = self.send_alone(row);
            self.pipe.ask("SET @@session.rbr_exec_mode='STRICT'")?;
            return sent;
        }
        let mut deletion = row.event.without_rows();
        deletion.kind = RowsKind::Delete;
        deletion.before_columns = std::mem::take(&mut deletion.after_columns);
        let deleted = self.send_alone(&Rows {
            event: &deletion,
            ..*row
        });
        match deleted.and_then(|()| self.send_alone(row)) {
            Err(TargetError::Conflict(_)) => {
                let text = format!(
                    "{}; the row in the way has another primary key, and MariaDB takes no row event \
                     that replaces it: delete it there",
                    duplicate.message
                );
                Err(TargetError::Conflict(SqlError::new(
                    duplicate.code,
                    duplicate.state,
                    text,
                )))
            }
            outcome => outcome,
        }
    }

    /// Sends rows and waits for what becomes of them.
    fn send_alone(&mut self, rows: &Rows<'_>) -> Result<(), TargetError> {
        let pipe = &mut self.pipe;
        self.rows
            .add_rows(rows, usize::MAX, &mut |sql| pipe.send(sql))?;
        self.settle()
    }
}

fn part<'r>(change: &RowsChange<'r>, event: &'r RowsEvent<'r>, rows: &'r [u8]) -> Rows<'r> {
    Rows {
        database: change.database,
        map: change.map,
        header: change.logged.header,
        event,
        rows,
    }
}

/// The row that an image means, for people: its primary key where the log says which that is, or the
/// columns that it has.
fn shown(change: &RowsChange<'_>, pair: &RowPair<'_>) -> String {
    let map = change.map;
    let image = match change.rows.kind {
        RowsKind::Write => &pair.after,
        RowsKind::Update | RowsKind::Delete => &pair.before,
    };
    let is_key = |position: usize| match &map.primary_key {
        Some(key) => key.iter().any(|(column, _)| *column == position),
        None => true,
    };
    let mut out = String::new();
    let columns = map.columns.iter().zip(image).enumerate();
    for (position, (column, value)) in columns {
        let Some(value) = value.as_ref().filter(|_| is_key(position)) else {
            continue;
        };
        if !out.is_empty() {
            out.push_str(", ");
        }
        match &column.name {
            Some(name) => out.push_str(name),
            None => out.push_str(&format!("@{}", position + 1)),
        }
        out.push('=');
        let shape = Shape::of(column, change.logged.format.flavour);
        let mut text = Vec::new();
        inspect::put_value(&mut text, value, shape, column, false);
        out.push_str(&String::from_utf8_lossy(&text));
    }
    let end = out.floor_char_boundary(SHOWN_MAX);
    out.truncate(end);
    out
}
