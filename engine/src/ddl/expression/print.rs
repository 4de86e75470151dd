//! MySQL's text of an expression, made from its tree.

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};

use super::allowed::{BARE, forbidden, is_unsafe};
use super::{Purpose, Written};
use crate::catalog::quoted;
use crate::collation::Charset;
use crate::value::DateRules;
use sql::error::SqlError;

/// Prints one expression and notes what it refers to.
pub(super) struct Printer<'p> {
    pub(super) column: &'p str,
    pub(super) purpose: Purpose,
    /// Whether a server has accepted the expression already, which may allow more than MySQL 9.7.
    pub(super) is_accepted: bool,
    /// Character set of literals.
    charset: &'static str,
    /// Character set of the client that wrote the expression; none when it comes from the catalogue,
    /// whose strings are characters already.
    pub(super) client: Option<Charset>,
    /// Whether MySQL would understand its own escapes when it reads the text again.
    pub(super) reads_escapes: bool,
    /// Which dates literals may be.
    pub(super) dates: DateRules,
    columns: Vec<String>,
    unsafe_function: Option<String>,
}

impl<'p> Printer<'p> {
    pub(super) fn new(
        column: &'p str,
        purpose: Purpose,
        charset: &'static str,
        is_accepted: bool,
    ) -> Self {
        Self {
            column,
            purpose,
            is_accepted,
            charset,
            client: None,
            reads_escapes: true,
            dates: DateRules::ANY_DAY,
            columns: Vec::new(),
            unsafe_function: None,
        }
    }

    /// The text with what was noted on the way.
    pub(super) fn finish(self, text: String) -> Written {
        Written {
            text,
            columns: self.columns,
            unsafe_function: self.unsafe_function,
        }
    }

    pub(super) fn note_call(&mut self, name: &str) {
        if is_unsafe(name) && self.unsafe_function.is_none() {
            self.unsafe_function = Some(name.to_owned());
        }
    }

    /// Error 3763 or 3770 for a function that may not stand here.
    pub(super) fn check_function(&self, name: &str) -> Result<(), SqlError> {
        match forbidden(self.purpose, name) {
            Some(function) if !self.is_accepted => Err(self.disallowed(Some(function))),
            _ => Ok(()),
        }
    }

    pub(super) fn disallowed(&self, function: Option<&str>) -> SqlError {
        self.purpose.disallowed(self.column, function)
    }

