//! `weir replica` into a Galera cluster: whichever of its nodes dies, each transaction once, on all of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use integration::chance::{Chance, announce, setting};
use integration::compare::{
    Snapshot, ensure_same, replica_status, until_gtids_executed, until_same, until_status,
};
use integration::failure::ensure;
use integration::real_replica::create_account;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::{Client, Failure, Galera, Peer, RealServer, Result, Weir, mariadb};
use tokio::task::JoinHandle;

const DATABASES: [&str; 1] = [steady_load::DATABASE];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_was_killed_comes_back_with_what_it_missed() -> Result {
    let mut cluster = Galera::start(3, &[]).await?;
    let mut first = cluster.client(0).await?;
    let table = "CREATE TABLE kept.a (id INT PRIMARY KEY, v INT) ENGINE=InnoDB";
    let row = "INSERT INTO kept.a VALUES (1, 1)";
    first.run(&["CREATE DATABASE kept", table, row]).await?;
    cluster.node(1)?.kill()?;
    cluster.until_missed(1).await?;
    first.execute("UPDATE kept.a SET v = 2").await?;
    cluster.rejoin(1).await?;
    cluster.until_level().await?;
    let left = Snapshot::take(&mut first, &["kept"]).await?;
    let right = Snapshot::take(&mut cluster.client(1).await?, &["kept"]).await?;
    ensure_same("node 0", &left, "node 1", &right)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_of_mysql_arrives_on_every_node_through_kills_and_conflicts() -> Result {
    a_load_arrives(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_of_mariadb_arrives_on_every_node_through_kills_and_conflicts() -> Result {
    a_load_arrives(Peer::MariaDb1011).await
}

async fn a_load_arrives(peer: Peer) -> Result {
    let source = RealServer::start(peer, 1, &[]).await?;
    let mut at_source = source.client().await?;
    account(&mut at_source, peer).await?;
    let mut cluster = Galera::start(3, &[]).await?;
    let mut replica = following(&source, &cluster.hosts_from(0)).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 2, chance.below(u64::MAX)).await?;
    let killed = kill(&mut cluster, &mut replica, &mut chance).await;
    let committed = load.end().await?;
    let explain = |failure| cluster.explain(replica.explain(failure));
    let conflicts = killed.map_err(explain)?;
    let mut at_replica = replica.client().await?;
    let arrived = match peer.is_mariadb() {
        true => mariadb::until_executed(&mut at_source, &mut at_replica, PATIENCE)
            .await
            .map(drop),
        false => until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await,
    };
    arrived.map_err(explain)?;
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    ensure(left.rows() > 100, || "too few rows".to_owned())?;
    cluster.until_level().await?;
    for number in 0..cluster.nodes.len() {
        let right = Snapshot::take(&mut cluster.client(number).await?, &DATABASES).await?;
        let name = format!("node {number}");
        ensure_same("source", &left, &name, &right).map_err(|failure| replica.explain(failure))?;
    }
    announce(&format!(
        "{} into a cluster: nodes killed while they were applied to, and the replica, {conflicts} \
         transactions lost to writers of another node and applied again; {committed} transactions \
         acknowledged, {} rows, equal on all nodes",
        peer.folder(),
        left.rows()
    ));
    replica.stop()
}

/// Kills the node that is applied to, and the replica, again and again, and lets it come back; with a writer on
/// another node in between. How many of the replica's transactions that writer undid.
async fn kill(cluster: &mut Galera, replica: &mut Weir, chance: &mut Chance) -> Result<u64> {
    let mut conflicts = 0;
    for _ in 0..setting("WEIR_KILLS", 1) {
        until_applied_further(cluster).await?;
        let used = used(cluster).await?;
        let other = (used + 1) % cluster.nodes.len();
        conflicts += until_conflict(cluster, used, other).await?;
        wait::let_run(chance.millis(50, 400)).await;
        cluster.node(used)?.kill()?;
        if chance.below(2) == 0 {
            replica.kill()?;
            replica.launch().await?;
        }
        cluster.until_missed(used).await?;
        until_applied_further(cluster).await?;
        replica.kill()?;
        replica.launch().await?;
        cluster.rejoin(used).await?;
    }
    Ok(conflicts)
}

/// Waits until the cluster has more transactions of the source than it has now.
async fn until_applied_further(cluster: &Galera) -> Result {
    let before = applied(cluster).await?;
    wait::until("the cluster is applied to", PATIENCE, || async {
        let now = applied(cluster).await?;
        Ok(match now.is_empty() || now == before {
            true => Err(now),
            false => Ok(()),
        })
    })
    .await
}

/// What the row of the truth says, on the first node that answers.
async fn applied(cluster: &Galera) -> Result<String> {
    for number in 0..cluster.nodes.len() {
        let Ok(mut client) = cluster.client(number).await else {
            continue;
        };
        let sql = "SELECT CONCAT(mysql_executed, mariadb_executed) FROM weir.applied";
        if let Ok(Ok(_)) = client.attempt(sql).await {
            return Ok(client.value(sql).await?.to_string());
        }
    }
    Ok(String::new())
}

/// The node that the replica's session is on: it has the lock.
async fn used(cluster: &Galera) -> Result<usize> {
    wait::until("a node is used", PATIENCE, || async {
        for number in 0..cluster.nodes.len() {
            let Ok(mut client) = cluster.client(number).await else {
                continue;
            };
            let locked = client
                .value("SELECT IS_USED_LOCK('weir.applied:') IS NOT NULL")
                .await?;
            if locked.to_string() == "1" {
                return Ok(Ok(number));
            }
        }
        Ok(Err("none".to_owned()))
    })
    .await
}

/// Writes on one node, in transactions that leave things as they were, until another one has had to undo
/// transactions that were under way there. How many.
async fn until_conflict(cluster: &Galera, used: usize, other: usize) -> Result<u64> {
    let mut at_used = cluster.client(used).await?;
    let before = undone(&mut at_used).await?;
    let writer = Disturbance::begin(cluster.client(other).await?);
    let began = Instant::now();
    let mut now = before;
    while now == before && began.elapsed() < PATIENCE {
        wait::let_run(Duration::from_millis(20)).await;
        now = undone(&mut at_used).await?;
    }
    writer.end().await?;
    ensure(now > before, || "no transaction was undone".to_owned())?;
    Ok(now - before)
}

/// Transactions of a node that gave way to those of others, by the node's own count.
async fn undone(client: &mut Client) -> Result<u64> {
    let mut all = 0;
    for name in ["wsrep_local_bf_aborts", "wsrep_local_cert_failures"] {
        let sql = format!("SHOW GLOBAL STATUS LIKE '{name}'");
        let count = client.column(&sql, "Value").await?.unwrap_or_default();
        let count: u64 = count
            .parse()
            .map_err(|_| Failure::new(format!("{name}={count}")))?;
        all += count;
    }
    Ok(all)
}

/// A writer whose transactions touch rows of the load and leave them as they were.
struct Disturbance {
    is_over: Arc<AtomicBool>,
    writer: JoinHandle<()>,
}

impl Disturbance {
    fn begin(mut client: Client) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&is_over);
        let turn = AtomicU64::new(0);
        let writer = tokio::spawn(async move {
            while !flag.load(Ordering::Relaxed) {
                let id = turn.fetch_add(1, Ordering::Relaxed) % 4;
                let change =
                    |by: i32| format!("UPDATE steady.totals SET n = n + {by} WHERE id = {id}");
                let all = [
                    "BEGIN".to_owned(),
                    change(1),
                    change(-1),
                    "COMMIT".to_owned(),
                ];
                if client.run(&all).await.is_err() {
                    // It has lost against the replica; its change is undone.
                    drop(client.attempt("ROLLBACK").await);
                }
            }
        });
        Self { is_over, writer }
    }

    async fn end(self) -> Result {
        self.is_over.store(true, Ordering::Relaxed);
        Ok(self.writer.await?)
    }
}

