//! What the subcommands read: files, patterns of names, an index, standard input, a live server.
//!
//! Names are resolved before anything is read, so that a name that does not exist is reported at
//! once. A file is opened when its turn comes.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use binlog::log::encryption::Keys;
use binlog::log::storage::ForwardFile;
use binlog::log::{
    Checksums, LogError, LogFileName, LogReader, OsStorage, ReadOptions, Storage, StorageFile,
};
use binlog::schema::{SchemaSnapshots, side_file_name};
use binlog::stream::EventStream;
use binlog::transaction::{Order, TransactionReader};
use inspect::declared::DeclaredTables;

use super::live::{self, Live};
use super::schema;
use crate::arguments::InputArguments;
use crate::exit::Failure;
use crate::output;

/// What goes through a file.
pub(crate) type Reader = TransactionReader<LogReader>;

/// The files that are to be read, in order.
pub(crate) struct Inputs<'a> {
    arguments: &'a InputArguments,
    files: VecDeque<PathBuf>,
    /// The server whose files are read.
    live: Option<Live>,
    is_begun: bool,
    keys: Keys,
    described: Option<Arc<DeclaredTables>>,
}

/// One of them.
pub(crate) struct InputFile {
    label: String,
    path: PathBuf,
    /// What can be read only once; none for a file.
    stream: Option<Cell<Option<Box<dyn StorageFile>>>>,
    keys: Keys,
    described: Option<Arc<DeclaredTables>>,
    /// Whether it is the first of the input.
    pub(crate) is_first: bool,
    /// Whether it is the last of the input.
    pub(crate) is_last: bool,
}

impl<'a> Inputs<'a> {
    /// Resolves the names of the command line.
    pub(crate) fn new(arguments: &'a InputArguments) -> Result<Self, Failure> {
        let mut files = VecDeque::new();
        for name in &arguments.files {
            if live::is_url(name) {
                files.push_back(name.clone());
            } else if is_pattern(name) && !name.exists() {
                files.extend(matching(name)?);
            } else if is_index(name) {
                files.extend(listed(name)?);
            } else {
                files.push_back(name.clone());
            }
        }
        Ok(Self {
            arguments,
            files,
            live: None,
            is_begun: false,
            keys: keys(arguments)?,
            described: None,
        })
    }

    /// The same with what `--schema` says of tables.
    pub(crate) fn with_schema(
        arguments: &'a InputArguments,
        schema: Option<&str>,
    ) -> Result<Self, Failure> {
        let described = schema::load(schema, arguments)?;
        Ok(Self::new(arguments)?.described_by(described))
    }

    /// The same with what somebody says of tables.
    pub(crate) fn described_by(mut self, described: Option<Arc<DeclaredTables>>) -> Self {
        self.described = described;
        self
    }

    /// The next file; `None` behind the last.
    pub(crate) fn next_file(&mut self) -> Result<Option<InputFile>, Failure> {
        if let Some(live) = &self.live {
            if let Some((name, read)) = live.next_file().map_err(unfetched)? {
                let label = format!("{}/{name}", live.name);
                let is_last = live.is_one_file && self.files.is_empty();
                let file = Box::new(ForwardFile::new(read));
                return Ok(Some(self.file(
                    label.clone(),
                    label.into(),
                    Some(file),
                    is_last,
                )));
            }
            self.live = None;
        }
        let Some(path) = self.files.pop_front() else {
            return Ok(None);
        };
        if live::is_url(&path) {
            self.live = Some(Live::start(&path.to_string_lossy(), self.arguments)?);
            return self.next_file();
        }
        let is_last = self.files.is_empty();
        if path.as_os_str() == "-" {
            let file = Box::new(ForwardFile::new(std::io::stdin()));
            return Ok(Some(self.file(
                "-".to_owned(),
                "stdin".into(),
                Some(file),
                is_last,
            )));
        }
        let label = path.display().to_string();
        Ok(Some(self.file(label, path, None, is_last)))
    }

