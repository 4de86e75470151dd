//! Statements that promise to hold others up: they do, or are refused by name.

use std::time::Duration;

use integration::failure::ensure;
use integration::peers::Peer;
use integration::sql::ClientOptions;
use integration::{Client, RealServer, Result, Weir, wait};

async fn with_table(port: u16) -> Result<Client> {
    let mut root = Client::connect(&ClientOptions::root(port)).await?;
    root.run(&[
        "CREATE DATABASE d",
        "CREATE TABLE d.t (id INT PRIMARY KEY, v INT)",
        "INSERT INTO d.t VALUES (1, 1), (2, 2)",
    ])
    .await?;
    Ok(root)
}

async fn another(port: u16) -> Result<Client> {
    let mut client = Client::connect(&ClientOptions::root(port)).await?;
    client.execute("SET innodb_lock_wait_timeout = 1").await?;
    Ok(client)
}

/// What a statement comes to: its number, or done.
async fn code(client: &mut Client, statement: &str) -> Result<u16> {
    Ok(match client.attempt(statement).await? {
        Ok(_) => 0,
        Err(error) => error.code,
    })
}

/// What NOWAIT comes to beside a writer and without one.
async fn nowait(port: u16) -> Result<Vec<u16>> {
    let mut writer = with_table(port).await?;
    let mut reader = another(port).await?;
    writer
        .run(&["BEGIN", "UPDATE d.t SET v = 9 WHERE id = 1"])
        .await?;
    let locking = "SELECT v FROM d.t WHERE id = 1 FOR UPDATE NOWAIT";
    let mut codes = vec![code(&mut reader, locking).await?];
    reader.execute("BEGIN").await?;
    codes.push(code(&mut reader, locking).await?);
    reader.execute("ROLLBACK").await?;
    writer.execute("COMMIT").await?;
    codes.push(code(&mut reader, locking).await?);
    Ok(codes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nowait_does_not_wait_as_in_mysql() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let (own, theirs) = (nowait(node.port).await?, nowait(mysql.port).await?);
    ensure(own == theirs, || format!("Weir {own:?}, MySQL {theirs:?}"))?;
    ensure(own == [3572, 3572, 0], || format!("{own:?}"))?;
    let mut client = another(node.port).await?;
    let skipping = code(&mut client, "SELECT v FROM d.t FOR UPDATE SKIP LOCKED").await?;
    ensure(skipping == 1235, || format!("SKIP LOCKED: {skipping}"))
}

/// Two transactions that read both rows and change one each: what the second change comes to.
async fn write_skew(port: u16) -> Result<u16> {
    let mut one = with_table(port).await?;
    let mut other = another(port).await?;
    let serializable = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE";
    one.run(&[serializable, "SET innodb_lock_wait_timeout = 1"])
        .await?;
    other.execute(serializable).await?;
    one.run(&["BEGIN", "DO 1"]).await?;
    one.value("SELECT SUM(v) FROM d.t").await?;
    other.execute("BEGIN").await?;
    let read = code(&mut other, "SELECT SUM(v) FROM d.t").await?;
    one.execute("ROLLBACK").await?;
    Ok(read)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serializable_transactions_cannot_both_decide_on_what_they_read() -> Result {
    let node = Weir::primary(1, &[]).await?;
    // MySQL lets both read and refuses the second change; here the second one waits to read.
    let read = write_skew(node.port).await?;
    ensure(read == 1205, || format!("the second reader: {read}"))?;
    let mut root = node.client().await?;
    let mut other = another(node.port).await?;
    root.run(&[
        "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "BEGIN",
    ])
    .await?;
    root.value("SELECT v FROM d.t WHERE id = 1").await?;
    let change = code(&mut other, "UPDATE d.t SET v = 5 WHERE id = 1").await?;
    ensure(change == 1205, || {
        format!("a change of what was read: {change}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lock_tables_holds_up_the_writers_that_it_should_as_in_mysql() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut said = Vec::new();
    for port in [node.port, mysql.port] {
        let mut owner = with_table(port).await?;
        let mut other = another(port).await?;
        other.execute("SET lock_wait_timeout = 1").await?;
        let mut codes = Vec::new();
        for lock in ["WRITE", "READ"] {
            owner.execute(&format!("LOCK TABLES d.t {lock}")).await?;
            codes.push(code(&mut owner, "UPDATE d.t SET v = 3 WHERE id = 2").await?);
            codes.push(code(&mut other, "UPDATE d.t SET v = 4 WHERE id = 2").await?);
            owner.execute("UNLOCK TABLES").await?;
            codes.push(code(&mut other, "UPDATE d.t SET v = 5 WHERE id = 2").await?);
        }
        said.push(codes);
    }
    ensure(said.first() == said.last(), || {
        format!("Weir and MySQL: {said:?}")
    })?;
    let expected = [0, 1205, 0, 1099, 1205, 0];
    ensure(said.first().is_some_and(|codes| codes == &expected), || {
        format!("{said:?}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flush_tables_with_read_lock_stops_the_applier_of_a_replica() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut source = with_table(node.port).await?;
    let lines = [
        "source_host=127.0.0.1".to_owned(),
        format!("source_port={}", node.port),
        "source_user=root".to_owned(),
    ];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replica = Weir::replica(2, &lines).await?;
    let applied = async |expected: &str| {
        wait::until("the replica follows", wait::PATIENCE, || async {
            let mut client = replica.client().await?;
            let found = match client.rows("SELECT COUNT(*) FROM d.t").await {
                Ok(rows) => format!("{rows:?}"),
                Err(failure) => failure.to_string(),
            };
            Ok(if found == expected {
                Ok(())
            } else {
                Err(found)
            })
        })
        .await
    };
    applied("[[2]]").await?;
    let mut locker = replica.client().await?;
    locker.execute("FLUSH TABLES WITH READ LOCK").await?;
    let stop = code(&mut locker, "STOP REPLICA").await?;
    ensure(stop == 1192, || {
        format!("STOP REPLICA under the lock: {stop}")
    })?;
    let executed = "SELECT @@GLOBAL.gtid_executed";
    let before = locker.value(executed).await?.to_string();
    source.execute("INSERT INTO d.t VALUES (3, 3)").await?;
    wait::let_run(Duration::from_millis(700)).await;
    let rows = locker.value("SELECT COUNT(*) FROM d.t").await?.to_string();
    let after = locker.value(executed).await?.to_string();
    ensure(rows == "2" && before == after, || {
        format!("{rows} rows under the lock; {before}, then {after}")
    })?;
    locker.execute("UNLOCK TABLES").await?;
    applied("[[3]]").await
}
