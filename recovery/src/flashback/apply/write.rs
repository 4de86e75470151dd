//! Writing: each row by a statement whose condition is the row that the log left.

use binlog::row::{Row, RowPair, RowsFlags, RowsKind, Table};
use inspect::{Find, Generated, RowSql};

use super::check::Check;
use super::target::Described;
use super::{Applied, ApplyOptions, CHANGED, Conflict, OnConflict, PRESENT, Server, told};
use crate::flashback::rewind::{LogFiles, Sink, Undone};
use crate::flashback::sql_file::inexpressible;
use crate::flashback::trail::Transaction;
use crate::flashback::{FlashbackError, Found};

/// Rows of one statement.
const BATCH: usize = 200;

/// Bytes of one statement, unless a single row is larger.
const BATCH_LEN: usize = 512 << 10;

/// What a session is set to: dates as they are, 0 as itself, times in UTC, text in UTF-8.
const SESSION: [&str; 3] = [
    "SET NAMES utf8mb4",
    "SET SESSION time_zone='+00:00'",
    "SET SESSION sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
];

/// Takes transactions back on a server.
pub struct Apply<'a> {
    server: &'a mut dyn Server,
    options: ApplyOptions,
    described: Described,
    applied: Applied,
    checks: Option<(bool, bool)>,
    /// The transaction that is taken back, for messages.
    name: String,
    /// What it did so far, which counts with its commit.
    open: Applied,
    is_begun: bool,
}

impl<'a> Apply<'a> {
    /// Sets up the session and asks about the tables.
    ///
    /// # Errors
    /// What the server does not do, and what stands against it there.
    pub fn new(
        server: &'a mut dyn Server,
        found: &Found,
        options: ApplyOptions,
    ) -> Result<Self, FlashbackError> {
        for sql in SESSION {
            let answer = server.run(sql);
            answer.map_err(|error| FlashbackError::Server {
                doing: format!("setting up the session ({sql})"),
                error,
            })?;
        }
        let described = Described::ask(server, found, &options)?;
        Ok(Self {
            server,
            options,
            described,
            applied: Applied::default(),
            checks: None,
            name: String::new(),
            open: Applied::default(),
            is_begun: false,
        })
    }

    /// Looks at every row and writes nothing. Gives what would be in the way, and whether all rows
    /// could be looked at.
    ///
    /// # Errors
    /// Those of reading the log and of the server.
    pub fn check(
        &mut self,
        found: &mut Found,
        files: &mut dyn LogFiles,
    ) -> Result<(Applied, bool), FlashbackError> {
        let mut check = Check::new(self.server, &self.described, self.is_begun);
        found.rewind(files, &mut check)?;
        check.finish()?;
        Ok((check.applied, !check.is_over))
    }

    /// Takes everything back.
    ///
    /// # Errors
    /// Rows that are not as the log left them, if nothing is to be written then, and those of
    /// reading the log and of the server. [`Apply::applied`] tells what was done until then.
    pub fn run(
        &mut self,
        found: &mut Found,
        files: &mut dyn LogFiles,
    ) -> Result<(), FlashbackError> {
        if self.options.is_single {
            self.begin_transaction()?;
        }
        if self.options.on_conflict == OnConflict::Stop {
            let (checked, _) = self.check(found, files)?;
            if checked.conflicts > 0 {
                return self.give_up(FlashbackError::Conflicts(checked));
            }
        }
        let done = found.rewind(files, self);
        let done = done.and_then(|()| match self.is_begun {
            true => self.commit(),
            false => Ok(()),
        });
        match done {
            Ok(()) => Ok(()),
            Err(error) => self.give_up(error),
        }
    }

    /// What was done.
    #[must_use]
    pub const fn applied(&self) -> &Applied {
        &self.applied
    }

    fn give_up(&mut self, error: FlashbackError) -> Result<(), FlashbackError> {
        if std::mem::take(&mut self.is_begun) {
            // A server that is gone has rolled back by itself.
            let _ = self.server.run("ROLLBACK");
        }
        Err(error)
    }

