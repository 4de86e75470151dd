use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{Tag, Uuid};

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

fn set(text: &str) -> GtidSet {
    text.parse().unwrap()
}

fn encoded(set: &GtidSet) -> Vec<u8> {
    let mut out = Vec::new();
    set.encode(&mut out);
    out
}

#[test]
fn prints_mysqls_exact_text() {
    for (given, printed) in [
        (String::new(), String::new()),
        (format!("{A}:1"), format!("{A}:1")),
        (format!("{A}:7:1-3:4-5"), format!("{A}:1-5:7")),
        (
            format!("{B}:1,{A}:red:7:blue:1-3, {A} : 1 - 5"),
            format!("{A}:1-5:blue:1-3:red:7,\n{B}:1"),
        ),
        (format!(",, {A}:5-3,"), String::new()),
        (format!("{}:1", A.to_uppercase()), format!("{A}:1")),
        (format!("{}:1", A.replace('-', "")), format!("{A}:1")),
        (format!("{A}:1:RED:1:red:2"), format!("{A}:1:red:1-2")),
        (A.to_owned(), String::new()),
    ] {
        assert_eq!(set(&given).to_string(), printed, "{given}");
    }
}

#[test]
fn rejects_text_that_is_no_set() {
    for text in [
        "x".to_owned(),
        format!("{A}:"),
        format!("{A}:0"),
        format!("{A}:1-"),
        format!("{A}:-1"),
        format!("{A}:1-9223372036854775807"),
        format!("{A}:blue"),
        format!("{A}:blue:red:1"),
        format!("{A}:1:2x"),
        ":1".to_owned(),
    ] {
        assert!(text.parse::<GtidSet>().is_err(), "{text}");
    }
}

#[test]
fn next_gno_is_the_lowest_free_number() {
    let tsid = Tsid::untagged(A.parse().unwrap());
    for (text, next) in [("", 1), ("2-5", 1), ("1", 2), ("1-5:8", 6)] {
        let set = if text.is_empty() {
            GtidSet::new()
        } else {
            set(&format!("{A}:{text}"))
        };
        assert_eq!(set.next_gno(&tsid).unwrap().get(), next);
    }
    assert_eq!(
        set(&format!("{A}:1-9223372036854775806")).next_gno(&tsid),
        None
    );
}

