//! The bridge to `sqlparser`: our tokens in, its trees out.
//!
//! Tokens are normalised on the way (see the table in `normalise`), so that `sqlparser` never sees
//! MySQL text. Each token it gets is located by its bytes in the statement's text (line 1, column
//! = offset in `Parsed::text` + 1): so errors find their way back, and select items their names.

use std::borrow::Cow;

use sqlparser::ast as sp;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Span, Token as SpToken, TokenWithSpan};

use super::SqlMode;
use super::cursor::{Cursor, Failure, Parse};
use super::dialect::MySql;
use super::lexer::{Kind, Token};
use super::reserved::is_reserved;

/// The introducer, which no statement can write, of a string that is not UTF-8 and has none.
pub const ILL_FORMED: &str = "_\u{1}";

/// How deeply expressions and queries may nest.
const NESTING_MAX: usize = 400;

impl Cursor<'_> {
    /// Lets `sqlparser` read from the next token on, and moves behind what it took.
    pub(super) fn delegate<T>(
        &mut self,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, sqlparser::parser::ParserError>,
    ) -> Parse<T> {
        self.delegate_with(&[], read)
    }

    /// The same, with tokens put in front.
    pub(super) fn delegate_with<T>(
        &mut self,
        front: &[&str],
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, sqlparser::parser::ParserError>,
    ) -> Parse<T> {
        let mut tokens: Vec<TokenWithSpan> = front
            .iter()
            .map(|word| {
                let token = if *word == "*" {
                    SpToken::Mul
                } else {
                    SpToken::make_word(word, None)
                };
                self.located(token, self.at)
            })
            .collect();
        self.normalised(self.tokens.len(), &mut tokens)?;
        self.read_from(tokens, self.tokens.len(), read)
    }

    /// Lets `sqlparser` read `tokens`, ours up to the one at `end`, and moves behind what it took.
    pub(super) fn read_from<T>(
        &mut self,
        tokens: Vec<TokenWithSpan>,
        end: usize,
        read: impl FnOnce(&mut Parser<'_>) -> Result<T, sqlparser::parser::ParserError>,
    ) -> Parse<T> {
        let dialect = MySql::default();
        let mut parser = Parser::new(&dialect)
            .with_recursion_limit(NESTING_MAX)
            .with_tokens_with_locations(tokens);
        let result = read(&mut parser);
        let next = parser.peek_token();
        let last = self.tokens.len().saturating_sub(1);
        let next = match next.token {
            SpToken::EOF => end.min(last),
            _ => self.index_at(next.span.start.column),
        };
        match result {
            Ok(value) => {
                self.at = next;
                Ok(value)
            }
            Err(sqlparser::parser::ParserError::RecursionLimitExceeded) => {
                Err(Failure::Sql(crate::depth::too_deep()))
            }
            Err(error) => {
                let at = column_of(&error.to_string()).map_or(next, |column| self.index_at(column));
                let token = self.tokens.get(at).or(self.tokens.last());
                Err(Failure::Syntax(token.map_or(0, |token| token.start)))
            }
        }
    }

    /// An expression.
    pub(super) fn expression(&mut self) -> Parse<super::ast::Expression> {
        // Only as far as it can reach, so that long lists are read once.
        self.expression_in_front_of(self.end_of_expression())
    }

    /// `name(arguments)`, and nothing behind it.
    pub(super) fn call(&mut self) -> Parse<super::ast::Expression> {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(self.at) {
            match &token.kind {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") if depth <= 1 => {
                    return self.expression_in_front_of(index.saturating_add(1));
                }
                Kind::Symbol(")") => depth -= 1,
                _ => {}
            }
        }
        self.unexpected()
    }

    fn expression_in_front_of(&mut self, end: usize) -> Parse<super::ast::Expression> {
        let first = self.at;
        let mut tokens = Vec::new();
        self.normalised(end, &mut tokens)?;
        let expr = self.read_from(tokens, end, |parser| parser.parse_expr())?;
        Ok(super::ast::Expression {
            expr,
            text: self.source_since(first),
        })
    }

    /// An expression in parentheses; the text is what stands between them.
    pub(super) fn parenthesised_expression(&mut self) -> Parse<super::ast::Expression> {
        self.expect_symbol("(")?;
        let expression = self.expression()?;
        self.expect_symbol(")")?;
        Ok(expression)
    }

    /// The token as standing where ours at `index` stands.
    fn located(&self, token: SpToken, index: usize) -> TokenWithSpan {
        let place = |offset: usize| {
            let column = offset.saturating_sub(self.indent) + 1;
            Location {
                line: 1,
                column: u64::try_from(column).unwrap_or(0),
            }
        };
        let (start, end) = self
            .tokens
            .get(index)
            .map_or((0, 0), |token| (token.start, token.end));
        TokenWithSpan {
            token,
            span: Span::new(place(start), place(end)),
        }
    }

    /// The index of our token at a column; the end of the statement for none.
    fn index_at(&self, column: u64) -> usize {
        let last = self.tokens.len().saturating_sub(1);
        let Some(offset) = usize::try_from(column)
            .ok()
            .and_then(|column| column.checked_sub(1))
        else {
            return last;
        };
        let offset = offset + self.indent;
        self.tokens
            .partition_point(|token| token.start < offset)
            .min(last)
    }

    /// The index of the token in front of which an expression from the next token on must end: a
    /// comma or a closing parenthesis outside of its own.
    fn end_of_expression(&self) -> usize {
        let mut depth = 0_usize;
        for (index, token) in self.tokens.iter().enumerate().skip(self.at) {
            match &token.kind {
                Kind::Symbol("(") => depth += 1,
                Kind::Symbol(")") => match depth.checked_sub(1) {
                    Some(outer) => depth = outer,
                    None => return index,
                },
                Kind::Symbol(",") if depth == 0 => return index,
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// Appends the normalised tokens from the next one on, up to the one at `end`.
    pub(super) fn normalised(&self, end: usize, into: &mut Vec<TokenWithSpan>) -> Parse<()> {
        let mut at = self.at;
        into.reserve(end.saturating_sub(at));
        while at < end
            && let Some(token) = self.tokens.get(at)
        {
            if token.kind == Kind::End {
                break;
            }
            at += self.normalise(at, token, into)?;
        }
        Ok(())
    }

    /// Appends the normalised form of the token at `at`; returns how many tokens it took.
    ///
    /// | ours | theirs |
    /// |---|---|
    /// | adjacent strings | one string |
    /// | `N'..'` | national string |
    /// | `_utf8mb4'..'` in UTF-8 | string |
    /// | string that is not UTF-8 | hexadecimal literal behind its introducer, or [`ILL_FORMED`] |
    /// | `&&`, `\|\|` | AND, OR (concatenation with PIPES_AS_CONCAT) |
    /// | `a MOD b` | `a % b` |
    /// | LOCK IN SHARE MODE | FOR SHARE |
    /// | `@a`, `@@g.b` | one identifier |
    /// | `?` | placeholder `?n`, n from 1 |
    fn normalise(
        &self,
        at: usize,
        token: &Token<'_>,
        into: &mut Vec<TokenWithSpan>,
    ) -> Parse<usize> {
        let (normalised, taken) = match &token.kind {
            Kind::Word(word) => return self.normalise_word(at, word, into),
            Kind::Quoted(name) => (SpToken::make_word(name, Some('`')), 1),
            Kind::String(_) => {
                let (token, taken) = self.string_token(at);
                if matches!(token, SpToken::HexStringLiteral(_)) {
                    into.push(self.located(plain_word(ILL_FORMED.to_owned()), at));
                }
                (token, taken)
            }
            Kind::Integer(text) | Kind::Decimal(text) | Kind::Float(text) => {
                (SpToken::Number((*text).to_owned(), false), 1)
            }
            Kind::Hex(digits) => (SpToken::HexStringLiteral(digits.clone().into_owned()), 1),
            Kind::Bit(digits) => (
                SpToken::SingleQuotedByteStringLiteral((*digits).to_owned()),
                1,
            ),
            Kind::UserVariable(name) => (plain_word(format!("@{name}")), 1),
            Kind::SystemVariable {
                scope: Some(scope),
                name,
            } => (plain_word(format!("@@{scope}.{name}")), 1),
            Kind::SystemVariable { scope: None, name } => (plain_word(format!("@@{name}")), 1),
            Kind::Parameter(ordinal) => (SpToken::Placeholder(format!("?{}", ordinal + 1)), 1),
            Kind::Symbol(symbol) => (self.symbol_token(symbol, token.start)?, 1),
            Kind::Bad | Kind::End => return Err(Failure::Syntax(token.start)),
        };
        into.push(self.located(normalised, at));
        Ok(taken)
    }

    fn normalise_word(&self, at: usize, word: &str, into: &mut Vec<TokenWithSpan>) -> Parse<usize> {
        let follows = |ahead: usize, expected: &str| {
            matches!(self.tokens.get(at + ahead).map(|token| &token.kind),
                Some(Kind::Word(found)) if found.eq_ignore_ascii_case(expected))
        };
        if word.eq_ignore_ascii_case("MOD") && self.ends_operand(at) {
            into.push(self.located(SpToken::Mod, at));
            return Ok(1);
        }
        if word.eq_ignore_ascii_case("LOCK")
            && follows(1, "IN")
            && follows(2, "SHARE")
            && follows(3, "MODE")
        {
            into.push(self.located(SpToken::make_word("FOR", None), at));
            into.push(self.located(SpToken::make_word("SHARE", None), at));
            return Ok(4);
        }
        if word.eq_ignore_ascii_case("SOUNDS") && follows(1, "LIKE") {
            return Err(Failure::NotSupported("SOUNDS LIKE".to_owned()));
        }
        if word.starts_with('_') {
            return self.normalise_introducer(at, word, into);
        }
        into.push(self.located(SpToken::make_word(word, None), at));
        Ok(1)
    }

    /// A word that may say of which character set the literal behind it is.
    fn normalise_introducer(
        &self,
        at: usize,
        word: &str,
        into: &mut Vec<TokenWithSpan>,
    ) -> Parse<usize> {
        let (token, taken) = match self.tokens.get(at + 1).map(|token| &token.kind) {
            Some(Kind::String(_)) => {
                let (token, taken) = self.string_token(at + 1);
                (Some(token), taken + 1)
            }
            // Behind an introducer a literal of bits is a string, as one of hexadecimal digits is.
            Some(Kind::Bit(digits)) => (Some(SpToken::HexStringLiteral(hex_of_bits(digits))), 2),
            _ => (None, 1),
        };
        let is_utf8 = ["_utf8mb4", "_utf8mb3", "_utf8"]
            .iter()
            .any(|name| word.eq_ignore_ascii_case(name));
        if !(is_utf8 && matches!(token, Some(SpToken::SingleQuotedString(_)))) {
            into.push(self.located(SpToken::make_word(word, None), at));
        }
        if let Some(token) = token {
            into.push(self.located(token, at + 1));
        }
        Ok(taken)
    }

    /// Whether the token before `at` ends an operand, so that MOD behind it is an operator.
    fn ends_operand(&self, at: usize) -> bool {
        let before = at.checked_sub(1).filter(|before| *before >= self.at);
        match before
            .and_then(|before| self.tokens.get(before))
            .map(|token| &token.kind)
        {
            Some(Kind::Word(word)) => {
                !is_reserved(word)
                    || ["NULL", "TRUE", "FALSE", "END"]
                        .iter()
                        .any(|end| word.eq_ignore_ascii_case(end))
            }
            Some(Kind::Symbol(symbol)) => *symbol == ")",
            Some(Kind::Bad | Kind::End) | None => false,
            Some(_) => true,
        }
    }

    /// One literal for all adjacent strings from `at` on, and how many there are.
    fn string_token(&self, at: usize) -> (SpToken, usize) {
        let mut strings = self
            .tokens
            .iter()
            .skip(at)
            .map_while(|token| match &token.kind {
                Kind::String(bytes) => Some(bytes),
                _ => None,
            });
        let first = strings
            .next()
            .map_or(Cow::Borrowed(&[][..]), |bytes| Cow::Borrowed(&bytes[..]));
        let mut count = 1;
        let whole = strings.fold(first, |mut whole, next| {
            count += 1;
            whole.to_mut().extend_from_slice(next);
            whole
        });
        match std::str::from_utf8(&whole) {
            Ok(text) if self.is_national(at) => {
                (SpToken::NationalStringLiteral(text.to_owned()), count)
            }
            Ok(text) => (SpToken::SingleQuotedString(text.to_owned()), count),
            Err(_) => (SpToken::HexStringLiteral(hex(&whole)), count),
        }
    }

    /// Whether the string at `at` begins with an N.
    fn is_national(&self, at: usize) -> bool {
        let first = self.tokens.get(at).map(|token| token.start);
        let first = first.and_then(|start| self.text.get(start));
        matches!(first, Some(b'n' | b'N'))
    }

    fn symbol_token(&self, symbol: &str, start: usize) -> Parse<SpToken> {
        let pipes_concat = self.options.sql_mode.contains(SqlMode::PIPES_AS_CONCAT);
        Ok(match symbol {
            "||" if pipes_concat => SpToken::StringConcat,
            "||" => SpToken::make_word("OR", None),
            "&&" => SpToken::make_word("AND", None),
            "<=>" => SpToken::Spaceship,
            "->>" => SpToken::LongArrow,
            "->" => SpToken::Arrow,
            ":=" => SpToken::Assignment,
            "<=" => SpToken::LtEq,
            ">=" => SpToken::GtEq,
            "<>" | "!=" => SpToken::Neq,
            "<<" => SpToken::ShiftLeft,
            ">>" => SpToken::ShiftRight,
            "(" => SpToken::LParen,
            ")" => SpToken::RParen,
            "," => SpToken::Comma,
            "." => SpToken::Period,
            "=" => SpToken::Eq,
            "<" => SpToken::Lt,
            ">" => SpToken::Gt,
            "+" => SpToken::Plus,
            "-" => SpToken::Minus,
            "*" => SpToken::Mul,
            "/" => SpToken::Div,
            "%" => SpToken::Mod,
            "&" => SpToken::Ampersand,
            "|" => SpToken::Pipe,
            "^" => SpToken::Caret,
            "~" => SpToken::Tilde,
            "!" => SpToken::ExclamationMark,
            _ => return Err(Failure::Syntax(start)),
        })
    }
}

/// `SELECT items`.
pub(super) fn select_of(items: Vec<sp::SelectItem>) -> sp::Query {
    let select = sp::Select {
        select_token: sp::helpers::attached_token::AttachedToken::empty(),
        optimizer_hints: Vec::new(),
        distinct: None,
        select_modifiers: None,
        top: None,
        top_before_distinct: false,
        projection: items,
        exclude: None,
        into: None,
        from: Vec::new(),
        lateral_views: Vec::new(),
        prewhere: None,
        selection: None,
        connect_by: Vec::new(),
        group_by: sp::GroupByExpr::Expressions(Vec::new(), Vec::new()),
        cluster_by: Vec::new(),
        distribute_by: Vec::new(),
        sort_by: Vec::new(),
        having: None,
        named_window: Vec::new(),
        qualify: None,
        window_before_qualify: false,
        value_table_mode: None,
        flavor: sp::SelectFlavor::Standard,
    };
    sp::Query {
        with: None,
        body: Box::new(sp::SetExpr::Select(Box::new(select))),
        order_by: None,
        limit_clause: None,
        fetch: None,
        locks: Vec::new(),
        for_clause: None,
        settings: None,
        format_clause: None,
        pipe_operators: Vec::new(),
    }
}

/// `function(argument)`.
pub(super) fn call(function: &str, argument: sp::Expr) -> sp::Expr {
    let argument = sp::FunctionArg::Unnamed(sp::FunctionArgExpr::Expr(argument));
    sp::Expr::Function(sp::Function {
        name: sp::ObjectName::from(vec![sp::Ident::new(function)]),
        uses_odbc_syntax: false,
        parameters: sp::FunctionArguments::None,
        args: sp::FunctionArguments::List(sp::FunctionArgumentList {
            duplicate_treatment: None,
            args: vec![argument],
            clauses: Vec::new(),
        }),
        within_group: Vec::new(),
        filter: None,
        null_treatment: None,
        over: None,
    })
}

/// A word that is an identifier whatever it looks like.
fn plain_word(value: String) -> SpToken {
    SpToken::Word(sqlparser::tokenizer::Word {
        value,
        quote_style: None,
        keyword: sqlparser::keywords::Keyword::NoKeyword,
    })
}

/// The column in an error text ending in `at Line: 1, Column: n`.
fn column_of(message: &str) -> Option<u64> {
    let (_, column) = message.rsplit_once("Column: ")?;
    let digits: String = column.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The digits of a bit literal as those of a hexadecimal one; nothing for what is no digit.
fn hex_of_bits(digits: &str) -> String {
    hex(&crate::bytes_of_bits(digits).unwrap_or_default())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        })
}
