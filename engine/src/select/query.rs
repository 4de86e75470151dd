//! Queries: SELECT, UNION and their like become one SQLite text with typed outputs.

use std::sync::Arc;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, LimitClause, Query, Select, SelectItem,
    SelectItemQualifiedWildcardKind, SetExpr, Value, With,
};

use super::from::Cte;
use super::metadata::result_column;
use super::naming;
use crate::expr::bind::{Binder, Place, Scope, unsupported};
use crate::expr::node::{Node, Op};
use crate::expr::types::{Kind, Type};
use crate::outcome::ResultColumn;
use crate::value::datum::{Datum, Integer};
use sql::SqlMode;
use sql::error::SqlError;

/// One column of a query.
#[derive(Debug, Clone)]
pub struct Output {
    /// Its name.
    pub name: String,
    /// Its type.
    pub ty: Type,
    /// Its metadata.
    pub origin: ResultColumn,
    /// Whether it is a column as it is, and not computed.
    pub is_field: bool,
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

/// What stands behind a select list, bound.
struct Clauses {
    from: String,
    condition: Option<Node>,
    groups: Vec<Node>,
    having: Option<Node>,
    orders: Vec<(Node, bool)>,
    aggregated: bool,
}

/// What a select list must become: the common types of a UNION.
pub(super) type Wanted<'w> = Option<&'w [Type]>;

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

    /// One SELECT; `query` brings its ORDER BY and LIMIT.
    pub(super) fn select(
        &mut self,
        select: &Select,
        query: Option<&Query>,
        parent: Option<&Scope<'_>>,
        wanted: Wanted<'_>,
    ) -> Result<Bound, SqlError> {
        refuse(select, query)?;
        self.check_found_rows(select)?;
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
        let is_one_row = aggregated && groups.is_empty();
        if distinct && !is_one_row && self.session.sql_mode.contains(SqlMode::ONLY_FULL_GROUP_BY) {
            super::distinct::check(&items, &orders)?;
        }
        let clauses = Clauses {
            from,
            condition,
            groups,
            having,
            orders,
            aggregated,
        };
        let mut sql = self.select_list(&items, distinct, wanted)?;
        self.clauses(&clauses, query, &mut sql)?;
        let single_row = clauses.from.is_empty() || aggregated && clauses.groups.is_empty();
        let outputs = outputs(items, wanted);
        Ok(Bound {
            sql,
            outputs,
            single_row,
        })
    }

    /// FROM and everything behind it.
    fn clauses(
        &mut self,
        clauses: &Clauses,
        query: Option<&Query>,
        sql: &mut String,
    ) -> Result<(), SqlError> {
        if !clauses.from.is_empty() {
            sql.push_str(" FROM ");
            sql.push_str(&clauses.from);
        }
        let conditions = match (&clauses.having, clauses.aggregated) {
            (Some(having), false) => [clauses.condition.as_ref(), Some(having)],
            _ => [clauses.condition.as_ref(), None],
        };
        let mut separator = " WHERE ";
        for node in conditions.into_iter().flatten() {
            sql.push_str(separator);
            sql.push_str(&self.emitter.truth(node)?);
            separator = " AND ";
        }
        if !clauses.groups.is_empty() {
            let texts: Result<Vec<_>, _> = clauses
                .groups
                .iter()
                .map(|node| self.emitter.collated(node))
                .collect();
            sql.push_str(" GROUP BY ");
            sql.push_str(&texts?.join(","));
        }
        if let (Some(having), true) = (&clauses.having, clauses.aggregated) {
            sql.push_str(" HAVING ");
            sql.push_str(&self.emitter.truth(having)?);
        }
        if let Some(order) = self.order_text(&clauses.orders)? {
            sql.push_str(" ORDER BY ");
            sql.push_str(&order);
        }
        if let Some(limit) = self.limit(query.and_then(|query| query.limit_clause.as_ref()))? {
            sql.push_str(&limit);
        }
        Ok(())
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
        let (Some(limit), offset) = limit_parts(clause)? else {
            return Ok(None);
        };
        let limit = self.row_count(limit)?;
        let mut sql = format!(" LIMIT {limit}");
        if let Some(offset) = offset {
            let offset = self.row_count(offset)?;
            sql.push_str(" OFFSET ");
            sql.push_str(&offset);
        }
        Ok(Some(sql))
    }

    /// The numbers of LIMIT and OFFSET.
    pub(super) fn limits(
        &mut self,
        clause: Option<&LimitClause>,
    ) -> Result<Option<(u64, u64)>, SqlError> {
        let (Some(limit), offset) = limit_parts(clause)? else {
            return Ok(None);
        };
        let limit = self.row_number(limit)?;
        let offset = offset.map_or(Ok(0), |offset| self.row_number(offset))?;
        let number = |number: i64| u64::try_from(number).unwrap_or(0);
        Ok(Some((number(limit), number(offset))))
    }

    pub(crate) fn row_count(&mut self, expr: &Expr) -> Result<String, SqlError> {
        let number = self.row_number(expr)?;
        Ok(self
            .emitter
            .parameter(rusqlite::types::Value::Integer(number)))
    }

    fn row_number(&mut self, expr: &Expr) -> Result<i64, SqlError> {
        let node = self.bind(expr, &Scope::default(), Place::SELECT)?;
        let value = match node.as_const() {
            Some(value) if is_parameter(expr) => counted(value)?,
            Some(value) if node.ty.kind == Kind::Integer => value.to_integer().value,
            _ => return Err(SqlError::syntax_error()),
        };
        // Beyond the range of SQLite's rows there is nothing to cut.
        Ok(value.saturate())
    }
}

/// The `?` of a prepared statement.
fn is_parameter(expr: &Expr) -> bool {
    matches!(expr, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)))
}

/// The number of rows that a parameter says, by MySQL's rule: an integer, the integer that a
/// text begins with, or none for NULL.
fn counted(value: &Datum) -> Result<Integer, SqlError> {
    let count = match value {
        Datum::Null => Integer::Signed(0),
        Datum::Int(_) | Datum::UInt(_) => value.to_integer().value,
        Datum::Text(bytes) => {
            let text = String::from_utf8_lossy(bytes);
            let text = text.trim_start();
            let end = text
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(text.len());
            let digits = text.get(..end).unwrap_or_default();
            Integer::Unsigned(digits.parse().unwrap_or(0))
        }
        _ => return Err(SqlError::wrong_arguments("mysqld_stmt_execute")),
    };
    if count.wide() < 0 {
        let text = "SIGNED INTEGER value is out of range in 'mysqld_stmt_execute'";
        return Err(SqlError::new(1690, "22003", text));
    }
    Ok(count)
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
                is_field: true,
            },
            None => Output {
                name: item.name,
                is_field: item.node.is_field(),
                ty: item.node.ty,
                origin: item.origin,
            },
        });
    }
    outputs
}

/// What stands behind LIMIT and OFFSET.
fn limit_parts(clause: Option<&LimitClause>) -> Result<(Option<&Expr>, Option<&Expr>), SqlError> {
    match clause {
        None => Ok((None, None)),
        Some(LimitClause::LimitOffset {
            limit,
            offset,
            limit_by,
        }) if limit_by.is_empty() => {
            Ok((limit.as_ref(), offset.as_ref().map(|offset| &offset.value)))
        }
        Some(LimitClause::OffsetCommaLimit { offset, limit }) => Ok((Some(limit), Some(offset))),
        Some(LimitClause::LimitOffset { .. }) => Err(SqlError::syntax_error()),
    }
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
