//! A transaction of which the target has kept a part, under its identifier.
//!
//! A server logs rows of a table that does not roll back when it applies them. Such a table is known
//! before rows go to it; one that somebody else made so meanwhile is not.

use binlog::transaction::TransactionGtid;
use targets::TargetError;

use super::coordinator::Coordinator;
use super::error::{ApplierError, Reason};

/// Whether the target has refused a change, rather than that something passes.
pub(super) fn is_refused(error: &ApplierError) -> bool {
    matches!(
        error.reason.as_ref(),
        Reason::Target(TargetError::Conflict(_) | TargetError::Statement(_))
    )
}

/// Whether the target has said that a change failed: then nothing of it may be there.
pub(super) fn is_answered(error: &ApplierError) -> bool {
    match error.reason.as_ref() {
        Reason::Target(TargetError::CommitUnknown(_)) => false,
        Reason::Target(error) => !error.is_unreachable() && !error.is_in_doubt(),
        _ => false,
    }
}

/// Whether the target was lost in the middle of rows that it may have kept a part of. Somebody has to look:
/// its GTID alone does not say that the transaction is applied.
pub(super) fn is_in_doubt(error: &ApplierError) -> bool {
    match error.reason.as_ref() {
        Reason::Target(error) => error.is_in_doubt(),
        _ => false,
    }
}

/// Says that the target has kept a part of the transaction, which no further attempt brings to an end.
pub(super) fn tell(error: &mut ApplierError) {
    if let Reason::Target(failure) = error.reason.as_mut() {
        let mut sql = failure.sql().clone();
        sql.message.push_str(
            ". The target has committed a part of this transaction under its GTID, of a table that does not \
             roll back: START REPLICA goes on behind it. Bring the rest over first",
        );
        *failure = TargetError::Statement(sql);
    }
}

/// Says so, if the target has: it is asked.
pub(super) fn ask_and_tell(coordinator: &Coordinator, error: &mut ApplierError) {
    let store = coordinator.worker.store();
    let gtid = error.place.gtid;
    if !store.traits().keeps_gtids || !is_answered(error) || gtid == TransactionGtid::None {
        return;
    }
    // Who cannot be asked now is asked once the applier goes on.
    if store
        .recover()
        .is_ok_and(|applied| applied.executed.contains(&gtid))
    {
        tell(error);
    }
}
