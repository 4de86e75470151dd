//! What is settled with a source before the dump: who it is, clocks, heartbeats, checksums.
//!
//! The statements and their order are those of a MySQL 9.7 replica, so that every source that serves
//! one serves Weir; only the clock is asked with its fraction. A MariaDB source is asked what a
//! MariaDB replica asks besides: it leaves its own events out of the stream for others.

use std::time::SystemTime;

use binlog::event::{ChecksumAlgorithm, Flavour};
use config::SourceSettings;
use config::settings::SourcePosition;
use gtid::MariaPosition;
use protocol::client::{Connection, QueryResult};
use protocol::{Error, RegisterReplica};

use super::ReplicaIdentity;
use super::error::ReceiverError;

/// What a source said of itself.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) flavour: Flavour,
    pub(super) server_id: u32,
    pub(super) uuid: Option<String>,
    /// The source's clock minus ours, µs.
    pub(super) clock_offset_micros: i64,
    pub(super) checksum: ChecksumAlgorithm,
    pub(super) gtid_mode: Option<String>,
    /// Its `binlog_format`, if it is not ROW.
    pub(super) other_format: Option<String>,
}

/// Whose events a source of this version sends. MariaDB before 11 says that it is `5.5.5-10.x`.
pub(super) fn flavour(version: &str) -> Flavour {
    match version.contains("MariaDB") {
        true => Flavour::MariaDb,
        false => Flavour::MySql,
    }
}

/// Settles everything with the source and registers; a MariaDB source is told that the replica
/// stands at `position`. Not cancellation-safe: the connection is of
/// no use when this was dropped half-way.
pub(super) async fn greet(
    connection: &mut Connection,
    settings: &SourceSettings,
    identity: &ReplicaIdentity,
    position: &MariaPosition,
) -> Result<Source, ReceiverError> {
    let flavour = flavour(&connection.greeting().version);
    let clock_offset_micros = clock_offset(connection).await?;
    let server_id = ask(
        connection,
        "SELECT @@GLOBAL.SERVER_ID",
        "tell its server id",
    )
    .await?
    .and_then(|text| text.parse().ok())
    .unwrap_or(0);
    if server_id == identity.server_id {
        return Err(ReceiverError::EqualServerIds { server_id });
    }
    let period = settings.heartbeat_period.as_nanos();
    let heartbeat =
        format!("SET @master_heartbeat_period = {period}, @source_heartbeat_period = {period}");
    ask(connection, &heartbeat, "send heartbeats").await?;
    let announce = "SET @master_binlog_checksum = @@global.binlog_checksum, \
                    @source_binlog_checksum = @@global.binlog_checksum";
    // A source that knows no checksums (MySQL 5.5) knows no such variable either: 1193.
    let checksum = match ask(connection, announce, "use checksums").await {
        Ok(_) => checksum(connection).await?,
        Err(ReceiverError::Setup { refusal, .. }) if refusal.code == 1193 => {
            ChecksumAlgorithm::None
        }
        Err(error) => return Err(error),
    };
    let gtid_mode = optional(connection, "SELECT @@GLOBAL.GTID_MODE").await?;
    let uuid = optional(connection, "SELECT @@GLOBAL.SERVER_UUID").await?;
    if uuid.as_deref() == Some(identity.uuid.as_str()) {
        return Err(ReceiverError::EqualUuids {
            uuid: identity.uuid.clone(),
        });
    }
    let format = optional(connection, "SELECT @@GLOBAL.binlog_format").await?;
    let other_format = format.filter(|format| !format.eq_ignore_ascii_case("ROW"));
    let own = &identity.uuid;
    let introduce = format!("SET @slave_uuid = '{own}', @replica_uuid = '{own}'");
    ask(connection, &introduce, "take the replica's UUID").await?;
    if flavour == Flavour::MariaDb {
        greet_mariadb(connection, settings, position).await?;
    }
    register(connection, identity).await?;
    Ok(Source {
        flavour,
        server_id,
        uuid,
        clock_offset_micros,
        checksum,
        gtid_mode,
        other_format,
    })
}

