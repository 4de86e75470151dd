//! Values that read differently than they look are stored as on MySQL 9.7, whichever way they come in,
//! and the replicas hold the same.

use integration::failure::ensure;
use integration::{Client, Peer, RealServer, Result};
use mysql_async::{Params, Value};

use super::fleet::Fleet;

const STRICT: &str = "STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE";

/// Columns, sql_modes and values as SQL.
const VALUES: &[(&str, &str, &str)] = &[
    ("TIME(6)", STRICT, "'10:11:12.000000'"),
    ("TIME(6)", STRICT, "'00:01:02.000001'"),
    ("TIME(6)", STRICT, "'10:11:12.000001'"),
    ("TIME", STRICT, "'10:11:12.000000'"),
    ("TIME(3)", "", "'00:00:00.000'"),
    ("DATE", STRICT, "'2001-01-01 23:59:59.9'"),
    ("DATE", "", "'2001-01-01 23:59:59.9'"),
    ("DATE", "", "'2001-12-31 23:59:59.9999999'"),
    ("INT", STRICT, "TIME'10:10:59.5'"),
    ("BIGINT", STRICT, "TIME'10:59:59.5'"),
    ("INT", "", "TIME'23:59:59.9'"),
    ("DECIMAL(10,2)", "", "'1e-4294967296'"),
    ("DECIMAL(10,2)", "", "'1e4294967296'"),
    ("DECIMAL(10,2)", STRICT, "'1e-40'"),
    ("DATE", "", "'00-00-00'"),
    ("DATE", STRICT, "'00-00-00'"),
    ("DATE", "", "'0-0-0'"),
    ("DATETIME", "", "'5-10-10'"),
    ("DATETIME", STRICT, "'5-10-10'"),
    ("DATETIME", STRICT, "'05-10-10 1:2:3'"),
    ("DATE", "ALLOW_INVALID_DATES", "'2009-04-31'"),
    ("DATETIME", "ALLOW_INVALID_DATES", "'2009-04-31 10:00:00'"),
    ("TIMESTAMP NULL", "ALLOW_INVALID_DATES", "'2009-04-31'"),
    ("DATE", STRICT, "'2009-04-31'"),
    ("TIME", "", "123456789"),
    ("TIME", STRICT, "123456789"),
    ("TIME", "", "-123456789"),
    ("TIME", "", "8385959"),
    ("CHAR(5)", STRICT, "123456.789e0"),
    ("CHAR(5)", "", "123456.789e0"),
    ("CHAR(5)", STRICT, "1.5e300"),
    ("VARCHAR(6)", STRICT, "0.1e0 + 0.2e0"),
    ("CHAR(10)", STRICT, "1e0 / 3e0"),
];

/// Cases of the table, each in a table of its own: one by literal, one by a prepared statement.
async fn store(client: &mut Client) -> Result<Vec<String>> {
    client.execute("CREATE DATABASE given").await?;
    let mut lines = Vec::new();
    for (number, (column, mode, value)) in VALUES.iter().enumerate() {
        let table = format!("given.t{number}");
        client
            .run(&[
                format!("CREATE TABLE {table} (id INT PRIMARY KEY, v {column})"),
                format!("SET sql_mode = '{mode}'"),
            ])
            .await?;
        let insert = format!("INSERT INTO {table} VALUES");
        let mut ends = vec![
            client
                .end_of(&format!("{insert} (1, {value})"), None)
                .await?,
            client.end_of(&format!("{insert} (3, NULL)"), None).await?,
            client
                .end_of(
                    &format!("UPDATE {table} SET v = {value} WHERE id = 3"),
                    None,
                )
                .await?,
        ];
        // A parameter with such an exponent is in docs/COMPATIBILITY.md.
        let text = value.strip_prefix('\'');
        if let Some(text) = text.filter(|text| !text.contains("4294967296")) {
            let text = Value::from(text.trim_end_matches('\''));
            let given = Some(Params::Positional(vec![text]));
            ends.push(client.end_of(&format!("{insert} (2, ?)"), given).await?);
        }
        let rows = client
            .rows(&format!("SELECT id, v, v + 0 FROM {table} ORDER BY id"))
            .await?;
        let ends: Vec<String> = ends.iter().map(ToString::to_string).collect();
        lines.push(format!(
            "{column} in '{mode}' from {value}: {}; {rows:?}",
            ends.join(", ")
        ));
    }
    client.execute("SET sql_mode = DEFAULT").await?;
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_read_differently_than_they_look_are_stored_as_on_mysql_97() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 9, &[]).await?;
    let seen = store(&mut fleet.primary.client().await?).await?;
    let expected = store(&mut mysql.client().await?).await?;
    let wrong: Vec<String> = seen
        .iter()
        .zip(&expected)
        .filter(|(seen, expected)| seen != expected)
        .map(|(seen, expected)| format!("Weir:  {seen}\nMySQL: {expected}"))
        .collect();
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    fleet.ensure_alike(&["given"]).await?;
    fleet.replay_the_log(&["given"]).await
}

/// A number as text is no document, and a number as a number is one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn documents_hold_what_they_were_given_as_on_mysql_97() -> Result {
    let mut fleet = Fleet::start(&[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 9, &[]).await?;
    let statements = [
        "CREATE DATABASE given",
        "CREATE TABLE given.j (id INT PRIMARY KEY, v JSON)",
        "INSERT INTO given.j VALUES (1, '3.14')",
        "INSERT INTO given.j VALUES (2, 3.14)",
        "INSERT INTO given.j VALUES (3, 3.14e0)",
        "INSERT INTO given.j VALUES (4, 3140)",
        "INSERT INTO given.j VALUES (5, '3140')",
        "INSERT INTO given.j VALUES (6, 'abc')",
        "INSERT INTO given.j VALUES (7, TRUE)",
        "INSERT INTO given.j VALUES (8, DATE'2001-01-01')",
        "SELECT id, v, JSON_TYPE(v), v + 1 FROM given.j WHERE id IN (1, 3, 4, 5) ORDER BY id",
        "SELECT id, v, v + 1 FROM given.j WHERE id = 2",
    ];
    let (mut own, mut theirs) = (fleet.primary.client().await?, mysql.client().await?);
    let mut wrong = Vec::new();
    for statement in statements {
        let (seen, expected) = (
            own.answer(statement).await?,
            theirs.answer(statement).await?,
        );
        if seen != expected {
            wrong.push(format!("{statement}\n  Weir:  {seen}\n  MySQL: {expected}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    fleet.ensure_alike(&["given"]).await?;
    fleet.replay_the_log(&["given"]).await
}
