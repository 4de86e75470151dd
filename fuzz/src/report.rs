//! What a run counted and what it found.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::panic;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::allocation::Usage;
use crate::runner::{Input, Prepared};
use crate::targets::Verdict;

/// Exit status of a run that found something.
pub const EXIT_FINDINGS: i32 = 1;

/// Findings of one kind at one place that are kept, and of all kinds before a run stops.
const PER_PLACE_MAX: usize = 3;
const PLACES_MAX: usize = 40;

/// Bytes of an input that are printed; the file has all.
const HEX_MAX: usize = 256;

/// A broken rule.
#[derive(Debug, Clone)]
pub enum Problem {
    /// The target panicked: where, and with what words.
    Panic(PanicNote),
    /// It allocated more than allowed.
    Memory(Usage),
    /// It took longer than allowed.
    Slow(Duration),
    /// The process died.
    Death(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panic(note) => write!(f, "panic at {}: {}", note.place, note.message),
            Self::Memory(usage) => write!(
                f,
                "allocated {} bytes at once and held {}",
                usage.largest, usage.peak
            ),
            Self::Slow(time) => write!(f, "took {} ms", time.as_millis()),
            Self::Death(how) => write!(f, "ended the process: {how}"),
        }
    }
}

/// What a panic said.
#[derive(Debug, Clone, Default)]
pub struct PanicNote {
    /// File and line.
    pub place: String,
    /// Its words, cut.
    pub message: String,
}

thread_local! {
    static LAST_PANIC: RefCell<PanicNote> = RefCell::default();
}

/// From now on panics are kept for [`last_panic`] instead of printed.
pub fn keep_panics() {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string);
        let mut message = info.payload_as_str().unwrap_or_default().to_owned();
        if let Some((end, _)) = message.char_indices().nth(2_000) {
            message.truncate(end);
        }
        let place = place.unwrap_or_default();
        LAST_PANIC.set(PanicNote { place, message });
    }));
}

/// What the last panic of this thread said.
#[must_use]
pub fn last_panic() -> PanicNote {
    LAST_PANIC.take()
}

/// Inputs by target and label.
pub struct Counts {
    rows: Vec<Vec<Row>>,
    /// Most bytes live at once, and the largest allocation.
    peak: AtomicU64,
    largest: AtomicU64,
    time: Mutex<Duration>,
}

struct Row {
    target: &'static str,
    label: String,
    seeds: usize,
    inputs: AtomicU64,
    decoded: AtomicU64,
}

impl Counts {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(targets: &[Prepared]) -> Self {
        let rows = targets.iter().map(|prepared| {
            let rows = prepared.groups.iter().map(|(label, seeds)| Row {
                target: prepared.target.name,
                label: label.clone(),
                seeds: seeds.len(),
                inputs: AtomicU64::new(0),
                decoded: AtomicU64::new(0),
            });
            rows.collect()
        });
        Self {
            rows: rows.collect(),
            peak: AtomicU64::new(0),
            largest: AtomicU64::new(0),
            time: Mutex::default(),
        }
    }

    /// Counts one input.
    pub fn add(&self, input: &Input, verdict: Verdict, usage: Usage) {
        if let Some(row) = self
            .rows
            .get(input.target)
            .and_then(|rows| rows.get(input.group))
        {
            row.inputs.fetch_add(1, Ordering::Relaxed);
            row.decoded
                .fetch_add(u64::from(verdict == Verdict::Decoded), Ordering::Relaxed);
        }
        self.peak.fetch_max(usage.peak, Ordering::Relaxed);
        self.largest.fetch_max(usage.largest, Ordering::Relaxed);
    }

    /// Notes how long the run took.
    pub fn finish(&self, time: Duration) {
        if let Ok(mut place) = self.time.lock() {
            *place = time;
        }
    }

    /// Inputs that were run.
    #[must_use]
    pub fn inputs(&self) -> u64 {
        let rows = self.rows.iter().flatten();
        rows.map(|row| row.inputs.load(Ordering::Relaxed)).sum()
    }

