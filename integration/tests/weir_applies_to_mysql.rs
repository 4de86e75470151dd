//! `weir replica` with a real server as its target: rows as the source logged them, each transaction
//! once, whoever is killed.

use binlog::event::EventType;
use integration::chance::{Chance, announce, setting};
use integration::compare::{
    Snapshot, ensure_same, ensure_same_checksums, replica_status, until_gtids_executed, until_same,
    until_status,
};
use integration::failure::ensure;
use integration::incident::with_incident;
use integration::kills::{Killed, Parties};
use integration::metrics::metric;
use integration::process::free_port;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, create_account};
use integration::steady_load::{self, SteadyLoad};
use integration::wait::PATIENCE;
use integration::workload::{self, DATABASES, Scope};
use integration::{Client, Peer, RealServer, Result, Weir, weir};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_type_arrives_under_its_gtid() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    at_source.run(&workload::load(Scope::MySql)).await?;
    let mut replica = following(&source, &target, "").await?;
    at_source.execute("FLUSH BINARY LOGS").await?;
    at_source.run(&workload::change(Scope::MySql)).await?;
    let mut at_target = target.client().await?;
    if let Err(failure) = until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await {
        let mut at_replica = replica.client().await?;
        let error = at_replica
            .column("SHOW REPLICA STATUS", "Last_SQL_Error")
            .await?;
        return Err(failure.during(error.unwrap_or_default()));
    }
    let left = Snapshot::take(&mut at_source, &DATABASES).await?;
    let right = Snapshot::take(&mut at_target, &DATABASES).await?;
    ensure_same("source", &left, "target", &right)?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
    workers_are_shown(&mut at_target, &mut at_replica).await?;
    replica.stop()
}

/// By the columns that MySQL has.
async fn workers_are_shown(mysql: &mut Client, replica: &mut Client) -> Result {
    let table = "replication_applier_status_by_worker";
    let sql = format!(
        "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'performance_schema' AND \
         TABLE_NAME = '{table}' ORDER BY ORDINAL_POSITION"
    );
    let columns = mysql.rows(&sql).await?;
    let columns: Vec<String> = columns.iter().flatten().map(ToString::to_string).collect();
    ensure(columns.len() == 24, || format!("{columns:?}"))?;
    let sql = format!(
        "SELECT {} FROM performance_schema.{table}",
        columns.join(", ")
    );
    let workers = replica.rows(&sql).await?;
    let cell = |row: &[integration::sql::Cell], name: &str| {
        let at = columns.iter().position(|column| column == name);
        at.and_then(|at| row.get(at))
            .map(ToString::to_string)
            .unwrap_or_default()
    };
    let ids: Vec<String> = workers.iter().map(|row| cell(row, "WORKER_ID")).collect();
    ensure(ids == ["1", "2", "3", "4"], || format!("{workers:?}"))?;
    let have_applied = workers
        .iter()
        .filter(|row| cell(row, "LAST_APPLIED_TRANSACTION").contains(':'));
    ensure(have_applied.count() > 0, || format!("{workers:?}"))
}

/// Without GTIDs on the target a row of it says what is applied, in the commit that applies it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_without_gtids_keeps_the_place_in_a_row() -> Result {
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    kills(&off, &[Killed::Replica, Killed::Target], "").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_arrives_whole_through_kills_of_each_side() -> Result {
    // Without TLS, one worker sends the COMMIT of the next.
    let plain = ["--tls-version="];
    kills(&plain, &Killed::ALL, "replica-parallel-workers=8").await
}

/// Transactions that are committed as they come leave gaps behind a kill, and the gaps are filled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_without_the_order_of_the_source_arrives_whole_through_kills() -> Result {
    let more = "replica-preserve-commit-order=OFF";
    kills(&[], &[Killed::Replica, Killed::Target], more).await
}

