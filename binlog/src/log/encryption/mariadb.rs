//! MariaDB's encryption, event by event, undone on the fly.
//!
//! The file begins in clear with its format description and a `START_ENCRYPTION` event. Of every
//! later event only the size is in clear:
//!
//! | offset in the event | stored |
//! |---:|---|
//! | 0 | bytes 9..13 of the encrypted event |
//! | 4 | the encrypted event from byte 4 on, except for bytes 9..13 |
//! | 9 | size of the event |
//!
//! where the encrypted event is the clear one with its bytes 0..4 in place of the size at 9..13,
//! from byte 4 on in AES-CBC. The vector is the file's nonce and the event's offset; a last block
//! that is not whole is XORed with the encrypted vector.
//!
//! As the sizes are in clear, the file can be given out as the clear stream that it stands for,
//! with the same offsets.
//!
//! Spec: MariaDB 11.8, `sql/log_event.cc` `Binlog_crypt_data`, `mysys_ssl/my_crypt.cc`.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use aes::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use codec::Reader;

use super::super::format::{FIRST_EVENT, MAX_EVENT_BYTES};
use super::super::storage::{StorageFile, read_full_at};
use super::error::EncryptionError;
use super::keys::Keys;
use crate::event::{
    ChecksumAlgorithm, EventHeader, EventType, FormatDescription, RawEvent, StartEncryption,
    checksum,
};

const SCHEME: u8 = 1;
/// The key of system data, which the binary log is.
const KEY_NUMBER: u32 = 1;
/// The only version that a key file's keys have.
const KEY_VERSION: u32 = 1;
const NONCE_LEN: usize = 12;
const BLOCK: u64 = 16;
/// Where the encrypted part of an event begins.
const CLEAR_HEAD: u64 = 4;
/// Where the size stands in an event.
const SIZE_AT: u64 = 9;
/// What is decrypted at once, at most.
const PIECE: u64 = 256 << 10;
/// What of the raw file is kept for reads that step back a little.
const BEHIND: u64 = 4096;
/// What is read from the raw file at once, at least.
const READ_AHEAD: u64 = 64 << 10;
/// A place between events is remembered once per so many bytes, so that a seek walks no further.
const MARK_DISTANCE: u64 = 1 << 20;
/// A first event up to this size is checked whole.
const CHECKED_EVENT_MAX: u32 = 16 << 20;

/// A block cipher with a key of one of the three lengths.
enum Aes {
    Short(Box<Aes128>),
    Middle(Box<Aes192>),
    Long(Box<Aes256>),
}

impl Aes {
    fn new(key: &[u8]) -> Option<Self> {
        match key.len() {
            16 => Aes128::new_from_slice(key)
                .ok()
                .map(Box::new)
                .map(Self::Short),
            24 => Aes192::new_from_slice(key)
                .ok()
                .map(Box::new)
                .map(Self::Middle),
            32 => Aes256::new_from_slice(key)
                .ok()
                .map(Box::new)
                .map(Self::Long),
            _ => None,
        }
    }

    fn encrypt(&self, block: &mut [u8; 16]) {
        let block: &mut Block<Aes256> = block.into();
        match self {
            Self::Short(aes) => aes.encrypt_block(block),
            Self::Middle(aes) => aes.encrypt_block(block),
            Self::Long(aes) => aes.encrypt_block(block),
        }
    }

    fn decrypt(&self, blocks: &mut [Block<Aes256>]) {
        match self {
            Self::Short(aes) => aes.decrypt_blocks(blocks),
            Self::Middle(aes) => aes.decrypt_blocks(blocks),
            Self::Long(aes) => aes.decrypt_blocks(blocks),
        }
    }
}

/// What decrypts the events of one file.
struct EventCipher {
    aes: Aes,
    nonce: [u8; NONCE_LEN],
}

impl EventCipher {
    /// The cipher that a `START_ENCRYPTION` event announces.
    fn new(start: &StartEncryption, keys: &Keys) -> Result<Self, EncryptionError> {
        let StartEncryption {
            scheme,
            key_version,
            nonce,
        } = start;
        if *scheme != SCHEME {
            return Err(EncryptionError::UnknownScheme { scheme: *scheme });
        }
        let number = KEY_NUMBER;
        let Some(key) = keys.numbered_key(number) else {
            return Err(EncryptionError::MissingNumberedKey { number });
        };
        if *key_version != KEY_VERSION {
            let version = *key_version;
            return Err(EncryptionError::UnknownKeyVersion { number, version });
        }
        let aes = Aes::new(key.bytes()).ok_or_else(|| EncryptionError::BadKeyLength {
            key: number.to_string(),
            bytes: key.bytes().len(),
        })?;
        Ok(Self { aes, nonce: *nonce })
    }

