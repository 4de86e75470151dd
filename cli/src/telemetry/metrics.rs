//! A node's observation as Prometheus text. `docs/METRICS.md` lists what is here; a test compares
//! the two.
//!
//! A number that is not known is left out: a lag of `None` has no sample, never a 0.

use std::fmt::Write;

use server::control::{Lag, Observation, PrimaryObservation, ReplicaObservation};

/// Type, name and meaning of every metric.
pub(crate) const METRICS: &[(&str, &str, &str)] = &[
    ("gauge", "weir_up", "1 while the node accepts clients."),
    (
        "gauge",
        "weir_info",
        "Always 1; label `role` is primary or replica, `version` Weir's.",
    ),
    (
        "gauge",
        "weir_uptime_seconds",
        "Seconds since the process began.",
    ),
    ("gauge", "weir_sessions", "Client sessions now."),
    (
        "counter",
        "weir_sessions_accepted_total",
        "Client sessions accepted.",
    ),
    (
        "counter",
        "weir_sessions_refused_total",
        "Connections refused: login, limit, handshake.",
    ),
    ("counter", "weir_statements_total", "Statements run."),
    (
        "counter",
        "weir_statement_errors_total",
        "Statements answered with an error.",
    ),
    (
        "gauge",
        "weir_dump_sessions",
        "Replicas being sent the binlog now.",
    ),
    (
        "gauge",
        "weir_gtid_executed",
        "MySQL's GTIDs in gtid_executed; MariaDB's are not counted.",
    ),
    (
        "gauge",
        "weir_binlog_file_number",
        "Number of the binlog file that is written to.",
    ),
    (
        "gauge",
        "weir_binlog_position_bytes",
        "End of the binlog file that is written to.",
    ),
    ("gauge", "weir_binlog_bytes", "Bytes of all binlog files."),
    ("counter", "weir_commits_total", "Transactions committed."),
    (
        "counter",
        "weir_commit_groups_total",
        "Commit groups; commits per group is the ratio.",
    ),
    (
        "gauge",
        "weir_commit_group_max",
        "Transactions of the largest commit group.",
    ),
    (
        "counter",
        "weir_binlog_syncs_total",
        "Syncs of the binlog to disk.",
    ),
    (
        "counter",
        "weir_binlog_sync_seconds_total",
        "Seconds spent in them.",
    ),
    (
        "counter",
        "weir_errors_total",
        "Failures by label `stage`: flush (sync included), engine; receive (connect included), apply.",
    ),
    (
        "gauge",
        "weir_receiver_running",
        "1 while the receiver runs, connected or trying.",
    ),
    (
        "gauge",
        "weir_receiver_connected",
        "1 while the receiver is connected to its source.",
    ),
    ("gauge", "weir_applier_running", "1 while the applier runs."),
    (
        "gauge",
        "weir_replica_lag_seconds",
        "Lag by label `part`: receive (source's commit to relay log), queue (waiting in the relay \
         log), apply (source's commit to visible here). No sample: unknown.",
    ),
    (
        "gauge",
        "weir_replica_lag_transactions",
        "The same in transactions.",
    ),
    (
        "gauge",
        "weir_replica_lag_bytes",
        "The same in bytes of events.",
    ),
    (
        "gauge",
        "weir_source_position_bytes",
        "Position in the source's binlog by label `part`: received, applied; label `file`.",
    ),
    (
        "gauge",
        "weir_gtid_retrieved",
        "MySQL's GTIDs received from the source.",
    ),
    (
        "counter",
        "weir_transactions_applied_total",
        "Transactions applied.",
    ),
    ("counter", "weir_rows_applied_total", "Rows applied."),
    (
        "counter",
        "weir_transactions_skipped_total",
        "Transactions passed over, whole or in part: a filter or an operator said so, or it is not kept here.",
    ),
    (
        "counter",
        "weir_not_kept_total",
        "Statements and row events about what is not kept here, by construct.",
    ),
    (
        "counter",
        "weir_rows_left_out_total",
        "Rows that replicate_row_filter left out.",
    ),
    (
        "counter",
        "weir_errors_passed_total",
        "Errors behind which the applier went on, by the variable that says so and MySQL's number.",
    ),
    (
        "counter",
        "weir_source_connects_total",
        "Connections made to the source.",
    ),
    (
        "gauge",
        "weir_relay_log_bytes",
        "Bytes of relay log on disk.",
    ),
];

/// What does not come from the node itself.
pub(crate) struct Process {
    pub(crate) role: &'static str,
    pub(crate) uptime_seconds: f64,
    pub(crate) is_ready: bool,
}

