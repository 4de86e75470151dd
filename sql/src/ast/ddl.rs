//! Statements that change the schema: each commits what is open and is logged as its text.

use super::{
    AlterClause, AlterTable, CharsetSpec, CreateIndex, CreateTable, CreateTableSource, ForeignKey,
    PartitionClause, TableElement, TableName,
};

/// A statement that changes the schema.
#[derive(Debug, Clone, PartialEq)]
pub enum Ddl {
    /// CREATE DATABASE.
    CreateDatabase {
        /// IF NOT EXISTS.
        if_not_exists: bool,
        /// Name.
        name: String,
        /// Default character set and collation.
        charset: CharsetSpec,
    },
    /// ALTER DATABASE; only character set and collation can be changed.
    AlterDatabase {
        /// Name; the current database when left out.
        name: Option<String>,
        /// What is changed.
        charset: CharsetSpec,
    },
    /// DROP DATABASE.
    DropDatabase {
        /// IF EXISTS.
        if_exists: bool,
        /// Name.
        name: String,
    },
    /// CREATE TABLE.
    CreateTable(Box<CreateTable>),
    /// ALTER TABLE.
    AlterTable(Box<AlterTable>),
    /// DROP TABLE.
    DropTable {
        /// DROP TEMPORARY TABLE.
        temporary: bool,
        /// IF EXISTS.
        if_exists: bool,
        /// The tables, in order.
        tables: Vec<TableName>,
    },
    /// DROP VIEW; views do not exist, so this is 1051 or, with IF EXISTS, a note.
    DropView {
        /// IF EXISTS.
        if_exists: bool,
        /// The views, in order.
        views: Vec<TableName>,
    },
    /// TRUNCATE TABLE.
    TruncateTable(TableName),
    /// CREATE INDEX.
    CreateIndex(Box<CreateIndex>),
    /// DROP INDEX name ON table.
    DropIndex {
        /// IF EXISTS, which MariaDB has.
        if_exists: bool,
        /// Index.
        name: String,
        /// Table.
        table: TableName,
        /// ALGORITHM= and LOCK=.
        how: Vec<AlterClause>,
    },
    /// RENAME TABLE a TO b, ...
    RenameTable(Vec<(TableName, TableName)>),
}

impl Ddl {
    /// The database that the statement is about as a whole, if it names one.
    #[must_use]
    pub fn database(&self) -> Option<&str> {
        match self {
            Ddl::CreateDatabase { name, .. } | Ddl::DropDatabase { name, .. } => Some(name),
            Ddl::AlterDatabase { name, .. } => name.as_deref(),
            Ddl::CreateTable(_)
            | Ddl::AlterTable(_)
            | Ddl::DropTable { .. }
            | Ddl::DropView { .. }
            | Ddl::TruncateTable(_)
            | Ddl::CreateIndex(_)
            | Ddl::DropIndex { .. }
            | Ddl::RenameTable(_) => None,
        }
    }

    /// The tables that the statement creates, changes or drops, as replication filters see them: in
    /// the order written; the new name of ALTER TABLE ... RENAME is not among them, both names of
    /// RENAME TABLE are.
    #[must_use]
    pub fn changed_tables(&self) -> Vec<&TableName> {
        match self {
            Ddl::CreateDatabase { .. } | Ddl::AlterDatabase { .. } | Ddl::DropDatabase { .. } => {
                Vec::new()
            }
            Ddl::CreateTable(create) => vec![&create.name],
            Ddl::AlterTable(alter) => {
                let exchanged = alter.clauses.iter().filter_map(exchanged_with);
                std::iter::once(&alter.table).chain(exchanged).collect()
            }
            Ddl::DropTable { tables, .. } => tables.iter().collect(),
            Ddl::DropView { views, .. } => views.iter().collect(),
            Ddl::TruncateTable(table) | Ddl::DropIndex { table, .. } => vec![table],
            Ddl::CreateIndex(create) => vec![&create.table],
            Ddl::RenameTable(pairs) => pairs.iter().flat_map(|(from, to)| [from, to]).collect(),
        }
    }

    /// The names that ALTER TABLE gives its table.
    pub fn new_names(&self) -> Vec<&TableName> {
        match self {
            Ddl::AlterTable(alter) => alter.new_names().collect(),
            Ddl::CreateDatabase { .. }
            | Ddl::AlterDatabase { .. }
            | Ddl::DropDatabase { .. }
            | Ddl::CreateTable(_)
            | Ddl::DropTable { .. }
            | Ddl::DropView { .. }
            | Ddl::TruncateTable(_)
            | Ddl::CreateIndex(_)
            | Ddl::DropIndex { .. }
            | Ddl::RenameTable(_) => Vec::new(),
        }
    }

