//! Runs mutants on all threads and judges each: no panic, no hang, no memory beyond the limit.
//!
//! Input `i` of a run depends on the seed, the targets and `i` only, so that a number is enough to
//! make it again. Inputs are handed out in blocks; before a block is begun its number is written to
//! the progress file, so that a process that dies leaves behind where it died.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

use crate::allocation::{self, Usage};
use crate::corpus::Corpus;
use crate::mutate::mutate;
use crate::random::Random;
use crate::report::{Counts, Findings, Problem, last_panic};
use crate::seeds::Seed;
use crate::targets::{Target, Verdict};

/// Inputs that are handed out at once.
pub const BLOCK: u64 = 256;

/// Longest time that one input may take.
pub const TIME_MAX: Duration = Duration::from_secs(1);

/// An input that takes this long never ends.
const HANG: Duration = Duration::from_secs(60);

/// What to run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Seed of all randomness.
    pub seed: u64,
    /// First input.
    pub from: u64,
    /// Number of inputs.
    pub inputs: u64,
    /// When to stop before all inputs were run.
    pub time: Option<Duration>,
    /// Worker threads.
    pub threads: usize,
    /// Where inputs that break a rule are written.
    pub findings: PathBuf,
    /// Where workers say which block they are in, 8 bytes each.
    pub progress: Option<PathBuf>,
    /// Where each input is written before it is run.
    pub trace: Option<PathBuf>,
}

/// A target with its seeds, by label.
pub struct Prepared {
    /// The target.
    pub target: &'static Target,
    /// Labels and seeds.
    pub groups: Vec<(String, Vec<Seed>)>,
}

impl Prepared {
    /// Makes the seeds of `target`.
    #[must_use]
    pub fn new(target: &'static Target, corpus: &Corpus) -> Self {
        let mut groups: Vec<(String, Vec<Seed>)> = Vec::new();
        for seed in (target.seeds)(corpus) {
            match groups.iter_mut().find(|(label, _)| *label == seed.label) {
                Some((_, seeds)) => seeds.push(seed),
                None => groups.push((seed.label.clone(), vec![seed])),
            }
        }
        groups.sort_by(|a, b| a.0.cmp(&b.0));
        Self { target, groups }
    }
}

/// An input, and what it was made of.
pub struct Input {
    /// Index of its target.
    pub target: usize,
    /// Index of its seed's label.
    pub group: usize,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Makes input `index` of a run.
#[must_use]
pub fn input(targets: &[Prepared], seed: u64, index: u64) -> Input {
    let mut random = Random::new(seed, index);
    let weights: usize = targets.iter().map(|prepared| prepared.target.weight).sum();
    let mut ticket = random.below(weights);
    let target = targets
        .iter()
        .position(|prepared| {
            let is_it = ticket < prepared.target.weight;
            ticket = ticket.saturating_sub(prepared.target.weight);
            is_it
        })
        .unwrap_or_default();
    let groups = targets
        .get(target)
        .map_or(&[][..], |prepared| &prepared.groups);
    let group = random.below(groups.len());
    let seeds = groups.get(group).map_or(&[][..], |(_, seeds)| seeds);
    let donors = random.pick(groups).map_or(&[][..], |(_, seeds)| seeds);
    let bytes = match random.pick(seeds) {
        Some(seed) => mutate(seed, donors, &mut random),
        None => Vec::new(),
    };
    Input {
        target,
        group,
        bytes,
    }
}

/// Runs one input and says what it broke.
pub fn judge(target: &Target, bytes: &[u8]) -> (Verdict, Usage, Option<Problem>) {
    let begin = Instant::now();
    let (result, usage) =
        allocation::measure(|| panic::catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))));
    let took = begin.elapsed();
    let (verdict, problem) = match result {
        Err(_) => (Verdict::Refused, Some(Problem::Panic(last_panic()))),
        Ok(verdict) if usage.exceeds(bytes.len()) => (verdict, Some(Problem::Memory(usage))),
        Ok(verdict) if took > TIME_MAX => (verdict, still_slow(target, bytes)),
        Ok(verdict) => (verdict, None),
    };
    (verdict, usage, problem)
}

/// A busy machine makes anything slow: only what is slow three times more is.
fn still_slow(target: &Target, bytes: &[u8]) -> Option<Problem> {
    let times = (0..3).map(|_| {
        let begin = Instant::now();
        let _ = panic::catch_unwind(AssertUnwindSafe(|| (target.run)(bytes)));
        begin.elapsed()
    });
    let least = times.min().unwrap_or_default();
    (least > TIME_MAX).then_some(Problem::Slow(least))
}

