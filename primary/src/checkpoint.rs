//! The thread that moves committed pages into the engine's file, so that no commit has to.
//!
//! It also learns how far the engine would be after a power loss, which is what purge must respect.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;

use binlog::log::LogFileName;
use engine::database::Database;
use engine::error::EngineError;

use crate::state::State;

/// Time between two checkpoints.
const PERIOD: Duration = Duration::from_millis(200);

/// The running thread; it ends when this is dropped.
pub(crate) struct Checkpointer {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(crate) fn start(database: Database, state: Arc<State>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || run(&database, &state, &stopped))?;
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(database: &Database, state: &State, stopped: &mpsc::Receiver<()>) {
    let mut was_done = true;
    while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(PERIOD) {
        let result = checkpoint(database, state);
        match &result {
            Err(error) if was_done => {
                tracing::warn!(%error, "checkpoints of the engine fail; they will be tried again");
            }
            Ok(()) if !was_done => tracing::info!("checkpoints of the engine succeed again"),
            _ => {}
        }
        was_done = result.is_ok();
    }
    // The last one only spares the next start some work.
    let _ = checkpoint(database, state);
}

/// One checkpoint; a failure is only a delay, the next one may succeed.
pub(crate) fn checkpoint(database: &Database, state: &State) -> Result<(), EngineError> {
    match database.checkpoint() {
        Ok(result) => {
            let file = result.durable.map(|position| position.file);
            if let Some(file) = file.as_deref().and_then(LogFileName::parse) {
                *state
                    .checkpointed
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner) = Some(file);
            }
            Ok(())
        }
        Err(error) => {
            State::count(&state.counts.engine_errors, 1);
            Err(error)
        }
    }
}
