//! How much memory the values of a statement take while it is computed, and where that ends.
//!
//! Values are counted where one statement can hold many of them at once: arguments of nested calls,
//! folded constants, results that SQLite holds, rows of an aggregate, rows that a statement changes.
//! What is counted is the length of texts and a fixed size for the rest, not what the allocator says.
// Differs from MySQL: it has no such limits, but for its tables of temporary results.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ::memory::{LIMIT, Promise, Purpose, STEP, has_room};

use super::datum::Datum;
use crate::interrupt::Interrupt;
use binlog::value::Value;
use sql::error::SqlError;

/// Bytes of values that all statements together may hold while they compute.
const VALUES_MAX: usize = 32 << 20;
/// Bytes of them that each statement may hold whatever others do.
const FREE: usize = 256 << 10;
/// How often a value is held until it is sent or stored.
const COPIES: usize = 3;
/// How often a text is held until it is part of a document: as a value of it, in a text that grows, and
/// in the document's own.
const DOCUMENT_COPIES: usize = 4;
/// Bytes of texts in one row, before they are sent or stored: a packet's.
pub const ROW_MAX: usize = 65 << 20;
/// Bytes of values that one aggregate may hold of its group; a document of them takes several times
/// that while it is made.
pub const GROUP_MAX: usize = 16 << 20;
/// Bytes of rows that a statement may hold to change them.
const CHANGES_MAX: usize = 128 << 20;
/// Bytes that a document may take when it is read; each of its parts takes some dozens.
const DOCUMENT_MAX: usize = 64 << 20;
/// Bytes that the text of a path may have.
const PATH_MAX: usize = 64 << 10;
/// Bytes that a part of a document takes at least.
const PART: usize = 80;

/// How long a statement that may wait does so for room.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often it looks.
const PERIOD: Duration = Duration::from_millis(20);

/// Error 3170 of what takes more than `most` bytes.
pub fn exceeded(most: usize, what: &str, advice: &str) -> SqlError {
    SqlError::capacity_exceeded(most, what, advice)
}

/// Bytes of a value that grow with it.
pub fn size(value: &Datum) -> usize {
    match value {
        Datum::Text(bytes) => bytes.len(),
        Datum::Json(text) => text.len(),
        Datum::Null
        | Datum::Int(_)
        | Datum::UInt(_)
        | Datum::Float(_)
        | Datum::Double(_)
        | Datum::Decimal(_)
        | Datum::Date(_)
        | Datum::DateTime(..)
        | Datum::Time(..)
        | Datum::Year(_)
        | Datum::Enum(..)
        | Datum::Set(..)
        | Datum::Bit(..) => 0,
    }
}

