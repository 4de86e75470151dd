//! Events that are shown only if something of their transaction is.
//!
//! Invariant: what is held is bounded by the frame of one transaction and one statement, which is
//! small but for the file that a LOAD DATA statement brings along.

use binlog::event::{Event, EventFormat, EventType, RawEvent};
use binlog::stream::Place;
use binlog::transaction::{Boundary, Step};

/// A larger payload event is not held: its inner events say all of it.
const PAYLOAD_LEN_MAX: usize = 1 << 20;

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: Vec<HeldEvent>,
    /// Where their transaction began.
    transaction: Option<Place>,
}

#[derive(Debug)]
struct HeldEvent {
    place: Place,
    bytes: Vec<u8>,
    format: EventFormat,
    checksum_ok: bool,
}

impl Held {
    /// Keeps an event until another of its transaction is shown.
    pub(super) fn keep(&mut self, step: &Step<'_>) {
        self.enter(step);
        let is_payload = step.raw.header.event_type == EventType::TRANSACTION_PAYLOAD;
        if !is_payload || step.raw.bytes.len() <= PAYLOAD_LEN_MAX {
            self.events.push(HeldEvent {
                place: step.place,
                bytes: step.raw.bytes.to_vec(),
                format: step.format,
                checksum_ok: step.checksum_ok,
            });
        }
    }

    /// The statement that is read is not asked for: what was held for it goes.
    pub(super) fn skip(&mut self) {
        self.events.retain(|event| {
            let kind = event.bytes.get(4).copied().map(EventType);
            !matches!(
                kind,
                Some(
                    EventType::ROWS_QUERY
                        | EventType::ANNOTATE_ROWS
                        | EventType::INTVAR
                        | EventType::RAND
                        | EventType::USER_VAR
                        | EventType::BEGIN_LOAD_QUERY
                        | EventType::APPEND_BLOCK
                        | EventType::DELETE_FILE
                )
            )
        });
    }

    /// `step` is shown: gives what was held of its transaction.
    pub(super) fn release<E>(
        &mut self,
        step: &Step<'_>,
        mut each: impl FnMut(&Step<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.enter(step);
        for held in self.events.drain(..) {
            // It was decoded once already.
            let decoded = RawEvent::parse_as(&held.bytes, held.format)
                .and_then(|raw| Ok((raw, Event::decode(&raw, held.format)?)));
            let Ok((raw, event)) = decoded else { continue };
            each(&Step {
                file: step.file,
                description: step.description,
                place: held.place,
                raw,
                format: held.format,
                event,
                boundary: Boundary::Inside,
                table: None,
                checksum_ok: held.checksum_ok,
                transaction: step.transaction,
                order_error: None,
            })?;
        }
        Ok(())
    }

    /// Forgets what belongs to another transaction.
    fn enter(&mut self, step: &Step<'_>) {
        let transaction = step.transaction.map(|info| info.start);
        if transaction != self.transaction {
            self.transaction = transaction;
            self.events.clear();
        }
    }
}
