//! `WRITE_ROWS_EVENT`, `UPDATE_ROWS_EVENT`, `DELETE_ROWS_EVENT` of every version, compressed or not,
//! and `PARTIAL_UPDATE_ROWS_EVENT`.
//!
//! Only what stands before the rows is decoded here; a [`super::RowPlan`] decodes the rows. Compressed
//! rows stay compressed until they are read, so that an event encodes back to its bytes.
//!
//! Spec: mysql-server 9.7, libs/mysql/binlog/event/rows_event.h, `Rows_event`.

use std::borrow::Cow;

use codec::{DecodeError, Reader, Write};

use super::chunks::RowChunks;
use super::compressed::CompressedRecord;
use super::plan::{RowPlan, RowReader};
use super::table_map::{bit, table_id};
use crate::event::{EventFormat, EventType};
use crate::limits::Limits;

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
    /// MySQL 5.1 before its release. Row images have the source's record layout in memory, which
    /// the log does not describe: they are kept as bytes.
    PreGa,
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
    /// The images have every column.
    pub const COMPLETE_ROWS: Self = Self(8);
    /// Foreign keys were checked, and cascades logged, by the SQL layer; MySQL since 9.6.
    pub const USE_SQL_FOREIGN_KEY: Self = Self(0x10);

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

/// How the rows of an event are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowsCompression {
    /// MariaDB's compressed record: a zlib stream behind its uncompressed length.
    MariaDb,
}

/// | size    | field                                                         | only in   |
/// |--------:|---------------------------------------------------------------|-----------|
/// |  6 or 4 | `table_id`; 4 bytes in MySQL 5.1.4 to 5.1.15                  |           |
/// |       2 | `flags`                                                       |           |
/// |       2 | length of `extra`, itself included                            | V2        |
/// |       n | `extra`                                                       | V2        |
/// |     1-9 | `column_count`, length-encoded                                |           |
/// | (n+7)/8 | columns present in the first image of each row                |           |
/// | (n+7)/8 | columns present in the after image                            | Update    |
/// |    rest | `rows`                                                        |           |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowsEvent<'a> {
    /// What happened.
    pub kind: RowsKind,
    /// Layout.
    pub version: RowsVersion,
    /// Whether after images may hold JSON diffs: type 39, always an Update.
    pub is_partial: bool,
    /// How `rows` are compressed, if they are.
    pub compression: Option<RowsCompression>,
    /// The table map these rows follow.
    pub table_id: u64,
    /// Marks of the event.
    pub flags: RowsFlags,
    /// Data of partitioned tables and of NDB; see [`RowsEvent::partition`].
    pub extra: Cow<'a, [u8]>,
    /// Columns of the table, as many as in its table map.
    pub column_count: usize,
    /// Columns in before images, lowest bit first; empty for Write.
    pub before_columns: Cow<'a, [u8]>,
    /// Columns in after images, lowest bit first; empty for Delete.
    pub after_columns: Cow<'a, [u8]>,
    /// The row images, not yet decoded, and still compressed if `compression` says so.
    pub rows: Cow<'a, [u8]>,
    /// Bytes of the table id.
    table_id_len: u8,
    /// Where `rows` begin in the event, for errors.
    rows_offset: usize,
}

/// Partitions of a row event's rows, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowsPartition {
    /// Where the rows are, or were moved to.
    pub target: u16,
    /// Where updated rows were before.
    pub source: Option<u16>,
}

/// What an event type says about its rows.
struct Shape {
    kind: RowsKind,
    version: RowsVersion,
    is_partial: bool,
    compression: Option<RowsCompression>,
}

impl Shape {
    const fn of(event_type: EventType) -> Option<Self> {
        use RowsKind::{Delete, Update, Write};
        use RowsVersion::{PreGa, V1, V2};
        let (kind, version) = match event_type.0 {
            20 => (Write, PreGa),
            21 => (Update, PreGa),
            22 => (Delete, PreGa),
            23 | 166 => (Write, V1),
            24 | 167 => (Update, V1),
            25 | 168 => (Delete, V1),
            30 | 169 => (Write, V2),
            31 | 39 | 170 => (Update, V2),
            32 | 171 => (Delete, V2),
            _ => return None,
        };
        Some(Self {
            kind,
            version,
            is_partial: event_type.0 == 39,
            compression: match event_type.0 {
                166..=171 => Some(RowsCompression::MariaDb),
                _ => None,
            },
        })
    }
}

impl<'a> RowsEvent<'a> {
    /// Whether `event_type` is one of those this type stands for.
    #[must_use]
    pub const fn is_rows(event_type: EventType) -> bool {
        Shape::of(event_type).is_some()
    }

    /// The event type of this kind, version and compression.
    #[must_use]
    pub const fn event_type(&self) -> EventType {
        let index = match self.kind {
            RowsKind::Write => 0,
            RowsKind::Update => 1,
            RowsKind::Delete => 2,
        };
        let first = match (self.version, self.compression) {
            (RowsVersion::V2, None) if self.is_partial => 38,
            (RowsVersion::PreGa, _) => 20,
            (RowsVersion::V1, None) => 23,
            (RowsVersion::V2, None) => 30,
            (RowsVersion::V1, Some(_)) => 166,
            (RowsVersion::V2, Some(_)) => 169,
        };
        EventType(first + index)
    }

