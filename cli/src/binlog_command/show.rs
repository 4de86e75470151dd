//! `weir binlog show`: every event of the input, as text, JSON or SQL.

mod held;

use std::io::{self, IsTerminal, StdoutLock};

use binlog::limits::Limits;
use binlog::log::{LogError, LogFileName};
use inspect::filter::{Filter, FilterRun, Verdict};
use inspect::{
    JsonLines, JsonOptions, Output, Render, RenderError, Source, SqlForm, SqlLines, SqlOptions,
    TextLines, TextOptions,
};

use self::held::Held;
use super::inputs::{InputFile, Inputs};
use super::live;
use super::progress::Progress;
use super::schema;
use crate::arguments::{ShowArguments, SqlFormName};
use crate::exit::Failure;
use crate::output;

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
    let chosen = arguments.filter.filter();
    let mut filter = FilterRun::new(&chosen);
    let mut inputs = Inputs::with_schema(&arguments.input, arguments.schema.schema.as_deref())?;
    let mut out = Output::new(io::stdout().lock());
    let mut show = Show {
        render: renderer(arguments),
        // A replay must not go on behind what it could not do.
        goes_on: arguments.sql.is_none(),
        chosen: &chosen,
        is_damaged: false,
    };
    let shown = show.files(&mut inputs, &mut filter, &mut out);
    let Show { mut render, .. } = show;
    // What stands in front of damage was asked for and is shown; SQL gets no end, so that it does
    // not pass for whole.
    let ended = match &shown {
        Ok(()) | Err(Failure::Told) => render.end(&mut out).map_err(failure),
        Err(_) => out.flush().map_err(Failure::from),
    };
    shown.and(ended)
}

struct Show<'a> {
    chosen: &'a Filter,
    render: Box<dyn Render<StdoutLock<'static>>>,
    /// Whether damage is told and passed over.
    goes_on: bool,
    is_damaged: bool,
}

impl Show<'_> {
    fn files(
        &mut self,
        inputs: &mut Inputs<'_>,
        filter: &mut FilterRun<'_>,
        out: &mut Out,
    ) -> Result<(), Failure> {
        while let Some(input) = inputs.next_file()? {
            filter.begin_file(input.is_first, input.is_last);
            if !self.file(&input, inputs.is_followed(), filter, out)? {
                break;
            }
        }
        match self.is_damaged {
            true => Err(Failure::Told),
            false => Ok(()),
        }
    }

    /// False if nothing behind this file is asked for.
    fn file(
        &mut self,
        input: &InputFile,
        is_followed: bool,
        filter: &mut FilterRun<'_>,
        out: &mut Out,
    ) -> Result<bool, Failure> {
        let failed = |error: &LogError| Failure::failed(input.label(), error);
        let mut reader = input.read().map_err(|error| failed(&error))?;
        let name: LogFileName = reader.stream().source().name().clone();
        let source = Source {
            label: input.label(),
            name: &name,
        };
        // A bar between lines would be in the way.
        let mut progress =
            (!io::stdout().is_terminal()).then(|| Progress::new(input.label(), input.size()));
        let mut held = Held::default();
        let mut damage = String::new();
        self.render.begin(source, out).map_err(failure)?;
        loop {
            let step = match reader.next() {
                Ok(Some(step)) => step,
                Ok(None) => return Ok(true),
                Err(error) => {
                    let told = error.to_string();
                    // Behind a damaged size there is no next event: the same error comes again.
                    if !self.goes_on || told == damage {
                        return if self.goes_on {
                            Ok(true)
                        } else {
                            Err(failed(&error))
                        };
                    }
                    self.tell(failed(&error))?;
                    damage = told;
                    continue;
                }
            };
            let verdict = filter.judge(&step);
            schema::check(input, &step, self.chosen, filter.is_transaction_chosen())?;
            let shown = match verdict {
                Verdict::Show => held
                    .release(&step, |step| self.render.event(source, step, out))
                    .and_then(|()| self.render.event(source, &step, out)),
                Verdict::Hold => {
                    held.keep(&step);
                    Ok(())
                }
                Verdict::Skip => {
                    held.skip();
                    Ok(())
                }
                Verdict::Stop => return Ok(false),
            };
            match shown {
                Err(error @ RenderError::Log(_)) if self.goes_on => self.tell(failure(error))?,
                shown => shown.map_err(failure)?,
            }
            // Whoever follows a server wants to see what is there, not when the buffer is full.
            if is_followed && step.transaction.is_none_or(|info| info.is_complete) {
                out.flush()?;
            }
            if let Some(progress) = &mut progress {
                progress.reach(step.place.end);
            }
        }
    }

    /// Complains, and remembers that there was something to complain about.
    fn tell(&mut self, failure: Failure) -> Result<(), Failure> {
        let Failure::Failed(message) = failure else {
            return Err(failure);
        };
        output::complain(&message);
        self.is_damaged = true;
        Ok(())
    }
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
