//! Mode `replication`: the target's own replication threads apply what is wanted, from a source that
//! this process is as long as it takes.
//!
//! ```text
//! logs -> selection -> files of their own -> dump session -> the target's channel `weir_replay`
//! ```
//! What the target has is what it says itself: `gtid_executed`, or MariaDB's `gtid_slave_pos`.

mod channel;
mod job;
mod logs;
mod scratch;
mod serving;

use std::path::PathBuf;

use protocol::client::Endpoint;
use recovery::replay::{Choice, StopReason, Survey};
use tokio::runtime::{Builder, Runtime};

use super::interrupts;
use super::passes::Played;
use super::patience::Patience;
use super::target::{Named, Target};
use crate::arguments::{ModeName, ReplayArguments};
use crate::client::Server;
use crate::exit::Failure;
use crate::output;
use channel::{Channel, USER_PREFIX};
use job::Job;

/// Name of the channel.
pub(super) const CHANNEL: &str = "weir_replay";
/// Variables that have a server pass over what it cannot apply, and how they have to be.
const STRICT: [(&str, &str); 4] = [
    ("replica_skip_errors", "OFF"),
    ("slave_skip_errors", "OFF"),
    ("replica_exec_mode", "STRICT"),
    ("slave_exec_mode", "STRICT"),
];

/// A target that is to replicate from here.
pub(super) struct Replication {
    channel: Channel,
    is_mariadb: bool,
    host: String,
    port: u16,
    tmpdir: PathBuf,
    server_id: u32,
    /// How often the target had been started anew when the channel was started last.
    started: Option<u32>,
    /// Last, so that what it runs outlives the rest.
    runtime: Runtime,
}

/// Why the target ended.
enum End {
    Complete,
    Interrupted,
    Failed(String),
    /// It cannot be asked any more.
    Lost(String),
}

/// Refuses options that this mode has no answer to.
pub(super) fn refuse_options(arguments: &ReplayArguments) -> Result<(), Failure> {
    if arguments.mode != Some(ModeName::Replication) {
        return match arguments.serve_on.is_some() || arguments.tmpdir.is_some() {
            true => Err(Failure::Usage(
                "--serve-on and --tmpdir are for --mode replication".to_owned(),
            )),
            false => Ok(()),
        };
    }
    for (option, is_given) in [
        ("--table", !arguments.table.is_empty()),
        ("--database", !arguments.database.is_empty()),
        ("--rewrite-db", !arguments.rewrite_db.is_empty()),
    ] {
        if is_given {
            let text = format!(
                "{option} with --mode replication: the target gets whole transactions as they are; \
                 --mode live chooses among tables and databases"
            );
            return Err(Failure::Usage(text));
        }
    }
    Ok(())
}

impl Replication {
    /// Looks whether the target can replicate from here, and removes what a killed run left there;
    /// nothing in the other modes.
    pub(super) fn open(
        arguments: &ReplayArguments,
        named: &Named,
        target: &Target,
    ) -> Result<Option<Self>, Failure> {
        let (ModeName::Replication, Named::Server(server)) = (target.mode, named) else {
            return Ok(None);
        };
        let (host, port) = address(arguments, server)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let is_mariadb = target.is_mariadb();
        let mut channel = Channel::open(server, is_mariadb, runtime.handle())?;
        for (variable, expected) in STRICT {
            let value = channel.variable(variable)?;
            if let Some(value) = value.filter(|value| value != expected) {
                let text = format!(
                    "its {variable} is {value}, so that it would pass over what it cannot apply; it \
                     has to be {expected}"
                );
                return Err(channel.refused(&text));
            }
        }
        let server_id = channel
            .variable("server_id")?
            .and_then(|id| id.parse().ok());
        if let Some(left) = channel.status()? {
            if !left.user.starts_with(USER_PREFIX) {
                let text = format!("it has a channel {CHANNEL} that is not of this program");
                return Err(channel.refused(&text));
            }
            if !arguments.dry_run {
                output::note(format_args!(
                    "weir: the channel {CHANNEL} of an earlier run is removed; this one goes on \
                     where it ended"
                ));
                channel.remove()?;
            }
        }
        Ok(Some(Self {
            channel,
            is_mariadb,
            host,
            port,
            tmpdir: arguments.tmpdir.clone().unwrap_or_else(std::env::temp_dir),
            server_id: server_id.unwrap_or(0),
            started: None,
            runtime,
        }))
    }

