//! COM_FIELD_LIST: the columns of a table with their defaults, for completion in the CLI.

use protocol::{ColumnDefinition, column_type};
use sql::ast::TableName;
use sql::error::SqlError;

use super::{Session, packet};
use crate::information_schema::column_info::ColumnInfo;

impl Session {
    pub(super) fn field_list(&mut self, table: &str, pattern: &str) {
        match self.fields(table, pattern) {
            Ok(columns) => {
                let status = self.status();
                self.connection.send_field_list(&columns, status);
            }
            Err(error) => self.connection.send_err(&packet(&error)),
        }
    }

    fn fields(&self, table: &str, pattern: &str) -> Result<Vec<ColumnDefinition>, SqlError> {
        let name = TableName {
            database: None,
            name: table.to_owned(),
        };
        self.check_visible(&name)?;
        let database = self.context.require_database()?;
        let catalog = self.node.readers.database().catalog();
        let table = catalog.table(database, table)?;
        let charset = self.context.character_set_results;
        let columns =
            table.columns.iter().enumerate().filter(|(_, column)| {
                pattern.is_empty() || crate::show::like(pattern, &column.name)
            });
        Ok(columns
            .map(|(position, column)| {
                let info = ColumnInfo::new(table, position, column);
                let collation = column.column_type.collation();
                let charset = charset.map_or(45, |charset| charset.default_collation().id);
                ColumnDefinition {
                    schema: table.database.clone(),
                    table: table.name.clone(),
                    org_table: table.name.clone(),
                    name: column.name.clone(),
                    org_name: column.name.clone(),
                    charset: if collation.is_some() { charset } else { 63 },
                    length: info
                        .octets
                        .and_then(|n| u32::try_from(n).ok())
                        .unwrap_or(255),
                    column_type: column_type::VAR_STRING,
                    flags: u16::from(!column.nullable),
                    decimals: 0,
                    default: Some(info.default.map(String::into_bytes)),
                }
            })
            .collect())
    }
}
