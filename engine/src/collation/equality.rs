//! What strings that a server calls equal have in common: for those who must never take two of them
//! for different ones, and may take different ones for equal.
//!
//! MySQL's root tables have no contractions, whatever their version; MariaDB's of Unicode 14 have those
//! of DUCET, found by WEIGHT_STRING() of both servers over the pairs of all canonical decompositions
//! and of the scripts below.

use std::borrow::Cow;

use super::compare::equality_key;
use super::{Collation, Levels, Rule};

/// Bytes that are the same for all strings that a server calls equal under `collation`, of which `text`
/// is one in the character set of the collation; of its first so many characters only where
/// `characters` says so. `None` where that is not known.
#[must_use]
pub fn shared_key(
    collation: &Collation,
    text: &[u8],
    characters: Option<usize>,
) -> Option<Vec<u8>> {
    // In MariaDB's `ai_cs` the case of a mark that is no letter does not count.
    let is_of_case = matches!(collation.rule, Rule::Unicode1400(Levels::Case));
    if collation.not_kept().is_some() || is_of_case {
        return None;
    }
    let kept = match collation.is_binary() {
        true => return Some(first_bytes(text, characters).to_vec()),
        false => collation.charset.table().keep(text)?,
    };
    let kept = match characters {
        None => kept,
        Some(count) => Cow::Owned(kept.chars().take(count).collect()),
    };
    let is_contracted =
        matches!(collation.rule, Rule::Unicode1400(_)) && kept.chars().any(contracts);
    (!is_contracted).then(|| equality_key(collation, kept.as_bytes()))
}

fn first_bytes(bytes: &[u8], count: Option<usize>) -> &[u8] {
    count.and_then(|count| bytes.get(..count)).unwrap_or(bytes)
}

/// Whether a character may weigh something else behind another one, or before it.
const fn contracts(c: char) -> bool {
    matches!(
        c as u32,
        // Middle dots behind l; the breve behind Cyrillic letters; hamza and madda behind Arabic ones.
        0xb7 | 0x387
            | 0x306
            | 0x653..=0x655
            // The scripts of India, Thailand, Laos, Tibet, Burma and their neighbours.
            | 0x900..=0x109f
            | 0x1900..=0x1bff
            | 0xa800..=0xaaff
            | 0x11000..=0x11fff
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collation::{by_name, known};

    fn key(collation: &str, text: &[u8]) -> Option<Vec<u8>> {
        shared_key(by_name(collation).unwrap(), text, None)
    }

    #[test]
    fn what_servers_call_equal_has_one_key() {
        for (collation, a, b) in [
            ("utf8mb4_0900_ai_ci", "a", "Á"),
            ("utf8mb4_general_ci", "a", "á  "),
            ("utf8mb4_unicode_ci", "ss", "ß"),
            ("utf8mb4_bin", "a", "a "),
        ] {
            let (a, b) = (key(collation, a.as_bytes()), key(collation, b.as_bytes()));
            assert!(a.is_some() && a == b, "{collation}");
        }
        let german = (
            key("latin1_german2_ci", b"\xc4"),
            key("latin1_german2_ci", b"AE"),
        );
        assert!(german.0.is_some() && german.0 == german.1);
    }

    #[test]
    fn what_is_not_known_has_none() {
        assert_eq!(key("utf8mb4_sv_0900_ai_ci", b"a"), None);
        assert_eq!(key("utf8mb4_0900_ai_ci", b"\xff"), None);
        assert_eq!(key("utf8mb4_uca1400_ai_cs", b"a"), None);
        assert_eq!(key("utf8mb4_uca1400_ai_ci", "l\u{b7}".as_bytes()), None);
        assert!(key("utf8mb4_uca1400_ai_ci", "é".as_bytes()).is_some());
    }

    #[test]
    fn of_a_prefix_only_its_characters_count() {
        for collation in known().iter().filter(|known| known.not_kept().is_none()) {
            if collation.charset.table().len_max() != 1 {
                continue;
            }
            let key = |text: &[u8]| shared_key(collation, text, Some(2));
            assert_eq!(key(b"abc"), key(b"abd"), "{collation}");
            assert_ne!(key(b"ab"), key(b"ac"), "{collation}");
        }
    }
}
