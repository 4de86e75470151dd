//! `weir flashback`: takes transactions of a log back.
//!
//! First everything is read and told: what would be taken back, and what stands against it. Only then
//! something is written: a file that gets its name when it is whole, or rows of a server.

mod login;
mod output;
mod plan;
mod session;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use binlog::limits::Limits;
use binlog::log::{Damage, LogError, OsStorage, Storage, StorageFile};
use inspect::declared::DeclaredTables;
use inspect::filter::GtidChoice;
use recovery::flashback::{
    Applied, Apply, ApplyOptions, Choice, FlashbackError, Found, Options, ReadBack, Scan,
};

use crate::arguments::FlashbackArguments;
use crate::binlog_command::{InputFile, Inputs, Progress, schema};
use crate::exit::Failure;
use crate::output as console;
use session::Session;

pub(crate) fn run(arguments: &FlashbackArguments) -> Result<(), Failure> {
    let begun = Instant::now();
    check_arguments(arguments)?;
    let options = options(arguments);
    let scanned = scan(arguments, &options);
    let (mut found, mut files) = match scanned {
        Ok(scanned) => scanned,
        Err(failure) => {
            plan::refused(arguments, &failure)?;
            return Err(failure);
        }
    };
    let mut out = plan::Report::new(arguments.json);
    out.plan(&found.plan)?;
    let outcome = match (&arguments.apply, &arguments.output) {
        (Some(url), _) => apply(arguments, url, &mut found, &mut files, &mut out),
        (None, Some(path)) if !arguments.dry_run => {
            output::write(arguments, path, &mut found, &mut files, &mut out)
        }
        (None, _) => Ok(Applied::default()),
    };
    let (applied, failure) = match outcome {
        Ok(applied) => (applied, None),
        Err((applied, failure)) => (applied, Some(failure)),
    };
    out.end(
        arguments,
        &found.plan,
        &applied,
        failure.as_ref(),
        begun.elapsed(),
    )?;
    match failure {
        None => Ok(()),
        Some(failure) => Err(failure),
    }
}

/// What was done, also if it failed.
type Outcome = Result<Applied, (Applied, Failure)>;

/// What clap cannot say.
fn check_arguments(arguments: &FlashbackArguments) -> Result<(), Failure> {
    let refuse = |text: &str| Err(Failure::Usage(text.to_owned()));
    if arguments.via_restore {
        return refuse(
            "--via-restore needs an archive to restore from, which Weir does not have yet; \
             restore the tables into a server of their own and compare there",
        );
    }
    if arguments.gtid.is_empty() && arguments.start.is_none() && arguments.stop.is_none() {
        return refuse(
            "say what to take back: --gtid GTIDS, or --start and --stop (a time, a GTID or \
             FILE:OFFSET)",
        );
    }
    if arguments.output.is_none() && arguments.apply.is_none() && !arguments.dry_run {
        return refuse(
            "say where to: --output FILE.sql or FILE.binlog, --apply mysql://user@host, or \
             --dry-run",
        );
    }
    if arguments.input.stop_never {
        return refuse("--stop-never has no end to go back from");
    }
    if let Some(path) = &arguments.output
        && path.exists()
    {
        let path = path.display();
        return Err(Failure::Usage(format!(
            "{path} exists already and is not overwritten"
        )));
    }
    Ok(())
}

fn options(arguments: &FlashbackArguments) -> Options {
    let union = |choices: &[GtidChoice]| {
        choices.iter().fold(GtidChoice::default(), |mut all, one| {
            all.union(one.clone());
            all
        })
    };
    let scratch = arguments.tmpdir.clone();
    Options {
        choice: Choice {
            gtids: (!arguments.gtid.is_empty()).then(|| union(&arguments.gtid)),
            exclude: union(&arguments.exclude_gtids),
            start: arguments.start.clone(),
            stop: arguments.stop.clone(),
            tables: arguments.table.clone(),
            key: arguments.key.clone(),
        },
        ignore: arguments.ignore.iter().copied().collect::<BTreeSet<_>>(),
        without_children: arguments.without_children,
        generated: arguments.generated_column.iter().cloned().collect(),
        asks_a_server: arguments.apply.is_some() || output::asked_server(arguments).is_some(),
        limits: Limits::default(),
        scratch: scratch.unwrap_or_else(std::env::temp_dir),
    }
}

