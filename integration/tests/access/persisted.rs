//! SET PERSIST and RESET PERSIST beside MySQL 9.7: answers, file, and what the next start makes of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use integration::failure::ensure;
use integration::sql::ClientOptions;
use integration::{Client, Peer, RealServer, Result, Weir};

const FILE: &str = "mysqld-auto.cnf";

/// What both keep, in every form that SET has for it.
const KEPT: [&str; 34] = [
    "SET PERSIST wait_timeout = 100",
    "SET PERSIST wait_timeout = 100, PERSIST_ONLY net_read_timeout = 55, GLOBAL net_write_timeout = 9",
    "SELECT @@GLOBAL.wait_timeout, @@GLOBAL.net_read_timeout, @@GLOBAL.net_write_timeout",
    "SET @@persist.sort_buffer_size = 65536, @@persist_only.join_buffer_size = 131072",
    "SELECT @@GLOBAL.sort_buffer_size, @@GLOBAL.join_buffer_size",
    "SET PERSIST max_connections = 120",
    "SET PERSIST max_prepared_stmt_count = 1000",
    "SET PERSIST sql_mode = 'ansi'",
    "SET PERSIST time_zone = '+01:00'",
    "SET PERSIST autocommit = 1",
    "SET PERSIST transaction_isolation = 'read-committed'",
    "SET PERSIST transaction_read_only = OFF",
    "SET PERSIST character_set_results = NULL",
    "SET PERSIST session_track_gtids = own_gtid",
    "SET PERSIST Interactive_Timeout = 77",
    "SET PERSIST lock_wait_timeout = 1000",
    "SET PERSIST lock_wait_timeout = DEFAULT",
    "SELECT @@GLOBAL.lock_wait_timeout",
    "SET PERSIST read_only = OFF, super_read_only = OFF",
    "SET PERSIST_ONLY autocommit = on",
    "SET PERSIST_ONLY innodb_lock_wait_timeout = 7",
    "SELECT @@GLOBAL.innodb_lock_wait_timeout",
    "SET PERSIST_ONLY server_id = 9",
    "SET PERSIST_ONLY sync_binlog = 1000, max_binlog_size = 8192",
    "SET PERSIST_ONLY max_allowed_packet = 33554432",
    "SET PERSIST_ONLY gtid_mode = 'ON', enforce_gtid_consistency = 'ON'",
    "SET PERSIST_ONLY binlog_expire_logs_seconds = 864000",
    "SET PERSIST_ONLY binlog_checksum = 'CRC32', binlog_row_metadata = 'FULL'",
    "SET PERSIST_ONLY binlog_encryption = OFF",
    "SET PERSIST_ONLY require_secure_transport = OFF",
    "SET PERSIST_ONLY skip_name_resolve = ON",
    "SET PERSIST character_set_server = 'utf8mb4'",
    "SET PERSIST_ONLY wait_timeout = DEFAULT",
    "SELECT * FROM performance_schema.persisted_variables ORDER BY variable_name",
];

