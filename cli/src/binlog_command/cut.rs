//! `weir binlog cut`: a part of a log as a file of its own.

use std::path::Path;

use binlog::log::OsStorage;
use inspect::cut::{CutError, CutSummary, Cutter};
use inspect::filter::FilterRun;
use serde_json::json;

use super::inputs::Inputs;
use super::progress::Progress;
use super::words::{bytes, count};
use crate::arguments::CutArguments;
use crate::exit::Failure;
use crate::output;

pub(super) fn run(arguments: &CutArguments) -> Result<(), Failure> {
    let path = &arguments.output;
    let label = path.display().to_string();
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Err(Failure::Usage(format!("{label} is not the name of a file")));
    };
    let directory = path
        .parent()
        .filter(|directory| !directory.as_os_str().is_empty());
    let storage = OsStorage::new(directory.unwrap_or(Path::new(".")));
    let filter = arguments.filter.filter();
    let mut run = FilterRun::new(&filter).of_whole_transactions();
    let failed = |error: CutError| Failure::failed(&label, error);
    let mut cutter = Cutter::new(&storage, name, &filter, arguments.drop_empty).map_err(failed)?;
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(input) = inputs.next_file()? {
        run.begin_file(input.is_first, input.is_last);
        let read = |error: &dyn std::fmt::Display| Failure::failed(input.label(), error);
        let mut reader = input.read_strictly().map_err(|error| read(&error))?;
        let mut progress = Progress::new(input.label(), input.size());
        match cutter.take_file(&mut reader, &mut run, |offset| progress.reach(offset)) {
            Ok(true) => {}
            Ok(false) => break,
            // The newest file of a running server ends like that.
            Err(error @ CutError::Unfinished { .. }) if input.is_last => {
                drop(progress);
                output::note(format_args!("weir: warning: {}: {error}", input.label()));
            }
            Err(error) => return Err(read(&error)),
        }
    }
    let summary = cutter.finish().map_err(failed)?;
    if arguments.json {
        output::line(json!({
            "file": label,
            "bytes": summary.bytes,
            "transactions": summary.transactions,
            "emptied_transactions": summary.emptied,
            "left_out_transactions": summary.left_out,
        }))?;
    } else {
        output::line(sentence(&label, &summary))?;
    }
    Ok(())
}

fn sentence(file: &str, summary: &CutSummary) -> String {
    let emptied = match summary.emptied {
        0 => String::new(),
        emptied => format!(" ({} of them empty now)", count(emptied)),
    };
    format!(
        "{file}: {}, {} transactions{emptied}, {} left out",
        bytes(summary.bytes),
        count(summary.transactions),
        count(summary.left_out)
    )
}
