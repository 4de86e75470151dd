//! The DDL of Query events, under the settings of the session that ran it.

use std::borrow::Cow;

use binlog::event::{StatusVariables, session_flag};

use super::{ApplyError, Unkept, orders, system, unkept};
use crate::collation::{self, Charset, Collation, UTF8MB4_GENERAL_CI};
use crate::ddl::unenforced;
use crate::execute::Writer;
use crate::session::{Acceptor, SessionContext, TimeZone};
use sql::ast::{Account, Admin, Ddl, TableName};
use sql::error::SqlError;
use sql::{NameCharacters, ParseOptions, SqlMode, Statement, parse, version_number};

/// A DDL statement from a log.
#[derive(Debug, Clone, PartialEq)]
pub struct DdlStatement<'a> {
    /// Default database of the session, empty for none.
    pub database: String,
    /// The statement.
    pub sql: &'a [u8],
    /// `sql_mode` bits.
    pub sql_mode: u64,
    /// When it ran, in microseconds since 1970.
    pub now_micros: i64,
    /// Id of a collation of `character_set_client`; the text is in its character set.
    pub client: Option<u16>,
    /// `collation_connection`.
    pub connection: Option<u16>,
    /// `collation_server`.
    pub server: Option<u16>,
    /// `collation_database`, where it is not the default database's.
    pub default_database: Option<u16>,
    /// `default_collation_for_utf8mb4`.
    pub default_for_utf8mb4: Option<u16>,
    /// MariaDB's `character_set_collations`: the id of a character set's default, and the collation that
    /// the character set means by itself.
    pub charset_collations: Vec<(u16, u16)>,
    /// `time_zone`, if it matters.
    pub time_zone: Option<String>,
    /// `explicit_defaults_for_timestamp`; logs that do not say come from servers where it is off or
    /// where columns say all themselves.
    pub explicit_defaults_for_timestamp: Option<bool>,
    /// `foreign_key_checks`.
    pub foreign_key_checks: bool,
    /// `unique_checks`.
    pub unique_checks: bool,
    /// `auto_increment_increment` and `auto_increment_offset`, which number the rows of a table that
    /// gets such a column.
    pub auto_increment: (u16, u16),
    /// The version of the server that wrote the text, as a number: version comments that it did not
    /// enter are no such comments in its log, so those that are there count up to it.
    pub version: u32,
    /// Whether the log is MariaDB's, whose defaults differ.
    pub is_mariadb: bool,
}

/// What a DROP VIEW is called that was passed over. A primary logs its own, which change nothing.
pub const DROP_VIEW: &str = "DROP VIEW";

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DdlOutcome {
    /// It was executed.
    Done,
    /// It was executed, and declares what is kept and shown but not enforced here: each kind is to be
    /// counted and logged.
    Unenforced {
        /// What that is, for instance `CHECK not enforced`.
        constructs: Vec<&'static str>,
    },
    /// It concerns what this store does not keep, such as accounts, views and triggers; the name is
    /// to be counted and logged.
    NotKept {
        /// What it was, for instance `CREATE USER`.
        construct: &'static str,
    },
}

