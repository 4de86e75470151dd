//! A load that outlives kills of its server: writers that connect again and go on.
//!
//! Rows without a key are among what is written, so that a transaction that is applied twice, or not,
//! shows; the first writer makes, changes and drops tables between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::chance::Chance;
use crate::failure::Result;
use crate::sql::{Client, ClientOptions};
use crate::wait;

/// The database that is written to.
pub const DATABASE: &str = "steady";

const TABLES: [&str; 5] = [
    "CREATE DATABASE steady",
    "CREATE TABLE steady.entries (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, writer INT, \
     note VARCHAR(200), at TIMESTAMP(6) DEFAULT CURRENT_TIMESTAMP(6), KEY (writer))",
    "CREATE TABLE steady.alike (a INT, b VARCHAR(10))",
    "CREATE TABLE steady.totals (id INT PRIMARY KEY, n BIGINT NOT NULL)",
    "INSERT INTO steady.totals VALUES (0, 0), (1, 0), (2, 0), (3, 0)",
];

/// Writers at work.
pub struct SteadyLoad {
    is_over: Arc<AtomicBool>,
    committed: Arc<AtomicU64>,
    writers: Vec<JoinHandle<()>>,
}

impl SteadyLoad {
    /// Makes the tables on the server on `port` and lets `writers` write, as `seed` says.
    ///
    /// # Errors
    /// What the server answered to the tables.
    pub async fn start(port: u16, writers: u64, seed: u64) -> Result<Self> {
        let mut client = Client::connect(&ClientOptions::root(port)).await?;
        client.run(&TABLES).await?;
        Ok(Self::spawn(port, writers, seed, true))
    }

    /// Goes on after [`SteadyLoad::end`] in the same tables, and makes, changes and drops none.
    pub fn go_on_with_rows(port: u16, writers: u64, seed: u64) -> Self {
        Self::spawn(port, writers, seed, false)
    }

    fn spawn(port: u16, writers: u64, seed: u64, defines: bool) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let committed = Arc::new(AtomicU64::new(0));
        let writers = (0..writers)
            .map(|writer| {
                let writer = Writer {
                    port,
                    writer,
                    defines,
                    chance: Chance::seeded(seed ^ (writer + 1) << 32),
                    is_over: Arc::clone(&is_over),
                    committed: Arc::clone(&committed),
                };
                tokio::spawn(writer.write())
            })
            .collect();
        Self {
            is_over,
            committed,
            writers,
        }
    }

    /// Ends it. How many transactions were acknowledged.
    ///
    /// # Errors
    /// When a writer ended by a panic.
    pub async fn end(self) -> Result<u64> {
        self.is_over.store(true, Ordering::Relaxed);
        for writer in self.writers {
            writer.await?;
        }
        Ok(self.committed.load(Ordering::Relaxed))
    }
}

struct Writer {
    port: u16,
    writer: u64,
    /// Whether the first writer makes, changes and drops tables.
    defines: bool,
    chance: Chance,
    is_over: Arc<AtomicBool>,
    committed: Arc<AtomicU64>,
}

impl Writer {
    async fn write(mut self) {
        let mut turn = 0;
        while !self.is_over.load(Ordering::Relaxed) {
            let Ok(mut client) = Client::connect(&ClientOptions::root(self.port)).await else {
                wait::let_run(Duration::from_millis(20)).await;
                continue;
            };
            while !self.is_over.load(Ordering::Relaxed) {
                turn += 1;
                // A deadlock, or a server that was killed: what became of it, the server knows.
                if client.run(&self.transaction(turn)).await.is_err() {
                    break;
                }
                self.committed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn transaction(&mut self, turn: u64) -> Vec<String> {
        let (writer, chance) = (self.writer, &mut self.chance);
        let (total, same) = (chance.below(4), chance.below(3));
        let alike = format!("INSERT INTO steady.alike VALUES ({same}, 'x')");
        if self.defines && writer == 0 && turn.is_multiple_of(10) {
            let table = format!("steady.passing_{}", turn % 40);
            return vec![
                format!("DROP TABLE IF EXISTS {table}"),
                format!("CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(20))"),
                format!("INSERT INTO {table} VALUES ({turn}, 'one')"),
                format!("ALTER TABLE {table} ADD COLUMN more INT DEFAULT 7, ADD KEY (v)"),
                format!("UPDATE {table} SET v = 'two'"),
                format!("CREATE TABLE IF NOT EXISTS {table}_copy AS SELECT * FROM {table}"),
                format!("DROP TABLE {table}_copy"),
                alike,
            ];
        }
        match chance.below(4) {
            // It commits by itself.
            0 => vec![alike],
            1 => vec![
                "BEGIN".to_owned(),
                format!("UPDATE steady.alike SET b = 'y' WHERE a = {same} LIMIT 2"),
                format!("DELETE FROM steady.alike WHERE a = {same} ORDER BY b LIMIT 1"),
                "COMMIT".to_owned(),
            ],
            _ => vec![
                "BEGIN".to_owned(),
                format!("INSERT INTO steady.entries (writer, note) VALUES ({writer}, 'n{turn}')"),
                alike,
                format!("UPDATE steady.totals SET n = n + 1 WHERE id = {total}"),
                format!(
                    "DELETE FROM steady.entries WHERE writer = {writer} ORDER BY id LIMIT {same}"
                ),
                "COMMIT".to_owned(),
            ],
        }
    }
}
