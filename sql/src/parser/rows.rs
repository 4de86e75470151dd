//! The rows of INSERT ... VALUES: read one value at a time, so that their tokens need no memory.

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token as SpToken, TokenWithSpan};

use crate::ast::{Literal, Rows, TooMany};
use crate::cursor::{Cursor, Failure, Parse};
use crate::depth::{TOKENS_MAX, check_tokens, too_long};
use crate::lexer::{Kind, Lexer, Mark, Token};

impl From<TooMany> for Failure {
    fn from(_: TooMany) -> Self {
        Failure::Sql(too_long())
    }
}

impl Cursor<'_> {
    /// The rows, if the statement has them apart from its tokens.
    pub(super) fn inserted_rows(&mut self) -> Parse<Option<Rows>> {
        let Some(mark) = self.rows.take() else {
            return Ok(None);
        };
        let mut rows = Rows::default();
        RowReader::new(self, mark).read(&mut rows)?;
        rows.shrink();
        Ok(Some(rows))
    }
}

struct RowReader<'a, 'o> {
    lexer: Lexer<'a, 'o>,
    /// The tokens of the value at hand.
    value: Cursor<'a>,
    normalised: Vec<TokenWithSpan>,
    /// Tokens of values that are no literals.
    kept: usize,
}

impl<'a, 'o> RowReader<'a, 'o> {
    fn new(cursor: &'o Cursor<'a>, mark: Mark) -> Self {
        Self {
            lexer: Lexer::at(cursor.text, &cursor.options, mark),
            value: Cursor {
                text: cursor.text,
                tokens: Vec::new(),
                at: 0,
                rows: None,
                indent: cursor.indent,
                options: cursor.options,
                is_conditional: false,
            },
            normalised: Vec::new(),
            kept: 0,
        }
    }

    fn read(mut self, rows: &mut Rows) -> Parse<()> {
        loop {
            let open = self.lexer.token();
            if open.kind != Kind::Symbol("(") {
                return Err(Failure::Syntax(open.start));
            }
            let mut last = self.value(rows, true)?;
            while last == Kind::Symbol(",") {
                last = self.value(rows, false)?;
            }
            rows.end_row()?;
            let next = self.lexer.token();
            match next.kind {
                Kind::Symbol(",") => {}
                kind if may_follow_rows(&kind) => return Ok(()),
                _ => return Err(Failure::Syntax(next.start)),
            }
        }
    }

    /// Reads a value and what ends it; in an empty row there is none.
    fn value(&mut self, rows: &mut Rows, may_be_missing: bool) -> Parse<Kind<'a>> {
        let last = self.tokens_of_value()?;
        let ends = matches!(last.kind, Kind::Symbol("," | ")"));
        let kind = last.kind.clone();
        let start = last.start;
        self.value.tokens.push(Token {
            kind: Kind::End,
            ..last
        });
        if self.value.tokens.len() == 1 && may_be_missing && kind == Kind::Symbol(")") {
            return Ok(kind);
        }
        self.take_value(rows)?;
        match ends {
            true => Ok(kind),
            false => Err(Failure::Syntax(start)),
        }
    }

    /// Collects the tokens up to the comma or parenthesis behind a value, which is returned.
    /// Error 3170 when they are more than a statement may have.
    fn tokens_of_value(&mut self) -> Parse<Token<'a>> {
        self.value.tokens.clear();
        self.value.at = 0;
        let mut open = 0_usize;
        loop {
            let token = self.lexer.token();
            match &token.kind {
                Kind::End => return Ok(token),
                Kind::Symbol("," | ")") if open == 0 => return Ok(token),
                Kind::Symbol("(") => open += 1,
                Kind::Symbol(")") => open -= 1,
                _ => {}
            }
            if self.value.tokens.len() >= TOKENS_MAX {
                return Err(Failure::Sql(too_long()));
            }
            self.value.tokens.push(token);
        }
    }

    fn take_value(&mut self, rows: &mut Rows) -> Parse<()> {
        let end = self.value.tokens.len() - 1;
        self.normalised.clear();
        self.value.normalised(end, &mut self.normalised)?;
        if let Some(literal) = literal(&self.normalised) {
            rows.push_literal(literal)?;
            return Ok(());
        }
        self.kept += self.normalised.len();
        if self.kept > TOKENS_MAX {
            return Err(Failure::Sql(too_long()));
        }
        check_tokens(&self.value.tokens)?;
        let tokens = std::mem::take(&mut self.normalised);
        let expr = self
            .value
            .read_from(tokens, end, |parser| parser.parse_expr())?;
        self.value.expect_end()?;
        rows.push_expression(expr)?;
        Ok(())
    }
}

/// Whether INSERT goes on behind its rows with this, or ends. Rows in parentheses are no query that
/// UNION could join, or LIMIT cut.
fn may_follow_rows(kind: &Kind<'_>) -> bool {
    match kind {
        Kind::End => true,
        Kind::Word(word) => ["AS", "ON", "RETURNING"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known)),
        _ => false,
    }
}

/// The literal that these tokens are, if they are one.
fn literal(tokens: &[TokenWithSpan]) -> Option<Literal<'_>> {
    match tokens {
        [one] => match &one.token {
            SpToken::Number(text, false) => Some(Literal::Number(text)),
            SpToken::SingleQuotedString(text) => Some(Literal::Text(text)),
            SpToken::HexStringLiteral(text) => Some(Literal::Hex(text)),
            SpToken::Placeholder(text) => Some(Literal::Parameter(text)),
            SpToken::Word(word) if word.quote_style.is_none() => match word.keyword {
                Keyword::NULL => Some(Literal::Null),
                Keyword::DEFAULT => Some(Literal::Default),
                _ => None,
            },
            _ => None,
        },
        [sign, number] => match (&sign.token, &number.token) {
            (SpToken::Minus, SpToken::Number(text, false)) => Some(Literal::Negative(text)),
            _ => None,
        },
        _ => None,
    }
}
