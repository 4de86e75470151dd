//! Checkpoints of the engine, which never carry it past what the log would keep over a power loss.
//!
//! They also tell how far the engine would be after one, which is what purge must respect.

use std::io;
use std::sync::{Arc, PoisonError};

use binlog::log::{LogError, LogFileName, Storage};
use engine::database::{Database, EnginePosition};

use crate::error::PrimaryError;
use crate::pipeline::Durability;
use crate::state::State;

/// One checkpoint; a failure is only a delay, the next one may succeed.
pub(crate) fn checkpoint(
    database: &Database,
    state: &State,
    storage: &Arc<dyn Storage>,
    durability: Durability,
) -> Result<(), PrimaryError> {
    let result = match durability {
        // Whatever is committed in the engine is durable in the log.
        Durability::EveryGroups(1) => database.checkpoint().map_err(PrimaryError::from),
        Durability::EveryGroups(_) | Durability::Never => {
            database.checkpoint_after(|position| sync_log(storage.as_ref(), position))
        }
    };
    match result {
        Ok(result) => {
            let file = result.durable.map(|position| position.file);
            if let Some(file) = file.as_deref().and_then(LogFileName::parse) {
                *state
                    .checkpointed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = Some(file);
            }
            Ok(())
        }
        Err(error) => {
            State::count(&state.counts.engine_errors, 1);
            Err(error)
        }
    }
}

/// Makes the log durable up to `position`. Files in front of its file are: a rotation syncs.
fn sync_log(storage: &dyn Storage, position: &EnginePosition) -> Result<(), PrimaryError> {
    if position.file.is_empty() {
        return Ok(());
    }
    let synced = storage.open(&position.file).and_then(|file| file.sync());
    match synced {
        // Only a whole and durable file is purged.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(LogError::Io {
            doing: "syncing",
            file: position.file.clone(),
            source,
        }
        .into()),
        Ok(()) => Ok(()),
    }
}
