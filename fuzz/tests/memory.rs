//! Sizes that bytes announce and do not have: no decoder allocates by them.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use binlog::event::{ChecksumAlgorithm, checksum};
use binlog::row::TableMap;
use codec::{Reader, Write};
use fuzz::allocation::{Counting, measure};
use fuzz::corpus::Corpus;
use fuzz::seeds::{Seed, Shape, Stream};
use fuzz::targets::{self, Target, Verdict};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What a small input may take: buffers of fixed size that a reader keeps, and what it holds.
const SMALL_MAX: u64 = 4 << 20;

/// Seeds of each label that are tried, and the longest of them.
const PER_LABEL: usize = 2;
const LEN_MAX: usize = 400;

/// Lengths of gigabytes in every form that a field may have.
const LENGTHS: [&[u8]; 8] = [
    b"\xff\xff",
    b"\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xfd\xff\xff\xff",
    b"\xfe\0\0\0\x40\0\0\0\0",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
];

fn small_seeds(target: &Target, corpus: &Corpus) -> Vec<Seed> {
    let mut kept: Vec<Seed> = Vec::new();
    let mut seeds = (target.seeds)(corpus);
    seeds.sort_by_key(|seed| seed.input().len());
    for seed in seeds {
        let same = kept
            .iter()
            .filter(|other| other.label == seed.label)
            .count();
        if same < PER_LABEL && seed.input().len() <= LEN_MAX {
            kept.push(seed);
        }
    }
    kept
}

/// Every input that has one of [`LENGTHS`] somewhere, sizes and checksums of events made right.
fn with_lengths(seed: &Seed, mut each: impl FnMut(&[u8])) {
    for length in LENGTHS {
        match &seed.shape {
            Shape::Bytes(bytes) => {
                for at in 0..bytes.len() {
                    each(&overwritten(bytes, at, length));
                }
            }
            Shape::Events(stream) => {
                for (index, event) in stream.events.iter().enumerate() {
                    for at in 19..event.len() {
                        each(&with_event(stream, index, overwritten(event, at, length)));
                    }
                }
            }
        }
    }
}

fn overwritten(bytes: &[u8], at: usize, piece: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let end = (at + piece.len()).min(bytes.len());
    bytes[at..end].copy_from_slice(&piece[..end - at]);
    bytes
}

fn with_event(stream: &Stream, index: usize, mut event: Vec<u8>) -> Vec<u8> {
    if stream.has_checksums {
        let end = event.len() - 4;
        let sum = checksum::compute(&event[..end]).to_le_bytes();
        event[end..].copy_from_slice(&sum);
    }
    let mut input = stream.prefix.clone();
    for (other, bytes) in stream.events.iter().enumerate() {
        input.extend_from_slice(if other == index { &event } else { bytes });
    }
    input
}

#[test]
fn a_size_of_gigabytes_in_any_field_allocates_nothing_big() {
    let corpus = Corpus::of_project().unwrap();
    let mut inputs = 0;
    for target in targets::ALL {
        for seed in small_seeds(target, &corpus) {
            with_lengths(&seed, |input| {
                let (_, usage) = measure(|| (target.run)(input));
                assert!(
                    usage.peak <= SMALL_MAX && usage.largest <= SMALL_MAX,
                    "{} {}: {usage:?} for {input:02x?}",
                    target.name,
                    seed.label,
                );
                inputs += 1;
            });
        }
    }
    assert!(inputs > 100_000, "only {inputs} inputs");
}

/// A table map of `columns` columns of a type, with one field of optional metadata.
fn table_map(columns: u16, column: &[u8], parameters: &[u8], field: u8, value: &[u8]) -> Vec<u8> {
    let count = usize::from(columns);
    let mut body = b"\x07\0\0\0\0\0\x01\0\x04shop\0\x01t\0\xfc".to_vec();
    body.extend(columns.to_le_bytes());
    body.extend(column.repeat(count));
    let parameters = parameters.repeat(count);
    body.put_lenenc_bytes(&parameters);
    body.extend(vec![0; count.div_ceil(8)]);
    body.push(field);
    body.put_lenenc_bytes(value);
    body
}

#[test]
fn large_table_maps_take_no_more_than_the_limit() {
    // Half a byte or one for each thing that takes 16 or more in memory.
    let members = [&b"\xfd\xff\xff\0"[..], &[0; 65_535]].concat();
    let cases = [
        table_map(300, &[254], &[0xf7, 2], 6, &members.repeat(300)),
        table_map(1, &[3], &[], 8, &vec![0; 16 << 20]),
        table_map(1, &[3], &[], 9, &vec![0; 16 << 20]),
        [table_map(1, &[3], &[], 200, &[]), b"\xc8\0".repeat(8 << 20)].concat(),
    ];
    for body in cases {
        let (map, usage) = measure(|| {
            TableMap::decode(Reader::new(&body), ChecksumAlgorithm::None)
                .map(|map| map.columns.len())
        });
        assert!(map.is_err(), "{map:?}");
        assert!(
            !usage.exceeds(body.len()),
            "{usage:?} for {} bytes",
            body.len()
        );
    }
}

#[test]
fn the_allocator_counts_what_a_call_holds() {
    let (_, usage) = measure(|| drop([vec![1_u8; 1000], vec![2_u8; 500]]));
    assert_eq!((usage.peak, usage.largest), (1500, 1000));
    let (kept, usage) = measure(|| {
        let mut bytes = Vec::<u8>::with_capacity(10);
        bytes.reserve_exact(100_000);
        bytes
    });
    assert_eq!(usage.largest, kept.capacity() as u64);
    assert!(!usage.exceeds(0));
    assert!(measure(|| Vec::<u8>::with_capacity(65 << 20)).1.exceeds(0));
}

/// Labels of seeds that no decoder takes: types that the log does not describe.
const UNDECODABLE: [&str; 5] = [
    "PRE_GA",           // rows before 5.1.18, whose layout no server kept
    "column type 0",    // DECIMAL of MySQL 4
    "PARTIAL_ROW_DATA", // is no row event by itself
    "binary",           // the charset of what is no text
    "handshake",        // ends in an error when a login fails
];

#[test]
fn seeds_of_every_event_type_decode() {
    let corpus = Corpus::of_project().unwrap();
    let mut types = std::collections::BTreeSet::new();
    for target in targets::ALL {
        if target.name == "packet" {
            continue;
        }
        let seeds = (target.seeds)(&corpus);
        let mut labels: Vec<(&str, bool)> = Vec::new();
        for seed in &seeds {
            let is_decoded = (target.run)(&seed.input()) == Verdict::Decoded;
            match labels.iter_mut().find(|(label, _)| *label == seed.label) {
                Some((_, any)) => *any |= is_decoded,
                None => labels.push((&seed.label, is_decoded)),
            }
            if target.name == "event" {
                let code = seed.label.split(' ').nth(1).unwrap();
                types.insert(code.parse::<u8>().unwrap());
            }
        }
        for (label, is_decoded) in labels {
            let is_excused = UNDECODABLE.iter().any(|known| label.contains(known));
            assert!(is_decoded || is_excused, "{}: {label}", target.name);
        }
    }
    let all: Vec<u8> = (0..=42).chain(160..=172).collect();
    let missing: Vec<_> = all.iter().filter(|code| !types.contains(code)).collect();
    assert!(missing.is_empty(), "no seed of types {missing:?}");
}
