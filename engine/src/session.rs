//! What a statement knows about the session it runs in.
//!
//! The server owns a session's lifetime and its system variables; the engine reads what changes the
//! meaning of a statement and writes back what the statement leaves behind: warnings, ids, counts.
//! No clock is read in the engine: "now" is given with the statement.

mod time_zone;

pub use time_zone::TimeZone;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use binlog::event::EventFormat;
use gtid::{Gtid, GtidSet};

use crate::catalog::TableId;
use crate::collation::{Charset, Collation, UTF8MB4_0900_AI_CI};
use crate::database::TableSet;
use crate::interrupt::Interrupt;
use crate::select::{NoVirtualTables, VirtualTables};
use crate::user_locks::UserLocks;
use crate::value::datum::Datum;
use crate::value::sourced::Sourced;
use sql::SqlMode;
use sql::error::{SqlError, Warning, WarningLevel};

/// The values behind `@@name`, answered by the server.
pub trait SystemVariables: Send + Sync {
    /// The value of `@@name`, `@@session.name` (`global` false) or `@@global.name`; `name` is in
    /// lower case. `None` if there is no such variable (error 1193).
    fn value(&self, name: &str, global: bool) -> Option<Datum>;
}

/// No variables at all: for statements that nobody typed, such as those of an applier.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSystemVariables;

impl SystemVariables for NoSystemVariables {
    fn value(&self, _name: &str, _global: bool) -> Option<Datum> {
        None
    }
}

/// Session state that a statement reads and changes.
#[derive(Clone)]
pub struct SessionContext {
    /// `CONNECTION_ID()`.
    pub connection_id: u64,
    /// `DATABASE()`: where unqualified names are looked up.
    pub database: Option<String>,
    /// User name of `USER()`, as given at login.
    pub user: String,
    /// Host name of `USER()`.
    pub host: String,
    /// `CURRENT_USER()`: the account, `name@host`.
    pub current_user: String,
    /// `sql_mode`.
    pub sql_mode: SqlMode,
    /// `time_zone`.
    pub time_zone: TimeZone,
    /// When the statement began: microseconds since 1970 UTC. `NOW()` and `CURRENT_TIMESTAMP` are this.
    pub now_micros: i64,
    /// `character_set_client`: what statement text is in.
    pub character_set_client: Charset,
    /// `character_set_results`; `None` means that results are not converted.
    pub character_set_results: Option<Charset>,
    /// `collation_connection`: collation of literals.
    pub collation_connection: &'static Collation,
    /// `collation_server`: for CREATE DATABASE without a collation.
    pub collation_server: &'static Collation,
    /// `collation_database` where a log says another one than the default database's.
    pub collation_database: Option<&'static Collation>,
    /// `default_collation_for_utf8mb4`: what CHARACTER SET utf8mb4 alone means.
    pub default_collation_for_utf8mb4: &'static Collation,
    /// What other character sets alone mean where that is not MySQL's default: MariaDB's
    /// `character_set_collations`.
    pub default_collations: Arc<[&'static Collation]>,
    /// `auto_increment_increment`, at least 1.
    pub auto_increment_increment: u64,
    /// `auto_increment_offset`, at least 1.
    pub auto_increment_offset: u64,
    /// `foreign_key_checks`.
    pub foreign_key_checks: bool,
    /// `unique_checks`.
    pub unique_checks: bool,
    /// Whether the account may write while `read_only` is on. Set by the server before a write.
    pub ignores_read_only: bool,
    /// `explicit_defaults_for_timestamp`: off only for statements of old servers.
    pub explicit_defaults_for_timestamp: bool,
    /// Whether the statement comes from a log: its server has accepted it already.
    pub applies_log: bool,
    /// The server that accepted the statement, where it comes from a log.
    pub accepted_by: Option<Acceptor>,
    /// `SET insert_id = n`: the next AUTO_INCREMENT value of this session's next INSERT.
    pub insert_id: Option<u64>,
    /// `LAST_INSERT_ID()`.
    pub last_insert_id: u64,
    /// `ROW_COUNT()`: rows changed by the last statement, -1 after a result set.
    pub row_count: i64,
    /// `FOUND_ROWS()`.
    pub found_rows: u64,
    /// User variables by name in lower case, without the `@`.
    /// Shared with the copies of the session, for they may be large.
    pub user_variables: Arc<HashMap<String, Sourced>>,
    /// Where `@@name` is answered.
    pub system_variables: Arc<dyn SystemVariables>,
    /// Tables of information_schema and their like; the server supplies them.
    pub virtual_tables: Arc<dyn VirtualTables>,
    /// The client's FOUND_ROWS flag: UPDATE counts matched rows instead of changed ones.
    pub client_found_rows: bool,
    /// `div_precision_increment`.
    pub div_precision_increment: u8,
    /// `default_week_format`.
    pub default_week_format: u8,
    /// `group_concat_max_len`, in bytes.
    pub group_concat_max_len: u64,
    /// Stops the statement.
    pub interrupt: Arc<Interrupt>,
    /// The named locks of the node.
    pub user_locks: Arc<UserLocks>,
    /// Whether the statement may let time pass: not where it holds the one writer.
    pub may_wait: bool,
    /// Text of a SELECT that runs in a writing transaction: unaliased columns are named by it.
    pub statement_text: String,
    /// `sql_log_bin`: whether what it changes is logged.
    pub is_logged: bool,
    /// `gtid_next`: the identifier that the session's transaction is to have.
    pub gtid_next: Option<Gtid>,
    /// `pseudo_thread_id`: the connection that QUERY events name.
    pub pseudo_thread_id: u64,
    /// `original_commit_timestamp`: when what is replayed was first committed, in microseconds.
    pub original_commit_timestamp: Option<u64>,
    /// `original_server_version`: who committed first what is replayed.
    pub original_server_version: Option<u32>,
    /// Under which identifiers the session's transactions were logged.
    pub committed: Arc<CommittedGtids>,
    /// Tables whose rows the session's transaction has changed.
    pub changed_tables: HashSet<TableId>,
    /// Whether every SELECT locks what it reads, as in a SERIALIZABLE transaction.
    pub reads_lock: bool,
    /// Tables that a SELECT may not read here, because another place has the rows it must see.
    pub refused_tables: Arc<TableSet>,
    /// How the events of BINLOG statements are laid out; known after the first.
    pub binlog_format: Option<EventFormat>,
    /// What SHOW WARNINGS shows; the server empties it before a statement that may warn.
    pub warnings: Vec<Warning>,
}

/// The server that accepted a logged statement: what it means depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acceptor {
    /// Its version as a number, 80036 for 8.0.36.
    pub version: u32,
    /// Whether it is a MariaDB.
    pub is_mariadb: bool,
}

