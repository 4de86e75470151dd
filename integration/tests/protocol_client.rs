//! Our protocol client against real servers: logins of every kind, large rows, and the binlog.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a wrong answer may end the test where it is found"
)]

use binlog::event::{ChecksumAlgorithm, EventType, RawEvent};
use gtid::GtidSet;
use integration::{Failure, Peer, RealServer, Result};
use protocol::client::{ClientOptions, Connection, Endpoint, QueryResult};
use protocol::tls::TlsMode;
use protocol::{BinlogDump, BinlogDumpGtid, Error, RegisterReplica, dump_flag};

const PASSWORD: &str = "a secret";

fn tcp(server: &RealServer, user: &str, password: &str, mode: TlsMode) -> ClientOptions {
    let endpoint = Endpoint::Tcp {
        host: "127.0.0.1".into(),
        port: server.port,
    };
    let mut options = ClientOptions::new(endpoint, user, password);
    options.tls.mode = mode;
    options
}

fn failed(error: Error) -> Failure {
    Failure::new(error.to_string())
}

async fn login(options: &ClientOptions) -> Result<Connection> {
    Connection::connect(options).await.map_err(failed)
}

async fn create_user(server: &RealServer, identified: &str) -> Result {
    let mut root = server.client().await?;
    let create = format!("CREATE USER 'u'@'%' IDENTIFIED {identified}");
    root.run(&[create.as_str(), "GRANT ALL ON *.* TO 'u'@'%'"])
        .await
}

#[tokio::test]
async fn mysql_97_lets_us_in_by_tls_key_cache_and_socket() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    create_user(&server, &format!("BY '{PASSWORD}'")).await?;
    let without_key = tcp(&server, "u", PASSWORD, TlsMode::Disabled);
    let refused = Connection::connect(&without_key).await;
    assert!(matches!(refused, Err(Error::Auth(_))), "{refused:?}");
    let mut with_key = without_key.clone();
    with_key.get_source_public_key = true;
    login(&with_key).await?.ping().await.map_err(failed)?;
    login(&without_key).await?;
    for mode in [TlsMode::Preferred, TlsMode::Required] {
        let mut connection = login(&tcp(&server, "u", PASSWORD, mode)).await?;
        let status = "SHOW STATUS LIKE 'Ssl_version'";
        let QueryResult::Rows { rows, .. } = connection.query(status).await.map_err(failed)? else {
            panic!("no rows");
        };
        assert_eq!(rows[0][1].as_deref(), Some(&b"TLSv1.3"[..]));
    }
    let socket = Endpoint::Unix(server.socket());
    login(&ClientOptions::new(socket, "u", PASSWORD)).await?;
    let wrong = Connection::connect(&tcp(&server, "u", "wrong", TlsMode::Required)).await;
    let Err(Error::Refused(error)) = wrong else {
        panic!("{wrong:?}");
    };
    assert_eq!(error.code, 1045);
    Ok(())
}

#[tokio::test]
async fn both_mariadbs_let_us_in() -> Result {
    for peer in [Peer::MariaDb1011, Peer::MariaDb118] {
        let server = RealServer::start(peer, 1, &[]).await?;
        create_user(&server, &format!("BY '{PASSWORD}'")).await?;
        let mut connection = login(&tcp(&server, "u", PASSWORD, TlsMode::Preferred)).await?;
        read_results(&mut connection).await?;
        let events = read_log(&mut connection, None).await?;
        assert!(events.contains(&EventType(162)), "{events:?}");
        let mut second = login(&tcp(&server, "u", PASSWORD, TlsMode::Preferred)).await?;
        read_large_row(&mut second).await?;
        let wrong = Connection::connect(&tcp(&server, "u", "wrong", TlsMode::Disabled)).await;
        assert!(matches!(wrong, Err(Error::Refused(_))), "{wrong:?}");
    }
    Ok(())
}

