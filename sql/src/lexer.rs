//! MySQL's tokens.
//!
//! Reads one statement of a text that may hold several, and stops behind its semicolon. Version
//! comments are entered when our version is high enough, every other comment is a blank. Strings
//! come out unescaped and as bytes: a client may send what is not UTF-8. The lexer never fails:
//! what it cannot read becomes [`Kind::Bad`], so that the parser decides where the error is.
//!
//! Spec: mysql-server 8.4, sql/sql_lex.cc, `lex_one_token`.

mod measure;
mod number;
mod statement;

use std::borrow::Cow;
use std::ops::Range;

use super::{NameCharacters, ParseOptions, SqlMode};
pub use measure::Size;
pub(super) use measure::measure;
pub(super) use statement::{Lexed, tokens};

/// What a token is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind<'a> {
    /// An unquoted word: keyword or identifier.
    Word(&'a str),
    /// A quoted identifier.
    Quoted(Cow<'a, str>),
    /// A string literal, unescaped.
    String(Cow<'a, [u8]>),
    /// Digits only.
    Integer(&'a str),
    /// Digits with a point.
    Decimal(&'a str),
    /// With an exponent.
    Float(&'a str),
    /// x'..' or 0x..: the digits, an even number of them.
    Hex(Cow<'a, str>),
    /// b'..' or 0b..: the digits.
    Bit(&'a str),
    /// `@name`.
    UserVariable(Cow<'a, str>),
    /// `@@[scope.]name`.
    SystemVariable {
        /// As written, without the point.
        scope: Option<&'a str>,
        /// As written; may hold a point (`key_cache.key_buffer_size`).
        name: Cow<'a, str>,
    },
    /// `?`, counted from 0.
    Parameter(usize),
    /// Punctuation and operators.
    Symbol(&'static str),
    /// Something no token begins with, or a literal without end.
    Bad,
    /// The end of the statement.
    End,
}

/// A token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: Kind<'a>,
    /// Offset of its first byte in the text.
    pub(super) start: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
}

/// U+00A0.
const NO_BREAK_SPACE: &[u8] = b"\xc2\xa0";

/// Longest first, so that the first match is the token.
const SYMBOLS: [&str; 34] = [
    "<=>", "->>", ":=", "->", "<=", ">=", "<>", "!=", "<<", ">>", "&&", "||", "(", ")", ",", ".",
    "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~", "!", "@", "{", "}", ";", ":",
];

/// Where the executable comments in the first statement of `text` are that are not for this server:
/// of a later version, or MariaDB's. Behind `/*`, up to the last byte in front of `*/`.
pub(super) fn comments_passed_over(text: &[u8], options: &ParseOptions) -> Vec<Range<usize>> {
    let is_mark = |bytes: &[u8]| bytes == b"/*!" || bytes == b"*M!";
    if !text.windows(3).any(is_mark) {
        return Vec::new();
    }
    let mut lexer = Lexer::new(text, options);
    while lexer.token().kind != Kind::End {}
    lexer.passed_over
}

/// Whether the first statement of `text` has a token at all.
pub(super) fn has_token(text: &[u8], options: &ParseOptions) -> bool {
    Lexer::new(text, options).token().kind != Kind::End
}

/// Whether some statement of `text` has a token.
pub(super) fn has_statement(text: &[u8], options: &ParseOptions) -> bool {
    let mut lexer = Lexer::new(text, options);
    while lexer.at < text.len() {
        if lexer.token().kind != Kind::End {
            return true;
        }
    }
    false
}

/// A place between two tokens.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    at: usize,
    in_version_comment: bool,
    parameters: usize,
    after_word: bool,
}

/// Reads a text token by token.
#[derive(Debug)]
pub(super) struct Lexer<'a, 'o> {
    text: &'a [u8],
    /// Where the NULs begin that end the text.
    nuls: usize,
    at: usize,
    options: &'o ParseOptions,
    in_version_comment: bool,
    parameters: usize,
    /// The last token ended in a name right before `at`, so that `.` qualifies it.
    after_word: bool,
    /// The insides of executable comments that were not entered.
    passed_over: Vec<Range<usize>>,
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl<'a, 'o> Lexer<'a, 'o> {
    fn new(text: &'a [u8], options: &'o ParseOptions) -> Self {
        let nuls = text.iter().rev().take_while(|byte| **byte == 0).count();
        Self {
            text,
            nuls: text.len() - nuls,
            at: 0,
            options,
            in_version_comment: false,
            parameters: 0,
            after_word: false,
            passed_over: Vec::new(),
        }
    }

    /// A lexer that goes on at a place of the text.
    pub(super) fn at(text: &'a [u8], options: &'o ParseOptions, mark: Mark) -> Self {
        let mut lexer = Self::new(text, options);
        lexer.go_to(mark);
        lexer
    }

    /// The place in front of the next token.
    const fn mark(&self) -> Mark {
        Mark {
            at: self.at,
            in_version_comment: self.in_version_comment,
            parameters: self.parameters,
            after_word: self.after_word,
        }
    }

    const fn go_to(&mut self, mark: Mark) {
        self.at = mark.at;
        self.in_version_comment = mark.in_version_comment;
        self.parameters = mark.parameters;
        self.after_word = mark.after_word;
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn text_between(&self, start: usize, end: usize) -> Option<&'a str> {
        std::str::from_utf8(self.text.get(start..end)?).ok()
    }

    /// The next token.
    pub(super) fn token(&mut self) -> Token<'a> {
        let before = self.at;
        self.skip_blanks();
        let after_word = self.after_word && self.at == before;
        self.after_word = false;
        let start = self.at;
        if self.at >= self.text.len() {
            return Token {
                kind: Kind::End,
                start,
                end: self.at,
            };
        }
        let kind = self.kind(after_word);
        if kind == Kind::Symbol(";") {
            return Token {
                kind: Kind::End,
                start,
                end: self.at,
            };
        }
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    fn skip_blanks(&mut self) {
        while self.at < self.text.len() {
            match self.peek(0) {
                byte if byte.is_ascii_whitespace() || byte == 0x0b => self.at += 1,
                _ if self.is_wide_blank() => self.at += NO_BREAK_SPACE.len(),
                // mysqlslap ends its statements with a NUL.
                0 if self.at >= self.nuls => self.at = self.text.len(),
                b'#' => self.skip_line(),
                b'-' if self.peek(1) == b'-'
                    && (self.at + 2 >= self.text.len()
                        || self.peek(2) <= b' '
                        || self.is_wide_blank_at(2)) =>
                {
                    self.skip_line();
                }
                b'*' if self.in_version_comment && self.peek(1) == b'/' => {
                    self.in_version_comment = false;
                    self.at += 2;
                }
                b'/' if self.peek(1) == b'*' => self.comment(),
                _ => return,
            }
        }
    }

    /// Whether a blank beyond ASCII stands here: latin1 has one.
    fn is_wide_blank(&self) -> bool {
        self.is_wide_blank_at(0)
    }

    fn is_wide_blank_at(&self, ahead: usize) -> bool {
        let rest = self.rest().get(ahead..).unwrap_or_default();
        self.options.names == NameCharacters::Latin1 && rest.starts_with(NO_BREAK_SPACE)
    }

    fn skip_line(&mut self) {
        let line = self.rest().iter().position(|byte| *byte == b'\n');
        self.at = line.map_or(self.text.len(), |length| self.at + length + 1);
    }

    /// `/* */`, `/*! */`, `/*!80013 */`, `/*M! */`, `/*+ */`.
    fn comment(&mut self) {
        if self.peek(2) == b'!' && !self.in_version_comment {
            let digits = self
                .rest()
                .iter()
                .skip(3)
                .take(6)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let digits = if digits < 5 { 0 } else { digits };
            let version = self.text_between(self.at + 3, self.at + 3 + digits);
            let version = version
                .and_then(|digits| digits.parse::<u32>().ok())
                .unwrap_or(0);
            if version <= self.options.version {
                self.in_version_comment = true;
                self.at += 3 + digits;
                return;
            }
            let start = self.at + 2;
            self.skip_nested_comment();
            self.pass_over(start);
            return;
        }
        let start = self.at + 2;
        let is_mariadb = self.rest().starts_with(b"/*M!");
        self.skip_comment();
        if is_mariadb {
            self.pass_over(start);
        }
    }

    /// Takes note of the comment that ends here.
    fn pass_over(&mut self, start: usize) {
        let is_whole = self
            .text
            .get(..self.at)
            .is_some_and(|text| text.ends_with(b"*/"));
        let end = if is_whole {
            self.at.saturating_sub(2)
        } else {
            self.at
        };
        self.passed_over.push(start..end);
    }

    /// A version comment that is not for us may hold plain comments.
    fn skip_nested_comment(&mut self) {
        self.at += 3;
        while self.at < self.text.len() {
            if self.rest().starts_with(b"*/") {
                self.at += 2;
                return;
            }
            // Whatever kind of comment stands inside: there is one level of them.
            if self.rest().starts_with(b"/*") {
                self.skip_comment();
            } else {
                self.at += 1;
            }
        }
    }

    /// To behind the next `*/`.
    fn skip_comment(&mut self) {
        let end = self
            .rest()
            .windows(2)
            .skip(2)
            .position(|pair| pair == b"*/");
        self.at = end.map_or(self.text.len(), |length| self.at + length + 4);
    }

    fn kind(&mut self, after_word: bool) -> Kind<'a> {
        let ansi_quotes = self.options.sql_mode.contains(SqlMode::ANSI_QUOTES);
        match self.peek(0) {
            b'\'' => self.string(),
            b'"' if ansi_quotes => self.quoted_identifier(b'"'),
            b'"' => self.string(),
            b'`' => self.quoted_identifier(b'`'),
            b'@' => self.variable(),
            b'?' => {
                self.at += 1;
                self.parameters += 1;
                Kind::Parameter(self.parameters - 1)
            }
            b'.' if !after_word && self.peek(1).is_ascii_digit() => self.number(),
            b'x' | b'X' if self.peek(1) == b'\'' => self.quoted_hex(),
            b'b' | b'B' if self.peek(1) == b'\'' => self.quoted_bits(),
            b'n' | b'N' if self.peek(1) == b'\'' => {
                self.at += 1;
                self.string()
            }
            byte if byte.is_ascii_digit() => self.number_or_word(),
            byte if is_word_byte(byte) => self.word(),
            _ => self.symbol(after_word),
        }
    }

    fn word(&mut self) -> Kind<'a> {
        let start = self.at;
        while self.at < self.text.len() && is_word_byte(self.peek(0)) && !self.is_wide_blank() {
            self.at += 1;
        }
        self.after_word = true;
        self.text_between(start, self.at)
            .filter(|word| self.options.names.admits(word))
            .map_or(Kind::Bad, Kind::Word)
    }

    fn symbol(&mut self, after_word: bool) -> Kind<'a> {
        let rest = self.rest();
        let Some(symbol) = SYMBOLS
            .iter()
            .find(|symbol| rest.starts_with(symbol.as_bytes()))
        else {
            self.at += 1;
            return Kind::Bad;
        };
        self.at += symbol.len();
        // `t.1a` and `t.select` are names behind the point.
        if *symbol == "." && after_word && is_word_byte(self.peek(0)) {
            self.after_word = true;
        }
        Kind::Symbol(symbol)
    }

    fn string(&mut self) -> Kind<'a> {
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

    fn quoted_identifier(&mut self, quote: u8) -> Kind<'a> {
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

    fn variable(&mut self) -> Kind<'a> {
        if self.peek(1) == b'@' {
            self.at += 2;
            return self.system_variable();
        }
        match self.peek(1) {
            b'\'' | b'"' | b'`' => {
                self.at += 1;
                let quoted = if self.peek(0) == b'`' {
                    self.quoted_identifier(b'`')
                } else {
                    self.string()
                };
                self.after_word = false;
                match quoted {
                    Kind::Quoted(name) => Kind::UserVariable(name),
                    Kind::String(Cow::Borrowed(name)) => std::str::from_utf8(name)
                        .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Borrowed(name))),
                    Kind::String(Cow::Owned(name)) => String::from_utf8(name)
                        .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Owned(name))),
                    _ => Kind::Bad,
                }
            }
            byte if is_word_byte(byte) || byte == b'.' => {
                let start = self.at + 1;
                self.at = start;
                while is_word_byte(self.peek(0)) || self.peek(0) == b'.' {
                    self.at += 1;
                }
                self.text_between(start, self.at)
                    .map_or(Kind::Bad, |name| Kind::UserVariable(Cow::Borrowed(name)))
            }
            _ => {
                self.at += 1;
                Kind::Symbol("@")
            }
        }
    }

    fn system_variable(&mut self) -> Kind<'a> {
        let Some(first) = self.variable_word() else {
            return Kind::Bad;
        };
        if self.peek(0) != b'.' {
            return Kind::SystemVariable {
                scope: None,
                name: first,
            };
        }
        let scope = match &first {
            Cow::Borrowed(word) if is_scope(word) => Some(*word),
            _ => None,
        };
        self.at += 1;
        let Some(second) = self.variable_word() else {
            return Kind::Bad;
        };
        let Some(scope) = scope else {
            return Kind::SystemVariable {
                scope: None,
                name: Cow::Owned(format!("{first}.{second}")),
            };
        };
        if self.peek(0) != b'.' {
            return Kind::SystemVariable {
                scope: Some(scope),
                name: second,
            };
        }
        self.at += 1;
        let Some(third) = self.variable_word() else {
            return Kind::Bad;
        };
        Kind::SystemVariable {
            scope: Some(scope),
            name: Cow::Owned(format!("{second}.{third}")),
        }
    }

    fn variable_word(&mut self) -> Option<Cow<'a, str>> {
        if self.peek(0) == b'`' {
            return match self.quoted_identifier(b'`') {
                Kind::Quoted(name) => Some(name),
                _ => None,
            };
        }
        if !is_word_byte(self.peek(0)) {
            return None;
        }
        let word = self.word();
        self.after_word = false;
        match word {
            Kind::Word(word) => Some(Cow::Borrowed(word)),
            _ => None,
        }
    }
}

