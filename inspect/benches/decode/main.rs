//! How fast logs are decoded, beside the tools that others use for it.
//!
//! ```text
//! cargo bench -p inspect                   both files, every reader
//! WEIR_MEGABYTES=50 cargo bench -p inspect smaller files
//! cargo bench -p inspect -- weir           only the readers with this in their name
//! ```
//! Two files are made: `wide`, rows of seven columns in row events of 8 KiB, and `narrow`,
//! transactions of one row. Each reader reads each file several times in turn, in one run; the best
//! time counts, and ratios are against `mysqlbinlog -v`. The real tools are taken from `WEIR_PEERS`
//! or `.peers` (see `scripts/peers`) or else from the PATH; one that is missing is named.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::cast_precision_loss,
    clippy::print_stdout,
    reason = "a bench fails by panicking and prints what it found"
)]

mod file;
mod readers;

use std::time::{Duration, Instant};

/// How often each reader reads each file.
const ROUNDS: usize = 3;

fn main() {
    let megabytes = std::env::var("WEIR_MEGABYTES").ok();
    let megabytes = megabytes.map_or(260, |text| text.parse().expect("a number of megabytes"));
    let folder = tempfile::tempdir().unwrap();
    let wide = file::wide(&folder.path().join("wide"), megabytes << 20);
    let narrow = file::narrow(&folder.path().join("narrow"), megabytes << 18);
    for made in [wide, narrow] {
        compare(&made);
    }
}

fn compare(made: &file::Made) {
    let bytes = std::fs::metadata(&made.path).unwrap().len();
    let megabytes = bytes as f64 / 1e6;
    println!(
        "\n{}: {megabytes:.1} MB, {} events, {} row images, checksums on",
        made.what, made.events, made.images
    );
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let mut readers = readers::all();
    readers.retain(|reader| {
        wanted
            .as_ref()
            .is_none_or(|text| reader.name().contains(text))
    });
    let mut best: Vec<Option<Duration>> = vec![None; readers.len()];
    for _ in 0..ROUNDS {
        for (reader, best) in readers.iter().zip(&mut best) {
            let begin = Instant::now();
            if reader.read(made) {
                let span = begin.elapsed();
                *best = Some(best.map_or(span, |best| best.min(span)));
            }
        }
    }
    let speed = |span: Duration| megabytes / span.as_secs_f64();
    let theirs = readers
        .iter()
        .zip(&best)
        .find(|(reader, _)| reader.name() == readers::MYSQLBINLOG)
        .and_then(|(_, best)| best.map(speed));
    println!(
        "{:<28} {:>9} {:>13} {:>14}",
        "", "MB/s", "images/s", "mysqlbinlog -v"
    );
    for (reader, best) in readers.iter().zip(best) {
        let Some(best) = best else {
            println!("{:<28} not found", reader.name());
            continue;
        };
        let images = made.images as f64 / best.as_secs_f64();
        let ratio = theirs.map_or("-".to_owned(), |theirs| {
            format!("{:.1}x", speed(best) / theirs)
        });
        println!(
            "{:<28} {:>9.0} {images:>13.0} {ratio:>14}",
            reader.name(),
            speed(best)
        );
    }
}
