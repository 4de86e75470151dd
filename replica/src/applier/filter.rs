//! Whether a replicated statement is applied: MySQL's filter rules on what the statement names.

use binlog::transaction::StatementKind;
use config::ReplicationFilter;
use sql::ast::{CreateTableSource, Ddl, Statement, TableName};
use sql::{ParseOptions, parse};

/// Whether the filter lets a statement through. `default_db` is the database on the source.
///
/// A statement that cannot be parsed is judged by its default database alone; if it is admitted,
/// the target says what is wrong with it.
pub(super) fn admits_statement(
    filter: &ReplicationFilter,
    default_db: &str,
    sql: &[u8],
    options: &ParseOptions,
) -> bool {
    if filter.is_empty() {
        return true;
    }
    let Ok(parsed) = parse(sql, options) else {
        return filter.admits_statement(default_db, &[]);
    };
    let tables = match &parsed.statement {
        Statement::Ddl(ddl) => match ddl.database() {
            Some(name) => return filter.admits_database_statement(default_db, name),
            None => ddl.changed_tables(),
        },
        // As DROP VIEW, so that a view whose making was noted is gone when it goes.
        Statement::NotSupported {
            object: Some(object),
            ..
        } => object.names.all().iter().collect(),
        // The default database alone decides about what names no table.
        Statement::Empty
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Account(_)
        | Statement::Replication(_)
        | Statement::Admin(_)
        | Statement::Prepared(_)
        | Statement::NotSupported { .. } => Vec::new(),
    };
    let tables: Vec<_> = tables.into_iter().map(parts).collect();
    filter.admits_statement(default_db, &tables)
}

/// A table with a condition on its rows that a statement changes or reads, or may: a definition changes
/// none but for CREATE TABLE ... SELECT, and of what is not understood nothing is known.
pub(super) fn conditioned(
    filter: &ReplicationFilter,
    kind: StatementKind,
    (default_db, sql): (&str, &[u8]),
    options: &ParseOptions,
) -> Option<String> {
    let first = filter.row_filters.first()?;
    if !matches!(kind, StatementKind::Dml | StatementKind::CreateSelect) {
        return None;
    }
    let here = filter.rewrite(default_db);
    // Rows follow a plain CREATE TABLE as rows.
    let parsed = parse(sql, options);
    if parsed
        .as_ref()
        .is_ok_and(|parsed| is_plain(&parsed.statement))
    {
        return None;
    }
    let Ok(tables) = parsed.and_then(|parsed| parsed.statement.tables()) else {
        return Some(first.table.to_string());
    };
    tables.iter().find_map(|table| {
        let database = table.database.as_deref().unwrap_or(&here);
        let rule = filter.row_filter(database, &table.name)?;
        Some(rule.table.to_string())
    })
}

/// Whether it makes a table of no other's rows.
fn is_plain(statement: &Statement) -> bool {
    let Statement::Ddl(Ddl::CreateTable(create)) = statement else {
        return false;
    };
    match &create.source {
        CreateTableSource::Definition { select, .. } => select.is_none(),
        CreateTableSource::Like(_) => true,
    }
}

fn parts(table: &TableName) -> (Option<&str>, &str) {
    (table.database.as_deref(), &table.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn judges_databases_by_name_and_tables_by_default_database_and_rules() {
        let filter = ReplicationFilter {
            do_db: vec!["shop".to_owned()],
            ..ReplicationFilter::default()
        };
        for (default_db, sql, is_admitted) in [
            ("", "CREATE DATABASE shop", true),
            ("", "CREATE DATABASE other", false),
            ("shop", "CREATE TABLE t (a INT)", true),
            ("other", "CREATE TABLE shop.t (a INT)", false),
            ("other", "THIS IS NO STATEMENT", false),
        ] {
            let found = admits_statement(
                &filter,
                default_db,
                sql.as_bytes(),
                &ParseOptions::default(),
            );
            assert_eq!(found, is_admitted, "{sql} in {default_db}");
        }
    }

    #[test]
    fn table_rules_hold_for_ddl() {
        let ignored = config::filter::TableName::parse("shop.log").unwrap();
        let filter = ReplicationFilter {
            ignore_table: [ignored].into(),
            ..ReplicationFilter::default()
        };
        for (sql, is_admitted) in [
            ("CREATE TABLE log (a INT)", false),
            ("DROP TABLE shop.log", false),
            ("TRUNCATE TABLE orders", true),
            ("CREATE INDEX i ON log (a)", false),
        ] {
            let found = admits_statement(&filter, "shop", sql.as_bytes(), &ParseOptions::default());
            assert_eq!(found, is_admitted, "{sql}");
        }
    }
}
