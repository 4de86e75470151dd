//! Database filters decide as those of MySQL 9.7.
//!
//! One source runs a table of cases. For every set of rules a MySQL and a Weir replica follow it side by
//! side: they must stop at the same transactions with the same numbers, and end with the same rows.

use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::real_replica::{Start, create_account};
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir};

/// The rules, as lines of an option file.
const RULES: &[&[&str]] = &[
    // Those of a replica in the field.
    &[
        "replicate-do-db=shop",
        "replicate-ignore-db=information_schema",
    ],
    &["replicate-ignore-db=other"],
    &["replicate-wild-do-table=shop.%"],
    &[
        "replicate-do-table=shop.t",
        "replicate-ignore-table=shop.log",
    ],
];

/// Statements with the default database that they run in; empty for none.
const CASES: &[(&str, &str)] = &[
    ("", "CREATE DATABASE shop"),
    ("", "CREATE DATABASE other"),
    ("shop", "CREATE DATABASE third"),
    ("other", "CREATE DATABASE shop2"),
    ("other", "ALTER DATABASE shop CHARACTER SET latin1"),
    ("", "ALTER DATABASE other CHARACTER SET latin1"),
    ("shop", "CREATE TABLE t (a INT PRIMARY KEY, b INT)"),
    ("shop", "CREATE TABLE log (a INT PRIMARY KEY, b INT)"),
    ("other", "CREATE TABLE t (a INT PRIMARY KEY, b INT)"),
    ("", "CREATE TABLE shop.n (a INT PRIMARY KEY)"),
    ("", "CREATE TABLE other.n (a INT PRIMARY KEY)"),
    ("other", "CREATE TABLE shop.x (a INT PRIMARY KEY)"),
    ("shop", "CREATE TABLE other.x (a INT PRIMARY KEY)"),
    ("", "INSERT INTO shop.t VALUES (1, 1)"),
    ("other", "INSERT INTO shop.t VALUES (2, 1)"),
    ("shop", "INSERT INTO other.t VALUES (1, 1)"),
    ("shop", "INSERT INTO log VALUES (1, 1)"),
    ("", "INSERT INTO shop.n VALUES (1)"),
    ("other", "INSERT INTO shop.x VALUES (1)"),
    ("shop", "INSERT INTO other.x VALUES (1)"),
    ("shop", "INSERT INTO t SELECT 10, 1 UNION SELECT 11, 1"),
    ("shop", "UPDATE t, other.t AS o SET t.b = 7, o.b = 7"),
    ("", "ALTER TABLE shop.t ADD c INT"),
    ("other", "ALTER TABLE shop.t ADD d INT"),
    ("shop", "ALTER TABLE t ADD e INT"),
    ("", "CREATE INDEX i ON shop.t (b)"),
    ("other", "CREATE TABLE l LIKE shop.t"),
    ("shop", "CREATE TABLE log2 LIKE log"),
    ("other", "RENAME TABLE n TO m"),
    ("shop", "DROP TABLE IF EXISTS other.x, nothing"),
    ("", "DROP TABLE shop.n"),
    ("other", "DROP TABLE shop.x"),
    ("", "TRUNCATE TABLE shop.log"),
    ("", "CREATE USER somebody"),
    ("other", "GRANT SELECT ON shop.* TO somebody"),
    ("other", "DROP DATABASE shop2"),
    ("", "CREATE DATABASE fourth"),
    ("", "CREATE TABLE fourth.t (a INT)"),
    ("fourth", "DROP DATABASE fourth"),
    ("shop", "INSERT INTO t (a) VALUES (99)"),
];

const DATABASES: [&str; 5] = ["shop", "other", "third", "shop2", "fourth"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_rule_decides_as_on_mysql_97() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let mut on_source = source.client().await?;
    create_account(&mut on_source, Peer::MySql97).await?;
    run_cases(&source).await?;
    for (number, rules) in (10..).zip(RULES) {
        follow_side_by_side(&source, number, rules)
            .await
            .map_err(|failure| failure.during(rules.join(" ")))?;
    }
    Ok(())
}

