//! Decode plans: how to read every column of a table's rows, computed once per table map.
//!
//! Invariant: reading a row either fails or consumes at least one byte, so that no event can make a
//! reader loop for ever.

use codec::{DecodeError, Reader};

use super::cell::Cell;
use super::rows_event::{RowsEvent, RowsKind};
use super::table_map::{TableMap, bit};
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

    /// Reads one image into `row`, which is cleared first.
    fn read_image<'a>(
        &self,
        reader: &mut Reader<'a>,
        columns: &[u8],
        row: &mut Row<'a>,
    ) -> Result<(), DecodeError> {
        row.clear();
        row.reserve(self.cells.len());
        let present = (0..self.cells.len()).filter(|&index| bit(columns, index));
        let nulls = reader.bytes(present.count().div_ceil(8), "NULL bitmap")?;
        let mut position = 0;
        for (index, cell) in self.cells.iter().enumerate() {
            if !bit(columns, index) {
                row.push(None);
                continue;
            }
            let value = match bit(nulls, position) {
                true => Value::Null,
                false => cell.decode(reader)?,
            };
            row.push(Some(value));
            position += 1;
        }
        Ok(())
    }
}

/// Reads the rows of one event one by one.
#[derive(Debug)]
pub struct RowReader<'e> {
    plan: &'e RowPlan,
    kind: RowsKind,
    before_columns: &'e [u8],
    after_columns: &'e [u8],
    reader: Reader<'e>,
}

impl<'e> RowReader<'e> {
    pub(super) fn new(
        plan: &'e RowPlan,
        event: &'e RowsEvent<'_>,
        offset: usize,
    ) -> Result<Self, DecodeError> {
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
            before_columns: &event.before_columns,
            after_columns: &event.after_columns,
            reader: Reader::at(&event.rows, offset),
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
        if self.kind != RowsKind::Write {
            let reader = &mut self.reader;
            self.plan
                .read_image(reader, self.before_columns, &mut pair.before)?;
        }
        if self.kind != RowsKind::Delete {
            let reader = &mut self.reader;
            self.plan
                .read_image(reader, self.after_columns, &mut pair.after)?;
        }
        if self.reader.remaining() == left {
            return Err(DecodeError::invalid(
                "row image",
                offset,
                0,
                "at least one column",
            ));
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
