//! A Galera cluster as a target: its nodes, of which any takes what is applied, and what is asked of one
//! before it is trusted.
//!
//! A node that joins, gives a copy away, or has lost the others answers with what was, or not at all: only
//! one that is ready and in step is used. Which transactions are applied is a row that all nodes have. A
//! commit whose answer was lost may come to a node after that was asked: each transaction therefore takes
//! the row first, and ends if it says something else than is known. What is committed in between meets it
//! on the row's key, when it is certified. So nothing is applied twice, whatever a node has not heard of yet.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use protocol::client::{ClientOptions, Endpoint, QueryResult};
use sql::error::SqlError;

use super::MysqlOptions;
use super::facts::ServerFacts;
use super::pipe::Pipe;
use super::questions::{cell, literal};
use crate::{RowsChange, TargetError};

/// ER_UNKNOWN_COM_ERROR: what a node says that is not ready.
pub(super) const NOT_READY: u16 = 1047;

/// For sessions: questions wait for what is committed elsewhere, none is answered by a node that has lost
/// the others, and definitions go to all nodes.
pub(super) const SESSION: &str = "SET @@session.wsrep_sync_wait=9, @@session.wsrep_dirty_reads=OFF, \
                                  @@session.wsrep_OSU_method='TOI'";

/// Nodes of one cluster beside the one that [`MysqlOptions::client`] names. Clones share which is used.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    others: Vec<Endpoint>,
    used: Arc<Mutex<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    /// The place of the node, among all.
    place: usize,
    /// The cluster's name for its own history.
    state: Option<String>,
}

impl Nodes {
    /// These, beside the first.
    #[must_use]
    pub fn beside(others: Vec<Endpoint>) -> Self {
        Self {
            others,
            used: Arc::default(),
        }
    }

    fn used(&self) -> std::sync::MutexGuard<'_, Used> {
        self.used
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Whether there are several.
    pub(super) const fn are_several(&self) -> bool {
        !self.others.is_empty()
    }

    fn at(&self, first: &Endpoint, place: usize) -> Endpoint {
        let other = place.checked_sub(1).and_then(|at| self.others.get(at));
        other.unwrap_or(first).clone()
    }

    /// Takes note of the cluster that a node is of; it must be that of the others.
    fn is_of(&self, state: &str) -> bool {
        let mut used = self.used();
        used.state.get_or_insert_with(|| state.to_owned()) == state
    }
}

impl MysqlOptions {
    /// Connects to the server, or to the first node of a cluster that is in step, from the one on that
    /// was used last.
    pub(super) fn connect(&self) -> Result<Pipe, TargetError> {
        let count = self.nodes.others.len().saturating_add(1);
        let from = self.nodes.used().place;
        let mut failed = None;
        for step in 0..count {
            let place = from.saturating_add(step) % count;
            let client = ClientOptions {
                endpoint: self.nodes.at(&self.client.endpoint, place),
                ..self.client.clone()
            };
            match connect(&client, &self.nodes) {
                Ok(pipe) => {
                    self.nodes.used().place = place;
                    return Ok(pipe);
                }
                // What somebody has to set right is told rather than what passes.
                Err(error) if failed.as_ref().is_none_or(TargetError::is_temporary) => {
                    failed = Some(error);
                }
                Err(_) => {}
            }
        }
        Err(failed.unwrap_or_else(|| TargetError::misuse("a target without servers")))
    }
}

fn connect(client: &ClientOptions, nodes: &Nodes) -> Result<Pipe, TargetError> {
    let mut pipe = Pipe::connect(client)?;
    if is_node(&mut pipe)? {
        let node = Node::ask(&mut pipe)?;
        node.check(&client.endpoint)?;
        if !nodes.is_of(&node.state) {
            let text = format!(
                "{} is a node of another cluster than the one that was used before",
                name(&client.endpoint)
            );
            return Err(TargetError::Config(SqlError::new(1231, "42000", text)));
        }
    }
    Ok(pipe)
}

fn name(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Tcp { host, port } => format!("{host}:{port}"),
        Endpoint::Unix(path) => path.display().to_string(),
    }
}

/// Whether a server is a node of a cluster.
pub(super) fn is_node(pipe: &mut Pipe) -> Result<bool, TargetError> {
    let answer = pipe.ask("SHOW GLOBAL VARIABLES LIKE 'wsrep_on'")?;
    let QueryResult::Rows { rows, .. } = answer else {
        return Ok(false);
    };
    Ok(rows.first().is_some_and(|row| cell(row, 1) == "ON"))
}

/// What a node says of itself.
#[derive(Debug, Default)]
struct Node {
    state: String,
    is_ready: bool,
    is_primary: bool,
    /// `4`: in step with the others.
    step: String,
    step_comment: String,
}

impl Node {
    fn ask(pipe: &mut Pipe) -> Result<Self, TargetError> {
        let mut node = Self::default();
        let QueryResult::Rows { rows, .. } = pipe.ask("SHOW GLOBAL STATUS LIKE 'wsrep_%'")? else {
            return Ok(node);
        };
        for row in &rows {
            let value = cell(row, 1);
            match cell(row, 0).as_str() {
                "wsrep_cluster_state_uuid" => node.state = value,
                "wsrep_ready" => node.is_ready = value == "ON",
                "wsrep_cluster_status" => node.is_primary = value == "Primary",
                "wsrep_local_state" => node.step = value,
                "wsrep_local_state_comment" => node.step_comment = value,
                _ => {}
            }
        }
        Ok(node)
    }

