//! The peers' own binlog readers, run on files that Weir wrote.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Result, ensure};
use crate::peers::{self, Peer};
use crate::workload::Scope;

/// What a reader printed.
pub struct Listing {
    /// stdout.
    pub text: String,
}

/// Runs the peer's reader over `files` with checksums verified, and rows decoded if `with_rows`.
///
/// # Errors
/// When the peer is missing, or the reader fails or complains.
pub fn list(peer: Peer, files: &[PathBuf], with_rows: bool) -> Result<Listing> {
    ensure(!files.is_empty(), || "no binlog file to read".to_owned())?;
    let mut command = reader(peer)?;
    command.args(["--verify-binlog-checksum", "--base64-output=decode-rows"]);
    if with_rows {
        command.arg("-v");
    }
    command.args(files);
    let output = command.output()?;
    let complaints = complaints(&output.stderr);
    ensure(output.status.success() && complaints.is_empty(), || {
        format!("{command:?}: {}\n{complaints}", output.status)
    })?;
    Ok(Listing {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

/// Every binlog of `files` is read without a complaint by MySQL 9.7 and MariaDB 10.11 and 11.8.
///
/// MariaDB's reader cannot print rows of MySQL's own types (JSON, VECTOR), also not from MySQL's own
/// files: from such a `scope` it reads the events and their checksums.
///
/// # Errors
/// The first reader that fails, with its words.
pub fn read_by_all_peers(files: &[PathBuf], scope: Scope) -> Result {
    for peer in [Peer::MySql97, Peer::MariaDb1011, Peer::MariaDb118] {
        let with_rows = !peer.is_mariadb() || scope == Scope::WithMariaDb;
        let listing = list(peer, files, with_rows)?;
        for needle in ["WARNING:", "Warning:", "ERROR:", "Unknown event"] {
            let found = listing.text.lines().find(|line| line.contains(needle));
            ensure(found.is_none(), || {
                format!("{} says: {}", peer.folder(), found.unwrap_or_default())
            })?;
        }
    }
    Ok(())
}

/// The peer's reader without any option file.
///
/// # Errors
/// When the peer is missing.
pub fn reader(peer: Peer) -> Result<Command> {
    let mut command = peer.program(if peer.is_mariadb() {
        "mariadb-binlog"
    } else {
        "mysqlbinlog"
    })?;
    command.arg("--no-defaults");
    let share = match peer {
        Peer::MariaDb118 => "root/usr/share/mariadb/charsets",
        _ => "root/usr/share/mysql/charsets",
    };
    let charsets: &Path = &peers::folder(peer.folder())?.join(share);
    command.arg(format!("--character-sets-dir={}", charsets.display()));
    Ok(command)
}

/// What is on stderr besides remarks about options.
fn complaints(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr)
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.contains("Deprecated program name"))
        .collect::<Vec<_>>()
        .join("\n")
}
