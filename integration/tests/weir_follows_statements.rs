//! What a log holds beside rows: XA transactions in two halves, and statements in the place of rows. From
//! real servers, into real servers and into the embedded engine.

use integration::compare::until_same;
use integration::failure::ensure;
use integration::mariadb;
use integration::real_replica::create_account;
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir};

/// The first halves, and what is between them.
const PREPARED: [&str; 29] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.x (id INT PRIMARY KEY, v VARCHAR(20), b LONGBLOB)",
    "CREATE TABLE d.n (v VARCHAR(20))",
    "XA START 'one'",
    "INSERT INTO d.x VALUES (1, 'a', NULL)",
    "INSERT INTO d.n VALUES ('same'), ('same'), ('other')",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "XA START 'two', 'branch', 7",
    "INSERT INTO d.x VALUES (2, 'given up', NULL)",
    "XA END 'two', 'branch', 7",
    "XA PREPARE 'two', 'branch', 7",
    "XA START 'three'",
    "INSERT INTO d.x VALUES (3, 'one phase', NULL)",
    "XA END 'three'",
    "XA COMMIT 'three' ONE PHASE",
    "INSERT INTO d.x VALUES (30, 'between', NULL)",
    "XA START X'00ff27', X'5c22', 1",
    "INSERT INTO d.x SELECT 100, 'large', REPEAT('x', 3000000)",
    "INSERT INTO d.x SELECT 101, 'large', REPEAT('y', 3000000)",
    "UPDATE d.x SET b = REPEAT('z', 3000000), v = 'changed' WHERE id = 100",
    "XA END X'00ff27', X'5c22', 1",
    "XA PREPARE X'00ff27', X'5c22', 1",
    "XA START 'empty'",
    "XA END 'empty'",
    "XA PREPARE 'empty'",
    "XA COMMIT 'empty'",
    "FLUSH BINARY LOGS",
    "INSERT INTO d.x VALUES (31, 'between', NULL)",
];

/// The second halves, in another order, and a name that is used again.
const ENDED: [&str; 10] = [
    "XA COMMIT X'00ff27', X'5c22', 1",
    "XA ROLLBACK 'two', 'branch', 7",
    "XA COMMIT 'one'",
    "XA START 'one'",
    "UPDATE d.x SET v = 'again' WHERE id = 1",
    "DELETE FROM d.n WHERE v = 'same' LIMIT 1",
    "XA END 'one'",
    "XA PREPARE 'one'",
    "INSERT INTO d.x VALUES (32, 'between', NULL)",
    "XA COMMIT 'one'",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xa_transactions_arrive_in_the_engine_through_a_kill_between_their_halves() -> Result {
    for (peer, options) in [
        (Peer::MySql97, [].as_slice()),
        (Peer::MySql97, &["--binlog-transaction-compression=ON"]),
        (Peer::MariaDb118, &[]),
    ] {
        let source = RealServer::start(peer, 1, options).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, peer).await?;
        let mut replica = Weir::following(9, source.port, &[]).await?;
        run_halves(&source, &PREPARED).await?;
        until_executed(&mut at_source, &mut replica, peer).await?;
        let mut at_replica = replica.client().await?;
        let shown = at_replica.value("SELECT COUNT(*) FROM d.x").await?;
        ensure(shown.to_string() == "3", || {
            format!("{shown} rows show before their second half")
        })?;
        replica.kill()?;
        run_halves(&source, &ENDED).await?;
        replica.launch().await?;
        until_executed(&mut at_source, &mut replica, peer).await?;
        let mut at_replica = replica.client().await?;
        let (left, right) = (&mut at_source, &mut at_replica);
        until_same("source", left, "engine", right, &["d"], PATIENCE).await?;
    }
    Ok(())
}

