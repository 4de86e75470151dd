//! Pairs of changes that may change places, and pairs that may not.

use targets::{ForeignKey, KeyColumn, KeyPart, TableKeys, UniqueKey};

use super::*;

fn column(collation: Option<&str>, is_nullable: bool) -> KeyColumn {
    KeyColumn {
        collation: collation.map(str::to_owned),
        is_nullable,
        is_generated: false,
    }
}

fn unique(name: &str, columns: &[usize]) -> UniqueKey {
    let part = |&column| KeyPart {
        column,
        prefix: None,
    };
    UniqueKey {
        name: name.to_owned(),
        parts: columns.iter().map(part).collect(),
        is_of_more: false,
    }
}

/// `(id INT PRIMARY KEY, code TEXT UNIQUE, v INT)`.
fn keys() -> TableKeys {
    TableKeys {
        columns: vec![
            column(None, false),
            column(Some("utf8mb4_general_ci"), true),
            column(None, true),
        ],
        unique: vec![unique("PRIMARY", &[0]), unique("code", &[1])],
        ..TableKeys::default()
    }
}

fn refers(columns: &[usize], acts: bool) -> ForeignKey {
    ForeignKey {
        parent: ("d".to_owned(), "t".to_owned()),
        referenced: vec!["id".to_owned()],
        columns: columns.to_vec(),
        acts_on_delete: acts,
        acts_on_update: acts,
    }
}

type Cells<'a> = &'a [Option<Value<'a>>];

/// What a change touches in the table `name`.
fn touched(name: &str, keys: &TableKeys, before: Cells<'_>, after: Cells<'_>) -> WriteSet {
    let mut set = WriteSet::default();
    let kind = match (before, after) {
        ([], _) => RowsKind::Write,
        (_, []) => RowsKind::Delete,
        _ => RowsKind::Update,
    };
    let pair = RowPair {
        before: before.to_vec(),
        after: after.to_vec(),
    };
    set.add(&Bound::new("d", name, keys), kind, &pair, false);
    set
}

/// Whether two of them may change places.
fn may_swap(one: &WriteSet, other: &WriteSet) -> bool {
    let (Some(one), Some(other)) = (one.hashes(), other.hashes()) else {
        return false;
    };
    one.iter().all(|(hash, hold)| {
        let other = other.get(hash);
        other.is_none_or(|other| (*hold, *other) == (Hold::Shared, Hold::Shared))
    })
}

fn int(value: i64) -> Option<Value<'static>> {
    Some(Value::Int(value))
}

