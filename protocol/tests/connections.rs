//! Our client against our server over a pipe: every way to log in, and every kind of response.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use protocol::{
    BinaryCell, BinlogDump, ColumnDefinition, Command, ErrPacket, Error, OkPacket, Param,
    RegisterReplica,
    auth::{AuthPlugin, RsaKeyPair, Sha2Cache},
    client::{self, ClientOptions, Endpoint, QueryResult},
    column_type,
    server::{AccountAuth, Authenticator, Connection, Peer, ServerIdentity},
    status,
    tls::{TlsMode, server_config},
};
use tokio::io::DuplexStream;

const PASSWORD: &str = "a secret";

struct Accounts;

impl Authenticator for Accounts {
    fn lookup(&self, user: &str, host: &str) -> Option<AccountAuth> {
        assert_eq!(host, "192.0.2.1");
        let (plugin, password) = match user {
            "native" => (AuthPlugin::Native, PASSWORD),
            "sha2" => (AuthPlugin::CachingSha2, PASSWORD),
            "native_empty" => (AuthPlugin::Native, ""),
            "sha2_empty" => (AuthPlugin::CachingSha2, ""),
            _ => return None,
        };
        // A fixed salt would do as well, but the cache is keyed by what is stored.
        static STORED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let sha2 = STORED.get_or_init(|| AuthPlugin::CachingSha2.stored(PASSWORD));
        let auth_string = match (plugin, password) {
            (AuthPlugin::CachingSha2, PASSWORD) => sha2.clone(),
            _ => plugin.stored(password),
        };
        Some(AccountAuth {
            plugin,
            auth_string,
        })
    }
}

struct Certificates {
    ca: Vec<u8>,
    config: Arc<rustls::ServerConfig>,
}

fn certificates(host: &str) -> Certificates {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let pem = certificate.pem().into_bytes();
    let config = server_config(&pem, key.serialize_pem().as_bytes()).unwrap();
    Certificates { ca: pem, config }
}

fn identity(default_auth: AuthPlugin) -> ServerIdentity {
    ServerIdentity {
        version: "8.4.6-weir".into(),
        default_auth,
        charset: 255,
        tls: None,
        rsa: None,
        sha2_cache: Sha2Cache::default(),
        authenticator: Arc::new(Accounts),
        max_allowed_packet: 64 << 20,
    }
}

fn options(user: &str, password: &str) -> ClientOptions {
    let endpoint = Endpoint::Tcp {
        host: "db.example".into(),
        port: 0,
    };
    let mut options = ClientOptions::new(endpoint, user, password);
    options.tls.mode = TlsMode::Disabled;
    options
}

async fn accept(stream: DuplexStream, identity: Arc<ServerIdentity>) -> Result<Connection, Error> {
    let peer = Peer {
        connection_id: 7,
        host: "192.0.2.1".into(),
        is_local_socket: false,
    };
    let mut connection = Connection::accept(stream, identity, peer).await?;
    connection.send_ok(&OkPacket::default());
    connection.flush().await?;
    Ok(connection)
}

async fn login(
    identity: &Arc<ServerIdentity>,
    options: &ClientOptions,
) -> (Result<client::Connection, Error>, Result<Connection, Error>) {
    let (near, far) = tokio::io::duplex(1 << 16);
    tokio::join!(
        client::Connection::login(near, options),
        accept(far, Arc::clone(identity)),
    )
}

async fn pair(identity: &Arc<ServerIdentity>) -> (client::Connection, Connection) {
    let (client, server) = login(identity, &options("native", PASSWORD)).await;
    (client.unwrap(), server.unwrap())
}

