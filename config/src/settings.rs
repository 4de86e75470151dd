//! The typed settings of a process, read off the effective options.
//!
//! Fields are named as MySQL's variables. What is here is checked: combinations that cannot work
//! are refused before a setting struct exists.

mod primary;
mod replica;
mod row_rules;
mod server;
mod source;
mod target;

pub use primary::{BinlogChecksum, BinlogRowMetadata, PrimarySettings};
pub use replica::{ApplierSettings, ReplicaSettings};
pub use row_rules::{RowRuleSettings, SkipErrors};
pub use server::{
    AuthenticationPlugin, EnforceGtidConsistency, GtidMode, Initialize, LogFormat, SQL_MODES,
    ServerSettings,
};
pub use source::{SourceCompression, SourcePosition, SourceSettings, SourceTls};
pub use target::{MysqlTarget, PostgresTarget, PostgresZeroDates, TargetHost, TargetKind};

use std::path::{Path, PathBuf};

/// A log's base name and the directory its files are in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogBaseName {
    /// Directory of the files, absolute or relative to the current directory.
    pub directory: PathBuf,
    /// What file names begin with: `master-bin` of `master-bin.000001`.
    pub base: String,
    /// The index file, with its directory.
    pub index: PathBuf,
}

impl LogBaseName {
    /// Reads `written` (a base name, maybe with directory and extension: MySQL drops the
    /// extension) and `index`, relative to `datadir`.
    fn new(datadir: &Path, written: &str, index: Option<&str>) -> Self {
        let path = datadir.join(written);
        let base = path
            .file_name()
            .map_or(written.into(), |name| name.to_string_lossy());
        let base = match base.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
            _ => base.into_owned(),
        };
        let directory = path.parent().unwrap_or(datadir).to_owned();
        let index = match index {
            None => directory.join(format!("{base}.index")),
            Some(index) => {
                let path = datadir.join(index);
                // MySQL gives the index file its extension when it is written without one.
                if path.extension().is_some() {
                    path
                } else {
                    path.with_extension("index")
                }
            }
        };
        Self {
            directory,
            base,
            index,
        }
    }
}

#[cfg(test)]
mod tests;
