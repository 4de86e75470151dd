//! Decode plans: how to read every column of a table's rows, computed once per table map.
//!
//! Invariant: reading a row either fails or consumes at least one byte, so that no event can make a
//! reader loop for ever.

use std::borrow::Cow;

use codec::{DecodeError, Reader};

use super::cell::Cell;
use super::rows_event::{RowsEvent, RowsKind, RowsVersion};
use super::table_map::{TableMap, bit};
use crate::limits::Limits;
use crate::value::Value;

/// Values of one row image by column; `None` where the image does not have the column.
pub type Row<'a> = Vec<Option<Value<'a>>>;

/// What one row was and what it became. Images that the kind of event does not have are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RowPair<'a> {
    /// The row before; of Update and Delete.
    pub before: Row<'a>,
    /// The row after; of Update and Write.
    pub after: Row<'a>,
}

impl RowPair<'_> {
    /// The same pair without its values, for rows of another event: their memory is kept.
    #[must_use]
    pub fn recycled<'b>(self) -> RowPair<'b> {
        // Collecting an emptied vector into one of the same layout keeps its allocation.
        let recycle = |mut row: Row<'_>| -> Row<'b> {
            row.clear();
            row.into_iter().map(|_| None).collect()
        };
        RowPair {
            before: recycle(self.before),
            after: recycle(self.after),
        }
    }
}

/// The bytes of what one row was and what it became, as they stand in their event. Empty where the
/// kind of event does not have the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowImages<'a> {
    /// The row before.
    pub before: &'a [u8],
    /// The row after.
    pub after: &'a [u8],
}

/// How the rows of one table are laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlan {
    pub(super) cells: Vec<Cell>,
}

impl RowPlan {
    /// Computes the plan of a table's rows. Fails for a column type whose values cannot be decoded.
    ///
    /// Integers whose signedness was not logged are taken as signed.
    pub fn new(map: &TableMap<'_>) -> Result<Self, DecodeError> {
        let cells = map.columns.iter().map(Cell::new);
        Ok(Self {
            cells: cells.collect::<Result<_, _>>()?,
        })
    }

    /// Number of columns.
    #[must_use]
    pub fn column_count(&self) -> usize {
        self.cells.len()
    }

    /// Skips one image.
    fn skip_image(&self, reader: &mut Reader<'_>, image: Image<'_>) -> Result<(), DecodeError> {
        if image.is_partial {
            return self.skip_partial(reader, image);
        }
        let nulls = reader.bytes(image.present.div_ceil(8), "NULL bitmap")?;
        let mut position = 0;
        for (index, cell) in self.cells.iter().enumerate() {
            if image.is_full || bit(image.columns, index) {
                if !bit(nulls, position) {
                    cell.skip(reader)?;
                }
                position += 1;
            }
        }
        Ok(())
    }

    fn skip_partial(&self, reader: &mut Reader<'_>, image: Image<'_>) -> Result<(), DecodeError> {
        let diffs = self.diffs(reader)?;
        let nulls = reader.bytes(image.present.div_ceil(8), "NULL bitmap")?;
        let (mut position, mut json) = (0, 0);
        for (index, cell) in self.cells.iter().enumerate() {
            let is_diff = cell.is_json() && bit(diffs, json);
            json += usize::from(cell.is_json());
            if !bit(image.columns, index) {
                continue;
            }
            match (bit(nulls, position), is_diff) {
                (true, _) => {}
                (false, true) => drop(json_diffs(reader)?),
                (false, false) => cell.skip(reader)?,
            }
            position += 1;
        }
        Ok(())
    }

