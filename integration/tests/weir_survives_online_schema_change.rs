//! Tables that are altered by copying them while they are written to: pt-online-schema-change itself, and the
//! statements of gh-ost. Who follows has the same rows at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use integration::compare::{until_gtids_executed, until_same};
use integration::failure::ensure;
use integration::sql::{Client, ClientOptions};
use integration::wait::{self, PATIENCE};
use integration::{Peer, RealServer, Result, Weir, mariadb, peers, real_replica};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Rows at first; both tools copy them in pieces.
const ROWS: u32 = 2000;

/// A change of a row, as its session made it.
#[derive(Debug, Clone)]
enum Change {
    Insert(u32),
    Update(u32),
    Delete(u32),
}

impl Change {
    /// The n-th of a load that inserts, updates and deletes everywhere.
    fn nth(n: u32) -> Self {
        match n % 4 {
            0 => Self::Insert(ROWS + 1 + n),
            1 => Self::Delete(1 + n.wrapping_mul(7919) % ROWS),
            _ => Self::Update(1 + n.wrapping_mul(104_729) % (ROWS + n)),
        }
    }

    fn sql(&self, n: u32) -> String {
        match self {
            Self::Insert(id) => format!("INSERT INTO d.t (id, a, b) VALUES ({id}, 'new {n}', {n})"),
            Self::Update(id) => {
                format!("UPDATE d.t SET a = 'changed {n}', b = b + 1 WHERE id = {id}")
            }
            Self::Delete(id) => format!("DELETE FROM d.t WHERE id = {id}"),
        }
    }
}

/// One session that changes rows until it is told to stop.
struct Writer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Result<u32>>,
}

impl Writer {
    /// `made` is told of each change once it is committed.
    fn start(port: u16, made: UnboundedSender<(Change, u32)>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut client = Client::connect(&ClientOptions::root(port)).await?;
            let mut n = 0;
            while !stopped.load(Ordering::Relaxed) {
                n += 1;
                let change = Change::nth(n);
                let sql = change.sql(n);
                // The triggers of a copy may deadlock with it.
                while let Err(error) = client.attempt(&sql).await? {
                    ensure(matches!(error.code, 1205 | 1213), || error.message.clone())?;
                }
                drop(made.send((change, n)));
                // As many as a follower applies on a slow disk.
                wait::let_run(Duration::from_millis(4)).await;
            }
            Ok(n)
        });
        Self { stop, task }
    }

    async fn end(self) -> Result<u32> {
        self.stop.store(true, Ordering::Relaxed);
        self.task
            .await
            .map_err(|error| integration::failure::Failure::new(error.to_string()))?
    }
}

/// A source with a table, and replicas that follow it into the engine and into a server.
struct Followed {
    source: RealServer,
    target: RealServer,
    in_engine: Weir,
    to_server: Weir,
}

impl Followed {
    async fn new(peer: Peer) -> Result<Self> {
        // The tool reads how many rows there are from EXPLAIN as it was, and copies all at once without.
        let options: &[&str] = match peer.is_mariadb() {
            true => &[],
            false => &["--explain-format=TRADITIONAL"],
        };
        let source = RealServer::start(peer, 1, options).await?;
        let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
        let mut at_source = source.client().await?;
        match peer.is_mariadb() {
            true => mariadb::create_account(&mut at_source).await?,
            false => real_replica::create_account(&mut at_source, peer).await?,
        }
        let in_engine = Weir::following(8, source.port, &[]).await?;
        let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
        let to_server = Weir::following(9, source.port, &[&to]).await?;
        let table = "CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(40), b INT) \
                     DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci";
        at_source.run(&["CREATE DATABASE d", table]).await?;
        for first in (1..ROWS).step_by(500) {
            let rows = (first..first + 500).map(|id| format!("({id}, 'row {id}', {id})"));
            let rows = rows.collect::<Vec<_>>().join(",");
            at_source
                .execute(&format!("INSERT INTO d.t VALUES {rows}"))
                .await?;
        }
        // Tools divide a table by what is known of it.
        at_source.rows("ANALYZE TABLE d.t").await?;
        Ok(Self {
            source,
            target,
            in_engine,
            to_server,
        })
    }

