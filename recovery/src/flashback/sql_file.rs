//! What takes transactions back as SQL.
//!
//! The text stands for itself: it sets up its session, and each transaction looks whether it met the
//! rows that it was made for, and fails in front of its COMMIT if not, so that a client that stops at
//! errors leaves everything as it was. In front of the first one it looks for triggers and for
//! foreign keys that would change other tables.

use std::io::{self, Write};

use binlog::row::{RowPair, RowsFlags, RowsKind};
use inspect::{Find, Generated, Output, RowSql, put_text_literal};

use super::apply::{Described, OnConflict};
use super::rewind::{Sink, Undone};
use super::tables::TableCount;
use super::trail::Transaction;
use super::{FlashbackError, Found};

/// Rows in one INSERT.
const INSERT_ROWS_MAX: usize = 500;

/// Bytes of one INSERT, unless a single row is larger.
const INSERT_LEN_MAX: usize = 1 << 20;

/// How it is written.
#[derive(Debug, Default)]
pub struct SqlFileOptions {
    /// Columns that statements must not name, besides those that schema snapshots know.
    pub generated: Generated,
    /// Everything in one transaction.
    pub is_single: bool,
    /// What is done about rows that are not as the log left them.
    pub on_conflict: OnConflict,
    /// Triggers of the target may run.
    pub fire_triggers: bool,
    /// Foreign keys of other tables may refer to these.
    pub without_children: bool,
    /// What a server says of the tables.
    pub described: Option<Described>,
}

/// Writes such a text.
pub struct SqlFile<W> {
    out: Output<W>,
    options: SqlFileOptions,
    checks: Option<(bool, bool)>,
    is_begun: bool,
    /// Rows that the open transaction changes.
    rows: u64,
}

