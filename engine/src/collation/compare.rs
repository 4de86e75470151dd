//! How two strings compare under a collation.
//!
//! Strings are UTF-8 whatever their column's character set is. The answers are part of the file
//! format: SQLite's indexes are ordered by them, so they may never change for a released collation.
//! Every string is the sequence of its characters' weights; contractions, of which the root tables
//! have a few for Indic scripts, are not applied.
//!
//! Differs from MySQL: contractions of the Unicode tables are not applied.

use std::cmp::Ordering;

use super::rule::Level;
use super::weights::{self, CharWeights};
use super::{Collation, Pad, Rule};

/// Compares two strings.
#[must_use]
pub fn compare(collation: &Collation, a: &[u8], b: &[u8]) -> Ordering {
    let is_same_bytes = match collation.rule {
        Rule::Binary => true,
        Rule::Codes(_) => a.is_ascii() && b.is_ascii(),
        Rule::Bytes(_)
        | Rule::General
        | Rule::GeneralSharp
        | Rule::General1400
        | Rule::Unicode400
        | Rule::Unicode520
        | Rule::Unicode900(_)
        | Rule::Unicode1400(_) => false,
    };
    match collation.pad {
        Pad::None if is_same_bytes => a.cmp(b),
        Pad::Space if is_same_bytes => padded_bytes(a, b),
        pad => by_weights(collation.rule, pad, a, b),
    }
}

/// Bytes that are equal exactly for equal strings: what a hash table of strings is keyed by.
#[must_use]
pub fn equality_key(collation: &Collation, text: &[u8]) -> Vec<u8> {
    let rule = collation.rule;
    if rule.is_exact() {
        return match collation.pad {
            Pad::Space => text.trim_ascii_end_spaces().to_vec(),
            Pad::None => text.to_vec(),
        };
    }
    let mut key = Vec::new();
    for (number, level) in rule.levels().iter().enumerate() {
        let mut found: Vec<u16> = Weights::new(rule, *level, text).collect();
        if collation.pad == Pad::Space {
            // What weighs nothing may follow the last space.
            let space = weights::space(rule, *level);
            let kept = found
                .iter()
                .rposition(|weight| *weight != space)
                .map_or(0, |last| last.saturating_add(1));
            found.truncate(kept);
        }
        if number > 0 {
            // No weight of a level is 0.
            key.extend([0, 0]);
        }
        key.extend(found.into_iter().flat_map(u16::to_be_bytes));
    }
    key
}

/// Whether two characters are the same to the collation.
#[must_use]
pub fn same_char(collation: &Collation, a: char, b: char) -> bool {
    if a == b {
        return true;
    }
    let rule = collation.rule;
    let is_same =
        |level: &Level| weights::of_char(rule, *level, a).eq(weights::of_char(rule, *level, b));
    !rule.is_exact() && rule.levels().iter().all(is_same)
}

trait TrimSpaces {
    fn trim_ascii_end_spaces(&self) -> &[u8];
}

impl TrimSpaces for [u8] {
    fn trim_ascii_end_spaces(&self) -> &[u8] {
        let kept = self
            .iter()
            .rposition(|byte| *byte != b' ')
            .map_or(0, |last| last + 1);
        self.get(..kept).unwrap_or(self)
    }
}

fn padded_bytes(a: &[u8], b: &[u8]) -> Ordering {
    let common = a.len().min(b.len());
    let (a_head, a_tail) = a.split_at(common);
    let (b_head, b_tail) = b.split_at(common);
    a_head
        .cmp(b_head)
        .then_with(|| against_spaces(a_tail.iter().copied(), b' '))
        .then_with(|| against_spaces(b_tail.iter().copied(), b' ').reverse())
}

fn against_spaces<T: Ord + Copy>(mut rest: impl Iterator<Item = T>, space: T) -> Ordering {
    rest.find(|weight| *weight != space)
        .map_or(Ordering::Equal, |weight| weight.cmp(&space))
}

fn by_weights(rule: Rule, pad: Pad, a: &[u8], b: &[u8]) -> Ordering {
    // Most strings share a prefix, and comparing it byte for byte is enough: a common prefix of
    // whole characters has equal weights.
    let mut common = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    while common > 0 && (is_continuation(a, common) || is_continuation(b, common)) {
        common -= 1;
    }
    let rest = |text: &'_ [u8]| -> usize { text.len().min(common) };
    let a = a.get(rest(a)..).unwrap_or_default();
    let b = b.get(rest(b)..).unwrap_or_default();
    let mut levels = rule
        .levels()
        .iter()
        .map(|level| at_level(rule, *level, pad, a, b));
    levels
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn at_level(rule: Rule, level: Level, pad: Pad, a: &[u8], b: &[u8]) -> Ordering {
    let mut left = Weights::new(rule, level, a);
    let mut right = Weights::new(rule, level, b);
    let space = || weights::space(rule, level);
    loop {
        match (left.next(), right.next()) {
            (Some(x), Some(y)) if x == y => {}
            (Some(x), Some(y)) => return x.cmp(&y),
            (None, None) => return Ordering::Equal,
            (Some(x), None) => {
                return match pad {
                    Pad::None => Ordering::Greater,
                    Pad::Space => against_spaces(std::iter::once(x).chain(left), space()),
                };
            }
            (None, Some(y)) => {
                return match pad {
                    Pad::None => Ordering::Less,
                    Pad::Space => {
                        against_spaces(std::iter::once(y).chain(right), space()).reverse()
                    }
                };
            }
        }
    }
}

fn is_continuation(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(|byte| byte & 0xc0 == 0x80)
}

/// The weights of a string, character by character.
struct Weights<'a> {
    rule: Rule,
    level: Level,
    rest: &'a [u8],
    pending: CharWeights,
}