async fn run_cases(source: &RealServer) -> Result {
    for (database, statement) in CASES {
        // A session of its own: a default database cannot be left again.
        let mut client = source.client().await?;
        if !database.is_empty() {
            client.execute(&format!("USE {database}")).await?;
        }
        client.execute(statement).await?;
    }
    Ok(())
}

async fn follow_side_by_side(source: &RealServer, number: u32, rules: &[&str]) -> Result {
    let options: Vec<String> = rules.iter().map(|rule| format!("--{rule}")).collect();
    let mut options: Vec<&str> = options.iter().map(String::as_str).collect();
    options.push("--replica-parallel-workers=1");
    let mysql = RealServer::start(Peer::MySql97, number, &options).await?;
    mysql.follow(source.port, &Start::AutoPosition).await?;
    let weir = Weir::following(number + 100, source.port, rules).await?;
    let mut on_source = source.client().await?;
    let mut on_mysql = mysql.client().await?;
    let mut on_weir = weir.client().await?;
    loop {
        let left = until_done_or_stopped(&mut on_source, &mut on_mysql).await?;
        let right = until_done_or_stopped(&mut on_source, &mut on_weir).await?;
        let same = left == right;
        ensure(same, || format!("MySQL: {left:?}, Weir: {right:?}"))?;
        let Some(stop) = left else { break };
        skip_on_mysql(&mut on_mysql, &stop.gtid).await?;
        skip_on_weir(&mut on_weir, &stop.gtid).await?;
    }
    let left = Snapshot::take(&mut on_mysql, &DATABASES).await?;
    let right = Snapshot::take(&mut on_weir, &DATABASES).await?;
    ensure(left.tables() > 0, || "the rules let nothing through".into())?;
    ensure_same("mysql", &left, "weir", &right)
}

/// A stop of the applier.
#[derive(Debug, PartialEq)]
struct Stop {
    /// The transaction that was not applied.
    gtid: String,
    /// Why.
    code: String,
}

/// Waits until the replica has everything of the source, or stopped.
async fn until_done_or_stopped(source: &mut Client, replica: &mut Client) -> Result<Option<Stop>> {
    let wanted = source
        .value("SELECT @@GLOBAL.gtid_executed")
        .await?
        .to_string();
    let uuid = source
        .value("SELECT @@GLOBAL.server_uuid")
        .await?
        .to_string();
    let started = std::time::Instant::now();
    loop {
        let executed = executed(replica, &uuid).await?;
        if executed == wanted {
            return Ok(None);
        }
        let query = "SHOW REPLICA STATUS";
        let running = replica.column(query, "Replica_SQL_Running").await?;
        let code = replica.column(query, "Last_SQL_Errno").await?;
        let code = code.unwrap_or_default();
        if running.as_deref() == Some("No") && code != "0" {
            // It may have gone on between the two answers.
            let executed = self::executed(replica, &uuid).await?;
            let last = executed.rsplit(['-', ':']).next().unwrap_or_default();
            let next = last.parse::<u64>().unwrap_or_default() + 1;
            let gtid = format!("{uuid}:{next}");
            return Ok(Some(Stop { gtid, code }));
        }
        ensure(started.elapsed() < PATIENCE, || {
            format!("{executed} is not {wanted}")
        })?;
        wait::let_run(std::time::Duration::from_millis(20)).await;
    }
}

/// The transactions of the server with this UUID that the replica has.
async fn executed(replica: &mut Client, uuid: &str) -> Result<String> {
    let all = replica.value("SELECT @@GLOBAL.gtid_executed").await?;
    let all = all.to_string();
    let mut sets = all.split(',').map(str::trim);
    let own = sets.rfind(|set| set.starts_with(uuid));
    Ok(own.unwrap_or_default().to_owned())
}

async fn skip_on_mysql(client: &mut Client, gtid: &str) -> Result {
    let next = format!("SET gtid_next = '{gtid}'");
    client
        .run(&["STOP REPLICA", &next, "BEGIN", "COMMIT"])
        .await?;
    client
        .run(&["SET gtid_next = AUTOMATIC", "START REPLICA"])
        .await
}

async fn skip_on_weir(client: &mut Client, gtid: &str) -> Result {
    let skip = format!("SET GLOBAL gtid_purged = '+{gtid}'");
    client.run(&["STOP REPLICA", &skip, "START REPLICA"]).await
}