    fn file(
        &mut self,
        label: String,
        path: PathBuf,
        stream: Option<Box<dyn StorageFile>>,
        is_last: bool,
    ) -> InputFile {
        InputFile {
            label,
            path,
            stream: stream.map(|file| Cell::new(Some(file))),
            keys: self.keys.clone(),
            described: self.described.clone(),
            is_first: !std::mem::replace(&mut self.is_begun, true),
            is_last,
        }
    }

    /// Whether there is no end: a server is followed.
    pub(crate) const fn is_followed(&self) -> bool {
        self.arguments.stop_never
    }

    /// Whether the file behind `file`, which was read to its end, belongs to the same log.
    pub(crate) fn goes_on_after(&self, file: &InputFile) -> bool {
        if let Some(live) = &self.live {
            return live.has_next();
        }
        self.files.front().is_some_and(|next| {
            let name = next.file_name().unwrap_or_default().to_string_lossy();
            file.stream.is_none()
                && next.parent() == file.path.parent()
                && LogFileName::parse(&name).is_some_and(|next| next.base() == file.name().base())
        })
    }

    /// The file behind `file`, if it belongs to the same log and can be read more than once; it
    /// stays the next one.
    pub(crate) fn next_of_same_log(&self, file: &InputFile) -> Option<InputFile> {
        if file.stream.is_some() || !self.goes_on_after(file) {
            return None;
        }
        let path = self.files.front()?;
        Some(InputFile {
            label: path.display().to_string(),
            path: path.clone(),
            stream: None,
            keys: self.keys.clone(),
            described: self.described.clone(),
            is_first: false,
            is_last: self.files.len() == 1,
        })
    }
}

