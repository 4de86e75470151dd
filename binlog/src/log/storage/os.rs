//! [`Storage`] over a directory of the operating system.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::{Storage, StorageFile};

/// The files of one directory. Names are single components; anything else is refused.
#[derive(Debug, Clone)]
pub struct OsStorage {
    root: PathBuf,
}

impl OsStorage {
    /// The directory `root`, which must exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("'{name}' is not the name of a file in a directory"),
            ));
        }
        Ok(self.root.join(name))
    }

    fn create_with_mode(&self, name: &str, mode: u32) -> io::Result<Box<dyn StorageFile>> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, mode);
        Ok(Box::new(OsFile(options.open(self.path(name)?)?)))
    }
}

impl Storage for OsStorage {
    fn create(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.create_with_mode(name, 0o640)
    }

    fn create_private(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        self.create_with_mode(name, 0o600)
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(self.path(name)?)?;
        Ok(Box::new(OsFile(file)))
    }

    fn open_read(&self, name: &str) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(OsFile(File::open(self.path(name)?)?)))
    }

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            let entry = entry?;
            // A name that is not UTF-8 cannot be one of ours.
            if let Ok(name) = entry.file_name().into_string()
                && !entry.file_type()?.is_dir()
            {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path(from)?, self.path(to)?)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path(name)?)
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_all()
    }
}

#[derive(Debug)]
struct OsFile(File);

impl StorageFile for OsFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_at(bytes, offset)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn truncate(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{read_small, replace_file, write_all_at};
    use super::*;

    #[test]
    fn writes_reads_lists_and_replaces_files() {
        let directory = tempfile::tempdir().unwrap();
        let storage = OsStorage::new(directory.path());
        let file = storage.create("a.000001").unwrap();
        write_all_at(file.as_ref(), 0, b"hello").unwrap();
        write_all_at(file.as_ref(), 1, b"a").unwrap();
        file.sync().unwrap();
        file.truncate(4).unwrap();
        assert_eq!(read_small(&storage, "a.000001", 10).unwrap(), b"hall");
        assert!(storage.create("a.000001").is_err());
        replace_file(&storage, "a.index", b"1").unwrap();
        replace_file(&storage, "a.index", b"2").unwrap();
        assert_eq!(read_small(&storage, "a.index", 10).unwrap(), b"2");
        assert_eq!(storage.list().unwrap(), ["a.000001", "a.index"]);
        storage.remove("a.000001").unwrap();
        assert_eq!(
            storage.open("a.000001").unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }

    #[test]
    fn refuses_names_that_leave_the_directory() {
        let storage = OsStorage::new("/nonexistent");
        for name in ["", ".", "..", "../x", "/etc/passwd", "a/b"] {
            assert_eq!(
                storage.open_read(name).unwrap_err().kind(),
                io::ErrorKind::InvalidInput
            );
        }
    }

    #[test]
    fn refuses_a_file_larger_than_the_limit() {
        let directory = tempfile::tempdir().unwrap();
        let storage = OsStorage::new(directory.path());
        replace_file(&storage, "x", &[0; 11]).unwrap();
        assert_eq!(
            read_small(&storage, "x", 10).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
