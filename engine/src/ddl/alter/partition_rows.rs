//! Clauses of ALTER TABLE that take the rows of partitions away: DROP, TRUNCATE and EXCHANGE PARTITION.
//!
//! Rows lie here without partitions, so each is asked which it belongs to, with the values that MySQL
//! asks. What cannot be asked, KEY, is an error; nothing is passed over. Source: mysql-server 9.7,
//! sql/sql_partition.cc, `get_partition_id_*`.

use std::sync::Arc;

use binlog::value::Value;

use crate::catalog::{
    Catalog, ColumnId, PartitionMethod, PartitionValue, PartitionValues, Partitioning, Table,
    TableId, literal, quoted,
};
use crate::ddl::partitions::{no_partitions, position};
use crate::ddl::{existing, physical, save};
use crate::dml::RowValue;
use crate::execute::Writer;
use crate::rows::{RowId, StoredRow};
use crate::session::SessionContext;
use crate::value::datum::Datum;
use sql::ast::{AlterClause, PartitionClause, TableName};
use sql::error::SqlError;

/// Does to rows what clauses ask of their partitions, which are still those of `table`.
pub(super) fn apply(
    writer: &mut Writer,
    session: &SessionContext,
    table: &Arc<Table>,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    for clause in clauses {
        match clause {
            AlterClause::Partitioning(
                PartitionClause::Drop(names) | PartitionClause::Truncate(Some(names)),
            ) => {
                let (partitioning, membership) = membership(writer, session, table)?;
                let gone = positions(partitioning, names)?;
                delete(writer, table, |row| {
                    let at = membership.of(row)?;
                    Ok(at.is_some_and(|at| gone.contains(&at)))
                })?;
            }
            AlterClause::Partitioning(PartitionClause::Truncate(None)) => {
                if table.partitioning.is_none() {
                    return Err(no_partitions());
                }
                delete(writer, table, |_| Ok(true))?;
                if table.auto_increment_column().is_some() {
                    writer.counters().set(table.id, 1);
                }
            }
            AlterClause::Partitioning(PartitionClause::Exchange {
                partition,
                table: other,
            }) => exchange(writer, session, table, (partition, other))?,
            _ => {}
        }
    }
    Ok(())
}

fn positions(partitioning: &Partitioning, names: &[String]) -> Result<Vec<usize>, SqlError> {
    let mut names = names.iter();
    names.try_fold(Vec::new(), |mut found, name| {
        found.push(position(partitioning, name)?);
        Ok(found)
    })
}

fn membership<'t>(
    writer: &Writer,
    session: &SessionContext,
    table: &'t Arc<Table>,
) -> Result<(&'t Partitioning, Membership), SqlError> {
    let partitioning = table.partitioning.as_ref().ok_or_else(no_partitions)?;
    let asking = Asking {
        catalog: writer.catalog(),
        session,
        table,
    };
    Ok((partitioning, asking.membership(partitioning)?))
}

