//! `weir binlog timeline`: what happened when, with what stands out.

use binlog::limits::Limits;
use binlog::transaction::TransactionGtid;
use inspect::filter::{FilterRun, Verdict};
use inspect::timeline::{Line, Timeline};
use serde_json::json;

use super::inputs::Inputs;
use super::progress::Progress;
use crate::arguments::TimelineArguments;
use crate::exit::Failure;
use crate::output;

pub(super) fn run(arguments: &TimelineArguments) -> Result<(), Failure> {
    let filter = arguments.filter.filter();
    let mut run = FilterRun::new(&filter);
    let mut timeline = Timeline::new(arguments.by.seconds());
    let mut inputs = Inputs::new(&arguments.input)?;
    let mut damage = None;
    'files: while let Some(input) = inputs.next_file()? {
        run.begin_file(input.is_first, input.is_last);
        let failed = |error| Failure::Failed(format!("{}: {error}", input.label()));
        let mut reader = input.read_strictly().map_err(failed)?;
        let mut progress = Progress::new(input.label(), input.size());
        loop {
            let step = match reader.next() {
                Ok(Some(step)) => step,
                Ok(None) => break,
                Err(error) => {
                    damage = Some(format!("{}: {error}", input.label()));
                    break 'files;
                }
            };
            progress.reach(step.place.end);
            match run.judge(&step) {
                Verdict::Show | Verdict::Hold => {
                    let taken = timeline.step(&step, &Limits::default());
                    taken.map_err(|error| {
                        Failure::Failed(format!(
                            "{}, offset {}: {error}",
                            input.label(),
                            step.place.offset
                        ))
                    })?;
                }
                Verdict::Skip => {}
                Verdict::Stop => break 'files,
            }
        }
    }
    let (left_out, pieces) = (timeline.left_out, timeline.pieces);
    let lines = timeline.finish();
    show(arguments, &lines)?;
    if left_out > 0 {
        let text = format!("{left_out} transactions found no more room; a longer --by helps");
        return Err(Failure::Failed(text));
    }
    if pieces > 0 {
        let text = format!(
            "{pieces} pieces of rows (PARTIAL_ROW_DATA) are not in it: their tables cannot be told apart"
        );
        return Err(Failure::Failed(text));
    }
    match damage {
        Some(text) => Err(Failure::Failed(text)),
        None => Ok(()),
    }
}

fn show(arguments: &TimelineArguments, lines: &[Line]) -> Result<(), Failure> {
    let wanted = lines
        .iter()
        .filter(|line| line.is_outlier || !arguments.outliers);
    if arguments.json {
        for line in wanted {
            output::line(object(line))?;
        }
        return Ok(());
    }
    let width = lines.iter().map(|line| line.table.chars().count()).max();
    let width = width.unwrap_or(0).clamp(5, 64);
    output::line(format_args!(
        "  {:<20} {:<width$} {:<9} {:>12} {:>12} {:>12}  largest",
        "from (UTC)", "table", "kind", "transactions", "rows", "most in one"
    ))?;
    for line in wanted {
        output::line(format_args!(
            "{} {:<20} {:<width$} {:<9} {:>12} {:>12} {:>12}  {}",
            if line.is_outlier { '!' } else { ' ' },
            time(line.from),
            line.table,
            line.kind.word(),
            line.transactions,
            line.rows,
            line.largest.rows,
            place(line)
        ))?;
    }
    Ok(())
}

fn place(line: &Line) -> String {
    let largest = &line.largest;
    let at = format!("{}:{}", largest.file, largest.offset);
    match largest.gtid.text() {
        Some(gtid) => format!("{gtid} {at}"),
        None => at,
    }
}

fn time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(|_| "-".to_owned(), |at| at.to_string())
}

fn object(line: &Line) -> serde_json::Value {
    json!({
        "from": time(line.from),
        "table": line.table,
        "kind": line.kind.word(),
        "transactions": line.transactions,
        "rows": line.rows,
        "largest": {
            "rows": line.largest.rows,
            "gtid": (line.largest.gtid != TransactionGtid::None)
                .then(|| line.largest.gtid.to_string()),
            "file": line.largest.file,
            "offset": line.largest.offset,
        },
        "outlier": line.is_outlier,
    })
}
