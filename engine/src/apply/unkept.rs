//! The names of views and sequences that a log made. Neither is kept, but RENAME TABLE does not say
//! whether it means one, nor DROP TABLE whether it means a sequence, CREATE TABLE IF NOT EXISTS does
//! nothing where one has the name, and a sequence has a row in the log.

use crate::ddl::existing;
use crate::execute::Writer;
use crate::session::SessionContext;
use sql::ast::{CreateTable, Ddl, ObjectNames, Statement, TableName};
use sql::error::SqlError;

/// What a RENAME TABLE is called that named views; what it said of tables was done.
pub(super) const RENAME_VIEW: &str = "RENAME TABLE of a view";

/// The same of sequences.
const RENAME_SEQUENCE: &str = "RENAME TABLE of a sequence";

/// What a DROP TABLE is called that named sequences; what it said of tables was done.
pub(super) const DROP_SEQUENCE: &str = "DROP TABLE of a sequence";

/// What a CREATE TABLE IF NOT EXISTS is called that found a view of the name.
pub(super) const CREATE_VIEW: &str = "CREATE TABLE IF NOT EXISTS of a view's name";

/// The same of a sequence.
const CREATE_SEQUENCE: &str = "CREATE TABLE IF NOT EXISTS of a sequence's name";

/// What the rows of sequences are called, which say how far their numbers are used.
pub const SEQUENCE_ROWS: &str = "rows of sequences";

/// What is not kept and has its name among those of tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unkept {
    View,
    Sequence,
}

impl Unkept {
    pub(crate) const ALL: [Self; 2] = [Self::View, Self::Sequence];

    /// What one is called.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Sequence => "sequence",
        }
    }

    /// The table of their names.
    pub(crate) const fn table(self) -> &'static str {
        match self {
            Self::View => "weir_view",
            Self::Sequence => "weir_sequence",
        }
    }
}

/// Takes note of what a statement says of the names of such objects.
pub(super) fn note(writer: &Writer, database: &str, names: &ObjectNames) -> Result<(), SqlError> {
    match names {
        ObjectNames::None => Ok(()),
        ObjectNames::View(name) => made(writer, Unkept::View, database, name),
        ObjectNames::Sequence(name) => made(writer, Unkept::Sequence, database, name),
        ObjectNames::NoSequences(names) => dropped(writer, Unkept::Sequence, database, names),
    }
}

fn made(writer: &Writer, unkept: Unkept, database: &str, name: &TableName) -> Result<(), SqlError> {
    let database = name.database.as_deref().unwrap_or(database);
    Ok(writer.store().save_unkept(unkept, database, &name.name)?)
}

/// Takes note that there are none of these names any more.
pub(super) fn dropped(
    writer: &Writer,
    unkept: Unkept,
    database: &str,
    names: &[TableName],
) -> Result<(), SqlError> {
    for name in names {
        let database = name.database.as_deref().unwrap_or(database);
        writer.store().delete_unkept(unkept, database, &name.name)?;
    }
    Ok(())
}

/// What CREATE TABLE is called that does nothing because something that is no table has the name.
pub(super) fn in_the_way(
    writer: &Writer,
    database: &str,
    create: &CreateTable,
) -> Result<Option<&'static str>, SqlError> {
    if !create.if_not_exists {
        return Ok(None);
    }
    let name = &create.name;
    let database = name.database.as_deref().unwrap_or(database);
    let has = |unkept| writer.store().has_unkept(unkept, database, &name.name);
    if has(Unkept::View)? {
        return Ok(Some(CREATE_VIEW));
    }
    Ok(has(Unkept::Sequence)?.then_some(CREATE_SEQUENCE))
}

/// RENAME TABLE, one pair after the other; what it is called if there was one that is no table.
pub(super) fn rename(
    writer: &mut Writer,
    pairs: &[(TableName, TableName)],
    session: &mut SessionContext,
) -> Result<Option<&'static str>, SqlError> {
    let mut found = None;
    for (from, to) in pairs {
        let Some(unkept) = of_name(writer, from, session)? else {
            let one = Ddl::RenameTable(vec![(from.clone(), to.clone())]);
            writer.execute(&Statement::Ddl(one), &[], session, &mut Vec::new())?;
            continue;
        };
        let default = session.database.clone().unwrap_or_default();
        dropped(writer, unkept, &default, std::slice::from_ref(from))?;
        made(writer, unkept, &default, to)?;
        found = Some(match unkept {
            Unkept::View => RENAME_VIEW,
            Unkept::Sequence => RENAME_SEQUENCE,
        });
    }
    Ok(found)
}

/// Forgets the sequences among the tables of DROP TABLE; the tables that are left.
pub(super) fn without_sequences(
    writer: &Writer,
    tables: &[TableName],
    session: &SessionContext,
) -> Result<Vec<TableName>, SqlError> {
    let mut left = Vec::new();
    for table in tables {
        if of_name(writer, table, session)? == Some(Unkept::Sequence) {
            let default = session.database.as_deref().unwrap_or_default();
            dropped(
                writer,
                Unkept::Sequence,
                default,
                std::slice::from_ref(table),
            )?;
        } else {
            left.push(table.clone());
        }
    }
    Ok(left)
}

/// What a name is that is no table's.
fn of_name(
    writer: &Writer,
    name: &TableName,
    session: &SessionContext,
) -> Result<Option<Unkept>, SqlError> {
    if existing(writer, name, session).is_ok() {
        return Ok(None);
    }
    let database = name.database.as_deref().or(session.database.as_deref());
    for unkept in Unkept::ALL {
        let database = database.unwrap_or_default();
        if writer.store().has_unkept(unkept, database, &name.name)? {
            return Ok(Some(unkept));
        }
    }
    Ok(None)
}

impl Writer {
    /// Whether a log made a sequence of this name, which is not kept.
    ///
    /// # Errors
    /// When the names cannot be read.
    pub fn has_sequence(
        &self,
        database: &str,
        name: &str,
    ) -> Result<bool, crate::error::EngineError> {
        match self.catalog().find_table(database, name) {
            Some(_) => Ok(false),
            None => self.store().has_unkept(Unkept::Sequence, database, name),
        }
    }
}
