//! The weights of characters: tables of the collations, and the rules for what no table holds.
//!
//! The tables are generated from WEIGHT_STRING() of MySQL 9.7 by `scripts/collation-weights`, where
//! their form is described; they are Unicode's DUCET 9.0.0 and 4.0.0 at the first level, and MySQL's
//! own table of `general_ci`. They are part of the file format.

use std::sync::LazyLock;

use super::Rule;
use super::compare::latin1_byte;

/// Most weights of one character.
const WEIGHTS_MAX: usize = 9;

/// The weights of one character, taken one by one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CharWeights {
    weights: [u16; WEIGHTS_MAX],
    length: u8,
    at: u8,
}

impl CharWeights {
    fn one(weight: u16) -> Self {
        let mut weights = [0; WEIGHTS_MAX];
        let [first, ..] = &mut weights;
        *first = weight;
        Self {
            weights,
            length: 1,
            at: 0,
        }
    }

    fn of(list: impl Iterator<Item = u16>) -> Self {
        let mut out = Self::default();
        for (slot, weight) in out.weights.iter_mut().zip(list) {
            *slot = weight;
            out.length += 1;
        }
        out
    }
}

impl Iterator for CharWeights {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        if self.at >= self.length {
            return None;
        }
        self.at += 1;
        self.weights.get(usize::from(self.at - 1)).copied()
    }
}

/// The weights of a character under a rule other than [`Rule::Binary`].
pub(super) fn of_char(rule: Rule, c: char) -> CharWeights {
    match rule {
        Rule::Binary => CharWeights::of(binary(c)),
        Rule::Latin1 => match latin1_byte(c) {
            Some(byte) => CharWeights::one(u16::from(byte)),
            None => CharWeights::of(beyond_latin1(c)),
        },
        Rule::AsciiCaseless => {
            CharWeights::one(u16::try_from(u32::from(c.to_ascii_uppercase())).unwrap_or(0xfffd))
        }
        Rule::Swedish => {
            let byte = latin1_byte(c).unwrap_or(b'?');
            CharWeights::one(SWEDISH.get(usize::from(byte)).copied().map_or(0, u16::from))
        }
        Rule::General => CharWeights::one(general(c)),
        Rule::Unicode400 if u32::from(c) > 0xffff => CharWeights::one(0xfffd),
        Rule::Unicode400 => UCA400.weights(c),
        Rule::Unicode900AccentCaseless => UCA900.weights(c),
    }
}

/// The weight of a space under a rule.
pub(super) fn space(rule: Rule) -> u16 {
    of_char(rule, ' ').next().unwrap_or(0)
}

fn binary(c: char) -> impl Iterator<Item = u16> {
    let value = u32::from(c);
    [value >> 16, value & 0xffff]
        .into_iter()
        .filter_map(|half| u16::try_from(half).ok())
}

/// Behind every byte, and different for each character.
fn beyond_latin1(c: char) -> impl Iterator<Item = u16> {
    let value = u32::from(c);
    [(value >> 16) + 0x100, value & 0xffff]
        .into_iter()
        .filter_map(|half| u16::try_from(half).ok())
}

fn general(c: char) -> u16 {
    let Ok(identity) = u16::try_from(u32::from(c)) else {
        return 0xfffd;
    };
    GENERAL
        .explicit(c)
        .and_then(|list| list.first().copied())
        .unwrap_or(identity)
}

static UCA900: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_bytes!("weights/uca900.bin")));
static UCA400: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_bytes!("weights/uca400.bin")));
static GENERAL: LazyLock<Table> =
    LazyLock::new(|| Table::read(include_bytes!("weights/general.bin")));

/// A table in memory: pages of 256 code points, each an index into the pool of weights.
struct Table {
    /// First, last code point and base of implicit weights.
    ranges: Vec<(u32, u32, u16)>,
    pages: Vec<Option<Page>>,
    pool: Vec<u16>,
}

/// For 256 code points where in the pool their weights begin, and how many there are.
type Page = Box<[(u32, u8); 256]>;

/// Marks a code point without weights of its own.
const ABSENT: u8 = u8::MAX;

