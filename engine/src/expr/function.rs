//! The shape of a function: name, number of arguments, result type and evaluation.
//!
//! Functions are values in static tables (see [`crate::functions`]); the binder looks them up by
//! name. Arguments arrive evaluated; [`Call`] converts them to what a function wants and reports
//! what a conversion loses.

use std::borrow::Cow;

use binlog::value::Decimal;

use super::env::Env;
use super::node::{Node, Op};
use super::types::{Coercibility, Kind, Type};
use crate::collation::Collation;
use crate::value::datum::{Datum, Integer};
use crate::value::temporal::{Moment, Span};
use sql::error::SqlError;

/// A function or operator.
#[derive(Debug)]
pub struct Function {
    /// Lower-case name, or the operator.
    pub name: &'static str,
    /// Fewest arguments.
    pub min: usize,
    /// Most arguments.
    pub max: usize,
    /// NULL whenever an argument is NULL.
    pub strict: bool,
    /// Gives another value at each call.
    pub volatile: bool,
    /// The type of the result.
    pub result: fn(&Signature<'_>) -> Result<Type, SqlError>,
    /// The value.
    pub eval: fn(&Call<'_>) -> Result<Datum, SqlError>,
}

impl Function {
    /// Whether it is written between its operands.
    pub fn is_operator(&self) -> bool {
        !self
            .name
            .starts_with(|first: char| first.is_ascii_alphabetic())
            || matches!(self.name, "DIV" | "MOD")
    }
}

/// What is known of a call when its result type is chosen.
#[derive(Debug, Clone, Copy)]
pub struct Signature<'a> {
    /// The arguments.
    pub args: &'a [Node],
    /// The statement's surroundings.
    pub env: &'a Env,
    /// Name of the function.
    pub name: &'static str,
}

impl<'a> Signature<'a> {
    /// The type of an argument; NULL's for one left out.
    pub fn ty(&self, index: usize) -> Type {
        self.args
            .get(index)
            .map_or_else(Type::null, |node| node.ty.clone())
    }

    /// A constant argument.
    pub fn constant(&self, index: usize) -> Option<&'a Datum> {
        self.args.get(index).and_then(Node::as_const)
    }

    /// A constant integer argument.
    pub fn constant_int(&self, index: usize) -> Option<i64> {
        self.constant(index)
            .map(|value| value.to_integer().value.saturate())
    }

    /// Whether any argument may be NULL.
    pub fn any_null(&self) -> bool {
        self.args.iter().any(|node| node.ty.nullable)
    }

    /// Text of `length` characters in the joined collation of the arguments `from..`.
    pub fn text_of(&self, from: usize, length: u64) -> Result<Type, SqlError> {
        let args: Vec<&Type> = self.args.iter().skip(from).map(|node| &node.ty).collect();
        let (collation, coercibility) = super::collate::join(&args, self.env.collation, self.name)?;
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        Ok(Type::text(length, collation, coercibility).with_null(self.any_null()))
    }

    /// Text in the collation of the connection, as numbers and dates become.
    pub fn connection_text(&self, length: u32) -> Type {
        Type::text(length, self.env.collation, Coercibility::Literal).with_null(self.any_null())
    }
}

/// A call being evaluated.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Values of the arguments.
    pub args: &'a [Datum],
    /// The arguments themselves, for their types.
    pub nodes: &'a [Node],
    /// The call.
    pub node: &'a Node,
    /// The statement's surroundings.
    pub env: &'a Env,
}

static NULL: Datum = Datum::Null;

