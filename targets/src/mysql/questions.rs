//! What somebody wants to know of a server before, and has to tell it after, a replay.

use binlog::transaction::Executed;
use gtid::{GtidSet, MariaPosition};
use inspect::declared::{DeclaredTable, SERVER_COLUMNS};
use protocol::client::QueryResult;

use super::pipe::Pipe;
use super::{LOGGED, MysqlStore, Truth, UNLOGGED};
use crate::TargetError;

/// From this version on a server that has executed something can be told of more in `gtid_purged`.
const GTIDS_ADDED_SINCE: u32 = 80_000;

/// A cell of text, empty for NULL and for none.
pub(super) fn cell(row: &[Option<Vec<u8>>], at: usize) -> String {
    let cell = row.get(at).and_then(Option::as_deref).unwrap_or_default();
    String::from_utf8_lossy(cell).into_owned()
}

fn rows(answer: QueryResult) -> Vec<Vec<Option<Vec<u8>>>> {
    match answer {
        QueryResult::Ok(_) => Vec::new(),
        QueryResult::Rows { rows, .. } => rows,
    }
}

/// A literal of bytes.
pub(super) fn literal(text: &str) -> String {
    let digits: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    format!("CONVERT(X'{digits}' USING utf8)")
}

impl MysqlStore {
    /// Sessions of others that may write, as `user@host (id)`: neither the server's own threads nor
    /// replicas nor this one.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn other_sessions(&self) -> Result<Vec<String>, TargetError> {
        self.asking(|pipe| {
            let own = pipe.scalar("SELECT CONNECTION_ID()")?.unwrap_or_default();
            let found = rows(pipe.ask("SHOW PROCESSLIST")?);
            let is_other = |row: &Vec<Option<Vec<u8>>>| {
                let (id, user, command) = (cell(row, 0), cell(row, 1), cell(row, 4));
                let is_server = ["system user", "event_scheduler"].contains(&user.as_str());
                id != own
                    && !is_server
                    && !command.starts_with("Binlog Dump")
                    && command != "Daemon"
            };
            let named = |row: &Vec<Option<Vec<u8>>>| {
                format!("{}@{} ({})", cell(row, 1), cell(row, 2), cell(row, 0))
            };
            Ok(found
                .iter()
                .filter(|row| is_other(row))
                .map(named)
                .collect())
        })
    }

    /// What its row says was applied, apart from what the server itself has executed; empty where no
    /// row says anything.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn marked_executed(&self) -> Result<Executed, TargetError> {
        match &self.options.truth {
            Truth::Gtids => Ok(Executed::default()),
            Truth::Row(table) => Ok(self.marked(table)?.applied.executed),
        }
    }

    /// Whether it replicates from somewhere just now, other than over the channel `beside`.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn is_replicating_beside(&self, beside: &str) -> Result<bool, TargetError> {
        let is_old = self.facts.is_mariadb || self.facts.number < 80_022;
        let sql = if self.facts.is_mariadb {
            "SHOW ALL SLAVES STATUS"
        } else if is_old {
            "SHOW SLAVE STATUS"
        } else {
            "SHOW REPLICA STATUS"
        };
        self.asking(|pipe| {
            let QueryResult::Rows { columns, rows } = pipe.ask(sql)? else {
                return Ok(false);
            };
            let runs = |row: &Vec<Option<Vec<u8>>>| {
                let has = |is_meant: fn(&str) -> bool, value: &str| {
                    columns.iter().enumerate().any(|(at, column)| {
                        is_meant(column.name.as_str()) && cell(row, at) == value
                    })
                };
                let is_name = |name: &str| matches!(name, "Channel_Name" | "Connection_name");
                let is_beside = !beside.is_empty() && has(is_name, beside);
                !is_beside && has(|name| name.ends_with("_SQL_Running"), "Yes")
            };
            Ok(rows.iter().any(runs))
        })
    }

    /// Whether a replica follows it just now.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn has_replicas(&self) -> Result<bool, TargetError> {
        self.asking(|pipe| {
            let found = rows(pipe.ask("SHOW PROCESSLIST")?);
            Ok(found
                .iter()
                .any(|row| cell(row, 4).starts_with("Binlog Dump")))
        })
    }

    /// How a table is declared; without columns if there is no such table.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub fn declared_table(
        &self,
        database: &str,
        table: &str,
    ) -> Result<DeclaredTable, TargetError> {
        let (database, table) = (literal(database), literal(table));
        let sql = format!(
            "SELECT {SERVER_COLUMNS} FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \
             {database} AND TABLE_NAME = {table} ORDER BY ORDINAL_POSITION"
        );
        let is_mariadb = self.facts.is_mariadb;
        self.asking(|pipe| {
            let mut declared = DeclaredTable::default();
            for row in rows(pipe.ask(&sql)?) {
                let cells: [String; 5] = std::array::from_fn(|at| cell(&row, at));
                declared.add_column(cells.each_ref().map(String::as_str), is_mariadb);
            }
            Ok(declared)
        })
    }

    /// Declares transactions that were applied without being logged as executed, so that replicas
    /// and later replays know of them.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn declare_executed(
        &self,
        mysql: &GtidSet,
        mariadb: &MariaPosition,
    ) -> Result<(), TargetError> {
        self.asking(|pipe| {
            if self.facts.is_mariadb {
                return declare_mariadb(pipe, mariadb);
            }
            let facts = super::ServerFacts::ask(pipe)?;
            let mut new = mysql.clone();
            new.subtract(&facts.gtid_executed);
            if !facts.has_gtids || new.is_empty() {
                return Ok(());
            }
            if facts.number >= GTIDS_ADDED_SINCE {
                let add = format!("SET GLOBAL gtid_purged='+{new}'");
                return pipe.ask(&add).map(drop);
            }
            match facts.gtid_executed.is_empty() {
                true => pipe
                    .ask(&format!("SET GLOBAL gtid_purged='{new}'"))
                    .map(drop),
                false => commit_empty(pipe, &new, self.options.is_logged),
            }
        })
    }

    /// Removes the table that said what is applied, and its database if nothing else is in it. False,
    /// and nothing removed, if it names transactions that the server does not know itself.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn remove_marks(&self) -> Result<bool, TargetError> {
        let Truth::Row(table) = &self.options.truth else {
            return Ok(true);
        };
        let marked = self.marked(table)?.applied.executed;
        let (database, name) = (&table.database, &table.table);
        self.asking(|pipe| {
            let known = super::ServerFacts::ask(pipe)?.executed();
            let mut all = known.clone();
            all.union(&marked);
            if all != known {
                return Ok(false);
            }
            if table.has_prepared(pipe)? {
                return Ok(false);
            }
            self.in_own_domain(pipe, |pipe| pipe.ask(&table.drop_prepared()).map(drop))?;
            let drop_table = format!("DROP TABLE IF EXISTS `{database}`.`{name}`");
            self.in_own_domain(pipe, |pipe| pipe.ask(&drop_table).map(drop))?;
            let left = format!(
                "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = {}",
                literal(database)
            );
            if pipe.scalar(&left)?.as_deref() == Some("0") {
                let drop_database = format!("DROP DATABASE IF EXISTS `{database}`");
                self.in_own_domain(pipe, |pipe| pipe.ask(&drop_database).map(drop))?;
            }
            Ok(true)
        })
    }
}