impl<'a> Weights<'a> {
    fn new(rule: Rule, level: Level, rest: &'a [u8]) -> Self {
        Self {
            rule,
            level,
            rest,
            pending: CharWeights::default(),
        }
    }

    /// The next character; a byte that is no UTF-8 counts as the replacement character.
    fn next_char(&mut self) -> Option<char> {
        let first = *self.rest.first()?;
        let length = match first {
            0..=0x7f => {
                self.rest = self.rest.get(1..).unwrap_or_default();
                return Some(char::from(first));
            }
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        let decoded = self
            .rest
            .get(..length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok());
        let taken = if decoded.is_some() { length } else { 1 };
        self.rest = self.rest.get(taken..).unwrap_or_default();
        Some(
            decoded
                .and_then(|text| text.chars().next())
                .unwrap_or(char::REPLACEMENT_CHARACTER),
        )
    }
}

impl Iterator for Weights<'_> {
    type Item = u16;

    fn next(&mut self) -> Option<u16> {
        loop {
            if let Some(weight) = self.pending.next() {
                return Some(weight);
            }
            let next = self.next_char()?;
            self.pending = weights::of_char(self.rule, self.level, next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collation::by_name;

    fn order(collation: &str, a: &str, b: &str) -> Ordering {
        compare(by_name(collation).unwrap(), a.as_bytes(), b.as_bytes())
    }

    #[test]
    fn the_default_collation_ignores_case_and_accents_but_not_trailing_spaces() {
        let ci = "utf8mb4_0900_ai_ci";
        assert_eq!(order(ci, "abc", "ABC"), Ordering::Equal);
        assert_eq!(order(ci, "résumé", "RESUME"), Ordering::Equal);
        assert_eq!(order(ci, "straße", "STRASSE"), Ordering::Equal);
        assert_eq!(order(ci, "a", "a "), Ordering::Less);
        assert_eq!(order(ci, "a", "b"), Ordering::Less);
        assert_eq!(order(ci, "a_", "a1"), Ordering::Less);
        assert_eq!(order(ci, "Z", "a"), Ordering::Greater);
        assert_eq!(order(ci, "가", "각"), Ordering::Less);
        assert_eq!(order(ci, "😀", "😁"), Ordering::Less);
        assert_eq!(order(ci, "", "\u{0}"), Ordering::Equal);
    }

    #[test]
    fn older_collations_pad_with_spaces() {
        for name in [
            "utf8mb4_general_ci",
            "utf8mb4_unicode_ci",
            "utf8mb4_bin",
            "latin1_swedish_ci",
        ] {
            assert_eq!(order(name, "a", "a  "), Ordering::Equal, "{name}");
            assert_eq!(order(name, "a\t", "a"), Ordering::Less, "{name}");
        }
        assert_eq!(order("utf8mb4_0900_bin", "a", "a "), Ordering::Less);
        assert_eq!(order("utf8mb4_general_ci", "Ä", "a"), Ordering::Equal);
        assert_eq!(order("utf8mb4_general_ci", "ß", "s"), Ordering::Equal);
        assert_eq!(order("utf8mb4_general_ci", "😀", "😁"), Ordering::Equal);
        assert_eq!(order("utf8mb4_bin", "a", "A"), Ordering::Greater);
        assert_eq!(order("latin1_swedish_ci", "é", "E"), Ordering::Equal);
        assert_eq!(order("ascii_general_ci", "a", "A"), Ordering::Equal);
    }

    #[test]
    fn equality_keys_agree_with_comparison() {
        let words = [
            "", "a", "A", "a ", "ab", "é", "e", "ß", "ss", "1", "_", "가", "나", "😀",
        ];
        for collation in crate::collation::all() {
            for a in words {
                for b in words {
                    let direct = compare(collation, a.as_bytes(), b.as_bytes()).is_eq();
                    let key = |text: &str| equality_key(collation, text.as_bytes());
                    assert_eq!(direct, key(a) == key(b), "{a:?} {b:?} under {collation}");
                }
            }
        }
    }
}
