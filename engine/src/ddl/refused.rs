//! DDL that is refused whatever the schema is: known before anything is done for it.

use sql::ast::{
    AlterClause, ColumnDefinition, CreateTable, CreateTableSource, Ddl, IndexDefinition, IndexKind,
    TableElement, TableOptions,
};
use sql::error::SqlError;

/// Error 1235 for a statement that names what the engine does not keep.
///
/// # Errors
/// 1235.
pub fn refused_by_form(statement: &Ddl) -> Result<(), SqlError> {
    match statement {
        Ddl::CreateTable(create) => create_table(create),
        Ddl::AlterTable(alter) => alter.clauses.iter().try_for_each(clause),
        Ddl::CreateIndex(create) => index(&create.index),
        Ddl::CreateDatabase { .. }
        | Ddl::AlterDatabase { .. }
        | Ddl::DropDatabase { .. }
        | Ddl::DropTable { .. }
        | Ddl::DropView { .. }
        | Ddl::TruncateTable(_)
        | Ddl::DropIndex { .. }
        | Ddl::RenameTable(_) => Ok(()),
    }
}

fn create_table(create: &CreateTable) -> Result<(), SqlError> {
    if create.temporary {
        return Err(SqlError::not_supported("CREATE TEMPORARY TABLE"));
    }
    match &create.source {
        // A table that is there already is created by no definition.
        CreateTableSource::Definition { .. } if create.if_not_exists => Ok(()),
        CreateTableSource::Definition {
            select: Some(_), ..
        } => Err(SqlError::not_supported("CREATE TABLE ... SELECT")),
        CreateTableSource::Definition {
            elements,
            options: written,
            select: None,
        } => {
            options(written)?;
            elements.iter().try_for_each(element)
        }
        CreateTableSource::Like(_) => Ok(()),
    }
}

fn element(element: &TableElement) -> Result<(), SqlError> {
    match element {
        TableElement::Column(written) => column(written),
        TableElement::Index(written) => index(written),
        TableElement::ForeignKey(_) => Err(SqlError::not_supported("FOREIGN KEY")),
        TableElement::Check(_) => Err(SqlError::not_supported("CHECK constraint")),
    }
}

fn column(written: &ColumnDefinition) -> Result<(), SqlError> {
    if !written.attributes.checks.is_empty() {
        return Err(SqlError::not_supported("CHECK constraint"));
    }
    match &written.attributes.references {
        Some(_) => Err(SqlError::not_supported("FOREIGN KEY")),
        None => Ok(()),
    }
}

fn index(written: &IndexDefinition) -> Result<(), SqlError> {
    match written.kind {
        IndexKind::FullText => Err(SqlError::not_supported("FULLTEXT index")),
        IndexKind::Spatial => Err(SqlError::not_supported("SPATIAL index")),
        IndexKind::Primary | IndexKind::Unique | IndexKind::Plain => Ok(()),
    }
}

fn options(written: &TableOptions) -> Result<(), SqlError> {
    match written.partition.is_some() {
        true => Err(SqlError::not_supported("PARTITION BY")),
        false => Ok(()),
    }
}

fn clause(clause: &AlterClause) -> Result<(), SqlError> {
    match clause {
        AlterClause::AddForeignKey(_) => Err(SqlError::not_supported("FOREIGN KEY")),
        AlterClause::AddCheck(_) | AlterClause::AlterCheck { .. } => {
            Err(SqlError::not_supported("CHECK constraint"))
        }
        AlterClause::Partitioning(_) => Err(SqlError::not_supported("ALTER TABLE ... PARTITION")),
        AlterClause::NotSupported(construct) => Err(SqlError::not_supported(construct)),
        AlterClause::AddColumn {
            column: written, ..
        }
        | AlterClause::Modify {
            column: written, ..
        }
        | AlterClause::Change {
            column: written, ..
        } => column(written),
        AlterClause::AddIndex(written) => index(written),
        AlterClause::Options(written) => options(written),
        AlterClause::DropColumn(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::RenameColumn { .. }
        | AlterClause::RenameIndex { .. }
        | AlterClause::RenameTable(_)
        | AlterClause::AlterColumnDefault { .. }
        | AlterClause::AlterColumnVisibility { .. }
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_) => Ok(()),
    }
}