    fn check(&self, endpoint: &Endpoint) -> Result<(), TargetError> {
        if self.is_ready && self.is_primary && self.step == "4" {
            return Ok(());
        }
        let text = format!(
            "the node {} is not in step with its cluster (wsrep_local_state_comment={})",
            name(endpoint),
            self.step_comment
        );
        Err(TargetError::Retry(SqlError::new(NOT_READY, "08S01", text)))
    }
}

/// Refuses what would not reach all nodes, several servers that are none, and clusters of another kind.
pub(super) fn check(options: &MysqlOptions, facts: &ServerFacts) -> Result<(), TargetError> {
    if facts.is_tidb {
        let text = "TiDB, which takes no BINLOG statements, by which rows go to a server,";
        return Err(TargetError::Unsupported(SqlError::new(
            1235,
            "42000",
            text.to_owned(),
        )));
    }
    let text = match (
        facts.is_node,
        options.nodes.are_several(),
        options.is_logged,
    ) {
        (false, true, _) => {
            "several hosts are the nodes of a Galera cluster, and the target is none (wsrep_on)"
        }
        (true, _, false) => {
            "the target is a node of a Galera cluster: what is not logged there (sql_log_bin=0) reaches no \
             other node; follow with `weir replica` instead"
        }
        (true, _, true) | (false, false, _) => return Ok(()),
    };
    Err(TargetError::Config(SqlError::new(
        1235,
        "42000",
        text.to_owned(),
    )))
}

/// Tables whose rows reach all nodes, as they are since the last statement of DDL.
#[derive(Debug, Default)]
pub(super) struct Shared {
    known: HashMap<(String, String), Option<String>>,
}

impl Shared {
    /// Tables may be others now.
    pub(super) fn forget(&mut self) {
        self.known.clear();
    }

    /// Refuses rows of a table that a cluster does not carry to its nodes.
    pub(super) fn check(
        &mut self,
        pipe: &mut Pipe,
        change: &RowsChange<'_>,
    ) -> Result<(), TargetError> {
        let table = (change.database.to_owned(), change.map.table.to_string());
        let alone = match self.known.get(&table) {
            Some(alone) => alone,
            None => {
                let alone = alone(pipe, &table.0, &table.1)?;
                self.known.entry(table.clone()).or_insert(alone)
            }
        };
        let Some(alone) = alone else { return Ok(()) };
        let (database, table) = table;
        let text = format!(
            "Rows of `{database}`.`{table}`, which is {alone} and which a Galera cluster does not carry to \
             its other nodes: ALTER TABLE ... ENGINE=InnoDB there, or filter it out; rows that are \
             not carried,"
        );
        Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)))
    }
}

/// What a table is whose rows stay on one node.
fn alone(pipe: &mut Pipe, database: &str, table: &str) -> Result<Option<String>, TargetError> {
    let sql = format!(
        "SELECT TABLE_TYPE, ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA = {} AND \
         TABLE_NAME = {}",
        literal(database),
        literal(table)
    );
    let QueryResult::Rows { rows, .. } = pipe.ask(&sql)? else {
        return Ok(None);
    };
    // A table that is not there is missed when its rows are applied.
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let (kind, engine) = (cell(row, 0), cell(row, 1));
    Ok(match (kind.as_str(), engine.as_str()) {
        ("SEQUENCE", _) => Some("a sequence".to_owned()),
        (_, "InnoDB") => None,
        (_, engine) => Some(format!("of the engine {engine}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> Endpoint {
        Endpoint::Tcp {
            host: "h".to_owned(),
            port,
        }
    }

    #[test]
    fn a_node_is_trusted_only_when_it_is_ready_in_step_and_among_most_of_the_others() {
        let good = || Node {
            state: "s".to_owned(),
            is_ready: true,
            is_primary: true,
            step: "4".to_owned(),
            step_comment: "Synced".to_owned(),
        };
        assert!(good().check(&at(1)).is_ok());
        let bad = [
            Node {
                is_ready: false,
                ..good()
            },
            Node {
                is_primary: false,
                ..good()
            },
            Node {
                step: "2".to_owned(),
                ..good()
            },
            Node::default(),
        ];
        for node in bad {
            let error = node.check(&at(1)).unwrap_err();
            assert!(error.is_unreachable(), "{error}");
        }
    }

    #[test]
    fn clones_use_the_same_node_and_know_their_cluster() {
        let nodes = Nodes::beside(vec![at(2), at(3)]);
        let clone = nodes.clone();
        nodes.used().place = 2;
        assert_eq!(clone.used().place, 2);
        let ports: Vec<Endpoint> = (0..3).map(|place| nodes.at(&at(1), place)).collect();
        assert_eq!(format!("{ports:?}"), format!("{:?}", [at(1), at(2), at(3)]));
        assert!(nodes.is_of("one") && clone.is_of("one") && !clone.is_of("other"));
    }
}
