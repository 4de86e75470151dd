//! `weir binlog stats`: what the input holds, in numbers.

mod json;
mod text;

use binlog::event::{ChecksumAlgorithm, FormatDescription};
use binlog::limits::Limits;
use inspect::filter::{FilterRun, Verdict};
use inspect::stats::{Stats, StopPlace};

use super::inputs::{InputFile, Inputs, Reader};
use super::progress::Progress;
use crate::arguments::StatsArguments;
use crate::exit::Failure;
use crate::output;

/// What one file holds.
struct Report {
    file: String,
    size: Option<u64>,
    description: Option<FormatDescription>,
    stats: Stats,
    error: Option<StopPlace>,
}

impl Report {
    fn is_checksummed(&self) -> bool {
        self.description
            .as_ref()
            .is_some_and(|head| head.checksum == ChecksumAlgorithm::Crc32)
    }
}

pub(super) fn run(arguments: &StatsArguments) -> Result<(), Failure> {
    let filter = arguments.filter.filter();
    let mut run = FilterRun::new(&filter);
    let mut inputs = Inputs::new(&arguments.input)?;
    let mut is_first = true;
    let mut is_whole = true;
    while let Some(input) = inputs.next_file()? {
        run.begin_file(input.is_first, input.is_last);
        let report = count(&input, &mut run, arguments.verify);
        is_whole &= report.error.is_none();
        if arguments.json {
            output::line(json::object(&report, arguments.top))?;
        } else {
            if !is_first {
                output::line("")?;
            }
            output::line(text::report(&report, arguments.top))?;
        }
        is_first = false;
    }
    if is_whole { Ok(()) } else { Err(Failure::Told) }
}

fn count(input: &InputFile, run: &mut FilterRun<'_>, verify: bool) -> Report {
    let mut report = Report {
        file: input.label().to_owned(),
        size: input.size(),
        description: None,
        stats: Stats::default(),
        error: None,
    };
    let stopped = match input.read_leniently() {
        Ok(mut reader) => count_events(&mut reader, run, &mut report),
        Err(error) => Err(StopPlace::of(&error, 0)),
    };
    report.stats.finish();
    report.error = stopped.err();
    if verify && let Some(&offset) = report.stats.crc_errors.first() {
        let wrong = StopPlace {
            offset,
            event: None,
            message: format!(
                "the checksum does not match the event's bytes ({} events)",
                report.stats.crc_error_count
            ),
        };
        report.error.get_or_insert(wrong);
    }
    report
}

fn count_events(
    reader: &mut Reader,
    run: &mut FilterRun<'_>,
    report: &mut Report,
) -> Result<(), StopPlace> {
    let limits = Limits::default();
    let mut progress = Progress::new(&report.file, report.size);
    report.description = Some(reader.stream().source().description().clone());
    let mut first = None;
    let mut last = None;
    loop {
        let step = match reader.next() {
            Ok(Some(step)) => step,
            Ok(None) => break,
            Err(error) => {
                let stop = StopPlace::of(&error, report.stats.end);
                // Behind a damaged size there is no next event: the same error comes again.
                if last.as_ref() == Some(&stop) || !pass(reader, &stop, &mut report.stats) {
                    return Err(first.unwrap_or(stop));
                }
                if reader.stream().source().is_checksum_ok() {
                    first.get_or_insert_with(|| stop.clone());
                }
                last = Some(stop);
                continue;
            }
        };
        match run.judge(&step) {
            Verdict::Show => {
                if let Err(stop) = report.stats.feed(&step, &limits) {
                    report.stats.feed_counted(&step, None);
                    // What a wrong checksum explains is no error of its own.
                    if step.checksum_ok {
                        first.get_or_insert(stop);
                    }
                }
            }
            Verdict::Hold | Verdict::Skip => {}
            Verdict::Stop => break,
        }
        progress.reach(step.place.end);
    }
    first.map_or(Ok(()), Err)
}

/// Counts the event that could not be decoded, if all of it is there; false if it is not.
fn pass(reader: &Reader, stop: &StopPlace, stats: &mut Stats) -> bool {
    let source = reader.stream().source();
    let Some((offset, event)) = source.current() else {
        return false;
    };
    if offset != stop.offset {
        return false;
    }
    // An event whose payload is damaged was counted before its inner events were read.
    if offset >= stats.end || stats.end == 0 {
        let crc_ok = source.is_checksum_ok();
        stats.feed_undecodable(&event.header, offset, source.next_offset(), crc_ok);
    }
    true
}
