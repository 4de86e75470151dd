//! Definitions in lockstep: the same generated DDL on Weir and on MySQL 9.7 is accepted by both or
//! refused by both with the same error, tables look the same afterwards, and a MySQL 9.7 replica takes
//! all that Weir logs.
//!
//! First come statements that were thought of one by one (`defining/by_hand.sql`), then generated ones.
//! What Weir refuses by name with error 1235 ends its table's story; it is counted and shown. Every other
//! difference must be one of those in `defining/excuses.rs`. `WEIR_DEFINITIONS` sets how many
//! statements are generated, `WEIR_SEED` which.

#[path = "defining/columns.rs"]
mod columns;
#[path = "defining/excuses.rs"]
mod excuses;
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
use excuses::{Difference, Excuses, What};
use statements::Subject;

/// Statements of a run in CI.
const STATEMENTS: u64 = 400;
/// The seed of a run in CI.
const SEED: u64 = 20_260_417;
/// Most statements about one table.
const STORY: u64 = 9;
/// Statements thought of one by one.
const BY_HAND: &str = include_str!("defining/by_hand.sql");
/// The databases in use.
const DATABASES: [&str; 2] = ["defining", "side"];

/// The two servers and what was found so far.
struct Lockstep {
    weir: Client,
    mysql: Client,
    excuses: Excuses,
    wrong: Vec<String>,
    /// What was run since the last table was begun.
    story: Vec<String>,
    refused: BTreeMap<String, u64>,
    accepted: u64,
    /// Refused by both with the same words.
    alike: u64,
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
        self.story.push(statement.chars().take(700).collect());
        let on_mysql = self.mysql.attempt(statement).await?;
        let on_weir = self.weir.attempt(statement).await?;
        let is_apart = on_weir.is_ok() != on_mysql.is_ok();
        let what = match (&on_weir, &on_mysql) {
            (Ok(_), Ok(_)) => {
                self.accepted += 1;
                return Ok(End::Accepted);
            }
            (Err(weir), _) if weir.code == 1235 => {
                *self.refused.entry(weir.message.clone()).or_default() += 1;
                return Ok(if is_apart { End::Apart } else { End::Refused });
            }
            // What is near a syntax error is each parser's own affair.
            (Err(weir), Err(mysql))
                if weir.code == mysql.code
                    && (weir.message == mysql.message || weir.code == 1064) =>
            {
                self.alike += 1;
                return Ok(End::Refused);
            }
            (Err(weir), Err(mysql)) if weir.code == mysql.code => {
                Some(What::Words { code: weir.code })
            }
            (Err(weir), Err(mysql)) => Some(What::Numbers {
                mysql: mysql.code,
                weir: weir.code,
            }),
            (Err(weir), Ok(_)) => Some(What::OnlyWeir { code: weir.code }),
            (Ok(_), Err(_)) => None,
        };
        let is_excused =
            what.is_some_and(|what| self.excuses.cover(&Difference { statement, what }));
        if !is_excused {
            let text =
                |result: &std::result::Result<u64, integration::sql::ServerError>| match result {
                    Ok(rows) => format!("OK, {rows} rows"),
                    Err(error) => format!("error {}: {}", error.code, error.message),
                };
            self.wrong.push(format!(
                "{}\n  MySQL: {}\n  Weir:  {}",
                statement.chars().take(700).collect::<String>(),
                text(&on_mysql),
                text(&on_weir)
            ));
        }
        Ok(if is_apart { End::Apart } else { End::Refused })
    }

    /// Runs the statements that were thought of one by one.
    async fn by_hand(&mut self) -> Result<u64> {
        let mut count = 0;
        for statement in BY_HAND.split(";\n") {
            let lines = statement.lines().filter(|line| !line.starts_with("-- "));
            let statement = lines.collect::<Vec<_>>().join("\n");
            if statement == "RESET" {
                self.compare_all().await?;
                self.begin_anew().await?;
            } else if !statement.is_empty() {
                count += 1;
                self.run(&statement).await?;
            }
        }
        self.compare_all().await?;
        self.begin_anew().await?;
        Ok(count)
    }

    /// Empty databases on both.
    async fn begin_anew(&mut self) -> Result {
        self.story.clear();
        for database in DATABASES {
            for statement in [
                format!("DROP DATABASE IF EXISTS {database}"),
                format!("CREATE DATABASE {database}"),
            ] {
                self.mysql.execute(&statement).await?;
                self.weir.execute(&statement).await?;
            }
        }
        for statement in ["USE defining", "CREATE TABLE taken (a INT)"] {
            self.mysql.execute(statement).await?;
            self.weir.execute(statement).await?;
        }
        Ok(())
    }

    /// Compares the tables that both have.
    async fn compare_all(&mut self) -> Result {
        let names = |rows: Vec<Vec<integration::sql::Cell>>| -> Vec<String> {
            let first = |row: &Vec<integration::sql::Cell>| row.first().map(ToString::to_string);
            rows.iter().filter_map(first).collect()
        };
        let on_mysql = names(self.mysql.rows("SHOW TABLES FROM defining").await?);
        let on_weir = names(self.weir.rows("SHOW TABLES FROM defining").await?);
        for table in on_weir.iter().filter(|table| on_mysql.contains(table)) {
            self.compare(table, table).await?;
        }
        Ok(())
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
            let (mysql, weir) = (shown(&on_mysql), shown(&on_weir));
            let what = What::Definition {
                mysql: &mysql,
                weir: &weir,
            };
            let statement = after.as_str();
            if !self.excuses.cover(&Difference { statement, what }) {
                self.wrong
                    .push(format!("{after}\n  MySQL: {mysql}\n  Weir:  {weir}"));
            }
        }
        if rows_on_mysql != rows_on_weir {
            self.wrong.push(format!(
                "rows after {after}\n  MySQL: {rows_on_mysql:?}\n  Weir:  {rows_on_weir:?}\n  \
                 since {:#?}",
                self.story
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
        self.story.clear();
        for statement in maker.session() {
            self.run(&statement).await?;
        }
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

/// Rows of text, in which bytes that are no UTF-8 stand by themselves.
fn shown(rows: &[Vec<integration::sql::Cell>]) -> String {
    let text = |cell: &integration::sql::Cell| match cell {
        integration::sql::Cell::Null => "NULL".to_owned(),
        integration::sql::Cell::Bytes(bytes) => bytes
            .utf8_chunks()
            .map(|chunk| format!("{}{}", chunk.valid(), chunk.invalid().escape_ascii()))
            .collect(),
    };
    let cells = |row: &Vec<integration::sql::Cell>| row.iter().map(text).collect::<Vec<_>>();
    rows.iter().map(|row| cells(row).join(", ")).collect()
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
        excuses: Excuses::new(),
        wrong: Vec::new(),
        story: Vec::new(),
        refused: BTreeMap::new(),
        accepted: 0,
        alike: 0,
    };
    let clock = "SET time_zone = '+00:00', timestamp = 1700000000.123456";
    lockstep.mysql.execute(clock).await?;
    lockstep.weir.execute(clock).await?;
    lockstep.begin_anew().await?;
    let by_hand = lockstep.by_hand().await?;
    let mut maker = Maker::new(Chance::seeded(setting("WEIR_SEED", SEED)));
    let wanted = setting("WEIR_DEFINITIONS", STATEMENTS);
    let (mut count, mut nth) = (0, 0);
    while count < wanted {
        nth += 1;
        count += lockstep.story(&mut maker, nth).await?;
    }
    announce(&format!(
        "{by_hand} statements by hand and {count} generated: {} accepted by both, {} refused alike, \
         {} differ; excused: {:#?}; refused by name: {:#?}",
        lockstep.accepted,
        lockstep.alike,
        lockstep.wrong.len(),
        lockstep.excuses.used(),
        lockstep.refused
    ));
    let taken = until_taken(&mut lockstep.weir, &replica).await;
    ensure(lockstep.wrong.is_empty() && taken.is_ok(), || {
        format!(
            "{} of {count} answers differ:\n{}\nthe replica: {taken:?}",
            lockstep.wrong.len(),
            lockstep.wrong.join("\n")
        )
    })?;
    let is_default = wanted == STATEMENTS && setting("WEIR_SEED", SEED) == SEED;
    let unused = lockstep.excuses.unused();
    ensure(!is_default || unused.is_empty(), || {
        format!("excuses that nothing needs: {unused:#?}")
    })?;
    // The last story may have left another character set.
    lockstep.weir.execute("SET NAMES utf8mb4").await?;
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