    /// Tables that foreign keys of the statement refer to.
    #[must_use]
    pub fn referenced_tables(&self) -> Vec<&TableName> {
        let keys: Vec<&ForeignKey> = match self {
            Ddl::CreateTable(create) => create.foreign_keys(),
            Ddl::AlterTable(alter) => alter.foreign_keys(),
            Ddl::CreateDatabase { .. }
            | Ddl::AlterDatabase { .. }
            | Ddl::DropDatabase { .. }
            | Ddl::DropTable { .. }
            | Ddl::DropView { .. }
            | Ddl::TruncateTable(_)
            | Ddl::CreateIndex(_)
            | Ddl::DropIndex { .. }
            | Ddl::RenameTable(_) => Vec::new(),
        };
        keys.into_iter().map(|key| &key.parent).collect()
    }

    /// The databases whose content or definition the statement changes, each once and sorted;
    /// `default` is the session's.
    #[must_use]
    pub fn changed_databases(&self, default: Option<&str>) -> Vec<String> {
        let tables = self.changed_tables().into_iter().chain(self.new_names());
        let of_tables = tables.filter_map(|table| table.database.as_deref().or(default));
        let itself = match self {
            Ddl::AlterDatabase { name: None, .. } => default,
            Ddl::AlterDatabase { name: Some(_), .. }
            | Ddl::CreateDatabase { .. }
            | Ddl::DropDatabase { .. }
            | Ddl::CreateTable(_)
            | Ddl::AlterTable(_)
            | Ddl::DropTable { .. }
            | Ddl::DropView { .. }
            | Ddl::TruncateTable(_)
            | Ddl::CreateIndex(_)
            | Ddl::DropIndex { .. }
            | Ddl::RenameTable(_) => self.database(),
        };
        let mut names: Vec<String> = of_tables.chain(itself).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }
}

impl CreateTable {
    /// The foreign keys in it, those of columns first to last with the others.
    fn foreign_keys(&self) -> Vec<&ForeignKey> {
        match &self.source {
            CreateTableSource::Definition { elements, .. } => {
                elements.iter().filter_map(foreign_key).collect()
            }
            CreateTableSource::Like(_) => Vec::new(),
        }
    }
}

fn foreign_key(element: &TableElement) -> Option<&ForeignKey> {
    match element {
        TableElement::Column(column) => column.attributes.references.as_ref(),
        TableElement::ForeignKey(key) => Some(key),
        TableElement::Index(_) | TableElement::Check(_) => None,
    }
}

impl AlterTable {
    /// What RENAME clauses call the table.
    pub fn new_names(&self) -> impl Iterator<Item = &TableName> {
        self.clauses.iter().filter_map(renamed_to)
    }

    fn foreign_keys(&self) -> Vec<&ForeignKey> {
        self.clauses.iter().filter_map(added_key).collect()
    }
}

fn added_key(clause: &AlterClause) -> Option<&ForeignKey> {
    match clause {
        AlterClause::AddForeignKey(key) => Some(key),
        AlterClause::AddColumn { column, .. }
        | AlterClause::Modify { column, .. }
        | AlterClause::Change { column, .. } => column.attributes.references.as_ref(),
        _ => None,
    }
}

/// The table whose rows a clause of ALTER TABLE takes, and gives others.
const fn exchanged_with(clause: &AlterClause) -> Option<&TableName> {
    match clause {
        AlterClause::Partitioning(PartitionClause::Exchange { table, .. }) => Some(table),
        _ => None,
    }
}

/// The name that a clause of ALTER TABLE gives its table.
const fn renamed_to(clause: &AlterClause) -> Option<&TableName> {
    match clause {
        AlterClause::RenameTable(name) => Some(name),
        AlterClause::AddColumn { .. }
        | AlterClause::AddIndex(_)
        | AlterClause::AddForeignKey(_)
        | AlterClause::AddCheck(_)
        | AlterClause::DropColumn(_)
        | AlterClause::DropIndex(_)
        | AlterClause::DropPrimaryKey
        | AlterClause::DropForeignKey(_)
        | AlterClause::DropCheck(_)
        | AlterClause::DropConstraint(_)
        | AlterClause::Modify { .. }
        | AlterClause::Change { .. }
        | AlterClause::AlterColumnDefault { .. }
        | AlterClause::AlterColumnVisibility { .. }
        | AlterClause::AlterIndexVisibility { .. }
        | AlterClause::AlterCheck { .. }
        | AlterClause::RenameColumn { .. }
        | AlterClause::RenameIndex { .. }
        | AlterClause::Options(_)
        | AlterClause::ConvertToCharset(_)
        | AlterClause::DisableKeys
        | AlterClause::EnableKeys
        | AlterClause::Force
        | AlterClause::OrderBy(_)
        | AlterClause::Algorithm(_)
        | AlterClause::Lock(_)
        | AlterClause::Partitioning(_)
        | AlterClause::NotSupported(_) => None,
    }
}