impl<W: Write> SqlFile<W> {
    /// Writes what stands in front of the first transaction: `about` as comments, the session, and
    /// what must hold of the tables of `found`.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn new(
        out: W,
        about: &[String],
        found: &Found,
        options: SqlFileOptions,
    ) -> Result<Self, FlashbackError> {
        let mut file = Self {
            out: Output::new(out),
            options,
            checks: None,
            is_begun: false,
            rows: 0,
        };
        let buffer = file.out.buffer();
        for line in about {
            comment(buffer, line);
        }
        buffer.extend_from_slice(
            b"SET NAMES utf8mb4;\n\
              SET SESSION time_zone='+00:00';\n\
              SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';\n",
        );
        for (number, count) in (0..).zip(&found.plan.tables) {
            let TableCount { schema, table, .. } = count;
            let described = file.options.described.is_some()
                || found
                    .shapes()
                    .any(|(shape, name)| name == number && shape.snapshot.is_some());
            if !described {
                let about = "--generated-column or --schema tells them, so that this is left out";
                let generated = file.options.generated.clone();
                let columns = |out: &mut Vec<u8>| put_generated(out, schema, table, &generated);
                let what = "columns computed in";
                put_guard(file.out.buffer(), about, &columns, what, table);
            }
            if !file.options.fire_triggers {
                let about = "--fire-triggers leaves this out";
                let buffer = file.out.buffer();
                let triggers = |out: &mut Vec<u8>| put_triggers(out, schema, table);
                put_guard(buffer, about, &triggers, "triggers on", table);
            }
            if !file.options.without_children && !count.tells_children() {
                let about = "--without-children leaves this out";
                let buffer = file.out.buffer();
                let children = |out: &mut Vec<u8>| put_children(out, schema, table);
                put_guard(buffer, about, &children, "children of", table);
            }
        }
        file.make_room()?;
        Ok(file)
    }

    fn make_room(&mut self) -> Result<(), FlashbackError> {
        self.out.make_room().map_err(unwritable)
    }

    /// Ends the text.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(mut self) -> Result<(), FlashbackError> {
        if self.is_begun {
            self.end_transaction();
        }
        self.out.flush().map_err(unwritable)
    }

    fn is_guarded(&self) -> bool {
        self.options.on_conflict == OnConflict::Stop
    }

    fn begin_transaction(&mut self) {
        self.is_begun = true;
        self.rows = 0;
        let is_guarded = self.is_guarded();
        let buffer = self.out.buffer();
        buffer.extend_from_slice(b"START TRANSACTION;\n");
        if is_guarded {
            buffer.extend_from_slice(b"SET @weir_rows=0;\n");
        }
    }

    fn end_transaction(&mut self) {
        self.is_begun = false;
        let (is_guarded, rows) = (self.is_guarded(), self.rows);
        let buffer = self.out.buffer();
        if is_guarded {
            let check = format!(
                "SET @weir_check=IF(@weir_rows={rows},'DO 0',CONCAT('SELECT `',\
                 {rows}-@weir_rows,' rows have changed since`'));\n"
            );
            buffer.extend_from_slice(check.as_bytes());
            buffer.extend_from_slice(RUN_CHECK);
        }
        buffer.extend_from_slice(b"COMMIT;\n");
    }

    /// Ends a statement that changes so many rows.
    fn end_statement(&mut self, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
        let is_guarded = self.is_guarded();
        let buffer = self.out.buffer();
        buffer.extend_from_slice(b";\n");
        if is_guarded {
            buffer.extend_from_slice(b"SET @weir_rows=@weir_rows+ROW_COUNT();\n");
        }
    }

    /// Sets which checks the rows were changed with.
    fn set_checks(&mut self, flags: RowsFlags) {
        let checks = (
            !flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS),
            !flags.contains(RowsFlags::RELAXED_UNIQUE_CHECKS),
        );
        if self.checks == Some(checks) {
            return;
        }
        self.checks = Some(checks);
        let set = format!(
            "SET SESSION foreign_key_checks={}, SESSION unique_checks={};\n",
            u8::from(checks.0),
            u8::from(checks.1)
        );
        self.out.buffer().extend_from_slice(set.as_bytes());
    }

    fn statements(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        let sql = RowSql::new(rows.table, rows.flavour, &self.options.generated);
        let sql = sql.map_err(|error| FlashbackError::Row {
            place: rows.table.full_name(),
            reason: format!("{error}, or name a server that has the table: --schema"),
        })?;
        self.set_checks(rows.event.flags);
        match rows.event.kind {
            RowsKind::Write => self.inserts(&sql, rows),
            RowsKind::Update | RowsKind::Delete => self.changes(&sql, rows),
        }
    }

    fn inserts(&mut self, sql: &RowSql<'_>, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        let damaged = |error: codec::DecodeError| unreadable(rows, &error.to_string());
        let mut reader = rows.event.read(&rows.table.plan).map_err(damaged)?;
        let mut pair = RowPair::default();
        let (mut count, mut len) = (0, 0);
        while reader.next_into(&mut pair).map_err(damaged)? {
            if count >= INSERT_ROWS_MAX || len >= INSERT_LEN_MAX {
                self.end_statement(count as u64);
                (count, len) = (0, 0);
            }
            let buffer = self.out.buffer();
            let start = buffer.len();
            if count == 0 {
                sql.begin_insert(buffer, &pair.after);
            } else {
                buffer.extend_from_slice(b",\n  ");
            }
            sql.values(buffer, &pair.after)
                .map_err(|column| inexpressible(rows, column))?;
            len += buffer.len().saturating_sub(start);
            count += 1;
            self.make_room()?;
        }
        if count > 0 {
            self.end_statement(count as u64);
        }
        Ok(())
    }

    fn changes(&mut self, sql: &RowSql<'_>, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        let damaged = |error: codec::DecodeError| unreadable(rows, &error.to_string());
        let find = match self.options.on_conflict {
            OnConflict::Stop | OnConflict::Skip => Find::Whole,
            OnConflict::Force => Find::Key,
        };
        let mut reader = rows.event.read(&rows.table.plan).map_err(damaged)?;
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair).map_err(damaged)? {
            let buffer = self.out.buffer();
            let written = match rows.event.kind {
                RowsKind::Delete => sql.delete(buffer, &pair.before, find).map(|()| true),
                RowsKind::Update | RowsKind::Write => {
                    sql.update(buffer, &pair.before, &pair.after, find)
                }
            };
            if written.map_err(|column| inexpressible(rows, column))? {
                self.end_statement(1);
            }
            self.make_room()?;
        }
        Ok(())
    }
}

