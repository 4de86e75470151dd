//! Which tables the statements of a log may have made or changed: how the target has them now says
//! nothing about the rows behind.

use std::collections::BTreeSet;

use binlog::event::Query;
use sql::ast::{Ddl, Statement};
use sql::{ParseOptions, SqlMode, parse};

/// The statements that were read so far. Names are taken without regard to case, which is a matter of
/// the server.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    tables: BTreeSet<(String, String)>,
    databases: BTreeSet<String>,
    /// A statement was not understood.
    any: bool,
}

impl Definitions {
    /// Takes note of a statement of a server of this version.
    pub(super) fn take(&mut self, query: &Query<'_>, version: u32) {
        let options = ParseOptions {
            sql_mode: query
                .status
                .sql_mode()
                .map_or(SqlMode::DEFAULT, SqlMode::from_bits),
            version,
            is_logged: true,
            ..ParseOptions::default()
        };
        match parse(&query.sql, &options).map(|parsed| parsed.statement) {
            Ok(Statement::Ddl(ddl)) => self.ddl(&ddl, &String::from_utf8_lossy(&query.schema)),
            Ok(
                Statement::Empty
                | Statement::Write(_)
                | Statement::Query(_)
                | Statement::Transaction(_)
                | Statement::Account(_)
                | Statement::Replication(_)
                | Statement::Admin(_),
            ) => {}
            Ok(Statement::NotSupported { construct, .. }) => {
                let bodies = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"];
                let is_body = bodies.iter().any(|kind| construct.ends_with(kind));
                self.any |= !is_body;
            }
            Ok(Statement::Prepared(_)) | Err(_) => self.any = true,
        }
    }

    fn ddl(&mut self, ddl: &Ddl, schema: &str) {
        if let Ddl::DropDatabase { name, .. } = ddl {
            self.databases.insert(name.to_lowercase());
        }
        let mut tables = ddl.changed_tables();
        if let Ddl::AlterTable(alter) = ddl {
            tables.extend(alter.new_names());
        }
        for table in tables {
            let schema = table.database.as_deref().unwrap_or(schema);
            let name = (schema.to_lowercase(), table.name.to_lowercase());
            self.tables.insert(name);
        }
    }

    /// Whether a table may be another one than before the log.
    pub(super) fn have_changed(&self, schema: &str, table: &str) -> bool {
        let (schema, table) = (schema.to_lowercase(), table.to_lowercase());
        self.any || self.databases.contains(&schema) || self.tables.contains(&(schema, table))
    }
}

#[cfg(test)]
mod tests {
    use binlog::event::StatusVariables;

    use super::*;

    fn after(statements: &[&str]) -> Definitions {
        let mut definitions = Definitions::default();
        for sql in statements {
            let query = Query {
                thread_id: 1,
                exec_time: 0,
                error_code: 0,
                status: StatusVariables::default(),
                schema: b"shop".as_slice().into(),
                sql: sql.as_bytes().into(),
            };
            definitions.take(&query, 90_704);
        }
        definitions
    }

    #[test]
    fn only_tables_that_statements_name_may_have_changed() {
        let definitions = after(&[
            "CREATE TABLE made (a INT)",
            "ALTER TABLE Other.T ADD b INT, RENAME TO other.u",
            "RENAME TABLE x TO y",
            "DROP DATABASE gone",
            "CREATE USER somebody",
            "CREATE PROCEDURE p() SELECT 1",
            "INSERT INTO kept VALUES (1)",
        ]);
        for (schema, table, expected) in [
            ("shop", "made", true),
            ("other", "t", true),
            ("other", "u", true),
            ("shop", "x", true),
            ("shop", "y", true),
            ("gone", "anything", true),
            ("shop", "kept", false),
            ("other", "made", false),
        ] {
            let found = definitions.have_changed(schema, table);
            assert_eq!(found, expected, "{schema}.{table}");
        }
        let unknown = after(&["DO SOMETHING NEW"]);
        assert!(unknown.have_changed("shop", "kept"));
    }
}
