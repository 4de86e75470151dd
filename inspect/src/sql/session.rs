//! The session state that statements of the log need, set where it differs from what is set: in a
//! script for a client, or by statements sent to a server one by one.

use super::across::{self, Destination};
use super::{DELIMITER, SqlForm, comment, statement};
use crate::cell::charset_of;
use crate::cell::digits::{put_fraction, put_u64};
use binlog::event::{
    Charset, EventFlags, EventHeader, Flavour, FormatDescription, Query, StatusVariable,
    session_flag,
};
use charset::Charset as CharacterSet;

use super::literal::{put_identifier, put_utf8};
use gtid::MariaGtid;

/// Where statements go.
pub trait SqlSink {
    /// A statement without line breaks.
    fn line(&mut self, sql: &[u8]);

    /// Any statement.
    fn statement(&mut self, sql: &[u8]);

    /// Tells the client, if there is one, the character set of what follows: it has to tell letters
    /// from quotes.
    fn charset(&mut self, name: &str);
}

/// A script for the `mysql` client.
impl SqlSink for Vec<u8> {
    fn line(&mut self, sql: &[u8]) {
        self.extend_from_slice(sql);
        self.extend_from_slice(DELIMITER);
        self.push(b'\n');
    }

    fn statement(&mut self, sql: &[u8]) {
        statement(self, sql);
    }

    fn charset(&mut self, name: &str) {
        self.extend_from_slice(format!("/*!\\C {name} *//*!*/;\n").as_bytes());
    }
}

/// Statements for a server.
impl SqlSink for Vec<Vec<u8>> {
    fn line(&mut self, sql: &[u8]) {
        self.push(sql.to_vec());
    }

    fn statement(&mut self, sql: &[u8]) {
        self.push(sql.to_vec());
    }

    fn charset(&mut self, _name: &str) {}
}

/// What the replaying session has been set to; `None`: not yet by this output.
#[derive(Debug, Default)]
pub struct Session {
    schema: Option<Vec<u8>>,
    thread_id: Option<u32>,
    flags: Option<u32>,
    sql_mode: Option<u64>,
    auto_increment: Option<(u16, u16)>,
    charset: Option<Charset>,
    time_zone: Option<Vec<u8>>,
    lc_time_names: Option<u16>,
    collation_database: Option<u16>,
    charset_collations: Option<Vec<(u16, u16)>>,
    /// Variables with a version comment, by name.
    versioned: Vec<(&'static str, u64)>,
    domain: Option<u32>,
    server: Option<u32>,
    /// Whether the session is set up for INSERT, UPDATE and DELETE.
    is_for_rows: bool,
    /// Whether the log is that of a MySQL before 8.0, which says nothing of what it took for granted.
    is_before_80: bool,
    /// Where statements go, if that is known: one of the other vendor is told things in its own way.
    destination: Option<Destination>,
}

/// The collation that utf8mb4 had before 8.0: `utf8mb4_general_ci`.
const GENERAL_CI: u16 = 45;

/// sql_mode of row statements: any date is taken, and 0 in an AUTO_INCREMENT column is 0.
const ROWS_SQL_MODE: &str = "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES";

/// MariaDB's session flag of `explicit_defaults_for_timestamp`.
const MARIADB_EXPLICIT_DEFAULTS: u32 = 1 << 24;

/// What every output begins with.
pub(super) fn put_head(out: &mut Vec<u8>, form: SqlForm) {
    comment(out, b"weir binlog show --sql");
    if form == SqlForm::Statements {
        comment(
            out,
            b"Rows as statements fire triggers, unlike the rows of the log.",
        );
    }
    out.extend_from_slice(
        b"/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;\n\
          /*!50003 SET @OLD_COMPLETION_TYPE=@@COMPLETION_TYPE,COMPLETION_TYPE=0*/;\n\
          DELIMITER ",
    );
    out.extend_from_slice(DELIMITER);
    out.push(b'\n');
}

/// What every output ends with.
pub(super) fn put_foot(out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"DELIMITER ;\n\
          # End of log\n\
          /*!50003 SET COMPLETION_TYPE=@OLD_COMPLETION_TYPE*/;\n\
          /*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=0*/;\n",
    );
}

impl Session {
    /// The statements that follow are those of a server of this version.
    pub fn come_from(&mut self, description: &FormatDescription) {
        let version = sql::version_number(&description.server_version);
        let is_mariadb = description.server_version.contains("MariaDB");
        self.is_before_80 = !is_mariadb && version < 80_000;
    }

    /// Of a server that statements go to, of which nothing is known.
    #[must_use]
    pub fn going_to(destination: Destination) -> Self {
        Self {
            destination: Some(destination),
            ..Self::default()
        }
    }

