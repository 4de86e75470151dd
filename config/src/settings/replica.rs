//! Settings of `weir replica`.

use super::{
    LogBaseName, RowRuleSettings, ServerSettings, SourcePosition, SourceSettings, TargetKind,
};
use crate::definition::Role;
use crate::filter::{DatabaseRewrite, RowFilter, TableName, WildTable};
use crate::value::Value;
use crate::{ConfigError, ConfigErrors, Effective, Loaded, ReplicationFilter};

/// A node that follows a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaSettings {
    /// What it has in common with a primary.
    pub server: ServerSettings,
    /// Whom it follows.
    pub source: SourceSettings,
    /// Where the relay log files are.
    pub relay_log: LogBaseName,
    /// Bytes after which a new relay log file is begun; never 0.
    pub max_relay_log_size: u64,
    /// Bytes of relay log at which the receiver waits; 0 no limit.
    pub relay_log_space_limit: u64,
    /// Whether applied files are removed.
    pub relay_log_purge: bool,
    /// Events between two syncs; 0 leaves it to the operating system.
    pub sync_relay_log: u32,
    /// Throw the relay logs away at start and fetch again.
    pub relay_log_recovery: bool,
    /// Host name told to the source; empty for none.
    pub report_host: String,
    /// Port told to the source; 0 for the port this server listens on.
    pub report_port: u16,
    /// Wait for START REPLICA.
    pub skip_replica_start: bool,
    /// Where rows go.
    pub target: TargetKind,
    /// What becomes of rows that do not fit.
    pub row_rules: RowRuleSettings,
    /// What is applied.
    pub filters: ReplicationFilter,
    /// How it is applied.
    pub applier: ApplierSettings,
}

/// How transactions are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApplierSettings {
    /// How many at the same time, where the target takes several.
    pub workers: u16,
    /// Whether they become visible in the order of the source.
    pub keeps_order: bool,
    /// Attempts after a failure that may pass.
    pub retries: u64,
}

impl Default for ApplierSettings {
    /// As without options.
    fn default() -> Self {
        Self {
            workers: 4,
            keeps_order: true,
            retries: 10,
        }
    }
}

impl ReplicaSettings {
    /// Reads the arguments of `weir replica` (without the program and the subcommand) and the
    /// files they name.
    ///
    /// # Errors
    ///
    /// Every mistake in them; see [`ConfigError`].
    pub fn load<S: Into<String>>(
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Loaded<Self>, ConfigErrors> {
        crate::layers::load(Role::Replica, arguments, Self::read, Self::derived)
    }

    fn derived(&self) -> Vec<(&'static str, Value)> {
        let index = Value::Text(self.relay_log.index.display().to_string());
        let heartbeat = u64::try_from(self.source.heartbeat_period.as_millis());
        let is_auto = self.source.position == SourcePosition::Auto;
        let mut values = self.server.derived();
        values.extend([
            ("relay_log_index", index),
            (
                "max_relay_log_size",
                Value::Unsigned(self.max_relay_log_size),
            ),
            ("source_auto_position", Value::Flag(is_auto)),
            (
                "source_heartbeat_period",
                Value::Seconds(heartbeat.unwrap_or(u64::MAX)),
            ),
        ]);
        values
    }

    pub(crate) fn read(effective: &Effective, errors: &mut Vec<ConfigError>) -> Self {
        let server = ServerSettings::read(effective, errors);
        let source = SourceSettings::read(effective, &server.datadir, server.gtid_mode, errors);
        let target = TargetKind::read(effective, &server.datadir, errors);
        let relay_log = LogBaseName::new(
            &server.datadir,
            &effective.text("relay_log").unwrap_or_default(),
            effective.text("relay_log_index").as_deref(),
        );
        let max_relay_log_size = match effective.unsigned("max_relay_log_size") {
            0 => effective.unsigned("max_binlog_size"),
            size => size,
        };
        Self {
            source,
            relay_log,
            max_relay_log_size,
            relay_log_space_limit: effective.unsigned("relay_log_space_limit"),
            relay_log_purge: effective.flag("relay_log_purge"),
            sync_relay_log: effective.unsigned32("sync_relay_log"),
            relay_log_recovery: effective.flag("relay_log_recovery"),
            report_host: effective.text("report_host").unwrap_or_default(),
            report_port: effective.unsigned16("report_port"),
            skip_replica_start: effective.flag("skip_replica_start"),
            target,
            row_rules: RowRuleSettings::read(effective, errors),
            filters: filters(effective),
            applier: ApplierSettings {
                workers: effective.unsigned16("replica_parallel_workers"),
                keeps_order: effective.flag("replica_preserve_commit_order"),
                retries: effective.unsigned("replica_transaction_retries"),
            },
            server,
        }
    }
}

/// The rules, whose texts were checked when they were read.
fn filters(effective: &Effective) -> ReplicationFilter {
    let list = |name| effective.list(name).iter();
    ReplicationFilter {
        do_db: effective.list("replicate_do_db").to_vec(),
        ignore_db: effective.list("replicate_ignore_db").to_vec(),
        do_table: list("replicate_do_table")
            .filter_map(|text| TableName::parse(text))
            .collect(),
        ignore_table: list("replicate_ignore_table")
            .filter_map(|text| TableName::parse(text))
            .collect(),
        wild_do_table: list("replicate_wild_do_table")
            .filter_map(|text| WildTable::parse(text))
            .collect(),
        wild_ignore_table: list("replicate_wild_ignore_table")
            .filter_map(|text| WildTable::parse(text))
            .collect(),
        row_filters: list("replicate_row_filter")
            .filter_map(|text| RowFilter::parse(text))
            .collect(),
        rewrite_db: list("replicate_rewrite_db")
            .filter_map(|text| DatabaseRewrite::parse(text))
            .collect(),
    }
}
