//! SQL that the `mysql` client replays.
//!
//! Two forms: row events as BINLOG statements, which the server applies byte for byte, and row
//! events as INSERT, UPDATE and DELETE, for people and for servers that take no BINLOG. Statements
//! of the log are repeated with the session state they ran in, set only where it changes.
//!
//! Invariant: what comes out of the log and may hold a line break (comments, names, values) never
//! begins a line of its own that the client would run; a statement of the log ends where its
//! delimiter stands, and the delimiter does not occur in it.

mod across;
mod base64;
mod literal;
mod load;
mod replay;
mod row;
mod session;
mod statements;
#[cfg(test)]
mod tests;

use std::io::Write;
use std::path::PathBuf;

pub use self::across::Destination;
pub use self::base64::put as put_base64;
pub use self::literal::put_utf8 as put_text_literal;
pub use self::load::load_local;
pub use self::row::{Find, Inexpressible, NoNames, RowSql};
pub use self::statements::Generated;

use self::load::LoadFiles;
use self::replay::BinlogStatement;
pub use self::session::{Session, SqlSink, put_versioned};
use self::statements::Statements;
use super::cell::Shape;
use super::cell::digits::put_u64;
use super::output::Output;
use super::render::{Render, RenderError, Source, refused};
use super::text::put_row_comments;
use codec::DecodeError;

use binlog::event::{
    Event, EventFlags, Flavour, GtidEvent, Incident, MariadbGtidEvent, MariadbGtidExtra,
    MariadbGtidFlags, Query, StatusVariable, XaId,
};
use binlog::limits::Limits;
use binlog::transaction::{Boundary, Step};

/// How row events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SqlForm {
    /// As BINLOG statements.
    #[default]
    Binlog,
    /// As INSERT, UPDATE and DELETE.
    Statements,
}

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SqlOptions {
    /// How row events are written.
    pub form: SqlForm,
    /// Transactions get new GTIDs where they are replayed.
    pub skip_gtids: bool,
    /// With each BINLOG statement its rows as comments.
    pub rows: bool,
    /// Where the files of LOAD DATA statements are written; without, such statements are refused.
    pub load_files: Option<PathBuf>,
    /// Columns besides those of schema snapshots that INSERT and UPDATE must not name.
    pub generated: Generated,
    /// Bounds on what is inflated.
    pub limits: Limits,
}

/// Ends every statement.
const DELIMITER: &[u8] = b"/*!*/;";

/// Writes events as SQL.
#[derive(Debug)]
pub struct SqlLines {
    options: SqlOptions,
    session: Session,
    binlog: BinlogStatement,
    statements: Statements,
    load: LoadFiles,
    shapes: Vec<Shape>,
    has_begun: bool,
    /// Whether GTID_NEXT is set and must be reset.
    has_gtid: bool,
    /// The statement that set it.
    gtid: Vec<u8>,
    /// Whether the last event left a transaction open.
    is_open: bool,
    /// Whether the next statement is the first phase of a two-phase ALTER, or the end of one that
    /// failed: it is not to be run.
    skips_statement: bool,
}

impl SqlLines {
    /// Begins with no file.
    #[must_use]
    pub fn new(options: SqlOptions) -> Self {
        Self {
            load: LoadFiles::new(options.load_files.clone()),
            statements: Statements::new(options.generated.clone()),
            options,
            session: Session::default(),
            binlog: BinlogStatement::default(),
            shapes: Vec::new(),
            has_begun: false,
            has_gtid: false,
            gtid: Vec::new(),
            is_open: false,
            skips_statement: false,
        }
    }

