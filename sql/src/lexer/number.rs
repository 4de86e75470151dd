//! Numbers, and the literals that are written in hexadecimal or binary digits.

use std::borrow::Cow;

use super::{Kind, Lexer, is_word_byte};

impl<'a> Lexer<'a, '_> {
    /// A name may begin with digits; after a point it may be nothing but digits.
    pub(super) fn number_or_word(&mut self) -> Kind<'a> {
        let after_point = self.at.checked_sub(1).and_then(|at| self.text.get(at)) == Some(&b'.')
            && self
                .at
                .checked_sub(2)
                .and_then(|at| self.text.get(at))
                .is_some_and(|byte| {
                    *byte == b'`' || (is_word_byte(*byte) && !byte.is_ascii_digit())
                });
        if after_point {
            return self.word();
        }
        if self.peek(0) == b'0'
            && let Some(kind) = self.prefixed_number()
        {
            return kind;
        }
        let digits = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let next = self.peek(digits);
        let exponent = matches!(next, b'e' | b'E')
            && (self.peek(digits + 1).is_ascii_digit()
                || (matches!(self.peek(digits + 1), b'+' | b'-')
                    && self.peek(digits + 2).is_ascii_digit()));
        if is_word_byte(next) && !exponent {
            return self.word();
        }
        self.number()
    }

    /// `0x1F`, `0b01`; None for names like `0xyz`.
    fn prefixed_number(&mut self) -> Option<Kind<'a>> {
        let is_digit: fn(&u8) -> bool = match self.peek(1) {
            b'x' => u8::is_ascii_hexdigit,
            b'b' => |byte| matches!(byte, b'0' | b'1'),
            _ => return None,
        };
        let length = self
            .rest()
            .iter()
            .skip(2)
            .take_while(|byte| is_digit(byte))
            .count();
        if length == 0 || is_word_byte(self.peek(2 + length)) {
            return None;
        }
        let digits = self.text_between(self.at + 2, self.at + 2 + length)?;
        let hex = self.peek(1) == b'x';
        self.at += 2 + length;
        Some(match (hex, length % 2) {
            (true, 0) => Kind::Hex(Cow::Borrowed(digits)),
            (true, _) => Kind::Hex(Cow::Owned(format!("0{digits}"))),
            (false, _) => Kind::Bit(digits),
        })
    }

    pub(super) fn number(&mut self) -> Kind<'a> {
        let start = self.at;
        let mut decimal = false;
        let mut float = false;
        self.skip_digits();
        if self.peek(0) == b'.' {
            decimal = true;
            self.at += 1;
            self.skip_digits();
        }
        if matches!(self.peek(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.peek(1), b'+' | b'-'));
            if self.peek(1 + sign).is_ascii_digit() {
                float = true;
                self.at += 1 + sign;
                self.skip_digits();
            }
        }
        match (self.text_between(start, self.at), float, decimal) {
            (Some(text), true, _) => Kind::Float(text),
            (Some(text), false, true) => Kind::Decimal(text),
            (Some(text), false, false) => Kind::Integer(text),
            (None, ..) => Kind::Bad,
        }
    }

    pub(super) fn skip_digits(&mut self) {
        while self.peek(0).is_ascii_digit() {
            self.at += 1;
        }
    }

    pub(super) fn quoted_hex(&mut self) -> Kind<'a> {
        match self.quoted_digits(|byte| byte.is_ascii_hexdigit()) {
            Some(digits) if digits.len() % 2 == 0 => Kind::Hex(Cow::Borrowed(digits)),
            _ => Kind::Bad,
        }
    }

    pub(super) fn quoted_bits(&mut self) -> Kind<'a> {
        self.quoted_digits(|byte| matches!(byte, b'0' | b'1'))
            .map_or(Kind::Bad, Kind::Bit)
    }

    fn quoted_digits(&mut self, is_digit: fn(&u8) -> bool) -> Option<&'a str> {
        let start = self.at + 2;
        let length = self
            .rest()
            .iter()
            .skip(2)
            .take_while(|byte| is_digit(byte))
            .count();
        let closed = self.peek(2 + length) == b'\'';
        let digits = self.text_between(start, start + length);
        self.at = if closed {
            start + length + 1
        } else {
            self.at + 1
        };
        digits.filter(|_| closed)
    }
}
