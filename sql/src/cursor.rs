//! The token cursor every part of the parser works on.
//!
//! Small methods only: look, accept, expect. The one decision made here is where an error is
//! reported: at the token that did not fit, as MySQL does.

use std::borrow::Cow;

use super::ast::{AccountName, ObjectStatement, TableName};
use super::lexer::{Kind, Mark, Token};
use super::reserved::{is_function_word, is_introducer, is_reserved, is_reserved_in};
use super::{ParseOptions, SqlMode};
use crate::error::SqlError;

/// Why a statement was not parsed.
#[derive(Debug)]
pub(super) enum Failure {
    /// A token that does not fit, by its offset in the text.
    Syntax(usize),
    /// An error with a number of its own.
    Sql(SqlError),
    /// Recognised, but refused with 1235.
    NotSupported(String),
    /// The same, of a statement about an object that is not built.
    Object(ObjectStatement),
}

impl From<SqlError> for Failure {
    fn from(error: SqlError) -> Self {
        Failure::Sql(error)
    }
}

/// Result of every parsing function.
pub(super) type Parse<T> = Result<T, Failure>;

/// A position in the tokens of one statement.
pub(super) struct Cursor<'a> {
    /// The whole text the tokens were read from.
    pub(super) text: &'a [u8],
    /// Tokens; the last is `End`.
    pub(super) tokens: Vec<Token<'a>>,
    /// Index of the next token.
    pub(super) at: usize,
    /// Where the rows of INSERT ... VALUES begin; among the tokens `(NULL)` stands for them.
    pub(super) rows: Option<Mark>,
    /// How many blanks the text begins with: `Parsed::text` begins behind them.
    pub(super) indent: usize,
    /// How the text is read.
    pub(super) options: ParseOptions,
    /// Whether a clause of MariaDB was read that says IF EXISTS or IF NOT EXISTS.
    pub(super) is_conditional: bool,
}

