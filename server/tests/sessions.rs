//! Sessions over a real loopback connection, with a client library that knows nothing of Weir.
//!
//! The executor here is the smallest that keeps the contract: one writer, transactions one at a
//! time, no log.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test says why it failed"
)]

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use binlog::value::Value;
use engine::database::{Database, EngineOptions, EnginePosition};
use engine::execute::Writer;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use gtid::GtidSet;
use mysql_async::prelude::*;
use server::executor::{TransactionMode, WriteExecutor};
use server::registry::ReplicaRegistry;
use server::role::Role;
use server::{Control, Server, ServerParts};
use sql::Parsed;
use sql::error::SqlError;
use tokio::sync::{Mutex, OwnedMutexGuard};

struct OneWriter {
    writer: Arc<Mutex<Writer>>,
    /// The transaction that holds the writer.
    open: Mutex<Option<(u64, OwnedMutexGuard<Writer>)>>,
}

impl OneWriter {
    async fn end(&self, connection_id: u64, commit: bool) -> Result<(), SqlError> {
        let mut open = self.open.lock().await;
        if open
            .as_ref()
            .is_none_or(|(owner, _)| *owner != connection_id)
        {
            return Ok(());
        }
        let (_, mut writer) = open.take().expect("checked above");
        if commit {
            writer.commit_group(&EnginePosition::default())?;
        } else {
            writer.rollback_group()?;
        }
        Ok(())
    }

    async fn with<T>(
        &self,
        connection_id: u64,
        work: impl FnOnce(&mut Writer) -> Result<T, engine::error::EngineError>,
    ) -> Result<T, SqlError> {
        let mut open = self.open.lock().await;
        match open.as_mut() {
            Some((owner, writer)) if *owner == connection_id => Ok(work(writer)?),
            _ => Err(SqlError::unknown_error()),
        }
    }
}

#[async_trait]
impl WriteExecutor for OneWriter {
    async fn execute(
        &self,
        mut session: Box<SessionContext>,
        statement: Arc<Parsed>,
        parameters: Vec<Value<'static>>,
        mode: TransactionMode,
    ) -> (Box<SessionContext>, Result<Outcome, SqlError>) {
        let id = session.connection_id;
        let mut open = self.open.lock().await;
        if open.as_ref().is_none_or(|(owner, _)| *owner != id) {
            let mut writer = Arc::clone(&self.writer).lock_owned().await;
            writer.begin_group().expect("no group is open");
            *open = Some((id, writer));
        }
        let (_, writer) = open.as_mut().expect("opened above");
        let mut changes = Vec::new();
        let result = writer.execute(
            &statement.statement,
            &parameters,
            &mut session,
            &mut changes,
        );
        drop(open);
        if mode == TransactionMode::Autocommit {
            let ended = self.end(id, result.is_ok()).await;
            return (session, ended.and(result));
        }
        (session, result)
    }

    async fn commit(&self, connection_id: u64) -> Result<(), SqlError> {
        self.end(connection_id, true).await
    }

    async fn rollback(&self, connection_id: u64) -> Result<(), SqlError> {
        self.end(connection_id, false).await
    }

    async fn savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.with(connection_id, |writer| writer.savepoint(name))
            .await
    }

    async fn rollback_to_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.with(connection_id, |writer| writer.rollback_to(name))
            .await
    }

    async fn release_savepoint(&self, connection_id: u64, name: &str) -> Result<(), SqlError> {
        self.with(connection_id, |writer| writer.release(name))
            .await
    }

    fn disconnected(&self, _connection_id: u64) {}
}

struct NoRole;

impl Role for NoRole {
    fn gtid_executed(&self) -> GtidSet {
        "00000000-0000-0000-0000-000000000001:1-5"
            .parse()
            .expect("a GTID set")
    }
}

struct Running {
    port: u16,
    control: Control,
    task: tokio::task::JoinHandle<()>,
    _directory: tempfile::TempDir,
}

impl Running {
    async fn start() -> Running {
        let directory = tempfile::tempdir().expect("a directory");
        Self::start_in(directory).await
    }

    async fn start_in(directory: tempfile::TempDir) -> Running {
        let settings = settings(directory.path(), &[]);
        Self::start_with(directory, settings).await
    }

