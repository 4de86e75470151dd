//! A replica as an operator steers it, beside a real MySQL replica that gets the same statements.

use std::process::Command;
use std::time::{Duration, Instant};

use integration::compare::{replica_status as status, until_gtids_executed, until_status};
use integration::failure::{Failure, ensure};
use integration::line::{Cut, Line};
use integration::real_replica::{
    REPLICATION_PASSWORD, REPLICATION_USER, binlog_end, create_account,
};
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir, weir};

/// A source with a table, and two replicas of it that were not started.
struct Pair {
    source: RealServer,
    at_source: Client,
    real: RealServer,
    at_real: Client,
    weir: Weir,
    at_weir: Client,
}

impl Pair {
    async fn start() -> Result<Self> {
        let source = RealServer::start(Peer::MySql97, 1, &[]).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source, Peer::MySql97).await?;
        let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
        at_source.run(&made).await?;
        let real = RealServer::start(Peer::MySql97, 2, &["--super-read-only=ON"]).await?;
        let weir = Weir::replica(3, &["skip-replica-start=ON"]).await?;
        let (at_real, at_weir) = (real.client().await?, weir.client().await?);
        let mut pair = Self {
            source,
            at_source,
            real,
            at_real,
            weir,
            at_weir,
        };
        let port = pair.source.port;
        pair.both(&format!(
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, \
             SOURCE_USER='{REPLICATION_USER}', SOURCE_PASSWORD='{REPLICATION_PASSWORD}', \
             SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_CONNECT_RETRY=1"
        ))
        .await?;
        Ok(pair)
    }

    /// Inserts rows, a transaction each; the GTID numbers follow those of the ids by three.
    async fn insert(&mut self, from: u32, to: u32) -> Result {
        for id in from..=to {
            let sql = format!("INSERT INTO d.t VALUES ({id})");
            self.at_source.execute(&sql).await?;
        }
        Ok(())
    }

    /// Runs a statement on both and compares answer and warnings.
    async fn both(&mut self, sql: &str) -> Result {
        let real = told(&mut self.at_real, sql).await?;
        let weir = told(&mut self.at_weir, sql).await?;
        ensure(real == weir, || {
            format!("{sql}\nMySQL: {real}\nWeir: {weir}")
        })
    }

    /// Waits on both for `column` of the status to be `expected`.
    async fn until(&mut self, column: &str, expected: &str) -> Result {
        for client in [&mut self.at_real, &mut self.at_weir] {
            until_status(client, column, expected).await?;
        }
        Ok(())
    }

    /// Waits until both have received what the source has.
    async fn received(&mut self) -> Result {
        let executed = text(&mut self.at_source, "SELECT @@GLOBAL.gtid_executed").await?;
        for client in [&mut self.at_real, &mut self.at_weir] {
            until_received(client, &executed).await?;
        }
        Ok(())
    }

    /// Compares what is executed, what rows are there, and columns of the status.
    async fn same(&mut self, columns: &[&str]) -> Result<Vec<String>> {
        let mut seen = Vec::new();
        for client in [&mut self.at_real, &mut self.at_weir] {
            let mut of = vec![text(client, "SELECT @@GLOBAL.gtid_executed").await?];
            let rows = client.attempt("SELECT COUNT(*) FROM d.t").await?;
            if rows.is_ok() {
                let ids = client.rows("SELECT id FROM d.t ORDER BY id").await?;
                let ids: Vec<String> = ids.iter().flatten().map(ToString::to_string).collect();
                of.push(ids.join(","));
            }
            for column in columns {
                of.push(status(client, column).await?);
            }
            seen.push(of);
        }
        let (Some(weir), Some(real)) = (seen.pop(), seen.pop()) else {
            return Err(Failure::new("nothing seen"));
        };
        ensure(real == weir, || format!("MySQL: {real:?}\nWeir: {weir:?}"))?;
        Ok(weir)
    }
}

async fn text(client: &mut Client, sql: &str) -> Result<String> {
    Ok(client.value(sql).await?.to_string())
}