fn is_scope(word: &str) -> bool {
    ["global", "session", "local", "persist", "persist_only"]
        .iter()
        .any(|scope| word.eq_ignore_ascii_case(scope))
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

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Kind<'_>> {
        kinds_in(text, SqlMode::DEFAULT)
    }

    fn kinds_in(text: &str, sql_mode: SqlMode) -> Vec<Kind<'_>> {
        let options = ParseOptions {
            sql_mode,
            ..ParseOptions::default()
        };
        let mut kinds: Vec<_> = tokens(text.as_bytes(), &options)
            .unwrap()
            .tokens
            .into_iter()
            .map(|token| token.kind)
            .collect();
        assert_eq!(kinds.pop(), Some(Kind::End));
        kinds
    }

    fn string(text: &str) -> Kind<'_> {
        Kind::String(Cow::Borrowed(text.as_bytes()))
    }

    #[test]
    fn reads_names_and_numbers() {
        use Kind::{Decimal, Float, Integer, Symbol, Word};
        assert_eq!(
            kinds("1 1.5 .5 1e3 1E-2"),
            [
                Integer("1"),
                Decimal("1.5"),
                Decimal(".5"),
                Float("1e3"),
                Float("1E-2")
            ]
        );
        assert_eq!(
            kinds("t1.1a 2b $$"),
            [Word("t1"), Symbol("."), Word("1a"), Word("2b"), Word("$$")]
        );
        assert_eq!(
            kinds("0xAbc 0b01 x'0f' b'1'"),
            [
                Kind::Hex("0Abc".into()),
                Kind::Bit("01"),
                Kind::Hex("0f".into()),
                Kind::Bit("1")
            ]
        );
    }

    #[test]
    fn unescapes_strings_by_sql_mode() {
        assert_eq!(kinds(r"'a\'b''c\n\%'"), [string("a'b'c\n\\%")]);
        assert_eq!(
            kinds_in(r"'a\n'", SqlMode::NO_BACKSLASH_ESCAPES),
            [string("a\\n")]
        );
        assert_eq!(kinds("\"x\""), [string("x")]);
        assert_eq!(
            kinds_in("\"x\"", SqlMode::ANSI_QUOTES),
            [Kind::Quoted("x".into())]
        );
    }

    #[test]
    fn enters_version_comments_of_its_version_only() {
        use Kind::{Integer, Word};
        assert_eq!(
            kinds("a /*!40101 b */ c"),
            [Word("a"), Word("b"), Word("c")]
        );
        assert_eq!(kinds("a /*!99999 b /* x */ d */ c"), [Word("a"), Word("c")]);
        assert_eq!(
            kinds("a /*!080000 b */ /*M!100100 x */ c"),
            [Word("a"), Word("b"), Word("c")]
        );
        assert_eq!(
            kinds("1 /* x */ -- y\n2 # z\n3 --"),
            [Integer("1"), Integer("2"), Integer("3")]
        );
        assert_eq!(
            kinds("a--1"),
            [
                Word("a"),
                Kind::Symbol("-"),
                Kind::Symbol("-"),
                Integer("1")
            ]
        );
    }

    #[test]
    fn reads_variables_and_parameters() {
        assert_eq!(
            kinds("@a @`b c` @@x @@global.sql_mode ? ?"),
            [
                Kind::UserVariable("a".into()),
                Kind::UserVariable("b c".into()),
                Kind::SystemVariable {
                    scope: None,
                    name: "x".into()
                },
                Kind::SystemVariable {
                    scope: Some("global"),
                    name: "sql_mode".into()
                },
                Kind::Parameter(0),
                Kind::Parameter(1),
            ]
        );
    }

    #[test]
    fn stops_behind_the_first_statement() {
        let text = b"select ';'; select 2";
        let tokens = tokens(text, &ParseOptions::default()).unwrap().tokens;
        assert_eq!(
            tokens.last().map(|token| (token.start, token.end)),
            Some((10, 11))
        );
    }

    #[test]
    fn drops_trailing_nul_bytes() {
        assert_eq!(kinds("a\0\0"), [Kind::Word("a")]);
    }
}
