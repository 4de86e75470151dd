//! Whether a PostgreSQL server holds the rows of a MySQL or MariaDB server, found by asking each in its
//! own SQL for forms that mean the same in both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result, ensure};
use crate::postgres::Postgres;
use crate::sql::{Cell, Client};
use crate::wait::{self, PATIENCE};

/// How the values of a column are asked for and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The same text.
    Text,
    /// The same number of 64 bits.
    Double,
    /// The same span of microseconds.
    Span,
    /// The same document, whose text is in hexadecimal.
    Json,
}

/// A column: its name, and what each side is asked.
struct Asked {
    name: String,
    source: String,
    target: String,
    form: Form,
}

/// Rows as texts, sorted.
type Rows = Vec<String>;

/// Tables by their names, with their columns.
type Tables = BTreeMap<String, Vec<Asked>>;

/// A line that no row is in the text form of COPY.
const END: &str = "\\.";

/// The rows of a source that were compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Tables.
    pub tables: usize,
    /// Rows.
    pub rows: usize,
}

/// Compares all tables of `databases`, dates that PostgreSQL does not have as `-infinity`.
///
/// # Errors
/// The first table that differs, with its first different row.
pub async fn compare(
    source: &mut Client,
    target: &Postgres,
    databases: &[&str],
) -> Result<Compared> {
    compare_without(source, target, databases, "").await
}

/// [`compare`] without the rows of the table `without`, of whatever database.
///
/// # Errors
/// The first table that differs, with its first different row.
pub async fn compare_without(
    source: &mut Client,
    target: &Postgres,
    databases: &[&str],
    without: &str,
) -> Result<Compared> {
    source.execute("SET time_zone = '+00:00'").await?;
    let mut compared = Compared::default();
    for database in databases {
        let mut tables = tables(source, database).await?;
        let there = target.query(&format!(
            "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = '{database}'"
        ))?;
        let there: BTreeSet<&str> = there.lines().collect();
        ensure(there.iter().eq(tables.keys()), || {
            format!("tables of {database}: {:?} and {there:?}", tables.keys())
        })?;
        tables.remove(without);
        let found = target_rows(target, database, &tables)?;
        for ((name, asked), right) in tables.iter().zip(found) {
            let left = source_rows(source, database, name, asked).await?;
            same(&format!("{database}.{name}"), &left, &right)?;
            compared.tables += 1;
            compared.rows += left.len();
        }
    }
    Ok(compared)
}

/// [`compare`] until it holds.
///
/// # Errors
/// What differs after `PATIENCE`.
pub async fn until_equal(
    source: &mut Client,
    target: &Postgres,
    databases: &[&str],
) -> Result<Compared> {
    let began = Instant::now();
    loop {
        match compare(source, target, databases).await {
            Ok(compared) => return Ok(compared),
            Err(failure) if began.elapsed() > PATIENCE => return Err(failure),
            Err(_) => wait::let_run(Duration::from_millis(100)).await,
        }
    }
}

fn same(table: &str, left: &Rows, right: &Rows) -> Result {
    if left == right {
        return Ok(());
    }
    let count = |rows: &Rows| {
        let mut counted: BTreeMap<String, i64> = BTreeMap::new();
        for row in rows {
            *counted.entry(row.clone()).or_default() += 1;
        }
        counted
    };
    let (left_counted, right_counted) = (count(left), count(right));
    let lacks = |of: &BTreeMap<String, i64>, other: &BTreeMap<String, i64>| {
        let mut rows = of.iter();
        let found = rows.find(|(row, times)| other.get(*row) != Some(times));
        found.map(|(row, _)| row.clone()).unwrap_or_default()
    };
    let short = |text: &str| text.chars().take(300).collect::<String>();
    let (one, other) = (
        lacks(&left_counted, &right_counted),
        lacks(&right_counted, &left_counted),
    );
    let cells = one.split(" | ").zip(other.split(" | "));
    let different = cells.filter(|(one, other)| one != other);
    let different = different.map(|(one, other)| {
        format!(
            "source {} bytes: {}\ntarget {} bytes: {}",
            one.len(),
            short(one),
            other.len(),
            short(other)
        )
    });
    Err(Failure::new(format!(
        "{table}: {} rows and {}\n{}",
        left.len(),
        right.len(),
        different.take(6).collect::<Vec<_>>().join("\n")
    )))
}

/// The tables of a database of the source, with their columns.
async fn tables(source: &mut Client, database: &str) -> Result<Tables> {
    let rows = source
        .rows(&format!(
            "SELECT c.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE FROM information_schema.COLUMNS c JOIN \
             information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
             WHERE c.TABLE_SCHEMA = '{database}' AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') \
             ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION"
        ))
        .await?;
    let mut tables = Tables::new();
    for row in &rows {
        let columns = tables.entry(cell(row, 0)).or_default();
        columns.push(asked(&cell(row, 1), &cell(row, 2).to_lowercase()));
    }
    Ok(tables)
}