    async fn start_with(directory: tempfile::TempDir, settings: config::ServerSettings) -> Running {
        let path = directory.path().join("weir.db");
        let database = Database::open(&path, EngineOptions::default()).expect("a database");
        let writer = Writer::open(&database).expect("the writer");
        let executor = OneWriter {
            writer: Arc::new(Mutex::new(writer)),
            open: Mutex::new(None),
        };
        let control = Control::new();
        let parts = ServerParts {
            settings,
            server_uuid: "00000000-0000-0000-0000-000000000001".to_owned(),
            database,
            executor: Arc::new(executor),
            role: Arc::new(NoRole),
            facts: Vec::new(),
            replicas: ReplicaRegistry::default(),
            control: control.clone(),
        };
        let server = Server::bind(parts).await.expect("a free port");
        let port = server.listening().addresses[0].port();
        let task = tokio::spawn(server.run());
        Running {
            port,
            control,
            task,
            _directory: directory,
        }
    }

    async fn connect(&self) -> mysql_async::Conn {
        self.connect_as("root", None)
            .await
            .expect("root has no password")
    }

    async fn connect_as(
        &self,
        user: &str,
        password: Option<&str>,
    ) -> Result<mysql_async::Conn, mysql_async::Error> {
        let options = mysql_async::OptsBuilder::default()
            .ip_or_hostname("127.0.0.1")
            .tcp_port(self.port)
            .user(Some(user))
            .pass(password)
            .prefer_socket(false);
        mysql_async::Conn::new(options).await
    }

    async fn stop(self) {
        self.control.stop();
        self.task.await.expect("the server ends");
    }
}

fn settings(datadir: &Path, more: &[&str]) -> config::ServerSettings {
    let own = [
        format!("--datadir={}", datadir.display()),
        "--initialize-insecure".to_owned(),
        "--port=0".to_owned(),
        "--bind-address=127.0.0.1".to_owned(),
        "--server-id=1".to_owned(),
    ];
    let more = more.iter().map(|option| (*option).to_owned());
    let loaded = config::PrimarySettings::load(own.into_iter().chain(more));
    loaded.expect("valid settings").settings.server
}

