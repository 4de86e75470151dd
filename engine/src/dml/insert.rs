//! INSERT and REPLACE: the rows of VALUES, SET or SELECT.

use std::rc::Rc;
use std::sync::Arc;

use binlog::value::Value;
use rusqlite::Connection;
use sqlparser::ast::{Expr, Ident, Insert, OnInsert, Query, SelectItem, SetExpr, TableObject};

use super::direct::direct;
use super::evaluated::Evaluated;
use super::replace::{Counts, Duplicates};
use super::row::Extras;
use super::target::{Target, is_default};
use super::update::{bind_settings, is_ignorable};
use super::{Computed, keep_warnings};
use crate::catalog::Table;
use crate::execute::Writer;
use crate::expr::bind::{Binder, INSERTED, Place, Relation, Scope, unsupported};
use crate::expr::env::Env;
use crate::expr::node::Node;
use crate::outcome::Outcome;
use crate::rows::{Coercion, NullPolicy, RowChange, RowWriter};
use crate::select::{Cursor, base_relation};
use crate::session::SessionContext;
use crate::value::datum::Datum;
use crate::value::memory;
use crate::value::sourced::Sourced;
use crate::value::stored::expression;
use sql::error::SqlError;

/// The rows to insert: for each column a value, or `None` for its default.
type Given = Vec<Option<Sourced>>;

