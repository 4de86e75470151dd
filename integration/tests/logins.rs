//! How `weir replica` gets into its source: every method of logging in with every use of TLS, what it
//! says where it may not, and the stream compressed as the source's own status and bytes tell.

use integration::compare::{Snapshot, ensure_same, replica_status};
use integration::failure::ensure;
use integration::real_replica::binlog_end;
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir};

const PASSWORD: &str = "a 'quoted' secret";

/// Options of CHANGE REPLICATION SOURCE behind the account, and what comes of it: TLS or not, or words
/// of `Last_IO_Error`.
type Case<'a> = (&'a str, Outcome<'a>);

#[derive(Clone, Copy)]
enum Outcome<'a> {
    /// It follows without TLS.
    Plain,
    /// It follows by TLS.
    Tls,
    /// It says this.
    Refused(&'a str),
}
use Outcome::{Plain, Refused, Tls};

const OFF: &str = "SOURCE_SSL=0";
const REQUIRED: &str = "SOURCE_SSL=1, SOURCE_SSL_CA='', SOURCE_SSL_VERIFY_SERVER_CERT=0";
const CA: &str = "SOURCE_SSL=1, SOURCE_SSL_CA='{ca}', SOURCE_SSL_VERIFY_SERVER_CERT=0";
const IDENTITY: &str = "SOURCE_SSL=1, SOURCE_SSL_CA='{ca}', SOURCE_SSL_VERIFY_SERVER_CERT=1";
const NO_CA: &str = "SOURCE_SSL=1, SOURCE_SSL_CA='', SOURCE_SSL_VERIFY_SERVER_CERT=1";
const OTHER_CA: &str = "SOURCE_SSL=1, SOURCE_SSL_CA='{other}', SOURCE_SSL_VERIFY_SERVER_CERT=0";
const OTHER_NAME: &str =
    "SOURCE_HOST='127.0.0.2', SOURCE_SSL=1, SOURCE_SSL_CA='{ca}', SOURCE_SSL_VERIFY_SERVER_CERT=1";
const NAMELESS: &str =
    "SOURCE_HOST='127.0.0.2', SOURCE_SSL=1, SOURCE_SSL_CA='{ca}', SOURCE_SSL_VERIFY_SERVER_CERT=0";

/// What TLS comes to, whatever the method.
const OF_TLS: [Case<'static>; 7] = [
    (REQUIRED, Tls),
    (CA, Tls),
    (IDENTITY, Tls),
    (NAMELESS, Tls),
    (
        NO_CA,
        Refused("verification of the server needs a CA certificate"),
    ),
    (
        OTHER_CA,
        Refused("SSL connection error: invalid peer certificate"),
    ),
    (
        OTHER_NAME,
        Refused("certificate not valid for name \"127.0.0.2\""),
    ),
];

/// A source with the certificates that a Weir made for 127.0.0.1, and a replica that follows nothing.
struct Pair {
    source: RealServer,
    replica: Weir,
    files: Weir,
    other: Weir,
}

impl Pair {
    async fn start(peer: Peer, options: &[&str]) -> Result<Self> {
        let files = Weir::primary(7, &[]).await?;
        let other = Weir::primary(8, &[]).await?;
        let file = |name: &str| files.data().join(name).display().to_string();
        let mut all = vec![
            format!("--ssl-ca={}", file("ca.pem")),
            format!("--ssl-cert={}", file("server-cert.pem")),
            format!("--ssl-key={}", file("server-key.pem")),
            "--bind-address=0.0.0.0".to_owned(),
        ];
        all.extend(options.iter().map(|&option| option.to_owned()));
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let source = RealServer::start(peer, 1, &all).await?;
        let replica = Weir::replica(9, &["source-connect-retry=1", "skip-replica-start=1"]).await?;
        Ok(Self {
            source,
            replica,
            files,
            other,
        })
    }

    async fn account(&self, user: &str, method: &str) -> Result {
        let mut at_source = self.source.client().await?;
        at_source
            .run(&[
                format!("CREATE USER {user}@'%' IDENTIFIED {method}"),
                format!("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {user}@'%'"),
            ])
            .await
    }

