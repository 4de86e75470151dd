//! A run of events behind a byte that says how they look: every event type, both families.
//!
//! | size | field                                                        |
//! |-----:|--------------------------------------------------------------|
//! |    1 | format: bit 0 checksums, bit 1 MariaDB, bit 2 short table ids |
//! |      | bits 3-5: headers of 19, 23, 27, 31 bytes, version 1, 3      |
//! | rest | events, each framed by the size in its header                |

use binlog::event::{ChecksumAlgorithm, Event, EventFormat, Flavour, RawEvent};
use binlog::limits::Limits;
use binlog::row::{RowPlan, RowsEvent, TableMap};
use binlog::transaction::StatementKind;

use super::{Verdict, rows};

/// The format that the first byte of an input says.
#[must_use]
pub fn format_of(byte: u8) -> EventFormat {
    let checksum = match byte & 1 {
        0 => ChecksumAlgorithm::None,
        _ => ChecksumAlgorithm::Crc32,
    };
    let (binlog_version, header_len) = match byte >> 3 & 7 {
        0..=3 => (4, HEADER_LENGTHS.get(usize::from(byte >> 3 & 3))),
        4 => (1, Some(&13)),
        _ => (3, None),
    };
    EventFormat {
        flavour: if byte & 2 == 0 {
            Flavour::MySql
        } else {
            Flavour::MariaDb
        },
        header_len: header_len.copied().unwrap_or(19),
        table_id_len: if byte & 4 == 0 { 6 } else { 4 },
        binlog_version,
        ..EventFormat::mysql(checksum)
    }
}

/// The byte of a format.
#[must_use]
pub fn byte_of(format: EventFormat) -> u8 {
    let headers = match format.binlog_version {
        1 => 4,
        3 => 5,
        _ => (format.header_len.saturating_sub(19) / 4).min(3),
    };
    u8::from(format.checksum == ChecksumAlgorithm::Crc32)
        | u8::from(format.flavour == Flavour::MariaDb) << 1
        | u8::from(format.table_id_len == 4) << 2
        | headers << 3
}

const HEADER_LENGTHS: [u8; 4] = [19, 23, 27, 31];

/// Takes a run of events.
pub fn run(input: &[u8]) -> Verdict {
    let Some((&format, mut rest)) = input.split_first() else {
        return Verdict::Refused;
    };
    let format = format_of(format);
    let mut tables = Tables::default();
    let mut is_decoded = true;
    while !rest.is_empty() {
        let bytes = next_event(&mut rest);
        is_decoded &= event(bytes, format, &mut tables);
    }
    Verdict::from_bool(is_decoded)
}

/// Splits the next event off by the size it announces; all that is left if that does not fit.
fn next_event<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let size = rest.get(9..13).and_then(|size| size.first_chunk::<4>());
    let size = size.map_or(0, |size| u32::from_le_bytes(*size));
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let (event, behind) = rest.split_at_checked(size.max(1)).unwrap_or((rest, &[]));
    *rest = behind;
    event
}

/// Tables that the events before described.
#[derive(Default)]
pub struct Tables<'a> {
    maps: Vec<(TableMap<'a>, RowPlan)>,
}

/// Decodes one event in every way; true if nothing was refused.
pub fn event<'a>(bytes: &'a [u8], format: EventFormat, tables: &mut Tables<'a>) -> bool {
    let Ok(raw) = RawEvent::parse_as(bytes, format) else {
        return false;
    };
    let is_whole = raw.verify(format).is_ok();
    let Ok(event) = Event::decode(&raw, format) else {
        return false;
    };
    check_round_trip(&raw, &event, format);
    look(&event);
    let rest_is_decoded = match event {
        Event::TableMap(map) => tables.add(map),
        Event::Rows(event) => tables.rows(&event, format),
        _ => true,
    };
    is_whole && rest_is_decoded
}

/// Takes apart what decoding leaves as bytes.
fn look(event: &Event<'_>) {
    match event {
        Event::Query(query) => {
            let variables = &query.status;
            let _ = StatementKind::of(&query.sql);
            let _ = (
                variables.sql_mode(),
                variables.charset(),
                variables.time_zone(),
            );
        }
        Event::QueryCompressed(query) => {
            if let Ok(query) = query.inflate(&Limits::default()) {
                query.encode(&mut Vec::new());
            }
        }
        Event::UserVar(variable) => {
            let _ = (variable.is_unsigned(), variable.decoded());
        }
        Event::Load(load) => assert_eq!(load.columns().count(), load.columns().count()),
        Event::TransactionContext(context) => {
            let sets = [&context.write_set, &context.read_set];
            for set in sets {
                assert!(set.iter().count() as u64 <= u64::from(set.len()));
            }
        }
        Event::ViewChange(view) => {
            let _ = view.view_name();
            assert!(
                view.certification.iter().count() as u64 <= u64::from(view.certification.len())
            );
        }
        _ => {}
    }
}

/// What was decoded encodes, and that encoding decodes to what encodes the same.
fn check_round_trip(raw: &RawEvent<'_>, event: &Event<'_>, format: EventFormat) {
    let first = encode(raw, event, format);
    let again = RawEvent::parse_as(&first, format).expect("an encoded event is framed");
    let decoded = match Event::decode(&again, format) {
        Ok(decoded) => decoded,
        Err(error) => panic!("{error}: the encoding {first:02x?} of {event:?} does not decode"),
    };
    let second = encode(raw, &decoded, format);
    assert!(
        first == second,
        "{event:?} encodes as {first:02x?}, which decodes to {decoded:?} and encodes as {second:02x?}"
    );
}

fn encode(raw: &RawEvent<'_>, event: &Event<'_>, format: EventFormat) -> Vec<u8> {
    let mut out = Vec::new();
    raw.reframe(&mut out, format, |out| event.encode_as(out, format));
    out
}

impl<'a> Tables<'a> {
    fn add(&mut self, map: TableMap<'a>) -> bool {
        let Ok(plan) = RowPlan::new(&map) else {
            return false;
        };
        self.maps
            .retain(|(other, _)| other.table_id != map.table_id);
        self.maps.push((map, plan));
        true
    }

    /// Reads rows by the plan of their table, or of the last one if no table has their id.
    fn rows(&self, event: &RowsEvent<'_>, format: EventFormat) -> bool {
        let same = |table: &&(TableMap<'_>, RowPlan)| table.0.table_id == event.table_id;
        let Some((map, plan)) = self.maps.iter().find(same).or(self.maps.last()) else {
            return true;
        };
        rows::check(event, map, plan, format.flavour)
    }
}