    /// Between two files, and behind the last: a transaction without an end was never committed.
    fn end_open(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.is_open) {
            statement(out, b"ROLLBACK");
        }
        if std::mem::take(&mut self.has_gtid) {
            statement(out, b"SET @@SESSION.GTID_NEXT='AUTOMATIC'");
        }
    }

    fn description(&mut self, step: &Step<'_>, out: &mut Vec<u8>) {
        self.end_open(out);
        if self.options.form == SqlForm::Binlog {
            self.binlog.description(step, out);
            if self.options.skip_gtids && step.format.flavour == Flavour::MySql {
                // A format description leaves the session without a next GTID, which a server with
                // GTIDs takes for an anonymous transaction and refuses. MariaDB passes it over.
                out.extend_from_slice(b"/*!50700 SET @@SESSION.GTID_NEXT='AUTOMATIC'*//*!*/;\n");
            }
        }
    }

    fn mysql_gtid(&mut self, event: &GtidEvent, out: &mut Vec<u8>) {
        if self.options.skip_gtids {
            return;
        }
        if let Some(times) = event.commit_timestamps {
            let (time, versions) = (times.original, event.server_versions);
            put_versioned(out, 80001, "original_commit_timestamp", time);
            if let Some(versions) = versions {
                let (original, immediate) = (versions.original, versions.immediate);
                put_versioned(out, 80014, "original_server_version", original.into());
                put_versioned(out, 80014, "immediate_server_version", immediate.into());
            }
        }
        self.has_gtid = true;
        self.gtid.clear();
        self.gtid.extend_from_slice(b"SET @@SESSION.GTID_NEXT='");
        match &event.gtid {
            Some(gtid) => self.gtid.extend_from_slice(gtid.to_string().as_bytes()),
            None => self.gtid.extend_from_slice(b"ANONYMOUS"),
        }
        self.gtid.extend_from_slice(b"'/*!*/;\n");
        out.extend_from_slice(&self.gtid);
    }

    /// MariaDB's GTID: it also begins the transaction.
    fn mariadb_gtid(&mut self, event: &MariadbGtidEvent<'_>, out: &mut Vec<u8>) {
        if !self.options.skip_gtids {
            self.session.mariadb_gtid(&event.gtid, out);
        }
        let extra = event.extra.as_ref().map_or(0, |extra| extra.flags);
        let (start, rollback) = (
            MariadbGtidExtra::START_ALTER,
            MariadbGtidExtra::ROLLBACK_ALTER,
        );
        self.skips_statement = extra & (start | rollback) != 0;
        match &event.xid {
            Some(xid) if event.flags.contains(MariadbGtidFlags::PREPARED_XA) => {
                xa(out, "START", xid, "");
            }
            _ if event.is_standalone() => {}
            _ => statement(out, b"START TRANSACTION"),
        }
    }

    fn query(&mut self, query: &Query<'_>, step: &Step<'_>, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.skips_statement) || is_first_phase(query) {
            comment(
                out,
                b"one phase of an ALTER; the statement that ends it is run",
            );
            return;
        }
        let flavour = step.format.flavour;
        let is_used = !step.raw.header.flags.contains(EventFlags::SUPPRESS_USE);
        let schema = is_used.then_some(&*query.schema);
        let header = &step.raw.header;
        self.session.enter(query, header, flavour, schema, out);
        if query.error_code != 0 {
            comment(
                out,
                format!("the statement ended in error {}", query.error_code).as_bytes(),
            );
        }
        if flavour == Flavour::MariaDb
            && let Some(rest) = query.sql.strip_prefix(b"START ALTER ".as_slice())
        {
            comment(out, rest);
            return;
        }
        match without_start(&query.sql) {
            Some(sql) if self.options.form == SqlForm::Statements => {
                self.create_select(sql, flavour, out);
            }
            _ => statement(out, &query.sql),
        }
    }

    /// CREATE TABLE .. SELECT, as one transaction of the log. Only row events may follow such a
    /// CREATE, so that with rows as statements it commits by itself, and the rows get a
    /// transaction and a GTID of their own.
    fn create_select(&mut self, sql: &[u8], flavour: Flavour, out: &mut Vec<u8>) {
        comment(
            out,
            b"CREATE TABLE .. SELECT: the rows are a transaction of their own",
        );
        statement(out, b"ROLLBACK");
        if flavour == Flavour::MySql && self.has_gtid {
            out.extend_from_slice(&self.gtid);
            statement(out, sql);
            statement(out, b"SET @@SESSION.GTID_NEXT='AUTOMATIC'");
        } else {
            statement(out, sql);
        }
        statement(out, b"START TRANSACTION");
    }

    fn comments<W: Write>(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        if !self.options.rows {
            return Ok(());
        }
        put_row_comments(source, step, &mut self.shapes, &self.options.limits, out)
    }

    fn changes<W: Write>(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        match self.options.form {
            SqlForm::Statements => {
                let limits = &self.options.limits;
                let session = &mut self.session;
                self.statements.rows(source, step, session, limits, out)
            }
            SqlForm::Binlog => {
                let limits = &self.options.limits;
                self.binlog.rows(source, step, limits, out)?;
                if self.options.rows {
                    // A comment inside of the statement would be part of its text.
                    self.binlog.close(out.buffer());
                }
                self.comments(source, step, out)
            }
        }
    }

    /// Everything but row events.
    fn other(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), RenderError> {
        match &step.event {
            Event::FormatDescription(event) => {
                self.session.come_from(event);
                self.description(step, out);
            }
            Event::Gtid(event) => self.mysql_gtid(event, out),
            Event::MariadbGtid(event) => self.mariadb_gtid(event, out),
            Event::Query(event) => self.query(event, step, out),
            Event::QueryCompressed(event) => {
                let query = event.inflate(&self.options.limits);
                let query =
                    query.map_err(|error| super::render::undecodable(source, step, error))?;
                self.query(&query, step, out);
            }
            Event::Xid(_) => statement(out, b"COMMIT"),
            Event::XaPrepare(event) if event.is_one_phase() => {
                xa(out, "COMMIT", &event.xid, " ONE PHASE");
            }
            Event::XaPrepare(event) => xa(out, "PREPARE", &event.xid, ""),
            event @ (Event::IntVar(_) | Event::Rand(_) | Event::UserVar(_)) => {
                let put = put_variable(out, event, step.format.flavour);
                let put = put.map_err(|error| super::render::undecodable(source, step, error))?;
                if !put {
                    comment(out, b"a variable that this build does not know");
                }
            }
            Event::RowsQuery(event) => comment(out, event.sql),
            Event::AnnotateRows(event) => comment(out, event.sql),
            Event::Incident(event) => incident(out, event, source, step),
            Event::BeginLoadQuery(event) => self.load.begin(source, step, event)?,
            Event::AppendBlock(event) => self.load.append(source, step, event)?,
            Event::DeleteFile(event) => self.load.forget(event.file_id),
            Event::ExecuteLoadQuery(event) => {
                let (query, header) = (&event.query, &step.raw.header);
                let schema = Some(&*query.schema);
                self.session
                    .enter(query, header, step.format.flavour, schema, out);
                self.load.execute(source, step, event, out)?;
            }
            _ => return passed_over(source, step),
        }
        Ok(())
    }
}

