//! The target of a replay, as the command line names it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use binlog::transaction::Executed;
use engine::catalog::Catalog;
use engine::database::{Database, EngineOptions};
use inspect::declared::DeclaredTable;
use protocol::tls::{ClientTls, TlsMode};
use recovery::replay::{Survey, TargetView};
use server::datadir::{DataDirectory, DataRole};
use targets::{MarkTable, MysqlOptions, MysqlStore, Nodes, ServerFacts, SqliteStore, Store, Truth};

use super::lanes;
use super::replication::CHANNEL;
use crate::arguments::{ModeName, ReplayArguments};
use crate::client::{self, Server};
use crate::exit::Failure;
use crate::output;

/// Where a replay without GTIDs of its own keeps how far it is.
const DATABASE: &str = "weir_recovery";
const TABLE: &str = "progress";

/// CHANGE REPLICATION SOURCE.
const CHANNELS_SINCE: u32 = 80_023;

/// CR_CONN_HOST_ERROR.
const UNREACHABLE: u16 = 2003;

/// ER_SLAVE_MUST_STOP.
const REPLICA_RUNS: u16 = 1198;

/// What a target did not do or tell: after what passes it may.
pub(super) fn failed(doing: &str, error: &targets::TargetError) -> Failure {
    let text = format!("{doing}: {error}");
    match error.is_temporary() {
        true => Failure::Passing(text),
        false => Failure::Failed(text),
    }
}

/// What was named.
pub(super) enum Named {
    /// A server.
    Server(Box<Server>),
    /// A data directory.
    Directory(PathBuf),
}

impl Named {
    pub(super) fn of(arguments: &ReplayArguments) -> Result<Self, Failure> {
        if let Some(path) = arguments.to.strip_prefix("datadir:") {
            return Ok(Self::Directory(path.into()));
        }
        if !arguments.to.contains("://") {
            let text = format!(
                "--to {}: expected mysql://user@host[:port] or datadir:PATH",
                arguments.to
            );
            return Err(Failure::Usage(text));
        }
        let password = match &arguments.to_password_file {
            None => std::env::var("WEIR_TARGET_PASSWORD").ok(),
            Some(file) => client::password(Some(file)).map_err(Failure::Usage)?,
        };
        let server = Server::parse(&arguments.to, password.as_deref());
        let mut server = server.map_err(Failure::Usage)?;
        if let Some(path) = &arguments.to_ssl_ca {
            let ca = std::fs::read(path)
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            server.set_tls(ClientTls {
                mode: TlsMode::VerifyIdentity,
                ca: Some(ca),
                ..ClientTls::default()
            });
        }
        Ok(Self::Server(Box::new(server)))
    }

    /// What people call it.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Server(server) => server.name.clone(),
            Self::Directory(path) => path.display().to_string(),
        }
    }
}

/// A target that is open.
pub(super) struct Target {
    pub(super) store: Arc<dyn Store>,
    pub(super) mode: ModeName,
    pub(super) server: Option<Arc<MysqlStore>>,
    /// The tables of a data directory.
    catalog: Option<Arc<Catalog>>,
    /// Held as long as the directory is in use.
    _lock: Option<DataDirectory>,
}

impl Target {
    /// Connects and decides how transactions reach it. A server that cannot be reached does not pass
    /// if it never was: `is_first`.
    pub(super) fn open(
        named: &Named,
        mode: Option<ModeName>,
        has_gtids: bool,
        is_first: bool,
    ) -> Result<Self, Failure> {
        match named {
            Named::Directory(path) => Self::directory(path, mode),
            Named::Server(server) => Self::server(server, mode, has_gtids, is_first),
        }
    }

