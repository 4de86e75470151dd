//! What a replica asks for: the dump command together with the user variables that it set before.
//!
//! Spec: mysql-server 8.4, `sql/rpl_binlog_sender.cc`, `Binlog_sender::init*`.

use std::time::Duration;

use binlog::event::ChecksumAlgorithm;
use codec::DecodeError;
use gtid::GtidSet;
use protocol::{BinlogDump, BinlogDumpGtid, dump_flag};

use crate::registry::ReplicaKey;

/// Where the dump begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpStart {
    /// At an event of a file.
    Position {
        /// The file; empty for the first of the log.
        file: String,
        /// Offset in it.
        offset: u64,
    },
    /// At the first transaction that the replica lacks.
    Gtids(GtidSet),
}

/// What the session's user variables say about the replica.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicaVariables {
    /// `@source_heartbeat_period` or `@master_heartbeat_period`; `None` or 0: no heartbeats.
    pub heartbeat_period: Option<Duration>,
    /// `@source_binlog_checksum` or `@master_binlog_checksum`; `None`: the replica knows no
    /// checksums.
    pub checksum: Option<ChecksumAlgorithm>,
    /// `@replica_uuid` or `@slave_uuid`; empty if it has none.
    pub uuid: String,
    /// `@mariadb_slave_capability` is set: a MariaDB.
    pub is_mariadb: bool,
    /// `@slave_connect_state`: MariaDB asks by its own GTIDs.
    pub mariadb_position: Option<String>,
}

impl ReplicaVariables {
    /// Reads the variables. `lookup` gives a user variable, named without `@` in lower case, as
    /// text.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let either = |today: &str, once: &str| lookup(today).or_else(|| lookup(once));
        let period = either("source_heartbeat_period", "master_heartbeat_period");
        let checksum = either("source_binlog_checksum", "master_binlog_checksum");
        Self {
            heartbeat_period: period
                .and_then(|nanoseconds| nanoseconds.trim().parse().ok())
                .filter(|&nanoseconds: &u64| nanoseconds > 0)
                .map(Duration::from_nanos),
            checksum: checksum.and_then(|name| match name.to_ascii_uppercase().as_str() {
                "NONE" => Some(ChecksumAlgorithm::None),
                "CRC32" => Some(ChecksumAlgorithm::Crc32),
                _ => None,
            }),
            uuid: either("replica_uuid", "slave_uuid").unwrap_or_default(),
            is_mariadb: lookup("mariadb_slave_capability").is_some(),
            mariadb_position: lookup("slave_connect_state"),
        }
    }
}

/// What a replica asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpRequest {
    /// Where to begin.
    pub start: DumpStart,
    /// The replica's `server_id`; 0 for mysqlbinlog.
    pub server_id: u32,
    /// Whether to end at the end of the log instead of waiting.
    pub is_non_blocking: bool,
    /// Whether the replica wants heartbeats of version 2.
    pub wants_heartbeat_v2: bool,
    /// What it said before.
    pub variables: ReplicaVariables,
}

impl DumpRequest {
    /// COM_BINLOG_DUMP.
    #[must_use]
    pub fn by_position(command: &BinlogDump, variables: ReplicaVariables) -> Self {
        // A name ends at its first NUL, which some clients send.
        let name = command.file.split(|byte| *byte == 0).next();
        let start = DumpStart::Position {
            file: String::from_utf8_lossy(name.unwrap_or_default()).into_owned(),
            offset: u64::from(command.position),
        };
        Self::new(start, command.flags, command.server_id, variables)
    }

    /// COM_BINLOG_DUMP_GTID. The file that it names is not used, as in MySQL.
    pub fn by_gtids(
        command: &BinlogDumpGtid,
        variables: ReplicaVariables,
    ) -> Result<Self, DecodeError> {
        let start = DumpStart::Gtids(GtidSet::decode(&command.gtid_set)?);
        Ok(Self::new(
            start,
            command.flags,
            command.server_id,
            variables,
        ))
    }

    /// Who is served, for the registry.
    #[must_use]
    pub fn key(&self) -> Option<ReplicaKey> {
        ReplicaKey::new(&self.variables.uuid, self.server_id)
    }

    fn new(start: DumpStart, flags: u16, server_id: u32, variables: ReplicaVariables) -> Self {
        Self {
            start,
            server_id,
            is_non_blocking: flags & dump_flag::NON_BLOCK != 0,
            // To a MariaDB the same bit means to send ANNOTATE_ROWS.
            wants_heartbeat_v2: flags & dump_flag::HEARTBEAT_V2 != 0 && !variables.is_mariadb,
            variables,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> ReplicaVariables {
        ReplicaVariables::read(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn reads_what_replicas_of_today_and_of_5_6_set() {
        let today = read(&[
            ("source_heartbeat_period", "2000000000"),
            ("source_binlog_checksum", "CRC32"),
            ("replica_uuid", "u"),
        ]);
        assert_eq!(today.heartbeat_period, Some(Duration::from_secs(2)));
        assert_eq!(today.checksum, Some(ChecksumAlgorithm::Crc32));
        assert_eq!(today.uuid, "u");
        let once = read(&[
            ("master_heartbeat_period", "0"),
            ("master_binlog_checksum", "NONE"),
            ("slave_uuid", "u"),
            ("mariadb_slave_capability", "4"),
        ]);
        assert_eq!(once.heartbeat_period, None);
        assert_eq!(once.checksum, Some(ChecksumAlgorithm::None));
        assert!(once.is_mariadb);
        assert_eq!(read(&[]), ReplicaVariables::default());
    }

    #[test]
    fn a_mariadb_never_gets_heartbeats_of_version_2() {
        let command = BinlogDump {
            flags: dump_flag::HEARTBEAT_V2,
            ..BinlogDump::default()
        };
        let request = |variables| DumpRequest::by_position(&command, variables);
        assert!(request(ReplicaVariables::default()).wants_heartbeat_v2);
        let mariadb = read(&[("mariadb_slave_capability", "4")]);
        assert!(!request(mariadb).wants_heartbeat_v2);
    }
}
