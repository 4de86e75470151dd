//! PARTITION BY: what is kept of it, and what ALTER TABLE makes of that.
//!
//! Only statements from a log get here. Rows are not laid out by partitions; clauses that take rows away
//! are in [`super::alter`].

use std::sync::Arc;

use super::checks::condition;
use super::expression::column_names;
use crate::catalog::{
    Catalog, ColumnId, ColumnType, Partition, PartitionMethod, PartitionValue, PartitionValues,
    Partitioning, Subpartitioning, Table, quoted,
};
use crate::dml::RowValue;
use crate::session::SessionContext;
use crate::value::datum::Datum;
use sql::ast::{
    Expression, PartitionBy as Written, PartitionClause, PartitionDefinition,
    PartitionMethod as WrittenMethod, PartitionOptions, PartitionValue as WrittenValue,
    PartitionValues as WrittenValues,
};
use sql::error::SqlError;

/// Partitions that a table may have.
const PARTITIONS_MAX: u64 = 8192;

/// What statements about partitions are defined in.
pub(super) struct Definer<'d> {
    pub(super) session: &'d SessionContext,
    pub(super) catalog: &'d Arc<Catalog>,
}

impl Definer<'_> {
    /// The partitions of a table whose columns are there. Errors 1235, 1499 and those of expressions.
    pub(super) fn define(
        &self,
        table: &Table,
        written: &Written,
    ) -> Result<Partitioning, SqlError> {
        let method = self.method(table, &written.method)?;
        let count = written.count.unwrap_or(1);
        let partitions = match written.definitions.is_empty() {
            true => unnamed(0, count)?,
            false => self.partitions(table, &method, &written.definitions)?,
        };
        let listed = written.definitions.first();
        let subpartitions = match &written.subpartitions {
            None => None,
            Some(sub) => Some(Subpartitioning {
                method: self.method(table, &sub.method)?,
                is_counted: sub.count.is_some()
                    && listed.is_none_or(|one| one.subpartitions.is_empty()),
                count: match listed.map_or(0, |one| one.subpartitions.len()) {
                    0 => sub.count.unwrap_or(1),
                    listed => u64::try_from(listed).unwrap_or(u64::MAX),
                },
            }),
        };
        let each = subpartitions
            .as_ref()
            .map_or(1, |sub: &Subpartitioning| sub.count);
        let count = u64::try_from(partitions.len()).unwrap_or(u64::MAX);
        check_count(count.saturating_mul(each))?;
        Ok(Partitioning {
            method,
            subpartitions,
            is_listed: !written.definitions.is_empty(),
            is_counted: written.count.is_some(),
            partitions,
        })
    }

    fn method(&self, table: &Table, written: &WrittenMethod) -> Result<PartitionMethod, SqlError> {
        let text = |written: &Expression| condition(self.session, written);
        let ids = |names: &[String]| -> Result<Vec<ColumnId>, SqlError> {
            let mut ids = Vec::with_capacity(names.len());
            for name in names {
                let (_, column) = table.require_column(name, "partition function")?;
                ids.push(column.id);
            }
            Ok(ids)
        };
        Ok(match written {
            WrittenMethod::Range(written) => PartitionMethod::Range(text(written)),
            WrittenMethod::RangeColumns(names) => PartitionMethod::RangeColumns(ids(names)?),
            WrittenMethod::List(written) => PartitionMethod::List(text(written)),
            WrittenMethod::ListColumns(names) => PartitionMethod::ListColumns(ids(names)?),
            WrittenMethod::Hash { linear, expression } => PartitionMethod::Hash {
                linear: *linear,
                expression: text(expression),
            },
            WrittenMethod::Key {
                linear,
                algorithm,
                columns,
            } => PartitionMethod::Key {
                linear: *linear,
                algorithm: algorithm.filter(|number| *number != 2),
                columns: ids(columns)?,
            },
        })
    }

    fn partitions(
        &self,
        table: &Table,
        method: &PartitionMethod,
        written: &[PartitionDefinition],
    ) -> Result<Vec<Partition>, SqlError> {
        let one = |written: &PartitionDefinition| {
            Ok(Partition {
                name: written.name.clone(),
                values: match &written.values {
                    Some(values) => Some(self.values(table, method, values)?),
                    None => None,
                },
                options: options(&written.options),
                comment: written.options.comment.clone().unwrap_or_default(),
                subpartitions: written
                    .subpartitions
                    .iter()
                    .map(|(name, said)| (name.clone(), options(said)))
                    .collect(),
            })
        };
        written.iter().map(one).collect()
    }

    fn values(
        &self,
        table: &Table,
        method: &PartitionMethod,
        written: &WrittenValues,
    ) -> Result<PartitionValues, SqlError> {
        let columns: Vec<Option<&ColumnType>> = match method {
            PartitionMethod::RangeColumns(ids) | PartitionMethod::ListColumns(ids) => ids
                .iter()
                .map(|id| Some(&table.column_by_id(*id)?.1.column_type))
                .collect(),
            PartitionMethod::Range(_)
            | PartitionMethod::List(_)
            | PartitionMethod::Hash { .. }
            | PartitionMethod::Key { .. } => vec![None],
        };
        let list = |values: &[WrittenValue]| -> Result<Vec<PartitionValue>, SqlError> {
            let pairs = values.iter().zip(&columns);
            pairs
                .map(|(value, column)| self.value(table, *column, value))
                .collect()
        };
        Ok(match written {
            WrittenValues::LessThan(values) => PartitionValues::LessThan(list(values)?),
            WrittenValues::In(lists) => {
                let lists = lists.iter().map(|values| list(values));
                let mut lists = lists.collect::<Result<Vec<_>, _>>()?;
                if matches!(method, PartitionMethod::List(_)) {
                    // MySQL keeps NULL apart from the numbers, in front of them.
                    lists.sort_by_key(|values| values.first() != Some(&PartitionValue::Null));
                }
                PartitionValues::In(lists)
            }
        })
    }

    /// A value as it is kept: a number where an expression or a column of numbers is compared with it.
    fn value(
        &self,
        table: &Table,
        column: Option<&ColumnType>,
        written: &WrittenValue,
    ) -> Result<PartitionValue, SqlError> {
        let WrittenValue::Expression(written) = written else {
            return Ok(PartitionValue::Maximum);
        };
        let text = condition(self.session, written);
        let table = Arc::new(table.clone());
        let value = RowValue::new(self.catalog, &table, &text, self.session)?.of(&[])?;
        Ok(match (value, column) {
            (Datum::Null, _) => PartitionValue::Null,
            (value, None | Some(ColumnType::Integer { .. } | ColumnType::Year)) => {
                PartitionValue::Number(value.to_integer().value.wide().to_string())
            }
            (value, Some(ColumnType::Binary { .. } | ColumnType::Varbinary { .. })) => {
                PartitionValue::Bytes(value.to_text().into_owned())
            }
            (value, Some(_)) => PartitionValue::Text(value.to_str().into_owned()),
        })
    }

    /// What a clause makes of the partitions of a table. Errors 1235, 1505 and 1507.
    pub(super) fn alter(
        &self,
        table: &mut Table,
        clause: &PartitionClause,
    ) -> Result<(), SqlError> {
        if let PartitionClause::By(written) = clause {
            table.partitioning = Some(self.define(table, written)?);
            return Ok(());
        }
        let known = table.partitioning.clone();
        let mut partitioning = known.ok_or_else(no_partitions)?;
        match clause {
            PartitionClause::By(_) => {}
            PartitionClause::Remove => {
                table.partitioning = None;
                return Ok(());
            }
            PartitionClause::Add(written) => {
                for one in written {
                    if partitioning.position(&one.name).is_some() {
                        let text = format!("Duplicate partition name {}", one.name);
                        return Err(SqlError::new(1517, "HY000", text));
                    }
                }
                let added = self.partitions(table, &partitioning.method, written)?;
                partitioning.partitions.extend(added);
                partitioning.is_listed = true;
            }
            PartitionClause::AddCount(count) => {
                let first = u64::try_from(partitioning.partitions.len()).unwrap_or(u64::MAX);
                partitioning.partitions.extend(unnamed(first, *count)?);
                partitioning.is_counted = true;
            }
            PartitionClause::Drop(names) => {
                for name in names {
                    let at = position(&partitioning, name)?;
                    partitioning.partitions.remove(at);
                }
            }
            PartitionClause::Coalesce(count) => {
                let gone = usize::try_from(*count).unwrap_or(usize::MAX);
                let left = partitioning.partitions.len().saturating_sub(gone);
                partitioning.partitions.truncate(left);
                partitioning.is_counted = true;
            }
            PartitionClause::Reorganize { names, into } if names.is_empty() && into.is_empty() => {
                // Into as many as there are by default.
                partitioning.partitions = unnamed(0, 1)?;
            }
            PartitionClause::Reorganize { names, into } => {
                let mut place = partitioning.partitions.len();
                for name in names {
                    let at = position(&partitioning, name)?;
                    place = place.min(at);
                    partitioning.partitions.remove(at);
                }
                let new = self.partitions(table, &partitioning.method, into)?;
                let place = place.min(partitioning.partitions.len());
                partitioning.is_listed |= !new.is_empty();
                partitioning.partitions.splice(place..place, new);
            }
            PartitionClause::Truncate(_)
            | PartitionClause::Exchange { .. }
            | PartitionClause::Maintain => {}
        }
        table.partitioning = Some(partitioning);
        Ok(())
    }
}

