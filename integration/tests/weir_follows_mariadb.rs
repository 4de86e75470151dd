//! `weir replica` follows a real MariaDB 10.11 and 11.8, its rows going to another one of the same
//! version: every type, DDL, compressed logs, several domains, restarts and kills of everybody. Each
//! GTID of the source is in the target's log once and in its place.

use integration::chance::{Chance, announce, setting};
use integration::compare::{Snapshot, ensure_same, ensure_same_checksums, until_same};
use integration::failure::ensure;
use integration::kills::{Killed, Parties};
use integration::mariadb::{OWN, create_account, ensure_same_gtids, until_executed};
use integration::metrics::metric;
use integration::process::free_port;
use integration::real_replica::Start;
use integration::steady_load::{self, SteadyLoad};
use integration::wait::{self, PATIENCE};
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir};

const PEERS: [Peer; 2] = [Peer::MariaDb1011, Peer::MariaDb118];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_arrives_under_its_gtid() -> Result {
    for peer in PEERS {
        every_type(peer, &[]).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_events_and_strict_numbers_arrive_as_well() -> Result {
    let compressed = ["--log-bin-compress=1", "--log-bin-compress-min-len=10"];
    for peer in PEERS {
        every_type(
            peer,
            &[compressed.as_slice(), &["--gtid-strict-mode=1"]].concat(),
        )
        .await?;
    }
    Ok(())
}

/// The source sends its encrypted log in clear, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_encrypted_log_arrives_decrypted() -> Result {
    let directory = tempfile::tempdir()?;
    let keys = directory.path().join("keys");
    std::fs::write(&keys, "1;00112233445566778899aabbccddeeff\n")?;
    let keys = format!("--file-key-management-filename={}", keys.display());
    let options = [
        "--plugin-load-add=file_key_management",
        &keys,
        "--encrypt-binlog=1",
    ];
    for peer in PEERS {
        every_type(peer, &options).await?;
    }
    Ok(())
}

/// The way from a version to the next one, up to where the two disagree.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_mariadb_is_followed_into_a_newer_one() -> Result {
    let source = RealServer::start(Peer::MariaDb1011, 1, &[]).await?;
    let target = RealServer::start(Peer::MariaDb118, 2, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source).await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let replica = following(&source, &target, &[]).await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    let alike = OWN.iter().filter(|sql| !sql.contains("versioned"));
    at_source.run(&alike.collect::<Vec<_>>()).await?;
    // CHECKSUM TABLE says something else of equal rows from one version to the next.
    same_rows(&mut at_source, &target, &replica, &DATABASES).await?;
    ensure_same_gtids(&mut at_source, &mut target.client().await?).await?;
    at_source
        .run(
            &OWN.iter()
                .filter(|sql| sql.contains("versioned"))
                .collect::<Vec<_>>(),
        )
        .await?;
    let error = until_error(&replica, "Last_SQL_Error").await?;
    ensure(
        error.contains("`types`.`versioned`, which keeps its history"),
        || error,
    )
}

