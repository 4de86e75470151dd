//! `WRITE_ROWS_EVENT`, `UPDATE_ROWS_EVENT`, `DELETE_ROWS_EVENT`, versions 1 and 2.
//!
//! Only what stands before the rows is decoded here; a [`super::RowPlan`] decodes the rows.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/rows_event.h, `Rows_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::plan::{RowPlan, RowReader};
use crate::event::EventType;

/// What happened to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowsKind {
    /// They were inserted; only after images.
    Write,
    /// They were changed; before and after images.
    Update,
    /// They were deleted; only before images.
    Delete,
}

/// Version of the event's layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowsVersion {
    /// MySQL 5.1 and MariaDB.
    V1,
    /// MySQL since 5.6: extra data behind the flags.
    V2,
}

/// Flag bits of a row event. Unknown bits are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RowsFlags(
    /// The bits as written.
    pub u16,
);

impl RowsFlags {
    /// Last row event of its statement: table maps are void behind it.
    pub const STATEMENT_END: Self = Self(1);
    /// The session ran with foreign_key_checks=0.
    pub const NO_FOREIGN_KEY_CHECKS: Self = Self(2);
    /// The session ran with unique_checks=0.
    pub const RELAXED_UNIQUE_CHECKS: Self = Self(4);

    /// Whether every bit of `flags` is set.
    #[must_use]
    pub const fn contains(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }
}

impl std::ops::BitOr for RowsFlags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// | size    | field                                                         | only in |
/// |--------:|---------------------------------------------------------------|---------|
/// |       6 | `table_id`                                                    |         |
/// |       2 | `flags`                                                       |         |
/// |       2 | length of `extra`, itself included                            | V2      |
/// |       n | `extra`                                                       | V2      |
/// |     1-9 | `column_count`, length-encoded                                |         |
/// | (n+7)/8 | columns present in the first image of each row                |         |
/// | (n+7)/8 | columns present in the after image                            | Update  |
/// |    rest | `rows`                                                        |         |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsEvent<'a> {
    /// What happened.
    pub kind: RowsKind,
    /// Layout.
    pub version: RowsVersion,
    /// The table map these rows follow.
    pub table_id: u64,
    /// Marks of the event.
    pub flags: RowsFlags,
    /// Data of partitioned tables and of NDB.
    pub extra: Cow<'a, [u8]>,
    /// Columns of the table, as many as in its table map.
    pub column_count: usize,
    /// Columns in before images, lowest bit first; empty for Write.
    pub before_columns: Cow<'a, [u8]>,
    /// Columns in after images, lowest bit first; empty for Delete.
    pub after_columns: Cow<'a, [u8]>,
    /// The row images, not yet decoded.
    pub rows: Cow<'a, [u8]>,
    /// Where `rows` begin in the event, for errors.
    rows_offset: usize,
}

impl<'a> RowsEvent<'a> {
    /// Whether `event_type` is one of the six this type stands for.
    #[must_use]
    pub const fn is_rows(event_type: EventType) -> bool {
        Self::split_type(event_type).is_some()
    }

    const fn split_type(event_type: EventType) -> Option<(RowsKind, RowsVersion)> {
        Some(match event_type {
            EventType::WRITE_ROWS_V1 => (RowsKind::Write, RowsVersion::V1),
            EventType::UPDATE_ROWS_V1 => (RowsKind::Update, RowsVersion::V1),
            EventType::DELETE_ROWS_V1 => (RowsKind::Delete, RowsVersion::V1),
            EventType::WRITE_ROWS => (RowsKind::Write, RowsVersion::V2),
            EventType::UPDATE_ROWS => (RowsKind::Update, RowsVersion::V2),
            EventType::DELETE_ROWS => (RowsKind::Delete, RowsVersion::V2),
            _ => return None,
        })
    }

    /// The event type of this kind and version.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        match (self.kind, self.version) {
            (RowsKind::Write, RowsVersion::V1) => EventType::WRITE_ROWS_V1,
            (RowsKind::Update, RowsVersion::V1) => EventType::UPDATE_ROWS_V1,
            (RowsKind::Delete, RowsVersion::V1) => EventType::DELETE_ROWS_V1,
            (RowsKind::Write, RowsVersion::V2) => EventType::WRITE_ROWS,
            (RowsKind::Update, RowsVersion::V2) => EventType::UPDATE_ROWS,
            (RowsKind::Delete, RowsVersion::V2) => EventType::DELETE_ROWS,
        }
    }

    /// Decodes the body of an event of `event_type`.
    pub fn decode(event_type: EventType, mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let (kind, version) = Self::split_type(event_type).ok_or_else(|| {
            let (found, expected) = (u64::from(event_type.0), "a row event");
            DecodeError::invalid("event type", 4, found, expected)
        })?;
        let table_id = reader.u48("table id")?;
        let flags = RowsFlags(reader.u16("rows flags")?);
        let mut extra: &[u8] = &[];
        if version == RowsVersion::V2 {
            let offset = reader.offset();
            let len = reader.u16("extra data length")?;
            let len = len.checked_sub(2).ok_or_else(|| {
                let (found, expected) = (u64::from(len), "at least 2");
                DecodeError::invalid("extra data length", offset, found, expected)
            })?;
            extra = reader.bytes(usize::from(len), "extra data")?;
        }
        let offset = reader.offset();
        let count = reader.lenenc("column count")?;
        let column_count = usize::try_from(count)
            .ok()
            .filter(|&count| count <= super::TableMap::COLUMNS_MAX)
            .ok_or_else(|| DecodeError::invalid("column count", offset, count, "at most 4096"))?;
        let bitmap = column_count.div_ceil(8);
        let mut before: &[u8] = &[];
        let mut after: &[u8] = &[];
        if kind != RowsKind::Write {
            before = reader.bytes(bitmap, "columns of before image")?;
        }
        if kind != RowsKind::Delete {
            after = reader.bytes(bitmap, "columns of after image")?;
        }
        let rows_offset = reader.offset();
        Ok(Self {
            kind,
            version,
            table_id,
            flags,
            extra: Cow::Borrowed(extra),
            column_count,
            before_columns: Cow::Borrowed(before),
            after_columns: Cow::Borrowed(after),
            rows: Cow::Borrowed(reader.rest()),
            rows_offset,
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_u48(self.table_id);
        out.put_u16(self.flags.0);
        if self.version == RowsVersion::V2 {
            let len = u16::try_from(self.extra.len() + 2).unwrap_or(u16::MAX);
            out.put_u16(len);
            let extra = self.extra.get(..usize::from(len).saturating_sub(2));
            out.put(extra.unwrap_or(&[]));
        }
        out.put_lenenc(self.column_count as u64);
        out.put(&self.before_columns);
        out.put(&self.after_columns);
        out.put(&self.rows);
    }

    /// Decodes the rows by the plan of their table. Values borrow from this event.
    pub fn read<'e>(&'e self, plan: &'e RowPlan) -> Result<RowReader<'e>, DecodeError> {
        RowReader::new(plan, self, self.rows_offset)
    }
}
