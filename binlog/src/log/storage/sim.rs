//! [`Storage`] in memory that can lose power: what was written is kept apart from what is durable.
//!
//! The model of a disk: bytes and lengths become durable by `sync` of the file, names by
//! `sync_dir`. At a power loss the file system may have persisted any prefix of the unsynced
//! directory changes, and of each file any prefix of its unsynced writes, the last of them torn in
//! the middle and its final sectors possibly holding zeros or old garbage. Space can run out, a
//! device can fail, and a countdown stops the machine in the middle of any operation.
//!
//! Deterministic: the same calls and seeds give the same bytes.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Storage, StorageFile};

/// What stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrashKind {
    /// Only the process: what it wrote is in the page cache and stays, still not durable.
    Process,
    /// The machine: unsynced bytes and names survive in part, as the seed decides.
    Power,
}

/// A simulated directory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct SimStorage {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default, Clone)]
struct State {
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
    pending_names: Vec<NameChange>,
    files: BTreeMap<u64, Image>,
    next_file: u64,
    random: Random,
    /// Bytes that may still be added before the disk is full.
    space: Option<u64>,
    /// Mutating operations until the machine stops; that one is done in part.
    stops_after: Option<u64>,
    stopped: bool,
    failing_syncs: u32,
    failing_writes: u32,
    short_writes: bool,
}

#[derive(Debug, Clone)]
enum NameChange {
    Set(String, u64),
    Rename(String, String),
    Remove(String),
}

#[derive(Debug, Default, Clone)]
struct Image {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write(u64, Vec<u8>),
    Truncate(u64),
}

/// A small generator (splitmix64), so that this crate needs no other.
#[derive(Debug, Default, Clone)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `0..=most`.
    fn up_to(&mut self, most: usize) -> usize {
        let bound = (most as u64).saturating_add(1);
        usize::try_from(self.next() % bound.max(1)).unwrap_or(most)
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.next().is_multiple_of(n)
    }
}

fn stopped() -> io::Error {
    io::Error::other("the simulated machine has stopped")
}

fn not_found(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("{name} does not exist"))
}

impl Image {
    fn apply(bytes: &mut Vec<u8>, change: &Change) {
        match change {
            Change::Write(offset, data) => {
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let end = start.saturating_add(data.len());
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                if let Some(target) = bytes.get_mut(start..end) {
                    target.copy_from_slice(data);
                }
            }
            Change::Truncate(len) => bytes.truncate(usize::try_from(*len).unwrap_or(usize::MAX)),
        }
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.live, &change);
        self.pending.push(change);
    }

    fn sync(&mut self) {
        self.durable.clone_from(&self.live);
        self.pending.clear();
    }

    /// What is left after a power loss.
    fn survivor(&self, random: &mut Random) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        let whole = random.up_to(self.pending.len());
        for change in self.pending.iter().take(whole) {
            Self::apply(&mut bytes, change);
        }
        if let Some(Change::Write(offset, data)) = self.pending.get(whole) {
            let kept = data.get(..random.up_to(data.len())).unwrap_or_default();
            Self::apply(&mut bytes, &Change::Write(*offset, kept.to_vec()));
        }
        if bytes.len() > self.durable.len() && random.one_in(3) {
            // The size reached the disk, the last sectors did not: zeros or what lay there before.
            let unsynced = bytes.len() - self.durable.len();
            let lost = random.up_to(unsynced.min(4096));
            let filler = if random.one_in(2) { 0 } else { 0xa5 };
            let from = bytes.len() - lost;
            if let Some(tail) = bytes.get_mut(from..) {
                tail.fill(filler);
            }
        }
        bytes
    }
}

impl State {
    fn name_change(names: &mut BTreeMap<String, u64>, change: &NameChange) {
        match change {
            NameChange::Set(name, id) => {
                names.insert(name.clone(), *id);
            }
            NameChange::Rename(from, to) => {
                if let Some(id) = names.remove(from) {
                    names.insert(to.clone(), id);
                }
            }
            NameChange::Remove(name) => {
                names.remove(name);
            }
        }
    }

    fn rename_live(&mut self, change: NameChange) {
        Self::name_change(&mut self.names, &change);
        self.pending_names.push(change);
    }

    /// Counts a mutating operation; `Ok(true)` means that it is the last one and is done in part.
    fn step(&mut self) -> io::Result<bool> {
        if self.stopped {
            return Err(stopped());
        }
        if let Some(left) = &mut self.stops_after {
            if *left == 0 {
                self.stopped = true;
                return Ok(true);
            }
            *left -= 1;
        }
        Ok(false)
    }

    fn id(&self, name: &str) -> io::Result<u64> {
        if self.stopped {
            return Err(stopped());
        }
        self.names.get(name).copied().ok_or_else(|| not_found(name))
    }
}

