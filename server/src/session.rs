//! A session: one client, from its accepted login to its end.
//!
//! The loop reads a command, lets the part that knows it answer, and never decides anything about
//! data. A statement borrows the session; only the [`SessionContext`] travels with it to the thread
//! that executes it and always comes back.

mod administration;
mod binlog_statement;
mod dispatch;
mod execution_timer;
mod field_list;
mod gtid_next;
mod kinds;
mod prepared;
mod privileges;
mod replication;
mod select;
mod set;
mod state;
mod text;
mod transaction;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::collation::Charset;
use engine::outcome::Outcome;
use engine::session::SessionContext;
use protocol::server::Connection;
use protocol::{Capabilities, Command, ErrPacket, OkPacket, status};
use sql::Parsed;
use sql::error::{SqlError, WarningLevel};

use crate::accounts::Account;
use crate::information_schema::SessionTables;
use crate::node::{Node, client_host};
use crate::processes::Registered;
use crate::registry::Registration;
use crate::result::{self, RowFormat};
use crate::role::WriteBlock;
use crate::variables::{SessionVariables, connection_collation};
use gtid_next::GtidNext;
use prepared::Prepared;
use transaction::Transaction;

/// Entries that SHOW WARNINGS keeps, as `max_error_count`.
const WARNINGS_MAX: usize = 1024;

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
    named: HashMap<String, Arc<Parsed>>,
    next_statement: u32,
    /// FLUSH TABLES WITH READ LOCK or LOCK TABLES ... READ.
    read_lock: Option<(ReadLock, WriteBlock)>,
    replica: Option<Registration>,
    /// SET timestamp.
    fixed_now: Option<i64>,
    is_closing: bool,
    /// How many warnings the answer to the last statement announces.
    announced_warnings: u16,
}