pub(super) fn execute(
    writer: &mut Writer,
    statement: &sql::ast::Insert,
    params: &[Value<'static>],
    session: &mut SessionContext,
    changes: &mut Vec<RowChange>,
) -> Result<Outcome, SqlError> {
    let insert = &statement.insert;
    let catalog = Arc::clone(writer.catalog());
    let env = Env::of_write(session, insert.ignore);
    let mut binder = Binder::new(&catalog, session, params, "", env);
    let env = Rc::clone(&binder.env);
    let TableObject::TableName(name) = &insert.table else {
        return unsupported("INSERT into a function");
    };
    let alias = insert.table_alias.as_ref().map(|alias| &alias.alias);
    let target = Target::of_name(&mut binder, name, alias)?;
    let duplicates = duplicates(&mut binder, insert, &target)?;
    let is_select = is_select(insert);
    let rows = given_rows(binder, statement, &target, writer.connection())?;
    let policy = match rows.len() > 1 || is_select {
        true => NullPolicy::Adjust,
        false => NullPolicy::Error,
    };
    let mut coercion = Coercion::new(session, insert.ignore, policy);
    let computed = Computed::of_write(&catalog, &target.table, session, insert.ignore)?;
    let mut rows_writer = writer.rows(&target.table)?;
    let mut counts = Counts::default();
    let reserved = Reserved::new(&mut rows_writer, rows.len(), is_select, session);
    for (index, given) in rows.into_iter().enumerate() {
        session.interrupt.check()?;
        coercion.row = u64::try_from(index + 1).unwrap_or(u64::MAX);
        let complete = computed.completion(&given);
        let new = match rows_writer.new_row(given, &mut coercion, session, complete) {
            Ok(new) => new,
            Err(error) if insert.ignore && is_ignorable(&error) => {
                session.warn(error);
                counts.records += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        let explicit = explicit_id(&target.table, &new.values);
        let generated = new.generated;
        let before = counts.inserted;
        duplicates.write(
            &mut rows_writer,
            new.values,
            &mut coercion,
            (&env, &computed),
            session,
            changes,
            &mut counts,
        )?;
        match generated {
            // A row that was not inserted gives its id back to the next one.
            Some(id) if counts.inserted == before => reserved.give_back(&mut rows_writer, id),
            Some(id) if counts.first_generated == 0 => counts.first_generated = id,
            None if explicit > 0 && counts.inserted > before => counts.last_explicit = explicit,
            _ => {}
        }
        counts.generated |= generated.is_some();
    }
    reserved.finish(&mut rows_writer, &counts);
    coercion.warnings.extend(computed.take_warnings());
    let warnings = keep_warnings(&env, coercion.warnings, session);
    Ok(answer(insert, &counts, is_select, warnings, session))
}

/// What the client is told, and LAST_INSERT_ID().
fn answer(
    insert: &Insert,
    counts: &Counts,
    is_select: bool,
    warnings: u16,
    session: &mut SessionContext,
) -> Outcome {
    if counts.first_generated > 0 {
        session.last_insert_id = counts.first_generated;
    }
    let records = counts.records;
    let duplicates = counts.duplicates(insert.ignore);
    Outcome::Ok {
        affected: counts.affected,
        last_insert_id: match counts.first_generated {
            0 => counts.last_explicit,
            first => first,
        },
        info: if records > 1 || is_select {
            format!("Records: {records}  Duplicates: {duplicates}  Warnings: {warnings}")
        } else {
            String::new()
        },
        warnings,
    }
}

/// The ids that a statement takes: as many as it has rows, whether they are used or not.
struct Reserved {
    first: u64,
    end: u64,
}

impl Reserved {
    fn new(
        rows: &mut RowWriter<'_>,
        count: usize,
        is_select: bool,
        session: &SessionContext,
    ) -> Self {
        let id = rows.table().id;
        let first = rows.counters().peek(id);
        let count = if is_select {
            0
        } else {
            u64::try_from(count).unwrap_or(0)
        };
        let step = session.auto_increment_increment.max(1);
        Self {
            first,
            end: first.saturating_add(count.saturating_mul(step)),
        }
    }

    fn give_back(&self, rows: &mut RowWriter<'_>, id: u64) {
        let table = rows.table().id;
        if id >= self.first && id < self.end {
            rows.counters().set(table, id);
        }
    }

    fn finish(&self, rows: &mut RowWriter<'_>, counts: &Counts) {
        let table = rows.table().id;
        let next = rows.counters().peek(table);
        if counts.generated && next < self.end {
            let table = Arc::clone(rows.table());
            rows.counters().reserve(&table, self.end);
        }
    }
}

pub(super) fn explicit_id(table: &Table, values: &[Value<'static>]) -> u64 {
    let position = table.auto_increment_column();
    match position.and_then(|position| values.get(position)) {
        Some(Value::Int(id)) => u64::try_from(*id).unwrap_or(0),
        Some(Value::UInt(id)) => *id,
        _ => 0,
    }
}

fn is_select(insert: &Insert) -> bool {
    insert
        .source
        .as_ref()
        .is_some_and(|query| !matches!(query.body.as_ref(), SetExpr::Values(_)))
}

/// What happens to a row that is there already.
fn duplicates(
    binder: &mut Binder<'_>,
    insert: &Insert,
    target: &Target,
) -> Result<Duplicates, SqlError> {
    if insert.replace_into {
        return Ok(Duplicates::Replace);
    }
    let assignments = match &insert.on {
        None if insert.ignore => return Ok(Duplicates::Ignore),
        None => return Ok(Duplicates::Fail),
        Some(OnInsert::DuplicateKeyUpdate(assignments)) => assignments,
        Some(_) => return Err(SqlError::syntax_error()),
    };
    let mut scope = target.scope();
    let mut given = base_relation(&target.table, INSERTED, &target.sql_alias, 1, None);
    mark_given(&mut given);
    if let Some(alias) = &insert.insert_alias {
        let name = alias.row_alias.to_string().replace('`', "");
        let mut relation = Relation {
            alias: name,
            ..given.clone()
        };
        if let Some(names) = alias.col_aliases.as_ref().filter(|names| !names.is_empty()) {
            rename(&mut relation, names, insert, &target.table)?;
        }
        scope.relations.push(relation);
    }
    scope.relations.push(given);
    let mut extras = Extras::new();
    let settings = bind_settings(binder, target, assignments, &scope, &mut extras)?;
    if !extras.is_empty() {
        return unsupported("a subquery in ON DUPLICATE KEY UPDATE");
    }
    Ok(Duplicates::Update {
        settings,
        ignore: insert.ignore,
    })
}

/// The leaves of the given row must differ from those of the stored one.
fn mark_given(relation: &mut Relation) {
    use crate::expr::node::Op;
    for column in &mut relation.columns {
        if let Op::Leaf(leaf) = &mut column.node.op {
            leaf.sql.insert_str(0, "given ");
        }
    }
}

fn rename(
    relation: &mut Relation,
    names: &[Ident],
    insert: &Insert,
    table: &Table,
) -> Result<(), SqlError> {
    let positions = column_positions(insert, table)?;
    if positions.len() != names.len() {
        return Err(SqlError::wrong_value_count());
    }
    for (position, name) in positions.iter().zip(names) {
        if let Some(column) = relation.columns.get_mut(*position) {
            column.name.clone_from(&name.value);
        }
    }
    Ok(())
}

/// Positions of the columns that the statement gives values for.
fn column_positions(insert: &Insert, table: &Table) -> Result<Vec<usize>, SqlError> {
    if insert.columns.is_empty() {
        let all = table.columns.iter().enumerate();
        return Ok(all
            .filter(|(_, column)| !column.invisible)
            .map(|(at, _)| at)
            .collect());
    }
    let mut positions = Vec::with_capacity(insert.columns.len());
    for name in &insert.columns {
        let name = name
            .0
            .last()
            .and_then(|part| part.as_ident())
            .map(|ident| ident.value.as_str());
        let name = name.ok_or_else(SqlError::syntax_error)?;
        let (position, column) = table.require_column(name, "field list")?;
        if positions.contains(&position) {
            return Err(SqlError::field_specified_twice(&column.name));
        }
        positions.push(position);
    }
    Ok(positions)
}

fn given_rows(
    mut binder: Binder<'_>,
    statement: &sql::ast::Insert,
    target: &Target,
    connection: &Connection,
) -> Result<Vec<Given>, SqlError> {
    let insert = &statement.insert;
    let width = target.table.columns.len();
    if !insert.assignments.is_empty() {
        let mut given = vec![None; width];
        for assignment in &insert.assignments {
            let (position, _) = target.assigned(assignment)?;
            if let Some(slot) = given.get_mut(position) {
                *slot = one_value(&mut binder, &assignment.value, target, position, connection)?;
            }
        }
        return Ok(vec![given]);
    }
    let positions = column_positions(insert, &target.table)?;
    let Some(query) = &insert.source else {
        return Ok(vec![vec![None; width]]);
    };
    let SetExpr::Values(values) = query.body.as_ref() else {
        refuse_generated(&target.table, &positions)?;
        return selected_rows(binder, query, &positions, &target.table, connection);
    };
    let mut rows = Vec::with_capacity(values.rows.len());
    let mut held = 0_usize;
    let mut take = |index: usize, row: &[Expr]| {
        binder.env.interrupt.check()?;
        let mut given = vec![None; width];
        let empty = row.is_empty() && insert.columns.is_empty();
        if row.len() != positions.len() && !empty {
            return Err(SqlError::wrong_value_count_on_row(index + 1));
        }
        for (position, expr) in positions.iter().zip(row.iter()) {
            if let Some(slot) = given.get_mut(*position) {
                *slot = one_value(&mut binder, expr, target, *position, connection)?;
            }
        }
        held = held.saturating_add(given_size(&given));
        memory::check_changes(held)?;
        rows.push(given);
        Ok(())
    };
    for (index, row) in values.rows.iter().enumerate() {
        take(index, row)?;
    }
    if let Some(listed) = &statement.rows {
        for (index, row) in listed.iter().enumerate() {
            take(index, &row)?;
        }
    }
    Ok(rows)
}

/// Bytes of a row that waits for the writer.
fn given_size(given: &Given) -> usize {
    let texts = given.iter().flatten().map(Sourced::size).sum::<usize>();
    texts
        .saturating_add(size_of_val(given.as_slice()))
        .saturating_add(size_of::<Given>())
}

/// Error 3105 for a generated column among those that a query gives values for.
fn refuse_generated(table: &Table, positions: &[usize]) -> Result<(), SqlError> {
    let columns = positions.iter().filter_map(|at| table.columns.get(*at));
    let mut generated = columns.filter(|column| column.generated.is_some());
    match generated.next() {
        None => Ok(()),
        Some(column) => Err(SqlError::non_default_value_for_generated_column(
            &column.name,
            &table.name,
        )),
    }
}

/// One element of VALUES or SET; `None` for DEFAULT.
fn one_value(
    binder: &mut Binder<'_>,
    expr: &Expr,
    target: &Target,
    position: usize,
    connection: &Connection,
) -> Result<Option<Sourced>, SqlError> {
    if is_default(expr) {
        return Ok(None);
    }
    let Some(column) = target.table.columns.get(position) else {
        return Ok(None);
    };
    if column.generated.is_some() {
        return Err(SqlError::non_default_value_for_generated_column(
            &column.name,
            &target.table.name,
        ));
    }
    if let Some(value) = direct(binder, expr, column)? {
        return Ok(Some(value));
    }
    let scope = Scope::default();
    let node = match binder.bind(expr, &scope, Place::FIELDS) {
        Err(error) if error.code == 1054 && mentions_column(expr, &target.table) => {
            return unsupported("a column name in VALUES");
        }
        other => other?,
    };
    let value = match node.as_const() {
        Some(value) => value.clone(),
        None => compute(binder, &node, connection)?,
    };
    Ok(Some(
        Evaluated::computed(&node.ty).value(value, &column.column_type),
    ))
}

fn mentions_column(expr: &Expr, table: &Table) -> bool {
    let text = expr.to_string().replace('`', "");
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| table.column(word).is_some())
}

/// A value that is no constant: volatile functions and subqueries.
fn compute(
    binder: &mut Binder<'_>,
    node: &Node,
    connection: &Connection,
) -> Result<Datum, SqlError> {
    let mut leaves = false;
    node.walk(&mut |inner| leaves |= matches!(inner.op, crate::expr::node::Op::Leaf(_)));
    if !leaves {
        return node.eval(&[], &binder.env);
    }
    let sql = format!("SELECT {}", binder.emitter.value(node)?);
    let fresh = crate::expr::emit::Emitter::new(Rc::clone(&binder.env));
    let emitter = std::mem::replace(&mut binder.emitter, fresh);
    let mut value = Datum::Null;
    Cursor::open(connection, &sql, emitter)?.each(|row, program| {
        value = expression::decode(row.get_ref(0)?, &node.ty, &program.env.zone);
        Ok(())
    })?;
    Ok(value)
}

fn selected_rows(
    mut binder: Binder<'_>,
    query: &Query,
    positions: &[usize],
    table: &Table,
    connection: &Connection,
) -> Result<Vec<Given>, SqlError> {
    binder.found_rows_place = crate::select::found_rows::place(query);
    let width = table.columns.len();
    let bound = binder.query(query, None)?;
    if bound.outputs.len() != positions.len() {
        return Err(SqlError::wrong_value_count_on_row(1));
    }
    let direct = direct_values(&binder, query, positions, table)?;
    let mut rows = Vec::new();
    let (mut held, mut refused) = (0_usize, None);
    let mut cursor = Cursor::open(connection, &bound.sql, binder.emitter)?;
    let read = cursor.each(|row, program| {
        let mut given = vec![None; width];
        held = held.saturating_add(size_of_val(given.as_slice()) + size_of::<Given>());
        for (index, (output, position)) in bound.outputs.iter().zip(positions).enumerate() {
            let value = expression::decode(row.get_ref(index)?, &output.ty, &program.env.zone);
            held = held.saturating_add(memory::size(&value));
            if let Some(slot) = given.get_mut(*position) {
                let direct = direct.get(index).cloned().flatten();
                let evaluated = Evaluated {
                    ty: &output.ty,
                    is_field: output.is_field,
                };
                let target = table
                    .columns
                    .get(*position)
                    .map(|column| &column.column_type);
                *slot = match (direct, target) {
                    (Some(direct), _) => Some(direct),
                    (None, Some(target)) => Some(evaluated.value(value, target)),
                    (None, None) => None,
                };
            }
        }
        rows.push(given);
        memory::check_changes(held).map_err(|error| {
            refused = Some(error);
            rusqlite::Error::InvalidQuery
        })
    });
    match refused {
        Some(error) => Err(error),
        None => read.map(|()| rows),
    }
}

/// What a query gives its columns without computing it.
fn direct_values(
    binder: &Binder<'_>,
    query: &Query,
    positions: &[usize],
    table: &Table,
) -> Result<Vec<Option<Sourced>>, SqlError> {
    let SetExpr::Select(select) = query.body.as_ref() else {
        return Ok(Vec::new());
    };
    let mut alone = Vec::with_capacity(positions.len());
    for (item, position) in select.projection.iter().zip(positions) {
        let (SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) = item else {
            return Ok(Vec::new());
        };
        let column = table.columns.get(*position);
        let column = column.ok_or_else(|| SqlError::wrong_value_count_on_row(1))?;
        alone.push(direct(binder, expr, column)?);
    }
    Ok(alone)
}
