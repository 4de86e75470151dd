//! Tests of the node as a whole: clients' statements in, log and engine out, with crashes between.

mod crashes;
mod serving;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use binlog::log::{SimStorage, Storage};
use binlog::value::Value;
use config::PrimarySettings;
use engine::outcome::{Outcome, ResultSet};
use engine::session::SessionContext;
use server::executor::{TransactionMode, WriteExecutor};
use sql::error::SqlError;
use sql::{ParseOptions, parse};

use crate::Primary;
use crate::error::PrimaryError;

/// Settings of a node in `directory`, with `more` options.
pub(crate) fn settings(directory: &Path, more: &[&str]) -> Arc<PrimarySettings> {
    let mut arguments = vec![
        format!("--datadir={}", directory.display()),
        "--server-id=3".to_owned(),
        "--log-bin=b".to_owned(),
        "--gtid-mode=ON".to_owned(),
        "--enforce-gtid-consistency=ON".to_owned(),
    ];
    arguments.extend(more.iter().map(|&option| option.to_owned()));
    Arc::new(PrimarySettings::load(arguments).unwrap().settings)
}

/// A node whose log lies on `storage`; a fatal error ends the pipeline instead of the process.
pub(crate) fn open(
    directory: &Path,
    storage: &SimStorage,
    more: &[&str],
) -> Result<Primary, PrimaryError> {
    let storage: Arc<dyn Storage> = Arc::new(storage.clone());
    Primary::open_on(settings(directory, more), storage, Box::new(|_| {}))
}

const ENGINE_FILES: [&str; 2] = ["weir.db", "weir.db-wal"];

/// Makes the engine in `to` what the one in `from` is now.
pub(crate) fn copy_engine(from: &Path, to: &Path) {
    for name in ENGINE_FILES {
        let _ = fs::remove_file(to.join(name));
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
    let _ = fs::remove_file(to.join("weir.db-shm"));
}

/// A client of the node.
pub(crate) struct Client<'p> {
    primary: &'p Primary,
    session: SessionContext,
    mode: TransactionMode,
}

impl<'p> Client<'p> {
    pub(crate) fn new(primary: &'p Primary, connection_id: u64) -> Self {
        let mut session = SessionContext::new(connection_id);
        session.database = Some("d".to_owned());
        session.now_micros = 1_700_000_000_000_000;
        Self {
            primary,
            session,
            mode: TransactionMode::Autocommit,
        }
    }

    pub(crate) async fn run(&mut self, sql: &str) -> Result<Outcome, SqlError> {
        let parsed = parse(sql.as_bytes(), &ParseOptions::default())?;
        let session = Box::new(self.session.clone());
        let (session, result) = self
            .primary
            .execute(session, Arc::new(parsed), Vec::new(), self.mode)
            .await;
        self.session = *session;
        result
    }

    pub(crate) const fn begin(&mut self) {
        self.mode = TransactionMode::InTransaction;
    }

    pub(crate) async fn commit(&mut self) -> Result<(), SqlError> {
        self.mode = TransactionMode::Autocommit;
        self.primary.commit(self.session.connection_id).await
    }

    pub(crate) async fn rollback(&mut self) -> Result<(), SqlError> {
        self.mode = TransactionMode::Autocommit;
        self.primary.rollback(self.session.connection_id).await
    }
}

/// The rows of a SELECT that sees what is committed.
pub(crate) fn query(primary: &Primary, sql: &str) -> ResultSet {
    let parsed = parse(sql.as_bytes(), &ParseOptions::default()).unwrap();
    let mut session = SessionContext::new(0);
    session.database = Some("d".to_owned());
    let mut reader = primary.database().reader().unwrap();
    reader.query(&parsed, &[], &mut session).unwrap()
}

/// The integers in the first column.
pub(crate) fn integers(primary: &Primary, sql: &str) -> Vec<i64> {
    let rows = query(primary, sql).rows.into_iter();
    rows.map(|row| match row.first() {
        Some(Value::Int(value)) => *value,
        Some(Value::UInt(value)) => i64::try_from(*value).unwrap(),
        other => panic!("{other:?}"),
    })
    .collect()
}

/// A table `d.t`.
pub(crate) async fn create_table(primary: &Primary) {
    let mut client = Client::new(primary, 1);
    client.session.database = None;
    client.run("CREATE DATABASE d").await.unwrap();
    client
        .run("CREATE TABLE d.t (id INT PRIMARY KEY, v INT NOT NULL, s VARCHAR(50), KEY (v))")
        .await
        .unwrap();
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