/// What neither keeps, and what is taken out again.
const REFUSED: [&str; 50] = [
    "SET PERSIST nosuch = 1",
    "SET PERSIST_ONLY nosuch = 1",
    "SET PERSIST wait_timeout = 1, nosuch = 1",
    "SELECT @@GLOBAL.wait_timeout",
    "SET PERSIST last_insert_id = 1",
    "SET PERSIST_ONLY sql_log_bin = 0",
    "SET PERSIST gtid_next = 'AUTOMATIC'",
    "SET PERSIST port = 1",
    "SET PERSIST_ONLY port = 1",
    "SET PERSIST_ONLY datadir = '/x'",
    "SET PERSIST_ONLY bind_address = '127.0.0.1'",
    "SET PERSIST_ONLY socket = NULL",
    "SET PERSIST_ONLY log_bin = 0",
    "SET PERSIST_ONLY version = '1'",
    "SET PERSIST_ONLY server_uuid = 'a'",
    "SET PERSIST hostname = 'a'",
    "SET PERSIST gtid_executed = ''",
    "SET PERSIST_ONLY gtid_executed = ''",
    "SET PERSIST gtid_purged = ''",
    "SET PERSIST_ONLY gtid_purged = ''",
    "SET PERSIST persisted_globals_load = OFF",
    "SET PERSIST_ONLY persisted_globals_load = OFF",
    "SET PERSIST wait_timeout = 'abc'",
    "SET PERSIST_ONLY wait_timeout = 'abc'",
    "SET PERSIST_ONLY wait_timeout = 1.5",
    "SET PERSIST_ONLY wait_timeout = NULL",
    "SET PERSIST_ONLY server_id = '7'",
    "SET PERSIST_ONLY read_only = maybe",
    "SET PERSIST_ONLY autocommit = 7",
    "SET PERSIST_ONLY ssl_cert = NULL",
    "SET PERSIST sql_mode = NULL",
    "SET PERSIST time_zone = 'nosuch'",
    "SET PERSIST TRANSACTION ISOLATION LEVEL SERIALIZABLE",
    "SET PERSIST_ONLY TRANSACTION READ ONLY",
    "SET PERSIST NAMES utf8mb4",
    "SET PERSIST CHARACTER SET utf8mb4",
    "SET PERSIST @x = 1",
    "RESET PERSIST nosuch",
    "RESET PERSIST IF EXISTS nosuch",
    "SHOW WARNINGS",
    "RESET PERSIST IF EXISTS",
    "RESET PERSIST a.b",
    "RESET PERSIST wait_timeout, sql_mode",
    "RESET PERSIST @@wait_timeout",
    "RESET PERSIST 'wait_timeout'",
    "RESET PERSIST WAIT_Timeout",
    "RESET PERSIST wait_timeout",
    "SELECT @@GLOBAL.wait_timeout",
    "RESET PERSIST `sql_mode`",
    "SELECT * FROM performance_schema.persisted_variables ORDER BY variable_name",
];

async fn both() -> Result<(Weir, RealServer)> {
    let node = Weir::primary(1, &[]).await?;
    let mysql = RealServer::start(Peer::MySql97, 2, &[]).await?;
    Ok((node, mysql))
}

async fn compare(own: &mut Client, theirs: &mut Client, statements: &[&str]) -> Result {
    for statement in statements {
        let (seen, expected) = (
            own.answer(statement).await?,
            theirs.answer(statement).await?,
        );
        ensure(seen == expected, || {
            format!("{statement}\n  Weir:  {seen}\n  MySQL: {expected}")
        })?;
    }
    Ok(())
}

/// A file without when, and from where, its variables were set: MySQL names no host that it did not
/// look up.
fn file(data: &Path) -> Result<String> {
    let text = std::fs::read_to_string(data.join(FILE))?
        .replace("\"Host\": \"localhost\"", "\"Host\": \"\"");
    let mut parts = text.split("\"Timestamp\": ");
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        rest.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    Ok(rest)
}