    pub(super) fn print(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Nested(inner) => self.print(inner),
            Expr::Value(value) => self.literal(&value.value),
            Expr::Identifier(ident) => self.identifier(ident),
            Expr::CompoundIdentifier(path) => match path.last() {
                Some(name) => {
                    path.first()
                        .map_or(Ok(()), |first| self.check_word(first))?;
                    Ok(self.reference(&name.value))
                }
                None => Err(SqlError::syntax_error()),
            },
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr),
            Expr::Function(call) => self.call(call),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => {
                Err(self.disallowed(None))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => {
                let value = self.print(expr)?;
                let list = self.list(list)?;
                let not = if *negated { "not " } else { "" };
                Ok(format!("({value} {not}in ({list}))"))
            }
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let value = self.print(expr)?;
                let (low, high) = (self.print(low)?, self.print(high)?);
                let not = if *negated { "not " } else { "" };
                Ok(format!("({value} {not}between {low} and {high})"))
            }
            other => self.truth(other),
        }
    }

    /// IS NULL, IS TRUE and their like.
    fn truth(&mut self, expr: &Expr) -> Result<String, SqlError> {
        let (inner, what) = match expr {
            Expr::IsNull(inner) | Expr::IsUnknown(inner) => {
                return Ok(format!("({} is null)", self.print(inner)?));
            }
            Expr::IsNotNull(inner) | Expr::IsNotUnknown(inner) => {
                return Ok(format!("({} is not null)", self.print(inner)?));
            }
            Expr::IsTrue(inner) => (inner, "is true"),
            Expr::IsNotTrue(inner) => (inner, "is not true"),
            Expr::IsFalse(inner) => (inner, "is false"),
            Expr::IsNotFalse(inner) => (inner, "is not false"),
            other => return self.special(other),
        };
        Ok(format!("({} {what})", self.condition(inner)?))
    }

    pub(super) fn list(&mut self, list: &[Expr]) -> Result<String, SqlError> {
        let parts: Result<Vec<String>, SqlError> =
            list.iter().map(|element| self.print(element)).collect();
        Ok(parts?.join(","))
    }

    fn identifier(&mut self, ident: &Ident) -> Result<String, SqlError> {
        let is_bare = ident.quote_style.is_none();
        if is_bare && ident.value.starts_with('@') {
            return Err(SqlError::default_val_generated_variables(self.column));
        }
        let lower = ident.value.to_ascii_lowercase();
        if is_bare && BARE.contains(&lower.as_str()) {
            return self.plain_call(&lower, Vec::new());
        }
        self.check_word(ident)?;
        Ok(self.reference(&ident.value))
    }

    /// Error 1064 for a reserved word that stands for a name without quotes.
    fn check_word(&self, ident: &Ident) -> Result<(), SqlError> {
        let is_word = ident.quote_style.is_none() && sql::is_reserved_word(&ident.value);
        match is_word && !self.is_accepted {
            true => Err(SqlError::parse(&ident.value, 1)),
            false => Ok(()),
        }
    }

    fn reference(&mut self, name: &str) -> String {
        self.columns.push(name.to_owned());
        quoted(name)
    }

    fn literal(&mut self, value: &Value) -> Result<String, SqlError> {
        Ok(match value {
            Value::Number(text, _) => text.clone(),
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => {
                self.check_escapes(text)?;
                format!("_{}{}", self.charset, string(text))
            }
            Value::NationalStringLiteral(text) => {
                self.check_escapes(text)?;
                format!("_utf8mb3{}", string(text))
            }
            Value::HexStringLiteral(digits) => format!("0x{digits}"),
            Value::SingleQuotedByteStringLiteral(digits) => bits(digits)?,
            Value::Boolean(true) => "true".to_owned(),
            Value::Boolean(false) => "false".to_owned(),
            Value::Null => "NULL".to_owned(),
            _ => return Err(SqlError::syntax_error()),
        })
    }

    /// MySQL reads its own text of an expression again under the session's sql_mode: without escapes
    /// that is a syntax error, or another string.
    fn check_escapes(&self, text: &str) -> Result<(), SqlError> {
        match self.reads_escapes || string(text).len() == text.len() + 2 {
            true => Ok(()),
            false => Err(not_kept("this string under NO_BACKSLASH_ESCAPES")),
        }
    }

    fn binary(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Result<String, SqlError> {
        let word = match op {
            BinaryOperator::And | BinaryOperator::Or => return self.connected(left, op, right),
            BinaryOperator::StringConcat => {
                let parts = [self.print(left)?, self.print(right)?];
                return Ok(format!("concat({})", parts.join(",")));
            }
            BinaryOperator::Arrow | BinaryOperator::LongArrow => {
                if !self.is_accepted && !is_column_and_path(left, right) {
                    return Err(SqlError::syntax_error());
                }
                let parts = [self.print(left)?, self.print(right)?].join(",");
                return Ok(match op {
                    BinaryOperator::Arrow => format!("json_extract({parts})"),
                    _ => format!("json_unquote(json_extract({parts}))"),
                });
            }
            BinaryOperator::Eq => "=",
            BinaryOperator::NotEq => "<>",
            BinaryOperator::Lt => "<",
            BinaryOperator::LtEq => "<=",
            BinaryOperator::Gt => ">",
            BinaryOperator::GtEq => ">=",
            BinaryOperator::Spaceship => "<=>",
            BinaryOperator::Xor => {
                let operands = [self.condition(left)?, self.condition(right)?];
                return Ok(format!("({})", operands.join(" xor ")));
            }
            BinaryOperator::Plus => "+",
            BinaryOperator::Minus => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Modulo => "%",
            BinaryOperator::MyIntegerDivide => "DIV",
            BinaryOperator::BitwiseAnd => "&",
            BinaryOperator::BitwiseOr => "|",
            BinaryOperator::BitwiseXor | BinaryOperator::PGBitwiseXor => "^",
            BinaryOperator::PGBitwiseShiftLeft => "<<",
            BinaryOperator::PGBitwiseShiftRight => ">>",
            other => return Err(not_kept(&other.to_string())),
        };
        let (left, right) = match (op, left) {
            // MySQL writes the interval behind what it is added to.
            (BinaryOperator::Plus, Expr::Interval(_)) => (right, left),
            _ => (left, right),
        };
        let left = self.operand(left)?;
        let right = self.operand(right)?;
        Ok(format!("({left} {word} {right})"))
    }

    /// An operand, which behind `+` and `-` may be an interval.
    fn operand(&mut self, expr: &Expr) -> Result<String, SqlError> {
        match expr {
            Expr::Interval(interval) => self.interval(interval),
            other => self.print(other),
        }
    }

    /// AND and OR: a chain of one of them is printed without inner parentheses.
    fn connected(
        &mut self,
        left: &Expr,
        op: &BinaryOperator,
        right: &Expr,
    ) -> Result<String, SqlError> {
        let mut operands = Vec::new();
        collect(left, op, &mut operands);
        collect(right, op, &mut operands);
        let word = match op {
            BinaryOperator::And => " and ",
            _ => " or ",
        };
        let printed: Result<Vec<String>, SqlError> = operands
            .into_iter()
            .map(|operand| self.condition(operand))
            .collect();
        Ok(format!("({})", printed?.join(word)))
    }

    /// An operand of AND and OR: what is no condition is compared with 0.
    fn condition(&mut self, expr: &Expr) -> Result<String, SqlError> {
        let text = self.print(expr)?;
        Ok(match is_condition(expr) {
            true => text,
            false => format!("(0 <> {text})"),
        })
    }

    fn unary(&mut self, op: UnaryOperator, expr: &Expr) -> Result<String, SqlError> {
        match op {
            UnaryOperator::Not | UnaryOperator::BangNot => {
                let negated = negation(expr);
                match negated {
                    Some(negated) => self.print(&negated),
                    None if is_condition(expr) => Ok(format!("(not({}))", self.print(expr)?)),
                    None => Ok(format!("(0 = {})", self.print(expr)?)),
                }
            }
            UnaryOperator::Plus => self.print(expr),
            UnaryOperator::Minus => Ok(format!("-({})", self.print(expr)?)),
            UnaryOperator::BitwiseNot => Ok(format!("~({})", self.print(expr)?)),
            other => Err(not_kept(&other.to_string())),
        }
    }
}

