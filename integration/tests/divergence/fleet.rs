//! A Weir primary with a Weir replica and a MySQL 9.7 replica, all alike at any moment a test asks.

use integration::compare::{Snapshot, ensure_same, until_gtids_executed};
use integration::failure::ensure;
use integration::real_replica::{REPLICATION_PASSWORD, REPLICATION_USER, Start, create_account};
use integration::wait::PATIENCE;
use integration::{Client, Peer, RealServer, Result, Weir};

/// The three of them.
pub(crate) struct Fleet {
    pub(crate) primary: Weir,
    pub(crate) weir: Weir,
    pub(crate) mysql: RealServer,
}

impl Fleet {
    /// Starts them; `lines` are the primary's.
    pub(crate) async fn start(lines: &[&str]) -> Result<Self> {
        let primary = Weir::primary(1, lines).await?;
        create_account(&mut primary.client().await?, Peer::MySql97).await?;
        let weir = replica_of(&primary, 2, &[]).await?;
        let mysql = RealServer::start(Peer::MySql97, 3, &["--read-only=ON"]).await?;
        mysql.follow(primary.port, &Start::AutoPosition).await?;
        Ok(Self {
            primary,
            weir,
            mysql,
        })
    }

    /// Waits until both replicas have everything and compares definitions and rows.
    pub(crate) async fn ensure_alike(&self, databases: &[&str]) -> Result {
        let mut primary = self.primary.client().await?;
        let expected = Contents::of(&mut primary, databases).await?;
        let mut mysql = self.mysql.client().await?;
        if let Err(failure) = until_gtids_executed(&mut primary, &mut mysql, PATIENCE).await {
            let workers = "SELECT LAST_ERROR_MESSAGE FROM \
                           performance_schema.replication_applier_status_by_worker \
                           WHERE LAST_ERROR_NUMBER <> 0";
            let told = mysql.rows(workers).await?;
            return Err(failure.during(format!("the MySQL replica says {told:?}")));
        }
        let found = Contents::of(&mut mysql, databases).await?;
        expected.ensure_same("the MySQL replica", &found)?;
        let mut weir = self.weir.client().await?;
        until_gtids_executed(&mut primary, &mut weir, PATIENCE)
            .await
            .map_err(|failure| self.weir.explain(failure))?;
        let found = Contents::of(&mut weir, databases).await?;
        expected.ensure_same("the Weir replica", &found)
    }

    /// kill -9 of the primary, whose engine is then made anew from its binary logs.
    pub(crate) async fn replay_the_log(&mut self, databases: &[&str]) -> Result {
        let mut client = self.primary.client().await?;
        let expected = Contents::of(&mut client, databases).await?;
        drop(client);
        self.primary.kill()?;
        for file in ["weir.db", "weir.db-wal", "weir.db-shm"] {
            match std::fs::remove_file(self.primary.data().join(file)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        self.primary.launch().await?;
        let mut client = self.primary.client().await?;
        let found = Contents::of(&mut client, databases).await?;
        expected.ensure_same("the engine made from the log", &found)
    }
}

/// A Weir replica of a Weir primary, with further lines in its option file.
pub(crate) async fn replica_of(primary: &Weir, server_id: u32, more: &[&str]) -> Result<Weir> {
    let lines = [
        "source-host=127.0.0.1".to_owned(),
        format!("source-port={}", primary.port),
        format!("source-user={REPLICATION_USER}"),
        format!("source-password={REPLICATION_PASSWORD}"),
        "source-auto-position=ON".to_owned(),
        "source-connect-retry=1".to_owned(),
    ];
    let lines = lines.iter().map(String::as_str);
    let lines: Vec<&str> = lines.chain(more.iter().copied()).collect();
    Weir::replica(server_id, &lines).await
}

/// Definitions and rows of some databases.
pub(crate) struct Contents {
    columns: Vec<String>,
    rows: Snapshot,
}

impl Contents {
    pub(crate) async fn of(client: &mut Client, databases: &[&str]) -> Result<Self> {
        client.execute("SET NAMES utf8mb4").await?;
        let rows = Snapshot::take(client, databases).await?;
        let mut columns = Vec::new();
        for database in databases {
            for table in client
                .rows(&format!("SHOW TABLES FROM `{database}`"))
                .await?
            {
                let table = table.first().map(ToString::to_string).unwrap_or_default();
                let query = format!("SHOW FULL COLUMNS FROM `{database}`.`{table}`");
                for row in client.rows(&query).await? {
                    // Field, Type, Collation, Null, Key, Default, Extra, Privileges, Comment. A
                    // default is compared by the rows that have it: MySQL shows the text of a moment
                    // in the time zone of the session that wrote it.
                    let cell = |at: usize| row.get(at).map(ToString::to_string).unwrap_or_default();
                    let shown = [0, 1, 2, 3, 4, 8].map(cell);
                    columns.push(format!("{database}.{table}: {shown:?}"));
                }
            }
        }
        Ok(Self { columns, rows })
    }

    pub(crate) fn ensure_same(&self, name: &str, other: &Self) -> Result {
        ensure_same("the primary", &self.rows, name, &other.rows)?;
        ensure(self.columns == other.columns, || {
            format!(
                "the primary has\n{}\nand {name}\n{}",
                self.columns.join("\n"),
                other.columns.join("\n")
            )
        })
    }
}