fn code(result: Result<(), mysql_async::Error>) -> u16 {
    match result {
        Err(mysql_async::Error::Server(error)) => error.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn schema_statements_show_what_they_did() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    client.query_drop("CREATE DATABASE app").await.unwrap();
    client.query_drop("USE app").await.unwrap();
    client
        .query_drop("CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(10) DEFAULT 'x', c DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6))")
        .await
        .unwrap();
    let tables: Vec<String> = client.query("SHOW TABLES").await.unwrap();
    assert_eq!(tables, ["t"]);
    let create: Vec<(String, String)> = client.query("SHOW CREATE TABLE t").await.unwrap();
    assert!(
        create[0]
            .1
            .starts_with("CREATE TABLE `t` (\n  `id` int NOT NULL,\n"),
        "{create:?}"
    );
    let code = code(client.query_drop("CREATE TABLE t (a INT)").await);
    assert_eq!(code, 1050);
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_never_says_default_generated() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    client.query_drop("CREATE DATABASE app").await.unwrap();
    client
        .query_drop("CREATE TABLE app.t (a TIMESTAMP DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)")
        .await
        .unwrap();
    type Field = (String, String, String, String, Option<String>, String);
    let fields: Vec<Field> = client.query("SHOW FIELDS FROM app.t").await.unwrap();
    assert_eq!(fields[0].4.as_deref(), Some("CURRENT_TIMESTAMP"));
    assert_eq!(fields[0].5, "on update CURRENT_TIMESTAMP");
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_keep_their_promises() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    assert_eq!(
        code(client.query_drop("SET binlog_format = 'STATEMENT'").await),
        1231
    );
    assert_eq!(code(client.query_drop("SET gtid_next = 'x'").await), 1774);
    assert_eq!(code(client.query_drop("SET nonsense = 1").await), 1193);
    client
        .query_drop("SET @a = 5, autocommit = 0, NAMES latin1")
        .await
        .unwrap();
    let shown: Vec<(String, String)> = client
        .query("SHOW VARIABLES WHERE variable_name IN ('autocommit', 'character_set_client')")
        .await
        .unwrap();
    assert_eq!(
        shown,
        [
            ("autocommit".to_owned(), "OFF".to_owned()),
            ("character_set_client".to_owned(), "latin1".to_owned())
        ]
    );
    let gtids: Vec<(String, String)> = client
        .query("SHOW GLOBAL VARIABLES LIKE 'gtid_executed'")
        .await
        .unwrap();
    assert_eq!(gtids[0].1, "00000000-0000-0000-0000-000000000001:1-5");
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_get_what_they_were_granted() {
    let server = Running::start().await;
    let mut root = server.connect().await;
    root.query_drop("CREATE DATABASE app").await.unwrap();
    root.query_drop("CREATE DATABASE other").await.unwrap();
    root.query_drop("CREATE USER u@'%' IDENTIFIED BY 'secret'")
        .await
        .unwrap();
    root.query_drop("CREATE USER n@'%' IDENTIFIED WITH mysql_native_password BY 'old'")
        .await
        .unwrap();
    root.query_drop("GRANT CREATE, DROP ON app.* TO u@'%'")
        .await
        .unwrap();
    assert_eq!(
        code(server.connect_as("u", Some("wrong")).await.map(drop)),
        1045
    );
    server.connect_as("n", Some("old")).await.unwrap();
    let mut user = server.connect_as("u", Some("secret")).await.unwrap();
    user.query_drop("CREATE TABLE app.t (a INT)").await.unwrap();
    assert_eq!(
        code(user.query_drop("CREATE TABLE other.t (a INT)").await),
        1142
    );
    assert_eq!(code(user.query_drop("USE other").await), 1044);
    assert_eq!(code(user.query_drop("FLUSH BINARY LOGS").await), 1227);
    let databases: Vec<String> = user.query("SHOW DATABASES").await.unwrap();
    assert_eq!(databases, ["app", "information_schema"]);
    root.query_drop("SET GLOBAL read_only = ON").await.unwrap();
    assert_eq!(code(user.query_drop("DROP TABLE app.t").await), 1290);
    root.query_drop("DROP TABLE app.t").await.unwrap();
    drop((root, user));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_sessions_end() {
    let server = Running::start().await;
    let mut root = server.connect().await;
    let victim = server.connect().await;
    root.query_drop(format!("KILL {}", victim.id()))
        .await
        .unwrap();
    assert_eq!(code(root.query_drop("KILL 99999").await), 1094);
    let mut victim = victim;
    assert!(victim.query_drop("SHOW STATUS").await.is_err());
    drop((root, victim));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_are_mysqls() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    assert_eq!(code(client.query_drop("garbage").await), 1064);
    assert_eq!(
        code(
            client
                .query_drop("CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW SET @a = 1")
                .await
        ),
        1235
    );
    assert_eq!(code(client.query_drop("SHOW TABLES").await), 1046);
    assert_eq!(code(client.query_drop("USE nowhere").await), 1049);
    assert_eq!(
        code(client.query_drop("ROLLBACK TO SAVEPOINT x").await),
        1305
    );
    assert_eq!(
        code(
            client
                .query_drop("SHOW REPLICA STATUS FOR CHANNEL 'x'")
                .await
        ),
        3074
    );
    assert_eq!(code(client.query_drop("START REPLICA").await), 1200);
    let warnings: Vec<(String, u16, String)> = client.query("SHOW WARNINGS").await.unwrap();
    assert_eq!(warnings[0].1, 1200);
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_see_their_own_writes_and_one_snapshot() {
    let server = Running::start().await;
    let mut writer = server.connect().await;
    let mut reader = server.connect().await;
    writer.query_drop("CREATE DATABASE app").await.unwrap();
    writer
        .query_drop("CREATE TABLE app.t (id INT PRIMARY KEY, s VARCHAR(10))")
        .await
        .unwrap();
    reader
        .query_drop("START TRANSACTION WITH CONSISTENT SNAPSHOT")
        .await
        .unwrap();
    writer.query_drop("BEGIN").await.unwrap();
    writer
        .query_drop("INSERT INTO app.t VALUES (1, 'a')")
        .await
        .unwrap();
    writer.query_drop("SAVEPOINT one").await.unwrap();
    writer
        .query_drop("INSERT INTO app.t VALUES (2, 'b')")
        .await
        .unwrap();
    assert_eq!(count(&mut writer).await, 2);
    writer.query_drop("ROLLBACK TO one").await.unwrap();
    assert_eq!(count(&mut writer).await, 1);
    writer.query_drop("COMMIT").await.unwrap();
    assert_eq!(count(&mut reader).await, 0);
    reader.query_drop("COMMIT").await.unwrap();
    assert_eq!(count(&mut reader).await, 1);
    reader
        .query_drop("START TRANSACTION READ ONLY")
        .await
        .unwrap();
    assert_eq!(code(reader.query_drop("DELETE FROM app.t").await), 1792);
    reader.query_drop("ROLLBACK").await.unwrap();
    reader.query_drop("SET autocommit = 0").await.unwrap();
    reader.query_drop("DELETE FROM app.t").await.unwrap();
    reader.query_drop("ROLLBACK").await.unwrap();
    assert_eq!(count(&mut writer).await, 1);
    drop((writer, reader));
    server.stop().await;
}

async fn count(client: &mut mysql_async::Conn) -> i64 {
    client
        .query_first("SELECT COUNT(*) FROM app.t")
        .await
        .unwrap()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn prepared_statements_bind_and_answer_in_binary() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    client.query_drop("CREATE DATABASE app").await.unwrap();
    client
        .query_drop("CREATE TABLE app.t (id BIGINT UNSIGNED PRIMARY KEY, s VARCHAR(10), d DECIMAL(5,2), b BLOB, f DOUBLE)")
        .await
        .unwrap();
    let insert = client
        .prep("INSERT INTO app.t VALUES (?, ?, ?, ?, ?)")
        .await
        .unwrap();
    assert_eq!(insert.num_params(), 5);
    for id in [1_u64, u64::MAX] {
        let row = (id, "é", "1.50", vec![0_u8, 255], 0.25_f64);
        client.exec_drop(&insert, row).await.unwrap();
    }
    type Row = (u64, String, String, Vec<u8>, f64);
    let rows: Vec<Row> = client
        .exec("SELECT * FROM app.t WHERE id > ? ORDER BY id", (1,))
        .await
        .unwrap();
    assert_eq!(
        rows,
        [(
            u64::MAX,
            "é".to_owned(),
            "1.50".to_owned(),
            vec![0, 255],
            0.25
        )]
    );
    client.exec_drop("COMMIT", ()).await.unwrap();
    assert_eq!(
        code(client.exec_drop("SELECT ? FROM nowhere.t", (1,)).await),
        1049
    );
    client
        .query_drop("PREPARE s FROM 'SELECT s FROM app.t WHERE id = ?'")
        .await
        .unwrap();
    client.query_drop("SET @id = 1").await.unwrap();
    let text: Option<String> = client.query_first("EXECUTE s USING @id").await.unwrap();
    assert_eq!(text.as_deref(), Some("é"));
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_statements_give_several_results() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    let mut results = client
        .query_iter("SELECT 1; SET @a = 2; SELECT @a + 1")
        .await
        .unwrap();
    let first: Vec<i64> = results.collect().await.unwrap();
    let second: Vec<i64> = results.collect().await.unwrap();
    let third: Vec<i64> = results.collect().await.unwrap();
    assert_eq!((first, second, third), (vec![1], vec![], vec![3]));
    drop(results);
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn information_schema_shows_what_the_account_sees() {
    let server = Running::start().await;
    let mut client = server.connect().await;
    client.query_drop("CREATE DATABASE app").await.unwrap();
    client
        .query_drop("CREATE TABLE app.t (id INT PRIMARY KEY, s VARCHAR(10))")
        .await
        .unwrap();
    let columns: Vec<(String, String, Option<u64>)> = client
        .query(
            "SELECT c.column_name, c.column_key, c.character_maximum_length \
             FROM information_schema.columns c JOIN information_schema.tables t \
             USING (table_schema, table_name) WHERE table_schema = 'app' ORDER BY ordinal_position",
        )
        .await
        .unwrap();
    assert_eq!(
        columns,
        [
            ("id".to_owned(), "PRI".to_owned(), None),
            ("s".to_owned(), String::new(), Some(10))
        ]
    );
    drop(client);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_take_the_servers_collation_for_mysqls_default() {
    let directory = tempfile::tempdir().expect("a directory");
    let settings = settings(directory.path(), &["--collation-server=utf8mb4_general_ci"]);
    let server = Running::start_with(directory, settings).await;
    let mut client = server.connect().await;
    client.query_drop("SET NAMES utf8mb4").await.unwrap();
    let collation: Option<String> = client
        .query_first("SELECT @@collation_connection")
        .await
        .unwrap();
    assert_eq!(collation.as_deref(), Some("utf8mb4_general_ci"));
    client
        .query_drop("SET NAMES utf8mb4 COLLATE utf8mb4_bin")
        .await
        .unwrap();
    let collation: Option<String> = client
        .query_first("SELECT @@collation_connection")
        .await
        .unwrap();
    assert_eq!(collation.as_deref(), Some("utf8mb4_bin"));
    drop(client);
    server.stop().await;
}
