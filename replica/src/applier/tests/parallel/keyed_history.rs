//! Histories of those tables from a source without a clock, and what they leave when they run one after
//! the other.

use binlog::event::{EventType, Xid};
use binlog::row::{Column, ColumnType, Row as Cells, RowPlan, TableMap};
use binlog::value::Value;

use super::super::{Body, Sent};
use super::history::Dice;
use super::keyed::{ALIKE, Image, Row, Rows, TABLES, TEXTS};

pub(super) struct KeyedHistory {
    pub(super) sent: Vec<Sent>,
    /// What it leaves.
    pub(super) rows: Rows,
}

fn columns() -> Vec<Column<'static>> {
    let number = |is_nullable| {
        let mut column = Column::new(ColumnType::LONGLONG, 0, is_nullable);
        column.unsigned = Some(false);
        column
    };
    let text = Column::new(ColumnType::VARCHAR, 80, true);
    vec![number(false), text, number(true), number(false)]
}

fn map(table: usize, columns: Vec<Column<'static>>) -> TableMap<'static> {
    TableMap::new(300 + table as u64, "d", TABLES[table].to_owned(), columns)
}

/// The cells of an image.
fn cells(image: &Image) -> [Option<Value<'static>>; 4] {
    let number = |value: Option<i64>| value.map_or(Value::Null, Value::Int);
    let text = |text: Option<&'static str>| {
        text.map_or(Value::Null, |text| Value::Bytes(text.as_bytes().into()))
    };
    [
        image.id.map(Value::Int),
        image.code.map(text),
        image.parent.map(number),
        image.v.map(Value::Int),
    ]
}

/// The image that cells are; `None` for no image.
pub(super) fn image(cells: &Cells<'_>) -> Option<Image> {
    let number = |value: &Value<'_>| match value {
        Value::Int(value) => Some(*value),
        _ => None,
    };
    let text = |value: &Value<'_>| match value {
        Value::Bytes(bytes) => {
            let mut texts = TEXTS.iter().copied().flatten().copied();
            Some(texts.find(|text| text.as_bytes() == &**bytes).unwrap())
        }
        _ => None,
    };
    let [id, code, parent, v] = cells.as_slice() else {
        return None;
    };
    Some(Image {
        id: id.as_ref().and_then(number),
        code: code.as_ref().map(text),
        parent: parent.as_ref().map(number),
        v: v.as_ref().and_then(number),
    })
}

/// The columns of an image, and its bytes.
fn put(image: &Image) -> (u8, Vec<u8>) {
    let cells = cells(image);
    let there = (0..).zip(&cells).filter(|(_, cell)| cell.is_some());
    let bits = there.map(|(at, _)| 1_u8 << at).sum();
    let columns = columns().into_iter().zip(&cells);
    let columns = columns.filter_map(|(column, cell)| cell.is_some().then_some(column));
    let plan = RowPlan::new(&map(0, columns.collect())).unwrap();
    let values: Vec<Value<'_>> = cells.into_iter().flatten().collect();
    let mut bytes = Vec::new();
    plan.put_image(&mut bytes, &values).unwrap();
    (bits, bytes)
}

/// The events of a changed row.
fn change(table: usize, before: Option<&Image>, after: Option<&Image>) -> [Body; 2] {
    let mut described = Vec::new();
    map(table, columns()).encode(&mut described);
    let event_type = match (before, after) {
        (None, _) => EventType::WRITE_ROWS,
        (Some(_), Some(_)) => EventType::UPDATE_ROWS,
        (Some(_), None) => EventType::DELETE_ROWS,
    };
    let images: Vec<(u8, Vec<u8>)> = [before, after].into_iter().flatten().map(put).collect();
    // Table id, the end of the statement, no extra data, four columns.
    let id = 300 + table as u64;
    let mut body = id.to_le_bytes()[..6].to_vec();
    body.extend([1, 0, 2, 0, 4]);
    body.extend(images.iter().map(|(bits, _)| *bits));
    body.extend(images.iter().flat_map(|(_, bytes)| bytes));
    [(EventType::TABLE_MAP, described), (event_type, body)]
}

struct Generator {
    dice: Dice,
    rows: Rows,
}

impl Generator {
    fn number(&mut self, end: u64) -> i64 {
        i64::try_from(self.dice.below(end)).unwrap()
    }