/// Reads everything.
fn scan(arguments: &FlashbackArguments, options: &Options) -> Result<(Found, ReadBack), Failure> {
    let mut scan = Scan::new(options).map_err(failed)?;
    let mut files = ReadBack::default();
    let described = described(arguments)?;
    let mut inputs = Inputs::new(&arguments.input)?.described_by(described.clone());
    while let Some(input) = inputs.next_file()? {
        let again = read_again(&input);
        scan.begin_file(input.label(), &input.name(), again.is_some());
        files.push(again);
        scan_file(&input, &mut scan)?;
    }
    let found = scan.finish().map_err(failed)?;
    if let Some(described) = described {
        let mut tables = found.tables();
        if let Some(difference) = tables.find_map(|table| described.difference(&table.map)) {
            let text = format!("--schema: {}", schema::refused(&difference));
            return Err(Failure::Failed(text));
        }
    }
    Ok((found, files))
}

/// What `--schema` says of tables.
fn described(arguments: &FlashbackArguments) -> Result<Option<Arc<DeclaredTables>>, Failure> {
    match output::asked_server(arguments) {
        Some(url) => schema::ask(&login::server(arguments, url)?).map(Some),
        None => schema::load(arguments.schema.as_deref(), &arguments.input),
    }
}

fn scan_file(input: &InputFile, scan: &mut Scan<'_>) -> Result<(), Failure> {
    let damaged = |error: LogError| Failure::failed(input.label(), error);
    let mut reader = input.read_strictly().map_err(damaged)?;
    let mut progress = Progress::new(input.label(), input.size());
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(step)) => {
                progress.reach(step.place.end);
                scan.take(&step).map_err(failed)?;
            }
            // The newest file of a running server may end like that.
            Err(error) if input.is_last && is_cut(&error) => {
                console::note(format_args!("weir: warning: {}: {error}", input.label()));
                break;
            }
            Err(error) => return Err(damaged(error)),
        }
    }
    let unfinished = reader.transaction().filter(|info| !info.is_complete);
    scan.end_file(unfinished);
    Ok(())
}

fn is_cut(error: &LogError) -> bool {
    matches!(error, LogError::Corrupt(corrupt) if matches!(corrupt.damage, Damage::Truncated { .. }))
}

/// The file once more, if its events lie in it as they are.
fn read_again(input: &InputFile) -> Option<Box<dyn StorageFile>> {
    if !input.is_file() {
        return None;
    }
    let name = input.path().file_name()?.to_string_lossy().into_owned();
    let file = OsStorage::new(input.directory()).open_read(&name).ok()?;
    let mut magic = [0; 4];
    let read = file.read_at(0, &mut magic).ok()?;
    (read == magic.len() && magic == binlog::event::MAGIC).then_some(file)
}

/// Takes everything back on a server.
fn apply(
    arguments: &FlashbackArguments,
    url: &str,
    found: &mut Found,
    files: &mut ReadBack,
    out: &mut plan::Report,
) -> Outcome {
    let nothing = |failure: Failure| (Applied::default(), failure);
    let server = login::server(arguments, url).map_err(nothing)?;
    let name = server.name.clone();
    let mut session = Session::connect(&server).map_err(nothing)?;
    let options = ApplyOptions {
        on_conflict: arguments.on_conflict.into(),
        is_single: arguments.single_transaction,
        fire_triggers: arguments.fire_triggers,
        without_children: arguments.without_children,
    };
    let apply = Apply::new(&mut session, found, options);
    let mut apply = apply.map_err(|error| nothing(failed(error)))?;
    if arguments.dry_run {
        let checked = apply.check(found, files);
        let (checked, is_complete) = checked.map_err(|error| nothing(failed(error)))?;
        out.checked(&checked, is_complete, &name).map_err(nothing)?;
        return Ok(checked);
    }
    if !arguments.yes {
        let question = plan::question(&found.plan, &name);
        plan::ask(&question).map_err(nothing)?;
    }
    let done = apply.run(found, files);
    let mut applied = apply.applied().clone();
    match done {
        Ok(()) => Ok(applied),
        Err(error) => {
            if let FlashbackError::Conflicts(conflicts) = &error {
                applied.conflicts = applied.conflicts.saturating_add(conflicts.conflicts);
                applied.told.extend(conflicts.told.iter().cloned());
            }
            Err((applied, failed(error)))
        }
    }
}

fn failed(error: FlashbackError) -> Failure {
    Failure::Failed(error.to_string())
}
