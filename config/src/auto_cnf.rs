//! `auto.cnf`: the identity of a data directory.
//!
//! MySQL keeps `server_uuid` in a file of this name in the data directory. It is made once and
//! never again: transactions of two servers with the same identity could not be told apart, so a
//! file that cannot be understood is an error and not replaced.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use uuid::Uuid;

use crate::option_file::OptionFile;

/// The name of the file inside a data directory.
pub const FILE_NAME: &str = "auto.cnf";

/// Reads the identity of `datadir`, or gives it one.
///
/// # Errors
///
/// If the file cannot be read or written, or holds no valid `server-uuid`.
pub fn server_uuid(datadir: &Path) -> io::Result<Uuid> {
    let path = datadir.join(FILE_NAME);
    if path.try_exists()? {
        return read(&path);
    }
    let uuid = Uuid::new_v4();
    let temporary = datadir.join("auto.cnf.new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o640)
        .open(&temporary)?;
    write!(file, "[auto]\nserver-uuid={uuid}\n")?;
    file.sync_all()?;
    fs::rename(&temporary, &path)?;
    File::open(datadir)?.sync_all()?;
    Ok(uuid)
}

fn read(path: &Path) -> io::Result<Uuid> {
    let bad = |found: String| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{}: {found}; expected [auto] server-uuid=UUID",
                path.display()
            ),
        )
    };
    let file =
        OptionFile::read(path, &["auto".to_owned()]).map_err(|error| bad(error.to_string()))?;
    let name = |name: &str| name.replace('-', "_") == "server_uuid";
    let option = file.options.iter().rev().find(|option| name(&option.name));
    let text = option.and_then(|option| option.value.clone());
    let text = text.ok_or_else(|| bad("there is no server-uuid".to_owned()))?;
    text.parse()
        .map_err(|_| bad(format!("'{text}' is not a UUID")))
}

#[cfg(test)]
mod tests {
    use super::{FILE_NAME, server_uuid};

    #[test]
    fn the_identity_of_a_directory_is_made_once() {
        let directory = tempfile::tempdir().unwrap();
        let first = server_uuid(directory.path()).unwrap();
        assert_eq!(server_uuid(directory.path()).unwrap(), first);
    }

    #[test]
    fn an_unreadable_identity_is_not_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(FILE_NAME);
        std::fs::write(&path, "[auto]\nserver-uuid=not-one\n").unwrap();
        let error = server_uuid(directory.path()).unwrap_err().to_string();
        assert!(error.contains("'not-one' is not a UUID"), "{error}");
        assert!(std::fs::read_to_string(&path).unwrap().contains("not-one"));
    }
}
