//! GTIDs and sets of them, both families, as text and as bytes.

use gtid::{Gtid, GtidSet, MariaGtid, MariaPosition};

use super::Verdict;
use crate::made;
use crate::seeds::Seed;

/// Takes a text as each kind of identifier.
pub fn text(input: &[u8]) -> Verdict {
    let Ok(text) = std::str::from_utf8(input) else {
        return Verdict::Refused;
    };
    let mut is_decoded = false;
    if let Ok(set) = text.parse::<GtidSet>() {
        is_decoded = true;
        check_set(&set);
    }
    if let Ok(gtid) = text.parse::<Gtid>() {
        is_decoded = true;
        assert_eq!(gtid.to_string().parse(), Ok(gtid));
    }
    if let Ok(gtid) = text.parse::<MariaGtid>() {
        is_decoded = true;
        assert_eq!(gtid.to_string().parse(), Ok(gtid));
    }
    if let Ok(position) = text.parse::<MariaPosition>() {
        is_decoded = true;
        assert_eq!(position.to_string().parse(), Ok(position));
    }
    Verdict::from_bool(is_decoded)
}

/// Takes bytes as a GTID set with and without tags.
pub fn binary(input: &[u8]) -> Verdict {
    let set = GtidSet::decode(input);
    if let Ok(set) = &set {
        check_set(set);
    }
    Verdict::from_bool(set.is_ok())
}

/// Both forms lead back to the same set, and the algebra agrees with itself.
fn check_set(set: &GtidSet) {
    assert_eq!(set.to_string().parse().as_ref(), Ok(set));
    let mut bytes = Vec::new();
    set.encode(&mut bytes);
    assert_eq!(GtidSet::decode(&bytes).as_ref(), Ok(set));
    let mut twice = set.clone();
    twice.union(set);
    assert_eq!(&twice, set);
    assert_eq!(&set.intersection(set), set);
    assert!(set.is_subset_of(set));
    twice.subtract(set);
    assert!(twice.is_empty() && twice.count() == 0);
    for tsid in set.tsids() {
        let _ = (set.next_gno(tsid), set.last_gno(tsid));
    }
}

/// The sets of the text seeds in binary form.
#[must_use]
pub fn binary_seeds() -> Vec<Seed> {
    let texts = made::gtid_texts();
    let sets = texts.iter().filter_map(|seed| {
        let set: GtidSet = String::from_utf8(seed.input()).ok()?.parse().ok()?;
        let mut bytes = Vec::new();
        set.encode(&mut bytes);
        Some(Seed::bytes("set", bytes))
    });
    sets.collect()
}
