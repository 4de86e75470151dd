//! How much memory the process takes, and whether more may be taken.
//!
//! What counts is what the system counts: the pages that are resident, whoever asked for them. Whoever
//! is about to take much asks here first, in steps; who begins something large finds less room than who
//! goes on with it, so that what was begun can end. Between steps nobody takes much. Invariant: all that
//! ask stay below [`LIMIT`] together, however many they are.
//!
//! Where the system does not say how much is resident, there is always room.

use std::fs::File;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that the process may take.
pub const LIMIT: usize = 256 << 20;

/// A step that need not ask.
pub const STEP: usize = 256 << 10;

/// What room is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To begin something large, which can wait.
    Begin,
    /// To go on with something that was begun.
    GoOn,
}

impl Purpose {
    /// Bytes up to which the process may grow for it. What is left above is for steps that do not ask.
    const fn ceiling(self) -> usize {
        match self {
            Self::Begin => LIMIT / 32 * 18,
            Self::GoOn => LIMIT / 32 * 27,
        }
    }
}

/// Bytes that were promised and do not show yet.
static PROMISED: AtomicUsize = AtomicUsize::new(0);

/// Bytes that somebody is about to take. They count twice while they are taken: once more as what is
/// resident.
#[derive(Debug)]
pub struct Promise {
    bytes: usize,
}

impl Promise {
    /// A promise of room, if there is as much.
    #[must_use]
    pub fn of(bytes: usize, purpose: Purpose) -> Option<Self> {
        let before = PROMISED.fetch_add(bytes, Ordering::AcqRel);
        let promise = Self { bytes };
        fits(before.saturating_add(bytes), purpose).then_some(promise)
    }

    /// Keeps no more than so many bytes.
    pub fn shrink(&mut self, bytes: usize) {
        let surplus = self.bytes.saturating_sub(bytes);
        self.bytes = self.bytes.saturating_sub(surplus);
        PROMISED.fetch_sub(surplus, Ordering::AcqRel);
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        PROMISED.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Whether so many more bytes may be taken now.
#[must_use]
pub fn has_room(bytes: usize, purpose: Purpose) -> bool {
    fits(
        PROMISED.load(Ordering::Acquire).saturating_add(bytes),
        purpose,
    )
}

fn fits(bytes: usize, purpose: Purpose) -> bool {
    resident().is_none_or(|resident| resident.saturating_add(bytes) <= purpose.ceiling())
}

/// Bytes of the process that are resident, if the system says.
#[must_use]
pub fn resident() -> Option<usize> {
    static COUNTS: OnceLock<Option<File>> = OnceLock::new();
    let file = COUNTS.get_or_init(|| File::open("/proc/self/statm").ok());
    let mut text = [0; 128];
    let len = read_anew(file.as_ref()?, &mut text)?;
    let text = std::str::from_utf8(text.get(..len)?).ok()?;
    let pages: usize = text.split_whitespace().nth(1)?.parse().ok()?;
    pages.checked_mul(PAGE)
}

/// Bytes of a page.
const PAGE: usize = 4096;

#[cfg(unix)]
fn read_anew(file: &File, into: &mut [u8]) -> Option<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, 0).ok()
}

#[cfg(not(unix))]
fn read_anew(_: &File, _: &mut [u8]) -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_shows_and_leaves_less_room() {
        let before = resident().unwrap();
        let bytes = vec![1_u8; 64 << 20];
        let after = resident().unwrap();
        assert!(after >= before + (60 << 20), "{before} {after}");
        assert!(!has_room(
            Purpose::GoOn.ceiling() - (32 << 20),
            Purpose::GoOn
        ));
        drop(bytes);

        let room = Purpose::Begin.ceiling() - resident().unwrap() - (8 << 20);
        let mut promise = Promise::of(room, Purpose::Begin).unwrap();
        assert!(Promise::of(16 << 20, Purpose::Begin).is_none());
        assert!(!has_room(16 << 20, Purpose::Begin));
        // There is more for who has begun.
        assert!(has_room(16 << 20, Purpose::GoOn));
        promise.shrink(0);
        drop(Promise::of(16 << 20, Purpose::Begin).unwrap());
        drop(promise);
        assert_eq!(PROMISED.load(Ordering::Acquire), 0);
    }
}
