//! Writing a table's rows anew under a changed definition.

use crate::error::sqlite_failed;
use std::sync::Arc;

use binlog::value::{Date, DateTime, Timestamp, Value};
use rusqlite::OptionalExtension;

use super::order::Rows;
use crate::catalog::{Column, ColumnDefault, ColumnType, Table};
use crate::collation::Charset;
use crate::database::Counters;
use crate::ddl::{forget, physical, save};
use crate::dml::Computed;
use crate::execute::Writer;
use crate::rows::text::value_text;
use crate::rows::{Coercion, NullPolicy, RowWriter, implicit, now};
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::temporal::days_in_month;
use sql::SqlMode;
use sql::error::SqlError;

/// Where a new column's value comes from.
enum Origin {
    /// The old column at this position, stored as before.
    Same(usize),
    /// The old column at this position, coerced to the new type.
    Coerced(usize),
    /// The same, but the column begins to count: NULL and 0 become ids.
    Counted(usize),
    /// The new column's default.
    Default,
    /// An expression, when the rest of the row is known.
    Computed,
}

/// The numbers that rows get in place: MySQL counts them with another formula than an INSERT's when
/// `auto_increment_increment` or `_offset` is not 1, and never gives the first one that fits.
struct Numbers {
    last: u64,
    increment: u64,
    offset: u64,
}

impl Numbers {
    /// `None` where MySQL numbers as an INSERT does: without steps, or when it copies the table.
    fn new(
        writer: &Writer,
        session: &SessionContext,
        new: &Table,
        copies: bool,
    ) -> Option<Numbers> {
        let increment = session.auto_increment_increment.max(1);
        let offset = session.auto_increment_offset.max(1);
        if (increment, offset) == (1, 1) || copies {
            return None;
        }
        let next = writer.next_auto_increment(new.id);
        Some(Numbers {
            last: if next > 1 { next } else { 0 },
            increment,
            // An offset beyond the increment counts for nothing.
            offset: if offset > increment { 0 } else { offset },
        })
    }

    fn take(&mut self) -> u64 {
        let steps = self
            .last
            .abs_diff(self.offset)
            .checked_div(self.increment)
            .unwrap_or(0);
        self.last = steps
            .saturating_add(1)
            .saturating_mul(self.increment)
            .saturating_add(self.offset);
        self.last
    }
}

/// Copies all rows of `old` in this order into a table of the definition `new`, which takes its place;
/// rows that get a number get `first` and what follows. Returns the new table.
pub(super) fn rebuild(
    writer: &mut Writer,
    session: &mut SessionContext,
    (old, new): (&Arc<Table>, Table),
    copies: bool,
    (order, first): (&str, Option<u64>),
) -> Result<Arc<Table>, SqlError> {
    let new = Arc::new(Table {
        id: writer.store().new_table_id()?,
        ..new
    });
    physical::create_table(writer, &new)?;
    let next = writer.next_auto_increment(old.id);
    // A counter goes on only with its column.
    let counts = |table: &Table| {
        let at = table.auto_increment_column()?;
        table.columns.get(at).map(|column| column.id)
    };
    if counts(&new).is_none() || counts(old).is_none() || counts(&new) == counts(old) {
        writer.counters().set(new.id, next);
    }
    if let Some(first) = first.filter(|_| new.auto_increment_column().is_some()) {
        writer.counters().set(new.id, first);
    }
    copy(writer, session, (old, &new), copies, order)?;
    physical::drop_table(writer, old)?;
    forget(writer, old)?;
    writer.counters().forget(old.id);
    if new.auto_increment_column().is_none() {
        writer.counters().forget(new.id);
    }
    save(writer, Table::clone(&new))
}

