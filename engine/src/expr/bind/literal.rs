//! Literals, parameters and variables.

use std::borrow::Cow;

use binlog::value::{Decimal, Value};
use sqlparser::ast::{Expr, UnaryOperator, Value as Literal};

use super::{Binder, unsupported};
use crate::collation::{BINARY, Charset};
use crate::expr::node::Node;
use crate::expr::types::{Coercibility, Kind, Type};
use crate::value::cell;
use crate::value::datum::{Datum, number_of_bytes};
use crate::value::sourced::{Sourced, TextKind};
use sql::error::SqlError;

/// Most digits of a DECIMAL behind the point.
const SCALE_MAX: usize = 30;
/// Digits of an exact literal: groups, and digits of one.
const GROUPS: usize = 9;
const GROUP_DIGITS: usize = 9;
/// Characters of an integer in a variable.
const VARIABLE_LENGTH: u32 = 21;
/// Most bytes that error 1300 shows.
const SHOWN_BYTES_MAX: usize = 6;

impl Binder<'_> {
    /// A literal of the statement.
    pub(super) fn literal(&self, literal: &Literal) -> Result<Node, SqlError> {
        match literal {
            Literal::Number(text, _) => number(text, self.env.writes),
            Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text) => {
                Ok(self.text_constant(text))
            }
            Literal::NationalStringLiteral(text) => {
                self.env.warn(SqlError::national_is_utf8mb3());
                Ok(self.text_constant(text))
            }
            Literal::HexStringLiteral(digits) => hex(digits),
            Literal::SingleQuotedByteStringLiteral(digits) => bits(digits),
            Literal::Boolean(value) => Ok(Node::constant(Datum::truth(*value), Type::boolean())),
            Literal::Null => Ok(Node::null()),
            Literal::Placeholder(name) => self.placeholder(name),
            _ => unsupported("this form of literal"),
        }
    }

    /// `_charset 'text'`: its bytes as text of that character set. Error 1300 when they are none.
    pub(super) fn introduced(&self, introducer: &str, literal: &Literal) -> Result<Node, SqlError> {
        let bytes = match literal {
            Literal::SingleQuotedString(text) | Literal::DoubleQuotedString(text)
                if self.is_kept =>
            {
                return self.kept_text(introducer, text);
            }
            Literal::SingleQuotedString(text)
            | Literal::DoubleQuotedString(text)
            | Literal::NationalStringLiteral(text) => {
                written(self.session.character_set_client, text)
            }
            Literal::HexStringLiteral(digits) => hex_bytes(digits)?,
            _ => return Err(SqlError::syntax_error()),
        };
        if introducer == sql::ILL_FORMED {
            return Ok(self.text_of(bytes));
        }
        let charset = Charset::by_name(introducer.trim_start_matches('_'))?;
        if charset == Charset::Binary {
            return Ok(bytes_constant(bytes));
        }
        let text = decoded(charset, &bytes)?;
        let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
        let ty = Type::text(length, charset.default_collation(), Coercibility::Literal);
        Ok(Node::constant(Datum::text(text), ty))
    }

    /// `_charset 'text'` of an expression in the catalogue: these characters.
    fn kept_text(&self, introducer: &str, text: &str) -> Result<Node, SqlError> {
        let charset = introducer.trim_start_matches('_');
        let mut node = self.convert_using(self.text_constant(text), charset)?;
        node.ty.coercibility = Coercibility::Literal;
        Ok(node)
    }

    /// A text in the connection's collation.
    pub(super) fn text_constant(&self, text: &str) -> Node {
        self.text_of(text.as_bytes().to_vec())
    }

    /// Bytes that the client says are text of the connection's character set; they need not be. In
    /// the catalogue a string without an introducer is utf8mb4.
    fn text_of(&self, bytes: Vec<u8>) -> Node {
        let (length, collation) = match std::str::from_utf8(&bytes) {
            Ok(text) if self.is_kept => {
                (text.chars().count(), Charset::Utf8mb4.default_collation())
            }
            Ok(text) => (text.chars().count(), self.env.collation),
            Err(_) => (bytes.len(), self.env.collation),
        };
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        let ty = Type::text(length, collation, Coercibility::Literal);
        Node::constant(Datum::Text(bytes), ty)
    }

    /// An exact number literal of more digits than a DECIMAL has, with its sign; `None` for any other
    /// expression. The server counts digits in nine groups of nine.
    pub(crate) fn long_number(expr: &Expr) -> Option<String> {
        let (sign, literal) = match expr {
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => ("-", expr.as_ref()),
            other => ("", other),
        };
        let Expr::Value(value) = literal else {
            return None;
        };
        let Literal::Number(text, _) = &value.value else {
            return None;
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let groups = GROUPS.checked_sub(whole.len().div_ceil(GROUP_DIGITS))?;
        let mut digits = whole.bytes().chain(fraction.bytes());
        let is_exact = digits.all(|byte| byte.is_ascii_digit());
        let is_short = fraction.len() <= SCALE_MAX && text.parse::<Decimal>().is_ok();
        if !is_exact || is_short {
            return None;
        }
        let kept = fraction.get(..groups * GROUP_DIGITS).unwrap_or(fraction);
        let whole = if whole.is_empty() { "0" } else { whole };
        Some(match kept {
            "" => format!("{sign}{whole}"),
            kept => format!("{sign}{whole}.{kept}"),
        })
    }

    /// The value of a `?` that stands alone; `None` for any other expression.
    pub(crate) fn parameter(&self, expr: &Expr) -> Result<Option<Node>, SqlError> {
        match expr {
            Expr::Value(value) => match &value.value {
                Literal::Placeholder(name) => self.placeholder(name).map(Some),
                _ => Ok(None),
            },
            _ => Ok(None),
        }
    }

    fn placeholder(&self, name: &str) -> Result<Node, SqlError> {
        let ordinal: usize = name.trim_start_matches('?').parse().unwrap_or(0);
        match ordinal
            .checked_sub(1)
            .and_then(|index| self.params.get(index))
        {
            Some(value) => Ok(self.value_node(value)),
            None if self.describing => {
                let ty = Type::text(0, self.env.collation, Coercibility::Literal);
                Ok(Node::constant(Datum::Null, ty.with_null(true)))
            }
            None => Err(SqlError::wrong_arguments("EXECUTE")),
        }
    }

    /// A value from outside: a parameter, or a cell of a table that is not stored.
    pub(crate) fn outside(&self, value: &Value<'static>) -> Datum {
        let micros = match value {
            Value::DateTime(moment) => moment.micros,
            Value::Timestamp(moment) => moment.micros,
            Value::Time(time) => time.micros,
            _ => 0,
        };
        let fsp = if micros > 0 { 6 } else { 0 };
        cell::alone(value.clone(), fsp, &self.env.zone)
    }

    /// The same as a constant.
    fn value_node(&self, value: &Value<'static>) -> Node {
        match (self.outside(value), value) {
            (Datum::Text(bytes), Value::Json(_) | Value::JsonDiffs(_)) => bytes_constant(bytes),
            (other, _) => self.datum_node(other),
        }
    }

    /// A value of a variable as a constant.
    pub(super) fn variable_node(&self, variable: &Sourced) -> Node {
        let mut node = match (&variable.value, variable.text) {
            (Datum::Text(bytes), TextKind::Bytes | TextKind::Hex) => {
                return bytes_constant(bytes.clone());
            }
            (value, _) => self.datum_node(value.clone()),
        };
        match node.ty.kind {
            Kind::Integer => node.ty.length = VARIABLE_LENGTH,
            Kind::Text => node.ty.coercibility = Coercibility::Implicit,
            _ => {}
        }
        node
    }

    /// A value as a constant of the type that it has by itself.
    fn datum_node(&self, value: Datum) -> Node {
        let ty = match value {
            Datum::Null => return Node::null(),
            Datum::Decimal(number) => return decimal(number),
            Datum::Text(bytes) => return self.text_of(bytes),
            Datum::Int(number) => Type::integer(digits(&number.to_string())),
            Datum::UInt(number) => Type::unsigned(digits(&number.to_string())),
            Datum::Float(_) | Datum::Double(_) => Type::double(),
            Datum::Date(_) => Type::date(),
            Datum::DateTime(_, fsp) => Type::datetime(fsp),
            Datum::Time(_, fsp) => Type::time(fsp),
            Datum::Json(_) => Type::json(),
            Datum::Year(_) | Datum::Enum(..) | Datum::Set(..) | Datum::Bit(..) => {
                return self.datum_node(value.to_integer().value.into());
            }
        };
        Node::constant(value, ty)
    }
}