/// A server that did not give its next file.
fn unfetched(error: std::io::Error) -> Failure {
    match error.kind() {
        std::io::ErrorKind::ConnectionReset => Failure::Passing(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}

/// The keys of encrypted files, as far as they are given.
fn keys(arguments: &InputArguments) -> Result<Keys, Failure> {
    let mut keys = Keys::default();
    if let Some(path) = &arguments.keyring {
        keys = keys
            .with(Keys::load_keyring(path).map_err(|error| Failure::Failed(error.to_string()))?);
    }
    if let Some(path) = &arguments.file_key {
        keys = keys
            .with(Keys::load_file_keys(path).map_err(|error| Failure::Failed(error.to_string()))?);
    }
    for warning in keys.warnings() {
        output::note(format_args!("weir: warning: {warning}"));
    }
    Ok(keys)
}

impl InputFile {
    /// What it is called in output and errors.
    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    /// Its name as a log file. A file that was renamed is still a log: number 0 of its name.
    pub(crate) fn name(&self) -> LogFileName {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        LogFileName::parse(&name).unwrap_or_else(|| LogFileName::new(&name, 0))
    }

    /// Where it lies.
    pub(crate) fn directory(&self) -> &Path {
        let directory = self.path.parent();
        directory
            .filter(|directory| !directory.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
    }

    /// Its whole path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What `--schema` says of tables.
    pub(super) fn described(&self) -> Option<&DeclaredTables> {
        self.described.as_deref()
    }

    /// Whether it can be read more than once.
    pub(crate) const fn is_file(&self) -> bool {
        self.stream.is_none()
    }

    /// Its size on the medium, if it has one.
    pub(crate) fn size(&self) -> Option<u64> {
        if self.stream.is_some() {
            return None;
        }
        fs::metadata(&self.path).ok().map(|metadata| metadata.len())
    }

    /// Begins to read it. An event with a wrong checksum is given, and says so.
    pub(crate) fn read(&self) -> Result<Reader, LogError> {
        self.read_with(Checksums::Report)
    }

    /// The same, and events that may not stand where they stand are given and say so too.
    pub(crate) fn read_leniently(&self) -> Result<Reader, LogError> {
        let mut reader = self.read_with(Checksums::Report)?;
        reader.set_order(Order::Report);
        Ok(reader)
    }

    /// Begins to read it. An event with a wrong checksum or out of order is an error.
    pub(crate) fn read_strictly(&self) -> Result<Reader, LogError> {
        self.read_with(Checksums::Stop)
    }

    fn read_with(&self, checksums: Checksums) -> Result<Reader, LogError> {
        let options = ReadOptions {
            checksums,
            keys: self.keys.clone(),
            ..ReadOptions::default()
        };
        let reader = self.open_with(&options)?;
        let mut reader = TransactionReader::new(EventStream::new(reader, options.limits));
        if let Some(schemas) = self.schemas() {
            reader.set_schemas(schemas);
        }
        if let Some(described) = &self.described {
            reader.set_described(Arc::clone(described) as _);
        }
        Ok(reader)
    }

    /// The same where nothing but the events counts. A wrong checksum is an error.
    pub(crate) fn open(&self) -> Result<LogReader, LogError> {
        self.open_with(&ReadOptions {
            keys: self.keys.clone(),
            ..ReadOptions::default()
        })
    }

    /// The schema snapshots beside it. It can be read without, so damaged ones are only told of.
    fn schemas(&self) -> Option<SchemaSnapshots> {
        if self.stream.is_some() {
            return None;
        }
        let storage = OsStorage::new(self.directory());
        let file_name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let read = SchemaSnapshots::read(&storage, &side_file_name(&file_name));
        read.unwrap_or_else(|error| {
            output::note(format_args!("{}: {error}", self.label));
            None
        })
    }

    fn open_with(&self, options: &ReadOptions) -> Result<LogReader, LogError> {
        if let Some(stream) = &self.stream {
            let read_twice = || {
                let error = std::io::Error::other("it can be read only once");
                LogError::io("reading", &self.label, error)
            };
            let file = stream.take().ok_or_else(read_twice)?;
            return LogReader::over_with(file, self.name(), options);
        }
        let storage = OsStorage::new(self.directory());
        let file_name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let file = storage
            .open_read(&file_name)
            .map_err(|error| LogError::io("opening", &self.label, error))?;
        LogReader::over_with(file, self.name(), options)
    }
}

fn is_pattern(name: &Path) -> bool {
    name.to_string_lossy().contains(['*', '?', '['])
}

fn is_index(name: &Path) -> bool {
    name.extension().is_some_and(|ending| ending == "index")
}

/// The log files that a pattern names, by base and number.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let text = pattern.to_string_lossy();
    let failed = |error: &dyn std::fmt::Display| Failure::failed(&text, error);
    let paths = glob::glob(&text).map_err(|error| Failure::Usage(format!("{text}: {error}")))?;
    let mut found = Vec::new();
    for path in paths {
        let path = path.map_err(|error| failed(&error))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(name) = LogFileName::parse(&name) {
            found.push((path.parent().map(Path::to_path_buf), name, path));
        }
    }
    if found.is_empty() {
        return Err(failed(&"no log file has a name like that"));
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// The files that an index lists. They are looked for where the list says, and if that is a
/// relative name or leads nowhere, beside the index: indexes are copied together with their logs.
fn listed(index: &Path) -> Result<Vec<PathBuf>, Failure> {
    let label = index.display().to_string();
    let text = fs::read_to_string(index).map_err(|error| Failure::failed(&label, error))?;
    let directory = index.parent().unwrap_or(Path::new(""));
    let mut files = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        let written = Path::new(line);
        let Some(name) = written.file_name() else {
            return Err(Failure::failed(
                &label,
                format_args!("'{line}' is not a file"),
            ));
        };
        let beside = directory.join(name);
        files.push(if written.is_absolute() && !beside.exists() {
            written.to_path_buf()
        } else {
            beside
        });
    }
    Ok(files)
}
