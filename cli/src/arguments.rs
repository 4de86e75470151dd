//! The command line: what can be asked for, with the help texts.

mod binlog;
mod flashback;
mod replay;
mod skip;

use std::path::PathBuf;
use std::time::Duration;

pub(crate) use binlog::{
    BenchArguments, BinlogCommand, CutArguments, FindArguments, InputArguments, KindName,
    ShowArguments, SqlFormName, StatsArguments, TimelineArguments, VerifyArguments,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use config::definition::Role;
use config::reference;
pub(crate) use flashback::FlashbackArguments;
pub(crate) use replay::{ModeName, ReplayArguments};
pub(crate) use skip::SkipArguments;

/// MySQL replication: a primary that MySQL and MariaDB servers can follow, a replica that follows
/// them, and tools for binlogs.
#[derive(Debug, Parser)]
#[command(
    name = "weir",
    version,
    after_help = "Exit codes: 0 success, 1 failure, 2 wrong arguments or configuration.\n\
                  Try `weir demo` first: a primary, two replicas, kills, recovery and the proof."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a primary: a writable node whose binlog replicas follow.
    ///
    /// Takes mysqld's options and option files. SIGTERM and SIGINT end it cleanly, SIGHUP reads
    /// the configuration and the TLS files again.
    #[command(after_long_help = reference::help(Role::Primary))]
    Primary(NodeArguments),
    /// Run a replica: follow a source, store its relay log, apply it, answer reads.
    ///
    /// Takes mysqld's options and option files. SIGTERM and SIGINT end it cleanly, SIGHUP reads
    /// the configuration and the TLS files again.
    #[command(after_long_help = reference::help(Role::Replica))]
    Replica(ReplicaArguments),
    /// Show role, position and lag of any number of servers, MySQL and MariaDB included.
    Status(StatusArguments),
    /// See the main job: a primary, two replicas, a workload, kill -9, recovery, and the proof
    /// that all hold the same rows.
    Demo(DemoArguments),
    /// Look into binlog and relay log files.
    Binlog {
        #[command(subcommand)]
        command: BinlogCommand,
    },
    /// Take transactions back: a DELETE without WHERE, an UPDATE of all rows, a bad deployment.
    ///
    /// Reads the log, tells what would be taken back, what stands against it and who touched the same
    /// rows since, and then writes SQL or a binlog, or does it on a running server, where a row is
    /// only changed while it is what the log left. Needs full row images (binlog_row_image=FULL, the
    /// default).
    Flashback(Box<FlashbackArguments>),
    /// Bring what logs hold to a server or a data directory again, up to a moment.
    ///
    /// Reads the logs first and says what would happen; asks; applies each transaction once, however
    /// often it is interrupted and run again; and compares what was applied with what was wanted.
    Replay(Box<ReplayArguments>),
    /// Judge or explain a configuration without starting anything.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct ReplicaArguments {
    #[command(subcommand)]
    pub(crate) command: Option<ReplicaCommand>,
    #[command(flatten)]
    pub(crate) node: NodeArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReplicaCommand {
    /// Skip one transaction on a running replica, and let it go on.
    ///
    /// Shows what the applier stopped at, asks, passes over exactly that transaction, and says how the
    /// applier fares then. What it would have changed stays different from the source.
    Skip(SkipArguments),
}

#[derive(Debug, Args)]
pub(crate) struct NodeArguments {
    /// --defaults-file=FILE and any option of the role as --name=value; later ones win.
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "--OPTION=VALUE"
    )]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Passwords: in the URL (other users can read it in the process list), better \
                        in $WEIR_PASSWORD or --password-file.\nThe lag columns are seconds for \
                        receive, queue and apply; `-` is unknown, never zero.\nBEHIND is how many transactions the \
                        server's own source has more; known if that source is among the \
                        servers.\nThe account needs REPLICATION CLIENT."
)]
pub(crate) struct StatusArguments {
    /// Servers: `mysql://user[:password]@host[:port]`, or `mysql://user@localhost?socket=PATH`.
    #[arg(required = true, value_name = "URL")]
    pub(crate) urls: Vec<String>,
    /// One JSON object per look, on one line.
    #[arg(long)]
    pub(crate) json: bool,
    /// Look once and end: with 0 only if every server answered everything and every replica's
    /// receiver and applier run.
    #[arg(long)]
    pub(crate) once: bool,
    /// For scripts: look once, print nothing but the problems, and end as --once does.
    #[arg(long, conflicts_with = "once")]
    pub(crate) check: bool,
    /// With --check: a replica that is further behind its source, or whose lag is unknown, is a
    /// problem. A number with its unit: 500ms, 10s, 5m, 1h.
    #[arg(long, value_name = "TIME", requires = "check", value_parser = span)]
    pub(crate) max_lag: Option<Duration>,
    /// Seconds between two looks.
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    pub(crate) interval: f64,
    /// File whose first line is the password for every URL without one.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

/// A length of time with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let refuse =
        || format!("'{text}' is no length of time; write for instance 500ms, 10s, 5m or 1h");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("ms") => 0.001,
        Some("s") => 1.0,
        Some("m") => 60.0,
        Some("h") => 3600.0,
        _ => return Err(refuse()),
    };
    let number: f64 = digits.parse().map_err(|_| refuse())?;
    Duration::try_from_secs_f64(number * unit).map_err(|_| refuse())
}

#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 0 only if the primary and both replicas hold the same rows and \
                        every acknowledged transaction."
)]
pub(crate) struct DemoArguments {
    /// Length of the workload.
    #[arg(long, default_value_t = 30, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: u64,
    /// Directory for the three nodes; kept afterwards. By default a temporary one, removed unless
    /// the demo fails.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// End with one JSON object as the last line of standard output.
    #[arg(long)]
    pub(crate) json: bool,
    /// Sessions that write at the same time.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) writers: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say what is wrong with a file; exit code 2 if anything is.
    Check(ConfigArguments),
    /// Print every option with its value and where the value comes from.
    Show(ConfigArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// Option file (my.cnf) or TOML file (.toml).
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Read it as this role would; by default as a replica if it sets a replica's options.
    #[arg(long)]
    pub(crate) role: Option<RoleName>,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
    /// Further options over the file, as on the command line of the role.
    #[arg(last = true, value_name = "--OPTION=VALUE")]
    pub(crate) options: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleName {
    Primary,
    Replica,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::Primary => Self::Primary,
            RoleName::Replica => Self::Replica,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use std::time::Duration;

    use super::{Arguments, Command, span};

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn options_of_a_node_are_passed_on_as_they_are() {
        let line = [
            "weir",
            "primary",
            "--defaults-file=a.cnf",
            "--log-bin",
            "--port",
            "1",
        ];
        let Command::Primary(node) = Arguments::try_parse_from(line).unwrap().command else {
            panic!("not a primary");
        };
        assert_eq!(
            node.options,
            ["--defaults-file=a.cnf", "--log-bin", "--port", "1"]
        );
    }

    #[test]
    fn a_length_of_time_has_a_unit() {
        for (text, millis) in [
            ("500ms", 500),
            ("10s", 10_000),
            ("1.5m", 90_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(span(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["10", "s", "", "-1s", "10 s", "1d", "nans", "1e300h"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn every_option_is_in_the_help_of_its_role() {
        let mut command = Arguments::command();
        let replica = command.find_subcommand_mut("replica").unwrap();
        let help = replica.render_long_help().to_string();
        assert!(help.contains("--source-auto-position=ON, OFF"), "{help}");
        assert!(!help.contains("--sync-binlog"), "{help}");
    }
}
