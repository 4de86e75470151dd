//! Power losses: whatever was acknowledged is there, and the engine is a full replay of the log.
//!
//! The log lies on the simulated disk. The engine's file after a power loss is one that it was at
//! some earlier moment, which is what SQLite promises; the test keeps copies of such moments.

use std::path::Path;

use binlog::log::{CrashKind, SimStorage};
use server::feed::GtidState as _;

use super::*;

/// Splitmix64; the choices of the test.
struct Choices(u64);

impl Choices {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n
    }
}

/// What clients were told.
#[derive(Default)]
struct Told {
    /// Ids whose insertion was acknowledged.
    inserted: Vec<i64>,
    next_id: i64,
}

/// A life of the node, up to the crash of its disk.
async fn live(
    primary: &Primary,
    choices: &mut Choices,
    told: &mut Told,
    engine: &Path,
    copy: &Path,
) {
    let mut client = Client::new(primary, 2);
    for _ in 0..choices.below(25) {
        told.next_id += 1;
        let id = told.next_id;
        let insert = format!("INSERT INTO t VALUES ({id}, {}, 'row')", id % 7);
        let result = match choices.below(8) {
            0 => {
                client.begin();
                let first = client.run(&insert).await;
                let second = client
                    .run(&format!("UPDATE t SET v = v + 1 WHERE id % 3 = {}", id % 3))
                    .await;
                let both = first.and(second);
                match choices.below(3) {
                    0 => client
                        .rollback()
                        .await
                        .and(Err(SqlError::query_interrupted())),
                    _ => client.commit().await.and(both.map(drop)),
                }
            }
            1 => client
                .run("DELETE FROM t WHERE id < 0")
                .await
                .and(client.run(&insert).await)
                .map(drop),
            2 => primary_flush(primary)
                .await
                .and(client.run(&insert).await.map(drop)),
            3 => {
                let add = format!("CREATE TABLE d.x{id} (id INT PRIMARY KEY)");
                client
                    .run(&add)
                    .await
                    .and(client.run(&insert).await)
                    .map(drop)
            }
            _ => client.run(&insert).await.map(drop),
        };
        if result.is_ok() {
            told.inserted.push(id);
        }
        if choices.below(6) == 0 {
            copy_engine(engine, copy);
        }
    }
}

async fn primary_flush(primary: &Primary) -> Result<(), SqlError> {
    use server::role::Role as _;
    primary.flush_binary_logs().await
}

/// Everything in the engine that the log determines.
fn contents(primary: &Primary) -> String {
    let rows = query(primary, "SELECT * FROM t ORDER BY id").rows;
    let tables: Vec<String> = primary
        .database()
        .catalog()
        .tables()
        .map(|table| table.name.clone())
        .collect();
    format!("{tables:?} {rows:?} {}", primary.state().executed())
}

fn power_loss_chain(seed: u64) {
    let mut choices = Choices(seed);
    let engine = tempfile::tempdir().unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut storage = SimStorage::new(seed);
    let mut told = Told::default();
    {
        let primary = open(engine.path(), &storage, &["--max-binlog-size=4096"]).unwrap();
        block_on(create_table(&primary));
        primary.stop();
    }
    copy_engine(engine.path(), copy.path());
    for life in 0..3 {
        storage.set_short_writes(choices.below(2) == 0);
        storage.stop_after(choices.below(120));
        if let Ok(primary) = open(engine.path(), &storage, &["--max-binlog-size=4096"]) {
            block_on(live(
                &primary,
                &mut choices,
                &mut told,
                engine.path(),
                copy.path(),
            ));
            primary.stop();
        }
        let kind = if choices.below(4) == 0 {
            CrashKind::Process
        } else {
            // The engine falls back to some earlier moment, the log keeps what was synced.
            if choices.below(3) > 0 {
                copy_engine(copy.path(), engine.path());
            }
            CrashKind::Power
        };
        storage = storage.crash(kind, choices.below(u64::MAX));
        let primary = open(engine.path(), &storage, &["--max-binlog-size=4096"])
            .unwrap_or_else(|error| panic!("seed {seed} life {life}: {error}"));
        let found = integers(&primary, "SELECT id FROM t ORDER BY id");
        for id in &told.inserted {
            assert!(
                found.contains(id),
                "seed {seed} life {life}: {id} was acknowledged"
            );
        }
        let here = contents(&primary);
        primary.stop();
        let rebuilt = tempfile::tempdir().unwrap();
        let replica = storage.crash(CrashKind::Process, 0);
        storage = storage.crash(CrashKind::Process, 0);
        let replayed = open(rebuilt.path(), &replica, &["--max-binlog-size=4096"]).unwrap();
        assert_eq!(contents(&replayed), here, "seed {seed} life {life}");
        replayed.stop();
        copy_engine(engine.path(), copy.path());
    }
}

#[test]
fn two_hundred_power_losses_lose_nothing_that_was_acknowledged() {
    for seed in 0..100 {
        power_loss_chain(seed);
    }
}

/// Lives with a log that is synced now and then, or never: a power loss may cost acknowledged
/// transactions, the youngest ones, and never the node.
fn relaxed_chain(seed: u64) {
    let mut choices = Choices(seed);
    let engine = tempfile::tempdir().unwrap();
    let before = tempfile::tempdir().unwrap();
    let options = [
        "--max-binlog-size=4096",
        if seed.is_multiple_of(2) {
            "--sync-binlog=0"
        } else {
            "--sync-binlog=5"
        },
    ];
    let mut storage = SimStorage::new(seed);
    let mut told = Told::default();
    {
        let primary = open(engine.path(), &storage, &options).unwrap();
        block_on(create_table(&primary));
        primary.stop();
    }
    for life in 0..3 {
        storage.stop_after(choices.below(150));
        if let Ok(primary) = open(engine.path(), &storage, &options) {
            let copy = before.path();
            block_on(live(&primary, &mut choices, &mut told, engine.path(), copy));
            if choices.below(2) == 0 {
                let log = Arc::clone(primary.feed().storage());
                let durability = crate::pipeline::Durability::Never;
                let (database, state) = (primary.database(), primary.state());
                // It fails when the disk has stopped, and must then have moved nothing.
                let _ = crate::checkpoint::checkpoint(database, state, &log, durability);
            }
            primary.stop();
        }
        // The engine's pages have all come to the disk; the log keeps what was synced.
        storage = storage.crash(CrashKind::Power, choices.below(u64::MAX));
        let primary = open(engine.path(), &storage, &options)
            .unwrap_or_else(|error| panic!("seed {seed} life {life}: {error}"));
        let here = contents(&primary);
        primary.stop();
        let rebuilt = tempfile::tempdir().unwrap();
        let replica = storage.crash(CrashKind::Process, 0);
        storage = storage.crash(CrashKind::Process, 0);
        let replayed = open(rebuilt.path(), &replica, &options).unwrap();
        assert_eq!(contents(&replayed), here, "seed {seed} life {life}");
        replayed.stop();
    }
}

#[test]
fn a_power_loss_without_syncs_costs_the_tail_and_never_the_node() {
    for seed in 0..60 {
        relaxed_chain(seed);
    }
}
