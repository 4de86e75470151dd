//! The same statements on Weir and on MySQL 9.7 give the same rows, column names, counts and errors.
//!
//! The statements are in `answers/`, one per line. Whatever MySQL does Weir must do; a construct that
//! Weir refuses is allowed only with error 1235 and is counted, so that the list can only shrink.

use integration::chance::announce;
use integration::failure::ensure;
use integration::{Client, Peer, RealServer, Result, Weir};

const SCHEMA: &str = include_str!("answers/schema.sql");
const QUERIES: &str = include_str!("answers/queries.sql");
const CHANGES: &str = include_str!("answers/changes.sql");

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn weir_answers_as_mysql_97_does() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    for client in [&mut on_weir, &mut on_mysql] {
        client.execute("SET time_zone = '+00:00'").await?;
        client.run(&SCHEMA.lines().collect::<Vec<_>>()).await?;
    }
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    for statement in QUERIES
        .lines()
        .chain(CHANGES.lines())
        .chain(["SELECT * FROM t", "SELECT * FROM s"])
    {
        let expected = answer(&mut on_mysql, statement).await?;
        let seen = match answer(&mut on_weir, statement).await {
            Ok(seen) => seen,
            Err(failure) => return Err(weir.explain(failure)),
        };
        if seen == expected {
            continue;
        }
        if seen.starts_with("error 1235") {
            refused.push(statement);
        } else {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    announce(&format!("refused with 1235: {refused:#?}"));
    ensure(wrong.is_empty(), || {
        format!("{} answers differ:\n{}", wrong.len(), wrong.join("\n"))
    })?;
    ensure(refused.len() <= REFUSED_MAX, || {
        format!("{} are refused", refused.len())
    })
}

/// How many of the statements may be refused today.
const REFUSED_MAX: usize = 20;

async fn answer(client: &mut Client, statement: &str) -> Result<String> {
    client.answer(statement).await
}
