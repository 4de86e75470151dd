//! Texts and bytes as they are given, and as messages show them.

use super::copy::Begin;
use crate::rows::EvalValue;
use crate::rows::text::escaped;

/// Most characters of a value in a message.
const SHOWN_CHARS_MAX: usize = 128;
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
    pub(super) const fn bytes(self) -> &'v [u8] {
        match self {
            Self::Text(bytes) | Self::Bytes(bytes) => bytes,
        }
    }

    /// As errors 1366 and 1292 show it.
    pub(super) fn shown(self) -> String {
        match self {
            Self::Bytes(bytes) => escaped(bytes.get(..SHOWN_CHARS_MAX).unwrap_or(bytes)),
            Self::Text(bytes) => text(bytes),
        }
    }
}

/// Up to the first NUL or where the text is cut short, with `?` for what cannot be shown.
fn text(bytes: &[u8]) -> String {
    let mut shown = String::new();
    let mut at = 0;
    for _ in 0..SHOWN_CHARS_MAX {
        let rest = bytes.get(at..).unwrap_or_default();
        match Begin::of(rest) {
            Begin::Incomplete | Begin::Character('\0') => break,
            Begin::Wrong => {
                shown.push('?');
                at += 1;
            }
            Begin::Character(character) => {
                shown.push(if character > LAST_SHOWN {
                    '?'
                } else {
                    character
                });
                at += character.len_utf8();
            }
        }
    }
    shown
}

/// Any value as messages show it.
pub(super) fn shown(value: &EvalValue) -> String {
    match value {
        EvalValue::Text(text) | EvalValue::Json(text) => Source::Text(text.as_bytes()).shown(),
        EvalValue::IllFormed(bytes) => Source::Text(bytes).shown(),
        EvalValue::Binary(bytes) | EvalValue::Hex(bytes) => Source::Bytes(bytes).shown(),
        other => other.to_text().unwrap_or_default(),
    }
}
