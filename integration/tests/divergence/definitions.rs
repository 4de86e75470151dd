//! DDL replayed elsewhere gives the same tables and the same rows: on a Weir replica, on a MySQL 9.7
//! replica, and in recovery after kill -9.

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{
    REPLICATION_PASSWORD, REPLICATION_USER, Start, binlog_end, create_account,
};
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

/// A primary with a replica of either kind.
pub(crate) struct Three {
    primary: Weir,
    replica: Weir,
    mysql: RealServer,
    client: Client,
}

impl Three {
    /// Starts the three with these lines in the primary's option file.
    pub(crate) async fn start(lines: &[&str]) -> Result<Self> {
        let primary = Weir::primary(1, lines).await?;
        let mut client = primary.client().await?;
        create_account(&mut client, Peer::MySql97).await?;
        let mysql = RealServer::start(Peer::MySql97, 3, &["--read-only=ON"]).await?;
        mysql.follow(primary.port, &Start::AutoPosition).await?;
        let source = [
            "source_host=127.0.0.1".to_owned(),
            format!("source_port={}", primary.port),
            format!("source_user={REPLICATION_USER}"),
            format!("source_password={REPLICATION_PASSWORD}"),
            "source_connect_retry=1".to_owned(),
        ];
        let source: Vec<&str> = source.iter().map(String::as_str).collect();
        let replica = Weir::replica(2, &source).await?;
        Ok(Self {
            primary,
            replica,
            mysql,
            client,
        })
    }

    /// Runs statements on the primary.
    pub(crate) async fn run(&mut self, statements: &[&str]) -> Result {
        let result = self.client.run(statements).await;
        result.map_err(|failure| self.primary.explain(failure))
    }

    /// kill -9 of the primary and of the Weir replica, which both start again.
    pub(crate) async fn kill_both(&mut self) -> Result {
        self.primary.kill()?;
        self.replica.kill()?;
        self.primary.launch().await?;
        self.replica.launch().await?;
        self.client = self.primary.client().await?;
        Ok(())
    }

