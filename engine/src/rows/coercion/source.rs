//! Texts and bytes as they are given, and as messages show them.

use binlog::value::double_text;

use super::copy::Begin;
use crate::rows::text::escaped_up_to;
use crate::value::datum::Datum;
use crate::value::sourced::{Sourced, TextKind};

/// Most bytes of a value in a message.
const SHOWN_BYTES_MAX: usize = 128;
/// Messages are utf8mb3, which ends here.
const LAST_SHOWN: char = '\u{ffff}';

/// What a number or a date is read from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source<'v> {
    /// Text of the connection, which need not be well-formed.
    Text(&'v [u8]),
    /// Bytes without a character set.
    Bytes(&'v [u8]),
}

impl<'v> Source<'v> {
    /// The bytes of a text of this kind.
    pub(super) const fn of(bytes: &'v [u8], kind: TextKind) -> Self {
        match kind {
            TextKind::Characters | TextKind::Digits => Self::Text(bytes),
            TextKind::Bytes | TextKind::Hex => Self::Bytes(bytes),
        }
    }

    pub(super) const fn bytes(self) -> &'v [u8] {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) => bytes,
        }
    }

    /// As errors 1366 and 1292 show it.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Bytes(bytes) => escaped_up_to(bytes, SHOWN_BYTES_MAX),
            Self::Text(bytes) => text(bytes),
        }
    }
}

/// Up to the first NUL or where the text is cut short, with `?` for what cannot be shown or has no
/// room as a whole.
fn text(bytes: &[u8]) -> String {
    let mut shown = String::new();
    let mut at = 0;
    while let Some(room) = SHOWN_BYTES_MAX.checked_sub(shown.len() + 1) {
        let rest = bytes.get(at..).unwrap_or_default();
        match Begin::of(rest) {
            Begin::Incomplete | Begin::Character('\0') => break,
            Begin::Wrong => {
                shown.push('?');
                at += 1;
            }
            Begin::Character(character) => {
                let is_shown = character <= LAST_SHOWN && character.len_utf8() <= room + 1;
                shown.push(if is_shown { character } else { '?' });
                if character <= LAST_SHOWN && !is_shown {
                    break;
                }
                at += character.len_utf8();
            }
        }
    }
    shown
}

/// Any value as messages show it.
pub(super) fn shown(given: &Sourced) -> String {
    match &given.value {
        Datum::Text(bytes) if given.text != TextKind::Digits => {
            Source::of(bytes, given.text).shown()
        }
        Datum::Json(document) => Source::Text(document.as_bytes()).shown(),
        Datum::Double(number) => double_text(*number),
        other => other.to_str().into_owned(),
    }
}
