//! Definitions that are kept as a source declared them, and have no effect here: which a statement has,
//! and what clients may not do to tables that have them.

use crate::catalog::{Catalog, ReferentialAction, Table};
use crate::session::{Acceptor, SessionContext};
use sql::ast::{
    AlterClause, ColumnDefinition, CreateTableSource, Ddl, DefaultValue, IndexDefinition,
    IndexKind, KeyPart, KeyPartTarget, PartitionClause, TableElement,
};
use sql::error::SqlError;

const FOREIGN_KEY: &str = "FOREIGN KEY not enforced";
const CHECK: &str = "CHECK not enforced";
/// Of a column that draws from a sequence of MariaDB: all else of it is kept.
const SEQUENCE: &str = "DEFAULT of a sequence";
const PARTITIONS: &str = "partitions not laid out";

/// What a statement that was executed declares and nothing here enforces, each kind once.
pub(crate) fn unenforced(statement: &Ddl, by: Acceptor) -> Vec<&'static str> {
    let mut found = Vec::new();
    match statement {
        Ddl::CreateTable(create) => {
            if let CreateTableSource::Definition {
                elements, options, ..
            } = &create.source
            {
                if options.partition.is_some() {
                    found.push(PARTITIONS);
                }
                for element in elements {
                    match element {
                        TableElement::Column(written) => column(written, by, &mut found),
                        TableElement::Index(written) => index(written, &mut found),
                        TableElement::ForeignKey(_) => found.push(FOREIGN_KEY),
                        TableElement::Check(_) => check(by, &mut found),
                    }
                }
            }
        }
        Ddl::AlterTable(alter) => {
            for clause in &alter.clauses {
                match clause {
                    AlterClause::AddForeignKey(_) => found.push(FOREIGN_KEY),
                    AlterClause::AddCheck(_) => check(by, &mut found),
                    AlterClause::AddColumn {
                        column: written, ..
                    }
                    | AlterClause::Modify {
                        column: written, ..
                    }
                    | AlterClause::Change {
                        column: written, ..
                    } => {
                        column(written, by, &mut found);
                    }
                    AlterClause::AddIndex(written) => index(written, &mut found),
                    AlterClause::AlterColumnDefault {
                        default: Some(DefaultValue::OfSequence),
                        ..
                    } => found.push(SEQUENCE),
                    AlterClause::Partitioning(PartitionClause::By(_)) => found.push(PARTITIONS),
                    _ => {}
                }
            }
        }
        Ddl::CreateIndex(create) => index(&create.index, &mut found),
        Ddl::CreateDatabase { .. }
        | Ddl::AlterDatabase { .. }
        | Ddl::DropDatabase { .. }
        | Ddl::DropTable { .. }
        | Ddl::DropView { .. }
        | Ddl::TruncateTable(_)
        | Ddl::DropIndex { .. }
        | Ddl::RenameTable(_) => {}
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn column(written: &ColumnDefinition, by: Acceptor, found: &mut Vec<&'static str>) {
    if written.attributes.references.is_some() && by.heeds_column_references() {
        found.push(FOREIGN_KEY);
    }
    if written.attributes.default == Some(DefaultValue::OfSequence) {
        found.push(SEQUENCE);
    }
    if !written.attributes.checks.is_empty() {
        check(by, found);
    }
}

fn check(by: Acceptor, found: &mut Vec<&'static str>) {
    if by.keeps_checks() {
        found.push(CHECK);
    }
}

fn index(written: &IndexDefinition, found: &mut Vec<&'static str>) {
    let is_column = |part: &KeyPart| matches!(part.target, KeyPartTarget::Column { .. });
    match written.kind {
        IndexKind::FullText => found.push("FULLTEXT index not built"),
        IndexKind::Spatial => found.push("SPATIAL index not built"),
        IndexKind::Unique if !written.parts.iter().all(is_column) => {
            found.push("UNIQUE functional index not enforced");
        }
        IndexKind::Plain if !written.parts.iter().all(is_column) => {
            found.push("functional index not built");
        }
        IndexKind::Primary | IndexKind::Unique | IndexKind::Plain => {}
    }
}

/// Error 1235 for a statement that changes rows of a table whose definition asks for more than is done
/// here. One from a log was checked by its source, but logs no cascades.
pub(crate) fn check_write(
    session: &SessionContext,
    catalog: &Catalog,
    table: &Table,
) -> Result<(), SqlError> {
    let references = catalog.references_to(&table.database, &table.name);
    let cascades = |action| {
        matches!(
            action,
            ReferentialAction::Cascade | ReferentialAction::SetNull
        )
    };
    let cascades = references
        .iter()
        .filter_map(|found| found.key())
        .any(|key| cascades(key.on_delete) || cascades(key.on_update));
    let refused = match session.applies_log {
        true if cascades => Some("a statement on a table whose rows cascade"),
        true => None,
        false if !references.is_empty() => Some("writing to a table that a FOREIGN KEY refers to"),
        false => effects(table),
    };
    refused.map_or(Ok(()), |construct| Err(SqlError::not_supported(construct)))
}

/// What a client that writes to the table would have to be told, and is not.
fn effects(table: &Table) -> Option<&'static str> {
    if !table.foreign_keys.is_empty() {
        return Some("writing to a table with a FOREIGN KEY");
    }
    if table.partitioning.is_some() {
        return Some("writing to a table with partitions");
    }
    let mut keys = table.keys.iter();
    if keys.any(|key| key.is_declared_unique() && !key.is_built()) {
        return Some("writing to a table with a UNIQUE functional index");
    }
    let mut checks = table.checks.iter();
    checks
        .any(|check| check.enforced)
        .then_some("writing to a table with a CHECK constraint")
}

/// The same for a client's copy of the definition.
pub(super) fn check_copy(session: &SessionContext, table: &Table) -> Result<(), SqlError> {
    match is_kept_only(table) && !session.applies_log {
        true => Err(SqlError::not_supported(
            "CREATE TABLE ... LIKE a table with definitions that are not enforced",
        )),
        false => Ok(()),
    }
}

/// Whether the table was declared with more than is done here.
fn is_kept_only(table: &Table) -> bool {
    !table.foreign_keys.is_empty()
        || !table.checks.is_empty()
        || table.partitioning.is_some()
        || table.keys.iter().any(|key| !key.is_built())
}

/// Error 1235 for a client's ALTER TABLE of a table whose definition is not all enforced, unless it drops
/// constraints and no more.
pub(super) fn check_alter(
    session: &SessionContext,
    catalog: &Catalog,
    table: &Table,
    clauses: &[AlterClause],
) -> Result<(), SqlError> {
    let only_drops = clauses.iter().all(|clause| {
        matches!(
            clause,
            AlterClause::DropForeignKey(_)
                | AlterClause::DropCheck(_)
                | AlterClause::DropConstraint(_)
        )
    });
    let is_parent = || {
        let references = catalog.references_to(&table.database, &table.name);
        !references.is_empty()
    };
    let has_some = || is_kept_only(table) || is_parent();
    match !session.applies_log && !only_drops && has_some() {
        true => Err(SqlError::not_supported(
            "ALTER TABLE of a table with definitions that are not enforced",
        )),
        false => Ok(()),
    }
}