/// What the target has is its own gtid_executed: what is skipped, what takes a place, and a relay log
/// that ends while nothing comes, leave a transaction there or nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_keeps_gtids_keeps_those_of_skipped_transactions() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    create_account(&mut at_source, Peer::MySql97).await?;
    let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
    at_source.run(&made).await?;
    let replica = following(&source, &target, "").await?;
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    // The relay log begins a new file, and the applier goes on in it.
    for _ in 0..3 {
        let before = replica_status(&mut at_replica, "Relay_Log_File").await?;
        at_replica.execute("FLUSH RELAY LOGS").await?;
        let (base, number) = before.rsplit_once('.').unwrap_or_default();
        let next = format!("{base}.{:06}", number.parse::<u32>()? + 1);
        until_status(&mut at_replica, "Relay_Log_File", &next).await?;
        until_status(&mut at_replica, "Replica_SQL_Running", "Yes").await?;
    }
    let declared =
        at_replica.attempt("SET GLOBAL gtid_purged = '+3e11fa47-71ca-11e1-9e33-c80aa9429562:1'");
    ensure(declared.await?.is_err(), || {
        "gtid_purged was taken".to_owned()
    })?;
    // A row that the target has already.
    at_target.execute("SET sql_log_bin = 0").await?;
    at_target.execute("INSERT INTO d.t VALUES (2)").await?;
    let rows = [
        "INSERT INTO d.t VALUES (1)",
        "INSERT INTO d.t VALUES (2)",
        "INSERT INTO d.t VALUES (3)",
    ];
    at_source.run(&rows).await?;
    until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
    until_status(&mut at_replica, "Last_SQL_Errno", "1062").await?;
    let far = "3e11fa47-71ca-11e1-9e33-c80aa9429562:7";
    for sql in [
        "SET GLOBAL sql_replica_skip_counter = 1",
        "START REPLICA SQL_THREAD",
        &format!("SET SESSION gtid_next = '{far}'"),
        "BEGIN",
        "COMMIT",
        "SET SESSION gtid_next = 'AUTOMATIC'",
    ] {
        at_replica.execute(sql).await?;
    }
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    let (left, right) = (&mut at_source, &mut at_target);
    until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    let sql = format!("SELECT GTID_SUBSET('{far}', @@GLOBAL.gtid_executed)");
    let has_far = at_target.value(&sql).await?.to_string();
    ensure(has_far == "1", || {
        "the empty transaction is not there".to_owned()
    })
}

/// Such a target keeps no place in the log: that it has what follows tells that the INCIDENT was passed
/// over before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_that_was_skipped_does_not_stop_a_replica_that_starts_again() -> Result {
    let mut source = RealServer::start(Peer::MySql97, 1, &["--binlog-checksum=CRC32"]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
    at_source.run(&made).await?;
    source.stop()?;
    let directory = tempfile::tempdir()?;
    let last = source.binlogs()?.pop().unwrap_or_default();
    let lost = with_incident(&last, EventType::STOP, directory.path())?;
    std::fs::copy(lost, &last)?;
    source.launch().await?;
    let mut at_source = source.client().await?;
    at_source.execute("INSERT INTO d.t VALUES (1)").await?;
    let mut replica = following(&source, &target, "").await?;
    let mut at_replica = replica.client().await?;
    until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
    let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
    ensure(error.contains("error writing to the binary log"), || {
        error.clone()
    })?;
    let url = format!("mysql://root@127.0.0.1:{}", replica.port);
    let mut command = std::process::Command::new(weir::binary()?);
    let skipped = command.args(["replica", "skip", &url, "--yes"]).output()?;
    ensure(skipped.status.success(), || {
        String::from_utf8_lossy(&skipped.stderr).into_owned()
    })?;
    let mut at_target = target.client().await?;
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    replica.stop()?;
    replica.launch().await?;
    at_source.execute("INSERT INTO d.t VALUES (2)").await?;
    let outcome = until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await;
    outcome.map_err(|failure| replica.explain(failure))?;
    let (left, right) = (&mut at_source, &mut at_target);
    let same = until_same("source", left, "target", right, &["d"], PATIENCE).await;
    same.map(drop)
}

