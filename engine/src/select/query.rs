//! Queries: SELECT, UNION and their like become one SQLite text with typed outputs.

use std::sync::Arc;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, SetOperator, SetQuantifier, With,
};

use super::from::Cte;
use super::metadata::result_column;
use super::naming;
use crate::error::SqlError;
use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::node::{Node, Op};
use crate::expr::types::{Kind, Type};
use crate::outcome::ResultColumn;
use crate::sql::SqlMode;

/// One column of a query.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its metadata.
    pub origin: ResultColumn,
}

/// A query as SQLite text; its columns are named `o0`, `o1` ...
#[derive(Debug, Clone)]
pub struct Bound {
    /// The text.
    pub sql: String,
    /// The columns.
    pub outputs: Vec<Output>,
    /// Whether it can give more than one row.
    pub single_row: bool,
}

/// A select item with its expression bound.
pub(super) struct Item {
    pub(super) node: Node,
    pub(super) name: String,
    pub(super) origin: ResultColumn,
    pub(super) has_alias: bool,
}

/// What a select list must become: the common types of a UNION.
type Wanted<'w> = Option<&'w [Type]>;

impl Binder<'_> {
    /// Binds a query inside `parent`.
    pub fn query(&mut self, query: &Query, parent: Option<&Scope<'_>>) -> Result<Bound, SqlError> {
        self.query_as(query, parent, None)
    }

    /// Binds a query whose columns must have the given types.
    pub(super) fn query_as(
        &mut self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let visible = self.ctes.len();
        if let Some(with) = &query.with {
            self.define(with);
        }
        let result = self.query_body(query, parent, wanted);
        self.ctes.truncate(visible);
        result
    }

    fn define(&mut self, with: &With) {
        for cte in &with.cte_tables {
            let columns = cte
                .alias
                .columns
                .iter()
                .map(|column| column.name.value.clone())
                .collect();
            self.ctes.push(Cte {
                name: cte.alias.name.value.clone(),
                columns,
                query: Some(Arc::new((*cte.query).clone())),
                visible: self.ctes.len(),
                recursive: None,
                is_recursive: with.recursive && mentions(&cte.query, &cte.alias.name.value),
            });
        }
    }

    fn query_body(
        &mut self,
        query: &Query,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let mut bound = match query.body.as_ref() {
            SetExpr::Select(select) => {
                return self.select(select, Some(query), parent, wanted);
            }
            SetExpr::Query(inner) => {
                let mut bound = self.query_as(inner, parent, wanted)?;
                let alias = self.alias('d');
                bound.sql = format!("SELECT * FROM ({}) AS {alias}", bound.sql);
                bound
            }
            SetExpr::SetOperation { .. } => self.set_operation(&query.body, parent, wanted)?,
            SetExpr::Values(values) => self.values(values, parent, wanted)?,
            SetExpr::Table(_) => return unsupported("TABLE"),
            _ => return Err(SqlError::syntax_error()),
        };
        if let Some(order) = self.order_by_outputs(query.order_by.as_ref(), &bound.outputs)? {
            bound.sql = format!("{} ORDER BY {order}", bound.sql);
        }
        if let Some(limit) = self.limit(query.limit_clause.as_ref())? {
            bound.sql = format!("{}{limit}", bound.sql);
        }
        Ok(bound)
    }

    /// One side of a set operation, or a whole query in parentheses.
    fn operand(
        &mut self,
        body: &SetExpr,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        match body {
            SetExpr::Select(select) => self.select(select, None, parent, wanted),
            SetExpr::SetOperation { .. } => {
                let bound = self.set_operation(body, parent, wanted)?;
                let alias = self.alias('d');
                Ok(Bound {
                    sql: format!("SELECT * FROM ({}) AS {alias}", bound.sql),
                    ..bound
                })
            }
            SetExpr::Query(query) => {
                let bound = self.query_as(query, parent, wanted)?;
                let alias = self.alias('d');
                Ok(Bound {
                    sql: format!("SELECT * FROM ({}) AS {alias}", bound.sql),
                    ..bound
                })
            }
            SetExpr::Values(values) => self.values(values, parent, wanted),
            _ => Err(SqlError::syntax_error()),
        }
    }

    fn set_operation(
        &mut self,
        body: &SetExpr,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let SetExpr::SetOperation {
            left,
            op,
            set_quantifier,
            right,
        } = body
        else {
            return self.operand(body, parent, wanted);
        };
        let operator = match (op, set_quantifier) {
            (SetOperator::Union, SetQuantifier::All) => "UNION ALL",
            (SetOperator::Union, SetQuantifier::None | SetQuantifier::Distinct) => "UNION",
            (SetOperator::Except, SetQuantifier::None | SetQuantifier::Distinct) => "EXCEPT",
            (SetOperator::Intersect, SetQuantifier::None | SetQuantifier::Distinct) => "INTERSECT",
            _ => return unsupported("this set operation"),
        };
        let types = match wanted {
            Some(types) => types.to_vec(),
            None => {
                // Bound once to learn the types, and again to bring both sides to the common ones.
                let mark = self.emitter.mark();
                let first = self.operand(left, parent, None)?;
                let second = self.operand(right, parent, None)?;
                self.emitter.reset(mark);
                if first.outputs.len() != second.outputs.len() {
                    return Err(SqlError::wrong_number_of_columns_in_select());
                }
                let pairs = first.outputs.iter().zip(&second.outputs);
                let joined =
                    pairs.map(|(a, b)| Type::union_types(&[&a.ty, &b.ty], &self.env, "UNION"));
                joined.collect::<Result<Vec<_>, _>>()?
            }
        };
        // SQLite chains set operations from the left without parentheses.
        let left = match left.as_ref() {
            nested @ SetExpr::SetOperation { .. } => {
                self.set_operation(nested, parent, Some(&types))?
            }
            other => self.operand(other, parent, Some(&types))?,
        };
        let right = self.operand(right, parent, Some(&types))?;
        let outputs = left.outputs.iter().zip(&types).map(|(output, ty)| Output {
            name: output.name.clone(),
            ty: ty.clone(),
            origin: result_column(&output.name, ty),
        });
        Ok(Bound {
            sql: format!("{} {operator} {}", left.sql, right.sql),
            outputs: outputs.collect(),
            single_row: false,
        })
    }

    fn values(
        &mut self,
        values: &sqlparser::ast::Values,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        let scope = Scope::inside(parent);
        let mut rows = Vec::with_capacity(values.rows.len());
        for row in &values.rows {
            let mut nodes = Vec::new();
            for expr in row.iter() {
                nodes.push(self.bind(expr, &scope, Place::SELECT)?);
            }
            rows.push(nodes);
        }
        let width = rows.first().map_or(0, Vec::len);
        let mut types = Vec::with_capacity(width);
        for index in 0..width {
            let column: Option<Vec<&Type>> = rows
                .iter()
                .map(|row| row.get(index).map(|node| &node.ty))
                .collect();
            let column = column.ok_or_else(SqlError::wrong_value_count)?;
            types.push(Type::union_types(&column, &self.env, "VALUES")?);
        }
        let types = wanted.map_or(types, <[Type]>::to_vec);
        let mut parts = Vec::with_capacity(rows.len());
        for row in rows {
            let mut cells = Vec::with_capacity(width);
            for (index, (node, ty)) in row.into_iter().zip(&types).enumerate() {
                let node = self.converted(node, ty)?;
                cells.push(format!("{} AS o{index}", self.emitter.value(&node)?));
            }
            parts.push(format!("SELECT {}", cells.join(",")));
        }
        let outputs = types.iter().enumerate().map(|(index, ty)| {
            let name = format!("column_{index}");
            Output {
                origin: result_column(&name, ty),
                name,
                ty: ty.clone(),
            }
        });
        Ok(Bound {
            outputs: outputs.collect(),
            single_row: parts.len() == 1,
            sql: parts.join(" UNION ALL "),
        })
    }

    /// One SELECT; `query` brings its ORDER BY and LIMIT.
    fn select(
        &mut self,
        select: &Select,
        query: Option<&Query>,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        refuse(select, query)?;
        let mut scope = Scope::inside(parent);
        let from = self.from(&select.from, &mut scope)?;
        let condition = match &select.selection {
            Some(expr) => Some(self.bind(expr, &scope, Place::WHERE)?),
            None => None,
        };
        let items = self.items(select, &scope)?;
        scope.aliases = items
            .iter()
            .filter(|item| item.has_alias || item.node.as_column().is_some())
            .map(|item| (item.name.clone(), item.node.clone()))
            .collect();
        let groups = self.groups(select, &items, &scope)?;
        let having = match &select.having {
            Some(expr) => Some(self.bind(expr, &scope, Place::HAVING)?),
            None => None,
        };
        let distinct = self.distinct(select)?;
        let order_by = query.and_then(|query| query.order_by.as_ref());
        let orders = self.orders(order_by, &items, &scope)?;
        let aggregated = !groups.is_empty()
            || items.iter().any(|item| item.node.has_aggregate())
            || having.as_ref().is_some_and(Node::has_aggregate)
            || orders.iter().any(|(node, _)| node.has_aggregate());
        if aggregated && self.session.sql_mode.contains(SqlMode::ONLY_FULL_GROUP_BY) {
            super::group::check(&items, &orders, &groups, condition.as_ref(), &scope)?;
        }
        let mut sql = self.select_list(&items, distinct, wanted)?;
        if !from.is_empty() {
            sql.push_str(" FROM ");
            sql.push_str(&from);
        }
        let conditions = match (&having, aggregated) {
            (Some(having), false) => [condition.as_ref(), Some(having)],
            _ => [condition.as_ref(), None],
        };
        let mut separator = " WHERE ";
        for node in conditions.into_iter().flatten() {
            sql.push_str(separator);
            sql.push_str(&self.emitter.truth(node)?);
            separator = " AND ";
        }
        if !groups.is_empty() {
            let texts: Result<Vec<_>, _> = groups
                .iter()
                .map(|node| self.emitter.collated(node))
                .collect();
            sql.push_str(" GROUP BY ");
            sql.push_str(&texts?.join(","));
        }
        if let (Some(having), true) = (&having, aggregated) {
            sql.push_str(" HAVING ");
            sql.push_str(&self.emitter.truth(having)?);
        }
        if let Some(order) = self.order_text(&orders)? {
            sql.push_str(" ORDER BY ");
            sql.push_str(&order);
        }
        if let Some(limit) = self.limit(query.and_then(|query| query.limit_clause.as_ref()))? {
            sql.push_str(&limit);
        }
        let single_row = from.is_empty() || aggregated && groups.is_empty();
        let outputs = outputs(items, wanted);
        Ok(Bound {
            sql,
            outputs,
            single_row,
        })
    }

    fn select_list(
        &mut self,
        items: &[Item],
        distinct: bool,
        wanted: Wanted<'_>,
    ) -> Result<String, SqlError> {
        let mut cells = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let cell = match wanted.and_then(|types| types.get(index)) {
                Some(ty) => {
                    let node = self.converted(item.node.clone(), ty)?;
                    let node = Node {
                        ty: ty.clone(),
                        ..node
                    };
                    self.emitter.collated(&node)?
                }
                None if distinct => self.emitter.collated(&item.node)?,
                None => self.emitter.value(&item.node)?,
            };
            cells.push(format!("{cell} AS o{index}"));
        }
        if let Some(types) = wanted
            && types.len() != items.len()
        {
            return Err(SqlError::wrong_number_of_columns_in_select());
        }
        Ok(format!(
            "SELECT {}{}",
            if distinct { "DISTINCT " } else { "" },
            cells.join(",")
        ))
    }

    fn items(&mut self, select: &Select, scope: &Scope<'_>) -> Result<Vec<Item>, SqlError> {
        let names = naming::texts(self.text, select);
        let mut items = Vec::with_capacity(select.projection.len());
        for (index, item) in select.projection.iter().enumerate() {
            match item {
                SelectItem::UnnamedExpr(expr) => {
                    let text = names.get(index).cloned().flatten();
                    items.push(self.item(expr, text, scope)?);
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    let mut item = self.item(expr, None, scope)?;
                    item.name.clone_from(&alias.value);
                    item.origin.name.clone_from(&alias.value);
                    item.has_alias = true;
                    items.push(item);
                }
                SelectItem::Wildcard(_) => {
                    if scope.relations.is_empty() {
                        return Err(SqlError::no_tables_used());
                    }
                    items.extend(scope.wildcard(&[])?.into_iter().map(Item::of_column));
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let path: Vec<_> = name
                        .0
                        .iter()
                        .filter_map(|part| part.as_ident().cloned())
                        .collect();
                    items.extend(scope.wildcard(&path)?.into_iter().map(Item::of_column));
                }
                _ => return unsupported("this select item"),
            }
        }
        Ok(items)
    }

    fn item(
        &mut self,
        expr: &Expr,
        text: Option<String>,
        scope: &Scope<'_>,
    ) -> Result<Item, SqlError> {
        let path = match expr {
            Expr::Identifier(ident) => std::slice::from_ref(ident),
            Expr::CompoundIdentifier(path) => path.as_slice(),
            _ => &[],
        };
        let variable = path
            .first()
            .is_some_and(|ident| ident.value.starts_with('@'));
        if !path.is_empty()
            && !variable
            && let Ok(found) = scope.column(path, "field list")
        {
            return Ok(Item::of_column(found));
        }
        let node = self.bind(expr, scope, Place::SELECT)?;
        let name = text.unwrap_or_else(|| expr.to_string());
        let mut origin = result_column(&name, &node.ty);
        if matches!(node.op, Op::Const(_)) && node.ty.kind == Kind::Null {
            origin.flags = 128;
        }
        Ok(Item {
            node,
            name,
            origin,
            has_alias: false,
        })
    }

    fn distinct(&self, select: &Select) -> Result<bool, SqlError> {
        match &select.distinct {
            None | Some(Distinct::All) => Ok(false),
            Some(Distinct::Distinct) => Ok(true),
            Some(Distinct::On(_)) => unsupported("DISTINCT ON"),
        }
    }

    fn groups(
        &mut self,
        select: &Select,
        items: &[Item],
        scope: &Scope<'_>,
    ) -> Result<Vec<Node>, SqlError> {
        let exprs = match &select.group_by {
            GroupByExpr::Expressions(exprs, modifiers) if modifiers.is_empty() => exprs,
            _ => return unsupported("WITH ROLLUP"),
        };
        let mut groups = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let node = match super::order::position(expr) {
                Some(position) => {
                    let item = position.checked_sub(1).and_then(|index| items.get(index));
                    let item =
                        item.ok_or_else(|| SqlError::bad_field(position, "group statement"))?;
                    item.node.clone()
                }
                None => self.bind(expr, scope, Place::GROUP)?,
            };
            if node.has_aggregate() {
                return Err(SqlError::new(
                    1056,
                    "42000",
                    format!("Can't group on '{}'", super::order::shown(expr)),
                ));
            }
            groups.push(node);
        }
        Ok(groups)
    }

    /// LIMIT with its leading blank.
    pub(crate) fn limit(
        &mut self,
        clause: Option<&LimitClause>,
    ) -> Result<Option<String>, SqlError> {
        let (limit, offset) = match clause {
            None => return Ok(None),
            Some(LimitClause::LimitOffset {
                limit,
                offset,
                limit_by,
            }) if limit_by.is_empty() => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
            Some(_) => return Err(SqlError::syntax_error()),
        };
        let Some(limit) = limit else { return Ok(None) };
        let limit = self.row_count(limit)?;
        let mut sql = format!(" LIMIT {limit}");
        if let Some(offset) = offset {
            let offset = self.row_count(offset)?;
            sql.push_str(" OFFSET ");
            sql.push_str(&offset);
        }
        Ok(Some(sql))
    }

    pub(crate) fn row_count(&mut self, expr: &Expr) -> Result<String, SqlError> {
        let node = self.bind(expr, &Scope::default(), Place::SELECT)?;
        let value = match node.as_const() {
            Some(value) if node.ty.kind == Kind::Integer => value.to_integer().value,
            Some(value) if self.describing && value.is_null() => value.to_integer().value,
            _ => return Err(SqlError::syntax_error()),
        };
        // Beyond the range of SQLite's rows there is nothing to cut.
        Ok(self
            .emitter
            .parameter(rusqlite::types::Value::Integer(value.saturate())))
    }

    /// A recursive common table expression: its first part gives the types.
    pub(super) fn recursive(&mut self, cte: &Cte, query: &Query) -> Result<Bound, SqlError> {
        let SetExpr::SetOperation {
            left,
            op: SetOperator::Union,
            set_quantifier,
            right,
        } = query.body.as_ref()
        else {
            return unsupported("a recursive query without UNION");
        };
        let anchor = self.operand(left, None, None)?;
        let sql_name = self.alias('r');
        let names = anchor.outputs.iter().enumerate().map(|(index, output)| {
            let name = cte.columns.get(index).unwrap_or(&output.name).clone();
            (name, output.ty.clone().with_null(true))
        });
        let columns: Vec<(String, Type)> = names.collect();
        let types: Vec<Type> = columns.iter().map(|(_, ty)| ty.clone()).collect();
        let recursive = Some((sql_name.clone(), columns));
        self.ctes.push(Cte {
            recursive,
            query: None,
            ..cte.clone()
        });
        let step = self.operand(right, None, Some(&types));
        self.ctes.pop();
        let step = step?;
        let all = matches!(set_quantifier, SetQuantifier::All);
        let cells: Vec<String> = (0..types.len()).map(|index| format!("o{index}")).collect();
        let list = cells.join(",");
        let sql = format!(
            "WITH RECURSIVE {sql_name}({list}) AS ({} UNION {}{}) SELECT {list} FROM {sql_name}",
            anchor.sql,
            if all { "ALL " } else { "" },
            step.sql
        );
        let outputs = anchor.outputs.into_iter().zip(types);
        let outputs = outputs
            .map(|(output, ty)| Output { ty, ..output })
            .collect();
        Ok(Bound {
            sql,
            outputs,
            single_row: false,
        })
    }
}

