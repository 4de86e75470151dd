//! The rows of an event in bounded pieces: the event's own bytes, or windows of what is inflated
//! from them.
//!
//! Invariants: a piece ends where a row ends; a window never holds more than one step of rows unless
//! a single row is larger, and never more than [`Limits`] allow.

use codec::{DecodeError, DecodeErrorKind};

use super::compressed::{CompressedRecord, Inflater, check_size};
use super::plan::{RowPlan, RowReader};
use super::rows_event::RowsEvent;
use crate::limits::Limits;

/// Bytes inflated into a window before it is handed out.
const STEP: usize = 256 << 10;

/// Hands out the rows of one event, piece by piece; see [`RowsEvent::chunks`].
#[derive(Debug)]
pub struct RowChunks<'e> {
    plan: &'e RowPlan,
    event: &'e RowsEvent<'e>,
    limits: Limits,
    source: Source<'e>,
}

#[derive(Debug)]
enum Source<'e> {
    /// Everything was handed out, or failed.
    Ended,
    /// The event's own bytes, not handed out yet.
    Plain,
    /// What is inflated from them.
    Inflated {
        inflater: Inflater<'e>,
        window: Vec<u8>,
        /// Bytes at the front of `window` that were handed out.
        used: usize,
    },
}

impl<'e> RowChunks<'e> {
    pub(super) fn new(
        plan: &'e RowPlan,
        event: &'e RowsEvent<'e>,
        limits: Limits,
    ) -> Result<Self, DecodeError> {
        let source = match event.compressed_record()? {
            None => Source::Plain,
            Some(record) => Source::inflating(&record),
        };
        Ok(Self {
            plan,
            event,
            limits,
            source,
        })
    }

    /// The next whole rows; `None` behind the last ones. Fails for damaged compressed data, and for
    /// a row larger than the limits allow; nothing follows an error.
    pub fn next_chunk(&mut self) -> Result<Option<RowReader<'_>>, DecodeError> {
        let (plan, event, offset) = (self.plan, self.event, self.event.rows_offset());
        match self.source {
            Source::Ended => Ok(None),
            Source::Plain => {
                self.source = Source::Ended;
                RowReader::new(plan, event, &event.rows, offset, self.limits).map(Some)
            }
            Source::Inflated { .. } => match self.next_window() {
                Ok(Some(len)) => {
                    let Source::Inflated { window, used, .. } = &self.source else {
                        return Ok(None);
                    };
                    let rows = window.get(used.saturating_sub(len)..*used).unwrap_or(&[]);
                    RowReader::new(plan, event, rows, offset, self.limits).map(Some)
                }
                ended => {
                    self.source = Source::Ended;
                    ended.map(|_| None)
                }
            },
        }
    }

    /// Inflates until the window holds whole rows and marks them used; their length, or `None` when
    /// nothing is left.
    fn next_window(&mut self) -> Result<Option<usize>, DecodeError> {
        let offset = self.event.rows_offset();
        let Source::Inflated {
            inflater,
            window,
            used,
        } = &mut self.source
        else {
            return Ok(None);
        };
        window.drain(..std::mem::take(used));
        let mut wanted = STEP;
        loop {
            while window.len() < wanted && !inflater.is_ended() {
                let is_full = window.len() as u64 > self.limits.inflated_max;
                if is_full {
                    break;
                }
                let missing = (wanted - window.len()).min(STEP);
                inflater.fill(window, missing, &self.limits)?;
            }
            let whole = whole_rows(self.plan, self.event, window)?;
            // What the last window ends with is the reader's to judge.
            let len = match whole {
                Some(len) if !inflater.is_ended() => len,
                _ => window.len(),
            };
            if len > 0 || inflater.is_ended() {
                *used = len;
                return Ok((len > 0).then_some(len));
            }
            check_size(window, &self.limits, offset)?;
            wanted = wanted.max(window.len()).saturating_mul(2);
        }
    }
}

impl<'e> Source<'e> {
    fn inflating(record: &CompressedRecord<'e>) -> Self {
        Self::Inflated {
            inflater: record.inflater(),
            window: Vec::new(),
            used: 0,
        }
    }
}

/// Length of the whole rows at the front of `window`; `None` when a row in it is damaged, which the
/// reader reports.
fn whole_rows(
    plan: &RowPlan,
    event: &RowsEvent<'_>,
    window: &[u8],
) -> Result<Option<usize>, DecodeError> {
    let offset = event.rows_offset();
    let mut reader = RowReader::new(plan, event, window, offset, Limits::default())?;
    let mut len = 0;
    loop {
        match reader.skip_row() {
            Ok(true) => len = reader.offset().saturating_sub(offset),
            Ok(false) => return Ok(Some(len)),
            Err(error) if matches!(error.kind, DecodeErrorKind::Truncated { .. }) => {
                return Ok(Some(len));
            }
            Err(_) => return Ok(None),
        }
    }
}