    /// Follows as `user` with `options` from the end of the source's log: its error, or none.
    async fn follow(&self, user: &str, options: &str) -> Result<Option<String>> {
        let (file, position) = binlog_end(&mut self.source.client().await?).await?;
        let in_files = |name: &str| self.files.data().join(name).display().to_string();
        let options = options
            .replace("{ca}", &in_files("ca.pem"))
            .replace(
                "{other}",
                &self.other.data().join("ca.pem").display().to_string(),
            )
            .replace(
                "{key}",
                &self
                    .source
                    .data()
                    .join("public_key.pem")
                    .display()
                    .to_string(),
            );
        let password = PASSWORD.replace('\'', "''");
        let port = self.source.port;
        let host = match options.contains("SOURCE_HOST") {
            true => "",
            false => "SOURCE_HOST='127.0.0.1', ",
        };
        let mut at_replica = self.replica.client().await?;
        at_replica
            .run(&[
                "STOP REPLICA".to_owned(),
                format!(
                    "CHANGE REPLICATION SOURCE TO {host}SOURCE_PORT={port}, SOURCE_USER='{user}', \
                     SOURCE_PASSWORD='{password}', SOURCE_AUTO_POSITION=0, SOURCE_LOG_FILE='{file}', \
                     SOURCE_LOG_POS={position}, {options}"
                ),
                "START REPLICA IO_THREAD".to_owned(),
            ])
            .await?;
        wait::until("the receiver is in, or told why not", PATIENCE, || async {
            let mut client = self.replica.client().await?;
            let error = replica_status(&mut client, "Last_IO_Error").await?;
            let runs = replica_status(&mut client, "Replica_IO_Running").await?;
            Ok(match (error.is_empty(), runs.as_str()) {
                (false, _) => Ok(Some(error)),
                (true, "Yes") => Ok(None),
                (true, _) => Err(runs),
            })
        })
        .await
    }

    /// What the source's own status says of the connection that it sends its log to.
    async fn status(&self, name: &str) -> Result<String> {
        let sql = format!(
            "SELECT VARIABLE_VALUE FROM performance_schema.status_by_thread s JOIN \
             performance_schema.threads t ON t.THREAD_ID = s.THREAD_ID WHERE VARIABLE_NAME = '{name}' \
             AND t.PROCESSLIST_COMMAND LIKE 'Binlog Dump%' ORDER BY t.THREAD_ID DESC LIMIT 1"
        );
        Ok(self.source.client().await?.value(&sql).await?.to_string())
    }