/// A target that keeps GTIDs prepares them itself; in others they wait in a table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xa_transactions_arrive_in_servers_through_kills_between_their_halves() -> Result {
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    for (peer, options, prepared) in [
        (Peer::MySql97, [].as_slice(), Some("3")),
        (Peer::MySql97, &off, None),
        (Peer::MariaDb1011, &[], None),
        (Peer::MariaDb118, &["--gtid-strict-mode=1"], None),
    ] {
        let source = RealServer::start(peer, 1, &[]).await?;
        let mut target = RealServer::start(peer, 2, options).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, peer).await?;
        let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
        let mut replica = Weir::following(9, source.port, &[&to]).await?;
        run_halves(&source, &PREPARED).await?;
        until_executed(&mut at_source, &mut replica, peer).await?;
        let mut at_target = target.client().await?;
        let recover = at_target.rows("XA RECOVER").await?;
        let kept = "SELECT COUNT(DISTINCT name) FROM weir.applied_prepared";
        let count = match prepared {
            Some(_) => recover.len().to_string(),
            None => at_target.value(kept).await?.to_string(),
        };
        ensure(count == "3", || {
            format!("{}: {count} are prepared", peer.folder())
        })?;
        replica.kill()?;
        target.kill()?;
        target.launch().await?;
        run_halves(&source, &ENDED).await?;
        replica.launch().await?;
        until_executed(&mut at_source, &mut replica, peer).await?;
        let mut at_target = target.client().await?;
        let (left, right) = (&mut at_source, &mut at_target);
        let same = until_same("source", left, "target", right, &["d"], PATIENCE).await;
        same.map_err(|failure| replica.explain(failure))?;
        let recover = right.rows("XA RECOVER").await?;
        ensure(recover.is_empty(), || format!("{recover:?} are left"))?;
        if prepared.is_none() {
            let kept = right.value(kept).await?.to_string();
            ensure(kept == "0", || format!("{kept} are kept"))?;
        }
    }
    Ok(())
}

/// What a log in statement format holds: ids, seeds and variables in front of statements, savepoints, and
/// transactions that are rolled back and were logged for what cannot roll back.
const STATEMENTS: [&str; 42] = [
    "CREATE DATABASE d",
    "USE d",
    "CREATE TABLE a (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100), r DOUBLE, n BIGINT)",
    "CREATE TABLE m (v VARCHAR(50)) ENGINE=MyISAM",
    "CREATE TABLE l (at DATETIME(6), v VARCHAR(50))",
    "CREATE TRIGGER t AFTER INSERT ON a FOR EACH ROW INSERT INTO l VALUES (NOW(6), NEW.v)",
    "INSERT INTO a (v) VALUES ('one'), ('two')",
    "INSERT INTO a (v, n) VALUES ('three', LAST_INSERT_ID())",
    "SET @text = _latin1 X'e9616263', @number = -17, @big = 18446744073709551615, @d = 1.25, @null = NULL",
    "SET @real = 1e300, @quote = 'it''s \\\\ \\n'",
    "INSERT INTO a (v, n) VALUES (@text, @number), (CONCAT(@quote, @d), 1), (@null, 2), (@big, 3)",
    "INSERT INTO a (v, r) VALUES ('random', RAND()), ('random', RAND())",
    "SET TIMESTAMP = 1700000000.123456",
    "INSERT INTO a (v) VALUES (NOW(6))",
    "SET TIMESTAMP = DEFAULT",
    "SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
    "UPDATE a SET v = v || 'x' WHERE id < 3",
    "SET sql_mode = ''",
    "SET time_zone = '+05:30'",
    "INSERT INTO a (v) SELECT FROM_UNIXTIME(1700000000)",
    "SET time_zone = DEFAULT",
    "SET auto_increment_increment = 10, auto_increment_offset = 3",
    "INSERT INTO a (v) VALUES ('far'), ('farther')",
    "SET auto_increment_increment = 1, auto_increment_offset = 1",
    "BEGIN",
    "INSERT INTO a (v) VALUES ('kept')",
    "SAVEPOINT `a b`",
    "INSERT INTO a (v) VALUES ('undone')",
    "ROLLBACK TO `a b`",
    "COMMIT",
    "INSERT INTO m VALUES ('alone')",
    "/* app */ INSERT INTO a (v) VALUES ('last')",
    "BEGIN",
    "UPDATE a SET n = 1 WHERE n IS NULL",
    "/* app */ UPDATE a SET n = n + 1",
    "CREATE TEMPORARY TABLE p (v VARCHAR(100))",
    "INSERT INTO p SELECT v FROM a WHERE id < 4",
    "INSERT INTO a (v) SELECT v FROM p ORDER BY v",
    "COMMIT",
    "DROP TEMPORARY TABLE p",
    "DELETE FROM a WHERE v = 'far'",
    "INSERT INTO l SELECT NOW(6), v FROM a WHERE n > 0",
];

