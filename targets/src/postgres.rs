//! `PostgresStore`: a PostgreSQL server as a target.
//!
//! Databases are schemas there. Rows arrive decoded, as texts that PostgreSQL reads; DDL is the difference
//! that a statement makes between two catalogues. What is applied, and how tables look on the source
//! at that place, are rows of schema `weir`, changed in the transaction that applies.

mod batch;
mod cascade;
mod changes;
mod columns;
mod error;
mod lenient;
mod link;
mod marks;
mod names;
mod promotion;
mod rows;
mod session;
mod types;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sql::error::SqlError;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::{Applied, Session, Store, TargetError, Traits};
use link::Link;
use marks::Marks;
use session::PostgresSession;
pub use types::ZeroDates;

/// The oldest version whose SQL is written.
const VERSION_MIN: u32 = 120_000;

/// Where a server is, and who logs in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PostgresAddress {
    /// Host name or address, or the directory of a Unix socket, which begins with `/`.
    pub host: String,
    /// TCP port, or that in the socket's name.
    pub port: u16,
    /// Role.
    pub user: String,
    /// Its password.
    pub password: Option<String>,
    /// Database.
    pub database: String,
    /// Authorities (PEM) that the server's certificate must be signed by; it must then name the host.
    pub ca: Option<Vec<u8>>,
}

/// How a server is used as a target.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    connect: PgConnectOptions,
    channel: String,
    zero_dates: ZeroDates,
    scratch: PathBuf,
}

impl PostgresOptions {
    /// For one replication channel. `scratch` is a file that is written anew; the directory is there.
    #[must_use]
    pub fn new(
        address: &PostgresAddress,
        channel: &str,
        zero_dates: ZeroDates,
        scratch: PathBuf,
    ) -> Self {
        let mut connect = PgConnectOptions::new_without_pgpass()
            .host(&address.host)
            .port(address.port)
            .username(&address.user)
            .database(&address.database)
            .application_name("weir")
            .statement_cache_capacity(500);
        if let Some(password) = &address.password {
            connect = connect.password(password);
        }
        connect = match &address.ca {
            Some(ca) => connect
                .ssl_mode(PgSslMode::VerifyFull)
                .ssl_root_cert_from_pem(ca.clone()),
            None => connect.ssl_mode(PgSslMode::Prefer),
        };
        Self {
            connect: sqlx::ConnectOptions::disable_statement_logging(connect),
            channel: channel.to_owned(),
            zero_dates,
            scratch,
        }
    }
}

/// A PostgreSQL server.
pub struct PostgresStore {
    options: Arc<PostgresOptions>,
    version: String,
    /// Whether nobody knows if the last commit of the session took place.
    doubt: Arc<AtomicBool>,
    /// A connection for questions.
    asking: Mutex<Option<Link>>,
}

impl PostgresStore {
    /// Connects. The applier's own tables are made with the first session.
    ///
    /// # Errors
    /// When the server cannot be reached or logged in to, is too old, or keeps no UTF-8.
    pub fn open(options: PostgresOptions) -> Result<Self, TargetError> {
        let mut link = Link::connect(&options.connect)?;
        let asked = "SELECT current_setting('server_version_num'), current_setting('server_version'), \
                     current_setting('server_encoding'), pg_is_in_recovery()::text";
        let row = link.ask(asked, &[])?.into_iter().next().unwrap_or_default();
        let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let refused = |text: String| TargetError::Config(SqlError::new(1235, "42000", text));
        let version = cell(1);
        if cell(0).parse().unwrap_or(0) < VERSION_MIN {
            return Err(refused(format!(
                "the PostgreSQL target is of version {version}; it needs 12 or later"
            )));
        }
        if cell(2) != "UTF8" {
            return Err(refused(format!(
                "the database of the PostgreSQL target has the encoding {}; it needs UTF8",
                cell(2)
            )));
        }
        if cell(3) == "true" {
            let text = "the PostgreSQL target is a standby, which takes no changes";
            return Err(TargetError::Retry(SqlError::new(1290, "HY000", text)));
        }
        Ok(Self {
            options: Arc::new(options),
            version,
            doubt: Arc::default(),
            asking: Mutex::new(Some(link)),
        })
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Asks the server, over a new connection if the last one is gone.
    fn asking<T>(
        &self,
        ask: impl Fn(&mut Link) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let mut slot = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(link) = slot.as_mut() {
            match ask(link) {
                Err(_) if link.is_lost() => {}
                answer => return answer,
            }
        }
        let mut link = Link::connect(&self.options.connect)?;
        let answer = ask(&mut link);
        *slot = Some(link);
        answer
    }

    fn marks(&self) -> Marks {
        Marks::new(&self.options.channel)
    }
}

impl Store for PostgresStore {
    fn traits(&self) -> Traits {
        Traits {
            sessions_max: 1,
            batches_units: true,
            undoes_units: false,
            keeps_gtids: false,
            commits_ddl: false,
            merges_rows: true,
            runs_statements: false,
            runs_xa: false,
            system_tables: None,
        }
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        let marks = self.marks();
        if self.doubt.load(Ordering::Acquire) {
            // It is known once the server has ended that session.
            let read = |link: &mut Link| {
                marks.fence(link)?;
                let applied = marks.read(link);
                marks.release(link)?;
                applied
            };
            let applied = self.asking(read)?;
            self.doubt.store(false, Ordering::Release);
            return Ok(applied.unwrap_or_default());
        }
        Ok(self.asking(|link| marks.read(link))?.unwrap_or_default())
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        Ok(Box::new(PostgresSession::new(
            Arc::clone(&self.options),
            Arc::clone(&self.doubt),
        )?))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        Err(TargetError::misuse("the target has one session only"))
    }

    fn replace(&self, applied: &Applied) -> Result<(), TargetError> {
        let marks = self.marks();
        self.asking(|link| {
            marks.create(link)?;
            link.run(&marks.replace(applied)).map(drop)
        })
    }

    /// A server's commits are as durable as it is set up.
    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(true)
    }
}