    /// Every follower ends with what the source has.
    async fn ensure_equal(&self) -> Result {
        let mut at_source = self.source.client().await?;
        for replica in [&self.in_engine, &self.to_server] {
            let mut at_replica = replica.client().await?;
            let executed = match self.source.peer.is_mariadb() {
                true => mariadb::until_executed(&mut at_source, &mut at_replica, PATIENCE)
                    .await
                    .map(drop),
                false => until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await,
            };
            executed.map_err(|failure| replica.explain(failure))?;
        }
        let (mut at_engine, mut at_target) =
            (self.in_engine.client().await?, self.target.client().await?);
        for right in [&mut at_engine, &mut at_target] {
            let left = &mut at_source;
            until_same("source", left, "follower", right, &["d"], PATIENCE).await?;
            let columns = right.rows("SHOW COLUMNS FROM d.t LIKE 'c'").await?;
            ensure(columns.len() == 1, || {
                "the new column is not there".to_owned()
            })?;
            let tables = right.rows("SHOW TABLES FROM d").await?;
            ensure(tables.len() == 1, || format!("{tables:?}"))?;
        }
        Ok(())
    }
}

const ALTERATION: &str = "ADD COLUMN c INT NOT NULL DEFAULT 7, ADD INDEX (b), MODIFY a VARCHAR(60)";

