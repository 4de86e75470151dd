//! Making relay log and engine agree after whatever ended the last process.
//!
//! When the engine's position does not lie in the relay log, one of them is older than the other
//! was: by a power loss, or by hand. What the engine holds is then what counts; the relay log is
//! discarded and everything else is fetched again. Nothing is lost as long as the source has it, and
//! nothing is repeated, because the engine knows what it has.

use binlog::transaction::Executed;
use targets::Store;

use crate::applier::{self, ApplierStatus};
use crate::channel::now_seconds;
use crate::error::ReplicaError;
use crate::relay_log::RelayLog;

/// What is to become of the relay log at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// It is used if it holds the engine's position.
    Keep,
    /// It is fetched again from the engine's position on: `relay_log_recovery`.
    Refetch,
    /// It and the engine's position in the source's log are void: a CHANGE REPLICATION SOURCE that
    /// the last process did not finish.
    Discard,
}

/// Fills `status` with what `store` holds and discards a relay log that does not belong to it, or
/// that is not `wanted`.
///
/// The log is emptied before the target learns of it: a position in a log that is gone is noticed at
/// the next start, while a log without a position would be applied again.
pub(crate) fn reconcile(
    store: &dyn Store,
    status: &ApplierStatus,
    relay_log: &RelayLog,
    wanted: Wanted,
) -> Result<(), ReplicaError> {
    let mut applied = applier::recover(store, status)?;
    let relay = applied.relay.take();
    let is_usable = match &relay {
        Some(position) => relay_log.contains(position),
        // A target that knows transactions by their GTIDs alone passes over what it has.
        None if store.traits().keeps_gtids => true,
        // Nothing was applied yet, so nothing may have been purged.
        None => relay_log.start().file.number() == 1,
    };
    let is_kept = is_usable && wanted == Wanted::Keep;
    if is_kept && relay.is_some() {
        return Ok(());
    }
    if !is_kept {
        let position = relay.map_or_else(|| "unknown".to_owned(), |place| place.to_string());
        let why = match wanted {
            Wanted::Keep => "it does not hold the engine's position",
            Wanted::Refetch => "relay_log_recovery is on",
            Wanted::Discard => "the source was changed just before the last end of this process",
        };
        tracing::warn!(
            position,
            why,
            "the relay log is discarded and fetched again"
        );
        relay_log.reset(Executed::default(), now_seconds())?;
    }
    let start = relay_log.start();
    applied.relay = Some(start.clone());
    if wanted == Wanted::Discard {
        applied.source = None;
    }
    store.replace(&applied)?;
    status.update(|state| {
        state.relay = Some(start);
        if wanted == Wanted::Discard {
            state.source = None;
        }
    });
    Ok(())
}
