//! The session as QUERY events describe it: what a replica must know to run a statement alike.
//!
//! Order and selection are those of MySQL 9.7.

use std::borrow::Cow;

use binlog::event::{self, Query, StatusVariable, StatusVariables, session_flag};
use engine::collation::Charset;
use engine::session::SessionContext;

/// The event of a statement inside a transaction, such as `BEGIN`.
pub(super) fn transaction_query<'a>(session: &'a SessionContext, sql: &'a [u8]) -> Query<'a> {
    let mut status = session_variables(session, session.character_set_client);
    status.push(StatusVariable::DefaultCollationForUtf8mb4(
        session.default_collation_for_utf8mb4.id,
    ));
    query(session, Cow::Borrowed(sql), status)
}

/// The event of a DDL statement that changes `schemas`.
///
/// The event's schema is the session's, but for a statement about a database that database: this
/// is what filters of replicas look at. The text is that of the client in the client's character set,
/// which is the one that the event names.
pub(super) fn ddl_query<'a>(
    session: &'a SessionContext,
    database: Option<&'a str>,
    sql: &'a [u8],
    schemas: &'a [String],
    xid: u64,
) -> Query<'a> {
    let (client, sql) = client_text(session.character_set_client, sql);
    let mut status = session_variables(session, client);
    // The zone is named when something depended on it, as by MySQL: a replica may lack its name.
    if session.time_zone.was_used() {
        let name = session.time_zone.name().as_bytes();
        status.push(StatusVariable::TimeZone(Cow::Borrowed(name)));
    }
    if !schemas.is_empty() {
        let names = schemas.iter().map(|name| Cow::Borrowed(name.as_bytes()));
        // MySQL names at most 16 and then says "too many".
        let names = (schemas.len() <= 16).then(|| names.collect());
        status.push(StatusVariable::UpdatedSchemas(names));
    }
    let micros = session.now_micros.rem_euclid(1_000_000);
    status.push(StatusVariable::Microseconds(
        u32::try_from(micros).unwrap_or_default(),
    ));
    if !session.explicit_defaults_for_timestamp {
        status.push(StatusVariable::ExplicitDefaultsForTimestamp(0));
    }
    status.push(StatusVariable::DdlXid(xid));
    status.push(StatusVariable::DefaultCollationForUtf8mb4(
        session.default_collation_for_utf8mb4.id,
    ));
    let query = query(session, sql, status);
    match database {
        Some(database) => Query {
            schema: Cow::Borrowed(database.as_bytes()),
            ..query
        },
        None => query,
    }
}

/// A statement's text, which is UTF-8 here, as its client sent it: in `client` if that has all its
/// characters, else in UTF-8.
fn client_text(client: Charset, sql: &[u8]) -> (Charset, Cow<'_, [u8]>) {
    match std::str::from_utf8(sql).map(|text| client.written(text)) {
        Ok(Ok(text)) => (client, text),
        Ok(Err(_)) => (Charset::Utf8mb4, Cow::Borrowed(sql)),
        // It was no text of the client's character set, and nobody has changed it.
        Err(_) => (client, Cow::Borrowed(sql)),
    }
}

fn query<'a>(
    session: &'a SessionContext,
    sql: Cow<'a, [u8]>,
    status: Vec<StatusVariable<'a>>,
) -> Query<'a> {
    let database = session.database.as_deref().unwrap_or_default();
    Query {
        thread_id: u32::try_from(session.pseudo_thread_id & 0xffff_ffff).unwrap_or_default(),
        exec_time: 0,
        error_code: 0,
        status: StatusVariables(status),
        schema: Cow::Borrowed(database.as_bytes()),
        sql,
    }
}

fn session_variables(session: &SessionContext, client: Charset) -> Vec<StatusVariable<'_>> {
    let mut flags2 = 0;
    if !session.foreign_key_checks {
        flags2 |= session_flag::NO_FOREIGN_KEY_CHECKS;
    }
    if !session.unique_checks {
        flags2 |= session_flag::RELAXED_UNIQUE_CHECKS;
    }
    let mut status = vec![
        StatusVariable::Flags2(flags2),
        StatusVariable::SqlMode(session.sql_mode.0),
        StatusVariable::Catalog(Cow::Borrowed(b"std")),
    ];
    let (increment, offset) = (
        session.auto_increment_increment,
        session.auto_increment_offset,
    );
    if (increment, offset) != (1, 1) {
        status.push(StatusVariable::AutoIncrement {
            increment: u16::try_from(increment).unwrap_or(u16::MAX),
            offset: u16::try_from(offset).unwrap_or(u16::MAX),
        });
    }
    status.push(StatusVariable::Charset(charset(session, client)));
    status
}

/// The collations of the session. A replica takes from the first only its character set, so of
/// several collations of that set one is named that older replicas know: MariaDB knows no 255.
fn charset(session: &SessionContext, client: Charset) -> event::Charset {
    let known = [session.collation_connection, session.collation_server]
        .into_iter()
        .find(|collation| collation.charset == client);
    event::Charset {
        client: known.unwrap_or(client.default_collation()).id,
        connection: session.collation_connection.id,
        server: session.collation_server.id,
    }
}
