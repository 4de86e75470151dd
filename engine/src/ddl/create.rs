//! CREATE TABLE.

mod written;

use std::collections::HashSet;
use std::sync::Arc;

use super::columns::{DefinedColumn, check_characters, define};
use super::foreign_keys::{self, Candidates, Declared};
use super::partitions::Definer;
use super::types::{Defaults, resolve_collation};
use super::{
    checks, drop, expression, kept, keys, options, physical, qualified, save, size, versions,
};
use crate::catalog::{Catalog, ColumnId, ColumnType, KeyKind, Table, TableId, TableOptions};
use crate::collation::Collation;
use crate::execute::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::ast::{
    CreateTable, CreateTableSource, TableElement, TableName, TableOptions as WrittenOptions,
};
use sql::error::SqlError;

/// Columns that a table may have.
pub(super) const COLUMNS_MAX: usize = 1017;
const NAME_CHARS_MAX: usize = 64;

pub(super) fn table(
    writer: &mut Writer,
    session: &mut SessionContext,
    create: &CreateTable,
) -> Result<Outcome, SqlError> {
    if create.temporary {
        return Err(SqlError::not_supported("CREATE TEMPORARY TABLE"));
    }
    let (database, name) = qualified(&create.name, session)?;
    let (database, name) = (database.to_owned(), name.to_owned());
    check_table_name(&name)?;
    if !session.applies_log {
        written::check(writer, session, (&database, &name), &create.source)?;
    }
    make_room(writer, session, create)?;
    let known = writer.catalog().database(&database)?;
    let default_collation = known.collation;
    if known.tables.contains_key(&name) {
        let error = SqlError::table_exists(&name);
        if !create.if_not_exists {
            return Err(error);
        }
        if !session.applies_log {
            let subject = (database.as_str(), name.as_str());
            written::check_unused(writer, session, subject, default_collation, &create.source)?;
        }
        session.note(error);
        return Ok(Outcome::done());
    }
    let (mut table, auto_increment) = match &create.source {
        CreateTableSource::Like(original) => {
            let mut table = like(writer, session, original)?;
            table.name.clone_from(&name);
            checks::number_anew(session, &mut table);
            (table, None)
        }
        CreateTableSource::Definition {
            select: Some(_), ..
        } => {
            return Err(SqlError::not_supported("CREATE TABLE ... SELECT"));
        }
        CreateTableSource::Definition {
            elements,
            options,
            select: None,
        } => {
            let catalog = Arc::clone(writer.catalog());
            let table = build(
                &catalog,
                session,
                (&database, &name),
                default_collation,
                elements,
                options,
            )?;
            (table, options.auto_increment)
        }
    };
    table.id = writer.store().new_table_id()?;
    table.database = database;
    table.name = name;
    physical::create_table(writer, &table)?;
    if let Some(next) = auto_increment.filter(|_| table.auto_increment_column().is_some()) {
        writer.counters().set(table.id, next);
    }
    save(writer, table)?;
    Ok(Outcome::done())
}

/// OR REPLACE: a table of the name goes.
fn make_room(
    writer: &mut Writer,
    session: &mut SessionContext,
    create: &CreateTable,
) -> Result<(), SqlError> {
    if create.or_replace {
        let name = std::slice::from_ref(&create.name);
        drop::tables(writer, session, name, true, false)?;
    }
    Ok(())
}

/// The definition of another table, for CREATE TABLE LIKE.
fn like(
    writer: &Writer,
    session: &SessionContext,
    original: &TableName,
) -> Result<Table, SqlError> {
    let (database, name) = qualified(original, session)?;
    let original: &Arc<Table> = writer.catalog().table(database, name)?;
    // Foreign keys are not copied.
    let copy = Table {
        foreign_keys: Vec::new(),
        ..Table::clone(original)
    };
    kept::check_copy(session, &copy)?;
    Ok(copy)
}

/// The table of a list of columns and keys.
fn build(
    catalog: &Arc<Catalog>,
    session: &mut SessionContext,
    (database, name): (&str, &str),
    default_collation: &'static Collation,
    elements: &[TableElement],
    options: &WrittenOptions,
) -> Result<Table, SqlError> {
    let mut table = Table {
        id: TableId(0),
        database: database.to_owned(),
        name: name.to_owned(),
        columns: Vec::new(),
        keys: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        partitioning: None,
        collation: resolve_collation(
            &options.charset,
            None,
            &Defaults::new(session, default_collation),
        )?,
        comment: String::new(),
        options: TableOptions::default(),
        next_column_id: 1,
        next_key_id: 1,
    };
    options::check(session, options::Site::Create(name), options)?;
    options::apply(session, &mut table, options)?;
    let columns = define_columns(session, &mut table, elements, options)?;
    for column in columns.iter().filter(|column| column.is_primary) {
        keys::add_for_column(&mut table, KeyKind::Primary, &column.column.name)?;
    }
    let forbidden = add_constraints(session, catalog, &mut table, (elements, &columns))?;
    forbid_null_in_primary(&table, &columns)?;
    if let Some(written) = &options.partition {
        let definer = Definer { session, catalog };
        table.partitioning = Some(definer.define(&table, written)?);
    }
    finish(session, catalog, &mut table, &forbidden)?;
    Ok(table)
}

