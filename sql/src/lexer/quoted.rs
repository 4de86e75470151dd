//! Tokens in quotes: strings and quoted names.

use std::borrow::Cow;

use super::{Kind, Lexer};
use crate::SqlMode;

impl<'a> Lexer<'a, '_> {
    pub(super) fn string(&mut self) -> Kind<'a> {
        let quote = self.peek(0);
        let escapes = !self
            .options
            .sql_mode
            .contains(SqlMode::NO_BACKSLASH_ESCAPES);
        let start = self.at + 1;
        let mut copy: Option<Vec<u8>> = None;
        let mut at = start;
        while let Some(byte) = self.text.get(at).copied() {
            if byte == quote {
                if self.text.get(at + 1) != Some(&quote) {
                    self.at = at + 1;
                    let plain = self.text.get(start..at).unwrap_or_default();
                    return Kind::String(copy.map_or(Cow::Borrowed(plain), Cow::Owned));
                }
                let so_far = self.text.get(start..at).unwrap_or_default();
                copy.get_or_insert_with(|| so_far.to_vec()).push(quote);
                at += 2;
            } else if byte == b'\\' && escapes {
                let so_far = self.text.get(start..at).unwrap_or_default();
                let copy = copy.get_or_insert_with(|| so_far.to_vec());
                unescape(self.text.get(at + 1).copied(), copy);
                at += 2;
            } else {
                if let Some(copy) = &mut copy {
                    copy.push(byte);
                }
                at += 1;
            }
        }
        self.at = self.text.len();
        Kind::Bad
    }

    pub(super) fn quoted_identifier(&mut self, quote: u8) -> Kind<'a> {
        let start = self.at + 1;
        let mut at = start;
        let mut doubled = false;
        loop {
            match self.text.get(at) {
                None => {
                    self.at = self.text.len();
                    return Kind::Bad;
                }
                Some(byte) if *byte == quote => {
                    if self.text.get(at + 1) != Some(&quote) {
                        break;
                    }
                    doubled = true;
                    at += 2;
                }
                Some(_) => at += 1,
            }
        }
        self.at = at + 1;
        self.after_word = true;
        let Some(name) = self.text_between(start, at) else {
            return Kind::Bad;
        };
        if !doubled {
            return Kind::Quoted(Cow::Borrowed(name));
        }
        let quote = char::from(quote).to_string();
        Kind::Quoted(Cow::Owned(name.replace(&quote.repeat(2), &quote)))
    }
}

/// `\%` and `\_` keep their backslash: LIKE reads it.
fn unescape(byte: Option<u8>, into: &mut Vec<u8>) {
    let Some(byte) = byte else { return };
    match byte {
        b'0' => into.push(0),
        b'b' => into.push(0x08),
        b'n' => into.push(b'\n'),
        b'r' => into.push(b'\r'),
        b't' => into.push(b'\t'),
        b'Z' => into.push(0x1a),
        b'%' | b'_' => into.extend([b'\\', byte]),
        other => into.push(other),
    }
}
