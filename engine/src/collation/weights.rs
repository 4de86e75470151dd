//! The weights of characters: tables of the collations, and the rules for what no table holds.
//!
//! The tables are generated from WEIGHT_STRING() of MySQL 9.7 and MariaDB 11.8 by
//! `scripts/collation-weights`, where their form is described; they are Unicode's DUCET 4.0.0 and 5.2.0
//! at the first level, 9.0.0 and 14.0.0 at three, and the servers' own tables of `general_ci` and
//! `general1400_as_ci`. They are part of the file format.

use std::sync::LazyLock;

use super::rule::{Level, Rule};

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

/// The weights of a character under a rule, at one of its levels.
pub(super) fn of_char(rule: Rule, level: Level, c: char) -> CharWeights {
    match rule {
        Rule::Binary => CharWeights::of(binary(c)),
        Rule::Codes(charset) => match charset.code_of(c) {
            Some(code) => CharWeights::of(code_bytes(code)),
            None => CharWeights::of(beyond_bytes(c)),
        },
        Rule::Bytes(weights) => match weights.of_char(c) {
            Some(weights) => CharWeights::of(weights.into_iter().flatten()),
            None => CharWeights::of(beyond_bytes(c)),
        },
        Rule::General => CharWeights::one(general(c)),
        Rule::GeneralSharp if c == 'ß' => CharWeights::one(0xdf),
        Rule::GeneralSharp => CharWeights::one(general(c)),
        Rule::General1400 => match GENERAL1400.explicit(c) {
            Some([0, caseless]) => CharWeights::one(*caseless),
            Some(caseless) => CharWeights::of(BEYOND.into_iter().chain(caseless.iter().copied())),
            None => match u16::try_from(u32::from(c)) {
                Ok(code_point) => CharWeights::one(code_point),
                Err(_) => CharWeights::of(BEYOND.into_iter().chain(binary(c))),
            },
        },
        Rule::Unicode400 if u32::from(c) > 0xffff => CharWeights::one(0xfffd),
        Rule::Unicode400 => UCA400.weights(c),
        Rule::Unicode520 => UCA520.weights(c),
        Rule::Unicode900(_) => UCA900.at(level, c),
        Rule::Unicode1400(_) => UCA1400.at(level, c),
    }
}

/// In front of what lies beyond the basic plane, behind all of that.
const BEYOND: [u16; 1] = [0xffff];

/// The weight of a space under a rule, at one of its levels.
pub(super) fn space(rule: Rule, level: Level) -> u16 {
    of_char(rule, level, ' ').next().unwrap_or(0)
}

fn binary(c: char) -> impl Iterator<Item = u16> {
    let value = u32::from(c);
    [value >> 16, value & 0xffff]
        .into_iter()
        .filter_map(|half| u16::try_from(half).ok())
}

/// The bytes of a code, of which none but the code 0 begins with 0.
fn code_bytes(code: u32) -> impl Iterator<Item = u16> {
    let bytes = code.to_be_bytes();
    let first = bytes.iter().position(|&byte| byte != 0).unwrap_or(3);
    bytes.into_iter().skip(first).map(u16::from)
}

/// Behind every byte, and different for each character.
fn beyond_bytes(c: char) -> impl Iterator<Item = u16> {
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

macro_rules! table {
    ($file:literal) => {
        LazyLock::new(|| Table::read(include_bytes!(concat!("weights/", $file))))
    };
}

static UCA1400: Levelled = Levelled {
    first: table!("uca1400.bin"),
    second: table!("uca1400_2.bin"),
    third: table!("uca1400_3.bin"),
};
static UCA900: Levelled = Levelled {
    first: table!("uca900.bin"),
    second: table!("uca900_2.bin"),
    third: table!("uca900_3.bin"),
};
static UCA520: LazyLock<Table> = table!("uca520.bin");
static UCA400: LazyLock<Table> = table!("uca400.bin");
static GENERAL: LazyLock<Table> = table!("general.bin");
static GENERAL1400: LazyLock<Table> = table!("general1400.bin");

/// The three levels of a version of Unicode.
struct Levelled {
    first: LazyLock<Table>,
    /// What is not [`ACCENT_USUAL`] for each weight of the first level.
    second: LazyLock<Table>,
    /// What is not [`CASE_USUAL`] for each.
    third: LazyLock<Table>,
}

const ACCENT_USUAL: u16 = 0x20;
const CASE_USUAL: u16 = 0x02;

/// The first of the weights that are made of code points, two for a character.
const IMPLICIT_FIRST: u16 = 0xfb00;

impl Levelled {
    fn at(&self, level: Level, c: char) -> CharWeights {
        let (table, usual) = match level {
            Level::First => return self.first.weights(c),
            Level::Second => (&self.second, ACCENT_USUAL),
            Level::Third => (&self.third, CASE_USUAL),
        };
        if let Some(list) = table.explicit(c) {
            return CharWeights::of(list.iter().copied());
        }
        let first = self.first.weights(c);
        let [lead, ..] = first.weights;
        let count = match first.length {
            2 if lead >= IMPLICIT_FIRST => 1,
            length => usize::from(length),
        };
        CharWeights::of(std::iter::repeat_n(usual, count))
    }
}

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
