//! `weir binlog show|verify`: log files looked into from outside.

use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::time::Duration;

use binlog::event::EventType;
use binlog::inspect::{Inspector, Line, Summary};
use binlog::log::{LogFileName, LogReader, OsStorage, Storage};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};

use crate::arguments::{BinlogCommand, ShowArguments, VerifyArguments};
use crate::exit::Failure;
use crate::output;

/// What takes no longer shows no progress.
const QUIET: Duration = Duration::from_secs(1);

pub(crate) fn run(command: &BinlogCommand) -> Result<(), Failure> {
    match command {
        BinlogCommand::Show(arguments) => show(arguments),
        BinlogCommand::Verify(arguments) => verify(arguments),
    }
}

fn open(path: &Path) -> Result<Inspector, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(&path.display().to_string(), error);
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let storage = OsStorage::new(directory.unwrap_or(Path::new(".")));
    let file_name = path.file_name().unwrap_or_default().to_string_lossy();
    let file = storage
        .open_read(&file_name)
        .map_err(|error| failed(&error))?;
    // A file that was renamed is still a log; errors then call it number 0 of its name.
    let name = LogFileName::parse(&file_name).unwrap_or_else(|| LogFileName::new(&file_name, 0));
    let reader = LogReader::over(file, name).map_err(|error| failed(&error))?;
    Inspector::new(reader).map_err(|error| failed(&error))
}

fn show(arguments: &ShowArguments) -> Result<(), Failure> {
    for path in &arguments.files {
        let mut inspector = open(path)?;
        let file = path.display().to_string();
        if !arguments.json {
            output::line(format_args!("# {file}"))?;
        }
        loop {
            let line = inspector.next_line(arguments.rows);
            let line = line.map_err(|error| Failure::failed(&file, error))?;
            let Some(line) = line else { break };
            if arguments.json {
                output::line(object(&file, &line))?;
                continue;
            }
            output::line(text(&line))?;
            for row in &line.rows {
                output::line(format_args!("        {row}"))?;
            }
        }
    }
    Ok(())
}

fn text(line: &Line) -> String {
    format!(
        "{:>10}  {}  server {:<5} {:<20} {:>8}  {}",
        line.offset,
        timestamp(line.header.timestamp),
        line.header.server_id,
        line.header.event_type.name(),
        line.header.event_size,
        line.info
    )
}

fn object(file: &str, line: &Line) -> Value {
    json!({
        "file": file,
        "offset": line.offset,
        "size": line.header.event_size,
        "end_log_pos": line.header.end_log_pos,
        "timestamp": line.header.timestamp,
        "type": line.header.event_type.name(),
        "server_id": line.header.server_id,
        "flags": line.header.flags.0,
        "info": line.info,
        "rows": line.rows,
    })
}

fn timestamp(seconds: u32) -> String {
    let moment = jiff::Timestamp::from_second(i64::from(seconds));
    moment.map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}

fn verify(arguments: &VerifyArguments) -> Result<(), Failure> {
    let mut damaged = 0;
    for path in &arguments.files {
        let file = path.display().to_string();
        match verify_file(path) {
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

fn verify_file(path: &Path) -> Result<Summary, Failure> {
    let mut inspector = open(path)?;
    let file = path.display().to_string();
    let progress = progress(&file, inspector.summary().bytes);
    loop {
        let line = inspector.next_line(false).map_err(|error| {
            progress.finish_and_clear();
            Failure::failed(&file, error)
        })?;
        let Some(line) = line else { break };
        if progress.elapsed() > QUIET {
            progress.set_draw_target(ProgressDrawTarget::stderr());
        }
        progress.set_position(line.offset);
    }
    progress.finish_and_clear();
    Ok(inspector.summary().clone())
}

/// A bar that stays hidden for the first second, and always where nobody looks.
fn progress(file: &str, bytes: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
    if stderr().is_terminal()
        && let Ok(style) = ProgressStyle::with_template(
            "{prefix} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        )
    {
        bar.set_style(style);
    }
    bar.with_prefix(file.to_owned())
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
