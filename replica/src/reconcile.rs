//! Making relay log and engine agree after whatever ended the last process.
//!
//! When the engine's position does not lie in the relay log, one of them is older than the other
//! was: by a power loss, or by hand. What the engine holds is then what counts; the relay log is
//! discarded and everything else is fetched again. Nothing is lost as long as the source has it, and
//! nothing is repeated, because the engine knows what it has.

use engine::target::Target;
use gtid::GtidSet;

use crate::applier::{self, ApplierStatus};
use crate::channel::now_seconds;
use crate::error::ReplicaError;
use crate::relay_log::RelayLog;

/// Fills `status` with what `target` holds and discards a relay log that does not belong to it, or
/// any when `refetches` (`relay_log_recovery`).
pub(crate) fn reconcile(
    target: &mut dyn Target,
    status: &ApplierStatus,
    relay_log: &RelayLog,
    refetches: bool,
) -> Result<(), ReplicaError> {
    let (relay, _) = applier::recover(target, status)?;
    let is_usable = match &relay {
        Some(position) => relay_log.contains(position),
        // Nothing was applied yet, so nothing may have been purged.
        None => relay_log.start().file.number() == 1,
    };
    if is_usable && !refetches {
        return Ok(());
    }
    tracing::warn!(
        position = relay.map(|position| position.to_string()),
        "the relay log is discarded and fetched again: it does not hold the engine's position"
    );
    relay_log.reset(GtidSet::new(), now_seconds())?;
    status.update(|state| state.relay = None);
    Ok(())
}
