//! `weir binlog verify`: the input judged, each file and how they follow each other.

use std::path::PathBuf;

use binlog::event::EventType;
use binlog::limits::Limits;
use inspect::verify::{FileCheck, Finding, History, Severity};
use serde_json::{Map, Value, json};

use super::inputs::{InputFile, Inputs, Reader};
use super::progress::Progress;
use super::words::{bytes, count};
use crate::arguments::VerifyArguments;
use crate::exit::Failure;
use crate::output;

pub(super) fn run(arguments: &VerifyArguments) -> Result<(), Failure> {
    let mut inputs = Inputs::new(&arguments.input)?;
    let mut history = History::default();
    let mut directory: Option<PathBuf> = None;
    let mut is_valid = true;
    while let Some(input) = inputs.next_file()? {
        let name = input.name();
        let is_same_log = directory.as_deref() == Some(input.directory())
            && history.continues_with(&name)
            && !arguments.separate;
        if !is_same_log {
            history = History::default();
            directory = Some(input.directory().to_owned());
        }
        history.begin_file(&name);
        let (mut check, version) = judge(&input);
        let is_last = arguments.separate || !inputs.goes_on_after(&input);
        check.finish(&mut history, is_last);
        is_valid &= check.errors == 0;
        if arguments.json {
            output::line(object(input.label(), version.as_deref(), &check))?;
        } else {
            tell(input.label(), version.as_deref(), &check)?;
        }
    }
    if is_valid { Ok(()) } else { Err(Failure::Told) }
}

/// Judges one file; gives the version of its server too, if it can be read.
fn judge(input: &InputFile) -> (FileCheck, Option<String>) {
    let limits = Limits::default();
    match input.read_leniently() {
        Ok(mut reader) => {
            let description = reader.stream().source().description().clone();
            let mut check = FileCheck::new(Some(&description), limits);
            let mut progress = Progress::new(input.label(), input.size());
            read(&mut reader, &mut check, &mut progress);
            (check, Some(description.server_version))
        }
        Err(error) => {
            let mut check = FileCheck::new(None, limits);
            check.feed_error(&error);
            (check, None)
        }
    }
}

fn read(reader: &mut Reader, check: &mut FileCheck, progress: &mut Progress) {
    loop {
        match reader.next() {
            Ok(Some(step)) => {
                check.feed(&step);
                progress.reach(step.place.end);
            }
            Ok(None) => return,
            Err(error) => {
                if !check.feed_error(&error) {
                    return;
                }
            }
        }
    }
}

fn tell(file: &str, version: Option<&str>, check: &FileCheck) -> Result<(), Failure> {
    for finding in &check.findings {
        output::complain(&format!("{file}: {}", sentence(finding)));
    }
    let stats = &check.stats;
    let events: u64 = stats.events.values().map(|tally| tally.count).sum();
    let verdict = match (check.errors, check.warnings) {
        (0, 0) => "ok".to_owned(),
        (0, 1) => "ok with a warning".to_owned(),
        (0, warnings) => format!("ok with {} warnings", count(warnings)),
        (1, _) => "1 ERROR".to_owned(),
        (errors, _) => format!("{} ERRORS", count(errors)),
    };
    let mut notes = Vec::new();
    if let Some(version) = version {
        notes.push(format!("server {version}"));
        if !check.is_checksummed() {
            notes.push("no checksums".to_owned());
        }
    }
    if stats.is_in_use {
        notes.push("in use".to_owned());
    }
    if stats.ends_inside_transaction {
        notes.push("ends inside a transaction".to_owned());
    }
    if !stats.is_closed {
        notes.push("not closed".to_owned());
    }
    output::line(format_args!(
        "{file}: {verdict}, {}, {} events, {} transactions, {} rows ({})",
        bytes(stats.end),
        count(events),
        count(stats.transactions),
        count(stats.rows.total()),
        notes.join(", ")
    ))?;
    if !stats.gtids.is_empty() {
        let gtids = stats.gtids.to_string().replace('\n', " ");
        output::line(format_args!("  gtids {gtids}"))?;
    }
    for ((domain, server), (first, last, _)) in &stats.mariadb_gtids {
        output::line(format_args!(
            "  gtids {domain}-{server}-{first} to {domain}-{server}-{last}"
        ))?;
    }
    Ok(())
}

/// A finding in one line, with its place.
fn sentence(finding: &Finding) -> String {
    let mut text = match finding.severity {
        Severity::Error => String::new(),
        Severity::Warning => "warning: ".to_owned(),
    };
    if finding.offset > 0 {
        text.push_str(&format!("offset {}", finding.offset));
        if let Some(inner) = finding.inner {
            text.push_str(&format!(", at {inner} in its payload"));
        }
        if let Some(event) = finding.event {
            text.push_str(&format!(", event {}", event.label()));
        }
        if let Some(gtid) = &finding.gtid {
            text.push_str(&format!(", transaction {gtid}"));
        }
        text.push_str(": ");
    }
    text.push_str(&finding.message);
    text
}

fn object(file: &str, version: Option<&str>, check: &FileCheck) -> Value {
    let stats = &check.stats;
    let events: Map<String, Value> = stats
        .events
        .iter()
        .map(|(event_type, tally)| (event_type.label().into_owned(), tally.count.into()))
        .collect();
    let mariadb: Vec<String> = stats
        .mariadb_gtids
        .iter()
        .map(|((domain, server), (first, last, _))| format!("{domain}-{server}-{first}:{last}"))
        .collect();
    let findings: Vec<Value> = check.findings.iter().map(finding_object).collect();
    json!({
        "file": file,
        "valid": check.errors == 0,
        "errors": check.errors,
        "warnings": check.warnings,
        "findings": findings,
        "server_version": version,
        "bytes": stats.end,
        "events": events,
        "transactions": stats.transactions,
        "rows": stats.rows.total(),
        "gtids": stats.gtids.to_string().replace('\n', ""),
        "previous_gtids": stats.previous_gtids.as_ref().map(|set| set.to_string().replace('\n', "")),
        "mariadb_gtids": mariadb.join(","),
        "checksummed": check.is_checksummed(),
        "relay_log": check.is_relay_log(),
        "closed": stats.is_closed,
        "in_use": stats.is_in_use,
        "ends_inside_transaction": stats.ends_inside_transaction,
    })
}

fn finding_object(finding: &Finding) -> Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    json!({
        "severity": severity,
        "kind": finding.kind.word(),
        "offset": finding.offset,
        "in_payload": finding.inner,
        "event": finding.event.map(EventType::label),
        "gtid": finding.gtid,
        "message": finding.message,
    })
}