impl<W: Write> Sink for SqlFile<W> {
    fn begin(&mut self, transaction: &Transaction) -> Result<(), FlashbackError> {
        if let Some(gtid) = &transaction.gtid {
            comment(self.out.buffer(), &format!("takes back {gtid}"));
        }
        if !self.is_begun {
            self.begin_transaction();
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        // Taken out for as long as it is borrowed beside the output.
        let described = self.options.described.take();
        let known = described
            .as_ref()
            .and_then(|tables| tables.table(rows.shape));
        let rows = &Undone {
            table: known.unwrap_or(rows.table),
            ..*rows
        };
        let done = self.statements(rows);
        self.options.described = described;
        done
    }

    fn end(&mut self) -> Result<(), FlashbackError> {
        if !self.options.is_single {
            self.end_transaction();
        }
        self.make_room()
    }
}

/// Runs what a check came to. A server tells the name of a column that it does not know, which is
/// the only text of ours that the errors of both vendors carry.
const RUN_CHECK: &[u8] = b"PREPARE weir FROM @weir_check;\nEXECUTE weir;\n";

/// Appends statements that fail if `count` is not 0.
fn put_guard(
    out: &mut Vec<u8>,
    about: &str,
    count: &dyn Fn(&mut Vec<u8>),
    what: &str,
    table: &str,
) {
    comment(out, &format!("fails if there are {what} {table}; {about}"));
    out.extend_from_slice(
        b"SET @weir_check=(SELECT IF(COUNT(*)=0,'DO 0',CONCAT('SELECT `',COUNT(*),",
    );
    // Names have at most 64 characters.
    let told: String = format!(" {what} {table}").chars().take(48).collect();
    put_text_literal(out, &told.replace(['`', '\\'], "'"));
    out.extend_from_slice(b",'`')) FROM ");
    count(out);
    out.extend_from_slice(b");\n");
    out.extend_from_slice(RUN_CHECK);
}

fn put_generated(out: &mut Vec<u8>, schema: &str, table: &str, known: &Generated) {
    out.extend_from_slice(b"information_schema.columns WHERE table_schema=");
    put_text_literal(out, schema);
    out.extend_from_slice(b" AND table_name=");
    put_text_literal(out, table);
    out.extend_from_slice(
        b" AND (extra LIKE '%VIRTUAL%' OR extra LIKE '%STORED%' OR extra LIKE '%PERSISTENT%')",
    );
    let prefix = format!("{schema}.{table}.");
    for column in known.iter().filter_map(|name| name.strip_prefix(&prefix)) {
        out.extend_from_slice(b" AND column_name<>");
        put_text_literal(out, column);
    }
}

fn put_triggers(out: &mut Vec<u8>, schema: &str, table: &str) {
    out.extend_from_slice(b"information_schema.triggers WHERE event_object_schema=");
    put_text_literal(out, schema);
    out.extend_from_slice(b" AND event_object_table=");
    put_text_literal(out, table);
}

fn put_children(out: &mut Vec<u8>, schema: &str, table: &str) {
    out.extend_from_slice(
        b"information_schema.referential_constraints WHERE unique_constraint_schema=",
    );
    put_text_literal(out, schema);
    out.extend_from_slice(b" AND referenced_table_name=");
    put_text_literal(out, table);
    out.extend_from_slice(
        b" AND (delete_rule NOT IN ('RESTRICT','NO ACTION') OR update_rule NOT IN \
          ('RESTRICT','NO ACTION'))",
    );
}

/// Appends a comment of one line, whatever the text holds.
fn comment(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(b"-- ");
    let plain = |byte: u8| if byte.is_ascii_control() { b' ' } else { byte };
    out.extend(text.bytes().map(plain));
    out.push(b'\n');
}

fn unreadable(rows: &Undone<'_>, reason: &str) -> FlashbackError {
    FlashbackError::Row {
        place: rows.table.full_name(),
        reason: reason.to_owned(),
    }
}

pub(super) fn inexpressible(rows: &Undone<'_>, column: usize) -> FlashbackError {
    let name = rows.table.map.columns.get(column);
    let name = name.and_then(|column| column.name.as_deref());
    let reason = format!(
        "the value of {} cannot be written as a literal: damaged JSON",
        name.unwrap_or("?")
    );
    unreadable(rows, &reason)
}

fn unwritable(error: io::Error) -> FlashbackError {
    FlashbackError::Io {
        doing: "writing the SQL".to_owned(),
        error,
    }
}
