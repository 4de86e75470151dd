//! One look at one server: what it is, where it is, how far behind.
//!
//! Only statements that MySQL 8.0 to 9.x, MariaDB and Weir answer, in today's words first. What a
//! server does not know is `None` here, never a guess and never 0.

use std::time::Duration;

use gtid::GtidSet;
use serde::Serialize;

use crate::client::{Client, ClientError, Rows, Server};

/// For one statement or login.
const WITHIN: Duration = Duration::from_secs(3);

/// A server that is looked at again and again over one connection.
pub(super) struct Watched {
    server: Server,
    client: Option<Client>,
}

/// What was seen.
#[derive(Debug, Default, Serialize)]
pub(super) struct Look {
    pub(super) server: String,
    /// Why nothing (more) is known.
    pub(super) error: Option<String>,
    /// The privilege without which the account may not see what is unknown here.
    pub(super) missing_privilege: Option<String>,
    pub(super) version: Option<String>,
    /// `primary`, `replica`, or `replica+binlog` for one that writes a binlog of its own.
    pub(super) role: Option<&'static str>,
    pub(super) server_id: Option<String>,
    pub(super) server_uuid: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) gtid_executed: Option<String>,
    pub(super) gtid_count: Option<u64>,
    pub(super) binlog: Option<Position>,
    pub(super) replica: Option<ReplicaLook>,
    /// Transactions that the source has and this replica has not; known only if the source is
    /// among the servers that were asked.
    pub(super) behind_transactions: Option<u64>,
    /// What is not as it should be.
    pub(super) problems: Vec<String>,
    /// Whether the server answered, and be it with a refusal.
    #[serde(skip)]
    pub(super) is_reached: bool,
    /// Whether every transaction of the server has a GTID; otherwise sets say nothing about lag.
    #[serde(skip)]
    pub(super) has_gtids: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Position {
    pub(super) file: String,
    pub(super) position: u64,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct ReplicaLook {
    pub(super) source: String,
    pub(super) source_uuid: Option<String>,
    /// Channels to sources. Of several, the one that is worst off is shown.
    pub(super) channels: usize,
    /// `Yes`, `Connecting` or `No`, as the server says it.
    pub(super) receiver: String,
    /// `Yes` or `No`.
    pub(super) applier: String,
    pub(super) received: Option<Position>,
    pub(super) applied: Option<Position>,
    pub(super) seconds_behind_source: Option<u64>,
    pub(super) lag: LagVector,
    /// The last error of receiver or applier.
    pub(super) error: Option<String>,
    /// What the source said of things that a Weir does not keep, by kind.
    pub(super) not_kept: Option<String>,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct LagVector {
    pub(super) receive: LagPart,
    pub(super) queue: LagPart,
    pub(super) apply: LagPart,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub(super) struct LagPart {
    pub(super) seconds: Option<f64>,
    pub(super) transactions: Option<u64>,
    pub(super) bytes: Option<u64>,
}

impl Watched {
    pub(super) fn new(server: Server) -> Self {
        Self {
            server,
            client: None,
        }
    }

    /// Looks; connects first where there is no connection. Never fails: the error is in the look.
    pub(super) async fn look(&mut self) -> Look {
        let mut look = Look {
            server: self.server.name.clone(),
            ..Look::default()
        };
        if let Err(error) = self.fill(&mut look).await {
            match error {
                ClientError::Lost(_) => self.client = None,
                ClientError::Refused { .. } => look.is_reached = true,
            }
            look.error = Some(error.to_string());
        }
        look
    }

    async fn fill(&mut self, look: &mut Look) -> Result<(), ClientError> {
        let client = match &mut self.client {
            Some(client) => client,
            None => self.client.insert(self.server.connect(WITHIN).await?),
        };
        look.is_reached = true;
        look.version = Some(client.version());
        look.server_id = known(client.scalar("SELECT @@global.server_id").await)?.flatten();
        look.server_uuid = known(client.scalar("SELECT @@global.server_uuid").await)?.flatten();
        let read_only = known(client.scalar("SELECT @@global.read_only").await)?.flatten();
        look.read_only = read_only.map(|text| !matches!(text.as_str(), "0" | "OFF"));
        look.gtid_executed = known(client.scalar("SELECT @@global.gtid_executed").await)?.flatten();
        look.gtid_count = look.executed().map(|set| set.count());
        let mode = known(client.scalar("SELECT @@global.gtid_mode").await)?.flatten();
        look.has_gtids = mode.is_some_and(|mode| mode.eq_ignore_ascii_case("ON"));
        let binlog = either(client, "SHOW BINARY LOG STATUS", "SHOW MASTER STATUS").await?;
        let replica = either(client, "SHOW REPLICA STATUS", "SHOW SLAVE STATUS").await?;
        look.missing_privilege = [&replica, &binlog].into_iter().find_map(Answer::missing);
        if let Answer::Rows(rows) = &binlog {
            look.binlog = position(rows, 0, &["File"], &["Position"]);
        }
        match replica {
            Answer::Denied(_) => {}
            Answer::Unknown(why) => look.error = Some(why),
            Answer::Rows(rows) if rows.rows.is_empty() => look.role = Some("primary"),
            Answer::Rows(rows) => {
                let mut replica = replica_look(&rows);
                let own = known(client.query("SHOW GLOBAL STATUS LIKE 'Weir_lag_%'").await)?;
                lag_of_weir(&own.unwrap_or_default(), &mut replica.lag);
                let passed = known(
                    client
                        .query("SHOW GLOBAL STATUS LIKE 'Weir_not_kept'")
                        .await,
                )?;
                let passed = passed.and_then(|rows| rows.text(0, "Value"));
                replica.not_kept = passed.filter(|kinds| !kinds.is_empty());
                look.replica = Some(replica);
                look.role = Some(match look.binlog {
                    Some(_) => "replica+binlog",
                    None => "replica",
                });
            }
        }
        Ok(())
    }
}

impl Look {
    /// The executed GTID set, where the server has one.
    pub(super) fn executed(&self) -> Option<GtidSet> {
        self.gtid_executed.as_deref()?.parse().ok()
    }
}

/// What a statement about replication gave.
enum Answer {
    Rows(Rows),
    /// The account lacks this privilege.
    Denied(String),
    /// The server knows neither form of the statement, or cannot answer it.
    Unknown(String),
}

impl Answer {
    fn missing(&self) -> Option<String> {
        match self {
            Self::Denied(privilege) => Some(privilege.clone()),
            Self::Rows(_) | Self::Unknown(_) => None,
        }
    }
}

/// What a server refuses it does not know.
fn known<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(ClientError::Refused { .. }) => Ok(None),
        Err(lost) => Err(lost),
    }
}

/// Today's statement, or the one of old where the server does not know today's.
async fn either(client: &mut Client, now: &str, old: &str) -> Result<Answer, ClientError> {
    match client.query(now).await {
        Ok(rows) => return Ok(Answer::Rows(rows)),
        Err(ClientError::Refused { code, message }) if is_denial(code) => {
            return Ok(Answer::Denied(privilege(&message)));
        }
        Err(ClientError::Refused { .. }) => {}
        Err(lost @ ClientError::Lost(_)) => return Err(lost),
    }
    match client.query(old).await {
        Ok(rows) => Ok(Answer::Rows(rows)),
        Err(ClientError::Refused { code, message }) if is_denial(code) => {
            Ok(Answer::Denied(privilege(&message)))
        }
        Err(refused @ ClientError::Refused { .. }) => Ok(Answer::Unknown(refused.to_string())),
        Err(lost @ ClientError::Lost(_)) => Err(lost),
    }
}

/// Whether an error says that a privilege is missing: on a database, on a table, on the server.
const fn is_denial(code: u16) -> bool {
    matches!(code, 1044 | 1142 | 1227)
}

/// The privileges that a server asks for; its whole message if it is put otherwise.
fn privilege(message: &str) -> String {
    let named = message
        .split_once(" the ")
        .and_then(|(_, rest)| rest.split_once(" privilege"));
    let names = named.map_or(message, |(names, _)| names);
    names.split(", ").collect::<Vec<_>>().join(" or ")
}

fn position(rows: &Rows, row: usize, file: &[&str], position: &[&str]) -> Option<Position> {
    let first = |names: &[&str]| names.iter().find_map(|name| rows.text(row, name));
    let file = first(file).filter(|file| !file.is_empty())?;
    Some(Position {
        file,
        position: first(position)?.parse().ok()?,
    })
}

/// The channel of a replica; of several the first that does not run, or else the first.
fn replica_look(rows: &Rows) -> ReplicaLook {
    let looks = (0..rows.rows.len()).map(|row| channel_look(rows, row));
    let mut looks: Vec<ReplicaLook> = looks.collect();
    let shown = looks.iter().position(|look| !look.runs()).unwrap_or(0);
    if shown >= looks.len() {
        return ReplicaLook::default();
    }
    looks.swap_remove(shown)
}

impl ReplicaLook {
    /// Whether receiver and applier do what they are there for.
    pub(super) fn runs(&self) -> bool {
        self.receiver == "Yes" && self.applier == "Yes"
    }
}

fn channel_look(rows: &Rows, row: usize) -> ReplicaLook {
    let of = |name: &str| rows.text(row, name);
    let first = |now: &str, old: &str| of(now).or_else(|| of(old));
    let host = first("Source_Host", "Master_Host").unwrap_or_default();
    let port = first("Source_Port", "Master_Port").unwrap_or_default();
    let received = position(
        rows,
        row,
        &["Source_Log_File", "Master_Log_File"],
        &["Read_Source_Log_Pos", "Read_Master_Log_Pos"],
    );
    let applied = position(
        rows,
        row,
        &["Relay_Source_Log_File", "Relay_Master_Log_File"],
        &["Exec_Source_Log_Pos", "Exec_Master_Log_Pos"],
    );
    let behind = first("Seconds_Behind_Source", "Seconds_Behind_Master");
    let behind = behind.and_then(|text| text.parse().ok());
    let errors = ["Last_IO_Error", "Last_SQL_Error"].map(of);
    let errors: Vec<String> = errors
        .into_iter()
        .flatten()
        .filter(|text| !text.is_empty())
        .collect();
    let queue_bytes = match (&received, &applied) {
        (Some(received), Some(applied)) if received.file == applied.file => {
            received.position.checked_sub(applied.position)
        }
        _ => None,
    };
    let lag = LagVector {
        queue: LagPart {
            transactions: queued(rows, row),
            bytes: queue_bytes,
            seconds: None,
        },
        #[expect(
            clippy::cast_precision_loss,
            reason = "whole seconds are far below 2^52"
        )]
        apply: LagPart {
            seconds: behind.map(|seconds: u64| seconds as f64),
            ..LagPart::default()
        },
        ..LagVector::default()
    };
    ReplicaLook {
        source: format!("{host}:{port}"),
        source_uuid: first("Source_UUID", "Master_UUID").filter(|uuid| !uuid.is_empty()),
        channels: rows.rows.len(),
        receiver: first("Replica_IO_Running", "Slave_IO_Running").unwrap_or_default(),
        applier: first("Replica_SQL_Running", "Slave_SQL_Running").unwrap_or_default(),
        received,
        applied,
        seconds_behind_source: behind,
        lag,
        error: (!errors.is_empty()).then(|| errors.join("; ")),
        not_kept: None,
    }
}

