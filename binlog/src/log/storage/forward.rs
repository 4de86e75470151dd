//! A [`StorageFile`] over something that can be read once, from front to back: a pipe.

use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::StorageFile;

/// Of the front of the input this much is kept, so that its head can be looked at again.
const KEPT: usize = 64 << 10;

/// Reads a pipe, for instance standard input, as if it were a file. Its first 64 KiB can be read
/// again; behind them reads must not go back, and what lies before an offset that is read is passed
/// over.
pub struct ForwardFile<R> {
    input: Mutex<Input<R>>,
}

struct Input<R> {
    reader: R,
    /// Bytes that were taken from the reader.
    position: u64,
    /// The first of them.
    kept: Vec<u8>,
}

impl<R: Read + Send> ForwardFile<R> {
    /// Reads `reader`, whose next byte is byte 0 of the file.
    pub const fn new(reader: R) -> Self {
        Self {
            input: Mutex::new(Input {
                reader,
                position: 0,
                kept: Vec::new(),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Input<R>> {
        self.input.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R> fmt::Debug for ForwardFile<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardFile").finish_non_exhaustive()
    }
}

impl<R: Read> Input<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let keep = KEPT.saturating_sub(self.kept.len()).min(read);
        self.kept
            .extend_from_slice(buffer.get(..keep).unwrap_or_default());
        self.position = self.position.saturating_add(read as u64);
        Ok(read)
    }

    /// Passes over what lies before `offset`; false if the input ends there.
    fn skip_to(&mut self, offset: u64) -> io::Result<bool> {
        let mut passed = [0; 8192];
        while self.position < offset {
            let left = offset.saturating_sub(self.position);
            let len = usize::try_from(left).map_or(passed.len(), |left| left.min(passed.len()));
            match self.read(passed.get_mut(..len).unwrap_or_default()) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl<R: Read + Send> StorageFile for ForwardFile<R> {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut input = self.lock();
        let kept = usize::try_from(offset).ok();
        if let Some(kept) = kept.and_then(|start| input.kept.get(start..))
            && !kept.is_empty()
        {
            let len = kept.len().min(buffer.len());
            let (to, from) = (buffer.get_mut(..len), kept.get(..len));
            if let (Some(to), Some(from)) = (to, from) {
                to.copy_from_slice(from);
            }
            return Ok(len);
        }
        if offset < input.position {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the input can be read only once, from front to back",
            ));
        }
        match input.skip_to(offset)? {
            true => input.read(buffer),
            false => Ok(0),
        }
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// What was read so far: how much is to come is not known.
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock().position)
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn sync(&self) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn is_forward_only(&self) -> bool {
        true
    }
}
