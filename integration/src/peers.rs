//! Where the real servers and clients are, as `scripts/peers` unpacks them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};

/// A server that the tests run against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// MySQL 9.7.
    MySql97,
    /// MySQL 5.6, whose GTIDs are off unless asked for, and which brings no client.
    MySql56,
    /// MariaDB 10.11.
    MariaDb1011,
    /// MariaDB 11.8.
    MariaDb118,
}

impl Peer {
    /// The name of its folder below the peers' folder.
    pub fn folder(self) -> &'static str {
        match self {
            Self::MySql97 => "mysql-9.7",
            Self::MySql56 => "mysql-5.6",
            Self::MariaDb1011 => "mariadb-10.11",
            Self::MariaDb118 => "mariadb-11.8",
        }
    }

    /// True for either MariaDB.
    pub fn is_mariadb(self) -> bool {
        match self {
            Self::MySql97 | Self::MySql56 => false,
            Self::MariaDb1011 | Self::MariaDb118 => true,
        }
    }

    /// A program of this peer, ready to take arguments.
    ///
    /// # Errors
    /// When the peer is not unpacked; names the command that does it.
    pub fn program(self, name: &str) -> Result<Command> {
        program(self.folder(), name)
    }

    /// The command line client of this peer; for MySQL 5.6, whose logins MySQL's has forgotten,
    /// MariaDB's.
    ///
    /// # Errors
    /// As [`Peer::program`].
    pub fn cli(self) -> Result<Command> {
        match self {
            Self::MySql97 => self.program("mysql"),
            Self::MySql56 => Self::MariaDb1011.program("mariadb"),
            Self::MariaDb1011 | Self::MariaDb118 => self.program("mariadb"),
        }
    }
}

/// A program of the folder `clients` (sysbench, python3 with PyMySQL).
///
/// # Errors
/// When it is not unpacked; names the command that does it.
pub fn client_program(name: &str) -> Result<Command> {
    program("clients", name)
}

/// A program of the folder `mydumper` (mydumper, myloader).
///
/// # Errors
/// When it is not unpacked; names the command that does it.
pub fn mydumper_program(name: &str) -> Result<Command> {
    program("mydumper", name)
}

/// A program of the folder `percona-toolkit` (pt-online-schema-change).
///
/// # Errors
/// When it is not unpacked; names the command that does it.
pub fn percona_program(name: &str) -> Result<Command> {
    program("percona-toolkit", name)
}

/// What a MariaDB 10.11 loads to be a node of a Galera cluster.
///
/// # Errors
/// When it is not unpacked; names the command that does it.
pub fn galera_library() -> Result<PathBuf> {
    let path = folder("galera-4")?.join("root/usr/lib/galera/libgalera_smm.so");
    match path.is_file() {
        true => Ok(path),
        false => Err(Failure::new(format!(
            "{} is missing; run `scripts/peers galera-4`",
            path.display()
        ))),
    }
}

/// The folder of one peer.
///
/// # Errors
/// When it is not unpacked completely; names the command that does it.
pub fn folder(name: &str) -> Result<PathBuf> {
    let folder = match std::env::var_os("WEIR_PEERS") {
        Some(peers) => PathBuf::from(peers),
        None => workspace().join(".peers"),
    }
    .join(name);
    if folder.join("complete").is_file() {
        return Ok(folder);
    }
    Err(Failure::new(format!(
        "the peer {name} is not unpacked in {}; run `scripts/peers {name}`",
        folder.display()
    )))
}

/// The root of the workspace's sources.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

fn program(peer: &str, name: &str) -> Result<Command> {
    let path = folder(peer)?.join("bin").join(name);
    if path.is_file() {
        return Ok(Command::new(path));
    }
    Err(Failure::new(format!(
        "{} is missing; run `scripts/peers {peer}`",
        path.display()
    )))
}