/// Adds keys, foreign keys and checks, in the order in which they are written. Returns the columns in which
/// a primary key forbids NULL.
fn add_constraints(
    session: &SessionContext,
    catalog: &Catalog,
    table: &mut Table,
    (elements, columns): (&[TableElement], &[DefinedColumn]),
) -> Result<Vec<ColumnId>, SqlError> {
    let mut forbidden = Vec::new();
    let mut needed = Candidates::of_elements(session, elements).settle(table);
    let mut number = foreign_keys::next_number(table);
    for element in elements {
        match element {
            TableElement::Index(index) => forbidden.extend(keys::add(session, table, index)?),
            TableElement::ForeignKey(_) if !session.applies_log => {
                return Err(SqlError::not_supported("FOREIGN KEY"));
            }
            TableElement::Check(_) if !session.applies_log => {
                return Err(SqlError::not_supported("CHECK constraint"));
            }
            TableElement::ForeignKey(key) => {
                let needs_key = needed.next().unwrap_or(true);
                let declared = Declared::of_table(key);
                let how = (&mut number, needs_key);
                foreign_keys::add(session, catalog, table, &declared, how)?;
            }
            TableElement::Check(check) => checks::add(session, table, check)?,
            TableElement::Column(written) => {
                checks::add_of_column(session, table, written)?;
                let is_unique = columns
                    .iter()
                    .any(|column| column.is_unique && column.column.name == written.name);
                if is_unique {
                    keys::add_for_column(table, KeyKind::Unique, &written.name)?;
                }
                if let Some(declared) = Declared::of_column(session, written) {
                    let how = (&mut number, needed.next().unwrap_or(true));
                    foreign_keys::add(session, catalog, table, &declared, how)?;
                }
            }
        }
    }
    Ok(forbidden)
}

fn define_columns(
    session: &SessionContext,
    table: &mut Table,
    elements: &[TableElement],
    options: &WrittenOptions,
) -> Result<Vec<DefinedColumn>, SqlError> {
    let mut defined = Vec::new();
    let mut has_timestamp = false;
    let mut names = HashSet::new();
    for element in elements {
        let TableElement::Column(written) = element else {
            continue;
        };
        session.interrupt.check()?;
        if !names.insert(written.name.to_lowercase()) {
            return Err(SqlError::dup_fieldname(&written.name));
        }
        if names.len() > COLUMNS_MAX {
            return Err(SqlError::too_many_fields());
        }
        let id = ColumnId(table.next_column_id);
        let column = define(session, id, written, table.collation, !has_timestamp)?;
        has_timestamp |= matches!(column.column.column_type, ColumnType::Timestamp { .. });
        table.next_column_id += 1;
        table.columns.push(column.column.clone());
        defined.push(column);
    }
    versions::create(table, elements, options);
    Ok(defined)
}

fn forbid_null_in_primary(table: &Table, columns: &[DefinedColumn]) -> Result<(), SqlError> {
    let Some(primary) = table.primary_key() else {
        return Ok(());
    };
    let holds_null = primary.parts.iter().any(|part| {
        columns
            .iter()
            .any(|column| column.column.id == part.column && column.is_explicitly_null)
    });
    if holds_null {
        Err(SqlError::primary_cant_have_null())
    } else {
        Ok(())
    }
}

/// Checks what concerns the table as a whole and puts its keys in order. A new primary key has `forbidden`
/// NULL in these columns.
pub(super) fn finish(
    session: &SessionContext,
    catalog: &Arc<Catalog>,
    table: &mut Table,
    forbidden: &[ColumnId],
) -> Result<(), SqlError> {
    if table.columns.is_empty() {
        return Err(SqlError::table_must_have_columns());
    }
    if table.columns.len() > COLUMNS_MAX {
        return Err(SqlError::too_many_fields());
    }
    if table.columns.iter().all(|column| column.invisible) {
        return Err(SqlError::invisible_columns_only());
    }
    if !session.applies_log {
        size::check(table)?;
    }
    keys::check_visibility(table)?;
    keys::sort(table, forbidden);
    keys::check_auto_increment(table)?;
    expression::check(session, catalog, table)
}

/// Errors 1059 and 1103.
pub(super) fn check_table_name(name: &str) -> Result<(), SqlError> {
    if name.is_empty() || name.ends_with(' ') {
        return Err(SqlError::wrong_table_name(name));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(name));
    }
    check_characters(name)
}
