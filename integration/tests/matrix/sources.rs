//! The sources: what each is started with, and how a replica asks it for its log.

use integration::mariadb;
use integration::real_replica::{
    REPLICATION_PASSWORD, REPLICATION_USER, binlog_end, create_account,
};
use integration::{Peer, RealServer, Result};

/// How a replica says where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// By GTID.
    Gtid,
    /// By file and position.
    Position,
}

/// One row of the table.
pub(crate) struct Source {
    /// As the table names it.
    pub(crate) name: &'static str,
    /// Which server.
    pub(crate) peer: Peer,
    /// How it is followed.
    pub(crate) by: By,
    /// Options of the server.
    options: &'static [&'static str],
    /// Whether the log is fetched by TLS that knows the server's certificate.
    is_tls: bool,
    /// Said in the session of the workload.
    pub(crate) session: &'static str,
}

const PLAIN: Source = Source {
    name: "",
    peer: Peer::MySql97,
    by: By::Gtid,
    options: &[],
    is_tls: false,
    session: "DO 1",
};

/// All of them.
pub(crate) static SOURCES: [Source; 18] = [
    Source {
        name: "MySQL 9.7, GTID",
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, file and position",
        by: By::Position,
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, TLS with verified certificate",
        is_tls: true,
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, `binlog_transaction_compression`",
        options: &["--binlog-transaction-compression=ON"],
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, `binlog_row_image=MINIMAL`",
        options: &["--binlog-row-image=MINIMAL"],
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, `binlog_row_image=NOBLOB`",
        options: &["--binlog-row-image=NOBLOB"],
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, `PARTIAL_JSON`",
        options: &["--binlog-row-value-options=PARTIAL_JSON"],
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, tagged GTIDs",
        session: "SET gtid_next = 'AUTOMATIC:matrix'",
        ..PLAIN
    },
    Source {
        name: "MySQL 9.7, `gtid_mode=OFF`",
        by: By::Position,
        options: &["--gtid-mode=OFF", "--enforce-gtid-consistency=OFF"],
        ..PLAIN
    },
    Source {
        name: "MySQL 5.6, file and position",
        peer: Peer::MySql56,
        by: By::Position,
        ..PLAIN
    },
    mariadb("MariaDB 10.11, GTID", Peer::MariaDb1011, By::Gtid, &[]),
    mariadb(
        "MariaDB 10.11, file and position",
        Peer::MariaDb1011,
        By::Position,
        &[],
    ),
    mariadb(
        "MariaDB 10.11, `log_bin_compress`",
        Peer::MariaDb1011,
        By::Gtid,
        &COMPRESSED,
    ),
    mariadb(
        "MariaDB 10.11, `binlog_row_image=MINIMAL`",
        Peer::MariaDb1011,
        By::Gtid,
        &MINIMAL,
    ),
    mariadb("MariaDB 11.8, GTID", Peer::MariaDb118, By::Gtid, &[]),
    mariadb(
        "MariaDB 11.8, file and position",
        Peer::MariaDb118,
        By::Position,
        &[],
    ),
    mariadb(
        "MariaDB 11.8, `log_bin_compress`",
        Peer::MariaDb118,
        By::Gtid,
        &COMPRESSED,
    ),
    mariadb(
        "MariaDB 11.8, `binlog_row_image=MINIMAL`",
        Peer::MariaDb118,
        By::Gtid,
        &MINIMAL,
    ),
];

const COMPRESSED: [&str; 2] = ["--log-bin-compress=1", "--log-bin-compress-min-len=10"];
const MINIMAL: [&str; 1] = ["--binlog-row-image=MINIMAL"];

const fn mariadb(
    name: &'static str,
    peer: Peer,
    by: By,
    options: &'static [&'static str],
) -> Source {
    Source {
        name,
        peer,
        by,
        options,
        ..PLAIN
    }
}

impl Source {
    /// Whether its transactions have MySQL's GTIDs.
    pub(crate) fn has_gtids(&self) -> bool {
        self.peer == Peer::MySql97 && !self.options.contains(&"--gtid-mode=OFF")
    }

    /// Starts the server.
    pub(crate) async fn start(&self) -> Result<RealServer> {
        // LOAD DATA reads a file beside the data.
        let mut options = vec!["--secure-file-priv=", "--max-allowed-packet=64M"];
        options.extend(self.options);
        RealServer::start(self.peer, 1, &options).await
    }

    /// Makes the replication account. The lines by which a replica connects and begins behind it.
    pub(crate) async fn create_account(&self, server: &RealServer) -> Result<Vec<String>> {
        let mut client = server.client().await?;
        if self.peer.is_mariadb() {
            mariadb::create_account(&mut client).await?;
        } else {
            create_account(&mut client, self.peer).await?;
        }
        let mut lines = vec![
            "source-host=127.0.0.1".to_owned(),
            format!("source-port={}", server.port),
            format!("source-user={REPLICATION_USER}"),
            format!("source-password={REPLICATION_PASSWORD}"),
            "source-connect-retry=1".to_owned(),
        ];
        match self.by {
            By::Gtid => lines.push("source-auto-position=1".to_owned()),
            By::Position => {
                let (file, position) = binlog_end(&mut client).await?;
                lines.push(format!("source-log-file={file}\nsource-log-pos={position}"));
            }
        }
        if self.is_tls {
            let ca = server.data().join("ca.pem");
            lines.push(format!("source-ssl=1\nsource-ssl-ca={}", ca.display()));
        }
        Ok(lines)
    }
}
