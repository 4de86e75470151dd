//! `sqlparser`'s MySQL dialect with MySQL's own precedences and the operators it lacks.
//!
//! Spec: mysql-server 8.4, sql/sql_yacc.yy, the `%left` lines and `bool_pri`, `predicate`,
//! `bit_expr`, `simple_expr`.

use std::any::TypeId;
use std::cell::Cell;

use sqlparser::ast as sp;
use sqlparser::dialect::{Dialect, MySqlDialect, Precedence};
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

/// Our dialect; it passes for `MySqlDialect` where `sqlparser` asks.
#[derive(Debug, Default)]
pub(super) struct MySql {
    /// Operators read so far, but AND and OR.
    operators: Cell<u32>,
}

/// After how many operators the depth of what they have built is looked at.
const OPERATORS_BETWEEN_LOOKS: u32 = 64;

/// Binding strengths, weakest first.
mod strength {
    pub(super) const ASSIGN: u8 = 2;
    pub(super) const OR: u8 = 5;
    pub(super) const XOR: u8 = 7;
    pub(super) const AND: u8 = 10;
    pub(super) const NOT: u8 = 15;
    pub(super) const COMPARE: u8 = 20;
    pub(super) const PREDICATE: u8 = 22;
    pub(super) const BIT_OR: u8 = 25;
    pub(super) const BIT_AND: u8 = 30;
    pub(super) const SHIFT: u8 = 35;
    pub(super) const PLUS: u8 = 40;
    pub(super) const TIMES: u8 = 45;
    pub(super) const BIT_XOR: u8 = 50;
    pub(super) const CONCAT: u8 = 60;
    pub(super) const PREFIX: u8 = 70;
    pub(super) const ARROW: u8 = 90;
}

impl Dialect for MySql {
    fn dialect(&self) -> TypeId {
        TypeId::of::<MySqlDialect>()
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let strength = match &parser.peek_token_ref().token {
            Token::Assignment => strength::ASSIGN,
            Token::ShiftLeft | Token::ShiftRight => strength::SHIFT,
            Token::Caret => strength::BIT_XOR,
            Token::StringConcat => strength::CONCAT,
            Token::Arrow | Token::LongArrow => strength::ARROW,
            // Not operators between operands in MySQL.
            Token::Tilde | Token::ExclamationMark | Token::Colon | Token::LBracket => 0,
            Token::Word(word) if word.keyword == Keyword::XOR => strength::XOR,
            _ => return None,
        };
        Some(Ok(strength))
    }

    fn prec_value(&self, precedence: Precedence) -> u8 {
        match precedence {
            Precedence::Period => 100,
            Precedence::DoubleColon | Precedence::AtTz | Precedence::PgOther => strength::ARROW,
            Precedence::Caret => strength::BIT_XOR,
            Precedence::MulDivModOp => strength::TIMES,
            Precedence::PlusMinus => strength::PLUS,
            Precedence::Ampersand => strength::BIT_AND,
            Precedence::Pipe | Precedence::Colon => strength::BIT_OR,
            Precedence::Between | Precedence::Like => strength::PREDICATE,
            Precedence::Eq | Precedence::Is => strength::COMPARE,
            Precedence::UnaryNot => strength::NOT,
            Precedence::And => strength::AND,
            Precedence::Xor => strength::XOR,
            Precedence::Or => strength::OR,
        }
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<sp::Expr, ParserError>> {
        let unary = |parser: &mut Parser<'_>, op: sp::UnaryOperator| {
            parser.next_token();
            let expr = Box::new(parser.parse_subexpr(strength::PREFIX)?);
            Ok(sp::Expr::UnaryOp { op, expr })
        };
        match &parser.peek_token_ref().token {
            Token::ExclamationMark => Some(unary(parser, sp::UnaryOperator::BangNot)),
            Token::Minus => Some(unary(parser, sp::UnaryOperator::Minus)),
            Token::Plus => Some(unary(parser, sp::UnaryOperator::Plus)),
            Token::Tilde => Some(unary(parser, sp::UnaryOperator::BitwiseNot)),
            Token::Number(..) | Token::SingleQuotedString(_) | Token::Placeholder(_) => {
                Some(parser.parse_value().map(sp::Expr::Value))
            }
            Token::Word(word) if word.keyword == Keyword::NoKeyword => plain_name(parser),
            Token::Word(word) if word.keyword == Keyword::BINARY => binary(parser),
            Token::Word(word) if word.keyword == Keyword::INTERVAL => interval(parser),
            _ => None,
        }
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &sp::Expr,
        precedence: u8,
    ) -> Option<Result<sp::Expr, ParserError>> {
        // A chain of operators is read without recursion, but it is walked with it.
        if precedence != strength::AND && precedence != strength::OR {
            let operators = self.operators.get().wrapping_add(1);
            self.operators.set(operators);
            if operators.is_multiple_of(OPERATORS_BETWEEN_LOOKS)
                && !crate::access::is_within_limits(expr)
            {
                return Some(Err(ParserError::RecursionLimitExceeded));
            }
        }
        MySqlDialect {}.parse_infix(parser, expr, precedence)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        MySqlDialect {}.is_identifier_part(ch)
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        MySqlDialect {}.is_delimited_identifier_start(ch)
    }

