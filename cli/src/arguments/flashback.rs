//! The command line of `weir flashback`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use inspect::filter::GtidChoice;
use inspect::find::KeyPart;
use recovery::Bound;
use recovery::flashback::{Ignore, OnConflict};

use super::binlog::{InputArguments, gtids, table_name};

#[derive(Debug, Args)]
#[command(
    after_help = "Look first: weir binlog find FILES --table db.t; weir flashback FILES --gtid GTID \
                  --dry-run\nRecipes: docs/RECOVERY.md. Exit codes: 0 done, 1 not done or not all of \
                  it, 2 wrong arguments."
)]
pub(crate) struct FlashbackArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// The transactions to take back: a MySQL GTID set, MariaDB GTIDs (0-1-5) and runs (0-1-5:9), by
    /// commas.
    #[arg(long, value_name = "GTIDS", value_parser = gtids, conflicts_with_all = ["start", "stop"],
          help_heading = "What")]
    pub(crate) gtid: Vec<GtidChoice>,
    /// Not these transactions.
    #[arg(long, value_name = "GTIDS", value_parser = gtids, help_heading = "What")]
    pub(crate) exclude_gtids: Vec<GtidChoice>,
    /// From here on: a time of commit ('2026-11-21 05:00:00' in UTC, with a zone, or seconds since
    /// 1970), the GTID of the first transaction, or FILE:OFFSET.
    #[arg(long, value_name = "TIME|GTID|FILE:OFFSET", help_heading = "What")]
    pub(crate) start: Option<Bound>,
    /// Up to here: what was committed before a time, the GTID of the last transaction, or what begins
    /// in front of FILE:OFFSET.
    #[arg(long, value_name = "TIME|GTID|FILE:OFFSET", help_heading = "What")]
    pub(crate) stop: Option<Bound>,
    /// Only rows of this table; may be repeated.
    #[arg(short = 'T', long, value_name = "DB.TABLE", value_parser = table_name,
          help_heading = "What")]
    pub(crate) table: Vec<(String, String)>,
    /// Only rows with this value of the primary key: 42 (the next column of the key), id=42 (by name),
    /// or @1=42 (by position); repeated for keys of several columns. Needs --table.
    #[arg(
        short,
        long,
        value_name = "[COLUMN=]VALUE",
        requires = "table",
        help_heading = "What"
    )]
    pub(crate) key: Vec<KeyPart>,
    /// Write it: SQL into a name that ends in .sql, else a binlog. An existing file is never
    /// overwritten.
    #[arg(
        short,
        long,
        value_name = "FILE.sql|FILE.binlog",
        conflicts_with = "apply",
        help_heading = "How"
    )]
    pub(crate) output: Option<PathBuf>,
    /// Do it: `mysql://user@host[:port]` of a MySQL or MariaDB server or of a Weir primary. The
    /// password comes from --defaults-file, --password-file, $MYSQL_PWD, $WEIR_PASSWORD or, with
    /// --password, the terminal.
    #[arg(long, value_name = "URL", help_heading = "How")]
    pub(crate) apply: Option<String>,
    /// Option file whose group "client" has user, password, ssl-mode and ssl-ca for --apply and
    /// --schema.
    #[arg(long, value_name = "FILE", help_heading = "How")]
    pub(crate) defaults_file: Option<PathBuf>,
    /// What is done if rows are not as the log left them: nothing at all, leave those rows, or
    /// overwrite them.
    #[arg(
        long,
        value_name = "WHAT",
        default_value = "stop",
        help_heading = "How"
    )]
    pub(crate) on_conflict: OnConflictName,
    /// One transaction for everything; by default one for each that is taken back.
    #[arg(long, help_heading = "How")]
    pub(crate) single_transaction: bool,
    /// Say what would be done, with --apply also which rows are in the way, and do nothing.
    #[arg(long, help_heading = "How")]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(short, long, help_heading = "How")]
    pub(crate) yes: bool,
    /// End with one JSON object as the last line of standard output; the rest goes to standard error.
    #[arg(long, help_heading = "How")]
    pub(crate) json: bool,
    /// Let triggers of the target run; SQL runs them, a binlog does not.
    #[arg(long, help_heading = "What stands against it")]
    pub(crate) fire_triggers: bool,
    /// Leave tables alone that refer to these by foreign keys that cascade.
    #[arg(long, help_heading = "What stands against it")]
    pub(crate) without_children: bool,
    /// Go on all the same: ddl, statements, incident, xa, missing or gap; may be repeated, or by
    /// commas.
    #[arg(
        long,
        value_name = "WHAT",
        value_delimiter = ',',
        help_heading = "What stands against it"
    )]
    pub(crate) ignore: Vec<Ignore>,
    /// Take what the rows were from a backup. Not there yet.
    #[arg(long, help_heading = "What stands against it")]
    pub(crate) via_restore: bool,
    /// Where names, keys and computed columns come from that the log does not tell: a server that has
    /// the tables, asked with --output for triggers and foreign keys too, or a file, a dump or CREATE
    /// TABLE statements. A table that is laid out otherwise in the log is refused.
    #[arg(long, value_name = "URL|FILE", help_heading = "How")]
    pub(crate) schema: Option<String>,
    /// A column that the server computes, which INSERT and UPDATE leave out and which MariaDB does not
    /// log if it is virtual; may be repeated.
    #[arg(long, value_name = "DB.TABLE.COLUMN", help_heading = "How")]
    pub(crate) generated_column: Vec<String>,
    /// Where scratch files are made; by default $TMPDIR or the system's directory for such files.
    /// They have no name, and hold what cannot be read twice: rows out of compressed and encrypted
    /// events, compressed again.
    #[arg(long, value_name = "DIR", help_heading = "How")]
    pub(crate) tmpdir: Option<PathBuf>,
}

/// What is done about rows that are not as the log left them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflictName {
    Stop,
    Skip,
    Force,
}

impl From<OnConflictName> for OnConflict {
    fn from(name: OnConflictName) -> Self {
        match name {
            OnConflictName::Stop => Self::Stop,
            OnConflictName::Skip => Self::Skip,
            OnConflictName::Force => Self::Force,
        }
    }
}
