//! One row event turned round: what takes its changes back.
//!
//! Rows go from the last to the first, since a row may be changed twice in one event. An insert
//! becomes a delete of the same image and the other way about; an update changes its images over.
//! Images are moved as bytes. Only where an after image is not whole (JSON as changes, columns left
//! out because they did not change) it is completed from the before image, and both are written anew.

use std::borrow::Cow;

use binlog::row::{Row, RowPair, RowPlan, RowsEvent, RowsKind, Table};
use binlog::value::{Value, json};
use codec::DecodeError;

/// Why a row event cannot be turned round.
#[derive(Debug)]
pub(super) enum ReverseError {
    /// Its bytes do not follow the format.
    Decode(DecodeError),
    /// An after image cannot be completed from the one before.
    Incomplete(&'static str),
}

impl From<DecodeError> for ReverseError {
    fn from(error: DecodeError) -> Self {
        Self::Decode(error)
    }
}

impl std::fmt::Display for ReverseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Incomplete(reason) => f.write_str(reason),
        }
    }
}

/// Which columns images do not have.
pub(super) fn lacking(columns: &[u8], count: usize) -> impl Iterator<Item = usize> {
    (0..count).filter(|index| {
        let byte = columns.get(index / 8).copied().unwrap_or(0);
        byte >> (index % 8) & 1 == 0
    })
}

/// The event that takes `event`, whose rows are not compressed, back.
pub(super) fn reversed(
    event: &RowsEvent<'_>,
    plan: &RowPlan,
) -> Result<RowsEvent<'static>, ReverseError> {
    let mut reader = event.read(plan)?;
    let mut images = Vec::new();
    while let Some(row) = reader.next_images()? {
        images.push(row);
    }
    let needs_values = event.kind == RowsKind::Update
        && (event.is_partial || event.after_columns != event.before_columns);
    let mut rows = Vec::with_capacity(event.rows.len());
    if needs_values {
        completed(event, plan, &mut rows)?;
    } else {
        for row in images.iter().rev() {
            rows.extend_from_slice(row.after);
            rows.extend_from_slice(row.before);
        }
    }
    let mut turned = event.without_rows();
    turned.rows = Cow::Owned(rows);
    turned.kind = match event.kind {
        RowsKind::Write => RowsKind::Delete,
        RowsKind::Delete => RowsKind::Write,
        RowsKind::Update => RowsKind::Update,
    };
    turned.is_partial = false;
    turned.extra = Cow::Owned(turned_extra(&event.extra, event.kind));
    if needs_values {
        turned.after_columns = turned.before_columns.clone();
    }
    std::mem::swap(&mut turned.before_columns, &mut turned.after_columns);
    Ok(turned)
}

/// Appends the rows of an update turned round, with both images whole.
fn completed(
    event: &RowsEvent<'_>,
    plan: &RowPlan,
    rows: &mut Vec<u8>,
) -> Result<(), ReverseError> {
    let mut reader = event.read(plan)?;
    // Each row as it is appended, to be put the other way round behind that.
    let mut forward = Vec::new();
    let mut ends = Vec::new();
    let mut pair = RowPair::default();
    while reader.next_into(&mut pair)? {
        let after = whole_after(&pair)?;
        let before = whole_row(&pair.before).ok_or(ReverseError::Incomplete(LACKS_BEFORE))?;
        for image in [&after, &before] {
            plan.put_image(&mut forward, image)
                .map_err(|error| ReverseError::Incomplete(error.reason))?;
        }
        ends.push(forward.len());
    }
    for (index, end) in ends.iter().enumerate().rev() {
        let start = index.checked_sub(1).and_then(|before| ends.get(before));
        let row = forward.get(start.copied().unwrap_or(0)..*end);
        rows.extend_from_slice(row.unwrap_or_default());
    }
    Ok(())
}

/// The values of a row that has all of them.
fn whole_row<'r>(row: &'r Row<'_>) -> Option<Vec<Value<'r>>> {
    let values = row.iter();
    values
        .map(|value| value.as_ref().map(Value::borrowed))
        .collect()
}

const LACKS_BEFORE: &str = "the image before the change lacks columns";

/// The whole row after the change.
fn whole_after<'p>(pair: &'p RowPair<'_>) -> Result<Vec<Value<'p>>, ReverseError> {
    let before = |index: usize| pair.before.get(index).and_then(Option::as_ref);
    let mut whole = Vec::with_capacity(pair.after.len());
    for (index, value) in pair.after.iter().enumerate() {
        whole.push(match (value, before(index)) {
            (Some(Value::JsonDiffs(diffs)), Some(was)) if diffs.is_empty() => was.borrowed(),
            (Some(Value::JsonDiffs(diffs)), Some(Value::Json(was))) => {
                let whole = json::apply_diffs(was, diffs).map_err(|_| {
                    ReverseError::Incomplete("a change of a JSON document does not fit it")
                })?;
                Value::Json(whole.into())
            }
            (Some(Value::JsonDiffs(_)), _) => {
                let reason = "a JSON document was changed that the image before does not have";
                return Err(ReverseError::Incomplete(reason));
            }
            (Some(value), _) => value.borrowed(),
            (None, Some(was)) => was.borrowed(),
            (None, None) => return Err(ReverseError::Incomplete(LACKS_BEFORE)),
        });
    }
    Ok(whole)
}

/// The extra data of the event that goes the other way: partitions of an update change over.
fn turned_extra(extra: &[u8], kind: RowsKind) -> Vec<u8> {
    const PARTITION: u8 = 1;
    match (kind, extra) {
        (RowsKind::Update, &[PARTITION, a, b, c, d]) => vec![PARTITION, c, d, a, b],
        _ => extra.to_vec(),
    }
}

/// Rows of an event, not compressed, that were collected one by one.
pub(super) fn with_rows<'e>(event: &RowsEvent<'_>, rows: &'e [u8]) -> RowsEvent<'e> {
    let mut own: RowsEvent<'e> = event.without_rows();
    own.rows = Cow::Borrowed(rows);
    own.compression = None;
    own
}

/// Whether rows of this table changed as the log says and in no way that it does not: a foreign
/// key's parent whose children the storage engine changes by itself.
pub(super) fn may_cascade(event: &RowsEvent<'_>, table: &Table) -> bool {
    const REFERENCED: u16 = 2;
    event.kind != RowsKind::Write
        && table.map.flags & REFERENCED != 0
        && !event
            .flags
            .contains(binlog::row::RowsFlags::USE_SQL_FOREIGN_KEY)
}