/// What rolls back beside what does not.
const OF_BOTH_KINDS: [&str; 11] = [
    "BEGIN",
    "INSERT INTO a (v) VALUES ('kept')",
    "SAVEPOINT `a b`",
    "INSERT INTO m VALUES ('stays')",
    "INSERT INTO a (v) VALUES ('undone')",
    "ROLLBACK TO `a b`",
    "COMMIT",
    "BEGIN",
    "INSERT INTO a (v) VALUES ('undone as well')",
    "INSERT INTO m VALUES ('stays as well')",
    "ROLLBACK",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_are_executed_by_targets_that_can() -> Result {
    let off = ["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"];
    let statement = ["--binlog-format=STATEMENT"];
    let strict = ["--gtid-strict-mode=1"];
    let loose = ["--binlog-format=STATEMENT", off[0], off[1]];
    let mixed = ["--binlog-format=MIXED"];
    for (peer, source_options, target_options) in [
        (Peer::MySql97, loose.as_slice(), off.as_slice()),
        (Peer::MariaDb118, &statement, &strict),
        (Peer::MariaDb1011, &mixed, &[]),
    ] {
        let source = RealServer::start(peer, 1, source_options).await?;
        let target = RealServer::start(peer, 2, target_options).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, peer).await?;
        let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
        let mut lines = vec![to.as_str()];
        if peer == Peer::MySql97 {
            lines.extend([
                "gtid_mode=OFF",
                "enforce_gtid_consistency=OFF",
                "source-auto-position=0",
                "source-log-file=binlog.000001",
                "source-log-pos=4",
            ]);
        }
        let replica = Weir::following(9, source.port, &lines).await?;
        at_source.run(&STATEMENTS).await?;
        let mut at_target = target.client().await?;
        let (left, right) = (&mut at_source, &mut at_target);
        let same = until_same("source", left, "target", right, &["d"], PATIENCE).await;
        same.map_err(|failure| replica.explain(failure.during(peer.folder())))?;
        left.run(&OF_BOTH_KINDS).await?;
        if peer != Peer::MariaDb118 {
            let same = until_same("source", left, "target", right, &["d"], PATIENCE).await;
            same.map_err(|failure| replica.explain(failure.during(peer.folder())))?;
            let stays = right.value("SELECT COUNT(*) FROM d.m").await?.to_string();
            ensure(stays == "3", || format!("{stays} stay"))?;
        } else {
            // A GTID is logged once.
            let error = until_error(&replica).await?;
            let words = "rows that do not roll back on the target beside others";
            ensure(error.contains(words), || error)?;
        }
        let is_warned =
            std::fs::read_to_string(replica.log())?.contains("the source logs statements");
        ensure(is_warned, || "nothing is said of the format".to_owned())?;
    }
    Ok(())
}

