//! A real MariaDB as a source: its replication account, and the GTIDs in its log.

use std::time::Duration;

use crate::failure::{Failure, Result, ensure};
use crate::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER};
use crate::sql::Client;
use crate::wait;

/// Statements of what only MariaDB has, behind the all-types workload.
pub const OWN: [&str; 23] = [
    "USE types",
    "CREATE TABLE ma (id INT PRIMARY KEY, u UUID, i6 INET6, i4 INET4, j JSON, \
     z TEXT COMPRESSED, vc VARCHAR(300) COMPRESSED, n INT AS (id + 1) VIRTUAL, p INT AS (id * 2) STORED)",
    "INSERT INTO ma (id, u, i6, i4, j, z, vc) VALUES (1, UUID(), '::1', '10.0.0.1', '{\"a\": [1]}', \
     REPEAT('z', 5000), REPEAT('v', 200)), (2, NULL, NULL, NULL, NULL, NULL, NULL)",
    "UPDATE ma SET z = CONCAT(z, 'more'), j = '[]' WHERE id = 1",
    "CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING",
    "INSERT INTO versioned VALUES (1, 1), (2, 2)",
    "UPDATE versioned SET v = 3 WHERE id = 1",
    "DELETE FROM versioned WHERE id = 2",
    "CREATE SEQUENCE seq START WITH 10 INCREMENT BY 5 CACHE 3",
    "CREATE TABLE numbered (id INT PRIMARY KEY DEFAULT NEXT VALUE FOR seq, v INT)",
    "INSERT INTO numbered (v) VALUES (1), (2), (3), (4)",
    "CREATE TABLE chosen AS SELECT id, v FROM numbered WHERE v > 2",
    "CREATE OR REPLACE TABLE chosen (PRIMARY KEY (id)) SELECT id, v FROM numbered",
    "CREATE TABLE nothing AS SELECT id FROM numbered WHERE v > 99",
    "CREATE OR REPLACE VIEW seen AS SELECT id FROM chosen",
    "CREATE TABLE plain (a INT, b VARCHAR(20)) ENGINE=MyISAM",
    "INSERT INTO plain VALUES (1, 'same'), (1, 'same'), (2, 'other')",
    "UPDATE plain SET b = 'changed' WHERE a = 1 LIMIT 1",
    "CREATE TABLE safe ENGINE=Aria AS SELECT a, b FROM plain",
    "CREATE PROCEDURE twice() UPDATE numbered SET v = v * 2",
    "CALL twice()",
    "SET @@session.gtid_domain_id = 7",
    "INSERT INTO numbered (id, v) VALUES (1000, 1)",
];

/// The high byte of the domains of what Weir logs on its own behalf on MariaDB targets.
const OWN_DOMAINS: u32 = 0x57;

/// Creates the replication account on a MariaDB source.
///
/// # Errors
/// What the source answered.
pub async fn create_account(source: &mut Client) -> Result {
    source
        .run(&[
            format!("CREATE USER {REPLICATION_USER}@'%' IDENTIFIED BY '{REPLICATION_PASSWORD}'"),
            format!("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {REPLICATION_USER}@'%'"),
        ])
        .await
}

/// A transaction in a server's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// `domain-server-sequence`.
    pub gtid: String,
    /// Whether it is one statement that commits by itself.
    pub is_standalone: bool,
}

impl Logged {
    /// Domain and sequence number.
    fn number(&self) -> (&str, &str) {
        let mut parts = self.gtid.split('-');
        let domain = parts.next().unwrap_or_default();
        (domain, parts.nth(1).unwrap_or_default())
    }
}

/// All transactions in a server's log, in order, but for those that Weir logs on its own behalf.
///
/// # Errors
/// What the server answered.
pub async fn logged(client: &mut Client) -> Result<Vec<Logged>> {
    let mut found = Vec::new();
    for file in client.rows("SHOW BINARY LOGS").await? {
        let Some(file) = file.first() else { continue };
        let events = format!("SHOW BINLOG EVENTS IN '{file}'");
        for event in client.rows(&events).await? {
            let [_, _, kind, _, _, info] = event.as_slice() else {
                return Err(Failure::new("SHOW BINLOG EVENTS has other columns"));
            };
            let info = info.to_string();
            // `GTID 0-1-2`, `BEGIN GTID 0-1-3 cid=7`
            let mut words = info.split_whitespace().skip_while(|word| *word != "GTID");
            if kind.to_string() == "Gtid" {
                let gtid = words.nth(1).unwrap_or_default().to_owned();
                let is_standalone = info.starts_with("GTID");
                found.push(Logged {
                    gtid,
                    is_standalone,
                });
            }
        }
    }
    let is_own = |domain: &str| {
        let domain = domain.parse::<u32>();
        domain.is_ok_and(|domain| domain >> 24 == OWN_DOMAINS)
    };
    found.retain(|logged| !is_own(logged.number().0));
    Ok(found)
}

/// Fails unless the target's log has the transactions of the source's, each once and in its order.
/// How many there are, and how many of them have another server's id there: MariaDB logs a DDL
/// statement that a crash interrupted under its own when it starts again.
///
/// # Errors
/// The first that differ.
pub async fn ensure_same_gtids(source: &mut Client, target: &mut Client) -> Result<(usize, usize)> {
    let (left, right) = (logged(source).await?, logged(target).await?);
    let pairs = || left.iter().zip(&right);
    let is_recovered = |(left, right): &(&Logged, &Logged)| {
        left != right && right.is_standalone && left.number() == right.number()
    };
    let differs = pairs().position(|pair| pair.0 != pair.1 && !is_recovered(&pair));
    ensure(left.len() == right.len() && differs.is_none(), || {
        let from = differs
            .unwrap_or(left.len().min(right.len()))
            .saturating_sub(2);
        let some = |gtids: &[Logged]| {
            let gtids = gtids.iter().skip(from).take(6);
            gtids.map(|logged| logged.gtid.clone()).collect::<Vec<_>>()
        };
        let (all, there) = (left.len(), right.len());
        let (left, right) = (some(&left), some(&right));
        format!("{all} and {there} GTIDs, around the first difference {left:?} and {right:?}")
    })?;
    Ok((left.len(), pairs().filter(is_recovered).count()))
}

/// Waits until a replica says that it has executed what the source has logged.
///
/// # Errors
/// The replica's error, or that it did not get there within `limit`.
pub async fn until_executed(
    source: &mut Client,
    replica: &mut Client,
    limit: Duration,
) -> Result<String> {
    let wanted = source
        .value("SELECT @@GLOBAL.gtid_binlog_pos")
        .await?
        .to_string();
    let started = std::time::Instant::now();
    loop {
        let status = "SHOW REPLICA STATUS";
        let mut seen = Vec::new();
        let columns = [
            "Executed_Gtid_Set",
            "Last_IO_Error",
            "Last_SQL_Error",
            "Replica_SQL_Running",
        ];
        for column in columns {
            seen.push(replica.column(status, column).await?.unwrap_or_default());
        }
        if seen.first() == Some(&wanted) {
            return Ok(wanted);
        }
        let has_stopped =
            matches!(seen.as_slice(), [_, _, error, runs] if !error.is_empty() && runs == "No");
        ensure(!has_stopped && started.elapsed() < limit, || {
            format!("{wanted} is not executed: {seen:?}")
        })?;
        wait::let_run(Duration::from_millis(50)).await;
    }
}