    fn row(&mut self, table: usize) -> Row {
        let texts = TEXTS[usize::try_from(self.dice.below(6)).unwrap()];
        let text = texts[usize::try_from(self.dice.below(texts.len() as u64)).unwrap()];
        let (code, parent) = (self.dice.below(4), self.dice.below(4));
        Row {
            id: self.number(if table == 0 { 5 } else { 9 }),
            code: (code > 0).then_some(text),
            parent: (parent > 0 && table != 0).then(|| self.number(9)),
            v: self.number(100),
        }
    }

    fn some(&mut self, table: usize) -> Option<Row> {
        let rows = self.rows.all(table);
        let count = rows.len() as u64;
        let rows: Vec<Row> = rows.into_iter().cloned().collect();
        if count == 0 {
            return None;
        }
        let at = usize::try_from(self.dice.below(count)).unwrap();
        rows.get(at).cloned()
    }

    /// What an update makes of a row.
    fn updated(&mut self, table: usize, old: &Row) -> Row {
        let wanted = self.row(table);
        let mut new = old.clone();
        match self.dice.below(6) {
            0 => new.id = wanted.id,
            1 | 2 => new.code = wanted.code,
            3 => new.parent = wanted.parent,
            _ => {}
        }
        new.v = wanted.v;
        new
    }

    /// The image before, as a source logs it.
    fn before(&mut self, table: usize, row: &Row, is_minimal: bool) -> Image {
        match is_minimal && table != ALIKE {
            true => Image {
                id: Some(row.id),
                ..Image::default()
            },
            false => Image::whole(row),
        }
    }

    /// The image behind: of a minimal one what is said in the statement.
    fn after(&mut self, old: Option<&Row>, new: &Row, is_minimal: bool) -> Image {
        let mut image = Image::whole(new);
        if !is_minimal {
            return image;
        }
        match old {
            None => {
                if new.code.is_none() && self.dice.below(2) == 0 {
                    image.code = None;
                }
                if new.parent.is_none() && self.dice.below(2) == 0 {
                    image.parent = None;
                }
            }
            Some(old) => {
                // A statement may set what is set already.
                image.id = image.id.filter(|id| *id != old.id);
                let is_said = self.dice.below(8) == 0;
                image.code = image.code.filter(|code| is_said || *code != old.code);
                image.parent = image.parent.filter(|parent| *parent != old.parent);
            }
        }
        image
    }

    /// One changed row.
    fn step(&mut self, is_minimal: bool) -> Option<[Body; 2]> {
        let table = usize::try_from(self.dice.below(4)).unwrap();
        let old = match self.dice.below(3) {
            0 => None,
            _ => self.some(table),
        };
        let new = match (&old, self.dice.below(3)) {
            (None, _) => Some(self.row(table)),
            (Some(_), 0) => None,
            (Some(old), _) => Some(self.updated(table, old)),
        };
        let before = old.as_ref().map(|old| self.before(table, old, is_minimal));
        let after = new.as_ref();
        let after = after.map(|new| self.after(old.as_ref(), new, is_minimal));
        let effects = self.rows.effects(table, before.as_ref(), after.as_ref());
        for (table, old, new) in effects.ok()?.rows {
            self.rows.replace(table, old.as_ref(), new.as_ref());
        }
        Some(change(table, before.as_ref(), after.as_ref()))
    }
}

impl KeyedHistory {
    pub(super) fn generate(seed: u64) -> Self {
        let mut generator = Generator {
            dice: Dice::new(seed),
            rows: Rows::default(),
        };
        let count = 30 + generator.dice.below(60);
        let mut sent = Vec::new();
        while (sent.len() as u64) < count {
            if generator.dice.below(25) == 0 {
                sent.push(Sent::Statement("CREATE TABLE between_them (i INT)"));
                continue;
            }
            // A session's own setting, which may be another in the next transaction.
            let is_minimal = match seed % 3 {
                0 => false,
                1 => true,
                _ => generator.dice.below(2) == 0,
            };
            let steps = 1 + generator.dice.below(3);
            let changed = (0..steps).filter_map(|_| generator.step(is_minimal));
            let mut begin = Vec::new();
            super::super::statement("BEGIN").encode(&mut begin);
            let mut bodies = vec![(EventType::QUERY, begin)];
            bodies.extend(changed.flatten());
            let mut xid = Vec::new();
            Xid { xid: 1 }.encode(&mut xid);
            bodies.push((EventType::XID, xid));
            sent.push(Sent::Behind(bodies));
        }
        Self {
            sent,
            rows: generator.rows,
        }
    }
}
