//! Rows and statements of one vendor's log for a server of the other.
//!
//! Row images are the same bytes in both but for a few types, so that rows go as BINLOG statements here
//! too: behind a format description of the server's own vendor, with table maps and flags that both know.
//! What one of them alone has is refused by name.

use binlog::event::{ChecksumAlgorithm, Flavour, FormatDescription};
use binlog::row::{Column, ColumnType, RowPlan, RowsEvent, RowsFlags, RowsVersion, TableMap};
use codec::Reader;
use inspect::Destination;
use sql::ast::Account;
use sql::error::SqlError;
use sql::{ParseOptions, SqlMode, Statement, version_number};

use super::facts::ServerFacts;
use super::session::undecodable;
use crate::{RowsChange, StatementChange, TargetError};

impl ServerFacts {
    /// Whose server it is.
    pub(super) const fn flavour(&self) -> Flavour {
        match self.is_mariadb {
            true => Flavour::MariaDb,
            false => Flavour::MySql,
        }
    }

    /// What those who write statements for it must know.
    pub(super) const fn destination(&self) -> Destination {
        Destination {
            flavour: self.flavour(),
            version: self.number,
        }
    }

    /// A description of events that its vendor's servers write.
    pub(super) fn own_description(&self) -> FormatDescription {
        let version = match self.is_mariadb {
            true => "10.11.0-MariaDB",
            false => "8.4.0",
        };
        FormatDescription::current(version, ChecksumAlgorithm::None)
    }
}

/// The table map for a server of the other vendor: names and types alone.
pub(super) fn map_for(map: &TableMap<'static>) -> TableMap<'static> {
    let columns = map.columns.iter();
    let columns = columns
        .map(|column| Column::new(column.column_type, column.metadata, column.nullable))
        .collect();
    TableMap::new(map.table_id, map.schema.clone(), map.table.clone(), columns)
}

/// Makes an event of rows, which are not looked at, one for a server of the other vendor.
pub(super) fn make_event(event: &mut RowsEvent<'static>) {
    event.version = RowsVersion::V2;
    event.extra = std::borrow::Cow::Borrowed(&[]);
    let common = RowsFlags::STATEMENT_END.0
        | RowsFlags::NO_FOREIGN_KEY_CHECKS.0
        | RowsFlags::RELAXED_UNIQUE_CHECKS.0
        | RowsFlags::COMPLETE_ROWS.0;
    let mut flags = event.flags.0 & common;
    if event.flags.contains(RowsFlags::USE_SQL_FOREIGN_KEY) {
        // The rows of children are in the log; the server must not change them by itself.
        flags |= RowsFlags::NO_FOREIGN_KEY_CHECKS.0;
    }
    event.flags = RowsFlags(flags);
}

/// The rows of an event that may hold changes of JSON values, which in a table without such values it
/// does not: without what says so before each image.
pub(super) fn without_options(
    event: &RowsEvent<'_>,
    map: &TableMap<'_>,
) -> Result<RowsEvent<'static>, TargetError> {
    let plan = RowPlan::new(map).map_err(undecodable)?;
    let mut reader = event.read(&plan).map_err(undecodable)?;
    let mut rows = Vec::with_capacity(event.rows.len());
    while let Some(images) = reader.next_images().map_err(undecodable)? {
        rows.extend_from_slice(images.before);
        let mut after = Reader::new(images.after);
        after.lenenc("value options").map_err(undecodable)?;
        rows.extend_from_slice(after.rest());
    }
    let mut whole = event.without_rows();
    whole.is_partial = false;
    whole.rows = rows.into();
    Ok(whole)
}

/// Types whose values are the same bytes in the logs of both vendors.
const COMMON_TYPES: [ColumnType; 27] = [
    ColumnType::TINY,
    ColumnType::SHORT,
    ColumnType::INT24,
    ColumnType::LONG,
    ColumnType::LONGLONG,
    ColumnType::FLOAT,
    ColumnType::DOUBLE,
    ColumnType::NEWDECIMAL,
    ColumnType::BIT,
    ColumnType::YEAR,
    ColumnType::DATE,
    ColumnType::TIME,
    ColumnType::TIME2,
    ColumnType::DATETIME,
    ColumnType::DATETIME2,
    ColumnType::TIMESTAMP,
    ColumnType::TIMESTAMP2,
    ColumnType::ENUM,
    ColumnType::SET,
    ColumnType::STRING,
    ColumnType::VARCHAR,
    ColumnType::VAR_STRING,
    ColumnType::TINY_BLOB,
    ColumnType::BLOB,
    ColumnType::MEDIUM_BLOB,
    ColumnType::LONG_BLOB,
    ColumnType::GEOMETRY,
];