impl<'a> DdlStatement<'a> {
    /// The statement of a Query event, under the state of the session that ran it, on a server of
    /// the version that the log's format description names.
    #[must_use]
    pub fn new(
        database: &str,
        sql: &'a [u8],
        status: &StatusVariables<'_>,
        now_micros: i64,
        server_version: &str,
    ) -> DdlStatement<'a> {
        let flags2 = status.flags2().unwrap_or(0);
        let is_mariadb = server_version.contains("MariaDB");
        let explicit_defaults_for_timestamp = match is_mariadb {
            true => Some(flags2 & session_flag::EXPLICIT_DEFAULTS_FOR_TIMESTAMP != 0),
            false => status.explicit_defaults_for_timestamp(),
        };
        let charset = status.charset();
        let zone = status.time_zone().filter(|zone| !zone.is_empty());
        DdlStatement {
            database: database.to_owned(),
            sql,
            sql_mode: status.sql_mode().unwrap_or(0),
            now_micros,
            client: charset.map(|charset| charset.client),
            connection: charset.map(|charset| charset.connection),
            server: charset.map(|charset| charset.server),
            default_database: status.collation_database(),
            default_for_utf8mb4: status.default_collation_for_utf8mb4(),
            charset_collations: status.charset_collations().to_vec(),
            time_zone: zone.map(|zone| String::from_utf8_lossy(zone).into_owned()),
            explicit_defaults_for_timestamp,
            foreign_key_checks: flags2 & session_flag::NO_FOREIGN_KEY_CHECKS == 0,
            unique_checks: flags2 & session_flag::RELAXED_UNIQUE_CHECKS == 0,
            auto_increment: status.auto_increment().unwrap_or((1, 1)),
            version: version_number(server_version),
            is_mariadb,
        }
    }

    fn session(&self) -> Result<SessionContext, SqlError> {
        let mut session = SessionContext::new(0);
        session.database = (!self.database.is_empty()).then(|| self.database.clone());
        session.sql_mode = SqlMode::from_bits(self.sql_mode);
        session.now_micros = self.now_micros;
        session.applies_log = true;
        session.accepted_by = Some(Acceptor {
            version: self.version,
            is_mariadb: self.is_mariadb,
        });
        if let Some(client) = self.client.and_then(collation::by_id) {
            session.character_set_client = client.charset;
        }
        if let Some(id) = self.connection {
            session.collation_connection = known(id)?;
        }
        if let Some(id) = self.server {
            session.collation_server = known(id)?;
        }
        if let Some(id) = self.default_database {
            session.collation_database = Some(known(id)?);
        }
        session.default_collation_for_utf8mb4 = match self.default_for_utf8mb4 {
            Some(id) => known(id)?,
            None if self.is_mariadb || self.is_before_80() => &UTF8MB4_GENERAL_CI,
            None => Charset::Utf8mb4.default_collation(),
        };
        let pairs = self.charset_collations.iter();
        let named = pairs.map(|(_, collation)| known(*collation));
        session.default_collations = named.collect::<Result<_, _>>()?;
        let mut named = session.default_collations.iter().copied();
        if let Some(utf8mb4) = named.find(|collation| collation.charset == Charset::Utf8mb4) {
            session.default_collation_for_utf8mb4 = utf8mb4;
        }
        if let Some(zone) = &self.time_zone {
            session.time_zone = TimeZone::by_name(zone)?;
        }
        session.explicit_defaults_for_timestamp = self
            .explicit_defaults_for_timestamp
            .unwrap_or(!self.is_before_80());
        session.foreign_key_checks = self.foreign_key_checks;
        session.unique_checks = self.unique_checks;
        let (increment, offset) = self.auto_increment;
        session.auto_increment_increment = u64::from(increment.max(1));
        session.auto_increment_offset = u64::from(offset.max(1));
        Ok(session)
    }

    /// Whether the log is that of a MySQL with other defaults than 8.0, which says nothing of them.
    const fn is_before_80(&self) -> bool {
        !self.is_mariadb && self.version < 80_000
    }

    /// The character set of the text, if it is known.
    fn charset(&self) -> Option<Charset> {
        let collation = self.client.and_then(collation::by_id)?;
        Some(collation.charset)
    }

    fn text(&self) -> Result<Vec<u8>, SqlError> {
        match self.charset() {
            // The second byte of a character may look like a backslash or a quote, so that the text
            // is read as characters before anything else.
            Some(charset @ (Charset::Latin1 | Charset::Further(_))) => {
                let text = charset.statement(self.sql, SqlMode::from_bits(self.sql_mode));
                let text = text.ok_or_else(|| {
                    SqlError::not_supported(format!(
                        "a statement with bytes that are no text of {}",
                        charset.name()
                    ))
                })?;
                Ok(text.into_owned().into_bytes())
            }
            Some(Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Ascii | Charset::Binary) => {
                Ok(self.sql.to_vec())
            }
            // A client set that is not known is safe as long as the text is ASCII.
            None if self.client.is_some() && !self.sql.is_ascii() => Err(
                SqlError::unknown_character_set(format!("#{}", self.client.unwrap_or(0))),
            ),
            None => Ok(self.sql.to_vec()),
        }
    }
}

/// The text of a Query event as UTF-8, of which the names in it can be read; as it is where it is no
/// text of its session's character set.
#[must_use]
pub fn readable<'a>(sql: &'a [u8], status: &StatusVariables<'_>) -> Cow<'a, [u8]> {
    let client = status.charset().map(|charset| charset.client);
    let charset = client.and_then(collation::by_id).map(|known| known.charset);
    let sql_mode = SqlMode::from_bits(status.sql_mode().unwrap_or(0));
    let text = match charset {
        Some(charset @ (Charset::Latin1 | Charset::Further(_))) => charset.statement(sql, sql_mode),
        Some(Charset::Utf8mb4 | Charset::Utf8mb3 | Charset::Ascii | Charset::Binary) | None => None,
    };
    match text {
        Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
        Some(Cow::Borrowed(_)) | None => Cow::Borrowed(sql),
    }
}

fn known(id: u16) -> Result<&'static Collation, SqlError> {
    collation::by_id(id).ok_or_else(|| SqlError::unknown_collation(format!("#{id}")))
}

pub(super) fn apply(
    writer: &mut Writer,
    statement: &DdlStatement<'_>,
) -> Result<DdlOutcome, ApplyError> {
    execute(writer, statement).map_err(|error| ApplyError::Statement {
        error,
        database: statement.database.clone(),
        sql: String::from_utf8_lossy(statement.sql).into_owned(),
    })
}