fn copy(
    writer: &mut Writer,
    session: &mut SessionContext,
    (old, new): (&Arc<Table>, &Arc<Table>),
    copies: bool,
    order: &str,
) -> Result<(), SqlError> {
    let origins: Vec<Origin> = new
        .columns
        .iter()
        .map(|column| origin(old, column))
        .collect();
    for (column, origin) in new.columns.iter().zip(&origins) {
        check_bytes(old, column, origin)?;
    }
    let mut numbers = Numbers::new(writer, session, new, copies);
    let mut coercion = Coercion::new(session, false, NullPolicy::Error);
    let catalog = Arc::clone(writer.catalog());
    // MySQL looks at virtual columns when they are read: what a log says is never refused for them.
    let computed = Computed::of_write(&catalog, new, session, session.applies_log)?;
    let mut replayed = Coercion::new(session, true, NullPolicy::Adjust);
    let mut rows = Rows::begin(writer, old, order, format!("{}_order", new.sqlite_name()))?;
    loop {
        let batch = rows.next(writer)?;
        if batch.is_empty() {
            break;
        }
        for row in batch {
            let mut values = convert(
                writer,
                session,
                &mut coercion,
                (old, new),
                (&origins, &mut numbers, copies),
                row.values,
            )?;
            if copies {
                let pairs = origins.iter().zip(&new.columns).zip(&mut values);
                for ((origin, column), value) in pairs {
                    match origin {
                        Origin::Same(_) => recheck_date(session, &mut coercion, column, value)?,
                        Origin::Coerced(_)
                        | Origin::Counted(_)
                        | Origin::Default
                        | Origin::Computed => {
                            check_zero_date(session, column, value, coercion.row)?;
                        }
                    }
                }
            }
            let is_new = |at: usize| matches!(origins.get(at), Some(Origin::Default));
            let computing = match session.applies_log {
                true => &mut replayed,
                false => &mut coercion,
            };
            computed.fill(&mut values, is_new, computing)?;
            let mut rows = writer.rows(new)?;
            let inserted = rows.insert_unlisted(&values);
            inserted.map_err(|error| resequenced(&rows, new, &values, copies, error))?;
            coercion.row += 1;
        }
    }
    rows.end(writer)?;
    session.warnings.append(&mut coercion.warnings);
    session.warnings.append(&mut computed.take_warnings());
    Ok(())
}

/// Whether a text of a character set of which only the bytes say all has room as it is: shown and read
/// again it might be other bytes.
fn is_widened(from: &ColumnType, to: &ColumnType) -> bool {
    if !is_of_bytes_alone(from) || charset(from) != charset(to) {
        return false;
    }
    let longest = |length: u16| u32::from(length).saturating_mul(4);
    match (from, to) {
        (ColumnType::Char { length, .. }, ColumnType::Char { length: room, .. }) => room >= length,
        (ColumnType::Char { length, .. }, ColumnType::Varchar { length: room, .. }) => {
            *room >= u16::from(*length)
        }
        (ColumnType::Varchar { length, .. }, ColumnType::Varchar { length: room, .. }) => {
            room >= length
        }
        (ColumnType::Varchar { length, .. }, ColumnType::Text { size, .. }) => {
            size.bytes_max() >= u64::from(longest(*length))
        }
        (ColumnType::Text { size, .. }, ColumnType::Text { size: room, .. }) => {
            room.bytes_max() >= size.bytes_max()
        }
        _ => false,
    }
}

fn charset(column: &ColumnType) -> Option<Charset> {
    column.collation().map(|collation| collation.charset)
}

/// Whether a column holds text of a character set that is kept for a source.
fn is_of_bytes_alone(column: &ColumnType) -> bool {
    let is_text = matches!(
        column,
        ColumnType::Char { .. } | ColumnType::Varchar { .. } | ColumnType::Text { .. }
    );
    is_text && matches!(charset(column), Some(Charset::Further(_)))
}

/// Refuses what would give other bytes than the source has: such text shortened, or as bits.
fn check_bytes(old: &Table, column: &Column, origin: &Origin) -> Result<(), SqlError> {
    let Origin::Coerced(position) = origin else {
        return Ok(());
    };
    let Some(earlier) = old.columns.get(*position) else {
        return Ok(());
    };
    let (from, to) = (&earlier.column_type, &column.column_type);
    let becomes_bits = matches!(to, ColumnType::Bit { .. });
    match is_of_bytes_alone(from) && (becomes_bits || charset(from) == charset(to)) {
        true => Err(SqlError::not_supported(format!(
            "a change of column '{}' that shortens its text, or takes its bits, in a character set \
             that is kept for a source alone",
            column.name
        ))),
        false => Ok(()),
    }
}

