//! Histories of a source with two tables, and what they leave when they run one after the other.
//!
//! Rows are `(id, code, v)`: a primary key, a unique key that may be NULL, and a value. A transaction may
//! run beside those before it that touch none of its keys, as a source says that tracks write sets.

use std::collections::{BTreeMap, HashMap};

use binlog::event::{EventType, Xid};
use binlog::row::{Column, ColumnType, RowsEncoder, RowsFlags, RowsKind, TableMap};
use binlog::value::Value;

use super::super::{Body, Sent};
use super::shared::{Key, Row};

/// The tables.
pub(super) const TABLES: [&str; 2] = ["a", "bb"];

/// A history.
pub(super) struct History {
    pub(super) sent: Vec<Sent>,
    /// last_committed and sequence_number of each.
    pub(super) clocks: Vec<(u64, u64)>,
    /// What it leaves.
    pub(super) rows: BTreeMap<(String, i64), Row>,
}

/// xorshift64*.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % end
    }
}

fn map(table: &str) -> TableMap<'static> {
    let column = |is_nullable| {
        let mut column = Column::new(ColumnType::LONGLONG, 0, is_nullable);
        column.unsigned = Some(false);
        column
    };
    let columns = vec![column(false), column(true), column(false)];
    TableMap::new(200 + table.len() as u64, "d", table.to_owned(), columns)
}

fn values(id: i64, row: Row) -> [Value<'static>; 3] {
    let code = row.code.map_or(Value::Null, Value::Int);
    [Value::Int(id), code, Value::Int(row.value)]
}

/// The events of one changed row.
fn change(table: &str, id: i64, before: Option<Row>, after: Option<(i64, Row)>) -> [Body; 2] {
    let map = map(table);
    let kind = match (before, after) {
        (None, _) => RowsKind::Write,
        (Some(_), Some(_)) => RowsKind::Update,
        (Some(_), None) => RowsKind::Delete,
    };
    let mut rows = RowsEncoder::new(kind, &map, RowsFlags::STATEMENT_END).unwrap();
    let before = before.map(|row| values(id, row));
    let after = after.map(|(id, row)| values(id, row));
    rows.push(
        before.as_ref().map_or(&[][..], |values| values),
        after.as_ref().map_or(&[][..], |values| values),
    )
    .unwrap();
    let mut described = Vec::new();
    map.encode(&mut described);
    let event_type = match kind {
        RowsKind::Write => EventType::WRITE_ROWS,
        RowsKind::Update => EventType::UPDATE_ROWS,
        RowsKind::Delete => EventType::DELETE_ROWS,
    };
    let rows = rows.finish(true).unwrap();
    [(EventType::TABLE_MAP, described), (event_type, rows)]
}

struct Generator {
    dice: Dice,
    rows: BTreeMap<(String, i64), Row>,
    codes: HashMap<(&'static str, i64), i64>,
    /// The last transaction that touched a key.
    touched: HashMap<Key, u64>,
}

impl Generator {
    /// One changed row, and the keys that it touches.
    fn step(&mut self) -> Option<([Body; 2], Vec<Key>)> {
        let dice = &mut self.dice;
        let table = TABLES[usize::try_from(dice.below(2)).unwrap()];
        let id = i64::try_from(dice.below(12)).unwrap();
        let code = match dice.below(3) {
            0 => None,
            _ => Some(i64::try_from(dice.below(8)).unwrap()),
        };
        let value = i64::try_from(dice.below(1000)).unwrap();
        let wanted = Row { code, value };
        let before = self.rows.get(&(table.to_owned(), id)).copied();
        let after = match (before, dice.below(4)) {
            (Some(_), 0) => None,
            // Another primary key.
            (Some(_), 1) => Some((i64::try_from(dice.below(12)).unwrap(), wanted)),
            _ => Some((id, wanted)),
        };
        let mut keys = Vec::new();
        if let Some((new_id, row)) = after {
            let is_taken = new_id != id && self.rows.contains_key(&(table.to_owned(), new_id));
            let holder = row.code.and_then(|code| self.codes.get(&(table, code)));
            if is_taken || holder.is_some_and(|holder| before.is_none() || *holder != id) {
                return None;
            }
            keys.push(Key::Id(table, new_id));
            keys.extend(row.code.map(|code| Key::Code(table, code)));
        }
        if let Some(row) = before {
            keys.push(Key::Id(table, id));
            keys.extend(row.code.map(|code| Key::Code(table, code)));
            self.rows.remove(&(table.to_owned(), id));
            if let Some(code) = row.code {
                self.codes.remove(&(table, code));
            }
        }
        if let Some((new_id, row)) = after {
            self.rows.insert((table.to_owned(), new_id), row);
            if let Some(code) = row.code {
                self.codes.insert((table, code), new_id);
            }
        }
        Some((change(table, id, before, after), keys))
    }
}

fn ended(mut bodies: Vec<Body>) -> Sent {
    let mut begin = Vec::new();
    super::super::statement("BEGIN").encode(&mut begin);
    bodies.insert(0, (EventType::QUERY, begin));
    let mut xid = Vec::new();
    Xid { xid: 1 }.encode(&mut xid);
    bodies.push((EventType::XID, xid));
    Sent::Behind(bodies)
}

impl History {
    pub(super) fn generate(seed: u64) -> Self {
        let mut generator = Generator {
            dice: Dice::new(seed),
            rows: BTreeMap::new(),
            codes: HashMap::new(),
            touched: HashMap::new(),
        };
        let count = 20 + generator.dice.below(40);
        let (mut sent, mut clocks) = (Vec::new(), Vec::new());
        let mut sequence = 0_u64;
        for number in 1..=count {
            if generator.dice.below(15) == 0 {
                // A statement in between; the clock goes on behind it.
                sent.push(Sent::Statement("CREATE TABLE between_them (i INT)"));
                clocks.push((sequence, sequence + 1));
                sequence += 1;
                generator.touched.values_mut().for_each(|at| *at = number);
                continue;
            }
            let mut bodies = Vec::new();
            let mut keys = Vec::new();
            for _ in 0..=generator.dice.below(4) {
                if let Some((changed, touched)) = generator.step() {
                    bodies.extend(changed);
                    keys.extend(touched);
                }
            }
            let last = keys.iter().filter_map(|key| generator.touched.get(key));
            let last = last.max().copied().unwrap_or_default();
            generator
                .touched
                .extend(keys.into_iter().map(|key| (key, number)));
            sequence += 1;
            // A source may know less than there is to know.
            let spare = sequence.saturating_sub(1).saturating_sub(last);
            let last = last + generator.dice.below(4).min(spare);
            clocks.push((last, sequence));
            sent.push(ended(bodies));
        }
        Self {
            sent,
            clocks,
            rows: generator.rows,
        }
    }

    /// So many rows of one table, each in a transaction of its own.
    pub(super) fn inserts(count: i64) -> Self {
        let mut rows = BTreeMap::new();
        let mut sent = Vec::new();
        for id in 1..=count {
            let row = Row {
                code: None,
                value: id,
            };
            rows.insert((TABLES[0].to_owned(), id), row);
            sent.push(ended(change(TABLES[0], id, None, Some((id, row))).into()));
        }
        Self {
            clocks: (1..=sent.len() as u64).map(|number| (0, number)).collect(),
            sent,
            rows,
        }
    }
}
