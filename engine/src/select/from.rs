//! FROM: tables, derived tables, joins.

use std::sync::Arc;

use sqlparser::ast::{
    Ident, Join, JoinConstraint, JoinOperator, ObjectName, Query, TableAlias, TableFactor,
    TableWithJoins,
};

use super::index_hint;
use super::metadata::{column_origin, kind_of_result_column, origin_of};
use super::query::Bound;
use crate::catalog::Table;
use crate::expr::bind::{
    Binder, Found, Place, Relation, Scope, ScopeColumn, same_name, unsupported,
};
use crate::expr::node::{ColumnRef, Comparison, Leaf, Node, Op};
use crate::expr::sqlite::Rows;
use crate::expr::types::Type;
use sql::error::SqlError;

/// A common table expression in scope.
#[derive(Debug, Clone)]
pub struct Cte {
    /// Its name.
    pub name: String,
    /// Names of its columns, if given.
    pub columns: Vec<String>,
    /// The query; `None` while a recursive one is being bound.
    pub query: Option<Arc<Query>>,
    /// How many expressions were in scope where it was defined.
    pub visible: usize,
    /// For a recursive one being bound: its SQLite name and output columns.
    pub recursive: Option<(String, Vec<(String, Type)>)>,
    /// WITH RECURSIVE.
    pub is_recursive: bool,
}