impl SimStorage {
    /// An empty disk.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let storage = Self::default();
        storage.lock().random = Random(seed);
        storage
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk as the next start finds it. The old handle keeps the old, stopped machine.
    #[must_use]
    pub fn crash(&self, kind: CrashKind, seed: u64) -> Self {
        let mut state = self.lock();
        state.stopped = true;
        let mut next = state.clone();
        next.random = Random(seed);
        next.stopped = false;
        next.stops_after = None;
        (next.failing_syncs, next.failing_writes) = (0, 0);
        if kind == CrashKind::Power {
            let mut names = next.durable_names.clone();
            let kept = next.random.up_to(next.pending_names.len());
            for change in next.pending_names.iter().take(kept) {
                State::name_change(&mut names, change);
            }
            next.pending_names.clear();
            next.names.clone_from(&names);
            next.durable_names = names;
            let State { files, random, .. } = &mut next;
            for image in files.values_mut() {
                let survivor = image.survivor(random);
                *image = Image {
                    live: survivor.clone(),
                    durable: survivor,
                    pending: Vec::new(),
                };
            }
        }
        Self {
            state: Arc::new(Mutex::new(next)),
        }
    }

    /// A disk with what is durable on this one and nothing else. This machine goes on.
    #[must_use]
    pub fn durable(&self) -> Self {
        let mut copy = self.lock().clone();
        copy.names.clone_from(&copy.durable_names);
        copy.pending_names.clear();
        for image in copy.files.values_mut() {
            image.live.clone_from(&image.durable);
            image.pending.clear();
        }
        (copy.stopped, copy.stops_after, copy.space) = (false, None, None);
        (copy.failing_syncs, copy.failing_writes) = (0, 0);
        Self {
            state: Arc::new(Mutex::new(copy)),
        }
    }

    /// Lets the machine stop in the middle of the mutating operation after the next `operations`.
    pub fn stop_after(&self, operations: u64) {
        self.lock().stops_after = Some(operations);
    }

    /// Whether the machine has stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.lock().stopped
    }

    /// Leaves room for `bytes` more; `None` for an endless disk.
    pub fn set_space(&self, bytes: Option<u64>) {
        self.lock().space = bytes;
    }

    /// Fails the next `count` syncs with an I/O error; what was to be synced stays unsynced.
    pub fn fail_syncs(&self, count: u32) {
        self.lock().failing_syncs = count;
    }

    /// Fails the next `count` writes with an I/O error.
    pub fn fail_writes(&self, count: u32) {
        self.lock().failing_writes = count;
    }

    /// Makes writes take less than they are given now and then.
    pub fn set_short_writes(&self, on: bool) {
        self.lock().short_writes = on;
    }

    /// Flips bits of one byte, live and durable, as a decaying disk does.
    pub fn damage(&self, name: &str, offset: usize, mask: u8) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.id(name)?;
        if let Some(image) = state.files.get_mut(&id) {
            for bytes in [&mut image.live, &mut image.durable] {
                if let Some(byte) = bytes.get_mut(offset) {
                    *byte ^= mask;
                }
            }
        }
        Ok(())
    }

    fn handle(&self, id: u64) -> Box<dyn StorageFile> {
        Box::new(SimFile {
            state: Arc::clone(&self.state),
            id,
        })
    }
}

