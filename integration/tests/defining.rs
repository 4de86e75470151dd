//! Definitions in lockstep: the same generated DDL on Weir and on MySQL 9.7 is accepted by both or
//! refused by both with the same error, tables look the same afterwards, and a MySQL 9.7 replica takes
//! all that Weir logs.
//!
//! What Weir refuses by name with error 1235 ends its table's story; it is counted and shown.
//! `WEIR_DEFINITIONS` sets how many statements, `WEIR_SEED` which.

#[path = "defining/columns.rs"]
mod columns;
#[path = "defining/statements.rs"]
mod statements;

use std::collections::BTreeMap;

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::real_replica::{Start, binlog_end, create_account};
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

use columns::{Known, Maker, quoted};
use statements::Subject;

/// Statements of a run in CI.
const STATEMENTS: u64 = 400;
/// The seed of a run in CI.
const SEED: u64 = 20_260_417;
/// Most statements about one table.
const STORY: u64 = 9;
/// Errors of values that a new type cannot hold: which one is told is a matter of conversions.
const OF_VALUES: [u16; 8] = [1062, 1264, 1265, 1292, 1366, 3140, 3156, 6136];
/// The databases in use.
const DATABASES: [&str; 2] = ["defining", "side"];

/// The two servers and what was found so far.
struct Lockstep {
    weir: Client,
    mysql: Client,
    wrong: Vec<String>,
    refused: BTreeMap<String, u64>,
    accepted: u64,
}

/// What became of a statement.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Accepted,
    Refused,
    /// The two servers are no longer in the same state.
    Apart,
}

impl Lockstep {
    /// Runs a statement on both.
    async fn run(&mut self, statement: &str) -> Result<End> {
        let on_mysql = self.mysql.attempt(statement).await?;
        let on_weir = self.weir.attempt(statement).await?;
        let shown: String = statement.chars().take(700).collect();
        Ok(match (on_weir, on_mysql) {
            (Ok(_), Ok(_)) => {
                self.accepted += 1;
                End::Accepted
            }
            // Of a statement with several faults either server may name another one.
            (Err(_), Err(_)) if statement.contains(", ") && statement.starts_with("ALTER") => {
                End::Refused
            }
            (Err(weir), Err(mysql))
                if OF_VALUES.contains(&weir.code) && OF_VALUES.contains(&mysql.code) =>
            {
                End::Refused
            }
            // NULL in a primary key is found early by one and late by the other.
            (Err(weir), Err(mysql)) if [weir.code, mysql.code].contains(&1171) => End::Refused,
            (Err(weir), Err(mysql)) if weir.code == mysql.code => {
                // What is near a syntax error is each parser's own affair.
                if weir.message != mysql.message && weir.code != 1064 {
                    self.wrong.push(format!(
                        "{shown}\n  MySQL: {}\n  Weir:  {}",
                        mysql.message, weir.message
                    ));
                }
                End::Refused
            }
            (Err(weir), mysql) if weir.code == 1235 => {
                *self.refused.entry(weir.message).or_default() += 1;
                if mysql.is_ok() {
                    End::Apart
                } else {
                    End::Refused
                }
            }
            (weir, mysql) => {
                let apart = weir.is_ok() != mysql.is_ok();
                let text = |result: std::result::Result<u64, integration::sql::ServerError>| {
                    result.map_or_else(
                        |error| format!("error {}: {}", error.code, error.message),
                        |rows| format!("OK, {rows} rows"),
                    )
                };
                self.wrong.push(format!(
                    "{shown}\n  MySQL: {}\n  Weir:  {}",
                    text(mysql),
                    text(weir)
                ));
                if apart { End::Apart } else { End::Refused }
            }
        })
    }

    /// Compares the table's definition and rows.
    async fn compare(&mut self, table: &str, after: &str) -> Result {
        let query = format!("SHOW CREATE TABLE {}", quoted(table));
        let on_mysql = self.mysql.rows(&query).await?;
        let on_weir = self.weir.rows(&query).await?;
        let query = format!("SELECT * FROM {}", quoted(table));
        let mut rows_on_mysql = self.mysql.rows(&query).await?;
        let mut rows_on_weir = self.weir.rows(&query).await?;
        rows_on_mysql.sort();
        rows_on_weir.sort();
        let after: String = after.chars().take(400).collect();
        if on_mysql != on_weir {
            self.wrong.push(format!(
                "{after}\n  MySQL: {on_mysql:?}\n  Weir:  {on_weir:?}"
            ));
        }
        if rows_on_mysql != rows_on_weir {
            self.wrong.push(format!(
                "rows after {after}\n  MySQL: {rows_on_mysql:?}\n  Weir:  {rows_on_weir:?}"
            ));
        }
        Ok(())
    }

