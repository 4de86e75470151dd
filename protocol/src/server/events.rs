//! Events of the binlog, framed ahead of time: whoever reads them from a file can do so off the
//! connection's thread, and they then leave without being copied again.

use codec::Write as _;

use crate::packet::Encoder;

/// Events as packets, in order.
#[derive(Debug, Default)]
pub struct EventPackets {
    encoder: Encoder,
    /// Number of the packet after them.
    next: u8,
    events: usize,
}

impl EventPackets {
    /// Empties it. `sequence` is what [`super::Connection::event_sequence`] says: nothing else may
    /// be sent before these events are.
    pub fn begin(&mut self, sequence: u8) {
        self.encoder.clear();
        self.next = sequence;
        self.events = 0;
    }

    /// Appends an event.
    pub fn push(&mut self, event: &[u8]) {
        self.encoder.packet(&mut self.next, |out| {
            out.put_u8(0);
            out.put(event);
        });
        self.events += 1;
    }

    /// The packets.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.encoder.pending()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.events == 0
    }

    pub(super) const fn next_sequence(&self) -> u8 {
        self.next
    }
}
