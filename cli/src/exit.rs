//! How the process ends: 0 success, 1 failure, 2 the caller's mistake.

use std::fmt;
use std::process::ExitCode;

use crate::output;

/// Why a subcommand did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments or the configuration are wrong: exit code 2.
    Usage(String),
    /// It was tried and did not work: exit code 1.
    Failed(String),
    /// It did not work, and what stood in the way passes (a lost connection, a lock): the same may be
    /// tried again. Exit code 1.
    Passing(String),
    /// It was told all there is to tell already: exit code 1.
    Told,
    /// Whoever reads the output has seen enough: exit code 0.
    ReaderGone,
}

impl Failure {
    /// What it says, if it was not said already.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Usage(words) | Self::Failed(words) | Self::Passing(words) => words,
            Self::Told | Self::ReaderGone => "",
        }
    }

    /// A failure from what was being done and an error.
    pub(crate) fn failed(doing: &str, error: impl fmt::Display) -> Self {
        Self::Failed(format!("{doing}: {error}"))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Failed(error.to_string()),
        }
    }
}

/// Tells the failure and gives the exit code.
pub(crate) fn code(outcome: Result<(), Failure>) -> ExitCode {
    match outcome {
        Ok(()) | Err(Failure::ReaderGone) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            output::complain(&message);
            ExitCode::from(2)
        }
        Err(Failure::Failed(message) | Failure::Passing(message)) => {
            output::complain(&message);
            ExitCode::FAILURE
        }
        Err(Failure::Told) => ExitCode::FAILURE,
    }
}