impl Binder<'_> {
    /// Binds FROM into `scope`; returns SQLite's text, empty when there are no tables.
    pub(super) fn from(
        &mut self,
        tables: &[TableWithJoins],
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let mut parts = Vec::with_capacity(tables.len());
        for table in tables {
            if is_dual(&table.relation) && table.joins.is_empty() {
                continue;
            }
            parts.push(self.table_with_joins(table, scope)?);
        }
        Ok(parts.join(", "))
    }

    fn table_with_joins(
        &mut self,
        table: &TableWithJoins,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let first = scope.relations.len();
        let mut sql = self.table_factor(&table.relation, scope)?;
        for join in &table.joins {
            sql = self.join(sql, join, first, scope)?;
        }
        Ok(sql)
    }

    fn join(
        &mut self,
        left: String,
        join: &Join,
        first: usize,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let middle = scope.relations.len();
        let right = self.table_factor(&join.relation, scope)?;
        let (word, constraint) = match &join.join_operator {
            JoinOperator::Join(constraint)
            | JoinOperator::Inner(constraint)
            | JoinOperator::CrossJoin(constraint)
            | JoinOperator::StraightJoin(constraint) => ("JOIN", constraint),
            JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                ("LEFT JOIN", constraint)
            }
            JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint) => {
                ("RIGHT JOIN", constraint)
            }
            _ => return unsupported("this kind of join"),
        };
        let condition = match constraint {
            JoinConstraint::On(expr) => {
                let place = Place::ON;
                let own = std::mem::take(&mut scope.merged);
                let node = self.bind(expr, scope, place);
                scope.merged = own;
                Some(node?)
            }
            JoinConstraint::Using(names) => {
                let names = names.iter().filter_map(last_ident).collect::<Vec<_>>();
                self.using(&names, first, middle, word, scope)?
            }
            JoinConstraint::Natural => {
                let names = common_names(scope, first, middle);
                self.using(&names, first, middle, word, scope)?
            }
            JoinConstraint::None => None,
        };
        let outer = match word {
            "LEFT JOIN" => middle..scope.relations.len(),
            "RIGHT JOIN" => first..middle,
            _ => 0..0,
        };
        for relation in scope.relations.get_mut(outer).unwrap_or_default() {
            relation.set_nullable();
        }
        let on = match condition {
            Some(node) => format!(" ON {}", self.emitter.truth(&node)?),
            None if word == "JOIN" => String::new(),
            None => return Err(SqlError::syntax_error()),
        };
        Ok(format!("{left} {word} {right}{on}"))
    }

    /// The condition of USING and NATURAL; the columns become one in `*` and unqualified names.
    fn using(
        &mut self,
        names: &[Ident],
        first: usize,
        middle: usize,
        word: &str,
        scope: &mut Scope<'_>,
    ) -> Result<Option<Node>, SqlError> {
        let mut all = Vec::with_capacity(names.len());
        for name in names {
            let before = find_column(scope, first..middle, name, "from clause")?;
            let after = find_column(scope, middle..scope.relations.len(), name, "from clause")?;
            let (left, right) = (before.node, after.node);
            all.push(self.compare_nodes(Comparison::Equal, left.clone(), right.clone())?);
            let (node, mut origin) = if word == "RIGHT JOIN" {
                (right, after.origin)
            } else {
                (left, before.origin)
            };
            origin.name.clone_from(&name.value);
            scope
                .merged
                .retain(|(merged, ..)| !same_name(merged, &name.value));
            scope.merged.push((name.value.clone(), node, origin));
        }
        let nullable = all.iter().any(|node| node.ty.nullable);
        Ok((!all.is_empty()).then(|| Node::boolean(Op::And(all), nullable)))
    }

    fn table_factor(
        &mut self,
        factor: &TableFactor,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        match factor {
            TableFactor::Table {
                name,
                alias,
                args: None,
                partitions,
                index_hints,
                ..
            } => {
                if !partitions.is_empty() {
                    return unsupported("PARTITION");
                }
                let from = self.named_table(name, alias.as_ref(), scope)?;
                index_hint::check(self, name, alias.as_ref(), index_hints)?;
                Ok(from)
            }
            TableFactor::Derived {
                lateral,
                subquery,
                alias,
                ..
            } => {
                if *lateral {
                    return unsupported("LATERAL");
                }
                let Some(alias) = alias else {
                    return Err(SqlError::derived_must_have_alias());
                };
                let parent = scope.parent;
                let bound = self.query(subquery, parent)?;
                let names = alias
                    .columns
                    .iter()
                    .map(|column| column.name.value.clone())
                    .collect();
                self.derived(&bound, &alias.name.value, names, scope)
            }
            TableFactor::NestedJoin {
                table_with_joins,
                alias: None,
            } => Ok(format!(
                "({})",
                self.table_with_joins(table_with_joins, scope)?
            )),
            TableFactor::JsonTable { .. } => unsupported("JSON_TABLE"),
            other => unsupported(&other.to_string()),
        }
    }

    fn named_table(
        &mut self,
        name: &ObjectName,
        alias: Option<&TableAlias>,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let (database, table) = split_name(name)?;
        let shown = alias.map_or(table.as_str(), |alias| alias.name.value.as_str());
        if database.is_none()
            && let Some(position) = self
                .ctes
                .iter()
                .rposition(|cte| same_name(&cte.name, &table))
        {
            return self.common_table(position, shown, scope);
        }
        let database = match database {
            Some(database) => database,
            None => self.session.require_database()?.to_owned(),
        };
        let qualifier = alias.is_none().then(|| database.clone());
        if self.session.virtual_tables.has_database(&database) {
            return self.virtual_table(&database, &table, shown, qualifier, scope);
        }
        self.session.virtual_tables.check_read(&database, &table)?;
        let table = Arc::clone(self.catalog.table(&database, &table)?);
        if self.session.refused_tables.contains(table.id) {
            return Err(SqlError::check_read(&table.name));
        }
        let sql_alias = self.alias('t');
        let number = scope.relations.len();
        check_unique(scope, shown, &database)?;
        scope
            .relations
            .push(base_relation(&table, shown, &sql_alias, number, qualifier));
        Ok(format!("{} AS {sql_alias}", table.sqlite_name()))
    }

    fn common_table(
        &mut self,
        position: usize,
        shown: &str,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let Some(cte) = self.ctes.get(position).cloned() else {
            return Err(SqlError::unknown_error());
        };
        if let Some((sql_name, columns)) = &cte.recursive {
            let sql_alias = self.alias('d');
            let outputs = columns.iter().map(|(name, ty)| (name.as_str(), ty.clone()));
            let relation = derived_relation(outputs, shown, &sql_alias, &[]);
            scope.relations.push(relation);
            return Ok(format!("{sql_name} AS {sql_alias}"));
        }
        let Some(query) = cte.query.clone() else {
            return Err(SqlError::unknown_error());
        };
        let inner = self.ctes.split_off(cte.visible);
        let bound = if cte.is_recursive {
            self.recursive(&cte, &query)
        } else {
            self.query(&query, None)
        };
        self.ctes.truncate(cte.visible);
        self.ctes.extend(inner);
        self.derived(&bound?, shown, cte.columns, scope)
    }

    /// A query in FROM under an alias.
    fn derived(
        &mut self,
        bound: &Bound,
        shown: &str,
        names: Vec<String>,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        if !names.is_empty() && names.len() != bound.outputs.len() {
            return Err(SqlError::new(
                1353,
                "HY000",
                "In definition of view, derived table or common table expression, SELECT list and \
                 column names list have different column counts",
            ));
        }
        check_unique(scope, shown, "")?;
        let sql_alias = self.alias('d');
        let named = bound.outputs.iter().enumerate().map(|(index, output)| {
            let name = names
                .get(index)
                .map_or(output.name.as_str(), String::as_str);
            (name, output.ty.clone())
        });
        let origins: Vec<_> = bound
            .outputs
            .iter()
            .map(|output| output.origin.clone())
            .collect();
        let relation = derived_relation(named, shown, &sql_alias, &origins);
        for (index, column) in relation.columns.iter().enumerate() {
            let earlier = relation.columns.get(..index).unwrap_or_default();
            if earlier
                .iter()
                .any(|other| same_name(&other.name, &column.name))
            {
                return Err(SqlError::dup_fieldname(&column.name));
            }
        }
        scope.relations.push(relation);
        Ok(format!("({}) AS {sql_alias}", bound.sql))
    }

    fn virtual_table(
        &mut self,
        database: &str,
        name: &str,
        shown: &str,
        qualifier: Option<String>,
        scope: &mut Scope<'_>,
    ) -> Result<String, SqlError> {
        let Some(table) = self.session.virtual_tables.table(database, name) else {
            let lower = database.to_ascii_lowercase();
            return Err(if lower == "information_schema" {
                SqlError::unknown_table(name, "information_schema")
            } else {
                SqlError::no_such_table(lower, name)
            });
        };
        let number = self.emitter.program.tables.len();
        let sql_alias = self.alias('v');
        let types: Vec<Type> = table.columns.iter().map(kind_of_result_column).collect();
        let columns = table
            .columns
            .iter()
            .zip(&types)
            .enumerate()
            .map(|(index, (column, ty))| {
                let leaf = Leaf {
                    column: Some(ColumnRef {
                        table: scope.relations.len(),
                        position: index,
                        label: column.name.clone(),
                    }),
                    ..Leaf::computed(format!("{sql_alias}.o{index}"))
                };
                ScopeColumn {
                    name: column.name.clone(),
                    node: Node {
                        op: Op::Leaf(Box::new(leaf)),
                        ty: ty.clone(),
                    },
                    origin: column.clone(),
                    hidden: false,
                }
            });
        let relation = Relation {
            alias: shown.to_owned(),
            database: qualifier,
            columns: columns.collect(),
            unique_keys: Vec::new(),
            caseless: true,
        };
        let rows = table.rows.iter().map(|row| {
            let cells = row.iter().map(|value| self.outside(value));
            cells.collect()
        });
        let rows = rows.collect();
        self.emitter.program.tables.push(Rows { types, rows });
        let cells: Vec<String> = (0..relation.columns.len())
            .map(|index| format!("my_rows({number},i,{index}) AS o{index}"))
            .collect();
        scope.relations.push(relation);
        Ok(format!(
            "(WITH RECURSIVE n(i) AS (SELECT 0 WHERE my_rows({number})>0 UNION ALL SELECT i+1 FROM n \
             WHERE i+1<my_rows({number})) SELECT {} FROM n) AS {sql_alias}",
            cells.join(",")
        ))
    }
}

