//! A command run to its end: what it printed, how long it took and how much memory it held at most.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result, ensure};
use crate::wait;

/// Longer than any command of a test takes.
const LIMIT: Duration = Duration::from_secs(3600);

/// How a command ended.
#[derive(Debug)]
pub struct Measured {
    /// Its exit status.
    pub status: ExitStatus,
    /// The most memory that was resident at once, in bytes, by the kernel's own count (`VmHWM`).
    pub peak_bytes: u64,
    /// How long it ran.
    pub took: Duration,
    /// Bytes on stdout.
    pub printed: u64,
    /// Text on stderr.
    pub complaints: String,
}

/// Runs `command` and gives its stdout to `consume` piece by piece, as it comes.
///
/// # Errors
/// When it cannot be started, or its memory cannot be seen even once.
pub fn run(command: &mut Command, consume: &mut dyn FnMut(&[u8])) -> Result<Measured> {
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::from(error).during(format!("start {command:?}")))?;
    let ended = AtomicBool::new(false);
    let id = child.id();
    let (printed, complaints, peak) = std::thread::scope(|scope| {
        let peak = scope.spawn(|| watch(id, &ended));
        let mut stderr = child.stderr.take();
        let complaints = scope.spawn(move || {
            let mut text = Vec::new();
            let read = stderr.as_mut().map(|pipe| pipe.read_to_end(&mut text));
            read.transpose().map(|_| text)
        });
        let printed = drain(&mut child, consume);
        let complaints = complaints.join();
        ended.store(true, Ordering::Relaxed);
        (printed, complaints, peak.join())
    });
    let gone = |_| Failure::new("a thread of the measurement ended");
    let complaints = complaints.map_err(gone)??;
    let measured = Measured {
        status: child.wait()?,
        peak_bytes: peak.map_err(gone)?,
        took: started.elapsed(),
        printed: printed?,
        complaints: String::from_utf8_lossy(&complaints).into_owned(),
    };
    ensure(measured.peak_bytes > 0, || {
        format!("{command:?} ended before its memory was seen: {measured:?}")
    })?;
    Ok(measured)
}

fn drain(child: &mut Child, consume: &mut dyn FnMut(&[u8])) -> Result<u64> {
    let mut stdout = child
        .stdout
        .take()
        .ok_or_else(|| Failure::new("no stdout"))?;
    let mut piece = vec![0; 1 << 20];
    let mut printed = 0;
    loop {
        let read = stdout.read(&mut piece)?;
        if read == 0 {
            return Ok(printed);
        }
        printed += read as u64;
        consume(piece.get(..read).unwrap_or_default());
    }
}

/// The high-water mark of a process, looked at until it has `ended`.
fn watch(id: u32, ended: &AtomicBool) -> u64 {
    let mut peak = 0;
    // The mark never falls, so that the last look is what counts.
    let _ = wait::blocking_until(LIMIT, || {
        peak = peak.max(high_water(id));
        Ok(ended.load(Ordering::Relaxed).then_some(()))
    });
    peak
}

fn high_water(id: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.map_or(0, |kilobytes| kilobytes * 1024)
}