    async fn check(&self, user: &str, cases: &[Case<'_>]) -> Result {
        for (options, outcome) in cases {
            let error = self.follow(user, options).await?;
            if let (Some(_), Refused(words)) = (&error, outcome) {
                let mut client = self.replica.client().await?;
                let code = replica_status(&mut client, "Last_IO_Errno").await?;
                let wanted = match *words {
                    words if words.starts_with("Access denied") => "1045",
                    words if words.contains("ertificate") => "2026",
                    _ => "2061",
                };
                ensure(code == wanted, || format!("{options}: {code} {error:?}"))?;
            }
            let told = match (&error, outcome) {
                (None, Plain | Tls) => self.status("Ssl_version").await?,
                (Some(error), Refused(words)) if error.contains(words) => continue,
                _ => format!("{error:?}"),
            };
            let is_right = match outcome {
                Plain => told.is_empty(),
                Tls => told.starts_with("TLSv1."),
                Refused(_) => false,
            };
            ensure(is_right, || format!("{user} with {options}: {told}"))?;
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caching_sha2_of_mysql_97_lets_in_by_tls_by_key_and_from_its_cache() -> Result {
    let pair = Pair::start(Peer::MySql97, &[]).await?;
    let password = PASSWORD.replace('\'', "''");
    let method = format!("WITH caching_sha2_password BY '{password}'");
    let no_key = "SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=0, SOURCE_PUBLIC_KEY_PATH=''";
    let by_asking = "SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=1, SOURCE_PUBLIC_KEY_PATH=''";
    let by_file = "SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=0, SOURCE_PUBLIC_KEY_PATH='{key}'";
    let other_key = "SOURCE_SSL=0, GET_SOURCE_PUBLIC_KEY=0, SOURCE_PUBLIC_KEY_PATH='{ca}'";
    let insecure = Refused("Authentication requires secure connection");
    // An account that nobody logged in with is in no cache.
    let fresh = [
        ("a", no_key, insecure),
        ("b", by_asking, Plain),
        ("c", by_file, Plain),
        (
            "d",
            other_key,
            Refused("the server's public key is not an RSA key"),
        ),
        ("e", REQUIRED, Tls),
        ("f", CA, Tls),
        ("g", IDENTITY, Tls),
    ];
    for (user, options, outcome) in fresh {
        pair.account(user, &method).await?;
        pair.check(user, &[(options, outcome)]).await?;
    }
    // One that did is, until the source forgets it.
    pair.check("b", &[(no_key, Plain), (by_file, Plain)])
        .await?;
    pair.check("e", &[(no_key, Plain)]).await?;
    pair.check("e", &OF_TLS).await?;
    pair.source
        .client()
        .await?
        .execute("FLUSH PRIVILEGES")
        .await?;
    pair.check(
        "b",
        &[(no_key, insecure), (by_asking, Plain), (no_key, Plain)],
    )
    .await?;
    pair.account("wrong", "WITH caching_sha2_password BY 'something else'")
        .await?;
    let denied = Refused("Access denied for user 'wrong'@");
    pair.check("wrong", &[(REQUIRED, denied), (by_asking, denied)])
        .await?;
    pair.account("walled", &format!("{method} REQUIRE SSL"))
        .await?;
    let walled = Refused("Access denied for user 'walled'@");
    pair.check("walled", &[(by_asking, walled), (CA, Tls)])
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_methods_of_mariadb_let_in_with_and_without_tls() -> Result {
    let password = PASSWORD.replace('\'', "''");
    for (peer, methods) in [
        (
            Peer::MariaDb118,
            &["mysql_native_password", "ed25519", "parsec"][..],
        ),
        (Peer::MariaDb1011, &["mysql_native_password", "ed25519"]),
    ] {
        let mut options = vec!["--performance-schema=ON", "--plugin-load-add=auth_ed25519"];
        if methods.contains(&"parsec") {
            options.push("--plugin-load-add=auth_parsec");
        }
        let pair = Pair::start(peer, &options).await?;
        for method in methods {
            let by = format!("VIA {method} USING PASSWORD('{password}')");
            pair.account(method, &by).await?;
            pair.check(method, &[(OFF, Plain)]).await?;
            pair.check(method, &OF_TLS).await?;
            let wrong = format!("{method}_wrong");
            let by = format!("VIA {method} USING PASSWORD('something else')");
            pair.account(&wrong, &by).await?;
            let denied = Refused("Access denied for user");
            pair.check(&wrong, &[(OFF, denied), (REQUIRED, denied)])
                .await?;
        }
    }
    Ok(())
}

/// A MySQL 5.6 speaks no TLS that is still safe to speak.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_native_method_of_mysql_56_lets_in_and_its_tls_is_refused_by_name() -> Result {
    let pair = Pair::start(Peer::MySql56, &["--performance-schema=ON"]).await?;
    let password = PASSWORD.replace('\'', "''");
    pair.account("u", &format!("BY '{password}'")).await?;
    let error = pair.follow("u", OFF).await?;
    ensure(error.is_none(), || format!("{error:?}"))?;
    for options in [REQUIRED, CA, IDENTITY] {
        let error = pair.follow("u", options).await?.unwrap_or_default();
        ensure(error.contains("SSL connection error"), || error)?;
    }
    pair.account("wrong", "BY 'something else'").await?;
    let error = pair.follow("wrong", OFF).await?.unwrap_or_default();
    ensure(error.contains("Access denied for user 'wrong'@"), || error)
}

/// Options, what the source then says of the connection, and whether it sends less than it logs.
const COMPRESSED: [(&str, [&str; 3]); 4] = [
    ("'zlib'", ["ON", "zlib", "6"]),
    (
        "'zstd', SOURCE_ZSTD_COMPRESSION_LEVEL=11",
        ["ON", "zstd", "11"],
    ),
    ("'zstd,zlib,uncompressed'", ["ON", "zlib", "6"]),
    ("'uncompressed'", ["OFF", "", "0"]),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compressed_stream_is_what_the_source_says_and_arrives_whole() -> Result {
    let options = ["--max-allowed-packet=64M"];
    let pair = Pair::start(Peer::MySql97, &options).await?;
    let password = PASSWORD.replace('\'', "''");
    pair.account("u", &format!("BY '{password}'")).await?;
    let key = "GET_SOURCE_PUBLIC_KEY=1, ";
    for (number, (algorithms, told)) in COMPRESSED.into_iter().enumerate() {
        for tls in [OFF, REQUIRED] {
            let options = format!("{key}{tls}, SOURCE_COMPRESSION_ALGORITHMS={algorithms}");
            let error = pair.follow("u", &options).await?;
            ensure(error.is_none(), || format!("{algorithms}: {error:?}"))?;
            let mut found = Vec::new();
            for name in ["Compression", "Compression_algorithm", "Compression_level"] {
                found.push(pair.status(name).await?);
            }
            ensure(found == told, || format!("{algorithms}: {found:?}"))?;
            let database = format!("d{number}{}", u8::from(tls == OFF));
            let sent = sent_for(&pair, &database).await?;
            let is_small = sent < 2 << 20;
            ensure(is_small == (told[0] == "ON"), || {
                format!("{algorithms}: {sent} bytes")
            })?;
        }
    }
    let refused = [
        ("SOURCE_COMPRESSION_ALGORITHMS='lz4'", "3920"),
        ("SOURCE_COMPRESSION_ALGORITHMS=''", "3920"),
        (
            "SOURCE_COMPRESSION_ALGORITHMS='zlib,zstd,zlib,zstd'",
            "3924",
        ),
        ("SOURCE_ZSTD_COMPRESSION_LEVEL=23", "3921"),
    ];
    let mut at_replica = pair.replica.client().await?;
    at_replica.execute("STOP REPLICA").await?;
    let mut at_source = pair.source.client().await?;
    for (options, code) in refused {
        let sql = format!("CHANGE REPLICATION SOURCE TO {options}");
        for client in [&mut at_source, &mut at_replica] {
            let answer = client.answer(&sql).await?;
            ensure(answer.contains(code), || format!("{options}: {answer}"))?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mariadb_compresses_by_zlib_and_what_it_has_not_is_named() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let options = ["--max-allowed-packet=64M", "--performance-schema=ON"];
        let pair = Pair::start(peer, &options).await?;
        let password = PASSWORD.replace('\'', "''");
        pair.account("u", &format!("BY '{password}'")).await?;
        for (algorithms, told, database) in [
            ("'zlib'", "ON", "a"),
            ("'zstd,zlib'", "ON", "b"),
            ("'zstd,uncompressed'", "OFF", "c"),
        ] {
            let options = format!("{OFF}, SOURCE_COMPRESSION_ALGORITHMS={algorithms}");
            let error = pair.follow("u", &options).await?;
            ensure(error.is_none(), || format!("{algorithms}: {error:?}"))?;
            let found = pair.status("Compression").await?;
            ensure(found == told, || format!("{algorithms}: {found}"))?;
            let sent = sent_for(&pair, database).await?;
            ensure((sent < 2 << 20) == (told == "ON"), || {
                format!("{algorithms}: {sent} bytes")
            })?;
        }
        let options = format!("{OFF}, SOURCE_COMPRESSION_ALGORITHMS='zstd'");
        let error = pair.follow("u", &options).await?.unwrap_or_default();
        ensure(
            error.contains("none of the permitted compression algorithms (zstd)"),
            || error,
        )?;
    }
    Ok(())
}

/// Writes rows to a new database, one of them longer than a packet, and waits for the replica to have
/// them. How many bytes the source sent for it.
async fn sent_for(pair: &Pair, database: &str) -> Result<u64> {
    let mut at_source = pair.source.client().await?;
    let mut at_replica = pair.replica.client().await?;
    let before: u64 = pair.status("Bytes_sent").await?.parse()?;
    at_source
        .run(&[
            format!("CREATE DATABASE {database}"),
            format!("CREATE TABLE {database}.t (id INT PRIMARY KEY, v LONGTEXT)"),
            format!("INSERT INTO {database}.t VALUES (1, REPEAT('abc', 100)), (2, REPEAT('xyz', 6000000))"),
            format!("INSERT INTO {database}.t VALUES (3, 'short'), (4, UUID())"),
        ])
        .await?;
    at_replica.execute("START REPLICA SQL_THREAD").await?;
    let expected = Snapshot::take(&mut at_source, &[database]).await?;
    until_there(&mut at_replica, database).await?;
    let found = Snapshot::take(&mut at_replica, &[database]).await?;
    ensure_same("source", &expected, "replica", &found)?;
    let after: u64 = pair.status("Bytes_sent").await?.parse()?;
    Ok(after - before)
}

async fn until_there(client: &mut Client, database: &str) -> Result {
    let count = format!("SELECT COUNT(*) FROM {database}.t");
    let began = std::time::Instant::now();
    loop {
        if client.attempt(&count).await?.is_ok() && client.value(&count).await?.to_string() == "4" {
            return Ok(());
        }
        let error = replica_status(client, "Last_Error").await?;
        ensure(error.is_empty() && began.elapsed() < PATIENCE, || {
            format!("{database} does not arrive: {error}")
        })?;
        wait::let_run(std::time::Duration::from_millis(20)).await;
    }
}
