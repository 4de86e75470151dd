//! One source into one target: a replica of its own, and the server that it writes to.

use std::time::{Duration, Instant};

use integration::chance::{Chance, announce};
use integration::compare::{ensure_same, replica_status};
use integration::failure::ensure;
use integration::wait;
use integration::{Client, Failure, Peer, Postgres, RealServer, Result, Weir};

use super::sources::Source;
use super::work::{self, Held};

/// How long a target may take for what its source has logged, for each MiB of the large transaction
/// among it: twelve servers are on the machine.
const LIMIT_OF_A_MIB: Duration = Duration::from_secs(10);

/// The columns of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The embedded engine.
    Sqlite,
    /// A server.
    Server(Peer),
    /// PostgreSQL.
    Postgres,
}

impl Target {
    /// All of them, in the order of the table.
    pub(crate) const ALL: [Self; 4] = [
        Self::Sqlite,
        Self::Server(Peer::MySql97),
        Self::Server(Peer::MariaDb118),
        Self::Postgres,
    ];

    /// As the table names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Server(Peer::MySql97) => "MySQL 9.7",
            Self::Server(Peer::MySql56) => "MySQL 5.6",
            Self::Server(Peer::MariaDb1011) => "MariaDB 10.11",
            Self::Server(Peer::MariaDb118) => "MariaDB 11.8",
            Self::Postgres => "PostgreSQL 15",
        }
    }
}

/// Where the rows of a cell are.
enum Store {
    /// In the replica.
    Replica,
    /// In a server that speaks MySQL's protocol.
    Server(Box<RealServer>),
    /// In a PostgreSQL.
    Postgres(Postgres),
}

/// A cell of the table at work.
pub(crate) struct Cell {
    target: Target,
    store: Store,
    replica: Weir,
    may_refuse: bool,
    refused: Option<String>,
}

impl Cell {
    /// Starts the target and a replica that follows the source into it.
    pub(crate) async fn start(
        source: &Source,
        server_id: u32,
        lines: &[String],
        target: Target,
    ) -> Result<Self> {
        let mut lines: Vec<String> = lines.to_vec();
        let store = match target {
            Target::Sqlite => Store::Replica,
            Target::Postgres => {
                let server = Postgres::start(&[]).await?;
                lines.push(server.target());
                Store::Postgres(server)
            }
            Target::Server(peer) => {
                let options: &[&str] = match (peer, source.has_gtids()) {
                    (Peer::MySql97, false) => {
                        &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"]
                    }
                    _ => &[],
                };
                let server = RealServer::start(peer, 2, options).await?;
                lines.push(format!("target=mysql://root@127.0.0.1:{}", server.port));
                Store::Server(Box::new(server))
            }
        };
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        Ok(Self {
            target,
            store,
            replica: Weir::replica(server_id, &lines).await?,
            may_refuse: false,
            refused: None,
        })
    }

    /// From here on what stops the applier is what the table says, and no failure.
    pub(crate) fn may_refuse(mut self) -> Self {
        self.may_refuse = true;
        self
    }

    /// Kills the replica and the target in turns.
    pub(crate) async fn kill(&mut self, each: u64, chance: &mut Chance) -> Result {
        for _ in 0..each {
            wait::let_run(chance.millis(200, 900)).await;
            self.replica.kill()?;
            self.replica.launch().await?;
            wait::let_run(chance.millis(200, 900)).await;
            match &mut self.store {
                Store::Replica => {}
                Store::Server(server) => {
                    server.kill()?;
                    server.launch().await?;
                }
                Store::Postgres(server) => {
                    server.kill()?;
                    server.launch().await?;
                }
            }
        }
        Ok(())
    }

    /// Waits until the target has the mark, and compares it with what the source, `at_source`, holds.
    pub(crate) async fn until_same(
        &mut self,
        mark: u64,
        at_source: &mut Client,
        expected: &Held,
    ) -> Result {
        let name = self.name();
        let done = self.until_marked(mark).await;
        let done = match done {
            Ok(true) => self.compare(at_source, expected).await,
            Ok(false) => Ok(()),
            Err(failure) => Err(failure),
        };
        done.map_err(|failure| self.replica.explain(failure).during(name))
    }

    async fn until_marked(&mut self, mark: u64) -> Result<bool> {
        let sql = format!("SELECT COUNT(*) FROM matrix.marks WHERE id = {mark}");
        let began = Instant::now();
        let limit = LIMIT_OF_A_MIB * u32::try_from(work::large_mib())?;
        let mut at_replica = self.replica.client().await?;
        loop {
            if self.is_marked(&sql).await? {
                return Ok(true);
            }
            let lost = replica_status(&mut at_replica, "Last_IO_Error").await?;
            ensure(
                replica_status(&mut at_replica, "Replica_IO_Running").await? != "No",
                || lost,
            )?;
            let error = replica_status(&mut at_replica, "Last_SQL_Errno").await?;
            let has_stopped = replica_status(&mut at_replica, "Replica_SQL_Running").await? == "No";
            if error != "0" && has_stopped {
                let text = replica_status(&mut at_replica, "Last_SQL_Error").await?;
                if self.may_refuse {
                    announce(&format!("{}: {text}", self.name()));
                    self.refused = Some(error);
                    return Ok(false);
                }
                return Err(Failure::new(text));
            }
            ensure(began.elapsed() < limit, || {
                format!("mark {mark} does not arrive")
            })?;
            wait::let_run(Duration::from_millis(100)).await;
        }
    }

    /// Whether the table of marks is there, and the mark in it.
    async fn is_marked(&self, sql: &str) -> Result<bool> {
        let mut client = match &self.store {
            Store::Postgres(server) => {
                return Ok(server.query(sql).is_ok_and(|count| count == "1"));
            }
            Store::Replica | Store::Server(_) => self.client().await?,
        };
        let is_there = client.attempt(sql).await?.is_ok();
        Ok(is_there && client.value(sql).await?.to_string() == "1")
    }

    async fn compare(&self, at_source: &mut Client, expected: &Held) -> Result {
        if let Store::Postgres(server) = &self.store {
            return work::compare_with_postgres(at_source, expected, server).await;
        }
        let found = work::held(&mut self.client().await?).await?;
        ensure(found.big == expected.big, || {
            format!("large rows: {} and {}", expected.big, found.big)
        })?;
        ensure_same("source", &expected.rows, self.name(), &found.rows)
    }

    async fn client(&self) -> Result<Client> {
        match &self.store {
            Store::Server(server) => server.client().await,
            Store::Replica | Store::Postgres(_) => self.replica.client().await,
        }
    }

    /// As the table names its target.
    pub(crate) fn name(&self) -> &'static str {
        self.target.name()
    }

    /// The most memory that the replica has had since it was started.
    pub(crate) fn peak_mib(&mut self) -> Result<u64> {
        let process = self.replica.process();
        Ok(process.map_or(Ok(0), |process| process.peak_bytes())? >> 20)
    }

    /// What the table says of it.
    pub(crate) fn seen(&self) -> String {
        match &self.refused {
            None => "equal".to_owned(),
            Some(error) => format!("equal; its own types stop ({error})"),
        }
    }
}