    fn statement(&mut self, sql: &str) -> Result<u64, FlashbackError> {
        let answer = self.server.run(sql);
        answer
            .map(|answer| answer.affected)
            .map_err(|error| FlashbackError::Server {
                doing: format!("taking back {}", self.name),
                error,
            })
    }

    fn begin_transaction(&mut self) -> Result<(), FlashbackError> {
        self.statement("START TRANSACTION")?;
        self.is_begun = true;
        self.open = Applied::default();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), FlashbackError> {
        self.statement("COMMIT")?;
        self.is_begun = false;
        let open = std::mem::take(&mut self.open);
        self.applied.transactions += open.transactions;
        self.applied.rows += open.rows;
        self.applied.conflicts += open.conflicts;
        self.applied.skipped += open.skipped;
        self.applied.forced += open.forced;
        self.applied.reached = Some(self.name.clone());
        for conflict in open.told {
            if self.applied.told.len() < super::TOLD_MAX {
                self.applied.told.push(conflict);
            }
        }
        Ok(())
    }

    /// Sets which checks the rows were changed with.
    fn set_checks(&mut self, flags: RowsFlags) -> Result<(), FlashbackError> {
        let checks = (
            !flags.contains(RowsFlags::NO_FOREIGN_KEY_CHECKS),
            !flags.contains(RowsFlags::RELAXED_UNIQUE_CHECKS),
        );
        if self.checks == Some(checks) {
            return Ok(());
        }
        let (foreign, unique) = (u8::from(checks.0), u8::from(checks.1));
        self.statement(&format!("SET SESSION foreign_key_checks={foreign}"))?;
        self.statement(&format!("SET SESSION unique_checks={unique}"))?;
        self.checks = Some(checks);
        Ok(())
    }

    /// A row that is not as the log left it.
    fn conflict(
        &mut self,
        of: &Rows<'_, '_>,
        row: &Row<'_>,
        what: &'static str,
    ) -> Result<(), FlashbackError> {
        let mut condition = Vec::new();
        of.sql
            .condition(&mut condition, row, Find::Key)
            .map_err(|column| inexpressible(of.rows, column))?;
        let table = of.table.full_name();
        self.open.conflict(|| Conflict {
            table,
            row: told(&condition),
            what,
        });
        match self.options.on_conflict {
            OnConflict::Stop => Err(FlashbackError::Conflicts(self.open.clone())),
            OnConflict::Skip => {
                self.open.skipped += 1;
                Ok(())
            }
            OnConflict::Force => {
                self.open.forced += 1;
                Ok(())
            }
        }
    }

    /// Inserts rows, by the hundred while nothing is in the way.
    fn inserts(&mut self, of: &Rows<'_, '_>) -> Result<(), FlashbackError> {
        let mut reader = of.read()?;
        let mut sql = Vec::new();
        let mut batch: Vec<Vec<u8>> = Vec::new();
        let mut len = 0;
        let mut pair = RowPair::default();
        loop {
            let is_there = reader
                .next_into(&mut pair)
                .map_err(|error| of.damaged(error))?;
            if batch.len() >= BATCH || len >= BATCH_LEN || (!is_there && !batch.is_empty()) {
                self.insert(of, &sql, &batch)?;
                batch.clear();
                len = 0;
            }
            if !is_there {
                return Ok(());
            }
            if batch.is_empty() {
                sql.clear();
                of.sql.begin_insert(&mut sql, &pair.after);
            }
            let mut values = Vec::new();
            of.sql
                .values(&mut values, &pair.after)
                .map_err(|column| inexpressible(of.rows, column))?;
            len += values.len();
            batch.push(values);
        }
    }

