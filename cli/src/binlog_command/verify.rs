//! `weir binlog verify`: the whole input judged.

use binlog::event::EventType;
use binlog::inspect::{Inspector, Summary};
use serde_json::{Map, Value, json};

use super::inputs::{InputFile, Inputs};
use super::progress::Progress;
use crate::arguments::VerifyArguments;
use crate::exit::Failure;
use crate::output;

pub(super) fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let mut damaged = 0;
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(input) = inputs.next_file()? {
        let file = input.label().to_owned();
        match verify_file(input) {
            Ok(summary) if arguments.json => {
                output::line(summary_object(&file, &summary))?;
            }
            Ok(summary) => output::line(summary_text(&file, &summary))?,
            Err(Failure::Failed(error)) => {
                damaged += 1;
                if arguments.json {
                    output::line(json!({"file": file, "valid": false, "error": error}))?;
                } else {
                    output::complain(&error);
                }
            }
            Err(other) => return Err(other),
        }
    }
    if damaged == 0 {
        Ok(())
    } else {
        Err(Failure::Told)
    }
}

fn verify_file(input: InputFile) -> Result<Summary, Failure> {
    let file = input.label().to_owned();
    let failed = |error| Failure::failed(&file, error);
    let mut inspector = input.open().and_then(Inspector::new).map_err(failed)?;
    let mut progress = Progress::new(&file, Some(inspector.summary().bytes));
    loop {
        let line = inspector.next_line(false).map_err(failed)?;
        let Some(line) = line else { break };
        progress.reach(line.offset);
    }
    Ok(inspector.summary().clone())
}

fn summary_text(file: &str, summary: &Summary) -> String {
    let events: u64 = summary.events.values().sum();
    let mut notes = vec![format!("server {}", summary.server_version)];
    if !summary.is_checksummed {
        notes.push("no checksums".to_owned());
    }
    if summary.is_in_use {
        notes.push("in use".to_owned());
    }
    if summary.ends_inside_transaction {
        notes.push("ends inside a transaction".to_owned());
    }
    if !summary.is_closed {
        notes.push("not closed".to_owned());
    }
    let mut text = format!(
        "{file}: ok, {} bytes, {events} events, {} transactions, {} rows ({})",
        summary.bytes,
        summary.transactions,
        summary.rows,
        notes.join(", ")
    );
    if !summary.gtids.is_empty() {
        text.push_str(&format!(
            "\n  gtids {}",
            summary.gtids.to_string().replace('\n', " ")
        ));
    }
    text
}

fn summary_object(file: &str, summary: &Summary) -> Value {
    let mut types: Vec<(EventType, u64)> = summary
        .events
        .iter()
        .map(|(event_type, count)| (*event_type, *count))
        .collect();
    types.sort_unstable();
    let events: Map<String, Value> = types
        .into_iter()
        .map(|(kind, count)| (kind.name().to_owned(), count.into()))
        .collect();
    json!({
        "file": file,
        "valid": true,
        "server_version": summary.server_version,
        "bytes": summary.bytes,
        "events": events,
        "transactions": summary.transactions,
        "rows": summary.rows,
        "gtids": summary.gtids.to_string(),
        "previous_gtids": summary.previous_gtids.as_ref().map(ToString::to_string),
        "checksummed": summary.is_checksummed,
        "closed": summary.is_closed,
        "in_use": summary.is_in_use,
        "ends_inside_transaction": summary.ends_inside_transaction,
    })
}
