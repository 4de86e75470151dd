//! What a transaction holds: statements, what they need, and rows. Some of it is the target's, the rest
//! is refused by name.

use binlog::event::{Event, Query};
use binlog::limits::Limits;
use binlog::log::Damage;
use binlog::row::{RowsEvent, Table};
use binlog::transaction::{StatementKind, Step};
use sql::{ParseOptions, SqlMode, version_number};
use targets::{Logged, RowsChange, StatementChange, Variables};

use super::coordinator::Coordinator;
use super::error::Reason;
use super::filter::{admits_statement, conditioned};
use super::kind::refined;
use super::load::Loaded;
use super::refusal::{Failed, lost, refuse, refuse_unless_ignorable, shown};

impl Coordinator {
    /// What a transaction holds.
    pub(super) fn content(&mut self, step: &Step<'_>) -> Result<(), Failed> {
        match &step.event {
            Event::Query(query) => self.query(step, query),
            Event::QueryCompressed(query) => {
                let query = query.inflate(&Limits::default());
                let query = query.map_err(|error| Reason::Damaged(Damage::Undecodable(error)))?;
                self.query(step, &query)
            }
            Event::Rows(rows) => self.rows(step, rows),
            // The reader keeps the tables; what a payload holds follows it.
            Event::TableMap(_)
            | Event::TransactionPayload(_)
            | Event::Xid(_)
            | Event::RowsQuery(_)
            | Event::AnnotateRows(_) => Ok(()),
            Event::IntVar(_) | Event::Rand(_) | Event::UserVar(_) => self.variable(step),
            Event::BeginLoadQuery(block) => self.load_block(block, true),
            Event::AppendBlock(block) => self.load_block(block, false),
            Event::ExecuteLoadQuery(load) => self.load_data(step, load),
            Event::XaPrepare(prepare) => self.prepare_xa(step, prepare),
            Event::Incident(incident) => Err(lost(incident.message)),
            _ => refuse_unless_ignorable(&step.raw),
        }
    }

    fn query(&mut self, step: &Step<'_>, query: &Query<'_>) -> Result<(), Failed> {
        // A statement that failed there after it had changed something, or was killed. What it left is
        // not known here.
        // Differs from MySQL: a failure that repeats itself here does not let it pass.
        if query.error_code != 0 {
            let (code, sql) = (query.error_code, shown(&query.sql));
            return Err(Reason::FailedOnSource { code, sql }.into());
        }
        let kind = StatementKind::of(&query.sql);
        match kind {
            StatementKind::Begin | StatementKind::Commit => Ok(()),
            StatementKind::Savepoint if !self.worker.runs_statements() => Ok(()),
            StatementKind::XaStart => self.start_xa(step, query),
            StatementKind::XaEnd | StatementKind::XaCommit | StatementKind::XaRollback => {
                self.end_xa(step, query, kind)
            }
            // What it leaves standing is what cannot roll back there, and only a server knows it.
            StatementKind::Savepoint | StatementKind::Rollback | StatementKind::RollbackTo
                if self.worker.runs_statements() =>
            {
                self.execute(step, query, kind)
            }
            StatementKind::Savepoint | StatementKind::Rollback | StatementKind::RollbackTo => {
                let what = format!("The statement '{}'", shown(&query.sql));
                Err(Reason::Unsupported { what }.into())
            }
            StatementKind::CreateSelect | StatementKind::Dml | StatementKind::Ddl => {
                self.statement(step, query, kind)
            }
        }
    }

    pub(super) fn statement(
        &mut self,
        step: &Step<'_>,
        query: &Query<'_>,
        kind: StatementKind,
    ) -> Result<(), Failed> {
        let schema = String::from_utf8_lossy(&query.schema);
        let options = ParseOptions {
            sql_mode: query
                .status
                .sql_mode()
                .map_or(SqlMode::DEFAULT, SqlMode::from_bits),
            version: version_number(&step.description.server_version),
            is_logged: true,
            ..ParseOptions::default()
        };
        let text = engine::apply::readable(&query.sql, &query.status);
        if !admits_statement(&self.filter, &schema, &text, &options) {
            self.worker.skip();
            self.open.variables = Variables::default();
            drop(self.open.files.take());
            return Ok(());
        }
        let kind = match self.worker.runs_statements() {
            true => refined(kind, &text, &options),
            false => kind,
        };
        let kind = match self.open.is_create_select && kind == StatementKind::Ddl {
            true => StatementKind::CreateSelect,
            false => kind,
        };
        if kind == StatementKind::Dml && !self.worker.runs_statements() {
            let what = format!(
                "The statement '{}' (statement-based logging; the source needs binlog_format=ROW)",
                shown(&query.sql)
            );
            return Err(Reason::Unsupported { what }.into());
        }
        // What it does to the rows of a table with a condition cannot be told from it.
        if let Some(table) = conditioned(&self.filter, kind, (&schema, &text), &options) {
            let sql = shown(&query.sql);
            let what =
                format!("The statement '{sql}', which may touch {table} of replicate_row_filter,");
            return Err(Reason::Unsupported { what }.into());
        }
        self.row_filters.forget();
        self.execute(step, query, kind)
    }

