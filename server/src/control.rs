//! What passes between a node and the process around it.
//!
//! The process (the `weir` binary) says stop and reload; the node says where it listens and how it
//! fares. Neither waits for the other here, and nothing is decided: signals, exit codes and HTTP
//! belong to the process, draining and taking over settings to the node.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use config::{PrimarySettings, ReplicaSettings, ServerSettings};
use tokio::sync::watch;

/// The line between a node and its process; clones are the same line.
#[derive(Clone)]
pub struct Control {
    stop: Arc<watch::Sender<bool>>,
    ready: Arc<watch::Sender<Option<Listening>>>,
    settings: Arc<watch::Sender<Option<NewSettings>>>,
    observer: Arc<OnceLock<Observer>>,
}

type Observer = Box<dyn Fn() -> Observation + Send + Sync>;

/// Where a node accepts clients.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listening {
    /// TCP addresses with the ports they really have.
    pub addresses: Vec<SocketAddr>,
    /// The Unix socket.
    pub socket: Option<PathBuf>,
}

/// Settings that were read anew after SIGHUP. A node takes over the options whose definition says
/// that they reload, and its TLS files; the others stay as they were.
#[derive(Debug, Clone)]
pub enum NewSettings {
    /// Of a primary.
    Primary(Arc<PrimarySettings>),
    /// Of a replica.
    Replica(Arc<ReplicaSettings>),
}

impl NewSettings {
    /// What both roles have.
    #[must_use]
    pub fn server(&self) -> &ServerSettings {
        match self {
            Self::Primary(settings) => &settings.server,
            Self::Replica(settings) => &settings.server,
        }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl Control {
    /// A line of a node that has not begun.
    #[must_use]
    pub fn new() -> Self {
        Self {
            stop: Arc::new(watch::Sender::new(false)),
            ready: Arc::new(watch::Sender::new(None)),
            settings: Arc::new(watch::Sender::new(None)),
            observer: Arc::new(OnceLock::new()),
        }
    }

    /// Process: asks the node to drain and end. Asking again changes nothing.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Node: whether it was asked to end.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Node: waits until it is asked to end. Cancellation-safe.
    pub async fn stopped(&self) {
        // The sender lives in self, so waiting ends only with the value.
        let _ = self.stop.subscribe().wait_for(|stop| *stop).await;
    }

    /// Node: says that it accepts clients and where.
    pub fn on_ready(&self, listening: Listening) {
        self.ready.send_replace(Some(listening));
    }

    /// Process: whether the node accepts clients.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.ready.borrow().is_some()
    }

    /// Process: waits until the node accepts clients. Cancellation-safe.
    pub async fn ready(&self) -> Listening {
        let mut ready = self.ready.subscribe();
        let listening = ready.wait_for(Option::is_some).await.ok();
        listening
            .and_then(|found| found.clone())
            .unwrap_or_default()
    }

    /// Process: hands over settings that were read anew.
    pub fn reload(&self, settings: NewSettings) {
        self.settings.send_replace(Some(settings));
    }

    /// Node: where new settings arrive.
    #[must_use]
    pub fn reloads(&self) -> watch::Receiver<Option<NewSettings>> {
        self.settings.subscribe()
    }

    /// Node: names the function that says how it fares; the first one stays. It is called from
    /// the HTTP port and must neither block nor fail.
    pub fn observe_with(&self, observer: impl Fn() -> Observation + Send + Sync + 'static) {
        let _ = self.observer.set(Box::new(observer));
    }

    /// Process: how the node fares; `None` until it can say.
    #[must_use]
    pub fn observe(&self) -> Option<Observation> {
        self.observer.get().map(|observer| observer())
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("stop", &self.stop)
            .field("ready", &self.ready)
            .finish()
    }
}

/// How a node fares at one moment. Counters count from the start of the process.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// Sessions and statements.
    pub sessions: SessionCounts,
    /// Text of the executed GTID set.
    pub gtid_executed: String,
    /// Number of GTIDs in it.
    pub gtid_executed_count: u64,
    /// What a primary adds.
    pub primary: Option<PrimaryObservation>,
    /// What a replica adds.
    pub replica: Option<ReplicaObservation>,
}