    fn directory(path: &Path, mode: Option<ModeName>) -> Result<Self, Failure> {
        if mode.is_some_and(|mode| mode != ModeName::Engine) {
            let text = "a data directory takes --mode engine only";
            return Err(Failure::Usage(text.to_owned()));
        }
        let lock = DataDirectory::open(path, DataRole::Replica)
            .map_err(|error| Failure::Usage(error.to_string()))?;
        let opened = Database::open(&lock.database(), EngineOptions::default());
        let database = opened.map_err(|error| Failure::failed("opening the target", error))?;
        let store = SqliteStore::new(&database, "")
            .map_err(|error| Failure::failed("opening the target", error))?;
        Ok(Self {
            store: Arc::new(store),
            mode: ModeName::Engine,
            server: None,
            catalog: Some(database.catalog()),
            _lock: Some(lock),
        })
    }

    fn server(
        server: &Server,
        mode: Option<ModeName>,
        has_gtids: bool,
        is_first: bool,
    ) -> Result<Self, Failure> {
        let options = |truth, is_logged, keeps_mariadb_gtids| MysqlOptions {
            otherwise: None,
            client: server.options().clone(),
            nodes: Nodes::default(),
            truth,
            is_logged,
            keeps_mariadb_gtids,
        };
        let marks = Truth::Row(MarkTable {
            database: DATABASE.to_owned(),
            table: TABLE.to_owned(),
            channel: "replay".to_owned(),
        });
        let refused = |error: targets::TargetError| match error {
            targets::TargetError::Config(error) => Failure::Usage(format!(
                "{}: error {}: {}",
                server.name, error.code, error.message
            )),
            error if is_first && error.code() == UNREACHABLE => {
                Failure::Failed(format!("{}: {error}", server.name))
            }
            error => failed(&server.name, &error),
        };
        let first = MysqlStore::open(options(marks.clone(), false, false)).map_err(refused)?;
        let facts = first.facts().clone();
        let has_own_gtids = facts.has_gtids && has_gtids;
        let is_unfinished = lanes::is_unfinished(&first, has_own_gtids).map_err(refused)?;
        let is_fresh = || is_fresh(&first).map_err(refused);
        let mode = lanes::mode(server, mode, is_unfinished, is_fresh)?;
        let store = match mode {
            ModeName::Restore => first,
            ModeName::Live if facts.has_gtids && has_gtids => {
                MysqlStore::open(options(Truth::Gtids, true, false)).map_err(refused)?
            }
            ModeName::Live => MysqlStore::open(options(marks, true, true)).map_err(refused)?,
            ModeName::Engine => {
                let text = "--mode engine is for datadir:PATH; a server takes restore or live";
                return Err(Failure::Usage(text.to_owned()));
            }
            ModeName::Replication => match replicating(&facts, has_gtids) {
                Ok(()) if facts.is_mariadb => first,
                Ok(()) => MysqlStore::open(options(Truth::Gtids, true, false)).map_err(refused)?,
                Err(why) => {
                    let text = format!("--mode replication: {}: {why}", server.name);
                    return Err(Failure::Usage(text));
                }
            },
        };
        let store = Arc::new(store);
        Ok(Self {
            store: Arc::clone(&store) as Arc<dyn Store>,
            mode,
            server: Some(store),
            catalog: None,
            _lock: None,
        })
    }

    /// Whether a row of it says what was applied, rather than what it executed by itself.
    pub(super) fn keeps_a_row(&self) -> bool {
        let server = self.server.as_ref();
        let server = server.filter(|_| self.mode != ModeName::Replication);
        server.is_some_and(|server| matches!(server.truth(), Truth::Row(_)))
    }

    /// Whether it is a MariaDB server.
    pub(super) fn is_mariadb(&self) -> bool {
        let server = self.server.as_ref();
        server.is_some_and(|server| server.facts().is_mariadb)
    }

    /// What earlier runs are known to have applied: not what the target executed by itself.
    pub(super) fn applied_before(&self) -> Result<Executed, targets::TargetError> {
        match &self.server {
            Some(server) => server.marked_executed(),
            None => Ok(Executed::default()),
        }
    }