/// Bytes of a row that is held.
pub fn row_size(row: &[Value<'_>]) -> usize {
    let texts = row.iter().map(|value| match value {
        Value::Bytes(bytes) | Value::Json(bytes) | Value::JsonDiffs(bytes) => bytes.len(),
        Value::Null
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Double(_)
        | Value::Decimal(_)
        | Value::Year(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::DateTime(_)
        | Value::Timestamp(_)
        | Value::Enum(_)
        | Value::Set(_)
        | Value::Bit(_) => 0,
    });
    texts
        .sum::<usize>()
        .saturating_add(size_of_val(row))
        .saturating_add(size_of::<Vec<Value<'_>>>())
}

/// Error 3170 when the rows of a statement that changes them take too much, or find no room beside
/// others.
pub fn check_changes(bytes: usize) -> Result<(), SqlError> {
    match bytes > CHANGES_MAX || bytes > STEP && !is_room(STEP) {
        true => Err(exceeded(
            CHANGES_MAX,
            "the rows that a statement changes",
            "Change fewer rows at once.",
        )),
        false => Ok(()),
    }
}

fn too_many_values() -> SqlError {
    let advice = "Compute with shorter values, or later.";
    exceeded(VALUES_MAX, "values that are computed", advice)
}

/// What the values of all statements take together.
static ALL: AtomicUsize = AtomicUsize::new(0);

/// What the evaluations of a statement hold.
#[derive(Debug, Default)]
pub struct Meter {
    held: Cell<usize>,
    /// Bytes up to which room was asked for.
    asked: Cell<usize>,
    /// Of the last step, which others might take before it shows.
    promise: RefCell<Option<Promise>>,
    /// How long the statement has waited for room.
    waited: Cell<Duration>,
}

/// What of a statement's bytes counts for all.
const fn shared(held: usize) -> usize {
    held.saturating_sub(FREE)
}

impl Meter {
    /// Holds values until the guard is dropped.
    pub fn hold(&self) -> Held<'_> {
        Held {
            meter: self,
            bytes: 0,
        }
    }

    /// Holds bytes for the rest of the statement, instead of others. Error 3170 when they are too
    /// many, for the statement or for all.
    pub fn keep(&self, bytes: usize, instead_of: usize) -> Result<(), SqlError> {
        let others = self.held.get().saturating_sub(instead_of);
        self.set(others.saturating_add(bytes))
    }

    /// Room for bytes that are about to be taken, as long as the promise lives. Error 3170 when there
    /// is none.
    pub fn room(&self, bytes: usize) -> Result<Option<Promise>, SqlError> {
        if bytes < STEP {
            return Ok(None);
        }
        // What the step before it took shows by now; nobody waits for himself.
        self.promise.replace(None);
        promised(bytes).ok_or_else(too_many_values)
    }

    /// The same, and waits for it, for a while in the whole statement: others may wait for it. Error 1317 when the statement is to stop meanwhile.
    pub fn room_in_time(
        &self,
        bytes: usize,
        interrupt: &Interrupt,
    ) -> Result<Option<Promise>, SqlError> {
        let (began, waited) = (Instant::now(), self.waited.get());
        loop {
            let so_far = waited.saturating_add(began.elapsed());
            match self.room(bytes) {
                Err(_) if so_far < PATIENCE => {}
                room => {
                    self.waited.set(so_far);
                    return room;
                }
            }
            if interrupt.pause(PERIOD) {
                return Err(SqlError::query_interrupted());
            }
        }
    }

    fn set(&self, held: usize) -> Result<(), SqlError> {
        let (before, after) = (shared(self.held.get()), shared(held));
        self.held.set(held);
        if after <= before {
            ALL.fetch_sub(before - after, Ordering::AcqRel);
            self.asked.set(self.asked.get().min(after));
            if after == 0 {
                self.promise.replace(None);
            }
            return Ok(());
        }
        let all = ALL.fetch_add(after - before, Ordering::AcqRel);
        let has_room = after < self.asked.get().saturating_add(STEP) || {
            let more = after.saturating_sub(self.asked.replace(after));
            self.promises(more.saturating_mul(COPIES))
        };
        match all.saturating_add(after - before) > VALUES_MAX || !has_room {
            true => Err(too_many_values()),
            false => Ok(()),
        }
    }
}

impl Meter {
    /// Has a step promised, in the place of the one before.
    fn promises(&self, bytes: usize) -> bool {
        self.promise.replace(None);
        let promise = promised(bytes);
        let has_room = promise.is_some();
        self.promise.replace(promise.flatten());
        has_room
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        ALL.fetch_sub(shared(self.held.get()), Ordering::AcqRel);
    }
}

/// Values that are held together.
#[derive(Debug)]
pub struct Held<'m> {
    meter: &'m Meter,
    bytes: usize,
}

impl Held<'_> {
    /// One more value. Error 3170 when there are too many bytes.
    pub fn add(&mut self, value: &Datum) -> Result<(), SqlError> {
        match size(value) {
            0 => Ok(()),
            bytes => self.add_bytes(bytes),
        }
    }

    /// More bytes. Error 3170 when there are too many.
    pub fn add_bytes(&mut self, bytes: usize) -> Result<(), SqlError> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.meter.keep(bytes, 0)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.bytes > 0 {
            // Less is never too much.
            let _ = self.meter.keep(0, self.bytes);
        }
    }
}

/// Error 3170 for a path that would take too much memory once it is read.
pub fn check_path(text: &str) -> Result<(), SqlError> {
    match text.len() > PATH_MAX {
        true => Err(exceeded(PATH_MAX, "a JSON path", "Use a shorter path.")),
        false => Ok(()),
    }
}

/// Room for a document that is about to be read. Error 3170 when it would take too much memory, or
/// finds none beside others.
pub fn check_document(text: &[u8]) -> Result<Option<Promise>, SqlError> {
    let bytes = document_size(text)?;
    if bytes < STEP {
        return Ok(None);
    }
    promised(bytes.saturating_mul(2)).ok_or_else(document_too_large)
}