    /// Inserts these rows; one by one if one of them is there already.
    fn insert(
        &mut self,
        of: &Rows<'_, '_>,
        head: &[u8],
        batch: &[Vec<u8>],
    ) -> Result<(), FlashbackError> {
        let whole = [head, &batch.join(b",".as_slice())].concat();
        match self.server.run(&String::from_utf8_lossy(&whole)) {
            Ok(_) => {
                self.open.rows += batch.len() as u64;
                return Ok(());
            }
            Err(error) if error.is_duplicate() => {}
            Err(error) => return Err(self.refused(error)),
        }
        // The rows again, since a conflict is told by its key.
        let mut reader = of.read()?;
        let mut pair = RowPair::default();
        while reader
            .next_into(&mut pair)
            .map_err(|error| of.damaged(error))?
        {
            let mut values = Vec::new();
            of.sql
                .values(&mut values, &pair.after)
                .map_err(|column| inexpressible(of.rows, column))?;
            if !batch.contains(&values) {
                continue;
            }
            let one = [head, &values].concat();
            match self.server.run(&String::from_utf8_lossy(&one)) {
                Ok(_) => self.open.rows += 1,
                Err(error) if error.is_duplicate() => {
                    self.conflict(of, &pair.after, PRESENT)?;
                    if self.options.on_conflict == OnConflict::Force {
                        self.delete_by(of, &pair.after, Find::Key)?;
                        self.statement(&String::from_utf8_lossy(&one))?;
                        self.open.rows += 1;
                    }
                }
                Err(error) => return Err(self.refused(error)),
            }
        }
        Ok(())
    }

    fn refused(&self, error: super::ServerError) -> FlashbackError {
        FlashbackError::Server {
            doing: format!("taking back {}", self.name),
            error,
        }
    }

    fn delete_by(
        &mut self,
        of: &Rows<'_, '_>,
        row: &Row<'_>,
        find: Find,
    ) -> Result<u64, FlashbackError> {
        let mut sql = Vec::new();
        of.sql
            .delete(&mut sql, row, find)
            .map_err(|column| inexpressible(of.rows, column))?;
        self.statement(&String::from_utf8_lossy(&sql))
    }

    /// Deletes rows, by the hundred while all of them are what the log left.
    fn deletes(&mut self, of: &Rows<'_, '_>) -> Result<(), FlashbackError> {
        if !of.sql.is_keyed() {
            return self.single_deletes(of, 0, usize::MAX);
        }
        let mut reader = of.read()?;
        let mut batch: Vec<Vec<u8>> = Vec::new();
        let (mut len, mut first) = (0, 0);
        let mut pair = RowPair::default();
        loop {
            let is_there = reader
                .next_into(&mut pair)
                .map_err(|error| of.damaged(error))?;
            if batch.len() >= BATCH || len >= BATCH_LEN || (!is_there && !batch.is_empty()) {
                if !self.delete_all(of, &batch)? {
                    self.single_deletes(of, first, batch.len())?;
                }
                first += batch.len();
                batch.clear();
                len = 0;
            }
            if !is_there {
                return Ok(());
            }
            let mut condition = Vec::new();
            of.sql
                .condition(&mut condition, &pair.before, Find::Whole)
                .map_err(|column| inexpressible(of.rows, column))?;
            len += condition.len();
            batch.push(condition);
        }
    }

    /// Deletes the rows of these conditions. False, and none is deleted, unless each has its row.
    fn delete_all(
        &mut self,
        of: &Rows<'_, '_>,
        conditions: &[Vec<u8>],
    ) -> Result<bool, FlashbackError> {
        self.statement("SAVEPOINT weir")?;
        let mut sql = b"DELETE FROM ".to_vec();
        of.sql.put_table(&mut sql);
        sql.extend_from_slice(b" WHERE (");
        sql.extend_from_slice(&conditions.join(b") OR (".as_slice()));
        sql.push(b')');
        let deleted = self.statement(&String::from_utf8_lossy(&sql))?;
        if deleted == conditions.len() as u64 {
            self.open.rows += deleted;
            return Ok(true);
        }
        self.statement("ROLLBACK TO SAVEPOINT weir")?;
        Ok(false)
    }

