//! LOAD DATA of a log in statement format: the file travels in the log and is loaded by the target from
//! there, from real servers into real servers; who cannot stops with the statement.

use integration::chance::setting;
use integration::compare::{replica_status, until_same};
use integration::failure::ensure;
use integration::mariadb;
use integration::real_replica::{binlog_end, create_account};
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir};

const TABLES: [&str; 8] = [
    "CREATE DATABASE d",
    "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(40), doubled INT)",
    "CREATE TABLE d.numbered (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(60))",
    "CREATE TABLE d.alike (a INT, b VARCHAR(40))",
    "CREATE TABLE d.latin (v VARCHAR(40)) CHARACTER SET latin1",
    "CREATE TABLE d.big (id INT PRIMARY KEY, v VARCHAR(200))",
    "INSERT INTO d.t VALUES (3, 'was there', 0)",
    "USE d",
];

/// What is loaded: the file's text, and the statement around its name.
fn loads() -> Vec<(Vec<u8>, &'static str)> {
    let some = |from: u32, to: u32| -> Vec<u8> {
        let lines = (from..to).map(|id| format!("{id},\"it's \\\\ {id}\"\n"));
        lines.collect::<String>().into_bytes()
    };
    // More than a block, and than a packet takes.
    let many = setting("WEIR_LOAD_LINES", 120_000);
    let big: String = (0..many)
        .map(|id| format!("{id}\t{}\n", "x".repeat(150)))
        .collect();
    vec![
        (
            some(10, 20),
            "LOAD DATA INFILE '{}' INTO TABLE t FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, v) SET doubled = id * 2",
        ),
        (
            some(1, 6),
            "LOAD DATA INFILE '{}' IGNORE INTO TABLE t FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, v)",
        ),
        (
            some(2, 5),
            "LOAD DATA INFILE '{}' REPLACE INTO TABLE d.t FIELDS TERMINATED BY ',' ENCLOSED BY '\"' (id, @v) \
             SET v = UPPER(@v), doubled = @@server_id * 0 + 7",
        ),
        (
            b"one\r\ntwo\r\n\r\nfour\r\n".to_vec(),
            "LOAD DATA INFILE '{}' INTO TABLE numbered LINES TERMINATED BY '\\r\\n' (v)",
        ),
        (
            some(1, 4),
            "LOAD DATA INFILE '{}' INTO TABLE alike FIELDS TERMINATED BY ','",
        ),
        (
            some(1, 4),
            "LOAD DATA INFILE '{}' INTO TABLE alike FIELDS TERMINATED BY ','",
        ),
        (Vec::new(), "LOAD DATA INFILE '{}' INTO TABLE alike"),
        (
            b"gr\xfc\xdfe\n".to_vec(),
            "LOAD DATA INFILE '{}' INTO TABLE latin CHARACTER SET latin1",
        ),
        (big.into_bytes(), "LOAD DATA INFILE '{}' INTO TABLE big"),
    ]
}

async fn write(source: &RealServer) -> Result {
    let mut client = source.client().await?;
    client.run(&TABLES).await?;
    client.execute("SET auto_increment_increment = 3").await?;
    for (number, (content, statement)) in loads().into_iter().enumerate() {
        // The fifth and the sixth are one transaction.
        match number {
            4 => drop(client.execute("BEGIN").await?),
            6 => drop(client.execute("COMMIT").await?),
            _ => {}
        }
        let file = source.data().join(format!("file-{number}"));
        std::fs::write(&file, content)?;
        client
            .execute(&statement.replace("{}", &file.display().to_string()))
            .await?;
    }
    client.execute("CREATE DATABASE last").await.map(drop)
}

async fn account(source: &mut Client, peer: Peer) -> Result {
    match peer.is_mariadb() {
        true => mariadb::create_account(source).await,
        false => create_account(source, peer).await,
    }
}

