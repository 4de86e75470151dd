//! Sessions that write: inserts, updates, deletes, transactions of several statements, and DDL.
//!
//! Every transaction leaves a row `(writer, sequence)` in `demo.ledger` and is counted only when
//! the primary acknowledged it: these rows are what durability is checked by. A transaction whose
//! acknowledgement was lost with the connection may or may not be there; its number is not used
//! again.

mod dice;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::cluster::{Cluster, NodeName, STATEMENT};
use crate::client::{Client, ClientError, Server};
use crate::exit::Failure;
use dice::Dice;

/// Rows of `demo.accounts`, made once and updated for ever.
const ACCOUNTS: u64 = 200;

/// Between two attempts to reach a primary that is down.
const RECONNECT: Duration = Duration::from_millis(20);

const TABLES: &[&str] = &[
    "CREATE DATABASE demo",
    "CREATE TABLE demo.ledger (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     writer INT NOT NULL, sequence BIGINT UNSIGNED NOT NULL, note VARCHAR(80) NOT NULL, \
     amount DECIMAL(12,2) NOT NULL, at DATETIME(6) NOT NULL, \
     UNIQUE KEY writer_sequence (writer, sequence))",
    "CREATE TABLE demo.accounts (id INT NOT NULL PRIMARY KEY, owner VARCHAR(40) NOT NULL, \
     balance DECIMAL(14,2) NOT NULL, changes INT UNSIGNED NOT NULL DEFAULT 0, \
     KEY by_balance (balance))",
    "CREATE TABLE demo.notes (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, \
     body TEXT NOT NULL, colour ENUM('red','green','blue') NOT NULL, ratio DOUBLE NULL, \
     picture BLOB NULL, day DATE NULL, seen TIMESTAMP(3) NULL)",
    "CREATE TABLE demo.probe (id BIGINT UNSIGNED NOT NULL PRIMARY KEY)",
];

/// Makes the tables and their first rows.
pub(super) async fn create_tables(server: &Server) -> Result<(), Failure> {
    let failed = |error| Failure::failed("cannot make the demo's tables", error);
    let mut client = server.connect(STATEMENT).await.map_err(failed)?;
    for statement in TABLES {
        client.query(statement).await.map_err(failed)?;
    }
    let rows: Vec<String> = (1..=ACCOUNTS)
        .map(|id| format!("({id}, 'owner {id}', 1000.00, 0)"))
        .collect();
    let statement = format!("INSERT INTO demo.accounts VALUES {}", rows.join(", "));
    client.query(&statement).await.map_err(failed)?;
    Ok(())
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// `(writer, sequence)` of every acknowledged transaction.
    pub(super) acknowledged: BTreeSet<(u64, u64)>,
    /// Transactions that were rolled back and tried again because of a lock.
    pub(super) retried: u64,
    /// Transactions whose outcome was lost with the connection.
    pub(super) unknown: u64,
}

/// The running writers.
pub(super) struct Workload {
    writers: Vec<JoinHandle<Result<Written, Failure>>>,
    shared: Arc<Shared>,
}

/// What the writers tell while they run.
#[derive(Default)]
struct Shared {
    transactions: AtomicU64,
    /// The first error that is not the fault of a kill; written by a writer, read by the demo.
    problem: Mutex<Option<String>>,
}

impl Workload {
    /// Starts `writers` sessions that write until `stopped`.
    pub(super) fn begin(cluster: &Cluster, writers: u32, stopped: &watch::Receiver<bool>) -> Self {
        let shared = Arc::new(Shared::default());
        let writers = (1..=u64::from(writers))
            .map(|number| {
                let writer = Writer {
                    number,
                    server: cluster.server(NodeName::Primary),
                    stopped: stopped.clone(),
                    shared: Arc::clone(&shared),
                    dice: Dice::new(number),
                    written: Written::default(),
                };
                tokio::spawn(writer.run())
            })
            .collect();
        Self { writers, shared }
    }

    /// Acknowledged transactions so far.
    pub(super) fn transactions(&self) -> u64 {
        self.shared.transactions.load(Ordering::Relaxed)
    }

    /// An error of the server that a kill does not explain.
    pub(super) fn problem(&self) -> Option<String> {
        self.shared
            .problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the writers, which were told to stop.
    pub(super) async fn end(self) -> Result<Written, Failure> {
        let mut all = Written::default();
        for writer in self.writers {
            let written = writer
                .await
                .map_err(|error| Failure::failed("a writer failed", error))??;
            all.acknowledged.extend(written.acknowledged);
            all.retried += written.retried;
            all.unknown += written.unknown;
        }
        Ok(all)
    }
}

struct Writer {
    number: u64,
    server: Server,
    stopped: watch::Receiver<bool>,
    shared: Arc<Shared>,
    dice: Dice,
    written: Written,
}

impl Writer {
    async fn run(mut self) -> Result<Written, Failure> {
        let mut client = None;
        let mut sequence = 0;
        while !*self.stopped.borrow() {
            let connected = match client.as_mut() {
                Some(connected) => connected,
                None => match self.server.connect(STATEMENT).await {
                    Ok(connected) => client.insert(connected),
                    Err(_) => {
                        tokio::time::sleep(RECONNECT).await;
                        continue;
                    }
                },
            };
            sequence += 1;
            let statements = transaction(&mut self.dice, self.number, sequence);
            match execute(connected, &statements).await {
                Ok(()) => {
                    self.written.acknowledged.insert((self.number, sequence));
                    self.shared.transactions.fetch_add(1, Ordering::Relaxed);
                }
                // Lock wait time-out and deadlock: MySQL gives them too, and the client tries again.
                Err(error) if matches!(error.code(), Some(1205 | 1213)) => {
                    self.written.retried += 1;
                    if connected.query("ROLLBACK").await.is_err() {
                        client = None;
                    }
                }
                // The server is going down.
                Err(error) if matches!(error.code(), Some(1053)) => client = None,
                Err(ClientError::Lost(_)) => {
                    self.written.unknown += 1;
                    client = None;
                }
                Err(error) => return Err(self.tell(&statements, &error)),
            }
        }
        Ok(self.written)
    }