impl Acceptor {
    /// Whether it makes foreign keys of REFERENCES behind a column.
    #[must_use]
    pub const fn heeds_column_references(self) -> bool {
        match self.is_mariadb {
            true => self.version >= 100_500,
            false => self.version >= 90_000,
        }
    }

    /// Whether it keeps CHECK; earlier ones read it and forget it.
    #[must_use]
    pub const fn keeps_checks(self) -> bool {
        match self.is_mariadb {
            true => self.version >= 100_201,
            false => self.version >= 80_016,
        }
    }
}

/// The identifiers of a session's transactions that its client was not told yet: whoever logs a
/// transaction notes them, whoever answers takes them.
#[derive(Debug, Default)]
pub struct CommittedGtids(Mutex<GtidSet>);

impl CommittedGtids {
    /// Notes the identifier of a transaction.
    pub fn note(&self, gtid: Gtid) {
        self.lock().add(gtid);
    }

    /// What was noted since the last call.
    #[must_use]
    pub fn take(&self) -> GtidSet {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, GtidSet> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionContext {
    /// A session with MySQL's default settings, no database and no user.
    #[must_use]
    pub fn new(connection_id: u64) -> SessionContext {
        SessionContext {
            connection_id,
            database: None,
            user: String::new(),
            host: String::new(),
            current_user: String::new(),
            sql_mode: SqlMode::DEFAULT,
            time_zone: TimeZone::utc(),
            now_micros: 0,
            collation_database: None,
            character_set_client: Charset::Utf8mb4,
            character_set_results: Some(Charset::Utf8mb4),
            collation_connection: &UTF8MB4_0900_AI_CI,
            collation_server: &UTF8MB4_0900_AI_CI,
            default_collation_for_utf8mb4: &UTF8MB4_0900_AI_CI,
            default_collations: Arc::default(),
            auto_increment_increment: 1,
            auto_increment_offset: 1,
            foreign_key_checks: true,
            unique_checks: true,
            ignores_read_only: false,
            explicit_defaults_for_timestamp: true,
            applies_log: false,
            accepted_by: None,
            insert_id: None,
            last_insert_id: 0,
            row_count: 0,
            found_rows: 0,
            user_variables: Arc::default(),
            system_variables: Arc::new(NoSystemVariables),
            virtual_tables: Arc::new(NoVirtualTables),
            client_found_rows: false,
            div_precision_increment: 4,
            default_week_format: 0,
            group_concat_max_len: 1024,
            interrupt: Arc::default(),
            user_locks: Arc::default(),
            may_wait: true,
            statement_text: String::new(),
            is_logged: true,
            gtid_next: None,
            pseudo_thread_id: connection_id,
            original_commit_timestamp: None,
            original_server_version: None,
            committed: Arc::default(),
            reads_lock: false,
            changed_tables: HashSet::new(),
            refused_tables: Arc::default(),
            binlog_format: None,
            warnings: Vec::new(),
        }
    }

    /// The database that an unqualified name is looked up in. Error 1046 if there is none.
    pub fn require_database(&self) -> Result<&str, SqlError> {
        self.database.as_deref().ok_or_else(SqlError::no_database)
    }

    /// Whether values that do not fit a column are errors rather than warnings.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.sql_mode.contains(SqlMode::STRICT_TRANS_TABLES)
            || self.sql_mode.contains(SqlMode::STRICT_ALL_TABLES)
    }

    /// Records `error` as a warning of a statement that goes on.
    pub fn warn(&mut self, error: SqlError) {
        self.warnings
            .push(error.into_warning(WarningLevel::Warning));
    }

    /// Records `error` as a note.
    pub fn note(&mut self, error: SqlError) {
        self.warnings.push(error.into_warning(WarningLevel::Note));
    }
}

impl fmt::Debug for SessionContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionContext")
            .field("connection_id", &self.connection_id)
            .field("user", &self.user)
            .field("database", &self.database)
            .finish_non_exhaustive()
    }
}
