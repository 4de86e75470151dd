//! Whether two servers hold the same rows, found by asking both over the MySQL protocol.
//!
//! Rows are compared as the servers print them (text protocol, UTC), sorted here and not by the
//! servers, so that neither side's collation or row order matters.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Result, ensure};
use crate::sql::{Cell, Client};
use crate::wait::{self, PATIENCE};

/// The tables of some databases with all their rows.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    tables: BTreeMap<String, Table>,
}

#[derive(Clone, PartialEq, Eq)]
struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Snapshot {
    /// Reads every table of `databases`. A database that is not there has no tables.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn take(client: &mut Client, databases: &[&str]) -> Result<Self> {
        Self::of(client, databases, "SHOW TABLES", "").await
    }

    /// The same without views and sequences, which the embedded engine does not keep.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn take_tables(client: &mut Client, databases: &[&str]) -> Result<Self> {
        Self::take_tables_without(client, databases, "").await
    }

    /// The same without the table `without`, of whatever database.
    ///
    /// # Errors
    /// What the server answered.
    pub async fn take_tables_without(
        client: &mut Client,
        databases: &[&str],
        without: &str,
    ) -> Result<Self> {
        Self::of(client, databases, "SHOW FULL TABLES", without).await
    }

    async fn of(
        client: &mut Client,
        databases: &[&str],
        show: &str,
        without: &str,
    ) -> Result<Self> {
        client.execute("SET time_zone = '+00:00'").await?;
        let present: Vec<String> = names(client.rows("SHOW DATABASES").await?);
        let mut tables = BTreeMap::new();
        for &database in databases
            .iter()
            .filter(|name| present.iter().any(|is| is == *name))
        {
            let mut found = client.rows(&format!("{show} FROM `{database}`")).await?;
            found.retain(|row| {
                let kind = row.get(1).map(ToString::to_string);
                !matches!(kind.as_deref(), Some("VIEW" | "SEQUENCE"))
            });
            for table in names(found).iter().filter(|name| *name != without) {
                let name = format!("`{database}`.`{}`", table.replace('`', "``"));
                let columns = names(client.rows(&format!("SHOW COLUMNS FROM {name}")).await?);
                let mut rows = client.rows(&format!("SELECT * FROM {name}")).await?;
                rows.sort();
                tables.insert(name, Table { columns, rows });
            }
        }
        Ok(Self { tables })
    }

    /// Number of rows in all tables.
    pub fn rows(&self) -> usize {
        self.tables.values().map(|table| table.rows.len()).sum()
    }

    /// Number of tables.
    pub fn tables(&self) -> usize {
        self.tables.len()
    }

    /// The first differences to `other`, as sentences; empty when equal.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for name in self
            .tables
            .keys()
            .filter(|name| !other.tables.contains_key(*name))
        {
            found.push(format!("{name} is only on the left"));
        }
        for (name, right) in &other.tables {
            match self.tables.get(name) {
                None => found.push(format!("{name} is only on the right")),
                Some(left) => left.differences(name, right, &mut found),
            }
        }
        found
    }
}

impl Table {
    fn differences(&self, name: &str, other: &Self, found: &mut Vec<String>) {
        if self.columns != other.columns {
            found.push(format!(
                "{name}: columns {:?} and {:?}",
                self.columns, other.columns
            ));
        }
        if self.rows.len() != other.rows.len() {
            found.push(format!(
                "{name}: {} rows and {} rows",
                self.rows.len(),
                other.rows.len()
            ));
        }
        let pairs = self
            .rows
            .iter()
            .zip(&other.rows)
            .filter(|(left, right)| left != right);
        for (left, right) in pairs.take(3) {
            found.push(format!("{name}: row {} and {}", show(left), show(right)));
        }
    }
}

/// Fails with the differences unless both snapshots are equal and hold something.
///
/// # Errors
/// When they differ or are empty.
pub fn ensure_same(left_name: &str, left: &Snapshot, right_name: &str, right: &Snapshot) -> Result {
    ensure(left.tables() > 0, || {
        format!("{left_name} holds no tables to compare")
    })?;
    let differences = left.differences(right);
    ensure(differences.is_empty(), || {
        format!(
            "{left_name} (left) and {right_name} (right) differ:\n{}",
            differences.join("\n")
        )
    })
}

