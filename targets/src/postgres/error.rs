//! What an answer of PostgreSQL means for an applier.

use sql::error::SqlError;
use sqlx::postgres::PgDatabaseError;

use crate::TargetError;

/// What failed on a connection that is there.
pub(super) fn failed(error: &sqlx::Error) -> TargetError {
    match error.as_database_error() {
        Some(answer) => match answer.try_downcast_ref::<PgDatabaseError>() {
            Some(answer) => of_answer(answer),
            None => lost(error),
        },
        None => lost(error),
    }
}

/// CR_SERVER_LOST.
fn lost(error: &sqlx::Error) -> TargetError {
    let text = format!("Lost connection to the PostgreSQL target: {error}");
    TargetError::Retry(SqlError::new(2013, "HY000", text))
}

/// What failed before there was a connection.
pub(super) fn not_connected(error: &sqlx::Error, server: &str) -> TargetError {
    match failed(error) {
        TargetError::Retry(error) if error.code != 2013 => TargetError::Retry(error),
        TargetError::Retry(_) => {
            // CR_CONN_HOST_ERROR
            let text = format!("Can't connect to the PostgreSQL target {server}: {error}");
            match error {
                sqlx::Error::Tls(_) | sqlx::Error::Configuration(_) => {
                    TargetError::Config(SqlError::new(2026, "HY000", text))
                }
                _ => TargetError::Retry(SqlError::new(2003, "HY000", text)),
            }
        }
        other => other,
    }
}

/// Whether the connection is of no more use.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error.as_database_error().and_then(|answer| answer.code()) {
        Some(code) => code.starts_with("57P") || code.starts_with("08"),
        None => true,
    }
}

/// Whether the answer is that a key is there already.
pub(super) fn duplicate(error: &sqlx::Error) -> Option<&PgDatabaseError> {
    let answer = error.as_database_error()?;
    let answer = answer.try_downcast_ref::<PgDatabaseError>()?;
    (answer.code() == "23505").then_some(answer)
}

/// Classes and codes of PostgreSQL's appendix A, with the number that MySQL has for the same.
fn of_answer(answer: &PgDatabaseError) -> TargetError {
    let state = answer.code();
    let mut text = format!("PostgreSQL: {} (SQLSTATE {state})", answer.message());
    if let Some(detail) = answer.detail() {
        text.push_str(": ");
        text.push_str(detail);
    }
    let with = |code: u16| SqlError::new(code, "HY000", text.clone());
    match state {
        // Serialization failure, deadlock, lock timeout, cancelled.
        "40001" | "40P01" => TargetError::Retry(with(1213)),
        "55P03" | "57014" => TargetError::Retry(with(1205)),
        "53300" => TargetError::Retry(with(1040)),
        "53100" => TargetError::Retry(with(1114)),
        "28000" | "28P01" => TargetError::Config(with(1045)),
        "3D000" => TargetError::Config(with(1049)),
        "42501" => TargetError::Config(with(1142)),
        "23505" => TargetError::Conflict(with(1062)),
        // No byte of a text may be zero; no such character; a row, or a key, is too large.
        "22021" | "22P05" | "54000" => TargetError::Unsupported(with(1366)),
        "42P01" => TargetError::Statement(with(1146)),
        "42P07" => TargetError::Statement(with(1050)),
        "42703" => TargetError::Statement(with(1054)),
        _ if state.starts_with("57P") || state.starts_with("08") => TargetError::Retry(with(2013)),
        _ if state.starts_with("53") => TargetError::Retry(with(1041)),
        _ => TargetError::Statement(with(1105)),
    }
}
