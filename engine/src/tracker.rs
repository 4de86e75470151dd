//! The definitions that the statements of a log make, for targets whose rows lie elsewhere.
//!
//! It is an engine without rows: what a statement of DDL means is decided by the same code that applies
//! it to the embedded database. Its file is scratch; what it knows is kept by the target.

use std::path::Path;
use std::sync::Arc;

use crate::apply::{ApplyError, DdlOutcome, DdlStatement, Unkept};
use crate::catalog::{Catalog, Column, Table};
use crate::collation;
use crate::database::{Database, EngineOptions, EnginePosition};
use crate::ddl;
use crate::error::EngineError;
use crate::execute::Writer;
use crate::rows::{DefaultValue, default_of};
use binlog::value::Value;

/// A database, and the collation that its tables have if they name none.
pub type KeptDatabase = (String, String);

/// A name that is no table's: `view` or `sequence`, its database, itself.
pub type KeptName = (String, String, String);

/// What is known, in the form in which it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    /// The databases.
    pub databases: Vec<KeptDatabase>,
    /// The tables, as [`Tracker::text`] writes them.
    pub tables: Vec<String>,
    /// Names of views and sequences, which are not kept.
    pub names: Vec<KeptName>,
}

/// The definitions.
pub struct Tracker {
    writer: Writer,
}

impl Tracker {
    /// What `known` says, in a new file in the place of an older one.
    ///
    /// # Errors
    /// When the file cannot be written, or `known` cannot be read.
    pub fn open(path: &Path, known: &Definitions) -> Result<Self, EngineError> {
        remove(path)?;
        let database = Database::open(path, EngineOptions::default())?;
        let mut writer = Writer::open(&database)?;
        writer.begin_group()?;
        for (name, collation) in &known.databases {
            let collation = collation::by_name(collation)?;
            ddl::restore_database(&mut writer, name, collation)?;
        }
        let mut tables = Vec::with_capacity(known.tables.len());
        for text in &known.tables {
            let table: Table =
                serde_json::from_str(text).map_err(|error| EngineError::Corrupt {
                    found: format!("a table definition that cannot be read: {error}"),
                })?;
            tables.push(table);
        }
        let last = tables.iter().map(|table| table.id).max();
        tables
            .into_iter()
            .try_for_each(|table| ddl::restore_table(&mut writer, table))?;
        if let Some(last) = last {
            writer.store().use_ids_behind(last)?;
        }
        for (kind, database, name) in &known.names {
            let unkept = Unkept::ALL.into_iter().find(|unkept| unkept.word() == kind);
            let unkept = unkept.ok_or_else(|| EngineError::Corrupt {
                found: format!("a name of the unknown kind '{kind}'"),
            })?;
            writer.store().save_unkept(unkept, database, name)?;
        }
        writer.commit_group(&EnginePosition::default())?;
        Ok(Self { writer })
    }

    /// The definitions, as the last statement left them.
    #[must_use]
    pub fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(self.writer.catalog())
    }

    /// Executes a statement. What it did is undone by [`Tracker::rollback`] until it is committed.
    ///
    /// # Errors
    /// Those of the statement.
    pub fn apply(&mut self, statement: &DdlStatement<'_>) -> Result<DdlOutcome, ApplyError> {
        if !self.writer.is_in_group() {
            self.writer.begin_group().map_err(ApplyError::Engine)?;
        }
        self.writer.apply_ddl(statement)
    }

    /// Whether a log made a sequence of this name, which is not kept.
    ///
    /// # Errors
    /// When the names cannot be read.
    pub fn has_sequence(&self, database: &str, name: &str) -> Result<bool, EngineError> {
        self.writer.has_sequence(database, name)
    }

    /// Names of views and sequences.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn names(&self) -> Result<Vec<KeptName>, EngineError> {
        let mut names = Vec::new();
        for unkept in Unkept::ALL {
            let of_kind = self.writer.store().unkept(unkept)?;
            let kept = |(database, name)| (unkept.word().to_owned(), database, name);
            names.extend(of_kind.into_iter().map(kept));
        }
        Ok(names)
    }

    /// Keeps what was executed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn commit(&mut self) -> Result<(), EngineError> {
        match self.writer.is_in_group() {
            true => self.writer.commit_group(&EnginePosition::default()),
            false => Ok(()),
        }
    }

    /// Undoes what was executed since the last commit.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn rollback(&mut self) -> Result<(), EngineError> {
        self.writer.rollback_group()
    }

    /// The form in which a table is kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn text(table: &Table) -> Result<String, EngineError> {
        serde_json::to_string(table).map_err(|error| EngineError::Corrupt {
            found: format!("a table definition: {error}"),
        })
    }
}

/// What rows that are there get in a new column: its default, or what stands for "nothing given". `None`
/// for what is computed or is the time of the statement.
///
/// # Errors
/// When the default is no value of the column's type.
pub fn filling(column: &Column) -> Result<Option<Value<'static>>, EngineError> {
    if column.generated.is_some() || column.auto_increment {
        return Ok(None);
    }
    Ok(match default_of(column)? {
        DefaultValue::Value(value) | DefaultValue::Missing(value) => Some(value),
        DefaultValue::Now | DefaultValue::Expression(_) => None,
    })
}

fn remove(path: &Path) -> Result<(), EngineError> {
    for end in ["", "-wal", "-shm", "-journal"] {
        let mut name = path.to_owned().into_os_string();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(EngineError::Io {
                    doing: "removing the definitions that were known before",
                    source,
                });
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}