/// A client's text as it wrote it.
fn written(client: Charset, text: &str) -> Vec<u8> {
    let bytes = client.written(text);
    bytes.map_or_else(|_| text.as_bytes().to_vec(), Cow::into_owned)
}

/// Bytes as text of a character set. Error 1300 when they are none.
fn decoded(charset: Charset, bytes: &[u8]) -> Result<Cow<'_, str>, SqlError> {
    charset.decode(bytes).map_err(|offset| {
        let wrong = bytes.get(offset..).unwrap_or_default();
        let shown = wrong.iter().take(SHOWN_BYTES_MAX);
        let shown: String = shown.map(|byte| format!("{byte:02X}")).collect();
        SqlError::invalid_character_string(charset.name(), shown)
    })
}

/// The characters that `_charset 'text'` of a client means. Errors 1115 and 1300.
pub fn characters(client: Charset, introducer: &str, text: &str) -> Result<String, SqlError> {
    let charset = Charset::by_name(introducer.trim_start_matches('_'))?;
    decoded(charset, &written(client, text)).map(Cow::into_owned)
}

fn bytes_constant(bytes: Vec<u8>) -> Node {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    Node::constant(
        Datum::Text(bytes),
        Type::text(length, &BINARY, Coercibility::Literal),
    )
}