#[tokio::test]
async fn mysql_97_sends_results_and_its_log() -> Result {
    let server = RealServer::start(Peer::MySql97, 1, &[]).await?;
    let options = tcp(&server, "root", "", TlsMode::Disabled);
    let mut connection = login(&options).await?;
    read_results(&mut connection).await?;
    let events = read_log(&mut connection, None).await?;
    assert!(events.contains(&EventType::WRITE_ROWS), "{events:?}");
    // A dump is the last thing that a connection does.
    connection = login(&options).await?;
    read_large_row(&mut connection).await?;
    let executed = connection.query("SELECT @@GLOBAL.gtid_executed").await;
    let executed = executed.map_err(failed)?.scalar().unwrap_or_default();
    let held: GtidSet = executed
        .parse()
        .map_err(|_| Failure::new("GTID set of the server"))?;
    let events = read_log(&mut connection, Some(&held)).await?;
    assert!(!events.contains(&EventType::WRITE_ROWS), "{events:?}");
    Ok(())
}

/// A statement and a row that need several packets.
async fn read_large_row(connection: &mut Connection) -> Result {
    let text = "x".repeat(17 << 20);
    let select = format!("SELECT '{text}'");
    let answer = connection.query(&select).await.map_err(failed)?;
    assert_eq!(answer.scalar().map(|cell| cell.len()), Some(17 << 20));
    Ok(())
}

/// Statements and errors. Later connections may send large packets.
async fn read_results(connection: &mut Connection) -> Result {
    for statement in [
        "SET GLOBAL max_allowed_packet = 67108864",
        "CREATE DATABASE d",
        "CREATE TABLE d.t (a LONGTEXT, b INT)",
    ] {
        connection.query(statement).await.map_err(failed)?;
    }
    let QueryResult::Ok(ok) = connection
        .query("INSERT INTO d.t VALUES ('x', 1), (NULL, 2)")
        .await
        .map_err(failed)?
    else {
        panic!("rows of an insert");
    };
    assert_eq!(ok.affected_rows, 2);
    assert_eq!(ok.info, "Records: 2  Duplicates: 0  Warnings: 0");
    let select = "SELECT * FROM d.t ORDER BY b";
    let QueryResult::Rows { columns, rows } = connection.query(select).await.map_err(failed)?
    else {
        panic!("no rows");
    };
    let tables: Vec<_> = columns
        .iter()
        .map(|column| column.org_table.as_str())
        .collect();
    assert_eq!(tables, ["t", "t"]);
    let cell = |text: &str| Some(text.as_bytes().to_vec());
    assert_eq!(rows, [vec![cell("x"), cell("1")], vec![None, cell("2")]]);
    let refused = connection.query("SELECT * FROM d.nowhere").await;
    assert!(
        matches!(&refused, Err(Error::Refused(e)) if e.code == 1146),
        "{refused:?}"
    );
    Ok(())
}

/// The event types of a dump to the end of the log, each event verified.
async fn read_log(connection: &mut Connection, held: Option<&GtidSet>) -> Result<Vec<EventType>> {
    let set = "SET @master_binlog_checksum = 'CRC32', @source_binlog_checksum = 'CRC32', \
               @mariadb_slave_capability = 4";
    connection.query(set).await.map_err(failed)?;
    let replica = RegisterReplica {
        server_id: 7,
        host: "here".into(),
        ..RegisterReplica::default()
    };
    connection
        .register_replica(&replica)
        .await
        .map_err(failed)?;
    let flags = dump_flag::NON_BLOCK;
    let asked = match held {
        None => {
            let dump = BinlogDump {
                position: 4,
                flags,
                server_id: 7,
                file: b"binlog.000001".to_vec(),
            };
            connection.binlog_dump(&dump).await
        }
        Some(held) => {
            let mut gtid_set = Vec::new();
            held.encode(&mut gtid_set);
            let dump = BinlogDumpGtid {
                flags,
                server_id: 7,
                position: 4,
                gtid_set,
                ..BinlogDumpGtid::default()
            };
            connection.binlog_dump_gtid(&dump).await
        }
    };
    asked.map_err(failed)?;
    let mut kinds = Vec::new();
    while let Some(event) = connection.next_event().await.map_err(failed)? {
        let raw = RawEvent::parse(&event).map_err(|error| Failure::new(error.to_string()))?;
        raw.verify(ChecksumAlgorithm::Crc32)
            .map_err(|error| Failure::new(error.to_string()))?;
        kinds.push(raw.header.event_type);
    }
    Ok(kinds)
}