/// Transactions received and not executed, where the server keeps GTID sets of both.
fn queued(rows: &Rows, row: usize) -> Option<u64> {
    let set = |name: &str| rows.text(row, name)?.parse().ok();
    let (mut retrieved, executed): (GtidSet, GtidSet) =
        (set("Retrieved_Gtid_Set")?, set("Executed_Gtid_Set")?);
    if executed.is_empty() {
        return None;
    }
    retrieved.subtract(&executed);
    Some(retrieved.count())
}

/// The lag vector as a Weir replica states it itself.
fn lag_of_weir(rows: &Rows, lag: &mut LagVector) {
    for row in &rows.rows {
        let text = |index: usize| {
            let cell = row
                .get(index)
                .and_then(Option::as_deref)
                .unwrap_or_default();
            String::from_utf8_lossy(cell).into_owned()
        };
        let (name, value) = (text(0).to_ascii_lowercase(), text(1));
        let mut words = name.trim_start_matches("weir_lag_").splitn(2, '_');
        let part = match words.next() {
            Some("receive") => &mut lag.receive,
            Some("queue") => &mut lag.queue,
            Some("apply") => &mut lag.apply,
            _ => continue,
        };
        match words.next() {
            Some("seconds") => part.seconds = value.parse().ok(),
            Some("transactions") => part.transactions = value.parse().ok(),
            Some("bytes") => part.bytes = value.parse().ok(),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{lag_of_weir, privilege, replica_look};
    use crate::client::Rows;
    use crate::status::look::LagVector;

    const SOURCE: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";

    fn row(cells: &[(&str, Option<&str>)]) -> Rows {
        Rows {
            columns: cells.iter().map(|(name, _)| (*name).to_owned()).collect(),
            rows: vec![
                cells
                    .iter()
                    .map(|(_, cell)| cell.map(|text| text.as_bytes().to_vec()))
                    .collect(),
            ],
        }
    }

    #[test]
    fn a_replica_is_read_in_both_vocabularies() {
        let today = row(&[
            ("Source_Host", Some("h")),
            ("Source_Port", Some("3306")),
            ("Replica_IO_Running", Some("Connecting")),
            ("Source_Log_File", Some("b.2")),
            ("Read_Source_Log_Pos", Some("500")),
            ("Relay_Source_Log_File", Some("b.2")),
            ("Exec_Source_Log_Pos", Some("400")),
            ("Seconds_Behind_Source", None),
            ("Last_IO_Error", Some("gone")),
            ("Retrieved_Gtid_Set", Some(&format!("{SOURCE}:1-9"))),
            ("Executed_Gtid_Set", Some(&format!("{SOURCE}:1-7"))),
        ]);
        let look = replica_look(&today);
        assert_eq!(
            (look.source.as_str(), look.receiver.as_str()),
            ("h:3306", "Connecting")
        );
        assert_eq!(
            (look.lag.queue.bytes, look.lag.queue.transactions),
            (Some(100), Some(2))
        );
        assert_eq!(look.lag.apply.seconds, None);
        assert_eq!(look.error.as_deref(), Some("gone"));
        let old = row(&[
            ("Master_Host", Some("m")),
            ("Master_Port", Some("1")),
            ("Slave_SQL_Running", Some("Yes")),
            ("Seconds_Behind_Master", Some("7")),
        ]);
        let look = replica_look(&old);
        assert_eq!(
            (look.source.as_str(), look.applier.as_str()),
            ("m:1", "Yes")
        );
        assert_eq!(look.lag.apply.seconds, Some(7.0));
        assert_eq!(look.lag.queue.transactions, None);
    }

    #[test]
    fn weirs_own_lag_vector_replaces_the_estimate() {
        let cell = |text: &str| Some(text.as_bytes().to_vec());
        let rows = Rows {
            columns: vec!["Variable_name".to_owned(), "Value".to_owned()],
            rows: vec![
                vec![cell("Weir_lag_apply_seconds"), cell("0.25")],
                vec![cell("Weir_lag_queue_bytes"), cell("17")],
            ],
        };
        let mut lag = LagVector::default();
        lag_of_weir(&rows, &mut lag);
        assert_eq!((lag.apply.seconds, lag.queue.bytes), (Some(0.25), Some(17)));
    }

    #[test]
    fn of_several_channels_the_one_that_does_not_run_is_shown() {
        let mut rows = row(&[
            ("Source_Host", Some("h")),
            ("Source_Port", Some("1")),
            ("Replica_IO_Running", Some("Yes")),
            ("Replica_SQL_Running", Some("Yes")),
        ]);
        let second = ["h", "2", "Yes", "No"].map(|text| Some(text.as_bytes().to_vec()));
        rows.rows.push(second.to_vec());
        let look = replica_look(&rows);
        assert_eq!((look.source.as_str(), look.channels), ("h:2", 2));
        assert!(!look.runs());
    }

    #[test]
    fn the_privilege_is_taken_from_what_the_server_says() {
        let of_mysql = "Access denied; you need (at least one of) the SUPER, REPLICATION CLIENT \
                        privilege(s) for this operation";
        assert_eq!(privilege(of_mysql), "SUPER or REPLICATION CLIENT");
        assert_eq!(privilege("no"), "no");
    }
}