    /// What is known of it, with the tables that `survey` met.
    pub(super) fn view(&self, survey: &Survey) -> Result<TargetView, targets::TargetError> {
        let there = self.store.recover()?;
        let mut view = TargetView {
            executed: there.executed,
            place: there.source,
            ..TargetView::default()
        };
        for table in survey.shapes.keys() {
            if let Some((database, name)) = table.split_once('.') {
                let declared = self.declared(database, name)?;
                view.tables.insert(table.clone(), declared);
            }
        }
        let Some(server) = &self.server else {
            return Ok(view);
        };
        let ServerFacts {
            version,
            is_mariadb,
            number,
            packet_max,
            is_read_only,
            ..
        } = server.facts();
        view.is_server = true;
        view.version.clone_from(version);
        view.number = *number;
        view.is_mariadb = *is_mariadb;
        view.packet_max = *packet_max;
        view.is_read_only = *is_read_only;
        view.is_replicating = server.is_replicating_beside(match self.mode {
            ModeName::Replication => CHANNEL,
            ModeName::Restore | ModeName::Live | ModeName::Engine => "",
        })?;
        if self.mode == ModeName::Restore {
            view.others = server.other_sessions()?;
        }
        Ok(view)
    }

    /// How a table is declared; without columns if there is no such table.
    fn declared(&self, database: &str, name: &str) -> Result<DeclaredTable, targets::TargetError> {
        match (&self.server, &self.catalog) {
            (Some(server), _) => server.declared_table(database, name),
            (None, Some(catalog)) => {
                let table = catalog.table(database, name).ok();
                let snapshot = table.and_then(|table| engine::image::snapshot(table));
                Ok(snapshot
                    .as_ref()
                    .map(DeclaredTable::of_snapshot)
                    .unwrap_or_default())
            }
            (None, None) => Ok(DeclaredTable::default()),
        }
    }

    /// Everything wanted is applied: has the server know it, whatever is left of the row.
    pub(super) fn finish(&self) -> Result<(), targets::TargetError> {
        let server = self.server.as_ref();
        let Some(server) = server.filter(|_| self.mode != ModeName::Replication) else {
            return Ok(());
        };
        if self.mode == ModeName::Restore || server.facts().is_mariadb {
            let applied = self.store.recover()?.executed;
            match server.declare_executed(&applied.mysql, &applied.mariadb) {
                // MariaDB moves a replica's place only while the replica stands.
                Err(error) if error.code() == REPLICA_RUNS => {}
                declared => declared?,
            }
        }
        if !server.remove_marks()? {
            output::note(format_args!(
                "weir: {DATABASE}.{TABLE} on the target stays: nothing else there knows which \
                 transactions were applied"
            ));
        }
        Ok(())
    }
}

/// Whether a server can say what it has of these logs while it replicates them.
fn replicating(facts: &ServerFacts, has_mysql_gtids: bool) -> Result<(), &'static str> {
    match (facts.is_mariadb, has_mysql_gtids) {
        (true, true) => Err(
            "it is a MariaDB, which would not tell which of MySQL's transactions it \
                             has; --mode live keeps a row",
        ),
        (false, false) => Err(
            "the logs have no GTIDs of MySQL, so that nothing there would tell what \
                               it has; --mode live keeps a row",
        ),
        (false, true) if !facts.has_gtids => Err("it keeps no GTIDs: it needs gtid_mode=ON"),
        (false, true) if facts.number < CHANNELS_SINCE => {
            Err("it is older than MySQL 8.0.23; --mode live does not ask that of it")
        }
        (true, false) | (false, true) => Ok(()),
    }
}

/// Whether nobody else is connected and no replica follows. What it holds came from a dump.
fn is_fresh(server: &MysqlStore) -> Result<bool, targets::TargetError> {
    Ok(server.other_sessions()?.is_empty() && !server.has_replicas()?)
}
