//! Mode `replication`: the target's own replication threads apply what is wanted, from a source that
//! this process is as long as it takes.
//!
//! ```text
//! logs -> selection -> files of their own -> dump session -> the target's channel `weir_replay`
//! ```
//! What the target has is what it says itself: `gtid_executed`, or MariaDB's `gtid_slave_pos`.

mod channel;
mod logs;
mod scratch;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use binlog::transaction::TransactionGtid;
use protocol::client::Endpoint;
use recovery::replay::{Choice, Selection, StopReason, Stopped, Survey};
use server::log_source::{LogSource, LogSourceOptions};
use tokio::runtime::{Builder, Runtime};

use super::passes::{self, Played};
use super::target::{Named, Target};
use super::{filter, interrupts};
use crate::arguments::{ModeName, ReplayArguments};
use crate::client::Server;
use crate::exit::Failure;
use crate::output;
use channel::{Channel, Status, USER_PREFIX};
use logs::{INDEX, Logs};
use scratch::Scratch;

/// Name of the channel.
pub(super) const CHANNEL: &str = "weir_replay";
/// How often the channel is looked at.
const PERIOD: Duration = Duration::from_millis(100);
/// How often the target is asked for what it has while it applies.
const ASKED: Duration = Duration::from_secs(1);
/// How often something is said.
const TOLD: Duration = Duration::from_secs(5);
/// How long the target may fail to reach the source.
const PATIENCE: Duration = Duration::from_secs(30);

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
    /// Last, so that what it runs outlives the rest.
    runtime: Runtime,
}

/// Why the target ended.
enum End {
    Complete,
    Interrupted,
    Failed(String),
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

    /// Serves what is wanted until the target has it.
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
        let scratch = Scratch::new(&self.tmpdir)
            .map_err(|error| Failure::failed(&self.tmpdir.display().to_string(), error))?;
        let selection = selection(target, choice)?;
        let logs = Logs::write(arguments, selection, survey, &scratch.logs())?;
        let source = self.source(&scratch, &logs)?;
        let control = source.control();
        let started = self.start(&source, &logs, survey);
        let serving = self.runtime.spawn(source.run());
        let ended = started.and_then(|()| {
            let followed = self.follow(target, survey, &logs, &interrupted);
            followed.map_err(lost)
        });
        let ended = ended.and_then(|end| self.end(end));
        control.stop();
        // What matters was told by the target.
        let _ = self.runtime.block_on(serving);
        let end = ended?;
        if let End::Complete = end {
            played.done.transactions = survey.transactions;
            played.done.rows = survey.rows();
            played.reason = survey.stopped.as_ref().map(|stopped| stopped.reason);
            return Ok(played);
        }
        let lacking = count(arguments, target, choice, survey, &mut played)?;
        match end {
            End::Failed(text) => {
                played.reason = Some(StopReason::Failed);
                played.error = Some(match lacking {
                    Some(gtid) => format!("{text}; the first transaction it lacks is {gtid}"),
                    None => text,
                });
            }
            End::Complete | End::Interrupted => played.reason = Some(StopReason::Interrupted),
        }
        Ok(played)
    }

    /// Listens, with the logs behind it.
    fn source(&self, scratch: &Scratch, logs: &Logs) -> Result<LogSource, Failure> {
        let Some(end) = logs.end() else {
            return Err(Failure::Failed("no transaction was written".to_owned()));
        };
        let options = LogSourceOptions {
            directory: scratch.source(),
            logs: scratch.logs(),
            index: INDEX.to_owned(),
            end,
            gtids: logs.gtids.clone(),
            host: self.host.clone(),
            port: self.port,
            // Any but the target's own.
            server_id: match self.server_id {
                u32::MAX => u32::MAX - 1,
                _ => u32::MAX,
            },
            user_prefix: USER_PREFIX,
            is_for_mariadb: self.is_mariadb,
        };
        let bound = self.runtime.block_on(LogSource::bind(options));
        bound.map_err(|error| Failure::failed("--serve-on", error))
    }

    /// Makes the channel and starts it. Rules of the target that would leave something out end it
    /// before anything moves.
    fn start(&mut self, source: &LogSource, logs: &Logs, survey: &Survey) -> Result<(), Failure> {
        let (Some((first, _)), Some(end)) = (logs.files.first(), logs.end()) else {
            return Err(Failure::Failed("no transaction was written".to_owned()));
        };
        self.channel.make(source, &self.host, first.as_str())?;
        let status = self.channel.status()?.unwrap_or_default();
        if status.is_filtered {
            self.channel.remove()?;
            let text = "replication filters of its own leave something out; --mode live does not ask \
                        them";
            return Err(self.channel.refused(text));
        }
        let started = self.channel.start(source, &survey.wanted.mysql, &end);
        if started.is_err() {
            // Why it did not start is what matters; the next run removes what this leaves.
            let _ = self.channel.remove();
        }
        started
    }

    /// Waits until the target has it all, or stops.
    fn follow(
        &mut self,
        target: &Target,
        survey: &Survey,
        logs: &Logs,
        interrupted: &AtomicBool,
    ) -> Result<End, Failure> {
        let (mut asked, mut told, mut moved) = (Instant::now(), Instant::now(), Instant::now());
        let mut place = (String::new(), 0);
        loop {
            let Some(status) = self.channel.status()? else {
                return Ok(End::Failed(format!(
                    "somebody removed the channel {CHANNEL}"
                )));
            };
            let now = (status.file.clone(), status.offset);
            if place != now {
                (place, moved) = (now, Instant::now());
            }
            if !status.applies || !status.receives || asked.elapsed() > ASKED {
                asked = Instant::now();
                if has_all(target, survey)? {
                    return Ok(End::Complete);
                }
            }
            if let Some(text) = self.stopped(&status, moved.elapsed()) {
                return Ok(End::Failed(text));
            }
            if interrupted.load(Ordering::Relaxed) {
                return Ok(End::Interrupted);
            }
            if told.elapsed() > TOLD {
                told = Instant::now();
                let (done, all) = (logs.bytes_before(&status.file, status.offset), logs.bytes());
                output::note(format_args!("weir: {done} of {all} bytes applied"));
            }
            std::thread::sleep(PERIOD);
        }
    }

    /// Why the channel does not go on, if it does not.
    fn stopped(&mut self, status: &Status, without_progress: Duration) -> Option<String> {
        if let Some(error) = &status.applier_error {
            let told = self.channel.worker_error();
            return Some(told.unwrap_or_else(|| error.clone()));
        }
        match &status.receiver_error {
            Some(error) if !status.receives || without_progress > PATIENCE => Some(format!(
                "the target cannot read from here ({error}); --serve-on names an address that it reaches"
            )),
            None if !status.receives || !status.applies => {
                Some(format!("somebody stopped the channel {CHANNEL}"))
            }
            Some(_) | None => None,
        }
    }

    /// Removes the channel; one that stopped with an error stays, stopped.
    fn end(&mut self, end: End) -> Result<End, Failure> {
        match end {
            End::Complete | End::Interrupted => {
                self.channel.remove()?;
                Ok(end)
            }
            End::Failed(_) => {
                self.channel.stop()?;
                let removal = self.channel.removal();
                output::note(format_args!(
                    "weir: the channel {CHANNEL} on the target stays, stopped: once what it stopped at \
                     is mended, the same command goes on; {removal} removes it"
                ));
                Ok(end)
            }
        }
    }
}

