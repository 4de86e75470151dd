//! A whole file through the reader, the transaction grammar and the inspector.

use std::io;
use std::sync::OnceLock;

use binlog::event::Event;
use binlog::inspect::Inspector;
use binlog::log::encryption::Keys;
use binlog::log::{Checksums, LogFileName, LogReader, ReadOptions, StorageFile};
use binlog::stream::EventStream;
use binlog::transaction::TransactionReader;

use super::{Verdict, rows};
use crate::corpus::Corpus;

/// Takes a file: a byte of options, then its bytes.
///
/// Bit 0 of the options: a wrong checksum does not stop the reader.
pub fn run(input: &[u8]) -> Verdict {
    let Some((&flags, file)) = input.split_first() else {
        return Verdict::Refused;
    };
    let options = ReadOptions {
        checksums: match flags & 1 {
            0 => Checksums::Stop,
            _ => Checksums::Report,
        },
        keys: keys().clone(),
        ..ReadOptions::default()
    };
    let is_read = read(file, &options).is_some();
    let is_shown = inspect(file, &options).is_some();
    Verdict::from_bool(is_read && is_shown)
}

fn open(file: &[u8], options: &ReadOptions) -> Option<LogReader> {
    let name = LogFileName::parse("binlog.000001")?;
    LogReader::over_with(Box::new(MemoryFile(file.to_vec())), name, options).ok()
}

/// Reads transactions with all their rows; goes on behind errors that leave the framing whole.
fn read(file: &[u8], options: &ReadOptions) -> Option<()> {
    let stream = EventStream::new(open(file, options)?, options.limits);
    let mut reader = TransactionReader::new(stream);
    let mut is_decoded = true;
    while let Some(step) = reader.next().ok()? {
        if let (Event::Rows(event), Some(table)) = (&step.event, step.table) {
            is_decoded &= rows::check(event, &table.map, &table.plan);
        }
    }
    is_decoded.then_some(())
}

fn inspect(file: &[u8], options: &ReadOptions) -> Option<()> {
    let mut inspector = Inspector::new(open(file, options)?).ok()?;
    while inspector.next_line(true).ok()?.is_some() {}
    Some(())
}

/// The keys of the corpora's encrypted files.
fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let files = Corpus::of_project().map(|corpus| corpus.keys);
        let mut keys = Keys::default();
        for file in files.unwrap_or_default() {
            let more = match file.path.extension().is_some_and(|name| name == "json") {
                true => Keys::parse_keyring(&file.path, &file.bytes),
                false => Keys::parse_file_keys(&file.path, &file.bytes),
            };
            keys = keys.with(more.unwrap_or_default());
        }
        keys
    })
}

/// A file that is a slice of memory. Nothing can be written to it.
#[derive(Debug)]
pub struct MemoryFile(
    /// Its bytes.
    pub Vec<u8>,
);

impl StorageFile for MemoryFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.0.get(start..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..len), rest.get(..len)) {
            to.copy_from_slice(from);
        }
        Ok(len)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len() as u64)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
