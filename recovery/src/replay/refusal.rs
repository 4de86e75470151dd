//! What stands against a replay, found before anything moves.

use std::fmt;

use binlog::transaction::Executed;
use gtid::{GtidSet, MariaPosition};

use super::survey::Survey;

/// What is known of the target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetView {
    /// What it has executed.
    pub executed: Executed,
    /// What the dump or copy that it was made from holds, if that is known.
    pub base: Option<Executed>,
    /// Its version.
    pub version: String,
    /// Its version as a number, for example 90704.
    pub number: u32,
    /// Whether it is a MariaDB server.
    pub is_mariadb: bool,
    /// Whether it is a server rather than a data directory.
    pub is_server: bool,
    /// Bytes of the largest statement it takes.
    pub packet_max: u64,
    /// Sessions of others that may write: `user@host (id)`.
    pub others: Vec<String>,
    /// Whether it replicates from somewhere just now.
    pub is_replicating: bool,
    /// Whether it is read-only.
    pub is_read_only: bool,
    /// Columns of its tables, `database.table`; `None` where it has no such table.
    pub columns: std::collections::BTreeMap<String, Option<usize>>,
}

/// What stands against a replay; each can be overridden by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The logs begin behind what the target has, or one of them is missing.
    Gap,
    /// The target has transactions of these logs that its base does not explain.
    Executed,
    /// The log says that it lacks something.
    Incident,
    /// Another vendor's server, or an older one.
    Version,
    /// Others are connected.
    Writers,
    /// The target replicates.
    Replica,
    /// An event is too large for the target.
    Packet,
    /// A table is not there, or has another number of columns.
    Layout,
    /// Rows of the `mysql` database.
    MysqlRows,
    /// The target is read-only.
    ReadOnly,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Gap,
        Self::Executed,
        Self::Incident,
        Self::Version,
        Self::Writers,
        Self::Replica,
        Self::Packet,
        Self::Layout,
        Self::MysqlRows,
        Self::ReadOnly,
    ];

    /// The name for `--allow`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gap => "gap",
            Self::Executed => "executed",
            Self::Incident => "incident",
            Self::Version => "version",
            Self::Writers => "writers",
            Self::Replica => "replica",
            Self::Packet => "packet",
            Self::Layout => "layout",
            Self::MysqlRows => "mysql-rows",
            Self::ReadOnly => "read-only",
        }
    }
}

/// One reason, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Against {
    /// What kind.
    pub refusal: Refusal,
    /// What exactly.
    pub sentence: String,
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sentence, name) = (&self.sentence, self.refusal.name());
        write!(f, "{sentence} (--allow {name} goes on all the same)")
    }
}

/// Bytes of a statement that base 64 and what stands around it make of `bytes` of an event.
const fn statement_bytes(bytes: u64) -> u64 {
    bytes.saturating_mul(78) / 57 + (8 << 10)
}

/// Everything that stands against replaying what `survey` found into `target`.
#[must_use]
pub fn against(survey: &Survey, target: &TargetView) -> Vec<Against> {
    let mut found = Vec::new();
    let mut refuse = |refusal, sentence: String| found.push(Against { refusal, sentence });
    if let Some(missing) = missing_mysql(survey, &target.executed.mysql) {
        refuse(
            Refusal::Gap,
            format!("the logs begin behind what the target has: {missing} is in neither"),
        );
    }
    if let Some(missing) = missing_mariadb(survey, &target.executed.mariadb) {
        refuse(
            Refusal::Gap,
            format!(
                "the logs begin behind what the target has: everything up to {missing} is in neither"
            ),
        );
    }
    if let Some(gap) = &survey.gap {
        refuse(
            Refusal::Gap,
            format!("a log file is missing between those given: {gap}"),
        );
    }
    if let Some(base) = &target.base {
        let mut unexplained = target.executed.mysql.clone();
        unexplained.subtract(&base.mysql);
        let unexplained = unexplained.intersection(&survey.wanted.mysql);
        if !unexplained.is_empty() {
            refuse(
                Refusal::Executed,
                format!(
                    "the target has executed {unexplained}, which its base does not hold: rows \
                     of it may be there or not"
                ),
            );
        }
    }
    for gtid in &survey.incidents {
        let gtid = gtid.text().unwrap_or_else(|| "no transaction".to_owned());
        refuse(
            Refusal::Incident,
            format!(
                "the log has an INCIDENT event ({gtid}): it lacks changes that its server made"
            ),
        );
    }
    if target.is_server {
        server(survey, target, &mut refuse);
    }
    for (table, columns) in &survey.shapes {
        match target.columns.get(table) {
            Some(Some(there)) if there == columns => {}
            Some(Some(there)) => refuse(
                Refusal::Layout,
                format!("{table} has {there} columns on the target and {columns} in the log"),
            ),
            Some(None) => refuse(Refusal::Layout, format!("{table} is not on the target")),
            None => {}
        }
    }
    if survey.has_mysql_rows {
        refuse(
            Refusal::MysqlRows,
            "the logs change rows of the mysql database, which belong to their own server"
                .to_owned(),
        );
    }
    found
}

fn server(survey: &Survey, target: &TargetView, refuse: &mut dyn FnMut(Refusal, String)) {
    let version = survey.server_version.as_deref().unwrap_or_default();
    let number = sql::version_number(version);
    if survey.is_mariadb != target.is_mariadb {
        refuse(
            Refusal::Version,
            format!(
                "the logs are those of {version}, the target is {}: statements and types of one \
                 vendor mean other things to the other",
                target.version
            ),
        );
    } else if number / 100 > target.number / 100 {
        refuse(
            Refusal::Version,
            format!(
                "the logs are those of {version}, the target is the older {}",
                target.version
            ),
        );
    }
    if !target.others.is_empty() {
        refuse(
            Refusal::Writers,
            format!(
                "others are connected to the target and may write: {}",
                target.others.join(", ")
            ),
        );
    }
    if target.is_replicating {
        refuse(
            Refusal::Replica,
            "the target is a running replica; STOP REPLICA first".to_owned(),
        );
    }
    if target.is_read_only {
        refuse(
            Refusal::ReadOnly,
            "the target is read-only, and an account without SUPER will be refused".to_owned(),
        );
    }
    let largest = statement_bytes(survey.largest_event);
    if largest > target.packet_max {
        refuse(
            Refusal::Packet,
            format!(
                "the largest event has {} bytes, a statement of {largest}; the target's \
                 max_allowed_packet is {}",
                survey.largest_event, target.packet_max
            ),
        );
    }
}

/// What was executed in front of the first log and is not on the target.
fn missing_mysql(survey: &Survey, executed: &GtidSet) -> Option<GtidSet> {
    let mut missing = survey.before_mysql.clone()?;
    missing.subtract(executed);
    (!missing.is_empty()).then_some(missing)
}

fn missing_mariadb(survey: &Survey, executed: &MariaPosition) -> Option<MariaPosition> {
    let before = survey.before_mariadb.as_ref()?;
    let missing: MariaPosition = before
        .iter()
        .filter(|gtid| {
            let last = executed.get(gtid.domain);
            last.is_none_or(|last| last.sequence < gtid.sequence)
        })
        .collect();
    (!missing.is_empty()).then_some(missing)
}