impl Item {
    fn of_column(found: crate::expr::bind::Found) -> Self {
        let mut origin = found.origin;
        if found.node.ty.nullable {
            origin.flags &= !1;
        }
        Self {
            name: origin.name.clone(),
            node: found.node,
            origin,
            has_alias: false,
        }
    }
}

fn outputs(items: Vec<Item>, wanted: Wanted<'_>) -> Vec<Output> {
    let mut outputs = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        outputs.push(match wanted.and_then(|types| types.get(index)) {
            Some(ty) => Output {
                origin: result_column(&item.name, ty),
                name: item.name,
                ty: ty.clone(),
            },
            None => Output {
                name: item.name,
                ty: item.node.ty,
                origin: item.origin,
            },
        });
    }
    outputs
}

fn refuse(select: &Select, query: Option<&Query>) -> Result<(), SqlError> {
    if select.into.is_some() {
        return unsupported("SELECT ... INTO");
    }
    if !select.named_window.is_empty() {
        return unsupported("window functions");
    }
    if select.qualify.is_some() || !select.lateral_views.is_empty() || select.top.is_some() {
        return Err(SqlError::syntax_error());
    }
    if query.is_some_and(|query| query.fetch.is_some()) {
        return Err(SqlError::syntax_error());
    }
    Ok(())
}

/// Whether a query reads a table of this name anywhere.
fn mentions(query: &Query, name: &str) -> bool {
    let text = query.to_string().to_lowercase();
    let name = name.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == name)
}