/// What only MariaDB understands: that its own events are understood here, and where to go on.
async fn greet_mariadb(
    connection: &mut Connection,
    settings: &SourceSettings,
    position: &MariaPosition,
) -> Result<(), ReceiverError> {
    let capability = "SET @mariadb_slave_capability = 4";
    ask(connection, capability, "send MariaDB's own events").await?;
    if settings.position != SourcePosition::Auto {
        return Ok(());
    }
    // Before 10.0 there is no such variable, and the position would be ignored.
    if optional(connection, "SELECT @@GLOBAL.gtid_domain_id")
        .await?
        .is_none()
    {
        let version = connection.greeting().version.clone();
        return Err(ReceiverError::NoMariadbGtids { version });
    }
    for statement in [
        format!("SET @slave_connect_state = '{position}'"),
        "SET @slave_gtid_strict_mode = 1".to_owned(),
        "SET @slave_gtid_ignore_duplicates = 0".to_owned(),
    ] {
        ask(connection, &statement, "take the replica's GTID position").await?;
    }
    Ok(())
}

async fn register(
    connection: &mut Connection,
    identity: &ReplicaIdentity,
) -> Result<(), ReceiverError> {
    let replica = RegisterReplica {
        server_id: identity.server_id,
        host: identity.report_host.clone(),
        user: String::new(),
        password: String::new(),
        port: identity.report_port,
        rank: 0,
        source_id: 0,
    };
    connection
        .register_replica(&replica)
        .await
        .map_err(|error| refused("register a replica", error))
}

/// Half the round trip is taken off, so that the offset is right to a few hundred µs on a quiet
/// network when the source tells fractions, and to a second when it does not.
async fn clock_offset(connection: &mut Connection) -> Result<i64, ReceiverError> {
    let before = SystemTime::now();
    let told = ask(connection, "SELECT UNIX_TIMESTAMP(NOW(6))", "tell the time").await?;
    let here = micros(before).midpoint(micros(SystemTime::now()));
    Ok(told
        .and_then(|text| decimal_micros(&text))
        .map_or(0, |there| there.saturating_sub(here)))
}

fn micros(at: SystemTime) -> i64 {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

fn decimal_micros(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let padded: String = fraction
        .chars()
        .chain(std::iter::repeat('0'))
        .take(6)
        .collect();
    let seconds: i64 = seconds.parse().ok()?;
    seconds
        .checked_mul(1_000_000)?
        .checked_add(padded.parse().ok()?)
}

async fn checksum(connection: &mut Connection) -> Result<ChecksumAlgorithm, ReceiverError> {
    let told = ask(
        connection,
        "SELECT @source_binlog_checksum",
        "tell its checksum",
    )
    .await?;
    Ok(match told.as_deref() {
        Some(name) if name.eq_ignore_ascii_case("CRC32") => ChecksumAlgorithm::Crc32,
        _ => ChecksumAlgorithm::None,
    })
}

/// A variable that older sources do not have.
async fn optional(connection: &mut Connection, sql: &str) -> Result<Option<String>, ReceiverError> {
    match ask(connection, sql, "tell its variables").await {
        Err(ReceiverError::Setup { refusal, .. }) if refusal.code == 1193 => Ok(None),
        answer => answer,
    }
}

async fn ask(
    connection: &mut Connection,
    sql: &str,
    asked: &'static str,
) -> Result<Option<String>, ReceiverError> {
    let answer: Result<QueryResult, Error> = connection.query(sql).await;
    answer
        .map(|answer| answer.scalar())
        .map_err(|error| refused(asked, error))
}

fn refused(asked: &'static str, error: Error) -> ReceiverError {
    match error {
        Error::Refused(refusal) => ReceiverError::Setup { asked, refusal },
        error => ReceiverError::Lost(error),
    }
}

#[cfg(test)]
mod tests {
    use super::decimal_micros;

    #[test]
    fn reads_seconds_with_and_without_a_fraction() {
        for (text, expected) in [
            ("1795203199", Some(1_795_203_199_000_000)),
            ("1795203199.5", Some(1_795_203_199_500_000)),
            ("1795203199.000042", Some(1_795_203_199_000_042)),
            ("soon", None),
        ] {
            assert_eq!(decimal_micros(text), expected);
        }
    }
}
