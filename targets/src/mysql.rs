//! `MysqlStore`: a MySQL or MariaDB server as a target.
//!
//! Rows arrive as the source logged them, in BINLOG statements; DDL arrives verbatim, under the
//! session that it ran in. What is applied is known by one of two truths: the server's own
//! `gtid_executed`, when every unit keeps its GTID, or a row of a table that is changed in the same
//! transaction.

mod across;
mod binlog_statement;
mod cluster;
mod definitions;
mod doubt;
mod error;
mod facts;
mod kinds;
mod lane_rule;
mod lanes;
mod marks;
mod pipe;
mod prepared;
mod questions;
mod rights;
mod session;

use std::sync::Mutex;

use protocol::client::ClientOptions;
use sql::error::SqlError;

use super::{Applied, Definitions, Session, Store, TargetError, Traits};
pub use cluster::Nodes;
use definitions::ServerDefinitions;
pub use facts::ServerFacts;
use lanes::Lanes;
pub use lanes::Uneven;
pub use marks::MarkTable;
use marks::Marked;
use pipe::Pipe;
use session::{MysqlSession, RestoreSession};

/// MariaDB's domains for what is an applier's own and has to be logged: the table of the truth, and
/// the CREATE TABLE of a CREATE TABLE .. SELECT, whose rows keep the GTID. Each target has one, by its
/// server id, as another may follow it.
const OWN_DOMAINS: u32 = 0x5700_0000;

/// Sessions that work at the same time, at most.
const SESSIONS_MAX: u16 = 64;

/// Around what a server must not log. Neither may stand in a transaction.
const UNLOGGED: &str = "SET @@session.sql_log_bin=0";
const LOGGED: &str = "SET @@session.sql_log_bin=1";

/// For connections that ask: nothing is left open between two questions.
const AUTOCOMMIT: &str = "SET @@session.autocommit=1";

/// What says which transactions of the source a server has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Truth {
    /// Its `gtid_executed`: every unit keeps its MySQL GTID and is a transaction of its own.
    Gtids,
    /// A row of this table. Units share commits.
    Row(MarkTable),
}

/// How a server is used as a target.
#[derive(Debug, Clone)]
pub struct MysqlOptions {
    /// How to connect.
    pub client: ClientOptions,
    /// Where else to connect, if the server is a node of a cluster.
    pub nodes: Nodes,
    /// What says which transactions it has.
    pub truth: Truth,
    /// Where the place of transactions is kept that have no MySQL GTID, of a MariaDB source, on a server
    /// that is asked for GTIDs.
    pub otherwise: Option<MarkTable>,
    /// Whether the server logs what is applied; without, its replicas and its own GTIDs know nothing
    /// of it (`sql_log_bin`).
    pub is_logged: bool,
    /// Whether MariaDB units keep their GTIDs, so that each is a transaction of its own.
    pub keeps_mariadb_gtids: bool,
}

impl MysqlOptions {
    /// Whether every unit of a MariaDB source is logged by `facts`' server under its own GTID. What
    /// an applier notes in between must then take none: a number of a domain is there once.
    fn keeps_mariadb(&self, facts: &ServerFacts) -> bool {
        let is_by_row = matches!(self.truth, Truth::Row(_));
        is_by_row && facts.is_mariadb && self.keeps_mariadb_gtids && self.is_logged
    }
}

/// A MySQL or MariaDB server.
pub struct MysqlStore {
    options: MysqlOptions,
    facts: ServerFacts,
    /// A connection for questions.
    asking: Mutex<Option<Pipe>>,
    /// How sessions merge rows.
    lanes: Mutex<Lanes>,
}

impl MysqlStore {
    /// Connects. The table of the truth is made with the first session.
    ///
    /// # Errors
    /// When the server cannot be reached or logged in to, lacks something or grants too little.
    pub fn open(mut options: MysqlOptions) -> Result<Self, TargetError> {
        let mut pipe = options.connect()?;
        let facts = ServerFacts::ask(&mut pipe)?;
        cluster::check(&options, &facts)?;
        // What is noted beside a transaction that keeps its GTID is not logged, and stays on one node.
        options.keeps_mariadb_gtids &= !facts.is_node;
        if options.truth == Truth::Gtids && !facts.has_gtids {
            let text = "the target keeps no GTIDs: it needs gtid_mode=ON";
            return Err(TargetError::Config(SqlError::new(1781, "HY000", text)));
        }
        rights::check(&mut pipe, &options, &facts)?;
        let store = Self {
            options,
            facts,
            asking: Mutex::new(None),
            lanes: Mutex::new(Lanes::default()),
        };
        session::set_up(&mut pipe, &store.options, &store.facts)?;
        pipe.ask(AUTOCOMMIT)?;
        *store.lock() = Some(pipe);
        Ok(store)
    }

