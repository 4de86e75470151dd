//! Identifiers that sessions have taken for their next transaction by `SET gtid_next`.
//!
//! One session at a time has an identifier; another that wants it waits until the first has
//! committed, and then finds it executed, or has given up.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gtid::{Gtid, GtidSet};
use tokio::sync::Notify;

/// Who has which.
#[derive(Debug, Clone, Default)]
pub struct OwnedGtids(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By identifier, the connection. Never held across an await.
    owners: Mutex<HashMap<Gtid, u64>>,
    released: Notify,
}

impl OwnedGtids {
    /// Waits until nobody has `gtid` and takes it; `None` if it is executed by then.
    pub async fn own(
        &self,
        gtid: Gtid,
        connection_id: u64,
        is_executed: impl Fn() -> bool,
    ) -> Option<Ownership> {
        loop {
            let released = self.0.released.notified();
            tokio::pin!(released);
            // Before the look, so that no release is missed.
            released.as_mut().enable();
            {
                let mut owners = self.owners();
                if let Entry::Vacant(place) = owners.entry(gtid) {
                    if is_executed() {
                        return None;
                    }
                    place.insert(connection_id);
                    return Some(Ownership {
                        owned: self.clone(),
                        gtid,
                    });
                }
            }
            released.await;
        }
    }

    /// Whether a session has `gtid`.
    #[must_use]
    pub fn is_owned(&self, gtid: Gtid) -> bool {
        self.owners().contains_key(&gtid)
    }

    /// Waits until no session has `gtid`.
    pub async fn released(&self, gtid: Gtid) {
        loop {
            let released = self.0.released.notified();
            tokio::pin!(released);
            released.as_mut().enable();
            if !self.is_owned(gtid) {
                return;
            }
            released.await;
        }
    }

    /// Every identifier that a session has.
    #[must_use]
    pub fn all(&self) -> GtidSet {
        let mut set = GtidSet::default();
        for gtid in self.owners().keys() {
            set.add(*gtid);
        }
        set
    }

    fn owners(&self) -> MutexGuard<'_, HashMap<Gtid, u64>> {
        self.0.owners.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the identifier back when it is dropped.
#[derive(Debug)]
pub struct Ownership {
    owned: OwnedGtids,
    gtid: Gtid,
}

impl Drop for Ownership {
    fn drop(&mut self) {
        self.owned.owners().remove(&self.gtid);
        self.owned.0.released.notify_waiters();
    }
}