/// The engine executes definitions of the log and no statements that change rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_stops_at_a_statement_with_its_text() -> Result {
    let source = RealServer::start(Peer::MySql97, 1, &["--binlog-format=STATEMENT"]).await?;
    let mut at_source = source.client().await?;
    create_account(&mut at_source, Peer::MySql97).await?;
    let replica = Weir::following(9, source.port, &[]).await?;
    at_source.run(&STATEMENTS[..3]).await?;
    at_source
        .execute("INSERT INTO a (v) VALUES ('one')")
        .await?;
    let error = until_error(&replica).await?;
    ensure(error.contains("binlog_format=ROW"), || error)
}

/// A server ends the connection for what is too long for it, as often as it comes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_variable_that_is_too_long_for_the_target_is_told_and_not_tried_for_ever() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let options = ["--binlog-format=STATEMENT", "--max-allowed-packet=32M"];
        let source = RealServer::start(peer, 1, &options).await?;
        let target = RealServer::start(peer, 2, &["--max-allowed-packet=1M"]).await?;
        let mut at_source = source.client().await?;
        account(&mut at_source, peer).await?;
        let to = format!("target=mysql://root@127.0.0.1:{}", target.port);
        let replica = Weir::following(9, source.port, &[&to]).await?;
        at_source
            .run(&[
                "CREATE DATABASE d",
                "CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT)",
                "SET @long = REPEAT('x', 3000000)",
                "INSERT INTO d.t VALUES (1, @long)",
            ])
            .await?;
        let error = until_error(&replica).await?;
        ensure(
            error.contains("max_allowed_packet is 1048576") && error.contains("INSERT INTO d.t"),
            || error,
        )?;
        let raise = "SET GLOBAL max_allowed_packet = 33554432";
        target.client().await?.execute(raise).await?;
        let mut at_target = target.client().await?;
        replica.client().await?.execute("START REPLICA").await?;
        let (left, right) = (&mut at_source, &mut at_target);
        until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    }
    Ok(())
}

async fn until_error(replica: &Weir) -> Result<String> {
    wait::until("the error is told", PATIENCE, || async {
        let mut client = replica.client().await?;
        let told = client
            .column("SHOW REPLICA STATUS", "Last_SQL_Error")
            .await?;
        Ok(told.filter(|text| !text.is_empty()).ok_or("nothing"))
    })
    .await
}

/// Runs statements over a new connection behind each PREPARE: MariaDB lets go of what is prepared only at
/// the end of its connection, a while later, and gives up what has changed nothing.
async fn run_halves(source: &RealServer, statements: &[&str]) -> Result {
    let mut client = source.client().await?;
    for sql in statements {
        let is_own = sql.ends_with("ONE PHASE") || sql.contains("empty");
        let ends = sql.starts_with("XA COMMIT") || sql.starts_with("XA ROLLBACK");
        match ends && !is_own {
            true => {
                wait::until("the transaction is let go of", PATIENCE, || async {
                    let mut client = source.client().await?;
                    Ok(client.attempt(sql).await?.map_err(|error| error.message))
                })
                .await?;
            }
            false => client.execute(sql).await.map(drop)?,
        }
        if sql.starts_with("XA PREPARE") && !sql.contains("empty") {
            client = source.client().await?;
        }
    }
    Ok(())
}

async fn account(source: &mut Client, peer: Peer) -> Result {
    match peer {
        Peer::MariaDb1011 | Peer::MariaDb118 => mariadb::create_account(source).await,
        _ => create_account(source, peer).await,
    }
}

/// Waits until the replica has executed what the source has.
async fn until_executed(source: &mut Client, replica: &mut Weir, peer: Peer) -> Result {
    let mut at_replica = replica.client().await?;
    let executed = match peer {
        Peer::MariaDb1011 | Peer::MariaDb118 => {
            mariadb::until_executed(source, &mut at_replica, PATIENCE)
                .await
                .map(drop)
        }
        _ => integration::compare::until_gtids_executed(source, &mut at_replica, PATIENCE)
            .await
            .map(drop),
    };
    executed.map_err(|failure| replica.explain(failure))
}