    /// Reads one image into `row`, which is empty.
    fn read_image<'a>(
        &self,
        reader: &mut Reader<'a>,
        image: Image<'_>,
        inflated_left: &mut u64,
        row: &mut Row<'a>,
    ) -> Result<(), DecodeError> {
        row.reserve(self.cells.len());
        if image.is_partial {
            return self.read_partial(reader, image, inflated_left, row);
        }
        let nulls = reader.bytes(image.present.div_ceil(8), "NULL bitmap")?;
        if image.is_full && has_no_nulls(nulls, image.present) {
            for cell in &self.cells {
                cell.decode_into(reader, inflated_left, row)?;
            }
            return Ok(());
        }
        let mut position = 0;
        for (index, cell) in self.cells.iter().enumerate() {
            if !bit(image.columns, index) {
                row.push(None);
                continue;
            }
            row.push(Some(match bit(nulls, position) {
                true => Value::Null,
                false => cell.decode(reader, inflated_left)?,
            }));
            position += 1;
        }
        Ok(())
    }

    fn read_partial<'a>(
        &self,
        reader: &mut Reader<'a>,
        image: Image<'_>,
        inflated_left: &mut u64,
        row: &mut Row<'a>,
    ) -> Result<(), DecodeError> {
        let diffs = self.diffs(reader)?;
        let nulls = reader.bytes(image.present.div_ceil(8), "NULL bitmap")?;
        let (mut position, mut json) = (0, 0);
        for (index, cell) in self.cells.iter().enumerate() {
            let is_diff = cell.is_json() && bit(diffs, json);
            json += usize::from(cell.is_json());
            if !bit(image.columns, index) {
                row.push(None);
                continue;
            }
            row.push(Some(match (bit(nulls, position), is_diff) {
                (true, _) => Value::Null,
                (false, true) => json_diffs(reader)?,
                (false, false) => cell.decode(reader, inflated_left)?,
            }));
            position += 1;
        }
        Ok(())
    }

    /// Reads which of the table's JSON columns, present in the image or not, hold diffs.
    fn diffs<'a>(&self, reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
        const PARTIAL_JSON: u64 = 1;
        let offset = reader.offset();
        match reader.lenenc("value options")? {
            0 => Ok(&[]),
            PARTIAL_JSON => {
                let count = self.cells.iter().filter(|cell| cell.is_json()).count();
                reader.bytes(count.div_ceil(8), "partial JSON columns")
            }
            found => {
                let expected = "0, or 1 for partial JSON";
                Err(DecodeError::invalid(
                    "value options",
                    offset,
                    found,
                    expected,
                ))
            }
        }
    }
}

/// Whether none of the first `count` bits is set; the others mean nothing.
fn has_no_nulls(nulls: &[u8], count: usize) -> bool {
    let Some((last, whole)) = nulls.split_last() else {
        return true;
    };
    let used = match count % 8 {
        0 => 0xff,
        bits => (1 << bits) - 1,
    };
    last & used == 0 && whole.iter().all(|&byte| byte == 0)
}

/// One JSON value written as changes to the one before.
fn json_diffs<'a>(reader: &mut Reader<'a>) -> Result<Value<'a>, DecodeError> {
    let len = reader.u32("JSON diffs length")?;
    let diffs = reader.bytes_u64(u64::from(len), "JSON diffs")?;
    Ok(Value::JsonDiffs(Cow::Borrowed(diffs)))
}

/// Which columns an image has, and how.
#[derive(Debug, Clone, Copy)]
struct Image<'e> {
    columns: &'e [u8],
    /// How many of them.
    present: usize,
    /// Whether that is all of them.
    is_full: bool,
    /// Whether JSON columns may hold diffs.
    is_partial: bool,
}

impl<'e> Image<'e> {
    fn new(columns: &'e [u8], count: usize, is_partial: bool) -> Self {
        let present = (0..count).filter(|&index| bit(columns, index)).count();
        Self {
            columns,
            present,
            is_full: present == count,
            is_partial,
        }
    }
}

/// Reads the rows of one event one by one.
#[derive(Debug, Clone)]
pub struct RowReader<'e> {
    plan: &'e RowPlan,
    kind: RowsKind,
    before: Image<'e>,
    after: Image<'e>,
    limits: Limits,
    reader: Reader<'e>,
}