impl<W: Write> Render<W> for SqlLines {
    fn begin(&mut self, source: Source<'_>, out: &mut Output<W>) -> Result<(), RenderError> {
        let buffer = out.buffer();
        if !self.has_begun {
            self.has_begun = true;
            session::put_head(buffer, self.options.form);
        }
        comment(buffer, source.label.as_bytes());
        Ok(())
    }

    fn event(
        &mut self,
        source: Source<'_>,
        step: &Step<'_>,
        out: &mut Output<W>,
    ) -> Result<(), RenderError> {
        match &step.event {
            Event::TableMap(_) => {
                if self.options.form == SqlForm::Binlog {
                    self.binlog.table_map(step, out.buffer());
                }
            }
            Event::Rows(_) => self.changes(source, step, out)?,
            _ => {
                let buffer = out.buffer();
                self.binlog.close(buffer);
                put_place(buffer, step);
                self.other(source, step, buffer)?;
            }
        }
        self.is_open = match step.boundary {
            Boundary::Inside => true,
            Boundary::End { .. } => false,
            Boundary::Outside | Boundary::FileEnd => self.is_open,
        };
        Ok(out.make_room()?)
    }

    fn end(&mut self, out: &mut Output<W>) -> Result<(), RenderError> {
        let buffer = out.buffer();
        self.binlog.close(buffer);
        if !self.has_begun {
            session::put_head(buffer, self.options.form);
        }
        self.end_open(buffer);
        session::put_foot(buffer);
        Ok(out.flush()?)
    }
}

/// Appends a statement and its delimiter. One that holds the delimiter gets another.
fn statement(out: &mut Vec<u8>, sql: &[u8]) {
    let holds = |delimiter: &[u8]| {
        sql.windows(delimiter.len())
            .any(|window| window == delimiter)
    };
    if !holds(DELIMITER) {
        out.extend_from_slice(sql);
        out.push(b'\n');
        out.extend_from_slice(DELIMITER);
        out.push(b'\n');
        return;
    }
    let other = (0_u64..)
        .map(|number| format!("/*!{number}*/;"))
        .find(|other| !holds(other.as_bytes()))
        .unwrap_or_default();
    out.extend_from_slice(b"DELIMITER ");
    out.extend_from_slice(other.as_bytes());
    out.push(b'\n');
    out.extend_from_slice(sql);
    out.push(b'\n');
    out.extend_from_slice(other.as_bytes());
    out.extend_from_slice(b"\nDELIMITER ");
    out.extend_from_slice(DELIMITER);
    out.push(b'\n');
}

