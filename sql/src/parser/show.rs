//! SHOW in both vocabularies.

use super::refuse;
use crate::ast::{Query, SetScope, Show, ShowCreate, ShowFilter, Statement, TableName};
use crate::cursor::{Cursor, Parse};
use crate::lexer::Kind;

impl Cursor<'_> {
    pub(super) fn show(&mut self) -> Parse<Statement> {
        self.advance();
        Ok(Statement::Query(Query::Show(Box::new(self.show_what()?))))
    }

    fn show_what(&mut self) -> Parse<Show> {
        let extended = self.accept("EXTENDED");
        let full = self.accept("FULL");
        if let Some(show) = self.show_schema_object(full, extended)? {
            return Ok(show);
        }
        if let Some(show) = self.show_server(full)? {
            return Ok(show);
        }
        if let Some(show) = self.show_replication()? {
            return Ok(show);
        }
        const REFUSED: [&str; 9] = [
            "PROFILE",
            "PARSE_TREE",
            "CONTRIBUTORS",
            "AUTHORS",
            "EXPLAIN",
            "PACKAGE",
            "LOCALES",
            "MUTEX",
            "USER_STATISTICS",
        ];
        match self.accept_any(&REFUSED) {
            Some(word) => refuse(&format!("SHOW {word}")),
            None => self.unexpected(),
        }
    }

    fn show_schema_object(&mut self, full: bool, extended: bool) -> Parse<Option<Show>> {
        let show = if self.accept_any(&["DATABASES", "SCHEMAS"]).is_some() {
            Show::Databases {
                filter: self.filter()?,
            }
        } else if self.accept("TABLES") {
            Show::Tables {
                full,
                database: self.database_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept_all(&["TABLE", "STATUS"]) {
            Show::TableStatus {
                database: self.database_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept_all(&["OPEN", "TABLES"]) {
            Show::OpenTables {
                database: self.database_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept_any(&["COLUMNS", "FIELDS"]).is_some() {
            let table = self.table_behind_from()?;
            Show::Columns {
                full,
                extended,
                table,
                filter: self.filter()?,
            }
        } else if self.accept_any(&["INDEX", "INDEXES", "KEYS"]).is_some() {
            Show::Index {
                table: self.table_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept("CREATE") {
            Show::Create(self.show_create()?)
        } else if self.accept("TRIGGERS") {
            Show::Triggers {
                database: self.database_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept("EVENTS") {
            Show::Events {
                database: self.database_behind_from()?,
                filter: self.filter()?,
            }
        } else if self.accept_all(&["PROCEDURE", "STATUS"]) {
            Show::ProcedureStatus {
                filter: self.filter()?,
            }
        } else if self.accept_all(&["FUNCTION", "STATUS"]) {
            Show::FunctionStatus {
                filter: self.filter()?,
            }
        } else {
            return Ok(None);
        };
        Ok(Some(show))
    }

    fn show_server(&mut self, full: bool) -> Parse<Option<Show>> {
        if let Some(show) = self.show_variables()? {
            return Ok(Some(show));
        }
        let show = if self.accept("WARNINGS") {
            Show::Warnings {
                count: false,
                limit: self.limit()?,
            }
        } else if self.accept("ERRORS") {
            Show::Errors {
                count: false,
                limit: self.limit()?,
            }
        } else if self.accept("COUNT") {
            self.expect_symbol("(")?;
            self.expect_symbol("*")?;
            self.expect_symbol(")")?;
            match self.expect_any(&["WARNINGS", "ERRORS"])? {
                "WARNINGS" => Show::Warnings {
                    count: true,
                    limit: None,
                },
                _ => Show::Errors {
                    count: true,
                    limit: None,
                },
            }
        } else if self.accept("PROCESSLIST") {
            Show::ProcessList { full }
        } else if self.accept("ENGINES") || self.accept_all(&["STORAGE", "ENGINES"]) {
            Show::Engines
        } else if self.accept("ENGINE") {
            let engine = self.name_or_string()?;
            Show::Engine {
                engine,
                what: self.any_word()?.to_ascii_uppercase(),
            }
        } else if self.accept_all(&["CHARACTER", "SET"]) || self.accept("CHARSET") {
            Show::Charset {
                filter: self.filter()?,
            }
        } else if self.accept("COLLATION") {
            Show::Collation {
                filter: self.filter()?,
            }
        } else if self.accept("GRANTS") {
            Show::Grants {
                user: self.for_user()?,
            }
        } else if self.accept("PRIVILEGES") {
            Show::Privileges
        } else if self.accept("PLUGINS") {
            Show::Plugins
        } else if self.accept("PROFILES") {
            Show::Profiles
        } else {
            return Ok(None);
        };
        Ok(Some(show))
    }

    fn show_variables(&mut self) -> Parse<Option<Show>> {
        let start = self.at;
        let scope = match self.accept_any(&["GLOBAL", "SESSION", "LOCAL"]) {
            Some("GLOBAL") => SetScope::Global,
            _ => SetScope::Session,
        };
        if self.accept("VARIABLES") {
            return Ok(Some(Show::Variables {
                scope,
                filter: self.filter()?,
            }));
        }
        if self.accept("STATUS") {
            return Ok(Some(Show::Status {
                scope,
                filter: self.filter()?,
            }));
        }
        self.at = start;
        Ok(None)
    }

    fn show_replication(&mut self) -> Parse<Option<Show>> {
        let show = if self.accept_all(&["BINARY", "LOG", "STATUS"]) {
            Show::BinaryLogStatus { legacy: false }
        } else if self.accept_all(&["MASTER", "STATUS"]) {
            Show::BinaryLogStatus { legacy: true }
        } else if self.accept_all(&["BINARY", "LOGS"]) || self.accept_all(&["MASTER", "LOGS"]) {
            Show::BinaryLogs
        } else if self.accept_all(&["BINLOG", "EVENTS"]) {
            self.show_events(false)?
        } else if self.accept_all(&["RELAYLOG", "EVENTS"]) {
            self.show_events(true)?
        } else if self.accept_all(&["SLAVE", "HOSTS"]) {
            Show::Replicas { legacy: true }
        } else if self.accept("REPLICAS") {
            Show::Replicas { legacy: false }
        } else if self.accept_all(&["ALL", "SLAVES", "STATUS"])
            || self.accept_all(&["ALL", "REPLICAS", "STATUS"])
        {
            self.refuse_mariadb_suffix()?;
            Show::AllReplicasStatus
        } else if self.accept_all(&["SLAVE", "STATUS"]) {
            self.refuse_mariadb_suffix()?;
            Show::ReplicaStatus {
                legacy: true,
                channel: self.channel()?,
            }
        } else if self.accept_all(&["REPLICA", "STATUS"]) {
            Show::ReplicaStatus {
                legacy: false,
                channel: self.channel()?,
            }
        } else {
            return Ok(None);
        };
        Ok(Some(show))
    }

    /// NONBLOCKING and NOLOCK (Percona, MariaDB) are 1064 as in MySQL: monitors try the next form.
    fn refuse_mariadb_suffix(&self) -> Parse<()> {
        if self.is_word("NONBLOCKING") || self.is_word("NOLOCK") {
            self.unexpected()
        } else {
            Ok(())
        }
    }

    fn show_events(&mut self, relay: bool) -> Parse<Show> {
        let file = if self.accept("IN") {
            Some(self.string()?)
        } else {
            None
        };
        let position = if self.accept("FROM") {
            Some(self.integer()?)
        } else {
            None
        };
        let limit = self.limit()?;
        let channel = self.channel()?;
        Ok(Show::BinlogEvents {
            relay,
            file,
            position,
            limit,
            channel,
        })
    }

    fn show_create(&mut self) -> Parse<ShowCreate> {
        if self.accept("TABLE") {
            return Ok(ShowCreate::Table(self.table_name()?));
        }
        if self.accept("VIEW") {
            return Ok(ShowCreate::View(self.table_name()?));
        }
        if self.accept_any(&["DATABASE", "SCHEMA"]).is_some() {
            let if_not_exists = self.accept_all(&["IF", "NOT", "EXISTS"]);
            return Ok(ShowCreate::Database {
                if_not_exists,
                name: self.identifier()?,
            });
        }
        if self.accept("USER") {
            return Ok(ShowCreate::User(self.account_or_current()?));
        }
        let kinds = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT", "LIBRARY"];
        let kind = self.expect_any(&kinds)?;
        Ok(ShowCreate::Other(kind.to_owned(), self.table_name()?))
    }

    fn for_user(&mut self) -> Parse<Option<crate::ast::AccountName>> {
        if !self.accept("FOR") {
            return Ok(None);
        }
        let user = self.account_or_current()?;
        if self.is_word("USING") {
            return refuse("SHOW GRANTS ... USING");
        }
        Ok(user)
    }

    fn database_behind_from(&mut self) -> Parse<Option<String>> {
        if self.accept_any(&["FROM", "IN"]).is_some() {
            return self.identifier().map(Some);
        }
        Ok(None)
    }

    /// `FROM table [FROM database]`.
    fn table_behind_from(&mut self) -> Parse<TableName> {
        self.expect_any(&["FROM", "IN"])?;
        let table = self.table_name()?;
        match self.database_behind_from()? {
            Some(database) => Ok(TableName {
                database: Some(database),
                name: table.name,
            }),
            None => Ok(table),
        }
    }

    fn filter(&mut self) -> Parse<Option<ShowFilter>> {
        if self.accept("LIKE") {
            if matches!(self.peek(), Kind::Parameter(_)) {
                return refuse("a parameter in SHOW ... LIKE");
            }
            return Ok(Some(ShowFilter::Like(self.string()?)));
        }
        if self.accept("WHERE") {
            return Ok(Some(ShowFilter::Where(
                self.delegate(|parser| parser.parse_expr())?,
            )));
        }
        Ok(None)
    }

    /// `FOR CHANNEL 'name'`.
    pub(super) fn channel(&mut self) -> Parse<Option<String>> {
        if !self.accept("FOR") {
            return Ok(None);
        }
        self.expect("CHANNEL")?;
        self.string().map(Some)
    }
}
