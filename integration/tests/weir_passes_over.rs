//! `weir replica` follows a real MySQL 9.7 past statements about things that the embedded engine does
//! not keep: the rows behind each arrive, and status, metrics and `weir status` name what was passed over.

use std::process::Command;

use integration::compare::{Snapshot, ensure_same, replica_status, until_gtids_executed};
use integration::failure::ensure;
use integration::metrics::metric;
use integration::process::free_port;
use integration::real_replica::create_account;
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir, weir};

/// What the source logs, each with the name under which it is passed over; empty for what is applied.
const STATEMENTS: [(&str, &str); 50] = [
    (
        "CREATE VIEW v AS SELECT id, a + 1 AS b FROM t",
        "CREATE VIEW",
    ),
    (
        "CREATE OR REPLACE SQL SECURITY INVOKER VIEW v (x) AS SELECT 'é;' FROM t",
        "CREATE VIEW",
    ),
    ("ALTER VIEW v AS SELECT id FROM t WHERE a > 2", "ALTER VIEW"),
    ("RENAME TABLE v TO w", "RENAME TABLE of a view"),
    (
        "RENAME TABLE t TO x, w TO t, x TO y",
        "RENAME TABLE of a view",
    ),
    ("RENAME TABLE t TO w, y TO t", "RENAME TABLE of a view"),
    (
        "CREATE TABLE IF NOT EXISTS w (z INT)",
        "CREATE TABLE IF NOT EXISTS of a view's name",
    ),
    ("DROP VIEW w", "DROP VIEW"),
    ("DROP VIEW IF EXISTS w, nowhere", "DROP VIEW"),
    (
        "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW BEGIN INSERT INTO log VALUES (NEW.id); \
         IF NEW.a = 'it''s' THEN SET @a = 1; END IF; END",
        "CREATE TRIGGER",
    ),
    (
        "CREATE PROCEDURE p(IN n INT) BEGIN DECLARE i INT DEFAULT 0; WHILE i < n DO SET i = i + 1; END WHILE; \
         SELECT i; END",
        "CREATE PROCEDURE",
    ),
    ("INSERT INTO t (a) VALUES ('fires the trigger')", ""),
    ("DROP TRIGGER g", "DROP TRIGGER"),
    ("ALTER PROCEDURE p COMMENT 'c'", "ALTER PROCEDURE"),
    ("CREATE USER q", "CREATE USER"),
    ("GRANT EXECUTE ON PROCEDURE p TO q", "GRANT"),
    ("GRANT TRIGGER, SELECT (a) ON t TO q", "GRANT"),
    ("REVOKE EXECUTE ON PROCEDURE p FROM q", "REVOKE"),
    ("DROP USER q", "DROP USER"),
    ("DROP PROCEDURE p", "DROP PROCEDURE"),
    (
        "CREATE FUNCTION f(n INT) RETURNS INT DETERMINISTIC BEGIN SET n = n * 2; RETURN n; END",
        "CREATE FUNCTION",
    ),
    ("ALTER FUNCTION f SQL SECURITY INVOKER", "ALTER FUNCTION"),
    ("DROP FUNCTION IF EXISTS f", "DROP FUNCTION"),
    (
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN DELETE FROM t; SET @b = 1; END",
        "CREATE EVENT",
    ),
    (
        "ALTER EVENT e DO BEGIN SET @a = 1; SET @b = 2; END",
        "ALTER EVENT",
    ),
    ("ALTER EVENT e DISABLE", "ALTER EVENT"),
    ("DROP EVENT e", "DROP EVENT"),
    ("CREATE ROLE r, 'with space'@'localhost'", "CREATE ROLE"),
    ("CREATE USER u IDENTIFIED BY 'p'", "CREATE USER"),
    ("GRANT r TO u", "GRANT role"),
    (
        "GRANT 'with space'@'localhost' TO u WITH ADMIN OPTION",
        "GRANT role",
    ),
    ("SET DEFAULT ROLE r TO u", "SET DEFAULT ROLE"),
    ("ALTER USER u DEFAULT ROLE ALL", "DEFAULT ROLE"),
    ("REVOKE r FROM u", "REVOKE role"),
    ("DROP ROLE r", "DROP ROLE"),
    ("DROP USER u", "DROP USER"),
    (
        "CREATE TABLESPACE ts ADD DATAFILE 'ts.ibd' ENGINE=InnoDB",
        "CREATE TABLESPACE",
    ),
    ("ALTER TABLESPACE ts RENAME TO us", "ALTER TABLESPACE"),
    ("DROP TABLESPACE us", "DROP TABLESPACE"),
    (
        "CREATE SPATIAL REFERENCE SYSTEM 990000 NAME 'n' DEFINITION 'GEOGCS[\"n\",DATUM[\"d\",\
         SPHEROID[\"s\",6378137,298.257]],PRIMEM[\"p\",0],UNIT[\"degree\",0.017],AXIS[\"Lat\",NORTH],\
         AXIS[\"Lon\",EAST]]'",
        "CREATE SPATIAL REFERENCE SYSTEM",
    ),
    (
        "DROP SPATIAL REFERENCE SYSTEM IF EXISTS 990000",
        "DROP SPATIAL REFERENCE SYSTEM",
    ),
    (
        "ANALYZE TABLE t UPDATE HISTOGRAM ON a WITH 4 BUCKETS",
        "ANALYZE TABLE ... HISTOGRAM",
    ),
    (
        "ANALYZE TABLE t DROP HISTOGRAM ON a",
        "ANALYZE TABLE ... HISTOGRAM",
    ),
    (
        "TRUNCATE TABLE mysql.time_zone_name",
        "DDL of system tables",
    ),
    (
        "INSERT INTO mysql.time_zone_name VALUES ('Here', 1)",
        "rows of system tables",
    ),
    (
        "UPDATE mysql.time_zone_name SET Name = 'There'",
        "rows of system tables",
    ),
    ("DELETE FROM mysql.time_zone_name", "rows of system tables"),
    (
        "INSERT INTO mysql.help_category VALUES (9999, 'c', NULL, '')",
        "rows of system tables",
    ),
    ("CREATE VIEW last AS SELECT 1", "CREATE VIEW"),
    ("DROP VIEW last", "DROP VIEW"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_statement_about_what_is_not_kept_stops_a_replica() -> Result {
    let source =
        RealServer::start(Peer::MySql97, 1, &["--log-bin-trust-function-creators=ON"]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let setup = [
        "CREATE DATABASE d",
        "USE d",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(20))",
        "CREATE TABLE log (id INT)",
        "CREATE TABLE behind (id INT AUTO_INCREMENT PRIMARY KEY)",
    ];
    at_source.run(&setup).await?;
    let metrics = free_port()?;
    let line = format!("metrics_port={metrics}");
    let replica = Weir::following(2, source.port, &[&line]).await?;
    let mut at_replica = replica.client().await?;
    for (statement, construct) in STATEMENTS {
        let before = logged(&mut at_source).await?;
        at_source.execute(statement).await?;
        let is_logged = logged(&mut at_source).await? != before;
        ensure(is_logged, || format!("{statement} is not logged"))?;
        let insert = "INSERT INTO d.behind () VALUES ()";
        at_source.execute(insert).await?;
        let arrived = until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await;
        if let Err(failure) = arrived {
            let error = replica_status(&mut at_replica, "Last_SQL_Error").await?;
            return Err(replica.explain(failure.during(format!("{statement}: {error}"))));
        }
        let named = status(&mut at_replica).await?;
        let is_named = construct.is_empty() || named.contains(&format!("{construct}: "));
        ensure(is_named, || format!("{statement}: {named}"))?;
    }
    let left = Snapshot::take(&mut at_source, &["d"]).await?;
    let right = Snapshot::take(&mut at_replica, &["d"]).await?;
    ensure_same("source", &left, "weir replica", &right)?;
    names_what_was_passed_over(&mut at_source, &replica, metrics).await?;
    let refused = at_source
        .attempt("CREATE TABLE mysql.heartbeat (a INT)")
        .await?;
    ensure(refused.is_ok(), || format!("{refused:?}"))?;
    integration::compare::until_status(&mut at_replica, "Last_SQL_Errno", "3552").await
}

/// Status variable, metric and `weir status` say how many there were, and which was the last.
async fn names_what_was_passed_over(source: &mut Client, replica: &Weir, metrics: u16) -> Result {
    source.execute("CREATE VIEW d.more AS SELECT 2").await?;
    let mut client = replica.client().await?;
    until_gtids_executed(source, &mut client, PATIENCE).await?;
    let named = status(&mut client).await?;
    let executed = source
        .value("SELECT @@GLOBAL.gtid_executed")
        .await?
        .to_string();
    let (uuid, numbers) = executed.split_once(':').unwrap_or_default();
    let last = numbers.rsplit('-').next().unwrap_or_default();
    let wanted = format!("CREATE VIEW: 4, last {uuid}:{last}");
    ensure(named.contains(&wanted), || format!("{named}, not {wanted}"))?;
    let counted = metric(metrics, "weir_not_kept_total{construct=\"CREATE VIEW\"}").await?;
    ensure(counted == 4.0, || format!("{counted} counted"))?;
    let url = format!("mysql://root@127.0.0.1:{}", replica.port);
    let shown = Command::new(weir::binary()?)
        .args(["status", "--once", &url])
        .output()?;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    ensure(shown.contains(&wanted), || shown)
}

async fn status(client: &mut Client) -> Result<String> {
    let named = client
        .column("SHOW GLOBAL STATUS LIKE 'Weir_not_kept'", "Value")
        .await?;
    Ok(named.unwrap_or_default())
}

async fn logged(client: &mut Client) -> Result<String> {
    Ok(client
        .value("SELECT @@GLOBAL.gtid_executed")
        .await?
        .to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_a_primary_is_refused_what_is_not_kept() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let mut client = primary.client().await?;
    client.run(&["CREATE DATABASE d", "USE d"]).await?;
    let executed = logged(&mut client).await?;
    for statement in [
        "CREATE VIEW v AS SELECT 1",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END",
        "CREATE ROLE r",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'h')",
        "INSTALL COMPONENT 'file://x'",
    ] {
        let refused = client.attempt(statement).await?;
        let code = refused.as_ref().err().map(|error| error.code);
        ensure(code == Some(1235), || format!("{statement}: {refused:?}"))?;
    }
    let left = logged(&mut client).await?;
    ensure(left == executed, || format!("{executed} and {left}"))
}