fn digits(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

fn decimal(number: Decimal) -> Node {
    let ty = Type::decimal(number.precision(), number.scale(), false);
    Node::constant(Datum::Decimal(number), ty)
}

/// A numeric literal: an integer, a decimal, or with an exponent a double.
///
/// Where a statement writes, digits beyond those of a DECIMAL are cut: no column keeps them.
fn number(text: &str, writes: bool) -> Result<Node, SqlError> {
    if text.contains(['e', 'E']) {
        let value: f64 = text.parse().unwrap_or(f64::INFINITY);
        if !value.is_finite() {
            return Err(SqlError::illegal_value_for_type("double", text));
        }
        let mut ty = Type::double();
        ty.length = digits(text);
        return Ok(Node::constant(Datum::Double(value), ty));
    }
    if !text.contains('.') {
        if let Ok(value) = text.parse::<i64>() {
            // MySQL counts one character for the sign that may come.
            return Ok(Node::constant(
                Datum::Int(value),
                Type::integer(digits(text) + 1),
            ));
        }
        if let Ok(value) = text.parse::<u64>() {
            return Ok(Node::constant(
                Datum::UInt(value),
                Type::unsigned(digits(text)),
            ));
        }
    }
    let cut = || {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let whole = whole.trim_start_matches('0');
        let Some(places) = Decimal::DIGITS_MAX.checked_sub(whole.len()) else {
            return "9".repeat(Decimal::DIGITS_MAX).parse().ok();
        };
        let fraction = fraction.get(..places.min(fraction.len()))?;
        format!("{whole}.{fraction}")
            .trim_end_matches('.')
            .parse()
            .ok()
    };
    let value: Option<Decimal> = text.parse().ok();
    let value = value.or_else(|| if writes { cut() } else { None });
    value
        .map(decimal)
        .ok_or_else(|| SqlError::illegal_value_for_type("DECIMAL", text))
}

/// `x'41'`, `0x41`: bytes, and a number where one is wanted.
fn hex(text: &str) -> Result<Node, SqlError> {
    let mut node = bytes_constant(hex_bytes(text)?);
    node.ty.is_hex = true;
    node.ty.unsigned = true;
    Ok(node)
}

fn hex_bytes(text: &str) -> Result<Vec<u8>, SqlError> {
    let padded = if text.len().is_multiple_of(2) {
        text.to_owned()
    } else {
        format!("0{text}")
    };
    let pairs = padded.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes.ok_or_else(SqlError::syntax_error)
}

/// `b'0101'`.
fn bits(text: &str) -> Result<Node, SqlError> {
    let bytes = sql::bytes_of_bits(text).ok_or_else(SqlError::syntax_error)?;
    let mut node = bytes_constant(bytes);
    node.ty.is_hex = true;
    node.ty.unsigned = true;
    Ok(node)
}

/// A hexadecimal literal in a numeric place is a number.
pub fn numeric_hex(node: Node) -> Node {
    if !node.ty.is_hex || node.ty.kind != Kind::Text {
        return node;
    }
    match node.as_const() {
        Some(Datum::Text(bytes)) => {
            Node::constant(Datum::UInt(number_of_bytes(bytes)), Type::unsigned(20))
        }
        _ => node,
    }
}