impl Storage for SimStorage {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let mut state = self.lock();
        if state.step()? {
            return Err(stopped());
        }
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = state.next_file;
        state.next_file += 1;
        state.files.insert(id, Image::default());
        state.rename_live(NameChange::Set(name.to_owned(), id));
        Ok(self.handle(id))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let id = self.lock().id(name)?;
        Ok(self.handle(id))
    }

    fn open_read(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.open(name)
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let state = self.lock();
        if state.stopped {
            return Err(stopped());
        }
        Ok(state.names.keys().cloned().collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.id(from)?;
        let last = state.step()?;
        state.rename_live(NameChange::Rename(from.to_owned(), to.to_owned()));
        if last { Err(stopped()) } else { Ok(()) }
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        state.id(name)?;
        let last = state.step()?;
        state.rename_live(NameChange::Remove(name.to_owned()));
        if last { Err(stopped()) } else { Ok(()) }
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.lock();
        if state.step()? {
            return Err(stopped());
        }
        state.pending_names.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct SimFile {
    state: Arc<Mutex<State>>,
    id: u64,
}

impl SimFile {
    fn with<T>(&self, f: impl FnOnce(&mut State, u64) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.stopped {
            return Err(stopped());
        }
        f(&mut state, self.id)
    }
}

fn image(state: &mut State, id: u64) -> io::Result<&mut Image> {
    state
        .files
        .get_mut(&id)
        .ok_or_else(|| io::ErrorKind::NotFound.into())
}

impl StorageFile for SimFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|state, id| {
            let live = &image(state, id)?.live;
            let start = usize::try_from(offset)
                .unwrap_or(usize::MAX)
                .min(live.len());
            let source = live.get(start..).unwrap_or_default();
            let len = source.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..len), source.get(..len)) {
                to.copy_from_slice(from);
            }
            Ok(len)
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.with(|state, id| {
            if state.failing_writes > 0 {
                state.failing_writes -= 1;
                return Err(io::Error::other("simulated I/O error while writing"));
            }
            let last = state.step()?;
            let mut len = bytes.len();
            if len > 1 && (last || (state.short_writes && state.random.one_in(4))) {
                len = state.random.up_to(len - 1).max(usize::from(!last));
            }
            let live = image(state, id)?.live.len() as u64;
            if let Some(space) = state.space {
                let end = offset.saturating_add(len as u64);
                let growth = end.saturating_sub(live);
                if growth > space {
                    len = len.saturating_sub(usize::try_from(growth - space).unwrap_or(usize::MAX));
                    if len == 0 {
                        return Err(io::ErrorKind::StorageFull.into());
                    }
                }
                let end = offset.saturating_add(len as u64);
                state.space = Some(space.saturating_sub(end.saturating_sub(live)));
            }
            let written = bytes.get(..len).unwrap_or_default().to_vec();
            image(state, id)?.change(Change::Write(offset, written));
            if last { Err(stopped()) } else { Ok(len) }
        })
    }

    fn len(&self) -> io::Result<u64> {
        self.with(|state, id| Ok(image(state, id)?.live.len() as u64))
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.with(|state, id| {
            let last = state.step()?;
            let freed = (image(state, id)?.live.len() as u64).saturating_sub(len);
            image(state, id)?.change(Change::Truncate(len));
            state.space = state.space.map(|space| space.saturating_add(freed));
            if last { Err(stopped()) } else { Ok(()) }
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|state, id| {
            if state.failing_syncs > 0 {
                state.failing_syncs -= 1;
                return Err(io::Error::other("simulated I/O error while syncing"));
            }
            if state.step()? {
                return Err(stopped());
            }
            image(state, id)?.sync();
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read_small, replace_file, write_all_at};
    use super::*;

    fn content(storage: &SimStorage, name: &str) -> Option<Vec<u8>> {
        read_small(storage, name, 1 << 20).ok()
    }

    #[test]
    fn synced_bytes_and_names_survive_every_power_loss() {
        for seed in 0..200 {
            let storage = SimStorage::new(seed);
            let file = storage.create("log").unwrap();
            write_all_at(file.as_ref(), 0, b"durable").unwrap();
            file.sync().unwrap();
            storage.sync_dir().unwrap();
            write_all_at(file.as_ref(), 7, b" and not").unwrap();
            let after = content(&storage.crash(CrashKind::Power, seed), "log").unwrap();
            assert!(after.starts_with(b"durable"), "seed {seed}: {after:?}");
            assert!(after.len() <= 15);
        }
    }

    #[test]
    fn an_unsynced_name_is_lost_by_some_seed_and_kept_by_another() {
        let outcomes: Vec<bool> = (0..50)
            .map(|seed| {
                let storage = SimStorage::new(0);
                storage.create("log").unwrap().sync().unwrap();
                content(&storage.crash(CrashKind::Power, seed), "log").is_some()
            })
            .collect();
        assert!(outcomes.contains(&true) && outcomes.contains(&false));
    }

    #[test]
    fn a_killed_process_loses_nothing_it_wrote() {
        let storage = SimStorage::new(0);
        let file = storage.create("log").unwrap();
        write_all_at(file.as_ref(), 0, b"cached").unwrap();
        let after = storage.crash(CrashKind::Process, 1);
        assert_eq!(content(&after, "log").unwrap(), b"cached");
        assert!(file.sync().is_err(), "the old machine has stopped");
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_then_refuses() {
        let storage = SimStorage::new(0);
        let file = storage.create("log").unwrap();
        storage.set_space(Some(3));
        assert_eq!(file.write_at(0, b"abcd").unwrap(), 3);
        let error = file.write_at(3, b"d").unwrap_err();
        assert!(super::super::is_no_space(&error));
        file.truncate(1).unwrap();
        assert_eq!(file.write_at(1, b"xyz").unwrap(), 2);
    }

    #[test]
    fn a_replaced_file_holds_the_old_or_the_new_content_wherever_the_machine_stops() {
        for operations in 0..8 {
            for seed in 0..40 {
                let storage = SimStorage::new(seed);
                replace_file(&storage, "index", b"old").unwrap();
                storage.stop_after(operations);
                let result = replace_file(&storage, "index", b"newer");
                let found = content(&storage.crash(CrashKind::Power, seed), "index").unwrap();
                assert!(found == b"old" || found == b"newer", "{found:?}");
                assert!(result.is_err() || found == b"newer");
            }
        }
    }
}
