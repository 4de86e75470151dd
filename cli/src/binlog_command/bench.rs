//! `weir binlog bench`: how fast a log is read here, and beside other tools.
//!
//! Every depth reads the whole input, checksums verified, in turns; the best time of each counts.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use binlog::limits::Limits;
use inspect::measure::{self, Counts, Depth};
use inspect::{JsonLines, JsonOptions, Output, Render, RenderError, Source};
use serde_json::json;

use super::inputs::{InputFile, Inputs};
use crate::arguments::BenchArguments;
use crate::exit::Failure;
use crate::output;

/// One way to read the input.
enum Reading<'a> {
    Depth(Depth),
    Json,
    Tool(&'a str),
}

impl Reading<'_> {
    fn name(&self) -> String {
        match self {
            Self::Depth(depth) => depth.name().to_owned(),
            Self::Json => "json".to_owned(),
            Self::Tool(program) => format!("{program} -v"),
        }
    }
}

pub(super) fn run(arguments: &BenchArguments) -> Result<(), Failure> {
    let mut readings: Vec<Reading<'_>> = Depth::ALL.map(Reading::Depth).into();
    readings.push(Reading::Json);
    readings.extend(
        arguments
            .beside
            .iter()
            .map(|program| Reading::Tool(program)),
    );
    let mut inputs = Inputs::new(&arguments.input)?;
    while let Some(file) = inputs.next_file()? {
        let Some(bytes) = file.size() else {
            return Err(Failure::failed(
                file.label(),
                "only files can be read again and again",
            ));
        };
        let mut counts = Counts::default();
        let mut best: Vec<Option<Duration>> = vec![None; readings.len()];
        for _ in 0..arguments.rounds.max(1) {
            for (reading, best) in readings.iter().zip(&mut best) {
                let begin = Instant::now();
                let found = read(reading, &file)?;
                let span = begin.elapsed();
                counts.rows = counts.rows.max(found.rows);
                counts.events = counts.events.max(found.events);
                *best = Some(best.map_or(span, |best| best.min(span)));
            }
        }
        report(arguments, &file, bytes, counts, &readings, &best)?;
    }
    Ok(())
}

fn read(reading: &Reading<'_>, file: &InputFile) -> Result<Counts, Failure> {
    let failed = |error| Failure::failed(file.label(), error);
    match reading {
        Reading::Depth(depth) => {
            let reader = file.open().map_err(failed)?;
            measure::read(reader, *depth, &Limits::default()).map_err(failed)
        }
        Reading::Json => write_json(file),
        Reading::Tool(program) => {
            let mut tool = Command::new(program);
            tool.args(["--no-defaults", "-v", "--base64-output=decode-rows"]);
            tool.arg("--verify-binlog-checksum").arg(file.path());
            let status = tool.stdin(Stdio::null()).stdout(Stdio::null()).status();
            let status = status.map_err(|error| Failure::failed(program, error))?;
            if !status.success() {
                return Err(Failure::failed(
                    program,
                    format_args!("it ended with {status}"),
                ));
            }
            Ok(Counts::default())
        }
    }
}

fn write_json(file: &InputFile) -> Result<Counts, Failure> {
    let mut reader = file
        .read()
        .map_err(|error| Failure::failed(file.label(), error))?;
    let name = file.name();
    let source = Source {
        label: file.label(),
        name: &name,
    };
    let mut out = Output::new(io::sink());
    let mut lines = JsonLines::new(JsonOptions::default());
    let failed = |error: RenderError| Failure::failed(file.label(), error);
    lines.begin(source, &mut out).map_err(failed)?;
    loop {
        let step = reader.next();
        let Some(step) = step.map_err(|error| Failure::failed(file.label(), error))? else {
            break;
        };
        lines.event(source, &step, &mut out).map_err(failed)?;
    }
    lines.end(&mut out).map_err(failed)?;
    Ok(Counts::default())
}

fn report(
    arguments: &BenchArguments,
    file: &InputFile,
    bytes: u64,
    counts: Counts,
    readings: &[Reading<'_>],
    best: &[Option<Duration>],
) -> Result<(), Failure> {
    let spans = readings.iter().zip(best).filter_map(|(reading, span)| {
        let seconds = (*span)?.as_secs_f64().max(1e-9);
        Some((
            reading.name(),
            rate(bytes, seconds) / 1e6,
            rate(counts.rows, seconds),
        ))
    });
    let spans: Vec<(String, f64, f64)> = spans.collect();
    if arguments.json {
        let readings: Vec<_> = spans
            .iter()
            .map(|(name, megabytes, rows)| {
                json!({"reading": name, "megabytes_per_second": megabytes, "rows_per_second": rows})
            })
            .collect();
        output::line(json!({
            "file": file.label(),
            "size": bytes,
            "events": counts.events,
            "rows": counts.rows,
            "readings": readings,
        }))?;
        return Ok(());
    }
    output::line(format_args!(
        "{}: {bytes} bytes, {} events, {} rows",
        file.label(),
        counts.events,
        counts.rows
    ))?;
    let peer = spans
        .get(Depth::ALL.len() + 1)
        .map(|(_, megabytes, _)| *megabytes);
    for (name, megabytes, rows) in spans {
        let ratio = peer.map_or_else(String::new, |peer| format!("{:>8.1}x", megabytes / peer));
        output::line(format_args!(
            "  {name:<24} {megabytes:>9.1} MB/s {rows:>12.0} rows/s{ratio}"
        ))?;
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is shown with a few digits"
)]
fn rate(count: u64, seconds: f64) -> f64 {
    count as f64 / seconds
}
