//! One statement as tokens, but for the rows of INSERT ... VALUES, which may be millions.

use super::{Kind, Lexer, Mark, Token};
use crate::ParseOptions;
use crate::depth::{PARENTHESES_MAX, TOKENS_MAX, too_deep, too_long};
use crate::error::SqlError;

/// Room that is made at once.
const TOKENS_AT_FIRST: usize = 1024;

/// The first statement of a text.
#[derive(Debug)]
pub(crate) struct Lexed<'a> {
    /// Its tokens; the last is [`Kind::End`]. Behind it the text has more statements if its `end` is
    /// not the length of the text.
    pub(crate) tokens: Vec<Token<'a>>,
    /// Where the rows of INSERT ... VALUES begin, which are not among the tokens: `(NULL)` stands for
    /// them.
    pub(crate) rows: Option<Mark>,
    /// How many parameters it has.
    pub(crate) parameters: usize,
}

/// Reads the first statement of `text`.
///
/// # Errors
/// When there are more tokens than a statement may have, or parentheses inside of others.
pub(crate) fn tokens<'a>(text: &'a [u8], options: &ParseOptions) -> Result<Lexed<'a>, SqlError> {
    let mut lexer = Lexer::new(text, options);
    let mut tokens = Vec::with_capacity((text.len() / 5 + 4).min(TOKENS_AT_FIRST));
    let mut depth = Depth::default();
    let mut watch = SevenBits::new(options);
    let mut rows = None;
    let mut values = ValuesWatch::default();
    loop {
        let before = lexer.mark();
        let token = lexer.token();
        depth.take(&token.kind)?;
        watch.take(&token.kind)?;
        if rows.is_none() && values.begins_rows(&token.kind, depth.open) {
            rows = Some(before);
            skip_rows(&mut lexer, token, &mut tokens, watch)?;
            depth = Depth::default();
            continue;
        }
        let last = token.kind == Kind::End;
        tokens.push(token);
        if last {
            return Ok(Lexed {
                tokens,
                rows,
                parameters: lexer.parameters,
            });
        }
        if tokens.len() > TOKENS_MAX {
            return Err(too_long());
        }
    }
}

/// Moves behind the rows whose first parenthesis was read, and puts `(NULL)` in their place.
fn skip_rows<'a>(
    lexer: &mut Lexer<'a, '_>,
    open: Token<'a>,
    tokens: &mut Vec<Token<'a>>,
    mut watch: SevenBits,
) -> Result<(), SqlError> {
    let (start, end) = (open.start, open.end);
    let null = Token {
        kind: Kind::Word("NULL"),
        start,
        end,
    };
    tokens.extend([open, null]);
    let mut depth = Depth { open: 1 };
    loop {
        let token = lexer.token();
        depth.take(&token.kind)?;
        watch.take(&token.kind)?;
        if token.kind == Kind::End {
            lexer.at = token.start;
            return Ok(());
        }
        if depth.open > 0 || token.kind != Kind::Symbol(")") {
            continue;
        }
        let before = lexer.mark();
        if lexer.token().kind == Kind::Symbol(",") {
            continue;
        }
        lexer.go_to(before);
        tokens.push(token);
        return Ok(());
    }
}

/// Refuses bytes beyond ASCII where the client's character set has no meaning for them.
// Differs from MySQL: it warns, keeps the bytes of a string as they are until it stores them as `??`,
// and makes a name of question marks. Here neither comes about.
#[derive(Debug, Clone, Copy)]
struct SevenBits {
    is_on: bool,
    /// The string that may follow says itself what its bytes mean.
    is_introduced: bool,
}

impl SevenBits {
    const fn new(options: &ParseOptions) -> Self {
        Self {
            is_on: options.is_seven_bit,
            is_introduced: false,
        }
    }

    fn take(&mut self, kind: &Kind<'_>) -> Result<(), SqlError> {
        if !self.is_on {
            return Ok(());
        }
        let bytes = match kind {
            Kind::String(_) if self.is_introduced => return Ok(()),
            Kind::String(bytes) => &bytes[..],
            Kind::Quoted(name) | Kind::UserVariable(name) => name.as_bytes(),
            _ => &[],
        };
        self.is_introduced = matches!(kind, Kind::Word(word) if word.starts_with('_'));
        match bytes.iter().position(|byte| !byte.is_ascii()) {
            Some(at) => Err(SqlError::invalid_ascii(bytes.get(at..).unwrap_or_default())),
            None => Ok(()),
        }
    }
}

/// How many parentheses are open.
#[derive(Debug, Default)]
struct Depth {
    open: usize,
}

impl Depth {
    fn take(&mut self, kind: &Kind<'_>) -> Result<(), SqlError> {
        match kind {
            Kind::Symbol("(") => self.open += 1,
            Kind::Symbol(")") => self.open = self.open.saturating_sub(1),
            _ => {}
        }
        match self.open > PARENTHESES_MAX {
            true => Err(too_deep()),
            false => Ok(()),
        }
    }
}

/// Notices the first row of INSERT ... VALUES.
#[derive(Debug, Default)]
pub(super) enum ValuesWatch {
    #[default]
    AtStart,
    /// Whether a name may come next, so that VALUE is one.
    InHead { expects_name: bool },
    /// VALUES was read.
    AtValues,
    /// It is another statement, or one without such rows.
    Elsewhere,
}

impl ValuesWatch {
    /// Takes the next token; whether it is the parenthesis before the first value.
    pub(super) fn begins_rows(&mut self, kind: &Kind<'_>, open: usize) -> bool {
        let is = |words: &[&str]| matches!(kind, Kind::Word(word) if words.iter().any(|known| word.eq_ignore_ascii_case(known)));
        let next = match self {
            Self::AtStart if is(&["INSERT", "REPLACE"]) => Self::InHead { expects_name: true },
            Self::AtStart | Self::Elsewhere => Self::Elsewhere,
            Self::AtValues => {
                *self = Self::Elsewhere;
                return *kind == Kind::Symbol("(");
            }
            Self::InHead { .. } if open > 0 => Self::InHead {
                expects_name: false,
            },
            Self::InHead { .. } if is(&["VALUES"]) => Self::AtValues,
            Self::InHead {
                expects_name: false,
            } if is(&["VALUE"]) => Self::AtValues,
            Self::InHead { .. } if is(&["SELECT", "SET", "WITH", "TABLE", "ON", "AS"]) => {
                Self::Elsewhere
            }
            Self::InHead { .. } => Self::InHead {
                expects_name: *kind == Kind::Symbol(".")
                    || is(&["INTO", "IGNORE", "LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY"]),
            },
        };
        *self = next;
        false
    }
}