fn origin(old: &Table, column: &Column) -> Origin {
    if column.generated.is_some() {
        return Origin::Computed;
    }
    match old.column_by_id(column.id) {
        None => Origin::Default,
        Some((position, earlier)) if column.auto_increment && !earlier.auto_increment => {
            Origin::Counted(position)
        }
        Some((position, earlier)) if earlier.column_type == column.column_type => {
            Origin::Same(position)
        }
        Some((position, earlier)) if is_widened(&earlier.column_type, &column.column_type) => {
            Origin::Same(position)
        }
        Some((position, _)) => Origin::Coerced(position),
    }
}

fn convert(
    writer: &mut Writer,
    session: &mut SessionContext,
    coercion: &mut Coercion,
    (old, new): (&Table, &Arc<Table>),
    (origins, numbers, copies): (&[Origin], &mut Option<Numbers>, bool),
    mut values: Vec<Value<'static>>,
) -> Result<Vec<Value<'static>>, SqlError> {
    let mut converted = Vec::with_capacity(origins.len());
    for (position, (origin, column)) in origins.iter().zip(&new.columns).enumerate() {
        let value = match origin {
            Origin::Default if column.auto_increment => {
                let id = match numbers {
                    Some(numbers) => numbers.take(),
                    None => next_id(writer, session, new)?,
                };
                check_place(new, id, copies)?;
                coercion.store(column, Datum::UInt(id).into())?
            }
            Origin::Counted(from) => {
                let earlier = old.columns.get(*from).zip(values.get_mut(*from));
                counted(writer, session, coercion, (new, column), earlier, copies)?
            }
            Origin::Computed => Value::Null,
            Origin::Default if matches!(column.default, ColumnDefault::Expression(_)) => {
                Value::Null
            }
            // Rows that were there before the column have its implicit default at least.
            // Nothing stands for a shape.
            Origin::Default
                if matches!(column.column_type, ColumnType::Geometry { .. })
                    && !column.nullable =>
            {
                return Err(SqlError::invalid_use_of_null());
            }
            Origin::Default => given(writer, session, new, (position, column))?,
            Origin::Same(from) => {
                let value = values
                    .get_mut(*from)
                    .map_or(Value::Null, |value| std::mem::replace(value, Value::Null));
                match value.is_null() && !column.nullable {
                    true if copies && is_timestamp(column) => now(column, session),
                    true => not_null(coercion, column, SqlError::invalid_use_of_null())?,
                    false => value,
                }
            }
            Origin::Coerced(from) => {
                let earlier = old.columns.get(*from).zip(values.get_mut(*from));
                match earlier.filter(|(_, value)| !value.is_null()) {
                    Some((earlier, value)) => {
                        carried(session, coercion, column, (earlier, value), copies)?
                    }
                    None if column.nullable => Value::Null,
                    None if is_timestamp(column) => now(column, session),
                    None => {
                        let row = coercion.row;
                        let truncated = SqlError::warn_data_truncated(&column.name, row);
                        not_null(coercion, column, truncated)?
                    }
                }
            }
        };
        converted.push(value);
    }
    Ok(converted)
}

/// MySQL gives the current time to rows that are copied without one.
fn is_timestamp(column: &Column) -> bool {
    matches!(column.column_type, ColumnType::Timestamp { .. })
}

/// The id that an INSERT would get.
/// Error 1467 for a number at the end of its column that a row would get in place: MySQL passes over
/// the one before the last, or gives up.
fn check_place(table: &Table, id: u64, copies: bool) -> Result<(), SqlError> {
    match !copies && id.saturating_add(1) >= Counters::greatest(table) {
        true => Err(SqlError::autoinc_read_failed()),
        false => Ok(()),
    }
}

fn next_id(writer: &mut Writer, session: &SessionContext, table: &Table) -> Result<u64, SqlError> {
    let (increment, offset) = (
        session.auto_increment_increment,
        session.auto_increment_offset,
    );
    writer.counters().take(table, increment, offset)
}

fn is_zero(value: &Value<'_>) -> bool {
    match value {
        Value::Int(value) => *value == 0,
        Value::UInt(value) => *value == 0,
        Value::Float(value) => *value == 0.0,
        Value::Double(value) => *value == 0.0,
        _ => false,
    }
}

