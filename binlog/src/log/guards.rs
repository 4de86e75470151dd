//! Which files are in use by someone, so that purge leaves them alone.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::name::LogFileName;

/// The files that readers hold. Clones share the registry.
///
/// Hold first, then look whether the index lists the file: a purge that ran in between removed it
/// from the index, and one that comes later sees the guard.
#[derive(Debug, Clone, Default)]
pub struct FileGuards {
    held: Arc<Mutex<Held>>,
}

#[derive(Debug, Default)]
struct Held {
    next: u64,
    files: BTreeMap<u64, LogFileName>,
}

impl FileGuards {
    /// A registry without guards.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps `file` and every later one until the guard is dropped or moved on.
    #[must_use]
    pub fn hold(&self, file: LogFileName) -> FileGuard {
        let mut held = self.lock();
        let id = held.next;
        held.next = id.wrapping_add(1);
        held.files.insert(id, file);
        FileGuard {
            guards: self.clone(),
            id,
        }
    }

    /// The oldest file that someone holds.
    #[must_use]
    pub fn oldest(&self) -> Option<LogFileName> {
        self.lock().files.values().min().cloned()
    }

    /// How many guards hold `file` or an earlier one.
    #[must_use]
    pub fn holders_up_to(&self, file: &LogFileName) -> usize {
        self.lock()
            .files
            .values()
            .filter(|held| *held <= file)
            .count()
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a file, and every later one, from being purged.
#[derive(Debug)]
pub struct FileGuard {
    guards: FileGuards,
    id: u64,
}

impl FileGuard {
    /// Holds `file` instead of the one held so far.
    pub fn move_to(&self, file: LogFileName) {
        self.guards.lock().files.insert(self.id, file);
    }
}

impl Drop for FileGuard {
    fn drop(&mut self) {
        self.guards.lock().files.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_held_file_is_the_limit_until_its_guard_goes() {
        let guards = FileGuards::new();
        let file = |number| LogFileName::new("b", number);
        let first = guards.hold(file(3));
        let second = guards.hold(file(5));
        assert_eq!(guards.oldest(), Some(file(3)));
        first.move_to(file(7));
        assert_eq!(guards.oldest(), Some(file(5)));
        assert_eq!(guards.holders_up_to(&file(6)), 1);
        drop(second);
        drop(first);
        assert_eq!(guards.oldest(), None);
    }
}