fn execute(writer: &mut Writer, statement: &DdlStatement<'_>) -> Result<DdlOutcome, SqlError> {
    let options = ParseOptions {
        sql_mode: SqlMode::from_bits(statement.sql_mode),
        version: statement.version,
        names: statement
            .charset()
            .map_or(NameCharacters::Any, Charset::name_characters),
        is_seven_bit: statement.charset() == Some(Charset::Ascii),
        is_logged: true,
    };
    let parsed = parse(&statement.text()?, &options)?.statement;
    let construct = match &parsed {
        Statement::Ddl(ddl) => return definition(writer, statement, &parsed, ddl),
        Statement::Account(account) => match account {
            Account::CreateUser { .. } => "CREATE USER",
            Account::AlterUser { .. } => "ALTER USER",
            Account::DropUser { .. } => "DROP USER",
            Account::RenameUser(_) => "RENAME USER",
            Account::SetPassword { .. } => "SET PASSWORD",
            Account::Grant(_) => "GRANT",
            Account::Revoke(_) => "REVOKE",
        },
        Statement::Admin(Admin::Flush(_)) => "FLUSH",
        Statement::Admin(Admin::Maintenance { .. }) => "table maintenance",
        Statement::Empty => "an empty statement",
        Statement::NotSupported {
            object: Some(object),
            ..
        } => {
            unkept::note(writer, &statement.database, &object.names)?;
            object.construct
        }
        Statement::NotSupported {
            construct,
            object: None,
        } => return Err(SqlError::not_supported(construct)),
        Statement::Admin(
            Admin::Set(_)
            | Admin::ResetPersist { .. }
            | Admin::Use(_)
            | Admin::Help(_)
            | Admin::Kill { .. }
            | Admin::Shutdown,
        )
        | Statement::Write(_)
        | Statement::Query(_)
        | Statement::Transaction(_)
        | Statement::Replication(_)
        | Statement::Prepared(_) => {
            return Err(SqlError::not_supported(
                "a statement that is not DDL in the log",
            ));
        }
    };
    Ok(DdlOutcome::NotKept { construct })
}

/// Executes what changes the schema, or says what it is about that is not kept.
fn definition(
    writer: &mut Writer,
    statement: &DdlStatement<'_>,
    parsed: &Statement,
    ddl: &Ddl,
) -> Result<DdlOutcome, SqlError> {
    let passed_over = |construct| Ok(DdlOutcome::NotKept { construct });
    let database = &statement.database;
    if !matches!(ddl, Ddl::DropView { .. }) && system::is_about_system_tables(ddl, database) {
        return passed_over(system::DEFINITION);
    }
    match ddl {
        Ddl::DropView { views, .. } => {
            unkept::dropped(writer, Unkept::View, database, views)?;
            return passed_over(DROP_VIEW);
        }
        Ddl::RenameTable(pairs) => {
            let mut session = statement.session()?;
            let found = unkept::rename(writer, pairs, &mut session)?;
            return found.map_or(Ok(DdlOutcome::Done), passed_over);
        }
        Ddl::DropTable {
            temporary: false,
            if_exists,
            tables,
        } if statement.is_mariadb => {
            let found = drop_tables(writer, statement, *if_exists, tables)?;
            return found.map_or(Ok(DdlOutcome::Done), passed_over);
        }
        Ddl::CreateTable(create) => {
            if let Some(construct) = unkept::in_the_way(writer, database, create)? {
                return passed_over(construct);
            }
        }
        Ddl::CreateDatabase { .. }
        | Ddl::AlterDatabase { .. }
        | Ddl::DropDatabase { .. }
        | Ddl::AlterTable(_)
        | Ddl::DropTable { .. }
        | Ddl::TruncateTable(_)
        | Ddl::CreateIndex(_)
        | Ddl::DropIndex { .. } => {}
    }
    let mut session = statement.session()?;
    let version = writer.catalog().version;
    writer.execute(parsed, &[], &mut session, &mut Vec::new())?;
    if writer.catalog().version == version {
        return Ok(DdlOutcome::Done);
    }
    let by = session.accepted_by;
    let mut constructs = by.map_or_else(Vec::new, |by| unenforced(ddl, by));
    constructs.extend(orders::not_kept(writer, ddl, &session));
    Ok(match constructs.is_empty() {
        true => DdlOutcome::Done,
        false => DdlOutcome::Unenforced { constructs },
    })
}

/// DROP TABLE of MariaDB, which may mean sequences.
fn drop_tables(
    writer: &mut Writer,
    statement: &DdlStatement<'_>,
    if_exists: bool,
    tables: &[TableName],
) -> Result<Option<&'static str>, SqlError> {
    let mut session = statement.session()?;
    let left = unkept::without_sequences(writer, tables, &session)?;
    let has_sequences = left.len() < tables.len();
    if !left.is_empty() {
        let ddl = Ddl::DropTable {
            temporary: false,
            if_exists,
            tables: left,
        };
        writer.execute(&Statement::Ddl(ddl), &[], &mut session, &mut Vec::new())?;
    }
    Ok(has_sequences.then_some(unkept::DROP_SEQUENCE))
}
