//! A session: one client, from its accepted login to its end.
//!
//! The loop reads a command, lets the part that knows it answer, and never decides anything about
//! data. A statement borrows the session; only the [`SessionContext`] travels with it to the thread
//! that executes it and always comes back.

mod administration;
mod answer;
mod attend;
mod binlog_statement;
mod commands;
mod dispatch;
mod execution_timer;
mod field_list;
mod gtid_next;
mod kinds;
mod persist;
mod prepared;
mod privileges;
mod replication;
mod select;
mod set;
mod state;
mod statement;
mod text;
mod transaction;
mod user_variables;

use std::collections::HashMap;
use std::sync::Arc;

use engine::outcome::Outcome;
use engine::session::SessionContext;
use protocol::Capabilities;
use protocol::server::Connection;
use sql::error::SqlError;

use crate::accounts::{Account, Privilege};
use crate::node::{Node, client_host};
use crate::processes::{Registered, Who};
use crate::registry::Registration;
use crate::result::RowFormat;
use crate::role::WriteBlock;
use crate::shelf::Shelf;
use crate::variables::{SessionVariables, connection_collation};
use answer::packet;
use gtid_next::GtidNext;
use prepared::Prepared;
use transaction::Transaction;
use user_variables::UserMemory;

/// One client.
pub(crate) struct Session {
    pub(crate) node: Arc<Node>,
    pub(crate) connection: Connection,
    registered: Registered,
    pub(crate) account: Arc<Account>,
    /// Away while a statement executes elsewhere.
    pub(crate) context: Box<SessionContext>,
    pub(crate) variables: Arc<SessionVariables>,
    transaction: Transaction,
    gtid_next: GtidNext,
    prepared: HashMap<u32, Prepared>,
    /// Of PREPARE name FROM ..., by name in lower case.
    named: HashMap<String, Prepared>,
    /// What both take.
    shelf: Arc<Shelf>,
    next_statement: u32,
    user_memory: UserMemory,
    /// FLUSH TABLES WITH READ LOCK or LOCK TABLES.
    read_lock: Option<(ReadLock, WriteBlock)>,
    replica: Option<Registration>,
    /// SET timestamp.
    fixed_now: Option<i64>,
    is_closing: bool,
    /// How the rows of the statement at hand are sent.
    format: RowFormat,
    /// Columns and some rows of the answer at hand have left.
    is_streaming: bool,
    /// How many warnings the answer to the last statement announces.
    announced_warnings: u16,
}

/// Which statement holds writers up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadLock {
    /// FLUSH TABLES WITH READ LOCK.
    Global,
    /// LOCK TABLES ... READ.
    Tables,
    /// LOCK TABLES ... WRITE: only others cannot write.
    Others,
}

/// What a command leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Continue,
    Close,
}

impl Session {
    /// Lets a client in that has proven who it is, or tells it why not.
    pub(crate) async fn open(
        node: Arc<Node>,
        mut connection: Connection,
        id: u32,
        host: &str,
    ) -> Option<Self> {
        let peer_host = connection.peer().host.clone();
        let account = match admit(&node, &connection, &peer_host) {
            Ok(account) => account,
            Err(error) => {
                connection.send_err(&packet(&error));
                let _ = connection.close().await;
                return None;
            }
        };
        let registered = match register(&node, &connection, &account, id, host) {
            Ok(registered) => registered,
            Err(error) => {
                connection.send_err(&packet(&error));
                let _ = connection.close().await;
                return None;
            }
        };
        let variables = Arc::new(SessionVariables::new(Arc::clone(&node.variables)));
        let mut session = Self {
            context: Box::new(SessionContext::new(u64::from(id))),
            registered,
            account,
            variables,
            transaction: Transaction::default(),
            gtid_next: GtidNext::default(),
            prepared: HashMap::new(),
            named: HashMap::new(),
            shelf: Arc::default(),
            next_statement: 1,
            user_memory: UserMemory::new(&node.user_memory),
            read_lock: None,
            replica: None,
            fixed_now: None,
            is_closing: false,
            format: RowFormat::Text,
            is_streaming: false,
            announced_warnings: 0,
            node,
            connection,
        };
        let charset = u16::from(session.connection.charset());
        let database = session.connection.database().map(str::to_owned);
        match session.begin(Some(charset), database) {
            Ok(()) => {
                session.send_ok(&Outcome::done(), false);
                Some(session)
            }
            Err(error) => {
                session.connection.send_err(&packet(&error));
                let _ = session.connection.close().await;
                None
            }
        }
    }

