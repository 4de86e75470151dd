//! Values and grants that MySQL refuses are refused with its number.

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};
use mysql_async::{Params, Value};

use super::row_order::ensure_alike;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_nest_no_deeper_than_on_mysql() -> Result {
    let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
    let (most, more) = (nested(100), nested(101));
    let broken = "[".repeat(101) + "x]";
    let members = "{\"a\":".repeat(101) + "1" + &"}".repeat(101);
    let statements = [
        "CREATE DATABASE nested".to_owned(),
        "CREATE TABLE nested.t (j JSON)".to_owned(),
        format!("SELECT JSON_DEPTH('{most}')"),
        format!("SELECT JSON_DEPTH('{more}')"),
        format!("SELECT JSON_EXTRACT('{}', '$')", nested(200)),
        format!("SELECT JSON_EXTRACT('{broken}', '$')"),
        format!("SELECT JSON_EXTRACT('{members}', '$')"),
        format!("SELECT JSON_VALID('{more}')"),
        format!("SELECT CAST('{more}' AS JSON)"),
        format!("INSERT INTO nested.t VALUES ('{more}')"),
        format!("INSERT INTO nested.t VALUES ('{most}')"),
        "UPDATE nested.t SET j = JSON_ARRAY(j)".to_owned(),
    ];
    let statements: Vec<&str> = statements.iter().map(String::as_str).collect();
    ensure_alike(&statements).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_nobody_granted_is_not_revoked() -> Result {
    ensure_alike(&[
        "CREATE DATABASE d",
        "CREATE USER a1, a4",
        "GRANT SELECT ON d.* TO a4",
        "REVOKE SELECT ON d.* FROM a4, a1",
        "SHOW GRANTS FOR a4",
        "REVOKE SELECT ON d.* FROM a1, a4",
        "REVOKE INSERT ON d.* FROM a4",
        "REVOKE INSERT, SELECT ON d.* FROM a4",
        "SHOW GRANTS FOR a4",
        "REVOKE IF EXISTS SELECT ON d.* FROM a1, a4",
        "SHOW WARNINGS",
        "SHOW GRANTS FOR a4",
        "REVOKE IF EXISTS SELECT ON d.* FROM nobody",
        "REVOKE ALL ON d.* FROM a4",
        "REVOKE ALL ON *.* FROM a4",
    ])
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parameters_that_are_no_dates_are_refused() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    let cases = [
        (2020, 2, 31, 0, 0, 0, 0),
        (2020, 13, 1, 0, 0, 0, 0),
        (2020, 1, 32, 0, 0, 0, 0),
        (10_000, 1, 1, 0, 0, 0, 0),
        (2020, 1, 1, 24, 0, 0, 0),
        (2020, 1, 1, 23, 60, 0, 0),
        (2020, 1, 1, 23, 0, 60, 0),
        (2020, 1, 1, 23, 59, 59, 999_999),
        (2020, 1, 1, 23, 0, 0, 1_000_000),
    ];
    for (year, month, day, hour, minute, second, micros) in cases {
        let value = Value::Date(year, month, day, hour, minute, second, micros);
        let parameters = || Params::Positional(vec![value.clone()]);
        let query = "SELECT CONCAT(?)";
        let here = on_weir.prepared(query, parameters()).await;
        let there = on_mysql.prepared(query, parameters()).await;
        ensure(here.is_ok() == there.is_ok(), || {
            format!(
                "{value:?}: {:?} here, {:?} on MySQL",
                here.err(),
                there.err()
            )
        })?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_default_of_sql_mode_is_strict_and_modes_that_are_not_built_are_refused() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut seen = Vec::new();
    for port in [weir.port, mysql.port] {
        let root = ClientOptions::root(port);
        let mut setting = Client::connect(&root).await?;
        setting
            .run(&[
                "CREATE DATABASE d",
                "CREATE TABLE d.t (a TINYINT)",
                "SET GLOBAL sql_mode = ''",
                "SET GLOBAL sql_mode = DEFAULT",
            ])
            .await?;
        let mode = setting.value("SELECT @@GLOBAL.sql_mode").await?;
        let mut later = Client::connect(&root).await?;
        let refused = later.answer("INSERT INTO d.t VALUES (1000)").await?;
        seen.push((mode.to_string(), refused));
    }
    ensure(seen.first() == seen.last(), || {
        format!("Weir and MySQL: {seen:?}")
    })?;
    ensure(
        seen.iter().all(|(_, answer)| answer.contains("1264")),
        || format!("{seen:?}"),
    )?;
    let mut client = weir.client().await?;
    for mode in ["HIGH_NOT_PRECEDENCE", "PAD_CHAR_TO_FULL_LENGTH"] {
        for statement in [
            format!("SET sql_mode = '{mode}'"),
            format!("SET GLOBAL sql_mode = 'ANSI,{mode}'"),
        ] {
            let error = client.attempt(&statement).await?.err();
            let is_named = error
                .as_ref()
                .is_some_and(|error| error.code == 1235 && error.message.contains(mode));
            ensure(is_named, || format!("{statement}: {error:?}"))?;
        }
    }
    Ok(())
}