/// Room for a text that is about to be part of a document. Error 3170 when there is none.
pub fn check_text(len: usize) -> Result<Option<Promise>, SqlError> {
    if len < STEP {
        return Ok(None);
    }
    promised(len.saturating_mul(DOCUMENT_COPIES)).ok_or_else(document_too_large)
}

/// Bytes that a document takes when it is read. Error 3170 when they are too many.
pub fn document_size(text: &[u8]) -> Result<usize, SqlError> {
    if text.len() < STEP {
        return Ok(0);
    }
    let parts = text.iter().filter(|byte| b",[{:".contains(byte)).count();
    let bytes = parts.saturating_mul(PART).saturating_add(text.len());
    match bytes > DOCUMENT_MAX {
        true => Err(document_too_large()),
        false => Ok(bytes),
    }
}

fn document_too_large() -> SqlError {
    let advice = "Use a document of fewer parts.";
    exceeded(DOCUMENT_MAX, "a JSON document", advice)
}

/// Whether the process may take more.
fn is_room(bytes: usize) -> bool {
    is_tested(bytes) || has_room(bytes, Purpose::GoOn)
}

/// A promise of room, if there is as much; a test that finds none goes on without one.
fn promised(bytes: usize) -> Option<Option<Promise>> {
    let promise = Promise::of(bytes, Purpose::GoOn);
    (promise.is_some() || is_tested(bytes)).then_some(promise)
}

/// Whether the room is there because a test asks, and not for more than a process may ever have: what
/// other tests of the same program take says nothing of one.
fn is_tested(bytes: usize) -> bool {
    cfg!(test) && bytes <= LIMIT
}

/// Held by tests that take much or count what is taken: the limit is one for the process.
#[cfg(test)]
pub(crate) static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_held_up_to_a_limit_and_given_back() {
        let _alone = ALONE.lock();
        let (meter, other) = (Meter::default(), Meter::default());
        let value = Datum::Text(vec![b'x'; VALUES_MAX / 3]);
        {
            let mut held = meter.hold();
            held.add(&value).unwrap();
            held.add(&value).unwrap();
            // Others have what is left, and something for themselves.
            assert_eq!(other.keep(VALUES_MAX / 2, 0).unwrap_err().code, 3170);
            other.keep(FREE, VALUES_MAX / 2).unwrap();
            held.add(&value).unwrap();
            assert_eq!(held.add(&value).unwrap_err().code, 3170);
        }
        meter.hold().add(&value).unwrap();
        meter.keep(size(&value), 0).unwrap();
        meter.keep(size(&value), size(&value)).unwrap();
        assert_eq!(meter.held.get(), size(&value));
    }

    #[test]
    fn a_statement_does_not_wait_for_itself_nor_again_and_again() {
        let _alone = ALONE.lock();
        let meter = Meter::default();
        meter.promise.replace(Promise::of(1, Purpose::GoOn));
        drop(meter.room(STEP).unwrap());
        assert!(meter.promise.take().is_none());
        // What a value before it has waited is not waited again.
        meter.waited.set(PATIENCE);
        let began = Instant::now();
        let refused = meter.room_in_time(1 << 40, &Interrupt::default());
        assert_eq!(refused.unwrap_err().code, 3170);
        assert!(began.elapsed() < PATIENCE);
    }

    #[test]
    fn what_other_tests_take_leaves_room_for_one() {
        let _alone = ALONE.lock();
        let _others = Promise::of(LIMIT, Purpose::GoOn);
        let taken = vec![1_u8; LIMIT];
        let meter = Meter::default();
        drop(meter.room(STEP).unwrap());
        meter.keep(VALUES_MAX / 2, 0).unwrap();
        check_text(STEP).unwrap();
        check_document(&vec![b' '; STEP]).unwrap();
        check_changes(STEP + 1).unwrap();
        drop(taken);
    }

    #[test]
    fn a_document_counts_its_parts() {
        let parts = |count: usize| format!("[{}1]", "1,".repeat(count)).into_bytes();
        document_size(&parts(700_000)).unwrap();
        assert_eq!(document_size(&parts(1_000_000)).unwrap_err().code, 3170);
        let text = format!("\"{}\"", "x".repeat(60 << 20));
        document_size(text.as_bytes()).unwrap();
    }
}