/// The relation of a base table: its columns as leaves.
pub(crate) fn base_relation(
    table: &Arc<Table>,
    shown: &str,
    sql_alias: &str,
    number: usize,
    database: Option<String>,
) -> Relation {
    let columns = table.columns.iter().enumerate().map(|(position, column)| {
        let ty = Type::of_column(column);
        let label = format!("`{}`.`{shown}`.`{}`", table.database, column.name);
        let leaf = Leaf {
            sql: format!("{sql_alias}.{}", column.sqlite_name()),
            native_collation: Some(column.column_type.stored_collation()),
            column: Some(ColumnRef {
                table: number,
                position,
                label,
            }),
            aggregate: false,
        };
        ScopeColumn {
            name: column.name.clone(),
            node: Node {
                op: Op::Leaf(Box::new(leaf)),
                ty,
            },
            origin: column_origin(table, position, shown),
            hidden: column.invisible,
        }
    });
    let not_null = |positions: &[usize]| {
        positions.iter().all(|at| {
            table
                .columns
                .get(*at)
                .is_some_and(|column| !column.nullable)
        })
    };
    let keys = table.unique_keys().map(|key| table.key_positions(key));
    Relation {
        alias: shown.to_owned(),
        database,
        columns: columns.collect(),
        unique_keys: keys.filter(|positions| not_null(positions)).collect(),
        caseless: false,
    }
}

