//! Administrative statements: USE, DESCRIBE, EXPLAIN, KILL, FLUSH, LOCK, maintenance, PREPARE.

use super::object::refuse_as_object;
use super::refuse;
use crate::ast::{
    Admin, FlushTarget, KillTarget, LockTable, MaintenanceKind, PrepareSource, Prepared, Query,
    Statement, Transaction, Write,
};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

impl Cursor<'_> {
    pub(super) fn administration(&mut self, verb: &str) -> Parse<Statement> {
        match verb {
            "ANALYZE" | "CHECK" | "CHECKSUM" | "OPTIMIZE" | "REPAIR" => {
                return self.maintenance(verb);
            }
            _ => self.advance(),
        }
        match verb {
            "USE" => Ok(Statement::Admin(Admin::Use(self.identifier()?))),
            "DESCRIBE" | "DESC" | "EXPLAIN" => self.explain(),
            "HELP" => Ok(Statement::Admin(Admin::Help(self.help_topic()?))),
            "KILL" => self.kill(),
            "FLUSH" => self.flush(),
            "LOCK" => self.lock_tables(),
            "UNLOCK" => {
                self.expect_any(&["TABLES", "TABLE"])?;
                Ok(Statement::Transaction(Transaction::UnlockTables))
            }
            "SHUTDOWN" => Ok(Statement::Admin(Admin::Shutdown)),
            "PREPARE" => self.prepare(),
            "EXECUTE" => self.execute(),
            "BINLOG" => {
                let pieces = self.list(Self::text_or_variable)?;
                Ok(Statement::Write(Write::Binlog(pieces)))
            }
            _ => {
                self.expect("PREPARE")?;
                Ok(Statement::Prepared(Prepared::Deallocate {
                    name: self.identifier()?,
                }))
            }
        }
    }

    fn help_topic(&mut self) -> Parse<String> {
        match self.peek() {
            Kind::String(_) => self.string(),
            _ => self.any_word(),
        }
    }

    fn explain(&mut self) -> Parse<Statement> {
        let verbs = [
            "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE", "VALUES",
        ];
        let analyze = self.accept("ANALYZE");
        let mut format = None;
        if self.is_word("FORMAT") && matches!(self.peek_ahead(1), Kind::Symbol("=")) {
            self.advance();
            self.advance();
            format = Some(self.name_or_string()?);
        }
        self.accept_any(&["EXTENDED", "PARTITIONS"]);
        if self.is_symbol("(") || verbs.iter().any(|word| self.is_word(word)) {
            let statement = Box::new(self.statement_head()?);
            return Ok(Statement::Query(Query::Explain {
                format,
                analyze,
                statement,
            }));
        }
        if self.is_word("FOR") {
            return refuse("EXPLAIN FOR CONNECTION");
        }
        let table = self.table_name()?;
        let column = match self.peek() {
            Kind::End => None,
            Kind::String(_) => Some(self.string()?),
            _ => Some(self.identifier()?),
        };
        Ok(Statement::Query(Query::Describe { table, column }))
    }

    fn kill(&mut self) -> Parse<Statement> {
        let target = match self.accept_any(&["CONNECTION", "QUERY"]) {
            Some("QUERY") => KillTarget::Query,
            _ => KillTarget::Connection,
        };
        Ok(Statement::Admin(Admin::Kill {
            target,
            id: self.integer()?,
        }))
    }

    fn flush(&mut self) -> Parse<Statement> {
        self.accept_any(&["LOCAL", "NO_WRITE_TO_BINLOG"]);
        let targets = self.list(Self::flush_target)?;
        Ok(Statement::Admin(Admin::Flush(targets)))
    }

    fn flush_target(&mut self) -> Parse<FlushTarget> {
        if self.accept_any(&["TABLES", "TABLE"]).is_some() {
            return self.flush_tables();
        }
        if self.accept("LOGS") {
            return Ok(FlushTarget::Logs);
        }
        if self.accept_all(&["BINARY", "LOGS"]) {
            return Ok(FlushTarget::BinaryLogs);
        }
        if self.accept_all(&["RELAY", "LOGS"]) {
            return Ok(FlushTarget::RelayLogs {
                channel: self.channel()?,
            });
        }
        for log in ["ENGINE", "ERROR", "GENERAL", "SLOW"] {
            if self.accept_all(&[log, "LOGS"]) {
                return Ok(FlushTarget::OtherLogs(log.to_owned()));
            }
        }
        if self.accept("PRIVILEGES") {
            return Ok(FlushTarget::Privileges);
        }
        if self.accept("STATUS") {
            return Ok(FlushTarget::Status);
        }
        if self.accept_all(&["QUERY", "CACHE"]) {
            return Ok(FlushTarget::Other("QUERY CACHE".to_owned()));
        }
        let other = self.expect_any(&["HOSTS", "OPTIMIZER_COSTS", "USER_RESOURCES"])?;
        Ok(FlushTarget::Other(other.to_owned()))
    }

    fn flush_tables(&mut self) -> Parse<FlushTarget> {
        let named =
            !self.is_end() && !self.is_symbol(",") && !self.is_word("WITH") && !self.is_word("FOR");
        let tables = if named {
            self.list(Self::table_name)?
        } else {
            Vec::new()
        };
        let read_lock = self.accept_all(&["WITH", "READ", "LOCK"]);
        let export = self.accept_all(&["FOR", "EXPORT"]);
        Ok(FlushTarget::Tables {
            tables,
            read_lock,
            export,
        })
    }

    fn lock_tables(&mut self) -> Parse<Statement> {
        self.expect_any(&["TABLES", "TABLE"])?;
        let tables = self.list(|cursor| {
            let table = cursor.table_name()?;
            let modes = ["READ", "WRITE", "LOW_PRIORITY"];
            let aliased = cursor.accept("AS") || !modes.iter().any(|mode| cursor.is_word(mode));
            let alias = if aliased {
                Some(cursor.identifier()?)
            } else {
                None
            };
            cursor.accept("LOW_PRIORITY");
            let write = cursor.expect_any(&["READ", "WRITE"])? == "WRITE";
            cursor.accept("LOCAL");
            Ok(LockTable {
                table,
                alias,
                write,
            })
        })?;
        Ok(Statement::Transaction(Transaction::LockTables(tables)))
    }

    fn maintenance(&mut self, verb: &str) -> Parse<Statement> {
        self.advance();
        let kind = match verb {
            "ANALYZE" => MaintenanceKind::Analyze,
            "CHECK" => MaintenanceKind::Check,
            "CHECKSUM" => MaintenanceKind::Checksum,
            "OPTIMIZE" => MaintenanceKind::Optimize,
            _ => MaintenanceKind::Repair,
        };
        self.accept_any(&["LOCAL", "NO_WRITE_TO_BINLOG"]);
        self.expect_any(&["TABLE", "TABLES"])?;
        let tables = self.list(Self::table_name)?;
        let mut options = Vec::new();
        while let Kind::Word(word) = self.peek() {
            options.push(word.to_ascii_uppercase());
            self.advance();
        }
        if kind == MaintenanceKind::Analyze && !options.is_empty() {
            let is_histogram = options.starts_with(&["UPDATE".to_owned(), "HISTOGRAM".to_owned()])
                || options.starts_with(&["DROP".to_owned(), "HISTOGRAM".to_owned()]);
            return match is_histogram {
                true => refuse_as_object("ANALYZE TABLE ... HISTOGRAM"),
                false => refuse("ANALYZE TABLE ... HISTOGRAM"),
            };
        }
        Ok(Statement::Admin(Admin::Maintenance {
            kind,
            tables,
            options,
        }))
    }

    fn prepare(&mut self) -> Parse<Statement> {
        let name = self.identifier()?;
        self.expect("FROM")?;
        let source = self.text_or_variable()?;
        Ok(Statement::Prepared(Prepared::Prepare { name, source }))
    }

    fn text_or_variable(&mut self) -> Parse<PrepareSource> {
        Ok(match self.peek() {
            Kind::UserVariable(variable) => {
                let source = PrepareSource::Variable(variable.to_lowercase());
                self.advance();
                source
            }
            _ => PrepareSource::Text(self.bytes()?),
        })
    }

    fn execute(&mut self) -> Parse<Statement> {
        let name = self.identifier()?;
        let mut using = Vec::new();
        if self.accept("USING") {
            using = self.list(|cursor| match cursor.peek() {
                Kind::UserVariable(variable) => {
                    let variable = variable.to_lowercase();
                    cursor.advance();
                    Ok(variable)
                }
                _ => cursor.unexpected(),
            })?;
        }
        Ok(Statement::Prepared(Prepared::Execute { name, using }))
    }
}
