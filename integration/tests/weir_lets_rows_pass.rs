//! `replica_exec_mode` and `replica_skip_errors`: what `weir replica` makes of rows that do not fit, beside
//! what MySQL makes of them. What is let pass is counted.

use integration::compare::{replica_status, until_gtids_executed, until_status};
use integration::failure::ensure;
use integration::metrics::metric;
use integration::postgres_rows::compare;
use integration::process::free_port;
use integration::real_replica::{Start, create_account};
use integration::sql::Client;
use integration::wait::PATIENCE;
use integration::{Peer, Postgres, RealServer, Result, Weir};

/// What source and replicas agree on at first.
const COMMON: [&str; 5] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.t (a INT PRIMARY KEY, b INT, u INT UNIQUE)",
    "CREATE TABLE d.n (a INT PRIMARY KEY)",
    "INSERT INTO d.t VALUES (4, 44, 44), (60, 6, 66), (70, 7, 77)",
    "INSERT INTO d.n VALUES (0)",
];

/// What the source does behind their backs.
const UNLOGGED: [&str; 5] = [
    "SET sql_log_bin = 0",
    "DELETE FROM d.t",
    "INSERT INTO d.t VALUES (80, 8, 88), (81, 8, 89)",
    "DELETE FROM d.n",
    "SET sql_log_bin = 1",
];

/// Changes that fit nowhere but there.
const MISFITS: [&str; 8] = [
    "BEGIN",
    "INSERT INTO d.n VALUES (1)",
    "UPDATE d.t SET b = 9 WHERE a IN (5, 80)",
    "DELETE FROM d.t WHERE a = 81",
    "INSERT INTO d.n VALUES (0), (2)",
    "COMMIT",
    "UPDATE d.t SET u = 77 WHERE a = 5",
    "INSERT INTO d.n VALUES (3)",
];

async fn rows(client: &mut Client) -> Result<String> {
    let mut all = String::new();
    for table in ["d.t", "d.n"] {
        let query = format!("SELECT * FROM {table} ORDER BY a");
        let rows = client.answer(&query).await?;
        all.push_str(&format!("{table}: {rows}\n"));
    }
    Ok(all)
}

/// A source and a real replica of it with this option.
async fn followed(option: &str) -> Result<(RealServer, RealServer)> {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let judge = RealServer::start(Peer::MySql97, 2, &[&format!("--{option}")]).await?;
    create_account(&mut source.client().await?, Peer::MySql97).await?;
    judge.follow(source.port, &Start::AutoPosition).await?;
    Ok((source, judge))
}

