//! MySQL's SQL: text in, statement tree out.
//!
//! The lexer knows `sql_mode`, version comments and MySQL's literals. A recursive-descent parser of
//! our own reads every statement except SELECT, INSERT, REPLACE, UPDATE and DELETE, whose tokens are
//! handed to `sqlparser` after normalisation. Nothing here looks at a catalogue or a session: names
//! are as written, features are not judged.

mod access;
pub mod ast;
mod bridge;
mod condition;
mod cursor;
mod depth;
mod dialect;
pub mod error;
mod hint;
mod lexer;
mod mode;
pub mod outline;
mod parser;
mod reserved;
pub mod script;
#[cfg(test)]
mod tests;
mod version;

pub use access::{Access, Right};
pub use ast::{Parsed, Statement};
pub use bridge::ILL_FORMED;
pub use condition::{ShowCell, holds_table_names, like};
use cursor::{Cursor, Failure};
pub use depth::{THREAD_STACK, with_stack};
use error::SqlError;
pub use lexer::Size;
pub use mode::{SqlMode, UnknownMode};
pub use reserved::is_reserved as is_reserved_word;
pub use version::version_number;

/// The bytes of a bit literal's digits, the first byte filled up with zeros; `None` if one is no digit.
#[must_use]
pub fn bytes_of_bits(digits: &str) -> Option<Vec<u8>> {
    let bits: Option<Vec<u8>> = digits
        .bytes()
        .map(|digit| match digit {
            b'0' => Some(0),
            b'1' => Some(1),
            _ => None,
        })
        .collect();
    let bytes = bits?
        .rchunks(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit))
        .rev()
        .collect();
    Some(bytes)
}

/// How a text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// The session's `sql_mode`.
    pub sql_mode: SqlMode,
    /// Version comments up to this number are entered: 80400 for 8.4.0.
    pub version: u32,
    /// Which characters beyond ASCII names without quotes have.
    pub names: NameCharacters,
    /// Whether bytes beyond ASCII mean nothing in strings and quoted names: error 1300, but behind an
    /// introducer.
    pub is_seven_bit: bool,
    /// Whether the text comes from a log, whose server took it: words are reserved as in its version.
    pub is_logged: bool,
}

/// The characters beyond ASCII that a name without quotes may have: a matter of the client's character
/// set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NameCharacters {
    /// All: the character set has several bytes for them.
    #[default]
    Any,
    /// The letters of latin1, whose no-break space is a blank.
    Latin1,
    /// None: the character set has only ASCII or no characters at all.
    Ascii,
}

impl NameCharacters {
    /// Whether a name may be spelled so.
    fn admits(self, name: &str) -> bool {
        match self {
            NameCharacters::Any => true,
            NameCharacters::Latin1 => name.chars().all(is_latin1_letter),
            NameCharacters::Ascii => name.is_ascii(),
        }
    }
}

/// Whether latin1, which is cp1252 here, counts a character among the letters. Those of ASCII were seen
/// to before.
const fn is_latin1_letter(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{7f}'
            | 'À'..='Ö'
            | 'Ø'..='ö'
            | 'ø'..='ÿ'
            | 'ƒ'
            | 'Š'
            | 'š'
            | 'Œ'
            | 'œ'
            | 'Ž'
            | 'ž'
            | 'Ÿ'
    )
}

impl Default for ParseOptions {
    fn default() -> Self {
        ParseOptions {
            sql_mode: SqlMode::DEFAULT,
            version: 80_400,
            names: NameCharacters::Any,
            is_seven_bit: false,
            is_logged: false,
        }
    }
}

/// The bytes of hexadecimal digits; an odd one begins with a zero.
#[must_use]
pub fn bytes_of_hex(digits: &str) -> Vec<u8> {
    match digits.len() % 2 {
        0 => parser::hex_bytes(digits),
        _ => parser::hex_bytes(&format!("0{digits}")),
    }
}

/// Parses a text that holds one statement.
///
/// # Errors
/// 1064 for text that is no statement, as for a second statement behind it.
pub fn parse(text: &[u8], options: &ParseOptions) -> Result<Parsed, SqlError> {
    let (parsed, consumed) = parse_first(text, options)?;
    let rest = text.get(consumed..).unwrap_or_default();
    if lexer::has_token(rest, options) {
        Err(syntax_error(text, consumed))
    } else {
        Ok(parsed)
    }
}