    fn identifier_quote_style(&self, identifier: &str) -> Option<char> {
        MySqlDialect {}.identifier_quote_style(identifier)
    }

    fn is_table_factor_alias(
        &self,
        explicit: bool,
        keyword: &Keyword,
        parser: &mut Parser<'_>,
    ) -> bool {
        MySqlDialect {}.is_table_factor_alias(explicit, keyword, parser)
    }

    fn supports_bitwise_shift_operators(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_limit_comma(&self) -> bool {
        true
    }

    fn supports_insert_set(&self) -> bool {
        true
    }

    fn supports_table_hints(&self) -> bool {
        true
    }

    fn supports_match_against(&self) -> bool {
        true
    }

    fn supports_select_modifiers(&self) -> bool {
        true
    }

    fn supports_update_order_by(&self) -> bool {
        true
    }

    fn supports_data_type_signed_suffix(&self) -> bool {
        true
    }

    fn supports_cross_join_constraint(&self) -> bool {
        true
    }

    fn supports_group_by_with_modifier(&self) -> bool {
        true
    }

    fn supports_left_associative_joins_without_parens(&self) -> bool {
        false
    }
}

/// No data type and no keyword, so nothing to try first; calls take the long way.
fn plain_name(parser: &mut Parser<'_>) -> Option<Result<sp::Expr, ParserError>> {
    match parser.peek_nth_token_ref(1).token {
        Token::SingleQuotedString(_) | Token::HexStringLiteral(_) => introduced(parser),
        Token::LParen => None,
        _ => Some(parser.parse_identifier().map(sp::Expr::Identifier)),
    }
}

/// `_charset 'text'`.
fn introduced(parser: &mut Parser<'_>) -> Option<Result<sp::Expr, ParserError>> {
    let Token::Word(word) = &parser.peek_token_ref().token else {
        return None;
    };
    if !word.value.starts_with('_') || word.quote_style.is_some() {
        return None;
    }
    let prefix = sp::Ident::new(word.value.clone());
    parser.next_token();
    Some(parser.parse_value().map(|value| sp::Expr::Prefixed {
        prefix,
        value: Box::new(sp::Expr::Value(value)),
    }))
}

/// `BINARY expr` binds like a prefix operator.
fn binary(parser: &mut Parser<'_>) -> Option<Result<sp::Expr, ParserError>> {
    parser.next_token();
    Some(
        parser
            .parse_subexpr(strength::PREFIX)
            .map(|expr| sp::Expr::Cast {
                kind: sp::CastKind::Cast,
                expr: Box::new(expr),
                data_type: sp::DataType::Binary(None),
                format: None,
            }),
    )
}

/// `INTERVAL expr unit`; `INTERVAL(a, b)` is a function.
fn interval(parser: &mut Parser<'_>) -> Option<Result<sp::Expr, ParserError>> {
    let parsed = parser.maybe_parse(|parser| {
        parser.next_token();
        let value = Box::new(parser.parse_expr()?);
        let unit = parser.parse_identifier()?;
        let Some(field) = unit_field(&unit) else {
            return Err(ParserError::ParserError("Expected: a unit".to_owned()));
        };
        Ok(sp::Expr::Interval(sp::Interval {
            value,
            leading_field: Some(field),
            leading_precision: None,
            last_field: None,
            fractional_seconds_precision: None,
        }))
    });
    match parsed {
        Ok(Some(expr)) => Some(Ok(expr)),
        Ok(None) => {
            parser.next_token();
            let name = sp::ObjectName::from(vec![sp::Ident::new("INTERVAL")]);
            Some(parser.parse_function(name))
        }
        Err(error) => Some(Err(error)),
    }
}

/// Plain units are `sqlparser`'s own; `MINUTE_SECOND` and the like are `Custom`, upper-cased.
fn unit_field(unit: &sp::Ident) -> Option<sp::DateTimeField> {
    use sp::DateTimeField as Field;
    let upper = unit.value.to_ascii_uppercase();
    Some(match upper.trim_start_matches("SQL_TSI_") {
        "MICROSECOND" => Field::Microsecond,
        "SECOND" => Field::Second,
        "MINUTE" => Field::Minute,
        "HOUR" => Field::Hour,
        "DAY" => Field::Day,
        "WEEK" => Field::Week(None),
        "MONTH" => Field::Month,
        "QUARTER" => Field::Quarter,
        "YEAR" => Field::Year,
        "SECOND_MICROSECOND" | "MINUTE_MICROSECOND" | "MINUTE_SECOND" | "HOUR_MICROSECOND"
        | "HOUR_SECOND" | "HOUR_MINUTE" | "DAY_MICROSECOND" | "DAY_SECOND" | "DAY_MINUTE"
        | "DAY_HOUR" | "YEAR_MONTH" => Field::Custom(sp::Ident::new(upper)),
        _ => return None,
    })
}
