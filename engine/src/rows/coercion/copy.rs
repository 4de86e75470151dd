//! Copying text into a character set and a length, as far as it is text.

use crate::collation::Charset;
use crate::value::is_blank;

/// What a column has room for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Characters.
    pub(super) chars: usize,
    /// Bytes in the column's character set.
    pub(super) bytes: usize,
}

/// What was left out for want of room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing.
    Nothing,
    /// Blanks alone.
    Blanks,
    /// Something else.
    Important,
}

/// A copy.
#[derive(Debug)]
pub(super) struct Copied {
    /// Bytes of the column's character set.
    pub(super) stored: Vec<u8>,
    /// The source from the first place on that could not be copied as it is.
    pub(super) wrong: Option<Vec<u8>>,
    /// What did not fit.
    pub(super) rest: Rest,
}

/// The longest encoding of a character.
const CHAR_BYTES_MAX: usize = 4;

/// What bytes of UTF-8 begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// A character.
    Character(char),
    /// Fewer bytes than the first one asks for.
    Incomplete,
    /// No character.
    Wrong,
}

impl Begin {
    /// Looks at the first byte before the others, as MySQL does.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let length = match bytes.first() {
            None => return Self::Incomplete,
            Some(0..=0x7f) => 1,
            Some(0x80..=0xc1) => return Self::Wrong,
            Some(0xc2..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..) => CHAR_BYTES_MAX,
        };
        let Some(bytes) = bytes.get(..length) else {
            return Self::Incomplete;
        };
        let character = std::str::from_utf8(bytes)
            .ok()
            .and_then(|text| text.chars().next());
        character.map_or(Self::Wrong, Self::Character)
    }
}

/// Copies text of the connection, which need not be well-formed. To another character set what is
/// wrong is copied as `?`, within UTF-8 it ends the copy.
pub(super) fn text(charset: Charset, source: &[u8], room: Room) -> Copied {
    let mut copy = Copy::new(room);
    let mut at = 0;
    while let Some(rest) = source.get(at..).filter(|rest| !rest.is_empty()) {
        let begin = Begin::of(rest);
        let (length, character) = match begin {
            Begin::Character(character) => (character.len_utf8(), Some(character)),
            Begin::Wrong | Begin::Incomplete => (1, None),
        };
        if copy.is_full() {
            break;
        }
        match character {
            None if charset == Charset::Utf8mb4 => {
                copy.wrong.get_or_insert(at);
                break;
            }
            None if begin == Begin::Incomplete => break,
            None => {
                copy.wrong.get_or_insert(at);
                copy.push(b"?");
            }
            Some(character) => {
                let mut buffer = [0; CHAR_BYTES_MAX];
                let encoded = charset.encode(character.encode_utf8(&mut buffer));
                if encoded.is_err() {
                    copy.wrong.get_or_insert(at);
                }
                if !copy.push(encoded.as_deref().unwrap_or(b"?")) {
                    break;
                }
            }
        }
        at += length;
    }
    copy.end(source, at)
}

/// Copies bytes that are taken as text of the column's character set.
pub(super) fn bytes(charset: Charset, source: &[u8], room: Room) -> Copied {
    let (valid, wrong) = match charset.decode(source) {
        Ok(text) => (text, None),
        Err(offset) => {
            let (valid, _) = source.split_at_checked(offset).unwrap_or((source, &[]));
            (charset.decode(valid).unwrap_or_default(), Some(offset))
        }
    };
    let mut copied = text(charset, valid.as_bytes(), room);
    if copied.rest == Rest::Nothing
        && let Some(offset) = wrong
    {
        copied.wrong = source.get(offset..).map(<[u8]>::to_vec);
    } else if wrong.is_some() {
        copied.rest = Rest::Important;
    }
    copied
}

struct Copy {
    room: Room,
    stored: Vec<u8>,
    chars: usize,
    /// Offset of the first character that could not be copied.
    wrong: Option<usize>,
}

impl Copy {
    fn new(room: Room) -> Self {
        Self {
            room,
            stored: Vec::new(),
            chars: 0,
            wrong: None,
        }
    }

    fn is_full(&self) -> bool {
        self.chars >= self.room.chars || self.stored.len() >= self.room.bytes
    }

    /// Appends a character; false when there is no room for it.
    fn push(&mut self, character: &[u8]) -> bool {
        if self.is_full() || self.stored.len() + character.len() > self.room.bytes {
            return false;
        }
        self.stored.extend_from_slice(character);
        self.chars += 1;
        true
    }

    /// Ends the copy in front of `end`.
    fn end(self, source: &[u8], end: usize) -> Copied {
        let rest = source.get(end..).unwrap_or_default();
        Copied {
            stored: self.stored,
            wrong: self
                .wrong
                .and_then(|at| source.get(at..))
                .map(<[u8]>::to_vec),
            rest: match rest {
                [] => Rest::Nothing,
                rest if rest.iter().all(|byte| is_blank(*byte)) => Rest::Blanks,
                _ => Rest::Important,
            },
        }
    }
}
