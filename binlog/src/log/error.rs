//! What can be wrong with a log: where it is, what was being done, what was found.

use std::fmt;
use std::io;

use codec::DecodeError;
use gtid::GtidSet;

use super::encryption::EncryptionError;
use super::name::{LogFileName, LogPosition};
use super::storage::is_no_space;
use crate::event::EventType;
use crate::stream::payload::PayloadDamage;
use crate::transaction::BoundaryError;

/// Why a log could not be read, written or recovered. Variants are by who must act.
#[derive(Debug)]
#[non_exhaustive]
pub enum LogError {
    /// The machine refused a file operation.
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file it was done to.
        file: String,
        /// What the machine said.
        source: io::Error,
    },
    /// There is no room. What was half written is cut off again; the log can go on when there is.
    NoSpace {
        /// The file that could not grow.
        file: String,
    },
    /// An earlier write or sync failed; nothing more is written until the log is opened again.
    Poisoned {
        /// The file whose state is unknown.
        file: LogFileName,
    },
    /// Bytes of a log file are not what a log holds.
    Corrupt(Box<Corrupt>),
    /// A line of the index does not name a log file, or not in order.
    BadIndex {
        /// The index.
        index: String,
        /// The line, from 1.
        line: usize,
        /// What the line says.
        found: String,
    },
    /// The index lists a file that is not there.
    MissingFile {
        /// The index.
        index: String,
        /// The file.
        file: LogFileName,
    },
    /// There are log files but no index that lists them.
    MissingIndex {
        /// The index that was looked for.
        index: String,
        /// One of the files.
        file: LogFileName,
    },
    /// A file holds events and is newer than the log's last file, but not in the index.
    UnlistedFile {
        /// The index.
        index: String,
        /// The file.
        file: LogFileName,
    },
    /// A file that was asked for is not part of the log.
    UnknownFile {
        /// What was asked for.
        file: String,
    },
    /// Transactions that a reader still needs were purged.
    Purged {
        /// Those that are not in any file.
        missing: GtidSet,
    },
    /// No further file can be numbered.
    NumbersExhausted {
        /// The last file.
        last: LogFileName,
    },
}

/// A damaged place in a log file.
#[derive(Debug)]
pub struct Corrupt {
    /// The first byte of the event (or of what should be one).
    pub at: LogPosition,
    /// The event's type, if its header could be read.
    pub event: Option<EventType>,
    /// Where in the decompressed content of the payload event at `at` the damage is.
    pub inner: Option<u64>,
    /// The transaction that was open, as its GTID is written, if it has one.
    pub gtid: Option<String>,
    /// What is wrong with it.
    pub damage: Damage,
}

/// What is wrong with a damaged place.
#[derive(Debug)]
#[non_exhaustive]
pub enum Damage {
    /// The file does not begin with the four bytes of a log file.
    BadMagic {
        /// Its first bytes.
        found: Vec<u8>,
    },
    /// The file is encrypted and cannot be decrypted.
    Encryption(EncryptionError),
    /// The file ends inside the event.
    Truncated {
        /// Bytes that the event needs.
        needed: u64,
        /// Bytes that are there.
        available: u64,
    },
    /// The event announces a size that no event has.
    BadSize {
        /// The size.
        size: u64,
    },
    /// The event's checksum does not match its bytes.
    BadChecksum,
    /// The event announces another end than its place and size give.
    BadPosition {
        /// The announced end, of which only the low 32 bits are stored.
        announced: u64,
        /// The real end.
        expected: u64,
    },
    /// The file does not begin with a format description event.
    NoFormatDescription,
    /// The event's fields cannot be read.
    Undecodable(DecodeError),
    /// The payload of a `TRANSACTION_PAYLOAD` event is damaged.
    Payload(PayloadDamage),
    /// The event may not stand where it stands.
    OutOfOrder(String),
    /// The event is damaged, and the log goes on behind it with transactions that were written
    /// after this one was safe: it is no torn tail, and cutting here would lose them.
    NotATornTail {
        /// What is wrong with the event itself.
        damage: Box<Damage>,
        /// Where the log goes on.
        next_transaction: u64,
    },
}

impl From<BoundaryError> for Damage {
    fn from(error: BoundaryError) -> Self {
        match error {
            BoundaryError::Undecodable(error) => Self::Undecodable(error),
            out_of_order @ BoundaryError::OutOfOrder { .. } => {
                Self::OutOfOrder(out_of_order.to_string())
            }
        }
    }
}

impl LogError {
    /// An error of the machine; the ones that mean "no room" become [`LogError::NoSpace`].
    #[must_use]
    pub fn io(doing: &'static str, file: &str, source: io::Error) -> Self {
        let file = file.to_owned();
        if is_no_space(&source) {
            Self::NoSpace { file }
        } else {
            Self::Io {
                doing,
                file,
                source,
            }
        }
    }

    /// An error of opening `file`: one that is not there and one that cannot be decrypted are told
    /// apart from those of the machine.
    #[must_use]
    pub fn opening(file: &LogFileName, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::NotFound {
            let file = file.to_string();
            return Self::UnknownFile { file };
        }
        match EncryptionError::from_io(source) {
            Ok(error) => Self::corrupt(file, 0, None, Damage::Encryption(error)),
            Err(source) => Self::io("opening", file.as_str(), source),
        }
    }

