//! The command line of `weir binlog`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum BinlogCommand {
    /// Print every event, and with --rows every changed row.
    Show(ShowArguments),
    /// Read files to the last row and say what they hold; exit code 1 if one is damaged.
    ///
    /// Checks sizes, checksums, positions, the fields of every event, every row, and that
    /// transactions begin and end where they may.
    Verify(VerifyArguments),
}

/// What is read: the same for every subcommand.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub(crate) struct InputArguments {
    /// Binlog or relay log files, in the order they are to be read; a quoted pattern
    /// ('binlog.*', sorted by number); or an index (binlog.index), which stands for the files it
    /// lists.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Also print changed rows.
    #[arg(long)]
    pub(crate) rows: bool,
    /// One JSON object per event.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// One JSON object per file.
    #[arg(long)]
    pub(crate) json: bool,
}