impl<'a> Call<'a> {
    /// An argument; NULL for one left out.
    pub fn arg(&self, index: usize) -> &'a Datum {
        self.args.get(index).unwrap_or(&NULL)
    }

    /// The function's name.
    pub fn name(&self) -> &'static str {
        match &self.node.op {
            Op::Call(function, _) => function.name,
            _ => "",
        }
    }

    /// Problem 1301 of a result longer than `max_allowed_packet`; the value is NULL.
    pub fn too_large(&self) -> Result<Datum, SqlError> {
        let most = self.env.max_allowed_packet;
        self.env
            .complain(SqlError::allowed_packet_overflowed(self.name(), most))?;
        Ok(Datum::Null)
    }

    /// Whether a text of this many bytes may be made.
    pub fn fits(&self, bytes: usize) -> bool {
        bytes <= self.env.max_allowed_packet
    }

    /// Number of arguments.
    pub fn count(&self) -> usize {
        self.args.len()
    }

    /// An argument as bytes.
    pub fn bytes(&self, index: usize) -> Cow<'a, [u8]> {
        self.arg(index).to_text()
    }

    /// An argument as bytes of its own character set.
    pub fn own_bytes(&self, index: usize) -> Cow<'a, [u8]> {
        let bytes = self.bytes(index);
        match self.nodes.get(index) {
            Some(node) => in_own_charset(bytes, &node.ty),
            None => bytes,
        }
    }

    /// An argument as characters; bytes that are no UTF-8 are replaced.
    pub fn text(&self, index: usize) -> Cow<'a, str> {
        self.arg(index).to_str()
    }

    /// An argument where a number is wanted.
    pub fn number(&self, index: usize) -> Cow<'a, Datum> {
        match self.nodes.get(index) {
            Some(node) => node.as_number(self.arg(index)),
            None => Cow::Borrowed(self.arg(index)),
        }
    }

    /// An argument as a signed integer.
    pub fn int(&self, index: usize) -> Result<i64, SqlError> {
        Ok(self.integer(index)?.saturate())
    }

    /// An argument as an integer of either signedness.
    pub fn integer(&self, index: usize) -> Result<Integer, SqlError> {
        let arg = &*self.number(index);
        self.env.checked(arg.to_integer(), arg)
    }

    /// An argument as a double.
    pub fn f64(&self, index: usize) -> Result<f64, SqlError> {
        let arg = &*self.number(index);
        self.env.checked(arg.to_f64(), arg)
    }

    /// An argument as a decimal.
    pub fn decimal(&self, index: usize) -> Result<Decimal, SqlError> {
        let arg = &*self.number(index);
        self.env.checked(arg.to_decimal(), arg)
    }

    /// An argument as a date with time; `None`, with a warning, for what is none.
    pub fn moment(&self, index: usize) -> Result<Option<Moment>, SqlError> {
        let arg = self.arg(index);
        if arg.is_null() {
            return Ok(None);
        }
        match arg.to_moment(&self.env.now) {
            Some(lossy) => self.env.checked(lossy, arg).map(Some),
            None => {
                self.env.complain(wrong_datetime(arg))?;
                Ok(None)
            }
        }
    }

    /// Like [`Self::moment`], but `None` also for dates with zero month or day.
    pub fn full_moment(&self, index: usize) -> Result<Option<Moment>, SqlError> {
        let Some(moment) = self.moment(index)? else {
            return Ok(None);
        };
        if moment.is_partial() {
            self.env.complain(wrong_datetime(self.arg(index)))?;
            return Ok(None);
        }
        Ok(Some(moment))
    }

    /// An argument as a time; `None`, with a warning, for what is none.
    pub fn span(&self, index: usize) -> Result<Option<Span>, SqlError> {
        let arg = self.arg(index);
        if arg.is_null() {
            return Ok(None);
        }
        match arg.to_span() {
            Some(lossy) => self.env.checked(lossy, arg).map(Some),
            None => {
                self.env
                    .complain(SqlError::truncated_wrong_value("time", arg.to_str()))?;
                Ok(None)
            }
        }
    }

    /// The type of an argument.
    pub fn kind(&self, index: usize) -> Kind {
        self.nodes
            .get(index)
            .map_or(Kind::Null, |node| node.ty.kind)
    }

    /// Whether an argument counts by bytes: a byte string, or what is called text and is none.
    pub fn is_binary(&self, index: usize) -> bool {
        let node = self.nodes.get(index);
        node.is_some_and(|node| node.ty.is_binary()) || self.arg(index).is_ill_formed()
    }

    /// The collation in which the arguments compare.
    pub fn collation(&self) -> &'static Collation {
        let args: Vec<&Type> = self.nodes.iter().map(|node| &node.ty).collect();
        super::collate::join(&args, self.env.collation, "")
            .map_or(self.env.collation, |joined| joined.0)
    }
}

/// Error 1292 of a text that is no date.
pub fn wrong_datetime(value: &Datum) -> SqlError {
    SqlError::new(
        1292,
        "22007",
        format!("Incorrect datetime value: '{}'", value.to_str()),
    )
}

/// Text of a type as the bytes that its character set has for it.
pub(super) fn in_own_charset<'b>(bytes: Cow<'b, [u8]>, ty: &Type) -> Cow<'b, [u8]> {
    let is_text = matches!(ty.kind, Kind::Text | Kind::Enum | Kind::Set);
    if !is_text {
        return bytes;
    }
    let given_back = ty.collation.charset.give_back(&bytes);
    match given_back.map(|own| matches!(own, Cow::Owned(_)).then(|| own.into_owned())) {
        Ok(Some(own)) => Cow::Owned(own),
        Ok(None) | Err(_) => bytes,
    }
}