impl Observation {
    /// What `SHOW GLOBAL STATUS` adds for tools such as `weir status`: names begin with `Weir_`,
    /// what is not known has no row.
    #[must_use]
    pub fn status_variables(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        let mut add = |name: &str, value: String| rows.push((format!("Weir_{name}"), value));
        if let Some(primary) = &self.primary {
            add("commits", primary.commits.to_string());
            add("commit_groups", primary.commit_groups.to_string());
            add("binlog_syncs", primary.syncs.to_string());
        }
        if let Some(replica) = &self.replica {
            let parts = [
                ("receive", replica.receive),
                ("queue", replica.queue),
                ("apply", replica.apply),
            ];
            for (part, lag) in parts {
                if let Some(seconds) = lag.seconds {
                    add(&format!("lag_{part}_seconds"), format!("{seconds:.6}"));
                }
                if let Some(transactions) = lag.transactions {
                    add(
                        &format!("lag_{part}_transactions"),
                        transactions.to_string(),
                    );
                }
                if let Some(bytes) = lag.bytes {
                    add(&format!("lag_{part}_bytes"), bytes.to_string());
                }
            }
            add(
                "transactions_applied",
                replica.transactions_applied.to_string(),
            );
            add("rows_applied", replica.rows_applied.to_string());
            add(
                "transactions_skipped",
                replica.transactions_skipped.to_string(),
            );
            let kinds = replica.not_kept.iter().map(ToString::to_string);
            add("not_kept", kinds.collect::<Vec<_>>().join("; "));
            add("rows_left_out", replica.rows_left_out.to_string());
            let resolved = replica.resolved.iter().map(ToString::to_string);
            add("errors_passed", resolved.collect::<Vec<_>>().join("; "));
            if let Some(gtid) = &replica.failed_gtid {
                add("applier_failed_gtid", gtid.clone());
            }
        }
        rows
    }
}

/// Clients of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionCounts {
    /// Sessions now.
    pub connected: u64,
    /// Sessions accepted so far.
    pub accepted: u64,
    /// Connections refused so far: wrong password, too many, broken handshake.
    pub refused: u64,
    /// Statements run so far.
    pub statements: u64,
    /// Statements answered with an error so far.
    pub statement_errors: u64,
    /// Replicas being sent the binlog now.
    pub dump_sessions: u64,
}

/// The commit pipeline and the binlog.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PrimaryObservation {
    /// The file that is written to.
    pub binlog_file: String,
    /// Its end, in bytes.
    pub binlog_position: u64,
    /// Bytes of all binlog files.
    pub binlog_bytes: u64,
    /// Transactions committed so far.
    pub commits: u64,
    /// Groups they were committed in.
    pub commit_groups: u64,
    /// Transactions of the largest group.
    pub commit_group_max: u64,
    /// Syncs of the binlog to disk so far.
    pub syncs: u64,
    /// Seconds spent in them.
    pub sync_seconds: f64,
    /// Failures so far by stage: `flush`, which includes the sync of the binlog, and `engine`.
    pub errors: Vec<(&'static str, u64)>,
    /// Why nothing can be written at the moment.
    pub short: Option<String>,
}

