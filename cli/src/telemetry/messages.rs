//! Messages of a node: where they go, in which form, and which of them.
//!
//! Messages of this binary itself (what was loaded, ready, stopping) are always written; those of
//! the crates below follow `log_error_verbosity`, or `$WEIR_LOG` in the syntax of tracing's
//! `EnvFilter`.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use config::ServerSettings;
use config::settings::LogFormat;
use server::private_file;
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Registry, fmt, reload};

/// The messages of this process, once [`Messages::start`] was called.
pub(crate) struct Messages {
    filter: reload::Handle<EnvFilter, Registry>,
    destination: Destination,
}

impl Messages {
    /// Begins to write messages as `settings` say.
    pub(crate) fn start(settings: &ServerSettings) -> io::Result<Self> {
        let destination = Destination::open(settings.log_error.clone())?;
        let (filter, handle) = reload::Layer::new(filter(settings.log_error_verbosity));
        let registry = tracing_subscriber::registry().with(filter);
        let writer = destination.clone();
        let started = match settings.log_format {
            LogFormat::Text => {
                let layer = fmt::layer().with_writer(writer).with_ansi(false);
                registry.with(layer).try_init()
            }
            LogFormat::Json => {
                let layer = fmt::layer().json().flatten_event(true).with_writer(writer);
                registry.with(layer).try_init()
            }
        };
        started.map_err(io::Error::other)?;
        Ok(Self {
            filter: handle,
            destination,
        })
    }

    /// Takes over a new verbosity and opens the file anew, for it may have been rotated away.
    pub(crate) fn reload(&self, settings: &ServerSettings) -> io::Result<()> {
        self.filter
            .reload(filter(settings.log_error_verbosity))
            .map_err(io::Error::other)?;
        self.destination.reopen()
    }
}

fn filter(verbosity: u8) -> EnvFilter {
    let level = match verbosity {
        1 => "error",
        2 => "warn",
        _ => "info",
    };
    match std::env::var("WEIR_LOG") {
        Ok(directives) => EnvFilter::new(directives),
        Err(_) => EnvFilter::new(format!("{level},weir=info")),
    }
}

/// Standard error or a file that can be opened anew.
#[derive(Clone)]
struct Destination {
    path: Option<PathBuf>,
    /// Written by whoever has a message, replaced by [`Destination::reopen`]; never held across
    /// anything but one write.
    file: Arc<Mutex<Option<File>>>,
}

impl Destination {
    fn open(path: Option<PathBuf>) -> io::Result<Self> {
        let destination = Self {
            path,
            file: Arc::default(),
        };
        destination.reopen()?;
        Ok(destination)
    }

    fn reopen(&self) -> io::Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(private_file::DATA)
            .open(path)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(file);
        Ok(())
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self
            .file
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_mut()
        {
            Some(file) => file.write(bytes),
            None => io::stderr().lock().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Destination {
    type Writer = Self;

    fn make_writer(&'a self) -> Self::Writer {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::Destination;

    #[test]
    fn a_rotated_file_is_written_anew_after_reopening() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("logs/weir.log");
        let mut destination = Destination::open(Some(path.clone())).unwrap();
        destination.write_all(b"one\n").unwrap();
        std::fs::rename(&path, path.with_extension("1")).unwrap();
        destination.reopen().unwrap();
        destination.write_all(b"two\n").unwrap();
        assert_eq!(std::fs::read(path.with_extension("1")).unwrap(), b"one\n");
        assert_eq!(std::fs::read(path).unwrap(), b"two\n");
    }
}
