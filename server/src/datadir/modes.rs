//! Rights of other users on a data directory, taken away when it is opened.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::DatadirError;
use crate::private_file;

/// Rights that no data directory gives: reading and entering by others.
const OTHERS: u32 = 0o007;
/// The bit of a directory that many users share, such as `/tmp`.
const SHARED: u32 = 0o1000;

/// What a directory may hold before it is one of a node.
const HARMLESS: [&str; 1] = ["lost+found"];

/// Closes the directory itself. One that is open to others and holds files that are not a node's,
/// such as `/tmp`, was named by mistake: it is refused and left as it is.
pub(super) fn close_directory(path: &Path, is_known: bool) -> Result<(), DatadirError> {
    let failed = |error| DatadirError::io("reading the rights of", path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if mode(&metadata) & OTHERS == 0 {
        return Ok(());
    }
    let refused = |reason| {
        Err(DatadirError::Open {
            path: path.to_owned(),
            reason,
        })
    };
    if !is_known {
        if mode(&metadata) & SHARED != 0 {
            return refused("it is one that all users share".to_owned());
        }
        if let Some(foreign) = foreign(path, true).map_err(failed)? {
            return refused(format!("it holds {foreign}, which is not a node's"));
        }
    }
    close(path, &metadata, 0)
}

/// The name of something in a directory that is not a node's. Logs may lie in a folder of any name,
/// by themselves.
fn foreign(directory: &Path, may_nest: bool) -> io::Result<Option<String>> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if HARMLESS.contains(&name.as_ref()) {
            continue;
        }
        let kind = entry.file_type()?;
        let is_own = match kind.is_dir() {
            true => may_nest && !name.starts_with('.') && foreign(&entry.path(), false)?.is_none(),
            false => is_of_a_node(&name),
        };
        if !is_own {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// What is made before the lock is: options, identity, and the files of a log that lies here.
fn is_of_a_node(name: &str) -> bool {
    ["auto.cnf", "weir.cnf", "mysqld.my"].contains(&name)
        || name.starts_with("weir.")
        || [
            ".pem", ".cnf", ".json", ".pid", ".log", ".err", ".sock", ".index", ".schema",
        ]
        .iter()
        .any(|end| name.ends_with(end))
        || name.rsplit_once('.').is_some_and(|(_, number)| {
            number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Closes the files of a data directory, those with secrets to the group as well.
pub(super) fn close_files(datadir: &Path) -> Result<(), DatadirError> {
    let failed = |error| DatadirError::io("listing", datadir, error);
    for entry in fs::read_dir(datadir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // A link leads to what is somebody else's, a socket is for everybody.
        let kind = entry.file_type().map_err(failed)?;
        if !kind.is_file() {
            continue;
        }
        let metadata = entry.metadata().map_err(failed)?;
        let name = entry.file_name();
        let wanted = match is_secret(&name.to_string_lossy()) {
            true => private_file::SECRET,
            false => 0o770,
        };
        if mode(&metadata) & 0o777 & !wanted != 0 {
            close(&entry.path(), &metadata, 0o777 & !wanted)?;
        }
    }
    Ok(())
}

fn is_secret(name: &str) -> bool {
    name.ends_with("-key.pem")
        || ["private_key.pem", "accounts.json", "source-info.json"].contains(&name)
}

/// Takes the rights of others, and `more`, from a file.
fn close(path: &Path, metadata: &Metadata, more: u32) -> Result<(), DatadirError> {
    let before = mode(metadata) & 0o7777;
    let after = before & !(OTHERS | more);
    fs::set_permissions(path, Permissions::from_mode(after)).map_err(|error| {
        DatadirError::Open {
            path: path.to_owned(),
            reason: error.to_string(),
        }
    })?;
    tracing::warn!(
        path = %path.display(),
        before = format!("{before:04o}"),
        after = format!("{after:04o}"),
        "took the rights of other users away"
    );
    Ok(())
}

fn mode(metadata: &Metadata) -> u32 {
    metadata.permissions().mode()
}
