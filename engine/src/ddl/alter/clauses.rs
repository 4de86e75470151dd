//! The clauses of ALTER TABLE, applied to a definition.

use super::{Extra, columns, convert, key_clauses, qualified};
use crate::catalog::{Catalog, ColumnDefault, ColumnId, Table};
use crate::collation::Collation;
use crate::ddl::partitions::{self, Definer};
use crate::ddl::{checks, foreign_keys, options};
use crate::session::SessionContext;
use std::sync::Arc;

use sql::ast::AlterClause;
use sql::error::SqlError;

/// Applies the clauses: what concerns the table as a whole, then dropped keys, columns, and new keys.
/// `default` is what CONVERT TO CHARACTER SET DEFAULT means. Returns the columns in which a new primary
/// key forbids NULL.
pub(super) fn apply(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clauses: &[AlterClause],
    (catalog, default): (&Arc<Catalog>, &'static Collation),
) -> Result<Vec<ColumnId>, SqlError> {
    for clause in clauses {
        apply_to_table(session, table, extra, clause)?;
    }
    key_clauses::change(table, clauses)?;
    let old = table.clone();
    let defined = columns::apply(session, table, clauses)?;
    let redefined: Vec<_> = defined.iter().map(|column| column.id).collect();
    for clause in clauses {
        if let AlterClause::ConvertToCharset(charset) = clause {
            let collation = options::converted(session, &old, charset, default)?;
            convert::columns(&old, table, &redefined, collation)?;
        }
    }
    key_clauses::inherit(&old, table)?;
    foreign_keys::forget_dropped(table);
    checks::follow_columns(session, &old, table)?;
    let forbidden = key_clauses::add(session, catalog, table, clauses, &defined)?;
    checks::add_of_clauses(session, table, clauses)?;
    for clause in clauses {
        if let AlterClause::Partitioning(clause) = clause {
            Definer { session, catalog }.alter(table, clause)?;
        }
    }
    partitions::check_columns(session, table)?;
    match clauses.iter().any(|clause| is_hidden(table, clause)) && !session.applies_log {
        true => Err(SqlError::not_supported(
            "SET DEFAULT of an expression for a column of the primary key",
        )),
        false => Ok(forbidden),
    }
}

/// Whether a clause gives a column of the primary key an expression as default: MySQL uses it, but shows
/// the column without one, and so do dumps.
fn is_hidden(table: &Table, clause: &AlterClause) -> bool {
    let AlterClause::AlterColumnDefault { column, .. } = clause else {
        return false;
    };
    let found = table.column(column).map(|(_, column)| column);
    let expression = found.filter(|column| matches!(column.default, ColumnDefault::Expression(_)));
    let keyed = table.primary_key().map(|key| &key.parts);
    expression.is_some_and(|column| {
        keyed.is_some_and(|parts| parts.iter().any(|part| part.column == column.id))
    })
}

fn apply_to_table(
    session: &mut SessionContext,
    table: &mut Table,
    extra: &mut Extra,
    clause: &AlterClause,
) -> Result<(), SqlError> {
    match clause {
        AlterClause::RenameTable(name) => {
            // A name alone means the session's database, wherever the table is.
            let (database, name) = qualified(name, session)?;
            extra.rename = Some((database.to_owned(), name.to_owned()));
        }
        AlterClause::Options(written) => {
            extra.auto_increment = written.auto_increment.or(extra.auto_increment);
            extra.forces_rebuild |= written.engine.is_some();
            options::apply(session, table, written)?;
        }
        AlterClause::Force | AlterClause::OrderBy(_) => extra.forces_rebuild = true,
        AlterClause::AddForeignKey(_) if !session.applies_log => {
            return Err(SqlError::not_supported("FOREIGN KEY"));
        }
        AlterClause::AddCheck(_) | AlterClause::AlterCheck { .. } if !session.applies_log => {
            return Err(SqlError::not_supported("CHECK constraint"));
        }
        AlterClause::Partitioning(_) if !session.applies_log => {
            return Err(SqlError::not_supported("ALTER TABLE ... PARTITION"));
        }
        AlterClause::NotSupported(construct) => return Err(SqlError::not_supported(construct)),
        AlterClause::AlterCheck { name, enforced } => checks::enforce(table, name, *enforced)?,
        AlterClause::Partitioning(_)
        | AlterClause::AddForeignKey(_)
        | AlterClause::AddCheck(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
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
