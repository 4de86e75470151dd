//! One transaction, collected until its length is known.
//!
//! Events are kept without checksums. They wait in memory, and in a scratch file when they are many.

use super::output::Output;
use binlog::event::{ChecksumAlgorithm, EventHeader};
use binlog::log::storage::{read_full_at, write_all_at};
use binlog::log::{LogError, Storage, StorageFile};

/// What is kept in memory at most.
const IN_MEMORY: usize = 8 << 20;

/// `STMT_END_F`, in the low byte of a row event's flags.
const STATEMENT_END: u8 = 1;

pub(super) struct Body<'s> {
    storage: &'s dyn Storage,
    scratch_name: String,
    scratch: Option<Box<dyn StorageFile>>,
    /// Bytes in the scratch file; those in `memory` follow them.
    spilled: u64,
    memory: Vec<u8>,
    events: u64,
    gtid: Option<Vec<u8>>,
    /// Statements that were kept.
    statements: u64,
    /// Where the statement that is read begins, and how many events stand in front of it.
    statement: Option<(u64, u64)>,
    /// Of that statement: where the flags of its last kept row event are, and what they are.
    last_rows: Option<(u64, u8)>,
}

impl<'s> Body<'s> {
    pub(super) fn new(storage: &'s dyn Storage, scratch_name: &str) -> Self {
        Self {
            storage,
            scratch_name: scratch_name.to_owned(),
            scratch: None,
            spilled: 0,
            memory: Vec::new(),
            events: 0,
            gtid: None,
            statements: 0,
            statement: None,
            last_rows: None,
        }
    }

    pub(super) fn clear(&mut self) -> Result<(), LogError> {
        self.gtid = None;
        self.statements = 0;
        self.statement = None;
        self.last_rows = None;
        self.cut_to(0, 0)
    }

    pub(super) fn set_gtid(&mut self, event: &[u8]) {
        self.gtid = Some(event.to_vec());
    }

    pub(super) const fn take_gtid(&mut self) -> Option<Vec<u8>> {
        self.gtid.take()
    }

    /// How many statements are left.
    pub(super) const fn statements(&self) -> u64 {
        self.statements
    }

    const fn len(&self) -> u64 {
        self.spilled.saturating_add(self.memory.len() as u64)
    }

    /// Bytes of the events with their checksums.
    pub(super) const fn framed_len(&self, checksum: ChecksumAlgorithm) -> u64 {
        let trailers = self.events.saturating_mul(checksum.trailer_len() as u64);
        self.len().saturating_add(trailers)
    }

    /// An event that begins or ends the transaction, or marks a place in it.
    pub(super) fn push_frame(&mut self, event: &[u8]) -> Result<(), LogError> {
        self.end_statement()?;
        self.push(event)
    }

    /// An event that prepares the statement that follows.
    pub(super) fn push_preparation(&mut self, event: &[u8]) -> Result<(), LogError> {
        self.open_statement();
        self.push(event)
    }

    /// A statement, which is one event.
    pub(super) fn push_statement(&mut self, event: &[u8], is_kept: bool) -> Result<(), LogError> {
        self.open_statement();
        if !is_kept {
            return self.end_statement();
        }
        self.push(event)?;
        self.statements += 1;
        self.statement = None;
        Ok(())
    }

    /// Rows of a statement. `flags_at`: where its flags are in the event.
    pub(super) fn push_rows(
        &mut self,
        event: &[u8],
        flags_at: usize,
        is_kept: bool,
        ends_statement: bool,
    ) -> Result<(), LogError> {
        self.open_statement();
        if is_kept {
            let at = self.len().saturating_add(flags_at as u64);
            let flags = event.get(flags_at).copied().unwrap_or_default();
            self.last_rows = Some((at, flags));
            self.push(event)?;
        }
        if ends_statement {
            self.end_statement()?;
        }
        Ok(())
    }

    fn open_statement(&mut self) {
        if self.statement.is_none() {
            self.statement = Some((self.len(), self.events));
        }
    }