    /// The server that statements go to, if it is of another vendor than `flavour`.
    fn across(&self, flavour: Flavour) -> Option<Destination> {
        let is_other = |to: &Destination| to.flavour != flavour;
        self.destination.filter(is_other)
    }

    /// Sets what `query` ran with, of whose event this is the header; `schema` is its default
    /// database here, or `None` to keep whatever there is.
    pub fn enter(
        &mut self,
        query: &Query<'_>,
        header: &EventHeader,
        flavour: Flavour,
        schema: Option<&[u8]>,
        out: &mut impl SqlSink,
    ) {
        if std::mem::take(&mut self.is_for_rows) {
            self.forget_rows(out);
        }
        match schema {
            Some(b"") => {}
            Some(schema) => self.use_schema(schema, out),
            // It may drop the one in use, or make it anew.
            None => self.schema = None,
        }
        put_timestamp(out, header.timestamp, query.status.microseconds());
        let is_bound = header.flags.contains(EventFlags::THREAD_SPECIFIC);
        if self.thread_id != Some(query.thread_id) && (is_bound || self.thread_id.is_none()) {
            self.thread_id = Some(query.thread_id);
            set(out, "pseudo_thread_id", query.thread_id.into());
        }
        self.assumed(query, flavour, out);
        let mut database = None;
        for variable in &query.status.0 {
            match variable {
                StatusVariable::CollationDatabase(id) => {
                    let to = self.across(flavour);
                    database = Some(to.map_or(*id, |to| across::collation(*id, to)));
                }
                variable => self.variable(variable, flavour, out),
            }
        }
        if self.is_before_80 {
            self.versioned(80_000, "explicit_defaults_for_timestamp", 0, out);
            let name = "default_collation_for_utf8mb4";
            self.versioned(80_011, name, GENERAL_CI.into(), out);
        }
        if self.collation_database != Some(database.unwrap_or(0)) {
            self.collation_database = Some(database.unwrap_or(0));
            match database {
                Some(id) => set(out, "collation_database", id.into()),
                None => out.statement(b"SET @@session.collation_database=DEFAULT"),
            }
        }
    }