impl<'a> Cursor<'a> {
    /// The next token.
    pub(super) fn peek(&self) -> &Kind<'a> {
        self.peek_ahead(0)
    }

    /// The token `ahead` places behind the next.
    pub(super) fn peek_ahead(&self, ahead: usize) -> &Kind<'a> {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Kind::End, |token| &token.kind)
    }

    /// Offset of the next token in the text.
    pub(super) fn offset(&self) -> usize {
        self.tokens
            .get(self.at)
            .or(self.tokens.last())
            .map_or(0, |token| token.start)
    }

    /// The text from a token to the last one read, without the marks of comments between them: a
    /// version comment may begin before and end behind.
    pub(super) fn source_since(&self, first: usize) -> String {
        let read = self.tokens.get(first..self.at).unwrap_or_default();
        let mut source = Vec::new();
        let mut end = read.first().map_or(0, |token| token.start);
        for token in read {
            let gap = self.text.get(end..token.start).unwrap_or_default();
            source.extend_from_slice(match gap.contains(&b'*') {
                true => b" ",
                false => gap,
            });
            source.extend_from_slice(self.text.get(token.start..token.end).unwrap_or_default());
            end = token.end;
        }
        String::from_utf8_lossy(&source).into_owned()
    }

    /// Moves on by one token.
    pub(super) fn advance(&mut self) {
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
    }

    /// The error "the next token does not fit".
    pub(super) fn unexpected<T>(&self) -> Parse<T> {
        Err(Failure::Syntax(self.offset()))
    }

    /// Whether the next token is the unquoted word `word`.
    pub(super) fn is_word(&self, word: &str) -> bool {
        self.is_word_ahead(0, word)
    }

    /// Whether the token `ahead` places further is the unquoted word `word`.
    pub(super) fn is_word_ahead(&self, ahead: usize, word: &str) -> bool {
        matches!(self.peek_ahead(ahead), Kind::Word(found) if found.eq_ignore_ascii_case(word))
    }

    /// Whether the next tokens are these words.
    pub(super) fn are_words(&self, words: &[&str]) -> bool {
        words
            .iter()
            .enumerate()
            .all(|(ahead, word)| self.is_word_ahead(ahead, word))
    }

    /// Takes the word if it is next.
    pub(super) fn accept(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the words if they are next.
    pub(super) fn accept_all(&mut self, words: &[&str]) -> bool {
        let found = self.are_words(words);
        if found {
            words.iter().for_each(|_| self.advance());
        }
        found
    }

    /// Takes the first of the words that is next.
    pub(super) fn accept_any(&mut self, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().copied().find(|word| self.is_word(word))?;
        self.advance();
        Some(found)
    }

    /// Takes the word or fails.
    pub(super) fn expect(&mut self, word: &str) -> Parse<()> {
        if self.accept(word) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    /// Takes the first of the words that is next, or fails.
    pub(super) fn expect_any(&mut self, words: &[&'static str]) -> Parse<&'static str> {
        self.accept_any(words).map_or_else(|| self.unexpected(), Ok)
    }

    /// Whether the next token is this punctuation.
    pub(super) fn is_symbol(&self, symbol: &str) -> bool {
        matches!(self.peek(), Kind::Symbol(found) if *found == symbol)
    }

    /// Whether the token so far ahead is this punctuation.
    pub(super) fn is_symbol_ahead(&self, ahead: usize, symbol: &str) -> bool {
        matches!(self.peek_ahead(ahead), Kind::Symbol(found) if *found == symbol)
    }

    /// Takes the punctuation if it is next.
    pub(super) fn accept_symbol(&mut self, symbol: &str) -> bool {
        let found = self.is_symbol(symbol);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the punctuation or fails.
    pub(super) fn expect_symbol(&mut self, symbol: &str) -> Parse<()> {
        if self.accept_symbol(symbol) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    /// Whether nothing follows.
    pub(super) fn is_end(&self) -> bool {
        *self.peek() == Kind::End
    }

    /// Fails unless nothing follows.
    pub(super) fn expect_end(&self) -> Parse<()> {
        if self.is_end() {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    /// A name: a quoted identifier or a word that is not reserved.
    pub(super) fn identifier(&mut self) -> Parse<String> {
        let name = match self.peek() {
            Kind::Word(word)
                if !is_reserved_in(word, &self.options)
                    && !is_introducer(word)
                    && !self.is_call(word) =>
            {
                (*word).to_owned()
            }
            Kind::Quoted(name) => name.clone().into_owned(),
            _ => return self.unexpected(),
        };
        self.advance();
        Ok(name)
    }

    /// Whether the next word is a function and no name: one of a few words with `(` right behind,
    /// or after blanks if sql_mode says so.
    pub(super) fn is_call(&self, word: &str) -> bool {
        let (Some(name), Some(next)) = (self.tokens.get(self.at), self.tokens.get(self.at + 1))
        else {
            return false;
        };
        let is_next = next.start == name.start + word.len();
        let is_next = is_next || self.options.sql_mode.contains(SqlMode::IGNORE_SPACE);
        is_next && self.is_symbol_ahead(1, "(") && is_function_word(word)
    }

    /// Any word, reserved or not, or a quoted identifier.
    pub(super) fn any_word(&mut self) -> Parse<String> {
        let name = match self.peek() {
            Kind::Word(word) => (*word).to_owned(),
            Kind::Quoted(name) => name.clone().into_owned(),
            _ => return self.unexpected(),
        };
        self.advance();
        Ok(name)
    }

    /// A name or a string, as in `CHARACTER SET 'utf8mb4'`; lower-cased.
    pub(super) fn name_or_string(&mut self) -> Parse<String> {
        if matches!(self.peek(), Kind::String(_)) {
            return Ok(self.string()?.to_ascii_lowercase());
        }
        Ok(self.any_word()?.to_ascii_lowercase())
    }

    /// A character set or collation: a name, a string or the word BINARY; lower-cased.
    pub(super) fn charset_name(&mut self) -> Parse<String> {
        match self.peek() {
            Kind::Word(word) if is_reserved(word) && !word.eq_ignore_ascii_case("BINARY") => {
                self.unexpected()
            }
            _ => self.name_or_string(),
        }
    }

    /// `name` or `database.name`.
    pub(super) fn table_name(&mut self) -> Parse<TableName> {
        let first = self.identifier()?;
        if !self.accept_symbol(".") {
            return Ok(TableName {
                database: None,
                name: first,
            });
        }
        Ok(TableName {
            database: Some(first),
            name: self.any_word()?,
        })
    }

    /// Comma-separated items.
    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Parse<T>) -> Parse<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept_symbol(",") {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// Comma-separated items in parentheses.
    pub(super) fn parenthesised<T>(
        &mut self,
        item: impl FnMut(&mut Self) -> Parse<T>,
    ) -> Parse<Vec<T>> {
        self.expect_symbol("(")?;
        let items = self.list(item)?;
        self.expect_symbol(")")?;
        Ok(items)
    }

    /// A string literal as bytes; adjacent literals are one.
    pub(super) fn bytes(&mut self) -> Parse<Vec<u8>> {
        let Kind::String(first) = self.peek() else {
            return self.unexpected();
        };
        let mut bytes = first.clone().into_owned();
        self.advance();
        while let Kind::String(next) = self.peek() {
            bytes.extend_from_slice(next);
            self.advance();
        }
        Ok(bytes)
    }

    /// A string literal that must be UTF-8.
    pub(super) fn string(&mut self) -> Parse<String> {
        let start = self.offset();
        String::from_utf8(self.bytes()?).map_err(|_| Failure::Syntax(start))
    }

    /// An unsigned integer that fits `u64`.
    pub(super) fn integer(&mut self) -> Parse<u64> {
        let value = match self.peek() {
            Kind::Integer(digits) => digits.parse().ok(),
            _ => None,
        };
        match value {
            Some(value) => {
                self.advance();
                Ok(value)
            }
            None => self.unexpected(),
        }
    }

    /// An unsigned integer that fits `u32`.
    pub(super) fn small_integer(&mut self) -> Parse<u32> {
        let start = self.offset();
        u32::try_from(self.integer()?).map_err(|_| Failure::Syntax(start))
    }

    /// `n`, `offset, n` or `n OFFSET offset` behind LIMIT, as (offset, rows).
    pub(super) fn limit(&mut self) -> Parse<Option<(u64, u64)>> {
        if !self.accept("LIMIT") {
            return Ok(None);
        }
        let first = self.integer()?;
        if self.accept_symbol(",") {
            return Ok(Some((first, self.integer()?)));
        }
        let offset = if self.accept("OFFSET") {
            self.integer()?
        } else {
            0
        };
        Ok(Some((offset, first)))
    }

    /// `'user'@'host'`, `user@host`, `user`.
    pub(super) fn account(&mut self) -> Parse<AccountName> {
        let user = match self.peek() {
            Kind::String(_) => self.string()?,
            _ => self.identifier()?,
        };
        check_length(&user, "user name", USER_CHARS_MAX)?;
        let host = match self.peek() {
            Kind::UserVariable(host) => Some(host.clone()),
            Kind::Symbol("@") => {
                self.advance();
                Some(Cow::Owned(self.name_or_string()?))
            }
            _ => None,
        };
        let Some(host) = host else {
            return Ok(AccountName {
                user,
                host: "%".to_owned(),
            });
        };
        if matches!(self.peek(), Kind::UserVariable(_)) {
            self.advance();
        }
        check_length(&host, "host name", HOST_CHARS_MAX)?;
        Ok(AccountName {
            user,
            host: host.to_ascii_lowercase(),
        })
    }

    /// Skips to the end: the rest of a statement that is refused anyway.
    pub(super) fn skip_rest(&mut self) {
        self.at = self.tokens.len().saturating_sub(1);
    }
}

/// Characters of the name of a user (manual, "GRANT Statement").
const USER_CHARS_MAX: usize = 32;
/// Characters of the name of a host.
const HOST_CHARS_MAX: usize = 255;

/// Error 1470 for a part of an account that is too long.
fn check_length(name: &str, kind: &str, most: usize) -> Parse<()> {
    match name.chars().count() > most {
        true => Err(SqlError::wrong_string_length(name, kind, most).into()),
        false => Ok(()),
    }
}