    /// What the server said of itself.
    #[must_use]
    pub const fn facts(&self) -> &ServerFacts {
        &self.facts
    }

    /// What says which transactions it has.
    #[must_use]
    pub const fn truth(&self) -> &Truth {
        &self.options.truth
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Pipe>> {
        self.asking
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Asks the server, over a new connection if the last one is gone.
    fn asking<T>(
        &self,
        ask: impl Fn(&mut Pipe) -> Result<T, TargetError>,
    ) -> Result<T, TargetError> {
        let mut slot = self.lock();
        if let Some(pipe) = slot.as_mut() {
            match ask(pipe) {
                Err(_) if pipe.is_lost() => {}
                answer => return answer,
            }
        }
        let mut pipe = self.options.connect()?;
        session::set_up(&mut pipe, &self.options, &self.facts)?;
        pipe.ask(AUTOCOMMIT)?;
        let answer = ask(&mut pipe);
        *slot = Some(pipe);
        answer
    }

    /// Each transaction that keeps its GTID says itself that it is applied.
    const fn sessions_max(&self) -> u16 {
        match self.options.truth {
            Truth::Gtids => SESSIONS_MAX,
            Truth::Row(_) => 1,
        }
    }

    fn create_marks(&self, pipe: &mut Pipe, table: &MarkTable) -> Result<(), TargetError> {
        create_marks(&self.options, &self.facts, pipe, table)
    }

    /// Does what is the applier's own and has to be logged.
    fn in_own_domain(
        &self,
        pipe: &mut Pipe,
        work: impl FnOnce(&mut Pipe) -> Result<(), TargetError>,
    ) -> Result<(), TargetError> {
        in_own_domain(&self.options, &self.facts, pipe, work)
    }

    /// Where the place of transactions without a MySQL GTID is kept, if there are any.
    fn kept_otherwise(&self) -> Result<Option<(&MarkTable, Marked)>, TargetError> {
        match (&self.options.truth, &self.options.otherwise) {
            (Truth::Gtids, Some(table)) => {
                let kept = self.asking(|pipe| table.read(pipe))?;
                Ok(kept.map(|marked| (table, marked)))
            }
            (Truth::Gtids, None) | (Truth::Row(_), _) => Ok(None),
        }
    }

    fn marked(&self, table: &MarkTable) -> Result<Marked, TargetError> {
        Ok(lanes::together(self.asking(|pipe| table.read_lanes(pipe))?))
    }
}

/// Makes the table of the truth, if it is not there.
fn create_marks(
    options: &MysqlOptions,
    facts: &ServerFacts,
    pipe: &mut Pipe,
    table: &MarkTable,
) -> Result<(), TargetError> {
    let marked = table.read(pipe)?;
    // Looking has begun a transaction, where autocommit is off.
    pipe.ask("COMMIT")?;
    if marked.is_some() {
        return Ok(());
    }
    in_own_domain(options, facts, pipe, |pipe| {
        table.create(pipe)?;
        // Replicas of the target need a row that they can change.
        pipe.ask(&table.replace(&Marked::default()))?;
        pipe.ask("COMMIT").map(drop)
    })
}

/// Does what is the applier's own and has to be logged.
fn in_own_domain(
    options: &MysqlOptions,
    facts: &ServerFacts,
    pipe: &mut Pipe,
    work: impl FnOnce(&mut Pipe) -> Result<(), TargetError>,
) -> Result<(), TargetError> {
    if !options.keeps_mariadb(facts) {
        return work(pipe);
    }
    pipe.ask(&format!(
        "SET @@session.gtid_domain_id={}",
        facts.own_domain()
    ))?;
    work(pipe)?;
    pipe.ask("SET @@session.gtid_domain_id=DEFAULT").map(drop)
}

impl Store for MysqlStore {
    fn traits(&self) -> Traits {
        let keeps_gtids = self.options.truth == Truth::Gtids
            || (self.facts.is_mariadb && self.options.keeps_mariadb_gtids);
        Traits {
            sessions_max: self.sessions_max(),
            batches_units: !keeps_gtids,
            undoes_units: false,
            keeps_gtids,
            commits_ddl: true,
            merges_rows: self.merges_rows(),
            runs_statements: true,
            runs_xa: self.options.truth == Truth::Gtids,
            system_tables: Some(self.facts.flavour()),
        }
    }

    fn recover(&self) -> Result<Applied, TargetError> {
        match &self.options.truth {
            Truth::Row(table) => {
                let mut applied = self.marked(table)?.applied;
                let facts = self.asking(ServerFacts::ask)?;
                applied.executed.union(&facts.executed());
                Ok(applied)
            }
            Truth::Gtids => {
                let kept = self.kept_otherwise()?;
                let mut applied = kept.map(|(_, marked)| marked.applied).unwrap_or_default();
                let facts = self.asking(ServerFacts::ask)?;
                applied.executed.union(&facts.executed());
                Ok(applied)
            }
        }
    }

    fn session(&self) -> Result<Box<dyn Session>, TargetError> {
        let mut pipe = self.options.connect()?;
        if let Truth::Row(table) = &self.options.truth {
            session::set_up(&mut pipe, &self.options, &self.facts)?;
            self.create_marks(&mut pipe, table)?;
            // What follows is nobody else's to change.
            table.fence(&mut pipe)?;
            let (tables, note) = self.lane_tables(&mut pipe, table)?;
            if self.merges_rows() {
                let (options, facts) = (&self.options, &self.facts);
                let session = RestoreSession::new(pipe, &tables, note, options, facts)?;
                return Ok(Box::new(session));
            }
        }
        let mut session = MysqlSession::new(pipe, self.options.clone(), self.facts.clone())?;
        if self.kept_otherwise()?.is_some() {
            // Before anybody asks what is applied, so that nobody else applies more.
            session.go_by_row()?;
        }
        Ok(Box::new(session))
    }

    fn session_beside(&self) -> Result<Box<dyn Session>, TargetError> {
        if self.sessions_max() == 1 {
            return Err(TargetError::misuse("the target has one session only"));
        }
        let mut options = self.options.clone();
        // It is given rows only, whose statements are made here.
        options.client.multi_statements = true;
        let pipe = options.connect()?;
        let session = MysqlSession::new(pipe, options, self.facts.clone())?;
        Ok(Box::new(session))
    }

    fn definitions(&self) -> Result<Option<Box<dyn Definitions>>, TargetError> {
        let client = self.options.client.clone();
        let definitions = ServerDefinitions::new(client, self.facts.is_mariadb);
        Ok(Some(Box::new(definitions)))
    }

    fn replace(&self, applied: &Applied) -> Result<(), TargetError> {
        match &self.options.truth {
            // What the server has executed is what its log says, and only it can change that.
            Truth::Gtids => {
                let facts = self.asking(ServerFacts::ask)?;
                let mut missing = applied.executed.mysql.clone();
                missing.subtract(&facts.gtid_executed);
                if missing.is_empty() {
                    let Some((table, _)) = self.kept_otherwise()? else {
                        return Ok(());
                    };
                    // No commit of a transaction that keeps its GTID would move a place.
                    let marked = Marked {
                        applied: Applied {
                            executed: applied.executed.clone(),
                            ..Applied::default()
                        },
                        begun: None,
                    };
                    let replace = table.replace(&marked);
                    return self.asking(|pipe| pipe.ask(&replace).map(drop));
                }
                let text = format!(
                    "the target has not executed {missing}; SET GLOBAL gtid_purged there instead"
                );
                Err(TargetError::Config(SqlError::new(1235, "42000", text)))
            }
            Truth::Row(table) => {
                let marked = Marked {
                    applied: applied.clone(),
                    begun: None,
                };
                let is_quiet = self.options.keeps_mariadb(&self.facts);
                self.asking(|pipe| {
                    self.create_marks(pipe, table)?;
                    if is_quiet {
                        pipe.ask(UNLOGGED)?;
                    }
                    pipe.ask("START TRANSACTION")?;
                    let replaced = lanes::remove(pipe, table)
                        .and_then(|()| pipe.ask(&table.replace(&marked)).map(drop));
                    if replaced.is_err() {
                        pipe.ask("ROLLBACK")?;
                    }
                    replaced?;
                    pipe.ask("COMMIT")?;
                    match is_quiet {
                        true => pipe.ask(LOGGED).map(drop),
                        false => Ok(()),
                    }
                })
            }
        }
    }

    /// A server's commits are as durable as it is set up.
    fn make_durable(&self) -> Result<bool, TargetError> {
        Ok(true)
    }
}
