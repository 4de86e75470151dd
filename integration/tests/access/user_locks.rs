//! GET_LOCK and its like, each statement on a Weir primary and on MySQL 9.7.

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir, wait};

/// Sessions of one server.
struct Sessions(Vec<Client>);

/// By session and statement: which answers both servers must give alike.
const SCRIPT: &[(usize, &str)] = &[
    (
        0,
        "SELECT GET_LOCK('one', 0), GET_LOCK('One', 10), GET_LOCK('two', -1)",
    ),
    (
        1,
        "SELECT GET_LOCK('ONE', 0), GET_LOCK('one', 0.05), GET_LOCK('one', NULL)",
    ),
    (
        1,
        "SELECT IS_FREE_LOCK('one'), IS_FREE_LOCK('three'), IS_USED_LOCK('three')",
    ),
    (1, "SELECT IS_USED_LOCK('one') = CONNECTION_ID()"),
    (0, "SELECT IS_USED_LOCK('one') = CONNECTION_ID()"),
    (1, "SELECT RELEASE_LOCK('one'), RELEASE_LOCK('three')"),
    (0, "SELECT RELEASE_LOCK('one')"),
    (1, "SELECT GET_LOCK('one', 0)"),
    (0, "SELECT RELEASE_LOCK('one'), RELEASE_LOCK('one')"),
    (1, "SELECT GET_LOCK('one', 0)"),
    (0, "SELECT RELEASE_ALL_LOCKS(), RELEASE_ALL_LOCKS()"),
    (1, "SELECT GET_LOCK('two', 0)"),
    (0, "SELECT GET_LOCK(NULL, 0)"),
    (0, "SELECT GET_LOCK('', 0)"),
    (0, "SELECT RELEASE_LOCK(NULL)"),
    (0, "SELECT IS_FREE_LOCK(REPEAT('x', 65))"),
    (0, "SELECT GET_LOCK(REPEAT('ä', 64), 0)"),
    (0, "SELECT RELEASE_LOCK(REPEAT('ä', 300))"),
    (0, "SELECT GET_LOCK(X'616263', 0), IS_FREE_LOCK('abc')"),
    (0, "DO GET_LOCK('done', 0)"),
    (1, "SELECT IS_FREE_LOCK('done')"),
    (
        0,
        "SELECT GET_LOCK(name, 0) FROM (SELECT 'r1' AS name UNION ALL SELECT 'r2') AS names",
    ),
    (1, "SELECT IS_FREE_LOCK('r1'), IS_FREE_LOCK('r2')"),
    (0, "SELECT RELEASE_ALL_LOCKS()"),
    // What others commit before the lock is there is seen behind it, also in a transaction.
    (0, "CREATE DATABASE d"),
    (0, "CREATE TABLE d.t (a INT PRIMARY KEY)"),
    (1, "START TRANSACTION"),
    (1, "SELECT GET_LOCK('snapshot', 0)"),
    (0, "INSERT INTO d.t VALUES (1)"),
    (1, "SELECT COUNT(*) FROM d.t"),
    (0, "INSERT INTO d.t VALUES (2)"),
    (1, "SELECT COUNT(*) FROM d.t"),
    (1, "COMMIT"),
];

async fn sessions(port: u16) -> Result<Sessions> {
    Ok(Sessions(vec![
        Client::connect(&ClientOptions::root(port)).await?,
        Client::connect(&ClientOptions::root(port)).await?,
    ]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_that_clients_name_are_those_of_mysql() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut ours = sessions(weir.port).await?;
    let mut theirs = sessions(mysql.port).await?;
    for (session, statement) in SCRIPT {
        let (Some(mine), Some(other)) = (ours.0.get_mut(*session), theirs.0.get_mut(*session))
        else {
            continue;
        };
        let (mine, other) = (
            mine.answer(statement).await?,
            other.answer(statement).await?,
        );
        ensure(mine == other, || {
            format!("session {session}: {statement}\nMySQL: {other}\nWeir:  {mine}")
        })?;
    }
    Ok(())
}

/// Who waits gets the lock when its holder releases it, or ends; who would wait for ever does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_passes_on_when_its_holder_releases_it_or_is_gone() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let Sessions(mut clients) = sessions(weir.port).await?;
    let (Some(mut second), Some(mut first)) = (clients.pop(), clients.pop()) else {
        return Ok(());
    };
    for ending in ["release", "end"] {
        ensure(
            first
                .value("SELECT GET_LOCK('passed', 0)")
                .await?
                .to_string()
                == "1",
            || "not taken".to_owned(),
        )?;
        second.execute("DO GET_LOCK('other', 0)").await?;
        let waiting = tokio::spawn(async move {
            let got = second.value("SELECT GET_LOCK('passed', 30)").await;
            (second, got)
        });
        let waits = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE \
                     'SELECT GET_LOCK%passed%30%'";
        wait::until("somebody waits", wait::PATIENCE, || async {
            let count = weir.client().await?.value(waits).await?.to_string();
            Ok(if count == "1" { Ok(()) } else { Err(count) })
        })
        .await?;
        let refused = first.answer("SELECT GET_LOCK('other', 30)").await?;
        ensure(refused.contains("3058"), || refused)?;
        match ending {
            "release" => first.execute("DO RELEASE_LOCK('passed')").await.map(drop)?,
            _ => {
                first.close().await?;
                first = weir.client().await?;
            }
        }
        let (client, got) = waiting.await?;
        second = client;
        ensure(got?.to_string() == "1", || ending.to_owned())?;
        second.execute("DO RELEASE_ALL_LOCKS()").await?;
    }
    Ok(())
}