/// Parses the first of several statements; returns it with the number of bytes it took, semicolon
/// and following blanks included. The rest is to be parsed when this one was executed: it may change
/// `sql_mode`.
///
/// # Errors
/// 1064 for text that is no statement.
pub fn parse_first(text: &[u8], options: &ParseOptions) -> Result<(Parsed, usize), SqlError> {
    let lexed = lexer::tokens(text, options)?;
    depth::check_tokens(&lexed.tokens)?;
    // What rows hold is not known yet.
    let size = match lexed.rows {
        Some(_) => lexed.tokens.last().map_or(0, |token| token.start),
        None => lexed.tokens.len(),
    };
    depth::with_parsing_stack(size, || parse_tokens(text, lexed, options))
}

/// How large the first statement of a text is, before anything of it is kept: it takes as long as the
/// text has words.
#[must_use]
pub fn measure(text: &[u8], options: &ParseOptions) -> Size {
    lexer::measure(text, options)
}

fn parse_tokens(
    text: &[u8],
    lexed: lexer::Lexed<'_>,
    options: &ParseOptions,
) -> Result<(Parsed, usize), SqlError> {
    let lexer::Lexed {
        tokens,
        rows,
        parameters,
    } = lexed;
    let words = tokens.len();
    let max_execution_time = hint::max_execution_time(text, &tokens);
    let end = tokens.last().map_or(text.len(), |token| token.start);
    let consumed = tokens.last().map_or(text.len(), |token| token.end);
    let mut cursor = Cursor {
        text,
        tokens,
        at: 0,
        rows,
        indent: text.len() - text.trim_ascii_start().len(),
        options: *options,
        is_conditional: false,
    };
    let (statement, consumed) = match cursor.statement() {
        Ok(mut statement) => {
            depth::balance(&mut statement);
            statement.check_limits()?;
            (statement, consumed)
        }
        // A refused statement may have a body with semicolons in it.
        Err(Failure::NotSupported(construct)) => {
            let body = ["TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"];
            let whole = body
                .iter()
                .any(|kind| construct == format!("CREATE {kind}"));
            (
                Statement::NotSupported {
                    construct,
                    object: None,
                },
                if whole { text.len() } else { consumed },
            )
        }
        Err(Failure::Object(object)) => {
            let consumed = if object.has_body {
                text.len()
            } else {
                consumed
            };
            let construct = object.construct.to_owned();
            let object = Some(object);
            (Statement::NotSupported { construct, object }, consumed)
        }
        Err(Failure::Syntax(offset)) => return Err(syntax_error(text, offset)),
        Err(Failure::Sql(error)) => return Err(error),
    };
    let blanks = text.get(consumed..).unwrap_or_default();
    let blanks = blanks
        .iter()
        .take_while(|byte| byte.is_ascii_whitespace())
        .count();
    let own = text.get(..end).unwrap_or_default();
    let own = own.trim_ascii();
    let own = own
        .strip_suffix(b"\0")
        .map_or(own, |_| own.trim_ascii_end());
    let nuls = own.iter().rev().take_while(|byte| **byte == 0).count();
    let mut own = own
        .get(..own.len().saturating_sub(nuls))
        .unwrap_or_default()
        .to_vec();
    let indent = cursor.indent;
    let read = text.get(..consumed).unwrap_or(text);
    for comment in lexer::comments_passed_over(read, options) {
        let inside = comment.start.saturating_sub(indent)..comment.end.saturating_sub(indent);
        if let Some(inside) = own.get_mut(inside) {
            make_plain(inside);
        }
    }
    Ok((
        Parsed {
            max_execution_time,
            statement,
            text: own,
            parameters,
            words,
            sql_mode: options.sql_mode,
        },
        consumed + blanks,
    ))
}

/// Makes a plain comment of the inside of one that was passed over: whoever reads the text later, a
/// replica of a newer version for one, must pass over it too. MySQL blanks the mark likewise.
fn make_plain(inside: &mut [u8]) {
    if let Some(mark) = inside.iter_mut().take(2).find(|byte| **byte == b'!') {
        *mark = b' ';
    }
    let mut at = 0_usize;
    while let Some(pair) = inside.get_mut(at..at.saturating_add(2)) {
        // A plain comment ends with the first end of a comment.
        if pair == b"/*" || pair == b"*/" {
            pair.fill(b' ');
        }
        at = at.saturating_add(1);
    }
}

/// Whether `text` holds a statement, not only blanks, comments and semicolons.
#[must_use]
pub fn has_statement(text: &[u8], options: &ParseOptions) -> bool {
    lexer::has_statement(text, options)
}

/// MySQL shows at most 80 characters from the token that did not fit.
fn syntax_error(text: &[u8], offset: usize) -> SqlError {
    const SHOWN: usize = 80;
    let near = String::from_utf8_lossy(text.get(offset..).unwrap_or_default());
    let near: String = near.trim_end_matches('\0').chars().take(SHOWN).collect();
    let before = text.get(..offset).unwrap_or_default();
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    SqlError::parse(near, line)
}