/// Locks of a node are its own: two appliers of one channel, each on another node, meet on the row only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_of_one_channel_on_two_nodes_stop_and_apply_nothing_twice() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    account(&mut at_source, Peer::MySql97).await?;
    let cluster = Galera::start(2, &[]).await?;
    let mut one = following(&source, &cluster.hosts_from(0)).await?;
    let mut other = following(&source, &cluster.hosts_from(1)).await?;
    let load = SteadyLoad::start(source.port, 2, 7).await?;
    let met = wait::until("both have met on the row", PATIENCE, || async {
        let mut met = Vec::new();
        for replica in [&one, &other] {
            let log = std::fs::read_to_string(replica.log())?;
            met.push(log.contains("the applier stopped"));
        }
        Ok(match met.contains(&true) {
            true => Ok(()),
            false => Err("neither"),
        })
    })
    .await;
    load.end().await?;
    met.map_err(|failure| other.explain(failure))?;
    // Whoever met the other has stopped.
    other.stop()?;
    one.stop()?;
    one.launch().await?;
    until_gtids_executed(&mut at_source, &mut one.client().await?, PATIENCE)
        .await
        .map_err(|failure| one.explain(failure))?;
    cluster.until_level().await?;
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    for number in [0, 1] {
        let right = Snapshot::take(&mut cluster.client(number).await?, &DATABASES).await?;
        ensure_same("source", &left, "node", &right).map_err(|failure| one.explain(failure))?;
    }
    one.stop()
}