async fn until_received(client: &mut Client, executed: &str) -> Result {
    let began = Instant::now();
    loop {
        let retrieved = status(client, "Retrieved_Gtid_Set").await?;
        let own = text(client, "SELECT @@GLOBAL.gtid_executed").await?;
        let sql =
            format!("SELECT GTID_SUBTRACT(GTID_SUBTRACT('{executed}','{retrieved}'),'{own}')");
        if text(client, &sql).await?.is_empty() {
            return Ok(());
        }
        let is_late = began.elapsed() > PATIENCE;
        ensure(!is_late, || {
            format!("{executed} was not received: {retrieved}")
        })?;
        wait::let_run(Duration::from_millis(20)).await;
    }
}

/// The error number of a statement, and its warnings but those about passwords in clear.
async fn told(client: &mut Client, sql: &str) -> Result<String> {
    if let Err(error) = client.attempt(sql).await? {
        return Ok(error.code.to_string());
    }
    let warnings = client.rows("SHOW WARNINGS").await?;
    let texts = warnings.iter().map(|row| format!("{row:?}"));
    let texts: Vec<String> = texts
        .filter(|row| !["1759", "1760"].iter().any(|code| row.contains(code)))
        .collect();
    Ok(texts.join("; "))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_replica_until_ends_where_it_does_on_mysql_97() -> Result {
    let mut pair = Pair::start().await?;
    pair.insert(1, 5).await?;
    let (file, position) = binlog_end(&mut pair.at_source).await?;
    pair.insert(6, 9).await?;
    let uuid = text(&mut pair.at_source, "SELECT @@server_uuid").await?;
    let executed = text(&mut pair.at_source, "SELECT @@GLOBAL.gtid_executed").await?;
    let last = executed.rsplit_once('-');
    let last: u32 = last.map_or(Ok(0), |(_, last)| last.parse())?;
    // The transaction of row 9 is the last.
    let of = |id: u32| format!("{uuid}:{}", last - 9 + id);
    pair.both("START REPLICA IO_THREAD").await?;
    pair.received().await?;
    let shown = ["Until_Condition", "Until_Log_File", "Until_Log_Pos"];
    let before = of(2);
    let set = format!("{}-{}", of(3), last - 5);
    let beyond = position + 1;
    for (until, rows) in [
        (format!("SQL_BEFORE_GTIDS='{before}'"), 1),
        (format!("SQL_AFTER_GTIDS='{set}'"), 4),
        (format!("SQL_AFTER_GTIDS='{set}'"), 4),
        (
            format!("SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS={position}"),
            5,
        ),
        (
            format!("SOURCE_LOG_POS={beyond}, SOURCE_LOG_FILE='{file}'"),
            6,
        ),
        ("SQL_AFTER_MTS_GAPS".to_owned(), 6),
        (format!("SQL_BEFORE_GTIDS='{set},{}'", of(8)), 6),
    ] {
        let sql = format!("START REPLICA SQL_THREAD UNTIL {until}");
        match until.as_str() {
            // MySQL warns (4047) that it knows of no gaps when it goes by GTIDs.
            "SQL_AFTER_MTS_GAPS" => {
                pair.at_real.execute(&sql).await?;
                pair.at_weir.execute(&sql).await?;
            }
            _ => pair.both(&sql).await?,
        }
        pair.until("Replica_SQL_Running", "No").await?;
        let seen = pair.same(&shown).await?;
        let expected: Vec<String> = (1..=rows).map(|id| id.to_string()).collect();
        let is_there = seen.get(1) == Some(&expected.join(","));
        ensure(is_there, || format!("{until}: {seen:?}"))?;
    }
    // A place of the replica's own log.
    let relay = status(&mut pair.at_weir, "Relay_Log_File").await?;
    let offset: u64 = status(&mut pair.at_weir, "Relay_Log_Pos").await?.parse()?;
    let until = format!("RELAY_LOG_FILE='{relay}', RELAY_LOG_POS={}", offset + 1);
    let sql = format!("START REPLICA SQL_THREAD UNTIL {until}");
    pair.at_weir.execute(&sql).await?;
    until_status(&mut pair.at_weir, "Replica_SQL_Running", "No").await?;
    let count = text(&mut pair.at_weir, "SELECT COUNT(*) FROM d.t").await?;
    ensure(count == "7", || count.clone())?;
    // A file of another log: both end at once.
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        let sql = "START REPLICA SQL_THREAD UNTIL SOURCE_LOG_FILE='other.000001', SOURCE_LOG_POS=4";
        client.execute(sql).await?;
        until_status(client, "Replica_SQL_Running", "No").await?;
    }
    // What cannot be, and what is only noted.
    for sql in [
        "START REPLICA UNTIL SQL_AFTER_GTIDS='soon'",
        "START REPLICA UNTIL SOURCE_LOG_POS=4",
        "START REPLICA UNTIL SOURCE_LOG_FILE='b.000001', RELAY_LOG_POS=4",
        "START REPLICA UNTIL SOURCE_LOG_FILE='b.000001', SQL_AFTER_MTS_GAPS",
        "START REPLICA IO_THREAD",
        "STOP REPLICA SQL_THREAD",
        "STOP REPLICA",
        "STOP REPLICA",
        "START REPLICA IO_THREAD UNTIL SQL_BEFORE_GTIDS='3e11fa47-71ca-11e1-9e33-c80aa9429562:1'",
        "START REPLICA",
    ] {
        pair.both(sql).await?;
    }
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
    }
    pair.same(&shown).await?;
    pair.both("START REPLICA").await?;
    // What is executed is not sent again: nothing in front of the place reaches it.
    pair.both("STOP REPLICA").await?;
    pair.both("RESET REPLICA").await?;
    let (file, position) = binlog_end(&mut pair.at_source).await?;
    pair.insert(10, 11).await?;
    let place = format!("SOURCE_LOG_FILE='{file}', SOURCE_LOG_POS={position}");
    pair.both("START REPLICA IO_THREAD").await?;
    pair.received().await?;
    pair.both(&format!("START REPLICA SQL_THREAD UNTIL {place}"))
        .await?;
    pair.until("Replica_SQL_Running", "No").await?;
    let seen = pair.same(&shown).await?;
    let is_there = seen.get(1).is_some_and(|ids| ids.ends_with(",9"));
    ensure(is_there, || format!("{seen:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delayed_replica_waits_as_long_as_mysql_97_and_says_so() -> Result {
    let mut pair = Pair::start().await?;
    pair.both("CHANGE REPLICATION SOURCE TO SOURCE_DELAY=2147483648")
        .await?;
    pair.both("CHANGE REPLICATION SOURCE TO SOURCE_DELAY=3600")
        .await?;
    pair.both("START REPLICA").await?;
    for sql in [
        "CHANGE REPLICATION SOURCE TO SOURCE_DELAY=1",
        "CHANGE REPLICATION SOURCE TO SOURCE_CONNECT_RETRY=2",
        "CHANGE REPLICATION FILTER REPLICATE_DO_DB=(x)",
    ] {
        pair.both(sql).await?;
    }
    pair.received().await?;
    let doing = "Waiting until SOURCE_DELAY seconds after source executed event";
    pair.until("Replica_SQL_Running_State", doing).await?;
    pair.same(&["SQL_Delay"]).await?;
    // MySQL rounds the end up and the clock down, and may say a second more than there is.
    let parties = [
        ("MySQL", &mut pair.at_real, 3_601),
        ("weir", &mut pair.at_weir, 3_600),
    ];
    for (who, client, most) in parties {
        let left: u32 = status(client, "SQL_Remaining_Delay").await?.parse()?;
        ensure((3_500..=most).contains(&left), || format!("{who}: {left}"))?;
    }
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        let began = Instant::now();
        while matches!(
            status(client, "Seconds_Behind_Source").await?.as_str(),
            "0" | "NULL"
        ) {
            let is_late = began.elapsed() > PATIENCE;
            ensure(!is_late, || "a delayed replica is not behind".to_owned())?;
            wait::let_run(Duration::from_millis(50)).await;
        }
    }
    pair.both("STOP REPLICA SQL_THREAD").await?;
    pair.both("CHANGE REPLICATION SOURCE TO SOURCE_DELAY=2")
        .await?;
    // The setting outlives the process; the delay counts from the commit on the source.
    pair.weir.kill()?;
    pair.weir.launch().await?;
    pair.at_weir = pair.weir.client().await?;
    pair.at_weir.execute("START REPLICA").await?;
    pair.at_real.execute("START REPLICA SQL_THREAD").await?;
    let began = Instant::now();
    pair.insert(1, 1).await?;
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
        let elapsed = began.elapsed();
        ensure(elapsed >= Duration::from_secs(2), || format!("{elapsed:?}"))?;
    }
    pair.same(&["SQL_Delay", "SQL_Remaining_Delay"])
        .await
        .map(drop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_that_a_statement_changes_filter_as_on_mysql_97() -> Result {
    let mut pair = Pair::start().await?;
    let made = [
        "CREATE DATABASE other",
        "CREATE TABLE other.t (id INT PRIMARY KEY)",
        "CREATE TABLE d.log (id INT PRIMARY KEY)",
        "CREATE TABLE d.old (id INT PRIMARY KEY)",
    ];
    pair.at_source.run(&made).await?;
    let shown = [
        "Replicate_Do_DB",
        "Replicate_Ignore_DB",
        "Replicate_Do_Table",
        "Replicate_Ignore_Table",
        "Replicate_Wild_Do_Table",
        "Replicate_Wild_Ignore_Table",
        "Replicate_Rewrite_DB",
    ];
    pair.both("START REPLICA").await?;
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
    }
    pair.both("STOP REPLICA SQL_THREAD").await?;
    for sql in [
        "CHANGE REPLICATION FILTER REPLICATE_DO_DB=(x,y), REPLICATE_DO_DB=(d)",
        "CHANGE REPLICATION FILTER REPLICATE_WILD_IGNORE_TABLE=('d.o%'), REPLICATE_IGNORE_TABLE=(d.log)",
        "CHANGE REPLICATION FILTER REPLICATE_WILD_DO_TABLE=('a.b%','x')",
        "CHANGE REPLICATION FILTER REPLICATE_DO_TABLE=(t)",
        "CHANGE REPLICATION FILTER REPLICATE_DO_DB=('a')",
        "CHANGE REPLICATION FILTER REPLICATE_REWRITE_DB=((a,b),(c))",
        "CHANGE REPLICATION FILTER REPLICATE_IGNORE_DB=(), REPLICATE_DO_TABLE=()",
        "CHANGE REPLICATION FILTER REPLICATE_SOMETHING=(a)",
    ] {
        pair.both(sql).await?;
        pair.same(&shown).await?;
    }
    let rows = [
        "INSERT INTO other.t VALUES (1)",
        "INSERT INTO d.log VALUES (1)",
        "INSERT INTO d.old VALUES (1)",
        "INSERT INTO d.t VALUES (1)",
    ];
    pair.at_source.run(&rows).await?;
    pair.both("START REPLICA SQL_THREAD").await?;
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
    }
    pair.same(&shown).await?;
    for (table, count) in [
        ("other.t", "0"),
        ("d.log", "0"),
        ("d.old", "0"),
        ("d.t", "1"),
    ] {
        for client in [&mut pair.at_real, &mut pair.at_weir] {
            let found = text(client, &format!("SELECT COUNT(*) FROM {table}")).await?;
            ensure(found == count, || format!("{table}: {found}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_transaction_takes_a_place_as_on_mysql_97() -> Result {
    let mut pair = Pair::start().await?;
    pair.insert(1, 4).await?;
    let executed = text(&mut pair.at_source, "SELECT @@GLOBAL.gtid_executed").await?;
    let (uuid, last) = executed.rsplit_once(":1-").unwrap_or_default();
    let third = last.parse::<u32>()? - 1;
    let far = "3e11fa47-71ca-11e1-9e33-c80aa9429562:7".to_owned();
    for gtid in [format!("{uuid}:{third}"), far.clone(), far] {
        for sql in [
            format!("SET SESSION gtid_next = '{gtid}'"),
            "BEGIN".to_owned(),
            "COMMIT".to_owned(),
            "SELECT 1".to_owned(),
            "SET SESSION gtid_next = 'AUTOMATIC'".to_owned(),
        ] {
            pair.both(&sql).await?;
        }
    }
    pair.same(&[]).await?;
    // Not behind a lock of one's own.
    pair.at_weir.execute("FLUSH TABLES WITH READ LOCK").await?;
    let sql = "SET SESSION gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:9'";
    pair.at_weir.execute(sql).await?;
    pair.at_weir.execute("BEGIN").await?;
    let ended = pair.at_weir.attempt("COMMIT").await?;
    ensure(ended.err().is_some_and(|error| error.code == 1223), || {
        "an empty transaction behind one's own lock".to_owned()
    })?;
    pair.at_weir
        .run(&["UNLOCK TABLES", "SET SESSION gtid_next = 'AUTOMATIC'"])
        .await?;
    pair.both("START REPLICA").await?;
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
    }
    let seen = pair.same(&[]).await?;
    ensure(!seen.get(1).is_some_and(|ids| ids.contains('3')), || {
        format!("{seen:?}")
    })?;
    // With an applier that runs, and after a restart.
    let ahead = last.parse::<u32>()? + 1;
    for sql in [
        format!("SET SESSION gtid_next = '{uuid}:{ahead}'"),
        "BEGIN".to_owned(),
        "COMMIT".to_owned(),
    ] {
        pair.both(&sql).await?;
    }
    pair.insert(5, 6).await?;
    for client in [&mut pair.at_real, &mut pair.at_weir] {
        until_gtids_executed(&mut pair.at_source, client, PATIENCE).await?;
    }
    pair.same(&["Replica_SQL_Running"]).await?;
    pair.weir.kill()?;
    pair.weir.launch().await?;
    pair.at_weir = pair.weir.client().await?;
    let seen = pair.same(&[]).await?;
    ensure(!seen.get(1).is_some_and(|ids| ids.contains('5')), || {
        format!("{seen:?}")
    })?;
    pair.real.stop()
}

/// `weir replica skip`, its exit code and what it printed.
fn skip(replica: &Weir, more: &[&str]) -> Result<(bool, String)> {
    let url = format!("mysql://root@127.0.0.1:{}", replica.port);
    let mut command = Command::new(weir::binary()?);
    command.args(["replica", "skip", &url]).args(more);
    let ended = command.output()?;
    let text = [ended.stdout, ended.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok((ended.status.success(), text))
}

/// Skips over lines that are cut behind one request more each time, until one skip gets through. None
/// that did not leaves the counter set.
async fn skip_over_cut_lines(replica: &Weir, at_replica: &mut Client) -> Result {
    let stopped_at = status(at_replica, "Exec_Source_Log_Pos").await?;
    for requests in 1..40 {
        let (line, url) = Line::to(replica.port, Cut::BehindRequests(requests), 0).await?;
        let mut command = Command::new(weir::binary()?);
        let ended = command.args(["replica", "skip", &url, "--yes"]).output()?;
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        // Started, it counts down when it comes to the transaction.
        let is_running = status(at_replica, "Replica_SQL_Running").await? == "Yes";
        if is_running || status(at_replica, "Exec_Source_Log_Pos").await? != stopped_at {
            return ensure(line.is_cut(), || "the line was never cut".to_owned());
        }
        let counter = status(at_replica, "Skip_Counter").await?;
        let is_taken_back = counter == "0";
        ensure(is_taken_back, || {
            format!("{requests} requests: {counter} to skip: {said}")
        })?;
        ensure(!ended.status.success(), || said.clone())?;
    }
    Err(Failure::new("no skip got through"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_transaction_is_skipped_and_the_next_ones_arrive() -> Result {
    for mode in ["ON", "OFF"] {
        let gtid_mode = format!("--gtid-mode={mode}");
        let consistency = format!("--enforce-gtid-consistency={mode}");
        let options = [gtid_mode.as_str(), consistency.as_str()];
        let source = RealServer::start(Peer::MySql97, 1, &options).await?;
        let mut at_source = source.client().await?;
        create_account(&mut at_source, Peer::MySql97).await?;
        let (file, position) = binlog_end(&mut at_source).await?;
        let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
        at_source.run(&made).await?;
        let place = match mode {
            "ON" => "source-auto-position=1".to_owned(),
            _ => format!("source-log-file={file}\nsource-log-pos={position}"),
        };
        let replica = Weir::replica(
            2,
            &[
                "source-host=127.0.0.1",
                &format!("source-port={}", source.port),
                &format!("source-user={REPLICATION_USER}"),
                &format!("source-password={REPLICATION_PASSWORD}"),
                &place,
                &format!("gtid-mode={mode}"),
                &format!("enforce-gtid-consistency={mode}"),
            ],
        )
        .await?;
        let mut at_replica = replica.client().await?;
        let (is_done, said) = skip(&replica, &["--yes"])?;
        ensure(
            !is_done && said.contains("has not stopped with an error"),
            || said.clone(),
        )?;
        // What this target does not take.
        let sql = [
            "INSERT INTO d.t VALUES (1)",
            "CREATE TABLE mysql.v (a INT)",
            "INSERT INTO d.t VALUES (2)",
            "CREATE TABLE mysql.w (a INT)",
            "INSERT INTO d.t VALUES (3)",
        ];
        at_source.run(&sql).await?;
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        let (is_done, said) = skip(&replica, &[])?;
        ensure(!is_done && said.contains("--yes"), || said.clone())?;
        let count = text(&mut at_replica, "SELECT COUNT(*) FROM d.t").await?;
        ensure(count == "1", || count.clone())?;
        let (is_done, said) = skip(&replica, &["--yes", "--json"])?;
        ensure(
            said.contains("skipped ") && said.contains("\"applier_running\""),
            || said.clone(),
        )?;
        // It may have stopped at the second one by then.
        ensure(is_done || said.contains("stopped again"), || said.clone())?;
        until_status(&mut at_replica, "Replica_SQL_Running", "No").await?;
        match mode {
            "ON" => {
                let gtid = at_replica.rows("SHOW STATUS LIKE 'Weir_applier_failed_gtid'");
                let gtid = gtid.await?.pop().and_then(|mut row| row.pop());
                let gtid = gtid.map(|cell| cell.to_string()).unwrap_or_default();
                let (is_done, said) = skip(&replica, &["--yes", "--gtid", &gtid])?;
                ensure(is_done && said.contains(&gtid), || said.clone())?;
                let (is_done, said) = skip(&replica, &["--yes", "--gtid", &gtid])?;
                ensure(!is_done && said.contains("is executed"), || said.clone())?;
                until_gtids_executed(&mut at_source, &mut at_replica, PATIENCE).await?;
            }
            _ => {
                let (_, end) = binlog_end(&mut at_source).await?;
                skip_over_cut_lines(&replica, &mut at_replica).await?;
                until_status(&mut at_replica, "Exec_Source_Log_Pos", &end.to_string()).await?;
            }
        }
        let count = text(&mut at_replica, "SELECT COUNT(*) FROM d.t").await?;
        ensure(count == "3", || count.clone())?;
        let skipped = at_replica.rows("SHOW STATUS LIKE 'Weir_transactions_skipped'");
        let skipped = format!("{:?}", skipped.await?);
        // By GTID it began with the source's account, in two statements that are not kept.
        let expected = if mode == "ON" { "4]" } else { "2]" };
        ensure(skipped.contains(expected), || skipped.clone())?;
    }
    Ok(())
}
