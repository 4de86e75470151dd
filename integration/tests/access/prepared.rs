//! What PREPARE asks for, and what cannot be prepared: as on MySQL 9.7.

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

/// Prepared and run by an account that has every privilege on `mine`, and none elsewhere.
const STATEMENTS: [&str; 36] = [
    "SELECT * FROM victim.s",
    "SELECT a FROM mine.t",
    "SELECT a FROM victim.nothing",
    "SELECT a FROM nowhere.t",
    "SELECT (SELECT MAX(a) FROM victim.s)",
    "TABLE victim.s",
    "VALUES ROW((SELECT MAX(a) FROM victim.s))",
    "DO (SELECT a FROM victim.s)",
    "SET @x = (SELECT a FROM victim.s LIMIT 1)",
    "INSERT INTO victim.s VALUES (9, 9)",
    "INSERT INTO mine.t SELECT * FROM victim.s",
    "INSERT INTO mine.t VALUES (9, 9)",
    "REPLACE INTO victim.s VALUES (1, 1)",
    "UPDATE victim.s SET a = 1",
    "UPDATE mine.t SET a = (SELECT MAX(a) FROM victim.s)",
    "DELETE FROM victim.s",
    "DELETE FROM mine.t WHERE a IN (SELECT a FROM victim.s)",
    "CREATE TABLE victim.x (a INT)",
    "CREATE TABLE mine.l LIKE victim.s",
    "DROP TABLE victim.s",
    "ALTER TABLE victim.s ADD z INT",
    "TRUNCATE victim.s",
    "RENAME TABLE victim.s TO victim.r",
    "CREATE INDEX i ON victim.s (a)",
    "CREATE USER someone",
    "GRANT SELECT ON victim.* TO app",
    "CREATE DATABASE victim2",
    "DROP DATABASE victim",
    "SHOW TABLES FROM victim",
    "SHOW CREATE TABLE victim.s",
    "SHOW COLUMNS FROM victim.s",
    "DESCRIBE victim.s",
    "FLUSH TABLES",
    "SHOW REPLICA STATUS",
    "SHOW BINARY LOGS",
    "CHECKSUM TABLE victim.s",
];

/// Prepared by root, where most of them are refused.
const NOT_FOR_PREPARE: [&str; 28] = [
    "BEGIN",
    "START TRANSACTION",
    "COMMIT",
    "ROLLBACK",
    "SAVEPOINT a",
    "RELEASE SAVEPOINT a",
    "ROLLBACK TO SAVEPOINT a",
    "LOCK TABLES mine.t READ",
    "UNLOCK TABLES",
    "USE mine",
    "HELP 'x'",
    "SHUTDOWN",
    "PURGE BINARY LOGS BEFORE NOW()",
    "SHOW WARNINGS",
    "SHOW ERRORS",
    "SHOW VARIABLES",
    "SHOW BINARY LOG STATUS",
    "ALTER DATABASE mine CHARSET utf8mb4",
    "CHECK TABLE mine.t",
    "ANALYZE TABLE mine.t",
    "OPTIMIZE TABLE mine.t",
    "FLUSH TABLES WITH READ LOCK",
    "KILL QUERY 1",
    "SET sql_mode = ''",
    "SET NAMES utf8mb4",
    "EXECUTE p",
    "PREPARE q FROM 'SELECT 1'",
    "DEALLOCATE PREPARE p",
];

async fn schema(root: &mut Client) -> Result {
    root.run(&[
        "CREATE DATABASE victim",
        "CREATE TABLE victim.s (a INT PRIMARY KEY, b INT)",
        "CREATE DATABASE mine",
        "CREATE TABLE mine.t (a INT PRIMARY KEY, b INT)",
        "CREATE USER app IDENTIFIED BY 'x'",
        "GRANT ALL ON mine.* TO app",
    ])
    .await
}

async fn code(client: &mut Client, statement: &str) -> Result<u16> {
    let answer = client.attempt(statement).await?;
    Ok(answer.map_or_else(|error| error.code, |_| 0))
}

