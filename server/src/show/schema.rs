//! SHOW and DESCRIBE of databases, tables, columns and keys.

use std::sync::Arc;

use engine::catalog::{Catalog, Column, Database, SYSTEM_SCHEMA};
use engine::outcome::ResultSet;
use engine::rows::local_default;
use sql::ast::{ShowCreate, ShowFilter, TableName};
use sql::error::SqlError;

use super::grid::{Cell, Grid};
use crate::information_schema::column_info::ColumnInfo;
use crate::information_schema::{self as virtual_schema, statistics};
use crate::view::View;

fn like_suffix(filter: Option<&ShowFilter>) -> String {
    match filter {
        Some(ShowFilter::Like(pattern)) => format!(" ({pattern})"),
        _ => String::new(),
    }
}

pub(super) fn databases(view: &View<'_>, filter: Option<&ShowFilter>) -> Grid {
    let name = format!("Database{}", like_suffix(filter));
    let mut grid = Grid::new().text(&name, 256).all_never_null();
    for name in view.viewer.databases() {
        grid.row([name.into()]);
    }
    grid
}

/// The database, or, for the name that every MySQL server has, one without tables.
fn database_or_system(catalog: &Catalog, name: &str) -> Result<Arc<Database>, SqlError> {
    match catalog.database(name) {
        Ok(database) => Ok(Arc::clone(database)),
        Err(_) if name == SYSTEM_SCHEMA => Ok(Arc::new(Database::system_schema())),
        Err(error) => Err(error),
    }
}

pub(super) fn tables(
    view: &View<'_>,
    full: bool,
    database: Option<&str>,
    filter: Option<&ShowFilter>,
) -> Result<Grid, SqlError> {
    let database = view.database_or_current(database)?;
    let mut grid = Grid::new().text(&format!("Tables_in_{database}{}", like_suffix(filter)), 256);
    if full {
        grid = grid.text("Table_type", 44);
    }
    grid = grid.all_never_null();
    let is_virtual = virtual_schema::canonical(&database).is_some();
    let (names, kind): (Vec<String>, _) = if is_virtual {
        (
            virtual_schema::table_names().map(str::to_owned).collect(),
            "SYSTEM VIEW",
        )
    } else {
        let catalog = view.viewer.catalog();
        let database = database_or_system(&catalog, &database)?;
        (database.tables.keys().cloned().collect(), "BASE TABLE")
    };
    for name in names {
        let kind = full.then(|| Cell::from(kind));
        grid.row(std::iter::once(Cell::from(name)).chain(kind));
    }
    Ok(grid)
}

pub(super) fn table_status(view: &View<'_>, database: Option<&str>) -> Result<Grid, SqlError> {
    let database = view.database_or_current(database)?;
    let mut grid = Grid::new()
        .text("Name", 256)
        .text("Engine", 256)
        .number("Version", 3)
        .text("Row_format", 40)
        .number("Rows", 21)
        .number("Avg_row_length", 21)
        .number("Data_length", 21)
        .number("Max_data_length", 21)
        .number("Index_length", 21)
        .number("Data_free", 21)
        .number("Auto_increment", 21)
        .moment("Create_time")
        .moment("Update_time")
        .moment("Check_time")
        .text("Collation", 256)
        .number("Checksum", 21)
        .text("Create_options", 1024)
        .blob("Comment", 24_576)
        .never_null(&["Name", "Row_format"]);
    if virtual_schema::canonical(&database).is_some() {
        return Ok(grid);
    }
    let catalog = view.viewer.catalog();
    for table in database_or_system(&catalog, &database)?.tables.values() {
        let next = view.viewer.next_auto_increment(table)?;
        let format = table
            .options
            .row_format
            .as_deref()
            .map_or("Dynamic".to_owned(), capitalised);
        grid.row([
            table.name.as_str().into(),
            "InnoDB".into(),
            Cell::Number(10),
            format.into(),
            Cell::Number(0),
            Cell::Number(0),
            Cell::Number(0),
            Cell::Number(0),
            Cell::Number(0),
            Cell::Number(0),
            next.into(),
            Cell::Null,
            Cell::Null,
            Cell::Null,
            table.collation.name.into(),
            Cell::Null,
            table.options.others.join(" ").to_lowercase().into(),
            table.comment.as_str().into(),
        ]);
    }
    Ok(grid)
}

