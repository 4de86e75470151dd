//! A source whose GTIDs are turned on and off again while it is written to and followed by file and
//! position, as its manual says to do it: step by step, with kills of the replica between. And a
//! MariaDB whose numbers do not grow.

use std::time::Duration;

use integration::chance::{Chance, announce};
use integration::compare::{Snapshot, ensure_same, replica_status};
use integration::failure::ensure;
use integration::mariadb;
use integration::real_replica::{
    REPLICATION_PASSWORD, REPLICATION_USER, binlog_end, create_account,
};
use integration::steady_load::{self, SteadyLoad};
use integration::wait;
use integration::{Client, Failure, Peer, RealServer, Result, Weir};

const OFF: [&str; 2] = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];

/// There and back. A step waits for what is written in the old way to end.
const STEPS: [&str; 8] = [
    "SET GLOBAL enforce_gtid_consistency = ON",
    "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
    "SET GLOBAL gtid_mode = ON_PERMISSIVE",
    "SET GLOBAL gtid_mode = ON",
    "SET GLOBAL gtid_mode = ON_PERMISSIVE",
    "SET GLOBAL gtid_mode = OFF_PERMISSIVE",
    "SET GLOBAL gtid_mode = OFF",
    "SET GLOBAL enforce_gtid_consistency = OFF",
];

/// Takes nothing that has no GTID, as a MySQL replica with gtid_mode=ON.
const WITH_GTIDS: &str = "MySQL 9.7 with GTIDs";

const LIMIT: Duration = Duration::from_secs(120);

struct Follower {
    name: &'static str,
    target: Option<RealServer>,
    replica: Weir,
}

impl Follower {
    async fn client(&self) -> Result<Client> {
        match &self.target {
            Some(target) => target.client().await,
            None => self.replica.client().await,
        }
    }

    /// Waits until it has applied the source's log up to its end.
    async fn until_applied(&self, end: &(String, u64)) -> Result {
        let end = (end.0.clone(), end.1.to_string());
        let began = std::time::Instant::now();
        let mut client = self.replica.client().await?;
        loop {
            let file = replica_status(&mut client, "Relay_Source_Log_File").await?;
            let place = (
                file,
                replica_status(&mut client, "Exec_Source_Log_Pos").await?,
            );
            if place == end {
                return Ok(());
            }
            let error = replica_status(&mut client, "Last_Error").await?;
            let lost = replica_status(&mut client, "Last_IO_Error").await?;
            let runs = replica_status(&mut client, "Replica_SQL_Running").await? == "Yes";
            if !runs || began.elapsed() > LIMIT {
                let text = format!("{} is at {place:?}, not {end:?}: {error}{lost}", self.name);
                return Err(self.replica.explain(Failure::new(text)));
            }
            wait::let_run(Duration::from_millis(50)).await;
        }
    }
}

async fn followers(source: &RealServer) -> Result<Vec<Follower>> {
    let (file, position) = binlog_end(&mut source.client().await?).await?;
    let lines = [
        "source-host=127.0.0.1".to_owned(),
        format!("source-port={}", source.port),
        format!("source-user={REPLICATION_USER}"),
        format!("source-password={REPLICATION_PASSWORD}"),
        "source-connect-retry=1".to_owned(),
        format!("source-log-file={file}"),
        format!("source-log-pos={position}"),
    ];
    let mut found = Vec::new();
    for (server_id, name, options) in [
        (9, "SQLite", None),
        (10, "MySQL 9.7 without GTIDs", Some(&OFF[..])),
        (11, WITH_GTIDS, Some(&[])),
    ] {
        let target = match options {
            None => None,
            Some(options) => Some(RealServer::start(Peer::MySql97, 2, options).await?),
        };
        let mut lines = lines.to_vec();
        if let Some(target) = &target {
            lines.push(format!("target=mysql://root@127.0.0.1:{}", target.port));
        }
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        found.push(Follower {
            name,
            target,
            replica: Weir::replica(server_id, &lines).await?,
        });
    }
    Ok(found)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_gtids_are_turned_on_and_off() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &OFF).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let mut followers = followers(&source).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 3, chance.below(u64::MAX)).await?;
    for step in STEPS {
        wait::let_run(chance.millis(200, 600)).await;
        at_source.execute(step).await?;
        for follower in &mut followers {
            follower.replica.kill()?;
            follower.replica.launch().await?;
        }
    }
    let committed = load.end().await?;
    let numbered = at_source
        .value("SELECT @@GLOBAL.gtid_executed")
        .await?
        .to_string();
    ensure(numbered.contains(":1-"), || format!("no GTIDs: {numbered}"))?;
    let end = binlog_end(&mut at_source).await?;
    let rows = Snapshot::take(&mut at_source, &[steady_load::DATABASE]).await?;
    for follower in &followers {
        let applied = follower.until_applied(&end).await;
        if follower.name == WITH_GTIDS {
            let refusal = "has no MySQL GTID that the target could keep";
            let told = applied.err().map(|failure| failure.to_string());
            let told = told.unwrap_or_default();
            ensure(told.contains(refusal), || told.clone())?;
            let mut client = follower.replica.client().await?;
            let code = replica_status(&mut client, "Last_SQL_Errno").await?;
            ensure(code == "1837", || code)?;
            continue;
        }
        applied?;
        let found = Snapshot::take(&mut follower.client().await?, &[steady_load::DATABASE]).await?;
        ensure_same("source", &rows, follower.name, &found)?;
    }
    announce(&format!(
        "{committed} transactions through {} steps, GTIDs {numbered}: {} targets equal",
        STEPS.len(),
        followers.len() - 1
    ));
    Ok(())
}

/// `gtid_strict_mode` is off by default there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_of_a_mariadb_that_do_not_grow_stop_the_receiver() -> Result {
    let source = RealServer::start(Peer::MariaDb118, 1, &["--gtid-strict-mode=0"]).await?;
    let mut at_source = source.client().await?;
    mariadb::create_account(&mut at_source).await?;
    let begin = [
        "source-auto-position=0",
        "source-log-file=binlog.000001",
        "source-log-pos=4",
    ];
    let by_gtid = Weir::following(9, source.port, &[]).await?;
    let by_position = Weir::following(10, source.port, &begin).await?;
    let written = [
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY)",
        "SET @@session.gtid_seq_no = 100",
        "INSERT INTO d.t VALUES (1)",
    ];
    at_source.run(&written).await?;
    for replica in [&by_gtid, &by_position] {
        let mut client = replica.client().await?;
        mariadb::until_executed(&mut at_source, &mut client, LIMIT).await?;
    }
    let backwards = [
        "SET @@session.gtid_seq_no = 50",
        "INSERT INTO d.t VALUES (2)",
    ];
    at_source.run(&backwards).await?;
    for replica in [&by_gtid, &by_position] {
        wait::until("the receiver stops", LIMIT, || async {
            let mut client = replica.client().await?;
            let code = replica_status(&mut client, "Last_IO_Errno").await?;
            Ok(if code == "1950" { Ok(()) } else { Err(code) })
        })
        .await?;
        let mut client = replica.client().await?;
        let error = replica_status(&mut client, "Last_IO_Error").await?;
        ensure(
            error.contains("0-1-50") && error.contains("0-1-100"),
            || error,
        )?;
        let rows = client.value("SELECT COUNT(*) FROM d.t").await?.to_string();
        ensure(rows == "1", || format!("{rows} rows"))?;
    }
    Ok(())
}