/// Which statement took the read lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadLock {
    Global,
    Tables,
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
        let user = connection.user().to_owned();
        let registered = node.processes.register(id, &user, host);
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
            next_statement: 1,
            read_lock: None,
            replica: None,
            fixed_now: None,
            is_closing: false,
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
        context.client_found_rows = capabilities.has(Capabilities::FOUND_ROWS);
        context.virtual_tables = Arc::new(SessionTables {
            node: Arc::clone(&self.node),
            account: Arc::clone(&self.account),
            user: context.user.clone(),
        });
        self.variables.apply_all(&mut context)?;
        self.variables.note_thread(context.connection_id);
        if let Some(collation) = charset.and_then(engine::collation::by_id) {
            let collation = connection_collation(collation, &context);
            let charset = collation.charset;
            if charset != Charset::Binary {
                let names = (charset.name(), collation.name);
                self.variables
                    .set_names(Some(names.0), Some(names.1), &mut context)?;
            }
        }
        self.context = context;
        self.transaction = Transaction::default();
        self.gtid_next = GtidNext::default();
        self.prepared.clear();
        self.named.clear();
        self.read_lock = None;
        self.fixed_now = None;
        if let Some(database) = database.filter(|name| !name.is_empty()) {
            self.use_database(&database)?;
        }
        Ok(())
    }

    /// Serves commands until the client or the node ends the session.
    pub(crate) async fn run(mut self) {
        loop {
            self.idle();
            let timeout = self.idle_timeout();
            let process = Arc::clone(&self.registered.process);
            let command = tokio::select! {
                biased;
                () = process.killed() => break,
                command = tokio::time::timeout(timeout, self.connection.read_command()) => command,
            };
            let command = match command {
                Ok(Ok(Some(command))) => command,
                Ok(Ok(None)) | Err(_) => break,
                Ok(Err(error)) => {
                    tracing::debug!(connection = self.context.connection_id, %error, "session broke");
                    break;
                }
            };
            match self.handle(command).await {
                Ok(Flow::Continue) if !self.is_closing && !process.is_killed() => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::debug!(connection = self.context.connection_id, %error, "session broke");
                    break;
                }
            }
        }
        self.end().await;
    }

    async fn end(mut self) {
        self.release_reader();
        self.node.executor.disconnected(self.context.connection_id);
        self.read_lock = None;
        let _ = self.connection.flush().await;
    }

    fn idle(&self) {
        let database = self.context.database.clone();
        self.registered.process.set(|activity| {
            activity.database = database;
            activity.command = "Sleep";
            activity.state = "";
            activity.info = None;
            activity.since = Instant::now();
        });
    }

    fn idle_timeout(&self) -> Duration {
        let seconds = |name| match self.variables.get(name) {
            Some(crate::variables::VariableValue::Number(seconds)) => seconds,
            _ => 28_800,
        };
        let mut timeout = if self
            .connection
            .capabilities()
            .has(Capabilities::INTERACTIVE)
        {
            seconds("interactive_timeout")
        } else {
            seconds("wait_timeout")
        };
        let limit = u64::from(self.node.settings.idle_transaction_timeout);
        // Whoever holds the writer holds others up; whoever holds a snapshot, the engine's log.
        if limit > 0 && (self.transaction.is_at_executor || self.transaction.snapshot.is_some()) {
            timeout = timeout.min(limit);
        }
        Duration::from_secs(timeout)
    }

    async fn handle(&mut self, command: Command) -> Result<Flow, protocol::Error> {
        match command {
            Command::Query { sql, .. } => self.query(&sql).await?,
            Command::StmtPrepare { sql } => self.stmt_prepare(&sql),
            Command::StmtExecute {
                statement_id,
                params,
                ..
            } => {
                self.stmt_execute(statement_id, params).await?;
            }
            Command::StmtClose { statement_id } => drop(self.prepared.remove(&statement_id)),
            Command::StmtReset { .. } => self.send_ok(&Outcome::done(), false),
            Command::InitDb { database } => {
                let result = self.use_database(&database).map(|()| Outcome::done());
                self.answer(result, RowFormat::Text, false).await?;
            }
            Command::Ping => self.send_ok(&Outcome::done(), false),
            Command::Quit => return Ok(Flow::Close),
            Command::ResetConnection => {
                let database = self.context.database.clone();
                return self.restart(None, database).await;
            }
            Command::ChangeUser { database, charset } => {
                let host = self.connection.peer().host.clone();
                match admit(&self.node, &self.connection, &host) {
                    Ok(account) => self.account = account,
                    Err(error) => {
                        self.connection.send_err(&packet(&error));
                        return Ok(Flow::Close);
                    }
                }
                return self.restart(charset, database).await;
            }
            Command::FieldList { table, pattern } => self.field_list(&table, &pattern),
            Command::Statistics => {
                let text = crate::show::statistics(&self.node);
                self.connection.send_statistics(&text);
            }
            Command::SetOption { .. } => {
                let status = self.status();
                self.connection.send_eof(status, 0);
            }
            Command::ProcessKill { connection_id } => {
                let sql = format!("KILL {connection_id}");
                self.query(sql.as_bytes()).await?;
            }
            Command::Debug => {
                let status = self.status();
                self.connection.send_eof(status, 0);
            }
            Command::Refresh { flags } => self.refresh(flags).await?,
            Command::Shutdown => {
                let error = SqlError::not_supported("COM_SHUTDOWN");
                self.connection.send_err(&packet(&error));
            }
            Command::RegisterReplica(replica) => self.register_replica(replica),
            Command::BinlogDump(dump) => return self.dump_by_position(&dump).await,
            Command::BinlogDumpGtid(dump) => return self.dump_by_gtids(&dump).await,
            _ => self
                .connection
                .send_err(&packet(&SqlError::unknown_command())),
        }
        Ok(Flow::Continue)
    }

    async fn restart(
        &mut self,
        charset: Option<u16>,
        database: Option<String>,
    ) -> Result<Flow, protocol::Error> {
        let rolled_back = self.roll_back().await;
        let begun = rolled_back.and_then(|()| self.begin(charset, database));
        let flow = if begun.is_ok() {
            Flow::Continue
        } else {
            Flow::Close
        };
        self.answer(begun.map(|()| Outcome::done()), RowFormat::Text, false)
            .await?;
        Ok(flow)
    }

    /// COM_QUERY: one statement after the other, each answered before the next is read.
    async fn query(&mut self, sql: &[u8]) -> Result<(), protocol::Error> {
        let sql = match self.decoded(sql) {
            Ok(sql) => sql,
            Err(error) => return self.answer(Err(error), RowFormat::Text, false).await,
        };
        let mut rest: &[u8] = &sql;
        loop {
            let options = self.node.parse_options(self.context.sql_mode);
            let parsed = sql::parse_first(rest, &options);
            let (parsed, consumed) = match parsed {
                Ok(parsed) => parsed,
                Err(error) => {
                    self.begin_statement(rest);
                    self.context.warnings.clear();
                    self.fail(&error);
                    return self.answer(Err(error), RowFormat::Text, false).await;
                }
            };
            rest = rest.get(consumed..).unwrap_or_default();
            let more = sql::has_statement(rest, &options);
            let several = self
                .connection
                .capabilities()
                .has(Capabilities::MULTI_STATEMENTS);
            if more && !several {
                let error = SqlError::parse(String::from_utf8_lossy(rest), 1);
                self.context.warnings.clear();
                self.fail(&error);
                return self.answer(Err(error), RowFormat::Text, false).await;
            }
            let result = self.statement(Arc::new(parsed), Vec::new()).await;
            let failed = result.is_err();
            self.answer(result, RowFormat::Text, more && !failed)
                .await?;
            if failed || !more || self.is_closing {
                return Ok(());
            }
        }
    }

    /// Executes a parsed statement and keeps the books: counters, diagnostics, process list.
    pub(super) async fn statement(
        &mut self,
        parsed: Arc<Parsed>,
        parameters: Vec<binlog::value::Value<'static>>,
    ) -> Result<Outcome, SqlError> {
        self.begin_statement(&parsed.text);
        self.node.count(kinds::counter(&parsed.statement));
        if !kinds::keeps_diagnostics(&parsed.statement) {
            self.context.warnings.clear();
        }
        let result = self.execute(&parsed, parameters).await;
        let keeps_notes = self
            .variables
            .get("sql_notes")
            .is_none_or(|value| value.is_on());
        if !keeps_notes {
            let warnings = &mut self.context.warnings;
            warnings.retain(|warning| warning.level != WarningLevel::Note);
        }
        self.context.warnings.truncate(WARNINGS_MAX);
        self.announced_warnings = match kinds::keeps_diagnostics(&parsed.statement) {
            // SHOW WARNINGS says that it has none itself.
            true => 0,
            false => u16::try_from(self.context.warnings.len()).unwrap_or(u16::MAX),
        };
        match &result {
            Ok(Outcome::Rows(rows)) => {
                self.context.row_count = -1;
                if !parsed.statement.is_select() {
                    self.context.found_rows = rows.rows.len() as u64;
                }
            }
            Ok(Outcome::Ok { affected, .. }) => {
                self.context.row_count = i64::try_from(*affected).unwrap_or(i64::MAX);
            }
            Err(error) => self.fail(error),
        }
        self.show_state();
        result
    }

    /// Books an error: SHOW WARNINGS shows it, and some end the transaction.
    fn fail(&mut self, error: &SqlError) {
        self.context.row_count = -1;
        self.context
            .warnings
            .push(error.clone().into_warning(WarningLevel::Error));
        if crate::executor::ends_transaction(error.code) {
            self.release_reader();
            if self.transaction.is_open() {
                self.use_gtid_next();
            }
            self.transaction.reset();
        }
    }

    fn begin_statement(&mut self, text: &[u8]) {
        self.announced_warnings = 0;
        self.context.now_micros = self.fixed_now.unwrap_or_else(|| {
            let now = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default();
            i64::try_from(now.as_micros()).unwrap_or(i64::MAX)
        });
        let info = String::from_utf8_lossy(text).into_owned();
        let database = self.context.database.clone();
        self.registered.process.set(|activity| {
            activity.database = database;
            activity.command = "Query";
            activity.state = "executing";
            activity.info = Some(info);
            activity.since = Instant::now();
        });
    }

    /// Sends what a statement came to.
    async fn answer(
        &mut self,
        result: Result<Outcome, SqlError>,
        format: RowFormat,
        more: bool,
    ) -> Result<(), protocol::Error> {
        match result {
            Ok(Outcome::Rows(rows)) => {
                let status = self.status() | if more { status::MORE_RESULTS_EXISTS } else { 0 };
                let charset = self.context.character_set_results;
                let warnings = self.announced_warnings;
                result::send(
                    &mut self.connection,
                    &rows,
                    format,
                    charset,
                    status,
                    warnings,
                )
                .await
            }
            Ok(outcome) => {
                self.send_ok(&outcome, more);
                Ok(())
            }
            Err(error) => {
                self.connection.send_err(&packet(&error));
                Ok(())
            }
        }
    }

    fn send_ok(&mut self, outcome: &Outcome, more: bool) {
        let status = self.status() | if more { status::MORE_RESULTS_EXISTS } else { 0 };
        let warnings = self.announced_warnings;
        let ok = match outcome {
            Outcome::Ok {
                affected,
                last_insert_id,
                info,
                ..
            } => OkPacket {
                affected_rows: *affected,
                last_insert_id: *last_insert_id,
                status,
                warnings,
                info: info.clone(),
            },
            Outcome::Rows(_) => OkPacket {
                status,
                warnings,
                ..OkPacket::default()
            },
        };
        self.connection.send_ok(&ok);
    }

    fn status(&self) -> u16 {
        let mut flags = 0;
        if self.is_autocommit() {
            flags |= status::AUTOCOMMIT;
        }
        if self.transaction.is_open() {
            flags |= status::IN_TRANS;
            if self.transaction.is_read_only {
                flags |= status::IN_TRANS_READONLY;
            }
        }
        if self
            .context
            .sql_mode
            .contains(sql::SqlMode::NO_BACKSLASH_ESCAPES)
        {
            flags |= status::NO_BACKSLASH_ESCAPES;
        }
        flags
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

/// An error for the wire.
fn packet(error: &SqlError) -> ErrPacket {
    let mut state = *b"HY000";
    if let Ok(own) = <[u8; 5]>::try_from(error.state.as_bytes()) {
        state = own;
    }
    ErrPacket::new(error.code, &state, error.message.clone())
}