/// Runs `options` on `targets`.
///
/// # Errors
///
/// If the progress file or a finding cannot be written.
pub fn run(targets: &[Prepared], options: &Options) -> io::Result<(Counts, Findings)> {
    let progress = options.progress.as_ref().map(File::create).transpose()?;
    let counts = Counts::new(targets);
    let findings = Findings::new(options.findings.clone());
    let next_block = AtomicU64::new(0);
    let begin = Instant::now();
    let workers: Vec<Worker> = (0..options.threads).map(|_| Worker::default()).collect();
    let is_over = AtomicU64::new(0);
    thread::scope(|scope| {
        let mut running = Vec::new();
        for (number, worker) in workers.iter().enumerate() {
            let run = Run {
                targets,
                options,
                counts: &counts,
                findings: &findings,
                begin,
            };
            let (progress, next_block) = (progress.as_ref(), &next_block);
            running.push(scope.spawn(move || run.work(worker, number, progress, next_block)));
        }
        scope.spawn(|| watch(&workers, &is_over, begin, targets, options));
        let results = running.into_iter().map(|worker| worker.join());
        let results: Vec<_> = results.collect();
        is_over.store(1, Ordering::Relaxed);
        results
            .into_iter()
            .try_for_each(|result| result.unwrap_or(Err(io::ErrorKind::Other.into())))
    })?;
    counts.finish(begin.elapsed());
    Ok((counts, findings))
}

/// What the watchdog sees of a worker.
#[derive(Debug, Default)]
struct Worker {
    /// The input that runs, plus 1; 0 for none.
    index: AtomicU64,
    /// When it began, in milliseconds since the run did.
    began: AtomicU64,
}

struct Run<'a> {
    targets: &'a [Prepared],
    options: &'a Options,
    counts: &'a Counts,
    findings: &'a Findings,
    begin: Instant,
}

impl Run<'_> {
    fn work(
        &self,
        worker: &Worker,
        number: usize,
        progress: Option<&File>,
        next_block: &AtomicU64,
    ) -> io::Result<()> {
        loop {
            let block = next_block.fetch_add(1, Ordering::Relaxed);
            let first = block * BLOCK;
            let is_late = self
                .options
                .time
                .is_some_and(|time| self.begin.elapsed() > time);
            if first >= self.options.inputs || is_late || self.findings.are_enough() {
                return Ok(());
            }
            if let Some(progress) = progress {
                let at = self.options.from + first + 1;
                progress.write_all_at(&at.to_le_bytes(), number as u64 * 8)?;
            }
            for offset in first..(first + BLOCK).min(self.options.inputs) {
                self.one(worker, self.options.from + offset)?;
            }
            worker.index.store(0, Ordering::Relaxed);
        }
    }

    fn one(&self, worker: &Worker, index: u64) -> io::Result<()> {
        let input = input(self.targets, self.options.seed, index);
        let Some(prepared) = self.targets.get(input.target) else {
            return Ok(());
        };
        if let Some(trace) = &self.options.trace {
            fs::write(trace, &input.bytes)?;
            fs::write(trace.with_extension("target"), prepared.target.name)?;
        }
        let now = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        worker.began.store(now, Ordering::Relaxed);
        worker.index.store(index + 1, Ordering::Relaxed);
        let (verdict, usage, problem) = judge(prepared.target, &input.bytes);
        self.counts.add(&input, verdict, usage);
        match problem {
            Some(problem) => self
                .findings
                .add(prepared.target.name, index, &input.bytes, problem),
            None => Ok(()),
        }
    }
}

/// Ends the process when an input does not end. The input is written down first.
fn watch(
    workers: &[Worker],
    is_over: &AtomicU64,
    begin: Instant,
    targets: &[Prepared],
    options: &Options,
) {
    while is_over.load(Ordering::Relaxed) == 0 {
        thread::sleep(Duration::from_millis(100));
        for worker in workers {
            let index = worker.index.load(Ordering::Relaxed);
            let began = Duration::from_millis(worker.began.load(Ordering::Relaxed));
            if index == 0 || begin.elapsed().saturating_sub(began) < HANG {
                continue;
            }
            let input = input(targets, options.seed, index - 1);
            let name = targets
                .get(input.target)
                .map_or("", |prepared| prepared.target.name);
            let findings = Findings::new(options.findings.clone());
            let _ = findings.add(name, index - 1, &input.bytes, Problem::Slow(HANG));
            let _ = findings.write_summary(&mut io::stderr());
            std::process::exit(crate::report::EXIT_FINDINGS);
        }
    }
}
