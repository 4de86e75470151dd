//! Mutations: what is done to a seed to make an input, all of it decided by one [`Random`].
//!
//! Three layers: bytes (flips, runs, numbers, length fields, splices, truncation), events (repeat,
//! drop, swap), and repair. Repair writes sizes, positions and checksums anew for most inputs, so that
//! a mutant reaches the decoders behind those checks instead of ending at them.

use binlog::event::EventType;

use crate::random::Random;
use crate::seeds::{Seed, Shape};

/// Longest input that is made, in bytes.
pub const INPUT_MAX: usize = 256 << 10;

/// Makes one input out of `seed`; `donors` lend bytes for splices.
#[must_use]
pub fn mutate(seed: &Seed, donors: &[Seed], random: &mut Random) -> Vec<u8> {
    let mut out = match &seed.shape {
        Shape::Bytes(bytes) => {
            let mut bytes = bytes.clone();
            mutate_bytes(&mut bytes, donor_bytes(donors, random), random);
            bytes
        }
        Shape::Events(stream) => {
            let mut events = stream.events.clone();
            mutate_events(&mut events, donors, random);
            let mut prefix = stream.prefix.clone();
            if random.chance(1, 16) {
                mutate_bytes(&mut prefix, &[], random);
            }
            let repair = Repair {
                sizes: !random.chance(1, 16),
                positions: random.chance(7, 8),
                checksums: stream.has_checksums && !random.chance(1, 16),
            };
            let mut out = prefix;
            for event in &mut events {
                // The first byte of an input is no part of a file.
                repair.event(event, out.len().saturating_sub(1));
                out.extend_from_slice(event);
            }
            if random.chance(1, 12) {
                out.truncate(random.below(out.len()));
            }
            out
        }
    };
    out.truncate(INPUT_MAX);
    out
}

fn donor_bytes<'a>(donors: &'a [Seed], random: &mut Random) -> &'a [u8] {
    match random.pick(donors).map(|seed| &seed.shape) {
        Some(Shape::Bytes(bytes)) => bytes,
        Some(Shape::Events(stream)) => random.pick(&stream.events).map_or(&[], Vec::as_slice),
        None => &[],
    }
}

fn mutate_events(events: &mut Vec<Vec<u8>>, donors: &[Seed], random: &mut Random) {
    let rounds = rounds(random);
    for _ in 0..rounds {
        let at = match random.below(3) {
            // The last event is the one that a seed was made for.
            0 => events.len().saturating_sub(1),
            _ => random.below(events.len()),
        };
        match random.below(24) {
            0 if events.len() > 1 => {
                events.remove(at);
            }
            1 => {
                if let Some(event) = events.get(at).cloned() {
                    events.insert(random.below(events.len() + 1), event);
                }
            }
            2 => events.swap(at, 0),
            3 => {
                let event = donor_bytes(donors, random).to_vec();
                events.insert(random.below(events.len() + 1), event);
            }
            _ => {
                if let Some(event) = events.get_mut(at) {
                    mutate_event(event, donor_bytes(donors, random), random);
                }
            }
        }
    }
}

/// Mutates the body, and the header now and then.
fn mutate_event(event: &mut Vec<u8>, donor: &[u8], random: &mut Random) {
    const HEADER: usize = 19;
    if event.len() <= HEADER || random.chance(1, 10) {
        mutate_bytes(event, donor, random);
        return;
    }
    let mut body = event.split_off(HEADER);
    let donor = donor.get(HEADER..).unwrap_or(donor);
    mutate_bytes(&mut body, donor, random);
    event.append(&mut body);
}

/// One in most cases, so that much of what is made is damaged in one place only.
fn rounds(random: &mut Random) -> usize {
    match random.below(8) {
        0 => 3,
        1 | 2 => 2,
        _ => 1,
    }
}

/// Applies one mutation or a few to `bytes`.
pub fn mutate_bytes(bytes: &mut Vec<u8>, donor: &[u8], random: &mut Random) {
    for _ in 0..rounds(random) {
        mutate_once(bytes, donor, random);
    }
}