    /// What MySQL knows of a table.
    async fn subject(&mut self, name: &str, nth: u64) -> Result<Subject> {
        let columns = self
            .mysql
            .rows(&format!("SHOW COLUMNS FROM {}", quoted(name)))
            .await?;
        let keys = self
            .mysql
            .rows(&format!("SHOW KEYS FROM {}", quoted(name)))
            .await?;
        let cell = |row: &[integration::sql::Cell], at: usize| {
            row.get(at).map(ToString::to_string).unwrap_or_default()
        };
        let mut names: Vec<String> = keys.iter().map(|row| cell(row, 2)).collect();
        names.retain(|key| key != "PRIMARY");
        names.dedup();
        Ok(Subject {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|row| Known {
                    name: cell(row, 0),
                    kind: cell(row, 1),
                })
                .collect(),
            keys: names,
            nth,
        })
    }

    /// One table from its creation through a few changes. Returns how many statements that were.
    async fn story(&mut self, maker: &mut Maker, nth: u64) -> Result<u64> {
        let name = format!("t{nth}");
        let create = maker.create_table(&Subject {
            name: name.clone(),
            ..Subject::default()
        });
        let mut count = 1;
        let mut end = self.run(&create).await?;
        let query = format!("SHOW TABLES LIKE '{name}'");
        if end != End::Accepted || self.mysql.rows(&query).await?.is_empty() {
            self.forget(&name).await?;
            return Ok(count);
        }
        self.compare(&name, &create).await?;
        let mut is_filled = false;
        for step in 0..maker.number(2, STORY) {
            let subject = self.subject(&name, step).await?;
            if !is_filled && maker.one_in(2) {
                is_filled = self.fill(&name).await?;
            }
            let change = maker.change(&subject);
            count += 1;
            end = self.run(&change).await?;
            if end == End::Apart {
                break;
            }
            if end == End::Accepted {
                self.compare(&name, &change).await?;
            }
        }
        if end == End::Apart || maker.one_in(3) {
            self.forget(&name).await?;
        }
        Ok(count)
    }

    /// Two rows of defaults; false when the table cannot have them.
    async fn fill(&mut self, name: &str) -> Result<bool> {
        let insert = format!("INSERT IGNORE INTO {} () VALUES (), ()", quoted(name));
        Ok(self.run(&insert).await? == End::Accepted)
    }

    async fn forget(&mut self, name: &str) -> Result {
        let drop = format!("DROP TABLE IF EXISTS {}", quoted(name));
        self.weir.execute(&drop).await?;
        self.mysql.execute(&drop).await?;
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn definitions_get_mysqls_answers_and_a_mysql_replica_takes_them_all() -> Result {
    let mut weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &["--skip-log-bin"]).await?;
    let replica = RealServer::start(Peer::MySql97, 3, &["--read-only=ON"]).await?;
    let mut on_weir = weir.client().await?;
    create_account(&mut on_weir, Peer::MySql97).await?;
    replica.follow(weir.port, &Start::AutoPosition).await?;
    let mut lockstep = Lockstep {
        weir: on_weir,
        mysql: mysql.client().await?,
        wrong: Vec::new(),
        refused: BTreeMap::new(),
        accepted: 0,
    };
    for statement in [
        "SET time_zone = '+00:00', timestamp = 1700000000.123456",
        "CREATE DATABASE defining",
        "CREATE DATABASE side",
        "USE defining",
        "CREATE TABLE taken (a INT)",
    ] {
        lockstep.mysql.execute(statement).await?;
        lockstep.weir.execute(statement).await?;
    }
    let mut maker = Maker::new(Chance::seeded(setting("WEIR_SEED", SEED)));
    let wanted = setting("WEIR_DEFINITIONS", STATEMENTS);
    let (mut count, mut nth) = (0, 0);
    while count < wanted {
        nth += 1;
        count += lockstep.story(&mut maker, nth).await?;
    }
    announce(&format!(
        "{count} statements, {} accepted by both; refused by name: {:#?}",
        lockstep.accepted, lockstep.refused
    ));
    let taken = until_taken(&mut lockstep.weir, &replica).await;
    ensure(lockstep.wrong.is_empty() && taken.is_ok(), || {
        format!(
            "{} of {count} answers differ:\n{}\nthe replica: {taken:?}",
            lockstep.wrong.len(),
            lockstep.wrong.join("\n")
        )
    })?;
    let left = Snapshot::take(&mut lockstep.weir, &DATABASES).await?;
    let right = Snapshot::take(&mut replica.client().await?, &DATABASES).await?;
    ensure_same("weir", &left, "its MySQL replica", &right)?;
    weir.stop()
}

/// Waits until the replica has executed what Weir logged. Fails as soon as it stops, with its reason.
async fn until_taken(weir: &mut Client, replica: &RealServer) -> Result {
    let (file, position) = binlog_end(weir).await?;
    let reached = replica.until_executed(&file, position, PATIENCE).await;
    let Err(failure) = reached else { return Ok(()) };
    let reasons = replica
        .client()
        .await?
        .rows(
            "SELECT LAST_ERROR_MESSAGE FROM \
             performance_schema.replication_applier_status_by_worker \
             WHERE LAST_ERROR_NUMBER > 0",
        )
        .await?;
    Err(failure.during(format!("{reasons:?}")))
}
