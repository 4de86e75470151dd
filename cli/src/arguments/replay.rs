//! `weir replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use config::filter::{DatabaseRewrite, TableName};
use inspect::filter::GtidChoice;
use recovery::Bound;
use recovery::replay::Refusal;

use super::binlog::InputArguments;

/// How transactions reach the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ModeName {
    /// Into a server that nobody else uses: many transactions in a commit, nothing written to its
    /// log, their GTIDs declared as executed at the end.
    Restore,
    /// Into a server that serves others: each transaction by itself, logged, with its GTID.
    Live,
    /// As a source that the server replicates from.
    Replication,
    /// Into a data directory of Weir that no process has open.
    Engine,
}

impl ModeName {
    /// As on the command line.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Restore => "restore",
            Self::Live => "live",
            Self::Replication => "replication",
            Self::Engine => "engine",
        }
    }
}

#[derive(Debug, Args)]
#[command(
    after_help = "Places: a time ('2026-11-21 05:00:00' in UTC, '2026-11-21 05:00:00.25+02:00', \
                  seconds since 1970), the GTID of a transaction, or FILE:OFFSET.\nThe stop is a \
                  place in the log: what is logged behind it stays out, whatever its time.\n\
                  Interrupted, the same command goes on where it was.\nExit codes: 0 everything \
                  wanted is applied, 1 it is not, 2 refused before anything moved."
)]
pub(crate) struct ReplayArguments {
    #[command(flatten)]
    pub(crate) input: InputArguments,
    /// Where to: `mysql://user@host[:port]` (also `mariadb://`, `?socket=PATH`), or `datadir:PATH`,
    /// a data directory of Weir. The password of a server: --to-password-file or
    /// $WEIR_TARGET_PASSWORD.
    #[arg(long, value_name = "TARGET")]
    pub(crate) to: String,
    /// File whose first line is the target's password.
    #[arg(long, value_name = "FILE")]
    pub(crate) to_password_file: Option<PathBuf>,
    /// File of the authorities that may sign the target's certificate; with it TLS is required, and
    /// the certificate has to name the host.
    #[arg(long, value_name = "FILE")]
    pub(crate) to_ssl_ca: Option<PathBuf>,
    /// How; by default `restore` for a server with no other sessions that nothing was committed on,
    /// `live` for other servers, `engine` for a data directory.
    #[arg(long, value_enum)]
    pub(crate) mode: Option<ModeName>,
    /// Mode `restore`: over as many connections at once. Logs that cannot be divided among them (no
    /// GTIDs, statements that change rows, updates whose images are not whole) take one.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) parallel: Option<u16>,
    /// Begin at this place; by default behind what the target has executed.
    #[arg(long, value_name = "PLACE")]
    pub(crate) start: Option<Bound>,
    /// The dump that the target was made from: its header (mysqldump, mariadb-dump), or mydumper's
    /// directory or its `metadata`, says where to begin.
    #[arg(long, value_name = "DUMP", conflicts_with = "start")]
    pub(crate) base: Option<PathBuf>,
    /// End in front of the first transaction at this place or behind it.
    #[arg(long, value_name = "PLACE", conflicts_with = "stop_at")]
    pub(crate) stop_before: Option<Bound>,
    /// End behind the last transaction at this place.
    #[arg(long, value_name = "PLACE")]
    pub(crate) stop_at: Option<Bound>,
    /// Not these transactions.
    #[arg(long, value_name = "GTIDS", value_parser = gtids)]
    pub(crate) exclude_gtids: Vec<GtidChoice>,
    /// File with GTIDs to leave out, by commas or lines; `#` begins a comment.
    #[arg(long, value_name = "FILE")]
    pub(crate) skip: Option<PathBuf>,
    /// Only rows and statements of this database; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Vec<String>,
    /// Only rows and statements of this table; may be repeated.
    #[arg(long, value_name = "DB.TABLE", value_parser = table)]
    pub(crate) table: Vec<TableName>,
    /// Apply what was of one database to another; may be repeated.
    #[arg(long, value_name = "FROM->TO", value_parser = rewrite)]
    pub(crate) rewrite_db: Vec<DatabaseRewrite>,
    /// Go on although this stands against it; may be repeated.
    #[arg(long, value_name = "NAME", value_parser = refusal)]
    pub(crate) allow: Vec<Refusal>,
    /// Mode `replication`: where this program listens for the target; by default a free port of
    /// 127.0.0.1 for a target on this machine.
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) serve_on: Option<(String, u16)>,
    /// Mode `replication`: where the selected transactions lie meanwhile; by default $TMPDIR or the
    /// system's directory for such files.
    #[arg(long, value_name = "DIR")]
    pub(crate) tmpdir: Option<PathBuf>,
    /// Say what would happen, and end.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// End with one JSON object as the last line of standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

fn gtids(text: &str) -> Result<GtidChoice, String> {
    text.parse()
        .map_err(|error: gtid::ParseError| error.to_string())
}

fn address(text: &str) -> Result<(String, u16), String> {
    let parts = text.rsplit_once(':');
    let found = parts.and_then(|(host, port)| Some((host, port.parse().ok()?)));
    let Some((host, port)) = found else {
        return Err(format!("'{text}' is no address; write HOST:PORT"));
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_any = host
        .parse()
        .is_ok_and(|ip: std::net::IpAddr| ip.is_unspecified());
    match host.is_empty() || is_any || !host.chars().all(is_of_a_host) {
        true => Err(format!(
            "'{text}' is no address that another server can reach"
        )),
        false => Ok((host.to_owned(), port)),
    }
}

fn is_of_a_host(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | ':' | '-' | '_')
}

fn table(text: &str) -> Result<TableName, String> {
    TableName::parse(text).ok_or_else(|| format!("'{text}' is no table; write DB.TABLE"))
}

fn rewrite(text: &str) -> Result<DatabaseRewrite, String> {
    DatabaseRewrite::parse(text).ok_or_else(|| format!("'{text}' is no pair; write FROM->TO"))
}

fn refusal(text: &str) -> Result<Refusal, String> {
    let found = Refusal::ALL.into_iter().find(|of| of.name() == text);
    found.ok_or_else(|| {
        let names: Vec<&str> = Refusal::ALL.iter().map(|of| of.name()).collect();
        format!(
            "'{text}' stands against nothing; one of {}",
            names.join(", ")
        )
    })
}
