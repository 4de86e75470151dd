//! What is remembered of connections whose transaction does not have the writer.

use std::collections::{HashMap, HashSet};

use super::request::SavepointAction;

/// By connection.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// Connections whose transaction was rolled back without their asking.
    pub(super) rolled_back: HashSet<u64>,
    /// Savepoints of transactions that have changed nothing, oldest first.
    early_savepoints: HashMap<u64, Vec<String>>,
}

impl Sessions {
    /// Forgets the transaction of a connection; true if it was rolled back without its asking.
    pub(super) fn forget(&mut self, connection_id: u64) -> bool {
        self.early_savepoints.remove(&connection_id);
        self.rolled_back.remove(&connection_id)
    }

    /// The savepoints of a transaction that is about to have the writer.
    pub(super) fn take_savepoints(&mut self, connection_id: u64) -> Vec<String> {
        self.early_savepoints
            .remove(&connection_id)
            .unwrap_or_default()
    }

    /// Keeps the savepoints of a transaction that gives the writer back.
    pub(super) fn keep_savepoints(&mut self, connection_id: u64, names: Vec<String>) {
        self.early_savepoints.insert(connection_id, names);
    }

    /// Whether savepoints of this connection are kept here.
    pub(super) fn has_savepoints(&self, connection_id: u64) -> bool {
        let names = self.early_savepoints.get(&connection_id);
        names.is_some_and(|names| !names.is_empty())
    }

    /// Does something with a savepoint of a transaction that has changed nothing; false if there is
    /// none of that name.
    pub(super) fn savepoint(
        &mut self,
        connection_id: u64,
        action: SavepointAction,
        name: &str,
    ) -> bool {
        let names = self.early_savepoints.entry(connection_id).or_default();
        let is_named = |known: &String| known.to_lowercase() == name.to_lowercase();
        let known = names.iter().rposition(is_named);
        match (action, known) {
            (SavepointAction::Set, known) => {
                if let Some(at) = known {
                    names.remove(at);
                }
                names.push(name.to_owned());
            }
            (_, None) => return false,
            (SavepointAction::RollbackTo, Some(at)) => names.truncate(at.saturating_add(1)),
            (SavepointAction::Release, Some(at)) => names.truncate(at),
        }
        true
    }
}
