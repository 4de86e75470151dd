//! A source and a replica behind it, compared table by table.

use integration::compare::{Snapshot, ensure_same, replica_status};
use integration::failure::{Failure, ensure};
use integration::real_replica::create_account;
use integration::wait::{self, PATIENCE};
use integration::{Client, Peer, RealServer, Result, Weir};

/// Both servers, and a client at each.
pub(crate) struct Follow {
    _source: RealServer,
    pub(crate) replica: Weir,
    pub(crate) at_source: Client,
    pub(crate) at_replica: Client,
    marks: u32,
}

impl Follow {
    /// A replica that follows a source from its first statement. Both have an empty database `d`.
    pub(crate) async fn start(peer: Peer, options: &[&str]) -> Result<Self> {
        let source = RealServer::start(peer, 1, options).await?;
        let mut at_source = source.client().await?;
        let replica = match peer {
            Peer::MySql97 => {
                create_account(&mut at_source, peer).await?;
                Weir::following(2, source.port, &[]).await?
            }
            Peer::MySql56 | Peer::MariaDb1011 | Peer::MariaDb118 => {
                match peer {
                    Peer::MySql56 => create_account(&mut at_source, peer).await?,
                    _ => integration::mariadb::create_account(&mut at_source).await?,
                }
                let rows = at_source.rows("SHOW MASTER STATUS").await?;
                let mut place = rows.into_iter().flatten().map(|cell| cell.to_string());
                let mut next = || place.next().unwrap_or_default();
                let begins = format!("source-log-file={}\nsource-log-pos={}", next(), next());
                let lines = ["source-auto-position=0", &begins];
                Weir::following(2, source.port, &lines).await?
            }
        };
        let at_replica = replica.client().await?;
        let mut both = Self {
            _source: source,
            replica,
            at_source,
            at_replica,
            marks: 0,
        };
        let setup = ["CREATE DATABASE d", "USE d", "CREATE TABLE mark (n INT)"];
        both.at_source.run(&setup).await?;
        both.arrive().await?;
        Ok(both)
    }

    /// Executes statements at the source and waits until the replica has done the same.
    pub(crate) async fn run(&mut self, statements: &[&str]) -> Result {
        for statement in statements {
            let done = self.at_source.execute(statement).await;
            done.map_err(|failure| failure.during(format!("at the source: {statement}")))?;
        }
        let arrived = self.arrive().await;
        arrived.map_err(|failure| self.replica.explain(failure))
    }

    /// Waits until the replica has what the source has logged.
    pub(crate) async fn arrive(&mut self) -> Result {
        self.marks += 1;
        let mark = self.marks;
        let insert = format!("INSERT INTO d.mark VALUES ({mark})");
        self.at_source.execute(&insert).await?;
        let at_replica = &mut self.at_replica;
        let started = std::time::Instant::now();
        loop {
            let found = at_replica.attempt("SELECT n FROM d.mark").await?;
            if found.is_ok() {
                let found = at_replica.value("SELECT MAX(n) FROM d.mark").await?;
                if found.to_string() == mark.to_string() {
                    return Ok(());
                }
            }
            let errno = replica_status(at_replica, "Last_SQL_Errno").await?;
            if errno != "0" || started.elapsed() > PATIENCE {
                let error = replica_status(at_replica, "Last_SQL_Error").await?;
                return Err(Failure::new(format!("not arrived: {errno} {error}")));
            }
            wait::let_run(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Fails unless rows are the same on both.
    pub(crate) async fn same_rows(&mut self) -> Result {
        let databases = ["d", "e"];
        let left = Snapshot::take(&mut self.at_source, &databases).await?;
        let right = Snapshot::take(&mut self.at_replica, &databases).await?;
        ensure_same("source", &left, "weir replica", &right)
    }

    /// Fails unless SHOW CREATE TABLE is the same on both for every table.
    pub(crate) async fn same_definitions(&mut self) -> Result {
        let mut differences = Vec::new();
        for database in ["d", "e"] {
            let tables = format!("SHOW TABLES FROM {database}");
            if self.at_source.attempt(&tables).await?.is_err() {
                continue;
            }
            for row in self.at_source.rows(&tables).await? {
                let name = row.first().map(ToString::to_string).unwrap_or_default();
                let show = format!("SHOW CREATE TABLE `{database}`.`{name}`");
                let left = self.at_source.column(&show, "Create Table").await?;
                let right = self.at_replica.column(&show, "Create Table").await?;
                let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
                if left != right {
                    differences.push(format!("source: {left}\nreplica: {right}"));
                }
            }
        }
        ensure(differences.is_empty(), || differences.join("\n\n"))
    }

    /// Fails unless a query has the same answer on both.
    pub(crate) async fn same_answer(&mut self, query: &str) -> Result {
        let left = self.at_source.rows(query).await?;
        let right = self.at_replica.rows(query).await?;
        ensure(left == right, || {
            format!("{query}\nsource: {left:?}\nreplica: {right:?}")
        })
    }
}
