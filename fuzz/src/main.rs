//! Feeds mutants to every decoder: `cargo run --profile fuzz -p fuzz -- --inputs 10000000 --seed 1`.
//!
//! The work is done in a child process, so that a stack overflow or an abort is a finding like any
//! other: the child says which block of inputs each worker is in, and a second child repeats those
//! inputs one by one until it dies too. Exit status 1 when something was found.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::time::Duration;
use std::{env, fs, thread};

use clap::Parser;
use fuzz::allocation::Counting;
use fuzz::corpus::Corpus;
use fuzz::report::{EXIT_FINDINGS, Findings, Problem, keep_panics};
use fuzz::runner::{self, BLOCK, Options, Prepared};
use fuzz::targets::{self, Target};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Feeds mutants of real binlogs, packets, texts and options to every decoder.
#[derive(Debug, Clone, Parser)]
struct Arguments {
    /// Number of inputs.
    #[arg(long, default_value_t = 1_000_000)]
    inputs: u64,
    /// Seed: the same one makes the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after this many seconds, whatever was run.
    #[arg(long)]
    seconds: Option<u64>,
    /// Only these targets.
    #[arg(long = "target", value_name = "NAME")]
    targets: Vec<String>,
    /// Worker threads; the machine's by default.
    #[arg(long)]
    threads: Option<usize>,
    /// A directory of more binlogs to make seeds of.
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,
    /// Where inputs that break a rule are written.
    #[arg(long, value_name = "DIR", default_value = "target/fuzz-findings")]
    findings: PathBuf,
    /// Number of the first input.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only run the input in this file, on the one --target.
    #[arg(long, value_name = "FILE")]
    input: Option<PathBuf>,
    /// Only run the seeds as they are, and list those that do not decode.
    #[arg(long)]
    seeds: bool,
    /// Only the sums of each target.
    #[arg(long)]
    quiet: bool,
    #[arg(long, hide = true)]
    progress: Option<PathBuf>,
    #[arg(long, hide = true)]
    trace: Option<PathBuf>,
}

fn main() -> io::Result<ExitCode> {
    let arguments = Arguments::parse();
    let targets = chosen(&arguments.targets)?;
    if let (Some(path), [target]) = (&arguments.input, &targets[..]) {
        return one(target, path);
    }
    let mut corpus = Corpus::of_project()?;
    if let Some(directory) = &arguments.corpus {
        corpus.add_directory(directory)?;
    }
    let prepare = |target: &&'static Target| Prepared::new(target, &corpus);
    if arguments.seeds {
        let targets: Vec<_> = targets.iter().map(prepare).collect();
        return run_seeds(&targets);
    }
    if arguments.progress.is_none() && arguments.trace.is_none() {
        return supervise(&arguments);
    }
    let targets: Vec<_> = targets.iter().map(prepare).collect();
    keep_panics();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        seed: arguments.seed,
        from: arguments.from,
        inputs: arguments.inputs,
        time: arguments.seconds.map(Duration::from_secs),
        threads: arguments.threads.unwrap_or(threads),
        findings: arguments.findings,
        progress: arguments.progress,
        trace: arguments.trace,
    };
    let (counts, findings) = runner::run(&targets, &options)?;
    let mut out = io::stdout().lock();
    if options.trace.is_none() {
        counts.write(&mut out, !arguments.quiet)?;
    }
    findings.write_summary(&mut out)?;
    Ok(status(&findings))
}

fn status(findings: &Findings) -> ExitCode {
    if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(u8::try_from(EXIT_FINDINGS).unwrap_or(1))
    }
}

fn chosen(names: &[String]) -> io::Result<Vec<&'static Target>> {
    if names.is_empty() {
        return Ok(targets::ALL.iter().collect());
    }
    let unknown = |name: &str| {
        let known: Vec<_> = targets::ALL.iter().map(|target| target.name).collect();
        io::Error::other(format!("no target {name}; there are {}", known.join(", ")))
    };
    let find = |name: &String| targets::find(name).ok_or_else(|| unknown(name));
    names.iter().map(find).collect()
}