/// The target is gone, and with it what it would say.
fn lost(failure: Failure) -> Failure {
    match failure {
        Failure::Failed(text) => Failure::Failed(format!(
            "{text}; the target may go on with what it has read: the same command finds out, and goes on"
        )),
        Failure::Usage(_) | Failure::Told | Failure::ReaderGone => failure,
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

fn there(target: &Target) -> Result<targets::Applied, Failure> {
    let there = target.store.recover();
    there.map_err(|error| Failure::failed("asking the target for what it has", error))
}

fn selection(target: &Target, choice: &Choice) -> Result<Selection, Failure> {
    let there = there(target)?;
    Ok(Selection::new(choice.clone(), there.executed, there.source))
}

fn has_all(target: &Target, survey: &Survey) -> Result<bool, Failure> {
    Ok(survey.is_in(&there(target)?))
}

/// Counts what was applied of what was wanted, by what is wanted still; the first of that comes back.
fn count(
    arguments: &ReplayArguments,
    target: &Target,
    choice: &Choice,
    survey: &Survey,
    played: &mut Played,
) -> Result<Option<TransactionGtid>, Failure> {
    let left = Survey::new(selection(target, choice)?, filter(arguments));
    let left = passes::survey(arguments, left)?;
    played.done.transactions = survey.transactions.saturating_sub(left.transactions);
    played.done.rows = survey.rows().saturating_sub(left.rows());
    let Some(first) = left.first else {
        return Ok(None);
    };
    played.stopped = Some(Stopped {
        file: first.file,
        offset: first.offset,
        gtid: TransactionGtid::None,
        reason: StopReason::Failed,
    });
    Ok(Some(first.gtid))
}
