//! The files of a server, copied byte by byte into a directory.
//!
//! A copy that was broken off goes on where it ended. An event is written only when its checksum is
//! right. The in-use flag of a file that the server is still writing is not set in the copy.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use binlog::event::MAGIC;
use binlog::log::{Checksums, LogFileName, LogReader, OsStorage, ReadOptions, Storage};
use binlog::stream::EventSource;

use super::fetch::{self, At, Piece};
use super::login;
use crate::arguments::InputArguments;
use crate::binlog_command::words::{bytes as size_text, count};
use crate::exit::Failure;
use crate::output;

/// Copies the files of the server at `url` into `directory`.
pub(in crate::binlog_command) fn copy(
    url: &str,
    arguments: &InputArguments,
    directory: &Path,
) -> Result<(), Failure> {
    let mut request = login::request(url, arguments)?;
    fs::create_dir_all(directory)
        .map_err(|error| Failure::failed(&directory.display().to_string(), error))?;
    let start = resume(directory, request.file.as_deref())?;
    if let Some(at) = &start {
        output::note(format_args!(
            "weir: going on with {} at offset {}",
            at.file, at.offset
        ));
        request.file = Some(at.file.clone());
    }
    let mut copy = Copy {
        directory: directory.to_path_buf(),
        file: None,
        files: 0,
        bytes: 0,
    };
    if let Some(at) = &start {
        copy.reopen(&at.file, at.offset)
            .map_err(|error| Failure::failed(&at.file, error))?;
    }
    let fetched = fetch::run(&request, start, |piece| {
        copy.take(&piece).map_err(|error| error.to_string())?;
        Ok(true)
    });
    copy.close()
        .map_err(|error| Failure::failed("the copy", error))?;
    fetched.map_err(|error| Failure::Failed(error.to_string()))?;
    output::line(format_args!(
        "{}: {} files, {}",
        directory.display(),
        count(copy.files),
        size_text(copy.bytes)
    ))?;
    Ok(())
}

struct Copy {
    directory: PathBuf,
    file: Option<BufWriter<File>>,
    files: u64,
    bytes: u64,
}

impl Copy {
    fn take(&mut self, piece: &Piece<'_>) -> std::io::Result<()> {
        match piece {
            Piece::File(name) => {
                self.close()?;
                let path = self.directory.join(name.as_str());
                let mut file =
                    BufWriter::new(OpenOptions::new().write(true).create_new(true).open(path)?);
                file.write_all(&MAGIC)?;
                self.file = Some(file);
                self.files += 1;
                self.bytes += MAGIC.len() as u64;
            }
            Piece::Event(bytes) => {
                if let Some(file) = &mut self.file {
                    file.write_all(bytes)?;
                }
                self.bytes += bytes.len() as u64;
            }
        }
        Ok(())
    }

    /// Goes on at `offset` of a file that was begun; what stands behind it is a torn event.
    fn reopen(&mut self, name: &str, offset: u64) -> std::io::Result<()> {
        use std::io::{Seek, SeekFrom};
        let path = self.directory.join(name);
        let mut file = OpenOptions::new().write(true).open(path)?;
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        self.file = Some(BufWriter::new(file));
        self.files += 1;
        Ok(())
    }

    fn close(&mut self) -> std::io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.flush()?;
            file.get_ref().sync_all()?;
            File::open(&self.directory)?.sync_all()?;
        }
        Ok(())
    }
}

/// Where an earlier copy ended: behind the last whole event of its newest file. `first`: only files
/// from this one on count.
fn resume(directory: &Path, first: Option<&str>) -> Result<Option<At>, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(&directory.display().to_string(), error);
    let storage = OsStorage::new(directory);
    let names = storage.list().map_err(|error| failed(&error))?;
    let first = first.and_then(LogFileName::parse);
    let newest = names
        .iter()
        .filter_map(|name| LogFileName::parse(name))
        .filter(|name| {
            first
                .as_ref()
                .is_none_or(|first| first.base() == name.base() && first <= name)
        })
        .max();
    let Some(name) = newest else { return Ok(None) };
    let file = storage
        .open_read(name.as_str())
        .map_err(|error| failed(&error))?;
    let options = ReadOptions {
        checksums: Checksums::Stop,
        ..ReadOptions::default()
    };
    let Ok(mut reader) = LogReader::over_with(file, name.clone(), &options) else {
        // Not even its head was written: it is fetched again.
        storage
            .remove(name.as_str())
            .map_err(|error| failed(&error))?;
        return resume(directory, first.as_ref().map(LogFileName::as_str));
    };
    while matches!(EventSource::advance(&mut reader), Ok(true)) {}
    Ok(Some(At {
        file: name.to_string(),
        offset: reader.next_offset(),
    }))
}
