//! Events of a plain file by nothing but their sizes: a reader too simple to share mistakes with the
//! one that is tested.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "each test uses its own part, and fails by panicking"
)]

use binlog::event::{
    ChecksumAlgorithm, Event, EventFormat, EventHeader, EventType, FIRST_EVENT_OFFSET,
    FormatDescription, MAGIC, RawEvent,
};

/// One event and the format that it has.
#[derive(Clone, Copy)]
pub struct Walked<'a> {
    pub offset: u64,
    pub raw: RawEvent<'a>,
    pub format: EventFormat,
}

/// The events of a file; stops where whole ones end.
pub fn events(file: &[u8]) -> Vec<Walked<'_>> {
    assert_eq!(file[..4], MAGIC);
    let start = usize::try_from(FIRST_EVENT_OFFSET).unwrap();
    walk(file, start, EventFormat::from(ChecksumAlgorithm::None))
}

/// The events inside a compressed transaction, once it is inflated.
pub fn inner_events(payload: &[u8]) -> Vec<Walked<'_>> {
    walk(payload, 0, EventFormat::from(ChecksumAlgorithm::None))
}

fn walk(bytes: &[u8], start: usize, mut format: EventFormat) -> Vec<Walked<'_>> {
    let mut events = Vec::new();
    let mut offset = start;
    while offset < bytes.len() {
        let header = EventHeader::decode(&bytes[offset..]).unwrap();
        let end = offset + usize::try_from(header.event_size).unwrap();
        let Some(event) = bytes.get(offset..end) else {
            break;
        };
        let raw = RawEvent::parse(event).unwrap();
        if header.event_type == EventType::FORMAT_DESCRIPTION {
            format = FormatDescription::decode(event).unwrap().format();
        }
        events.push(Walked {
            offset: offset as u64,
            raw,
            format,
        });
        offset = end;
    }
    events
}

/// What is inside a `TRANSACTION_PAYLOAD` event, by the one field of it that matters here.
pub fn inflate(walked: &Walked<'_>) -> Vec<u8> {
    let body = walked.raw.body(walked.format).unwrap();
    let frame = body
        .windows(4)
        .position(|four| four == [0x28, 0xb5, 0x2f, 0xfd]);
    zstd::decode_all(&body[frame.expect("a zstd frame")..]).unwrap()
}

/// The event itself.
pub fn decode<'a>(walked: &Walked<'a>) -> Event<'a> {
    Event::decode(&walked.raw, walked.format).unwrap()
}
