//! Where a value came from: the place an operator has to look at to change it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The place an option was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody wrote it: the built-in default.
    Default,
    /// A line of an option file or of a TOML file.
    File {
        /// The file as it was opened.
        path: Arc<PathBuf>,
        /// Line number, the first line is 1.
        line: usize,
    },
    /// An argument of the process.
    CommandLine,
    /// The file of the variables that SET PERSIST keeps.
    Persisted(Arc<PathBuf>),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::CommandLine => f.write_str("command line"),
            Self::Persisted(path) => write!(f, "{}", path.display()),
        }
    }
}
