//! The proof: all three copies hold the same tables with the same rows, and every transaction
//! that was acknowledged is among them.
//!
//! Rows are read by ordinary queries, all of them, in the order of their key, and hashed cell by
//! cell; nothing that the nodes say of themselves is taken for it.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use gtid::GtidSet;

use super::cluster::{Cluster, NodeName, STATEMENT};
use crate::client::{Client, Rows};
use crate::exit::Failure;

/// Rows of one query.
const PAGE: usize = 2000;

/// Between two looks at a replica that catches up.
const LOOK: Duration = Duration::from_millis(20);

/// One table on one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Copy {
    pub(super) rows: u64,
    /// Over every cell of every row.
    pub(super) checksum: u64,
    /// SHOW CREATE TABLE.
    definition: String,
}

/// All tables on all nodes.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// By table; `None` where a node has no such table.
    pub(super) tables: BTreeMap<String, [Option<Copy>; 3]>,
    /// Acknowledged transactions that the primary does not hold.
    pub(super) missing: BTreeSet<(u64, u64)>,
}

impl Comparison {
    pub(super) fn is_identical(&self) -> bool {
        let equal = |copies: &[Option<Copy>; 3]| {
            let [primary, replicas @ ..] = copies;
            primary.is_some() && replicas.iter().all(|copy| copy == primary)
        };
        self.missing.is_empty() && !self.tables.is_empty() && self.tables.values().all(equal)
    }
}

/// Waits until both replicas have executed every GTID of the primary.
pub(super) async fn wait_until_equal(cluster: &Cluster, within: Duration) -> Result<(), Failure> {
    let deadline = Instant::now() + within;
    let wanted = executed(
        &mut connect(cluster, NodeName::Primary).await?,
        NodeName::Primary,
    )
    .await?;
    for name in NodeName::REPLICAS {
        let mut client = connect(cluster, name).await?;
        loop {
            let found = executed(&mut client, name).await?;
            if wanted.is_subset_of(&found) {
                break;
            }
            let status = client.query("SHOW REPLICA STATUS").await;
            let status = status.map_err(|error| failed(name, error))?;
            let runs = |column| status.first(column).is_some_and(|text| text != "No");
            let is_running = runs("Replica_IO_Running") && runs("Replica_SQL_Running");
            if !is_running || Instant::now() > deadline {
                let errors = ["Last_IO_Error", "Last_SQL_Error"].map(|name| status.first(name));
                let errors: Vec<String> = errors.into_iter().flatten().collect();
                let state = if is_running {
                    "has not caught up"
                } else {
                    "has stopped"
                };
                return Err(Failure::Failed(format!(
                    "{name} {state}: it has {found}, the primary {wanted}; {}",
                    errors.join("; ")
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }
    Ok(())
}

/// Reads all tables of all nodes.
pub(super) async fn compare(
    cluster: &Cluster,
    acknowledged: &BTreeSet<(u64, u64)>,
) -> Result<Comparison, Failure> {
    let mut comparison = Comparison {
        missing: acknowledged.clone(),
        ..Comparison::default()
    };
    for (index, name) in NodeName::ALL.into_iter().enumerate() {
        let mut client = connect(cluster, name).await?;
        for table in tables(&mut client)
            .await
            .map_err(|error| failed(name, error))?
        {
            let found = copy(&mut client, &table)
                .await
                .map_err(|error| failed(name, error))?;
            if name == NodeName::Primary && table == "ledger" {
                for key in &found.ledger {
                    comparison.missing.remove(key);
                }
            }
            let copies = comparison.tables.entry(table).or_default();
            if let Some(place) = copies.get_mut(index) {
                *place = Some(found.copy);
            }
        }
    }
    Ok(comparison)
}

async fn connect(cluster: &Cluster, name: NodeName) -> Result<Client, Failure> {
    cluster
        .server(name)
        .connect(STATEMENT)
        .await
        .map_err(|error| failed(name, error))
}

fn failed(name: NodeName, error: impl std::fmt::Display) -> Failure {
    Failure::failed(&format!("cannot read {name}"), error)
}

async fn executed(client: &mut Client, name: NodeName) -> Result<GtidSet, Failure> {
    let text = client.scalar("SELECT @@global.gtid_executed").await;
    let text = text
        .map_err(|error| failed(name, error))?
        .unwrap_or_default();
    text.parse().map_err(|error| failed(name, error))
}

async fn tables(client: &mut Client) -> Result<Vec<String>, crate::client::ClientError> {
    let rows = client.query("SHOW TABLES FROM demo").await?;
    let name = |row: &Vec<Option<Vec<u8>>>| {
        let cell = row.first()?.as_deref()?;
        Some(String::from_utf8_lossy(cell).into_owned())
    };
    Ok(rows.rows.iter().filter_map(name).collect())
}

struct Found {
    copy: Copy,
    /// `(writer, sequence)` of every row, for the ledger.
    ledger: Vec<(u64, u64)>,
}

async fn copy(client: &mut Client, table: &str) -> Result<Found, crate::client::ClientError> {
    let definition = client
        .query(&format!("SHOW CREATE TABLE demo.{table}"))
        .await?;
    let definition = definition.first("Create Table").unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    let mut rows = 0;
    let mut ledger = Vec::new();
    let mut after = String::from("0");
    loop {
        let page =
            format!("SELECT * FROM demo.{table} WHERE id > {after} ORDER BY id LIMIT {PAGE}");
        let page = client.query(&page).await?;
        for row in &page.rows {
            row.hash(&mut hasher);
            rows += 1;
        }
        ledger.extend((0..page.rows.len()).filter_map(|row| key(&page, row)));
        match page.text(page.rows.len().saturating_sub(1), "id") {
            Some(last) if page.rows.len() == PAGE => after = last,
            _ => break,
        }
    }
    let copy = Copy {
        rows,
        checksum: hasher.finish(),
        definition,
    };
    Ok(Found { copy, ledger })
}

fn key(page: &Rows, row: usize) -> Option<(u64, u64)> {
    let number = |column| page.text(row, column)?.parse().ok();
    Some((number("writer")?, number("sequence")?))
}

#[cfg(test)]
mod tests {
    use super::{Comparison, Copy};

    fn copy(rows: u64) -> Option<Copy> {
        Some(Copy {
            rows,
            checksum: 7,
            definition: String::new(),
        })
    }

    fn of(copies: [Option<Copy>; 3]) -> Comparison {
        let tables = [("t".to_owned(), copies)].into();
        Comparison {
            tables,
            ..Comparison::default()
        }
    }

    #[test]
    fn copies_are_identical_only_if_every_node_has_the_same() {
        assert!(of([copy(1), copy(1), copy(1)]).is_identical());
        assert!(!of([copy(1), copy(1), copy(2)]).is_identical());
        assert!(!of([copy(1), None, copy(1)]).is_identical());
        assert!(!of([None, None, None]).is_identical());
        assert!(!Comparison::default().is_identical());
    }

    #[test]
    fn a_lost_transaction_is_not_identical() {
        let mut comparison = of([copy(1), copy(1), copy(1)]);
        comparison.missing.insert((1, 2));
        assert!(!comparison.is_identical());
    }
}
