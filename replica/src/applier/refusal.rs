//! What the coordinator does not take: it is refused by name.

use binlog::event::{Event, EventFlags, EventType, RawEvent};
use binlog::transaction::Step;

use super::error::Reason;

/// Takes an event that belongs to no transaction.
pub(super) fn outside(step: &Step<'_>) -> Result<(), Failed> {
    if let Event::Incident(incident) = &step.event {
        return Err(lost(incident.message));
    }
    match step.raw.header.event_type {
        EventType::FORMAT_DESCRIPTION
        | EventType::ROTATE
        | EventType::STOP
        | EventType::PREVIOUS_GTIDS
        | EventType::HEARTBEAT
        | EventType::HEARTBEAT_V2
        | EventType::MARIADB_GTID_LIST
        | EventType::BINLOG_CHECKPOINT => Ok(()),
        _ => refuse_unless_ignorable(&step.raw),
    }
}

/// A failure whose place is known but for the table.
pub(super) struct Failed {
    pub(super) reason: Reason,
    pub(super) table: Option<String>,
}

impl<R: Into<Reason>> From<R> for Failed {
    fn from(reason: R) -> Self {
        Self {
            reason: reason.into(),
            table: None,
        }
    }
}

/// An event of a kind that the applier does not know may be passed over only if its source says so.
pub(super) fn refuse_unless_ignorable(event: &RawEvent<'_>) -> Result<(), Failed> {
    match event.header.flags.contains(EventFlags::IGNORABLE) {
        true => Ok(()),
        false => refuse(event),
    }
}

pub(super) fn refuse(event: &RawEvent<'_>) -> Result<(), Failed> {
    let kind = event.header.event_type;
    let what = match kind {
        EventType::INTVAR | EventType::RAND | EventType::USER_VAR => {
            format!("A {kind} event (statement-based logging; the source needs binlog_format=ROW)")
        }
        kind => format!("A {kind} event"),
    };
    Err(Reason::Unsupported { what }.into())
}

/// The source says that its log lacks something.
pub(super) fn lost(message: &[u8]) -> Failed {
    let message = shown(message);
    Reason::Incident { message }.into()
}

/// Text of the source for a message, cut to a readable length.
pub(super) fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(1024).collect()
}