    /// Waits for both replicas and compares all rows.
    pub(crate) async fn ensure_same(&mut self, databases: &[&str]) -> Result {
        let (file, position) = binlog_end(&mut self.client).await?;
        let taken = self.mysql.until_executed(&file, position, PATIENCE).await;
        taken.map_err(|failure| self.primary.explain(failure))?;
        let mut on_replica = self.replica.client().await?;
        let followed = until_gtids_executed(&mut self.client, &mut on_replica, PATIENCE).await;
        followed.map_err(|failure| self.replica.explain(failure))?;
        let here = Snapshot::take(&mut self.client, databases).await?;
        let there = Snapshot::take(&mut on_replica, databases).await?;
        ensure_same("the primary", &here, "its Weir replica", &there)?;
        let there = Snapshot::take(&mut self.mysql.client().await?, databases).await?;
        ensure_same("the primary", &here, "its MySQL replica", &there)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moments_of_ddl_are_those_of_the_session_that_ran_it() -> Result {
    let mut three = Three::start(&[]).await?;
    let statements = [
        "CREATE DATABASE moments",
        "USE moments",
        "CREATE TABLE t (id INT PRIMARY KEY, d DATETIME, s VARCHAR(30))",
        "INSERT INTO t VALUES (1, '2001-02-03 04:05:06', '2005-05-05 05:05:05'), (2, '2020-07-01 12:00:00', '2020-07-01 12:00:00')",
        "SET time_zone = '+05:30'",
        "ALTER TABLE t ADD made DATETIME DEFAULT CURRENT_TIMESTAMP, ADD seen TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3)",
        "ALTER TABLE t MODIFY d TIMESTAMP",
        "ALTER TABLE t ADD fixed TIMESTAMP DEFAULT '2010-01-01 00:00:00'",
        "ALTER TABLE t ADD noon DATETIME DEFAULT (NOW())",
        "SET time_zone = '-08:00'",
        "ALTER TABLE t MODIFY s TIMESTAMP, ADD later TIMESTAMP DEFAULT '2010-01-01 00:00:00'",
        "ALTER TABLE t MODIFY d DATETIME",
        "INSERT INTO t (id) VALUES (3)",
        "UPDATE t SET s = '2021-01-01' WHERE id = 1",
    ];
    three.run(&statements).await?;
    three.kill_both().await?;
    let statements = [
        "USE moments",
        "SET time_zone = '+09:00'",
        "UPDATE t SET d = '2022-02-02 02:02:02' WHERE id = 2",
        "DELETE FROM t WHERE id = 1",
        "INSERT INTO t (id) VALUES (4)",
    ];
    three.run(&statements).await?;
    three.ensure_same(&["moments"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_are_not_used_again_after_ddl_that_failed() -> Result {
    let mut three = Three::start(&[]).await?;
    three
        .run(&[
            "CREATE DATABASE kept",
            "USE kept",
            "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, a INT)",
            "CREATE TABLE taken (a INT)",
            "INSERT INTO t (a) VALUES (1), (2), (3)",
            "DELETE FROM t WHERE id = 3",
        ])
        .await?;
    for (statement, code) in [
        ("ALTER TABLE t ADD c INT, RENAME TO taken", 1050),
        ("ALTER TABLE t ADD c INT, RENAME TO nowhere.x", 1049),
        ("ALTER TABLE t ADD UNIQUE ((1))", 1235),
        (
            "ALTER TABLE t ENGINE=InnoDB, ADD e INT NOT NULL DEFAULT 'x'",
            1067,
        ),
        ("RENAME TABLE t TO other, taken TO other", 1050),
        ("DROP TABLE t, missing", 1051),
    ] {
        let refused = three.client.attempt(statement).await?;
        let seen = refused.err().map(|error| error.code);
        ensure(seen == Some(code), || format!("{statement}: {seen:?}"))?;
    }
    three.run(&["INSERT INTO t (a) VALUES (4)"]).await?;
    let id = three
        .client
        .value("SELECT MAX(id) FROM t")
        .await?
        .to_string();
    ensure(id == "4", || format!("the id after the failures is {id}"))?;
    three.kill_both().await?;
    three
        .run(&["USE kept", "INSERT INTO t (a) VALUES (5)"])
        .await?;
    let id = three
        .client
        .value("SELECT MAX(id) FROM t")
        .await?
        .to_string();
    ensure(id == "5", || format!("the id after the restart is {id}"))?;
    three.ensure_same(&["kept"]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alter_table_may_say_how_as_on_mysql() -> Result {
    let weir = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    let mut on_weir = weir.client().await?;
    let mut on_mysql = mysql.client().await?;
    let mut wrong = Vec::new();
    for statement in HOW {
        let answer = |result: std::result::Result<u64, integration::sql::ServerError>| {
            result.map_or_else(
                |error| format!("{}: {}", error.code, error.message),
                |_| "OK".to_owned(),
            )
        };
        let expected = answer(on_mysql.attempt(statement).await?);
        let seen = answer(on_weir.attempt(statement).await?);
        if expected != seen {
            wrong.push(format!("{statement}\n  MySQL: {expected}\n  Weir:  {seen}"));
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

/// Every kind of change with every way to make it.
const HOW: &[&str] = &[
    "CREATE DATABASE how",
    "USE how",
    "CREATE TABLE t (a INT, b INT, c VARCHAR(20), d TEXT, e ENUM('a'), PRIMARY KEY (a))",
    "INSERT INTO t (a) VALUES (1), (2)",
    "ALTER TABLE t ADD f INT DEFAULT 7, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD g INT, ALGORITHM=INSTANT, LOCK=NONE",
    "ALTER TABLE t ADD g INT, ALGORITHM=INSTANT, LOCK=DEFAULT",
    "ALTER TABLE t ADD h INT, ALGORITHM=INPLACE, LOCK=NONE",
    "ALTER TABLE t ADD i INT, ALGORITHM=COPY, LOCK=NONE",
    "ALTER TABLE t ADD i INT, ALGORITHM=COPY, LOCK=SHARED",
    "ALTER TABLE t ADD j INT, ALGORITHM=nonsense",
    "ALTER TABLE t ADD j INT, LOCK=nonsense",
    "ALTER TABLE t ADD j INT, LOCK=EXCLUSIVE",
    "ALTER TABLE t MODIFY b BIGINT, ALGORITHM=INSTANT",
    "ALTER TABLE t MODIFY b BIGINT, ALGORITHM=INPLACE",
    "ALTER TABLE t MODIFY b BIGINT, LOCK=NONE",
    "ALTER TABLE t MODIFY b BIGINT, LOCK=SHARED",
    "ALTER TABLE t MODIFY c VARCHAR(21), ALGORITHM=INSTANT",
    "ALTER TABLE t MODIFY c VARCHAR(21), ALGORITHM=INPLACE",
    "ALTER TABLE t MODIFY c VARCHAR(300), ALGORITHM=INPLACE",
    "ALTER TABLE t MODIFY e ENUM('a','b'), ALGORITHM=INSTANT",
    "ALTER TABLE t MODIFY e ENUM('b','a'), ALGORITHM=INPLACE",
    "ALTER TABLE t ADD KEY k (b), ALGORITHM=INSTANT",
    "ALTER TABLE t ADD KEY k (b), ALGORITHM=INPLACE",
    "ALTER TABLE t RENAME INDEX k TO k2, ALGORITHM=INSTANT",
    "ALTER TABLE t DROP PRIMARY KEY, ALGORITHM=INPLACE",
    "ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a), ALGORITHM=INPLACE",
    "ALTER TABLE t DROP COLUMN f, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD v INT AS (b + 1) VIRTUAL, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD w INT AS (b + 1) STORED, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD w INT AS (b + 1) STORED, ALGORITHM=INPLACE",
    "ALTER TABLE t ADD w INT AS (b + 1) STORED, ALGORITHM=COPY",
    "ALTER TABLE t RENAME COLUMN g TO g2, ALGORITHM=INSTANT",
    "ALTER TABLE t ALTER g2 SET DEFAULT 9, ALGORITHM=INSTANT",
    "ALTER TABLE t ENGINE=InnoDB, ALGORITHM=INSTANT",
    "ALTER TABLE t FORCE, ALGORITHM=INSTANT",
    "ALTER TABLE t COMMENT='x', ALGORITHM=INSTANT",
    "ALTER TABLE t CONVERT TO CHARACTER SET latin1, ALGORITHM=INPLACE",
    "ALTER TABLE t CONVERT TO CHARACTER SET latin1, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD x INT FIRST, ALGORITHM=INSTANT",
    "ALTER TABLE t MODIFY h INT NOT NULL DEFAULT 0, ALGORITHM=INSTANT",
    "ALTER TABLE t ADD n INT AUTO_INCREMENT UNIQUE, LOCK=NONE",
    "ALTER TABLE t ADD n INT AUTO_INCREMENT UNIQUE, ALGORITHM=INPLACE",
    "ALTER TABLE t RENAME TO t2, ALGORITHM=INSTANT",
    "ALTER TABLE t2 RENAME TO t, LOCK=NONE",
    "ALTER TABLE t2 RENAME TO t, ALGORITHM=COPY",
    "ALTER TABLE t ALGORITHM=INSTANT",
    "ALTER TABLE t LOCK=NONE",
    "ALTER TABLE t ADD z INT DEFAULT (1 + 1), ALGORITHM=INSTANT",
    "ALTER TABLE t ADD z INT DEFAULT (RAND())",
    "CREATE INDEX i1 ON t (b) ALGORITHM=INSTANT",
    "CREATE INDEX i1 ON t (b) ALGORITHM=INPLACE LOCK=NONE",
    "CREATE INDEX i2 ON t (b) LOCK=NONE ALGORITHM=COPY",
    "CREATE INDEX i2 ON t (b) ALGORITHM=nonsense",
    "DROP INDEX i1 ON t ALGORITHM=INSTANT",
    "DROP INDEX i1 ON t ALGORITHM=INPLACE LOCK=NONE",
    "DROP INDEX `PRIMARY` ON t ALGORITHM=INPLACE",
];