/// A source that logs statements, and a replica that follows it into this target.
async fn followed(
    peer: Peer,
    target: Option<&RealServer>,
    more: &str,
) -> Result<(RealServer, Weir)> {
    let options = ["--binlog-format=STATEMENT", "--secure-file-priv="];
    let source = RealServer::start(peer, 1, &options).await?;
    let mut at_source = source.client().await?;
    account(&mut at_source, peer).await?;
    let (file, position) = binlog_end(&mut at_source).await?;
    let to = target.map(|target| format!("target=mysql://root@127.0.0.1:{}", target.port));
    let start = match peer {
        Peer::MySql56 => {
            format!("source-auto-position=0\nsource-log-file={file}\nsource-log-pos={position}")
        }
        Peer::MySql97 | Peer::MariaDb1011 | Peer::MariaDb118 => "source-auto-position=1".to_owned(),
    };
    let port = format!("source-port={}", source.port);
    let user = format!(
        "source-user={}",
        integration::real_replica::REPLICATION_USER
    );
    let password = format!(
        "source-password={}",
        integration::real_replica::REPLICATION_PASSWORD
    );
    let lines = [
        "source-host=127.0.0.1",
        &port,
        &user,
        &password,
        "source-connect-retry=1",
        &start,
        to.as_deref().unwrap_or_default(),
        more,
    ];
    let replica = Weir::replica(9, &lines).await?;
    Ok((source, replica))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_loaded_by_targets_of_the_same_vendor() -> Result {
    let off = [
        "--gtid-mode=OFF",
        "--enforce-gtid-consistency=OFF",
        "--local-infile=ON",
    ];
    for (from, to, options) in [
        (Peer::MySql97, Peer::MySql97, &["--local-infile=ON"][..]),
        (Peer::MySql97, Peer::MySql97, &off),
        (Peer::MySql56, Peer::MySql97, &off),
        (Peer::MariaDb118, Peer::MariaDb118, &[]),
        (
            Peer::MariaDb1011,
            Peer::MariaDb118,
            &["--gtid-strict-mode=1"],
        ),
    ] {
        let target = RealServer::start(to, 2, options).await?;
        let (source, mut replica) = followed(from, Some(&target), "").await?;
        write(&source).await?;
        replica.kill()?;
        replica.launch().await?;
        let (mut at_source, mut at_target) = (source.client().await?, target.client().await?);
        wait::until("the last database", PATIENCE, || async {
            let mut client = replica.client().await?;
            let error = replica_status(&mut client, "Last_SQL_Error").await?;
            let runs = replica_status(&mut client, "Replica_SQL_Running").await?;
            ensure(runs == "Yes" || error.is_empty(), || error)?;
            let found = target
                .client()
                .await?
                .rows("SHOW DATABASES LIKE 'last'")
                .await?;
            Ok(found.first().map(drop).ok_or("not there"))
        })
        .await
        .map_err(|failure| {
            replica
                .explain(failure)
                .during(format!("{from:?} into {to:?}"))
        })?;
        let (left, right) = (&mut at_source, &mut at_target);
        until_same("source", left, "target", right, &["d"], PATIENCE).await?;
    }
    Ok(())
}

async fn until_error(replica: &Weir) -> Result<(String, String)> {
    wait::until("the applier stops", PATIENCE, || async {
        let mut client = replica.client().await?;
        let error = replica_status(&mut client, "Last_SQL_Error").await?;
        let code = replica_status(&mut client, "Last_SQL_Errno").await?;
        let has_stopped = replica_status(&mut client, "Replica_SQL_Running").await? == "No";
        Ok(if has_stopped && !error.is_empty() {
            Ok((code, error))
        } else {
            Err(error)
        })
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_load_a_file_stops_with_the_statement() -> Result {
    let statement = "LOAD DATA INFILE";
    // The embedded engine runs no statements that change rows.
    let (source, replica) = followed(Peer::MySql97, None, "").await?;
    let mut at_source = source.client().await?;
    at_source.run(&TABLES[..4]).await?;
    let file = source.data().join("file");
    std::fs::write(&file, "1\tone\n")?;
    let load = format!("LOAD DATA INFILE '{}' INTO TABLE d.alike", file.display());
    at_source.execute(&load).await?;
    let (code, error) = until_error(&replica).await?;
    ensure(code == "13117" && error.contains(statement), || {
        format!("{code} {error}")
    })?;
    // A server that takes no files of its clients.
    let target = RealServer::start(Peer::MySql97, 2, &["--local-infile=OFF"]).await?;
    let (source, replica) = followed(Peer::MySql97, Some(&target), "").await?;
    write(&source).await?;
    let (code, error) = until_error(&replica).await?;
    ensure(code == "3948" && error.contains(statement), || {
        format!("{code} {error}")
    })?;
    target
        .client()
        .await?
        .execute("SET GLOBAL local_infile = ON")
        .await?;
    replica.client().await?.execute("START REPLICA").await?;
    wait::until("the files are loaded", PATIENCE, || async {
        let found = target
            .client()
            .await?
            .rows("SHOW DATABASES LIKE 'last'")
            .await?;
        Ok(found.first().map(drop).ok_or("not there"))
    })
    .await?;
    // Rules for tables are not asked about a table that is not understood.
    let target = RealServer::start(Peer::MySql97, 2, &["--local-infile=ON"]).await?;
    let rule = "replicate-ignore-table=d.other";
    let (source, replica) = followed(Peer::MySql97, Some(&target), rule).await?;
    write(&source).await?;
    let (code, error) = until_error(&replica).await?;
    ensure(
        code == "13117" && error.contains("rules for tables"),
        || format!("{code} {error}"),
    )?;
    Ok(())
}

/// LOCAL alone would leave the row out that the source loaded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_only_the_target_has_is_not_passed_over_in_silence() -> Result {
    for (peer, options) in [
        (Peer::MySql97, &["--local-infile=ON"][..]),
        (Peer::MariaDb118, &[]),
    ] {
        let target = RealServer::start(peer, 2, options).await?;
        let (source, replica) = followed(peer, Some(&target), "").await?;
        let mut at_source = source.client().await?;
        let made = ["CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)"];
        at_source.run(&made).await?;
        let mut at_target = target.client().await?;
        wait::until("the table is there", PATIENCE, || async {
            Ok(target
                .client()
                .await?
                .attempt("SELECT * FROM d.t")
                .await?
                .map_err(|_| "not there"))
        })
        .await?;
        at_target
            .run(&["SET sql_log_bin = 0", "INSERT INTO d.t VALUES (2)"])
            .await?;
        let file = source.data().join("file");
        std::fs::write(&file, "1\n2\n3\n")?;
        at_source
            .execute(&format!(
                "LOAD DATA INFILE '{}' INTO TABLE d.t",
                file.display()
            ))
            .await?;
        let (code, error) = until_error(&replica).await?;
        ensure(code == "1062" && error.contains("LOAD DATA"), || {
            format!("{code} {error}")
        })?;
        let rows = at_target
            .value("SELECT COUNT(*) FROM d.t")
            .await?
            .to_string();
        ensure(rows == "1", || format!("{rows} rows"))?;
    }
    Ok(())
}
