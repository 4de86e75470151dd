//! The corpora beside this file, unpacked once and listed as the tests want them.
//!
//! What they are and how they were made is in `README.md` here.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::indexing_slicing,
    reason = "each test uses its own part, and fails by panicking"
)]

pub mod open;
pub mod rows;
pub mod values;
pub mod walk;

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value as Json;

const ARCHIVES: [&[u8]; 3] = [
    include_bytes!("generated.tar.zst"),
    include_bytes!("public.tar.zst"),
    include_bytes!("relay_logs.tar.zst"),
];

/// The window that the archives were packed with.
const WINDOW_LOG: u32 = 27;

/// Number of cases below `generated`.
pub const CASES: usize = 251;

/// One case that a real server wrote: a folder below `generated/<server>`.
pub struct Case {
    /// `mysql-9.7`, `mysql-5.6`, `mariadb-11.8` or `mariadb-10.11`.
    pub server: String,
    /// Name of the case.
    pub name: String,
    /// Where its files are.
    pub folder: PathBuf,
}

impl Case {
    /// Server and name, for messages.
    pub fn label(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }

    /// True for a case of MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.server.starts_with("mariadb")
    }

    /// The log files in order, as the server wrote them (encrypted where it encrypts).
    pub fn files(&self) -> Vec<PathBuf> {
        log_files(&self.folder, "binlog")
    }

    /// The log files in order, decrypted where the case has such a copy.
    pub fn plain_files(&self) -> Vec<PathBuf> {
        let plain = self.folder.join("plain");
        if plain.is_dir() {
            return log_files(&plain, "binlog");
        }
        self.files()
    }

    /// True when MariaDB encrypted the files (MySQL's have a decrypted copy).
    pub fn needs_file_keys(&self) -> bool {
        self.file_keys().is_file()
    }

    /// Keys of the `file_key_management` plugin; there for some cases of MariaDB.
    pub fn file_keys(&self) -> PathBuf {
        self.folder.join("keys.txt")
    }

    /// Keys of the keyring component; there for some cases of MySQL.
    pub fn keyring(&self) -> PathBuf {
        self.folder.join("keyring.json")
    }

    /// What SELECT showed around each statement.
    pub fn expected(&self) -> Json {
        let name = match self.name.as_str() {
            "large_commit_rename" => "expected_note.json",
            _ => "expected.json",
        };
        let text = fs::read_to_string(self.folder.join(name)).expect("expected.json");
        serde_json::from_str(&text).expect("JSON")
    }

    /// The server's own list of events, a row each: file, position, type, server id, end, info.
    pub fn event_list(&self) -> Option<Vec<Vec<String>>> {
        let text = fs::read(self.folder.join("show_binlog_events.tsv")).ok()?;
        let text = String::from_utf8_lossy(&text);
        let fields = |line: &str| line.split('\t').map(str::to_owned).collect();
        Some(text.lines().map(fields).collect())
    }
}

/// A file of `public` and how it must end.
pub struct Sample {
    /// The file.
    pub path: PathBuf,
    /// Its name in the manifest.
    pub name: String,
    /// What the manifest says of it, by column.
    pub manifest: Vec<(String, String)>,
}

impl Sample {
    /// A column of the manifest.
    pub fn column(&self, name: &str) -> &str {
        let column = self.manifest.iter().find(|(column, _)| column == name);
        &column.expect("a column of the manifest").1
    }
}

/// All cases, in the order of their names.
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for server in entries(&root().join("generated")) {
        for folder in entries(&server) {
            cases.push(Case {
                server: name_of(&server),
                name: name_of(&folder),
                folder,
            });
        }
    }
    assert_eq!(cases.len(), CASES);
    cases
}

/// The files of public repositories.
pub fn samples() -> Vec<Sample> {
    let root = root().join("public");
    let text = fs::read_to_string(root.join("MANIFEST.tsv")).expect("MANIFEST.tsv");
    let mut lines = text.lines().map(|line| line.split('\t'));
    let columns: Vec<&str> = lines.next().expect("a head").collect();
    lines
        .map(|fields| {
            let manifest: Vec<_> = columns
                .iter()
                .zip(fields)
                .map(|(column, field)| ((*column).to_owned(), field.to_owned()))
                .collect();
            let name = manifest[0].1.clone();
            Sample {
                path: root.join(&name),
                name,
                manifest,
            }
        })
        .collect()
}

/// Every log file of the replication runs: the sources' binlogs and the replicas' relay logs.
pub fn relay_logs() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for run in entries(&root().join("relay_logs")) {
        files.extend(entries(&run).into_iter().filter(|path| is_numbered(path)));
    }
    assert!(files.len() > 100);
    files
}

/// The unpacked corpora: below cargo's directory for the files of tests, by the archives' hash.
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        ARCHIVES.hash(&mut hasher);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let root = target.join(format!("corpora-{:016x}", hasher.finish()));
        if !root.is_dir() {
            unpack(target, &root);
        }
        root
    })
}

fn unpack(target: &Path, root: &Path) {
    fs::create_dir_all(target).expect("cargo's directory");
    let fresh = target.join(format!("corpora-fresh-{}", std::process::id()));
    for archive in ARCHIVES {
        let mut inflater = zstd::Decoder::new(archive).expect("zstd");
        inflater.window_log_max(WINDOW_LOG).expect("a window");
        tar::Archive::new(inflater).unpack(&fresh).expect("tar");
    }
    // Another test may have been faster: then its copy is as good.
    if fs::rename(&fresh, root).is_err() {
        fs::remove_dir_all(&fresh).expect("our own copy");
        assert!(root.is_dir());
    }
}

fn log_files(folder: &Path, stem: &str) -> Vec<PathBuf> {
    let is_ours = |path: &PathBuf| is_numbered(path) && path.file_stem().unwrap() == stem;
    entries(folder).into_iter().filter(is_ours).collect()
}

fn is_numbered(path: &Path) -> bool {
    let digits = path.extension().and_then(|extension| extension.to_str());
    digits.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}
