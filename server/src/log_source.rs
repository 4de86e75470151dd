//! A log that lies there, served to one replica and to nobody else: no tables, no writes, an account
//! that may do nothing but replicate.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use binlog::log::{FileGuards, LogPosition, OsStorage};
use binlog::value::Value;
use config::PrimarySettings;
use engine::database::{Database, EngineOptions};
use engine::outcome::Outcome;
use engine::session::SessionContext;
use gtid::GtidSet;
use protocol::auth::AuthPlugin;
use rand::Rng as _;
use sql::Parsed;
use sql::ast::AccountName;
use sql::error::SqlError;

use crate::accounts::{Account, AccountFile, Privilege, random_password};
use crate::executor::{TransactionMode, WriteExecutor};
use crate::feed::{FeedIdentity, GtidState, LogFeed};
use crate::registry::ReplicaRegistry;
use crate::role::Role;
use crate::{Control, Server, ServerError, ServerParts};

/// What is served, and where.
#[derive(Debug, Clone)]
pub struct LogSourceOptions {
    /// A directory of this source alone, which keeps its account and its keys.
    pub directory: PathBuf,
    /// Where the files and their index are.
    pub logs: PathBuf,
    /// Name of the index there.
    pub index: String,
    /// The end of the last file.
    pub end: LogPosition,
    /// The transactions that the files hold, by MySQL's GTIDs.
    pub gtids: GtidSet,
    /// Address to listen on.
    pub host: String,
    /// Port; 0 for a free one.
    pub port: u16,
    /// Its `server_id`.
    pub server_id: u32,
    /// What the account's name begins with.
    pub user_prefix: &'static str,
    /// Whether a MariaDB replicates, which knows the older method of logging in only.
    pub is_for_mariadb: bool,
}

/// Why a log is not served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogSourceError {
    /// It cannot be listened on, or its account cannot be made.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// What it needs beside the log cannot be made.
    #[error("making a source of the logs: {0}")]
    Parts(String),
}

impl LogSourceError {
    fn parts(error: impl std::fmt::Display) -> Self {
        Self::Parts(error.to_string())
    }
}

/// A source that listens.
pub struct LogSource {
    server: Server,
    control: Control,
    /// The account.
    pub user: String,
    password: String,
    /// Where it listens.
    pub address: SocketAddr,
}

impl LogSource {
    /// Makes the account and listens. Replicas that connect wait for [`Self::run`].
    ///
    /// # Errors
    /// See [`LogSourceError`].
    pub async fn bind(options: LogSourceOptions) -> Result<Self, LogSourceError> {
        let settings = settings(&options)?;
        let (user, password) = account(&options)?;
        let path = options.directory.join("source.db");
        let database = Database::open(&path, EngineOptions::default());
        let uuid = uuid::Uuid::new_v4();
        let identity = FeedIdentity {
            server_id: options.server_id,
            server_uuid: uuid,
        };
        let role = Served::new(&options, identity);
        let control = Control::new();
        let server = Server::bind(ServerParts {
            settings,
            server_uuid: uuid.to_string(),
            database: database.map_err(LogSourceError::parts)?,
            executor: Arc::new(NoWrites),
            role: Arc::new(role),
            facts: vec![("log_bin", "ON".to_owned())],
            replicas: ReplicaRegistry::default(),
            control: control.clone(),
        })
        .await?;
        let address = server.listening().addresses.first().copied();
        let address = address.ok_or_else(|| LogSourceError::parts("no address"))?;
        Ok(Self {
            server,
            control,
            user,
            password,
            address,
        })
    }

    /// The account's password. It is nowhere else but, hashed, in the source's directory.
    #[must_use]
    pub fn password(&self) -> &str {
        &self.password
    }

    /// What ends it.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Serves until its control says stop.
    pub async fn run(self) {
        self.server.run().await;
    }
}

impl std::fmt::Debug for LogSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogSource")
            .field("address", &self.address)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

