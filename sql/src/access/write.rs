//! What statements that change rows touch.

use sqlparser::ast as sp;

use super::{Refusal, Right, Walk, Walked, empty, none, refuse, table_name};
use crate::ast::{Insert, TableName, Write};

impl Walk {
    pub(super) fn write(&mut self, write: &Write) -> Walked {
        match write {
            Write::Insert(insert) => self.insert(insert, false),
            Write::Replace(insert) => self.insert(insert, true),
            Write::Update(update) => self.update(&update.update),
            Write::Delete(delete) => self.delete(&delete.delete),
            // Its tables are in the events: who may run it may write them all.
            Write::Binlog(_) => Ok(()),
        }
    }

    fn insert(&mut self, whole: &Insert, replace: bool) -> Walked {
        let insert = &whole.insert;
        let sp::TableObject::TableName(name) = &insert.table else {
            return refuse("INSERT into something that is no table");
        };
        none(insert.or.as_ref(), "INSERT OR")?;
        none(insert.partitioned.as_ref(), "PARTITION")?;
        none(insert.returning.as_ref(), "INSERT ... RETURNING")?;
        none(insert.output.as_ref(), "OUTPUT")?;
        none(insert.settings.as_ref(), "SETTINGS")?;
        none(insert.format_clause.as_ref(), "FORMAT")?;
        none(
            insert.multi_table_insert_type.as_ref(),
            "multi-table INSERT",
        )?;
        empty(&insert.multi_table_into_clauses, "multi-table INSERT")?;
        empty(&insert.multi_table_when_clauses, "multi-table INSERT")?;
        none(
            insert.multi_table_else_clause.as_ref(),
            "multi-table INSERT",
        )?;
        let target = table_name(name)?;
        self.note(&target, Right::Insert);
        if replace {
            self.note(&target, Right::Delete);
        }
        let mut reads = match &insert.source {
            Some(source) if is_plain_values(source) => self.reading(|walk| walk.query(source))?,
            Some(source) => {
                self.query(source)?;
                false
            }
            None => false,
        };
        if let Some(rows) = &whole.rows {
            reads |= self.reading(|walk| {
                let mut expressions = rows.expressions().iter();
                expressions.try_for_each(|expr| walk.expr(expr))
            })?;
        }
        reads |= self.assigned(&insert.assignments)?;
        match &insert.on {
            Some(sp::OnInsert::DuplicateKeyUpdate(assignments)) => {
                self.note(&target, Right::Update);
                reads |= self.assigned(assignments)?;
            }
            // The enum can grow with a new version: what is not known is refused.
            Some(_) => return refuse("ON CONFLICT"),
            None => {}
        }
        if reads {
            self.note(&target, Right::Select);
        }
        Ok(())
    }

    /// Walks the values of assignments; whether they read columns.
    fn assigned(&mut self, assignments: &[sp::Assignment]) -> Result<bool, Refusal> {
        self.reading(|walk| {
            assignments
                .iter()
                .try_for_each(|assignment| walk.expr(&assignment.value))
        })
    }

    fn update(&mut self, update: &sp::Update) -> Walked {
        none(update.from.as_ref(), "UPDATE ... FROM")?;
        none(update.returning.as_ref(), "UPDATE ... RETURNING")?;
        none(update.output.as_ref(), "OUTPUT")?;
        none(update.or.as_ref(), "UPDATE OR")?;
        let single = single_table(std::slice::from_ref(&update.table))?;
        let mut reads = self.assigned(&update.assignments)?;
        reads |= self.conditions(
            update.selection.as_ref(),
            &update.order_by,
            update.limit.as_ref(),
        )?;
        match single {
            Some(table) => {
                self.note(&table, Right::Update);
                if reads {
                    self.note(&table, Right::Select);
                }
                Ok(())
            }
            None => self.several(std::slice::from_ref(&update.table), Right::Update),
        }
    }

    fn delete(&mut self, delete: &sp::Delete) -> Walked {
        none(delete.returning.as_ref(), "DELETE ... RETURNING")?;
        none(delete.output.as_ref(), "OUTPUT")?;
        let (sp::FromTable::WithFromKeyword(from) | sp::FromTable::WithoutKeyword(from)) =
            &delete.from;
        let reads = self.conditions(
            delete.selection.as_ref(),
            &delete.order_by,
            delete.limit.as_ref(),
        )?;
        let single = single_table(from)?;
        match single {
            Some(table) if delete.tables.is_empty() && delete.using.is_none() => {
                self.note(&table, Right::Delete);
                if reads {
                    self.note(&table, Right::Select);
                }
                Ok(())
            }
            Some(_) | None => {
                self.several(from, Right::Delete)?;
                match &delete.using {
                    Some(using) => self.several(using, Right::Delete),
                    None => Ok(()),
                }
            }
        }
    }

    fn conditions(
        &mut self,
        selection: Option<&sp::Expr>,
        order_by: &[sp::OrderByExpr],
        limit: Option<&sp::Expr>,
    ) -> Result<bool, Refusal> {
        self.reading(|walk| {
            walk.maybe(selection)?;
            walk.order(order_by)?;
            walk.maybe(limit)
        })
    }

    /// Several tables: each may be read and changed, whichever the statement means.
    fn several(&mut self, tables: &[sp::TableWithJoins], right: Right) -> Walked {
        let before = self.found.len();
        self.from(tables)?;
        let read: Vec<TableName> = self
            .found
            .iter()
            .skip(before)
            .map(|access| access.table.clone())
            .collect();
        for table in &read {
            self.note(table, right);
        }
        Ok(())
    }
}

/// VALUES, whose expressions stand for columns of the table inserted into.
fn is_plain_values(source: &sp::Query) -> bool {
    source.with.is_none() && matches!(*source.body, sp::SetExpr::Values(_))
}

/// The table of a FROM that names one and nothing else.
fn single_table(tables: &[sp::TableWithJoins]) -> Result<Option<TableName>, Refusal> {
    let [sp::TableWithJoins { relation, joins }] = tables else {
        return Ok(None);
    };
    match relation {
        sp::TableFactor::Table {
            name, args: None, ..
        } if joins.is_empty() => table_name(name).map(Some),
        _ => Ok(None),
    }
}