/// What a cluster does not carry to its nodes stops in front of its rows, by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_a_table_that_no_other_node_would_have_stop_by_name() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    account(&mut at_source, Peer::MySql97).await?;
    let cluster = Galera::start(2, &[]).await?;
    let mut replica = following(&source, &cluster.hosts_from(1)).await?;
    let statements = [
        "CREATE DATABASE d",
        "CREATE TABLE d.plain (a INT PRIMARY KEY) ENGINE=MyISAM",
        "INSERT INTO d.plain VALUES (1)",
    ];
    at_source.run(&statements).await?;
    let mut at_replica = replica.client().await?;
    until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
    let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
    ensure(
        error.contains("`d`.`plain`, which is of the engine MyISAM"),
        || error.clone(),
    )?;
    let mut at_target = cluster.client(1).await?;
    at_target
        .execute("ALTER TABLE d.plain ENGINE=InnoDB")
        .await?;
    at_replica.execute("START REPLICA").await?;
    for number in [0, 1] {
        let (left, right) = (&mut at_source, &mut cluster.client(number).await?);
        until_same("source", left, "node", right, &["d"], PATIENCE).await?;
    }
    replica.stop()
}

/// Servers that do not hold the same are no cluster.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_hosts_that_are_no_cluster_are_refused() -> Result {
    let source = RealServer::start(Peer::MariaDb1011, 1, &[]).await?;
    account(&mut source.client().await?, Peer::MariaDb1011).await?;
    let one = RealServer::start(Peer::MariaDb1011, 2, &[]).await?;
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", one.port, source.port);
    let Err(refused) = following(&source, &hosts).await else {
        return Err(Failure::new("two servers were taken for a cluster"));
    };
    let refused = refused.to_string();
    ensure(refused.contains("nodes of a Galera cluster"), || {
        refused.clone()
    })
}

async fn account(source: &mut Client, peer: Peer) -> Result {
    match peer.is_mariadb() {
        true => mariadb::create_account(source).await,
        false => create_account(source, Peer::MySql97).await,
    }
}

async fn following(source: &RealServer, hosts: &str) -> Result<Weir> {
    let target = format!("target=mysql://root@{hosts}");
    Weir::following(9, source.port, &[&target]).await
}