    /// Takes note of what the next statement needs.
    fn variable(&mut self, step: &Step<'_>) -> Result<(), Failed> {
        if !self.worker.runs_statements() {
            return refuse(&step.raw);
        }
        match self.open.variables.add(&step.raw, step.format) {
            true => Ok(()),
            false => {
                let what = "A statement with so many, or so long, user variables".to_owned();
                Err(Reason::Unsupported { what }.into())
            }
        }
    }

    /// Gives a statement to the target, whatever the filter says.
    pub(super) fn execute(
        &mut self,
        step: &Step<'_>,
        query: &Query<'_>,
        kind: StatementKind,
    ) -> Result<(), Failed> {
        let schema = String::from_utf8_lossy(&query.schema);
        let database = self.filter.rewrite(&schema);
        let variables = std::mem::take(&mut self.open.variables);
        let file = self.open.files.take();
        let change = StatementChange {
            database: &database,
            query,
            variables: &variables,
            file: file.as_ref().map(Loaded::file),
            kind,
            logged: logged(step),
        };
        Ok(self.worker.statement(&self.open.head, &change)?)
    }

    fn rows(&mut self, step: &Step<'_>, rows: &RowsEvent<'_>) -> Result<(), Failed> {
        let Some(table) = table_of(step, rows)? else {
            return Ok(());
        };
        let admission = self.admissions.of(&table.map, &self.filter);
        if !admission.is_admitted {
            self.worker.skip();
            return Ok(());
        }
        let (worker, head) = (&mut self.worker, &self.open.head);
        let failed = |reason: Reason| Failed {
            reason,
            table: Some(admission.name()),
        };
        let (database, map) = (&*admission.database, &table.map);
        let known = || worker.known_columns(head, database, &map.table);
        let of = (map, rows);
        let filters = &mut self.row_filters;
        let admitted = filters.admitted(&self.filter, database, of, known);
        let admitted = admitted.map_err(failed)?;
        let mut apply = |rows: &RowsEvent<'_>| {
            let change = RowsChange {
                database,
                map,
                rows,
                logged: logged(step),
            };
            let applied = worker.rows(head, &change);
            applied.map_err(|error| failed(error.into()))
        };
        let Some(admitted) = admitted else {
            return apply(rows);
        };
        admitted.events.iter().try_for_each(apply)?;
        worker.leave_out(admitted.left_out);
        Ok(())
    }

    /// Counts rows that are applied later.
    pub(super) fn count_rows(
        &mut self,
        step: &Step<'_>,
        rows: &RowsEvent<'_>,
    ) -> Result<(), Failed> {
        let Some(table) = table_of(step, rows)? else {
            return Ok(());
        };
        let admission = self.admissions.of(&table.map, &self.filter);
        if !admission.is_admitted {
            return Ok(());
        }
        let change = RowsChange {
            database: &admission.database,
            map: &table.map,
            rows,
            logged: logged(step),
        };
        let count = change.count();
        let count = count.map_err(|error| Reason::Damaged(Damage::Undecodable(error)))?;
        self.worker.count_rows(count);
        Ok(())
    }
}

/// The table of a row event; `None` for one that only ends its statement, which is all the same here.
fn table_of<'a>(step: &Step<'a>, rows: &RowsEvent<'_>) -> Result<Option<&'a Table>, Failed> {
    match step.table {
        None if !rows.rows.is_empty() => {
            let table_id = rows.table_id;
            Err(Reason::UnknownTable { table_id }.into())
        }
        table => Ok(table),
    }
}

fn logged<'a>(step: &Step<'a>) -> Logged<'a> {
    Logged {
        header: step.raw.header,
        format: step.format,
        description: step.description,
    }
}
