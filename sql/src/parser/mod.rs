//! The statement parser: the first word decides which part reads the rest.

mod account;
mod admin;
mod alter;
mod column;
mod ddl;
mod default;
mod mariadb;
mod object;
mod partition;
mod query;
mod replication;
mod rows;
mod set;
mod show;
mod table;

pub(crate) use default::hex_bytes;

use super::ast::{Ddl, Prepared, Replication, Statement, Transaction};
use super::cursor::{Cursor, Failure, Parse};
use super::lexer::Kind;

/// What follows ALTER for the one thing that it does to the instance.
const ROTATE_BINLOG_KEY: [&str; 5] = ["INSTANCE", "ROTATE", "BINLOG", "MASTER", "KEY"];

/// Statements that are recognised by their first words and refused as a whole.
const REFUSED: [(&[&str], &str); 17] = [
    (&["XA"], "XA"),
    (&["CALL"], "CALL"),
    (&["HANDLER"], "HANDLER"),
    (&["LOAD", "DATA"], "LOAD DATA"),
    (&["LOAD", "XML"], "LOAD XML"),
    (&["LOAD", "INDEX"], "LOAD INDEX INTO CACHE"),
    (&["IMPORT", "TABLE"], "IMPORT TABLE"),
    (&["CACHE", "INDEX"], "CACHE INDEX"),
    (&["CLONE"], "CLONE"),
    (&["SIGNAL"], "SIGNAL"),
    (&["RESIGNAL"], "RESIGNAL"),
    (&["GET", "DIAGNOSTICS"], "GET DIAGNOSTICS"),
    (&["LOCK", "INSTANCE"], "LOCK INSTANCE FOR BACKUP"),
    (&["UNLOCK", "INSTANCE"], "UNLOCK INSTANCE"),
    (&["RESTART"], "RESTART"),
    (&["START", "GROUP_REPLICATION"], "START GROUP_REPLICATION"),
    (&["STOP", "GROUP_REPLICATION"], "STOP GROUP_REPLICATION"),
];

