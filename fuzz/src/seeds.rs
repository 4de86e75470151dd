//! Seeds: whole inputs that decode, from which mutants are made.
//!
//! Each has a label: the server family and event type it stands for, so that a run can say how often
//! each was mutated. Of a type that the corpora have often only some are kept, of different sizes.

use std::collections::{BTreeMap, HashMap};

use binlog::event::{
    ChecksumAlgorithm, EventFormat, EventHeader, EventType, Flavour, FormatDescription, MAGIC,
};

use crate::corpus::Corpus;
use crate::made;
use crate::targets::stream::byte_of;

/// One seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seed {
    /// What it stands for, such as `mysql QUERY`.
    pub label: String,
    /// Its bytes, with as much structure as mutations use.
    pub shape: Shape,
}

/// Bytes of a seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// An input as it is.
    Bytes(Vec<u8>),
    /// A prefix and events.
    Events(Stream),
}

/// Events behind a prefix (the magic of a file, or the format byte of a run of events).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// What stands before the first event.
    pub prefix: Vec<u8>,
    /// Whole events.
    pub events: Vec<Vec<u8>>,
    /// Whether every event carries a checksum.
    pub has_checksums: bool,
}

impl Seed {
    /// A seed of plain bytes.
    #[must_use]
    pub fn bytes(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            label: label.into(),
            shape: Shape::Bytes(bytes.into()),
        }
    }

    /// The seed itself as an input.
    #[must_use]
    pub fn input(&self) -> Vec<u8> {
        match &self.shape {
            Shape::Bytes(bytes) => bytes.clone(),
            Shape::Events(stream) => {
                let mut out = stream.prefix.clone();
                out.extend(stream.events.iter().flatten());
                out
            }
        }
    }
}

/// Most seeds of one label.
const PER_LABEL_MAX: usize = 48;

/// Largest event, and largest file, that becomes a seed, in bytes.
const EVENT_MAX: usize = 8 << 10;
const FILE_MAX: usize = 24 << 10;

/// One event of each type that the corpora have, and of each that only [`made`] has, with the table
/// maps before its rows.
#[must_use]
pub fn events(corpus: &Corpus) -> Vec<Seed> {
    let mut kept = Kept::default();
    for file in &corpus.files {
        let Some(parts) = Parts::of(&file.bytes) else {
            continue;
        };
        if parts.is_encrypted {
            continue;
        }
        let mut maps: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        for event in &parts.events {
            let event_type = EventType(event.get(4).copied().unwrap_or_default());
            let table_id = event.get(19..25).unwrap_or_default().to_vec();
            let mut events = Vec::new();
            if event_type == EventType::TABLE_MAP {
                maps.insert(table_id, event.clone());
            } else if made::follows_table_map(event_type) {
                events.extend(maps.get(&table_id).cloned());
            }
            events.push(event.clone());
            kept.add(label(parts.format, event_type), parts.format, events);
        }
    }
    for (format, events) in made::events() {
        let event_type = events.last().and_then(|event| event.get(4)).copied();
        let label = label(format, EventType(event_type.unwrap_or_default()));
        kept.add(label, format, events);
    }
    kept.seeds.into_values().flatten().collect()
}

#[derive(Default)]
struct Kept {
    seeds: BTreeMap<String, Vec<Seed>>,
}

impl Kept {
    fn add(&mut self, label: String, format: EventFormat, events: Vec<Vec<u8>>) {
        let len: usize = events.iter().map(Vec::len).sum();
        let seeds = self.seeds.entry(label.clone()).or_default();
        if len > EVENT_MAX && !seeds.is_empty() || seeds.len() >= PER_LABEL_MAX {
            return;
        }
        let seed = Seed {
            label,
            shape: Shape::Events(Stream {
                prefix: vec![byte_of(format)],
                events,
                has_checksums: format.checksum == ChecksumAlgorithm::Crc32,
            }),
        };
        let is_new_size = seeds.iter().all(|other| other.input().len() != len + 1);
        if is_new_size || seeds.len() < PER_LABEL_MAX / 4 && !seeds.contains(&seed) {
            seeds.push(seed);
        }
    }
}

/// Whole files: the small ones, and the heads of the others.
#[must_use]
pub fn files(corpus: &Corpus) -> Vec<Seed> {
    let mut seeds = Vec::new();
    // Each looks at its file in another way.
    for (file, flags) in corpus.files.iter().zip((0..32).cycle()) {
        let Some(mut parts) = Parts::of(&file.bytes) else {
            seeds.extend(encrypted(flags, &file.bytes));
            continue;
        };
        if parts.is_encrypted {
            seeds.extend(encrypted(flags, &file.bytes));
            continue;
        }
        let mut len = 0;
        parts.events.retain(|event| {
            let fits = len + event.len() <= FILE_MAX;
            len += if fits { event.len() } else { 0 };
            fits
        });
        let server = if parts.format.flavour == Flavour::MariaDb {
            "mariadb"
        } else {
            "mysql"
        };
        seeds.push(Seed {
            label: format!("{server} file"),
            shape: Shape::Events(Stream {
                prefix: [&[flags], &MAGIC[..]].concat(),
                events: parts.events,
                has_checksums: parts.format.checksum == ChecksumAlgorithm::Crc32,
            }),
        });
    }
    seeds
}

/// An encrypted file, whose events nobody can tell apart here.
fn encrypted(flags: u8, bytes: &[u8]) -> Option<Seed> {
    let label = match bytes.first()? {
        0xfd => "mysql file, encrypted",
        _ => "mariadb file, encrypted",
    };
    let is_small = bytes.len() <= FILE_MAX;
    is_small.then(|| Seed::bytes(label, [&[flags], bytes].concat()))
}

fn label(format: EventFormat, event_type: EventType) -> String {
    let server = if format.flavour == Flavour::MariaDb {
        "mariadb"
    } else {
        "mysql"
    };
    format!("{server} {:03} {}", event_type.0, event_type.label())
}

/// A plain file taken apart.
pub struct Parts {
    /// How its events look.
    pub format: EventFormat,
    /// Its events, up to the first that its size does not frame.
    pub events: Vec<Vec<u8>>,
    /// Whether MariaDB encrypted what follows the first two events.
    pub is_encrypted: bool,
}

impl Parts {
    /// Takes a file apart; `None` if it does not begin as a plain log file with a format description.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(&MAGIC)?;
        let mut events: Vec<Vec<u8>> = Vec::new();
        while let Ok(header) = EventHeader::decode(rest) {
            let size = usize::try_from(header.event_size).ok()?;
            let Some((event, behind)) = rest.split_at_checked(size.max(EventHeader::LEN)) else {
                break;
            };
            events.push(event.to_vec());
            rest = behind;
        }
        let description = FormatDescription::decode(events.first()?).ok()?;
        let format = description.format();
        let second = events.get(1).and_then(|event| event.get(4));
        let is_encrypted = second == Some(&EventType::START_ENCRYPTION.0);
        Some(Self {
            format,
            events,
            is_encrypted,
        })
    }
}
