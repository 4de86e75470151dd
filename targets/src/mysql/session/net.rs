//! What row changes come to, when nobody looks in between. Pure.
//!
//! Of a row that is inserted, updated five times and deleted nothing is left; of one that is updated
//! five times, one update. Rows are told apart by the bytes of their primary key. A change that does
//! not fit what is known of its row (an insert of one that is there) is not taken: what is there has to
//! be applied first, and the target then says of the change what it would have said.
//!
//! Keys and images lie in chunks; an image that is replaced by one that is no longer takes its place.

mod images;

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use binlog::event::EventHeader;
use binlog::row::{RowImages, RowPlan, RowsEvent, RowsFlags, RowsKind, TableMap};
use codec::DecodeError;
use hashbrown::HashTable;
use images::{Address, Images};

use super::super::lane_rule::KeyColumns;

/// Bytes that an entry takes beside what lies among the images, with its place in the table of keys.
const ENTRY: usize = 40;

/// What is known of a row: neither image if nothing is left of it.
#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    key: Address,
    before: Option<Address>,
    after: Option<Address>,
    lane: u8,
}

/// What one row's change could not be taken for.
#[derive(Debug)]
pub(super) enum NetError {
    /// It does not fit what is known of its row.
    Misfit,
    Decode(DecodeError),
}

impl From<DecodeError> for NetError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

/// Changes of one table.
#[derive(Debug)]
pub(super) struct NetTable {
    pub(super) database: String,
    pub(super) map: TableMap<'static>,
    pub(super) header: EventHeader,
    event: RowsEvent<'static>,
    key: Arc<KeyColumns>,
    plan: RowPlan,
    /// Places among the entries, by key.
    known: HashTable<u32>,
    state: RandomState,
    entries: Vec<Entry>,
    images: Images,
    /// The largest number that an insert took from the table's counter, and that row.
    highest: Option<Highest>,
    /// The key of an image that is looked at: of the row before, and of the row after.
    keys: [Vec<u8>; 2],
}

/// The row with the largest number of a table's counter.
#[derive(Debug, Clone, Copy)]
struct Highest {
    number: u64,
    /// Its place among the entries.
    entry: usize,
    image: Address,
}

/// A half of a change: a row that has to be there, one that comes to be there, or both.
#[derive(Debug, Clone, Copy)]
struct Half<'r> {
    hash: u64,
    key: &'r [u8],
    lane: usize,
    before: Option<&'r [u8]>,
    after: Option<&'r [u8]>,
}

impl NetTable {
    /// Begins with an event, none of whose rows are taken yet.
    pub(super) fn new(
        database: &str,
        map: &TableMap<'static>,
        header: EventHeader,
        event: &RowsEvent<'_>,
        key: Arc<KeyColumns>,
    ) -> Result<Self, DecodeError> {
        let mut own = event.without_rows();
        own.compression = None;
        // Partitions, which need not be those of the target.
        own.extra = Cow::Borrowed(&[]);
        Ok(Self {
            database: database.to_owned(),
            plan: RowPlan::new(map)?,
            map: map.clone(),
            header,
            event: own,
            key,
            known: HashTable::new(),
            state: RandomState::new(),
            entries: Vec::new(),
            images: Images::default(),
            highest: None,
            keys: [Vec::new(), Vec::new()],
        })
    }

    /// Whether rows of this event are laid out alike, and marked alike.
    pub(super) fn is_like(&self, map: &TableMap<'_>, event: &RowsEvent<'_>) -> bool {
        let marks = |event: &RowsEvent<'_>| event.flags.0 & !RowsFlags::STATEMENT_END.0;
        self.map.columns == map.columns
            && self.event.version == event.version
            && marks(&self.event) == marks(event)
    }