fn derived_relation<'n>(
    outputs: impl Iterator<Item = (&'n str, Type)>,
    shown: &str,
    sql_alias: &str,
    origins: &[crate::outcome::ResultColumn],
) -> Relation {
    let columns = outputs.enumerate().map(|(index, (name, mut ty))| {
        // Of a hexadecimal literal the bytes alone are left.
        ty.is_hex = false;
        let label = format!("`{shown}`.`{name}`");
        let leaf = Leaf {
            column: Some(ColumnRef {
                table: usize::MAX,
                position: index,
                label,
            }),
            ..Leaf::computed(format!("{sql_alias}.o{index}"))
        };
        ScopeColumn {
            name: name.to_owned(),
            node: Node {
                op: Op::Leaf(Box::new(leaf)),
                ty: ty.clone(),
            },
            origin: origin_of(name, &ty, shown, origins.get(index)),
            hidden: false,
        }
    });
    Relation {
        alias: shown.to_owned(),
        database: None,
        columns: columns.collect(),
        unique_keys: Vec::new(),
        caseless: false,
    }
}

fn check_unique(scope: &Scope<'_>, shown: &str, database: &str) -> Result<(), SqlError> {
    let taken = scope.relations.iter().any(|relation| {
        relation.alias == shown
            && relation
                .database
                .as_deref()
                .is_none_or(|own| own == database || database.is_empty())
    });
    if taken {
        Err(SqlError::nonuniq_table(shown))
    } else {
        Ok(())
    }
}

/// The database and table of a name. Error 1064 for more than two parts.
pub(crate) fn split_name(name: &ObjectName) -> Result<(Option<String>, String), SqlError> {
    let parts: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
    match parts.as_slice() {
        [table] => Ok((None, table.value.clone())),
        [database, table] => Ok((Some(database.value.clone()), table.value.clone())),
        _ => Err(SqlError::syntax_error()),
    }
}

fn is_dual(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Table { name, alias: None, .. }
        if name.to_string().eq_ignore_ascii_case("dual"))
}

fn last_ident(name: &ObjectName) -> Option<Ident> {
    name.0.last()?.as_ident().cloned()
}

fn find_column(
    scope: &Scope<'_>,
    range: std::ops::Range<usize>,
    name: &Ident,
    clause: &str,
) -> Result<Found, SqlError> {
    let relations = scope.relations.get(range).unwrap_or_default();
    if let Some((_, node, origin)) = scope
        .merged
        .iter()
        .find(|(merged, ..)| same_name(merged, &name.value))
        && relations
            .iter()
            .filter(|relation| relation.column(&name.value).is_some())
            .count()
            > 1
    {
        return Ok(Found {
            node: node.clone(),
            origin: origin.clone(),
        });
    }
    let mut found = relations
        .iter()
        .filter_map(|relation| relation.column(&name.value));
    match (found.next(), found.next()) {
        (Some(column), None) => Ok(Found {
            node: column.node.clone(),
            origin: column.origin.clone(),
        }),
        (Some(_), Some(_)) => Err(SqlError::non_uniq(&name.value, clause)),
        _ => Err(SqlError::bad_field(&name.value, clause)),
    }
}

fn common_names(scope: &Scope<'_>, first: usize, middle: usize) -> Vec<Ident> {
    let left = scope.relations.get(first..middle).unwrap_or_default();
    let right = scope.relations.get(middle..).unwrap_or_default();
    let columns = left.iter().flat_map(|relation| &relation.columns);
    let shared = columns.filter(|column| {
        !column.hidden
            && right
                .iter()
                .any(|relation| relation.column(&column.name).is_some())
    });
    let mut names: Vec<Ident> = Vec::new();
    for column in shared {
        if !names
            .iter()
            .any(|name| same_name(&name.value, &column.name))
        {
            names.push(Ident::new(column.name.clone()));
        }
    }
    names
}