    /// Sets what an event does not say where it is what servers take for granted.
    fn assumed(&mut self, query: &Query<'_>, flavour: Flavour, out: &mut impl SqlSink) {
        let says = |is_it: fn(&StatusVariable<'_>) -> bool| query.status.0.iter().any(is_it);
        if !says(|variable| matches!(variable, StatusVariable::AutoIncrement { .. })) {
            let (increment, offset) = (1, 1);
            let variable = StatusVariable::AutoIncrement { increment, offset };
            self.variable(&variable, flavour, out);
        }
        let says_names = says(|variable| matches!(variable, StatusVariable::LcTimeNames(_)));
        let knows_names = self.lc_time_names.is_some() || self.destination.is_some();
        if !says_names && knows_names {
            self.variable(&StatusVariable::LcTimeNames(0), flavour, out);
        }
        let says_defaults =
            says(|variable| matches!(variable, StatusVariable::MariaCharsetCollations(_)));
        if flavour == Flavour::MariaDb && !says_defaults {
            let none = StatusVariable::MariaCharsetCollations(Vec::new());
            self.variable(&none, flavour, out);
        }
    }

    /// Makes `schema` the default one.
    pub fn use_schema(&mut self, schema: &[u8], out: &mut impl SqlSink) {
        if self.schema.as_deref() == Some(schema) {
            return;
        }
        self.schema = Some(schema.to_vec());
        let mut sql = b"use ".to_vec();
        put_identifier(&mut sql, &String::from_utf8_lossy(schema));
        out.line(&sql);
    }

    /// Prepares for INSERT, UPDATE and DELETE.
    pub(super) fn enter_rows(&mut self, out: &mut impl SqlSink) {
        if self.is_for_rows {
            return;
        }
        self.is_for_rows = true;
        out.charset("utf8mb4");
        out.statement(b"SET NAMES utf8mb4");
        out.statement(b"SET @@session.time_zone='+00:00'");
        out.statement(format!("SET @@session.sql_mode='{ROWS_SQL_MODE}'").as_bytes());
    }

    /// What row statements changed must be set again.
    fn forget_rows(&mut self, out: &mut impl SqlSink) {
        self.charset = None;
        self.sql_mode = None;
        if self.time_zone.take().is_none() {
            out.statement(b"SET @@session.time_zone=DEFAULT");
        }
    }

    /// The checks that the rows' session had switched off.
    pub(super) fn row_checks(&mut self, foreign_keys: bool, unique: bool, out: &mut impl SqlSink) {
        use session_flag::{NO_FOREIGN_KEY_CHECKS, RELAXED_UNIQUE_CHECKS};
        let before = self.flags.unwrap_or(0);
        let mut flags = before & !(NO_FOREIGN_KEY_CHECKS | RELAXED_UNIQUE_CHECKS);
        if !foreign_keys {
            flags |= NO_FOREIGN_KEY_CHECKS;
        }
        if !unique {
            flags |= RELAXED_UNIQUE_CHECKS;
        }
        if self.flags == Some(flags) {
            return;
        }
        self.flags = Some(flags);
        let (foreign_keys, unique) = (u8::from(foreign_keys), u8::from(unique));
        let sql = format!(
            "SET @@session.foreign_key_checks={foreign_keys}, @@session.unique_checks={unique}"
        );
        out.statement(sql.as_bytes());
    }

    /// The next transaction's identifier.
    pub fn mariadb_gtid(&mut self, gtid: &MariaGtid, out: &mut impl SqlSink) {
        let mut set = |name: &str, value: u64| {
            let sql = format!("/*M!100001 SET @@session.{name}={value}*/");
            out.line(sql.as_bytes());
        };
        if self.domain != Some(gtid.domain) {
            self.domain = Some(gtid.domain);
            set("gtid_domain_id", gtid.domain.into());
        }
        if self.server != Some(gtid.server) {
            self.server = Some(gtid.server);
            set("server_id", gtid.server.into());
        }
        set("gtid_seq_no", gtid.sequence);
    }

    fn variable(
        &mut self,
        variable: &StatusVariable<'_>,
        flavour: Flavour,
        out: &mut impl SqlSink,
    ) {
        let across = self.across(flavour);
        match variable {
            StatusVariable::Flags2(flags) if self.flags != Some(*flags) => {
                self.flags = Some(*flags);
                // Both have what MySQL logs.
                let form = across.map_or(flavour, |_| Flavour::MySql);
                // Who sends statements to a server by himself says himself when they commit; and a
                // change of this would commit what is open.
                let says_autocommit = self.destination.is_none();
                put_flags(out, *flags, form, says_autocommit);
                if flavour == Flavour::MariaDb && across.is_some() {
                    let on = u64::from(flags & MARIADB_EXPLICIT_DEFAULTS != 0);
                    self.versioned(50_606, "explicit_defaults_for_timestamp", on, out);
                }
            }
            StatusVariable::SqlMode(mode) if self.sql_mode != Some(*mode) => {
                self.sql_mode = Some(*mode);
                let mode = across.map_or(*mode, |to| across::sql_mode(*mode, to));
                set(out, "sql_mode", mode);
            }
            StatusVariable::AutoIncrement { increment, offset }
                if self.auto_increment != Some((*increment, *offset)) =>
            {
                self.auto_increment = Some((*increment, *offset));
                let sql = format!(
                    "SET @@session.auto_increment_increment={increment}, \
                     @@session.auto_increment_offset={offset}"
                );
                out.statement(sql.as_bytes());
            }
            StatusVariable::Charset(charset) if self.charset != Some(*charset) => {
                self.charset = Some(*charset);
                let there = across.map_or(*charset, |to| Charset {
                    client: charset.client,
                    connection: across::collation(charset.connection, to),
                    server: across::collation(charset.server, to),
                });
                put_charset(out, there, flavour);
            }
            StatusVariable::TimeZone(zone) if self.time_zone.as_deref() != Some(zone) => {
                self.time_zone = Some(zone.to_vec());
                let mut sql = b"SET @@session.time_zone=".to_vec();
                put_utf8(&mut sql, &String::from_utf8_lossy(zone));
                out.statement(&sql);
            }
            StatusVariable::LcTimeNames(id) if self.lc_time_names != Some(*id) => {
                self.lc_time_names = Some(*id);
                set(out, "lc_time_names", u64::from(*id));
            }
            // Each vendor has defaults of its own for a charset without a collation.
            StatusVariable::MariaCharsetCollations(_)
            | StatusVariable::DefaultCollationForUtf8mb4(_)
            | StatusVariable::RequirePrimaryKey(_)
            | StatusVariable::DefaultTableEncryption(_)
                if across.is_some() => {}
            StatusVariable::MariaCharsetCollations(pairs)
                if self.charset_collations.as_ref() != Some(pairs) =>
            {
                self.charset_collations = Some(pairs.clone());
                put_charset_collations(out, pairs);
            }
            later => self.later_variable(later, out),
        }
    }

    /// Variables that only servers from some version on have.
    fn later_variable(&mut self, variable: &StatusVariable<'_>, out: &mut impl SqlSink) {
        let (since, name, value) = match variable {
            StatusVariable::ExplicitDefaultsForTimestamp(on) => {
                (50606, "explicit_defaults_for_timestamp", u64::from(*on))
            }
            StatusVariable::DefaultCollationForUtf8mb4(id) => {
                (80011, "default_collation_for_utf8mb4", u64::from(*id))
            }
            StatusVariable::RequirePrimaryKey(on) => {
                (80013, "sql_require_primary_key", u64::from(*on))
            }
            StatusVariable::DefaultTableEncryption(on) => {
                (80016, "default_table_encryption", u64::from(*on))
            }
            // Not session state, or nothing that a client may set.
            _ => return,
        };
        self.versioned(since, name, value, out);
    }

    fn versioned(&mut self, since: u64, name: &'static str, value: u64, out: &mut impl SqlSink) {
        let is_set = self.versioned.contains(&(name, value));
        if !is_set {
            self.versioned.retain(|(other, _)| *other != name);
            self.versioned.push((name, value));
            put_versioned(out, since, name, value);
        }
    }
}

fn set(out: &mut impl SqlSink, name: &str, value: u64) {
    let mut sql = b"SET @@session.".to_vec();
    sql.extend_from_slice(name.as_bytes());
    sql.push(b'=');
    put_u64(&mut sql, value);
    out.line(&sql);
}

/// `SET @@session.name=value` for servers from a version on.
pub fn put_versioned(out: &mut impl SqlSink, since: u64, name: &str, value: u64) {
    out.line(format!("/*!{since} SET @@session.{name}={value}*/").as_bytes());
}

fn put_timestamp(out: &mut impl SqlSink, seconds: u32, micros: Option<u32>) {
    let mut sql = b"SET TIMESTAMP=".to_vec();
    put_u64(&mut sql, seconds.into());
    if let Some(micros) = micros.filter(|micros| *micros > 0) {
        put_fraction(&mut sql, micros, 6);
    }
    out.line(&sql);
}

fn put_flags(out: &mut impl SqlSink, flags: u32, flavour: Flavour, says_autocommit: bool) {
    let on = |bit: u32| u8::from(flags & bit != 0);
    let off = |bit: u32| u8::from(flags & bit == 0);
    let mut sql = format!(
        "SET @@session.foreign_key_checks={}, @@session.sql_auto_is_null={}, \
         @@session.unique_checks={}",
        off(session_flag::NO_FOREIGN_KEY_CHECKS),
        on(session_flag::AUTO_IS_NULL),
        off(session_flag::RELAXED_UNIQUE_CHECKS),
    );
    if says_autocommit {
        let autocommit = off(session_flag::NOT_AUTOCOMMIT);
        sql.push_str(&format!(", @@session.autocommit={autocommit}"));
    }
    if flavour == Flavour::MariaDb {
        sql.push_str(&format!(
            ", @@session.check_constraint_checks={}",
            off(1 << 2)
        ));
        out.statement(sql.as_bytes());
        let later = format!(
            "/*M!100600 SET @@session.explicit_defaults_for_timestamp={}, \
             @@session.sql_if_exists={}*/",
            on(MARIADB_EXPLICIT_DEFAULTS),
            on(1 << 28)
        );
        return out.statement(later.as_bytes());
    }
    out.statement(sql.as_bytes());
}

fn put_charset(out: &mut impl SqlSink, charset: Charset, flavour: Flavour) {
    let name = charset_of(charset.client, flavour).map(CharacterSet::name);
    let client = match name {
        Some(name) => {
            out.charset(name);
            name.to_owned()
        }
        None => charset.client.to_string(),
    };
    let (connection, server) = (charset.connection, charset.server);
    let sql = format!(
        "SET @@session.character_set_client={client},@@session.collation_connection={connection},\
         @@session.collation_server={server}"
    );
    out.statement(sql.as_bytes());
}

/// MariaDB: the default collation of each charset. The log has ids, the variable takes names; the
/// server knows both.
fn put_charset_collations(out: &mut impl SqlSink, pairs: &[(u16, u16)]) {
    let ids: Vec<String> = pairs.iter().map(|(_, id)| id.to_string()).collect();
    if ids.is_empty() {
        return out.statement(b"/*M!110501 SET @@session.character_set_collations=''*/");
    }
    let sql = format!(
        "/*M!110501 SET @@session.character_set_collations=(SELECT GROUP_CONCAT(\
         CHARACTER_SET_NAME,'=',FULL_COLLATION_NAME) FROM \
         information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IN ({}))*/",
        ids.join(",")
    );
    out.statement(sql.as_bytes());
}