fn same_files(node: &Weir, mysql: &RealServer) -> Result {
    let (own, theirs) = (file(&node.data())?, file(&mysql.data())?);
    ensure(own == theirs, || format!("Weir:  {own}\nMySQL: {theirs}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_persisted_is_answered_and_written_as_mysql_does() -> Result {
    let (node, mysql) = both().await?;
    let mut own = Client::connect(&ClientOptions::root(node.port)).await?;
    let mut theirs = Client::connect(&ClientOptions::root(mysql.port)).await?;
    compare(&mut own, &mut theirs, &KEPT).await?;
    same_files(&node, &mysql)?;
    compare(&mut own, &mut theirs, &REFUSED).await?;
    same_files(&node, &mysql)?;
    compare(&mut own, &mut theirs, &["RESET PERSIST", "RESET PERSIST"]).await?;
    same_files(&node, &mysql)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn persisting_takes_the_privileges_that_it_takes_in_mysql() -> Result {
    let (node, mysql) = both().await?;
    let mut own = Client::connect(&ClientOptions::root(node.port)).await?;
    let mut theirs = Client::connect(&ClientOptions::root(mysql.port)).await?;
    let accounts = [
        ("nobody", ""),
        ("setter", "SYSTEM_VARIABLES_ADMIN"),
        ("keeper", "PERSIST_RO_VARIABLES_ADMIN"),
        (
            "entitled",
            "SYSTEM_VARIABLES_ADMIN, PERSIST_RO_VARIABLES_ADMIN",
        ),
        ("super", "SUPER"),
    ];
    let tried = [
        "SET PERSIST wait_timeout = 100",
        "SET PERSIST wait_timeout = 'abc'",
        "SET PERSIST nosuch = 1",
        "SET PERSIST port = 1",
        "SET PERSIST gtid_purged = ''",
        "SET PERSIST_ONLY wait_timeout = 101",
        "SET PERSIST_ONLY server_id = 7",
        "SET PERSIST_ONLY port = 1",
        "RESET PERSIST wait_timeout",
        "RESET PERSIST server_id",
        "RESET PERSIST IF EXISTS server_id",
        "RESET PERSIST character_set_server",
        "RESET PERSIST max_connections",
        "RESET PERSIST nosuch",
        "RESET PERSIST",
        "RESET PERSIST",
    ];
    for (name, privileges) in accounts {
        for client in [&mut own, &mut theirs] {
            client
                .execute(&format!("CREATE USER '{name}' IDENTIFIED BY 'x'"))
                .await?;
            if !privileges.is_empty() {
                client
                    .execute(&format!("GRANT {privileges} ON *.* TO '{name}'"))
                    .await?;
            }
            client
                .run(&[
                    "RESET PERSIST",
                    "SET PERSIST wait_timeout = 99, max_connections = 99",
                    "SET PERSIST_ONLY server_id = 3, character_set_server = 'utf8mb4'",
                ])
                .await?;
        }
        let options = |port| ClientOptions {
            user: name.to_owned(),
            password: "x".to_owned(),
            tls: true,
            ..ClientOptions::root(port)
        };
        let mut here = Client::connect(&options(node.port)).await?;
        let mut there = Client::connect(&options(mysql.port)).await?;
        compare(&mut here, &mut there, &tried)
            .await
            .map_err(|failure| failure.during(name))?;
    }
    let shown = own.answer("SHOW GRANTS FOR entitled").await?;
    ensure(
        shown.contains("PERSIST_RO_VARIABLES_ADMIN, SYSTEM_VARIABLES_ADMIN"),
        || shown.clone(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_start_begins_with_the_variables_that_mysql_persisted() -> Result {
    let (mut node, mysql) = both().await?;
    let mut theirs = Client::connect(&ClientOptions::root(mysql.port)).await?;
    let statements: Vec<_> = KEPT
        .into_iter()
        .filter(|statement| statement.starts_with("SET"))
        .collect();
    theirs.run(&statements).await?;
    node.stop()?;
    std::fs::copy(mysql.data().join(FILE), node.data().join(FILE))?;
    node.launch().await?;
    let begun = "SELECT @@GLOBAL.wait_timeout, @@GLOBAL.net_read_timeout, @@GLOBAL.server_id, \
                 @@GLOBAL.join_buffer_size, @@GLOBAL.max_connections, @@GLOBAL.sql_mode, \
                 @@GLOBAL.time_zone, @@GLOBAL.transaction_isolation, \
                 @@GLOBAL.innodb_lock_wait_timeout, @@GLOBAL.sync_binlog, \
                 @@GLOBAL.max_binlog_size, @@GLOBAL.session_track_gtids, \
                 @@GLOBAL.character_set_results, @@GLOBAL.net_write_timeout";
    let mut own = node.client().await?;
    let seen = own.rows(begun).await?;
    let seen: Vec<String> = seen
        .iter()
        .flatten()
        .map(|cell| format!("{cell}"))
        .collect();
    let expected = [
        "28800",
        "55",
        "9",
        "131072",
        "120",
        "REAL_AS_FLOAT,PIPES_AS_CONCAT,ANSI_QUOTES,IGNORE_SPACE,ONLY_FULL_GROUP_BY,ANSI",
        "+01:00",
        "READ-COMMITTED",
        "7",
        "1000",
        "8192",
        "OWN_GTID",
        "NULL",
        "60",
    ];
    ensure(seen == expected, || format!("{seen:?}"))?;
    // A session that begins now has them too, and a change keeps what the file said before.
    let session = own.answer("SELECT @@sql_mode, @@time_zone").await?;
    ensure(
        session.contains("ANSI_QUOTES") && session.contains("+01:00"),
        || session.clone(),
    )?;
    own.execute("RESET PERSIST sql_mode").await?;
    theirs.execute("RESET PERSIST sql_mode").await?;
    same_files(&node, &mysql)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_keeps_its_variables_too() -> Result {
    let mut replica = Weir::replica(2, &[]).await?;
    let mut client = replica.client().await?;
    client
        .run(&[
            "SET PERSIST wait_timeout = 500",
            "SET PERSIST_ONLY relay_log_purge = OFF, replica_net_timeout = 30",
        ])
        .await?;
    let writable = client.answer("SET PERSIST_ONLY read_only = OFF").await?;
    ensure(writable.starts_with("error 1235"), || writable.clone())?;
    let mysql = RealServer::start(Peer::MySql97, 3, &[]).await?;
    let mut theirs = Client::connect(&ClientOptions::root(mysql.port)).await?;
    let refused = ["SET PERSIST_ONLY report_host = NULL"];
    compare(&mut client, &mut theirs, &refused).await?;
    drop(client);
    replica.kill()?;
    replica.launch().await?;
    let mut client = replica.client().await?;
    let begun = client
        .answer("SELECT @@GLOBAL.wait_timeout, @@GLOBAL.relay_log_purge, @@GLOBAL.replica_net_timeout, @@GLOBAL.read_only")
        .await?;
    ensure(begun.contains("[[500, 0, 30, 1]]"), || begun.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_next_start_would_refuse_is_not_persisted() -> Result {
    let node = Weir::primary(1, &[]).await?;
    let mut client = node.client().await?;
    for (statement, code) in [
        ("SET PERSIST_ONLY sql_mode = 'FASTER'", "error 1231"),
        ("SET PERSIST_ONLY gtid_mode = 'x'", "error 1231"),
        (
            "SET PERSIST_ONLY gtid_mode = 'OFF_PERMISSIVE'",
            "error 1231",
        ),
        ("SET PERSIST_ONLY binlog_format = 'STATEMENT'", "error 1231"),
        (
            "SET PERSIST_ONLY enforce_gtid_consistency = 'OFF'",
            "error 1235",
        ),
        ("SET PERSIST_ONLY ssl_cert = 'a.pem'", "error 1235"),
        ("SET PERSIST_ONLY skip_name_resolve = OFF", "error 1231"),
        ("SET PERSIST_ONLY collation_server = 'nosuch'", "error 1273"),
        ("SET PERSIST_ONLY time_zone = 'nosuch'", "error 1298"),
    ] {
        let answer = client.answer(statement).await?;
        ensure(answer.starts_with(code), || {
            format!("{statement}: {answer}")
        })?;
    }
    ensure(!node.data().join(FILE).exists(), || {
        "something was written".to_owned()
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_file_refuses_the_start_and_names_itself() -> Result {
    let mut node = Weir::primary(1, &[]).await?;
    let mut client = node.client().await?;
    client.execute("SET PERSIST wait_timeout = 500").await?;
    let path = node.data().join(FILE);
    let good = std::fs::read_to_string(&path)?;
    let mode = std::fs::metadata(&path)?.permissions().mode() & 0o777;
    ensure(mode == 0o640, || format!("mode {mode:o}"))?;
    drop(client);
    node.stop()?;
    let cut = good.get(..good.len() / 2).unwrap_or_default();
    let bad_value = good
        .replace("wait_timeout", "net_read_timeout")
        .replace("\"500\"", "\"long\"");
    ensure(bad_value.contains("\"long\""), || good.clone())?;
    for (damaged, advice) in [(cut, "move it away"), (bad_value.as_str(), "take it out")] {
        std::fs::write(&path, damaged)?;
        let output = Command::new(integration::weir::binary()?)
            .arg("primary")
            .arg(format!("--defaults-file={}", node.option_file().display()))
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure(!output.status.success(), || said.clone())?;
        ensure(said.contains(FILE) && said.contains(advice), || {
            said.clone()
        })?;
        ensure(std::fs::read_to_string(&path)? == damaged, || {
            "the file was changed".to_owned()
        })?;
    }
    std::fs::write(&path, good)?;
    node.launch().await?;
    let mut client = node.client().await?;
    let begun = client.answer("SELECT @@GLOBAL.wait_timeout").await?;
    ensure(begun.contains("[[500]]"), || begun.clone())
}
