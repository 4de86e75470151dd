//! Payload events that are too large to be held: their head, and the rest in pieces.
//!
//! In a file that can be read twice the checksum is verified before the event is shown. In one that
//! is read forward only it is computed as the pieces go by and compared behind the last one.

use crc32fast::Hasher;

use super::super::error::{Damage, LogError};
use super::window::{CHUNK, Window};
use crate::event::checksum;

/// Of a large event this much is held.
pub(super) const HEAD: usize = 4200;

/// A large event while it is the current one.
#[derive(Debug)]
pub(super) struct Large {
    /// Its first bytes.
    pub(super) head: Vec<u8>,
    offset: u64,
    size: u64,
    /// Bytes of it that a checksum covers: all of them, or all but the last four.
    covered: u64,
    running: Option<Running>,
}

/// A checksum that is computed as the event goes by.
#[derive(Debug)]
struct Running {
    hasher: Hasher,
    hashed: u64,
}

/// Why the pieces of a large event end early.
pub(super) enum LargeError {
    Io(std::io::Error),
    Damage(Damage),
}

impl From<std::io::Error> for LargeError {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

impl LargeError {
    pub(super) fn into_log_error(
        self,
        file: &super::LogFileName,
        at: impl FnOnce(Damage) -> LogError,
    ) -> LogError {
        match self {
            Self::Io(error) => LogError::io("reading", file.as_str(), error),
            Self::Damage(damage) => at(damage),
        }
    }
}

impl Large {
    /// Begins with the event of `size` bytes at `offset`, whose last `trailer` bytes are its
    /// checksum. The head must be in the window.
    pub(super) fn new(window: &Window, offset: u64, size: u64, trailer: usize) -> Self {
        let is_once = window.file().is_forward_only() && trailer > 0;
        Self {
            head: window.bytes(offset, HEAD).to_vec(),
            offset,
            size,
            covered: size.saturating_sub(trailer as u64),
            running: is_once.then(|| Running {
                hasher: Hasher::new(),
                hashed: 0,
            }),
        }
    }

    /// Reads the event once and compares its checksum. A file that is read forward only is left
    /// alone, and its events are taken as sound until their end.
    pub(super) fn verify(&self, window: &mut Window, end: Option<u64>) -> Result<bool, LargeError> {
        if self.covered == self.size || self.running.is_some() {
            return Ok(true);
        }
        let mut running = Running {
            hasher: Hasher::new(),
            hashed: 0,
        };
        self.hash_up_to(&mut running, self.covered, window, end)?;
        self.compare(running, window, end)
    }

    /// Bytes of the event from its byte `at`, one at least.
    pub(super) fn piece<'w>(
        &mut self,
        window: &'w mut Window,
        at: u64,
    ) -> Result<&'w [u8], LargeError> {
        if let Some(mut running) = self.running.take() {
            self.hash_up_to(&mut running, at.min(self.covered), window, None)?;
            self.running = Some(running);
        }
        let len = self.load(window, at, None)?;
        let bytes = window.bytes(self.offset.saturating_add(at), len);
        if let Some(running) = &mut self.running {
            let skip = running.hashed.saturating_sub(at);
            let until = self.covered.saturating_sub(at);
            let skip = usize::try_from(skip).unwrap_or(usize::MAX);
            let until = usize::try_from(until)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let fresh = bytes.get(skip..until).unwrap_or_default();
            running.hasher.update(fresh);
            running.hashed = running.hashed.saturating_add(fresh.len() as u64);
        }
        Ok(bytes)
    }

    /// What is left to do when the event is passed: reading what nobody asked for and comparing
    /// the checksum, if that was not done before. False: it is wrong.
    pub(super) fn finish(mut self, window: &mut Window) -> Result<bool, LargeError> {
        let Some(mut running) = self.running.take() else {
            return Ok(true);
        };
        self.hash_up_to(&mut running, self.covered, window, None)?;
        self.compare(running, window, None)
    }

    fn hash_up_to(
        &self,
        running: &mut Running,
        until: u64,
        window: &mut Window,
        end: Option<u64>,
    ) -> Result<(), LargeError> {
        while running.hashed < until {
            let len = self.load(window, running.hashed, end)?;
            let left = until.saturating_sub(running.hashed);
            let len = usize::try_from(left).map_or(len, |left| left.min(len));
            let at = self.offset.saturating_add(running.hashed);
            running.hasher.update(window.bytes(at, len));
            running.hashed = running.hashed.saturating_add(len as u64);
        }
        Ok(())
    }

    fn compare(
        &self,
        running: Running,
        window: &mut Window,
        end: Option<u64>,
    ) -> Result<bool, LargeError> {
        let at = self.offset.saturating_add(self.covered);
        let read = window.fill(at, checksum::LEN, end)?;
        match window.bytes(at, checksum::LEN).first_chunk() {
            Some(stored) => Ok(u32::from_le_bytes(*stored) == running.hasher.finalize()),
            None => Err(self.cut(self.covered.saturating_add(read as u64))),
        }
    }

    /// Brings a piece from `at` into memory; its length, one at least.
    fn load(&self, window: &mut Window, at: u64, end: Option<u64>) -> Result<usize, LargeError> {
        let left = self.size.saturating_sub(at);
        let len = usize::try_from(left).map_or(CHUNK, |left| left.min(CHUNK));
        let start = self.offset.saturating_add(at);
        // What is at hand will do; if nothing is, a chunk is read, and a pipe gives what it has.
        window.fill(start, len.min(1), end)?;
        match window.available(start).min(len) {
            0 => Err(self.cut(at)),
            read => Ok(read),
        }
    }

    const fn cut(&self, available: u64) -> LargeError {
        LargeError::Damage(Damage::Truncated {
            needed: self.size,
            available,
        })
    }
}
