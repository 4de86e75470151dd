//! A transaction of the source, whole and in memory, for whichever worker takes it.

use std::sync::Arc;

use binlog::event::{EventFormat, EventHeader, FormatDescription};
use binlog::log::{LogError, LogFileName, LogPosition, SourceCoordinates};
use binlog::stream::{EventSource, SourceEvent};
use binlog::transaction::TransactionInfo;

use super::dependencies::Needs;

/// A transaction.
#[derive(Debug)]
pub(super) struct Unit {
    /// Its place among those that were handed out, counted from 0.
    pub(super) order: u64,
    /// What it may run beside.
    pub(super) needs: Needs,
    /// What its events say of it.
    pub(super) info: TransactionInfo,
    /// Place in the source's log in front of it, as far as it is known.
    pub(super) begins_at: Option<SourceCoordinates>,
    /// Place in the source's log behind it.
    pub(super) source: Option<SourceCoordinates>,
    /// Place in the relay log behind it.
    pub(super) relay: LogPosition,
    pub(super) description: Arc<FormatDescription>,
    pub(super) format: EventFormat,
    /// Its events, one behind the other; those inside a payload are in the payload.
    pub(super) bytes: Vec<u8>,
    pub(super) events: Vec<UnitEvent>,
}

/// One event of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct UnitEvent {
    pub(super) header: EventHeader,
    /// First byte in the relay log.
    pub(super) offset: u64,
    /// Behind its last byte there.
    pub(super) end: u64,
    /// First byte among the unit's.
    pub(super) at: usize,
    pub(super) len: usize,
}

/// Gives the events of a unit as the relay log did: their places are those there.
#[derive(Debug)]
pub(super) struct UnitEvents {
    unit: Arc<Unit>,
    next: usize,
}

impl UnitEvents {
    /// In front of the first.
    pub(super) const fn new(unit: Arc<Unit>) -> Self {
        Self { unit, next: 0 }
    }

    fn event(&self) -> Option<&UnitEvent> {
        self.unit.events.get(self.next.checked_sub(1)?)
    }

    fn bytes(&self, event: &UnitEvent) -> &[u8] {
        let end = event.at.saturating_add(event.len);
        self.unit.bytes.get(event.at..end).unwrap_or_default()
    }
}

impl EventSource for UnitEvents {
    fn advance(&mut self) -> Result<bool, LogError> {
        let is_there = self.next < self.unit.events.len();
        self.next = self.next.saturating_add(usize::from(is_there));
        Ok(is_there)
    }

    fn current(&self) -> Option<SourceEvent<'_>> {
        let event = self.event()?;
        Some(SourceEvent {
            offset: event.offset,
            end: event.end,
            header: event.header,
            bytes: self.bytes(event),
            // Whoever read it from the relay log made sure.
            checksum_ok: true,
        })
    }

    fn piece(&mut self, at: u64) -> Result<&[u8], LogError> {
        let bytes = self.event().map(|event| self.bytes(event));
        let at = usize::try_from(at).unwrap_or(usize::MAX);
        Ok(bytes.and_then(|bytes| bytes.get(at..)).unwrap_or_default())
    }

    fn format(&self) -> EventFormat {
        self.unit.format
    }

    fn name(&self) -> &LogFileName {
        &self.unit.relay.file
    }

    fn description(&self) -> &FormatDescription {
        &self.unit.description
    }

    fn next_offset(&self) -> u64 {
        match (self.event(), self.unit.events.first()) {
            (Some(event), _) => event.end,
            (None, Some(first)) => first.offset,
            (None, None) => self.unit.relay.offset,
        }
    }
}
