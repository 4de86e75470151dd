//! `weir replay`: the logs are read twice, to say what would happen and to make it happen.

mod lanes;
mod passes;
mod patience;
mod progress;
mod replication;
mod report;
mod target;

use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use binlog::log::SourceCoordinates;
use config::ReplicationFilter;
use inspect::filter::GtidChoice;
use recovery::replay::{Against, Base, Choice, Player, ReplayError, Selection, Survey, against};

use crate::arguments::ReplayArguments;
use crate::exit::Failure;
use crate::{output, question};
use passes::Played;
use patience::{Patience, patiently};
use replication::Replication;
use report::Report;
use target::{Named, Target};

/// Runs the command.
pub(crate) fn run(arguments: &ReplayArguments) -> Result<(), Failure> {
    let began = Instant::now();
    replication::refuse_options(arguments)?;
    let named = Named::of(arguments)?;
    let filter = Arc::new(filter(arguments));
    let mut choice = choice(arguments)?;
    let base = base(arguments)?;
    if let Some(base) = &base
        && base.executed.is_none()
    {
        choice.start = base
            .position
            .as_ref()
            .map(|place| recovery::Bound::Position {
                file: place.file.clone(),
                offset: place.offset,
            });
    }
    // What the logs hold decides what keeps the place in the target.
    let has_gtids = patiently(|_| passes::has_mysql_gtids(arguments))?;
    let target = patiently(|is_first| Target::open(&named, arguments.mode, has_gtids, is_first))?;
    let replication = patiently(|_| Replication::open(arguments, &named, &target))?;
    let survey = patiently(|_| survey(arguments, &named, &target, &choice, &filter))?;
    let against = patiently(|_| against_of(&survey, &named, &target, &choice, base.as_ref()))?;
    if let Some(why) = patiently(|_| lanes::choose(arguments, &named, &target, &survey))? {
        output::note(format_args!("weir: {why}"));
    }
    let mut report = Report::new(&named.name(), target.mode, &survey);
    report.forgets_base = arguments.base.is_some() && !target.keeps_a_row();
    report.show_plan(&survey)?;
    refuse(arguments, &against)?;
    if let Some(replication) = &replication {
        replication.refuse(&survey)?;
    }
    if arguments.dry_run {
        report.seconds = began.elapsed().as_secs_f64();
        output::line("dry run: nothing was changed")?;
        return report.end(arguments.json, true);
    }
    if survey.transactions > 0 {
        question::ask(arguments.yes, &report.question())?;
    }
    let played = match replication {
        Some(replication) => replication.play(arguments, &target, &choice, &survey)?,
        None => play(arguments, &target, &choice, &filter, &survey)?,
    };
    report.take(&survey, &played);
    if played.is_repeated {
        // A commit whose answer was lost is counted by what the target has.
        let there = target.store.recover();
        let there = there.map_err(|error| target::failed(&named.name(), &error))?;
        report.count_what_is_there(&survey, &there);
    }
    report.seconds = began.elapsed().as_secs_f64();
    let is_complete = report.is_complete(&survey);
    if is_complete {
        // Each of its steps may be done twice.
        patiently(|_| {
            let finished = target.finish();
            finished.map_err(|error| target::failed("ending the replay", &error))
        })?;
    }
    report.show_end(&survey)?;
    report.end(arguments.json, is_complete)
}

fn filter(arguments: &ReplayArguments) -> ReplicationFilter {
    ReplicationFilter {
        do_db: arguments.database.clone(),
        do_table: arguments.table.iter().cloned().collect(),
        rewrite_db: arguments.rewrite_db.clone(),
        ..ReplicationFilter::default()
    }
}

fn choice(arguments: &ReplayArguments) -> Result<Choice, Failure> {
    let mut excluded = GtidChoice::default();
    for gtids in &arguments.exclude_gtids {
        excluded.union(gtids.clone());
    }
    if let Some(path) = &arguments.skip {
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
        for line in text.lines() {
            let gtids = line.split('#').next().unwrap_or_default();
            let gtids = gtids
                .parse()
                .map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            excluded.union(gtids);
        }
    }
    Ok(Choice {
        start: arguments.start.clone(),
        stop_before: arguments.stop_before.clone(),
        stop_at: arguments.stop_at.clone(),
        excluded,
    })
}

fn base(arguments: &ReplayArguments) -> Result<Option<Base>, Failure> {
    let Some(path) = &arguments.base else {
        return Ok(None);
    };
    // mydumper's dumps are directories.
    let path = match path.is_dir() {
        true => &path.join("metadata"),
        false => path,
    };
    let failed = |error| Failure::Usage(format!("{}: {error}", path.display()));
    let file = File::open(path).map_err(failed)?;
    let base = Base::read(BufReader::new(file)).map_err(failed)?;
    if base == Base::default() {
        let text = format!(
            "{}: it names neither GTIDs nor a place in a log; mysqldump writes them with --source-data, \
             and a mydumper that asks with SHOW MASTER STATUS gets none from MySQL 8.4 and later",
            path.display()
        );
        return Err(Failure::Usage(text));
    }
    Ok(Some(base))
}