fn mutate_once(bytes: &mut Vec<u8>, donor: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(14) {
        0 | 1 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        2 => overwrite(bytes, at, &[random.byte()]),
        3 | 4 => overwrite(bytes, at, &interesting(random)),
        5 | 6 => announce(bytes, at, random),
        7 => nudge(bytes, at, random),
        8 => {
            let count = 1 + random.below(16);
            let byte = random.byte();
            insert(bytes, at, &vec![byte; count]);
        }
        9 => {
            let fresh: Vec<u8> = (0..=random.below(24)).map(|_| random.byte()).collect();
            insert(bytes, at, &fresh);
        }
        10 => {
            let end = at.saturating_add(1 + random.below(24)).min(bytes.len());
            bytes.drain(at..end);
        }
        11 => {
            let start = random.below(donor.len());
            let len = 1 + random.below(96);
            let piece = donor.get(start..start.saturating_add(len).min(donor.len()));
            if random.chance(1, 2) {
                insert(bytes, at, piece.unwrap_or_default());
            } else {
                overwrite(bytes, at, piece.unwrap_or_default());
            }
        }
        12 => {
            let end = at.saturating_add(1 + random.below(64)).min(bytes.len());
            let piece = bytes.get(at..end).unwrap_or_default().to_vec();
            let to = random.below(bytes.len());
            for _ in 0..=random.below(3) {
                insert(bytes, to, &piece);
            }
        }
        _ => bytes.truncate(at),
    }
}

/// Numbers at the edges of what fields of 1, 2, 4 and 8 bytes hold, in both byte orders.
fn interesting(random: &mut Random) -> Vec<u8> {
    const NUMBERS: [u64; 14] = [
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fff_ffff,
        0x8000_0000,
        0xffff_ffff,
        0x7fff_ffff_ffff_ffff,
        u64::MAX,
    ];
    let number = random.pick(&NUMBERS).copied().unwrap_or_default();
    let bytes = number.to_le_bytes();
    let width = random.pick(&[1, 2, 3, 4, 6, 8]).copied().unwrap_or(8);
    let mut bytes = bytes.get(..width).unwrap_or_default().to_vec();
    if random.chance(1, 4) {
        bytes.reverse();
    }
    bytes
}

/// Writes a length-encoded integer that announces much, or a little more than there is.
fn announce(bytes: &mut Vec<u8>, at: usize, random: &mut Random) {
    let left = bytes.len().saturating_sub(at) as u64;
    let number = match random.below(6) {
        0 => left,
        1 => left.saturating_add(1),
        2 => u64::from(u32::MAX),
        3 => 1 << (16 + random.below(48)),
        4 => random.bits() >> random.below(64),
        _ => u64::MAX,
    };
    let (marker, width) = match number {
        0..=250 => (None, 1),
        251..=0xffff => (Some(0xfc), 2),
        0x1_0000..=0xff_ffff => (Some(0xfd), 3),
        _ => (Some(0xfe), 8),
    };
    let number = number.to_le_bytes();
    let mut field: Vec<u8> = marker.into_iter().collect();
    field.extend_from_slice(number.get(..width).unwrap_or_default());
    if random.chance(1, 3) {
        // The field grows, and what follows moves with it.
        if at < bytes.len() {
            bytes.remove(at);
        }
        insert(bytes, at, &field);
    } else {
        overwrite(bytes, at, &field);
    }
}

/// Adds a little to a number of 1, 2, 4 or 8 bytes.
fn nudge(bytes: &mut [u8], at: usize, random: &mut Random) {
    let width = 1 << random.below(4);
    let Some(field) = bytes.get_mut(at..at.saturating_add(width)) else {
        return;
    };
    let mut number = [0; 8];
    if let Some(low) = number.get_mut(..width) {
        low.copy_from_slice(field);
    }
    let delta = (random.below(33) as u64).wrapping_sub(16);
    let number = u64::from_le_bytes(number).wrapping_add(delta).to_le_bytes();
    field.copy_from_slice(number.get(..width).unwrap_or_default());
}

fn overwrite(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    let end = at.saturating_add(piece.len());
    if end > bytes.len() {
        bytes.resize(end.min(INPUT_MAX), 0);
    }
    if let Some(place) = bytes.get_mut(at..end) {
        place.copy_from_slice(piece);
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len().saturating_add(piece.len()) <= INPUT_MAX {
        let at = at.min(bytes.len());
        bytes.splice(at..at, piece.iter().copied());
    }
}

struct Repair {
    sizes: bool,
    positions: bool,
    checksums: bool,
}

impl Repair {
    /// Makes size, position and checksum of an event that begins at `start` fit its bytes.
    fn event(&self, event: &mut [u8], start: usize) {
        let len = event.len();
        let put = |event: &mut [u8], at: usize, number: usize| {
            let number = u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
            if let Some(field) = event.get_mut(at..at.saturating_add(4)) {
                field.copy_from_slice(&number);
            }
        };
        if self.sizes {
            put(event, 9, len);
        }
        if self.positions {
            put(event, 13, start.saturating_add(len));
        }
        // A format description carries a checksum in every stream.
        let is_description = event.get(4) == Some(&EventType::FORMAT_DESCRIPTION.0);
        if (self.checksums || is_description && self.sizes)
            && let Some((bytes, checksum)) = event.split_last_chunk_mut::<4>()
        {
            *checksum = binlog::event::checksum::compute(bytes).to_le_bytes();
        }
    }
}