    /// Writes a line for each target, and before it for each of its labels if `all`.
    ///
    /// # Errors
    ///
    /// If `out` does not take it.
    pub fn write(&self, out: &mut dyn Write, all: bool) -> io::Result<()> {
        writeln!(
            out,
            "{:<12} {:<44} {:>5} {:>10} {:>10}",
            "target", "seeds of", "seeds", "inputs", "decoded"
        )?;
        for rows in &self.rows {
            let (mut seeds, mut inputs, mut decoded) = (0, 0, 0);
            for row in rows {
                let (ran, read) = (
                    row.inputs.load(Ordering::Relaxed),
                    row.decoded.load(Ordering::Relaxed),
                );
                if all {
                    writeln!(
                        out,
                        "{:<12} {:<44} {:>5} {ran:>10} {read:>10}",
                        row.target, row.label, row.seeds
                    )?;
                }
                seeds += row.seeds;
                inputs += ran;
                decoded += read;
            }
            let target = rows.first().map_or("", |row| row.target);
            writeln!(
                out,
                "{target:<12} {:<44} {seeds:>5} {inputs:>10} {decoded:>10}",
                "= all"
            )?;
        }
        let time = self.time.lock().map(|time| *time).unwrap_or_default();
        writeln!(
            out,
            "{} inputs in {:.1} s; most memory held by one {} KiB, largest allocation {} KiB",
            self.inputs(),
            time.as_secs_f64(),
            self.peak.load(Ordering::Relaxed) >> 10,
            self.largest.load(Ordering::Relaxed) >> 10,
        )
    }
}

/// Inputs that broke a rule.
pub struct Findings {
    directory: PathBuf,
    found: Mutex<BTreeMap<String, Vec<Finding>>>,
}

struct Finding {
    index: u64,
    problem: Problem,
    path: PathBuf,
    hex: String,
    len: usize,
    more: u64,
}

impl Findings {
    /// None yet; inputs are written below `directory`.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        let found = Mutex::default();
        Self { directory, found }
    }

    /// Keeps an input, unless enough of its kind are kept.
    ///
    /// # Errors
    ///
    /// If its file cannot be written.
    pub fn add(&self, target: &str, index: u64, bytes: &[u8], problem: Problem) -> io::Result<()> {
        let place = match &problem {
            Problem::Panic(note) => format!("{target}: panic at {}", note.place),
            Problem::Memory(_) => format!("{target}: memory"),
            Problem::Slow(_) => format!("{target}: time"),
            Problem::Death(_) => format!("{target}: death"),
        };
        let Ok(mut found) = self.found.lock() else {
            return Ok(());
        };
        let same = found.entry(place).or_default();
        if same.len() >= PER_PLACE_MAX {
            if let Some(last) = same.last_mut() {
                last.more += 1;
            }
            return Ok(());
        }
        fs::create_dir_all(&self.directory)?;
        let path = self.directory.join(format!("{target}-{index}.bin"));
        fs::write(&path, bytes)?;
        let head = bytes.iter().take(HEX_MAX);
        let hex = head.map(|byte| format!("{byte:02x}")).collect();
        same.push(Finding {
            index,
            problem,
            path,
            hex,
            len: bytes.len(),
            more: 0,
        });
        Ok(())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.lock().is_ok_and(|found| found.is_empty())
    }

    /// Whether more would not help.
    #[must_use]
    pub fn are_enough(&self) -> bool {
        self.found
            .lock()
            .is_ok_and(|found| found.len() >= PLACES_MAX)
    }

    /// Writes each finding with its input.
    ///
    /// # Errors
    ///
    /// If `out` does not take it.
    pub fn write_summary(&self, out: &mut dyn Write) -> io::Result<()> {
        let Ok(found) = self.found.lock() else {
            return Ok(());
        };
        for (place, findings) in found.iter() {
            writeln!(out, "FOUND {place}")?;
            for finding in findings {
                writeln!(out, "  input {}: {}", finding.index, finding.problem)?;
                writeln!(
                    out,
                    "  {} ({} bytes) {}",
                    finding.path.display(),
                    finding.len,
                    finding.hex
                )?;
                if finding.more > 0 {
                    writeln!(out, "  and {} more like it", finding.more)?;
                }
            }
        }
        writeln!(out, "{} kinds of findings", found.len())
    }
}