fn settings(options: &LogSourceOptions) -> Result<config::ServerSettings, LogSourceError> {
    let arguments = [
        "--no-defaults".to_owned(),
        format!("--datadir={}", options.directory.display()),
        format!("--bind-address={}", options.host),
        format!("--port={}", options.port),
        format!("--server-id={}", options.server_id),
        "--socket=".to_owned(),
    ];
    let loaded = PrimarySettings::load(arguments).map_err(LogSourceError::parts)?;
    Ok(loaded.settings.server)
}

/// Writes the one account, and gives its name and password.
fn account(options: &LogSourceOptions) -> Result<(String, String), LogSourceError> {
    let plugin = match options.is_for_mariadb {
        true => AuthPlugin::Native,
        false => AuthPlugin::CachingSha2,
    };
    let number: u32 = rand::rng().random();
    let user = format!("{}{number:08x}", options.user_prefix);
    let password = random_password();
    let name = AccountName {
        user: user.clone(),
        host: "%".to_owned(),
    };
    let mut account = Account::new(name, plugin, plugin.stored(&password));
    account.global.insert(Privilege::ReplicationSlave);
    account.global.insert(Privilege::ReplicationClient);
    account.requires_tls = true;
    let file = AccountFile::in_datadir(&options.directory);
    file.save(std::slice::from_ref(&account))
        .map_err(ServerError::from)?;
    Ok((user, password))
}

/// The role: a log and nothing else.
struct Served {
    feed: Arc<LogFeed>,
    gtids: GtidSet,
}

impl Served {
    fn new(options: &LogSourceOptions, identity: FeedIdentity) -> Self {
        let storage = OsStorage::new(Path::new(&options.logs));
        let feed = LogFeed::new(
            identity,
            Arc::new(storage),
            options.index.clone(),
            FileGuards::new(),
            Arc::new(Held(options.gtids.clone())),
            options.end.clone(),
        );
        Self {
            feed: Arc::new(feed),
            gtids: options.gtids.clone(),
        }
    }
}

impl Role for Served {
    fn gtid_executed(&self) -> GtidSet {
        self.gtids.clone()
    }

    fn log_feed(&self) -> Option<Arc<LogFeed>> {
        Some(Arc::clone(&self.feed))
    }
}

struct Held(GtidSet);

impl GtidState for Held {
    fn executed(&self) -> GtidSet {
        self.0.clone()
    }

    fn purged(&self) -> GtidSet {
        GtidSet::default()
    }

    fn is_gtid_mode_on(&self) -> bool {
        true
    }
}

/// Takes no writes.
struct NoWrites;

#[async_trait]
impl WriteExecutor for NoWrites {
    async fn execute(
        &self,
        session: Box<SessionContext>,
        _statement: Arc<Parsed>,
        _parameters: Vec<Value<'static>>,
        _mode: TransactionMode,
    ) -> (Box<SessionContext>, Result<Outcome, SqlError>) {
        let refused = SqlError::option_prevents_statement("--super-read-only");
        (session, Err(refused))
    }

    async fn commit(&self, _connection_id: u64) -> Result<(), SqlError> {
        Ok(())
    }

    async fn rollback(&self, _connection_id: u64) -> Result<(), SqlError> {
        Ok(())
    }

    async fn savepoint(&self, _connection_id: u64, _name: &str) -> Result<(), SqlError> {
        Ok(())
    }

    async fn rollback_to_savepoint(&self, _connection_id: u64, name: &str) -> Result<(), SqlError> {
        Err(SqlError::sp_does_not_exist("SAVEPOINT", name))
    }

    async fn release_savepoint(&self, _connection_id: u64, name: &str) -> Result<(), SqlError> {
        Err(SqlError::sp_does_not_exist("SAVEPOINT", name))
    }

    fn takes_writes(&self) -> bool {
        false
    }

    fn disconnected(&self, _connection_id: u64) {}
}