/// Errors of preparing and running each statement, 0 for none, in SQL and by the protocol.
async fn codes(port: u16, root: Client) -> Result<Vec<String>> {
    let mut root = root;
    schema(&mut root).await?;
    let mut app = Client::connect(&ClientOptions {
        port,
        user: "app".to_owned(),
        password: "x".to_owned(),
        tls: true,
    })
    .await?;
    let mut lines = Vec::new();
    for statement in STATEMENTS {
        let quoted = statement.replace('\'', "''");
        let prepared = code(&mut app, &format!("PREPARE p FROM '{quoted}'")).await?;
        let ran = match prepared {
            0 => code(&mut app, "EXECUTE p").await?,
            _ => 0,
        };
        lines.push(format!("{statement}: {prepared} {ran}"));
        // What it left is not the next one's.
        root.execute("DELETE FROM mine.t").await?;
        code(&mut app, "DROP TABLE IF EXISTS mine.l").await?;
    }
    for statement in NOT_FOR_PREPARE {
        let quoted = statement.replace('\'', "''");
        let prepared = code(&mut root, &format!("PREPARE p FROM '{quoted}'")).await?;
        lines.push(format!("root: {statement}: {prepared}"));
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn preparing_asks_for_privileges_and_refuses_what_mysql_97_does() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let seen = codes(weir.port, weir.client().await?).await?;
    let expected = codes(mysql.port, mysql.client().await?).await?;
    let differ: Vec<String> = seen
        .iter()
        .zip(&expected)
        .filter(|(seen, expected)| seen != expected)
        .map(|(seen, expected)| format!("Weir {seen}, MySQL {expected}"))
        .collect();
    ensure(differ.is_empty(), || differ.join("\n"))
}

/// Run where `elsewhere` is current, after they were prepared where `home` was.
const AT_HOME: [&str; 6] = [
    "INSERT INTO t VALUES (7)",
    "SELECT DATABASE(), a FROM t",
    "UPDATE t SET a = a + 1",
    "CREATE TABLE made (a INT)",
    "SHOW TABLES",
    "DELETE FROM t WHERE a = 1",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prepared_statement_means_the_database_it_was_prepared_in() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let expected = away_from_home(&mut mysql.client().await?).await?;
    let seen = away_from_home(&mut weir.client().await?)
        .await
        .map_err(|failure| weir.explain(failure))?;
    ensure(seen == expected, || {
        format!("MySQL: {expected:#?}\nWeir: {seen:#?}")
    })
}

/// What a client sees of it all, and what the binary log has.
async fn away_from_home(client: &mut Client) -> Result<Vec<String>> {
    client
        .run(&[
            "CREATE DATABASE home",
            "CREATE DATABASE elsewhere",
            "CREATE TABLE home.t (a INT)",
            "CREATE TABLE elsewhere.t (a INT)",
            "INSERT INTO elsewhere.t VALUES (1)",
            "USE home",
        ])
        .await?;
    let mut seen = Vec::new();
    for (number, statement) in AT_HOME.iter().enumerate() {
        client
            .execute(&format!("PREPARE p{number} FROM '{statement}'"))
            .await?;
    }
    // The client keeps what it has prepared by its text.
    let by_protocol = [
        "INSERT INTO t VALUES (10)",
        "SELECT DATABASE(), COUNT(*) FROM t",
    ];
    for statement in by_protocol {
        client.prepared(statement, ().into()).await?;
    }
    client.execute("USE elsewhere").await?;
    for statement in by_protocol {
        let rows = client.prepared(statement, ().into()).await?;
        seen.push(format!("{statement}: {rows:?}"));
    }
    for (number, statement) in AT_HOME.iter().enumerate() {
        let answer = client.answer(&format!("EXECUTE p{number}")).await?;
        seen.push(format!("{statement}: {answer}"));
    }
    for query in [
        "SELECT DATABASE()",
        "SELECT a FROM home.t ORDER BY a",
        "SELECT a FROM elsewhere.t",
        "SHOW TABLES FROM home",
        "SHOW TABLES FROM elsewhere",
    ] {
        seen.push(format!("{query}: {:?}", client.rows(query).await?));
    }
    seen.extend(logged_places(client).await?);
    Ok(seen)
}

/// The tables and the statements of the newest log file, without what numbers them.
async fn logged_places(client: &mut Client) -> Result<Vec<String>> {
    let files = client.rows("SHOW BINARY LOGS").await?;
    let newest = files.last().and_then(|row| row.first());
    let newest = newest.map(ToString::to_string).unwrap_or_default();
    let events = client
        .rows(&format!("SHOW BINLOG EVENTS IN '{newest}'"))
        .await?;
    let info = events.iter().filter_map(|row| row.last());
    let places = info.map(ToString::to_string).filter_map(|info| {
        let is_statement = info.contains("TABLE");
        let table = info
            .strip_prefix("table_id: ")
            .and_then(|rest| rest.split_once('('));
        match table {
            Some((_, table)) => Some(table.to_owned()),
            None if is_statement => info.split("/*").next().map(|text| text.trim().to_owned()),
            None => None,
        }
    });
    Ok(places.collect())
}