fn assert_denied<T: std::fmt::Debug>(result: &Result<T, Error>, user: &str, password: &str) {
    let Err(Error::Refused(error)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(
        error.to_string(),
        format!(
            "ERROR 1045 (28000): Access denied for user '{user}'@'192.0.2.1' \
             (using password: {password})"
        )
    );
}

#[tokio::test]
async fn every_account_logs_in_whatever_plugin_the_greeting_names() {
    for default_auth in [AuthPlugin::Native, AuthPlugin::CachingSha2] {
        let identity = Arc::new(ServerIdentity {
            rsa: Some(Arc::new(RsaKeyPair::generate().unwrap())),
            ..identity(default_auth)
        });
        for (user, password) in [
            ("native", PASSWORD),
            ("sha2", PASSWORD),
            ("native_empty", ""),
            ("sha2_empty", ""),
        ] {
            let mut options = options(user, password);
            options.get_source_public_key = true;
            let (client, server) = login(&identity, &options).await;
            assert_eq!(client.unwrap().greeting().connection_id, 7);
            assert_eq!(server.unwrap().user(), user);
        }
        for (user, password, said) in [
            ("native", "wrong", "YES"),
            ("sha2", "wrong", "YES"),
            ("native", "", "NO"),
            ("sha2", "", "NO"),
            ("native_empty", "x", "YES"),
            ("sha2_empty", "x", "YES"),
            ("nobody", "x", "YES"),
            ("nobody", "", "NO"),
        ] {
            let mut options = options(user, password);
            options.get_source_public_key = true;
            let (client, server) = login(&identity, &options).await;
            assert_denied(&client, user, said);
            assert_denied(&server, user, said);
        }
    }
}

#[tokio::test]
async fn the_password_of_sha2_needs_a_key_until_it_is_in_the_cache() {
    let rsa = Arc::new(RsaKeyPair::generate().unwrap());
    let identity = Arc::new(ServerIdentity {
        rsa: Some(Arc::clone(&rsa)),
        ..identity(AuthPlugin::CachingSha2)
    });
    let without_key = options("sha2", PASSWORD);
    let (client, _) = login(&identity, &without_key).await;
    assert_eq!(
        client.unwrap_err().to_string(),
        "Authentication plugin 'caching_sha2_password' reported error: Authentication requires \
         secure connection."
    );
    let mut with_key = options("sha2", PASSWORD);
    with_key.source_public_key = Some(rsa.public_pem().into());
    login(&identity, &with_key).await.0.unwrap();
    login(&identity, &without_key).await.0.unwrap();
    identity.sha2_cache.clear();
    login(&identity, &without_key).await.0.unwrap_err();
}

#[tokio::test]
async fn tls_modes_believe_what_mysql_says_they_do() {
    let theirs = certificates("db.example");
    let other = certificates("db.example");
    let elsewhere = certificates("elsewhere.example");
    let cases = [
        (&theirs, TlsMode::Disabled, None, Ok(false)),
        (&theirs, TlsMode::Preferred, None, Ok(true)),
        (&theirs, TlsMode::Required, None, Ok(true)),
        (&theirs, TlsMode::VerifyCa, Some(&theirs), Ok(true)),
        (&theirs, TlsMode::VerifyCa, Some(&other), Err(())),
        (&theirs, TlsMode::VerifyCa, None, Err(())),
        (&elsewhere, TlsMode::VerifyCa, Some(&elsewhere), Ok(true)),
        (&theirs, TlsMode::VerifyIdentity, Some(&theirs), Ok(true)),
        (
            &elsewhere,
            TlsMode::VerifyIdentity,
            Some(&elsewhere),
            Err(()),
        ),
    ];
    for (server, mode, ca, expected) in cases {
        let identity = Arc::new(ServerIdentity {
            tls: Some(Arc::clone(&server.config)),
            ..identity(AuthPlugin::CachingSha2)
        });
        let user = if mode == TlsMode::Disabled {
            "native"
        } else {
            "sha2"
        };
        let mut options = options(user, PASSWORD);
        options.tls.mode = mode;
        options.tls.ca = ca.map(|certificates| certificates.ca.clone());
        let (client, server) = login(&identity, &options).await;
        match expected {
            Ok(is_tls) => {
                client.unwrap();
                assert_eq!(server.unwrap().is_tls(), is_tls, "{mode:?}");
            }
            Err(()) => assert!(client.is_err(), "{mode:?}"),
        }
    }
    let mut options = options("native", PASSWORD);
    options.tls.mode = TlsMode::Required;
    let plain = Arc::new(identity(AuthPlugin::Native));
    assert_eq!(
        login(&plain, &options).await.0.unwrap_err().to_string(),
        "SSL connection error: SSL is required but the server doesn't support it"
    );
}

fn column(name: &str) -> ColumnDefinition {
    ColumnDefinition {
        name: name.into(),
        column_type: column_type::VAR_STRING,
        charset: 45,
        length: 80,
        ..ColumnDefinition::default()
    }
}

#[tokio::test]
async fn results_errors_and_several_results_arrive() {
    let (mut client, mut server) = pair(&Arc::new(identity(AuthPlugin::Native))).await;
    let serve = async {
        while let Some(command) = server.read_command().await.unwrap() {
            let Command::Query { sql, .. } = command else {
                server.send_ok(&OkPacket::default());
                continue;
            };
            match &sql[..] {
                b"rows" => {
                    server.send_result_set_header(&[column("a"), column("b")], 2);
                    let big = vec![b'x'; 17 << 20];
                    for cell in [&b"1"[..], b"", &big] {
                        server.send_text_row(&[Some(cell), None]).await.unwrap();
                    }
                    server.finish_result_set(status::MORE_RESULTS_EXISTS, 0);
                    server.send_ok(&OkPacket::default());
                }
                b"ok" => server.send_ok(&OkPacket {
                    affected_rows: 3,
                    info: "Records: 3".into(),
                    ..OkPacket::default()
                }),
                _ => server.send_err(&ErrPacket::new(1064, b"42000", "near")),
            }
        }
    };
    let ask = async {
        let QueryResult::Rows { columns, rows } = client.query("rows").await.unwrap() else {
            panic!("no rows");
        };
        assert_eq!(columns[1].name, "b");
        assert_eq!(rows[0], [Some(b"1".to_vec()), None]);
        assert_eq!(rows[1], [Some(Vec::new()), None]);
        assert_eq!(rows[2][0].as_ref().unwrap().len(), 17 << 20);
        let QueryResult::Ok(ok) = client.query("ok").await.unwrap() else {
            panic!("no OK");
        };
        assert_eq!((ok.affected_rows, ok.info.as_str()), (3, "Records: 3"));
        let error = client.query("nonsense").await.unwrap_err();
        assert_eq!(error.to_string(), "ERROR 1064 (42000): near");
        client.ping().await.unwrap();
        client.query(&"y".repeat(20 << 20)).await.unwrap_err();
        drop(client);
    };
    tokio::join!(serve, ask);
}

#[tokio::test]
async fn a_command_above_max_allowed_packet_is_refused() {
    let identity = Arc::new(ServerIdentity {
        max_allowed_packet: 1 << 20,
        ..identity(AuthPlugin::Native)
    });
    let (mut client, mut server) = pair(&identity).await;
    let text = "y".repeat(2 << 20);
    let (answer, command) = tokio::join!(client.query(&text), async {
        let result = server.read_command().await;
        drop(server);
        result
    });
    assert!(matches!(command, Err(Error::Packet(_))));
    // The answer may be lost: the server closes while the client still sends.
    assert!(matches!(answer, Err(Error::Refused(_) | Error::Io(_))));
}

#[tokio::test]
async fn a_dump_is_asked_for_and_streams_events() {
    let (mut client, mut server) = pair(&Arc::new(identity(AuthPlugin::Native))).await;
    let replica = RegisterReplica {
        server_id: 2,
        host: "replica.example".into(),
        port: 3306,
        ..RegisterReplica::default()
    };
    let dump = BinlogDump {
        position: 4,
        server_id: 2,
        file: b"binlog.000001".to_vec(),
        ..BinlogDump::default()
    };
    let large = vec![0xfe; (16 << 20) + 5];
    let serve = async {
        let command = server.read_command().await.unwrap();
        assert_eq!(command, Some(Command::RegisterReplica(replica.clone())));
        server.send_ok(&OkPacket::default());
        let command = server.read_command().await.unwrap();
        assert_eq!(command, Some(Command::BinlogDump(dump.clone())));
        for _ in 0..300 {
            server.send_event(&[b"head", b"tail"]).await.unwrap();
        }
        server.send_event(&[&large]).await.unwrap();
        server.send_err(&ErrPacket::new(1236, b"HY000", "gone"));
        server.flush().await.unwrap();
        assert!(!server.readable().await.unwrap());
    };
    let follow = async {
        client.register_replica(&replica).await.unwrap();
        client.binlog_dump(&dump).await.unwrap();
        for _ in 0..300 {
            let event = client.next_event().await.unwrap().unwrap();
            assert_eq!(&event[..], b"headtail");
        }
        assert_eq!(client.next_event().await.unwrap().unwrap(), large);
        let error = client.next_event().await.unwrap_err();
        assert_eq!(error.to_string(), "ERROR 1236 (HY000): gone");
        drop(client);
    };
    tokio::join!(serve, follow);
}

/// mysql_common knows the client's half of a prepared statement; this writes the bytes by hand.
#[tokio::test]
async fn a_prepared_statement_and_a_change_of_user_go_round() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let identity = Arc::new(identity(AuthPlugin::Native));
    let (near, far) = tokio::io::duplex(1 << 16);
    let server = tokio::spawn(accept(far, Arc::clone(&identity)));
    // A login without password, plugins or anything, as the oldest clients send it.
    let mut near = near;
    async fn packet(stream: &mut DuplexStream) -> Vec<u8> {
        let mut header = [0; 4];
        stream.read_exact(&mut header).await.unwrap();
        let mut payload = vec![0; usize::from(header[0]) | usize::from(header[1]) << 8];
        stream.read_exact(&mut payload).await.unwrap();
        payload
    }
    async fn send(stream: &mut DuplexStream, sequence: u8, payload: &[u8]) {
        let len = u8::try_from(payload.len()).unwrap();
        stream.write_all(&[len, 0, 0, sequence]).await.unwrap();
        stream.write_all(payload).await.unwrap();
    }
    packet(&mut near).await;
    let mut login = 0x0008_8200_u32.to_le_bytes().to_vec();
    login.extend([0; 28]);
    login.extend(b"native_empty\0\0mysql_native_password\0");
    send(&mut near, 1, &login).await;
    assert_eq!(packet(&mut near).await[0], 0);
    let mut server = server.await.unwrap().unwrap();

    let serve = async {
        let command = server.read_command().await.unwrap().unwrap();
        assert!(matches!(command, Command::StmtPrepare { .. }));
        server.send_prepare_ok(1, &[column("?")], &[column("a")], 0);
        let command = server.read_command().await.unwrap().unwrap();
        let Command::StmtExecute { params, .. } = command else {
            panic!("{command:?}");
        };
        assert_eq!(params, [Param::Text(b"p".to_vec())]);
        server.send_result_set_header(&[column("a")], 2);
        server
            .send_binary_row(&[BinaryCell::Long(5)])
            .await
            .unwrap();
        server.finish_result_set(2, 0);
        let command = server.read_command().await.unwrap().unwrap();
        let database = Some("db".to_owned());
        let charset = Some(45);
        assert_eq!(command, Command::ChangeUser { database, charset });
        assert_eq!(server.user(), "sha2_empty");
        server.send_ok(&OkPacket::default());
        assert_eq!(server.read_command().await.unwrap(), None);
    };
    let ask = async {
        send(&mut near, 0, b"\x16SELECT ?").await;
        assert_eq!(
            packet(&mut near).await,
            [0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0]
        );
        for kind in [b'd', 0xfe, b'd', 0xfe] {
            assert!(packet(&mut near).await.contains(&kind));
        }
        send(&mut near, 0, b"\x17\x01\0\0\0\0\x01\0\0\0\0\x01\xfd\0\x01p").await;
        assert_eq!(packet(&mut near).await, [1]);
        packet(&mut near).await;
        assert_eq!(packet(&mut near).await, [0xfe, 0, 0, 2, 0]);
        assert_eq!(packet(&mut near).await, [0, 0, 5, 0, 0, 0]);
        assert_eq!(packet(&mut near).await, [0xfe, 0, 0, 2, 0]);
        send(
            &mut near,
            0,
            b"\x11sha2_empty\0\0db\0\x2d\0mysql_native_password\0",
        )
        .await;
        assert!(
            packet(&mut near)
                .await
                .starts_with(b"\xfecaching_sha2_password\0")
        );
        send(&mut near, 2, b"").await;
        assert_eq!(packet(&mut near).await[0], 0);
        drop(near);
    };
    tokio::join!(serve, ask);
}
