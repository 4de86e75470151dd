//! What the account of an applier may not do on a server, all of it at once.

use binlog::event::{ChecksumAlgorithm, FormatDescription};
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::binlog_statement::BinlogStatement;
use super::facts::ServerFacts;
use super::pipe::Pipe;
use super::{MysqlOptions, Truth};
use crate::TargetError;

/// Privileges that DDL and rows of the source need, by their names in `USER_PRIVILEGES`.
const STATEMENTS: [&str; 9] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "CREATE",
    "DROP",
    "ALTER",
    "INDEX",
    "REFERENCES",
];

/// Ends with everything that is missing.
pub(super) fn check(
    pipe: &mut Pipe,
    options: &MysqlOptions,
    facts: &ServerFacts,
) -> Result<(), TargetError> {
    let mut missing = Vec::new();
    let mut probes = Vec::new();
    if !options.is_logged {
        probes.push(b"SET @@session.sql_log_bin=@@session.sql_log_bin".to_vec());
    }
    if options.keeps_mariadb(facts) {
        for name in ["sql_log_bin", "gtid_domain_id"] {
            probes.push(format!("SET @@session.{name}=@@session.{name}").into_bytes());
        }
    }
    let version = match facts.is_mariadb {
        true => "10.11.0-MariaDB",
        false => "8.4.0",
    };
    let description = FormatDescription::current(version, ChecksumAlgorithm::None);
    probes.push(BinlogStatement::description(&description));
    if options.truth == Truth::Gtids || facts.has_gtids {
        probes.push(b"SET @@SESSION.GTID_NEXT='AUTOMATIC'".to_vec());
    }
    for probe in probes {
        pipe.drain()?;
        pipe.send(&probe)?;
        match pipe.drain() {
            Err(TargetError::Config(error)) => missing.push(error.message),
            outcome => outcome?,
        }
    }
    missing.extend(without_grant(pipe)?);
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!(
        "the account lacks what an applier needs: {}",
        missing.join("; ")
    );
    // ER_SPECIFIC_ACCESS_DENIED_ERROR
    Err(TargetError::Config(SqlError::new(1227, "42000", text)))
}

/// Those of [`STATEMENTS`] that the account has for no more than some databases. With roles nothing
/// is known: they may give them.
fn without_grant(pipe: &mut Pipe) -> Result<Vec<String>, TargetError> {
    match pipe.scalar("SELECT CURRENT_ROLE()") {
        Ok(role) if role.as_deref().is_none_or(|role| role == "NONE") => {}
        Ok(_) => return Ok(Vec::new()),
        // A server without roles.
        Err(TargetError::Unsupported(_) | TargetError::Statement(_)) => {}
        Err(error) => return Err(error),
    }
    let sql = "SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = \
               CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";
    let answer = match pipe.ask(sql) {
        // Weir's information_schema has no such table; its errors name what is missing.
        Err(TargetError::Statement(_) | TargetError::Unsupported(_)) => return Ok(Vec::new()),
        answer => answer?,
    };
    let QueryResult::Rows { rows, .. } = answer else {
        return Ok(Vec::new());
    };
    // Every account of MySQL and MariaDB has a row; a server without them says nothing.
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let has = |name: &str| {
        let mut cells = rows.iter().filter_map(|row| row.first()?.as_deref());
        cells.any(|cell| cell.eq_ignore_ascii_case(name.as_bytes()))
    };
    let missing: Vec<&str> = STATEMENTS.into_iter().filter(|name| !has(name)).collect();
    Ok(match missing.is_empty() {
        true => Vec::new(),
        false => vec![format!("{} on *.*", missing.join(", "))],
    })
}
