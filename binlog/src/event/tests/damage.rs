//! Events that are cut or changed: an error or a decoded event, never a panic.

use proptest::prelude::*;

use super::bytes::ALL;
use super::golden::{format_of, unhex};
use super::*;

/// The event with its body replaced, its size made right, and no checksum.
fn with_body(event: &[u8], body: &[u8]) -> Vec<u8> {
    let mut out = event[..EventHeader::LEN].to_vec();
    out.extend(body);
    let size = u32::try_from(out.len()).unwrap();
    out[9..13].copy_from_slice(&size.to_le_bytes());
    out
}

fn body_of(event: &[u8]) -> Vec<u8> {
    let raw = RawEvent::parse(event).unwrap();
    raw.body(format_of(event)).unwrap().to_vec()
}

/// Decodes what may be damaged. What is taken for whole must encode into an event that says the
/// same.
fn decode(bytes: &[u8]) -> bool {
    let raw = RawEvent::parse(bytes).unwrap();
    let format = EventFormat {
        checksum: ChecksumAlgorithm::None,
        ..format_of(bytes)
    };
    let Ok(event) = Event::decode(&raw, format) else {
        return false;
    };
    let mut again = Vec::new();
    raw.reframe(&mut again, format, |out| event.encode_as(out, format));
    let raw = RawEvent::parse(&again).unwrap();
    let second = Event::decode(&raw, format);
    // Compared as text: a NaN is not equal to itself.
    assert_eq!(
        format!("{second:?}"),
        format!("{:?}", Ok::<_, DecodeError>(event))
    );
    true
}

#[test]
fn an_event_cut_at_any_length_is_refused_or_says_less() {
    for (name, hex) in ALL {
        let event = unhex(hex);
        let body = body_of(&event);
        let decoded = (0..body.len())
            .filter(|&len| decode(&with_body(&event, &body[..len])))
            .count();
        let is_fixed = ["XID", "RAND", "INTVAR", "START_ENCRYPTION", "XA_"];
        if is_fixed.iter().any(|prefix| name.starts_with(prefix)) {
            assert_eq!(decoded, 0, "{name}");
        }
    }
}

#[test]
fn a_header_cut_at_any_length_is_refused() {
    let event = unhex(bytes::XID);
    for len in 0..event.len() {
        assert!(RawEvent::parse(&event[..len]).is_err());
        let v1 = EventFormat {
            header_len: EventHeader::LEN_V1_U8,
            ..EventFormat::mysql(ChecksumAlgorithm::None)
        };
        assert!(RawEvent::parse_as(&event[..len], v1).is_err());
    }
}

#[test]
fn an_event_shorter_than_its_header_or_checksum_is_refused() {
    let mut out = Vec::new();
    EventHeader::new(EventType::XID, 0, 1).encode(&mut out);
    out[9] = 19;
    let raw = RawEvent::parse(&out).unwrap();
    assert!(raw.body(ChecksumAlgorithm::Crc32).is_err());
    assert!(raw.verify(ChecksumAlgorithm::Crc32).is_err());
    let long = EventFormat {
        header_len: 31,
        ..EventFormat::mysql(ChecksumAlgorithm::None)
    };
    assert!(raw.body(long).is_err());
    assert_eq!(raw.extra_header(long), b"");
    let mut description = out;
    description[4] = EventType::FORMAT_DESCRIPTION.0;
    let raw = RawEvent::parse(&description).unwrap();
    assert!(Event::decode(&raw, ChecksumAlgorithm::None).is_err());
}

#[test]
fn any_byte_of_an_event_may_be_any_other() {
    for (_, hex) in ALL {
        let event = unhex(hex);
        let body = body_of(&event);
        for at in 0..body.len() {
            for value in [0, 1, 0x7f, 0x80, 0xfb, 0xfc, 0xfe, 0xff] {
                let mut changed = body.clone();
                changed[at] = value;
                decode(&with_body(&event, &changed));
            }
        }
    }
}

proptest! {
    #[test]
    fn any_body_of_any_type_is_decoded_or_refused(kind: u8, body: Vec<u8>, version in 1u16..5) {
        let mut out = Vec::new();
        let header = EventHeader::new(EventType(kind), 0, 1);
        write_event(&mut out, &header, 4, ChecksumAlgorithm::None, |out| out.extend(&body));
        let format = EventFormat {
            binlog_version: version,
            ..EventFormat::mysql(ChecksumAlgorithm::None)
        };
        let raw = RawEvent::parse(&out).unwrap();
        let _ = Event::decode(&raw, format);
    }
}
