//! `weir replica` follows a real MariaDB 10.11 and 11.8 into the embedded engine: every type and the
//! DDL of MariaDB, compressed, encrypted and minimal logs, several domains, by GTID and by position,
//! through restarts and kills.

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::mariadb::{OWN, create_account, until_executed};
use integration::metrics::metric;
use integration::process::free_port;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

const PEERS: [Peer; 2] = [Peer::MariaDb1011, Peer::MariaDb118];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_of_mariadb_is_stored() -> Result {
    for peer in PEERS {
        every_type(peer, &[], &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_events_and_minimal_images_are_stored_as_well() -> Result {
    let options = [
        "--log-bin-compress=1",
        "--log-bin-compress-min-len=10",
        "--gtid-strict-mode=1",
        "--binlog-row-image=MINIMAL",
    ];
    for peer in PEERS {
        every_type(peer, &options, &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_in_the_log_and_images_without_long_values_will_do() -> Result {
    let position = [
        "source-auto-position=0",
        "source-log-file=binlog.000001",
        "source-log-pos=4",
    ];
    for peer in PEERS {
        every_type(peer, &["--binlog-row-image=NOBLOB"], &position).await?;
    }
    Ok(())
}

async fn every_type(peer: Peer, options: &[&str], lines: &[&str]) -> Result {
    let mut source = RealServer::start(peer, 1, options).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source).await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let mut replica = Weir::following(9, source.port, lines).await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    replica.stop()?;
    let own = OWN.iter().filter(|sql| !sql.contains("versioned"));
    at_source.run(&own.collect::<Vec<_>>()).await?;
    replica.launch().await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    // What has two domains, restarts and a new file goes on in each domain.
    source.stop()?;
    source.launch().await?;
    let mut at_source = source.client().await?;
    at_source
        .execute("INSERT INTO types.numbered (id, v) VALUES (1001, 1)")
        .await?;
    let mut at_replica = replica.client().await?;
    at_replica
        .run(&["STOP REPLICA", "FLUSH RELAY LOGS", "START REPLICA"])
        .await?;
    same(&mut at_source, &replica, &DATABASES).await?;
    replica.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_is_stored_once_through_kills_of_each_side() -> Result {
    for peer in PEERS {
        kills(peer).await?;
    }
    Ok(())
}

async fn kills(peer: Peer) -> Result {
    let mut source = RealServer::start(peer, 1, &[]).await?;
    create_account(&mut source.client().await?).await?;
    let metrics = free_port()?;
    let line = format!("metrics_port={metrics}");
    let mut replica = Weir::following(9, source.port, &[&line]).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
    let each = setting("WEIR_KILLS", 3);
    for _ in 0..each {
        wait::let_run(chance.millis(100, 900)).await;
        replica.kill()?;
        replica.launch().await?;
        wait::let_run(chance.millis(100, 900)).await;
        source.kill()?;
        source.launch().await?;
    }
    let committed = load.end().await?;
    let mut at_source = source.client().await?;
    let tables = same(&mut at_source, &replica, &[steady_load::DATABASE]).await?;
    let skipped = metric(metrics, "weir_transactions_skipped_total").await?;
    ensure(skipped == 0.0, || format!("{skipped} skipped"))?;
    announce(&format!(
        "{}: {each} kills of each of source and replica; {committed} transactions acknowledged, {tables} \
         tables equal, none skipped",
        peer.folder()
    ));
    Ok(())
}

/// Waits until all is executed, and compares. How many tables there are.
async fn same(at_source: &mut Client, replica: &Weir, databases: &[&str]) -> Result<usize> {
    let mut at_replica = replica.client().await?;
    let executed = until_executed(at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let left = Snapshot::take_tables(at_source, databases).await?;
    let right = Snapshot::take(&mut at_replica, databases).await?;
    ensure_same("source", &left, "weir replica", &right)?;
    Ok(left.tables())
}
