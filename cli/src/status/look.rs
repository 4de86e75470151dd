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
    pub(super) version: Option<String>,
    /// `primary`, `replica`, or `replica+binlog` for one that writes a binlog of its own.
    pub(super) role: Option<&'static str>,
    pub(super) server_id: Option<String>,
    pub(super) read_only: Option<bool>,
    pub(super) gtid_executed: Option<String>,
    pub(super) gtid_count: Option<u64>,
    pub(super) binlog: Option<Position>,
    pub(super) replica: Option<ReplicaLook>,
    /// Transactions that the primaries among the servers have and this one has not.
    pub(super) behind_transactions: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Position {
    pub(super) file: String,
    pub(super) position: u64,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct ReplicaLook {
    pub(super) source: String,
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
            if matches!(error, ClientError::Lost(_)) {
                self.client = None;
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
        look.version = Some(client.version());
        look.server_id = known(client.scalar("SELECT @@global.server_id").await)?.flatten();
        let read_only = known(client.scalar("SELECT @@global.read_only").await)?.flatten();
        look.read_only = read_only.map(|text| !matches!(text.as_str(), "0" | "OFF"));
        look.gtid_executed = known(client.scalar("SELECT @@global.gtid_executed").await)?.flatten();
        look.gtid_count = executed(look).map(|set| set.count());
        let binlog = either(client, "SHOW BINARY LOG STATUS", "SHOW MASTER STATUS").await?;
        look.binlog = binlog.and_then(|rows| position(&rows, &["File"], &["Position"]));
        let replica = either(client, "SHOW REPLICA STATUS", "SHOW SLAVE STATUS").await?;
        if let Some(rows) = replica.filter(|rows| !rows.rows.is_empty()) {
            let mut replica = replica_look(&rows);
            let own = known(client.query("SHOW GLOBAL STATUS LIKE 'Weir_lag_%'").await)?;
            lag_of_weir(&own.unwrap_or_default(), &mut replica.lag);
            look.replica = Some(replica);
        }
        look.role = Some(match (&look.replica, &look.binlog) {
            (Some(_), Some(_)) => "replica+binlog",
            (Some(_), None) => "replica",
            (None, _) => "primary",
        });
        Ok(())
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
async fn either(client: &mut Client, now: &str, old: &str) -> Result<Option<Rows>, ClientError> {
    match known(client.query(now).await)? {
        Some(rows) => Ok(Some(rows)),
        None => known(client.query(old).await),
    }
}

fn position(rows: &Rows, file: &[&str], position: &[&str]) -> Option<Position> {
    let first = |names: &[&str]| names.iter().find_map(|name| rows.first(name));
    let file = first(file).filter(|file| !file.is_empty())?;
    Some(Position {
        file,
        position: first(position)?.parse().ok()?,
    })
}

fn replica_look(rows: &Rows) -> ReplicaLook {
    let first = |now: &str, old: &str| rows.first(now).or_else(|| rows.first(old));
    let host = first("Source_Host", "Master_Host").unwrap_or_default();
    let port = first("Source_Port", "Master_Port").unwrap_or_default();
    let received = position(
        rows,
        &["Source_Log_File", "Master_Log_File"],
        &["Read_Source_Log_Pos", "Read_Master_Log_Pos"],
    );
    let applied = position(
        rows,
        &["Relay_Source_Log_File", "Relay_Master_Log_File"],
        &["Exec_Source_Log_Pos", "Exec_Master_Log_Pos"],
    );
    let behind = first("Seconds_Behind_Source", "Seconds_Behind_Master");
    let behind = behind.and_then(|text| text.parse().ok());
    let errors = ["Last_IO_Error", "Last_SQL_Error"].map(|name| rows.first(name));
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
            transactions: queued(rows),
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
        receiver: first("Replica_IO_Running", "Slave_IO_Running").unwrap_or_default(),
        applier: first("Replica_SQL_Running", "Slave_SQL_Running").unwrap_or_default(),
        received,
        applied,
        seconds_behind_source: behind,
        lag,
        error: (!errors.is_empty()).then(|| errors.join("; ")),
    }
}

/// Transactions received and not executed, where the server keeps GTID sets of both.
fn queued(rows: &Rows) -> Option<u64> {
    let mut retrieved: GtidSet = rows.first("Retrieved_Gtid_Set")?.parse().ok()?;
    let executed: GtidSet = rows.first("Executed_Gtid_Set")?.parse().ok()?;
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

fn executed(look: &Look) -> Option<GtidSet> {
    look.gtid_executed.as_deref()?.parse().ok()
}

/// Says for every server what the primaries among them have more.
pub(super) fn compare(looks: &mut [Look]) {
    let mut all = GtidSet::default();
    for look in looks.iter().filter(|look| look.replica.is_none()) {
        if let Some(set) = executed(look) {
            all.union(&set);
        }
    }
    if all.is_empty() {
        return;
    }
    for look in looks.iter_mut() {
        if let Some(set) = executed(look) {
            let mut missing = all.clone();
            missing.subtract(&set);
            look.behind_transactions = Some(missing.count());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Look, compare, lag_of_weir, replica_look};
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
    fn servers_are_compared_with_the_primaries_among_them() {
        let look = |executed: &str, is_replica: bool| Look {
            gtid_executed: Some(executed.to_owned()),
            replica: is_replica.then(Default::default),
            ..Look::default()
        };
        let mut looks = [
            look(&format!("{SOURCE}:1-10"), false),
            look(&format!("{SOURCE}:1-4:6"), true),
            Look::default(),
        ];
        compare(&mut looks);
        let behind = looks.map(|look| look.behind_transactions);
        assert_eq!(behind, [Some(0), Some(5), None]);
    }
}
