//! The thread that moves committed pages into the engine's file, so that no commit has to.

use std::fmt::Display;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

/// Time between two checkpoints.
const PERIOD: Duration = Duration::from_millis(200);

/// The running thread; it ends, with a last checkpoint, when this is dropped.
pub struct Checkpointer {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    /// Calls `checkpoint` now and then. A failure is only a delay, the next one may succeed: it is
    /// told once, as is the end of it.
    ///
    /// # Errors
    /// When the machine has no thread left.
    pub fn start<E: Display>(
        mut checkpoint: impl FnMut() -> Result<(), E> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || {
                let mut was_done = true;
                while let Err(mpsc::RecvTimeoutError::Timeout) = stopped.recv_timeout(PERIOD) {
                    let result = checkpoint();
                    match &result {
                        Err(error) if was_done => tracing::warn!(
                            %error,
                            "checkpoints of the engine fail; they will be tried again"
                        ),
                        Ok(()) if !was_done => {
                            tracing::info!("checkpoints of the engine succeed again");
                        }
                        _ => {}
                    }
                    was_done = result.is_ok();
                }
                // The last one only spares the next start some work.
                if let Err(error) = checkpoint() {
                    tracing::warn!(%error, "the last checkpoint of the engine failed");
                }
            })?;
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
