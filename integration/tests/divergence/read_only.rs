//! Fences: read_only and super_read_only.

use integration::failure::ensure;
use integration::wait::{self, PATIENCE};
use integration::{Client, Result, Weir};

use super::fleet::Fleet;

/// Error 1290, as MySQL 9.7 words it.
async fn refused(client: &mut Client, statement: &str, option: &str) -> Result {
    let answer = client.attempt(statement).await?;
    let error = answer.err().map(|error| (error.code, error.message));
    let text = format!(
        "The MySQL server is running with the {option} option so it cannot execute this statement"
    );
    ensure(error == Some((1290, text)), || {
        format!("{statement}: {error:?}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_commits_behind_super_read_only() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mut admin = fleet.primary.client().await?;
    let mut open = fleet.primary.client().await?;
    admin
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY)",
            "INSERT INTO d.t VALUES (1)",
        ])
        .await?;
    open.run(&["BEGIN", "INSERT INTO d.t VALUES (2)"]).await?;
    // A statement that waits for the transaction's end, as its client cannot tell.
    let mut waiting = fleet.primary.client().await?;
    let id = waiting.value("SELECT CONNECTION_ID()").await?.to_string();
    let waits = tokio::spawn(async move { waiting.attempt("INSERT INTO d.t VALUES (3)").await });
    let query = format!("SELECT INFO FROM information_schema.PROCESSLIST WHERE ID = {id}");
    wait::until("the INSERT has arrived", PATIENCE, || {
        let (query, port) = (query.clone(), fleet.primary.port);
        async move {
            let options = integration::sql::ClientOptions::root(port);
            let mut client = Client::connect(&options).await?;
            let info = client.value(&query).await?.to_string();
            Ok(if info.contains("INSERT") {
                Ok(())
            } else {
                Err(info)
            })
        }
    })
    .await?;
    admin.execute("SET GLOBAL super_read_only = ON").await?;
    let executed = "SELECT @@GLOBAL.gtid_executed";
    let fenced = admin.value(executed).await?;
    refused(&mut open, "COMMIT", "--super-read-only").await?;
    let waited = waits.await??;
    assert_eq!(waited.err().map(|error| error.code), Some(1290));
    refused(
        &mut admin,
        "INSERT INTO d.t VALUES (4)",
        "--super-read-only",
    )
    .await?;
    refused(&mut admin, "CREATE TABLE d.u (id INT)", "--super-read-only").await?;
    assert_eq!(admin.value(executed).await?, fenced);
    assert_eq!(
        admin.value("SELECT COUNT(*) FROM d.t").await?.to_string(),
        "1"
    );
    fleet.replay_the_log(&["d"]).await?;
    fleet.ensure_alike(&["d"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_is_met_by_the_commit_of_those_it_concerns() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let mut admin = primary.client().await?;
    admin
        .run(&[
            "CREATE DATABASE d",
            "CREATE TABLE d.t (id INT PRIMARY KEY)",
            "CREATE USER app IDENTIFIED BY ''",
            "GRANT ALL ON d.* TO app",
        ])
        .await?;
    let mut options = integration::sql::ClientOptions::root(primary.port);
    options.user = "app".to_owned();
    let mut app = Client::connect(&options).await?;
    app.run(&["BEGIN", "INSERT INTO d.t VALUES (1)"]).await?;
    admin.execute("SET GLOBAL read_only = ON").await?;
    refused(&mut app, "COMMIT", "--read-only").await?;
    admin.execute("INSERT INTO d.t VALUES (2)").await?;
    admin.execute("SET GLOBAL read_only = OFF").await?;
    app.run(&["BEGIN", "INSERT INTO d.t VALUES (3)", "COMMIT"])
        .await?;
    let rows = admin.rows("SELECT id FROM d.t ORDER BY id").await?;
    let ids: Vec<String> = rows.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(ids, ["2", "3"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_takes_over_what_changed_in_the_file_only() -> Result {
    let directory = tempfile::tempdir()?;
    let log = directory.path().join("messages");
    let line = format!("log-error={}", log.display());
    let mut primary = Weir::primary(1, &[&line, "sync_binlog=1"]).await?;
    let mut client = primary.client().await?;
    client.execute("SET GLOBAL super_read_only = ON").await?;
    let told = || std::fs::read_to_string(&log).unwrap_or_default();
    let reload = async |node: &mut Weir, times: usize| {
        let process = node
            .process()
            .ok_or_else(|| integration::Failure::new("not running"))?;
        process.signal("HUP")?;
        wait::until("the configuration is read again", PATIENCE, || async {
            let count = told().matches("configuration read again").count();
            Ok(if count >= times { Ok(()) } else { Err(count) })
        })
        .await
    };
    reload(&mut primary, 1).await?;
    let fence = "SELECT CONCAT(@@GLOBAL.read_only, @@GLOBAL.super_read_only)";
    assert_eq!(client.value(fence).await?.to_string(), "11");
    // What changed is taken over, and what takes a restart is named.
    let file = std::fs::read_to_string(primary.option_file())?;
    let changed = file.replace("sync_binlog=1", "sync_binlog=7\nmax_connections=77");
    std::fs::write(primary.option_file(), changed)?;
    reload(&mut primary, 2).await?;
    wait::until("max_connections is taken over", PATIENCE, || {
        let port = primary.port;
        async move {
            let options = integration::sql::ClientOptions::root(port);
            let mut client = Client::connect(&options).await?;
            let seen = client
                .value("SELECT @@GLOBAL.max_connections")
                .await?
                .to_string();
            Ok(if seen == "77" { Ok(()) } else { Err(seen) })
        }
    })
    .await?;
    assert_eq!(client.value(fence).await?.to_string(), "11");
    let told = told();
    let waits = told.lines().find(|line| line.contains("takes a restart"));
    assert!(
        waits.is_some_and(|line| line.contains("sync_binlog")),
        "{told}"
    );
    Ok(())
}