/// Appends a comment of one line, whatever the text holds.
fn comment(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(b"# ");
    let plain = |byte: &u8| if byte.is_ascii_control() { b' ' } else { *byte };
    out.extend(text.iter().map(plain));
    out.push(b'\n');
}

fn put_place(out: &mut Vec<u8>, step: &Step<'_>) {
    out.extend_from_slice(b"# at ");
    put_u64(out, step.place.offset);
    if let Some(inner) = step.place.inner {
        out.extend_from_slice(b" payload+");
        put_u64(out, inner);
    }
    out.push(b' ');
    out.extend_from_slice(step.raw.header.event_type.label().as_bytes());
    out.push(b'\n');
}

fn xa(out: &mut Vec<u8>, verb: &str, xid: &XaId<'_>, end: &str) {
    let mut sql = format!("XA {verb} X'").into_bytes();
    super::cell::digits::put_hex(&mut sql, xid.gtrid);
    sql.extend_from_slice(b"',X'");
    super::cell::digits::put_hex(&mut sql, xid.bqual);
    sql.extend_from_slice(b"',");
    put_u64(&mut sql, xid.format.into());
    sql.extend_from_slice(end.as_bytes());
    statement(out, &sql);
}

/// Sets what the statement behind `event` needs: an id, seeds, a user variable. False if the event is
/// none that is known to do that.
///
/// # Errors
/// When the value of a variable cannot be decoded.
pub fn put_variable(
    out: &mut impl SqlSink,
    event: &Event<'_>,
    flavour: Flavour,
) -> Result<bool, DecodeError> {
    match event {
        Event::IntVar(event) => {
            let Some(name) = event.kind.name() else {
                return Ok(false);
            };
            out.line(format!("SET {name}={}", event.value).as_bytes());
        }
        Event::Rand(event) => {
            let (seed1, seed2) = (event.seed1, event.seed2);
            out.line(format!("SET @@RAND_SEED1={seed1}, @@RAND_SEED2={seed2}").as_bytes());
        }
        Event::UserVar(event) => literal::put_user_var(out, event, flavour)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The log lacks changes from here on: the replay is made to stop, as a replica would.
fn incident(out: &mut Vec<u8>, event: &Incident<'_>, source: Source<'_>, step: &Step<'_>) {
    let message = String::from_utf8_lossy(event.message);
    let text = format!(
        "{} at {}: incident {}: {message}",
        source.label, step.place.offset, event.incident
    );
    let mut sql = b"SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT=".to_vec();
    // MySQL's messages have at most 128 characters.
    let shown: String = text.chars().take(128).collect();
    literal::put_utf8(&mut sql, &shown);
    statement(out, &sql);
}

/// The statement of a CREATE TABLE .. SELECT without what makes the rows part of its transaction.
#[must_use]
pub fn without_start(sql: &[u8]) -> Option<&[u8]> {
    let sql = sql.strip_suffix(b" START TRANSACTION")?;
    let is_create = |head: &[u8]| head.eq_ignore_ascii_case(b"CREATE TABLE");
    sql.get(..12).is_some_and(is_create).then_some(sql)
}

/// Whether the statement is one that MariaDB logs before an ALTER is done, or when it failed.
fn is_first_phase(query: &Query<'_>) -> bool {
    const START: u8 = 2;
    const ROLLBACK: u8 = 8;
    query.status.0.iter().any(|variable| {
        matches!(variable, StatusVariable::MariaAlter { flags, .. } if flags & (START | ROLLBACK) != 0)
    })
}

/// An event of which no SQL is made: nothing is lost by that, or it is refused.
fn passed_over(source: Source<'_>, step: &Step<'_>) -> Result<(), RenderError> {
    let reason = match &step.event {
        Event::Load(_) | Event::ExecLoad(_) => {
            "LOAD DATA as MySQL logged it before 5.0 cannot be written as SQL".to_owned()
        }
        Event::PartialRowData(_) => "a row event in pieces cannot be written as SQL".to_owned(),
        Event::Other { event_type, .. }
            if !step.raw.header.flags.contains(EventFlags::IGNORABLE) =>
        {
            let name = event_type.label();
            format!("the log does not say that its {name} event changes nothing")
        }
        // Heads, positions, and what only readers of the log need; table maps, whose rows bring
        // them along; payloads, whose events follow.
        _ => return Ok(()),
    };
    Err(refused(source, step, reason))
}