fn text(value: &'static str) -> Option<Value<'static>> {
    Some(Value::Bytes(value.as_bytes().into()))
}

const NULL: Option<Value<'static>> = Some(Value::Null);

#[test]
fn rows_that_share_no_key_may_change_places() {
    let one = touched("t", &keys(), &[], &[int(1), text("a"), int(7)]);
    for (id, code, may) in [
        (2, text("b"), true),
        (2, text("a"), false),
        // Equal to the collation.
        (2, text("Á  "), false),
        (1, text("b"), false),
        (2, NULL, true),
    ] {
        let other = touched("t", &keys(), &[], &[int(id), code.clone(), int(7)]);
        assert_eq!(may_swap(&one, &other), may, "{id} {code:?}");
    }
    let elsewhere = touched("tt", &keys(), &[], &[int(1), text("a"), int(7)]);
    assert!(may_swap(&one, &elsewhere));
    // Servers may write the name in another case.
    let same = touched("T", &keys(), &[], &[int(1), text("b"), int(7)]);
    assert!(!may_swap(&one, &same));
}

#[test]
fn nulls_keep_nobody_apart() {
    let one = touched("t", &keys(), &[], &[int(1), NULL, int(7)]);
    let other = touched("t", &keys(), &[], &[int(2), NULL, int(7)]);
    assert!(may_swap(&one, &other));
}

#[test]
fn a_key_that_is_left_waits_for_its_old_owner() {
    let taken = touched("t", &keys(), &[], &[int(2), text("a"), int(7)]);
    let full = [int(1), text("a"), int(7)];
    let freed = touched("t", &keys(), &full, &[int(1), text("b"), int(7)]);
    assert!(!may_swap(&freed, &taken));
    let removed = touched("t", &keys(), &full, &[]);
    assert!(!may_swap(&removed, &taken));
    // Images without what the key was.
    for after in [[None, text("b"), None], [None, NULL, None]] {
        let freed = touched("t", &keys(), &[int(1), None, None], &after);
        assert!(!may_swap(&freed, &taken));
    }
    let removed = touched("t", &keys(), &[int(1), None, None], &[]);
    assert!(!may_swap(&removed, &taken));
    let kept = touched("t", &keys(), &[int(1), None, None], &[None, None, int(8)]);
    assert!(may_swap(&kept, &taken));
    // The default of a column that an insert leaves out is not known.
    let defaulted = touched("t", &keys(), &[], &[int(1), None, int(7)]);
    assert!(!may_swap(&defaulted, &taken));
}

#[test]
fn an_update_of_a_part_of_a_key_is_an_update_of_the_whole() {
    let mut keys = keys();
    keys.columns[1] = column(None, false);
    keys.unique = vec![unique("PRIMARY", &[0, 1])];
    let moved = touched("t", &keys, &[int(1), int(2), None], &[None, int(3), None]);
    let there = touched("t", &keys, &[], &[int(1), int(3), int(0)]);
    let else_where = touched("t", &keys, &[], &[int(3), int(1), int(0)]);
    assert!(!may_swap(&moved, &there));
    assert!(may_swap(&moved, &else_where));
}

#[test]
fn without_a_key_that_tells_rows_apart_the_table_is_one() {
    for unique in [vec![], vec![unique("code", &[1])]] {
        let keys = TableKeys { unique, ..keys() };
        let one = touched("t", &keys, &[], &[int(1), text("a"), int(7)]);
        let other = touched("t", &keys, &[], &[int(2), text("b"), int(8)]);
        assert!(!may_swap(&one, &other));
        let elsewhere = touched("tt", &keys, &[], &[int(2), text("b"), int(8)]);
        assert!(may_swap(&one, &elsewhere));
    }
}

#[test]
fn what_compares_in_an_unknown_way_has_its_table_for_itself() {
    let with = |change: fn(&mut TableKeys)| {
        let mut keys = keys();
        change(&mut keys);
        let one = touched("t", &keys, &[], &[int(1), text("a"), int(7)]);
        let other = touched("t", &keys, &[], &[int(2), text("b"), int(8)]);
        may_swap(&one, &other)
    };
    assert!(with(|_| {}));
    assert!(!with(
        |keys| keys.columns[1].collation = Some("utf8mb4_sv_0900_ai_ci".to_owned())
    ));
    assert!(!with(
        |keys| keys.columns[1].collation = Some("klingon_ci".to_owned())
    ));
    assert!(!with(|keys| keys.columns[1].is_generated = true));
    assert!(!with(|keys| keys.unique[1].is_of_more = true));
    assert!(!with(|keys| keys.is_unbounded = true));
}

#[test]
fn of_a_prefix_the_rest_does_not_count() {
    let mut keys = keys();
    keys.unique[1].parts[0].prefix = Some(2);
    let one = touched("t", &keys, &[], &[int(1), text("äbc"), int(7)]);
    let same = touched("t", &keys, &[], &[int(2), text("ABd"), int(7)]);
    let other = touched("t", &keys, &[], &[int(3), text("acc"), int(7)]);
    assert!(!may_swap(&one, &same));
    assert!(may_swap(&one, &other));
}

#[test]
fn rows_that_refer_to_one_share_it_and_changes_of_it_wait() {
    let mut parent = keys();
    parent.referring = vec![refers(&[0], false)];
    let mut child = keys();
    child.foreign = vec![refers(&[2], false)];
    let of = |id, refers| touched("c", &child, &[], &[int(id), NULL, refers]);
    let (one, two) = (of(1, int(5)), of(2, int(5)));
    assert!(may_swap(&one, &two));
    let full = |id| [int(id), NULL, int(0)];
    let inserted = touched("t", &parent, &[], &full(5));
    let other = touched("t", &parent, &[], &full(6));
    assert!(!may_swap(&inserted, &one));
    assert!(may_swap(&other, &one));
    let removed = touched("t", &parent, &full(5), &[]);
    assert!(!may_swap(&removed, &one));
    // Who refers to nothing waits for nobody, and who may refer to anything for all.
    assert!(may_swap(&removed, &of(1, NULL)));
    let unknown = touched("c", &child, &[int(1), None, None], &[]);
    assert!(!may_swap(&removed, &unknown) && !may_swap(&other, &unknown));
    let untouched = touched("c", &child, &[int(1), None, None], &[None, text("a"), None]);
    // The key `code` is what it lacks, which is of its own table.
    assert!(may_swap(&removed, &untouched));
}

#[test]
fn what_changes_rows_that_refer_runs_alone() {
    let mut parent = keys();
    parent.referring = vec![refers(&[0], true)];
    let full = [int(5), NULL, int(0)];
    assert!(touched("t", &parent, &full, &[]).hashes().is_none());
    let moved = [int(6), NULL, int(0)];
    assert!(touched("t", &parent, &full, &moved).hashes().is_none());
    let same = [int(5), NULL, int(1)];
    assert!(touched("t", &parent, &full, &same).hashes().is_some());
    assert!(touched("t", &parent, &[], &full).hashes().is_some());
}

#[test]
fn an_update_that_may_become_a_delete_needs_what_a_delete_needs() {
    let pair = RowPair {
        before: vec![int(1), None, None],
        after: vec![None, None, int(3)],
    };
    let taken = touched("t", &keys(), &[], &[int(2), text("a"), int(7)]);
    for is_divided in [false, true] {
        let mut set = WriteSet::default();
        let bound = Bound::new("d", "t", &keys());
        set.add(&bound, RowsKind::Update, &pair, is_divided);
        assert_eq!(may_swap(&set, &taken), !is_divided);
    }
}

#[test]
fn equal_values_hash_alike_however_they_are_written() {
    let mut keys = keys();
    keys.columns = vec![KeyColumn::default(); 3];
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let time = |negative, micros| {
        Value::Time(binlog::value::Time {
            negative,
            hours: 0,
            minutes: 0,
            seconds: 0,
            micros,
        })
    };
    for (one, other, is_same) in [
        (Value::Double(0.0), Value::Double(-0.0), true),
        (Value::Float(-0.0), Value::Float(0.0), true),
        (Value::Float(1.5), Value::Double(1.5), true),
        (decimal("1.50"), decimal("1.5"), true),
        (decimal("10"), decimal("10.00"), true),
        (decimal("10"), decimal("1"), false),
        (Value::Int(7), Value::UInt(7), true),
        (Value::Int(7), Value::Int(8), false),
        (time(true, 0), time(false, 0), true),
        (time(true, 1), time(false, 1), false),
        (Value::Enum(3), Value::Enum(3), true),
        (Value::Set(3), Value::Set(1), false),
    ] {
        let of = |value: &Value<'_>| {
            let row = [Some(value.clone().into_owned()), int(0), int(0)];
            let mut keys = keys.clone();
            keys.unique.truncate(1);
            touched("t", &keys, &[], &row)
        };
        assert_eq!(
            may_swap(&of(&one), &of(&other)),
            !is_same,
            "{one:?} {other:?}"
        );
    }
}

#[test]
fn a_transaction_of_too_many_rows_runs_alone() {
    let mut set = WriteSet::default();
    let bound = Bound::new("d", "t", &keys());
    for id in 0..24_999 {
        let pair = RowPair {
            before: Vec::new(),
            after: vec![int(id), NULL, NULL],
        };
        set.add(&bound, RowsKind::Write, &pair, false);
    }
    assert_eq!(set.hashes().map(HashMap::len), Some(25_000));
    let pair = RowPair {
        before: Vec::new(),
        after: vec![int(25_000), NULL, NULL],
    };
    set.add(&bound, RowsKind::Write, &pair, false);
    assert_eq!(set.hashes(), None);
}
