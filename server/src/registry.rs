//! The replicas that are connected: those that registered, for SHOW REPLICAS, and those that are
//! being sent the log.
//!
//! A replica that comes back may be faster than the end of its old connection is noticed. Two
//! streams to one replica would make it fail, so a new dump session of a replica ends the old one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use protocol::RegisterReplica;
use tokio::sync::watch;

/// A replica as it registered itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredReplica {
    /// What it said of itself.
    pub replica: RegisterReplica,
    /// Its `@replica_uuid`; empty if it has none (MariaDB).
    pub uuid: String,
}

/// Who a dump session serves: the same replica has the same one on every connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReplicaKey {
    /// By the UUID it sent.
    Uuid(String),
    /// By its `server_id`, for those without UUID (MariaDB, MySQL 5.5).
    ServerId(u32),
}

impl ReplicaKey {
    /// The key of a replica; `None` for a reader that is none, such as mysqlbinlog.
    #[must_use]
    pub fn new(uuid: &str, server_id: u32) -> Option<Self> {
        match (uuid, server_id) {
            ("", 0) => None,
            ("", server_id) => Some(Self::ServerId(server_id)),
            (uuid, _) => Some(Self::Uuid(uuid.to_lowercase())),
        }
    }
}

/// The connected replicas of a source. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct ReplicaRegistry {
    /// Held for a look-up only, never across an await.
    entries: Arc<Mutex<Entries>>,
}

#[derive(Debug, Default)]
struct Entries {
    next: u64,
    registered: BTreeMap<u64, RegisteredReplica>,
    dumps: BTreeMap<u64, Dump>,
}

#[derive(Debug)]
struct Dump {
    key: Option<ReplicaKey>,
    end: watch::Sender<bool>,
}

impl ReplicaRegistry {
    /// Registers a replica for as long as the guard lives.
    #[must_use]
    pub fn register(&self, replica: RegisterReplica, uuid: &str) -> Registration {
        let uuid = uuid.to_owned();
        let mut entries = self.lock();
        let id = entries.take_id();
        entries
            .registered
            .insert(id, RegisteredReplica { replica, uuid });
        Registration {
            registry: self.clone(),
            id,
        }
    }

    /// The registered replicas by `server_id`, for SHOW REPLICAS.
    #[must_use]
    pub fn replicas(&self) -> Vec<RegisteredReplica> {
        let mut replicas: Vec<_> = self.lock().registered.values().cloned().collect();
        replicas.sort_by_key(|entry| entry.replica.server_id);
        replicas
    }

    /// Enters a dump session and ends the one that the same replica has.
    #[must_use]
    pub fn begin_dump(&self, key: Option<ReplicaKey>) -> DumpRegistration {
        let (end, ended) = watch::channel(false);
        let mut entries = self.lock();
        if key.is_some() {
            for dump in entries.dumps.values().filter(|dump| dump.key == key) {
                dump.end.send_replace(true);
            }
        }
        let id = entries.take_id();
        entries.dumps.insert(id, Dump { key, end });
        DumpRegistration {
            registry: self.clone(),
            id,
            ended,
        }
    }

    /// How many dump sessions there are.
    #[must_use]
    pub fn dumps(&self) -> usize {
        self.lock().dumps.len()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    const fn take_id(&mut self) -> u64 {
        let id = self.next;
        self.next = id.wrapping_add(1);
        id
    }
}

/// Keeps a replica registered.
#[derive(Debug)]
pub struct Registration {
    registry: ReplicaRegistry,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.lock().registered.remove(&self.id);
    }
}

/// Keeps a dump session entered, and hears when another one takes its place.
#[derive(Debug)]
pub struct DumpRegistration {
    registry: ReplicaRegistry,
    id: u64,
    ended: watch::Receiver<bool>,
}

impl DumpRegistration {
    /// Waits until the same replica connected anew. Cancellation-safe.
    pub async fn replaced(&mut self) {
        if self.ended.wait_for(|ended| *ended).await.is_err() {
            // The sender lives in the registry until this registration is dropped.
            std::future::pending::<()>().await;
        }
    }

    /// Whether the same replica connected anew.
    #[must_use]
    pub fn is_replaced(&self) -> bool {
        *self.ended.borrow()
    }
}

impl Drop for DumpRegistration {
    fn drop(&mut self) {
        self.registry.lock().dumps.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_shown_while_it_is_connected() {
        let registry = ReplicaRegistry::default();
        let replica = |server_id| RegisterReplica {
            server_id,
            ..RegisterReplica::default()
        };
        let first = registry.register(replica(9), "u9");
        let second = registry.register(replica(3), "");
        let ids = |registry: &ReplicaRegistry| {
            let replicas = registry.replicas();
            let ids: Vec<_> = replicas.iter().map(|r| r.replica.server_id).collect();
            ids
        };
        assert_eq!(ids(&registry), [3, 9]);
        drop(second);
        assert_eq!(ids(&registry), [9]);
        drop(first);
        assert!(registry.replicas().is_empty());
    }

    #[test]
    fn a_new_dump_session_ends_the_one_of_the_same_replica_only() {
        let registry = ReplicaRegistry::default();
        let begin = |uuid, server_id| registry.begin_dump(ReplicaKey::new(uuid, server_id));
        let first = begin("aaaa", 2);
        let other = begin("bbbb", 2);
        let tool = begin("", 0);
        let again = begin("AAAA", 7);
        let second_tool = begin("", 0);
        assert!(first.is_replaced());
        for session in [&other, &tool, &again, &second_tool] {
            assert!(!session.is_replaced());
        }
        assert_eq!(registry.dumps(), 5);
        drop(first);
        assert_eq!(registry.dumps(), 4);
    }
}