fn survey(
    arguments: &ReplayArguments,
    named: &Named,
    target: &Target,
    choice: &Choice,
    filter: &ReplicationFilter,
) -> Result<Survey, Failure> {
    let there = target.store.recover();
    let there = there.map_err(|error| target::failed(&named.name(), &error))?;
    let selection = Selection::new(choice.clone(), there.executed, there.source);
    let survey = passes::survey(arguments, Survey::new(selection, filter.clone()))?;
    if !survey.selection().has_started() && choice.start.is_some() {
        let text = match survey.selection().is_stopped() {
            true => "the stop that was asked for lies in front of the start",
            false => "the start that was asked for is not in these logs",
        };
        return Err(Failure::Usage(text.to_owned()));
    }
    let stop = choice.stop_before.as_ref().or(choice.stop_at.as_ref());
    if let Some(stop) = stop
        && !matches!(stop, recovery::Bound::Time(_))
        && !survey.selection().is_stopped()
    {
        let text = format!("the stop that was asked for, {stop}, is not in these logs");
        return Err(Failure::Usage(text));
    }
    Ok(survey)
}

fn against_of(
    survey: &Survey,
    named: &Named,
    target: &Target,
    choice: &Choice,
    base: Option<&Base>,
) -> Result<Vec<Against>, Failure> {
    let failed = |error| target::failed(&named.name(), &error);
    let mut view = target.view(survey).map_err(failed)?;
    view.base = base.and_then(|base| base.executed.clone());
    if let Some(base) = &mut view.base {
        base.union(&target.applied_before().map_err(failed)?);
    }
    if view.place.is_none()
        && let Some(recovery::Bound::Position { file, offset }) = &choice.start
    {
        let (file, offset) = (file.clone(), *offset);
        view.place = Some(SourceCoordinates { file, offset });
    }
    Ok(against(survey, &view))
}

/// Ends with what stands against it, unless all of it is allowed.
fn refuse(arguments: &ReplayArguments, against: &[Against]) -> Result<(), Failure> {
    let is_allowed = |of: &&Against| arguments.allow.contains(&of.refusal);
    for allowed in against.iter().filter(is_allowed) {
        output::note(format_args!("weir: allowed: {}", allowed.sentence));
    }
    let left: Vec<String> = against
        .iter()
        .filter(|of| !is_allowed(of))
        .map(ToString::to_string)
        .collect();
    match left.is_empty() {
        true => Ok(()),
        false => Err(Failure::Usage(format!(
            "refused, nothing was changed:\n{}",
            left.join("\n")
        ))),
    }
}

/// Applies what the survey wanted, again after what passes.
fn play(
    arguments: &ReplayArguments,
    target: &Target,
    choice: &Choice,
    filter: &Arc<ReplicationFilter>,
    survey: &Survey,
) -> Result<Played, Failure> {
    let interrupted = interrupts();
    let mut played = Played::default();
    let mut patience = Patience::new(&interrupted);
    let mut care = Care::default();
    if survey.transactions == 0 {
        played.reason = survey.stopped.as_ref().map(|stopped| stopped.reason);
        return Ok(played);
    }
    loop {
        let before = played.done.transactions;
        let outcome = attempt(
            arguments,
            target,
            choice,
            filter,
            survey,
            care,
            &interrupted,
            &mut played,
        );
        let error = match outcome {
            Ok(()) => return Ok(played),
            Err(error) => error,
        };
        if played.done.transactions > before {
            patience.renew();
            care.halvings = 0;
        }
        played.is_repeated = true;
        if !error.is_temporary() {
            // An error of a commit of many may be that of any; one by one it is the last one's.
            if !std::mem::replace(&mut care.is_one_by_one, true)
                && target.store.traits().batches_units
            {
                continue;
            }
            return Ok(played.failed(&error));
        }
        care.halvings = care.halvings.saturating_add(1);
        if !patience.wait(&error) {
            return Ok(played.failed(&error));
        }
    }
}

/// What attempts that failed have taught.
#[derive(Debug, Clone, Copy, Default)]
struct Care {
    /// An error of a commit of many may be that of any of them.
    is_one_by_one: bool,
    /// How often commits were halved, so that something is committed before it fails again.
    halvings: u32,
}

#[expect(
    clippy::too_many_arguments,
    reason = "one attempt of `play`, which has them all"
)]
fn attempt(
    arguments: &ReplayArguments,
    target: &Target,
    choice: &Choice,
    filter: &Arc<ReplicationFilter>,
    survey: &Survey,
    care: Care,
    interrupted: &AtomicBool,
    played: &mut Played,
) -> Result<(), ReplayError> {
    let there = target.store.recover()?;
    let selection = Selection::new(choice.clone(), there.executed, there.source);
    let mut player = Player::new(Arc::clone(&target.store), Arc::clone(filter), selection)?;
    player.commit_sooner(care.halvings);
    if care.is_one_by_one {
        player.take_one_by_one();
    }
    let outcome = passes::play(arguments, &mut player, survey, interrupted);
    played.add(&player);
    played.reason = Some(outcome?);
    Ok(())
}

/// Set by SIGINT and SIGTERM. A second one ends the process at once.
fn interrupts() -> Arc<AtomicBool> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&interrupted);
    let waiting = std::thread::Builder::new().name("signals".to_owned());
    let spawned = waiting.spawn(move || crate::signals::wait_for_end(&seen));
    if let Err(error) = spawned {
        output::note(format_args!("weir: Ctrl-C will end this at once: {error}"));
    }
    interrupted
}