    /// Decodes the body of an event of `event_type` in a stream of `format`.
    pub fn decode(
        event_type: EventType,
        mut reader: Reader<'a>,
        format: impl Into<EventFormat>,
    ) -> Result<Self, DecodeError> {
        let table_id_len = format.into().table_id_len;
        let shape = Shape::of(event_type).ok_or_else(|| {
            let (found, expected) = (u64::from(event_type.0), "a row event");
            DecodeError::invalid("event type", 4, found, expected)
        })?;
        let table_id = table_id(&mut reader, table_id_len)?;
        let flags = RowsFlags(reader.u16("rows flags")?);
        let mut extra: &[u8] = &[];
        if shape.version == RowsVersion::V2 {
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
        // Before 5.1's release one bitmap served both images.
        if shape.kind != RowsKind::Write {
            before = reader.bytes(bitmap, "columns of before image")?;
        }
        let has_own = shape.version != RowsVersion::PreGa || shape.kind == RowsKind::Write;
        if shape.kind != RowsKind::Delete && has_own {
            after = reader.bytes(bitmap, "columns of after image")?;
        }
        let rows_offset = reader.offset();
        Ok(Self {
            kind: shape.kind,
            version: shape.version,
            is_partial: shape.is_partial,
            compression: shape.compression,
            table_id,
            flags,
            extra: Cow::Borrowed(extra),
            column_count,
            before_columns: Cow::Borrowed(before),
            after_columns: Cow::Borrowed(after),
            rows: Cow::Borrowed(reader.rest()),
            table_id_len,
            rows_offset,
        })
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.put_uint(self.table_id, usize::from(self.table_id_len));
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

    /// The partitions of the rows, when the table has partitions and its source says so.
    #[must_use]
    pub fn partition(&self) -> Option<RowsPartition> {
        const PARTITION: u8 = 1;
        match *self.extra.as_ref() {
            [PARTITION, a, b] => Some(RowsPartition {
                target: u16::from_le_bytes([a, b]),
                source: None,
            }),
            [PARTITION, a, b, c, d] => Some(RowsPartition {
                target: u16::from_le_bytes([a, b]),
                source: Some(u16::from_le_bytes([c, d])),
            }),
            _ => None,
        }
    }

    /// Decodes the rows by the plan of their table. Values borrow from this event.
    ///
    /// Compressed rows are an error: they need [`RowsEvent::chunks`].
    pub fn read<'e>(&'e self, plan: &'e RowPlan) -> Result<RowReader<'e>, DecodeError> {
        if self.compression.is_some() {
            let found = u64::from(self.event_type().0);
            let expected = "an event whose rows are not compressed";
            return Err(DecodeError::invalid("event type", 4, found, expected));
        }
        RowReader::new(plan, self, &self.rows, self.rows_offset, Limits::default())
    }

    /// The rows in pieces of whole rows: one that borrows from this event, or, when they are
    /// compressed, windows of what is inflated within `limits`.
    pub fn chunks<'e>(
        &'e self,
        plan: &'e RowPlan,
        limits: &Limits,
    ) -> Result<RowChunks<'e>, DecodeError> {
        RowChunks::new(plan, self, *limits)
    }

    /// Whether the rows are compressed.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        self.compression.is_some()
    }

    /// The same event with its rows not compressed, for readers that know no compression.
    ///
    /// # Errors
    /// Damaged compressed data, and rows larger than `limits` allow for one thing.
    pub fn inflated(&self, limits: &Limits) -> Result<RowsEvent<'static>, DecodeError> {
        let rows = match self.compressed_record()? {
            None => self.rows.to_vec(),
            Some(record) => record.inflate(limits)?,
        };
        Ok(RowsEvent {
            compression: None,
            extra: Cow::Owned(self.extra.to_vec()),
            before_columns: Cow::Owned(self.before_columns.to_vec()),
            after_columns: Cow::Owned(self.after_columns.to_vec()),
            rows: Cow::Owned(rows),
            ..*self
        })
    }

    /// Whether every image that this kind of event has holds every column, and no changes of JSON
    /// values in their place.
    #[must_use]
    pub fn has_whole_images(&self) -> bool {
        let all = |columns: &[u8]| (0..self.column_count).all(|index| bit(columns, index));
        !self.is_partial
            && (self.kind == RowsKind::Write || all(&self.before_columns))
            && (self.kind == RowsKind::Delete || all(&self.after_columns))
    }

    /// The same event with no rows in it.
    #[must_use]
    pub fn without_rows(&self) -> RowsEvent<'static> {
        RowsEvent {
            extra: Cow::Owned(self.extra.to_vec()),
            before_columns: Cow::Owned(self.before_columns.to_vec()),
            after_columns: Cow::Owned(self.after_columns.to_vec()),
            rows: Cow::Borrowed(&[]),
            ..*self
        }
    }

    pub(super) const fn rows_offset(&self) -> usize {
        self.rows_offset
    }

    pub(super) fn compressed_record(&self) -> Result<Option<CompressedRecord<'_>>, DecodeError> {
        match self.compression {
            None => Ok(None),
            Some(RowsCompression::MariaDb) => {
                let reader = Reader::at(&self.rows, self.rows_offset);
                CompressedRecord::parse(reader).map(Some)
            }
        }
    }
}