/// Error 1507 where there is no partition of this name.
pub(super) fn position(partitioning: &Partitioning, name: &str) -> Result<usize, SqlError> {
    let missing = || SqlError::new(1507, "HY000", "Error in list of partitions");
    partitioning.position(name).ok_or_else(missing)
}

/// Error 1505.
pub(super) fn no_partitions() -> SqlError {
    let text = "Partition management on a not partitioned table is not possible";
    SqlError::new(1505, "HY000", text)
}

/// Partitions with the names that MySQL gives them.
fn check_count(count: u64) -> Result<(), SqlError> {
    match count > PARTITIONS_MAX {
        true => {
            let text = "Too many partitions (including subpartitions) were defined";
            Err(SqlError::new(1499, "HY000", text))
        }
        false => Ok(()),
    }
}

fn unnamed(first: u64, count: u64) -> Result<Vec<Partition>, SqlError> {
    check_count(first.saturating_add(count))?;
    let one = |number: u64| Partition {
        name: format!("p{number}"),
        values: None,
        options: Vec::new(),
        comment: String::new(),
        subpartitions: Vec::new(),
    };
    Ok((first..first.saturating_add(count)).map(one).collect())
}

/// Options in the order and form of SHOW CREATE TABLE.
fn options(written: &PartitionOptions) -> Vec<String> {
    let escaped = |text: &String| text.replace('\\', "\\\\").replace('\'', "\\'");
    let text = |name: &str, value: &Option<String>| {
        let value = value.as_ref().map(escaped)?;
        Some(format!("{name} = '{value}'"))
    };
    let number = |name: &str, value: Option<u64>| Some(format!("{name} = {}", value?));
    let tablespace = written.tablespace.as_ref();
    let all = [
        tablespace.map(|name| format!("TABLESPACE = {}", quoted(name))),
        number("NODEGROUP", written.nodegroup),
        number("MAX_ROWS", written.max_rows),
        number("MIN_ROWS", written.min_rows),
        text("DATA DIRECTORY", &written.data_directory),
        text("INDEX DIRECTORY", &written.index_directory),
        text("COMMENT", &written.comment),
    ];
    all.into_iter().flatten().collect()
}

/// Error 3855 when a column is gone, or has another name, by which rows are told apart.
pub(super) fn check_columns(session: &SessionContext, table: &Table) -> Result<(), SqlError> {
    let Some(partitioning) = &table.partitioning else {
        return Ok(());
    };
    let methods = [
        Some(&partitioning.method),
        partitioning.subpartitions.as_ref().map(|sub| &sub.method),
    ];
    for method in methods.into_iter().flatten() {
        let missing = match method {
            PartitionMethod::RangeColumns(ids)
            | PartitionMethod::ListColumns(ids)
            | PartitionMethod::Key { columns: ids, .. } => {
                let mut ids = ids.iter();
                ids.any(|id| table.column_by_id(*id).is_none())
                    .then(String::new)
            }
            PartitionMethod::Range(text)
            | PartitionMethod::List(text)
            | PartitionMethod::Hash {
                expression: text, ..
            } => {
                let mut names = column_names(session, text).unwrap_or_default().into_iter();
                names.find(|name| table.column(name).is_none())
            }
        };
        if let Some(name) = missing {
            let text = format!(
                "Column '{name}' has a partitioning function dependency and cannot be dropped or renamed."
            );
            return Err(SqlError::new(3855, "HY000", text));
        }
    }
    Ok(())
}