#[test]
fn encodes_format_0_without_tags_and_format_1_with() {
    let plain = encoded(&set(&format!("{A}:1-5")));
    assert_eq!(plain[..8], [1, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(plain.len(), 8 + 16 + 8 + 16);
    let tagged = encoded(&set(&format!("{A}:1-5:blue:1")));
    assert_eq!(tagged[..8], [1, 2, 0, 0, 0, 0, 0, 1]);
    assert_eq!(encoded(&GtidSet::new()), [0; 8]);
}

#[test]
fn intervals_in_the_worst_order_are_settled_as_fast_as_they_are_sorted() {
    let numbers = (1..=200_000u64).rev().map(|number| 2 * number);
    let mut text = String::from("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    let mut bytes = 1u64.to_le_bytes().to_vec();
    bytes.extend(Uuid::parse_str(&text).unwrap().as_bytes());
    bytes.extend(200_000u64.to_le_bytes());
    for number in numbers {
        text += &format!(":{number}");
        bytes.extend([number.to_le_bytes(), (number + 1).to_le_bytes()].concat());
    }
    let started = std::time::Instant::now();
    let read = set(&text);
    assert_eq!(read, GtidSet::decode(&bytes).unwrap());
    let mut both = read.clone();
    both.union(&read);
    assert_eq!(both, read);
    assert_eq!(read.count(), 200_000);
    // Moving the whole list for each of them takes minutes.
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn a_huge_announced_count_fails_without_allocation() {
    let mut bytes = vec![0xff; 6];
    bytes.extend([0, 0]);
    assert!(GtidSet::decode(&bytes).is_err());
    let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend([7; 16]);
    bytes.extend([0xff; 8]);
    assert!(GtidSet::decode(&bytes).is_err());
}

/// The naive model: every transaction spelled out.
type Model = BTreeSet<Gtid>;

fn gtid() -> impl Strategy<Value = Gtid> {
    (0u128..2, 0usize..3, 1u64..24).prop_map(|(uuid, tag, gno)| Gtid {
        tsid: Tsid {
            uuid: Uuid::from_u128(uuid),
            tag: ["", "a", "b_1"][tag].parse().unwrap_or(Tag::NONE),
        },
        gno: Gno::new(gno).unwrap(),
    })
}

fn model() -> impl Strategy<Value = Model> {
    prop::collection::btree_set(gtid(), 0..40)
}

fn check(set: &GtidSet, model: &Model) {
    assert_eq!(set, &model.iter().copied().collect::<GtidSet>());
    assert_eq!(set.count(), model.len() as u64);
    assert_eq!(set.is_empty(), model.is_empty());
    assert_eq!(&set.to_string().parse::<GtidSet>().unwrap(), set);
    assert_eq!(&GtidSet::decode(&encoded(set)).unwrap(), set);
    for (tsid, intervals) in &set.tsids {
        assert!(!intervals.is_empty());
        assert!(
            intervals
                .iter()
                .all(|interval| interval.start <= interval.end)
        );
        assert!(
            intervals
                .windows(2)
                .all(|pair| pair[0].end + 1 < pair[1].start)
        );
        assert_eq!(
            set.last_gno(tsid).unwrap().get(),
            intervals.last().unwrap().end
        );
    }
}

proptest! {
    #[test]
    fn algebra_agrees_with_the_naive_model(a in model(), b in model(), one in gtid()) {
        let of = |model: &Model| model.iter().copied().collect::<GtidSet>();
        let (left, right) = (of(&a), of(&b));
        check(&left, &a);

        let mut union = left.clone();
        union.union(&right);
        check(&union, &a.union(&b).copied().collect());

        let mut difference = left.clone();
        difference.subtract(&right);
        check(&difference, &a.difference(&b).copied().collect());

        let common: Model = a.intersection(&b).copied().collect();
        check(&left.intersection(&right), &common);
        prop_assert_eq!(left.intersects(&right), !common.is_empty());
        prop_assert_eq!(left.is_subset_of(&right), a.is_subset(&b));
        prop_assert!(difference.is_subset_of(&left) && left.is_subset_of(&union));
        prop_assert_eq!(left.contains(&one), a.contains(&one));

        let mut changed = left.clone();
        prop_assert_eq!(changed.remove(&one), a.contains(&one));
        prop_assert!(changed.add(one));
        prop_assert!(!changed.add(one));
        check(&changed, &a.union(&Model::from([one])).copied().collect());
    }

    #[test]
    fn intervals_agree_with_their_numbers(runs in prop::collection::vec((1u64..60, 0u64..9), 0..12)) {
        let tsid = Tsid::untagged(Uuid::from_u128(7));
        let (mut set, mut model) = (GtidSet::new(), Model::new());
        for (start, len) in runs {
            let gno = |number| Gno::new(number).unwrap();
            set.add_interval(tsid, gno(start), gno(start + len));
            model.extend((start..=start + len).map(|n| Gtid { tsid, gno: gno(n) }));
        }
        check(&set, &model);
    }

    #[test]
    fn damaged_binary_sets_never_panic(a in model(), at: usize, byte: u8, cut: usize) {
        let mut bytes = encoded(&a.iter().copied().collect());
        let len = bytes.len();
        bytes[at % len] = byte;
        let _ = GtidSet::decode(&bytes);
        let _ = GtidSet::decode(&bytes[..cut % len]);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[0-9a-f:, -]{0,60}") {
        let _ = text.parse::<GtidSet>();
    }
}

proptest! {
    #[test]
    fn texts_of_single_identifiers_read_back(one in gtid(), domain: u32, server: u32, sequence: u64) {
        prop_assert_eq!(one.to_string().parse(), Ok(one));
        let maria = crate::MariaGtid { domain, server, sequence };
        prop_assert_eq!(maria.to_string().parse(), Ok(maria));
    }

    #[test]
    fn texts_of_positions_read_back(gtids in prop::collection::vec((0u32..9, any::<u32>(), any::<u64>()), 0..12)) {
        let gtids = gtids.into_iter();
        let position: crate::MariaPosition = gtids
            .map(|(domain, server, sequence)| crate::MariaGtid { domain, server, sequence })
            .collect();
        prop_assert_eq!(position.to_string().parse(), Ok(position));
    }
}