/// Refuses rows with a type that the server's vendor does not have.
pub(super) fn check_rows(change: &RowsChange<'_>) -> Result<(), TargetError> {
    let own = |column: &Column<'_>| {
        let kind = column.column_type;
        (!COMMON_TYPES.contains(&kind)).then(|| kind.name())
    };
    let mut columns = change.map.columns.iter().enumerate();
    let found = columns.find_map(|(index, column)| Some((index, own(column)?)));
    let Some((index, kind)) = found else {
        return Ok(());
    };
    let text = format!(
        "Column {} of table '{}.{}' is of type {kind}, which a server of another vendor than the \
         source's does not have in this form: filter the table out, or change the column there",
        index + 1,
        change.database,
        change.map.table
    );
    Err(TargetError::Unsupported(SqlError::new(1677, "HY000", text)))
}

/// What is about a statement that no server of another vendor keeps: accounts are those of each fleet.
/// Refused by name is what it would take for something else.
pub(super) fn not_kept(change: &StatementChange<'_>) -> Result<Option<&'static str>, TargetError> {
    let mode = change.query.status.sql_mode();
    let sql = &change.query.sql;
    if mode.is_some_and(|mode| mode & ORACLE != 0) {
        let sql = String::from_utf8_lossy(sql);
        let text = format!("The statement '{sql}', written in sql_mode=ORACLE,");
        return Err(TargetError::Unsupported(SqlError::new(1235, "42000", text)));
    }
    let options = ParseOptions {
        sql_mode: mode.map_or(SqlMode::DEFAULT, SqlMode::from_bits),
        version: version_number(&change.logged.description.server_version),
        is_logged: true,
        ..ParseOptions::default()
    };
    // What is not understood, and changes rows, is known by its kind.
    let Ok(parsed) = sql::parse(sql, &options) else {
        return Ok(None);
    };
    Ok(match parsed.statement {
        Statement::Account(account) => Some(match account {
            Account::CreateUser { .. } => "CREATE USER",
            Account::AlterUser { .. } => "ALTER USER",
            Account::DropUser { .. } => "DROP USER",
            Account::RenameUser(_) => "RENAME USER",
            Account::SetPassword { .. } => "SET PASSWORD",
            Account::Grant(_) => "GRANT",
            Account::Revoke(_) => "REVOKE",
        }),
        Statement::NotSupported {
            object: Some(object),
            ..
        } if is_of_its_fleet(object.construct) => Some(object.construct),
        Statement::NotSupported { .. }
        | Statement::Ddl(_)
        | Statement::Admin(_)
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Replication(_)
        | Statement::Prepared(_)
        | Statement::Empty => None,
    })
}

/// MariaDB's mode whose statements have another grammar.
const ORACLE: u64 = 1 << 9;

/// Whether a statement concerns what each vendor's fleet has for itself: accounts, plugins, files.
fn is_of_its_fleet(construct: &str) -> bool {
    matches!(
        construct,
        "CREATE ROLE"
            | "DROP ROLE"
            | "IDENTIFIED VIA"
            | "DEFAULT ROLE"
            | "SET DEFAULT ROLE"
            | "GRANT role"
            | "GRANT ... AS"
            | "GRANT PROXY"
            | "REVOKE role"
            | "REVOKE PROXY"
            | "CREATE TABLESPACE"
            | "ALTER TABLESPACE"
            | "DROP TABLESPACE"
            | "CREATE LOGFILE GROUP"
            | "ALTER LOGFILE GROUP"
            | "DROP LOGFILE GROUP"
            | "INSTALL PLUGIN"
            | "UNINSTALL PLUGIN"
            | "INSTALL COMPONENT"
            | "UNINSTALL COMPONENT"
            | "CREATE LIBRARY"
            | "ALTER LIBRARY"
            | "DROP LIBRARY"
            | "CREATE SPATIAL REFERENCE SYSTEM"
            | "DROP SPATIAL REFERENCE SYSTEM"
            | "ANALYZE TABLE ... HISTOGRAM"
    )
}