    /// Damage of the event at `offset` of `file`.
    #[must_use]
    pub fn corrupt(
        file: &LogFileName,
        offset: u64,
        event: Option<EventType>,
        damage: Damage,
    ) -> Self {
        Self::Corrupt(Box::new(Corrupt {
            at: LogPosition::new(file.clone(), offset),
            event,
            inner: None,
            gtid: None,
            damage,
        }))
    }

    /// The same error inside a payload, `offset` bytes into its decompressed content.
    #[must_use]
    pub fn inside(mut self, offset: u64) -> Self {
        if let Self::Corrupt(corrupt) = &mut self {
            corrupt.inner = Some(offset);
        }
        self
    }

    /// The same error in the transaction `gtid`, if it does not name one yet.
    #[must_use]
    pub fn in_transaction(mut self, gtid: Option<String>) -> Self {
        if let Self::Corrupt(corrupt) = &mut self
            && corrupt.gtid.is_none()
        {
            corrupt.gtid = gtid;
        }
        self
    }

    /// Whether the operation may succeed once there is room again.
    #[must_use]
    pub const fn is_no_space(&self) -> bool {
        matches!(self, Self::NoSpace { .. })
    }
}

/// The program that compressed a file which begins like this.
fn compression(start: &[u8]) -> Option<&'static str> {
    const MAGICS: [(&[u8], &str); 4] = [
        (&[0x1f, 0x8b], "gzip"),
        (&[0x28, 0xb5, 0x2f, 0xfd], "zstd"),
        (&[0xfd, b'7', b'z', b'X'], "xz"),
        (b"BZh", "bzip2"),
    ];
    let found = MAGICS.iter().find(|(magic, _)| start.starts_with(magic));
    found.map(|(_, tool)| *tool)
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadMagic { found } => {
                f.write_str("a log file begins with fe 62 69 6e, this one ")?;
                match found.as_slice() {
                    [] => f.write_str("is empty")?,
                    [first, rest @ ..] => {
                        write!(f, "with {first:02x}")?;
                        rest.iter().try_for_each(|byte| write!(f, " {byte:02x}"))?;
                    }
                }
                match compression(found) {
                    Some(tool) => write!(
                        f,
                        ": it is compressed by {tool}; give what `{tool} -dc` makes of it \
                         (`{tool} -dc FILE | weir binlog ... -`)"
                    ),
                    None => Ok(()),
                }
            }
            Self::Encryption(error) => error.fmt(f),
            Self::Truncated { needed, available } => write!(
                f,
                "the event needs {needed} bytes, but the file ends after {available}"
            ),
            Self::BadSize { size } => write!(f, "the event announces {size} bytes"),
            Self::BadChecksum => f.write_str("the checksum does not match the event's bytes"),
            Self::BadPosition {
                announced,
                expected,
            } => write!(
                f,
                "the event announces that it ends at {announced}, but it ends at {expected}"
            ),
            Self::NoFormatDescription => {
                f.write_str("the first event of a file is its format description, this one is not")
            }
            Self::Undecodable(error) => error.fmt(f),
            Self::Payload(damage) => damage.fmt(f),
            Self::OutOfOrder(what) => f.write_str(what),
            Self::NotATornTail {
                damage,
                next_transaction,
            } => write!(
                f,
                "{damage}; transactions that were written later follow at offset \
                 {next_transaction}, so this is not the torn tail of a crash and is not cut off"
            ),
        }
    }
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io {
                doing,
                file,
                source,
            } => write!(f, "{doing} {file}: {source}"),
            Self::NoSpace { file } => write!(f, "no space left to write {file}"),
            Self::Poisoned { file } => write!(
                f,
                "an earlier write to {file} failed; the log takes nothing more until it is reopened"
            ),
            Self::Corrupt(corrupt) => {
                let Corrupt {
                    at,
                    event,
                    inner,
                    gtid,
                    damage,
                } = corrupt.as_ref();
                write!(f, "{} at offset {}", at.file, at.offset)?;
                if let Some(inner) = inner {
                    write!(f, ", byte {inner} of its decompressed payload")?;
                }
                if let Some(event) = event {
                    write!(f, ", event {}", event.label())?;
                }
                if let Some(gtid) = gtid {
                    write!(f, ", in transaction {gtid}")?;
                }
                write!(f, ": {damage}")
            }
            Self::BadIndex { index, line, found } => write!(
                f,
                "line {line} of {index} is not the next log file of the list: '{found}'"
            ),
            Self::MissingFile { index, file } => {
                write!(f, "{index} lists {file}, which does not exist")
            }
            Self::MissingIndex { index, file } => write!(
                f,
                "there are log files such as {file}, but no {index} that lists them; \
                 restore the index or move the files away"
            ),
            Self::UnlistedFile { index, file } => write!(
                f,
                "{file} holds events and is newer than every file of {index}, \
                 but is not listed there; restore the index or move the file away"
            ),
            Self::UnknownFile { file } => write!(f, "the log has no file '{file}'"),
            Self::Purged { missing } => write!(f, "transactions {missing} were purged"),
            Self::NumbersExhausted { last } => write!(f, "no number is left after {last}"),
        }
    }
}

impl std::error::Error for LogError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
