//! Compressing the events of a transaction into a payload.

use std::io::{self, Write};

use zstd::stream::write::Encoder;

use crate::event::{EventFormat, EventType, PayloadCompression, RawEvent, TransactionPayload};

/// MySQL's default of `binlog_transaction_compression_level_zstd`.
pub const DEFAULT_LEVEL: i32 = 3;

/// Takes the events between a GTID and the end of its transaction, one after the other.
pub struct PayloadWriter {
    encoder: Encoder<'static, Vec<u8>>,
    content_size: u64,
    event: Vec<u8>,
}

impl std::fmt::Debug for PayloadWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PayloadWriter")
            .field("content_size", &self.content_size)
            .finish_non_exhaustive()
    }
}

impl PayloadWriter {
    /// An empty payload that is compressed by zstd with `level`, 1 to 22 as MySQL's
    /// `binlog_transaction_compression_level_zstd` has it; what lies outside is cut to that.
    pub fn new(level: i32) -> io::Result<Self> {
        Ok(Self {
            encoder: Encoder::new(Vec::new(), level.clamp(1, 22))?,
            content_size: 0,
            event: Vec::new(),
        })
    }

    /// Adds an event of a log of `format`: without its checksum, and with an end that says nothing,
    /// as MySQL writes inner events.
    ///
    /// # Errors
    /// An event that may not stand in a payload or has no body, and what the compressor says.
    pub fn push(&mut self, raw: &RawEvent<'_>, format: EventFormat) -> io::Result<()> {
        let invalid =
            |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what.to_owned()));
        let event_type = raw.header.event_type;
        if event_type.is_gtid()
            || matches!(
                event_type,
                EventType::TRANSACTION_PAYLOAD
                    | EventType::FORMAT_DESCRIPTION
                    | EventType::ROTATE
                    | EventType::STOP
            )
        {
            return invalid("the event may not stand in a payload");
        }
        let Ok(body) = raw.body(format) else {
            return invalid("the event is shorter than its header and checksum");
        };
        self.event.clear();
        let mut header = raw.header;
        let size = crate::event::EventHeader::LEN.saturating_add(body.len());
        header.event_size = u32::try_from(size).unwrap_or(u32::MAX);
        header.end_log_pos = 0;
        header.encode(&mut self.event);
        self.encoder.write_all(&self.event)?;
        self.encoder.write_all(body)?;
        self.content_size = self.content_size.saturating_add(size as u64);
        Ok(())
    }

    /// Bytes of the events so far, before compression.
    #[must_use]
    pub const fn content_size(&self) -> u64 {
        self.content_size
    }

    /// The event that holds them.
    pub fn finish(self) -> io::Result<TransactionPayload<'static>> {
        Ok(TransactionPayload {
            compression: Some(PayloadCompression::Zstd),
            uncompressed_size: Some(self.content_size),
            unknown_fields: Vec::new(),
            payload: self.encoder.finish()?.into(),
        })
    }
}

/// Compresses `events`, which are all events of one transaction behind its GTID, into one event.
///
/// The `transaction_length` of the GTID event must be computed anew.
pub fn compress<'a>(
    events: impl IntoIterator<Item = RawEvent<'a>>,
    format: EventFormat,
    level: i32,
) -> io::Result<TransactionPayload<'static>> {
    let mut writer = PayloadWriter::new(level)?;
    for event in events {
        writer.push(&event, format)?;
    }
    writer.finish()
}