impl<'e> RowReader<'e> {
    /// A reader of `rows`, which lie at `offset` of `event` or were inflated from what lies there.
    pub(super) fn new(
        plan: &'e RowPlan,
        event: &'e RowsEvent<'_>,
        rows: &'e [u8],
        offset: usize,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        if event.version == RowsVersion::PreGa {
            let found = u64::from(event.event_type().0);
            let expected = "rows of a released version, whose layout the log describes";
            return Err(DecodeError::invalid("event type", 4, found, expected));
        }
        if plan.column_count() != event.column_count {
            let found = event.column_count as u64;
            let expected = "the number of columns in the table map";
            return Err(DecodeError::invalid(
                "column count",
                offset,
                found,
                expected,
            ));
        }
        Ok(Self {
            plan,
            kind: event.kind,
            before: Image::new(&event.before_columns, event.column_count, false),
            after: Image::new(&event.after_columns, event.column_count, event.is_partial),
            limits,
            reader: Reader::at(rows, offset),
        })
    }

    /// Reads the next row into `pair`, whose memory is reused; false behind the last row.
    pub fn next_into(&mut self, pair: &mut RowPair<'e>) -> Result<bool, DecodeError> {
        if self.reader.is_empty() {
            return Ok(false);
        }
        let (offset, left) = (self.reader.offset(), self.reader.remaining());
        pair.before.clear();
        pair.after.clear();
        let (plan, reader) = (self.plan, &mut self.reader);
        let mut inflated_left = self.limits.inflated_max;
        if self.kind != RowsKind::Write {
            plan.read_image(reader, self.before, &mut inflated_left, &mut pair.before)?;
        }
        if self.kind != RowsKind::Delete {
            plan.read_image(reader, self.after, &mut inflated_left, &mut pair.after)?;
        }
        self.check_progress(offset, left)
    }

    /// The bytes of the next row's images, not decoded; `None` behind the last row.
    pub fn next_images(&mut self) -> Result<Option<RowImages<'e>>, DecodeError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let (offset, bytes) = (self.reader.offset(), self.reader.peek());
        if self.kind != RowsKind::Write {
            self.plan.skip_image(&mut self.reader, self.before)?;
        }
        let before_len = bytes.len().saturating_sub(self.reader.remaining());
        if self.kind != RowsKind::Delete {
            self.plan.skip_image(&mut self.reader, self.after)?;
        }
        self.check_progress(offset, bytes.len())?;
        let len = bytes.len().saturating_sub(self.reader.remaining());
        let bytes = bytes.get(..len).unwrap_or_default();
        let (before, after) = bytes.split_at_checked(before_len).unwrap_or_default();
        Ok(Some(RowImages { before, after }))
    }

    /// Skips the next row without making values of it; false behind the last row.
    pub fn skip_row(&mut self) -> Result<bool, DecodeError> {
        if self.reader.is_empty() {
            return Ok(false);
        }
        let (offset, left) = (self.reader.offset(), self.reader.remaining());
        if self.kind != RowsKind::Write {
            self.plan.skip_image(&mut self.reader, self.before)?;
        }
        if self.kind != RowsKind::Delete {
            self.plan.skip_image(&mut self.reader, self.after)?;
        }
        self.check_progress(offset, left)
    }

    /// Where the next row begins, from the start of the event.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.reader.offset()
    }

    /// True when the row that began at `offset` with `left` bytes to read took any of them.
    const fn check_progress(&self, offset: usize, left: usize) -> Result<bool, DecodeError> {
        if self.reader.remaining() == left {
            let expected = "at least one column";
            return Err(DecodeError::invalid("row image", offset, 0, expected));
        }
        Ok(true)
    }
}

impl<'e> Iterator for RowReader<'e> {
    type Item = Result<RowPair<'e>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut pair = RowPair::default();
        match self.next_into(&mut pair) {
            Ok(true) => Some(Ok(pair)),
            Ok(false) => None,
            Err(error) => {
                // Nothing behind a damaged row can be found.
                self.reader.rest();
                Some(Err(error))
            }
        }
    }
}