/// MySQL's word for a duplicate under the first key of a copy, when the key begins with ids.
fn resequenced(
    rows: &RowWriter<'_>,
    table: &Table,
    values: &[Value<'_>],
    copies: bool,
    error: SqlError,
) -> SqlError {
    let counted = table.auto_increment_column();
    let first = table.keys.first();
    let begins = first.and_then(|key| table.key_positions(key).first().copied());
    if !copies || error.code != 1062 || counted.is_none() || begins != counted {
        return error;
    }
    match rows.conflict(values) {
        Ok(Some(conflict)) if conflict.key == 0 => {
            let text = error.message.replacen("Duplicate", "duplicate", 1);
            let text =
                format!("ALTER TABLE causes auto_increment resequencing, resulting in {text}");
            SqlError::new(1062, "23000", text)
        }
        Ok(_) | Err(_) => error,
    }
}

/// The value of a column that becomes AUTO_INCREMENT: NULL and zero become ids.
fn counted(
    writer: &mut Writer,
    session: &SessionContext,
    coercion: &mut Coercion,
    (new, column): (&Table, &Column),
    earlier: Option<(&Column, &mut Value<'static>)>,
    copies: bool,
) -> Result<Value<'static>, SqlError> {
    let keeps_zero = session.sql_mode.contains(SqlMode::NO_AUTO_VALUE_ON_ZERO);
    let stored = match earlier.filter(|(_, value)| !value.is_null()) {
        Some((earlier, value)) => carried(session, coercion, column, (earlier, value), copies)?,
        None => Value::Null,
    };
    if stored.is_null() || is_zero(&stored) && !keeps_zero {
        let id = next_id(writer, session, new)?;
        check_place(new, id, copies)?;
        return coercion.store(column, Datum::UInt(id).into());
    }
    Ok(stored)
}

/// A value in another type.
fn carried(
    session: &SessionContext,
    coercion: &mut Coercion,
    column: &Column,
    (earlier, value): (&Column, &mut Value<'static>),
    copies: bool,
) -> Result<Value<'static>, SqlError> {
    // Numbers that stay in their place are not looked at.
    if !copies && is_float(value) {
        return Ok(std::mem::replace(value, Value::Null));
    }
    let truncated = SqlError::warn_data_truncated(&column.name, coercion.row);
    coercion
        .altered(column, (earlier, value), &session.time_zone)
        .map_err(|error| match error.code {
            // A string cut to a shorter one of its kind has a word of its own.
            1406 if is_cut(earlier, column) => truncated,
            _ => error,
        })
}

fn is_float(value: &Value<'_>) -> bool {
    matches!(value, Value::Float(_) | Value::Double(_))
}

/// Whether strings become shorter ones of the same kind and character set.
fn is_cut(earlier: &Column, column: &Column) -> bool {
    let (from, to) = (&earlier.column_type, &column.column_type);
    let is_same_kind = matches!(
        (from, to),
        (ColumnType::Char { .. }, ColumnType::Char { .. })
            | (ColumnType::Varchar { .. }, ColumnType::Varchar { .. })
            | (ColumnType::Binary { .. }, ColumnType::Binary { .. })
            | (ColumnType::Varbinary { .. }, ColumnType::Varbinary { .. })
    );
    let charset = |of: &ColumnType| of.collation().map(|collation| collation.charset);
    is_same_kind && charset(from) == charset(to)
}

/// What a new column has in the rows that are there.
fn given(
    writer: &mut Writer,
    session: &SessionContext,
    table: &Arc<Table>,
    (position, column): (usize, &Column),
) -> Result<Value<'static>, SqlError> {
    let mut lenient = Coercion::new(session, true, NullPolicy::Adjust);
    let rows = writer.rows(table)?;
    let value = rows.default_at(position, column, &mut lenient, session)?;
    // MySQL looks at no TIMESTAMP here.
    if !matches!(column.column_type, ColumnType::Timestamp { .. }) {
        check_zero_date(session, column, &value, 1)?;
    }
    Ok(value)
}

/// What becomes of NULL in a column that is to be NOT NULL: an error in strict mode, else the type's
/// implicit default.
fn not_null(
    coercion: &mut Coercion,
    column: &Column,
    error: SqlError,
) -> Result<Value<'static>, SqlError> {
    coercion.problem(error)?;
    Ok(implicit(column))
}