async fn every_type(peer: Peer, options: &[&str]) -> Result {
    let mut source = RealServer::start(peer, 1, options).await?;
    let target = RealServer::start(peer, 2, options).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source).await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let mut replica = following(&source, &target, &[]).await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::WithMariaDb)).await?;
    replica.stop()?;
    at_source.run(&OWN).await?;
    replica.launch().await?;
    same(&mut at_source, &target, &replica, &DATABASES).await?;
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
    same(&mut at_source, &target, &replica, &DATABASES).await?;
    replica.stop()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_whole_from_10_11_through_kills_of_each_side() -> Result {
    kills(Peer::MariaDb1011).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_whole_from_11_8_through_kills_of_each_side() -> Result {
    kills(Peer::MariaDb118).await
}

async fn kills(peer: Peer) -> Result {
    let source = RealServer::start(peer, 1, &[]).await?;
    let target = RealServer::start(peer, 2, &["--gtid-strict-mode=1"]).await?;
    create_account(&mut source.client().await?).await?;
    let metrics = free_port()?;
    let replica = following(&source, &target, &[&format!("metrics_port={metrics}")]).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
    let mut parties = Parties {
        source,
        target,
        replica,
    };
    let each = setting("WEIR_KILLS", 3);
    let killed = parties.kill(&Killed::ALL, each, &mut chance).await;
    let committed = load.end().await?;
    killed.map_err(|failure| parties.replica.explain(failure))?;
    let mut at_source = parties.source.client().await?;
    let Parties {
        target, replica, ..
    } = &parties;
    let (tables, gtids, recovered) =
        same(&mut at_source, target, replica, &[steady_load::DATABASE]).await?;
    ensure(recovered as u64 <= each, || {
        format!("{recovered} of other servers")
    })?;
    let skipped = metric(metrics, "weir_transactions_skipped_total").await?;
    ensure(skipped == 0.0, || format!("{skipped} skipped"))?;
    announce(&format!(
        "{}: {each} kills of each of source, target, replica and connections; {committed} transactions \
         acknowledged, {gtids} GTIDs once each ({recovered} by the target's crash recovery), {tables} \
         tables equal, none skipped",
        peer.folder()
    ));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_in_the_log_will_do_as_well() -> Result {
    for peer in PEERS {
        let source = RealServer::start(peer, 1, &[]).await?;
        let target = RealServer::start(peer, 2, &[]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source).await?;
        let lines = [
            "source-auto-position=0",
            "source-log-file=binlog.000001",
            "source-log-pos=4",
        ];
        let mut replica = following(&source, &target, &lines).await?;
        at_source.run(&workload::load(Scope::WithMariaDb)).await?;
        let mut at_replica = replica.client().await?;
        until_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
        replica.kill()?;
        at_source.execute("FLUSH BINARY LOGS").await?;
        at_source.run(&workload::change(Scope::WithMariaDb)).await?;
        replica.launch().await?;
        same(&mut at_source, &target, &replica, &DATABASES).await?;
    }
    Ok(())
}

/// What is applied is in the target's log for others: a MariaDB replica, and another Weir.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_target_is_followed_on_by_mariadb_and_by_weir() -> Result {
    let (source, target) = pair(Peer::MariaDb118).await?;
    let strict = ["--gtid-strict-mode=1"];
    let last = RealServer::start(Peer::MariaDb118, 3, &strict).await?;
    let native = RealServer::start(Peer::MariaDb118, 4, &strict).await?;
    let mut at_source = source.client().await?;
    at_source.run(&workload::load(Scope::WithMariaDb)).await?;
    let replica = following(&source, &target, &[]).await?;
    same(&mut at_source, &target, &replica, &DATABASES).await?;
    let onward = following(&target, &last, &[]).await?;
    native.follow(target.port, &Start::AutoPosition).await?;
    at_source.run(&OWN).await?;
    same(&mut at_source, &target, &replica, &DATABASES).await?;
    same(&mut target.client().await?, &last, &onward, &DATABASES).await?;
    let mut at_native = native.client().await?;
    let followed = until_same(
        "source",
        &mut at_source,
        "native",
        &mut at_native,
        &DATABASES,
        PATIENCE,
    );
    if let Err(failure) = followed.await {
        native.ensure_replicating().await?;
        return Err(failure);
    }
    native.ensure_replicating().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_source_has_purged_is_said_in_its_own_words() -> Result {
    let (source, target) = pair(Peer::MariaDb118).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&["CREATE DATABASE d", "FLUSH BINARY LOGS"])
        .await?;
    // The first file goes once crash recovery needs it no longer.
    wait::until("the first file is purged", PATIENCE, || async {
        let mut client = source.client().await?;
        client
            .execute("PURGE BINARY LOGS TO 'binlog.000002'")
            .await?;
        let files = client.rows("SHOW BINARY LOGS").await?.len();
        Ok((files == 1).then_some(()).ok_or(files))
    })
    .await?;
    let replica = following(&source, &target, &[]).await?;
    let error = until_error(&replica, "Last_IO_Error").await?;
    ensure(
        error.contains("error 1236") && error.contains("Could not find GTID state"),
        || error,
    )?;
    // A copy says what it holds, and the rest comes.
    let position = at_source.value("SELECT @@GLOBAL.gtid_binlog_pos").await?;
    let mut at_target = target.client().await?;
    at_target
        .run(&["CREATE DATABASE d", "SET GLOBAL gtid_slave_pos = ''"])
        .await?;
    at_target
        .execute(&format!("SET GLOBAL gtid_slave_pos = '{position}'"))
        .await?;
    let mut replica = replica;
    replica.stop()?;
    replica.launch().await?;
    at_source.execute("CREATE TABLE d.t (a INT)").await?;
    let mut at_replica = replica.client().await?;
    until_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    at_target
        .execute("INSERT INTO d.t VALUES (1)")
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_prepared_before_the_replica_began_stops_by_name_before_anything_moved() -> Result
{
    let (source, target) = pair(Peer::MariaDb118).await?;
    let mut at_source = source.client().await?;
    at_source
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (a INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (1)",
            "XA START 'x'",
            "INSERT INTO d.t VALUES (2)",
            "XA END 'x'",
            "XA PREPARE 'x'",
        ])
        .await?;
    let begun = at_source.value("SELECT @@GLOBAL.gtid_binlog_pos").await?;
    let mut at_target = target.client().await?;
    at_target.execute("SET sql_log_bin = 0").await?;
    at_target
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (a INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (1)",
            "SET GLOBAL gtid_slave_pos = ''",
        ])
        .await?;
    at_target
        .execute(&format!("SET GLOBAL gtid_slave_pos = '{begun}'"))
        .await?;
    let replica = following(&source, &target, &[]).await?;
    let mut at_replica = replica.client().await?;
    until_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    at_source
        .run(&["XA COMMIT 'x'", "INSERT INTO d.t VALUES (3)"])
        .await?;
    let error = until_error(&replica, "Last_SQL_Error").await?;
    ensure(
        error.contains("XA transaction X'78',X'',1 was not prepared here"),
        || error,
    )?;
    let status = at_replica
        .column("SHOW REPLICA STATUS", "Executed_Gtid_Set")
        .await?;
    ensure(status.as_deref() == Some(&begun.to_string()), || {
        format!("{status:?}")
    })?;
    let rows = at_target.rows("SELECT * FROM d.t").await?;
    ensure(rows.len() == 1, || format!("{rows:?}"))
}