/// The text of `/metrics`.
pub(crate) fn render(process: &Process, observation: Option<&Observation>) -> String {
    let mut samples = Samples::default();
    samples.add("weir_up", u64::from(process.is_ready));
    let labels = [
        ("role", process.role),
        ("version", env!("CARGO_PKG_VERSION")),
    ];
    samples.labelled("weir_info", &labels, 1);
    samples.add("weir_uptime_seconds", process.uptime_seconds);
    if let Some(observation) = observation {
        let sessions = &observation.sessions;
        samples.add("weir_sessions", sessions.connected);
        samples.add("weir_sessions_accepted_total", sessions.accepted);
        samples.add("weir_sessions_refused_total", sessions.refused);
        samples.add("weir_statements_total", sessions.statements);
        samples.add("weir_statement_errors_total", sessions.statement_errors);
        samples.add("weir_dump_sessions", sessions.dump_sessions);
        samples.add("weir_gtid_executed", observation.gtid_executed_count);
        if let Some(primary) = &observation.primary {
            samples.primary(primary);
        }
        if let Some(replica) = &observation.replica {
            samples.replica(replica);
        }
    }
    samples.text()
}

/// Samples in the order they were added.
#[derive(Default)]
struct Samples(Vec<(&'static str, String)>);

impl Samples {
    fn add(&mut self, name: &'static str, value: impl ToString) {
        self.labelled(name, &[], value);
    }

    fn labelled(&mut self, name: &'static str, labels: &[(&str, &str)], value: impl ToString) {
        let mut line = name.to_owned();
        for (index, (label, text)) in labels.iter().enumerate() {
            line.push(if index == 0 { '{' } else { ',' });
            let text = text
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('\n', "\\n");
            let _ = write!(line, "{label}=\"{text}\"");
        }
        if !labels.is_empty() {
            line.push('}');
        }
        let _ = write!(line, " {}", value.to_string());
        self.0.push((name, line));
    }

    fn primary(&mut self, primary: &PrimaryObservation) {
        let number = primary
            .binlog_file
            .rsplit_once('.')
            .and_then(|(_, digits)| digits.parse().ok());
        if let Some(number) = number {
            let number: u64 = number;
            self.add("weir_binlog_file_number", number);
        }
        self.add("weir_binlog_position_bytes", primary.binlog_position);
        self.add("weir_binlog_bytes", primary.binlog_bytes);
        self.add("weir_commits_total", primary.commits);
        self.add("weir_commit_groups_total", primary.commit_groups);
        self.add("weir_commit_group_max", primary.commit_group_max);
        self.add("weir_binlog_syncs_total", primary.syncs);
        self.add("weir_binlog_sync_seconds_total", primary.sync_seconds);
        self.errors(&primary.errors);
    }

    fn replica(&mut self, replica: &ReplicaObservation) {
        self.add("weir_receiver_running", u64::from(replica.receiver_running));
        self.add(
            "weir_receiver_connected",
            u64::from(replica.receiver_connected),
        );
        self.add("weir_applier_running", u64::from(replica.applier_running));
        let parts = [
            ("receive", &replica.receive),
            ("queue", &replica.queue),
            ("apply", &replica.apply),
        ];
        for (part, lag) in parts {
            self.lag(part, lag);
        }
        for (part, (file, position)) in [
            ("received", &replica.received),
            ("applied", &replica.applied),
        ] {
            if !file.is_empty() {
                let labels = [("part", part), ("file", file.as_str())];
                self.labelled("weir_source_position_bytes", &labels, position);
            }
        }
        self.add("weir_gtid_retrieved", replica.gtid_retrieved_count);
        self.add(
            "weir_transactions_applied_total",
            replica.transactions_applied,
        );
        self.add("weir_rows_applied_total", replica.rows_applied);
        self.add(
            "weir_transactions_skipped_total",
            replica.transactions_skipped,
        );
        for kind in &replica.not_kept {
            let labels = [("construct", kind.construct)];
            self.labelled("weir_not_kept_total", &labels, kind.count);
        }
        self.add("weir_rows_left_out_total", replica.rows_left_out);
        for passed in &replica.resolved {
            let code = passed.code.to_string();
            let labels = [("rule", passed.rule), ("code", &code)];
            self.labelled("weir_errors_passed_total", &labels, passed.count);
        }
        self.add("weir_source_connects_total", replica.connects);
        self.add("weir_relay_log_bytes", replica.relay_log_bytes);
        self.errors(&replica.errors);
    }

    fn lag(&mut self, part: &str, lag: &Lag) {
        let labels = [("part", part)];
        if let Some(seconds) = lag.seconds {
            self.labelled("weir_replica_lag_seconds", &labels, seconds);
        }
        if let Some(transactions) = lag.transactions {
            self.labelled("weir_replica_lag_transactions", &labels, transactions);
        }
        if let Some(bytes) = lag.bytes {
            self.labelled("weir_replica_lag_bytes", &labels, bytes);
        }
    }

    fn errors(&mut self, errors: &[(&'static str, u64)]) {
        for (stage, count) in errors {
            self.labelled("weir_errors_total", &[("stage", stage)], count);
        }
    }

    /// Every metric that has samples, with its help and type in front.
    fn text(&self) -> String {
        let mut text = String::new();
        for (kind, name, help) in METRICS {
            let mut lines = self
                .0
                .iter()
                .filter(|(sample, _)| sample == name)
                .peekable();
            if lines.peek().is_none() {
                continue;
            }
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for (_, line) in lines {
                let _ = writeln!(text, "{line}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use server::control::{
        Lag, NotKeptObservation, Observation, PrimaryObservation, ReplicaObservation,
        ResolvedObservation,
    };

    use super::{METRICS, Process, render};

    fn full() -> Observation {
        let lag = Lag {
            seconds: Some(0.25),
            transactions: Some(3),
            bytes: Some(99),
        };
        Observation {
            primary: Some(PrimaryObservation {
                binlog_file: "binlog.000012".to_owned(),
                errors: vec![("flush", 1)],
                ..PrimaryObservation::default()
            }),
            replica: Some(ReplicaObservation {
                received: ("a\"b.000001".to_owned(), 4),
                receive: lag,
                queue: Lag::default(),
                apply: lag,
                not_kept: vec![NotKeptObservation {
                    construct: "CREATE VIEW",
                    count: 2,
                    last_gtid: None,
                }],
                resolved: vec![ResolvedObservation {
                    rule: "replica_skip_errors",
                    code: 1062,
                    count: 3,
                }],
                ..ReplicaObservation::default()
            }),
            ..Observation::default()
        }
    }

    fn process() -> Process {
        Process {
            role: "replica",
            uptime_seconds: 1.5,
            is_ready: true,
        }
    }

    #[test]
    fn every_metric_is_rendered_with_its_type() {
        let text = render(&process(), Some(&full()));
        for (kind, name, _) in METRICS {
            assert!(
                text.contains(&format!("# TYPE {name} {kind}\n{name}")),
                "{name}\n{text}"
            );
        }
    }

    #[test]
    fn labels_are_escaped_and_unknown_lag_has_no_sample() {
        let text = render(&process(), Some(&full()));
        assert!(
            text.contains("weir_replica_lag_seconds{part=\"apply\"} 0.25\n"),
            "{text}"
        );
        assert!(!text.contains("part=\"queue\""), "{text}");
        assert!(
            text.contains("{part=\"received\",file=\"a\\\"b.000001\"} 4\n"),
            "{text}"
        );
        assert!(text.contains("weir_binlog_file_number 12\n"), "{text}");
    }

    #[test]
    fn a_node_that_cannot_say_yet_has_only_the_metrics_of_its_process() {
        let process = Process {
            is_ready: false,
            ..process()
        };
        let text = render(&process, None);
        assert!(
            text.contains("weir_up 0\n") && !text.contains("weir_sessions"),
            "{text}"
        );
    }

    #[test]
    fn the_metrics_page_is_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/METRICS.md");
        let mut page = String::from(PAGE);
        for (kind, name, help) in METRICS {
            page.push_str(&format!("| `{name}` | {kind} | {help} |\n"));
        }
        if std::env::var_os("WEIR_WRITE_DOCS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        let found = std::fs::read_to_string(path).unwrap();
        assert!(found == page, "docs/METRICS.md is not what the code says");
    }

    const PAGE: &str = "# Metrics and health

With `metrics_port` set, a node answers HTTP on `metrics_bind_address` (127.0.0.1 by default):

- `/metrics`: Prometheus text, the list below. Counters count from the start of the process. What is
  not known has no sample; a lag that is not known is never 0.
- `/health`: 200 while the node accepts clients, a primary's disk has room, and a replica's receiver and
  applier run and the receiver is connected to its source; 503 otherwise. The body is a JSON object that
  says why.

Useful alerts: `weir_up == 0`; `weir_replica_lag_seconds{part=\"apply\"}` too high or **absent**;
`weir_applier_running == 0`; `increase(weir_errors_total[5m]) > 0`.

This page is written from `cli/src/telemetry/metrics.rs`; the test `the_metrics_page_is_current`
compares the two. Write it anew with `WEIR_WRITE_DOCS=1 cargo test -p cli metrics_page`.

| metric | type | meaning |
|---|---|---|
";
}
