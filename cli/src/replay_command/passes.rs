//! The two passes over the logs.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

use binlog::event::Event;
use binlog::log::LogError;
use recovery::replay::{Played as Step, Player, ReplayError, StopReason, Stopped, Survey};
use replica::applier::Committed;

use crate::arguments::ReplayArguments;
use crate::binlog_command::inputs::{InputFile, Inputs, Reader};
use crate::binlog_command::progress::Progress;
use crate::exit::Failure;

/// What was applied, over all attempts.
#[derive(Debug, Default)]
pub(super) struct Played {
    pub(super) done: Committed,
    pub(super) stopped: Option<Stopped>,
    pub(super) reason: Option<StopReason>,
    pub(super) error: Option<String>,
    /// Whether an attempt failed and another followed.
    pub(super) is_repeated: bool,
}

impl Played {
    pub(super) fn add(&mut self, player: &Player) {
        self.done.add(&player.done);
        self.stopped = player.stopped.clone().or(self.stopped.take());
    }

    pub(super) fn failed(mut self, error: &ReplayError) -> Self {
        self.reason = Some(match error {
            ReplayError::Log(_) => StopReason::Damaged,
            ReplayError::Applier(_) | ReplayError::Target(_) | ReplayError::Source(_) => {
                StopReason::Failed
            }
        });
        self.error = Some(error.to_string());
        self
    }
}

/// Whether the logs' transactions have MySQL's GTIDs.
pub(super) fn has_mysql_gtids(arguments: &ReplayArguments) -> Result<bool, Failure> {
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(file) = inputs.next_file()? {
        let mut reader = file
            .read_strictly()
            .map_err(|error| unread(&file, &error))?;
        loop {
            let step = match reader.next() {
                Ok(Some(step)) => step,
                Err(error) if is_lost(&file, &error) => return Err(unread(&file, &error)),
                // The survey says of damage where it lies.
                Ok(None) | Err(_) => break,
            };
            match &step.event {
                Event::Gtid(event) => return Ok(event.gtid.is_some()),
                Event::MariadbGtid(_) | Event::Query(_) => return Ok(false),
                _ => {}
            }
        }
    }
    Ok(false)
}

/// Reads the logs for what would be applied. Damage ends them, and is told.
pub(super) fn survey(arguments: &ReplayArguments, mut survey: Survey) -> Result<Survey, Failure> {
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(file) = inputs.next_file()? {
        let mut reader = match file.read_strictly() {
            Ok(reader) => reader,
            Err(error) => {
                damaged(&mut survey, &file, &error)?;
                return Ok(survey);
            }
        };
        let mut progress = Progress::new(file.label(), file.size());
        match survey_file(&mut reader, &mut survey, &mut progress) {
            Ok(true) => {}
            Ok(false) => return Ok(survey),
            Err(error) => {
                drop(progress);
                damaged(&mut survey, &file, &error)?;
                return Ok(survey);
            }
        }
        if survey.is_inside() {
            survey.damaged(format!(
                "{}: ends inside a transaction; the logs end in front of it",
                file.label()
            ));
            return Ok(survey);
        }
    }
    Ok(survey)
}

fn survey_file(
    reader: &mut Reader,
    survey: &mut Survey,
    progress: &mut Progress,
) -> Result<bool, LogError> {
    while let Some(step) = reader.next()? {
        progress.reach(step.place.end);
        let header = step.raw.header.event_type;
        let (file, offset) = (step.file.clone(), step.place.offset);
        match survey.step(&step) {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(error) => {
                let damage = binlog::log::Damage::Undecodable(error);
                return Err(LogError::corrupt(&file, offset, Some(header), damage));
            }
        }
    }
    Ok(true)
}

/// Damage ends the logs. A server that is gone does not: there is more of them.
fn damaged(survey: &mut Survey, file: &InputFile, error: &LogError) -> Result<(), Failure> {
    if is_lost(file, error) {
        return Err(unread(file, error));
    }
    survey.damaged(format!(
        "{}: {error}; the logs end in front of this transaction",
        file.label()
    ));
    Ok(())
}

/// Whether it is the way to a server that failed rather than its log.
fn is_lost(file: &InputFile, error: &LogError) -> bool {
    !file.is_file() && matches!(error, LogError::Io { .. })
}

/// Why a file cannot be read: a connection that was lost may come back.
pub(super) fn unread(file: &InputFile, error: &LogError) -> Failure {
    let text = format!("{}: {error}", file.label());
    match error {
        LogError::Io { source, .. } if source.kind() == ErrorKind::ConnectionReset => {
            Failure::Passing(text)
        }
        _ => Failure::Failed(text),
    }
}

/// Applies what the survey wanted, and says why it ended.
pub(super) fn play(
    arguments: &ReplayArguments,
    player: &mut Player,
    survey: &Survey,
    interrupted: &AtomicBool,
) -> Result<StopReason, ReplayError> {
    let Some(end) = &survey.stopped else {
        return Ok(StopReason::EndOfLogs);
    };
    let failed = |failure: Failure| match failure {
        Failure::Usage(text) | Failure::Failed(text) | Failure::Passing(text) => {
            ReplayError::Source(text)
        }
        Failure::Told | Failure::ReaderGone => ReplayError::Source(String::new()),
    };
    let mut progress = super::progress::Progress::new(survey.transactions, survey.bytes);
    let mut inputs = Inputs::new(&arguments.input).map_err(failed)?;
    while let Some(file) = inputs.next_file().map_err(failed)? {
        let unread = |error: LogError| match is_lost(&file, &error) {
            true => ReplayError::Source(format!("{}: {error}", file.label())),
            false => ReplayError::Log(error),
        };
        let mut reader = file.read_strictly().map_err(unread)?;
        while let Some(step) = reader.next().map_err(unread)? {
            progress.reach(&player.done, step.transaction);
            let is_last = step.file.as_str() == end.file && step.place.end >= end.offset;
            match player.step(&step)? {
                Step::Inside => continue,
                Step::Between => {}
                Step::Stop => {
                    player.commit()?;
                    return Ok(end.reason);
                }
            }
            if is_last {
                player.commit()?;
                return Ok(end.reason);
            }
            if interrupted.load(Ordering::Relaxed) {
                player.commit()?;
                return Ok(StopReason::Interrupted);
            }
        }
    }
    player.commit()?;
    Ok(end.reason)
}