    /// Ends the statement: what only prepared it goes if nothing of it is left; else its last row
    /// event says that it ends.
    pub(super) fn end_statement(&mut self) -> Result<(), LogError> {
        let Some((start, events)) = self.statement.take() else {
            return Ok(());
        };
        match self.last_rows.take() {
            None => self.cut_to(start, events),
            Some((at, flags)) => {
                self.statements += 1;
                self.patch(at, flags | STATEMENT_END)
            }
        }
    }

    fn push(&mut self, event: &[u8]) -> Result<(), LogError> {
        self.memory.extend_from_slice(event);
        self.events += 1;
        // Sizes are those of events without checksums, so that they can be found again.
        let [a, b, c, d, ..] = (event.len() as u64).to_le_bytes();
        let at = self.memory.len().saturating_sub(event.len());
        if let Some(field) = self.memory.get_mut(at + 9..at + 13) {
            field.copy_from_slice(&[a, b, c, d]);
        }
        if self.memory.len() > IN_MEMORY {
            self.spill()?;
        }
        Ok(())
    }

    fn spill(&mut self) -> Result<(), LogError> {
        let failed = |error| LogError::io("writing", &self.scratch_name, error);
        if self.scratch.is_none() {
            let file = self.storage.create(&self.scratch_name).map_err(failed)?;
            self.scratch = Some(file);
        }
        if let Some(file) = &self.scratch {
            write_all_at(file.as_ref(), self.spilled, &self.memory).map_err(failed)?;
        }
        self.spilled = self.len();
        self.memory.clear();
        Ok(())
    }

    fn cut_to(&mut self, len: u64, events: u64) -> Result<(), LogError> {
        self.events = events;
        match len.checked_sub(self.spilled) {
            Some(kept) => self
                .memory
                .truncate(usize::try_from(kept).unwrap_or(usize::MAX)),
            None => {
                self.memory.clear();
                self.spilled = len;
                if let Some(file) = &self.scratch {
                    file.truncate(len)
                        .map_err(|error| LogError::io("cutting", &self.scratch_name, error))?;
                }
            }
        }
        Ok(())
    }

    fn patch(&mut self, at: u64, byte: u8) -> Result<(), LogError> {
        if let Some(at) = at.checked_sub(self.spilled) {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if let Some(place) = self.memory.get_mut(at) {
                *place = byte;
            }
            return Ok(());
        }
        match &self.scratch {
            Some(file) => write_all_at(file.as_ref(), at, &[byte])
                .map_err(|error| LogError::io("writing", &self.scratch_name, error)),
            None => Ok(()),
        }
    }

    /// Writes all events.
    pub(super) fn write_to(&mut self, output: &mut Output) -> Result<(), LogError> {
        if self.spilled > 0 {
            self.spill()?;
        }
        let Some(file) = self.scratch.as_ref().filter(|_| self.spilled > 0) else {
            let mut rest = self.memory.as_slice();
            while let Some((event, behind)) = first_event(rest) {
                output.append(event)?;
                rest = behind;
            }
            return Ok(());
        };
        let failed = |error| LogError::io("reading", &self.scratch_name, error);
        let mut at = 0;
        let mut event = Vec::new();
        while at < self.spilled {
            event.resize(EventHeader::LEN, 0);
            read_full_at(file.as_ref(), at, &mut event).map_err(failed)?;
            let Some(size) = size_of(&event) else { break };
            // The size is our own: the event was in memory when it was collected.
            event.resize(size.max(EventHeader::LEN), 0);
            read_full_at(file.as_ref(), at, &mut event).map_err(failed)?;
            output.append(&event)?;
            at = at.saturating_add(event.len() as u64);
        }
        Ok(())
    }
}

impl Drop for Body<'_> {
    fn drop(&mut self) {
        if self.scratch.take().is_some() {
            // What is left behind is harmless.
            let _ = self.storage.remove(&self.scratch_name);
        }
    }
}

fn size_of(header: &[u8]) -> Option<usize> {
    let field = header.get(9..13)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*field)).ok()
}

fn first_event(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    bytes.split_at_checked(size_of(bytes)?.max(EventHeader::LEN))
}
