//! Signals of the operating system as values.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGTERM or SIGINT: drain and end.
    Stop(&'static str),
    /// SIGHUP: read the configuration again.
    Reload,
}

/// The signals this process takes.
pub(crate) struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hangup: Stream,
}

impl Signals {
    /// Takes the signals over from their default, which is to end at once.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal. Cancellation-safe.
    pub(crate) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Signal::Stop("SIGINT"),
            _ = self.hangup.recv() => Signal::Reload,
        }
    }
}

/// Sets `seen` with the first SIGINT or SIGTERM and ends the process with the second. Blocks.
pub(crate) fn wait_for_end(seen: &AtomicBool) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let Ok(runtime) = builder.enable_all().build() else {
        return;
    };
    runtime.block_on(async {
        let Ok(mut signals) = Signals::listen() else {
            return;
        };
        loop {
            match signals.next().await {
                Signal::Stop(_) if seen.swap(true, Ordering::Relaxed) => {
                    std::process::exit(130);
                }
                Signal::Stop(_) => {
                    crate::output::note("weir: ends behind this transaction; once more: at once");
                }
                Signal::Reload => {}
            }
        }
    });
}