    /// The vector of the event at `offset`, of which MariaDB takes the low 32 bits.
    fn vector(&self, offset: u64) -> [u8; 16] {
        let mut vector = [0; 16];
        let [a, b, c, d, ..] = offset.to_le_bytes();
        for (to, from) in vector
            .iter_mut()
            .zip(self.nonce.into_iter().chain([a, b, c, d]))
        {
            *to = from;
        }
        vector
    }

    /// Decrypts `bytes`, whole blocks of the event at `offset` that follow the block `before`.
    fn blocks(&self, before: [u8; 16], bytes: &mut [u8]) {
        let mut chain = before;
        let mut group = [Block::<Aes256>::default(); 64];
        for part in bytes.chunks_mut(16 * 64) {
            let (blocks, _) = part.as_chunks_mut::<16>();
            let count = blocks.len();
            for (to, from) in group.iter_mut().zip(blocks.iter()) {
                *to = (*from).into();
            }
            self.aes.decrypt(group.get_mut(..count).unwrap_or_default());
            for (block, clear) in blocks.iter_mut().zip(&group) {
                let next = *block;
                for ((to, clear), chained) in block.iter_mut().zip(clear.iter()).zip(chain) {
                    *to = clear ^ chained;
                }
                chain = next;
            }
        }
    }

    /// Decrypts the last, partial block of the event at `offset`.
    fn rest(&self, offset: u64, bytes: &mut [u8]) {
        let mut mask = self.vector(offset);
        self.aes.encrypt(&mut mask);
        for (byte, mask) in bytes.iter_mut().zip(mask) {
            *byte ^= mask;
        }
    }
}

/// Bytes of the raw file, so that what passes by is read once even where decrypting it needs
/// neighbours: a pipe cannot go back far.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    /// The raw bytes from `start` to `end`, or as far as the file reaches.
    fn get(&mut self, file: &dyn StorageFile, start: u64, end: u64) -> io::Result<&[u8]> {
        let window_end = self.start.saturating_add(self.bytes.len() as u64);
        if start < self.start || start > window_end {
            self.start = start;
            self.bytes.clear();
        } else if end > window_end {
            let unneeded = start.saturating_sub(BEHIND).saturating_sub(self.start);
            let unneeded = usize::try_from(unneeded).unwrap_or(usize::MAX);
            self.bytes.drain(..unneeded.min(self.bytes.len()));
            self.start = self.start.saturating_add(unneeded as u64);
        }
        let window_end = self.start.saturating_add(self.bytes.len() as u64);
        if end > window_end {
            let filled = self.bytes.len();
            let wanted = end.saturating_sub(window_end).max(READ_AHEAD);
            let wanted = usize::try_from(wanted).unwrap_or_default();
            self.bytes.resize(filled.saturating_add(wanted), 0);
            let target = self.bytes.get_mut(filled..).unwrap_or_default();
            let read = read_full_at(file, window_end, target);
            self.bytes
                .truncate(filled.saturating_add(*read.as_ref().unwrap_or(&0)));
            read?;
        }
        let index = |at: u64| usize::try_from(at.saturating_sub(self.start)).unwrap_or(usize::MAX);
        let last = index(end).min(self.bytes.len());
        Ok(self
            .bytes
            .get(index(start).min(last)..last)
            .unwrap_or_default())
    }
}

/// Where an event lies. `len` is unknown (`None`) for what is no event: a torn tail.
#[derive(Clone, Copy)]
struct Extent {
    start: u64,
    len: Option<u64>,
}

struct State {
    window: Window,
    /// The event that was read last.
    current: Option<Extent>,
    /// Starts of events, one per [`MARK_DISTANCE`] at most.
    marks: BTreeMap<u64, ()>,
}

/// A file with encrypted events as the clear stream that it stands for.
pub(super) struct EventwiseFile {
    inner: Box<dyn StorageFile>,
    cipher: EventCipher,
    /// Where the first encrypted event begins.
    begin: u64,
    state: Mutex<State>,
}

impl fmt::Debug for EventwiseFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventwiseFile")
            .field("inner", &self.inner)
            .field("begin", &self.begin)
            .finish_non_exhaustive()
    }
}

/// The clear stream of `file` if a `START_ENCRYPTION` event follows its format description;
/// otherwise the file itself.
pub(super) fn open(file: Box<dyn StorageFile>, keys: &Keys) -> io::Result<Box<dyn StorageFile>> {
    let Some(head) = read_head(file.as_ref())? else {
        return Ok(file);
    };
    let file = EventwiseFile {
        inner: file,
        cipher: EventCipher::new(&head.start, keys)?,
        begin: head.end,
        state: Mutex::new(State {
            window: Window::default(),
            current: None,
            marks: BTreeMap::from([(head.end, ())]),
        }),
    };
    if !file.begins_with_an_event(head.checksum)? {
        let key = KEY_NUMBER.to_string();
        return Err(EncryptionError::WrongKey { key }.into());
    }
    Ok(Box::new(file))
}

