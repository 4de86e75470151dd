//! The only place that writes to standard output and standard error.
//!
//! Results go to standard output, everything about the way there to standard error.

use std::fmt;
use std::io::{self, Write};

/// Writes a line to standard output.
///
/// # Errors
///
/// If it cannot be written. That the reader went away (`| head`) is an error too, so that the
/// caller stops; as a [`crate::exit::Failure`] it ends the process quietly.
pub(crate) fn line(text: impl fmt::Display) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Writes a line to standard error. That it cannot be written is nobody's business.
pub(crate) fn note(text: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes each line of a failure to standard error, with the program's name in front.
pub(crate) fn complain(message: &str) {
    for line in message.lines() {
        note(format_args!("weir: {line}"));
    }
}
