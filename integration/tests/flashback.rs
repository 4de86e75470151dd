//! `weir flashback` on logs of real servers and of a primary: the tables become what they were, or
//! nothing happens and the reason is told.

#[path = "flashback/conflicts.rs"]
mod conflicts;
#[path = "flashback/recipe.rs"]
mod recipe;
#[path = "flashback/refusals.rs"]
mod refusals;
#[path = "flashback/run.rs"]
mod run;

use integration::chance::Chance;
use integration::compare::{Snapshot, ensure_same};
use integration::failure::ensure;
use integration::sql::Client;
use integration::workload::{self, Scope};
use integration::{Peer, RealServer, Result, Weir};

use run::{Way, checksums, flashback, last_log, replay_file, start_of};

/// What the workload touches.
const DATABASES: [&str; 2] = ["types", "other"];

const MYSQL_WAYS: [Way; 5] = [
    Way::Apply,
    Way::ApplyAtOnce,
    Way::Sql,
    Way::Binlog,
    Way::BinlogByWeir,
];

const MARIADB_WAYS: [Way; 4] = [Way::Apply, Way::Sql, Way::Binlog, Way::BinlogByWeir];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_mysql_97_comes_back_each_way() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    every_type_comes_back(&server, Scope::MySql, &MYSQL_WAYS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compressed_and_partial_logs_of_mysql_97_come_back() -> Result {
    let options = [
        "--binlog-transaction-compression=ON",
        "--binlog-row-value-options=PARTIAL_JSON",
        "--binlog-row-metadata=FULL",
    ];
    let server = RealServer::start(Peer::MySql97, 1, &options).await?;
    every_type_comes_back(&server, Scope::MySql, &MYSQL_WAYS).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_type_of_both_mariadbs_comes_back_each_way() -> Result {
    for (peer, options) in [
        (Peer::MariaDb118, &["--binlog-row-metadata=FULL"][..]),
        (Peer::MariaDb1011, &["--log-bin-compress=ON"]),
    ] {
        let server = RealServer::start(peer, 1, options).await?;
        every_type_comes_back(&server, Scope::WithMariaDb, &MARIADB_WAYS).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_takes_its_own_changes_back() -> Result {
    let primary = Weir::primary(1, &[]).await?;
    let mut client = primary.client().await?;
    client.run(&workload::load(Scope::MySql)).await?;
    for way in [Way::Apply, Way::ApplyAtOnce, Way::Sql, Way::BinlogByWeir] {
        let before = Snapshot::take(&mut client, &DATABASES).await?;
        client.execute("FLUSH BINARY LOGS").await?;
        client.run(&changes(Scope::MySql)).await?;
        client
            .run(&wiped(&mut primary.client().await?).await?)
            .await?;
        let log = last_log(&primary.binlogs()?)?;
        way.take_back(
            Peer::MySql97,
            primary.port,
            &log,
            &["--start", &start_of(&log)],
        )
        .map_err(|failure| primary.explain(failure))?;
        let after = Snapshot::take(&mut client, &DATABASES).await?;
        ensure_same("before", &before, way.name(), &after)?;
    }
    Ok(())
}

/// The workload's changes, then a DELETE and an UPDATE of everything, taken back in each way.
async fn every_type_comes_back(server: &RealServer, scope: Scope, ways: &[Way]) -> Result {
    let mut client = server.client().await?;
    client.run(&workload::load(scope)).await?;
    client
        .run(&[
            "CREATE TABLE computed (id INT PRIMARY KEY, n INT, twice INT AS (n * 2) STORED, \
             more INT AS (n + 1) VIRTUAL, at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) \
             ON UPDATE CURRENT_TIMESTAMP(3))",
            "INSERT INTO computed (id, n) VALUES (1, 10), (2, 20), (3, NULL)",
        ])
        .await?;
    for way in ways {
        let before = Snapshot::take(&mut client, &DATABASES).await?;
        let sums = checksums(&mut client, &DATABASES).await?;
        client.execute("FLUSH BINARY LOGS").await?;
        client.run(&changes(scope)).await?;
        client
            .run(&[
                "UPDATE types.computed SET n = id * 7",
                "UPDATE types.numbers SET bu = 5, f = 0.3, d65 = 1",
                "UPDATE types.texts SET v = 'all the same', e = 'red'",
            ])
            .await?;
        client
            .run(&wiped(&mut server.client().await?).await?)
            .await?;
        let log = last_log(&server.binlogs()?)?;
        way.take_back(
            server.peer,
            server.port,
            &log,
            &["--start", &start_of(&log)],
        )?;
        let after = Snapshot::take(&mut client, &DATABASES).await?;
        ensure_same("before", &before, way.name(), &after)?;
        let again = checksums(&mut client, &DATABASES).await?;
        ensure(sums == again, || {
            format!("{}: {sums:?}, then {again:?}", way.name())
        })?;
        ensure(before.rows() > 600, || format!("{} rows", before.rows()))?;
    }
    Ok(())
}

/// What the workload changes in tables that stay, without definitions.
fn changes(scope: Scope) -> Vec<String> {
    let is_change = |statement: &String| {
        ["CREATE", "DROP", "TRUNCATE"]
            .iter()
            .all(|word| !statement.starts_with(word))
            && !statement.contains(" gone ")
    };
    workload::change(scope)
        .into_iter()
        .filter(is_change)
        .collect()
}

/// A DELETE without WHERE of every table.
async fn wiped(client: &mut Client) -> Result<Vec<String>> {
    let mut statements = Vec::new();
    for database in DATABASES {
        let tables = client
            .rows(&format!(
                "SELECT TABLE_NAME FROM information_schema.TABLES \
                 WHERE TABLE_SCHEMA = '{database}' AND TABLE_TYPE = 'BASE TABLE'"
            ))
            .await?;
        for row in tables {
            if let Some(name) = row.first() {
                let name = name.to_string().replace('`', "``");
                statements.push(format!("DELETE FROM `{database}`.`{name}`"));
            }
        }
    }
    Ok(statements)
}

/// 200 transactions of two sessions at once on five tables; then all of them, some of them by GTID.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_interleaved_transactions_come_back() -> Result {
    let mut chance = Chance::from_environment();
    for (peer, options) in [
        (Peer::MySql97, &["--binlog-row-metadata=FULL"][..]),
        (
            Peer::MySql97,
            &[
                "--binlog-transaction-compression=ON",
                "--binlog-row-metadata=FULL",
            ],
        ),
        (Peer::MariaDb118, &[]),
    ] {
        let server = RealServer::start(peer, 1, options).await?;
        let mut client = server.client().await?;
        client.execute("CREATE DATABASE shop").await?;
        for table in 0..5 {
            client
                .run(&[
                    format!(
                        "CREATE TABLE shop.t{table} (id INT PRIMARY KEY, n INT, s VARCHAR(40), \
                         UNIQUE KEY (s))"
                    ),
                    format!(
                        "INSERT INTO shop.t{table} VALUES {}",
                        (0..100)
                            .map(|id| format!("({id}, {id}, 'row {id}')"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                ])
                .await?;
        }
        let before = Snapshot::take(&mut client, &["shop"]).await?;
        client.execute("FLUSH BINARY LOGS").await?;
        interleave(&server, &mut chance).await?;
        let log = last_log(&server.binlogs()?)?;
        let url = run::url(server.port);
        let log_name = log.display().to_string();
        let done = flashback(&[
            &log_name,
            "--start",
            &start_of(&log),
            "--apply",
            &url,
            "--yes",
            "--json",
        ])?;
        done.ensure_done()?;
        let transactions = done.number("undone_transactions")?;
        ensure(transactions == 200, || done.text.clone())?;
        let after = Snapshot::take(&mut client, &["shop"]).await?;
        ensure_same("before", &before, "after", &after)?;
    }
    Ok(())
}

/// Two sessions, of which each has a transaction open while the other one works.
async fn interleave(server: &RealServer, chance: &mut Chance) -> Result {
    let mut sessions = [server.client().await?, server.client().await?];
    for session in &mut sessions {
        session
            .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
            .await?;
    }
    for round in 0..100_u64 {
        for session in &mut sessions {
            session.execute("START TRANSACTION").await?;
        }
        for step in 0..4 {
            for (at, session) in (0_u64..).zip(&mut sessions) {
                // Rows of their own, so that neither waits.
                let table = chance.below(5);
                let id = chance.below(55) + at * 60;
                let mark = round * 100 + step * 10 + at;
                let statement = match chance.below(4) {
                    0 => format!("DELETE FROM shop.t{table} WHERE id = {id}"),
                    1 => format!("UPDATE shop.t{table} SET n = {mark} WHERE id = {id}"),
                    2 => format!(
                        "UPDATE shop.t{table} SET s = 'mark {mark} {table}' WHERE id = {id}"
                    ),
                    _ => format!(
                        "INSERT INTO shop.t{table} VALUES ({id}, {mark}, 'new {mark}') \
                         ON DUPLICATE KEY UPDATE n = {mark}"
                    ),
                };
                session.execute(&statement).await?;
            }
        }
        for session in &mut sessions {
            let id = 1000 + round;
            session
                .execute(&format!(
                    "REPLACE INTO shop.t0 VALUES ({id}, 1, CONNECTION_ID())"
                ))
                .await?;
            session.execute("COMMIT").await?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_chooses_rows_and_others_stay() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &["--binlog-row-metadata=FULL"]).await?;
    let mut client = server.client().await?;
    client
        .run(&[
            "CREATE DATABASE shop",
            "CREATE TABLE shop.a (id INT PRIMARY KEY, v VARCHAR(20))",
            "CREATE TABLE shop.b (id INT PRIMARY KEY, v VARCHAR(20))",
            "INSERT INTO shop.a VALUES (1, 'a'), (2, 'b'), (3, 'c')",
            "INSERT INTO shop.b VALUES (1, 'x'), (2, 'y')",
            "FLUSH BINARY LOGS",
            "UPDATE shop.a, shop.b SET a.v = 'same', b.v = 'same' WHERE a.id = b.id",
            "DELETE FROM shop.a",
        ])
        .await?;
    let log = last_log(&server.binlogs()?)?;
    let text = log.display().to_string();
    let start = start_of(&log);
    let mut arguments = vec![
        text.as_str(),
        "--start",
        &start,
        "--table",
        "shop.a",
        "--key",
        "2",
    ];
    let url = run::url(server.port);
    let dry = flashback(&[&arguments[..], &["--dry-run"]].concat())?;
    ensure(
        dry.text
            .contains("also changed shop.b, which stays as it is"),
        || dry.text.clone(),
    )?;
    arguments.extend(["--apply", &url, "--yes", "--json"]);
    let done = flashback(&arguments)?;
    done.ensure_done()?;
    ensure(done.number("undone_rows")? == 2, || done.text.clone())?;
    let rows = client.answer("SELECT * FROM shop.a").await?;
    ensure(rows.contains('b') && !rows.contains("same"), || {
        rows.clone()
    })?;
    let count = client.value("SELECT COUNT(*) FROM shop.a").await?;
    ensure(count.to_string() == "1", || count.to_string())?;
    let same = client
        .value("SELECT COUNT(*) FROM shop.b WHERE v = 'same'")
        .await?;
    ensure(same.to_string() == "2", || same.to_string())
}

/// The log comes from the server itself, and who may change it stands in an option file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_read_and_changed_by_an_account_of_an_option_file() -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb118] {
        let server = RealServer::start(peer, 1, &[]).await?;
        let mut client = server.client().await?;
        client
            .run(&[
                "CREATE DATABASE shop",
                "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))",
                "INSERT INTO shop.t VALUES (1, 'a'), (2, 'b'), (3, 'c')",
                "CREATE USER mender@'127.0.0.1' IDENTIFIED BY 'Sword fish'",
                "GRANT ALL ON shop.* TO mender@'127.0.0.1'",
                "FLUSH BINARY LOGS",
            ])
            .await?;
        let before = Snapshot::take(&mut client, &["shop"]).await?;
        client.execute("DELETE FROM shop.t").await?;
        let log = last_log(&server.binlogs()?)?;
        let directory = tempfile::tempdir()?;
        let options = directory.path().join("client.cnf");
        std::fs::write(
            &options,
            "[client]\nuser=mender\npassword=\"Sword fish\"\nssl-mode=PREFERRED\n",
        )?;
        let (file, start) = (options.display().to_string(), start_of(&log));
        let (from, to) = (
            run::url(server.port),
            format!("mysql://127.0.0.1:{}", server.port),
        );
        let arguments = [&from, "--start", &start, "--table", "shop.t", "--yes"];
        let more = ["--apply", &to, "--defaults-file", &file, "--json"];
        let done = flashback(&[&arguments[..], &more].concat())?;
        done.ensure_done()?;
        ensure(done.number("undone_rows")? == 3, || done.text.clone())?;
        let after = Snapshot::take(&mut client, &["shop"]).await?;
        ensure_same("before", &before, "after", &after)?;
    }
    Ok(())
}

/// Encrypted logs, whose rows go through the scratch file.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn encrypted_logs_come_back() -> Result {
    let encrypted = ["binlog_encryption=ON", "keyring_file_data=keyring"];
    let primary = Weir::primary(1, &encrypted).await?;
    let keyring = primary.data().join("keyring");
    let client = primary.client().await?;
    let files = || primary.binlogs();
    let key = keyring.display().to_string();
    wiped_and_back(client, primary.port, &files, &["--keyring", &key]).await?;
    let options = [
        "--binlog-encryption=ON",
        "--binlog-transaction-compression=ON",
    ];
    let mut server = RealServer::prepare(Peer::MySql97, 2, &options)?;
    server.use_keyring(&keyring)?;
    server.launch().await?;
    let client = server.client().await?;
    let files = || server.binlogs();
    let own = server.data().with_file_name("home").join("keyring");
    let key = own.display().to_string();
    wiped_and_back(client, server.port, &files, &["--keyring", &key]).await?;
    let directory = tempfile::tempdir()?;
    let keys = directory.path().join("keys");
    std::fs::write(&keys, format!("1;{}\n", "0123456789abcdef".repeat(4)))?;
    let key = keys.display().to_string();
    let options = [
        "--plugin-load-add=file_key_management",
        &format!("--file-key-management-filename={key}"),
        "--encrypt-binlog=ON",
    ];
    let server = RealServer::start(Peer::MariaDb118, 3, &options).await?;
    let client = server.client().await?;
    let files = || server.binlogs();
    wiped_and_back(client, server.port, &files, &["--file-key", &key]).await
}

/// A DELETE without WHERE is taken back by its log, which `more` opens.
async fn wiped_and_back(
    mut client: Client,
    port: u16,
    files: &dyn Fn() -> Result<Vec<std::path::PathBuf>>,
    more: &[&str],
) -> Result {
    let rows: Vec<String> = (0..3000).map(|id| format!("({id}, 'row {id}')")).collect();
    client
        .run(&[
            "CREATE DATABASE shop".to_owned(),
            "CREATE TABLE shop.t (id INT PRIMARY KEY, v VARCHAR(20))".to_owned(),
            format!("INSERT INTO shop.t VALUES {}", rows.join(", ")),
            "FLUSH BINARY LOGS".to_owned(),
        ])
        .await?;
    let before = Snapshot::take(&mut client, &["shop"]).await?;
    client.execute("DELETE FROM shop.t").await?;
    let log = last_log(&files()?)?;
    let (text, start, url) = (log.display().to_string(), start_of(&log), run::url(port));
    let mut arguments = vec![text.as_str(), "--start", &start, "--apply", &url];
    arguments.extend(["--yes", "--json"]);
    let closed = flashback(&arguments)?;
    ensure(
        closed.code == Some(1) && closed.text.contains("key"),
        || format!("without a key: {}", closed.text),
    )?;
    arguments.extend(more);
    let done = flashback(&arguments)?;
    done.ensure_done()?;
    ensure(done.number("undone_rows")? == 3000, || done.text.clone())?;
    let after = Snapshot::take(&mut client, &["shop"]).await?;
    ensure_same("before", &before, "after", &after)
}

/// A table whose foreign keys change another one: MySQL 9.7 logs that, and it comes back with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_foreign_keys_did_comes_back_with_it() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &["--binlog-row-metadata=FULL"]).await?;
    let mut client = server.client().await?;
    client
        .run(&[
            "CREATE DATABASE types",
            "CREATE TABLE types.parent (id INT PRIMARY KEY, v VARCHAR(20))",
            "CREATE TABLE types.child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) \
             REFERENCES types.parent (id) ON DELETE CASCADE ON UPDATE CASCADE)",
            "CREATE TABLE types.loose (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) \
             REFERENCES types.parent (id) ON DELETE SET NULL)",
            "INSERT INTO types.parent VALUES (1, 'a'), (2, 'b'), (3, 'c')",
            "INSERT INTO types.child VALUES (10, 1), (11, 1), (12, 2)",
            "INSERT INTO types.loose VALUES (20, 3), (21, 3), (22, 1)",
        ])
        .await?;
    for way in MYSQL_WAYS {
        let before = Snapshot::take(&mut client, &DATABASES).await?;
        client
            .run(&[
                "FLUSH BINARY LOGS",
                "DELETE FROM types.parent WHERE id = 1",
                "UPDATE types.parent SET v = 'changed' WHERE id = 3",
                "DELETE FROM types.parent WHERE id = 3",
            ])
            .await?;
        let log = last_log(&server.binlogs()?)?;
        way.take_back(
            server.peer,
            server.port,
            &log,
            &["--start", &start_of(&log)],
        )?;
        let after = Snapshot::take(&mut client, &DATABASES).await?;
        ensure_same("before", &before, way.name(), &after)?;
        // Nobody who follows this server may stop at what was written.
        let verified = run::weir(&["binlog", "verify", &log.display().to_string()])?;
        ensure(verified.ok, || format!("{}: {}", way.name(), verified.text))?;
    }
    client
        .run(&[
            "FLUSH BINARY LOGS",
            "UPDATE types.parent SET id = 20 WHERE id = 2",
        ])
        .await?;
    let log = last_log(&server.binlogs()?)?;
    replay_file(&server, &log, "binlog")?;
    let key = client
        .value("SELECT p FROM types.child WHERE id = 12")
        .await?;
    ensure(key.to_string() == "2", || key.to_string())
}