/// What stands in clear in front of the encrypted events.
struct ClearHead {
    checksum: ChecksumAlgorithm,
    start: StartEncryption,
    end: u64,
}

/// The clear head of a file with encrypted events; `None` for every other file.
fn read_head(file: &dyn StorageFile) -> io::Result<Option<ClearHead>> {
    // A format description has some 120 to 260 bytes; nothing that is longer than this has a
    // START_ENCRYPTION event behind it.
    let mut bytes = [0; 2048];
    let read = read_full_at(file, FIRST_EVENT, &mut bytes)?;
    let bytes = bytes.get(..read).unwrap_or_default();
    let event_at = |at: usize| {
        let bytes = bytes.get(at..)?;
        let header = EventHeader::decode(bytes.get(..EventHeader::LEN)?).ok()?;
        let size = usize::try_from(header.event_size).ok()?;
        Some((header.event_type, bytes.get(..size)?))
    };
    let Some((EventType::FORMAT_DESCRIPTION, first)) = event_at(0) else {
        return Ok(None);
    };
    let Some((EventType::START_ENCRYPTION, second)) = event_at(first.len()) else {
        return Ok(None);
    };
    let Ok(description) = FormatDescription::decode(first) else {
        return Ok(None);
    };
    let start = RawEvent::parse(second)
        .and_then(|event| event.body(description.format()))
        .and_then(|body| StartEncryption::decode(Reader::new(body)))
        .map_err(EncryptionError::BadStartEncryption)?;
    let end = FIRST_EVENT.saturating_add((first.len().saturating_add(second.len())) as u64);
    Ok(Some(ClearHead {
        checksum: description.checksum,
        start,
        end,
    }))
}

impl EventwiseFile {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave the cached places wrong, they are set in one step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the first encrypted event comes out as one; true if there is none yet.
    fn begins_with_an_event(&self, algorithm: ChecksumAlgorithm) -> io::Result<bool> {
        /// Every flag that MariaDB or MySQL gives an event.
        const KNOWN_FLAGS: u16 = 0x83ff;
        let mut bytes = vec![0; EventHeader::LEN];
        if read_full_at(self, self.begin, &mut bytes)? < EventHeader::LEN {
            return Ok(true);
        }
        let Ok(header) = EventHeader::decode(&bytes) else {
            return Ok(false);
        };
        let size = header.event_size;
        let is_whole = u64::from(size) <= self.len()?.saturating_sub(self.begin);
        if algorithm == ChecksumAlgorithm::Crc32 && is_whole && size <= CHECKED_EVENT_MAX {
            bytes.resize(usize::try_from(size).unwrap_or_default(), 0);
            read_full_at(self, self.begin, &mut bytes)?;
            return Ok(checksum::verify(&bytes));
        }
        let is_known = matches!(header.event_type.0, 1..=42 | 160..=172);
        Ok(is_known && header.flags.0 & !KNOWN_FLAGS == 0)
    }

    /// The event that `offset` lies in; `None` behind the end of the file.
    fn extent(&self, state: &mut State, offset: u64) -> io::Result<Option<Extent>> {
        let mut at = match state.current {
            Some(current) if current.start <= offset => current.start,
            _ => self.begin,
        };
        if let Some((&mark, ())) = state.marks.range(..=offset).next_back() {
            at = at.max(mark);
        }
        loop {
            let head = state.window.get(
                self.inner.as_ref(),
                at,
                at.saturating_add(EventHeader::LEN as u64),
            )?;
            if head.is_empty() {
                return Ok(None);
            }
            let len = EventHeader::decode(head)
                .map(|header| u64::from(header.event_size))
                .ok()
                .filter(|len| (EventHeader::LEN as u64..=MAX_EVENT_BYTES).contains(len));
            let extent = Extent { start: at, len };
            let next = len.map_or(u64::MAX, |len| at.saturating_add(len));
            if offset < next {
                state.current = Some(extent);
                return Ok(Some(extent));
            }
            at = next;
            let last = state.marks.last_key_value().map_or(0, |(&mark, ())| mark);
            if at >= last.saturating_add(MARK_DISTANCE) {
                state.marks.insert(at, ());
            }
        }
    }

