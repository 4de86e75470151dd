//! Writing row events: images of many rows, split into events of a bounded size.

use codec::Write;

use super::cell::EncodeError;
use super::plan::RowPlan;
use super::rows_event::{RowsFlags, RowsKind};
use super::table_map::{TableMap, put_bits};
use crate::value::Value;
use codec::DecodeError;

/// MySQL's default of `binlog_row_event_max_size`: rows are added to an event up to this many bytes.
pub const ROW_EVENT_SIZE_MAX: usize = 8192;

/// Builds the bodies of version 2 row events with full images.
///
/// Bodies come out as they fill up, so that a statement of any size needs the memory of one event.
/// The last one, with the end-of-statement flag, comes from [`RowsEncoder::finish`].
#[derive(Debug)]
pub struct RowsEncoder {
    plan: RowPlan,
    kind: RowsKind,
    /// Everything in front of the rows; the flags are at offset 6.
    head: Vec<u8>,
    body: Vec<u8>,
    flags: RowsFlags,
}

impl RowsEncoder {
    const FLAGS_OFFSET: usize = 6;

    /// An encoder for rows of `map`. Fails for a column type that cannot be written.
    ///
    /// `flags` are set on every event; [`RowsFlags::STATEMENT_END`] only on the last.
    pub fn new(kind: RowsKind, map: &TableMap<'_>, flags: RowsFlags) -> Result<Self, DecodeError> {
        let plan = RowPlan::new(map)?;
        let flags = RowsFlags(flags.0 & !RowsFlags::STATEMENT_END.0);
        let mut head = Vec::with_capacity(16);
        head.put_u48(map.table_id);
        head.put_u16(flags.0);
        // No extra data; the length counts itself.
        head.put_u16(2);
        head.put_lenenc(plan.column_count() as u64);
        let images = if kind == RowsKind::Update { 2 } else { 1 };
        for _ in 0..images {
            // Every column is present; MySQL sets the unused bits too.
            head.resize(head.len() + plan.column_count().div_ceil(8), 0xff);
        }
        let body = head.clone();
        Ok(Self {
            plan,
            kind,
            head,
            body,
            flags,
        })
    }

    /// Adds one row; `before` is ignored for Write, `after` for Delete. Returns the body of a full
    /// event that lies before this row, if there is one.
    ///
    /// On error nothing was added.
    pub fn push(
        &mut self,
        before: &[Value<'_>],
        after: &[Value<'_>],
    ) -> Result<Option<Vec<u8>>, EncodeError> {
        let start = self.body.len();
        let added = self.push_images(before, after);
        if let Err(error) = added {
            self.body.truncate(start);
            return Err(error);
        }
        if start == self.head.len() || self.body.len() <= ROW_EVENT_SIZE_MAX {
            return Ok(None);
        }
        // The new row goes to an event of its own behind the full one.
        let mut next = self.head.clone();
        next.put(self.body.get(start..).unwrap_or(&[]));
        self.body.truncate(start);
        Ok(Some(std::mem::replace(&mut self.body, next)))
    }

    fn push_images(
        &mut self,
        before: &[Value<'_>],
        after: &[Value<'_>],
    ) -> Result<(), EncodeError> {
        if self.kind != RowsKind::Write {
            self.plan.put_image(&mut self.body, before)?;
        }
        if self.kind != RowsKind::Delete {
            self.plan.put_image(&mut self.body, after)?;
        }
        Ok(())
    }

    /// The body of the last event, marked as the end of the statement if `ends_statement`; `None`
    /// when no row was added.
    #[must_use]
    pub fn finish(mut self, ends_statement: bool) -> Option<Vec<u8>> {
        if self.body.len() == self.head.len() {
            return None;
        }
        if ends_statement {
            let flags = self.flags | RowsFlags::STATEMENT_END;
            let at = Self::FLAGS_OFFSET..Self::FLAGS_OFFSET + 2;
            if let Some(field) = self.body.get_mut(at) {
                field.copy_from_slice(&flags.0.to_le_bytes());
            }
        }
        Some(self.body)
    }
}

impl RowPlan {
    /// Appends one image that has every column.
    ///
    /// # Errors
    /// A row of another number of values than the table has columns, and values that are not of
    /// their column's type; what was appended of the image is then to be cut off.
    pub fn put_image(&self, out: &mut Vec<u8>, row: &[Value<'_>]) -> Result<(), EncodeError> {
        if row.len() != self.cells.len() {
            let column = row.len().min(self.cells.len());
            let reason = "the row has another number of values than the table has columns";
            return Err(EncodeError { column, reason });
        }
        put_bits(out, row.iter().map(Value::is_null));
        for (column, (cell, value)) in self.cells.iter().zip(row).enumerate() {
            if !value.is_null() {
                cell.encode(out, value)
                    .map_err(|reason| EncodeError { column, reason })?;
            }
        }
        Ok(())
    }
}
