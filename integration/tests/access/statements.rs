//! Hostile statements: deep, long, nested, growing.

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

use crate::shapes::NESTED;

/// Answers that say no by saying why.
const REFUSALS: [u16; 6] = [1064, 1116, 1235, 1436, 1473, 3170];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_is_deep_enough_to_end_the_process() -> Result {
    let mut weir = Weir::primary(1, &[]).await?;
    let mut replica = Weir::replica(2, &[]).await?;
    weir.client()
        .await?
        .run(&["CREATE DATABASE mine", "CREATE TABLE mine.t (a INT)"])
        .await?;
    for node in [&mut weir, &mut replica] {
        node.client()
            .await?
            .execute("CREATE USER app IDENTIFIED BY 'x'")
            .await?;
        let mut app = client(node.port).await?;
        for (name, shape) in NESTED {
            for n in [10, 300, 700, 760, 1000, 4000, 20_000, 60_000] {
                let answer = app.attempt(&shape(n)).await;
                let answer = answer
                    .map_err(|failure| node.explain(failure.during(format!("{name} {n}"))))?;
                if let Err(error) = answer
                    && n >= 20_000
                    && error.message.contains("overrun")
                {
                    ensure(error.code == 1436, || error.message.clone())?;
                }
            }
        }
        ensure(node.process().is_some(), || "the node ended".to_owned())?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_chains_of_or_are_answered_as_in_mysql_97() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let (mut on_weir, mut on_mysql) = (weir.client().await?, mysql.client().await?);
    let terms: String = (0..20_000)
        .map(|i| format!("a = {i} OR b = {i} OR "))
        .collect();
    let ranges: String = (0..5_000)
        .map(|i| format!("(a > {i} AND b < {i}) OR "))
        .collect();
    for client in [&mut on_weir, &mut on_mysql] {
        client
            .run(&[
                "CREATE DATABASE mine",
                "CREATE TABLE mine.t (a INT, b INT)",
                "INSERT INTO mine.t VALUES (19999, 1), (50000, 50000), (NULL, 3), (7, NULL)",
            ])
            .await?;
    }
    for statement in [
        format!("SELECT * FROM mine.t WHERE {terms} FALSE"),
        format!("SELECT * FROM mine.t WHERE NOT ({terms} FALSE)"),
        format!("SELECT * FROM mine.t WHERE {ranges} a = 7"),
        format!("SELECT {} NULL", "1 AND ".repeat(20_000)),
        format!("SELECT {} 0", "NULL OR ".repeat(20_000)),
        format!("UPDATE mine.t SET a = a + 1 WHERE {terms} FALSE"),
        format!("DELETE FROM mine.t WHERE {terms} FALSE"),
        "SELECT * FROM mine.t".to_owned(),
    ] {
        let expected = on_mysql.attempt(&statement).await?;
        let seen = on_weir
            .attempt(&statement)
            .await
            .map_err(|failure| weir.explain(failure))?;
        let start: String = statement.chars().take(60).collect();
        ensure(
            seen.as_ref().ok() == expected.as_ref().ok() && seen.is_ok() == expected.is_ok(),
            || format!("{start}: Weir {seen:?}, MySQL {expected:?}"),
        )?;
        if statement.starts_with("SELECT *") {
            let (seen, expected) = (
                on_weir.rows(&statement).await?,
                on_mysql.rows(&statement).await?,
            );
            ensure(seen == expected, || {
                format!("{start}: Weir {seen:?}, MySQL {expected:?}")
            })?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_expression_kept_in_a_table_ends_nothing() -> Result {
    let mut weir = Weir::primary(1, &[]).await?;
    let mut root = weir.client().await?;
    root.execute("CREATE DATABASE mine").await?;
    for n in [100, 600, 720, 750, 900, 5000] {
        for (index, column) in ["DEFAULT (1{})", "AS (1{}) STORED", "CHECK (1{})"]
            .iter()
            .enumerate()
        {
            let table = format!("mine.t{n}_{index}");
            let column = column.replace("{}", &" + 1".repeat(n));
            let create = format!("CREATE TABLE {table} (a INT, b INT {column})");
            let created = root.attempt(&create).await?;
            let Err(error) = created else {
                let inserted = root
                    .attempt(&format!("INSERT INTO {table} (a) VALUES (1)"))
                    .await;
                let inserted = inserted.map_err(|failure| weir.explain(failure))?;
                ensure(
                    !matches!(&inserted, Err(error) if error.code == 1436),
                    || format!("{table}: {inserted:?}"),
                )?;
                continue;
            };
            ensure(REFUSALS.contains(&error.code), || {
                format!("{table}: {}", error.code)
            })?;
        }
    }
    // What was accepted is read again after a restart.
    weir.kill()?;
    weir.launch().await?;
    weir.client().await?.rows("SHOW TABLES FROM mine").await?;
    Ok(())
}

/// A session of the account that has rights on one database.
pub(crate) async fn client(port: u16) -> Result<Client> {
    let options = ClientOptions {
        port,
        user: "app".to_owned(),
        password: "x".to_owned(),
        tls: true,
    };
    Client::connect(&options).await
}
