//! Writing what takes transactions back into a file, which gets its name when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use recovery::flashback::{
    Applied, ApplyOptions, BinlogFile, Described, FlashbackError, Found, ReadBack, SqlFile,
    SqlFileOptions,
};

use super::session::Session;
use super::{Outcome, failed, login, plan};
use crate::arguments::FlashbackArguments;
use crate::binlog_command::schema;
use crate::exit::Failure;

/// What is written at once.
const BUFFER: usize = 256 << 10;

pub(super) fn write(
    arguments: &FlashbackArguments,
    path: &Path,
    found: &mut Found,
    files: &mut ReadBack,
    out: &mut plan::Report,
) -> Outcome {
    let written = write_file(arguments, path, found, files);
    match written {
        Ok(bytes) => {
            let told = out.written(&path.display().to_string(), bytes);
            told.map_err(|failure| (Applied::default(), failure))?;
            Ok(Applied {
                transactions: found.plan.transactions,
                rows: found.plan.rows.total(),
                ..Applied::default()
            })
        }
        Err(failure) => Err((Applied::default(), failure)),
    }
}

fn write_file(
    arguments: &FlashbackArguments,
    path: &Path,
    found: &mut Found,
    files: &mut ReadBack,
) -> Result<u64, Failure> {
    let label = path.display().to_string();
    let named = |error: std::io::Error| Failure::failed(&label, error);
    let is_sql = path.extension().is_some_and(|ending| ending == "sql");
    let described = describe(arguments, found, is_sql)?;
    let temporary = Temporary::create(path).map_err(named)?;
    let file = BufWriter::with_capacity(BUFFER, temporary.file.try_clone().map_err(named)?);
    match is_sql {
        true => write_sql(arguments, file, found, files, described),
        false => write_binlog(arguments, file, found, files),
    }
    .map_err(failed)?;
    temporary.finish(path).map_err(named)
}

/// The server that `--schema` names; none if it names a file.
pub(super) fn asked_server(arguments: &FlashbackArguments) -> Option<&str> {
    let named = arguments.schema.as_deref();
    named.filter(|named| schema::is_url(named))
}

/// What the server of `--schema` says of the tables. A binlog fires no trigger.
fn describe(
    arguments: &FlashbackArguments,
    found: &Found,
    is_sql: bool,
) -> Result<Option<Described>, Failure> {
    let Some(url) = asked_server(arguments) else {
        return Ok(None);
    };
    let mut session = Session::connect(&login::server(arguments, url)?)?;
    let options = ApplyOptions {
        fire_triggers: arguments.fire_triggers || !is_sql,
        without_children: arguments.without_children,
        ..ApplyOptions::default()
    };
    let described = Described::ask(&mut session, found, &options);
    described.map(Some).map_err(failed)
}

fn write_binlog(
    arguments: &FlashbackArguments,
    file: BufWriter<File>,
    found: &mut Found,
    files: &mut ReadBack,
) -> Result<(), FlashbackError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| {
        u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
    });
    let (description, server_id) = found.description();
    let is_single = arguments.single_transaction;
    let mut sink = BinlogFile::new(file, description, server_id, now, is_single)?;
    found.rewind(files, &mut sink)?;
    sink.finish().map(drop)
}

fn write_sql(
    arguments: &FlashbackArguments,
    file: impl Write,
    found: &mut Found,
    files: &mut ReadBack,
    described: Option<Described>,
) -> Result<(), FlashbackError> {
    let options = SqlFileOptions {
        generated: arguments.generated_column.iter().cloned().collect(),
        is_single: arguments.single_transaction,
        on_conflict: arguments.on_conflict.into(),
        fire_triggers: arguments.fire_triggers,
        without_children: arguments.without_children,
        described,
    };
    let about = plan::about(&found.plan);
    let mut sink = SqlFile::new(file, &about, found, options)?;
    found.rewind(files, &mut sink)?;
    sink.finish()
}

/// A file that has not got its name yet. It goes if that does not happen.
struct Temporary {
    file: File,
    path: PathBuf,
}

impl Temporary {
    fn create(path: &Path) -> std::io::Result<Self> {
        let mut name = path.as_os_str().to_owned();
        name.push(".writing");
        let path = PathBuf::from(name);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self { file, path })
    }

    /// Makes it durable and gives it its name, if no file has it. Gives its length.
    fn finish(self, path: &Path) -> std::io::Result<u64> {
        self.file.sync_all()?;
        let len = self.file.metadata()?.len();
        fs::hard_link(&self.path, path)?;
        Ok(len)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}
