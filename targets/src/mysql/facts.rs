//! What a server says of itself, and what the applier's account may not do there.

use binlog::transaction::Executed;
use gtid::{GtidSet, MariaPosition};
use protocol::client::QueryResult;
use sql::error::SqlError;

use super::cluster;
use super::pipe::Pipe;
use crate::TargetError;

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// Its version text.
    pub version: String,
    /// Whether it is a MariaDB server.
    pub is_mariadb: bool,
    /// Its version as MySQL's version comments count, for example 90704.
    pub number: u32,
    /// Whether its own transactions get GTIDs: `gtid_mode=ON`.
    pub has_gtids: bool,
    /// Its `max_allowed_packet`, in bytes.
    pub packet_max: u64,
    /// Its `gtid_executed`; empty on MariaDB and without GTIDs.
    pub gtid_executed: GtidSet,
    /// Its `gtid_slave_pos`: what it applied as a MariaDB replica, or was told that its rows hold.
    pub mariadb_position: MariaPosition,
    /// Its `read_only` or `super_read_only`.
    pub is_read_only: bool,
    /// Its `lower_case_table_names`.
    pub lower_case_table_names: u8,
    /// Its server_uuid; empty on MariaDB and before MySQL 5.6.
    pub server_uuid: String,
    /// Its server_id.
    pub server_id: u32,
    /// Whether it is TiDB.
    pub is_tidb: bool,
    /// Whether it is a node of a Galera cluster: `wsrep_on`.
    pub is_node: bool,
    /// Whether it commits a large LOAD DATA in parts: `wsrep_load_data_splitting`.
    pub splits_files: bool,
}

impl ServerFacts {
    /// What it has executed.
    #[must_use]
    pub fn executed(&self) -> Executed {
        Executed {
            mysql: self.gtid_executed.clone(),
            mariadb: self.mariadb_position.clone(),
        }
    }

    /// Whether a definition is more than one write to disk, of which a crash may leave a part.
    pub(super) const fn defines_in_steps(&self) -> bool {
        !self.is_mariadb && self.number < 80_000
    }

    /// The domain of what an applier logs there on its own behalf.
    pub(super) const fn own_domain(&self) -> u32 {
        super::OWN_DOMAINS | self.server_id & 0x00ff_ffff
    }

    /// Asks a server.
    pub(super) fn ask(pipe: &mut Pipe) -> Result<Self, TargetError> {
        let version = pipe.version().to_owned();
        let version = version.strip_prefix("5.5.5-").unwrap_or(&version);
        let is_mariadb = version.to_ascii_lowercase().contains("mariadb");
        let variable = |pipe: &mut Pipe, name: &str| -> Result<Option<String>, TargetError> {
            let answer = pipe.ask(&format!("SHOW GLOBAL VARIABLES LIKE '{name}'"))?;
            let QueryResult::Rows { rows, .. } = answer else {
                return Ok(None);
            };
            let cell = rows.first().and_then(|row| row.get(1)?.as_deref());
            Ok(cell.map(|cell| String::from_utf8_lossy(cell).into_owned()))
        };
        let has_gtids = variable(pipe, "gtid_mode")?.is_some_and(|mode| mode == "ON");
        let packet_max = variable(pipe, "max_allowed_packet")?;
        let executed = match is_mariadb {
            true => String::new(),
            false => match pipe.scalar("SELECT @@GLOBAL.gtid_executed") {
                // Before 5.6 there is none. Any other failure must not look like an empty set.
                Err(TargetError::Unsupported(_)) => String::new(),
                answer => answer?.unwrap_or_default(),
            },
        };
        let is_on =
            |value: Option<String>| value.is_some_and(|value| value == "ON" || value == "1");
        Ok(Self {
            version: version.to_owned(),
            is_mariadb,
            number: sql::version_number(version),
            has_gtids,
            packet_max: packet_max
                .and_then(|bytes| bytes.parse().ok())
                .unwrap_or(4 << 20),
            gtid_executed: executed.replace('\n', "").parse().map_err(|_| {
                let text = format!("the target's gtid_executed makes no sense: {executed}");
                TargetError::Corrupt(SqlError::new(1772, "HY000", text))
            })?,
            mariadb_position: match is_mariadb {
                true => position(&variable(pipe, "gtid_slave_pos")?.unwrap_or_default())?,
                false => MariaPosition::default(),
            },
            is_read_only: is_on(variable(pipe, "super_read_only")?)
                || is_on(variable(pipe, "read_only")?),
            lower_case_table_names: variable(pipe, "lower_case_table_names")?
                .and_then(|value| value.parse().ok())
                .unwrap_or(0),
            server_uuid: variable(pipe, "server_uuid")?.unwrap_or_default(),
            server_id: variable(pipe, "server_id")?
                .and_then(|value| value.parse().ok())
                .unwrap_or(0),
            is_tidb: version.contains("TiDB"),
            is_node: cluster::is_node(pipe)?,
            splits_files: is_on(variable(pipe, "wsrep_load_data_splitting")?),
        })
    }
}

/// A MariaDB position that a server gave.
pub(super) fn position(text: &str) -> Result<MariaPosition, TargetError> {
    text.parse().map_err(|_| {
        let text = format!("the target's gtid_slave_pos makes no sense: {text}");
        TargetError::Corrupt(SqlError::new(1941, "HY000", text))
    })
}
