//! What text, JSON and SQL have in common: they take the events of files one by one.

use std::fmt;
use std::io::{self, Write};

use super::output::Output;
use binlog::limits::Limits;
use binlog::log::{Damage, LogError, LogFileName};
use binlog::row::{Row, RowPair, RowsEvent, Table};
use binlog::transaction::Step;

/// The file that events are taken from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// What it is called in output.
    pub label: &'a str,
    /// Its name, for errors.
    pub name: &'a LogFileName,
}

/// Why rendering stopped.
#[derive(Debug)]
#[non_exhaustive]
pub enum RenderError {
    /// The log is damaged there.
    Log(LogError),
    /// The output does not take more.
    Output(io::Error),
    /// What is asked for cannot be made of this event.
    Refused {
        /// The file.
        file: String,
        /// Offset of the event.
        offset: u64,
        /// What is missing, or what cannot be.
        reason: String,
    },
}

/// Turns events into one of the outputs.
pub trait Render<W: Write> {
    /// Begins a file.
    ///
    /// # Errors
    /// [`RenderError::Output`].
    fn begin(&mut self, source: Source<'_>, out: &mut Output<W>) -> Result<(), RenderError>;

    /// Takes one event. Events may be left out, as filters do.
    ///
    /// # Errors
    /// Rows that cannot be decoded, what this output refuses, and those of the writer.
    fn event(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError>;

    /// Behind the last event of the last file.
    ///
    /// # Errors
    /// [`RenderError::Output`].
    fn end(&mut self, out: &mut Output<W>) -> Result<(), RenderError>;
}

/// Decodes the rows of an event one by one.
pub(super) fn each_row(
    source: Source<'_>,
    step: &Step<'_>,
    rows: &RowsEvent<'_>,
    table: &Table,
    limits: &Limits,
    mut each: impl FnMut(&Row<'_>, &Row<'_>) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    let damaged = |error| undecodable(source, step, error);
    let mut chunks = rows.chunks(&table.plan, limits).map_err(damaged)?;
    while let Some(mut reader) = chunks.next_chunk().map_err(damaged)? {
        let mut pair = RowPair::default();
        while reader.next_into(&mut pair).map_err(damaged)? {
            each(&pair.before, &pair.after)?;
        }
    }
    Ok(())
}

/// The error for an event whose bytes do not follow the format.
pub(super) fn undecodable(
    source: Source<'_>,
    step: &Step<'_>,
    error: codec::DecodeError,
) -> RenderError {
    RenderError::Log(LogError::corrupt(
        source.name,
        step.place.offset,
        Some(step.raw.header.event_type),
        Damage::Undecodable(error),
    ))
}

/// The error for an event that cannot be shown this way.
pub(super) fn refused(source: Source<'_>, step: &Step<'_>, reason: String) -> RenderError {
    RenderError::Refused {
        file: source.label.to_owned(),
        offset: step.place.offset,
        reason,
    }
}

impl From<io::Error> for RenderError {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<LogError> for RenderError {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(error) => error.fmt(f),
            Self::Output(error) => write!(f, "the output cannot be written: {error}"),
            Self::Refused {
                file,
                offset,
                reason,
            } => write!(f, "{file}: event at {offset}: {reason}"),
        }
    }
}

impl std::error::Error for RenderError {}