    /// Bytes held, about.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.entries.len().saturating_mul(ENTRY);
        self.images.bytes().saturating_add(entries)
    }

    /// Puts the key of an image into `key` and gives its lane.
    fn key(
        &self,
        image: &[u8],
        columns: &[u8],
        lanes: usize,
        key: &mut Vec<u8>,
    ) -> Result<usize, DecodeError> {
        let mut hash = self.key.hash();
        key.clear();
        let is_alone = self.key.columns.len() == 1;
        self.plan
            .each_cell(image, columns, &self.key.columns, |value| {
                hash.take(value);
                if !is_alone {
                    let len = u64::try_from(value.len()).unwrap_or(u64::MAX);
                    key.extend_from_slice(&len.to_le_bytes());
                }
                key.extend_from_slice(value);
            })?;
        Ok(hash.lane(lanes))
    }

    /// Takes a row of an event whose images are whole. `has` says which lanes have it already.
    pub(super) fn take(
        &mut self,
        event: &RowsEvent<'_>,
        row: RowImages<'_>,
        lanes: usize,
        has: impl Fn(usize) -> bool,
    ) -> Result<(), NetError> {
        let mut keys = std::mem::take(&mut self.keys);
        let taken = self.take_with(&mut keys, event, row, lanes, has);
        self.keys = keys;
        taken
    }

    fn take_with(
        &mut self,
        [was, is]: &mut [Vec<u8>; 2],
        event: &RowsEvent<'_>,
        row: RowImages<'_>,
        lanes: usize,
        has: impl Fn(usize) -> bool,
    ) -> Result<(), NetError> {
        let RowImages { before, after } = row;
        let (mut gone, mut come) = (None, None);
        if event.kind != RowsKind::Write {
            let lane = self.key(before, &event.before_columns, lanes, was)?;
            gone = Some(self.half(was, lane, Some(before), None));
        }
        if event.kind != RowsKind::Delete {
            let lane = self.key(after, &event.after_columns, lanes, is)?;
            come = Some(self.half(is, lane, None, Some(after)));
        }
        if let (Some(half), Some(other)) = (&mut gone, &come)
            && half.key == other.key
        {
            half.after = other.after;
            come = None;
        }
        let counted = match event.kind {
            // Servers since MySQL 8.0 count on from an update too; elsewhere a number is left out.
            RowsKind::Write | RowsKind::Update => self.counted(after, &event.after_columns)?,
            RowsKind::Delete => None,
        };
        let mut halves = [gone, come].map(|half| half.filter(|half| !has(half.lane)));
        // Either both halves of a move or none.
        for half in halves.iter().flatten() {
            let entry = self.entry(half).and_then(|at| self.entries.get(at));
            let is_misfit = |entry: &Entry| entry.after.is_some() != half.before.is_some();
            if entry.is_some_and(is_misfit) {
                return Err(NetError::Misfit);
            }
        }
        for half in halves.iter_mut().flatten() {
            // Whoever is at the end of addresses has long been handed out.
            self.put(half, counted).ok_or(NetError::Misfit)?;
        }
        Ok(())
    }

    fn half<'r>(
        &self,
        key: &'r [u8],
        lane: usize,
        before: Option<&'r [u8]>,
        after: Option<&'r [u8]>,
    ) -> Half<'r> {
        Half {
            hash: self.state.hash_one(key),
            key,
            lane,
            before,
            after,
        }
    }

    /// The place of a row among the entries.
    fn entry(&self, half: &Half<'_>) -> Option<usize> {
        let found = self.known.find(half.hash, |at| {
            let entry = usize::try_from(*at).ok();
            let entry = entry.and_then(|at| self.entries.get(at));
            entry.is_some_and(|entry| {
                entry.hash == half.hash && self.images.get(entry.key) == half.key
            })
        });
        found.and_then(|at| usize::try_from(*at).ok())
    }

    fn put(&mut self, half: &Half<'_>, counted: Option<u64>) -> Option<()> {
        let found = self.entry(half);
        let images = &mut self.images;
        let at = match found {
            Some(at) => {
                let entry = self.entries.get_mut(at)?;
                entry.after = match (entry.after, half.after) {
                    (_, None) => None,
                    (Some(address), Some(image)) => Some(images.replace(address, image)?),
                    (None, Some(image)) => Some(images.push(image)?),
                };
                at
            }
            None => {
                let mut push = |image: Option<&[u8]>| match image {
                    Some(image) => images.push(image).map(Some),
                    None => Some(None),
                };
                let entry = Entry {
                    hash: half.hash,
                    before: push(half.before)?,
                    after: push(half.after)?,
                    key: push(Some(half.key))??,
                    lane: u8::try_from(half.lane).ok()?,
                };
                let at = self.entries.len();
                self.entries.push(entry);
                let entries = &self.entries;
                let hash_of = |at: &u32| {
                    let entry = usize::try_from(*at).ok().and_then(|at| entries.get(at));
                    entry.map_or(0, |entry| entry.hash)
                };
                self.known
                    .insert_unique(half.hash, u32::try_from(at).ok()?, hash_of);
                at
            }
        };
        if let (Some(number), Some(image)) = (counted, half.after)
            && self.highest.is_none_or(|highest| highest.number < number)
        {
            let image = match self.highest {
                Some(highest) => self.images.replace(highest.image, image)?,
                None => self.images.push(image)?,
            };
            self.highest = Some(Highest {
                number,
                entry: at,
                image,
            });
        }
        Some(())
    }

    /// The number of an inserted row that the table counts on from.
    fn counted(&self, image: &[u8], columns: &[u8]) -> Result<Option<u64>, DecodeError> {
        let Some(counter) = self.key.counter else {
            return Ok(None);
        };
        let is_unsigned = self.map.columns.get(counter);
        let is_unsigned = is_unsigned.is_some_and(|column| column.unsigned == Some(true));
        let mut number = None;
        self.plan.each_cell(image, columns, &[counter], |value| {
            let mut bytes = [0; 8];
            let is_negative = value.last().is_some_and(|last| last & 0x80 != 0);
            if let Some(to) = bytes.get_mut(..value.len())
                && (is_unsigned || !is_negative)
            {
                to.copy_from_slice(value);
                number = Some(u64::from_le_bytes(bytes));
            }
        })?;
        Ok(number)
    }

    /// Hands out what is left, by lane in pieces of about `event_max` bytes of rows.
    pub(super) fn hand_out<E>(
        &self,
        lanes: usize,
        event_max: usize,
        mut give: impl FnMut(usize, &RowsEvent<'static>, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // A row that is gone again has moved the table's counter all the same.
        if let Some(highest) = &self.highest
            && let Some(entry) = self.entries.get(highest.entry)
            && entry.before.is_none()
            && entry.after.is_none()
        {
            for kind in [RowsKind::Write, RowsKind::Delete] {
                let image = self.images.get(highest.image);
                give(usize::from(entry.lane), &self.event_of(kind), image)?;
            }
        }
        for kind in [RowsKind::Delete, RowsKind::Update, RowsKind::Write] {
            let event = self.event_of(kind);
            let mut rows = vec![Vec::new(); lanes];
            for entry in &self.entries {
                let is_of = match (entry.before, entry.after) {
                    (Some(_), None) => RowsKind::Delete,
                    (Some(_), Some(_)) => RowsKind::Update,
                    (None, Some(_)) => RowsKind::Write,
                    (None, None) => continue,
                };
                let lane = usize::from(entry.lane);
                let Some(rows) = rows.get_mut(lane).filter(|_| is_of == kind) else {
                    continue;
                };
                let image = |at: Option<Address>| at.map_or(&[][..], |at| self.images.get(at));
                let (before, after) = (image(entry.before), image(entry.after));
                let size = before.len().saturating_add(after.len());
                if !rows.is_empty() && rows.len().saturating_add(size) > event_max {
                    give(lane, &event, rows)?;
                    rows.clear();
                }
                rows.extend_from_slice(before);
                rows.extend_from_slice(after);
            }
            for (lane, rows) in rows.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
                give(lane, &event, rows)?;
            }
        }
        Ok(())
    }

    fn event_of(&self, kind: RowsKind) -> RowsEvent<'static> {
        let mut event = self.event.without_rows();
        event.kind = kind;
        let all = || Cow::Owned(all_of(event.column_count));
        let none = || Cow::Borrowed([].as_slice());
        let (before, after) = match kind {
            RowsKind::Write => (none(), all()),
            RowsKind::Update => (all(), all()),
            RowsKind::Delete => (all(), none()),
        };
        event.before_columns = before;
        event.after_columns = after;
        event
    }
}

/// A bitmap of as many columns, all set, and what is left of its last byte too, as MySQL has it.
fn all_of(count: usize) -> Vec<u8> {
    vec![0xff; count.div_ceil(8)]
}

#[cfg(test)]
mod tests;