    /// The clear bytes of `event` from `offset` on: at least one, at most to its end.
    fn clear(
        &self,
        state: &mut State,
        event: Extent,
        offset: u64,
        len: u64,
    ) -> io::Result<Vec<u8>> {
        let Some(event_len) = event.len else {
            let end = offset.saturating_add(len);
            let raw = state.window.get(self.inner.as_ref(), offset, end)?;
            return Ok(raw.to_vec());
        };
        let at = offset.saturating_sub(event.start);
        let wanted_end = at.saturating_add(len).min(event_len);
        // Bytes 0..4 come from the first block, in place of the size.
        let first = at.saturating_sub(CLEAR_HEAD) / BLOCK * BLOCK + CLEAR_HEAD;
        let last = wanted_end
            .max(CLEAR_HEAD + BLOCK)
            .saturating_sub(CLEAR_HEAD)
            .next_multiple_of(BLOCK)
            .saturating_add(CLEAR_HEAD)
            .min(event_len);
        let raw_from = if first == CLEAR_HEAD {
            0
        } else {
            first - BLOCK
        };
        let mut raw = state
            .window
            .get(
                self.inner.as_ref(),
                event.start.saturating_add(raw_from),
                event.start.saturating_add(last),
            )?
            .to_vec();
        let available = raw_from.saturating_add(raw.len() as u64);
        if available <= at || available < SIZE_AT + CLEAR_HEAD {
            return Ok(raw.split_off(index(at - raw_from).min(raw.len())));
        }
        if raw_from == 0 {
            swap_size(&mut raw);
        } else if raw_from == CLEAR_HEAD {
            // It is needed for the chain only, in its encrypted form.
            self.restore_size(state, event, &mut raw)?;
        }
        let before = if first == CLEAR_HEAD {
            self.cipher.vector(event.start)
        } else {
            raw.first_chunk().copied().unwrap_or_default()
        };
        let body = raw.get_mut(index(first - raw_from)..).unwrap_or_default();
        let whole = body.len() / 16 * 16;
        if let Some((blocks, rest)) = body.split_at_mut_checked(whole) {
            self.cipher.blocks(before, blocks);
            if available == event_len {
                self.cipher.rest(event.start, rest);
            }
        }
        if raw_from == 0 {
            put_size(&mut raw, event_len);
        }
        raw.truncate(index(wanted_end - raw_from).min(raw.len()));
        Ok(raw.split_off(index(at - raw_from).min(raw.len())))
    }

    /// Puts the first block, read without what stands in front of it, into its encrypted form.
    fn restore_size(&self, state: &mut State, event: Extent, raw: &mut [u8]) -> io::Result<()> {
        let end = event.start.saturating_add(CLEAR_HEAD);
        let head = state.window.get(self.inner.as_ref(), event.start, end)?;
        let target = raw
            .get_mut(index(SIZE_AT - CLEAR_HEAD)..)
            .unwrap_or_default();
        for (to, from) in target.iter_mut().zip(head) {
            *to = *from;
        }
        Ok(())
    }
}

/// Offsets within a piece, which is far smaller than the address space.
fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}

/// Bytes 0..4 of the stored event are bytes 9..13 of the encrypted one.
fn swap_size(raw: &mut [u8]) {
    raw.copy_within(..index(CLEAR_HEAD), index(SIZE_AT));
}

/// Bytes 9..13 of the decrypted event are bytes 0..4 of the clear one, which has its size there.
fn put_size(event: &mut [u8], len: u64) {
    let from = index(SIZE_AT);
    event.copy_within(from..from + index(CLEAR_HEAD), 0);
    for (to, byte) in event.iter_mut().skip(from).zip(len.to_le_bytes()).take(4) {
        *to = byte;
    }
}

impl StorageFile for EventwiseFile {
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset < self.begin {
            let clear = usize::try_from(self.begin - offset).unwrap_or(usize::MAX);
            let len = buffer.len().min(clear);
            return self
                .inner
                .read_at(offset, buffer.get_mut(..len).unwrap_or_default());
        }
        let mut state = self.lock();
        let mut filled = 0;
        while filled < buffer.len() {
            let at = offset.saturating_add(filled as u64);
            let wanted = PIECE.min((buffer.len() - filled) as u64);
            let Some(event) = self.extent(&mut state, at)? else {
                break;
            };
            let clear = self.clear(&mut state, event, at, wanted)?;
            if clear.is_empty() {
                break;
            }
            let target = buffer.get_mut(filled..).unwrap_or_default();
            for (to, from) in target.iter_mut().zip(&clear) {
                *to = *from;
            }
            filled = filled.saturating_add(clear.len());
        }
        Ok(filled)
    }

    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<usize> {
        Err(read_only())
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn truncate(&self, _: u64) -> io::Result<()> {
        Err(read_only())
    }

    fn sync(&self) -> io::Result<()> {
        self.inner.sync()
    }

    fn is_forward_only(&self) -> bool {
        self.inner.is_forward_only()
    }
}

fn read_only() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "files that MariaDB encrypted are read only",
    )
}
