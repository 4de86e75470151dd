//! `weir binlog find`: transactions, and what happened to a table or a row.

use std::io::Write;

use binlog::limits::Limits;
use binlog::row::{Row, RowPair, RowsKind, Table};
use inspect::cell::{ABSENT, Shape, put_cell};
use inspect::filter::Filter;
use inspect::find::{FileGtids, Finder, Hit, What};
use inspect::put_value;
use inspect::stats::RowCounts;
use serde_json::{Map, Value, json};

use super::inputs::{InputFile, Inputs};
use super::progress::Progress;
use super::schema;
use super::words::{count, timestamp};
use crate::arguments::{FindArguments, KindName};
use crate::exit::Failure;

/// The longest piece of a statement that is shown on a line.
const STATEMENT_SHOWN: usize = 200;

pub(super) fn run(arguments: &FindArguments) -> Result<(), Failure> {
    let filter = arguments.filter.filter();
    let limits = Limits::default();
    let mut finder = Finder::new(&filter, arguments.key.clone(), limits);
    if arguments.min_rows.is_some() || !arguments.kind.is_empty() {
        finder = finder.by_transaction();
    }
    let mut inputs = Inputs::with_schema(&arguments.input, arguments.schema.schema.as_deref())?;
    let mut search = Search {
        arguments,
        filter: &filter,
        out: std::io::BufWriter::new(std::io::stdout()),
        found: 0,
    };
    while let Some(input) = inputs.next_file()? {
        if let Some(wanted) = &filter.include_gtids
            && input.is_file()
            && let Some(head) = head(&input)
        {
            let next = inputs.next_of_same_log(&input).as_ref().and_then(head_of);
            if !head.may_hold(next.as_ref(), wanted) {
                continue;
            }
        }
        finder.begin_file(input.is_first, input.is_last);
        let goes_on = search.file(&input, &mut finder)?;
        if !goes_on {
            break;
        }
    }
    search.out.flush()?;
    if search.found > 0 {
        Ok(())
    } else {
        Err(Failure::Failed("nothing like that was found".to_owned()))
    }
}

/// What the head of a file tells; nothing if it cannot be read, which the search then reports.
fn head(input: &InputFile) -> Option<FileGtids> {
    FileGtids::read(&mut input.read().ok()?).ok()
}

fn head_of(input: &InputFile) -> Option<FileGtids> {
    head(input)
}

struct Search<'a> {
    arguments: &'a FindArguments,
    filter: &'a Filter,
    out: std::io::BufWriter<std::io::Stdout>,
    found: u64,
}

impl Search<'_> {
    /// Searches a file; false if the search is over.
    fn file(&mut self, input: &InputFile, finder: &mut Finder<'_>) -> Result<bool, Failure> {
        let file = input.label();
        let failed = |error: &dyn std::fmt::Display| Failure::failed(file, error);
        let mut reader = input.read().map_err(|error| failed(&error))?;
        let mut progress = Progress::new(file, input.size());
        while let Some(step) = reader.next().map_err(|error| failed(&error))? {
            progress.reach(step.place.end);
            let mut written = Ok(());
            let fed = finder.feed(&step, |hit| {
                if written.is_ok() && self.is_wanted(hit) {
                    self.found += 1;
                    written = self.write(file, hit);
                }
            });
            written?;
            let is_chosen = finder.is_transaction_chosen();
            schema::check(input, &step, self.filter, is_chosen)?;
            let goes_on = fed.map_err(|error| {
                let event = step.raw.header.event_type.label();
                failed(&format_args!(
                    "offset {}, event {event}: {error}",
                    step.place.offset
                ))
            })?;
            if !goes_on || self.is_enough() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_enough(&self) -> bool {
        self.arguments
            .limit
            .is_some_and(|limit| self.found >= limit)
    }

    fn is_wanted(&self, hit: &Hit<'_>) -> bool {
        let is_there = self.arguments.at_position.is_none_or(|position| {
            (hit.transaction.start.offset..hit.place.end).contains(&position)
        });
        is_there && self.has_rows(hit) && !self.is_enough()
    }

    /// Whether a transaction does enough of what is asked for.
    fn has_rows(&self, hit: &Hit<'_>) -> bool {
        let What::Transaction { rows, .. } = &hit.what else {
            return true;
        };
        let kinds = &self.arguments.kind;
        let of = |kind: &KindName| match kind {
            KindName::Insert => rows.inserts,
            KindName::Update => rows.updates,
            KindName::Delete => rows.deletes,
        };
        let found = match kinds.is_empty() {
            true => rows.total(),
            false => kinds.iter().map(of).sum(),
        };
        let least = u64::from(!kinds.is_empty());
        found >= self.arguments.min_rows.unwrap_or(least).max(least)
    }

    fn write(&mut self, file: &str, hit: &Hit<'_>) -> std::io::Result<()> {
        if self.arguments.json {
            writeln!(self.out, "{}", object(file, hit))?;
        } else {
            writeln!(self.out, "{}", text(file, hit))?;
        }
        if self.arguments.input.stop_never {
            self.out.flush()?;
        }
        Ok(())
    }
}

const fn verb(kind: RowsKind) -> &'static str {
    match kind {
        RowsKind::Write => "insert",
        RowsKind::Update => "update",
        RowsKind::Delete => "delete",
    }
}