/// Receiver, relay log and applier of a replica.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReplicaObservation {
    /// Whether the receiver is connected to its source.
    pub receiver_connected: bool,
    /// Whether the receiver runs (connected or trying).
    pub receiver_running: bool,
    /// Whether the applier runs.
    pub applier_running: bool,
    /// Source's file and position up to which events were received.
    pub received: (String, u64),
    /// Source's file and position up to which transactions were applied.
    pub applied: (String, u64),
    /// GTIDs received so far.
    pub gtid_retrieved_count: u64,
    /// From the source's commit to the relay log.
    pub receive: Lag,
    /// In the relay log, not yet begun.
    pub queue: Lag,
    /// From the source's commit to visible here.
    pub apply: Lag,
    /// Transactions applied so far.
    pub transactions_applied: u64,
    /// The transaction at which the applier stands with an error, if it has an identifier.
    pub failed_gtid: Option<String>,
    /// Rows applied so far.
    pub rows_applied: u64,
    /// Transactions passed over so far, in whole or in part, because a filter or an operator said so, or
    /// because they concern what is not kept here.
    pub transactions_skipped: u64,
    /// What concerns nothing kept here, by kind.
    pub not_kept: Vec<NotKeptObservation>,
    /// Rows that `replicate_row_filter` left out so far.
    pub rows_left_out: u64,
    /// Errors behind which `replica_exec_mode` or `replica_skip_errors` let the applier go on.
    pub resolved: Vec<ResolvedObservation>,
    /// Connections made to the source so far.
    pub connects: u64,
    /// Bytes of relay log on disk.
    pub relay_log_bytes: u64,
    /// Failures so far by stage: `receive`, which includes the connect, and `apply`.
    pub errors: Vec<(&'static str, u64)>,
}

/// Statements and row events of one kind that concern nothing kept here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotKeptObservation {
    /// The kind, for instance `CREATE VIEW`.
    pub construct: &'static str,
    /// How many so far.
    pub count: u64,
    /// The transaction of the last, if it has an identifier.
    pub last_gtid: Option<String>,
}

impl fmt::Display for NotKeptObservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            construct, count, ..
        } = self;
        write!(f, "{construct}: {count}")?;
        match &self.last_gtid {
            Some(gtid) => write!(f, ", last {gtid}"),
            None => Ok(()),
        }
    }
}

/// Rows and statements that did not fit, and were let pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResolvedObservation {
    /// The variable that says so.
    pub rule: &'static str,
    /// MySQL's number of the error.
    pub code: u16,
    /// How many so far.
    pub count: u64,
}

impl fmt::Display for ResolvedObservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, code, count } = self;
        write!(f, "{rule} {code}: {count}")
    }
}

/// One part of the lag vector. `None` is: not known now, which is never the same as 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Lag {
    /// Seconds; grows while the source is silent or gone.
    pub seconds: Option<f64>,
    /// Transactions.
    pub transactions: Option<u64>,
    /// Bytes of events.
    pub bytes: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::{Control, Lag, Listening, Observation, ReplicaObservation};

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn what_was_said_before_anybody_listened_is_not_lost() {
        let control = Control::new();
        let other = control.clone();
        assert!(!other.is_stopping());
        control.stop();
        let listening = Listening {
            addresses: vec!["127.0.0.1:3306".parse().unwrap()],
            socket: None,
        };
        control.on_ready(listening.clone());
        block_on(async {
            other.stopped().await;
            assert_eq!(other.ready().await, listening);
        });
    }

    #[test]
    fn a_node_is_observed_once_it_can_say() {
        let control = Control::new();
        assert_eq!(control.observe(), None);
        control.clone().observe_with(Observation::default);
        assert_eq!(control.observe(), Some(Observation::default()));
    }

    #[test]
    fn an_unknown_lag_has_no_status_variable() {
        let queue = Lag {
            seconds: Some(0.5),
            transactions: Some(2),
            bytes: None,
        };
        let replica = Some(ReplicaObservation {
            queue,
            ..ReplicaObservation::default()
        });
        let rows = Observation {
            replica,
            ..Observation::default()
        }
        .status_variables();
        let lag: Vec<_> = rows
            .iter()
            .filter(|(name, _)| name.contains("lag"))
            .cloned()
            .collect();
        let row = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let seconds = row("Weir_lag_queue_seconds", "0.500000");
        assert_eq!(lag, [seconds, row("Weir_lag_queue_transactions", "2")]);
    }
}
