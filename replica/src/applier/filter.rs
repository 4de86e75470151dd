//! Whether a replicated statement is applied: MySQL's filter rules on what the statement names.

use config::ReplicationFilter;
use sql::ast::{Statement, TableName};
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