fn text(file: &str, hit: &Hit<'_>) -> String {
    let place = match hit.place.inner {
        Some(inner) => format!("{}+{inner}", hit.place.offset),
        None => hit.place.offset.to_string(),
    };
    let offset = match hit.what {
        What::Transaction { .. } => hit.transaction.start.offset.to_string(),
        _ => place,
    };
    let what = match &hit.what {
        What::Transaction { rows, tables } => {
            let changed = row_counts(rows);
            let end = hit.place.end;
            if tables.is_empty() {
                format!("{} to {end}, {changed}", hit.transaction.kind.words())
            } else {
                format!("to {end}, {changed} in {}", tables.join(", "))
            }
        }
        What::Rows { kind, table, rows } => {
            let (verb, name) = (verb(*kind), table.full_name());
            format!("{verb} {} rows of {name}", count(*rows))
        }
        What::Row { kind, table, pair } => row_text(*kind, table, pair, hit),
        What::Statement(query) => {
            let sql = String::from_utf8_lossy(&query.sql);
            let line: String = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            line.chars().take(STATEMENT_SHOWN).collect()
        }
    };
    format!(
        "{file}:{offset}  {}  {}  {what}",
        timestamp(hit.timestamp),
        hit.transaction.gtid
    )
}

fn row_counts(rows: &RowCounts) -> String {
    let parts: Vec<String> = [
        (rows.inserts, "inserted"),
        (rows.updates, "updated"),
        (rows.deletes, "deleted"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{} {word}", count(number)))
    .collect();
    if parts.is_empty() {
        "no rows".to_owned()
    } else {
        format!("rows {}", parts.join(", "))
    }
}

fn row_text(kind: RowsKind, table: &Table, pair: &RowPair<'_>, hit: &Hit<'_>) -> String {
    let name = table.full_name();
    match kind {
        RowsKind::Write => format!("insert into {name}: {}", image(&pair.after, table, hit)),
        RowsKind::Delete => format!("delete from {name}: {}", image(&pair.before, table, hit)),
        RowsKind::Update => {
            let mut changes = Vec::new();
            for (index, after) in pair.after.iter().enumerate() {
                let before = pair.before.get(index).and_then(Option::as_ref);
                let Some(after) = after else { continue };
                if before != Some(after) {
                    let shown = |value| value_text(value, table, index, hit);
                    let old = before.map_or_else(|| "?".to_owned(), shown);
                    let column = column_name(table, index);
                    changes.push(format!("{column}: {old} -> {}", shown(after)));
                }
            }
            format!("update {name}: {}", changes.join(", "))
        }
    }
}

fn image(row: &Row<'_>, table: &Table, hit: &Hit<'_>) -> String {
    let cells: Vec<String> = row
        .iter()
        .enumerate()
        .filter_map(|(index, cell)| {
            let value = value_text(cell.as_ref()?, table, index, hit);
            Some(format!("{}={value}", column_name(table, index)))
        })
        .collect();
    cells.join(", ")
}

fn value_text(
    value: &binlog::value::Value<'_>,
    table: &Table,
    index: usize,
    hit: &Hit<'_>,
) -> String {
    let mut text = Vec::new();
    if let Some(column) = table.map.columns.get(index) {
        let shape = Shape::of(column, hit.format.flavour);
        put_value(&mut text, value, shape, column, false);
    }
    String::from_utf8_lossy(&text).into_owned()
}

fn column_name(table: &Table, index: usize) -> String {
    let column = table.map.columns.get(index);
    column
        .and_then(|column| column.name.as_deref())
        .map_or_else(|| format!("@{}", index + 1), str::to_owned)
}

fn object(file: &str, hit: &Hit<'_>) -> Value {
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("file", file.into());
    put("transaction_offset", hit.transaction.start.offset.into());
    put("gtid", hit.transaction.gtid.text().into());
    put("timestamp", hit.timestamp.into());
    if let Some(at) = hit.transaction.commit_timestamps {
        put("commit_timestamp_us", at.original.into());
    }
    if matches!(hit.what, What::Transaction { .. }) {
        put("transaction_end", hit.place.end.into());
    } else {
        put("offset", hit.place.offset.into());
        put("end", hit.place.end.into());
        if let Some(inner) = hit.place.inner {
            put("in_payload", inner.into());
        }
        put("event", hit.event_type.label().into());
    }
    match &hit.what {
        What::Transaction { rows, tables } => {
            put("found", "transaction".into());
            put("tables", json!(tables));
            put(
                "rows",
                json!({"inserts": rows.inserts, "updates": rows.updates, "deletes": rows.deletes}),
            );
        }
        What::Rows { kind, table, rows } => {
            put("found", "rows".into());
            put_table(&mut put, table);
            put("kind", verb(*kind).into());
            put("rows", (*rows).into());
        }
        What::Row { kind, table, pair } => {
            put("found", "row".into());
            put_table(&mut put, table);
            put("kind", verb(*kind).into());
            let columns: Vec<String> = (0..table.map.columns.len())
                .map(|index| column_name(table, index))
                .collect();
            put("columns", json!(columns));
            if *kind != RowsKind::Write {
                put("before", cells(&pair.before, None, table, hit));
            }
            if *kind != RowsKind::Delete {
                put("after", cells(&pair.after, Some(&pair.before), table, hit));
            }
        }
        What::Statement(query) => {
            put("found", "statement".into());
            put("schema", String::from_utf8_lossy(&query.schema).into());
            put("statement", String::from_utf8_lossy(&query.sql).into());
        }
    }
    Value::Object(object)
}

fn put_table(put: &mut impl FnMut(&str, Value) -> Option<Value>, table: &Table) {
    put("schema", table.map.schema.as_ref().into());
    put("table", table.map.table.as_ref().into());
}

/// The cells of an image as `show --json` writes them.
fn cells(row: &Row<'_>, before: Option<&Row<'_>>, table: &Table, hit: &Hit<'_>) -> Value {
    let mut bytes = vec![b'['];
    for (index, column) in table.map.columns.iter().enumerate() {
        if index > 0 {
            bytes.push(b',');
        }
        let shape = Shape::of(column, hit.format.flavour);
        let old = before.and_then(|row| row.get(index)?.as_ref());
        match row.get(index).and_then(Option::as_ref) {
            Some(value) => put_cell(&mut bytes, value, shape, column, old, false),
            None => bytes.extend_from_slice(ABSENT),
        }
    }
    bytes.push(b']');
    serde_json::from_slice(&bytes).unwrap_or(Value::Null)
}
