//! kill -9 at random moments under load, of the primary and of its replica.
//!
//! After each kill and at the end: every transaction that was acknowledged is there exactly once,
//! whole; the engine equals a full replay of the binlog; the replica equals the primary.
//! `WEIR_KILLS` sets the number of kills of each (200 by hand), `WEIR_SEED` repeats a run.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::sql::ClientOptions;
use integration::wait;
use integration::workload::Scope;
use integration::{Client, Peer, Result, Weir, binlog_tools};

/// Writers at work at the same time, so that commit groups form.
const WRITERS: u64 = 8;

/// Rows of one transaction; fewer than these present means that it was torn.
const ROWS: u64 = 3;

/// What the writers know: numbers that were sent, and numbers whose COMMIT was acknowledged.
#[derive(Default)]
struct Ledger {
    next: AtomicU64,
    acknowledged: Mutex<BTreeSet<u64>>,
    is_over: AtomicBool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_all_copies_agree() -> Result {
    let mut primary = Weir::primary(1, &["sync_binlog=1", "max_binlog_size=1M"]).await?;
    let mut on_primary = primary.client().await?;
    create_account(&mut on_primary, Peer::MySql97).await?;
    on_primary
        .run(&[
            "CREATE DATABASE ledger",
            "CREATE TABLE ledger.entries (tx BIGINT NOT NULL, part INT NOT NULL, \
             note VARCHAR(200), PRIMARY KEY (tx, part))",
            "CREATE TABLE ledger.totals (id INT PRIMARY KEY, n BIGINT NOT NULL)",
            "INSERT INTO ledger.totals VALUES (1, 0), (2, 0), (3, 0), (4, 0)",
        ])
        .await?;
    drop(on_primary);
    let lines = replica_of(&primary);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut replica = Weir::replica(2, &lines).await?;

    let ledger = Arc::new(Ledger::default());
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| tokio::spawn(write(primary.port, writer, Arc::clone(&ledger))))
        .collect();
    let kills = setting("WEIR_KILLS", 6);
    let mut chance = Chance::from_environment();
    for round in 0..kills {
        wait::let_run(chance.millis(20, 600)).await;
        primary.kill()?;
        if chance.below(2) == 0 {
            wait::let_run(chance.millis(1, 200)).await;
        }
        primary.launch().await?;
        wait::let_run(chance.millis(20, 600)).await;
        replica.kill()?;
        replica.launch().await?;
        let known = acknowledged(&ledger);
        verify_acknowledged(&mut primary.client().await?, &known)
            .await
            .map_err(|failure| primary.explain(failure.during(format!("after kill {round}"))))?;
    }
    ledger.is_over.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await?;
    }
    let known = acknowledged(&ledger);
    announce(&format!(
        "{kills} kills each, {} transactions acknowledged",
        known.len()
    ));
    assert!(known.len() as u64 > kills, "the load made progress");
    verify_end(primary, replica, &lines, &known).await
}

async fn verify_end(
    mut primary: Weir,
    replica: Weir,
    lines: &[&str],
    known: &BTreeSet<u64>,
) -> Result {
    let mut on_primary = primary.client().await?;
    verify_acknowledged(&mut on_primary, known).await?;
    let engine = Snapshot::take(&mut on_primary, &["ledger"]).await?;
    // A replica that starts with nothing applies every event of every file.
    let replay = Weir::replica(3, lines).await?;
    let limit = Duration::from_secs(300);
    for (name, node) in [
        ("the replica", &replica),
        ("a full replay of the log", &replay),
    ] {
        let mut client = node.client().await?;
        until_gtids_executed(&mut on_primary, &mut client, limit)
            .await
            .map_err(|failure| node.explain(failure.during(name)))?;
        let seen = Snapshot::take(&mut client, &["ledger"]).await?;
        ensure_same("the primary's engine", &engine, name, &seen)?;
    }
    let binlogs = primary.binlogs()?;
    primary.stop()?;
    binlog_tools::read_by_all_peers(&binlogs, Scope::WithMariaDb)
}

/// One client: transactions of several statements, autocommit statements, and reconnects.
async fn write(port: u16, writer: u64, ledger: Arc<Ledger>) {
    while !ledger.is_over.load(Ordering::Relaxed) {
        let Ok(mut client) = Client::connect(&ClientOptions::root(port)).await else {
            wait::let_run(Duration::from_millis(20)).await;
            continue;
        };
        while !ledger.is_over.load(Ordering::Relaxed) {
            let tx = ledger.next.fetch_add(1, Ordering::Relaxed);
            if transaction(&mut client, writer, tx).await.is_err() {
                break;
            }
            ledger
                .acknowledged
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(tx);
        }
    }
}

async fn transaction(client: &mut Client, writer: u64, tx: u64) -> Result {
    let note = "x".repeat(usize::try_from(tx % 190)?);
    if tx.is_multiple_of(2) {
        // One statement, all parts: autocommit.
        let parts: Vec<String> = (0..ROWS)
            .map(|part| format!("({tx}, {part}, '{note}')"))
            .collect();
        let insert = format!("INSERT INTO ledger.entries VALUES {}", parts.join(", "));
        client.execute(&insert).await?;
        return Ok(());
    }
    client.execute("BEGIN").await?;
    for part in 0..ROWS {
        let insert = format!("INSERT INTO ledger.entries VALUES ({tx}, {part}, '{note}')");
        client.execute(&insert).await?;
    }
    let total = format!(
        "UPDATE ledger.totals SET n = n + 1 WHERE id = {}",
        writer % 4 + 1
    );
    client.execute(&total).await?;
    client.execute("COMMIT").await?;
    Ok(())
}

/// Every acknowledged transaction is there, no transaction is there in part, and the totals count
/// exactly the transactions that are there.
async fn verify_acknowledged(client: &mut Client, known: &BTreeSet<u64>) -> Result {
    client.execute("BEGIN").await?;
    let rows = client
        .rows("SELECT tx, COUNT(*) FROM ledger.entries GROUP BY tx")
        .await?;
    let total = client
        .value("SELECT SUM(n) FROM ledger.totals")
        .await?
        .to_string();
    client.execute("ROLLBACK").await?;
    let mut present = BTreeSet::new();
    for row in &rows {
        if let [tx, count] = row.as_slice() {
            ensure(count.to_string() == ROWS.to_string(), || {
                format!("transaction {tx} is torn")
            })?;
            present.insert(tx.to_string().parse::<u64>()?);
        }
    }
    let lost: Vec<&u64> = known.difference(&present).take(10).collect();
    ensure(lost.is_empty(), || {
        format!("acknowledged and lost: {lost:?}")
    })?;
    let counted = present.iter().filter(|tx| !tx.is_multiple_of(2)).count();
    ensure(total == counted.to_string(), || {
        format!("{counted} counted transactions, sum {total}")
    })
}

fn acknowledged(ledger: &Ledger) -> BTreeSet<u64> {
    ledger
        .acknowledged
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
}

fn replica_of(primary: &Weir) -> Vec<String> {
    vec![
        "source-host=127.0.0.1".to_owned(),
        format!("source-port={}", primary.port),
        format!("source-user={REPLICATION_USER}"),
        format!("source-password={REPLICATION_PASSWORD}"),
        "source-auto-position=1".to_owned(),
        "source-connect-retry=1".to_owned(),
    ]
}