    /// Refuses what the target would pass over or stop at.
    pub(super) fn refuse(&self, survey: &Survey) -> Result<(), Failure> {
        let refused = |text: String| Err(self.channel.refused(&text));
        if survey.anonymous > 0 {
            return refused(format!(
                "{} transactions have no GTID, so that nothing would tell what it has; --mode live \
                 keeps a row",
                survey.anonymous
            ));
        }
        if survey.server_ids.contains(&self.server_id) {
            return refused(format!(
                "it passes over transactions of server_id {}, which is its own; --mode live applies \
                 them, and so does this mode while its server_id is another",
                self.server_id
            ));
        }
        if !survey.incidents.is_empty() {
            return refused(
                "its replica would stop at the INCIDENT; --mode live passes over it".into(),
            );
        }
        Ok(())
    }

    /// Serves what is wanted until the target has it, again after what passes.
    pub(super) fn play(
        mut self,
        arguments: &ReplayArguments,
        target: &Target,
        choice: &Choice,
        survey: &Survey,
    ) -> Result<Played, Failure> {
        let mut played = Played::default();
        if survey.transactions == 0 {
            played.reason = survey.stopped.as_ref().map(|stopped| stopped.reason);
            return Ok(played);
        }
        let interrupted = interrupts();
        let mut job = Job::new(arguments, target, choice);
        let mut patience = Patience::new(&interrupted);
        let mut left = None;
        let end = loop {
            let outcome = match &left {
                None => self.serve(&mut job, survey, &mut patience),
                Some(left) => self.serve(&mut job, left, &mut patience),
            };
            let text = match outcome {
                Ok(end) => break end,
                Err(Failure::Passing(text)) => text,
                Err(failure) => return Err(failure),
            };
            if !patience.wait(&text) {
                break End::Lost(text);
            }
            match self.begin_anew() {
                Ok(Some(end)) => break end,
                Ok(None) => left = Some(job.left()?),
                // The next attempt meets it again.
                Err(Failure::Passing(_)) => {}
                Err(failure) => return Err(failure),
            }
        };
        if let End::Complete = end {
            played.done.transactions = survey.transactions;
            played.done.rows = survey.rows();
            played.reason = survey.stopped.as_ref().map(|stopped| stopped.reason);
            return Ok(played);
        }
        let lacking = job.count(survey, &mut played)?;
        match end {
            End::Failed(text) => {
                played.reason = Some(StopReason::Failed);
                played.error = Some(match lacking {
                    Some(gtid) => format!("{text}; the first transaction it lacks is {gtid}"),
                    None => text,
                });
            }
            End::Lost(text) => {
                played.reason = Some(StopReason::Failed);
                played.error = Some(format!(
                    "{text}; the target may go on with what it has read: the same command finds out, \
                     and goes on"
                ));
            }
            End::Complete | End::Interrupted => played.reason = Some(StopReason::Interrupted),
        }
        Ok(played)
    }
}

/// Where the target finds the source.
fn address(arguments: &ReplayArguments, server: &Server) -> Result<(String, u16), Failure> {
    let is_near = match &server.options().endpoint {
        Endpoint::Unix(_) => true,
        Endpoint::Tcp { host, .. } => {
            let ip = host.parse::<std::net::IpAddr>();
            host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
        }
    };
    match &arguments.serve_on {
        Some(given) => Ok(given.clone()),
        None if is_near => Ok(("127.0.0.1".to_owned(), 0)),
        None => Err(Failure::Usage(
            "the target is on another machine: name an address that the target reaches: --serve-on \
             HOST:PORT"
                .to_owned(),
        )),
    }
}