/// Error 1292 when rows would get a zero date that sql_mode forbids.
fn check_zero_date(
    session: &SessionContext,
    column: &Column,
    value: &Value<'_>,
    row: u64,
) -> Result<(), SqlError> {
    let is_forbidden = session.is_strict() && session.sql_mode.contains(SqlMode::NO_ZERO_DATE);
    let (kind, text) = match value {
        Value::Date(date) if *date == Date::default() => ("date", "0000-00-00"),
        Value::DateTime(moment) if *moment == DateTime::default() => {
            ("datetime", "0000-00-00 00:00:00")
        }
        Value::Timestamp(moment) if *moment == Timestamp::default() => {
            ("datetime", "0000-00-00 00:00:00")
        }
        _ => return Ok(()),
    };
    match is_forbidden {
        true => Err(SqlError::wrong_temporal_value(
            kind,
            text,
            &column.name,
            row,
        )),
        false => Ok(()),
    }
}

/// A date that is copied is looked at again: one that sql_mode forbids is an error in strict mode,
/// else it becomes the zero date.
fn recheck_date(
    session: &SessionContext,
    coercion: &mut Coercion,
    column: &Column,
    value: &mut Value<'static>,
) -> Result<(), SqlError> {
    let is_allowed = |year: u16, month: u8, day: u8| {
        let mode = session.sql_mode;
        match (year, month, day) {
            (0, 0, 0) => !mode.contains(SqlMode::NO_ZERO_DATE),
            (_, 0, _) | (_, _, 0) => !mode.contains(SqlMode::NO_ZERO_IN_DATE),
            (year, month, day) => {
                day <= days_in_month(year, month) || mode.contains(SqlMode::INVALID_DATES)
            }
        }
    };
    let (kind, is_allowed) = match value {
        Value::Date(date) => ("date", is_allowed(date.year, date.month, date.day)),
        Value::DateTime(moment) => {
            let date = (moment.year, moment.month, moment.day);
            ("datetime", is_allowed(date.0, date.1, date.2))
        }
        Value::Timestamp(moment) => {
            let is_zero = *moment == Timestamp::default();
            ("datetime", !is_zero || is_allowed(0, 0, 0))
        }
        _ => return Ok(()),
    };
    if is_allowed {
        return Ok(());
    }
    if session.is_strict() {
        let text = value_text(column, value, &session.time_zone);
        return Err(SqlError::wrong_temporal_value(
            kind,
            &text,
            &column.name,
            coercion.row,
        ));
    }
    *value = implicit(column);
    coercion.problem(SqlError::warn_data_out_of_range(&column.name, coercion.row))
}

/// Rows of a table.
pub(super) fn row_count(writer: &Writer, table: &Table) -> Result<u64, SqlError> {
    let sql = format!("SELECT count(*) FROM {}", table.sqlite_name());
    let count: i64 = writer
        .connection()
        .query_row(&sql, [], |row| row.get(0))
        .map_err(sqlite_failed)?;
    Ok(count.unsigned_abs())
}

/// The greatest value of the AUTO_INCREMENT column that is stored, 0 for none.
pub(super) fn greatest_id(writer: &Writer, table: &Table) -> Result<u64, SqlError> {
    let column = table
        .auto_increment_column()
        .and_then(|position| table.columns.get(position));
    let Some(column) = column else { return Ok(0) };
    if !matches!(column.column_type, ColumnType::Integer { .. }) {
        return Ok(0);
    }
    let name = column.sqlite_name();
    let sql = format!(
        "SELECT {name} FROM {} ORDER BY {name} DESC LIMIT 1",
        table.sqlite_name()
    );
    let stored = writer.connection().query_row(&sql, [], |row| {
        let value = crate::value::stored::column::decode(&column.column_type, row.get_ref(0)?);
        Ok(value.map(Value::into_owned))
    });
    Ok(
        match stored.optional().map_err(sqlite_failed)?.transpose()? {
            Some(Value::Int(id)) => u64::try_from(id).unwrap_or(0),
            Some(Value::UInt(id)) => id,
            _ => 0,
        },
    )
}