    fn tell(&self, statements: &[String], error: &ClientError) -> Failure {
        let problem = format!("the primary refused {}: {error}", statements.join("; "));
        let mut first = self
            .shared
            .problem
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert_with(|| problem.clone());
        Failure::Failed(problem)
    }
}

async fn execute(client: &mut Client, statements: &[String]) -> Result<(), ClientError> {
    for statement in statements {
        client.query(statement).await?;
    }
    Ok(())
}

/// The statements of one transaction, chosen by the dice.
fn transaction(dice: &mut Dice, writer: u64, sequence: u64) -> Vec<String> {
    let ledger = format!(
        "INSERT INTO demo.ledger (writer, sequence, note, amount, at) VALUES \
         ({writer}, {sequence}, 'ünïcode ✓ {}', {}.{:02}, NOW(6))",
        dice.below(1_000_000),
        dice.below(100_000),
        dice.below(100),
    );
    let body = match dice.below(100) {
        0..40 => return vec![ledger],
        40..70 => transfer(dice),
        70..85 => vec![notes(dice)],
        85..97 => vec![
            format!(
                "UPDATE demo.notes SET ratio = ratio / 1.5, colour = 'blue' WHERE id % {} = 0 \
                 ORDER BY id DESC LIMIT 5",
                dice.below(7) + 2
            ),
            "DELETE FROM demo.notes ORDER BY id LIMIT 2".to_owned(),
        ],
        // DDL commits by itself, so the row of the ledger comes last and alone.
        _ => {
            return ddl(dice, writer, sequence)
                .into_iter()
                .chain([ledger])
                .collect();
        }
    };
    let mut statements = vec!["BEGIN".to_owned(), ledger];
    statements.extend(body);
    statements.push("COMMIT".to_owned());
    statements
}

/// Money from one account to another; always the lower one first, so that no deadlock comes of it.
fn transfer(dice: &mut Dice) -> Vec<String> {
    let (one, other) = (dice.below(ACCOUNTS) + 1, dice.below(ACCOUNTS) + 1);
    let cents = dice.below(10_000);
    let change = |id: u64, sign: char| {
        format!(
            "UPDATE demo.accounts SET balance = balance {sign} {}.{:02}, changes = changes + 1 \
             WHERE id = {id}",
            cents / 100,
            cents % 100
        )
    };
    vec![change(one.min(other), '-'), change(one.max(other), '+')]
}

fn notes(dice: &mut Dice) -> String {
    let rows: Vec<String> = (0..3)
        .map(|_| {
            let colour = ["red", "green", "blue"]
                .into_iter()
                .nth(dice.index(3))
                .unwrap_or("red");
            format!(
                "('{}', '{colour}', {}.5, x'{:016x}', '2026-{:02}-{:02}', NOW(3))",
                "lorem ipsum ".repeat(dice.index(20) + 1),
                dice.below(1000),
                dice.next(),
                dice.below(12) + 1,
                dice.below(28) + 1,
            )
        })
        .collect();
    format!(
        "INSERT INTO demo.notes (body, colour, ratio, picture, day, seen) VALUES {}",
        rows.join(", ")
    )
}

/// A table of its own is made, filled, indexed, and most of the time dropped again.
fn ddl(dice: &mut Dice, writer: u64, sequence: u64) -> Vec<String> {
    let table = format!("demo.scratch_{writer}_{sequence}");
    let mut statements = vec![
        format!("CREATE TABLE {table} (id INT NOT NULL PRIMARY KEY, word VARCHAR(20))"),
        format!("INSERT INTO {table} VALUES (1, 'one'), (2, 'two'), (3, NULL)"),
        format!("CREATE INDEX by_word ON {table} (word)"),
    ];
    match dice.below(50) {
        0 => statements.push(format!("TRUNCATE TABLE {table}")),
        1 => {}
        2..5 => {
            statements.push(format!("DROP INDEX by_word ON {table}"));
            statements.push(format!("DROP TABLE {table}"));
        }
        _ => statements.push(format!("DROP TABLE {table}")),
    }
    statements
}

#[cfg(test)]
mod tests {
    use super::{Dice, transaction};

    #[test]
    fn every_transaction_leaves_its_row_in_the_ledger() {
        let mut dice = Dice::new(7);
        for sequence in 0..500 {
            let statements = transaction(&mut dice, 3, sequence);
            let row = format!("VALUES (3, {sequence}, ");
            let ledger = statements.iter().filter(|text| text.contains(&row)).count();
            assert_eq!(ledger, 1, "{statements:?}");
            let begins = statements.iter().filter(|text| *text == "BEGIN").count();
            let commits = statements.iter().filter(|text| *text == "COMMIT").count();
            assert_eq!(begins, commits);
        }
    }
}
