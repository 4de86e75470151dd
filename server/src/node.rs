//! What all sessions of a node share.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use config::ServerSettings;
use engine::collation::Charset;
use engine::session::SessionContext;
use protocol::auth::AuthPlugin;
use protocol::server::{AccountAuth, Authenticator};
use sql::ParseOptions;

use crate::accounts::{Accounts, ClientHost};
use crate::appetite::Appetite;
use crate::control::Control;
use crate::executor::WriteExecutor;
use crate::persisted::PersistedFile;
use crate::processes::Processes;
use crate::readers::Readers;
use crate::registry::ReplicaRegistry;
use crate::role::Role;
use crate::shelf::Shelf;
use crate::variables::{GlobalVariables, LiveVariables, VariableValue};

/// The shared state of a node's sessions.
pub(crate) struct Node {
    pub(crate) settings: ServerSettings,
    pub(crate) server_uuid: String,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) variables: Arc<GlobalVariables>,
    /// What SET PERSIST keeps.
    pub(crate) persisted: PersistedFile,
    pub(crate) readers: Arc<Readers>,
    pub(crate) executor: Arc<dyn WriteExecutor>,
    pub(crate) role: Arc<dyn Role>,
    pub(crate) replicas: ReplicaRegistry,
    pub(crate) control: Control,
    pub(crate) processes: Arc<Processes>,
    pub(crate) started: Instant,
    /// Prepared statements of all sessions.
    pub(crate) prepared: Arc<AtomicU64>,
    /// Memory for large statements.
    pub(crate) appetite: Appetite,
    /// Memory for prepared statements.
    pub(crate) shelf: Arc<Shelf>,
    /// Bytes that user variables of all sessions take.
    pub(crate) user_memory: Arc<AtomicUsize>,
    /// For version comments: 80406 for `8.4.6-weir`.
    version_number: u32,
    /// Statements by command, for SHOW STATUS. Held for a moment only.
    commands: Mutex<HashMap<&'static str, u64>>,
}

impl Node {
    #[expect(
        clippy::too_many_arguments,
        reason = "called once, where the parts are made"
    )]
    pub(crate) fn new(
        settings: ServerSettings,
        server_uuid: String,
        accounts: Arc<Accounts>,
        variables: Arc<GlobalVariables>,
        readers: Arc<Readers>,
        executor: Arc<dyn WriteExecutor>,
        role: Arc<dyn Role>,
        replicas: ReplicaRegistry,
        control: Control,
    ) -> Self {
        let version_number = sql::version_number(&settings.version);
        Self {
            persisted: PersistedFile::new(&settings),
            settings,
            server_uuid,
            accounts,
            variables,
            readers,
            executor,
            role,
            replicas,
            control,
            processes: Arc::default(),
            started: Instant::now(),
            prepared: Arc::default(),
            appetite: Appetite::default(),
            shelf: Arc::default(),
            user_memory: Arc::default(),
            version_number,
            commands: Mutex::default(),
        }
    }

    /// Counts a statement.
    pub(crate) fn count(&self, command: &'static str) {
        self.processes.questions.fetch_add(1, Ordering::Relaxed);
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        *commands.entry(command).or_insert(0) += 1;
    }

    /// How often each command was counted.
    pub(crate) fn commands(&self) -> HashMap<&'static str, u64> {
        self.commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// How statements of a session are read while it has `sql_mode`.
    pub(crate) fn parse_options(
        &self,
        sql_mode: sql::SqlMode,
        session: &SessionContext,
    ) -> ParseOptions {
        ParseOptions {
            sql_mode,
            version: self.version_number,
            names: session.character_set_client.name_characters(),
            is_seven_bit: session.character_set_client == Charset::Ascii,
            is_logged: false,
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Node")
            .field("server_uuid", &self.server_uuid)
            .finish_non_exhaustive()
    }
}

/// The global variables that the role computes.
pub(crate) struct RoleVariables(pub(crate) Arc<dyn Role>);

impl LiveVariables for RoleVariables {
    fn live(&self, name: &str) -> Option<VariableValue> {
        let set = match name {
            "gtid_executed" => self.0.gtid_executed(),
            "gtid_purged" => self.0.gtid_purged(),
            "sql_replica_skip_counter" => {
                return Some(VariableValue::Number(self.0.skip_counter().into()));
            }
            _ => return None,
        };
        Some(VariableValue::Text(set.to_string()))
    }
}

/// The accounts, as logins ask for them.
pub(crate) struct AccountLookup(
    pub(crate) Arc<Accounts>,
    /// Keyed at random: which decoy a name gets is nobody's to compute.
    pub(crate) RandomState,
);

impl Authenticator for AccountLookup {
    fn lookup(&self, user: &str, host: &str) -> Option<AccountAuth> {
        let account = self.0.find(user, &client_host(host))?;
        Some(AccountAuth {
            plugin: account.plugin,
            auth_string: account.stored_password.clone(),
        })
    }

    fn decoy_plugin(&self, user: &str, host: &str, default: AuthPlugin) -> AuthPlugin {
        // As often this or that as accounts have it, and always the same for one name: who asks for
        // many names learns how common the plugins are, and nothing about any name.
        let accounts = self.0.snapshot();
        let picked = self.1.hash_one((user, host));
        let count = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
        let at = picked.checked_rem(count).unwrap_or(0);
        let account = usize::try_from(at).ok().and_then(|at| accounts.get(at));
        account.map_or(default, |account| account.plugin)
    }
}

/// The client of a peer's host text: `localhost` stands for the Unix socket.
pub(crate) fn client_host(host: &str) -> ClientHost {
    host.parse().map_or(ClientHost::Socket, ClientHost::Address)
}