async fn passed(replica: &Weir) -> Result<String> {
    let mut at_replica = replica.client().await?;
    let shown = "SHOW GLOBAL STATUS LIKE 'Weir_errors_passed'";
    Ok(at_replica.column(shown, "Value").await?.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotent_rows_end_as_on_a_replica_of_mysql() -> Result {
    let (source, judge) = followed("replica-exec-mode=IDEMPOTENT").await?;
    let target = RealServer::start(Peer::MySql97, 3, &[]).await?;
    let metrics = free_port()?;
    let option = "slave_exec_mode=IDEMPOTENT";
    let port = format!("metrics_port={metrics}");
    let in_engine = Weir::following(8, source.port, &[option, &port]).await?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let to_server = Weir::following(9, source.port, &[option, &to]).await?;
    let mut at_source = source.client().await?;
    let insert = ["INSERT INTO d.t VALUES (4, 1, 66), (5, 5, 5)"];
    for statements in [&COMMON[..], &UNLOGGED, &insert, &MISFITS] {
        at_source.run(statements).await?;
    }
    let (mut at_judge, mut at_target) = (judge.client().await?, target.client().await?);
    let mut at_engine = in_engine.client().await?;
    until_gtids_executed(&mut at_source, &mut at_judge, PATIENCE).await?;
    let expected = rows(&mut at_judge).await?;
    for (replica, rows_at) in [(&in_engine, &mut at_engine), (&to_server, &mut at_target)] {
        let executed = until_gtids_executed(&mut at_source, rows_at, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        let found = rows(rows_at).await?;
        ensure(found == expected, || {
            format!("{found} but MySQL: {expected}")
        })?;
        let passed = passed(replica).await?;
        let wanted = "replica_exec_mode 1032: 2; replica_exec_mode 1062: 3";
        ensure(passed == wanted, || passed.clone())?;
    }
    let counted = "weir_errors_passed_total{rule=\"replica_exec_mode\",code=\"1062\"}";
    let counted = metric(metrics, counted).await?;
    ensure(counted == 3.0, || counted.to_string())?;
    // The variable counts from the next transaction on.
    let mode = "SELECT @@global.replica_exec_mode, @@global.slave_exec_mode";
    let answer = at_engine.answer(mode).await?;
    ensure(answer.contains("[[IDEMPOTENT, IDEMPOTENT]]"), || {
        answer.clone()
    })?;
    at_engine
        .execute("SET GLOBAL replica_exec_mode = 'STRICT'")
        .await?;
    at_source.execute("DELETE FROM d.t WHERE a = 80").await?;
    until_status(&mut at_engine, "Last_SQL_Errno", "1032").await
}

/// PostgreSQL undoes the row that does not fit, and takes those in an insert's way away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotent_rows_end_in_postgresql_as_on_a_replica_of_mysql() -> Result {
    let (source, judge) = followed("replica-exec-mode=IDEMPOTENT").await?;
    let target = Postgres::start(&[]).await?;
    let option = "replica_exec_mode=IDEMPOTENT";
    let replica = Weir::following(9, source.port, &[option, &target.target()]).await?;
    let mut at_source = source.client().await?;
    let insert = ["INSERT INTO d.t VALUES (4, 1, 66), (5, 5, 5)"];
    for statements in [&COMMON[..], &UNLOGGED, &insert, &MISFITS] {
        at_source.run(statements).await?;
    }
    let (mut at_judge, mut at_replica) = (judge.client().await?, replica.client().await?);
    until_gtids_executed(&mut at_source, &mut at_judge, PATIENCE).await?;
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    compare(&mut at_judge, &target, &["d"]).await?;
    let let_pass = passed(&replica).await?;
    let wanted = "replica_exec_mode 1032: 2; replica_exec_mode 1062: 3";
    ensure(let_pass == wanted, || let_pass.clone())?;
    at_replica
        .execute("SET GLOBAL replica_exec_mode = 'STRICT'")
        .await?;
    at_source.execute("DELETE FROM d.t WHERE a = 80").await?;
    until_status(&mut at_replica, "Last_SQL_Errno", "1032").await
}

/// MariaDB has no such mode for a session: what it cannot do stops by name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idempotent_rows_replace_by_the_primary_key_on_mariadb() -> Result {
    let (source, judge) = followed("replica-exec-mode=IDEMPOTENT").await?;
    let target = RealServer::start(Peer::MariaDb118, 3, &[]).await?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let option = "replica_exec_mode=IDEMPOTENT";
    let replica = Weir::following(9, source.port, &[option, &to]).await?;
    let mut at_source = source.client().await?;
    let insert = ["INSERT INTO d.t VALUES (4, 1, 40), (5, 5, 5)"];
    for statements in [&COMMON[..], &UNLOGGED, &insert, &MISFITS] {
        at_source.run(statements).await?;
    }
    let (mut at_judge, mut at_target) = (judge.client().await?, target.client().await?);
    let mut at_replica = replica.client().await?;
    until_gtids_executed(&mut at_source, &mut at_judge, PATIENCE).await?;
    let executed = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
    executed.map_err(|failure| replica.explain(failure))?;
    let (found, expected) = (rows(&mut at_target).await?, rows(&mut at_judge).await?);
    ensure(found == expected, || {
        format!("{found} but MySQL: {expected}")
    })?;
    at_source
        .execute("INSERT INTO d.t VALUES (90, 9, 66)")
        .await?;
    until_status(&mut at_replica, "Last_SQL_Errno", "1062").await?;
    let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
    ensure(error.contains("another primary key"), || error.clone())
}

/// Rows alone in their events end as on a replica of MySQL, which passes over the rest of an event too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn skipped_errors_pass_over_the_row_that_failed() -> Result {
    let option = "replica-skip-errors=ddl_exist_errors,1062,1032";
    let (source, judge) = followed(option).await?;
    let target = RealServer::start(Peer::MySql97, 3, &[]).await?;
    let in_engine = Weir::following(8, source.port, &[option]).await?;
    let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
    let to_server = Weir::following(9, source.port, &[option, &to]).await?;
    let mut at_source = source.client().await?;
    let ddl = [
        "SET sql_log_bin = 0",
        "DROP TABLE d.n",
        "SET sql_log_bin = 1",
        "CREATE TABLE d.n (a INT PRIMARY KEY)",
        "INSERT INTO d.n VALUES (0)",
        "INSERT INTO d.t VALUES (4, 1, 66)",
        "INSERT INTO d.t VALUES (5, 5, 5)",
        "UPDATE d.t SET b = 9 WHERE a = 80",
        "DELETE FROM d.t WHERE a = 81",
        "UPDATE d.t SET u = 77 WHERE a = 5",
    ];
    for statements in [&COMMON[..], &UNLOGGED[..3], &["SET sql_log_bin = 1"], &ddl] {
        at_source.run(statements).await?;
    }
    let (mut at_judge, mut at_target) = (judge.client().await?, target.client().await?);
    let mut at_engine = in_engine.client().await?;
    until_gtids_executed(&mut at_source, &mut at_judge, PATIENCE).await?;
    let expected = rows(&mut at_judge).await?;
    let text = "INSERT INTO d.n VALUES (7), (0), (8)";
    for (replica, rows_at) in [(&in_engine, &mut at_engine), (&to_server, &mut at_target)] {
        let executed = until_gtids_executed(&mut at_source, rows_at, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        let found = rows(rows_at).await?;
        ensure(found == expected, || {
            format!("{found} but MySQL: {expected}")
        })?;
        let passed = passed(replica).await?;
        let wanted = "replica_skip_errors 1032: 2; replica_skip_errors 1050: 1; \
                      replica_skip_errors 1062: 3";
        ensure(passed == wanted, || passed.clone())?;
    }
    at_source
        .run(&[
            "SET sql_log_bin = 0",
            "DELETE FROM d.n",
            "SET sql_log_bin = 1",
            text,
        ])
        .await?;
    for (replica, rows_at) in [(&in_engine, &mut at_engine), (&to_server, &mut at_target)] {
        let executed = until_gtids_executed(&mut at_source, rows_at, PATIENCE).await;
        executed.map_err(|failure| replica.explain(failure))?;
        let found = rows_at.answer("SELECT a FROM d.n ORDER BY a").await?;
        ensure(found.contains("[[0], [7], [8]]"), || found.clone())?;
    }
    let shown = at_engine.answer("SELECT @@replica_skip_errors").await?;
    let judged = at_judge.answer("SELECT @@replica_skip_errors").await?;
    ensure(shown == judged, || format!("{shown} but MySQL: {judged}"))
}