/// Runs one file and lets it panic.
fn one(target: &Target, path: &Path) -> io::Result<ExitCode> {
    let bytes = fs::read(path)?;
    let (verdict, usage) = fuzz::allocation::measure(|| (target.run)(&bytes));
    writeln!(io::stdout(), "{verdict:?}, {usage:?}")?;
    Ok(ExitCode::SUCCESS)
}

fn run_seeds(targets: &[Prepared]) -> io::Result<ExitCode> {
    let mut out = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    keep_panics();
    for prepared in targets {
        for (label, seeds) in &prepared.groups {
            for (index, seed) in seeds.iter().enumerate() {
                let (verdict, _, problem) = runner::judge(prepared.target, &seed.input());
                let name = prepared.target.name;
                if let Some(problem) = problem {
                    code = ExitCode::FAILURE;
                    writeln!(out, "{name} {label} {index}: {problem}")?;
                } else if verdict == targets::Verdict::Refused {
                    writeln!(out, "{name} {label} {index}: refused")?;
                }
            }
        }
    }
    Ok(code)
}

/// Runs a child that does the work, and finds out what killed it if something did.
fn supervise(arguments: &Arguments) -> io::Result<ExitCode> {
    fs::create_dir_all(&arguments.findings)?;
    let progress = arguments
        .findings
        .join(format!("progress-{}", std::process::id()));
    let status = child(arguments, &["--progress".as_ref(), progress.as_os_str()])?;
    let blocks = fs::read(&progress).unwrap_or_default();
    fs::remove_file(&progress)?;
    if let Some(code) = status.code() {
        return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
    }
    let findings = Findings::new(arguments.findings.clone());
    for block in blocks.chunks_exact(8) {
        let first = block
            .first_chunk()
            .map_or(0, |bytes| u64::from_le_bytes(*bytes));
        if let Some(from) = first.checked_sub(1) {
            pinpoint(arguments, from, &findings)?;
        }
    }
    let mut out = io::stdout().lock();
    writeln!(out, "the worker process died: {status}")?;
    findings.write_summary(&mut out)?;
    Ok(ExitCode::FAILURE)
}

/// Repeats a block one input at a time; the last that was written down is the one that kills.
fn pinpoint(arguments: &Arguments, from: u64, findings: &Findings) -> io::Result<()> {
    let trace = arguments
        .findings
        .join(format!("trace-{}.bin", std::process::id()));
    let again = Arguments {
        from,
        inputs: BLOCK,
        threads: Some(1),
        seconds: None,
        ..arguments.clone()
    };
    let status = child(&again, &["--trace".as_ref(), trace.as_os_str()])?;
    if status.code().is_none() {
        let bytes = fs::read(&trace)?;
        let target = fs::read_to_string(trace.with_extension("target"))?;
        findings.add(&target, from, &bytes, Problem::Death(status.to_string()))?;
    }
    fs::remove_file(trace.with_extension("target"))?;
    fs::remove_file(trace)
}

fn child(arguments: &Arguments, more: &[&std::ffi::OsStr]) -> io::Result<ExitStatus> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--inputs".to_owned(), arguments.inputs.to_string()]);
    command.args(["--seed".to_owned(), arguments.seed.to_string()]);
    command.args(["--from".to_owned(), arguments.from.to_string()]);
    command.arg("--findings").arg(&arguments.findings);
    for target in &arguments.targets {
        command.args(["--target", target]);
    }
    if let Some(threads) = arguments.threads {
        command.args(["--threads".to_owned(), threads.to_string()]);
    }
    if let Some(seconds) = arguments.seconds {
        command.args(["--seconds".to_owned(), seconds.to_string()]);
    }
    if arguments.quiet {
        command.arg("--quiet");
    }
    if let Some(corpus) = &arguments.corpus {
        command.arg("--corpus").arg(corpus);
    }
    command.args(more).status()
}
