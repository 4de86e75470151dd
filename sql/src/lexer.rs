//! MySQL's tokens.
//!
//! Reads one statement of a text that may hold several, and stops behind its semicolon. Version
//! comments are entered when our version is high enough, every other comment is a blank. Strings
//! come out unescaped and as bytes: a client may send what is not UTF-8. The lexer never fails:
//! what it cannot read becomes [`Kind::Bad`], so that the parser decides where the error is.
//!
//! Spec: mysql-server 8.4, sql/sql_lex.cc, `lex_one_token`.

mod token;

mod blank;
mod number;
mod quoted;
mod variable;

mod measure;
mod statement;

use std::ops::Range;

use super::{ParseOptions, SqlMode};
pub use measure::Size;
pub(super) use measure::measure;
pub(super) use statement::{Lexed, tokens};
pub(super) use token::{Kind, Token};

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
}

#[cfg(test)]
mod tests;
