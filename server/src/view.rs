//! What SHOW, DESCRIBE and information_schema look at: read-only, and of what the account may see.

use std::sync::Arc;

use engine::catalog::{Catalog, SYSTEM_SCHEMA, Table};
use engine::session::TimeZone;
use protocol::server::TlsSession;
use sql::ast::TableName;
use sql::error::{SqlError, Warning};

use crate::accounts::{Account, Privilege};
use crate::information_schema;
use crate::node::Node;
use crate::processes::Process;
use crate::variables::SessionVariables;

/// Who looks at which node.
#[derive(Clone, Copy)]
pub(crate) struct Viewer<'a> {
    pub(crate) node: &'a Node,
    pub(crate) account: &'a Account,
}

/// What a session looks with.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) viewer: Viewer<'a>,
    /// The default database.
    pub(crate) database: Option<&'a str>,
    /// What the last statement left.
    pub(crate) warnings: &'a [Warning],
    /// The zone of TIMESTAMP values.
    pub(crate) zone: &'a TimeZone,
    pub(crate) variables: &'a SessionVariables,
    pub(crate) tls: Option<&'a TlsSession>,
}

impl Viewer<'_> {
    /// The catalogue as it is now.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.node.readers.database().catalog()
    }

    /// The databases that the account sees, `information_schema` among them, by name.
    pub(crate) fn databases(&self) -> Vec<String> {
        let catalog = self.catalog();
        let mut names: Vec<String> = catalog
            .databases
            .keys()
            .filter(|name| self.account.can_see(name))
            .cloned()
            .chain(std::iter::once(information_schema::NAME.to_owned()))
            .collect();
        // mysqldump --all-databases looks for it and writes an empty dump without.
        if self.account.can_see(SYSTEM_SCHEMA) {
            names.push(SYSTEM_SCHEMA.to_owned());
        }
        names.sort();
        names.dedup();
        names
    }

    /// Looks at each table that the account sees.
    pub(crate) fn each_table(&self, look: impl FnMut(&Table)) {
        let catalog = self.catalog();
        let tables = catalog.tables().map(|table| &**table);
        tables
            .filter(|table| self.account.has_any_on(&table.database))
            .for_each(look);
    }

    /// The sessions that the account sees: those of others are for accounts with PROCESS. A client
    /// of the anonymous account may name itself what it likes, and is nobody of that name.
    pub(crate) fn processes(&self) -> Vec<Arc<Process>> {
        let all = self.account.has(Privilege::Process);
        let mut processes = self.node.processes.all();
        processes.retain(|process| all || process.who().user == self.account.name.user);
        processes
    }

    /// The next value of the table's counter; `None` if it has no such column.
    pub(crate) fn next_auto_increment(&self, table: &Table) -> Result<Option<u64>, SqlError> {
        if table.auto_increment_column().is_none() {
            return Ok(None);
        }
        let mut reader = self.node.readers.take()?;
        let next = reader.next_auto_increment(table.id);
        self.node.readers.give_back(reader);
        Ok(Some(next?))
    }
}

impl View<'_> {
    /// The database of this name, or the default one.
    pub(crate) fn database_or_current(&self, name: Option<&str>) -> Result<String, SqlError> {
        let name = name.or(self.database);
        name.map(str::to_owned).ok_or_else(SqlError::no_database)
    }

    /// The table of this name.
    pub(crate) fn table(&self, name: &TableName) -> Result<Arc<Table>, SqlError> {
        let database = self.database_or_current(name.database.as_deref())?;
        let catalog = self.viewer.catalog();
        catalog.table(&database, &name.name).map(Arc::clone)
    }
}