/// A definition that somebody makes on the target waits for the workers, and those for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_definition_on_the_target_in_between_stops_no_worker() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, &[]).await?;
    create_account(&mut source.client().await?, Peer::MySql97).await?;
    let replica = following(&source, &target, "replica-parallel-workers=8").await?;
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    let mut at_replica = replica.client().await?;
    let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
    at_source.run(&made).await?;
    until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
    // Rows that need nothing of each other wait for the workers.
    at_replica.execute("STOP REPLICA SQL_THREAD").await?;
    for id in 0..1000 {
        let sql = format!("INSERT INTO d.t VALUES ({id})");
        at_source.execute(&sql).await?;
    }
    at_target.execute("SET sql_log_bin = 0").await?;
    at_replica.execute("START REPLICA SQL_THREAD").await?;
    let until = std::time::Instant::now() + PATIENCE;
    let mut definitions = 0;
    while at_target
        .value("SELECT COUNT(*) FROM d.t")
        .await?
        .to_string()
        != "1000"
    {
        at_target.execute("ALTER TABLE d.t FORCE").await?;
        definitions += 1;
        ensure(std::time::Instant::now() < until, || {
            format!("rows are missing behind {definitions} definitions")
        })?;
    }
    let (left, right) = (&mut at_source, &mut at_target);
    until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    announce(&format!(
        "1000 transactions beside {definitions} definitions"
    ));
    Ok(())
}

/// Rows that do not roll back on the target are logged there at once, under the GTID of a transaction
/// whose rest would never come.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_of_which_a_target_would_keep_a_half_stops_before_anything_moved() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let made = [
        "CREATE DATABASE d",
        "CREATE TABLE d.a (id INT PRIMARY KEY, v LONGTEXT)",
        "CREATE TABLE d.b (id INT PRIMARY KEY, v LONGTEXT)",
        "CREATE TABLE d.c (id INT PRIMARY KEY)",
        "CREATE TABLE d.m (id INT PRIMARY KEY, v LONGTEXT) ENGINE = MyISAM",
    ];
    at_source.run(&made).await?;
    for (workers, id) in [(4, 2), (1, 3)] {
        let target = RealServer::start(Peer::MySql97, id, &[]).await?;
        let mut at_target = target.client().await?;
        let options =
            format!("replica-parallel-workers={workers}\nreplica-preserve-commit-order=OFF");
        let replica = following(&source, &target, &options).await?;
        let mut at_replica = replica.client().await?;
        until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
        at_replica.execute("STOP REPLICA").await?;
        let other = ["SET sql_log_bin = 0", "ALTER TABLE d.a ENGINE = MyISAM"];
        at_target.run(&other).await?;
        at_replica.execute("START REPLICA").await?;
        // Alone they are what they are on a source that has such tables: half a megabyte of rows at once.
        let alone = [
            "INSERT INTO d.m SELECT n + 100, REPEAT('x', 10000) FROM (WITH RECURSIVE r AS (SELECT 1 n UNION \
             ALL SELECT n + 1 FROM r WHERE n < 50) SELECT n FROM r) r",
            "DELETE FROM d.m WHERE id > 1",
            "INSERT INTO d.a VALUES (1000, 'alone')",
            "DELETE FROM d.a",
        ];
        at_source.run(&alone).await?;
        let executed = until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        for (first, second) in [("a", "b"), ("b", "a")] {
            let both = [
                "BEGIN".to_owned(),
                format!("INSERT INTO d.{first} VALUES ({id}, 'x')"),
                format!("INSERT INTO d.{second} VALUES ({id}, 'x')"),
                "COMMIT".to_owned(),
            ];
            at_source.run(&both).await?;
            stops_and_goes_on(&mut at_source, &mut at_replica, &mut at_target).await?;
            until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
            at_replica.execute("STOP REPLICA").await?;
            at_target.run(&["ALTER TABLE d.a ENGINE = MyISAM"]).await?;
            at_replica.execute("START REPLICA").await?;
        }
        // What somebody makes of a table while it is applied to is met too late by who knew it, and said.
        for n in 0..64 {
            let known = format!("INSERT INTO d.b VALUES ({n}, 'x')");
            at_source.execute(&known).await?;
        }
        at_source.execute("DELETE FROM d.b").await?;
        until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
        at_target.run(&["ALTER TABLE d.b ENGINE = MyISAM"]).await?;
        for n in 0..20 {
            let both = [
                "BEGIN".to_owned(),
                format!("INSERT INTO d.b VALUES ({n}, 'x')"),
                format!("INSERT INTO d.c VALUES ({n})"),
                "COMMIT".to_owned(),
            ];
            at_source.run(&both).await?;
        }
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
        let is_said = ["a part of this transaction", "beside others"];
        let is_said = is_said.iter().any(|said| error.contains(said));
        ensure(is_said, || error)?;
        at_source
            .run(&["DELETE FROM d.b", "DELETE FROM d.c"])
            .await?;
    }
    Ok(())
}