impl Table {
    fn read(file: &[u8]) -> Self {
        let mut rest = file;
        let mut take = |count: usize| {
            let (head, tail) = rest.split_at_checked(count).unwrap_or((&[], &[]));
            rest = tail;
            head
        };
        let number = |bytes: &[u8]| {
            bytes
                .iter()
                .rev()
                .fold(0u32, |sum, byte| sum << 8 | u32::from(*byte))
        };
        let half = |bytes: &[u8]| u16::try_from(number(bytes)).unwrap_or(0);
        let count = number(take(4));
        let ranges = (0..count)
            .map(|_| (number(take(4)), number(take(4)), half(take(2))))
            .collect();
        let mut table = Self {
            ranges,
            pages: Vec::new(),
            pool: Vec::new(),
        };
        let mut code_point = 0;
        loop {
            let mut step = 0;
            let mut shift = 0;
            let ended = loop {
                let [byte] = take(1) else { break true };
                step |= u32::from(byte & 0x7f) << shift;
                shift += 7;
                if byte & 0x80 == 0 {
                    break false;
                }
            };
            if ended {
                return table;
            }
            code_point += step;
            let length = take(1).first().copied().unwrap_or(0);
            let start = u32::try_from(table.pool.len()).unwrap_or(u32::MAX);
            table.pool.extend((0..length).map(|_| half(take(2))));
            table.set(code_point, (start, length));
        }
    }

    fn set(&mut self, code_point: u32, entry: (u32, u8)) {
        let (page, slot) = place(code_point);
        if self.pages.len() <= page {
            self.pages.resize_with(page + 1, || None);
        }
        if let Some(page) = self.pages.get_mut(page) {
            let entries = page.get_or_insert_with(|| Box::new([(0, ABSENT); 256]));
            if let Some(target) = entries.get_mut(slot) {
                *target = entry;
            }
        }
    }

    /// The weights that the table holds for a character; `None` when it holds none.
    fn explicit(&self, c: char) -> Option<&[u16]> {
        let (page, slot) = place(u32::from(c));
        let (start, length) = *self.pages.get(page)?.as_ref()?.get(slot)?;
        if length == ABSENT {
            return None;
        }
        let start = usize::try_from(start).ok()?;
        self.pool.get(start..start + usize::from(length))
    }

    fn weights(&self, c: char) -> CharWeights {
        if let Some(list) = self.explicit(c) {
            return CharWeights::of(list.iter().copied());
        }
        let code_point = u32::from(c);
        let range = self
            .ranges
            .partition_point(|(_, last, _)| *last < code_point);
        if let Some((first, _, base)) = self.ranges.get(range)
            && *first <= code_point
        {
            let high = base + u16::try_from(code_point >> 15).unwrap_or(0);
            let low = u16::try_from(code_point & 0x7fff | 0x8000).unwrap_or(0);
            return CharWeights::of([high, low].into_iter());
        }
        let parts = jamo(code_point);
        CharWeights::of(
            parts
                .into_iter()
                .flatten()
                .flat_map(|part| self.explicit(part).unwrap_or_default())
                .copied(),
        )
    }
}

fn place(code_point: u32) -> (usize, usize) {
    let split = |value: u32| usize::try_from(value).unwrap_or(0);
    (split(code_point >> 8), split(code_point & 0xff))
}

/// The two or three Jamo of a Hangul syllable.
fn jamo(code_point: u32) -> [Option<char>; 3] {
    let Some(index) = code_point
        .checked_sub(0xac00)
        .filter(|index| *index < 11_172)
    else {
        return [None; 3];
    };
    let trail = index % 28;
    [
        char::from_u32(0x1100 + index / 588),
        char::from_u32(0x1161 + index % 588 / 28),
        if trail > 0 {
            char::from_u32(0x11a7 + trail)
        } else {
            None
        },
    ]
}

/// Weights of `latin1_swedish_ci`.
static SWEDISH: [u8; 256] = [
    0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f,
    0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f,
    0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f,
    0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e, 0x5f,
    0x60, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f,
    0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x7b, 0x7c, 0x7d, 0x7e, 0x7f,
    0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
    0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f,
    0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
    0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf,
    0x41, 0x41, 0x41, 0x41, 0x5c, 0x5b, 0x5c, 0x43, 0x45, 0x45, 0x45, 0x45, 0x49, 0x49, 0x49, 0x49,
    0x44, 0x4e, 0x4f, 0x4f, 0x4f, 0x4f, 0x5d, 0xd7, 0xd8, 0x55, 0x55, 0x55, 0x59, 0x59, 0xde, 0xdf,
    0x41, 0x41, 0x41, 0x41, 0x5c, 0x5b, 0x5c, 0x43, 0x45, 0x45, 0x45, 0x45, 0x49, 0x49, 0x49, 0x49,
    0x44, 0x4e, 0x4f, 0x4f, 0x4f, 0x4f, 0x5d, 0xf7, 0xd8, 0x55, 0x55, 0x55, 0x59, 0x59, 0xde, 0xff,
];