/// What each side is asked of a column of this type.
fn asked(name: &str, kind: &str) -> Asked {
    let m = format!("`{}`", name.replace('`', "``"));
    let p = format!("\"{}\"", name.replace('"', "\"\""));
    let (source, target, form) = match kind {
        "float" | "double" => (
            format!("{m} + 0e0"),
            format!("{p}::double precision"),
            Form::Double,
        ),
        "bit" => (
            format!("LPAD(BIN({m} + 0), 64, '0')"),
            format!("lpad({p}::text, 64, '0')"),
            Form::Text,
        ),
        "time" => (
            format!("CAST({m} AS CHAR)"),
            format!("(extract(epoch FROM {p}) * 1000000)::bigint"),
            Form::Span,
        ),
        "date" | "datetime" | "timestamp" => {
            let zero = "0000-00-00 00:00:00.000000";
            (
                format!(
                    "CASE WHEN YEAR({m}) = 0 OR MONTH({m}) = 0 OR DAYOFMONTH({m}) = 0 THEN '{zero}' ELSE \
                     DATE_FORMAT({m}, '%Y-%m-%d %H:%i:%s.%f') END"
                ),
                format!(
                    "CASE WHEN {p} = '-infinity' THEN '{zero}' ELSE \
                     to_char({p}, 'YYYY-MM-DD HH24:MI:SS.US') END"
                ),
                Form::Text,
            )
        }
        "json" => (
            format!("HEX(CAST({m} AS CHAR CHARACTER SET utf8mb4))"),
            format!("upper(encode(convert_to({p}::text, 'UTF8'), 'hex'))"),
            Form::Json,
        ),
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
        | "uuid" | "inet4" | "inet6" => (
            format!("HEX(CONVERT(CAST({m} AS CHAR) USING utf8mb4))"),
            format!("upper(encode(convert_to({p}, 'UTF8'), 'hex'))"),
            Form::Text,
        ),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "decimal" | "year" => (
            format!("CAST({m} + 0 AS CHAR)"),
            format!("{p}::text"),
            Form::Text,
        ),
        _ => (
            format!("HEX({m})"),
            format!("upper(encode({p}, 'hex'))"),
            Form::Text,
        ),
    };
    Asked {
        name: name.to_owned(),
        source,
        target,
        form,
    }
}

async fn source_rows(
    source: &mut Client,
    database: &str,
    table: &str,
    asked: &[Asked],
) -> Result<Rows> {
    let list: Vec<&str> = asked.iter().map(|column| column.source.as_str()).collect();
    let table = table.replace('`', "``");
    let sql = format!("SELECT {} FROM `{database}`.`{table}`", list.join(", "));
    let rows = source.rows(&sql).await?;
    let row = |cells: &Vec<Cell>| {
        let cells = cells.iter().map(|cell| match cell {
            Cell::Null => None,
            other => Some(other.to_string()),
        });
        shown(asked, cells)
    };
    sorted(rows.iter().map(row))
}

/// The rows of all these tables, in their order.
fn target_rows(target: &Postgres, database: &str, tables: &Tables) -> Result<Vec<Rows>> {
    let mut sql = "SET TimeZone = 'GMT'".to_owned();
    for (name, asked) in tables {
        let list: Vec<&str> = asked.iter().map(|column| column.target.as_str()).collect();
        let (list, name) = (list.join(", "), name.replace('"', "\"\""));
        sql.push_str(&format!(
            "; SELECT '{END}'; COPY (SELECT {list} FROM \"{database}\".\"{name}\") TO STDOUT"
        ));
    }
    let text = target.query(&sql)?;
    // The first part is psql's word for SET.
    let mut parts = text.split('\n').collect::<Vec<_>>();
    parts.push(END);
    let parts = parts.split(|line| *line == END).skip(1);
    let rows = parts.zip(tables.values()).map(|(lines, asked)| {
        sorted(lines.iter().map(|line| {
            let cells = line.split('\t');
            let cells = cells.map(|cell| (cell != "\\N").then(|| cell.to_owned()));
            shown(asked, cells)
        }))
    });
    rows.collect()
}

fn sorted(rows: impl Iterator<Item = Result<String>>) -> Result<Rows> {
    let mut rows = rows.collect::<Result<Rows>>()?;
    rows.sort();
    Ok(rows)
}

fn shown(asked: &[Asked], cells: impl Iterator<Item = Option<String>>) -> Result<String> {
    let mut row = Vec::with_capacity(asked.len());
    for (column, cell) in asked.iter().zip(cells) {
        let value = match cell {
            None => "NULL".to_owned(),
            Some(text) => form(column.form, &text)
                .map_err(|failure| failure.during(format!("{}: {text}", column.name)))?,
        };
        row.push(format!("{}={value}", column.name));
    }
    Ok(row.join(" | "))
}

fn form(form: Form, text: &str) -> Result<String> {
    Ok(match form {
        Form::Text => text.to_owned(),
        Form::Double => format!("{:?}", text.parse::<f64>()? + 0.0),
        Form::Span => match text.contains(':') {
            true => span(text)?.to_string(),
            false => text.to_owned(),
        },
        Form::Json => {
            let bytes: std::result::Result<Vec<u8>, std::num::ParseIntError> = (0..text.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(text.get(at..at + 2).unwrap_or_default(), 16))
                .collect();
            serde_json::from_slice::<serde_json::Value>(&bytes?)?.to_string()
        }
    })
}

/// `[-]HH:MM:SS[.ffffff]` in microseconds.
fn span(text: &str) -> Result<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = rest.split_once('.').unwrap_or((rest, "0"));
    let mut seconds = 0;
    for part in whole.split(':') {
        seconds = seconds * 60 + part.parse::<i64>()?;
    }
    let micros: i64 = format!("{fraction:0<6}").parse()?;
    Ok(sign * (seconds * 1_000_000 + micros))
}

fn cell(row: &[Cell], at: usize) -> String {
    row.get(at).map(ToString::to_string).unwrap_or_default()
}
