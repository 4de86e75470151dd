//! CREATE TABLE.

use std::sync::Arc;

use super::columns::{DefinedColumn, define};
use super::types::{Defaults, resolve_collation};
use super::{keys, physical, qualified, save};
use crate::catalog::{ColumnId, ColumnType, KeyKind, Table, TableId, TableOptions};
use crate::collation::Collation;
use crate::database::Writer;
use crate::outcome::Outcome;
use crate::session::SessionContext;
use sql::SqlMode;
use sql::ast::{
    CreateTable, CreateTableSource, TableElement, TableName, TableOptions as WrittenOptions,
};
use sql::error::{SqlError, WarningLevel};

const COLUMNS_MAX: usize = 1017;
const NAME_CHARS_MAX: usize = 64;
/// Bytes of a row that MySQL allows besides BLOB and TEXT values.
const ROW_BYTES_MAX: u64 = 65_535;

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
    let known = writer.catalog().database(&database)?;
    let default_collation = known.collation;
    if known.tables.contains_key(&name) {
        let error = SqlError::table_exists(&name);
        if !create.if_not_exists {
            return Err(error);
        }
        session.note(error);
        return Ok(Outcome::done());
    }
    let (mut table, auto_increment) = match &create.source {
        CreateTableSource::Like(original) => (like(writer, session, original)?, None),
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
            let table = build(session, &name, default_collation, elements, options)?;
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

/// The definition of another table, for CREATE TABLE LIKE.
fn like(
    writer: &Writer,
    session: &SessionContext,
    original: &TableName,
) -> Result<Table, SqlError> {
    let (database, name) = qualified(original, session)?;
    let original: &Arc<Table> = writer.catalog().table(database, name)?;
    Ok(Table::clone(original))
}

/// The table of a list of columns and keys.
fn build(
    session: &mut SessionContext,
    name: &str,
    default_collation: &'static Collation,
    elements: &[TableElement],
    options: &WrittenOptions,
) -> Result<Table, SqlError> {
    let mut table = Table {
        id: TableId(0),
        database: String::new(),
        name: name.to_owned(),
        columns: Vec::new(),
        keys: Vec::new(),
        collation: resolve_collation(
            &options.charset,
            None,
            Defaults::new(session, default_collation),
        )?,
        comment: String::new(),
        options: TableOptions::default(),
        next_column_id: 1,
        next_key_id: 1,
    };
    apply_options(session, &mut table, options)?;
    let columns = define_columns(session, &mut table, elements)?;
    for column in columns.iter().filter(|column| column.is_primary) {
        keys::add_for_column(&mut table, KeyKind::Primary, &column.column.name)?;
    }
    for element in elements {
        match element {
            TableElement::Index(index) => keys::add(&mut table, index)?,
            TableElement::ForeignKey(_) => return Err(SqlError::not_supported("FOREIGN KEY")),
            TableElement::Check(_) => return Err(SqlError::not_supported("CHECK constraint")),
            TableElement::Column(written) => {
                let is_unique = columns.iter().any(|column| {
                    column.is_unique && !column.is_primary && column.column.name == written.name
                });
                if is_unique {
                    keys::add_for_column(&mut table, KeyKind::Unique, &written.name)?;
                }
            }
        }
    }
    forbid_null_in_primary(&table, &columns)?;
    finish(&mut table)?;
    Ok(table)
}

fn define_columns(
    session: &SessionContext,
    table: &mut Table,
    elements: &[TableElement],
) -> Result<Vec<DefinedColumn>, SqlError> {
    let mut defined = Vec::new();
    let mut has_timestamp = false;
    for element in elements {
        let TableElement::Column(written) = element else {
            continue;
        };
        if table.column(&written.name).is_some() {
            return Err(SqlError::dup_fieldname(&written.name));
        }
        let id = ColumnId(table.next_column_id);
        let column = define(session, id, written, table.collation, !has_timestamp)?;
        has_timestamp |= matches!(column.column.column_type, ColumnType::Timestamp { .. });
        table.next_column_id += 1;
        table.columns.push(column.column.clone());
        defined.push(column);
    }
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

/// Checks what concerns the table as a whole and puts its keys in order.
pub(super) fn finish(table: &mut Table) -> Result<(), SqlError> {
    if table.columns.is_empty() {
        return Err(SqlError::table_must_have_columns());
    }
    if table.columns.len() > COLUMNS_MAX {
        return Err(SqlError::too_many_fields());
    }
    if table.columns.iter().all(|column| column.invisible) {
        return Err(SqlError::invisible_columns_only());
    }
    if table
        .columns
        .iter()
        .map(|column| row_bytes(&column.column_type))
        .sum::<u64>()
        > ROW_BYTES_MAX
    {
        return Err(SqlError::too_big_rowsize(ROW_BYTES_MAX));
    }
    keys::check_auto_increment(table)?;
    keys::sort(table);
    Ok(())
}

/// Bytes that a value takes of MySQL's row.
fn row_bytes(column_type: &ColumnType) -> u64 {
    let width = column_type
        .collation()
        .map_or(1, |collation| collation.charset.bytes_per_char_max());
    match column_type {
        ColumnType::Char { length, .. } => u64::from(*length) * u64::from(width),
        ColumnType::Varchar { length, .. } => u64::from(*length) * u64::from(width) + 2,
        ColumnType::Binary { length } => u64::from(*length),
        ColumnType::Varbinary { length } => u64::from(*length) + 2,
        ColumnType::Text { size, .. } | ColumnType::Blob { size } => {
            u64::from(size.length_bytes()) + 8
        }
        _ => 8,
    }
}

/// Takes over ENGINE, COMMENT, ROW_FORMAT and the like.
pub(super) fn apply_options(
    session: &mut SessionContext,
    table: &mut Table,
    options: &WrittenOptions,
) -> Result<(), SqlError> {
    if options.partitioned {
        return Err(SqlError::not_supported("PARTITION BY"));
    }
    if let Some(engine) = &options.engine {
        check_engine(session, &table.name, engine)?;
    }
    if let Some(comment) = &options.comment {
        table.comment.clone_from(comment);
    }
    if let Some(row_format) = &options.row_format {
        table.options.row_format = (row_format != "DEFAULT").then(|| row_format.clone());
    }
    for (name, value) in &options.others {
        const SHOWN: [&str; 7] = [
            "MAX_ROWS",
            "MIN_ROWS",
            "AVG_ROW_LENGTH",
            "STATS_PERSISTENT",
            "STATS_AUTO_RECALC",
            "STATS_SAMPLE_PAGES",
            "KEY_BLOCK_SIZE",
        ];
        let is_default =
            value.eq_ignore_ascii_case("DEFAULT") || (value == "0" && !name.starts_with("STATS"));
        if SHOWN.contains(&name.as_str()) {
            let prefix = format!("{name}=");
            table
                .options
                .others
                .retain(|other| !other.starts_with(&prefix));
            if !is_default {
                table.options.others.push(format!("{prefix}{value}"));
            }
        }
    }
    Ok(())
}

/// InnoDB is what the engine stands for; other transactional-or-not engines of MySQL are replaced
/// by it with warning 1266, unknown ones are error 1286 unless substitution is allowed.
fn check_engine(session: &mut SessionContext, table: &str, engine: &str) -> Result<(), SqlError> {
    const REPLACED: [&str; 8] = [
        "MyISAM",
        "MEMORY",
        "HEAP",
        "CSV",
        "ARCHIVE",
        "MRG_MyISAM",
        "Aria",
        "RocksDB",
    ];
    if engine.eq_ignore_ascii_case("InnoDB") {
        return Ok(());
    }
    let is_known = REPLACED
        .iter()
        .any(|known| engine.eq_ignore_ascii_case(known));
    if !is_known {
        let error = SqlError::unknown_storage_engine(engine);
        if session.sql_mode.contains(SqlMode::NO_ENGINE_SUBSTITUTION) {
            return Err(error);
        }
        session.warn(error);
    }
    let text = format!("Using storage engine InnoDB for table '{table}'");
    session
        .warnings
        .push(SqlError::new(1266, "HY000", text).into_warning(WarningLevel::Warning));
    Ok(())
}

/// Errors 1059 and 1103.
pub(super) fn check_table_name(name: &str) -> Result<(), SqlError> {
    if name.is_empty() || name.ends_with(' ') {
        return Err(SqlError::wrong_table_name(name));
    }
    if name.chars().count() > NAME_CHARS_MAX {
        return Err(SqlError::too_long_ident(name));
    }
    Ok(())
}