impl Cursor<'_> {
    /// One whole statement.
    pub(super) fn statement(&mut self) -> Parse<Statement> {
        let statement = self.statement_head()?;
        self.expect_end()?;
        Ok(statement)
    }

    pub(super) fn statement_head(&mut self) -> Parse<Statement> {
        let word = match self.peek() {
            Kind::End => return Ok(Statement::Empty),
            Kind::Symbol("(") => return self.select(),
            Kind::Word(word) => word.to_ascii_uppercase(),
            _ => return self.unexpected(),
        };
        if let Some((_, construct)) = REFUSED.iter().find(|(words, _)| self.are_words(words)) {
            return refuse(construct);
        }
        match word.as_str() {
            "SELECT" | "WITH" | "VALUES" | "TABLE" => self.select(),
            "INSERT" | "REPLACE" => self.insert(),
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "DO" => self.do_expressions(),
            "SET" => match self.set_statement()? {
                Some(statement) => Ok(statement),
                None => self.set(),
            },
            "SHOW" => self.show(),
            "BEGIN" | "START" | "COMMIT" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" => {
                self.transaction(&word)
            }
            "CREATE" | "DROP" | "TRUNCATE" | "RENAME" | "ALTER" => self.definition(&word),
            "INSTALL" | "UNINSTALL" => self.install(&word),
            "GRANT" => self.grant(),
            "REVOKE" => self.revoke(),
            "CHANGE" | "STOP" | "RESET" | "PURGE" => self.replication(&word),
            "USE" | "DESCRIBE" | "DESC" | "EXPLAIN" | "HELP" | "KILL" | "FLUSH" | "ANALYZE"
            | "CHECK" | "CHECKSUM" | "OPTIMIZE" | "REPAIR" | "LOCK" | "UNLOCK" | "SHUTDOWN"
            | "PREPARE" | "EXECUTE" | "DEALLOCATE" | "BINLOG" => self.administration(&word),
            _ => self.unexpected(),
        }
    }

    /// CREATE, DROP, ALTER, RENAME, TRUNCATE: the object decides.
    fn definition(&mut self, verb: &str) -> Parse<Statement> {
        let start = self.at;
        self.advance();
        if verb == "TRUNCATE" {
            self.accept("TABLE");
            let table = self.table_name()?;
            self.mariadb_wait()?;
            return Ok(Statement::Ddl(Ddl::TruncateTable(table)));
        }
        let or_replace = verb == "CREATE" && self.accept_all(&["OR", "REPLACE"]);
        self.skip_definer()?;
        let object = match self.peek() {
            Kind::Word(word) => word.to_ascii_uppercase(),
            _ => return self.unexpected(),
        };
        self.refuse_object(verb)?;
        if object::WITH_BODY.contains(&object.as_str()) {
            return refuse(&format!("{verb} {object}"));
        }
        match (verb, object.as_str()) {
            (_, "USER") => self.account_statement(verb),
            (_, "DATABASE" | "SCHEMA") if or_replace => refuse("CREATE OR REPLACE DATABASE"),
            (_, "DATABASE" | "SCHEMA") => self.database(verb),
            ("CREATE", "TABLE" | "TEMPORARY") if or_replace && !self.is_mariadb() => {
                refuse("CREATE OR REPLACE TABLE")
            }
            ("CREATE", "TABLE" | "TEMPORARY") => self.create_table(or_replace),
            ("CREATE", "INDEX" | "UNIQUE" | "FULLTEXT" | "SPATIAL")
                if !or_replace || self.is_mariadb() =>
            {
                self.create_index(or_replace)
            }
            ("ALTER", "TABLE" | "ONLINE" | "IGNORE") => self.alter_table(),
            ("ALTER", "INSTANCE") if self.are_words(&ROTATE_BINLOG_KEY) => {
                self.accept_all(&ROTATE_BINLOG_KEY);
                Ok(Statement::Replication(Replication::RotateBinlogKey))
            }
            ("DROP", "TABLE" | "TABLES" | "TEMPORARY") => self.drop_table(),
            ("DROP", "VIEW") => self.drop_view(),
            ("DROP", "INDEX") => self.drop_index(),
            ("DROP", "PREPARE") => {
                self.advance();
                Ok(Statement::Prepared(Prepared::Deallocate {
                    name: self.identifier()?,
                }))
            }
            ("RENAME", "TABLE" | "TABLES") => self.rename_table(),
            (
                "CREATE" | "ALTER" | "DROP",
                "VIEW" | "ROLE" | "SERVER" | "TABLESPACE" | "LOGFILE" | "UNDO" | "RESOURCE"
                | "INSTANCE" | "LIBRARY" | "MATERIALIZED" | "AGGREGATE" | "EXTERNAL" | "SEQUENCE"
                | "PACKAGE",
            ) => refuse(&format!("{verb} {object}")),
            ("CREATE", "SQL" | "SPATIALREFERENCE") => refuse("CREATE VIEW"),
            _ => {
                self.at = start + 1;
                self.unexpected()
            }
        }
    }

    /// INSTALL and UNINSTALL.
    fn install(&mut self, verb: &str) -> Parse<Statement> {
        let start = self.at;
        self.advance();
        self.refuse_object(verb)?;
        for object in ["PLUGIN", "COMPONENT"] {
            if self.is_word(object) {
                return refuse(&format!("{verb} {object}"));
            }
        }
        self.at = start;
        self.unexpected()
    }

    /// `ALGORITHM=x DEFINER=u@h SQL SECURITY y` in front of views, triggers and routines.
    fn skip_definer(&mut self) -> Parse<()> {
        if self.accept("ALGORITHM") {
            self.expect_symbol("=")?;
            self.any_word()?;
        }
        if self.accept("DEFINER") {
            self.expect_symbol("=")?;
            if self.accept("CURRENT_USER") {
                if self.accept_symbol("(") {
                    self.expect_symbol(")")?;
                }
            } else {
                self.account()?;
            }
        }
        if self.accept_all(&["SQL", "SECURITY"]) {
            self.any_word()?;
        }
        Ok(())
    }

    fn transaction(&mut self, verb: &str) -> Parse<Statement> {
        if verb == "START"
            && ["REPLICA", "SLAVE"]
                .iter()
                .any(|word| self.is_word_ahead(1, word))
        {
            return self.replication(verb);
        }
        self.advance();
        match verb {
            "BEGIN" => {
                self.accept("WORK");
                Ok(Statement::Transaction(Transaction::Begin {
                    consistent_snapshot: false,
                    read_only: None,
                }))
            }
            "START" => {
                self.expect("TRANSACTION")?;
                self.start_transaction()
            }
            "SAVEPOINT" => Ok(Statement::Transaction(Transaction::Savepoint(
                self.identifier()?,
            ))),
            "RELEASE" => {
                self.expect("SAVEPOINT")?;
                Ok(Statement::Transaction(Transaction::ReleaseSavepoint(
                    self.identifier()?,
                )))
            }
            _ => self.end_transaction(verb == "COMMIT"),
        }
    }

    fn start_transaction(&mut self) -> Parse<Statement> {
        let mut consistent_snapshot = false;
        let mut read_only = None;
        if !self.is_end() {
            self.list(|cursor| {
                if cursor.accept_all(&["WITH", "CONSISTENT", "SNAPSHOT"]) {
                    consistent_snapshot = true;
                } else {
                    cursor.expect("READ")?;
                    read_only = Some(cursor.expect_any(&["ONLY", "WRITE"])? == "ONLY");
                }
                Ok(())
            })?;
        }
        Ok(Statement::Transaction(Transaction::Begin {
            consistent_snapshot,
            read_only,
        }))
    }

    fn end_transaction(&mut self, commit: bool) -> Parse<Statement> {
        self.accept("WORK");
        if !commit && self.accept("TO") {
            self.accept("SAVEPOINT");
            return Ok(Statement::Transaction(Transaction::RollbackToSavepoint(
                self.identifier()?,
            )));
        }
        let mut chain = false;
        if self.accept("AND") {
            chain = !self.accept("NO");
            self.expect("CHAIN")?;
        }
        let no_release = self.accept("NO");
        let release = self.accept("RELEASE");
        if no_release && !release {
            return self.unexpected();
        }
        let release = release && !no_release;
        Ok(if commit {
            Statement::Transaction(Transaction::Commit { chain, release })
        } else {
            Statement::Transaction(Transaction::Rollback { chain, release })
        })
    }
}

/// The failure "recognised, but not done".
pub(super) fn refuse<T>(construct: &str) -> Parse<T> {
    Err(Failure::NotSupported(construct.to_owned()))
}
