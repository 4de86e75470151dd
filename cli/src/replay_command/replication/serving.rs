//! One attempt: the logs are written, served, and followed until the target has them or ends.

use std::time::{Duration, Instant};

use recovery::replay::Survey;
use server::log_source::{LogSource, LogSourceOptions};

use super::super::patience::Patience;
use super::channel::{Status, USER_PREFIX};
use super::job::Job;
use super::logs::{INDEX, Logs};
use super::scratch::Scratch;
use super::{CHANNEL, End, Replication};
use crate::exit::Failure;
use crate::output;

/// How often the channel is looked at.
const PERIOD: Duration = Duration::from_millis(100);
/// How often the target is asked for what it has while it applies.
const ASKED: Duration = Duration::from_secs(1);
/// How often something is said.
const TOLD: Duration = Duration::from_secs(5);
/// How long the target may fail to reach the source.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is remembered between two looks at the channel.
struct Watch {
    asked: Instant,
    told: Instant,
    moved: Instant,
    place: (String, u64),
}

impl Replication {
    /// Serves what `survey` wants until the target has it, ends, or is lost.
    pub(super) fn serve(
        &mut self,
        job: &mut Job<'_>,
        survey: &Survey,
        patience: &mut Patience<'_>,
    ) -> Result<End, Failure> {
        if survey.transactions == 0 {
            return Ok(End::Complete);
        }
        let scratch = Scratch::new(&self.tmpdir)
            .map_err(|error| Failure::failed(&self.tmpdir.display().to_string(), error))?;
        let selection = job.selection()?;
        let logs = Logs::write(job.arguments, selection, survey, &scratch.logs())?;
        if patience.is_interrupted() {
            return Ok(End::Interrupted);
        }
        let source = self.source(&scratch, &logs)?;
        let control = source.control();
        let started = self.start(&source, &logs, survey);
        let serving = self.runtime.spawn(source.run());
        let ended = started.and_then(|()| self.follow(job, survey, &logs, patience));
        let ended = ended.and_then(|end| self.end(end));
        control.stop();
        // What matters was told by the target.
        let _ = self.runtime.block_on(serving);
        ended
    }

    /// After what passed: removes what is left of the channel. Says how it ends where nothing can be
    /// relied on any more.
    pub(super) fn begin_anew(&mut self) -> Result<Option<End>, Failure> {
        self.channel.remove_if_there()?;
        let restarts = self.channel.restarts();
        let is_doubtful = self.started.is_some_and(|before| before < restarts);
        Ok((self.is_mariadb && is_doubtful).then(|| {
            End::Failed(
                "the target was started anew while it applied: where it is in a file it keeps beside \
                 its rows, so that, if it was killed, its last transaction may be applied twice; \
                 compare that, or begin from the base again"
                    .to_owned(),
            )
        }))
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
        self.started = Some(self.channel.restarts());
        let started = self.channel.start(source, &survey.wanted.mysql, &end);
        if let Err(Failure::Usage(_) | Failure::Failed(_)) = started {
            // Why it did not start is what matters; the next run removes what this leaves.
            let _ = self.channel.remove();
        }
        started
    }

    /// Waits until the target has it all, or stops. A connection that is lost says nothing of the
    /// channel, as long as the server is not started anew.
    fn follow(
        &mut self,
        job: &mut Job<'_>,
        survey: &Survey,
        logs: &Logs,
        patience: &mut Patience<'_>,
    ) -> Result<End, Failure> {
        let now = Instant::now();
        let mut watch = Watch {
            asked: now,
            told: now,
            moved: now,
            place: (String::new(), 0),
        };
        let restarts = self.channel.restarts();
        loop {
            let looked = self.look(job, survey, logs, &mut watch, patience);
            if self.channel.restarts() != restarts {
                let text = "the target was started anew".to_owned();
                return Err(Failure::Passing(text));
            }
            match looked {
                Ok(Some(end)) => return Ok(end),
                Ok(None) => std::thread::sleep(PERIOD),
                Err(Failure::Passing(text)) if patience.wait(&text) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Looks once.
    fn look(
        &mut self,
        job: &mut Job<'_>,
        survey: &Survey,
        logs: &Logs,
        watch: &mut Watch,
        patience: &mut Patience<'_>,
    ) -> Result<Option<End>, Failure> {
        let Some(status) = self.channel.status()? else {
            let text = format!("somebody removed the channel {CHANNEL}");
            return Ok(Some(End::Failed(text)));
        };
        let now = (status.file.clone(), status.offset);
        if watch.place != now {
            (watch.place, watch.moved) = (now, Instant::now());
            patience.renew();
        }
        if !status.applies || !status.receives || watch.asked.elapsed() > ASKED {
            watch.asked = Instant::now();
            if job.is_done(survey)? {
                return Ok(Some(End::Complete));
            }
        }
        if let Some(text) = self.stopped(&status, watch.moved.elapsed()) {
            return Ok(Some(End::Failed(text)));
        }
        if patience.is_interrupted() {
            return Ok(Some(End::Interrupted));
        }
        if watch.told.elapsed() > TOLD {
            watch.told = Instant::now();
            let (done, all) = (logs.bytes_before(&status.file, status.offset), logs.bytes());
            output::note(format_args!("weir: {done} of {all} bytes applied"));
        }
        Ok(None)
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
            End::Failed(_) | End::Lost(_) => {
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
