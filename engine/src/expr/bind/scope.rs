//! Names: which column an identifier means.
//!
//! A scope is one FROM clause; the scopes of enclosing queries are asked after it. Errors are
//! MySQL's 1052 and 1054.

use sqlparser::ast::Ident;

use crate::expr::node::{Node, Op};
use crate::outcome::ResultColumn;
use sql::error::SqlError;

/// One table, derived table or made-up table of a FROM clause.
#[derive(Debug, Clone)]
pub struct Relation {
    /// The name by which columns are qualified.
    pub alias: String,
    /// Database of a base table without an alias.
    pub database: Option<String>,
    /// Columns in order.
    pub columns: Vec<ScopeColumn>,
    /// Positions of the columns of each unique key without NULL (for functional dependency).
    pub unique_keys: Vec<Vec<usize>>,
    /// Whether column and table names are compared without letter case, as information_schema's.
    pub caseless: bool,
}

/// One column of a relation.
#[derive(Debug, Clone)]
pub struct ScopeColumn {
    /// Its name.
    pub name: String,
    /// Its value.
    pub node: Node,
    /// Where it comes from, for result metadata.
    pub origin: ResultColumn,
    /// Whether `*` leaves it out.
    pub hidden: bool,
}

/// The relations of one FROM clause.
#[derive(Debug, Default)]
pub struct Scope<'p> {
    /// The relations, in order.
    pub relations: Vec<Relation>,
    /// Columns merged by USING or NATURAL: name and value.
    pub merged: Vec<(String, Node, ResultColumn)>,
    /// The enclosing query's scope.
    pub parent: Option<&'p Scope<'p>>,
    /// Select aliases that expressions may name.
    pub aliases: Vec<(String, Node)>,
}

/// What a name was found to be.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its value.
    pub node: Node,
    /// Where it comes from.
    pub origin: ResultColumn,
}

impl<'p> Scope<'p> {
    /// A scope without relations inside another.
    pub fn inside(parent: Option<&'p Scope<'p>>) -> Self {
        Self {
            parent,
            ..Self::default()
        }
    }

    /// The column that a possibly qualified name means. Errors 1052 and 1054.
    pub fn column(&self, path: &[Ident], clause: &str) -> Result<Found, SqlError> {
        let mut scope = Some(self);
        let mut empty = true;
        while let Some(current) = scope {
            empty &= current.relations.is_empty();
            if let Some(found) = current.own_column(path, clause)? {
                return Ok(found);
            }
            scope = current.parent;
        }
        if let ([.., table, _], true) = (path, empty) {
            return Err(SqlError::unknown_table(&table.value, clause));
        }
        Err(SqlError::bad_field(full_name(path), clause))
    }

    /// Like [`Self::column`] but only in this scope; `None` when there is no such column here.
    pub fn own_column(&self, path: &[Ident], clause: &str) -> Result<Option<Found>, SqlError> {
        let Some((name, qualifiers)) = path.split_last() else {
            return Ok(None);
        };
        if qualifiers.is_empty()
            && let Some((_, node, origin)) = self
                .merged
                .iter()
                .find(|(merged, ..)| same_name(merged, &name.value))
        {
            return Ok(Some(Found {
                node: node.clone(),
                origin: origin.clone(),
            }));
        }
        let mut found: Option<Found> = None;
        for relation in &self.relations {
            if !relation.is_qualified_by(qualifiers) || relation.alias == super::INSERTED {
                continue;
            }
            for column in &relation.columns {
                if !same_name(&column.name, &name.value) {
                    continue;
                }
                if found.is_some() {
                    return Err(SqlError::non_uniq(full_name(path), clause));
                }
                found = Some(Found {
                    node: column.node.clone(),
                    origin: column.origin.clone(),
                });
            }
        }
        if let Some(found) = &mut found {
            // MySQL shows the name as the statement wrote it, except for system views.
            let caseless = self.relations.iter().any(|relation| relation.caseless);
            if !caseless {
                found.origin.name.clone_from(&name.value);
            }
        }
        Ok(found)
    }

    /// A select alias by name.
    pub fn alias(&self, name: &str) -> Option<&Node> {
        self.aliases
            .iter()
            .find(|(alias, _)| same_name(alias, name))
            .map(|(_, node)| node)
    }

    /// All columns that `*` or `table.*` stands for. Error 1051 for an unknown table.
    pub fn wildcard(&self, qualifiers: &[Ident]) -> Result<Vec<Found>, SqlError> {
        let mut columns = Vec::new();
        let mut known = qualifiers.is_empty();
        if qualifiers.is_empty() {
            for (_, node, origin) in &self.merged {
                columns.push(Found {
                    node: node.clone(),
                    origin: origin.clone(),
                });
            }
        }
        for relation in self
            .relations
            .iter()
            .filter(|r| r.is_qualified_by(qualifiers))
        {
            known = true;
            for column in relation.columns.iter().filter(|column| !column.hidden) {
                let merged = self
                    .merged
                    .iter()
                    .any(|(name, ..)| same_name(name, &column.name));
                if qualifiers.is_empty() && merged {
                    continue;
                }
                columns.push(Found {
                    node: column.node.clone(),
                    origin: column.origin.clone(),
                });
            }
        }
        if !known {
            return Err(SqlError::bad_table(full_name(qualifiers)));
        }
        Ok(columns)
    }

    /// The relation with this alias.
    pub fn relation(&self, alias: &str) -> Option<&Relation> {
        self.relations
            .iter()
            .find(|relation| relation.alias == alias)
    }
}

impl Relation {
    fn is_qualified_by(&self, qualifiers: &[Ident]) -> bool {
        let same = |own: &str, given: &str| {
            own == given || self.caseless && own.eq_ignore_ascii_case(given)
        };
        match qualifiers {
            [] => true,
            [table] => same(&self.alias, &table.value),
            [database, table] => {
                same(&self.alias, &table.value)
                    && self
                        .database
                        .as_deref()
                        .is_some_and(|own| same(own, &database.value))
            }
            _ => false,
        }
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&ScopeColumn> {
        self.columns
            .iter()
            .find(|column| same_name(&column.name, name))
    }

    /// Marks every column as one that can be NULL: the far side of an outer join.
    pub fn set_nullable(&mut self) {
        for column in &mut self.columns {
            column.node.ty.nullable = true;
        }
    }
}

/// Column names and aliases are compared without letter case.
pub fn same_name(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// A name as messages show it.
pub fn full_name(path: &[Ident]) -> String {
    path.iter()
        .map(|ident| ident.value.as_str())
        .collect::<Vec<_>>()
        .join(".")
}

/// Whether two nodes compute the same: both the same piece of SQLite text or equal trees.
pub fn same_node(a: &Node, b: &Node) -> bool {
    match (&a.op, &b.op) {
        (Op::Leaf(x), Op::Leaf(y)) => x.sql == y.sql,
        _ => format!("{:?}", a.op) == format!("{:?}", b.op),
    }
}