    /// Brings the session into its first state: after the login, a change of user, a reset.
    fn begin(&mut self, charset: Option<u16>, database: Option<String>) -> Result<(), SqlError> {
        let mut context = Box::new(SessionContext::new(self.context.connection_id));
        context.user = self.connection.user().to_owned();
        context.host = client_host(&self.connection.peer().host).name();
        context.current_user = format!("{}@{}", self.account.name.user, self.account.name.host);
        self.variables = Arc::new(SessionVariables::new(Arc::clone(&self.node.variables)));
        context.system_variables = Arc::<SessionVariables>::clone(&self.variables);
        let capabilities = self.connection.capabilities();
        context.interrupt = Arc::clone(&self.registered.process.interrupt);
        context.user_locks = self.registered.user_locks();
        // A change of user and a reset give them back.
        context.user_locks.release_all(context.connection_id);
        context.client_found_rows = capabilities.has(Capabilities::FOUND_ROWS);
        context.virtual_tables = self.virtual_tables();
        self.variables.apply_all(&mut context)?;
        self.variables.note_thread(context.connection_id);
        let wanted = charset.map(engine::collation::of_client).transpose()?;
        if let Some(collation) = wanted.flatten() {
            let collation = connection_collation(collation, &context);
            let names = (collation.charset.name(), collation.name);
            self.variables
                .set_names(Some(names.0), Some(names.1), &mut context)?;
        }
        self.context = context;
        self.transaction = Transaction::default();
        self.gtid_next = GtidNext::default();
        self.prepared.clear();
        self.named.clear();
        self.user_memory = UserMemory::new(&self.node.user_memory);
        self.read_lock = None;
        self.fixed_now = None;
        if let Some(database) = database.filter(|name| !name.is_empty()) {
            self.use_database(&database)?;
        }
        Ok(())
    }

    async fn end(mut self) {
        self.release_reader();
        self.node.executor.disconnected(self.context.connection_id);
        self.read_lock = None;
        // Whoever waits for them need not wait for a client that does not read.
        let locks = &self.context.user_locks;
        locks.release_all(self.context.connection_id);
        let _ = self.connection.flush().await;
    }
}

/// Enters the session, if there is room: one place more than `max_connections` is kept for an
/// administrator.
fn register(
    node: &Node,
    connection: &Connection,
    account: &Account,
    id: u32,
    host: &str,
) -> Result<Registered, SqlError> {
    let limit = usize::try_from(node.variables.number("max_connections")).unwrap_or(usize::MAX);
    let is_admin = [Privilege::ConnectionAdmin, Privilege::Super]
        .iter()
        .any(|privilege| account.has(*privilege));
    let limit = limit.saturating_add(usize::from(is_admin));
    node.processes
        .register(id, who(connection, account), host, limit)
        .ok_or_else(|| SqlError::new(1040, "08004", "Too many connections"))
}

/// Who others see behind the connection.
fn who(connection: &Connection, account: &Account) -> Who {
    Who {
        user: connection.user().to_owned(),
        account: Some(account.name.clone()),
    }
}

/// The account of a client that has proven its password, if it may come in.
fn admit(node: &Node, connection: &Connection, host: &str) -> Result<Arc<Account>, SqlError> {
    let user = connection.user();
    let client = client_host(host);
    let denied = || SqlError::access_denied(user, client.name(), "YES");
    let account = node.accounts.find(user, &client).ok_or_else(denied)?;
    let is_secure = connection.is_tls() || connection.peer().is_local_socket;
    if node.variables.is_on("require_secure_transport") && !is_secure {
        let text = "Connections using insecure transport are prohibited while \
                    --require_secure_transport=ON.";
        return Err(SqlError::new(3159, "HY000", text));
    }
    if account.requires_tls && !connection.is_tls() {
        return Err(denied());
    }
    if account.is_locked {
        let text = format!(
            "Access denied for user '{user}'@'{}'. Account is locked.",
            client.name()
        );
        return Err(SqlError::new(3118, "HY000", text));
    }
    Ok(account)
}