/// A server that dies in the middle of rows that do not roll back may have kept a part of them, and its
/// GTID says nothing of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_lost_in_the_middle_of_rows_that_do_not_roll_back_stops_the_applier() -> Result {
    for (workers, order, dies) in [
        (1, "OFF", true),
        (4, "OFF", true),
        (4, "ON", true),
        (1, "ON", false),
        (4, "ON", false),
    ] {
        let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
        let mut target = RealServer::start(Peer::MySql97, 2, &[]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source, Peer::MySql97).await?;
        let made = [
            "CREATE DATABASE d",
            "CREATE TABLE d.m (id INT PRIMARY KEY) ENGINE = MyISAM",
        ];
        at_source.run(&made).await?;
        let options =
            format!("replica-parallel-workers={workers}\nreplica-preserve-commit-order={order}");
        let replica = following(&source, &target, &options).await?;
        let mut at_replica = replica.client().await?;
        let mut at_target = target.client().await?;
        until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
        // One that is lost between transactions has taken nothing, and is tried again.
        target.kill()?;
        target.launch().await?;
        at_source.execute("INSERT INTO d.m VALUES (1)").await?;
        let mut at_target = target.client().await?;
        let executed = until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        at_target.execute("LOCK TABLES d.m READ").await?;
        at_source.execute("INSERT INTO d.m VALUES (2), (3)").await?;
        let waits = "SELECT COUNT(*) FROM performance_schema.processlist WHERE STATE LIKE \
                     'Waiting for table%'";
        let mut watching = target.client().await?;
        let until = std::time::Instant::now() + PATIENCE;
        while watching.value(waits).await?.to_string() != "1" {
            ensure(std::time::Instant::now() < until, || {
                "no rows wait".to_owned()
            })?;
        }
        match dies {
            true => target.kill()?,
            false => {
                let waiting = waits.replace("COUNT(*)", "ID");
                let id = watching.value(&waiting).await?;
                watching.execute(&format!("KILL {id}")).await?;
            }
        }
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
        let executed = at_source.value("SELECT @@gtid_executed").await?.to_string();
        let gtid = executed.replace(":1-", ":");
        let is_said = [gtid.as_str(), "`d`.`m`", "may have been kept"];
        let is_said = is_said.iter().all(|said| error.contains(said));
        ensure(is_said, || format!("{error} ({gtid})"))?;
        match dies {
            true => target.launch().await?,
            false => drop(at_target.execute("UNLOCK TABLES").await?),
        }
        let mut at_target = target.client().await?;
        at_replica.execute("START REPLICA").await?;
        until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
        let (left, right) = (&mut at_source, &mut at_target);
        until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    }
    Ok(())
}

/// What a source logs as a statement is one of the others, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_beside_rows_that_do_not_roll_back_stops_before_anything_moved() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &["--binlog-format=MIXED"]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let made = [
        "CREATE DATABASE d",
        "CREATE TABLE d.a (id INT PRIMARY KEY, v TEXT)",
        "CREATE TABLE d.b (id INT PRIMARY KEY, v TEXT)",
    ];
    at_source.run(&made).await?;
    // Of an identifier anew, rows are logged.
    let (rows, statement) = (
        "INSERT INTO d.a VALUES (1, UUID())",
        "INSERT INTO d.b VALUES (1, 'x')",
    );
    for (workers, id) in [(4, 2), (1, 3)] {
        let target = RealServer::start(Peer::MySql97, id, &[]).await?;
        let mut at_target = target.client().await?;
        at_target.execute("SET sql_log_bin = 0").await?;
        let options =
            format!("replica-parallel-workers={workers}\nreplica-preserve-commit-order=OFF");
        let replica = following(&source, &target, &options).await?;
        let mut at_replica = replica.client().await?;
        for (first, second) in [(rows, statement), (statement, rows)] {
            until_gtids_executed(&mut at_source, &mut at_target, PATIENCE).await?;
            at_replica.execute("STOP REPLICA").await?;
            at_target.run(&["ALTER TABLE d.a ENGINE = MyISAM"]).await?;
            at_replica.execute("START REPLICA").await?;
            at_source.run(&["BEGIN", first, second, "COMMIT"]).await?;
            stops_and_goes_on(&mut at_source, &mut at_replica, &mut at_target).await?;
        }
    }
    Ok(())
}

