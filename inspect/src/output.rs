//! Where rendered events go: a buffer that is written out whenever it is full.
//!
//! Invariant: between two rows the buffer is below its size, so that memory is bounded by the
//! largest row, whatever a file holds.

use std::io::{self, Write};

/// When this much is buffered, it is written.
const SIZE: usize = 256 << 10;

/// A buffered output of bytes.
pub struct Output<W> {
    buffer: Vec<u8>,
    writer: W,
}

impl<W: Write> Output<W> {
    /// Collects for `writer`, which needs no buffer of its own.
    pub fn new(writer: W) -> Self {
        Self {
            buffer: Vec::with_capacity(SIZE + (SIZE >> 2)),
            writer,
        }
    }

    /// What is collected; more is appended to it.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Writes out what is collected if it has become much.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn make_room(&mut self) -> io::Result<()> {
        if self.buffer.len() < SIZE {
            return Ok(());
        }
        self.write_out()?;
        // A single huge row must not hold its memory for ever.
        if self.buffer.capacity() > 4 * SIZE {
            self.buffer.shrink_to(SIZE);
        }
        Ok(())
    }

    /// Writes out everything.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn flush(&mut self) -> io::Result<()> {
        self.write_out()?;
        self.writer.flush()
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.writer.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}
