//! The file that is written: events at their places, with their checksums.

use super::CutError;
use binlog::event::ChecksumAlgorithm;
use binlog::log::storage::write_all_at;
use binlog::log::{LogError, Storage, StorageFile};
use binlog::stream::EventSource;

/// What is collected before it is written.
const CHUNK: usize = 1 << 20;

/// A file that gets its name only when it is whole.
#[derive(Debug)]
pub(super) struct Output {
    file: Box<dyn StorageFile>,
    name: String,
    checksum: ChecksumAlgorithm,
    /// Bytes of the file, those in `buffer` included.
    len: u64,
    /// Where the transaction that is written begins.
    transaction: u64,
    /// The last bytes, not written yet.
    buffer: Vec<u8>,
}

/// The name until then.
pub(super) fn temporary(name: &str) -> String {
    format!("{name}.cutting")
}

impl Output {
    pub(super) fn create(
        storage: &dyn Storage,
        name: &str,
        checksum: ChecksumAlgorithm,
    ) -> Result<Self, CutError> {
        let name = temporary(name);
        let file = storage.create(&name).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                CutError::Exists { file: name.clone() }
            } else {
                LogError::io("creating", &name, error).into()
            }
        })?;
        Ok(Self {
            file,
            name,
            checksum,
            len: 0,
            transaction: 0,
            buffer: Vec::new(),
        })
    }

    pub(super) const fn checksum(&self) -> ChecksumAlgorithm {
        self.checksum
    }

    pub(super) const fn begin_transaction(&mut self) {
        self.transaction = self.len;
    }

    /// Takes the transaction that is written back.
    pub(super) fn rewind_transaction(&mut self) -> Result<(), LogError> {
        self.write_out()?;
        self.len = self.transaction;
        self.file
            .truncate(self.len)
            .map_err(|error| LogError::io("cutting", &self.name, error))
    }

    /// Appends bytes that are no event.
    pub(super) fn append_plain(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        self.buffer.extend_from_slice(bytes);
        self.len = self.len.saturating_add(bytes.len() as u64);
        if self.buffer.len() >= CHUNK {
            self.write_out()?;
        }
        Ok(())
    }

    /// Appends an event without checksum: its size, position and checksum become those of this
    /// file. An event that tells no position (0) keeps to that.
    pub(super) fn append(&mut self, event: &[u8]) -> Result<(), LogError> {
        self.append_with(event, self.checksum)
    }

    /// The same for an event that has a checksum or not whatever the file says.
    pub(super) fn append_with(
        &mut self,
        event: &[u8],
        checksum: ChecksumAlgorithm,
    ) -> Result<(), LogError> {
        let size = event.len().saturating_add(checksum.trailer_len()) as u64;
        let mut hasher = crc32fast::Hasher::new();
        let head = self.head(event, size);
        let rest = event.get(head.len()..).unwrap_or_default();
        for part in [head.as_slice(), rest] {
            hasher.update(part);
            self.append_plain(part)?;
        }
        self.append_trailer(hasher, checksum)
    }

    /// Appends the current event of `source`, of which `len` bytes stand in front of its checksum,
    /// piece by piece.
    pub(super) fn append_pieces<S: EventSource>(
        &mut self,
        source: &mut S,
        len: u64,
    ) -> Result<(), LogError> {
        let mut hasher = crc32fast::Hasher::new();
        let size = len.saturating_add(self.checksum.trailer_len() as u64);
        let mut at = 0;
        while at < len {
            let piece = source.piece(at)?;
            let most = usize::try_from(len - at).unwrap_or(usize::MAX);
            let piece = piece.get(..piece.len().min(most)).unwrap_or_default();
            if piece.is_empty() {
                break;
            }
            let taken = piece.len() as u64;
            if at == 0 {
                let head = self.head(piece, size);
                hasher.update(&head);
                self.append_plain(&head)?;
                let rest = piece.get(head.len()..).unwrap_or_default();
                hasher.update(rest);
                self.append_plain(rest)?;
            } else {
                hasher.update(piece);
                self.append_plain(piece)?;
            }
            at += taken;
        }
        self.append_trailer(hasher, self.checksum)
    }

    /// The first bytes of an event, with its size and position in this file.
    fn head(&self, event: &[u8], size: u64) -> Vec<u8> {
        let mut head = event.get(..17).unwrap_or(event).to_vec();
        let [a, b, c, d, ..] = size.to_le_bytes();
        let end = self.len.saturating_add(size);
        let [e, f, g, h, ..] = end.to_le_bytes();
        if let Some(field) = head.get_mut(9..13) {
            field.copy_from_slice(&[a, b, c, d]);
        }
        if let Some(field) = head.get_mut(13..17)
            && field.iter().any(|&byte| byte != 0)
        {
            field.copy_from_slice(&[e, f, g, h]);
        }
        head
    }

    fn append_trailer(
        &mut self,
        hasher: crc32fast::Hasher,
        checksum: ChecksumAlgorithm,
    ) -> Result<(), LogError> {
        match checksum {
            ChecksumAlgorithm::Crc32 => self.append_plain(&hasher.finalize().to_le_bytes()),
            ChecksumAlgorithm::None => Ok(()),
        }
    }

    fn write_out(&mut self) -> Result<(), LogError> {
        let start = self.len.saturating_sub(self.buffer.len() as u64);
        write_all_at(self.file.as_ref(), start, &self.buffer)
            .map_err(|error| LogError::io("writing", &self.name, error))?;
        self.buffer.clear();
        Ok(())
    }

    /// Makes the file durable and gives it its name, if no file has it. Gives its length.
    pub(super) fn finish(mut self, storage: &dyn Storage, name: &str) -> Result<u64, CutError> {
        self.write_out()?;
        self.file
            .sync()
            .map_err(|error| LogError::io("syncing", &self.name, error))?;
        // Taking the name first makes sure that nobody else's file is replaced.
        drop(storage.create(name).map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                CutError::Exists {
                    file: name.to_owned(),
                }
            } else {
                LogError::io("creating", name, error).into()
            }
        })?);
        storage
            .rename(&self.name, name)
            .and_then(|()| storage.sync_dir())
            .map_err(|error| LogError::io("renaming to", name, error))?;
        Ok(self.len)
    }
}
