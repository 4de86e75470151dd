//! The clauses of ALTER TABLE, applied to a definition.

use super::{Extra, columns, key_clauses, qualified};
use crate::catalog::{Key, Table};
use crate::collation::Collation;
use crate::ddl::options;
use crate::ddl::types::{Defaults, resolve_collation};
use crate::session::SessionContext;
use sql::ast::{AlterClause, CharsetSpec};
use sql::error::SqlError;

/// Applies the clauses: what concerns the table as a whole, then dropped keys, columns, and new keys.
/// `default` is what CONVERT TO CHARACTER SET DEFAULT means.
pub(super) fn apply(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clauses: &[AlterClause],
    default: &'static Collation,
) -> Result<(), SqlError> {
    // Rows that lie by a key stay so: MySQL passes over the order then.
    let is_ordered = is_clustered(table);
    for clause in clauses {
        apply_to_table(session, table, extra, clause, default)?;
    }
    key_clauses::change(table, clauses)?;
    let defined = columns::apply(session, table, clauses)?;
    key_clauses::add(table, clauses, &defined)?;
    for clause in clauses {
        if let AlterClause::OrderBy(names) = clause
            && !is_ordered
        {
            let clause = "order clause";
            let mut names = names.iter();
            names.try_for_each(|name| table.require_column(name, clause).map(drop))?;
        }
    }
    Ok(())
}

fn apply_to_table(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clause: &AlterClause,
    default: &'static Collation,
) -> Result<(), SqlError> {
    match clause {
        AlterClause::RenameTable(name) => {
            let (database, name) = match &name.database {
                Some(_) => qualified(name, session)?,
                None => (table.database.as_str(), name.name.as_str()),
            };
            extra.rename = Some((database.to_owned(), name.to_owned()));
        }
        AlterClause::Options(written) => {
            extra.auto_increment = written.auto_increment.or(extra.auto_increment);
            extra.forces_rebuild |= written.engine.is_some();
            options::apply(session, table, written)?;
        }
        AlterClause::ConvertToCharset(charset) => {
            let collation = converted(session, table, charset, default)?;
            convert(table, collation);
        }
        AlterClause::Force | AlterClause::OrderBy(_) => extra.forces_rebuild = true,
        AlterClause::AddForeignKey(_) => return Err(SqlError::not_supported("FOREIGN KEY")),
        AlterClause::AddCheck(_) | AlterClause::AlterCheck { .. } => {
            return Err(SqlError::not_supported("CHECK constraint"));
        }
        AlterClause::NotSupported(construct) => return Err(SqlError::not_supported(construct)),
        AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::AddColumn { .. }
        | AlterClause::Modify { .. }
        | AlterClause::Change { .. }
        | AlterClause::DropColumn(_)
        | AlterClause::RenameColumn { .. }
        | AlterClause::AlterColumnDefault { .. }
        | AlterClause::AlterColumnVisibility { .. }
        | AlterClause::AddIndex(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::RenameIndex { .. } => {}
    }
    Ok(())
}

/// The collation that CONVERT TO says; CHARACTER SET DEFAULT means that of the session's default
/// database, wherever the table is.
fn converted(
    session: &SessionContext,
    table: &Table,
    charset: &CharsetSpec,
    default: &'static Collation,
) -> Result<&'static Collation, SqlError> {
    let written = match (&charset.charset, &charset.collation) {
        // A collation beside DEFAULT must be one of its character set.
        (None, Some(_)) => &CharsetSpec {
            charset: Some(default.charset.name().to_owned()),
            ..charset.clone()
        },
        _ => charset,
    };
    let default = match charset.charset {
        Some(_) => table.collation,
        None => default,
    };
    resolve_collation(written, None, Defaults::new(session, default))
}

/// Whether rows lie by a key: the primary one, or a unique one of whole columns without NULL.
fn is_clustered(table: &Table) -> bool {
    let is_whole = |key: &Key| {
        key.parts.iter().all(|part| {
            let column = table.column_by_id(part.column);
            part.prefix.is_none() && column.is_some_and(|(_, column)| !column.nullable)
        })
    };
    table.unique_keys().any(is_whole)
}

fn convert(table: &mut Table, collation: &'static Collation) {
    table.collation = collation;
    for column in &mut table.columns {
        column.column_type = column.column_type.clone().with_collation(collation);
        column.has_explicit_collation = false;
    }
}