/// Deletes the rows for which `is_gone`.
fn delete(
    writer: &mut Writer,
    table: &Arc<Table>,
    is_gone: impl Fn(&[Value<'static>]) -> Result<bool, SqlError>,
) -> Result<(), SqlError> {
    let mut last = None;
    while let Some(row) = next(writer, table, last)? {
        last = Some(row.id);
        if is_gone(&row.values)? {
            writer.rows(table)?.delete_unlisted(row.id)?;
        }
    }
    Ok(())
}

fn next(
    writer: &mut Writer,
    table: &Arc<Table>,
    last: Option<RowId>,
) -> Result<Option<StoredRow>, SqlError> {
    writer.rows(table)?.next_with(&[], &[], last)
}

/// Gives a table the rows of a partition, and the partition those of the table. Error 1235 for rows that
/// would be in a partition that is not theirs, which WITHOUT VALIDATION allows; 1736 for tables that differ.
fn exchange(
    writer: &mut Writer,
    session: &SessionContext,
    table: &Arc<Table>,
    (partition, other): (&str, &TableName),
) -> Result<(), SqlError> {
    let (partitioning, membership) = membership(writer, session, table)?;
    let at = position(partitioning, partition)?;
    let old = existing(writer, other, session)?;
    let types = |table: &Table| {
        let columns = table.columns.iter();
        columns
            .map(|column| column.column_type.clone())
            .collect::<Vec<_>>()
    };
    if types(table) != types(&old) {
        let text = "Tables have different definitions";
        return Err(SqlError::new(1736, "HY000", text));
    }
    let next_id = writer.next_auto_increment(old.id);
    let new = Arc::new(Table {
        id: writer.store().new_table_id()?,
        ..Table::clone(&old)
    });
    physical::create_table(writer, &new)?;
    let mut last = None;
    while let Some(row) = next(writer, table, last)? {
        last = Some(row.id);
        if membership.of(&row.values)? == Some(at) {
            writer.rows(&new)?.insert_unlisted(&row.values)?;
            writer.rows(table)?.delete_unlisted(row.id)?;
        }
    }
    let mut last = None;
    while let Some(row) = next(writer, &old, last)? {
        last = Some(row.id);
        if membership.of(&row.values)? != Some(at) {
            let construct = "EXCHANGE PARTITION with rows of other partitions";
            return Err(SqlError::not_supported(construct));
        }
        writer.rows(table)?.insert_unlisted(&row.values)?;
    }
    replace(writer, (old.id, &old), &new)?;
    if new.auto_increment_column().is_some() {
        let next_id = next_id.max(writer.next_auto_increment(new.id));
        writer.counters().set(new.id, next_id);
    }
    Ok(())
}

/// Puts a table in the place of another of its name.
fn replace(
    writer: &mut Writer,
    (id, old): (TableId, &Table),
    new: &Arc<Table>,
) -> Result<(), SqlError> {
    physical::drop_table(writer, old)?;
    writer.store().delete_table(id)?;
    writer.counters().forget(id);
    save(writer, Table::clone(new)).map(drop)
}

/// Says of a row which partition it is in.
enum Membership {
    /// The first whose bound is above the value; NULL is below all of them. None is above every number.
    Range(RowValue, Vec<Option<i128>>),
    /// The one that lists the value.
    List(RowValue, Vec<Vec<Option<i128>>>),
    /// The one of this remainder.
    Hash {
        value: RowValue,
        is_linear: bool,
        count: i64,
    },
    /// The first whose condition holds.
    Conditions(Vec<RowValue>),
}

impl Membership {
    /// Position of the row's partition; none where no partition takes it.
    fn of(&self, row: &[Value<'static>]) -> Result<Option<usize>, SqlError> {
        Ok(match self {
            Membership::Range(value, bounds) => {
                let value = number(&value.of(row)?);
                bounds.iter().position(|bound| match (value, bound) {
                    (None, _) | (_, None) => true,
                    (Some(value), Some(bound)) => value < *bound,
                })
            }
            Membership::List(value, lists) => {
                let value = number(&value.of(row)?);
                lists.iter().position(|list| list.contains(&value))
            }
            Membership::Hash {
                value,
                is_linear,
                count,
            } => {
                let value = signed(&value.of(row)?);
                let at = match is_linear {
                    true => linear(value, *count),
                    false => value.checked_rem(*count).unwrap_or(0).unsigned_abs(),
                };
                usize::try_from(at).ok()
            }
            Membership::Conditions(conditions) => {
                for (at, condition) in conditions.iter().enumerate() {
                    if condition.of(row)?.to_truth() == Some(true) {
                        return Ok(Some(at));
                    }
                }
                None
            }
        })
    }
}

fn number(value: &Datum) -> Option<i128> {
    (!value.is_null()).then(|| value.to_integer().value.wide())
}

/// The value as MySQL hashes it: 64 bits with a sign, of which NULL is the least.
fn signed(value: &Datum) -> i64 {
    match value.is_null() {
        true => i64::MIN,
        false => value.to_integer().value.bits().cast_signed(),
    }
}

/// MySQL's linear hash: as many low bits as the partitions need, and one less where that is too many.
fn linear(value: i64, count: i64) -> u64 {
    let (value, count) = (value.cast_unsigned(), count.cast_unsigned());
    let mask = count.next_power_of_two().wrapping_sub(1);
    match value & mask {
        at if at >= count => value & (mask >> 1),
        at => at,
    }
}

/// What a membership is made of.
struct Asking<'a> {
    catalog: &'a Arc<Catalog>,
    session: &'a SessionContext,
    table: &'a Arc<Table>,
}

impl Asking<'_> {
    fn membership(&self, partitioning: &Partitioning) -> Result<Membership, SqlError> {
        let all = || partitioning.partitions.iter();
        let values = || all().filter_map(|partition| partition.values.as_ref());
        Ok(match &partitioning.method {
            PartitionMethod::Range(text) => {
                let bounds = values().map(|values| match values {
                    PartitionValues::LessThan(bounds) => bounds.first().and_then(parsed),
                    PartitionValues::In(_) => None,
                });
                Membership::Range(self.value(text)?, bounds.collect())
            }
            PartitionMethod::List(text) => {
                let lists = values().map(|values| match values {
                    PartitionValues::In(lists) => {
                        let values = lists.iter().filter_map(|list| list.first());
                        values.map(parsed).collect()
                    }
                    PartitionValues::LessThan(_) => Vec::new(),
                });
                Membership::List(self.value(text)?, lists.collect())
            }
            PartitionMethod::Hash { linear, expression } => Membership::Hash {
                value: self.value(expression)?,
                is_linear: *linear,
                count: i64::try_from(partitioning.partitions.len()).unwrap_or(i64::MAX),
            },
            PartitionMethod::RangeColumns(ids) | PartitionMethod::ListColumns(ids) => {
                self.check_equality(ids)?;
                let conditions = values().map(|values| self.value(&self.condition(ids, values)));
                Membership::Conditions(conditions.collect::<Result<_, _>>()?)
            }
            PartitionMethod::Key { .. } => {
                let construct = "TRUNCATE and EXCHANGE PARTITION of PARTITION BY KEY";
                return Err(SqlError::not_supported(construct));
            }
        })
    }

    /// Refuses to choose rows by a collation whose order is not that of the source.
    fn check_equality(&self, ids: &[ColumnId]) -> Result<(), SqlError> {
        let mut columns = ids.iter().filter_map(|id| self.table.column_by_id(*id));
        let not_kept = columns.find_map(|(_, column)| column.column_type.collation()?.not_kept());
        match not_kept {
            None => Ok(()),
            Some(what) => Err(SqlError::not_supported(format!(
                "rows of partitions of '{}' that are told apart by the {what}",
                self.table.name
            ))),
        }
    }

    fn value(&self, text: &str) -> Result<RowValue, SqlError> {
        RowValue::new(self.catalog, self.table, text, self.session)
    }

    /// When a row is in a partition of columns, asked behind those in front of it.
    fn condition(&self, ids: &[ColumnId], values: &PartitionValues) -> String {
        let names: Vec<String> = ids
            .iter()
            .map(|id| {
                let column = self.table.column_by_id(*id);
                quoted(column.map_or("", |(_, column)| column.name.as_str()))
            })
            .collect();
        match values {
            PartitionValues::LessThan(bounds) => below(&names, bounds),
            PartitionValues::In(lists) => {
                let same = |list: &Vec<PartitionValue>| {
                    let pairs = names
                        .iter()
                        .zip(list)
                        .map(|(name, value)| same(name, value));
                    format!("({})", pairs.collect::<Vec<_>>().join(" and "))
                };
                lists.iter().map(same).collect::<Vec<_>>().join(" or ")
            }
        }
    }
}

/// Whether columns are below bounds, the first that differs being decisive. NULL is below everything.
fn below(names: &[String], bounds: &[PartitionValue]) -> String {
    let (mut cases, mut equal) = (Vec::new(), Vec::new());
    for (name, bound) in names.iter().zip(bounds) {
        let is_below = match bound {
            PartitionValue::Maximum => "true".to_owned(),
            bound => format!("({name} is null or {name} < {})", text(bound)),
        };
        equal.push(is_below);
        cases.push(format!("({})", equal.join(" and ")));
        if let (Some(last), PartitionValue::Maximum) = (equal.last_mut(), bound) {
            // Nothing is equal to it.
            "false".clone_into(last);
        } else if let Some(last) = equal.last_mut() {
            *last = same(name, bound);
        }
    }
    cases.join(" or ")
}

fn same(name: &str, value: &PartitionValue) -> String {
    match value {
        PartitionValue::Null => format!("{name} is null"),
        PartitionValue::Maximum => "false".to_owned(),
        value => format!("{name} = {}", text(value)),
    }
}

fn text(value: &PartitionValue) -> String {
    match value {
        PartitionValue::Maximum | PartitionValue::Null => "null".to_owned(),
        PartitionValue::Number(digits) => digits.clone(),
        PartitionValue::Text(text) => format!("_utf8mb4{}", literal(text)),
        PartitionValue::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("x'{hex}'")
        }
    }
}

/// A bound or a value as a number: MAXVALUE and NULL are none.
fn parsed(value: &PartitionValue) -> Option<i128> {
    match value {
        PartitionValue::Number(digits) => digits.parse().ok(),
        PartitionValue::Maximum
        | PartitionValue::Null
        | PartitionValue::Text(_)
        | PartitionValue::Bytes(_) => None,
    }
}
