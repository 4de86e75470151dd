//! `weir binlog show`: every event of the input, as text, JSON or SQL.

mod held;

use std::io::{self, IsTerminal, StdoutLock};

use binlog::inspect::filter::{FilterRun, Verdict};
use binlog::inspect::{
    JsonLines, JsonOptions, Output, Render, RenderError, Source, SqlForm, SqlLines, SqlOptions,
    TextLines, TextOptions,
};
use binlog::limits::Limits;
use binlog::log::LogFileName;

use self::held::Held;
use super::inputs::{InputFile, Inputs};
use super::live;
use super::progress::Progress;
use crate::arguments::{ShowArguments, SqlFormName};
use crate::exit::Failure;

type Out = Output<StdoutLock<'static>>;

pub(super) fn run(arguments: &ShowArguments) -> Result<(), Failure> {
    if let Some(directory) = &arguments.result_dir {
        return match arguments.input.files.as_slice() {
            [url] if live::is_url(url) => {
                live::copy(&url.to_string_lossy(), &arguments.input, directory)
            }
            _ => Err(Failure::Usage(
                "--raw copies the files of one server: mysql://user@host[:port][/FILE]".to_owned(),
            )),
        };
    }
    let filter = arguments.filter.filter();
    let mut filter = FilterRun::new(&filter);
    let mut inputs = Inputs::new(&arguments.input)?;
    let mut out = Output::new(io::stdout().lock());
    let mut render = renderer(arguments);
    let shown = show(&mut inputs, &mut filter, render.as_mut(), &mut out);
    // What stands in front of a damaged event was asked for and is shown; SQL gets no end, so that
    // it does not pass for whole.
    let ended = match &shown {
        Ok(()) => render.end(&mut out).map_err(failure),
        Err(_) => out.flush().map_err(Failure::from),
    };
    shown.and(ended)
}

fn show(
    inputs: &mut Inputs<'_>,
    filter: &mut FilterRun<'_>,
    render: &mut dyn Render<StdoutLock<'static>>,
    out: &mut Out,
) -> Result<(), Failure> {
    while let Some(input) = inputs.next_file()? {
        filter.begin_file(input.is_first, input.is_last);
        if !show_file(&input, inputs.is_followed(), filter, render, out)? {
            break;
        }
    }
    Ok(())
}

/// False if nothing behind this file is asked for.
fn show_file(
    input: &InputFile,
    is_followed: bool,
    filter: &mut FilterRun<'_>,
    render: &mut dyn Render<StdoutLock<'static>>,
    out: &mut Out,
) -> Result<bool, Failure> {
    let failed = |error| Failure::failed(input.label(), error);
    let mut reader = input.read().map_err(failed)?;
    let name: LogFileName = reader.stream().source().name().clone();
    let source = Source {
        label: input.label(),
        name: &name,
    };
    // A bar between lines would be in the way.
    let mut progress =
        (!io::stdout().is_terminal()).then(|| Progress::new(input.label(), input.size()));
    let mut held = Held::default();
    render.begin(source, out).map_err(failure)?;
    while let Some(step) = reader.next().map_err(failed)? {
        match filter.judge(&step) {
            Verdict::Show => {
                held.release(&step, |step| render.event(source, step, out))
                    .map_err(failure)?;
                render.event(source, &step, out).map_err(failure)?;
            }
            Verdict::Hold => held.keep(&step),
            Verdict::Skip => held.skip(),
            Verdict::Stop => return Ok(false),
        }
        // Whoever follows a server wants to see what is there, not when the buffer is full.
        if is_followed && step.transaction.is_none_or(|info| info.is_complete) {
            out.flush()?;
        }
        if let Some(progress) = &mut progress {
            progress.reach(step.place.end);
        }
    }
    Ok(true)
}

fn renderer(arguments: &ShowArguments) -> Box<dyn Render<StdoutLock<'static>>> {
    let limits = Limits::default();
    if let Some(form) = arguments.sql {
        return Box::new(SqlLines::new(SqlOptions {
            form: match form {
                SqlFormName::Binlog => SqlForm::Binlog,
                SqlFormName::Statements => SqlForm::Statements,
            },
            skip_gtids: arguments.skip_gtids,
            rows: arguments.rows,
            load_files: arguments.load_files.clone(),
            generated: arguments.generated_column.iter().cloned().collect(),
            limits,
        }));
    }
    if arguments.json {
        return Box::new(JsonLines::new(JsonOptions {
            full_values: arguments.full_values,
            limits,
        }));
    }
    Box::new(TextLines::new(TextOptions {
        rows: arguments.rows,
        full: arguments.full_values,
        limits,
    }))
}

fn failure(error: RenderError) -> Failure {
    match error {
        RenderError::Output(error) => Failure::from(error),
        other => Failure::Failed(other.to_string()),
    }
}
