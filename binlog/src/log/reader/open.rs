//! Opening a file: its magic, its format description, and what else its head says about how the
//! rest is read.

use super::super::encryption;
use super::super::error::{Damage, LogError};
use super::super::format::{FIRST_EVENT, MAGIC};
use super::super::options::ReadOptions;
use super::super::storage::{Storage, StorageFile};
use super::window::Window;
use super::{Layout, LogFileName, LogReader};
use crate::event::{
    ChecksumAlgorithm, EventFlags, EventHeader, EventType, FormatDescription, StartV3,
};

impl LogReader {
    /// Opens `name` and reads its format description, which is also the first event shown. Every
    /// event is held whole.
    pub fn open(storage: &dyn Storage, name: &LogFileName) -> Result<Self, LogError> {
        Self::open_with(storage, name, &ReadOptions::whole_events())
    }

    /// Opens `name` to read it as `options` say.
    pub fn open_with(
        storage: &dyn Storage,
        name: &LogFileName,
        options: &ReadOptions,
    ) -> Result<Self, LogError> {
        let file = storage
            .open_read(name.as_str())
            .map_err(|error| LogError::opening(name, error))?;
        Self::over_with(file, name.clone(), options)
    }

    /// Reads an open file that is called `name` in errors. Every event is held whole.
    pub fn over(file: Box<dyn StorageFile>, name: LogFileName) -> Result<Self, LogError> {
        Self::over_with(file, name, &ReadOptions::whole_events())
    }

    /// Reads an open file (or a pipe, see [`crate::log::storage::ForwardFile`]) that is called
    /// `name` in errors, as `options` say.
    ///
    /// # Errors
    /// A file that is no log, that is encrypted with a key that was not given, or whose first event
    /// describes no format that can be read.
    pub fn over_with(
        file: Box<dyn StorageFile>,
        name: LogFileName,
        options: &ReadOptions,
    ) -> Result<Self, LogError> {
        let file = encryption::decrypted(file, &options.keys)
            .map_err(|error| LogError::opening(&name, error))?;
        let mut window = Window::new(file);
        let found = read_magic(&mut window, &name)?;
        if found != MAGIC {
            let damage = Damage::BadMagic { found };
            return Err(LogError::corrupt(&name, 0, None, damage));
        }
        let description = FormatDescription::current("", ChecksumAlgorithm::None);
        let layout = Layout {
            format: description.format(),
            description,
        };
        let mut reader = Self {
            window,
            name,
            options: options.clone(),
            first_layout: layout.clone(),
            layout,
            head_layout: None,
            skips_head: false,
            next: FIRST_EVENT,
            end: None,
            current: None,
            check_positions: false,
        };
        reader.read_description()?;
        Ok(reader)
    }

    fn read_description(&mut self) -> Result<(), LogError> {
        let name = self.name.clone();
        let missing = |event_type| {
            let damage = Damage::NoFormatDescription;
            LogError::corrupt(&name, FIRST_EVENT, event_type, damage)
        };
        // The first event of a file in format 1 has a header of 13 bytes, which is all that is
        // looked at to tell the formats apart.
        let mut start = [0; 13];
        let filled = self.window.fill(FIRST_EVENT, start.len(), None);
        let filled = filled.map_err(|error| LogError::io("reading", self.name.as_str(), error))?;
        if filled == 0 {
            return Err(missing(None));
        }
        for (to, from) in start.iter_mut().zip(self.window.bytes(FIRST_EVENT, filled)) {
            *to = *from;
        }
        let [_, _, _, _, code, _, _, _, _, a, b, c, d] = start;
        let size = u32::from_le_bytes([a, b, c, d]);
        match EventType(code) {
            EventType::FORMAT_DESCRIPTION => {}
            EventType::START_V3 if StartV3::is_v1(size) => {
                self.layout.format.header_len = 13;
                self.layout.format.binlog_version = 1;
            }
            EventType::START_V3 => self.layout.format.binlog_version = 3,
            _ if filled < start.len() => {}
            other => return Err(missing(Some(other))),
        }
        if !self.step(None)? {
            return Err(missing(None));
        }
        self.first_layout = self.layout.clone();
        self.next = FIRST_EVENT;
        self.current = None;
        // What was read ahead may lie beyond the end that the first caller will set.
        self.window.forget();
        Ok(())
    }

    /// Takes from the current event what it says about those behind it.
    pub(super) fn take_layout(&mut self) -> Result<(), LogError> {
        let Some((offset, event)) = self.current() else {
            return Ok(());
        };
        let event_type = event.header.event_type;
        let fail = |damage| LogError::corrupt(&self.name, offset, Some(event_type), damage);
        let undecodable = |error| fail(Damage::Undecodable(error));
        let description = match event_type {
            EventType::FORMAT_DESCRIPTION => {
                FormatDescription::decode(event.bytes).map_err(undecodable)?
            }
            EventType::START_V3 if offset == FIRST_EVENT => {
                let body = event.body(self.layout.format).map_err(undecodable)?;
                let offset = usize::from(self.layout.format.header_len);
                let start =
                    StartV3::decode(codec::Reader::at(body, offset)).map_err(undecodable)?;
                start.description(event.header.event_size)
            }
            _ => return Ok(()),
        };
        self.layout.format = description.format();
        self.layout.description = description;
        Ok(())
    }

    /// Reads the head of the file, behind which the reader was put: in a relay log the source's
    /// format description stands there. Damage in the head is no matter of the events behind it.
    pub(super) fn pass_head(&mut self) {
        let target = self.next;
        self.layout = self.first_layout.clone();
        self.next = FIRST_EVENT;
        let mut is_passed = false;
        while self.next < target && matches!(self.step(Some(target)), Ok(true)) {
            let Some((_, event)) = self.current() else {
                break;
            };
            if !is_head(&event.header) {
                is_passed = true;
                break;
            }
        }
        if is_passed {
            self.head_layout = Some(self.layout.clone());
        }
        self.next = target;
        self.current = None;
    }
}

/// Whether an event stands in front of the first transaction of a file.
fn is_head(header: &EventHeader) -> bool {
    match header.event_type {
        EventType::FORMAT_DESCRIPTION
        | EventType::START_V3
        | EventType::START_ENCRYPTION
        | EventType::PREVIOUS_GTIDS
        | EventType::MARIADB_GTID_LIST
        | EventType::BINLOG_CHECKPOINT => true,
        EventType::ROTATE => header.flags.contains(EventFlags::ARTIFICIAL),
        _ => false,
    }
}

/// The first four bytes, or as many as there are.
fn read_magic(window: &mut Window, name: &LogFileName) -> Result<Vec<u8>, LogError> {
    let filled = window.fill(0, MAGIC.len(), None);
    filled.map_err(|error| LogError::io("reading", name.as_str(), error))?;
    Ok(window.bytes(0, MAGIC.len()).to_vec())
}