/// Error 1235 for a form that a definition cannot have here.
pub(super) fn not_kept(construct: &str) -> SqlError {
    SqlError::not_supported(format!("{construct} in a column's expression"))
}

fn strip(expr: &Expr) -> &Expr {
    match expr {
        Expr::Nested(inner) => strip(inner),
        other => other,
    }
}

/// What may stand on the two sides of `->`: a column, and a path as plain text.
fn is_column_and_path(left: &Expr, right: &Expr) -> bool {
    let is_column = matches!(left, Expr::Identifier(_) | Expr::CompoundIdentifier(_));
    let is_path = |value: &Value| {
        matches!(
            value,
            Value::SingleQuotedString(_) | Value::DoubleQuotedString(_)
        )
    };
    is_column && matches!(right, Expr::Value(value) if is_path(&value.value))
}

fn collect<'e>(expr: &'e Expr, op: &BinaryOperator, operands: &mut Vec<&'e Expr>) {
    // A chain of many is a left-leaning tree: it is walked without recursion on its left side.
    let mut pending = vec![strip(expr)];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::BinaryOp {
                left,
                op: inner,
                right,
            } if inner == op => {
                pending.push(strip(right));
                pending.push(strip(left));
            }
            other => operands.push(other),
        }
    }
}

/// Whether the value is true or false by itself.
fn is_condition(expr: &Expr) -> bool {
    match strip(expr) {
        Expr::BinaryOp { op, .. } => matches!(
            op,
            BinaryOperator::And
                | BinaryOperator::Or
                | BinaryOperator::Xor
                | BinaryOperator::Eq
                | BinaryOperator::NotEq
                | BinaryOperator::Lt
                | BinaryOperator::LtEq
                | BinaryOperator::Gt
                | BinaryOperator::GtEq
                | BinaryOperator::Spaceship
        ),
        Expr::UnaryOp { op, .. } => matches!(op, UnaryOperator::Not | UnaryOperator::BangNot),
        Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::InList { .. }
        | Expr::Between { .. }
        | Expr::Like { .. }
        | Expr::RLike { .. } => true,
        _ => false,
    }
}

/// The condition that says the opposite, where MySQL writes it so.
fn negation(expr: &Expr) -> Option<Expr> {
    Some(match strip(expr).clone() {
        Expr::BinaryOp { left, op, right } => {
            let op = match op {
                BinaryOperator::Eq => BinaryOperator::NotEq,
                BinaryOperator::NotEq => BinaryOperator::Eq,
                BinaryOperator::Lt => BinaryOperator::GtEq,
                BinaryOperator::LtEq => BinaryOperator::Gt,
                BinaryOperator::Gt => BinaryOperator::LtEq,
                BinaryOperator::GtEq => BinaryOperator::Lt,
                _ => return None,
            };
            Expr::BinaryOp { left, op, right }
        }
        Expr::IsNull(inner) => Expr::IsNotNull(inner),
        Expr::IsNotNull(inner) => Expr::IsNull(inner),
        Expr::InList {
            expr,
            list,
            negated,
        } => Expr::InList {
            expr,
            list,
            negated: !negated,
        },
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => Expr::Between {
            expr,
            negated: !negated,
            low,
            high,
        },
        _ => return None,
    })
}

/// A string literal with MySQL's escapes.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for character in text.chars() {
        match character {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\0' => out.push_str("\\0"),
            '\u{1a}' => out.push_str("\\Z"),
            other => out.push(other),
        }
    }
    out.push('\'');
    out
}

/// A bit literal, which MySQL shows as a hexadecimal one.
fn bits(digits: &str) -> Result<String, SqlError> {
    let value = u64::from_str_radix(digits, 2).map_err(|_| not_kept("a long bit literal"))?;
    let digits = format!("{value:X}");
    let zero = if digits.len().is_multiple_of(2) {
        ""
    } else {
        "0"
    };
    Ok(format!("0x{zero}{digits}"))
}
