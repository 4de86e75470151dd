//! The table a statement writes to.

use std::sync::Arc;

use sqlparser::ast::{
    Assignment, AssignmentTarget, Expr, Ident, ObjectName, TableFactor, TableWithJoins,
};

use crate::catalog::{Column, Table};
use crate::expr::bind::{Binder, Scope, same_name, unsupported};
use crate::select::{base_relation, split_name};
use sql::error::SqlError;

/// A table and how a statement calls it.
pub(super) struct Target {
    pub(super) table: Arc<Table>,
    /// Its alias in the statement.
    pub(super) shown: String,
    /// Its alias in SQLite's text.
    pub(super) sql_alias: String,
    /// Its database, when columns may be qualified by it.
    pub(super) database: Option<String>,
}

impl Target {
    pub(super) fn of_name(
        binder: &mut Binder<'_>,
        name: &ObjectName,
        alias: Option<&Ident>,
    ) -> Result<Self, SqlError> {
        let (database, table) = split_name(name)?;
        let database = match database {
            Some(database) => database,
            None => binder.session.require_database()?.to_owned(),
        };
        if binder.session.virtual_tables.has_database(&database) {
            let session = binder.session;
            return Err(SqlError::db_access_denied(
                &session.user,
                &session.host,
                database,
            ));
        }
        let table = Arc::clone(binder.catalog.table(&database, &table)?);
        crate::ddl::check_write(binder.session, binder.catalog, &table)?;
        let shown = alias.map_or_else(|| table.name.clone(), |alias| alias.value.clone());
        let sql_alias = binder.alias('t');
        Ok(Self {
            table,
            shown,
            sql_alias,
            database: alias.is_none().then_some(database),
        })
    }

    /// The only table of UPDATE or DELETE. Error 1235 for several.
    pub(super) fn single(
        binder: &mut Binder<'_>,
        tables: &[TableWithJoins],
        statement: &str,
    ) -> Result<Self, SqlError> {
        let [TableWithJoins { relation, joins }] = tables else {
            return unsupported(&format!("multi-table {statement}"));
        };
        match relation {
            TableFactor::Table {
                name,
                alias,
                partitions,
                ..
            } if joins.is_empty() => {
                if !partitions.is_empty() {
                    return unsupported("PARTITION");
                }
                Self::of_name(binder, name, alias.as_ref().map(|alias| &alias.name))
            }
            _ => unsupported(&format!("multi-table {statement}")),
        }
    }

    /// A scope in which only this table is known, as relation number 0.
    pub(super) fn scope(&self) -> Scope<'static> {
        let relation = base_relation(
            &self.table,
            &self.shown,
            &self.sql_alias,
            0,
            self.database.clone(),
        );
        Scope {
            relations: vec![relation],
            ..Scope::default()
        }
    }

    /// The position and column that an assignment sets. Error 1054 for an unknown one.
    pub(super) fn assigned<'t>(
        &'t self,
        assignment: &Assignment,
    ) -> Result<(usize, &'t Column), SqlError> {
        let AssignmentTarget::ColumnName(name) = &assignment.target else {
            return Err(SqlError::syntax_error());
        };
        let path: Vec<&Ident> = name.0.iter().filter_map(|part| part.as_ident()).collect();
        let unknown = || {
            let full: Vec<&str> = path.iter().map(|ident| ident.value.as_str()).collect();
            SqlError::bad_field(full.join("."), "field list")
        };
        let Some((column, qualifiers)) = path.split_last() else {
            return Err(unknown());
        };
        let fits = match qualifiers {
            [] => true,
            [table] => table.value == self.shown,
            [database, table] => {
                table.value == self.shown && Some(&database.value) == self.database.as_ref()
            }
            _ => false,
        };
        let found = self.table.column(&column.value).filter(|_| fits);
        let (position, column) = found.ok_or_else(unknown)?;
        if column.generated.is_some() && !is_default(&assignment.value) {
            return Err(SqlError::non_default_value_for_generated_column(
                &column.name,
                &self.table.name,
            ));
        }
        Ok((position, column))
    }
}

/// Whether an expression is the bare word DEFAULT.
pub(super) fn is_default(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(ident)
        if ident.quote_style.is_none() && same_name(&ident.value, "default"))
}