/// The applier has stopped before a row of `d.a`, which does not roll back, or of `d.b` moved; and applies both
/// once the first one does. They are empty then.
async fn stops_and_goes_on(
    at_source: &mut Client,
    at_replica: &mut Client,
    at_target: &mut Client,
) -> Result {
    until_status(at_replica, "Replica_SQL_Running", "No").await?;
    let error = replica_status(at_replica, "Last_SQL_Error").await?;
    let names_it = error.contains("rows that do not roll back on the target beside others");
    ensure(names_it, || error)?;
    let counts = "SELECT (SELECT COUNT(*) FROM d.a) + (SELECT COUNT(*) FROM d.b)";
    let moved = at_target.value(counts).await?.to_string();
    ensure(moved == "0", || format!("{moved} rows moved"))?;
    at_target.run(&["ALTER TABLE d.a ENGINE = InnoDB"]).await?;
    at_replica.execute("START REPLICA").await?;
    until_gtids_executed(at_source, at_target, PATIENCE).await?;
    until_same("source", at_source, "target", at_target, &["d"], PATIENCE).await?;
    at_source.run(&["DELETE FROM d.a", "DELETE FROM d.b"]).await
}

async fn kills(target_options: &[&str], who: &[Killed], more: &str) -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let target = RealServer::start(Peer::MySql97, 2, target_options).await?;
    create_account(&mut source.client().await?, Peer::MySql97).await?;
    let metrics = free_port()?;
    let more = format!("metrics_port={metrics}\n{more}");
    let replica = following(&source, &target, &more).await?;
    let mut chance = Chance::from_environment();
    let load = SteadyLoad::start(source.port, 4, chance.below(u64::MAX)).await?;
    let mut parties = Parties {
        source,
        target,
        replica,
    };
    let each = setting("WEIR_KILLS", 3);
    let killed = parties.kill(who, each, &mut chance).await;
    let committed = load.end().await?;
    let Parties {
        source,
        target,
        replica,
    } = &parties;
    killed.map_err(|failure| replica.explain(failure))?;
    let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
    let mut at_replica = replica.client().await?;
    // As long as it took, and more, the load has gone on while the replica stood still.
    let patience = PATIENCE * u32::try_from(each)?.max(1);
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, patience).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let (left, right) = (&mut at_source, &mut at_target);
    until_same(
        "source",
        left,
        "target",
        right,
        &[steady_load::DATABASE],
        PATIENCE,
    )
    .await?;
    let tables = ensure_same_checksums(left, right, &[steady_load::DATABASE]).await?;
    let status = at_replica
        .column("SHOW REPLICA STATUS", "Last_SQL_Errno")
        .await?;
    ensure(status.as_deref() == Some("0"), || format!("{status:?}"))?;
    let skipped = metric(metrics, "weir_transactions_skipped_total").await?;
    ensure(skipped == 0.0, || format!("{skipped} skipped"))?;
    let gtids = "SELECT @@GLOBAL.gtid_executed";
    let (sent, kept) = (left.answer(gtids).await?, right.answer(gtids).await?);
    let keeps = target_options.is_empty();
    ensure(sent == kept || !keeps, || {
        format!("GTIDs {sent} and {kept}")
    })?;
    announce(&format!(
        "mysql-9.7: {each} kills of each of {who:?}; {committed} transactions acknowledged, {tables} tables \
         equal, GTIDs kept: {keeps}, none skipped"
    ));
    Ok(())
}

/// A replica of `source` by GTID whose rows go to `target`.
async fn following(source: &RealServer, target: &RealServer, more: &str) -> Result<Weir> {
    Weir::replica(
        9,
        &[
            "source-host=127.0.0.1",
            &format!("source-port={}", source.port),
            &format!("source-user={REPLICATION_USER}"),
            &format!("source-password={REPLICATION_PASSWORD}"),
            "source-auto-position=1",
            "source-connect-retry=1",
            &format!("target=mysql://root@127.0.0.1:{}", target.port),
            more,
        ],
    )
    .await
}
