//! What stands against a replay, found before anything moves.

use std::collections::BTreeMap;
use std::fmt;

use binlog::log::SourceCoordinates;
use binlog::transaction::{Executed, TransactionGtid};
use inspect::declared::DeclaredTable;

use super::survey::Survey;

/// What is known of the target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetView {
    /// What it has executed.
    pub executed: Executed,
    /// What the dump or copy that it was made from holds, if that is known, and what earlier runs of
    /// this replay are known to have applied.
    pub base: Option<Executed>,
    /// Where it stands in logs without GTIDs, if that is known.
    pub place: Option<SourceCoordinates>,
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
    /// How its tables are declared, `database.table`; without columns where it has no such table.
    pub tables: BTreeMap<String, DeclaredTable>,
}

/// What stands against a replay; each can be overridden by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The logs begin behind what the target has, or one of them is missing.
    Gap,
    /// The target has transactions of these logs that its base does not explain.
    Executed,
    /// The target does not know that it has what its base holds.
    Base,
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
    /// A table is not there, or its columns have other names or types.
    Layout,
    /// Rows of the `mysql` database.
    MysqlRows,
    /// The target is read-only.
    ReadOnly,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Gap,
        Self::Executed,
        Self::Base,
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
            Self::Base => "base",
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
    gaps(survey, target, &mut refuse);
    if let Some(unexplained) = unexplained(survey, target) {
        refuse(
            Refusal::Executed,
            format!(
                "the target has executed {unexplained}, which its base does not hold: what an \
                 interrupted replay applied is passed over without --base; of other transactions the \
                 rows may be there or not"
            ),
        );
    }
    if let Some(twice) = held_by_base(survey, target) {
        refuse(Refusal::Base, twice);
    }
    for lost in &survey.incidents {
        let gtid = match lost.gtid {
            TransactionGtid::None => String::new(),
            gtid => format!(" ({gtid})"),
        };
        refuse(
            Refusal::Incident,
            format!(
                "{}:{}{gtid} is an INCIDENT, '{}': the log lacks changes that its server made",
                lost.file, lost.offset, lost.message
            ),
        );
    }
    if target.is_server {
        server(survey, target, &mut refuse);
    }
    for (table, map) in &survey.shapes {
        let declared = target.tables.get(table);
        if let Some(difference) = declared.and_then(|own| own.difference(map, "on the target")) {
            refuse(Refusal::Layout, format!("{table} {difference}"));
        }
    }
    for (table, gtid) in &survey.mysql_rows {
        refuse(
            Refusal::MysqlRows,
            format!(
                "{gtid} changes rows of {table}: those of the mysql database belong to their own server"
            ),
        );
    }
    found
}

fn gaps(survey: &Survey, target: &TargetView, refuse: &mut dyn FnMut(Refusal, String)) {
    let continuity = &survey.continuity;
    if let Some(missing) = continuity.missing_mysql(&target.executed.mysql) {
        refuse(
            Refusal::Gap,
            format!("the logs begin behind what the target has: {missing} is in neither"),
        );
    }
    if let Some(missing) = continuity.missing_mariadb(&target.executed.mariadb) {
        refuse(
            Refusal::Gap,
            format!(
                "the logs begin behind what the target has: everything up to {missing} is in neither"
            ),
        );
    }
    if survey.anonymous > 0
        && let Some(place) = &target.place
        && let Some(first) = continuity.begins_behind(place)
    {
        refuse(
            Refusal::Gap,
            format!(
                "the logs begin behind what the target has: they begin with {first}, and it stands at \
                 {}:{}",
                place.file, place.offset
            ),
        );
    }
    if let Some(gap) = continuity.gap() {
        refuse(
            Refusal::Gap,
            format!("a log file is missing between those given: {gap}"),
        );
    }
}

/// What the target has of these logs although its base does not hold it.
fn unexplained(survey: &Survey, target: &TargetView) -> Option<String> {
    let base = target.base.as_ref()?;
    let mut mysql = survey.there.mysql.clone();
    mysql.subtract(&base.mysql);
    if !mysql.is_empty() {
        return Some(mysql.to_string());
    }
    let is_unexplained = |gtid: &gtid::MariaGtid| {
        let last = base.mariadb.get(gtid.domain);
        last.is_none_or(|last| last.sequence < gtid.sequence)
    };
    let mariadb: Vec<String> = survey
        .there
        .mariadb
        .iter()
        .filter(is_unexplained)
        .map(|gtid| format!("everything up to {gtid}"))
        .collect();
    (!mariadb.is_empty()).then(|| mariadb.join(", "))
}

/// What would be applied although the base holds it, as a sentence.
fn held_by_base(survey: &Survey, target: &TargetView) -> Option<String> {
    let base = target.base.as_ref()?;
    let mysql = survey.wanted.mysql.intersection(&base.mysql);
    let is_held = |first: &&gtid::MariaGtid| {
        let last = base.mariadb.get(first.domain);
        last.is_some_and(|last| first.sequence <= last.sequence)
    };
    let mariadb = survey.wanted_first.values().find(is_held);
    let (held, told) = match mariadb {
        Some(first) => (
            format!("{first} and more"),
            format!("SET GLOBAL gtid_slave_pos='{}'", base.mariadb),
        ),
        None if mysql.is_empty() => return None,
        None => (
            mysql.to_string(),
            format!("SET GLOBAL gtid_purged='+{mysql}'"),
        ),
    };
    Some(format!(
        "the base holds {held}, and the target does not know that it has it, so that it would be applied \
         twice: once the base is loaded, {told} there"
    ))
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
    let Some(largest) = survey.largest_event else {
        return;
    };
    let statement = statement_bytes(largest.bytes);
    if statement > target.packet_max {
        refuse(
            Refusal::Packet,
            format!(
                "{} has an event, or a row, of {} bytes, a statement of {statement}; the target's \
                 max_allowed_packet is {}",
                largest.gtid, largest.bytes, target.packet_max
            ),
        );
    }
}