async fn survives_pt_online_schema_change(peer: Peer) -> Result {
    let followed = Followed::new(peer).await?;
    let (made, _) = unbounded_channel();
    let writer = Writer::start(followed.source.port, made);
    let mut tool = peers::percona_program("pt-online-schema-change")?;
    tool.args([
        "--alter",
        ALTERATION,
        "--execute",
        "--recursion-method=none",
    ]);
    tool.args([
        "--no-version-check",
        "--chunk-size=25",
        "--chunk-time=0",
        "--sleep=0.02",
    ]);
    tool.arg(format!(
        "D=d,t=t,h=127.0.0.1,P={},u=root",
        followed.source.port
    ));
    let ran = tokio::task::spawn_blocking(move || tool.output()).await;
    let changes = writer.end().await?;
    let output = ran.map_err(|error| integration::failure::Failure::new(error.to_string()))??;
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    ensure(text.contains("Successfully altered `d`.`t`"), || {
        text.clone()
    })?;
    ensure(!text.contains("approximately 0 rows"), || text.clone())?;
    ensure(changes > 50, || format!("{changes} changes while it ran"))?;
    followed.ensure_equal().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_survive_pt_online_schema_change_on_mysql() -> Result {
    survives_pt_online_schema_change(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_survive_pt_online_schema_change_on_mariadb() -> Result {
    survives_pt_online_schema_change(Peer::MariaDb118).await
}

/// Applies to the ghost table, ten changes a transaction, what was changed so far, as gh-ost does with what it reads of the log.
async fn apply(
    ghost: &mut Client,
    source: &mut Client,
    made: &mut UnboundedReceiver<(Change, u32)>,
) -> Result {
    // It never catches up with a load that goes on; what is left waits for the cut-over.
    for _ in 0..made.len() {
        let Ok((change, n)) = made.try_recv() else {
            break;
        };
        let sql = match change {
            Change::Insert(id) => format!(
                "replace /* gh-ost `d`.`_t_gho` */ into `d`.`_t_gho` (`id`, `a`, `b`) values ({id}, 'new {n}', {n})"
            ),
            Change::Update(id) => format!(
                "update /* gh-ost `d`.`_t_gho` */ `d`.`_t_gho` set `a`='changed {n}', `b`=`b`+1 where ((`id` = {id}))"
            ),
            Change::Delete(id) => {
                format!("delete /* gh-ost `d`.`_t_gho` */ from `d`.`_t_gho` where ((`id` = {id}))")
            }
        };
        if n % 10 == 0 {
            ghost.run(&["COMMIT", "START TRANSACTION"]).await?;
            heartbeat(source, n).await?;
        }
        ghost.execute(&sql).await?;
    }
    ghost.execute("COMMIT").await.map(drop)
}

async fn heartbeat(client: &mut Client, n: u32) -> Result {
    changelog(client, 1, "heartbeat", &format!("2030-01-01T00:00:{n}")).await
}

async fn changelog(client: &mut Client, id: u32, hint: &str, value: &str) -> Result {
    let sql = format!(
        "insert /* gh-ost */ into `d`.`_t_ghc` (id, hint, value) values (NULLIF({id}, 0), '{hint}', '{value}') \
         on duplicate key update last_update=NOW(), value=VALUES(value)"
    );
    client.execute(&sql).await.map(drop)
}

/// Waits until a session waits for a lock on a table with such a statement.
async fn until_blocked(source: &RealServer, statement: &str) -> Result {
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE '%metadata lock%' AND \
         INFO LIKE '{statement}'"
    );
    let what = format!("{statement} waits for its lock");
    wait::until(&what, PATIENCE, || {
        let sql = sql.clone();
        async move {
            let mut client = source.client().await?;
            let count = client.value(&sql).await?.to_string();
            Ok::<_, integration::failure::Failure>(match count.as_str() {
                "0" => Err(count),
                _ => Ok(()),
            })
        }
    })
    .await
}

/// The statements that gh-ost runs: a ghost table and a changelog, copying by pieces beside the changes that it
/// reads off the log, and the cut-over by two sessions.
async fn survives_gh_ost(peer: Peer) -> Result {
    let followed = Followed::new(peer).await?;
    let source = &followed.source;
    let (made, mut changes) = unbounded_channel();
    let (mut client, mut ghost) = (source.client().await?, source.client().await?);
    client
        .run(&[
            "drop /* gh-ost */ table if exists `d`.`_t_gho`",
            "drop /* gh-ost */ table if exists `d`.`_t_del`",
            "create /* gh-ost */ table `d`.`_t_ghc` (id bigint unsigned auto_increment, last_update timestamp not \
             null DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint varchar(64) charset ascii not null, \
             value varchar(4096) charset ascii not null, primary key(id), unique key hint_uidx(hint)) \
             auto_increment=256 comment='gh-ost ghost table'",
            "create /* gh-ost */ table `d`.`_t_gho` like `d`.`t`",
            &format!("alter /* gh-ost */ table `d`.`_t_gho` {ALTERATION}"),
        ])
        .await?;
    changelog(&mut client, 2, "state", "GhostTableMigrated").await?;
    let writer = Writer::start(source.port, made);
    let highest = ROWS + 1;
    for first in (0..highest).step_by(50) {
        let last = (first + 50).min(highest);
        ghost
            .execute(&format!(
                "insert /* gh-ost `d`.`t` */ ignore into `d`.`_t_gho` (`id`, `a`, `b`) (select `id`, `a`, `b` from \
                 `d`.`t` force index (`PRIMARY`) where (((`id` > {first})) and ((`id` < {last}) or (`id` = \
                 {last}))) lock in share mode)"
            ))
            .await?;
        apply(&mut ghost, &mut client, &mut changes).await?;
        wait::let_run(Duration::from_millis(5)).await;
    }
    changelog(&mut client, 0, "copy iteration", "Migrated").await?;
    // The cut-over: one session holds the tables, the other waits to rename them.
    let mut holder = source.client().await?;
    holder
        .run(&[
            "set session lock_wait_timeout:=60",
            "create /* gh-ost */ table `d`.`_t_del` (id int auto_increment primary key) engine=InnoDB \
             comment='ghost-cut-over-sentry'",
            "lock /* gh-ost */ tables `d`.`t` write, `d`.`_t_del` write",
        ])
        .await?;
    until_blocked(source, "%d.t %").await?;
    apply(&mut ghost, &mut client, &mut changes).await?;
    changelog(&mut client, 2, "state", "AllEventsUpToLockProcessed:1").await?;
    let port = source.port;
    let renamed = tokio::spawn(async move {
        let mut client = Client::connect(&ClientOptions::root(port)).await?;
        let sql = "rename /* gh-ost */ table `d`.`t` to `d`.`_t_del`, `d`.`_t_gho` to `d`.`t`";
        client
            .run(&["set session lock_wait_timeout:=30", sql])
            .await
    });
    until_blocked(source, "rename%").await?;
    holder
        .run(&[
            "drop /* gh-ost */ table if exists `d`.`_t_del`",
            "unlock tables",
        ])
        .await?;
    renamed
        .await
        .map_err(|error| integration::failure::Failure::new(error.to_string()))??;
    // Changes go on in the new table.
    let before = changes.len();
    wait::until("changes go on behind the cut-over", PATIENCE, || {
        let made = changes.len();
        async move {
            Ok::<_, integration::failure::Failure>(match made > before + 10 {
                true => Ok(()),
                false => Err(made),
            })
        }
    })
    .await?;
    writer.end().await?;
    client
        .run(&[
            "drop /* gh-ost */ table if exists `d`.`_t_ghc`",
            "drop /* gh-ost */ table if exists `d`.`_t_del`",
        ])
        .await?;
    followed.ensure_equal().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_survive_the_statements_of_gh_ost_on_mysql() -> Result {
    survives_gh_ost(Peer::MySql97).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn followers_survive_the_statements_of_gh_ost_on_mariadb() -> Result {
    survives_gh_ost(Peer::MariaDb118).await
}