    /// Deletes `count` rows of the event from the row `first` on, one by one.
    fn single_deletes(
        &mut self,
        of: &Rows<'_, '_>,
        first: usize,
        count: usize,
    ) -> Result<(), FlashbackError> {
        let mut reader = of.read()?;
        let mut pair = RowPair::default();
        let end = first.saturating_add(count);
        for index in 0..end {
            let next = reader.next_into(&mut pair);
            if !next.map_err(|error| of.damaged(error))? {
                break;
            }
            if index < first {
                continue;
            }
            if self.delete_by(of, &pair.before, Find::Whole)? == 0 {
                self.conflict(of, &pair.before, CHANGED)?;
                if self.options.on_conflict == OnConflict::Skip {
                    continue;
                }
                self.delete_by(of, &pair.before, Find::Key)?;
            }
            self.open.rows += 1;
        }
        Ok(())
    }

    fn updates(&mut self, of: &Rows<'_, '_>) -> Result<(), FlashbackError> {
        let mut reader = of.read()?;
        let mut pair = RowPair::default();
        while reader
            .next_into(&mut pair)
            .map_err(|error| of.damaged(error))?
        {
            if self.update(of, &pair, Find::Whole)? == Some(0) {
                self.conflict(of, &pair.before, CHANGED)?;
                if self.options.on_conflict == OnConflict::Skip {
                    continue;
                }
                self.delete_by(of, &pair.before, Find::Key)?;
                let mut sql = Vec::new();
                of.sql.begin_insert(&mut sql, &pair.after);
                of.sql
                    .values(&mut sql, &pair.after)
                    .map_err(|column| inexpressible(of.rows, column))?;
                self.statement(&String::from_utf8_lossy(&sql))?;
            }
            self.open.rows += 1;
        }
        Ok(())
    }

    /// Changes a row; `None` if nothing about it changed.
    fn update(
        &mut self,
        of: &Rows<'_, '_>,
        pair: &RowPair<'_>,
        find: Find,
    ) -> Result<Option<u64>, FlashbackError> {
        let mut sql = Vec::new();
        let is_statement = of
            .sql
            .update(&mut sql, &pair.before, &pair.after, find)
            .map_err(|column| inexpressible(of.rows, column))?;
        if !is_statement {
            return Ok(None);
        }
        self.statement(&String::from_utf8_lossy(&sql)).map(Some)
    }
}

/// The rows of one event, and how they are written.
struct Rows<'e, 'u> {
    table: &'e Table,
    sql: RowSql<'e>,
    rows: &'e Undone<'u>,
}

impl Rows<'_, '_> {
    fn read(&self) -> Result<binlog::row::RowReader<'_>, FlashbackError> {
        let reader = self.rows.event.read(&self.table.plan);
        reader.map_err(|error| self.damaged(error))
    }

    fn damaged(&self, error: codec::DecodeError) -> FlashbackError {
        FlashbackError::Row {
            place: self.table.full_name(),
            reason: error.to_string(),
        }
    }
}

impl Sink for Apply<'_> {
    fn begin(&mut self, transaction: &Transaction) -> Result<(), FlashbackError> {
        let place = || format!("the transaction at offset {}", transaction.offset);
        self.name = transaction.gtid.clone().unwrap_or_else(place);
        if !self.is_begun {
            self.begin_transaction()?;
        }
        Ok(())
    }

    fn rows(&mut self, rows: &Undone<'_>) -> Result<(), FlashbackError> {
        // Taken out for as long as it is borrowed beside the session.
        let described = std::mem::take(&mut self.described);
        let table = described.table(rows.shape).unwrap_or(rows.table);
        let sql = RowSql::new(table, rows.flavour, &Generated::default());
        let done = sql
            .map_err(|error| FlashbackError::Row {
                place: table.full_name(),
                reason: error.to_string(),
            })
            .and_then(|sql| {
                let of = Rows { table, sql, rows };
                self.set_checks(rows.event.flags)?;
                match rows.event.kind {
                    RowsKind::Write => self.inserts(&of),
                    RowsKind::Delete => self.deletes(&of),
                    RowsKind::Update => self.updates(&of),
                }
            });
        self.described = described;
        done
    }

    fn end(&mut self) -> Result<(), FlashbackError> {
        self.open.transactions += 1;
        if self.options.is_single {
            return Ok(());
        }
        self.commit()
    }
}