fn capitalised(word: &str) -> String {
    let lower = word.to_lowercase();
    let mut letters = lower.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

pub(super) fn columns(view: &View<'_>, name: &TableName, full: bool) -> Result<Grid, SqlError> {
    let mut grid = Grid::new()
        .text("Field", 256)
        .blob("Type", 67_108_860)
        .not_null();
    if full {
        grid = grid.text("Collation", 256);
    }
    grid = grid
        .text("Null", 12)
        .not_null()
        .text("Key", 12)
        .not_null()
        .blob("Default", 262_140)
        .text("Extra", 1024);
    if full {
        grid = grid
            .text("Privileges", 616)
            .blob("Comment", 24_576)
            .not_null();
    }
    grid = grid.never_null(&["Type", "Null", "Key", "Comment"]);
    let database = view.database_or_current(name.database.as_deref())?;
    if virtual_schema::canonical(&database).is_some() {
        let columns = virtual_schema::columns_of(&name.name);
        let columns =
            columns.ok_or_else(|| SqlError::unknown_table(&name.name, virtual_schema::NAME))?;
        for column in columns {
            let texts = ["varchar(256)", "YES", ""].map(Cell::from);
            let [kind, null, empty] = texts;
            grid.row([column.into(), kind, null, empty.clone(), Cell::Null, empty]);
        }
        return Ok(grid);
    }
    let table = view.table(name)?;
    for (position, column) in table.columns.iter().enumerate() {
        let info = ColumnInfo::new(&table, position, column);
        let mut cells: Vec<Cell> = vec![info.name.into(), info.column_type.into()];
        if full {
            cells.push(info.collation.map(|collation| collation.name).into());
        }
        cells.extend([
            if info.is_nullable { "YES" } else { "NO" }.into(),
            info.key.into(),
            info.default.into(),
            info.extra.into(),
        ]);
        if full {
            cells.push("select,insert,update,references".into());
            cells.push(info.comment.into());
        }
        grid.row(cells);
    }
    Ok(grid)
}

pub(super) fn index(view: &View<'_>, name: &TableName) -> Result<Grid, SqlError> {
    let mut grid = Grid::new()
        .text("Table", 256)
        .number("Non_unique", 2)
        .text("Key_name", 256)
        .number("Seq_in_index", 10)
        .text("Column_name", 256)
        .text("Collation", 4)
        .number("Cardinality", 21)
        .number("Sub_part", 21)
        .text("Packed", 0)
        .text("Null", 12)
        .text("Index_type", 44)
        .text("Comment", 32)
        .text("Index_comment", 8192)
        .text("Visible", 12)
        .blob("Expression", u32::MAX)
        .never_null(&[
            "Table",
            "Non_unique",
            "Seq_in_index",
            "Null",
            "Index_type",
            "Comment",
            "Index_comment",
            "Visible",
        ]);
    let table = view.table(name)?;
    for cells in statistics::key_columns(&table) {
        grid.row(cells);
    }
    Ok(grid)
}

pub(super) fn create(view: &View<'_>, create: &ShowCreate) -> Result<ResultSet, SqlError> {
    match create {
        ShowCreate::Table(name) => {
            let table = view.table(name)?;
            let next = view.viewer.next_auto_increment(&table)?.unwrap_or(0);
            let mut grid = Grid::new()
                .text("Table", 256)
                .text("Create Table", 65_535)
                .all_never_null();
            let local = |column: &Column, text: &str| local_default(column, text, view.zone);
            let text = table.show_create(next, &local);
            grid.row([table.name.as_str().into(), text.into()]);
            Ok(grid.into_result())
        }
        ShowCreate::Database {
            if_not_exists,
            name,
        } => {
            let mut grid = Grid::new()
                .text("Database", 256)
                .text("Create Database", 4096)
                .all_never_null();
            let catalog = view.viewer.catalog();
            let database = database_or_system(&catalog, name)?;
            let text = database.show_create(*if_not_exists);
            grid.row([name.as_str().into(), text.into()]);
            Ok(grid.into_result())
        }
        ShowCreate::View(name) => {
            let table = view.table(name)?;
            let text = format!("'{}.{}' is not VIEW", table.database, table.name);
            Err(SqlError::new(1347, "HY000", text))
        }
        ShowCreate::User(_) => Err(SqlError::not_supported("SHOW CREATE USER")),
        ShowCreate::Other(kind, name) => Err(match kind.as_str() {
            "TRIGGER" => SqlError::new(1360, "HY000", "Trigger does not exist"),
            "EVENT" => SqlError::new(1539, "HY000", format!("Unknown event '{}'", name.name)),
            kind => SqlError::sp_does_not_exist(kind, &name.name),
        }),
    }
}

pub(super) fn open_tables() -> ResultSet {
    Grid::new()
        .text("Database", 256)
        .text("Table", 256)
        .number("In_use", 2)
        .number("Name_locked", 5)
        .into_result()
}

pub(super) fn triggers() -> ResultSet {
    Grid::new()
        .text("Trigger", 256)
        .text("Event", 24)
        .text("Table", 256)
        .blob("Statement", u32::MAX)
        .text("Timing", 24)
        .moment("Created")
        .text("sql_mode", 2184)
        .text("Definer", 1152)
        .text("character_set_client", 256)
        .text("collation_connection", 256)
        .text("Database Collation", 256)
        .into_result()
}

pub(super) fn events() -> ResultSet {
    Grid::new()
        .text("Db", 256)
        .text("Name", 256)
        .text("Definer", 1152)
        .text("Time zone", 256)
        .text("Type", 36)
        .moment("Execute at")
        .text("Interval value", 1024)
        .text("Interval field", 72)
        .moment("Starts")
        .moment("Ends")
        .text("Status", 84)
        .number("Originator", 10)
        .text("character_set_client", 256)
        .text("collation_connection", 256)
        .text("Database Collation", 256)
        .into_result()
}

pub(super) fn routines() -> ResultSet {
    Grid::new()
        .text("Db", 256)
        .text("Name", 256)
        .text("Type", 36)
        .text("Language", 256)
        .text("Definer", 1152)
        .moment("Modified")
        .moment("Created")
        .text("Security_type", 28)
        .blob("Comment", 262_140)
        .text("character_set_client", 256)
        .text("collation_connection", 256)
        .text("Database Collation", 256)
        .into_result()
}