/// Executes transactions that change nothing, which is how a server learns GTIDs that has executed
/// others and cannot be told. What an interruption leaves is committed the next time.
fn commit_empty(pipe: &mut Pipe, gtids: &GtidSet, is_logged: bool) -> Result<(), TargetError> {
    if !is_logged {
        pipe.ask(LOGGED)?;
    }
    for tsid in gtids.tsids() {
        for interval in gtids.intervals(tsid) {
            for gno in interval.start..=interval.end {
                let next = format!("SET @@SESSION.GTID_NEXT='{tsid}:{gno}'");
                for sql in [next.as_str(), "BEGIN", "COMMIT"] {
                    pipe.send(sql.as_bytes())?;
                }
            }
        }
    }
    pipe.send(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'")?;
    pipe.drain()?;
    match is_logged {
        true => Ok(()),
        false => pipe.ask(UNLOGGED).map(drop),
    }
}

/// MariaDB keeps the position of a replica apart; it is moved forward only.
fn declare_mariadb(pipe: &mut Pipe, applied: &MariaPosition) -> Result<(), TargetError> {
    let there = pipe.scalar("SELECT @@GLOBAL.gtid_slave_pos")?;
    let mut position = super::facts::position(&there.unwrap_or_default())?;
    let before = position.clone();
    for gtid in applied.iter() {
        let known = position.get(gtid.domain);
        if known.is_none_or(|known| known.sequence < gtid.sequence) {
            position.set(gtid);
        }
    }
    match position == before {
        true => Ok(()),
        false => pipe
            .ask(&format!("SET GLOBAL gtid_slave_pos='{position}'"))
            .map(drop),
    }
}