/// Waits until `right` has the rows of `left`, whose load must have ended.
///
/// # Errors
/// The differences that remain after `limit`.
pub async fn until_same(
    left_name: &str,
    left: &mut Client,
    right_name: &str,
    right: &mut Client,
    databases: &[&str],
    limit: Duration,
) -> Result<Snapshot> {
    let expected = Snapshot::take(left, databases).await?;
    let started = Instant::now();
    // The look at a large table takes long itself, so it is not repeated at the pace of `until`.
    loop {
        let seen = Snapshot::take(right, databases).await?;
        match ensure_same(left_name, &expected, right_name, &seen) {
            Ok(()) => return Ok(expected),
            Err(failure) if started.elapsed() >= limit => return Err(failure),
            Err(_) => wait::let_run(Duration::from_millis(250)).await,
        }
    }
}

/// What CHECKSUM TABLE says of every table of `databases`.
///
/// # Errors
/// What the server answered.
pub async fn checksums(
    client: &mut Client,
    databases: &[&str],
) -> Result<BTreeMap<String, String>> {
    let mut sums = BTreeMap::new();
    for database in databases {
        for table in names(
            client
                .rows(&format!("SHOW TABLES FROM `{database}`"))
                .await?,
        ) {
            let name = format!("`{database}`.`{}`", table.replace('`', "``"));
            let rows = client.rows(&format!("CHECKSUM TABLE {name}")).await?;
            let sum = rows.first().and_then(|row| row.get(1));
            sums.insert(name, sum.map(ToString::to_string).unwrap_or_default());
        }
    }
    Ok(sums)
}

/// Fails unless CHECKSUM TABLE says the same of both servers' tables. How many there are.
///
/// # Errors
/// The tables that differ, or that there are none.
pub async fn ensure_same_checksums(
    left: &mut Client,
    right: &mut Client,
    databases: &[&str],
) -> Result<usize> {
    let (left, right) = (
        checksums(left, databases).await?,
        checksums(right, databases).await?,
    );
    ensure(!left.is_empty(), || "no tables".to_owned())?;
    let differ: Vec<_> = left
        .iter()
        .filter(|(name, sum)| right.get(*name) != Some(*sum))
        .collect();
    ensure(left.len() == right.len() && differ.is_empty(), || {
        format!(
            "{} and {} tables, different: {differ:?}",
            left.len(),
            right.len()
        )
    })?;
    Ok(left.len())
}

/// A column of the replica's status; `NULL` for NULL.
///
/// # Errors
/// Those of the connection.
pub async fn replica_status(client: &mut Client, column: &str) -> Result<String> {
    let found = client.column("SHOW REPLICA STATUS", column).await?;
    Ok(found.unwrap_or_else(|| "NULL".to_owned()))
}

/// Waits for a column of the replica's status to be `expected`.
///
/// # Errors
/// When it is not in time, with what the applier complains of.
pub async fn until_status(client: &mut Client, column: &str, expected: &str) -> Result {
    let began = Instant::now();
    loop {
        let found = replica_status(client, column).await?;
        if found == expected {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            let error = replica_status(client, "Last_SQL_Error").await?;
            let text = format!("{column} stays {found} instead of {expected}: {error}");
            return Err(Failure::new(text));
        }
        wait::let_run(Duration::from_millis(20)).await;
    }
}

/// Waits until the GTID set that `of` has executed is contained in that of `at`.
///
/// # Errors
/// When it is not within `limit`, with both sets.
pub async fn until_gtids_executed(of: &mut Client, at: &mut Client, limit: Duration) -> Result {
    let wanted = of.value("SELECT @@GLOBAL.gtid_executed").await?.to_string();
    let wanted: gtid::GtidSet = wanted
        .parse()
        .map_err(|error| Failure::new(format!("{wanted}: {error}")))?;
    let started = Instant::now();
    loop {
        let seen = at.value("SELECT @@GLOBAL.gtid_executed").await?.to_string();
        let have: gtid::GtidSet = seen
            .parse()
            .map_err(|error| Failure::new(format!("{seen}: {error}")))?;
        if wanted.is_subset_of(&have) {
            return Ok(());
        }
        ensure(started.elapsed() < limit, || {
            format!(
                "gtid_executed {wanted} not reached within {} s: {have}",
                limit.as_secs()
            )
        })?;
        wait::let_run(Duration::from_millis(50)).await;
    }
}

fn names(rows: Vec<Vec<Cell>>) -> Vec<String> {
    rows.into_iter()
        .filter_map(|row| row.into_iter().next())
        .map(|cell| cell.to_string())
        .collect()
}

fn show(row: &[Cell]) -> String {
    let text = format!("{row:?}");
    text.chars().take(400).collect()
}
