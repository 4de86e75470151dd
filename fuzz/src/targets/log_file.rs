//! A whole file through the reader, the transaction grammar and everything that looks at it.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;
use std::sync::OnceLock;

use binlog::log::encryption::Keys;
use binlog::log::{
    Checksums, LogFileName, LogReader, ReadOptions, SimStorage, Storage, StorageFile,
};
use binlog::stream::EventStream;
use binlog::transaction::{Order, TransactionReader};
use inspect::cut::Cutter;
use inspect::filter::{Filter, FilterRun};
use inspect::find::Finder;
use inspect::verify::{FileCheck, History};
use inspect::{
    JsonLines, JsonOptions, Output, Render, Source, SqlForm, SqlLines, SqlOptions, TextLines,
    TextOptions,
};

use super::Verdict;
use crate::corpus::Corpus;
use crate::seeds::{self, Seed};

/// Takes a file behind a byte of options.
///
/// | bits | field                                                               |
/// |-----:|---------------------------------------------------------------------|
/// |    0 | a wrong checksum does not stop the reader                           |
/// |    1 | an event out of order does not stop it                              |
/// |  2-4 | who looks: verify, JSON, text, text in full, BINLOG, SQL statements, cut, find |
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
    let order = match flags & 2 {
        0 => Order::Stop,
        _ => Order::Report,
    };
    Verdict::from_bool(look(file, flags >> 2 & 7, &options, order).is_some())
}

fn look(file: &[u8], who: u8, options: &ReadOptions, order: Order) -> Option<()> {
    let name = LogFileName::parse("binlog.000001")?;
    let memory = Box::new(MemoryFile(file.to_vec()));
    let log = LogReader::over_with(memory, name.clone(), options).ok()?;
    let mut check = FileCheck::new(Some(log.description()), options.limits);
    let mut reader = TransactionReader::new(EventStream::new(log, options.limits));
    reader.set_order(order);
    let source = Source {
        label: "binlog.000001",
        name: &name,
    };
    let shown = Shown::default();
    match who {
        1 => shown.by(JsonLines::new(JsonOptions::default()), &mut reader, source),
        2 | 3 => {
            let options = TextOptions {
                rows: true,
                full: who == 3,
                ..TextOptions::default()
            };
            shown.by(TextLines::new(options), &mut reader, source)
        }
        4 | 5 => {
            let options = SqlOptions {
                form: match who {
                    4 => SqlForm::Binlog,
                    _ => SqlForm::Statements,
                },
                rows: true,
                ..SqlOptions::default()
            };
            shown.by(SqlLines::new(options), &mut reader, source)
        }
        6 => return cut(&mut reader, file.len(), options),
        7 => {
            let filter = filter(file.len());
            let mut finder = Finder::new(&filter, Vec::new(), options.limits);
            while let Some(step) = reader.next().ok()? {
                if !finder.feed(&step, |_| {}).ok()? {
                    break;
                }
            }
            Some(())
        }
        _ => return verify(&mut reader, &mut check),
    }?;
    let text = shown.0.borrow();
    for line in text
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty() && who == 1)
    {
        let value: Result<serde_json::Value, _> = serde_json::from_slice(line);
        assert!(value.is_ok(), "not JSON: {}", String::from_utf8_lossy(line));
    }
    Some(())
}

type Reader = TransactionReader<LogReader>;

/// What a renderer made of a file.
#[derive(Clone, Default)]
struct Shown(Rc<RefCell<Vec<u8>>>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shown {
    /// Shows a whole file; `None` if the renderer or the reader stops.
    fn by(
        &self,
        mut render: impl Render<Self>,
        reader: &mut Reader,
        source: Source<'_>,
    ) -> Option<()> {
        let mut out = Output::new(self.clone());
        render.begin(source, &mut out).ok()?;
        while let Some(step) = reader.next().ok()? {
            render.event(source, &step, &mut out).ok()?;
        }
        render.end(&mut out).ok()?;
        out.flush().ok()
    }
}

/// Sometimes everything, sometimes the rows of one table; `chance` decides.
fn filter(chance: usize) -> Filter {
    let mut filter = Filter::default();
    match chance % 4 {
        0 => filter.tables.push(("d1".to_owned(), "t".to_owned())),
        1 => filter.databases.push("d1".to_owned()),
        _ => {}
    }
    filter
}

/// Cuts, and reads what was cut: a file whose statements are torn apart may be cut into one that is
/// refused, as long as it has a head.
fn cut(reader: &mut Reader, chance: usize, options: &ReadOptions) -> Option<()> {
    // Only what is in order can be cut.
    reader.set_order(Order::Stop);
    let storage = SimStorage::default();
    let filter = filter(chance);
    let mut cutter = Cutter::new(&storage, "cut.000001", &filter, chance % 8 < 4).ok()?;
    let mut run = FilterRun::new(&filter).of_whole_transactions();
    cutter.take_file(reader, &mut run, |_| {}).ok()?;
    cutter.finish().ok()?;
    let name = LogFileName::parse("cut.000001")?;
    let log = storage
        .open_read(name.as_str())
        .map(|file| LogReader::over_with(file, name, options));
    let log = log
        .expect("it was written")
        .expect("a file that was cut has a head");
    let mut again = TransactionReader::new(EventStream::new(log, options.limits));
    loop {
        match again.next() {
            Ok(Some(_)) => {}
            Ok(None) => return Some(()),
            Err(_) => return None,
        }
    }
}

/// Goes on behind every error that the check says can be gone on behind.
fn verify(reader: &mut Reader, check: &mut FileCheck) -> Option<()> {
    loop {
        match reader.next() {
            Ok(Some(step)) => check.feed(&step),
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty());
                if !check.feed_error(&error) {
                    break;
                }
            }
        }
    }
    let mut history = History::default();
    history.begin_file(reader.stream().source().name());
    check.finish(&mut history, true);
    (check.errors == 0).then_some(())
}

/// Whole files, once the keys of the encrypted ones are there: a run must not pay for them.
#[must_use]
pub fn seeds(corpus: &Corpus) -> Vec<Seed> {
    keys();
    seeds::files(corpus)
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
