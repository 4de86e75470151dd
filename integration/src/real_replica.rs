//! A real server as a replica: how each vendor is told to follow a source, and what it says.

use std::time::Duration;

use crate::failure::{Failure, Result};
use crate::peers::Peer;
use crate::real_server::RealServer;
use crate::sql::Client;
use crate::wait;

/// Account that replicas use on a source.
pub const REPLICATION_USER: &str = "repl";
/// Its password.
pub const REPLICATION_PASSWORD: &str = "re-Pl1cate";

/// Where a replica starts.
#[derive(Clone, Debug)]
pub enum Start {
    /// By GTID.
    AutoPosition,
    /// By binlog coordinates.
    Position {
        /// Binlog file.
        file: String,
        /// Offset in it.
        position: u64,
    },
}

/// Creates the replication account on a MySQL or Weir source, for replicas of this vendor.
///
/// A MariaDB replica sends a caching_sha2 password in clear when there is no TLS, which every source
/// refuses: it gets an account of the older method. MySQL 5.6 has no newer one to name.
///
/// # Errors
/// What the source answered.
pub async fn create_account(source: &mut Client, replica: Peer) -> Result {
    let method = match replica {
        Peer::MySql97 => "WITH caching_sha2_password BY",
        Peer::MySql56 => "BY",
        Peer::MariaDb1011 | Peer::MariaDb118 => "WITH mysql_native_password BY",
    };
    source
        .run(&[
            format!(
                "CREATE USER {REPLICATION_USER}@'%' IDENTIFIED {method} '{REPLICATION_PASSWORD}'"
            ),
            format!("GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO {REPLICATION_USER}@'%'"),
        ])
        .await
}

/// `CR_CONN_HOST_ERROR` and `CR_SERVER_LOST`.
const SOURCE_IS_AWAY: [&str; 2] = ["2003", "2013"];

impl RealServer {
    /// Follows the source on `port` from `start`.
    ///
    /// # Errors
    /// What this server answered.
    pub async fn follow(&self, port: u16, start: &Start) -> Result {
        let mut client = self.client().await?;
        client.run(&statements(self.peer, port, start)).await
    }

    /// Fails with the replication error, if there is one.
    ///
    /// # Errors
    /// The receiver's or the applier's last error; not that the source cannot be reached, which a
    /// receiver gets over by itself.
    pub async fn ensure_replicating(&self) -> Result {
        let mut client = self.client().await?;
        let (query, fields) = match self.peer {
            Peer::MySql97 => ("SHOW REPLICA STATUS", ["Last_IO_Error", "Last_SQL_Error"]),
            _ => ("SHOW SLAVE STATUS", ["Last_IO_Error", "Last_SQL_Error"]),
        };
        let io_errno = client.column(query, "Last_IO_Errno").await?;
        let is_away =
            io_errno.is_some_and(|code| SOURCE_IS_AWAY.contains(&code.to_string().as_str()));
        for field in fields {
            if field == "Last_IO_Error" && is_away {
                continue;
            }
            if let Some(error) = client
                .column(query, field)
                .await?
                .filter(|text| !text.is_empty())
            {
                return Err(Failure::new(format!(
                    "{} {field}: {error}",
                    self.peer.folder()
                )));
            }
        }
        Ok(())
    }

    /// Waits until this replica has executed up to the binlog coordinates.
    ///
    /// # Errors
    /// Its replication error, or that it did not get there within `limit`.
    pub async fn until_executed(&self, file: &str, position: u64, limit: Duration) -> Result {
        let (query, at_file, at_position) = match self.peer {
            Peer::MySql97 => (
                "SHOW REPLICA STATUS",
                "Relay_Source_Log_File",
                "Exec_Source_Log_Pos",
            ),
            _ => (
                "SHOW SLAVE STATUS",
                "Relay_Master_Log_File",
                "Exec_Master_Log_Pos",
            ),
        };
        let what = format!("{} executes up to {file}:{position}", self.peer.folder());
        wait::until(&what, limit, || async move {
            self.ensure_replicating().await?;
            let mut client = self.client().await?;
            let seen_file = client.column(query, at_file).await?.unwrap_or_default();
            let seen = client.column(query, at_position).await?.unwrap_or_default();
            let reached = seen.parse::<u64>().is_ok_and(|seen| seen >= position);
            let is_there = seen_file.as_str() > file || (seen_file == file && reached);
            Ok(if is_there {
                Ok(())
            } else {
                Err(format!("{seen_file}:{seen}"))
            })
        })
        .await
    }
}

/// The end of a source's binlog, by whichever statement it knows.
///
/// # Errors
/// What the source answered.
pub async fn binlog_end(source: &mut Client) -> Result<(String, u64)> {
    let rows = match source.attempt("SHOW BINARY LOG STATUS").await? {
        Ok(_) => source.rows("SHOW BINARY LOG STATUS").await?,
        // Servers before MySQL 8.2, and MariaDB.
        Err(_) => source.rows("SHOW MASTER STATUS").await?,
    };
    let row = rows.first().map(Vec::as_slice).unwrap_or_default();
    match row {
        [file, position, ..] => Ok((file.to_string(), position.to_string().parse()?)),
        _ => Err(Failure::new("the server has no log")),
    }
}

fn statements(peer: Peer, port: u16, start: &Start) -> Vec<String> {
    let (change, word, begin) = match peer {
        Peer::MySql97 => ("CHANGE REPLICATION SOURCE TO", "SOURCE", "START REPLICA"),
        // MariaDB kept the old vocabulary in its SQL.
        _ => ("CHANGE MASTER TO", "MASTER", "START SLAVE"),
    };
    let mut options = format!(
        "{word}_HOST = '127.0.0.1', {word}_PORT = {port}, {word}_USER = '{REPLICATION_USER}', \
         {word}_PASSWORD = '{REPLICATION_PASSWORD}', {word}_CONNECT_RETRY = 1"
    );
    match (peer, start) {
        (Peer::MySql97, Start::AutoPosition) => {
            options.push_str(", SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1");
        }
        (Peer::MySql97, Start::Position { file, position }) => {
            options.push_str(&format!(
                ", SOURCE_AUTO_POSITION = 0, GET_SOURCE_PUBLIC_KEY = 1, \
                 SOURCE_LOG_FILE = '{file}', SOURCE_LOG_POS = {position}"
            ));
        }
        (_, Start::AutoPosition) => options.push_str(", MASTER_USE_GTID = slave_pos"),
        (_, Start::Position { file, position }) => options.push_str(&format!(
            ", MASTER_USE_GTID = no, MASTER_LOG_FILE = '{file}', MASTER_LOG_POS = {position}"
        )),
    }
    vec![format!("{change} {options}"), begin.to_owned()]
}
