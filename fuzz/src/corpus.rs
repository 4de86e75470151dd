//! Binlogs that real servers wrote, as the material of seeds.
//!
//! They are those of the binlog crate's tests, read from their archives, and whatever a directory
//! given by hand holds.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What seeds are made of.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// Log files, plain and encrypted, in the order of their paths.
    pub files: Vec<CorpusFile>,
    /// Keyring and key files.
    pub keys: Vec<CorpusFile>,
}

/// One file.
#[derive(Debug, Clone)]
pub struct CorpusFile {
    /// Where it came from.
    pub path: PathBuf,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// The window that the archives were packed with.
const WINDOW_LOG: u32 = 27;

/// Files above this size are no seeds.
const FILE_MAX: u64 = 8 << 20;

impl Corpus {
    /// The corpora of the project.
    ///
    /// # Errors
    ///
    /// If an archive cannot be read.
    pub fn of_project() -> io::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../binlog/tests/corpora");
        let mut corpus = Self::default();
        for name in ["generated", "public", "relay_logs"] {
            let file = File::open(root.join(format!("{name}.tar.zst")))?;
            let mut inflater = zstd::Decoder::new(file)?;
            inflater.window_log_max(WINDOW_LOG)?;
            for entry in tar::Archive::new(inflater).entries()? {
                let mut entry = entry?;
                if entry.size() > FILE_MAX {
                    continue;
                }
                let path = entry.path()?.into_owned();
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes)?;
                corpus.add(path, bytes);
            }
        }
        corpus.sort();
        Ok(corpus)
    }

    /// Adds every file below `directory`.
    ///
    /// # Errors
    ///
    /// If a directory or file cannot be read.
    pub fn add_directory(&mut self, directory: &Path) -> io::Result<()> {
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            if path.is_dir() {
                self.add_directory(&path)?;
            } else if path.metadata()?.len() <= FILE_MAX {
                let bytes = fs::read(&path)?;
                self.add(path, bytes);
            }
        }
        self.sort();
        Ok(())
    }

    fn add(&mut self, path: PathBuf, bytes: Vec<u8>) {
        let name = path.file_name().and_then(|name| name.to_str());
        let is_keys = matches!(name, Some("keyring.json" | "keys.txt"));
        let is_log = matches!(bytes.get(1..4), Some(b"bin"));
        let file = CorpusFile { path, bytes };
        if is_keys {
            self.keys.push(file);
        } else if is_log {
            self.files.push(file);
        }
    }

    fn sort(&mut self) {
        self.files.sort_by(|a, b| a.path.cmp(&b.path));
        self.keys.sort_by(|a, b| a.path.cmp(&b.path));
    }
}