/// Accounts whose password never leaves the client in any form: MariaDB's own plugins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_is_logged_in_to_by_signature() -> Result {
    let plugins = [
        "--plugin-load-add=auth_ed25519",
        "--plugin-load-add=auth_parsec",
    ];
    let source = RealServer::start(Peer::MariaDb118, 1, &plugins).await?;
    let mut at_source = source.client().await?;
    at_source.execute("CREATE DATABASE d").await?;
    for plugin in ["ed25519", "parsec"] {
        let secret = format!("a {plugin} secret");
        at_source
            .run(&[
                format!(
                    "CREATE USER {plugin}@'%' IDENTIFIED VIA {plugin} USING PASSWORD('{secret}')"
                ),
                format!("GRANT REPLICATION SLAVE ON *.* TO {plugin}@'%'"),
            ])
            .await?;
        let with = async |secret: &str| {
            Weir::replica(
                9,
                &[
                    "source-host=127.0.0.1",
                    &format!("source-port={}", source.port),
                    &format!("source-user={plugin}"),
                    &format!("source-password={secret}"),
                    "source-auto-position=1",
                    "source-connect-retry=1",
                ],
            )
            .await
        };
        let replica = with(&secret).await?;
        let mut at_replica = replica.client().await?;
        until_executed(&mut at_source, &mut at_replica, PATIENCE)
            .await
            .map_err(|failure| replica.explain(failure))?;
        let replica = with("another").await?;
        let error = until_error(&replica, "Last_IO_Error").await?;
        ensure(error.contains("Access denied for user"), || error)?;
    }
    Ok(())
}

/// A source with its account, and a target.
async fn pair(peer: Peer) -> Result<(RealServer, RealServer)> {
    let source = RealServer::start(peer, 1, &[]).await?;
    let target = RealServer::start(peer, 2, &[]).await?;
    create_account(&mut source.client().await?).await?;
    Ok((source, target))
}

/// A replica of `source` whose rows go to `target`; by GTID if `more` does not say otherwise.
async fn following(source: &RealServer, target: &RealServer, more: &[&str]) -> Result<Weir> {
    let target = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let mut lines = vec![target.as_str()];
    lines.extend(more);
    Weir::following(9, source.port, &lines).await
}

/// Waits until all is executed, and compares tables and logs. How many tables there are, and what
/// [`ensure_same_gtids`] counts.
async fn same(
    at_source: &mut Client,
    target: &RealServer,
    replica: &Weir,
    databases: &[&str],
) -> Result<(usize, usize, usize)> {
    same_rows(at_source, target, replica, databases).await?;
    let mut at_target = target.client().await?;
    let tables = ensure_same_checksums(at_source, &mut at_target, databases).await?;
    let (gtids, recovered) = ensure_same_gtids(at_source, &mut at_target).await?;
    Ok((tables, gtids, recovered))
}

async fn same_rows(
    at_source: &mut Client,
    target: &RealServer,
    replica: &Weir,
    databases: &[&str],
) -> Result {
    let mut at_replica = replica.client().await?;
    let executed = until_executed(at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    wait::until(
        "the replica is connected and not behind",
        PATIENCE,
        || async {
            let mut client = replica.client().await?;
            let behind = client
                .column("SHOW REPLICA STATUS", "Seconds_Behind_Source")
                .await?;
            Ok((behind.as_deref() == Some("0"))
                .then_some(())
                .ok_or("behind"))
        },
    )
    .await?;
    let left = Snapshot::take(at_source, databases).await?;
    let right = Snapshot::take(&mut target.client().await?, databases).await?;
    ensure_same("source", &left, "target", &right)
}

/// Waits until `column` of the status holds an error.
async fn until_error(replica: &Weir, column: &str) -> Result<String> {
    wait::until(&format!("{column} is told"), PATIENCE, || async move {
        let mut client = replica.client().await?;
        let told = client.column("SHOW REPLICA STATUS", column).await?;
        Ok(told.filter(|text| !text.is_empty()).ok_or("nothing"))
    })
    .await
}
