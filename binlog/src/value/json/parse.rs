//! JSON text to a value tree.
//!
//! Messages are those of the parser that MySQL uses, which quotes them in error 3140.

use std::fmt;

use super::{DEPTH_MAX, JsonValue};

/// The largest exponent of a number without a fraction.
const EXPONENT_MAX: usize = 308;

/// Text that is not JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonTextError {
    /// Byte at which it was noticed.
    pub offset: usize,
    /// What is wrong, in MySQL's words.
    pub message: &'static str,
}

impl JsonTextError {
    /// Whether the text nests deeper than a document may.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.message == TOO_DEEP
    }
}

impl fmt::Display for JsonTextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { offset, message } = self;
        write!(f, "\"{message}\" at position {offset}")
    }
}

impl std::error::Error for JsonTextError {}

/// Message of a document that nests too deeply, which MySQL reports as an error of its own (3157).
pub(super) const TOO_DEEP: &str = "The JSON document exceeds the maximum depth.";

/// Reads a JSON text, which ends where it has a NUL, as it does for MySQL.
pub fn parse(text: &str) -> Result<JsonValue, JsonTextError> {
    let text = text.split('\0').next().unwrap_or_default();
    let mut parser = Parser { text, at: 0 };
    parser.skip_space();
    if parser.peek().is_none() {
        return Err(parser.error("The document is empty."));
    }
    let value = parser.value(1)?;
    parser.skip_space();
    if parser.peek().is_some() {
        let message = "The document root must not be followed by other values.";
        return Err(parser.error(message));
    }
    Ok(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    const fn error(&self, message: &'static str) -> JsonTextError {
        let offset = self.at;
        JsonTextError { offset, message }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<JsonValue, JsonTextError> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(JsonValue::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<JsonValue, JsonTextError> {
        let rest = self.text.get(self.at..).unwrap_or("");
        for (word, value) in [
            ("null", JsonValue::Null),
            ("true", JsonValue::Bool(true)),
            ("false", JsonValue::Bool(false)),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
            let same = rest.bytes().zip(word.bytes());
            let same = same.take_while(|(found, wanted)| found == wanted).count();
            if same > 0 {
                self.at += same;
                return Err(self.error("Invalid value."));
            }
        }
        Err(self.error("Invalid value."))
    }

    fn deeper(&self, depth: usize) -> Result<usize, JsonTextError> {
        if depth > DEPTH_MAX {
            return Err(self.error(TOO_DEEP));
        }
        Ok(depth + 1)
    }

    fn array(&mut self, depth: usize) -> Result<JsonValue, JsonTextError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        let mut items = Vec::new();
        self.skip_space();
        if self.eat(b']') {
            return Ok(JsonValue::Array(items));
        }
        loop {
            self.skip_space();
            items.push(self.value(depth)?);
            self.skip_space();
            if self.eat(b']') {
                return Ok(JsonValue::Array(items));
            }
            if !self.eat(b',') {
                return Err(self.error("Missing a comma or ']' after an array element."));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<JsonValue, JsonTextError> {
        let depth = self.deeper(depth)?;
        self.at += 1;
        let mut members = Vec::new();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(JsonValue::object(members));
        }
        loop {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return Err(self.error("Missing a name for object member."));
            }
            let key = self.string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.error("Missing a colon after a name of object member."));
            }
            self.skip_space();
            members.push((key, self.value(depth)?));
            self.skip_space();
            if self.eat(b'}') {
                return Ok(JsonValue::object(members));
            }
            if !self.eat(b',') {
                return Err(self.error("Missing a comma or '}' after an object member."));
            }
        }
    }

    fn string(&mut self) -> Result<String, JsonTextError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or("");
            let plain = rest.find(|c: char| c == '"' || c == '\\' || c < ' ');
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.error("Missing a closing quotation mark in string."));
            };
            text.push_str(rest.get(..plain).unwrap_or(""));
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.error("Invalid encoding in string.")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonTextError> {
        let start = self.at;
        self.at += 1;
        let code = self.peek();
        self.at += 1;
        Ok(match code {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(start),
            _ => {
                self.at = start;
                return Err(self.error("Invalid escape character in string."));
            }
        })
    }

    /// What follows `\u`, with the second half of a surrogate pair if there is one.
    fn unicode(&mut self, start: usize) -> Result<char, JsonTextError> {
        let first = self.hex(start)?;
        let mut code = first;
        if (0xd800..0xdc00).contains(&first) {
            let has_second = self.eat(b'\\') && self.eat(b'u');
            let second = if has_second { self.hex(start)? } else { 0 };
            if !(0xdc00..0xe000).contains(&second) {
                self.at = start;
                return Err(self.error("The surrogate pair in string is invalid."));
            }
            code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        }
        char::from_u32(code).ok_or_else(|| {
            self.at = start;
            self.error("The surrogate pair in string is invalid.")
        })
    }

    fn hex(&mut self, start: usize) -> Result<u32, JsonTextError> {
        let digits = self.text.get(self.at..self.at.saturating_add(4));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Ok(code)
            }
            None => {
                self.at = start;
                Err(self.error("Incorrect hex digit after \\u escape in string."))
            }
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<JsonValue, JsonTextError> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') && self.digits() == 0 {
            return Err(self.error("Invalid value."));
        }
        let mut is_whole = true;
        let mut fraction = 0;
        if self.eat(b'.') {
            is_whole = false;
            fraction = self.digits();
            if fraction == 0 {
                return Err(self.error("Miss fraction part in number."));
            }
        }
        if self.eat(b'e') || self.eat(b'E') {
            is_whole = false;
            let is_negative = !self.eat(b'+') && self.eat(b'-');
            let digits = self.at;
            if self.digits() == 0 {
                return Err(self.error("Miss exponent in number."));
            }
            // MySQL refuses these even of zero.
            let exponent = self.text.get(digits..self.at).unwrap_or("");
            let exponent = exponent.parse().unwrap_or(usize::MAX);
            if !is_negative && exponent > EXPONENT_MAX.saturating_add(fraction) {
                self.at = start;
                return Err(self.error("Number too big to be stored in double."));
            }
        }
        let text = self.text.get(start..self.at).unwrap_or("");
        if is_whole {
            if let Ok(number) = text.parse() {
                return Ok(JsonValue::Int(number));
            }
            if let Ok(number) = text.parse() {
                return Ok(JsonValue::UInt(number));
            }
        }
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(JsonValue::Double(number)),
            _ => {
                self.at = start;
                Err(self.error("Number too big to be stored in double."))
            }
        }
    }
}
